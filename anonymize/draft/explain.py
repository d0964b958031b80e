"""Why a draft says what it says: each column of the export, what it holds, and what it was taken
for. Names and numbers, never a record."""

from __future__ import annotations

from collections.abc import Iterator

from anonymize.agency.schema import JOINT
from anonymize.draft.columns import Column
from anonymize.draft.compose import Draft
from anonymize.portrait.as_text import shown
from anonymize.portrait.unusual import percent


def explanation(draft: Draft) -> str:
    """A line for each column of the export."""
    taken: dict[str, list[str]] = {}
    for name, one in draft.guesses.fields.items():
        others = (
            f", rather than {', '.join(repr(shown(o)) for o in one.others)}" if one.others else ""
        )
        taken.setdefault(one.column, []).append(f"{name} ({one.reason}{others})")
    for area in draft.areas:
        if area.column:
            taken.setdefault(area.column, []).append(f"{area.name} ({area.reason})")
    for name, meant in draft.guesses.yes_columns.items():
        for flag, code in ((c, code) for key, code in meant.items() for c in key.split(JOINT)):
            taken.setdefault(flag, []).append(f"{name} = {code} (by its name)")
    for kept in draft.kept:
        taken.setdefault(kept.column, []).append(f"rows to keep ({kept.reason})")
    lines = ["Columns of the export, and what each was taken for:"]
    for name, column in draft.columns.by_name.items():
        what = "; ".join(taken.get(name, ["not read"]))
        lines.append(f"  {shown(name)}: {', '.join(_holds(column))} -> {what}")
    lines.append(f"Time zone: {draft.zone.name} ({draft.zone.reason})")
    return "\n".join(lines)


def _holds(column: Column) -> Iterator[str]:
    if not column.given:
        yield "blank in every row"
        return
    if column.times:
        yield (
            f"{'times' if column.times.clock else 'dates'} from {column.times.first} to"
            f" {column.times.last}"
        )
    elif column.is_flag:
        yield "yes or no"
    elif column.is_category:
        yield f"{column.distinct:,} values that come again"
    else:
        yield f"{column.distinct:,} different texts"
    if column.blank > 0.005:
        yield f"{percent(column.blank)} blank"
