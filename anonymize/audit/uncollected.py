"""Which cells were collected, by the dates in `datapackage.json` alone: all of their days, some,
or none.

Anyone can work that out. A cell of which nothing was collected must have that mark and no other,
and an attacker knows it to be 0, whatever its row says. Marks that do not follow from the dates
would reveal records, and are findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

WHOLE, PART, NONE = "published", "incomplete", "not_collected"
SEASONS = ("winter", "spring", "summer", "fall")
"""Of three months each, from December."""
WORKING_DAYS = 5


@dataclass(frozen=True)
class Dates:
    """The first and last day of a release's data, and the spans of which nothing was collected."""

    first: date
    last: date
    gaps: tuple[tuple[date, date], ...]
    edges: tuple[date, ...] = ()
    """The days of the first and of the last record, where a gap says that the records begin or end
    next to it."""
    _seen: dict[tuple[str, str, str, str], str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _masks: dict[tuple[str, str], Mask] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, package: Mapping[str, Any]) -> Dates | None:
        """The dates of a package; None where it names no period. Raises KeyError, TypeError or
        ValueError where it is not of format 1."""
        if "period" not in package:
            return None
        gaps = [(_ends(gap), gap.get("records")) for gap in package.get("gaps", ())]
        day = timedelta(days=1)
        edges = [
            first - day if edge == "end" else last + day
            for (first, last), edge in gaps
            if edge in ("begin", "end")
        ]
        return cls(*_ends(package["period"]), tuple(span for span, _ in gaps), tuple(edges))

    def mark(self, codes: Mapping[str, str]) -> str:
        """WHOLE, PART or NONE, by the codes of `period`, `fiscal_year`, `season` and `weekday`. A
        dimension without a code is taken whole."""
        period, fiscal_year = codes.get("period", "all"), codes.get("fiscal_year", "all")
        at = (period, fiscal_year, codes.get("season", "all"), codes.get("weekday", "all"))
        if at not in self._seen:
            self._seen[at] = self._mark(*at)
        return self._seen[at]

    def _mark(self, period: str, fiscal_year: str, season: str, weekday: str) -> str:
        days = (
            self._days("period", period)
            & self._days("fiscal_year", fiscal_year)
            & self._days("season", season)
            & self._days("weekday", weekday)
        )
        held = days & self._collected
        if not days.any():
            return WHOLE
        if not held.any():
            return NONE
        dated = (period, fiscal_year) != ("all", "all")
        meant = days if dated else days & self._between
        return WHOLE if held.sum() == meant.sum() else PART

    def collected_on(self, codes: Mapping[str, str]) -> frozenset[date]:
        """The days of the cell on which calls were collected."""
        held = self._collected
        for name in INSIDE:
            held = held & self._days(name, codes.get(name, "all"))
        return frozenset(day for day, there in zip(self._calendar, held, strict=True) if there)

    @cached_property
    def days(self) -> frozenset[date]:
        """The days of the release's period."""
        return frozenset(
            day for day, there in zip(self._calendar, self._between, strict=True) if there
        )

    def without_calls(self, months: Iterable[str]) -> frozenset[str]:
        """Those of `months` (codes) of which nothing was collected."""
        return frozenset(month for month in months if self.mark({"period": month}) == NONE)

    @cached_property
    def _calendar(self) -> list[date]:
        """Every day of every year that the data touch, calendar or fiscal."""
        first, end = date(self.first.year - 1, 1, 1), date(self.last.year + 2, 1, 1)
        return [first + timedelta(days=n) for n in range((end - first).days)]

    @cached_property
    def _between(self) -> Mask:
        return np.array([self.first <= day <= self.last for day in self._calendar])

    @cached_property
    def _collected(self) -> Mask:
        open_days: Mask = np.array(
            [not any(first <= day <= last for first, last in self.gaps) for day in self._calendar]
        )
        return self._between & open_days

    def _days(self, dimension: str, code: str) -> Mask:
        """Which days of the calendar have the code."""
        if (dimension, code) not in self._masks:
            self._masks[dimension, code] = np.array(
                [INSIDE[dimension](day, code) for day in self._calendar]
            )
        return self._masks[dimension, code]


def _ends(span: Mapping[str, str]) -> tuple[date, date]:
    return date.fromisoformat(span["from"]), date.fromisoformat(span["to"])


def _in_period(day: date, code: str) -> bool:
    """Is the day in `all`, a year, a quarter (2024-Q1) or a month (2024-01)?"""
    if code == "all":
        return True
    found = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})))?", code)
    if found is None:
        return True
    year, quarter, month = found.groups()
    return (
        day.year == int(year)
        and (quarter is None or (day.month - 1) // 3 == int(quarter) - 1)
        and (month is None or day.month == int(month))
    )


def _in_fiscal_year(day: date, code: str) -> bool:
    """Is the day in `all`, or in a fiscal year (2024-07_2025-06)?"""
    if code == "all":
        return True
    first, last = code.split("_")
    return first <= f"{day:%Y-%m}" <= last


def _in_season(day: date, code: str) -> bool:
    return code not in SEASONS or SEASONS[day.month % 12 // 3] == code


def _on(day: date, code: str) -> bool:
    """Is it a day of the week (from 1, Monday) or a part of the week? A day that is not on record
    may be any."""
    if code.isdigit():
        return day.isoweekday() == int(code)
    return code not in ("mon-fri", "sat-sun") or (day.isoweekday() <= WORKING_DAYS) == (
        code == "mon-fri"
    )


INSIDE: Mapping[str, Callable[[date, str], bool]] = {
    "period": _in_period,
    "fiscal_year": _in_fiscal_year,
    "season": _in_season,
    "weekday": _on,
}
