"""Safety: arrests, force, weapons, injuries; like calls beside like calls."""

from collections.abc import Mapping

import pandas as pd

from dashboard import charts
from dashboard.language import _, number, rounded
from dashboard.program import count_words, numbers, one_year, parts_of, rates_by_who
from dashboard.release import ROOT, SUPPRESSED, CountTable, StatisticTable
from dashboard.skeleton import open_page, period_title
from dashboard.views import Point, Rate, by_who, label_of


def verdict(cell: Mapping[str, int]) -> str:
    """Whether like calls with and without a clinician can be told apart."""
    if cell["team_high"] < cell["other_low"] or cell["other_high"] < cell["team_low"]:
        return _("The likely ranges do not overlap: the two differ by more than chance.")
    return _("The likely ranges overlap: we cannot tell the two apart.")


page = open_page(
    "safety", "arrests", "citations", "required_arrests", "jail_diversion", "force", "serious_force", "injuries", "staff_hurt", "weapon"
)
release = page.release
force, arrests = release.find("responder", "force_used"), release.find("responder", "arrest")
like_arrest, like_force = release.statistic("compare_arrest"), release.statistic("compare_force_used")
answer = ""
if like_force is not None and (alike := like_force.cell({})):
    answer = _(
        "Officers used force in {team} of 1,000 calls that a clinician reached, and in {other} of 1,000 like calls without. {verdict}"
    ).format(team=number(alike["team"]), other=number(alike["other"]), verdict=verdict(alike))
elif force is not None and (rates := rates_by_who(release, force, "force_used", "yes", {}))[0].per_1000 is not None:
    answer = _(
        "Force was used in {team} of 1,000 calls that a clinician reached, and in {other} of 1,000 others. The calls differ, so see the fair comparison below."
    ).format(team=rates[0].shown, other=rates[1].shown)
page.ask(_("Is anyone hurt or arrested?"), answer)


def compared(table: StatisticTable, title: str, file: str) -> None:
    """Like calls side by side, as the private step worked it out."""
    cell = table.cell({})
    if cell is None:
        page.not_reported(title)
        return
    sides = [(label_of(release, "responder", "clinician"), "team"), (_("Like calls, no clinician came"), "other")]
    items = [
        charts.Mark(label, cell[key], _("{rate} per 1,000 ({low} to {high})").format(rate=number(cell[key]), low=number(cell[f"{key}_low"]), high=number(cell[f"{key}_high"])),
                    cell[f"{key}_low"], cell[f"{key}_high"])
        for label, key in sides
    ]  # fmt: skip
    page.marks(
        title=title, items=items, what=_("Calls"), unit=_("Per 1,000 calls"), when=period_title(release, ROOT), data=pd.DataFrame([{"calls": key, "rate": cell[key], "low": cell[f"{key}_low"], "high": cell[f"{key}_high"]} for _label, key in sides]), file=(file,), dots=True,
        note=_("Calls without a clinician are counted as if they had the same types, districts and hours as those with one. {verdict} "
               "It cannot show why: dispatchers may send teams to calmer calls.").format(verdict=verdict(cell)),
    )  # fmt: skip


cited = release.find("responder", "citation")
year = one_year(release, arrests, cited)


def by_year_and_who(table: CountTable | None, dimension: str, title: str, file: str, absent: str, note: str = "") -> None:
    """The share of calls with a yes, by who came, in the chosen year."""
    if table is None:
        page.not_reported(absent)
        return
    fixed = year(table)
    when = period_title(release, fixed.get("period", ROOT))
    page.shares(
        title=title.format(period=when), shares=by_who(release, table, dimension, "yes", fixed), what=_("Who came"), when=when,
        fixed={"table": table.name, dimension: "yes", **fixed}, file=(file, *fixed.values()), note=note,
    )  # fmt: skip


by_year_and_who(arrests, "arrest", _("Arrests, {period}"), "arrests", _("arrests by who came"))
if like_arrest:
    compared(like_arrest, _("Arrests: like calls side by side"), "like-arrests")
by_year_and_who(
    cited, "citation", _("Citations without arrest, {period}"), "citations", _("citations by who came"),
    _("A citation orders someone to go to court. Where arrests fall and citations rise, the two must be read together."),
)  # fmt: skip
required = release.find("arrest_required", where={"arrest": "yes"})
if required is None:
    page.not_reported(_("whether the law required the arrest"))
else:
    page.shares(
        title=_("Arrests, and whether the law required them, {period}").format(period=period_title(release, ROOT)),
        shares=parts_of(release, required, "arrest_required", {"yes": _("The law required it"), "no": _("The officer had a choice"), "unknown": _("Not recorded")}, {}),
        what=_("Arrest"),
        when=period_title(release, ROOT), fixed={"table": required.name, "arrest": "yes"}, file=("required-arrests",),
        note=_("With a warrant, or by some laws, an officer has no choice."),
    )  # fmt: skip
could = release.find("arrest", where={"arrestable": "yes"})
if could is None:
    page.not_reported(_("calls with an act that allows arrest"))
else:
    shares = parts_of(
        release, could, "arrest", {"no": _("Not arrested (jail diversion)"), "yes": _("Arrested"), "unknown": _("Not recorded")}, {}
    )
    page.shares(
        title=_("Calls with an act that allows arrest, {period}").format(period=period_title(release, ROOT)), shares=shares, what=_("What happened"),
        when=period_title(release, ROOT), fixed={"table": could.name, "arrestable": "yes"}, file=("jail-diversion",),
    )  # fmt: skip
if force is None:
    page.not_reported(_("use of force by who came"))
else:
    page.rates(
        title=_("Use of force, {period}").format(period=period_title(release, ROOT)), rates=rates_by_who(release, force, "force_used", "yes", {}), what=_("Who came"),
        when=period_title(release, ROOT), fixed={"table": force.name, "force_used": "yes"}, file=("force",), note=_("All years are taken together, because force is rare."),
    )  # fmt: skip
if like_force:
    compared(like_force, _("Force: like calls side by side"), "like-force")
for dimension, title, file in (
    ("serious_force", _("Serious force, {period}"), "serious-force"),
    ("weapon_reported", _("Weapon reported, {period}"), "weapons"),
    ("injured_person", _("People in crisis hurt, {period}"), "people-hurt"),
    ("injured_officer", _("Officers hurt, {period}"), "officers-hurt"),
    ("injured_clinician", _("Clinicians hurt, {period}"), "clinicians-hurt"),
):
    table = release.find("responder", dimension)
    if table is None:
        page.not_reported(title.format(period="").rstrip(" ,").lower())
        continue
    found = rates_by_who(release, table, dimension, "yes", {})
    if dimension == "injured_clinician":
        found = found[:1]  # without a clinician none can be hurt
    page.rates(
        title=title.format(period=period_title(release, ROOT)), rates=found, what=_("Who came"),
        when=period_title(release, ROOT), fixed={"table": table.name, dimension: "yes"}, file=(file,),
        note=_("None seen is not proof of none: the line then ends at 3 over the number of calls ('rule of three')."),
    )  # fmt: skip
months = release.reference("staffed_months")
staff = [
    (who, label, table)
    for who, label in (("officer", _("Officers hurt")), ("clinician", _("Clinicians hurt")))
    if (table := release.find("responder", f"injured_{who}"))
]
hours = int(numbers(months, "worked")["worked"].sum()) if months is not None else 0
if not staff or not hours:
    page.not_reported(_("staff hurt for the hours they worked"))
else:
    items, counts = [], []
    for who, label, table in staff:
        hurt = Point("clinician", label, *table.cell({"responder": "clinician", f"injured_{who}": "yes"}))
        counts.append({"hurt": who, "calls": hurt.value, "status": hurt.status, "hours": hours})
        rate = Rate(who, label, hurt, Point(ROOT, label, hours, "published"))
        if rate.per_1000 is None or rate.interval is None:
            items.append(charts.Mark(label, None, rate.shown))
            continue
        value, low, high = (10 * edge for edge in (rate.per_1000, *rate.interval))
        words = _("{rate} per 10,000 hours ({low} to {high}): {n} in {hours} hours").format(
            rate=rounded(value), low=rounded(low), high=rounded(high), n=hurt.shown, hours=number(hours)
        )
        items.append(charts.Mark(label, value, words, low, high, rounded(value)))
    page.marks(
        title=_("Staff hurt, per 10,000 hours of team work"), items=items, what=_("Who was hurt"), unit=_("Per 10,000 hours"), when=period_title(release, ROOT),
        data=pd.DataFrame(counts), file=("staff-hurt-hours",), dots=True, hidden=sum(row["status"] == SUPPRESSED for row in counts),
        note=_("Calls that a clinician reached, over the hours of teams with both an officer and a clinician. All years are taken together, because few are hurt."),
    )  # fmt: skip
claims = release.reference("liability_claims")
if claims is None:
    page.not_reported(_("claims filed against the program"))
else:
    page.rows(
        title=_("Claims filed against the program"), data=claims, file=("claims-filed",),
        table=pd.DataFrame([{_("Year"): r["year"], _("Claims filed"): count_words(release, r["filed"])} for r in claims.to_dict("records")]),
        note=_("A claim filed says nothing about who was right."),
    )  # fmt: skip
page.caveats(
    [
        _("These are associations. We cannot tell whether teams are the reason."),
        _("What counts as force follows the department's own policy. Other departments count in other ways."),
        _("Few are hurt. A small change from year to year is mostly chance."),
    ]
)
page.end()
