"""From a page of the app to the same page of the static edition."""

import pytest

from dashboard.app import first_view
from dashboard.export.plain_twin import twin
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


@pytest.mark.parametrize("site", ["https://plain.example", "https://plain.example/", "/plain"])
def test_where_it_stands(release, monkeypatch, site):
    monkeypatch.setenv("PLAIN_SITE", site)
    top = site.rstrip("/")
    version = f"{top}/releases/{release.version}"
    assert twin(release, "at_a_glance", {}) == f"{version}/en/index.html"
    assert twin(release, "coverage", {"year": "2024"}) == f"{version}/en/coverage--year-2024.html"
    two = {"year": "2024", "days": "weekend"}
    both = f"{version}/en/coverage--days-weekend--year-2024.html"
    assert twin(release, "coverage", two, (2, 3, 3)) == both
    assert twin(release, "coverage", two, (2, 60, 30)) == f"{version}/en/coverage--year-2024.html"
    with language.speaking("es"):
        assert twin(release, "get_help", {}) == f"{version}/es/get-help.html"


@pytest.mark.parametrize("site", ["", "javascript:alert(1)", "plain", "https://a b", 'https://x"y'])
def test_no_place_no_link(release, monkeypatch, site):
    monkeypatch.setenv("PLAIN_SITE", site)
    assert twin(release, "calls", {}) == ""


def test_a_reader_without_scripts_is_sent_there(release, monkeypatch):
    monkeypatch.setenv("PLAIN_SITE", "/plain")
    first_view._kept.clear()
    html = first_view.html(release, "money", {"lang": "en"}, phone=True)
    first_view._kept.clear()
    assert f'href="/plain/releases/{release.version}/en/money.html"' in html
    assert "datapackage.json" not in html
