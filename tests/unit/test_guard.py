"""The app's door by itself: each message, address, origin and rate that may come in, and those that
may not."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.app import guard
from dashboard.app.guard import MAX_BYTES, STREAM, Guard, Rate, fault_of, untold

PAGE = BackMsg(rerun_script={"page_name": "calls"})


def scope(kind="http", path="/", method="GET", query=b"", **headers):
    listed = [
        (name.replace("_", "-").encode(), value.encode())
        for name, value in ({"host": "data.example"} | headers).items()
    ]
    return {
        "type": kind,
        "path": path,
        "method": method,
        "query_string": query,
        "headers": listed,
        "extensions": {"websocket.http.response": {}},
    }


def ask(found, answer=200, **named):
    """(status, headers, body) of one request; the app behind the door answers `inside`, with the
    status `answer`."""
    sent = []

    async def inside(_scope, _receive, send):
        await send({"type": "http.response.start", "status": answer, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    found.app = inside
    asyncio.run(found(scope(**named), receive, send))
    return (
        sent[0]["status"],
        {n.decode(): v.decode() for n, v in sent[0]["headers"]},
        b"".join(m.get("body", b"") for m in sent[1:]),
    )


def talk(messages, found=None, path=STREAM, answers=(), **headers):
    """What a visitor's messages lead to: (those that the app got, what was sent to the visitor, the
    headers that the app saw)."""
    waiting = [
        {"type": "websocket.connect"},
        *(
            {"type": "websocket.receive", "bytes": m} if isinstance(m, bytes) else m
            for m in messages
        ),
    ]
    got, sent, seen = [], [], {}

    async def inside(inner, receive, send):
        seen.update({n.decode(): v.decode() for n, v in inner["headers"]})
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "headers": []})
        for answer in answers:
            await send({"type": "websocket.send", "bytes": answer})
        while (message := await receive())["type"] == "websocket.receive":
            got.append(message["bytes"])
        await send({"type": "websocket.send", "bytes": b""})

    async def receive():
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        sent.append(message)

    found = found or Guard(inside)
    found.app = inside
    asyncio.run(found(scope("websocket", path, **headers), receive, send))
    return got, sent, seen


def closed(sent):
    return [m for m in sent if m["type"] == "websocket.close"]


@pytest.mark.parametrize(
    "method",
    ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", ""],
)
@pytest.mark.parametrize("path", ["/", "/data.json", "/_stcore/upload_file/x/y", "/health"])
def test_only_reading_is_answered(method, path):
    status, headers, body = ask(Guard(None), path=path, method=method)
    assert (status, headers.get("allow")) == (405, "GET, HEAD")
    assert b"inside" not in body


UNUSED = [
    "/_stcore/metrics",
    "/_stcore/upload_file/a/b",
    "/_stcore/script-health-check",
    "/_stcore/bidi-components/x",
    "/_stcore/agent/mcp",
    "/_stcore/agent/interact",
    "/_stcore/agent/openapi.json",
    "/_stcore/stream",
    "/_stcore",
    "/_stcore/",
    "/component/x/index.html",
    "/app/static/x",
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
    "/robots.txt",
    "/.well-known/security.txt",
    "/.git/config",
    "/static/js/index.ABCDEFGH.js",
    "/static/../index.html",
    "/index.html",
    "/nothing",
    "/calls/more",
    "/CALLS",
    "//evil.example",
    "/health/",
    "/healthz",
    "/static",
    "/_stcore/health/",
    "/calls/_stcore/health",
    "/media",
    "\\\\evil\\share",
    "/%2e%2e",
    "/calls;x",
    "/calls\x00",
    "",
]


@pytest.mark.parametrize("path", UNUSED)
def test_unknown_and_unused_addresses_are_not_there(path):
    status, headers, body = ask(Guard(None), path=path)
    assert (status, headers["cache-control"]) == (404, "no-store")
    assert b"There is no such page" in body


def test_what_is_refused_is_never_kept():
    """Not even under an address that is kept for a year when its file is there."""
    found = Guard(None)
    kept = next(path for path in found.static if guard.DIGEST.search(path))
    assert ask(found, path=kept)[1]["cache-control"] == guard.A_YEAR
    for path in (kept, "/calls", "/data/datapackage.json"):
        status, headers, _body = ask(found, answer=404, path=path)
        assert (status, headers["cache-control"]) == (404, "no-store"), path


def test_every_answer_carries_the_headers():
    for path in ("/", "/health", "/nothing"):
        headers = ask(Guard(None), path=path)[1]
        assert set(guard.HEADERS) | {"content-security-policy"} <= set(headers)
        assert not any("uvicorn" in value for value in headers.values())


def test_a_year_only_for_files_that_are_there_and_hold_their_digest():
    found = Guard(None)
    kept = {
        path: ask(found, path=path)[1]["cache-control"] for path in (*found.static, *found.pages)
    }
    for path, value in kept.items():
        assert (value == guard.A_YEAR) == (
            path.startswith("/static/") and guard.DIGEST.search(path) is not None
        ), path
    assert kept["/favicon.png"] == kept["/manifest.json"] == kept["/"] == "no-cache"
    assert sum(value == guard.A_YEAR for value in kept.values()) > 200
    assert ask(found, path="/health")[1]["cache-control"] == "no-store"


def test_while_pages_are_written_the_other_replica_is_asked_at_once():
    for path in ("/", "/health", "/_stcore/health", "/data.json"):
        status, headers, _body = ask(Guard(None, ready=lambda: False), path=path)
        assert (status, headers["retry-after"]) == (503, "5")
    _got, sent, _seen = talk([], Guard(None, ready=lambda: False))
    assert sent[0]["status"] == 503


@pytest.mark.parametrize(
    ("query", "listed", "frame"),
    [
        (b"", (), "'self'"),
        (b"embed=true", (), "'self'"),
        (b"figure=x", (), "'self'"),
        (b"figure=&embed=true", (), "'self'"),
        (b"embed=true&embed=false&figure=x", (), "'self'"),
        (b"figure=x&embed=true", (), "*"),
        (b"figure=x&embed=true", ("https://news.example",), "'self' https://news.example"),
        (b"", ("https://news.example",), "'self'"),
        (
            b"figure=x&embed=true",
            ("https://news.example; script-src *", "*", "'none'", "javascript:x"),
            "*",
        ),
        (b"&".join([b"a=1"] * 60) + b"&figure=x&embed=true", (), "*"),
        (b"\xff%ff%00&=&&figure=%&embed=true", (), "*"),
        (b"figure=x&embed=true&a=" + b"x" * 5000, (), "'self'"),
    ],
)
def test_who_may_frame_what(query, listed, frame):
    status, headers, _body = ask(Guard(None, embedders=lambda: listed), path="/calls", query=query)
    assert status == 200
    assert headers["content-security-policy"].rpartition("frame-ancestors ")[2] == frame
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval';" in headers["content-security-policy"]


def test_messages_from_frames_are_taken_from_the_embedders_alone():
    for listed in ((), ("https://news.example", "nonsense")):
        told = json.loads(
            ask(Guard(None, embedders=lambda listed=listed: listed), path="/_stcore/host-config")[2]
        )
        assert told["allowedOrigins"] == [origin for origin in listed if origin.startswith("https")]
        assert "streamlit" not in json.dumps(told)


def test_what_a_browser_needs_comes_in():
    sound = [
        PAGE,
        BackMsg(stop_script=True),
        BackMsg(app_heartbeat=True),
        BackMsg(backend_operation_request={"request_id": "1", "deferred_file": {"file_id": "x"}}),
        BackMsg(
            rerun_script={
                "widget_states": {
                    "widgets": [
                        {"id": "$$ID-1-a", "string_array_value": {"data": ["en"]}},
                        {"id": "$$ID-2-b", "trigger_value": True},
                    ]
                }
            }
        ),
    ]
    got, sent, _seen = talk([m.SerializeToString() for m in sound])
    assert [BackMsg.FromString(m) for m in got] == sound
    assert not closed(sent)


UNWANTED = [
    BackMsg(clear_cache=True),
    BackMsg(set_run_on_save=True),
    BackMsg(debug_disconnect_websocket=True),
    BackMsg(debug_shutdown_runtime=True),
    BackMsg(file_urls_request={"request_id": "1", "file_names": ["x"]}),
    BackMsg(),
    BackMsg(backend_operation_request={"install_skills": {}}),
    BackMsg(backend_operation_request={"dismiss_skills_nudge": {}}),
    BackMsg(backend_operation_request={"dataframe_chunk": {}}),
    BackMsg(backend_operation_request={"request_id": "1"}),
    BackMsg(rerun_script={"query_string": "x" * 5000}),
    BackMsg(rerun_script={"page_name": "x" * 200}),
    BackMsg(rerun_script={"fragment_id": "x" * 200}),
    BackMsg(rerun_script={"page_script_hash": "x" * 200}),
    BackMsg(rerun_script={"widget_states": {"widgets": [{"id": f"$$ID-{n}"} for n in range(300)]}}),
    *(
        BackMsg(rerun_script={"widget_states": {"widgets": [{"id": name, "string_value": "x"}]}})
        for name in ("", "area", "_release", "ID-1", "$$STREAMLIT_INTERNAL_KEY_x")
    ),
    *(
        BackMsg(rerun_script={"widget_states": {"widgets": [{"id": "$$ID-1-x", kind: value}]}})
        for kind, value in {
            "bytes_value": b"x",
            "arrow_value": {},
            "file_uploader_state_value": {},
            "chat_input_value": {},
            "string_trigger_value": {"data": "x"},
            "json_value": "[" * 1000,
            "json_trigger_value": "{}",
        }.items()
    ),
]


@pytest.mark.parametrize("message", UNWANTED, ids=range(len(UNWANTED)))
def test_what_it_does_not_need_is_closed(message):
    assert fault_of(message)
    got, sent, _seen = talk(
        [PAGE.SerializeToString(), message.SerializeToString(), PAGE.SerializeToString()]
    )
    assert got == [PAGE.SerializeToString()]
    assert [m["code"] for m in closed(sent)] == [1008]


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff",
        b"x" * (MAX_BYTES + 1),
        {"type": "websocket.receive", "text": "hello"},
        {"type": "websocket.receive"},
        b"\x5a\xff\xff\xff\xff\x0f",
    ],
    ids=range(5),
)
def test_garbage_is_closed_without_a_word(frame, caplog):
    got, sent, _seen = talk([frame, PAGE.SerializeToString()])
    assert (got, len(closed(sent))) == ([], 1)
    assert "Traceback" not in caplog.text
    assert sent[-1]["type"] == "websocket.close", "nothing is sent after it"


def test_a_sound_message_that_is_too_large_is_closed():
    """Garbage of that size is closed as garbage: here size alone is wrong."""
    for size, comes_in in ((MAX_BYTES - 1_000, True), (MAX_BYTES, False)):
        message = BackMsg(
            rerun_script={
                "widget_states": {"widgets": [{"id": "$$ID-1-x", "string_value": "x" * size}]}
            }
        )
        assert not fault_of(message)
        got, sent, _seen = talk([message.SerializeToString()])
        assert (bool(got), bool(closed(sent))) == (comes_in, not comes_in)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_understood_or_closed(data):
    got, sent, _seen = talk([data])
    assert (
        bool(got) != bool(closed(sent))
        or BackMsg.FromString(data).WhichOneof("type") in guard.IGNORED
    )


def test_more_messages_than_hands_can_send():
    got, sent, _seen = talk([PAGE.SerializeToString()] * 500)
    assert guard.BURST <= len(got) <= guard.BURST + 5
    assert len(closed(sent)) == 1


def test_the_rate_allows_a_hundred_in_ten_seconds():
    now = [0.0]
    rate = Rate(lambda: now[0])
    assert all(rate.take() for _ in range(60))
    assert not rate.take()
    now[0] = 10.0
    assert sum(rate.take() for _ in range(200)) in range(55, 62)
    now[0] = 1000.0
    assert sum(rate.take() for _ in range(200)) == 60


@pytest.mark.parametrize(
    ("origin", "comes_in"),
    [
        ("http://data.example", True),
        ("https://data.example", True),
        (None, True),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("https://data.example.evil.example", False),
        ("https://evil.example/data.example", False),
        ("https://x.streamlit.app", False),
        ("http://localhost", False),
        ("http://data.example:81", False),
        ("http://[", False),
        ("data.example", False),
        ("http://u@data.example", False),
    ],
)
def test_only_pages_of_this_site_speak_to_the_app(origin, comes_in):
    got, sent, seen = talk(
        [PAGE.SerializeToString()], **({} if origin is None else {"origin": origin})
    )
    assert bool(got) == comes_in
    if comes_in:
        assert "origin" not in seen, "Streamlit judges none, and asks nobody about it"
    else:
        assert (sent[0]["type"], sent[0]["status"]) == ("websocket.http.response.start", 403)
        assert {b"content-security-policy", b"x-content-type-options"} <= {
            name for name, _value in sent[0]["headers"]
        }


def test_two_origins_or_no_host_are_refused():
    found = Guard(None)
    asked = scope("websocket", STREAM, origin="http://data.example")
    for headers in (
        asked["headers"] + [(b"origin", b"http://data.example")],
        [(b"origin", b"")],
        [(b"origin", b"http://"), (b"host", b"")],
    ):
        assert not guard.is_own_origin(guard.Headers(raw=headers))
    assert found.open == 0


@pytest.mark.parametrize(
    "path", ["/", "/calls/_stcore/stream", "/_stcore/stream/", "/_stcore/agent/mcp", "/ws"]
)
def test_no_other_websocket(path):
    _got, sent, _seen = talk([], path=path)
    assert sent[0].get("status") == 403


def test_the_handshake_carries_the_headers():
    _got, sent, _seen = talk([])
    assert {b"content-security-policy", b"x-content-type-options"} <= {
        name for name, _value in sent[0]["headers"]
    }


def test_only_so_many_at_a_time():
    found = Guard(None)
    found.open = guard.MAX_VISITORS
    assert talk([], found)[1][0].get("status") == 503
    found.open = guard.MAX_VISITORS - 1
    assert talk([], found)[1][0]["type"] == "websocket.accept"
    assert found.open == guard.MAX_VISITORS - 1


def first_message():
    message = ForwardMsg(hash="x")
    message.metadata.run.script_run_id = "r" * 100
    session = message.new_session
    session.name = session.main_script_path = "/srv/co-response/app/streamlit_app.py"
    session.main_script_hash, session.initialize.session_id = "abc", "def"
    environment = session.initialize.environment_info
    environment.streamlit_version, environment.python_version, environment.server_os = (
        "1.67.0",
        "3.11.7",
        "Linux",
    )
    session.initialize.user_info.installation_id_v4 = "machine"
    return message


def test_versions_paths_and_machine_are_told_to_nobody():
    told = untold(first_message().SerializeToString())
    for secret in (b"/srv", b"1.67.0", b"3.11.7", b"Linux", b"machine"):
        assert secret not in told
    kept = ForwardMsg.FromString(told).new_session
    assert (kept.main_script_hash, kept.initialize.session_id) == ("abc", "def")
    _got, sent, _seen = talk([], answers=[first_message().SerializeToString()])
    assert sent[1]["bytes"] == told


def test_other_messages_go_out_untouched():
    chart = ForwardMsg(hash="x")
    chart.delta.new_element.markdown.body = "\x22" * 5000
    for message in (chart, ForwardMsg(script_finished=0), ForwardMsg()):
        assert untold(message.SerializeToString()) == message.SerializeToString()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_walking_over_any_bytes_ends(data):
    assert guard._is_new_session(data) in (True, False)


def test_what_was_turned_away_is_counted_once_a_minute_of_nobody_in_particular(caplog):
    found = Guard(None)
    for _ in range(5):
        talk([b"\xff"], found)
        talk([], found, origin="http://evil.example")
    lines = [
        record.getMessage() for record in caplog.records if "turned away" in record.getMessage()
    ]
    assert len(lines) == 1
    assert "evil" not in lines[0]
