"""Workbooks (.xlsx, .xls, .ods) as tables of text: each sheet is parsed once into a Parquet file of
the private folder, and its rows are counted a second time by other code. Within `kept_in` that is
once for all steps of a command.

A date cell that shows no clock is a date without a clock, not midnight.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from errno import ENOSPC
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from anonymize.errors import SourceError
from anonymize.read.cells import Reader, Row
from anonymize.read.ods import ODS
from anonymize.read.xls import XLS
from anonymize.read.xlsx import XLSX

BATCH = 50_000
LINE = "\x00line"
"""Name of the column that holds each record's row in the sheet; no export can have a column of this
name."""
_GRID = pa.schema([(LINE, pa.int32()), ("cells", pa.list_(pa.string()))])
_BLANKS = " \t\r\n\u00a0\ufeff"


@dataclass(frozen=True)
class SheetTable:
    """A sheet as Parquet: the column LINE (row of the sheet), then one column of text for each
    name. `surplus`: rows with values beyond the names."""

    path: Path
    names: tuple[str, ...]
    records: int
    surplus: tuple[int, ...]


@dataclass
class _Book:
    """What has been parsed of a workbook. `grids`: sheet -> Parquet with a list of texts for each
    row."""

    names: list[str] | None = None
    grids: dict[str, Path] = field(default_factory=dict)


_books: dict[tuple[str, Path], _Book] = {}
"""By a hash of the file's bytes (a member of an archive is unpacked anew for each step) and the
folder in which what is parsed lies."""
_kept: list[Path] = []


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """What is parsed meanwhile lies in `folder`, for all steps that ask for it."""
    _kept.append(folder)
    try:
        yield
    finally:
        _kept.pop()
        for key in [key for key in _books if key[1] == folder]:
            del _books[key]


def _book(path: Path, folder: Path) -> _Book:
    seen = path.stat()
    digest = _digest(path.resolve(), seen.st_mtime_ns, seen.st_size)
    return _books.setdefault((digest, _kept[-1] if _kept else folder), _Book())


@lru_cache(maxsize=1000)
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as handle:
        return file_digest(handle, "sha256").hexdigest()


def reader_of(path: Path) -> Reader:
    """By what the file holds, for names mislead: many an export named .xls is none. Raises
    SourceError."""
    with path.open("rb") as handle:
        start = handle.read(1024)
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") or start[:2] in (
        b"\x09\x08",
        b"\x09\x04",
        b"\x09\x02",
    ):
        return XLS
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            return ODS if "content.xml" in archive.namelist() else XLSX
    if b"<html" in start.lower() or b"<table" in start.lower():
        raise SourceError(
            [
                f"{path}: is a web page that is named like a workbook; open it in a spreadsheet"
                " program, and save it as a workbook (.xlsx)"
            ]
        )
    if start and b"\x00" not in start:
        raise SourceError(
            [
                f'{path}: is text that is named like a workbook; write format = "csv", and its'
                ' delimiter, such as delimiter = "\\t"'
            ]
        )
    raise SourceError(
        [f"{path}: cannot be read as a workbook; is it whole, and of the format named?"]
    )


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """What the libraries raise for every kind of broken file, as SourceError without their
    words."""
    try:
        yield
    except SourceError:
        raise
    # the libraries raise the errors of zip, XML and Python for every kind of broken file
    except Exception as error:
        if isinstance(error, OSError) and error.errno == ENOSPC:
            raise
        raise SourceError(
            [
                f"{path}: cannot be read as a workbook ({type(error).__name__}); is it whole, of"
                " the format named, and without a password?"
            ]
        ) from None


def sheet_names(path: Path, folder: Path) -> list[str]:
    """The sheets of a workbook in their order. Raises SourceError for what is no workbook."""
    book = _book(path, folder)
    if book.names is None:
        with _plain_errors(path):
            reader = reader_of(path)
        if reader.sheets_at_once:
            parse(path, None, folder)
        if book.names is None:
            with _plain_errors(path):
                book.names = reader.sheets(path)
    return list(book.names)


def parse(path: Path, sheets: Sequence[str] | None, folder: Path) -> None:
    """Parse several sheets (None: all) in one reading of the file. Where one of them cannot be
    read, nothing is kept: each then says by itself what is wrong with it."""
    if sheets is not None and set(sheets) <= _book(path, folder).grids.keys():
        return
    with suppress(SourceError):
        _parse(path, sheets, folder)


def read_sheet(path: Path, sheet: str, header_row: int, target: Path) -> SheetTable:
    """A sheet as Parquet in `target`. Raises SourceError: broken workbook, formulas without
    results, counts that differ, no names."""
    grid = _grid(path, sheet, target.parent)
    names = next((_names(cells) for number, cells in _rows_of(grid) if number == header_row), [])
    if not names:
        raise SourceError(
            [
                f"{path}: sheet '{sheet}' has no names in row {header_row}; write header_row = N,"
                " the row of the sheet that holds the names"
            ]
        )
    schema = pa.schema([(LINE, pa.int32()), *((f"c{i}", pa.string()) for i in range(len(names)))])
    surplus: list[int] = []
    records = 0
    with pq.ParquetWriter(target, schema) as writer:
        for batch in _batches(grid):
            kept = []
            for number, cells in batch:
                if number <= header_row or not any(cells):
                    continue  # an empty row is no record
                if any(cells[len(names) :]):
                    surplus.append(number)
                    continue
                kept.append([number, *cells[: len(names)], *([None] * (len(names) - len(cells)))])
            columns: list[Sequence[object]] = [*zip(*kept, strict=True)] or [() for _ in schema]
            writer.write_table(
                pa.table(
                    [
                        pa.array(column, field.type)
                        for column, field in zip(columns, schema, strict=True)
                    ],
                    schema=schema,
                )
            )
            records += len(kept)
    return SheetTable(target, tuple(names), records, tuple(surplus))


def row_with(path: Path, sheet: str, name: str, rows: int, folder: Path) -> int | None:
    """The number of the first row that holds `name`, among a sheet's first `rows`; None without
    one."""
    return next(
        (number for number, names in first_rows(path, sheet, rows, folder) if name in names), None
    )


def first_rows(path: Path, sheet: str, rows: int, folder: Path) -> list[tuple[int, list[str]]]:
    """The first rows of a sheet that hold anything, each with its number, as text without blanks
    behind the last value."""
    found = []
    for number, cells in _rows_of(_grid(path, sheet, folder)):
        if number > rows:
            break
        if names := _names(cells):
            found.append((number, names))
    return found


def _names(cells: Sequence[str | None]) -> list[str]:
    names = [(cell or "").strip(_BLANKS) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _grid(path: Path, sheet: str, folder: Path) -> Path:
    """All rows of a sheet that hold anything, as Parquet in the private folder; parsed the first
    time that they are asked for. Raises SourceError."""
    book = _book(path, folder)
    if sheet not in book.grids or not book.grids[sheet].exists():
        _parse(path, [sheet], folder)
    return book.grids[sheet]


def _parse(path: Path, sheets: Sequence[str] | None, folder: Path) -> None:
    book = _book(path, folder)
    grids: dict[str, Path] = {}
    counts: dict[str, int] = {}
    with _plain_errors(path), ExitStack() as stack:
        reader = reader_of(path)
        batch: list[Row] = []
        writer, name = None, ""
        for sheet, row in reader.rows(path, sheets):
            if row is None:
                if writer:
                    _write(writer, batch)
                    writer.close()
                grids[sheet] = (_kept[-1] if _kept else folder) / f"{uuid4().hex}.grid.parquet"
                writer, name = stack.enter_context(pq.ParquetWriter(grids[sheet], _GRID)), sheet
                counts[sheet] = 0
                continue
            batch.append(row)
            counts[name] += 1
            if writer and len(batch) >= BATCH:
                _write(writer, batch)
        if writer:
            _write(writer, batch)
        again = reader.filled(path, list(grids))
    for sheet, numbers in again.items():
        if numbers is not None and len(numbers) != counts[sheet]:
            raise SourceError(
                [
                    f"{path}: sheet '{sheet}': two readings count its rows differently"
                    f" ({counts[sheet]:,} and {len(numbers):,}); save it as CSV (UTF-8), and name"
                    " that file"
                ]
            )
    book.grids |= grids
    if sheets is None:
        book.names = list(grids)


def _write(writer: pq.ParquetWriter, batch: list[Row]) -> None:
    numbers, cells = [number for number, _cells in batch], [texts for _number, texts in batch]
    writer.write_table(
        pa.table(
            [pa.array(numbers, pa.int32()), pa.array(cells, pa.list_(pa.string()))], schema=_GRID
        )
    )
    batch.clear()


def _batches(grid: Path) -> Iterator[list[Row]]:
    with pq.ParquetFile(grid) as file:
        for batch in file.iter_batches(BATCH):
            yield list(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))


def _rows_of(grid: Path) -> Iterator[Row]:
    for batch in _batches(grid):
        yield from batch
