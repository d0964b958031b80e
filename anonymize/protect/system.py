"""The linked tables of one universe as one system: distinct cells, joint leaves, and the equations
between them.

`cells @ leaves` gives every cell; `margins @ leaves` is constant and makes neighbouring cliques
agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.agency.codelists import ROOT, Codelist, Dimension
from anonymize.count.tables import Counts, Table
from anonymize.errors import ProtectionError
from anonymize.protect.derived_fields import Link, links
from anonymize.protect.facts import Bounds
from anonymize.protect.junction_tree import Clique
from anonymize.protect.primary import parents_along, primary, telling_remainder

Key = tuple[tuple[str, str], ...]
"""A cell by its codes, roots left out, in order of dimension: one key for one cell, whatever the
table."""

Relation = tuple[int, tuple[int, ...]]

EARLIER = "earlier release"
"""In a key, before the version of an earlier release."""
COMPLEMENT = "not "
"""Before a code: everything of the parent except this code."""


@dataclass(frozen=True)
class System:
    """Cells, leaves and equations. `cells` (distinct cells x leaves) and `margins` (ties x leaves)
    contain 0, 1 and -1 only.

    `where[t]`: for table t, the distinct cell of each of its cells. `cost[i]`: what withholding
    cell i costs readers. `relations`: (whole, parts), each cell that is the sum of others.

    After the published cells come, for tables with a sensitive attribute, the complements: what
    each cell leaves of the cell above it (code marked by COMPLEMENT). They are never published,
    but attacked and protected like a withheld cell.

    Cells of earlier releases have the release first in their key (EARLIER). `fixed` cells are
    public for good, as are the zeros of days of which nothing was collected and of times at which
    no team was on duty. `kept` cells stay withheld because an earlier release withheld the same
    count.

    Declared facts (`with_facts`) are the last `spare` rows of `margins`. Each has a leaf of its
    own at the end, which no move may take below 0: its distance from its bound. `told` gives the
    same rows with cells instead of leaves, where it can.
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
    fixed: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_]
    layout: Layout | None = None
    spare: int = 0
    told: sp.csr_matrix | None = None

    @property
    def joint(self) -> int:
        """How many of the leaves are counts; the `spare` ones after them are the distances of
        declared facts from their bounds."""
        return len(self.leaves) - self.spare

    @cached_property
    def ties(self) -> sp.csr_matrix:
        """What every change of leaves and cells obeys: ties @ (leaves, cells) = 0.

        A cell that is a sum of others is tied to those, and only the finest cells to their leaves.
        That says the same as `cells` with a tenth of the entries, so a solver is many times faster
        with it.
        """
        size, leaves = self.cells.shape
        extent = np.diff(self.cells.indptr)
        ways: dict[int, list[Relation]] = {}
        for relation in self.relations:
            for cell in (relation[0], *relation[1]):
                ways.setdefault(cell, []).append(relation)
        tied = np.zeros(size, dtype=bool)
        columns, weights, ends = [np.zeros(0, dtype=np.int64)], [np.zeros(0)], [0]
        rest = np.array([any(code.startswith(COMPLEMENT) for _, code in key) for key in self.keys])
        for cell in np.lexsort((extent, rest)).tolist():
            known = [
                r
                for r in ways.get(cell, ())
                if all(tied[other] for other in (r[0], *r[1]) if other != cell)
            ]
            tied[cell] = True
            if known:
                whole, parts = min(known, key=lambda r: len(r[1]))
                columns.append(np.array([whole, *parts]) + leaves)
                weights.append(np.array([-1.0] + [1.0] * len(parts)))
            else:
                row = slice(self.cells.indptr[cell], self.cells.indptr[cell + 1])
                columns.append(np.append(self.cells.indices[row], leaves + cell))
                weights.append(np.append(self.cells.data[row], -1.0))
            ends.append(ends[-1] + len(columns[-1]))
        cells = sp.csr_matrix(
            (np.concatenate(weights), np.concatenate(columns), ends), shape=(size, leaves + size)
        )
        plain = self.margins.shape[0] - self.spare
        margins = sp.hstack([self.margins[:plain], sp.csr_matrix((plain, size))])
        return sp.csr_matrix(
            sp.vstack([cells, margins, self.told] if self.told is not None else [cells, margins])
        )


@dataclass(frozen=True)
class Block:
    """Joint counts of the calls that are, coded alike, in exactly the releases `present` (by
    position, oldest first).

    `codelists`: the codes that those releases share (of the period, the block's months).
    `counts[i]`: one axis for each dimension of clique i, in the order of `levels`.
    """

    present: frozenset[int]
    codelists: Mapping[str, Codelist]
    counts: Sequence[Counts]


@dataclass(frozen=True)
class Bound:
    """The calls in `blocks` together number at most `most`."""

    blocks: tuple[int, ...]
    most: int


@dataclass(frozen=True)
class Earlier:
    """A release already published: its tables, what it withheld, and which of that its rules
    called small."""

    version: str
    tables: Sequence[Table]
    withheld: Sequence[npt.NDArray[np.bool_]]
    small: Sequence[npt.NDArray[np.bool_]]


def _membership(codelist: Codelist, codes: Sequence[str], finest: str) -> sp.csr_matrix:
    """(codes x codes at `finest`), 0 or 1. Codes that the codelist lacks have empty rows."""
    leaves = codelist.codes_at(finest)
    rows, columns = [], []
    for i, code in enumerate(codes):
        if code not in codelist.by_code:
            continue
        above = codelist.ancestors(codelist.by_code[code].level)
        for j, leaf in enumerate(leaves):
            if above[leaf] == code:
                rows.append(i)
                columns.append(j)
    return sp.csr_matrix(
        (np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=(len(codes), len(leaves))
    )


def _kron(matrices: list[sp.csr_matrix]) -> sp.csr_matrix:
    return sp.csr_matrix(
        reduce(
            lambda a, b: sp.kron(a, b, format="csr"),
            matrices,
            sp.csr_matrix(np.ones((1, 1), dtype=np.int64)),
        )
    )


def _holds(clique: Clique, table: Table, codelists: Mapping[str, Codelist]) -> bool:
    finest = {d: dim.finest for d, dim in table.dimensions.items() if dim.finest != ROOT}
    finest |= {d: codelists[d].finest for d in table.where}
    return all(
        d in clique.levels
        and codelists[d].levels.index(level) <= codelists[d].levels.index(clique.levels[d])
        for d, level in finest.items()
    )


def clique_dimensions(clique: Clique, codelists: Mapping[str, Codelist]) -> dict[str, Dimension]:
    return {d: Dimension(codelists[d], (level,)) for d, level in clique.levels.items()}


def build_system(
    tables: Sequence[Table], made: Layout, threshold: int, earlier: Sequence[Earlier] = ()
) -> System:
    """One system over all blocks. Without `earlier` there is one block, present in release 0.
    `made`: a new layout, with every code of every release; the system's cells are added to it.

    Raises ProtectionError when an earlier release published what must be withheld now.
    """
    newest = len(earlier)
    where: list[npt.NDArray[np.int64]] = []
    every: list[tuple[Table, npt.NDArray[np.int64]]] = []
    sensitive: dict[int, bool] = {}
    cost: dict[int, float] = {}
    hidden: set[int] = set()
    shown: set[int] = set()
    absent: set[int] = set()
    for position, (version, listed, small) in enumerate(
        [*((e.version, e.tables, e.small) for e in earlier), ("", tables, ())]
    ):
        made.versions.append(version)
        for number, table in enumerate(listed):
            ids = made.add(table, position, version)
            every.append((table, ids))
            if position == newest:
                where.append(ids)
                flags = primary(table, threshold)
                if table.not_collected is not None:
                    absent |= set(ids[table.not_collected].tolist())
            else:
                hidden |= set(ids[earlier[position].withheld[number]].tolist())
                shown |= set(ids[~earlier[position].withheld[number]].tolist())
                flags = small[number]
            costs = _costs(table) if position == newest else np.zeros(table.shape)
            for cell, flag, value in zip(
                ids.ravel().tolist(), flags.ravel().tolist(), costs.ravel().tolist(), strict=True
            ):
                sensitive[cell] = sensitive.get(cell, False) or flag
                cost[cell] = cost.get(cell, 0.0) + value
    published = len(made.keys)
    relations = list(
        dict.fromkeys(relation for table, ids in every for relation in _sums(table, ids))
    )
    cells = made.cells()
    for table, ids in every:
        cells = sp.csr_matrix(sp.vstack([cells, _left_over(table, ids, cells, made, relations)]))
    leaves, ties = made.leaves(), made.ties()
    values = np.asarray(cells @ leaves, dtype=np.int64)
    for table, ids in every:
        if np.any(values[ids] != table.values):
            raise AssertionError(
                f"table {table.name} does not agree with the joint counts; please report this"
            )
    if np.any(ties @ leaves != 0):
        raise AssertionError(
            "joint counts do not agree on their shared margins; please report this"
        )
    size, keys = len(made.keys), tuple(made.keys)
    flags_of = np.array([sensitive.get(i, False) for i in range(size)])
    for whole, (_, *rest) in relations:
        for cell in rest:
            if cell >= published:
                flags_of[cell] |= telling_remainder(values[cell], values[whole], threshold)
    past = np.array([any(name == EARLIER for name, _ in key) for key in keys])
    gone = past & (np.arange(size) < published)
    withheld_then = np.isin(np.arange(size), list(hidden - shown))
    fixed, kept = gone & ~withheld_then, np.zeros(size, dtype=bool)
    for cell, other in _same(cells, gone, ~past & (np.arange(size) < published)):
        fixed[other] |= fixed[cell]
        kept[other] |= withheld_then[cell]
    fixed[list(absent)] = True
    if np.any(fixed & flags_of):
        raise ProtectionError(
            "an earlier release published a count that must be withheld now; was its threshold "
            "lower, or were fewer rules in force? Publish under the same rules, or begin a new "
            "series in a new folder"
        )
    return System(
        cells,
        sp.csr_matrix(sp.vstack([ties, made.limits()])),
        leaves,
        values,
        flags_of,
        (np.arange(size) >= published) | (gone & withheld_then),
        np.array([cost.get(i, 0.0) for i in range(size)]),
        keys,
        tuple(where),
        tuple(relations),
        fixed,
        kept & ~fixed,
        made,
    )


def with_facts(system: System, facts: Sequence[tuple[int, Bounds]]) -> System:
    """The system with these declared facts, and no others: (position of the release that declares
    it, its bounds)."""
    assert system.layout is not None
    width, plain = system.joint, system.margins.shape[0] - system.spare
    number = system.layout.number
    columns: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    weights: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    starts = [0]
    short: list[dict[int, int]] = []
    ends, signs = [], []
    empty = np.zeros(width, dtype=np.int64)
    for position, bounds in facts:
        version = system.layout.versions[position]
        mark = ((EARLIER, version),) if version else ()
        by_cell = {
            number.get(tuple(sorted((*key, *mark))), -1): weight for key, weight in bounds.terms
        }
        parts = [system.layout.columns(key, position) for key, _ in bounds.terms]
        if bounds.empty:
            empty[np.concatenate(parts)] = 1
        for end, sign in ((bounds.high, 1), (bounds.low, -1)):
            if end is not None:
                columns += parts
                weights += [
                    np.full(len(part), weight, dtype=np.int64)
                    for part, (_, weight) in zip(parts, bounds.terms, strict=True)
                ]
                starts.append(starts[-1] + sum(map(len, parts)))
                short.append({} if -1 in by_cell or len(by_cell) < len(parts) else by_cell)
                ends.append(end)
                signs.append(sign)
    count = len(ends)
    told = sp.csr_matrix(
        (np.concatenate(weights), np.concatenate(columns), starts), shape=(count, width)
    )
    told.sum_duplicates()
    leaves = system.leaves[:width]
    room = np.array(signs, dtype=np.int64) * (
        np.array(ends, dtype=np.int64) - (told @ leaves).astype(np.int64)
    )
    if room.min(initial=0) < 0:
        raise AssertionError("a declared fact does not hold of the calls; please report this")
    room_of = sp.diags(np.array(signs, dtype=np.int64), shape=(count, count), dtype=np.int64)
    places = (
        [i for i, row in enumerate(short) for _ in row],
        [cell for row in short for cell in row],
    )
    by_cells = sp.csr_matrix(
        ([weight for row in short for weight in row.values()], places),
        shape=(count, len(system.values)),
        dtype=np.int64,
    )
    by_leaves = (
        sp.diags([int(not row) for row in short], shape=(count, count), dtype=np.int64) @ told
    )
    margins = sp.bmat([[system.margins[:plain, :width], None], [told, room_of]])
    cells = system.cells[:, :width]
    # A cell known to be empty hides nothing, and covers no other.
    known = (cells @ empty == np.diff(cells.indptr)) & (np.diff(cells.indptr) > 0)
    return replace(
        system,
        cells=sp.csr_matrix(
            (cells.data, cells.indices, cells.indptr), shape=(cells.shape[0], width + count)
        ),
        margins=sp.csr_matrix(margins) if count else sp.csr_matrix(system.margins[:plain, :width]),
        leaves=np.concatenate([leaves, room]),
        fixed=system.fixed | (known & ~system.unpublished & ~system.kept),
        spare=count,
        told=sp.csr_matrix(sp.hstack([by_leaves, room_of, by_cells])) if count else None,
    )


class Layout:
    """Rows of the distinct cells over the leaves of all blocks, with one spare leaf for each bound
    at the end."""

    def __init__(
        self,
        cliques: Sequence[Clique],
        blocks: Sequence[Block],
        codelists: Mapping[str, Codelist],
        bounds: Sequence[Bound] = (),
    ) -> None:
        self.cliques, self.blocks, self.codelists, self.bounds = cliques, blocks, codelists, bounds
        sizes = [counts.size for block in blocks for counts in block.counts]
        ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.offsets = ends[:-1].reshape(len(blocks), len(cliques))
        self.inner = int(ends[-1])
        self.width = self.inner + len(bounds)
        self.number: dict[Key, int] = {}
        self.keys: list[Key] = []
        self._earlier: dict[tuple[Key, bytes], int] = {}
        self.versions: list[str] = []
        self._columns: dict[tuple[frozenset[tuple[str, str]], int], npt.NDArray[np.int64]] = {}
        self._places: dict[tuple[int, str, str], npt.NDArray[np.int64]] = {}
        self._stack: list[sp.csr_matrix] = []

    def add(self, table: Table, position: int, version: str) -> npt.NDArray[np.int64]:
        """The distinct cell of each cell of `table`, which release `position` publishes. New ones
        get a row.

        What several earlier releases published about the very same calls is one cell, so closed
        months are carried once.
        """
        home = next(
            i for i, clique in enumerate(self.cliques) if _holds(clique, table, self.codelists)
        )
        names = list(self.cliques[home].levels)
        first = ((EARLIER, version),) if version else ()
        keys = [tuple(sorted(first + key)) for key in _keys(table, names)]
        fresh = [i for i, key in enumerate(keys) if key not in self.number]
        if fresh:
            rows = sp.csr_matrix((len(fresh), self.width), dtype=np.int64)
            for block, offset in zip(self.blocks, self.offsets[:, home], strict=True):
                if position in block.present:
                    inside = [
                        _axis_rows(table, d, level, block.codelists[d])
                        for d, level in self.cliques[home].levels.items()
                    ]
                    rows = rows + _widen(_kron(inside)[fresh], int(offset), self.width)
            self._take([keys[i] for i in fresh], sp.csr_matrix(rows), earlier=bool(version))
        ids = np.array([self.number[key] for key in keys], dtype=np.int64)
        order = _clique_order(table, names)
        return ids.reshape([table.shape[i] for i in order]).transpose(np.argsort(order))

    def _take(self, keys: Sequence[Key], rows: sp.csr_matrix, *, earlier: bool) -> None:
        """Give each of `keys` its number, and its row of `rows` where no earlier release has the
        same row."""
        rows.sort_indices()
        new = []
        for i, key in enumerate(keys):
            at = len(self.keys)
            if earlier:
                inside = (
                    rows.indices[rows.indptr[i] : rows.indptr[i + 1]].astype(np.int64).tobytes()
                )
                at = self._earlier.setdefault(
                    (tuple(pair for pair in key if pair[0] != EARLIER), inside), at
                )
            self.number[key] = at
            if at == len(self.keys):
                self.keys.append(key)
                new.append(i)
        self._stack.append(rows[new])

    def home(self, key: Collection[tuple[str, str]]) -> int | None:
        """The first clique that contains a cell; None where no table joins its dimensions."""
        for i, clique in enumerate(self.cliques):
            if all(
                name in clique.levels
                and code in self.codelists[name].by_code
                and self.codelists[name].levels.index(self.codelists[name].by_code[code].level)
                <= self.codelists[name].levels.index(clique.levels[name])
                for name, code in key
            ):
                return i
        return None

    def columns(self, key: frozenset[tuple[str, str]], position: int) -> npt.NDArray[np.int64]:
        """The leaves that sum to a cell of release `position`."""
        at = (key, position)
        if at not in self._columns:
            home, codes = self.home(key), dict(key)
            assert home is not None
            found = [np.zeros(0, dtype=np.int64)]
            for block, offset, counts in zip(
                self.blocks,
                self.offsets[:, home],
                (b.counts[home] for b in self.blocks),
                strict=True,
            ):
                if position in block.present:
                    axes = [
                        self._under(block.codelists[d], codes.get(d, ROOT), level)
                        for d, level in self.cliques[home].levels.items()
                    ]
                    inside = (
                        np.ravel_multi_index(np.ix_(*axes), counts.shape).ravel()
                        if axes
                        else np.zeros(1, dtype=np.int64)
                    )
                    found.append(inside + int(offset))
            self._columns[at] = np.concatenate(found)
        return self._columns[at]

    def _under(self, codelist: Codelist, code: str, level: str) -> npt.NDArray[np.int64]:
        """Positions at `level` of the codes under `code`; none where the codelist lacks it."""
        at = (id(codelist), code, level)
        if at not in self._places:
            known = codelist.by_code.get(code)
            above = codelist.ancestors(known.level) if known is not None else {}
            self._places[at] = np.array(
                [i for i, leaf in enumerate(codelist.codes_at(level)) if above.get(leaf) == code],
                dtype=np.int64,
            )
        return self._places[at]

    def cells(self) -> sp.csr_matrix:
        return sp.csr_matrix(sp.vstack(self._stack))

    def _calls(self, block: int) -> npt.NDArray[np.int64]:
        """The leaves that sum to all calls of a block."""
        return np.arange(self.blocks[block].counts[0].size) + int(self.offsets[block, 0])

    def leaves(self) -> Counts:
        counts = [c.ravel() for block in self.blocks for c in block.counts]
        spare = [
            bound.most - sum(int(self.blocks[b].counts[0].sum()) for b in bound.blocks)
            for bound in self.bounds
        ]
        if min(spare, default=0) < 0:
            raise AssertionError("more calls were revised than a release says; please report this")
        leaves: Counts = np.concatenate([*counts, np.array(spare, dtype=np.int64)])
        return leaves

    def ties(self) -> sp.csr_matrix:
        """Neighbouring cliques agree, block by block; so do derived fields and their sources."""
        rules = links(self.cliques, self.codelists)
        rows = [
            part
            for block, offsets in zip(self.blocks, self.offsets, strict=True)
            for part in (
                _margins(self.cliques, offsets, self.width, block.codelists),
                _made(rules, self.cliques, offsets, self.width, block.codelists),
            )
        ]
        return sp.csr_matrix(sp.vstack(rows))

    def limits(self) -> sp.csr_matrix:
        """A bound's blocks and its spare leaf have a constant sum."""
        inside = [
            np.concatenate([*(self._calls(block) for block in bound.blocks), [self.inner + i]])
            for i, bound in enumerate(self.bounds)
        ]
        columns = np.concatenate([np.zeros(0, dtype=np.int64), *inside])
        starts = np.cumsum([0, *map(len, inside)])
        return sp.csr_matrix(
            (np.ones(len(columns), dtype=np.int64), columns, starts),
            shape=(len(inside), self.width),
        )


def _same(
    cells: sp.csr_matrix, one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Pairs of cells that sum the very same leaves."""
    cells.sort_indices()

    def leaves_of(cell: int) -> bytes:
        inside: bytes = cells.indices[cells.indptr[cell] : cells.indptr[cell + 1]].tobytes()
        return inside

    at: dict[bytes, list[int]] = {}
    for cell in np.flatnonzero(one).tolist():
        at.setdefault(leaves_of(cell), []).append(cell)
    return [
        (cell, twin)
        for twin in np.flatnonzero(other).tolist()
        for cell in at.get(leaves_of(twin), ())
    ]


def _sums(table: Table, ids: npt.NDArray[np.int64]) -> list[Relation]:
    """Every cell of `table` that has parts in it, with these parts, dimension by dimension."""
    found: list[Relation] = []
    for axis, (name, dimension) in enumerate(table.dimensions.items()):
        by_code = np.moveaxis(ids, axis, 0).reshape(len(dimension.codes), -1)
        parts: dict[tuple[int, str], list[int]] = {}
        for i, above in parents_along(table, name).items():
            parts.setdefault(
                (above, dimension.codelist.by_code[dimension.codes[i]].level), []
            ).append(i)
        for (above, _), members in parts.items():
            found += [
                (int(whole), tuple(map(int, column)))
                for whole, column in zip(by_code[above], by_code[members].T, strict=True)
            ]
    return found


def _left_over(
    table: Table,
    ids: npt.NDArray[np.int64],
    cells: sp.csr_matrix,
    made: Layout,
    relations: list[Relation],
) -> sp.csr_matrix:
    """Rows for the complement of each cell along the sensitive attribute. Adds to the keys of
    `made` and to `relations`."""
    name = table.sensitive_attribute
    rows = [sp.csr_matrix((0, cells.shape[1]), dtype=np.int64)]
    if name is not None:
        by_code = np.moveaxis(ids, list(table.dimensions).index(name), 0)
        codes, keys = table.dimensions[name].codes, tuple(made.keys)
        for i, above in parents_along(table, name).items():
            for part, whole in zip(by_code[i].ravel(), by_code[above].ravel(), strict=True):
                row = cells[int(whole)] - cells[int(part)]
                row.eliminate_zeros()
                rest = tuple(pair for pair in keys[int(part)] if pair[0] != name)
                key = tuple(sorted((*rest, (name, f"{COMPLEMENT}{codes[i]} of {codes[above]}"))))
                if row.nnz and key not in made.number:
                    made.number[key] = len(made.keys)
                    made.keys.append(key)
                    rows.append(row)
                    relations.append((int(whole), (int(part), made.number[key])))
    return sp.csr_matrix(sp.vstack(rows))


def _axis_rows(table: Table, dimension: str, level: str, codelist: Codelist) -> sp.csr_matrix:
    if dimension in table.dimensions:
        return _membership(codelist, table.dimensions[dimension].codes, level)
    if dimension in table.where:
        return _membership(codelist, [table.where[dimension]], level)
    return _membership(codelist, [ROOT], level)


def _clique_order(table: Table, names: list[str]) -> list[int]:
    """The table's axes in the clique's order; axes that the clique lacks (only roots) come last."""
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
    return sp.csr_matrix(
        (rows.data, rows.indices + offset, rows.indptr), shape=(rows.shape[0], width)
    )


def _margins(
    cliques: Sequence[Clique],
    offsets: npt.NDArray[np.int64],
    width: int,
    codelists: Mapping[str, Codelist],
) -> sp.csr_matrix:
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


def _made(
    rules: Sequence[Link],
    cliques: Sequence[Clique],
    offsets: npt.NDArray[np.int64],
    width: int,
    codelists: Mapping[str, Codelist],
) -> sp.csr_matrix:
    """Rows that are 0 by the rules for derived fields; for leaves that are impossible, one row for
    all."""

    def cells(
        clique: int, shared: Mapping[str, str], *chosen: tuple[str, Collection[str], bool]
    ) -> sp.csr_matrix:
        """Rows for the cells of `shared`, over leaves with these codes or without: (dimension,
        codes, with)."""
        axes = []
        for name, level in cliques[clique].levels.items():
            axis = _membership(
                codelists[name],
                codelists[name].codes_at(shared[name]) if name in shared else (ROOT,),
                level,
            )
            for dimension, codes, inside in chosen:
                if dimension == name:
                    axis = axis @ sp.diags(
                        [
                            int((code in codes) == inside)
                            for code in codelists[name].codes_at(level)
                        ],
                        dtype=np.int64,
                    )
            axes.append(axis)
        return _widen(_kron(axes), int(offsets[clique]), width)

    rows = [sp.csr_matrix((0, width), dtype=np.int64)]
    for rule in rules:
        (source, codes), (made, code) = rule.source, rule.made
        if rule.one == rule.other:
            rows += [
                cells(rule.one, {}, (source, codes, inside), (made, (code,), not inside))
                for inside in (True, False)
            ]
        else:
            rows.append(
                cells(rule.one, rule.shared, (source, codes, True))
                - cells(rule.other, rule.shared, (made, (code,), True))
            )
    return sp.csr_matrix(sp.vstack(rows))


def _costs(table: Table) -> npt.NDArray[np.float64]:
    """What withholding each cell costs readers: larger counts and coarser levels are worth more.

    A period in which nobody called costs as much as the whole. People often know of it (the team
    had not begun, or was away), so it would be poor cover for counts of other periods.
    """
    weight = np.ones(table.shape)
    for axis, dimension in enumerate(table.dimensions.values()):
        steps = [
            1.0 + (len(dimension.levels) - 1 - rank)
            for rank, level in enumerate(dimension.levels)
            for _ in dimension.codelist.codes_at(level)
        ]
        weight *= np.array(steps).reshape([-1 if i == axis else 1 for i in range(len(table.shape))])
    values = table.values.copy()
    if "period" in table.dimensions and all(d.levels[0] == ROOT for d in table.dimensions.values()):
        periods = tuple(slice(None) if name == "period" else 0 for name in table.dimensions)
        values[periods] = np.where(values[periods] == 0, values.max(initial=0), values[periods])
    costs: npt.NDArray[np.float64] = weight * np.sqrt(1.0 + values)
    return costs


__all__ = [
    "Block",
    "Bound",
    "Earlier",
    "Key",
    "System",
    "build_system",
    "clique_dimensions",
    "with_facts",
]
