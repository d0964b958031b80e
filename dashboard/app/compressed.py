"""Texts leave the app compressed (gzip): a phone on a slow line loads a third of the bytes, with or
without a proxy."""

from __future__ import annotations

import gzip
from collections import OrderedDict

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS = frozenset(
    {
        "application/geo+json",
        "application/javascript",
        "application/json",
        "application/ld+json",
        "image/svg+xml",
        "text/calendar",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/markdown",
        "text/plain",
    }
)
MIN_BYTES = 1024
"""Below it a file fits into one packet anyway."""
STATIC = "/static/"
"""Files of the framework, each under a name that holds its digest: compressed once for all."""
MAX_KEPT = 512
_kept: OrderedDict[str, bytes] = OrderedDict()


class Compressed:
    """Compresses whole answers of `KINDS` for browsers that take gzip. Parts of a file (`Range`)
    stay as they are, since a part is counted in the file's own bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        if "gzip" not in asked.get("accept-encoding", "") or "range" in asked:
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Answer(scope["path"], send))


class _Answer:
    """Holds the answer back until it is whole, and sends it compressed."""

    def __init__(self, path: str, send: Send) -> None:
        self.path, self.send = path, send
        self.start: Message | None = None
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _shrinks(message):
            self.start = message
        elif message["type"] == "http.response.body" and self.start is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send()
        else:
            await self.send(message)

    async def _send(self) -> None:
        assert self.start is not None
        body = bytes(self.body)
        headers = MutableHeaders(raw=self.start["headers"])
        headers.add_vary_header("accept-encoding")
        if len(body) >= MIN_BYTES:
            body = await _compressed(self.path, body)
            headers["content-encoding"] = "gzip"
            if tag := headers.get("etag"):
                headers["etag"] = f"W/{tag.removeprefix('W/')}"
            del headers["accept-ranges"]
        headers["content-length"] = str(len(body))
        await self.send(self.start)
        await self.send({"type": "http.response.body", "body": body})


def _shrinks(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0].strip()
    return start["status"] == 200 and kind in KINDS and "content-encoding" not in headers


async def _compressed(path: str, body: bytes) -> bytes:
    if not path.startswith(STATIC):
        return await run_in_threadpool(gzip.compress, body, 6, mtime=0)
    if path not in _kept:
        _kept[path] = await run_in_threadpool(gzip.compress, body, 9, mtime=0)
        while len(_kept) > MAX_KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(path)
    return _kept[path]
