"""Pages on paper: plain HTML that needs no server and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

import pandas as pd
from markdown_it import MarkdownIt

from dashboard.figure import Figure
from dashboard.language import number
from dashboard.missing_choice import missing
from dashboard.release import Release
from dashboard.surface import Card, Take, first_choice

_markdown = MarkdownIt("commonmark", {"html": False})


class Shelf(Protocol):
    """Where files of a page go, and how a page names them."""

    def keep(self, name: str, data: bytes) -> str:
        """Keep a file; gives its address as seen from the page."""

    def page(self, name: str, choices: Mapping[str, str]) -> str:
        """The address of another page."""

    def pictures(self, figure: Figure) -> list[tuple[str, int, int]]:
        """(address, width, height) of the drawn chart, narrowest first."""

    def takeaways(self, figure: Figure) -> list[tuple[str, str]]:
        """(words, address) of the files of one figure."""

    def releases(self) -> list[Release]: ...


def to_html(markdown: str) -> str:
    return str(_markdown.render(markdown))


def table_html(columns: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> str:
    """A table of plain texts that scrolls sideways within itself; the first cell of a row is its head."""
    head = "".join(f'<th scope="col">{escape(str(column))}</th>' for column in columns)
    lines = "".join(
        f'<tr><th scope="row">{escape(str(first))}</th>{"".join(f"<td>{escape(str(cell))}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" role="region" aria-label="{escape(name)}" tabindex="0"><table><caption>{escape(name)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def card_html(card: Card) -> str:
    """A card without its link."""
    figure = f'<p style="font-size:1.75rem;font-weight:700;line-height:1.2;margin:.2rem 0">{escape(card.figure)}</p>' if card.figure else ""
    lines = "".join(f'<p style="margin:.15rem 0">{escape(line)}</p>' for line in card.lines)
    return f'<p style="margin:.3rem 0"><strong>{escape(card.heading)}</strong></p>{figure}{lines}'


@dataclass
class Paper:
    """One page; `body` grows from the top down. `asked`: the filters this copy of the page stands at."""

    release: Release
    shelf: Shelf
    name: str
    asked: Mapping[str, str]
    choices: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)
    variants: list[Mapping[str, str]] = field(default_factory=list)
    """Filters of the other copies that this one links to."""
    title: str = ""

    def begin(self) -> None: ...

    def releases(self) -> list[Release]:
        return self.shelf.releases()

    def heading(self, text: str, level: int) -> None:
        if level == 1:
            self.title = text
        self.body.append(f"<h{level}>{escape(text)}</h{level}>")

    def text(self, markdown: str) -> None:
        self.body.append(to_html(markdown))

    def caption(self, markdown: str) -> None:
        self.body.append(f'<div class="quiet">{to_html(markdown)}</div>')

    def info(self, markdown: str) -> None:
        self.body.append(f'<div class="notice">{to_html(markdown)}</div>')

    def table(self, rows: pd.DataFrame, alt: str) -> None:
        self.body.append(table_html(list(rows.columns), rows.itertuples(index=False, name=None), alt))

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None:
        self.body.append(f'<p><a href="{escape(self.shelf.page(page, filters))}">{escape(words)}</a></p>')

    def cards(self, cards: Sequence[Card]) -> None:
        boxes = [
            f'<div class="card">{card_html(card)}<p><a href="{escape(self.shelf.page(card.page, {}))}">{escape(card.link)}</a></p></div>'
            for card in cards
        ]
        self.body.append(f'<div class="cards">{"".join(boxes)}</div>')

    def fold(self, label: str, markdown: str) -> None:
        self.body.append(f"<details><summary>{escape(label)}</summary>{to_html(markdown)}</details>")

    def choose(self, key: str, label: str, options: Mapping[str, str], default: str | None = None) -> str:
        """Filters are links to other copies of the page."""
        fallback = first_choice(options, default)
        asked = self.asked.get(key, fallback)
        chosen = asked if asked in options else fallback
        if gone := missing(asked, key, label, options, chosen, self.release, self.releases):
            link = self.shelf.page(self.name, {key: asked, "release": gone.release}) if gone.release else ""
            there = f'<p><a href="{escape(link)}">{escape(gone.link)}</a></p>' if link else ""
            self.body.append(f'<div class="notice" role="note"><p>{escape(f"{gone.said} {gone.instead}")}</p>{there}</div>')
        if chosen != fallback:
            self.choices[key] = chosen
        items = []
        for code, words in options.items():
            if code == chosen:
                items.append(f'<li><strong aria-current="true">{escape(words)}</strong></li>')
            else:
                other = {} if code == fallback else {key: code}
                self.variants.append(other)
                address = self.shelf.page(self.name, other)
                items.append(f'<li><a href="{escape(address)}">{escape(words)}</a></li>')
        self.body.append(f'<nav class="filter" aria-label="{escape(label)}"><p>{escape(label)}</p><ul>{"".join(items)}</ul></nav>')
        return chosen

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        self.body.append(f'<p class="quiet">{escape(label)}: {number(start)}</p>')
        return start

    def files(self, files: Sequence[Take]) -> None:
        links = [f'<a class="file" href="{escape(self.shelf.keep(f.name, f.data()))}" download>{escape(f.label)}</a>' for f in files]
        self.body.append(f"<p>{' · '.join(links)}</p>")

    def figure(self, figure: Figure) -> None:
        self.body.append(f'<section class="figure" id="{escape(figure.slug)}"><h2>{escape(figure.title)}</h2>')
        if figure.chart is not None:
            pictures = self.shelf.pictures(figure)
            *narrow, (address, width, height) = pictures
            sources = "".join(
                f'<source media="(max-width:{w + 180}px)" srcset="{escape(a)}" width="{w}" height="{h}">' for a, w, h in narrow
            )
            self.body.append(
                f'<picture>{sources}<img src="{escape(address)}" alt="{escape(figure.alt)}" width="{width}" height="{height}" loading="lazy"></picture>'
            )
        for line in figure.notes():
            self.caption(line)
        if not figure.map:
            self.table(figure.table, figure.title)
        links = [f'<a href="{escape(address)}" download>{escape(words)}</a>' for words, address in self.shelf.takeaways(figure)]
        self.body.append(f'<p class="files">{" · ".join(links)}</p></section>')

    def end(self, markdown: str) -> None:
        self.body.append(f"<hr><footer>{to_html(markdown)}</footer>")
