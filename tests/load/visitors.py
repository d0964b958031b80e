"""Visitors that speak Streamlit's own protocol over a web socket: they open a page, read it to the
end, think, and go on."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.page.pages_list import PAGES, path_of

PATIENCE = 60
"""Seconds after which a page counts as not answered."""


@dataclass
class Samples:
    """Seconds of each page change, by page; what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def all(self) -> list[float]:
        return [s for listed in self.seconds.values() for s in listed]

    def percentile(self, share: float) -> float:
        return sorted(self.all())[int(share * (len(self.all()) - 1))]

    def median(self, page: str) -> float:
        return statistics.median(self.seconds[page])


async def open_page(socket: websockets.ClientConnection, page: str, language: str = "en") -> float:
    """Ask for a page; gives the seconds until its last element. Raises RuntimeError when the page
    shows an error."""
    asked = BackMsg()
    asked.rerun_script.query_string = urlencode({"lang": language}) if language != "en" else ""
    asked.rerun_script.page_name = path_of(page)
    start = time.perf_counter()
    await socket.send(asked.SerializeToString())
    while True:
        data = await asyncio.wait_for(socket.recv(), PATIENCE)
        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            raise RuntimeError(f"{page}: {message.delta.new_element.exception.type}")
        if kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return time.perf_counter() - start
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise RuntimeError(f"{page}: does not compile")


def connect(address: str, visitor: int = 0) -> websockets.connect:
    """Each visitor comes from an address of their own, as the proxy tells visitors apart by
    that."""
    here = (f"127.0.{1 + visitor % 250}.{1 + visitor // 250}", 0)
    stream = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
    return websockets.connect(stream, subprotocols=["streamlit"], max_size=None, local_addr=here)  # type: ignore[list-item]


async def visit(address: str, seed: int, seconds: float, think: float, samples: Samples) -> None:
    """One visitor: pages at random, with pauses of `think` seconds on average, for about
    `seconds`."""
    chance = random.Random(seed)
    language = chance.choice(["en", "en", "es"])
    until = time.monotonic() + seconds
    await asyncio.sleep(chance.random() * think)  # visitors do not come all at once
    try:
        async with connect(address, seed) as socket:
            while time.monotonic() < until:
                page = chance.choice(PAGES)
                samples.seconds.setdefault(page, []).append(await open_page(socket, page, language))
                await asyncio.sleep(
                    min(chance.expovariate(1 / think), max(0.0, until - time.monotonic()))
                )
    except (RuntimeError, OSError, TimeoutError, websockets.WebSocketException) as error:
        samples.failed.append(f"{type(error).__name__}: {error}")


async def crowd(addresses: list[str], visitors: int, seconds: float, think: float) -> Samples:
    samples = Samples()
    await asyncio.gather(
        *(visit(addresses[n % len(addresses)], n, seconds, think, samples) for n in range(visitors))
    )
    return samples


async def one_by_one(address: str, rounds: int, language: str = "en") -> Samples:
    """A single visitor who opens every page `rounds` times: the server's own time for each."""
    samples = Samples()
    async with connect(address) as socket:
        for turn in range(rounds + 1):
            for page in PAGES:
                took = await open_page(socket, page, language)
                if turn:  # the first round fills the caches
                    samples.seconds.setdefault(page, []).append(took)
    return samples
