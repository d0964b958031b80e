"""`python -m tests.load.cold ROUNDS LABEL=PYTHON:CHECKOUT ...`: how long an app takes from the
start of its process to the first 200 of /health and to the first whole page, and the processor
seconds that it had spent by then, which other work on the machine changes least. Turn by turn,
medians.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.load.visitors import connect, open_page
from tests.serving import serve_command

MOST = 300


def start(python: str, checkout: Path, **environment: str) -> tuple[float, float, float, float]:
    """Seconds until /health, until a page, and the processor seconds of the process at both."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = serve_command(port, python=[python])
    settings = (
        os.environ
        | {"RELEASE_DIR": str(checkout / "data_public"), "PYTHONMALLOC": "malloc"}
        | environment
    )
    begun = time.monotonic()
    process = subprocess.Popen(
        command, cwd=checkout, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.monotonic() - begun < MOST:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/health", timeout=60)
                break
            time.sleep(0.05)
        health, spent = time.monotonic() - begun, _cpu(process.pid)
        asyncio.run(_page(address))
        return health, time.monotonic() - begun, spent, _cpu(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


async def _page(address: str) -> None:
    async with connect(address) as opened:
        await open_page(opened, "at_a_glance")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(rounds: int, apps: dict[str, tuple[str, Path]]) -> None:
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for _ in range(rounds):
        for ahead in ("", "1"):
            for label, (python, checkout) in apps.items():
                found.setdefault((label, ahead), []).append(
                    start(python, checkout, **({"WRITE_AHEAD": ahead} if ahead else {}))
                )
    print(
        "| app | pages written ahead | /health, s | first page, s | CPU s at /health | CPU s at "
        "the page |\n|---|---|---|---|---|---|"
    )
    for (label, ahead), rows in found.items():
        medians = " | ".join(
            f"{statistics.median(column):.1f}" for column in zip(*rows, strict=True)
        )
        print(f"| {label} | {'yes' if ahead else 'no'} | {medians} |")
    print(f"medians of {rounds}; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    named = dict(argument.split("=", 1) for argument in sys.argv[2:])
    main(
        int(sys.argv[1]),
        {
            label: (value.partition(":")[0], Path(value.partition(":")[2]))
            for label, value in named.items()
        },
    )
