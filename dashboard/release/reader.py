"""Read one release, and refuse any that is missing, unaudited, failed, or changed since its audit.

Only published cells and their marks are here; nothing is summed, subtracted or joined across
tables.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.release.format import (
    MAX_FILE,
    MAX_PACKAGE,
    NotFormat1,
    check_audit,
    check_cells,
    check_columns,
    check_context,
    check_outline,
    check_package,
    check_tree,
    read_json,
)
from dashboard.text.language import Moment

ROOT = "all"
FISCAL_YEAR = "fiscal_year"
"""A dimension of the release, and here a level of the period too, besides calendar years."""
PUBLISHED, SUPPRESSED, INCOMPLETE, NOT_COLLECTED = (
    "published",
    "suppressed",
    "incomplete",
    "not_collected",
)
VISIBLE = (PUBLISHED, INCOMPLETE)
CONTEXT = "context.json"
"""What is drawn with the areas. Not `.geojson`: readers from before it take all of these for
outlines of areas."""
TIMES = ("period", FISCAL_YEAR, "weekday", "hour")
"""Dimensions whose codes say by themselves which time they mean."""


class ReleaseRefused(Exception):
    """Why a release is not shown. `reason` is one of missing, unreadable, no_audit, failed,
    changed."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """`detail`: for the log of whoever runs the app."""
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass(frozen=True)
class Code:
    code: str
    label: dict[str, str]
    parent: str
    level: str


@dataclass(frozen=True)
class Codelist:
    dimension: str
    name: dict[str, str]
    codes: dict[str, Code]

    def at(self, level: str) -> list[Code]:
        return [code for code in self.codes.values() if code.level == level]

    def under(self, parent: str, level: str) -> list[Code]:
        """Codes of `level` below `parent` (all of them for the root)."""

        def above(code: Code) -> bool:
            while code.code != parent:
                if not code.parent:
                    return False
                code = self.codes[code.parent]
            return True

        return [code for code in self.at(level) if above(code)]


@dataclass(frozen=True)
class CountTable:
    """A published count table. `cells` is indexed by its dimensions' codes, in order of `levels`.
    `by_fiscal_year`: the same counts by fiscal year, where the release has such a table; its codes
    can be asked for as periods."""

    name: str
    title: dict[str, str]
    measure: str
    universe: str
    where: dict[str, str]
    levels: dict[str, tuple[str, ...]]
    cells: pd.DataFrame
    by_fiscal_year: CountTable | None = None

    def finest(self, dimension: str) -> str:
        return self.levels[dimension][-1]

    @cached_property
    def _lookup(self) -> dict[tuple[str, ...], tuple[int | None, str]]:
        """Every cell: its count (None where withheld) and its status."""
        rows = self.cells.itertuples(index=False, name=None)
        width = len(self.levels)
        found = {
            tuple(row[:width]): (None if row[width] == "" else int(row[width]), row[width + 1])
            for row in rows
        }
        if self.by_fiscal_year is not None:
            names = [FISCAL_YEAR if name == "period" else name for name in self.levels]
            for codes, cell in self.by_fiscal_year._lookup.items():
                at = dict(zip(self.by_fiscal_year.levels, codes, strict=True))
                if at[FISCAL_YEAR] != ROOT:
                    found[tuple(at[name] for name in names)] = cell
        return found

    def has_period(self, code: str) -> bool:
        """Does the table tell of this period: the whole, a part of it at one of its levels, or a
        fiscal year?"""
        if "period" not in self.levels:
            return False
        place = list(self.levels).index("period")
        return any(codes[place] == code for codes in self._lookup)

    def cell(self, codes: Mapping[str, str]) -> tuple[int | None, str]:
        """Count and status of one cell; dimensions not named are taken at their root."""
        return self._lookup[tuple(codes.get(d, ROOT) for d in self.levels)]


@dataclass(frozen=True)
class StatisticTable:
    """Medians, people and other numbers that do not add up. `cell` gives them by name, or None
    where there are none; `status` says why."""

    name: str
    title: dict[str, str]
    measure: str
    where: dict[str, str]
    levels: dict[str, tuple[str, ...]]
    minimum: int
    columns: tuple[str, ...]
    rows: dict[tuple[str, ...], dict[str, int] | None]
    statuses: dict[tuple[str, ...], str]

    def cell(self, codes: Mapping[str, str]) -> dict[str, int] | None:
        return self.rows[tuple(codes.get(d, ROOT) for d in self.levels)]

    def has(self, codes: Mapping[str, str]) -> bool:
        """Is there such a cell, with numbers or without?"""
        return tuple(codes.get(d, ROOT) for d in self.levels) in self.statuses

    def status(self, codes: Mapping[str, str]) -> str:
        return self.statuses[tuple(codes.get(d, ROOT) for d in self.levels)]


@dataclass(frozen=True)
class Uncollected:
    """Days (both ends included) of which the agency has no records, and why."""

    first: date
    last: date
    reason: dict[str, str]


@dataclass(frozen=True, eq=False)
class Release:
    """All that was read and checked of one release. Equal to itself alone, so that caches can hold
    by it."""

    folder: Path
    package: dict[str, Any]
    audit: dict[str, Any]
    codelists: dict[str, Codelist]
    tables: dict[str, CountTable]
    outlines: dict[str, dict[str, Any]]
    statistics: dict[str, StatisticTable]
    references: dict[str, pd.DataFrame]
    titles: dict[str, dict[str, str]]
    """Of the references."""
    files: dict[str, bytes]
    """Path -> bytes of every file, as checked: the folder may hold another release by the time that
    a reader asks for one."""
    context: dict[str, Any] | None = None
    """GeoJSON of what is drawn with the areas, where the release brings it (`backdrop.py`)."""
    context_credit: str = ""
    approval: dict[str, str] | None = None
    """Role, date and digest of who let it go out; None for a preview, or where the approval is of
    other bytes."""

    @property
    def approved(self) -> bool:
        return self.approval is not None

    @property
    def version(self) -> str:
        return str(self.package["version"])

    @property
    def threshold(self) -> int:
        return int(self.package["privacy"]["threshold"])

    @property
    def data_from(self) -> date:
        return date.fromisoformat(self.package["period"]["from"])

    @property
    def data_to(self) -> date:
        return date.fromisoformat(self.package["period"]["to"])

    @property
    def counts(self) -> int:
        """Counts of all tables, those that were not collected aside."""
        return sum(
            int((table.cells["status"] != NOT_COLLECTED).sum()) for table in self.tables.values()
        )

    @property
    def withheld(self) -> int:
        """Of `counts`, those that are withheld."""
        return sum(
            int((table.cells["status"] == SUPPRESSED).sum()) for table in self.tables.values()
        )

    @property
    def uncollected(self) -> list[Uncollected]:
        """The gaps in the data that the agency names."""
        return [
            Uncollected(
                date.fromisoformat(gap["from"]), date.fromisoformat(gap["to"]), gap["reason"]
            )
            for gap in self.package.get("gaps", ())
        ]

    @property
    def agency(self) -> dict[str, Any]:
        return dict(self.package["agency"])

    @property
    def languages(self) -> tuple[str, ...]:
        """Of its texts; what one of them lacks is shown in the first."""
        return tuple(self.package["agency"]["name"])

    def find(self, *dimensions: str, where: Mapping[str, str] | None = None) -> CountTable | None:
        """The table with exactly this filter that has all of `dimensions`, each with more than its
        root.

        One by fiscal year only where that is asked for: the table by period comes first. Of
        several, the one that has `dimensions` at the finest levels, then the one with the fewest
        further dimensions.
        """
        fitting = [
            table
            for table in self.tables.values()
            if table.where == dict(where or {})
            and all(len(table.levels.get(d, ())) > 1 for d in dimensions)
            and (FISCAL_YEAR in dimensions or FISCAL_YEAR not in table.levels)
        ]
        return min(
            fitting,
            key=lambda t: (-sum(len(t.levels[d]) for d in dimensions), len(t.levels), t.name),
            default=None,
        )

    def holds(self, table: CountTable | StatisticTable, dimension: str, code: str) -> bool:
        """Does `table` publish `code`? An agency may have codes of its own, and a table may stop at
        coarser levels."""
        known = self.codelists[dimension].codes.get(code) if dimension in self.codelists else None
        if dimension == "period" and known is not None and known.level == FISCAL_YEAR:
            return isinstance(table, CountTable) and table.has_period(code)
        return known is not None and known.level in table.levels.get(dimension, ())

    def statistic(self, measure: str, *dimensions: str) -> StatisticTable | None:
        """The statistic of `measure` that has all of `dimensions` below their roots: at the finest
        levels, then with the fewest others, as `find`."""
        fitting = [
            s
            for s in self.statistics.values()
            if s.measure == measure and all(len(s.levels.get(d, ())) > 1 for d in dimensions)
        ]
        return min(
            fitting,
            key=lambda s: (-sum(len(s.levels[d]) for d in dimensions), len(s.levels), s.name),
            default=None,
        )

    def reference(self, name: str) -> pd.DataFrame | None:
        """Rows about the program, all as text; None where the agency does not report them."""
        found = self.references.get(name)
        return found if found is not None and len(found) else None

    def coarsened(self) -> list[dict[str, str]]:
        """Titles of the tables made coarser before they were protected, and names of areas shown as
        one."""
        made: dict[str, Any] = self.package.get("coarsened", {})
        labels = [self.tables[name].title for name in made.get("tables", []) if name in self.tables]
        for dimension, groups in made.get("areas", {}).items():
            codes = self.codelists[dimension].codes if dimension in self.codelists else {}
            labels += [codes["_".join(group)].label for group in groups if "_".join(group) in codes]
        return labels

    def joined(self, dimension: str) -> dict[str, str]:
        """Codes of areas that are shown as one -> the code of that one. What the agency reports
        besides its calls names areas as they were before."""
        groups = self.package.get("coarsened", {}).get("areas", {}).get(dimension, [])
        return {code: "_".join(group) for group in groups for code in group}

    def area_systems(self) -> list[str]:
        return [name for name in self.codelists if name == "area" or name.startswith("area_")]


def fingerprint(folder: Path) -> str:
    """Changes when the release changes; cheap enough to take on every visit."""
    digest = hashlib.sha256()
    for name in ("datapackage.json", "audit.json", "approval.json"):
        path = folder / name
        digest.update(_beginning(path, MAX_PACKAGE) if path.exists() else b"-")
    for path in sorted(
        (
            *folder.glob("tables/*"),
            *folder.glob("codelists/*"),
            *folder.glob("*.geojson"),
            *folder.glob(CONTEXT),
        )
    ):
        try:
            found = path.stat()
        except OSError:
            continue  # a new release is just being put in place
        digest.update(f"{path.name} {found.st_size} {found.st_mtime_ns};".encode())
    return digest.hexdigest()


def load_release(folder: Path) -> Release:
    """Raises ReleaseRefused unless an audit passed on exactly these bytes, and they are a whole
    release of format 1."""
    try:
        return _load(folder)
    except NotFormat1 as wrong:
        raise ReleaseRefused("unreadable", str(wrong)) from None
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
        OverflowError,
        MemoryError,
    ) as error:
        # Whatever a package does to this reader, the release before stays up.
        raise ReleaseRefused("unreadable", type(error).__name__) from None


def _load(folder: Path) -> Release:
    try:
        raw = _read(folder / "datapackage.json", MAX_PACKAGE)
    except OSError:
        raise ReleaseRefused("missing") from None
    package = read_json(raw)
    try:
        audit = read_json(_read(folder / "audit.json", MAX_PACKAGE))
        check_audit(audit)
    except (OSError, NotFormat1):
        raise ReleaseRefused("no_audit") from None
    if audit["passed"] is not True:
        raise ReleaseRefused("failed")
    if audit["datapackage_sha256"] != hashlib.sha256(raw).hexdigest():
        raise ReleaseRefused("changed")
    check_package(package)
    contents = {str(r["path"]): _checked(folder, r) for r in package["resources"]}
    return _parse(folder, package, audit, contents | _beside(folder, raw))


def _beginning(path: Path, most: int) -> bytes:
    """At most one byte more than `most` of a plain file. Raises OSError for anything else: a pipe
    would be waited for, a device may never end."""
    with open(
        path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)
    ) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a file", str(path))
        return opened.read(most + 1)


def _read(path: Path, most: int) -> bytes:
    """Raises NotFormat1 where the file is larger than `most` bytes."""
    data = _beginning(path, most)
    if len(data) > most:
        raise NotFormat1(f"{path.name} is larger than {most >> 20} MB")
    return data


def _beside(folder: Path, raw: bytes) -> dict[str, bytes]:
    """The files that describe the release, besides those that it lists."""
    names = [name for name in ("audit.json", "approval.json") if (folder / name).exists()]
    return {"datapackage.json": raw} | {name: _read(folder / name, MAX_PACKAGE) for name in names}


def _checked(folder: Path, resource: dict[str, Any]) -> bytes:
    try:
        data = _read(folder / str(resource["path"]), MAX_FILE)
    except OSError:
        raise ReleaseRefused("changed") from None
    if (
        f"sha256:{hashlib.sha256(data).hexdigest()}" != resource["hash"]
        or len(data) != resource["bytes"]
    ):
        raise ReleaseRefused("changed")
    return data


def _approval(contents: dict[str, bytes], audit: dict[str, Any]) -> dict[str, str] | None:
    try:
        found = json.loads(contents["approval.json"])
        role, day, digest = (str(found[name]) for name in ("role", "date", "datapackage_sha256"))
        date.fromisoformat(day)
    except (ValueError, KeyError, TypeError):
        return None
    return (
        {"role": role, "date": day, "datapackage_sha256": digest}
        if digest == audit["datapackage_sha256"]
        else None
    )


def _frame(data: bytes) -> pd.DataFrame:
    """All columns as text: codes such as 092 or NA are names, not numbers."""
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)


def _label(row: Mapping[str, str], dimension: str) -> dict[str, str]:
    """Language -> label of a code. Labels of time say themselves in any language that has words for
    it."""
    texts = {
        name.removeprefix("label_"): words
        for name, words in row.items()
        if name.startswith("label_")
    }
    return Moment(texts, row["level"], row["code"]) if dimension in TIMES else texts


def _parse(
    folder: Path, package: dict[str, Any], audit: dict[str, Any], contents: dict[str, bytes]
) -> Release:
    codelists: dict[str, Codelist] = {}
    tables: dict[str, CountTable] = {}
    outlines: dict[str, dict[str, Any]] = {}
    statistics: dict[str, StatisticTable] = {}
    references: dict[str, pd.DataFrame] = {}
    titles: dict[str, dict[str, str]] = {}
    numbers: dict[str, list[tuple[str, ...]]] = {}
    context, credit = None, ""
    for resource in package["resources"]:
        path = str(resource["path"])
        if described := resource.get("codelist"):
            rows = _frame(contents[path])
            if {f"label_{code}" for code in package["agency"]["name"]} - set(rows.columns):
                raise NotFormat1("a codelist without labels in a language of the release")
            codes = {
                row["code"]: Code(
                    row["code"],
                    _label(row, described["dimension"]),
                    row["parent"],
                    row["level"],
                )
                for row in rows.to_dict("records")
            }
            check_tree(codes, ROOT)
            codelists[described["dimension"]] = Codelist(
                described["dimension"], described["name"], codes
            )
        elif (table := resource.get("table")) and table["kind"] == "count":
            levels = {name: tuple(names) for name, names in table["dimensions"].items()}
            cells = _frame(contents[path])[[*levels, table["measure"], "status"]]
            tables[resource["name"]] = CountTable(
                resource["name"],
                table["title"],
                table["measure"],
                table["universe"],
                table["where"],
                levels,
                cells,
            )
        elif table and table["kind"] == "statistic":
            levels = {name: tuple(names) for name, names in table["dimensions"].items()}
            names = list(table["rounding"])
            frame = _frame(contents[path])
            numbers[resource["name"]] = list(
                frame[[*levels, *names, "status"]].itertuples(index=False, name=None)
            )
            listed = frame.to_dict("records")
            rows = {
                tuple(row[d] for d in levels): (
                    {n: int(row[n]) for n in names} if row["status"] in VISIBLE else None
                )
                for row in listed
            }
            statuses = {tuple(row[d] for d in levels): row["status"] for row in listed}
            statistics[resource["name"]] = StatisticTable(
                resource["name"],
                table["title"],
                table["measure"],
                table["where"],
                levels,
                int(table["minimum"]),
                tuple(names),
                rows,
                statuses,
            )
        elif table and table["kind"] == "reference":
            rows = _frame(contents[path])
            check_columns(
                list(rows), rows.itertuples(index=False, name=None), resource["schema"]["fields"]
            )
            references[Path(path).stem] = rows
            titles[Path(path).stem] = table["title"]
        elif path.endswith(".geojson"):
            outlines[path.removesuffix(".geojson").replace("areas", "area", 1)] = outline = (
                read_json(contents[path])
            )
            check_outline(outline)
        elif path == CONTEXT:
            context = read_json(contents[path])
            check_context(context)
            credit = "; ".join(source["title"] for source in resource.get("sources", []))
    for counts in tables.values():
        check_cells(
            list(counts.cells.itertuples(index=False, name=None)),
            counts.levels,
            codelists,
            [counts.measure],
            counts.where,
        )
    for name, rows in numbers.items():
        check_cells(
            rows,
            statistics[name].levels,
            codelists,
            statistics[name].columns,
            statistics[name].where,
        )
    if FISCAL_YEAR in codelists and "period" in codelists:
        years = {code.code: code for code in codelists[FISCAL_YEAR].at(FISCAL_YEAR)}
        codelists["period"] = replace(codelists["period"], codes=codelists["period"].codes | years)
        tables = {
            name: replace(table, by_fiscal_year=_by_fiscal_year(table, tables.values()))
            for name, table in tables.items()
        }
    return Release(
        folder,
        package,
        audit,
        codelists,
        tables,
        outlines,
        statistics,
        references,
        titles,
        contents,
        context,
        credit,
        _approval(contents, audit),
    )


def _by_fiscal_year(table: CountTable, tables: Iterable[CountTable]) -> CountTable | None:
    """The table that counts the same by fiscal year, with all else alike."""
    rest = {name: levels for name, levels in table.levels.items() if name != "period"}
    if "period" not in table.levels:
        return None
    for other in tables:
        alike = (other.universe, other.measure, other.where) == (
            table.universe,
            table.measure,
            table.where,
        )
        if (
            alike
            and FISCAL_YEAR in other.levels
            and {n: levels for n, levels in other.levels.items() if n != FISCAL_YEAR} == rest
        ):
            return other
    return None
