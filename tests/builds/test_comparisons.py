"""Comparisons of similar calls: the estimate against other formulas, and verdicts in made-up
agencies of which the truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from scipy.stats import t as students

from anonymize.count.comparisons import Sides, estimate
from anonymize.errors import PlanError
from anonymize.pipeline import read_inputs
from dashboard.findings.comparisons import (
    CANNOT_TELL,
    FEWER,
    MORE,
    NO_CLEAR,
    Comparison,
    e_value,
    of_cell,
)
from dashboard.text import language
from tests.agency import build
from tests.simulated import City, judged, rows, write

OUTCOMES = (
    "compare_arrest",
    "compare_force_used",
    "compare_repeat_90",
    "compare_officer_minutes",
    "compare_wait",
)


def some_calls(rng, n=600, kinds=12, people=150):
    frame = pd.DataFrame(
        {"stratum": rng.integers(kinds, size=n), "person": rng.integers(people, size=n)}
    )
    frame["side"] = (rng.random(n) < 0.3 + 0.04 * frame["stratum"]).astype(int)
    temper = rng.normal(0, 0.4, people)
    frame["value"] = rng.random(n) < np.clip(
        0.3 + temper[frame["person"]] - 0.08 * frame["side"], 0, 1
    )
    return frame.astype(int)


def sides(frame, weight=None):
    """As the program counts them: people with one call alone are not told apart."""
    person = frame["person"].where(frame.groupby("person")["person"].transform("size") > 1, -1)
    one = np.ones(len(frame), dtype=np.int64)
    return Sides(
        frame["stratum"].to_numpy(),
        frame["side"].to_numpy(),
        person.to_numpy(),
        one,
        one * 1.0 if weight is None else weight,
    )


def test_the_difference_is_that_of_mantel_and_haenszel():
    """Worked out again stratum by stratum: sum of (a n0 - b n1) / N over sum of n1 n0 / N
    (Greenland and Robins 1985)."""
    frame = some_calls(np.random.default_rng(1))
    above = below = 0.0
    for _kind, part in frame.groupby("stratum"):
        one, none = part[part["side"] == 1]["value"], part[part["side"] == 0]["value"]
        above += (one.sum() * len(none) - none.sum() * len(one)) / len(part)
        below += len(one) * len(none) / len(part)
    found = estimate(sides(frame), frame["value"].to_numpy(dtype=float))
    assert found.team - found.other == pytest.approx(above / below)
    assert (found.low + found.high) / 2 == pytest.approx(above / below)


def test_the_interval_is_that_of_a_regression_with_clusters():
    """Least squares with a column for each stratum, and the sandwich over people, by matrices."""
    frame = some_calls(np.random.default_rng(2))
    x = np.column_stack([frame["side"], pd.get_dummies(frame["stratum"], dtype=float)])
    y = frame["value"].to_numpy(dtype=float)
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    meat, pull = np.zeros_like(bread), []
    for _who, at in frame.groupby("person").indices.items():
        score = x[at].T @ (y[at] - x[at] @ beta)
        meat += np.outer(score, score)
        pull.append((bread @ score)[0])
    people, n, k = frame["person"].nunique(), len(frame), x.shape[1]
    error = np.sqrt((bread @ meat @ bread)[0, 0] * people / (people - 1) * (n - 1) / (n - k))
    pull = np.array(pull)
    freedom = (pull**2).sum() ** 2 / (pull**4).sum()
    found = estimate(sides(frame), y)
    assert (found.high - found.low) / 2 == pytest.approx(
        students.ppf(0.995, freedom) * error, rel=1e-4
    )


def test_the_interval_covers_the_truth_where_people_call_often():
    """400 times drawn anew: an interval that took calls for independent would miss far more often
    than 1 time in 20."""
    inside = independent = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        n, people = 300, 30
        frame = pd.DataFrame(
            {"stratum": rng.integers(3, size=n), "person": rng.integers(people, size=n)}
        )
        frame["side"] = (rng.random(people) < 0.5).astype(int)[
            frame["person"]
        ]  # who calls again meets the same side: the worst case
        frame["value"] = (
            rng.random(n) < np.clip(0.4 + rng.normal(0, 0.25, people)[frame["person"]], 0, 1)
        ).astype(int)
        value = frame["value"].to_numpy(dtype=float)
        found, naive = (
            estimate(sides(f), value, 0.05) for f in (frame, frame.assign(person=range(n)))
        )
        inside += found.low <= 0 <= found.high
        independent += naive.low <= 0 <= naive.high
    assert binom.cdf(400 - inside, 400, 0.08) < 0.999, inside
    assert inside >= 368
    assert independent < 340


def test_strata_with_one_side_alone_say_nothing():
    lonely = pd.DataFrame(
        {"stratum": [0, 0, 1, 1], "person": range(4), "side": [1, 1, 0, 0], "value": [0, 1, 0, 1]}
    )
    assert estimate(sides(lonely), lonely["value"].to_numpy(dtype=float)) is None


def test_e_values_of_the_paper():
    """VanderWeele and Ding 2017, table 1: a ratio of 3.9 (1.8 to 8.7) has 7.26, and 3.0 for the
    near end."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value(1.8) == pytest.approx(3.0, abs=0.005)
    assert e_value(1 / 3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value(1.0) == 1.0


def made(**changed) -> Comparison:
    cell = {
        "team": 150,
        "other": 350,
        "low": -260,
        "high": -150,
        "weekday_low": -200,
        "weekday_high": 100,
        "queue_low": -14,
        "queue_high": 12,
        "recorded": 1,
        "based_on": 9000,
    }
    design = {
        "contrast": "team_free",
        "unit": "per_10000_calls",
        "alike": ["hour"],
        "controls": ["weekday", "queue"],
        "required_arrests_apart": False,
    }
    found = of_cell("compare_arrest", design | changed.pop("design", {}), cell | changed)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, FEWER),
        ({"low": 10, "high": 90}, MORE),
        ({"high": 0}, NO_CLEAR),
        ({"recorded": 0}, CANNOT_TELL),
        ({"weekday_low": 1}, CANNOT_TELL),
        ({"queue_high": -1}, CANNOT_TELL),
        ({"design": {"contrast": "reached"}}, CANNOT_TELL),
        ({"design": {"controls": []}}, CANNOT_TELL),
    ],
)
def test_each_rule_decides(changed, verdict):
    language.use("en")
    found = made(**changed)
    assert found.verdict == verdict
    assert bool(found.why) == (verdict == CANNOT_TELL)


def test_releases_that_compared_in_another_way_are_left_alone():
    assert of_cell("compare_arrest", {}, {"team": 31, "team_low": 28, "team_high": 34}) is None


def verdicts(tmp_path, cities, measures=OUTCOMES):
    """Of each measure, its verdict in each city."""
    told = {measure: [] for measure in measures}
    for number, city in enumerate(cities):
        found = judged(tmp_path / str(number), city, tuple(measures))
        for measure in measures:
            told[measure].append(found[measure])
    return told


def test_known_effects_are_seen(tmp_path):
    effect = {"arrest": 0.15, "officer_minutes": 0.6}
    measures = ("compare_arrest", "compare_officer_minutes")
    told = verdicts(
        tmp_path, [City(seed=50 + s, calls=9000, effect=effect) for s in range(4)], measures
    )
    for measure in measures:
        usable = [found for found in told[measure] if not found.failed]
        assert [found.verdict for found in usable] == [FEWER] * len(usable) and len(usable) >= 3, (
            measure
        )


def test_who_may_get_a_team_does_not_decide(tmp_path):
    """Arrests by lot: 3 % if eligible, 6 % if not. Against all other calls teams would look good;
    among eligible ones they do not."""
    city = City(seed=7, calls=16_000, choosing=0)
    path = write(tmp_path, city, ("compare_arrest", "reached_arrest"))
    frame = pd.read_csv(tmp_path / "calls.csv", dtype=str, keep_default_na=False)
    rng = np.random.default_rng(7)
    frame["arrest"] = np.where(
        rng.random(len(frame)) < np.where(frame["eligible"] == "yes", 0.03, 0.06), "yes", "no"
    )
    team, arrested = frame["unit"] != "police_only", frame["arrest"] == "yes"
    assert arrested[team].mean() < 0.75 * arrested[~team].mean()
    from tests import simulated

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "rows", lambda _city: frame.itertuples(index=False, name=None))
        found = judged(tmp_path, city, ("compare_arrest", "reached_arrest"))
    assert path.exists()
    assert found["compare_arrest"].verdict == NO_CLEAR
    assert found["reached_arrest"].low <= 0 <= found["reached_arrest"].high


def test_a_control_that_fails_stops_the_verdict(tmp_path):
    """While all teams are busy, calls also wait longer before dispatch: those hours differ in more
    than teams."""
    found = judged(
        tmp_path, City(seed=3, effect={"arrest": 0.1}, busy_differs=4.0), ("compare_arrest",)
    )["compare_arrest"]
    assert found.high < 0 and found.failed == ["queue"]
    assert found.verdict == CANNOT_TELL


def test_times_lost_on_one_side_stop_the_verdict(tmp_path):
    """Visits whose officer's time is missing, all on the side of teams."""
    whole, holed = (
        judged(
            tmp_path / str(lost),
            City(seed=5, officer_lost=lost, effect={"officer_minutes": 0.5}),
            ("compare_officer_minutes",),
        )["compare_officer_minutes"]
        for lost in (0.0, 0.05)
    )
    assert (whole.verdict, holed.verdict) == (FEWER, CANNOT_TELL)
    assert not holed.recorded


def test_visits_without_an_officer_take_no_officer_time(tmp_path):
    """Half of the teams come without one: that is officer time given back, not a row to drop."""
    found = judged(
        tmp_path, City(seed=16, clinicians_alone=0.7, times_lost=0.0), ("compare_officer_minutes",)
    )["compare_officer_minutes"]
    assert found.verdict == FEWER


def test_few_events_are_not_compared(tmp_path):
    found = judged(tmp_path, City(seed=8, calls=1500), ("compare_force_used",))
    assert found == {"compare_force_used": None}


def test_the_agency_file_must_feed_the_design(tmp_path):
    path = write(tmp_path / "a", City(seed=1, calls=50), ("compare_arrest",))
    text = path.read_text()
    path.write_text(text.replace('not_served_reason = "why"\n', ""))
    with pytest.raises(PlanError, match="needs not_served_reason"):
        build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    head, _, tail = text.rpartition('where = { eligible = "yes" }')
    path.write_text(head + tail)
    with pytest.raises(PlanError, match="eligible calls over a period"):
        build(read_inputs(path), tmp_path / "out", tmp_path / "private")


def test_the_same_city_twice():
    assert rows(City(seed=2, calls=200)) == rows(City(seed=2, calls=200))
