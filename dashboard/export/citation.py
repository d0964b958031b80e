"""How to cite, link and embed a view: the words a journalist pastes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from urllib.parse import urlencode

from dashboard.figures.figure import Figure
from dashboard.page.pages_list import path_of
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _, day, unmarked


def site_of(release: Release, here: str = "") -> str:
    """The site's address: as the release gives it, else where the visitor is."""
    return str(release.package.get("homepage") or here).rstrip("/")


def view_link(
    release: Release, page: str, choices: Mapping[str, str], site: str, **more: str
) -> str:
    """The exact view at exactly this release, for as long as the site stands."""
    query = dict(choices)
    if language.current() != language.DEFAULT:
        query["lang"] = language.current()
    query |= {"release": release.version, **more}
    return f"{site}/{path_of(page.replace('-', '_'))}?{urlencode(query)}"


def newest_view(release: Release, page: str, choices: Mapping[str, str]) -> str:
    """The view at whichever release is the newest, for paper; empty where the release names no
    site."""
    site, query = site_of(release), dict(choices)
    if language.current() != language.DEFAULT:
        query["lang"] = language.current()
    address = f"{site}/{path_of(page.replace('-', '_'))}"
    return site and (f"{address}?{urlencode(query)}" if query else address)


HIGHEST = 4000
"""Pixels that a frame grows to at most."""
FIT = (
    '<script>addEventListener("message",function(e){var'
    ' h=e.data&&e.data["co-response-height"];if(h>0)document.querySelectorAll("iframe")'
    ".forEach(function(f){if(f.contentWindow===e.source)"
    f'f.style.height=Math.min(h,{HIGHEST})+"px"}})}})</script>'
)
"""Gives each frame the height that the figure in it asks for (`assets/height.js`)."""


def embed_code(figure: Figure, release: Release, site: str, highest: int = HIGHEST) -> str:
    """A frame with a title, for someone else's page; fits 300 pixels and more. Behind it a line of
    script that gives it the figure's own height, `highest` at most; without it the frame scrolls.
    """
    address = view_link(
        release, figure.page, figure.choices, site, figure=figure.slug, embed="true"
    )
    return (
        f'<iframe src="{escape(address)}" title="{escape(unmarked(figure.title))}"'
        ' style="width:100%;max-width:720px;height:640px;border:1px solid #8a979a"'
        ' loading="lazy"></iframe>'
    ) + FIT.replace(f"(h,{HIGHEST})", f"(h,{highest})")


@dataclass(frozen=True)
class Citation:
    apa: str
    chicago: str
    bibtex: str


def cite(figure: Figure, release: Release, site: str, retrieved: date) -> Citation:
    """APA (7th edition), Chicago (17th edition, notes) and BibTeX, with release number and data-to
    date."""
    publisher, year = (
        str(release.package["contributors"][0]["title"]),
        str(release.package["created"])[:4],
    )
    link, title = view_link(release, figure.page, figure.choices, site), unmarked(figure.title)
    version = _("Release {version}, data to {day}").format(
        version=release.version, day=day(release.data_to)
    )
    seen = day(retrieved)
    apa = _(
        "{publisher}. ({year}). {title} ({version}) [Data set]. Retrieved {seen}, from {link}"
    ).format(publisher=publisher, year=year, title=title, version=version, seen=seen, link=link)
    chicago = _('{publisher}, "{title}," {version}, {year}, accessed {seen}, {link}.').format(
        publisher=publisher,
        title=title,
        version=version[:1].lower() + version[1:],
        year=year,
        seen=seen,
        link=link,
    )
    fields = {
        "author": f"{{{publisher}}}",
        "title": title,
        "year": year,
        "note": f"{version}",
        "url": link,
        "urldate": retrieved.isoformat(),
    }
    lines = [
        f"  {name} = {{{_tex(value) if name not in ('url', 'author') else value}}}"
        for name, value in fields.items()
    ]
    key = f"{figure.slug}-{release.version}".replace(".", "-")
    return Citation(apa, chicago, f"@misc{{{key},\n" + ",\n".join(lines) + "\n}")


def _tex(text: str) -> str:
    for mark in ("\\", "{", "}"):
        text = text.replace(mark, "")
    for mark in "&%$#_":
        text = text.replace(mark, f"\\{mark}")
    return text
