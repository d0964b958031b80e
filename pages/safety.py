"""Safety: arrests, force, weapons, injuries; similar calls compared."""

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure, RateFigure, TableFigure
from dashboard.findings import auditors_questions, comparisons, comparisons_page
from dashboard.findings.comparisons import comparison
from dashboard.findings.program import count_words, numbers, one_year, rates_by_who
from dashboard.numbers.cells import Point, Rate
from dashboard.page.measure_figures import Own
from dashboard.page.page import open_page, period_title
from dashboard.release.reader import ROOT, SUPPRESSED
from dashboard.text.language import _, number, rounded

page = open_page(
    "safety",
    "arrests",
    "citations",
    "required_arrests",
    "jail_diversion",
    "force",
    "serious_force",
    "injuries",
    "staff_hurt",
    "weapon",
)
release = page.release
force, arrests = release.find("responder", "force_used"), release.find("responder", "arrest")
answer = ""
if alike := comparison(release, "compare_force_used"):
    answer = (
        _("Use of force")
        + ": "
        + comparisons.verdict_words(alike).lower()
        + ". "
        + comparisons.figure_words(alike)
    )
elif (
    force is not None
    and (rates := rates_by_who(release, force, "force_used", "yes", {}))[0].per_1000 is not None
):
    answer = _(
        "Force was used in {team} of 1,000 calls that a clinician reached, and in {other} of 1,000"
        " others. The calls differ, so see the fair comparison below."
    ).format(team=rates[0].shown, other=rates[1].shown)
page.ask(_("Is anyone hurt or arrested?"), answer)


def compared(outcome: str, absent: str) -> None:
    """Similar calls side by side: when a team was free and when none was; then by who came, which
    decides nothing."""
    for kind in ("compare", "reached"):
        found = comparison(release, f"{kind}_{outcome}")
        if found is None:
            page.not_reported(
                absent
                if kind == "compare"
                else _("{what}: similar eligible calls by who came").format(
                    what=comparisons.what_words(f"compare_{outcome}")
                )
            )
            continue
        comparisons_page.show(page, found)


cited = release.find("responder", "citation")
year = one_year(release, arrests, cited)


page.measure(
    "arrests",
    at=year,
    own=Own(title=_("Arrests, {period}"), note="", absent=_("arrests by who came")),
)
compared("arrest", _("arrests for similar calls, when a team was free and when none was"))
page.measure(
    "citations",
    at=year,
    own=Own(
        title=_("Citations without arrest, {period}"),
        note=_(
            "A citation orders someone to go to court. Where arrests fall and citations rise, the"
            " two must be read together."
        ),
        absent=_("citations by who came"),
    ),
)
page.measure(
    "required_arrests",
    own=Own(
        title=_("Arrests, and whether the law required them, {period}"),
        labels={
            "yes": _("The law required it"),
            "no": _("The officer had a choice"),
            "unknown": _("Not recorded"),
        },
        note=_("With a warrant, or by some laws, an officer has no choice."),
        absent=_("whether the law required the arrest"),
    ),
)
for who, file, title, not_arrested in (
    (
        "clinician",
        "jail-diversion",
        _("Calls with an act that allows arrest where a clinician came: jail diversion, {period}"),
        _("Not arrested (jail diversion)"),
    ),
    (
        "no_clinician",
        "arrestable",
        _("Calls with an act that allows arrest where no clinician came, {period}"),
        _("Not arrested"),
    ),
):
    page.measure(
        "jail_diversion",
        at={"responder": who},
        own=Own(
            title=title,
            labels={"no": not_arrested, "yes": _("Arrested"), "unknown": _("Not recorded")},
            file=file,
            note="",
            absent=_("calls with an act that allows arrest, by who came"),
        ),
    )
page.measure(
    "force",
    own=Own(
        title=_("Use of force, {period}"),
        note=_("All years are taken together, because force is rare."),
        absent=_("use of force by who came"),
    ),
)
compared("force_used", _("force for similar calls, when a team was free and when none was"))
auditors_questions.show(page, "restrained", "restrained_group")
comparisons_page.show_or_say(page, "compare_restrained")
auditors_questions.show(page, "officer_trained", "backup")
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
    page.figure(
        RateFigure(
            title=title.format(period=period_title(release, ROOT)),
            rates=found,
            what=_("Who came"),
            when=period_title(release, ROOT),
            fixed={"table": table.name, dimension: "yes"},
            file=(file,),
            note=_(
                "Zero seen does not prove there are none: the line then ends at 3 divided by the"
                " number of calls ('rule of three')."
            ),
        )
    )
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
        hurt = Point(
            "clinician", label, *table.cell({"responder": "clinician", f"injured_{who}": "yes"})
        )
        counts.append({"hurt": who, "calls": hurt.value, "status": hurt.status, "hours": hours})
        rate = Rate(who, label, hurt, Point(ROOT, label, hours, "published"))
        if rate.per_1000 is None or rate.interval is None:
            items.append(charts.Mark(label, None, rate.shown))
            continue
        value, low, high = (10 * edge for edge in (rate.per_1000, *rate.interval))
        words = _("{rate} per 10,000 hours ({low} to {high}): {n} in {hours} hours").format(
            rate=rounded(value),
            low=rounded(low),
            high=rounded(high),
            n=hurt.shown,
            hours=number(hours),
        )
        items.append(charts.Mark(label, value, words, low, high, rounded(value)))
    page.figure(
        MarkFigure(
            title=_("Staff hurt, per 10,000 hours of team work"),
            items=items,
            what=_("Who was hurt"),
            unit=_("Per 10,000 hours"),
            when=period_title(release, ROOT),
            data=pd.DataFrame(counts),
            file=("staff-hurt-hours",),
            dots=True,
            hidden=sum(row["status"] == SUPPRESSED for row in counts),
            note=_(
                "Calls that a clinician reached, over the hours of teams with both an officer and a"
                " clinician. All years are taken together, because few are hurt."
            ),
        )
    )
claims = release.reference("liability_claims")
if claims is None:
    page.not_reported(_("claims filed against the program"))
else:
    page.figure(
        TableFigure(
            title=_("Claims filed against the program"),
            data=claims,
            file=("claims-filed",),
            table=pd.DataFrame(
                [
                    {_("Year"): r["year"], _("Claims filed"): count_words(release, r["filed"])}
                    for r in claims.to_dict("records")
                ]
            ),
            note=_("A claim filed says nothing about who was right."),
        )
    )
page.caveats(
    [
        _("These are associations. We cannot tell whether teams are the reason."),
        _(
            "What counts as force follows the department's own policy. Other departments count in"
            " other ways."
        ),
        _("Few are hurt. A small change from year to year is mostly chance."),
    ]
)
page.end()
