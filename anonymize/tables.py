"""Linked count tables: every combination of the wanted codes of every dimension, counted in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymize.agency.load import AgencyConfig, mapped_dimensions
from anonymize.agency.schema import TableSpec, Text
from anonymize.codelists import ROOT, Codelist
from anonymize.errors import PlanError

Counts = npt.NDArray[np.int64]

MOST_CELLS = 250_000
"""Cells in one table; beyond this a table is refused with its size rather than left to run."""


@dataclass(frozen=True)
class Dimension:
    """One dimension of one table: the codelist and the levels published, `all` first."""

    codelist: Codelist
    levels: tuple[str, ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All published codes in codelist order, coarse levels first."""
        return tuple(code for level in self.levels for code in self.codelist.codes_at(level))

    @property
    def finest(self) -> str:
        return self.levels[-1]

    @cached_property
    def roll_up(self) -> npt.NDArray[np.int64]:
        """(codes, finest codes) 0/1: which finest codes each code holds."""
        leaves = self.codelist.codes_at(self.finest)
        position = {code: i for i, code in enumerate(leaves)}
        matrix = np.zeros((len(self.codes), len(leaves)), dtype=np.int64)
        row = 0
        for level in self.levels:
            above = self.codelist.ancestors(level)
            rows = {code: row + i for i, code in enumerate(self.codelist.codes_at(level))}
            for leaf in leaves:
                matrix[rows[above[leaf]], position[leaf]] = 1
            row += len(rows)
        return matrix


@dataclass(frozen=True)
class Table:
    """A counted table. `values` has one axis per dimension, in `dimensions`' order, over `codes`; `people`, of the same
    shape, says how many different people the calls of a cell are known to rest on (None without a person key)."""

    name: str
    title: Text
    universe: str
    dimensions: dict[str, Dimension]
    where: dict[str, str]
    sensitive_attribute: str | None
    values: Counts
    people: Counts | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(d.codes) for d in self.dimensions.values())


def standard_plan(config: AgencyConfig) -> tuple[TableSpec, ...]:
    """The tables for an agency file that names none: small ones that seldom need much withheld."""
    fed = mapped_dimensions(config)
    levels = {name: c.levels for name, c in config.codelists.items()}
    levels |= {name: (ROOT, *spec.levels) for name, spec in config.file.areas.items()}
    months = ("all", "year", "month") if len(levels["period"]) > 1 else ("all",)
    years = months[:2]
    tables = [TableSpec(name="calls", title=Text(en="Calls", es="Llamadas"), dimensions={"period": months})]
    for name in sorted(fed & levels.keys()):
        if name in ("period", "hour", "weekday"):
            continue
        fine = levels[name][:2]
        tables.append(TableSpec(
            name=f"calls_by_{name}", dimensions={"period": years, name: fine},
            title=Text(en=f"Calls by {name.replace('_', ' ')}", es=f"Llamadas por {name.replace('_', ' ')}"),
        ))  # fmt: skip
    if {"hour", "weekday"} <= fed:
        tables.append(TableSpec(
            name="calls_by_hour", title=Text(en="Calls by day and hour", es="Llamadas por día y hora"),
            dimensions={"weekday": ("all", "day"), "hour": ("all", "block")},
        ))  # fmt: skip
    return tuple(tables)


def _where_leaf(codelist: Codelist, code: str) -> str:
    if codelist.by_code[code].level != codelist.finest:
        raise PlanError([f"'where' of a table names '{code}' of '{codelist.dimension}', which is not at its finest level"])
    return code


def count_tables(
    db: duckdb.DuckDBPyConnection, config: AgencyConfig, codelists: Mapping[str, Codelist], specs: Sequence[TableSpec]
) -> list[Table]:
    """Count the table `calls` of `db` into `specs`. Raises PlanError for tables too large to publish."""
    tables, problems = [], []
    for spec in specs:
        dimensions = {name: Dimension(codelists[name], levels) for name, levels in spec.dimensions.items()}
        cells = prod(len(d.codes) for d in dimensions.values())
        if cells > MOST_CELLS:
            problems.append(
                f"{config.path}: table '{spec.name}' would have {cells:,} cells, more than {MOST_CELLS:,}; use coarser levels or fewer dimensions"
            )
            continue
        where = {name: _where_leaf(codelists[name], code) for name, code in spec.where.items()}
        values = count_cells(db, dimensions, where)
        people = count_people(db, dimensions, where) if "person_key" in config.file.calls.columns else None
        tables.append(Table(spec.name, spec.title, "calls", dimensions, where, spec.sensitive_attribute, values, people))
    if problems:
        raise PlanError(problems)
    return tables


def count_people(db: duckdb.DuckDBPyConnection, dimensions: Mapping[str, Dimension], where: Mapping[str, str]) -> Counts:
    """Different person keys per cell, every level counted on its own (people do not add up). Calls without a key count as one person."""
    found: Counts = np.zeros(tuple(len(d.codes) for d in dimensions.values()), dtype=np.int64)
    for levels in product(*(d.levels for d in dimensions.values())):
        places = [{code: i for i, code in enumerate(d.codes)} for d in dimensions.values()]
        at = dict(zip(dimensions, levels, strict=True))
        frame = grouped(db, "count(DISTINCT coalesce(person_key, '')) AS n", dimensions, at, places, where)
        found[tuple(frame[name].to_numpy() for name in dimensions)] = frame["n"].to_numpy()
    return found


def grouped(
    db: duckdb.DuckDBPyConnection, measure: str, dimensions: Mapping[str, Dimension], at: Mapping[str, str],
    places: Sequence[Mapping[str, int]], where: Mapping[str, str], source: str = "calls",
) -> pd.DataFrame:  # fmt: skip
    """`measure` (SQL, with names) of the calls (or another `source` with their columns) by the dimensions' levels `at`: a column of places per dimension, and the measure's."""
    selected, joins = [], []
    for (name, dimension), place in zip(dimensions.items(), places, strict=True):
        above = dimension.codelist.ancestors(at[name])
        leaves = dimension.codelist.codes_at(dimension.codelist.finest)
        steps = pd.DataFrame({"leaf": leaves, "place": [place[above[leaf]] for leaf in leaves]})
        steps["leaf"] = steps["leaf"].astype(object)
        db.register(f"step_{name}", steps)
        joins.append(f"JOIN step_{name} ON step_{name}.leaf = {source}.{name}")
        selected.append(f"step_{name}.place AS {name}")
    clauses = [f"{source}.{name} = '{code}'" for name, code in where.items()]
    condition = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    return db.execute(f"SELECT {', '.join([*selected, measure])} FROM {source} {' '.join(joins)} {condition} GROUP BY ALL").df()


def count_cells(
    db: duckdb.DuckDBPyConnection,
    dimensions: Mapping[str, Dimension],
    where: Mapping[str, str],
    source: str = "calls",
    measure: str = "count(*) AS n",
) -> Counts:
    """Counts at the finest levels in one GROUP BY, then rolled up dimension by dimension."""
    names = list(dimensions)
    places = [{code: i for i, code in enumerate(d.codelist.codes_at(d.finest))} for d in dimensions.values()]
    frame = grouped(db, measure, dimensions, {name: d.finest for name, d in dimensions.items()}, places, where, source)
    frame = frame[frame["n"].notna()]
    shape = tuple(len(d.codelist.codes_at(d.finest)) for d in dimensions.values())
    values: Counts = np.zeros(shape, dtype=np.int64)
    values[tuple(frame[name].to_numpy() for name in names)] = frame["n"].to_numpy()
    for axis, dimension in enumerate(dimensions.values()):
        values = np.moveaxis(np.tensordot(dimension.roll_up, values, axes=(1, axis)), 0, axis)
    return values
