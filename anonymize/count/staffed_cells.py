"""Which cells hold no call with a team on duty, or none without: by the shifts alone.

Shifts are published (`staffed_hours`, `unstaffed_days`), and whether a team was on duty follows
from them and from the time of a call. So of a month without a shift everyone knows that no call
came with a team on duty. Such a cell hides nothing, whatever its row says, and covers no other. The
audit works out the same from the public days with code of its own (`audit/uncollected.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist
from anonymize.count.tables import Table
from anonymize.records.collected import TIMES, Calendar

ON_DUTY, HOUR, YES, NO = "on_duty", "hour", "yes", "no"
Hours = npt.NDArray[np.bool_]
"""One axis for days, one for the 24 hours of each."""
Shifts = Sequence[tuple[datetime, datetime]]
"""Spans (start, until) in local time in which a team was at work; no two of them touch."""
WHOLE_HOUR = 3600.0


def empty_cells(
    tables: Iterable[Table], shifts: Shifts, calendar: Calendar, codelists: Mapping[str, Codelist]
) -> list[dict[str, str]]:
    """The widest cells of `tables` in which the shifts leave no call: each with its codes of time
    and of ON_DUTY, roots left out, in order."""
    some, whole = _staffed(shifts, calendar)
    found: dict[tuple[tuple[str, str], ...], None] = {}
    for table in tables:
        if ON_DUTY not in table.dimensions and ON_DUTY not in table.where:
            continue
        axes = {
            name: table.dimensions[name].codes if name in table.dimensions else (code,)
            for name in (*TIMES, HOUR)
            if name in table.dimensions or (code := table.where.get(name, ""))
        }
        answers = [table.where[ON_DUTY]] if ON_DUTY in table.where else [YES, NO]
        for answer in answers:
            possible = some if answer == YES else ~whole
            empty = {
                codes
                for codes in product(*axes.values())
                if answer in (YES, NO)
                and _empty(dict(zip(axes, codes, strict=True)), possible, calendar, codelists)
            }
            for codes in empty - set(_inside_another(empty, list(axes), codelists)):
                cell = {**dict(zip(axes, codes, strict=True)), ON_DUTY: answer}
                found[tuple(sorted(item for item in cell.items() if item[1] != ROOT))] = None
    return [dict(cell) for cell in sorted(found)]


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


def _empty(
    codes: Mapping[str, str],
    possible: Hours,
    calendar: Calendar,
    codelists: Mapping[str, Codelist],
) -> bool:
    """Does no collected hour of the cell have a place for the answer? A call whose day or hour is
    not on record has none either, but says so by another answer."""
    days = calendar.collected
    for name in TIMES:
        if codes.get(name, ROOT) != ROOT:
            days = days & calendar.days_under(codelists[name], codes[name])
    hours = np.ones(24, dtype=bool)
    if codes.get(HOUR, ROOT) != ROOT:
        above = codelists[HOUR].ancestors(codelists[HOUR].by_code[codes[HOUR]].level)
        hours = np.array([above.get(f"{hour:02d}") == codes[HOUR] for hour in range(24)])
    if any(code.split(".")[0] == UNKNOWN for code in codes.values()):
        return False
    meant = days[:, None] & hours[None, :]
    return bool(meant.any()) and not (meant & possible).any()


def _inside_another(
    cells: set[tuple[str, ...]], names: Sequence[str], codelists: Mapping[str, Codelist]
) -> Iterator[tuple[str, ...]]:
    """Those of `cells` that lie in another of them."""
    for codes in cells:
        chains = [
            (code, *_above(codelists[name], code)) for name, code in zip(names, codes, strict=True)
        ]
        if any(wider != codes and wider in cells for wider in product(*chains)):
            yield codes


def _above(codelist: Codelist, code: str) -> Iterator[str]:
    while code != ROOT:
        code = codelist.by_code[code].parent
        yield code
