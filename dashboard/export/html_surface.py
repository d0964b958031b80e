"""Pages on paper: plain HTML that needs no server and no script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

import pandas as pd
from markdown_it import MarkdownIt

from dashboard.export import citation
from dashboard.figures import keyboard_walk
from dashboard.figures.figure import Figure
from dashboard.figures.maps import Map
from dashboard.page.missing_choice import Filter, missing
from dashboard.page.pages_list import title_of
from dashboard.page.surface import Card, Cited, Entry, Lead, Take, first_choice
from dashboard.page.surface import escape as as_markdown
from dashboard.release.reader import Release
from dashboard.text.language import (
    _,
    direction,
    in_english,
    ngettext,
    number,
    replace_marked,
    unmarked,
)

MY_AREA = "area"
"""The filter of the page "My area"."""
_markdown = MarkdownIt("commonmark", {"html": False})


class Shelf(Protocol):
    """Where files of a page go, and how a page names them."""

    def keep(self, name: str, data: bytes) -> str:
        """Keep a file; gives its address as seen from the page."""

    def page(self, name: str, choices: Mapping[str, str]) -> str:
        """The address of another page."""

    def outside(self, name: str, choices: Mapping[str, str]) -> str:
        """The whole address of a page of the newest release; empty where no site is named."""

    def figure_page(self, figure: Figure) -> str:
        """The address of a page that holds one figure as its page has it at first; empty where
        figures have none."""

    def top(self, file: str) -> str:
        """The address of a file at the top of the site."""

    def pictures(self, figure: Figure) -> list[tuple[str, int, int]]:
        """(address, width, height) of the drawn chart, narrowest first."""

    def takeaways(self, figure: Figure) -> list[tuple[str, str]]:
        """(words, address) of the files of one figure."""

    def releases(self) -> list[Release]: ...


def with_languages(html: str) -> str:
    """HTML in which texts of another language stand in elements that say so."""
    return replace_marked(
        html, lambda code, words: f'<bdi lang="{code}" dir="{direction(code)}">{words}</bdi>'
    )


def text_html(words: str) -> str:
    """Plain words as HTML between tags; where a tag itself holds words, `escape`."""
    return with_languages(escape(words))


def to_html(markdown: str) -> str:
    return with_languages(str(_markdown.render(markdown)))


def notes_of(figure: Figure) -> list[str]:
    """What stands under a figure, as Markdown: its notes, then who drew what its map shows besides
    the areas."""
    return [*figure.notes(), *([as_markdown(in_english(figure.credit))] if figure.credit else [])]


def table_html(columns: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> str:
    """A table of plain texts; the first cell of a row is its head."""
    head = "".join(f'<th scope="col">{text_html(str(column))}</th>' for column in columns)
    lines = "".join(
        f'<tr><th scope="row">{_breaking(str(first))}</th>'
        f"{''.join(_cell(str(cell)) for cell in rest)}</tr>"
        for first, *rest in rows
    )
    caption = f"<caption>{text_html(name)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


SHORT, LONG = 14, 44
"""Letters of a cell that stays on one line, and of one that needs room for several words on a
line."""
NAME = re.compile(r"\w+")


def _breaking(text: str) -> str:
    """Names of files and columns may break after each part."""
    return text_html(text).replace("_", "_<wbr>") if NAME.fullmatch(text) else text_html(text)


def _cell(text: str) -> str:
    return (
        f'<td class="short">{text_html(text)}</td>'
        if len(text) <= SHORT
        else f"<td{_roomy(text)}>{_breaking(text)}</td>"
    )


def _roomy(text: str) -> str:
    return ' class="text"' if len(text) > LONG else ""


def scrolling(table: str, name: str) -> str:
    """A table that scrolls sideways within itself, by keys too."""
    name = escape(unmarked(name))
    return f'<div class="scroll" role="region" aria-label="{name}" tabindex="0">{table}</div>'


def links_html(links: Sequence[tuple[str, str]]) -> str:
    """(words, address) as a list."""
    items = "".join(
        f'<li><a href="{escape(address)}">{text_html(words)}</a></li>' for words, address in links
    )
    return f'<ul class="addresses">{items}</ul>'


def lead_html(lead: Lead) -> str:
    """Question, answer, large number with its base and what it was, then of what time and release
    it speaks."""
    told = lead.headline
    parts = [
        f'<h1 tabindex="-1">{text_html(lead.question)}</h1>',
        f'<p class="answer">{text_html(told.sentence)}</p>' if told.sentence else "",
    ]
    if told.number:
        words = "" if any(letter.isdigit() for letter in told.number) else " words"
        parts.append(f'<p class="number{words}">{text_html(told.number)}</p>')
        end = "" if told.base.endswith((".", "?")) or not told.before else "."
        parts.append(
            f"<p>{text_html(f'{told.base}{end} {told.before}'.strip())}</p>"
            if told.base or told.before
            else ""
        )
    parts.append(f'<p class="quiet">{text_html(lead.when)}</p>' if lead.when else "")
    parts.append(f"<p>{text_html(lead.action)}</p>" if lead.action and not lead.doors else "")
    return f'<section class="lead">{"".join(parts)}</section>'


def card_html(card: Card, level: int = 3) -> str:
    """A card without its link; `level`: of its heading."""
    figure = f'<p class="figure">{text_html(card.figure)}</p>' if card.figure else ""
    lines = "".join(f"<p>{text_html(line)}</p>" for line in card.lines)
    return f"<h{level}>{text_html(card.heading)}</h{level}>{figure}{lines}"


def cited_html(
    release: Release,
    parts: Sequence[tuple[str, Sequence[Cited]]],
    address: Callable[[Cited], str],
) -> str:
    """Paragraphs, a small number behind each sentence that leads to its figure, and the figures in
    order of these numbers. In print each figure has its lasting address, where the release has
    one."""
    body = []
    for heading, told in parts:
        marked = " ".join(
            f'{text_html(t.sentence)}<a class="cite" href="{escape(address(t))}"'
            f' aria-label="{escape(unmarked(f"{t.number}: {t.title}"))}">{t.number}</a>'
            for t in told
        )
        body.append(f'<h2>{text_html(heading)}</h2><p class="cited">{marked}</p>')
    listed = {t.number: t for _heading, told in parts for t in told}
    items = "".join(
        f'<li><a href="{escape(address(t))}"{_printed(release, t)}>{text_html(t.title)}</a>'
        f" ({text_html(title_of(t.page))})</li>"
        for _number, t in sorted(listed.items())
    )
    if items:
        heading = _("Figures behind the sentences")
        body.append(f"<h2>{text_html(heading)}</h2><ol>{items}</ol>")
    return f'<div class="prose story">{"".join(body)}</div>'


def _printed(release: Release, cited: Cited) -> str:
    """The lasting address of a figure as an attribute of its link, which the style shows on paper
    alone; nothing where the release has no address."""
    site = citation.site_of(release)
    if not site:
        return ""
    link = citation.view_link(release, cited.page, {}, site, at=cited.figure)
    return f' data-address="{escape(link)}"'


def areas_html(drawn: Map, address: Callable[[str], str]) -> str:
    """The areas of a map as links to My area, which open on demand; `address`: of an area's page.
    What a pointer does on the map, keys do here."""
    listed = drawn.leading()
    if not listed:
        return ""
    words = _("Tap the map, or open an area ({count})").format(count=number(len(listed)))
    line = _("{area}: {share}")
    items = "".join(
        f'<li><a href="{escape(address(place.code))}">'
        f"{text_html(line.format(area=place.label, share=place.short))}</a></li>"
        for place in listed
    )
    return f'<details class="areas"><summary>{text_html(words)}</summary><ul>{items}</ul></details>'


def ways_html(entries: Sequence[Entry], address: Callable[[Entry], str]) -> str:
    """Links with the word behind each."""
    items = "".join(
        f'<li><a href="{escape(address(e))}">{text_html(e.words)}</a> {text_html(e.where)}</li>'
        for e in entries
    )
    return f'<ul class="ways">{items}</ul>'


FEW = 3
"""Figures of a page that need no list of contents."""


def contents_html(figures: Sequence[tuple[str, str]]) -> str:
    """A list of a page's figures (slug and title) that opens on demand; nothing for a few."""
    if len(figures) <= FEW:
        return ""
    items = "".join(
        f'<li><a href="#{escape(slug)}">{text_html(title)}</a></li>' for slug, title in figures
    )
    words = _("On this page: {count} charts and tables").format(count=number(len(figures)))
    summary = f"<summary>{text_html(words)}</summary>"
    return f'<details class="contents">{summary}<ul>{items}</ul></details>'


def _files(links: Sequence[str]) -> str:
    return f'<p class="files">{" · ".join(links)}</p>'


@dataclass
class Paper:
    """One page; `body` grows from the top down. `asked`: the filters this copy of the page stands
    at."""

    release: Release
    shelf: Shelf
    name: str
    asked: Mapping[str, str]
    together: int | None = None
    """How many filters hold at once; None: all."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Filter -> number of its options."""
    choices: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)
    variants: list[Mapping[str, str]] = field(default_factory=list)
    """Filters of the other copies that this one links to."""
    title: str = ""
    told: Lead | None = None
    """How the page begins."""
    figures: list[tuple[str, str]] = field(default_factory=list)
    """Slug and title of each figure, for the list of contents."""
    named: list[str] = field(default_factory=list)
    """The choices that make this copy another than the first, in words."""
    drawn: dict[str, tuple[Figure, str]] = field(default_factory=dict)
    """Slug -> a figure and all that stands under its title, for a page of its own."""

    def begin(self) -> None: ...

    def releases(self) -> list[Release]:
        return self.shelf.releases()

    def lead(self, lead: Lead) -> None:
        self.title, self.told = lead.question, lead
        self.body.insert(0, lead_html(lead))
        if lead.doors:
            self.cards(lead.doors, level=2)
        if lead.picture is not None:
            self.figure(lead.picture)

    def heading(self, text: str, level: int) -> None:
        self.body.append(f"<h{level}>{text_html(text)}</h{level}>")

    def text(self, markdown: str) -> None:
        self.body.append(to_html(markdown))

    def caption(self, markdown: str) -> None:
        self.body.append(f'<div class="quiet">{to_html(markdown)}</div>')

    def info(self, markdown: str) -> None:
        self.body.append(f'<div class="notice">{to_html(markdown)}</div>')

    def table(self, rows: pd.DataFrame, alt: str) -> None:
        self.body.append(
            scrolling(
                table_html(list(rows.columns), rows.itertuples(index=False, name=None), alt), alt
            )
        )

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None:
        self.body.append(
            f'<p><a href="{escape(self.shelf.page(page, filters))}">{text_html(words)}</a></p>'
        )

    def outside(self, page: str, filters: Mapping[str, str]) -> str:
        return self.shelf.outside(page, filters)

    def cards(self, cards: Sequence[Card], level: int = 3) -> None:
        boxes = [
            f'<div class="card{" missed" if card.missed else ""}">{card_html(card, level)}<p><a'
            f' href="{escape(self.shelf.page(card.page, {}))}">{text_html(card.link)}</a></p></div>'
            for card in cards
        ]
        self.body.append(f'<div class="cards">{"".join(boxes)}</div>')

    def fold(self, label: str, markdown: str) -> None:
        self.body.append(
            f"<details><summary>{text_html(label)}</summary>{to_html(markdown)}</details>"
        )

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        """Filters are links to other copies of the page, at the other filters as they are."""
        self.sizes[key] = len(options)
        fallback = first_choice(options, default)
        asked = self.asked.get(key, fallback)
        chosen = asked if asked in options else fallback
        if gone := missing(asked, Filter(key, label, options, chosen), self.release, self.releases):
            link = (
                self.shelf.page(self.name, {key: asked, "release": gone.release})
                if gone.release
                else ""
            )
            there = f'<p><a href="{escape(link)}">{text_html(gone.link)}</a></p>' if link else ""
            self.body.append(
                '<div class="notice"'
                f' role="note"><p>{text_html(f"{gone.said} {gone.instead}")}</p>{there}</div>'
            )
        if chosen != fallback:
            self.choices[key] = chosen
            self.named.append(options[chosen])
        items = []
        for code, words in options.items():
            if code == chosen:
                items.append(f'<li><strong aria-current="true">{text_html(words)}</strong></li>')
            else:
                other = self._at(key, "" if code == fallback else code)
                self.variants.append(other)
                address = self.shelf.page(self.name, other)
                items.append(f'<li><a href="{escape(address)}">{text_html(words)}</a></li>')
        self.body.append(
            f'<nav class="filter" aria-label="{escape(unmarked(label))}">'
            f"<p>{text_html(label)}</p><ul>{''.join(items)}</ul></nav>"
        )
        if self.together is not None and len(self.sizes) == self.together + 1:
            words = ngettext(
                "This plain page holds {n} choice at a time. A new one takes its place.",
                "This plain page holds {n} choices at a time. A new one takes the place of one of"
                " them.",
                self.together,
            ).format(n=number(self.together))
            self.body.append(f'<p class="quiet">{text_html(words)}</p>')
        return chosen

    def _at(self, key: str, code: str) -> dict[str, str]:
        """The filters of this copy with another choice for `key`; none where `code` is empty."""
        others = {name: kept for name, kept in self.asked.items() if name != key}
        if not code:
            return others
        most = len(others) if self.together is None else self.together - 1
        return dict(list(others.items())[:most]) | {key: code}

    def cited(self, parts: Sequence[tuple[str, Sequence[Cited]]]) -> None:
        self.body.append(
            cited_html(
                self.release,
                parts,
                lambda t: self._address(Entry(t.sentence, "", t.page, figure=t.figure)),
            )
        )

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        self.body.append(f'<p class="quiet">{text_html(label)}: {number(start)}</p>')
        return start

    def find(self, entries: Sequence[Entry]) -> None:
        """Every line as a link, under where it leads; each browser can search a page."""
        under: dict[str, list[Entry]] = {}
        for entry in entries:
            under.setdefault(entry.where, []).append(entry)
        for where, listed in under.items():
            self.heading(where, 2)
            items = "".join(
                f'<li><a href="{escape(self._address(e))}">{text_html(e.words)}</a></li>'
                for e in listed
            )
            self.body.append(f"<ul>{items}</ul>")

    def _address(self, entry: Entry) -> str:
        page = self.shelf.page(entry.page, dict(entry.filters))
        return f"{page}#{entry.figure}" if entry.figure else page

    def ways(self, entries: Sequence[Entry]) -> None:
        self.body.append(ways_html(entries, self._address))

    def files(self, files: Sequence[Take]) -> None:
        links = [
            f'<a class="file" href="{escape(self.shelf.keep(f.name, f.data()))}"'
            f" download>{text_html(f.label)}</a>"
            for f in files
        ]
        self.body.append(f"<p>{' · '.join(links)}</p>")

    def addresses(self, heading: str, markdown: str, links: Sequence[tuple[str, str]]) -> None:
        self.heading(heading, 2)
        self.text(markdown)
        self.body.append(links_html([(words, self.shelf.top(file)) for words, file in links]))

    def figure(self, figure: Figure) -> None:
        self.figures.append((figure.slug, figure.title))
        start = len(self.body)
        if figure.subtitle:
            self.body.append(f'<p class="quiet">{text_html(figure.subtitle)}</p>')
        if figure.chart is not None:
            self._chart(figure)
        for line in notes_of(figure):
            self.caption(line)
        if figure.map:
            listed = areas_html(
                figure.map, lambda code: self.shelf.page("neighborhood", {MY_AREA: code})
            )
            # The table is for the keys alone: a map is next to its list.
            rows = figure.table.itertuples(index=False, name=None)
            table = table_html(list(figure.table.columns), rows, figure.title)
            self.body.append(f"{listed}<div hidden>{table}</div>")
        else:
            self.table(figure.table, figure.title)
        links = [
            f'<a href="{escape(address)}" download>{text_html(words)}</a>'
            for words, address in self.shelf.takeaways(figure)
        ]
        inside = "".join(self.body[start:])
        self.drawn.setdefault(figure.slug, (figure, f"{inside}{_files(links)}"))
        if not self.asked and (alone := self.shelf.figure_page(figure)):
            words = _("Page with this figure alone, to link to")
            links.append(f'<a href="{escape(alone)}">{text_html(words)}</a>')
        self.body[start:] = [
            f'<section class="figure" id="{escape(figure.slug)}">'
            f"<h2>{text_html(figure.title)}</h2>{inside}{_files(links)}</section>"
        ]

    def _chart(self, figure: Figure) -> None:
        *narrow, (address, width, height) = self.shelf.pictures(figure)
        sources = "".join(
            f'<source media="(max-width:{w + 180}px)" srcset="{escape(a)}" width="{w}"'
            f' height="{h}">'
            for a, w, h in narrow
        )
        self.body.append(
            f'<picture>{sources}<img src="{escape(address)}" alt="{escape(figure.alt)}"'
            f' width="{width}" height="{height}" loading="lazy"></picture>'
        )
        self.body.append(keyboard_walk.html(figure, hidden=True))

    def beside(self, figures: Sequence[Figure]) -> None:
        for figure in figures:
            self.figure(figure)

    def end(self, markdown: str) -> None:
        if self.told and not self.told.doors:
            self.body.insert(1, contents_html(self.figures))  # right under the lead
        self.body.append(f"<hr><footer>{to_html(markdown)}</footer>")
