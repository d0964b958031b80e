"""Shifts are public, and say of some cells that no call is there: with a team on duty in a month
without a shift, or without one at an hour that is always staffed."""

import calendar
import csv
import json
import random

import pytest

from anonymize import pipeline
from anonymize.audit import audit_release
from anonymize.disclosure import two_worlds
from anonymize.errors import ProtectionError
from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency
from tests.helpers import rehash

MONTHS, OFF = range(1, 7), (2, 5)
DUTY = """
[inputs]
shifts = {{ paths = "shifts.csv" }}

[[tables]]
name = "duty"
title = "Duty"
dimensions = {{ {time}, on_duty = ["all", "answer"], call_type = ["all", "type"] }}
"""
BY_MONTH, BY_HOUR = 'period = ["all", "month"]', 'hour = ["all", "block"]'
K = {"threshold = 5": "threshold = 11"}


def made(folder, seed, time=BY_MONTH):
    """Calls at 10 and at 20 o'clock; each day of most months has a shift from 8 to 16. Seeds of few
    calls, so that many counts are small."""
    rng = random.Random(seed)
    lines, number = ["id,at,type"], 0
    for month in MONTHS:
        for kind in ("Crisis", "Check"):
            for hour in (10, 20):
                off = month in OFF
                sizes = ([0] if hour == 10 else [3, 9, 15]) if off else [1, 3, 8, 12, 30, 60]
                for i in range(rng.choice(sizes)):
                    number += 1
                    day = f"2024-{month:02d}-{1 + i % 28:02d}"
                    lines.append(f"{number},{day} {hour}:{i % 60:02d},{kind}")
    path = write_agency(folder, "\n".join(lines) + "\n", K, DUTY.format(time=time))
    days = [
        f"2024-{month:02d}-{day:02d}"
        for month in MONTHS
        if month not in OFF
        for day in range(1, calendar.monthrange(2024, month)[1] + 1)
    ]
    shifts = "".join(f"{day} 08:00,{day} 16:00,U1,yes,yes\n" for day in days)
    (folder / "shifts.csv").write_text(f"start,end,unit,officer,clinician\n{shifts}")
    return build(read_inputs(path), folder / "out", folder / "private")


def duty(folder):
    return list(csv.DictReader((folder / "out/tables/duty.csv").open()))


def known(folder, cells):
    """What an attacker finds who knows that `cells` hold no call."""
    (folder / "known.toml").write_text("".join(f"[[zero]]\ncodes = {{ {c} }}\n" for c in cells))
    return audit_release(folder / "out", known=folder / "known.toml").findings


@pytest.mark.parametrize("seed", [0, 1, 9])
def test_a_month_without_a_shift_hides_nothing(seed, tmp_path):
    """Withheld, the 0 of such a month would be no cover for a small count of its table."""
    assert made(tmp_path, seed).report.passed
    off = [
        row
        for row in duty(tmp_path)
        if row["on_duty"] == "yes" and row["period"] in {f"2024-{m:02d}" for m in OFF}
    ]
    assert {(row["calls"], row["status"]) for row in off} == {("0", "published")}
    assert any(row["status"] == "suppressed" for row in duty(tmp_path)), "this shows nothing"
    assert not known(tmp_path, [f'period = "2024-{m:02d}", on_duty = "yes"' for m in OFF])


def test_hours_that_no_shift_or_every_shift_holds(tmp_path):
    """By block of hours nobody is on duty at 20 o'clock in any month. Some months have no shift,
    and another table has months."""
    assert made(tmp_path, 1, BY_HOUR).report.passed
    package = json.loads((tmp_path / "out/datapackage.json").read_text())
    (fact,) = (fact for fact in package["facts"] if fact["kind"] == "empty_by_shifts")
    none = [tuple(sorted(cell.items())) for cell in fact["none"]]
    outside = ("00-03", "04-07", "16-19", "20-23")
    assert none == [
        *((("hour", block), ("on_duty", "yes")) for block in outside),
        *((("on_duty", "yes"), ("period", f"2024-{month:02d}")) for month in OFF),
    ]
    assert {
        row["status"] for row in duty(tmp_path) if (row["hour"], row["on_duty"]) == ("20-23", "yes")
    } == {"published"}


def test_a_withheld_0_of_such_a_month_is_a_finding(tmp_path):
    made(tmp_path, 1)
    path = tmp_path / "out/tables/duty.csv"
    for of in ("2024-02,yes,all", "2024-02,yes,crisis", "2024-02,yes,check"):
        assert f"{of},0,published" in path.read_text()
        path.write_text(path.read_text().replace(f"{of},0,published", f"{of},,suppressed"))
    rehash(tmp_path / "out")
    assert "pinned" in {finding.attack for finding in audit_release(tmp_path / "out").findings}


def test_a_fact_of_the_shifts_that_is_not_declared_is_a_finding(tmp_path):
    made(tmp_path, 1)
    path = tmp_path / "out/datapackage.json"
    package = json.loads(path.read_text())
    package["facts"] = [fact for fact in package["facts"] if fact["kind"] != "empty_by_shifts"]
    path.write_text(json.dumps(package))
    found = audit_release(tmp_path / "out").findings
    assert {finding.attack for finding in found} == {"undeclared"}
    assert {finding.table for finding in found} == {"unstaffed-days"}
    assert len(found) == len(OFF)


def test_days_without_a_team_made_from_calls_are_caught(tmp_path, monkeypatch):
    """A day is unstaffed by its shifts, and not because no call came with a team on duty."""
    kept = two_worlds.contents_of

    def leaking(counted, withheld, statistics):
        found = kept(counted, withheld, statistics)
        (days,) = (r for r in found.references if r.name == "unstaffed_days")
        others = tuple(r for r in found.references if r is not days)
        secret = sum(
            int(t.values[m].astype(object).dot(range(1, int(m.sum()) + 1)))
            for t, m in zip(counted.tables, withheld, strict=True)
        )
        rows = tuple((*row[:2], str(secret), row[3]) for row in days.rows)
        changed = type(days)(days.name, days.title, days.what, days.fields, rows)
        return type(found)(**{**vars(found), "references": (*others, changed)})

    monkeypatch.setattr("anonymize.disclosure.two_worlds.contents_of", leaking)
    with pytest.raises(ProtectionError, match=r"two worlds: .*unstaffed_days"):
        made(tmp_path, 1)
    assert not (tmp_path / "private" / pipeline.CANDIDATE).exists()
