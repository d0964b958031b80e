"""At a glance: how many calls, who was reached, how calls ended."""

from functools import partial

import pandas as pd

from dashboard import answers, charts
from dashboard.language import _
from dashboard.program import event_note, events, latest
from dashboard.release import ROOT
from dashboard.scores import score
from dashboard.skeleton import hidden_points, open_page, period_words, point_tables
from dashboard.views import along

page = open_page("at-a-glance")
release = page.release
covered, share = answers.coverage(release)
page.ask(_("Is the program reaching people in crisis?"), covered if share else answers.calls(release))

page.heading(_("In short"))
sentences = [answers.calls(release)]
if share is None:
    sentences.append(covered)
outcomes = release.find("outcome")
sentences.append(answers.outcomes(release, outcomes) if outcomes else _("This agency does not report how calls ended."))
page.text("\n".join(f"- {sentence}" for sentence in sentences))
page.heading(_("Start here"))
start = {
    _("I live here"): ("neighborhood", _("Is there a team where I live?")),
    _("I write about this"): ("claims", _("Is it true that...? Check a claim")),
    _("I decide on this"): ("scorecard", _("Are the targets met?")),
}
page.cards([(who, target, label) for who, (target, label) in start.items()])

rows = []
for measure in ("coverage", "wait_within_30", "connected", "arrests"):
    found = score(release, measure, latest(release))
    if found is not None:
        rows.append(
            {_("Measure"): found.plain, latest(release): found.shown, _("Year before"): found.before_shown, _("Trend"): found.trend}
        )
if rows:
    data = pd.DataFrame(rows)
    page.rows(
        title=_("The year in numbers"),
        table=data,
        data=data,
        file=("glance",),
        note=_("A trend is named only where chance alone is unlikely to explain it. Up is not always good, and down is not always bad."),
    )
else:
    page.not_reported(_("who came, how long it took, and what came after"))

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
        title=title, draw=partial(charts.trend, points, _("Calls"), events={e.month: e.letter for e in changes}),
        alt=charts.describe(_("Line chart"), title, period_words(release), points), table=shown, data=data, file=("calls", level),
        hidden=hidden_points(points), note=event_note(changes),
    )  # fmt: skip

types = release.find("call_type")
if types is None:
    page.not_reported(_("what calls were about"))
else:
    points = along(release, types, "call_type", types.finest("call_type"), {"period": ROOT})
    title = _("What calls were about, {span}").format(span=period_words(release))
    shown, data = point_tables(points, _("Type of call"), _("Calls"), {"table": types.name, "period": ROOT})
    page.figure(
        title=title, draw=partial(charts.bars, points ), alt=charts.describe(_("Bar chart"), title, period_words(release), points),
        table=shown, data=data, file=("calls-by-type",), hidden=hidden_points(points),
    )  # fmt: skip

page.caveats(
    [
        _("Counts say how many calls came in. They do not say how many people called: one person may call many times."),
        _("A higher count can mean more need, or that more people know whom to call. We cannot tell which."),
        _("These numbers alone cannot show whether teams made the change."),
    ]
)
page.end()
