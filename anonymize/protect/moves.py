"""Moves: changes of the joint leaves that leave every published cell as it is. Linear programs find them.

A move shows that a cell can be more, or less, than it is. Four questions are asked of the programs: how many targets does
one move reach with today's withheld cells (`furthest`); how far can one cell go, with the cells withheld now (`Inside`); which move
reaches a target while it disturbs the least valuable published cells (`least_disturbing`); and why can a target
not be reached (`Reasons`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.errors import ProtectionError
from anonymize.protect import solver
from anonymize.protect.regions import Region
from anonymize.protect.system import System
from anonymize.protect.targets import Target

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_PIVOTS = 4_000
"""Simplex is quick while it starts near the answer; past so many pivots an interior-point method is quicker."""
MOST_NODES = 200
REACH = 10
"""Inside what is withheld no leaf gains more than so many times the highest count that is asked for: narrower than needed, never wrong."""
MOVED = 1e-3
MANY, SOME = 30_000, 10_000
"""Of more than MANY empty leaves only SOME are in a program; of those that would have helped it, as many go into later ones."""
HELPS, MOST_HELP = 0.01, 2.0
"""A leaf helps where a call in it would gain this share of the most that a call of any target counts for; so much always helps."""
NUDGE = 1e-3
"""Costs differ by up to this share, so that equally cheap moves do not mix."""
INTERIOR: dict[str, bool | int | float | str] = {"solver": "ipm", "run_crossover": "off", "ipm_optimality_tolerance": 1e-6}


@dataclass
class Some:
    """Of very many empty leaves: which are in a program, and (once it is solved) which its duals asked for besides."""

    drawn: Ints
    asked: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def by_lot(cls, empty: Ints, lot: int) -> Some:
        """Every lot gives others."""
        return cls(np.random.default_rng(lot).permutation(empty)[:SOME])


def furthest(
    region: Region, withheld: Mask, targets: Sequence[Target], rewards: Floats | None = None, cost: Floats | None = None, some: Some | None = None,
    *, vertex: bool = False, lent: float = 1.0,
) -> Floats:  # fmt: skip
    """A move inside `region` that reaches as many of `targets` (no cell twice) as far as it can; (all leaves of the system,).

    `rewards`: what each target counts for (one each, where not given). With `cost`, published cells may move too, at their cost for each call,
    and the move has most reward less cost; cells of infinite cost stay as they are. `some`: which leaves come first, where very many are empty.
    `lent`: each leaf may give so many times the calls that it has; with more than one the answer is no move, but tells what moves would use.
    """
    needs = np.array([t.need for t in targets])
    count, leaves = len(targets), len(region.leaves)
    own = np.flatnonzero(withheld[region.cells])
    shop = np.flatnonzero(~withheld[region.cells] & np.isfinite(cost[region.cells])) if cost is not None else own[:0]
    price = cost[region.cells[shop]] if cost is not None else np.zeros(0)
    places = np.searchsorted(region.cells[own], [t.cell for t in targets])
    others = region.ties[:, leaves + shop]
    level, width = np.zeros(region.ties.shape[0]), leaves + len(own)
    size = width + 2 * len(shop)
    tied = sp.hstack([region.ties[:, :leaves], region.ties[:, leaves + own], others, -others], format="csc").tocsr()
    tied.resize(len(level), size + count)
    wanted = sp.csr_matrix(
        (
            np.column_stack([np.sign(needs), -np.ones(count)]).ravel(),
            np.column_stack([leaves + places, size + np.arange(count)]).ravel(),
            2 * np.arange(count + 1),
        ),
        shape=(count, size + count),
    )
    program = solver.Program(
        sp.vstack([tied, wanted], format="csr"),
        np.concatenate([np.zeros(width), price, price, -(np.ones(count) if rewards is None else rewards) / np.abs(needs)]),
        np.concatenate(
            [
                -lent * region.system.leaves[region.leaves],
                np.full(len(own), -np.inf),
                np.zeros(2 * len(shop)),
                np.full(count, -np.inf),
            ]
        ),
        np.concatenate([np.full(size, np.inf), np.abs(needs).astype(float)]),
        np.concatenate([level, np.zeros(count)]),
        np.concatenate([level, np.full(count, np.inf)]),
    )
    return region.move(_solved(program, leaves - region.system.spare, some, {} if vertex else INTERIOR))


def _solved(program: solver.Program, leaves: int, some: Some | None, options: Mapping[str, bool | int | float | str]) -> Floats:
    """The program's point. Of very many empty leaves (the first columns) only some are in it; the duals say which others would have helped.

    Half the time for nearly the same answer, where nine leaves of ten are empty. It is not solved again for those: they gain half a percent.
    """
    empty = np.flatnonzero(program.low[:leaves] == 0)
    if len(empty) <= MANY:
        return solver.point(_moved(program, options))
    some = some or Some.by_lot(empty, 0)
    inside = np.ones(len(program.cost), dtype=bool)
    inside[empty] = False
    inside[some.drawn] = True
    columns, part = program.matrix.tocsc(), np.flatnonzero(inside)
    highs = _moved(program.only(columns, part), options)
    worth = program.cost - columns.T @ solver.row_duals(highs)
    wanted = np.flatnonzero(~inside & (worth < -min(HELPS * np.abs(program.cost).max(), MOST_HELP)))
    some.asked = wanted[np.argsort(worth[wanted], kind="stable")][:SOME]
    point = np.zeros(len(inside))
    point[part] = solver.point(highs)
    return point


def _moved(program: solver.Program, options: Mapping[str, bool | int | float | str]) -> highspy.Highs:
    """`program`, solved; raises ProtectionError where there is no point at all."""
    highs = solver.load(program, **options)
    solver.run(highs)
    if not solver.feasible(highs):
        raise ProtectionError("the solver found no move at all; please report this")
    return highs


def least_disturbing(system: System, withheld: Mask, target: Target, cost: Floats) -> Floats | None:
    """The move that reaches `target` at least cost; None when none does. Cells of infinite cost stay as they are."""
    leaves, stays = len(system.leaves), np.isinf(cost)
    price, most = np.where(stays, 0.0, cost), np.where(stays, 0.0, np.inf)
    least, against = np.where(withheld, -np.inf, 0.0), np.where(withheld, 0.0, most)
    least[target.cell], most[target.cell] = (target.need, np.inf) if target.need > 0 else (-np.inf, target.need)
    against[target.cell] = 0.0
    level = np.zeros(system.ties.shape[0])
    program = solver.Program(
        sp.hstack([system.ties, -system.ties[:, leaves:]], format="csr"),
        np.concatenate([np.zeros(leaves), price, price]),
        np.concatenate([-system.leaves.astype(float), least, np.zeros(len(most))]),
        np.concatenate([np.full(leaves, np.inf), most, against]),
        level,
        level,
    )
    highs = solver.load(program, **INTERIOR)
    if solver.run(highs) == highspy.HighsModelStatus.kInfeasible:
        return None
    return solver.point(highs)[:leaves]


class Reasons:
    """Why targets cannot be reached: a few published cells of which some must be withheld.

    Published cells may move by a hair; the duals of the furthest move then rest on few of them.
    """

    HAIR = 1e-3

    def __init__(self, system: System) -> None:
        self.system = system
        cells, self.leaves = system.cells.shape
        self.rows = system.ties.T.tocsr().astype(np.int64)
        hair = np.full(cells, self.HAIR)
        level = np.zeros(system.ties.shape[0])
        self.low, self.high = -hair, hair
        self.target: int | None = None
        self.highs = solver.load(
            solver.Program(
                system.ties, np.zeros(self.leaves + cells),
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

        Any whole weights of the ties give each leaf and each cell a weight, and the weighted changes of all add up to nought. Where
        no leaf's weight is below nought, and the target's (times sign) is: -weight * change of the target <= sum of
        weight * change of the other cells + weight of the leaves @ leaves, with all cell weights turned round.
        """
        exact = _whole(-duals)
        if exact is None:
            return None
        rest, cell_weights = np.split(self.rows @ exact, [self.leaves])
        weights = -cell_weights
        if weights[target.cell] * sign >= 0 or rest.min(initial=0) < 0:
            return None
        missing = abs(target.need * int(weights[target.cell])) - int(rest @ self.system.leaves)
        cells = np.flatnonzero(weights)
        cells = cells[cells != target.cell]
        if missing <= 0 or np.any(self.system.unpublished[cells]):
            return None
        room = np.where(weights[cells] > 0, missing, np.minimum(missing, -weights[cells] * self.system.values[cells]))
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

    def __init__(self, system: System, withheld: Mask, high: int) -> None:
        self.system = system
        nought = system.cells[~withheld & (system.values == 0)]
        self.live = np.flatnonzero(np.asarray(nought.sum(axis=0)).ravel() == 0)
        self.size = len(self.live)
        size = len(system.values)
        self.columns = np.concatenate([self.live, system.cells.shape[1] + np.arange(size)])
        self.matrix = sp.csr_matrix(system.ties[:, self.columns])
        free = np.where(withheld, np.inf, 0.0)
        self.low = np.concatenate([-system.leaves[self.live].astype(float), -free])
        self.high = np.concatenate([np.where(self.live < system.joint, float(REACH * high), np.inf), free])
        self.level = np.zeros(self.matrix.shape[0])
        self.asked: int | None = None
        self.far = solver.load(
            solver.Program(self.matrix, np.zeros(len(self.columns)), self.low, self.high, self.level, self.level),
            simplex_strategy=4, primal_simplex_bound_perturbation_multiplier=0.0,
        )  # fmt: skip

    def _full(self, found: Floats) -> Floats:
        move = np.zeros(len(self.system.leaves))
        move[self.live] = found[: self.size]
        return move

    def corner(self, target: Target) -> Floats:
        """The move that takes the target's cell furthest; found from where the last one ended (only the objective changes)."""
        if self.asked is not None:
            self.far.changeColCost(self.asked, 0.0)
        self.asked = self.size + target.cell
        self.far.changeColCost(self.asked, -float(np.sign(target.need)))
        if solver.run(self.far) != highspy.HighsModelStatus.kOptimal:
            raise ProtectionError("the solver found no move at all; please report this")
        return self._full(solver.point(self.far))

    def whole(self, target: Target) -> Floats | None:
        """The first move in whole numbers found that reaches the target; None when none was found."""
        low, high = self.low.copy(), self.high.copy()
        low[self.size + target.cell], high[self.size + target.cell] = _beyond(target)
        program = solver.Program(self.matrix, np.zeros(len(low)), low, high, self.level, self.level)
        highs = solver.load(program, mip_max_nodes=MOST_NODES, mip_max_improving_sols=1)
        whole = np.arange(self.size, dtype=np.int32)
        highs.changeColsIntegrality(self.size, whole, np.full(self.size, highspy.HighsVarType.kInteger))
        solver.run(highs)
        return self._full(solver.point(highs)) if solver.feasible(highs) else None


def _beyond(target: Target) -> tuple[float, float]:
    return (float(target.need), np.inf) if target.need > 0 else (-np.inf, float(target.need))
