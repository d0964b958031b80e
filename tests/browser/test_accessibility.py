"""Everyone can use every page: axe-core, keyboard, the accessibility tree, both languages, light
and dark, wide and 320 pixels."""

import os
import re
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import axe_playwright_python
import pypdf
import pytest

from tests.browser.test_first_screen import check_bar
from tests.browser.test_pages import PAGES, PHONE, check_page, settle, visit
from tests.conftest import ROOT

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1100, 320)
LOOKS = tuple(product(("light", "dark"), WIDTHS))
FOOT = {"en": "Data to", "es": "Datos hasta"}


@cache
def axe_source():
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(page):
    """What axe-core finds, one line for each rule and element."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(axe_source())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", RULES
    )
    return [f"{v['id']}: {node['html'][:120]}" for v in found["violations"] for node in v["nodes"]]


def looks(name, language):
    """In which light and widths axe looks at a page: one in English and the opposite in Spanish,
    other ones on the next page. With FULL=1 in the environment, all. (axe takes longer than all
    else here.)"""
    if os.environ.get("FULL"):
        return LOOKS
    turn = PAGES.index(name) % len(LOOKS)
    return [LOOKS[turn if language == "en" else len(LOOKS) - 1 - turn]]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_for_everyone(example, tab, name):
    """One visit in each language: the page opens, says whom to call in a crisis and asks nobody
    else, reads as an outline, can be walked by keys, its charts to their last point, and axe finds
    nothing."""
    page, outside = tab, []
    page.on(
        "request",
        lambda r: (
            None
            if r.url.startswith((example, "data:", "blob:", "ws://127.0.0.1"))
            else outside.append(r.url)
        ),
    )
    visit(page, f"{example}/{name}")
    check_page(page)
    assert "This city is made up" in page.locator("body").inner_text()
    reads_as_an_outline(page)
    can_be_walked_by_keys(page)
    every_chart_is_read_to_its_end(page)
    page.evaluate("document.activeElement.blur()")
    for language in ("en", "es"):
        if language == "es":
            visit(page, f"{example}/{name}?lang=es", foot=FOOT["es"])
        check_bar(page, language)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)  # the charts are laid out anew
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for chart in page.locator("[data-testid=stVegaLiteChart]").all():
                assert chart.bounding_box()["width"] <= width
            for scheme in (s for s, at in looks(name, language) if at == width):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(400)
                settle(page)  # and drawn anew
                assert violations(page) == [], (name, language, scheme, width)
        page.set_viewport_size({"width": 1100, "height": 900})
    assert outside == [], "a page asked another server for something"


def test_axe_finds_planted_faults(example, tab):
    visit(tab, f"{example}/outcomes")
    assert violations(tab) == []
    tab.evaluate("document.querySelector('[data-testid=stMain] h2').outerHTML = '<h4>skipped</h4>'")
    tab.evaluate("document.querySelector('.lead p').style.color = '#bbbbbb'")
    tab.evaluate(
        "document.querySelector('[data-testid=stMain]').insertAdjacentHTML('beforeend', '<img"
        ' src="data:,">\')'
    )
    found = {line.split(":")[0] for line in violations(tab)}
    assert {"heading-order", "color-contrast", "image-alt"} <= found


def test_axe_on_open_menu_dialog_embed_and_frozen_view(example, tab):
    visit(tab, f"{example}/calls")
    tab.get_by_role("button", name="How it is run").click()
    tab.get_by_role("link", name="Targets and brief").wait_for()
    assert violations(tab) == []
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name=re.compile("^Link: ")).first.click()
    tab.get_by_role("dialog").get_by_text("Show this figure on your own page").wait_for()
    settle(tab)
    assert violations(tab) == []
    visit(tab, f"{example}/coverage?release=2025.1")
    assert violations(tab) == []
    visit(tab, f"{example}/coverage?figure=map-coverage-beat-2025&embed=true")
    # A frame on someone else's page has no first heading of its own: its title names it.
    assert [v for v in violations(tab) if not v.startswith("page-has-heading-one")] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_axe_on_the_static_edition(edition, browser, language):
    _out, address = edition
    page = browser.new_context().new_page()
    for name in PAGES:
        page.goto(f"{address}/{language}/{name or 'index'}.html")
        for scheme, width in looks(name, language):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page) == [], (name, language, width)
    page.context.close()


def reads_as_an_outline(tab):
    """One first heading, no skipped level, a main part, a navigation; images, tables and controls
    all have names."""
    levels = [
        int(tag[1])
        for tag in tab.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => h.tagName)"
        )
    ]
    assert levels[0] == levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels)), levels
    assert tab.get_by_role("main").count() == 1
    assert tab.get_by_role("navigation", name="All pages").count() == 1
    tree = tab.get_by_role("main").aria_snapshot()
    for role in ("button", "combobox", "link", "slider", "img", "region", "table"):
        nameless = re.findall(rf"^\s*- {role}(?: \[.*\])?:?$", tree, re.MULTILINE)
        allowed = (
            len(nameless) if role in ("img", "table") else 0
        )  # tables stand in named regions; drawn marks are inside named charts
        assert len(nameless) <= allowed, (role, nameless[:3])
    for kind, role in (
        ("[data-testid=stVegaLiteChart], img.still", "img"),
        ("[data-testid=stDeckGlJsonChart]", "figure"),
    ):
        charts = tab.locator(kind).count()
        texts = [
            text
            for text in re.findall(rf"^\s*- '?{role} \"(.*)\"'?:?$", tree, re.MULTILINE)
            if len(text) >= 40
        ]
        assert len(texts) == len(set(texts)) == charts, (role, charts, texts)
    # A text is read once, by the chart itself; its links name what they do and its heading, so that
    # no two are alike.
    names = [name for name in re.findall(r'button "([^"]*)"', tree) if ": " in name]
    assert len(names) == len(set(names))
    assert not [name for name in names for text in texts if text in name]


def test_no_two_tables_are_announced_alike(example, tab):
    visit(tab, f"{example}/coverage")
    for button in tab.get_by_role("button", name=re.compile(r"^Table \(")).all():
        button.click()
    tab.set_viewport_size({"width": 320, "height": 700})
    tab.wait_for_function("document.querySelectorAll('.rows[role=region]').length > 0")
    names = tab.evaluate(
        "[...document.querySelectorAll('.rows[role=region]')].map(r =>"
        " r.getAttribute('aria-label'))"
    )
    tab.set_viewport_size({"width": 1100, "height": 900})
    assert names
    assert len(set(names)) == len(names)
    assert "Scrollable table" not in names


def focused(page):
    return page.evaluate(
        """() => { const e = document.activeElement, s = getComputedStyle(e), r =
          e.getBoundingClientRect();
        const ring = x => { const c = getComputedStyle(x); return c.outlineStyle !== 'none' &&
          parseFloat(c.outlineWidth) > 0 || c.boxShadow !== 'none' };
        let shown = ring(e); for (let p = e.parentElement, n = 0; p && n < 4 && !shown; p =
          p.parentElement, n++) shown = ring(p);
        return {tag: e.tagName, text: (e.innerText || e.getAttribute('aria-label') ||
          '').trim().slice(0, 60), shown, width: r.width} }"""
    )


def can_be_walked_by_keys(tab):
    """Tab goes through the page to its end, with visible focus on each stop, and back to the start:
    no trap."""
    wanted = tab.evaluate(
        """() => [...document.querySelectorAll(
          'button, a[href], input, summary, [role=slider], [role=combobox]')]
        .filter(e => e.offsetParent && e.checkVisibility() && !e.disabled && e.tabIndex >= 0)
        .length"""
    )
    tab.evaluate("document.activeElement.blur()")
    stops, unseen = [], []
    for _ in range(wanted * 2 + 20):
        tab.keyboard.press("Tab")
        here = focused(tab)
        if here["tag"] == "BODY":
            break
        stops.append(here)
        if not here["shown"]:
            unseen.append((here["tag"], here["text"]))
    else:
        pytest.fail(f"focus never left the page after {len(stops)} stops: {stops[-3:]}")
    assert len(stops) >= wanted, (len(stops), wanted)
    assert unseen == []


EVERY = """() => [...document.querySelectorAll('.walk')].map(stop => {
  const press = key => stop.dispatchEvent(
    new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  const line = () => stop.querySelector('.said').textContent, found = [];
  stop.focus();
  press('ArrowDown');
  for (let s = 0; s < 99; s++) {
    const series = line();
    if (stop.__place.point < 0) press('ArrowDown');
    for (let p = 0, last = ''; p < 999 && line() !== last; p++) {
      last = line();
      found.push(last);
      press('ArrowRight');
    }
    if (stop.dataset.series === '') break;
    press('ArrowUp');
    press('ArrowRight');
    if (line() === series) break;
  }
  const table = [...document.querySelectorAll('table')].find(t =>
    stop.compareDocumentPosition(t) & 4 && t.caption?.textContent.trim() === stop.dataset.title);
  return {title: stop.dataset.title, series: stop.dataset.series, found,
    rows: table ? [...table.tBodies[0].rows].map(r => [...r.cells].map(c => c.textContent.trim()))
      : []};
})"""


def every_chart_is_read_to_its_end(tab):
    """Each number of each chart's table is among what is said of its points, and there is one stop
    for each chart."""
    drawn = tab.locator(
        "[data-testid=stVegaLiteChart], [data-testid=stDeckGlJsonChart], img.still"
    ).count()
    told = tab.evaluate(EVERY)
    assert len(told) == drawn
    for chart in told:
        rows, found = chart["rows"], chart["found"]
        assert rows, chart["title"]
        numbers = sum(map(len, rows)) - len(rows) if chart["series"] == "columns" else len(rows)
        assert len(found) == numbers, chart["title"]
        by = chart["series"]
        for row in rows:
            for i, cell in enumerate(row):
                if by != str(i):  # else the name of a series
                    assert any(cell in line for line in found if by or row[0] in line)


def test_the_menu_and_a_filter_work_by_keyboard_alone(example, tab):
    visit(tab, f"{example}/")
    for _ in range(40):  # real presses alone, from the top of the page
        tab.keyboard.press("Tab")
        if focused(tab)["text"] == "What happens":
            break
    tab.keyboard.press("Enter")
    for _ in range(8):
        tab.keyboard.press("Tab")
        if focused(tab)["text"] == "Outcomes":
            break
    tab.keyboard.press("Enter")
    tab.get_by_text("What happens at the end of a call?").wait_for()
    settle(tab)
    box = tab.get_by_role("combobox", name=re.compile("Period"))
    box.focus()
    tab.keyboard.press("ArrowDown")
    tab.get_by_role("option").first.wait_for()
    tab.keyboard.press("ArrowUp")  # it stands at the last year
    tab.keyboard.press("Enter")
    tab.wait_for_function("location.search.includes('year=')")
    settle(tab)
    assert "How calls ended, 202" in tab.locator("h2").first.inner_text()


def test_single_letters_do_nothing(example, tab):
    """Someone who dictates or hits a key by chance changes nothing."""
    visit(tab, f"{example}/calls?area=harbor")
    before, address = tab.locator("[data-testid=stMain]").inner_text(), tab.url
    for key in "rcRCmsq":
        tab.keyboard.press(key)
        tab.wait_for_timeout(300)
    settle(tab)
    assert tab.locator("[data-testid=stMain]").inner_text() == before
    assert tab.url == address
    assert tab.get_by_role("dialog").count() == 0


def test_a_filter_says_what_it_shows(example, tab):
    """The result of a filter is announced in a live region, with the number of rows."""
    visit(tab, f"{example}/calls")
    tab.get_by_label("Place", exact=True).click()
    tab.get_by_role("option", name="Harbor", exact=True).click()
    tab.wait_for_function("location.search.includes('harbor')")
    settle(tab)
    tab.wait_for_function(
        "[...document.querySelectorAll('[role=status]')].some(e => /Harbor/.test(e.textContent))"
    )


@pytest.mark.parametrize("name", ["", "calls", "coverage", "money", "scorecard"])
def test_text_at_200_per_cent(example, browser, name):
    """Twice the size: nothing is cut off, nothing scrolls sideways but tables and maps."""
    context = browser.new_context(viewport={"width": 640, "height": 900}, user_agent=PHONE)
    page = context.new_page()
    visit(page, f"{example}/{name}")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    context.close()


def test_the_language_of_the_page_follows_the_choice(example, tab):
    visit(tab, f"{example}/times?lang=es", foot=FOOT["es"])
    assert tab.evaluate("document.documentElement.lang") == "es"
    tab.get_by_role("link", name="Pida ayuda", exact=True).click()
    tab.get_by_text("¿Qué hago ahora").wait_for()
    settle(tab)
    assert tab.evaluate("document.documentElement.lang") == "es"


def test_reduced_motion_is_respected(example, browser):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    visit(page, f"{example}/calls")
    moving = page.evaluate(
        """[...document.querySelectorAll('[data-testid=stMain] *')]
        .filter(e => { const s = getComputedStyle(e); return s.animationName !== 'none' ||
          s.transitionDuration.split(',').some(d => parseFloat(d) > 0) }).length"""
    )
    assert moving == 0
    context.close()


def test_prints_whole_and_without_buttons(example, tab, tmp_path):
    visit(tab, f"{example}/times")
    assert tab.locator("table").count() == 10
    assert tab.locator(".rows.closed").count() == 10
    tab.pdf(path=tmp_path / "page.pdf", format="Letter")
    pages = pypdf.PdfReader(tmp_path / "page.pdf").pages
    text = re.sub(r"\s+", "", " ".join(page.extract_text() for page in pages))
    for said in (
        "Howlongdopeoplewait?",
        "Waitsbytimeofday",
        "Whatthiscannottellyou",
        "Release2026.1",
    ):
        assert said in text
    for button in ("Table(", "CiteLink", "Picture"):
        assert button not in text
    assert len(pages) < 10


def test_the_walk_is_recorded():
    text = (ROOT / "docs/accessibility.md").read_text(encoding="utf-8")
    for name in ("Keyboard", "Accessibility tree", "November 2026", "axe-core"):
        assert name in text
