"""The plan advisor: tables of which too much would be withheld, and coarser ones that show more.

A table where a large share of cells is small cannot be rescued by withholding. First neighbouring
areas are merged until each passes, which keeps a map readable; where that would cost more than half of the areas, or is not
enough, the table's levels are made coarser one step at a time, by the step that leaves most cells among those that pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import prod

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from anonymize.agency.schema import PlanSpec, TableSpec, Text
from anonymize.areas import AreaSystem
from anonymize.codelists import Codelist, Node
from anonymize.errors import PlanError
from anonymize.protect.junction_tree import plan_cliques
from anonymize.protect.primary import primary
from anonymize.tables import Counts, Table

Group = tuple[str, ...]
"""Finest area codes that become one area."""
Count = Callable[[TableSpec], Table]
JOIN = "_"
LEAST_KEPT = 0.5
"""Merging that leaves less than this share of the areas is no map any more."""


@dataclass(frozen=True)
class Advice:
    """`specs`: the tables to publish; `merged`: area dimension -> groups of more than one; `steps`: (table, what was done)."""

    specs: tuple[TableSpec, ...]
    merged: dict[str, tuple[Group, ...]]
    steps: tuple[tuple[str, str], ...]

    @property
    def changes(self) -> bool:
        return bool(self.merged or self.steps)


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
            t for t in tables if name in t.dimensions and t.dimensions[name].finest == system.codelist.finest and t.name not in limits.keep
        ]
        while fine:
            groups = _merge(name, system, fine, limits.most_small_percent, threshold)
            if groups is not None:
                if merged := tuple(group for group in groups if len(group) > 1):
                    found[name] = merged
                break
            fine.remove(max(fine, key=lambda t: (share(t, threshold), t.name)))  # its levels are made coarser instead
    return found


def _merge(name: str, system: AreaSystem, tables: Sequence[Table], limit: float, threshold: int) -> list[Group] | None:
    """Groups such that no area's part of a table is small too often; None where too few areas would be left."""
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
            if other != group and parent[other[0]] == parent[group[0]] and any((a, b) in near for a in group for b in other)
        ]
        if not pairs:
            return groups if not failing and len(groups) >= LEAST_KEPT * len(codes) else None
        worst = pairs[0][0]
        total = {other: sum(int(r[[place[c] for c in other]].sum()) for r in rows) for group, other in pairs if group == worst}
        other = min(total, key=lambda g: (total[g], g))
        groups = [g for g in groups if g not in (worst, other)] + [tuple(sorted(worst + other, key=place.__getitem__))]


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
            members = [by_code[c].label for group in groups if merged_code(group) == code for c in group]
            label = Text(en=" + ".join(m.en for m in members), es=" + ".join(m.es for m in members))
            nodes[code] = Node(code, label, node.parent, node.level)
    codelist = Codelist(system.codelist.dimension, system.codelist.name, system.codelist.levels, tuple(nodes.values()))
    boundaries = system.boundaries
    if boundaries is not None:
        frame = boundaries.assign(code=[into.get(code, code) for code in boundaries["code"]])
        order = {node.code: i for i, node in enumerate(codelist.nodes)}
        boundaries = frame.dissolve("code", as_index=False).sort_values("code", key=lambda c: c.map(order)).reset_index(drop=True)
    return replace(system, codelist=codelist, boundaries=boundaries)


def advise_levels(
    specs: Sequence[TableSpec], codelists: Mapping[str, Codelist], count: Count, limits: PlanSpec, threshold: int
) -> tuple[tuple[TableSpec, ...], tuple[tuple[str, str], ...]]:
    """Coarser levels for the tables over the limit. Tables named in `keep` stay as they are, and so does what cannot get coarser."""
    chosen: list[TableSpec] = []
    steps: list[tuple[str, str]] = []
    for asked in specs:
        spec, table = asked, count(asked)
        while spec.name not in limits.keep and share(table, threshold) > limits.most_small_percent:
            options = [(other, count(other), words) for other, words in _coarser(spec, codelists)]
            if not options:
                steps.append((spec.name, "is still small in too many cells; leave it out, or accept that much of it is withheld"))
                break
            passing = [o for o in options if share(o[1], threshold) <= limits.most_small_percent]
            if passing:
                spec, table, words = max(passing, key=lambda o: (o[1].values.size, o[2]))
            else:
                spec, table, words = min(options, key=lambda o: (share(o[1], threshold), o[2]))
            steps.append((spec.name, words))
        chosen.append(spec)
    return tuple(chosen), tuple(steps)


def _coarser(spec: TableSpec, codelists: Mapping[str, Codelist]) -> list[tuple[TableSpec, str]]:
    """Each way to make one dimension one step coarser: the level above instead of the finest, never without a level below `all`."""
    found = []
    for name, levels in spec.dimensions.items():
        every, finest = codelists[name].levels, levels[-1]
        above = every[every.index(finest) - 1] if finest in every else every[0]
        shorter = levels[:-1] if above in levels else (*levels[:-1], above)
        if len(levels) > 1 and len(shorter) > 1:
            dimensions = spec.dimensions | {name: shorter}
            found.append((spec.model_copy(update={"dimensions": dimensions}), f"{name}: {shorter[-1]} instead of {finest}"))
    return found


def coarser_steps(
    specs: Sequence[TableSpec], codelists: Mapping[str, Codelist], limits: PlanSpec
) -> tuple[tuple[TableSpec, ...], tuple[tuple[str, str], ...]]:
    """Coarser levels until the tables together are small enough to be protected and audited exactly (`plan_cliques`)."""
    chosen = list(specs)
    steps: list[tuple[str, str]] = []
    while True:
        try:
            plan_cliques(chosen, codelists)
            return tuple(chosen), tuple(steps)
        except PlanError:
            options = [(i, o) for i, spec in enumerate(chosen) if spec.name not in limits.keep for o in _coarser(spec, codelists)]
            if not options:
                raise
            # The largest table first; of its ways the one that leaves most cells.
            i, (spec, words) = max(options, key=lambda o: (_cells(chosen[o[0]], codelists), _cells(o[1][0], codelists), -o[0], o[1][1]))
            steps.append((spec.name, f"{words}, so that the tables together can be checked exactly"))
            chosen[i] = spec


def _cells(spec: TableSpec, codelists: Mapping[str, Codelist]) -> int:
    return prod(sum(len(codelists[name].codes_at(level)) for level in levels) for name, levels in spec.dimensions.items())
