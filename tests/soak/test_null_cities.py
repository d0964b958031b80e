"""Two hundred made-up agencies in which teams change nothing, and two hundred with a known effect (`make soak`)."""

import os

import pytest
from scipy.stats import binom

from dashboard.comparisons import FEWER, MORE, POWER
from tests.simulated import City, judged
from tests.unit.test_comparisons import MOST_FALSE, OUTCOMES, no_more_false_than_stated

CITIES = 200
pytestmark = pytest.mark.skipif(not os.environ.get("SOAK"), reason="a long run: make soak")


def test_no_effect_gets_no_verdict_more_often_than_stated(tmp_path):
    told = {measure: [] for measure in OUTCOMES}
    for seed in range(CITIES):
        found = judged(tmp_path / "city", City(seed=1000 + seed), OUTCOMES)
        for measure in OUTCOMES:
            told[measure].append(found[measure])
    for measure, found in told.items():
        false = sum(f is not None and f.verdict in (FEWER, MORE) for f in found)
        print(f"{measure}: {false} of {len(found)} false verdicts")
    assert MOST_FALSE == 0.05
    no_more_false_than_stated(told)


def test_known_effects_are_found_as_often_as_the_printed_power_says(tmp_path):
    """Where the printed size is what a free team does, 8 of 10 find it; a larger one is found more often."""
    seen = []
    for seed in range(CITIES):
        found = judged(tmp_path / "city", City(seed=3000 + seed, effect={"arrest": 0.35}), ("compare_arrest",))["compare_arrest"]
        if found is not None and not found.failed:
            seen.append((found.verdict == FEWER, found.seen_from, found.low + found.high))
    truth = -sum(both for _hit, _size, both in seen) / len(seen) / 2  # the mean estimate: what a free team does here
    error = sum(size for _hit, size, _both in seen) / len(seen) / POWER / 2.5758
    from statistics import NormalDist

    power = NormalDist().cdf(truth / error - 2.5758)
    hits = sum(hit for hit, _size, _both in seen)
    print(f"found {hits} of {len(seen)}; the printed power says {power:.0%}")
    assert binom.cdf(hits, len(seen), power) > 0.001 and binom.sf(hits - 1, len(seen), power) > 0.001
