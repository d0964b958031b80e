"""Statistics that would narrow a withheld count: the build leaves them out, and the audit finds
them where somebody puts them back."""

import csv
import json

import pytest

from anonymize.audit import audit_release
from anonymize.errors import AuditError, PlanError
from anonymize.pipeline import read_inputs
from tests import simulated
from tests.agency import build, write_agency
from tests.helpers import rehash

K = {"threshold = 5": "threshold = 11"}
ARRIVED = K | {'call_type = "type"': 'call_type = "type"\narrived_at = "there"'}
WAITS = (
    '\n[[tables]]\nname = "waits"\ntitle = "Waits"\n'
    'dimensions = { call_type = ["all", "type"], wait = ["all", "half_hour", "band"] }\n'
)
OF_ALL = (
    '\n[[tables]]\nname = "waits"\ntitle = "Waits"\ndimensions = { wait = ["all", '
    '"half_hour", '
    '"band"] '
    "}\n"
)
WAIT = (
    '\n[[statistics]]\nname = "wait"\ntitle = "Wait"\nmeasure = '
    '"minutes_call_to_arrival"\ndimensions '
    "= "
    '{ call_type = ["all", '
    '"type"] '
    "}\n"
)
SECOND = {'version = "2024.1"': 'version = "2024.2"'}


def waits():
    """60 crisis calls, 5 of them over half an hour: "9 in 10 within 24 minutes" says that at most
    6 are. And 200 checks."""
    crisis = [70, 70, 70, 70, 35] + [10 + i % 15 for i in range(55)]
    check = [70] * 15 + [35] * 21 + [10 + i % 15 for i in range(164)]
    lines = ["id,at,type,there"]
    for i, (kind, minutes) in enumerate(
        [("Crisis", m) for m in crisis] + [("Check", m) for m in check]
    ):
        day = f"2024-04-{1 + i % 9:02d}"
        lines.append(f"{i},{day} 10:00,{kind},{day} {10 + minutes // 60}:{minutes % 60:02d}")
    return "\n".join(lines) + "\n"


def made(folder, calls, replace, extra):
    return build(
        read_inputs(write_agency(folder, calls, replace, extra)), folder / "out", folder / "private"
    )


def table(folder, name):
    return list(csv.DictReader((folder / f"out/tables/{name}.csv").open()))


def put_back(folder, name, old, new):
    file = folder / f"out/tables/{name}.csv"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    rehash(folder / "out")
    return {finding.attack for finding in audit_release(folder / "out").findings}


def test_a_slow_wait_of_few_calls_is_left_out(tmp_path):
    assert made(tmp_path, waits(), ARRIVED, WAITS + WAIT).report.passed
    assert {
        r["wait"]
        for r in table(tmp_path, "waits")
        if r["call_type"] == "crisis" and r["status"] == "suppressed"
    } >= {
        "over_30",
        "over_60",
    }
    shown = {r["call_type"]: r["status"] for r in table(tmp_path, "wait")}
    assert shown["crisis"] == "suppressed"
    assert shown["all"] == "published", "what tells of published counts alone stays"
    assert put_back(tmp_path, "wait", "crisis,,,,suppressed", "crisis,18,24,50,published") == {
        "beside statistics"
    }


def test_without_bands_the_same_statistic_stays(tmp_path):
    made(tmp_path, waits(), ARRIVED, WAIT)
    assert {r["call_type"]: r["p90"] for r in table(tmp_path, "wait")}["crisis"] == "24"


def test_medians_of_parts_add_up(tmp_path):
    """Bands over all calls alone, medians by type. 10 of 220 calls waited an hour or more, which
    is withheld with one more band."""
    lines = ["id,at,type,there"]
    for i in range(220):
        kind, minutes = (
            ("Crisis", 62 if i < 10 else 12) if i < 60 else ("Check", 35 if i < 63 else 12)
        )
        day = f"2024-04-{1 + i % 9:02d}"
        lines.append(f"{i},{day} 10:00,{kind},{day} {10 + minutes // 60}:{minutes % 60:02d}")
    assert made(tmp_path, "\n".join(lines) + "\n", ARRIVED, OF_ALL + WAIT).report.passed
    assert {r["wait"] for r in table(tmp_path, "waits") if r["status"] == "suppressed"} >= {
        "30_to_60",
        "over_60",
    }
    shown = {r["call_type"]: r for r in table(tmp_path, "wait")}
    assert shown["crisis"]["status"] == "suppressed", (
        "a 90th percentile of 62 minutes says that at least 5 calls waited an hour"
    )
    assert "beside statistics" in put_back(
        tmp_path, "wait", "crisis,,,,suppressed", "crisis,12,62,50,published"
    )


def test_an_earlier_release_told_it(tmp_path):
    """The first release has no bands; the second would withhold some that the median of the first
    narrows. Nothing can take that back."""
    made(tmp_path, waits(), ARRIVED, WAIT)
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    with pytest.raises(AuditError, match="statistic of an earlier release; use coarser levels"):
        made(tmp_path, waits(), ARRIVED | SECOND, WAIT + WAITS)
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before
    halves = WAITS.replace(', "half_hour", "band"', "")
    assert made(tmp_path, waits(), ARRIVED | SECOND, WAIT + halves).report.passed


REASONS = K | {
    'call_type = "type"': (
        'call_type = "type"\nresponder = "who"\neligible = "ok"\nnot_served_reason = "why"'
    )
}
WHY = (
    '\n[[tables]]\nname = "why"\ntitle = "Why"\nwhere = { eligible = "yes" }\ndimensions = { '
    'period = ["all", '
    '"quarter"], '
    "not_served_reason = "
    '["all", '
    '"reason"] '
    "}\n"
)
HOURS = (
    '\n[[statistics]]\nname = "hours"\ntitle = "Hours"\nmeasure = '
    '"hours_without_team"\nwhere '
    "= "
    "{ "
    'eligible = "yes" '
    "}\ndimensions "
    "= "
    "{ "
    'period = ["all", '
    '"quarter"] '
    "}\n"
)


def reasons(first):
    """Calls of two quarters, one an hour: `first` gives the reasons of the first quarter."""
    lines = ["id,at,type,who,ok,why"]
    second = ["all_busy"] * 40 + ["no_unit"] * 40 + ["declined"] * 30 + ["out_of_area"] * 30
    for month, listed in ((1, first), (4, second)):
        for i, why in enumerate(listed):
            who = "co_responder" if why == "served" else "police_only"
            lines.append(
                f"{month}-{i},2024-{month:02d}-{1 + i // 20:02d} "
                f"{i % 20:02d}:10,Crisis,{who},yes,{'' if why == 'served' else why}"
            )
    return "\n".join(lines) + "\n"


def test_hours_without_a_team_tell_of_the_calls_in_them(tmp_path):
    """8 calls with no unit on duty and 60 with all busy, one in each of 68 hours, told as 70: so
    at least 5 of the 8."""
    calls = reasons(
        ["no_unit"] * 8
        + ["all_busy"] * 60
        + ["declined"] * 12
        + ["served"] * 30
        + ["out_of_area"] * 30
    )
    assert made(tmp_path, calls, REASONS, WHY + HOURS).report.passed
    withheld = {
        (r["period"], r["not_served_reason"])
        for r in table(tmp_path, "why")
        if r["status"] == "suppressed"
    }
    assert ("2024-Q1", "no_unit") in withheld
    assert ("2024-Q1", "all_busy") not in withheld
    shown = {r["period"]: r for r in table(tmp_path, "hours")}
    assert shown["2024-Q1"]["status"] == "suppressed"
    assert "beside statistics" in put_back(
        tmp_path, "hours", "2024-Q1,,,suppressed", "2024-Q1,70,140,published"
    )


OF_ELIGIBLE = """
[[tables]]
name = "reasons"
title = "Reasons"
dimensions = { not_served_reason = ["all", "reason"] }
where = { eligible = "yes" }
"""


def test_what_a_comparison_leaves_out_tells_of_calls_without_a_reason(tmp_path, monkeypatch):
    """Three eligible calls have no reason on record, and their number is withheld: a comparison
    that rests on all but a few would narrow it."""
    made_up = [list(row) for row in simulated.rows(simulated.City(seed=1, calls=4000))]
    reason, unit, eligible = (simulated.COLUMNS.index(name) for name in ("why", "unit", "eligible"))
    blank = [
        row
        for row in made_up
        if row[eligible] == "yes" and row[unit] == "police_only" and not row[reason]
    ]
    for row in blank[3:]:
        row[reason] = "declined"
    monkeypatch.setattr(simulated, "rows", lambda _city: made_up)
    path = simulated.write(
        tmp_path, simulated.City(seed=1), ("compare_officer_minutes",), OF_ELIGIBLE
    )
    assert build(read_inputs(path), tmp_path / "out", tmp_path / "private").report.passed
    counted = {r["not_served_reason"]: r for r in table(tmp_path, "reasons")}
    assert counted["unknown"]["status"] == "suppressed"
    row = next(r for r in table(tmp_path, "compare_officer_minutes") if r["period"] == "all")
    assert row["status"] == "published"
    calls = int(counted["all"]["calls"])
    assert calls - int(row["based_on"]) >= 10
    told = ",".join(v for name, v in row.items() if name not in ("based_on", "status"))
    exact = put_back(
        tmp_path,
        "compare_officer_minutes",
        f"{told},{row['based_on']},published",
        f"{told},{calls // 10 * 10},published",
    )
    assert exact == {"beside statistics"}


CREWS = K | {
    'call_type = "type"': (
        'call_type = "type"\nother_units_came = "crew"\nother_units_cleared_at = "left"\n'
        'cleared_at = "end"'
    )
}
BY_CREW = """
[[tables]]
name = "crew"
title = "Crew"
dimensions = { other_units_came = ["all", "answer"] }
"""
WITH_CREW = """
[[tables]]
name = "with_crew"
title = "With a crew"
dimensions = { period = ["all"] }
where = { other_units_came = "yes" }
"""
FREED = """
[[statistics]]
name = "freed"
title = "Freed"
measure = "hours_others_freed"
dimensions = { period = ["all"] }
"""


def crews():
    """40 calls with a crew, 5 without one, of 155 it is not recorded."""
    lines = ["id,at,type,crew,left,end"]
    for i, crew in enumerate(["Y"] * 40 + ["N"] * 5 + [""] * 155):
        day = f"2024-04-{1 + i % 28:02d}"
        left = f"{day} 10:30" if crew == "Y" else ""
        lines.append(f"{i},{day} 10:00,Crisis,{crew},{left},{day} 12:00")
    return "\n".join(lines) + "\n"


def test_hours_of_crews_next_to_all_calls_tell_how_many_had_one(tmp_path):
    """\"On at least 40 calls\": of the 45 calls with or without a crew, at most 5 are without."""
    with pytest.raises(PlanError, match=r'write where = \{ other_units_came = "yes" \}'):
        made(tmp_path, crews(), CREWS, BY_CREW + FREED)
    only = FREED + 'where = { other_units_came = "yes" }\n'
    assert made(tmp_path, crews(), CREWS, BY_CREW + WITH_CREW + only).report.passed
    (row,) = table(tmp_path, "freed")
    assert row["status"] == "published"
    assert int(row["based_on"]) <= 40 - 10
    path = tmp_path / "out/datapackage.json"
    package = json.loads(path.read_text())
    (resource,) = (r for r in package["resources"] if r["name"] == "freed")
    resource["table"]["where"] = {}
    path.write_text(json.dumps(package))
    assert {finding.attack for finding in audit_release(tmp_path / "out").findings} == {
        "statistics"
    }
