"""A gap tells that its counts are 0. What it tells must narrow no small count: judged by brute
force over all tables that fit."""

import csv
import json
import shutil
from itertools import product

import numpy as np
import pytest

from anonymize.audit import audit_release
from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency
from tests.helpers import Dim, Spec, cell_columns, rehash, tables_that_fit, with_gaps, write_release

K = 3
MONTHS = ("2024-01", "2024-02", "2024-03")
TYPES = ("crisis", "check")
CALLS = {
    ("2024-01", "crisis"): 1,
    ("2024-01", "check"): 7,
    ("2024-03", "crisis"): 9,
    ("2024-03", "check"): 6,
}
REASON = {"en": "The file is lost.", "es": "El archivo se perdió."}
LOST = 'reason = { en = "The file is lost.", es = "El archivo se perdió." }'
MOST = 25


def release(folder, counts, *, answer="", version=1, out="out"):
    """Three months of calls, of which February has none; the agency file answers that."""
    rows = [
        f"{month}-{kind}-{i},{month}-{1 + i % 28:02d} 10:00,{kind}"
        for (month, kind), n in counts.items()
        for i in range(n)
    ]
    changes = {
        "threshold = 5": f"threshold = {K}",
        "data_to = 2024-06-30": "data_to = 2024-03-31",
        'version = "2024.1"': f'version = "2024.{version}"',
        'levels = ["type"]': 'levels = ["type"]\nunknown = false',
        'period = ["all", "year", "month"]': 'period = ["all", "month"]',
        '"Crisis" = "crisis"\n"Check" = "check"': "",
    }
    gap = f"\n[[release.gaps]]\nfrom = 2024-02-01\nto = 2024-02-29\n{answer}\n" if answer else ""
    agency = write_agency(folder, "\n".join(["id,at,type", *rows]) + "\n", changes, gap)
    built = build(read_inputs(agency), folder / out, folder / "private")
    for table, ids in zip(built.tables, built.system.where, strict=True):
        known = built.system.fixed[ids][table.not_collected]
        assert known.size == (3 if answer == LOST else 0)
        assert known.all(), "what is known to be 0 may not be bought as cover"
    if version == 1:
        assert built.system.fixed.any() == (answer == LOST), "a zero of which nobody knows may be"
    return folder / out


def cells(out):
    with (out / "tables/calls.csv").open(newline="") as handle:
        return {
            (r["period"], r["call_type"]): (r["calls"], r["status"]) for r in csv.DictReader(handle)
        }


def narrowed(dims, published, hidden):
    """The cells of `hidden` (codes -> true count) that are small and that the tables that fit do
    not leave the whole range."""
    fitting = tables_that_fit(dims, published, MOST)
    assert len(fitting)
    found = []
    for codes, value in hidden:
        possible = fitting[:, cell_columns(dims, codes)].sum(axis=1)
        if 0 < value < K and (possible.min() > 1 or possible.max() < K - 1):
            found.append((codes, int(possible.min()), int(possible.max())))
    return found


def named(code):
    return {
        name: value
        for name, value in zip(("period", "call_type"), code, strict=True)
        if value != "all"
    }


DIMS = [
    Dim("period", {"month": dict.fromkeys(MONTHS, "all")}),
    Dim("call_type", {"type": dict.fromkeys(TYPES, "all")}),
]


def truth(code, counts):
    return sum(
        n
        for key, n in counts.items()
        if all(c in ("all", k) for c, k in zip(code, key, strict=True))
    )


def attack(out, counts):
    """What an attacker narrows who knows what is published, and that days of which nothing was
    collected count nothing."""
    found = cells(out)
    known = [
        (named(code), int(value or 0))
        for code, (value, status) in found.items()
        if status != "suppressed"
    ]
    return narrowed(
        DIMS,
        known,
        [
            (named(code), truth(code, counts))
            for code, (_v, status) in found.items()
            if status == "suppressed"
        ],
    )


@pytest.mark.parametrize("answer", [LOST, "no_calls = true"])
def test_one_call_beside_a_month_without_any(tmp_path, answer):
    """One crisis call in January. The zeros of February are candidates for cover where nobody
    called, and none in a gap."""
    out = release(tmp_path, CALLS, answer=answer)
    found = cells(out)
    assert found["2024-01", "crisis"][1] == "suppressed"
    if answer == LOST:
        assert {found["2024-02", kind] for kind in ("all", *TYPES)} == {("", "not_collected")}
    assert audit_release(out).passed
    assert not attack(out, CALLS)


def test_cover_in_a_gap_is_found_by_the_audit_and_by_brute_force(tmp_path):
    """2 crisis calls in January, hidden with only the zeros of February. That leaves 0 to 2, until
    everyone learns that February is a gap."""
    counts = {
        ("2024-01", "crisis"): 2,
        ("2024-01", "check"): 6,
        ("2024-03", "crisis"): 5,
        ("2024-03", "check"): 7,
    }
    cover = {(month, kind) for month in ("2024-01", "2024-02") for kind in ("crisis", "all")}
    levels = {"period": ["all", "month"], "call_type": ["all", "type"]}
    spec = Spec(
        "calls", levels, lambda codes, _value: (codes["period"], codes["call_type"]) in cover
    )
    every = dict.fromkeys(product(MONTHS, TYPES), 0) | counts
    out = write_release(tmp_path / "out", K, DIMS, every, [spec])
    package = load(out) | {"period": {"from": "2024-01-01", "to": "2024-03-31"}}
    (out / "datapackage.json").write_text(json.dumps(package))
    assert not attack(out, counts)
    assert {f.attack for f in audit_release(out).findings} <= {"insider", "marks"}
    told = with_gaps(out, tmp_path / "told", ("2024-02-01", "2024-02-29", REASON))
    assert attack(told, counts) == [({"period": "2024-01", "call_type": "crisis"}, 2, 2)]
    assert {(f.attack, f.cell) for f in audit_release(told).findings if f.attack == "pinned"} == {
        ("pinned", (("period", "2024-01"),)),
        ("pinned", (("call_type", "crisis"), ("period", "2024-01"))),
    }


def test_withheld_cells_of_a_gap_are_found(tmp_path):
    """The marks stay as they were, and the dates tell."""
    open_month = release(tmp_path / "nobody", CALLS, answer="no_calls = true")
    kept = with_gaps(open_month, tmp_path / "kept", ("2024-02-01", "2024-02-29", REASON))
    shutil.copy(open_month / "tables/calls.csv", kept / "tables/calls.csv")
    rehash(kept)
    assert "marks" in {f.attack for f in audit_release(kept).findings}


@pytest.mark.parametrize("seed", range(6))
def test_random_agencies_with_a_gap(tmp_path, seed):
    rng = np.random.default_rng(seed)
    counts = {
        (month, kind): int(rng.integers(0, 4) if rng.random() < 0.5 else rng.integers(4, 10))
        for month in ("2024-01", "2024-03")
        for kind in TYPES
    }
    counts["2024-03", "check"] += 5
    out = release(tmp_path, counts, answer=LOST)
    assert audit_release(out).passed
    assert not attack(out, counts)


@pytest.mark.parametrize("then", ["found", "lost"])
def test_a_file_that_is_found_or_lost_later(tmp_path, then):
    """A gap in one of two releases: its month is like a month that only the other release covers;
    no calls were revised."""
    february = {("2024-02", "crisis"): 8, ("2024-02", "check"): 2}
    first, second = (CALLS, CALLS | february) if then == "found" else (CALLS | february, CALLS)
    release(tmp_path, first, answer=LOST if then == "found" else "", version=1)
    out = release(tmp_path, second, answer="" if then == "found" else LOST, version=2)
    report = audit_release(out)
    assert report.passed
    assert load(out)["revised"] == {"months": [], "at_most": 0}
    # Both releases over one set of leaves: what the one lacks lies in a branch of its own.
    branch = {"kept": "all", "gone": "all"}
    dims = [
        Dim(
            "period",
            {"part": branch, "month": {m: "gone" if m == "2024-02" else "kept" for m in MONTHS}},
        ),
        DIMS[1],
    ]
    known, hidden = [], []
    for folder, counts in ((out / "history/2024.1", first), (out, second)):
        lacking = ("2024-02", "crisis") not in counts
        for code, (value, status) in cells(folder).items():
            if lacking and code[0] == "2024-02":
                assert status == "not_collected"
                continue
            codes = named(("kept" if lacking and code[0] == "all" else code[0], code[1]))
            (hidden if status == "suppressed" else known).append(
                (codes, truth(code, counts) if status == "suppressed" else int(value))
            )
    assert not narrowed(dims, known, hidden)


def load(out):
    return json.loads((out / "datapackage.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("seed", range(6))
def test_the_edge_of_the_records_narrows_nothing(tmp_path, seed):
    """The records end in the second month, and everyone knows that it holds a call. It has few
    calls, with zeros as cover."""
    rng = np.random.default_rng(100 + seed)
    counts = {
        ("2024-01", "crisis"): int(rng.integers(0, 4)),
        ("2024-01", "check"): int(rng.integers(3, 10)),
        ("2024-02", "crisis"): int(rng.integers(0, 3)),
        ("2024-02", "check"): int(rng.integers(0, 3)),
    }
    counts["2024-02", "crisis"] += sum(counts[key] for key in counts if key[0] == "2024-02") == 0
    rows = [
        f"{month}-{kind}-{i},{month}-{1 + i % 9:02d} 10:00,{kind}"
        for (month, kind), n in counts.items()
        for i in range(n)
    ]
    rows += [
        f"x{i},2024-01-{1 + i:02d} 10:00,check" for i in range(31)
    ]  # so that no day of January is empty
    counts["2024-01", "check"] += 31
    changes = {
        "threshold = 5": f"threshold = {K}",
        "data_to = 2024-06-30": "data_to = 2024-04-30",
        'levels = ["type"]': 'levels = ["type"]\nunknown = false',
        'period = ["all", "year", "month"]': 'period = ["all", "month"]',
        '"Crisis" = "crisis"\n"Check" = "check"': "",
    }
    agency = write_agency(tmp_path, "\n".join(["id,at,type", *rows]) + "\n", changes)
    out = tmp_path / "out"
    build(read_inputs(agency), out, tmp_path / "private", answered=False)
    package = load(out)
    assert [gap["records"] for gap in package["gaps"]] == ["end"]
    assert audit_release(out).passed
    dims = [Dim("period", {"month": dict.fromkeys(("2024-01", "2024-02"), "all")}), DIMS[1]]
    found = {
        code: said for code, said in cells(out).items() if code[0] in ("all", "2024-01", "2024-02")
    }
    known = [
        (named(code), int(value))
        for code, (value, status) in found.items()
        if status != "suppressed"
    ]
    fitting = tables_that_fit(dims, known, 60 if found["all", "check"][1] == "suppressed" else 50)
    fitting = fitting[fitting[:, cell_columns(dims, {"period": "2024-02"})].sum(axis=1) >= 1]
    for code, (_value, status) in found.items():
        true = truth(code, counts)
        if status == "suppressed" and 0 < true < K:
            possible = fitting[:, cell_columns(dims, named(code))].sum(axis=1)
            assert possible.min() <= 1 and possible.max() >= K - 1, (
                code,
                possible.min(),
                possible.max(),
            )
