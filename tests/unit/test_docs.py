"""What the README says can be typed is typed, and what it names exists."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in README.splitlines() if line.startswith("    python -m anonymize ")]


def test_there_are_commands():
    assert len(COMMANDS) == 7


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_readme_run(command, example_exports, tmp_path):
    words = [sys.executable if w == "python" else w for w in shlex.split(command)]
    if "--out" in words:
        words[words.index("--out") + 1] = str(tmp_path / "release")
    if words[3] in ("check", "plan", "build"):
        words += ["--private", str(tmp_path / "private")]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\(((?:docs|examples)/[^)]+)\)", README):
        assert (ROOT / path).exists(), path
    assert "docs/pictures/coverage.png" in README


@pytest.mark.parametrize("command", ["check", "plan", "build", "publish", "audit", "demo"])
def test_each_command_explains_itself(command):
    result = subprocess.run([sys.executable, "-m", "anonymize", command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert "example:" in result.stdout
    assert "exit codes:" in result.stdout


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
