"""The few statistics the pages compute from two published counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan, cos, exp, inf, lgamma, log, pi, sin, sqrt
from statistics import NormalDist, fmean, stdev

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""
Z_OF_MANY = 2.5758293035489004
"""The 99.5th percentile: for words on many figures at once, chance may be behind 1 in 100."""
SMALLEST_BASE = 30
"""No share is shown over fewer cases."""


def wilson(part: int, whole: int, z: float = Z) -> tuple[float, float]:
    """95 % interval (or that of another `z`) for a share (Wilson 1927, JASA 22: 209-212). Needs 0
    <= part <= whole, whole > 0."""
    share = part / whole
    centre = share + z**2 / (2 * whole)
    spread = z * sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    scale = 1 + z**2 / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def shares_differ(part_a: int, whole_a: int, part_b: int, whole_b: int, looks: int = 1) -> bool:
    """Whether Newcombe's interval for the difference leaves out zero (Newcombe 1998, method 10), at
    95 % for all `looks` together."""
    z = NormalDist().inv_cdf(1 - 0.025 / looks)
    low, high = difference((part_a, whole_a), (part_b, whole_b), z)
    return low > 0 or high < 0


def difference(
    first: tuple[int, int], second: tuple[int, int], z: float = Z
) -> tuple[float, float]:
    """Newcombe's interval for the first share less the second (1998, Statistics in Medicine 17:
    873-890, method 10), each a part and its whole."""
    (a, (low_a, high_a)), (b, (low_b, high_b)) = (
        (part / whole, wilson(part, whole, z)) for part, whole in (first, second)
    )
    return (
        (a - b) - sqrt((a - low_a) ** 2 + (high_b - b) ** 2),
        (a - b) + sqrt((high_a - a) ** 2 + (b - low_b) ** 2),
    )


def poisson(count: int) -> tuple[float, float]:
    """Exact 95 % interval for the mean of a Poisson count (Garwood 1936, Biometrika 28:
    437-442)."""
    return gamma_quantile(0.025, count) if count else 0.0, gamma_quantile(0.975, count + 1)


@lru_cache(maxsize=4096)
def gamma_quantile(share: float, shape: int) -> float:
    """Where the gamma distribution of a whole `shape` and scale 1 reaches `share`: half a
    chi-squared quantile at 2 * `shape` degrees of freedom.

    Begins at Wilson and Hilferty's cube (1931, PNAS 17: 684-688) and halves an interval around it,
    to the last digits of a float.
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
    """The regularized lower incomplete gamma function: its series, or Legendre's continued fraction
    above the mean (Abramowitz and Stegun 6.5.29, 6.5.31)."""
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


@lru_cache(maxsize=4096)
def student_quantile(share: float, freedom: int) -> float:
    """Where Student's t with a whole `freedom` of 1 or more reaches `share`, at least a half."""
    low, high = 0.0, 1.0
    while _student_within(high, freedom) < 2 * share - 1:
        high *= 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (
            (middle, high) if _student_within(middle, freedom) < 2 * share - 1 else (low, middle)
        )
    return low


def _student_within(at: float, freedom: int) -> float:
    """The share of Student's t between minus `at` and `at` (Abramowitz and Stegun 26.7.3,
    26.7.4)."""
    angle = atan(at / sqrt(freedom))
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for n in range(1 + odd, freedom, 2):
        total += term
        term *= cos(angle) ** 2 * n / (n + 1)
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total


def rule_of_three(whole: int) -> float:
    """Upper 95 % bound of a rate of which none was seen in `whole` cases (Hanley and Lippman-Hand
    1983, JAMA 249: 1743-1745)."""
    return 3 / whole


@dataclass(frozen=True)
class Control:
    """What a series of months shows: which stand out, from which on the level is another, and what
    could have been seen at all.

    `seasonal`: each month was set against the same month a year before; `seen_from`: the change of
    a single month, as a share, that is noticed 8 times in 10; None where there are too few months
    to judge.
    """

    outside: tuple[bool, ...]
    shift: int | None
    seasonal: bool
    seen_from: float | None


SEASON, MIN_POINTS, MIN_SIDE = 12, 8, 3
FALSE_ALARMS = 0.05
"""How often a series in which nothing happens may show a month that stands out, or a new level:
both tests, all months together."""


def control(counts: Sequence[float | None], season: int = SEASON) -> Control:
    """Which counts (for each day of their month) stand out from the others. `season`: how many
    counts make a year, 4 where they are of quarters.

    Ratios to the same month a year before take the season out, where a year and 8 months are known;
    else the counts themselves are judged, and no new level is looked for, since a season looks like
    one.
    A month is judged by the mean and spread of all others, so that it cannot hide itself: with
    limits from all n points none can ever lie beyond (n - 1) / sqrt(n) standard deviations
    (Shiffler 1988). Student's t on deleted residuals, and a two-sample t at each place where the
    level may have changed, each with Bonferroni's correction.
    """
    logs = [log(count) if count else None for count in counts]
    seasonal = len(logs) >= season + MIN_POINTS
    since = season if seasonal else 0
    steps = [
        (
            None
            if now is None or (seasonal and logs[i] is None)
            else now - (logs[i] or 0.0 if seasonal else 0.0)
        )
        for i, now in enumerate(logs[since:])
    ]
    known = [(since + i, x) for i, x in enumerate(steps) if x is not None]
    nothing = Control((False,) * len(counts), None, seasonal, None)
    n = len(known)
    if n < MIN_POINTS:
        return nothing
    values = [x for _i, x in known]
    limit = student_quantile(1 - FALSE_ALARMS / 4 / n, n - 2)
    far = {i for place, (i, x) in enumerate(known) if abs(_deleted(values, place)) > limit}
    size = exp((limit + 0.8416) * stdev(values) * sqrt(1 + 1 / (n - 1))) - 1
    shift = _shift(values) if seasonal else None
    return Control(
        tuple(i in far for i in range(len(counts))),
        None if shift is None else known[shift][0],
        seasonal,
        size,
    )


def _deleted(values: Sequence[float], place: int) -> float:
    """The value less the mean of the others, in units of what the others' spread leads to
    expect."""
    others = [*values[:place], *values[place + 1 :]]
    away, spread = values[place] - fmean(others), stdev(others) * sqrt(1 + 1 / len(others))
    return away / spread if spread > 1e-12 else (0.0 if abs(away) < 1e-9 else inf)


def _shift(values: Sequence[float]) -> int | None:
    """The place from which on the level is another, beyond chance; None where there is none."""
    n = len(values)
    places = range(MIN_SIDE, n - MIN_SIDE + 1)
    limit = student_quantile(1 - FALSE_ALARMS / 4 / len(places), n - 2)
    best, found = 0.0, None
    for place in places:
        before, after = values[:place], values[place:]
        inside = sum((x - fmean(part)) ** 2 for part in (before, after) for x in part) / (n - 2)
        error = sqrt(inside * (1 / len(before) + 1 / len(after)))
        gap = abs(fmean(after) - fmean(before))
        size = gap / error if error > 1e-12 else (inf if gap > 1e-9 else 0.0)
        if size > max(limit, best):
            best, found = size, place
    return found
