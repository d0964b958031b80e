"""Pages written ahead of their first visitor: every page in every language, with filters where they stand at first.

Without it, the first crowd after a start or a new release would wait while each page is written for the first time.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dashboard import language
from dashboard.figure import Figure
from dashboard.pages_list import PAGES
from dashboard.release import Release, ReleaseRefused
from dashboard.screen import prepare
from dashboard.serving import all_releases, load, newest
from dashboard.surface import first_choice
from dashboard.written import TOLD, show, turn

SCRIPTS = Path(__file__).resolve().parent.parent / "pages"


@dataclass
class Nobody:
    """A visitor who leaves every filter where it stands, and for whom charts are drawn as on a wide light screen."""

    release: Release
    choices: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in TOLD:
            raise AttributeError(name)
        return lambda *_told: None

    def choose(self, key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
        return first_choice(options, default)

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        return start

    def releases(self) -> Sequence[Release]:
        return all_releases(newest(), load)

    def figure(self, figure: Figure) -> None:
        prepare(figure, self.release)


def script(page: str) -> Callable[[], dict[str, Any]]:
    return partial(runpy.run_path, str(SCRIPTS / f"{page}.py"))


def write_ahead(release: Release) -> None:
    """All pages of a release; visitors have their turn in between."""
    for code in language.LANGUAGES:
        language.use(code)
        for page in PAGES:
            with turn:
                show(page, Nobody(release), script(page))


@dataclass
class Ahead:
    """Remembers which release its pages are written for."""

    written: Release | None = None

    def look(self) -> None:
        """Write the pages of the newest release, if that was not done yet. What cannot be shown is left to the pages and `/health`, which say why."""
        try:
            release = newest()
        except ReleaseRefused:
            return
        if release is not self.written:
            write_ahead(release)
            self.written = release
