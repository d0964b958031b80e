"""Pages on the screen, with Streamlit's own widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pydeck as pdk
import streamlit as st

from dashboard import address, frame, language
from dashboard.exports import csv_bytes, file_name, in_language
from dashboard.figure import Figure, View, seen
from dashboard.language import _, number
from dashboard.maps import MAP_HEIGHT
from dashboard.missing_choice import Missing, missing
from dashboard.paper import card_html
from dashboard.release import Release
from dashboard.serving import all_releases, load, newest
from dashboard.surface import Card, Take, escape, first_choice
from dashboard.takeaway import take_away
from dashboard.theme import Palette, palette

BESIDE = 3
"""Cards side by side on a wide screen; on a phone they stand one under the other."""
MOST_ROWS, LONG_TABLE = 14, 460
"""A table of more rows scrolls within this height (pixels), its header in view."""
PHONE, DESK = 290, 640


def colours() -> Palette:
    return palette(dark=getattr(st.context.theme, "type", "light") == "dark")


def screen_width() -> int:
    """A guess at the width of the page's column in pixels, to fit a map: phones say so themselves."""
    return PHONE if "Mobi" in st.context.headers.get("User-Agent", "") else DESK


def draw(figure: Figure) -> None:
    """The chart or map alone; drawn once for all visitors who see the same."""
    if not figure.map and not figure.draw:
        return
    if figure.map:
        st.pydeck_chart(_deck(seen(figure, colours(), screen_width())), height=MAP_HEIGHT, alt=figure.alt)
        _key(figure.map.classes, figure.map.hatched)
    else:
        specification = deepcopy(_specification(seen(figure, colours())))
        st.vega_lite_chart(spec=specification, width="stretch", alt=figure.alt, theme="streamlit")


@lru_cache(maxsize=64)
def _deck(view: View) -> pdk.Deck:
    assert view.figure.map is not None
    return view.figure.map.deck(view.colours, view.width)


@lru_cache(maxsize=512)
def _specification(view: View) -> dict[str, Any]:
    """The chart as Vega-Lite, its rows as Arrow, as Streamlit sends them."""
    assert view.figure.draw is not None
    chart: dict[str, Any] = view.figure.draw(colours=view.colours).to_dict(validate=False)
    for size in ("continuousWidth", "continuousHeight"):  # Altair's own, for a page without a width
        chart.get("config", {}).get("view", {}).pop(size, None)
    for name, rows in chart.get("datasets", {}).items():
        sink = pa.BufferOutputStream()
        table = pa.Table.from_pylist(rows)
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        chart["datasets"][name] = sink.getvalue().to_pybytes()
    return chart


def draw_with_notes(figure: Figure) -> None:
    draw(figure)
    for line in figure.notes():
        st.caption(line)


def _key(classes: Sequence[str], hatched: str) -> None:
    """The map's key as a row of words and swatches; hatching has its own entry."""
    colour = colours()
    hatch = f"repeating-linear-gradient(135deg,{colour.outline} 0 1px,transparent 1px 5px)"
    entries = [*zip(colour.classes, classes, strict=False), (hatch, hatched)]
    swatches = [
        f'<span style="white-space:nowrap;margin-right:1em"><span aria-hidden="true" style="display:inline-block;width:1em;height:1em;'
        f'border:1px solid {colour.outline};background:{ground};vertical-align:-0.15em"></span> {words}</span>'
        for ground, words in entries
    ]
    st.html(f'<div style="line-height:1.9">{"".join(swatches)}</div>')


class Same:
    """A frame as the key of a cache: like itself alone. The frames of a page stay the same ones while the page is kept (`written.py`)."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __hash__(self) -> int:
        return id(self.frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.frame is other.frame


@lru_cache(maxsize=1024)
def _plain(rows: Same) -> pa.Table:
    """A table as Streamlit sends it, nothing in it read as markup."""
    plain = {escape(str(name)): [escape(str(cell)) for cell in cells] for name, cells in rows.frame.items()}
    return pa.Table.from_pandas(pd.DataFrame(plain))


@dataclass
class Screen:
    """One visitor's page. Everything is drawn where it is called."""

    release: Release
    page: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    """Labels of the filters' choices, and rows and tables shown: announced at the end of the page."""
    rows: int = 0
    tables: int = 0

    def begin(self) -> None: ...

    def releases(self) -> Sequence[Release]:
        return all_releases(newest(), load)

    def heading(self, text: str, level: int) -> None:
        {1: st.title, 2: st.header, 3: st.subheader}[level](escape(text), anchor=False)

    def text(self, markdown: str) -> None:
        st.markdown(markdown)

    def caption(self, markdown: str) -> None:
        st.caption(markdown)

    def info(self, markdown: str) -> None:
        st.info(markdown)

    def table(self, rows: pd.DataFrame, alt: str) -> None:
        shown = _plain(Same(rows))
        self.rows, self.tables = self.rows + len(shown), self.tables + 1
        st.table(shown, hide_index=True, alt=alt, height=LONG_TABLE if len(shown) > MOST_ROWS else "content")

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None:
        st.page_link(f"pages/{page}.py", label=words, query_params=dict(filters) or None)

    def cards(self, cards: Sequence[Card]) -> None:
        for row in (cards[i : i + BESIDE] for i in range(0, len(cards), BESIDE)):
            for column, card in zip(st.columns(BESIDE), row, strict=False):
                with column, st.container(border=True, height="stretch"):
                    st.html(card_html(card))
                    st.page_link(f"pages/{card.page}.py", label=card.link)

    def fold(self, label: str, markdown: str) -> None:
        with st.expander(label):
            st.markdown(markdown)

    def choose(self, key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
        chosen = address.choose(self.page, key, label, options, default)
        if gone := missing(address.asked(key), key, label, options, chosen, self.release, self.releases):
            self.said.append(gone.said)
            st.warning(escape(f"{gone.said} {gone.instead}"))
            self._elsewhere(gone, key, {})
        self.said.append(f"{label}: {options[chosen]}")
        if chosen != first_choice(options, default):
            self.choices[key] = chosen
        return chosen

    def _elsewhere(self, gone: Missing, key: str, more: Mapping[str, str]) -> None:
        """A link to this page in a release that has the choice, where there is one."""
        if gone.release:
            Screen.link(self, self.page.replace("-", "_"), gone.link, {key: str(address.asked(key)), "release": gone.release, **more})

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        return int(st.slider(label, low, high, start, step, key=key))

    def files(self, files: Sequence[Take]) -> None:
        with st.container(horizontal=True):
            for f in files:
                made = in_language(language.current(), f.data)
                st.download_button(escape(f.label), made, f.name, mime=f.mime, key=f"file-{f.name}", on_click="ignore")

    def figure(self, figure: Figure) -> None:
        st.header(escape(figure.title), anchor=False)
        draw_with_notes(figure)
        if not figure.map:
            self.table(figure.table, figure.title)
        with st.container(horizontal=True):
            st.download_button(
                _("Download these rows (CSV)"), lambda: csv_bytes(figure.data), file_name(*figure.file, "release", self.release.version),
                mime="text/csv", key=f"csv-{figure.page}-{figure.slug}", on_click="ignore",
            )  # fmt: skip
            take_away(figure, self.release)

    def end(self, markdown: str) -> None:
        if self.said:
            words = _("Now shown: {choices}. {rows} rows in {tables} tables.")
            frame.announce(words.format(choices="; ".join(self.said), rows=number(self.rows), tables=number(self.tables)))
        st.divider()
        left, right = st.columns(2)
        with left:
            st.page_link("pages/methods.py", label=_("Methods and privacy"))
        with right:
            st.page_link("pages/glossary.py", label=_("Glossary and accessibility"))
        st.caption(markdown)


@dataclass
class Embedded(Screen):
    """One figure alone, in a frame on someone else's page."""

    wanted: str = ""
    found: bool = False
    gone: list[Missing] = field(default_factory=list)
    """Choices that the address asks for and the page does not have, said before the figure."""

    def figure(self, figure: Figure) -> None:
        if figure.slug != self.wanted or self.found:
            return
        self.found = True
        for gone in self.gone:
            st.caption(escape(gone.instead))
        st.subheader(escape(figure.title), anchor=False)
        draw_with_notes(figure)
        super().table(figure.table, figure.title)

    def table(self, rows: pd.DataFrame, alt: str) -> None: ...

    def choose(self, key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
        chosen = address.read(key, options, default)
        gone = missing(address.asked(key), key, label, options, chosen, self.release, self.releases)
        if gone and not self.found:
            self.gone.append(gone)
            st.warning(escape(gone.said))
            self._elsewhere(gone, key, {"figure": self.wanted})
        if chosen != first_choice(options, default):
            self.choices[key] = chosen
        return chosen

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        return start

    def end(self, markdown: str) -> None:
        if not self.found:
            st.info(_("This figure is not in this release."))
        st.caption(markdown)

    def heading(self, text: str, level: int) -> None: ...

    def text(self, markdown: str) -> None: ...

    def caption(self, markdown: str) -> None: ...

    def info(self, markdown: str) -> None: ...

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None: ...

    def cards(self, cards: Sequence[Card]) -> None: ...

    def fold(self, label: str, markdown: str) -> None: ...

    def files(self, files: Sequence[Take]) -> None: ...


@dataclass
class Nobody(Embedded):
    """A page without a visitor: every filter stands where it stands at first. Charts, maps and tables are made ready for those who come.

    `pause` is called between two steps of the page.
    """

    pause: Callable[[], None] = lambda: None

    def releases(self) -> Sequence[Release]:
        return all_releases(self.release, load)

    def figure(self, figure: Figure) -> None:
        light = palette(dark=False)
        if figure.map:
            for width in (PHONE, DESK):
                _deck(seen(figure, light, width))
            return
        if figure.draw:
            _specification(seen(figure, light))
        self.table(figure.table, figure.title)

    def table(self, rows: pd.DataFrame, alt: str) -> None:
        _plain(Same(rows))

    def choose(self, key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
        return first_choice(options, default)

    def end(self, markdown: str) -> None: ...
