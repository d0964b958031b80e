"""Workbooks of Excel before 2007 (.xls). Excel stores the result of each formula in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import xlrd
from openpyxl.styles.numbers import is_timedelta_format

from anonymize.read.calamine import filled_rows
from anonymize.read.cells import Reader, Row, cell_text, to_second


def _opened(path: Path) -> Any:
    with open(os.devnull, "w") as nowhere:
        return xlrd.open_workbook(str(path), logfile=nowhere, formatting_info=True)


def _sheets(path: Path) -> list[str]:
    return [str(name) for name in _opened(path).sheet_names()]


def _rows(path: Path, sheets: Sequence[str] | None) -> Iterator[tuple[str, Row | None]]:
    book = _opened(path)
    for sheet in book.sheet_names() if sheets is None else sheets:
        yield str(sheet), None
        table = book.sheet_by_name(sheet)
        for place in range(table.nrows):
            cells = [_text(cell, book) for cell in table.row(place)]
            if any(cell is not None for cell in cells):
                yield str(sheet), (place + 1, cells)


def _text(cell: Any, book: Any) -> str | None:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) or cell.value == "":
        return None
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return cell_text(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    if cell.ctype != xlrd.XL_CELL_DATE:
        return cell_text(cell.value)
    shown = str(book.format_map[book.xf_list[cell.xf_index].format_key].format_str)
    if is_timedelta_format(shown):
        return cell_text(timedelta(days=cell.value))
    if not 0 <= cell.value < 2_958_466:  # the days that Excel can show end with the year 9999
        return cell_text(cell.value)
    if cell.value < 1:
        return cell_text(to_second(xlrd.xldate_as_datetime(cell.value, 1)).time())
    return cell_text(xlrd.xldate_as_datetime(cell.value, book.datemode), shown)


XLS = Reader(_sheets, _rows, filled_rows, sheets_at_once=True)
