"""Each guard against an attack, and the test that sees it: `guards.toml`. A test is only proof if
it fails once its guard is taken out.

`attempt` takes one guard out of a copy of the checkout and runs its test there, before and after.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from tests.conftest import ROOT

LISTED = Path(__file__).with_name("guards.toml")
COPIES = ROOT / "build/guards"
"""Not in /tmp: the app's own unit hides that, and with it a copy."""
SECONDS = 600
BROKEN = (
    "ImportError",
    "ModuleNotFoundError",
    "SyntaxError",
    "IndentationError",
    "NameError",
    "UnboundLocalError",
    "Connection refused",
)
"""How a program fails that does not run at all, which says nothing of a guard."""


@dataclass(frozen=True)
class Undo:
    """A place in the source: the text that is the guard, and what stands there without it."""

    file: str
    guarded: str
    undone: str

    def apply(self, root: Path) -> None:
        """Raises ValueError unless the guard stands in the file exactly once, and what is left is
        Python where it was."""
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if (count := text.count(self.guarded)) != 1:
            raise ValueError(
                f"{self.file}: holds the guard {count} times, not once: {self.guarded!r}"
            )
        changed = text.replace(self.guarded, self.undone)
        if path.suffix == ".py":
            ast.parse(changed, self.file)
        path.write_text(changed, encoding="utf-8")


@dataclass(frozen=True)
class Guard:
    """What stands against an attack, and the test (a pytest node) that sees it.

    `undo`: empty where there is no one place to take it out; `whole` then says why. `needs`: what
    the test needs beside Python.
    """

    name: str
    guard: str
    test: str
    undo: tuple[Undo, ...]
    needs: tuple[str, ...] = ()
    whole: str = ""


@dataclass(frozen=True)
class Attack:
    name: str
    attack: str
    guards: tuple[Guard, ...]


@cache
def attacks() -> tuple[Attack, ...]:
    listed = tomllib.loads(LISTED.read_text(encoding="utf-8"))["attacks"]
    return tuple(Attack(one["name"], one["attack"], tuple(_guards(one))) for one in listed)


def _guards(one: dict) -> Iterator[Guard]:
    for n, told in enumerate(one["guards"], start=1):
        name = one["name"] if len(one["guards"]) == 1 else f"{one['name']}-{n}"
        undo = tuple(Undo(**place) for place in told.get("undo", ()))
        yield Guard(
            name,
            told["guard"],
            told["test"],
            undo,
            tuple(told.get("needs", ())),
            told.get("whole", ""),
        )


def guards() -> list[Guard]:
    """All that can be taken out."""
    return [guard for attack in attacks() for guard in attack.guards if guard.undo]


@dataclass(frozen=True)
class Outcome:
    """`seen`: the test holds with the guard and fails without it. None where this machine cannot
    run the test."""

    guard: Guard
    seen: bool | None
    why: str


def attempt(guard: Guard, intact: bool = True) -> Outcome:
    """Run the guard's test in a copy of the checkout without it. `intact`: first with it, to know
    that it is the guard that makes the difference."""
    with copy_of_the_checkout() as root:
        if intact:
            status, told = _run(root, guard.test)
            if status == "skipped":
                return Outcome(guard, None, f"not tried here: {told}")
            if status != "passed":
                return Outcome(
                    guard, False, f"with its guard the test should hold: {status}: {told}"
                )
        for place in guard.undo:
            place.apply(root)
        status, told = _run(root, guard.test)
    if status == "skipped":
        return Outcome(guard, None, f"not tried here: {told}")
    if status == "failed" and any(word in told for word in BROKEN):
        return Outcome(guard, False, f"what is left does not run: {told}")
    return Outcome(
        guard,
        status == "failed",
        told if status == "failed" else f"without its guard the test should fail: {status}: {told}",
    )


@contextmanager
def copy_of_the_checkout() -> Iterator[Path]:
    """Each file that git knows or does not ignore, as it lies there now."""
    COPIES.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    root = Path(tempfile.mkdtemp(prefix="copy-", dir=COPIES))
    try:
        for name in filter(None, listed.decode().split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run(root: Path, test: str) -> tuple[str, str]:
    """(passed, failed, skipped or another end; the first line that tells why)"""
    report = root / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "-x",
        f"--junitxml={report}",
        test,
    ]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTEST_") and name != "SOAK"
    }
    report.unlink(missing_ok=True)
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "hung", f"no end after {SECONDS} seconds"
    if process.returncode not in (0, 1) or not report.exists():
        return f"pytest ended with {process.returncode}", said[-600:]
    cases = ElementTree.parse(report).getroot().iter("testcase")
    found = {
        kind: element
        for case in cases
        for element in case
        for kind in [element.tag]
        if kind in ("failure", "error", "skipped")
    }
    for kind, status in (("error", "an error around the test"), ("failure", "failed")):
        if kind in found:
            return status, _line(found[kind].get("message", ""))
    return (
        ("skipped", _line(found["skipped"].get("message", "")))
        if "skipped" in found
        else ("passed", "")
    )


def _line(message: str) -> str:
    return re.sub(r"\s+", " ", message)[:200]


def names_in(test: str) -> bool:
    """Does the file of a pytest node define its test? Only read, so that thousands need not be
    collected."""
    file, _, function = test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return function.partition("[")[0] in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
