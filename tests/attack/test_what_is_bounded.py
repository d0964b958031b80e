"""What the release tells without a fact that says so: its worst case, found by trying every
possibility on small agencies."""

import math
import random
from itertools import product

import numpy as np
import pytest

from anonymize.audit.reader import PublicStatistic
from anonymize.audit.statistic_bounds import facts_of
from anonymize.count.comparisons import OUTCOMES, field_withheld
from anonymize.disclosure.history import _rounded_up
from tests.property.test_facts import EDGES, TREES, half_up

K = 5


def came(old, new, at_most):
    """Of each cell the fewest and the most calls that can have come, by trying every number that
    went."""
    fewest, most = [math.inf] * len(old), [0] * len(old)
    for went in product(*(range(n + 1) for n in old)):
        arrived = [
            after - before + gone for before, after, gone in zip(old, new, went, strict=True)
        ]
        if min(arrived) >= 0 and sum(went) <= at_most and sum(arrived) <= at_most:
            fewest = [min(a, b) for a, b in zip(fewest, arrived, strict=True)]
            most = [max(a, b) for a, b in zip(most, arrived, strict=True)]
    return fewest, most


@pytest.mark.parametrize("seed", range(4))
def test_a_lone_difference_between_releases(seed):
    """Two or three cells of one month, published in both releases. How many calls came into a cell
    has at least `K` values left above the fewest, whatever the difference is: `at_most` lies at
    least 2 * K above the true number."""
    rng = random.Random(seed)
    narrowest = math.inf
    for _ in range(40):
        old = [rng.choice([K, K + 1, 8, 14]) for _ in range(rng.choice([2, 3]))]
        went = [rng.randrange(min(3, n - K) + 1) for n in old]
        arrived = [rng.choice([0, 0, 1, 2, 4]) for _ in old]
        new = [n - gone + more for n, gone, more in zip(old, went, arrived, strict=True)]
        fewest, most = came(old, new, _rounded_up(max(sum(went), sum(arrived)), K))
        for before, after, low, high in zip(old, new, fewest, most, strict=True):
            # what a difference says: at least this many were added
            assert low == max(0, after - before)
            narrowest = min(narrowest, high - low)
    assert narrowest >= K


def clocks(rng, calls):
    """(minutes to dispatch, minutes from there to arrival) of each call; the second is None where
    nobody arrived."""
    return [
        (
            rng.expovariate(1 / 15),
            rng.expovariate(1 / rng.choice([5, 30])) if rng.random() > 0.1 else None,
        )
        for _ in range(calls)
    ]


def told(minutes):
    return {
        "median": half_up(np.percentile(minutes, 50)),
        "p90": half_up(np.percentile(minutes, 90)),
        "based_on": len(minutes),
    }


def at_least_beyond(edge, numbers):
    """Of the calls that a clock has, at least this many took `edge` minutes or more."""
    calls = numbers["based_on"]
    return max(
        [
            0,
            *(
                calls + (-a * (calls - 1) // b)
                for (a, b), name in (((1, 2), "median"), ((9, 10), "p90"))
                if numbers[name] > edge
            ),
        ]
    )


@pytest.mark.parametrize("seed", range(5))
def test_two_clocks_together(seed):
    """A wait is no shorter than the time to dispatch, nor than the drive. Where the middle and
    slow wait of the same calls are published too (a fact that engine and audit know), neither
    says more than that does. Tried on 2,000 small cells in all."""
    rng = random.Random(seed)
    for _ in range(400):
        calls = clocks(rng, rng.randrange(30, 90))
        waits = [sent + drive for sent, drive in calls if drive is not None]
        if len(waits) < 30:
            continue
        untimed = len(calls) - len(waits)
        beside = PublicStatistic(
            "s",
            "minutes_call_to_arrival",
            "calls",
            frozenset(),
            30,
            {"median": 1, "p90": 1, "based_on": 10},
            ((frozenset(), told(waits)),),
        )
        known = facts_of(
            beside,
            {frozenset(): len(calls), frozenset({("wait", "unknown")}): untimed},
            TREES,
            K,
            lambda key: True,
        )
        drives = told([drive for _, drive in calls if drive is not None])
        for edge in sorted(set(EDGES.values()) - {math.inf}):
            # What the known facts leave for calls beyond the edge, against what the drive alone
            # would say.
            below = {code for code, upper in EDGES.items() if upper <= edge}
            names = (
                below
                | ({"within_30"} if edge >= 30 else set())
                | ({"over_30"} if edge >= 30 else set())
            )
            most_below = len(waits)
            for fact in known:
                codes = {dict(cell)["wait"]: weight for cell, weight in fact.terms}
                bands = {code: weight for code, weight in codes.items() if code != "unknown"}
                if bands and set(bands) <= names and _same(bands, below) and fact.high < math.inf:
                    most_below = min(
                        most_below,
                        (fact.high - codes.get("unknown", 0) * untimed)
                        / next(iter(bands.values())),
                    )
            if drives["median"] > edge or drives["p90"] > edge:
                assert len(waits) - math.floor(most_below) >= at_least_beyond(edge, drives), (
                    edge,
                    drives,
                    told(waits),
                )


def _same(bands, below):
    """Are these codes all bands below the edge, counted once?"""
    within = {code for code, upper in EDGES.items() if upper <= 30}
    return set().union(*(within if code == "within_30" else {code} for code in bands)) == below


class _Axis:
    def __init__(self, *codes):
        self.codes = codes


class _Table:
    def __init__(self, where=None, **dimensions):
        self.where, self.dimensions = where or {}, dimensions
        self.shape = tuple(len(d.codes) for d in dimensions.values())


def test_rates_of_like_calls_are_no_equation_of_withheld_counts():
    """Two types of call, their arrests withheld, the rate published: trying every number shows
    that the rate would leave one. So it is not shown."""
    n, own, arrests = np.array([40, 160]), np.array([100, 60]), np.array([3, 4])
    rate = half_up(1000 * float((n / n.sum() * arrests / own).sum()))
    fits = [
        first
        for first in range(arrests.sum() + 1)
        if half_up(
            1000 * float((n / n.sum() * np.array([first, arrests.sum() - first]) / own).sum())
        )
        == rate
    ]
    assert fits == [3], "the attack works"
    period, who, answer = (
        _Axis("all"),
        _Axis("all", "clinician", "no_clinician"),
        _Axis("all", "yes", "no"),
    )
    plain = _Table(period=period, responder=who, arrest=answer)
    by_type = _Table(period=period, call_type=_Axis("all", "a", "b"), arrest=answer)
    open_, closed = (np.zeros(t.shape, dtype=bool) for t in (plain, by_type))
    assert not field_withheld(
        OUTCOMES["arrest"],
        "all",
        "period",
        [plain, by_type],
        [open_, closed],
        ("period", "call_type"),
    )
    hidden = closed.copy()
    hidden[0, 1:, 1] = True
    assert field_withheld(
        OUTCOMES["arrest"],
        "all",
        "period",
        [plain, by_type],
        [open_, hidden],
        ("period", "call_type"),
    )
