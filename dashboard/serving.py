"""Which release a visitor sees: the newest, or an earlier one by its number (`?release=2025.4`)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.release import Release, ReleaseRefused, fingerprint, load_release

HISTORY = "history"
VERSION = re.compile(r"[0-9]{4}\.[0-9]+(\.[0-9]+)?")


def release_folder() -> Path:
    return Path(os.environ.get("RELEASE_DIR", "data_public"))


def folder_of(version: str | None, newest: Path) -> Path:
    """Where a release lies. Only a well-formed number ever becomes part of a path."""
    if version and VERSION.fullmatch(version):
        return newest / HISTORY / version
    return newest


@st.cache_resource(show_spinner=False, max_entries=12)
def _loaded(folder: str, mark: str) -> Release:
    return load_release(Path(folder))


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
    newest = load(release_folder())
    if not version or version == newest.version:
        return Serving(newest, newest)
    folder = folder_of(version, newest.folder)
    if folder == newest.folder or not folder.is_dir():
        return Serving(newest, newest, unknown=True)
    return Serving(load(folder), newest)


def load(folder: Path) -> Release:
    """A release from the cache, or checked and read. Raises ReleaseRefused."""
    return _loaded(str(folder), fingerprint(folder))


def all_releases(newest: Release, read: Callable[[Path], Release]) -> list[Release]:
    """The newest release and every earlier one that can be shown, oldest first."""
    found = []
    for entry in newest.package.get("history", ()):
        try:
            found.append(read(folder_of(str(entry["version"]), newest.folder)))
        except ReleaseRefused:
            continue  # the page of that release says why
    return [*found, newest]


__all__ = ["ReleaseRefused", "Serving", "all_releases", "folder_of", "load", "release_folder", "serving"]
