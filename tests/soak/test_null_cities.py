"""Two hundred made-up agencies in which teams change nothing, and two hundred with each of four
known effects (`make soak`). SOAK_CITIES takes fewer of them."""

import os
import time
from statistics import NormalDist

import pytest
from scipy.stats import binom

from dashboard.findings import comparisons
from dashboard.findings.comparisons import FEWER, SURE
from tests.builds.test_null_cities import (
    MAX_FALSE,
    false_verdicts,
    no_more_false_than_stated,
    null_city,
)
from tests.simulated import City, judged
from tests.simulated_site import decided, site

CITIES = int(os.environ.get("SOAK_CITIES", "200"))
pytestmark = pytest.mark.skipif(not os.environ.get("SOAK"), reason="a long run: make soak")


def test_no_effect_gets_no_verdict_more_often_than_stated(tmp_path):
    started, told = time.process_time(), []
    for seed in range(CITIES):
        told.append(decided(site(tmp_path / str(seed), null_city(1000 + seed, 12_000))))
    for claim, false in false_verdicts(told).items():
        print(f"{claim}: {false} of {len(told)} false verdicts")
    print(f"{(time.process_time() - started) / CITIES:.1f} CPU seconds for each city")
    assert MAX_FALSE == 0.05
    no_more_false_than_stated(told)


@pytest.mark.parametrize(
    ("outcome", "effect"),
    [("arrest", 0.35), ("force_used", 0.15), ("repeat_90", 0.7), ("officer_minutes", 0.93)],
)
def test_known_effects_are_found_as_often_as_the_printed_power_says(tmp_path, outcome, effect):
    """Where the printed size is what a free team does, 8 of 10 find it; a larger one is found more
    often."""
    measure, seen = f"compare_{outcome}", []
    for seed in range(CITIES):
        city = City(seed=3000 + seed, effect={outcome: effect})
        found = judged(tmp_path / "city", city, (measure,))[measure]
        if found is not None and not found.failed:
            seen.append((found.verdict == FEWER, found.seen_from, found.low + found.high))
    # The mean estimate: what a free team does here.
    truth = -sum(both for _hit, _size, both in seen) / len(seen) / 2
    error = sum(size for _hit, size, _both in seen) / len(seen) / comparisons.power(SURE) / 2.5758
    power = NormalDist().cdf(truth / error - 2.5758)
    hits = sum(hit for hit, _size, _both in seen)
    print(f"{outcome}: found {hits} of {len(seen)}; the printed power says {power:.0%}")
    assert (
        binom.cdf(hits, len(seen), power) > 0.001 and binom.sf(hits - 1, len(seen), power) > 0.001
    )
