"""The plan advisor: coarser tables where too much would be withheld, and finer ones where nothing
is.

A table where a large share of cells is small cannot be rescued by withholding. First neighbouring
areas are merged until each passes, which keeps a map readable; where that would cost more than half
of the areas, or is not enough, the table's levels are made coarser one step at a time, by the step
that leaves most cells among those that pass.

A table of which nothing is withheld can be made finer. That publishes more than the agency file
names, so it is proposed, and `build` never does it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import prod

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from anonymize.agency import AgencyConfig
from anonymize.agency.codelists import Codelist, Node
from anonymize.agency.schema import PlanSpec, StatisticSpec, TableSpec, Text
from anonymize.areas.systems import AreaSystem
from anonymize.count.tables import Counts, Table
from anonymize.errors import PlanError, SchemaError
from anonymize.protect.derived_fields import DERIVED
from anonymize.protect.junction_tree import plan_cliques
from anonymize.protect.primary import primary

Group = tuple[str, ...]
"""Finest area codes that become one area."""
Count = Callable[[TableSpec], Table]
JOIN = "_"
MIN_KEPT = 0.5
"""Merging that leaves less than this share of the areas is no map any more."""


STILL_SMALL = (
    "is still small in too many cells; leave it out, or accept that much of it is withheld"
)
MOSTLY_SMALL = (
    "is small in more than half of its cells, however coarse; leave it out, or accept that much of"
    " it is withheld"
)
"""What is said of tables that no step rescues."""
HALF = 50.0
MAX_CELLS = 2_000
"""Finer tables have together at most that many cells, or half as many again as the tables had:
trying them takes time that grows with the cells."""


@dataclass(frozen=True)
class Advice:
    """`specs`: the tables to publish; `merged`: area dimension -> groups of more than one; `steps`:
    (table, what was done); `finer`: likewise, for tables that show more than the agency file asks
    for."""

    specs: tuple[TableSpec, ...]
    merged: dict[str, tuple[Group, ...]]
    steps: tuple[tuple[str, str], ...]
    finer: tuple[tuple[str, str], ...] = ()

    @property
    def hopeless(self) -> tuple[str, ...]:
        """Tables of which more than half would be withheld however coarse they are."""
        return tuple(name for name, words in self.steps if words == MOSTLY_SMALL)

    @property
    def changes(self) -> bool:
        return bool(self.merged or self.steps or self.finer)


def share(table: Table, threshold: int) -> float:
    """Per cent of the table's cells that the primary rules withhold."""
    return 100.0 * float(primary(table, threshold).mean())


def advise_merging(
    tables: Sequence[Table], areas: Mapping[str, AreaSystem], limits: PlanSpec, threshold: int
) -> dict[str, tuple[Group, ...]]:
    """Groups of neighbouring areas, per area dimension with boundaries."""
    found: dict[str, tuple[Group, ...]] = {}
    for name, system in areas.items():
        if not limits.merge_areas or system.boundaries is None:
            continue
        fine = [
            t
            for t in tables
            if name in t.dimensions
            and t.dimensions[name].finest == system.codelist.finest
            and t.name not in limits.keep
        ]
        while fine:
            groups = _merge(name, system, fine, limits.most_small_percent, threshold)
            if groups is not None:
                if merged := tuple(group for group in groups if len(group) > 1):
                    found[name] = merged
                break
            fine.remove(
                max(fine, key=lambda t: (share(t, threshold), t.name))
            )  # its levels are made coarser instead
    return found


def _merge(
    name: str, system: AreaSystem, tables: Sequence[Table], limit: float, threshold: int
) -> list[Group] | None:
    """Groups such that no area's part of a table is small too often; None where too few areas would
    be left."""
    assert system.boundaries is not None
    codes = system.codelist.codes_at(system.codelist.finest)
    parent = {code: system.codelist.by_code[code].parent for code in codes}
    rows = [_by_area(table, name, codes) for table in tables]
    near = _neighbours(system.boundaries)
    groups: list[Group] = [(code,) for code in codes]
    place = {code: i for i, code in enumerate(codes)}

    def small(group: Group) -> float:
        sums = [table_rows[[place[code] for code in group]].sum(axis=0) for table_rows in rows]
        return max(100.0 * float(((s > 0) & (s < threshold)).mean()) for s in sums)

    while True:
        failing = sorted((g for g in groups if small(g) > limit), key=lambda g: (-small(g), g))
        pairs = [
            (group, other)
            for group in failing
            for other in groups
            if other != group
            and parent[other[0]] == parent[group[0]]
            and any((a, b) in near for a in group for b in other)
        ]
        if not pairs:
            return groups if not failing and len(groups) >= MIN_KEPT * len(codes) else None
        worst = pairs[0][0]
        total = {
            other: sum(int(r[[place[c] for c in other]].sum()) for r in rows)
            for group, other in pairs
            if group == worst
        }
        other = min(total, key=lambda g: (total[g], g))
        groups = [g for g in groups if g not in (worst, other)] + [
            tuple(sorted(worst + other, key=place.__getitem__))
        ]


def _by_area(table: Table, name: str, codes: Sequence[str]) -> Counts:
    """(finest areas, other cells of the table at its finest areas)."""
    dimension = table.dimensions[name]
    at = [dimension.codes.index(code) for code in codes]
    values = np.moveaxis(table.values, list(table.dimensions).index(name), 0)[at]
    rows: npt.NDArray[np.int64] = values.reshape(len(codes), -1)
    return rows


def _neighbours(boundaries: gpd.GeoDataFrame) -> set[tuple[str, str]]:
    """Pairs of areas that share more than a corner."""
    found = set()
    shapes = dict(zip(boundaries["code"], boundaries.geometry, strict=True))
    for a, b in combinations(shapes, 2):
        if shapes[a].intersects(shapes[b]) and shapes[a].intersection(shapes[b]).length > 0:
            found |= {(a, b), (b, a)}
    return found


def merged_code(group: Group) -> str:
    return JOIN.join(group)


def joined_areas(advice: Advice) -> dict[str, str]:
    """Code of each area of the system `area` that is published as one with others -> the code of
    that one."""
    groups = advice.merged.get("area", ())
    return {code: merged_code(group) for group in groups for code in group}


def merge_areas(system: AreaSystem, groups: Sequence[Group]) -> AreaSystem:
    """The area system with each group as one area that bears the names of all."""
    into = {code: merged_code(group) for group in groups for code in group}
    by_code = system.codelist.by_code
    nodes: dict[str, Node] = {}
    for node in system.codelist.nodes:
        code = into.get(node.code, node.code)
        if code == node.code:
            nodes[code] = node
        elif code not in nodes:
            members = [
                by_code[c].label for group in groups if merged_code(group) == code for c in group
            ]
            label = _joined(members)
            nodes[code] = Node(code, label, node.parent, node.level)
    codelist = Codelist(
        system.codelist.dimension,
        system.codelist.name,
        system.codelist.levels,
        tuple(nodes.values()),
    )
    boundaries = system.boundaries
    if boundaries is not None:
        frame = boundaries.assign(code=[into.get(code, code) for code in boundaries["code"]])
        order = {node.code: i for i, node in enumerate(codelist.nodes)}
        boundaries = (
            frame.dissolve("code", as_index=False)
            .sort_values("code", key=lambda c: c.map(order))
            .reset_index(drop=True)
        )
    return replace(system, codelist=codelist, boundaries=boundaries)


def _joined(labels: Sequence[Text]) -> Text:
    """All labels as one, in the languages that each of them has."""
    codes = [code for code in labels[0].texts() if all(label.of(code) for label in labels)]
    texts = {code: " + ".join(label.of(code) for label in labels) for code in codes}
    return Text.model_validate(texts, context={"languages": codes})


def advise_levels(
    specs: Sequence[TableSpec],
    codelists: Mapping[str, Codelist],
    count: Count,
    config: AgencyConfig,
) -> tuple[tuple[TableSpec, ...], tuple[tuple[str, str], ...]]:
    """Coarser levels for the tables over the limit. Tables named in `keep` stay as they are, and so
    does what cannot get coarser, or what a statistic needs as it is."""
    limits, threshold, statistics = (
        config.file.plan,
        config.file.privacy.threshold,
        config.file.statistics,
    )
    chosen = list(specs)
    steps: list[tuple[str, str]] = []
    for i, asked in enumerate(specs):
        spec, table = asked, count(asked)
        while spec.name not in limits.keep and share(table, threshold) > limits.most_small_percent:
            options = [
                (other, count(other), words)
                for other, words in _coarser(spec, codelists)
                if _statistics_stay(statistics, chosen, [*chosen[:i], other, *chosen[i + 1 :]])
            ]
            if not options:
                small = share(table, threshold)
                steps.append((spec.name, MOSTLY_SMALL if small > HALF else STILL_SMALL))
                break
            passing = [o for o in options if share(o[1], threshold) <= limits.most_small_percent]
            if passing:
                spec, table, words = max(passing, key=lambda o: (o[1].values.size, o[2]))
            else:
                spec, table, words = min(options, key=lambda o: (share(o[1], threshold), o[2]))
            steps.append((spec.name, words))
            chosen[i] = spec
    return tuple(chosen), tuple(steps)


def _statistics_stay(
    statistics: Sequence[StatisticSpec], before: Sequence[TableSpec], after: Sequence[TableSpec]
) -> bool:
    """Has each statistic that had a count table with all of its cells still one?"""
    return all(
        any(_holds(spec, s) for spec in after) or not any(_holds(spec, s) for spec in before)
        for s in statistics
    )


def _holds(spec: TableSpec, statistic: StatisticSpec) -> bool:
    return spec.where == statistic.where and all(
        set(levels) <= set(spec.dimensions.get(name, ()))
        for name, levels in statistic.dimensions.items()
    )


def advise_finer(
    specs: Sequence[TableSpec],
    shown_whole: Sequence[str],
    codelists: Mapping[str, Codelist],
    count: Count,
    config: AgencyConfig,
) -> tuple[tuple[TableSpec, ...], tuple[tuple[str, str], ...]]:
    """Finer levels for the tables named in `shown_whole`, of which nothing is withheld, one step at
    a time until something would be. A step that makes more of the table small than half the limit
    (for withholding takes about as many cells again), or the tables together too large to be
    checked exactly or in a reasonable time, is not taken.
    """
    limits, threshold = config.file.plan, config.file.privacy.threshold
    most = max(MAX_CELLS, 1.5 * sum(_cells(spec, codelists) for spec in specs))
    chosen = list(specs)
    steps: list[tuple[str, str]] = []
    for i, spec in enumerate(specs):
        while spec.name in shown_whole and spec.name not in limits.keep:
            options = []
            for other, words in _finer(spec, codelists):
                tables = [*chosen[:i], other, *chosen[i + 1 :]]
                small = share(count(other), threshold)
                if (
                    2 * small <= limits.most_small_percent
                    and sum(_cells(t, codelists) for t in tables) <= most
                    and _fits(tables, codelists)
                ):
                    options.append((small, -_cells(other, codelists), words, other))
            if not options:
                break
            small, _few, words, spec = min(options, key=lambda o: o[:3])
            steps.append((spec.name, words))
            chosen[i] = spec
            if small:
                break
    return tuple(chosen), tuple(steps)


def _finer(spec: TableSpec, codelists: Mapping[str, Codelist]) -> list[tuple[TableSpec, str]]:
    """Each way to add the level below the finest one to one dimension. A dimension of which only
    the whole is shown stays so, and one of which another follows, such as seasons of months: their
    finer cells would be empty or the same."""
    found = []
    for name, levels in spec.dimensions.items():
        every = codelists[name].levels
        if (
            len(levels) > 1
            and levels[-1] != every[-1]
            and not any((name, other) in DERIVED for other in spec.dimensions)
        ):
            below = every[every.index(levels[-1]) + 1]
            dimensions = spec.dimensions | {name: (*levels, below)}
            found.append(
                (
                    spec.model_copy(update={"dimensions": dimensions}),
                    f"{name}: {below} as well as {levels[-1]}",
                )
            )
    return found


def _fits(specs: Sequence[TableSpec], codelists: Mapping[str, Codelist]) -> bool:
    try:
        plan_cliques(specs, codelists)
    except PlanError:
        return False
    return True


def check_merged(config: AgencyConfig, areas: Mapping[str, AreaSystem]) -> None:
    """Raises SchemaError where [plan] merged names what is no group of areas under one parent."""
    problems = []
    for name, groups in config.file.plan.merged.items():
        where = f"{config.path}: [plan] merged"
        if name not in areas:
            problems.append(f"{where}: '{name}' is not an area system of this file")
            continue
        codelist = areas[name].codelist
        finest = set(codelist.codes_at(codelist.finest))
        listed = [code for group in groups for code in group]
        for code in dict.fromkeys(listed):
            if code not in finest:
                problems.append(
                    f"{where}: '{code}' is not a code of the level '{codelist.finest}' of '{name}';"
                    " correct it, or take it out"
                )
            elif listed.count(code) > 1:
                problems.append(
                    f"{where}: '{code}' of '{name}' stands in the groups twice; an area can be"
                    " joined once"
                )
        for group in groups:
            if len({codelist.by_code[code].parent for code in group if code in finest}) > 1:
                problems.append(
                    f"{where}: {' and '.join(group)} of '{name}' lie under different areas; join"
                    " areas under one parent only"
                )
    if problems:
        raise SchemaError(problems)


def _coarser(spec: TableSpec, codelists: Mapping[str, Codelist]) -> list[tuple[TableSpec, str]]:
    """Each way to make one dimension one step coarser: the level above instead of the finest, never
    without a level below `all`."""
    found = []
    for name, levels in spec.dimensions.items():
        every, finest = codelists[name].levels, levels[-1]
        above = every[every.index(finest) - 1] if finest in every else every[0]
        shorter = levels[:-1] if above in levels else (*levels[:-1], above)
        if len(levels) > 1 and len(shorter) > 1:
            dimensions = spec.dimensions | {name: shorter}
            found.append(
                (
                    spec.model_copy(update={"dimensions": dimensions}),
                    f"{name}: {shorter[-1]} instead of {finest}",
                )
            )
    return found


def coarser_steps(
    specs: Sequence[TableSpec],
    codelists: Mapping[str, Codelist],
    limits: PlanSpec,
    statistics: Sequence[StatisticSpec] = (),
) -> tuple[tuple[TableSpec, ...], tuple[tuple[str, str], ...]]:
    """Coarser levels until the tables together are small enough to be protected and audited exactly
    (`plan_cliques`)."""
    chosen = list(specs)
    steps: list[tuple[str, str]] = []
    while True:
        try:
            plan_cliques(chosen, codelists)
            return tuple(chosen), tuple(steps)
        except PlanError:
            options = [
                (i, o)
                for i, spec in enumerate(chosen)
                if spec.name not in limits.keep
                for o in _coarser(spec, codelists)
                if _statistics_stay(statistics, chosen, [*chosen[:i], o[0], *chosen[i + 1 :]])
            ]
            if not options:
                raise
            # The largest table first; of its ways the one that leaves most cells.
            i, (spec, words) = max(
                options,
                key=lambda o: (
                    _cells(chosen[o[0]], codelists),
                    _cells(o[1][0], codelists),
                    -o[0],
                    o[1][1],
                ),
            )
            steps.append(
                (spec.name, f"{words}, so that the tables together can be checked exactly")
            )
            chosen[i] = spec


def _cells(spec: TableSpec, codelists: Mapping[str, Codelist]) -> int:
    return prod(
        sum(len(codelists[name].codes_at(level)) for level in levels)
        for name, levels in spec.dimensions.items()
    )
