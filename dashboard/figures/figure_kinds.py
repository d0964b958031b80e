"""The kinds of figures that pages show: shares, rates, labelled values, tables, and any other. Each
says what it shows (`content`), and a page makes a figure of its own from that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure import Draw
from dashboard.figures.maps import Map
from dashboard.numbers.cells import Point, Rate, Share, in_part, status_words
from dashboard.release.reader import INCOMPLETE, NOT_COLLECTED, PUBLISHED, SUPPRESSED
from dashboard.text import language
from dashboard.text.language import _, rounded


class Kind(Protocol):
    """Whatever can say what a figure of it shows."""

    def content(self) -> Content: ...


@dataclass(frozen=True)
class Content:
    """What a figure shows, whatever page it is on.

    `table` is what is read on the page (texts); `data` what is downloaded (codes, numbers,
    statuses). `statuses`: of the numbers, where `data` has no columns of statuses. The rest as in
    `Figure`.
    """

    title: str
    alt: str
    table: pd.DataFrame
    data: pd.DataFrame
    file: Sequence[str]
    draw: Draw | None = None
    hidden: int = 0
    note: str = ""
    subtitle: str = ""
    map: Map | None = None
    statuses: Iterable[str] = ()
    folded: bool = False

    def content(self) -> Content:
        return self


@dataclass(frozen=True)
class ShareFigure:
    """Shares with their intervals, n and N, one in each row.

    `what`: what the rows are; `when`: of what time; `fixed`: columns that are the same in each row
    of the download; `counted`: the name of n, where it is no number of calls. `ranked`: false where
    the page puts nothing in order. `reference`: a line that all are read against.
    """

    title: str
    shares: Sequence[Share]
    what: str
    when: str
    fixed: Mapping[str, str]
    file: Sequence[str]
    note: str = ""
    counted: str = ""
    ranked: bool = True
    reference: charts.Reference | None = None

    def content(self) -> Content:
        shares = self.shares
        shown, data = share_tables(shares, self.what, self.fixed, self.counted)
        kind = _("Dot chart with likely ranges")
        return Content(
            title=self.title,
            draw=partial(charts.dots, shares, reference=self.reference),
            table=shown,
            data=data,
            file=self.file,
            hidden=hidden_shares(shares),
            note=self.note,
            alt=charts.describe(kind, self.title, self.when, shares, ranked=self.ranked),
            subtitle=base_words(shares, self.title, self.when, self.counted),
        )


@dataclass(frozen=True)
class RateFigure:
    """Events per 1,000 calls with exact intervals; otherwise as `ShareFigure`."""

    title: str
    rates: Sequence[Rate]
    what: str
    when: str
    fixed: Mapping[str, str]
    file: Sequence[str]
    note: str = ""

    def content(self) -> Content:
        rates = self.rates

        def interval(rate: Rate) -> str:
            if rate.interval is None:
                return "–"
            low, high = (rounded(edge) for edge in rate.interval)
            return _("{low} to {high}").format(low=low, high=high)

        items = [
            charts.Mark(r.label, r.per_1000, _rate_words(r), *(r.interval or (None, None)))
            for r in rates
        ]
        table = pd.DataFrame(
            {
                self.what: [r.label for r in rates],
                _("Per 1,000 calls"): [r.shown for r in rates],
                _("Calls (n)"): [r.part.shown for r in rates],
                _("Out of (N)"): [r.whole.shown for r in rates],
                _("Likely range (95%)"): [interval(r) for r in rates],
                **_status_column(rates),
            }
        )
        kind = _("Dot chart with likely ranges")
        words = _("Events per 1,000 calls. A line through a dot is its likely range")
        return Content(
            title=self.title,
            draw=partial(charts.marks, items),
            alt=charts.describe_marks(kind, self.title, self.when, items),
            subtitle=dated(words, self.title, self.when),
            table=table,
            data=_counts_behind(rates, self.fixed),
            file=self.file,
            hidden=hidden_shares(rates),
            note=self.note,
        )


@dataclass(frozen=True)
class MarkFigure:
    """Labelled values that are read from the release as they are. `unit`: of the values; `share`:
    they are parts of a whole, so the scale runs to 100 %."""

    title: str
    items: Sequence[charts.Mark]
    what: str
    unit: str
    when: str
    data: pd.DataFrame
    file: Sequence[str]
    dots: bool = False
    share: bool = False
    note: str = ""
    hidden: int = 0
    statuses: Iterable[str] = ()

    def content(self) -> Content:
        items = self.items
        kind = _("Dot chart") if self.dots else _("Bar chart")
        return Content(
            title=self.title,
            draw=partial(charts.marks, items, dots=self.dots, share=self.share),
            subtitle=dated(self.unit, self.title, self.when),
            alt=charts.describe_marks(kind, self.title, self.when, items),
            table=pd.DataFrame(
                {self.what: [m.label for m in items], self.unit: [m.text for m in items]}
            ),
            data=self.data,
            file=self.file,
            note=self.note,
            hidden=self.hidden,
            statuses=self.statuses,
        )


@dataclass(frozen=True)
class TableFigure:
    """A table without a chart. `folded`: its numbers stand above it already, so it opens on
    demand."""

    title: str
    table: pd.DataFrame
    data: pd.DataFrame
    file: Sequence[str]
    note: str = ""
    subtitle: str = ""
    folded: bool = False

    def content(self) -> Content:
        return Content(
            title=self.title,
            alt=self.title,
            table=self.table,
            data=self.data,
            file=self.file,
            note=self.note,
            subtitle=self.subtitle,
            folded=self.folded,
        )


def _rate_words(rate: Rate) -> str:
    if rate.per_1000 is None:
        return rate.shown
    if in_part(rate.part.status, rate.whole.status):
        return _("{rate} per 1,000 ({part} of {whole}; part of the period only)").format(
            rate=rate.shown, part=rate.part.shown, whole=rate.whole.shown
        )
    return _("{rate} per 1,000 ({part} of {whole})").format(
        rate=rate.shown, part=rate.part.shown, whole=rate.whole.shown
    )


def dated(words: str, title: str, when: str) -> str:
    """A subtitle: the measure, and the period where the title has it not."""
    return words if not when or when in title else f"{words}, {when}"


def base_words(shares: Sequence[Share], title: str, when: str, counted: str = "") -> str:
    """The subtitle of shares: out of what each is, and of what time."""
    wholes = {s.whole.value for s in shares}
    if counted:
        words = _("Share of the people who answered")
    elif len(wholes) == 1 and len(shares) > 1 and None not in wholes:
        words = _("Share of {count} calls").format(count=shares[0].whole.shown)
    else:
        words = _("Share of the calls of each row")
    likely = _("A line through a dot is its likely range.")
    return f"{dated(words, title, when)}. {likely}"


def point_tables(
    points: Sequence[Point], what: str, unit: str, fixed: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table to read and the rows to download."""
    table = pd.DataFrame({what: [p.label for p in points], unit: [p.brief for p in points]})
    data = pd.DataFrame(
        {
            **dict(fixed),
            "code": [p.code for p in points],
            "label": [p.label for p in points],
            "value": pd.array([p.value for p in points], dtype="Int64"),
            "status": [p.status for p in points],
        }
    )
    return table, data


def share_tables(
    shares: Sequence[Share], what: str, fixed: Mapping[str, str], counted: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table to read (share, n, N, interval) and the rows to download."""

    def interval(share: Share) -> str:
        if share.interval is None:
            return "–"
        return _("{low} to {high}").format(
            low=language.percent(share.interval[0]), high=language.percent(share.interval[1])
        )

    table = pd.DataFrame(
        {
            what: [s.label for s in shares],
            _("Share"): [_said(s) for s in shares],
            counted or _("Calls (n)"): [s.part.shown for s in shares],
            _("Out of (N)"): [s.whole.shown for s in shares],
            _("Likely range (95%)"): [interval(s) for s in shares],
            **_status_column(shares),
        }
    )
    return table, _counts_behind(shares, fixed)


def _status_column(items: Sequence[Share] | Sequence[Rate]) -> dict[str, list[str]]:
    """A column that tells what was collected in part or not at all; none where all was
    collected."""
    worst = [
        next(
            (
                s
                for s in (NOT_COLLECTED, SUPPRESSED, INCOMPLETE)
                if s in (i.part.status, i.whole.status)
            ),
            PUBLISHED,
        )
        for i in items
    ]
    return (
        {_("Status"): [status_words(status) for status in worst]}
        if {INCOMPLETE, NOT_COLLECTED} & set(worst)
        else {}
    )


def _said(share: Share) -> str:
    """A share as a number and in words: '19%, about 1 in 5'."""
    return ", ".join(
        filter(None, (share.shown, language.about(share.share) if share.share is not None else ""))
    )


def _counts_behind(
    items: Sequence[Share] | Sequence[Rate], fixed: Mapping[str, str]
) -> pd.DataFrame:
    """The rows to download of shares or rates: both counts, each with its status."""
    return pd.DataFrame(
        {
            **dict(fixed),
            "code": [s.code for s in items],
            "label": [s.label for s in items],
            "n": pd.array([s.part.value for s in items], dtype="Int64"),
            "n_status": [s.part.status for s in items],
            "out_of": pd.array([s.whole.value for s in items], dtype="Int64"),
            "out_of_status": [s.whole.status for s in items],
        }
    )


def hidden_points(points: Sequence[Point]) -> int:
    """How many are withheld; what was not collected is none of them."""
    return sum(p.status == SUPPRESSED for p in points)


def hidden_shares(shares: Sequence[Share] | Sequence[Rate]) -> int:
    return sum(SUPPRESSED in (s.part.status, s.whole.status) for s in shares)
