"""A release that cannot be shown is refused at the door, in a word; the one before stays up, and
nothing is said a thousand times."""

import copy
import hashlib
import json
import logging
import os
import random
import shutil
import socket
import threading

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.app import service
from dashboard.page.pages_list import PAGES
from dashboard.release import current
from dashboard.release.format import NotFormat1, check_package, read_json
from dashboard.release.reader import ReleaseRefused, load_release
from tests.conftest import ROOT
from tests.soak.test_hostile_inputs import several

PACKAGE = json.loads((ROOT / "data_public/datapackage.json").read_text())


def seal(folder):
    """Hashes, and an audit that names them: what someone who makes a package by hand would do."""
    package = json.loads((folder / "datapackage.json").read_text())
    for resource in (
        package["resources"]
        if isinstance(package, dict) and isinstance(package.get("resources"), list)
        else ()
    ):
        if isinstance(resource, dict) and (folder / str(resource.get("path"))).is_file():
            data = (folder / resource["path"]).read_bytes()
            resource["bytes"], resource["hash"] = (
                len(data),
                f"sha256:{hashlib.sha256(data).hexdigest()}",
            )
    write(folder, json.dumps(package))


def write(folder, text):
    (folder / "datapackage.json").write_text(text)
    audit = json.loads((folder / "audit.json").read_text())
    audit["datapackage_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "audit.json").write_text(json.dumps(audit))


@pytest.fixture
def live(tmp_path, monkeypatch):
    folder = tmp_path / "live"
    shutil.copytree(ROOT / "data_public", folder)
    monkeypatch.setenv("RELEASE_DIR", str(folder))
    for kept in (current._kept, current._releases, current._refused, current._told):
        kept.clear()
    return folder


def change(folder, **changed):
    write(folder, json.dumps(PACKAGE | changed))


ODD = {
    "none": None,
    "text": "yesterday",
    "number": 7,
    "list": [],
    "object": {},
    "true": True,
    "negative": -1,
    "long": "x" * 100_000,
    "NaN": float("nan"),
    "endless": float("inf"),
}


@pytest.mark.parametrize(
    "part",
    [
        "agency",
        "period",
        "licenses",
        "contributors",
        "privacy",
        "version",
        "created",
        "title",
        "description",
        "resources",
    ],
)
def test_a_package_without_a_part_is_refused(live, part):
    package = {name: value for name, value in PACKAGE.items() if name != part}
    write(live, json.dumps(package))
    with pytest.raises(ReleaseRefused) as refused:
        load_release(live)
    assert refused.value.reason == "unreadable"


@pytest.mark.parametrize(
    "changed",
    [
        {"created": "yesterday"},
        {"created": "2026-13-45T00:00:00Z"},
        {"created": "2026-01-15T25:61:00Z"},
        {"format": 99},
        {"format": "1"},
        {"version": "../../x"},
        {"version": "2026.1\n"},
        {"created": PACKAGE["created"] + "\n"},
        {"version": 2026.1},
        {"period": {"from": "2024-01-01", "to": "2025-02-30"}},
        {"period": {"from": "2024", "to": "2025"}},
        {"homepage": "javascript:alert(1)"},
        {"homepage": 'https://x/"><script>'},
        {"licenses": [{"title": "x", "path": "javascript:alert(1)"}]},
        {"licenses": []},
        {"contributors": []},
        {"privacy": {"threshold": True}},
        {"privacy": {"threshold": 0}},
        {"next_update": "soon"},
        {"embedders": ["javascript:x"]},
        {"embedders": "https://x"},
        {"completeness": {"area": 101}},
        {"completeness": {"area": "98"}},
        {"history": [{"version": "2025.1"}]},
        {"history": PACKAGE["history"] * 2},
        {"history": [PACKAGE["history"][0] | {"version": "2026.1"}]},
        {"definitions": {"eligible": {"version": 2}}},
        {"release": {"kind": "other"}},
        {"resources": [PACKAGE["resources"][0]] * 2},
        {"resources": [PACKAGE["resources"][0] | {"path": "../../etc/passwd"}]},
        {"resources": [PACKAGE["resources"][0] | {"path": "/etc/passwd"}]},
        {"resources": [PACKAGE["resources"][0] | {"bytes": 10**12}]},
        {"resources": [PACKAGE["resources"][0] | {"table": {"kind": "other"}}]},
        {"agency": PACKAGE["agency"] | {"country": "XX"}},
        {"agency": PACKAGE["agency"] | {"name": {"en": "only"}}},
        {"gaps": {"from": "2024-02-01"}},
        {"gaps": [{"from": "2024-02-01", "to": "2024-02-29"}]},
        {"gaps": [{"from": "2024-02-01", "to": "2024-02-30", "reason": {"en": "x", "es": "x"}}]},
        {"gaps": [{"from": "2024-02-01", "to": "2024-02-29", "reason": "lost"}]},
    ],
    ids=lambda changed: "-".join(changed) if isinstance(changed, dict) else "",
)
def test_a_package_that_pages_cannot_show_is_refused(live, changed):
    change(live, **changed)
    with pytest.raises(ReleaseRefused):
        load_release(live)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        '{"resources": NaN}',
        '{"resources": 1e999}',
        "[" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        "\ufeff{}",
        "{" + " " * (9 << 20) + "}",
        '{"version": ' + "9" * 10_000 + "}",
    ],
    ids=range(11),
)
def test_any_json_is_read_or_refused(live, text):
    write(live, text)
    with pytest.raises(ReleaseRefused):
        load_release(live)


def spoil_table(live, name, old, new):
    path = live / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    seal(live)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tables/outcomes.csv", ",published\n", ",perhaps\n"),
        ("tables/outcomes.csv", "all,all,all,", "all,all,nobody,"),
        ("tables/outcomes.csv", ",suppressed\n", "3,suppressed\n"),
        ("tables/calls_by_month_area.csv", "2024,all,", "2024,all,-"),
        ("tables/calls_by_month_area.csv", "2024,all,", "2024,all,1e"),
        ("tables/calls_by_month_area.csv", "2024,all,", "all,all,"),
        ("tables/wait_by_area.csv", ",published\n", ",suppressed\n"),
        ("tables/budget.csv", "\n", ",more\n"),
        (
            "codelists/area.csv",
            "all,",
            "all,,",
        ),
        ("areas.geojson", "FeatureCollection", "Feature"),
        ("areas.geojson", "Polygon", "Point"),
        ("areas.geojson", "[[[", "[" * 200),
    ],
    ids=range(12),
)
def test_a_file_that_pages_cannot_show_is_refused(live, name, old, new):
    spoil_table(live, name, old, new)
    with pytest.raises(ReleaseRefused):
        load_release(live)


def test_a_codelist_in_a_circle_is_refused(live):
    """Walking up from a code would never end."""
    path = live / "codelists/area.csv"
    lines = path.read_text().splitlines()
    head, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    at = head.index("parent")
    rows[2][at], rows[3][at] = rows[3][0], rows[2][0]
    path.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    seal(live)
    with pytest.raises(ReleaseRefused) as refused:
        load_release(live)
    assert "no tree" in str(refused.value) or "cells" in str(refused.value)


def test_a_number_as_large_as_it_likes_is_refused(live):
    spoil_table(live, "tables/calls_by_month_area.csv", "2024,all,", f"2024,all,{'9' * 40}")
    with pytest.raises(ReleaseRefused):
        load_release(live)


@pytest.mark.parametrize("seed", several(60, 5_000))
def test_any_part_changed_is_shown_or_refused(seed):
    """Each value of the package, at any depth, in the place of odd ones."""
    chance = random.Random(seed)
    package = copy.deepcopy(PACKAGE)
    at = package
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = chance.choice(keys)
        if not isinstance(at[key], (dict, list)) or not at[key] or chance.random() < 0.2:
            at[key] = chance.choice(list(ODD.values()))
            break
        at = at[key]
    try:
        check_package(read_json(json.dumps(package).encode()))
    except NotFormat1 as wrong:
        assert len(str(wrong)) < 300


@pytest.mark.parametrize("fault", ["agency", "nested", "table"])
def test_a_bad_release_leaves_the_good_one_up_and_health_says_so(live, fault, caplog):
    assert json.loads(service.health(None).body)["status"] == "ok"
    if fault == "agency":
        write(
            live, json.dumps({name: value for name, value in PACKAGE.items() if name != "agency"})
        )
    elif fault == "nested":
        write(live, "[" * 100_000)
    else:
        spoil_table(live, "tables/outcomes.csv", ",published\n", ",perhaps\n")
    with caplog.at_level(logging.WARNING, "dashboard"):
        for _ in range(20):
            answer = service.health(None)
    told = json.loads(answer.body)
    assert (answer.status_code, told["release"]) == (200, "2026.1")
    assert "refused" in told["status"]
    assert current.newest().version == "2026.1"
    assert len(caplog.records) <= 2, "told once, not with every visit"
    assert "Traceback" not in caplog.text


def test_503_only_when_nothing_can_be_shown(live):
    write(live, "[" * 100_000)
    answer = service.health(None)
    assert (answer.status_code, json.loads(answer.body)) == (
        503,
        {"status": "no release", "reason": "unreadable"},
    )


def test_what_is_refused_is_not_read_with_every_visit(live, monkeypatch):
    current.newest()
    write(live, "[]")
    read = []
    monkeypatch.setattr(
        current, "load_release", lambda folder: read.append(folder) or load_release(folder)
    )
    for _ in range(10):
        assert current.newest().version == "2026.1"
    assert len(read) == 1


def test_a_name_that_stands_twice_is_refused(live):
    write(live, json.dumps(PACKAGE).replace('{"', '{"title": "another", "', 1))
    with pytest.raises(ReleaseRefused, match="a name twice"):
        load_release(live)


@pytest.mark.parametrize(
    "name",
    [
        "datapackage.json",
        "audit.json",
        "approval.json",
        "tables/outcomes.csv",
        "codelists/area.csv",
        "areas.geojson",
    ],
)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket", "link in a circle"])
def test_what_is_no_file_is_refused_and_not_waited_for(live, name, kind, monkeypatch):
    """Nobody writes to the pipe, and the device never ends: without a look at what it is, each
    visit would hang."""
    current.newest()
    path = live / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        made = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(path.parent)  # the whole path may be too long for a socket's name
        made.bind(path.name)
    else:
        path.symlink_to(path.name)
    done = []
    thread = threading.Thread(target=lambda: done.append(current.standing()), daemon=True)
    thread.start()
    thread.join(20)
    assert done, "a visit waits for good"
    release, refused = done[0]
    assert release.version == "2026.1"
    if (name, kind) != ("approval.json", "link in a circle"):  # like an approval that is not there
        assert refused is not None


def test_a_mended_release_is_shown_at_once(live):
    current.newest()
    write(live, "[]")
    assert current.standing()[1] is not None
    write(live, (ROOT / "data_public/datapackage.json").read_text())
    assert current.standing()[1] is None


def test_an_earlier_release_must_be_the_one_that_history_tells_of(live):
    """A forged earlier release with hashes and audit of its own, beside a newest one that is
    sound."""
    kept = live / "history/2025.1"
    assert current.serving("2025.1").frozen
    spoil_table(kept, "tables/budget.csv", "\n", "\n")  # the same bytes, another description
    load_release(kept)
    with pytest.raises(ReleaseRefused) as refused:
        current.serving("2025.1")
    assert refused.value.reason == "changed"
    assert [r.version for r in current.all_releases(current.newest(), current.load)] == ["2026.1"]


def test_a_release_in_history_that_nobody_tells_of_is_not_shown(live):
    shutil.copytree(live / "history/2025.1", live / "history/2024.1")
    with pytest.raises(ReleaseRefused):
        current.serving("2024.1")


def test_no_cache_of_streamlit_holds_the_release(live):
    """A message from any visitor can empty those."""
    before = current.newest()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert current.newest() is before


@pytest.mark.parametrize(
    "number",
    [
        "../../etc",
        "2025.1/..",
        "..",
        "/etc",
        "2025.1\n",
        "٢٠٢٥.١",
        "2025",
        "2025.1.1.1",
        "2025.1\x00",
    ],
)
def test_only_a_well_formed_number_becomes_part_of_a_path(live, number):
    assert current.folder_of(number, live) == live
    assert current.serving(number).unknown
    assert current.folder_of("2025.1", live) == live / "history/2025.1"


@pytest.mark.parametrize(
    "name",
    [
        "../data.csv",
        "tables/../../data.csv",
        "tables\\data.csv",
        "tables/.hidden.csv",
        "tables//data.csv",
        "tables/data.csv\n",
    ],
)
def test_names_of_files_are_plain(live, name):
    """The file is there and has its hash: its name alone is wrong."""
    package = json.loads(json.dumps(PACKAGE))
    budget = next(r for r in package["resources"] if r["path"] == "tables/budget.csv")
    target = live / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes((live / budget["path"]).read_bytes())
    budget["path"] = name
    write(live, json.dumps(package))
    with pytest.raises(ReleaseRefused, match="path"):
        load_release(live)


def test_a_fault_in_one_page_leaves_the_others(live, monkeypatch):
    """A reference without the column that one page needs; the description fits it."""
    package = json.loads((live / "datapackage.json").read_text())
    budget = next(r for r in package["resources"] if r["path"] == "tables/budget.csv")
    text = (live / "tables/budget.csv").read_text()
    first = budget["schema"]["fields"][1]["name"]
    budget["schema"]["fields"][1]["name"] = "other"
    (live / "tables/budget.csv").write_text(text.replace(first, "other", 1))
    (live / "datapackage.json").write_text(json.dumps(package))
    seal(live)
    failed = []
    for page in PAGES:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.switch_page(f"pages/{page}.py").run()
        if app.exception:
            failed.append(page)
        else:
            assert any("<h1" in html.proto.body for html in app.get("html"))
    assert 1 <= len(failed) <= 3, failed
    assert service.health(None).status_code == 200
    assert json.loads(service.health(None).body)["status"] == "ok"


def test_releases_that_are_out_are_sound():
    for folder in (ROOT / "data_public", ROOT / "data_public/history/2025.1"):
        load_release(folder)
