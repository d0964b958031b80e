"""What fewer arrests might save: a range for chance, prices, and how much is due to teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.findings.comparisons import Comparison


@dataclass(frozen=True)
class Case:
    """A number of fewer arrests, at a price each."""

    fewer: float
    price: float

    @property
    def sum(self) -> float:
        return self.fewer * self.price


def cases(like: Comparison, calls: int, cost: Mapping[str, Any], due: float) -> dict[str, Case]:
    """`low`, `middle` and `high`: the near end, the middle and the far end of the interval of
    `like` over `calls` that found a free team, times the share `due` to teams, each at the price of
    its name in `cost` (all of the uncertainty together, as CHEERS 2022 asks: Husereau and others,
    BMJ 376: e067975). More arrests save nothing."""
    ends = {"low": like.high, "middle": like.team - like.other, "high": like.low}
    return {
        name: Case(max(0.0, -end) * calls * due, float(cost[name])) for name, end in ends.items()
    }
