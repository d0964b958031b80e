"""On tables small enough for a proven optimum the engine stays close to it (issue 3: median within 3 %, worst within 10 %)."""

import statistics

from anonymize.protect import protect
from tests.benchmark.instances import tiny
from tests.benchmark.protection import optimum


def test_close_to_a_proven_optimum():
    ratios = []
    for seed in range(5):
        system = tiny(seed, 5)
        best, found = optimum(system, 5), protect(system, 4)
        assert found.bound <= best + 1e-6, "the proven bound must lie at or below the optimum"
        assert found.cost >= best - 1e-6, "nothing can cost less than the optimum"
        ratios.append(found.cost / best if best else 1.0)
    assert statistics.median(ratios) <= 1.03
    assert max(ratios) <= 1.10
