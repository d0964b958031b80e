"""The few statistics the pages compute from two published counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import exp, lgamma, log, sqrt
from statistics import NormalDist, stdev

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
    return gamma_quantile(0.025, count) if count else 0.0, gamma_quantile(0.975, count + 1)


@lru_cache(maxsize=4096)
def gamma_quantile(share: float, shape: int) -> float:
    """Where the gamma distribution of a whole `shape` and scale 1 reaches `share`: half a chi-squared quantile at 2 * `shape` degrees of freedom.

    Begins at Wilson and Hilferty's cube (1931, PNAS 17: 684-688) and halves an interval around it, to the last digits of a float.
    """
    third = 1 / (9 * shape)
    start = shape * max(1e-3, 1 - third + NormalDist().inv_cdf(share) * sqrt(third)) ** 3
    low = high = start
    while _gamma_below(shape, low) > share:
        low /= 1.1
    while _gamma_below(shape, high) < share:
        high *= 1.1
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _gamma_below(shape, middle) < share else (low, middle)
    return low


def _gamma_below(shape: int, at: float) -> float:
    """The regularized lower incomplete gamma function: its series, or Legendre's continued fraction above the mean (Abramowitz and Stegun 6.5.29, 6.5.31)."""
    front = exp(shape * log(at) - at - lgamma(shape))
    if at < shape + 1:
        term = total = 1 / shape
        n = shape
        while term > total * 1e-17:
            n += 1
            term *= at / n
            total += term
        return front * total
    tiny = 1e-300
    b = at + 1 - shape
    c, d = 1 / tiny, 1 / b
    fraction, n = d, 0
    while True:
        n += 1
        a = -n * (n - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            return 1 - front * fraction


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
