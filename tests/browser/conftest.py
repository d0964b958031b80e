"""A running app and a real Chromium, shared by the browser tests."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from dashboard.release.reader import load_release
from dashboard.site.static import export
from tests.conftest import ROOT
from tests.serving import serve_command

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
if CHROMIUM is None:
    warnings.warn(
        "no Chromium on this machine: every browser test is skipped (apt-get install chromium)",
        stacklevel=1,
    )


def pytest_collection_modifyitems(items):
    """Without Chromium nothing here can run; the reason stands in the summary."""
    for item in items:
        if CHROMIUM is None and "tests/browser" in str(item.path):
            item.add_marker(
                pytest.mark.skip(
                    reason="NO CHROMIUM HERE: browser tests did not run (apt-get install chromium)"
                )
            )


@contextlib.contextmanager
def running(release, address, log, **environment):
    """The app's process at an address of this machine, begun and not waited for. `environment`:
    more for its environment."""
    port = address.rpartition(":")[2]
    with log.open("ab") as out:
        process = subprocess.Popen(
            serve_command(port),
            cwd=ROOT,
            env=os.environ | {"RELEASE_DIR": str(release)} | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_address():
    """Of this machine, at a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def serve(release, log, **environment):
    """Start the app on a free port of this machine; yields its address once it answers."""
    address = free_address()
    with running(release, address, log, **environment):
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:  # not there, or 503 while it starts
                time.sleep(0.25)
        yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = [
            "--no-sandbox",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--ignore-gpu-blocklist",
            "--no-first-run",
        ]
        arguments += [
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
        ]
        arguments += [
            "--disable-gpu-compositing"
        ]  # maps are drawn by WebGL in software; the pages themselves need not be
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


# The apps below stay up for all files of a run that one process tests: a page is written by the
# first who asks for it and comes from memory afterwards.
@pytest.fixture(scope="session")
def example(tmp_path_factory):
    yield from serve(ROOT / "data_public", tmp_path_factory.mktemp("log") / "example.log")


@pytest.fixture(scope="session")
def toronto_site(toronto, tmp_path_factory):
    yield from serve(toronto[1], tmp_path_factory.mktemp("log") / "toronto.log")


@pytest.fixture(scope="session")
def seattle_site(seattle, tmp_path_factory):
    yield from serve(seattle[1], tmp_path_factory.mktemp("log") / "seattle.log")


@pytest.fixture(scope="module")
def window(browser):
    """One reader's browser for a module: it keeps the app's own files from page to page, as
    readers' browsers do."""
    context = browser.new_context(viewport={"width": 1100, "height": 900}, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture
def tab(window):
    page = window.new_page()
    page.set_default_timeout(30_000)
    yield page
    page.close()


@pytest.fixture(scope="session")
def edition(once):
    """The static edition behind the plainest of web servers; gives its folder and address."""
    out = once(
        "edition",
        lambda folder: (
            export(load_release(ROOT / "data_public"), folder / "site"),
            folder / "site",
        )[1],
    )

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(out)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield out, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
