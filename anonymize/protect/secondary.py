"""Secondary suppression: from a proven covering pattern to one in which every sensitive cell can move.

1. The pattern: the cheapest set of cells that every sum demands (`pattern.py`), with a proven bound.
2. Sweeps: moves that reach many targets at once inside the pattern (`moves.furthest`).
3. What is left is reached by the move that disturbs the least valuable published cells; those are withheld too.
4. What step 3 had to add is turned into cuts of the pattern, and all begins again, as long as the
   effort allows; the cheapest result counts.

The moves here are fractional. Whole-number certificates (`certificates.py`) and the audit have the last word;
what they find comes back through `widen`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from anonymize.errors import ProtectionError
from anonymize.protect.moves import MOVED, NUDGE, Nearby, Reasons, furthest, least_disturbing
from anonymize.protect.pattern import Pattern
from anonymize.protect.system import System
from anonymize.protect.targets import Needs, Target, spanning

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Tick = Callable[[int, int], None]

WORKERS = 2
"""Programs solved side by side. Fixed, whatever the machine: the result depends on it."""

CUT = 8
"""A cut takes about as long as so many moves."""
EFFORT = 1_000_000
"""Program sizes (rows and leaves) times programs solved, after which no new round begins."""
LARGE = 150_000
"""A system of so many leaves moves all targets that are left at once; smaller ones fewer (that withholds less)."""
HUGE = 50_000
"""Leaves beyond which even the first program takes minutes by simplex."""
FEW = 0.02
"""A sweep that reaches less than this share of what is left is the last of its kind."""
SOON = 8
"""After so many more withheld cells a sweep is worth its while."""
PARTS = (1, 4, 16)
"""Targets that hinder each other in one sweep may be reached in groups."""


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
        return float(self.system.cost[self.withheld & ~self.system.unpublished].sum())


def protect(system: System, high: int, tick: Tick = _quiet) -> Protected:
    """Withhold the sensitive cells and others, until each sensitive cell could be 1 or less and `high` or more.

    `high` is threshold - 1 for the promise of DESIGN.md section 3. With `threshold`, someone who knows of one call in another
    withheld cell still cannot narrow it inside the small range.

    Raises ProtectionError when there is no way, or when the solver gives no answer.
    """
    sensitive = np.flatnonzero(system.sensitive)
    targets = spanning(sensitive, system.values, high)
    pattern = Pattern(system, targets)
    reach = _Reach(system, targets, tick)
    reasons: Reasons | None = None
    best: Mask | None = None
    while True:
        start = pattern.solve()
        grown, violated = reach.complete(start)
        if best is None or _cost(system, grown) < _cost(system, best):
            best = grown
        if not violated or reach.effort > EFFORT:
            return Protected(system, high, best, pattern.bound)
        reasons = reasons or Reasons(system)
        reach.effort += CUT * reach.size * len(violated)
        cuts = [cut for target in violated if (cut := reasons.cut(start, target)) is not None]
        if not cuts:
            return Protected(system, high, best, pattern.bound)
        for cells, weights in cuts:
            pattern.add_cut(cells, weights)


def widen(protected: Protected, cells: Sequence[int], tick: Tick = _quiet) -> None:
    """Make each of `cells` (withheld already) span the small range too."""
    targets = spanning(sorted(cells), protected.system.values, protected.high)
    protected.withheld, _ = _Reach(protected.system, targets, tick).complete(protected.withheld)


def _cost(system: System, withheld: Mask) -> float:
    return float(system.cost[withheld].sum())


class _Reach:
    """Withholds more cells until all targets are reached. `effort` adds up the programs solved."""

    def __init__(self, system: System, targets: Sequence[Target], tick: Tick) -> None:
        self.system, self.targets, self.tick = system, list(targets), tick
        self.needs = Needs(self.targets)
        self.size = sum(system.cells.shape)
        self.effort = 0
        rng = np.random.default_rng(0)
        self.cost = np.where(system.unpublished, 0.0, system.cost) * (1 + NUDGE * rng.random(len(system.values)))
        self.moves: list[tuple[Ints, Mask]] = []
        self.nearby: Nearby | None = None
        self.number = {target: i for i, target in enumerate(self.targets)}
        self.pool = ThreadPoolExecutor(WORKERS)

    def complete(self, start: Mask) -> tuple[Mask, list[Target]]:
        """`start` with more cells withheld, and the targets for which some were."""
        self.withheld = start.copy()
        self.done = np.zeros(len(self.targets), dtype=bool)
        for touched, reached in self.moves:
            if not self.done.all() and self.withheld[touched].all():
                self.done |= reached
        swept = self._quick
        self._sweep(PARTS[:1] if swept else PARTS)
        violated = []
        since = 0
        while not self.done.all():
            if swept and not self._quick:
                swept = False
                self._sweep(PARTS)
            groups = self._groups(np.flatnonzero(~self.done))
            before = int(self.withheld.sum())
            self._move(groups)
            if added := int(self.withheld.sum()) - before:
                violated += [target for group in groups for target in group]
                since += added
            if since > SOON and since > int((~self.done).sum()) // 8:
                self._sweep(PARTS[:1] if self._quick else PARTS[:2])
                since = 0
            self.tick(int(self.done.sum()), len(self.done))
        return self.withheld, violated

    @property
    def _quick(self) -> bool:
        """Does a program start well from the last one's end? Not in a huge system; in others not known before the first."""
        return self.system.cells.shape[1] < HUGE and (self.nearby is None or self.nearby.usable)

    def _groups(self, left: Ints) -> list[list[Target]]:
        """The next targets to move: one where the last program is a good start, else WORKERS groups of targets of one direction."""
        if self._quick:
            return [[self.targets[left[0]]]]
        together = max(1, int(len(left) * (self.system.cells.shape[1] / LARGE) ** 1.5))
        first = self.targets[left[0]].need > 0
        same = [self.targets[i] for i in left if (self.targets[i].need > 0) == first]
        other = [self.targets[i] for i in left if (self.targets[i].need > 0) != first]
        pools = [same, other] if other else [same[::2], same[1::2]]
        return [pool[:: max(1, len(pool) // together)][:together] for pool in pools if pool]

    def _note(self, move: Floats) -> Mask:
        self.effort += self.size
        change = np.asarray(self.system.cells @ move)
        touched: Mask = np.abs(change) > MOVED
        reached = self.needs.reached(change)
        self.moves.append((np.flatnonzero(touched), reached))
        self.done |= reached
        return touched

    def _sweep(self, parts_in_turn: Sequence[int]) -> None:
        """Moves that reach many targets inside what is withheld, while they reach enough; then in ever smaller groups."""
        for parts in parts_in_turn:
            enough = True
            while enough:
                left = [t for t, done in zip(self.targets, self.done, strict=True) if not done]
                groups = [
                    way[part::parts] for way in ([t for t in left if t.need > 0], [t for t in left if t.need < 0]) for part in range(parts)
                ]
                for move in self.pool.map(partial(furthest, self.system, self.withheld), filter(None, groups)):
                    self._note(move)
                self.tick(int(self.done.sum()), len(self.done))
                enough = len(left) - int((~self.done).sum()) > FEW * len(left) * parts

    def _move(self, groups: list[list[Target]]) -> None:
        """Reach each group at least cost, side by side; a group that cannot be reached together is halved."""
        cost = np.where(self.withheld, 0.0, np.where(self.system.fixed, np.inf, self.cost))
        moves: list[Floats | None] = []
        if len(groups) == 1 and len(groups[0]) == 1 and self._quick:
            self.nearby = self.nearby or Nearby(self.system, cost)
            self.nearby.charge(cost)
            if self.nearby.usable:
                moves = [self.nearby.move(groups[0][0])]
        if not moves or moves[0] is None:
            withheld = self.withheld
            moves = list(self.pool.map(lambda group: least_disturbing(self.system, withheld, group, cost), groups))
        for group, move in zip(groups, moves, strict=True):
            if move is not None:
                self.withheld = self.withheld | self._note(move)
                self.done[[self.number[target] for target in group]] = True
            elif len(group) == 1:
                raise ProtectionError("a small count cannot be protected within these tables; use coarser levels or a lower threshold")
            else:
                middle = len(group) // 2
                self._move([group[:middle], group[middle:]])
