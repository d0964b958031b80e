"""A figure in a frame on someone else's page: the frame takes the figure's height, on a wide page
and on a phone, and again when the figure changes."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from dashboard.export import citation
from dashboard.release.reader import load_release
from tests.conftest import ROOT
from tests.paper import page_of

WHOLE = """() => { const m = document.querySelector('[data-testid=stMain]');
  return !!document.querySelector('.foot') && m.scrollHeight <= m.clientHeight }"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def newsroom(tmp_path):
    """A server of another origin; gives its folder and address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://localhost:{server.server_port}"
    server.shutdown()


def code(example):
    """The code to copy of a figure, as if the app stood at `example`."""
    release = load_release(ROOT / "data_public")
    figure = next(f for f in page_of(release, "outcomes").found if f.slug == "outcomes-2025")
    return citation.embed_code(figure, release, example).replace(' loading="lazy"', "")


def height(page, number=0):
    return page.locator("iframe").nth(number).evaluate("f => Math.round(f.clientHeight)")


def test_a_frame_takes_its_figures_height(example, browser, newsroom):
    folder, address = newsroom
    other = '<iframe id="other" src="about:blank" style="height:77px"></iframe>'
    (folder / "story.html").write_text(f"<!doctype html><body>{code(example)}{other}</body>")
    page = browser.new_context(viewport={"width": 900, "height": 900}).new_page()
    page.goto(f"{address}/story.html")
    frame = page.frames[1]
    frame.wait_for_selector(".foot", timeout=30_000)
    frame.wait_for_function(WHOLE, timeout=15_000)
    wide = height(page)
    assert wide != 640
    assert height(page, 1) == 77, "each figure sizes its own frame alone"
    page.set_viewport_size({"width": 340, "height": 900})
    frame.wait_for_function(WHOLE, timeout=15_000)
    page.wait_for_function(
        "before => document.querySelector('iframe').clientHeight !== before", arg=wide
    )
    inside = frame.evaluate(
        "document.querySelector('[data-testid=stMainBlockContainer]')"
        ".getBoundingClientRect().height"
    )
    assert 0 <= height(page) - inside < 8, "no empty room below it either"
    page.context.close()


def test_without_the_script_it_stays_as_it_was(example, browser, newsroom):
    folder, address = newsroom
    frame_alone = code(example).removesuffix(citation.FIT)
    (folder / "story.html").write_text(f"<!doctype html><body>{frame_alone}</body>")
    page = browser.new_context(viewport={"width": 900, "height": 900}).new_page()
    page.goto(f"{address}/story.html")
    page.frames[1].wait_for_selector(".foot", timeout=30_000)
    page.wait_for_timeout(1_500)
    assert height(page) == 640
    page.context.close()


def test_a_page_of_its_own_tells_nobody(example, browser):
    """Only a figure in a frame sends its height."""
    page = browser.new_context().new_page()
    page.goto(f"{example}/outcomes?figure=outcomes-2025&embed=true")
    page.wait_for_selector(".foot", timeout=30_000)
    assert page.evaluate("window.__tellsHeight") is None
    page.context.close()
