"""Read an earlier release, for the side that makes the next one.

The audit has a reader of its own (`audit/reader.py`), written independently: a misreading here
shows there. Nothing is repaired: what is not of format 1 is refused by the name of its file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from anonymize.errors import ReleaseError

HISTORY = "history"
APPROVAL = "approval.json"
BESIDE = ("datapackage.json", "audit.json", APPROVAL)
"""Files of a release that `datapackage.json` does not list."""
SHOWN = ("published", "incomplete")
WITHHELD = "suppressed"

Key = frozenset[tuple[str, str]]
"""A cell by its codes, roots left out."""


@dataclass(frozen=True)
class Codes:
    """A codelist: its levels, coarse to fine, with their codes, and the code above each code."""

    levels: dict[str, tuple[str, ...]]
    above: dict[str, str]


@dataclass(frozen=True)
class CountTable:
    """`counts`: every cell in the order of the rows, with its published count, None where
    withheld."""

    name: str
    universe: str
    levels: dict[str, tuple[str, ...]]
    where: dict[str, str]
    sensitive_attribute: str | None
    counts: dict[Key, int | None]


@dataclass(frozen=True)
class OtherTable:
    """The rows of a table other than a count table, by column."""

    name: str
    kind: str
    where: dict[str, str]
    dimensions: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class EarlierRelease:
    folder: Path
    package: dict[str, Any]
    digest: str
    """SHA-256 of `datapackage.json`, and by that of all bytes."""
    codelists: dict[str, Codes]
    tables: tuple[CountTable, ...]
    beside: dict[str, OtherTable]
    """Statistics and reference tables by name of the resource."""

    @property
    def version(self) -> str:
        return str(self.package["version"])

    @property
    def threshold(self) -> int:
        return int(self.package["privacy"]["threshold"])

    def published(self) -> dict[Key, int]:
        return {
            key: count
            for table in self.tables
            for key, count in table.counts.items()
            if count is not None
        }


def read_earlier(folder: Path) -> EarlierRelease:
    """Read the release in `folder`. Raises ReleaseError where it holds no whole release of format
    1."""
    if problems := byte_problems(folder):
        raise ReleaseError(f"{folder}: {problems[0]}; put the release back as it was published")
    described = (folder / "datapackage.json").read_bytes()
    try:
        package = json.loads(described)
        resources = [(str(r["name"]), str(r["path"]), r.get("table")) for r in package["resources"]]
        codelists = {
            name.removeprefix("codelist-").replace("-", "_"): _codes(folder / path)
            for name, path, _ in resources
            if name.startswith("codelist-")
        }
        tables, beside = [], {}
        for name, path, table in resources:
            if table is None:
                continue
            if table["kind"] == "count":
                tables.append(_counts(name, table, folder / path, codelists))
            else:
                where, dimensions = (
                    dict(table.get("where") or {}),
                    tuple(table.get("dimensions") or ()),
                )
                beside[name] = OtherTable(
                    name, str(table["kind"]), where, dimensions, tuple(_rows(folder / path))
                )
        found = EarlierRelease(
            folder, package, hashlib.sha256(described).hexdigest(), codelists, tuple(tables), beside
        )
        _ = found.version, found.threshold
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, csv.Error) as error:
        raise ReleaseError(
            f"{folder}: cannot be understood as a release of format 1 ({type(error).__name__}); "
            "put the release back as it was published"
        ) from None
    return found


def byte_problems(folder: Path) -> list[str]:
    """What differs between a release's files and those that its datapackage.json lists, except for
    its history."""
    try:
        resources = json.loads((folder / "datapackage.json").read_bytes())["resources"]
        listed = {str(r["path"]): (r["bytes"], r["hash"]) for r in resources}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"its datapackage.json cannot be read ({type(error).__name__})"]
    found = []
    for path, (size, digest) in listed.items():
        inside = not Path(path).is_absolute() and ".." not in Path(path).parts
        data = (folder / path).read_bytes() if inside and (folder / path).is_file() else b""
        if len(data) != size or f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            found.append(f"the file {path} is not the one that its datapackage.json lists")
    for file in sorted(p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()):
        name = file.relative_to(folder)
        if name.parts[0] != HISTORY and str(name) not in listed and str(name) not in BESIDE:
            found.append(f"the file {name} is not listed in its datapackage.json")
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def _codes(path: Path) -> Codes:
    levels: dict[str, tuple[str, ...]] = {}
    above: dict[str, str] = {}
    for row in _rows(path):
        levels[row["level"]] = (*levels.get(row["level"], ()), row["code"])
        above[row["code"]] = row["parent"]
    return Codes(levels, above)


def _counts(
    name: str, table: Mapping[str, Any], path: Path, codelists: Mapping[str, Codes]
) -> CountTable:
    levels = {d: tuple(listed) for d, listed in table["dimensions"].items()}
    where = dict(table.get("where") or {})
    expected = product(
        *(
            [c for level in listed for c in codelists[d].levels[level]]
            for d, listed in levels.items()
        )
    )
    counts: dict[Key, int | None] = {}
    for row, codes in zip(_rows(path), expected, strict=True):
        if tuple(row[d] for d in levels) != codes:
            raise ValueError("rows are not those that the levels make")
        shown = row["status"] in SHOWN
        key = frozenset(
            (d, c) for d, c in (*zip(levels, codes, strict=True), *where.items()) if c != "all"
        )
        counts[key] = (
            int(row[table["measure"]]) if shown else None if row["status"] == WITHHELD else 0
        )
    return CountTable(
        name, str(table["universe"]), levels, where, table.get("sensitive_attribute"), counts
    )
