"""`python -m tools.advisories COPY`: known weaknesses of what is locked, by a local copy of the OSV
database, where its service is out of reach.

The copy is OSV's own export of the ecosystem PyPI (`all.zip`: one JSON file for each advisory), or
PyPA's advisory database (a folder or zip of YAML files of the same form), fetched on a machine that
has a network. Ends with 1 when something locked is affected, with 2 when nothing can be looked up.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

FORMS = (".json", ".yaml")
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
    """Does one `affected` entry of an advisory hold for this version? By its list of versions, or
    its ranges."""
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
                    inside = (
                        inside or event["introduced"] == "0" or at >= Version(event["introduced"])
                    )
                elif ("fixed" in event and at >= Version(event["fixed"])) or (
                    "last_affected" in event and at > Version(event["last_affected"])
                ):
                    inside = False
            if inside:
                return True
    except InvalidVersion:
        return True  # better looked at by a person than passed over
    return False


def files(copy: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each JSON or YAML file of a zip or a folder."""
    if copy.is_dir():
        for path in sorted(copy.rglob("*.*")):
            if path.suffix in FORMS and path.is_file():
                yield path.name, path.read_bytes()
        return
    with zipfile.ZipFile(copy) as opened:
        for name in opened.namelist():
            if name.endswith(FORMS):
                yield name, opened.read(name)


def advisories(copy: Path) -> Iterator[dict[str, Any]]:
    """Each advisory of a copy, in OSV's form. Other files (a readme, settings) are passed over."""
    for name, data in files(copy):
        if name.endswith(".json"):
            found = json.loads(data)
        else:
            import yaml  # a part of what the tests need (lock/test.txt)

            found = yaml.load(data, yaml.BaseLoader)  # 1.10 is a version, not a number
        if isinstance(found, dict) and "id" in found and "affected" in found:
            yield found


def known(found: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    """(package, version, advisory, summary) of each that is affected and was not withdrawn."""
    pins = locked()
    for advisory in found:
        if advisory.get("withdrawn"):
            continue
        for entry in advisory["affected"]:
            package = name_of(entry.get("package", {}).get("name", ""))
            for version in pins.get(package, ()):
                if affects(entry, version):
                    yield (
                        package,
                        version,
                        advisory["id"],
                        advisory.get("summary") or advisory.get("details", "").partition("\n")[0],
                    )


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).exists():
        sys.exit(
            "name a copy of the OSV database for PyPI, or of PyPA's advisory database: python -m"
            " tools.advisories all.zip"
        )
    try:
        looked_at = list(advisories(Path(sys.argv[1])))
    except zipfile.BadZipFile:
        looked_at = []
    if not looked_at:
        print(
            f"{sys.argv[1]}: holds no advisory (a zip or a folder of .json or .yaml files in OSV's"
            " form is expected)",
            file=sys.stderr,
        )
        sys.exit(2)
    listed = sorted(set(known(looked_at)))
    for found in listed:
        print(*found)
    print(
        f"{len(looked_at):,} advisories; {len(listed)} known weaknesses of"
        f" {sum(map(len, locked().values()))} locked packages"
    )
    sys.exit(bool(listed))
