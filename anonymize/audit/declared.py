"""Declared facts, as the audit reads them from the release: checked, and turned into bounds.

An attacker may read the descriptions (`facts` in datapackage.json) too. The audit refuses an
unknown kind, and reports a description that says less than the audit itself knows, or rows that
follow another rule than the declared one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anonymize.errors import AuditError

Key = frozenset[tuple[str, str]]

SHARES, WAITS, HOURS, ALIKE, NO_BOUND, REVISED = (
    "share_filled",
    "waits",
    "hours_without_team",
    "like_calls",
    "no_bound",
    "revised",
)
EDGE, SHIFTS, GAPS = "edge_of_records", "empty_by_shifts", "empty_by_gaps"
KNOWN = (SHARES, WAITS, HOURS, ALIKE, NO_BOUND, REVISED, EDGE, SHIFTS, GAPS)
KIND_OF = {
    "minutes_call_to_arrival": (WAITS, "wait"),
    "hours_without_team": (HOURS, "not_served_reason"),
    **{
        f"compare_{what}": (ALIKE, "")
        for what in (
            "arrest",
            "force_used",
            "repeat_90",
            "officer_minutes",
            "wait",
            "restrained",
            "hold",
        )
    },
    **{f"reached_{what}": (ALIKE, "") for what in ("arrest", "force_used")},
}
"""Measure of a statistic -> its kind of fact, and the one dimension whose counts it bounds, if it
is one."""
SHARES_OF = "completeness"
UNKNOWN = "unknown"
BY_TIME = {
    "arrived_at": "wait",
    "cleared_at": "officer_released",
    "officer_cleared_at": "officer_released",
}
"""Time of a call -> dimension in which a call without it is `unknown`."""
DAY, OF_DAY = "received_at (day)", "weekday"


@dataclass(frozen=True)
class Row:
    """One row of the table of completeness; both numbers are None where it is blank."""

    field: str
    period: str
    out_of: str
    at_least: int | None
    at_most: int | None


@dataclass(frozen=True)
class Shares:
    """The declared rules of completeness.

    `of` and `without`, by name of the base: its codes, and the codes of those calls in it that do
    not count. `blank`: (field, cell, whether it is exactly those calls).
    """

    of: Mapping[str, Key]
    without: Mapping[str, Key]
    steps: Mapping[str, tuple[int, ...]]
    blank: tuple[tuple[str, Key, bool], ...]
    rows: tuple[Row, ...] = ()
    told: bool = True

    def calls(self, row: Row, visible: Mapping[Key, int]) -> int | None:
        """The published number of calls that the share is of."""
        whole = self.of[row.out_of] | (
            frozenset({("period", row.period)}) if row.period != "all" else frozenset()
        )
        less = self.without[row.out_of]
        if whole not in visible or (less and whole | less not in visible):
            return None
        return visible[whole] - (visible[whole | less] if less else 0)

    def step(self, row: Row, calls: int, threshold: int) -> int | None:
        """The width of the row's band in per cent; None where no band holds enough calls."""
        return next(
            (
                s
                for s in self.steps["all" if row.period == "all" else "month"]
                if s * calls >= 100 * threshold
            ),
            None,
        )


@dataclass(frozen=True)
class Blanks:
    """Of the `calls` of a period, `least` to `most` are in `cell`, which is part of `base`."""

    cell: Key
    period: str
    calls: int
    least: int
    most: float
    base: Key = frozenset()


@dataclass
class Declared:
    """Everything that a release declares.

    `kinds`: resource -> its declared kind of fact. `complete`: statistics of which no row was left
    out because it would narrow a count. `edges`: codes of the first and the last call on record,
    where they are public.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    shares: Shares | None = None
    revisions: bool = False
    edges: list[Key] = field(default_factory=list)
    empty: list[Key] = field(default_factory=list)
    """Cells that hold no call, by the shifts or by the days that were collected, whether or not a
    table joins their dimensions."""


def read_declared(facts: Sequence[Mapping[str, Any]], where: str) -> Declared:
    """Read the descriptions of all facts.

    Raises AuditError for an unknown kind; ValueError, KeyError or TypeError where a description is
    malformed.
    """
    found = Declared()
    for fact in facts:
        kind = fact["kind"]
        if kind not in KNOWN:
            raise AuditError(
                f"{where}: a fact of the kind '{kind}' is declared, which this audit does not "
                "know; use the version that made the release"
            )
        if kind == REVISED:
            found.revisions = True
            continue
        if kind == EDGE:
            found.edges.append(
                frozenset((str(name), str(code)) for name, code in fact["of"].items())
            )
            continue
        if kind in (SHIFTS, GAPS):
            found.empty += [
                frozenset((str(name), str(code)) for name, code in cell.items())
                for cell in fact["none"]
            ]
            continue
        if str(fact["resource"]) in found.kinds:
            raise ValueError("declared twice")
        found.kinds[str(fact["resource"])] = kind
        if kind == WAITS and {True: True, False: False}[fact.get("left_out", True)] is False:
            found.complete.add(str(fact["resource"]))
        if kind == SHARES:
            found.shares = Shares(
                of={name: frozenset(said["of"].items()) for name, said in fact["out_of"].items()},
                without={
                    name: frozenset(said["without"].items())
                    for name, said in fact["out_of"].items()
                },
                steps={name: tuple(map(int, fact["steps"][name])) for name in ("all", "month")},
                told={True: True, False: False}[fact["told"]],
                blank=tuple(
                    (said["field"], frozenset(said["of"].items()), _exact(said["relation"]))
                    for said in fact["blank"]
                ),
            )
    return found


def _exact(relation: str) -> bool:
    return {"equal": True, "at_least": False}[relation]


def undeclared(
    declared: Declared,
    measures: Mapping[str, str],
    has_shares: bool,
    codes: Mapping[str, Mapping[str, str]],
    revised: bool,
    edges: Sequence[Key],
) -> Iterator[tuple[str, str]]:
    """Facts that the audit can see and that are not declared: (resource, what is wrong).

    `measures`: of each statistic. `codes`: by dimension. `edges`: codes of the first and the last
    call, from the days on which the records begin and end.
    """
    for name, measure in measures.items():
        kind, dimension = KIND_OF.get(measure, (NO_BOUND, ""))
        expected = kind if dimension in codes or not dimension else NO_BOUND
        said = declared.kinds.get(name)
        if said != expected and not (said == kind and dimension not in codes):
            yield (
                name,
                (
                    f"what it tells of counts is declared as '{said or 'nothing'}', not as "
                    f"'{expected}'"
                ),
            )
    if any(not any(edge <= said for said in declared.edges) for edge in edges):
        yield (
            "",
            "that a call is of the day on which the records begin or end is not declared as a fact",
        )
    if revised and not declared.revisions:
        yield "", "that calls were revised is not declared as a fact"
    if not has_shares:
        return
    if declared.shares is None:
        yield SHARES_OF, "what it tells of blank fields is not declared"
        return
    listed = {(name, cell) for name, cell, exact in declared.shares.blank if exact}
    lower = {(name, cell) for name, cell, _exactly in declared.shares.blank}
    for name in {row.field for row in declared.shares.rows}:
        own, timed = frozenset({(name, UNKNOWN)}), frozenset({(BY_TIME.get(name, ""), UNKNOWN)})
        day = frozenset({(OF_DAY, UNKNOWN)})
        if UNKNOWN in codes.get(name, {}) and (name, own) not in listed:
            yield (
                SHARES_OF,
                f"that the field '{name}' is blank where its code is unknown is not declared",
            )
        if UNKNOWN in codes.get(BY_TIME.get(name, ""), {}) and (name, timed) not in lower:
            yield SHARES_OF, f"what a blank '{name}' says of other fields is not declared"
        if name == DAY and UNKNOWN in codes.get(OF_DAY, {}) and (name, day) not in listed:
            yield SHARES_OF, f"what a blank '{name}' says of other fields is not declared"


def odd_rows(
    shares: Shares, months: Sequence[str], visible: Mapping[Key, int], threshold: int
) -> Iterator[str]:
    """Rows that follow another rule than declared.

    The rule: each field over the whole period, then in every month or in none, in order; blank
    exactly where its number of calls is not published or a band would hold fewer than the
    threshold; each band as wide as declared.
    """
    fields = list(dict.fromkeys(row.field for row in shares.rows))
    for name in fields:
        periods = [row.period for row in shares.rows if row.field == name]
        if periods not in (["all"], ["all", *months]):
            yield (
                f"its rows of the field '{name}' are not the whole period and every month of it, "
                "in order"
            )
    if fields != sorted(fields) or [row.field for row in shares.rows] != sorted(
        row.field for row in shares.rows
    ):
        yield "its rows are not in order of their fields"
    for row in shares.rows:
        calls = shares.calls(row, visible) if shares.told else None
        step = shares.step(row, calls, threshold) if calls is not None else None
        at = f"its row of '{row.field}', {row.period}"
        if (row.at_least is None) != (step is None):
            yield (
                f"{at} {'has numbers' if row.at_least is not None else 'is blank'}, against the "
                "rule that is declared"
            )
        elif step is not None and (row.at_least, row.at_most) not in [
            (low, low + step) for low in range(0, 100, step)
        ]:
            yield f"{at} is told in another band than those that are declared"


def blanks(shares: Shares, visible: Mapping[Key, int]) -> Iterator[Blanks]:
    """What each row with numbers says about the calls with the field blank."""
    for row in shares.rows:
        calls = shares.calls(row, visible)
        if row.at_least is None or row.at_most is None or calls is None:
            continue
        # filled >= at_least per cent, and less than at_most per cent unless that is all
        most = calls - math.ceil(row.at_least * calls / 100)
        least = 0 if row.at_most == 100 else calls - (math.ceil(row.at_most * calls / 100) - 1)
        for name, cell, exact in shares.blank:
            if name == row.field:
                yield Blanks(
                    cell | shares.of[row.out_of],
                    row.period,
                    calls,
                    least,
                    most if exact else math.inf,
                    shares.of[row.out_of],
                )
