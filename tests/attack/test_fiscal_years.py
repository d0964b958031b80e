"""Fiscal years next to calendar years: protected together with months, quarters and years, for
both are made of the same months."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from anonymize.audit import audit_release, derived_fields
from anonymize.errors import PlanError, SchemaError
from anonymize.pipeline import read_inputs
from dashboard.release.reader import load_release
from tests.agency import build, write_agency
from tests.helpers import rehash

TWO_YEARS = {
    "data_from = 2024-01-01": "data_from = 2023-01-01",
    "created = 2024-07-01": "created = 2025-01-01",
    "data_to = 2024-06-30": "data_to = 2024-12-31",
    "threshold = 5": "threshold = 11",
    'about = "A test."': 'about = "A test."\nfiscal_year_starts = 7',
    'period = ["all", "year", "month"]': 'period = ["all", "year", "quarter"]',
}
FISCAL = """
[[tables]]
name = "fiscal"
title = "Fiscal"
dimensions = { fiscal_year = ["all", "fiscal_year"], call_type = ["all", "type"] }
"""
YEARS = ("2022-07_2023-06", "2023-07_2024-06", "2024-07_2025-06")
MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024) for month in range(1, 13)]


def export(counts):
    """`counts`: (month, type) -> calls."""
    lines = ["id,at,type"]
    for (month, kind), many in counts.items():
        lines += [f"{len(lines) + i},{month}-05 10:00,{kind}" for i in range(many)]
    return "\n".join(lines) + "\n"


def made(folder, counts, tables=FISCAL, replace=None):
    inputs = read_inputs(write_agency(folder, export(counts), TWO_YEARS | (replace or {}), tables))
    built = build(inputs, folder / "out", folder / "private")
    assert built.report.passed
    return built


def rows_of(out, table):
    return list(csv.DictReader((out / f"tables/{table}.csv").open()))


def even(many=30):
    return {(month, kind): many for month in MONTHS for kind in ("Crisis", "Check")}


def test_counts_names_and_marks(tmp_path):
    """The first and the last fiscal year reach beyond the data: they are there in part."""
    made(tmp_path, even())
    found = {
        r["fiscal_year"]: (r["calls"], r["status"])
        for r in rows_of(tmp_path / "out", "fiscal")
        if r["call_type"] == "all"
    }
    assert found == {
        "all": ("1440", "published"),
        YEARS[0]: ("360", "incomplete"),
        YEARS[1]: ("720", "published"),
        YEARS[2]: ("360", "incomplete"),
    }
    codes = load_release(tmp_path / "out").codelists["fiscal_year"].codes
    assert codes[YEARS[2]].label == {
        "en": "Fiscal year 2025 (July 2024 to June 2025)",
        "es": "Año fiscal 2025 (julio de 2024 a junio de 2025)",
    }


def test_without_the_line_nothing_of_it_is_there(tmp_path):
    inputs = read_inputs(write_agency(tmp_path, "id,at,type\n1,2024-02-05,Crisis\n"))
    assert "fiscal_year" not in inputs.codelists


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("1", "greater than or equal to 2"),
        ("13", "less than or equal to 12"),
        ('"July"', "integer"),
    ],
)
def test_a_month_that_is_none(tmp_path, start, said):
    month = TWO_YEARS | {
        'about = "A test."': f'about = "A test."\nfiscal_year_starts = {start}',
    }
    with pytest.raises(SchemaError, match=said):
        read_inputs(write_agency(tmp_path, export(even(1)), month))


@pytest.mark.parametrize("other", ['period = ["all", "month"]', 'season = ["all", "season"]'])
def test_what_no_rule_of_the_audit_looks_at_is_refused(tmp_path, other):
    crossed = FISCAL.replace('call_type = ["all", "type"]', other)
    with pytest.raises(SchemaError, match="'fiscal_year' cannot be crossed with"):
        read_inputs(write_agency(tmp_path, export(even(1)), TWO_YEARS, crossed))


def hide(out, table, *cells):
    path = out / f"tables/{table}.csv"
    rows = list(csv.reader(path.open()))
    for row in rows[1:]:
        if tuple(row[:2]) in cells:
            row[-2:] = ["", "suppressed"]
    with path.open("w", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)
    rehash(out)


def square(years):
    return [(kind, year) for kind in ("crisis", "check") for year in years]


def test_the_audit_adds_quarters_up_to_fiscal_years(tmp_path, monkeypatch):
    """Two fiscal years of both types are withheld, which is enough for their own table; the
    quarters, which are published, give each of them back."""
    made(tmp_path, even())
    cells = square(YEARS[:2])
    first = next(iter(rows_of(tmp_path / "out", "fiscal")))
    order = list(first)[:2]
    if order[0] == "fiscal_year":
        cells = [(year, kind) for kind, year in cells]
    hide(tmp_path / "out", "fiscal", *cells)
    assert "pinned" in {f.attack for f in audit_release(tmp_path / "out").findings}
    monkeypatch.setattr(
        derived_fields, "RULES", tuple(r for r in derived_fields.RULES if r[1] != "fiscal_year")
    )
    assert "pinned" not in {f.attack for f in audit_release(tmp_path / "out").findings}


@pytest.mark.parametrize("seed", range(3))
def test_an_attacker_over_months_and_types_narrows_nothing(tmp_path, seed):
    """A linear program written apart from both sides, over every month and type."""
    rng = np.random.default_rng(seed)
    counts = {key: int(rng.integers(0, 9)) for key in even()}
    made(tmp_path, counts)
    kinds = ("crisis", "check", "unknown")
    leaves = pd.DataFrame(
        [(month, kind) for month in MONTHS for kind in kinds], columns=["month", "call_type"]
    )
    leaves["year"] = leaves["month"].str[:4]
    leaves["quarter"] = [f"{m[:4]}-Q{(int(m[5:]) + 2) // 3}" for m in leaves["month"]]
    leaves["fiscal_year"] = [next(y for y in YEARS if y[:7] <= m <= y[8:]) for m in leaves["month"]]
    fixed, sums, hidden = [], [], []
    for table in ("calls", "fiscal"):
        for row in rows_of(tmp_path / "out", table):
            inside = np.ones(len(leaves), dtype=bool)
            for name, code in row.items():
                if name in ("period", "fiscal_year", "call_type") and code != "all":
                    level = "quarter" if "Q" in code else "year" if name == "period" else name
                    inside &= (leaves[level] == code).to_numpy()
            if row["status"] == "suppressed":
                hidden.append(inside)
            else:
                fixed.append(inside)
                sums.append(int(row["calls"]))
    assert hidden
    for inside in hidden:
        low, high = (
            sign
            * linprog(
                sign * inside.astype(float),
                A_eq=np.array(fixed, dtype=float),
                b_eq=np.array(sums, dtype=float),
            ).fun
            for sign in (1, -1)
        )
        assert (low < 1 + 1e-6 and high > 10 - 1e-6) or low > 11 - 1e-6
        assert high - low > 1 - 1e-6


def test_fiscal_years_can_begin_with_a_later_release_and_keep_their_month(tmp_path):
    """The first release has calendar years only, the second fiscal ones too; a third that lets
    them begin in another month is refused."""
    calls = export(even())
    calendar = dict(TWO_YEARS)
    del calendar['about = "A test."']
    out, private = tmp_path / "out", tmp_path / "private"
    build(read_inputs(write_agency(tmp_path, calls, calendar)), out, private)
    second = TWO_YEARS | {'version = "2024.1"': 'version = "2025.1"'}
    assert build(
        read_inputs(write_agency(tmp_path, calls, second, FISCAL)), out, private
    ).report.passed
    third = TWO_YEARS | {
        'version = "2024.1"': 'version = "2025.2"',
        'about = "A test."': 'about = "A test."\nfiscal_year_starts = 10',
    }
    with pytest.raises(PlanError, match="begin in another month"):
        build(read_inputs(write_agency(tmp_path, calls, third, FISCAL)), out, private)
