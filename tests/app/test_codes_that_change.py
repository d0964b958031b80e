"""A release splits an area and adds a type of call: what changed names both, and a saved link to
what is gone says so."""

from __future__ import annotations

import io
import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from anonymize.agency.codelists import period
from anonymize.pipeline import read_inputs
from anonymize.release.changelog import changelog
from anonymize.release.published import NOTHING_REVISED
from dashboard.export import chart_image
from dashboard.findings import release_diff
from dashboard.page import page_cache
from dashboard.page.missing_choice import CODELIST, Filter, missing
from dashboard.page.pages_list import PAGES
from dashboard.release import current
from dashboard.release.current import all_releases
from dashboard.release.reader import ROOT as ROOT_CODE
from dashboard.release.reader import Code, Codelist, Release, load_release
from dashboard.site import static
from dashboard.text import language
from tests.agency import make, write_agency
from tests.conftest import ROOT
from tests.paper import page_of

PLACES = [f"N{i}" for i in range(10)]
MAPPED = {'call_type = "type"\n\n': 'call_type = "type"\narea = "zone"\n\n'}
LATER = {
    'version = "2024.1"': 'version = "2024.2"',
    "created = 2024-07-01": "created = 2024-08-01",
    "data_to = 2024-06-30": "data_to = 2024-07-31",
    '"Check" = "check"': '"Check" = "check"\n"Youth" = "youth"',
    'en = "Crisis", es = "Crisis"': 'en = "In crisis", es = "En crisis"',
    '{ code = "check", en = "Check", es = "Control" },': (
        '{ code = "check", en = "Check", es = "Control" },\n'
        '  { code = "youth", en = "Youth", es = "Jóvenes" },'
    ),
}


def section(places: list[str]) -> str:
    codes = ",".join(f'"{p}"' for p in places)
    names = "".join(f'{p} = {{ en = "Zone {p}", es = "Zona {p}" }}\n' for p in places)
    return (
        '\n[areas.area]\nname="Area"\nall="Whole town"\nlevels=["zone"]\nunknown=false\n'
        f"codes=[{codes}]\n[areas.area.names]\n{names}"
        '[[tables]]\nname="by_area"\ntitle="By area"\n'
        'dimensions={ period=["all","year","month"], area=["all","zone"] }\n'
    )


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """Release 2 splits N9 (one of ten) into N9a and N9b, adds the type Youth, and calls another
    type otherwise."""
    drawn = random.Random(6)
    folder = tmp_path_factory.mktemp("town")

    def calls(first: int, count: int, months: tuple[int, int], kinds: list[str]) -> str:
        return "".join(
            f"{first + i},2024-{drawn.randint(*months):02d}-{drawn.randint(1, 28):02d} "
            f"10:00:00,{drawn.choice(kinds)},{drawn.choice(PLACES)}\n"
            for i in range(count)
        )

    early, late = (
        calls(0, 3000, (1, 6), ["Crisis", "Check"]),
        calls(9000, 600, (7, 7), ["Crisis", "Check", "Youth"]),
    )
    split = re.sub(r",N9\n", lambda _found: drawn.choice([",N9a\n", ",N9b\n"]), early + late)
    header = "id,at,type,zone\n"
    with redirect_stdout(io.StringIO()):
        for rows, more, places in (
            (early, {}, PLACES),
            (split, LATER, [*PLACES[:9], "N9a", "N9b"]),
        ):
            agency = write_agency(folder, header + rows, MAPPED | more, section(places))
            assert make(agency, folder / "out", folder / "private") == 0
    return folder / "out"


@pytest.fixture(scope="module")
def both(town) -> list[Release]:
    return all_releases(load_release(town), load_release)


@pytest.fixture(autouse=True)
def english():
    language.use("en")
    yield
    language.use("en")


def words(paper) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", "".join(paper.body))))


# --- what changed ---


def test_codes_that_are_gone_new_or_renamed_are_named(both):
    found = [
        (c.dimension, c.part_of, c.what, c.code, c.label, c.before)
        for c in release_diff.codes(*both)
    ]
    assert found == [
        ("area", "Whole town", "gone", "N9", "Zone N9", ""),
        ("area", "Whole town", "new", "N9a", "Zone N9a", ""),
        ("area", "Whole town", "new", "N9b", "Zone N9b", ""),
        ("call_type", "All", "new", "youth", "Youth", ""),
        ("call_type", "All", "renamed", "crisis", "In crisis", "Crisis"),
    ]
    assert release_diff.replaced(release_diff.codes(*both))
    assert release_diff.codes(both[1], both[1]) == []
    backwards = {c.code: c.what for c in release_diff.codes(both[1], both[0])}
    assert backwards["N9"] == "new"
    assert backwards["2024-07"] == "gone"  # a month that goes is a change, a new one is not


def test_a_list_of_codes_that_comes_or_goes_is_one_line(both):
    before, after = both
    bare = replace(
        before,
        codelists={name: codelist for name, codelist in before.codelists.items() if name != "area"},
    )
    (line,) = [c for c in release_diff.codes(bare, after) if c.dimension == "area"]
    assert (line.what, line.code, line.label) == ("new", "", "all 11 codes")
    (line,) = [c for c in release_diff.codes(after, bare) if c.dimension == "area"]
    assert line.what == "gone"
    assert not release_diff.replaced(release_diff.codes(bare, after))


def test_codes_for_not_recorded_come_and_go_with_those_above_them():
    release = load_release(ROOT / "data_public")
    east = Code("east", {"en": "East", "es": "Este"}, "all", "district")
    below = [
        replace(east, code=code, parent=parent)
        for code, parent in (("east.unknown", "east"), ("unknown.beat", "unknown"))
    ]
    unknown = replace(east, code="unknown", label={"en": "Not recorded", "es": "Sin registro"})
    area = release.codelists["area"]

    def having(*codes: Code) -> Release:
        kept = {ROOT_CODE: area.codes[ROOT_CODE]} | {code.code: code for code in codes}
        return replace(release, codelists={"area": Codelist("area", area.name, kept)})

    found = release_diff.codes(having(), having(east, unknown, *below))
    assert [(c.what, c.code) for c in found] == [("new", "east"), ("new", "unknown")]


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_page_names_them_and_how_many_calls_were_coded_anew(both, code):
    told = both[1].package["revised"]
    assert told["at_most"] >= 300
    paper = page_of(both[1], "changes", code)
    said = words(paper)
    for name in {
        "en": ("Zone N9 ", "Zone N9a", "Zone N9b", "Youth", "In crisis (before: Crisis)", "gone"),
        "es": ("Zona N9 ", "Zona N9a", "Jóvenes", "En crisis (antes: Crisis)", "ya no está"),
    }[code]:
        assert name in said, name
    most = {
        "en": f"At most {told['at_most']} calls got another code.",
        "es": f"Como máximo {told['at_most']} llamadas recibieron otro código.",
    }
    assert most[code] in said
    assert {
        "en": "one may have been split, or two joined",
        "es": "quizás uno se dividió o dos se unieron",
    }[code] in said
    (figure,) = [f for f in paper.found if f.slug.startswith("codes-")]
    assert list(figure.data["code"]) == ["N9", "N9a", "N9b", "youth", "crisis"]


def test_calls_coded_anew_are_told_against_the_release_before_alone(both):
    assert release_diff.revised(*both) == release_diff.Revised(
        6, both[1].package["revised"]["at_most"]
    )
    assert release_diff.revised(both[1], both[0]) is None
    skipped = replace(
        both[1],
        package=both[1].package
        | {"history": [*both[1].package["history"], {"version": "2024.1.5"}]},
    )
    assert release_diff.revised(both[0], skipped) is None


def test_the_changelog_names_them_from_public_files_alone(town, both):
    text = (town / "CHANGELOG.md").read_text()
    assert (
        "Codes of `area`, gone: `N9` (Zone N9 / Zona N9); new: `N9a` (Zone N9a / Zona "
        "N9a), `N9b` (Zone N9b / Zona N9b).\n" in text
    )
    assert "Codes of `call_type`, new: `youth` (Youth / Jóvenes).\n" in text
    assert f"at most {both[1].package['revised']['at_most']} were coded anew" in text
    assert "`period`" not in text
    assert text.endswith(
        (town / "history/2024.1/CHANGELOG.md").read_text().removeprefix("# Changes\n\n")
    )


def test_the_changelog_names_lists_that_come_or_go(town, both, tmp_path):
    config = read_inputs(town.parent / "agency.toml").config.file.release
    (tmp_path / "codelists").mkdir()
    (tmp_path / "codelists/area.csv").write_bytes(both[0].files["codelists/area.csv"])
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## 2024.1\n")
    months = period(date(2024, 1, 1), date(2024, 1, 31), has_months=True)
    text = changelog(config, tmp_path, NOTHING_REVISED, {"period": months})
    assert (
        "Lists of codes that are gone: `area`.\nLists of codes that are new: `period`.\n\n"
        "## 2024.1\n" in text
    )
    assert "No count of a month that was out before has changed." in text


# --- links ---


def test_the_words_for_a_choice_that_is_not_there(both):
    before, after = both
    options = {"all": "Whole town", "N0": "Zone N0"}

    def told(asked: str | None, key: str = "area", release: Release = after) -> Any:
        return missing(asked, Filter(key, "Place", options, "all"), release, lambda: both)

    assert told("N0") is told("all") is told("") is told(None) is None
    gone = told("N9")
    assert (gone.said, gone.instead) == (
        "Place: 'Zone N9' is not in this release.",
        "You see 'Whole town' instead.",
    )
    assert (gone.release, gone.link) == ("2024.1", "See 'Zone N9' in release 2024.1")
    later = told("N9a", release=before)
    assert (later.release, later.link) == ("2024.2", "See 'Zone N9a' in release 2024.2")
    never = told("<b>N77</b>")
    assert (never.said, never.release) == (
        "Place: your link asks for a choice that is not in this release.",
        "",
    )
    assert told("N1").said == "Place: this page has no numbers for 'Zone N1'."
    assert told("N9", key="claim").release == ""  # a filter without codes


def test_each_filter_of_codes_knows_its_codelist():
    """A filter of a page that takes codes of the release, and that the list above lacks, would
    never find the release that has them."""
    release = load_release(ROOT / "data_public")
    seen = set()
    for name in PAGES:
        for variant in page_of(release, name).variants:
            ((key, code),) = variant.items() if variant else (("", ""),)
            holding = {d for d, codelist in release.codelists.items() if code in codelist.codes}
            if key in CODELIST:
                assert CODELIST[key] in holding, (name, key, code)
                seen.add(key)
            elif key not in ("", "claim", "compare", "level", "map"):
                assert not holding, (name, key, code)
    assert seen == set(CODELIST)


@pytest.mark.parametrize("code", ["en", "es"])
def test_a_page_on_paper_says_so_and_links_to_the_release_that_has_it(both, code):
    start, asked = (
        words(page_of(both[1], "calls", code)),
        page_of(both[1], "calls", code, {"area": "N9"}),
    )
    notice = {
        "en": "Place: 'Zone N9' is not in this release. You see 'Whole town' instead.",
        "es": "Lugar: «Zona N9» no está en esta edición. En su lugar usted ve «Whole town».",
    }[code]
    link = {"en": "See 'Zone N9' in release 2024.1", "es": "Ver «Zona N9» en la edición 2024.1"}[
        code
    ]
    assert notice in words(asked)
    assert re.sub(r"\s+", " ", words(asked).replace(notice, "").replace(link, "")) == start
    assert words(page_of(both[0], "calls", code, {"area": "N9"})).count("Zon") > 0
    assert notice not in words(page_of(both[0], "calls", code, {"area": "N9"}))


def test_the_static_edition_keeps_a_page_for_each_link_that_once_was(town, tmp_path, monkeypatch):
    """Of two pages only, without their drawings: all of it takes minutes."""
    monkeypatch.setattr(
        chart_image,
        "_drawn",
        lambda _specification: (
            '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" viewBox="0 0 9'
            ' 9"><g/></svg>'
        ),
    )
    monkeypatch.setattr(static, "PAGES", ("at_a_glance", "calls"))
    monkeypatch.setattr(static, "ProcessPoolExecutor", lambda *_given: ThreadPoolExecutor(1))
    out = tmp_path / "site"
    pages = static.export(load_release(town), out)
    assert pages == sum("files" not in p.parts for p in out.rglob("*.html"))
    for code, said in (
        ("en", "'Zone N9' is not in this release."),
        ("es", "«Zona N9» no está en esta edición."),
    ):
        for place, top in ((out / code, "../"), (out / f"releases/2024.2/{code}", "../../../")):
            html = (place / "calls--area-n9.html").read_text()
            assert said in unescape(html)
            (link,) = re.findall(r'<p><a href="([^"]*releases/2024\.1/[^"]*)"', html)
            assert link == f"{top}releases/2024.1/{code}/calls--area-n9.html"
            earlier = (place / link).resolve()
            assert earlier.is_file()
            assert said not in unescape(earlier.read_text())
            lasting = [a for a in re.findall(r'href="([^"]+)"', html) if "calls--area" in a]
            assert len(lasting) > 10
            assert all((place / a).resolve().is_file() for a in lasting), lasting
        assert not (out / f"releases/2024.1/{code}/calls--area-n9a.html").exists()


def test_codes_that_differ_in_case_have_files_of_their_own(both):
    release = both[1]
    twin = replace(release.codelists["area"].codes["N1"], code="n1")
    area = Codelist("area", {"en": "Area"}, release.codelists["area"].codes | {"n1": twin})
    alike = replace(release, codelists=release.codelists | {"area": area})
    names = {static.page_file("calls", {"area": code}, alike) for code in ("N1", "n1", "N2")}
    assert len(names) == 3
    assert (
        static.page_file("calls", {"area": "N2"}, alike)
        == static.page_file("calls", {"area": "N2"}, release)
        == "calls--area-n2.html"
    )


@pytest.fixture
def served(town, monkeypatch):
    monkeypatch.setenv("RELEASE_DIR", str(town))
    page_cache._kept.clear()
    current._kept.clear()
    yield
    page_cache._kept.clear()
    current._kept.clear()


def visit(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def test_the_app_says_so_until_the_reader_chooses(served):
    app = visit("calls", area="N9")
    (said,) = [w.value for w in app.warning]
    assert "'Zone N9' is not in this release" in said.replace("\\", "")
    assert "You see 'Whole town' instead" in said.replace("\\", "")
    assert app.selectbox(key="area").value == "all"
    app.selectbox(key="area").select("N3").run()
    assert not app.warning
    assert app.query_params["area"] == "N3"
    assert not visit("calls").warning
    assert visit("calls", area="N9", release="2024.1").selectbox(key="area").value == "N9"


def test_a_visitor_who_follows_the_link_sees_what_was_asked_for(served):
    """The address keeps its code while the release changes: the filter must follow it."""
    app = visit("calls", area="N9")
    app.query_params["release"] = "2024.1"
    app.run()
    assert app.selectbox(key="area").value == "N9"
    assert not [w for w in app.warning if "is not in this release" in w.value]


def test_a_page_told_from_memory_still_says_so(served):
    assert not visit("calls").warning
    assert len(visit("calls", area="N9").warning) == 1
    assert not visit("calls").warning


def test_hostile_choices_are_told_without_their_text(served):
    app = visit("calls", area="<b>N77</b>")
    (said,) = [w.value for w in app.warning]
    assert "N77" not in json.dumps([e.value for e in (*app.warning, *app.markdown, *app.info)])
    assert "your link asks for a choice that is not in this release" in said.replace("\\", "")


@pytest.mark.parametrize(("figure", "found"), [("calls-month", True), ("calls-month-n9", False)])
def test_a_frame_on_another_site_says_so(served, figure, found):
    app = visit("calls", area="N9", figure=figure)
    said = [w.value.replace("\\", "") for w in app.warning]
    assert len(said) == 1
    assert "'Zone N9' is not in this release." in said[0]
    captions = [c.value.replace("\\", "") for c in app.caption]
    assert ("You see 'Whole town' instead." in captions) == found
    assert bool([i for i in app.info if "This figure is not in this release" in i.value]) == (
        not found
    )
