"""`python -m tests.load upheaval`: a crowd behind nginx while a new release comes and each replica is restarted in turn.

Visitors do as a browser does: when their connection is gone they come back, and the page they asked for counts from when they first asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import websockets

from dashboard.pages_list import PAGES
from tests.conftest import ROOT
from tests.load.visitors import Samples, connect, open_page
from tests.proxy import nginx_before

HANGS = 20
"""Seconds after which a page counts as hung."""
START = 300


class Replica:
    """One process of the app, as in deploy/."""

    def __init__(self, release: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.release = f"http://127.0.0.1:{self.port}", release
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "streamlit", "run", "service.py", "--server.port", str(self.port), "--server.address", "127.0.0.1"]
        environment = os.environ | {"RELEASE_DIR": str(self.release), "PYTHONMALLOC": "malloc", "WRITE_AHEAD": "1"}
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        self.stop()
        self.process = self._start()

    def release_up(self) -> str:
        """The release that it shows; empty while it starts."""
        with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(f"{self.address}/health", timeout=2) as answer:
            return str(json.loads(answer.read())["release"])
        return ""

    async def until(self, version: str) -> float:
        start = time.monotonic()
        while time.monotonic() - start < START:
            if await asyncio.to_thread(self.release_up) == version:
                break
            await asyncio.sleep(0.5)
        return time.monotonic() - start


async def stay(address: str, seed: int, until: asyncio.Event, think: float, samples: dict[str, Samples], phase: list[str]) -> None:
    chance = random.Random(seed)
    language = chance.choice(["en", "en", "es"])
    await asyncio.sleep(chance.random() * think)
    opened = None
    while not until.is_set():
        page, start, now = chance.choice(PAGES), time.monotonic(), phase[0]
        while True:
            try:
                if opened is None:
                    opened = await connect(address, seed)
                await asyncio.wait_for(open_page(opened, page, language), HANGS)
                samples.setdefault(now, Samples()).seconds.setdefault(page, []).append(time.monotonic() - start)
                break
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                opened = None
                if time.monotonic() - start > HANGS:
                    samples.setdefault(now, Samples()).failed.append(type(error).__name__)
                    break
                await asyncio.sleep(0.3)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), chance.expovariate(1 / think))
    if opened is not None:
        await opened.close()


async def _run(front: str, replicas: list[Replica], live: Path, visitors: int, seconds: float, think: float) -> dict[str, Samples]:
    samples: dict[str, Samples] = {}
    phase, over = ["before"], asyncio.Event()
    crowd = [asyncio.create_task(stay(front, n, over, think, samples, phase)) for n in range(visitors)]
    await asyncio.sleep(think + seconds)
    phase[0] = "a new release comes"
    shutil.copytree(ROOT / "data_public", live.with_name("new"))
    live.rename(live.with_name("old"))
    live.with_name("new").rename(live)
    took = await asyncio.gather(*(replica.until("2026.1") for replica in replicas))
    print(f"both replicas show the new release after {max(took):.0f} s", flush=True)
    for n, replica in enumerate(replicas, start=1):
        phase[0] = f"replica {n} restarts"
        await asyncio.to_thread(replica.restart)
        print(f"replica {n} is back after {await replica.until('2026.1'):.0f} s", flush=True)
    phase[0] = "after"
    await asyncio.sleep(seconds)
    over.set()
    await asyncio.gather(*crowd)
    return samples


def upheaval(visitors: int, seconds: float, think: float) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as at_the_end:
        live = Path(folder) / "data_public"
        shutil.copytree(ROOT / "data_public/history/2025.1", live)
        replicas = [Replica(live), Replica(live)]
        for replica in replicas:
            at_the_end.callback(replica.stop)
        asyncio.run(_both_up(replicas))
        with nginx_before([r.address for r in replicas], Path(folder)) as front:
            found = asyncio.run(_run(front, replicas, live, visitors, seconds, think))
    print(f"{visitors} visitors, {think:.0f} s between pages; load of the machine {os.getloadavg()[0]:.1f} at the end")
    print("| while | pages | median, s | 95th percentile, s | longest, s | hung |\n|---|---|---|---|---|---|")
    for name, s in found.items():
        if s.all():
            print(
                f"| {name} | {len(s.all())} | {s.percentile(0.5):.2f} | {s.percentile(0.95):.2f} | {max(s.all()):.2f} | {len(s.failed)} |"
            )


async def _both_up(replicas: list[Replica]) -> None:
    await asyncio.gather(*(replica.until("2025.1") for replica in replicas))
