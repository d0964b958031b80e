"""Secondary suppression: withhold further cells until every sensitive cell can move.

1. A covering pattern: a cheap set of cells that every published sum demands, with a proven bound
   (`covering.py`).
2. Sweeps: moves inside the withheld cells that reach many targets at once (`move_lp.furthest`). In
   a wide system all targets first buy together, as if there were more calls to move than there
   are. That proves nothing, but what is bought is shared.
3. Bids: a few of the targets left bid for published cells, while some of the others ride along.
4. Cuts: what the bids had to add becomes rows of the covering problem, and all begins again while
   the effort allows and the bound is near. The cheapest result counts.
5. Pruning: another pattern is drawn from the withheld cells, and steps 2 and 3 follow with only
   these to choose from. Cells that are no longer needed become published. A few times over.

Moves are fractional here. Whole-number certificates (`certificates.py`) and the audit decide; what
they find comes back through `widen`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from anonymize.errors import ProtectionError
from anonymize.protect.covering import Pattern
from anonymize.protect.move_lp import (
    MOVED,
    NUDGE,
    CutFinder,
    LeafSample,
    Terms,
    WithheldMoves,
    furthest,
    least_disturbing,
)
from anonymize.protect.protection_levels import CLOSE, Target, TargetArrays, targets_of
from anonymize.protect.search_settings import SETTINGS, Bid
from anonymize.protect.subproblems import Subproblem, Subproblems
from anonymize.protect.system import System

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Tick = Callable[[int, int], None]


def _quiet(done: int, total: int) -> None:
    pass


@dataclass
class Protected:
    """A system and what to withhold of it.

    `withheld`: over the distinct cells of the system. Each sensitive cell can be 1 or less, and
    `high` or more. `bound`: a proven lower bound on the cost of doing so.
    """

    system: System
    high: int
    withheld: Mask
    bound: float = 0.0

    @property
    def cost(self) -> float:
        """What the withheld cells cost readers."""
        return math.fsum(self.system.cost[self.withheld & ~self.system.unpublished].tolist())


def protect(system: System, high: int, tick: Tick = _quiet, seed: int = 0) -> Protected:
    """Withhold the sensitive cells and others, until each sensitive cell could be 1 or less and
    `high` or more.

    `high` is threshold - 1 for the promise (`docs/protection.md`). With `threshold`, someone who
    knows of one call in another withheld cell still cannot narrow it inside the small range. `seed`
    seeds the choice among equally good cells.

    Raises ProtectionError when it is impossible, or when the solver gives no answer.
    """
    targets = targets_of(np.flatnonzero(system.sensitive), system.values, high)
    pattern = Pattern(system, targets)
    reach = SecondarySearch(system, targets, tick, seed)
    reasons: CutFinder | None = None
    done: list[Mask] = []
    while True:
        beside, start = reach.pool.submit(pattern.cheapest), pattern.sparing(seed)
        grown, violated = reach.complete(start)
        cheapest = beside.result()
        done.append(grown)
        dear = SETTINGS.cut_effort * reach.size * len(violated)
        reach.effort += dear
        far = (
            dear > SETTINGS.always_cut_below
            and _cost(system, grown) > (1 + SETTINGS.max_gap_for_cuts) * pattern.bound
        )
        if not violated or reach.effort > SETTINGS.max_effort or far:
            break
        reasons = reasons or CutFinder(system)
        cuts = [cut for target in violated if (cut := reasons.cut(start, target)) is not None]
        if not cuts:
            break
        for cells, weights in cuts:
            pattern.add_cut(cells, weights)
    if reach.effort < SETTINGS.cheap_effort:
        done.append(reach.complete(cheapest)[0])
    return Protected(
        system, high, reach.pruned(min(done, key=partial(_cost, system)), pattern), pattern.bound
    )


def widen(protected: Protected, cells: Sequence[int], tick: Tick = _quiet) -> None:
    """Protect each of `cells` (withheld already) like a sensitive cell."""
    targets = targets_of(sorted(cells), protected.system.values, protected.high)
    protected.withheld, _ = SecondarySearch(protected.system, targets, tick).complete(
        protected.withheld
    )


def narrow(protected: Protected, cells: Sequence[int]) -> list[int]:
    """Those of `cells` (withheld, not small) of which an attacker could learn whether they are
    small.

    They can be less than `high`, but not both 1 or less and `high` or more. In fractions, as all
    moves here; the audit decides.
    """
    system, high = protected.system, protected.high
    hidden = protected.withheld | system.unpublished
    if not len(cells):
        return []
    left = _not_swept(system, hidden, targets_of(cells, system.values, high))
    if not left:
        return []
    inside = WithheldMoves(system, hidden, high)

    def furthest_value(cell: int, way: int) -> float:
        return float(
            system.values[cell] + (system.cells[cell] @ inside.corner(Target(cell, way)))[0]
        )

    found = []
    for cell in [cell for cell in cells if cell in left]:
        least = furthest_value(cell, -1)
        if least < high - CLOSE and (least > 1 + CLOSE or furthest_value(cell, 1) < high - CLOSE):
            found.append(int(cell))
    return found


def settle(protected: Protected) -> list[int]:
    """Cells withheld by the second round of which an attacker could learn whether they are small.
    The audit would ask for more cover of them."""
    system = protected.system
    return narrow(
        protected,
        np.flatnonzero(protected.withheld & ~system.sensitive & ~system.unpublished).tolist(),
    )


def _not_swept(system: System, hidden: Mask, targets: Sequence[Target]) -> set[int]:
    """The cells of `targets` that moves for many targets at once do not take far enough."""
    subproblem = Subproblem.whole(system)
    found: set[int] = set()
    for up in (True, False):
        left = [target for target in targets if (target.need > 0) == up]
        while left:
            reached = TargetArrays(left).reached(system.cells @ furthest(subproblem, hidden, left))
            if np.count_nonzero(reached) <= SETTINGS.min_share_reached * len(left):
                break
            left = [target for target, done in zip(left, reached, strict=True) if not done]
        found |= {target.cell for target in left}
    return found


def _cost(system: System, withheld: Mask) -> float:
    return math.fsum(system.cost[withheld].tolist())


class SecondarySearch:
    """Withholds more cells until all targets are reached.

    `effort` adds up the sizes of the programs solved.
    """

    def __init__(
        self, system: System, targets: Sequence[Target], tick: Tick, seed: int = 0
    ) -> None:
        self.system, self.targets, self.tick = system, list(targets), tick
        self.needs = TargetArrays(self.targets)
        self.size = sum(system.cells.shape)
        self.wide = system.joint > SETTINGS.wide_leaves
        self.effort = 0
        self.rng = np.random.default_rng(seed)
        self.cost = np.where(system.unpublished, 0.0, system.cost) * (
            1 + NUDGE * self.rng.random(len(system.values))
        )
        self.empty = np.flatnonzero(system.leaves[: system.joint] == 0)
        self.asked, self.sample_seed = self.empty[:0], 0
        self.moves: list[tuple[Ints, Mask]] = []
        self.subproblems = Subproblems(system)
        self.pool = ThreadPoolExecutor(SETTINGS.workers)

    def complete(self, start: Mask, within: Mask | None = None) -> tuple[Mask, list[Target]]:
        """`start` with more cells withheld (none outside `within`, where given), and the targets
        that needed more."""
        self.withheld = start.copy()
        self.bids = (
            SETTINGS.bids
            if not self.wide
            else SETTINGS.bids_wide
            if within is None
            else SETTINGS.bids_wide_pruning
        )
        self.prices = np.where(self.system.fixed if within is None else ~within, np.inf, self.cost)
        self.done = np.zeros(len(self.targets), dtype=bool)
        self.steps = np.zeros(len(self.targets), dtype=np.int64)
        self.violated: list[int] = []
        self.more = 1.0
        for touched, reached in self.moves:
            if not self.done.all() and self.withheld[touched].all():
                self.done |= reached
        if self.wide and within is None:
            self._buy_together()
        self._sweep()
        while not self.done.all():
            self._bid()
            self.tick(int(self.done.sum()), len(self.done))
        return self.withheld, [self.targets[i] for i in self.violated]

    def pruned(self, withheld: Mask, pattern: Pattern) -> Mask:
        """`withheld` without the cells that are not needed."""
        most = (
            SETTINGS.max_prunings
            if not self.wide
            else 1
            if self.system.joint <= SETTINGS.unpruned_leaves
            else 0
        )
        for _ in range(most):
            try:
                fewer, _violated = self.complete(pattern.drawn(withheld, self.rng), withheld)
            except ProtectionError:
                break  # a move that only nearly reached its target may not be found again
            before, after = _cost(self.system, withheld), _cost(self.system, fewer)
            if after < before:
                withheld = fewer
            if after > (1 - SETTINGS.min_share_saved) * before:
                break
        return withheld

    def _buy_together(self) -> None:
        """Withhold what all targets would need if each leaf had `calls_multiplied` times its
        calls.

        Of targets that need the same few calls, a true move reaches one, and the others would buy
        cells of their own. Here they choose at the same time, and so choose cells that many can
        use. None of them counts as reached by it: sweeps and bids decide that.
        """
        left = ~self.done
        for share, bid in SETTINGS.together:
            if left.sum() <= SETTINGS.uncrowded:
                return
            withheld, cost = self.withheld, self._prices()
            offers = [
                self._offer(
                    way,
                    self._drawn(way, share * len(way)),
                    bid,
                    withheld,
                    cost,
                    SETTINGS.calls_multiplied,
                )
                for way in self._ways(left)
            ]
            for (_, sample), move in zip(
                offers, self.pool.map(lambda offer: offer[0](), offers), strict=True
            ):
                touched, reached = self._shown(move)
                self.withheld = self.withheld | touched
                self.asked = np.union1d(self.asked, sample.asked)
                left &= ~reached

    def _ways(self, left: Mask) -> list[Ints]:
        """The targets left, in two parts drawn at random: in one part no cell is asked to go both
        up and down, and neighbours tend to move against each other."""
        ways = self.rng.choice([-1, 1], len(self.system.values))[self.needs.cells]
        with_it = np.sign(self.needs.need) == ways
        return [
            way
            for way in (np.flatnonzero(left & with_it), np.flatnonzero(left & ~with_it))
            if len(way)
        ]

    def _rewards(self, count: int) -> Floats:
        """A few targets count for much and most for little, so that those few are reached: equal
        ones would hinder each other.

        Products, quotients and an exact sum only: a power is rounded differently on other
        processors, and the result would depend on it.
        """
        drawn = self.rng.random(count)
        drawn = 1.0 / (drawn * drawn)
        mean = math.fsum(drawn.tolist()) / max(count, 1)
        rewards: Floats = np.minimum(drawn / mean, 1_000.0)
        return rewards

    def _sweep(self) -> None:
        """Find moves that reach many targets inside the withheld cells, while they reach enough."""
        for turn in range(SETTINGS.max_sweeps_wide if self.wide else SETTINGS.max_sweeps):
            ways = self._ways(~self.done)
            left = sum(map(len, ways))
            jobs = [
                (subproblem, inside, Terms(self._rewards(len(inside)) if turn else None))
                for way in ways
                for subproblem, inside in self._parts(way)
            ]
            for move in self.pool.map(
                lambda job: furthest(job[0], self.withheld, self._of(job[1]), job[2]), jobs
            ):
                self._note(move)
            self.tick(int(self.done.sum()), len(self.done))
            if left - int((~self.done).sum()) <= SETTINGS.min_share_reached * left:
                break

    def _of(self, numbers: Ints) -> list[Target]:
        return [self.targets[i] for i in numbers]

    def _parts(self, way: Ints) -> list[tuple[Subproblem, Ints]]:
        """Subproblems that together hold all targets of `way`, each with its targets; the whole
        system where that is small."""
        if not self.wide:
            return [(self.subproblems.whole, way)]
        found = {
            id(subproblem): subproblem
            for subproblem in (
                self.subproblems.around(self.targets[i].cell, SETTINGS.min_subproblem_leaves)
                for i in way
            )
        }
        return [
            (subproblem, way[subproblem.holds(self.needs.cells[way])])
            for subproblem in found.values()
        ]

    def _bid(self) -> None:
        """Solve two programs in which a few targets bid for published cells and others ride along.
        A target that is not reached bids more next time, and is finally sought alone."""
        withheld, cost, size = (
            self.withheld,
            self._prices(),
            self.system.joint / SETTINGS.reference_leaves,
        )
        jobs: list[Callable[[], Floats]] = []
        bidders, lots = [], []
        for way in self._ways(~self.done):
            step = int(self.steps[way].min())
            alike = way[self.steps[way] == step]
            if step == len(self.bids):
                jobs.append(partial(self._alone, self.targets[alike[0]], withheld, cost))
                bidders.append(alike[:1])
                continue
            bid = self.bids[step]
            chosen = self._drawn(
                alike,
                self.more
                * bid.share
                * size
                * max(SETTINGS.min_bidders, SETTINGS.bidder_share * len(way)),
            )
            job, sample = self._offer(way, chosen, bid, withheld, cost)
            jobs.append(job)
            lots.append(sample)
            bidders.append(chosen)
        for numbers, move in zip(bidders, self.pool.map(lambda job: job(), jobs), strict=True):
            self._buy(numbers, move)
            self.steps[numbers[~self.done[numbers]]] += 1
            self.more = (
                min(self.more * SETTINGS.bidder_growth, SETTINGS.max_bidder_growth)
                if size > 1 and self.done[numbers].all()
                else max(self.more / SETTINGS.bidder_growth, 1.0)
            )
        self.done |= self.steps > len(
            self.bids
        )  # sought alone, a target is reached as nearly as the solver can
        self.asked = np.unique(np.concatenate([self.asked, *(sample.asked for sample in lots)]))

    def _drawn(self, numbers: Ints, most: float) -> Ints:
        """`most` of `numbers` at random, at least one."""
        return np.sort(self.rng.permutation(numbers)[: max(1, int(most))])

    def _offer(
        self,
        way: Ints,
        bidders: Ints,
        bid: Bid,
        withheld: Mask,
        cost: Floats,
        calls_multiplied: float = 1.0,
    ) -> tuple[Callable[[], Floats], LeafSample]:
        """The program in which `bidders` bid and others of `way` ride along, and the sample of
        leaves in it.

        Cells dearer than any bidder would pay for a call are left out: the program is a fifth
        quicker.
        """
        bidding = np.isin(way, bidders)
        dearest = min(bid.dearest, bid.offer / np.abs(self.needs.need[bidders]).min())
        affordable = np.where(cost > dearest, np.inf, cost)
        rides = SETTINGS.rider_offer * self._rewards(len(way))
        aboard = bidding | self.wide | (rides >= np.quantile(rides, 1 - SETTINGS.rider_share))
        offers = np.where(bidding, bid.offer * (0.5 + self.rng.random(len(way))), rides)
        sample = self._sample()
        return (
            partial(
                furthest,
                self.subproblems.whole,
                withheld,
                self._of(way[aboard]),
                Terms(offers[aboard], affordable, calls_multiplied),
                sample,
            ),
            sample,
        )

    def _sample(self) -> LeafSample:
        """A new sample for each program, with all leaves for which earlier programs asked: those
        were not solved again with them."""
        sample = LeafSample.draw(self.empty, self.sample_seed)
        self.sample_seed += 1
        sample.drawn = np.union1d(sample.drawn, self.asked)
        return sample

    def _prices(self) -> Floats:
        return np.where(self.withheld, 0.0, self.prices)

    def _alone(self, target: Target, withheld: Mask, prices: Floats) -> Floats:
        move = least_disturbing(self.system, withheld, target, prices)
        if move is None:
            raise ProtectionError(
                "a small count cannot be protected within these tables; use coarser levels or a "
                "lower threshold"
            )
        return move

    def _buy(self, bidding: Ints, move: Floats) -> None:
        """Withhold what `move` touches; the targets of `bidding` that it reached are the reason
        for what was bought."""
        touched = self._note(move)
        if np.any(touched & ~self.withheld):
            self.violated += bidding[self.done[bidding]].tolist()
        self.withheld = self.withheld | touched

    def _note(self, move: Floats) -> Mask:
        touched, reached = self._shown(move)
        self.moves.append((np.flatnonzero(touched), reached))
        self.done |= reached
        return touched

    def _shown(self, move: Floats) -> tuple[Mask, Mask]:
        """The cells that a move touches, and the targets that it reaches."""
        self.effort += self.size
        change = np.asarray(self.system.cells @ move)
        return np.abs(change) > MOVED, self.needs.reached(change)
