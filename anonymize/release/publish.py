"""Put an audited candidate in place once a person has approved it: in one step, or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from anonymize.command_name import command_name
from anonymize.errors import AuditError, ReleaseError
from anonymize.private_files import sweep, working_folder
from anonymize.release.read import APPROVAL, HISTORY
from anonymize.release.seal import Contents, check_seal, read_folder

CODE_LENGTH = 12
"""Length of the code at the end of a build report, by which a person shows which report they have
read."""
DESCRIBED, AUDIT = "datapackage.json", "audit.json"
MAX_ROLE_LENGTH = 80
ROLE = re.compile(r"\w([\w .,:;'’()&/–-]*[\w.)])?")
"""Letters of any language, and the signs between words."""
PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
"""Names that look the same and mean the same on every system."""


@dataclass(frozen=True)
class Approval:
    """Who lets a release go out (a role, never a name), and when. `code`: the one at the end of the
    build report, as a sign that this report was read."""

    role: str
    day: date
    code: str


def today() -> date:
    """The day by this machine's clock and time zone, as the person who approves would write it."""
    return datetime.now().astimezone().date()


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.before")


def place_of(out: Path, private: Path) -> Path:
    """The folder that `--out` means, links followed: the release goes where they lead, and the
    link stays.

    Raises ReleaseError when the release and the private folder would be inside each other.
    """
    try:
        target, hidden = out.resolve(), private.resolve()
    except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        raise ReleaseError(
            f"{out}: its links lead in a circle; name a folder for the release"
        ) from None
    if target == hidden or hidden in target.parents:
        raise ReleaseError(
            f"{out}: lies in the private folder {private}; name a folder outside of it for the "
            "release"
        )
    if target in hidden.parents:
        raise ReleaseError(
            f"{private}: the private folder lies in the folder of the release, {out}; name another "
            "one with --private"
        )
    return target


def clear_up(target: Path) -> None:
    """After a run that was killed: put the earlier release back if it was between two names, and
    remove what was not finished."""
    aside = _aside(target)
    if aside.is_dir() and not aside.is_symlink() and not target.exists():
        aside.rename(target)
    sweep(target.parent, target.name)


def check_target(target: Path) -> None:
    """Refuse a `target` that holds something other than a release, so that nothing is lost. Raises
    ReleaseError."""
    if target.exists() and not target.is_dir():
        raise ReleaseError(f"{target}: is a file; name a folder for the release")
    if target.is_dir() and any(target.iterdir()) and not (target / DESCRIBED).exists():
        raise ReleaseError(
            f"{target}: holds files that are no release; name an empty or new folder"
        )


def digest_of(release: Path) -> str:
    """SHA-256 of the release's description, and by that of all its bytes."""
    return hashlib.sha256((release / DESCRIBED).read_bytes()).hexdigest()


def same_release(candidate: Path, target: Path) -> bool:
    """Do both hold the same bytes, except for the approval?"""
    return (target / DESCRIBED).exists() and _same(_files(candidate), _files(target))


def _same(one: dict[str, bytes], other: dict[str, bytes]) -> bool:
    return {n: b for n, b in one.items() if n != APPROVAL} == {
        n: b for n, b in other.items() if n != APPROVAL
    }


def check_succession(candidate: Path, target: Path, *, replace: bool) -> None:
    """Refuse a `target` that holds a release which `candidate` may not follow. Raises
    ReleaseError.

    An earlier release of another version must be in the candidate's history. One of the same
    version that differs is only overwritten with `replace`: readers who saw both could compare
    them.
    """
    check_target(target)
    earlier = target.is_dir() and any(target.iterdir())
    if earlier and not replace and not _remembers(candidate, target):
        raise ReleaseError(
            f"{target}: holds an earlier release that differs; anyone who saw it could compare the "
            "two. Give the new release its own 'version' in [release], or add --replace if nobody "
            "outside has seen the earlier one"
        )


class Verdict(Protocol):
    """What an audit says about a release."""

    @property
    def passed(self) -> bool: ...

    def to_json(self) -> str: ...


Audit = Callable[[Path], Verdict]


def publish(
    candidate: Path,
    out: Path,
    approval: Approval,
    *,
    audit: Audit,
    replace: bool,
    now: date | None = None,
) -> None:
    """Put the audited `candidate` of a private folder in place at `out`, with its approval.

    `audit`: attacks a folder. `now`: today; the made-up city has days of its own. Each byte is read
    once, checked against the seal of its build and the list in `datapackage.json`, attacked again,
    and written by name. Raises ReleaseError; `out` is then as it was.
    """
    private, now = candidate.parent, now or today()
    target = place_of(out, private)
    if not candidate.is_symlink() and not (candidate / DESCRIBED).exists():
        raise ReleaseError(
            f"{candidate}: there is no candidate; make one with '{command_name()} build'"
        )
    contents = read_folder(candidate)
    package = _package(candidate, contents)
    digest = hashlib.sha256(contents.files[DESCRIBED]).hexdigest()
    if approval.code != digest[:CODE_LENGTH]:
        raise ReleaseError(
            f"{candidate}: '{approval.code}' is not the code of this candidate's report; read the "
            "report (build_report.txt next to it) and give the code at its end"
        )
    if not ROLE.fullmatch(approval.role) or len(approval.role) > MAX_ROLE_LENGTH:
        raise ReleaseError(
            f"the role is published: write 1 to {MAX_ROLE_LENGTH} letters, digits and ordinary "
            "punctuation, such as 'Privacy officer'"
        )
    built = check_seal(candidate, contents, private, str(package["version"]), digest)
    if not built <= approval.day <= now:
        raise ReleaseError(
            f"the approval is dated {approval.day}; give a day from {built}, when the candidate "
            f"was built, to today, {now} by this machine's clock"
        )
    files = _listed_files(candidate, contents, package)
    if _is_out(files, target, digest):
        shutil.rmtree(_aside(target), ignore_errors=True)
    else:
        check_succession(candidate, target, replace=replace)
        _attack(candidate, files, audit)
        approved = {
            "role": approval.role,
            "date": approval.day.isoformat(),
            "datapackage_sha256": digest,
        }
        files[APPROVAL] = (json.dumps(approved, indent=1, ensure_ascii=False) + "\n").encode()
        _make_parents(target)
        with working_folder(target.parent, target.name) as scratch:
            _write(files, scratch / "release")
            _swap(scratch / "release", target)
    shutil.rmtree(candidate)


def _package(candidate: Path, contents: Contents) -> dict[str, Any]:
    try:
        package = json.loads(contents.files[DESCRIBED])
        if isinstance(package["version"], str) and isinstance(package["resources"], list):
            return dict(package)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _not_audited(candidate, f"{DESCRIBED} cannot be read")


def _not_audited(candidate: Path, what: str) -> ReleaseError:
    return ReleaseError(
        f"{candidate}: the candidate is not the one that passed its audit ({what}); build it again"
    )


def _listed_files(candidate: Path, contents: Contents, package: dict[str, Any]) -> dict[str, bytes]:
    """The files that the candidate and each earlier release in its history list, by name. Raises
    ReleaseError for any that differs or is not listed."""
    found = _listed_of(candidate, contents.files, "", package, (DESCRIBED, AUDIT))
    for entry in package.get("history", []):
        inside = f"{HISTORY}/{entry['version']}/"
        described = contents.files.get(f"{inside}{DESCRIBED}", b"")
        if hashlib.sha256(described).hexdigest() != entry["datapackage_sha256"]:
            raise _not_audited(candidate, f"{inside}{DESCRIBED} is not the one that was published")
        beside = [
            DESCRIBED,
            AUDIT,
            *([APPROVAL] if f"{inside}{APPROVAL}" in contents.files else []),
        ]
        found |= _listed_of(candidate, contents.files, inside, json.loads(described), beside)
    if beyond := sorted(set(contents.files) - set(found)):
        raise _not_audited(candidate, f"{beyond[0]} is not listed in {DESCRIBED}")
    folders = {
        "",
        *(str(parent) for name in found for parent in Path(name).parents if str(parent) != "."),
    }
    if beyond := sorted(set(contents.modes) - set(found) - folders):
        raise _not_audited(candidate, f"the folder {beyond[0]} holds nothing that is listed")
    return found


def _listed_of(
    candidate: Path,
    files: dict[str, bytes],
    inside: str,
    package: dict[str, Any],
    beside: Sequence[str],
) -> dict[str, bytes]:
    found = {}
    for resource in package["resources"]:
        name = f"{inside}{resource['path']}"
        if not PLAIN_PATH.fullmatch(name) or name in found:
            raise _not_audited(
                candidate,
                f"{inside}{DESCRIBED} lists {name!a}, which is no plain name or stands there twice",
            )
        data = files.get(name)
        if (
            data is None
            or resource["hash"] != f"sha256:{hashlib.sha256(data).hexdigest()}"
            or resource["bytes"] != len(data)
        ):
            raise _not_audited(candidate, f"{name} is not the file that {inside}{DESCRIBED} lists")
        found[name] = data
    for name in beside:
        if f"{inside}{name}" not in files:
            raise _not_audited(candidate, f"{inside}{name} is missing")
        found[f"{inside}{name}"] = files[f"{inside}{name}"]
    return found


def _is_out(files: dict[str, bytes], target: Path, digest: str) -> bool:
    """Is this very release in place with an approval, because an earlier `publish` was stopped
    just before its last step?"""
    if not (target / DESCRIBED).exists() or not _same(files, found := _files(target)):
        return False
    try:
        return bool(json.loads(found[APPROVAL])["datapackage_sha256"] == digest)
    except (KeyError, ValueError, TypeError):
        return False


def _attack(candidate: Path, files: dict[str, bytes], audit: Audit) -> None:
    """Audit again, on the very bytes that are to be published; the report must be the one that
    they include."""
    with working_folder(candidate.parent, candidate.name) as scratch:
        _write(files, scratch / "release")
        try:
            report = audit(scratch / "release")
        except AuditError as error:
            raise _not_audited(
                candidate, str(error).replace(str(scratch / "release"), str(candidate))
            ) from None
    if not report.passed or report.to_json().encode() != files[AUDIT]:
        raise _not_audited(candidate, f"{AUDIT} is not what the attack says of these bytes")


def _make_parents(target: Path) -> None:
    """Make the folders above a release, as public as the release."""
    missing = [parent for parent in target.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        parent.chmod(0o755)


def _write(files: dict[str, bytes], folder: Path) -> None:
    """Write with public modes, whatever the umask; the folder around it keeps strangers out until
    it is put in place."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _swap(candidate: Path, target: Path) -> None:
    earlier = target.is_dir() and any(target.iterdir())
    aside = _aside(target)
    shutil.rmtree(aside, ignore_errors=True)
    if aside.is_symlink() or aside.exists():
        raise ReleaseError(
            f"{aside}: is in the way of putting the new release in place; remove it, then publish "
            "again"
        )
    if earlier:
        target.rename(aside)
    elif target.exists():
        target.rmdir()
    try:
        candidate.rename(target)
    except OSError as error:
        if earlier:
            aside.rename(target)
        raise ReleaseError(
            f"{target}: the release could not be put in place ({error.strerror}); nothing was "
            "changed"
        ) from None
    shutil.rmtree(aside, ignore_errors=True)


def _remembers(candidate: Path, target: Path) -> bool:
    """Does the candidate's history include the release in `target`, byte for byte?"""
    described = (target / DESCRIBED).read_bytes()
    kept = candidate / HISTORY / str(json.loads(described)["version"]) / DESCRIBED
    return kept.is_file() and kept.read_bytes() == described
