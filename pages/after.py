"""After the crisis: referrals and how far they got, repeat contacts, partners."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure, ShareFigure, TableFigure
from dashboard.findings import auditors_questions, comparisons_page
from dashboard.findings.answers import within_sentence
from dashboard.findings.comparisons import comparison
from dashboard.findings.program import (
    frame_of,
    one_year,
    parts_by_year,
    parts_of,
    point,
    statistic_rows,
)
from dashboard.findings.targets import bounded
from dashboard.numbers.cells import Share, along, shares_of
from dashboard.numbers.measures import measure
from dashboard.numbers.partners import most_connected
from dashboard.page.page import open_page, period_title, period_words
from dashboard.page.surface import Headline
from dashboard.release.reader import ROOT, CountTable
from dashboard.text.language import _, day, number, percent, text

page = open_page(
    "after",
    "compared",
    "referrals",
    "connected",
    "follow_ups",
    "warm",
    "connection_days",
    "repeat",
    "frequent",
    "agreements",
)
release = page.release
referrals, partners = release.find("responder", "handoff"), release.find("partner", "handoff")
STEPS = ("declined", "accepted", "connected", "open", "none")
NO_PARTNER = ("none", "unknown")


def by_partner(table: CountTable, part: Mapping[str, str], fixed: Mapping[str, str]) -> list[Share]:
    """For each kind of partner: the calls narrowed to `part`, over all its calls."""
    return [
        s
        for s in shares_of(release, table, "partner", table.finest("partner"), part, fixed)
        if s.code not in NO_PARTNER
    ]


def connected_of(table: CountTable, fixed: Mapping[str, str]) -> Share | None:
    """Visits confirmed within 30 days, out of accepted referrals whose 30 days are over; None in
    releases that do not tell those."""
    if not release.holds(table, "handoff", "agreed"):
        return None
    connected = measure("connected")
    return connected.share_at(table, fixed, "connected", connected.plain)


year = one_year(release, referrals, partners)
answer = ""
linked = most = None
span = period_words(release)
if referrals is not None:
    reached = {**year(referrals), "responder": "clinician"}
    span = within_sentence(release, reached.get("period", ROOT))
    linked = connected_of(referrals, reached)
    if linked is not None and linked.share is not None:
        words = _(
            "In {year}, at least {share} of the referrals that people accepted led to a visit"
            " within 30 days ({part} of {whole})."
        )
        if span == period_words(release):
            words = _(
                "From {span}, at least {share} of the referrals that people accepted led to a visit"
                " within 30 days ({part} of {whole})."
            )
        answer = words.format(
            year=span,
            span=span,
            share=linked.shown,
            part=linked.part.shown,
            whole=linked.whole.shown,
        )
        most = most_connected(release, reached)
        if most is not None and linked.whole.value is not None:
            answer += " " + (
                _("Some partners do not share data, so the true share may be higher.")
                if most >= linked.whole.value
                else _(
                    "Some partners do not share data, so the true share may be as high as {most}."
                ).format(most=percent(most / linked.whole.value))
            )
again = release.statistic("repeat_people_90", "period")
known = (
    [
        (row.label, row.numbers)
        for row in statistic_rows(release, again, "period", "year", {})
        if row.numbers
    ]
    if again
    else []
)
if known:
    label, cell = next((one for one in known if one[0] == span), known[-1])
    words = _(
        "Of people with a call in {year}, about {share} had another within 90 days of their first."
    )
    answer += " " + words.format(
        year=label, share=percent(cell["people_again"] / cell["people_followed"])
    )
large = (
    (
        bounded(linked, most),
        _("{part} of {whole} accepted referrals led to a visit within 30 days, {period}").format(
            part=linked.part.shown, whole=linked.whole.shown, period=span
        ),
    )
    if linked is not None and linked.share is not None
    else ("", "")
)
page.ask(
    _("Do people get care, and stay out of crisis?"),
    Headline(answer.strip(), *large) if answer else "",
)
if referrals is None:
    page.not_reported(_("referrals and visits"))
else:
    fixed = year(referrals)
    when = period_title(release, fixed.get("period", ROOT))
    at = {**fixed, "responder": "clinician"}
    led = connected_of(referrals, at)
    visits = (
        _(
            "Of {whole} accepted referrals, {part} led to a visit within 30 days: at least {share}."
        ).format(whole=led.whole.shown, part=led.part.shown, share=led.shown)
        if led is not None and led.share is not None
        else ""
    )
    page.figure(
        ShareFigure(
            title=_("Calls that a clinician reached: how far a referral got, {period}").format(
                period=when
            ),
            shares=parts_of(
                release,
                referrals,
                "handoff",
                [step for step in STEPS if release.holds(referrals, "handoff", step)],
                at,
            ),
            what=_("Referral"),
            when=when,
            fixed={"table": referrals.name, **at},
            file=("referrals", *fixed.values()),
            note=" ".join(
                [
                    _(
                        "Each call is counted at the furthest step it reached. Accepted is not yet"
                        " connected. A visit counts within 30 days."
                    ),
                    visits,
                ]
            ).strip(),
        )
    )
follow_ups = release.find("follow_up")
if follow_ups is None:
    page.not_reported(_("follow-ups"))
else:
    fixed = year(follow_ups)
    when = period_title(release, fixed.get("period", ROOT))
    page.figure(
        ShareFigure(
            title=_(
                "Calls with a follow-up agreed: when someone spoke to the person, {period}"
            ).format(period=when),
            shares=parts_of(
                release,
                follow_ups,
                "follow_up",
                ("within_1", "within_7", "within_30", "after_30"),
                fixed,
                "due",
            ),
            what=_("Follow-up"),
            when=when,
            fixed={"table": follow_ups.name, **fixed},
            file=("follow-ups", *fixed.values()),
            note=_(
                "Out of all such calls whose 30 days have ended, with those where nobody reached"
                " the person. Longer periods include shorter ones. Still open: {open}."
            ).format(open=point(release, follow_ups, "follow_up", "open", fixed).shown),
        )
    )
if partners is None or not release.holds(partners, "handoff", "agreed"):
    page.not_reported(_("accepted referrals by kind of partner"))
else:
    fixed = year(partners)
    when = period_title(release, fixed.get("period", ROOT))
    codes = [
        p.code
        for p in along(release, partners, "partner", partners.finest("partner"), fixed)
        if p.code not in NO_PARTNER
    ]
    any_responder = {**fixed, "responder": ROOT}
    page.figure(
        ShareFigure(
            title=_(
                "Accepted referrals with a visit within 30 days, by kind of partner, {period}"
            ).format(period=when),
            what=_("Partner"),
            when=when,
            shares=measure("connected").shares(
                release, "partner", any_responder, partners, tuple(codes)
            ),
            fixed={"table": partners.name, "handoff": "connected", **fixed},
            file=("partners", *fixed.values()),
            note=_(
                "Out of referrals that people accepted, after 30 days. A visit counts when the"
                " partner confirms it, so each share is the least that it can be."
            ),
        )
    )
auditors_questions.show(page, "declined", "unavailable", "unavailable_kind")
warm = release.find("partner", "warm")
if warm is None:
    page.not_reported(_("how referrals were passed on"))
else:
    page.figure(
        ShareFigure(
            title=_("Referrals passed on in person or by live call, {period}").format(
                period=period_title(release, ROOT)
            ),
            shares=by_partner(warm, {"warm": "yes"}, {}),
            what=_("Partner"),
            when=period_title(release, ROOT),
            fixed={"table": warm.name, "warm": "yes"},
            file=("warm-handoffs",),
            note=_(
                "Out of all calls with a referral to that kind of partner, from any responder's"
                " call. The rest got a phone number, a letter or the like, or the way is not on"
                " record."
            ),
        )
    )
waited = release.statistic("days_to_connection", "partner")
if waited is None:
    page.not_reported(_("days until a visit"))
else:
    kinds = [
        row
        for row in statistic_rows(release, waited, "partner", waited.levels["partner"][-1], {})
        if row.code not in NO_PARTNER
    ]
    page.figure(
        MarkFigure(
            title=_("Days from the call to the visit, by kind of partner"),
            what=_("Partner"),
            unit=_("Days"),
            when=period_title(release, ROOT),
            file=("connection-days",),
            dots=True,
            items=[
                (
                    charts.Mark(
                        row.label,
                        days_waited["median"],
                        _("half within about {median}, 9 in 10 within about {p90} days").format(
                            median=number(days_waited["median"]), p90=number(days_waited["p90"])
                        ),
                        days_waited["median"],
                        days_waited["p90"],
                        _("half within about {median} days, 9 in 10 about {p90}").format(
                            median=number(days_waited["median"]), p90=number(days_waited["p90"])
                        ),
                    )
                    if (days_waited := row.numbers)
                    else charts.Mark(row.label, None, row.missing)
                )
                for row in kinds
            ],
            data=frame_of({"partner": row.code, **row.data(waited.columns)} for row in kinds),
            hidden=sum(row.withheld for row in kinds),
            note=_(
                "Only visits within 30 days that the partner confirmed, from any responder's call."
                " The dot is the middle, the line runs to the day that 9 in 10 stay under."
            ),
        )
    )
items, rows = [], []
for days in (30, 90, 365):
    table = release.statistic(f"repeat_people_{days}", "period")
    for row in statistic_rows(release, table, "period", "year", {}) if table else []:
        label = _("{days} days after the first call in {year}").format(days=days, year=row.label)
        followed = row.numbers
        if followed is None:
            items.append(
                charts.Mark(
                    label, None, _("not over yet, or withheld") if row.withheld else row.missing
                )
            )
        else:
            share = followed["people_again"] / followed["people_followed"]
            words = _("about {share} ({part} of {whole} people)").format(
                share=percent(share),
                part=number(followed["people_again"]),
                whole=number(followed["people_followed"]),
            )
            items.append(charts.Mark(label, share, words))
        rows.append(
            {"days": days, "period": row.code, **row.data(("people_again", "people_followed"))}
        )
if items:
    page.figure(
        MarkFigure(
            title=_("People with another crisis call"),
            items=items,
            share=True,
            what=_("Within"),
            unit=_("People"),
            when=_("by year"),
            data=frame_of(rows),
            file=("repeat",),
            note=_(
                "Each person counts once a year, from the first call of that year. Only first calls"
                " of the same months of each year count, so that all their time has passed. Rounded"
                " to 5."
            ),
        )
    )
else:
    page.not_reported(_("repeat calls by the same people"))
likely = comparison(release, "compare_repeat_90")
if likely is None:
    page.not_reported(_("repeat calls after similar calls, when a team was free and when none was"))
else:
    comparisons_page.show(page, likely)
often = release.statistic("calls_of_frequent", "period")
items, frame = (
    parts_by_year(
        release, often, "calls_frequent", "based_on", _("about {share} ({part} of {whole} calls)")
    )
    if often is not None
    else ([], pd.DataFrame())
)
if not items:
    page.not_reported(_("calls from people who call often"))
else:
    page.figure(
        MarkFigure(
            title=_("Calls from people with five or more calls in a year"),
            share=True,
            what=_("Year"),
            unit=_("Calls"),
            when=_("by year"),
            file=("frequent",),
            items=items,
            data=frame,
            note=_(
                "Out of calls with a known person. All calls in a year count from people who called"
                " five or more times within 365 days, the last time in that year. So a year is"
                " shown only when the data hold the year before it, too. It is shown for the whole"
                " city only. Rounded to 10."
            ),
        )
    )
people = release.statistic("people", "period")
if people is None:
    page.not_reported(_("how many different people there were"))
else:
    years = statistic_rows(release, people, "period", "year", {})
    page.figure(
        MarkFigure(
            title=_("Different people"),
            what=_("Year"),
            unit=_("People"),
            when=_("by year"),
            file=("people",),
            items=[
                charts.Mark(
                    y.label,
                    y.numbers["people"] if y.numbers else None,
                    number(y.numbers["people"]) if y.numbers else y.missing,
                )
                for y in years
            ],
            data=frame_of({"period": y.code, **y.data(("people",))} for y in years),
            note=_("One person may call in both years, so the years do not add up. Rounded to 5."),
        )
    )
agreements = release.reference("partner_agreements")
if agreements is None:
    page.not_reported(_("agreements with partners"))
else:
    rows = agreements.to_dict("records")
    full = sum(r["agreement"] == "yes" and r["data_sharing"] == "yes" for r in rows)
    answers = {"yes": _("yes"), "no": _("no")}
    page.figure(
        TableFigure(
            title=_("Partners and their agreements"),
            data=agreements,
            file=("agreements",),
            table=pd.DataFrame(
                [
                    {
                        _("Partner"): text(r, "partner"),
                        _("Signed agreement"): answers[r["agreement"]],
                        _("Shares data"): answers[r["data_sharing"]],
                        _("Since"): day(date.fromisoformat(r["signed"])) if r["signed"] else "–",
                    }
                    for r in rows
                ]
            ),
            note=_(
                "{full} of {all} partners have a signed agreement that says how data are shared."
            ).format(full=number(full), all=number(len(rows))),
        )
    )
page.caveats(
    [
        _(
            "People who call often tend to call less later, with or without a team. A fall alone"
            " proves nothing."
        ),
        _(
            "A visit counts only when the partner confirms it. Visits that nobody confirmed are"
            " missing."
        ),
        _("People without a name on record cannot be followed."),
    ]
)
page.end()
