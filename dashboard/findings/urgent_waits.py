"""Urgent police calls while teams are on a call, and while none is: the difference, and what may be
said of it."""

from __future__ import annotations

import pandas as pd

from dashboard.findings.comparisons import signed
from dashboard.text.language import _


def urgent_words(rows: pd.DataFrame | None, year: str = "") -> str:
    """The interval of the difference in the mean wait in one year (the last that has it), with its
    verdict; empty where it is not told."""
    if rows is None or "difference_low" not in rows.columns:
        return ""
    known = rows[(rows["difference_low"] != "") & ((rows["year"] == year) | (not year))]
    if known.empty:
        return ""
    row = known.sort_values("year").iloc[-1]
    low, high = int(row["difference_low"]) / 60, int(row["difference_high"]) / 60
    words = _(
        "In {year}, the mean wait differs by {low} to {high} minutes while a team is on a call: no"
        " clear difference."
    )
    if low > 0:
        words = _(
            "In {year}, the mean wait is {low} to {high} minutes longer while a team is on a call."
            " We cannot tell if teams are the reason."
        )
    elif high < 0:
        words = _(
            "In {year}, the mean wait differs by {low} to {high} minutes while a team is on a call:"
            " it is shorter. We cannot tell if teams are the reason."
        )
    return words.format(year=row["year"], low=signed(low), high=signed(high))
