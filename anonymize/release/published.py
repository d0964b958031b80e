"""Everything that the code which writes a release can see of the calls: published counts and
marks, and the rows of declared facts.

A withheld count, the people behind a count or a record is not in these types, so no byte of a
release can come from one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from anonymize.agency.codelists import ROOT, Dimension
from anonymize.agency.schema import StatisticSpec, Text
from anonymize.records.collected import NOT_COLLECTED
from anonymize.release.read import WITHHELD

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Key = frozenset[tuple[str, str]]
"""A cell by its codes, roots left out."""
Marks = npt.NDArray[np.str_]
"""The mark of each cell by the dates of the agency file: published, incomplete or not_collected
(`collected.py`)."""


@dataclass(frozen=True)
class Revised:
    """Between a release and the one before it: the months in which calls were added, removed or
    recoded, and a bound on how many."""

    months: tuple[str, ...]
    at_most: int


NOTHING_REVISED = Revised((), 0)


@dataclass(frozen=True)
class PublishedTable:
    """A count table as the public sees it: where `withheld`, `values` are 0, whatever was counted.
    Raises AssertionError otherwise.

    What was not collected is not withheld: its `values` are 0, and everyone knows that from
    `marks`.
    """

    name: str
    title: Text
    universe: str
    dimensions: dict[str, Dimension]
    where: dict[str, str]
    sensitive_attribute: str | None
    values: Counts
    withheld: Mask
    marks: Marks

    def __post_init__(self) -> None:
        assert not np.any(self.values[self.withheld]), "a withheld count was about to be written"
        assert not np.any(self.withheld & (self.marks == NOT_COLLECTED)), (
            "what is known to be 0 was about to be marked as withheld"
        )

    @cached_property
    def keys(self) -> list[Key]:
        """The cells in the order of the rows."""
        fixed = tuple(self.where.items())
        codes = product(*(d.codes for d in self.dimensions.values()))
        return [
            frozenset(
                (d, c) for d, c in (*zip(self.dimensions, row, strict=True), *fixed) if c != ROOT
            )
            for row in codes
        ]


@dataclass(frozen=True)
class PublishedStatistic:
    """A statistic as the public sees it: where not `shown`, its numbers are 0.

    `timed`: it rests on calls with a time, of which only a lower bound is published. `design`: how
    a comparison was made; empty for other statistics. `left_out`: may rows be missing because they
    would narrow a count?
    """

    spec: StatisticSpec
    dimensions: dict[str, Dimension]
    columns: dict[str, Counts]
    rounding: dict[str, int]
    shown: Mask
    timed: bool
    marks: Marks
    design: Mapping[str, object] = field(default_factory=dict)
    left_out: bool = False

    def __post_init__(self) -> None:
        assert not np.any(self.shown & (self.marks == NOT_COLLECTED)), (
            "a statistic was about to be written of days of which nothing was collected"
        )
        assert not any(np.any(values[~self.shown]) for values in self.columns.values()), (
            "a withheld statistic was about to be written"
        )

    def rows(self) -> list[dict[str, str]]:
        """Every row of the table by column, as it is written."""
        flat, shown, marks = (
            {name: values.ravel() for name, values in self.columns.items()},
            self.shown.ravel(),
            self.marks.ravel(),
        )
        found = []
        for i, codes in enumerate(product(*(d.codes for d in self.dimensions.values()))):
            numbers = {
                name: str(int(values[i])) if shown[i] else "" for name, values in flat.items()
            }
            status = str(marks[i]) if shown[i] or marks[i] == NOT_COLLECTED else WITHHELD
            found.append(
                dict(zip(self.dimensions, codes, strict=True)) | numbers | {"status": status}
            )
        return found


def published_counts(tables: Sequence[PublishedTable]) -> Mapping[Key, int]:
    """Every published count of all tables by its cell."""
    found: dict[Key, int] = {}
    for table in tables:
        shown = np.flatnonzero(~table.withheld.ravel())
        values = table.values.ravel()
        found |= {table.keys[i]: int(values[i]) for i in shown.tolist()}
    return found
