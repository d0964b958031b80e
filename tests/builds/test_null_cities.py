"""Ten made-up agencies in which teams change nothing, judged as the whole site judges them: no
claim gets a false verdict more often than stated. And the faults that would give them some, planted
and seen. `make soak` takes 200 (tests/soak/test_null_cities.py)."""

from dataclasses import replace

import pytest
from scipy.stats import binom

from dashboard.findings import claims, comparisons, time_series
from dashboard.findings import targets as target_scores
from dashboard.findings.comparisons import CANNOT_TELL, TEAM_FREE, comparison
from dashboard.findings.targets import targets
from dashboard.numbers.stats import Control, wilson
from dashboard.page import survey
from tests.simulated import City
from tests.simulated_site import CLAIMS, DECIDED, decided, site

MAX_FALSE = 0.05
CITIES = 10
JUDGED = {*CLAIMS, "visits", "trend", "months"}


def null_city(seed, calls):
    """Teams change nothing, and go to calm calls far more often than to others. In one of three all
    partners tell of visits."""
    return City(seed=seed, calls=calls, choosing=2.0, silent_partners=seed % 3 != 0)


def false_verdicts(told):
    """Claim -> how many cities gave it a verdict; fails where the site no longer decides one."""
    assert all(city.keys() == JUDGED for city in told)
    return {claim: sum(city[claim] in DECIDED for city in told) for claim in sorted(JUDGED)}


def no_more_false_than_stated(told, level=0.001):
    """Fails where as many false verdicts as seen would come up less than once in 1,000 times at the
    stated level: for a claim, or for all of them together."""
    false = false_verdicts(told)
    for claim, count in false.items():
        assert binom.sf(count - 1, len(told), MAX_FALSE) > level, (claim, count, len(told))
    together, judged = sum(false.values()), len(told) * len(false)
    assert binom.sf(together - 1, judged, MAX_FALSE) > level, (false, judged)


@pytest.fixture(scope="module")
def null_sites(tmp_path_factory):
    return [
        site(tmp_path_factory.mktemp("null") / str(seed), null_city(seed, 9000))
        for seed in range(CITIES)
    ]


def test_no_effect_gets_no_verdict(null_sites):
    """Teams take calmer, earlier, nearer calls; people call again and have tempers of their own;
    those who trust answer surveys more often; some partners tell of no visit."""
    told = [decided(release) for release in null_sites]
    assert not any(verdict == "missing" for city in told for verdict in city.values())
    no_more_false_than_stated(told)


def test_by_who_came_most_of_them_would_look_like_an_effect(null_sites):
    reached = [comparison(release, "reached_arrest") for release in null_sites]
    assert sum(found.team < found.other for found in reached) >= 9, "teams choose calmer calls"
    assert sum(found.high < 0 for found in reached) >= 5, "many by more than chance"
    assert {found.verdict for found in reached} == {CANNOT_TELL}


def caught(null_sites, claim, least):
    """The planted fault gives the claim a false verdict in at least so many of the ten, and the
    judge finds that."""
    told = [decided(release) for release in null_sites]
    assert false_verdicts(told)[claim] >= least
    with pytest.raises(AssertionError):
        no_more_false_than_stated(told)


def test_a_verdict_by_who_came_is_caught(null_sites, monkeypatch):
    """Calls with a team against calls without one, judged as if chance had sent the teams."""
    named = comparisons.comparison

    def by_who_came(release, measure):
        found = named(release, measure)
        if measure != "compare_arrest":
            return found
        fine = {"weekday": (-1.0, 1.0)}
        return replace(named(release, "reached_arrest"), contrast=TEAM_FREE, controls=fine)

    monkeypatch.setattr(comparisons, "comparison", by_who_came)
    caught(null_sites, "arrests", 5)


def test_silence_of_partners_taken_for_no_visit_is_caught(null_sites, monkeypatch):
    monkeypatch.setattr(target_scores, "most_connected", lambda _release, _at: None)
    caught(null_sites, "visits", 6)


def test_a_survey_judged_by_those_who_answered_is_caught(null_sites, monkeypatch):
    monkeypatch.setattr(
        claims, "answered_bounds", lambda wave: wilson(int(wave["agree"]), int(wave["respondents"]))
    )
    caught(null_sites, "trust", 8)


def test_limits_that_a_month_sets_for_itself_are_caught(null_sites, monkeypatch):
    """Two standard deviations, month by month, with the season left in."""

    def naive(counts):
        known = [count for count in counts if count is not None]
        mean = sum(known) / len(known)
        spread = (sum((x - mean) ** 2 for x in known) / (len(known) - 1)) ** 0.5
        far = tuple(x is not None and abs(x - mean) > 1.5 * spread for x in counts)
        return Control(far, None, False, 0.1)

    monkeypatch.setattr(time_series, "control", naive)
    caught(null_sites, "months", 5)


def test_a_real_change_is_seen(tmp_path):
    """Trust grows by half, partners all share, and two in three go: the same site says so."""
    release = site(
        tmp_path,
        City(seed=2, calls=9000, silent_partners=False, effect={"trust": 1.5, "connected": 1.7}),
    )
    told = decided(release)
    assert told["trust"] == "supported" and told["visits"] == "met"
    assert targets(release)[0].score.most is None
    assert survey.answered_bounds is claims.answered_bounds
