"""Which cells to withhold, from sums alone: a covering problem over whole numbers.

In every published sum (a cell and its parts) a withheld cell needs another one, or it follows from
the rest; and the cells next to a sensitive cell must be able to take up the calls that it gains or
loses. Both are necessary, so the least cost under them is a proven bound on the cost of any
solution. Cuts from the joint table (`move_lp.CutFinder`) tighten it.

Source: Fischetti and Salazar 2001, section 3 (the covering form and its strengthening by
capacities).
"""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.errors import ProtectionError
from anonymize.protect import solver
from anonymize.protect.protection_levels import Target
from anonymize.protect.system import System

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

GAP = 0.03
ROUGHLY = 0.05
"""Distance from the proven bound at which to stop: GAP for the first pattern, ROUGHLY for those
that need no bound or have cuts that make them much harder."""
NODES = 1
"""Nodes, not seconds, end the search, so that every machine gets the same result."""


class Pattern:
    """The covering problem of one system. Cells that are never published count as withheld at no
    cost."""

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
                        room = np.where(
                            up > 0, abs(need), np.minimum(abs(need), system.values[others])
                        )
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
        """Require that the withheld ones of `cells` have weights of at least 1 together."""
        self._add(cells, weights, 1.0)

    def cheapest(self) -> Mask:
        """The cells to withhold at least cost; `bound` rises to the proven least cost. Raises
        ProtectionError when it is impossible."""
        found, bound = self._solve(self.system.cost, gap=ROUGHLY if self.bound else GAP)
        self.bound = max(self.bound, bound)
        return found

    def sparing(self, seed: int = 0) -> Mask:
        """Cells to withhold that spare large counts and take more of the small ones, at a little
        more cost.

        Costs to the power of 1.5 do so. A search that begins with such a pattern mostly ends
        cheaper than one that begins with the cheapest (`docs/design/secondary-suppression.md`).
        Each `seed` but 0 varies the costs.
        """
        cost = self.system.cost * np.sqrt(
            self.system.cost
        )  # rounded alike on every processor, which a power is not
        if seed:
            cost = cost * (0.5 + np.random.default_rng(seed).random(len(cost)))
        return self._solve(cost)[0]

    def drawn(self, withheld: Mask, lots: np.random.Generator) -> Mask:
        """A random pattern of few cells inside `withheld`."""
        return self._solve(lots.random(len(withheld)), withheld)[0]

    def _solve(
        self, cost: npt.NDArray[np.float64], within: Mask | None = None, gap: float = ROUGHLY
    ) -> tuple[Mask, float]:
        size = len(self.system.values)
        allowed = ~self.system.fixed if within is None else within
        starts = np.concatenate([[0], np.cumsum([len(c) for c in self._cells])])
        matrix = sp.csr_matrix(
            (
                np.concatenate([np.zeros(0), *self._weights]),
                np.concatenate([np.zeros(0, np.int64), *self._cells]),
                starts,
            ),
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
        highs.changeColsIntegrality(
            size, np.arange(size, dtype=np.int32), np.full(size, highspy.HighsVarType.kInteger)
        )
        if solver.run(highs) == highspy.HighsModelStatus.kInfeasible:
            raise ProtectionError(
                "a small count cannot be protected within these tables; use coarser levels or a "
                "lower threshold"
            )
        found = solver.point(highs)
        return found > 0.5 if len(found) else allowed, float(highs.getInfo().mip_dual_bound)
