"""The running app attacked at its door: what a stranger's program, or a page of another site, may
try."""

import asyncio
import contextlib
import http.client
import json
import re
import socket
import threading
import time
import urllib.request
import uuid

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

from dashboard.export import opendata
from dashboard.release.reader import load_release
from tests.browser.conftest import serve
from tests.browser.test_service import get, pid_on
from tests.conftest import ROOT
from tests.coroutines import run
from tests.load.__main__ import megabytes
from tests.load.visitors import connect, open_page


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The app, and the file that tells what it looked for outside of this machine; its log."""
    folder = tmp_path_factory.mktemp("watched")
    asked, log = folder / "asked", folder / "log"
    asked.touch()
    for address in serve(
        ROOT / "data_public", log, WATCHED=str(asked), PYTHONPATH=str(ROOT / "tests/browser/watch")
    ):
        yield address, asked, log


def tries(address, **more):
    """A handshake; the status of its answer."""
    host, port = address.removeprefix("http://").split(":")
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {more.pop('Host', f'{host}:{port}')}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in more.items())
        + "\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as made:
        made.sendall(request.encode())
        answer = made.recv(4096).decode("latin-1")
    return int(answer.split()[1]), answer


def send_all(address, *frames):
    """Each frame on a socket of its own; how each was closed (None where it was not, within a
    second)."""

    async def one(frame):
        async with connect(address) as opened:
            with contextlib.suppress(websockets.ConnectionClosed):
                await opened.send(frame)
            try:
                async with asyncio.timeout(3):
                    while True:
                        await opened.recv()
            except websockets.ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006
            except TimeoutError:
                return None

    async def each():
        return [await one(frame) for frame in frames]

    return run(each())


def timed(address, page="calls"):
    async def once():
        async with connect(address) as opened:
            return await open_page(opened, page)

    return run(once())


def test_a_message_to_empty_the_caches_changes_nothing(watched):
    address, _asked, _log = watched
    timed(address)
    before = timed(address)
    assert send_all(address, BackMsg(clear_cache=True).SerializeToString()) == [1008]
    assert timed(address) < max(5 * before, 0.5), "the page is told from memory still"


def test_pages_of_other_sites_cost_nothing_and_ask_nobody(watched):
    """Streamlit itself asks a site of others for this machine's address, twice, and waits, before
    it refuses."""
    address, asked, _log = watched
    slow = []

    def look():
        until = time.monotonic() + 3
        while time.monotonic() < until:
            start = time.monotonic()
            get(f"{address}/health")
            slow.append(time.monotonic() - start)

    looking = threading.Thread(target=look)
    looking.start()
    origins = (
        "https://evil.example",
        "null",
        "https://x.streamlit.app",
        "http://localhost:1",
        f"{address}.evil.example",
    )
    answers = [tries(address, Origin=origin) for origin in origins]
    looking.join()
    timed(address)
    assert asked.read_text() == ""
    assert max(slow) < 1
    for status, answer in answers:
        assert status == 403
        assert "content-security-policy" in answer.lower()


def test_own_pages_come_in_and_the_handshake_is_guarded(watched):
    address, _asked, _log = watched
    offered = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    status, answer = tries(address, Origin=address, **offered)
    assert status == 101
    assert "x-content-type-options: nosniff" in answer.lower()
    assert "permessage-deflate" not in answer.lower(), "no compression, so no bomb"


def shown(address, **asked):
    """What a visitor's browser is told after a message that asks for a page, until the run of its
    script ends."""

    async def once():
        async with connect(address) as opened:
            await opened.send(BackMsg(rerun_script=asked).SerializeToString())
            found = []
            async with asyncio.timeout(30):
                while not found or found[-1].WhichOneof("type") != "script_finished":
                    found.append(ForwardMsg.FromString(await opened.recv()))
            return found

    return run(once())


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\x",
        "pages/calls.py",
        "calls\x00",
        "e\u0301" * 40,
        "streamlit_app",
        "{x}",
    ],
)
def test_page_names_over_the_socket(watched, name):
    """An unknown one is the first page; nothing is read by it, and nothing of it comes back."""
    found = shown(watched[0], page_name=name)
    told = b"".join(m.SerializeToString() for m in found if m.WhichOneof("type") == "delta")
    assert b"root:" not in told
    assert name.encode() not in told
    assert found[-1].script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
    assert "Traceback" not in watched[2].read_text()


def test_widgets_of_no_page_are_closed(watched):
    odd = [
        {"widgets": [{"id": name, "string_value": "x" * size}]}
        for name, size in (("area", 9), ("", 9), ("_release", 9), ("$$ID-1-a", 5_000_000))
    ]
    odd.append({"widgets": [{"id": "$$ID-1-a", "json_value": "[" * 5_000}]})
    frames = [
        BackMsg(rerun_script={"page_name": "calls", "widget_states": states}).SerializeToString()
        for states in odd
    ]
    assert set(send_all(watched[0], *frames)) <= {1008, 1009, 1006}
    assert timed(watched[0]) < 5


def test_a_fault_that_a_visitor_makes_is_told_once_by_kind_and_place(watched):
    """The slider's own name with a value of another kind: only that visitor's page fails, with a
    sentence. The log is not filled, nor quotes it."""
    address, _asked, log = watched
    slider = next(
        name
        for m in shown(address, page_name="money")
        for name in re.findall(r"\$\$ID-[0-9a-f]+-due", m.SerializeToString().decode("latin-1"))
    )
    before = len(log.read_text())
    for n in range(30):
        found = shown(
            address,
            page_name="money",
            widget_states={"widgets": [{"id": slider, "int_value": 9_876_543 + n}]},
        )
        told = [
            m.delta.new_element.exception
            for m in found
            if m.WhichOneof("type") == "delta" and m.delta.new_element.HasField("exception")
        ]
        assert len(told) == 1
        assert not list(told[0].stack_trace)
        assert "int" not in told[0].message
    said = log.read_text()[before:]
    assert said.count("a page failed: TypeError at ") == 1
    assert "dashboard/app/streamlit_surface.py" in said
    assert "98765" not in said
    assert len(said) < 2_000
    assert "Traceback" not in log.read_text()
    assert timed(address, "money") < 5


def test_a_fragment_that_no_page_has_is_passed_over(watched):
    async def ask():
        async with connect(watched[0]) as opened:
            await opened.send(
                BackMsg(
                    rerun_script={"page_name": "calls", "fragment_id": "no-such"}
                ).SerializeToString()
            )
            return await open_page(opened, "calls")

    assert run(ask()) < 10
    assert "Traceback" not in watched[2].read_text()


def test_the_number_of_a_session_is_all_that_opens_it(watched):
    """Streamlit lets a browser come back to its session by its number, 122 random bits that no
    other browser is told. Any other makes a new one."""

    async def come(*number):
        stream = f"{watched[0].replace('http', 'ws', 1)}/_stcore/stream"
        async with websockets.connect(
            stream, subprotocols=["streamlit", "PLACEHOLDER_AUTH_TOKEN", *number], max_size=None
        ) as opened:
            await opened.send(BackMsg(rerun_script={"page_name": "glossary"}).SerializeToString())
            while True:
                message = ForwardMsg.FromString(await opened.recv())
                if message.WhichOneof("type") == "new_session":
                    return message.new_session.initialize.session_id

    first = run(come())
    assert uuid.UUID(first).version == 4
    near = first[:-1] + ("0" if first[-1] != "0" else "1")
    others = [run(come(number)) for number in (near, first.upper(), "x", "0" * 500)]
    assert len({first, *others}) == 5


def test_nobody_uploads(watched):
    """With all that Streamlit asks for: a session of one's own, and a token of one's own making
    against forged requests, as header and as cookie."""
    address, _asked, _log = watched
    host, token = address.removeprefix("http://"), generate_xsrf_token_string()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\nContent-Type:'
        b" text/plain\r\n\r\nhello\r\n--x--\r\n"
    )
    headers = {
        "X-Xsrftoken": token,
        "Cookie": f"_streamlit_xsrf={token}",
        "Content-Type": "multipart/form-data; boundary=x",
    }

    def upload(method, session):
        made = http.client.HTTPConnection(host, timeout=10)
        made.request(
            method,
            f"/_stcore/upload_file/{session}/file",
            body=body if method != "OPTIONS" else None,
            headers=headers,
        )
        status = made.getresponse().status
        made.close()
        return status

    async def try_all():
        async with connect(address) as opened:
            await opened.send(BackMsg(rerun_script={"page_name": "glossary"}).SerializeToString())
            while (message := ForwardMsg.FromString(await opened.recv())).WhichOneof(
                "type"
            ) != "new_session":
                pass
            session = message.new_session.initialize.session_id
            return [
                await asyncio.to_thread(upload, method, session)
                for method in ("PUT", "POST", "DELETE", "OPTIONS")
            ]

    assert run(try_all()) == [405] * 4


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/mcp",
        "/component/x",
        "/auth/login",
        "/robots.txt",
        "/.git/config",
        "/static/js/index.ABCDEFGH.js",
        "/no-such-page",
    ],
)
def test_what_is_not_there_is_not_there(watched, path):
    status, headers, _body = get(f"{watched[0]}{path}")
    assert (status, headers["cache-control"]) == (404, "no-store")


def test_versions_paths_and_server_are_told_to_nobody(watched):
    import sys

    import streamlit

    async def first():
        async with connect(watched[0]) as opened:
            await opened.send(BackMsg(rerun_script={"page_name": "calls"}).SerializeToString())
            return [await opened.recv() for _ in range(10)]

    messages = run(first())
    assert any(ForwardMsg.FromString(m).WhichOneof("type") == "new_session" for m in messages)
    for secret in (
        str(ROOT),
        streamlit.__version__,
        ".".join(map(str, sys.version_info[:3])),
        "linux",
    ):
        assert secret.encode() not in b"".join(messages).lower()
    for path in ("/", "/health", "/no", "/data.json"):
        assert get(f"{watched[0]}{path}")[1]["server"] == "co-response"


def test_garbage_large_and_many_frames_are_closed_without_a_traceback(watched):
    address, _asked, log = watched
    frames = [
        b"\xff" * 50,
        "text",
        b"x" * 200_000,
        BackMsg(debug_shutdown_runtime=True).SerializeToString(),
    ]
    frames += [
        BackMsg(debug_disconnect_websocket=True).SerializeToString(),
        BackMsg(backend_operation_request={"install_skills": {}}).SerializeToString(),
    ]
    codes = send_all(address, *frames)
    assert "Traceback" not in log.read_text()
    assert codes == [1008] * len(frames)
    assert get(f"{address}/health")[0] == 200


def test_frames_of_many_megabytes_are_cut_before_they_are_held(watched):
    address, _asked, log = watched
    pid = pid_on(address.rpartition(":")[2])
    before = megabytes(pid)
    assert set(send_all(address, *[b"x" * 26_000_000] * 4)) <= {1009, 1006}
    assert megabytes(pid) - before < 60
    assert "Traceback" not in log.read_text()


def test_a_flood_from_one_visitor_is_cut(watched):
    async def flood():
        async with connect(watched[0]) as opened:
            with contextlib.suppress(websockets.ConnectionClosed):
                for _ in range(300):
                    await opened.send(BackMsg(app_heartbeat=True).SerializeToString())
            with pytest.raises(websockets.ConnectionClosed):
                async with asyncio.timeout(5):
                    while True:
                        await opened.recv()

    run(flood())
    assert timed(watched[0]) < 5


def test_the_catalog_never_repeats_the_name_in_a_request(watched):
    asked = urllib.request.Request(
        f"{watched[0]}/data.json",
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        told = answer.read()
    assert b"evil" not in told
    links = [
        d["downloadURL"] for dataset in json.loads(told)["dataset"] for d in dataset["distribution"]
    ]
    assert len(links) > 50
    assert all(link.startswith("https://co-response.example.org/data/") for link in links), (
        "the agency's own site"
    )


def test_without_a_site_the_catalog_is_relative_to_itself(watched):
    told = json.loads(opendata.dcat([load_release(ROOT / "data_public")], ""))
    assert get(f"{watched[0]}/{told['dataset'][0]['distribution'][0]['downloadURL']}")[0] == 200


def test_data_have_a_tag_and_ranges(watched):
    address = f"{watched[0]}/data/latest/datapackage.json"
    whole = get(address)[2]
    tag = get(address)[1]["etag"]

    def ask(**headers):
        asked = urllib.request.Request(
            address, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    assert ask(If_None_Match=tag)[0] == ask(If_None_Match=f'"x", W/{tag}')[0] == 304
    assert ask(If_None_Match='"other"')[0] == 200
    for asked, expected in (
        ("bytes=0-9", whole[:10]),
        ("bytes=5-", whole[5:]),
        ("bytes=-7", whole[-7:]),
        (f"bytes=10-{10**14}", whole[10:]),
    ):
        status, headers, body = ask(Range=asked, Accept_Encoding="gzip")
        assert (status, body) == (206, expected), asked
        assert headers["content-range"].endswith(f"/{len(whole)}")
    assert (
        ask(Range=f"bytes={len(whole)}-")[0]
        == ask(Range="bytes=9-3")[0]
        == ask(Range="bytes=-0")[0]
        == 416
    )
    for odd in (
        "bytes=0-1,3-4",
        "bytes=-",
        "bytes=x",
        "lines=0-1",
        "bytes=" + "9" * 5000 + "-",
        "bytes=٣-٤",
    ):
        assert ask(Range=odd.encode().decode("latin-1"))[0] == 200, odd
    assert ask(Range="bytes=0-9", If_Range='"old"')[2] == whole
    assert ask(Range="bytes=0-9", If_Range=tag)[2] == whole[:10]


def test_health_is_never_kept(watched):
    assert get(f"{watched[0]}/health")[1]["cache-control"] == "no-store"


def test_at_a_start_nobody_outside_is_asked(watched):
    assert watched[1].read_text() == ""


def test_three_hundred_idle_visitors_cost_little(watched):
    async def idle():
        opened = await asyncio.gather(*(connect(watched[0], n).__aenter__() for n in range(300)))
        status = await asyncio.to_thread(get, f"{watched[0]}/health")
        await asyncio.gather(*(one.close() for one in opened))
        return status[0]

    assert run(idle()) == 200


def test_half_requests_are_closed(watched):
    """Also after a whole one; a connection that goes on asking, and an open page, stay."""
    host, port = watched[0].removeprefix("http://").split(":")
    halves = [
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"",
        b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /he",
    ]
    opened = [socket.create_connection((host, int(port)), timeout=40) for _ in range(3 * 20)]
    for n, one in enumerate(opened):
        one.sendall(halves[n % 3])

    async def page():
        async with connect(watched[0]) as stays:
            await asyncio.sleep(25)
            return await open_page(stays, "calls")

    assert run(page()) < 30
    for one in opened:
        while one.recv(65536):
            pass
        one.close()


MALFORMED = [
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding:"
        b" chunked\r\n\r\n0\r\n\r\n"
    ),
    b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /calls/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /..%2f..%5c HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%ff%fe HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /?" + b"&".join(b"k%d=1" % n for n in range(20_000)) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /calls/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
]


@pytest.mark.parametrize("request_", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_requests_are_answered_or_closed(watched, request_):
    address, _asked, log = watched
    host, port = address.removeprefix("http://").split(":")
    answer = b""
    with (
        socket.create_connection((host, int(port)), timeout=3) as made,
        contextlib.suppress(OSError),
    ):
        made.sendall(request_)
        made.settimeout(1)
        while part := made.recv(65536):
            answer += part
    assert b"root:" not in answer
    assert b"evil.example" not in answer, "no redirect elsewhere"
    assert get(f"{address}/health")[0] == 200
    assert "Traceback" not in log.read_text()
