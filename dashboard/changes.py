"""What changed between two releases, figure by figure, from their public files alone.

A figure is told as changed only where both releases publish it. A cell that one of them withholds is never compared: whether it was
published before, or is now, stands in the releases themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from dashboard.language import _, current, number, pick
from dashboard.release import ROOT, CountTable, Release

MOST = 400
"""Changed figures listed; the rest are counted."""


@dataclass(frozen=True)
class Change:
    """One figure: where it stands, and what both releases say."""

    table: str
    title: str
    cell: str
    before: str
    after: str


def figures(before: Release, after: Release) -> list[Change]:
    """Counts, statistics and rows about the program that both releases publish, with different values."""
    return list(_figures(before, after, current()))


@lru_cache(maxsize=16)
def _figures(before: Release, after: Release, _language: str) -> tuple[Change, ...]:
    """Worked out once for all readers of a language."""
    return (*_counts(before, after), *_statistics(before, after), *_references(before, after))


def _cell_words(release: Release, codes: dict[str, str]) -> str:
    named = [pick(release.codelists[d].codes[c].label) for d, c in codes.items() if c != ROOT]
    return ", ".join(named) or _("all")


def _counts(before: Release, after: Release) -> Iterator[Change]:
    for name, table in after.tables.items():
        earlier = before.tables.get(name)
        if earlier is None or not _comparable(earlier, table):
            continue
        for codes, value, status in _cells(table):
            try:
                old, old_status = earlier.cell(codes)
            except KeyError:
                continue
            # A period that the earlier data covered in part only is not the same figure.
            if old is not None and value is not None and old != value and old_status == status == "published":
                yield Change(name, pick(table.title), _cell_words(after, codes), number(old), number(value))


def _cells(table: CountTable) -> Iterator[tuple[dict[str, str], int | None, str]]:
    for row in table.cells.itertuples(index=False, name=None):
        codes = dict(zip(table.levels, row, strict=False))
        value, status = table.cell(codes)
        # The whole span of the data grows with each release: its totals are not the same figure.
        if codes.get("period", "") != ROOT and "period" in table.levels:
            yield codes, value, status


def _comparable(before: CountTable, after: CountTable) -> bool:
    return set(before.levels) == set(after.levels) and before.where == after.where


def _statistics(before: Release, after: Release) -> Iterator[Change]:
    partly = _part_periods(before)
    for name, table in after.statistics.items():
        earlier = before.statistics.get(name)
        if earlier is None or set(earlier.levels) != set(table.levels) or "period" not in table.levels:
            continue
        for key, cell in table.rows.items():
            codes = dict(zip(table.levels, key, strict=True))
            if codes["period"] == ROOT or codes["period"] in partly:
                continue
            old = earlier.rows.get(tuple(codes[d] for d in earlier.levels))
            if old and cell:
                for column in table.columns:
                    if column in old and old[column] != cell[column]:
                        words = f"{_cell_words(after, codes)}: {column.replace('_', ' ')}"
                        yield Change(name, pick(table.title), words, number(old[column]), number(cell[column]))


def _part_periods(release: Release) -> set[str]:
    """Codes of periods that the release covers only in part."""
    return {
        codes["period"]
        for table in release.tables.values()
        for codes, _value, status in _cells(table)
        if status == "incomplete"
    }  # fmt: skip


def _references(before: Release, after: Release) -> Iterator[Change]:
    for name, rows in after.references.items():
        earlier = before.references.get(name)
        if earlier is None or list(earlier.columns) != list(rows.columns):
            continue
        keys = _key(earlier, rows)
        values = [column for column in rows.columns if column not in keys]
        if not keys or not values:
            continue
        old = earlier.set_index(keys)
        for row in rows.to_dict("records"):
            at = tuple(row[k] for k in keys)
            place = at if len(keys) > 1 else at[0]
            if place not in old.index:
                continue
            there = old.loc[place]
            for column in values:
                if str(there[column]) != row[column] and str(there[column]) and row[column] and not column.endswith("_es"):
                    yield Change(
                        name, pick(after.titles[name]), f"{', '.join(v for v in at if v)}: {column.replace('_', ' ')}", str(there[column]), row[column]
                    )  # fmt: skip


def _key(*frames: pd.DataFrame) -> list[str]:
    """The fewest first columns that tell the rows of all frames apart."""
    columns = [c for c in frames[0].columns if not c.endswith("_es")]
    for width in range(1, len(columns)):
        if all(not frame.duplicated(columns[:width]).any() for frame in frames):
            return columns[:width]
    return []


@dataclass(frozen=True)
class RuleChange:
    name: str
    before: dict[str, object] | None
    after: dict[str, object] | None


def rules(before: Release, after: Release) -> list[RuleChange]:
    """Rules of the agency's own that are new, reworded or gone."""
    old, new = before.package.get("definitions", {}), after.package.get("definitions", {})
    return [RuleChange(name, old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)]


def tables(before: Release, after: Release) -> tuple[list[str], list[str]]:
    """Titles of tables that are new, and of those that are gone."""

    def named(release: Release) -> dict[str, str]:
        return {
            **{n: pick(t.title) for n, t in release.tables.items()}, **{n: pick(s.title) for n, s in release.statistics.items()},
            **{n: pick(t) for n, t in release.titles.items()},
        }  # fmt: skip

    old, new = named(before), named(after)
    return [new[n] for n in new if n not in old], [old[n] for n in old if n not in new]
