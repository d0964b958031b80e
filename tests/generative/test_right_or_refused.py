"""Right or refused: every export is read as it is, or the run stops and names the file. Never
silently wrong.

`make test` reads 200 exports and builds one in four; `make soak` (SOAK=1) reads 20,000 and builds
one in ten. Each follows from its number alone.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from anonymize import pipeline
from anonymize.agency.schema import Release
from anonymize.count import statistics
from anonymize.disclosure import declared_facts
from anonymize.engine import Engine, open_engine, sources
from anonymize.errors import AnonymizeError
from anonymize.pipeline import CANDIDATE, read_inputs
from anonymize.read import delimited, times
from anonymize.records import call_times, gaps, values
from anonymize.records import calls as call_records
from anonymize.records.calls import Tally, read_calls
from tests.generative.exports import SECRET, Trial, clock_too_short, expected, trial
from tests.generative.shown import compare

SOAK = os.environ.get("SOAK") == "1"
TRIALS, BATCH = (20_000, 500) if SOAK else (200, 25)
BUILT_OF = 10 if SOAK else 4
"""A release is built of one trial in so many; of the others the records are read."""
SURE = 30
"""Where that many calls are missing from a year of at most 250, chance is no explanation."""
DIMENSIONS = ("period", "hour", "weekday", "call_type", "responder", "arrest", "area", "wait")


def arrived_exact(made: Trial) -> bool | None:
    """Does the arrival's text say which moment it is? None where it counts from the call."""
    text = made.agency.read_text()
    form = re.search(r'\[calls.times.arrived_at\]\nformat = "(.*)"', text)
    if form and form[1].endswith("_after_call"):
        return None
    return made.arrived_exact


def outcome(made: Trial, whole: bool = True) -> str:
    """'read', 'asked' (is a file missing?) or 'refused'. Raises AssertionError where a record, or a
    number of the release, is silently wrong or lost. `whole`: build a release; otherwise the
    records alone are read."""
    private = made.agency.parent / "private"
    result, read = "read", []

    def keep(engine: Engine, *arguments: Any) -> Tally:
        tally = read_calls(engine, *arguments)
        read.append(
            (
                tally,
                engine.ask(f"SELECT call_id, {', '.join(DIMENSIONS)} FROM calls")
                .astype(str)
                .to_dict("records"),
            )
        )
        return tally

    try:
        inputs = read_inputs(made.agency)
        if whole:
            with patch.object(pipeline, "read_calls", keep):
                pipeline.build(inputs, made.agency.parent / "out", private)
        else:
            with open_engine(inputs.config.file, private) as engine:
                keep(engine, inputs.config, inputs.areas, private)
    except AnonymizeError as error:
        message = str(error)
        assert SECRET not in message, "the message tells what a record holds"
        assert "agency.toml" in message or "part-" in message or "calls.xlsx" in message, message
        result = "asked" if "[[release.gaps]]" in message else "refused"
    if result == "refused":
        return result
    assert not made.must_refuse, "read what cannot be read"
    if whole and result == "read" and made.removed >= SURE and made.answer is None:
        told = json.loads(
            (private / CANDIDATE / "datapackage.json").read_text(encoding="utf-8")
        ).get("gaps")
        assert told, "published days of which the file is missing"
    ((tally, calls),) = read
    truths = _compare_records(made, tally, calls, _rejected(private))
    if whole and result == "read":
        compare(private / CANDIDATE, made, truths)
    return result


def _rejected(private: Path) -> set[tuple[str, int]]:
    with (private / "rejects.csv").open() as handle:
        return {(row["file"], int(row["line"])) for row in csv.DictReader(handle)}


def _compare_records(
    made: Trial, tally: Tally, calls: list[dict[str, str]], rejected: set[tuple[str, int]]
) -> list[dict[str, str]]:
    """Every record against the truth, of which it gives the calls that count."""
    assert rejected <= made.spoiled, (
        f"rejected what was not spoiled: {sorted(rejected - made.spoiled)[:3]}"
    )
    assert tally.rows == tally.counted + tally.repeated + sum(tally.rejected.values())
    kept = {call.id: call for call in made.calls if not rejected.issuperset(call.places)}
    assert Counter(row["call_id"] for row in calls) == Counter(list(kept)), (
        "calls were lost, or counted twice"
    )
    short = sum(clock_too_short(kept[row["call_id"]], made) for row in calls)
    assert tally.misread["clock"][0] >= short, "clocks that were not read are not counted"
    truths = []
    for row in calls:
        call = kept[row["call_id"]]
        wanted = expected(call, made, arrived_exact(made))
        if rejected.intersection(
            call.places
        ):  # the unit that came with another row of the call is the only one left
            wanted["responder"] = row["responder"]
        assert {name: row[name] for name in DIMENSIONS} == wanted, f"call {row['call_id']} is wrong"
        truths.append({**wanted, "day": f"{call.moment:%Y-%m-%d}", "seconds": str(call.wait)})
    return truths


@pytest.mark.parametrize("first", range(0, TRIALS, BATCH))
def test_right_or_refused(first, tmp_path):
    results: Counter[str] = Counter()
    for seed in range(first, first + BATCH):
        made = trial(seed, tmp_path / str(seed))
        try:
            results[outcome(made, whole=seed % BUILT_OF == 0)] += 1
        except AssertionError as error:
            raise AssertionError(f"trial {seed}: {error}") from error
    assert results["read"] > BATCH / 4, results


def _case_lost(monkeypatch):
    """Texts are compared without case alone."""
    real = values._meanings
    monkeypatch.setattr(
        values, "_meanings", lambda *a: {text.lower(): code for text, code in real(*a).items()}
    )


def _words_ignored(monkeypatch):
    """A library reads the start of a time and drops the rest."""
    monkeypatch.setattr(times, "ISO_PLAIN", times.ISO_PLAIN + ".*")


def _clocks_never_change(monkeypatch):
    """Waits are differences of wall clocks."""
    monkeypatch.setattr(times.Zone, "changes", property(lambda _zone: ()))


def _noon_ignored(monkeypatch):
    """The clock of a clock column is its digits."""
    monkeypatch.setattr(
        call_times,
        "clock_seconds",
        lambda text, _formats: (
            f"try_cast(regexp_extract({text}, '([0-9]{{1,2}}):', 1) AS INTEGER) * 3600"
        ),
    )


def _first_row_wins(monkeypatch):
    monkeypatch.setattr(call_records, "combine_rows", lambda *_arguments: None)


def _a_fault_costs_its_neighbor(monkeypatch):
    """A line that is no record takes the next one along."""
    real = delimited._runs_of_records

    def lossy(path, dialect, header, rejected):
        for run in real(path, dialect, header, rejected):
            if rejected and run and run[0][0] == rejected[-1].line + 1:
                rejected.append(delimited.RejectedLine(run[0][0], "quote"))
                run = run[1:]
            yield run

    monkeypatch.setattr(delimited, "_runs_of_records", lossy)


def _first_sheet_alone(monkeypatch):
    real = sources._parts_of
    monkeypatch.setattr(sources, "_parts_of", lambda *a: (real(*a)[0][:1], []))


def _seconds_as_minutes(monkeypatch):
    real = call_times.after_call
    monkeypatch.setattr(call_times, "after_call", lambda form, *a: real("minutes_after_call", *a))


def _no_question(monkeypatch):
    """Days without a record are nobody's business."""
    monkeypatch.setattr(gaps, "unexplained", lambda *_arguments: [])


def _a_gap_is_nought(monkeypatch):
    """The reason of a gap is published, and its months are 0 all the same."""
    monkeypatch.setattr(Release, "not_collected", property(lambda _release: ()))


def _two_codes_change_places(monkeypatch):
    """The counts are right, and stand beside each other's names."""
    real = declared_facts._table

    def swapped(table, withheld, marks):
        made = real(table, withheld, marks)
        if table.name == "by_arrest":
            yes, no = (table.dimensions["arrest"].codes.index(code) for code in ("yes", "no"))
            made.values[[yes, no]] = made.values[[no, yes]]
            made.withheld[[yes, no]] = made.withheld[[no, yes]]
        return made

    monkeypatch.setattr(declared_facts, "_table", swapped)


def _median_of_the_upper_half(monkeypatch):
    real = statistics._quantile
    monkeypatch.setattr(
        statistics, "_quantile", lambda values, upto, share: real(values, upto, (1 + share) / 2)
    )


READING = (
    _case_lost,
    _words_ignored,
    _clocks_never_change,
    _noon_ignored,
    _first_row_wins,
    _a_fault_costs_its_neighbor,
    _first_sheet_alone,
    _seconds_as_minutes,
)
GAPS = (_no_question, _a_gap_is_nought)


@pytest.mark.parametrize(
    "plant", [*READING, *GAPS, _two_codes_change_places, _median_of_the_upper_half]
)
def test_planted_faults_are_seen(plant, tmp_path, monkeypatch):
    plant(monkeypatch)
    for seed in range(150):
        made = trial(seed, tmp_path / str(seed))
        if plant in GAPS and made.lost is None:
            continue
        try:
            outcome(made, whole=plant not in READING)
        except AssertionError:
            return
    raise AssertionError(f"{plant.__name__} was not seen in 150 trials")


def test_a_reader_that_loses_records_is_stopped_by_the_second_count(tmp_path, monkeypatch):
    """DuckDB left to itself takes `#` for a comment: half of the calls would be gone, and the tally
    would add up."""
    from tests.agency import tally_of, write_agency

    rows = "id,at,type\n" + "".join(
        f"{'#' if i % 2 else ''}{i},2024-02-03 10:00:00,Crisis\n" for i in range(50)
    )
    agency = write_agency(tmp_path, rows)
    assert tally_of(agency).counted == 50
    real = sources._read_csv
    monkeypatch.setattr(
        sources, "_read_csv", lambda *a, **k: real(*a, **k).replace("comment=''", "comment='#'")
    )
    with pytest.raises(
        AnonymizeError,
        match=r"calls\.csv: two readings count its records differently \(25 and 50\)",
    ):
        tally_of(agency)
    monkeypatch.setattr(
        sources, "_read_csv", lambda *a, **k: f"(SELECT * FROM {real(*a, **k)} LIMIT 49)"
    )
    with pytest.raises(
        AnonymizeError,
        match=r"calls\.csv: two readings count its records differently \(49 and 50\)",
    ):
        tally_of(agency)
