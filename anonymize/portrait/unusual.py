"""What an analyst should look at first: everything about an export that is seldom true of a right
one, in a sentence each, with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import sqrt
from statistics import median
from zoneinfo import ZoneInfo

from anonymize.agency.schema import FLAG_FIELDS
from anonymize.portrait.gather import BANDS, NEGATIVE, ZERO, Offsets, Portrait
from anonymize.portrait.usual_day import (
    ENOUGH,
    NIGHT,
    hours_late,
    looks_moved,
    missing_hour,
    moved_between,
    of_twelve_hours,
    quietest,
    step_of_hours,
    turning_point,
)
from anonymize.records.call_times import EARLIEST_YEAR, RECEIVED
from anonymize.records.calls import CLOCKS, Tally

OUTSIDE_SHARE = 0.05
"""Share of rows outside the period from which it is said."""
SOME = 0.01
"""A smaller share of a column's times is put down to single slips."""
NEARLY_ALL = 0.99
FEW, MANY = 0.5, 2.0
"""A month or a weekday with fewer or more calls than this many times what is usual around it is far
off."""
BEYOND_CHANCE = 4.0
"""Standard errors from what is usual. Days of crisis calls vary more than a Poisson count does; its
variance is taken twice."""
MIN_ROWS = 20
"""Fewer rows tell nothing."""
ONE_PERSON = 0.05
"""A larger share of calls under one person key is no person's."""
ON_THE_FIRST = 0.2
"""Share of calls on the first day of a month (usual: 0.03) from which days look left out."""
ONE_DAY = 0.05
MAX_NAMED = 8
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ZONES = {
    0: "UTC",
    -4: "America/Halifax",
    -5: "America/New_York",
    -6: "America/Chicago",
    -7: "America/Denver",
    -8: "America/Los_Angeles",
    -9: "America/Anchorage",
    -10: "Pacific/Honolulu",
}
"""Zones from which an export may come, by their offset in winter."""


def unusual_in(portrait: Portrait, tally: Tally) -> Iterator[str]:
    """One sentence for each thing, the gravest first; `tally_text.unusual` has more from the tally
    alone."""
    yield from _hours(portrait)
    for column, offsets in portrait.times.offsets.items():
        yield from _offsets(portrait, column, offsets)
    yield from _rounded(portrait)
    yield from _outside(portrait)
    yield from _months(portrait.days.months)
    yield from _days(portrait)
    yield from _durations(portrait)
    yield from _columns(portrait, tally)
    yield from _keys(portrait)


def percent(part: float, whole: float = 1.0) -> str:
    """A share in per cent; what is not nothing and not all never reads as 0 or 100."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.95 or 99.05 < share < 100:
        return (
            "under 0.1 %" if share < 0.05 else "over 99.9 %" if share > 99.95 else f"{share:.1f} %"
        )
    return f"{share:.0f} %"


def clock(hour: int) -> str:
    if hour in (0, 12):
        return "midnight" if hour == 0 else "noon"
    return (
        f"{hour % 12} in the {'morning' if hour < 12 else 'afternoon' if hour < 18 else 'evening'}"
    )


def _hours(portrait: Portrait) -> Iterator[str]:
    days = portrait.days
    if of_twelve_hours(days.hours):
        yield (
            "No call came in between 13:00 and 23:59: the clock looks like one of 12 hours that has"
            " lost its AM and PM; export them too, and write a 'format' with %I and %p."
        )
        return
    step = step_of_hours(days.hours)
    if step > 1:
        yield (
            f"Calls came in during every {_ordinal(step)} hour only: hours look rounded to blocks;"
            " export the clock itself, or do not publish by hour."
        )
    elif (hour := missing_hour(days.hours)) is not None:
        cause = (
            "does the column count hours from 1 to 24, so that all hours are off by one, or is"
            " midnight left blank there (then write blank_hour = 0 in [calls.time])?"
            if hour == 0
            else "is it blank in the export, or left out?"
        )
        yield (
            f"No call came in between {hour:02d}:00 and {hour:02d}:59, though the hours beside it"
            f" have many; {cause}"
        )
    if looks_moved(days.hours):
        yield _moved(portrait, days.hours, "")
    else:
        odd = {
            name: hours
            for name, hours in days.hours_of_file.items()
            if looks_moved(hours) or of_twelve_hours(hours)
        }
        for name, hours in list(odd.items())[:MAX_NAMED]:
            if of_twelve_hours(hours):
                yield (
                    f"In {name} no call came in between 13:00 and 23:59, unlike in the other files:"
                    " its clock has lost AM and PM; export that file again."
                )
            else:
                yield _moved(portrait, hours, f" in {name}")
    shift = moved_between(days.winter, days.summer)
    if 0.6 <= abs(shift) <= 1.5:
        yield _moved_in_summer(portrait, shift)


def _ordinal(step: int) -> str:
    return {2: "second", 3: "third"}.get(step, f"{step}th")


def _moved(portrait: Portrait, hours: Sequence[int], where: str) -> str:
    """All hours look moved: by how many, and the likely cause."""
    late = hours_late(hours)
    if quietest(hours) in NIGHT:
        start = (
            f"The day looks moved{where}: calls are fewest around"
            f" {clock(round(turning_point(hours)) % 24)}, where 3 to 5 in the morning is usual"
        )
    else:
        start = (
            f"The quietest hour{where} is {clock(quietest(hours))}, where calls are usually fewest"
            " between 2 and 6 in the morning"
        )
    back = [hours[(hour + late) % 24] for hour in range(24)]
    if not late or quietest(back) not in NIGHT:
        return (
            f"{start}; look whether AM and PM are lost, whether the zone is right, and whether"
            " hours are missing."
        )
    by = (
        f"all hours look off by about {abs(late)} ({abs(late)} too"
        f" {'late' if late > 0 else 'early'})"
    )
    if abs(late) >= 11:
        return (
            f"{start}; {by}, as when AM and PM are swapped or read wrongly; look at the clock's"
            " 'format' (%I with %p, or %H)."
        )
    if portrait.clock_zone and portrait.clock_zone != portrait.timezone:
        return (
            f"{start}; {by}, as when times that are local already are moved; is timezone ="
            f' "{portrait.clock_zone}" in [calls.time] true? If not, take it out.'
        )
    for column, offsets in portrait.times.offsets.items():
        if (
            RECEIVED in portrait.columns[column].fields
            and offsets.given > NEARLY_ALL * offsets.texts
        ):
            return (
                f"{start}; {by}, as when clocks are local and the zone written behind them"
                f" ({_range(offsets)}) is not true; {_as_it_stands(offsets)}."
            )
    zone = _winter_offset(portrait) + late
    near = next(
        (
            ZONES[offset]
            for offset in (zone, zone + 1, zone - 1)
            if offset == 0 or (offset == zone and offset in ZONES)
        ),
        None,
    )
    if near is None:
        return (
            f"{start}; {by}; say with 'timezone' in [calls.time] in which zone the export writes"
            " its times."
        )
    cause = "UTC is" if near == "UTC" else "the clock of another place is"
    return (
        f'{start}; {by}, as when {cause} read as local time; if so, write timezone = "{near}" in'
        " [calls.time]."
    )


def _winter_offset(portrait: Portrait) -> int:
    """Hours of the agency's zone from UTC on the first of January."""
    offset = datetime(portrait.data_to.year, 1, 1, tzinfo=ZoneInfo(portrait.timezone)).utcoffset()
    return round(offset.total_seconds() / 3600) if offset else 0


def _moved_in_summer(portrait: Portrait, shift: float) -> str:
    if shift < 0:
        offset = _winter_offset(portrait)
        zone = f"Etc/GMT{-offset:+d}" if offset else "UTC"
        return (
            "In the months of daylight time calls come about an hour earlier by the clock than in"
            " the others, as when an export keeps standard time all year: "
            f'their hours look off by one; if so, write timezone = "{zone}" in [calls.time].'
        )
    return (
        "In the months of daylight time calls come about an hour later by the clock than in the"
        " others, as when the change of clocks is made twice: their hours look off by one; look at"
        " the zone written behind the times, and at 'timezone' in [calls.time]."
    )


def _range(offsets: Offsets) -> str:
    return (
        offsets.lowest
        if offsets.lowest == offsets.highest
        else f"{offsets.lowest} to {offsets.highest}"
    )


def _as_it_stands(offsets: Offsets) -> str:
    """How to read times without the zone that is written behind them."""
    if offsets.lowest != offsets.highest:
        return "export the times without it"
    return (
        "if so, write it into 'format' as it stands, such as format ="
        f' "%Y-%m-%dT%H:%M:%S{offsets.lowest}"'
    )


def _offsets(portrait: Portrait, column: str, offsets: Offsets) -> Iterator[str]:
    other = offsets.given - offsets.utc - offsets.agreeing
    if other > SOME * offsets.given:
        share = (
            "every offset"
            if other == offsets.given
            else f"{percent(other, offsets.given)} of the offsets"
        )
        verb = "contradicts" if other == offsets.given else "contradict"
        yield (
            f"'{column}': {share} ({_range(offsets)}) {verb} the zone {portrait.timezone} at that"
            " moment, and the times are moved by the difference; if the clocks are local and the"
            f" offset is not true, {_as_it_stands(offsets).removeprefix('if so, ')}, and if the"
            " zone is wrong, correct agency.timezone."
        )
    if SOME * offsets.texts < offsets.given < NEARLY_ALL * offsets.texts:
        yield (
            f"'{column}': {percent(offsets.given, offsets.texts)} of the times name a zone"
            f" ({_range(offsets)}) and the others none; those without count as local, so look"
            " whether they are."
        )


def _rounded(portrait: Portrait) -> Iterator[str]:
    times = portrait.times
    step = next((step for step, n in times.minutes.items() if n >= NEARLY_ALL * times.clocks), None)
    if step and times.clocks >= MIN_ROWS:
        what = "full hours" if step == 60 else f"multiples of {step} minutes"
        yield (
            f"{'All' if times.minutes[step] == times.clocks else 'Nearly all'} calls came in at"
            f" {what}: the clock is rounded; export it in full, or publish no waits."
        )


def _outside(portrait: Portrait) -> Iterator[str]:
    n, first, last = portrait.outside
    if n > OUTSIDE_SHARE * portrait.rows:
        days = (
            f", from {first} to {last}"
            if first and last and first != last
            else f", all on {first}"
            if first
            else ""
        )
        yield (
            f"{percent(n, portrait.rows)} of the rows ({n:,}) lie outside the period"
            f" {portrait.data_from} to {portrait.data_to}{days}; correct data_from and data_to in"
            " [release], or leave out what does not belong."
        )
    if portrait.times.future:
        yield (
            f"{portrait.times.future:,} rows have a time after the release was made"
            f" ({portrait.created}), and are rejected; are day and month swapped, or is 'created'"
            " in [release] wrong?"
        )
    if portrait.times.too_early:
        yield (
            f"{portrait.times.too_early:,} rows have a time before {EARLIEST_YEAR}, and are"
            " rejected; if it stands for a blank, name it in 'placeholders' of [calls]."
        )


def _months(months: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Months with calls, far fewer or more of them a day than the months around. Months without any
    are a matter of gaps."""
    daily = {code: calls / days for code, (calls, days) in months.items() if calls and days >= 7}
    codes = list(daily)
    few: list[str] = []
    many: list[str] = []
    for i, code in enumerate(codes):
        around = [daily[other] for other in (*codes[max(0, i - 3) : i], *codes[i + 1 : i + 4])]
        if len(around) < 3:
            continue
        calls, days = months[code]
        usual = median(around) * days
        if abs(calls - usual) > BEYOND_CHANCE * sqrt(2 * usual):
            group = few if calls < FEW * usual else many if calls > MANY * usual else None
            if group is not None:
                group.append(f"{code} ({calls:,}, usual {usual:,.0f})")
    if few:
        yield (
            f"Far fewer calls than in the months around: {_listed(few)}; is a part of the records"
            " missing? If so, export it again."
        )
    if many:
        yield (
            f"Far more calls than in the months around: {_listed(many)}; do files overlap, or are"
            " other kinds of calls among them?"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


def _days(portrait: Portrait) -> Iterator[str]:
    days = portrait.days
    weeks = (portrait.data_to - portrait.data_from).days / 7
    usual = median(days.weekdays)
    low = [
        i
        for i, n in enumerate(days.weekdays)
        if n < FEW * usual and usual - n > BEYOND_CHANCE * sqrt(2 * usual)
    ]
    if low and weeks >= 4:
        listed = ", ".join(f"{WEEKDAYS[i]} ({days.weekdays[i]:,})" for i in low)
        yield (
            f"Far fewer calls than on other days (about {usual:,.0f}): {listed}; if teams do not"
            " work then, say so in agency.about, else look for what is missing."
        )
    if days.known >= ENOUGH and weeks >= 8:
        mean = days.known / (7 * weeks)
        if days.on_the_first > ON_THE_FIRST * days.known:
            yield (
                f"{percent(days.on_the_first, days.known)} of the calls lie on the first day of a"
                " month, as when only the month is known: their weekday is not true; export the"
                " day, or name year and month in [calls.time]."
            )
        elif (
            days.busiest
            and days.busiest[1] > ONE_DAY * days.known
            and days.busiest[1] - mean > 2 * BEYOND_CHANCE * sqrt(mean)
        ):
            yield (
                f"One day, {days.busiest[0]}, has {percent(days.busiest[1], days.known)} of all"
                " calls; if it stands for a blank, name it in 'placeholders' of [calls]."
            )


def _durations(portrait: Portrait) -> Iterator[str]:
    times = portrait.times
    alike = {
        pair
        for pair, (equal, both) in times.same.items()
        if both >= MIN_ROWS and equal >= NEARLY_ALL * both
    }
    for first, last in sorted(alike):
        equal, both = times.same[first, last]
        columns = [
            next(name for name, column in portrait.columns.items() if field in column.fields)
            for field in (first, last)
        ]
        if columns[0] == columns[1]:
            yield (
                f"'{columns[0]}' is named for both {first} and {last}; name the right column for"
                " each, or leave one out."
            )
        else:
            yield (
                f"'{columns[0]}' ({first}) and '{columns[1]}' ({last}) say the same time in"
                f" {equal:,} of {both:,} rows; if one is a copy of the other, leave it out."
            )
    for measure, bands in times.durations.items():
        name, known = measure.removeprefix("minutes_"), sum(bands) - bands[NEGATIVE]
        if known < MIN_ROWS or CLOCKS[measure] in alike:
            continue
        if bands[ZERO] > known / 2:
            yield (
                f"{name}: {percent(bands[ZERO], known)} are 0 seconds; if one column only repeats"
                " the other, leave it out of [calls.columns]."
            )
        elif measure.endswith("_to_arrival"):
            short, long = bands[ZERO + 1], sum(bands[BANDS.index("1 to 4 h") :])
            if max(short, long) > known / 2:
                what = "under a minute" if short > long else "over an hour"
                yield (
                    f"{name}: {percent(max(short, long), known)} are {what}; look at the unit"
                    " (seconds or minutes) and the zone of both columns."
                )


def _columns(portrait: Portrait, tally: Tally) -> Iterator[str]:
    columns, rows = portrait.columns, portrait.rows
    blank = {name: column.fields for name, column in columns.items() if column.blank == rows}
    if blank:
        listed = _listed([f"'{name}' ({', '.join(fields)})" for name, fields in blank.items()])
        yield (
            f"Blank in every row: {listed}; name other columns, or take these out of"
            " [calls.columns]."
        )
    if rows < MIN_ROWS:
        return
    single: list[str] = []
    yes_or_blank: list[str] = []
    for name, report in tally.values.items():
        texts = {text for text, _code, _n in report.rows}
        if len(texts - {""}) == 1:
            (yes_or_blank if "" in texts and name in FLAG_FIELDS else single).append(
                f"{name} ('{next(iter(texts - {''}))}')"
            )
    if single:
        yield (
            f"One value only: {_listed(single)}; does the other never come, is the export filtered,"
            " or is it the wrong column?"
        )
    if yes_or_blank:
        yield (
            f"One value or blank: {_listed(yes_or_blank)}; if a blank means the opposite, have the"
            " export write it, for a blank counts as unknown."
        )
    mostly = {
        name: (total - filled, total)
        for name, (filled, total) in tally.completeness.items()
        if name in tally.values or name == "hour"
    }
    gone = {field for fields in blank.values() for field in fields}
    listed_unknown = [
        f"{name} ({percent(*n)})"
        for name, n in mostly.items()
        if n[0] > n[1] / 2 and name not in gone
    ]
    if listed_unknown:
        yield (
            f"More than half unknown: {_listed(listed_unknown)}; look whether another column tells"
            " it, and which values are mapped to 'unknown'."
        )


def _keys(portrait: Portrait) -> Iterator[str]:
    most, known = portrait.most_of_one_person
    if most >= MIN_ROWS and most > ONE_PERSON * known:
        yield (
            f"One person key stands in {percent(most, known)} of the calls that have one"
            f" ({most:,}), as a placeholder such as UNKNOWN would; if it is one, name it in"
            " 'placeholders' of [calls]."
        )
    repeats, other_day = portrait.repeats_between_files
    if repeats and other_day > repeats / 2:
        yield (
            f"{repeats:,} rows repeat a call_id of another file, {other_day:,} of them on another"
            " day: ids seem to start again in each file, and these calls are not counted; export"
            " ids that are unique, such as with the year before them."
        )
    elif repeats:
        yield (
            f"{repeats:,} rows repeat a call_id of another file; files overlap; leave out what"
            " stands in two of them, or look which row counts ('repeated_rows' in [calls])."
        )


__all__ = ["clock", "percent", "unusual_in"]
