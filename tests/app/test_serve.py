"""`co-response serve`, started and ended as a service manager does it."""

import socket
import subprocess
import sys
import time

from tests.conftest import ROOT


def answers(port):
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def test_the_website_does_not_outlive_the_command():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "co_response", "serve", "--release", "data_public"]
    served = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not answers(port) and time.monotonic() < until:
            assert served.poll() is None, "it ended by itself"
            time.sleep(0.2)
        assert answers(port)
        served.terminate()
        assert served.wait(60) == 0
        assert not answers(port), "what it started goes on"
    finally:
        served.kill()
