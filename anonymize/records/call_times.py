"""When a call came in, and its other times, as SQL over the texts of an export.

Layers, each a query over the one before: cleaned texts; the local time of each column; those that
are possible; when the call came in; and last every other field. Each has its moment in UTC near
changes of the clocks (see `anonymize.read.times`), and says where a text was given that is no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from anonymize.agency.load import AgencyConfig, has_moment
from anonymize.agency.schema import TIME_FIELDS, TimeColumnSpec
from anonymize.engine.sources import FILE, ROW
from anonymize.read.cleaning import cleaned
from anonymize.read.sql import literal
from anonymize.read.times import AFTER_CALL, TimeColumn, Zone, after_call, clock_seconds, formats_of

EARLIEST_YEAR = 1950
"""A call before this year is a typing error or a placeholder, not a call."""
WHOLE_NUMBER = "^[0-9]{1,4}([.]0+)?$"
MONTHS = (
    ("january", "jan", "enero", "ene"),
    ("february", "feb", "febrero"),
    ("march", "mar", "marzo"),
    ("april", "apr", "abril", "abr"),
    ("may", "mayo"),
    ("june", "jun", "junio"),
    ("july", "jul", "julio"),
    ("august", "aug", "agosto", "ago"),
    ("september", "sep", "sept", "septiembre"),
    ("october", "oct", "octubre"),
    ("november", "nov", "noviembre"),
    ("december", "dec", "diciembre", "dic"),
)
RECEIVED = "received_at"
NOTE = "time_note"
FELL_BACK, CLOCK_MISREAD, SKIPPED, COMES_TWICE = 1, 2, 3, 4
"""Of NOTE: year and month stand in for an impossible date; a clock is written that is none; the
clocks skipped the local time; it comes twice."""


def zone_of(config: AgencyConfig) -> Zone:
    """The agency's zone over the years in which its times may lie."""
    release = config.file.release
    return Zone(
        config.file.agency.timezone,
        release.data_from - timedelta(days=3),
        release.created + timedelta(days=3),
    )


@dataclass(frozen=True)
class TimeSource:
    """One column of times, or a column of dates with one of clocks. `name`: of its columns in the
    layers."""

    name: str
    column: str
    spec: TimeColumnSpec
    reader: TimeColumn

    @property
    def after_call(self) -> str | None:
        """The format, where the column counts from when the call came in."""
        return next((f.text for f in self.reader.formats if f.text in AFTER_CALL), None)

    @property
    def text(self) -> str:
        return f"{self.name}_text"

    @property
    def local(self) -> str:
        return f"{self.name}_local"

    @property
    def clock(self) -> str:
        return f"{self.name}_clock"


def received_sources(config: AgencyConfig) -> list[TimeSource]:
    """The columns that say when a call came in; of several the first with a possible value
    counts."""
    time = config.file.calls.time
    spec = TimeColumnSpec(
        format=time.format, timezone=time.timezone, clock=time.clock, clock_format=time.clock_format
    )
    return [
        _source(config, f"received_{i}", column, spec)
        for i, column in enumerate((*time.timestamp, *time.date))
    ]


def field_sources(config: AgencyConfig) -> dict[str, TimeSource]:
    """The column of every other time field that the agency file names."""
    calls = config.file.calls
    named = [field for field in TIME_FIELDS if field in calls.columns]
    return {
        field: _source(
            config, field, calls.columns[field][0], calls.times.get(field, TimeColumnSpec())
        )
        for field in named
    }


def _source(config: AgencyConfig, name: str, column: str, spec: TimeColumnSpec) -> TimeSource:
    days = bool(spec.clock) or (name not in TIME_FIELDS and column in config.file.calls.time.date)
    return TimeSource(
        name,
        column,
        spec,
        TimeColumn(formats_of(spec.format), zone_of(config), spec.timezone, days=days),
    )


def time_columns(config: AgencyConfig) -> list[str]:
    """All columns that times are read from."""
    time = config.file.calls.time
    sources = [*received_sources(config), *field_sources(config).values()]
    names = [
        *(s.column for s in sources),
        *(s.spec.clock for s in sources if s.spec.clock),
        *filter(None, (time.hour, time.year, time.month)),
    ]
    return list(dict.fromkeys(names))


def texts(config: AgencyConfig) -> list[str]:
    """Layer 1: the cleaned texts of all columns of times."""
    time, marks = config.file.calls.time, config.file.calls.placeholders
    listed = []
    for source in [*received_sources(config), *field_sources(config).values()]:
        listed.append(f"{cleaned(source.column, marks, is_time=True)} AS {source.text}")
        if source.spec.clock:
            listed.append(f"{cleaned(source.spec.clock, marks)} AS {source.clock}")
    listed += [
        f"{cleaned(column, marks)} AS said_{name}"
        for name, column in (("hour", time.hour), ("year", time.year), ("month", time.month))
        if column
    ]
    return listed


def _possible(config: AgencyConfig, moment: str) -> str:
    latest = config.file.release.created + timedelta(days=1)
    return (
        f"CASE WHEN {moment} BETWEEN TIMESTAMP '{EARLIEST_YEAR}-01-01 00:00:00' AND TIMESTAMP"
        f" '{latest} 00:00:00' THEN {moment} END"
    )


def locals_of(config: AgencyConfig) -> list[str]:
    """Layer 2: the local time of each column that holds one by itself (for a date with a clock:
    its day), and seconds of the clocks."""
    listed = []
    for source in [*received_sources(config), *field_sources(config).values()]:
        if not source.after_call:
            listed.append(f"{source.reader.local(source.text)} AS {source.local}_read")
        if source.spec.clock:
            listed.append(
                f"{clock_seconds(source.clock, source.spec.clock_format)} AS {source.clock}_seconds"
            )
    return listed


def possible_locals(config: AgencyConfig) -> list[str]:
    """Layer 3: the same where they are possible: between EARLIEST_YEAR and the release; dates
    joined with their clocks."""
    listed = []
    for source in [*received_sources(config), *field_sources(config).values()]:
        if source.after_call:
            continue
        read = f"{source.local}_read"
        if source.spec.clock and source.name in TIME_FIELDS:
            read = f"date_trunc('day', {read}) + to_seconds({source.clock}_seconds)"
        listed.append(f"{_possible(config, read)} AS {source.local}")
    return listed


def received_day(config: AgencyConfig) -> list[str]:
    """Layer 4, when the call came in: `received_at` (NULL without a clock), `day`, `month` (its
    first day), `hour_read`; `time_given`: some text of a time is there; `time_fell_back`: year and
    month stand in for an impossible date; `bad_hour`: the hour is no hour; `clock_misread`: a clock
    is written that is none."""
    time, sources = config.file.calls.time, received_sources(config)
    local = _coalesce([source.local for source in sources], "TIMESTAMP")
    given = _coalesce([source.text for source in sources], "VARCHAR")
    month, fell_back = f"CAST(date_trunc('month', {local}) AS DATE)", "false"
    if time.year and time.month:
        plain = _year_and_month(config)
        fell_back = f"({given} IS NOT NULL AND {local} IS NULL AND {plain} IS NOT NULL)"
        given = f"coalesce({given}, said_year, said_month)"
        month = f"coalesce({month}, {plain})"
    at, hour, bad_hour, misread = (
        "CAST(NULL AS TIMESTAMP)",
        "CAST(NULL AS INTEGER)",
        "false",
        "false",
    )
    if time.timestamp:
        known = " ".join(
            f"WHEN {s.local} IS NOT NULL THEN {s.reader.clock_given(s.text)}" for s in sources
        )
        at = f"CASE WHEN CASE {known} ELSE false END THEN {local} END"
        hour = f"CAST(hour({at}) AS INTEGER)"
    elif time.clock:
        clock = sources[0].clock
        at = f"date_trunc('day', {local}) + to_seconds({clock}_seconds)"
        hour = f"CAST({clock}_seconds // 3600 AS INTEGER)"
        misread = f"({clock} IS NOT NULL AND {clock}_seconds IS NULL)"
    elif time.hour:
        hour = whole("said_hour")
        bad_hour = misread = (
            f"(said_hour IS NOT NULL AND coalesce({hour} NOT BETWEEN 0 AND 23, true))"
        )
        if time.blank_hour is not None:
            hour = f"CASE WHEN said_hour IS NULL THEN {time.blank_hour} ELSE {hour} END"
    return [
        f"{at} AS {RECEIVED}",
        f"CAST({local} AS DATE) AS day",
        f"{month} AS month",
        f"{hour} AS hour_read",
        f"{given} IS NOT NULL AS time_given",
        f"{fell_back} AS time_fell_back",
        f"{bad_hour} AS bad_hour",
        f"{misread} AS clock_misread",
    ]


def _year_and_month(config: AgencyConfig) -> str:
    """SQL: the first day of the month that the columns of year and month say."""
    cases = " ".join(
        f"WHEN lower(said_month) IN ({', '.join(map(literal, names))}) THEN {i}"
        for i, names in enumerate(MONTHS, 1)
    )
    number, year = f"CASE {cases} ELSE {whole('said_month')} END", whole("said_year")
    latest = (config.file.release.created + timedelta(days=1)).year
    return (
        f"CASE WHEN {number} BETWEEN 1 AND 12 AND {year} BETWEEN {EARLIEST_YEAR} AND {latest} THEN"
        f" make_date({year}, {number}, 1) END"
    )


def received_moment(config: AgencyConfig) -> list[str]:
    """Layer 6: `received_at_utc` near changes of the clocks; `hour_number`, unknown where the
    clocks skipped it; NOTE."""
    zone, time, sources = zone_of(config), config.file.calls.time, received_sources(config)
    if not has_moment(time):
        return [
            f"CAST(NULL AS TIMESTAMP) AS {RECEIVED}_utc",
            "hour_read AS hour_number",
            f"{_note('false', 'false')} AS {NOTE}",
        ]
    if time.timestamp:
        cases = " ".join(f"WHEN {s.local} IS NOT NULL THEN {_instant(config, s)}" for s in sources)
        moment = f"CASE WHEN near_change THEN CASE {cases} END END"
    else:
        moment = f"CASE WHEN near_change THEN {zone.instant_of(RECEIVED)} END"
    skipped = f"(near_change AND ({zone.is_skipped(RECEIVED)}))"
    return [
        f"{moment} AS {RECEIVED}_utc",
        f"CASE WHEN NOT coalesce({skipped}, false) THEN hour_read END AS hour_number",
        f"{_note(f'(near_change AND ({zone.comes_twice(RECEIVED)}))', skipped)} AS {NOTE}",
    ]


def _note(twice: str, skipped: str) -> str:
    """SQL: what is worth a note about when a call came in, or NULL."""
    asked = (
        ("time_fell_back", FELL_BACK),
        ("clock_misread", CLOCK_MISREAD),
        (skipped, SKIPPED),
        (twice, COMES_TWICE),
    )
    return (
        f"CAST(CASE {' '.join(f'WHEN {sql} THEN {number}' for sql, number in asked)} END AS"
        " TINYINT)"
    )


def near_change(config: AgencyConfig) -> list[str]:
    """Layer 5: `near_change`, is the call within a day of a change of the clocks?"""
    return [f"{zone_of(config).near_a_change(RECEIVED)} AS near_change"]


def _instant(config: AgencyConfig, source: TimeSource) -> str:
    return source.reader.instant(source.text, source.local)


def whole(text: str) -> str:
    """SQL: a whole number, or NULL; `10.7` is none, where a cast would round it."""
    return (
        f"CASE WHEN regexp_full_match({text}, '{WHOLE_NUMBER}') THEN CAST(CAST({text} AS DOUBLE) AS"
        " INTEGER) END"
    )


def _coalesce(expressions: Sequence[str], kind: str) -> str:
    return f"coalesce({', '.join(expressions)})" if expressions else f"CAST(NULL AS {kind})"


def layers(config: AgencyConfig, others: Sequence[str]) -> str:
    """SQL over `raw`: all layers, with file_no, row_no and further expressions `others` (over
    the export's columns)."""
    places = [f"{FILE} AS file_no", f"{ROW} AS row_no"]
    query = f"SELECT {', '.join([*places, *others, *texts(config)])} FROM raw"
    for layer in (
        locals_of,
        possible_locals,
        received_day,
        near_change,
        received_moment,
        field_values,
    ):
        query = f"SELECT {', '.join(['*', *layer(config)])} FROM ({query})"
    return query


def field_values(config: AgencyConfig) -> list[str]:
    """Layer 7: each other time field, its moment `_utc`, and `_misread` where a text is no time."""
    zone, listed = zone_of(config), []
    for field, source in field_sources(config).items():
        form = source.after_call
        if form == "clock_after_call":
            written = source.spec.clock_format
            local, instant = after_call(form, source.text, RECEIVED, written), None
        elif form:
            local, instant = (
                after_call(form, source.text, RECEIVED),
                after_call(form, source.text, f"{RECEIVED}_utc"),
            )
            near = zone.near_a_change(RECEIVED)
            # Far from a change of the clocks the call's own moment is not worked out.
            instant = f"CASE WHEN {near} THEN {instant} END"
        else:
            local, instant = source.local, None if source.spec.clock else _instant(config, source)
        value = _possible(config, f"({local})") if form else local
        given = f"{source.text} IS NOT NULL" + (
            f" AND {source.clock} IS NOT NULL" if source.spec.clock else ""
        )
        misread = f"({given} AND ({value}) IS NULL)"
        if form:
            misread = f"({given} AND ({value}) IS NULL AND {RECEIVED} IS NOT NULL)"
        elif not source.spec.clock:
            # A date alone is no moment: nothing can be measured from it.
            clock = source.reader.clock_given(source.text)
            value = f"CASE WHEN {clock} THEN {value} END"
            misread = f"({given} AND coalesce(({value}) IS NULL, true))"
        listed.append(f"{value} AS {field}")
        if instant is None:
            instant = (
                f"CASE WHEN {zone.near_a_change(f'({value})')} THEN"
                f" {zone.instant_of(f'({value})')} END"
            )
        listed.append(f"{instant} AS {field}_utc")
        listed.append(f"{misread} AS {field}_misread")
    return listed


def seconds_from(config: AgencyConfig, first: str, last: str, table: str = "p") -> str:
    """SQL: seconds from one time field to another, negative where they are in the wrong order;
    NULL where either is unknown, or the local clock comes twice and nothing says which is meant."""
    zone = zone_of(config)
    plain = f"date_diff('second', {table}.{first}, {table}.{last})"
    first_near, last_near = (zone.near_a_change(f"{table}.{name}") for name in (first, last))
    if first_near == "false":
        return plain
    return (
        f"CASE WHEN {first_near} AND {last_near} THEN date_diff('second', {table}.{first}_utc,"
        f" {table}.{last}_utc) ELSE {plain} END"
    )
