"""Read a release as an attacker would: nothing is trusted, and everything odd is a finding."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from anonymize.audit.declared import SHARES_OF, Declared, Row, odd_rows, read_declared, undeclared
from anonymize.audit.uncollected import INSIDE, NONE, PART, WHOLE, Dates
from anonymize.errors import AuditError

STATUSES = ("published", "suppressed", "not_collected", "not_applicable", "incomplete")
VISIBLE = (WHOLE, PART)
SUPPRESSED = "suppressed"
NUMBER, DIFFERENCE = re.compile(r"[0-9]+"), re.compile(r"-?[0-9]+")
"""A number of a statistic; the ends of a difference (columns that end in `low` or `high`) may be
negative."""
APPROVAL = "approval.json"
APPROVAL_KEYS = ["datapackage_sha256", "date", "role"]
UNLISTED = ("datapackage.json", "audit.json", APPROVAL)
HISTORY = "history"
UNSTAFFED, ON_DUTY, WEEKDAY = "unstaffed-days", "on_duty", "weekday"

Key = frozenset[tuple[str, str]]
"""A cell of a universe: its codes, the roots left out. Cells of two tables with one key are one
cell."""


@dataclass(frozen=True)
class Finding:
    """One thing that breaks the promise, or that an attacker could use. `cell` names public codes
    only."""

    attack: str
    message: str
    table: str = ""
    cell: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Tree:
    """A codelist: levels coarse to fine with their codes, and the parent of each code."""

    levels: dict[str, tuple[str, ...]]
    parent: dict[str, str]
    _above: dict[str, dict[str, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def above(self, level: str) -> dict[str, str]:
        """For every code at or below `level`, its ancestor at `level`."""
        if level not in self._above:
            there, found = set(self.levels[level]), {}
            for code in self.parent:
                at: str | None = code
                while at and at not in there:
                    at = self.parent.get(at) or None
                if at:
                    found[code] = at
            self._above[level] = found
        return self._above[level]

    @cached_property
    def level_of(self) -> dict[str, str]:
        """The level of each code."""
        return {code: level for level, codes in self.levels.items() for code in codes}

    def only_child(self, code: str, above: str) -> bool:
        """Is `code` the only code of its level under `above`? Then the two are one cell by the
        tree alone, and reveal nothing about each other."""
        level = next(codes for codes in self.levels.values() if code in codes)

        def under(one: str) -> bool:
            while one and one != above:
                one = self.parent.get(one, "")
            return one == above

        return not any(under(other) for other in level if other != code)


@dataclass(frozen=True)
class Cell:
    key: Key
    value: int | None
    percent: dict[str, float]


@dataclass(frozen=True)
class PublicTable:
    """`levels`: published levels of each dimension; `where`: fixed codes; `percent_of`: column ->
    dimension."""

    name: str
    universe: str
    levels: dict[str, tuple[str, ...]]
    where: dict[str, str]
    sensitive_attribute: str | None
    percent_of: dict[str, str]
    cells: tuple[Cell, ...]

    @property
    def finest(self) -> dict[str, str]:
        return {name: levels[-1] for name, levels in self.levels.items()}


@dataclass(frozen=True)
class PublicStatistic:
    """A table of numbers that do not add up.

    `rows`: the cell and, where it is shown, its numbers by column (the base last). `complete`: no
    row was left out because it would narrow a count.
    """

    name: str
    measure: str
    universe: str
    where: Key
    minimum: float
    rounding: dict[str, float]
    rows: tuple[tuple[Key, dict[str, float] | None], ...]
    complete: bool = False


@dataclass
class PublicRelease:
    threshold: int
    version: str
    datapackage_sha256: str
    trees: dict[str, Tree]
    tables: list[PublicTable]
    statistics: list[PublicStatistic] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    revised_months: tuple[str, ...] = ()
    revised_at_most: int = 0
    declared: Declared = field(default_factory=Declared)
    dates: Dates | None = None
    unstaffed: frozenset[date] = frozenset()
    """Days on which no team was at work, by the public shifts."""

    @property
    def months_not_collected(self) -> frozenset[str]:
        """Codes of the months of which nothing was collected."""
        months = self.trees["period"].levels.get("month", ()) if "period" in self.trees else ()
        return self.dates.without_calls(months) if self.dates else frozenset()


def read_release(folder: Path) -> PublicRelease:
    """Read the release in `folder`. Raises AuditError when it cannot be read at all; everything
    else becomes a finding."""
    raw = _bytes(folder / "datapackage.json")
    try:
        package = json.loads(raw)
        threshold, version = package["privacy"]["threshold"], str(package["version"])
        resources = package["resources"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AuditError(
            f"{folder / 'datapackage.json'}: not a release of format 1 ({type(error).__name__}); "
            "build it again"
        ) from None
    if not isinstance(threshold, int) or isinstance(threshold, bool) or threshold < 2:
        raise AuditError(
            f"{folder / 'datapackage.json'}: privacy.threshold must be a whole number of 2 or "
            "more; build the release again"
        )
    release = PublicRelease(threshold, version, hashlib.sha256(raw).hexdigest(), {}, [])
    with _understanding(folder / "datapackage.json"):
        release.dates = Dates.of(package)
        revised = package.get("revised", {})
        release.revised_months, release.revised_at_most = (
            tuple(map(str, revised.get("months", ()))),
            int(revised.get("at_most", 0)),
        )
        release.declared = read_declared(package.get("facts", ()), str(folder / "datapackage.json"))
        contents = _listed(folder, resources, release.findings)
        named = [
            (str(resource.get("name", "")), str(resource["path"]), resource.get("table"))
            for resource in resources
        ]
    for name, path, _table_of in named:
        if name.startswith("codelist-"):
            with _understanding(folder / path):
                release.trees[name.removeprefix("codelist-").replace("-", "_")] = _tree(
                    contents[path]
                )
    has_shares = False
    for name, path, table in named:
        if not isinstance(table, dict):
            continue
        if table.get("kind") == "reference":
            if name == SHARES_OF:
                has_shares = True
                with _understanding(folder / path):
                    rows = _shares(contents[path])
                    if release.declared.shares is not None:
                        release.declared.shares = replace(release.declared.shares, rows=rows)
            elif name == UNSTAFFED and release.dates is not None:
                with _understanding(folder / path):
                    release.unstaffed = release.dates.days - _staffed(contents[path])
            continue
        with _understanding(folder / path):
            if table.get("kind") == "statistic":
                release.statistics.append(_statistic(name, table, contents[path], release))
            elif table.get("kind") == "count":
                release.tables.append(_table(name, table, contents[path], release))
            else:
                release.findings.append(
                    Finding(
                        "undeclared",
                        f"a table of kind '{table.get('kind')}' cannot be audited",
                        name,
                    )
                )
    with _understanding(folder / "datapackage.json"):
        _check_declared(release, has_shares, bool(package.get("history")))
    return release


def _edges(release: PublicRelease) -> list[Key]:
    """What is known about the first and the last call on record, where a gap says that the records
    begin or end next to it."""
    tree = release.trees.get("period")
    if release.dates is None or tree is None:
        return []
    finest, found = set(list(tree.levels.values())[-1]), []
    for day in release.dates.edges:
        period = finest & {f"{day:%Y}", f"{day.year}-Q{(day.month - 1) // 3 + 1}", f"{day:%Y-%m}"}
        # In months collected whole, only the day's month may be known to hold a record.
        known = "weekday" in release.trees and day.day > 1 and (day + timedelta(days=1)).day > 1
        found.append(
            frozenset(
                {
                    *(("period", code) for code in period),
                    *([("weekday", str(day.isoweekday()))] if known else []),
                }
            )
        )
    return found


def _staffed(text: str) -> frozenset[date]:
    """Days on which a team may have been at work: those of the months listed, except the days
    named."""
    found: set[date] = set()
    for row in _rows(text):
        without = {int(day) for day in row["which"].split(", ") if day}
        day = date.fromisoformat(f"{row['month']}-01")
        month = day.month
        while day.month == month:
            if day.day not in without:
                found.add(day)
            day += timedelta(days=1)
    return frozenset(found)


def _unstaffed_cells(release: PublicRelease) -> Iterator[Key]:
    """Cells of calls with a team on duty that hold unstaffed days alone: the times of every table,
    since anyone can hold them against a table of those calls."""
    asked = any(ON_DUTY in table.levels or ON_DUTY in table.where for table in release.tables)
    if release.dates is None or not release.unstaffed or not asked:
        return
    for at in sorted(_times(release), key=sorted):
        days = release.dates.collected_on(dict(at))
        if days and days <= release.unstaffed and all(code != "unknown" for _, code in at):
            yield at | {(ON_DUTY, "yes")}


def _times(release: PublicRelease) -> set[Key]:
    """The codes of days of every cell."""
    return {
        frozenset(item for item in cell.key if item[0] in INSIDE)
        for table in release.tables
        for cell in table.cells
    }


def _apart(release: PublicRelease) -> Iterator[Key]:
    """Days of the week in months (fiscal years, seasons) of which nothing was collected, where
    other days of both were, and no table shows the two together."""
    if release.dates is None:
        return
    together = _times(release)
    of_week = {item for at in together for item in at if item[0] == WEEKDAY}
    of_year = {item for at in together for item in at if item[0] != WEEKDAY}
    for one, other in sorted(product(of_year, of_week)):
        at = frozenset({one, other})
        if (
            at not in together
            and release.dates.mark(dict(at)) == NONE
            and not any(release.dates.mark({item[0]: item[1]}) == NONE for item in at)
        ):
            yield at


def _within(inner: Key, outer: Key, trees: Mapping[str, Tree]) -> bool:
    """Does the cell lie in the other?"""
    codes = dict(inner)
    for name, wanted in outer:
        code = codes.get(name, "")
        while code and code != wanted:
            code = trees[name].parent.get(code, "")
        if not code:
            return False
    return True


def _check_declared(release: PublicRelease, has_shares: bool, revised: bool) -> None:
    """Add findings where the numbers say something about counts that is not declared, or not as
    declared."""
    measures = {statistic.name: statistic.measure for statistic in release.statistics}
    codes = {name: tree.parent for name, tree in release.trees.items()}
    for name, wrong in undeclared(
        release.declared, measures, has_shares, codes, revised, _edges(release)
    ):
        release.findings.append(Finding("undeclared", wrong, name))
    for cell in release.declared.empty:
        for name, code in cell:
            if name in release.trees and code not in release.trees[name].parent:
                raise KeyError(code)
    for by, resource, cells in (
        ("by the shifts", UNSTAFFED, _unstaffed_cells(release)),
        ("by the days that were collected", "", _apart(release)),
    ):
        for cell in cells:
            if not any(_within(cell, said, release.trees) for said in release.declared.empty):
                named = ", ".join(f"{name}={code}" for name, code in sorted(cell))
                message = f"that {by} no call is in {named} is not declared as a fact"
                release.findings.append(Finding("undeclared", message, resource))
    if release.declared.shares is not None:
        visible = {
            cell.key: cell.value
            for table in release.tables
            for cell in table.cells
            if cell.value is not None
        }
        levels = release.trees["period"].levels if "period" in release.trees else {"all": ("all",)}
        months = list(levels.values())[-1] if len(levels) > 1 else ()
        for wrong in odd_rows(release.declared.shares, months, visible, release.threshold):
            release.findings.append(Finding("marks", wrong, SHARES_OF))


@contextmanager
def _understanding(path: Path) -> Iterator[None]:
    """Refuse whatever is not of format 1 by the name of its file alone: Python's own message may
    quote a value."""
    try:
        yield
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        OverflowError,
        csv.Error,
    ) as error:
        raise AuditError(
            f"{path}: cannot be understood as part of a release of format 1 "
            f"({type(error).__name__}), nor as datapackage.json describes it; build the release "
            "again"
        ) from None


def read_earlier(folder: Path, release: PublicRelease) -> list[PublicRelease]:
    """The earlier releases that `folder` keeps, oldest first. What is missing or differs becomes a
    finding of `release`."""
    listed = json.loads(_bytes(folder / "datapackage.json")).get("history", [])
    found = []
    for entry in listed:
        kept = folder / HISTORY / str(entry["version"])
        if not (kept / "datapackage.json").is_file():
            release.findings.append(
                Finding(
                    "earlier releases",
                    f"release {entry['version']} is listed but not kept in {HISTORY}/",
                )
            )
            continue
        earlier = read_release(kept)
        if earlier.datapackage_sha256 != entry["datapackage_sha256"] or any(
            f.attack in ("bytes", "undeclared") for f in earlier.findings
        ):
            release.findings.append(
                Finding(
                    "earlier releases",
                    f"release {entry['version']} in {HISTORY}/ is not the one that was published",
                )
            )
        found.append(earlier)
    names = {str(entry["version"]) for entry in listed}
    if (folder / HISTORY).is_dir():
        for kept in sorted((folder / HISTORY).iterdir()):
            if kept.name not in names:
                release.findings.append(
                    Finding(
                        "undeclared",
                        f"{HISTORY}/{kept.name} is not listed in datapackage.json; remove it",
                    )
                )
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuditError(
            f"{path}: cannot be read ({error.strerror}); is this the folder of a release?"
        ) from None


def _listed(
    folder: Path, resources: list[dict[str, Any]], findings: list[Finding]
) -> dict[str, str]:
    """The text of every listed file; findings for files that differ, and for files that are not
    listed."""
    contents: dict[str, str] = {}
    for resource in resources:
        path = str(resource.get("path", ""))
        if not path or path.startswith("/") or ".." in Path(path).parts:
            raise AuditError(
                f"{folder / 'datapackage.json'}: the resource path '{path}' leaves the release's "
                "folder"
            )
        data = _bytes(folder / path)
        if resource.get("hash") != f"sha256:{hashlib.sha256(data).hexdigest()}" or resource.get(
            "bytes"
        ) != len(data):
            findings.append(
                Finding("bytes", f"the file {path} is not the one that datapackage.json describes")
            )
        contents[path] = data.decode("utf-8-sig")
    if (folder / APPROVAL).exists():
        try:
            approval = json.loads((folder / APPROVAL).read_bytes())
            plain = sorted(approval) == APPROVAL_KEYS and all(
                isinstance(text, str) for text in approval.values()
            )
        except (ValueError, TypeError):
            plain = False
        if not plain:
            findings.append(
                Finding(
                    "undeclared",
                    f"the file {APPROVAL} holds more or less than {', '.join(APPROVAL_KEYS)}",
                )
            )
    for file in sorted(p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()):
        relative = file.relative_to(folder)
        if (
            relative.parts[0] != HISTORY
            and str(relative) not in contents
            and str(relative) not in UNLISTED
        ):
            findings.append(
                Finding(
                    "undeclared",
                    f"the file {relative} is not listed in datapackage.json; remove it",
                )
            )
    return contents


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _shares(text: str) -> tuple[Row, ...]:
    found = []
    for row in _rows(text):
        if (row["at_least"] == "") != (row["at_most"] == ""):
            raise ValueError("half a row")
        told = (int(row["at_least"]), int(row["at_most"])) if row["at_least"] else (None, None)
        found.append(Row(row["field"], row["period"], row["out_of"], *told))
    return tuple(found)


def _tree(text: str) -> Tree:
    levels: dict[str, list[str]] = {}
    parent: dict[str, str] = {}
    for row in _rows(text):
        levels.setdefault(row["level"], []).append(row["code"])
        parent[row["code"]] = row["parent"]
    return Tree({level: tuple(codes) for level, codes in levels.items()}, parent)


def _table(name: str, declared: dict[str, Any], text: str, release: PublicRelease) -> PublicTable:
    levels = {d: tuple(names) for d, names in declared["dimensions"].items()}
    where = dict(declared.get("where") or {})
    percent_of = dict(declared.get("percent_of") or {})
    measure = declared["measure"]
    rows = _rows(text)
    found = list(rows[0]) if rows else []
    expected = [*levels, measure, *percent_of, "status"]
    if found != expected:
        release.findings.append(
            Finding("undeclared", f"its columns are {found}; declared are {expected}", name)
        )
    allowed = {
        d: {c for level in names for c in release.trees[d].levels[level]}
        for d, names in levels.items()
    }
    cells: list[Cell] = []
    for number, row in enumerate(rows, start=2):
        codes = {d: row[d] for d in levels}
        odd = [d for d, code in codes.items() if code not in allowed[d]]
        if odd:
            release.findings.append(
                Finding(
                    "undeclared",
                    f"line {number} holds a code that is not in the codelist of {odd[0]}",
                    name,
                )
            )
            continue
        key = frozenset((d, c) for d, c in (codes | where).items() if c != "all")
        value = _value(row[measure], row["status"], name, number, tuple(codes.items()), release)
        if wrong := _wrong_mark(row["status"], codes | where, release):
            release.findings.append(
                Finding("marks", f"line {number} {wrong}", name, tuple(codes.items()))
            )
        percent = {column: float(row[column]) for column in percent_of if row[column] != ""}
        cells.append(Cell(key, value, percent))
    total = 1
    for codes_of in allowed.values():
        total *= len(codes_of)
    if len({cell.key for cell in cells}) != total:
        release.findings.append(
            Finding(
                "undeclared", f"it has {len(cells)} rows where its levels make {total} cells", name
            )
        )
    return PublicTable(
        name,
        declared["universe"],
        levels,
        where,
        declared.get("sensitive_attribute"),
        percent_of,
        tuple(cells),
    )


def _statistic(
    name: str, declared: dict[str, Any], text: str, release: PublicRelease
) -> PublicStatistic:
    levels, where = declared["dimensions"], dict(declared.get("where") or {})
    rounding = {column: float(step) for column, step in declared["rounding"].items()}
    of = (
        name,
        str(declared["measure"]),
        str(declared["universe"]),
        frozenset(where.items()),
        float(declared["minimum"]),
        rounding,
    )
    rows = _rows(text)
    expected = [*levels, *rounding, "status"]
    if rows and list(rows[0]) != expected:
        release.findings.append(
            Finding("undeclared", f"its columns are {list(rows[0])}; declared are {expected}", name)
        )
        return PublicStatistic(*of, ())
    found: list[tuple[Key, dict[str, float] | None]] = []
    for number, row in enumerate(rows, start=2):
        key = frozenset((d, row[d]) for d in levels if row[d] != "all") | frozenset(where.items())
        status = row["status"]
        whole = [
            (DIFFERENCE if column.endswith(("low", "high")) else NUMBER).fullmatch(row[column])
            is not None
            for column in rounding
        ]
        if status not in (*VISIBLE, SUPPRESSED, NONE) or any(
            (status in VISIBLE) != number for number in whole
        ):
            release.findings.append(
                Finding(
                    "marks",
                    f"line {number} has a status that does not fit what stands in it",
                    name,
                    tuple(sorted(key)),
                )
            )
        if wrong := _wrong_mark(status, {d: row[d] for d in levels} | where, release):
            release.findings.append(
                Finding("marks", f"line {number} {wrong}", name, tuple(sorted(key)))
            )
        shown = status in VISIBLE and all(whole)
        found.append((key, {column: float(row[column]) for column in rounding} if shown else None))
    return PublicStatistic(*of, tuple(found), name in release.declared.complete)


def _wrong_mark(status: str, codes: Mapping[str, str], release: PublicRelease) -> str:
    """What is wrong with a mark that does not follow from the release's dates; empty where it
    does."""
    due = release.dates.mark(codes) if release.dates else status
    if status == due or (status == SUPPRESSED and due != NONE):
        return ""
    return f"is '{status}' where the dates of the data and their gaps make it '{due}'"


def _value(
    text: str,
    status: str,
    table: str,
    line: int,
    cell: tuple[tuple[str, str], ...],
    release: PublicRelease,
) -> int | None:
    """The published count, 0 where nothing was collected (everyone knows that), None where
    withheld. Marks that say more are findings."""
    if status not in STATUSES:
        release.findings.append(
            Finding(
                "marks",
                f"line {line} has the status '{status}', which format 1 does not know",
                table,
                cell,
            )
        )
    if status in VISIBLE:
        if not text.isdigit():
            release.findings.append(
                Finding(
                    "marks", f"line {line} is '{status}' but holds no whole number", table, cell
                )
            )
            return None
        value = int(text)
        if 0 < value < release.threshold:
            release.findings.append(
                Finding(
                    "known rules",
                    f"a published count lies below the threshold of {release.threshold}",
                    table,
                    cell,
                )
            )
        return value
    if text != "":
        release.findings.append(
            Finding("marks", f"line {line} is '{status}' but holds a value", table, cell)
        )
        return int(text) if text.isdigit() else None
    return 0 if status == NONE else None


def read_known(path: Path, release: PublicRelease) -> list[PublicTable]:
    """Counts known from elsewhere, each as a table of one cell.

    The file holds any number of `[[total]]` (codes = { dimension = "code" }, value = whole number)
    and `[[zero]]` (codes alone); `universe` may be named and is the release's first otherwise.
    Raises AuditError for a code or dimension that the release lacks.
    """
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditError(
            f"{path}: cannot be read ({error.strerror}); name a TOML file of known counts"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AuditError(
            f"{path}: not valid TOML ({error}); write [[total]] and [[zero]] entries"
        ) from None
    tables = []
    for kind in ("total", "zero"):
        for number, entry in enumerate(listed.get(kind, []), start=1):
            where = f"{path}: [[{kind}]] number {number}"
            codes, value = entry.get("codes", {}), entry.get("value") if kind == "total" else 0
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise AuditError(f"{where} needs 'value', a whole number of 0 or more")
            levels: dict[str, tuple[str, ...]] = {}
            for dimension, code in codes.items():
                tree = release.trees.get(dimension)
                level = (
                    next((name for name, known in tree.levels.items() if code in known), None)
                    if tree
                    else None
                )
                if level is None:
                    raise AuditError(
                        f"{where} names {dimension} = '{code}', which is not in the release's "
                        "codelists; use its codes"
                    )
                levels[dimension] = ("all", level)
            key = frozenset((d, c) for d, c in codes.items() if c != "all")
            universe = str(entry.get("universe", release.tables[0].universe))
            tables.append(
                PublicTable(
                    f"known {kind} {number}",
                    universe,
                    levels,
                    {},
                    None,
                    {},
                    (Cell(key, value, {}),),
                )
            )
    if unknown := sorted(set(listed) - {"total", "zero"}):
        raise AuditError(
            f"{path}: '{unknown[0]}' is not known here; write [[total]] and [[zero]] entries"
        )
    return tables
