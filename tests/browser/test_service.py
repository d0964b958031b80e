"""The service: health, headers, data addresses, a new release without a restart, a broken one
refused, two replicas behind nginx."""

import asyncio
import contextlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter

import pyarrow.parquet as pq
import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.export import opendata
from dashboard.release.reader import load_release
from tests.browser.conftest import free_address, running, serve
from tests.browser.test_pages import settle, visit
from tests.conftest import ROOT
from tests.coroutines import run
from tests.load.visitors import connect, open_page
from tests.proxy import NGINX, nginx_before
from tests.ranges import RangeFile


def get(address, seconds=10):
    """(status, headers, body)"""
    try:
        with urllib.request.urlopen(address, timeout=seconds) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def test_health(example):
    status, headers, body = get(f"{example}/health")
    told = json.loads(body)
    assert status == 200
    assert (told["status"], told["release"], told["audit"], told["approved"]) == (
        "ok",
        "2026.1",
        "passed",
        True,
    )
    assert told["age_days"] > 300
    assert headers["content-type"] == "application/json"


def test_every_answer_is_guarded(example):
    for path in (
        "/",
        "/calls",
        "/health",
        "/data/latest/datapackage.json",
        "/data/none",
        "/static/nothing.js",
    ):
        _status, headers, _body = get(f"{example}{path}")
        rules = dict(
            part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
        )
        assert rules["default-src"] == "'self'"
        assert rules["object-src"] == "'none'"
        for name in ("script-src", "style-src", "connect-src", "img-src", "font-src"):
            assert not re.search(r"https?:|\*", rules[name]), name
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


def test_whoever_runs_the_app_may_say_who_frames_its_figures(tmp_path):
    for address in serve(ROOT / "data_public", tmp_path / "log", EMBEDDERS="https://news.example"):
        assert get(f"{address}/calls?figure=x&embed=true")[1]["content-security-policy"].endswith(
            "frame-ancestors https://news.example"
        )
        assert get(f"{address}/calls?embed=true")[1]["content-security-policy"].endswith(
            "frame-ancestors 'self'"
        )


def test_data_at_lasting_addresses(example):
    release = load_release(ROOT / "data_public")
    for path, expected in opendata.files(release).items():
        for version in ("latest", release.version):
            status, headers, body = get(f"{example}/data/{version}/{path}")
            assert (status, body) == (200, expected), path
            assert headers["cache-control"] == "public, max-age=300", "its name holds no digest"
    assert get(f"{example}/data/2025.1/datapackage.json")[0] == 200
    catalog = json.loads(get(f"{example}/data.json")[2])
    assert len(catalog["dataset"]) == 2


@pytest.mark.parametrize("code", ["en", "es"])
def test_feed_and_calendar_are_named_by_pages_and_answered(example, code):
    _status, _headers, page = get(f"{example}/calls?lang={code}")
    named = re.findall(r'<link rel="alternate" type="([^"]+)"[^>]* href="([^"]+)">', page.decode())
    assert [kind for kind, _ in named] == ["application/atom+xml", "text/calendar"]
    for kind, path in named:
        status, headers, body = get(f"{example}{path}")
        assert status == 200
        assert headers["content-type"].startswith(kind)
        assert headers["cache-control"] == "public, max-age=300"
        assert b"https://co-response.example.org/changes?" in body.replace(b"\r\n ", b"")
    assert get(f"{example}/feed-xx.xml")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "../README.md",
        "%2e%2e/README.md",
        "..%2f..%2fREADME.md",
        "tables/../../README.md",
        "/etc/passwd",
        "history/2025.1/audit.json",
        "",
    ],
)
def test_no_other_file_is_ever_read(example, path):
    status, _headers, body = get(f"{example}/data/latest/{path}")
    assert status in (400, 404), body[:300]
    for secret in (b"root:", b"datapackage_sha256", b"import "):
        assert secret not in body


def swap(folder, new):
    """As `publish` does: two renames."""
    aside = folder.with_name("aside")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    new.rename(folder)


def test_a_new_release_goes_live_and_a_broken_one_does_not(tmp_path, tab):
    """No restart: old, new, broken, mended. A page that is open goes over with its next step; what
    is broken is never shown."""
    live = tmp_path / "live"
    shutil.copytree(ROOT / "data_public/history/2025.1", live)
    log = tmp_path / "log"
    for address in serve(live, log):
        visit(tab, f"{address}/calls")
        assert "Release 2025.1." in tab.locator("body").inner_text()
        shutil.copytree(ROOT / "data_public", tmp_path / "new")
        swap(live, tmp_path / "new")
        assert json.loads(get(f"{address}/health")[2])["release"] == "2026.1"
        tab.get_by_role("button", name="What happens").click()
        tab.get_by_role("link", name="Response times").click()
        tab.get_by_text("Release 2026.1.").wait_for()
        shutil.copytree(ROOT / "data_public", tmp_path / "broken")
        with (tmp_path / "broken/tables/outcomes.csv").open("a") as handle:
            handle.write("2025,all,all,all,3,published\n")
        swap(live, tmp_path / "broken")
        told = json.loads(get(f"{address}/health")[2])
        assert told["release"] == "2026.1"
        assert "refused" in told["status"]
        visit(tab, f"{address}/outcomes")
        assert "Release 2026.1." in tab.locator("body").inner_text()
        assert (
            get(f"{address}/data/latest/tables/outcomes.csv")[2]
            == (ROOT / "data_public/tables/outcomes.csv").read_bytes()
        )
        shutil.copytree(ROOT / "data_public", tmp_path / "mended")
        swap(live, tmp_path / "mended")
        assert json.loads(get(f"{address}/health")[2])["status"] == "ok"
    assert "is refused (changed); release 2026.1 stays up" in log.read_text()


TOLD = ("markdown", "heading", "html", "arrow_table", "alert")
SEEN = ("calls", "outcomes", "scorecard")


async def told_by(opened, page):
    """The texts and tables of a page in the order of their places, as a visitor's browser shows
    them: what comes later for a place, such as a list of contents, takes it."""
    await opened.send(BackMsg(rerun_script={"page_name": page}).SerializeToString())
    found = {}
    while True:
        message = ForwardMsg.FromString(await opened.recv())
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.new_element.WhichOneof("type") in TOLD:
            place = tuple(message.metadata.delta_path)
            found[place] = message.delta.new_element.SerializeToString()
        elif (
            kind == "script_finished"
            and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        ):
            return b"\n".join(found[place] for place in sorted(found))


def test_no_page_of_two_releases_during_a_swap(tmp_path):
    """Each page while a new release comes is, word for word, the page of the one before or of the
    new one."""
    live = tmp_path / "live"
    shutil.copytree(ROOT / "data_public/history/2025.1", live)

    async def watch(address):
        async with connect(address) as opened:
            before = {page: await told_by(opened, page) for page in SEEN}
            shutil.copytree(ROOT / "data_public", tmp_path / "new")
            swap(live, tmp_path / "new")
            during, until = [], time.monotonic() + 120
            while (
                time.monotonic() < until
                and json.loads((await asyncio.to_thread(get, f"{address}/health"))[2])["release"]
                == "2025.1"
            ):
                during += [(page, await told_by(opened, page)) for page in SEEN]
            during += [(page, await told_by(opened, page)) for page in SEEN]
            after = {page: await told_by(opened, page) for page in SEEN}
            return before, during, after

    for address in serve(live, tmp_path / "log", WRITE_AHEAD="1"):
        before, during, after = run(watch(address))
    assert all(len(before[page]) > 1_000 and before[page] != after[page] for page in SEEN)
    assert sum(told == before[page] for page, told in during) >= len(SEEN), (
        "seen while the new one was made ready"
    )
    assert [page for page, told in during if told not in (before[page], after[page])] == []


def test_health_without_a_release(tmp_path):
    for address in serve(tmp_path / "none", tmp_path / "log"):
        status, _headers, body = get(f"{address}/health")
        assert (status, json.loads(body)["reason"]) == (503, "missing")


@contextlib.contextmanager
def two_apps(folder):
    """Two replicas that start side by side and log into `folder`; their addresses."""
    if NGINX is None:
        pytest.skip("NO NGINX HERE: the proxy was not tried (apt-get install nginx-light)")
    with contextlib.ExitStack() as all_of_it:
        found = [free_address() for _ in range(2)]
        for name, address in zip(("one", "two"), found, strict=True):
            log = folder / f"{name}.log"
            all_of_it.enter_context(running(ROOT / "data_public", address, log))
        for address in found:
            answers(address)
        yield found


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apps")
    with two_apps(folder) as addresses:
        yield folder, addresses


@pytest.fixture
def replicas(apps, tmp_path):
    """nginx with the file of `deploy/`, new for each test so that no visitor of an earlier one
    counts, before two replicas that all of them share; gives its address and theirs."""
    with nginx_before(apps[1], tmp_path) as front:
        yield front, apps[1]


@pytest.fixture
def replicas_of_its_own(tmp_path):
    with two_apps(tmp_path) as addresses, nginx_before(addresses, tmp_path) as front:
        yield front, addresses


def pid_on(port):
    found = subprocess.run(
        ["ss", "-ltnp", f"sport = :{port}"], capture_output=True, text=True
    ).stdout
    return int(re.search(r"pid=(\d+)", found)[1])


def test_headers_and_compression_through_the_proxy(replicas):
    address, _ = replicas
    status, headers, _body = get(f"{address}/")
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "nginx/" not in headers.get("server", "")
    asked = urllib.request.Request(
        f"{address}/data/latest/tables/outcomes.csv", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.headers["content-encoding"] == "gzip"


def test_the_file_of_all_cells_is_read_by_parts_through_the_proxy(replicas):
    address, _ = replicas
    far = RangeFile(f"{address}/data/latest/cells.parquet")
    whole = opendata.files(load_release(ROOT / "data_public"))["cells.parquet"]
    table = pq.read_table(far, columns=["table", "value"])
    assert table.equals(pq.read_table(io.BytesIO(whole), columns=["table", "value"]))
    assert len(far.asked) > 1, "each part was answered as one"


def test_what_nginx_answers_itself_is_guarded(replicas):
    address, _ = replicas
    host, port = address.removeprefix("http://").split(":")
    for request, expected in (
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (
            b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n"
            + b"x" * 70_000,
            413,
        ),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ):
        with socket.create_connection((host, int(port)), timeout=5) as made:
            with contextlib.suppress(OSError):
                made.sendall(request)
            answer = made.recv(4096).decode("latin-1").lower()
        assert int(answer.split()[1]) == expected
        assert "x-content-type-options: nosniff" in answer
        assert "content-security-policy: default-src 'none'" in answer
        assert "nginx/" not in answer


def test_readers_are_in_no_log(replicas, apps, tmp_path):
    """Neither who they are nor what they look at: not in nginx's files, not in the app's."""
    address, addresses = replicas
    asked = urllib.request.Request(
        f"{address}/neighborhood?area=SECRETAREA", headers={"User-Agent": "SECRETDEVICE"}
    )
    urllib.request.urlopen(asked, timeout=10).read()
    get(f"{address}/none?area=SECRETAREA")
    run(one_page(address, "neighborhood", "area=SECRETAREA"))
    for replica in addresses:  # an upstream that fails makes nginx write error lines
        os.kill(pid_on(replica.rpartition(":")[2]), signal.SIGSTOP)
    get(f"{address}/neighborhood?area=SECRETAREA", 60)
    for replica in addresses:
        os.kill(pid_on(replica.rpartition(":")[2]), signal.SIGCONT)
    logs = "".join(
        p.read_text(errors="replace")
        for folder in (tmp_path, apps[0])
        for p in folder.iterdir()
        if p.is_file() and p.suffix == ".log"
    )
    for secret in ("SECRETAREA", "SECRETDEVICE", "127.0.0.1 -", "client:"):
        assert secret not in logs


async def one_page(address, page, query=""):
    asked = BackMsg()
    asked.rerun_script.page_name, asked.rerun_script.query_string = page, query
    async with connect(address) as opened:
        await opened.send(asked.SerializeToString())
        async with asyncio.timeout(30):
            while (
                ForwardMsg.FromString(await opened.recv()).WhichOneof("type") != "script_finished"
            ):
                pass


def test_a_council_hall_behind_one_address(replicas):
    """400 open pages of one address, all let in; a program that goes on is slowed, and whole other
    addresses are not."""
    address, _ = replicas

    async def hall():
        stream = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
        opened = await asyncio.gather(
            *(
                websockets.connect(stream, subprotocols=["streamlit"], open_timeout=60)
                for _ in range(400)
            )
        )
        status = await asyncio.to_thread(get, f"{address}/health")
        await asyncio.gather(*(one.close() for one in opened))
        return status[0]

    assert run(hall()) == 200


def test_a_program_that_asks_and_asks_is_slowed(replicas):
    address, _ = replicas
    host = address.removeprefix("http://")
    seen = Counter()
    made = http.client.HTTPConnection(host, timeout=10)
    for _ in range(700):
        made.request("HEAD", "/data/latest/none")
        answer = made.getresponse()
        answer.read()
        seen[answer.status] += 1
    assert seen[429] > 100
    assert seen[404] >= 400


def test_readers_do_not_wait_for_a_replica_that_starts(tmp_path):
    """One replica restarts, and writes its pages for a while: everyone is with the other meanwhile,
    within two seconds."""
    if NGINX is None:
        pytest.skip("NO NGINX HERE: the proxy was not tried (apt-get install nginx-light)")
    with contextlib.ExitStack() as all_of_it:
        one = serve(ROOT / "data_public", tmp_path / "one.log")
        first = next(one)
        second = free_address()
        front = all_of_it.enter_context(nginx_before([first, second], tmp_path))
        starting = all_of_it.enter_context(
            running(ROOT / "data_public", second, tmp_path / "two.log", WRITE_AHEAD="1")
        )
        took, own = [], set()
        for n in range(60):
            start = time.monotonic()
            asked = urllib.request.Request(f"{front}/calls", headers={"User-Agent": f"reader {n}"})
            with urllib.request.urlopen(asked, timeout=30) as answer:
                assert answer.status == 200
            took.append(time.monotonic() - start)
            with contextlib.suppress(OSError):
                own.add(get(f"{second}/health", 5)[0])
            time.sleep(0.2)
        assert starting.poll() is None
        assert max(took) < 2
        assert 503 in own, "it was starting, and said so at once"
        next(one, None)


async def come_in(front, visitors):
    """That many visitors, each of an address of their own, open a page within 10 seconds; their
    connections, which stay."""

    async def one(n):
        opened = await connect(front, n)
        await open_page(opened, "get_help")
        return opened

    async with asyncio.timeout(10):
        return await asyncio.gather(*(one(n) for n in range(visitors)))


def stop(process):
    process.kill()
    process.wait()


def answers(address):
    """Waits until a replica answers."""
    for _ in range(240):
        with contextlib.suppress(OSError):
            if get(f"{address}/health", 2)[0] == 200:
                return
        time.sleep(0.25)
    pytest.fail(f"{address} did not start")


def test_the_second_replica_restarts_when_the_first_is_just_back(tmp_path):
    """nginx gave up a replica when it was restarted, and takes it for well again only once an
    answer of it has ended. Open pages do not end: the other one can still go, and nobody finds a
    closed door."""
    if NGINX is None:
        pytest.skip("NO NGINX HERE: the proxy was not tried (apt-get install nginx-light)")
    addresses = [free_address() for _ in range(2)]

    async def day(front, one, two):
        await come_in(front, 8)
        await asyncio.to_thread(stop, one)
        await come_in(front, 8)  # nginx finds the first gone
        with running(ROOT / "data_public", addresses[0], tmp_path / "log"):
            await asyncio.to_thread(answers, addresses[0])
            await asyncio.sleep(6)  # longer than nginx leaves it alone
            opened = await come_in(front, 8)
            await asyncio.to_thread(stop, two)
            opened += await come_in(front, 8)
            assert len(opened) == 16

    with contextlib.ExitStack() as all_of_it:
        front = all_of_it.enter_context(nginx_before(addresses, tmp_path))
        one, two = (
            all_of_it.enter_context(running(ROOT / "data_public", address, tmp_path / "log"))
            for address in addresses
        )
        for address in addresses:
            answers(address)
        run(day(front, one, two))
        status, headers, body = get(f"{front}/health")
    assert status == 502, "with neither there, nginx says so itself"
    assert b"Please try again in a moment" in body
    assert headers["x-content-type-options"] == "nosniff"


def test_half_requests_are_closed_by_the_proxy(replicas):
    """Slow loris: headers that never end, each second a letter more."""
    host, port = replicas[0].removeprefix("http://").split(":")
    opened = [socket.create_connection((host, int(port)), timeout=30) for _ in range(50)]
    start = time.monotonic()
    for one in opened:
        one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    while opened and time.monotonic() - start < 25:
        for one in list(opened):
            try:
                one.send(b"a")
            except OSError:
                opened.remove(one)
        assert get(f"{replicas[0]}/health")[0] == 200
        time.sleep(1)
    assert not opened, "a slow request had more than its ten seconds"


def test_readers_of_a_killed_replica_are_back_within_10_seconds(replicas_of_its_own, browser):
    address, addresses = replicas_of_its_own
    page = browser.new_context().new_page()
    page.set_default_timeout(30_000)
    visit(page, f"{address}/calls?area=harbor")
    # The replica that holds this visitor's connection is the one to kill.
    held = {
        a: (
            subprocess.run(
                ["ss", "-tn", "state", "established", f"sport = :{a.rpartition(':')[2]}"],
                capture_output=True,
                text=True,
            ).stdout.count("\n")
        )
        for a in addresses
    }
    victim = max(held, key=held.get)
    os.kill(pid_on(victim.rpartition(":")[2]), signal.SIGKILL)
    started = time.monotonic()
    while time.monotonic() - started < 10:
        try:
            page.goto(f"{address}/calls?area=harbor", timeout=5_000)
            page.get_by_text("Calls over time: Harbor").first.wait_for(timeout=5_000)
            break
        except Exception:
            continue
    else:
        pytest.fail("the reader was not back within 10 seconds")
    settle(page)
    assert page.get_by_text("Calls over time: Harbor").count()
