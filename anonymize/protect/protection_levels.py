"""Protection levels: a sensitive cell must be able to reach 1 or less, and `high` (threshold - 1,
or more) or more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
CLOSE = 1e-3
"""How near a fractional move must come, in calls. Whole-number certificates decide in the end."""


@dataclass(frozen=True)
class Target:
    """The cell's count must be able to move by `need` (up where positive, down where negative)."""

    cell: int
    need: int


def targets_of(cells: Iterable[int], values: Ints, high: int) -> list[Target]:
    """For each cell a target of 1 or less and one of `high` or more, the furthest first."""
    found = []
    for cell in cells:
        value = int(values[cell])
        found += [
            Target(int(cell), need) for need in (max(high - value, 0), min(1 - value, 0)) if need
        ]
    return sorted(found, key=lambda t: (-abs(t.need), t.cell, t.need))


class TargetArrays:
    """Several targets as arrays, to test one move against all of them."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = targets
        self.cells = np.array([t.cell for t in targets], dtype=np.int64)
        self.need = np.array([t.need for t in targets], dtype=np.int64)

    def reached(
        self, change: npt.NDArray[np.float64] | Ints, close: float = CLOSE
    ) -> npt.NDArray[np.bool_]:
        """Which targets a move reaches. `change`: by how much it changes each cell."""
        mine = change[self.cells]
        return np.asarray(
            np.where(self.need > 0, mine >= self.need - close, mine <= self.need + close)
        )
