"""The second reading of .xls and .ods workbooks, by a library that has nothing in common with the
first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from python_calamine import CalamineSheet, load_workbook


def filled_rows(path: Path, sheets: Sequence[str]) -> dict[str, list[int] | None]:
    """Numbers of the rows of each sheet that hold a value."""
    with load_workbook(path) as book:
        return {sheet: _filled(book.get_sheet_by_name(sheet)) for sheet in sheets}


def _filled(table: CalamineSheet) -> list[int]:
    if table.start is None:
        return []
    rows = table.to_python(skip_empty_area=False)
    return [number for number, row in enumerate(rows, start=1) if any(value != "" for value in row)]
