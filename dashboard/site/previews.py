"""What a link shows of itself where somebody posts it: title, sentence and a picture of 1,200 x 630
(Open Graph), and for a figure how to frame it (oEmbed).

Pages, figures and claims of the newest release have a picture of their own; a page of an earlier
release has one that names the release.
"""

from __future__ import annotations

import runpy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from html import escape

import pandas as pd

from dashboard.export import chart_image, citation
from dashboard.export.downloads import as_json, subtitle
from dashboard.export.html_surface import Paper
from dashboard.figures.figure import Figure, slug
from dashboard.figures.theme import BAR, LIGHT
from dashboard.findings.claims import checked
from dashboard.page.app_folder import PAGES_FOLDER
from dashboard.page.page_cache import show, turn
from dashboard.page.pages_list import PAGES, path_of, title_of
from dashboard.page.standard_texts import made_up_in_short, plain
from dashboard.page.surface import Card, Cited, Entry, Lead, Take, first_choice, written_apart
from dashboard.release.current import all_releases, load
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _, day, pick, unmarked

WIDTH, HEIGHT, EDGE, TOP, FOOT = 1200, 630, 56, 92, 76
"""Of the picture, in pixels: its size, its margin, the bar on top with the place's name, and the
two lines at the foot."""
SENTENCE = 300
"""Letters of a description; the places that show links cut it at about this length."""
FRAME = (720, 640)
"""Width and height of a figure in a frame, as in `citation.embed_code`."""
MOST = (FRAME[0], citation.HIGHEST)
"""Width and height that a frame has at most where nobody asks for less: it grows to the height of
its figure."""
KEPT = 512
"""Pictures that stay in memory once drawn, some 0.02 MB each."""
EARLIER = "release"
"""Name of the picture of an earlier release, for all of its pages."""


@dataclass(frozen=True)
class Preview:
    """`name`: of the picture's file. `figure`: where its chart is the picture; else `number` stands
    on it in large letters."""

    name: str
    title: str
    sentence: str
    number: str = ""
    figure: Figure | None = None


@dataclass
class Reading(Paper):
    """A page that is read for its lead and its figures alone, as it stands before anybody chooses
    anything."""

    found: list[Figure] = field(default_factory=list)

    def releases(self) -> list[Release]:
        return all_releases(self.release, load)

    def lead(self, lead: Lead) -> None:
        self.told = lead
        if lead.picture is not None:
            self.figure(lead.picture)

    def figure(self, figure: Figure) -> None:
        self.found.append(figure)

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        return first_choice(options, default)

    def table(self, rows: pd.DataFrame, alt: str) -> None: ...

    def link(self, page: str, words: str, filters: Mapping[str, str]) -> None: ...

    def outside(self, page: str, filters: Mapping[str, str]) -> str:
        return citation.newest_view(self.release, page, filters)

    def cards(self, cards: Sequence[Card], level: int = 3) -> None: ...

    def cited(self, parts: Sequence[tuple[str, Sequence[Cited]]]) -> None: ...

    def find(self, entries: Sequence[Entry]) -> None: ...

    def ways(self, entries: Sequence[Entry]) -> None: ...

    def files(self, files: Sequence[Take]) -> None: ...

    def addresses(self, heading: str, markdown: str, links: Sequence[tuple[str, str]]) -> None: ...


_one_at_a_time = threading.Lock()


def read(release: Release, page: str) -> Reading:
    """A page (as in `PAGES`) as it stands at first, in the language of the moment. What is written
    for it is kept for the page's visitors, and what is kept is not written again; called in turn
    (`dashboard.page.page_cache`)."""
    reading = Reading(release, None, page, {})  # type: ignore[arg-type]  # it keeps no file and names no page
    with written_apart(reading):
        show(
            path_of(page) or page,
            reading,
            partial(runpy.run_path, str(PAGES_FOLDER / f"{page}.py")),
        )
    return reading


def of_page(release: Release, page: str, code: str) -> tuple[Preview, dict[str, Preview]]:
    """Of a page (as in `PAGES`), and of each of its figures by the figure's slug, in the language
    `code`."""
    with _one_at_a_time:
        return _of_page(release, page, code)


@lru_cache(maxsize=KEPT)
def _of_page(release: Release, page: str, code: str) -> tuple[Preview, dict[str, Preview]]:
    with language.speaking(code):
        with turn:
            reading = read(release, page)
        lead = reading.told
        assert lead is not None, "each page begins with its lead"
        own = from_lead(page, lead)
        figures = {
            figure.slug: from_figure(page, figure, own) for figure in reversed(reading.found)
        }
    return own, figures


def from_figure(page: str, figure: Figure, own: Preview) -> Preview:
    """What a figure measures; what its page (as in `PAGES`) says, `own`, where it tells nothing."""
    return Preview(
        f"figure-{page.replace('_', '-')}-{figure.slug}",
        figure.title,
        _cut(figure.subtitle or own.sentence),
        figure=figure,
    )


def from_lead(page: str, lead: Lead) -> Preview:
    """Question and answer of a page, in the language of the moment."""
    told = lead.headline
    return Preview(
        f"page-{page.replace('_', '-')}",
        lead.question,
        _cut(plain(told.sentence or told.base or lead.when)),
        told.number,
    )


@lru_cache(maxsize=64)
def of_claims(release: Release, code: str) -> dict[str, Preview]:
    """Of each claim that the release has a figure for: what people say, and what can be said."""
    with language.speaking(code):
        return {
            claim.name: Preview(
                f"claim-{slug(claim.name)}", claim.said, _cut(finding.figure), finding.verdict_words
            )
            for claim, finding in checked(release)
            if finding.verdict != "missing"
        }


def _cut(text: str) -> str:
    return text if len(text) <= SENTENCE else f"{text[: SENTENCE - 1].rsplit(' ', 1)[0]}…"


def asked_for(release: Release, page: str, code: str, query: Mapping[str, str]) -> Preview:
    """Of the page, figure or claim that an address asks for; of the page where it has no such
    figure or claim."""
    own, figures = of_page(release, page, code)
    if figure := figures.get(query.get("figure", "")):
        return figure
    return of_claims(release, code).get(query.get("claim", ""), own) if page == "claims" else own


def earlier(release: Release, page: str, code: str) -> Preview:
    """Of any page of an earlier release: which release it is."""
    with language.speaking(code):
        words = _("You see release {version} as it stood, with data to {day}.").format(
            version=release.version, day=day(release.data_to)
        )
        return Preview(EARLIER, title_of(page), words)


def picture_of(release: Release, name: str, code: str) -> bytes | None:
    """The picture of a preview by its name, as PNG; None where there is none of that name. Drawn
    once, one at a time."""
    return _kept_picture(release, name, code) if _named(release, name, code) else None


def _named(release: Release, name: str, code: str) -> Preview | None:
    if name == EARLIER:
        return earlier(release, PAGES[0], code)
    kind, _dash, rest = name.partition("-")
    if kind == "claim":
        return next(
            (claim for claim in of_claims(release, code).values() if claim.name == name), None
        )
    for page in PAGES:
        path = page.replace("_", "-")
        if kind == "page" and rest == path:
            return of_page(release, page, code)[0]
        if kind == "figure" and rest.startswith(f"{path}-"):
            found = of_page(release, page, code)[1].get(rest.removeprefix(f"{path}-"))
            if found is not None:
                return found
    return None


@lru_cache(maxsize=KEPT)
def _kept_picture(release: Release, name: str, code: str) -> bytes:
    preview = _named(release, name, code)
    assert preview is not None
    with _one_at_a_time, language.speaking(code):
        return drawn(release, preview)


def drawn(release: Release, preview: Preview) -> bytes:
    """The picture in the language of the moment: 1,200 x 630 pixels, as PNG."""
    return chart_image.small_png(_svg(release, preview))


def _svg(release: Release, preview: Preview) -> str:
    parts: list[str] = []
    y, inside = float(TOP + 24), WIDTH - 2 * EDGE

    def say(text: str, size: float, most: int, weight: int = 400, colour: str = LIGHT.ink) -> None:
        nonlocal y
        lines = chart_image.wrapped(text, size, inside)
        if len(lines) > most:
            lines = [*lines[: most - 1], f"{lines[most - 1].rsplit(' ', 1)[0]}…"]
        for line in lines:
            y += size * chart_image.LINE
            parts.append(
                f'<text x="{EDGE}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
                f' fill="{colour}">{escape(line)}</text>'
            )

    chart = (
        preview.figure if preview.figure is not None and preview.figure.chart is not None else None
    )
    title = (
        _("Release {version}").format(version=release.version)
        if preview.name == EARLIER
        else preview.title
    )
    say(title, 40 if chart else 52, 2 if chart else 3, 700)
    if chart is not None:
        if chart.subtitle:
            say(chart.subtitle, 22, 1, colour=LIGHT.quiet)
        room = HEIGHT - FOOT - y - 24
        parts.append(
            chart_image.fitted(
                chart_image.chart_svg(chart, chart_image.INSIDE), EDGE, y + 16, inside, room
            )
        )
    else:
        y += 10
        if preview.number:
            short = len(preview.number) <= 12
            say(preview.number, 92 if short else 44, 1 if short else 2, 700, LIGHT.link)
        say(preview.sentence, 32, 4)
    foot = made_up_in_short() if release.agency["fictional"] else subtitle(release)
    place = _("{place} · Co-response in numbers").format(place=pick(release.agency["place"]))
    version = _("Release {version}, data to {day}").format(
        version=release.version, day=day(release.data_to)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' font-family="{chart_image.FONT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{LIGHT.background}"/>'
        f'<rect width="{WIDTH}" height="{TOP}" fill="{BAR}"/>'
        f'<text x="{EDGE}" y="{TOP - 34}" font-size="30" font-weight="700"'
        f' fill="{LIGHT.background}">{escape(chart_image.wrapped(place, 30, inside)[0])}</text>'
        f"{''.join(parts)}"
        f'<text x="{EDGE}" y="{HEIGHT - 48}" font-size="20" fill="{LIGHT.quiet}">'
        f"{escape(version)}.</text>"
        f'<text x="{EDGE}" y="{HEIGHT - 22}" font-size="20" fill="{LIGHT.quiet}">'
        f"{escape(chart_image.wrapped(foot, 20, inside)[0])}</text></svg>"
    )


def tags(release: Release, preview: Preview, address: str, image: str) -> str:
    """Open Graph for the head of a page, in the language of the moment. `address`, `image`: of the
    page and of its picture."""
    alt = (
        preview.figure.alt
        if preview.figure is not None
        else f"{preview.title} {preview.number} {preview.sentence}".replace("  ", " ")
    )
    said = {
        "og:type": "website",
        "og:site_name": pick(release.agency["name"]),
        "og:title": preview.title,
        "og:description": preview.sentence,
        "og:url": address,
        "og:locale": language.current(),
        "og:image": image,
        "og:image:type": "image/png",
        "og:image:width": str(WIDTH),
        "og:image:height": str(HEIGHT),
        "og:image:alt": alt,
    }
    found = "".join(
        f'<meta property="{name}" content="{escape(unmarked(words))}">'
        for name, words in said.items()
    )
    return (
        f'<meta name="description" content="{escape(unmarked(preview.sentence))}">'
        f'<meta name="twitter:card" content="summary_large_image">{found}'
    )


def oembed(
    release: Release, preview: Preview, site: str, image: str, most: tuple[int, int] = MOST
) -> bytes:
    """oEmbed 1.0 of a figure (`rich`): the frame that `citation.embed_code` gives, and its size,
    `most` (width, height) at most, also once the frame has grown. In the language of the moment."""
    assert preview.figure is not None
    width, height = (min(asked, own) for asked, own in zip(most, FRAME, strict=True))
    code = (
        citation.embed_code(preview.figure, release, site, min(most[1], citation.HIGHEST))
        .replace("720px", f"{width}px")
        .replace("640px", f"{height}px")
    )
    return as_json(
        {
            "version": "1.0",
            "type": "rich",
            "title": preview.title,
            "provider_name": pick(release.agency["name"]),
            "provider_url": f"{site}/",
            "author_name": str(release.package["contributors"][0]["title"]),
            "width": width,
            "height": height,
            "html": code,
            "thumbnail_url": image,
            "thumbnail_width": WIDTH,
            "thumbnail_height": HEIGHT,
            "cache_age": 300,
        }
    )
