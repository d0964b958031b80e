"""What the app answers beside its pages: its health, its data at lasting addresses, and the headers that guard every answer."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance

from dashboard import citation, opendata
from dashboard.ahead import Ahead
from dashboard.release import Release, ReleaseRefused
from dashboard.serving import all_releases, folder_of, load, newest, standing, waits

MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "jsonld": "application/ld+json", "geojson": "application/geo+json",
         "md": "text/markdown; charset=utf-8", "parquet": "application/vnd.apache.parquet"}  # fmt: skip
LET_GO_SECONDS = 60
"""How often the app looks for visitors who have left."""
A_YEAR, SOON = "public, max-age=31536000, immutable", "public, max-age=300"


def policy(embedders: str) -> str:
    """The content security policy. Streamlit styles inline and Vega compiles its charts, so both are allowed; no other origin is.

    `embedders`: who may show a figure in a frame, such as `https://news.example` or `*`.
    """
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        f"frame-ancestors {embedders}"
    )


class Guard:
    """Puts the headers on every answer. Other sites may frame the pages only as `EMBEDDERS` says (default: any, for figures in articles)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {
            "content-security-policy": policy(os.environ.get("EMBEDDERS", "*")),
            "x-content-type-options": "nosniff",
            "referrer-policy": "strict-origin-when-cross-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
            "cross-origin-opener-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, guarded)


def health(request: Request) -> Response:
    """Which release is up, whether its audit passed, how old it is; 503 when none can be shown."""
    try:
        release, refused = standing()
    except ReleaseRefused as none:
        return JSONResponse({"status": "no release", "reason": none.reason}, 503)
    created = datetime.fromisoformat(release.package["created"])
    return JSONResponse({
        "status": "the release in place is refused; the one before stays up" if refused else "ok", "release": release.version,
        "data_to": release.package["period"]["to"], "audit": "passed", "approved": release.approved, "age_days": max(0, (datetime.now(UTC) - created).days),
    })  # fmt: skip


_files = lru_cache(maxsize=8)(opendata.files)


def _all() -> list[Release]:
    return all_releases(newest(), load)


def _earlier(latest: Release, version: str) -> Release | None:
    """One release of the history, without a look at the others; None where it is not there or cannot be shown."""
    if version not in {str(entry["version"]) for entry in latest.package.get("history", ())}:
        return None
    try:
        return load(folder_of(version, latest.folder))
    except ReleaseRefused:
        return None


def data(request: Request) -> Response:
    """`/data/VERSION/PATH` and `/data/latest/PATH`: a file of a release or one of its companions. Nothing else is ever read."""
    version, path = request.path_params["version"], request.path_params["path"]
    try:
        latest = newest()
    except ReleaseRefused:
        return Response("There is no release to show.\n", 503, media_type="text/plain")
    wanted = latest if version in ("latest", latest.version) else _earlier(latest, version)
    found = _files(wanted).get(path) if wanted else None
    if found is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    media = MEDIA.get(path.rpartition(".")[2], "text/plain; charset=utf-8")
    # Data are for every program, on every site.
    return Response(
        found, headers={"cache-control": SOON if version == "latest" else A_YEAR, "access-control-allow-origin": "*"}, media_type=media
    )


def catalog(request: Request) -> Response:
    """`/data.json`: the catalog in DCAT-US 3."""
    try:
        listed = _all()
    except ReleaseRefused:
        return Response("There is no release to show.\n", 503, media_type="text/plain")
    site = citation.site_of(listed[-1], str(request.base_url).rstrip("/"))
    return Response(
        opendata.dcat(listed, site), headers={"cache-control": SOON, "access-control-allow-origin": "*"}, media_type="application/json"
    )


@asynccontextmanager
async def thrifty(_app: object) -> AsyncIterator[dict[str, object]]:
    """The release is read before the first visitor comes, and with `WRITE_AHEAD` in the environment its pages are written too; a later release
    then takes its place once its own are. While the app runs, visitors who have left are let go, and their memory is given back."""
    ahead = Ahead()
    if os.environ.get("WRITE_AHEAD"):
        waits.append(ahead.ready)
    with suppress(ReleaseRefused):  # the pages and `/health` say why
        release = await asyncio.to_thread(newest)
        if waits:
            await asyncio.to_thread(ahead.begin(release).join)
    task = asyncio.create_task(_let_go())
    try:
        yield {}
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _let_go() -> None:
    # With `PYTHONMALLOC=malloc` (as in deploy/), memory can go back to the machine; Python's own allocator keeps nearly all of it.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc alone has it
    while True:
        await asyncio.sleep(LET_GO_SECONDS)
        if forget() and trim:
            await asyncio.to_thread(trim, 0)


def forget() -> int:
    """Drop the sessions that their visitors can no longer come back to; gives how many.

    Streamlit keeps a session for two minutes after its visitor has left, and then until the next one leaves: after a crowd, for good.
    It has no public call for it; should its inner names change, nothing is done here.
    """
    try:
        kept = get_instance()._session_mgr._session_storage._cache  # type: ignore[attr-defined]
        return len(kept.expire())
    except (RuntimeError, AttributeError):
        return 0


ROUTES = [Route("/health", health), Route("/data.json", catalog), Route("/data/{version}/{path:path}", data)]
