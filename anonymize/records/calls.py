"""Canonical call records: one row per call, every field a code of its codelist, in the engine.

Each record of an export ends in exactly one of three places: the table `calls`, the tally of
repeated rows of a call already counted, or the private rejects file with its reason. A value is
understood, or blank, or counted as not understood; where more of a column is not understood than
the agency file allows, the run stops.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pyarrow as pa

from anonymize.agency.codelists import (
    FOLLOW_UP_DAYS,
    SEASONS,
    TAKEN_TO_ED,
    UNKNOWN,
    VISIT_DAYS,
    WAIT_EDGES,
    Codelist,
    months_between,
)
from anonymize.agency.load import AgencyConfig, has_moment, mapped_dimensions
from anonymize.agency.schema import TIME_FIELDS
from anonymize.areas.systems import AreaSystem
from anonymize.engine import PLACE, Engine
from anonymize.engine.sources import (
    MALFORMED,
    Source,
    calls_counted,
    find_source,
    names_of,
    private_folder,
)
from anonymize.errors import SourceError
from anonymize.progress import QUIET, Progress
from anonymize.read.cleaning import cleaned
from anonymize.read.delimited import FAULTS
from anonymize.read.key_patterns import keeps
from anonymize.read.sql import literal, quote
from anonymize.records.call_times import (
    CLOCK_MISREAD,
    COMES_TWICE,
    FELL_BACK,
    NOTE,
    RECEIVED,
    SKIPPED,
    field_sources,
    layers,
    received_sources,
    seconds_from,
    time_columns,
)
from anonymize.records.combine import (
    combine_rows,
    count_differing,
    fields_without_rule,
    rule_of,
    undecided_by_order,
)
from anonymize.records.completeness import ELIGIBLE_NOT_SERVED, NOT_SERVED, OF_SOME
from anonymize.records.gaps import Question
from anonymize.records.misread import clock_problem, time_problem
from anonymize.records.program_inputs import read_handoffs, read_on_duty
from anonymize.records.values import (
    CODE,
    COUNT,
    FieldCodes,
    ValueReport,
    code_fields,
    columns_of_fields,
)

OUTSIDE = "outside_period"
LEFT_OUT = {
    "not_kept": "not among those that [calls.where] keeps",
    "stands_for_none": "the column of 'count' says that they stand for no call",
}
"""Why a row is left out on purpose: it is counted, and said, but is no rejected row."""
REASONS = {
    "no_count": "the number of calls that the row stands for is no whole number below a million",
    "malformed": "the line is no record of the table",
    "no_call_id": "the call id is blank",
    "no_time": "there is no time",
    "impossible_time": (
        "the time is not written as the agency file says, is no date, or lies before 1950 or after"
        " the release was made"
    ),
    "impossible_hour": "the hour is not 0 to 23",
    OUTSIDE: "the call lies outside the release's period (data_from to data_to)",
    "duplicate_call_id": (
        "the call id stands on an earlier row (write repeated_rows if a call may fill several rows)"
    ),
}
BUCKETS = 1 << 20
"""People are put into this many groups by a hash of their key."""
LOST_HANDOFFS, ODD_VISITS = "handoffs_without_call", "visits_at_odd_times"
"""Notes on handoffs."""
REPEATED = "repeat_people"
"""How the measures of people who called again begin."""
FREQUENT = "calls_of_frequent"
FOLLOWED = (REPEATED, FREQUENT, "compare_repeat")
"""How the measures begin that look at each person's calls in order."""
WITHOUT_TEAM = "hours_without_team"
CONNECTION = "days_to_connection"


TIME_NOTES = {
    "time_from_year_and_month": FELL_BACK,
    "clock_misread": CLOCK_MISREAD,
    "comes_twice": COMES_TWICE,
    "skipped": SKIPPED,
}
"""Note of a call's time -> its number in the column NOTE."""


@dataclass
class Tally:
    """Where every record went, in numbers. `completeness` is (rows filled, rows) per field,
    `by_month` the same per field and month.

    For the private screen alone: `misread`, (texts that are no time, texts given) per time field;
    `durations`, (negative, longer than a day) per pair of times; `values`, what became of the texts
    of each field; `sheets_left_out`; `differing`, calls on several rows that differ, per field;
    `areas`, how calls and outlines fit (`area_use`); `unanswered`, stretches without a record
    that the agency file does not explain.
    """

    files: tuple[str, ...] = ()
    rows: int = 0
    counted: int = 0
    repeated: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    records: int | None = None
    """Rows of the files, where each stands for several calls; `rows` then are the calls that they
    stand for."""
    conflicting_repeats: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    completeness: dict[str, tuple[int, int]] = field(default_factory=dict)
    by_month: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    asked_of: dict[str, str] = field(default_factory=dict)
    """Field -> the calls it is asked of, as in `completeness.py`, where not all."""
    shifts: tuple[tuple[datetime, datetime], ...] | None = None
    """Spans in which a team was on duty, by the shifts; None where calls are not held against
    them."""
    misread: dict[str, tuple[int, int]] = field(default_factory=dict)
    durations: dict[str, tuple[int, int]] = field(default_factory=dict)
    values: dict[str, ValueReport] = field(default_factory=dict)
    differing: dict[str, int] = field(default_factory=dict)
    sheets_left_out: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """Names of all columns of the export, read or not."""
    idle_filters: tuple[tuple[str, str], ...] = ()
    """(column, value) of [calls.where] that keeps no row."""
    unanswered: tuple[Question, ...] = ()
    areas: tuple[str, ...] = ()

    @property
    def faulty(self) -> int:
        """Rejected rows that count towards the limit: all but those outside the period."""
        return sum(n for reason, n in self.rejected.items() if reason != OUTSIDE)

    @property
    def wanted(self) -> int:
        """Rows but those that were left out on purpose: the limit is a share of these."""
        return self.rows - sum(self.left_out.values())


def find_calls(engine: Engine, config: AgencyConfig) -> Source:
    """The calls' export, looked at but not read. Raises SourceError."""
    spec = config.file.calls
    source = find_source(
        spec, config.path.parent, _columns(config), folder=private_folder(engine.db)
    )
    return replace(source, kept=_kept(config), count=spec.count)


def _kept(config: AgencyConfig) -> str:
    """SQL: is a row one of those that [calls.where] keeps?"""
    spec = config.file.calls
    return (
        " AND ".join(
            keeps(cleaned(column, spec.placeholders), values)
            for column, values in spec.where.items()
        )
        or "true"
    )


def _idle_filters(
    engine: Engine, config: AgencyConfig, source: Source
) -> tuple[tuple[str, str], ...]:
    """The values of [calls.where] that no row of the export has."""
    spec = config.file.calls
    pairs = [(column, value) for column, values in spec.where.items() for value in values]
    if not pairs:
        return ()
    counts = ", ".join(
        f"count(*) FILTER (WHERE {keeps(cleaned(column, spec.placeholders), [value])}) AS n{i}"
        for i, (column, value) in enumerate(pairs)
    )
    found = pd.concat(
        [
            answer
            for (answer,) in engine.look(
                replace(source, kept="true"), [f"SELECT {counts} FROM raw"]
            )
        ]
    )
    return tuple(pair for i, pair in enumerate(pairs) if not found[f"n{i}"].astype("int64").sum())


def read_calls(
    engine: Engine,
    config: AgencyConfig,
    areas: dict[str, AreaSystem],
    private: Path,
    progress: Progress = QUIET,
    portrayed: Source | None = None,
) -> Tally:
    """Fill the engine's table `calls` and write the rejects file; returns the tally. `portrayed`:
    the export, found already, of which a portrait is to be made; `calls` then has `whole_minute`
    too (of the clock; -1 where it has seconds), and the seconds of each pair of times
    (`seconds_of`).

    `calls` has a column per fed dimension (finest codes; `period` as month code), `day` where it is
    known, `person_key` (with `has_person_key` and `person_bucket`) where mapped, the seconds of
    each clock that a statistic asks for, and `moment` (local) where one asks who called again.

    Raises SourceError (unreadable file, missing column, too many rejects, too many values not
    understood, rows of one call that differ without a rule) and MappingError (values that the
    agency file does not map, all of them).
    """
    spec = config.file.calls
    with progress.step("Looking at the calls' values"):
        source = portrayed or find_calls(engine, config)
        fields = code_fields(engine.db, config, areas, _texts(engine, config, areas, source))
    notes: dict[str, int] = {}
    with progress.step("Reading calls"):
        lent = {
            f"map_{item.name}": _lent(item.codes, item.codelist) for item in fields
        } | _time_maps(config)
        joined = _joined(engine, config, notes)
        if spec.repeated_rows == "combine":
            differing = _stage_combined(
                engine, config, source, fields, lent | joined, portrayed=portrayed is not None
            )
        else:
            engine.stage(
                source,
                _derived_query(
                    config, _parsed_query(config, fields), portrayed=portrayed is not None
                ),
                lent | joined,
            )
            _mark_repeats(engine, config)
            differing = _differing(engine, config, fields)
        show_calls(engine)
        if "handoffs" in joined:
            notes |= _match_handoffs(engine, config, joined["handoffs"])
        tally = _tally(engine, config, source, fields)
    tally.conflicting_repeats, tally.differing = differing
    tally.notes |= notes
    if "on_duty" in joined:
        spans = joined["on_duty"].to_pydict()
        tally.shifts = tuple(zip(spans["start"], spans["until"], strict=True))
    tally.values = {item.name: item.report for item in fields}
    tally.sheets_left_out = source.sheets_left_out
    tally.columns = tuple(
        dict.fromkeys(name for part in source.parts for name in names_of(part, source.spec) if name)
    )
    tally.idle_filters = _idle_filters(engine, config, source)
    if "call_id" not in spec.columns and not spec.count:
        tally.notes["identical_rows"] = engine.identical_rows(source)
    _write_rejects(engine, source, private)
    _refuse_what_is_not_understood(engine, config, source, tally, private)
    return tally


def _refuse_what_is_not_understood(
    engine: Engine, config: AgencyConfig, source: Source, tally: Tally, private: Path
) -> None:
    """Raises SourceError where more than the limit of rows, of a column's times, or of calls on
    several rows cannot be used."""
    limit, problems = config.file.calls.reject_limit_percent, []
    if tally.wanted and 100 * tally.faulty / tally.wanted > limit:
        problems.append(
            f"{config.path}: {tally.faulty} of {tally.wanted} rows cannot be used, more than the"
            f" limit of {limit:g} % ('calls.reject_limit_percent'); {_reasons(tally)}; see"
            f" {private / 'rejects.csv'} for each row"
        )
    if problems and (undecodable := _undecodable(engine)):
        problems.append(
            f"{config.path}: [calls]: {undecodable:,} of these lines hold bytes that are not"
            f" {(spec := config.file.calls).encoding or 'utf-8'}; "
            "write encoding ="
            f' "{"utf-8" if spec.encoding not in (None, "utf-8") else "windows-1252"}" if the file'
            " was saved so"
        )
    if 100 * tally.rejected.get("impossible_time", 0) > limit * tally.wanted:
        problems += [
            time_problem(engine, config, source, "calls.time", column)
            for column in received_sources(config)
        ]
    for name, column in field_sources(config).items():
        misread, given = tally.misread.get(name, (0, 0))
        if given and 100 * misread / given > limit:
            problems.append(
                time_problem(
                    engine, config, source, f"calls.times.{name}", column, misread=(misread, given)
                )
            )
    misread, given = tally.misread.get("clock", (0, 0))
    if given and 100 * misread / given > limit:
        problems.append(clock_problem(engine, config, source, misread=(misread, given)))
    if tally.conflicting_repeats and 100 * tally.conflicting_repeats > limit * max(
        1, tally.counted
    ):
        listed = ", ".join(f"{name} ({n:,})" for name, n in tally.differing.items())
        problems.append(
            f"{config.path}: {tally.conflicting_repeats:,} of {tally.counted:,} calls stand on"
            f" several rows that differ, more than the limit of {limit:g} %"
            f" ('calls.reject_limit_percent'); they differ in {listed}; write repeated_rows ="
            ' "combine" with a rule for each in [calls.combine]; an order of codes must hold one of'
            " those that a call has"
        )
    if problems:
        raise SourceError([problem for problem in problems if problem])
    if not tally.counted:
        raise SourceError(
            [
                f"{config.path}: no call is left to count;"
                f" {_reasons(tally) or 'the files hold no rows'}"
            ]
        )


def _undecodable(engine: Engine) -> int:
    """Lines that the file's encoding cannot hold."""
    return int(
        engine.ask("SELECT count(*) AS n FROM staged WHERE reason = 'malformed (encoding)'")["n"][0]
    )


def show_calls(engine: Engine) -> None:
    """Define the engine's view `calls`: the usable rows of `staged`, as it now is."""
    engine.view("calls", "SELECT * FROM staged WHERE reason IS NULL")


def merge_codes(engine: Engine, dimension: str, merged: Mapping[str, Sequence[str]]) -> None:
    """Give the calls of some codes (new code -> old codes) one code together."""
    cases = " ".join(
        f"WHEN {dimension} IN ({', '.join(map(literal, old))}) THEN {literal(new)}"
        for new, old in merged.items()
    )
    columns = [c for c in engine.ask("SELECT * FROM staged LIMIT 0").columns if c != dimension]
    engine.make(
        "staged",
        f"SELECT {', '.join(columns)}, CASE {cases} ELSE {dimension} END AS {dimension} FROM"
        " staged",
    )
    show_calls(engine)


def _reasons(tally: Tally) -> str:
    given = REASONS | {
        reason: f"they are {meaning}" if reason == "not_kept" else meaning
        for reason, meaning in LEFT_OUT.items()
    }
    return "; ".join(
        f"{n} because {given.get(reason, reason)}"
        for reason, n in (tally.rejected | tally.left_out).items()
    )


def _columns(config: AgencyConfig) -> list[str]:
    spec = config.file.calls
    names = [column for columns in spec.columns.values() for column in columns]
    return list(
        dict.fromkeys(
            [*names, *time_columns(config), *spec.where, *([spec.count] if spec.count else [])]
        )
    )


def _texts(
    engine: Engine, config: AgencyConfig, areas: Mapping[str, AreaSystem], source: Source
) -> dict[tuple[str, ...], pd.DataFrame]:
    """For the columns of each field, every combination of texts in the export with its number of
    rows; all in one reading."""
    groups = list(dict.fromkeys(columns_of_fields(config, areas).values()))
    if not groups:
        return {}
    columns = list(dict.fromkeys(column for group in groups for column in group))
    listed = ", ".join(quote(column) for column in columns)
    sets = ", ".join(f"({', '.join(map(quote, group))})" for group in groups)
    query = (
        f"SELECT {listed}, CAST(GROUPING({listed}) AS BIGINT) AS {quote(':away')}, count(*) AS"
        f" {quote(':rows')} FROM raw GROUP BY GROUPING SETS ({sets})"
    )
    answers = pd.concat([answer for (answer,) in engine.look(source, [query])], ignore_index=True)
    found = {}
    for group in groups:
        away = sum(
            1 << (len(columns) - 1 - i) for i, column in enumerate(columns) if column not in group
        )
        mine = answers[answers[":away"] == away]
        texts = {
            column: mine[column].astype(object).where(mine[column].notna(), None)
            for column in group
        }
        frame = pd.DataFrame(texts).assign(**{COUNT: mine[":rows"].astype("int64")})
        found[group] = (
            frame.groupby(list(group), dropna=False, as_index=False, sort=False)[COUNT]
            .sum()
            .astype(dict.fromkeys(group, object))
        )
        found[group][list(group)] = found[group][list(group)].where(
            found[group][list(group)].notna(), None
        )
    return found


def _lent(codes: pd.DataFrame, codelist: Codelist) -> pa.Table:
    """A lookup table for the engine: texts (t0, t1, ...) -> code, as a dictionary of the code
    list's finest level."""
    leaves = codelist.codes_at(codelist.finest)
    code = pd.Categorical(codes[CODE], categories=list(leaves))
    texts = {
        f"t{i}": pa.array(codes[column], pa.string())
        for i, column in enumerate(c for c in codes.columns if c != CODE)
    }
    return pa.table(
        texts
        | {
            "code": pa.DictionaryArray.from_arrays(
                pa.array(code.codes, pa.int32(), mask=code.codes < 0), pa.array(leaves, pa.string())
            )
        }
    )


def _time_maps(config: AgencyConfig) -> dict[str, pa.Table]:
    """First day of a month -> period; hour and day of the week -> their codes."""
    lists, release = config.codelists, config.file.release
    found = {}
    if not config.file.calls.time.period:
        months = months_between(release.data_from, release.data_to)
        codes = pd.DataFrame(
            {
                "month": [f"{month:%Y-%m-%d}" for month in months],
                CODE: [f"{month:%Y-%m}" for month in months],
            }
        )
        found["map_period"] = _lent(codes, lists["period"])
    for name, numbers in (
        ("hour", {str(h): f"{h:02d}" for h in range(24)}),
        ("weekday", {str(d): str(d) for d in range(1, 8)}),
    ):
        if name in lists:
            found[f"map_{name}"] = _lent(
                pd.DataFrame({"number": list(numbers), CODE: list(numbers.values())}), lists[name]
            )
    return found


def _joined(engine: Engine, config: AgencyConfig, notes: dict[str, int]) -> dict[str, pa.Table]:
    """Tables from other inputs that each call is matched with: when teams were on duty, and the
    result of its referral. Adds to `notes`."""
    fed, found = mapped_dimensions(config), {}
    if "on_duty" in fed:
        found["on_duty"] = read_on_duty(engine.db, config)
    if "handoff" in fed:
        codes = {
            name: config.codelists[name].codes_at(config.codelists[name].finest)
            for name in ("partner",)
        }
        found["handoffs"] = read_handoffs(engine.db, config, codes, notes)
    return found


def _match_handoffs(engine: Engine, config: AgencyConfig, handoffs: pa.Table) -> dict[str, int]:
    """Notes on handoffs that no row of the export has the call of, and on visits before their call
    or after the release. Raises SourceError where not one handoff has its call."""
    frame = handoffs.select(["call_id", "connected_on"]).to_pandas().dropna(subset=["call_id"])
    engine.lend("referred", frame.assign(connected_on=frame["connected_on"].astype("string")), {})
    visit, latest = "CAST(r.connected_on AS DATE)", config.file.release.created
    found = engine.ask(
        "SELECT count(*) AS calls, count(*) FILTER (WHERE s.call_id IS NULL) AS lost, count(*)"
        f" FILTER (WHERE {visit} < s.day OR {visit} > DATE '{latest}') AS odd FROM referred AS r"
        " LEFT JOIN (SELECT call_id, min(day) AS day FROM staged WHERE call_id IS NOT NULL GROUP BY"
        " call_id) AS s ON s.call_id = r.call_id"
    ).iloc[0]
    if found["calls"] and found["lost"] == found["calls"]:
        raise SourceError(
            [
                f"{config.path}: [inputs.handoffs]: none of its {int(found['calls']):,} call ids is"
                " one of the calls' export; are both written alike (leading zeros, prefixes), and"
                " is 'call_id' the right column in both?"
            ]
        )
    return {LOST_HANDOFFS: int(found["lost"]), ODD_VISITS: int(found["odd"])}


def _enumerated(sql: str, codelist: Codelist) -> str:
    """SQL of a code, held as a number of the codelist's finest level."""
    return f"CAST({sql} AS ENUM({', '.join(map(literal, codelist.codes_at(codelist.finest)))}))"


def _keys(config: AgencyConfig) -> list[str]:
    return [key for key in ("call_id", "person_key") if key in config.file.calls.columns]


def _times(config: AgencyConfig) -> list[str]:
    return [name for name in TIME_FIELDS if name in config.file.calls.columns]


def _parsed_query(config: AgencyConfig, fields: Sequence[FieldCodes]) -> str:
    """DuckDB: from `raw` (one part's rows as text) to the fields that the agency file names, each
    row with its reason to be rejected (or NULL)."""
    spec, lists = config.file.calls, config.codelists
    others = [
        f"{cleaned(spec.columns[key][0], spec.placeholders)} AS {key}" for key in _keys(config)
    ]
    if spec.where:
        others.append(f"({_kept(config)}) AS kept_row")
    if spec.count:
        others.append(f"{calls_counted(spec.count)} AS calls_counted")
    joins, codes = [], {}
    for item in fields:
        texts = [f"{item.name}_in_{i}" for i in range(len(item.columns))]
        others += [
            f"{quote(column)} AS {text}" for column, text in zip(item.columns, texts, strict=True)
        ]
        on = " AND ".join(
            f"m_{item.name}.t{i} IS NOT DISTINCT FROM p.{text}" for i, text in enumerate(texts)
        )
        joins.append(f"LEFT JOIN map_{item.name} AS m_{item.name} ON {on}")
        codes[item.name] = f"m_{item.name}.code"
    codes["period"] = (
        "m_period.code" if not spec.time.period else _enumerated("'all'", lists["period"])
    )
    if not spec.time.period:
        joins.append("LEFT JOIN map_period AS m_period ON CAST(m_period.t0 AS DATE) = p.month")
    for name, number in (("hour", "p.hour_number"), ("weekday", "isodow(p.day)")):
        if name in lists:
            joins.append(
                f"LEFT JOIN map_{name} AS m_{name} ON CAST(m_{name}.t0 AS BIGINT) = {number}"
            )
            unknown = lists[name].unknown_leaf
            codes[name] = (
                f"coalesce(m_{name}.code, {_enumerated(literal(unknown), lists[name])})"
                if unknown
                else f"m_{name}.code"
            )
    times = [RECEIVED, *_times(config)]
    kept = ["file_no", "row_no", *_keys(config), "day", "month", NOTE]
    kept += [column for name in times for column in (name, f"{name}_utc")] + [
        f"{name}_misread" for name in _times(config)
    ]
    listed = [f"p.{name}" for name in kept] + [f"{code} AS {name}" for name, code in codes.items()]
    return (
        f"SELECT {', '.join(listed)}, {_reason(config, fields, codes)} AS reason FROM"
        f" ({layers(config, others)}) AS p {' '.join(joins)}"
    )


def _reason(config: AgencyConfig, fields: Sequence[FieldCodes], codes: Mapping[str, str]) -> str:
    """DuckDB: why a row of `p` cannot be used, or NULL."""
    spec, release, lists = config.file.calls, config.file.release, config.codelists
    reasons = ["WHEN NOT p.kept_row THEN 'not_kept'"] if spec.where else []
    if spec.count:
        reasons += [
            "WHEN p.calls_counted IS NULL THEN 'no_count'",
            "WHEN p.calls_counted = 0 THEN 'stands_for_none'",
        ]
    if "call_id" in spec.columns:
        reasons.append("WHEN p.call_id IS NULL THEN 'no_call_id'")
    if not spec.time.period:
        reasons.append("WHEN p.month IS NULL AND p.time_given THEN 'impossible_time'")
        reasons.append("WHEN p.month IS NULL THEN 'no_time'")
        reasons.append(
            f"WHEN coalesce(p.day NOT BETWEEN DATE '{release.data_from}' AND DATE"
            f" '{release.data_to}', p.month NOT BETWEEN DATE '{release.data_from.replace(day=1)}'"
            f" AND DATE '{release.data_to}') THEN '{OUTSIDE}'"
        )
    if "hour" in lists and lists["hour"].unknown_leaf is None:
        reasons.append("WHEN p.bad_hour THEN 'impossible_hour'")
    reasons += [
        f"WHEN {codes[f.name]} IS NULL THEN 'no_{f.name}'"
        for f in fields
        if f.codelist.unknown_leaf is None
    ]
    known = [
        *REASONS,
        *LEFT_OUT,
        "repeated",
        *(f"no_{f.name}" for f in fields),
        *(f"malformed ({kind})" for kind in MALFORMED),
    ]
    reason = f"CASE {' '.join(reasons)} END" if reasons else "NULL"
    return f"CAST({reason} AS ENUM({', '.join(map(literal, dict.fromkeys(known)))}))"


def _derived_query(config: AgencyConfig, parsed: str, *, portrayed: bool) -> str:
    """DuckDB: from the rows of the query `parsed` to canonical rows, with what follows from their
    fields and what other inputs say of them."""
    spec, lists, fed = config.file.calls, config.codelists, mapped_dimensions(config)
    times, keys = _times(config), _keys(config)
    derived = _derived(config, fed)
    joins = []
    if "on_duty" in fed:
        joins.append(f"ASOF LEFT JOIN on_duty AS d ON p.{RECEIVED} >= d.start")
    if "handoff" in fed:
        joins.append("LEFT JOIN handoffs AS h ON h.call_id = p.call_id")
    selected = ["p.file_no", "p.row_no", *(f"p.{key}" for key in keys), "p.day", f"p.{NOTE}"]
    if has_moment(spec.time):
        selected.append(
            f"CASE WHEN epoch_us(p.{RECEIVED}) % 3600000000 = 0 THEN CAST(hour(p.{RECEIVED}) AS"
            " TINYINT) END AS full_hour"
        )
    else:
        selected.append("CAST(NULL AS TINYINT) AS full_hour")
    if "person_key" in keys:
        selected += [
            "p.person_key IS NOT NULL AS has_person_key",
            (
                f"CASE WHEN p.person_key IS NOT NULL THEN CAST(hash(p.person_key) % {BUCKETS} AS"
                " INTEGER) END AS person_bucket"
            ),
        ]
        if any(s.measure.startswith(FOLLOWED) for s in config.file.statistics):
            selected.append(f"coalesce(p.{RECEIVED}, CAST(p.day AS TIMESTAMP)) AS moment")
    if any(s.measure == WITHOUT_TEAM for s in config.file.statistics):
        selected.append(f"CAST(floor(epoch(p.{RECEIVED}) / 3600) AS BIGINT) AS clock_hour")
    if "urgent_calls" in config.file.inputs and {"dispatched_at", "cleared_at"} <= set(times):
        selected += [
            f"CAST(epoch(p.{name}) AS BIGINT) AS {span}"
            for name, span in (("dispatched_at", "team_from"), ("cleared_at", "team_until"))
        ]
    selected += [
        column
        for name in times
        for column in (f"p.{name} IS NOT NULL AS has_{name}", f"p.{name}_misread")
    ]
    selected += [
        f"{_credible(_seconds(config, measure))} AS {measure}" for measure in _clocks(config)
    ]
    selected += [
        f"{_odd(_seconds(config, measure))} AS odd_{measure}" for measure in _pairs(config)
    ]
    if portrayed:
        minute = (
            f"CASE WHEN second(p.{RECEIVED}) = 0 THEN minute(p.{RECEIVED}) WHEN p.{RECEIVED} IS NOT"
            " NULL THEN -1 END"
        )
        selected.append(f"CAST({minute} AS TINYINT) AS whole_minute")
        for measure in _pairs(config):
            seconds = _seconds(config, measure)
            within = (
                f"CASE WHEN {seconds} < 0 THEN -1 WHEN {seconds} > {LONGEST_SECONDS} THEN"
                f" {LONGEST_SECONDS + 1} ELSE {seconds} END"
            )
            selected.append(f"CAST({within} AS INTEGER) AS {seconds_of(measure)}")
    if "handoff" in fed and any(s.measure == CONNECTION for s in config.file.statistics):
        days = "date_diff('day', p.day, h.connected_on)"
        # The visits that count as connected and no others: so the number of days known is a
        # published count, and tells of no other.
        selected.append(
            f"CAST(CASE WHEN {_handoff(config)} = 'connected' THEN {days} END AS INTEGER) AS"
            f" {CONNECTION}"
        )
    names = [name for name in spec.columns if name in lists or name.startswith("area")]
    codes = dict.fromkeys(
        [
            *(f for f in fed if f.startswith("area")),
            *names,
            *(n for n in ("period", "hour", "weekday") if n in lists),
        ]
    )
    selected += [
        f"{_enumerated(derived[name], lists[name]) if name in derived else f'p.{name}'} AS {name}"
        for name in codes
    ]
    selected += [
        f"{_enumerated(code, lists[name])} AS {name}"
        for name, code in derived.items()
        if name not in codes
    ]
    return (
        f"SELECT {', '.join(selected)}, p.reason AS reason FROM ({parsed}) AS p {' '.join(joins)}"
    )


RELEASED_AFTER = 10
"""Minutes by which an officer must leave before the call is cleared to count as released early."""


def _derived(config: AgencyConfig, fed: Collection[str]) -> dict[str, str]:
    """Codes (SQL) that follow from other fields: why no team came (`served` where one did), the
    wait in bands, the officer released, the handoff."""
    lists, columns = config.codelists, config.file.calls.columns
    found = {}
    if (
        "not_served_reason" in columns
        and "responder" in columns
        and (
            "reached" in lists["responder"].levels
            and "served" in lists["not_served_reason"].by_code
        )
    ):
        came = [
            c
            for c, above in lists["responder"].ancestors("reached").items()
            if above == "clinician"
        ]
        came = [c for c in came if c in lists["responder"].codes_at(lists["responder"].finest)]
        found["not_served_reason"] = (
            f"CASE WHEN p.responder IN ({', '.join(map(literal, came))}) THEN 'served' WHEN"
            " p.not_served_reason = 'served' THEN"
            f" {literal(lists['not_served_reason'].unknown_leaf or '')} ELSE"
            " CAST(p.not_served_reason AS VARCHAR) END"
        )
    if "season" in fed:
        months = {month: code for code, inside in SEASONS.items() for month in inside}
        found["season"] = (
            f"[{', '.join(literal(months[month]) for month in range(1, 13))}][month(p.month)]"
        )
    if "fiscal_year" in fed:
        years = lists["fiscal_year"].codes_at("fiscal_year")
        steps = " ".join(
            f"WHEN p.month BETWEEN DATE '{code[:7]}-01' AND DATE '{code[8:]}-01' THEN"
            f" {literal(code)}"
            for code in years
        )
        found["fiscal_year"] = f"CASE {steps} END"
    if "taken_to_ed" in fed:
        taken = ", ".join(map(literal, TAKEN_TO_ED))
        found["taken_to_ed"] = (
            f"CASE WHEN p.outcome = {literal(lists['outcome'].unknown_leaf or '')} THEN 'unknown' "
            f"WHEN CAST(p.outcome AS VARCHAR) IN ({taken}) THEN 'yes' ELSE 'no' END"
        )
    if "wait" in fed:
        minutes = f"({seconds_from(config, RECEIVED, 'arrived_at')}) / 60.0"
        names = ["under_10", *(f"{low}_to_{high}" for low, high in pairwise(WAIT_EDGES))]
        steps = " ".join(
            f"WHEN {minutes} < {edge} THEN '{name}'"
            for edge, name in zip(WAIT_EDGES, names, strict=True)
        )
        unknown = literal(lists["wait"].unknown_leaf or "")
        found["wait"] = (
            f"CASE WHEN {minutes} IS NULL OR {minutes} NOT BETWEEN 0 AND 1440 THEN {unknown}"
            f" {steps} ELSE 'over_60' END"
        )
    if "officer_released" in fed:
        early = seconds_from(config, "officer_cleared_at", "cleared_at")
        # An officer who left before anyone arrived is a wrong time: not recorded here, as in the
        # officer's minutes on scene.
        against = (
            f"OR ({seconds_from(config, 'arrived_at', 'officer_cleared_at')}) < 0 "
            if "arrived_at" in columns
            else ""
        )
        found["officer_released"] = (
            f"CASE WHEN ({early}) IS NULL {against}THEN 'unknown' WHEN ({early}) >="
            f" {60 * RELEASED_AFTER} THEN 'yes' ELSE 'no' END"
        )
    if "on_duty" in fed:
        found["on_duty"] = (
            f"CASE WHEN p.{RECEIVED} IS NULL THEN 'unknown' WHEN p.{RECEIVED} < d.until THEN 'yes'"
            " ELSE 'no' END"
        )
    if "handoff" in fed:
        found["partner"] = (
            "CASE WHEN h.call_id IS NULL OR h.handoff = 'none' THEN 'none' ELSE coalesce(h.partner,"
            " 'unknown') END"
        )
        found["handoff"] = _handoff(config)
    if "warm" in fed:
        found["warm"] = (
            "CASE WHEN h.call_id IS NULL OR h.handoff = 'none' THEN 'none' ELSE coalesce(h.warm,"
            " 'unknown') END"
        )
    if "follow_up" in fed:
        found["follow_up"] = _follow_up(config)
    return found


def _handoff(config: AgencyConfig) -> str:
    """SQL: the finest code of `codelists.handoff`. A visit counts within 30 days; whose 30 days are
    not over is open, visit or not."""
    days = "date_diff('day', p.day, h.connected_on)"
    return (
        "CASE WHEN coalesce(h.handoff, 'none') NOT IN ('accepted', 'connected') THEN"
        " coalesce(h.handoff, 'none') WHEN p.day IS NULL THEN 'unknown.step' WHEN p.day +"
        f" {VISIT_DAYS} > DATE '{config.file.release.data_to}' THEN 'open.step' WHEN h.handoff ="
        f" 'connected' AND {days} BETWEEN 0 AND {VISIT_DAYS} THEN 'connected' ELSE 'accepted' END"
    )


def _follow_up(config: AgencyConfig) -> str:
    """SQL: the finest code of `codelists.follow_up`. Whose 30 days are not over is open, reached or
    not: else the quick ones alone would count."""
    month, week, day = FOLLOW_UP_DAYS
    days = "date_diff('day', p.day, h.reached_on)"
    return (
        "CASE WHEN h.call_id IS NULL OR h.agreed = 'no' THEN 'none.day' WHEN h.agreed IS NULL OR"
        f" p.day IS NULL OR {days} < 0 THEN 'unknown.day' WHEN p.day + {month} > DATE"
        f" '{config.file.release.data_to}' THEN 'open.day' WHEN coalesce({days}, {month} + 1) >"
        f" {month} THEN 'after_30.day' WHEN {days} > {week} THEN 'days_8_30.day' WHEN {days} >"
        f" {day} THEN 'days_2_7' ELSE 'within_1' END"
    )


WITHIN_CALL = ("minutes_to_backup", "hours_others_freed")
"""Measures whose first time no other measure holds against the call."""
CLOCKS = {
    "minutes_call_to_arrival": (RECEIVED, "arrived_at"),
    "minutes_dispatch_to_arrival": ("dispatched_at", "arrived_at"),
    "minutes_call_to_dispatch": (RECEIVED, "dispatched_at"),
    "minutes_on_scene": ("arrived_at", "cleared_at"),
    "minutes_officer_on_scene": ("arrived_at", "officer_cleared_at"),
    "hours_committed": ("dispatched_at", "cleared_at"),
    "minutes_to_backup": ("backup_requested_at", "backup_arrived_at"),
    "hours_others_freed": ("other_units_cleared_at", "cleared_at"),
}
"""Measure of time -> where it starts and ends."""
COMPARED_BY = {
    **dict.fromkeys(
        (
            "compare_arrest",
            "compare_force_used",
            "compare_repeat_90",
            "compare_restrained",
            "compare_hold",
            "reached_arrest",
            "reached_force_used",
        ),
        ("minutes_call_to_dispatch",),
    ),
    "compare_officer_minutes": ("minutes_officer_on_scene", "minutes_call_to_dispatch"),
    "compare_wait": ("minutes_call_to_arrival",),
}
"""Comparison -> clocks that it reads: of its outcome, and of the wait before dispatch, which no
team can change."""
LONGEST_SECONDS = 24 * 60 * 60
"""A longer time is a typing error or a call left open."""
NEGATIVE, TOO_LONG = 1, 2


def _pairs(config: AgencyConfig) -> list[str]:
    """The measures of time that the agency file's columns can feed."""
    known = {
        *config.file.calls.columns,
        *((RECEIVED,) if has_moment(config.file.calls.time) else ()),
    }
    return [measure for measure, pair in CLOCKS.items() if set(pair) <= known]


def seconds_of(measure: str) -> str:
    """The column of a portrayed call that holds a measure's seconds: -1 where it ends before it
    begins, no more than LONGEST_SECONDS + 1."""
    return f"seconds_{measure}"


def _clocks(config: AgencyConfig) -> list[str]:
    """The measures of time that statistics ask for, of those that columns can feed."""
    asked = {
        name
        for spec in config.file.statistics
        for name in (spec.measure, *COMPARED_BY.get(spec.measure, ()))
    }
    return [measure for measure in _pairs(config) if measure in asked]


def _seconds(config: AgencyConfig, measure: str) -> str:
    """SQL: the seconds of a measure; less than 0 too where backup was asked for, or another
    crew left, before the call came in."""
    first, last = CLOCKS[measure]
    seconds = seconds_from(config, first, last)
    if measure not in WITHIN_CALL:
        return seconds
    return f"CASE WHEN ({seconds_from(config, RECEIVED, first)}) < 0 THEN -1 ELSE {seconds} END"


def _credible(seconds: str) -> str:
    """SQL: the seconds where they are a credible wait, else NULL."""
    return (
        f"CAST(CASE WHEN ({seconds}) BETWEEN 0 AND {LONGEST_SECONDS} THEN {seconds} END AS INTEGER)"
    )


def _odd(seconds: str) -> str:
    return (
        f"CAST(CASE WHEN ({seconds}) < 0 THEN {NEGATIVE} WHEN ({seconds}) > {LONGEST_SECONDS} THEN"
        f" {TOO_LONG} END AS TINYINT)"
    )


def _mark_repeats(engine: Engine, config: AgencyConfig) -> None:
    """Of the usable rows of one call keep the first (or the last); the others get their reason."""
    spec = config.file.calls
    if "call_id" not in spec.columns:
        return
    if engine.find_repeats(f"{'max' if spec.repeated_rows == 'keep_last' else 'min'}({PLACE})"):
        engine.mark_repeats("duplicate_call_id" if spec.repeated_rows == "no" else "repeated")


def _stage_combined(
    engine: Engine,
    config: AgencyConfig,
    source: Source,
    fields: Sequence[FieldCodes],
    lent: Mapping[str, pa.Table],
    *,
    portrayed: bool,
) -> tuple[int, dict[str, int]]:
    """Stage the rows, make those of one call into one, and only then derive what follows from them.
    Returns the calls that differ without a rule."""
    spec = config.file.calls
    engine.stage(source, _parsed_query(config, fields), lent)
    rule = rule_of(spec, RECEIVED)
    came_in = f"coalesce({RECEIVED}, CAST(day AS TIMESTAMP), CAST(month AS TIMESTAMP))"
    kept = {
        "first": f"min({PLACE})",
        "last": f"max({PLACE})",
        "latest": f"arg_max({PLACE}, {came_in})",
    }.get(str(rule), f"arg_min({PLACE}, {came_in})")
    differing: tuple[int, dict[str, int]] = (0, {})
    if engine.find_repeats(f"coalesce({kept}, min({PLACE}))"):
        columns = list(engine.ask("SELECT * FROM staged LIMIT 0").columns)
        lists = config.codelists | {f.name: f.codelist for f in fields}
        differing = count_differing(
            engine,
            [
                name
                for name in fields_without_rule(spec, _compared(config, fields))
                if name in columns
            ],
            {k: v for k, v in undecided_by_order(spec, lists).items() if k in columns},
        )
        combine_rows(engine, spec, lists, columns)
        engine.mark_repeats("repeated")
    engine.make("staged", _derived_query(config, "SELECT * FROM staged", portrayed=portrayed))
    return differing


def _compared(config: AgencyConfig, fields: Sequence[FieldCodes]) -> list[str]:
    """The columns in which rows of one call can differ."""
    return (
        [f.name for f in fields]
        + _times(config)
        + (["person_key"] if "person_key" in _keys(config) else [])
        + [RECEIVED]
    )


def _differing(
    engine: Engine, config: AgencyConfig, fields: Sequence[FieldCodes]
) -> tuple[int, dict[str, int]]:
    """Calls of which one row was kept though they differ in a field that is read: in all, and per
    field."""
    spec = config.file.calls
    if (
        "call_id" not in spec.columns
        or spec.repeated_rows == "no"
        or not engine.ask("SELECT count(*) AS n FROM repeats")["n"][0]
    ):
        return 0, {}
    there = set(engine.ask("SELECT * FROM staged LIMIT 0").columns)
    # The times themselves are not kept; what follows from them is.
    derived = [
        name
        for name in ("period", "day", "hour", *_clocks(config), "wait", *_keys(config)[1:])
        if name in there
    ]
    return count_differing(engine, list(dict.fromkeys([*(f.name for f in fields), *derived])))


def _note_reasons(tally: Tally, reasons: Iterable[tuple[str, int]]) -> None:
    """Why rows did not count, and how many of each reason."""
    for reason, n in reasons:
        if reason == "repeated":
            tally.repeated = n
        elif reason in LEFT_OUT:
            tally.left_out[reason] = n
        else:
            kind = "malformed" if reason.startswith("malformed") else reason
            tally.rejected[kind] = tally.rejected.get(kind, 0) + n


def _tally(
    engine: Engine, config: AgencyConfig, source: Source, fields: Sequence[FieldCodes]
) -> Tally:
    """Where all rows went, in one look at them."""
    spec = config.file.calls
    wanted = {
        "rows": "count(*)",
        "counted": _number("reason IS NULL"),
        "filled_day": _number("day IS NOT NULL AND reason IS NULL"),
    }
    times = _times(config)
    keys = [*times, *(["person_key"] if "person_key" in spec.columns else [])]
    wanted |= {
        name: _number(f"{NOTE} = {number} AND reason IS NULL")
        for name, number in TIME_NOTES.items()
    }
    wanted |= {
        "at_midnight": _number("full_hour = 0 AND reason IS NULL"),
        "on_the_hour": _number("full_hour > 0 AND reason IS NULL"),
    }
    wanted |= {f"misread_{name}": _number(f"{name}_misread AND reason IS NULL") for name in times}
    wanted |= {f"filled_{name}": _number(f"has_{name} AND reason IS NULL") for name in times}
    for measure in _pairs(config):
        wanted |= {
            f"odd_{kind}_{measure}": _number(f"odd_{measure} = {kind} AND reason IS NULL")
            for kind in (NEGATIVE, TOO_LONG)
        }
    # A reason is asked for only where a team might have come and did not.
    asks = "served" in (
        config.codelists["not_served_reason"].by_code if "not_served_reason" in spec.columns else ()
    )
    if asks:
        asked = "reason IS NULL AND not_served_reason <> 'served'" + (
            " AND eligible = 'yes'" if "eligible" in spec.columns else ""
        )
        wanted |= {
            "asked": _number(asked),
            "answered": _number(f"{asked} AND not_served_reason <> 'unknown'"),
        }
    of_some = {name: of for name, of in OF_SOME.items() if {name, of[1]} <= spec.columns.keys()}
    for name, (_of, _field_name, where) in of_some.items():
        there = (
            f"has_{name}"
            if name in TIME_FIELDS
            else f"{name} <> {literal(config.codelists[name].unknown_leaf or UNKNOWN)}"
        )
        wanted |= {
            f"of_{name}": _number(f"reason IS NULL AND {where}"),
            f"with_{name}": _number(f"reason IS NULL AND {where} AND {there}"),
        }
    row = engine.ask(
        f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in wanted.items())} FROM staged"
    ).iloc[0]
    found = {name: int(row[name]) for name in wanted}
    reasons = engine.ask(
        "SELECT reason, count(*) AS n FROM staged WHERE reason IS NOT NULL GROUP BY reason ORDER BY"
        " reason"
    )
    tally = Tally(files=source.names, rows=found["rows"], counted=found["counted"])
    _note_reasons(tally, zip(reasons["reason"].astype(str), reasons["n"].astype(int), strict=True))
    tally.notes |= {
        name: found[name]
        for name in (
            "time_from_year_and_month",
            "comes_twice",
            "skipped",
            "at_midnight",
            "on_the_hour",
        )
    }
    tally.misread = {
        name: (found[f"misread_{name}"], found[f"misread_{name}"] + found[f"filled_{name}"])
        for name in times
    }
    tally.misread["clock"] = (
        found["clock_misread"],
        tally.counted if spec.time.clock or spec.time.hour else 0,
    )
    for measure in _pairs(config):
        tally.durations[measure] = (
            found[f"odd_{NEGATIVE}_{measure}"],
            found[f"odd_{TOO_LONG}_{measure}"],
        )
    by_month = _by_month(engine, config, fields, keys)
    for name, months in by_month.items():
        filled = sum(n for n, _rows in months.values())
        tally.completeness[name] = (filled, tally.counted)
        if name not in keys:
            tally.notes[f"unknown_{name}"] = tally.counted - filled
    if "call_id" in spec.columns:
        tally.completeness["call_id"] = (
            tally.counted,
            tally.counted,
        )  # a call without one is rejected
    if not spec.time.period:
        tally.completeness["received_at (day)"] = (found["filled_day"], tally.counted)
    if asks and "not_served_reason" in _derived(config, mapped_dimensions(config)):
        tally.completeness["not_served_reason"] = (found["answered"], found["asked"])
        tally.asked_of["not_served_reason"] = (
            ELIGIBLE_NOT_SERVED if "eligible" in spec.columns else NOT_SERVED
        )
    for name, (of, _field_name, _where) in of_some.items():
        tally.completeness[name] = (found[f"with_{name}"], found[f"of_{name}"])
        tally.asked_of[name] = of
    if not spec.time.period:
        tally.by_month = by_month
    if spec.count:
        tally.records = int(engine.ask(f"SELECT count(DISTINCT {PLACE}) AS n FROM staged")["n"][0])
    if (
        tally.counted + tally.repeated + sum(tally.left_out.values()) + sum(tally.rejected.values())
        != tally.rows
    ):
        raise AssertionError("a row was lost between reading and counting; please report this")
    return tally


def _by_month(
    engine: Engine, config: AgencyConfig, fields: Sequence[FieldCodes], times: Sequence[str]
) -> dict[str, dict[str, tuple[int, int]]]:
    """Field -> month (`all` where calls have none) -> (usable rows with the field filled, usable
    rows)."""
    # A value mapped to 'unknown' (Toronto's NSA) is as unknown as a blank.
    blank = {
        f.name: (
            f"{f.name} = {literal(f.codelist.unknown_leaf)}" if f.codelist.unknown_leaf else "false"
        )
        for f in fields
    }
    if "hour" in config.codelists and (unknown := config.codelists["hour"].unknown_leaf):
        blank["hour"] = f"hour = {literal(unknown)}"
    blank |= {name: f"NOT has_{name}" for name in times}
    asked = "".join(f", {_number(where)} AS {name}" for name, where in blank.items())
    rows = engine.ask(
        f"SELECT period AS month, count(*) AS rows_of_month{asked} FROM calls GROUP BY period"
    )
    listed = rows.astype({"month": str}).sort_values("month").to_dict("records")
    return {
        name: {
            row["month"]: (int(row["rows_of_month"] - row[name]), int(row["rows_of_month"]))
            for row in listed
        }
        for name in blank
    }


def _number(where: str) -> str:
    return f"count(*) FILTER (WHERE {where})"


def _write_rejects(engine: Engine, source: Source, private: Path) -> None:
    """Where each rejected record stands (line of a text, row of a sheet, number of a record in
    Parquet) and why; never what it holds. Readable by its owner alone."""
    unlisted = ", ".join(map(literal, ("repeated", *LEFT_OUT)))
    rows = engine.ask(
        "SELECT file_no, row_no, reason FROM staged WHERE reason IS NOT NULL AND reason NOT IN"
        f" ({unlisted}) GROUP BY ALL ORDER BY file_no, row_no"
    )
    private.mkdir(parents=True, exist_ok=True)
    target = private / "rejects.csv"
    with open(
        os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        "w",
        newline="",
        encoding="utf-8",
    ) as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "line", "reason", "meaning"])
        for file_no, row_no, reason in rows.itertuples(index=False, name=None):
            malformed = reason.startswith("malformed")
            meaning = (
                FAULTS[reason[11:-1]]
                if malformed
                else REASONS.get(reason, f"the field {reason.removeprefix('no_')} is blank")
            )
            writer.writerow([source.names[file_no], row_no, reason, meaning])


__all__ = ["CLOCKS", "Tally", "find_calls", "merge_codes", "read_calls", "seconds_of"]
