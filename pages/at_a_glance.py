"""At a glance: is the program reaching people? One large number, six of a year, one line over time;
each with a way on."""

from functools import partial

import pandas as pd

from dashboard.export import brief
from dashboard.figures import charts
from dashboard.figures.figure import Figure
from dashboard.figures.figure_kinds import Content, TableFigure, hidden_points, point_tables
from dashboard.findings import answers, coverage
from dashboard.findings.headline import glance
from dashboard.findings.program import event_note, events, latest, letters
from dashboard.findings.targets import targets
from dashboard.numbers.cells import along
from dashboard.page.page import open_page, period_words
from dashboard.page.pages_list import PAGES, title_of
from dashboard.page.reported import fed_by, has_teams, shown_pages
from dashboard.page.surface import Card, choose
from dashboard.text.language import _

page = open_page("at-a-glance")
release = page.release
shown = shown_pages(release)
spans = brief.years(release)
year = choose("year", _("Year"), spans, latest(release)) if len(spans) > 1 else latest(release)
near = "neighborhood" if "neighborhood" in shown else "get_help"
doors = [
    Card(
        _("I live here"),
        near,
        (
            _("Is there help where I live?")
            if has_teams(release)
            else _("How many crisis calls come from my area?")
            if near == "neighborhood"
            else _("What do I do now, and what happens when I call?")
        ),
    )
]
if "claims" in shown:
    doors.append(Card(_("I write about this"), "claims", _("Is it true that...? Check a claim")))
if targets(release):
    doors.append(Card(_("I decide on this"), "scorecard", _("Are the targets met?")))


def calls_over_time() -> Figure | None:
    table = release.find("period")
    if table is None:
        return None
    level = table.finest("period")
    points = along(release, table, "period", level, {})
    title = _("Calls over time")
    rows, data = point_tables(points, _("Period"), _("Calls"), {"table": table.name})
    changes = events(release, [p.code for p in points])
    return page.made(
        Content(
            title=title,
            subtitle=_("Crisis calls, {span}").format(span=period_words(release)),
            draw=partial(charts.trend, points, _("Calls"), events=letters(changes)),
            alt=charts.describe_trend(title, points),
            table=rows,
            data=data,
            file=("calls", level),
            hidden=hidden_points(points),
            note=event_note(changes),
        )
    )


trend = calls_over_time()
headline = answers.coverage_headline(release, year)
picture = coverage.home_map(page, year) if headline.number else None
if headline.number:
    page.ask(_("Is the program reaching people in crisis?"), headline, picture, doors)
else:
    page.ask(
        _("How many crisis calls come in?"), answers.calls_headline(release, year), trend, doors
    )

WAYS = {
    "calls": ("calls", _("How many calls, and when?")),
    "coverage": ("funnel", _("Who gets a co-response?")),
    "wait_within_30": ("times", _("How long do people wait?")),
    "stayed": ("outcomes", _("How do calls end?")),
    "force": ("safety", _("Is anyone hurt or arrested?")),
    "connected": ("after", _("Do people get care?")),
}
seen, missing = glance(release, year)
if len(seen) > 1:
    page.heading(_("The year in short: {year}").format(year=spans[year]))
    page.cards([Card(f.plain, *WAYS[f.measure], f.shown, f.lines, f.missed) for f in seen])
    page.figure(
        TableFigure(
            title=_("The year in numbers: {year}").format(year=spans[year]),
            folded=True,
            table=pd.DataFrame(
                [
                    {
                        _("Measure"): f.plain,
                        spans[year]: f.shown,
                        _("Calls (n)"): f.n,
                        _("Out of (N)"): f.out_of,
                        _("Year before"): f.before or "–",
                        _("Trend"): f.trend or "–",
                        _("Target"): f.target or "–",
                    }
                    for f in seen
                ]
            ),
            data=pd.DataFrame(
                [
                    {
                        "measure": f.measure,
                        "year": year,
                        "calls": f.part,
                        "status": f.status,
                        "out_of_calls": f.whole,
                        "out_of_status": f.out_of_status,
                    }
                    for f in seen
                ]
            ).astype({"calls": "Int64", "out_of_calls": "Int64"}),
            file=("glance", year),
            note=(
                _(
                    "A trend needs three whole years under the same rules and codes. Up is not"
                    " always good, and down is not always bad."
                )
                if any(f.told for f in seen)
                else ""
            ),
        )
    )

if trend is not None and headline.number:
    page.show(trend)
for name in (name for name in PAGES if name not in shown):
    page.not_reported(
        _("**{page}**: it would need {what}.").format(page=title_of(name), what=fed_by(name))
    )
for measure, words in missing.items():
    if WAYS[measure][0] in shown:
        page.not_reported(words)
page.caveats(
    [
        _(
            "Counts say how many calls came in. They do not say how many people called: one person"
            " may call many times."
        ),
        _(
            "A higher count can mean more need, or that more people know whom to call. We cannot"
            " tell which."
        ),
        *(
            [_("These numbers alone cannot show whether teams made the change.")]
            if headline.number
            else []
        ),
    ]
)
page.end()
