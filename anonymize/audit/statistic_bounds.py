"""What statistics say about counts: a median lies between two waits, an hour without a team holds
at least one call.

From "9 in 10 of these 60 calls waited at most 25 minutes" follows that at most 6 of them waited an
hour. Where that number is withheld, the statistic narrows it. Here each statistic that bounds
counts becomes inequalities about their sums, which join the audit's equations.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from anonymize.audit.ancestors import narrowest, wider
from anonymize.audit.reader import Key, PublicStatistic, Tree
from anonymize.errors import AuditError

WAIT, UNTIMED = "wait", "unknown"
WAITED = "minutes_call_to_arrival"
"""The measure whose times the codes of WAIT are made from."""
QUANTILES = {"median": (1, 2), "p90": (9, 10)}
APART = 3
"""From this many waits on, the one above the median is not above the one below the 90th
percentile."""
LONGEST = 1440.0
"""Minutes. A longer wait counts as none."""
REASON, WITHOUT_TEAM = "not_served_reason", "hours_without_team"
SERVED, YES = "served", "yes"
NO_TEAM = ("no_unit", "all_busy")
"""Reasons of the calls whose hours WITHOUT_TEAM counts."""
BLURRED = 5
"""If the threshold is this or more, hours that are published as 0 are 0: no number between 0 and
the threshold is published."""

ALIKE, BY_REASON = ("compare_", "reached_"), "compare"
"""How the measures of like calls begin. Those of BY_REASON compare calls that found a free team
with calls that were lost because none was free."""
SAID = {
    "arrest": "arrest",
    "force_used": "force_used",
    "wait": WAIT,
    "restrained": "restrained",
    "hold": "outcome",
}
"""Outcome of like calls -> dimension in which a call without it is UNTIMED."""
ANSWERED = {"arrest": YES, "force_used": YES, "restrained": YES, "hold": "involuntary_hold"}
BY_PERSON = ("repeat_90",)
"""Outcomes that are so or not, with the code that says so; and those that are known for some
eligible calls only."""
SIDES = 10
"""Each side of a comparison has at least this multiple of the threshold in calls."""

COLUMNS = {
    WAITED: ("median", "p90", "based_on"),
    WITHOUT_TEAM: ("hours_none", "based_on"),
    "alike": ("recorded", "based_on"),
}
"""Columns from which a row's facts are made, by measure; `alike`: for all comparisons of like
calls."""

Codes = tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """`low` <= weight times count, summed over `terms`, <= `high`."""

    terms: tuple[tuple[Key, int], ...]
    low: float
    high: float


@dataclass(frozen=True)
class _Part:
    """Of the calls of one row, `low` to `high` have any of `codes`.

    `exact`: what the row says itself, as weighted codes and two edges; None where another part
    says it.
    """

    codes: Codes
    low: float
    high: float
    exact: tuple[tuple[tuple[Codes, int], ...], float, float] | None


def _plain(codes: Codes, low: float, high: float) -> _Part:
    return _Part(codes, low, high, (((codes, 1),), low, high))


def facts_of(
    statistic: PublicStatistic,
    counts: Mapping[Key, int],
    trees: Mapping[str, Tree],
    threshold: int,
    holds: Callable[[Key], bool],
) -> list[Fact]:
    """All that the rows of `statistic` say about counts. `counts`: those published; `holds`: is a
    cell among the unknowns?

    Raises AuditError where it lacks a column that its measure has.
    """
    alike = statistic.measure.startswith(ALIKE)
    needed = COLUMNS["alike"] if alike else COLUMNS.get(statistic.measure, ())
    if missing := [name for name in needed if name not in statistic.rounding]:
        raise AuditError(
            f"the table '{statistic.name}' lacks the column '{missing[0]}', which "
            f"'{statistic.measure}' has in this version; use the version that made the release"
        )
    found: list[Fact] = []
    for by in _split_by(statistic.measure):
        if by.dimension in trees:
            found += _split(statistic, by, counts, trees, threshold, holds)
    if alike:
        found += _both_missing(statistic, counts, trees, threshold, holds)
    return found


PartsOf = Callable[[int, Mapping[str, float], Tree, int, int | None], Iterator[_Part]]


@dataclass(frozen=True)
class _SplitBy:
    """A dimension whose counts a measure bounds, and what it says about them, row by row."""

    dimension: str
    parts_of: PartsOf


def _split_by(measure: str) -> list[_SplitBy]:
    """Each dimension whose counts the measure bounds, and what it says about them, row by row."""
    if measure == WAITED:
        return [_SplitBy(WAIT, _waits)]
    if measure == WITHOUT_TEAM:
        return [_SplitBy(REASON, _hours)]
    if not measure.startswith(ALIKE):
        return []
    contrast, outcome = measure.split("_", 1)
    repeat = outcome in BY_PERSON
    found = [_SplitBy(REASON, partial(_lost, repeat))] if contrast == BY_REASON else []
    if outcome in SAID:
        found.append(_SplitBy(SAID[outcome], partial(_said, ANSWERED.get(outcome, ""))))
    return found


def _split(
    statistic: PublicStatistic,
    by: _SplitBy,
    counts: Mapping[Key, int],
    trees: Mapping[str, Tree],
    threshold: int,
    holds: Callable[[Key], bool],
) -> list[Fact]:
    """What the rows say about the codes of one dimension.

    Where the cells of a row are not among the unknowns (no table joins its dimensions with the
    bounded one), the rows that make up a cell are added up for the finest cells that are.
    """
    found: list[Fact] = []
    where, dimension = statistic.where, by.dimension
    by_levels: dict[tuple[tuple[str, str], ...], list[tuple[Key, dict[str, float] | None]]] = {}
    for key, numbers in statistic.rows:
        if all(name != dimension for name, _ in key):
            by_levels.setdefault(_levels(key - where, trees), []).append((key, numbers))
    for rows in by_levels.values():
        told = {
            key: list(
                by.parts_of(
                    counts[key],
                    numbers,
                    trees[dimension],
                    threshold,
                    counts.get(key | {(dimension, UNTIMED)}),
                )
            )
            for key, numbers in rows
            if numbers is not None and key in counts
        }
        if statistic.measure == WAITED and statistic.complete:
            told |= {
                key: [untimed]
                for key, numbers in rows
                if numbers is None and (untimed := _too_few(key, statistic, counts, threshold))
            }
        if not told:
            continue
        if _held(rows[0][0], dimension, trees, holds):
            for key, parts in told.items():
                for weighted, low, high in (part.exact for part in parts if part.exact):
                    terms = tuple(
                        (key | {(dimension, code)}, weight)
                        for codes, weight in weighted
                        for code in codes
                    )
                    if all(holds(cell) for cell, _ in terms):
                        found.append(Fact(terms, low, high))
            continue
        for steps in narrowest(
            rows[0][0] - where, trees, lambda cell: _held(cell | where, dimension, trees, holds)
        ):
            above = {key: wider(key - where, steps, trees) | where for key, _ in rows}
            found += _added(above, told, dimension, counts, holds)
    return found


def _too_few(
    key: Key, statistic: PublicStatistic, counts: Mapping[Key, int], threshold: int
) -> _Part | None:
    """A row without numbers whose count is public and large enough has fewer times than the
    minimum: the other calls have none."""
    calls = counts.get(key, 0)
    if calls < statistic.minimum + threshold - 1:
        return None
    return _plain((UNTIMED,), calls - int(statistic.minimum) + 1, calls)


def _levels(key: Key, trees: Mapping[str, Tree]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, next(level for level, codes in trees[name].levels.items() if code in codes))
        for name, code in sorted(key)
    )


def _held(
    key: Key, dimension: str, trees: Mapping[str, Tree], holds: Callable[[Key], bool]
) -> bool:
    return holds(key | {(dimension, list(trees[dimension].levels.values())[1][0])})


def _added(
    above: Mapping[Key, Key],
    told: Mapping[Key, Sequence[_Part]],
    dimension: str,
    counts: Mapping[Key, int],
    holds: Callable[[Key], bool],
) -> list[Fact]:
    """The parts of all rows under each cell (`above` of a row), added up. A row that says nothing
    has from none to all of its calls in each part."""
    named = {part.codes for parts in told.values() for part in parts}
    sums: dict[tuple[Key, Codes], tuple[float, float]] = {}
    for key, cell in above.items():
        own = dict.fromkeys(named, (0.0, float(counts.get(key, math.inf))))
        for part in told.get(key, ()):
            low, high = own[part.codes]
            own[part.codes] = (max(low, part.low), min(high, part.high))
        for codes, (low, high) in own.items():
            before = sums.get((cell, codes), (0.0, 0.0))
            sums[cell, codes] = (before[0] + low, before[1] + high)
    found = []
    for (cell, codes), (low, high) in sorted(sums.items(), key=str):
        terms = tuple((cell | {(dimension, code)}, 1) for code in codes)
        if (low > 0 or high < counts.get(cell, math.inf)) and all(holds(term) for term, _ in terms):
            found.append(Fact(terms, low, high))
    return found


def _waits(
    calls: int, numbers: Mapping[str, float], tree: Tree, threshold: int, untimed: int | None
) -> Iterator[_Part]:
    """How many calls of a row waited less than each edge of the bands, how many longer, and how
    many have no time (`untimed`, where that is published).

    With N calls in order of their wait, a quantile q lies between those at positions floor(q (N -
    1)) and ceil(q (N - 1)), counted from 0 (Hyndman and Fan 1996, type 7); it is published to the
    nearest minute. At least `based_on` of the calls have a time.
    """
    least, most = (
        (int(numbers["based_on"]), calls) if untimed is None else (calls - untimed, calls - untimed)
    )
    yield _plain((UNTIMED,), calls - most, calls - least)
    for edge, below, beyond in _edges(tree):
        for name, (over, under) in QUANTILES.items():
            told, whole = numbers[name], over * (calls - 1)
            weighted = (
                (below, under),
                ((UNTIMED,), over),
            )  # N is `calls` less the untimed, which are therefore on this side
            share = (
                over * (most - 1) % under if untimed is not None else 0
            )  # how far between two waits, of `under`
            if edge > told:
                # The quantile lies between the two: were the second beyond the edge, and the first
                # as short as possible, would it be too long?
                second = share * edge + (under - share) * _shortest(
                    name, numbers, most
                ) >= under * (told + 0.5)
                low = over * (least - 1) // under + 1 + (share > 0 and second)
                exact = (
                    (((below, 1),), float(low), math.inf)
                    if untimed is not None
                    else (weighted, whole + 1.0, math.inf)
                )
                yield _Part(below, low, math.inf, exact)
                yield _Part(beyond, 0, most - over * (most - 1) // under - 1, None)
            elif edge < told:
                first = share * _longest(name, numbers, most) + (under - share) * edge <= under * (
                    told - 0.5
                )
                high = -(-over * (most - 1) // under) - (share > 0 and first)
                exact = (
                    (((below, 1),), -math.inf, float(high))
                    if untimed is not None
                    else (weighted, -math.inf, whole + under - 1.0)
                )
                yield _Part(below, 0, high, exact)
                yield _Part(beyond, least + (-over * (least - 1) // under), math.inf, None)


def _shortest(name: str, numbers: Mapping[str, float], calls: int) -> float:
    """The shortest that the wait just below a quantile can be: the 90th percentile is not below
    the median."""
    return numbers["median"] - 0.5 if name == "p90" and calls >= APART else 0.0


def _longest(name: str, numbers: Mapping[str, float], calls: int) -> float:
    """The longest that the wait just above a quantile can be."""
    return numbers["p90"] + 0.5 if name == "median" and calls >= APART else LONGEST


def _edges(tree: Tree) -> Iterator[tuple[int, Codes, Codes]]:
    """Each edge between bands, in minutes, with the codes below it and those beyond."""
    bands: dict[str, float] = {}
    for code in list(tree.levels.values())[-1]:
        if (found := re.fullmatch(r"(?:under|\d+_to)_(\d+)", code)) is not None:
            bands[code] = int(found[1])
        elif re.fullmatch(r"over_\d+", code):
            bands[code] = math.inf
    for edge in sorted({upper for upper in bands.values() if upper < math.inf}):
        below = _joined([code for code, upper in bands.items() if upper <= edge], tree)
        yield (
            int(edge),
            below,
            _joined([code for code, upper in bands.items() if upper > edge], tree),
        )


def _joined(codes: Collection[str], tree: Tree) -> Codes:
    """The same calls by as few codes as possible: a parent instead of all its children."""
    found: dict[str, None] = {}
    for code in codes:
        above = tree.parent[code]
        whole = above != "all" and all(
            child in codes for child, parent in tree.parent.items() if parent == above
        )
        found[above if whole else code] = None
    return tuple(found)


def _hours(
    calls: int, numbers: Mapping[str, float], tree: Tree, threshold: int, _untimed: int | None
) -> Iterator[_Part]:
    """Each hour without a team holds at least one call for which no team was free; each other hour
    at least one of the others."""
    if any(code not in tree.parent for code in NO_TEAM):
        return
    none, hours = (
        numbers["hours_none"],
        numbers["based_on"],
    )  # to the nearest 10: from 5 less to 4 more
    if none == 0 and threshold >= BLURRED:
        yield _plain(NO_TEAM, 0, 0)
    else:
        yield _plain(NO_TEAM, max(0, none - 5), max(0, calls - (hours - 5) + none + 4))


def _lost(
    repeat: bool,
    calls: int,
    numbers: Mapping[str, float],
    tree: Tree,
    threshold: int,
    _unknown: int | None,
) -> Iterator[_Part]:
    """Like calls by whether a team was free: many were lost because none was, and calls without a
    reason are left out.

    Enough is on record (`recorded`) only where four in five of the calls that no team reached have
    a reason.
    """
    if any(code not in tree.parent for code in (*NO_TEAM, UNTIMED)):
        return
    yield _plain(NO_TEAM, SIDES * threshold, math.inf)
    yield _plain((UNTIMED,), 0, max(0, calls - numbers["based_on"]))
    if numbers["recorded"] and not repeat and SERVED in tree.parent:
        yield _Part((UNTIMED,), 0, math.inf, ((((UNTIMED,), 5), ((SERVED,), 1)), -math.inf, calls))


def _said(
    answer: str,
    calls: int,
    numbers: Mapping[str, float],
    tree: Tree,
    threshold: int,
    _unknown: int | None,
) -> Iterator[_Part]:
    """A comparison leaves out calls whose outcome is not on record; and those with the code
    `answer` (if there is one) and those without each have at least the threshold on each side."""
    if UNTIMED in tree.parent:
        yield _plain((UNTIMED,), 0, max(0, calls - numbers["based_on"]))
    if answer in tree.parent:
        yield _plain((answer,), 2 * threshold, math.inf)


def _both_missing(
    statistic: PublicStatistic,
    counts: Mapping[Key, int],
    trees: Mapping[str, Tree],
    threshold: int,
    holds: Callable[[Key], bool],
) -> Iterator[Fact]:
    """What `recorded` says about calls without a reason (U) and calls without an outcome (A).

    0: not enough is on record, which takes at least the threshold in calls. 1: A is at most U and
    a tenth of the calls with a reason.
    """
    contrast, outcome = statistic.measure.split("_", 1)
    by_reason, dimension = contrast == BY_REASON, SAID.get(outcome)
    if dimension is None and outcome not in BY_PERSON:
        return  # times for which no table has the missing ones
    for key, numbers in statistic.rows:
        if numbers is None or key not in counts:
            continue
        reasons = [key | {(REASON, UNTIMED)}] if by_reason else []
        outcomes = [key | {(dimension, UNTIMED)}] if dimension else []
        if not all(holds(cell) for cell in (*reasons, *outcomes)):
            continue
        if not numbers["recorded"]:
            yield Fact(tuple((cell, 1) for cell in (*reasons, *outcomes)), threshold, math.inf)
        elif outcomes:
            yield Fact(
                (*((cell, 10) for cell in outcomes), *((cell, -9) for cell in reasons)),
                -math.inf,
                counts[key],
            )
