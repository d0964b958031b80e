"""Put an audited candidate in place, in one step, or leave everything as it was."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from anonymize.audit.reader import HISTORY
from anonymize.errors import ReleaseError

SECONDS_A_DAY = 86_400


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.before")


def clear_up(target: Path) -> None:
    """After a build that was killed: put the earlier release back if it was between two names, and remove candidates a day old."""
    aside = _aside(target)
    if aside.is_dir() and not target.exists():
        aside.rename(target)
    for left in target.parent.glob(f".{target.name}.*"):
        if left.is_dir() and left != aside and time.time() - left.stat().st_mtime > SECONDS_A_DAY:
            shutil.rmtree(left, ignore_errors=True)


def check_target(target: Path) -> None:
    """Raises ReleaseError when `target` holds something that is no release, so that nothing is lost."""
    if target.exists() and not target.is_dir():
        raise ReleaseError(f"{target}: is a file; name a folder for the release")
    if target.is_dir() and any(target.iterdir()) and not (target / "datapackage.json").exists():
        raise ReleaseError(f"{target}: holds files that are no release; name an empty or new folder")


def publish(candidate: Path, target: Path, *, replace: bool) -> bool:
    """Move `candidate` to `target`; False when `target` already held the same bytes.

    An earlier release of another version must be in the candidate's history. One of the same version that differs is
    only overwritten with `replace`: readers who saw both could compare them. Raises ReleaseError.
    """
    check_target(target)
    earlier = target.is_dir() and any(target.iterdir())
    if earlier and _files(candidate) == _files(target):
        shutil.rmtree(candidate)
        return False
    if earlier and not replace and not _remembers(candidate, target):
        raise ReleaseError(
            f"{target}: holds an earlier release that differs; anyone who saw it could compare the two. "
            "Give the new release its own 'version' in [release], or add --replace if nobody outside has seen the earlier one"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(target)
    shutil.rmtree(aside, ignore_errors=True)
    if earlier:
        target.rename(aside)
    elif target.exists():
        target.rmdir()
    try:
        candidate.rename(target)
    except OSError as error:
        if earlier:
            aside.rename(target)
        raise ReleaseError(f"{target}: the release could not be put in place ({error.strerror}); nothing was changed") from None
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _remembers(candidate: Path, target: Path) -> bool:
    """Does the candidate's history hold the release in `target`, byte for byte?"""
    described = (target / "datapackage.json").read_bytes()
    kept = candidate / HISTORY / str(json.loads(described)["version"]) / "datapackage.json"
    return kept.is_file() and kept.read_bytes() == described
