"""The files of `deploy/`: how far a replica is shut in, and what a proxy and an image are told."""

import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

UNIT = ROOT / "deploy/co-response@.service"


def test_a_replica_is_shut_in(tmp_path):
    """By systemd's own measure, 0 (shut in) to 10 (open)."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here (apt-get install systemd)")
    unit = tmp_path / "co-response@8501.service"
    unit.write_text(UNIT.read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)], capture_output=True, text=True
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= 2.0


def test_the_unit_lets_nothing_out_but_to_the_proxy():
    text = UNIT.read_text()
    for line in (
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=\n",
        "UMask=0077",
    ):
        assert line in text


def test_readers_are_not_logged_by_default():
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert re.findall(r"^\s*access_log\s+(\S+);", text, re.M) == ["off"]
    assert re.findall(r"^\s*error_log\s+(\S+ \S+);", text, re.M) == ["/dev/null emerg"]
    assert not re.search(r"^\s*proxy_set_header X-(Real-IP|Forwarded-For) \$", text, re.M)


def test_each_test_that_the_threats_name_is_there():
    text = (ROOT / "docs/security.md").read_text()
    sources = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    for name in set(re.findall(r"\btest_\w+(?:\.py)?", text)):
        if name.endswith(".py"):
            assert name in sources, name
        elif not name.endswith("_"):  # `test_labels_*` names several
            assert any(f"def {name}(" in source for source in sources.values()), name
