"""When the site says that something went up or down over the years, and when it says nothing.

A word needs three whole years in a row under the same rules and codes, and a trend that chance
would show less than 1 time in 100: readers look at many figures at once. People who call often make
counts swing more than single calls would, so the variance of counts is multiplied (`clustering`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from dashboard.numbers.stats import Z_OF_MANY
from dashboard.release.reader import Release
from dashboard.text.language import _

UP, DOWN, NONE, FEW, BROKEN = "up", "down", "none", "few", "broken"
MIN_YEARS = 3
CLUSTERING = 2.5
"""By how much people who call again multiply the variance of counts, where the release does not
say."""
CODES, RULES = ("coding",), ("coding", "rule", "area")
"""Kinds of program changes after which counts of calls, and shares of eligible calls, mean
something else."""


@dataclass(frozen=True)
class Year:
    """A whole year's count, or part over whole."""

    year: int
    part: int
    whole: int | None = None


def clustering(release: Release) -> float:
    """The largest of the years' figures, in case they differ."""
    table = release.statistic("call_clustering", "period")
    cells = (
        [table.cell({"period": c.code}) for c in release.codelists["period"].at("year")]
        if table
        else []
    )
    known = [cell["inflation"] / 10 for cell in cells if cell]
    return max(known, default=CLUSTERING)


def breaks(release: Release, kinds: Collection[str], rules: Collection[str] = ()) -> list[date]:
    """The days on which rules or codes changed, in order: program changes of `kinds`, and new
    versions of the agency's own rules named in `rules`."""
    rows = release.reference("program_events")
    days = (
        [date.fromisoformat(row["date"]) for row in rows.to_dict("records") if row["kind"] in kinds]
        if rows is not None
        else []
    )
    defined = release.package.get("definitions", {})
    days += [
        date.fromisoformat(defined[name]["since"])
        for name in rules
        if name in defined and int(defined[name]["version"]) > 1
    ]
    return sorted({day for day in days if day <= release.data_to})


def last_break(
    release: Release, kinds: Collection[str], rules: Collection[str] = ()
) -> date | None:
    """When rules or codes last changed; None where they never did."""
    return max(breaks(release, kinds, rules), default=None)


def trend(years: Sequence[Year], broken: date | None, inflation: float) -> str:
    """UP, DOWN or NONE for the years since `broken`; FEW or BROKEN where there are not three.

    Shares: Cochran and Armitage's test for trend in proportions (Armitage 1955, Biometrics 11:
    375-386). Counts: the slope of Poisson counts given their total. Both variances times
    `inflation`.
    """
    row = _in_a_row(years)
    whole = [y for y in row if broken is None or date(y.year, 1, 1) >= broken]
    if len(whole) < MIN_YEARS:
        return BROKEN if len(row) >= MIN_YEARS else FEW
    total = sum(y.part for y in whole)
    weights = [1.0 if y.whole is None else float(y.whole) for y in whole]
    middle = sum(w * y.year for w, y in zip(weights, whole, strict=True)) / sum(weights)
    spread = sum(w * (y.year - middle) ** 2 for w, y in zip(weights, whole, strict=True))
    slope = sum(y.part * (y.year - middle) for y in whole)
    share = total / sum(weights)
    variance = inflation * (share if whole[0].whole is None else share * (1 - share)) * spread
    if not variance or abs(slope) <= Z_OF_MANY * sqrt(variance):
        return NONE
    return UP if slope > 0 else DOWN


def _in_a_row(years: Sequence[Year]) -> list[Year]:
    """The years up to the last, as far as none is missing."""
    found: list[Year] = []
    for year in sorted(years, key=lambda y: -y.year):
        if found and year.year != found[-1].year - 1:
            break
        found.append(year)
    return found[::-1]


def trend_words(verdict: str) -> str:
    return {
        UP: _("up"),
        DOWN: _("down"),
        NONE: _("no clear change"),
        FEW: _("too few years to say"),
        BROKEN: _("rules or codes changed"),
    }[verdict]


__all__ = [
    "BROKEN",
    "CODES",
    "DOWN",
    "FEW",
    "NONE",
    "RULES",
    "UP",
    "Year",
    "breaks",
    "clustering",
    "last_break",
    "trend",
    "trend_words",
]
