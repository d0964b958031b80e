"""Which cells to withhold, seen from sums alone: a covering problem, solved over whole numbers.

In every published sum (a cell and its parts) a withheld cell needs company, or it follows from the rest; and
what stands beside a sensitive cell must be able to take up the calls that the cell gains or loses. Both are necessary, so the least
cost under them is a proven bound on the least cost at all. Cuts from the joint table (`moves.reason`) tighten it. (The
covering form and its strengthening by capacities: Fischetti and Salazar 2001, section 3.)
"""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.errors import ProtectionError
from anonymize.protect import solver
from anonymize.protect.system import System
from anonymize.protect.targets import Target

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

GAP = 0.03
ROUGHLY = 0.05
"""Near enough to the proven bound: for the first one, and for those that need no bound or have cuts that make it much harder."""
NODES = 1
"""Nodes, not seconds, end the search: the same result on every machine."""


class Pattern:
    """The covering problem of one system. Cells that are never published count as withheld at no cost."""

    def __init__(self, system: System, targets: Sequence[Target]) -> None:
        self.system = system
        self.given = system.sensitive | system.unpublished | system.kept
        self.bound = 0.0
        self._cells: list[Ints] = []
        self._weights: list[npt.NDArray[np.float64]] = []
        self._least: list[float] = []
        needs: dict[int, list[int]] = {}
        for target in targets:
            needs.setdefault(target.cell, []).append(target.need)
        for whole, parts in system.relations:
            members = np.array([whole, *parts])
            for position, cell in enumerate(members):
                others = np.delete(members, position)
                if cell in needs:
                    for need in needs[cell]:
                        # Parts move against each other and with their whole.
                        up = np.where((others == whole) | (position == 0), need, -need)
                        room = np.where(up > 0, abs(need), np.minimum(abs(need), system.values[others]))
                        self._add(others, room.astype(float), float(abs(need)))
                if not system.unpublished[cell] or system.sensitive[cell]:
                    if self.given[cell]:
                        self._add(others, np.ones(len(others)), 1.0)
                    else:
                        self._add(members, np.where(members == cell, -1.0, 1.0), 0.0)

    def _add(self, cells: Ints, weights: npt.NDArray[np.float64], least: float) -> None:
        self._cells.append(cells)
        self._weights.append(weights)
        self._least.append(least)

    def add_cut(self, cells: Ints, weights: npt.NDArray[np.float64]) -> None:
        """Of `cells`, so many must be withheld that their weights reach 1."""
        self._add(cells, weights, 1.0)

    def cheapest(self) -> Mask:
        """The cells to withhold; `bound` rises to the proven least cost. Raises ProtectionError when there is no way."""
        found, bound = self._solve(self.system.cost, gap=ROUGHLY if self.bound else GAP)
        self.bound = max(self.bound, bound)
        return found

    def sparing(self, lot: int = 0) -> Mask:
        """Cells to withhold that cost a little more: large counts are spared, and more of the small ones taken.

        Costs to the power of 1.5 do so. What is begun so is most often completed for less than the cheapest pattern (BENCHMARKS.md). Each `lot`
        but the first weighs the cells anew.
        """
        cost = self.system.cost * np.sqrt(self.system.cost)  # rounded alike on every processor, which a power is not
        if lot:
            cost = cost * (0.5 + np.random.default_rng(lot).random(len(cost)))
        return self._solve(cost)[0]

    def drawn(self, withheld: Mask, lots: np.random.Generator) -> Mask:
        """A pattern of few cells inside `withheld`, by lot among many such."""
        return self._solve(lots.random(len(withheld)), withheld)[0]

    def _solve(self, cost: npt.NDArray[np.float64], within: Mask | None = None, gap: float = ROUGHLY) -> tuple[Mask, float]:
        size = len(self.system.values)
        allowed = ~self.system.fixed if within is None else within
        starts = np.concatenate([[0], np.cumsum([len(c) for c in self._cells])])
        matrix = sp.csr_matrix(
            (np.concatenate([np.zeros(0), *self._weights]), np.concatenate([np.zeros(0, np.int64), *self._cells]), starts),
            shape=(len(self._least), size),
        )
        program = solver.Program(
            matrix,
            np.where(self.system.unpublished, 0.0, cost),
            self.given.astype(float),
            allowed.astype(float),
            np.array(self._least, dtype=float),
            np.full(len(self._least), np.inf),
        )
        highs = solver.load(program, mip_rel_gap=gap, mip_max_nodes=NODES)
        highs.changeColsIntegrality(size, np.arange(size, dtype=np.int32), np.full(size, highspy.HighsVarType.kInteger))
        if solver.run(highs) == highspy.HighsModelStatus.kInfeasible:
            raise ProtectionError("a small count cannot be protected within these tables; use coarser levels or a lower threshold")
        found = solver.point(highs)
        return found > 0.5 if len(found) else allowed, float(highs.getInfo().mip_dual_bound)
