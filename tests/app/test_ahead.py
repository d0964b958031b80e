"""With pages written ahead, nobody waits for one: neither after a start nor when a new release
comes."""

import asyncio
import logging
import shutil
import subprocess
import sys
import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app import prerender, service, streamlit_surface
from dashboard.page import page_cache
from dashboard.page.pages_list import PAGES
from dashboard.page.turns import Turns
from dashboard.release import current
from dashboard.text import language
from dashboard.text.language import LANGUAGES
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    page_cache._kept.clear()
    current._kept.clear()
    monkeypatch.setattr(current, "waits", [])
    monkeypatch.setattr(service, "waits", current.waits)
    monkeypatch.setattr(current, "in_background", None)
    monkeypatch.setattr(service, "_started", threading.Event())
    yield
    page_cache._kept.clear()
    current._kept.clear()
    language.use("en")


def test_a_visitor_finds_every_page_written(monkeypatch):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    monkeypatch.setattr(prerender, "LANGUAGES", ("es",))  # one will do
    prerender.write(current.newest())
    pages, charts = len(page_cache._kept), streamlit_surface._specification.cache_info()
    assert charts.misses > 0
    for page in PAGES:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.query_params["lang"] = "es"
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert any("<h1" in html.proto.body for html in app.get("html")), page
    assert len(page_cache._kept) == pages
    after = streamlit_surface._specification.cache_info()
    assert after.misses == charts.misses
    assert after.hits > charts.hits + 50


def test_a_page_that_fails_does_not_hold_up_the_others(monkeypatch, caplog):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    written_pages = []

    def show(page, _on, _write):
        if page == "calls":
            raise KeyError("planted")
        written_pages.append((language.current(), page))

    monkeypatch.setattr(prerender, "show", show)
    with caplog.at_level(logging.ERROR, "dashboard"):
        prerender.write(current.newest())
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

        def read(self, work):
            work()

    slow = Slow()
    monkeypatch.setattr(service, "Ahead", lambda: slow)

    async def visits():
        async with service.lifespan(None):
            assert not service.ready(), "the other replica answers"
            while not service.ready():
                await asyncio.sleep(0.01)
            assert begun == ["2025.1"]
            assert current.newest().version == "2025.1"
            slow.done = False
            shutil.rmtree(live)
            shutil.copytree(ROOT / "data_public", live)
            assert [current.newest().version for _ in range(3)] == ["2025.1"] * 3
            assert begun[-1] == "2026.1"
            assert current.serving("2025.1").shown is current.newest()
            slow.done = True
            assert current.newest().version == "2026.1"
            slow.done = False
            assert current.newest().version == "2026.1"

    asyncio.run(visits())


def test_writing_begins_once(monkeypatch):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    runs = []
    monkeypatch.setattr(prerender, "write", lambda release: runs.append(release))
    writer, release = prerender.Ahead(), current.newest()
    for _ in range(3):
        writer.begin(release).join()
    assert writer.ready(release)
    assert runs == [release]


def test_visitors_go_first_in_the_order_in_which_they_came():
    turns, order = Turns(), []

    def visit(name, taking):
        with taking():
            order.append(name)

    def start(name, taking):
        thread = threading.Thread(target=visit, args=(name, taking))
        thread.start()
        time.sleep(0.05)
        return thread

    with turns:
        threads = [
            start("ahead", turns.after_visitors),
            *(start(n, lambda: turns) for n in range(5)),
            start("ahead too", turns.after_visitors),
        ]
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, "ahead", "ahead too"]


def test_whoever_writes_ahead_lets_visitors_go_between_two_steps():
    turns, order = Turns(), []

    def visit():
        with turns:
            order.append("visitor")

    with turns.after_visitors():
        order.append("first step")
        thread = threading.Thread(target=visit)
        thread.start()
        time.sleep(0.1)
        turns.let_visitors_go_first()
        thread.join(10)  # without their turn, visitors would wait for good
        order.append("second step")
        turns.let_visitors_go_first()
    assert order == ["first step", "visitor", "second step"]


def test_a_turn_that_ends_with_a_fault_is_given_on():
    turns = Turns()
    for taking in (lambda: turns, turns.after_visitors):
        with pytest.raises(KeyError), taking():
            raise KeyError
    with turns:
        pass


def test_a_page_written_ahead_stops_for_visitors_at_each_step(monkeypatch):
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    monkeypatch.setattr(prerender, "LANGUAGES", ("en",))
    monkeypatch.setattr(prerender, "PAGES", ("coverage",))
    stops = []
    monkeypatch.setattr(
        page_cache.Turns, "let_visitors_go_first", lambda self: stops.append(time.monotonic())
    )
    prerender.write(current.newest())
    assert len(stops) > 15


def test_one_replica_writes_at_a_time(tmp_path):
    (tmp_path / "datapackage.json").write_text("{}")
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom dashboard.app.prerender import alone\n"
        "with alone(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(2)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        start = time.monotonic()
        with prerender.alone(tmp_path):
            assert time.monotonic() - start > 1
    with prerender.alone(tmp_path / "none"):
        pass


def test_a_new_release_is_read_while_visitors_go_on(tmp_path, monkeypatch):
    live = tmp_path / "live"
    shutil.copytree(ROOT / "data_public/history/2025.1", live)
    monkeypatch.setenv("RELEASE_DIR", str(live))
    assert current.newest().version == "2025.1"
    writer = prerender.Ahead()
    monkeypatch.setattr(current, "in_background", writer.read)
    slow = threading.Event()
    read = current.load_release
    monkeypatch.setattr(current, "load_release", lambda folder: (slow.wait(), read(folder))[1])
    shutil.rmtree(live)
    shutil.copytree(ROOT / "data_public", live)
    start = time.monotonic()
    assert [current.newest().version for _ in range(20)] == ["2025.1"] * 20
    assert time.monotonic() - start < 1
    slow.set()
    writer._reading.join()
    assert current.newest().version == "2026.1"
