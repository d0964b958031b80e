"""The app's door: what may come in, and what every answer carries. It stands before all of
Streamlit's own routes and its websocket.

Streamlit serves more than this app uses: uploads, metrics, components, messages that empty its
caches or ask the server to install files. What is not listed here does not get in. Its websocket
speaks protocol buffers (`BackMsg` from the browser, `ForwardMsg` to it); each message from a
browser is read here before Streamlit sees it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.export.feeds import FILES
from dashboard.page.pages_list import PAGES, path_of
from dashboard.text import language
from dashboard.text.language import DEFAULT, LANGUAGES, _

log = logging.getLogger("dashboard")

STREAM = "/_stcore/stream"
METHODS = ("GET", "HEAD")
OWN = ("/health", "/data.json", "/oembed", *(f"/{name}" for name in FILES))
CORE = ("/_stcore/health", "/_stcore/host-config")
MESSAGES = ("rerun_script", "stop_script", "app_heartbeat", "backend_operation_request")
"""What a visitor's browser sends: a page or a filter chosen, a run stopped, a sign of life, a file
that is made when it is asked for."""
OPERATIONS = ("deferred_file",)
WIDGETS = (
    "trigger_value",
    "bool_value",
    "int_value",
    "double_value",
    "string_value",
    "double_array_value",
    "int_array_value",
    "string_array_value",
)
WIDGET = "$$ID-"
"""How the names of all widgets begin. One that is named otherwise would stand for a value of the
session itself, and no page could be drawn."""
IGNORED = ("load_git_info",)
"""Sent by every browser, of no use here, and harmless: not handed on."""
MAX_BYTES = 128 * 1024
"""Of a message from a browser; a page's own are some hundred bytes, with the list of what it holds
already some thousand."""
MAX_QUERY, MAX_NAME, MAX_WIDGETS = 4096, 128, 256
BURST, PER_SECOND = 60.0, 10.0
"""Messages of one visitor at once, and then in each second: more than hands can do."""
MAX_VISITORS = 2000
"""Open pages at a time in one process; beyond, the other replica is asked."""
DIGEST = re.compile(
    r"[.-](?=[A-Za-z0-9_-]*[A-Z0-9_])[A-Za-z0-9_-]{8,}\.(js|css|woff2|ttf|svg|png)$"
)
A_YEAR, CHECK_EACH_TIME, NEVER_KEPT = "public, max-age=31536000, immutable", "no-cache", "no-store"
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
MINUTE = 60


def _not_found() -> str:
    """The page for an address that there is none of, in all languages one under the other: nothing
    is read of the address, not even a language."""
    said, title = [], _("There is no such page")
    for code in LANGUAGES:
        with language.speaking(code):
            way = "/" if code == DEFAULT else f"/?lang={code}"
            words, back = escape(_("There is no such page")), escape(_("Go to the first page"))
            said.append(
                f"<h1 {language.of_page()}>{words}</h1><p {language.of_page()}><a"
                f' href="{way}">{back}</a></p>'
            )
    return (
        f'<!doctype html><html lang="{DEFAULT}"><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(title)}</title><body"
        ' style="font-family:sans-serif;max-width:40em;margin:3em auto;padding:0 1em">\n'
        + "\n".join(said)
        + "</body></html>\n"
    )


NOT_FOUND = _not_found()


def policy(embedders: str) -> str:
    """The content security policy. Streamlit styles inline and Vega compiles its charts, so both
    are allowed; no other origin is.

    `embedders`: who may show a figure in a frame, such as `https://news.example` or `*`.
    """
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self'"
        " 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'"
        " data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action"
        f" 'self'; frame-ancestors {embedders}"
    )


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "server": "co-response",
}


def is_view_to_embed(scope: Scope) -> bool:
    """Is this a request for one figure alone, as `embed_code` names it? Nothing else may be shown
    in a frame on another site."""
    query = scope.get("query_string", b"")
    if len(query) > MAX_QUERY:
        return False
    asked = parse_qs(query.decode("latin-1"))
    return asked.get("embed") == ["true"] and bool(asked.get("figure"))


def fault_of(message: BackMsg) -> str:
    """What is wrong with a message of a browser; empty where nothing is."""
    kind = message.WhichOneof("type")
    if kind not in MESSAGES:
        return f"message {kind}"
    if kind == "backend_operation_request":
        operation = message.backend_operation_request.WhichOneof("payload")
        return "" if operation in OPERATIONS else f"operation {operation}"
    if kind == "rerun_script":
        state = message.rerun_script
        if (
            len(state.query_string) > MAX_QUERY
            or max(map(len, (state.page_name, state.page_script_hash, state.fragment_id)))
            > MAX_NAME
        ):
            return "long text"
        if len(state.widget_states.widgets) > MAX_WIDGETS:
            return "many widgets"
        for widget in state.widget_states.widgets:
            if not widget.id.startswith(WIDGET):
                return "widget of no page"
            if (value := widget.WhichOneof("value")) is not None and value not in WIDGETS:
                return f"widget {value}"
    return ""


def is_own_origin(headers: Headers) -> bool:
    """A page of another site may not speak to the app. A program that names no origin may: nobody's
    browser lends it anything."""
    given = headers.getlist("origin")
    if not given:
        return True
    try:
        return len(given) == 1 and urlsplit(given[0]).netloc == headers.get("host", "") != ""
    except ValueError:
        return False


def untold(data: bytes) -> bytes:
    """A message to a browser without what tells of this machine: versions, paths, system, and the
    number of this installation."""
    if not _is_new_session(data):
        return data
    message = ForwardMsg()
    message.ParseFromString(data)
    session = message.new_session
    session.name = session.main_script_path = "app"
    session.initialize.environment_info.Clear()
    session.initialize.environment_info.streamlit_version = (
        session.initialize.environment_info.python_version
    ) = "0"
    session.initialize.user_info.Clear()
    return bytes(message.SerializeToString())


def _is_new_session(data: bytes) -> bool:
    """Is the field `new_session` (4) among those at the top? They are walked by their lengths: most
    messages are charts of many kilobytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        if key >> 3 == ForwardMsg.NEW_SESSION_FIELD_NUMBER:
            return True
        if key & 7 == 2:
            length, at = _varint(data, at)
            at += length
        elif key & 7 == 0:
            _value, at = _varint(data, at)
        else:
            return False
    return False


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value, at, shift = value | (byte & 0x7F) << shift, at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at


class Rate:
    """A limit on how often something happens: BURST at once, and then PER_SECOND a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.left, self.since = clock, BURST, clock()

    def take(self) -> bool:
        now = self.clock()
        self.left, self.since = min(BURST, self.left + (now - self.since) * PER_SECOND), now
        self.left -= 1
        return self.left >= 0


class Guard:
    """The door. `ready`: may visitors come in yet? `embedders`: the origins that the agency's file
    names, of the release that is up."""

    def __init__(
        self,
        app: ASGIApp,
        ready: Callable[[], bool] = lambda: True,
        embedders: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.app, self.ready, self.embedders = app, ready, embedders
        self.open = 0
        self.turned_away: Counter[str] = Counter()
        self.told = 0.0
        static = Path(file_util.get_static_dir())
        self.static = {
            f"/{file.relative_to(static).as_posix()}"
            for file in static.rglob("*")
            if file.is_file()
        } - {"/index.html"}
        self.pages = {f"/{path_of(page)}" for page in PAGES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._talk(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def headers(self, scope: Scope) -> dict[str, str]:
        return HEADERS | {"content-security-policy": policy(self._framing(scope))}

    def _framing(self, scope: Scope) -> str:
        """`EMBEDDERS` in the environment, else the agency's file, say who may frame a figure;
        without either anyone may. Whole pages: nobody."""
        if not is_view_to_embed(scope):
            return "'self'"
        listed = [origin for origin in self.embedders() if ORIGIN.fullmatch(origin)]
        return os.environ.get("EMBEDDERS") or (" ".join(["'self'", *listed]) if listed else "*")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers(scope).items():
                    headers[name] = value
                if kept := self._cache(scope["path"], message["status"], headers):
                    headers["cache-control"] = kept
            await send(message)

        await (self._refusal(scope) or self.app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if scope["method"] not in METHODS:
            return PlainTextResponse(
                "Only GET and HEAD are answered here.\n", 405, {"allow": ", ".join(METHODS)}
            )
        if not self.ready():
            return JSONResponse({"status": "starting"}, 503, {"retry-after": "5"})
        if path == "/_stcore/host-config":
            return self._host_config()
        if not self._known(path):
            return HTMLResponse(NOT_FOUND, 404)
        return None

    def _known(self, path: str) -> bool:
        if path in self.pages or path in self.static or path in OWN or path in CORE:
            return True
        return path.startswith(("/data/", "/preview/", "/media/")) or path.rstrip("/") in self.pages

    def _host_config(self) -> Response:
        """Who may send messages to a page in a frame. Streamlit's own list names its makers'
        sites."""
        origins = [origin for origin in self.embedders() if ORIGIN.fullmatch(origin)]
        return JSONResponse(
            {
                "allowedOrigins": origins,
                "useExternalAuthToken": False,
                "enableCustomParentMessages": False,
                "enforceDownloadInNewTab": False,
                "metricsUrl": "",
                "blockErrorDialogs": False,
                "resourceCrossOriginMode": None,
            }
        )

    def _cache(self, path: str, status: int, headers: MutableHeaders) -> str:
        """A year for files whose names hold their digest. What the data addresses say of themselves
        stands."""
        if status >= 400:
            return NEVER_KEPT
        if path.startswith(("/data/", "/preview/")) or path in OWN[1:]:
            return ""
        if path in self.static:
            return A_YEAR if DIGEST.search(path) else CHECK_EACH_TIME
        return CHECK_EACH_TIME if path in self.pages else NEVER_KEPT

    async def _talk(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["path"] != STREAM or not is_own_origin(headers):
            self._note("another site's page" if scope["path"] == STREAM else "another address")
            await self._turn_away(scope, receive, send, 403)
            return
        if not self.ready() or self.open >= MAX_VISITORS:
            await self._turn_away(scope, receive, send, 503)
            return
        # Streamlit would look for its own address at a site of others to judge an origin that it
        # does not know; this one is judged already.
        scope = {
            **scope,
            "headers": [(name, value) for name, value in scope["headers"] if name != b"origin"],
        }
        self.open += 1
        try:
            await _Conversation(self, scope, receive, send).run()
        finally:
            self.open -= 1

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send, status: int) -> None:
        await receive()  # websocket.connect
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = self.headers(scope) | {"cache-control": NEVER_KEPT, "content-length": "0"}
        listed = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "websocket.http.response.start", "status": status, "headers": listed})
        await send({"type": "websocket.http.response.body", "body": b""})

    def _note(self, why: str) -> None:
        """Once a minute, how much of what was turned away; of nobody in particular."""
        self.turned_away[why] += 1
        if time.monotonic() - self.told > MINUTE:
            self.told = time.monotonic()
            log.warning("turned away at the door: %s", json.dumps(dict(self.turned_away)))
            self.turned_away.clear()


class _Conversation:
    """One visitor's websocket, both ways."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self.guard, self.scope, self.receive, self.send = guard, scope, receive, send
        self.rate, self.closed = Rate(), False

    async def run(self) -> None:
        await self.guard.app(self.scope, self._next, self._tell)

    async def _next(self) -> Message:
        while True:
            message = await self.receive()
            if message["type"] != "websocket.receive":
                return message
            if not (why := self._judge(message)):
                return message
            if why not in IGNORED:
                self.guard._note(why)
                if not self.closed:
                    self.closed = True
                    await self.send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}

    def _judge(self, message: Message) -> str:
        data = message.get("bytes")
        if data is None:
            return "text"
        if not self.rate.take():
            return "too many"
        if len(data) > MAX_BYTES:
            return "too large"
        read = BackMsg()
        try:
            read.ParseFromString(data)
        except DecodeError:
            return "garbage"
        kind = read.WhichOneof("type")
        return kind if kind in IGNORED else fault_of(read)

    async def _tell(self, message: Message) -> None:
        if self.closed:
            return  # Streamlit's sender may not know yet
        if message["type"] == "websocket.close":
            self.closed = True
        elif message["type"] == "websocket.accept":
            listed = [
                (name.encode(), value.encode("latin-1"))
                for name, value in self.guard.headers(self.scope).items()
                if name != "server"
            ]
            message = {**message, "headers": [*message.get("headers", []), *listed]}
        elif message["type"] == "websocket.send" and message.get("bytes"):
            message = {**message, "bytes": untold(message["bytes"])}
        await self.send(message)
