"""Every dependency is locked: the versions of requirements*.txt, each file by its hash, no address
of an index."""

import re

import pytest

from tests.conftest import ROOT

SETS = {"app": "", "build": "-build", "test": "-test", "spark": "-spark"}
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)", re.MULTILINE)


def name_of(text):
    return re.sub(r"[-_.]+", "-", text).lower()


def pins(path):
    return {name_of(name): version for name, version in PIN.findall(path.read_text())}


@pytest.mark.parametrize("kind", SETS)
def test_what_is_asked_for_is_locked(kind):
    asked, locked = pins(ROOT / f"requirements{SETS[kind]}.txt"), pins(ROOT / f"lock/{kind}.txt")
    assert asked
    assert {name: locked.get(name) for name in asked} == asked


@pytest.mark.parametrize("kind", SETS)
def test_each_has_its_hashes(kind):
    text = (ROOT / f"lock/{kind}.txt").read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) >= len(pins(ROOT / f"lock/{kind}.txt"))
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:60]
    assert "://" not in text


def test_the_sets_agree():
    """The same version of each, whatever set it stands in: the build's environment grows into the
    tests'."""
    app, test = pins(ROOT / "lock/app.txt"), pins(ROOT / "lock/test.txt")
    for kind in ("build", "spark"):
        for name, version in pins(ROOT / f"lock/{kind}.txt").items():
            assert test.get(name, version) == version
    assert {name: test[name] for name in app} == app
