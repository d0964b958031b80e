"""Further attempts to get past `publish`, most by someone who holds the key of the private folder
and seals what they planted; and runs side by side."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import date

import pytest

from anonymize.audit import audit_release
from anonymize.cli import main
from anonymize.errors import AnonymizeError, ReleaseError
from anonymize.release.publish import CODE_LENGTH, digest_of
from anonymize.release.seal import seal
from tests.agency import answer, build_short_of_memory, make, publish_command, write_agency
from tests.builds.test_publish import (  # noqa: F401
    CALLS,
    SECOND,
    build,
    built,
    candidate,
    files,
    go,
    second,
)
from tests.conftest import ROOT
from tests.helpers import rehash


def audited_anew(folder):
    """An audit that names the bytes as they are."""
    audit = json.loads((folder / "audit.json").read_text())
    digest = hashlib.sha256((folder / "datapackage.json").read_bytes()).hexdigest()
    (folder / "audit.json").write_text(
        json.dumps(audit | {"datapackage_sha256": digest}, indent=1) + "\n"
    )


def described(folder, change):
    package = json.loads((folder / "datapackage.json").read_text())
    change(package)
    (folder / "datapackage.json").write_text(
        json.dumps(package, indent=1, ensure_ascii=False) + "\n"
    )


def renamed(name):
    def fault(folder):
        def change(package):
            next(r for r in package["resources"] if r["path"] == "tables/calls.csv")["path"] = name

        described(folder, change)

    fault.__name__ = name.encode("unicode_escape").decode()
    return fault


def lookalike(folder):
    """A name that only looks like the file's: a full-width letter."""
    (folder / "tables/calls.csv").rename(folder / "tables/c\uff41lls.csv")
    renamed("tables/c\uff41lls.csv")(folder)


def turned_round(folder):
    """A name whose end is shown first."""
    (folder / "tables/calls.csv").rename(folder / "tables/\u202evsc.sllac")
    renamed("tables/\u202evsc.sllac")(folder)


def composed_otherwise(folder):
    """The file's accents composed, the list's decomposed: two names for some systems, one for
    others."""
    (folder / "tables/calls.csv").rename(folder / "tables/call\u00e9s.csv")
    renamed("tables/calle\u0301s.csv")(folder)


def listed_twice(folder):
    described(folder, lambda p: p["resources"].append(dict(p["resources"][-1], name="again")))


def no_number(folder):
    described(folder, lambda p: p["privacy"].update(threshold=float("nan")))


def nested(folder):
    text = (folder / "datapackage.json").read_text()
    (folder / "datapackage.json").write_text(
        text.replace("{", '{"x": ' + "[" * 100_000 + "]" * 100_000 + ",", 1)
    )


def forged_withheld(folder):
    """A withheld count told as a small one."""
    path = folder / "tables/calls.csv"
    text = path.read_text()
    assert ",,suppressed\n" in text
    path.write_text(text.replace(",,suppressed\n", ",3,published\n", 1))
    rehash(folder)


def another_title_of_a_column(folder):
    path = folder / "tables/calls.csv"
    head, rest = path.read_text().split("\n", 1)
    path.write_text(head.replace("status", "status ") + "\n" + rest)
    rehash(folder)


def a_row_of_words(folder):
    path = folder / "tables/calls.csv"
    path.write_text(path.read_text() + "# three calls in May\n")
    rehash(folder)


def a_file_within_a_file(folder):
    """A zip archive behind the last line of a table."""
    path = folder / "tables/calls.csv"
    path.write_bytes(path.read_bytes() + b"PK\x03\x04three calls in May")
    rehash(folder)


NAMES = [
    "tables/../tables/calls.csv",
    "./tables/calls.csv",
    "tables//calls.csv",
    "/etc/passwd",
    "tables/calls.csv/",
    "tables\\calls.csv",
    "Tables/calls.csv",
    "tables/calls.csv\x00",
    "../private/seal.key",
    "",
    "~/x",
    "file:///etc/passwd",
    "https://evil.example/x.csv",
]
FAULTS = [
    *map(renamed, NAMES),
    lookalike,
    turned_round,
    composed_otherwise,
    listed_twice,
    no_number,
    forged_withheld,
    another_title_of_a_column,
    a_row_of_words,
    a_file_within_a_file,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_with_the_key_names_and_the_attack_still_stand_in_between(candidate, fault):  # noqa: F811
    """Sealed anew, with an audit that names the planted bytes: what is left are plain names, and
    what the audit says of these bytes."""
    fault(candidate)
    audited_anew(candidate)
    with pytest.raises(AnonymizeError) as refused:
        seal(candidate, candidate.parent, date.today())
        go(candidate)
    assert not (candidate.parent.parent / "out").exists()
    assert "May" not in str(refused.value)


@pytest.mark.parametrize("fault", [nested, no_number], ids=lambda f: f.__name__)
def test_a_description_that_is_nested_or_holds_no_number(candidate, fault):  # noqa: F811
    fault(candidate)
    with pytest.raises(ReleaseError, match="build it again"):
        go(candidate)


def test_hard_links_are_taken_as_bytes(candidate):  # noqa: F811
    """A listed file that has a second name elsewhere: what goes out is a file of its own, and
    changes with the other name no more."""
    other = candidate.parent.parent / "other.csv"
    os.link(candidate / "tables/calls.csv", other)
    go(candidate)
    out = candidate.parent.parent / "out"
    assert {p.stat().st_nlink for p in out.rglob("*") if p.is_file()} == {1}
    other.write_text("changed")
    assert audit_release(out).passed


def test_folders_a_thousand_deep(candidate):  # noqa: F811
    """Deeper than Python's own stack."""
    here = os.open(candidate / "tables", os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", 0o700, dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        with pytest.raises(ReleaseError, match="build"):
            go(candidate)
        assert not (candidate.parent.parent / "out").exists()
    finally:
        subprocess.run(["rm", "-rf", str(candidate / "tables/d")], check=True)


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_stands_where_the_earlier_release_is_put_aside(second, kind):  # noqa: F811
    """Planted beside a public folder that others may write to: nothing is written through it or
    lost, and the message names it."""
    out, private = second.parent.parent / "out", second.parent
    aside, before = out.with_name(".out.before"), files(out)
    aside.symlink_to(private) if kind == "link" else aside.write_text("x")
    hidden = files(private)
    with pytest.raises(ReleaseError, match=r"\.out\.before"):
        go(second)
    assert files(out) == before
    assert files(private) == hidden
    aside.unlink()
    go(second)


def start(*command):
    return subprocess.Popen(
        [sys.executable, "-m", "anonymize", *command, "--quiet"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_publishes_at_once(second):  # noqa: F811
    """One puts the release in place, the other finds it there or says what it misses; the release
    is whole."""
    out = second.parent.parent / "out"
    both = [start(*publish_command(second, out)) for _ in range(2)]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert 0 in [process.returncode for process in both], told
    assert not any("Traceback" in words or "fault of the program" in words for words in told), told
    assert json.loads((out / "datapackage.json").read_text())["version"] == "2024.2"
    assert audit_release(out).passed
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".out")] == []


@pytest.mark.parametrize("same", [True, False], ids=["same data", "different data"])
def test_two_builds_at_once(tmp_path, same):
    """In one private folder: whichever ends last has its candidate there, whole, with its own
    report."""
    agencies = [
        write_agency(
            tmp_path / name, CALLS if same or name == "a" else CALLS.replace("2024-02", "2024-03")
        )
        for name in "ab"
    ]
    for agency in agencies:
        answer(agency)
    private, out = tmp_path / "private", tmp_path / "out"
    both = [
        start("build", str(agency), "--private", str(private), "--out", str(out))
        for agency in agencies
    ]
    told = [process.communicate(timeout=240)[1] for process in both]
    assert 0 in [process.returncode for process in both], told
    assert not any("Traceback" in words for words in told), told
    report = (private / "build_report.txt").read_text()
    code = digest_of(private / "candidate")[:CODE_LENGTH]
    assert code in report
    assert (
        main(
            [
                "publish",
                str(agencies[0]),
                "--out",
                str(out),
                "--private",
                str(private),
                "--role",
                "T",
                "--code",
                code,
                "--quiet",
            ]
        )
        == 0
    )
    assert audit_release(out).passed


@pytest.mark.parametrize("spoil", ["emptied", "swapped", "gone", "a folder"])
def test_a_spoiled_ledger_stops_the_next_build_in_a_sentence(tmp_path, capsys, spoil):
    agency, out, private = write_agency(tmp_path, CALLS), tmp_path / "out", tmp_path / "private"
    assert make(agency, out, private) == 0
    for path in list((private / "ledger").glob("*.parquet")):
        if spoil == "emptied":
            path.write_bytes(b"")
        elif spoil == "swapped":
            path.write_bytes(next((private / "ledger").glob("*.npz")).read_bytes())
        else:
            path.unlink()
            if spoil == "a folder":
                path.mkdir()
    before = files(out)
    write_agency(tmp_path, CALLS, SECOND)
    capsys.readouterr()
    assert make(agency, out, private) not in (0, 1)
    told = capsys.readouterr().err
    assert "2024.1" in told
    assert "Traceback" not in told
    assert files(out) == before


@pytest.mark.parametrize("room", [0, 5, 60], ids=lambda megabytes: f"{megabytes} MB")
def test_little_memory(tmp_path, room):
    """A limit on the process a little over what it holds once all is loaded: a sentence with its
    cure, nothing public, no record told."""
    agency, out, private = (
        write_agency(tmp_path, CALLS.replace("\n1,", "\nJANE,")),
        tmp_path / "out",
        tmp_path / "private",
    )
    answer(agency)
    done = build_short_of_memory(agency, out, private, room)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr
    assert "JANE" not in done.stderr
    assert not out.exists()


def test_builds_killed_at_any_moment(tmp_path):
    """Nine of them; the next is whole, and nothing is left behind."""
    agency, out, private = write_agency(tmp_path, CALLS), tmp_path / "out", tmp_path / "private"
    answer(agency)
    command = ["build", str(agency), "--private", str(private), "--out", str(out)]
    for n in range(9):
        process = start(*command)
        try:
            process.communicate(timeout=0.3 + 0.35 * n)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        assert not out.exists()
    assert main([*command, "--quiet"]) == 0
    assert [p.name for p in private.iterdir() if p.name.startswith(".")] == []
    go(private / "candidate")
    assert audit_release(out).passed
