"""Two worlds that differ in withheld counts have the same release, whatever an agency publishes:
areas shown as one, statistics, inputs beside the calls, shifts, fields asked of some calls alone,
days of which nothing was collected, and several releases. Each build compares three worlds; here
all that its proofs hold are compared."""

import json
import os
import random
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from anonymize import pipeline
from anonymize.disclosure import two_worlds
from anonymize.disclosure.declared_facts import contents_of
from anonymize.errors import ProtectionError
from anonymize.pipeline import CANDIDATE, read_inputs
from tests.agency import build, write_agency

SEEDS = range(30) if "SOAK" in os.environ else range(2)
AREAS = ("a", "b", "c", "d")
COLUMNS = {
    'call_type = "type"': (
        'call_type = "type"\narea = "place"\narrived_at = "there"\nperson_key = "who"\n'
        'responder = "unit"\nother_units_came = "crew"\nother_units_cleared_at = "left"\n'
        'cleared_at = "end"\npartner_unavailable = "missing"'
    ),
    '"Check" = "check"': (
        '"Check" = "check"\n"Welfare" = "welfare"\n\n[calls.values.responder]\n'
        '"team" = "co_responder"\n"police" = "police_only"\n\n'
        '[calls.values.partner_unavailable]\n"none" = "nothing"\n"bed" = "bed"'
    ),
    '  { code = "check", en': (
        '  { code = "welfare", en = "Welfare", es = "Bienestar" },\n  { code = "check", en'
    ),
}
BESIDE = """
[plan]
apply = true
most_small_percent = 20

[inputs]
program_events = { paths = "events.csv" }
targets = { paths = "targets.csv" }
shifts = { paths = "shifts.csv" }

[areas.area]
name = "Area"
all = "All"
levels = ["area"]
boundaries = { path = "map.geojson", code = "code" }

[[tables]]
name = "by_area"
title = "By area"
dimensions = { period = ["all"], area = ["all", "area"], call_type = ["all", "type"] }

[[tables]]
name = "waits"
title = "Waits"
dimensions = { call_type = ["all", "type"], wait = ["all", "half_hour"] }

[[tables]]
name = "duty"
title = "Duty"
dimensions = { period = ["all", "month"], on_duty = ["all", "answer"] }

[[tables]]
name = "crews"
title = "Crews"
dimensions = { period = ["all"] }
where = { other_units_came = "yes" }

[[tables]]
name = "missing"
title = "Missing"
dimensions = { responder = ["all", "reached"], partner_unavailable = ["all", "found"] }

[[statistics]]
name = "wait"
title = "Wait"
measure = "minutes_call_to_arrival"
dimensions = { call_type = ["all", "type"] }

[[statistics]]
name = "people"
title = "People"
measure = "people"
dimensions = { call_type = ["all", "type"] }

[[statistics]]
name = "freed"
title = "Freed"
measure = "hours_others_freed"
dimensions = { period = ["all"] }
where = { other_units_came = "yes" }
"""
GAP = '\n[[release.gaps]]\nfrom = 2024-03-01\nto = {last}\nreason = "The file is lost."\n'


def drawn(rng, wanted, share):
    """Calls by id: (time, type, area, arrival, person, unit, crew, its end, the call's end, what
    was missing)."""
    found, more = {}, random.Random(f"{share} {list(wanted)}")
    for month in wanted:
        for i in range(rng.randrange(20, 60)):
            at = datetime(2024, month, rng.randrange(1, 28), rng.randrange(24), 10)
            there = (
                f"{at + timedelta(minutes=rng.choice([5, 12, 25, 40, 70])):%Y-%m-%d %H:%M}"
                if rng.random() > 0.04
                else ""
            )
            kind = rng.choices(
                ["Crisis", "Welfare", "Check", ""], [1 - share - 0.06, 0.04, share, 0.02]
            )[0]
            found[f"{month}-{i}"] = (
                f"{at:%Y-%m-%d %H:%M}",
                kind,
                rng.choices(AREAS, [12, 8, 3, 1])[0],
                there,
                f"p{rng.randrange(200)}",
                *asked(more, at),
            )
    return found


def asked(rng, at):
    """Unit, crew, its end, the call's end, and what was missing."""
    crew = rng.choice(["Y", "Y", "Y", "N", ""])
    end = f"{at + timedelta(minutes=90):%Y-%m-%d %H:%M}"
    left = f"{at + timedelta(minutes=rng.choice([10, 40])):%Y-%m-%d %H:%M}" if crew == "Y" else ""
    missing = rng.choices(["none", "bed", ""], [0.9, 0.06, 0.04])[0]
    reached = rng.random() < 0.7
    return ("team", crew, left, end, missing) if reached else ("police", "", "", end, "")


def shifts(last):
    """A shift from 8 to 20 o'clock each day, but none in February."""
    day, found = datetime(2024, 1, 1), ["start,end,unit,officer,clinician"]
    while day.month <= last and day.year == 2024:
        if day.month != 2:
            found.append(f"{day:%Y-%m-%d} 08:00,{day:%Y-%m-%d} 20:00,U1,yes,yes")
        day += timedelta(days=1)
    return "\n".join(found) + "\n"


def agency(folder, calls, version, last, gap_ends):
    rows = "id,at,type,place,there,who,unit,crew,left,end,missing\n" + "".join(
        f"{i},{','.join(c)}\n" for i, c in calls.items()
    )
    changes = COLUMNS | {
        '"2024.1"': f'"2024.{version}"',
        "data_to = 2024-06-30": f"data_to = 2024-{last:02d}-{30 if last in (6, 9) else 31}",
        "created = 2024-07-01": f"created = 2025-0{version}-01",
    }
    path = write_agency(
        folder, rows, changes, BESIDE + (GAP.format(last=gap_ends) if gap_ends else "")
    )
    squares = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[west, 40], [east, 40], [east, 40.1], [west, 40.1], [west, 40]]],
            },
        }
        for code, west, east in zip(
            AREAS, (-90, -89.9, -89.8, -89.7), (-89.9, -89.8, -89.7, -89.6), strict=True
        )
    ]
    (folder / "map.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": squares})
    )
    (folder / "events.csv").write_text("date,kind,event\n2024-02-01,shift,Night shift\n")
    (folder / "targets.csv").write_text(
        "measure,year,target,direction,set_on,reason,serves\n"
        "coverage,2024,50,at_least,2024-01-02,Agreed,people\n"
    )
    (folder / "shifts.csv").write_text(shifts(last))
    return path


def releases(folder, seed):
    """Two releases: the second has a month more, and some calls that came late or were taken out;
    of most agencies nothing was collected for some days."""
    rng = random.Random(seed)
    calls = drawn(rng, range(1, 7), rng.choice([0.03, 0.08, 0.2]))
    gap_ends = rng.choice(["2024-03-31", "2024-03-09", None])
    if gap_ends:
        calls = {i: c for i, c in calls.items() if not "2024-03-01" <= c[0][:10] <= gap_ends}
    built, _ = releases_of(folder, calls, 1, 6, gap_ends)
    yield built
    for call in rng.sample(sorted(calls), rng.choice([0, 2])):
        calls.pop(call)
    built, _ = releases_of(folder, calls | drawn(rng, [7], 0.05), 2, 7, gap_ends)
    yield built


def releases_of(folder, calls, version, last, gap_ends):
    path = agency(folder, calls, version, last, gap_ends)
    return build(read_inputs(path), folder / "out", folder / "private"), path


@pytest.mark.parametrize("seed", SEEDS)
def test_all_worlds_of_all_releases_look_alike(seed, tmp_path, monkeypatch):
    compared = []

    def all_worlds(counted, system, withheld, statistics, certificates, scratch):
        number = certificates.moves.shape[0]
        written, contents = two_worlds._written(counted, withheld, statistics, scratch / "true")
        for move in range(number):
            leaves = system.leaves + certificates.moves[move].toarray().ravel()
            other = two_worlds.world(counted, system, leaves, contents)
            differs = any(
                np.any(a.values != b.values)
                for a, b in zip(other.tables, counted.tables, strict=True)
            )
            again, _ = two_worlds._written(other, withheld, statistics, scratch / f"other{move}")
            assert again == written
            compared.append(differs)
        assert len(statistics) == 3
        assert any(s.shown.any() for s in statistics)
        assert statistics[-1].shown.any(), "hours of crews are shown"
        assert any(fact["kind"] == "empty_by_shifts" for fact in contents.facts)

    monkeypatch.setattr(pipeline, "compare_worlds", all_worlds)
    try:
        built = list(releases(tmp_path, seed))
    except ProtectionError as refused:
        pytest.skip(f"refused, and nothing written: {refused}")
    assert any(compared), "no world differs in a count of the newest release: this shows nothing"
    assert all(b.report.passed for b in built)
    package = json.loads((tmp_path / "out/datapackage.json").read_text())
    assert package["history"]
    if seed == 0:
        assert package["coarsened"]["areas"], "areas are shown as one"


def leaking(how):
    """`contents_of`, and something made from a withheld count with it: in what stands beside the
    counts."""

    def contents(counted, withheld, statistics):
        found = contents_of(counted, withheld, statistics)
        secret = sum(
            int(t.values[m].astype(object).dot(range(1, int(m.sum()) + 1)))
            for t, m in zip(counted.tables, withheld, strict=True)
        )
        if how == "statistic shown":
            first = found.statistics[0]
            shown = first.shown & (
                np.arange(first.shown.size).reshape(first.shown.shape)
                != secret % max(1, first.shown.size)
            )
            columns = {name: np.where(shown, values, 0) for name, values in first.columns.items()}
            return replace(
                found,
                statistics=[replace(first, shown=shown, columns=columns), *found.statistics[1:]],
            )
        if how == "fact":
            return replace(found, facts=[{**fact, "note": secret} for fact in found.facts])
        if how == "reference":
            kept = [r for r in found.references if r.name != "program_events"]
            (events,) = (r for r in found.references if r.name == "program_events")
            return replace(
                found, references=(*kept, replace(events, rows=events.rows * (1 + secret % 7)))
            )
        return replace(
            found,
            before=replace(
                found.before, revised=replace(found.before.revised, at_most=15 + secret % 50)
            ),
        )

    return contents


@pytest.mark.parametrize("how", ["statistic shown", "fact", "reference", "revised"])
def test_a_leak_beside_the_counts_is_caught(how, tmp_path, monkeypatch):
    made = releases(tmp_path, 1)
    next(made)
    monkeypatch.setattr("anonymize.disclosure.two_worlds.contents_of", leaking(how))
    with pytest.raises(ProtectionError, match="two worlds"):
        next(made)
    assert not (tmp_path / "private" / CANDIDATE).exists()
