"""Each guard against an attack taken out in turn: its test holds with it and fails without it. An
hour or so; `make test` tries a few."""

from __future__ import annotations

import pytest

from tests.guards import Guard, attempt, guards
from tests.soak.test_hostile_inputs import SOAK


@pytest.mark.skipif(
    not SOAK,
    reason="an hour or so: make soak takes out every guard, tests/attack/test_guards.py a few",
)
@pytest.mark.parametrize("guard", guards(), ids=lambda guard: guard.name)
def test_without_its_guard_a_test_fails(guard: Guard) -> None:
    outcome = attempt(guard)
    if outcome.seen is None:
        pytest.skip(outcome.why)
    assert outcome.seen, outcome.why
