"""A portrait of an export in plain numbers: what an analyst must see to tell whether it was read as
it was meant.

Gathered by `check` alone: from the calls in the engine, and in one more look at the texts of each
file. It holds counts, days and the names of columns, never a record's content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise
from math import ceil
from zoneinfo import ZoneInfo

import pandas as pd

from anonymize.agency.codelists import months_between
from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import KEY_FIELDS, POINT_FIELDS, TIME_FIELDS
from anonymize.engine import Engine
from anonymize.engine.sources import FILE, Source, names_of
from anonymize.read.cleaning import cleaned
from anonymize.records.call_times import (
    EARLIEST_YEAR,
    RECEIVED,
    TimeSource,
    field_sources,
    received_sources,
)
from anonymize.records.call_times import texts as time_texts
from anonymize.records.calls import LONGEST_SECONDS, OUTSIDE, Tally, seconds_of

BANDS = (
    "negative",
    "0",
    "under 1 min",
    "1 to 5 min",
    "5 to 10 min",
    "10 to 30 min",
    "30 to 60 min",
    "1 to 4 h",
    "4 to 24 h",
    "over 24 h",
)
"""How long durations are."""
NEGATIVE, ZERO = 0, 1
_STARTS = (60, 300, 600, 1800, 3600, 4 * 3600)
"""Seconds at which the bands from "1 to 5 min" to "4 to 24 h" begin."""
STEPS = (60, 30, 15, 5)
"""Minutes to which clocks may have been rounded."""
PLAIN = (*KEY_FIELDS, *POINT_FIELDS, *TIME_FIELDS)
"""Fields that have no codes."""
NEVER = 14.0
"""Calls that would be expected in a stretch of days; that none comes happens by chance once in a
million times (e to the power of -14)."""


@dataclass(frozen=True)
class Days:
    """Calls over time. `months`: code -> (calls, days of the month within the period and outside
    long stretches without any call); `hours_of_file`: of several files, each one's calls by hour;
    `winter`, `summer`: calls by hour on days of standard and of daylight time; `busiest`: the day
    with the most calls, and how many; `on_the_first`: calls on the first day of a month."""

    first: date | None
    last: date | None
    known: int
    months: Mapping[str, tuple[int, int]]
    weekdays: tuple[int, ...]
    hours: tuple[int, ...]
    unknown_hour: int
    hours_of_file: Mapping[str, tuple[int, ...]]
    winter: tuple[int, ...]
    summer: tuple[int, ...]
    busiest: tuple[date, int] | None
    on_the_first: int


@dataclass(frozen=True)
class Offsets:
    """Of a column's texts: how many there are, how many are times that name a zone or an offset,
    and of these how many are in UTC, and how many name what is in force in the agency's zone at
    that moment. `lowest`, `highest`: the first and last of these zones and offsets by the alphabet.
    """

    texts: int
    given: int
    utc: int
    agreeing: int
    lowest: str
    highest: str


@dataclass(frozen=True)
class Column:
    """A column of the export that is read: for which fields, and in how many rows it is blank."""

    fields: tuple[str, ...]
    blank: int


@dataclass(frozen=True)
class Times:
    """Of calls: `clocks`, those with date and clock; `minutes`, step -> clocks at a multiple of so
    many minutes; `durations`, pair of times -> calls per band of BANDS. Of rows, whatever became of
    them: `future` and `too_early`, those whose only time lies after the release was made or before
    EARLIEST_YEAR; `offsets` per column; `same`, two fields of times -> (rows in which their texts
    are the same, rows that have both).
    """

    clocks: int
    minutes: Mapping[int, int]
    durations: Mapping[str, tuple[int, ...]]
    future: int
    too_early: int
    offsets: Mapping[str, Offsets]
    same: Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Portrait:
    """`clock_zone`: the zone that [calls.time] names; `files`: file (or sheet) -> its rows;
    `columns`: those that are read; `outside`: rows outside the period, and the first and last day
    among them; `unused`: column that is not read -> parts of the export that have it;
    `repeats_between_files`: rows that repeat a call of another file, and those of them on another
    day; `most_of_one_person`: calls of the person key that comes most often, and calls with a
    key."""

    agency: str
    timezone: str
    clock_zone: str | None
    data_from: date
    data_to: date
    created: date
    files: Mapping[str, int]
    calls: int
    days: Days
    times: Times
    columns: Mapping[str, Column]
    outside: tuple[int, date | None, date | None]
    unused: Mapping[str, int]
    repeats_between_files: tuple[int, int]
    most_of_one_person: tuple[int, int]

    @property
    def rows(self) -> int:
        return sum(self.files.values())

    @property
    def years(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for month, (calls, _days) in self.days.months.items():
            found[month[:4]] += calls
        return dict(found)


def portray(engine: Engine, config: AgencyConfig, source: Source, tally: Tally) -> Portrait:
    """The portrait of an export whose calls are in the engine. Raises SourceError."""
    agency, release = config.file.agency, config.file.release
    seen = _look(engine, config, source, impossible=tally.rejected.get("impossible_time", 0) > 0)
    outside = engine.ask(
        "SELECT count(*) AS n, min(day) AS earliest, max(day) AS latest FROM staged WHERE reason ="
        f" '{OUTSIDE}'"
    ).iloc[0]
    return Portrait(
        agency=agency.name.en,
        timezone=agency.timezone,
        clock_zone=config.file.calls.time.timezone,
        data_from=release.data_from,
        data_to=release.data_to,
        created=release.created,
        files=dict(zip(_names(source), map(int, seen["rows_read"]), strict=True)),
        calls=tally.counted,
        days=_days(engine, config, source),
        times=_times(engine, config, tally, seen),
        columns=_columns(config, source, tally, seen),
        outside=(int(outside["n"]), _day(outside["earliest"]), _day(outside["latest"])),
        unused=_unused(source),
        repeats_between_files=_repeats_between_files(engine, config, source),
        most_of_one_person=_most_of_one_person(engine, config),
    )


def _names(source: Source) -> list[str]:
    """Of each part a name that no other has."""
    names = list(source.names)
    return (
        names
        if len(set(names)) == len(names)
        else [
            f"{part.path.parent.name}/{part.name} ({i})" for i, part in enumerate(source.parts, 1)
        ]
    )


def _day(value: object) -> date | None:
    """A day as the engine gives it (a date, or a time of pandas)."""
    return None if pd.isna(value) else pd.Timestamp(value).date()


def _days(engine: Engine, config: AgencyConfig, source: Source) -> Days:
    hour = "hour" if "hour" in config.codelists else "'unknown'"
    found = engine.ask(
        f"SELECT file_no, period AS month, day, {hour} AS hour, count(*) AS n FROM calls GROUP"
        " BY ALL"
    )
    zone = ZoneInfo(config.file.agency.timezone)
    by_day: Counter[date] = Counter()
    by_month: Counter[str] = Counter()
    weekdays, hours, winter, summer = Counter[int](), Counter[str](), Counter[str](), Counter[str]()
    names = _names(source)
    of_file: dict[str, Counter[str]] = {name: Counter() for name in names}
    for file_no, month, moment, code, n in found.itertuples(index=False, name=None):
        day, calls = _day(moment), int(n)
        by_month[str(month)] += calls
        hours[str(code)] += calls
        of_file[names[int(file_no)]][str(code)] += calls
        if day:
            by_day[day] += calls
            weekdays[day.weekday()] += calls
            daylight = datetime(day.year, day.month, day.day, 12, tzinfo=zone).dst()
            (summer if daylight else winter)[str(code)] += calls
    busiest = max(by_day.items(), key=lambda item: (item[1], item[0]), default=None)
    return Days(
        first=min(by_day, default=None),
        last=max(by_day, default=None),
        known=by_day.total(),
        months=_months(config, by_month, by_day),
        weekdays=tuple(weekdays[i] for i in range(7)),
        hours=_by_hour(hours),
        unknown_hour=hours.total() - sum(_by_hour(hours)),
        hours_of_file=(
            {name: _by_hour(of_file[name]) for name in of_file} if len(of_file) > 1 else {}
        ),
        winter=_by_hour(winter),
        summer=_by_hour(summer),
        busiest=busiest,
        on_the_first=sum(n for day, n in by_day.items() if day.day == 1),
    )


def _by_hour(codes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(codes.get(f"{hour:02d}", 0) for hour in range(24))


def _months(
    config: AgencyConfig, by_month: Mapping[str, int], by_day: Mapping[date, int]
) -> dict[str, tuple[int, int]]:
    release = config.file.release
    if config.file.calls.time.period:
        return {}
    span = [
        release.data_from + timedelta(days=i)
        for i in range((release.data_to - release.data_from).days + 1)
    ]
    days = Counter(f"{day:%Y-%m}" for day in span)
    if by_day:
        long = max(2, ceil(NEVER * len(span) / sum(by_day.values())))
        days.subtract(
            Counter(
                f"{day:%Y-%m}"
                for day in _long_stretches([day for day in span if day not in by_day], long)
            )
        )
    codes = [f"{month:%Y-%m}" for month in months_between(release.data_from, release.data_to)]
    return {code: (by_month.get(code, 0), days[code]) for code in codes}


def _long_stretches(days: Sequence[date], long: int) -> list[date]:
    """Of `days` (in order) those in a run of `long` or more consecutive ones."""
    found: list[date] = []
    run: list[date] = []
    for day in [*days, None]:
        if day and run and (day - run[-1]).days == 1:
            run.append(day)
            continue
        if len(run) >= long:
            found += run
        run = [day] if day else []
    return found


def _unused(source: Source) -> dict[str, int]:
    found: Counter[str] = Counter()
    for part in source.parts:
        read = {
            *source.columns,
            *(other for others in source.spec.other_names.values() for other in others),
        }
        found.update({name: 1 for name in names_of(part, source.spec) if name and name not in read})
    return dict(found)


def _repeats_between_files(engine: Engine, config: AgencyConfig, source: Source) -> tuple[int, int]:
    if "call_id" not in config.file.calls.columns or len(source.parts) < 2:
        return 0, 0
    repeated = (
        "(SELECT call_id, file_no, day FROM staged WHERE reason IN ('repeated',"
        " 'duplicate_call_id'))"
    )
    row = engine.ask(
        f"SELECT count(*) AS n, count(*) FILTER (WHERE r.day <> c.day) AS other_day FROM {repeated}"
        " AS r JOIN calls AS c ON c.call_id = r.call_id WHERE c.file_no <> r.file_no"
    ).iloc[0]
    return int(row["n"]), int(row["other_day"])


def _most_of_one_person(engine: Engine, config: AgencyConfig) -> tuple[int, int]:
    if "person_key" not in config.file.calls.columns:
        return 0, 0
    each = "(SELECT count(*) AS n FROM calls WHERE person_key IS NOT NULL GROUP BY person_key)"
    row = engine.ask(
        f"SELECT coalesce(max(n), 0) AS most, coalesce(sum(n), 0) AS known FROM {each} AS"
        " each_person"
    ).iloc[0]
    return int(row["most"]), int(row["known"])


def _times(engine: Engine, config: AgencyConfig, tally: Tally, seen: pd.DataFrame) -> Times:
    wanted = {"clocks": "whole_minute IS NOT NULL"} | {
        f"at_{step}": f"whole_minute >= 0 AND whole_minute % {step} = 0" for step in STEPS
    }
    for measure in tally.durations:
        wanted |= {f"{measure}_{i}": sql for i, sql in enumerate(_bands(seconds_of(measure)))}
    row = engine.ask(
        f"SELECT {', '.join(f'{_number(sql)} AS {name}' for name, sql in wanted.items())} FROM"
        " calls"
    ).iloc[0]
    found = {name: int(row[name]) for name in wanted}
    totals = {
        str(name): int(seen[name].sum())
        for name in seen
        if not str(name).startswith(("lowest_", "highest_"))
    }
    offsets = {}
    for name, (time, _zone, _clock) in _zones(config).items():
        ends = [
            str(end)
            for end in [*seen[f"lowest_{name}"], *seen[f"highest_{name}"]]
            if not pd.isna(end)
        ]
        if ends:
            texts, given, utc, agreeing = (
                totals[f"{what}_{name}"] for what in ("given", "zones", "utc", "own")
            )
            offsets[time.column] = Offsets(texts, given, utc, agreeing, min(ends), max(ends))
    return Times(
        clocks=found["clocks"],
        minutes={step: found[f"at_{step}"] for step in STEPS},
        durations={
            measure: tuple(found[f"{measure}_{i}"] for i in range(len(BANDS)))
            for measure in tally.durations
        },
        future=totals["future"],
        too_early=totals["too_early"],
        offsets=offsets,
        same={
            pair: (totals[f"same_{'_'.join(pair)}"], totals[f"both_{'_'.join(pair)}"])
            for pair in combinations(_moments(config), 2)
        },
    )


def _number(where: str) -> str:
    return f"count(*) FILTER (WHERE {where})"


def _bands(seconds: str) -> list[str]:
    """SQL: does a duration lie in each of BANDS?"""
    edges = [1, *_STARTS, LONGEST_SECONDS + 1]
    inner = [f"{seconds} >= {low} AND {seconds} < {high}" for low, high in pairwise(edges)]
    return [f"{seconds} < 0", f"{seconds} = 0", *inner, f"{seconds} > {LONGEST_SECONDS}"]


def _look(
    engine: Engine, config: AgencyConfig, source: Source, *, impossible: bool
) -> pd.DataFrame:
    """What the texts say, in numbers: a row for each part of the export. `impossible`: were calls
    rejected for a time that cannot be?"""
    zones, moments, blank = _zones(config), _moments(config), _blank_texts(config, source)
    wanted = {"rows_read": "true"} | (
        _impossible(config) if impossible else {"future": "false", "too_early": "false"}
    )
    wanted |= {f"blank_{i}": f"{text} IS NULL" for i, text in blank.items()}
    for (first, one), (last, other) in combinations(moments.items(), 2):
        wanted[f"both_{first}_{last}"] = f"{one} IS NOT NULL AND {other} IS NOT NULL"
        wanted[f"same_{first}_{last}"] = f"{one} = {other}"
    for name, (time, _zone, _clock) in zones.items():
        wanted[f"given_{name}"] = f"{time.text} IS NOT NULL"
        wanted[f"zones_{name}"] = f"zone_{name} IS NOT NULL"
        wanted[f"utc_{name}"] = (
            f"upper(zone_{name}) IN ('Z', 'UTC', 'GMT') OR regexp_full_match(zone_{name},"
            " '[+-]00(:?00)?')"
        )
        wanted[f"own_{name}"] = f"own_{name}"
    keys = [
        f"{cleaned(column, config.file.calls.placeholders)} AS key_{i}"
        for i, column in enumerate(source.columns)
    ]
    query = f"SELECT {', '.join([f'{FILE} AS file_no', *time_texts(config), *keys])} FROM raw"
    ends = [f"{zone} AS end_{name}" for name, (_time, zone, _clock) in zones.items()]
    query = f"SELECT {', '.join(['*', *ends])} FROM ({query})"
    query = (
        "SELECT"
        f" {', '.join(['*', *(sql for name in zones for sql in _understood(name, *zones[name]))])}"
        f" FROM ({query})"
    )
    listed = [f"{_number(sql)} AS {name}" for name, sql in wanted.items()]
    listed += [
        f"{pick}(zone_{name}) AS {end}_{name}"
        for name in zones
        for end, pick in (("lowest", "min"), ("highest", "max"))
    ]
    return pd.concat(
        [
            answer
            for (answer,) in engine.look(source, [f"SELECT {', '.join(listed)} FROM ({query})"])
        ],
        ignore_index=True,
    )


def _understood(name: str, time: TimeSource, _zone: str, clock: str) -> list[str]:
    """SQL of a text's zone where all of it is understood as a time (else what stands at its end
    could be anything), and of whether the agency's zone has the same clock at that moment."""
    local = time.reader.local(time.text)
    return [
        (
            f"CASE WHEN end_{name} <> '' THEN CASE WHEN ({local}) IS NOT NULL THEN end_{name} END"
            f" END AS zone_{name}"
        ),
        f"CASE WHEN end_{name} <> '' THEN ({clock}) = ({local}) ELSE false END AS own_{name}",
    ]


def _impossible(config: AgencyConfig) -> dict[str, str]:
    """SQL: rows whose only time lies after the release was made, or before EARLIEST_YEAR."""
    read = [f"({time.reader.local(time.text)})" for time in received_sources(config)]
    early, late = (
        f"TIMESTAMP '{EARLIEST_YEAR}-01-01 00:00:00'",
        f"TIMESTAMP '{config.file.release.created + timedelta(days=1)} 00:00:00'",
    )
    if not read or (config.file.calls.time.year and config.file.calls.time.month):
        return {"future": "false", "too_early": "false"}
    none = " AND ".join(f"coalesce({local} NOT BETWEEN {early} AND {late}, true)" for local in read)
    tests = {"future": f"> {late}", "too_early": f"< {early}"}
    return {
        name: f"{none} AND ({' OR '.join(f'{local} {test}' for local in read)})"
        for name, test in tests.items()
    }


def _zones(config: AgencyConfig) -> dict[str, tuple[TimeSource, str, str]]:
    """The columns of times whose texts may name a zone, each with SQL of the zone and of the clock
    before it."""
    times = [
        time
        for time in (*received_sources(config), *field_sources(config).values())
        if not time.after_call and not time.spec.clock
    ]
    return {
        time.name: (time, *written)
        for time in times
        if (written := time.reader.zone_written(time.text))
    }


def _moments(config: AgencyConfig) -> dict[str, str]:
    """The fields whose texts hold a moment (not one told from another field, nor in two columns),
    with SQL of the text."""
    received = (
        [time.text for time in received_sources(config)] if config.file.calls.time.timestamp else []
    )
    fields = {
        field: time.text
        for field, time in field_sources(config).items()
        if not time.after_call and not time.spec.clock
    }
    return {RECEIVED: f"coalesce({', '.join(received)})", **fields} if received else fields


def _blank_texts(config: AgencyConfig, source: Source) -> dict[int, str]:
    """Position of a column -> SQL of its cleaned text, for the columns of times, keys and points;
    of all others `ValueReport` knows the blanks."""
    time = config.file.calls.time
    sources = [*received_sources(config), *field_sources(config).values()]
    known = {one.column: one.text for one in sources} | {
        one.spec.clock: one.clock for one in sources if one.spec.clock
    }
    known |= {
        column: f"said_{name}"
        for name, column in (("hour", time.hour), ("year", time.year), ("month", time.month))
        if column
    }
    valued = {
        column
        for field, columns in config.file.calls.columns.items()
        if field not in PLAIN
        for column in columns
    }
    return {
        i: known.get(column, f"key_{i}")
        for i, column in enumerate(source.columns)
        if column in known or column not in valued
    }


def _columns(
    config: AgencyConfig, source: Source, tally: Tally, seen: pd.DataFrame
) -> dict[str, Column]:
    found = {}
    for i, column in enumerate(source.columns):
        if f"blank_{i}" in seen:
            blank = int(seen[f"blank_{i}"].sum())
        else:
            field, place = next(
                (f, columns.index(column))
                for f, columns in config.file.calls.columns.items()
                if f not in PLAIN and column in columns
            )
            blank = tally.values[field].blank[place]
        found[column] = Column(_fields_of(config, column), blank)
    return found


def _fields_of(config: AgencyConfig, column: str) -> tuple[str, ...]:
    """What a column is read for."""
    calls, time = config.file.calls, config.file.calls.time
    found = [field for field, columns in calls.columns.items() if column in columns]
    found += [f"{field}, its clock" for field, spec in calls.times.items() if spec.clock == column]
    if column in (*time.timestamp, *time.date, time.clock, time.hour, time.year, time.month):
        found.append(RECEIVED)
    if column in calls.where:
        found.append("the rows that are kept")
    if column == calls.count:
        found.append("how many calls a row stands for")
    return tuple(found)
