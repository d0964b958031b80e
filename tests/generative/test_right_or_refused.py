"""Right or refused: every export is read as it is, or the run stops and names the file. Never silently wrong.

`make test` tries 200 exports; `make soak` (SOAK=1) 20,000. Each follows from its number alone.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter

import pytest

from anonymize.engine import open_engine
from anonymize.errors import AnonymizeError
from anonymize.pipeline import read_inputs
from anonymize.records import read_calls
from tests.generative.exports import SECRET, Trial, expected, trial

SOAK = os.environ.get("SOAK") == "1"
TRIALS, BATCH = (20_000, 500) if SOAK else (200, 25)
DIMENSIONS = ("period", "hour", "weekday", "call_type", "responder", "arrest", "area", "wait")


def arrived_exact(made: Trial) -> bool | None:
    """Does the arrival's text say which moment it is? None where it counts from the call."""
    text = made.agency.read_text()
    form = re.search(r'\[calls.times.arrived_at\]\nformat = "(.*)"', text)
    if form and form[1].endswith("_after_call"):
        return None
    return made.arrived_exact


def outcome(made: Trial) -> str:
    """'read' or 'refused'. Raises AssertionError where a record is silently wrong or lost."""
    private = made.agency.parent / "private"
    try:
        inputs = read_inputs(made.agency)
        with open_engine(inputs.config.file, private) as engine:
            tally = read_calls(engine, inputs.config, inputs.areas, private)
            calls = engine.ask(f"SELECT call_id, {', '.join(DIMENSIONS)} FROM calls").astype(str).to_dict("records")
    except AnonymizeError as error:
        message = str(error)
        assert SECRET not in message, "the message tells what a record holds"
        assert "agency.toml" in message or "part-" in message or "calls.xlsx" in message, message
        return "refused"
    assert not made.must_refuse, "read what cannot be read"
    with (private / "rejects.csv").open() as handle:
        rejected = {(row["file"], int(row["line"])) for row in csv.DictReader(handle)}
    assert rejected <= made.spoiled, f"rejected what was not spoiled: {sorted(rejected - made.spoiled)[:3]}"
    assert tally.rows == tally.counted + tally.repeated + sum(tally.rejected.values())
    kept = {call.id: call for call in made.calls if not rejected.issuperset(call.places)}
    assert Counter(row["call_id"] for row in calls) == Counter(list(kept)), "calls were lost, or counted twice"
    for row in calls:
        call = kept[row["call_id"]]
        wanted = expected(call, made, arrived_exact(made))
        if rejected.intersection(call.places):  # the unit that came with another row of the call is the only one left
            wanted["responder"] = row["responder"]
        assert {name: row[name] for name in DIMENSIONS} == wanted, f"call {row['call_id']} is wrong"
    return "read"


@pytest.mark.parametrize("first", range(0, TRIALS, BATCH))
def test_right_or_refused(first, tmp_path):
    results: Counter[str] = Counter()
    for seed in range(first, first + BATCH):
        made = trial(seed, tmp_path / str(seed))
        try:
            results[outcome(made)] += 1
        except AssertionError as error:
            raise AssertionError(f"trial {seed}: {error}") from error
    assert results["read"] > results["refused"], results
