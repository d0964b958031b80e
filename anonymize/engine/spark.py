"""Counting on Apache Spark: every file of the export is one task, read with the same DuckDB queries
as on one machine.

A task holds one file's canonical rows and no more. Repeats are found and cells counted by Spark's
own SQL. A worker that dies takes nothing along: its files are read again elsewhere, and give the
same rows.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from anonymize.agency.schema import SparkSpec
from anonymize.engine.duck import (
    PLACE,
    database,
    hashes_of_part,
    lend_table,
    look_at_part,
    stage_parts,
)
from anonymize.engine.sources import FILE, ROW, Source, make_ready, quote
from anonymize.errors import SourceError

_KINDS = {
    "TINYINT": "INT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "BIGINT",
}
"""DuckDB's type -> Spark's; all else (codes, keys, reasons) travels as text, and times as
microseconds."""
BATCH = 100_000
Batches = Iterator[pa.RecordBatch]


@contextmanager
def open_spark(db: duckdb.DuckDBPyConnection, spec: SparkSpec, spill: Path) -> Iterator[Spark]:
    """A Spark session of this build alone. Raises SourceError where PySpark or Java is missing."""
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise SourceError(
            [
                "engine = \"spark\" needs PySpark and Java 17: run 'make spark', or take the line"
                " out to count with DuckDB"
            ]
        ) from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.driver.host": (
            "127.0.0.1" if spec.master.startswith(("local", "spark://127.")) else None
        ),
        "spark.local.dir": str(spill.resolve()),
        "spark.sql.adaptive.enabled": "true",
        "spark.log.level": "ERROR",
    }
    builder: Any = SparkSession.builder.appName("anonymize").master(spec.master)
    for name, value in settings.items():
        builder = builder.config(name, value) if value else builder
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise SourceError(
            [
                f"Spark at {spec.master} does not start ({type(error).__name__}); is Java 17 there,"
                " and the cluster up?"
            ]
        ) from None
    try:
        yield Spark(db, session)
    except (PySparkException, Py4JError) as error:
        # Spark's own message may quote a record, so only its kind is shown.
        raise SourceError(
            [
                f"Spark at {spec.master} stopped counting ({type(error).__name__}); see the logs of"
                " its workers"
            ]
        ) from None
    finally:
        session.stop()


@dataclass
class Spark:
    """The engine for many machines. Tables are temporary views of its session."""

    db: duckdb.DuckDBPyConnection
    session: Any
    held: dict[str, Any] = field(default_factory=dict)

    def look(self, source: Source, queries: Sequence[str]) -> list[list[pd.DataFrame]]:
        def work(db: duckdb.DuckDBPyConnection, number: int) -> Batches:
            frames = look_at_part(db, source, number, make_ready(db, source, number), queries)
            texts = [
                json.dumps(
                    [
                        list(frame.columns),
                        frame.astype(object).where(frame.notna(), None).values.tolist(),
                    ]
                )
                for frame in frames
            ]
            count = len(texts)
            yield pa.record_batch(
                {
                    "part": pa.array([number] * count, pa.int64()),
                    "place": pa.array(range(count), pa.int64()),
                    "texts": pa.array(texts, pa.string()),
                    "problem": pa.nulls(count, pa.string()),
                }
            )

        rows = self._each_part(
            source, work, "part BIGINT, place BIGINT, texts STRING, problem STRING"
        ).collect()
        _refuse([row.problem for row in rows if row.problem])
        answers = {(row.part, row.place): json.loads(row.texts) for row in rows}
        found = []
        for number in range(len(source.parts)):
            listed = [answers[number, place] for place in range(len(queries))]
            found.append(
                [pd.DataFrame(values, columns=columns, dtype=object) for columns, values in listed]
            )
        return found

    def stage(self, source: Source, select: str, lent: Mapping[str, pa.Table]) -> None:
        for name, table in lent.items():
            lend_table(self.db, name, table)
        texts = "".join(f", CAST(NULL AS VARCHAR) AS {quote(column)}" for column in source.columns)
        raw = f"SELECT CAST(0 AS INTEGER) AS {FILE}, CAST(0 AS INTEGER) AS {ROW}{texts}"
        described = self.db.execute(f"DESCRIBE WITH raw AS ({raw}) {select}").fetchall()
        kinds = {str(row[0]): _KINDS.get(str(row[1]), "STRING") for row in described}

        def read(db: duckdb.DuckDBPyConnection, number: int) -> Batches:
            for name, table in lent.items():
                lend_table(db, name, table)
            stage_parts(db, source, {number: make_ready(db, source, number)}, select)
            listed = ", ".join(
                _as_spark(name, str(row[1])) for name, row in zip(kinds, described, strict=True)
            )
            yield from db.sql(
                f"SELECT {listed}, CAST(NULL AS VARCHAR) AS problem FROM staged"
            ).to_arrow_reader(BATCH)

        schema = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        self._hold("read", self._each_part(source, read, f"{schema}, problem STRING"))
        problems = self.session.sql("SELECT problem FROM read WHERE problem IS NOT NULL").collect()
        _refuse([row.problem for row in problems])
        self.view("staged", f"SELECT {', '.join(kinds)} FROM read")

    def _each_part(
        self, source: Source, work: Callable[[duckdb.DuckDBPyConnection, int], Batches], schema: str
    ) -> Any:
        """A table of what `work` returns for each part of the export, one task each. The column
        `problem` says why a part cannot be read."""
        names = [part.split()[0] for part in schema.split(", ")]

        def run(batches: Batches) -> Batches:
            for number in (n for batch in batches for n in batch.column("id").to_pylist()):
                with (
                    tempfile.TemporaryDirectory(prefix="calls-") as spill,
                    database(Path(spill)) as db,
                ):
                    try:
                        yield from work(db, number)
                    except SourceError as error:
                        row = {name: pa.nulls(1) for name in names} | {
                            "problem": pa.array([str(error)])
                        }
                        types = {f.name: f.type for f in _arrow_schema(schema)}
                        yield pa.record_batch(
                            {name: array.cast(types[name]) for name, array in row.items()}
                        )

        parts = len(source.parts)
        return self.session.range(0, parts, 1, parts).mapInArrow(run, schema)

    def identical_rows(self, source: Source) -> int:
        def work(db: duckdb.DuckDBPyConnection, number: int) -> Batches:
            hashes = hashes_of_part(source, number, make_ready(db, source, number))
            yield from db.sql(
                f"SELECT *, CAST(NULL AS VARCHAR) AS problem FROM ({hashes})"
            ).to_arrow_reader(BATCH)

        self._each_part(source, work, "record BIGINT, problem STRING").createOrReplaceTempView(
            "hashes"
        )
        return int(self.ask("SELECT count(*) - count(DISTINCT record) AS n FROM hashes")["n"][0])

    def find_repeats(self, kept: str) -> int:
        self.make(
            "repeats",
            f"SELECT call_id, {kept} AS kept FROM staged WHERE reason IS NULL GROUP BY call_id"
            " HAVING count(*) > 1",
        )
        return int(self.ask("SELECT count(*) AS n FROM repeats")["n"][0])

    def mark_repeats(self, reason: str) -> None:
        columns = ", ".join(f"s.{c}" for c in self.session.table("staged").columns if c != "reason")
        self.make(
            "staged",
            f"SELECT {columns}, CASE WHEN s.reason IS NULL AND s.{PLACE} <> r.kept THEN '{reason}'"
            " ELSE s.reason END AS reason FROM staged AS s LEFT JOIN repeats AS r ON r.call_id ="
            " s.call_id",
        )

    def ask(self, query: str) -> pd.DataFrame:
        found: pd.DataFrame = self.session.sql(query).toArrow().to_pandas()
        return found

    def make(self, name: str, query: str) -> None:
        self._hold(name, self.session.sql(query))

    def view(self, name: str, query: str) -> None:
        self.session.sql(query).createOrReplaceTempView(name)

    def lend(self, name: str, frame: pd.DataFrame, like: Mapping[str, str]) -> None:
        self.session.createDataFrame(
            pa.Table.from_pandas(frame, preserve_index=False)
        ).createOrReplaceTempView(name)

    def bring(self, name: str, query: str) -> None:
        self.db.register("lent", self.session.sql(query).toArrow())
        self.db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM lent")
        self.db.unregister("lent")

    def _hold(self, name: str, frame: Any) -> None:
        """Keep a table's rows on the workers' disks; should one be lost, Spark makes its rows
        again."""
        from pyspark import StorageLevel

        frame = frame.persist(StorageLevel.DISK_ONLY)
        frame.count()
        frame.createOrReplaceTempView(name)
        if before := self.held.pop(name, None):
            before.unpersist()
        self.held[name] = frame


def _as_spark(name: str, kind: str) -> str:
    if kind == "TIMESTAMP":
        return f"epoch_us({name}) AS {name}"
    return f"CAST({name} AS {kind if kind in _KINDS else 'VARCHAR'}) AS {name}"


def _arrow_schema(schema: str) -> pa.Schema:
    kinds = {
        "INT": pa.int32(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "STRING": pa.string(),
    }
    return pa.schema([(part.split()[0], kinds[part.split()[1]]) for part in schema.split(", ")])


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise SourceError(sorted(set(problems)))
