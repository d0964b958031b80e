"""Counting on Apache Spark: every file of the export is one task, read with the same DuckDB queries as on one machine.

A task holds one file's canonical rows and no more. Repeats are found and cells counted by Spark's own SQL. A worker that dies takes
nothing along: its files are read again elsewhere, and give the same rows.
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
from anonymize.engine.duck import PLACE, database, distinct_in_file, lend_table, stage_file
from anonymize.errors import SourceError
from anonymize.sources import Source, rows_of

_KINDS = {"INTEGER": "INT", "BIGINT": "BIGINT", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "BIGINT"}
"""DuckDB's type -> Spark's; all else (codes, keys, reasons) travels as text, and times as microseconds."""
BATCH = 100_000
Batches = Iterator[pa.RecordBatch]


@contextmanager
def open_spark(db: duckdb.DuckDBPyConnection, spec: SparkSpec, private: Path) -> Iterator[Spark]:
    """A Spark session of this build alone. Raises SourceError where PySpark or Java is missing."""
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise SourceError(
            ["engine = \"spark\" needs PySpark and Java 17: run 'make spark', or take the line out to count with DuckDB"]
        ) from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.session.timeZone": "UTC", "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.driver.host": "127.0.0.1" if spec.master.startswith(("local", "spark://127.")) else None, "spark.local.dir": str((private / "spill").resolve()),
        "spark.sql.adaptive.enabled": "true", "spark.log.level": "ERROR",
    }  # fmt: skip
    builder: Any = SparkSession.builder.appName("anonymize").master(spec.master)
    for name, value in settings.items():
        builder = builder.config(name, value) if value else builder
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise SourceError(
            [f"Spark at {spec.master} does not start ({type(error).__name__}); is Java 17 there, and the cluster up?"]
        ) from None
    try:
        yield Spark(db, session)
    except (PySparkException, Py4JError) as error:
        # Spark's own message may quote a record, so only its kind is told.
        raise SourceError([f"Spark at {spec.master} stopped counting ({type(error).__name__}); see the logs of its workers"]) from None
    finally:
        session.stop()


@dataclass
class Spark:
    """The engine of many machines. Tables are temporary views of its session."""

    db: duckdb.DuckDBPyConnection
    session: Any
    held: dict[str, Any] = field(default_factory=dict)

    def distinct(self, source: Source, groups: Sequence[Sequence[str]]) -> list[pd.DataFrame]:
        def look(db: duckdb.DuckDBPyConnection, number: int) -> Batches:
            found = distinct_in_file(db, source, number, groups)
            texts = [json.dumps(frame.astype(object).where(frame.notna(), None).values.tolist()) for frame in found]
            yield pa.record_batch(
                {"place": pa.array(range(len(texts)), pa.int64()), "texts": pa.array(texts), "problem": pa.nulls(len(texts), pa.string())}
            )

        rows = self._each_file(source, look, "place BIGINT, texts STRING, problem STRING").collect()
        _refuse(source, [(0, row.problem) for row in rows if row.problem])
        frames: list[pd.DataFrame] = []
        for place, group in enumerate(groups):
            listed = [values for row in rows if row.place == place for values in json.loads(row.texts)]
            frames.append(pd.DataFrame(listed, columns=list(group), dtype=object).drop_duplicates(ignore_index=True))
        return frames

    def stage(self, source: Source, select: str, lent: Mapping[str, pa.Table]) -> None:
        for name, table in lent.items():
            lend_table(self.db, name, table)
        described = self.db.execute(f"DESCRIBE WITH raw AS ({rows_of(self.db, source, 0)}) {select}").fetchall()
        kinds = {str(row[0]): _KINDS.get(str(row[1]), "STRING") for row in described}

        def read(db: duckdb.DuckDBPyConnection, number: int) -> Batches:
            for name, table in lent.items():
                lend_table(db, name, table)
            stage_file(db, source, number, select)
            listed = ", ".join(_as_spark(name, str(row[1])) for name, row in zip(kinds, described, strict=True))
            yield from db.sql(f"SELECT {listed}, CAST(NULL AS VARCHAR) AS problem FROM staged").to_arrow_reader(BATCH)

        schema = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        self._hold("read", self._each_file(source, read, f"{schema}, problem STRING"))
        problems = self.session.sql("SELECT file_no, problem FROM read WHERE problem IS NOT NULL").collect()
        _refuse(source, [(row.file_no, row.problem) for row in problems])
        self.view("staged", f"SELECT {', '.join(kinds)} FROM read")

    def _each_file(self, source: Source, work: Callable[[duckdb.DuckDBPyConnection, int], Batches], schema: str) -> Any:
        """A table of what `work` gives for each file, one task each. What it cannot read is told in the column `problem`."""
        names = [part.split()[0] for part in schema.split(", ")]

        def run(batches: Batches) -> Batches:
            for number in (n for batch in batches for n in batch.column("id").to_pylist()):
                with tempfile.TemporaryDirectory(prefix="calls-") as spill, database(Path(spill)) as db:
                    try:
                        yield from work(db, number)
                    except SourceError as error:
                        row = {name: pa.nulls(1) for name in names} | {"problem": pa.array([str(error)])}
                        row["file_no" if "file_no" in names else "place"] = pa.array(
                            [number], pa.int32() if "file_no" in names else pa.int64()
                        )
                        types = {f.name: f.type for f in _arrow_schema(schema)}
                        yield pa.record_batch({name: array.cast(types[name]) for name, array in row.items()})

        files = len(source.files)
        return self.session.range(0, files, 1, files).mapInArrow(run, schema)

    def mark_repeats(self, reason: str) -> None:
        columns = ", ".join(f"s.{c}" for c in self.session.table("staged").columns if c != "reason")
        self.make(
            "staged",
            f"SELECT {columns}, CASE WHEN s.reason IS NULL AND s.{PLACE} <> r.kept THEN '{reason}' ELSE s.reason END AS reason "
            "FROM staged AS s LEFT JOIN repeats AS r ON r.call_id = s.call_id",
        )

    def ask(self, query: str) -> pd.DataFrame:
        found: pd.DataFrame = self.session.sql(query).toArrow().to_pandas()
        return found

    def make(self, name: str, query: str) -> None:
        self._hold(name, self.session.sql(query))

    def view(self, name: str, query: str) -> None:
        self.session.sql(query).createOrReplaceTempView(name)

    def lend(self, name: str, frame: pd.DataFrame, like: Mapping[str, str]) -> None:
        self.session.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)).createOrReplaceTempView(name)

    def bring(self, name: str, query: str) -> None:
        self.db.register("lent", self.session.sql(query).toArrow())
        self.db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM lent")
        self.db.unregister("lent")

    def _hold(self, name: str, frame: Any) -> None:
        """Keep a table's rows on the workers' disks; should one be lost, Spark makes its rows again."""
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
    kinds = {"INT": pa.int32(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "DATE": pa.date32(), "STRING": pa.string()}
    return pa.schema([(part.split()[0], kinds[part.split()[1]]) for part in schema.split(", ")])


def _refuse(source: Source, problems: Sequence[tuple[int, str]]) -> None:
    if problems:
        raise SourceError(sorted({problem for _number, problem in problems}))
