"""Statistics that do not add up: medians, 90th percentiles, different people, repeat contacts.

Each is computed per cell, rounded, and shown only where it rests on enough calls or people, and
only where the cell's count is published too. A number of people is at most the count of its cell,
and the number of calls with a time is published as a lower bound, from which nothing about those
without one follows (`_may_tell`).
A middle wait can still narrow a withheld count of long waits, and hours without a team a count of
the calls behind them: where the audit finds that, those rows are not shown (`around`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist, Dimension
from anonymize.agency.load import AgencyConfig, mapped_dimensions
from anonymize.agency.schema import StatisticSpec
from anonymize.count.comparisons import (
    COMPARED,
    OUTCOMES,
    Compared,
    alike,
    compared,
    design,
    field_withheld,
    needed,
    outcome_of,
)
from anonymize.count.tables import COUNTED, Mask, Table, condition, counting, lift
from anonymize.engine import Engine
from anonymize.errors import PlanError
from anonymize.records.calls import CLOCKS, CONNECTION, FREQUENT, REPEATED, WITHOUT_TEAM
from anonymize.records.collected import followed_whole

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COMMITTED, FREED = "hours_committed", "hours_others_freed"
CLUSTERING = "call_clustering"
"""By how much the variance of counts grows because people call again: of each known person's calls
n, sum of n n over sum of n."""
OFTEN = 5
"""Calls within any 365 days that make a person a frequent caller."""
SHORTEST_YEAR = 365
PEOPLE_ROUNDED = 5
BASE_ROUNDED = 10


@dataclass(frozen=True)
class Statistic:
    """A computed table: each of `columns` has one axis per dimension, like `shown`, and is rounded
    to `rounding` of its name.

    `bounding`: rows that bound a count which is not published. `left_out`: may rows be missing from
    `shown` because they would narrow a count?
    """

    spec: StatisticSpec
    dimensions: dict[str, Dimension]
    columns: dict[str, Ints]
    rounding: dict[str, int]
    shown: Mask
    bounding: Mask
    design: Mapping[str, object] = field(default_factory=dict)
    """How a comparison was made; empty for other statistics."""
    left_out: bool = False

    @property
    def base(self) -> Ints:
        """How many each row rests on, as published."""
        return list(self.columns.values())[-1]


def compute(
    engine: Engine,
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    tables: Sequence[Table],
    withheld: Sequence[Mask],
    seen: dict[str, Any],
) -> list[Statistic]:
    """All statistics that the agency file names. `withheld[i]` masks the cells of `tables[i]`;
    `seen` keeps, from one call to the next, what was counted. Raises PlanError."""
    problems = [
        problem for spec in config.file.statistics if (problem := _problem(spec, config, tables))
    ]
    if problems:
        raise PlanError(problems)
    basis = _Basis(engine, config, codelists, tables, withheld, seen)
    return [_one(basis, spec) for spec in config.file.statistics]


@dataclass(frozen=True)
class _Basis:
    """What all statistics are worked out from, as for `compute`."""

    engine: Engine
    config: AgencyConfig
    codelists: Mapping[str, Codelist]
    tables: Sequence[Table]
    withheld: Sequence[Mask]
    seen: dict[str, Any]


BESIDE: dict[str, dict[str, str]] = {CONNECTION: {"handoff": "connected"}}
"""Measure -> codes of the count that it rests on, where that is not the whole cell."""


ASKED_OF = {"minutes_to_backup": "backup_requested", FREED: "other_units_came"}
"""Measure -> field in which each call that it rests on has YES. Of other calls next to it, it would
tell how many have."""
YES = "yes"


def _home(spec: StatisticSpec, tables: Sequence[Table]) -> int | None:
    """A count table that has every cell of the statistic."""
    for i, table in enumerate(tables):
        beside = all(
            name in table.dimensions and code in table.dimensions[name].codes
            for name, code in BESIDE.get(spec.measure, {}).items()
        )
        if beside and table.where == spec.where and _covers(table, spec):
            return i
    return None


def _covers(table: Table, spec: StatisticSpec) -> bool:
    levels = {name: set(d.levels) for name, d in table.dimensions.items()}
    return all(set(wanted) <= levels.get(name, set()) for name, wanted in spec.dimensions.items())


def _problem(spec: StatisticSpec, config: AgencyConfig, tables: Sequence[Table]) -> str:
    where = f"{config.path}: statistic '{spec.name}'"
    if spec.minimum < config.file.privacy.threshold:
        return (
            f"{where}: 'minimum' {spec.minimum} lies below the threshold of"
            f" {config.file.privacy.threshold}; raise it"
        )
    if spec.measure in COMPARED and (
        list(spec.dimensions) != ["period"] or spec.where != {"eligible": "yes"}
    ):
        return (
            f"{where}: '{spec.measure}' compares eligible calls over a period; write dimensions ="
            ' { period = [...] } and where = { eligible = "yes" }'
        )
    field_name = ASKED_OF.get(spec.measure, "")
    if field_name in config.file.calls.columns and spec.where.get(field_name) != YES:
        return (
            f"{where}: '{spec.measure}' rests on calls with {field_name}; write where = {{"
            f' {field_name} = "yes" }}, and a count table with the same'
        )
    if _home(spec, tables) is None:
        return (
            f"{where}: no count table has these dimensions, levels and 'where'; add one, so that"
            " each statistic stands beside its count"
        )
    missing = [
        name
        for name in _needed(spec.measure)
        if name not in config.file.calls.columns and name != "received_at"
    ]
    if missing:
        return (
            f"{where}: '{spec.measure}' needs {' and '.join(missing)}; name them in [calls.columns]"
            " or leave it out"
        )
    if "received_at" in _needed(spec.measure) and not config.file.calls.time.timestamp:
        return (
            f"{where}: '{spec.measure}' needs the exact time of the call; name 'timestamp' in"
            " [calls.time] or leave it out"
        )
    return ""


def _needed(measure: str) -> tuple[str, ...]:
    if measure in COMPARED:
        return needed(measure)
    if measure == CONNECTION:
        return ("call_id",)
    if measure == WITHOUT_TEAM:
        return ("received_at", "eligible", "not_served_reason")
    return CLOCKS.get(measure, ("person_key",))


def _one(basis: _Basis, spec: StatisticSpec) -> Statistic:
    config, tables, withheld = basis.config, basis.tables, basis.withheld
    dimensions = {
        name: Dimension(basis.codelists[name], levels) for name, levels in spec.dimensions.items()
    }
    if spec.measure in COMPARED:
        return _compared(basis, spec, dimensions["period"])
    if spec.name not in basis.seen:
        basis.seen[spec.name] = _raw(basis.engine, config, spec, dimensions)
    raw = basis.seen[spec.name]
    names = [name for name in raw if name not in BEHIND.get(spec.measure, ())]
    home = _home(spec, tables)
    assert home is not None
    base = np.nan_to_num(raw[names[-1]])
    shown: Mask = (base >= spec.minimum) & ~_beside(spec, dimensions, tables[home], withheld[home])
    if spec.measure.startswith(REPEATED) or spec.measure in (FREQUENT, WITHOUT_TEAM):
        part = np.nan_to_num(raw[names[0]])
        for side in (
            part,
            base - part,
            *(np.nan_to_num(raw[name]) for name in BEHIND.get(spec.measure, ())),
        ):
            shown &= (side == 0) | (side >= config.file.privacy.threshold)
    if spec.measure == CLUSTERING:
        # The figure would rest almost on fewer people who call often alone.
        shown &= np.nan_to_num(raw["people_often"]) >= config.file.privacy.threshold
    if spec.measure in CLOCKS:
        whole, k = (
            _beside(spec, dimensions, tables[home], tables[home].values),
            config.file.privacy.threshold,
        )
        # Whether it is shown must not tell of the calls without a time: near the minimum it would.
        shown &= whole >= spec.minimum + k - 1
        raw = raw | {
            names[-1]: _may_tell(
                base, whole, spec.minimum, k, secret=_untimed_withheld(tables, withheld)
            )
        }
    rounding = {name: _rounding(name) for name in names}
    columns = {
        name: (
            (np.floor(np.nan_to_num(raw[name]) / rounding[name] + 0.5) * rounding[name]).astype(
                np.int64
            )
        )
        for name in names
    }
    return Statistic(
        spec, dimensions, columns, rounding, shown, _bounding(spec, dimensions, tables, withheld)
    )


def _compared(basis: _Basis, spec: StatisticSpec, period: Dimension) -> Statistic:
    """A comparison, shown where it is fit, its eligible calls are published, and so are the counts
    of a yes/no field by who came."""
    config, codelists = basis.config, basis.codelists
    tables, withheld = basis.tables, basis.withheld
    if spec.name not in basis.seen:
        basis.seen[spec.name] = compared(basis.engine, config, spec, period, codelists)
    made: Compared = basis.seen[spec.name]
    home = _home(spec, tables)
    assert home is not None
    shown: Mask = made.fit & ~_beside(spec, {"period": period}, tables[home], withheld[home])
    outcome = OUTCOMES[outcome_of(spec.measure)]
    if outcome.flag:
        strata = alike(config, codelists)
        shown &= ~np.array(
            [
                field_withheld(outcome, code, "period", tables, withheld, strata)
                for code in period.codes
            ]
        )
    # What is left out of a comparison bounds how many calls have no reason or no outcome on record
    # (`release/facts.py`).
    bounding: Mask = np.ones_like(shown)
    return Statistic(
        spec,
        {"period": period},
        made.columns,
        made.rounding,
        shown,
        bounding,
        design(config, spec.measure, codelists),
    )


def _rounding(name: str) -> int:
    return (
        PEOPLE_ROUNDED
        if name.startswith(("people", "inflation"))
        else 1
        if name in ("median", "p90")
        else BASE_ROUNDED
    )


COLUMNS = {
    "people": ["people"],
    FREQUENT: ["calls_frequent", "based_on"],
    COMMITTED: ["hours", "based_on"],
    FREED: ["hours", "based_on"],
    WITHOUT_TEAM: ["hours_none", "based_on"],
    CLUSTERING: ["inflation", "based_on"],
}
"""Measure -> its columns, the base last, where they are not those of minutes or of people who
called again."""


BEHIND = {
    **dict.fromkeys(
        (FREQUENT, *(f"{REPEATED}_{days}" for days in (30, 90, 365))),
        ("people_often", "people_seldom"),
    ),
    CLUSTERING: ("people_often",),
}
"""Measure -> columns that are never published: the different people on either side, who may be few
behind many calls."""


def _raw(
    engine: Engine, config: AgencyConfig, spec: StatisticSpec, dimensions: Mapping[str, Dimension]
) -> dict[str, Floats]:
    """The columns before rounding, the base last; nothing in them depends on what is withheld."""
    timed = spec.measure in CLOCKS or spec.measure == CONNECTION
    names = COLUMNS.get(spec.measure) or (
        ["median", "p90", "based_on"] if timed else ["people_again", "people_followed"]
    )
    names = [*BEHIND.get(spec.measure, ()), *names]
    raw = {name: np.full([len(d.codes) for d in dimensions.values()], np.nan) for name in names}
    by_second = (
        engine.ask(counting([*dimensions, spec.measure], COUNTED, spec.where)) if timed else None
    )
    for levels in product(*(d.levels for d in dimensions.values())):
        at = dict(zip(dimensions, levels, strict=True))
        if by_second is None:
            frame = _distinct(engine, config, spec, dimensions, at)
        else:
            frame = (_hours if spec.measure in (COMMITTED, FREED) else _quantiles)(
                by_second, spec.measure, dimensions, at
            )
        for name in names:
            raw[name][tuple(frame[d].to_numpy(dtype=np.int64) for d in dimensions)] = frame[
                name
            ].to_numpy(dtype=float)
    return raw


def _quantiles(
    by_second: pd.DataFrame, clock: str, dimensions: Mapping[str, Dimension], at: Mapping[str, str]
) -> pd.DataFrame:
    """Median and 90th percentile of minutes (of days, for CONNECTION) per cell, between neighbours
    as numpy's default does (Hyndman and Fan 1996, type 7).

    Seconds are whole, so calls are counted by cell and second, which adds up whatever counts them,
    and the quantiles are read from that.
    """
    counted = lift(by_second, dimensions, at, [clock]).sort_values([*dimensions, clock])
    rows = []
    for place, part in counted.groupby(list(dimensions)):
        seconds, upto = part[clock].to_numpy(), part["n"].to_numpy().cumsum()
        minutes = [
            _quantile(seconds / (1.0 if clock == CONNECTION else 60.0), upto, share)
            for share in (0.5, 0.9)
        ]
        rows.append((*place, *minutes, int(upto[-1])))
    return pd.DataFrame(rows, columns=[*dimensions, "median", "p90", "based_on"])


def _hours(
    by_second: pd.DataFrame, clock: str, dimensions: Mapping[str, Dimension], at: Mapping[str, str]
) -> pd.DataFrame:
    """Hours of the clock, added up per cell."""
    counted = lift(by_second, dimensions, at, [clock])
    counted = counted.assign(hours=counted[clock] * counted["n"] / 3600.0)
    return counted.groupby(list(dimensions), as_index=False).agg(
        hours=("hours", "sum"), based_on=("n", "sum")
    )


def _quantile(values: Floats, upto: Ints, share: float) -> float:
    """The quantile of sorted `values`, of which the first stands for `upto[0]` numbers, the first
    two for `upto[1]`, and so on."""
    place = (int(upto[-1]) - 1) * share
    low, high = (
        float(values[np.searchsorted(upto, math.floor(edge), side="right")])
        for edge in (place, math.ceil(place))
    )
    return low + (high - low) * (place - math.floor(place))


def _distinct(
    engine: Engine,
    config: AgencyConfig,
    spec: StatisticSpec,
    dimensions: Mapping[str, Dimension],
    at: Mapping[str, str],
) -> pd.DataFrame:
    """Different people, or different hours, per cell; they do not add up, so each level asks the
    records anew."""
    joins = []
    source = "followed" if spec.measure.startswith((REPEATED, FREQUENT)) else "calls"
    for name, dimension in dimensions.items():
        above, position = (
            dimension.codelist.ancestors(at[name]),
            {code: i for i, code in enumerate(dimension.codes)},
        )
        leaves = dimension.codelist.codes_at(dimension.codelist.finest)
        engine.lend(
            f"step_{name}",
            pd.DataFrame({"leaf": leaves, "place": [position[above[leaf]] for leaf in leaves]}),
            {"leaf": name},
        )
        joins.append(f"JOIN step_{name} ON step_{name}.leaf = {source}.{name}")
    places = ", ".join(f"step_{name}.place AS {name}" for name in dimensions)
    cells = f"FROM {source} {' '.join(joins)} {condition(spec.where)}"
    more = " AND " if spec.where else " WHERE "
    if spec.measure == FREQUENT:
        # Who calls often is known only where the 365 days before each call are in the data, too:
        # without them a first year seems to have few such people (left truncation; Klein and
        # Moeschberger 2003, 3.4).
        whole = whole_years(config)
        years = ", ".join(str(year) for year in whole if year - 1 in whole) or "NULL"
        often = "often"
        measure = (
            f"count(*) FILTER (WHERE {often}) AS calls_frequent, count(*) AS based_on,"
            f" count(DISTINCT person_key) FILTER (WHERE {often}) AS people_often, count(DISTINCT"
            f" person_key) FILTER (WHERE NOT ({often})) AS people_seldom"
        )
        return engine.ask(
            f"SELECT {places}, {measure} {cells}{more}year(day) IN ({years}) GROUP BY ALL"
        )
    if spec.measure.startswith(REPEATED):
        days = int(spec.measure.rsplit("_", 1)[1])
        # One index for each person and calendar year, also where a cell holds several years: so
        # their row lies between those of the years. A person's next call after any of theirs comes
        # no sooner than after the first, so the least of them follows the first.
        first_calls = (
            f"SELECT {places}, person_key, year(day) AS index_year, min(day) AS first_day,"
            f" min(next_day) AS next_day {cells}{more}{index_days(config, days)} GROUP BY ALL"
        )
        again = f"coalesce(next_day <= first_day + {days}, false)"
        measure = (
            f"count(*) FILTER (WHERE {again}) AS people_again, count(*) AS people_followed,"
            f" count(DISTINCT person_key) FILTER (WHERE {again}) AS people_often, count(DISTINCT"
            f" person_key) FILTER (WHERE NOT {again}) AS people_seldom"
        )
        return engine.ask(
            f"SELECT {', '.join(dimensions)}, {measure} FROM ({first_calls}) AS first_calls GROUP"
            " BY ALL"
        )
    if spec.measure == CLUSTERING:
        each = (
            f"SELECT {places}, person_key, count(*) AS n {cells}{more}person_key IS NOT NULL GROUP"
            " BY ALL"
        )
        measure = (
            f"count(*) FILTER (WHERE n >= {OFTEN}) AS people_often, 10.0 * sum(n * n) / sum(n) AS"
            " inflation, sum(n) AS based_on"
        )
        return engine.ask(
            f"SELECT {', '.join(dimensions)}, {measure} FROM ({each}) AS each_person GROUP BY ALL"
        )
    measure = "count(DISTINCT person_key) AS people"
    if spec.measure == WITHOUT_TEAM:
        none = "not_served_reason IN ('no_unit', 'all_busy')"
        measure = (
            f"count(DISTINCT clock_hour) FILTER (WHERE {none}) AS hours_none, count(DISTINCT"
            " clock_hour) AS based_on"
        )
    return engine.ask(f"SELECT {places}, {measure} {cells} GROUP BY ALL")


def whole_years(config: AgencyConfig) -> list[int]:
    """The calendar years that the data cover from end to end, with no gap."""
    release = config.file.release
    start, end = release.data_from, release.data_to
    gone = {
        year for gap in release.not_collected for year in range(gap.first.year, gap.last.year + 1)
    }
    return [
        y
        for y in range(start.year, end.year + 1)
        if start <= date(y, 1, 1) and date(y, 12, 31) <= end and y not in gone
    ]


def index_days(config: AgencyConfig, days: int) -> str:
    """SQL: the days on which a call may be the first of those that are followed for `days` days.

    All that time must lie in the data, without a gap; and each year gives the same months, so that
    one year's people are not followed from a busier part of the year than another's. Where the data
    have no such months in common, every day counts.
    """
    release = config.file.release
    start, end = release.data_from, release.data_to - timedelta(days=days)
    known, of_year = followed_whole(release, days), "100 * month(day) + day(day)"
    first, last = 100 * start.month + start.day, 100 * end.month + end.day
    if end.year == start.year or first > last:
        return known
    known += f" AND {of_year} BETWEEN {first} AND {last}"
    for gap in release.not_collected:
        since = gap.first - timedelta(days=days)
        if (gap.last - since).days < SHORTEST_YEAR:
            from_day, to_day = 100 * since.month + since.day, 100 * gap.last.month + gap.last.day
            known += (
                f" AND {of_year} NOT BETWEEN {from_day} AND {to_day}"
                if from_day <= to_day
                else f" AND {of_year} BETWEEN {to_day + 1} AND {from_day - 1}"
            )
    return known


def note_next_contacts(engine: Engine, config: AgencyConfig) -> None:
    """The table `followed`: calls of known people, each with the day of the same person's next
    call, and with `often`: whether some call of that person in the same calendar year was the
    fifth, or a later one, within 365 days."""
    clocks = (
        ("minutes_call_to_dispatch",)
        if "minutes_call_to_dispatch" in engine.ask("SELECT * FROM calls LIMIT 0").columns
        else ()
    )
    fields = ", ".join([*sorted(mapped_dimensions(config)), *clocks])
    engine.make(
        "followed",
        f"SELECT {fields}, person_key, day, next_day, max(often) OVER (PARTITION BY person_key,"
        f" year(day)) AS often FROM (SELECT {fields}, person_key, day, lead(day) OVER in_turn AS"
        f" next_day, coalesce(lag(day, {OFTEN - 1}) OVER in_turn > day - {SHORTEST_YEAR}, false) AS"
        " often FROM calls WHERE person_key IS NOT NULL AND day IS NOT NULL WINDOW in_turn AS"
        " (PARTITION BY person_key ORDER BY day, moment, file_no, row_no)) AS calls_in_turn",
    )


UNTIMED = ("wait", "officer_released")
"""Dimensions made from the same times as the clocks: a call without them is `unknown` there."""


def _may_tell(base: Floats, whole: Ints, minimum: int, threshold: int, *, secret: bool) -> Floats:
    """The number of timed calls as it may be published: a lower bound, rounded down.

    `whole`, the count of the same cell, is public, so the bound also says something about the calls
    without a time, and those may be a withheld cell (`UNTIMED`) or lie in a sum with one. It stays
    at least threshold - 1 calls below `whole`, so that a small number of them is not narrowed.
    Where a number of calls without a time is withheld (`secret`), it is `minimum` alone.
    """
    told = (
        np.full_like(base, float(minimum)) if secret else np.minimum(base, whole - (threshold - 1))
    )
    rounded: Floats = np.floor(told / BASE_ROUNDED) * BASE_ROUNDED
    return rounded


def _untimed_withheld(tables: Sequence[Table], withheld: Sequence[Mask]) -> bool:
    """Is any number of calls without a time withheld?"""
    for table, mask in zip(tables, withheld, strict=True):
        for name in UNTIMED:
            if name in table.dimensions:
                codes = table.dimensions[name].codes
                unknown = [i for i, code in enumerate(codes) if code.split(".")[0] == UNKNOWN]
                if mask.take(unknown, axis=list(table.dimensions).index(name)).any():
                    return True
    return False


BOUNDING = {"minutes_call_to_arrival": "wait", WITHOUT_TEAM: "not_served_reason"}
"""Measure -> dimension of which it bounds the counts."""


def _bounding(
    spec: StatisticSpec,
    dimensions: Mapping[str, Dimension],
    tables: Sequence[Table],
    withheld: Sequence[Mask],
) -> Mask:
    """Which rows bound counts of which not all are published."""
    split = BOUNDING.get(spec.measure)
    found: Mask = np.full([len(d.codes) for d in dimensions.values()], split is not None)
    for table, mask in zip(tables, withheld, strict=True):
        if split in table.dimensions and table.where == spec.where and _covers(table, spec):
            by_code = [
                _beside(spec, dimensions, table, mask, {split: code})
                for code in table.dimensions[split].codes
            ]
            found &= np.any(by_code, axis=0)
    return found


def around(statistic: Statistic, cell: Mapping[str, str]) -> Mask:
    """Which rows could have helped to narrow the `cell`: those that bound counts and hold it, or
    part of it."""
    found = statistic.shown & statistic.bounding
    for axis, (name, dimension) in enumerate(statistic.dimensions.items()):
        code = cell.get(name)
        if code in dimension.codelist.by_code:
            inside = np.array(
                [
                    own in _above(dimension.codelist, code)
                    or code in _above(dimension.codelist, own)
                    for own in dimension.codes
                ]
            )
            found &= np.expand_dims(inside, tuple(i for i in range(found.ndim) if i != axis))
    return found


def _above(codelist: Codelist, code: str) -> list[str]:
    """The code and all those above it."""
    found = [code]
    while found[-1] != ROOT:
        found.append(codelist.by_code[found[-1]].parent)
    return found


def _beside(
    spec: StatisticSpec,
    dimensions: Mapping[str, Dimension],
    table: Table,
    values: Any,
    codes: Mapping[str, str] | None = None,
) -> Any:
    """Of `values` over a table's cells, those that belong to the cells of the statistic, in the
    order of its dimensions; with `codes`, the part of each that bears them."""
    index, codes = [], codes or BESIDE.get(spec.measure, {})
    for name, dimension in table.dimensions.items():
        mine = dimensions[name].codes if name in dimensions else (codes.get(name, "all"),)
        index.append([dimension.codes.index(code) for code in mine])
    picked = values[np.ix_(*index)]
    for axis in reversed([i for i, name in enumerate(table.dimensions) if name not in dimensions]):
        picked = np.asarray(picked.take(0, axis=axis))
    order = [name for name in table.dimensions if name in dimensions]
    return picked.transpose([order.index(name) for name in dimensions])
