"""One small count does not hide all others: what random agencies, with blanks in every field that
is counted, must withhold, against the proven bound."""

import os
import statistics

from anonymize import pipeline
from anonymize.errors import ProtectionError
from anonymize.pipeline import plan, read_inputs
from tests.agency import answer
from tests.random_agencies import agency

MEDIAN, WORST = 1.5, 2.5
AUDITED_ONCE = 0.8
"""Share of agencies of which one audit, which finds nothing, is enough; at least."""


def costs(folder, seeds):
    """How many times the proven bound each agency's release costs, and how many audits it took;
    and how far off `plan` was, as a share."""
    ratios, rounds, apart = [], [], []
    for seed in seeds:
        file = agency(folder / f"in{seed}", seed)
        answer(file)
        inputs = read_inputs(file)
        try:
            built = pipeline.build(inputs, folder / f"out{seed}", folder / f"private{seed}")
        except ProtectionError:
            assert (
                built_of := pipeline.check(inputs, folder / f"private{seed}").tally
            ).counted < 60, built_of.counted
            continue
        asked, _advised, _advice = plan(inputs, folder / f"private{seed}")
        assert built.report.passed
        cost, bound = built.protected.cost, built.protected.bound
        ratios.append(cost / bound if bound else 1.0)
        rounds.append(built.rounds)
        foreseen, withheld = (
            int(asked.protected.withheld.sum()),
            int(built.protected.withheld.sum()),
        )
        apart.append(abs(withheld - foreseen) / max(withheld, 1))
    return ratios, rounds, apart


def test_cost_stays_near_the_proven_bound(tmp_path):
    ratios, rounds, apart = costs(tmp_path, range(500) if "SOAK" in os.environ else range(20))
    assert len(ratios) > 15
    assert statistics.median(ratios) <= MEDIAN
    assert max(ratios) <= WORST
    assert sum(n == 1 for n in rounds) >= AUDITED_ONCE * len(rounds)
    assert sum(share <= 0.1 for share in apart) >= AUDITED_ONCE * len(apart), (
        "plan must foresee what build withholds"
    )
