"""Linked count tables: every combination of the wanted codes of every dimension, counted in
DuckDB."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymize.agency.codelists import ROOT, Codelist, Dimension
from anonymize.agency.load import AgencyConfig, mapped_dimensions
from anonymize.agency.schema import TableSpec, Text
from anonymize.engine import Engine
from anonymize.engine.sources import literal
from anonymize.errors import PlanError
from anonymize.records.collected import NOT_COLLECTED, Calendar

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
COUNTED = {"n": "count(*)"}
MAX_KEPT = 2_000_000
"""Rows of an answer that is kept for others."""

MAX_CELLS = 250_000
"""Cells in one table; beyond this a table is refused with its size rather than left to run."""


@dataclass(frozen=True)
class Table:
    """A counted table. `values` has one axis per dimension, in `dimensions`' order, over `codes`;
    `people`, of the same shape, says how many different people the calls of a cell are known to
    rest on (None without a person key); `not_collected` masks the cells of days that the agency
    file names as gaps (None without any): all know that they count no calls.
    """

    name: str
    title: Text
    universe: str
    dimensions: dict[str, Dimension]
    where: dict[str, str]
    sensitive_attribute: str | None
    values: Counts
    people: Counts | None = None
    not_collected: Mask | None = None

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
    tables = [
        TableSpec(
            name="calls", title=Text(en="Calls", es="Llamadas"), dimensions={"period": months}
        )
    ]
    for name in sorted(fed & levels.keys()):
        if name in ("period", "hour", "weekday"):
            continue
        fine = levels[name][:2]
        if name == "fiscal_year":
            tables.append(
                TableSpec(
                    name="calls_by_fiscal_year",
                    title=Text(en="Calls by fiscal year", es="Llamadas por año fiscal"),
                    dimensions={name: fine},
                )
            )
            continue
        areas = config.file.areas.get(name)
        said = areas.name if areas else config.codelists[name].name
        tables.append(
            TableSpec(
                name=f"calls_by_{name}",
                dimensions={"period": years, name: fine},
                title=Text(
                    en=f"Calls by {name.replace('_', ' ')}",
                    es=f"Llamadas: {said.es[:1].lower()}{said.es[1:]}",
                ),
            )
        )
    if {"hour", "weekday"} <= fed:
        tables.append(
            TableSpec(
                name="calls_by_hour",
                title=Text(en="Calls by day and hour", es="Llamadas por día y hora"),
                dimensions={"weekday": ("all", "day"), "hour": ("all", "block")},
            )
        )
    return tuple(tables)


def _where_leaf(codelist: Codelist, code: str) -> str:
    if codelist.by_code[code].level != codelist.finest:
        raise PlanError(
            [
                f"'where' of a table names '{code}' of '{codelist.dimension}', which is not at its"
                " finest level"
            ]
        )
    return code


def counter(engine: Engine, config: AgencyConfig) -> Counter:
    return Counter(engine, "person_key" in config.file.calls.columns)


def count_tables(
    counted: Counter,
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    specs: Sequence[TableSpec],
    ahead: Sequence[Collection[str]] = (),
) -> list[Table]:
    """Count the engine's table `calls` into `specs`. `ahead`: columns that will be asked for
    together later. Raises PlanError for tables too large to publish."""
    tables, problems = [], []
    k = config.file.privacy.threshold
    frequent = most_frequent(counted.engine, k) if counted.keyed else 0
    calendar = Calendar.of(config.file.release)
    for columns in sorted(
        [*ahead, *({*spec.dimensions, *spec.where} for spec in specs)], key=len, reverse=True
    ):
        counted.count(columns)
    for spec in specs:
        dimensions = {
            name: Dimension(codelists[name], levels) for name, levels in spec.dimensions.items()
        }
        cells = prod(len(d.codes) for d in dimensions.values())
        if cells > MAX_CELLS:
            problems.append(
                f"{config.path}: table '{spec.name}' would have {cells:,} cells, more than"
                f" {MAX_CELLS:,}; use coarser levels or fewer dimensions"
            )
            continue
        where = {name: _where_leaf(codelists[name], code) for name, code in spec.where.items()}
        people = None
        frame = counted.count(dimensions, where)
        values = cells_of(frame, dimensions)
        if counted.keyed:
            known = cells_of(frame, dimensions, "known")
            people = count_people(
                counted.engine, dimensions, where, values, (values >= k) & (known <= frequent)
            )
        absent: Mask = np.array(calendar.statuses(dimensions, where, codelists) == NOT_COLLECTED)
        if values[absent].any():
            raise AssertionError(
                f"table {spec.name} counts calls on days of which none were collected; please"
                " report this"
            )
        tables.append(
            Table(
                spec.name,
                spec.title,
                "calls",
                dimensions,
                where,
                spec.sensitive_attribute,
                values,
                people,
                absent,
            )
        )
    if problems:
        raise PlanError(problems)
    return tables


def most_frequent(engine: Engine, threshold: int) -> int:
    """At least the calls of the threshold - 1 people who called most, together: a cell with more
    known callers' calls than that rests on `threshold` people or more. People are counted in
    buckets, which is quicker than one by one and never too few.
    """
    each = (
        "SELECT count(*) AS n FROM calls WHERE person_bucket IS NOT NULL GROUP BY person_bucket"
        f" ORDER BY n DESC LIMIT {threshold - 1}"
    )
    return int(engine.ask(f"SELECT coalesce(sum(n), 0) AS n FROM ({each}) AS most")["n"][0])


def count_people(
    engine: Engine,
    dimensions: Mapping[str, Dimension],
    where: Mapping[str, str],
    values: Counts,
    asked: Mask,
) -> Counts:
    """Different person keys in each of the cells `asked` for (calls without a key count as one
    person); elsewhere the cell's count.

    People do not add up, so every level is counted on its own, over the records of those cells
    alone.
    """
    people = values.copy()
    if not asked.any():
        return people
    leaves = asked.astype(np.int64)
    for axis, dimension in enumerate(dimensions.values()):
        leaves = np.moveaxis(np.tensordot(dimension.roll_up.T, leaves, axes=(1, axis)), 0, axis)
    fine = [d.codelist.codes_at(d.finest) for d in dimensions.values()]
    below = [d.codelist.ancestors(d.finest) for d in dimensions.values()]
    names, joins, on = list(dimensions), [], []
    steps: list[dict[str, list[str]]] = []
    for codes, above in zip(fine, below, strict=True):
        found: dict[str, list[str]] = {code: [] for code in codes}
        for code, parent in above.items():
            found[parent].append(code)
        steps.append(found)
    for name, dimension, found in zip(names, dimensions.values(), steps, strict=True):
        finest = set(dimension.codelist.codes_at(dimension.codelist.finest))
        pairs = [
            (i, leaf) for i, code in enumerate(found) for leaf in found[code] if leaf in finest
        ]
        engine.lend(
            f"leaf_{name}",
            pd.DataFrame(pairs, columns=["place", "leaf"]).astype({"leaf": object}),
            {"leaf": name},
        )
        joins.append(f"JOIN leaf_{name} ON leaf_{name}.leaf = calls.{name}")
        on.append(f"wanted.{name} = leaf_{name}.place")
    engine.lend("wanted", pd.DataFrame(dict(zip(names, leaves.nonzero(), strict=True))), {})
    places = ", ".join(f"leaf_{name}.place AS {name}" for name in names)
    engine.bring(
        "few",
        f"SELECT DISTINCT {places}, coalesce(person_key, '') AS person FROM calls {' '.join(joins)}"
        f" JOIN wanted ON {' AND '.join(on)} {condition(where)}",
    )
    for levels in product(*(d.levels for d in dimensions.values())):
        rows = [
            [d.codes.index(code) for code in d.codelist.codes_at(level)]
            for d, level in zip(dimensions.values(), levels, strict=True)
        ]
        if not asked[np.ix_(*rows)].any():
            continue
        for name, dimension, level, codes in zip(
            names, dimensions.values(), levels, fine, strict=True
        ):
            above, position = (
                dimension.codelist.ancestors(level),
                {code: i for i, code in enumerate(dimension.codes)},
            )
            step = pd.DataFrame(
                {"leaf": range(len(codes)), "place": [position[above[code]] for code in codes]}
            )
            engine.db.register(f"up_{name}", step)
        listed = ", ".join(f"up_{name}.place AS {name}" for name in names)
        up = " ".join(f"JOIN up_{name} ON up_{name}.leaf = few.{name}" for name in names)
        frame = engine.db.execute(
            f"SELECT {listed}, count(DISTINCT person) AS n FROM few {up} GROUP BY ALL"
        ).df()
        at = tuple(frame[name].to_numpy() for name in names)
        people[at] = np.where(asked[at], frame["n"].to_numpy(), people[at])
    return people


def condition(where: Mapping[str, str]) -> str:
    return (
        f"WHERE {' AND '.join(f'{name} = {literal(code)}' for name, code in where.items())}"
        if where
        else ""
    )


def counting(
    columns: Sequence[str],
    measures: Mapping[str, str],
    where: Mapping[str, str],
    source: str = "calls",
) -> str:
    """SQL: `measures` (name -> SQL of numbers that add up) of the calls, or another `source` with
    their columns, by columns."""
    listed = ", ".join([*columns, *(f"{sql} AS {name}" for name, sql in measures.items())])
    return f"SELECT {listed} FROM {source} {condition(where)} GROUP BY ALL"


def lift(
    frame: pd.DataFrame,
    dimensions: Mapping[str, Dimension],
    at: Mapping[str, str],
    by: Sequence[str] = (),
) -> pd.DataFrame:
    """Counts by finest codes as counts by the dimensions' levels `at` (and `by` further columns).

    Codes become their positions among the dimensions' codes; rows whose code has no position are
    dropped. All other columns of `frame` are summed."""
    names = list(dimensions)
    frame = frame.copy()
    for name, dimension in dimensions.items():
        above, position = (
            dimension.codelist.ancestors(at[name]),
            {code: i for i, code in enumerate(dimension.codes)},
        )
        leaves = dimension.codelist.codes_at(dimension.codelist.finest)
        frame[name] = (
            frame[name]
            .astype(object)
            .map({leaf: position[above[leaf]] for leaf in leaves if above[leaf] in position})
        )
    frame = frame.dropna()
    found: pd.DataFrame = (
        frame.groupby([*names, *by], as_index=False, sort=True).sum() if names or by else frame
    )
    return found.astype(dict.fromkeys(names, np.int64))


def cells_of(
    frame: pd.DataFrame, dimensions: Mapping[str, Dimension], measure: str = "n"
) -> Counts:
    """Counts by finest codes as an array over all codes: at the finest levels first, then rolled up
    dimension by dimension."""
    finest = {name: Dimension(d.codelist, (d.finest,)) for name, d in dimensions.items()}
    lifted = lift(
        frame[[*dimensions, measure]], finest, {name: d.finest for name, d in dimensions.items()}
    )
    values: Counts = np.zeros(tuple(len(d.codes) for d in finest.values()), dtype=np.int64)
    values[tuple(lifted[name].to_numpy() for name in dimensions)] = lifted[measure].to_numpy()
    for axis, dimension in enumerate(dimensions.values()):
        values = np.moveaxis(np.tensordot(dimension.roll_up, values, axes=(1, axis)), 0, axis)
    return values


@dataclass
class Counter:
    """Counts of the engine's calls by columns. What a wider answer holds is summed from it, not
    asked again."""

    engine: Engine
    keyed: bool
    """Is there a person key? Then the calls with one are counted too, as `known`."""
    answers: list[pd.DataFrame] = field(default_factory=list)

    def count(
        self, columns: Collection[str], where: Mapping[str, str] = MappingProxyType({})
    ) -> pd.DataFrame:
        """A row for each combination of finest codes that occurs, with `n` (and `known`)."""
        wanted = sorted({*columns, *where})
        measures = COUNTED | (
            {"known": "count(*) FILTER (WHERE has_person_key)"} if self.keyed else {}
        )
        wider = [a for a in self.answers if set(wanted) <= set(a.columns)]
        frame = min(wider, key=len, default=None)
        if frame is None:
            frame = self.engine.ask(counting(wanted, measures, {}))
            if len(frame) <= MAX_KEPT:
                self.answers.append(frame)
        for name, code in where.items():
            frame = frame[frame[name] == code]
        kept = [*columns, *measures]
        return (
            frame[kept].groupby(list(columns), as_index=False, observed=True).sum()
            if len(columns)
            else frame[kept]
        )
