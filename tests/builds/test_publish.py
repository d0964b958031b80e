"""`publish` takes what the audit saw and nothing else, and completes what was stopped. Each test
plants one fault in a built candidate."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from anonymize import pipeline
from anonymize.audit import audit_release
from anonymize.cli import main
from anonymize.errors import ReleaseError, SchemaError
from anonymize.pipeline import publish, read_inputs
from anonymize.release.publish import CODE_LENGTH, Approval, digest_of
from anonymize.release.seal import seal, seal_path
from tests.agency import answer, make, publish_command, write_agency
from tests.conftest import ROOT
from tests.helpers import rehash

CALLS = "id,at,type\n" + "".join(
    f"{i},2024-0{1 + i % 6}-05 10:00,{'Check' if i % 20 == 0 else 'Crisis'}\n" for i in range(120)
)
SECOND = {'version = "2024.1"': 'version = "2024.2"'}


def files(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def build(agency):
    answer(agency)
    pipeline.build(read_inputs(agency), agency.parent / "out", agency.parent / "private")
    return agency.parent / "private/candidate"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two folders, built once: a first candidate; and one that follows a release which is live."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    build(write_agency(one, CALLS))
    go(build(write_agency(two, CALLS)))
    build(write_agency(two, CALLS, SECOND))
    return one, two


@pytest.fixture
def candidate(built, tmp_path):
    shutil.copytree(built[0], tmp_path, dirs_exist_ok=True)
    return tmp_path / "private/candidate"


@pytest.fixture
def second(built, tmp_path):
    """A candidate that keeps an earlier release, which is live."""
    shutil.copytree(built[1], tmp_path, dirs_exist_ok=True)
    return tmp_path / "private/candidate"


def go(candidate, out=None, day=None, code=None, now=None, replace=False):
    publish(
        candidate,
        out or candidate.parent.parent / "out",
        Approval(
            "Privacy officer", day or date.today(), code or digest_of(candidate)[:CODE_LENGTH]
        ),
        replace=replace,
        now=now,
    )


def link_to_ledger(candidate):
    (candidate / "tables/link").symlink_to("../../ledger")


def link_to_file(candidate):
    (candidate / "tables/more.csv").symlink_to(
        next((candidate.parent / "ledger").glob("*.parquet"))
    )


def listed_file_as_link(candidate):
    kept = candidate.parent / "calls.csv"
    (candidate / "tables/calls.csv").rename(kept)
    (candidate / "tables/calls.csv").symlink_to(kept)


def pipe(candidate):
    os.mkfifo(candidate / "tables/pipe")


def door(candidate):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(candidate / "s"))


def empty_folder(candidate):
    (candidate / "history").mkdir(mode=0o700)


def hidden_file(candidate):
    (candidate / ".notes").write_text("three calls in May")


def early_approval(candidate):
    (candidate / "approval.json").write_text("{}")


def mode_of_file(candidate):
    (candidate / "audit.json").chmod(0o666)


def mode_of_folder(candidate):
    (candidate / "tables").chmod(0o777)


def setuid(candidate):
    (candidate / "audit.json").chmod(0o4600)


def note_in_the_audit(candidate):
    told = json.loads((candidate / "audit.json").read_text())
    (candidate / "audit.json").write_text(json.dumps(told | {"note": "three calls in May"}))


FAULTS = [
    link_to_ledger,
    link_to_file,
    listed_file_as_link,
    pipe,
    door,
    empty_folder,
    hidden_file,
    early_approval,
    mode_of_file,
    mode_of_folder,
    setuid,
    note_in_the_audit,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_what_no_audit_saw_stays_in(candidate, fault):
    fault(candidate)
    with pytest.raises(ReleaseError, match=r"build (it|the candidate) again"):
        go(candidate)
    assert not (candidate.parent.parent / "out").exists()
    assert candidate.exists()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_nor_does_a_seal_made_anew_let_it_out(candidate, fault):
    """Someone with the key of the private folder seals what they planted; modes are set by the
    seal, so these are no fault then."""
    fault(candidate)
    if fault in (mode_of_file, mode_of_folder, setuid):
        seal(candidate, candidate.parent, date.today())
        go(candidate)
        assert all(
            p.stat().st_mode & 0o7777 == (0o755 if p.is_dir() else 0o644)
            for p in (candidate.parent.parent / "out").rglob("*")
        )
        return
    with pytest.raises(ReleaseError, match=r"build (it|the candidate) again|remove the link"):
        seal(candidate, candidate.parent, date.today())
        go(candidate)
    assert not (candidate.parent.parent / "out").exists()


def stray_in_history(candidate):
    (candidate / "history/old").mkdir(mode=0o700)
    (candidate / "history/old/stray.csv").write_text("a\n")


def stray_in_earlier(candidate):
    (candidate / "history/2024.1/stray.csv").write_text("a\n")


def changed_earlier(candidate):
    path = candidate / "history/2024.1/tables/calls.csv"
    path.write_text(path.read_text().replace("published", "suppressed", 1))


def rehashed_earlier(candidate):
    changed_earlier(candidate)
    rehash(candidate / "history/2024.1")


def earlier_history(candidate):
    shutil.copytree(candidate / "history/2024.1", candidate / "history/2024.1/history/2023.1")


def linked_earlier(candidate):
    (candidate / "history/2024.1/tables/link").symlink_to("../../../../ledger")


def earlier_gone(candidate):
    shutil.rmtree(candidate / "history/2024.1")


@pytest.mark.parametrize(
    "fault",
    [
        stray_in_history,
        stray_in_earlier,
        changed_earlier,
        rehashed_earlier,
        earlier_history,
        linked_earlier,
        earlier_gone,
    ],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("resealed", [False, True], ids=["", "resealed"])
def test_history_is_checked_as_strictly(second, fault, resealed):
    out = second.parent.parent / "out"
    before = files(out)
    fault(second)
    with pytest.raises(ReleaseError, match=r"build (it|the candidate) again|remove the link"):
        if resealed:
            seal(second, second.parent, date.today())
        go(second)
    assert files(out) == before


def forge(candidate):
    """A count more by seven, and hashes and audit made to fit."""
    path = candidate / "tables/calls.csv"
    lines = path.read_text().splitlines()
    total = next(n for n, line in enumerate(lines) if line.startswith("all,all,"))
    cells = lines[total].split(",")
    lines[total] = ",".join([*cells[:2], str(int(cells[2]) + 7), cells[3]])
    path.write_text("\n".join(lines) + "\n")
    rehash(candidate)
    audit = json.loads((candidate / "audit.json").read_text())
    digest = hashlib.sha256((candidate / "datapackage.json").read_bytes()).hexdigest()
    (candidate / "audit.json").write_text(
        json.dumps(audit | {"datapackage_sha256": digest}, indent=1) + "\n"
    )


def test_a_forged_count_is_refused_for_want_of_a_seal(candidate):
    forge(candidate)
    with pytest.raises(ReleaseError, match="no build with this private folder has made it"):
        go(candidate)


def test_a_forged_count_with_a_seal_is_refused_by_the_attack(candidate):
    forge(candidate)
    seal(candidate, candidate.parent, date.today())
    with pytest.raises(ReleaseError, match="not what the attack says"):
        go(candidate)
    assert not (candidate.parent.parent / "out").exists()


def test_a_seal_of_another_private_folder_is_refused(tmp_path, candidate):
    other = build(write_agency(tmp_path / "other", CALLS))
    shutil.copytree(other.parent / "ledger", candidate.parent / "ledger", dirs_exist_ok=True)
    with pytest.raises(ReleaseError, match="was not made with the key of this private folder"):
        go(candidate)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"signature": 1}', "[" * 100_000, "\udcff"], ids=range(6)
)
def test_a_spoiled_seal_is_refused_in_a_sentence(candidate, text):
    package = json.loads((candidate / "datapackage.json").read_text())
    seal_path(candidate.parent, package["version"], digest_of(candidate)).write_text(
        text, errors="surrogateescape"
    )
    with pytest.raises(ReleaseError, match=r"seal .*build (it|the candidate) again"):
        go(candidate)


@pytest.mark.parametrize("key", [b"", b"short", None], ids=["empty", "short", "gone"])
def test_a_spoiled_key_is_refused_in_a_sentence(candidate, key):
    path = candidate.parent / "seal.key"
    path.unlink() if key is None else path.write_bytes(key)
    with pytest.raises(ReleaseError, match="build the candidate again"):
        go(candidate)


def test_approval_dates_are_days_between_build_and_today(candidate):
    today = date.today()
    for day in (date(1900, 1, 1), today - timedelta(1), today + timedelta(1), date(2099, 1, 1)):
        with pytest.raises(
            ReleaseError,
            match=f"give a day from {today}, when the candidate was built, to today, {today}",
        ):
            go(candidate, day=day)
    with pytest.raises(ReleaseError, match="give a day from"):  # a clock set back
        go(candidate, now=today - timedelta(3))
    go(candidate, day=today + timedelta(2), now=today + timedelta(3))


def test_a_date_that_is_none_is_told_with_its_form(tmp_path, capsys):
    agency = write_agency(tmp_path, CALLS)
    with pytest.raises(SystemExit):
        main(
            ["publish", str(agency), "--out", "x", "--role", "T", "--code", "x", "--date", "3 July"]
        )
    assert "'3 July' is no date; write it as YYYY-MM-DD" in capsys.readouterr().err


def test_a_link_as_out_is_followed_and_stays(tmp_path):
    served, link = tmp_path / "srv/release-a", tmp_path / "out"
    served.parent.mkdir()
    link.symlink_to(served)
    agency = write_agency(tmp_path, CALLS)
    assert make(agency, link, tmp_path / "private") == 0
    assert link.is_symlink()
    assert json.loads((served / "datapackage.json").read_text())["version"] == "2024.1"
    write_agency(tmp_path, CALLS, SECOND)
    assert make(agency, link, tmp_path / "private") == 0
    assert link.is_symlink()
    assert json.loads((served / "datapackage.json").read_text())["version"] == "2024.2"
    assert sorted(p.name for p in served.parent.iterdir()) == ["release-a"]


def test_links_in_a_circle_are_refused(tmp_path, capsys):
    (tmp_path / "out").symlink_to(tmp_path / "out2")
    (tmp_path / "out2").symlink_to(tmp_path / "out")
    agency = write_agency(tmp_path, CALLS)
    assert make(agency, tmp_path / "out", tmp_path / "private") == 9
    assert "its links lead in a circle" in capsys.readouterr().err


def test_release_and_private_folder_never_lie_inside_each_other(tmp_path, capsys):
    agency, private = write_agency(tmp_path, CALLS), tmp_path / "private"
    for out in (private / "out", private, private / "ledger"):
        assert make(agency, out, private) == 9
        assert "lies in the private folder" in capsys.readouterr().err
    link = tmp_path / "link"
    link.symlink_to(private)
    assert make(agency, link / "out", private) == 9
    assert make(agency, tmp_path / "out", tmp_path / "out/private") == 9
    assert "lies in the folder of the release" in capsys.readouterr().err
    build(agency)
    with pytest.raises(ReleaseError, match="lies in the private folder"):
        go(private / "candidate", out=private / "out")


def test_a_candidate_that_is_a_link_is_refused(candidate):
    elsewhere = candidate.parent.parent / "elsewhere"
    candidate.rename(elsewhere)
    candidate.symlink_to(elsewhere)
    with pytest.raises(ReleaseError, match="is a link"):
        publish(
            candidate,
            candidate.parent.parent / "out",
            Approval("T", date.today(), digest_of(elsewhere)[:CODE_LENGTH]),
            replace=False,
        )
    assert elsewhere.exists()


def test_folders_above_a_new_release_are_public_too(tmp_path, monkeypatch):
    agency = write_agency(tmp_path, CALLS)
    assert make(agency, tmp_path / "srv/city/out", tmp_path / "private") == 0
    assert (tmp_path / "srv").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "srv/city").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "step", ["after the release went in place", "before the release before it was removed"]
)
def test_publishing_again_after_a_kill_completes(second, step):
    out = second.parent.parent / "out"
    script = (
        "import os, sys, shutil\nfrom pathlib import Path\nfrom anonymize.cli import main\n"
        "import anonymize.cli, importlib; p = "
        "importlib.import_module('anonymize.release.publish')\nswap = p._swap\n"
        + (
            "def killed(c, t):\n    swap(c, t)\n    os._exit(9)\np._swap = killed\n"
            if step.startswith("after")
            else (
                "remove = shutil.rmtree\ndef killed(path, *a, **k):\n"
                "    if str(path).endswith('.before') and Path(path).exists(): os._exit(9)\n"
                "    remove(path, *a, **k)\np.shutil.rmtree = killed\n"
            )
        )
        + "sys.exit(main(sys.argv[1:]))"
    )
    command = [*publish_command(second, out), "--quiet"]
    assert (
        subprocess.run(
            [sys.executable, "-c", script, *command], cwd=ROOT, capture_output=True
        ).returncode
        == 9
    )
    assert json.loads((out / "datapackage.json").read_text())["version"] == "2024.2"
    live = files(out)
    assert main(command) == 0
    assert files(out) == live
    assert not second.exists()
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".out")] == []


def test_publish_killed_at_any_moment_leaves_a_whole_release(second):
    """Killed where it stands, some twenty times; then published to the end."""
    out = second.parent.parent / "out"
    command = [*publish_command(second, out), "--quiet"]
    for n in range(8):
        process = subprocess.Popen(
            [sys.executable, "-m", "anonymize", *command],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(0.4 + 0.15 * n)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if not second.exists():
            break
        assert (
            main(["audit", str(out if out.exists() else out.with_name(".out.before")), "--quiet"])
            == 0
        )
    assert not second.exists() or main(command) == 0
    assert json.loads((out / "datapackage.json").read_text())["version"] == "2024.2"
    assert audit_release(out).passed
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".out")] == []
    assert [p.name for p in second.parent.iterdir() if p.name.startswith(".")] == []


STEPS = {
    "a file is written": ("write_bytes", 5),
    "the release before is put aside": ("rename", 1),
    "the new one comes in": ("rename", 2),
}


@pytest.mark.parametrize("step", STEPS)
def test_publish_killed_at_each_step_leaves_a_whole_release(second, step):
    """Killed just before a change of the public folder or of what lies beside it; then published to
    the end."""
    out, (method, times) = second.parent.parent / "out", STEPS[step]
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom anonymize.cli import main\n"
        f"inner, private, left = Path.{method}, Path(sys.argv.pop(1)), [{times}]\n"
        "def killed(self, *a, **k):\n    left[0] -= not self.is_relative_to(private)\n"
        "    if left[0] == 0: os._exit(9)\n    return inner(self, *a, **k)\n"
        f"Path.{method} = killed\nsys.exit(main(sys.argv[1:]))"
    )
    command = [*publish_command(second, out), "--quiet"]
    assert (
        subprocess.run(
            [sys.executable, "-c", script, str(second.parent), *command],
            cwd=ROOT,
            capture_output=True,
        ).returncode
        == 9
    )
    whole = out if out.exists() else out.with_name(".out.before")
    assert main(["audit", str(whole), "--quiet"]) == 0
    assert json.loads((whole / "datapackage.json").read_text())["version"] == "2024.1"
    assert main(command) == 0
    assert json.loads((out / "datapackage.json").read_text())["version"] == "2024.2"
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".out")] == []


def test_modes_of_private_files_are_set_whatever_they_were(tmp_path):
    agency, private = write_agency(tmp_path, CALLS), tmp_path / "private"
    (private / "ledger").mkdir(parents=True)
    private.chmod(0o755)
    (private / "ledger").chmod(0o777)
    for name in (
        "rejects.csv",
        "plan.txt",
        "build_report.txt",
        "certificates.npz",
        "ledger/old.parquet",
    ):
        (private / name).write_text("")
        (private / name).chmod(0o666)
    (private / "mine.txt").write_text("not ours")
    (private / "mine.txt").chmod(0o644)
    common = [str(agency), "--private", str(private), "--quiet"]
    assert main(["check", *common]) == 0
    answer(agency)
    assert main(["plan", *common]) == 0
    assert main(["build", *common, "--out", str(tmp_path / "out")]) == 0
    modes = {str(p.relative_to(private)): p.stat().st_mode & 0o777 for p in private.rglob("*")}
    assert private.stat().st_mode & 0o777 == 0o700
    assert modes.pop("mine.txt") == 0o644
    assert {m for name, m in modes.items() if (private / name).is_dir()} == {0o700}
    assert {m for name, m in modes.items() if (private / name).is_file()} == {0o600}


@pytest.mark.parametrize(
    "name",
    ["rejects.csv", "build_report.txt", "certificates.npz", "ledger", "candidate", "seal.key"],
)
def test_private_files_are_not_written_through_a_link(tmp_path, name, capsys):
    agency, private, public = (
        write_agency(tmp_path, CALLS),
        tmp_path / "private",
        tmp_path / "public",
    )
    private.mkdir()
    public.mkdir()
    (private / name).symlink_to(public / "x")
    assert (
        main(
            [
                "build",
                str(agency),
                "--private",
                str(private),
                "--out",
                str(tmp_path / "out"),
                "--quiet",
            ]
        )
        == 9
    )
    assert "remove the link" in capsys.readouterr().err
    assert list(public.iterdir()) == []


def test_what_a_killed_build_left_goes_with_the_next(tmp_path):
    agency, private = write_agency(tmp_path, CALLS), tmp_path / "private"
    script = (
        "import os, sys\nimport anonymize.pipeline as p\nfrom anonymize.cli import main\n"
        "p.audit_release = lambda *a: os._exit(9)\nsys.exit(main(sys.argv[1:]))"
    )
    command = [
        "build",
        str(agency),
        "--private",
        str(private),
        "--out",
        str(tmp_path / "out"),
        "--quiet",
    ]
    assert (
        subprocess.run(
            [sys.executable, "-c", script, *command], cwd=ROOT, capture_output=True
        ).returncode
        == 9
    )
    left = [p.name for p in private.iterdir() if p.name.startswith(".")]
    assert sorted(name.split(".tmp-")[0] for name in left) == [".candidate", ".spill"]
    assert main(command) == 0
    assert [p.name for p in private.iterdir() if p.name.startswith(".")] == []


def test_the_audit_names_a_linked_folder(tmp_path):
    agency = write_agency(tmp_path, CALLS)
    assert make(agency, tmp_path / "out", tmp_path / "private") == 0
    assert main(["audit", str(tmp_path / "out"), "--quiet"]) == 0
    (tmp_path / "out/tables/link").symlink_to(Path("../../private/ledger"))
    assert main(["audit", str(tmp_path / "out"), "--quiet"]) == 8


@pytest.mark.parametrize(
    "name", ["with spaces", "città", "quo'te\"s", "new\nline", "-rf", "[a]*?", "n" * 200]
)
def test_odd_names_of_folders(tmp_path, name):
    """Each holds its release, and what a killed run left beside it goes; what only looks like it to
    a pattern stays."""
    agency = write_agency(tmp_path, CALLS)
    left, other = tmp_path / f".{name}.tmp-dead", tmp_path / ".abc.tmp-dead"
    left.mkdir()
    other.mkdir()
    assert make(agency, tmp_path / name, tmp_path / "private") == 0
    assert main(["audit", str(tmp_path / name), "--quiet"]) == 0
    assert not left.exists()
    assert other.exists()


def test_a_wrong_code_or_role_is_refused(candidate):
    with pytest.raises(ReleaseError, match="not the code"):
        go(candidate, code="0" * 12)
    for role in (
        "",
        " ",
        "x" * 81,
        "two\nlines",
        "<script>alert(1)</script>",
        "=1+1",
        "@SUM(A1)",
        "-2",
        "![i](http://x/y)",
        " Officer",
        "`a`",
    ):
        with pytest.raises(ReleaseError, match="the role is published"):
            publish(
                candidate,
                candidate.parent.parent / "out",
                Approval(role, date.today(), digest_of(candidate)[:CODE_LENGTH]),
                replace=False,
            )


@pytest.mark.parametrize(
    "role",
    [
        "Privacy officer",
        "Oficial de privacidad (interina)",
        "City manager's office, data team",
        "プライバシー担当",
        "X",
    ],
)
def test_roles_of_every_language(candidate, role):
    publish(
        candidate,
        candidate.parent.parent / "out",
        Approval(role, date.today(), digest_of(candidate)[:CODE_LENGTH]),
        replace=False,
    )
    assert json.loads((candidate.parent.parent / "out/approval.json").read_text())["role"] == role


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://x",
        "https://x y",
        "https://x/<script>",
        "//x",
    ],
)
def test_a_licence_lies_on_the_web(tmp_path, url):
    agency = write_agency(
        tmp_path, CALLS, {"https://creativecommons.org/publicdomain/zero/1.0/": url}
    )
    with pytest.raises(SchemaError, match="licence"):
        read_inputs(agency)


@pytest.mark.parametrize(
    "origin",
    ["*", "'none'", "https://x/path", "https://x; script-src *", "news.example", "javascript:x"],
)
def test_embedders_are_origins(tmp_path, origin):
    agency = write_agency(
        tmp_path,
        CALLS,
        {'contact = "a@example.org"': f'contact = "a@example.org"\nembedders = ["{origin}"]'},
    )
    with pytest.raises(SchemaError, match="embedders"):
        read_inputs(agency)


def test_embedders_of_the_agency_file_are_in_the_release(tmp_path):
    agency = write_agency(
        tmp_path,
        CALLS,
        {
            'contact = "a@example.org"': (
                'contact = "a@example.org"\nembedders = ["https://news.example"]'
            )
        },
    )
    assert json.loads((build(agency) / "datapackage.json").read_text())["embedders"] == [
        "https://news.example"
    ]
