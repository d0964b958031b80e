"""What a comparison of similar calls tells of counts: true of every list of calls that has such a
row, and the same to the engine and to the audit."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anonymize.agency.codelists import Codelist, Node
from anonymize.agency.schema import StatisticSpec, Text
from anonymize.audit.reader import PublicStatistic, Tree
from anonymize.audit.statistic_bounds import facts_of
from anonymize.count.comparisons import _row, base_told
from anonymize.protect.facts import Declared, bounds_of
from anonymize.release.facts import of_statistic

K = 3
REASONS, ANSWERS = (
    ("served", "no_unit", "all_busy", "declined", "unknown"),
    ("yes", "no", "unknown"),
)
TREES = {
    "not_served_reason": Tree(
        {"all": ("all",), "reason": REASONS}, dict.fromkeys(REASONS, "all") | {"all": ""}
    ),
    "arrest": Tree(
        {"all": ("all",), "answer": ANSWERS}, dict.fromkeys(ANSWERS, "all") | {"all": ""}
    ),
    "period": Tree(
        {"all": ("all",), "year": ("2024", "2025")}, {"all": "", "2024": "all", "2025": "all"}
    ),
    "eligible": Tree(
        {"all": ("all",), "answer": ("yes", "no")}, {"all": "", "yes": "all", "no": "all"}
    ),
}
ELIGIBLE = ("eligible", "yes")


def codelist(name):
    nodes = [
        Node(c, Text(en=c, es=c), TREES[name].parent[c], level)
        for level, codes in TREES[name].levels.items()
        for c in dict.fromkeys(codes)
    ]
    return Codelist(name, Text(en=name, es=name), tuple(TREES[name].levels), tuple(nodes))


LISTS = {name: codelist(name) for name in TREES}
CALLS = st.fixed_dictionaries(
    {pair: st.integers(0, 45) for pair in itertools.product(REASONS, ANSWERS)}
)
"""How many eligible calls of a year have each reason and answer."""


def row_of(calls, measure):
    """The numbers that such calls get in a comparison, or None where they get no row; by the code
    that the build runs."""
    listed = []
    for (reason, answer), n in calls.items():
        side = (
            {"no_unit": 0, "all_busy": 0, "unknown": -1}.get(reason, 1)
            if measure.startswith("compare")
            else int(reason == "served")
        )
        value = (
            {"yes": 1.0, "no": 0.0, "unknown": np.nan}[answer]
            if measure.endswith("arrest")
            else float(n % 2)
        )
        listed += [(i % 2, side, int(reason == "served"), value) for i in range(n)]
    frame = pd.DataFrame(listed, columns=["stratum", "side", "served", "value"]).assign(
        early=0, queue=0, person=-1, n=1, block=0
    )
    found = _row(frame, (), 30, K, yes_no=measure.endswith("arrest")) if len(frame) else None
    if found is None:
        return None
    return {
        "recorded": int(found.recorded),
        "based_on": base_told(found.outcome.calls, len(frame), K),
    }


def cells(calls, year):
    """Every count of a year, by cell."""
    at = frozenset({ELIGIBLE, *({("period", year)} if year != "all" else ())})
    found = {at: sum(calls.values())}
    for (reason, answer), n in calls.items():
        for more in (
            {("not_served_reason", reason)},
            {("arrest", answer)},
            {("not_served_reason", reason), ("arrest", answer)},
        ):
            found[at | more] = found.get(at | more, 0) + n
    return found


def told(measure, rows, public, holds=lambda cell: True):
    """What engine and audit make of the rows (year -> numbers or None)."""
    spec = StatisticSpec(
        name="s",
        title="S",
        measure=measure,
        dimensions={"period": ("all", "year")},
        where={"eligible": "yes"},
    )
    fact = of_statistic(spec, LISTS, left_out=False)
    assert fact["kind"] == "like_calls"
    listed = [
        {
            "period": year,
            **(
                {name: str(n) for name, n in numbers.items()}
                if numbers
                else {"recorded": "", "based_on": ""}
            ),
            "status": "published" if numbers else "suppressed",
        }
        for year, numbers in rows.items()
    ]
    declared = Declared(
        [fact], {"s": listed}, {"s": {"eligible": "yes"}}, {"s": ["period"]}, public, K
    )
    engine = bounds_of(declared, LISTS, holds)
    statistic = PublicStatistic(
        "s",
        measure,
        "calls",
        frozenset({ELIGIBLE}),
        30,
        {"recorded": 1, "based_on": 10},
        tuple(
            (frozenset({ELIGIBLE, *({("period", y)} if y != "all" else ())}), numbers)
            for y, numbers in rows.items()
        ),
    )
    return engine, facts_of(statistic, public, TREES, K, holds)


def hold(engine, audit, counts):
    for bounds in engine:
        value = sum(weight * counts.get(cell, 0) for cell, weight in bounds.terms)
        assert (bounds.low is None or bounds.low <= value) and (
            bounds.high is None or value <= bounds.high
        ), bounds
    for fact in audit:
        assert (
            fact.low
            <= sum(weight * counts.get(cell, 0) for cell, weight in fact.terms)
            <= fact.high
        ), fact


def edges(engine, audit):
    """Both sides' bounds in one form; what says nothing (none or more, no end) is left out."""
    of_engine = {
        (frozenset(b.terms), b.low or 0 if all(w > 0 for _, w in b.terms) else b.low, b.high)
        for b in engine
        if b.low or b.high is not None
    }
    of_audit = set()
    for f in audit:
        low, high = None if f.low == -np.inf else f.low, None if f.high == np.inf else f.high
        if low or high is not None:
            of_audit.add(
                (frozenset(f.terms), low or 0 if all(w > 0 for _, w in f.terms) else low, high)
            )
    return of_engine, of_audit


@pytest.mark.parametrize("measure", ["compare_arrest", "compare_officer_minutes", "reached_arrest"])
@settings(deadline=None, max_examples=150)
@given(calls=CALLS)
def test_true_of_the_calls_of_a_row_and_the_same_to_both(measure, calls):
    numbers = row_of(calls, measure)
    assume(numbers is not None)
    counts = cells(calls, "all")
    at = frozenset({ELIGIBLE})
    engine, audit = told(measure, {"all": numbers}, {at: counts[at]})
    assert engine and audit
    hold(engine, audit, counts)
    one, other = edges(engine, audit)
    assert one == other


@settings(deadline=None, max_examples=60)
@given(years=st.tuples(CALLS, CALLS))
def test_rows_that_no_table_splits_add_up(years):
    """No table has the years with the reasons: their rows become bounds on both years together."""
    rows = {
        year: row_of(calls, "compare_arrest")
        for year, calls in zip(("2024", "2025"), years, strict=True)
    }
    assume(any(rows.values()))
    both = {pair: sum(calls[pair] for calls in years) for pair in years[0]}
    counts = cells(both, "all") | cells(years[0], "2024") | cells(years[1], "2025")
    public = {
        key: n
        for key, n in counts.items()
        if len(key - {("period", "2024"), ("period", "2025")}) == 1
    }
    engine, audit = told(
        "compare_arrest", rows, public, lambda cell: all(name != "period" for name, _ in cell)
    )
    assert engine and audit
    hold(engine, audit, counts)
    one, other = edges(engine, audit)
    assert one == other


def test_a_number_told_exactly_would_narrow_a_small_count():
    """Two of 400 eligible calls have no reason: the base as it is told leaves more open than is
    small; told exactly it would not."""
    calls = dict.fromkeys(itertools.product(REASONS, ANSWERS), 0) | {
        ("served", "yes"): 40,
        ("served", "no"): 200,
        ("all_busy", "yes"): 40,
        ("all_busy", "no"): 118,
        ("unknown", "no"): 2,
    }
    numbers = row_of(calls, "compare_arrest")
    at = frozenset({ELIGIBLE})
    no_reason = at | {("not_served_reason", "unknown")}

    def most(numbers):
        _engine, audit = told("compare_arrest", {"all": numbers}, {at: 400})
        return min(f.high for f in audit if f.terms == ((no_reason, 1),))

    assert most(numbers) >= K
    assert most(numbers | {"based_on": 398}) == 2 < K
