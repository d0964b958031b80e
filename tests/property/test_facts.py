"""What statistics tell of counts: true of every list of waits that has them, and as narrow as a
list shows that it can be."""

import math

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from anonymize.audit.reader import PublicStatistic, Tree
from anonymize.audit.statistic_bounds import facts_of

EDGES = {"under_10": 10, "10_to_20": 20, "20_to_30": 30, "30_to_60": 60, "over_60": math.inf}
TREES = {
    "wait": Tree(
        {
            "all": ("all",),
            "half_hour": ("within_30", "over_30", "unknown"),
            "band": (*EDGES, "unknown.band"),
        },
        {
            "all": "",
            "within_30": "all",
            "over_30": "all",
            "unknown": "all",
            "unknown.band": "unknown",
            **{code: "within_30" if edge <= 30 else "over_30" for code, edge in EDGES.items()},
        },
    ),
    "place": Tree(
        {"all": ("all",), "place": ("a", "b", "c")}, {"all": "", "a": "all", "b": "all", "c": "all"}
    ),
    "not_served_reason": Tree(
        {"all": ("all",), "reason": ("served", "no_unit", "all_busy")},
        dict.fromkeys(("served", "no_unit", "all_busy"), "all") | {"all": ""},
    ),
}
SECONDS = st.one_of(
    st.integers(0, 7_200),
    st.integers(0, 86_400),
    st.sampled_from([599, 600, 1_169, 1_170, 1_230, 1_799, 1_800, 3_599, 3_600]),
)
WAITS = st.tuples(st.lists(SECONDS, min_size=3, max_size=45), st.integers(0, 4))
"""Seconds of the calls with a time, and how many have none."""


def half_up(number):
    return math.floor(number + 0.5)


def told(waits, least):
    seconds, _untimed = waits
    minutes = np.array(seconds) / 60
    return {
        "median": half_up(np.percentile(minutes, 50)),
        "p90": half_up(np.percentile(minutes, 90)),
        "based_on": least,
    }


def counted(place, waits):
    """Every count of the place, by cell; `all` stands for no code."""
    seconds, untimed = waits
    minutes = np.array(seconds) / 60
    edges = [0, *EDGES.values()]
    bands = {
        code: int(((minutes >= low) & (minutes < high)).sum())
        for code, low, high in zip(EDGES, edges, edges[1:], strict=False)
    }
    bands |= {
        "within_30": sum(n for code, n in bands.items() if EDGES[code] <= 30),
        "unknown": untimed,
        "unknown.band": untimed,
    }
    bands["over_30"] = bands["30_to_60"] + bands["over_60"]
    at = frozenset({("place", place)} if place != "all" else ())
    return {at: len(seconds) + untimed} | {at | {("wait", code)}: n for code, n in bands.items()}


def statistic(rows, measure="minutes_call_to_arrival", rounding=None):
    return PublicStatistic(
        "s",
        measure,
        "calls",
        frozenset(),
        30,
        rounding or {"median": 1, "p90": 1, "based_on": 10},
        tuple(rows),
    )


def comes_to(fact, counts):
    return sum(weight * counts[cell] for cell, weight in fact.terms)


@given(WAITS, st.integers(0, 3), st.booleans())
@example(
    ([270] * 10 + [600] * 2, 0), 0, True
)  # the 90th percentile is 9.45 minutes, and the wait above it just 10
def test_true_of_the_calls_of_a_row(waits, fewer, untimed_published):
    counts = counted("a", waits)
    at = frozenset({("place", "a")})
    public = {at: counts[at]} | (
        {at | {("wait", "unknown")}: waits[1]} if untimed_published else {}
    )
    row = (at, told(waits, max(1, len(waits[0]) - fewer)))
    facts = facts_of(statistic([row]), public, TREES, 11, lambda cell: True)
    assert facts
    for fact in facts:
        assert fact.low <= comes_to(fact, counts) <= fact.high, fact


@given(st.lists(WAITS, min_size=3, max_size=3), st.sets(st.sampled_from("abc"), min_size=1))
def test_rows_that_no_table_splits_add_up_to_what_one_does(each, shown):
    """Waits are counted over the whole alone; medians are told by place, some withheld."""
    counts = pd.concat(
        [pd.Series(counted(place, waits)) for place, waits in zip("abc", each, strict=True)]
    )
    whole = (
        counts.groupby(
            [frozenset(pair for pair in cell if pair[0] != "place") for cell in counts.index]
        )
        .sum()
        .to_dict()
    )
    public = {cell: n for cell, n in counts.items() if len(cell) == 1} | {
        frozenset(): whole[frozenset()]
    }
    rows = [
        (frozenset({("place", p)}), told(w, len(w[0])) if p in shown else None)
        for p, w in zip("abc", each, strict=True)
    ]
    facts = facts_of(
        statistic(rows), public, TREES, 11, lambda cell: all(name == "wait" for name, _ in cell)
    )
    for fact in facts:
        assert fact.low <= comes_to(fact, whole) <= fact.high, fact
        assert all(name == "wait" for cell, _ in fact.terms for name, _code in cell)


def test_as_narrow_as_lists_of_waits_show():
    """101 calls, 9 in 10 within 24 minutes, all with a time: up to 10 can have waited an hour, and
    11 cannot."""
    seconds = [24 * 60] * 91 + [70 * 60] * 10
    counts = counted("a", (seconds, 0))
    at = frozenset({("place", "a")})
    public = {at: 101, at | {("wait", "unknown")}: 0}
    facts = facts_of(
        statistic([(at, told((seconds, 0), 90))]), public, TREES, 11, lambda cell: True
    )
    assert counts[at | {("wait", "over_60")}] == 10
    reached = [
        f
        for f in facts
        if {code for cell, _ in f.terms for name, code in cell if name == "wait"}
        == {"within_30", "30_to_60"}
    ]
    assert max(f.low for f in reached) == 91 == 101 - 10


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=80))
@example([(hour, True) for hour in range(15)])
@example([(hour, hour < 24) for hour in range(45)])
@example([(0, True)] * 40 + [(hour, hour < 24) for hour in range(45)])
def test_hours_without_a_team(calls):
    """Each call: its hour, and whether no team was free."""
    none, hours = len({hour for hour, alone in calls if alone}), len({hour for hour, _ in calls})
    row = (
        frozenset(),
        {"hours_none": half_up(none / 10) * 10, "based_on": half_up(hours / 10) * 10},
    )
    shown = none == 0 or none >= 11  # as `statistics.py` shows them with a threshold of 11
    facts = facts_of(
        statistic([row], "hours_without_team", {"hours_none": 10, "based_on": 10}),
        {frozenset(): len(calls)},
        TREES,
        11,
        lambda c: True,
    )
    assert len(facts) == 1
    if shown:
        assert facts[0].low <= sum(alone for _, alone in calls) <= facts[0].high
        assert none or facts[0].high == 0


def test_other_measures_tell_nothing_of_counts():
    row = (frozenset(), {"median": 5, "p90": 9, "based_on": 50})
    assert (
        facts_of(
            statistic([row], "minutes_on_scene"), {frozenset(): 60}, TREES, 11, lambda cell: True
        )
        == []
    )
