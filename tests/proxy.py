"""nginx from `deploy/nginx.conf` before two running replicas."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conftest import ROOT

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)


@contextlib.contextmanager
def nginx_before(addresses: Sequence[str], folder: Path) -> Iterator[str]:
    """The proxy's address; all of its files stay in `folder`."""
    assert NGINX is not None
    ports = [address.rpartition(":")[2] for address in addresses]
    port = str(int(max(ports, key=int)) + 1 if int(max(ports, key=int)) < 65000 else 23456)
    text = (ROOT / "deploy/nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8501", f"127.0.0.1:{ports[0]}"),
        ("127.0.0.1:8502", f"127.0.0.1:{ports[1]}"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "co-response.conf").write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    mime = "types { text/html html; application/javascript js; text/css css; }"
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections"
        f" 4096; }} http {{ {mime} access_log {folder}/access.log; {temporary} include"
        f" {folder}/co-response.conf; }}"
    )
    command = [
        NGINX,
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
    ]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    proxy = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _wait_for(int(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.terminate()
        proxy.wait(timeout=10)


@contextlib.contextmanager
def nginx_with_files(files: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """nginx with its defaults before a folder of plain files, as a city's own web server would be;
    gives its address and its log (status, method, range asked for, bytes sent)."""
    assert NGINX is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "plain.conf").write_text(
        f"daemon off; user root; pid {folder}/plain.pid; error_log {folder}/plain-error.log; events"
        f' {{ }} http {{ {temporary} log_format parts \'$status $request_method "$http_range"'
        f" $body_bytes_sent'; access_log {folder}/plain.log parts; server {{ listen"
        f" 127.0.0.1:{port}; root {files}; }} }}"
    )
    proxy = subprocess.Popen(
        [
            NGINX,
            "-p",
            str(folder),
            "-c",
            str(folder / "plain.conf"),
            "-e",
            str(folder / "plain-error.log"),
        ],
        stderr=subprocess.DEVNULL,
    )
    _wait_for(port)
    try:
        yield f"http://127.0.0.1:{port}", folder / "plain.log"
    finally:
        proxy.terminate()
        proxy.wait(timeout=10)
