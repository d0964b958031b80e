"""Counting in DuckDB on one machine, streaming: what does not fit the memory goes to the private folder until the build ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from anonymize.sources import MALFORMED, Source, literal, malformed_lines, quote, reading, rows_of

MOST_MEMORY = "2500MB"
PLACE = "file_no * CAST(4294967296 AS BIGINT) + row_no"
"""SQL: where a row stands among all rows."""


def database(private: Path) -> duckdb.DuckDBPyConnection:
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = duckdb.connect(config={"memory_limit": MOST_MEMORY, "temp_directory": str(private / "spill")})
    db.execute("SET TimeZone = 'UTC'")
    return db


def stage_file(db: duckdb.DuckDBPyConnection, source: Source, number: int, select: str) -> None:
    """Add the rows of one file to the table `staged`. Raises SourceError."""
    with reading(source.files[number]):
        query = f"WITH raw AS ({rows_of(db, source, number)}) {select}"
        there = db.execute("FROM duckdb_tables() WHERE table_name = 'staged'").fetchall()
        db.execute(f"INSERT INTO staged {query}" if there else f"CREATE TABLE staged AS {query}")
        for bad in malformed_lines(db, source, number):
            reason = f"malformed ({bad.kind if bad.kind in MALFORMED else 'other'})"
            db.execute("INSERT INTO staged BY NAME SELECT ? AS file_no, ? AS row_no, ? AS reason", [number, bad.line, reason])


def distinct_in_file(db: duckdb.DuckDBPyConnection, source: Source, number: int, groups: Sequence[Sequence[str]]) -> list[pd.DataFrame]:
    """Of each group of columns every combination of texts in one file, in one reading."""
    with reading(source.files[number]):
        rows = rows_of(db, source, number)
        lists = ", ".join(f"list(DISTINCT row({', '.join(quote(c) for c in group)})) AS g{i}" for i, group in enumerate(groups))
        (found,) = db.execute(f"SELECT {lists} FROM ({rows})").fetchall()
        malformed_lines(db, source, number)
    return [pd.DataFrame(list(values or []), columns=list(group), dtype=object) for values, group in zip(found, groups, strict=True)]


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

    def distinct(self, source: Source, groups: Sequence[Sequence[str]]) -> list[pd.DataFrame]:
        found = [distinct_in_file(self.db, source, number, groups) for number in range(len(source.files))]
        return [pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True) for frames in zip(*found, strict=True)]

    def stage(self, source: Source, select: str, lent: Mapping[str, pa.Table]) -> None:
        for name, table in lent.items():
            lend_table(self.db, name, table)
        for number in range(len(source.files)):
            stage_file(self.db, source, number, select)

    def mark_repeats(self, reason: str) -> None:
        self.db.execute(
            f"UPDATE staged SET reason = {literal(reason)} FROM repeats WHERE repeats.call_id = staged.call_id AND reason IS NULL AND {PLACE} <> kept"
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
        listed = ", ".join(f"CAST({c} AS {kinds[like[c]]}) AS {c}" if c in like else str(c) for c in frame.columns)
        self.db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {listed} FROM lent")
        self.db.unregister("lent")

    def bring(self, name: str, query: str) -> None:
        self.make(name, query)
