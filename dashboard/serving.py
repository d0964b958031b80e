"""Which release a visitor sees: the newest, or an earlier one by its number (`?release=2025.4`)."""

from __future__ import annotations

import gc
import logging
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashboard.release import Release, ReleaseRefused, fingerprint, load_release

HISTORY = "history"
log = logging.getLogger("dashboard")
VERSION = re.compile(r"[0-9]{4}\.[0-9]+(\.[0-9]+)?")


def release_folder() -> Path:
    return Path(os.environ.get("RELEASE_DIR", "data_public"))


def folder_of(version: str | None, newest: Path) -> Path:
    """Where a release lies. Only a well-formed number ever becomes part of a path."""
    if version and VERSION.fullmatch(version):
        return newest / HISTORY / version
    return newest


def _loaded(folder: str, mark: str) -> Release:
    """Checked and read once. Kept here and not in a cache of Streamlit's, which a message from any visitor can empty."""
    if found := _releases.get((folder, mark)):
        return found
    with _reading:
        if (found := _releases.get((folder, mark))) is None:
            found = _releases[folder, mark] = load_release(Path(folder))
            while len(_releases) > MOST_RELEASES:
                _releases.popitem(last=False)
            # What stays for good need not be looked through for garbage again and again. What was frozen with the release before may have become garbage since.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        return found


MOST_RELEASES = 64
_releases: OrderedDict[tuple[str, str], Release] = OrderedDict()
"""Folder and fingerprint -> release, the one read last at the end."""
_reading = threading.Lock()
waits: list[Callable[[Release], bool]] = []
"""What a new release must be ready for before it takes the place of the one that is up; each says whether it is (`ahead.py`)."""
_kept: dict[str, Release] = {}
"""Folder -> the last release that could be shown from it, in this process."""


def newest() -> Release:
    """The release in place; while that one cannot be shown, the last that could. Raises ReleaseRefused when there was none."""
    return standing()[0]


def standing() -> tuple[Release, ReleaseRefused | None]:
    """The newest release, and why the one in place is refused where that is so. Raises ReleaseRefused when there is none to show."""
    folder = release_folder()
    kept = _kept.get(str(folder))
    try:
        found = load(folder)
    except ReleaseRefused as refused:
        if kept is None:
            raise
        log.warning("the release in %s is refused (%s); release %s stays up", folder, refused.reason, kept.version)
        return kept, refused
    if kept is not None and kept is not found and not all(ready(found) for ready in waits):
        return kept, None
    _kept[str(folder)] = found
    return found, None


def last_shown() -> Release | None:
    """The release that visitors see, without a look at the folder."""
    return _kept.get(str(release_folder()))


@dataclass(frozen=True)
class Serving:
    """The release shown, and the newest one. `unknown`: an earlier release was asked for that is not there."""

    shown: Release
    newest: Release
    unknown: bool = False

    @property
    def frozen(self) -> bool:
        return self.shown is not self.newest


def serving(version: str | None) -> Serving:
    """Raises ReleaseRefused when the newest release cannot be shown, or when the one asked for is there and cannot."""
    latest = newest()
    if not version or version == latest.version:
        return Serving(latest, latest)
    folder = folder_of(version, latest.folder)
    if folder == latest.folder or not folder.is_dir():
        return Serving(latest, latest, unknown=True)
    return Serving(load(folder), latest)


def load(folder: Path) -> Release:
    """A release from the cache, or checked and read. Raises ReleaseRefused."""
    return _loaded(str(folder), fingerprint(folder))


def all_releases(latest: Release, read: Callable[[Path], Release]) -> list[Release]:
    """The newest release and every earlier one that can be shown, oldest first."""
    found = []
    for entry in latest.package.get("history", ()):
        try:
            found.append(read(folder_of(str(entry["version"]), latest.folder)))
        except ReleaseRefused:
            continue  # the page of that release says why
    return [*found, latest]
