"""The memory of visitors who have left is not held."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request

import streamlit.runtime

from dashboard.app import service
from tests.load.__main__ import serving
from tests.load.visitors import connect, open_page


def held(address: str) -> int:
    with urllib.request.urlopen(f"{address}/sessions", timeout=10) as answer:
        return int(json.load(answer))


async def visit(address: str) -> int:
    """Three visitors look at a page; gives how many sessions there are while they are there."""
    async with connect(address, 1) as a, connect(address, 2) as b, connect(address, 3) as c:
        for socket in (a, b, c):
            await open_page(socket, "glossary")
        return await asyncio.to_thread(held, address)


def test_visitors_who_left_are_forgotten_though_nobody_comes_after_them():
    with serving("tests/load/leaving.py", STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="1") as (
        address,
        _pid,
    ):
        for _crowd in range(2):
            assert asyncio.run(visit(address)) >= 3
            until = time.monotonic() + 15
            while held(address) > 1 and time.monotonic() < until:
                time.sleep(0.5)
            assert (
                held(address) <= 1
            )  # the last one stands in a name of Streamlit's own loop until the next visitor comes


def test_a_streamlit_with_other_inner_names_is_left_alone(monkeypatch):
    assert service.forget() == 0  # there is no runtime here at all
    monkeypatch.setattr(service, "get_instance", lambda: streamlit.runtime)
    assert service.forget() == 0
