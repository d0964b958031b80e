"""Faults of the machine and of the program in a sentence with its cure. Of an error's own words
only what never quotes a record is shown."""

from __future__ import annotations

import errno
import traceback
import zipfile
from pathlib import Path

MEMORY = (
    "the machine ran out of memory; nothing was published; use a machine with more, or fewer tables"
)
DISK = (
    "the disk is full; nothing was published; free some space (the private folder needs several"
    " times the exports' size) and run it again"
)
CURES = {
    errno.ENOSPC: DISK,
    errno.EDQUOT: DISK,
    errno.EFBIG: (
        "a file grew past what this system allows; nothing was published; raise the limit ('ulimit"
        " -f') or use another disk"
    ),
    errno.EROFS: (
        "its disk can only be read; nothing was published; name a folder on another disk with"
        " --private or --out"
    ),
    errno.EACCES: (
        "this user may not read or write it; nothing was published; run the program as the user"
        " whom the folder belongs to"
    ),
    errno.EPERM: (
        "this user may not change it; nothing was published; run the program as the user whom the"
        " folder belongs to"
    ),
    errno.EMFILE: "too many files are open; nothing was published; raise the limit ('ulimit -n')",
    errno.ENAMETOOLONG: (
        "the name is too long for this disk; nothing was published; name a shorter folder"
    ),
    errno.ENOENT: (
        "it is not there, or was removed while the program ran; nothing was published; put it back"
        " or correct the path"
    ),
    errno.ENOTDIR: (
        "a folder was expected and a file is there; nothing was published; correct the path"
    ),
    errno.EISDIR: (
        "a file was expected and a folder is there; nothing was published; move the folder away"
    ),
    errno.EEXIST: "it is there already; nothing was published; move it away",
    errno.ENOTEMPTY: "the folder holds something; nothing was published; name an empty or new one",
    errno.EIO: "the disk failed; nothing was published; try another disk",
}


def sentence(error: BaseException) -> str:
    """What happened, and what to do about it."""
    if _is_memory(error):
        return MEMORY
    if _is_disk(error):
        return DISK
    if isinstance(error, zipfile.BadZipFile | EOFError):
        return (
            "a private file of an earlier build (ledger/*.npz or certificates.npz) is cut or"
            " spoiled; nothing was published; put back the private folder of that build from a copy"
        )
    if isinstance(error, OSError):
        name = error.filename if isinstance(error.filename, str) else ""
        what = (
            CURES.get(error.errno or 0)
            or f"{error.strerror or type(error).__name__}; nothing was published; "
            "check the disk and its folders"
        )
        return f"{name}: {what}" if name else what
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" in {Path(place[0].filename).name}, line {place[0].lineno}" if place else ""
    return (
        f"{type(error).__name__}{where}; nothing was published; please report this line as a fault"
        " of the program"
    )


def _is_memory(error: BaseException) -> bool:
    """Python's own error, DuckDB's, a thread or a library for which no room was left."""
    words = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryException"
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and "can't start new thread" in words)
        or (
            isinstance(error, ImportError)
            and ("failed to map segment" in words or "cannot allocate memory" in words)
        )
        or "bad_alloc" in words
    )


def _is_disk(error: BaseException) -> bool:
    """DuckDB tells of a full disk in its own words, which hold a path and sizes."""
    return type(error).__module__.startswith(("duckdb", "_duckdb")) and any(
        words in str(error).lower()
        for words in ("no space left", "disk full", "max_temp_directory_size", "disk quota")
    )
