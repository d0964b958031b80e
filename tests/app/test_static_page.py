"""Single pages of the static edition, written without the rest of it."""

from datetime import date

import pytest
from lxml import html

from dashboard.export import feeds
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from dashboard.site.static import Folder, _addresses, _put_page, _written, page_file
from dashboard.text import language
from dashboard.text.language import LANGUAGES
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def releases():
    return all_releases(load_release(ROOT / "data_public"), load_release)


def put(releases, number, name, code, out):
    """One page as the edition has it: the file, read."""
    release = releases[number]
    folder = Folder(release, releases, out / "releases" / release.version / code, code)
    file = page_file(name, {}, release)
    with language.speaking(code):
        _put_page(folder, name, file, _written(folder, name, {}))
    return folder.out / file


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_pages_name_the_feed_and_the_calendar(releases, code, tmp_path):
    found = feeds.files(releases, _addresses(), "")
    for name, data in found.items():
        (tmp_path / name).write_bytes(data)
    page = put(releases, -1, "data", code, tmp_path)
    read = html.parse(str(page)).getroot()
    head = {e.get("type"): e.get("href") for e in read.findall("head/link[@rel='alternate']")}
    seen = read.xpath("//ul[@class='addresses']//a/@href")
    assert head == {
        "application/atom+xml": f"../../../feed-{code}.xml",
        "text/calendar": f"../../../next-update-{code}.ics",
    }
    assert seen == list(head.values())
    for address in seen:
        assert (page.parent / address).resolve().is_file()
    assert {e.get("href") for e in read.iter("a")} >= set(seen)
    (tmp_path / f"releases/{releases[-1].version}/{code}/changes.html").touch()
    assert (
        f'href="releases/{releases[-1].version}/{code}/changes.html"'.encode()
        in found[f"feed-{code}.xml"]
    )


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_newest_release_bears_the_day_on_which_it_is_late(releases, code, tmp_path):
    """Hidden in the file: `chart.js` shows it (tests/browser/test_takeaway.py)."""
    read = html.parse(str(put(releases, -1, "glossary", code, tmp_path))).getroot()
    (line,) = read.xpath("//*[@data-after]")
    assert line.get("data-after") == date(2027, 1, 15).isoformat()
    assert line.get("hidden") is not None
    with language.speaking(code):
        assert line.text == feeds.overdue_words(releases[-1])
    assert (
        html.parse(str(put(releases, 0, "glossary", code, tmp_path)))
        .getroot()
        .xpath("//*[@data-after]")
        == []
    )
