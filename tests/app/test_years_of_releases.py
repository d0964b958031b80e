"""With two years of releases in `history/`, a visitor waits no longer than with one: what is not
asked for is not read."""

import builtins
import json
import shutil
from pathlib import Path

import pytest

from dashboard.release import reader as reading
from dashboard.release.current import MAX_RELEASES
from dashboard.release.reader import load_release
from tests.conftest import ROOT

MANY = 24


@pytest.fixture
def many(tmp_path):
    """The committed release with 24 earlier ones."""
    out = tmp_path / "out"
    shutil.copytree(ROOT / "data_public", out, ignore=shutil.ignore_patterns("history"))
    package = json.loads((out / "datapackage.json").read_text())
    digest = reading.hashlib.sha256(
        (ROOT / "data_public/datapackage.json").read_bytes()
    ).hexdigest()
    package["history"] = [
        {"version": f"2020.{n}", "created": package["created"], "datapackage_sha256": digest}
        for n in range(MANY)
    ]
    for n in range(MANY):
        shutil.copytree(
            ROOT / "data_public",
            out / f"history/2020.{n}",
            ignore=shutil.ignore_patterns("history"),
        )
    (out / "datapackage.json").write_text(json.dumps(package))
    audit = json.loads((out / "audit.json").read_text())
    audit["datapackage_sha256"] = reading.hashlib.sha256(
        (out / "datapackage.json").read_bytes()
    ).hexdigest()
    (out / "audit.json").write_text(json.dumps(audit))
    return out


def test_the_newest_release_is_read_alone(many, monkeypatch):
    read, kept, plain = [], Path.open, open
    monkeypatch.setattr(
        Path, "open", lambda path, *how, **more: read.append(path) or kept(path, *how, **more)
    )
    monkeypatch.setattr(
        builtins,
        "open",
        lambda path, *how, **more: read.append(Path(path)) or plain(path, *how, **more),
    )
    found = load_release(many)
    assert len(found.package["history"]) == MANY
    assert read
    assert not [path for path in read if "history" in path.parts]


def test_an_earlier_release_is_served_without_the_others(many, monkeypatch):
    from starlette.requests import Request

    from dashboard.app import service

    asked = []
    latest = load_release(many)
    monkeypatch.setattr(service, "newest", lambda: latest)
    monkeypatch.setattr(
        service, "load", lambda folder: asked.append(folder.name) or load_release(folder)
    )

    def get(version):
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": [],
            "query_string": b"",
            "path_params": {"version": version, "path": "datapackage.json"},
        }
        return service.data(Request(scope))

    assert get("2020.7").status_code == 200
    assert asked == ["2020.7"]
    assert get("latest").status_code == 200
    assert asked == ["2020.7"]
    assert get("1999.1").status_code == 404


def test_all_of_two_years_stay_in_memory():
    assert MAX_RELEASES > MANY + 1
