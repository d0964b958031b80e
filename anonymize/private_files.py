"""The private folder: readable by its owner alone, whatever it was before; and working folders that
a killed run leaves behind.

Nothing here knows what a release is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from anonymize.errors import ReleaseError

FOLDER_MODE, FILE_MODE = 0o700, 0o600
PRIVATE_NAMES = (
    "rejects.csv",
    "plan.txt",
    "portrait.txt",
    "portrait.html",
    "build_report.txt",
    "refresh.json",
    "certificates.npz",
    "seal.key",
    "candidate",
    "ledger",
)
"""What this program writes into the private folder. Other files that lie there are left as they
are."""


def secure(private: Path) -> None:
    """Make the private folder and set the modes of all that this program keeps in it.

    Raises ReleaseError when something there is a link (what is written through it would end up
    elsewhere) or belongs to another user.
    """
    private.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _set(private, FOLDER_MODE)
    for name in PRIVATE_NAMES:
        secure_tree(private / name)


def secure_tree(path: Path) -> None:
    """Readable and writable by the owner alone, with all below. What is not there is left out."""
    if path.is_symlink():
        raise ReleaseError(
            f"{path}: is a link; private files lie in the private folder itself, so remove the link"
        )
    if path.is_dir():
        _set(path, FOLDER_MODE)
        for child in path.iterdir():
            secure_tree(child)
    elif path.exists():
        _set(path, FILE_MODE)


def _set(path: Path, mode: int) -> None:
    try:
        if path.stat().st_mode & 0o7777 != mode:
            path.chmod(mode)
    except OSError as error:
        raise ReleaseError(
            f"{path}: its mode cannot be set to {mode:o} ({error.strerror}); private files must"
            " belong to whoever runs this program"
        ) from None


@contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """A folder `.NAME.tmp-xxxx` in `parent`, removed at the end. While its process lives it is
    locked; `sweep` removes what the dead have left."""
    with _only_one(parent):
        folder = Path(tempfile.mkdtemp(prefix=f".{name}.tmp-", dir=parent))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(parent: Path, name: str) -> None:
    """Remove the working folders of runs that were killed."""
    if not parent.is_dir():
        return
    with _only_one(parent):
        for left in parent.glob(f".{escape(name)}.tmp-*"):
            if left.is_symlink() or not left.is_dir():
                continue
            with suppress(OSError):  # BlockingIOError: its process is at work in it
                lock = os.open(left, os.O_RDONLY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)
                finally:
                    os.close(lock)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Between the making of a working folder and its locking, nobody sweeps."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
