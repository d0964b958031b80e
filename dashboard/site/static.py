"""The static edition: every page of every release as plain files, in every language, for a web
server without a program.

    index.html, en/, es/            the newest release
    releases/VERSION/en/, es/       each release under its number, for links that last; files/
      next to the pages
    feed-en.xml, next-update-en.ics releases and corrections as Atom, and the next update as a
    calendar, in every language data/VERSION/, data/latest/     the release files with Parquet,
    CSVW, JSON-LD and checksums; data.json (DCAT-US 3)

A page with filters has a copy for each choice, and for choices of several filters together as far
as that takes few copies (`plain_twin.held_together`). To be few files, these stand under the
release's number alone, hold the pictures that no other copy has, and offer their rows alone. Each
figure of a page, as it stands at first, has a page of its own under its release's number: what
shows links reads no #fragment.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import shutil
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from html import escape
from itertools import repeat
from pathlib import Path
from urllib.parse import quote

from dashboard.export import chart_image, citation, downloads, feeds, opendata
from dashboard.export.html_surface import Paper, text_html, to_html
from dashboard.export.plain_twin import held_together, page_file
from dashboard.export.static_style import stylesheet
from dashboard.figures import keyboard_walk
from dashboard.figures.figure import Figure, View, seen, slug
from dashboard.figures.theme import LIGHT
from dashboard.page.app_folder import PACKAGE, PAGES_FOLDER
from dashboard.page.pages_list import PAGES, groups
from dashboard.page.reported import shown_pages
from dashboard.page.standard_texts import crisis_bar, made_up_in_short
from dashboard.page.surface import write_on
from dashboard.release.current import all_releases
from dashboard.release.reader import Release, load_release
from dashboard.site import previews
from dashboard.text import language
from dashboard.text.language import LANGUAGES, _, ngettext, number, pick, tag, unmarked

SCRIPT = PACKAGE / "assets/chart.js"
WIDTHS = (300, chart_image.INSIDE)
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src"
    " 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'"
)
"""In each page, since whatever serves the files may send no headers: nothing from elsewhere, no
script in a page. Vega compiles its charts."""
FILES, PAGES_HERE, TOP = "@files@/", "@pages@/", "@top@/"
"""Placeholders in a page's text for the paths to its files, to the other pages and to the top,
until the page's own place is known."""


SAFE = ":;/()'!*@?[]{}|^`~+$="
"""Letters of a picture that a list of addresses may have as they are: no space, no comma."""


Copies = dict[str, tuple[str, Mapping[str, str]]]
"""File -> the page, and the choice at which this copy of it stands."""


@dataclass
class Alone(Paper):
    """A page that holds one figure of another page, `only`."""

    only: Figure = field(kw_only=True)


def figure_file(figure: Figure) -> str:
    """Name of the page of one figure."""
    return f"figure--{slug(figure.page.replace('_', '-'), figure.slug)}.html"


@dataclass
class Folder:
    """The files of one release in one language."""

    release: Release
    everything: list[Release]
    out: Path
    code: str
    names: dict[str, bytes] = field(default_factory=dict)
    drawn: dict[View, list[tuple[str, int, int]]] = field(default_factory=dict)
    within: dict[View, list[tuple[str, int, int]]] = field(default_factory=dict)
    """The same for pictures in the text of a page."""
    several: bool = False
    """Is the copy being written one at several filters?"""
    shown: dict[str, str] = field(default_factory=dict)
    """Name of a preview -> address of its picture. Copies of a page at its filters share the
    page's."""

    def keep(self, name: str, data: bytes) -> str:
        """A file under its name; under another when the name is taken by other bytes."""
        stem, dot, suffix = name.partition(".") if name.count(".") == 1 else name.rpartition(".")
        tried, n = name, 1
        while self.names.get(tried, data) != data:
            n += 1
            tried = f"{stem}-{n}{dot}{suffix}"
        if tried not in self.names:
            self.names[tried] = data
            target = self.out / "files" / tried
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return FILES + tried

    def page(self, name: str, choices: Mapping[str, str]) -> str:
        if "release" not in choices:
            file = page_file(name, choices, self.release)
            numbered = f"{TOP}releases/{self.release.version}/" if len(choices) > 1 else PAGES_HERE
            return f"{numbered}{self.code}/{file}"
        other = next(
            release for release in self.everything if release.version == choices["release"]
        )
        file = page_file(
            name, {key: code for key, code in choices.items() if key != "release"}, other
        )
        if not (self.out.parent.parent / other.version / self.code / file).exists():
            file = page_file(
                name, {}, other
            )  # a release may know a code that its page has no copy for
        return f"{TOP}releases/{other.version}/{self.code}/{file}"

    def outside(self, name: str, choices: Mapping[str, str]) -> str:
        site = citation.site_of(self.everything[-1])
        return site and f"{site}/{self.code}/{page_file(name, choices, self.release)}"

    def figure_page(self, figure: Figure) -> str:
        return f"{TOP}{self.lasting}{figure_file(figure)}"

    @property
    def lasting(self) -> str:
        """The folder of the pages that last, as seen from the top."""
        return f"releases/{self.release.version}/{self.code}/"

    def top(self, file: str) -> str:
        return f"{TOP}{file}"

    def preview(self, name: str, paper: Paper) -> tuple[previews.Preview, str]:
        """What a link to a page shows of it, and the address of the picture. A page of one figure
        shows that figure."""
        assert paper.told is not None, "each page begins with its lead"
        own = previews.from_lead(name, paper.told)
        own = replace(own, title=" · ".join([own.title, *paper.named]))
        if isinstance(paper, Alone):
            own = previews.from_figure(name, paper.only, own)
        if self.release is not self.everything[-1]:
            own = previews.earlier(self.release, name, self.code)
        elif name == "claims" and own.figure is None:
            own = previews.of_claims(self.release, self.code).get(
                paper.choices.get("claim", ""), own
            )
        if own.name not in self.shown:
            self.shown[own.name] = self.keep(
                f"preview-{own.name}.png", previews.drawn(self.release, own)
            )
        return own, self.shown[own.name]

    def pictures(self, figure: Figure) -> list[tuple[str, int, int]]:
        """Drawn once for all pages that show the same: most figures of a page do not change with
        one of its filters."""
        view = seen(figure, LIGHT)
        found = self.drawn.get(view) or (self.within.get(view) if self.several else None)
        if found is None:
            found = [self._picture(figure, width) for width in WIDTHS]
            (self.within if self.several else self.drawn)[view] = found
        return found

    def _picture(self, figure: Figure, width: int) -> tuple[str, int, int]:
        svg = chart_image.chart_svg(figure, width)
        drawn = chart_image.following_the_reader(svg)
        address = (
            f"data:image/svg+xml,{quote(drawn, safe=SAFE)}"
            if self.several
            else self.keep(f"{figure.page}-{figure.slug}-{width}.svg", drawn.encode())
        )
        return address, *chart_image.size_of(svg)

    def takeaways(self, figure: Figure) -> list[tuple[str, str]]:
        site = citation.site_of(self.release)
        name, rows = f"{figure.page}-{figure.slug}", downloads.csv_bytes(figure.data)
        csv = (
            ngettext(
                "Download this row (CSV: {rows} row, {bytes} bytes)",
                "Download these rows (CSV: {rows} rows, {bytes} bytes)",
                len(figure.data),
            ).format(rows=number(len(figure.data)), bytes=number(len(rows))),
            self.keep(f"{name}.csv", rows),
        )
        if self.several:
            return [csv]
        return [
            csv,
            (
                _("Picture to enlarge (SVG)"),
                self.keep(f"{name}.svg", downloads.svg(figure, self.release, site)),
            ),
            (
                (
                    _("Chart as Vega-Lite (JSON)"),
                    self.keep(f"{name}.vl.json", chart_image.specification(figure, WIDTHS[1])),
                )
                if figure.chart
                else (
                    _("Definitions and citation (text)"),
                    self.keep(
                        f"{name}.txt", downloads.readme(figure, self.release, site, None).encode()
                    ),
                )
            ),
        ]

    def releases(self) -> list[Release]:
        return self.everything


def export(newest: Release, out: Path, say: Callable[[str], None] = lambda _line: None) -> int:
    """Write the static edition of `newest` and of all its history into `out` (new or empty); gives
    the number of pages.

    Raises FileExistsError when `out` holds something. Nothing is left in `out` when it fails.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out}: holds files; name a new or empty folder")
    scratch = out.with_name(f".{out.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        pages = _write(newest, scratch, say)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    if out.exists():
        out.rmdir()
    scratch.rename(out)
    return pages


def _write(newest: Release, out: Path, say: Callable[[str], None]) -> int:
    out.mkdir(parents=True)
    everything = all_releases(newest, load_release)
    (out / "style.css").write_text(stylesheet(), encoding="utf-8")
    script = SCRIPT.read_text(encoding="utf-8") + keyboard_walk.SCRIPT
    (out / "chart.js").write_text(script, encoding="utf-8")
    (out / "vega.js").write_text(chart_image.vega_script(), encoding="utf-8")
    last = len(everything) - 1
    jobs = [
        (everything, number, code, out)
        for number in reversed(range(last + 1))
        for code in LANGUAGES
    ]
    # Processes of their own, since drawing keeps Python busy; started afresh, since a solver of
    # drawings does not survive a copy.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        copies: dict[tuple[int, str], Copies] = {}
        pages = 0
        for (_, number, code, _), (written, listed) in zip(
            jobs, pool.map(_write_one, *zip(*jobs, strict=True)), strict=True
        ):
            say(f"Release {everything[number].version}, {LANGUAGES[code]}: {written} pages")
            copies[number, code] = listed
            pages += written
        left = [_gone(copies, last, code) for code in LANGUAGES]
        pages += sum(pool.map(_write_gone, repeat(everything), LANGUAGES, repeat(out), left))
    opendata.write(everything, out, citation.site_of(newest))
    for file, data in feeds.files(everything, _addresses(), citation.site_of(newest)).items():
        (out / file).write_bytes(data)
    return pages


def _addresses() -> Callable[[str], feeds.Address]:
    """Where the pages of a language stand, each under its release's number, so that what a feed
    says of a release leads to that one."""
    return lambda code: (
        lambda release, page: f"releases/{release.version}/{code}/{page_file(page, {}, release)}"
    )


def _gone(copies: Mapping[tuple[int, str], Copies], last: int, code: str) -> Copies:
    """Copies of pages that an earlier release has in the language `code`, and the newest has not:
    links to them may stand anywhere."""
    return {
        file: copy
        for number in range(last)
        for file, copy in copies[number, code].items()
        if file not in copies[last, code] and len(copy[1]) == 1
    }


def _write_one(everything: list[Release], number: int, code: str, out: Path) -> tuple[int, Copies]:
    """All pages of one release in one language, of the newest also those without a number: how many
    files, and which copies of pages."""
    folder = _folder(everything, number, code, out)
    language.use(code)
    copies: Copies = {}
    files = 0
    for name in PAGES:
        first = _written(folder, name, {})
        together = held_together(first.sizes.values())
        waiting: deque[Mapping[str, str]] = deque([{}])
        while waiting:  # those at one filter come before those at two, which share their pictures
            asked = waiting.popleft()
            file = page_file(name, asked, folder.release)
            if file not in copies:
                copies[file] = (name, asked)
                # Where all filters hold at once, the first copy stays as it is.
                paper = (
                    first
                    if not asked and together >= len(first.sizes)
                    else _written(folder, name, asked, together)
                )
                files += _put_page(folder, name, file, paper)
                waiting += paper.variants
    return files, copies


def _write_gone(everything: list[Release], code: str, out: Path, gone: Copies) -> int:
    """Pages of the newest release, each at a choice that it does not have: the page says so, and
    links to a release that has it."""
    folder = _folder(everything, len(everything) - 1, code, out)
    language.use(code)
    return sum(
        _put_page(folder, name, file, _written(folder, name, asked, 1))
        for file, (name, asked) in gone.items()
    )


def _folder(everything: list[Release], number: int, code: str, out: Path) -> Folder:
    release = everything[number]
    return Folder(release, everything, out / "releases" / release.version / code, code)


def _put_page(folder: Folder, name: str, file: str, paper: Paper) -> int:
    """Write one copy of a page under its release's number, and of the newest release at one filter
    also without; with the first copy of a page those of its figures. Gives how many files that
    makes."""
    html = _frame(folder, name, file, paper)
    pages = _put(folder.out / file, html, "files/", "../", "../../../")
    if not paper.asked:
        for figure, inside in paper.drawn.values():
            if figure.page.replace("-", "_") != name:
                continue  # shown here, at home on another page
            alone = figure_file(figure)
            html_alone = _frame(folder, name, alone, _alone(folder, paper, figure, inside))
            pages += _put(folder.out / alone, html_alone, "files/", "../", "../../../")
    if folder.release is folder.everything[-1] and len(paper.asked) <= 1:
        out, files = (
            folder.out.parent.parent.parent,
            f"releases/{folder.release.version}/{folder.code}/files/",
        )
        pages += _put(out / folder.code / file, html, f"../{files}", "../", "../")
        if (folder.code, file) == (language.DEFAULT, "index.html"):
            pages += _put(out / file, html, files, "", "")
    return pages


def _alone(folder: Folder, paper: Paper, figure: Figure, inside: str) -> Alone:
    """The page of one figure: its title, which days are missing from it, the figure, and the way to
    the page that it is from."""
    whole = f"{folder.page(paper.name, {})}#{figure.slug}"
    words = _("See this figure on its page: {title}").format(title=paper.title)
    missing = f'<div class="notice">{to_html(figure.missing)}</div>' if figure.missing else ""
    body = [
        f'<h1 tabindex="-1">{text_html(figure.title)}</h1>{missing}'
        f'<section class="figure" id="{escape(figure.slug)}">{inside}</section>'
        f'<p><a href="{escape(whole)}">{text_html(words)}</a></p>'
    ]
    return Alone(
        paper.release,
        folder,
        paper.name,
        {},
        body=body,
        title=figure.title,
        told=paper.told,
        only=figure,
    )


def _put(path: Path, html: str, files: str, pages: str, top: str) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        html.replace(FILES, files).replace(PAGES_HERE, pages).replace(TOP, top), encoding="utf-8"
    )
    return 1


def _written(
    folder: Folder, name: str, asked: Mapping[str, str], together: int | None = None
) -> Paper:
    paper = Paper(folder.release, folder, name, asked, together)
    folder.several = len(asked) > 1
    write_on(paper)
    try:
        runpy.run_path(str(PAGES_FOLDER / f"{name}.py"))
    finally:
        write_on(None)
    return paper


def _frame(folder: Folder, name: str, file: str, paper: Paper) -> str:
    release = folder.release
    others = " · ".join(
        (
            f'<strong aria-current="true">{words}</strong>'
            if code == folder.code
            else f'<a href="{PAGES_HERE}{code}/{file}" lang="{tag(code)}"'
            f' hreflang="{tag(code)}">{words}</a>'
        )
        for code, words in LANGUAGES.items()
    )
    shown, alone = shown_pages(release) | {name}, isinstance(paper, Alone)
    menu = "".join(
        f"<p>{escape(group)}</p><ul>"
        + "".join(
            (
                f'<li><strong aria-current="page">{escape(title)}</strong></li>'
                if page == name and not alone
                else f'<li><a href="{folder.page(page, {})}">{escape(title)}</a></li>'
            )
            for page, title in pages.items()
            if page in shown
        )
        + "</ul>"
        for group, pages in groups().items()
    )
    place = f"<strong>{text_html(pick(release.agency['place']))}</strong>"
    bar = (
        f'<div class="bar"><a href="{folder.page(PAGES[0], {})}">{place}</a>'
        f'<div class="crisis">{to_html(crisis_bar(release.agency["country"]))}</div>'
        f'<p class="languages">{others}</p></div>'
    )
    ribbon = (
        f'<p class="ribbon">{escape(made_up_in_short())}</p>' if release.agency["fictional"] else ""
    )
    title = f"{' · '.join([paper.title, *paper.named])} – {pick(release.agency['name'])}"
    old = ""
    if release is folder.everything[-1] and (promised := feeds.next_update(release)):
        # The files do not know what day it is; `chart.js` shows the line once the day has passed.
        old = (
            f'<p class="ribbon" data-after="{promised.isoformat()}"'
            f" hidden>{escape(feeds.overdue_words(release))}</p>"
        )
    if release is not folder.everything[-1]:
        words = _(
            "You see release {version} as it stood. A newer release is here: {newest}."
        ).format(version=release.version, newest=folder.everything[-1].version)
        old = (
            '<p class="notice"><a'
            f' href="{TOP}{folder.code}/{page_file(name, {}, release)}">{escape(words)}</a></p>'
        )
    words = _("Link to this page that lasts")
    lasting = f'<p class="quiet"><a href="{TOP}{folder.lasting}{file}">{escape(words)}</a></p>'
    skip, all_pages, touch = (
        _("Skip to the content"),
        _("All pages"),
        _("Show the numbers on touch"),
    )
    own, image = folder.preview(name, paper)
    site = citation.site_of(folder.everything[-1])
    if site:
        image = image.replace(FILES, f"{site}/{folder.lasting}files/")
    lasts = f"{site or TOP.rstrip('/')}/{folder.lasting}{file}"
    head = feeds.head(folder.everything[-1], TOP) + previews.tags(release, own, lasts, image)
    if alone:
        head += f'<link rel="canonical" href="{escape(lasts)}">'
    elif name == "data":
        data = opendata.json_ld(release, citation.site_of(release)).decode().replace("<", "\\u003c")
        head += f'<script type="application/ld+json">{data}</script>'
    return (
        f'<!doctype html><html {language.of_page()}><head><meta charset="utf-8"><meta'
        ' name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(unmarked(title))}</title>"
        f'<link rel="stylesheet" href="{TOP}style.css">'
        f'<script src="{TOP}chart.js" data-vega="{TOP}vega.js" data-words="{escape(touch)}"'
        f" defer></script>{head}</head><body>"
        f'<a class="skip" href="#main">{escape(skip)}</a><header>{bar}'
        f'<details class="menu"><summary>{escape(all_pages)}</summary><nav'
        f' aria-label="{escape(all_pages)}">{menu}</nav></details>{ribbon}{old}</header>'
        f'<main id="main">{"".join(paper.body)}{"" if alone else lasting}</main></body></html>\n'
    )


__all__ = ["export", "page_file"]
