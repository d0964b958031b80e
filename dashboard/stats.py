"""The few statistics the pages compute from two published counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import stdev

from scipy.stats import chi2

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""
SMALLEST_BASE = 30
"""No share is shown over fewer cases (MEASURES.md section 1)."""


def wilson(part: int, whole: int) -> tuple[float, float]:
    """95 % interval for a share (Wilson 1927, JASA 22: 209-212). Needs 0 <= part <= whole, whole > 0."""
    share = part / whole
    centre = share + Z**2 / (2 * whole)
    spread = Z * sqrt(share * (1 - share) / whole + Z**2 / (4 * whole**2))
    scale = 1 + Z**2 / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def counts_differ(before: int, after: int) -> bool:
    """Whether two Poisson counts over equal times differ beyond chance (5 %, normal approximation)."""
    return abs(after - before) > Z * sqrt(before + after)


def shares_differ(part_a: int, whole_a: int, part_b: int, whole_b: int) -> bool:
    """Whether Newcombe's 95 % interval for the difference leaves out zero (Newcombe 1998, method 10)."""
    a, b = part_a / whole_a, part_b / whole_b
    (low_a, high_a), (low_b, high_b) = wilson(part_a, whole_a), wilson(part_b, whole_b)
    low = (a - b) - sqrt((a - low_a) ** 2 + (high_b - b) ** 2)
    high = (a - b) + sqrt((high_a - a) ** 2 + (b - low_b) ** 2)
    return low > 0 or high < 0


def poisson(count: int) -> tuple[float, float]:
    """Exact 95 % interval for the mean of a Poisson count (Garwood 1936, Biometrika 28: 437-442)."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2)) / 2


def rule_of_three(whole: int) -> float:
    """Upper 95 % bound of a rate of which none was seen in `whole` cases (Hanley and Lippman-Hand 1983, JAMA 249: 1743-1745)."""
    return 3 / whole


def out_of_control(counts: Sequence[float | None]) -> list[bool]:
    """Which counts (or counts for each day) lie outside the limits of an individuals chart: mean plus or minus 2.66 times the mean step
    from one to the next, or three standard deviations where that is wider.

    (Montgomery, Statistical Quality Control, chapter 6.) Steps carry clusters, which a count's own scatter (a c-chart) would take for signals;
    where a season moves the counts, slow waves make small steps, and their spread is the fairer measure. Never judged on fewer than 8 counts.
    """
    known = [count for count in counts if count is not None]
    if len(known) < 8:
        return [False] * len(counts)
    mean = sum(known) / len(known)
    step = sum(abs(b - a) for a, b in pairwise(known)) / (len(known) - 1)
    limit = max(2.66 * step, 3 * stdev(known))
    return [count is not None and abs(count - mean) > limit for count in counts]
