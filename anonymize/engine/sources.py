"""Exports as tables of text in DuckDB: the named columns only, each row with its file and its line.

A file is looked at before it is read (`anonymize.read`), so that DuckDB never has to guess; and its
records are counted a second time by other code than DuckDB. Where the two counts differ, the run
stops.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from anonymize.agency.schema import SourceSpec
from anonymize.errors import SourceError
from anonymize.read import delimited, workbook
from anonymize.read.archive import unpack
from anonymize.read.delimited import FAULTS, Dialect, is_compressed
from anonymize.read.json_table import read_json
from anonymize.read.sql import literal, quote

Format = Literal["csv", "parquet", "excel", "json"]
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".txt": "csv",
    ".txt.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".json": "json",
    ".geojson": "json",
}

FILE, ROW = '":file"', '":row"'
"""SQL: the columns that say where a row of an export stands: number of its part, place in it. No
export has columns of such names."""
MAX_TITLE_ROWS = 30
"""How far down the columns' names are looked for, to suggest `header_row`."""
NOT_READ = {".xlsb": "binary workbooks", ".numbers": "Numbers sheets"}
"""Endings of files that no reader is for, and what they are."""
MALFORMED = tuple(FAULTS)
"""Why a line is no record."""


@dataclass(frozen=True)
class Malformed:
    """A line that is no record of its table. `kind` is one of MALFORMED."""

    file: str
    line: int
    kind: str


@dataclass(frozen=True)
class Part:
    """One table of an export: a file, or a sheet of a workbook."""

    path: Path
    kind: Format
    sheet: str | None = None
    table: workbook.SheetTable | None = None
    """A sheet that has been read: a workbook is parsed once."""

    @property
    def name(self) -> str:
        return f"{self.path.name}, sheet '{self.sheet}'" if self.sheet else self.path.name

    @property
    def unit(self) -> str:
        """What a place in the table is called."""
        return {"csv": "line", "excel": "row"}.get(self.kind, "record")


@dataclass(frozen=True)
class Source:
    """An export, looked at but not read: its parts, the columns wanted of each, and the sheets that
    are left out.

    `kept`: SQL of the rows that are looked at (all are read, and counted); `count`: the column that
    says how many calls a row stands for.
    """

    spec: SourceSpec
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    sheets_left_out: tuple[str, ...] = ()
    kept: str = "true"
    count: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts)


@dataclass(frozen=True)
class Ready:
    """A part that DuckDB can read. `relation`: SQL of a table with a column for each of `names` (as
    `c0`, `c1`, ...) and, where `line` is a column too, the place of each row; else rows follow each
    other from the place after `skip`. `records`: the second count.
    """

    relation: str
    names: tuple[str, ...]
    line: str | None
    skip: int
    records: int
    malformed: tuple[Malformed, ...]


@dataclass(frozen=True)
class Opened:
    """A table in the connection: FILE, ROW (place in the file), then `columns` as text."""

    files: tuple[str, ...]
    rows: int
    malformed: tuple[Malformed, ...]
    columns: tuple[str, ...]
    unit: str = "line"
    """What a place in the files is called."""


def one_number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single whole number that `query` gives."""
    return int(db.execute(query).fetchall()[0][0])


def find_files(base: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of all patterns, each once, in the order named. Raises SourceError for what is
    missing."""
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


def private_folder(db: duckdb.DuckDBPyConnection) -> Path:
    """Where the connection may write what it must not lose: the folder into which it spills."""
    ((folder,),) = db.execute("SELECT current_setting('temp_directory')").fetchall()
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _new_file(folder: Path, ending: str) -> Path:
    return folder / f"{uuid4().hex}.{ending}"


def find_source(
    spec: SourceSpec,
    base: Path,
    columns: Sequence[str],
    optional: Sequence[str] = (),
    *,
    folder: Path,
) -> Source:
    """The parts of `spec` with `columns`, and those of `optional` that every part has. Sheets of
    workbooks are read into `folder`.

    Raises SourceError for files that cannot be read, and for columns that are missing or stand
    twice.
    """
    problems: list[str] = []
    parts: list[Part] = []
    left_out: list[str] = []
    for path in find_files(base, spec.paths):
        try:
            for file in (
                unpack(path, spec.member, tuple(ENDINGS), folder)
                if path.suffix.lower() == ".zip"
                else [path]
            ):
                mine, others = _parts_of(file, spec, folder)
                parts += mine
                left_out += others
        except SourceError as error:
            problems += error.problems
    for part in parts:
        try:
            known = _as_asked(names_of(part, spec), spec)
            problems += [
                problem for column in columns if (problem := _missing(part, spec, column, known))
            ]
            twice = [column for column in (*columns, *optional) if known.count(column) > 1]
            problems += [
                f"{part.path}: the column '{column}' stands twice; rename one of the two"
                for column in twice
            ]
            folded = [name.lower() for name in known]
            alike = [
                column
                for column in (*columns, *optional)
                if known.count(column) == 1 and folded.count(column.lower()) > 1
            ]
            if len({column.lower() for column in alike}) < len(alike):
                problems.append(
                    f"{part.path}: the columns '{alike[0]}' and '{alike[1]}' differ in case alone;"
                    " rename one of the two"
                )
            optional = [column for column in optional if column in known]
        except SourceError as error:
            problems += error.problems
        except OSError as error:
            problems.append(
                f"{part.path}: cannot be read ({error.strerror or type(error).__name__}); check the"
                " path and who may read it"
            )
    if problems:
        raise SourceError(list(dict.fromkeys(problems)))
    return Source(spec, tuple(parts), (*columns, *optional), tuple(left_out))


def _parts_of(path: Path, spec: SourceSpec, folder: Path) -> tuple[list[Part], list[str]]:
    """The tables of a file that are read, and the names of those that are not. Raises
    SourceError."""
    name = path.name.lower()
    kind = spec.format or next(
        (kind for ending, kind in ENDINGS.items() if name.endswith(ending)), None
    )
    if kind is None and path.suffix.lower() in NOT_READ:
        raise SourceError(
            [
                f"{path}: {NOT_READ[path.suffix.lower()]} ({path.suffix}) are not read; save it as"
                " a workbook (.xlsx) or as CSV (UTF-8), and name that file"
            ]
        )
    if kind is None:
        raise SourceError(
            [
                f'{path}: cannot tell the format from the file\'s name; write format = "csv",'
                ' "parquet", "excel" or "json"'
            ]
        )
    if kind == "json":
        return [Part(path, kind, table=read_json(path, _new_file(folder, "parquet")))], []
    if kind != "excel":
        return [Part(path, kind)], []
    sheets = workbook.sheet_names(path, folder)
    if not sheets:
        raise SourceError(
            [
                f"{path}: holds no sheet; is it whole? Open it in a spreadsheet program, and save"
                " it again"
            ]
        )
    if spec.sheet == ("*",):
        wanted = sheets
    else:
        wanted = list(spec.sheet) or sheets[:1]
        if missing := [sheet for sheet in wanted if sheet not in sheets]:
            raise SourceError(
                [
                    f"{path}: has no sheet '{missing[0]}'; its sheets are: {', '.join(sheets)};"
                    f' write one of them, such as sheet = "{sheets[0]}"'
                ]
            )
    workbook.parse(path, wanted, folder)
    read = [
        Part(
            path,
            kind,
            sheet,
            workbook.read_sheet(path, sheet, spec.header_row, _new_file(folder, "parquet")),
        )
        for sheet in wanted
    ]
    return read, [Part(path, kind, sheet).name for sheet in sheets if sheet not in wanted]


def _as_asked(names: Sequence[str], spec: SourceSpec) -> list[str]:
    """The names of a file's columns, those that other files call differently as the agency file
    calls them."""
    asked = list(names)
    for column, others in spec.other_names.items():
        if column not in asked and (there := [other for other in others if other in asked]):
            asked[asked.index(there[0])] = column
    return asked


def dialect_of(spec: SourceSpec, path: Path) -> Dialect:
    delimiter = (
        "\t"
        if path.name.lower().endswith((".tsv", ".tsv.gz"))
        and "delimiter" not in spec.model_fields_set
        else spec.delimiter
    )
    return Dialect(delimiter, spec.quote, spec.escape or spec.quote, spec.encoding, spec.header_row)


def names_of(part: Part, spec: SourceSpec) -> list[str]:
    """The names of a part's columns. Raises SourceError."""
    if part.kind == "csv":
        return list(delimited.read_header(part.path, dialect_of(spec, part.path)).names)
    if part.kind == "parquet":
        with reading(part.path):
            return list(pq.read_schema(part.path).names)
    assert part.table is not None, "sheets are read when they are found"
    return list(part.table.names)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an error of a library that stops at a file into a SourceError, without its own words,
    which may quote a record."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, UnicodeError) as error:
        if isinstance(error, duckdb.OutOfMemoryException):
            raise
        raise SourceError(
            [
                f"{path}: reading stopped ({type(error).__name__}); is the file whole, and of the"
                " format named?"
            ]
        ) from None


def make_ready(db: duckdb.DuckDBPyConnection, source: Source, number: int) -> Ready:
    """Part `number` as DuckDB can read it, its records counted twice. Copies go to the connection's
    private folder.

    Raises SourceError for a file that cannot be read to its end, and where two counts of its
    records differ.
    """
    part = source.parts[number]
    with reading(part.path):
        if part.kind == "parquet":
            counted = pq.read_metadata(part.path).num_rows
            named = enumerate(names_of(part, source.spec))
            columns = ", ".join(f"{quote(name)} AS c{i}" for i, name in named)
            relation = f"(SELECT {columns}, file_row_number + 1 AS place "
            relation += f"FROM read_parquet({literal(str(part.path))}, file_row_number=true))"
            ready = Ready(relation, tuple(names_of(part, source.spec)), "place", 0, counted, ())
        elif part.kind in ("excel", "json"):
            table = part.table
            if (
                table is None or not table.path.exists()
            ):  # on another machine than the one that found it
                again = _new_file(private_folder(db), "parquet")
                table = (
                    read_json(part.path, again)
                    if part.kind == "json"
                    else workbook.read_sheet(
                        part.path, str(part.sheet), source.spec.header_row, again
                    )
                )
            relation = (
                f"(SELECT * RENAME ({quote(workbook.LINE)} AS place) FROM"
                f" read_parquet({literal(str(table.path))}))"
            )
            surplus = tuple(Malformed(part.name, row, "columns") for row in table.surplus)
            ready = Ready(relation, table.names, "place", 0, table.records, surplus)
        else:
            ready = _text_ready(db, source, number)
        read = (
            one_number(db, f"SELECT count(*) FROM {ready.relation}")
            if part.kind != "csv"
            else ready.records
        )
    if read != ready.records:
        raise SourceError(
            [
                f"{part.path}: two readings count its records differently ({read:,} and"
                f" {ready.records:,}); please report this"
            ]
        )
    return ready


def _text_ready(db: duckdb.DuckDBPyConnection, source: Source, number: int) -> Ready:
    part = source.parts[number]
    dialect = dialect_of(source.spec, part.path)
    header = delimited.read_header(part.path, dialect)
    names = header.names
    records = delimited.scan(part.path, dialect, header)
    if records is not None:
        relation = _read_csv(part.path, dialect, len(names), header.lines)
        try:
            read, refused = _count(db, relation)
        except duckdb.Error:
            read, refused = -1, 0
        if refused == 0 and read == records:
            return Ready(relation, names, None, header.lines, records, ())
    table = delimited.thorough_copy(
        part.path, dialect, header, _new_file(private_folder(db), "csv")
    )
    relation = _read_csv(table.path, dialect, len(names), 0, with_line=True)
    read, refused = _count(db, relation)
    if refused or read != table.records:
        raise SourceError(
            [
                f"{part.path}: two readings count its records differently ({read:,} and"
                f" {table.records:,}); save the table again as CSV (UTF-8), and please report this"
            ]
        )
    malformed = tuple(Malformed(part.name, bad.line, bad.fault) for bad in table.rejected)
    return Ready(relation, names, "place", 0, table.records, malformed)


def _count(db: duckdb.DuckDBPyConnection, relation: str) -> tuple[int, int]:
    """Records that DuckDB reads, and lines that it refuses."""
    read = one_number(db, f"SELECT count(*) FROM {relation}")
    refused = one_number(
        db,
        "SELECT count(*) FROM reject_errors WHERE scan_id = (SELECT max(scan_id) FROM"
        " reject_scans)",
    )
    db.execute("DELETE FROM reject_errors")
    db.execute("DELETE FROM reject_scans")
    return read, refused


def _read_csv(
    path: Path, dialect: Dialect, columns: int, skip: int, *, with_line: bool = False
) -> str:
    """SQL of a text file with everything about it said, so that DuckDB has nothing to guess."""
    listed = ", ".join(
        [
            *(["'place': 'INTEGER'"] if with_line else []),
            *(f"'c{i}': 'VARCHAR'" for i in range(columns)),
        ]
    )
    compressed = "gzip" if is_compressed(path) else "none"
    # The lines of a copy end with LF alone. Left to itself, DuckDB takes the first line end of the
    # file for that of all, also one within a quoted text.
    ends = r" new_line='\n'," if with_line else ""
    return (
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, skip={skip},"
        f" columns={{{listed}}}, delim={literal(dialect.delimiter)},"
        f" quote={literal(dialect.quote)}, escape={literal(dialect.escape)}, comment='',{ends}"
        f" nullstr='', encoding='utf-8', compression='{compressed}', strict_mode=true,"
        f" null_padding=false, store_rejects=true, max_line_size={4 * delimited.MAX_RECORD})"
    )


def rows_of(source: Source, number: int, ready: Ready, *, every_column: bool = False) -> str:
    """SQL: the rows of one part as (FILE, ROW, columns as text); with `every_column` all that the
    file has, as c0, c1, ..."""
    place = (
        f"CAST({ready.line} AS INTEGER)"
        if ready.line
        else f"CAST(row_number() OVER () + {ready.skip} AS INTEGER)"
    )
    if every_column:
        texts = "".join(f", CAST(c{i} AS VARCHAR) AS c{i}" for i in range(len(ready.names)))
    else:
        names = _as_asked(ready.names, source.spec)
        texts = "".join(
            f", CAST(c{names.index(column)} AS VARCHAR) AS {quote(column)}"
            for column in source.columns
        )
    rows = (
        f"SELECT CAST({number} AS INTEGER) AS {FILE}, {place} AS {ROW}{texts} FROM {ready.relation}"
    )
    if source.count is None or every_column:
        return rows
    return (
        f"SELECT * EXCLUDE {COPY} FROM (SELECT *, unnest(range({_rows_for(source.count)})) AS"
        f" {COPY} FROM ({rows}))"
    )


COPY = '":copy"'
MAX_COUNTED = 6
"""Digits of the largest number of calls that a row may stand for."""


def calls_counted(column: str) -> str:
    """SQL: how many calls a row stands for; NULL where that is no whole number. Commas part
    thousands: `1,234`, while `1,5` is none."""
    text = f"trim({quote(column)})"
    whole = f"([0-9]{{1,{MAX_COUNTED}}}|[0-9]{{1,3}},[0-9]{{3}})([.]0+)?"
    return (
        f"CASE WHEN regexp_full_match({text}, '{whole}') THEN CAST(CAST(replace({text}, ',', '') AS"
        " DOUBLE) AS BIGINT) END"
    )


def _rows_for(column: str) -> str:
    """SQL: the rows that are made of a row of counted calls; one where it stands for none or does
    not say, so that it is not lost."""
    return f"greatest(coalesce({calls_counted(column)}, 1), 1)"


def rows_expected(db: duckdb.DuckDBPyConnection, source: Source, number: int, ready: Ready) -> int:
    """The rows that `rows_of` must give: the records of the part, or of counted calls what they add
    up to."""
    if source.count is None:
        return ready.records
    column = f"c{_as_asked(ready.names, source.spec).index(source.count)}"
    ((records, rows),) = db.execute(
        f"SELECT count(*), CAST(sum({_rows_for('n')}) AS BIGINT) FROM (SELECT CAST({column} AS"
        f" VARCHAR) AS n FROM {ready.relation})"
    ).fetchall()
    if records != ready.records:
        raise SourceError(
            [
                f"{source.parts[number].path}: {records:,} records were read where"
                f" {ready.records:,} were counted; please report this"
            ]
        )
    return int(rows or 0)


def open_source(
    db: duckdb.DuckDBPyConnection,
    spec: SourceSpec,
    base: Path,
    columns: Sequence[str],
    table: str,
    optional: Sequence[str] = (),
) -> Opened:
    """Create `table` from all parts of `spec`: `columns`, and those of `optional` that every part
    has. Raises SourceError."""
    source = find_source(spec, base, columns, optional, folder=private_folder(db))
    malformed: list[Malformed] = []
    records = 0
    for number, part in enumerate(source.parts):
        ready = make_ready(db, source, number)
        with reading(part.path):
            rows = rows_of(source, number, ready)
            db.execute(
                f"CREATE OR REPLACE TABLE {table} AS {rows}"
                if number == 0
                else f"INSERT INTO {table} {rows}"
            )
        malformed += ready.malformed
        records += ready.records
    read = one_number(db, f"SELECT count(*) FROM {table}")
    if read != records:
        raise SourceError(
            [
                f"{', '.join(source.names)}: two readings count the records differently ({read:,}"
                f" and {records:,}); please report this"
            ]
        )
    return Opened(source.names, read, tuple(malformed), source.columns, source.parts[0].unit)


def _missing(part: Part, spec: SourceSpec, column: str, known: Sequence[str]) -> str | None:
    """The problem with a column that a part lacks. The file's own names are not listed: where the
    line of names is missing or broken, they are the first record."""
    if column in known:
        return None
    at = f"sheet '{part.sheet}': " if part.sheet else ""
    plain = {re.sub(r"[\W_]", "", name).lower(): name for name in known if name}
    close = get_close_matches(re.sub(r"[\W_]", "", column).lower(), list(plain), n=1, cutoff=0.85)
    if close:
        return f"{part.path}: {at}has no column '{column}'; did you mean '{plain[close[0]]}'?"
    if part.kind == "csv":
        dialect = dialect_of(spec, part.path)
        header = delimited.read_header(part.path, dialect)
        if other := delimited.other_delimiter(part.path, dialect, header, column):
            shown = "\\t" if other == "\t" else other
            return (
                f"{part.path}: the names in line {spec.header_row} are separated by '{shown}', not"
                f" by '{dialect.delimiter}'; write delimiter = \"{shown}\""
            )
    if part.kind in ("csv", "excel") and (row := _row_with(part, spec, column)):
        return (
            f"{part.path}: {at}the columns' names stand in {part.unit} {row}, not in {part.unit}"
            f" {spec.header_row}; write header_row = {row}"
        )
    if part.kind == "excel" and (sheet := _sheet_with(part, spec, column)):
        return (
            f"{part.path}: {at}has no column '{column}', but sheet '{sheet}' does; write sheet ="
            f' "{sheet}"'
        )
    line = (
        "its first line"
        if spec.header_row == 1 and part.kind == "csv"
        else f"{part.unit} {spec.header_row}"
    )
    names = (
        f"{line} must hold the names of its {len(known)} columns; compare them with the agency file"
    )
    return f"{part.path}: {at}has no column '{column}'; {names}"


def _row_with(part: Part, spec: SourceSpec, column: str) -> int | None:
    """The row among the first MAX_TITLE_ROWS that holds the name of a column."""
    if part.kind == "excel" and part.table is not None:
        return workbook.row_with(
            part.path, str(part.sheet), column, MAX_TITLE_ROWS, part.table.path.parent
        )
    for row in range(1, MAX_TITLE_ROWS + 1):
        with suppress(SourceError):
            if row != spec.header_row and column in _as_asked(
                names_of(part, spec.model_copy(update={"header_row": row})), spec
            ):
                return row
    return None


def _sheet_with(part: Part, spec: SourceSpec, column: str) -> str | None:
    """Another sheet of the workbook among whose first rows a column's name stands."""
    if part.table is None:
        return None
    folder = part.table.path.parent
    for sheet in workbook.sheet_names(part.path, folder):
        if sheet != part.sheet and workbook.row_with(
            part.path, sheet, column, MAX_TITLE_ROWS, folder
        ):
            return sheet
    return None


__all__ = [
    "MALFORMED",
    "Malformed",
    "Opened",
    "Part",
    "Ready",
    "Source",
    "find_files",
    "find_source",
    "literal",
    "make_ready",
    "names_of",
    "one_number",
    "open_source",
    "quote",
    "reading",
    "rows_of",
]
