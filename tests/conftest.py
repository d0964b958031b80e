"""Shared folders, and releases built once for all tests."""

from __future__ import annotations

import fcntl
import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from anonymize.demo.city import write_exports
from anonymize.demo.releases import make_example
from anonymize.pipeline import Built, read_inputs
from dashboard.text import language
from tests import longest_first
from tests.agency import build
from tests.hostile_agency import hostile_agency

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
T = TypeVar("T")
MAIN = sys.modules["__main__"]
pytest_collection_modifyitems = longest_first.pytest_collection_modifyitems
pytest_terminal_summary = longest_first.pytest_terminal_summary


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test begins alike, whichever ran before it: in the language of the sources, and with the
    test run's own `__main__`. Streamlit's AppTest leaves a page in its place, which each new
    process of a pool would run."""
    sys.modules["__main__"] = MAIN
    language.use(language.DEFAULT)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(
            "the real open data of Toronto and Seattle lie outside the repository, in"
            " ../shared/data, which is not here"
        )
    return SHARED


class Once:
    """What is made once for all processes that run tests side by side (`pytest -n`): the first to
    ask makes it, the others wait and read it."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        own = factory.getbasetemp()
        self.folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def __call__(self, name: str, make: Callable[[Path], T]) -> T:
        """`make` is given a folder of its own; what it returns must bear pickling."""
        kept = self.folder / f"{name}.pickle"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                folder = self.folder / name
                folder.mkdir(exist_ok=True)
                made = pickle.dumps(make(folder))
                kept.write_bytes(made)
        found: T = pickle.loads(kept.read_bytes())
        return found


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(tmp_path_factory)


@pytest.fixture(scope="session")
def example_exports(once: Once) -> Path:
    """The example city's exports where its agency file looks for them."""
    folder = ROOT / "examples/example_city/exports"
    once("example_exports", lambda _folder: write_exports(folder))
    return folder


def _built(agency: str, folder: Path) -> tuple[Built, Path]:
    out = folder / "release"
    return build(read_inputs(ROOT / agency), out, folder / "private", answered=False), out


@pytest.fixture(scope="session")
def example_city(example_exports: Path, once: Once) -> tuple[Built, Path]:
    return once(
        "example_city",
        lambda folder: make_example(ROOT / "examples/example_city/agency.toml", folder / "made"),
    )


@pytest.fixture(scope="session")
def toronto(shared: Path, once: Once) -> tuple[Built, Path]:
    return once("toronto", partial(_built, "examples/toronto.toml"))


@pytest.fixture(scope="session")
def seattle(shared: Path, once: Once) -> tuple[Built, Path]:
    return once("seattle", partial(_built, "examples/seattle.toml"))


def _built_hostile(exports: Path, folder: Path) -> Path:
    out = folder / "release"
    assert build(
        read_inputs(hostile_agency(folder / "agency", exports)),
        out,
        folder / "private",
        answered=False,
    ).report.passed
    return out


@pytest.fixture(scope="session")
def hostile_city(example_exports: Path, once: Once) -> Path:
    """The release built from an agency file, inputs, code lists and boundaries whose every text is
    code for something."""
    return once("hostile_city", partial(_built_hostile, example_exports))
