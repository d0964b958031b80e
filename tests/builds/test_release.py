"""The release: its format, its bytes, and what happens when a build fails."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date

import frictionless
import highspy
import pytest

from anonymize import pipeline
from anonymize.cli import main
from anonymize.errors import AuditError, PlanError, ProtectionError, ReleaseError, SchemaError
from anonymize.pipeline import publish, read_inputs
from anonymize.private_files import working_folder
from anonymize.release.publish import CODE_LENGTH, Approval, digest_of
from tests.agency import build, make, write_agency
from tests.conftest import ROOT


def files(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def small_calls(n=120):
    return "id,at,type\n" + "".join(
        f"{i},2024-0{1 + i % 6}-05 10:00,{'Check' if i % 20 == 0 else 'Crisis'}\n" for i in range(n)
    )


@pytest.mark.parametrize("city", ["example_city", "toronto", "seattle"])
def test_frictionless_accepts_it(city, request):
    _built, out = request.getfixturevalue(city)
    report = frictionless.validate(str(out / "datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldNumber", "type", "message"])
    assert len(report.tasks) > 5


def test_levels_add_up(example_city):
    """Where a parent and all its children are published, the parent is their sum."""
    built, _out = example_city
    checked = 0
    for table, ids in zip(built.tables, built.system.where, strict=True):
        hidden = built.protected.withheld[ids]
        for axis, dimension in enumerate(table.dimensions.values()):
            for i, code in enumerate(dimension.codes):
                children = [
                    j
                    for j, c in enumerate(dimension.codes)
                    if dimension.codelist.by_code[c].parent == code
                ]
                if children:
                    assert (
                        table.values.take(children, axis).sum(axis) == table.values.take(i, axis)
                    ).all()
                    checked += int((~hidden).sum() > 0)
    assert checked > 20


def test_the_committed_release_is_the_example_city(example_city):
    _built, out = example_city
    assert files(out) == files(ROOT / "data_public"), "run `make example` and commit data_public"


def test_the_audit_asks_for_nothing_more(example_city):
    """The engine knows what the audit will reckon with: one audit, which finds nothing to mend."""
    built, _out = example_city
    assert built.rounds == 1


def test_same_bytes_whatever_the_hash_seed(example_city, tmp_path):
    """The earlier release alone, under a fixed seed; the later one is built under a new seed in
    every run of the test above."""
    _built, out = example_city
    command = [
        sys.executable,
        "-m",
        "anonymize",
        "build",
        str(out.parent / "earlier/agency.toml"),
        "--out",
        str(tmp_path / "r"),
    ]
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    subprocess.run(
        [*command, "--private", str(tmp_path / "p"), "--quiet"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    kept = files(out / "history/2025.1")
    del kept["approval.json"]
    assert files(tmp_path / "p/candidate") == kept


def test_only_the_allowed_leaves_the_private_side(example_city, example_exports):
    """No id, time or place of a call, and none of the sentinel columns, stands in any public
    file."""
    _built, out = example_city
    public = "\n".join(data.decode("utf-8") for data in files(out).values())
    with (example_exports / "calls.csv").open() as handle:
        header = next(handle).strip().split(",")
        for line in list(handle)[:2000]:
            row = dict(zip(header, line.strip().split(","), strict=True))
            assert row["incident_no"] not in public
            assert row["received"] not in public
            if row["longitude"]:
                assert f"{row['longitude']},{row['latitude']}" not in public
    assert "incident_no" not in public
    assert "final_type" not in public


def test_a_withheld_value_changes_no_other_byte(tmp_path):
    """Two calls of a withheld cell become another withheld value: only totals that publish it may
    change."""
    first = write_agency(tmp_path / "a", small_calls())
    second = write_agency(tmp_path / "b", small_calls())
    for agency in (first, second):
        build(read_inputs(agency), agency.parent / "out", agency.parent / "private")
    assert files(tmp_path / "a/out") == files(tmp_path / "b/out")


def test_audit_is_bound_to_the_bytes(example_city):
    _built, out = example_city
    audit = json.loads((out / "audit.json").read_text())
    assert audit["passed"] is True
    assert (
        audit["datapackage_sha256"]
        == hashlib.sha256((out / "datapackage.json").read_bytes()).hexdigest()
    )


def test_a_failed_build_leaves_the_earlier_release(tmp_path, monkeypatch):
    agency = write_agency(tmp_path, small_calls())
    out = tmp_path / "out"
    build(read_inputs(agency), out, tmp_path / "private")
    before = files(out)

    def refuse(*args, **kwargs):
        raise AuditError("planted")

    monkeypatch.setattr("anonymize.pipeline.audit_release", refuse)
    with pytest.raises(AuditError):
        build(read_inputs(agency), out, tmp_path / "private", replace=True)
    assert files(out) == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".out")] == []


BUILD = [sys.executable, "-m", "anonymize", "build"]


def test_a_killed_build_leaves_the_earlier_release(tmp_path):
    """Killed at whatever moment, the release in place is whole, and the next build succeeds."""
    agency = write_agency(tmp_path, small_calls())
    out = tmp_path / "out"
    command = [
        *BUILD,
        str(agency),
        "--out",
        str(out),
        "--private",
        str(tmp_path / "private"),
        "--replace",
        "--quiet",
    ]
    assert make(agency, out, tmp_path / "private") == 0
    before = files(out)
    (tmp_path / "calls.csv").write_text(small_calls(150))
    for seconds in (0.5, 1.0, 1.5, 2.0):
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(
                [sys.executable, "-c", SLOW, *command[3:]],
                cwd=ROOT,
                timeout=seconds,
                capture_output=True,
            )
        assert files(out) == before
    assert make(agency, out, tmp_path / "private", "--replace") == 0
    assert main(["audit", str(out), "--quiet"]) == 0
    assert files(out) != before


def test_a_build_killed_between_two_renames_is_put_right(tmp_path):
    agency = write_agency(tmp_path, small_calls())
    out = tmp_path / "out"
    build(read_inputs(agency), out, tmp_path / "private")
    before = files(out)
    out.rename(tmp_path / ".out.before")
    dead, other = tmp_path / ".out.tmp-abcdefgh", tmp_path / ".out.original"
    for folder in (dead, other):
        folder.mkdir()
    with working_folder(tmp_path, "out") as alive:
        assert not build(read_inputs(agency), out, tmp_path / "private").changed
        assert files(out) == before
        assert not dead.exists()
        assert alive.exists(), "another run is at work in it"
    assert other.exists(), "not ours"
    assert not alive.exists()


SLOW = """
import sys, time
from anonymize import pipeline
from anonymize.cli import main
inner = pipeline.audit_release
def slow(*arguments):
    time.sleep(1)
    report = inner(*arguments)
    time.sleep(30)
    return report
pipeline.audit_release = slow
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("most", [500, 3_000])
def test_a_full_disk_leaves_the_earlier_release(tmp_path, most):
    """No file can grow past `most` bytes: one plain sentence, and nothing is published."""
    agency = write_agency(tmp_path, small_calls())
    out = tmp_path / "out"
    command = [
        *BUILD,
        str(agency),
        "--out",
        str(out),
        "--private",
        str(tmp_path / "private"),
        "--replace",
        "--quiet",
    ]
    assert make(agency, out, tmp_path / "private") == 0
    before = files(out)
    (tmp_path / "calls.csv").write_text(small_calls(150))
    full = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}));"
        " sys.dont_write_bytecode = True; "
    )
    full += "from anonymize.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", full, *command[3:]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "nothing was published" in done.stderr
    assert files(out) == before


def test_a_solver_without_an_answer_is_a_failure(tmp_path, monkeypatch):
    """A time-out never counts as a pass."""
    monkeypatch.setattr(
        "highspy.Highs.getModelStatus", lambda self: highspy.HighsModelStatus.kTimeLimit
    )
    agency = write_agency(tmp_path, small_calls())
    with pytest.raises((AuditError, ProtectionError), match="solver stopped without an answer"):
        build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert not (tmp_path / "out").exists()


def test_an_earlier_different_release_is_not_overwritten(tmp_path):
    agency = write_agency(tmp_path, small_calls())
    out = tmp_path / "out"
    assert build(read_inputs(agency), out, tmp_path / "private").changed
    assert not build(read_inputs(agency), out, tmp_path / "private").changed
    before = files(out)
    (tmp_path / "calls.csv").write_text(small_calls(150))
    with pytest.raises(ReleaseError, match="holds an earlier release that differs"):
        build(read_inputs(agency), out, tmp_path / "private")
    assert files(out) == before
    assert build(read_inputs(agency), out, tmp_path / "private", replace=True).changed


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("years of work")
    agency = write_agency(tmp_path / "a", small_calls())
    with pytest.raises(ReleaseError, match="no release"):
        build(read_inputs(agency), tmp_path / "out", tmp_path / "private", replace=True)
    assert (tmp_path / "out/thesis.txt").exists()


def test_files_are_readable_by_all_and_private_ones_are_not(tmp_path):
    agency = write_agency(tmp_path, small_calls())
    assert make(agency, tmp_path / "out", tmp_path / "private") == 0
    assert (
        main(
            [
                "build",
                str(write_agency(tmp_path, small_calls(150))),
                "--out",
                str(tmp_path / "out"),
                "--private",
                str(tmp_path / "private"),
                "--replace",
                "--quiet",
            ]
        )
        == 0
    )
    assert all(p.stat().st_mode & 0o044 == 0o044 for p in (tmp_path / "out").rglob("*"))
    assert all(
        p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "private").rglob("*") if p.is_file()
    )


def test_tables_too_large_are_refused_with_their_size(tmp_path):
    codes = "\n".join(f'  {{ code = "c{i}", en = "c{i}", es = "c{i}" }},' for i in range(4000))
    agency = write_agency(
        tmp_path,
        small_calls(),
        {
            '  { code = "crisis", en': codes + '\n  { code = "crisis", en',
            "data_from = 2024-01-01": "data_from = 2010-01-01",
        },
    )
    with pytest.raises(PlanError, match="more than"):
        build(read_inputs(agency), tmp_path / "out", tmp_path / "private")


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 40])
def test_few_records(tmp_path, n):
    """An empty table, one record, every cell sensitive: published safely or refused clearly."""
    agency = write_agency(
        tmp_path, "id,at,type\n" + "".join(f"{i},2024-01-05,Crisis\n" for i in range(n))
    )
    code = make(agency, tmp_path / "out", tmp_path / "private")
    assert (tmp_path / "out").exists() == (code == 0)
    if code == 0:
        assert main(["audit", str(tmp_path / "out"), "--quiet"]) == 0


def test_one_child_all_zero_and_a_part_month(tmp_path):
    """A level with one child, a table that counts nothing, and a month that the data cover only in
    part."""
    areas = (
        '[areas.area]\nname = "Area"\nall = "All"\nlevels = ["district", "beat"]\n'
        '[areas.area.tree]\neast = ["e1"]\nwest = ["w1", "w2"]\n'
    )
    tables = """
[[tables]]
name = "by_area"
title = "By area"
dimensions = { area = ["all", "district", "beat"] }

[[tables]]
name = "nothing"
title = "Nothing"
dimensions = { area = ["all", "district"] }
where = { force_used = "yes" }
"""
    rows = "id,at,type,beat,force\n" + "".join(
        f"{i},2024-0{1 + i % 6}-05,Crisis,{'e1' if i % 3 else 'w1'},no\n" for i in range(300)
    )
    agency = write_agency(
        tmp_path,
        rows,
        {
            'call_type = "type"': 'call_type = "type"\narea = "beat"\nforce_used = "force"',
            "data_to = 2024-06-30": "data_to = 2024-06-12",
        },
        areas + tables,
    )
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    by_area = (tmp_path / "out/tables/by_area.csv").read_text().splitlines()
    assert {"east,200,published", "e1,200,published", "w1,100,published", "w2,0,published"} <= set(
        by_area
    )
    assert all(
        line.endswith(",0,published")
        for line in (tmp_path / "out/tables/nothing.csv").read_text().splitlines()[1:]
    )
    calls = (tmp_path / "out/tables/calls.csv").read_text().splitlines()
    assert "2024-06,all,50,incomplete" in calls
    assert "2024,all,300,incomplete" in calls
    assert "2024-05,all,50,published" in calls
    assert "all,all,300,published" in calls


def test_exit_codes(tmp_path, capsys):
    agency = write_agency(tmp_path, small_calls())
    assert main(["check", str(agency), "--private", str(tmp_path / "p"), "--quiet"]) == 0
    assert "counted as calls: 120" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "none.toml"), "--quiet"]) == 2
    (tmp_path / "calls.csv").write_text("id,at,type\n1,2024-01-01,Flood\n")
    assert main(["check", str(agency), "--private", str(tmp_path / "p"), "--quiet"]) == 4
    (tmp_path / "calls.csv").unlink()
    assert main(["check", str(agency), "--private", str(tmp_path / "p"), "--quiet"]) == 3
    assert main(["audit", str(tmp_path), "--quiet"]) == 8
    out = tmp_path / "copy"
    shutil.copytree(ROOT / "data_public", out)
    (out / "tables/extra.csv").write_text("a\n")
    assert main(["audit", str(out), "--quiet"]) == 8
    assert "Do not publish" in capsys.readouterr().out


def candidate_of(tmp_path):
    agency = write_agency(tmp_path, small_calls())
    pipeline.build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    return tmp_path / "private/candidate"


def test_nothing_goes_out_before_a_person_has_read_the_report(tmp_path):
    candidate, out = candidate_of(tmp_path), tmp_path / "out"
    assert not out.exists()
    day = date.today()
    digest = digest_of(candidate)
    approval = Approval("Privacy officer", day, digest[:CODE_LENGTH])
    with pytest.raises(ReleaseError, match="not the code of this candidate's report"):
        publish(candidate, out, replace(approval, code="0" * CODE_LENGTH), replace=False)
    with pytest.raises(ReleaseError, match="the role is published"):
        publish(
            candidate,
            out,
            replace(approval, role=" "),
            replace=False,
        )
    assert not out.exists()
    publish(candidate, out, approval, replace=False)
    assert json.loads((out / "approval.json").read_text()) == {
        "role": "Privacy officer",
        "date": day.isoformat(),
        "datapackage_sha256": digest,
    }
    assert not candidate.exists()
    assert main(["audit", str(out), "--quiet"]) == 0
    with pytest.raises(ReleaseError, match="there is no candidate"):
        publish(candidate, out, approval, replace=False)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: (c / "tables/calls.csv").write_text(
            (c / "tables/calls.csv").read_text().replace(",0,", ",1,", 1) + " "
        ),
        lambda c: (c / "audit.json").unlink(),
        lambda c: (c / "audit.json").write_text(
            json.dumps(json.loads((c / "audit.json").read_text()) | {"passed": False})
        ),
        lambda c: (c / "notes.txt").write_text("left behind"),
    ],
)
def test_a_candidate_changed_after_its_audit_is_not_published(tmp_path, spoil):
    candidate = candidate_of(tmp_path)
    spoil(candidate)
    with pytest.raises(ReleaseError, match="not the one that passed its audit"):
        publish(
            candidate,
            tmp_path / "out",
            Approval("Privacy officer", date.today(), digest_of(candidate)[:CODE_LENGTH]),
            replace=False,
        )
    assert not (tmp_path / "out").exists()


def test_an_approval_that_tells_more_is_found(tmp_path):
    agency = write_agency(tmp_path, small_calls())
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    path = tmp_path / "out/approval.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"note": "three calls in May"}))
    assert main(["audit", str(tmp_path / "out"), "--quiet"]) == 8


def test_a_correction_needs_a_reason(tmp_path):
    path = write_agency(
        tmp_path, small_calls(), {'version = "2024.1"': 'version = "2024.1"\nkind = "correction"'}
    )
    with pytest.raises(SchemaError, match="a correction needs a 'reason'"):
        read_inputs(path)


@pytest.mark.parametrize("city", ["example_city", "toronto", "seattle"])
def test_tables_point_to_code_lists(city, request):
    """Each column of codes of each table, and the parent of each code, by a foreign key."""
    _built, out = request.getfixturevalue(city)
    resources = {
        r["name"]: r
        for r in json.loads((out / "datapackage.json").read_text())["resources"]
        if "schema" in r
    }
    dimensions = {
        r["codelist"]["dimension"]: name for name, r in resources.items() if "codelist" in r
    }
    pointed = 0
    for name, resource in resources.items():
        keys = {
            key["fields"][0]: key["reference"] for key in resource["schema"].get("foreignKeys", [])
        }
        if "codelist" in resource:
            assert keys == {"parent": {"fields": ["code"]}}
            continue
        if resource["table"]["kind"] != "reference":
            assert list(keys) == list(resource["table"]["dimensions"]), name
        assert keys == {
            column: {"resource": dimensions[column], "fields": ["code"]} for column in keys
        }, name
        pointed += len(keys)
    assert pointed > 5
    if city == "example_city":
        assert [key["fields"] for key in resources["service-hours"]["schema"]["foreignKeys"]] == [
            ["area"]
        ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("tables/calls.csv", "all,crisis,", "all,flood,"),
        ("codelists/call_type.csv", ",all,type", ",none,type"),
    ],
)
def test_a_code_that_is_in_no_list_is_found_by_frictionless(tmp_path, path, old, new):
    out = tmp_path / "out"
    build(read_inputs(write_agency(tmp_path, small_calls())), out, tmp_path / "private")
    assert frictionless.validate(str(out / "datapackage.json")).valid
    text = (out / path).read_text()
    assert old in text
    (out / path).write_text(text.replace(old, new, 1))
    errors = frictionless.validate(str(out / "datapackage.json")).flatten(["type"])
    assert ["foreign-key"] in errors
