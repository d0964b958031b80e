"""What a survey can say when not everyone answers: bounds, instead of an interval for those who
did."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

import pandas as pd

from dashboard.numbers.stats import wilson
from dashboard.page.surface import escape
from dashboard.text.language import _, number, percent, text


def numbered(rows: pd.DataFrame) -> pd.DataFrame:
    """The counts of a survey's waves as numbers."""
    names = [name for name in ("agree", "respondents", "invited") if name in rows]
    return rows.assign(**{name: pd.to_numeric(rows[name]) for name in names})


def answered_bounds(wave: Mapping[str, Any]) -> tuple[float, float] | None:
    """The least and the most that the share of all who were asked can be: as if all others had said
    no, or yes (Horowitz and Manski 2000), each with its Wilson limit, since who was asked may be a
    sample. None where it is not known how many were asked.
    """
    invited = wave.get("invited")
    if invited is None or isnan(float(invited)) or int(invited) < int(wave["respondents"]):
        return None
    agree, answered, asked = int(wave["agree"]), int(wave["respondents"]), int(invited)
    return wilson(agree, asked)[0], wilson(agree + asked - answered, asked)[1]


def response_words(wave: Mapping[str, Any]) -> str:
    """How many answered, how they were asked, and what that leaves open; empty where it is not
    known how many were asked."""
    bounds = answered_bounds(wave)
    if bounds is None:
        return ""
    words = _(
        "Of {asked} people asked, {answered} answered ({share}). Among all of them, {low} to {high}"
        " may agree."
    ).format(
        asked=number(int(wave["invited"])),
        answered=number(int(wave["respondents"])),
        share=percent(wave["respondents"] / wave["invited"]),
        low=percent(bounds[0]),
        high=percent(bounds[1]),
    )
    if not wave.get("mode"):
        return words
    return words + " " + _("How they were asked: {mode}.").format(mode=escape(text(wave, "mode")))
