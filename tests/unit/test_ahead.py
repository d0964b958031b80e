"""With pages written ahead, nobody waits for one: neither after a start nor when a new release comes."""

import asyncio
import logging
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import ahead, language, screen, service, serving, written
from dashboard.language import LANGUAGES
from dashboard.pages_list import PAGES
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    written._kept.clear()
    serving._kept.clear()
    monkeypatch.setattr(serving, "waits", [])
    monkeypatch.setattr(service, "waits", serving.waits)
    yield
    written._kept.clear()
    serving._kept.clear()
    language.use("en")


def test_a_visitor_finds_every_page_written(monkeypatch):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    monkeypatch.setattr(ahead, "LANGUAGES", ("es",))  # one will do
    ahead.write(serving.newest())
    pages, charts = len(written._kept), screen._specification.cache_info()
    assert charts.misses > 0
    for page in PAGES:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.query_params["lang"] = "es"
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert app.title, page
    assert len(written._kept) == pages
    after = screen._specification.cache_info()
    assert after.misses == charts.misses
    assert after.hits > charts.hits + 50


def test_a_page_that_fails_does_not_hold_up_the_others(monkeypatch, caplog):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    written_pages = []

    def show(page, _on, _write):
        if page == "calls":
            raise KeyError("planted")
        written_pages.append((language.current(), page))

    monkeypatch.setattr(ahead, "show", show)
    with caplog.at_level(logging.ERROR, "dashboard"):
        ahead.write(serving.newest())
    assert len(written_pages) == len(LANGUAGES) * (len(PAGES) - 1)
    assert "page calls of release 2026.1 could not be written ahead" in caplog.text


def test_a_new_release_takes_over_once_its_pages_are_written(tmp_path, monkeypatch):
    live = tmp_path / "live"
    shutil.copytree(ROOT / "data_public/history/2025.1", live)
    monkeypatch.setenv("RELEASE_DIR", str(live))
    monkeypatch.setenv("WRITE_AHEAD", "1")
    begun = []

    class Slow:
        """Stands for the thread that writes."""

        done = True

        def begin(self, release):
            begun.append(release.version)
            return self

        def join(self): ...

        def ready(self, release):
            begun.append(release.version)
            return self.done

    slow = Slow()
    monkeypatch.setattr(service, "Ahead", lambda: slow)

    async def visits():
        async with service.thrifty(None):
            assert begun == ["2025.1"]
            assert serving.newest().version == "2025.1"
            slow.done = False
            shutil.rmtree(live)
            shutil.copytree(ROOT / "data_public", live)
            assert [serving.newest().version for _ in range(3)] == ["2025.1"] * 3
            assert begun[-1] == "2026.1"
            assert serving.serving("2025.1").shown is serving.newest()
            slow.done = True
            assert serving.newest().version == "2026.1"
            slow.done = False
            assert serving.newest().version == "2026.1"

    asyncio.run(visits())


def test_writing_begins_once(monkeypatch):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    runs = []
    monkeypatch.setattr(ahead, "write", lambda release: runs.append(release))
    writer, release = ahead.Ahead(), serving.newest()
    for _ in range(3):
        writer.begin(release).join()
    assert writer.ready(release)
    assert runs == [release]
