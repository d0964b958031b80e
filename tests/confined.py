"""Run a program as `deploy/co-response@.service` shuts it in, as far as that can be done without
systemd: `python -m tests.confined PROGRAM ...`, as root, inside `unshare --mount --ipc --uts
--net`.

The same system calls by the unit's own lines, the same families of addresses, no capabilities and
no way to new ones, a file system that can only be read, a /tmp of its own, /proc with processes
alone, loopback alone, the same limit of open files. Not tried: memory and task limits (they need a
cgroup), ProtectHome, DynamicUser and the devices.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).resolve().parent.parent / "deploy/co-response@.service"
ALLOW, REFUSE, EQUAL = 0x7FFF0000, 0x00050000, 4
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, MAX_CAPABILITIES = 24, 38, 41


def lines(name: str) -> list[str]:
    return re.findall(rf"(?m)^{name}=(.*)$", UNIT.read_text())


def calls_of(name: str) -> set[str]:
    """A set of system calls such as @mount, by systemd's own list; a call is itself."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout
    inside = [
        line.strip()
        for line in listed.splitlines()[1:]
        if line.strip() and not line.strip().startswith("#")
    ]
    return set().union(*map(calls_of, inside))


def allowed() -> set[str]:
    found: set[str] = set()
    for line in lines("SystemCallFilter"):
        named = set().union(*map(calls_of, line.removeprefix("~").split()))
        found = found - named if line.startswith("~") else found | named
    return found | calls_of("@default")


class Comparison(ctypes.Structure):
    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


def shut_in() -> None:
    """Mounts, capabilities, limits and the filter of system calls, in this process and all that it
    becomes."""
    for command in (
        "mount --make-rprivate /",
        "mount -t proc -o subset=pid,hidepid=2 proc /proc",
        "mount -o remount,bind,ro /",
        "mount -t tmpfs tmpfs /tmp",
        "ip link set lo up",
    ):
        subprocess.run(command.split(), check=True)
    os.umask(int(lines("UMask")[0], 8))
    limit = int(lines("LimitNOFILE")[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    calls, families = allowed(), lines("RestrictAddressFamilies")[0].split()
    libc, seccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(REFUSE | errno.EPERM))
    for name in sorted(calls):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and name != "socket":
            assert seccomp.seccomp_rule_add_array(context, ALLOW, number, 0, None) == 0, name
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in families:
        comparison = Comparison(0, EQUAL, getattr(socket, family), 0)
        assert (
            seccomp.seccomp_rule_add_array(context, ALLOW, number, 1, ctypes.byref(comparison)) == 0
        )
    for capability in range(MAX_CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    assert seccomp.seccomp_load(context) == 0


if __name__ == "__main__":
    shut_in()
    os.execv(sys.argv[1], sys.argv[1:])
