"""The table of attacks in docs/security.md, written from `guards.toml`."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.guards import Attack, Guard, attacks

DOCUMENT = ROOT / "docs/security.md"
BEGIN, END = "<!-- attacks: python -m tests.guards --table -->", "<!-- end of attacks -->"


def _test(guard: Guard) -> str:
    file, _, name = guard.test.partition("::")
    needs = f" (needs {', '.join(guard.needs)})" if guard.needs else ""
    return f"`{file.removeprefix('tests/')}: {name.partition('[')[0]}`{needs}"


def _row(attack: Attack) -> str:
    told = "; ".join(dict.fromkeys(guard.guard for guard in attack.guards))
    tests = ", ".join(dict.fromkeys(map(_test, attack.guards)))
    return f"| {attack.attack} | {told} | {tests} |"


def table() -> str:
    return "\n".join(["| attack | guard | test |", "|---|---|---|", *map(_row, attacks())])


def current() -> str:
    """What stands between the two marks now."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
