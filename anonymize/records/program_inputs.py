"""What an agency reports besides its calls: staffing, money, training, targets and the like, each
row as the public may read it.

These rows are about the program, not about people who called, and are published as they are once
each value is what its field asks for. Survey answers from fewer people than the threshold are left
out. Handoffs and urgent calls are about calls and are held against them (`records/calls.py`,
`count/urgent_waits.py`).
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist
from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import BASE_LANGUAGES, InputSpec, Text, TimeColumnSpec
from anonymize.engine.sources import FILE, ROW, literal, open_source, quote
from anonymize.errors import SourceError
from anonymize.read.delimited import FAULTS
from anonymize.read.times import DAY_HINTS, HINTS, TimeColumn, describe, formats_of, shape
from anonymize.records.call_times import MONTHS, zone_of

MAX_ROWS_NAMED = 10
MAX_TEXT = 300
PLAN, WORKED, PATROL = "planned", "worked", "patrol"
COUNTED_WITH_CALLS = ("handoffs", "urgent_calls")
"""Inputs that are read when the calls are there (`records/calls.py`, `count/urgent_waits.py`)."""
YES, NO = ("y", "yes", "true", "1"), ("n", "no", "false", "0")
WHOLE = re.compile(r"[0-9]{1,3}(,[0-9]{3})+([.]0+)?|[0-9]+([.]0+)?")
NUMBER = re.compile(r"[$]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)([.][0-9]+)?")
"""A comma stands between thousands, a point before decimals; `1,5` is neither, and refused."""
_SAID_YES, _SAID_NO = (f"({', '.join(map(literal, words))})" for words in (YES, NO))
HANDOFF_MORE = ("follow_up_agreed", "reached_at", "warm")
"""Fields of a handoff that count only where the agency file names their columns."""
FEEDBACK = ("complaint", "praise", "unclear_lead", "unsafe_entry")
"""Kinds of `feedback`; the last two are what a review of a case found (measure K2)."""


SERVES = ("people", "department")
"""Whom a target is for."""
NO_PARTNER = {ROOT, "none", UNKNOWN}
"""Codes of `partner` that name no partner."""


@dataclass(frozen=True)
class Field:
    """`kind`: one of the keys of KINDS; no number may be negative."""

    name: str
    kind: str
    what: str
    required: bool = True


@dataclass(frozen=True)
class Input:
    title: Text
    what: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Reference:
    """A public table without protection: nothing in it is counted from calls."""

    name: str
    title: Text
    what: str
    fields: tuple[Field, ...]
    rows: tuple[tuple[str, ...], ...]


def _year(text: str) -> str:
    if not WHOLE.fullmatch(text) or not 1950 <= float(text) <= 2200:
        raise ValueError
    return str(int(float(text)))


_FISCAL = re.compile(
    r"(?:FY|fiscal year)? ?'?(?:([0-9]{4}|[0-9]{2}) ?[-/–] ?)?([0-9]{4}|[0-9]{2})", re.IGNORECASE
)


def _fiscal_year(text: str) -> str:
    """A year, or a fiscal year by the year in which it ends: `FY2025`, `FY 25`, `2024-25`,
    `FY2024/2025`."""
    if WHOLE.fullmatch(text):
        return _year(text)
    found = _FISCAL.fullmatch(text.strip())
    if found is None:
        raise ValueError
    first, last = (
        int(part) + (2000 if len(part) == 2 else 0) if part else None for part in found.groups()
    )
    if last is None or (first is not None and last != first + 1):
        raise ValueError
    return _year(str(last))


def _whole(text: str) -> str:
    if not WHOLE.fullmatch(text):
        raise ValueError
    return str(int(float(text.replace(",", ""))))


def _number(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise ValueError
    value = float(text.replace(",", "").replace("$", ""))
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError
    return " ".join(text.split())


def _yes(text: str) -> str:
    return (dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no"))[text.lower()]


def _as_read(text: str) -> str:
    """Times are read in SQL (`anonymize.read.times`); what is none comes here as no text."""
    return text


TIMES = {"month": "%Y-%m", "date": "%Y-%m-%d", "time": "%Y-%m-%d %H:%M"}
"""Kinds of times, and how each is kept."""
KINDS: dict[str, tuple[Callable[[str], str], str]] = {
    "month": (_as_read, "a month such as 2025-03"),
    "date": (_as_read, "a date such as 2025-03-31"),
    "time": (_as_read, "a date and time such as 2025-03-31 07:00"),
    "year": (_year, "a year such as 2025"),
    "fiscal_year": (
        _fiscal_year,
        "a year such as 2025, or a fiscal year such as FY2025 or 2024-25",
    ),
    "whole": (_whole, "a whole number"),
    "number": (_number, "a number"),
    "text": (_text, f"a text of at most {MAX_TEXT} characters"),
    "yes": (_yes, "yes or no"),
}


def _described() -> dict[str, Input]:
    """The inputs that `program_inputs.toml` describes."""
    with (Path(__file__).parent / "program_inputs.toml").open("rb") as handle:
        described = tomllib.load(handle)
    found = {}
    for name, told in described.items():
        fields = tuple(Field(**field) for field in told["fields"])
        assert all(field.kind in KINDS for field in fields), (
            f"program_inputs.toml, {name}: unknown kind"
        )
        found[name] = Input(Text(**told["title"]), told["row"], fields)
    return found


INPUTS = _described()


def in_languages(fields: Sequence[Field], languages: Sequence[str]) -> tuple[Field, ...]:
    """`fields`, and behind each text in Spanish (`role_es`) the same in the agency's further
    languages (`role_vi`)."""
    further = [code for code in languages if code not in BASE_LANGUAGES]
    found: list[Field] = []
    for field in fields:
        found.append(field)
        if field.name.endswith("_es"):
            stem, what = field.name.removesuffix("_es"), field.what.replace("in Spanish", "in {}")
            what = what if "{}" in what else f"{what}, in {{}}"
            found += [replace(field, name=f"{stem}_{c}", what=what.format(c)) for c in further]
    return tuple(found)


def read_inputs_beside(
    db: duckdb.DuckDBPyConnection,
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    joined: Mapping[str, str] = MappingProxyType({}),
) -> list[Reference]:
    """Every input but calls and handoffs; codes in them are those of `codelists`. `joined`: code of
    an area that is published as one with others -> the code of that one. Raises SourceError with
    all problems: file, row, field, and what was expected, never the value."""
    problems: list[str] = []
    found: list[Reference] = []
    for name, spec in config.file.inputs.items():
        if name in COUNTED_WITH_CALLS:
            continue
        described = INPUTS[name]
        fields = in_languages(described.fields, config.file.agency.languages)
        placed = rows_of_input(db, config, name, spec, fields, problems)
        problems += _meanings(config, codelists, name, fields, placed)
        rows: list[tuple[str, ...]] = list(placed)
        if name == "shifts":
            found += _of_shifts(config, codelists, rows, fields, joined) if not problems else []
        else:
            threshold = config.file.privacy.threshold
            if name == "survey":
                rows = _enough(rows, fields, threshold)
            if name in FEW_BLANK:
                rows, fields = _few_blank(rows, fields, FEW_BLANK[name], threshold)
            if name == "staffing":
                found += _turnover(rows, fields)
                rows, fields = [row[:-1] for row in rows], fields[:-1]
            if name in LAST_MAY_LACK and not any(row[-1] for row in rows):
                # A column of which nothing is known stays out, as in releases before it was asked.
                rows, fields = [row[:-1] for row in rows], fields[:-1]
            found.append(Reference(name, described.title, described.what, fields, tuple(rows)))
    if problems:
        raise SourceError(problems)
    return found


def _not_fields(
    config: AgencyConfig, name: str, spec: InputSpec, known: Sequence[str]
) -> list[str]:
    """The problem with the first of an input's `columns` that is no field of it, if there is
    one."""
    where = f"{config.path}: [inputs.{name}.columns]"
    return [
        f"{where}: '{field}' is not a field of {name}; it can be one of: {', '.join(known)}"
        for field in sorted(set(spec.columns) - set(known))[:1]
    ]


class PlacedRow(tuple[str, ...]):
    """A row of an input that knows the file and the line it stands on."""

    place: str

    @classmethod
    def at(cls, place: str, values: Sequence[str]) -> PlacedRow:
        """A row of `values` that stands at `place`."""
        row = cls(values)
        row.place = place
        return row


def rows_of_input(
    db: duckdb.DuckDBPyConnection,
    config: AgencyConfig,
    name: str,
    spec: InputSpec,
    fields: Sequence[Field],
    problems: list[str],
) -> list[PlacedRow]:
    """The rows of one input, each value checked and in one form; none where a value is wrong, which
    `problems` then tells."""
    columns = {
        f.name: spec.columns.get(f.name, f.name)
        for f in fields
        if f.required or f.name in spec.columns
    }
    if unknown := _not_fields(config, name, spec, [f.name for f in fields]):
        problems += unknown
        return []
    if unknown := [
        field for field in spec.times if field not in {f.name for f in fields if f.kind in TIMES}
    ]:
        problems.append(
            f"{config.path}: [inputs.{name}.times]: '{unknown[0]}' is not a time of {name}; take"
            " it out"
        )
        return []
    optional = {f.name: f.name for f in fields if f.name not in columns}
    opened = open_source(
        db,
        spec,
        config.path.parent,
        list(columns.values()),
        f"input_{name}",
        optional=list(optional.values()),
    )
    have = columns | {n: c for n, c in optional.items() if c in opened.columns}
    kinds = {f.name: f.kind for f in fields}
    listed = ", ".join(
        f"nullif(trim({quote(column)}), '') AS {quote(n)}" for n, column in have.items()
    )
    read = "".join(
        f", {_kept(config, spec, n, kinds[n])} AS {quote(n + _READ)}"
        for n in have
        if kinds[n] in TIMES
    )
    raw = db.execute(
        f"SELECT *{read} FROM (SELECT {FILE}, {ROW}, {listed} FROM input_{name}) ORDER BY {FILE},"
        f" {ROW}"
    ).fetchall()
    names = [column[0] for column in db.description or ()]
    rows, wrong = [], 0
    for values in raw:
        given = dict(zip(names, values, strict=True))
        place = f"{opened.files[values[0]]}, {opened.unit} {values[1]}"
        row = []
        for f in fields:
            convert, expected = KINDS[f.kind]
            value = given.get(f.name)
            try:
                text = (
                    ""
                    if value is None
                    else given[f.name + _READ] or ""
                    if f.kind in TIMES
                    else convert(str(value))
                )
                if not text and (f.required or value is not None):
                    raise ValueError
            except (ValueError, KeyError):
                wrong += 1
                if wrong <= MAX_ROWS_NAMED:
                    problems.append(
                        f"{config.path}: [inputs.{name}]: {place}: '{f.name}' must be {expected};"
                        " correct it in the file"
                        + (
                            f", or say in [inputs.{name}.times] how it is written"
                            if f.kind in TIMES and value is not None
                            else ""
                        )
                    )
                text = ""
            row.append(text)
        rows.append(PlacedRow.at(place, row))
    if wrong > MAX_ROWS_NAMED:
        problems.append(
            f"{config.path}: [inputs.{name}]: and {wrong - MAX_ROWS_NAMED} more values that do"
            " not fit"
        )
    if opened.malformed:
        first = opened.malformed[0]
        problems.append(
            f"{config.path}: [inputs.{name}]: {len(opened.malformed)} line(s) are no records; the"
            f" first is line {first.line} of {first.file}: {FAULTS[first.kind]}"
        )
    if wrong:
        return []
    return rows


_NAMED_MONTH = "[A-Za-z]{3,10}[.]?,?(?: de)?[ -]+[0-9]{4}"
"""`Jan 2024`, `January 2024`, `enero de 2024`; what is no month's name is no month."""
_MONTH_OF = "lower(regexp_extract({}, '^[A-Za-z]+'))"
_READ = " read"
"""Behind the name of a column that holds a time as it was read."""


def _kept(config: AgencyConfig, spec: InputSpec, name: str, kind: str) -> str:
    """SQL: a time of an input as it is kept (TIMES), in the agency's zone; NULL where the text is
    none."""
    described = spec.times.get(name, TimeColumnSpec())
    column = TimeColumn(
        formats_of(described.format), zone_of(config), described.timezone, days=kind != "time"
    )
    text, local = quote(name), column.local(quote(name))
    if kind == "time":
        local = f"CASE WHEN {column.clock_given(text)} THEN {local} END"
    kept = f"strftime({local}, '{TIMES[kind]}')"
    if kind == "month" and not described.format:
        named = " ".join(
            f"WHEN {_MONTH_OF.format(text)} IN ({', '.join(map(literal, names))}) THEN '{i:02d}'"
            for i, names in enumerate(MONTHS, 1)
        )
        kept = (
            f"CASE WHEN regexp_full_match({text}, '{_NAMED_MONTH}') THEN right({text}, 4) || '-' ||"
            f" CASE {named} END ELSE {kept} END"
        )
        kept = (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-(0[1-9]|1[0-2])') THEN {text} ELSE"
            f" {kept} END"
        )
    return kept


def _meanings(
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    name: str,
    fields: Sequence[Field],
    rows: Sequence[PlacedRow],
) -> list[str]:
    """Problems of an input that a value's kind does not show: a part larger than its whole, a code
    that is none, a row that comes twice."""
    at = {f.name: i for i, f in enumerate(fields)}
    pairs = {
        "survey": ("agree", "respondents"),
        "crisis_line": ("answered", "contacts"),
        "training": ("trained", "eligible"),
        "unit_costs": ("low", "high"),
    }
    choices = {
        "targets": ("direction", ("at_least", "at_most")),
        "survey": ("audience", ("residents", "officers", "clients")),
        "program_events": ("kind", ("shift", "area", "rule", "coding", "funding")),
        "feedback": ("kind", FEEDBACK),
        "unit_costs": ("item", ("jail_booking", "emergency_visit", "inpatient_day")),
    }
    kinds = sorted({n.code for n in codelists["partner"].nodes} - NO_PARTNER)
    areas = set(codelists["area"].by_code) if "area" in codelists else {ROOT}
    places = {"place_names": areas - {ROOT}, "service_hours": areas}
    named = {code for code in areas - {ROOT} if code.split(".")[0] != UNKNOWN}
    problems = _said_twice(config, name, fields, rows)
    for row in rows:
        where = f"{config.path}: [inputs.{name}]: {row.place}"
        if name in pairs:
            small, large = pairs[name]
            if float(row[at[small]]) > float(row[at[large]]):
                problems.append(
                    f"{where}: '{small}' is more than '{large}'; correct it in the file"
                )
        if name in choices:
            key, allowed = choices[name]
            if row[at[key]] not in allowed:
                problems.append(f"{where}: '{key}' must be one of {', '.join(allowed)}")
        if name == "targets" and row[at["serves"]] not in ("", *SERVES):
            problems.append(
                f"{where}: 'serves' must be one of {', '.join(SERVES)}; or leave it blank"
            )
        if name == "partner_agreements" and row[at["partner_type"]] not in ("", *kinds):
            problems.append(
                f"{where}: 'partner_type' must be a code of 'partner': {', '.join(kinds)}; or"
                " leave it blank"
            )
        if name in places and row[at["area"]] not in places[name]:
            whole = f", or '{ROOT}'" if ROOT in places[name] else ""
            problems.append(
                f"{where}: 'area' must be a code of [areas.area], in the same letters{whole};"
                " correct it in the file"
            )
        if name == "shifts":
            problems += [
                f"{where}: {wrong}; correct it in the file"
                for wrong in _wrong_shift(row, at, named)
            ]
    return problems[:MAX_ROWS_NAMED]


def _wrong_shift(
    row: Sequence[str], at: Mapping[str, int], areas: Collection[str]
) -> Iterator[str]:
    start, end = row[at["start"]], row[at["end"]]
    if not start < end:
        yield "'end' must be later than 'start'"
    elif datetime.fromisoformat(end) - datetime.fromisoformat(start) > LONGEST_SHIFT:
        yield f"'end' is more than {LONGEST_SHIFT.days} days after 'start'"
    named = codes_in(row[at["area"]])
    if any(code not in areas for code in named) or bool(row[at["area"]]) != bool(named):
        yield (
            "'area' must be codes of [areas.area], in the same letters, with ; between; or blank"
            " where the unit is for the whole city"
        )


def _said_twice(
    config: AgencyConfig, name: str, fields: Sequence[Field], rows: Sequence[PlacedRow]
) -> list[str]:
    """Problems with rows that repeat an earlier one, or give another number for the same: both
    would count."""
    # A shift is one, in however many areas: its hours must not count twice.
    apart = ("area",) if name == "shifts" else ()
    keys = [
        i
        for i, f in enumerate(fields)
        if f.name in SAID_ONCE.get(name, [f.name]) and f.name not in apart
    ]
    first: dict[tuple[str, ...], PlacedRow] = {}
    problems = []
    for row in rows:
        said = tuple(row[i] for i in keys)
        if said in first:
            what = (
                f"repeats {' and '.join(map(repr, SAID_ONCE[name]))} of"
                if name in SAID_ONCE
                else "repeats in every column"
            )
            units = (
                "; units at work side by side need names of their own, and a shift in several areas"
                " names them in one row, with ; between"
            ) * (name == "shifts")
            problems.append(
                f"{config.path}: [inputs.{name}]: {row.place}, {what} {first[said].place}; take"
                f" one of them out{units}"
            )
        first.setdefault(said, row)
    return problems


def _enough(
    rows: Sequence[tuple[str, ...]], fields: Sequence[Field], threshold: int
) -> list[tuple[str, ...]]:
    """`rows` of answers without those that rest on fewer than `threshold` people, or where 1 to the
    threshold - 1 of them agreed or did not."""
    at = {f.name: i for i, f in enumerate(fields)}

    def safe(row: tuple[str, ...]) -> bool:
        agree, whole = int(row[at["agree"]]), int(row[at["respondents"]])
        return all(n == 0 or n >= threshold for n in (agree, whole - agree)) and whole >= threshold

    return [row for row in rows if safe(row)]


LONGEST_SHIFT = timedelta(days=3)
SAID_ONCE = {
    "all_calls": ("month",),
    "crisis_line": ("year",),
    "liability_claims": ("year",),
    "feedback": ("year", "kind"),
}
"""Input -> the fields that no two rows of it share; of others, no two rows are the same."""
LAST_MAY_LACK = ("partner_agreements", "targets")
"""Inputs of which the last column stays out where no row says it."""
FEW_BLANK = {"liability_claims": "filed", "feedback": "received"}
"""Input -> the number in it that is left blank where it counts fewer people than the threshold."""


def _few_blank(
    rows: Sequence[tuple[str, ...]], fields: Sequence[Field], name: str, threshold: int
) -> tuple[list[tuple[str, ...]], tuple[Field, ...]]:
    """Numbers from 1 to the threshold - 1 become blank; 0 and larger numbers stay."""
    at = [f.name for f in fields].index(name)
    shown = [
        (*row[:at], "" if 0 < int(row[at]) < threshold else row[at], *row[at + 1 :]) for row in rows
    ]
    told = replace(
        fields[at], what=f"{fields[at].what}; blank where fewer than the threshold", required=False
    )
    return shown, (*fields[:at], told, *fields[at + 1 :])


def _turnover(rows: Sequence[tuple[str, ...]], fields: Sequence[Field]) -> list[Reference]:
    """People who left, and the average of posts filled, by role, for years with all 12 months
    (small teams, so yearly only)."""
    at = {f.name: i for i, f in enumerate(fields)}
    roles = [f for f in fields if f.name == "role" or f.name.startswith("role_")]
    years: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for row in rows:
        key = (row[at["month"]][:4], *(row[at[f.name]] for f in roles))
        years.setdefault(key, []).append(row)
    told = [
        (
            *key,
            f"{sum(float(row[at['filled']]) for row in months) / 12:.1f}",
            str(sum(int(row[at["left"]]) for row in months)),
        )
        for key, months in years.items()
        if len({row[at["month"]] for row in months}) == 12
        and all(row[at["left"]] for row in months)
    ]
    if not told:
        return []
    return [
        Reference(
            "turnover",
            Text(
                en="People who left, by year and role",
                es="Personas que se fueron, por año y puesto",
            ),
            "the people of one role who left in one year",
            (
                Field("year", "year", "year"),
                *roles,
                Field("average", "number", "posts filled, on average over the months"),
                Field("left", "whole", "people who left"),
            ),
            tuple(told),
        )
    ]


HOURS = {
    PLAN: "unit-hours planned",
    WORKED: "unit-hours with both an officer and a clinician",
    PATROL: "hours of patrol units",
}


def _hours_of(
    rows: Sequence[tuple[str, ...]],
    fields: Sequence[Field],
    first: date,
    last: date,
    zone: ZoneInfo,
) -> list[Reference]:
    """Unit-hours with both an officer and a clinician (measure H1): by year, weekday and hour; and
    planned against worked, by month.

    Hours of patrol units, where they are listed, are published with them. Hours outside the
    release's period are left out.
    """
    at = {f.name: i for i, f in enumerate(fields)}
    by_hour: dict[tuple[str, str, str], float] = {}
    by_month: dict[tuple[str, str], float] = {}
    for row in rows:
        both = row[at["officer"]] == "yes" and row[at["clinician"]] == "yes"
        planned, worked = row[at[PLAN]] != "no", row[at[WORKED]] != "no"
        start, end = (datetime.fromisoformat(row[at[edge]]) for edge in ("start", "end"))
        for moment, share in _hours_between(start, end, zone):
            if not first <= moment.date() <= last:
                continue
            month = f"{moment:%Y-%m}"
            if row[at[PATROL]] == "yes":
                by_month[month, PATROL] = by_month.get((month, PATROL), 0.0) + share * worked
                continue
            if planned:
                by_month[month, PLAN] = by_month.get((month, PLAN), 0.0) + share
            if worked and both:
                by_month[month, WORKED] = by_month.get((month, WORKED), 0.0) + share
                key = (f"{moment:%Y}", str(moment.isoweekday()), f"{moment:%H}")
                by_hour[key] = by_hour.get(key, 0.0) + share
    years = sorted({month[:4] for month, _ in by_month})
    hours = tuple(
        (year, str(day), f"{hour:02d}", f"{by_hour.get((year, str(day), f'{hour:02d}'), 0.0):.0f}")
        for year in years
        for day in range(1, 8)
        for hour in range(24)
    )
    shown = (PLAN, WORKED, *((PATROL,) if any(key == PATROL for _month, key in by_month) else ()))
    months = tuple(
        (month, *(f"{by_month.get((month, key), 0.0):.0f}" for key in shown))
        for month in sorted({month for month, _ in by_month})
    )
    return [
        Reference(
            "staffed_hours",
            Text(en="Staffed hours, by weekday and hour", es="Horas cubiertas, por día y hora"),
            "unit-hours with both an officer and a clinician",
            (
                Field("year", "year", "year"),
                Field("weekday", "text", "1 is Monday"),
                Field("hour", "text", "hour of the day"),
                Field("hours", "whole", "unit-hours with both an officer and a clinician"),
            ),
            hours,
        ),
        Reference(
            "staffed_months",
            Text(
                en="Planned and staffed hours, by month",
                es="Horas planificadas y cubiertas, por mes",
            ),
            "unit-hours planned, and worked by both an officer and a clinician",
            (Field("month", "month", "month"), *(Field(key, "whole", HOURS[key]) for key in shown)),
            months,
        ),
    ]


def _of_shifts(
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    rows: Sequence[tuple[str, ...]],
    fields: Sequence[Field],
    joined: Mapping[str, str],
) -> list[Reference]:
    """Hours of teams, days without one, and the same for each area where shifts name areas."""
    first, last = config.file.release.data_from, config.file.release.data_to
    zone = ZoneInfo(config.file.agency.timezone)
    found = _hours_of(rows, fields, first, last, zone)
    at = {f.name: i for i, f in enumerate(fields)}
    teams = [row for row in rows if row[at[PATROL]] != "yes"]
    months = _listed_months(teams, at, first, last)
    told = _days_of_months(months, _staffed_days(teams, at))
    days, without_team, which = DAYS_OF_A_MONTH
    found.append(
        Reference(
            "unstaffed_days",
            Text(en="Days without a team, by month", es="Días sin equipo, por mes"),
            "days on which no unit had both an officer and a clinician at work",
            (Field("month", "month", "month"), days, without_team, which),
            tuple(told),
        )
    )
    if not any(row[at["area"]] for row in teams):
        return found
    by_area: list[tuple[str, ...]] = []
    for code, mine in _teams_of_areas(teams, at["area"], codelists["area"], joined).items():
        hours = _worked_hours(mine, at, zone, {d for days in months.values() for d in days})
        by_area += [
            (row[0], code, f"{hours.get(row[0], 0.0):.0f}", *row[1:])
            for row in _days_of_months(months, _staffed_days(mine, at))
        ]
    found.append(
        Reference(
            "unstaffed_areas",
            Text(
                en="Hours and days without a team of the area, by month",
                es="Horas y días sin un equipo de la zona, por mes",
            ),
            "by the areas that shifts name; a unit without an area is one of each",
            (
                Field("month", "month", "month"),
                Field("area", "text", "area code"),
                Field("hours", "whole", "unit-hours with both an officer and a clinician"),
                days,
                without_team,
                which,
            ),
            tuple(sorted(by_area, key=lambda row: row[0])),
        )
    )
    return found


DAYS_OF_A_MONTH = (
    Field("days", "whole", "days of the month, from the first shift listed to the last"),
    Field("without_team", "whole", "days without a team"),
    Field("which", "text", "which days of the month", required=False),
)


def _teams_of_areas(
    teams: Sequence[tuple[str, ...]],
    area: int,
    codelist: Codelist,
    joined: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, list[tuple[str, ...]]]:
    """The shifts of each area of the first level: those that name it or an area in it, and those
    that name none. Areas that are `joined` have those of all of them."""
    level = codelist.levels[1]
    above = {code: joined.get(top, top) for code, top in codelist.ancestors(level).items()}
    return {
        code: [
            row
            for row in teams
            if not row[area] or code in {above[named] for named in codes_in(row[area])}
        ]
        for code in dict.fromkeys(above[code] for code in codelist.codes_at(level))
        if code != UNKNOWN
    }


def codes_in(text: str) -> list[str]:
    """Codes in one value: `north; harbor`."""
    return [code.strip() for code in text.split(";") if code.strip()]


def _days_on(row: tuple[str, ...], at: Mapping[str, int]) -> set[date]:
    """A shift that runs past midnight is at work on both days."""
    start, end = (datetime.fromisoformat(row[at[edge]]) for edge in ("start", "end"))
    until = (end - timedelta(seconds=1)).date()
    return {start.date() + timedelta(days=n) for n in range((until - start.date()).days + 1)}


def _listed_months(
    teams: Sequence[tuple[str, ...]], at: Mapping[str, int], first: date, last: date
) -> dict[str, list[date]]:
    """The days of the period from the first of a listed shift to the last, by month."""
    known = sorted({day for row in teams for day in _days_on(row, at) if first <= day <= last})
    months: dict[str, list[date]] = {}
    if known:
        for n in range((known[-1] - known[0]).days + 1):
            day = known[0] + timedelta(days=n)
            months.setdefault(f"{day:%Y-%m}", []).append(day)
    return months


def _with_both(row: tuple[str, ...], at: Mapping[str, int]) -> bool:
    """Was it worked by an officer and a clinician?"""
    return row[at["officer"]] == row[at["clinician"]] == "yes" and row[at[WORKED]] != "no"


def _staffed_days(teams: Sequence[tuple[str, ...]], at: Mapping[str, int]) -> set[date]:
    return {day for row in teams if _with_both(row, at) for day in _days_on(row, at)}


def _days_of_months(
    months: Mapping[str, Sequence[date]], staffed: set[date]
) -> list[tuple[str, ...]]:
    """(month, its days, those without a team, which these are)."""
    return [
        (
            month,
            str(len(days)),
            str(len(without := [d for d in days if d not in staffed])),
            ", ".join(str(d.day) for d in without),
        )
        for month, days in months.items()
    ]


def _worked_hours(
    teams: Sequence[tuple[str, ...]], at: Mapping[str, int], zone: ZoneInfo, known: Collection[date]
) -> dict[str, float]:
    """Month -> unit-hours with both, on the days `known`."""
    found: dict[str, float] = {}
    for row in teams:
        if _with_both(row, at):
            start, end = (datetime.fromisoformat(row[at[edge]]) for edge in ("start", "end"))
            for moment, share in _hours_between(start, end, zone):
                if moment.date() in known:
                    month = f"{moment:%Y-%m}"
                    found[month] = found.get(month, 0.0) + share
    return found


def _hours_between(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, float]]:
    """Each clock hour that the shift touches, and how much of it (0 to 1). Where clocks change
    within the shift, an hour that comes twice is worked twice, and one that is skipped not at
    all."""
    found = []
    moment, last = (edge.replace(tzinfo=zone).astimezone(UTC) for edge in (start, end))
    while moment < last:
        local = moment.astimezone(zone)
        following = min(last, moment + timedelta(hours=1) - timedelta(minutes=local.minute))
        found.append(
            (local.replace(minute=0, tzinfo=None), (following - moment).total_seconds() / 3600)
        )
        moment = following
    return found


def _arrow(db: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The answer as a table. DuckDB warns that the rows are copied once more; they are few, and a
    relation in its place is refused while they are read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return db.execute(sql).to_arrow_table()


def read_on_duty(db: duckdb.DuckDBPyConnection, config: AgencyConfig) -> pa.Table:
    """The spans (start, until) in which a unit with both an officer and a clinician was at work; no
    two of them touch. Raises SourceError."""
    fields = INPUTS["shifts"].fields
    problems: list[str] = []
    rows = rows_of_input(db, config, "shifts", config.file.inputs["shifts"], fields, problems)
    if problems:
        raise SourceError(problems)
    at = {f.name: i for i, f in enumerate(fields)}
    mine = [
        row
        for row in rows
        if row[at["officer"]] == row[at["clinician"]] == "yes"
        and row[at[WORKED]] != "no"
        and row[at[PATROL]] != "yes"
    ]
    edges = {
        name: pa.array([row[at[column]] for row in mine], pa.string())
        for name, column in (("start", "start"), ("until", "end"))
    }
    db.register("worked_shifts", pa.table(edges))
    shifts = (
        "SELECT CAST(start AS TIMESTAMP) AS start, CAST(until AS TIMESTAMP) AS until FROM"
        " worked_shifts WHERE start < until"
    )
    opens = (
        "SELECT *, start > max(until) OVER (ORDER BY start, until ROWS BETWEEN UNBOUNDED PRECEDING"
        f" AND 1 PRECEDING) AS gap FROM ({shifts})"
    )
    spans = (
        "SELECT *, count(*) FILTER (WHERE coalesce(gap, true)) OVER (ORDER BY start, until) AS"
        f" span FROM ({opens})"
    )
    table = _arrow(
        db,
        f"SELECT min(start) AS start, max(until) AS until FROM ({spans}) GROUP BY span ORDER BY"
        " start",
    )
    db.unregister("worked_shifts")
    return table


def _answer(column: str | None) -> str:
    """SQL: yes, no or NULL."""
    if column is None:
        return "CAST(NULL AS VARCHAR)"
    said = f"lower(trim({quote(column)}))"
    return f"CASE WHEN {said} IN {_SAID_YES} THEN 'yes' WHEN {said} IN {_SAID_NO} THEN 'no' END"


def read_handoffs(
    db: duckdb.DuckDBPyConnection,
    config: AgencyConfig,
    codes: Mapping[str, Sequence[str]],
    notes: dict[str, int],
) -> pa.Table:
    """(call_id, partner, handoff, connected_on, warm, agreed, reached_on): of each call the
    furthest step of its handoffs. Raises SourceError.

    `warm` and `agreed` are yes, no or NULL; they and `reached_on` are NULL where the agency file
    names no column for them. `notes` gets the number of values that are not understood, where they
    are no more than the limit.
    """
    spec = config.file.inputs["handoffs"]
    columns = {
        name: spec.columns.get(name, name)
        for name in ("call_id", "partner_type", "offered", "accepted", "connected_at")
    }
    more = {name: spec.columns[name] for name in HANDOFF_MORE if name in spec.columns}
    if unknown := _not_fields(config, "handoffs", spec, [*columns, *HANDOFF_MORE]):
        raise SourceError(unknown)
    if len({"follow_up_agreed", "reached_at"} & more.keys()) == 1:
        raise SourceError(
            [
                f"{config.path}: [inputs.handoffs.columns]: a follow-up needs both"
                " 'follow_up_agreed' and 'reached_at'; name the other too, or neither"
            ]
        )
    if "call_id" not in config.file.calls.columns:
        raise SourceError(
            [
                f"{config.path}: [inputs.handoffs] needs 'call_id' in [calls.columns], so that a"
                " handoff finds its call"
            ]
        )
    opened = open_source(
        db, spec, config.path.parent, list((columns | more).values()), "input_handoffs"
    )
    if opened.malformed:
        notes["handoffs: lines that are no records"] = len(opened.malformed)
    values = {key.strip().lower(): code for key, code in spec.values.items()} | {
        code: code for code in codes["partner"]
    }
    partner = f"lower(trim({quote(columns['partner_type'])}))"
    cases = " ".join(f"WHEN {literal(key)} THEN {literal(code)}" for key, code in values.items())
    odd = db.execute(
        f"SELECT count(*) FROM input_handoffs WHERE {partner} <> '' AND {partner} NOT IN"
        f" ({', '.join(map(literal, values))})"
    ).fetchone()
    if odd and odd[0]:
        listed = ", ".join(codes["partner"])
        raise SourceError(
            [
                f"{config.path}: [inputs.handoffs]: {odd[0]} row(s) have a partner that is no code;"
                f" map it in [inputs.handoffs.values] to one of {listed}"
            ]
        )
    times = {
        name: column
        for name, column in (columns | more).items()
        if name in ("connected_at", "reached_at")
    }
    answers = {
        name: column
        for name, column in (columns | more).items()
        if name in ("offered", "accepted", "warm", "follow_up_agreed")
    }
    _refuse_misread_handoffs(db, config, opened.rows, times, answers, notes)
    on = {
        name: f"CAST({_time_of(config, spec, name, column)} AS DATE)"
        for name, column in times.items()
    }
    said = {
        name: _answer(answers.get(name))
        for name in ("offered", "accepted", "warm", "follow_up_agreed")
    }
    step = (
        f"CASE WHEN {on['connected_at']} IS NOT NULL THEN 3 WHEN {said['accepted']} = 'yes' THEN 2"
        f" WHEN {said['offered']} = 'yes' THEN 1 ELSE 0 END"
    )
    # Of two accepted referrals, take the one to a kind of partner that does not share its data: so
    # the number of calls whose visits could be unknown is not understated
    # (`dashboard/numbers/partners.py`).
    sharing = _sharing_kinds(db, config)
    told = (
        f"CASE {partner} {cases} END IN ({', '.join(map(literal, sharing))})"
        if sharing
        else "FALSE"
    )
    reached = on.get("reached_at", "CAST(NULL AS DATE)")
    call = f"trim({quote(columns['call_id'])})"
    return _arrow(
        db,
        "SELECT call_id, partner, ['none', 'declined', 'accepted', 'connected'][step + 1] AS"
        f" handoff, connected_on, warm, agreed, reached_on FROM (SELECT {call} AS call_id, CASE"
        f" {partner} {cases} END AS partner, {step} AS step, {on['connected_at']} AS connected_on,"
        f" {said['warm']} AS warm, {said['follow_up_agreed']} AS agreed, {reached} AS reached_on,"
        f" row_number() OVER (PARTITION BY {call} ORDER BY {step} DESC, {told}, {FILE}, {ROW})"
        " AS place FROM input_handoffs) WHERE place = 1",
    )


def _sharing_kinds(db: duckdb.DuckDBPyConnection, config: AgencyConfig) -> list[str]:
    """Kinds of partners of which every partner shares data; none where one that does not has no
    kind on record, or the agency names no partners."""
    name = "partner_agreements"
    if name not in config.file.inputs:
        return []
    fields = INPUTS[name].fields
    rows = rows_of_input(db, config, name, config.file.inputs[name], fields, [])
    at = {f.name: i for i, f in enumerate(fields)}
    silent = {row[at["partner_type"]] for row in rows if row[at["data_sharing"]] != "yes"}
    kinds = {row[at["partner_type"]] for row in rows} - silent - {""}
    return [] if "" in silent else sorted(kinds)


def _time_of(config: AgencyConfig, spec: InputSpec, field: str, column: str) -> str:
    """SQL: the local time that a column of an input holds; NULL where its text is none."""
    described = spec.times.get(field, TimeColumnSpec())
    text = f"nullif(trim({quote(column)}), '')"
    return TimeColumn(
        formats_of(described.format), zone_of(config), described.timezone, days=True
    ).local(text)


def _refuse_misread_handoffs(
    db: duckdb.DuckDBPyConnection,
    config: AgencyConfig,
    rows: int,
    times: Mapping[str, str],
    answers: Mapping[str, str],
    notes: dict[str, int],
) -> None:
    """Raises SourceError where more values of a column than the limit are no time, or neither yes
    nor no."""
    spec, limit, problems = (
        config.file.inputs["handoffs"],
        config.file.calls.reject_limit_percent,
        [],
    )
    for field, column in {**times, **answers}.items():
        text = f"nullif(trim({quote(column)}), '')"
        wrong = (
            f"({_time_of(config, spec, field, column)}) IS NULL"
            if field in times
            else f"{_answer(column)} IS NULL"
        )
        found = db.execute(
            f"SELECT {shape(text)} AS shape, count(*) FROM input_handoffs WHERE {text} IS NOT NULL"
            f" AND {wrong} GROUP BY ALL"
        ).fetchall()
        odd, given = (
            sum(n for _shape, n in found),
            db.execute(f"SELECT count(*) FROM input_handoffs WHERE {text} IS NOT NULL").fetchall()[
                0
            ][0],
        )
        if odd and 100 * odd > limit * given:
            what = "cannot be read as times" if field in times else "are neither yes nor no"
            cure = "write yes or no in the file"
            if field in times:
                fitting = [
                    hint
                    for hint in (*HINTS, *DAY_HINTS)
                    if _reads_all(db, config, hint, text, wrong)
                ]
                cure = (
                    describe(dict(found), fitting)
                    .replace("'format'", f"'format' in [inputs.handoffs.times.{field}]")
                    .replace("format =", f"times.{field}.format =")
                )
            problems.append(
                f"{config.path}: [inputs.handoffs]: {odd:,} of {given:,} values of '{column}'"
                f" {what}; {cure}"
            )
        elif odd:
            notes[f"handoffs: values of '{field}' that are not understood"] = odd
    if problems:
        raise SourceError(problems)


def _reads_all(
    db: duckdb.DuckDBPyConnection, config: AgencyConfig, hint: str, text: str, wrong: str
) -> bool:
    local = TimeColumn(formats_of((hint,)), zone_of(config), days=True).local(text)
    return not db.execute(
        f"SELECT count(*) FROM input_handoffs WHERE {text} IS NOT NULL AND {wrong} AND ({local}) IS"
        " NULL"
    ).fetchall()[0][0]
