"""What is shipped is named, locked and looked up."""

import json
import re
import subprocess
import sys
import zipfile
from importlib.metadata import distributions

import pytest
import yaml

from tests.conftest import ROOT
from tests.unit.test_lock import name_of, pins
from tools import advisories
from tools.bill import bill
from tools.notice import notice


def test_the_notice_names_all_that_runs_with_the_app():
    text = (ROOT / "NOTICE").read_text()
    assert text == notice(), "run `python -m tools.notice` and commit NOTICE"
    for name, version in pins(ROOT / "lock/app.txt").items():
        assert re.search(rf"(?mi)^{re.sub('-', '[-_.]', name)} {re.escape(version)}: ", text), name
    assert "not told" not in text


def test_the_bill_of_materials_is_kept_with_the_app():
    text = (ROOT / "sbom.json").read_text()
    assert text == bill(), "run `python -m tools.bill` and commit sbom.json"
    found = {name_of(c["name"]): c for c in json.loads(text)["components"]}
    assert {name: c["version"] for name, c in found.items()} == pins(ROOT / "lock/app.txt")
    hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", (ROOT / "lock/app.txt").read_text()))
    assert {h["content"] for c in found.values() for h in c["hashes"]} == hashes
    assert all(c["hashes"] for c in found.values())


def test_an_image_is_named_by_its_digest_and_holds_its_bill():
    text = (ROOT / "deploy/Containerfile").read_text()
    assert re.findall(r"(?m)^ARG (.*)$", text) == ["PYTHON_IMAGE"], "no default, and so no tag"
    assert re.findall(r"(?m)^FROM (.*)$", text) == ["${PYTHON_IMAGE}"]
    assert "--require-hashes" in text
    assert re.search(r"(?m)^COPY .*\bNOTICE sbom\.json ", text)
    copied = {name for line in re.findall(r"(?m)^COPY (.*)$", text) for name in line.split()[:-1]}
    assert not copied & {".", "anonymize", "private", "tests"}
    assert all((ROOT / name).exists() for name in copied)


def test_installed_is_what_is_locked():
    there = {name_of(d.metadata["Name"]): d.version for d in distributions()}
    assert {n: v for n, v in pins(ROOT / "lock/app.txt").items() if there.get(n, v) != v} == {}


def test_the_tools_have_a_lock_with_hashes_too():
    assert {
        n: v
        for n, v in pins(ROOT / "requirements-audit.txt").items()
        if pins(ROOT / "lock/audit.txt").get(n) != v
    } == {}
    assert (
        "--require-hashes"
        in (ROOT / "Makefile").read_text().split("$(BIN)/.audit:")[1].split("\n\n")[0]
    )


def advisory(name, entry, **more):
    return {"id": name, "summary": "planted", "affected": [entry], **more}


def test_an_advisory_in_a_local_copy_is_found(tmp_path):
    version = pins(ROOT / "lock/app.txt")["pandas"]

    def span(*events):
        return {
            "package": {"name": "Pandas", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
        }

    listed = [
        advisory("A-listed", {"package": {"name": "pandas"}, "versions": [version]}),
        advisory("A-range", span({"introduced": "0"}, {"fixed": "999"})),
        advisory("A-last", span({"introduced": "1.0"}, {"last_affected": version})),
        advisory("B-fixed", span({"introduced": "0"}, {"fixed": version})),
        advisory("B-later", span({"introduced": "999"})),
        advisory("B-other", {"package": {"name": "no-such"}, "versions": [version]}),
        advisory("B-withdrawn", span({"introduced": "0"}), withdrawn="2026-01-01T00:00:00Z"),
    ]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as made:
        for one in listed:
            made.writestr(f"{one['id']}.json", json.dumps(one))
    of_pypa = tmp_path / "advisory-database/vulns/pandas"
    of_pypa.mkdir(parents=True)
    for one in listed:
        (of_pypa / f"{one['id']}.yaml").write_text(yaml.safe_dump(one))
    (of_pypa.parent.parent / "README.md").write_text("# Advisories")
    (of_pypa.parent.parent / "settings.yaml").write_text("ecosystem: PyPI")
    for copy in (tmp_path / "all.zip", of_pypa.parent.parent):
        assert {found[2] for found in advisories.known(advisories.advisories(copy))} == {
            "A-listed",
            "A-range",
            "A-last",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tools.advisories", str(copy)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "A-range" in done.stdout
        assert done.stdout.splitlines()[-1].startswith("7 advisories; 3 known weaknesses of ")


def test_a_version_in_yaml_is_no_number(tmp_path):
    """Read as numbers, 1.10 would be 1.1."""
    (tmp_path / "x.yaml").write_text(
        "id: X\naffected:\n- package: {name: x}\n  versions: [1.10, 2]\n"
    )
    assert next(advisories.advisories(tmp_path))["affected"][0]["versions"] == ["1.10", "2"]


@pytest.mark.parametrize("kind", ["empty folder", "no zip", "empty zip"])
def test_a_copy_without_advisories_is_no_good_news(tmp_path, kind):
    copy = tmp_path / "copy"
    if kind == "empty folder":
        copy.mkdir()
    elif kind == "no zip":
        copy.write_text("<html>")
    else:
        zipfile.ZipFile(copy, "w").close()
    done = subprocess.run(
        [sys.executable, "-m", "tools.advisories", str(copy)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "holds no advisory" in done.stderr
    assert "0 known" not in done.stdout
