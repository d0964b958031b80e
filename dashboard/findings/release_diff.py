"""What changed between two releases, figure by figure, from their public files alone.

Codes that are gone or new are named, so that a saved link or a table of one's own can be mended. A
figure is listed as changed only where both releases publish it. A cell that one of them withholds
is never compared: whether it was published before, or is now, the releases themselves show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from dashboard.page.page import field_name
from dashboard.page.standard_texts import uncollected
from dashboard.release.reader import (
    INCOMPLETE,
    PUBLISHED,
    ROOT,
    Code,
    Codelist,
    CountTable,
    Release,
)
from dashboard.text.column_names import column_name
from dashboard.text.language import _, current, ngettext, number, pick, text

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
    """Counts, statistics and rows about the program that both releases publish, with different
    values."""
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
            if (
                old is not None
                and value is not None
                and old != value
                and old_status == status == PUBLISHED
            ):
                yield Change(
                    name, pick(table.title), _cell_words(after, codes), number(old), number(value)
                )


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
        if (
            earlier is None
            or set(earlier.levels) != set(table.levels)
            or "period" not in table.levels
        ):
            continue
        for key, cell in table.rows.items():
            codes = dict(zip(table.levels, key, strict=True))
            if codes["period"] == ROOT or codes["period"] in partly:
                continue
            old = earlier.rows.get(tuple(codes[d] for d in earlier.levels))
            if old and cell:
                for column in table.columns:
                    if column in old and old[column] != cell[column]:
                        words = f"{_cell_words(after, codes)}: {column_name(column)}"
                        yield Change(
                            name,
                            pick(table.title),
                            words,
                            number(old[column]),
                            number(cell[column]),
                        )


def _part_periods(release: Release) -> set[str]:
    """Codes of periods that the release covers only in part."""
    return {
        codes["period"]
        for table in release.tables.values()
        for codes, _value, status in _cells(table)
        if status == INCOMPLETE
    }


def _references(before: Release, after: Release) -> Iterator[Change]:
    for name, rows in after.references.items():
        earlier = before.references.get(name)
        if earlier is None or list(earlier.columns) != list(rows.columns):
            continue
        keys = _key(after, earlier, rows)
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
                if (
                    str(there[column]) != row[column]
                    and str(there[column])
                    and row[column]
                    and not _translated(column, after)
                ):
                    yield Change(
                        name,
                        pick(after.titles[name]),
                        f"{_row_words(after, row, keys)}: {column_name(column)}",
                        str(there[column]),
                        row[column],
                    )


def _row_words(release: Release, row: Mapping[str, str], keys: Sequence[str]) -> str:
    """What tells a row of a table about the program from the others."""
    words = []
    for key in filter(row.__getitem__, keys):
        value, codelist = row[key], release.codelists.get(key)
        if key == "field":
            words.append(field_name(release, value))
        elif codelist is not None and value in codelist.codes:
            words.append(pick(codelist.codes[value].label))
        else:
            words.append(text(row, key))
    return ", ".join(words)


def _translated(column: str, release: Release) -> bool:
    """Is it another column's text in a further language, as `role_es` is of `role`?"""
    return column.endswith(tuple(f"_{code}" for code in release.languages))


def _key(release: Release, *frames: pd.DataFrame) -> list[str]:
    """The fewest first columns that tell the rows of all frames apart."""
    columns = [c for c in frames[0].columns if not _translated(c, release)]
    for width in range(1, len(columns)):
        if all(not frame.duplicated(columns[:width]).any() for frame in frames):
            return columns[:width]
    return []


@dataclass(frozen=True)
class CodeChange:
    """A code that only one of two releases has, or that is called otherwise in each. `what`: gone,
    new or renamed; `before`: the earlier name.

    `code` is empty where the whole list of codes is gone or new; `label` then says how many codes
    it has. `part_of`: name of the code above it.
    """

    dimension: str
    kind: str
    part_of: str
    what: str
    code: str
    label: str
    before: str = ""


ORDER = ("gone", "new", "renamed")


def codes(before: Release, after: Release) -> list[CodeChange]:
    """Codes that are gone, new or renamed, list by list; those under one code stand together, the
    gone ones first.

    New months are no change of the codes: each release has them. Whether a code was split, or two
    were joined, no release says.
    """
    found: list[CodeChange] = []
    for name in sorted({*before.codelists, *after.codelists}):
        old, new = before.codelists.get(name), after.codelists.get(name)
        if old and new:
            found += sorted(
                _codes_of(old, new), key=lambda change: (change.part_of, ORDER.index(change.what))
            )
        elif only := new or old:
            below = sum(code.code != ROOT for code in only.codes.values())
            words = ngettext("its only code", "all {count} codes", below)
            count = words.format(count=number(below))
            found.append(CodeChange(name, pick(only.name), "", "new" if new else "gone", "", count))
    return found


def _codes_of(old: Codelist, new: Codelist) -> Iterator[CodeChange]:
    def change(codelist: Codelist, code: Code, what: str, before: str = "") -> CodeChange:
        above = pick(codelist.codes[code.parent].label) if code.parent else ""
        return CodeChange(
            new.dimension, pick(new.name), above, what, code.code, pick(code.label), before
        )

    for code in old.codes.values():
        if code.code not in new.codes and not _unplaced(code):
            yield change(old, code, "gone")
    for code in new.codes.values():
        earlier = old.codes.get(code.code)
        if earlier is None and new.dimension != "period" and not _unplaced(code):
            yield change(new, code, "new")
        elif earlier is not None and pick(earlier.label) != pick(code.label):
            yield change(new, code, "renamed", pick(earlier.label))


def _unplaced(code: Code) -> bool:
    """A code for 'not recorded' below another code (`east.unknown`, `unknown.beat`): it comes and
    goes with that one."""
    return code.code != "unknown" and "unknown" in code.code.split(".")


def replaced(found: Sequence[CodeChange]) -> bool:
    """Are codes gone and others new under one code? One of them may then stand for the other."""
    sides = {
        what: {(c.dimension, c.part_of) for c in found if c.what == what and c.code}
        for what in ("gone", "new")
    }
    return bool(sides["gone"] & sides["new"])


@dataclass(frozen=True)
class Revised:
    """How many months of the earlier release had calls added, removed or recoded, and at most how
    many calls were recoded."""

    months: int
    at_most: int


def revised(before: Release, after: Release) -> Revised | None:
    """None where `after` tells this against another release than `before`."""
    history = after.package.get("history", ())
    if not history or str(history[-1]["version"]) != before.version:
        return None
    told = after.package.get("revised", {})
    return Revised(len(told.get("months", ())), int(told.get("at_most", 0)))


@dataclass(frozen=True)
class RuleChange:
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def rules(before: Release, after: Release) -> list[RuleChange]:
    """Rules of the agency's own that are new, reworded or gone."""
    old, new = before.package.get("definitions", {}), after.package.get("definitions", {})
    return [
        RuleChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def missing_days(before: Release, after: Release) -> tuple[list[str], list[str]]:
    """A sentence for each stretch of days that is missing now and was not before, and for each that
    was and is no longer."""
    old, new = uncollected(before), uncollected(after)
    return [sentence for sentence in new if sentence not in old], [
        sentence for sentence in old if sentence not in new
    ]


def tables(before: Release, after: Release) -> tuple[list[str], list[str]]:
    """Titles of tables that are new, and of those that are gone."""

    def named(release: Release) -> dict[str, str]:
        return {
            **{n: pick(t.title) for n, t in release.tables.items()},
            **{n: pick(s.title) for n, s in release.statistics.items()},
            **{n: pick(t) for n, t in release.titles.items()},
        }

    old, new = named(before), named(after)
    return [new[n] for n in new if n not in old], [old[n] for n in old if n not in new]
