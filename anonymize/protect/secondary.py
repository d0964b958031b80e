"""Secondary suppression by linear programs over the joint leaves.

A sensitive cell is safe when there are other tables behind the same published counts in which it is at
most 1, and at least threshold - 1. Each is the true table plus a move that leaves every published cell
as it is. The program finds, for a small batch of cells at once, the move that disturbs the least
valuable published cells; those are then withheld. (After Fischetti and Salazar 2001, with the continuous
"disturbance" of Castro as the objective.) The audit judges the result; what it finds comes back here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.errors import ProtectionError
from anonymize.protect.system import System

Mask = npt.NDArray[np.bool_]

BATCH = 1
"""Targets moved together. Larger batches are faster and withhold more (BENCHMARKS.md)."""
SOLVER_SECONDS = 300.0
MOVED = 1e-7


@dataclass(frozen=True)
class Target:
    """A cell that must be able to reach `at_most` (down) or `at_least` (up)."""

    cell: int
    at_least: int | None = None
    at_most: int | None = None


@dataclass
class Protected:
    """`withheld` over the distinct cells of the system."""

    system: System
    threshold: int
    withheld: Mask


def protect(system: System, threshold: int, tick: Callable[[int, int], None] = lambda done, total: None) -> Protected:
    """Withhold the sensitive cells and others, until each sensitive cell can move over the small range.

    Raises ProtectionError when the solver gives no answer.
    """
    protected = Protected(system, threshold, system.sensitive | system.unpublished)
    extend(protected, _spanning(np.flatnonzero(system.sensitive), threshold), tick)
    return protected


def _spanning(cells: Sequence[int] | npt.NDArray[np.int64], threshold: int) -> list[Target]:
    ups = [Target(int(c), at_least=threshold - 1) for c in cells]
    return ups + [Target(int(c), at_most=1) for c in cells]


def widen(protected: Protected, cells: Sequence[int], tick: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Make each of `cells` (withheld already) span the small range too."""
    extend(protected, _spanning(np.array(sorted(cells)), protected.threshold), tick)


def extend(protected: Protected, targets: Sequence[Target], tick: Callable[[int, int], None]) -> None:
    """Withhold more cells until every target can be reached, at least in fractions."""
    system = protected.system
    open_targets = [t for t in targets if not _reached(t, int(system.values[t.cell]))]
    if not open_targets:
        return
    program = _Program(system)
    program.free(protected.withheld)
    for start in range(0, len(open_targets), BATCH):
        group = open_targets[start : start + BATCH]
        protected.withheld |= program.withhold(group)
        tick(min(start + BATCH, len(open_targets)), len(open_targets))


def _reached(target: Target, value: int) -> bool:
    if target.at_least is not None:
        return value >= target.at_least
    return target.at_most is not None and value <= target.at_most


class _Program:
    """min sum cost (up + down), cells @ move = up - down, margins @ move = 0, leaves + move >= 0."""

    def __init__(self, system: System) -> None:
        self.system = system
        cells, leaves = system.cells.shape
        ties = system.margins.shape[0]
        eye = sp.identity(cells, format="csr")
        top = sp.hstack([system.cells, -eye, eye])
        matrix = sp.vstack([top, sp.hstack([system.margins, sp.csr_matrix((ties, 2 * cells))])]).tocsr()
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = leaves + 2 * cells, cells + ties
        lp.col_cost_ = np.concatenate([np.zeros(leaves), system.cost, system.cost])
        lp.col_lower_ = np.concatenate([-system.leaves.astype(float), np.zeros(2 * cells)])
        lp.col_upper_ = np.full(lp.num_col_, highspy.kHighsInf)
        lp.row_lower_ = lp.row_upper_ = np.zeros(lp.num_row_)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data.astype(float)
        self.leaves, self.cells = leaves, cells
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        for option, value in (("threads", 1), ("random_seed", 0), ("time_limit", SOLVER_SECONDS)):
            self.highs.setOptionValue(option, value)
        self.highs.passModel(lp)

    def free(self, withheld: Mask) -> None:
        """Cells already withheld move at no cost."""
        ids = np.flatnonzero(withheld).astype(np.int32)
        for offset in (self.leaves, self.leaves + self.cells):
            self.highs.changeColsCost(len(ids), ids + offset, np.zeros(len(ids)))

    def _bounds(self, targets: Sequence[Target], *, on: bool) -> None:
        for t in targets:
            value = int(self.system.values[t.cell])
            up, down = self.leaves + t.cell, self.leaves + self.cells + t.cell
            need_up = t.at_least - value if on and t.at_least is not None else 0
            need_down = value - t.at_most if on and t.at_most is not None else 0
            self.highs.changeColBounds(up, float(need_up), 0.0 if need_down else highspy.kHighsInf)
            self.highs.changeColBounds(down, float(need_down), 0.0 if need_up else highspy.kHighsInf)

    def withhold(self, targets: Sequence[Target]) -> Mask:
        """The distinct cells that the cheapest move reaching all `targets` disturbs; they are freed.

        Cells of one row cannot all rise within a small total; then each half is moved alone.
        """
        self._bounds(targets, on=True)
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + SOLVER_SECONDS)
        self.highs.run()
        status = self.highs.getModelStatus()
        point = np.asarray(self.highs.getSolution().col_value)
        self._bounds(targets, on=False)
        if status == highspy.HighsModelStatus.kInfeasible:
            if len(targets) == 1:
                raise ProtectionError("a small count cannot be protected within these tables; use coarser levels or a lower threshold")
            middle = len(targets) // 2
            return self.withhold(targets[:middle]) | self.withhold(targets[middle:])
        if status != highspy.HighsModelStatus.kOptimal:
            raise ProtectionError(f"the solver stopped without an answer ({self.highs.modelStatusToString(status)}); nothing was written")
        moved = np.asarray(np.abs(self.system.cells @ point[: self.leaves]) > MOVED)
        self.free(moved)
        return moved
