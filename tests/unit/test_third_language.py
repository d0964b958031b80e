"""A further language is one catalogue file: every page renders in it, also where Babel has no formats for it in the United States."""

import pytest

from dashboard import language
from dashboard.pages_list import PAGES
from dashboard.release import load_release
from tests.conftest import ROOT
from tests.paper import page_of

CATALOGUE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Calls and demand"\nmsgstr "Cuộc gọi"\n'


@pytest.fixture
def vietnamese(tmp_path, monkeypatch):
    """Vietnamese with one translated message; the others fall back to English."""
    folder = tmp_path / "vi/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "dashboard.po").write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    monkeypatch.setattr(language, "LANGUAGES", language.languages(tmp_path))
    language.catalogue.cache_clear()
    yield "vi"
    language.catalogue.cache_clear()
    language.use("en")


def test_every_page_renders_in_it(vietnamese):
    release = load_release(ROOT / "data_public")
    pages = {name: "".join(page_of(release, name, vietnamese).body) for name in PAGES}
    assert all("<h1" in body for body in pages.values())


def test_numbers_and_dates_are_in_its_own_form(vietnamese):
    language.use(vietnamese)
    assert language.number(1234567) == "1.234.567"
    assert language._("Calls and demand") == "Cuộc gọi"
    language.use("en")
    assert language.number(1234567) == "1,234,567"
