"""Moves: changes of the joint leaves that leave every published cell as it is. Linear programs find them.

A move shows that a cell can be more, or less, than it is. Four questions are asked of the programs: how many targets does
one move reach with today's withheld cells (`furthest`); how far can one cell go, with the cells withheld now (`Inside`); which move
reaches a target while it disturbs the least valuable published cells (`least_disturbing`, `Nearby`); and why can a target
not be reached (`Reasons`).
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
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_PIVOTS = 4_000
"""Simplex is quick while it starts near the answer; past so many pivots an interior-point method is quicker."""
MOST_NODES = 200
MOVED = 1e-3
NUDGE = 1e-3
"""Costs differ by up to this share, so that equally cheap moves do not mix."""
INTERIOR = {"solver": "ipm", "run_crossover": "off"}


def furthest(system: System, withheld: Mask, targets: Sequence[Target], *, vertex: bool = False) -> Floats:
    """A move that reaches as many of `targets` (all up, or all down) as far as it can; (leaves,)."""
    needs = np.array([t.need for t in targets])
    fixed = sp.vstack([system.cells[~withheld], system.margins])
    wanted = sp.diags(np.sign(needs).astype(float)) @ system.cells[[t.cell for t in targets]]
    count, leaves = len(targets), system.cells.shape[1]
    matrix = sp.bmat([[fixed, None], [wanted, -sp.identity(count)]], format="csr")
    program = solver.Program(
        matrix,
        np.concatenate([np.zeros(leaves), -1.0 / np.abs(needs)]),
        np.concatenate([-system.leaves.astype(float), np.full(count, -np.inf)]),
        np.concatenate([np.full(leaves, np.inf), np.abs(needs).astype(float)]),
        np.zeros(matrix.shape[0]),
        np.concatenate([np.zeros(fixed.shape[0]), np.full(count, np.inf)]),
    )
    highs = solver.load(program, **({} if vertex else INTERIOR))
    if solver.run(highs) != highspy.HighsModelStatus.kOptimal:
        raise ProtectionError("the solver found no move at all; please report this")
    return solver.point(highs)[:leaves]


def least_disturbing(system: System, withheld: Mask, targets: Sequence[Target], cost: Floats) -> Floats | None:
    """The move that reaches all `targets` at least cost; None when no move reaches them all together. Cells of infinite cost stay as they are."""
    cells = np.array([t.cell for t in targets])
    held = ~withheld
    held[cells] = False
    fixed = system.cells[held]
    rows, leaves = fixed.shape
    eye = sp.identity(rows, format="csr")
    matrix = sp.bmat(
        [[fixed, -eye, eye], [system.margins, sp.csr_matrix((system.margins.shape[0], rows)), None], [system.cells[cells], None, None]],
        format="csr",
    )
    needs = np.array([t.need for t in targets], dtype=float)
    level = np.zeros(rows + system.margins.shape[0])
    program = solver.Program(
        matrix,
        np.concatenate([np.zeros(leaves), *[_finite(cost[held])] * 2]),
        np.concatenate([-system.leaves.astype(float), np.zeros(2 * rows)]),
        np.concatenate([np.full(leaves, np.inf), *[_most(cost[held])] * 2]),
        np.concatenate([level, np.where(needs > 0, needs, -np.inf)]),
        np.concatenate([level, np.where(needs > 0, np.inf, needs)]),
    )
    highs = solver.load(program, **INTERIOR)
    if solver.run(highs) == highspy.HighsModelStatus.kInfeasible:
        return None
    return solver.point(highs)[:leaves]


def _finite(cost: Floats) -> Floats:
    return np.where(np.isinf(cost), 0.0, cost)


def _most(cost: Floats) -> Floats:
    return np.where(np.isinf(cost), 0.0, np.inf)


class Nearby:
    """`least_disturbing` for one target after another, each from where the last one ended (dual simplex; primal after costs change).

    Costs are never perturbed: that alone makes a start from the last answer many times faster here.
    """

    def __init__(self, system: System, cost: Floats) -> None:
        self.system, self.cost = system, cost.copy()
        cells, self.leaves = system.cells.shape
        self.cells = cells
        eye = sp.identity(cells, format="csr")
        matrix = sp.bmat([[system.cells, -eye, eye], [system.margins, sp.csr_matrix((system.margins.shape[0], cells)), None]], format="csr")
        level = np.zeros(matrix.shape[0])
        self.highs = solver.load(
            solver.Program(
                matrix,
                np.concatenate([np.zeros(self.leaves), *[_finite(cost)] * 2]),
                np.concatenate([-system.leaves.astype(float), np.zeros(2 * cells)]),
                np.concatenate([np.full(self.leaves, np.inf), *[_most(cost)] * 2]), level, level,
            ),
            dual_simplex_cost_perturbation_multiplier=0.0, primal_simplex_bound_perturbation_multiplier=0.0,
            simplex_iteration_limit=MOST_PIVOTS,
        )  # fmt: skip
        self.target: int | None = None
        self.usable = True

    def _solve(self, strategy: int) -> bool:
        self.highs.setOptionValue("simplex_strategy", strategy)
        status = solver.run(self.highs)
        self.usable = self.usable and status == highspy.HighsModelStatus.kOptimal
        return status == highspy.HighsModelStatus.kOptimal

    def charge(self, cost: Floats) -> None:
        ids = np.flatnonzero(cost != self.cost).astype(np.int32)
        if len(ids):
            self.cost = cost.copy()
            for offset in (self.leaves, self.leaves + self.cells):
                self.highs.changeColsCost(len(ids), ids + offset, cost[ids])
            if self.target is not None:
                self._solve(4)

    def move(self, target: Target) -> Floats | None:
        """None when it takes too many pivots; `usable` is then False for good."""
        if self.target is not None:
            for offset in (self.leaves, self.leaves + self.cells):
                self.highs.changeColBounds(offset + self.target, 0.0, np.inf)
        up, down = self.leaves + target.cell, self.leaves + self.cells + target.cell
        self.highs.changeColBounds(up, float(max(target.need, 0)), np.inf if target.need > 0 else 0.0)
        self.highs.changeColBounds(down, float(max(-target.need, 0)), np.inf if target.need < 0 else 0.0)
        self.target = target.cell
        return solver.point(self.highs)[: self.leaves] if self._solve(1) else None


class Reasons:
    """Why targets cannot be reached: a few published cells of which some must be withheld.

    Published cells may move by a hair; the duals of the furthest move then rest on few of them.
    """

    HAIR = 1e-3

    def __init__(self, system: System) -> None:
        self.system = system
        cells, self.leaves = system.cells.shape
        self.cells = cells
        matrix = sp.bmat(
            [[system.cells, -sp.identity(cells)], [system.margins, sp.csr_matrix((system.margins.shape[0], cells))]], format="csr"
        )
        self.rows = sp.vstack([system.cells, system.margins]).tocsr()
        hair = np.full(cells, self.HAIR)
        level = np.zeros(matrix.shape[0])
        self.low, self.high = -hair, hair
        self.target: int | None = None
        self.highs = solver.load(
            solver.Program(
                matrix, np.zeros(self.leaves + cells),
                np.concatenate([-system.leaves.astype(float), -hair]), np.concatenate([np.full(self.leaves, np.inf), hair]), level, level,
            ),
            solver="ipm", simplex_strategy=4, primal_simplex_bound_perturbation_multiplier=0.0, simplex_iteration_limit=MOST_PIVOTS,
        )  # fmt: skip

    def cut(self, withheld: Mask, target: Target) -> tuple[Ints, Floats] | None:
        """(cells, weights): the weights of the cells withheld among them must reach 1. None when there is none to be had."""
        sign = 1.0 if target.need > 0 else -1.0
        low, high = np.where(withheld, -np.inf, -self.HAIR), np.where(withheld, np.inf, self.HAIR)
        low[target.cell], high[target.cell] = (-np.inf, target.need) if sign > 0 else (target.need, np.inf)
        ids = np.flatnonzero((low != self.low) | (high != self.high)).astype(np.int32)
        self.highs.changeColsBounds(len(ids), ids + self.leaves, low[ids], high[ids])
        self.low, self.high = low, high
        if self.target is not None:
            self.highs.changeColCost(self.leaves + self.target, 0.0)
        self.target = target.cell
        self.highs.changeColCost(self.leaves + target.cell, -sign)
        status = solver.run(self.highs)
        self.highs.setOptionValue("solver", "simplex")  # from the first answer on, the next one is near
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        return self._valid(solver.row_duals(self.highs), target, sign)

    def _valid(self, duals: Floats, target: Target, sign: float) -> tuple[Ints, Floats] | None:
        """The cut in whole numbers, so that it holds for every move without regard to the solver's rounding.

        With whole weights w over all rows, w < 0 on the target (times sign) and r = rows.T @ w >= 0 on every leaf, any move has
        -w[target] * sign * change(target) <= sum of w * changes of the other cells + r @ leaves.
        """
        exact = _whole(-duals)
        if exact is None or exact[target.cell] * sign >= 0:
            return None
        rest = self.rows.T @ exact
        if rest.min(initial=0) < 0:
            return None
        missing = abs(target.need * int(exact[target.cell])) - int(rest @ self.system.leaves)
        cells = np.flatnonzero(exact[: self.cells])
        cells = cells[cells != target.cell]
        if missing <= 0 or np.any(self.system.unpublished[cells]):
            return None
        room = np.where(exact[cells] > 0, missing, np.minimum(missing, -exact[cells] * self.system.values[cells]))
        return cells[room > 0], room[room > 0] / missing


def _whole(numbers: Floats) -> Ints | None:
    """`numbers` times the least scale that makes them whole; None when no small one does."""
    for scale in (1, 2, 3, 4, 5, 6, 12, 60):
        scaled = numbers * scale
        rounded = np.rint(scaled)
        if np.all(np.abs(scaled - rounded) < 1e-5):
            return rounded.astype(np.int64)
    return None


class Inside:
    """Moves inside what is withheld, for one cell after another."""

    def __init__(self, system: System, withheld: Mask, cells: Sequence[int], reach: int) -> None:
        """`cells`: those that will be asked for; no leaf gains more than `reach`."""
        self.system = system
        nought = system.cells[~withheld & (system.values == 0)]
        self.live = np.flatnonzero(np.asarray(nought.sum(axis=0)).ravel() == 0)
        self.size = len(self.live)
        self.held = sp.vstack([system.cells[~withheld], system.margins]).tocsr()[:, self.live]
        self.asked = {cell: self.held.shape[0] + i for i, cell in enumerate(sorted(set(cells)))}
        self.matrix = sp.csr_matrix(sp.vstack([self.held, system.cells[list(self.asked)][:, self.live]]))
        self.down, self.up = system.leaves[self.live].astype(float), np.full(self.size, float(reach))
        free = np.full(len(self.asked), np.inf)
        self.row_low = np.concatenate([np.zeros(self.held.shape[0]), -free])
        self.row_high = np.concatenate([np.zeros(self.held.shape[0]), free])
        self.far = solver.load(
            solver.Program(self.matrix, np.zeros(self.size), -self.down, self.up, self.row_low, self.row_high),
            simplex_strategy=4, primal_simplex_bound_perturbation_multiplier=0.0,
        )  # fmt: skip

    def _full(self, found: Floats) -> Floats:
        move = np.zeros(len(self.system.leaves))
        move[self.live] = found
        return move

    def corner(self, target: Target) -> Floats:
        """The move that takes the target's cell furthest; found from where the last one ended (only the objective changes)."""
        cost = -np.sign(target.need) * self.matrix[self.asked[target.cell]].toarray().ravel()
        self.far.changeColsCost(self.size, np.arange(self.size, dtype=np.int32), cost)
        if solver.run(self.far) != highspy.HighsModelStatus.kOptimal:
            raise ProtectionError("the solver found no move at all; please report this")
        return self._full(solver.point(self.far))

    def whole(self, target: Target) -> Floats | None:
        """The first move in whole numbers found that reaches the target; None when none was found."""
        low, high = self.row_low.copy(), self.row_high.copy()
        row = self.asked[target.cell]
        low[row], high[row] = _beyond(target)
        program = solver.Program(self.matrix, np.zeros(self.size), -self.down, self.up, low, high)
        highs = solver.load(program, mip_max_nodes=MOST_NODES, mip_max_improving_sols=1)
        highs.changeColsIntegrality(self.size, np.arange(self.size, dtype=np.int32), np.full(self.size, highspy.HighsVarType.kInteger))
        solver.run(highs)
        found = highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        return self._full(solver.point(highs)) if found else None


def _beyond(target: Target) -> tuple[float, float]:
    return (float(target.need), np.inf) if target.need > 0 else (-np.inf, float(target.need))
