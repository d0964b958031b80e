"""The declared facts of a release: what its numbers say about counts besides the counts
themselves.

Each fact is of a kind from a closed list. Its description in `datapackage.json` (`facts`) has the
exact meaning as inequalities over the joint table of calls, in words and in figures that a program
can read. The engine (`protect/facts.py`) and the audit (`audit/declared.py`) turn the descriptions
into inequalities with code of their own, and refuse an unknown kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist
from anonymize.agency.load import AgencyConfig, mapped_dimensions
from anonymize.agency.schema import OutsideRecords, StatisticSpec
from anonymize.count.comparisons import (
    COMPARED,
    ENOUGH_SIDES,
    OUTCOMES,
    REASON,
    TEAM_FREE,
    contrast_of,
    outcome_of,
)
from anonymize.records.calls import WITHOUT_TEAM
from anonymize.records.completeness import (
    ARRESTS,
    BACKUPS,
    CALLS,
    CREWS,
    ELIGIBLE,
    ELIGIBLE_NOT_SERVED,
    HOLDS,
    NOT_SERVED,
    OF_A_MONTH,
    POLICE_CALLS,
    REACHED,
    STEPS,
    TEAM_CALLS,
)
from anonymize.records.completeness import NAME as COMPLETENESS

SHARE_FILLED, WAITS, HOURS, LIKE_CALLS, NO_BOUND, REVISED = (
    "share_filled",
    "waits",
    "hours_without_team",
    "like_calls",
    "no_bound",
    "revised",
)
EDGE, SHIFTS, GAPS = "edge_of_records", "empty_by_shifts", "empty_by_gaps"
EQUAL, AT_LEAST = "equal", "at_least"

WAITED = "minutes_call_to_arrival"
"""The statistic whose times the codes of `wait` are made from."""
QUANTILES = {"median": [1, 2], "p90": [9, 10]}
NO_TEAM = ["no_unit", "all_busy"]
BY_TIMES = {
    "arrived_at": ("wait",),
    "cleared_at": ("officer_released",),
    "officer_cleared_at": ("officer_released",),
}
"""Time of a call -> dimensions in which a call without it is `unknown`, among others."""
DAY = "received_at (day)"

OUT_OF: dict[str, dict[str, dict[str, str]]] = {
    CALLS: {"of": {}, "without": {}},
    NOT_SERVED: {"of": {}, "without": {"not_served_reason": "served"}},
    ELIGIBLE_NOT_SERVED: {"of": {"eligible": "yes"}, "without": {"not_served_reason": "served"}},
    ARRESTS: {"of": {"arrest": "yes"}, "without": {}},
    TEAM_CALLS: {"of": {"responder": "co_responder"}, "without": {}},
    REACHED: {"of": {"responder": "clinician"}, "without": {}},
    POLICE_CALLS: {"of": {"responder": "police_only"}, "without": {}},
    ELIGIBLE: {"of": {"eligible": "yes"}, "without": {}},
    HOLDS: {"of": {"outcome": "involuntary_hold"}, "without": {}},
    BACKUPS: {"of": {"backup_requested": "yes"}, "without": {}},
    CREWS: {"of": {"other_units_came": "yes"}, "without": {}},
}
"""The base of a share: the calls of a cell (`of`), less those of that cell that also have a code
(`without`)."""

MEANING = {
    SHARE_FILLED: (
        "For each row with numbers: W is the published number of calls that 'out_of' names, in "
        "the row's period; B of them have the field blank. at_least * W <= 100 * (W - B) < "
        "at_most * W, or <= where at_most is 100. For a field in 'blank', the calls among these "
        "with the codes in 'of' are B ('equal') or B or more ('at_least'). at_most - at_least is "
        "the first of 'steps' (of the whole period, or of a month) with step * W >= 100 * "
        "threshold. A row is blank where there is none, or W is not published; where 'told' is "
        "false, all rows are."
    ),
    WAITS: (
        "For each row with numbers: N is its published count, U of these calls have the code "
        "'untimed', T = N - U >= based_on, w[0] <= ... <= w[T - 1] are their waits in minutes. "
        "For each quantile q = a / b: told - 0.5 <= (1 - f) * w[i] + f * w[i + 1] < told + 0.5, "
        "with i = floor(q * (T - 1)) and f = q * (T - 1) - i. A call with code c waited less than "
        "'less_than'[c] minutes, and no less than any smaller figure there. A row without numbers "
        "whose N is published and at least minimum + threshold - 1 has T < minimum; where "
        "'left_out' is true, it may also be missing because it would narrow a count."
    ),
    HOURS: (
        "For each row with numbers: in hours_none - 5 to hours_none + 4 hours (none, where it is "
        "0 and the threshold is 5 or more) came at least one call with a code in 'codes'; in "
        "based_on - 5 to based_on + 4 hours came any call; each of the other hours holds at least "
        "one call of the row without these codes."
    ),
    LIKE_CALLS: (
        "For each row with numbers: N is its published count, k the threshold. If 'lost' is not "
        "empty: sides * k or more of these calls have a code of 'reason' in 'lost', and U have "
        "'unreasoned'; else U = 0. If 'outcome' is not empty, A calls have the code 'missing' of "
        "it. U <= N - based_on, A <= N - based_on. If 'answers' is true, 2 * k calls or more have "
        "the code 'answer' of 'outcome' ('yes' where it is not named). recorded = 0: U + A >= k, "
        "unless 'outcome' is empty and 'followed' false. recorded = 1, and 'followed' false: "
        "5 * U + S <= N, S calls having the code 'served' of 'reason', and 10 * A - 9 * U <= N."
    ),
    NO_BOUND: "The numbers rest on published counts, and bound no count of the joint table.",
    EDGE: (
        "A gap says that the records begin, or end, next to it. So at least one call, the first "
        "or the last on record, has the codes in 'of'."
    ),
    SHIFTS: (
        "By the shifts, which are published, no team was on duty at any time of a cell with the "
        "answer 'yes' to on_duty, or one was at every time of a cell with the answer 'no'. So no "
        "call has all the codes of any one cell in 'none', whether or not a table joins them."
    ),
    GAPS: (
        "By the dates of the release and its gaps, no day of any one cell in 'none' was collected. "
        "So no call has all its codes, though no table joins them."
    ),
    REVISED: (
        "Of the calls of the months in 'revised', at most 'at_most' stand in this release and, "
        "coded alike, not in the one before; and at most so many the other way round. The calls "
        "of all other months that both hold are the same, coded alike."
    ),
}


def of_completeness(
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    fields: Sequence[str],
    asked_of: Mapping[str, str],
    *,
    told: bool,
) -> dict[str, Any]:
    """What the table of completeness says. `fields`: those with a row; `asked_of`: field -> the
    calls to which it applies, where not all; `told`: whether any row has numbers."""
    fed = mapped_dimensions(config)
    cells = [(name, name, EQUAL) for name in fields]
    cells += [
        (name, dimension, AT_LEAST)
        for name, dimensions in BY_TIMES.items()
        if name in fields
        for dimension in dimensions
    ]
    if DAY in fields:
        cells.append((DAY, "weekday", EQUAL))
        # Without a time of day there is no hour, and it is not known who was on duty.
        if config.file.calls.time.timestamp:
            cells += [(DAY, "hour", AT_LEAST), (DAY, "on_duty", AT_LEAST)]
    blank = [
        {"field": name, "of": {dimension: UNKNOWN}, "relation": relation}
        for name, dimension, relation in cells
        if dimension in fed and UNKNOWN in codelists[dimension].by_code
    ]
    bases = {CALLS, *(asked_of.get(name, CALLS) for name in fields)}
    out_of = {name: said for name, said in OUT_OF.items() if name in bases}
    return {
        "kind": SHARE_FILLED,
        "resource": COMPLETENESS,
        "meaning": MEANING[SHARE_FILLED],
        "told": told,
        "steps": {"all": list(STEPS), "month": list(OF_A_MONTH)},
        "out_of": out_of,
        "blank": blank,
    }


def of_statistic(
    spec: StatisticSpec, codelists: Mapping[str, Codelist], *, left_out: bool
) -> dict[str, Any]:
    """What the rows of a statistic say. `left_out`: may rows be missing because they would narrow
    a count?"""
    if spec.measure == WAITED and "wait" in codelists:
        figures: dict[str, Any] = {
            "dimension": "wait",
            "untimed": UNKNOWN,
            "quantiles": QUANTILES,
            "less_than": _edges(codelists["wait"]),
        }
        figures |= {"minimum": spec.minimum, "left_out": left_out}
        kind = WAITS
    elif spec.measure == WITHOUT_TEAM and all(
        code in codelists["not_served_reason"].by_code for code in NO_TEAM
    ):
        figures, kind = {"dimension": "not_served_reason", "codes": NO_TEAM}, HOURS
    elif spec.measure in COMPARED:
        figures, kind = _like_calls(spec.measure), LIKE_CALLS
    else:
        figures, kind = {}, NO_BOUND
    return {"kind": kind, "resource": spec.name, "meaning": MEANING[kind]} | figures


def _like_calls(measure: str) -> dict[str, Any]:
    outcome = OUTCOMES[outcome_of(measure)]
    by_reason = contrast_of(measure) == TEAM_FREE
    return {
        "reason": REASON,
        "lost": NO_TEAM if by_reason else [],
        "unreasoned": UNKNOWN,
        "served": "served",
        "sides": ENOUGH_SIDES,
        "outcome": outcome.flag or ("wait" if measure == "compare_wait" else ""),
        "missing": UNKNOWN,
        "answers": bool(outcome.flag),
        "followed": outcome.followed,
        **({"answer": outcome.yes} if outcome.yes != "yes" else {}),
    }


def of_revisions() -> dict[str, Any]:
    return {"kind": REVISED, "object": "revised", "meaning": MEANING[REVISED]}


def of_edge(outside: OutsideRecords, codelists: Mapping[str, Codelist]) -> dict[str, Any]:
    """At least one call is of the day next to the days outside of the records; where no day is on
    record, of its month."""
    day, period = outside.next_record, codelists["period"]
    of = {"period": next(code for code in period.codes_at(period.finest) if _covers(code, day))}
    if outside.day_known and "weekday" in codelists:
        of["weekday"] = str(day.isoweekday())
    return {
        "kind": EDGE,
        "object": "gaps",
        "edge": outside.edge,
        "meaning": MEANING[EDGE],
        "of": of,
    }


def of_shifts(empty: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """`empty`: cells that hold no call, by the shifts."""
    return {
        "kind": SHIFTS,
        "object": "none",
        "meaning": MEANING[SHIFTS],
        "none": [dict(cell) for cell in empty],
    }


def of_gaps(empty: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """`empty`: cells that hold no call, by the days that were collected."""
    return {
        "kind": GAPS,
        "object": "none",
        "meaning": MEANING[GAPS],
        "none": [dict(cell) for cell in empty],
    }


def _covers(period: str, day: date) -> bool:
    return period in (f"{day:%Y}", f"{day:%Y-%m}", f"{day.year}-Q{(day.month + 2) // 3}")


def _edges(wait: Codelist) -> dict[str, int | None]:
    """Upper limit of each band, in minutes; null where there is none."""
    found: dict[str, int | None] = {}
    for code in wait.codes_at(wait.finest):
        if said := re.fullmatch(r"(?:under|\d+_to)_(\d+)", code):
            found[code] = int(said[1])
        elif code.startswith("over_"):
            found[code] = None
    return found


def published_counts_of(
    out_of: Mapping[str, Mapping[str, str]],
    period: str,
    counts: Mapping[frozenset[tuple[str, str]], int],
) -> int | None:
    """The published number of calls that a share of `period` is of; None where it does not follow
    from published counts."""
    whole = frozenset((*out_of["of"].items(), *((("period", period),) if period != ROOT else ())))
    less = whole | frozenset(out_of["without"].items())
    if whole not in counts or (less != whole and less not in counts):
        return None
    return counts[whole] - (counts[less] if less != whole else 0)
