"""The made-up table that explains suppression. A test proves that its second step really
protects."""

from __future__ import annotations

import pandas as pd

from dashboard.numbers.cells import withheld_word
from dashboard.text.language import _, number

COUNTS = ((3, 44), (61, 37), (52, 30))
"""Districts by kinds of calls."""
FIRST = {(0, 0)}
SECOND = {(0, 0), (0, 1), (1, 0), (1, 1)}


def toy_tables(threshold: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The true table, the first round alone, and both rounds, as texts with totals.

    The small count is 3, which is below any threshold in use.
    """
    return _table(set()), _table(FIRST), _table(SECOND)


def _table(hidden: set[tuple[int, int]]) -> pd.DataFrame:
    rows = [
        [
            _("District {letter}").format(letter="ABC"[i]),
            *(withheld_word() if (i, j) in hidden else number(v) for j, v in enumerate(row)),
            number(sum(row)),
        ]
        for i, row in enumerate(COUNTS)
    ]
    rows.append(
        [
            _("Total"),
            *(number(sum(column)) for column in zip(*COUNTS, strict=True)),
            number(sum(map(sum, COUNTS))),
        ]
    )
    return pd.DataFrame(
        rows, columns=[_("Area"), _("Mental health"), _("Substance use"), _("Total")]
    )
