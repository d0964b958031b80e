"""Which release a visitor sees: the newest, or an earlier one by its number (`?release=2025.4`)."""

from __future__ import annotations

import gc
import hashlib
import logging
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dashboard.release.reader import Release, ReleaseRefused, fingerprint, load_release

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
    """Checked and read once. Kept here and not in a cache of Streamlit's, which a message from any
    visitor can empty. Raises ReleaseRefused."""
    if found := _releases.get((folder, mark)):
        return found
    with _reading:
        if found := _releases.get((folder, mark)):
            return found
        if (said := _refused.get((folder, mark))) and time.monotonic() - said[1] < TRIED_AGAIN:
            raise said[0]
        try:
            found = _releases[folder, mark] = load_release(Path(folder))
        except ReleaseRefused as refused:
            if (folder, mark) not in _refused:
                log.warning("the release in %s is refused (%s)", folder, refused)
            _refused.clear()
            _refused[folder, mark] = refused, time.monotonic()
            raise
        while len(_releases) > MAX_RELEASES:
            _releases.popitem(last=False)
        # What stays for good need not be looked through for garbage again and again. What was
        # frozen with the release before may have become garbage since.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return found


MAX_RELEASES = 64
TRIED_AGAIN = 10
"""Seconds after which a release that was refused is read again: it may have been read while it was
being put in place."""
_releases: OrderedDict[tuple[str, str], Release] = OrderedDict()
"""Folder and fingerprint -> release, the one read last at the end."""
_refused: dict[tuple[str, str], tuple[ReleaseRefused, float]] = {}
"""The last that was refused, and when."""
_reading = threading.Lock()
waits: list[Callable[[Release], bool]] = []
"""What a new release must be ready for before it takes the place of the one that is up; each says
whether it is (`prerender.py`)."""
in_background: Callable[[Callable[[], None]], None] | None = None
"""Does a work while visitors go on; without it a new release is read by the first visitor who finds
it."""
has_addresses = False
"""Does `service.py` answer besides the pages, with data, feed and calendar? Not where Streamlit
runs `streamlit_app.py` alone."""
_kept: dict[str, Release] = {}
"""Folder -> the last release that could be shown from it, in this process."""
_told: dict[str, str] = {}
"""Folder -> why it is refused, as the log has it already: each visit asks again."""


def newest() -> Release:
    """The release in place; while that one cannot be shown, the last that could. Raises
    ReleaseRefused when there was none."""
    return standing()[0]


def standing() -> tuple[Release, ReleaseRefused | None]:
    """The newest release, and why the one in place is refused where that is so. Raises
    ReleaseRefused when there is none to show."""
    folder = release_folder()
    kept = _kept.get(str(folder))
    try:
        if kept is not None and in_background is not None and not _is_read(folder):
            in_background(partial(_try, folder))
            return kept, None
        found = load(folder)
    except ReleaseRefused as refused:
        if kept is None:
            raise
        if _told.get(str(folder)) != str(refused):
            log.warning(
                "the release in %s is refused (%s); release %s stays up",
                folder,
                refused,
                kept.version,
            )
        _told[str(folder)] = str(refused)
        return kept, refused
    _told.pop(str(folder), None)
    if kept is not None and kept is not found and not all(ready(found) for ready in waits):
        return kept, None
    _kept[str(folder)] = found
    return found, None


def _is_read(folder: Path) -> bool:
    """Is the release in place read or refused already, so that a look at it costs nothing?"""
    try:
        place = str(folder), fingerprint(folder)
    except OSError:
        return True
    return place in _releases or (
        place in _refused and time.monotonic() - _refused[place][1] < TRIED_AGAIN
    )


def _try(folder: Path) -> None:
    with suppress(ReleaseRefused):  # the next visit is refused from memory
        load(folder)


def last_shown() -> Release | None:
    """The release that visitors see, without a look at the folder."""
    return _kept.get(str(release_folder()))


@dataclass(frozen=True)
class Serving:
    """The release shown, and the newest one. `unknown`: an earlier release was asked for that is
    not there."""

    shown: Release
    newest: Release
    unknown: bool = False

    @property
    def frozen(self) -> bool:
        return self.shown is not self.newest


def serving(version: str | None) -> Serving:
    """Raises ReleaseRefused when the newest release cannot be shown, or when the one asked for is
    there and cannot."""
    latest = newest()
    if not version or version == latest.version:
        return Serving(latest, latest)
    folder = folder_of(version, latest.folder)
    if folder == latest.folder or not folder.is_dir():
        return Serving(latest, latest, unknown=True)
    return Serving(earlier(latest, version, load), latest)


def load(folder: Path) -> Release:
    """A release from the cache, or checked and read. Raises ReleaseRefused."""
    try:
        mark = fingerprint(folder)
    except OSError as error:
        raise ReleaseRefused("missing", type(error).__name__) from None
    return _loaded(str(folder), mark)


def earlier(latest: Release, version: str, read: Callable[[Path], Release]) -> Release:
    """An earlier release, if it is the one that the newest tells of, byte for byte. Raises
    ReleaseRefused."""
    told = {
        str(entry["version"]): str(entry["datapackage_sha256"])
        for entry in latest.package.get("history", ())
    }
    found = read(folder_of(version, latest.folder))
    if told.get(version) != hashlib.sha256(found.files["datapackage.json"]).hexdigest():
        raise ReleaseRefused(
            "changed",
            f"release {version} in history is not the one that release {latest.version} tells of",
        )
    return found


def all_releases(latest: Release, read: Callable[[Path], Release]) -> list[Release]:
    """The newest release and every earlier one that can be shown, oldest first."""
    found = []
    for entry in latest.package.get("history", ()):
        try:
            found.append(earlier(latest, str(entry["version"]), read))
        except ReleaseRefused:
            continue  # the page of that release says why
    return [*found, latest]
