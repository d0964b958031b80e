"""What the app answers besides its pages: its health, and its data at lasting addresses. Which
requests come in at all, `guard.py` decides."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
import re
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit.runtime import get_instance

from dashboard.app import head
from dashboard.app.prerender import Ahead
from dashboard.export import citation, feeds, opendata
from dashboard.release import current
from dashboard.release.current import (
    all_releases,
    earlier,
    last_shown,
    load,
    newest,
    standing,
    waits,
)
from dashboard.release.reader import Release, ReleaseRefused
from dashboard.site import previews
from dashboard.text import language
from dashboard.text.language import LANGUAGES

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "geojson": "application/geo+json",
    "md": "text/markdown; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
LET_GO_SECONDS = 60
"""How often the app looks for visitors who have left."""
SOON = "public, max-age=300"
"""Of data: bytes are the same for as long as a release stands, and `ETag` says so at no cost."""
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def health(request: Request) -> Response:
    """Which release is up, whether its audit passed, how old it is; 503 when none can be shown."""
    try:
        release, refused = standing()
    except ReleaseRefused as none:
        return JSONResponse(
            {"status": "no release", "reason": none.reason}, 503, {"cache-control": "no-store"}
        )
    created = datetime.fromisoformat(release.package["created"])
    return JSONResponse(
        {
            "status": (
                "the release in place is refused; the one before stays up" if refused else "ok"
            ),
            "release": release.version,
            "data_to": release.package["period"]["to"],
            "audit": "passed",
            "approved": release.approved,
            "age_days": max(0, (datetime.now(UTC) - created).days),
        },
        headers={"cache-control": "no-store"},
    )


@lru_cache(maxsize=4096)
def _tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _all() -> list[Release]:
    return all_releases(newest(), load)


def _earlier(latest: Release, version: str) -> Release | None:
    """One release of the history, without a look at the others; None where it is not there or
    cannot be shown."""
    if version not in {str(entry["version"]) for entry in latest.package.get("history", ())}:
        return None
    try:
        return earlier(latest, version, load)
    except ReleaseRefused:
        return None


def answer(request: Request, data: bytes, media: str) -> Response:
    """Data for every program, on every site: whole, a part of them (`Range`), or that they are the
    same still (`If-None-Match`)."""
    tag = _tag(data)
    headers = {
        "cache-control": SOON,
        "access-control-allow-origin": "*",
        "etag": tag,
        "accept-ranges": "bytes",
    }
    known = {
        given.strip().removeprefix("W/")
        for given in request.headers.get("if-none-match", "").split(",")
    }
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    asked = RANGE.fullmatch(request.headers.get("range", "").strip())
    if (
        asked
        and any(asked.groups())
        and request.headers.get("if-range", tag) == tag
        and all(len(end) < 16 for end in asked.groups())
    ):
        first, last = asked.groups()
        start = int(first) if first else max(0, len(data) - int(last))
        end = min(len(data), int(last) + 1) if first and last else len(data)
        if start >= end:
            return Response(
                status_code=416, headers=headers | {"content-range": f"bytes */{len(data)}"}
            )
        return Response(
            data[start:end],
            206,
            headers | {"content-range": f"bytes {start}-{end - 1}/{len(data)}"},
            media,
        )
    return Response(data, headers=headers, media_type=media)


def data(request: Request) -> Response:
    """`/data/VERSION/PATH` and `/data/latest/PATH`: a file of a release or one of its companions.
    Nothing else is ever read."""
    version, path = request.path_params["version"], request.path_params["path"]
    try:
        latest = newest()
    except ReleaseRefused:
        return Response("There is no release to show.\n", 503, media_type="text/plain")
    wanted = latest if version in ("latest", latest.version) else _earlier(latest, version)
    found = opendata.files(wanted).get(path) if wanted else None
    if found is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    return answer(request, found, MEDIA.get(path.rpartition(".")[2], "text/plain; charset=utf-8"))


def catalog(request: Request) -> Response:
    """`/data.json`: the catalog in DCAT-US 3. Its links are the agency's `site`, or relative: the
    name in a request is a visitor's word."""
    try:
        listed = _all()
    except ReleaseRefused:
        return Response("There is no release to show.\n", 503, media_type="text/plain")
    return answer(request, opendata.dcat(listed, citation.site_of(listed[-1])), "application/json")


def _page_address(release: Release, page: str) -> str:
    return citation.view_link(release, page, {}, "")


def news(request: Request) -> Response:
    """`/feed-en.xml` and `/next-update-en.ics`, in each language: of all releases that can be
    shown."""
    try:
        listed = _all()
    except ReleaseRefused:
        return Response("There is no release to show.\n", 503, media_type="text/plain")
    name = request.url.path.removeprefix("/")
    found = feeds.files(listed, lambda _code: _page_address, citation.site_of(listed[-1])).get(name)
    if found is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    return answer(request, found, feeds.ATOM if name.endswith(".xml") else feeds.ICALENDAR)


def preview(request: Request) -> Response:
    """`/preview/VERSION/LANGUAGE/NAME.png`: what a link shows of a page, a figure or a claim of the
    newest release, or of an earlier release as a whole."""
    version, code, name = (request.path_params[key] for key in ("version", "code", "name"))
    found = None
    try:
        latest = newest()
    except ReleaseRefused:
        return Response("There is no release to show.\n", 503, media_type="text/plain")
    if code in LANGUAGES and version == latest.version:
        found = previews.picture_of(latest, name, code)
    elif code in LANGUAGES and name == previews.EARLIER and (before := _earlier(latest, version)):
        found = previews.picture_of(before, name, code)
    return (
        answer(request, found, "image/png")
        if found
        else Response("There is no such picture.\n", 404, media_type="text/plain")
    )


def oembed(request: Request) -> Response:
    """`/oembed?url=...` (oEmbed 1.0): how to frame the figure of the newest release that an address
    of this site names."""
    if request.query_params.get("format", "json") != "json":
        return Response("Only JSON is answered here.\n", 501, media_type="text/plain")
    missing = Response("This address names no figure of this site.\n", 404, media_type="text/plain")
    try:
        latest, parts = newest(), urlsplit(request.query_params.get("url", ""))
        most = [
            int(request.query_params.get(key, own))
            for key, own in zip(("maxwidth", "maxheight"), previews.MOST, strict=True)
        ]
    except (ReleaseRefused, ValueError):
        return missing
    site, page, query = (
        citation.site_of(latest),
        head.PATHS.get(parts.path.rstrip("/") or "/"),
        head.asked_of(parts.query),
    )
    own_site = not parts.netloc or f"{parts.scheme}://{parts.netloc}" == site or not site
    if (
        page is None
        or not own_site
        or query.get("release", latest.version) != latest.version
        or min(most) < 1
    ):
        return missing
    found = previews.asked_for(latest, page, query["lang"], query)
    if found.figure is None:
        return missing
    kept = {
        key: code
        for key, code in query.items()
        if key not in ("lang", "release", "figure", "embed")
    }
    shown = replace(found, figure=replace(found.figure, choices=kept))
    with language.speaking(query["lang"]):
        image = head.picture_address(latest, found.name, query["lang"])
        return answer(
            request,
            previews.oembed(latest, shown, site, image, (most[0], most[1])),
            "application/json",
        )


_started = threading.Event()


def ready() -> bool:
    """Can visitors come in? Not while the first pages are being written: a proxy then hands them to
    the other replica at once."""
    return _started.is_set()


def embedders() -> tuple[str, ...]:
    """The sites that the agency's file names as those that may show its figures in a frame."""
    release = last_shown()
    return tuple(release.package.get("embedders", ())) if release else ()


async def _start(ahead: Ahead) -> None:
    with suppress(ReleaseRefused):  # the pages and `/health` say why
        release = await asyncio.to_thread(newest)
        if waits:
            await asyncio.to_thread(ahead.begin(release).join)
    _started.set()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, object]]:
    """The release is read before the first visitor comes in, and with `WRITE_AHEAD` in the
    environment its pages are written too; a later release then takes its place once its own are.
    While the app runs, visitors who have left are let go, and their memory is given back.
    """
    ahead = Ahead()
    current.has_addresses = True
    if os.environ.get("WRITE_AHEAD"):
        waits.append(ahead.ready)
        current.in_background = ahead.read
    tasks = [asyncio.create_task(_start(ahead)), asyncio.create_task(_let_go())]
    try:
        yield {}
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _let_go() -> None:
    # With `PYTHONMALLOC=malloc` (as in deploy/), memory can go back to the machine; Python's own
    # allocator keeps nearly all of it.
    trim = (
        getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    )  # glibc alone has it
    while True:
        await asyncio.sleep(LET_GO_SECONDS)
        if forget() and trim:
            await asyncio.to_thread(trim, 0)


def forget() -> int:
    """Drop the sessions that their visitors can no longer come back to; gives how many.

    Streamlit keeps a session for two minutes after its visitor has left, and then until the next
    one leaves: after a crowd, for good. It has no public call for it; should its inner names
    change, nothing is done here.
    """
    try:
        kept = get_instance()._session_mgr._session_storage._cache  # type: ignore[attr-defined]
        return len(kept.expire())
    except (RuntimeError, AttributeError):
        return 0


ROUTES = [
    Route("/health", health),
    Route("/data.json", catalog),
    Route("/data/{version}/{path:path}", data),
    Route("/preview/{version}/{code}/{name}.png", preview),
    Route("/oembed", oembed),
    *(Route(f"/{name}", news) for name in feeds.FILES),
]
