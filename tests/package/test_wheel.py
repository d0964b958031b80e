"""The package as a stranger gets it: built, installed into a fresh environment, and used there.

Needs a package index (or wheels that pip finds); without one it is skipped, and says so.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
HATCHLING = re.search(r"hatchling==[0-9.]+", (ROOT / "pyproject.toml").read_text())[0]
NO_INDEX = "pip finds no package index (and no wheels), so nothing can be installed into a fresh environment: "


def run(*words, cwd=None, timeout=580, **variables):
    """A command with the caller's environment less what would let it see this checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True, timeout=timeout, env=environment | variables)


def done(*words, **options):
    result = run(*words, **options)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A fresh environment's Python, in which only pip is installed."""
    folder = tmp_path_factory.mktemp("environment")
    done(sys.executable, "-m", "venv", folder)
    python = folder / "bin/python"
    reached = run(python, "-m", "pip", "download", "-q", "--no-deps", "-d", folder / "probe", HATCHLING)
    if reached.returncode != 0:
        pytest.skip(NO_INDEX + (reached.stderr.strip().splitlines() or [""])[-1])
    return python


@pytest.fixture(scope="module")
def wheel(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done(environment, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def command(environment, wheel):
    """`co-response`, installed with the locked versions of everything that it needs."""
    done(environment, "-m", "pip", "install", "-q", "--require-hashes", "-r", ROOT / "lock/build.txt")
    done(environment, "-m", "pip", "install", "-q", "--no-deps", wheel)
    assert "No broken requirements" in done(environment, "-m", "pip", "check")
    return environment.parent / "co-response"


def test_the_wheel_holds_every_file_of_the_program(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = done("git", "ls-files", "anonymize", "dashboard", "co_response", cwd=ROOT).split()
    assert not {name for name in tracked if (ROOT / name).exists() and not name.endswith("ruff.toml")} - held
    scripts = [*done("git", "ls-files", "pages", ".streamlit", cwd=ROOT).split(), "service.py", "streamlit_app.py"]
    assert not {f"co_response/app/{name}" for name in scripts if (ROOT / name).exists()} - held
    assert "anonymize/example_city/agency.toml" in held
    tops = {name.partition("/")[0] for name in held}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"anonymize", "dashboard", "co_response"}


def test_the_wheel_names_what_the_program_needs(wheel):
    metadata = next(n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".dist-info/METADATA"))
    named = set(re.findall(r"(?m)^Requires-Dist: (.+)$", zipfile.ZipFile(wheel).read(metadata).decode()))
    pins = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-build.txt"))
    assert named == set(re.findall(r"(?m)^([A-Za-z0-9_.-]+==[^\s#]+)", pins))


@pytest.fixture(scope="module")
def release(command, tmp_path_factory):
    """The example city's release, made with the installed command alone."""
    folder = tmp_path_factory.mktemp("city")
    agency, out = "examples/example_city/agency.toml", folder / "release"
    assert "agency.toml" in done(command, "demo", "--quiet", cwd=folder)
    told = done(command, "build", agency, "--out", out, "--quiet", cwd=folder)
    code = re.search(r"co-response publish .* --code (\w+)", told)[1]
    done(command, "publish", agency, "--out", out, "--role", "Test", "--code", code, "--quiet", cwd=folder)
    return out


def test_the_example_city_is_built_and_published_from_it(release):
    """With the bytes that a checkout writes: each count table is the one of the example release, history aside."""
    assert json.loads((release / "approval.json").read_text())["role"] == "Test"
    assert json.loads((release / "audit.json").read_text())["passed"] is True
    kept = {p.name: p.read_bytes() for p in (ROOT / "data_public/codelists").iterdir()}
    assert kept == {p.name: p.read_bytes() for p in (release / "codelists").iterdir()}


def test_the_release_is_shown_from_it(command, release):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = subprocess.Popen([command, "serve", "--release", release, "--port", str(port)], cwd=release.parent, stdout=subprocess.DEVNULL)
    try:
        assert health(port)["release"] == json.loads((release / "datapackage.json").read_text())["version"]
    finally:
        served.terminate()
        served.wait(20)


def health(port, seconds=60):
    """What the served app says of itself, once it answers."""
    for _ in range(seconds):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return json.load(answer)
        except OSError:  # not yet listening, or busy with its first page
            time.sleep(1)
    raise AssertionError(f"no answer on port {port}")


def test_every_page_is_written_from_it(command, release, tmp_path):
    """The static edition runs all pages, in both languages, with styles, charts and catalogues."""
    told = done(command, "export", "--release", release, "--out", tmp_path / "site", "--quiet", cwd=tmp_path)
    assert int(re.search(r"(\d+) pages", told)[1]) > 100
    assert 'lang="es"' in (tmp_path / "site/es/index.html").read_text(encoding="utf-8")
