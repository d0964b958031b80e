"""Random agencies with a known truth, written as exports of every kind.

A trial follows from its number alone. It holds the truth (what each call is), the export as some
system might write it, with faults that real exports have, and the agency file. The truth is worked
out here, with Python's own calendar, and never by the code under test.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd

SECRET = "QZXWJane"
"""Stands in every record; no message may hold it."""
ZONES = (
    "America/Chicago",
    "America/Los_Angeles",
    "America/New_York",
    "America/Phoenix",
    "America/Halifax",
)
FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)
TYPES = {
    "Crisis": "crisis",
    "Welfare check": "check",
    "Señal, de auxilio": "check",
    "SUICIDE": "suicide",
}
UNITS = {"CR1": "co_responder", "P12": "police_only", "p12": "other", "C7": "clinician_only"}
AREAS = ("A", "a", "001", "1", "B-2")


@dataclass
class Call:
    """The truth of one call. `moment` is its instant; `places` where its rows stand, once written:
    (file, line)."""

    id: str
    moment: datetime
    type: str
    unit: str
    arrest: str
    area: str
    wait: int | None
    places: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Trial:
    """An agency file, its calls, and what may be lost: places (file, line) of records that were
    spoiled."""

    seed: int
    agency: Path
    calls: list[Call]
    zone: ZoneInfo
    spoiled: set[tuple[str, int]] = field(default_factory=set)
    must_refuse: bool = False
    offset_written: bool = False
    arrived_exact: bool = False
    short_clocks: bool = False
    """Clocks are written as numbers (`207`, and `7` for 00:07) and the agency file does not say so:
    one of fewer than three digits could as well be an hour."""
    notes: list[str] = field(default_factory=list)
    lost: tuple[date, date] | None = None
    """First and last day of a part of the export that never came."""
    answer: str | None = None
    """What the agency file says of it: `reason`, `no_calls`, or nothing."""
    removed: int = 0
    """Calls that were lost with it."""


Writer = Callable[[datetime], str]
"""A local time with its offset -> text."""
TIMES: dict[str, tuple[Writer, str, bool]] = {
    "iso": (lambda t: f"{t:%Y-%m-%d %H:%M:%S}", "", False),
    "iso_t": (lambda t: f"{t:%Y-%m-%dT%H:%M:%S}.000", "", False),
    "iso_slash": (lambda t: f"{t.year}/{t.month}/{t.day} {t:%H:%M:%S}", "", False),
    "iso_noon": (lambda t: f"{t:%Y-%m-%d %I:%M:%S %p}", "", False),
    "utc": (lambda t: f"{t.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z", "", True),
    "utc_word": (lambda t: f"{t.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", "", True),
    "offset": (lambda t: t.isoformat(sep=" "), "", True),
    "hub": (lambda t: f"{t.astimezone(UTC):%Y/%m/%d %H:%M:%S}+00", "", True),
    "abbreviation": (lambda t: f"{t:%Y-%m-%d %H:%M:%S %Z}", "", True),
    "us_noon": (
        lambda t: f"{t.month}/{t.day}/{t.year} {t:%I:%M:%S %p}".replace(" 0", " "),
        "%m/%d/%Y %I:%M:%S %p",
        False,
    ),
    "us": (lambda t: f"{t:%m/%d/%Y %H:%M:%S}", "%m/%d/%Y %H:%M:%S", False),
    "day_first": (lambda t: f"{t:%d/%m/%Y %H:%M:%S}", "%d/%m/%Y %H:%M:%S", False),
    "month_name": (lambda t: f"{t:%d-%b-%Y %H:%M:%S}", "%d-%b-%Y %H:%M:%S", False),
    "compact": (lambda t: f"{t:%Y%m%d%H%M%S}", "%Y%m%d%H%M%S", False),
    "epoch": (lambda t: f"{t.timestamp():.0f}", "epoch", True),
    "epoch_ms": (lambda t: f"{1000 * t.timestamp():.0f}", "epoch_ms", True),
    "excel": (
        lambda t: (
            f"{(t.replace(tzinfo=None) - datetime(1899, 12, 30)).total_seconds() / 86400:.8f}"
        ),
        "excel",
        False,
    ),
}
"""Name -> (writer, format to declare, does the text say which moment it is)."""
CLOCKS: dict[str, tuple[Writer, str]] = {
    "colon": (lambda t: f"{t:%H:%M:%S}", ""),
    "noon": (lambda t: f"{t:%I:%M:%S %p}".lstrip("0"), ""),
    "military": (lambda t: f"{t:%H%M}", ""),
    "stripped": (lambda t: str(int(f"{t:%H%M}")), "%H%M"),
    "dated": (lambda t: f"1900-01-01 {t:%H:%M:%S}", ""),
}


def trial(seed: int, folder: Path) -> Trial:
    """Trial number `seed`, written into `folder`."""
    chance = random.Random(seed)
    zone = ZoneInfo(chance.choice(ZONES))
    calls = _calls(chance, zone)
    folder.mkdir(parents=True, exist_ok=True)
    made = Trial(seed, folder / "agency.toml", calls, zone)
    if chance.random() < 0.2:
        _lose(chance, made)
        calls = made.calls
    style = _Style(chance)
    rows, header = style.rows(calls, zone, made)
    source = style.write(folder, header, rows, calls, made)
    made.agency.write_text(_agency_file(made, source, style), encoding="utf-8")
    return made


def _calls(chance: random.Random, zone: ZoneInfo) -> list[Call]:
    number = chance.choice([30, 60, 120, 250])
    calls = []
    for i in range(number):
        day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days + 1))
        if chance.random() < 0.06:  # nights on which clocks change
            day = chance.choice([date(2024, 3, 10), date(2024, 11, 3), date(2024, 11, 2)])
        local = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) + timedelta(
            seconds=chance.randrange(3600 * 4 if chance.random() < 0.1 else 86400)
        )
        local = min(local, datetime(2025, 1, 1, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1))
        wait = (
            None
            if chance.random() < 0.1
            else chance.choice([chance.randrange(60, 5400), 0, 599, 600, 3600])
        )
        prefix = chance.choice(["", "#", "00", "x-"])
        calls.append(
            Call(
                f"{prefix}{i:05d}",
                local.astimezone(zone),
                chance.choice(list(TYPES)),
                chance.choice(list(UNITS)),
                chance.choice(["Y", "N", "yes", ""]),
                chance.choice(AREAS),
                wait,
            )
        )
    return calls


def _lose(chance: random.Random, made: Trial) -> None:
    """Take the calls of some weeks or of whole months out, as if their file were missing."""
    if chance.random() < 0.5:
        month, months = chance.randrange(1, 12), chance.choice([1, 1, 2])
        first, last = (
            date(2024, month, 1),
            date(2024 + (month + months > 12), (month + months - 1) % 12 + 1, 1)
            - timedelta(days=1),
        )
    else:
        first = FIRST + timedelta(days=chance.randrange(0, 250))
        last = first + timedelta(days=chance.randrange(30, 100))
    kept = [call for call in made.calls if not first <= call.moment.date() <= last]
    made.lost, made.removed, made.calls = (first, last), len(made.calls) - len(kept), kept
    made.answer = chance.choice(["reason", "no_calls", None])


class _Style:
    """How one trial's export is written."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.kind = chance.choices(["csv", "xlsx", "parquet"], [8, 1.5, 0.5])[0]
        self.delimiter = chance.choice([",", ",", ";", "\t", "|"])
        self.encoding = chance.choice(
            ["utf-8", "utf-8", "utf-8-sig", "utf-16", "windows-1252", "latin-1"]
        )
        self.newline = chance.choice(["\n", "\n", "\r\n", "\r"])
        self.gzip = chance.random() < 0.15
        self.quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        self.banner = chance.choice([0, 0, 0, 1, 3])
        self.files = chance.choice([1, 1, 2, 3])
        self.separate_clock = chance.random() < 0.3
        self.time = chance.choice(list(TIMES))
        self.arrived = chance.choice(
            [self.time, *TIMES, "seconds_after_call", "minutes_after_call"]
        )
        self.clock = chance.choice(list(CLOCKS))
        self.omit = chance.choice([None] * 12 + ["format", "header_row", "delimiter", "encoding"])
        """What the agency file forgets to say."""
        self.wrong_zone = False
        self.repeat = chance.choice(["no", "no", "keep_first", "combine"])
        self.fault = chance.choice(
            [
                None,
                None,
                "quote",
                "hash",
                "null",
                "byte",
                "ragged",
                "footer",
                "blank",
                "return",
                "end_quote",
            ]
        )

    def rows(
        self, calls: list[Call], zone: ZoneInfo, made: Trial
    ) -> tuple[list[list[str]], list[str]]:
        write, _form, exact = TIMES["iso" if self.separate_clock else self.time]
        if self.separate_clock and self.clock in ("military", "stripped"):  # which have no seconds
            for call in calls:
                call.moment = call.moment.replace(second=0)
        made.offset_written = exact
        made.short_clocks = (
            self.separate_clock and self.clock == "stripped" and self.omit == "format"
        )
        made.arrived_exact = self.arrived in TIMES and TIMES[self.arrived][2]
        header = ["id", "day", "clock"] if self.separate_clock else ["id", "at"]
        header += ["type", "unit", "arrest", "beat", "arrived", "note"]
        rows = []
        for call in calls:
            local = call.moment
            when = (
                [f"{local:%Y-%m-%d}", CLOCKS[self.clock][0](local)]
                if self.separate_clock
                else [write(local)]
            )
            note = f'{SECRET}, said "no"' if self.chance.random() < 0.1 else SECRET
            rows.append(
                [
                    call.id,
                    *when,
                    call.type,
                    call.unit,
                    call.arrest,
                    call.area,
                    self._arrival(call, zone),
                    note,
                ]
            )
        return rows, header

    def _arrival(self, call: Call, zone: ZoneInfo) -> str:
        if call.wait is None:
            return ""
        if self.arrived == "seconds_after_call":
            return str(call.wait)
        if self.arrived == "minutes_after_call":
            return f"{call.wait / 60:.4f}"
        return TIMES[self.arrived][0](
            (call.moment.astimezone(UTC) + timedelta(seconds=call.wait)).astimezone(zone)
        )

    def write(
        self, folder: Path, header: list[str], rows: list[list[str]], calls: list[Call], made: Trial
    ) -> dict[str, Any]:
        """Write the export; gives what the agency file says of it."""
        said: dict[str, Any] = {}
        if self.banner:
            said["header_row"] = self.banner + 1
        parts = [(header, rows[i :: self.files], calls[i :: self.files]) for i in range(self.files)]
        if self.repeat != "no":
            parts = [(names, *self._repeated(mine, theirs)) for names, mine, theirs in parts]
            said["repeated_rows"] = self.repeat
        if self.kind == "csv":
            said |= self._write_text(folder, parts, made)
        elif self.kind == "xlsx":
            said |= self._write_workbook(folder, parts)
        else:
            said["paths"] = []
            for number, (names, mine, theirs) in enumerate(parts):
                pd.DataFrame(mine, columns=names, dtype=str).to_parquet(
                    folder / f"part-{number}.parquet"
                )
                said["paths"].append(f"part-{number}.parquet")
                said.pop("header_row", None)
                for row, call in enumerate(theirs, start=1):
                    call.places.append((f"part-{number}.parquet", row))
        if self.omit in said:
            del said[self.omit]
            made.must_refuse = self.omit in ("header_row",)
        return said

    def _repeated(
        self, rows: list[list[str]], calls: list[Call]
    ) -> tuple[list[list[str]], list[Call]]:
        """Some rows once more: the same for keep_first; for combine a later unit that must not
        count."""
        more_rows, more_calls = list(rows), list(calls)
        for row, call in zip(rows, calls, strict=True):
            if self.chance.random() < 0.2:
                again = list(row)
                if self.repeat == "combine" and call.unit != "P12":
                    again[-5] = "P12"
                place = self.chance.randrange(len(more_rows) + 1)
                if self.repeat == "keep_first":
                    place = len(more_rows)
                more_rows.insert(place, again)
                more_calls.insert(place, call)
        return more_rows, more_calls

    def _write_text(self, folder: Path, parts: list[Any], made: Trial) -> dict[str, Any]:
        said: dict[str, Any] = {"paths": []}
        if self.delimiter != ",":
            said["delimiter"] = self.delimiter
        if self.encoding in ("windows-1252", "latin-1"):
            said["encoding"] = self.encoding
        spoil = self.chance.randrange(len(parts))
        for number, (names, rows, calls) in enumerate(parts):
            lines = [self._line(row) for row in (names, *rows)]
            name = f"part-{number}.csv" + (".gz" if self.gzip else "")
            before = [f"Report of calls{self.delimiter * (i % 2)}" for i in range(self.banner)]
            text = before + lines
            first = self.banner + 2
            for row, call in enumerate(calls):
                call.places.append((name, first + row))
            if self.fault and number == spoil:
                text = self._spoil(text, name, first, made)
            body = self.newline.join(text) + self.chance.choice(["", self.newline])
            python = {"windows-1252": "cp1252"}.get(self.encoding, self.encoding)
            data = body.encode(python)
            if self.fault == "byte" and number == spoil and self.encoding.startswith("utf-8"):
                data = data.replace(b"?BYTE?", b"\xff\xfe")
            data = data.replace(b"?BYTE?", b"byte")
            (folder / name).write_bytes(gzip.compress(data) if self.gzip else data)
            said["paths"].append(name)
        if self.omit == "encoding" and "encoding" in said:
            made.notes.append("encoding left out")
        return said

    def _line(self, row: list[str]) -> str:
        buffer = io.StringIO()
        csv.writer(
            buffer, delimiter=self.delimiter, quoting=self.quoting, lineterminator=""
        ).writerow(row)
        return buffer.getvalue()

    def _spoil(self, text: list[str], name: str, first: int, made: Trial) -> list[str]:
        """Spoil one record (its place goes to `made.spoiled`), or put in a line that is none."""
        at = self.chance.randrange(first - 1, len(text))
        line, place = text[at], (name, at + 1)
        quoted = f'{self.delimiter}"{SECRET}'
        if self.fault == "quote":
            text[at] = line.rsplit(self.delimiter, 1)[0] + quoted
        elif self.fault == "end_quote":
            text[at] = line + '"'
        elif self.fault == "null":
            text[at] = line[:-1] + "\0"
        elif self.fault == "byte":
            text[at] = line.replace(SECRET, SECRET + "?BYTE?")
            if not self.encoding.startswith("utf-8"):
                return text
        elif self.fault == "ragged":
            text[at] = self.chance.choice(
                [line + self.delimiter + "x", line.split(self.delimiter, 1)[1]]
            )
        elif self.fault == "return":
            if self.newline == "\r":
                return text
            text[at] = (
                line.replace(SECRET, SECRET + "\r" + SECRET, 1) if not line.endswith('"') else line
            )
        elif self.fault == "footer":
            text.append(f"({len(text)} rows affected)")
            place = (name, len(text))
        elif self.fault == "blank":
            text.append("")
            return text
        elif self.fault == "hash":
            text.append(f"# {SECRET}")
            place = (name, len(text))
        made.spoiled.add(place)
        return text

    def _write_workbook(self, folder: Path, parts: list[Any]) -> dict[str, Any]:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, (names, rows, calls) in enumerate(parts):
            sheet = book.create_sheet(f"Sheet {number}")
            for _ in range(self.banner):
                sheet.append(["Report of calls"])
            sheet.append(names)
            for row in rows:
                sheet.append([value or None for value in row])
            for row, call in enumerate(calls):
                call.places.append((f"calls.xlsx, sheet 'Sheet {number}'", self.banner + 2 + row))
        book.save(folder / "calls.xlsx")
        return {"paths": ["calls.xlsx"], "sheet": "*"}


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace("\t", "\\t").replace('"', '\\"') + '"'


def _agency_file(made: Trial, said: dict[str, Any], style: _Style) -> str:
    lines = [
        "[agency]",
        'id = "random"',
        'name = "Random"',
        'place = "Random"',
        f'timezone = "{made.zone.key}"',
        'publisher = "Random"',
        'contact = "a@example.org"',
        'licence = { name = "CC0", url = "https://creativecommons.org/publicdomain/zero/1.0/" }',
        'about = "A test."',
        "[release]",
        'version = "2025.1"',
        "created = 2025-01-31",
        f"data_from = {FIRST}",
        f"data_to = {LAST}",
        "[privacy]",
        "threshold = 3",
        "[calls]",
        "reject_limit_percent = 5",
        *(f"{name} = {_value(value)}" for name, value in said.items()),
        "[calls.time]",
    ]
    if style.separate_clock:
        lines += ['date = "day"', 'clock = "clock"']
        if CLOCKS[style.clock][1] and style.omit != "format":
            lines.append(f'clock_format = "{CLOCKS[style.clock][1]}"')
    else:
        lines.append('timestamp = "at"')
        if TIMES[style.time][1] and style.omit != "format":
            lines.append(f'format = "{TIMES[style.time][1]}"')
    lines += [
        "[calls.columns]",
        'call_id = "id"',
        'call_type = "type"',
        'responder = "unit"',
        'arrest = "arrest"',
        'area = "beat"',
        'arrived_at = "arrived"',
    ]
    arrived = TIMES[style.arrived][1] if style.arrived in TIMES else style.arrived
    if arrived and style.omit != "format":
        lines += ["[calls.times.arrived_at]", f'format = "{arrived}"']
    if said.get("repeated_rows") == "combine":
        lines += [
            "[calls.combine]",
            'responder = ["co_responder", "clinician_only", "other", "police_only"]',
            '"*" = "first"',
        ]
    lines += [
        "[calls.values.call_type]",
        *(
            f"{_value(text)} = {_value(code)}"
            for text, code in TYPES.items()
            if text != "Señal, de auxilio"
        ),
        '"*" = "check"',
    ]
    lines += [
        "[calls.values.responder]",
        '"CR1" = "co_responder"',
        '"P12" = "police_only"',
        '"C7" = "clinician_only"',
    ]
    # `p12` differs from `P12` in case alone and has no key of its own: it is read as P12.
    lines += ["[dimensions.call_type]", 'name = "Type"', 'all = "All"', 'levels = ["type"]']
    lines.append(
        'codes = [{ code = "crisis", en = "a", es = "a" }, { code = "check", en = "b", es = "b" },'
        ' { code = "suicide", en = "c", es = "c" }]'
    )
    lines += [
        "[areas.area]",
        'name = "Area"',
        'all = "All"',
        'levels = ["beat"]',
        f"codes = {_value(list(AREAS))}",
    ]
    for name, levels in {
        "by_month": {"period": ("all", "month")},
        "by_hour": {"hour": ("all", "block", "hour")},
        "by_type": {"call_type": ("all", "type")},
        "by_unit": {"responder": ("all", "reached", "responder")},
        "by_area": {"area": ("all", "beat")},
        "by_wait": {"wait": ("all", "half_hour", "band")},
        "by_arrest": {"arrest": ("all", "answer")},
    }.items():
        listed = ", ".join(f"{d} = {_value(list(ls))}" for d, ls in levels.items())
        lines += [
            "[[tables]]",
            f'name = "{name}"',
            f'title = "{name}"',
            f"dimensions = {{ {listed} }}",
        ]
    lines += [
        "[[statistics]]",
        'name = "waits"',
        'title = "waits"',
        'measure = "minutes_call_to_arrival"',
        'dimensions = { responder = ["all", "reached"] }',
    ]
    if made.lost and made.answer:
        lines += ["[[release.gaps]]", f"from = {made.lost[0]}", f"to = {made.lost[1]}"]
        lines.append(
            "no_calls = true" if made.answer == "no_calls" else 'reason = "The file is lost."'
        )
    return "\n".join(lines) + "\n"


def expected(call: Call, made: Trial, arrived_exact: bool | None) -> dict[str, str]:
    """What the canonical record of a call must say. `arrived_exact`: does the arrival's text say
    which moment it is (None: it counts from the call)?"""
    local = call.moment
    hour = "unknown.hour" if clock_too_short(call, made) else f"{local:%H}"
    unit = "police_only" if call.unit == "p12" else UNITS[call.unit]
    return {
        "period": f"{local:%Y-%m}",
        "hour": hour,
        "weekday": str(local.isoweekday()),
        "call_type": TYPES[call.type],
        "responder": unit,
        "arrest": {"Y": "yes", "yes": "yes", "N": "no", "": "unknown"}[call.arrest],
        "area": call.area,
        "wait": _band(call, made, arrived_exact),
    }


def clock_too_short(call: Call, made: Trial) -> bool:
    """Is the call's clock one that cannot be read without its format?"""
    return made.short_clocks and call.moment.hour == 0


def _twice(moment: datetime, zone: ZoneInfo) -> bool:
    """Does the wall clock show this time twice?"""
    naive = moment.astimezone(zone).replace(tzinfo=None)
    return (
        naive.replace(tzinfo=zone, fold=0).utcoffset()
        != naive.replace(tzinfo=zone, fold=1).utcoffset()
    )


def _band(call: Call, made: Trial, arrived_exact: bool | None) -> str:
    if call.wait is None or clock_too_short(call, made):
        return "unknown.band"
    arrival = call.moment.astimezone(UTC) + timedelta(seconds=call.wait)
    unsure = not made.offset_written and _twice(call.moment, made.zone)
    if arrived_exact is not None:
        unsure |= not arrived_exact and _twice(arrival, made.zone)
    if unsure:
        return "unknown.band"
    minutes = call.wait / 60
    for low, high in ((0, 10), (10, 20), (20, 30), (30, 60)):
        if low <= minutes < high:
            return "under_10" if low == 0 else f"{low}_to_{high}"
    return "over_60"
