"""The static edition: every page of every release as plain files, in every language, for a web server without a program.

    index.html, en/, es/            the newest release
    releases/VERSION/en/, es/       each release under its number, for links that last; files/ beside the pages
    data/VERSION/, data/latest/     the release files with Parquet, CSVW, JSON-LD and checksums; data.json (DCAT-US 3)

A page with filters has one copy for each choice of one filter.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from dashboard import citation, exports, language, opendata, picture
from dashboard.figure import Figure, View, seen, slug
from dashboard.language import LANGUAGES, _, pick
from dashboard.pages_list import PAGES, groups
from dashboard.paper import Paper
from dashboard.release import Release, load_release
from dashboard.serving import all_releases
from dashboard.static_style import stylesheet
from dashboard.surface import write_on
from dashboard.theme import LIGHT

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "dashboard/assets/chart.js"
WIDTHS = (300, picture.INSIDE)
FILES, PAGES_HERE, TOP = "@files@/", "@pages@/", "@top@/"
"""Stand in a page's text for the ways to its files, to the other pages and to the top, until the page's own place is known."""


def page_file(name: str, choices: Mapping[str, str]) -> str:
    """`calls--area-harbor.html`; the first page is `index.html`."""
    stem = "index" if name == "at_a_glance" else name.replace("_", "-")
    return "--".join([stem, *(f"{key}-{slug(code)}" for key, code in sorted(choices.items()))]) + ".html"


@dataclass
class Folder:
    """The files of one release in one language."""

    release: Release
    everything: list[Release]
    out: Path
    code: str
    names: dict[str, bytes] = field(default_factory=dict)
    drawn: dict[View, list[tuple[str, int, int]]] = field(default_factory=dict)

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
        if "release" in choices:
            return f"{TOP}releases/{choices['release']}/{self.code}/{page_file(name, {})}"
        return f"{PAGES_HERE}{self.code}/{page_file(name, choices)}"

    def pictures(self, figure: Figure) -> list[tuple[str, int, int]]:
        """Drawn once for all pages that show the same: most figures of a page do not change with one of its filters."""
        view = seen(figure, LIGHT)
        if view not in self.drawn:
            self.drawn[view] = []
            for width in WIDTHS:
                svg = picture.chart_svg(figure, width)
                name = self.keep(f"{figure.page}-{figure.slug}-{width}.svg", picture.following_the_reader(svg).encode())
                self.drawn[view].append((name, *picture.size_of(svg)))
        return self.drawn[view]

    def takeaways(self, figure: Figure) -> list[tuple[str, str]]:
        site = citation.site_of(self.release)
        name = f"{figure.page}-{figure.slug}"
        return [
            (_("Download these rows (CSV)"), self.keep(f"{name}.csv", exports.csv_bytes(figure.data))),
            (_("Picture to enlarge (SVG)"), self.keep(f"{name}.svg", exports.svg(figure, self.release, site))),
            (_("Chart as Vega-Lite (JSON)"), self.keep(f"{name}.vl.json", picture.specification(figure, WIDTHS[1])))
            if figure.chart
            else (
                _("Definitions and citation (text)"),
                self.keep(f"{name}.txt", exports.readme(figure, self.release, site, None).encode()),
            ),
        ]

    def releases(self) -> list[Release]:
        return self.everything


def export(newest: Release, out: Path, say: Callable[[str], None] = lambda _line: None) -> int:
    """Write the static edition of `newest` and of all its history into `out` (new or empty); gives the number of pages.

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
    shutil.copy(SCRIPT, out / "chart.js")
    (out / "vega.js").write_text(picture.vega_script(), encoding="utf-8")
    pages = 0
    jobs = [(everything, number, code, out) for number in reversed(range(len(everything))) for code in LANGUAGES]
    # Processes of their own, since drawing keeps Python busy; started afresh, since a solver of drawings does not survive a copy.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for (_, number, code, _), written in zip(jobs, pool.map(_write_one, *zip(*jobs, strict=True)), strict=True):
            say(f"Release {everything[number].version}, {LANGUAGES[code]}: {written} pages")
            pages += written
    opendata.write(everything, out, citation.site_of(newest))
    return pages


def _write_one(everything: list[Release], number: int, code: str, out: Path) -> int:
    """All pages of one release in one language; of the newest also those without a number."""
    release = everything[number]
    folder = Folder(release, everything, out / "releases" / release.version / code, code)
    pages = 0
    for name, html in _pages(folder).items():
        pages += _put(folder.out / name, html, "files/", "../", "../../../")
        if release is everything[-1]:
            files = f"releases/{release.version}/{code}/files/"
            pages += _put(out / code / name, html, f"../{files}", "../", "../")
            if (code, name) == (language.DEFAULT, "index.html"):
                pages += _put(out / name, html, files, "", "")
    return pages


def _put(path: Path, html: str, files: str, pages: str, top: str) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html.replace(FILES, files).replace(PAGES_HERE, pages).replace(TOP, top), encoding="utf-8")
    return 1


def _pages(folder: Folder) -> dict[str, str]:
    """File name -> page. Each page at its start, and at each choice of one filter."""
    language.use(folder.code)
    found: dict[str, str] = {}
    for name in PAGES:
        first = _written(folder, name, {})
        found[page_file(name, {})] = _frame(folder, name, page_file(name, {}), first)
        for asked in first.variants:
            found[page_file(name, asked)] = _frame(folder, name, page_file(name, asked), _written(folder, name, asked))
    return found


def _written(folder: Folder, name: str, asked: Mapping[str, str]) -> Paper:
    paper = Paper(folder.release, folder, name, asked)
    write_on(paper)
    try:
        runpy.run_path(str(ROOT / "pages" / f"{name}.py"))
    finally:
        write_on(None)
    return paper


def _frame(folder: Folder, name: str, file: str, paper: Paper) -> str:
    release = folder.release
    others = " · ".join(
        f'<strong aria-current="true">{words}</strong>' if code == folder.code else f'<a href="{PAGES_HERE}{code}/{file}" lang="{code}" hreflang="{code}">{words}</a>'
        for code, words in LANGUAGES.items()
    )  # fmt: skip
    menu = "".join(
        f"<p>{escape(group)}</p><ul>"
        + "".join(
            f'<li><strong aria-current="page">{escape(title)}</strong></li>'
            if page == name
            else f'<li><a href="{folder.page(page, {})}">{escape(title)}</a></li>'
            for page, title in pages.items()
        )
        + "</ul>"
        for group, pages in groups().items()
    )
    old = ""
    if release is not folder.everything[-1]:
        words = _("You see release {version} as it stood. A newer release is here: {newest}.").format(
            version=release.version, newest=folder.everything[-1].version
        )
        old = f'<p class="notice"><a href="{TOP}{folder.code}/{page_file(name, {})}">{escape(words)}</a></p>'
    words = _("Link to this page that lasts")
    lasting = f'<p class="quiet"><a href="{TOP}releases/{release.version}/{folder.code}/{file}">{escape(words)}</a></p>'
    skip, all_pages, touch = _("Skip to the content"), _("All pages"), _("Show the numbers on touch")
    head = ""
    if name == "data":
        data = opendata.json_ld(release, citation.site_of(release)).decode().replace("<", "\\u003c")
        head = f'<script type="application/ld+json">{data}</script>'
    return (
        f'<!doctype html><html lang="{folder.code}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(paper.title)} – {escape(pick(release.agency['name']))}</title>"
        f'<meta name="description" content="{escape(paper.title)}"><link rel="stylesheet" href="{TOP}style.css">'
        f'<script src="{TOP}chart.js" data-vega="{TOP}vega.js" data-words="{escape(touch)}" defer></script>{head}</head><body>'
        f'<a class="skip" href="#main">{escape(skip)}</a><header><p class="languages">{others}</p>'
        f'<details class="menu"><summary>{escape(all_pages)}</summary><nav aria-label="{escape(all_pages)}">{menu}</nav></details>{old}</header>'
        f'<main id="main">{"".join(paper.body)}{lasting}</main></body></html>\n'
    )


__all__ = ["export", "page_file"]
