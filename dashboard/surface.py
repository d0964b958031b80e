"""What a page is written on: the screen (`screen.py`, Streamlit) or paper (`paper.py`, plain HTML).

Pages call these few things and nothing else, so that the static edition has every page without a second set of scripts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from dashboard.figure import Figure
from dashboard.release import Release

_here = threading.local()


@dataclass(frozen=True)
class Card:
    """A box of plain texts: what it is about, a figure in large letters with lines under it (where it has them), and a link to a page."""

    heading: str
    page: str
    link: str
    figure: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Take:
    """A file to take away, made when asked for: words of the button, name, how to make it, and its kind."""

    label: str
    name: str
    data: Callable[[], bytes]
    mime: str


class Surface(Protocol):
    """Texts are Markdown (labels from data go through `escape`); table cells are plain text."""

    release: Release
    choices: dict[str, str]
    """The filters asked for so far, as in the address; those at their default are left out."""

    def begin(self) -> None:
        """The page starts."""

    def releases(self) -> Sequence[Release]:
        """All releases that can be shown, oldest first."""

    def heading(self, text: str, level: int) -> None: ...

    def text(self, markdown: str) -> None: ...

    def caption(self, markdown: str) -> None: ...

    def info(self, markdown: str) -> None: ...

    def table(self, rows: pd.DataFrame, alt: str) -> None: ...

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None:
        """A link to a page at the given filters."""

    def cards(self, cards: Sequence[Card]) -> None:
        """Boxes, three side by side where there is room."""

    def fold(self, label: str, markdown: str) -> None:
        """Words that open on demand."""

    def choose(self, key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str: ...

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int: ...

    def files(self, files: Sequence[Take]) -> None:
        """Files to take away, side by side where there is room."""

    def figure(self, figure: Figure) -> None: ...

    def end(self, markdown: str) -> None:
        """The foot of the page."""


def write_on(surface: Surface | None) -> None:
    """Pages run in this thread write on `surface` from now on."""
    _here.surface = surface


def surface() -> Surface:
    found: Surface | None = getattr(_here, "surface", None)
    assert found is not None, "a page was written before `open_page`"
    return found


def framed() -> Surface:
    """The surface of this run, with its frame.

    Until the first visitor of a server has called `st.navigation`, Streamlit runs the files of a folder
    named `pages` directly, so that a link to a page would open it without language and navigation.
    """
    if getattr(_here, "surface", None) is None:
        import streamlit as st

        from dashboard.navigation import run_app

        run_app()
        st.stop()
    return surface()


def choose(key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
    """A filter whose code stands in the address as `key`. `options` maps codes to labels; an unknown code counts as the default."""
    return surface().choose(key, label, options, default)


def first_choice(options: Mapping[str, str], default: str | None) -> str:
    """Where a filter stands until a reader moves it."""
    return default if default is not None and default in options else next(iter(options))


ADDRESS = re.compile(r"https?:(?=//)|\bwww(?=\.)", re.IGNORECASE)
"""The beginning of what GitHub's Markdown makes a link by itself, also where every mark is escaped."""


def escape(text: str) -> str:
    """A label from data as plain text: nothing in it is read as Markdown or HTML. An invisible joiner keeps addresses from becoming links."""
    text = ADDRESS.sub(lambda found: f"{found[0]}\u2060", text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-!|$~:&" else c for c in text)
