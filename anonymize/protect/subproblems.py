"""Parts of a system in which a move may stay: everything inside one cell that holds many others.

A move inside a part is a move of the whole system. Looking in a part is many times quicker, and
seldom dearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.protect.system import System

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subproblem:
    """Some leaves, all cells that they touch (both in ascending order), and their equations: ties
    @ (leaves, cells) = 0."""

    system: System
    leaves: Ints
    cells: Ints
    ties: sp.csc_matrix

    @classmethod
    def whole(cls, system: System) -> Subproblem:
        """The whole system."""
        size, leaves = system.cells.shape
        return cls(system, np.arange(leaves), np.arange(size), system.ties.tocsc())

    def holds(self, cells: Ints) -> npt.NDArray[np.bool_]:
        """Which of `cells` it touches."""
        return np.isin(cells, self.cells)

    def move(self, found: Floats) -> Floats:
        """A solver's answer (leaves first) as a move of all leaves of the system."""
        move = np.zeros(len(self.system.leaves))
        move[self.leaves] = found[: len(self.leaves)]
        return move


class Subproblems:
    """The parts of one system, made when asked for."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.whole = Subproblem.whole(system)
        self._extent = np.diff(system.cells.indptr)
        self._above: dict[int, set[int]] = {}
        for whole, parts in system.relations:
            for part in parts:
                self._above.setdefault(part, set()).add(whole)
        self._made: dict[int, Subproblem] = {}
        self._touching = system.cells.T.tocsr()
        plain = system.margins[: system.margins.shape[0] - system.spare].tocsr()
        self._margins, self._tied = plain, plain.T.tocsr()

    def around(self, cell: int, least: int) -> Subproblem:
        """The leaves of the smallest cell that holds `cell` and at least `least` leaves; the whole
        system where that is more than half of it."""
        holder = min(
            (c for c in self._holders(cell) if self._extent[c] >= least),
            key=lambda c: (self._extent[c], c),
            default=-1,
        )
        if holder < 0 or 2 * self._extent[holder] > len(self.system.leaves):
            return self.whole
        if holder not in self._made:
            self._made[holder] = self._subproblem(holder)
        return self._made[holder]

    def _holders(self, cell: int) -> set[int]:
        found, fresh = {cell}, [cell]
        while fresh:
            fresh = [
                whole for part in fresh for whole in self._above.get(part, ()) if whole not in found
            ]
            found.update(fresh)
        return found

    def _subproblem(self, holder: int) -> Subproblem:
        leaves = self._with_neighbours(
            self.system.cells.indices[
                self.system.cells.indptr[holder] : self.system.cells.indptr[holder + 1]
            ]
        )
        cells = np.unique(self._touching[leaves].indices).astype(np.int64)
        leaves = np.union1d(leaves, np.arange(self.system.joint, len(self.system.leaves)))
        ties = self.whole.ties[:, np.concatenate([leaves, cells + len(self.system.leaves)])].tocsr()
        return Subproblem(self.system, leaves, cells, ties[np.diff(ties.indptr) > 0].tocsc())

    def _with_neighbours(self, leaves: Ints) -> Ints:
        """`leaves` and the leaves of other cliques that must follow them, on the other side of
        shared margins."""
        inside, seen = (
            np.unique(leaves).astype(np.int64),
            np.zeros(self._margins.shape[0], dtype=bool),
        )
        fresh = inside
        while len(fresh):
            touched = self._tied[fresh]
            side = np.zeros(len(seen), dtype=np.int64)
            side[touched.indices] = touched.data
            side[seen] = 0
            rows = np.flatnonzero(side)
            seen[rows] = True
            across = self._margins[rows].tocoo()
            fresh = np.setdiff1d(across.col[across.data != side[rows][across.row]], inside).astype(
                np.int64
            )
            inside = np.union1d(inside, fresh)
        return inside
