"""Put an audited candidate in place once a person has approved it, in one step, or leave everything as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from anonymize.errors import ReleaseError
from anonymize.release.read import APPROVAL, HISTORY, byte_problems

SECONDS_A_DAY = 86_400
CODE_LENGTH = 12
"""Letters of the code at the end of a build report, by which a person shows which report they have read."""


MOST_ROLE = 80


@dataclass(frozen=True)
class Approval:
    """Who let a release go out (a role, never a name), and when."""

    role: str
    day: date


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


def digest_of(release: Path) -> str:
    """SHA-256 of what describes a release, and by that of all its bytes."""
    return hashlib.sha256((release / "datapackage.json").read_bytes()).hexdigest()


def same_release(candidate: Path, target: Path) -> bool:
    """Do both hold the same bytes, the approval aside?"""
    if not (target / "datapackage.json").exists():
        return False
    found, there = _files(candidate), _files(target)
    return {n: b for n, b in found.items() if n != APPROVAL} == {n: b for n, b in there.items() if n != APPROVAL}


def check_succession(candidate: Path, target: Path, *, replace: bool) -> None:
    """Raises ReleaseError when `target` holds a release that `candidate` may not follow.

    An earlier release of another version must be in the candidate's history. One of the same version that differs is
    only overwritten with `replace`: readers who saw both could compare them.
    """
    check_target(target)
    earlier = target.is_dir() and any(target.iterdir())
    if earlier and not replace and not _remembers(candidate, target):
        raise ReleaseError(
            f"{target}: holds an earlier release that differs; anyone who saw it could compare the two. "
            "Give the new release its own 'version' in [release], or add --replace if nobody outside has seen the earlier one"
        )


def publish(candidate: Path, target: Path, approval: Approval, code: str, *, replace: bool) -> None:
    """Copy the audited `candidate` to `target` with its approval. Raises ReleaseError; `target` is then as it was.

    `code` is the one at the end of the build report: it shows that the report read is this candidate's.
    """
    if not (candidate / "datapackage.json").exists():
        raise ReleaseError(f"{candidate}: there is no candidate; make one with 'python -m anonymize build'")
    digest = digest_of(candidate)
    if code != digest[:CODE_LENGTH]:
        raise ReleaseError(
            f"{candidate}: '{code}' is not the code of this candidate's report; read the report (build_report.txt beside it) and give the code at its end"
        )
    if not 0 < len(approval.role.strip()) <= MOST_ROLE or not approval.role.isprintable():
        raise ReleaseError(f"the role is published: name one of 1 to {MOST_ROLE} letters, such as 'Privacy officer'")
    _check_audited(candidate, digest)
    check_succession(candidate, target, replace=replace)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        ready = Path(scratch) / "release"
        shutil.copytree(candidate, ready)
        approved = {"role": approval.role, "date": approval.day.isoformat(), "datapackage_sha256": digest}
        (ready / APPROVAL).write_text(json.dumps(approved, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        for path in (ready, *ready.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        _swap(ready, target)
    shutil.rmtree(candidate)


def _check_audited(candidate: Path, digest: str) -> None:
    try:
        audit = json.loads((candidate / "audit.json").read_bytes())
        passed = audit["passed"] is True and audit["datapackage_sha256"] == digest
    except (OSError, ValueError, KeyError, TypeError):
        passed = False
    if not passed or byte_problems(candidate):
        raise ReleaseError(f"{candidate}: the candidate is not the one that passed its audit; build it again")


def _swap(candidate: Path, target: Path) -> None:
    earlier = target.is_dir() and any(target.iterdir())
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


def _remembers(candidate: Path, target: Path) -> bool:
    """Does the candidate's history hold the release in `target`, byte for byte?"""
    described = (target / "datapackage.json").read_bytes()
    kept = candidate / HISTORY / str(json.loads(described)["version"]) / "datapackage.json"
    return kept.is_file() and kept.read_bytes() == described
