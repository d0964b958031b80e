"""How the reader of a message types this program: an installed command, or a module of a
checkout."""

from __future__ import annotations

import sys
from pathlib import Path

INSTALLED = "co-response"
MODULE = "python -m anonymize"


def command_name() -> str:
    """`co-response` where the program was started by that name, else `python -m anonymize`."""
    started = Path(sys.argv[0] if sys.argv else "")
    names = {started.stem, started.parent.name}
    return INSTALLED if names & {INSTALLED, "co_response"} else MODULE
