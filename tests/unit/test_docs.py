"""What the README says can be typed is typed, and what it names exists."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.agency import answer, write_agency
from tests.conftest import ROOT
from tests.soak.test_hostile_inputs import SOAK

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"(?m)^    (co-response .*)$", README.split("\n## Commands\n")[1].split("\n## ")[0]
)
LONG = ("export",)
"""Run as a whole by tests/package in `make soak`, from an installed wheel."""
EXAMPLE = "examples/example_city/agency.toml"


def test_there_are_commands():
    assert len(COMMANDS) == 10


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_readme_run(command, example_exports, tmp_path):
    """With a small agency in place of the example city, whose release other tests build and whose
    plan takes minutes; as they are in `make soak`."""
    words = [sys.executable, "-m", "co_response", *shlex.split(command)[1:]]
    if "--out" in words:
        words[words.index("--out") + 1] = str(tmp_path / "release")
    if words[3] in ("check", "plan", "build"):
        words += ["--private", str(tmp_path / "private")]
    if EXAMPLE in words and not SOAK:
        assert (ROOT / EXAMPLE).exists()
        agency = write_agency(
            tmp_path / "agency",
            "id,at,type\n"
            + "".join(f"{i},2024-0{1 + i % 6}-0{1 + i % 9} 10:00,Crisis\n" for i in range(900)),
        )
        answer(agency)
        words[words.index(EXAMPLE)] = str(agency)
    if words[3] in LONG:
        words = [*words[:4], "--help"]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stderr


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\(((?:docs|examples)/[^)]+)\)", README):
        assert (ROOT / path).exists(), path
    assert "docs/pictures/coverage.png" in README


def helped(*words):
    return subprocess.run(
        [sys.executable, "-m", *words, "--help"], cwd=ROOT, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize(
    "command", ["init", "check", "plan", "build", "refresh", "publish", "audit", "demo"]
)
def test_each_command_explains_itself(command):
    text = helped("anonymize", command)
    assert "example:" in text
    assert "exit codes:" in text
    # The same options under both names.
    assert (
        text.replace("python -m anonymize", "co-response").split()
        == helped("co_response", command).split()
    )


def test_the_first_screen_of_the_readme():
    """What it is, for whom, one picture; then two commands; then the reader's own agency."""
    head, *parts = README.split("\n## ")
    assert head.count("![") == 1
    assert all(
        reader in head for reader in ("residents", "journalists", "council members", "analyst")
    )
    assert [part.split("\n")[0] for part in parts][:2] == ["Start", "Your own agency"]
    assert len(re.findall(r"(?m)^    make", parts[0])) == 2


def test_links_between_documents_lead_somewhere():
    documents = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "deploy/README.md",
        ROOT / "examples/README.md",
    ]
    for document in documents:
        for target in re.findall(
            r"\]\((?!https?:|mailto:|#)([^)#]+)", document.read_text(encoding="utf-8")
        ):
            assert (document.parent / target).exists(), (document.name, target)


@pytest.mark.parametrize(
    "document", ["docs/architecture.md", "docs/protection.md", "GLOSSARY.md", "CONTRIBUTING.md"]
)
def test_files_named_in_documents_exist(document):
    """By their path in the project, or in the folder of either side."""
    places = [
        ROOT,
        ROOT / "anonymize",
        ROOT / "dashboard",
        *(ROOT / "anonymize" / room for room in ("protect", "audit", "release")),
    ]
    named = re.findall(
        r"`([\w./-]+(?:\.py|\.toml|/))`", (ROOT / document).read_text(encoding="utf-8")
    )
    for path in named:
        assert any((place / path).exists() for place in places) or path in MADE_BY_A_RUN, path


MADE_BY_A_RUN = ("history/", "private/", "history/VERSION/")


def test_benchmarks_are_short():
    lines = (ROOT / "BENCHMARKS.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80


def test_every_key_of_the_agency_file_is_documented():
    from anonymize.agency import schema

    text = (ROOT / "docs/agency-file.md").read_text(encoding="utf-8")
    for model in (
        schema.Agency,
        schema.Release,
        schema.Privacy,
        schema.CallsSpec,
        schema.TimeSpec,
        schema.AreaSpec,
        schema.Boundaries,
        schema.TableSpec,
    ):
        for name in model.model_fields:
            assert name in text, f"{model.__name__}.{name}"
    for field in schema.PLAIN_FIELDS:
        assert f"`{field}`" in text, field


def test_the_shortest_agency_file_of_the_readme_can_be_checked(tmp_path):
    from anonymize.pipeline import check, read_inputs

    block = README[README.index("    [agency]") :]
    lines = block.splitlines()[
        : next(
            i for i, line in enumerate(block.splitlines()) if line and not line.startswith("    ")
        )
    ]
    (tmp_path / "agency.toml").write_text("\n".join(line[4:] for line in lines), encoding="utf-8")
    (tmp_path / "calls.csv").write_text(
        "Received\n" + "".join(f"2024-{1 + i % 12:02d}-05 10:00\n" for i in range(240))
    )
    seen = check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private")
    assert seen.tally.counted == 240
