"""Declared facts as inequalities between cells, for the engine.

A release says more about counts than the counts: in how many per cent of a month's calls a field
is filled, how long half of the calls waited. Each fact is described in `datapackage.json`
(`release/facts.py`). Here the descriptions, with their rows, become sums of cells with a lower and
an upper bound that every joint table of the system must keep. The audit does the same with code of
its own (`audit/declared.py`, `audit/statistic_bounds.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist
from anonymize.errors import PlanError

Key = frozenset[tuple[str, str]]
"""A cell by its codes, roots left out."""
SHOWN = ("published", "incomplete")
EMPTY = ("empty_by_shifts", "empty_by_gaps")
"""Kinds that name cells that hold no call. The joint table holds these cells, whether or not a
published one does."""
KINDS = (
    "share_filled",
    "waits",
    "hours_without_team",
    "like_calls",
    "no_bound",
    "revised",
    "edge_of_records",
    *EMPTY,
)
NONE = 0
"""Hours without a team that are published as 0 are 0 if the threshold is BLURRED or more: no
number between 0 and the threshold is published."""
BLURRED = 5
ROUND_DOWN, ROUND_UP = 5, 4
"""By how much a number that is rounded to the nearest 10 may be above or below the truth."""


@dataclass(frozen=True)
class Bounds:
    """`low` <= sum of weight times count over `terms` <= `high`; None: no bound. `statistic`:
    whether a statistic says so."""

    terms: tuple[tuple[Key, int], ...]
    low: int | None
    high: int | None
    statistic: bool = False

    @property
    def empty(self) -> bool:
        """Is it public for good that none of these calls is there?"""
        return self.high == 0 and not self.statistic and all(weight > 0 for _, weight in self.terms)


@dataclass(frozen=True)
class Declared:
    """What one release says besides counts: the descriptions, and for each resource that they name
    its rows by column (empty where nothing is published)."""

    facts: Sequence[Mapping[str, Any]]
    rows: Mapping[str, Sequence[Mapping[str, str]]]
    where: Mapping[str, Mapping[str, str]]
    dimensions: Mapping[str, Sequence[str]]
    counts: Mapping[Key, int]
    threshold: int


def bounds_of(
    declared: Declared, codelists: Mapping[str, Codelist], holds: Callable[[Key], bool]
) -> list[Bounds]:
    """All that the facts say about cells of the joint table (`holds`), published ones included:
    they may still be withheld.

    Raises PlanError for an unknown kind of fact.
    """
    found: dict[Bounds, None] = {}
    for fact in declared.facts:
        kind = fact.get("kind")
        if kind not in KINDS:
            raise PlanError(
                [
                    f"a release declares a fact of the kind '{kind}', which this version does "
                    "not know; use the version that made the release"
                ]
            )
        if kind == "share_filled":
            listed = _shares(fact, declared, codelists, holds)
        elif kind == "waits":
            listed = _statistic(
                fact, fact["dimension"], partial(_waits, fact), declared, codelists, holds
            )
        elif kind == "hours_without_team":
            listed = _statistic(
                fact, fact["dimension"], partial(_without_team, fact), declared, codelists, holds
            )
        elif kind == "like_calls":
            listed = _like_calls(fact, declared, codelists, holds)
        elif kind == "edge_of_records":
            listed = _edge(fact, codelists, holds)
        elif kind in EMPTY:
            empty = (_cell(cell.items()) for cell in fact["none"])
            listed = (Bounds(((cell, 1),), None, 0) for cell in empty if holds(cell))
        else:
            continue
        found |= dict.fromkeys(listed)
    return list(found)


def _cell(*parts: Iterable[tuple[str, str]]) -> Key:
    return frozenset((name, code) for part in parts for name, code in part if code != ROOT)


def _edge(
    fact: Mapping[str, Any], codelists: Mapping[str, Codelist], holds: Callable[[Key], bool]
) -> Iterator[Bounds]:
    """At least one call in each of the smallest cells of the joint table around the first or the
    last record."""
    chains = [
        [(name, above) for above in _chain(codelists[name], code)]
        for name, code in sorted(fact["of"].items())
        if name in codelists
    ]
    around = {_cell(parts) for parts in product(*chains)}
    held = {cell for cell in around if cell and holds(cell)}
    for cell in held:
        finer = (other for other in held if other != cell and _within(other, cell, codelists))
        if not any(finer):
            yield Bounds(((cell, 1),), 1, None)


def _within(inner: Key, outer: Key, codelists: Mapping[str, Codelist]) -> bool:
    codes = dict(inner)
    return all(
        name in codes and code in _chain(codelists[name], codes[name]) for name, code in outer
    )


# Completeness


def _shares(
    fact: Mapping[str, Any],
    declared: Declared,
    codelists: Mapping[str, Codelist],
    holds: Callable[[Key], bool],
) -> Iterator[Bounds]:
    told: dict[tuple[str, str], list[_Blank]] = {}
    for row in declared.rows[fact["resource"]]:
        if row["at_least"] == "":
            continue
        out_of = fact["out_of"][row["out_of"]]
        within = _cell(out_of["of"].items(), [("period", row["period"])])
        calls = declared.counts[within] - (
            declared.counts[within | _cell(out_of["without"].items())] if out_of["without"] else 0
        )
        at_least, at_most = int(row["at_least"]), int(row["at_most"])
        most = calls - -(-at_least * calls // 100)
        least = 0 if at_most == 100 else calls - (at_most * calls - 1) // 100
        told.setdefault((row["field"], row["out_of"]), []).append(
            (row["period"], calls, least, most)
        )
    for blank in fact["blank"]:
        exact = blank["relation"] == "equal"
        for (name, out_of), rows in told.items():
            if name != blank["field"]:
                continue
            base = _cell(fact["out_of"][out_of]["of"].items())
            wide = _joined_with(_cell(blank["of"].items()), base, codelists, holds)
            cell = _cell(blank["of"].items(), wide)
            if wide != base:
                rows = [_beyond(row, base, wide, declared.counts) for row in rows]
            known = all(row[3] is not None for row in rows)
            yield from _in_periods(
                cell, rows, exact and known, declared.counts, codelists["period"], holds
            )


_Blank = tuple[str, int, int, int | None]
"""Period, the calls that a share is of, and how many of them have the field blank: at least, and at
most where that is known."""


def _joined_with(
    blank: Key, base: Key, codelists: Mapping[str, Codelist], holds: Callable[[Key], bool]
) -> Key:
    """The base of a share, or the narrowest wider one that some table joins with the field."""
    chains = [
        [(name, code) for code in _chain(codelists[name], code)]
        for name, code in sorted(base)
        if name in codelists
    ]
    wider = (_cell(parts) for parts in sorted(product(*chains), key=lambda p: _steps(p, chains)))
    return next((found for found in wider if holds(blank | found)), base)


def _steps(
    parts: Sequence[tuple[str, str]], chains: Sequence[Sequence[tuple[str, str]]]
) -> tuple[int, ...]:
    found = [chain.index(part) for part, chain in zip(parts, chains, strict=True)]
    return (sum(found), *found)


def _beyond(row: _Blank, base: Key, wide: Key, counts: Mapping[Key, int]) -> _Blank:
    """The same of a wider base: the calls beyond may have the field blank or not."""
    period, calls, least, most = row
    inner, outer = (key | _cell([("period", period)]) for key in (base, wide))
    if most is None or inner not in counts or outer not in counts:
        return period, calls, least, None
    return period, calls, least, most + counts[outer] - counts[inner]


def _in_periods(
    cell: Key,
    rows: Sequence[_Blank],
    exact: bool,
    counts: Mapping[Key, int],
    periods: Codelist,
    holds: Callable[[Key], bool],
) -> Iterator[Bounds]:
    """Bounds on `cell` in each of (period, calls, least and most blank); where no table joins the
    two, in each longer period that one does."""
    apart: list[_Blank] = []
    for period, calls, least, most in rows:
        key = cell | _cell([("period", period)])
        if holds(key):
            yield Bounds(((key, 1),), least, most if exact else None)
        else:
            apart.append((period, calls, least, most))
    for level in periods.levels if apart else ():
        above = periods.ancestors(level)
        for code in periods.codes_at(level):
            key = cell | _cell([("period", code)])
            inside = [row for row in apart if above.get(row[0]) == code]
            if not inside or not holds(key):
                continue
            least, most = sum(row[2] for row in inside), sum(row[3] or 0 for row in inside)
            rest = (
                counts[whole] - sum(row[1] for row in inside)
                if (whole := _cell([("period", code)])) in counts
                else None
            )
            months = sum(above[month] == code for month in periods.codes_at(periods.finest))
            upper = most if len(inside) == months else most + rest if rest is not None else None
            yield Bounds(((key, 1),), least, upper if exact else None)


# Statistics


@dataclass(frozen=True)
class _Share:
    """Of the calls of one row, `low` to `high` have one of `codes`. `sharp`: the same more
    narrowly, for this row alone."""

    codes: tuple[str, ...]
    low: int
    high: int | None
    sharp: tuple[tuple[tuple[str, int], ...], int | None, int | None] | None = None


@dataclass(frozen=True)
class _Row:
    """One row of a statistic that has numbers and a published count of `calls`, of which `unknown`
    have the code of that name (None: not published)."""

    key: Key
    calls: int
    unknown: int | None
    numbers: Mapping[str, int]


def _row(
    fact: Mapping[str, Any], row: Mapping[str, str], name: str, declared: Declared
) -> _Row | None:
    """None where the row has no numbers, or its count is not published."""
    dimensions, where = declared.dimensions[fact["resource"]], declared.where[fact["resource"]]
    key = _cell([(d, row[d]) for d in dimensions], where.items())
    if key not in declared.counts or row["status"] not in SHOWN:
        return None
    numbers = {
        column: int(text)
        for column, text in row.items()
        if text.isdigit() and column not in dimensions
    }
    return _Row(key, declared.counts[key], declared.counts.get(key | {(name, UNKNOWN)}), numbers)


def _statistic(
    fact: Mapping[str, Any],
    name: str,
    tell: Callable[[_Row, Codelist, int], Iterable[_Share]],
    declared: Declared,
    codelists: Mapping[str, Codelist],
    holds: Callable[[Key], bool],
) -> Iterator[Bounds]:
    """What all rows say about the codes of dimension `name`, by what `tell` makes of one row."""
    resource = fact["resource"]
    if name not in codelists:  # no table has it
        return
    where = _cell(declared.where[resource].items())
    by_levels: dict[tuple[str, ...], dict[Key, list[_Share]]] = {}
    for row in declared.rows[resource]:
        codes = {d: row[d] for d in declared.dimensions[resource]}
        if name in codes and codes[name] != ROOT:
            continue
        key = _cell(codes.items(), where)
        levels = tuple(codelists[d].by_code[code].level for d, code in codes.items())
        found = _row(fact, row, name, declared)
        shares = list(tell(found, codelists[name], declared.threshold)) if found else []
        if found is None and fact["kind"] == "waits" and not fact.get("left_out", True):
            fewest = int(fact["minimum"])  # a row with this many times or more would be shown
            if declared.counts.get(key, 0) >= fewest + declared.threshold - 1:
                shares = [_Share((fact["untimed"],), declared.counts[key] - fewest + 1, None)]
        by_levels.setdefault(levels, {})[key] = shares
    for rows in by_levels.values():
        if not any(rows.values()):
            continue
        apart: dict[Key, list[_Share]] = {}
        for key, shares in rows.items():
            if holds(
                key | {(name, next(iter(codelists[name].codes_at(codelists[name].levels[1]))))}
            ):
                yield from _sharp(key, name, shares, holds)
            else:
                apart[key] = shares
        if any(apart.values()):
            yield from _added_up(apart, where, name, declared.counts, codelists, holds)


def _sharp(
    key: Key, name: str, shares: Sequence[_Share], holds: Callable[[Key], bool]
) -> Iterator[Bounds]:
    for share in shares:
        weighted, low, high = share.sharp or (
            tuple((code, 1) for code in share.codes),
            share.low,
            share.high,
        )
        terms = tuple((key | {(name, code)}, weight) for code, weight in weighted)
        if all(holds(cell) for cell, _ in terms):
            yield Bounds(terms, low, high, True)


def _added_up(
    rows: Mapping[Key, Sequence[_Share]],
    where: Key,
    name: str,
    counts: Mapping[Key, int],
    codelists: Mapping[str, Codelist],
    holds: Callable[[Key], bool],
) -> Iterator[Bounds]:
    """Where no table joins a row with the dimension: the rows under each wider cell that a table
    does join, added up."""
    split = next(iter(codelists[name].codes_at(codelists[name].levels[1])))
    example = next(iter(rows)) - where
    chains = {d: _chain(codelists[d], code) for d, code in sorted(example)}
    ways: list[tuple[int, ...]] = []
    for steps in sorted(
        product(*(range(len(chain)) for chain in chains.values())), key=lambda s: (sum(s), s)
    ):
        beyond = any(all(a >= b for a, b in zip(steps, way, strict=True)) for way in ways)
        wide = _cell(
            (d, chain[step]) for (d, chain), step in zip(chains.items(), steps, strict=True)
        )
        if not beyond and holds(wide | where | {(name, split)}):
            ways.append(steps)
    parts = {share.codes for shares in rows.values() for share in shares}
    for way in ways:
        under: dict[Key, list[Key]] = {}
        for key in rows:
            up = (
                (d, _chain(codelists[d], code)[step])
                for (d, code), step in zip(sorted(key - where), way, strict=True)
            )
            under.setdefault(_cell(up) | where, []).append(key)
        for cell, codes in product(under, sorted(parts)):
            low, high = 0, 0.0
            for key in under[cell]:
                mine = [share for share in rows[key] if share.codes == codes]
                low += max((share.low for share in mine), default=0)
                high += min(
                    (float(share.high) for share in mine if share.high is not None),
                    default=float(counts.get(key, math.inf)),
                )
            terms = tuple((cell | {(name, code)}, 1) for code in codes)
            if (low > 0 or high < counts.get(cell, math.inf)) and all(
                holds(term) for term, _ in terms
            ):
                yield Bounds(terms, low, None if math.isinf(high) else int(high), True)


def _chain(codelist: Codelist, code: str) -> list[str]:
    """The code and those above it."""
    found = [code]
    while found[-1] != ROOT:
        found.append(codelist.by_code[found[-1]].parent)
    return found


def _waits(fact: Mapping[str, Any], row: _Row, wait: Codelist, _threshold: int) -> Iterator[_Share]:
    """With T waits in order, the quantile a / b lies between those at positions floor(a (T - 1) /
    b) and ceil(a (T - 1) / b), counted from 0.

    It is published to the nearest minute. Where an edge between bands lies above it, all waits up
    to the first of the two are below the edge; where it lies below, all from the second on are
    not. With U = N - T calls without a time, b * below + a * U bounds both.
    """
    no_time, calls, untimed, numbers = fact["untimed"], row.calls, row.unknown, row.numbers
    least = calls - untimed if untimed is not None else numbers["based_on"]
    most = calls - untimed if untimed is not None else calls
    yield _Share((no_time,), calls - most, calls - least)
    limits = {
        code: math.inf if minutes is None else float(minutes)
        for code, minutes in fact["less_than"].items()
    }
    for edge in sorted({limit for limit in limits.values() if limit < math.inf}):
        below = _merged([code for code, limit in limits.items() if limit <= edge], wait)
        beyond = _merged([code for code, limit in limits.items() if limit > edge], wait)
        for quantile, (a, b) in fact["quantiles"].items():
            weighted = (*((code, b) for code in below), (no_time, a))
            if edge > numbers[quantile]:
                yield _Share(
                    below, a * (least - 1) // b + 1, None, (weighted, a * (calls - 1) + 1, None)
                )
                yield _Share(beyond, 0, most - a * (most - 1) // b - 1)
            elif edge < numbers[quantile]:
                yield _Share(
                    below, 0, -(-a * (most - 1) // b), (weighted, None, a * (calls - 1) + b - 1)
                )
                yield _Share(beyond, max(0, least + (-a * (least - 1) // b)), None)


def _merged(codes: Sequence[str], codelist: Codelist) -> tuple[str, ...]:
    """The same calls with a parent instead of all its children."""
    found: list[str] = []
    for code in codes:
        above = codelist.by_code[code].parent
        children = [node.code for node in codelist.nodes if node.parent == above]
        whole = above if above != ROOT and set(children) <= set(codes) else code
        if whole not in found:
            found.append(whole)
    return tuple(found)


def _without_team(
    fact: Mapping[str, Any], row: _Row, _reasons: Codelist, threshold: int
) -> Iterator[_Share]:
    """Each hour without a team contains a call for which none was free; each other hour one that
    is not."""
    codes, none = tuple(fact["codes"]), row.numbers["hours_none"]
    if none == NONE and threshold >= BLURRED:
        yield _Share(codes, 0, 0)
        return
    others = row.numbers["based_on"] - ROUND_DOWN - (none + ROUND_UP)
    yield _Share(codes, max(0, none - ROUND_DOWN), max(0, row.calls - max(0, others)))


# Comparisons of like calls


def _like_calls(
    fact: Mapping[str, Any],
    declared: Declared,
    codelists: Mapping[str, Codelist],
    holds: Callable[[Key], bool],
) -> Iterator[Bounds]:
    """Both sides of a comparison are large, it leaves out at most the calls on which it does not
    rest, and `recorded` says how much is missing."""
    reason, outcome = fact["reason"], fact["outcome"]
    if fact["lost"]:
        yield from _statistic(fact, reason, partial(_reasons, fact), declared, codelists, holds)
    if outcome:
        yield from _statistic(fact, outcome, partial(_outcomes, fact), declared, codelists, holds)
    for line in declared.rows[fact["resource"]]:
        row = _row(fact, line, reason, declared)
        if row is None:
            continue
        unreasoned = [row.key | {(reason, fact["unreasoned"])}] if fact["lost"] else []
        missing = [row.key | {(outcome, fact["missing"])}] if outcome else []
        cells = [cell for cell in (*unreasoned, *missing) if holds(cell)]
        if len(cells) < len(unreasoned) + len(missing):
            continue  # a part of the sum is in no table
        if not row.numbers["recorded"] and cells and (outcome or fact["followed"]):
            yield Bounds(tuple((cell, 1) for cell in cells), declared.threshold, None, True)
        if row.numbers["recorded"] and missing and not fact["followed"]:
            yield Bounds(
                (*((cell, 10) for cell in missing), *((cell, -9) for cell in unreasoned)),
                None,
                row.calls,
                True,
            )


def _reasons(
    fact: Mapping[str, Any], row: _Row, _reasons: Codelist, threshold: int
) -> Iterator[_Share]:
    """Why no team came: many calls were lost, and few have no reason on record."""
    unreasoned = fact["unreasoned"]
    yield _Share(tuple(fact["lost"]), fact["sides"] * threshold, None)
    yield _Share((unreasoned,), 0, max(0, row.calls - row.numbers["based_on"]))
    if row.numbers["recorded"] and not fact["followed"]:
        yield _Share(
            (unreasoned,), 0, None, (((unreasoned, 5), (fact["served"], 1)), None, row.calls)
        )


def _outcomes(
    fact: Mapping[str, Any], row: _Row, _codes: Codelist, threshold: int
) -> Iterator[_Share]:
    yield _Share((fact["missing"],), 0, max(0, row.calls - row.numbers["based_on"]))
    if fact["answers"]:
        yield _Share((fact.get("answer", "yes"),), 2 * threshold, None)
