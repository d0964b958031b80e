"""Faults of machine and program: each a sentence with its cure, and nothing of a record."""

import errno
import os
import shutil
import zipfile

import duckdb
import pytest

from anonymize import pipeline
from anonymize.cli import main
from anonymize.machine_faults import CURES, sentence
from tests.agency import make, write_agency

CALLS = "id,at,type\n" + "".join(f"JANE{i},2024-0{1 + i % 6}-05 10:00,Crisis\n" for i in range(120))
FAULTS = [
    OSError(),
    OSError("JANE17"),
    shutil.Error([("a", "b", "JANE17")]),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.ENOSPC, "x", "/a/b"),
    OSError(errno.EFBIG, "File too large", "/a"),
    PermissionError(errno.EACCES, "Permission denied", "/a"),
    OSError(9999, None),
    OSError(errno.EIO, "x", 7),
    MemoryError("JANE17"),
    RuntimeError("can't start new thread"),
    ImportError("x.so: failed to map segment from shared object"),
    zipfile.BadZipFile("JANE17"),
    EOFError(),
    duckdb.IOException("IO Error: Could not write file: No space left on device JANE17"),
    duckdb.OutOfMemoryException("JANE17"),
    ValueError("JANE17"),
    RuntimeError("std::bad_alloc"),
    KeyError("JANE17"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=range(len(FAULTS)))
def test_each_fault_is_a_sentence_with_its_cure(fault):
    told = sentence(fault)
    assert "nothing was published" in told
    assert "JANE" not in told
    assert "None" not in told
    assert len(told.split(";")) >= 3, "what happened; what of it; what to do"
    assert not told.startswith(":")


def test_memory_and_disk_are_told_as_such():
    for fault in (
        MemoryError(),
        RuntimeError("can't start new thread"),
        ImportError("failed to map segment"),
        duckdb.OutOfMemoryException("x"),
        OSError(errno.ENOMEM, "x"),
    ):
        assert "ran out of memory" in sentence(fault)
    for fault in (
        OSError(errno.ENOSPC, "x"),
        duckdb.IOException("No space left on device"),
        OSError(errno.EDQUOT, "x"),
    ):
        assert "disk is full" in sentence(fault)
    assert all(";" in cure for cure in CURES.values())


def test_a_cut_ledger_is_told_as_one(tmp_path, capsys):
    agency, out, private = write_agency(tmp_path, CALLS), tmp_path / "out", tmp_path / "private"
    assert make(agency, out, private) == 0
    ledger = next((private / "ledger").glob("*.npz"))
    ledger.write_bytes(ledger.read_bytes()[:40])
    write_agency(tmp_path, CALLS, {'version = "2024.1"': 'version = "2024.2"'})
    assert make(agency, out, private) != 0
    told = capsys.readouterr().err
    assert "put back the private folder" in told
    assert "JANE" not in told


def test_a_read_only_private_folder(tmp_path, capsys, monkeypatch):
    agency = write_agency(tmp_path, CALLS)

    def fails(*_args, **_named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "private"))

    monkeypatch.setattr(pipeline, "read_calls", fails)
    assert make(agency, tmp_path / "out", tmp_path / "private") == 1
    assert "its disk can only be read" in capsys.readouterr().err


def test_a_name_too_long_is_refused_in_a_sentence(tmp_path, capsys):
    agency = write_agency(tmp_path, CALLS)
    assert make(agency, tmp_path / ("n" * 250), tmp_path / "private") in (1, 9)
    assert "None" not in capsys.readouterr().err
    assert main(["audit", str(tmp_path / ("n" * 300)), "--quiet"]) != 0
