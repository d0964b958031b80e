"""The engines that count calls: DuckDB on one machine (`duck.py`), or Apache Spark on many
(`spark.py`).

Both read a file with the same DuckDB queries, so that a value means the same in either; they
differ in how they carry and group the records. Queries given to an engine keep to what both
understand: SELECT, JOIN, GROUP BY ALL, FILTER (WHERE ...), windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd
import pyarrow as pa

from anonymize.agency.schema import AgencyFile
from anonymize.engine.duck import PLACE, Duck, database
from anonymize.engine.sources import Source
from anonymize.private_files import sweep, working_folder

SPILL = "spill"
"""Rows that do not fit the memory go to a working folder of this name, one for each run."""


class Engine(Protocol):
    """Holds the calls as tables and answers queries.

    `db`: a small database for the other inputs and for what is counted.
    """

    db: duckdb.DuckDBPyConnection

    def look(self, source: Source, queries: Sequence[str]) -> list[list[pd.DataFrame]]:
        """For each part of the export the answer to each of `queries` (DuckDB) over the rows of it
        that are kept, `raw` (FILE, ROW, columns as text). Raises SourceError."""

    def stage(self, source: Source, select: str, lent: Mapping[str, pa.Table]) -> None:
        """Make the table `staged`: the query `select` (DuckDB) over the rows of each file, `raw`
        (FILE, ROW, columns as text), and the `lent` tables. Lines that do not fit the columns
        become rows with only their place and reason. Raises SourceError."""

    def identical_rows(self, source: Source) -> int:
        """Count records that repeat another one in every column of the export, over all its
        parts."""

    def find_repeats(self, kept: str) -> int:
        """The table `repeats` (call_id, kept): calls on several usable rows of `staged`, with the
        aggregate `kept` (SQL) over these rows. Returns how many there are."""

    def mark_repeats(self, reason: str) -> None:
        """Reject the usable rows of `staged` that share their call_id with one in the table
        `repeats` (call_id, kept) and are not that one."""

    def ask(self, query: str) -> pd.DataFrame:
        """The answer to a query, small enough to hold."""

    def make(self, name: str, query: str) -> None:
        """Make a table from a query, which may read the table that it replaces."""

    def view(self, name: str, query: str) -> None:
        """Give a query a name."""

    def lend(self, name: str, frame: pd.DataFrame, like: Mapping[str, str]) -> None:
        """Add a small table for queries. `like`: its column -> the column of `calls` whose codes
        it holds."""

    def bring(self, name: str, query: str) -> None:
        """Make the table `name` of `db` from a query: counts, few compared with the records."""


@contextmanager
def open_engine(file: AgencyFile, private: Path) -> Iterator[Engine]:
    """The engine that the agency file names. Whatever it spills stays in the private folder, and
    is removed at the end. Raises SourceError without Spark."""
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep(private, SPILL)
    with working_folder(private, SPILL) as spill, database(spill) as db:
        if file.engine == "duckdb":
            yield Duck(db)
        else:
            from anonymize.engine.spark import open_spark

            with open_spark(db, file.spark, spill) as engine:
                yield engine


__all__ = ["PLACE", "Duck", "Engine", "open_engine"]
