"""Releases that hold a part of another: what an agency with fewer inputs would publish."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashboard.release.reader import CountTable, Release

CALLS_ONLY = ("calls_by_month_type", "calls_by_weekday_hour")
"""Of the example city: what Detroit publishes of its own calls, by type, day and hour."""
COUNTS_AND_AREAS = (
    "calls_by_month_area",
    "calls_by_month_type",
    "calls_by_quarter_area_type",
    "calls_by_weekday_hour",
)


def part_of(
    release: Release,
    tables: Callable[[CountTable], bool] = lambda _t: True,
    *,
    statistics: bool = True,
    references: Mapping[str, Any] | None = None,
) -> Release:
    """`release` with the tables that `tables` keeps; `references` where given in place of its
    own."""
    kept = {name: table for name, table in release.tables.items() if tables(table)}
    return replace(
        release,
        tables=kept,
        statistics=release.statistics if statistics else {},
        references=dict(release.references if references is None else references),
    )


def calls_only(release: Release) -> Release:
    """Calls by type and hour: nothing of areas, teams or ends."""
    bare = part_of(release, lambda t: t.name in CALLS_ONLY, statistics=False, references={})
    package = {**release.package, "completeness": {}}
    return replace(
        bare,
        outlines={},
        package=package,
        codelists={
            n: c
            for n, c in bare.codelists.items()
            if n in ("period", "call_type", "weekday", "hour")
        },
    )


def counts_and_areas(release: Release) -> Release:
    """Calls by place, type and hour, with outlines: nothing of who came."""
    bare = part_of(release, lambda t: t.name in COUNTS_AND_AREAS, statistics=False, references={})
    package = {**release.package, "completeness": {}}
    return replace(
        bare,
        package=package,
        codelists={
            n: c
            for n, c in bare.codelists.items()
            if n in ("period", "area", "call_type", "weekday", "hour")
        },
    )


def write_part(folder: Path, out: Path, tables: tuple[str, ...], *, areas: bool) -> Path:
    """The same as files: a release folder with `tables` alone, its audit's digest set to the new
    description (a test's release, which no audit has seen)."""
    shutil.copytree(folder, out, ignore=shutil.ignore_patterns("history"))
    package = json.loads((out / "datapackage.json").read_text())
    dimensions = {"period", "call_type", "weekday", "hour"} | ({"area"} if areas else set())
    package["resources"] = [
        resource
        for resource in package["resources"]
        if resource["name"] in tables
        or (resource.get("codelist") or {}).get("dimension") in dimensions
        or (areas and resource["path"].endswith(".geojson"))
    ]
    package.pop("history", None)
    package.pop("completeness", None)
    raw = json.dumps(package).encode()
    (out / "datapackage.json").write_bytes(raw)
    audit = json.loads((out / "audit.json").read_text())
    audit["datapackage_sha256"] = hashlib.sha256(raw).hexdigest()
    (out / "audit.json").write_text(json.dumps(audit))
    (out / "approval.json").write_text(
        json.dumps(
            {
                "role": "test",
                "date": "2026-01-15",
                "datapackage_sha256": audit["datapackage_sha256"],
            }
        )
    )
    return out
