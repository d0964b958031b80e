"""The attacker's equations: whole-number unknowns and everything the release says about their
sums.

Unknowns are the cells of a set of cliques of (dimension, level) variables. Where the tables form
an acyclic scheme, tables that agree on shared margins always have one joint whole-number table
behind them (Vorob'ev 1962; Atserias and Kolaitis 2021), so a system over the cliques of a chordal
completion, with equal margins between neighbours, is exact and far smaller than the full cross of
all dimensions.

Several releases are one system. Its calls are divided into blocks by the releases in which they
are, coded alike. Blocks of calls that were added, removed or recoded exist only where a release
says that there were any, within the bounds that it gives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import prod

import networkx as nx
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.audit.ancestors import narrowest, wider
from anonymize.audit.declared import Blanks, Shares, blanks
from anonymize.audit.derived_fields import Equality, equal_counts, nobody
from anonymize.audit.reader import Finding, Key, PublicRelease, PublicStatistic, PublicTable, Tree
from anonymize.audit.statistic_bounds import facts_of
from anonymize.errors import AuditError

MAX_UNKNOWNS = 2_000_000
EARLIER = "earlier release"
"""In a key, before the version of an earlier release."""
COMPLEMENT = "not "
"""Before a code: everything of the parent except this code."""

Clique = dict[str, str]
"""Dimension -> finest level."""
NOBODY: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
"""No unknowns."""


@dataclass(frozen=True)
class Equations:
    """`fixed @ x == values`, `low <= ranges @ x <= high`, x whole and not negative; `hidden @ x`
    is sought.

    All matrices have one column for each unknown. `hidden_cells` names the rows of `hidden`: the
    withheld cells and, where a table has a sensitive attribute, the complement of each cell (its
    code marked by COMPLEMENT). `told`: how many of the ranges come from statistics.
    """

    fixed: sp.csr_matrix
    values: npt.NDArray[np.int64]
    ranges: sp.csr_matrix
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    hidden: sp.csr_matrix
    hidden_cells: tuple[Key, ...]
    told: int = 0

    def only(self, cells: Collection[Key]) -> Equations:
        """The same equations, with only `cells` sought."""
        rows = [i for i, cell in enumerate(self.hidden_cells) if cell in cells]
        return replace(
            self, hidden=self.hidden[rows], hidden_cells=tuple(self.hidden_cells[i] for i in rows)
        )


def _rank(trees: Mapping[str, Tree], dimension: str, level: str) -> int:
    return list(trees[dimension].levels).index(level)


def cliques_of(
    tables: Iterable[PublicTable], trees: Mapping[str, Tree], empty: Iterable[Key] = ()
) -> tuple[list[Clique], list[tuple[int, int]]]:
    """The cliques and the tree that joins them, as pairs of positions. Each of the cells `empty`,
    of which everyone knows that no call is there, lies in a clique if tables have its dimensions.

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
    told = {frozenset((d, trees[d].level_of[c]) for d, c in cell if d in trees) for cell in empty}
    for cell_levels in told:
        together = [
            (dimension, level)
            for dimension, deepest_told in cell_levels
            for level in list(trees[dimension].levels)[
                1 : _rank(trees, dimension, deepest_told) + 1
            ]
        ]
        if all(graph.has_node(variable) for variable in together):
            graph.add_edges_from(combinations(together, 2))
    if not graph:
        return [{}], []
    chordal, _ = nx.complete_to_chordal_graph(graph)
    found: list[Clique] = []
    for members in sorted(nx.find_cliques(chordal), key=lambda m: sorted(m)):
        clique: Clique = {}
        for dimension, level in sorted(members):
            if dimension not in clique or _rank(trees, dimension, level) > _rank(
                trees, dimension, clique[dimension]
            ):
                clique[dimension] = level
        found.append(clique)
    closed = [_closed(clique, trees) for clique in found]
    keep = [
        i
        for i, c in enumerate(closed)
        if not any(c < o or (c == o and j < i) for j, o in enumerate(closed))
    ]
    found, closed = [found[i] for i in keep], [closed[i] for i in keep]
    joined: nx.Graph = nx.Graph()
    joined.add_nodes_from(range(len(found)))
    for i, j in combinations(range(len(found)), 2):
        joined.add_edge(i, j, weight=len(closed[i] & closed[j]))
    tree = nx.maximum_spanning_tree(joined)
    # Running intersection holds exactly when the separators' sizes sum to this (Jensen and Jensen
    # 1994).
    shared = sum(data["weight"] for _, _, data in tree.edges(data=True))
    if shared != sum(map(len, closed)) - len(set().union(*closed)):
        raise AuditError(
            "the tables are linked in a way that the audit cannot take apart exactly; publish "
            "fewer overlapping tables"
        )
    return found, sorted((min(i, j), max(i, j)) for i, j, data in tree.edges(data=True))


def _closed(clique: Clique, trees: Mapping[str, Tree]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (d, lv)
        for d, finest in clique.items()
        for lv in list(trees[d].levels)[1 : _rank(trees, d, finest) + 1]
    )


class Space:
    """The columns of one block: all cliques, numbered one after another from `first`; sums over
    them as sparse rows.

    `every` holds the codes of all releases; `trees` those that are possible in this block.
    """

    def __init__(
        self,
        cliques: list[Clique],
        joins: list[tuple[int, int]],
        every: Mapping[str, Tree],
        trees: Mapping[str, Tree],
        first: int = 0,
    ) -> None:
        self.every, self.trees, self.cliques, self.joins = every, trees, cliques, joins
        self.order = [sorted(clique) for clique in self.cliques]
        self.shapes = [
            tuple(len(trees[d].levels[clique[d]]) for d in names)
            for clique, names in zip(self.cliques, self.order, strict=True)
        ]
        sizes = [prod(shape) for shape in self.shapes]
        self.offsets = (first + np.concatenate([[0], np.cumsum(sizes)])).astype(np.int64)
        self.end = int(self.offsets[-1])
        self._under: dict[tuple[str, str, str], npt.NDArray[np.int64]] = {}
        self._columns: dict[tuple[Key, int], npt.NDArray[np.int64]] = {}
        self._ranks: dict[str, dict[str, int]] = {}

    def _positions(self, dimension: str, code: str, finest: str) -> npt.NDArray[np.int64]:
        """Positions at level `finest` of all codes under `code`; none for a code that is
        impossible in this block."""
        at = (dimension, code, finest)
        if at not in self._under:
            tree = self.trees[dimension]
            level = next((name for name, codes in tree.levels.items() if code in codes), None)
            above = tree.above(level) if level else {}
            self._under[at] = np.array(
                [i for i, c in enumerate(tree.levels[finest]) if above.get(c) == code],
                dtype=np.int64,
            )
        return self._under[at]

    def home(self, key: Key) -> int:
        """The first clique that contains the cell."""
        return next(i for i, clique in enumerate(self.cliques) if self._holds(clique, key))

    def holds(self, key: Key) -> bool:
        return any(self._holds(clique, key) for clique in self.cliques)

    def _holds(self, clique: Clique, key: Key) -> bool:
        return all(
            dimension in clique
            and self._rank(dimension, self.every[dimension].level_of[code])
            <= self._rank(dimension, clique[dimension])
            for dimension, code in key
        )

    def _rank(self, dimension: str, level: str) -> int:
        if dimension not in self._ranks:
            self._ranks[dimension] = {
                name: i for i, name in enumerate(self.every[dimension].levels)
            }
        return self._ranks[dimension][level]

    def columns(self, key: Key, clique_number: int) -> npt.NDArray[np.int64]:
        """The unknowns that sum to the cell, in the given clique. Cached, since every release asks
        again."""
        at = (key, clique_number)
        if at not in self._columns:
            self._columns[at] = self._sought(key, clique_number)
        return self._columns[at]

    def _sought(self, key: Key, clique_number: int) -> npt.NDArray[np.int64]:
        clique, shape = self.cliques[clique_number], self.shapes[clique_number]
        given = {d: self._positions(d, code, clique[d]) for d, code in key}
        if not all(map(len, given.values())):
            return NOBODY
        inside = np.zeros(1, dtype=np.int64)
        for d, size in zip(self.order[clique_number], shape, strict=True):
            axis = given[d] if d in given else np.arange(size, dtype=np.int64)
            inside = (inside[:, None] * size + axis).ravel()
        return np.asarray(self.offsets[clique_number] + inside)

    def margins(self) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """For each cell shared by joined cliques: its unknowns in one and in the other."""
        pairs = []
        for i, j in self.joins:
            shared = {}
            for dimension in set(self.cliques[i]) & set(self.cliques[j]):
                levels = (self.cliques[i][dimension], self.cliques[j][dimension])
                shared[dimension] = min(
                    levels, key=lambda level: _rank(self.every, dimension, level)
                )
            keys: list[dict[str, str]] = [{}]
            for dimension, level in sorted(shared.items()):
                keys = [
                    key | {dimension: code}
                    for key in keys
                    for code in self.trees[dimension].levels[level]
                ]
            pairs += [
                (self.columns(frozenset(key.items()), i), self.columns(frozenset(key.items()), j))
                for key in keys
            ]
        return pairs


class Blocks:
    """All blocks of all releases (oldest first, the newest last): which release contains which,
    and their bounds."""

    def __init__(
        self,
        tables: Sequence[Sequence[PublicTable]],
        trees: Sequence[Mapping[str, Tree]],
        revised: Sequence[tuple[Sequence[str], int]],
        not_collected: Sequence[Collection[str]],
        empty: Iterable[Key] = (),
    ) -> None:
        self.every = union_trees(trees)
        cliques, joins = cliques_of(
            [table for listed in tables for table in listed], self.every, empty
        )
        self.spaces: list[Space] = []
        self.present: list[frozenset[int]] = []
        self.bounds: list[tuple[npt.NDArray[np.int64], int]] = []
        end = 0
        started: dict[int, list[int]] = {}
        ended: dict[int, list[int]] = {}
        for months, runs in _parted(self.every, trees, revised, not_collected):
            for inside, first, last in runs:
                present = inside[first : last + 1]
                held = {
                    name: _shared(
                        tree, [t[name] for r, t in enumerate(trees) if r in present and name in t]
                    )
                    for name, tree in self.every.items()
                }
                if months is not None:
                    held["period"] = _only(self.every["period"], months)
                if first > 0:
                    started.setdefault(inside[first], []).append(len(self.spaces))
                if last + 1 < len(inside):
                    ended.setdefault(inside[last + 1], []).append(len(self.spaces))
                self.spaces.append(Space(cliques, joins, self.every, held, end))
                self.present.append(frozenset(present))
                end = self.spaces[-1].end
        self.size = end
        if self.size > MAX_UNKNOWNS:
            raise AuditError(
                f"the linked tables have {self.size:,} unknowns, more than {MAX_UNKNOWNS:,}; "
                "publish fewer or coarser tables"
            )
        self._homes: dict[Key, int] = {}
        self._of_release = [
            [b for b, present in enumerate(self.present) if r in present]
            for r in range(len(tables))
        ]
        for side in (started, ended):
            for release, blocks in sorted(side.items()):
                calls = [
                    np.arange(self.spaces[b].offsets[0], self.spaces[b].offsets[1]) for b in blocks
                ]
                self.bounds.append((np.concatenate(calls), revised[release][1]))

    def columns(self, release: int, key: Key, clique: int | None = None) -> npt.NDArray[np.int64]:
        """The unknowns that sum to a cell of the release."""
        home = self.home(key) if clique is None else clique
        return self.joined(key, self.parts(release, key, home), home)

    def parts(self, release: int, key: Key, clique: int | None = None) -> tuple[int, ...]:
        """The blocks that hold unknowns of a cell of the release."""
        home = self.home(key) if clique is None else clique
        return tuple(b for b in self._of_release[release] if len(self.spaces[b].columns(key, home)))

    def joined(
        self, key: Key, parts: Sequence[int], clique: int | None = None
    ) -> npt.NDArray[np.int64]:
        """The unknowns of a cell in some blocks."""
        home = self.home(key) if clique is None else clique
        found = [self.spaces[b].columns(key, home) for b in parts]
        return found[0] if len(found) == 1 else np.concatenate([NOBODY, *found])

    def home(self, key: Key) -> int:
        if key not in self._homes:
            self._homes[key] = self.spaces[0].home(key)
        return self._homes[key]

    def holds(self, key: Key) -> bool:
        """Does any clique contain the cell? Otherwise no table joins its dimensions."""
        return self.spaces[0].holds(key)

    def complement(self, release: int, key: Key) -> npt.NDArray[np.int64] | None:
        """Unknowns of a complement (see COMPLEMENT); None where the parent has no other child."""
        dimension, marked = next(pair for pair in key if pair[1].startswith(COMPLEMENT))
        code, above = marked.removeprefix(COMPLEMENT).split(" of ")
        rest = frozenset(pair for pair in key if pair[0] != dimension)
        part_key = rest | {(dimension, code)}
        clique = self.home(part_key)
        part, whole = (
            self.columns(release, part_key, clique),
            self.columns(release, _parent_key(part_key, dimension, above), clique),
        )
        left = np.setdiff1d(whole, part, assume_unique=True)
        return left if len(left) else None


def union_trees(trees: Sequence[Mapping[str, Tree]]) -> dict[str, Tree]:
    """Every code of every release. Raises AuditError where a code has two places in a tree."""
    found: dict[str, Tree] = {}
    for listed in trees:
        for name, tree in listed.items():
            before = found.get(name)
            if before is None:
                found[name] = tree
                continue
            if tuple(before.levels) != tuple(tree.levels) or any(
                before.parent.get(code, above) != above for code, above in tree.parent.items()
            ):
                raise AuditError(
                    f"the codes of '{name}' changed their places between releases; the releases "
                    "cannot be compared exactly"
                )
            levels = {
                level: tuple(dict.fromkeys((*codes, *tree.levels[level])))
                for level, codes in before.levels.items()
            }
            found[name] = Tree(levels, before.parent | tree.parent)
    return found


def _parted(
    every: Mapping[str, Tree],
    trees: Sequence[Mapping[str, Tree]],
    revised: Sequence[tuple[Sequence[str], int]],
    not_collected: Sequence[Collection[str]],
) -> list[tuple[list[str] | None, list[tuple[tuple[int, ...], int, int]]]]:
    """Months that share their releases and revisions, with the runs of releases in which their
    calls can be: (releases, first, last).

    A month of which a release collected nothing has no calls of that release, like one outside its
    period.
    """
    if len(trees) == 1:
        return [(None, [((0,), 0, 0)])]
    if any("period" not in listed for listed in trees):
        raise AuditError(
            "a release has no codes for its period, so it cannot be compared with the others; "
            "build it again"
        )
    windows = [
        set(list(listed["period"].levels.values())[-1]) - set(gone)
        for listed, gone in zip(trees, not_collected, strict=True)
    ]
    groups: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
    for month in list(every["period"].levels.values())[-1]:
        inside = tuple(r for r, window in enumerate(windows) if month in window)
        if not inside:
            continue
        steps = tuple(i for i, r in enumerate(inside) if i > 0 and month in revised[r][0])
        groups.setdefault((inside, steps), []).append(month)
    found: list[tuple[list[str] | None, list[tuple[tuple[int, ...], int, int]]]] = []
    for (inside, steps), months in groups.items():
        edges = [0, *steps, len(inside)]
        found.append((months, [(inside, a, b - 1) for a, b in combinations(edges, 2)]))
    return found


def _shared(tree: Tree, trees: Sequence[Tree]) -> Tree:
    levels = {
        level: tuple(c for c in codes if all(c in t.parent for t in trees))
        for level, codes in tree.levels.items()
    }
    return Tree(
        levels,
        {
            code: above
            for code, above in tree.parent.items()
            if all(code in t.parent for t in trees)
        },
    )


def _only(tree: Tree, months: Sequence[str]) -> Tree:
    kept: set[str] = set()
    for month in months:
        code = month
        while code:
            kept.add(code)
            code = tree.parent.get(code, "")
    return Tree(
        {level: tuple(c for c in codes if c in kept) for level, codes in tree.levels.items()},
        {c: p for c, p in tree.parent.items() if c in kept},
    )


def _matrix(
    rows: list[npt.NDArray[np.int64]], weights: list[npt.NDArray[np.float64]] | None, width: int
) -> sp.csr_matrix:
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    data = np.concatenate(weights) if weights else np.ones(len(indices))
    return sp.csr_matrix((data, indices, indptr), shape=(len(rows), width))


@dataclass(frozen=True)
class Issue:
    """What one release says. `edges`: codes of its first and its last call on record, where they
    are public; `empty`: cells that hold no call, as everyone knows."""

    version: str
    """Empty for the newest."""
    tables: Sequence[PublicTable]
    trees: Mapping[str, Tree]
    shares: Shares | None = None
    statistics: Sequence[PublicStatistic] = ()
    threshold: int = 0
    not_collected: Collection[str] = ()
    """Months of which it collected nothing."""
    edges: Sequence[Key] = ()
    empty: Sequence[Key] = ()

    def of(self, universe: Collection[str]) -> Issue:
        return replace(
            self,
            tables=[table for table in self.tables if table.universe in universe],
            statistics=[
                statistic for statistic in self.statistics if statistic.universe in universe
            ],
        )


def issue_of(release: PublicRelease) -> Issue:
    """A release as it says everything; `replace` what is to be left out."""
    return Issue(
        release.version,
        release.tables,
        release.trees,
        release.declared.shares,
        release.statistics,
        release.threshold,
        release.months_not_collected,
        release.declared.edges,
        release.declared.empty,
    )


@dataclass(frozen=True)
class _Limit:
    """`low` <= the unknowns in `columns`, times `weights` (1 where None), <= `high`."""

    columns: npt.NDArray[np.int64]
    low: float
    high: float
    weights: npt.NDArray[np.float64] | None = None


@dataclass
class _Gathered:
    """All that the releases say so far, as rows over the unknowns of `blocks`. Contradictions
    become `findings`."""

    blocks: Blocks
    findings: list[Finding]
    rows: list[npt.NDArray[np.int64]] = field(default_factory=list)
    weights: list[npt.NDArray[np.float64]] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    """Of each row, what its unknowns, times their weights, add up to."""
    hidden: dict[Key, npt.NDArray[np.int64]] = field(default_factory=dict)
    shares: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = field(
        default_factory=list
    )
    """Two for each published share: not below 0, not above it."""
    limits: list[_Limit] = field(default_factory=list)
    from_statistics: list[_Limit] = field(default_factory=list)
    published: list[Mapping[Key, int]] = field(default_factory=list)
    """Of each release, its visible counts."""
    latest: dict[Key, tuple[tuple[int, ...], int]] = field(default_factory=dict)
    """Of each cell the last count that was published, and the blocks that it covered."""
    known: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    """What is published about each set of unknowns: what several releases say about the very same
    calls is one equation."""

    def add(self, number: int, issue: Issue) -> None:
        """What the release in the place `number` says."""
        mark = frozenset({(EARLIER, issue.version)}) if issue.version else frozenset()
        visible, mine = self._cells(number, issue, mark)
        for key in mine.keys() & visible.keys():
            message = "a cell withheld in one table stands in another"
            self.findings.append(Finding("across tables", message, "", tuple(sorted(key | mark))))
        for table in issue.tables:
            for key in _left_over(table, issue.trees, visible):
                if (columns := self.blocks.complement(number, key)) is not None:
                    mine[key] = columns
        self.limits += _blank(self.blocks, number, issue, visible)
        self.limits += _edges(self.blocks, number, issue)
        self.limits += [
            _Limit(self.blocks.columns(number, cell), 0.0, 0.0)
            for cell in issue.empty
            if self.blocks.holds(cell)
        ]
        self.from_statistics += _told(self.blocks, number, issue, visible)
        self.hidden |= {
            key | mark: columns
            for key, columns in mine.items()
            if key not in visible and not nobody(key, self.blocks.every)
        }
        for key, value in visible.items():
            if self._stated(number, key, value) != value:
                message = "two releases publish different counts for the very same calls"
                self.findings.append(
                    Finding("contradiction", message, "", tuple(sorted(key | mark)))
                )
        self.published.append(visible)

    def _cells(
        self, number: int, issue: Issue, mark: Key
    ) -> tuple[dict[Key, int], dict[Key, npt.NDArray[np.int64]]]:
        """The visible counts of one release, and the unknowns that make up each withheld cell."""
        visible: dict[Key, int] = {}
        mine: dict[Key, npt.NDArray[np.int64]] = {}
        for table in issue.tables:
            for cell in table.cells:
                if cell.value is None:
                    mine[cell.key] = self.blocks.columns(number, cell.key)
                elif visible.setdefault(cell.key, cell.value) != cell.value:
                    message = "two tables publish different counts for one cell"
                    self.findings.append(
                        Finding(
                            "contradiction", message, table.name, tuple(sorted(cell.key | mark))
                        )
                    )
                for column, percent in cell.percent.items():
                    self.shares += _share(
                        self.blocks, number, cell.key, table.percent_of[column], percent
                    )
        return visible, mine

    def _stated(self, number: int, key: Key, value: int) -> int:
        """Makes an equation of a published count, unless there is one of the very same calls;
        returns the count that stands."""
        parts = self.blocks.parts(number, key)
        before = self.latest.get(key)
        self.latest[key] = (parts, value)
        if before is not None and before[0] == parts:
            return before[1]
        row, signs, less = _since(self.blocks, key, parts, before)
        stands = self.known.setdefault((row.tobytes(), signs.tobytes()), value - less) + less
        if len(self.known) > len(self.rows):
            self.rows.append(row)
            self.weights.append(signs)
            self.values.append(value - less)
        return stands

    def links(
        self, cells: Collection[Key]
    ) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
        """What holds whatever is published: tables that share dimensions have the same margins,
        and cells of the same calls the same count. Each is a row that adds up to 0."""
        for space in self.blocks.spaces:
            for one, other in space.margins():
                yield (
                    np.concatenate([one, other]),
                    np.concatenate([np.ones(len(one)), -np.ones(len(other))]),
                )
        for same in equal_counts(cells, self.blocks.every, self.blocks.holds):
            if all(key in shown for shown in self.published for key in (*same.one, *same.other)):
                continue  # every release says all of it
            yield from _differences(self.blocks, same)

    def result(self, cells: Collection[Key]) -> Equations:
        hidden = _distinct(self.hidden)
        links = list(self.links(cells))
        limits = self.limits + self.from_statistics
        range_rows = [row for row, _weights in self.shares] + [limit.columns for limit in limits]
        range_weights = [weights for _row, weights in self.shares] + [
            np.ones(len(limit.columns)) if limit.weights is None else limit.weights
            for limit in limits
        ]
        pairs = len(self.shares) // 2
        low = [np.tile([0.0, -np.inf], pairs), np.array([limit.low for limit in limits])]
        high = [np.tile([np.inf, 0.0], pairs), np.array([limit.high for limit in limits])]
        return Equations(
            fixed=_matrix(
                self.rows + [row for row, _signs in links],
                self.weights + [signs for _row, signs in links],
                self.blocks.size,
            ),
            values=np.array([*self.values, *([0] * len(links))], dtype=np.int64),
            ranges=_matrix(range_rows, range_weights, self.blocks.size),
            low=np.concatenate(low),
            high=np.concatenate(high),
            hidden=_matrix(list(hidden.values()), None, self.blocks.size),
            hidden_cells=tuple(hidden),
            told=len(self.from_statistics),
        )


def equations(
    newest: Issue,
    findings: list[Finding],
    earlier: Sequence[PublicRelease] = (),
    revised: tuple[Sequence[str], int] = ((), 0),
) -> Equations:
    """All that the tables of one universe say, those of `newest`, with those of `earlier`
    releases. Contradictions between tables become findings.

    `revised`: of the newest release, the months with calls added, removed or recoded, and how many
    at most. Statistics of other universes are ignored.
    """
    universe = {table.universe for table in newest.tables}
    issues = [issue.of(universe) for issue in (*map(issue_of, earlier), newest)]
    steps = [(past.revised_months, past.revised_at_most) for past in earlier] + [revised]
    blocks = Blocks(
        [issue.tables for issue in issues],
        [issue.trees for issue in issues],
        steps,
        [issue.not_collected for issue in issues],
        dict.fromkeys(cell for issue in issues for cell in issue.empty),
    )
    gathered = _Gathered(blocks, findings)
    gathered.limits += [_Limit(columns, 0.0, float(most)) for columns, most in blocks.bounds]
    for number, issue in enumerate(issues):
        gathered.add(number, issue)
    return gathered.result(
        dict.fromkeys(
            cell.key for issue in issues for table in issue.tables for cell in table.cells
        )
    )


def _since(
    blocks: Blocks, key: Key, parts: tuple[int, ...], before: tuple[tuple[int, ...], int] | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
    """A cell of some blocks, or, where that is shorter, the difference from the release before,
    and how many calls that release counted.

    A year to date is what it was a month ago, and one month more. Where both are published, this
    says the same as two sums over the whole year, and links fewer blocks.
    """
    whole = blocks.joined(key, parts)
    if before is not None:
        new = blocks.joined(key, [b for b in parts if b not in before[0]])
        gone = blocks.joined(key, [b for b in before[0] if b not in parts])
        if len(new) + len(gone) < len(whole):
            return (
                np.concatenate([new, gone]),
                np.concatenate([np.ones(len(new)), -np.ones(len(gone))]),
                before[1],
            )
    return whole, np.ones(len(whole)), 0


def _distinct(hidden: Mapping[Key, npt.NDArray[np.int64]]) -> dict[Key, npt.NDArray[np.int64]]:
    """One of each group of cells that are sums of the same unknowns, from the newest release
    first: what is possible for one is possible for all."""
    found: dict[bytes, Key] = {}
    for key, columns in reversed(list(hidden.items())):
        found.setdefault(columns.tobytes(), key)
    kept = set(found.values())
    return {key: columns for key, columns in hidden.items() if key in kept}


def _parent_key(key: Key, dimension: str, parent: str) -> Key:
    return frozenset(pair for pair in key if pair[0] != dimension) | (
        {(dimension, parent)} if parent != "all" else frozenset()
    )


def _left_over(
    table: PublicTable, trees: Mapping[str, Tree], visible: Mapping[Key, int]
) -> list[Key]:
    """Complements along the sensitive attribute that do not follow from two published counts."""
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
            found.append(
                frozenset(pair for pair in cell.key if pair[0] != name)
                | {(name, f"{COMPLEMENT}{code} of {above}")}
            )
    return found


def _share(
    blocks: Blocks, release: int, key: Key, dimension: str, percent: float
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
    """A share that is published in whole `percent`: low whole <= 100 part <= high whole, as a row
    for each of the two. `key` without `dimension` is the whole."""
    whole_key = frozenset(pair for pair in key if pair[0] != dimension)
    clique = blocks.home(key)
    part, whole = blocks.columns(release, key, clique), blocks.columns(release, whole_key, clique)
    inside = np.isin(whole, part)
    for edge in (percent - 0.5, percent + 0.5):
        yield whole, np.where(inside, 100.0 - edge, -edge)


def _blank(
    blocks: Blocks, release: int, issue: Issue, visible: Mapping[Key, int]
) -> Iterator[_Limit]:
    """What the shares of filled fields say about the cells of calls without them.

    Where no table joins a field with months, the months add up to bounds on each longer period
    that a table does join. Of a month without numbers, at most all its calls are blank.
    """
    by_cell: dict[Key, list[Blanks]] = {}
    for said in blanks(issue.shares, visible) if issue.shares is not None else ():
        told = _joined(blocks, said, issue.trees, visible)
        month = frozenset({("period", told.period)} if told.period != "all" else ())
        if blocks.holds(told.cell | month):
            yield _Limit(
                blocks.columns(release, told.cell | month), float(told.least), float(told.most)
            )
        else:
            by_cell.setdefault(told.cell, []).append(told)
    if not by_cell:
        return
    tree = issue.trees["period"]
    finest = list(tree.levels)[-1]
    for level, codes in tree.levels.items():
        above = tree.above(level)
        for code, (cell, listed) in ((c, item) for c in codes for item in by_cell.items()):
            period = frozenset({("period", code)} if code != "all" else ())
            inside = [told for told in listed if above.get(told.period) == code]
            if not inside or not blocks.holds(cell | period):
                continue
            silent = {month for month in tree.levels[finest] if above.get(month) == code} - {
                told.period for told in inside
            }
            most = sum(told.most for told in inside)
            if silent:
                most += (
                    visible[period] - sum(told.calls for told in inside)
                    if period in visible
                    else np.inf
                )
            yield _Limit(
                blocks.columns(release, cell | period),
                float(sum(told.least for told in inside)),
                most,
            )


def _joined(
    blocks: Blocks, told: Blanks, trees: Mapping[str, Tree], visible: Mapping[Key, int]
) -> Blanks:
    """The same of the narrowest wider calls that a table joins with the field, where none joins
    those that the share is of. Of the calls beyond, none or all may be blank."""
    known = frozenset((name, code) for name, code in told.base if name in trees)
    if blocks.holds(told.cell):
        return told
    field = told.cell - told.base
    ways = narrowest(known, trees, lambda base: blocks.holds(field | base))
    if not ways:
        return told
    base = wider(known, ways[0], trees)
    month = frozenset({("period", told.period)} if told.period != "all" else ())
    beyond = (
        visible[base | month] - visible[told.base | month]
        if base | month in visible and told.base | month in visible
        else np.inf
    )
    return replace(told, cell=field | base, most=told.most + beyond, base=base)


def _edges(blocks: Blocks, release: int, issue: Issue) -> Iterator[_Limit]:
    """At least one call has the codes of the first on record and one those of the last, and so in
    all cells above them."""
    for edge in issue.edges:
        known = frozenset((name, code) for name, code in edge if name in issue.trees)
        for steps in narrowest(known, issue.trees, lambda cell: bool(cell) and blocks.holds(cell)):
            yield _Limit(blocks.columns(release, wider(known, steps, issue.trees)), 1.0, np.inf)


def _told(blocks: Blocks, release: int, issue: Issue, visible: Mapping[Key, int]) -> list[_Limit]:
    """The facts of the release's statistics that touch a withheld count."""
    found = []
    for fact in dict.fromkeys(
        f
        for s in issue.statistics
        for f in facts_of(s, visible, blocks.every, issue.threshold, blocks.holds)
    ):
        if all(cell in visible for cell, _ in fact.terms):
            continue
        parts = [blocks.columns(release, cell) for cell, _ in fact.terms]
        weights = [
            np.full(len(part), float(weight))
            for part, (_, weight) in zip(parts, fact.terms, strict=True)
        ]
        found.append(_Limit(np.concatenate(parts), fact.low, fact.high, np.concatenate(weights)))
    return found


def _differences(
    blocks: Blocks, same: Equality
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
    """In each block, the unknowns of one side less those of the other."""
    for space in blocks.spaces:
        one, other = (
            np.concatenate([NOBODY, *(space.columns(key, blocks.home(key)) for key in keys)])
            for keys in (same.one, same.other)
        )
        columns, place = np.unique(np.concatenate([one, other]), return_inverse=True)
        signs = np.bincount(
            place, np.concatenate([np.ones(len(one)), -np.ones(len(other))]), len(columns)
        )
        if np.any(signs):
            yield columns[signs != 0], signs[signs != 0]
