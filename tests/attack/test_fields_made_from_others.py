"""A count that one field withholds stands in another that is made from it: the build withholds
both, and the audit finds where it does not."""

import csv
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from anonymize.audit import audit_release, derived_fields
from anonymize.pipeline import read_inputs
from anonymize.protect.derived_fields import DERIVED
from tests.agency import build, write_agency
from tests.helpers import rehash

K = {"threshold = 5": "threshold = 11"}
CAME = (
    '\n[[tables]]\nname = "came"\ntitle = "Came"\ndimensions = { call_type = ["all", "type"], '
    'responder = ["all", '
    '"reached"] '
    "}\n"
)
WHY = (
    '\n[[tables]]\nname = "why"\ntitle = "Why"\ndimensions = { call_type = ["all", "type"], '
    "not_served_reason = "
    '["all", '
    '"reason"] '
    "}\n"
)
ENDS = (
    '\n[[tables]]\nname = "ends"\ntitle = "Ends"\ndimensions = { call_type = ["all", "type"], '
    'outcome = ["all", '
    '"outcome"] '
    "}\n"
)
TAKEN = (
    '\n[[tables]]\nname = "taken"\ntitle = "Taken"\ndimensions = { call_type = ["all", '
    '"type"], taken_to_ed '
    "= "
    '["all", '
    '"answer"] }\n'
)
SEASONS = (
    '\n[[tables]]\nname = "seasons"\ntitle = "Seasons"\ndimensions = { season = ["all", '
    '"season"], '
    "call_type "
    "= "
    '["all", '
    '"type"] '
    "}\n"
)


def made_release(folder, columns, header, calls, tables):
    """`calls`: (how many, month, type and the values of further columns)."""
    lines, n = [f"id,at,type,{header}"], 0
    for many, month, *cells in calls:
        for _ in range(many):
            lines.append(f"{n},2024-{month:02d}-05 10:00,{','.join(cells)}")
            n += 1
    agency = write_agency(
        folder,
        "\n".join(lines) + "\n",
        K | {'call_type = "type"\n': f'call_type = "type"\n{columns}\n'},
        tables,
    )
    report = build(read_inputs(agency), folder / "out", folder / "private").report
    assert report.passed
    return folder / "out"


def hide(out, table, *cells):
    """Withhold cells of a table, and nothing of the others, as somebody might who looks at one
    table alone."""
    path = out / f"tables/{table}.csv"
    rows = list(csv.reader(path.open()))
    for row in rows[1:]:
        if tuple(row[:2]) in cells:
            assert row[-1] == "published"
            row[-2:] = ["", "suppressed"]
    with path.open("w", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)
    rehash(out)


def attacks(out):
    return {finding.attack for finding in audit_release(out).findings}


def square(of):
    return [(kind, code) for kind in ("crisis", "check") for code in of]


@pytest.fixture
def served(tmp_path):
    calls = [
        (many, 1 + i % 6, kind, who, why)
        for i, (many, kind, who, why) in enumerate(
            [
                (12, "Check", "co_responder", ""),
                (60, "Check", "police_only", "all_busy"),
                (40, "Check", "police_only", "no_unit"),
                (15, "Crisis", "co_responder", ""),
                (70, "Crisis", "police_only", "all_busy"),
                (50, "Crisis", "police_only", "no_unit"),
            ]
        )
    ]
    return made_release(
        tmp_path, 'responder = "who"\nnot_served_reason = "why"', "who,why", calls, CAME + WHY
    )


def test_who_was_served_tells_where_a_clinician_came(served, monkeypatch):
    hide(served, "came", *square(("clinician", "no_clinician")))
    assert attacks(served) == {"pinned"}
    monkeypatch.setattr(derived_fields, "RULES", ())
    assert attacks(served) == set(), (
        "without the rule nothing is found, so it is the rule that finds it"
    )


def test_and_the_other_way_round(served):
    hide(served, "why", *square(("served", "no_unit")))
    assert "pinned" in attacks(served)


def test_taken_to_an_emergency_room_tells_how_calls_ended(tmp_path):
    calls = [
        (many, 1 + i % 6, kind, end)
        for i, (many, kind, end) in enumerate(
            [
                (14, "Check", "emergency_department"),
                (30, "Check", "refused"),
                (50, "Check", "not_found"),
                (25, "Crisis", "emergency_department"),
                (40, "Crisis", "refused"),
                (60, "Crisis", "not_found"),
            ]
        )
    ]
    out = made_release(tmp_path, 'outcome = "end"', "end", calls, ENDS + TAKEN)
    hide(out, "ends", *square(("emergency_department", "refused")))
    assert "pinned" in attacks(out)


def test_seasons_tell_months(tmp_path):
    """4 calls in February. Two months of different seasons would hide it from the months' total,
    but not from the winter's."""
    calls = [
        (many, month, "Crisis" if month % 2 else "Check", "")
        for month, many in ((1, 40), (2, 4), (3, 50), (4, 20), (5, 60), (6, 15))
    ]
    out = made_release(tmp_path, "", "none", calls, SEASONS)
    withheld = {
        (r["period"], r["call_type"])
        for r in csv.DictReader((out / "tables/calls.csv").open())
        if r["status"] == "suppressed"
    }
    assert ("2024-02", "all") in withheld
    seasons = {
        r["season"]: r["status"]
        for r in csv.DictReader((out / "tables/seasons.csv").open())
        if r["call_type"] == "all"
    }
    assert ("2024-01", "all") in withheld or seasons["winter"] == "suppressed"


def test_seasons_of_years_tell_months_too(tmp_path):
    """The table of seasons knows the year, so that its cells join both fields, and the months
    stand elsewhere."""
    calls = [
        (many, month, "Crisis" if month % 2 else "Check", "")
        for month, many in ((1, 40), (2, 4), (3, 50), (4, 20), (5, 60), (6, 15))
    ]
    of_years = SEASONS.replace(
        "dimensions = { season", 'dimensions = { period = ["all", "year"], season'
    )
    out = made_release(tmp_path, "", "none", calls, of_years)
    withheld = {
        (r["period"], r["call_type"])
        for r in csv.DictReader((out / "tables/calls.csv").open())
        if r["status"] == "suppressed"
    }
    winter = {
        r["period"]: r["status"]
        for r in csv.DictReader((out / "tables/seasons.csv").open())
        if (r["season"], r["call_type"]) == ("winter", "all")
    }
    assert ("2024-02", "all") in withheld
    assert ("2024-01", "all") in withheld or "suppressed" in winter.values()


def test_both_sides_know_the_same_rules():
    """They share no code; what they know of the world must be the same."""
    assert {(source, field) for source, field, _ in derived_fields.RULES} == set(DERIVED)


def test_a_reason_of_served_where_nobody_came_is_none(tmp_path):
    """An export may say `served` of a call to which the police came alone; that would break the
    rule for everyone."""
    calls = [
        (30, 1, "Check", "police_only", "served"),
        (30, 2, "Crisis", "co_responder", "no_unit"),
        (40, 3, "Crisis", "police_only", "no_unit"),
    ]
    out = made_release(
        tmp_path, 'responder = "who"\nnot_served_reason = "why"', "who,why", calls, CAME + WHY
    )
    rows = {
        (r["call_type"], r["not_served_reason"]): r["calls"]
        for r in csv.DictReader((out / "tables/why.csv").open())
    }
    assert (rows["all", "served"], rows["check", "unknown"]) == ("30", "30")


@pytest.mark.parametrize("seed", range(4))
def test_an_attacker_over_the_whole_cross_narrows_nothing(tmp_path, seed):
    """Type by who came by reason by month, with all that the rules exclude left out: a linear
    program written apart from both sides."""
    rng = np.random.default_rng(seed)
    calls = []
    for kind, who in product(
        ("Check", "Crisis"), ("co_responder", "police_only", "clinician_only")
    ):
        for why in ("",) if who != "police_only" else ("no_unit", "all_busy", "declined"):
            for month in range(1, 7):
                calls.append(
                    (
                        int(rng.integers(0, 3) if rng.random() < 0.6 else rng.integers(3, 15)),
                        month,
                        kind,
                        who,
                        why,
                    )
                )
    when = (
        '\n[[tables]]\nname = "when"\ntitle = "When"\n'
        'dimensions = { period = ["all", "month"], responder = ["all", "reached"] }\n'
    )
    out = made_release(
        tmp_path,
        'responder = "who"\nnot_served_reason = "why"',
        "who,why",
        calls,
        CAME + WHY + SEASONS + when,
    )
    kinds, reached = ("crisis", "check", "unknown"), ("clinician", "no_clinician", "unknown")
    reasons = [
        r["code"]
        for r in csv.DictReader((out / "codelists/not_served_reason.csv").open())
        if r["level"] == "reason"
    ]
    months = [f"2024-{month:02d}" for month in range(1, 7)]
    leaves = pd.DataFrame(
        [
            leaf
            for leaf in product(kinds, reached, reasons, months)
            if (leaf[1] == "clinician") == (leaf[2] == "served")
        ],
        columns=["call_type", "responder", "not_served_reason", "period"],
    )
    leaves["season"] = leaves["period"].map(
        lambda month: (
            "winter" if month[-2:] in ("01", "02") else "summer" if month[-2:] == "06" else "spring"
        )
    )
    rows, values, hidden = [], [], []
    for name in ("calls", "came", "why", "seasons", "when"):
        for row in csv.DictReader((out / f"tables/{name}.csv").open()):
            codes = {d: c for d, c in row.items() if d in leaves and c != "all" and c != "2024"}
            inside = (
                np.all([leaves[d] == c for d, c in codes.items()], axis=0)
                if codes
                else np.ones(len(leaves), dtype=bool)
            )
            if row["status"] != "suppressed":
                rows.append(inside)
                values.append(0 if row["status"] == "not_collected" else int(row["calls"]))
            else:
                hidden.append((name, codes, inside))
    assert hidden
    fixed, sums = np.array(rows, dtype=float), np.array(values, dtype=float)
    for name, codes, inside in hidden:
        low, high = (
            sign * linprog(sign * inside.astype(float), A_eq=fixed, b_eq=sums).fun
            for sign in (1, -1)
        )
        assert (low < 1 + 1e-6 and high > 10 - 1e-6) or low > 11 - 1e-6, (name, codes)
        assert high - low > 1 - 1e-6, (name, codes)
