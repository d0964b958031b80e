"""What to withhold, from the counts and from what the release and earlier ones tell besides: the
second round, and more where it turns out too little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from anonymize.count.statistics import Statistic
from anonymize.count.tables import Mask
from anonymize.disclosure.declared_facts import Counted, contents_of, declared_now, declared_then
from anonymize.disclosure.history import Past
from anonymize.errors import AuditError, ProtectionError
from anonymize.progress import Progress
from anonymize.protect import Protected, protect, with_facts
from anonymize.protect.facts import Bounds, Declared, bounds_of
from anonymize.protect.secondary import narrow, settle, widen
from anonymize.protect.system import System
from anonymize.release.candidate import Contents

TOO_SMALL = (
    "a small count cannot be protected within these tables; use coarser levels or a lower threshold"
)
BESIDE_EARLIER = (
    "a small count cannot be protected within these tables beside what earlier releases told, or"
    " beside days of which nothing was collected; use coarser levels for this release"
)
BY_STATISTIC = (
    "a small count can be narrowed inside the small range with a statistic of an earlier release;"
    " use coarser levels for it; nothing was written"
)
SMALL, SEEDS, NEAR = 4_000, 6, 1.1
"""In a system of at most SMALL cells and leaves, up to SEEDS solutions are tried, which takes no
time, and the cheapest is kept; the first that costs at most NEAR times the proven bound ends it."""


class Withholding:
    """The cells withheld so far, and why they are enough. `protected.system` always keeps the facts
    that were declared last."""

    def __init__(
        self, system: System, counted: Counted, history: Sequence[Past], progress: Progress
    ) -> None:
        """Withhold the cells that the rules ask for, and further ones that keep these secret from
        whoever uses all declared facts as well.

        A fact about a count is published only while that count is (`completeness.py`), so
        withholding more takes facts away and adds none.
        """
        assert system.layout is not None
        self.counted, self._newest = counted, len(history)
        self._codelists, self._holds = system.layout.codelists, self._joined(system)
        self._earlier = [
            (position, bounds)
            for position, past in enumerate(history)
            for bounds in bounds_of(
                declared_then(past), {**self._codelists, **past.codelists}, self._holds
            )
        ]
        self._facts: tuple[tuple[int, Bounds], ...] = ()
        high = (
            counted.config.file.privacy.threshold
        )  # one more than the promise asks, because of insiders
        # The facts are most while only the rules withhold: a fact about a count goes when the
        # count goes.
        self._first = [system.sensitive[ids] for ids in system.where]

        def protected(seed: int = 0) -> Protected:
            held = with_facts(
                system, self._told(declared_now(contents_of(self.counted, self._first, ())))
            )
            return protect(
                held,
                high,
                lambda done, total: progress.share(done, total, "small counts protected"),
                seed,
            )

        self.protected = self._possible(protected)
        self._settle()
        best, counted = self.protected, self.counted
        for seed in range(1, SEEDS if sum(system.cells.shape) <= SMALL else 1):
            if best.cost <= NEAR * best.bound:
                break
            try:
                self.counted = counted
                self.protected, self._facts = protected(seed), ()
                self._settle()
            except ProtectionError:
                continue  # the way found before is a way still
            if (
                self.protected.cost < best.cost
                and self.counted.tells_shares == counted.tells_shares
            ):
                best = replace(self.protected, bound=max(best.bound, self.protected.bound))
        self.protected, self.counted, self._facts = best, counted, ()
        self.declare(self.contents(()))

    def _possible(self, protected: Callable[[], Protected]) -> Protected:
        """The result of `protected` with all facts declared, or without shares of filled fields
        where there is none. Raises where nothing works, and says so where a statistic of an earlier
        release is why."""
        try:
            return protected()
        except ProtectionError:
            if self.counted.tells_shares:
                self.counted = replace(self.counted, tells_shares=False)
                return self._possible(protected)
            if not any(bounds.statistic for _, bounds in self._earlier):
                raise
            self._earlier = [
                (position, bounds) for position, bounds in self._earlier if not bounds.statistic
            ]
            protected()  # without them there is a way, or this raises
            raise AuditError(BY_STATISTIC) from None

    def _settle(self) -> None:
        """Cover the cells that the second round withheld itself, so that the audit need not ask for
        it."""
        self.declare(self.contents(()))
        if uncovered := settle(self.protected):
            self.more(uncovered)

    @staticmethod
    def _joined(system: System) -> Callable[[frozenset[tuple[str, str]]], bool]:
        layout = system.layout
        assert layout is not None
        return lambda key: layout.home(key) is not None

    def _told(self, declared: Declared) -> list[tuple[int, Bounds]]:
        now = bounds_of(declared, self.counted.codelists, self._holds)
        return [*self._earlier, *((self._newest, bounds) for bounds in now)]

    @property
    def masks(self) -> list[Mask]:
        """The withheld cells of each table."""
        return [self.protected.withheld[ids] for ids in self.protected.system.where]

    def contents(self, statistics: Sequence[Statistic]) -> Contents:
        """The release as it would be now, with `statistics`."""
        return contents_of(self.counted, self.masks, statistics)

    def declare(self, contents: Contents) -> None:
        """From now on take account of the facts that `contents` declares."""
        facts = tuple(self._told(declared_now(contents)))
        if facts != self._facts:
            self.protected.system, self._facts = with_facts(self.protected.system, facts), facts

    def more(self, cells: Sequence[int]) -> None:
        """Give each of `cells` more cover. Where the search in fractions withholds nothing further,
        withhold a sibling of each."""
        already, told = self.protected.withheld.sum(), self.counted.tells_shares
        self._widen_or_publish(cells)
        if self.protected.withheld.sum() == already and self.counted.tells_shares == told:
            self._withhold_siblings(cells)

    def _widen_or_publish(self, cells: Sequence[int]) -> None:
        """Give each of `cells` more cover, and also what that withholds in its turn, so that the
        next audit need not ask for it. A cell that is not small itself and cannot be covered (an
        earlier release nearly disclosed it) is published instead, and the search starts again
        without it."""
        protected, system = self.protected, self.protected.system
        uncovered: list[int] = []
        while cells and not uncovered:
            before = protected.withheld
            for group in [cells] if not system.fixed.any() else [[cell] for cell in cells]:
                try:
                    widen(protected, group)
                except ProtectionError:
                    uncovered += group
            cells = narrow(protected, np.flatnonzero(protected.withheld & ~before).tolist())
        if not uncovered:
            return
        if self.counted.tells_shares:
            self.counted = replace(self.counted, tells_shares=False)
            self.declare(self.contents(()))
            self._widen_or_publish(uncovered)
            return
        uncovered = [
            i
            for i in uncovered
            if not (system.sensitive[i] or system.unpublished[i] or system.kept[i])
        ]
        if not uncovered:
            raise ProtectionError(BESIDE_EARLIER if system.fixed.any() else TOO_SMALL)
        fixed = system.fixed.copy()
        fixed[uncovered] = True
        again = protect(replace(system, fixed=fixed), protected.high)
        protected.system, protected.withheld, protected.bound = (
            again.system,
            again.withheld,
            again.bound,
        )

    def _withhold_siblings(self, cells: Sequence[int]) -> None:
        """Where moves in fractions exist but none in whole numbers: withhold, for each
        of `cells`, the cheapest other part of a sum; where all are withheld already, the cheapest
        of its wholes, and last of all the cheapest that overlaps it."""
        system, withheld = self.protected.system, self.protected.withheld
        beside: dict[int, set[int]] = {}
        above: dict[int, set[int]] = {}
        for whole, parts in system.relations:
            for part in parts:
                beside.setdefault(part, set()).update(parts)
                above.setdefault(part, set()).add(whole)

        def overlapping(cell: int) -> set[int]:
            return set(np.flatnonzero(system.cells @ system.cells[cell].toarray().ravel()).tolist())

        for cell in cells:
            for near in (
                partial(beside.get, cell, set()),
                partial(above.get, cell, set()),
                partial(overlapping, cell),
            ):
                open_cells = [
                    i
                    for i in near() or ()
                    if not (withheld[i] or system.fixed[i] or system.unpublished[i])
                ]
                if open_cells:
                    withheld[min(open_cells, key=lambda i: (system.cost[i], i))] = True
                    break
            else:
                raise ProtectionError(TOO_SMALL)


__all__ = ["Withholding"]
