"""Which cells the agency's records cover wholly, in part, or not at all: by the dates in the agency
file alone.

A month of which nothing was collected holds no calls, and everyone can read that in the list of
gaps. So its cells are `not_collected`, no count at all, and the protection treats them as known to
be 0 (`protect/system.py`). What covers a gap in part is `incomplete`. The audit works out the same
from the public dates with code of its own (`audit/uncollected.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymize.agency.codelists import ROOT, SEASONS, Codelist, Dimension, months_between
from anonymize.agency.schema import Release

Days = npt.NDArray[np.bool_]

PUBLISHED, INCOMPLETE, NOT_COLLECTED = "published", "incomplete", "not_collected"
TIMES = ("period", "fiscal_year", "season", "weekday")
"""Dimensions whose codes stand for days."""


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Calendar:
    """The days of all years that a release touches (calendar and fiscal), those of its period
    (`window`), and those on which calls were collected."""

    window: Span
    gaps: tuple[Span, ...] = ()
    _known: dict[tuple[str, str], Days] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, release: Release) -> Calendar:
        """The calendar of a release that is being built, from the agency file."""
        return cls(
            Span(release.data_from, release.data_to),
            tuple(Span(gap.first, gap.last) for gap in release.not_collected),
        )

    @classmethod
    def released(cls, package: Mapping[str, Any]) -> Calendar:
        """The calendar of a release that is out, from its description (`datapackage.json`)."""

        def span(given: Mapping[str, str]) -> Span:
            return Span(date.fromisoformat(given["from"]), date.fromisoformat(given["to"]))

        return cls(span(package["period"]), tuple(map(span, package.get("gaps", ()))))

    @cached_property
    def days(self) -> tuple[date, ...]:
        first, last = (
            date(self.window.first.year - 1, 1, 1),
            date(self.window.last.year + 1, 12, 31),
        )
        return tuple(first + timedelta(days=i) for i in range((last - first).days + 1))

    @cached_property
    def _names(self) -> dict[str, npt.NDArray[np.str_]]:
        """The code of the year, quarter and month that each day lies in."""
        named = {"year": _year, "quarter": _quarter, "month": _month}
        return {level: np.array([name(day) for day in self.days]) for level, name in named.items()}

    @cached_property
    def inside(self) -> Days:
        """The days of the release's period."""
        return self._days_of(self.window)

    @cached_property
    def collected(self) -> Days:
        found = self.inside.copy()
        for gap in self.gaps:
            found &= ~self._days_of(gap)
        return found

    def _days_of(self, span: Span) -> Days:
        return np.array([span.first <= day <= span.last for day in self.days])

    def days_under(self, codelist: Codelist, code: str) -> Days:
        """The days that a code of one of TIMES stands for; all days where it is open which."""
        at = (codelist.dimension, code)
        if at not in self._known:
            self._known[at] = self._days_under(codelist, code)
        return self._known[at]

    def _days_under(self, codelist: Codelist, code: str) -> Days:
        match codelist.dimension, codelist.by_code[code].level:
            case "period", "year" | "quarter" | "month" as level:
                same: Days = self._names[level] == code
                return same
            case "fiscal_year", "fiscal_year":
                within: Days = (code[:7] <= self._names["month"]) & (
                    self._names["month"] <= code[8:]
                )
                return within
            case "season", "season":
                return np.array([day.month in SEASONS[code] for day in self.days])
            case "weekday", "part" if code in ("mon-fri", "sat-sun"):
                return np.array(
                    [(day.isoweekday() <= 5) == (code == "mon-fri") for day in self.days]
                )
            case "weekday", "day" if code.isdigit():
                return np.array([str(day.isoweekday()) == code for day in self.days])
        return np.ones(len(self.days), dtype=bool)

    def status(self, codes: Mapping[str, str], codelists: Mapping[str, Codelist]) -> str:
        """Of the cell with `codes` (dimensions that are not of TIMES do not matter): PUBLISHED,
        INCOMPLETE or NOT_COLLECTED.

        A cell without a code for the period or fiscal year means the days of the release's period;
        one with a code means all days of that code. Where no day fits all codes (February in
        summer), there is nothing to collect, and the cell is a plain 0.
        """
        dated = any(codes.get(name, ROOT) != ROOT for name in ("period", "fiscal_year"))
        meant = np.ones(len(self.days), dtype=bool) if dated else self.inside
        named = np.ones(len(self.days), dtype=bool)
        for name in TIMES:
            if codes.get(name, ROOT) != ROOT:
                named = named & self.days_under(codelists[name], codes[name])
        if not named.any():
            return PUBLISHED
        if not (named & self.collected).any():
            return NOT_COLLECTED
        return INCOMPLETE if (named & meant & ~self.collected).any() else PUBLISHED

    def statuses(
        self,
        dimensions: Mapping[str, Dimension],
        where: Mapping[str, str],
        codelists: Mapping[str, Codelist],
    ) -> npt.NDArray[np.str_]:
        """The status of every cell of a table, an axis for each of its dimensions."""
        axes: list[Sequence[str]] = [
            d.codes if name in TIMES else ("",) for name, d in dimensions.items()
        ]
        found = []
        for codes in product(*axes):
            named = {
                name: code for name, code in zip(dimensions, codes, strict=True) if name in TIMES
            }
            found.append(self.status({**where, **named}, codelists))
        narrow = np.array(found).reshape([len(axis) for axis in axes])
        return np.broadcast_to(narrow, [len(d.codes) for d in dimensions.values()])

    def months_not_collected(self, period: Codelist) -> Collection[str]:
        """Codes of the months of which nothing was collected."""
        if "month" not in period.levels:
            return ()
        return [
            code
            for code in period.codes_at("month")
            if self.status({"period": code}, {"period": period}) == NOT_COLLECTED
        ]

    def months(self) -> list[Span]:
        """The months of the release's period, the first and the last as far as they lie in it."""
        starts = months_between(self.window.first, self.window.last)
        ends = [start - timedelta(days=1) for start in starts[1:]]
        return [
            Span(max(a, self.window.first), b)
            for a, b in zip(starts, [*ends, self.window.last], strict=True)
        ]


def followed_whole(release: Release, days: int) -> str:
    """SQL over the column `day`: are that day and the `days` after it days of which calls were
    collected?"""
    known = f"day <= DATE '{release.data_to - timedelta(days=days)}'"
    for gap in release.not_collected:  # nobody knows who called then
        known += (
            f" AND (day > DATE '{gap.last}' OR day < DATE '{gap.first - timedelta(days=days)}')"
        )
    return known


def _year(day: date) -> str:
    return f"{day.year}"


def _quarter(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
