"""The list of attacks is whole and true: each guard stands where it says, each test is there, and
the table of docs/security.md is current."""

import os

import pytest

from tests.conftest import ROOT
from tests.guards import Guard, Undo, _run, attacks, attempt, copy_of_the_checkout, guards, names_in
from tests.guards.table import current, table

LISTED = [guard for attack in attacks() for guard in attack.guards]
SAMPLE = ("words-for-faults-1", "random-bytes")
"""Some of the quickest; `make soak` takes out every one."""


def test_every_attack_is_listed_once():
    assert len(attacks()) == 69
    assert len({attack.name for attack in attacks()}) == 69
    assert len(guards()) > 90


@pytest.mark.parametrize("guard", LISTED, ids=lambda guard: guard.name)
def test_each_guard_stands_once_where_it_says_and_its_test_is_there(guard):
    assert names_in(guard.test), guard.test
    assert bool(guard.undo) != bool(guard.whole), "it is taken out, or it is said why not"
    for place in guard.undo:
        assert place.guarded != place.undone
        assert (ROOT / place.file).read_text(encoding="utf-8").count(place.guarded) == 1, place


def test_the_table_of_the_documentation_is_current():
    assert current() == table(), "write it again: python -m tests.guards --table"


@pytest.mark.skipif(os.environ.get("SOAK") == "1", reason="all of them are tried by tests/soak")
@pytest.mark.parametrize("name", SAMPLE)
def test_without_its_guard_a_test_fails(name):
    outcome = attempt(next(guard for guard in guards() if guard.name == name), intact=False)
    assert outcome.seen, outcome.why


@pytest.fixture(scope="module")
def copy():
    with copy_of_the_checkout() as root:
        yield root


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("assert True", "passed"),
        ("assert False", "failed"),
        ("pytest.skip('no nginx')", "skipped"),
        ("}", "pytest ended with 4"),
    ],
)
def test_how_a_run_ended_is_told_apart(copy, body, status):
    (copy / "test_planted.py").write_text(f"import pytest\n\n\ndef test_planted():\n    {body}\n")
    found, _why = _run(copy, "test_planted.py::test_planted")
    assert found == status


@pytest.mark.parametrize(
    ("undone", "why"),
    [
        ("    if  _is_disk(error):\n", "without its guard the test should fail: passed"),
        ("    if no_such_name(error):\n", "what is left does not run: NameError"),
    ],
    ids=["nothing taken out", "a program that does not run"],
)
def test_what_is_no_proof_is_said(undone, why):
    place = Undo("anonymize/machine_faults.py", "    if _is_disk(error):\n", undone)
    outcome = attempt(
        Guard(
            "planted",
            "",
            "tests/unit/test_messages.py::test_memory_and_disk_are_told_as_such",
            (place,),
        ),
        intact=False,
    )
    assert outcome.seen is False
    assert why in outcome.why


def test_a_guard_that_is_not_there_or_leaves_no_program_is_refused(tmp_path):
    (tmp_path / "x.py").write_text("a = 1\na = 1\n")
    with pytest.raises(ValueError, match="2 times"):
        Undo("x.py", "a = 1", "").apply(tmp_path)
    (tmp_path / "x.py").write_text("if a:\n    b()\n")
    with pytest.raises(SyntaxError):
        Undo("x.py", "    b()\n", "").apply(tmp_path)
