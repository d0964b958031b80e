"""Secondary suppression: from a proven covering pattern to one in which every sensitive cell can move.

1. The pattern: a cheap set of cells that every sum demands (`pattern.py`), with a proven bound.
2. In a wide system all targets buy together first, as if there were more calls to move than there are: nothing is proven by it, but what is bought is shared.
   Sweeps: moves that reach many targets at once inside what is withheld (`moves.furthest`).
3. What is left needs published cells to be withheld too: a few targets at a time bid for them, while some of the others ride along.
4. What step 3 had to add is turned into cuts of the pattern, and all begins again, as long as the
   effort allows and the bound is near; the cheapest result counts.
5. Pruning: another pattern is drawn from what is withheld, and steps 2 and 3 follow once more with nothing to be had but what is withheld
   already. What is of no more use falls away, be it bought or of the first pattern; so a few times over.

The moves here are fractional. Whole-number certificates (`certificates.py`) and the audit have the last word;
what they find comes back through `widen`.
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
from anonymize.protect.moves import MOVED, NUDGE, Inside, Reasons, Some, furthest, least_disturbing
from anonymize.protect.pattern import Pattern
from anonymize.protect.regions import Region, Regions
from anonymize.protect.system import System
from anonymize.protect.targets import CLOSE, Needs, Target, spanning

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Tick = Callable[[int, int], None]

WORKERS = 2
"""Programs solved side by side. Fixed, whatever the machine: the result depends on it."""

LITTLE = 30_000
"""Where all took less effort than this, the cheapest pattern is completed too."""
CUT = 8
"""A cut takes about as long as so many moves."""
EFFORT = 1_500_000
"""Program sizes (cells and leaves) times programs solved, with the cuts to come, past which no new round begins."""
NEAR = 0.15
"""Cuts are worth their time where the result costs at most so much more than the proven bound; elsewhere a few of them change nothing."""
CHEAP = 100_000
"""Cuts of so little effort are always tried."""
FREE, WIDE_FREE = 3, 2
"""Sweeps inside what is withheld before any more is withheld, at most; a wide system's third one reaches less than bids do in the same time."""
FEW = 0.1
"""A sweep that reaches less than this share of what is left is the last."""
BIDDERS = 0.004
"""Of the targets left in a system of SMALL leaves, the share that may bid for published cells in one program; fewer take longer and withhold less."""
SMALL = 4_000
FEWEST = 3
"""So many bid at least in a system of SMALL leaves, more in a larger one."""
MORE, MOST_MORE = 1.1, 3.0
"""Where all that bid were reached, so many times as many bid from then on (MOST_MORE times at most), else as many times fewer, down to the share
above. In systems of more than SMALL leaves only: smaller ones are quick, and come out cheaper without."""


@dataclass(frozen=True)
class Bid:
    """What a target offers (calls moved, times their cost), give or take a half by lot: of equal bidders for the same room each would get a part.

    `dearest`: the dearest cell it may ask for. `share`: how many bid at once, by the usual number.
    """

    offer: float
    dearest: float = np.inf
    share: float = 1.0


BIDS = (Bid(500), Bid(2_000), Bid(8_000), Bid(64_000))
"""A target's bids, one after the other while it is not reached; then it is sought alone."""
NOTHING = Bid(500, 0, 20)
"""Asks for no more than is withheld already; who was not reached before only because others were in the way is reached for nothing."""
WIDE_BIDS = (
    Bid(500, 30, 2), Bid(500, 60, 2), NOTHING, Bid(2_000, 150, 0.5), Bid(4_000, 300, 0.4), Bid(8_000, 600, 0.4), Bid(16_000, 1_200, 0.2),
    *2 * (Bid(64_000, share=0.1),),
)  # fmt: skip
"""In a wide system hundreds bid at once, and would buy dear cells for a few calls each."""
WIDE_AGAIN = (Bid(2_000, share=2), *2 * (Bid(8_000),), Bid(16_000, share=0.6), *2 * (Bid(64_000, share=0.3),))
"""When it is pruned: what may be had is known to be enough."""
TOGETHER = ((0.15, Bid(500, 30)), (0.3, Bid(500, 30)), (0.5, Bid(500, 60)), (0.5, Bid(2_000, 150)), (1.0, Bid(2_000, 150)))
"""What comes first in a wide system: of those that nothing has reached yet such a share bids at once."""
LENT = 3.0
"""Each leaf may then give so many times the calls that it has. Many targets need the same few calls, which one move has just once; the cells they need they can share."""
CROWD = 100
"""Of no more than so many targets none is much in the way of another."""
LEAST = 6_000
"""Leaves of a region that is swept in place of the whole, at least."""
RIDE = 0.05
"""What others bid: too little to withhold more, enough to ride along."""
RIDERS = 0.1
"""The share of those left that ride along in a program, unless the system is wide: those that count for most there. The others are hardly ever reached, and make it slower."""
WIDE = 20_000
"""A system of more leaves buys together first, is swept region by region, bids otherwise, and is pruned once."""
HUGE = 100_000
"""A system of more leaves is not pruned: that takes half its time again, which are minutes, and spares 3 %."""
PRUNINGS = 4
"""At most; each takes some 0.4 of the time of the first completion."""
WORTH = 0.02
"""A pruning that spares less than this share of the cost is the last: the next one spares about a third as much."""


def _quiet(done: int, total: int) -> None:
    pass


@dataclass
class Protected:
    """`withheld` over the distinct cells of the system; each sensitive one can be 1 or less and `high` or more.

    `bound`: no way of doing so costs less.
    """

    system: System
    high: int
    withheld: Mask
    bound: float = 0.0

    @property
    def cost(self) -> float:
        """What the withheld cells cost readers."""
        return math.fsum(self.system.cost[self.withheld & ~self.system.unpublished].tolist())


def protect(system: System, high: int, tick: Tick = _quiet, lot: int = 0) -> Protected:
    """Withhold the sensitive cells and others, until each sensitive cell could be 1 or less and `high` or more.

    `high` is threshold - 1 for the promise (`docs/protection.md`). With `threshold`, someone who knows of one call in another
    withheld cell still cannot narrow it inside the small range. Each `lot` makes other choices among what is equally good.

    Raises ProtectionError when there is no way, or when the solver gives no answer.
    """
    targets = spanning(np.flatnonzero(system.sensitive), system.values, high)
    pattern = Pattern(system, targets)
    reach = _Reach(system, targets, tick, lot)
    reasons: Reasons | None = None
    done: list[Mask] = []
    while True:
        beside, start = reach.pool.submit(pattern.cheapest), pattern.sparing(lot)
        grown, violated = reach.complete(start)
        cheapest = beside.result()
        done.append(grown)
        dear = CUT * reach.size * len(violated)
        reach.effort += dear
        far = dear > CHEAP and _cost(system, grown) > (1 + NEAR) * pattern.bound
        if not violated or reach.effort > EFFORT or far:
            break
        reasons = reasons or Reasons(system)
        cuts = [cut for target in violated if (cut := reasons.cut(start, target)) is not None]
        if not cuts:
            break
        for cells, weights in cuts:
            pattern.add_cut(cells, weights)
    if reach.effort < LITTLE:
        done.append(reach.complete(cheapest)[0])
    return Protected(system, high, reach.pruned(min(done, key=partial(_cost, system)), pattern), pattern.bound)


def widen(protected: Protected, cells: Sequence[int], tick: Tick = _quiet) -> None:
    """Make each of `cells` (withheld already) span the small range too."""
    targets = spanning(sorted(cells), protected.system.values, protected.high)
    protected.withheld, _ = _Reach(protected.system, targets, tick).complete(protected.withheld)


def narrow(protected: Protected, cells: Sequence[int]) -> list[int]:
    """Those of `cells` (withheld, not small themselves) that someone could tell to be small or not: they can be less than `high`,
    but not 1 or less and `high` or more. In fractions, as all moves here; the audit has the last word."""
    system, high = protected.system, protected.high
    hidden = protected.withheld | system.unpublished
    if not len(cells):
        return []
    left = _not_swept(system, hidden, spanning(cells, system.values, high))
    if not left:
        return []
    inside = Inside(system, hidden, high)

    def furthest_value(cell: int, way: int) -> float:
        return float(system.values[cell] + (system.cells[cell] @ inside.corner(Target(cell, way)))[0])

    found = []
    for cell in [cell for cell in cells if cell in left]:
        least = furthest_value(cell, -1)
        if least < high - CLOSE and (least > 1 + CLOSE or furthest_value(cell, 1) < high - CLOSE):
            found.append(int(cell))
    return found


def settle(protected: Protected) -> list[int]:
    """What the second round withheld and someone could tell to be small or not: the audit would ask for more cover of it."""
    system = protected.system
    return narrow(protected, np.flatnonzero(protected.withheld & ~system.sensitive & ~system.unpublished).tolist())


def _not_swept(system: System, hidden: Mask, targets: Sequence[Target]) -> set[int]:
    """The cells of `targets` that moves for many at once do not take far enough."""
    region = Region.whole(system)
    found: set[int] = set()
    for up in (True, False):
        left = [target for target in targets if (target.need > 0) == up]
        while left:
            reached = Needs(left).reached(system.cells @ furthest(region, hidden, left))
            if np.count_nonzero(reached) <= FEW * len(left):
                break
            left = [target for target, done in zip(left, reached, strict=True) if not done]
        found |= {target.cell for target in left}
    return found


def _cost(system: System, withheld: Mask) -> float:
    return math.fsum(system.cost[withheld].tolist())


class _Reach:
    """Withholds more cells until all targets are reached. `effort` adds up the programs solved."""

    def __init__(self, system: System, targets: Sequence[Target], tick: Tick, lot: int = 0) -> None:
        self.system, self.targets, self.tick = system, list(targets), tick
        self.needs = Needs(self.targets)
        self.size = sum(system.cells.shape)
        self.wide = system.joint > WIDE
        self.effort = 0
        self.rng = np.random.default_rng(lot)
        self.cost = np.where(system.unpublished, 0.0, system.cost) * (1 + NUDGE * self.rng.random(len(system.values)))
        self.empty = np.flatnonzero(system.leaves[: system.joint] == 0)
        self.asked, self.lot = self.empty[:0], 0
        self.moves: list[tuple[Ints, Mask]] = []
        self.regions = Regions(system)
        self.pool = ThreadPoolExecutor(WORKERS)

    def complete(self, start: Mask, within: Mask | None = None) -> tuple[Mask, list[Target]]:
        """`start` with more cells withheld (none outside `within`, where given), and the targets for which some were."""
        self.withheld = start.copy()
        self.bids = BIDS if not self.wide else WIDE_BIDS if within is None else WIDE_AGAIN
        self.prices = np.where(self.system.fixed if within is None else ~within, np.inf, self.cost)
        self.done = np.zeros(len(self.targets), dtype=bool)
        self.steps = np.zeros(len(self.targets), dtype=np.int64)
        self.violated: list[int] = []
        self.more = 1.0
        for touched, reached in self.moves:
            if not self.done.all() and self.withheld[touched].all():
                self.done |= reached
        if self.wide and within is None:
            self._together()
        self._sweep()
        while not self.done.all():
            self._bid()
            self.tick(int(self.done.sum()), len(self.done))
        return self.withheld, [self.targets[i] for i in self.violated]

    def pruned(self, withheld: Mask, pattern: Pattern) -> Mask:
        """Of `withheld` as little as will do."""
        most = PRUNINGS if not self.wide else 1 if self.system.joint <= HUGE else 0
        for _ in range(most):
            try:
                fewer, _violated = self.complete(pattern.drawn(withheld, self.rng), withheld)
            except ProtectionError:
                break  # a move that came near enough cannot be had again
            before, after = _cost(self.system, withheld), _cost(self.system, fewer)
            if after < before:
                withheld = fewer
            if after > (1 - WORTH) * before:
                break
        return withheld

    def _together(self) -> None:
        """Withhold what all targets would need, were there LENT times the calls in each leaf.

        Of targets that need the same few calls a true move reaches one, and the others would buy cells of their own. Here they choose at once, and choose
        what many can use. None of them counts as reached by it: sweeps and bids decide that.
        """
        left = ~self.done
        for share, bid in TOGETHER:
            if left.sum() <= CROWD:
                return
            withheld, cost = self.withheld, self._prices()
            offers = [self._offer(way, self._drawn(way, share * len(way)), bid, withheld, cost, LENT) for way in self._ways(left)]
            for (_, some), move in zip(offers, self.pool.map(lambda offer: offer[0](), offers), strict=True):
                touched, reached = self._shown(move)
                self.withheld = self.withheld | touched
                self.asked = np.union1d(self.asked, some.asked)
                left &= ~reached

    def _ways(self, left: Mask) -> list[Ints]:
        """The targets left in two parts, drawn by lot. No cell is asked to go both ways in one part: one goes up where its neighbour goes down."""
        ways = self.rng.choice([-1, 1], len(self.system.values))[self.needs.cells]
        with_it = np.sign(self.needs.need) == ways
        return [way for way in (np.flatnonzero(left & with_it), np.flatnonzero(left & ~with_it)) if len(way)]

    def _rewards(self, count: int) -> Floats:
        """A few targets count for much and most for little: then those few are reached, where equal ones would hinder each other.

        Products, quotients and an exact sum: a power is rounded otherwise on other processors, and the result would follow it.
        """
        drawn = self.rng.random(count)
        drawn = 1.0 / (drawn * drawn)
        mean = math.fsum(drawn.tolist()) / max(count, 1)
        rewards: Floats = np.minimum(drawn / mean, 1_000.0)
        return rewards

    def _sweep(self) -> None:
        """Moves that reach many targets inside what is withheld, while they reach enough."""
        for turn in range(WIDE_FREE if self.wide else FREE):
            ways = self._ways(~self.done)
            left = sum(map(len, ways))
            jobs = [(region, inside, self._rewards(len(inside)) if turn else None) for way in ways for region, inside in self._parts(way)]
            for move in self.pool.map(lambda job: furthest(job[0], self.withheld, self._of(job[1]), job[2]), jobs):
                self._note(move)
            self.tick(int(self.done.sum()), len(self.done))
            if left - int((~self.done).sum()) <= FEW * left:
                break

    def _of(self, numbers: Ints) -> list[Target]:
        return [self.targets[i] for i in numbers]

    def _parts(self, way: Ints) -> list[tuple[Region, Ints]]:
        """Regions that hold all of `way` together, each with its targets; the whole where that is small."""
        if not self.wide:
            return [(self.regions.whole, way)]
        found = {id(region): region for region in (self.regions.around(self.targets[i].cell, LEAST) for i in way)}
        return [(region, way[region.holds(self.needs.cells[way])]) for region in found.values()]

    def _bid(self) -> None:
        """Two programs: a few targets bid for published cells, others ride along. Who was not reached bids more the next time, until it is sought alone."""
        withheld, cost, size = self.withheld, self._prices(), self.system.joint / SMALL
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
            chosen = self._drawn(alike, self.more * bid.share * size * max(FEWEST, BIDDERS * len(way)))
            job, some = self._offer(way, chosen, bid, withheld, cost)
            jobs.append(job)
            lots.append(some)
            bidders.append(chosen)
        for numbers, move in zip(bidders, self.pool.map(lambda job: job(), jobs), strict=True):
            self._buy(numbers, move)
            self.steps[numbers[~self.done[numbers]]] += 1
            self.more = min(self.more * MORE, MOST_MORE) if size > 1 and self.done[numbers].all() else max(self.more / MORE, 1.0)
        self.done |= self.steps > len(self.bids)  # sought alone, a target is reached as nearly as the solver can
        self.asked = np.unique(np.concatenate([self.asked, *(some.asked for some in lots)]))

    def _drawn(self, numbers: Ints, most: float) -> Ints:
        """So many of `numbers` by lot, one at least."""
        return np.sort(self.rng.permutation(numbers)[: max(1, int(most))])

    def _offer(
        self, way: Ints, bidders: Ints, bid: Bid, withheld: Mask, cost: Floats, lent: float = 1.0
    ) -> tuple[Callable[[], Floats], Some]:
        """The program in which `bidders` bid and others of `way` ride along, and what it may ask for.

        Cells dearer than any of them would pay for a call are left out: the program is a fifth quicker.
        """
        bidding = np.isin(way, bidders)
        dearest = min(bid.dearest, bid.offer / np.abs(self.needs.need[bidders]).min())
        affordable = np.where(cost > dearest, np.inf, cost)
        rides = RIDE * self._rewards(len(way))
        aboard = bidding | self.wide | (rides >= np.quantile(rides, 1 - RIDERS))
        offers = np.where(bidding, bid.offer * (0.5 + self.rng.random(len(way))), rides)
        some = self._some()
        return partial(furthest, self.regions.whole, withheld, self._of(way[aboard]), offers[aboard], affordable, some, lent=lent), some

    def _some(self) -> Some:
        """Others each time, and all that programs before asked for: those were not solved again with them."""
        some = Some.by_lot(self.empty, self.lot)
        self.lot += 1
        some.drawn = np.union1d(some.drawn, self.asked)
        return some

    def _prices(self) -> Floats:
        return np.where(self.withheld, 0.0, self.prices)

    def _alone(self, target: Target, withheld: Mask, prices: Floats) -> Floats:
        move = least_disturbing(self.system, withheld, target, prices)
        if move is None:
            raise ProtectionError("a small count cannot be protected within these tables; use coarser levels or a lower threshold")
        return move

    def _buy(self, bidding: Ints, move: Floats) -> None:
        """Withhold what `move` touches; those of `bidding` that it reached stand for what was bought."""
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
