"""How complete the fields of the calls are, told so that no small number of blanks can be worked back.

A field of which 98 % is filled has between 1 and 2 % blanks. Where that is fewer calls than the threshold apart, it would narrow a
small count; so shares are told in steps that hold at least as many calls as the threshold, and the best step is open up to 100 %.
The audit takes the table as equations like any other (`audit/space.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonymize.agency.schema import Text
from anonymize.codelists import ROOT
from anonymize.inputs import Field, Reference

NAME = "completeness"
ASKED = "not_served_reason"
"""A reason is asked for only where a team might have come and did not."""
CALLS, NOT_SERVED, ELIGIBLE_NOT_SERVED = "calls", "not_served", "eligible_not_served"
"""What a share is of; the audit reads it."""
STEPS, OF_A_MONTH = (1, 2, 5, 10, 25), (10, 25)
"""Per cent; the first that holds enough calls is taken. Months are told in wide steps: narrow ones, one for each month, are so many
equations that far more counts would have to be withheld beside them."""

Counts = tuple[int, int]


def told(filled: int, rows: int, threshold: int, steps: Sequence[int] = STEPS) -> tuple[int, int] | None:
    """At least and at most so many per cent are filled; None where even the widest step would hold fewer than `threshold` calls."""
    step = next((step for step in steps if step * rows >= 100 * threshold), None)
    if step is None:
        return None
    low = min(100 * filled // rows // step * step, 100 - step)
    return low, low + step


def completeness(
    whole: Mapping[str, Counts], by_month: Mapping[str, Mapping[str, Counts]], threshold: int, asked_of: str = NOT_SERVED
) -> Reference:
    """The table: each field over the whole period, then by month. `asked_of`: the calls that a reason is asked for."""
    rows = []
    for name, counts in sorted(whole.items()):
        months = {} if name == ASKED else by_month.get(name, {})
        for month, (filled, every) in [(ROOT, counts), *sorted(months.items())]:
            at = told(filled, every, threshold, STEPS if month == ROOT else OF_A_MONTH)
            rows.append((name, month, asked_of if name == ASKED else CALLS, *(map(str, at) if at else ("", ""))))
    return Reference(
        NAME,
        Text(en="Completeness of the calls' fields, by month", es="Campos de las llamadas que están llenos, por mes"),
        "one field in one month, or in the whole period",
        (
            Field("field", "text", "field of the calls"),
            Field("period", "text", "month, or all"),
            Field(
                "out_of",
                "text",
                "calls: all calls; not_served: calls that no team reached; eligible_not_served: eligible calls that no team reached",
            ),
            Field("at_least", "whole", "per cent filled, at least; blank where too few calls to tell", required=False),
            Field("at_most", "whole", "per cent filled, at most", required=False),
        ),
        tuple(rows),
    )
