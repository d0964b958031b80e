"""The attacker's equations: whole-number unknowns and everything the release says about their sums.

Unknowns are the cells of a set of cliques of (dimension, level) variables. Where the tables form an
acyclic scheme, tables that agree on shared margins always have one joint whole-number table behind
them (Vorob'ev 1962; Atserias and Kolaitis 2021), so a system over the cliques of a chordal completion,
with equal margins between neighbours, is exact and far smaller than the full cross of all dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import prod

import networkx as nx
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.audit.reader import Finding, Key, PublicTable, Tree
from anonymize.errors import AuditError

MOST_UNKNOWNS = 2_000_000
COMPLEMENT = "not "
"""Before a code: everything of the parent but this code."""

Clique = dict[str, str]
"""Dimension -> finest level."""


@dataclass(frozen=True)
class Equations:
    """`fixed @ x == values`, `low <= ranges @ x <= high`, x whole and not negative; `hidden @ x` is sought.

    All matrices have one column per unknown. `hidden_cells` names the rows of `hidden`: the withheld
    cells, and, where a table has a sensitive attribute, what a cell leaves over of the cell above it
    (with the code marked by COMPLEMENT).
    """

    fixed: sp.csr_matrix
    values: npt.NDArray[np.int64]
    ranges: sp.csr_matrix
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    hidden: sp.csr_matrix
    hidden_cells: tuple[Key, ...]


def _rank(trees: Mapping[str, Tree], dimension: str, level: str) -> int:
    return list(trees[dimension].levels).index(level)


def cliques_of(tables: Iterable[PublicTable], trees: Mapping[str, Tree]) -> tuple[list[Clique], list[tuple[int, int]]]:
    """The cliques and the tree that joins them, as pairs of positions.

    Raises AuditError if the joined cliques lack the running intersection property, on which
    exactness rests.
    """
    graph: nx.Graph = nx.Graph()
    for table in tables:
        variables: list[tuple[str, str]] = []
        deepest = table.finest | {d: list(trees[d].levels)[-1] for d in table.where}
        for dimension, finest in deepest.items():
            used = list(trees[dimension].levels)[1 : _rank(trees, dimension, finest) + 1]
            variables += [(dimension, level) for level in used]
        graph.add_nodes_from(variables)
        graph.add_edges_from(combinations(variables, 2))
    if not graph:
        return [{}], []
    chordal, _ = nx.complete_to_chordal_graph(graph)
    found: list[Clique] = []
    for members in sorted(nx.find_cliques(chordal), key=lambda m: sorted(m)):
        clique: Clique = {}
        for dimension, level in sorted(members):
            if dimension not in clique or _rank(trees, dimension, level) > _rank(trees, dimension, clique[dimension]):
                clique[dimension] = level
        found.append(clique)
    closed = [_closed(clique, trees) for clique in found]
    keep = [i for i, c in enumerate(closed) if not any(c < o or (c == o and j < i) for j, o in enumerate(closed))]
    found, closed = [found[i] for i in keep], [closed[i] for i in keep]
    joined: nx.Graph = nx.Graph()
    joined.add_nodes_from(range(len(found)))
    for i, j in combinations(range(len(found)), 2):
        joined.add_edge(i, j, weight=len(closed[i] & closed[j]))
    tree = nx.maximum_spanning_tree(joined)
    # Running intersection holds exactly when the separators' sizes sum to this (Jensen and Jensen 1994).
    shared = sum(data["weight"] for _, _, data in tree.edges(data=True))
    if shared != sum(map(len, closed)) - len(set().union(*closed)):
        raise AuditError("the tables are linked in a way that the audit cannot take apart exactly; publish fewer overlapping tables")
    return found, sorted((min(i, j), max(i, j)) for i, j, data in tree.edges(data=True))


def _closed(clique: Clique, trees: Mapping[str, Tree]) -> frozenset[tuple[str, str]]:
    return frozenset((d, lv) for d, finest in clique.items() for lv in list(trees[d].levels)[1 : _rank(trees, d, finest) + 1])


class Space:
    """Columns of all cliques, numbered one after another; sums over them as sparse rows."""

    def __init__(self, tables: list[PublicTable], trees: Mapping[str, Tree]) -> None:
        self.trees = trees
        self.cliques, self.joins = cliques_of(tables, trees)
        self.order = [sorted(clique) for clique in self.cliques]
        self.shapes = [
            tuple(len(trees[d].levels[clique[d]]) for d in names) for clique, names in zip(self.cliques, self.order, strict=True)
        ]
        sizes = [prod(shape) for shape in self.shapes]
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.size = int(self.offsets[-1])
        if self.size > MOST_UNKNOWNS:
            raise AuditError(f"the linked tables have {self.size:,} unknowns, more than {MOST_UNKNOWNS:,}; publish fewer or coarser tables")
        self._under: dict[tuple[str, str, str], npt.NDArray[np.int64]] = {}

    def _positions(self, dimension: str, code: str, finest: str) -> npt.NDArray[np.int64]:
        """Positions at level `finest` of all codes under `code`."""
        at = (dimension, code, finest)
        if at not in self._under:
            tree = self.trees[dimension]
            level = next(name for name, codes in tree.levels.items() if code in codes)
            above = tree.above(level)
            self._under[at] = np.array([i for i, c in enumerate(tree.levels[finest]) if above.get(c) == code], dtype=np.int64)
        return self._under[at]

    def _holds(self, clique: Clique, key: Key) -> bool:
        for dimension, code in key:
            if dimension not in clique:
                return False
            level = next(name for name, codes in self.trees[dimension].levels.items() if code in codes)
            if _rank(self.trees, dimension, level) > _rank(self.trees, dimension, clique[dimension]):
                return False
        return True

    def columns(self, key: Key, clique_number: int | None = None) -> npt.NDArray[np.int64]:
        """The unknowns that sum to the cell, in the given clique or the first that holds it."""
        if clique_number is None:
            clique_number = next(i for i, clique in enumerate(self.cliques) if self._holds(clique, key))
        clique, codes = self.cliques[clique_number], dict(key)
        axes = [
            self._positions(d, codes[d], clique[d]) if d in codes else np.arange(n, dtype=np.int64)
            for d, n in zip(self.order[clique_number], self.shapes[clique_number], strict=True)
        ]
        if not axes:
            return self.offsets[[clique_number]]
        grid = np.ix_(*axes)
        inside: npt.NDArray[np.int64] = np.ravel_multi_index(grid, self.shapes[clique_number]).ravel()
        return np.asarray(self.offsets[clique_number] + inside)

    def complement(self, key: Key) -> npt.NDArray[np.int64] | None:
        """The unknowns of a left-over cell (see COMPLEMENT); None where the parent has no other child."""
        dimension, marked = next(pair for pair in key if pair[1].startswith(COMPLEMENT))
        code, above = marked.removeprefix(COMPLEMENT).split(" of ")
        rest = frozenset(pair for pair in key if pair[0] != dimension)
        part_key = rest | {(dimension, code)}
        clique = next(i for i, c in enumerate(self.cliques) if self._holds(c, part_key))
        part, whole = self.columns(part_key, clique), self.columns(_parent_key(part_key, dimension, above), clique)
        left = np.setdiff1d(whole, part, assume_unique=True)
        return left if len(left) else None

    def margins(self) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """For each cell shared by joined cliques: its unknowns in the one and in the other."""
        pairs = []
        for i, j in self.joins:
            shared = {}
            for dimension in set(self.cliques[i]) & set(self.cliques[j]):
                levels = (self.cliques[i][dimension], self.cliques[j][dimension])
                shared[dimension] = min(levels, key=lambda level: _rank(self.trees, dimension, level))
            keys: list[dict[str, str]] = [{}]
            for dimension, level in sorted(shared.items()):
                keys = [key | {dimension: code} for key in keys for code in self.trees[dimension].levels[level]]
            pairs += [(self.columns(frozenset(key.items()), i), self.columns(frozenset(key.items()), j)) for key in keys]
        return pairs


def _matrix(rows: list[npt.NDArray[np.int64]], weights: list[npt.NDArray[np.float64]] | None, width: int) -> sp.csr_matrix:
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    data = np.concatenate(weights) if weights else np.ones(len(indices))
    return sp.csr_matrix((data, indices, indptr), shape=(len(rows), width))


def equations(tables: list[PublicTable], trees: Mapping[str, Tree], findings: list[Finding]) -> Equations:
    """All that the tables of one universe say. Contradictions between tables become findings."""
    space = Space(tables, trees)
    visible: dict[Key, int] = {}
    hidden: dict[Key, npt.NDArray[np.int64]] = {}
    range_rows: list[npt.NDArray[np.int64]] = []
    range_weights: list[npt.NDArray[np.float64]] = []
    for table in tables:
        for cell in table.cells:
            if cell.value is None:
                hidden[cell.key] = space.columns(cell.key)
            elif visible.setdefault(cell.key, cell.value) != cell.value:
                findings.append(
                    Finding("contradiction", "two tables publish different counts for one cell", table.name, tuple(sorted(cell.key)))
                )
            for column, percent in cell.percent.items():
                _add_share(space, cell.key, table.percent_of[column], percent, range_rows, range_weights)
    for key in hidden.keys() & visible.keys():
        findings.append(Finding("across tables", "a cell withheld in one table stands in another", "", tuple(sorted(key))))
    for table in tables:
        for key in _left_over(table, trees, visible):
            if (columns := space.complement(key)) is not None:
                hidden[key] = columns
    hidden = {key: columns for key, columns in hidden.items() if key not in visible}
    rows = [space.columns(key) for key in visible]
    margin_rows, margin_weights = [], []
    for one, other in space.margins():
        margin_rows.append(np.concatenate([one, other]))
        margin_weights.append(np.concatenate([np.ones(len(one)), -np.ones(len(other))]))
    weights = [np.ones(len(row)) for row in rows] + margin_weights
    values = np.array([*visible.values(), *([0] * len(margin_rows))], dtype=np.int64)
    return Equations(
        fixed=_matrix(rows + margin_rows, weights, space.size),
        values=values,
        ranges=_matrix(range_rows, range_weights, space.size),
        low=np.tile([0.0, -np.inf], len(range_rows) // 2),
        high=np.tile([np.inf, 0.0], len(range_rows) // 2),
        hidden=_matrix(list(hidden.values()), None, space.size),
        hidden_cells=tuple(hidden),
    )


def _parent_key(key: Key, dimension: str, parent: str) -> Key:
    return frozenset(pair for pair in key if pair[0] != dimension) | ({(dimension, parent)} if parent != "all" else frozenset())


def _left_over(table: PublicTable, trees: Mapping[str, Tree], visible: Mapping[Key, int]) -> list[Key]:
    """The complements along the sensitive attribute that are not plain from two published counts."""
    name = table.sensitive_attribute
    if name is None:
        return []
    mine = {cell.key for cell in table.cells}
    found = []
    for cell in table.cells:
        code = dict(cell.key).get(name)
        if code is None:
            continue
        above = trees[name].parent[code]
        while _parent_key(cell.key, name, above) not in mine:
            above = trees[name].parent[above]
        if cell.key not in visible or _parent_key(cell.key, name, above) not in visible:
            found.append(frozenset(pair for pair in cell.key if pair[0] != name) | {(name, f"{COMPLEMENT}{code} of {above}")})
    return found


def _add_share(
    space: Space, key: Key, dimension: str, percent: float,
    rows: list[npt.NDArray[np.int64]], weights: list[npt.NDArray[np.float64]],
) -> None:  # fmt: skip
    """A share rounded to whole per cent: (p - 1/2) whole <= 100 part <= (p + 1/2) whole."""
    whole_key = frozenset(pair for pair in key if pair[0] != dimension)
    clique = next(i for i, c in enumerate(space.cliques) if space._holds(c, key))
    part, whole = space.columns(key, clique), space.columns(whole_key, clique)
    for edge in (percent - 0.5, percent + 0.5):
        inside = np.isin(whole, part)
        rows.append(whole)
        weights.append(np.where(inside, 100.0 - edge, -edge))
