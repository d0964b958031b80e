"""The council brief: two pages, accessible by its tags, the same words as its HTML twin."""

import io
import re
from html.parser import HTMLParser
from itertools import pairwise

import pikepdf
import pypdf
import pytest

from dashboard.export import brief
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def releases():
    return all_releases(load_release(ROOT / "data_public"), load_release)


def made(release, code, area, year):
    language.use(code)
    try:
        composed = brief.compose(release, area, year)
        return composed, brief.pdf(composed), brief.html(composed).decode()
    finally:
        language.use("en")


class Words(HTMLParser):
    """Texts of the page in reading order, its headings, its tables' heads, and what images say."""

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.headings, self.heads, self.images, self.lang = (
            [],
            [],
            [],
            0,
            [],
            "",
        )
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.open.append(tag)
        if tag == "html":
            self.lang = given["lang"]
        if tag == "th":
            assert given.get("scope") in ("row", "col")
            self.heads += 1
        if tag == "svg" and "viewbox" in given:
            assert given.get("role") == "img"
            self.images.append(given["aria-label"])

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "svg" in self.open or "style" in self.open or "title" in self.open:
            return
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append((self.open[-1], data))
        if data.strip():
            self.texts.append(data.strip())


def walk(node, parents=()):
    """(tag, element, tags above it) of every structure element, in reading order."""
    kids = node.get("/K")
    kids = [] if kids is None else list(kids) if isinstance(kids, pikepdf.Array) else [kids]
    for kid in kids:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            tag = str(kid.S)
            yield tag, kid, parents
            yield from walk(kid, (*parents, tag))


def faults(data, lang):
    """What a checker of PDF/UA-1 asks first: title shown, language, tags, one first heading, no
    skipped level, alt of figures, heads of tables."""
    found = []
    with pikepdf.open(io.BytesIO(data)) as pdf:
        root = pdf.Root
        if not (root.get("/MarkInfo") or {}).get("/Marked"):
            found.append("not marked as tagged")
        if str(root.get("/Lang", "")).split("-")[0] != lang:
            found.append("language missing")
        if not (root.get("/ViewerPreferences") or {}).get("/DisplayDocTitle"):
            found.append("the viewer shows the file's name")
        with pdf.open_metadata() as meta:
            if not meta.get("dc:title"):
                found.append("no title")
            if str(meta.get("pdfuaid:part", "")) != "1":
                found.append("does not say that it is PDF/UA-1")
        if "/StructTreeRoot" not in root:
            return [*found, "no structure"]
        elements = list(walk(root.StructTreeRoot))
        levels = [int(tag[2:]) for tag, _e, _p in elements if re.fullmatch(r"/H[1-6]", tag)]
        if levels.count(1) != 1 or any(b - a > 1 for a, b in pairwise(levels)):
            found.append("headings skip a level")
        for tag, element, _parents in elements:
            if tag == "/Figure" and not str(element.get("/Alt", "")).strip():
                found.append("a figure without alternative text")
            if tag == "/Table":
                rows = [t for t, _e, _p in walk(element)]
                if "/TH" not in rows or "/TR" not in rows:
                    found.append("a table without heads")
        for page in pdf.pages:
            if str(page.get("/Tabs", "")) != "/S":
                found.append("tab order is not that of the structure")
    return found


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("area", ["all", "riverside", "north_hills"])
def test_two_accessible_pages(releases, code, area):
    _composed, data, _html = made(releases[-1], code, area, "2025")
    assert len(pypdf.PdfReader(io.BytesIO(data)).pages) == 2
    assert faults(data, code) == []


def test_the_checker_finds_planted_faults(releases):
    _composed, data, _html = made(releases[-1], "en", "all", "2025")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for tag, element, _parents in walk(pdf.Root.StructTreeRoot):
            if tag == "/Figure":
                del element["/Alt"]
        del pdf.Root["/Lang"]
        spoiled = io.BytesIO()
        pdf.save(spoiled)
    assert {"language missing", "a figure without alternative text"} <= set(
        faults(spoiled.getvalue(), "en")
    )


def test_pdf_and_html_say_the_same_in_the_same_order(releases):
    composed, data, html = made(releases[-1], "en", "harbor", "2025")
    page = Words(html)
    assert page.lang == "en"
    assert [h for _t, h in page.headings] == [composed.title, *(p.heading for p in composed.parts)]
    assert len(page.images) == 2
    flat = re.sub(
        r"\s+", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(data)).pages)
    )
    at = 0
    for text in page.texts[:12]:
        found = flat.find(re.sub(r"\s+", "", text), at)
        assert found >= 0, text
        at = found
    for text in page.texts:
        assert re.sub(r"\s+", "", text) in flat, text


def test_an_earlier_release_with_fewer_tables_has_a_brief_too(releases):
    composed, data, _html = made(releases[0], "es", "all", "2024")
    assert len(pypdf.PdfReader(io.BytesIO(data)).pages) <= 2
    assert faults(data, "es") == []
    assert any(
        "no lo informa" in item or "no las informa" in item
        for part in composed.parts
        for item in part.items
    )


def test_labels_are_not_markup(releases, monkeypatch):
    """Typst and HTML get a label that is code in both."""
    label = '#panic("x") <script>alert(1)</script> $a$ *b*'
    monkeypatch.setattr(brief, "districts", lambda release: {"all": label})
    composed, data, html = made(releases[-1], "en", "all", "2025")
    assert label in composed.title
    assert "<script" not in html
    assert "#panic" in pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()


def test_same_brief_same_bytes(releases):
    assert made(releases[-1], "en", "all", "2025")[1] == made(releases[-1], "en", "all", "2025")[1]
