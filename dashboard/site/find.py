"""Everything that can be looked up in a release: places, figures, claims and words of the field."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.findings.claims import checked
from dashboard.findings.coverage import systems
from dashboard.numbers.queries import ELIGIBLE
from dashboard.page.page import areas
from dashboard.page.pages_list import PAGES, title_of
from dashboard.page.reported import has_teams, shown_pages
from dashboard.page.surface import Entry, surface
from dashboard.release.reader import ROOT, Release
from dashboard.site.previews import read
from dashboard.text.glossary import words
from dashboard.text.language import text, unmarked

HERE = "find"
MY_AREA = "area"
"""The area system that the page "My area" speaks of."""


def entries(release: Release) -> tuple[Entry, ...]:
    """All of them in the reader's language: places first, then what each page asks and shows.

    Pages that nobody has seen yet are written for it, some tenths of a second each; whoever waits
    goes first between two of them.
    """
    shown = [page for page in PAGES if page in shown_pages(release) and page != HERE]
    found = [*_places(release, shown)]
    pause = getattr(surface(), "pause", lambda: None)
    for page in shown:
        pause()
        found += _of_page(release, page)
    if "claims" in shown:
        found += _claims(release)
    found += [
        Entry(word, title_of("glossary"), "glossary") for word in words(teams=has_teams(release))
    ]
    return tuple(dict.fromkeys(found))


def _places(release: Release, shown: list[str]) -> list[Entry]:
    """Published areas of each system under a page that shows them: those of "My area" by
    themselves and by the names that the agency lists for them, the others on their map."""
    found = []
    for system in systems(release):
        table = release.find(system, "responder", where=ELIGIBLE) or release.find(system)
        assert table is not None, "a system that no table publishes is no system to show"
        own = system == MY_AREA and "neighborhood" in shown
        page = "neighborhood" if own else "coverage"
        if page not in shown:
            continue
        listed = areas(release, table, system)
        for code, label in listed.items():
            if code == ROOT or "unknown" in code.split("."):
                continue
            filters = (MY_AREA, code) if own else ("map", system)
            found.append(Entry(label, title_of(page), page, (filters,)))
        if own:
            found += [
                Entry(f"{name} ({label})", title_of(page), page, ((MY_AREA, code),))
                for code, (label, names) in named(release, listed).items()
                for name in names
            ]
    return found


def named(release: Release, shown: Mapping[str, str]) -> dict[str, tuple[str, list[str]]]:
    """ZIP codes, neighborhoods and other names that people look for: published area code -> its
    label and those names. `shown`: codes and labels of published areas. A place in an area that is
    not published stands under the next larger one that is."""
    rows, codes = release.reference("place_names"), release.codelists[MY_AREA].codes
    joined = release.joined(MY_AREA)
    found: dict[str, tuple[str, list[str]]] = {}
    for row in [] if rows is None else rows.to_dict("records"):
        code = joined.get(row["area"], row["area"])
        while code not in shown and code in codes:
            code = codes[code].parent
        if code in shown and code != ROOT:
            found.setdefault(code, (shown[code], []))[1].append(unmarked(text(row, "place")))
    return found


def _of_page(release: Release, page: str) -> list[Entry]:
    """A page's question and the figures that it shows at first."""
    where, reading = title_of(page), read(release, page)
    assert reading.told is not None, "each page begins with its lead"
    return [
        Entry(reading.told.question, where, page),
        *(Entry(figure.title, where, page, figure=figure.slug) for figure in reading.found),
    ]


def _claims(release: Release) -> list[Entry]:
    """The claims that the release has a figure for."""
    return [
        Entry(claim.said, title_of("claims"), "claims", (("claim", claim.name),))
        for claim, finding in checked(release)
        if finding.verdict != "missing"
    ]
