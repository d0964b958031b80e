"""The command `co-response`: both sides behind one name, help, completion, colours for a person and
plain lines for a file."""

import io
import os
import subprocess
import sys

import pytest

from anonymize.cli import EXIT_CODES
from anonymize.command_name import command_name
from anonymize.progress import Progress
from co_response import __version__
from co_response.cli import main
from tests.conftest import ROOT


def command(*words, **variables):
    return subprocess.run(
        [sys.executable, "-m", "co_response", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )


def test_it_lists_every_command_and_exit_code():
    shown = command("--help").stdout
    for name in (
        "init",
        "check",
        "plan",
        "build",
        "refresh",
        "publish",
        "audit",
        "demo",
        "export",
        "serve",
    ):
        assert f"\n  {name} " in shown, name
    for code, meaning in EXIT_CODES.items():
        assert f"{code:>3}  {meaning}" in shown


def test_without_words_it_shows_its_help():
    assert "Commands:" in command().stdout + command().stderr


def test_its_version():
    assert command("--version").stdout == f"co-response {__version__}\n"


def test_an_unknown_command_or_option_is_told_with_its_cure():
    wrong = command("chek", "x.toml")
    assert wrong.returncode == 2
    assert "Did you mean 'check'" in wrong.stderr
    wrong = command("build", "x.toml", "--output", "y")
    assert wrong.returncode == 2
    assert "--out" in wrong.stderr


@pytest.mark.parametrize(
    ("typed", "offered"), [("pu", "publish"), ("ex", "export"), ("build --re", "--replace")]
)
def test_a_shell_completes_it(typed, offered):
    words = f"co-response {typed}"
    done = command(
        _CO_RESPONSE_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    assert done.stdout.split() == [offered]


def test_a_release_that_cannot_be_shown_is_refused_in_a_sentence(tmp_path, capsys):
    for words in (
        ["serve", "--release", str(tmp_path)],
        ["export", "--release", str(tmp_path), "--out", str(tmp_path / "site")],
    ):
        assert main(words) == 1
        shown = capsys.readouterr().err
        assert str(tmp_path) in shown
        assert "Traceback" not in shown


def test_messages_name_the_command_as_it_was_typed(monkeypatch):
    for started, name in (
        ("/usr/bin/co-response", "co-response"),
        ("/work/co_response/__main__.py", "co-response"),
        ("/work/anonymize/__main__.py", "python -m anonymize"),
        ("/usr/bin/pytest", "python -m anonymize"),
    ):
        monkeypatch.setattr(sys, "argv", [started])
        assert command_name() == name


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(stream):
    progress = Progress(stream=stream)
    with progress.step("Counting [all]"):
        progress.share(1000, 2000, "rows")
    progress.say("That is all")
    return stream.getvalue()


def test_progress_in_a_file_is_plain_lines():
    assert told(io.StringIO()).splitlines() == [
        "Counting [all] ...",
        "  done in 0.0 s",
        "That is all",
    ]


def test_progress_on_a_terminal_is_coloured(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = told(Terminal())
    assert "\x1b[" in shown
    assert "Counting [all] ..." in shown, "a name is not markup"
    assert "1,000 of 2,000" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[36m" not in told(Terminal())


def test_progress_is_silent_when_asked():
    stream = Terminal()
    progress = Progress(quiet=True, stream=stream)
    with progress.step("x"):
        progress.share(1, 2, "rows")
    progress.say("y")
    assert stream.getvalue() == ""
