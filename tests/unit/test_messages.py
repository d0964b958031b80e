"""Faults of machine and program: each a sentence with its cure, and nothing of a record."""

import errno
import shutil
import zipfile

import duckdb
import pytest

from anonymize.machine_faults import CURES, sentence

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
