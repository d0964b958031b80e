"""The first screen answers: how far down the question, the number and the first chart stand, how
long pages are, and help in a crisis on each."""

import re

import pytest

from tests.browser.conftest import serve
from tests.browser.test_pages import settle
from tests.conftest import ROOT
from tests.parts_of_release import CALLS_ONLY, write_part

SIZES = {1280: 900, 390: 844, 320: 800}
MOST = {"question": {1280: 160, 390: 170, 320: 170}, "number": {1280: 420, 390: 520, 320: 520}}
"""Pixels from the top of the page. For 320, those of 390."""
LONG = {("", 1280): 1900, ("", 390): 3400, ("coverage", 1280): 5000, ("coverage", 390): 7000}
MEASURE = """() => {
  const at = selector => document.querySelector(selector);
  const main = at('[data-testid=stMain]');
  const top = selector => at(selector) ?
    Math.round(at(selector).getBoundingClientRect().top + main.scrollTop) : null;
  const words = '[data-testid=stMarkdownContainer]';
  const texts = document.querySelectorAll(`.lead p, .notes p, ${words} p, ${words} li`);
  const pictures = 'img.still, [data-testid=stVegaLiteChart], [data-testid=stDeckGlJsonChart]';
  const bar = at('.st-key-bar').getBoundingClientRect();
  return {
    question: top('h1'), number: top('.lead .number'), chart: top(pictures),
    length: main.scrollHeight, sideways: main.scrollWidth - main.clientWidth,
    text: Math.max(...[...texts].map(e => e.getBoundingClientRect().width)),
    bar: bar.height, from: bar.top,
    menu: at('.st-key-menu').getBoundingClientRect().height,
    page: at('[data-testid=stMainBlockContainer]').getBoundingClientRect().width}
}"""


@pytest.fixture(scope="module")
def calls_only_site(tmp_path_factory):
    folder = write_part(
        ROOT / "data_public", tmp_path_factory.mktemp("part") / "release", CALLS_ONLY, areas=False
    )
    yield from serve(folder, tmp_path_factory.mktemp("log") / "calls.log")


def open_at(browser, address, width, **more):
    page = browser.new_context(viewport={"width": width, "height": SIZES[width]}, **more).new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.locator("footer.foot").last.wait_for()
    narrow(page, width)
    return page


def narrow(page, width):
    """Make the window that wide, and wait until the page has followed."""
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    page.wait_for_function(
        "narrow => document.querySelector('[data-narrow]')?.dataset.narrow === narrow",
        arg=str(width < 720).lower(),
    )
    settle(page)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["", "coverage", "neighborhood", "calls", "times", "outcomes"])
def test_the_question_and_its_number_stand_on_the_first_screen(name, language, example, browser):
    page = open_at(browser, f"{example}/{name}?lang={language}", 1280)
    for width in SIZES:
        narrow(page, width)
        found = page.evaluate(MEASURE) | {"width": width}
        assert found["from"] == 0
        assert 44 <= found["menu"] <= 46, found
        assert 48 <= found["bar"] <= (50 if width == 1280 else 64), found
        assert found["question"] <= MOST["question"][width], found
        assert found["number"] <= MOST["number"][width], found
        assert found["sideways"] == 0, found
        assert found["text"] <= 682, found
        if width == 1280:
            assert found["page"] >= 1120, found
        if name == "":
            assert found["chart"] <= SIZES[width] * (1 if width == 1280 else 2), found
        if limit := LONG.get((name, width)):
            assert found["length"] <= limit * (1 if language == "en" else 1.05), (
                found
            )  # the same thought takes more letters in Spanish
    page.context.close()


def check_bar(page, language):
    """Every page says whose it is and whom to call (test_accessibility looks at each page in both
    languages)."""
    bar = page.locator(".st-key-bar")
    assert {"en": "Example City", "es": "Ciudad Ejemplo"}[language] in bar.inner_text()
    hrefs = bar.locator(".crisis a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert hrefs == ["tel:988", "sms:988" if language == "en" else "sms:988?body=AYUDA"]
    foot = page.locator("footer.foot")
    assert {"tel:988", "sms:988?body=AYUDA", "tel:911"} <= set(
        foot.locator("a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    )
    if language == "es":
        assert "oprima 2" in bar.inner_text()
        assert "AYUDA" in bar.inner_text()
    assert not page.locator("a[href^='tel:'][target], a[href^='sms:'][target]").count(), (
        "a number would open a window"
    )


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_phone_says_whose_it_is_and_whom_to_call(language, example, browser):
    page = open_at(browser, f"{example}/?lang={language}", 390)
    check_bar(page, language)
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_menu_marks_the_page_and_opens_by_keys_alone(width, example, browser):
    """Real key presses only: open a group, go on into it, follow a link; Escape closes and leaves
    focus on the button."""
    page = open_at(browser, f"{example}/outcomes", width)
    here = page.locator(".menu-button.here:visible")
    assert here.inner_text() == ("What happens" if width == 1280 else "Menu")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('menu-button')"):
            break
    assert page.evaluate("document.activeElement.innerText") == here.inner_text()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Tab")
    first = page.evaluate(
        "(() => { const e = document.activeElement, r = e.getBoundingClientRect(); return"
        " [e.tagName, e.innerText.trim(), r.top, r.height] })()"
    )
    assert first[0] == "A"
    # On a phone one button opens everything that is not in the row.
    assert first[1] == ("Calls and demand" if width == 1280 else "Find")
    assert 0 < first[2] < SIZES[width]
    assert first[3] > 0
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.classList.contains('menu-button')")
    assert page.locator(".menu-button[aria-expanded=true]").count() == 0
    page.keyboard.press("Enter")
    for _ in range(1 if width == 1280 else 2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="How many crisis calls come in, and of what kind?").wait_for()
    page.context.close()


def test_skip_goes_to_the_question(example, browser):
    page = open_at(browser, f"{example}/outcomes", 1280)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.context.close()


def test_a_closed_table_is_open_to_screen_readers_and_on_paper(example, browser):
    page = open_at(browser, f"{example}/outcomes", 1280)
    box = page.locator(".rows.closed").first
    assert box.bounding_box()["height"] <= 1, "the table is closed at first"
    assert "How it ended" in page.locator("[data-testid=stMain]").aria_snapshot(), (
        "readers of screens have it"
    )
    page.emulate_media(media="print")
    assert box.bounding_box()["height"] > 100
    page.emulate_media(media="screen")
    page.get_by_role("button", name=re.compile(r"^Table \(\d+ rows\)")).first.click()
    assert box.bounding_box()["height"] > 100
    assert page.locator(".rows.open tbody th[scope=row]").count() > 3
    page.context.close()


def test_no_stop_of_the_keyboard_is_out_of_sight(example, browser):
    """Each stop lies within the window and can be seen: opacity of all that holds it counts."""
    page = open_at(browser, f"{example}/outcomes", 1280)
    seen = []
    for _ in range(120):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => { const e = document.activeElement, r = e.getBoundingClientRect();
          let opacity = 1; for (let p = e; p; p = p.parentElement) opacity *=
            parseFloat(getComputedStyle(p).opacity);
          return {tag: e.tagName, text: (e.getAttribute('aria-label') || e.innerText ||
            '').slice(0, 60), opacity, top: r.top, bottom: r.bottom, height: r.height} }"""
        )
        if stop["tag"] == "BODY":
            break
        seen.append(stop)
    assert len(seen) > 20
    unseen = [
        s
        for s in seen
        if s["opacity"] < 0.5 or s["bottom"] <= 0 or s["top"] >= 900 or s["height"] < 2
    ]
    assert unseen == []
    page.context.close()


def test_text_spacing_cuts_nothing(example, browser):
    """WCAG 1.4.12, at 320 pixels: the words of charts and of the frame keep within their places."""
    page = open_at(browser, f"{example}/outcomes", 320)
    page.add_style_tag(
        content="*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}p{margin-bottom:2em!important}"
    )
    page.wait_for_timeout(600)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(
          '[data-testid=stVegaLiteChart] svg text, .st-key-bar p, .st-key-bar a, .menu-button')]
        .filter(e => {
          const r = e.getBoundingClientRect();
          return r.width && (r.right > innerWidth + 1 || r.left < -1) }).map(e => e.textContent)"""
    )
    assert cut == []
    page.context.close()


def test_charts_follow_when_the_device_turns_dark(example, browser):
    page = open_at(browser, f"{example}/outcomes", 1280, color_scheme="light")
    ink = "getComputedStyle(document.querySelector('[data-testid=stVegaLiteChart] svg text')).fill"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {ink} !== light", arg=light)
    page.context.close()


def test_the_wheel_scrolls_the_page_over_the_map(example, browser):
    page = open_at(browser, f"{example}/coverage", 1280)
    chart = page.locator("[data-testid=stDeckGlJsonChart]")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    page.mouse.wheel(0, 240)
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMain]').scrollTop > before + 100",
        arg=before,
    )
    assert (
        page.locator("[data-testid=stDeckGlJsonChart] [tabindex='0']")
        .get_attribute("aria-label")
        .startswith("Map.")
    )
    page.context.close()


def test_a_release_of_calls_alone_has_a_small_whole_site(calls_only_site, browser):
    """What it cannot answer is not in the menu, and named once."""
    page = open_at(browser, calls_only_site, 1280)
    assert page.locator("h1").inner_text() == "How many crisis calls come in?"
    menu = page.locator(".st-key-menu").inner_text()
    for gone in (
        "My area",
        "Safety",
        "Money",
        "Fairness",
        "Staffing",
        "After the crisis",
        "How we compare",
    ):
        assert gone not in menu
    assert "Calls and demand" in page.locator(".st-key-menu").evaluate("e => e.textContent")
    assert (
        "What this agency does not report yet" in page.locator("[data-testid=stMain]").inner_text()
    )
    assert page.evaluate(MEASURE)["chart"] <= 900
    page.goto(f"{calls_only_site}/get-help")
    page.locator("footer.foot").last.wait_for()
    settle(page)
    assert not re.search(r"\bteams?\b", page.locator("[data-testid=stMain]").inner_text())
    page.context.close()
