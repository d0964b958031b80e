"""The head of the app's pages as programs read it that run no script: title, sentence, picture,
language, feed and calendar.

Streamlit serves one and the same HTML for every page, and fills it in the browser. What reads pages
without a browser gets its words from here.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from dashboard.app import first_view
from dashboard.app.guard import MAX_QUERY
from dashboard.export import citation, feeds
from dashboard.page.pages_list import PAGES, path_of, title_of
from dashboard.release.current import serving
from dashboard.release.reader import Release
from dashboard.site import previews
from dashboard.text import language
from dashboard.text.language import DEFAULT, LANGUAGES, _, unmarked

log = logging.getLogger("dashboard")
PATHS = {f"/{path_of(page)}": page for page in PAGES}
TITLE, LANG, END = "<title>Streamlit</title>", '<html lang="en">', "</head>"
ROOT = '<div id="root"></div>'
"""What stands in Streamlit's HTML; a test holds them against the version in use."""
NOSCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)
"""Of interfaces that `guard.py` refuses."""
LOOK = re.compile(r'<link rel="stylesheet"[^>]*>')
"""Streamlit's style. Nothing before it waits for it: it stands right before what it is for."""


def asked_of(query: str) -> dict[str, str]:
    """What an address asks for, with a language that there is."""
    asked = (
        {key: values[-1] for key, values in parse_qs(query).items()}
        if len(query) <= MAX_QUERY
        else {}
    )
    return asked | {"lang": asked["lang"] if asked.get("lang") in LANGUAGES else DEFAULT}


@lru_cache(maxsize=1)
def _html() -> str:
    """Streamlit's page, ready for a beginning of ours."""
    given = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    looks = "".join(LOOK.findall(given))
    return NOSCRIPT.sub("", LOOK.sub("", given)).replace(ROOT, f"{looks}{ROOT}", 1)


def picture_address(release: Release, name: str, code: str) -> str:
    """Of the picture of a preview: whole where the agency names its site."""
    return f"{citation.site_of(release)}/preview/{release.version}/{code}/{name}.png"


def _previewed(release: Release, page: str, code: str, query: Mapping[str, str]) -> str:
    """What a link shows of itself; nothing where the page cannot be written, which its readers are
    told by the page."""
    newest = not query.get("release") or query["release"] == release.version
    try:
        if newest:
            preview = previews.asked_for(release, page, code, query)
        else:
            release = serving(query["release"]).shown
            preview = previews.earlier(release, page, code)
    except Exception:
        log.exception("page %s of release %s has no preview", page, release.version)
        return ""
    choices = {
        key: query[key]
        for key in ("figure", "claim")
        if key in query and preview.name.startswith(key)
    }
    site = citation.site_of(release)
    address = citation.view_link(release, page, choices, site)
    tags = previews.tags(release, preview, address, picture_address(release, preview.name, code))
    if newest and preview.figure is not None:
        asked = urlencode({"url": address, "format": "json"})
        tags += (
            '<link rel="alternate" type="application/json+oembed"'
            f' href="{escape(f"{site}/oembed?{asked}")}" title="{escape(unmarked(preview.title))}">'
        )
    return tags


def written(
    page: str,
    code: str,
    release: Release | None,
    query: Mapping[str, str],
    begin: Callable[..., str] | None = None,
) -> str:
    """The HTML of a page (as in `PAGES`) in the language `code`; `begin` gives its beginning."""
    with language.speaking(code):
        site = _("Co-response in numbers")
        title, attributes = f"{title_of(page)} – {site}", language.of_page()
        tags = feeds.head(release, "/") + _previewed(release, page, code, query) if release else ""
        beginning = ""
        if release and begin:
            try:
                beginning = begin(release, page, query)
            except Exception:
                log.exception("page %s of release %s has no beginning", page, release.version)
    html = (
        _html()
        .replace(TITLE, f"<title>{escape(title)}</title>", 1)
        .replace(LANG, f"<html {attributes}>", 1)
    )
    return html.replace(END, f"{tags}{END}", 1).replace("<body>", f"<body>{beginning}", 1)


class Head:
    """Stands before Streamlit and answers the addresses of pages. `shown`: the release that
    visitors see, if there is one. `begin`: whether pages come with their beginning."""

    def __init__(
        self,
        app: ASGIApp,
        shown: Callable[[], Release | None] = lambda: None,
        *,
        begin: bool = False,
    ) -> None:
        self.app, self.shown, self.begin = app, shown, begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = PATHS.get(scope["path"].rstrip("/") or "/") if scope["type"] == "http" else None
        if page is None or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        answer = await run_in_threadpool(self._answer, page, Request(scope))
        await answer(scope, receive, send)

    def _answer(self, page: str, request: Request) -> Response:
        query = asked_of(request.url.query)
        phone = "Mobi" in request.headers.get("user-agent", "")
        begin = partial(first_view.html, phone=phone) if self.begin else None
        html = written(page, query["lang"], self.shown(), query, begin)
        tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
        if tag in request.headers.get("if-none-match", "").replace("W/", ""):
            return Response(status_code=304, headers={"etag": tag})
        return HTMLResponse(html, headers={"etag": tag, "vary": "user-agent"})
