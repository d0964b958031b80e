"""The linked tables of one universe as one system: distinct cells, joint leaves, and what ties them.

`cells @ leaves` gives every cell; `margins @ leaves == 0` makes neighbouring cliques agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.codelists import ROOT, Codelist
from anonymize.protect.cliques import Clique
from anonymize.protect.primary import parents_along, primary, telling_remainder
from anonymize.tables import Counts, Dimension, Table

Key = tuple[tuple[str, str], ...]
"""A cell by its codes, roots left out, in order of dimension: one key, one cell, in whatever table."""

Relation = tuple[int, tuple[int, ...]]

COMPLEMENT = "not "
"""Before a code: everything of the parent but this code."""


@dataclass(frozen=True)
class System:
    """`cells` (distinct cells x leaves) and `margins` (ties x leaves) hold 0, 1 and -1 only.

    `where[t]` gives, for table t, the distinct cell of each of its cells; `cost[i]` is what withholding
    cell i costs readers. Behind the published cells stand, for tables with a sensitive attribute, what
    each cell leaves over of the cell above it (code marked by COMPLEMENT): never published themselves, but
    attacked and protected like a withheld cell. `relations`: (whole, parts), each cell that is the sum of others.
    """

    cells: sp.csr_matrix
    margins: sp.csr_matrix
    leaves: Counts
    values: Counts
    sensitive: npt.NDArray[np.bool_]
    unpublished: npt.NDArray[np.bool_]
    cost: npt.NDArray[np.float64]
    keys: tuple[Key, ...]
    where: tuple[npt.NDArray[np.int64], ...]
    relations: tuple[Relation, ...]


def _membership(codelist: Codelist, codes: Sequence[str], finest: str) -> sp.csr_matrix:
    """(codes x codes at `finest`) 0/1."""
    leaves = codelist.codes_at(finest)
    rows, columns = [], []
    for i, code in enumerate(codes):
        above = codelist.ancestors(codelist.by_code[code].level)
        for j, leaf in enumerate(leaves):
            if above[leaf] == code:
                rows.append(i)
                columns.append(j)
    return sp.csr_matrix((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=(len(codes), len(leaves)))


def _kron(matrices: list[sp.csr_matrix]) -> sp.csr_matrix:
    return sp.csr_matrix(reduce(lambda a, b: sp.kron(a, b, format="csr"), matrices, sp.csr_matrix(np.ones((1, 1), dtype=np.int64))))


def _holds(clique: Clique, table: Table, codelists: Mapping[str, Codelist]) -> bool:
    finest = {d: dim.finest for d, dim in table.dimensions.items() if dim.finest != ROOT}
    finest |= {d: codelists[d].finest for d in table.where}
    return all(
        d in clique.levels and codelists[d].levels.index(level) <= codelists[d].levels.index(clique.levels[d])
        for d, level in finest.items()
    )


def clique_dimensions(clique: Clique, codelists: Mapping[str, Codelist]) -> dict[str, Dimension]:
    return {d: Dimension(codelists[d], (level,)) for d, level in clique.levels.items()}


def build_system(
    tables: Sequence[Table], cliques: Sequence[Clique], counts: Sequence[Counts], codelists: Mapping[str, Codelist], threshold: int
) -> System:
    """`counts[i]` are the true joint counts of clique i, one axis per dimension in `levels` order."""
    offsets = np.concatenate([[0], np.cumsum([c.size for c in counts])]).astype(np.int64)
    width = int(offsets[-1])
    blocks: list[sp.csr_matrix] = []
    number: dict[Key, int] = {}
    where: list[npt.NDArray[np.int64]] = []
    sensitive: dict[int, bool] = {}
    cost: dict[int, float] = {}
    for table in tables:
        home = next(i for i, clique in enumerate(cliques) if _holds(clique, table, codelists))
        rows = _kron([_axis_rows(table, d, level, codelists[d]) for d, level in cliques[home].levels.items()])
        keys = _keys(table, list(cliques[home].levels))
        fresh = [i for i, key in enumerate(keys) if key not in number]
        for i in fresh:
            number[keys[i]] = len(number)
        blocks.append(_widen(rows[fresh], int(offsets[home]), width))
        ids = np.array([number[key] for key in keys], dtype=np.int64)
        order = _clique_order(table, list(cliques[home].levels))
        where.append(ids.reshape([table.shape[i] for i in order]).transpose(np.argsort(order)))
        flags = primary(table, threshold)
        for cell, flag, value in zip(where[-1].ravel().tolist(), flags.ravel().tolist(), _costs(table).ravel().tolist(), strict=True):
            sensitive[cell] = sensitive.get(cell, False) or flag
            cost[cell] = cost.get(cell, 0.0) + value
    published = len(number)
    relations = list(dict.fromkeys(relation for table, ids in zip(tables, where, strict=True) for relation in _sums(table, ids)))
    cells = sp.csr_matrix(sp.vstack(blocks))
    for table, ids in zip(tables, where, strict=True):
        cells = sp.csr_matrix(sp.vstack([cells, _left_over(table, ids, cells, number, relations)]))
    leaves = np.concatenate([c.ravel() for c in counts])
    margins = _margins(cliques, offsets, width, codelists)
    values = np.asarray(cells @ leaves, dtype=np.int64)
    for table, ids in zip(tables, where, strict=True):
        if np.any(values[ids] != table.values):
            raise AssertionError(f"table {table.name} does not agree with the joint counts; please report this")
    if np.any(margins @ leaves != 0):
        raise AssertionError("joint counts do not agree on their shared margins; please report this")
    size = len(number)
    flags_of = np.array([sensitive.get(i, False) for i in range(size)])
    for whole, (_, *rest) in relations:
        for cell in rest:
            if cell >= published:
                flags_of[cell] |= telling_remainder(values[cell], values[whole], threshold)
    return System(
        cells, margins, leaves, values, flags_of, np.arange(size) >= published,
        np.array([cost.get(i, 0.0) for i in range(size)]), tuple(number), tuple(where), tuple(relations),
    )  # fmt: skip


def _sums(table: Table, ids: npt.NDArray[np.int64]) -> list[Relation]:
    """Every cell of `table` that has parts in it, with them, dimension by dimension."""
    found: list[Relation] = []
    for axis, (name, dimension) in enumerate(table.dimensions.items()):
        by_code = np.moveaxis(ids, axis, 0).reshape(len(dimension.codes), -1)
        parts: dict[tuple[int, str], list[int]] = {}
        for i, above in parents_along(table, name).items():
            parts.setdefault((above, dimension.codelist.by_code[dimension.codes[i]].level), []).append(i)
        for (above, _), members in parts.items():
            found += [(int(whole), tuple(map(int, column))) for whole, column in zip(by_code[above], by_code[members].T, strict=True)]
    return found


def _left_over(
    table: Table, ids: npt.NDArray[np.int64], cells: sp.csr_matrix, number: dict[Key, int], relations: list[Relation]
) -> sp.csr_matrix:  # fmt: skip
    """Rows for what each cell leaves of the cell above it along the sensitive attribute; adds to `number` and `relations`."""
    name = table.sensitive_attribute
    rows = [sp.csr_matrix((0, cells.shape[1]), dtype=np.int64)]
    if name is not None:
        by_code = np.moveaxis(ids, list(table.dimensions).index(name), 0)
        codes, keys = table.dimensions[name].codes, tuple(number)
        for i, above in parents_along(table, name).items():
            for part, whole in zip(by_code[i].ravel(), by_code[above].ravel(), strict=True):
                row = cells[int(whole)] - cells[int(part)]
                row.eliminate_zeros()
                rest = tuple(pair for pair in keys[int(part)] if pair[0] != name)
                key = tuple(sorted((*rest, (name, f"{COMPLEMENT}{codes[i]} of {codes[above]}"))))
                if row.nnz and key not in number:
                    number[key] = len(number)
                    rows.append(row)
                    relations.append((int(whole), (int(part), number[key])))
    return sp.csr_matrix(sp.vstack(rows))


def _axis_rows(table: Table, dimension: str, level: str, codelist: Codelist) -> sp.csr_matrix:
    if dimension in table.dimensions:
        return _membership(codelist, table.dimensions[dimension].codes, level)
    if dimension in table.where:
        return _membership(codelist, [table.where[dimension]], level)
    return _membership(codelist, [ROOT], level)


def _clique_order(table: Table, names: list[str]) -> list[int]:
    """The table's axes in the clique's order; axes the clique lacks (only roots) come last."""
    mine = list(table.dimensions)
    inside = [mine.index(d) for d in names if d in table.dimensions]
    return inside + [i for i in range(len(mine)) if i not in inside]


def _keys(table: Table, names: list[str]) -> list[Key]:
    axes: list[tuple[str, Sequence[str]]] = []
    for dimension in names:
        if dimension in table.dimensions:
            axes.append((dimension, table.dimensions[dimension].codes))
    found: list[dict[str, str]] = [dict(table.where)]
    for dimension, codes in axes:
        found = [key | {dimension: code} for key in found for code in codes]
    return [tuple(sorted((d, c) for d, c in key.items() if c != ROOT)) for key in found]


def _widen(rows: sp.csr_matrix, offset: int, width: int) -> sp.csr_matrix:
    return sp.csr_matrix((rows.data, rows.indices + offset, rows.indptr), shape=(rows.shape[0], width))


def _margins(cliques: Sequence[Clique], offsets: npt.NDArray[np.int64], width: int, codelists: Mapping[str, Codelist]) -> sp.csr_matrix:
    blocks = []
    for i, clique in enumerate(cliques):
        if clique.parent < 0:
            continue
        sides = []
        for position in (i, clique.parent):
            axes = []
            for d, level in cliques[position].levels.items():
                codes = codelists[d].codes_at(clique.shared[d]) if d in clique.shared else (ROOT,)
                axes.append(_membership(codelists[d], codes, level))
            sides.append(_widen(_kron(axes), int(offsets[position]), width))
        blocks.append(sides[0] - sides[1])
    return sp.csr_matrix(sp.vstack(blocks)) if blocks else sp.csr_matrix((0, width), dtype=np.int64)


def _costs(table: Table) -> npt.NDArray[np.float64]:
    """What withholding each cell costs readers: larger counts and coarser levels are worth more."""
    weight = np.ones(table.shape)
    for axis, dimension in enumerate(table.dimensions.values()):
        steps = [
            1.0 + (len(dimension.levels) - 1 - rank)
            for rank, level in enumerate(dimension.levels)
            for _ in dimension.codelist.codes_at(level)
        ]
        weight *= np.array(steps).reshape([-1 if i == axis else 1 for i in range(len(table.shape))])
    costs: npt.NDArray[np.float64] = weight * np.sqrt(1.0 + table.values)
    return costs


__all__ = ["Key", "System", "build_system", "clique_dimensions"]
