"""What the engine makes of declared facts is true of every list of calls that has them, and no
narrower than what the audit makes of them."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.agency.codelists import Codelist, Node
from anonymize.agency.schema import Text
from anonymize.audit.declared import Row as AuditRow
from anonymize.audit.declared import Shares, blanks
from anonymize.audit.statistic_bounds import facts_of
from anonymize.protect.facts import Declared, bounds_of
from anonymize.records.completeness import OF_A_MONTH, STEPS, Row, completeness
from anonymize.release.facts import OUT_OF, QUANTILES
from tests.property.test_facts import EDGES, TREES, WAITS, counted, statistic, told


def codelist(name):
    tree = TREES[name]
    nodes = [
        Node(c, Text(en=c, es=c), tree.parent[c], level)
        for level, codes in tree.levels.items()
        for c in codes
    ]
    return Codelist(name, Text(en=name, es=name), tuple(tree.levels), tuple(nodes))


LISTS = {name: codelist(name) for name in TREES}
FACT = {
    "kind": "waits",
    "resource": "s",
    "dimension": "wait",
    "untimed": "unknown",
    "quantiles": QUANTILES,
    "less_than": {code: None if math.isinf(edge) else edge for code, edge in EDGES.items()},
}


def comes_to(bounds, counts):
    return sum(weight * counts[key] for key, weight in bounds.terms)


def hold(listed, counts):
    for bounds in listed:
        value = comes_to(bounds, counts)
        assert (bounds.low is None or bounds.low <= value) and (
            bounds.high is None or value <= bounds.high
        ), bounds


@settings(deadline=None)
@given(WAITS, st.integers(0, 3), st.booleans(), st.sampled_from(("published", "incomplete")))
def test_waits_are_true_of_the_calls_of_a_row(waits, fewer, untimed_published, status):
    counts = counted("a", waits)
    at = frozenset({("place", "a")})
    public = {at: counts[at]} | (
        {at | {("wait", "unknown")}: waits[1]} if untimed_published else {}
    )
    numbers = told(waits, max(1, len(waits[0]) - fewer))
    row = {"place": "a", **{name: str(n) for name, n in numbers.items()}, "status": status}
    declared = Declared([FACT], {"s": [row]}, {"s": {}}, {"s": ["place"]}, public, 11)
    listed = bounds_of(declared, LISTS, lambda key: True)
    assert listed
    hold(listed, counts)


@settings(deadline=None)
@given(st.lists(WAITS, min_size=3, max_size=3), st.sets(st.sampled_from("abc"), min_size=1))
def test_rows_that_no_table_splits_add_up(each, shown):
    one = {place: counted(place, waits) for place, waits in zip("abc", each, strict=True)}
    whole = {}
    for place, counts in one.items():
        for key, n in counts.items():
            wide = key - {("place", place)}
            whole[wide] = whole.get(wide, 0) + n
    public = {frozenset({("place", p)}): one[p][frozenset({("place", p)})] for p in "abc"} | {
        frozenset(): whole[frozenset()]
    }
    rows = [
        {
            "place": p,
            **(
                {n: str(v) for n, v in told(w, len(w[0])).items()}
                if p in shown
                else dict.fromkeys(("median", "p90", "based_on"), "")
            ),
            "status": "published" if p in shown else "suppressed",
        }
        for p, w in zip("abc", each, strict=True)
    ]
    declared = Declared([FACT], {"s": rows}, {"s": {}}, {"s": ["place"]}, public, 11)
    hold(bounds_of(declared, LISTS, lambda key: all(name == "wait" for name, _ in key)), whole)


@settings(deadline=None)
@given(
    st.integers(3, 11),
    st.lists(st.tuples(st.integers(0, 300), st.floats(0, 1)), min_size=1, max_size=6),
    st.booleans(),
)
def test_shares_say_the_same_to_engine_and_audit(threshold, months, joined):
    """Each with code of its own, month by month; true of the calls; and added up where no table
    joins the field with months."""
    codes = [f"2024-{i + 1:02d}" for i in range(len(months))]
    nodes = [
        Node("all", Text(en="a", es="a"), "", "all"),
        *(Node(c, Text(en=c, es=c), "all", "month") for c in codes),
    ]
    lists = {"period": Codelist("period", Text(en="p", es="p"), ("all", "month"), tuple(nodes))}
    blank = {c: int(n * share) for c, (n, share) in zip(codes, months, strict=True)}
    calls = {frozenset({("period", c)}): n for c, (n, _) in zip(codes, months, strict=True)}
    calls[frozenset()] = sum(n for n, _ in months)
    rows = [
        Row("source", "all", "calls", calls[frozenset()] - sum(blank.values()), calls[frozenset()])
    ]
    rows += [
        Row("source", c, "calls", n - blank[c], n) for c, (n, _) in zip(codes, months, strict=True)
    ]
    table = completeness(rows, threshold)
    names = [f.name for f in table.fields]
    listed = [dict(zip(names, row, strict=True)) for row in table.rows]
    fact = {
        "kind": "share_filled",
        "resource": "completeness",
        "out_of": {"calls": OUT_OF["calls"]},
        "blank": [{"field": "source", "of": {"source": "unknown"}, "relation": "equal"}],
    }
    cell = frozenset({("source", "unknown")})
    truth = {cell: sum(blank.values())} | {cell | {("period", c)}: n for c, n in blank.items()}
    found = bounds_of(
        Declared([fact], {"completeness": listed}, {}, {}, calls, threshold),
        lists,
        lambda key: joined or all(d != "period" for d, _ in key),
    )
    hold(found, truth)
    shares = Shares(
        {"calls": frozenset()},
        {"calls": frozenset()},
        {"all": STEPS, "month": OF_A_MONTH},
        (("source", cell, True),),
        tuple(
            AuditRow(
                r["field"],
                r["period"],
                "calls",
                *(int(r[x]) if r[x] else None for x in ("at_least", "at_most")),
            )
            for r in listed
        ),
    )
    audited = {
        (
            b.cell | (frozenset({("period", b.period)}) if b.period != "all" else frozenset()),
            b.least,
            b.most,
        )
        for b in blanks(shares, calls)
    }
    if joined:
        assert {(b.terms[0][0], b.low, b.high) for b in found} == audited
    assert all(np.isfinite(b.high) for b in found)


@settings(deadline=None)
@given(st.integers(0, 90), st.integers(0, 90), st.booleans())
def test_a_missing_row_says_that_few_calls_have_a_time(timed, untimed, left_out):
    """Shown are rows with 30 times or more, beside a count of 40 or more (threshold 11). Engine
    and audit make the same of one that is missing, and it is true."""
    at, minimum = frozenset({("place", "a")}), 30
    public = {at: timed + untimed}
    shown = timed >= minimum and timed + untimed >= minimum + 10
    row = {"place": "a", "median": "", "p90": "", "based_on": "", "status": "suppressed"}
    declared = Declared(
        [FACT | {"minimum": minimum, "left_out": left_out}],
        {"s": [row]},
        {"s": {}},
        {"s": ["place"]},
        public,
        11,
    )
    mine = {(b.terms, b.low) for b in bounds_of(declared, LISTS, lambda key: True)}
    theirs = facts_of(
        replace(statistic([(at, None)]), complete=not left_out), public, TREES, 11, lambda key: True
    )
    assert mine == {(fact.terms, fact.low) for fact in theirs}
    assert len(mine) == (timed + untimed >= minimum + 10 and not left_out)
    if not shown:
        assert all(low <= untimed for _, low in mine)
    elif mine:
        assert all(low > untimed for _, low in mine), "that the row is missing rules this out"
