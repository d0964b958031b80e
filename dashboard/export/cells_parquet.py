"""All tables of a release as one table, for programs: `cells.parquet`. Made from the published
files alone, and the same for the same release.

A row is one value of one row of one table: `table`, `row` (counted from 1) and `column` say where
it stands in `tables/TABLE.csv`. A count, or a number of a statistic, has `value` and `status`;
`value` is empty where it is withheld or was not collected. A row about the program has `value`
where the column is of numbers, else `text`. Each dimension of the release is a column with the code
that the row has, or that all of its table has.
"""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard.release.reader import Release

NAME = "cells.parquet"
LEADING = ("table", "kind", "universe", "row", "column", "value", "text", "status")
"""Columns that each release has; the dimensions come after them, in the order of their names."""
NUMBERS = ("integer", "number", "year")
"""Types of Table Schema that are numbers here."""
ROWS_IN_A_GROUP = 20_000
"""So that a program that asks for one table over the network need not fetch the others."""


@lru_cache(maxsize=8)
def cells(release: Release) -> pa.Table:
    """One row for each value, by table, row and column."""
    dimensions = sorted(release.codelists)
    listed = sorted(tables(release), key=table_of)
    return pa.concat_tables([_part(resource, release, dimensions) for resource in listed])


def tables(release: Release) -> list[dict[str, Any]]:
    """The published tables, as the release describes them."""
    return [resource for resource in release.package["resources"] if "table" in resource]


def table_of(resource: dict[str, Any]) -> str:
    """The name of a table's file, which is the table's name for readers."""
    return PurePosixPath(str(resource["path"])).stem


def _part(resource: dict[str, Any], release: Release, dimensions: list[str]) -> pa.Table:
    """The values of one table, in the order of the file."""
    described, types = (
        resource["table"],
        {field["name"]: field["type"] for field in resource["schema"]["fields"]},
    )
    rows = pd.read_csv(
        io.BytesIO(release.files[str(resource["path"])]), dtype=str, keep_default_na=False
    )
    coded = [
        field
        for key in resource["schema"].get("foreignKeys", ())
        for field in key["fields"]
        if field in dimensions
    ]
    of_program = described["kind"] == "reference"
    columns = [
        column
        for column in rows.columns
        if column not in coded and (of_program or column != "status")
    ]
    shape = len(rows), len(columns)
    value, text = np.full(shape, np.nan), np.full(shape, None, dtype=object)
    for place, column in enumerate(columns):
        if types[column] in NUMBERS:
            value[:, place] = [float(number) if number else np.nan for number in rows[column]]
        else:
            text[:, place] = rows[column]

    def each(code: object) -> pa.Array:
        """One text for all values, or one for each row."""
        filled = code if isinstance(code, pd.Series) else np.full(shape[0], code, dtype=object)
        return pa.array(np.repeat(np.asarray(filled, dtype=object), shape[1]), pa.string())

    leading = {
        "table": each(table_of(resource)),
        "kind": each(described["kind"]),
        "universe": each(described.get("universe")),
        "row": pa.array(np.repeat(np.arange(1, shape[0] + 1), shape[1]), pa.int32()),
        "column": pa.array(np.tile(np.asarray(columns, dtype=object), shape[0]), pa.string()),
        "value": pa.array(value.ravel(), pa.float64(), from_pandas=True),
        "text": pa.array(text.ravel(), pa.string()),
        "status": each(None if of_program else rows["status"]),
    }
    where = described.get("where", {})
    return pa.table(
        leading
        | {
            dimension: each(rows[dimension] if dimension in coded else where.get(dimension))
            for dimension in dimensions
        }
    )


def rows_of(release: Release) -> int:
    """How many rows `cells.parquet` has."""
    return int(cells(release).num_rows)


def rows_in(data: bytes) -> int:
    """How many rows a CSV file has, its header aside. A text in it may hold line breaks."""
    return sum(1 for _ in csv.reader(io.StringIO(data.decode("utf-8")))) - 1


def parquet(release: Release) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(cells(release), buffer, compression="zstd", row_group_size=ROWS_IN_A_GROUP)
    return buffer.getvalue()
