"""Workbooks of Excel since 2007 (.xlsx, .xlsm). A formula whose result the file does not hold is
refused, for its cell would look blank."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from openpyxl import load_workbook

from anonymize.errors import SourceError
from anonymize.read.cells import Reader, Row, cell_text

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _sheets(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        listed = ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
        of_charts = any(name.startswith("xl/chartsheets/") for name in archive.namelist())
        names = [str(sheet.get("name")) for sheet in listed]
    if of_charts:
        with _opened(path) as book:
            return [sheet.title for sheet in book.worksheets]
    return names


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with path.open("rb") as handle:  # by its name openpyxl would judge it
        book = load_workbook(handle, read_only=True, data_only=True)
        try:
            yield book
        finally:
            book.close()


def _rows(path: Path, sheets: Sequence[str] | None) -> Iterator[tuple[str, Row | None]]:
    with _opened(path) as book:
        for sheet in _sheets(path) if sheets is None else sheets:
            yield sheet, None
            book[sheet].reset_dimensions()  # some programs write wrong ones
            for number, row in enumerate(book[sheet].iter_rows(), start=1):
                cells = [
                    cell_text(cell.value, cell.number_format) if cell.value is not None else None
                    for cell in row
                ]
                if any(cell is not None for cell in cells):
                    yield sheet, (number, cells)


_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)(/>|>(.*?)</(?:\w+:)?row>)", re.S)
_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?c>)", re.S)
_NUMBER = re.compile(rb'\br="(\d+)"')


_RESULT = re.compile(rb"<(?:\w+:)?v\b[^>]*>[^<]")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)\b[^>/]*>[^<]")
MAX_SHEET = 1 << 30
"""Bytes of a sheet's XML that are counted a second time."""


def _filled(path: Path, sheets: Sequence[str]) -> dict[str, list[int] | None]:
    with _opened(path) as book:
        inner = {sheet: book[sheet]._worksheet_path.lstrip("/") for sheet in sheets}
    return {sheet: _filled_rows(path, name) for sheet, name in inner.items()}


def _filled_rows(path: Path, inner: str) -> list[int] | None:
    """An independent look into a sheet's XML, a file `inner` of the workbook: numbers of the rows
    that hold a value; None where it is larger than MAX_SHEET.

    Raises SourceError for formulas without a stored result.
    """
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(inner).file_size > MAX_SHEET:
            return None
        xml = archive.read(inner)
    rows, place = [], 0
    has_formulas = b"<f" in xml
    for number, cells in _cells_of_rows(xml):
        place = number or place + 1
        values = [cell for cell in cells if cell]
        if has_formulas and any(b"<f" in cell and not _RESULT.search(cell) for cell in values):
            raise SourceError(
                [
                    f"{path}: row {place} holds a formula without a stored result, which would look"
                    " blank; open the workbook in a spreadsheet program, save it, and try again"
                ]
            )
        if any(_VALUE.search(cell) for cell in values):
            rows.append(place)
    return rows


def _cells_of_rows(xml: bytes) -> Iterator[tuple[int, list[bytes]]]:
    for row in _ROW.finditer(xml):
        number = _NUMBER.search(row[1])
        yield (
            int(number[1]) if number else 0,
            [cell[1] or b"" for cell in _CELL.finditer(row[3] or b"")],
        )


XLSX = Reader(_sheets, _rows, _filled)
