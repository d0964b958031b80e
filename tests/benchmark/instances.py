"""The instances that other programs were measured on, as systems, with value (the sum of withheld
counts) as the cost."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import scipy.sparse as sp

from anonymize.agency.codelists import ROOT, Codelist, Dimension, Node, with_unknown
from anonymize.agency.schema import PlanSpec, TableSpec, Text
from anonymize.count.tables import Table, cells_of
from anonymize.protect import Block, build_system, plan_cliques
from anonymize.protect.coarsen import advise_levels, coarser_steps
from anonymize.protect.system import Layout, Relation, System, clique_dimensions

SHARED = Path(__file__).parents[3] / "shared"
TORONTO = SHARED / "data/toronto/pic_cfsa_2014-01_2015-06_extract2024-09.csv.gz"
ZERO_COST = 0.5
"""A zero is of use to readers too; half a call keeps it from being free."""


def _makers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("instances", SHARED / "bench/instances.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(name: str, threshold: int) -> System:
    """`name`: 'toronto', or SIZE-PLAN as in bench/instances.py."""
    makers = _makers()
    matrix, leaves, labels, dims = (
        makers.toronto(TORONTO) if name == "toronto" else makers.instance(name)
    )
    return system_of(matrix, leaves, labels, dims, threshold)


LINKED = {
    "areas": {"area": 4, "time": 4},
    "years": {"area": 4, "time": 2, "type": 3, "outcome": 2},
    "precincts": {"area": 2, "time": 4, "type": 3, "outcome": 2},
}
"""The tables of plan `linked` at size M: of each dimension so many levels, counted from all of
it."""


def advised(
    size: str, threshold: int, most_small_percent: float
) -> tuple[System, tuple[tuple[str, str], ...]]:
    """Plan `linked` of `size` as the plan advisor makes it coarser, as `build` would protect it;
    and the steps.

    Areas are a tree here (a sector lies in one precinct), as they are in every agency file; in
    bench/instances.py precincts cut sectors.
    """
    makers = _makers()
    rows = makers.records(size, 1)
    sizes = (makers.SIZES[size][key] for key in ("area", "time", "typ", "out"))
    codelists = {
        name: _tree(name, counts)
        for name, counts in zip(("area", "time", "type", "outcome"), sizes, strict=True)
    }
    calls = pd.DataFrame(
        {
            name: np.array(c.codes_at(c.finest))[rows[:, i]]
            for i, (name, c) in enumerate(codelists.items())
        }
    ).assign(n=1)

    def table(spec: TableSpec) -> Table:
        dimensions = {
            name: Dimension(codelists[name], levels) for name, levels in spec.dimensions.items()
        }
        return Table(
            spec.name, spec.title, "calls", dimensions, {}, None, cells_of(calls, dimensions)
        )

    specs = [
        TableSpec(
            name=name,
            title=Text(en=name, es=name),
            dimensions={d: codelists[d].levels[:n] for d, n in levels.items()},
        )
        for name, levels in LINKED.items()
    ]
    limits = PlanSpec(most_small_percent=most_small_percent)
    chosen, steps = advise_levels(specs, codelists, table, limits, threshold)
    chosen, more = coarser_steps(chosen, codelists, limits)
    cliques = plan_cliques(chosen, codelists)
    counts = [cells_of(calls, clique_dimensions(clique, codelists)) for clique in cliques]
    block = Block(frozenset({0}), codelists, counts)
    return (
        build_system(
            [table(spec) for spec in chosen], Layout(cliques, [block], codelists), threshold
        ),
        steps + more,
    )


def _tree(name: str, counts: Sequence[int]) -> Codelist:
    """`counts`: codes at each level, finest first."""
    text = Text(en=name, es=name)
    levels = tuple(f"level{i}" for i in range(1, len(counts) + 1))
    nodes: list[Node] = []
    above = [ROOT]
    for level, count in zip(levels, reversed(counts), strict=True):
        codes = [f"{level}-{i}" for i in range(count)]
        nodes += [
            Node(code, text, above[i * len(above) // count], level) for i, code in enumerate(codes)
        ]
        above = codes
    return with_unknown(name, text, text, levels, nodes, unknown=False)


def nothing_before(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """No cell is fixed or kept by an earlier release."""
    return np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=bool)


def system_of(
    matrix: sp.csr_matrix,
    leaves: np.ndarray,
    labels: np.ndarray,
    dims: Sequence[Sequence[np.ndarray]],
    threshold: int,
) -> System:
    cells = sp.csr_matrix(matrix.astype(np.int64))
    values = np.asarray(cells @ leaves)
    return System(
        cells,
        sp.csr_matrix((0, cells.shape[1]), dtype=np.int64),
        leaves,
        values,
        (values > 0) & (values < threshold),
        np.zeros(len(values), dtype=bool),
        np.maximum(values, ZERO_COST).astype(float),
        tuple((("cell", str(i)),) for i in range(len(values))),
        (np.arange(len(values)),),
        relations(labels, dims),
        *nothing_before(values),
    )


def relations(labels: np.ndarray, dims: Sequence[Sequence[np.ndarray]]) -> tuple[Relation, ...]:
    """Labels are rows of (level of each dimension, code of each dimension). Levels that do not nest
    (sectors across precincts) give no sums."""
    count = len(dims)
    at = {tuple(label): i for i, label in enumerate(labels.tolist())}
    parts: dict[tuple[int, int, int], list[int]] = {}
    for label in labels.tolist():
        for d, maps in enumerate(dims):
            fine = label[d]
            above: list[int] = []
            for coarse in range(fine + 1, len(maps)):
                whole = label.copy()
                whole[d], whole[count + d] = (
                    coarse,
                    int(maps[coarse][np.flatnonzero(maps[fine] == label[count + d])[0]]),
                )
                if (
                    tuple(whole) in at
                    and _nest(maps[fine], maps[coarse])
                    and not any(_nest(maps[between], maps[coarse]) for between in above)
                ):
                    parts.setdefault((at[tuple(whole)], d, fine), []).append(at[tuple(label)])
                    above.append(coarse)
    return tuple((whole, tuple(members)) for (whole, _, _), members in parts.items())


def _nest(fine: np.ndarray, coarse: np.ndarray) -> bool:
    """Does each code of the fine level lie inside one of the coarse level? Both map leaves to
    codes."""
    return len(np.unique(np.stack([fine, coarse], axis=1), axis=0)) == len(np.unique(fine))


def tiny(seed: int, threshold: int) -> System:
    """A two-way table of 4 x 4 to 5 x 5 with totals, sparse enough to hold some small counts."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(4, 6, 2)
    counts = rng.negative_binomial(0.9, 0.06, tuple(shape))
    axes = [
        np.vstack([np.identity(n, dtype=np.int64), np.ones((1, n), dtype=np.int64)]) for n in shape
    ]
    number = np.arange((shape[0] + 1) * (shape[1] + 1)).reshape(shape + 1)
    sums = [(int(line[-1]), tuple(map(int, line[:-1]))) for line in [*number, *number.T]]
    cells = sp.csr_matrix(np.kron(axes[0], axes[1]))
    values = np.asarray(cells @ counts.ravel())
    return System(
        cells,
        sp.csr_matrix((0, counts.size), dtype=np.int64),
        counts.ravel(),
        values,
        (values > 0) & (values < threshold),
        np.zeros(len(values), dtype=bool),
        np.maximum(values, ZERO_COST).astype(float),
        tuple((("cell", str(i)),) for i in range(len(values))),
        (number,),
        tuple(sums),
        *nothing_before(values),
    )
