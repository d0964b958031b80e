"""An exact attacker who works with fractions, on the audit's equations, through a solver (Clarabel)
that neither engine nor audit has.

`pip install clarabel==0.11.1` first: it is needed for this alone, so no environment of the project
holds it.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import clarabel
import numpy as np
import scipy.sparse as sp

from anonymize.audit.equations import Equations
from anonymize.audit.feasibility import _components, _independent, _Part, _reduce

NEAR = 1e-4
"""A cell this near to the value sought counts as there, in a point that meets every published sum
as nearly."""
RIDE = 1e-3
FEW = 0.02
"""Points for all cells at once are sought while each settles at least this share of what is
left."""


def narrowed(equations: Equations, threshold: int) -> int:
    """How many hidden cells could not be shown to reach both 1 or less and threshold - 1 or
    more."""
    parts = [part for part in _components(_reduce(equations)) if part.hidden.shape[1]]
    shown = 0
    with ProcessPoolExecutor(2) as pool:
        for part in parts:
            low, high = pool.map(partial(_reached, part, threshold), (False, True))
            shown += int(np.count_nonzero(low & high))
    return len(equations.hidden_cells) - shown


def _reached(part: _Part, threshold: int, up: bool) -> np.ndarray:
    """Which hidden cells of the part a point was found for that puts them at threshold - 1 or more
    (`up`), or at 1 or less."""
    sought = _Sought(part, threshold, up)
    start, rng, share = time.perf_counter(), np.random.default_rng(0), 1.0
    while len(cells := np.flatnonzero(sought.open)) and share >= FEW:
        sought.seek(cells, np.minimum(rng.random(len(cells)) ** -2.0, 1_000.0))
        share = 1 - np.count_nonzero(sought.open) / len(cells)
    alone = np.zeros(len(sought.open), dtype=bool)
    while len(cells := np.flatnonzero(sought.open & ~alone)):
        sought.seek(cells, np.where(cells == cells[0], 1.0, RIDE * rng.random(len(cells))))
        if sought.open[cells[0]]:
            sought.seek(cells[:1], np.ones(1))
        alone[cells[0]] = True
        if len(cells) % 50 == 0:
            print(
                f"  {'up' if up else 'down'}: {len(cells):,} to seek after"
                f" {time.perf_counter() - start:.0f} s",
                flush=True,
            )
    return ~sought.open


class _Sought:
    """The equations of one part, and the hidden cells not yet seen far enough (`open`)."""

    def __init__(self, part: _Part, threshold: int, up: bool) -> None:
        rows = _independent(part.fixed, part.values)
        self.part, self.matrix, self.level = part, part.fixed[rows], part.values[rows].astype(float)
        self.sign, self.goal = (1.0, threshold - 1) if up else (-1.0, 1)
        self.open = np.ones(part.hidden.shape[0], dtype=bool)

    def seek(self, cells: np.ndarray, rewards: np.ndarray) -> None:
        """A point that takes `cells` as near to the goal as it can, by `rewards`; it may settle
        others too."""
        count, (rows, width) = len(cells), self.matrix.shape
        # Short of the goal by z <= 0: sign * (cell - goal) >= z; and no unknown is below nought.
        matrix = sp.bmat(
            [
                [self.matrix, None],
                [-sp.identity(width), None],
                [-self.sign * self.part.hidden[cells], sp.identity(count)],
                [None, sp.identity(count)],
            ],
            format="csc",
        )
        high = np.concatenate(
            [
                self.level,
                np.zeros(width),
                self.sign * (self.part.constant[cells] - self.goal),
                np.zeros(count),
            ]
        )
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        cones = [clarabel.ZeroConeT(rows), clarabel.NonnegativeConeT(width + 2 * count)]
        costs = np.concatenate([np.zeros(width), -rewards / rewards.max()])
        nothing = sp.csc_matrix((width + count, width + count))
        point = np.array(
            clarabel.DefaultSolver(nothing, costs, matrix, high, cones, settings).solve().x
        )[:width]
        if (
            point.min(initial=0) > -NEAR
            and np.abs(self.part.fixed @ point - self.part.values).max(initial=0) < NEAR
        ):
            self.open &= (
                self.sign * (self.part.hidden @ point + self.part.constant - self.goal) < -NEAR
            )
