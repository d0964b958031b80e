"""Values of spreadsheet cells as text, alike for every kind of workbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from openpyxl.styles.numbers import is_date_format

_CLOCK = re.compile(r"[hHsS]")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^hHsSmM][^\]]*\]')

Row = tuple[int, list[str | None]]
"""The number of a row in its sheet, and the text of its cells; None where a cell is empty."""


@dataclass(frozen=True)
class Reader:
    """How one kind of workbook is read. `rows` gives of each of the sheets asked for, or of all
    where that is None, first (its name, None), then its rows that hold anything: in one reading of
    the file. `filled`: the numbers of those rows by a second reading that shares no code with the
    first, or None where that would be too large. They raise what their libraries raise, and
    SourceError with a cure.

    `sheets_at_once`: to find one sheet the whole file has to be parsed.
    """

    sheets: Callable[[Path], list[str]]
    rows: Callable[[Path, Sequence[str] | None], Iterator[tuple[str, Row | None]]]
    filled: Callable[[Path, Sequence[str]], dict[str, list[int] | None]]
    sheets_at_once: bool = False


def cell_text(value: object, number_format: str = "") -> str | None:
    """The text of a cell; None for an empty one. `number_format` as the workbook writes it, which
    says whether a moment has a clock."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment(value, number_format)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def to_second(value: datetime) -> datetime:
    """A moment without what a fraction of a day misses the second by: less than ten
    milliseconds."""
    whole = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    return whole if abs((whole - value).total_seconds()) < 0.01 else value


def _moment(value: datetime, number_format: str) -> str:
    """ISO; without a clock where the cell's format shows none and the clock is midnight."""
    value = to_second(value)
    shows_clock = bool(_CLOCK.search(_QUOTED.sub("", number_format or "")))
    if value.time() == time() and not shows_clock and is_date_format(number_format or ""):
        return value.date().isoformat()
    return value.isoformat(sep=" ")
