"""The beginning of a page as plain HTML within what its address answers: question, answer, large
number and first picture are there long before the app is, which loads two megabytes of scripts.

The app takes its place once it is whole (`assets/first_view.js`). Where no script runs, it stays.
"""

from __future__ import annotations

import runpy
import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from urllib.parse import quote, urlencode

from dashboard.app.navigation import DIRECT, menu_groups, ribbon_lines
from dashboard.app.page_style import ASSETS, root_colours
from dashboard.app.streamlit_surface import STILL, STILL_NARROW, plain_map
from dashboard.export import chart_image
from dashboard.export.html_surface import card_html, contents_html, lead_html, text_html, to_html
from dashboard.export.plain_twin import twin
from dashboard.figures.figure import Figure
from dashboard.page.app_folder import PAGES_FOLDER
from dashboard.page.page_cache import show, turn
from dashboard.page.pages_list import PAGES, groups, path_of, title_of
from dashboard.page.reported import shown_pages
from dashboard.page.standard_texts import crisis_bar
from dashboard.page.surface import Lead, written_apart
from dashboard.release.current import Serving
from dashboard.release.reader import Release
from dashboard.site.previews import Reading
from dashboard.text import language
from dashboard.text.language import DEFAULT, LANGUAGES, _, pick, tag

PHONE, DESK = 358, 1120
"""Widths of a chart in pixels: of a page at 390 and at 1280."""
OWN = frozenset({"lang", "at"})
"""What an address may ask for while the page stands as at first."""
STYLE = (ASSETS / "first_view.css").read_text(encoding="utf-8")
SCRIPT = (ASSETS / "first_view.js").read_text(encoding="utf-8")
_one_at_a_time = threading.Lock()
_kept: dict[tuple[Hashable, ...], str] = {}
"""Of the newest release alone, so that a new one frees what was kept of the one before."""


@dataclass
class Beginning(Reading):
    """A page that is read until its first figure: the filters, and what stands before it."""

    filters: list[tuple[str, str]] = field(default_factory=list)
    """(label, choice) in words."""
    before: list[str] | None = None
    """HTML of what stands before the first figure, once that is there."""

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        chosen = super().choose(key, label, options, default)
        self.filters.append((label, options[chosen]))
        return chosen

    def figure(self, figure: Figure) -> None:
        super().figure(figure)
        if self.before is None:
            self.before = list(self.body)


def html(release: Release, page: str, query: Mapping[str, str], *, phone: bool) -> str:
    """Style, beginning and script for a page (as in `PAGES`) of the newest release, in the language
    of the moment; nothing for a frame or an earlier release.

    An address with choices gets question and menu alone: what it asks for, the app works out.
    """
    if {"figure", "embed", "release"} & set(query):
        return ""
    # That an update is late depends on the day.
    lines = tuple(ribbon_lines(Serving(release, release)))
    key = (release, page, language.current(), phone, set(query) <= OWN, lines)
    found = _kept.get(key)
    if found is None:  # who asks for a page that is there does not wait for one being drawn
        with _one_at_a_time:
            found = _kept.get(key)
            if found is None:
                for old in [old for old in _kept if old[0] is not release]:
                    del _kept[old]
                found = _kept[key] = _html(release, page, phone, set(query) <= OWN, lines)
    return found


def _html(release: Release, page: str, phone: bool, at_first: bool, lines: Sequence[str]) -> str:
    name = path_of(page) or page
    read = Beginning(release, None, page, {})  # type: ignore[arg-type]  # it keeps no file and names no page
    with turn, written_apart(read):
        show(name, read, partial(runpy.run_path, str(PAGES_FOLDER / f"{page}.py")))
    lead = read.told
    assert lead is not None, "each page begins with its lead"
    skip, main = _("Skip to the content"), _main(read, lead, phone) if at_first else _question(lead)
    return (
        f"<style>{root_colours()}{STYLE}</style>"
        f'<div id="first-view"><a class="skip" href="#first-main">{text_html(skip)}</a>'
        f"{_header(release, page, lines)}"
        f'<main id="first-main" tabindex="-1">{main}{_coming(release, page)}</main></div>'
        f"<script>{SCRIPT}</script>"
    )


def _address(page: str, code: str) -> str:
    asked = f"?{urlencode({'lang': code})}" if code != DEFAULT else ""
    return f"./{path_of(page)}{asked}"


def _link(page: str, words: str, attributes: str = "") -> str:
    address = escape(_address(page, language.current()))
    return f'<a href="{address}"{attributes}>{text_html(words)}</a>'


def _header(release: Release, page: str, lines: Sequence[str]) -> str:
    code = language.current()
    place, site = text_html(pick(release.agency["place"])), text_html(_("Co-response in numbers"))
    others = "".join(
        f'<a href="{escape(_address(page, other))}" lang="{tag(other)}" hreflang="{tag(other)}">'
        f"{escape(words)}</a>"
        for other, words in LANGUAGES.items()
        if other != code
    )
    said = "".join(f"<p>{text_html(line)}</p>" for line in lines)
    ribbon = f'<div class="ribbon">{said}</div>' if said else ""
    return (
        f'<header><div class="first-bar"><a href="{escape(_address(PAGES[0], code))}">'
        f"<strong>{place}</strong><span> · {site}</span></a>"
        f'<div class="crisis">{to_html(crisis_bar(release.agency["country"]))}</div>{others}</div>'
        f"{_menu(release, page)}{ribbon}</header>"
    )


def _menu(release: Release, page: str) -> str:
    """As `navigation.menu`, with what opens by itself."""
    shown = shown_pages(release)
    direct, rest = menu_groups(groups(), shown)

    def link(name: str) -> str:
        return _link(name, title_of(name), ' aria-current="page"' if name == page else "")

    def opens(kind: str, words: str, names: list[str], inside: str) -> str:
        here = " here" if page in names else ""
        return (
            f'<details class="{kind}{here}"><summary>{text_html(words)}</summary>'
            f"<div>{inside}</div></details>"
        )

    wide, small, every = "", "", []
    for title, before, names in rest:
        every += [*before, *names]
        wide += "".join(f'<span class="wide">{link(name)}</span>' for name in before)
        small += "".join(map(link, before))
        if names:
            links = "".join(map(link, names))
            wide += opens("wide", title, names, links)
            small += f'<p class="heading">{text_html(title)}</p>{links}'
    menu = opens("small", _("Menu"), every, small)
    name = escape(_("All pages"))
    return (
        f'<nav class="first-menu" aria-label="{name}">'
        f"{''.join(link(name) for name in DIRECT if name in direct)}{wide}{menu}</nav>"
    )


def _question(lead: Lead) -> str:
    return f'<section class="lead"><h1 tabindex="-1">{text_html(lead.question)}</h1></section>'


def _main(read: Beginning, lead: Lead, phone: bool) -> str:
    """Lead, filters and first figure, in the order and measures of `streamlit_surface.py`."""
    filters = "".join(
        f"<div><p>{text_html(label)}</p><b>{text_html(chosen)}</b></div>"
        for label, chosen in read.filters
    )
    row = f'<div class="first-filters">{filters}</div>' if filters else ""
    if lead.doors:
        cards = "".join(
            f"<div>{card_html(card, 2)}<p>{_link(card.page, card.link)}</p></div>"
            for card in lead.doors
        )
        side = lead_html(lead) + f'<div class="first-cards">{cards}</div>{row}'
        first = _figure(lead.picture, phone) if lead.picture is not None else ""
        return f'<div class="first-two"><div>{side}</div><div>{first}</div></div>'
    listed = contents_html([(figure.slug, figure.title) for figure in read.found])
    before = "".join(read.body if read.before is None else read.before)
    shown = _figure(read.found[0], phone) if read.found and read.found[0].chart else ""
    return f"{lead_html(lead)}{listed}{row}{before}{shown}"


def _figure(figure: Figure, phone: bool) -> str:
    """Heading and picture; a map stands as on the first page, without its key."""
    said = text_html(language.in_english(figure.credit)) if figure.credit else ""
    width, kind = (PHONE if phone else DESK), " whole"
    if figure.map is not None:
        width, kind = (STILL_NARROW if phone else STILL), ""
        figure = plain_map(figure)
    svg = chart_image.following_the_reader(chart_image.chart_svg(figure, width))
    wide, high = chart_image.size_of(svg)
    subtitle = f'<p class="subtitle">{text_html(figure.subtitle)}</p>' if figure.subtitle else ""
    credit = f'<p class="subtitle">{said}</p>' if said else ""
    return (
        f"<h2>{text_html(figure.title)}</h2>{subtitle}"
        f'<img class="first-picture{kind}" src="data:image/svg+xml,{quote(svg, safe=SAFE)}"'
        f' alt="{escape(figure.alt)}" width="{wide}" height="{high}">{credit}'
    )


SAFE = " =:;,/()'!*@?[]{}|^`~+$"
"""Letters of a picture that may stand in an address within quotation marks as they are."""


def _coming(release: Release, page: str) -> str:
    """What is still missing, and where the numbers are for readers without scripts, or whose
    connection lets the app not through: `first_view.js` tells these after a while."""
    come = text_html(_("Charts and filters are loading."))
    late = text_html(
        _(
            "The full page has not loaded yet. Your connection may be slow, or may block it. What"
            " you see is right, but filters and more charts are missing."
        )
    )
    files = '<a href="./data/latest/datapackage.json">datapackage.json</a>'
    if plain := twin(release, page, {}):
        words = _("Plain version of this page, without scripts")
        link = f'<a href="{escape(plain)}">{text_html(words)}</a>'
        way = link
    else:
        words = _(
            "Without scripts, you see the beginning of each page. All numbers are also in files:"
        )
        link = f"{text_html(words)} {files}"
        again, also = _("Load the page again"), _("All numbers are also in files:")
        way = f'<a href="">{text_html(again)}</a>. {text_html(also)} {files}'
    return (
        f'<div class="coming" role="status"><p>{come}</p></div>'
        f'<template id="first-late"><p>{late}</p><p>{way}</p></template>'
        "<noscript><style>.coming[role]{display:none}</style>"
        f'<p class="coming">{link}</p></noscript>'
    )
