"""Proof by example: for each sensitive cell two whole-number tables that agree with everything
published.

In one table the cell is at most 1, in the other at least `high` (threshold - 1, or more). A table
is kept as a move: what it adds to or takes from the true joint counts. `verify` checks everything
by products of whole numbers, without a solver. Certificates show which cells are sensitive, and
stay private.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from anonymize.errors import ProtectionError
from anonymize.protect.move_lp import WithheldMoves, furthest
from anonymize.protect.protection_levels import Target, TargetArrays, targets_of
from anonymize.protect.secondary import Protected
from anonymize.protect.subproblems import Subproblem
from anonymize.protect.system import System

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Move = Ints
Tick = Callable[[int, int], None]

FEW = 0.02
CORNERS = 25
"""After this many fruitless fractional moves in a row, only whole-number searches follow."""
WORKERS = 2
"""Programs solved side by side. The same on every machine, since the result depends on it."""
TRUE = -1
"""Instead of a move's number: the true table itself will do."""


@dataclass(frozen=True)
class Certificates:
    """`moves` (tables x leaves, whole numbers) are added to the true leaves; cell `cells[i]` is
    low in table `low[i]` and high in table `high[i]`."""

    moves: sp.csr_matrix
    cells: Ints
    low: Ints
    high: Ints

    def save(self, path: Path) -> None:
        """Write compressed arrays, readable by their owner alone."""
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            moves = self.moves.tocsr()
            np.savez_compressed(
                handle,
                data=moves.data,
                indices=moves.indices,
                indptr=moves.indptr,
                shape=np.array(moves.shape),
                cells=self.cells,
                low=self.low,
                high=self.high,
            )

    @classmethod
    def open(cls, path: Path) -> Certificates:
        with np.load(path, allow_pickle=False) as kept:
            moves = sp.csr_matrix(
                (kept["data"], kept["indices"], kept["indptr"]), shape=tuple(kept["shape"])
            )
            return cls(moves, kept["cells"], kept["low"], kept["high"])


def verify(system: System, high: int, withheld: Mask, certificates: Certificates) -> None:
    """Check that each sensitive cell has its two tables, in whole numbers, with no solver and no
    tolerance. Raises ProtectionError otherwise."""
    wrong = (
        "the proof that small counts cannot be worked back is incomplete; nothing was written; "
        "please report this"
    )
    published = ~withheld & ~system.unpublished
    moves = certificates.moves.astype(np.int64).T.tocsc()
    changes = (system.cells.astype(np.int64) @ moves).tocsr()
    lowest = (
        np.asarray(moves.min(axis=1).todense()).ravel()
        if moves.shape[1]
        else np.zeros(len(system.leaves), dtype=np.int64)
    )
    agree = (
        not changes[published].count_nonzero()
        and not (system.margins.astype(np.int64) @ moves).count_nonzero()
    )
    if not agree or np.any(system.leaves + lowest < 0):
        raise ProtectionError(wrong)
    if set(np.flatnonzero(system.sensitive).tolist()) - set(certificates.cells.tolist()) or np.any(
        system.sensitive & published
    ):
        raise ProtectionError(wrong)
    for tables, holds in (
        (certificates.low, lambda v: v <= 1),
        (certificates.high, lambda v: v >= high),
    ):
        moved = [
            0 if table == TRUE else int(changes[cell, table])
            for cell, table in zip(certificates.cells, tables, strict=True)
        ]
        if not np.all(holds(system.values[certificates.cells] + np.array(moved, dtype=np.int64))):
            raise ProtectionError(wrong)


def certify(
    protected: Protected, known: Sequence[Move] = (), tick: Tick = lambda done, total: None
) -> Search:
    """Look for the tables. `known`: moves found before, used where they still hold. `missing` of
    the result names what was not found."""
    search = Search(protected, tick)
    for move in known:
        search.note(search.with_room(move[: protected.system.joint]))
    search.sweep()
    search.one_by_one()
    return search


class Search:
    """Collects whole-number moves and which targets they reach."""

    def __init__(self, protected: Protected, tick: Tick) -> None:
        system, high, withheld = protected.system, protected.high, protected.withheld
        self.system, self.high, self.withheld, self.tick = system, high, withheld, tick
        self.targets = targets_of(np.flatnonzero(system.sensitive).tolist(), system.values, high)
        self.needs = TargetArrays(self.targets)
        self.by = np.full(len(self.targets), TRUE, dtype=np.int64)
        self.moves: list[Move] = []
        self.whole = Subproblem.whole(system)
        held = sp.vstack([system.cells[~withheld & ~system.unpublished], system.margins]).astype(
            np.int64
        )
        self.held = sp.csr_matrix(held)
        plain = self.held.shape[0] - system.spare
        self.joined, self.told = self.held[:plain], self.held[plain:]

    @property
    def missing(self) -> list[int]:
        """Cells without both tables."""
        return sorted(
            {target.cell for target, by in zip(self.targets, self.by, strict=True) if by == TRUE}
        )

    def note(self, move: Move) -> bool:
        """Keep `move` if it is a valid move that reaches a target not yet reached. Says whether it
        was kept."""
        if np.any(self.system.leaves + move < 0) or np.any(self.held @ move):
            return False
        fresh = self.needs.reached(self.system.cells @ move, close=0) & (self.by == TRUE)
        self.by[fresh] = len(self.moves)
        if fresh.any():
            self.moves.append(move)
        return bool(fresh.any())

    def _left(self, up: bool) -> list[Target]:
        return [
            t
            for t, by in zip(self.targets, self.by, strict=True)
            if by == TRUE and (t.need > 0) == up
        ]

    def sweep(self) -> None:
        for up in (True, False):
            while left := self._left(up):
                self.note(
                    self._whole(
                        furthest(
                            self.whole, self.withheld | self.system.unpublished, left, vertex=True
                        )
                    )
                )
                self.tick(int((self.by != TRUE).sum()), len(self.by))
                if len(left) - len(self._left(up)) <= FEW * len(left):
                    break

    def one_by_one(self) -> None:
        """For each target left its furthest move, while these are whole numbers; then searches in
        whole numbers, side by side."""
        left = [i for i, by in enumerate(self.by) if by == TRUE]
        if not left:
            return
        hidden = self.withheld | self.system.unpublished
        inside = WithheldMoves(self.system, hidden, self.high)
        fruitless = 0
        for i in left:
            if self.by[i] == TRUE and fruitless < CORNERS:
                fruitless = (
                    0 if self.note(self._whole(inside.corner(self.targets[i]))) else fruitless + 1
                )
        with ThreadPoolExecutor(WORKERS) as pool:
            while pair := [i for i in left if self.by[i] == TRUE][:WORKERS]:
                for move in pool.map(lambda i: inside.whole(self.targets[i]), pair):
                    if move is not None:
                        self.note(self._whole(move))
                left = [i for i in left if i not in pair]
                self.tick(int((self.by != TRUE).sum()), len(self.by))

    def _whole(self, move: Floats) -> Move:
        """`move` in whole numbers. Parts of it that share no published cell are moves by
        themselves; those with fractions are left out.

        Declared facts leave some distance from their bounds, and so join no parts; how much is
        left follows from the parts that stay.
        """
        rounded = np.rint(move)
        joint = self.system.joint
        used = np.flatnonzero(np.abs(move[:joint]) > 1e-6)
        rows = self.joined[:, used]
        graph = sp.bmat([[None, abs(rows)], [abs(rows).T, None]])
        label = connected_components(graph, directed=False)[1][rows.shape[0] :]
        broken = np.unique(label[np.abs(move[used] - rounded[used]) > 1e-6])
        whole = np.zeros(len(move), dtype=np.int64)
        whole[used] = np.where(np.isin(label, broken), 0, rounded[used])
        return self.with_room(whole[:joint])

    def with_room(self, move: Move) -> Move:
        """A move of the joint counts, with what it does to the distances of declared facts from
        their bounds."""
        joint = self.system.joint
        return np.concatenate(
            [move, -(self.told[:, :joint] @ move) * self.told[:, joint:].diagonal()]
        )

    def result(self) -> Certificates:
        """The two tables of each cell, without moves that no cell needs."""
        used = sorted(set(self.by.tolist()) - {TRUE})
        place = {move: i for i, move in enumerate(used)}
        cells = np.flatnonzero(self.system.sensitive)
        at = {int(cell): i for i, cell in enumerate(cells)}
        low, high = (
            np.full(len(cells), TRUE, dtype=np.int64),
            np.full(len(cells), TRUE, dtype=np.int64),
        )
        for target, by in zip(self.targets, self.by, strict=True):
            (high if target.need > 0 else low)[at[target.cell]] = place[int(by)]
        rows = [sp.csr_matrix(self.moves[i]) for i in used]
        moves = (
            sp.csr_matrix(sp.vstack(rows))
            if rows
            else sp.csr_matrix((0, len(self.system.leaves)), dtype=np.int64)
        )
        return Certificates(moves, cells, low, high)
