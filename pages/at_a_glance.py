"""At a glance: is the program reaching people, and are they safe? Six figures of one year, each with a way on."""

from datetime import date
from functools import partial

import pandas as pd

from dashboard import answers, brief, charts, trends
from dashboard.glance import glance
from dashboard.language import _, day, pick
from dashboard.program import event_note, events, latest, letters
from dashboard.release import ROOT
from dashboard.skeleton import hidden_points, open_page, period_words, point_tables
from dashboard.surface import Card, choose, escape
from dashboard.views import along

page = open_page("at-a-glance")
release = page.release
covered, share = answers.coverage(release)
page.ask(_("Is the program reaching people in crisis?"), covered if share else answers.calls(release))

page.heading(_("Start here"))
page.cards(
    [
        Card(_("I live here"), "neighborhood", _("Is there a team where I live?")),
        Card(_("I write about this"), "claims", _("Is it true that...? Check a claim")),
        Card(_("I decide on this"), "scorecard", _("Are the targets met?")),
    ]
)

WAYS = {
    "calls": ("calls", _("How many calls, and when?")),
    "coverage": ("funnel", _("Who gets a co-response?")),
    "wait_within_30": ("times", _("How long do people wait?")),
    "stayed": ("outcomes", _("How do calls end?")),
    "force": ("safety", _("Is anyone hurt or arrested?")),
    "connected": ("after", _("Do people get care?")),
}
spans = brief.years(release)
year = choose("year", _("Year"), spans, latest(release))
seen, missing = glance(release, year)
if seen:
    page.heading(_("The year in short: {year}").format(year=spans[year]))
    page.cards([Card(f.plain, *WAYS[f.measure], f.shown, f.lines) for f in seen])
    page.rows(
        title=_("The year in numbers: {year}").format(year=spans[year]),
        table=pd.DataFrame(
            [
                {_("Measure"): f.plain, spans[year]: f.shown, _("Calls (n)"): f.n, _("Out of (N)"): f.out_of, _("Year before"): f.before or "–",
                 _("Trend"): f.trend or "–", _("Target"): f.target or "–"}
                for f in seen
            ]
        ),
        data=pd.DataFrame(
            [{"measure": f.measure, "year": year, "calls": f.part, "status": f.status, "out_of_calls": f.whole, "out_of_status": f.out_of_status} for f in seen]
        ).astype({"calls": "Int64", "out_of_calls": "Int64"}),
        file=("glance", year),
        note=_("A trend needs three whole years under the same rules and codes. Up is not always good, and down is not always bad."),
    )  # fmt: skip
if missing:
    page.not_reported("; ".join(missing))
page.file(
    _("This year as a brief to print (PDF)"),
    brief.file_name(release, ROOT, year, "pdf"),
    partial(brief.pdf_of, release, ROOT, year),
    "application/pdf",
)

page.heading(_("What is new"))
kind = release.package.get("release", {})
words = (
    _("Release {version} of {day} is a correction.")
    if kind.get("kind") == "correction"
    else _("Release {version} of {day} is a planned update.")
)
words = words.format(version=release.version, day=day(date.fromisoformat(release.package["created"][:10])))
page.text(f"{words} {escape(pick(kind['reason']))}" if "reason" in kind else words)
page.link("changes", _("See what changed"))

table = release.find("period")
if table is None:
    page.not_reported(_("when calls came in"))
else:
    level = table.finest("period")
    points = along(release, table, "period", level, {})
    title = _("Calls over time")
    shown, data = point_tables(points, _("Period"), _("Calls"), {"table": table.name})
    changes = events(release, [p.code for p in points])
    page.figure(
        title=title, draw=partial(charts.trend, points, _("Calls"), events=letters(changes)),
        alt=charts.describe(_("Line chart"), title, period_words(release), points), table=shown, data=data, file=("calls", level),
        hidden=hidden_points(points), note=event_note(changes),
    )  # fmt: skip

trends.waits_over_time(page)
trends.hours_over_time(page)
page.caveats(
    [
        _("Counts say how many calls came in. They do not say how many people called: one person may call many times."),
        _("A higher count can mean more need, or that more people know whom to call. We cannot tell which."),
        _("These numbers alone cannot show whether teams made the change."),
    ]
)
page.end()
