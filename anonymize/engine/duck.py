"""Counting in DuckDB on one machine, streaming: what does not fit the memory goes to the private
folder until the build ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from anonymize.engine.sources import (
    Part,
    Ready,
    Source,
    literal,
    make_ready,
    one_number,
    quote,
    reading,
    rows_expected,
    rows_of,
)
from anonymize.errors import SourceError

MAX_MEMORY = "2500MB"
MAX_SORTED = 50_000_000
"""Numbers that are sorted at once: 400 MB."""
PLACE = "file_no * CAST(4294967296 AS BIGINT) + row_no"
"""SQL: where a row stands among all rows."""


@contextmanager
def database(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; what does not fit, and copies of exports, go to the folder `spill`,
    which whoever made it removes."""
    with duckdb.connect(config={"memory_limit": MAX_MEMORY, "temp_directory": str(spill)}) as db:
        db.execute("SET TimeZone = 'UTC'")
        yield db


def stage_parts(
    db: duckdb.DuckDBPyConnection, source: Source, ready: Mapping[int, Ready], select: str
) -> None:
    """Add the rows of parts, by their numbers, to the table `staged`. Small parts are read by one
    query: to plan it takes seconds, which a workbook of monthly sheets would else wait twelve
    times.

    Raises SourceError, also where fewer or more rows are staged than were counted.
    """
    for numbers in _together(ready):
        try:
            _insert(db, source, {number: ready[number] for number in numbers}, select)
        except SourceError:
            if len(numbers) == 1:
                raise
            for number in numbers:  # each by itself says which file it is
                _insert(db, source, {number: ready[number]}, select)


SMALL, MAX_TOGETHER = 50_000, 500_000
"""Records of a part that is read together with others, and of all that are read by one query."""


def _together(ready: Mapping[int, Ready]) -> list[list[int]]:
    """Numbers of parts, those in a group that one query reads."""
    groups: list[list[int]] = []
    room = -1
    for number, part in ready.items():
        if part.records <= min(SMALL, room):
            groups[-1].append(number)
            room -= part.records
        else:
            groups.append([number])
            room = MAX_TOGETHER - part.records if part.records <= SMALL else -1
    return groups


def _insert(
    db: duckdb.DuckDBPyConnection, source: Source, ready: Mapping[int, Ready], select: str
) -> None:
    """Rows of parts by one query. Of several parts all are inserted, or none where it fails."""
    rows = " UNION ALL ".join(rows_of(source, number, part) for number, part in ready.items())
    first = source.parts[min(ready)].path
    with reading(first), _all_or_nothing(db) if len(ready) > 1 else nullcontext():
        query = f"WITH raw AS ({rows}) {select}"
        there = db.execute("FROM duckdb_tables() WHERE table_name = 'staged'").fetchall()
        before = one_number(db, "SELECT count(*) FROM staged") if there else 0
        db.execute(f"INSERT INTO staged {query}" if there else f"CREATE TABLE staged AS {query}")
        after = one_number(db, "SELECT count(*) FROM staged")
        staged = {min(ready): after - before}
        if len(ready) > 1:  # what one file has too few may not be made good by another
            staged = dict(
                db.execute(
                    "SELECT file_no, count(*) FROM staged WHERE file_no BETWEEN"
                    f" {min(ready)} AND {max(ready)} GROUP BY file_no"
                ).fetchall()
            )
        for number, part in ready.items():
            expected = rows_expected(db, source, number, part)
            if staged.get(number, 0) != expected:
                raise SourceError(
                    [
                        f"{source.parts[number].path}: {staged.get(number, 0):,} records were read"
                        f" where {expected:,} were counted; please report this"
                    ]
                )
    for number, part in ready.items():
        _insert_malformed(db, number, part)


@contextmanager
def _all_or_nothing(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    db.execute("BEGIN")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _insert_malformed(db: duckdb.DuckDBPyConnection, number: int, ready: Ready) -> None:
    if not ready.malformed:
        return
    rows = pa.table(
        {
            "file_no": pa.array([number] * len(ready.malformed), pa.int32()),
            "row_no": pa.array([bad.line for bad in ready.malformed], pa.int32()),
            "reason": [f"malformed ({bad.kind})" for bad in ready.malformed],
        }
    )
    db.register("malformed_lines", rows)
    db.execute("INSERT INTO staged BY NAME SELECT * FROM malformed_lines")
    db.unregister("malformed_lines")


def look_at_part(
    db: duckdb.DuckDBPyConnection, source: Source, number: int, ready: Ready, queries: Sequence[str]
) -> list[pd.DataFrame]:
    """The answer to each of `queries` over the rows of one part, `raw`: those that the agency file
    keeps."""
    with reading(source.parts[number].path):
        rows = f"SELECT * FROM ({rows_of(source, number, ready)}) WHERE {source.kept}"
        return [db.execute(f"WITH raw AS ({rows}) {query}").df() for query in queries]


def _numbers_given_twice(db: duckdb.DuckDBPyConnection, query: str) -> npt.NDArray[np.uint64]:
    """The numbers that a query of one column of UBIGINT gives more than once, each once.

    Sorting 8 bytes a row is a tenth of the work of grouping by the ids themselves, of which nearly
    every one is a group of its own.
    """
    rows = one_number(db, f"SELECT count(*) FROM ({query})")
    found = []
    parts = -(-rows // MAX_SORTED)
    for part in range(parts):
        mine = (
            query
            if parts == 1
            else f"SELECT number FROM ({query}) AS numbers(number) WHERE number % {parts} = {part}"
        )
        numbers = np.concatenate(
            [batch.column(0).to_numpy() for batch in db.sql(mine).to_arrow_reader(1_000_000)]
        )
        numbers.sort()
        found.append(np.unique(numbers[1:][numbers[1:] == numbers[:-1]]))
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def hashes_of_part(source: Source, number: int, ready: Ready) -> str:
    """SQL: a hash of all columns of each record that a part has."""
    every = ", ".join(f"c{i}" for i in range(len(ready.names)))
    return (
        f"SELECT CAST(hash(row({every})) % 9223372036854775807 AS BIGINT) AS record FROM"
        f" ({rows_of(source, number, ready, every_column=True)})"
    )


def lend_table(db: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """A small table. Dictionary columns become enumerations, which rows hold as small numbers."""
    db.register("lent", table)
    listed = []
    for column in table.schema:
        shown = quote(column.name)
        if pa.types.is_dictionary(column.type):
            values = table.column(column.name).combine_chunks().dictionary.to_pylist()
            shown = f"CAST({shown} AS ENUM({', '.join(map(literal, values))})) AS {shown}"
        listed.append(shown)
    db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {', '.join(listed)} FROM lent")
    db.unregister("lent")


@dataclass
class Duck:
    """The engine of one machine."""

    db: duckdb.DuckDBPyConnection
    ready: dict[Part, Ready] = field(default_factory=dict)
    """Parts that have been looked through already."""

    def _ready(self, source: Source, number: int) -> Ready:
        part = source.parts[number]
        if part not in self.ready:
            self.ready[part] = make_ready(self.db, source, number)
        return self.ready[part]

    def look(self, source: Source, queries: Sequence[str]) -> list[list[pd.DataFrame]]:
        return [
            look_at_part(self.db, source, number, self._ready(source, number), queries)
            for number in range(len(source.parts))
        ]

    def stage(self, source: Source, select: str, lent: Mapping[str, pa.Table]) -> None:
        for name, table in lent.items():
            lend_table(self.db, name, table)
        ready = {number: self._ready(source, number) for number in range(len(source.parts))}
        stage_parts(self.db, source, ready, select)

    def identical_rows(self, source: Source) -> int:
        each = " UNION ALL ".join(
            hashes_of_part(source, number, self._ready(source, number))
            for number in range(len(source.parts))
        )
        return one_number(self.db, f"SELECT count(*) - count(DISTINCT record) FROM ({each})")

    def find_repeats(self, kept: str) -> int:
        usable = "FROM staged WHERE reason IS NULL"
        suspects = pa.table(
            {"suspect": _numbers_given_twice(self.db, f"SELECT hash(call_id) {usable}")}
        )
        self.db.register("suspects", suspects)
        self.make(
            "repeats",
            f"SELECT call_id, {kept} AS kept {usable} AND hash(call_id) IN (FROM suspects) GROUP BY"
            " call_id HAVING count(*) > 1",
        )
        self.db.unregister("suspects")
        return one_number(self.db, "SELECT count(*) FROM repeats")

    def mark_repeats(self, reason: str) -> None:
        self.db.execute(
            f"UPDATE staged SET reason = {literal(reason)} FROM repeats WHERE repeats.call_id ="
            f" staged.call_id AND reason IS NULL AND {PLACE} <> kept"
        )

    def ask(self, query: str) -> pd.DataFrame:
        return self.db.execute(query).df()

    def make(self, name: str, query: str) -> None:
        self.db.execute(f"CREATE TABLE {name}_next AS {query}")
        self.db.execute(f"DROP TABLE IF EXISTS {name}")
        self.db.execute(f"ALTER TABLE {name}_next RENAME TO {name}")

    def view(self, name: str, query: str) -> None:
        self.db.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def lend(self, name: str, frame: pd.DataFrame, like: Mapping[str, str]) -> None:
        self.db.register("lent", frame)
        kinds = {row[0]: row[1] for row in self.db.execute("DESCRIBE calls").fetchall()}
        # Codes of the calls' own type are compared as the small numbers they are, not as texts.
        listed = ", ".join(
            f"CAST({c} AS {kinds[like[c]]}) AS {c}" if c in like else str(c) for c in frame.columns
        )
        self.db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {listed} FROM lent")
        self.db.unregister("lent")

    def bring(self, name: str, query: str) -> None:
        self.make(name, query)
