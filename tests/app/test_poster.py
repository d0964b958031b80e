"""The poster of an area: one accessible page with the hours of its team and the numbers to call,
and a code to scan that leads to the area's page."""

import dataclasses
import io
import re

import pypdf
import pytest
from PIL import Image

from dashboard.export import brief, citation, poster
from dashboard.findings.program import hours_served
from dashboard.numbers.cells import label_of
from dashboard.release.reader import load_release
from dashboard.site import static
from dashboard.text import language
from tests.app.test_brief import Words, faults
from tests.conftest import ROOT
from tests.paper import page_of

AREAS = ("all", "harbor", "RV1")


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def made(release, area, paper="us-letter"):
    """The poster and its bytes, in the language of the moment."""
    address = citation.newest_view(release, "neighborhood", {"area": area})
    composed = poster.compose(release, area, label_of(release, "area", area), address, paper)
    return composed, brief.pdf(composed)


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("paper", poster.PAPERS)
def test_one_accessible_page_of_that_paper(release, code, area, paper):
    language.use(code)
    composed, data = made(release, area, paper)
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    assert len(pages) == 1
    assert faults(data, code) == []
    size = {"us-letter": (612, 792), "a4": (595.28, 841.89)}[paper]
    assert [float(x) for x in pages[0].mediabox[2:]] == pytest.approx(size, abs=0.1)
    flat = re.sub(r"\s+", "", pages[0].extract_text())
    told = [composed.title, *hours_served(release, area), *composed.parts[0].items]
    assert hours_served(release, area)
    for line in told:
        assert re.sub(r"\s+", "", line) in flat, line
    for words in ("988", "911", composed.parts[-1].scan):
        assert words in flat


def test_numbers_are_those_of_get_help(release):
    composed, _data = made(release, "harbor")
    page = "".join(page_of(release, "get_help").body)
    texts = Words(f'<html lang="en">{page}</html>').texts
    shown = re.sub(r"\s+", "", "".join(texts))
    for step in composed.parts[0].items:
        assert re.sub(r"\s+", "", step) in shown


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_code_leads_to_the_page(release, code):
    """Read back from the drawn code by another program."""
    reader = pytest.importorskip(
        "zxingcpp", reason="NO READER OF QR CODES HERE: not read back (pip install zxing-cpp)"
    )
    language.use(code)
    composed, _data = made(release, "harbor")
    address = composed.parts[-1].scan
    drawn = brief.picture.png(brief.scan_code(address))
    found = reader.read_barcodes(Image.open(io.BytesIO(drawn)).convert("L"))
    assert [one.text for one in found] == [address]
    end = "" if code == "en" else "&lang=es"
    assert address == f"https://co-response.example.org/neighborhood?area=harbor{end}"


def test_codes_of_other_addresses_are_others(release):
    """Same address, same code; and a quiet edge of four modules around it."""
    one = brief.scan_code("https://a.example/neighborhood?area=a")
    assert one == brief.scan_code("https://a.example/neighborhood?area=a")
    assert one != brief.scan_code("https://a.example/neighborhood?area=b")
    dark = re.search(r'stroke="#000".* d="M4 4\.5', one.replace('class="qrline" ', ""))
    assert dark, one[:300]


def test_without_a_site_there_is_nothing_to_scan(release):
    package = {key: value for key, value in release.package.items() if key != "homepage"}
    bare = dataclasses.replace(release, package=package)
    composed, data = made(bare, "harbor")
    assert not any(part.scan for part in composed.parts)
    assert faults(data, "en") == []
    assert "/neighborhood" not in pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()


def test_my_area_offers_it_in_both_papers(release):
    page = "".join(page_of(release, "neighborhood", asked={"area": "harbor"}).body)
    assert "poster-harbor-us-letter-release-2026.1-en.pdf" in page
    assert "poster-harbor-a4-release-2026.1-en.pdf" in page


def test_in_the_static_edition_it_leads_to_the_static_page(release, tmp_path):
    language.use("es")
    folder = static._folder([release], 0, "es", tmp_path)
    static._written(folder, "neighborhood", {"area": "harbor"})
    name = "poster-harbor-a4-release-2026.1-es.pdf"
    data = (tmp_path / "releases/2026.1/es/files" / name).read_bytes()
    flat = re.sub(r"\s+", "", pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text())
    assert "https://co-response.example.org/es/neighborhood--area-harbor.html" in flat
    assert faults(data, "es") == []


def test_same_poster_same_bytes(release):
    assert made(release, "harbor")[1] == made(release, "harbor")[1]
