"""Waits of urgent calls while a team was on a call say that a team was on a call."""

import csv

import pytest

from anonymize.disclosure import two_worlds
from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency

COLUMNS = {
    'call_type = "type"\n': (
        'call_type = "type"\ndispatched_at = "sent"\ncleared_at = "clear"\nresponder = "who"\n\n'
        '[calls.values.responder]\n"COR" = "co_responder"\n"PD" = "police_only"\n'
    )
}
WHO = """
[inputs]
urgent_calls = { paths = "u.csv" }

[[tables]]
name = "who"
title = "Who came"
dimensions = { period = ["all", "year"], responder = ["all", "reached", "responder"] }
"""
DAYS = [f"2024-01-{day:02d}" for day in range(1, 29)]


def made(folder, teams):
    """`teams` calls with a team, each from 9 to 19 o'clock, and 90 others; urgent calls at 10
    o'clock of every day, some of them while a team is on its call."""
    rows = ["id,at,type,sent,clear,who"]
    rows += [
        f"t{i},{DAYS[i]} 09:00,Crisis,{DAYS[i]} 09:00,{DAYS[i]} 19:00,COR" for i in range(teams)
    ]
    rows += [
        f"p{i},{DAYS[i % 28]} 09:00,Check,{DAYS[i % 28]} 09:00,{DAYS[i % 28]} 09:30,PD"
        for i in range(90)
    ]
    path = write_agency(folder, "\n".join(rows) + "\n", COLUMNS, WHO)
    urgent = [f"{day} 10:{m:02d},{day} 10:{m + 5:02d}" for day in DAYS for m in range(12)]
    (folder / "u.csv").write_text("\n".join(["received,arrived", *urgent]) + "\n")
    built = build(read_inputs(path), folder / "out", folder / "private")
    return built, read(folder, "urgent_waits"), read(folder, "who")


def read(folder, name):
    with (folder / f"out/tables/{name}.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def told(rows):
    return any(row["calls"] or row["median"] for row in rows)


@pytest.mark.parametrize("teams", [0, 3])
def test_few_calls_with_a_team_are_not_shown_by_urgent_ones(teams, tmp_path):
    """Without a team's call none of the urgent ones came in one; the rows stand all the same."""
    _built, waits, who = made(tmp_path, teams)
    if teams:
        year = {row["responder"]: row["status"] for row in who if row["period"] == "2024"}
        assert year["co_responder"] == "suppressed"
    assert [(row["year"], row["teams"]) for row in waits] == [
        ("2024", "on_a_call"),
        ("2024", "not_on_a_call"),
    ]
    assert not told(waits)


def test_with_a_published_count_they_are_shown(tmp_path):
    _built, waits, who = made(tmp_path, 10)
    assert ("2024", "co_responder", "10") in {
        (row["period"], row["responder"], row["calls"]) for row in who
    }
    assert told(waits)


def test_without_the_rule_the_attack_works(tmp_path, monkeypatch):
    """In 3 calls of a team came 36 urgent ones: numbers next to the withheld count."""
    monkeypatch.setattr(
        "anonymize.disclosure.declared_facts.beside_counts", lambda reference, *_given: reference
    )
    _built, waits, who = made(tmp_path, 3)
    assert {
        row["status"]
        for row in who
        if (row["period"], row["responder"]) == ("2024", "co_responder")
    } == {"suppressed"}
    assert [row["calls"] for row in waits if row["teams"] == "on_a_call"] == ["40"]


def test_worlds_that_differ_make_the_same_rows(tmp_path, monkeypatch):
    """What is shown follows from published counts and their marks: in another world too."""
    seen = []
    kept = two_worlds.contents_of

    def noting(*given):
        found = kept(*given)
        seen.append(next(r for r in found.references if r.name == "urgent_waits").rows)
        return found

    monkeypatch.setattr("anonymize.disclosure.two_worlds.contents_of", noting)
    made(tmp_path, 3)
    assert len(seen) > 1
    assert len(set(seen)) == 1
