"""Taking figures away, linking, embedding, earlier releases, and the static edition, in a real
Chromium."""

import csv
import gzip
import io
import re
import zipfile
from collections import deque
from html.parser import HTMLParser
from itertools import product
from urllib.parse import urldefrag, urljoin

from PIL import Image

from dashboard.export import citation
from dashboard.page import pages_list
from dashboard.page.reported import shown_pages
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from tests.browser.test_pages import PAGES, PHONE, settle, shown_rows, visit
from tests.conftest import ROOT


def download(tab, name, within=None):
    with tab.expect_download() as found:
        (within or tab).get_by_role("button", name=name, exact=True).first.click()
    with open(found.value.path(), "rb") as handle:
        return found.value.suggested_filename, handle.read()


def test_picture_evidence_and_citation(example, tab):
    visit(tab, f"{example}/calls?area=north_hills")
    shown = shown_rows(tab)
    tab.get_by_role("button", name=re.compile("^Cite: ")).first.click()
    box = tab.get_by_role("dialog")
    box.get_by_text("Link to exactly this view.").wait_for()
    name, png = download(tab, "Picture (PNG)", box)
    assert re.fullmatch(r"calls-.*north_hills-release-2026\.1\.png", name)
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.width >= 2000
    _name, svg = download(tab, "Picture to enlarge (SVG)", box)
    assert b"Calls over time: North Hills" in svg
    _name, whole = download(tab, "The whole table behind it (CSV)", box)
    assert whole == (ROOT / "data_public/tables/calls_by_month_area.csv").read_bytes()
    name, data = download(tab, "All of it (zip)", box)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = list(
            csv.DictReader(
                io.StringIO(
                    archive.read(f"{name.removesuffix('.zip')}/data.csv").decode("utf-8-sig")
                )
            )
        )
    assert [r["label"] for r in rows] == [row[0] for row in shown]
    codes = box.locator("code").all_inner_texts()
    link = next(c for c in codes if c.startswith("https://co-response.example.org/calls?"))
    assert "area=north_hills" in link
    assert "release=2026.1" in link
    assert any("[Data set]" in c for c in codes)
    assert any(c.startswith("@misc{") for c in codes)
    frame = next(c for c in codes if c.startswith("<iframe"))
    assert 'title="Calls over time: North Hills"' in frame
    box.get_by_role("button", name="Picture (PNG)").press("Escape")
    box.wait_for(state="hidden")
    visit(tab, link.replace("https://co-response.example.org", example))
    assert shown_rows(tab) == shown


def test_files_come_in_the_reader_s_language(example, tab):
    visit(tab, f"{example}/calls?lang=es", foot="Datos hasta")
    tab.get_by_role("button", name=re.compile("^Citar: ")).first.click()
    box = tab.get_by_role("dialog")
    box.get_by_text("Enlace a esta misma vista.").wait_for()
    _name, svg = download(tab, "Imagen para ampliar (SVG)", box)
    assert "Llamadas a lo largo del tiempo" in svg.decode()
    assert "Fuente:" in svg.decode()


def test_embedded_at_300_pixels(example, browser):
    context = browser.new_context(viewport={"width": 300, "height": 640}, user_agent=PHONE)
    page = context.new_page()
    page.goto(f"{example}/calls?area=harbor&release=2026.1&figure=calls-month-harbor&embed=true")
    page.get_by_text(re.compile("^Data to")).wait_for()
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 300
    assert page.locator("[data-testid=stVegaLiteChart]").count() == 1
    assert page.get_by_text("Calls over time: Harbor").count() >= 1
    assert page.locator("h2").count() == 0
    assert page.get_by_role("navigation").count() == 0
    assert page.get_by_role("combobox").count() == 0
    context.close()


def test_an_unknown_figure_says_so(example, tab):
    visit(tab, f"{example}/calls?figure=nothing&embed=true")
    assert "This figure is not in this release." in tab.locator("body").inner_text()


def test_an_earlier_release_stands_as_it_was(example, tab):
    """The corrected figure is the old one in the frozen view, on every page that the reader goes on
    to, until the newest is chosen."""
    visit(tab, f"{example}/staffing?release=2025.1")
    body = tab.locator("body").inner_text()
    assert "You see release 2025.1 as it stood, with data to December 31, 2024." in body
    assert "236 of 310" in body
    assert "118 of 310" not in body
    tab.get_by_role("button", name="What happens").click()
    tab.get_by_role("link", name="Calls and demand").click()
    tab.get_by_text("How many crisis calls come in").wait_for()
    settle(tab)
    assert "release=2025.1" in tab.url
    assert "Release 2025.1" in tab.locator("body").inner_text()
    tab.get_by_role("button", name="Show the newest release").click()
    tab.get_by_text("Data to December 31, 2025. Release 2026.1.").wait_for()
    settle(tab)
    assert "release" not in tab.url
    visit(tab, f"{example}/staffing")
    assert "118 of 310" in tab.locator("body").inner_text()


def test_an_unknown_release_says_so(example, tab):
    visit(tab, f"{example}/calls?release=1999.9")
    assert (
        "The release you asked for is not here. You see the newest one, 2026.1."
        in tab.locator("body").inner_text()
    )


def test_the_brief(example, tab):
    visit(tab, f"{example}/scorecard?place=harbor")
    name, data = download(tab, "Council brief (PDF)")
    assert name == "council-brief-harbor-2025-release-2026.1-en.pdf"
    assert data.startswith(b"%PDF-")
    _name, data = download(tab, "Council brief (HTML)")
    assert b"Council brief: Harbor, 2025" in data


class Seen(HTMLParser):
    """What a page of the static edition links to, shows and says of itself."""

    def __init__(self, text):
        super().__init__()
        self.links, self.files, self.alts, self.h1, self.lang, self.titles = [], [], [], 0, "", 0
        self.canonical = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        of = dict(attrs)
        if tag == "html":
            self.lang = of.get("lang")
        self.h1 += tag == "h1"
        self.titles += tag == "title"
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        if tag == "img":
            self.alts.append(of.get("alt") or "")
        if tag == "link" and of.get("rel") == "canonical":
            self.canonical = of["href"]
        elif tag in ("img", "source", "script") or (tag == "link" and "href" in of):
            named = [of[name] for name in ("src", "srcset", "href") if name in of][:1]
            self.files += [file for file in named if not file.startswith(WITHIN)]


WITHIN = "data:image/svg+xml,"
"""A picture in the text of its page."""
ELSEWHERE = {
    "tel:988",
    "tel:911",
    "sms:988",
    "sms:988?body=AYUDA",
    "https://988lifeline.org/chat/",
    "https://988lineadevida.org/",
}
"""What a page may lead to beside the edition: help in a crisis."""


def test_crawl_of_the_static_edition(edition):
    """Every page reachable from the first, every file there, nothing taken from another server."""
    out, address = edition
    site = citation.site_of(load_release(ROOT / "data_public"))
    seen, files, waiting = set(), set(), deque([f"{address}/index.html"])
    while waiting:
        url = urldefrag(waiting.popleft())[0]
        if url in seen:
            continue
        seen.add(url)
        found = Seen((out / url.removeprefix(f"{address}/")).read_text(encoding="utf-8"))
        assert (found.h1, found.titles) == (1, 1), url
        assert all(len(alt) >= 40 for alt in found.alts), url
        assert found.lang == ("es" if "/es/" in url else "en")
        assert found.canonical in (None, url.replace(address, site)), url
        for link in found.links:
            if link.startswith(("mailto:", "#")) or link in ELSEWHERE:
                continue
            target = urldefrag(urljoin(url, link))[0]
            assert target.startswith(address), f"{url} links to {target}"
            (waiting.append if target.endswith(".html") else files.add)(target)
        files |= {urljoin(url, f) for f in found.files}
    pages = {str(p.relative_to(out)) for p in out.rglob("*.html")}
    unlinked = pages - {u.removeprefix(f"{address}/") for u in seen}
    earlier = all_releases(load_release(ROOT / "data_public"), load_release)[0]
    empty = set(pages_list.PAGES) - shown_pages(earlier)
    assert empty
    assert unlinked == {
        f"releases/2025.1/{code}/{page.replace('_', '-')}.html"
        for code, page in product(("en", "es"), empty)
    }, "only pages that a release has nothing for are not in its menu"
    missing = [
        f
        for f in files
        if not f.startswith(address) or not (out / f.removeprefix(f"{address}/")).is_file()
    ]
    assert missing == []
    assert len(seen) > 400
    assert len(files) > 1000


def test_the_static_edition_asks_nobody_else(edition, browser):
    """A real browser without scripts, on each page in both languages: all it asks for is there, on
    the same server."""
    _out, address = edition
    page = browser.new_context(java_script_enabled=False).new_page()
    failed = []
    page.on("requestfailed", lambda r: failed.append(r.url))
    page.on("response", lambda r: failed.append(r.url) if r.status >= 400 else None)
    page.on("request", lambda r: failed.append(r.url) if not r.url.startswith(address) else None)
    for language in ("en", "es"):
        for name in PAGES:
            page.goto(f"{address}/{language}/{name or 'index'}.html", wait_until="load")
            assert page.locator("h1").count() == 1
    page.context.close()
    assert failed == []


def test_the_first_page_is_light(edition):
    out, _address = edition
    html = (out / "index.html").read_bytes()
    parts = [html, (out / "style.css").read_bytes(), (out / "chart.js").read_bytes()]
    for name in re.findall(rb'(?:src|srcset)="([^"]+\.svg)"', html):
        parts.append((out / name.decode()).read_bytes())
    assert sum(len(gzip.compress(part)) for part in parts) < 150_000


def test_the_static_edition_on_a_phone_and_with_scripts(edition, browser):
    _out, address = edition
    context = browser.new_context(viewport={"width": 320, "height": 800}, user_agent=PHONE)
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda e: problems.append(str(e)))
    for name in (
        "index",
        "coverage",
        "times",
        "claims",
        "data",
        "changes",
        "scorecard",
        "glossary",
    ):
        page.goto(f"{address}/es/{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
    page.goto(f"{address}/en/calls.html")
    page.get_by_role("button", name="Show the numbers on touch").first.click()
    page.locator(".figure svg.marks").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert problems == []
    context.close()


def test_the_static_edition_says_that_an_update_is_late(edition, browser):
    """Once the promised day is over everywhere on earth, and not before; without a script the day
    stands in the foot."""
    _out, address = edition
    for code, words in (
        ("en", "A new release was planned for January 15, 2027."),
        ("es", "Se esperaba una nueva edición para el 15 de enero de 2027."),
    ):
        for now, late in (("2027-01-16T11:59:00Z", False), ("2027-01-16T12:01:00Z", True)):
            page = browser.new_page()
            page.clock.set_fixed_time(now)
            page.goto(f"{address}/{code}/calls.html")
            assert page.get_by_text(words).is_visible() == late, now
            page.close()


def test_the_static_edition_says_what_the_app_says(edition, example, tab):
    _out, address = edition
    for name in ("calls", "times", "safety", "staffing"):
        visit(tab, f"{example}/{name}")
        live = shown_rows(tab)
        heads = tab.locator("h2").all_inner_texts()
        tab.goto(f"{address}/en/{name}.html")
        rows = [
            row.locator("th,td").all_inner_texts()
            for row in tab.locator("table").first.locator("tbody tr").all()
        ]
        assert rows == live
        assert tab.locator("h2").all_inner_texts() == heads
