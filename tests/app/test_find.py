"""Find: everything that can be looked up, each line leading where it says."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace

import pandas as pd
import pytest

from dashboard.findings.program import hours_served
from dashboard.page.pages_list import PAGES
from dashboard.page.reported import shown_pages
from dashboard.page.surface import Entry, written_apart
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from dashboard.site.find import named
from dashboard.text import language
from dashboard.text.glossary import words
from dashboard.text.language import LANGUAGES
from tests.conftest import ROOT
from tests.paper import Gathering, Nowhere, page_of, published_page
from tests.parts_of_release import calls_only


class Looking(Gathering):
    """A page that keeps what can be looked up."""

    def find(self, entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        super().find(entries)


class Choices(Gathering):
    """A page that keeps what its filters offer."""

    def choose(self, key, label, options, default=None):
        self.options = getattr(self, "options", {}) | {key: dict(options)}
        return super().choose(key, label, options, default)


def looked_up(release, code="en") -> tuple[Entry, ...]:
    page = page_of(release, "find", code, kind=Looking)
    return page.entries


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_every_question_figure_claim_and_word_can_be_found(release, code):
    entries = looked_up(release, code)
    shown = shown_pages(release)
    assert {entry.page for entry in entries} == shown - {"find"}
    for name in PAGES:
        if name not in shown or name == "find":
            continue
        page = published_page(name, code)
        mine = [entry for entry in entries if entry.page == name]
        assert page.title in {entry.words for entry in mine}
        assert {entry.figure for entry in mine} >= {figure.slug for figure in page.found}, name
    language.use(code)
    assert set(words()) <= {entry.words for entry in entries if entry.page == "glossary"}
    language.use("en")


def by_other_names(release, *rows):
    listed = pd.DataFrame(rows, columns=["place", "place_es", "area"])
    return replace(release, references=release.references | {"place_names": listed})


def test_places_are_found_by_zip_code_and_other_names(release):
    """A place in two areas has a line for each; one in a beat that is not published, or in no area
    of this release, has that of the larger area or none."""
    codes = {**release.codelists["area"].codes}
    codes["OT1X"] = replace(codes["OT1"], code="OT1X", parent="OT1", level="block")
    area = replace(release.codelists["area"], codes=codes)
    told = replace(
        by_other_names(
            release,
            ("ZIP 00012", "Código postal 00012", "old_town"),
            ("ZIP 00012", "Código postal 00012", "harbor"),
            ("Old Mill", "", "OT1X"),
            ("Atlantis", "", "gone"),
            ("The city", "", "all"),
        ),
        codelists=release.codelists | {"area": area},
    )
    names = ("ZIP", "Código", "Old Mill", "Atlantis", "The city")
    for code, zip_code, old_town in (
        ("en", "ZIP 00012", "Old Town"),
        ("es", "Código postal 00012", "Casco Antiguo"),
    ):
        lines = [e for e in looked_up(told, code) if e.words.startswith(names)]
        assert [(e.words, e.page, e.filters) for e in lines] == [
            (f"{zip_code} ({old_town})", "neighborhood", (("area", "old_town"),)),
            (
                f"{zip_code} ({'Harbor' if code == 'en' else 'Puerto'})",
                "neighborhood",
                (("area", "harbor"),),
            ),
            (f"Old Mill ({old_town} 1)", "neighborhood", (("area", "OT1"),)),
        ]
    language.use("en")
    body = "".join(page_of(told, "neighborhood", asked={"area": "harbor"}).body)
    assert "Also in this area: ZIP 00012." in body
    assert "Also in this area" not in "".join(page_of(told, "neighborhood").body)


def with_joined(release, *group):
    """The release, with areas of one parent shown as one."""
    listed = release.codelists["area"]
    codes = {c: code for c, code in listed.codes.items() if c not in group}
    joined = "_".join(group)
    label = {"en": "Both", "es": "Las dos"}
    codes[joined] = replace(listed.codes[group[0]], code=joined, label=label)
    return replace(
        release,
        package=release.package | {"coarsened": {"areas": {"area": [list(group)]}}},
        codelists=release.codelists | {"area": replace(listed, codes=codes)},
    )


def test_places_and_hours_of_areas_that_are_shown_as_one(release):
    """An agency lists the areas as they were; nothing of them is lost or taken for the city's."""
    told = with_joined(by_other_names(release, ("Market Square", "", "OT1")), "OT1", "OT2")
    shown = {"all": "City", "old_town": "Old Town", "OT1_OT2": "Both"}
    assert named(told, shown) == {"OT1_OT2": ("Both", ["Market Square"])}
    columns = ["area", "days", "days_es", "hours", "hours_es"]
    rows = [(area, "Daily", "", f"{n} to 9", "") for n, area in enumerate(("all", "OT2", "gone"))]
    hours = pd.DataFrame(rows, columns=columns)
    told = replace(told, references=told.references | {"service_hours": hours})
    language.use("en")
    city, both, gone = hours_served(told)
    assert city.startswith("Example City: ") and both.startswith("Both: ")
    assert gone.startswith("gone: "), "hours of a place unknown here are not those of the city"
    assert hours_served(told, "OT1_OT2") == [city, both]
    assert hours_served(told, "harbor") == [city]


def test_places_lead_to_their_own_figures(release):
    places = [e for e in looked_up(release) if e.page == "neighborhood" and e.filters]
    assert {code for e in places for _key, code in e.filters} == {
        code
        for code in release.codelists["area"].codes
        if code != "all" and "unknown" not in code.split(".")
    }
    earlier = all_releases(release, load_release)[0]
    offered = Choices(earlier, Nowhere(earlier), "neighborhood", {})
    with written_apart(offered):
        runpy.run_path(str(ROOT / "pages/neighborhood.py"))
    old = [e for e in looked_up(earlier) if e.page == "neighborhood" and e.filters]
    assert {code for e in old for _key, code in e.filters} <= set(offered.options["area"])
    for entry in places[:3]:
        page = page_of(release, "neighborhood", asked=dict(entry.filters))
        assert entry.words in page.told.headline.sentence


def test_claims_lead_to_the_claim(release):
    claims = [e for e in looked_up(release) if e.page == "claims" and e.filters]
    assert len(claims) > 10
    for entry in claims[:3]:
        body = "".join(page_of(release, "claims", asked=dict(entry.filters)).body)
        assert entry.words in body


def test_a_release_of_calls_alone_offers_nothing_of_teams(release):
    found = looked_up(calls_only(release))
    assert "calls" in {entry.page for entry in found}
    assert not {"safety", "money", "neighborhood"} & {entry.page for entry in found}
    assert not [entry for entry in found if "team" in entry.words.lower()]


def test_no_two_lines_are_alike(release):
    lines = [(entry.words, entry.where) for entry in looked_up(release)]
    assert len(lines) == len(set(lines))


def test_other_pages_are_read_apart(release):
    """The page that looks them up goes on being written on its own surface."""
    page = page_of(release, "find", kind=Looking)
    assert page.title == "What are you looking for?"
    assert [figure.page for figure in page.found] == []


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_more_than_three_figures_are_listed_under_the_answer(release, code):
    for name in PAGES:
        page = page_of(release, name, code)
        body = "".join(page.body)
        listed = re.findall(r'<li><a href="#([^"]+)">', body)
        own = [slug for slug, _title in page.figures]
        assert listed == (own if len(own) > 3 and not page.told.doors else []), name
        for slug in listed:
            assert f'id="{slug}"' in body
