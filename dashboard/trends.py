"""Figures over time that stand on more than one page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from dashboard import charts
from dashboard.language import _, month, number, percent
from dashboard.program import Row, event_note, events, frame_of, letters, numbers, per_day, statistic_rows
from dashboard.release import NOT_COLLECTED, Release, StatisticTable
from dashboard.skeleton import Page
from dashboard.stats import control
from dashboard.views import Point, marked
from dashboard.year_trend import CODES, last_break


def signals(release: Release, points: Sequence[Point]) -> str:
    """Which periods stand out under the codes now in use, whether the level changed, and what size of change could have been noticed."""
    broken = last_break(release, CODES)
    since = [p for p in points if broken is None or p.code >= broken.isoformat()[: len(p.code)]]
    judged = control(per_day(since))
    if judged.seen_from is None:
        return _("Too few periods under the same codes to say which stand out.")
    parts = []
    if far := [p.label for p, out in zip(since, judged.outside, strict=True) if out]:
        parts.append(_("These stand out from the others, by calls for each day: {list}.").format(list=", ".join(far)))
    if judged.shift is not None:
        parts.append(_("From {period} on, the level is another than before.").format(period=since[judged.shift].label))
    parts.append(
        _("Each is set against the same month a year before.") if judged.seasonal else _("The season is not taken out: too few months.")
    )
    parts.append(
        _("A single period would be noticed 8 times in 10 if it lay about {share} above the others.").format(
            share=percent(judged.seen_from)
        )
    )
    if len(since) < len(points):
        parts.append(_("Periods before the codes changed are not judged."))
    return " ".join(parts)


def waits_over_time(page: Page) -> None:
    """The middle and the slow wait from call to arrival, month by month; nothing where the release has none by the month."""
    release = page.release
    table = release.statistic("minutes_call_to_arrival", "period")
    if table is None or "month" not in table.levels["period"]:
        page.not_reported(_("waits month by month"))
        return
    changes = events(release, [code.code for code in release.codelists["period"].at("month")])
    waits(
        page,
        table,
        "period",
        "month",
        _("Waits from call to arrival, month by month"),
        _("Month"),
        "waits-by-month",
        letters(changes, month),
        event_note(changes),
    )


def waits(
    page: Page,
    table: StatisticTable,
    dimension: str,
    level: str,
    title: str,
    what: str,
    file: str,
    marks: dict[str, str] | None = None,
    note: str = "",
) -> None:
    """Two lines along one dimension: the wait that 9 in 10 stay under, and the middle one."""
    found = statistic_rows(page.release, table, dimension, level, {})
    names = {row.code: month(row.code) if level == "month" else row.label for row in found}
    kinds = ((_("9 in 10 within about"), "p90"), (_("half within about"), "median"))
    series = [(words, [(names[row.code], float(row.numbers[key]) if row.numbers else None) for row in found]) for words, key in kinds]
    gone = {names[row.code]: row.missing for row in found if row.status == NOT_COLLECTED}

    def shown(row: Row, key: str) -> str:
        if row.numbers is None:
            return row.missing
        return marked(number(row.numbers[key]), row.status) if dimension == "period" else number(row.numbers[key])

    page.figure(
        title=title, draw=partial(charts.lines, series, _("Minutes"), events=marks, words=gone), alt=charts.describe_lines(title, series),
        table=pd.DataFrame([{what: names[row.code], _("Half within about (minutes)"): shown(row, "median"), _("9 in 10 within about (minutes)"): shown(row, "p90")} for row in found]),
        data=frame_of({dimension: row.code, **row.data(table.columns)} for row in found), file=(file,),
        note=note, hidden=sum(row.withheld for row in found),
    )  # fmt: skip


def hours_over_time(page: Page) -> None:
    """Unit hours planned and staffed with both roles, month by month."""
    hours = page.release.reference("staffed_months")
    if hours is None:
        page.not_reported(_("hours planned and staffed"))
        return
    rows = numbers(hours, "planned", "worked")
    changes = events(page.release, rows["month"])
    title = _("Hours planned, and hours with both an officer and a clinician")
    series = [
        (words, [(month(m), float(v)) for m, v in zip(rows["month"], rows[column], strict=True)])
        for words, column in ((_("planned"), "planned"), (_("staffed with both"), "worked"))
    ]
    page.figure(
        title=title, draw=partial(charts.lines, series, _("Hours"), events=letters(changes, month)), alt=charts.describe_lines(title, series),
        table=pd.DataFrame([{_("Month"): month(r["month"]), _("Hours planned"): number(r["planned"]), _("Hours staffed"): number(r["worked"]),
                             _("Share"): percent(r["worked"] / r["planned"]) if r["planned"] else "–"} for r in rows.to_dict("records")]),
        data=hours, file=("hours",), note=event_note(changes),
    )  # fmt: skip
