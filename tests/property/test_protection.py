"""Random small cases: the engine's result judged by enumeration and by the audit, the audit judged
by enumeration."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from anonymize.agency.codelists import Codelist, Dimension, Node, with_unknown
from anonymize.agency.schema import TableSpec, Text
from anonymize.audit import audit_release
from anonymize.audit.equations import COMPLEMENT, Equations, Issue, equations
from anonymize.audit.feasibility import judge
from anonymize.audit.reader import read_release
from anonymize.count.tables import Table
from anonymize.errors import ProtectionError
from anonymize.protect import Block, Protected, build_system, plan_cliques, protect
from anonymize.protect.secondary import narrow, widen
from anonymize.protect.system import Layout, clique_dimensions
from tests.helpers import Dim, Spec, cell_columns, flat, tables_that_fit, value_of, write_release

COMMON = {
    "deadline": None,
    "suppress_health_check": [
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
    ],
}


def hidden_by(cells, names):
    return lambda codes, value: tuple(codes[d] for d in names) in cells


@settings(max_examples=40, **COMMON)
@given(
    st.one_of(
        st.lists(st.integers(0, 3), min_size=4, max_size=4),
        st.lists(st.integers(0, 2), min_size=6, max_size=6),
    ),
    st.data(),
)
def test_audit_intervals_equal_enumeration(tmp_path_factory, counts, data):
    """Every verdict of the audit agrees with trying all tables of whole numbers."""
    k, columns = 3, len(counts) // 2
    dims = (flat("area", "a", "b"), flat("kind", *"xyz"[:columns]))
    keys = list(itertools.product(*(d.leaves for d in dims)))
    leaves = dict(zip(keys, counts[: len(keys)], strict=True))
    cells = list(itertools.product(["all", "a", "b"], ["all", *"xyz"[:columns]]))
    hidden = set(
        data.draw(st.lists(st.sampled_from(cells), min_size=1, max_size=len(cells), unique=True))
    )
    spec = Spec(
        "t", {"area": ["all", "one"], "kind": ["all", "one"]}, hidden_by(hidden, ["area", "kind"])
    )
    folder = write_release(tmp_path_factory.mktemp("r"), k, dims, leaves, [spec])
    release = read_release(folder)
    system = equations(Issue("", release.tables, release.trees), [])
    verdicts = dict(zip(system.hidden_cells, judge(system, k), strict=True))
    by_name = {d.name: d for d in dims}
    published = [
        ({"area": a, "kind": b}, value_of(by_name, leaves, {"area": a, "kind": b}))
        for a, b in cells
        if (a, b) not in hidden
    ]
    tables = tables_that_fit(dims, published, most=max(5, sum(counts)))
    seen = {
        (a, b): set(tables[:, cell_columns(dims, {"area": a, "kind": b})].sum(axis=1).tolist())
        for a, b in hidden
    }
    for (a, b), values in seen.items():
        key = frozenset((d, c) for d, c in (("area", a), ("kind", b)) if c != "all")
        spans = min(values) <= 1 and max(values) >= k - 1
        large = min(values) >= k and len(values) > 1
        assert verdicts[key].safe == (spans or large), (a, b, sorted(values))


def codelist(dim: Dim) -> Codelist:
    nodes = [
        Node(code, Text(en=code, es=code), parent, level)
        for level, codes in dim.levels.items()
        for code, parent in codes.items()
    ]
    return with_unknown(
        dim.name,
        Text(en=dim.name, es=dim.name),
        Text(en="All", es="Todo"),
        tuple(dim.levels),
        nodes,
        unknown=False,
    )


def system_of(k, dims, specs, leaves):
    """The tables of `specs` and the engine's system of them."""
    lists = {d.name: codelist(d) for d in dims}
    names = [d.name for d in dims]
    full = np.zeros([len(d.leaves) for d in dims], dtype=np.int64)
    for key, n in leaves.items():
        full[tuple(d.leaves.index(c) for d, c in zip(dims, key, strict=True))] = n

    def counted(dimensions: dict[str, Dimension], where: dict[str, str]) -> np.ndarray:
        values = full
        for axis, d in enumerate(names):
            if d in where:
                values = np.take(values, [dims[axis].leaves.index(where[d])], axis=axis)
        for axis, d in reversed(list(enumerate(names))):
            if d not in dimensions:
                values = values.sum(axis=axis)
        kept = [d for d in names if d in dimensions]
        values = values.transpose([kept.index(d) for d in dimensions])
        for axis, dimension in enumerate(dimensions.values()):
            at = dimension.codelist.ancestors(dimension.finest)
            finest = dimension.codelist.codes_at(dimension.finest)
            fold = np.array(
                [
                    [
                        at[leaf] == code
                        for leaf in dimension.codelist.codes_at(dimension.codelist.finest)
                    ]
                    for code in finest
                ],
                dtype=np.int64,
            )
            values = np.moveaxis(
                np.tensordot(dimension.roll_up @ fold, values, axes=(1, axis)), 0, axis
            )
        return values

    tables = [
        Table(
            s.name,
            Text(en=s.name, es=s.name),
            "calls",
            {d: Dimension(lists[d], tuple(levels)) for d, levels in s.levels.items()},
            s.where,
            s.sensitive_attribute,
            counted(
                {d: Dimension(lists[d], tuple(levels)) for d, levels in s.levels.items()}, s.where
            ),
        )
        for s in specs
    ]
    plan = [
        TableSpec(
            name=s.name,
            title=Text(en=s.name, es=s.name),
            dimensions={d: tuple(x) for d, x in s.levels.items()},
            where=s.where,
        )
        for s in specs
    ]
    cliques = plan_cliques(plan, lists)
    joint = [counted(clique_dimensions(c, lists), {}) for c in cliques]
    layout = Layout(cliques, [Block(frozenset({0}), lists, joint)], lists)
    return tables, build_system(tables, layout, k)


def protected_release(folder, k, dims, specs, leaves, high=None):
    """Run the engine the way the pipeline does, but write with the test's own writer; returns the
    audit and the engine's result."""
    tables, system = system_of(k, dims, specs, leaves)
    result = protect(system, high or k)
    for _ in range(20):
        for s, table, ids in zip(specs, tables, system.where, strict=True):
            mask = result.withheld[ids]
            cells = {
                tuple(
                    table.dimensions[d].codes[i] for d, i in zip(table.dimensions, at, strict=True)
                )
                for at in zip(*np.nonzero(mask), strict=True)
            }
            s.hidden = hidden_by(cells, list(table.dimensions))
        write_release(folder, k, dims, leaves, specs)
        report = audit_release(folder)
        if report.passed:
            return report, result
        number = {key: i for i, key in enumerate(system.keys)}
        before = result.withheld.sum()
        widen(result, [number[f.cell] for f in report.findings if f.cell in number])
        if result.withheld.sum() == before:
            break
    return report, result


@settings(max_examples=25, **COMMON)
@given(
    k=st.sampled_from([3, 5, 11]),
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([0.5, 3.0, 12.0]),
    plan=st.sampled_from(["one", "linked", "chain", "where", "hierarchy"]),
    sensitive=st.booleans(),
)
def test_engine_keeps_the_promise(tmp_path_factory, k, seed, scale, plan, sensitive):
    """Whatever the counts and the tables, the protected release passes the audit and withholds
    every sensitive cell."""
    rng = np.random.default_rng(seed)
    area = Dim(
        "area",
        {
            "big": {"p": "all", "q": "all"},
            "small": {"p1": "p", "p2": "p", "q1": "q", "q2": "q", "q3": "q"},
        },
    )
    kind, time = flat("kind", "x", "y", "z"), flat("time", "1", "2", "3")
    dims = (area, kind, time)
    levels = {"area": ["all", "big", "small"], "kind": ["all", "one"], "time": ["all", "one"]}
    chosen = {
        "one": [["area", "kind"]],
        "linked": [["area", "kind"], ["kind", "time"], ["area", "time"]],
        "chain": [["area", "kind"], ["kind", "time"]],
        "where": [["area", "time"], ["kind", "time"]],
        "hierarchy": [["area"], ["kind", "time"]],
    }[plan]
    specs = [
        Spec(f"t{i}", {d: levels[d] for d in names}, lambda c, v: False)
        for i, names in enumerate(chosen)
    ]
    if plan == "where":
        specs[0].where = {"kind": "x"}
    if sensitive and "kind" in specs[-1].levels:
        specs[-1].sensitive_attribute = "kind"
    leaves = {
        key: int(n)
        for key, n in zip(
            itertools.product(*(d.leaves for d in dims)),
            rng.negative_binomial(0.7, 0.7 / (0.7 + scale), 45),
            strict=True,
        )
    }
    try:
        report, result = protected_release(tmp_path_factory.mktemp("r"), k, dims, specs, leaves)
    except ProtectionError:
        # Nothing to hide behind: the whole holds too few calls to reach the threshold.
        assert sum(leaves.values()) < 2 * k
        return
    assert report.passed, report.to_text()
    assert result.withheld[result.system.sensitive].all()


@settings(max_examples=25, **COMMON)
@given(k=st.sampled_from([5, 11]), seed=st.integers(0, 10_000), hidden=st.floats(0.2, 0.7))
def test_narrow_is_what_a_linear_program_says(k, seed, hidden):
    """Of cells withheld by lot, those that can be less than k, but not all of 1 to k; by scipy,
    from the counts alone."""
    rng = np.random.default_rng(seed)
    dims = (flat("area", "a", "b", "c"), flat("kind", "x", "y", "z"), flat("time", "1", "2"))
    levels = {d.name: ["all", "one"] for d in dims}
    specs = [
        Spec("t", {d: levels[d] for d in ("area", "kind")}, None),
        Spec("u", {d: levels[d] for d in ("kind", "time")}, None),
    ]
    leaves = dict(
        zip(
            itertools.product(*(d.leaves for d in dims)),
            rng.integers(0, 2 * k, 18).tolist(),
            strict=True,
        )
    )
    _, system = system_of(k, dims, specs, leaves)
    withheld = rng.random(len(system.values)) < hidden
    asked = np.flatnonzero(withheld).tolist()
    published = sp.vstack([system.cells[~withheld], system.margins])
    fixed = np.concatenate([system.values[~withheld], np.zeros(system.margins.shape[0])])

    def most(cell, way):
        found = linprog(
            -way * system.cells[cell].toarray().ravel(),
            A_eq=published,
            b_eq=fixed,
            bounds=(0, None),
        )
        return np.inf if found.status == 3 else -way * found.fun

    wanted = [
        c
        for c in asked
        if (least := most(c, -1)) < k - 1e-6 and (least > 1 + 1e-6 or most(c, 1) < k - 1e-6)
    ]
    assert narrow(Protected(system, k, withheld), asked) == wanted


def test_zero_can_be_withheld(tmp_path):
    """A zero is a second-round candidate, so nobody can conclude 'at least 1'."""
    dims = (flat("area", "a", "b", "c"), flat("kind", "x", "y"))
    leaves = {
        ("a", "x"): 4,
        ("a", "y"): 60,
        ("b", "x"): 0,
        ("b", "y"): 70,
        ("c", "x"): 900,
        ("c", "y"): 900,
    }
    spec = Spec("t", {"area": ["all", "one"], "kind": ["all", "one"]}, lambda c, v: False)
    report, result = protected_release(tmp_path, 5, dims, [spec], leaves, high=4)
    assert {f.attack for f in report.findings} <= {"insider"}
    zero = result.system.keys.index((("area", "b"), ("kind", "x")))
    assert result.withheld[zero]


@pytest.mark.parametrize("count", [0, 4, 5])
def test_threshold_edges(tmp_path, count):
    """Exactly 0 and k are published, k - 1 is not."""
    dims = (flat("area", "a", "b"),)
    spec = Spec("t", {"area": ["all", "one"]}, lambda c, v: False)
    report, result = protected_release(tmp_path, 5, dims, [spec], {("a",): count, ("b",): 40})
    assert report.passed
    assert result.withheld[result.system.keys.index((("area", "a"),))] == (count == 4)


def test_complement_marks_are_not_codes():
    """A code of a release may hold no blank, so the audit's mark for complements cannot collide
    with one."""
    from anonymize.agency.schema import CodeSpec

    with pytest.raises(ValueError, match="code"):
        CodeSpec(code=f"{COMPLEMENT}x of all", en="x", es="x")


def test_unknowns_may_be_larger_than_the_sums_that_tie_them():
    """Margins of three cliques: x = y + z, y = 700 + u, z = 700 + v, with u and v withheld; the
    total of all is published elsewhere.

    No single sum of this component comes near x, which is 1,400 at least.
    """
    columns = ["x", "y", "z", "u", "v", "w"]
    sums = [
        ({"x": 1, "y": -1, "z": -1}, 0),
        ({"y": 1, "u": -1}, 700),
        ({"z": 1, "v": -1}, 700),
        ({"w": 1}, 5000),
    ]
    fixed = sp.csr_matrix([[row.get(c, 0) for c in columns] for row, _ in sums])
    hidden = sp.csr_matrix([[int(c == name) for c in columns] for name in "uv"])
    none = sp.csr_matrix((0, len(columns)))
    found = judge(
        Equations(
            fixed, np.array([v for _, v in sums]), none, np.zeros(0), np.zeros(0), hidden, ((), ())
        ),
        5,
    )
    assert all(verdict.safe for verdict in found)
