"""`python -m tests.load upheaval`: a crowd behind nginx while a new release comes and each replica
is restarted in turn.

Visitors do as a browser does: when their connection is gone they come back, and the page they asked
for counts from when they first asked. They share the machine with the replicas, so each phase also
tells how busy it was: processor seconds a second of both replicas and of the visitors, and its
load, which counts whatever else runs there. What a swap or a restart costs is the ratio to the
phase before it, with the same visitors in the same run.
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
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import websockets

from dashboard.page.pages_list import PAGES
from tests.conftest import ROOT
from tests.load.visitors import Samples, connect, open_page
from tests.proxy import nginx_before
from tests.serving import serve_command

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
        command = serve_command(self.port)
        environment = os.environ | {
            "RELEASE_DIR": str(self.release),
            "PYTHONMALLOC": "malloc",
            "WRITE_AHEAD": "1",
        }
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

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

    def cpu(self) -> float:
        """Processor seconds of the process that runs now."""
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def release_up(self) -> str:
        """The release that it shows; empty while it starts."""
        with (
            contextlib.suppress(OSError, ValueError),
            urllib.request.urlopen(f"{self.address}/health", timeout=2) as answer,
        ):
            return str(json.loads(answer.read())["release"])
        return ""

    async def until(self, version: str) -> float:
        start = time.monotonic()
        while time.monotonic() - start < START:
            if await asyncio.to_thread(self.release_up) == version:
                break
            await asyncio.sleep(0.5)
        return time.monotonic() - start


@dataclass
class Phase:
    """What went on, how long pages took meanwhile, and how busy the machine was: processor seconds
    of replicas and visitors, seconds, loads."""

    name: str
    samples: Samples = field(default_factory=Samples)
    replicas: float = 0.0
    visitors: float = 0.0
    seconds: float = 0.0
    loads: list[float] = field(default_factory=list)


async def stay(
    address: str, seed: int, until: asyncio.Event, think: float, phases: list[Phase]
) -> None:
    """A visitor who opens page after page until the end; each counts for the phase in which it was
    asked for."""
    chance = random.Random(seed)
    language = chance.choice(["en", "en", "es"])
    await asyncio.sleep(chance.random() * think)
    opened = None
    while not until.is_set():
        page, start, samples = chance.choice(PAGES), time.monotonic(), phases[-1].samples
        while True:
            try:
                if opened is None:
                    opened = await connect(address, seed)
                await asyncio.wait_for(open_page(opened, page, language), HANGS)
                samples.seconds.setdefault(page, []).append(time.monotonic() - start)
                break
            except (OSError, TimeoutError, RuntimeError, websockets.WebSocketException) as error:
                if opened is not None:
                    opened.transport.abort()
                opened = None
                if time.monotonic() - start > HANGS:
                    samples.failed.append(f"{type(error).__name__}: {error}")
                    break
                await asyncio.sleep(0.3)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), chance.expovariate(1 / think))
    if opened is not None:
        await opened.close()


async def watch(replicas: list[Replica], phases: list[Phase]) -> None:
    """Adds to the phase that lasts, each half second, until it is cancelled."""
    before = {replica.process.pid: replica.cpu() for replica in replicas}
    then, own = time.monotonic(), time.process_time()
    while True:
        await asyncio.sleep(0.5)
        phase, now, spent = phases[-1], time.monotonic(), time.process_time()
        for replica in replicas:
            cpu = replica.cpu()
            phase.replicas += max(0.0, cpu - before.get(replica.process.pid, 0.0))
            before[replica.process.pid] = cpu
        phase.visitors, phase.seconds = phase.visitors + spent - own, phase.seconds + now - then
        phase.loads.append(os.getloadavg()[0])
        then, own = now, spent


async def _run(
    front: str, replicas: list[Replica], live: Path, visitors: int, seconds: float, think: float
) -> list[Phase]:
    phases, over = [Phase("visitors come")], asyncio.Event()
    crowd = [asyncio.create_task(stay(front, n, over, think, phases)) for n in range(visitors)]
    watching = asyncio.create_task(watch(replicas, phases))
    await asyncio.sleep(think)
    phases.append(Phase("nothing changes"))
    await asyncio.sleep(seconds)
    phases.append(Phase("a new release comes"))
    shutil.copytree(ROOT / "data_public", live.with_name("new"))
    live.rename(live.with_name("old"))
    live.with_name("new").rename(live)
    await asyncio.gather(*(replica.until("2026.1") for replica in replicas))
    for n, replica in enumerate(replicas, start=1):
        phases.append(Phase(f"replica {n} restarts"))
        await asyncio.to_thread(replica.restart)
        await replica.until("2026.1")
    phases.append(Phase("nothing changes any more"))
    await asyncio.sleep(seconds)
    over.set()
    await asyncio.gather(*crowd)
    watching.cancel()
    return phases


def upheaval(visitors: int, seconds: float, think: float) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as at_the_end:
        live = Path(folder) / "data_public"
        shutil.copytree(ROOT / "data_public/history/2025.1", live)
        replicas = [Replica(live), Replica(live)]
        for replica in replicas:
            at_the_end.callback(replica.stop)
        asyncio.run(_both_up(replicas))
        with nginx_before([r.address for r in replicas], Path(folder)) as front:
            phases = asyncio.run(_run(front, replicas, live, visitors, seconds, think))
    print(
        f"{visitors} visitors behind nginx, {think:.0f} s between pages; {os.cpu_count()} cores,"
        " whose load counts other work too"
    )
    print(
        "| while | seconds | pages | median, s | 95th percentile, s | longest, s | hung | cores of"
        " replicas / visitors | load |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for phase in phases:
        s = phase.samples
        if s.all():
            print(
                f"| {phase.name} | {phase.seconds:.0f} | {len(s.all())} | {s.percentile(0.5):.2f} |"
                f" {s.percentile(0.95):.2f} | {max(s.all()):.2f} |"
                f" {len(s.failed) + sum(took > HANGS for took in s.all())} |"
                f" {phase.replicas / phase.seconds:.2f} / {phase.visitors / phase.seconds:.2f} |"
                f" {max(phase.loads):.0f} |"
            )
        for failure in sorted(set(s.failed))[:5]:
            print("  ", failure)


async def _both_up(replicas: list[Replica]) -> None:
    await asyncio.gather(*(replica.until("2025.1") for replica in replicas))
