"""Filters of the static edition combine: a copy at several of them says what the app says there."""

import math
import re
from html import unescape
from itertools import product

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.export.html_surface import Paper
from dashboard.export.plain_twin import MAX_COPIES, held_together, page_file
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from dashboard.site.static import Folder, _put_page, _written
from tests.conftest import ROOT
from tests.paper import page_of

TOGETHER = (
    ("calls", {"area": "harbor", "type": "substance_use", "year": "2024"}),
    ("outcomes", {"year": "2024", "who": "clinician"}),
    ("coverage", {"year": "2024", "days": "sat-sun"}),
)
LEAD = re.compile(r'<section class="lead">.*?</section>', re.S)
TABLE = re.compile(r"<table>.*?</table>", re.S)
SUMMARY = re.compile(r'data-summary="([^"]*)"')


@pytest.fixture(scope="module")
def releases():
    return all_releases(load_release(ROOT / "data_public"), load_release)


@pytest.mark.parametrize(("name", "asked"), TOGETHER, ids=[name for name, _ in TOGETHER])
def test_headline_charts_tables_and_files_are_the_apps(
    name, asked, releases, tmp_path, monkeypatch
):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    for key, code in asked.items():
        app.query_params[key] = code
    app.switch_page(f"pages/{name}.py").run()
    shown = "".join(part.proto.body for part in app.get("html"))
    release = releases[-1]
    folder = Folder(release, releases, tmp_path / "releases" / release.version / "en", "en")
    paper = _written(folder, name, asked)
    file = page_file(name, asked, release)
    assert _put_page(folder, name, file, paper) == 1, "it stands under the release's number alone"
    copy = (folder.out / file).read_text()
    assert paper.choices == asked
    for part in (LEAD, SUMMARY):
        assert part.findall(copy) == part.findall(shown) != []
    assert set(TABLE.findall(copy)) >= set(TABLE.findall(shown)) != set()
    assert [box.value for box in app.selectbox if box.key in asked] == [
        asked[box.key] for box in app.selectbox if box.key in asked
    ]
    described = [unescape(words) for words in re.findall(r'<img [^>]*alt="([^"]*)"', copy)]
    assert described == [unescape(words) for words in SUMMARY.findall(copy)]
    drawn = {figure.slug: figure for figure in page_of(release, name, asked=asked).found}
    files = re.findall(r'href="files/([^"]+\.csv)"', copy)
    assert len(files) == len(drawn)
    for taken, figure in zip(files, drawn.values(), strict=True):
        rows = (folder.out / "files" / taken).read_text().splitlines()
        assert len(rows) == len(figure.data) + 1


@pytest.mark.parametrize("name", ["coverage", "funnel"])
def test_each_choice_leads_to_a_copy_at_all_that_is_chosen(name, releases):
    release = releases[-1]
    first = page_of(release, name)
    assert len(first.sizes) > 1
    waiting, seen = [{}], {}
    while waiting:
        asked = waiting.pop()
        if (file := page_file(name, asked, release)) not in seen:
            seen[file] = asked
            page = page_of(release, name, asked=asked)
            assert page.choices == asked
            assert held_together(page.sizes.values()) == held_together(first.sizes.values())
            waiting += page.variants
    assert len(seen) == math.prod(first.sizes.values())


@pytest.mark.parametrize(
    ("sizes", "together"),
    [((), 1), ((500,), 1), ((6, 6, 3), 3), ((18, 4, 3), 2), ((60, 20), 1), ((5, 5, 5), 2)],
)
def test_as_many_filters_hold_at_once_as_take_few_copies(sizes, together):
    assert held_together(sizes) == together
    copies = sum(
        sum(option > 0 for option in options) <= together for options in product(*map(range, sizes))
    )
    assert copies <= MAX_COPIES or together == 1


def test_where_not_all_hold_at_once_the_page_says_so(releases):
    choices = {"one": "b", "two": "b"}
    page = Paper(releases[-1], page_of(releases[-1], "find").shelf, "calls", choices, together=2)
    for key in ("one", "two", "three"):
        page.choose(key, key, {"a": "A", "b": "B", "c": "C"})
    assert page.variants == [
        {"two": "b"},
        {"two": "b", "one": "c"},
        {"one": "b"},
        {"one": "b", "two": "c"},
        {"one": "b", "three": "b"},
        {"one": "b", "three": "c"},
    ]
    assert "holds 2 choices at a time" in page.body[-1]
