"""`python -m tests.guards [NAME ...]`: take each guard out of a copy of the checkout, and see that
its test fails. Without names, all (an hour or so).

`--quick` leaves out the run with the guard in place, which `make test` makes anyhow; `--table`
writes the table of docs/security.md from `guards.toml`; `--list` tells the names.
"""

from __future__ import annotations

import sys

from tests.guards import attempt, guards
from tests.guards.table import write

if __name__ == "__main__":
    asked = sys.argv[1:]
    if asked == ["--table"]:
        write()
    elif asked == ["--list"]:
        print("\n".join(f"{guard.name}: {guard.test}" for guard in guards()))
    else:
        quick = "--quick" in asked
        asked = [name for name in asked if name != "--quick"]
        known = {guard.name: guard for guard in guards()}
        if unknown := [name for name in asked if name not in known]:
            sys.exit(
                f"no such guard: {', '.join(unknown)}; 'python -m tests.guards --list' tells the"
                " names"
            )
        unseen = 0
        for name in asked or known:
            outcome = attempt(known[name], intact=not quick)
            unseen += outcome.seen is False
            told = {True: "fails without it", False: "NOT SEEN", None: "not tried"}[outcome.seen]
            print(f"{name:32} {told:16} {outcome.why}", flush=True)
        sys.exit(bool(unseen))
