"""Who gets a co-response: every crisis call, the eligible ones, the reached ones, and why not the
rest."""

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure, ShareFigure, hidden_points
from dashboard.findings import auditors_questions
from dashboard.findings.answers import coverage_headline
from dashboard.findings.program import one_year, point, years_of
from dashboard.numbers.cells import Share, label_of, mix_of
from dashboard.numbers.queries import ELIGIBLE, REACHED
from dashboard.page.page import areas, open_page, period_title
from dashboard.page.surface import choose
from dashboard.release.reader import ROOT, CountTable
from dashboard.text.language import _, percent

page = open_page("funnel", "eligible", "coverage", "missed")
release = page.release
reasons = release.find("not_served_reason", "period", where=ELIGIBLE) or release.find(
    "not_served_reason", where=ELIGIBLE
)
placed = release.find("not_served_reason", "area", where=ELIGIBLE)
triage = release.find("eligible")
covered = release.find("period", "responder", where=ELIGIBLE)
on_duty = release.find("on_duty", "responder", where=ELIGIBLE)
year = one_year(release, triage, reasons, on_duty)
page.ask(
    _("Of all crisis calls, who gets a co-response, and why not the rest?"),
    (
        coverage_headline(release, year(covered).get("period", "") if covered else "")
        if covered or reasons
        else ""
    ),
)
by_place = [t for t in (triage, placed) if t is not None and len(t.levels.get("area", ())) > 1]
place = choose("area", _("Place"), areas(release, by_place[0], "area")) if by_place else ROOT
if not by_place and (triage is not None or reasons is not None):
    page.not_reported(_("why no team came, by place"))
where = {} if place == ROOT else {"area": place}
named = "" if place == ROOT else f"{label_of(release, 'area', place)}, "


def here(table: CountTable | None) -> CountTable | None:
    """The table, where it knows the chosen place."""
    return (
        table if table is not None and (not where or release.holds(table, "area", place)) else None
    )


def at(table: CountTable) -> dict[str, str]:
    """The codes to hold fixed: the chosen year, and the chosen place."""
    return year(table) | where


def missing(what: str) -> None:
    if where:
        page.info(_("This is known for the whole city only: {what}.").format(what=what))
    else:
        page.not_reported(what)


if where:
    triage, reasons, on_duty = here(triage), here(placed), here(on_duty)
    covered = here(release.find("area", "period", "responder", where=ELIGIBLE))
if triage is not None and covered is not None:
    fixed = at(triage)
    when = named + period_title(release, fixed.get("period", ROOT))
    steps = [
        (_("All crisis calls"), point(release, triage, "eligible", ROOT, fixed)),
        (_("Met the program's criteria"), point(release, triage, "eligible", "yes", fixed)),
        (_("A clinician came"), point(release, covered, "responder", "clinician", at(covered))),
    ]
    items = []
    for i, (label, step) in enumerate(steps):
        before = steps[i - 1][1].value if i else None
        part = percent(step.value / before) if step.value is not None and before else ""
        words = (
            _("{count}, {share} of the step above").format(count=step.shown, share=part)
            if part
            else step.shown
        )
        items.append(charts.Mark(label, step.value, words))
    page.figure(
        MarkFigure(
            title=_("From all crisis calls to those that a clinician reached, {period}").format(
                period=when
            ),
            items=items,
            what=_("Step"),
            unit=_("Calls"),
            when=when,
            data=pd.DataFrame(
                [
                    {"step": i + 1, "label": label, "calls": step.value, "status": step.status}
                    for i, (label, step) in enumerate(steps)
                ]
            ),
            file=("funnel", *fixed.values()),
            hidden=hidden_points([step for _label, step in steps]),
            note=_("Each bar is a part of the bar above it. The reasons are below."),
        )
    )
if triage is None:
    missing(_("which calls met the criteria"))
else:
    fixed = at(triage)
    when = named + period_title(release, fixed.get("period", ROOT))
    page.figure(
        ShareFigure(
            title=_("1. Did the call meet the criteria? {period}").format(period=when),
            shares=mix_of(release, triage, "eligible", triage.finest("eligible"), fixed),
            what=_("Meets the program's criteria"),
            when=when,
            fixed={"table": triage.name, **fixed},
            file=("criteria", *fixed.values()),
            note=_(
                "A call that was not checked counts as not recorded, not as one that did not meet"
                " the criteria."
            ),
        )
    )
if reasons is None:
    missing(_("why no team came"))
else:
    fixed = at(reasons)
    when = named + period_title(release, fixed.get("period", ROOT))
    page.figure(
        ShareFigure(
            title=_("2. Of the calls that met the criteria: reached, or why not, {period}").format(
                period=when
            ),
            shares=mix_of(
                release, reasons, "not_served_reason", reasons.finest("not_served_reason"), fixed
            ),
            what=_("Reached, or why not"),
            when=when,
            fixed={"table": reasons.name, "eligible": "yes", **fixed},
            file=("missed-calls", *fixed.values()),
            note=_("'Not recorded' means that nobody wrote down why."),
        )
    )
if on_duty is None:
    missing(_("which calls came in while a team was on duty"))
else:
    fixed = at(on_duty)
    when = named + period_title(release, fixed.get("period", ROOT))
    bases = [
        (ROOT, _("At every hour")),
        ("yes", _("While a team was on duty")),
        ("no", _("While no team was on duty")),
    ]
    shares = []
    for code, label in bases:
        whole = point(release, on_duty, "on_duty", code, fixed)
        shares.append(
            Share(code, label, point(release, on_duty, "on_duty", code, fixed | REACHED), whole)
        )
    page.figure(
        ShareFigure(
            title=_(
                "3. Reached by a clinician: every hour, and staffed hours alone, {period}"
            ).format(period=when),
            shares=shares,
            what=_("When the call came in"),
            when=when,
            fixed={"table": on_duty.name, "eligible": "yes", **fixed},
            file=("on-duty", *fixed.values()),
            note=_(
                "The first line is the one that counts for people who call. The second shows how"
                " busy teams are when they work. A clinician may also come from outside a team's"
                " shift."
            ),
        )
    )
if covered is not None and (shares := years_of(release, covered, REACHED, where)):
    page.figure(
        ShareFigure(
            title=(
                _("4. Reached by a clinician, year by year")
                if not where
                else _("4. Reached by a clinician, year by year: {area}").format(
                    area=label_of(release, "area", place)
                )
            ),
            shares=shares,
            what=_("Year"),
            when=_("by year"),
            fixed={"table": covered.name, "eligible": "yes", **where},
            file=("reached-by-year", *where.values()),
        )
    )
auditors_questions.show(page, "sent_index", "instead", "program_area", "triaged")
page.caveats(
    [
        _(
            "The criteria are the agency's own. They can change, and other cities have others, so"
            " shares cannot be compared between cities."
        ),
        _("A low share is a gap in the service. It says nothing about the people who called."),
        _("These numbers do not show what would have happened with a team."),
    ]
)
page.end()
