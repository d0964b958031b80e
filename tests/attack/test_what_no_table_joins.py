"""What everyone knows to be empty narrows counts of tables that do not join it: judged by whole
numbers over the full cross of all dimensions."""

import csv
import json
import random
from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from anonymize.audit import audit_release
from anonymize.count.staffed_cells import NOTHING_EMPTY, empty_cells
from anonymize.pipeline import read_inputs
from anonymize.release.facts import of_gaps, of_shifts
from tests.agency import build, write_agency

K = 5
TYPES = ("crisis", "check", "welfare", "suicidal")
MONTHS, OFF = ("2024-01", "2024-02", "2024-03", "2024-04"), ("2024-01", "2024-03")
CHANGES = {
    "data_to = 2024-06-30": "data_to = 2024-04-30",
    'levels = ["type"]': 'levels = ["type"]\nunknown = false',
    '"Crisis" = "crisis"\n"Check" = "check"': "",
    '  { code = "check", en = "Check", es = "Control" },': "".join(
        f'  {{ code = "{code}", en = "{code}", es = "{code}" }},\n' for code in TYPES[1:]
    ),
    'period = ["all", "year", "month"]': 'period = ["all", "month"]',
}
DUTY = """
[inputs]
shifts = { paths = "shifts.csv" }

[[tables]]
name = "duty"
title = "Duty"
dimensions = { on_duty = ["all", "answer"], call_type = ["all", "type"] }
"""
WEEK = """
[[tables]]
name = "week"
title = "Week"
dimensions = { weekday = ["all", "day"], call_type = ["all", "type"] }
"""
SIZES = [0, 1, 2, 3, 9, 14, 20]


def by_shifts(folder, seed):
    """In some months a team is at work at all hours, in the others at none. Of the types of call by
    month, and of those with a team on duty, but never of both."""
    rng, rows = random.Random(seed), ["id,at,type"]
    for month, kind in product(MONTHS, TYPES):
        for i in range(rng.choice(SIZES)):
            rows.append(f"{month}-{kind}-{i},{month}-{1 + i % 28:02d} 10:00,{kind}")
    shifts = ["start,end,unit,officer,clinician"]
    for day in (date(2024, 1, 1) + timedelta(days=n) for n in range(121)):
        if f"{day:%Y-%m}" not in OFF:
            shifts.append(f"{day} 00:00,{day + timedelta(days=1)} 00:00,U1,yes,yes")
    path = write_agency(folder, "\n".join(rows) + "\n", CHANGES, DUTY)
    (folder / "shifts.csv").write_text("\n".join(shifts) + "\n")
    return path


def by_gaps(folder, seed):
    """Of March only the days from Thursday, 28 to Sunday, 31 were collected; calls by month, and by
    day of the week, but never by both."""
    rng, rows = random.Random(seed), ["id,at,type"]
    for month, kind in product(("2024-02", "2024-03"), TYPES):
        for i in range(rng.choice(SIZES)):
            day = 1 + rng.randrange(28) if month == "2024-02" else 28 + rng.randrange(4)
            rows.append(f"{month}-{kind}-{i},{month}-{day:02d} 10:00,{kind}")
    changes = CHANGES | {
        "data_from = 2024-01-01": "data_from = 2024-02-01",
        "data_to = 2024-06-30": "data_to = 2024-03-31",
    }
    lost = '\n[[release.gaps]]\nfrom = 2024-03-01\nto = 2024-03-27\nreason = { en = "L", es = "P" }'
    return write_agency(folder, "\n".join(rows) + "\n", changes, WEEK + lost + "\n")


DAYS = tuple("1234567")
AXES = {
    by_shifts: (MONTHS, ("yes", "no", "unknown"), TYPES),
    by_gaps: (("2024-02", "2024-03"), (*DAYS, "unknown"), TYPES),
}
IMPOSSIBLE = {
    by_shifts: lambda month, answer: answer == ("yes" if month in OFF else "no"),
    by_gaps: lambda month, day: month == "2024-03" and day in DAYS[:3],
}
TWO = {by_shifts: ("duty", "on_duty"), by_gaps: ("week", "weekday")}
PARTS = {"mon-fri": DAYS[:5], "sat-sun": DAYS[5:], "unknown": ("unknown",)}


def cells(out, world):
    """(codes by axis, published count or None) of both tables."""
    name, other = TWO[world]
    for table, axes in (("calls", ("period", None)), (name, (None, other))):
        with (out / f"tables/{table}.csv").open(newline="") as handle:
            for row in csv.DictReader(handle):
                codes = tuple(row[axis] if axis else "all" for axis in (*axes, "call_type"))
                shown = row["status"] in ("published", "incomplete", "not_collected")
                yield codes, int(row["calls"] or 0) if shown else None


def _under(code, leaf):
    return code in ("all", leaf) or leaf in PARTS.get(code, ())


def narrowed(out, world):
    """Withheld cells whose whole range from at most 1 to at least K - 1 is not possible, though
    they need not be K or more: by whole-number programs over (month, answer or day, type)."""
    axes = AXES[world]
    leaves = list(product(*axes))
    free = np.array([not IMPOSSIBLE[world](a, b) for a, b, _kind in leaves], dtype=float)

    def row(codes):
        return [float(all(map(_under, codes, leaf))) for leaf in leaves]

    found = dict(cells(out, world))
    known = {codes: value for codes, value in found.items() if value is not None}
    fits = LinearConstraint(np.array([row(c) for c in known]), *[list(known.values())] * 2)
    room = Bounds(0, np.where(free > 0, np.inf, 0))
    bad = []
    for codes in found.keys() - known.keys():
        ends = []
        for sign in (1, -1):
            answer = milp(sign * np.array(row(codes)), constraints=fits, bounds=room, integrality=1)
            ends.append(sign * answer.fun if answer.status == 0 else np.inf)
        low, high = ends
        if not (low <= 1 and high >= K - 1) and not (low >= K and high > low):
            bad.append((codes, low, high))
    return sorted(bad)


FOUND = [(by_shifts, seed) for seed in (1, 2, 5)] + [(by_gaps, seed) for seed in (4, 6, 9)]


@pytest.mark.parametrize(("world", "seed"), FOUND)
def test_what_everyone_knows_to_be_empty_narrows_nothing(world, seed, tmp_path):
    assert build(read_inputs(world(tmp_path, seed)), tmp_path / "out", tmp_path / "private")
    assert any(value is None for _codes, value in cells(tmp_path / "out", world))
    assert not narrowed(tmp_path / "out", world)


@pytest.mark.parametrize(("world", "seed"), FOUND)
def test_without_that_knowledge_counts_are_narrowed_and_the_audit_says_so(
    world, seed, tmp_path, monkeypatch
):
    """A release made by engine and audit that do not know of these cells: the attack works. The
    audit that knows of them reports that they are not declared and, once they are, the attack."""
    agency, out = world(tmp_path, seed), tmp_path / "out"
    told = []

    def unknown(*given):
        told.append(empty_cells(*given))
        return NOTHING_EMPTY

    with monkeypatch.context() as patched:
        patched.setattr("anonymize.pipeline.empty_cells", unknown)
        for name in ("_unstaffed_cells", "_apart"):
            patched.setattr(f"anonymize.audit.reader.{name}", lambda release: ())
        build(read_inputs(agency), out, tmp_path / "private")
    leaks = narrowed(out, world)
    assert leaks
    assert {finding.attack for finding in audit_release(out).findings} == {"undeclared"}
    path = out / "datapackage.json"
    package = json.loads(path.read_text())
    package["facts"] += [of_shifts(told[-1].by_shifts)] if told[-1].by_shifts else []
    package["facts"] += [of_gaps(told[-1].by_gaps)] if told[-1].by_gaps else []
    path.write_text(json.dumps(package))
    axes = ("period", TWO[world][1], "call_type")
    found = {finding.cell for finding in audit_release(out).findings}
    assert found >= {
        tuple(sorted((a, c) for a, c in zip(axes, codes, strict=True) if c != "all"))
        for codes, _low, _high in leaks
    }
