"""How complete the fields of the calls are, in bands that tell no small number of blanks.

The table has one row for each field over the whole period and, where the calls have months, one for
each month of the period, whatever the data hold. A row is blank where the count that its share is
of is withheld or not published, or where a band of that count would hold fewer calls than the
threshold. The bands of all months are equally wide; those of the whole period are as narrow as its
published count allows. So the rows, their order, their blanks and their width tell nothing beyond
the published counts; what the numbers tell is a declared fact (`release/facts.py`), which the
engine and the audit both reckon with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anonymize.agency.codelists import ROOT
from anonymize.agency.schema import Text
from anonymize.records.program_inputs import Field, Reference

NAME = "completeness"
ASKED = "not_served_reason"
"""A reason is asked for only where a team might have come and did not."""
CALLS, NOT_SERVED, ELIGIBLE_NOT_SERVED, ARRESTS, TEAM_CALLS = (
    "calls",
    "not_served",
    "eligible_not_served",
    "arrests",
    "team_calls",
)
REACHED, POLICE_CALLS, ELIGIBLE, HOLDS, BACKUPS, CREWS = (
    "reached_calls",
    "police_calls",
    "eligible_calls",
    "holds",
    "backups",
    "crews",
)
"""What a share is of."""
OF_SOME = {
    "arrest_required": (ARRESTS, "arrest", "arrest = 'yes'"),
    "led_by": (TEAM_CALLS, "responder", "responder = 'co_responder'"),
    "officer_cleared_at": (TEAM_CALLS, "responder", "responder = 'co_responder'"),
    "clinician_role": (TEAM_CALLS, "responder", "responder = 'co_responder'"),
    "hold_started_by": (HOLDS, "outcome", "outcome = 'involuntary_hold'"),
    "officer_trained": (POLICE_CALLS, "responder", "responder = 'police_only'"),
    "in_program_area": (ELIGIBLE, "eligible", "eligible = 'yes'"),
    **dict.fromkeys(
        (
            "partner_unavailable",
            "backup_requested",
            "handed_back",
            "started_by_team",
            "other_units_came",
        ),
        (REACHED, "responder", "responder IN ('co_responder', 'clinician_only')"),
    ),
    **dict.fromkeys(
        ("backup_requested_at", "backup_arrived_at"),
        (BACKUPS, "backup_requested", "backup_requested = 'yes'"),
    ),
    "other_units_cleared_at": (CREWS, "other_units_came", "other_units_came = 'yes'"),
}
"""Fields that are asked of some calls alone: what a share is of, the field that says so, and SQL of
those calls."""

STEPS, OF_A_MONTH = (1, 2, 5, 10, 25), (10,)
"""Widths of the bands in per cent: the first that holds enough of the published calls is taken.
Months have one, whatever the number of their calls; it is wide, since narrow bands, one for each
month, are equations that would force far more counts to be withheld."""

Counts = tuple[int, int]
"""Calls with the field filled, and calls."""


@dataclass(frozen=True)
class Row:
    """Of the `published` calls (None: withheld or not published) of a period, `filled` have the
    field."""

    field: str
    period: str
    out_of: str
    filled: int
    published: int | None


def told(
    filled: int, rows: int, threshold: int, steps: Sequence[int] = STEPS
) -> tuple[int, int] | None:
    """The band, in per cent, of the share of calls that have a field filled: at least the first
    number and less than the second (100 is reached, too). None where even the widest band would
    hold fewer than `threshold` calls."""
    step = next((step for step in steps if step * rows >= 100 * threshold), None)
    if step is None:
        return None
    low = min(100 * filled // rows // step * step, 100 - step)
    return low, low + step


def fields_of(
    whole: Mapping[str, Counts],
    by_month: Mapping[str, Mapping[str, Counts]],
    months: Sequence[str],
    asked_of: Mapping[str, str],
) -> list[tuple[str, str]]:
    """The (field, period) that have a row, in order.

    `months`: all of the period. A field that is counted `by_month` has a row for each of them, if
    it is asked of all calls. `asked_of`: field -> calls that it is asked of, where not all.
    """
    return [
        (name, period)
        for name in sorted(whole)
        for period in (ROOT, *(months if name in by_month and name not in asked_of else ()))
    ]


def completeness(rows: Sequence[Row], threshold: int) -> Reference:
    """The table of `rows`, in their order."""
    listed = []
    for row in rows:
        at = (
            None
            if row.published is None
            else told(
                row.filled, row.published, threshold, STEPS if row.period == ROOT else OF_A_MONTH
            )
        )
        listed.append((row.field, row.period, row.out_of, *(map(str, at) if at else ("", ""))))
    return Reference(
        NAME,
        Text(
            en="Completeness of the calls' fields, by month",
            es="Campos de las llamadas que están llenos, por mes",
        ),
        "one field in one month, or in the whole period",
        (
            Field("field", "text", "field of the calls"),
            Field("period", "text", "month, or all"),
            Field(
                "out_of",
                "text",
                "calls: all calls; not_served: calls that no team reached; eligible_not_served:"
                " eligible calls that no team reached; arrests: calls with an arrest; team_calls:"
                " calls of an officer and a clinician together; reached_calls: calls that a"
                " clinician reached; police_calls: calls to which only police came;"
                " eligible_calls: calls that met the criteria; holds: calls that ended in an"
                " involuntary hold; backups: calls with backup asked for; crews: calls to which a"
                " fire or ambulance crew came too",
            ),
            Field(
                "at_least",
                "whole",
                "per cent filled, at least; blank where the number of calls is not published, or"
                " too few to tell",
                required=False,
            ),
            Field(
                "at_most",
                "whole",
                "per cent filled, less than this (or all, where this is 100)",
                required=False,
            ),
        ),
        tuple(listed),
    )
