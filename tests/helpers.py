"""Tiny releases written straight in the public format, without the private side, and a brute-force
attacker."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymize.audit.uncollected import Dates

Codes = Mapping[str, str]


@dataclass
class Dim:
    """levels: {level: {code: parent}}, coarse to fine, without the root."""

    name: str
    levels: dict[str, dict[str, str]]

    @property
    def leaves(self) -> list[str]:
        return list(list(self.levels.values())[-1])

    def above(self, code: str) -> list[str]:
        """The code itself and everything above it, up to the root."""
        parent = {c: p for level in self.levels.values() for c, p in level.items()}
        chain = [code]
        while chain[-1] != "all":
            chain.append(parent[chain[-1]])
        return chain


@dataclass
class Spec:
    """One table: published levels per dimension (with 'all'), and the cells withheld."""

    name: str
    levels: dict[str, list[str]]
    hidden: Callable[[Codes, int], bool]
    where: dict[str, str] = field(default_factory=dict)
    sensitive_attribute: str | None = None
    percent_of: dict[str, str] = field(default_factory=dict)


def flat(name: str, *codes: str) -> Dim:
    return Dim(name, {"one": dict.fromkeys(codes, "all")})


def to_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def codes_of(dim: Dim, levels: Sequence[str]) -> list[str]:
    return [c for level in levels for c in (["all"] if level == "all" else dim.levels[level])]


def value_of(dims: Mapping[str, Dim], leaves: Mapping[tuple[str, ...], int], codes: Codes) -> int:
    names = list(dims)
    return sum(
        n
        for key, n in leaves.items()
        if all(codes.get(d, "all") in dims[d].above(key[names.index(d)]) for d in names)
    )


def write_release(
    folder: Path,
    k: int,
    dims: Sequence[Dim],
    leaves: Mapping[tuple[str, ...], int],
    specs: Sequence[Spec],
) -> Path:
    """`leaves`: counts by leaf codes in the order of `dims`."""
    by_name = {d.name: d for d in dims}
    resources: list[dict[str, Any]] = []

    def put(path: str, text: str, described: dict[str, Any]) -> None:
        data = text.encode()
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        resources.append(
            {
                "path": path,
                "bytes": len(data),
                "hash": "sha256:" + hashlib.sha256(data).hexdigest(),
                **described,
            }
        )

    for dim in dims:
        rows: list[tuple[object, ...]] = [("all", "All", "Todo", "", "all", 0)]
        for level, codes in dim.levels.items():
            rows += [(c, c, c, p, level, i) for i, (c, p) in enumerate(codes.items())]
        put(
            f"codelists/{dim.name}.csv",
            to_csv(["code", "label_en", "label_es", "parent", "level", "order"], rows),
            {
                "name": f"codelist-{dim.name}",
                "codelist": {"dimension": dim.name, "name": {"en": dim.name, "es": dim.name}},
            },
        )
    for spec in specs:
        rows = []
        for combo in itertools.product(
            *(codes_of(by_name[d], levels) for d, levels in spec.levels.items())
        ):
            codes = dict(zip(spec.levels, combo, strict=True))
            value = value_of(by_name, leaves, {**codes, **spec.where})
            shares = []
            for dimension in spec.percent_of.values():
                whole = value_of(by_name, leaves, {**codes, **spec.where, dimension: "all"})
                shares.append(f"{100 * value / whole:.0f}" if whole else "")
            if spec.hidden(codes, value):
                rows.append((*combo, "", *shares, "suppressed"))
            else:
                rows.append((*combo, value, *shares, "published"))
        declared: dict[str, Any] = {
            "kind": "count",
            "title": {"en": spec.name, "es": spec.name},
            "measure": "calls",
            "universe": "calls",
            "where": spec.where,
            "dimensions": spec.levels,
        }
        if spec.sensitive_attribute:
            declared["sensitive_attribute"] = spec.sensitive_attribute
        if spec.percent_of:
            declared["percent_of"] = spec.percent_of
        put(
            f"tables/{spec.name}.csv",
            to_csv([*spec.levels, "calls", *spec.percent_of, "status"], rows),
            {"name": spec.name, "table": declared},
        )
    package = {"version": "1.1", "privacy": {"threshold": k}, "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(package))
    return folder


def rehash(folder: Path) -> None:
    """Describe the files as they now are, as a careless publisher would."""
    package = json.loads((folder / "datapackage.json").read_text())
    for resource in package["resources"]:
        data = (folder / resource["path"]).read_bytes()
        resource["bytes"], resource["hash"] = (
            len(data),
            "sha256:" + hashlib.sha256(data).hexdigest(),
        )
    (folder / "datapackage.json").write_text(json.dumps(package))


def with_gaps(release: Path, folder: Path, *gaps: tuple[str, str, dict[str, str]]) -> Path:
    """A copy of a release as if nothing had been collected in `gaps` (first day, last day, reason):
    the marks that follow from the dates, no other change. Without its history, and where it has an
    audit, with one of these bytes."""
    shutil.copytree(release, folder, ignore=shutil.ignore_patterns("history"))
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    package.pop("history", None)
    package["gaps"] = [
        {"from": first, "to": last, "reason": reason} for first, last, reason in gaps
    ]
    dates = Dates.of(package)
    assert dates is not None
    for resource in package["resources"]:
        table = resource.get("table", {})
        if table.get("kind") not in ("count", "statistic"):
            continue
        rows = list(csv.reader((folder / resource["path"]).open(encoding="utf-8", newline="")))
        for row in rows[1:]:
            mark = dates.mark({**table["where"], **dict(zip(rows[0], row, strict=True))})
            if mark == "not_collected":
                row[len(table["dimensions"]) :] = [
                    "" for _ in rows[0][len(table["dimensions"]) : -1]
                ] + [mark]
            elif row[-1] != "suppressed":
                row[-1] = mark
        (folder / resource["path"]).write_text(to_csv(rows[0], rows[1:]), encoding="utf-8")
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    rehash(folder)
    if not (folder / "audit.json").exists():
        return folder
    audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((folder / "datapackage.json").read_bytes()).hexdigest()
    (folder / "audit.json").write_text(
        json.dumps(audit | {"datapackage_sha256": digest}), encoding="utf-8"
    )
    return folder


def tables_that_fit(
    dims: Sequence[Dim], published: Sequence[tuple[Codes, int]], most: int
) -> npt.NDArray[np.int16]:
    """Every joint table of whole numbers 0..most that agrees with what is published: a row each, a
    column per leaf (brute force)."""
    rows = [(cell_columns(dims, codes), value) for codes, value in published]
    count = len(list(itertools.product(*(d.leaves for d in dims))))
    found = np.zeros((1, 0), dtype=np.int16)
    for i in range(count):
        found = np.column_stack(
            [
                np.repeat(found, most + 1, axis=0),
                np.tile(np.arange(most + 1, dtype=np.int16), len(found)),
            ]
        )
        for inside, total in rows:
            if i in inside:
                running = found[:, [j for j in inside if j <= i]].sum(axis=1)
                found = found[running == total] if max(inside) == i else found[running <= total]
    return found


def cell_columns(dims: Sequence[Dim], codes: Codes) -> list[int]:
    """Positions of the leaves that a cell sums."""
    keys = itertools.product(*(d.leaves for d in dims))
    return [
        i
        for i, key in enumerate(keys)
        if all(codes.get(d.name, "all") in d.above(code) for d, code in zip(dims, key, strict=True))
    ]
