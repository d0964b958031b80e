"""A payload in every text of an agency file, its inputs, code lists and boundaries, built, in a
real browser: nothing runs, nothing is fetched, nothing is a link or a picture."""

import re
import shutil

import pytest

from dashboard.page.pages_list import PAGES, path_of
from dashboard.release.reader import load_release
from dashboard.site import static
from dashboard.site.static import export
from tests.browser.conftest import serve
from tests.browser.test_pages import settle
from tests.hostile import HOST, MARK

ODD = f"""() => [...document.querySelectorAll(
    '[href*="{HOST}"],[src*="{HOST}"],[srcset*="{HOST}"],[onerror],[onload],' +
    '[href^="javascript:"],.katex')]
    .map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def hostile_site(hostile_city, tmp_path_factory):
    yield from serve(hostile_city, tmp_path_factory.mktemp("log") / "log")


@pytest.fixture
def wary(tab):
    """A tab that notes whatever leaves this machine and whatever runs."""
    tab.noted = []
    tab.on("dialog", lambda dialog: (tab.noted.append(dialog.message), dialog.dismiss()))
    tab.on(
        "request",
        lambda request: (
            tab.noted.append(request.url) if HOST in request.url.split("?")[0] else None
        ),
    )
    return tab


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_the_app(hostile_site, wary, page):
    wary.goto(f"{hostile_site}/{path_of(page)}?lang=es")
    wary.get_by_text(MARK[:8]).first.wait_for(state="attached")
    settle(wary)
    for fold in wary.locator("summary").all()[:10]:
        fold.click()
    assert wary.evaluate(ODD) == []
    assert wary.noted == []


def test_what_is_taken_away_is_offered_as_text(hostile_site, wary):
    wary.goto(f"{hostile_site}/calls")
    settle(wary)
    wary.get_by_role("button", name=re.compile("^Link: ")).first.click()
    wary.get_by_role("dialog").get_by_text("Link to exactly this view.").wait_for()
    settle(wary)
    assert wary.evaluate(ODD) == []
    assert wary.noted == []


@pytest.fixture(scope="module")
def hostile_edition(hostile_city, tmp_path_factory):
    """Four pages as they open, in this process: copies at each choice of a filter hold the same
    texts again, and the whole takes minutes."""
    out = tmp_path_factory.mktemp("edition") / "site"
    written = static._written

    def without_copies(*page):
        paper = written(*page)
        paper.variants.clear()
        return paper

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(static, "PAGES", ("staffing", "fairness", "calls", "data"))
        patch.setattr(static, "ProcessPoolExecutor", InThisProcess)
        patch.setattr(static, "_written", without_copies)
        export(load_release(hostile_city), out)
    return out


class InThisProcess:
    def __init__(self, *_): ...

    def __enter__(self):
        return self

    def __exit__(self, *_): ...

    map = staticmethod(map)


def test_the_static_edition_also_as_a_file(hostile_edition, wary):
    """Without a server, its own content policy stands alone; the numbers of a chart still come on
    touch where a server is."""
    for name in ("calls.html", "staffing.html", "fairness.html", "data.html"):
        wary.goto(f"file://{hostile_edition}/en/{name}")
        assert wary.locator("h1").count() == 1
        assert wary.evaluate(ODD) == []
        wary.evaluate("() => [...document.images].forEach(i => { i.loading = 'eager' })")
        wary.wait_for_function(
            "() => [...document.images].every(i => i.complete && i.naturalWidth)"
        )
        assert (
            wary.evaluate(
                "() => document.styleSheets.length && getComputedStyle(document.body).fontFamily"
            )
            != ""
        )
    assert wary.noted == []


def test_the_content_policy_of_the_static_edition_holds(hostile_edition, wary, tmp_path):
    """Planted: a page that would fetch and run, with the edition's own policy before it."""
    page = (hostile_edition / "en/calls.html").read_text()
    planted = page.replace(
        "</main>",
        f"<img src='http://{HOST}/x'><script>alert(9)</script><img src=x onerror=alert(8)></main>",
    )
    assert planted != page
    target = hostile_edition / "en/planted.html"
    target.write_text(planted)
    wary.goto(f"file://{target}")
    wary.wait_for_timeout(1000)
    assert [n for n in wary.noted if not n.startswith("http")] == [], "no script ran"
    target.unlink()
    shutil.rmtree(tmp_path, ignore_errors=True)
