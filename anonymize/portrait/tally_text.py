"""What became of the records and their values, for the analyst's private screen. What is unusual
comes first, each with its cure."""

from __future__ import annotations

from collections.abc import Iterator

from anonymize.records.calls import LEFT_OUT, OUTSIDE, REASONS, Tally

MAX_LISTED = 20
MIDNIGHT_SHARE = 0.01
"""A larger share of calls at exactly midnight is said where midnight also stands out from the other
full hours."""
MIDNIGHT_TIMES = 3
MIN_MIDNIGHT = 10


def tally_text(tally: Tally) -> str:
    """What is unusual, where every record went, what was not understood, how complete each field
    is, and how calls and outlines fit."""
    worth = [f"  {line}" for line in unusual(tally)]
    return "\n".join([*(["Worth a look:", *worth] if worth else []), *tally_lines(tally)])


def tally_lines(tally: Tally) -> list[str]:
    """The same without what is unusual."""
    files = ", ".join(tally.files)
    lines = [
        (
            f"Rows read: {tally.rows:,} from {files}"
            if tally.records is None
            else (
                f"Calls read: {tally.rows:,}, in {tally.records:,} rows that each stand for a"
                f" number of calls, from {files}"
            )
        ),
        *(
            f"  left out on purpose: {n:,}, {LEFT_OUT[reason]}"
            for reason, n in sorted(tally.left_out.items())
        ),
        f"  counted as calls: {tally.counted:,}",
        f"  further rows of a call already counted: {tally.repeated:,}",
        f"  rejected: {sum(tally.rejected.values()):,}",
    ]
    for reason, number in sorted(tally.rejected.items()):
        meaning = REASONS.get(
            reason, f"the field {reason.removeprefix('no_')} is blank and has no 'unknown'"
        )
        lines.append(
            f"    {number:,}:"
            f" {meaning}{'' if reason != OUTSIDE else ' (not counted towards the limit)'}"
        )
    for name, report in tally.values.items():
        if report.caught:
            lines.append(f'Values of {name} that "*" took (private):')
            lines += [f"  {n:,}: {text}" for text, n in report.caught[:MAX_LISTED]]
            if len(report.caught) > MAX_LISTED:
                lines.append(f"  and {len(report.caught) - MAX_LISTED:,} more values")
    lines.append("Completeness (share of counted calls with a usable value):")
    for name, (filled, total) in tally.completeness.items():
        lines.append(f"  {name}: {100 * filled / total if total else 0:.1f} %")
    if tally.areas:
        lines += ["Areas and their outlines:", *(f"  {line}" for line in tally.areas)]
    return lines


def unusual(tally: Tally) -> Iterator[str]:
    """One sentence for everything about the records that an analyst would want to know, with its
    cure."""
    for question in tally.unanswered:
        yield question.sentence()
    yield from _of_settings(tally)
    yield from _of_repeats(tally)
    yield from _of_times(tally)


def _of_settings(tally: Tally) -> Iterator[str]:
    """What the agency file names and the export does not have, or the other way round."""
    for sheet in tally.sheets_left_out:
        yield (
            f"{sheet} was not read; name it with 'sheet', or write sheet = \"*\" to read all"
            " sheets."
        )
    for column, value in tally.idle_filters:
        yield (
            f"[calls.where]: no row has '{value}' in the column '{column}'; correct the value, or"
            " take it out."
        )
    for name, report in tally.values.items():
        for key, near in report.unmatched_keys:
            hint = f"; the export has '{near}'" if near else ""
            yield (
                f"[calls.values.{name}]: the key '{key}' matches no value of the export{hint};"
                " correct the key, or take it out."
            )
        if report.disagreeing:
            rows = _many(report.disagreeing, "row names", "rows name")
            yield (
                f"{name}: {rows} different codes in its columns; the first column that is mapped"
                " counts (of yes and no, yes)."
            )


def _of_repeats(tally: Tally) -> Iterator[str]:
    """Calls that stand on several rows."""
    if tally.differing:
        listed = ", ".join(f"{name} ({n:,})" for name, n in tally.differing.items())
        yield (
            f"{_many(tally.conflicting_repeats, 'call stands', 'calls stand')} on several rows that"
            f" differ in {listed}, and one row was kept; say in [calls.combine] how to make one"
            " value of them."
        )


def _of_times(tally: Tally) -> Iterator[str]:
    """Times that were not understood, or that cannot be."""
    for name, (misread, given) in tally.misread.items():
        if misread:
            yield (
                f"{name}: {misread:,} of {_many(given, 'value is', 'values are')} not understood as"
                " times and count as unknown; see 'format' in [calls.times]."
            )
    for measure, (negative, long) in tally.durations.items():
        if negative:
            ends = _many(
                negative,
                "call ends before it begins, and counts",
                "calls end before they begin, and count",
            )
            yield f"{measure.removeprefix('minutes_')}: {ends} as unknown; are two columns swapped?"
        if long:
            takes = _many(
                long,
                "call takes longer than a day, and counts",
                "calls take longer than a day, and count",
            )
            yield f"{measure.removeprefix('minutes_')}: {takes} as unknown."
    notes = tally.notes
    if fell_back := notes.get("time_from_year_and_month"):
        have = _many(
            fell_back,
            "call has an impossible date; its month comes",
            "calls have an impossible date; their month comes",
        )
        yield f"{have} from the columns of year and month."
    midnight, others = notes.get("at_midnight", 0), notes.get("on_the_hour", 0) / 23
    if (
        midnight >= MIN_MIDNIGHT
        and midnight > MIDNIGHT_SHARE * tally.counted
        and midnight > MIDNIGHT_TIMES * others
    ):
        yield (
            f"{midnight:,} calls ({100 * midnight / tally.counted:.0f} %) came in at exactly"
            " midnight, which looks like a date without a clock; export the clock, or write the"
            " format without one as a second 'format', so that their hour is unknown."
        )
    if twice := notes.get("comes_twice"):
        came, their = (
            _many(twice, "call", "calls"),
            ("its wait is" if twice == 1 else "their waits are"),
        )
        yield (
            f"{came} came in during the hour that comes twice when clocks go back; {their} unknown"
            " unless the export says the offset."
        )
    if skipped := notes.get("skipped"):
        have = _many(
            skipped,
            "call has a time that the clocks skipped in spring; its",
            "calls have a time that the clocks skipped in spring; their",
        )
        yield f"{have} hour is unknown. Is the export in another time zone?"
    if identical := notes.get("identical_rows"):
        yield (
            f"{_many(identical, 'row repeats', 'rows repeat')} another row in every column; do"
            " files overlap? A 'call_id' in [calls.columns] would tell calls apart."
        )
    if lost := notes.get("handoffs_without_call"):
        yield (
            f"{_many(lost, 'call id of the handoffs is', 'call ids of the handoffs are')} none of"
            " the calls' export, and count nowhere; are ids written alike in both (leading zeros,"
            " prefixes), and is a file of calls missing?"
        )
    if odd := notes.get("visits_at_odd_times"):
        yield (
            f"{_many(odd, 'visit', 'visits')} in 'connected_at' of the handoffs before the call, or"
            " after the release was made: such a handoff counts as accepted without a visit; look"
            " at the column and its format."
        )
    for name, number in notes.items():
        if name.startswith("handoffs:") and number:
            yield f"{number:,} {name}, and count as blank."


def _many(number: int, one: str, more: str) -> str:
    """A number with the words that go with it."""
    return f"{number:,} {one if number == 1 else more}"


__all__ = ["tally_lines", "tally_text", "unusual"]
