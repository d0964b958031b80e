"""All figures of all pages of a release, gathered without a server."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dashboard.export import citation
from dashboard.export.html_surface import Paper
from dashboard.figures.figure import Figure
from dashboard.page.pages_list import PAGES
from dashboard.page.surface import write_on
from dashboard.release.current import all_releases
from dashboard.release.reader import Release, load_release
from dashboard.text import language

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Nowhere:
    release: Release

    def keep(self, name: str, data: bytes) -> str:
        return name

    def page(self, name: str, choices: Mapping[str, str]) -> str:
        return name

    def outside(self, name: str, choices: Mapping[str, str]) -> str:
        return citation.newest_view(self.release, name, choices)

    def figure_page(self, figure: Figure) -> str:
        return ""

    def top(self, file: str) -> str:
        return file

    def pictures(self, figure: Figure) -> list[tuple[str, int, int]]:
        return [("x", 1, 1)]

    def takeaways(self, figure: Figure) -> list[tuple[str, str]]:
        return []

    def releases(self) -> list[Release]:
        return all_releases(self.release, load_release)


@dataclass
class Gathering(Paper):
    found: list[Figure] = field(default_factory=list)

    def figure(self, figure: Figure) -> None:
        self.found.append(figure)
        super().figure(figure)


def page_of(
    release: Release,
    name: str,
    code: str = "en",
    asked: Mapping[str, str] | None = None,
    kind: type[Gathering] = Gathering,
) -> Gathering:
    """One page, written on paper in the language `code`."""
    language.use(code)
    paper = kind(release, Nowhere(release), name, asked or {})
    write_on(paper)
    try:
        runpy.run_path(str(ROOT / "pages" / f"{name}.py"))
    finally:
        write_on(None)
    return paper


@cache
def _published(name: str, code: str) -> Gathering:
    return page_of(load_release(ROOT / "data_public"), name, code)


def published_page(name: str, code: str = "en") -> Gathering:
    """A page of the committed release as it opens, written once for all tests of a process.

    For tests that read it: one that changes the page, or what the page is made of, writes its own
    with `page_of`.
    """
    found = _published(name, code)
    language.use(code)
    return found


def published_figures(code: str = "en") -> list[Figure]:
    return [figure for name in PAGES for figure in published_page(name, code).found]
