"""Pages on the screen, with Streamlit's own widgets."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from html import escape as escape_html
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import pydeck as pdk
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.app import page_style, query_params
from dashboard.app.download_dialog import take_away
from dashboard.export import chart_image, citation
from dashboard.export.downloads import csv_bytes, file_name, in_language
from dashboard.export.html_surface import (
    MY_AREA,
    areas_html,
    card_html,
    cited_html,
    contents_html,
    lead_html,
    links_html,
    notes_of,
    table_html,
    text_html,
    to_html,
    ways_html,
)
from dashboard.export.plain_twin import twin
from dashboard.figures import keyboard_walk
from dashboard.figures.figure import Figure, View, seen
from dashboard.figures.maps import TOUCHED, Map, can_be_chosen, flat_map, height_of
from dashboard.figures.theme import Palette, palette
from dashboard.page.missing_choice import Filter, Missing, missing
from dashboard.page.pages_list import path_of
from dashboard.page.surface import Card, Cited, Entry, Lead, Take, escape, first_choice
from dashboard.release import current
from dashboard.release.current import all_releases, load, newest
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _, ngettext, number, rounded, unmarked

MAX_ROWS = 14
"""A table of more rows scrolls within its own height, its header in view."""
PHONE, DESK = 340, 700
"""Widths of the page's column that charts are laid out for, in pixels; and maps, where it is
wide."""
MAP_PHONE = 288
"""The same of a map on a phone: it does not shrink with its place, and so fits the narrowest."""


def colours() -> Palette:
    return palette(dark=getattr(st.context.theme, "type", "light") == "dark")


def screen_width() -> int:
    return PHONE if page_style.narrow() else DESK


def draw(figure: Figure) -> None:
    """The chart or map alone; drawn once for all visitors who see the same."""
    if figure.map:
        _map(figure)
        st.html(keyboard_walk.html(figure))
        st.html(_key(figure.map))
    elif figure.draw:
        specification = deepcopy(_specification(seen(figure, colours(), screen_width())))
        st.vega_lite_chart(spec=specification, width="stretch", alt=figure.alt, theme="streamlit")
        st.html(keyboard_walk.html(figure))


def _map(figure: Figure, key: str = "") -> str | None:
    """The map to move about in; the code of the area that the reader has chosen on it. Nothing can
    be chosen without a `key`."""
    assert figure.map is not None
    width = MAP_PHONE if page_style.narrow() else DESK
    deck, high = _deck(seen(figure, colours(), width)), height_of(width)
    if not key or not can_be_chosen(figure.map):
        st.pydeck_chart(deck, height=high, alt=figure.alt)
        return None
    state = st.pydeck_chart(deck, height=high, alt=figure.alt, on_select="rerun", key=key)
    chosen = state["selection"]["objects"].get(TOUCHED, [])
    code = chosen[0].get("properties", {}).get("code") if chosen else None
    return code if isinstance(code, str) and code in figure.map.places else None


@lru_cache(maxsize=64)
def _deck(view: View) -> pdk.Deck:
    assert view.figure.map is not None
    return view.figure.map.deck(view.colours, view.width)


@lru_cache(maxsize=512)
def _specification(view: View) -> dict[str, Any]:
    """The chart as Vega-Lite, its rows as Arrow, as Streamlit sends them."""
    assert view.figure.draw is not None
    chart: dict[str, Any] = view.figure.draw(
        colours=view.colours, narrow=view.width <= PHONE
    ).to_dict(validate=False)
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
    _notes(notes_of(figure))


def _notes(lines: Sequence[str], after: str = "") -> None:
    """Lines of Markdown in small letters, and HTML right under them."""
    if lines or after:
        notes = "".join(to_html(line) for line in lines)
        st.html((f'<div class="notes">{notes}</div>' if notes else "") + after)


STILL, STILL_NARROW = 500, 340
"""Width of a map that is a picture, on a wide screen and on a phone."""


def plain_map(figure: Figure) -> Figure:
    """A map as a flat drawing, without its key, which is shown next to it."""
    assert figure.map is not None
    return replace(figure, map=None, draw=partial(flat_map, figure.map))


def _plain_map(figure: Figure, width: int) -> View:
    """The same `width` pixels wide. In the light colours: a picture changes over by itself."""
    return seen(plain_map(figure), palette(dark=False), width)


@lru_cache(maxsize=64)
def _still(view: View, alt: str) -> str:
    """The map as a picture within the page; it follows the reader's light or dark by itself."""
    svg = chart_image.following_the_reader(chart_image.chart_svg(view.figure, view.width))
    width, height = chart_image.size_of(svg)
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img class="still" src="data:image/svg+xml;base64,{data}" alt="{escape_html(alt)}"'
        f' width="{width}" height="{height}">'
    )


def _key(drawn: Map) -> str:
    """The map's key as a row of words and swatches under its title; hatching has its own entry
    where there is any."""
    colour = colours()
    grounds = [colour.mark] if drawn.circles else colour.classes
    entries = list(zip(grounds, drawn.classes, strict=False))
    if any(place.rank is None for place in drawn.places.values()) or len(drawn.places) < len(
        drawn.frame
    ):
        entries.append(
            (
                f"repeating-linear-gradient(135deg,{colour.outline} 0 1px,transparent 1px 5px)",
                drawn.hatched,
            )
        )
    round_ = ";border-radius:50%" if drawn.circles else ""
    swatches = "".join(
        '<span><i aria-hidden="true"'
        f' style="background:{ground}{round_ if i == 0 else ""}"></i>{text_html(words)}</span>'
        for i, (ground, words) in enumerate(entries)
    )
    return f'<p class="key"><b>{text_html(drawn.title)}</b>{swatches}</p>'


class FrameKey:
    """A frame as the key of a cache, equal to itself alone. The frames of a page stay the same ones
    while the page is kept (`page_cache.py`)."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __hash__(self) -> int:
        return id(self.frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameKey) and self.frame is other.frame


@lru_cache(maxsize=512)
def _csv(rows: FrameKey) -> bytes:
    return csv_bytes(rows.frame)


@lru_cache(maxsize=1024)
def _table(rows: FrameKey, name: str) -> str:
    """A table as HTML, nothing in it read as markup."""
    return table_html(list(rows.frame.columns), rows.frame.itertuples(index=False, name=None), name)


def _rows_html(rows: pd.DataFrame, name: str, closed: str = "") -> str:
    """A table in a box that `mend.js` lets keys scroll where it is larger than its place.

    `closed`: the id under which a button opens it. Closed, it is out of sight only: readers of
    screens and of paper have it open.
    """
    kind = "rows" + (" long" if len(rows) > MAX_ROWS else "") + (" closed" if closed else "")
    place = f' id="{escape_html(closed)}"' if closed else ""
    return (
        f'<div class="{kind}"{place}'
        f' data-name="{escape_html(unmarked(name))}">{_table(FrameKey(rows), name)}</div>'
    )


@dataclass
class Screen:
    """One visitor's page. Everything is drawn where it is called."""

    release: Release
    page: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """Filter -> number of its options."""
    said: list[str] = field(default_factory=list)
    """Labels of the filters' choices, and rows and tables shown: announced at the end of the
    page."""
    rows: int = 0
    tables: int = 0
    figures: list[tuple[str, str]] = field(default_factory=list)
    """Slug and title of each figure shown, for the list of contents."""
    contents: DeltaGenerator | None = None
    """Where that list stands: under the lead, filled in when all figures are known."""
    top: DeltaGenerator | None = None
    """Where the lead of the page stands, above filters that were drawn before it."""
    right: DeltaGenerator | None = None
    """To its right, on the first page."""
    filters: DeltaGenerator | None = None
    """The one row of filters under it."""
    moved: list[str] = field(default_factory=list)
    """Sliders that stand elsewhere than at first."""

    def begin(self) -> None: ...

    def releases(self) -> Sequence[Release]:
        return all_releases(newest(), load)

    def lead(self, lead: Lead) -> None:
        with self.top or nullcontext():
            st.html(lead_html(lead))
            if lead.doors:
                self.cards(lead.doors, level=2)
            else:
                self.contents = st.empty()
        if lead.picture:
            with self.right or nullcontext():
                self._figure(lead.picture, still=lead.picture.map is not None)

    def heading(self, text: str, level: int) -> None:
        st.html(f"<h{level}>{text_html(text)}</h{level}>")

    def text(self, markdown: str) -> None:
        if "](tel:" in markdown:  # Streamlit would open a number in a new window
            st.html(f'<div class="prose help">{to_html(markdown)}</div>')
        elif unmarked(markdown) != markdown:  # nor does it say that a text is of another language
            st.html(f'<div class="prose">{to_html(markdown)}</div>')
        else:
            st.markdown(markdown)

    def caption(self, markdown: str) -> None:
        if unmarked(markdown) != markdown:
            st.html(f'<div class="notes">{to_html(markdown)}</div>')
        else:
            st.caption(markdown)

    def info(self, markdown: str) -> None:
        st.info(markdown)

    def table(self, rows: pd.DataFrame, alt: str) -> None:
        self._count(rows)
        st.html(_rows_html(rows, alt))

    def _count(self, rows: pd.DataFrame) -> None:
        self.rows, self.tables = self.rows + len(rows), self.tables + 1

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None:
        st.page_link(f"pages/{page}.py", label=words, query_params=dict(filters) or None)

    def outside(self, page: str, filters: Mapping[str, str]) -> str:
        return citation.newest_view(self.release, page, filters)

    def cards(self, cards: Sequence[Card], level: int = 3) -> None:
        with st.container(key=f"cards-{cards[0].page}"):
            for card in cards:
                with st.container(key=f"card-{card.page}{'-missed' if card.missed else ''}"):
                    st.html(card_html(card, level))
                    st.page_link(f"pages/{card.page}.py", label=card.link)

    def fold(self, label: str, markdown: str) -> None:
        with st.expander(label):
            self.text(markdown)

    def cited(self, parts: Sequence[tuple[str, Sequence[Cited]]]) -> None:
        # As seen from the page that is shown: the app may stand under any path.
        st.html(
            cited_html(
                self.release,
                parts,
                lambda t: citation.view_link(self.release, t.page, {}, ".", at=t.figure),
            )
        )

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        with self.filters or nullcontext():
            chosen = query_params.choose(self.page, key, label, options, default)
        self.sizes[key] = len(options)
        of = Filter(key, label, options, chosen)
        if gone := missing(query_params.asked(key), of, self.release, self.releases):
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
            Screen.link(
                self,
                self.page.replace("-", "_"),
                gone.link,
                {key: str(query_params.asked(key)), "release": gone.release, **more},
            )

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        found = int(st.slider(label, low, high, start, step, key=key))
        if found != start:
            self.moved.append(key)
        return found

    def _reset(self) -> None:
        """One way back, after the filters, while anything stands elsewhere than at first."""
        if changed := [*self.choices, *self.moved]:
            with self.filters or nullcontext():
                st.button(
                    _("Reset"),
                    key="reset",
                    type="tertiary",
                    on_click=query_params.reset,
                    args=(changed,),
                )

    def find(self, entries: Sequence[Entry]) -> None:
        found = st.selectbox(
            _("Find a place, a figure, a claim or a word"),
            entries,
            index=None,
            format_func=lambda entry: unmarked(f"{entry.words} – {entry.where}"),
            placeholder=_("Type here"),
            key="find",
        )
        if found is not None:
            at = {"at": found.figure} if found.figure else {}
            st.switch_page(f"pages/{found.page}.py", query_params=dict(found.filters) | at or None)

    def files(self, files: Sequence[Take]) -> None:
        with st.container(horizontal=True):
            for f in files:
                made = in_language(language.current(), f.data)
                st.download_button(
                    escape(f.label),
                    made,
                    f.name,
                    mime=f.mime,
                    key=f"file-{f.name}",
                    on_click="ignore",
                )

    def addresses(self, heading: str, markdown: str, links: Sequence[tuple[str, str]]) -> None:
        if not current.has_addresses:
            return
        self.heading(heading, 2)
        self.text(markdown)
        st.html(links_html([(words, f"/{file}") for words, file in links]))

    def figure(self, figure: Figure) -> None:
        self._figure(figure)

    def _figure(self, figure: Figure, *, still: bool = False) -> None:
        """`still`: a map as a picture, which is there at once and loads nothing."""
        name, closed = f"{figure.page}-{figure.slug}", figure.chart is not None or figure.folded
        subtitle = (
            f'<p class="subtitle">{text_html(figure.subtitle)}</p>' if figure.subtitle else ""
        )
        kind = ' class="folded"' if figure.folded else ""
        st.html(
            f'<h2 id="{escape_html(figure.slug)}"{kind}>{text_html(figure.title)}</h2>{subtitle}'
        )
        if still:
            assert figure.map is not None
            st.html(
                _still(
                    _plain_map(figure, STILL_NARROW if page_style.narrow() else STILL), figure.alt
                )
            )
            st.html(keyboard_walk.html(figure))
            st.html(_key(figure.map))
            _notes([escape(language.in_english(figure.credit))] if figure.credit else [])
        elif figure.map:
            self._map_with_areas(figure, figure.map, f"map-{name}")
        else:
            draw_with_notes(figure)
        self.figures.append((figure.slug, figure.title))
        self._count(figure.table)
        table = _rows_html(figure.table, figure.title, f"rows-{name}" if closed else "")
        if not closed:
            st.html(table)
        with st.container(horizontal=True, key=f"links-{name}"):
            if closed:
                rows = len(figure.table)
                words = escape_html(
                    ngettext("Table ({count} row)", "Table ({count} rows)", rows).format(
                        count=number(rows)
                    )
                )
                st.html(
                    '<button type="button" aria-expanded="false"'
                    f' data-rows="rows-{escape_html(name)}">{words}</button>'
                )
            size = _("{count} KB").format(count=rounded(len(_csv(FrameKey(figure.data))) / 1000))
            label = (
                _("Download ({size})")
                if closed
                else ngettext(
                    "Download ({rows} row, {size})",
                    "Download ({rows} rows, {size})",
                    len(figure.data),
                )
            )
            if page_style.narrow():  # the links stay on one row
                label = _("Download")
            st.download_button(
                label.format(rows=number(len(figure.data)), size=size),
                lambda: csv_bytes(figure.data),
                file_name(*figure.file, "release", self.release.version),
                mime="text/csv",
                key=f"csv-{name}",
                on_click="ignore",
                type="tertiary",
            )
            take_away(figure, self.release)
        if closed:
            st.html(table)

    def _map_with_areas(self, figure: Figure, drawn: Map, key: str) -> None:
        """The map, the card of the area chosen on it, and all its areas as links for keys."""
        code = _map(figure, key)
        st.html(keyboard_walk.html(figure))
        if code is not None:
            place = drawn.places[code]
            with st.container(key=f"chosen-{key}"):
                st.html(
                    f'<p role="status"><b>{text_html(place.label)}</b> {text_html(place.words)}</p>'
                )
                if place.leads:
                    words = _("Open My area: {area}").format(area=escape(place.label))
                    self.link("neighborhood", words, {MY_AREA: code})
        st.html(_key(drawn))
        listed = areas_html(drawn, lambda code: self._address("neighborhood", {MY_AREA: code}))
        _notes(notes_of(figure), listed)

    def ways(self, entries: Sequence[Entry]) -> None:
        st.html(ways_html(entries, lambda e: self._address(e.page, dict(e.filters))))

    def _address(self, page: str, filters: Mapping[str, str]) -> str:
        """The address of a page at some filters, as seen from the page that is shown."""
        query = dict(filters)
        if language.current() != language.DEFAULT:
            query["lang"] = language.current()
        if "release" in st.query_params:
            query["release"] = self.release.version
        return f"./{path_of(page)}?{urlencode(query)}"

    def beside(self, figures: Sequence[Figure]) -> None:
        for column, figure in zip(st.columns(len(figures), gap="large"), figures, strict=True):
            with column:
                self.figure(figure)

    def end(self, markdown: str) -> None:
        self._reset()
        if self.contents and (listed := contents_html(self.figures)):
            self.contents.html(listed)
        if self.said:
            words = _("Now shown: {choices}. {rows} rows in {tables} tables.")
            page_style.announce(
                words.format(
                    choices="; ".join(self.said), rows=number(self.rows), tables=number(self.tables)
                )
            )
        left, right = st.columns(2)
        with left:
            st.page_link("pages/methods.py", label=_("Methods and privacy"))
        with right:
            st.page_link("pages/glossary.py", label=_("Glossary and accessibility"))
        plain = twin(self.release, self.page.replace("-", "_"), self.choices, self.sizes.values())
        if plain:
            words = text_html(_("Plain version of this page, without scripts"))
            plain = f'<p><a href="{escape_html(plain)}">{words}</a></p>'
        st.html(f'<footer class="foot">{to_html(markdown)}{plain}</footer>')


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
        st.html(
            f"<h3>{text_html(figure.title)}</h3>"
            + (f'<p class="subtitle">{text_html(figure.subtitle)}</p>' if figure.subtitle else "")
        )
        draw_with_notes(figure)
        super().table(figure.table, figure.title)

    def table(self, rows: pd.DataFrame, alt: str) -> None: ...

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        chosen = query_params.read(key, options, default)
        of = Filter(key, label, options, chosen)
        gone = missing(query_params.asked(key), of, self.release, self.releases)
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
        st.html(f'<footer class="foot">{to_html(markdown)}</footer>')

    def lead(self, lead: Lead) -> None: ...

    def beside(self, figures: Sequence[Figure]) -> None:
        for figure in figures:
            self.figure(figure)

    def heading(self, text: str, level: int) -> None: ...

    def text(self, markdown: str) -> None: ...

    def caption(self, markdown: str) -> None: ...

    def info(self, markdown: str) -> None: ...

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None: ...

    def cards(self, cards: Sequence[Card], level: int = 3) -> None: ...

    def fold(self, label: str, markdown: str) -> None: ...

    def cited(self, parts: Sequence[tuple[str, Sequence[Cited]]]) -> None: ...

    def find(self, entries: Sequence[Entry]) -> None: ...

    def ways(self, entries: Sequence[Entry]) -> None: ...

    def files(self, files: Sequence[Take]) -> None: ...

    def addresses(self, heading: str, markdown: str, links: Sequence[tuple[str, str]]) -> None: ...


@dataclass
class PrerenderSurface(Embedded):
    """A page written ahead, without a visitor: every filter has its first choice. Charts, maps and
    tables are put into the caches for those who come.

    `pause` is called between two steps of the page.
    """

    pause: Callable[[], None] = lambda: None

    def releases(self) -> Sequence[Release]:
        return all_releases(self.release, load)

    def lead(self, lead: Lead) -> None:
        if lead.picture and lead.picture.map:
            for width in (STILL, STILL_NARROW):
                _still(_plain_map(lead.picture, width), lead.picture.alt)
        elif lead.picture:
            self.figure(lead.picture)

    def figure(self, figure: Figure) -> None:
        self.pause()  # figures side by side are written in one step
        _csv(FrameKey(figure.data))
        light = palette(dark=False)
        if figure.map:
            for width in (MAP_PHONE, DESK):
                _deck(seen(figure, light, width))
            return
        if figure.draw:
            for width in (PHONE, DESK):
                _specification(seen(figure, light, width))
        self.table(figure.table, figure.title)

    def table(self, rows: pd.DataFrame, alt: str) -> None:
        _table(FrameKey(rows), alt)

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        return first_choice(options, default)

    def end(self, markdown: str) -> None: ...
