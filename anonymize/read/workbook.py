"""Workbooks (.xlsx) as tables of text: parsed once, each sheet into a Parquet file of the private folder.

A date cell whose format shows no clock is a date without a clock, not midnight. A formula whose result the file does not hold is refused, for its
cell would look blank.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import load_workbook
from openpyxl.styles.numbers import is_date_format

from anonymize.errors import SourceError

BATCH = 50_000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINE = "\x00line"
"""Name of the column that holds each record's row in the sheet; no export can have a column of this name."""
_CLOCK = re.compile(r"[hHsS]")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^hHsSmM][^\]]*\]')


@dataclass(frozen=True)
class SheetTable:
    """A sheet as Parquet: the column LINE (row of the sheet), then one column of text for each name. `surplus`: rows with values beyond the names."""

    path: Path
    names: tuple[str, ...]
    records: int
    surplus: tuple[int, ...]


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook in their order. Raises SourceError for what is no workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
            of_charts = {name for name in archive.namelist() if name.startswith("xl/chartsheets/")}
        names = [str(sheet.get("name")) for sheet in listed]
    except (OSError, zipfile.BadZipFile, KeyError, ElementTree.ParseError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    if of_charts:
        with _opened(path) as book:
            return [sheet.title for sheet in book.worksheets]
    return names


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError([f"{path}: cannot be read as a workbook ({type(error).__name__}); is it whole, and of the format named?"])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises the errors of zip, XML and Python for every kind of broken file
        raise _unreadable(path, error) from None
    try:
        yield book
    finally:
        book.close()


def read_sheet(path: Path, sheet: str, header_row: int, target: Path) -> SheetTable:
    """A sheet as Parquet in `target`. Raises SourceError: broken workbook, formulas without results, counts that differ."""
    with _opened(path) as book:
        filled = _filled_rows(path, book[sheet]._worksheet_path)
        try:
            table, counted = _read_sheet(path, book[sheet], header_row, target)
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            ElementTree.ParseError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise _unreadable(path, error) from None
    if filled is not None and (again := sum(row > header_row for row in filled)) != counted:
        raise SourceError([
            f"{path}: sheet '{sheet}': two readings count its rows differently ({counted:,} and {again:,}); save it as CSV (UTF-8), and name that file"
        ])  # fmt: skip
    return table


def row_with(path: Path, sheet: str, name: str, rows: int) -> int | None:
    """The first of so many rows of a sheet that holds a name."""
    with _opened(path) as book:
        book[sheet].reset_dimensions()
        return next((n for n, row in enumerate(book[sheet].iter_rows(max_row=rows), start=1) if name in _names(row)), None)


def first_rows(path: Path, sheet: str, rows: int) -> list[tuple[int, list[str]]]:
    """The first rows of a sheet that hold anything, each with its number, as text without blanks behind the last value."""
    found = []
    with _opened(path) as book:
        book[sheet].reset_dimensions()
        for number, row in enumerate(book[sheet].iter_rows(max_row=rows), start=1):
            if names := _names(row):
                found.append((number, names))
    return found


def _names(cells: Sequence[Any]) -> list[str]:
    names = [(_text(cell) or "").strip(" \t\r\n\u00a0\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _read_sheet(path: Path, sheet: Any, header_row: int, target: Path) -> tuple[SheetTable, int]:
    """The table, and how many rows below the names hold anything."""
    sheet.reset_dimensions()  # some programs write wrong ones
    names: list[str] = []
    surplus: list[int] = []
    records = counted = 0
    writer: pq.ParquetWriter | None = None
    schema = pa.schema([])
    batch: list[list[Any]] = []

    def flush() -> None:
        if writer is not None and batch:
            columns = list(zip(*batch, strict=True))
            writer.write_table(
                pa.table([pa.array(columns[0], pa.int32()), *(pa.array(c, pa.string()) for c in columns[1:])], schema=schema)
            )
            batch.clear()

    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if number < header_row:
                continue
            values = [_text(cell) for cell in row]
            if number == header_row:
                names = _names(row)
                schema = pa.schema([(LINE, pa.int32()), *((f"c{i}", pa.string()) for i in range(len(names)))])
                writer = pq.ParquetWriter(target, schema)
                continue
            counted += any(value is not None for value in values)
            if not any(value not in (None, "") for value in values):
                continue  # an empty row is no record
            if any(value not in (None, "") for value in values[len(names) :]):
                surplus.append(number)
                continue
            values = values[: len(names)]
            batch.append([number, *values, *([None] * (len(names) - len(values)))])
            records += 1
            if len(batch) >= BATCH:
                flush()
        flush()
    finally:
        if writer is not None:
            writer.close()
    if not names:
        raise SourceError([
            f"{path}: sheet '{sheet.title}' has no names in row {header_row}; write header_row = N, the row of the sheet that holds the names"
        ])  # fmt: skip
    return SheetTable(target, tuple(names), records, tuple(surplus)), counted


def _text(cell: Any) -> str | None:
    value = cell.value
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment(value, cell.number_format)
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


def _moment(value: datetime, number_format: str) -> str:
    """ISO; without a clock where the cell's format shows none and the clock is midnight. Excel's fractions of a day are rounded to the second
    where they miss it by less than ten milliseconds."""
    whole = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    if abs((whole - value).total_seconds()) < 0.01:
        value = whole
    shows_clock = bool(_CLOCK.search(_QUOTED.sub("", number_format or "")))
    if value.time() == time() and not shows_clock and is_date_format(number_format or ""):
        return value.date().isoformat()
    return value.isoformat(sep=" ")


_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)(/>|>(.*?)</(?:\w+:)?row>)", re.S)
_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?c>)", re.S)
_NUMBER = re.compile(rb'\br="(\d+)"')


_RESULT = re.compile(rb"<(?:\w+:)?v\b[^>]*>[^<]")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|t)\b[^>/]*>[^<]")
MAX_SHEET = 1 << 30
"""Bytes of a sheet's XML that are counted a second time."""


def _filled_rows(path: Path, inner: str) -> list[int] | None:
    """An independent look into a sheet's XML: numbers of the rows that hold a value; None where it is larger than MAX_SHEET.

    Raises SourceError for formulas without a stored result.
    """
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(inner.lstrip("/")).file_size > MAX_SHEET:
            return None
        xml = archive.read(inner.lstrip("/"))
    rows, place = [], 0
    has_formulas = b"<f" in xml
    for number, cells in _cells_of_rows(xml):
        place = number or place + 1
        values = [cell for cell in cells if cell]
        if has_formulas and any(b"<f" in cell and not _RESULT.search(cell) for cell in values):
            raise SourceError([
                f"{path}: row {place} holds a formula without a stored result, which would look blank; open the workbook in a spreadsheet "
                "program, save it, and try again"
            ])  # fmt: skip
        if any(_VALUE.search(cell) for cell in values):
            rows.append(place)
    return rows


def _cells_of_rows(xml: bytes) -> Iterator[tuple[int, list[bytes]]]:
    for row in _ROW.finditer(xml):
        number = _NUMBER.search(row[1])
        yield int(number[1]) if number else 0, [cell[1] or b"" for cell in _CELL.finditer(row[3] or b"")]
