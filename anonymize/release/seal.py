"""The seal of a candidate: what a build on this machine made and attacked, file by file, signed
with a key of the private folder.

It is kept with the release's ledger. `publish` accepts a candidate only as its seal describes it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from anonymize.errors import ReleaseError
from anonymize.private_files import secure_tree

KEY = "seal.key"
KEY_BYTES = 32
LEDGER = "ledger"
MAX_DEPTH = 16
"""Levels of folders; a release has three."""
Mark = tuple[str, int]
"""SHA-256 of a file (empty for a folder), and its mode."""


@dataclass(frozen=True)
class Contents:
    """All that is in a folder: the bytes of each file, and the mode of each file and folder, by
    path inside it."""

    files: dict[str, bytes]
    modes: dict[str, int]

    def marks(self) -> dict[str, Mark]:
        return {
            path: (hashlib.sha256(self.files[path]).hexdigest() if path in self.files else "", mode)
            for path, mode in self.modes.items()
        }


def read_folder(folder: Path) -> Contents:
    """Read every byte below `folder`, each once. Raises ReleaseError for anything that is neither
    a file nor a folder, such as a link."""
    files: dict[str, bytes] = {}
    modes: dict[str, int] = {}

    def read(path: Path, name: str) -> None:
        if name.count("/") > MAX_DEPTH:
            raise _odd(folder, f"holds folders more than {MAX_DEPTH} deep")
        # O_NOFOLLOW: what was a file when it was listed may be a link when it is opened.
        # O_NONBLOCK: opening a pipe would block.
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise _odd(
                path, "is a link" if path.is_symlink() else f"cannot be read ({error.strerror})"
            ) from None
        try:
            found = os.fstat(handle)
            modes[name] = stat.S_IMODE(found.st_mode)
            if stat.S_ISDIR(found.st_mode):
                for child in sorted(entry.name for entry in path.iterdir()):
                    read(path / child, f"{name}/{child}" if name else child)
            elif stat.S_ISREG(found.st_mode):
                with os.fdopen(os.dup(handle), "rb") as opened:
                    files[name] = opened.read()
            else:
                raise _odd(path, "is neither a file nor a folder")
        finally:
            os.close(handle)

    read(folder, "")
    return Contents(files, modes)


def _odd(path: Path, what: str) -> ReleaseError:
    return ReleaseError(
        f"{path}: {what}; a release is made of plain files, so build the candidate again"
    )


def seal_path(private: Path, version: str, digest: str) -> Path:
    return private / LEDGER / f"{version}-{digest[:16]}.seal.json"


def seal(candidate: Path, private: Path, built: date) -> None:
    """Sign the candidate as it is now. Its files become readable by their owner alone. `built`:
    the day, by this machine's clock."""
    secure_tree(candidate)
    contents = read_folder(candidate)
    described = contents.files["datapackage.json"]
    digest, version = hashlib.sha256(described).hexdigest(), str(json.loads(described)["version"])
    body: dict[str, Any] = {
        "datapackage_sha256": digest,
        "built": built.isoformat(),
        "files": contents.marks(),
    }
    target = seal_path(private, version, digest)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(body | {"signature": _signature(_key(private, make=True), body)}, indent=1)
    with open(
        os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600),
        "w",
        encoding="utf-8",
    ) as handle:
        handle.write(text + "\n")


def check_seal(
    candidate: Path, contents: Contents, private: Path, version: str, digest: str
) -> date:
    """The day on which a build on this machine made exactly these bytes. Raises ReleaseError when
    none did."""
    path = seal_path(private, version, digest)
    try:
        told = json.loads(path.read_bytes())
        signature, built = str(told.pop("signature")), date.fromisoformat(told["built"])
        marks = {str(name): (str(mark), int(mode)) for name, (mark, mode) in told["files"].items()}
    except FileNotFoundError:
        raise ReleaseError(
            f"{candidate}: no build with this private folder has made it ({path} is not there); "
            "build it again"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ReleaseError(
            f"{path}: the seal of this candidate cannot be read; build the candidate again"
        ) from None
    key = _key(private, make=False)
    if (
        not hmac.compare_digest(signature, _signature(key, told))
        or told["datapackage_sha256"] != digest
    ):
        raise ReleaseError(
            f"{path}: this seal was not made with the key of this private folder; build the "
            "candidate again"
        )
    there = contents.marks()
    if differing := sorted(name for name in {*marks, *there} if marks.get(name) != there.get(name)):
        raise ReleaseError(
            f"{candidate}: the candidate is not the one that passed its audit "
            f"({_difference(differing[0], marks, there)}); build it again"
        )
    return built


def _difference(name: str, marks: dict[str, Mark], there: dict[str, Mark]) -> str:
    shown = name or "the folder itself"
    if name not in marks:
        return f"{shown} was added"
    if name not in there:
        return f"{shown} is missing"
    return (
        f"{shown} was changed"
        if marks[name][0] != there[name][0]
        else f"the mode of {shown} was changed"
    )


def _signature(key: bytes, body: dict[str, Any]) -> str:
    return hmac.new(key, json.dumps(body, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _key(private: Path, *, make: bool) -> bytes:
    path = private / KEY
    if make and not path.exists():
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb"
        ) as handle:
            handle.write(secrets.token_bytes(KEY_BYTES))
    try:
        key = path.read_bytes()
    except OSError as error:
        raise ReleaseError(
            f"{path}: the key of this private folder cannot be read ({error.strerror}); build the "
            "candidate again"
        ) from None
    if len(key) != KEY_BYTES:
        raise ReleaseError(
            f"{path}: this is not a key of {KEY_BYTES} bytes; remove it and build the candidate "
            "again"
        )
    return key
