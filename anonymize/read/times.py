"""One grammar for every time in every input, as DuckDB expressions.

A text is a time only when it matches a format as a whole; anything else is no time, and is counted.
Formats are written as for `strftime` (`%m/%d/%Y %I:%M %p`) or are one of the names in NAMED.
Without a format a text must be ISO 8601, year first, with or without a clock (24 hours, or 12 with
AM or PM) and a zone: `Z`, UTC, GMT, an offset, a name such as America/Chicago, or an abbreviation
such as CST on a day when it is in force.

Each time is read as two values: `local`, the wall clock in the agency's zone, and `instant`, the
moment in UTC. Where the local clock comes twice (the night in autumn when clocks go back) and
nothing says which is meant, the instant is unknown; where a clock time was skipped in spring, so is
the hour. Durations are differences of instants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from anonymize.read.sql import literal

ISO = "iso"
AFTER_CALL = ("seconds_after_call", "minutes_after_call", "clock_after_call")
NAMED = (ISO, "epoch", "epoch_ms", "excel", *AFTER_CALL)
"""Formats with a name: ISO 8601; seconds or milliseconds since 1970 (UTC); Excel's days since
1899-12-30; seconds or minutes since the call came in; a clock alone, within 24 hours after the call
came in."""
CLOCK_ISO = "clock"
"""The default of clock columns: `18:10`, `18:10:05`, `6:10 PM`, `1810` or `207`, also behind a date
that is not looked at."""

_DATE = r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_CLOCK24 = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_CLOCK12 = r"(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9])?"
_NOON = r" ?[AaPp][.]? ?[Mm][.]?"
_ZONE = r" ?([A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*|[+-][0-9]{2}(:?[0-9]{2})?)"
ISO_PLAIN = f"{_DATE}([ T]+{_CLOCK24})?"
ISO_NOON = f"{_DATE}[ T]+{_CLOCK12}{_NOON}"
ISO_ZONED = f"{_DATE}[ T]+{_CLOCK24}{_ZONE}"
_TOKENS = {
    "%Y": r"[0-9]{4}",
    "%y": r"[0-9]{2}",
    "%m": r"(0?[1-9]|1[0-2])",
    "%d": r"(0?[1-9]|[12][0-9]|3[01])",
    "%H": r"([01]?[0-9]|2[0-3])",
    "%I": r"(0?[1-9]|1[0-2])",
    "%M": r"[0-5][0-9]",
    "%S": r"[0-5][0-9]",
    "%f": r"[0-9]{1,9}",
    "%p": _NOON.removeprefix(" ?"),
    "%b": r"[A-Za-z]{3}",
    "%B": r"[A-Za-z]{3,9}",
    "%a": r"[A-Za-z]{3}",
    "%A": r"[A-Za-z]{6,9}",
    "%z": r"(Z|[+-][0-9]{2}:?([0-9]{2})?)",
    "%j": r"[0-9]{1,3}",
    "%%": "%",
    "%Z": r"(AK|[AECMPH])[SD]T?",
}
_TWO_DIGITS = {
    "%m": r"(0[1-9]|1[0-2])",
    "%d": r"(0[1-9]|[12][0-9]|3[01])",
    "%H": r"([01][0-9]|2[0-3])",
    "%I": r"(0[1-9]|1[0-2])",
}
"""Where numbers stand without anything between them, each has all its digits."""
_PIECES = re.compile(r"%.|\s+|[^%\s]")
HINTS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y %H:%M",
    "%d/%m/%y %H:%M",
    "%m/%d/%y",
    "%d/%m/%y",
    "%m/%d/%y %I:%M:%S %p",
    "%d/%m/%y %I:%M:%S %p",
    "%m/%d/%y %I:%M %p",
    "%d/%m/%y %I:%M %p",
    "%m-%d-%Y %I:%M:%S %p",
    "%d-%m-%Y %I:%M:%S %p",
    "%m-%d-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%m-%d-%Y %H:%M",
    "%d-%m-%Y %H:%M",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%y %I:%M:%S %p",
    "%d-%b-%Y",
    "%d-%b-%y %H:%M",
    "%d-%b-%y",
    "%B %d, %Y %I:%M %p",
    "%B %d, %Y",
    "%b %d, %Y",
    "%b %d, %Y %I:%M %p",
    "%b %d %Y %I:%M%p",
    "%m/%d/%Y %I:%M:%S.%f %p",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M%S%Z",
    "%Y%m%d %H%M",
    "%Y%m%d",
    "%m/%d/%Y %H%M",
    "%d/%m/%Y %H%M",
    "%m/%d/%Y %H:%M:%S %z",
    "epoch",
    "epoch_ms",
    "excel",
)
"""Formats to suggest in a message, the most common first."""
CLOCK_HINTS = (
    "%H%M",
    "%I:%M:%S %p",
    "%H.%M",
    "%H:%M:%S.%f",
    "%I%M %p",
    "%H%M%S",
    "%H:%MZ",
    "%H:%M:%SZ",
    "%H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%SZ",
    "excel",
)
DAY_HINTS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S.%f+00:00",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S+00",
)
"""Formats to suggest for days: the zone is written as it stands, and does not count."""


LETTERS = rf"{_TOKENS['%Z']}$"
"""A zone in letters at the end of a text."""
BASES = tuple(
    form
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", *HINTS)
    if ("%H" in form or "%p" in form) and "%z" not in form.lower()
)
"""Formats of a day and a clock that the letters of a zone may follow."""


def with_letters(base: str, letters: Sequence[str], blank: str) -> tuple[str, ...]:
    """Formats that read a clock and take no notice of the zone behind it. Systems that write CST on
    a day of CDT mean the local clock, or standard time all year."""
    return tuple(f"{base}{blank}{one}" for one in letters)


def before_letters(text: str) -> str:
    """SQL: a text without the zone in letters at its end."""
    return f"rtrim(regexp_replace({text}, {literal(LETTERS)}, ''))"


def standard_letters(letters: str) -> str:
    """The standard time that letters stand for: CST for CS, CD, CST and CDT."""
    return f"{letters.rstrip('T')[:-1]}ST"


def standard_time(letters: Sequence[str]) -> str:
    """The zone that keeps the standard time of some letters (CS, CDT) all year, such as
    Etc/GMT+6."""
    name = standard_letters(letters[0])
    offset = ABBREVIATIONS[name][0] if name in ABBREVIATIONS else timedelta(0)
    return f"Etc/GMT+{-int(offset.total_seconds()) // 3600}"


ABBREVIATIONS = {
    name: (timedelta(hours=hours), f"America/{place}")
    for hours, place, names in (
        (-3, "Halifax", "ADT"),
        (-4, "Halifax", "AST"),
        (-4, "New_York", "EDT"),
        (-5, "New_York", "EST"),
        (-5, "Chicago", "CDT"),
        (-6, "Chicago", "CST"),
        (-6, "Denver", "MDT"),
        (-7, "Denver", "MST"),
        (-7, "Los_Angeles", "PDT"),
        (-8, "Los_Angeles", "PST"),
        (-8, "Anchorage", "AKDT"),
        (-9, "Anchorage", "AKST"),
    )
    for name in names.split()
} | {"HST": (timedelta(hours=-10), "Pacific/Honolulu")}
"""Abbreviations of the United States and Canada: offset, and a zone in which they are in force. A
time that says EST on a day of EDT is no time: many systems write EST all year round and mean the
local clock."""


class FormatError(ValueError):
    """A format that cannot be used; its text says why."""


@dataclass(frozen=True)
class Format:
    """One way of writing a time. `pattern`: an RE2 expression of the whole text; `clock`, `day`:
    does it hold a clock, a date?"""

    text: str
    pattern: str
    clock: bool
    day: bool


def format_of(text: str) -> Format:
    """Raises FormatError."""
    if text in NAMED:
        patterns = {
            "epoch": r"[0-9]{8,10}([.][0-9]+)?",
            "epoch_ms": r"[0-9]{11,13}([.]0+)?",
            "excel": r"[0-9]{4,5}([.][0-9]+)?",
            "seconds_after_call": r"-?[0-9]+([.][0-9]+)?",
            "minutes_after_call": r"-?[0-9]+([.][0-9]+)?",
        }
        return Format(text, patterns.get(text, ""), True, text not in AFTER_CALL)
    pieces = _PIECES.findall(text)
    unknown = [piece for piece in pieces if piece.startswith("%") and piece not in _TOKENS]
    if unknown:
        known = ", ".join(token for token in _TOKENS if token != "%%")
        raise FormatError(
            f"'{unknown[0]}' is no part of a format; it can hold {known}, or be one of"
            f" {', '.join(NAMED)}"
        )
    tokens = [piece for piece in pieces if piece in _TOKENS]
    if not tokens:
        raise FormatError(
            f"'{text}' is no format; write one such as \"%m/%d/%Y %H:%M\", or one of"
            f" {', '.join(NAMED)}"
        )
    pattern = ""
    for before, piece, after in zip([None, *pieces], pieces, [*pieces[1:], None], strict=False):
        if piece in _TOKENS:
            beside = any(
                neighbour in _TWO_DIGITS or neighbour in ("%Y", "%y", "%M", "%S")
                for neighbour in (before, after)
            )
            # With AM or PM an hour is one of twelve, however it is written: "00:10 PM" is no time.
            part = "%I" if piece == "%H" and "%p" in tokens else piece
            pattern += _TWO_DIGITS[part] if beside and part in _TWO_DIGITS else _TOKENS[part]
        else:
            pattern += " +" if piece.isspace() else re.escape(piece)
    if "%Z" in pieces[:-1]:
        raise FormatError(f"'{text}' goes on behind the zone; %Z stands at the end")
    clock = "%H" in tokens or ("%I" in tokens and "%p" in tokens)
    if "%I" in tokens and "%p" not in tokens:
        raise FormatError(f"'{text}' has a clock of 12 hours without AM or PM; add %p, or write %H")
    if text == "%H%M":
        pattern = r"[0-9]{1,2}|[0-9]{1,2}[0-5][0-9]"
    return Format(
        text,
        pattern,
        clock,
        "%j" in tokens or ("%d" in tokens and bool({"%m", "%b", "%B"} & set(tokens))),
    )


def formats_of(texts: Sequence[str]) -> tuple[Format, ...]:
    """Raises FormatError. No format means ISO."""
    return tuple(format_of(text) for text in texts or (ISO,))


def refuse_two_orders(texts: Sequence[str]) -> None:
    """Raises FormatError where two formats would read one text as different days: the first would
    win, and nobody would know."""
    for i, text in enumerate(texts):
        for other in texts[i + 1 :]:
            if text != other and _in_any_order(text) == _in_any_order(other):
                raise FormatError(
                    f"'{text}' and '{other}' read one text, such as 02/03/2024, as different days;"
                    " keep the one that is true; if files differ, export them with one order"
                )


def _in_any_order(text: str) -> str:
    """A format with all its numbers of the day, the month and the year alike."""
    return re.sub("%[dmy]", "%_", text)


@dataclass(frozen=True)
class Change:
    """A change of the zone's clocks: local times from `start` up to `end` come twice (`twice`) or
    never."""

    start: datetime
    end: datetime
    twice: bool


@dataclass(frozen=True)
class Zone:
    """The agency's zone over the years that times may lie in."""

    name: str
    first: date
    last: date

    @property
    def changes(self) -> tuple[Change, ...]:
        """In order. From the time zone database that Python uses."""
        return _changes(self.name, self.first, self.last)

    @cached_property
    def abbreviations(self) -> dict[str, tuple[timedelta, str]]:
        """The zone's own abbreviations (CST, CDT), the offset that each stands for, and the zone's
        name."""
        zone = ZoneInfo(self.name)
        found: dict[str, tuple[timedelta, str]] = {}
        moments = [
            self.first,
            self.last,
            *(c.start.date() for c in self.changes),
            *(c.start.date() + timedelta(days=5) for c in self.changes),
        ]
        for day in moments:
            at = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
            name, offset = at.tzname(), at.utcoffset()
            if name and name.isalpha() and offset is not None:
                found.setdefault(name, (offset, self.name))
        return dict(sorted(found.items()))

    def near_a_change(self, local: str) -> str:
        """SQL: does the local time lie on the day of a change of the clocks, or on the day before
        or after? A span of at most a day that crosses a change has both its ends there."""
        day = timedelta(days=1)
        spans = [(c.start.date() - day, c.end.date() + 2 * day) for c in self.changes]
        # As ranges: DuckDB makes a join of each longer list of days, and these expressions are
        # written many times.
        listed = [
            f"({local} >= TIMESTAMP '{first} 00:00:00' AND {local} < TIMESTAMP '{end} 00:00:00')"
            for first, end in spans
        ]
        return f"({' OR '.join(listed)})" if listed else "false"

    def _inside(self, local: str, twice: bool) -> str:
        spans = [c for c in self.changes if c.twice == twice]
        return (
            " OR ".join(
                f"({local} >= TIMESTAMP '{c.start}' AND {local} < TIMESTAMP '{c.end}')"
                for c in spans
            )
            or "false"
        )

    def comes_twice(self, local: str) -> str:
        """SQL: does the local time come twice?"""
        return self._inside(local, True)

    def is_skipped(self, local: str) -> str:
        """SQL: did the clocks skip the local time?"""
        return self._inside(local, False)

    def instant_of(self, local: str) -> str:
        """SQL: the moment (UTC) of a local time without a zone; NULL where it comes twice or
        never."""
        unsure = f"({self._inside(local, True)}) OR ({self._inside(local, False)})"
        return f"CASE WHEN {unsure} THEN NULL ELSE {_to_utc(self.name, local)} END"


@lru_cache(maxsize=64)
def _changes(name: str, first: date, last: date) -> tuple[Change, ...]:
    zone, found = ZoneInfo(name), []
    hour = datetime(first.year, first.month, first.day) - timedelta(days=2)
    end = datetime(last.year, last.month, last.day) + timedelta(days=2)
    while hour < end:
        following = hour + timedelta(hours=12)
        before, after = (_offset(zone, at) for at in (hour, following))
        if before != after:
            low, high = hour, following  # in UTC
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                middle = middle.replace(second=0, microsecond=0)
                if middle in (low, high):
                    break
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            edges = sorted((high + before, high + after))
            found.append(Change(edges[0], edges[1], after < before))
        hour = following
    return tuple(found)


def _offset(zone: ZoneInfo, utc: datetime) -> timedelta:
    offset = utc.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _to_utc(zone: str, local: str) -> str:
    return f"CAST(timezone({literal(zone)}, {local}) AS TIMESTAMP)"


def _to_local(zone: str, utc: str) -> str:
    return f"timezone({literal(zone)}, timezone('UTC', {utc}))"


@dataclass(frozen=True)
class _Case:
    """One way of reading a text: SQL of the condition, of the time as written (before its zone), of
    the moment in UTC where the text itself tells it, and of whether it holds a clock."""

    condition: str
    written: str
    exact: str | None
    clock: str


@dataclass(frozen=True)
class TimeColumn:
    """How one column of times is written. `zone`: where its clock stands, when that is not the
    agency's zone. `days`: the column is of days: midnight of another zone that is another day in
    the agency's is none, for nobody can tell whether a day or a moment is meant."""

    formats: tuple[Format, ...]
    agency: Zone
    zone: str | None = None
    days: bool = False

    def _cases(self, text: str) -> list[_Case]:
        return [
            case
            for form in self.formats
            for case in (_iso_cases(text, self.agency) if form.text == ISO else [_case(form, text)])
        ]

    @property
    def _moved(self) -> bool:
        return self.zone is not None and self.zone != self.agency.name

    def local(self, text: str) -> str:
        """SQL: the wall clock in the agency's zone; NULL where the text is no time."""
        whens = []
        for case in self._cases(text):
            value = case.written
            if case.exact:
                value = _to_local(self.agency.name, case.exact)
                if self.days:
                    value = _same_day(value, case.written)
            elif self._moved:
                value = _to_local(self.agency.name, _to_utc(str(self.zone), value))
            whens.append(f"WHEN {case.condition} THEN {value}")
        read = f"CASE {' '.join(whens)} END"
        return (
            f"coalesce({_plain(text)}, {read})"
            if self.formats[0].text == ISO and not self._moved
            else read
        )

    def instant(self, text: str, local: str) -> str:
        """SQL: the moment in UTC; NULL where it is unknown, and far from any change of the clocks,
        where the difference of local times is the difference of moments. `local`: a column that
        holds `self.local(text)`."""
        own = self.agency.instant_of(local)
        known: list[tuple[str, str]] = []
        for case in self._cases(text):
            value = case.exact or own
            if self._moved and not case.exact:
                value = Zone(str(self.zone), self.agency.first, self.agency.last).instant_of(
                    f"({case.written})"
                )
            known.append((case.condition, value))
        # Planning takes longer than reading a small file: what the ELSE gives is not written twice.
        while known and known[-1][1] == own:
            known.pop()
        whens = " ".join(f"WHEN {condition} THEN {value}" for condition, value in known)
        moment = f"CASE {whens} ELSE {own} END" if known else own
        return f"CASE WHEN {self.agency.near_a_change(local)} THEN {moment} END"

    def clock_given(self, text: str) -> str:
        """SQL: does the text hold a clock, so that its hour is known?"""
        cases = self._cases(text)
        if len({case.clock for case in cases}) == 1:
            return cases[0].clock
        return (
            f"CASE {' '.join(f'WHEN {case.condition} THEN {case.clock}' for case in cases)} ELSE"
            " false END"
        )

    def zone_written(self, text: str) -> tuple[str, str] | None:
        """SQL of the zone or offset at the end of a text (NULL where there is none), and of the
        wall clock before it; None where no format has one."""
        found = [(form, *parts) for form in self.formats if (parts := _zone_and_clock(form, text))]
        if not found:
            return None
        zones, clocks = (
            " ".join(f"WHEN {one[1]} THEN {one[part]}" for one in found) for part in (2, 3)
        )
        return f"CASE {zones} END", f"CASE {clocks} END"


def _same_day(local: str, written: str) -> str:
    """SQL: the local time, but NULL where midnight is written and is another day there."""
    other = f"CAST({local} AS DATE) <> CAST({written} AS DATE)"
    return (
        f"CASE WHEN NOT coalesce({written} = date_trunc('day', {written}) AND {other}, false) THEN"
        f" {local} END"
    )


def _full(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _plain(text: str) -> str:
    """SQL: the time of a text such as `2024-05-09 18:10:05`, which nearly all exports write, at
    half the cost of the cases below; NULL for any other."""
    # strptime also takes blanks before a number and at the end.
    single = (
        f"strlen({text}) = 19 AND {text} >= '0' AND NOT contains({text}, '  ') AND NOT"
        f" suffix({text}, ' ')"
    )
    return f"CASE WHEN {single} THEN try_strptime({text}, '%Y-%m-%d %H:%M:%S') END"


def _iso_cases(text: str, agency: Zone) -> list[_Case]:
    """ISO 8601 with the year first: without a zone (almost all exports, so it is asked first), with
    AM or PM, and with a zone."""
    noon = f"regexp_replace(replace(replace({text}, '.', ''), '/', '-'), '[ T]+', ' ')"
    shorter = f"regexp_replace({noon}, ' ?([AaPp]) ?([Mm])$', ' \\1\\2')"
    twelve = (
        f"CASE WHEN {_full(text, '.*:[0-9]{2}:.*')} THEN try_strptime({shorter}, '%Y-%m-%d %I:%M:%S"
        f" %p') ELSE try_strptime({shorter}, '%Y-%m-%d %I:%M %p') END"
    )
    clock = f"contains({text}, ':')"
    return [
        _Case(_full(text, ISO_PLAIN), f"try_cast({text} AS TIMESTAMP)", None, clock),
        _Case(_full(text, ISO_NOON), twelve, None, clock),
        _Case(
            _full(text, f"{_DATE}[ T]+{_CLOCK24} ?{re.escape(agency.name)}"),
            f"try_cast(replace({text}, {literal(agency.name)}, '') AS TIMESTAMP)",
            None,
            clock,
        ),
        _Case(_full(text, ISO_ZONED), _iso_clock(text), _moment_with_zone(text, agency), clock),
    ]


def _zone_and_clock(form: Format, text: str) -> tuple[str, str, str] | None:
    """SQL: does a text of this format end in a zone; the zone; the clock before it. None where the
    format never does."""
    if form.text == ISO:
        # Of a text without a zone nothing but digits stands at the end, and no sign behind the
        # date: that is quickly told.
        may = (
            f"(right({text}, 1) > '9' OR contains({text}, '+') OR contains(substr({text}, 11),"
            " '-'))"
        )
        has_zone = f"{may} AND NOT {_full(text, ISO_NOON)} AND {_full(text, ISO_ZONED)}"
        return has_zone, _iso_zone(text), _iso_clock(text)
    if not (form.day and form.text.endswith("%z")):
        return None
    before = format_of(form.text.removesuffix("%z").rstrip())
    zone = _TOKENS["%z"] + "$"
    clock = _case(before, f"rtrim(regexp_replace({text}, {literal(zone)}, ''))").written
    return _full(text, form.pattern), f"regexp_extract({text}, {literal(zone)})", clock


def _case(form: Format, text: str) -> _Case:
    condition, clock = _full(text, form.pattern), "true" if form.clock else "false"
    if form.text in ("epoch", "epoch_ms"):
        seconds = f"CAST({text} AS DOUBLE)" + ("" if form.text == "epoch" else " / 1000")
        moment = f"make_timestamp(CAST(round({seconds} * 1000000) AS BIGINT))"
        return _Case(condition, moment, moment, "true")
    if form.text == "excel":
        days = f"CAST(round(CAST({text} AS DOUBLE) * 86400) AS BIGINT)"
        return _Case(
            condition,
            f"TIMESTAMP '1899-12-30 00:00:00' + to_seconds({days})",
            None,
            f"contains({text}, '.')",
        )
    if form.text.endswith("%Z"):
        base = format_of(form.text.removesuffix("%Z").rstrip())
        before = _case(base, before_letters(text)).written
        return _Case(
            condition,
            before or "NULL",
            _moment_by_letters(f"regexp_extract({text}, {literal(LETTERS)})", before or "NULL"),
            clock,
        )
    value = f"lpad({text}, 4, '0')" if form.text == "%H%M" else text
    if " " in form.text:
        value = f"regexp_replace({value}, ' +', ' ', 'g')"
    if "%p" in form.text:
        value = f"regexp_replace({value}, '([AaPp])[.]? ?([Mm])[.]?', '\\1\\2')"
    if "%f" in form.text:
        value = f"regexp_replace({value}, '([.][0-9]{{6}})[0-9]+', '\\1')"
    if "%z" in form.text:
        value = f"replace({value}, 'Z', '+00')"
    parsed = f"try_strptime({value}, {literal(' '.join(form.text.split()))})"
    if "%j" in form.text:
        # DuckDB takes day 366 of a common year for January 1 of the next.
        whole = f"dayofyear({parsed}) > 1 OR NOT contains({value}, '366')"
        parsed = f"CASE WHEN {whole} THEN {parsed} END"
    if "%z" not in form.text:
        return _Case(condition, parsed, None, clock)
    # DuckDB gives a moment in UTC for a text with an offset.
    moment = f"CAST({parsed} AS TIMESTAMP)"
    ended = _zone_and_clock(form, text)
    return _Case(condition, ended[2] if ended else moment, moment, clock)


def _moment_by_letters(zone: str, clock: str) -> str:
    """SQL: the moment (UTC) of a clock in a zone of two letters or three (ED or EDT); NULL where
    that is not in force there at that time."""
    listed = {
        spelling: meant
        for name, meant in ABBREVIATIONS.items()
        for spelling in (name, name.removesuffix("T"))
    }
    condition, utc = _in_force(listed, zone, clock)
    return f"CASE WHEN {condition} THEN {utc} END"


def _in_force(
    listed: Mapping[str, tuple[timedelta, str]], zone: str, clock: str
) -> tuple[str, str]:
    """SQL: is `zone` one of the abbreviations, each with its offset and place, and in force there
    at that clock time; and the moment (UTC).

    As maps: every regular expression in `zone` and `clock` is compiled again wherever it is
    written, and a condition for each abbreviation would write them a hundred times.
    """

    def of(values: Iterable[str]) -> str:
        pairs = (f"{literal(name)}: {value}" for name, value in zip(listed, values, strict=True))
        return f"MAP {{{', '.join(pairs)}}}[{zone}]"

    seconds = of(str(int(offset.total_seconds())) for offset, _ in listed.values())
    place = of(literal(place) for _, place in listed.values())
    utc = f"({clock} - to_seconds({seconds}))"
    return f"timezone({place}, timezone('UTC', {utc})) = {clock}", utc


def _iso_zone(text: str) -> str:
    return f"regexp_extract({text}, {literal('[0-9]' + _ZONE + '$')}, 1)"


def _iso_clock(text: str) -> str:
    return (
        f"try_cast(regexp_replace({text}, {literal('([0-9])' + _ZONE + '$')}, '\\1') AS TIMESTAMP)"
    )


def _moment_with_zone(text: str, agency: Zone) -> str:
    """SQL: the moment (UTC) of an ISO text with a zone; NULL for a zone that is none, or is not in
    force in the agency's at that time."""
    zone, clock = _iso_zone(text), _iso_clock(text)
    sign = f"CASE WHEN left({zone}, 1) = '-' THEN -1 ELSE 1 END"
    digits = f"rpad(replace(substr({zone}, 2), ':', ''), 4, '0')"
    minutes = (
        f"({sign}) * (60 * CAST(left({digits}, 2) AS BIGINT) + CAST(right({digits}, 2) AS BIGINT))"
    )
    cases = [
        f"WHEN upper({zone}) IN ('Z', 'UTC', 'GMT') THEN {clock}",
        (
            f"WHEN left({zone}, 1) IN ('+', '-') THEN CASE WHEN abs({minutes}) <= 840 THEN {clock}"
            f" - to_minutes({minutes}) END"
        ),
    ]
    condition, utc = _in_force(ABBREVIATIONS | agency.abbreviations, zone, clock)
    cases.append(f"WHEN {condition} THEN {utc}")
    # DuckDB stops at a zone that it does not know; TRY makes that no time.
    moment = f"TRY(CAST(timezone({zone}, {clock}) AS TIMESTAMP))"

    def back(step: str = "") -> str:
        return f"TRY(timezone({zone}, timezone('UTC', {moment}{step})))"

    # A clock time that comes twice in the named zone, or never, is no moment.
    sure = " AND ".join(f"{back(f' {step} INTERVAL 1 HOUR')} <> {clock}" for step in "+-")
    cases.append(f"WHEN contains({zone}, '/') AND {back()} = {clock} AND {sure} THEN {moment}")
    return f"CASE {' '.join(cases)} END"


def clock_seconds(text: str, formats: Sequence[str]) -> str:
    """SQL: seconds since midnight that a clock column tells; NULL where it tells none. A date
    before the clock is not looked at."""
    cases = []
    for name in formats or (CLOCK_ISO,):
        if name == "excel":
            # The part of a day, to the second; the last half second stays on its day.
            part = f"least(round((CAST({text} AS DOUBLE) % 1) * 86400), 86399)"
            cases.append(
                f"WHEN {_full(text, '0|[0-9]{0,5}[.][0-9]+')} THEN TIMESTAMP '2000-01-01 00:00:00'"
                f" + to_seconds(CAST({part} AS BIGINT))"
            )
        elif name != CLOCK_ISO:
            case = _case(format_of(name), text)
            cases.append(f"WHEN {case.condition} THEN {case.written}")
        if name != CLOCK_ISO:
            continue
        before = r"(?:[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}[ T]+)?"
        clock = f"regexp_replace({text}, {literal('^' + before)}, '')"
        noon = f"regexp_replace({clock}, ' ?([AaPp])[.]? ?([Mm])[.]?$', ' \\1\\2')"
        cases += [
            (
                f"WHEN {_full(text, before + _CLOCK24)} THEN"
                f" try_cast('2000-01-01 ' || {clock} AS TIMESTAMP)"
            ),
            (
                f"WHEN {_full(text, before + _CLOCK12 + _NOON)} THEN CASE WHEN"
                f" {_full(clock, '.*:[0-9]{2}:.*')} THEN try_strptime({noon}, '%I:%M:%S %p') ELSE"
                f" try_strptime({noon}, '%I:%M %p') END"
            ),
            (
                f"WHEN {_full(text, '([01]?[0-9]|2[0-3])[0-5][0-9]')} THEN"
                f" try_strptime(lpad({text}, 4, '0'), '%H%M')"
            ),
        ]
    parsed = f"CASE {' '.join(cases)} END"
    return f"date_diff('second', date_trunc('day', {parsed}), {parsed})"


def after_call(form: str, text: str, received: str, clock: Sequence[str] = ()) -> str:
    """SQL: the local (or UTC) time that a column of AFTER_CALL tells, from when the call came in.
    `clock`: formats of a clock, where those that need none are not enough."""
    if form == "clock_after_call":
        seconds = f"({clock_seconds(text, clock)})"
        on_day = f"date_trunc('day', {received}) + to_seconds({seconds})"
        # A clock without seconds may be some seconds early: that is no wait of 24 hours.
        return (
            f"CASE WHEN {on_day} < date_trunc('minute', {received}) THEN {on_day} + INTERVAL 1 DAY"
            f" ELSE {on_day} END"
        )
    pattern, unit = format_of(form).pattern, 60 if form == "minutes_after_call" else 1
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN {received} +"
        f" to_seconds(CAST(round(CAST({text} AS DOUBLE) * {unit}) AS BIGINT)) END"
    )


def shape(text: str) -> str:
    """SQL: how a text is written, not what it says: digits as 9, letters as A, anything that is not
    ASCII as ?."""
    digits = f"regexp_replace(left({text}, 40), '[0-9]', '9', 'g')"
    return f"regexp_replace(regexp_replace({digits}, '[A-Za-z]', 'A', 'g'), '[^ -~]', '?', 'g')"


def describe(shapes: Mapping[str, int], fitting: Sequence[str], *, clock: bool = False) -> str:
    """A sentence on texts that are no times: examples of their shape, and a format that would
    fit."""
    most = sorted(shapes, key=lambda s: (-shapes[s], s))[:3]
    listed = ", ".join(f"'{text}'" for text in most)
    name = "clock_format" if clock else "format"
    if not fitting:
        return (
            f"they look like {listed} (9 for a digit, A for a letter); write '{name}' for the"
            " column, or map the values with 'placeholders'"
        )
    first = fitting[0]
    swapped = first.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    if swapped != first and swapped in fitting:
        return (
            f'they look like {listed}; no day is over 12, so {name} = "{first}" (month first) and'
            f' {name} = "{swapped}" (day first) both fit: write the one that is true'
        )
    return f'they look like {listed}; {name} = "{first}" would fit'
