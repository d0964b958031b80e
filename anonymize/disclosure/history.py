"""Releases over time: what earlier releases told, and the private ledgers of the calls behind them.

A reader who kept every release can compare them. So that no comparison narrows a withheld count,
all releases are one system (`protect/system.py`): the calls are divided into blocks: those that
are in the same releases, coded alike. A call that came in late, was removed, or was recoded is in
some releases only; each release says in public for which months that happened, and bounds how
often.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from anonymize.agency.codelists import ROOT, Codelist, Dimension, Node
from anonymize.agency.schema import TableSpec, Text
from anonymize.count.tables import Mask, Table, cells_of, counting
from anonymize.engine import Engine
from anonymize.engine.sources import literal
from anonymize.errors import PlanError
from anonymize.protect import Block, Bound, Earlier
from anonymize.protect.facts import EMPTY
from anonymize.protect.junction_tree import Clique
from anonymize.protect.primary import primary
from anonymize.protect.system import clique_dimensions
from anonymize.records.collected import Calendar
from anonymize.release.published import Revised
from anonymize.release.read import HISTORY, CountTable, EarlierRelease, read_earlier

LEDGERS = "ledger"
MAX_REVISED = 0.25
"""Where a larger share of an earlier release's calls is recoded, that is no revision but another
way of counting."""


@dataclass(frozen=True)
class Past:
    """An earlier release, from its public files; `ledger` and `small` (what its rules withheld) are
    private."""

    public: EarlierRelease
    codelists: dict[str, Codelist]
    specs: tuple[TableSpec, ...]
    ledger: Path
    small: Path

    @property
    def folder(self) -> Path:
        return self.public.folder

    @property
    def package(self) -> dict[str, Any]:
        return self.public.package

    @property
    def version(self) -> str:
        return self.public.version

    @property
    def revised(self) -> Revised:
        given = self.package.get("revised", {})
        return Revised(tuple(given.get("months", ())), int(given.get("at_most", 0)))

    @property
    def empty(self) -> Sequence[Mapping[str, str]]:
        """Cells of which it says that they hold no call."""
        told = self.package.get("facts", ())
        return [cell for fact in told if fact.get("kind") in EMPTY for cell in fact["none"]]

    @property
    def months_not_collected(self) -> Collection[str]:
        """Codes of the months of which it collected nothing."""
        return Calendar.released(self.package).months_not_collected(self.codelists["period"])


@dataclass(frozen=True)
class Newest:
    """The release that is being built. `fed`: dimensions that the agency's columns feed;
    `months_not_collected`: codes of the months of which nothing was collected."""

    codelists: Mapping[str, Codelist]
    fed: Sequence[str]
    months_not_collected: Collection[str] = ()


@dataclass(frozen=True)
class Comparison:
    """All releases as one system: the newest is the last position of `blocks`' presence."""

    blocks: tuple[Block, ...]
    bounds: tuple[Bound, ...]
    earlier: tuple[Earlier, ...]
    revised: Revised


def read_history(out: Path, private: Path, version: str, *, replace: bool) -> list[Past]:
    """The releases that readers may have kept, oldest first; with `replace`, without the one in
    place, which nobody outside has seen.

    Raises PlanError when a version is used twice or a private ledger is missing.
    """
    if not (out / "datapackage.json").exists():
        return []
    package = json.loads((out / "datapackage.json").read_text(encoding="utf-8"))
    folders = [out / HISTORY / str(entry["version"]) for entry in package.get("history", ())]
    if str(package["version"]) != version and not replace:
        folders.append(out)
    found = [_past(folder, private) for folder in folders]
    if version in (past.version for past in found):
        raise PlanError(
            [
                f"{out}: release {version} is out already; give the new release its own 'version'"
                " in [release]"
            ]
        )
    return found


def ledger_paths(private: Path, version: str, datapackage_sha256: str) -> tuple[Path, Path]:
    """One pair of files per release and its exact bytes: a build that fails later never spoils the
    ledger of a release that is out."""
    stem = f"{version}-{datapackage_sha256[:16]}"
    return private / LEDGERS / f"{stem}.parquet", private / LEDGERS / f"{stem}.npz"


def keep_ledger(
    engine: Engine,
    fed: Sequence[str],
    tables: Sequence[Table],
    threshold: int,
    paths: tuple[Path, Path],
) -> None:
    """Save how many calls bear each combination of codes, and which cells the rules withhold;
    readable by their owner alone."""
    ledger, small = paths
    ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    bring_ledger(engine, "ledger", sorted(fed))
    engine.db.execute(f"COPY ledger TO {literal(str(ledger))} (FORMAT parquet)")
    engine.db.execute("DROP TABLE ledger")
    ledger.chmod(0o600)
    with open(os.open(small, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        masks: dict[str, Any] = {table.name: primary(table, threshold) for table in tables}
        np.savez_compressed(handle, **masks)


def bring_ledger(engine: Engine, name: str, fields: Sequence[str]) -> None:
    """Bring a count of calls (`n`) for each combination of codes, as text, from the engine into its
    `db`, as the table `name`."""
    listed = ", ".join(f"CAST({field} AS VARCHAR(100)) AS {field}" for field in fields)
    engine.bring(
        name,
        f"SELECT {listed}, n FROM (SELECT {', '.join(fields)}, count(*) AS n FROM calls GROUP BY"
        " ALL) AS counted",
    )


def _past(folder: Path, private: Path) -> Past:
    public = read_earlier(folder)
    ledger, small = ledger_paths(private, public.version, public.digest)
    if not ledger.exists() or not small.exists():
        raise PlanError(
            [
                f"{ledger}: the private ledger of release {public.version} is not there; put back"
                " the private folder of that build ('--private'), or begin a new series in a new"
                " folder"
            ]
        )
    codelists = {
        name: _codelist(name, tree.levels, tree.above) for name, tree in public.codelists.items()
    }
    specs = tuple(
        TableSpec(
            name=table.name,
            title=Text(en=table.name, es=table.name),
            dimensions=table.levels,
            where=table.where,
            sensitive_attribute=table.sensitive_attribute,
        )
        for table in public.tables
    )
    return Past(public, codelists, specs, ledger, small)


def _codelist(
    name: str, levels: Mapping[str, Sequence[str]], parent: Mapping[str, str]
) -> Codelist:
    nodes = tuple(
        Node(code, Text(en=code, es=code), parent[code], level)
        for level, codes in levels.items()
        for code in codes
    )
    return Codelist(name, Text(en=name, es=name), tuple(levels), nodes)


def merged_before(history: Sequence[Past]) -> dict[str, tuple[tuple[str, ...], ...]] | None:
    """The areas that the last release showed as one; None where there is no earlier release."""
    if not history:
        return None
    given = history[-1].package.get("coarsened", {}).get("areas", {})
    return {name: tuple(tuple(group) for group in groups) for name, groups in given.items()}


def union_codelists(history: Sequence[Past], newest: Mapping[str, Codelist]) -> dict[str, Codelist]:
    """Every code of every release. Raises PlanError where a code stands in two places."""
    found: dict[str, Codelist] = {}
    problems: list[str] = []
    for source, lists in [
        *((past.version, past.codelists) for past in history),
        ("this one", newest),
    ]:
        for name, codelist in lists.items():
            before = found.get(name)
            if before is None:
                found[name] = codelist
                continue
            if before.levels != codelist.levels:
                problems.append(
                    f"'{name}' has the levels {', '.join(codelist.levels)} in release {source}, and"
                    f" {', '.join(before.levels)} in an earlier one"
                )
                continue
            for node in codelist.nodes:
                old = before.by_code.get(node.code)
                if old and (old.parent, old.level) != (node.parent, node.level):
                    problems.append(
                        f"'{node.code}' of '{name}' lies under '{node.parent}' in release {source},"
                        f" and under '{old.parent}' earlier"
                    )
            nodes = [
                *before.nodes,
                *(node for node in codelist.nodes if node.code not in before.by_code),
            ]
            ordered = [node for level in before.levels for node in nodes if node.level == level]
            found[name] = Codelist(name, codelist.name, before.levels, tuple(ordered))
    starts = (
        {code[5:7] for code in found["fiscal_year"].codes_at("fiscal_year")}
        if "fiscal_year" in found
        else set()
    )
    if len(starts) > 1:
        problems.append("fiscal years begin in another month than in an earlier release")
    if problems:
        raise PlanError(
            [
                f"{problem}; keep the earlier tree and give new codes new names, or begin a new"
                " series in a new folder"
                for problem in problems
            ]
        )
    return found


def compare(
    engine: Engine,
    history: Sequence[Past],
    newest: Newest,
    cliques: Sequence[Clique],
    union: Mapping[str, Codelist],
    threshold: int,
) -> Comparison:
    """Divide the calls of all releases into blocks. The newest release's calls are the engine's
    table `calls`.

    A month of which a release collected nothing is treated like a month outside its period.
    """
    db = engine.db
    used = sorted(
        {d for past in history for spec in past.specs for d in (*spec.dimensions, *spec.where)}
        | {d for c in cliques for d in c.levels}
    )
    _unite(engine, history, newest.fed, sorted({*used, "period"}), union)
    lists = [*(past.codelists for past in history), newest.codelists]
    absent = [*(past.months_not_collected for past in history), newest.months_not_collected]
    windows = [
        set(codes["period"].codes_at(codes["period"].finest)) - set(gone)
        for codes, gone in zip(lists, absent, strict=True)
    ]
    months: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
    revised_now: list[str] = []
    changes = np.zeros(2, dtype=np.int64)
    for month in union["period"].codes_at(union["period"].finest):
        inside = tuple(r for r, window in enumerate(windows) if month in window)
        if not inside:
            continue
        steps = []
        for before, after in pairwise(inside):
            added, removed = _differences(db, before, after, month)
            known = history[after].revised.months if after < len(history) else ()
            if added or removed or month in known:
                steps.append(after)
                if after == len(history):
                    revised_now.append(month)
                    changes += (added, removed)
        months.setdefault((inside, tuple(steps)), []).append(month)
    _refuse_recoding(db, history, windows, int(changes.max()))
    at_most = _rounded_up(int(changes.max()), threshold) if revised_now else 0
    revised = Revised(tuple(revised_now), at_most)
    blocks: list[Block] = []
    starts: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for (inside, revised_steps), codes in months.items():
        listed = ", ".join(map(literal, codes))
        db.execute(
            f"CREATE OR REPLACE TEMP VIEW block AS SELECT * FROM every WHERE period IN ({listed})"
        )
        for first, last in _runs(inside, revised_steps):
            present = inside[first : last + 1]
            shared = {
                name: _restricted(
                    union[name], [lists[r][name] for r in present if name in lists[r]]
                )
                for name in union
            }
            shared["period"] = _months_only(union["period"], codes)
            around = [inside[i] for i in (first - 1, last + 1) if 0 <= i < len(inside)]
            if first > 0:
                starts.setdefault(inside[first], []).append(len(blocks))
            if last + 1 < len(inside):
                ends.setdefault(inside[last + 1], []).append(len(blocks))
            measure = {"n": f"sum({_alike(present, around)})"}
            wanted = [clique_dimensions(clique, shared) for clique in cliques]
            counts = [
                cells_of(db.execute(counting(list(axes), measure, {}, "block")).df(), axes)
                for axes in wanted
            ]
            blocks.append(Block(frozenset(present), shared, counts))
    limits = [past.revised.at_most for past in history] + [at_most]
    bounds = tuple(
        Bound(tuple(listed), limits[r])
        for side in (starts, ends)
        for r, listed in sorted(side.items())
    )
    earlier = tuple(_earlier(db, r, past) for r, past in enumerate(history))
    return Comparison(tuple(blocks), bounds, earlier, revised)


def _alike(present: Sequence[int], around: Sequence[int]) -> str:
    """SQL: of the calls with one combination of codes, how many are in exactly the releases
    `present` (and not in those `around`)."""
    least = f"least({', '.join(f'n{r}' for r in present)})"
    most = f"greatest(0, {', '.join(f'n{r}' for r in around)})" if around else "0"
    return f"greatest(0, {least} - {most})"


def _runs(inside: Sequence[int], steps: Sequence[int]) -> list[tuple[int, int]]:
    """Every run of releases, as the positions of its first and last in `inside`. A run begins and
    ends at a step in which calls were revised, or at the ends."""
    cuts = [0, *(i for i, r in enumerate(inside) if r in steps), len(inside)]
    return [(cuts[a], cuts[b] - 1) for a in range(len(cuts) - 1) for b in range(a + 1, len(cuts))]


def _rounded_up(revised: int, threshold: int) -> int:
    """What is published instead of the number of revised calls: a multiple of the threshold, so far
    above it that a small count may have been 0 before."""
    return threshold * (revised // threshold + 3)


def _refuse_recoding(
    db: duckdb.DuckDBPyConnection,
    history: Sequence[Past],
    windows: Sequence[set[str]],
    revised: int,
) -> None:
    shared = windows[-1] & windows[-2]
    listed = ", ".join(map(literal, sorted(shared))) or "''"
    row = db.execute(
        f"SELECT coalesce(sum(n{len(history) - 1}), 0) FROM every WHERE period IN ({listed})"
    ).fetchone()
    calls = int(row[0]) if row else 0
    if revised > max(MAX_REVISED * calls, 100):
        raise PlanError(
            [
                f"more than {MAX_REVISED:.0%} of the calls of the months that release"
                f" {history[-1].version} holds too are coded otherwise now; that is another way of"
                " counting, and comparing both could tell of single calls; keep the earlier"
                " mapping, or begin a new series in a new folder"
            ]
        )


def _differences(
    db: duckdb.DuckDBPyConnection, before: int, after: int, month: str
) -> tuple[int, int]:
    """How many calls of `month` are only in the later release, and how many only in the earlier."""
    row = db.execute(
        f"SELECT coalesce(sum(greatest(0, n{after} - n{before})), 0), coalesce(sum(greatest(0,"
        f" n{before} - n{after})), 0) FROM every WHERE period = ?",
        [month],
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _unite(
    engine: Engine,
    history: Sequence[Past],
    fed: Sequence[str],
    names: Sequence[str],
    union: Mapping[str, Codelist],
) -> None:
    """The table `every`: a row per combination of codes, a column n0, n1, ... per release."""
    db = engine.db
    columns: list[set[str]] = []
    for r, past in enumerate(history):
        try:
            db.execute(
                f"CREATE TABLE ledger{r} AS SELECT * FROM read_parquet({literal(str(past.ledger))})"
            )
        except duckdb.Error as error:
            raise PlanError(
                [
                    f"{past.ledger}: the private ledger of release {past.version} cannot be read"
                    f" ({type(error).__name__}); put back the private folder of that build, or"
                    " begin a new series in a new folder"
                ]
            ) from None
        described = db.execute(f"DESCRIBE ledger{r}").fetchall()
        columns.append({str(row[0]) for row in described})
    newest = len(history)
    mine = [name for name in names if name in fed]
    bring_ledger(engine, f"ledger{newest}", mine)
    columns.append({*mine, "n"})
    for name in names:
        having = [r for r, found in enumerate(columns) if name in found]
        for r, found in enumerate(columns):
            if name not in found:
                nearest = min((abs(other - r), other) for other in having)[1]
                _borrow(db, r, nearest, name, sorted(found & set(names)), union[name])
                found.add(name)

    def place(r: int) -> str:
        return ", ".join(f"{'n' if i == r else '0'} AS n{i}" for i in range(newest + 1))

    rows = " UNION ALL ".join(
        f"SELECT {', '.join(names)}, {place(r)} FROM ledger{r}" for r in range(newest + 1)
    )
    sums = ", ".join(f"CAST(sum(n{i}) AS BIGINT) AS n{i}" for i in range(newest + 1))
    db.execute(
        f"CREATE TABLE every AS SELECT {', '.join(names)}, {sums} FROM ({rows}) GROUP BY ALL"
    )


def _borrow(
    db: duckdb.DuckDBPyConnection,
    r: int,
    donor: int,
    name: str,
    shared: Sequence[str],
    codelist: Codelist,
) -> None:
    """Give release r, which did not have the field `name`, the codes that the like calls of release
    `donor` have, as far as those go."""
    joined = [column for column in shared if column != "period"]
    keys = ["period", *joined]
    leaf = codelist.unknown_leaf or codelist.codes_at(codelist.finest)[0]
    on = " AND ".join(f"lent.{key} = wanted.{key}" for key in keys)
    listed = ", ".join(keys)
    of_wanted = ", ".join(f"wanted.{key}" for key in keys)
    db.execute(
        f"CREATE TABLE completed AS WITH wanted AS (SELECT {listed}, sum(n) AS n FROM ledger{r}"
        f" GROUP BY ALL), given AS (SELECT {listed}, {name}, sum(n) AS n FROM ledger{donor} GROUP"
        f" BY ALL), lent AS (SELECT *, sum(n) OVER (PARTITION BY {listed} ORDER BY {name}) AS upto"
        f" FROM given), taken AS (SELECT {of_wanted}, lent.{name}, greatest(0, least(lent.n,"
        f" wanted.n - lent.upto + lent.n)) AS n FROM wanted JOIN lent ON {on}), rest AS (SELECT"
        f" {of_wanted}, {literal(leaf)} AS {name}, wanted.n - coalesce(lent.n, 0) AS n FROM wanted"
        f" LEFT JOIN (SELECT {listed}, sum(n) AS n FROM taken GROUP BY ALL) AS lent ON {on}) SELECT"
        f" {listed}, {name}, CAST(sum(n) AS BIGINT) AS n FROM (SELECT * FROM taken UNION ALL SELECT"
        " * FROM rest) WHERE n > 0 GROUP BY ALL"
    )
    db.execute(f"DROP TABLE ledger{r}")
    db.execute(f"ALTER TABLE completed RENAME TO ledger{r}")


def _restricted(union: Codelist, lists: Sequence[Codelist]) -> Codelist:
    """The codes that all of `lists` have, as one list."""
    nodes = tuple(
        node for node in union.nodes if all(node.code in codelist.by_code for codelist in lists)
    )
    return Codelist(union.dimension, union.name, union.levels, nodes)


def _months_only(period: Codelist, months: Sequence[str]) -> Codelist:
    kept = {ROOT}
    for month in months:
        code = month
        while code:
            kept.add(code)
            code = period.by_code[code].parent
    return Codelist(
        period.dimension,
        period.name,
        period.levels,
        tuple(node for node in period.nodes if node.code in kept),
    )


def _earlier(db: duckdb.DuckDBPyConnection, position: int, past: Past) -> Earlier:
    tables, withheld, small = [], [], []
    with np.load(past.small, allow_pickle=False) as kept:
        for spec, public in zip(past.specs, past.public.tables, strict=True):
            dimensions = {
                name: Dimension(past.codelists[name], levels)
                for name, levels in spec.dimensions.items()
            }
            asked = counting(list(dimensions), {"n": f"sum(n{position})"}, spec.where, "every")
            values = cells_of(db.execute(asked).df(), dimensions)
            tables.append(
                Table(
                    spec.name,
                    spec.title,
                    "calls",
                    dimensions,
                    spec.where,
                    spec.sensitive_attribute,
                    values,
                )
            )
            withheld.append(_mask(public, dimensions))
            small.append(np.asarray(kept[spec.name], dtype=bool))
    return Earlier(past.version, tables, withheld, small)


def _mask(public: CountTable, dimensions: Mapping[str, Dimension]) -> Mask:
    found: Mask = np.array([count is None for count in public.counts.values()]).reshape(
        tuple(len(d.codes) for d in dimensions.values())
    )
    return found
