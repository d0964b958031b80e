"""What a page is written on: Streamlit (`streamlit_surface.py`) or plain HTML (`html_surface.py`).

Pages call these few things and nothing else, so that the static edition has every page without a
second set of scripts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import pandas as pd

from dashboard.figures.figure import Figure
from dashboard.release.reader import Release

_here = threading.local()


@dataclass(frozen=True)
class Headline:
    """A page's answer in one sentence, with one large number: its base, and what it was before."""

    sentence: str
    number: str = ""
    base: str = ""
    before: str = ""


@dataclass(frozen=True)
class Lead:
    """The beginning of a page in plain texts: its question and answer, the time and release that
    they are about, and what a reader can do."""

    question: str
    headline: Headline
    when: str = ""
    action: str = ""
    picture: Figure | None = None
    doors: tuple[Card, ...] = ()


@dataclass(frozen=True)
class Card:
    """A box of plain texts: what it is about, a figure in large letters with lines under it (where
    it has them), and a link to a page.

    `missed`: a target is missed, which the box shows by its colour as well as in words."""

    heading: str
    page: str
    link: str
    figure: str = ""
    lines: tuple[str, ...] = ()
    missed: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of what can be looked up: its words and where it is, the page, the page's filters as
    (key, code), and the figure."""

    words: str
    where: str
    page: str
    filters: tuple[tuple[str, str], ...] = ()
    figure: str = ""


@dataclass(frozen=True)
class Cited:
    """A sentence (plain text) with the figure that it comes from: the figure's number in the text's
    list of sources, its page (as in `PAGES`), its slug there, and its title."""

    sentence: str
    number: int
    page: str
    figure: str
    title: str


@dataclass(frozen=True)
class Take:
    """A file to take away, made when asked for: words of the button, name, how to make it, and its
    kind."""

    label: str
    name: str
    data: Callable[[], bytes]
    mime: str


class Surface(Protocol):
    """What pages write on. Texts are Markdown (labels from data go through `escape`); table cells
    are plain text."""

    release: Release
    choices: dict[str, str]
    """The filters asked for so far, as in the address; those at their default are left out."""

    def begin(self) -> None:
        """The page starts."""

    def releases(self) -> Sequence[Release]:
        """All releases that can be shown, oldest first."""

    def lead(self, lead: Lead) -> None:
        """Question, answer and large number."""

    def heading(self, text: str, level: int) -> None: ...

    def text(self, markdown: str) -> None: ...

    def caption(self, markdown: str) -> None: ...

    def info(self, markdown: str) -> None: ...

    def table(self, rows: pd.DataFrame, alt: str) -> None: ...

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None:
        """A link to a page at the given filters."""

    def outside(self, page: str, filters: Mapping[str, str]) -> str:
        """The whole address of a page of the newest release at the given filters, in the reader's
        language, as it can be printed; empty where the agency names no site."""

    def cards(self, cards: Sequence[Card], level: int = 3) -> None:
        """Boxes, three side by side where there is room; `level`: of their headings."""

    def fold(self, label: str, markdown: str) -> None:
        """Words that open on demand."""

    def cited(self, parts: Sequence[tuple[str, Sequence[Cited]]]) -> None:
        """Paragraphs under headings, each sentence with a link to its figure; then the list of
        figures."""

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str: ...

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int: ...

    def files(self, files: Sequence[Take]) -> None:
        """Files to take away, side by side where there is room."""

    def addresses(self, heading: str, markdown: str, links: Sequence[tuple[str, str]]) -> None:
        """A part of the page about files at the top of the site, as (words, file). Left out where
        nothing answers there."""

    def figure(self, figure: Figure) -> None: ...

    def beside(self, figures: Sequence[Figure]) -> None:
        """Figures side by side where there is room."""

    def find(self, entries: Sequence[Entry]) -> None:
        """One box over everything that can be looked up."""

    def ways(self, entries: Sequence[Entry]) -> None:
        """A list of links within the site, each with a word behind it."""

    def end(self, markdown: str) -> None:
        """The foot of the page."""


@contextmanager
def written_apart(surface: Surface) -> Iterator[None]:
    """A context in which pages that run in this thread write on `surface`; after it, on what they
    wrote on before."""
    before: Surface | None = getattr(_here, "surface", None)
    write_on(surface)
    try:
        yield
    finally:
        write_on(before)


def write_on(surface: Surface | None) -> None:
    """Pages run in this thread write on `surface` from now on."""
    _here.surface = surface


def surface() -> Surface:
    found: Surface | None = getattr(_here, "surface", None)
    assert found is not None, "a page was written before `open_page`"
    return found


def framed() -> Surface:
    """The surface of this run, with its frame.

    Until the first visitor of a server has called `st.navigation`, Streamlit runs the files of a
    folder named `pages` directly, so that a link to a page would open it without language and
    navigation. The app is named here, not imported: a page knows nothing of who shows it.
    """
    if getattr(_here, "surface", None) is None:
        import streamlit as st

        import_module("dashboard.app.navigation").run_app()
        st.stop()
    return surface()


def choose(key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
    """A filter whose code the address keeps as `key`. `options` maps codes to labels; an
    unknown code counts as the default."""
    return surface().choose(key, label, options, default)


def outside(page: str, filters: Mapping[str, str]) -> str:
    """The address of a page as it can be printed; empty where the agency names no site."""
    return surface().outside(page, filters)


def first_choice(options: Mapping[str, str], default: str | None) -> str:
    """The option that a filter has until a reader chooses another."""
    return default if default is not None and default in options else next(iter(options))


ADDRESS = re.compile(r"https?:(?=//)|\bwww(?=\.)", re.IGNORECASE)
"""The beginning of what GitHub's Markdown makes a link by itself, also where every mark is
escaped."""


def escape(text: str) -> str:
    """A label from data as plain text: nothing in it is read as Markdown or HTML. An invisible
    joiner keeps addresses from becoming links."""
    text = ADDRESS.sub(lambda found: f"{found[0]}\u2060", text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-!|$~:&" else c for c in text)
