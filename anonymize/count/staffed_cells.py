"""Which cells hold no call, as everyone knows: by the shifts, and by the days of which nothing was
collected.

Shifts are published (`staffed_hours`, `unstaffed_days`), and whether a team was on duty follows
from them and from the time of a call. So of a month without a shift everyone knows that no call
came with a team on duty. Such a cell hides nothing, whatever its row says, and covers no other. The
audit works out the same from the public days with code of its own (`audit/uncollected.py`).

That holds where no table joins the cell's dimensions, too. Of a table by year, all calls of a month
without a shift are among those without a team on duty; of a table by day of the week, the calls of
a Monday are none of a month that lacks its Mondays. So the joint tables behind the published ones
contain all these cells (`protect/junction_tree.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist
from anonymize.agency.schema import TableSpec
from anonymize.records.collected import TIMES, Calendar

ON_DUTY, HOUR, YES, NO = "on_duty", "hour", "yes", "no"
WEEKDAY = "weekday"
Hours = npt.NDArray[np.bool_]
"""One axis for days, one for the 24 hours of each."""
Shifts = Sequence[tuple[datetime, datetime]]
"""Spans (start, until) in local time in which a team was at work; no two of them touch."""
WHOLE_HOUR = 3600.0

Cells = tuple[dict[str, str], ...]
"""Each by its codes, roots left out."""
Axes = Mapping[str, tuple[str, ...]]
"""Dimension of time -> its published codes."""


@dataclass(frozen=True)
class Empty:
    """The widest cells that hold no call: by the shifts, and by days of which nothing was collected
    where no table joins what those bound."""

    by_shifts: Cells = ()
    by_gaps: Cells = ()

    @property
    def cells(self) -> Cells:
        return (*self.by_shifts, *self.by_gaps)


NOTHING_EMPTY = Empty()


def empty_cells(
    specs: Sequence[TableSpec],
    earlier: Sequence[TableSpec],
    shifts: Shifts | None,
    calendar: Calendar,
    codelists: Mapping[str, Codelist],
) -> Empty:
    """Of tables of these levels and those of `earlier` releases. `shifts`: None where calls are not
    held against shifts."""
    own, past = [_axes(spec, codelists) for spec in specs], [_axes(s, codelists) for s in earlier]
    asked = any(ON_DUTY in spec.dimensions or ON_DUTY in spec.where for spec in (*specs, *earlier))
    return Empty(
        _by_shifts([*own, *past], shifts, calendar, codelists)
        if asked and shifts is not None
        else (),
        _by_gaps(own, past, calendar, codelists),
    )


def _axes(spec: TableSpec, codelists: Mapping[str, Codelist]) -> Axes:
    found: dict[str, tuple[str, ...]] = {}
    for name in (*TIMES, HOUR):
        if name in spec.where:
            found[name] = (ROOT, spec.where[name])
        elif name in spec.dimensions and name in codelists:
            levels = (ROOT, *spec.dimensions[name])
            codes = (c for level in levels for c in codelists[name].codes_at(level))
            found[name] = tuple(dict.fromkeys(codes))
    return found


def _by_shifts(
    tables: Iterable[Axes], shifts: Shifts, calendar: Calendar, codelists: Mapping[str, Codelist]
) -> Cells:
    some, whole = _staffed(shifts, calendar)
    found: set[frozenset[tuple[str, str]]] = set()
    for axes in tables:
        days = [name for name in axes if name != HOUR]
        when = list(product(*(axes[name] for name in days)))
        held = np.array(
            [_days(dict(zip(days, codes, strict=True)), calendar, codelists) for codes in when]
        )
        hours = axes.get(HOUR, (ROOT,))
        spans = np.array([_hours(code, codelists) for code in hours])
        meant = np.outer(held.any(axis=1), spans.any(axis=1))
        for answer, possible in ((YES, some), (NO, ~whole)):
            chances = held.astype(float) @ possible.astype(float) @ spans.T.astype(float)
            for i, j in np.argwhere(meant & (chances == 0)):
                codes = [*zip(days, when[i], strict=True), (HOUR, hours[j]), (ON_DUTY, answer)]
                found.add(frozenset(item for item in codes if item[1] != ROOT))
    return _widest(found, codelists)


def _by_gaps(
    tables: Sequence[Axes],
    earlier: Sequence[Axes],
    calendar: Calendar,
    codelists: Mapping[str, Codelist],
) -> Cells:
    """Days of the week within months (fiscal years, seasons), where none of the `tables` has
    both."""
    found: set[frozenset[tuple[str, str]]] = set()
    for name in TIMES:
        if name == WEEKDAY:
            continue
        joined = {
            pair
            for axes in tables
            if name in axes and WEEKDAY in axes
            for pair in product(axes[name], axes[WEEKDAY])
        }
        every = [
            sorted({code for axes in (*tables, *earlier) for code in axes.get(one, ())} - {ROOT})
            for one in (name, WEEKDAY)
        ]
        for codes in product(*every):
            one, other = (
                calendar.days_under(codelists[dimension], code)
                for dimension, code in zip((name, WEEKDAY), codes, strict=True)
            )
            open_days = calendar.collected
            if (
                codes not in joined
                and not _unknown(codes)
                and (one & other).any()
                and not (one & other & open_days).any()
                and (one & open_days).any()
                and (other & open_days).any()
            ):
                found.add(frozenset(zip((name, WEEKDAY), codes, strict=True)))
    return _widest(found, codelists)


def _staffed(shifts: Shifts, calendar: Calendar) -> tuple[Hours, Hours]:
    """The hours of the calendar in which a team was at work at some time, and all the time."""
    first, number = calendar.days[0], len(calendar.days)
    seconds = np.zeros((number, 24))
    for start, until in shifts:
        hour = start.replace(minute=0, second=0, microsecond=0)
        while hour < until:
            following = hour + timedelta(hours=1)
            if 0 <= (day := (hour.date() - first).days) < number:
                worked = min(until, following) - max(start, hour)
                seconds[day, hour.hour] += worked.total_seconds()
            hour = following
    return seconds > 0, seconds >= WHOLE_HOUR


def _unknown(codes: Iterable[str]) -> bool:
    return any(code.split(".")[0] == UNKNOWN for code in codes)


def _days(
    codes: Mapping[str, str], calendar: Calendar, codelists: Mapping[str, Codelist]
) -> npt.NDArray[np.bool_]:
    """The collected days of a cell. A call whose day is not on record has none, and says by another
    answer whether a team was on duty."""
    days = calendar.collected.copy()
    for name, code in codes.items():
        if code != ROOT:
            days &= calendar.days_under(codelists[name], code) & (not _unknown([code]))
    return days


def _hours(code: str, codelists: Mapping[str, Codelist]) -> npt.NDArray[np.bool_]:
    if code == ROOT:
        return np.ones(24, dtype=bool)
    above = codelists[HOUR].ancestors(codelists[HOUR].by_code[code].level)
    return np.array([above.get(f"{hour:02d}") == code for hour in range(24)]) & (
        not _unknown([code])
    )


def _widest(cells: set[frozenset[tuple[str, str]]], codelists: Mapping[str, Codelist]) -> Cells:
    """Those that do not lie in another, in order."""
    kept = (cell for cell in cells if not any(wider in cells for wider in _above(cell, codelists)))
    return tuple(dict(cell) for cell in sorted(tuple(sorted(cell)) for cell in kept))


def _above(
    cell: frozenset[tuple[str, str]], codelists: Mapping[str, Codelist]
) -> Iterator[frozenset[tuple[str, str]]]:
    chains = []
    for name, code in cell:
        chain = [code]
        while chain[-1] != ROOT and name != ON_DUTY:
            chain.append(codelists[name].by_code[chain[-1]].parent)
        chains.append([(name, above) for above in chain])
    for codes in product(*chains):
        found = frozenset(item for item in codes if item[1] != ROOT)
        if found != cell:
            yield found


__all__ = ["NOTHING_EMPTY", "Axes", "Cells", "Empty", "Shifts", "empty_cells"]
