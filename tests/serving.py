"""The command that serves the app, for tests and measures that start it as a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def serve_command(
    port: int | str, script: str = "service.py", python: Sequence[str] = (sys.executable,)
) -> list[str]:
    """Streamlit on this machine alone. `python`: how its interpreter is called."""
    where = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    return [*python, "-m", "streamlit", "run", script, *where]
