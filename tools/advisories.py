"""`python -m tools.advisories COPY.zip`: known weaknesses of what is locked, by a local copy of the OSV database, where its service is out of reach.

The copy is OSV's own export of the ecosystem PyPI (`all.zip`: one JSON file for each advisory), fetched on a machine that has a network.
Ends with 1 when something locked is affected.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)", re.MULTILINE)


def name_of(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def locked() -> dict[str, set[str]]:
    """Package -> the versions that stand in any lock."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "lock").glob("*.txt")):
        for name, version in PIN.findall(path.read_text()):
            found.setdefault(name_of(name), set()).add(version)
    return found


def affects(entry: dict[str, Any], version: str) -> bool:
    """Does one `affected` entry of an advisory hold for this version? By its list of versions, or its ranges."""
    if version in entry.get("versions", ()):
        return True
    try:
        at = Version(version)
        for span in entry.get("ranges", ()):
            if span.get("type") != "ECOSYSTEM":
                continue
            inside = False
            for event in span["events"]:
                if "introduced" in event:
                    inside = inside or event["introduced"] == "0" or at >= Version(event["introduced"])
                elif ("fixed" in event and at >= Version(event["fixed"])) or (
                    "last_affected" in event and at > Version(event["last_affected"])
                ):
                    inside = False
            if inside:
                return True
    except InvalidVersion:
        return True  # better looked at by a person than passed over
    return False


def known(copy: Path) -> Iterator[tuple[str, str, str, str]]:
    """(package, version, advisory, summary) of each that is affected and was not withdrawn."""
    pins = locked()
    with zipfile.ZipFile(copy) as opened:
        for name in opened.namelist():
            if not name.endswith(".json"):
                continue
            advisory = json.loads(opened.read(name))
            if advisory.get("withdrawn"):
                continue
            for entry in advisory.get("affected", ()):
                package = name_of(entry.get("package", {}).get("name", ""))
                for version in pins.get(package, ()):
                    if affects(entry, version):
                        yield package, version, advisory["id"], advisory.get("summary", "")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit("name the copy of the OSV database for PyPI: python -m tools.advisories all.zip")
    listed = sorted(set(known(Path(sys.argv[1]))))
    for found in listed:
        print(*found)
    print(f"{len(listed)} known weaknesses of {sum(map(len, locked().values()))} locked packages")
    sys.exit(bool(listed))
