"""Exports as tables of text in DuckDB: the named columns only, each row with its file and number."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
from openpyxl import load_workbook

from anonymize.agency.schema import SourceSpec
from anonymize.errors import SourceError

Format = Literal["csv", "parquet", "excel"]
_ENDINGS: dict[str, Format] = {
    ".csv": "csv", ".csv.gz": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".xlsx": "excel",
}  # fmt: skip

MALFORMED = (
    "cast", "missing columns", "too many columns", "unquoted value", "line size over maximum", "invalid encoding", "invalid state", "other",
)  # fmt: skip
"""What DuckDB says of a line that does not fit."""


@dataclass(frozen=True)
class Malformed:
    """A line that does not fit the table's columns. `kind` is DuckDB's word for what is wrong."""

    file: str
    line: int
    kind: str


@dataclass(frozen=True)
class Source:
    """An export, looked at but not read: its files, and the columns wanted of each."""

    spec: SourceSpec
    files: tuple[Path, ...]
    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(path.name for path in self.files)


@dataclass(frozen=True)
class Opened:
    """A table in the connection: file_no, row_no (data rows from 1), then `columns` as text."""

    files: tuple[str, ...]
    rows: int
    malformed: tuple[Malformed, ...]
    columns: tuple[str, ...]


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def one_number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single whole number that `query` gives."""
    return int(db.execute(query).fetchall()[0][0])


def _format_of(path: Path, declared: Format | None) -> Format | None:
    if declared:
        return declared
    name = path.name.lower()
    return next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), None)


def find_files(base: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of all patterns, each once, in the order named. Raises SourceError for what is missing."""
    files: list[Path] = []
    problems: list[str] = []
    for pattern in patterns:
        full = str((base / pattern).resolve()) if not Path(pattern).is_absolute() else pattern
        matches = [Path(m) for m in sorted(glob.glob(full))]
        if not matches:
            problems.append(f"{full}: no such file; check 'paths'")
        files += [m for m in matches if m not in files]
    if problems:
        raise SourceError(problems)
    return files


def find_source(
    db: duckdb.DuckDBPyConnection, spec: SourceSpec, base: Path, columns: Sequence[str], optional: Sequence[str] = ()
) -> Source:
    """The files of `spec` with `columns`, and those of `optional` that every file has. Raises SourceError for files that
    cannot be read, and for columns that are missing."""
    files = find_files(base, spec.paths)
    problems: list[str] = []
    for number, path in enumerate(files):
        try:
            known = [row[0] for row in db.execute(f"DESCRIBE SELECT * FROM {reader(db, spec, path, number)}").fetchall()]
        except (duckdb.Error, OSError, ValueError, KeyError) as error:
            # The library's own message may quote a record, so only its kind is told.
            problems.append(f"{path}: cannot be read as a table ({type(error).__name__}); is it whole, and of the format named?")
            continue
        problems += [_missing(path, column, known) for column in columns if column not in known]
        optional = [column for column in optional if column in known]
    if problems:
        raise SourceError(problems)
    return Source(spec, tuple(files), (*columns, *optional))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A library that stops at a file is told as SourceError, without its own words: they may quote a record."""
    try:
        yield
    except duckdb.Error as error:
        raise SourceError([f"{path}: reading stopped ({type(error).__name__}); is the file whole?"]) from None


def rows_of(db: duckdb.DuckDBPyConnection, source: Source, number: int) -> str:
    """SQL: the rows of one file as (file_no, row_no, columns as text)."""
    texts = "".join(f", CAST({quote(column)} AS VARCHAR) AS {quote(column)}" for column in source.columns)
    path = source.files[number]
    if _format_of(path, source.spec.format) == "parquet":  # which knows its row numbers, so that many threads can read it
        found, row = f"read_parquet({literal(str(path))}, file_row_number=true)", "file_row_number + 1"
    else:
        found, row = reader(db, source.spec, path, number), "row_number() OVER ()"
    return f"SELECT CAST({number} AS INTEGER) AS file_no, CAST({row} AS INTEGER) AS row_no{texts} FROM {found}"


def malformed_lines(db: duckdb.DuckDBPyConnection, source: Source, number: int) -> list[Malformed]:
    """The lines that the last reading of a file left out because they do not fit its columns."""
    if _format_of(source.files[number], source.spec.format) != "csv":
        return []
    found = db.execute(
        "SELECT DISTINCT line, error_type FROM reject_errors WHERE scan_id = (SELECT max(scan_id) FROM reject_errors) ORDER BY line"
    ).fetchall()
    db.execute("DELETE FROM reject_errors")
    return [Malformed(source.files[number].name, int(line), str(kind).lower()) for line, kind in found]


def open_source(
    db: duckdb.DuckDBPyConnection, spec: SourceSpec, base: Path, columns: Sequence[str], table: str, optional: Sequence[str] = ()
) -> Opened:
    """Create `table` from all files of `spec`: `columns`, and those of `optional` that every file has. Raises SourceError."""
    source = find_source(db, spec, base, columns, optional)
    malformed: list[Malformed] = []
    for number, path in enumerate(source.files):
        with reading(path):
            rows = rows_of(db, source, number)
            db.execute(f"CREATE TABLE {table} AS {rows}" if number == 0 else f"INSERT INTO {table} {rows}")
            malformed += malformed_lines(db, source, number)
    return Opened(source.names, one_number(db, f"SELECT count(*) FROM {table}"), tuple(malformed), source.columns)


def _missing(path: Path, column: str, known: list[str]) -> str:
    """The file's own names are not listed: where the line of names is missing or broken, they are the first record."""
    plain = {re.sub(r"[\W_]", "", name).lower(): name for name in known}
    close = get_close_matches(re.sub(r"[\W_]", "", column).lower(), list(plain), n=1, cutoff=0.85)
    if close:
        return f"{path}: has no column '{column}'; did you mean '{plain[close[0]]}'?"
    names = f"its first line must hold the names of its {len(known)} columns; compare them with the agency file"
    return f"{path}: has no column '{column}'; {names}"


def reader(db: duckdb.DuckDBPyConnection, spec: SourceSpec, path: Path, number: int) -> str:
    """SQL that reads one file. Raises ValueError for an unknown format."""
    kind = _format_of(path, spec.format)
    if kind == "csv":
        return (
            f"read_csv({literal(str(path))}, header=true, all_varchar=true, auto_detect=true, delim={literal(spec.delimiter)}, "
            f"quote='\"', escape='\"', encoding={literal(spec.encoding)}, store_rejects=true, null_padding=false)"
        )
    if kind == "parquet":
        return f"read_parquet({literal(str(path))})"
    if kind == "excel":
        name = f"excel_{number}"
        db.register(name, _excel(path, spec.sheet))
        return name
    raise ValueError("format")


def _excel(path: Path, sheet: str | None) -> pa.Table:
    """The sheet (the first when none is named) as text columns; whole numbers without '.0'."""
    book = load_workbook(path, read_only=True, data_only=True)
    try:
        rows = (book[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True)
        header = [str(cell).strip() if cell is not None else "" for cell in next(rows)]
        columns: list[list[str | None]] = [[] for _ in header]
        for row in rows:
            if all(cell is None for cell in row):
                continue
            for i, column in enumerate(columns):
                cell = row[i] if i < len(row) else None
                column.append(None if cell is None else str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell))
    finally:
        book.close()
    keep = {name: column for name, column in zip(header, columns, strict=True) if name}
    return pa.table({name: pa.array(column, pa.string()) for name, column in keep.items()})
