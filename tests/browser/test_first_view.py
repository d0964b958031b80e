"""The beginning of a page that comes before the app: where the app puts the same, readable without
scripts, and given up without moving what is read or losing the focus."""

import pytest

from dashboard.page.pages_list import PAGES, path_of
from tests.browser.conftest import serve
from tests.browser.test_accessibility import violations
from tests.conftest import ROOT

PHONE = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
HEADINGS = ("h1", ".answer", ".number", "h2")
LOOK = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});
window.places = (inside, selectors) => selectors.map((selector) => {
  const found = document.querySelector(`${inside} ${selector}`);
  return found && Math.round(found.getBoundingClientRect().top);
});
"""


@pytest.fixture(scope="module")
def site(edition, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "log"
    yield from serve(ROOT / "data_public", log, WRITE_AHEAD="1", PLAIN_SITE=edition[1])


@pytest.fixture
def reader(browser):
    """Opens an address in a browser of its own and holds the app back; `go()` lets it come."""
    contexts = []

    def opened(address, width=390, **more):
        agent = {"user_agent": PHONE} if width < 500 else {}
        viewport = {"width": width, "height": 844}
        context = browser.new_context(viewport=viewport, **agent, **more)
        contexts.append(context)
        page, held = context.new_page(), []
        page.add_init_script(LOOK)
        page.route("**/static/js/index.*.js", lambda route: held.append(route))
        page.goto(address, wait_until="commit")
        page.locator("#first-view h1").wait_for()

        def go():
            for route in held:
                route.continue_()
            page.locator("#first-view").wait_for(state="detached", timeout=60_000)

        page.go = go
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("address", ["/", "/?lang=es", "/coverage", "/calls?lang=es", "/times"])
def test_the_app_stands_where_its_beginning_stood(site, reader, address, width):
    page = reader(f"{site}{address}", width)
    page.evaluate("document.fonts.ready")
    before = page.evaluate("s => places('#first-view', s)", HEADINGS)
    page.go()
    after = page.evaluate("s => places('#root', s)", HEADINGS)
    assert before[0] < 170
    for name, one, other, most in zip(HEADINGS, before, after, (4, 4, 4, 24), strict=True):
        assert abs(one - other) <= most, (name, before, after)
    assert page.evaluate("window.shift") < 0.1
    assert page.locator("h1").count() == 1


def test_what_is_read_stays_and_so_does_the_focus(site, reader):
    page = reader(f"{site}/coverage")
    picture = page.locator("#first-view .first-picture")
    page.evaluate("window.scrollTo(0, 500)")
    title = page.locator("#first-view h2").inner_text()
    before = page.locator("#first-view h2").bounding_box()["y"]
    assert picture.is_visible()
    page.locator("#first-view nav a", has_text="Get help").first.focus(timeout=5000)
    page.evaluate("window.scrollTo(0, 500)")
    page.go()
    heading = page.locator("#root h2", has_text=title).first
    assert abs(heading.bounding_box()["y"] - before) <= 8
    held = page.evaluate(
        "[document.activeElement.innerText.trim(), !!document.activeElement.closest('#root')]"
    )
    assert held == ["Get help", True]


def test_a_line_of_contents_chosen_early_is_gone_to(site, reader):
    page = reader(f"{site}/coverage")
    page.locator("#first-view .contents summary").click()
    line = page.locator("#first-view .contents a").nth(4)
    name = line.inner_text()
    line.click()
    page.go()
    heading = page.locator("#root h2", has_text=name).first
    page.wait_for_function(
        "name => { const h = [...document.querySelectorAll('#root h2')]"
        ".find(e => e.innerText.includes(name)).getBoundingClientRect().top;"
        " return h > -5 && h < 300 }",
        arg=name,
    )
    assert heading.is_visible()


@pytest.mark.parametrize("code", ["en", "es"])
def test_it_is_readable_without_scripts(site, browser, code):
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 800}, user_agent=PHONE
    )
    page = context.new_page()
    page.goto(f"{site}/safety?lang={code}")
    for part in ("h1", ".answer", "img"):
        assert page.locator(f"#first-view {part}").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.locator("#first-view nav a").first.click()
    assert page.locator("#first-view h1").is_visible()
    assert page.evaluate("document.documentElement.lang") == code
    question = page.locator("#first-view h1").inner_text()
    page.locator("noscript a").click()
    page.wait_for_url(f"**/releases/*/{code}/index.html")
    assert page.locator("h1").inner_text() == question
    context.close()


@pytest.mark.parametrize(
    ("code", "said", "answer"),
    [
        ("en", "The full page has not loaded yet.", lambda _socket: None),
        ("es", "La página completa todavía no se ha cargado.", lambda socket: socket.close()),
    ],
    ids=["silent", "refused"],
)
def test_where_no_websocket_gets_through_the_page_says_so(site, browser, code, said, answer):
    context = browser.new_context(viewport={"width": 320, "height": 800}, user_agent=PHONE)
    page = context.new_page()
    page.add_init_script(LOOK)
    page.route_web_socket("**", answer)
    page.goto(f"{site}/coverage?lang={code}", wait_until="commit")
    status = page.locator("#first-view [role=status]")
    status.wait_for(timeout=60_000)
    assert said not in status.inner_text()
    question = page.locator("#first-view h1").inner_text()
    status.get_by_text(said).wait_for(timeout=40_000)
    assert page.locator("#first-view h1").is_visible()
    assert page.evaluate("window.shift") < 0.1
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    status.locator("a").click()
    page.wait_for_url(f"**/releases/*/{code}/coverage.html")
    assert page.locator("h1").inner_text() == question
    context.close()


@pytest.mark.parametrize("address", ["/money?lang=es", "/coverage?year=2024&days=sat-sun"])
def test_each_page_of_the_app_links_to_its_plain_twin(site, tab, address):
    tab.goto(f"{site}{address}")
    link = tab.locator("footer a", has_text="scripts")
    link.wait_for()
    question = tab.locator("#root h1").inner_text()
    link.click()
    tab.wait_for_url("**/releases/**")
    assert tab.locator("h1").inner_text() == question
    if "2024" in address:
        assert {"2024", "Weekend"} <= set(tab.locator(".filter strong").all_inner_texts())


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(site, reader, width):
    for number, name in enumerate(PAGES):
        code = ("en", "es")[number % 2]
        scheme = ("light", "dark")[number // 2 % 2]
        page = reader(f"{site}/{path_of(name)}?lang={code}", width, color_scheme=scheme)
        assert violations(page) == [], name
        page.context.close()
