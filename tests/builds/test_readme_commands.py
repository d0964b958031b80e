"""What the README says can be typed is typed, and each command explains itself."""

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
