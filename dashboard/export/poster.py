"""A poster for a wall in an area: what to do in a crisis, when a team works there, and a code to
scan that leads to the area's page. One page, as tagged PDF; the page about the area is its twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashboard.export import brief, crisis_card, downloads
from dashboard.findings.program import hours_served
from dashboard.page.reported import has_teams
from dashboard.page.standard_texts import made_up, plain
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _, day, pick

LETTERS = (20.0, 18.0, 16.0, 14.0, 12.0)
"""Sizes in points, to be read from a step away: the largest that fits on one page is taken."""
CODE = 27
"""Width of the code to scan, in percent of a line: some 5 cm."""
PAPERS = ("us-letter", "a4")
"""As Typst names them."""


def compose(
    release: Release, area: str, place: str, address: str, paper: str = PAPERS[0]
) -> brief.Brief:
    """The poster in the reader's language. `area`: its code; `place`: its name; `address`: of its
    page, empty where the agency names no site: then there is nothing to scan."""
    whole = brief.Brief(
        title=_("{place}: help in a crisis").format(place=place),
        subtitle=crisis_card.title(release),
        notice=made_up() if release.agency["fictional"] else "",
        parts=tuple(_parts(release, area, address)),
        foot=_("{agency}. Hours as known on {day}. Questions: {contact}.").format(
            agency=pick(release.agency["name"]),
            day=day(release.data_to),
            contact=release.agency["contact"],
        ),
        release=release,
        paper=paper,
        charts=CODE,
    )
    for letters in LETTERS:
        sheet = replace(whole, letters=letters)
        if brief.pages(sheet) == 1:
            break
    return sheet


def _parts(release: Release, area: str, address: str) -> Sequence[brief.Part]:
    parts = [
        brief.Part(
            _("If you or someone close to you is in crisis"),
            items=tuple(plain(step) for step in crisis_card.steps(release)),
        )
    ]
    if hours := hours_served(release, area):
        always = _("Outside these hours police or medics come. You can call 988 at every hour.")
        parts.append(brief.Part(_("When a team works here"), items=(*hours, always)))
    elif has_teams(release):
        parts.append(
            brief.Part(
                _("When a team works here"),
                text=_("The agency has not said so. You can call 988 at every hour."),
            )
        )
    if address:
        parts.append(brief.Part(_("What happens in this area"), text=address, scan=address))
    return parts


def pdf_of(release: Release, area: str, place: str, address: str, paper: str) -> bytes:
    return brief.pdf(compose(release, area, place, address, paper))


def file_name(release: Release, area: str, paper: str) -> str:
    return downloads.file_name(
        "poster", area, paper, "release", release.version, language.current(), suffix="pdf"
    )
