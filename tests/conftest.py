"""Shared folders, and releases built once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.demo import write_exports
from anonymize.demo_release import make_example
from anonymize.pipeline import Built, read_inputs
from tests.agency import build

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the real open data of Toronto and Seattle lie outside the repository, in ../shared/data, which is not here")
    return SHARED


@pytest.fixture(scope="session")
def example_exports() -> Path:
    """The example city's exports where its agency file looks for them."""
    folder = ROOT / "examples/example_city/exports"
    write_exports(folder)
    return folder


def _built(agency: str, folder: Path) -> tuple[Built, Path]:
    out = folder / "release"
    return build(read_inputs(ROOT / agency), out, folder / "private"), out


@pytest.fixture(scope="session")
def example_city(example_exports: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Path]:
    return make_example(ROOT / "examples/example_city/agency.toml", tmp_path_factory.mktemp("example_city") / "made")


@pytest.fixture(scope="session")
def toronto(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Path]:
    return _built("examples/toronto.toml", tmp_path_factory.mktemp("toronto"))


@pytest.fixture(scope="session")
def seattle(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Path]:
    return _built("examples/seattle.toml", tmp_path_factory.mktemp("seattle"))
