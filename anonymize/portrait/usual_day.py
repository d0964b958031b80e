"""Does a day of calls look like a day? The rise and fall of calls over 24 hours gives away clocks
that are read wrongly.

People call least before dawn and most in the afternoon, in every city of which calls are open; so
the hours of an export can be held against that without knowing anything else about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, hypot, inf, pi, sin, sqrt

HOURS = 24
NIGHT = range(2, 7)
"""Hours of the night in which calls are usually fewest: the middle of the quietest three hours lies
in one of them."""
TURNING_POINT = 4.0
"""Hour at which the wave of 24 hours that fits the calls best is usually lowest (Toronto's open
data: 3.9)."""
ENOUGH = 100
"""Calls with a known hour without which nothing is said of the day."""
SURE = 3.0
"""Standard errors by which counts must differ before anything is said of the day."""
VERY_SURE = 3.5
"""The same before anything is said of summer against winter, for habits differ a little between
them too."""
ALL_AROUND = 0.15
"""Share of an average hour that each hour must have for calls to come all around the clock."""
FAR = 2.5
"""Hours by which the lowest point of the wave must lie off."""
CLEARLY = 1.1
"""Times by which the quietest hours of the night must exceed those of the day."""


def _three_hours(hours: Sequence[int], middle: int) -> int:
    return sum(hours[(middle + step) % HOURS] for step in (-1, 0, 1))


def quietest(hours: Sequence[int]) -> int:
    """The hour in the middle of the three that hold the fewest calls; of several, one in the
    night."""
    return min(
        range(HOURS),
        key=lambda hour: (_three_hours(hours, hour), hour not in NIGHT, abs(hour - TURNING_POINT)),
    )


def busiest(hours: Sequence[int]) -> int:
    """The hour with the most calls."""
    return max(range(HOURS), key=lambda hour: (hours[hour], -hour))


def looks_moved(hours: Sequence[int]) -> bool:
    """Are calls fewest at another time than before dawn, by more than chance can explain? The hours
    themselves tell, or, where calls come all around the clock, the wave that fits them."""
    if sum(hours) < ENOUGH:
        return False
    around_the_clock = min(hours) >= ALL_AROUND * sum(hours) / HOURS
    off = (turning_point(hours) - TURNING_POINT + HOURS / 2) % HOURS - HOURS / 2
    if (
        around_the_clock
        and abs(off) >= FAR
        and SURE * sqrt(_variance(hours)) * HOURS / (2 * pi) < 1
    ):
        return True
    lowest = _three_hours(hours, quietest(hours))
    night = min(_three_hours(hours, hour) for hour in NIGHT)
    return night - lowest > SURE * sqrt(night + lowest) and night > CLEARLY * lowest


def _wave(hours: Sequence[int]) -> tuple[float, float]:
    """The first Fourier component of the counts."""
    return sum(n * cos(2 * pi * hour / HOURS) for hour, n in enumerate(hours)), sum(
        n * sin(2 * pi * hour / HOURS) for hour, n in enumerate(hours)
    )


def turning_point(hours: Sequence[int]) -> float:
    """Hour (0 to 24) at which the first Fourier component of the counts is lowest."""
    across, along = _wave(hours)
    return (atan2(along, across) / (2 * pi) * HOURS + HOURS / 2) % HOURS


def _variance(hours: Sequence[int]) -> float:
    """Of the component's angle (in radians): 2 / (N a^2) for N counts and an amplitude a relative
    to their mean."""
    total, strength = sum(hours), hypot(*_wave(hours))
    return total / (2 * strength**2) if strength > 1e-9 * total else inf


def hours_late(hours: Sequence[int]) -> int:
    """Hours (-11 to 12) by which the day seems to be moved: 5 where calls are fewest at 9 in place
    of 4."""
    return _around(round(turning_point(hours) - TURNING_POINT))


def _around(shift: int) -> int:
    return (shift + 11) % HOURS - 11


def moved_between(winter: Sequence[int], summer: Sequence[int]) -> float:
    """Hours by which a summer's day lies later than a winter's where that is more than chance can
    explain, else 0."""
    if min(sum(winter), sum(summer)) < ENOUGH:
        return 0.0
    shift = (turning_point(summer) - turning_point(winter) + HOURS / 2) % HOURS - HOURS / 2
    return (
        shift
        if abs(shift) > VERY_SURE * sqrt(_variance(winter) + _variance(summer)) * HOURS / (2 * pi)
        else 0.0
    )


def of_twelve_hours(hours: Sequence[int]) -> bool:
    """Do all calls fall in the first half of the day, the small hours among them, as when AM and PM
    are lost?"""
    total = sum(hours)
    return (
        total >= ENOUGH // 2 and sum(hours[13:]) <= 0.005 * total and sum(hours[1:6]) > 0.1 * total
    )


def missing_hour(hours: Sequence[int]) -> int | None:
    """An hour without a call between two that have many."""
    for hour in range(HOURS):
        beside = (hours[hour - 1], hours[(hour + 1) % HOURS])
        if hours[hour] == 0 and min(beside) >= 20:
            return hour
    return None


def step_of_hours(hours: Sequence[int]) -> int:
    """2 where only every second hour has calls (3 for every third, ...); else 1."""
    there = [hour for hour in range(HOURS) if hours[hour]]
    if sum(hours) < ENOUGH or len(there) < 3:
        return 1
    return next((step for step in (8, 6, 4, 3, 2) if len({hour % step for hour in there}) == 1), 1)
