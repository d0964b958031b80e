"""Figures over time that stand on more than one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content
from dashboard.findings.program import (
    Row,
    event_note,
    events,
    frame_of,
    letters,
    numbers,
    per_day,
    statistic_rows,
)
from dashboard.numbers.cells import Point, marked
from dashboard.numbers.stats import Control, control
from dashboard.numbers.year_trend import CODES, last_break
from dashboard.page.page import Page
from dashboard.release.reader import INCOMPLETE, NOT_COLLECTED, Release, StatisticTable
from dashboard.text.language import _, month, month_in_words, number, percent


def signals(release: Release, points: Sequence[Point]) -> str:
    """In words: which periods stand out under the codes now in use, whether the level changed, and
    what size of change could have been noticed."""
    broken = last_break(release, CODES)
    since = [p for p in points if broken is None or p.code >= broken.isoformat()[: len(p.code)]]
    return signal_words(
        [p.label for p in since],
        control(per_day(since)),
        _("Each is set against the same month a year before."),
        _("The season is not taken out: too few months."),
        left_out=len(since) < len(points),
    )


def signal_words(
    labels: Sequence[str], judged: Control, seasonal: str, plain: str, *, left_out: bool
) -> str:
    """What `judged` says of the periods `labels`. `seasonal`, `plain`: how the season was treated,
    whichever holds; `left_out`: were there periods under other codes before them?"""
    if judged.seen_from is None:
        return _("Too few periods under the same codes to say which stand out.")
    parts = []
    if far := [label for label, out in zip(labels, judged.outside, strict=True) if out]:
        parts.append(
            _("These stand out from the others, by calls for each day: {list}.").format(
                list=", ".join(far)
            )
        )
    if judged.shift is not None:
        parts.append(
            _("From {period} on, the level is different from before.").format(
                period=labels[judged.shift]
            )
        )
    parts.append(seasonal if judged.seasonal else plain)
    parts.append(
        _(
            "A single period would be noticed 8 times in 10 if it lay about {share} above the"
            " others."
        ).format(share=percent(judged.seen_from))
    )
    if left_out:
        parts.append(_("Periods before the codes changed are not judged."))
    return " ".join(parts)


def waits_over_time(page: Page) -> None:
    """The middle and the slow wait from call to arrival, month by month; nothing where the release
    has none by the month."""
    release = page.release
    table = release.statistic("minutes_call_to_arrival", "period")
    if table is None or "month" not in table.levels["period"]:
        page.not_reported(_("waits month by month"))
        return
    changes = events(release, [code.code for code in release.codelists["period"].at("month")])
    page.figure(
        WaitFigure(
            release,
            table,
            "period",
            "month",
            title=_("Waits from call to arrival, month by month"),
            what=_("Month"),
            file="waits-by-month",
            marks=letters(changes, month),
            note=event_note(changes),
        )
    )


@dataclass(frozen=True)
class WaitFigure:
    """Two lines along one dimension: the wait that 9 in 10 stay under, and the middle one.

    `what`: what a row is; `marks`: letters on the chart; the rest as in `Content`.
    """

    release: Release
    table: StatisticTable
    dimension: str
    level: str
    title: str
    what: str
    file: str
    marks: dict[str, str] | None = None
    note: str = ""

    def content(self) -> Content:
        found = statistic_rows(self.release, self.table, self.dimension, self.level, {})
        names = {row.code: month(row.code) if self.level == "month" else row.label for row in found}
        spoken = (
            {month(row.code): month_in_words(row.code) for row in found}
            if self.level == "month"
            else {}
        )
        kinds = ((_("9 in 10 within about"), "p90"), (_("half within about"), "median"))
        series = [
            (
                words,
                [
                    (names[row.code], float(row.numbers[key]) if row.numbers else None)
                    for row in found
                ],
            )
            for words, key in kinds
        ]
        gone = {names[row.code]: row.missing for row in found if row.status == NOT_COLLECTED}
        if self.dimension == "period":
            gone |= {names[row.code]: _("part") for row in found if row.status == INCOMPLETE}

        def shown(row: Row, key: str) -> str:
            if row.numbers is None:
                return row.missing
            wait = number(row.numbers[key])
            return marked(wait, row.status) if self.dimension == "period" else wait

        rows = [
            {
                self.what: names[row.code],
                _("Half within about (minutes)"): shown(row, "median"),
                _("9 in 10 within about (minutes)"): shown(row, "p90"),
            }
            for row in found
        ]
        return Content(
            title=self.title,
            draw=partial(charts.lines, series, _("Minutes"), events=self.marks, words=gone),
            alt=charts.describe_lines(self.title, series, spoken),
            table=pd.DataFrame(rows),
            data=frame_of(
                {self.dimension: row.code, **row.data(self.table.columns)} for row in found
            ),
            file=(self.file,),
            note=self.note,
            hidden=sum(row.withheld for row in found),
        )


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
        Content(
            title=title,
            draw=partial(charts.lines, series, _("Hours"), events=letters(changes, month)),
            alt=charts.describe_lines(
                title, series, {month(m): month_in_words(m) for m in rows["month"]}
            ),
            table=pd.DataFrame(
                [
                    {
                        _("Month"): month(r["month"]),
                        _("Hours planned"): number(r["planned"]),
                        _("Hours staffed"): number(r["worked"]),
                        _("Share"): percent(r["worked"] / r["planned"]) if r["planned"] else "–",
                    }
                    for r in rows.to_dict("records")
                ]
            ),
            data=hours,
            file=("hours",),
            note=event_note(changes),
        )
    )
