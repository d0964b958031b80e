"""`make load`: the pages' server time beside that of a bare Streamlit page with the same charts and
tables; then visitors, 200 on one process, and 400 on two behind nginx. Everything stays on the
loopback interface. Prints figures for BENCHMARKS.md.

    python -m tests.load [pages] [crowd] [replicas] [upheaval] [--visitors 200] [--minutes 3]
    [--think 30]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dashboard.figures.figure import Figure
from dashboard.figures.theme import palette
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from tests.conftest import ROOT
from tests.load.upheaval import upheaval
from tests.load.visitors import Samples, crowd, one_by_one
from tests.paper import Gathering, page_of
from tests.proxy import NGINX, nginx_before
from tests.serving import serve_command

ROUNDS = 7
AHEAD = {"WRITE_AHEAD": "1"}  # as in deploy/: nobody has been there before the crowd
FORGOTTEN = 190
"""Seconds after which Streamlit gives up the session of a visitor who has left (two minutes) and
the app gives memory back (one more), and a little."""


@contextlib.contextmanager
def serving(script: str, **more: str) -> Iterator[tuple[str, int]]:
    """A Streamlit process; gives its address and process number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*serve_command(port, script), "--server.headless", "true"]
    environment = (
        os.environ
        | {
            "RELEASE_DIR": str(ROOT / "data_public"),
            "PYTHONPATH": str(ROOT),
            "PYTHONMALLOC": "malloc",
        }
        | more
    )  # as in deploy/
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def megabytes(pid: int) -> float:
    """Memory that a process holds (resident set)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024


def charts(folder: Path) -> Path:
    """The charts, maps and tables of every page, drawn once."""
    release, colours = load_release(ROOT / "data_public"), palette(dark=False)
    found: dict[str, list[tuple[str, object, object, object]]] = {}

    @dataclass
    class Recorded(Gathering):
        """Every figure and table of a page, in order."""

        def figure(self, figure: Figure) -> None:
            chart = figure.draw(colours=colours) if figure.draw and not figure.map else None
            found[self.name].append(
                (figure.title, chart, figure.map.deck(colours, 640) if figure.map else None, None)
            )
            super().figure(figure)

        def table(self, rows: pd.DataFrame, alt: str) -> None:
            found[self.name].append((alt, None, None, rows))

    for name in PAGES:
        found[name] = []
        page_of(release, name, kind=Recorded)
    target = folder / "charts.pickle"
    target.write_bytes(pickle.dumps(found))
    return target


def pages() -> None:
    """Medians over some rounds, both apps at the same time, turn by turn."""
    mine, theirs = Samples(), Samples()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving("service.py") as (ours, _a),
        serving("tests/load/bare.py", CHARTS=str(charts(Path(folder)))) as (bare, _b),
    ):
        for _ in range(ROUNDS):
            for found, address in ((mine, ours), (theirs, bare)):
                for page, took in asyncio.run(one_by_one(address, 1)).seconds.items():
                    found.seconds.setdefault(page, []).extend(took)
    print("| page | ms | bare, ms | ratio |\n|---|---|---|---|")
    for page in PAGES:
        a, b = mine.median(page) * 1000, theirs.median(page) * 1000
        print(f"| {page} | {a:.0f} | {b:.0f} | {a / b:.2f} |")
    total = sum(mine.median(p) for p in PAGES) / sum(theirs.median(p) for p in PAGES)
    print(
        f"| all | {1000 * sum(mine.median(p) for p in PAGES):.0f} |"
        f" {1000 * sum(theirs.median(p) for p in PAGES):.0f} | {total:.2f} |"
    )


def report(
    what: str, visitors: int, found: Samples, before: float, during: float, after: float
) -> None:
    print(
        f"{what}: {visitors} visitors, {len(found.all())} page changes, median"
        f" {1000 * found.percentile(0.5):.0f} ms, 95th percentile"
        f" {1000 * found.percentile(0.95):.0f} ms, longest {1000 * max(found.all()):.0f} ms, failed"
        f" {len(found.failed)}; memory {before:.0f} MB before, {during:.0f} MB with them"
        f" ({(during - before) / visitors:.2f} MB each), {after:.0f} MB after they left"
    )
    for failure in sorted(set(found.failed))[:5]:
        print("  ", failure)


async def watched(
    addresses: list[str], pids: list[int], visitors: int, seconds: float, think: float
) -> tuple[Samples, float]:
    """A crowd, and the most memory that the servers held with it."""
    most = 0.0
    task = asyncio.create_task(crowd(addresses, visitors, seconds, think))
    while not task.done():
        await asyncio.sleep(2)
        most = max(most, sum(map(megabytes, pids)))
    return await task, most


def crowded(visitors: int, seconds: float, think: float) -> None:
    with serving("service.py", **AHEAD) as (address, pid):
        for turn in ("first", "second"):
            before = megabytes(pid)
            found, during = asyncio.run(watched([address], [pid], visitors, seconds, think))
            gc.collect()
            time.sleep(FORGOTTEN)
            report(f"one process, {turn} crowd", visitors, found, before, during, megabytes(pid))


def replicas(visitors: int, seconds: float, think: float) -> None:
    if NGINX is None:
        sys.exit("nginx is not here (apt-get install nginx-light)")
    with (
        serving("service.py", **AHEAD) as (a, pid_a),
        serving("service.py", **AHEAD) as (b, pid_b),
        tempfile.TemporaryDirectory() as folder,
    ):
        before = megabytes(pid_a) + megabytes(pid_b)
        with nginx_before([a, b], Path(folder)) as front:
            found, during = asyncio.run(watched([front], [pid_a, pid_b], visitors, seconds, think))
        time.sleep(FORGOTTEN)
        report(
            "two processes behind nginx",
            visitors,
            found,
            before,
            during,
            megabytes(pid_a) + megabytes(pid_b),
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", default=["pages", "crowd", "replicas", "upheaval"])
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--think", type=float, default=30)
    args = parser.parse_args()
    if "pages" in args.what:
        pages()
    if "crowd" in args.what:
        crowded(args.visitors, 60 * args.minutes, args.think)
    if "upheaval" in args.what:
        upheaval(args.visitors, 60 * args.minutes, args.think)
    if "replicas" in args.what:
        replicas(2 * args.visitors, 60 * args.minutes, args.think)


if __name__ == "__main__":
    main()
