"""Moves, found by linear programs: changes of the joint leaves that leave every published cell as
it is.

A move shows that a cell can be larger or smaller than it is. Four questions are asked: how many
targets one move reaches with the cells withheld now (`furthest`); how far one cell can go
(`WithheldMoves`); which move reaches a target while it disturbs the least valuable published cells
(`least_disturbing`); and why a target cannot be reached (`CutFinder`).
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
from anonymize.protect.protection_levels import Target
from anonymize.protect.subproblems import Subproblem
from anonymize.protect.system import System

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_PIVOTS = 4_000
"""Simplex is quick while it starts near the answer; past this many pivots an interior-point method
is quicker."""
MAX_NODES = 200
MAX_GAIN = 10
"""Inside the withheld cells no leaf gains more than this multiple of the highest count that is
asked for: narrower than needed, never wrong."""
MOVED = 1e-3
MAX_EMPTY_LEAVES, SAMPLE_SIZE = 30_000, 10_000
"""Of more than MAX_EMPTY_LEAVES empty leaves only SAMPLE_SIZE are in a program. As many of those
that would have helped go into later programs."""
HELPS, MAX_HELP = 0.01, 2.0
"""A leaf helps where a call in it would gain at least this share of the largest cost; a gain of
MAX_HELP always counts."""
NUDGE = 1e-3
"""Costs differ by up to this share, so that equally cheap moves do not mix."""
INTERIOR: dict[str, bool | int | float | str] = {
    "solver": "ipm",
    "run_crossover": "off",
    "ipm_optimality_tolerance": 1e-6,
}


@dataclass
class LeafSample:
    """Of very many empty leaves, those in a program (`drawn`), and those for which its duals ask
    (`asked`)."""

    drawn: Ints
    asked: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def draw(cls, empty: Ints, seed: int) -> LeafSample:
        """A sample that depends on `seed` alone."""
        return cls(np.random.default_rng(seed).permutation(empty)[:SAMPLE_SIZE])


@dataclass(frozen=True)
class Terms:
    """What a move earns and pays. `rewards`: what each target counts for (default 1). With `cost`,
    published cells may move too, at their cost for each call, and the move has the highest reward
    less cost; cells of infinite cost stay as they are. `calls_multiplied`: each leaf may give this
    multiple of its calls; above 1 the answer is not a move, but shows what moves would use."""

    rewards: Floats | None = None
    cost: Floats | None = None
    calls_multiplied: float = 1.0


PLAIN = Terms()


def furthest(
    subproblem: Subproblem,
    withheld: Mask,
    targets: Sequence[Target],
    terms: Terms = PLAIN,
    sample: LeafSample | None = None,
    *,
    vertex: bool = False,
) -> Floats:
    """A move inside `subproblem` that reaches as many of `targets` (no cell twice) as far as
    possible: (all leaves of the system,).

    `terms`: what targets count for, and what else may move. `sample`: the leaves in the program,
    where very many are empty.
    """
    rewards, cost = terms.rewards, terms.cost
    needs = np.array([t.need for t in targets])
    count, leaves = len(targets), len(subproblem.leaves)
    own = np.flatnonzero(withheld[subproblem.cells])
    shop = (
        np.flatnonzero(~withheld[subproblem.cells] & np.isfinite(cost[subproblem.cells]))
        if cost is not None
        else own[:0]
    )
    price = cost[subproblem.cells[shop]] if cost is not None else np.zeros(0)
    places = np.searchsorted(subproblem.cells[own], [t.cell for t in targets])
    others = subproblem.ties[:, leaves + shop]
    level, width = np.zeros(subproblem.ties.shape[0]), leaves + len(own)
    size = width + 2 * len(shop)
    tied = sp.hstack(
        [subproblem.ties[:, :leaves], subproblem.ties[:, leaves + own], others, -others],
        format="csc",
    ).tocsr()
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
        np.concatenate(
            [
                np.zeros(width),
                price,
                price,
                -(np.ones(count) if rewards is None else rewards) / np.abs(needs),
            ]
        ),
        np.concatenate(
            [
                -terms.calls_multiplied * subproblem.system.leaves[subproblem.leaves],
                np.full(len(own), -np.inf),
                np.zeros(2 * len(shop)),
                np.full(count, -np.inf),
            ]
        ),
        np.concatenate([np.full(size, np.inf), np.abs(needs).astype(float)]),
        np.concatenate([level, np.zeros(count)]),
        np.concatenate([level, np.full(count, np.inf)]),
    )
    return subproblem.move(
        _solved(program, leaves - subproblem.system.spare, sample, {} if vertex else INTERIOR)
    )


def _solved(
    program: solver.Program,
    leaves: int,
    sample: LeafSample | None,
    options: Mapping[str, bool | int | float | str],
) -> Floats:
    """The program's solution. Of very many empty leaves (the first columns) only a sample is in
    it; the duals name others that would have helped.

    This takes half the time for nearly the same answer where nine leaves in ten are empty. The
    program is not solved again for those leaves: they would gain half a percent.
    """
    empty = np.flatnonzero(program.low[:leaves] == 0)
    if len(empty) <= MAX_EMPTY_LEAVES:
        return solver.point(_moved(program, options))
    sample = sample or LeafSample.draw(empty, 0)
    inside = np.ones(len(program.cost), dtype=bool)
    inside[empty] = False
    inside[sample.drawn] = True
    columns, part = program.matrix.tocsc(), np.flatnonzero(inside)
    highs = _moved(program.only(columns, part), options)
    worth = program.cost - columns.T @ solver.row_duals(highs)
    wanted = np.flatnonzero(~inside & (worth < -min(HELPS * np.abs(program.cost).max(), MAX_HELP)))
    sample.asked = wanted[np.argsort(worth[wanted], kind="stable")][:SAMPLE_SIZE]
    point = np.zeros(len(inside))
    point[part] = solver.point(highs)
    return point


def _moved(
    program: solver.Program, options: Mapping[str, bool | int | float | str]
) -> highspy.Highs:
    """`program`, solved. Raises ProtectionError where it has no feasible point."""
    highs = solver.load(program, **options)
    solver.run(highs)
    if not solver.feasible(highs):
        raise ProtectionError("the solver found no move at all; please report this")
    return highs


def least_disturbing(system: System, withheld: Mask, target: Target, cost: Floats) -> Floats | None:
    """The move that reaches `target` at least cost; None where no move does. Cells of infinite
    cost stay as they are."""
    leaves, stays = len(system.leaves), np.isinf(cost)
    price, most = np.where(stays, 0.0, cost), np.where(stays, 0.0, np.inf)
    least, against = np.where(withheld, -np.inf, 0.0), np.where(withheld, 0.0, most)
    least[target.cell], most[target.cell] = (
        (target.need, np.inf) if target.need > 0 else (-np.inf, target.need)
    )
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


class CutFinder:
    """Finds why targets cannot be reached: a few published cells of which some must be withheld.

    Published cells may move by a very small amount; the duals of the furthest move then depend on
    few of them.
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
                system.ties,
                np.zeros(self.leaves + cells),
                np.concatenate([-system.leaves.astype(float), -hair]),
                np.concatenate([np.full(self.leaves, np.inf), hair]),
                level,
                level,
            ),
            solver="ipm",
            simplex_strategy=4,
            primal_simplex_bound_perturbation_multiplier=0.0,
            simplex_iteration_limit=MAX_PIVOTS,
        )

    def cut(self, withheld: Mask, target: Target) -> tuple[Ints, Floats] | None:
        """(cells, weights): of these cells, enough must be withheld for their weights to reach 1.
        None where no cut is found."""
        sign = 1.0 if target.need > 0 else -1.0
        low, high = np.where(withheld, -np.inf, -self.HAIR), np.where(withheld, np.inf, self.HAIR)
        low[target.cell], high[target.cell] = (
            (-np.inf, target.need) if sign > 0 else (target.need, np.inf)
        )
        ids = np.flatnonzero((low != self.low) | (high != self.high)).astype(np.int32)
        self.highs.changeColsBounds(len(ids), ids + self.leaves, low[ids], high[ids])
        self.low, self.high = low, high
        if self.target is not None:
            self.highs.changeColCost(self.leaves + self.target, 0.0)
        self.target = target.cell
        self.highs.changeColCost(self.leaves + target.cell, -sign)
        status = solver.run(self.highs)
        self.highs.setOptionValue(
            "solver", "simplex"
        )  # from the first answer on, the next one is near
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        return self._valid(solver.row_duals(self.highs), target, sign)

    def _valid(self, duals: Floats, target: Target, sign: float) -> tuple[Ints, Floats] | None:
        """The cut in whole numbers, so that it holds for every move whatever the solver rounded.

        Any whole weights of the ties give each leaf and each cell a weight, and the weighted
        changes of all add up to 0. Where no leaf's weight is below 0, and the target's (times
        sign) is: -weight * change of the target <= sum of weight * change of the other cells +
        weight of the leaves @ leaves, with all cell weights negated.
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
        room = np.where(
            weights[cells] > 0,
            missing,
            np.minimum(missing, -weights[cells] * self.system.values[cells]),
        )
        return cells[room > 0], room[room > 0] / missing


def _whole(numbers: Floats) -> Ints | None:
    """`numbers` times the smallest scale that makes them whole; None where no small scale does."""
    for scale in (1, 2, 3, 4, 5, 6, 12, 60):
        scaled = numbers * scale
        rounded = np.rint(scaled)
        if np.all(np.abs(scaled - rounded) < 1e-5):
            return rounded.astype(np.int64)
    return None


class WithheldMoves:
    """Moves inside the withheld cells, for one cell after another."""

    def __init__(self, system: System, withheld: Mask, high: int) -> None:
        self.system = system
        empty_published = system.cells[~withheld & (system.values == 0)]
        self.live = np.flatnonzero(np.asarray(empty_published.sum(axis=0)).ravel() == 0)
        self.size = len(self.live)
        size = len(system.values)
        self.columns = np.concatenate([self.live, system.cells.shape[1] + np.arange(size)])
        self.matrix = sp.csr_matrix(system.ties[:, self.columns])
        free = np.where(withheld, np.inf, 0.0)
        self.low = np.concatenate([-system.leaves[self.live].astype(float), -free])
        self.high = np.concatenate(
            [np.where(self.live < system.joint, float(MAX_GAIN * high), np.inf), free]
        )
        self.level = np.zeros(self.matrix.shape[0])
        self.asked: int | None = None
        self.far = solver.load(
            solver.Program(
                self.matrix,
                np.zeros(len(self.columns)),
                self.low,
                self.high,
                self.level,
                self.level,
            ),
            simplex_strategy=4,
            primal_simplex_bound_perturbation_multiplier=0.0,
        )

    def _full(self, found: Floats) -> Floats:
        move = np.zeros(len(self.system.leaves))
        move[self.live] = found[: self.size]
        return move

    def corner(self, target: Target) -> Floats:
        """The move that takes the target's cell furthest, found from where the last one ended
        (only the objective changes)."""
        if self.asked is not None:
            self.far.changeColCost(self.asked, 0.0)
        self.asked = self.size + target.cell
        self.far.changeColCost(self.asked, -float(np.sign(target.need)))
        if solver.run(self.far) != highspy.HighsModelStatus.kOptimal:
            raise ProtectionError("the solver found no move at all; please report this")
        return self._full(solver.point(self.far))

    def whole(self, target: Target) -> Floats | None:
        """The first whole-number move found that reaches the target; None where none was found."""
        low, high = self.low.copy(), self.high.copy()
        low[self.size + target.cell], high[self.size + target.cell] = _beyond(target)
        program = solver.Program(self.matrix, np.zeros(len(low)), low, high, self.level, self.level)
        highs = solver.load(program, mip_max_nodes=MAX_NODES, mip_max_improving_sols=1)
        whole = np.arange(self.size, dtype=np.int32)
        highs.changeColsIntegrality(
            self.size, whole, np.full(self.size, highspy.HighsVarType.kInteger)
        )
        solver.run(highs)
        return self._full(solver.point(highs)) if solver.feasible(highs) else None


def _beyond(target: Target) -> tuple[float, float]:
    return (float(target.need), np.inf) if target.need > 0 else (-np.inf, float(target.need))
