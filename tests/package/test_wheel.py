"""The package as a stranger gets it: built, installed, and used where no checkout is.

`make test` installs it next to the dependencies that the tests have; `make soak` into an
environment of its own with everything from the package index, and makes, publishes, serves and
exports the example city there. Both need the index (or wheels that pip finds); without it they are
skipped, and say so.
"""

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile

import pytest

from tests.agency import write_agency
from tests.conftest import ROOT

SOAK = os.environ.get("SOAK") == "1"
whole = pytest.mark.skipif(
    not SOAK, reason="several minutes: make soak runs the example city from a fresh environment"
)
HATCHLING = re.search(r"hatchling==[0-9.]+", (ROOT / "pyproject.toml").read_text())[0]
NO_INDEX = (
    "pip finds no package index (and no wheels), so nothing can be installed into a fresh"
    " environment: "
)


def run(*words, cwd=None, timeout=580, **variables):
    """A command with the caller's environment less what would let it see this checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(w) for w in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment | variables,
    )


def done(*words, **options):
    result = run(*words, **options)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A fresh environment's Python. In it is only pip or, but in `make soak`, also what the tests
    run with."""
    folder = tmp_path_factory.mktemp("environment")
    done(sys.executable, "-m", "venv", folder)
    python = folder / "bin/python"
    if not SOAK:
        site = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    reached = run(
        python, "-m", "pip", "download", "-q", "--no-deps", "-d", folder / "probe", HATCHLING
    )
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
    if SOAK:
        done(
            environment,
            "-m",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "-r",
            ROOT / "lock/build.txt",
        )
    done(environment, "-m", "pip", "install", "-q", "--no-deps", wheel)
    assert "No broken requirements" in done(environment, "-m", "pip", "check")
    return environment.parent / "co-response"


def test_the_wheel_holds_every_file_of_the_program(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = done("git", "ls-files", "anonymize", "dashboard", "co_response", cwd=ROOT).split()
    assert (
        not {name for name in tracked if (ROOT / name).exists() and not name.endswith("ruff.toml")}
        - held
    )
    scripts = [
        *done("git", "ls-files", "pages", ".streamlit", cwd=ROOT).split(),
        "service.py",
        "streamlit_app.py",
    ]
    assert not {f"co_response/app/{name}" for name in scripts if (ROOT / name).exists()} - held
    assert "anonymize/example_city/agency.toml" in held
    lists = [path.name for path in (ROOT / "examples/example_city/lists").glob("*.csv")]
    assert len(lists) > 10
    assert {f"anonymize/example_city/lists/{name}" for name in lists} <= held
    tops = {name.partition("/")[0] for name in held}
    assert {name for name in tops if not name.endswith(".dist-info")} == {
        "anonymize",
        "dashboard",
        "co_response",
    }


def test_the_wheel_names_what_the_program_needs(wheel):
    metadata = next(
        n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".dist-info/METADATA")
    )
    named = set(
        re.findall(r"(?m)^Requires-Dist: (.+)$", zipfile.ZipFile(wheel).read(metadata).decode())
    )
    pins = "".join(
        (ROOT / name).read_text() for name in ("requirements.txt", "requirements-build.txt")
    )
    assert named == set(re.findall(r"(?m)^([A-Za-z0-9_.-]+==[^\s#]+)", pins))


@pytest.fixture(scope="module")
def release(command, tmp_path_factory):
    """The example city's release, made with the installed command alone."""
    folder = tmp_path_factory.mktemp("city")
    agency, out = "examples/example_city/agency.toml", folder / "release"
    assert "agency.toml" in done(command, "demo", "--quiet", cwd=folder)
    told = done(command, "build", agency, "--out", out, "--quiet", cwd=folder)
    code = re.search(r"co-response publish .* --code (\w+)", told)[1]
    done(
        command,
        "publish",
        agency,
        "--out",
        out,
        "--role",
        "Test",
        "--code",
        code,
        "--quiet",
        cwd=folder,
    )
    return out


def test_an_export_is_checked_with_it(command, tmp_path):
    agency = write_agency(
        tmp_path,
        "id,at,type\n" + "".join(f"{i},2024-01-{1 + i % 28:02d} 10:00,Crisis\n" for i in range(60)),
    )
    told = done(
        command, "check", agency, "--private", tmp_path / "private", "--quiet", cwd=tmp_path
    )
    assert "60" in told and "portrait.html" in told


@whole
def test_the_example_city_is_built_and_published_from_it(release):
    """With the bytes that a checkout writes: each count table is the one of the example release,
    history aside."""
    assert json.loads((release / "approval.json").read_text())["role"] == "Test"
    assert json.loads((release / "audit.json").read_text())["passed"] is True
    kept = {p.name: p.read_bytes() for p in (ROOT / "data_public/codelists").iterdir()}
    assert kept == {p.name: p.read_bytes() for p in (release / "codelists").iterdir()}


def test_a_release_is_shown_from_it(command, tmp_path):
    release = ROOT / "data_public"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = subprocess.Popen(
        [command, "serve", "--release", release, "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert (
            health(port)["release"]
            == json.loads((release / "datapackage.json").read_text())["version"]
        )
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


@whole
def test_every_page_is_written_from_it(command, release, tmp_path):
    """The static edition runs all pages, in both languages, with styles, charts and catalogues."""
    told = done(
        command, "export", "--release", release, "--out", tmp_path / "site", "--quiet", cwd=tmp_path
    )
    assert int(re.search(r"(\d+) pages", told)[1]) > 100
    assert 'lang="es"' in (tmp_path / "site/es/index.html").read_text(encoding="utf-8")
