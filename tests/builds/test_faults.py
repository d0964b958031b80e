"""Faults of the machine and of files: each leaves the last release as it was, and is told in a
plain sentence."""

import errno
import json
import os
from datetime import UTC, datetime

import pytest

from anonymize import pipeline
from anonymize.cli import main
from dashboard.app import service
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from tests.agency import answer, build_short_of_memory, make, write_agency
from tests.conftest import ROOT

ROWS = "id,at,type\n" + "".join(
    f"JANE{n},2024-0{1 + n % 6}-{1 + n % 28:02d} 10:00,{'Crisis' if n % 3 else 'Check'}\n"
    for n in range(900)
)


def files(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def released(tmp_path):
    agency = write_agency(tmp_path / "agency", ROWS)
    assert make(agency, tmp_path / "out", tmp_path / "private") == 0
    write_agency(
        tmp_path / "agency",
        ROWS.replace("2024-03", "2024-04"),
        {'version = "2024.1"': 'version = "2024.2"'},
    )
    answer(agency)
    return agency, tmp_path / "out", tmp_path / "private"


@pytest.mark.parametrize("spare", [1, 20])
def test_out_of_memory(released, spare):
    """A limit on the process, a little over what it holds once all is loaded: `spare` megabytes.

    With one, Python itself finds that there is no more, and says so. With twenty a library may end
    the process without a word; the release stays as it was.
    """
    agency, out, private = released
    before = files(out)
    result = build_short_of_memory(agency, out, private, spare)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr, result.stderr
    assert "JANE" not in result.stderr
    if spare == 1:
        assert result.stderr.startswith(
            "error: the machine ran out of memory; nothing was published; "
        ), result.stderr
    assert files(out) == before


def test_a_fault_of_the_program_is_told_without_a_record(released, monkeypatch, capsys):
    agency, out, private = released
    before = files(out)

    def broken(*_arguments, **_named):
        raise ValueError("could not convert JANE17 to a number")

    monkeypatch.setattr("anonymize.pipeline.read_calls", broken)
    assert (
        main(["build", str(agency), "--out", str(out), "--private", str(private), "--quiet"]) == 1
    )
    told = capsys.readouterr().err
    assert "ValueError in test_faults.py, line" in told
    assert "JANE" not in told
    assert files(out) == before


def test_a_corrupt_history_stops_the_next_build(released, capsys):
    agency, out, private = released
    assert make(agency, out, private) == 0
    agency.write_text(agency.read_text().replace('version = "2024.2"', 'version = "2024.3"'))
    table = next((out / "history/2024.1/tables").iterdir())
    table.write_bytes(table.read_bytes()[: -len(table.read_bytes()) // 2])
    before = files(out)
    assert make(agency, out, private) != 0
    told = capsys.readouterr().err
    assert "2024.1" in told
    assert "Traceback" not in told
    assert files(out) == before
    assert load_release(out).version == "2024.2", "the newest release is still shown"
    assert [r.version for r in all_releases(load_release(out), load_release)] == ["2024.2"], (
        "the spoiled one is not"
    )


def test_a_ledger_that_is_cut_stops_the_next_build(released, capsys):
    agency, out, private = released
    for ledger in (private / "ledger").glob("*.parquet"):
        ledger.write_bytes(ledger.read_bytes()[:40])
    before = files(out)
    assert (
        main(["build", str(agency), "--out", str(out), "--private", str(private), "--quiet"]) != 0
    )
    told = capsys.readouterr().err
    assert "the private ledger of release 2024.1 cannot be read" in told
    assert files(out) == before


def test_a_clock_that_was_set_back(monkeypatch):
    """Yesterday's clock shows today's release all the same, with an age of nought days, not
    fewer."""

    class Before(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2020, 1, 1, tzinfo=UTC)

    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    monkeypatch.setattr(service, "datetime", Before)
    told = json.loads(service.health(None).body)
    assert (told["status"], told["age_days"]) == ("ok", 0)


def test_a_cut_ledger_is_told_as_one(tmp_path, capsys):
    agency, out, private = write_agency(tmp_path, ROWS), tmp_path / "out", tmp_path / "private"
    assert make(agency, out, private) == 0
    ledger = next((private / "ledger").glob("*.npz"))
    ledger.write_bytes(ledger.read_bytes()[:40])
    write_agency(tmp_path, ROWS, {'version = "2024.1"': 'version = "2024.2"'})
    assert make(agency, out, private) != 0
    told = capsys.readouterr().err
    assert "put back the private folder" in told
    assert "JANE" not in told


def test_a_read_only_private_folder(tmp_path, capsys, monkeypatch):
    agency = write_agency(tmp_path, ROWS)

    def fails(*_args, **_named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "private"))

    monkeypatch.setattr(pipeline, "read_calls", fails)
    assert make(agency, tmp_path / "out", tmp_path / "private") == 1
    assert "its disk can only be read" in capsys.readouterr().err


def test_a_name_too_long_is_refused_in_a_sentence(tmp_path, capsys):
    agency = write_agency(tmp_path, ROWS)
    assert make(agency, tmp_path / ("n" * 250), tmp_path / "private") in (1, 9)
    assert "None" not in capsys.readouterr().err
    assert main(["audit", str(tmp_path / ("n" * 300)), "--quiet"]) != 0
