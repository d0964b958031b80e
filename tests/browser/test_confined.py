"""The app under the limits of its systemd unit: it starts, shows a page, makes pictures, PDF and
zip; and cannot do what the unit takes from it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.serving import serve_command

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0
    or not all(map(shutil.which, ("unshare", "systemd-analyze", "ip", "nsenter"))),
    reason=(
        "NOT ROOT, OR NO unshare, systemd-analyze, ip OR nsenter: the app was not tried under the"
        " limits of its unit"
    ),
)
HIDDEN = ("/tmp", "/var/tmp", "/home", "/root", "/run/user")
if any(str(ROOT).startswith(f"{place}/") for place in HIDDEN):
    pytestmark = pytest.mark.skip(
        reason=(
            f"THE PROJECT LIES IN {ROOT}, WHICH THE UNIT HIDES: the app was not tried under its"
            " limits"
        )
    )
INSIDE = [
    "unshare",
    "--mount",
    "--ipc",
    "--uts",
    "--net",
    sys.executable,
    "-m",
    "tests.confined",
    sys.executable,
]
ENVIRONMENT = os.environ | {
    "HOME": "/tmp",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONMALLOC": "malloc",
    "RELEASE_DIR": str(ROOT / "data_public"),
}


def inside(script):
    return subprocess.run(
        [*INSIDE, "-c", script],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )


TRIES = {
    "write": "open('data_public/x', 'w')",
    "write beside": "open('/var/tmp/x', 'w')",
    "mount": (
        "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.mount(b't', b'/tmp',"
        " b'tmpfs', 0, None); assert r == 0"
    ),
    "trace": "import ctypes; assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0",
    "packets": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "owner": "import os; os.chown('/tmp', 1, 1)",
    "clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0)",
    "outside": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=3)",
    "machine": "open('/proc/meminfo')",
    "module": "import ctypes; assert ctypes.CDLL(None).init_module(0, 0, b'') == 0",
}


@pytest.mark.parametrize("what", TRIES)
def test_what_the_unit_takes_away(what):
    done = inside(TRIES[what])
    assert done.returncode == 1, done.stderr
    assert (
        done.stderr.rstrip()
        .splitlines()[-1]
        .startswith(
            ("OSError", "PermissionError", "AssertionError", "FileNotFoundError", "TimeoutError")
        )
    )


def test_everything_to_take_away_is_made():
    """Pictures are drawn by V8, which compiles as it runs; the brief by Typst."""
    done = inside(
        "from pathlib import Path\nfrom dashboard.export import brief, opendata, downloads\n"
        "from dashboard.release.reader import load_release\nfrom tests.paper import page_of\n"
        "release = load_release(Path('data_public'))\n"
        "figure = next(f for f in page_of(release, 'calls').found if f.chart)\n"
        "assert downloads.svg(figure, release, '').startswith(b'<svg')\n"
        "assert downloads.png(figure, release, '').startswith(b'\\x89PNG')\n"
        "made = brief.pdf_of(release, next(iter(brief.districts(release))), "
        "next(iter(brief.years(release))))\nassert made.startswith(b'%PDF')\n"
        "assert opendata.zip_of(release).startswith(b'PK')\n"
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_app_runs_shut_in():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = subprocess.Popen(
        serve_command(port, python=INSIDE),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    visitor = (
        "import asyncio, urllib.request\nfrom dashboard.page.pages_list import PAGES\n"
        f"from tests.load.visitors import connect, open_page\naddress = 'http://127.0.0.1:{port}'\n"
        "print(urllib.request.urlopen(address + '/health', timeout=5).read().decode())\n"
        "async def visit():\n    async with connect(address) as opened:\n"
        "        for page in PAGES:\n            await open_page(opened, page)\n"
        "asyncio.run(visit())\n"
    )
    try:
        for _ in range(120):
            done = subprocess.run(
                ["nsenter", "-t", str(server.pid), "-n", sys.executable, "-c", visitor],
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            if (
                done.returncode == 0
                or server.poll() is not None
                or not any(word in done.stderr for word in ("Refused", "503", "timed out"))
            ):
                break
            time.sleep(0.5)
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout)["status"] == "ok"
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            said, _ = server.communicate(timeout=20)
    assert "Traceback" not in said
