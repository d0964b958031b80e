"""Canonical call records: one row per call, every field a code of its codelist, in DuckDB.

Each input row ends in exactly one of three places: the table `calls`, the tally of repeated rows of a
call already counted, or the private rejects file with its reason.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd

from anonymize.agency.load import CATCH_ALL, AgencyConfig, mapped_dimensions, normalise
from anonymize.agency.schema import CATEGORY_FIELDS, FLAG_FIELDS, TIME_FIELDS
from anonymize.areas import AreaSystem, place_points
from anonymize.codelists import UNKNOWN, WAIT_EDGES, Codelist
from anonymize.errors import MappingError, SourceError
from anonymize.inputs import note_on_duty, read_handoffs
from anonymize.progress import QUIET, Progress
from anonymize.sources import Malformed, Opened, literal, one_number, open_source, quote

EARLIEST_YEAR = 1950
"""A call before this year is a typing error or a placeholder, not a call."""
OUTSIDE = "outside_period"
REASONS = {
    "malformed": "the line does not have the table's columns",
    "no_call_id": "the call id is blank",
    "no_time": "there is no time",
    "impossible_time": "the time is no date, lies before 1950 or after the release was made",
    "impossible_hour": "the hour is not 0 to 23",
    OUTSIDE: "the call lies outside the release's period (data_from to data_to)",
    "duplicate_call_id": "the call id stands on an earlier row (write repeated_rows if a call may fill several rows)",
}
_YES = ("y", "yes", "true", "t", "1", "1.0")
_NO = ("n", "no", "false", "f", "0", "0.0")
MOST_VALUES_LISTED = 200
_LONGEST_VALUE_LISTED = 80
_MONTHS = (
    ("january", "jan", "enero"), ("february", "feb", "febrero"), ("march", "mar", "marzo"), ("april", "apr", "abril"),
    ("may", "mayo"), ("june", "jun", "junio"), ("july", "jul", "julio"), ("august", "aug", "agosto"),
    ("september", "sep", "sept", "septiembre"), ("october", "oct", "octubre"), ("november", "nov", "noviembre"),
    ("december", "dec", "diciembre"),
)  # fmt: skip


@dataclass
class Tally:
    """Where every input row went, in numbers. `completeness` is (rows filled, rows) per field."""

    files: tuple[str, ...] = ()
    rows: int = 0
    counted: int = 0
    repeated: int = 0
    conflicting_repeats: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    completeness: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def faulty(self) -> int:
        """Rejected rows that count towards the limit: all but those outside the period."""
        return sum(n for reason, n in self.rejected.items() if reason != OUTSIDE)


@dataclass(frozen=True)
class _Field:
    """One canonical column: its SQL, the tables it joins, and how a reason to reject it reads."""

    name: str
    source: str
    code: str
    joins: tuple[str, ...]
    codelist: Codelist


def read_calls(
    db: duckdb.DuckDBPyConnection, config: AgencyConfig, areas: dict[str, AreaSystem], private: Path, progress: Progress = QUIET
) -> Tally:
    """Fill the table `calls` and write the rejects file; returns the tally.

    `calls` has a column per fed dimension (finest codes; `period` as month code), the times (local), `call_id` and
    `person_key` where mapped. Raises SourceError (unreadable file, missing column, too many rejects)
    and MappingError (values that the agency file does not map, all of them).
    """
    spec = config.file.calls
    columns = _columns(config)
    with progress.step("Reading calls"):
        opened = open_source(db, spec, config.path.parent, columns)
    with progress.step("Making canonical records"):
        fields = [_category(db, config, name, areas) for name in _category_fields(config)]
        _refuse_unmapped(db, config, fields)
        fields += _placed(db, config, areas)
        _create_staged(db, config, fields)
        tally = _split(db, config, opened, fields)
        _add_derived(db, config, tally)
    _write_rejects(db, opened, private)
    limit = spec.reject_limit_percent
    total = tally.rows
    if total and 100 * tally.faulty / total > limit:
        raise SourceError([
            f"{config.path}: {tally.faulty} of {total} rows cannot be used, more than the limit of {limit:g} % "
            f"('calls.reject_limit_percent'); {_reasons(tally)}; see {private / 'rejects.csv'} for each row"
        ])  # fmt: skip
    if not tally.counted:
        raise SourceError([f"{config.path}: no call is left to count; {_reasons(tally) or 'the files hold no rows'}"])
    return tally


def _reasons(tally: Tally) -> str:
    return "; ".join(f"{n} because {REASONS.get(reason, reason)}" for reason, n in tally.rejected.items())


def _columns(config: AgencyConfig) -> list[str]:
    time = config.file.calls.time
    names = [column for columns in config.file.calls.columns.values() for column in columns]
    names += [*time.timestamp, *time.date, *filter(None, (time.clock, time.hour, time.year, time.month))]
    return list(dict.fromkeys(names))


def _category_fields(config: AgencyConfig) -> list[str]:
    return [f for f in config.file.calls.columns if f in CATEGORY_FIELDS + FLAG_FIELDS or f in config.file.areas]


def _clean(config: AgencyConfig, column: str, *, is_time: bool = False) -> str:
    """SQL: the value without outer blanks; NULL for blanks and placeholders.

    A placeholder date also matches when a midnight clock is written behind it.
    """
    trimmed = f"nullif(trim({quote(column)}, ' \t\r\n\u00a0'), '')"
    marks = [normalise(mark) for mark in config.file.calls.placeholders]
    if not marks:
        return trimmed
    compared = f"lower({trimmed})"
    if is_time:
        compared = f"regexp_replace({compared}, '[ t]00:00(:00)?([.]0+)?$', '')"
    return f"CASE WHEN {compared} IN ({', '.join(map(literal, marks))}) THEN NULL ELSE {trimmed} END"


def _key(expression: str) -> str:
    return f"lower(regexp_replace(nfc_normalize({expression}), '\\s+', ' ', 'g'))"


def _category(db: duckdb.DuckDBPyConnection, config: AgencyConfig, name: str, areas: dict[str, AreaSystem]) -> _Field:
    """The codes of one category, flag or area field by its value map."""
    system = areas.get(name)
    codelist = system.codelist if system else config.codelists[name]
    pairs: dict[str, str] = {}
    for node in codelist.nodes:
        if node.level == codelist.finest:
            pairs[normalise(node.code)] = node.code
        elif system and config.file.areas[name].coarse_values and node.code != "all":
            leaf = f"{node.code}.{UNKNOWN}"
            pairs[normalise(node.code)] = next(
                (n.code for n in codelist.nodes if n.level == codelist.finest and n.code.startswith(leaf)), node.code
            )
    if name in FLAG_FIELDS:
        pairs |= dict.fromkeys(_YES, "yes") | dict.fromkeys(_NO, "no")
    for value, code in config.file.calls.values.get(name, {}).items():
        if value == CATCH_ALL:
            continue
        target = codelist.unknown_leaf if code == UNKNOWN else code
        if target is None or target not in codelist.by_code:
            raise MappingError([f"{config.path}: [calls.values.{name}] maps to '{code}', which is not a code of '{name}'"])
        pairs[normalise(system.clean(value) if system else value)] = target
    db.register(f"map_{name}", pd.DataFrame({"key": list(pairs), "code": list(pairs.values())}, dtype=str))
    sources, codes, joins = [], [], []
    for i, column in enumerate(config.file.calls.columns[name]):
        value = _clean(config, column)
        if system and system.strip_zeros:
            value = f"coalesce(nullif(ltrim({value}, '0'), ''), CASE WHEN {value} IS NOT NULL THEN '0' END)"
        alias = f"m_{name}_{i}"
        joins.append(f"LEFT JOIN map_{name} AS {alias} ON {alias}.key = {_key(value)}")
        sources.append(value)
        codes.append(f"{alias}.code")
    catch_all = config.file.calls.values.get(name, {}).get(CATCH_ALL)
    source = f"coalesce({', '.join(sources)})"
    code = f"coalesce({', '.join(codes)})"
    if catch_all:
        target = codelist.unknown_leaf if catch_all == UNKNOWN else catch_all
        code = f"coalesce({code}, CASE WHEN {source} IS NOT NULL THEN {literal(target or '')} END)"
    return _Field(name, source, code, tuple(joins), codelist)


def _refuse_unmapped(db: duckdb.DuckDBPyConnection, config: AgencyConfig, fields: Sequence[_Field]) -> None:
    problems: list[str] = []
    for item in fields:
        found = db.execute(
            f"SELECT DISTINCT {item.source} AS value FROM raw {' '.join(item.joins)} "
            f"WHERE {item.source} IS NOT NULL AND {item.code} IS NULL ORDER BY value LIMIT {MOST_VALUES_LISTED + 1}"
        ).fetchall()
        values = [str(row[0]) for row in found]
        if not values:
            continue
        where = f"{config.path}: [calls.values.{item.name}]"
        if len(values) > MOST_VALUES_LISTED or max(map(len, values)) > _LONGEST_VALUE_LISTED:
            # Long or countless values look like free text or keys, which no message may show.
            problems.append(
                f"{where}: the column holds too many or too long values that are not mapped; it does not look like a category. "
                f"Name another column, or map the rest with '{CATCH_ALL}' = \"unknown\""
            )
        else:
            listed = "\n".join(f'  "{value}" = ""' for value in values)
            codes = ", ".join(item.codelist.codes_at(item.codelist.finest)[:40])
            problems.append(f"{where}: {len(values)} value(s) are not mapped; add each with one of the codes {codes}:\n{listed}")
    if problems:
        raise MappingError(problems)


def _placed(db: duckdb.DuckDBPyConnection, config: AgencyConfig, areas: dict[str, AreaSystem]) -> list[_Field]:
    """Area fields from points, for the systems that have outlines but no column."""
    columns = config.file.calls.columns
    if "lon" not in columns:
        return []
    lon, lat = (f"try_cast({_clean(config, columns[axis][0])} AS DOUBLE)" for axis in ("lon", "lat"))
    points = db.execute(f"SELECT DISTINCT {lon} AS lon, {lat} AS lat FROM raw WHERE {lon} IS NOT NULL AND {lat} IS NOT NULL").df()
    fields = []
    for name, system in areas.items():
        if name in columns or system.boundaries is None:
            continue
        placed = points.assign(code=place_points(points, system)).dropna()
        db.register(f"map_{name}", placed)
        join = f"LEFT JOIN map_{name} AS m_{name} ON m_{name}.lon = {lon} AND m_{name}.lat = {lat}"
        fields.append(_Field(name, lon, f"m_{name}.code", (join,), system.codelist))
    return fields


@dataclass(frozen=True)
class _Time:
    """SQL of the moment and the day (exact, or NULL), the month's first day, the hour (NULL unknown), and its faults."""

    at: str
    day: str
    month: str
    hour: str
    given: str
    fell_back: str
    bad_hour: str


def _moment(config: AgencyConfig, column: str) -> str:
    """SQL: the local time that a column holds; NULL where it is none, or an impossible one."""
    spec, agency = config.file.calls.time, config.file.agency
    latest = config.file.release.created + timedelta(days=1)

    def possible(moment: str) -> str:
        return f"CASE WHEN year({moment}) >= {EARLIEST_YEAR} AND {moment} <= TIMESTAMP '{latest} 00:00:00' THEN {moment} END"

    value = _clean(config, column, is_time=True)
    local = f"try_strptime({value}, {literal(spec.format)})" if spec.format else f"try_cast({value} AS TIMESTAMP)"
    if spec.timezone:
        local = f"timezone({literal(agency.timezone)}, timezone({literal(spec.timezone)}, {local}))"
    if spec.format:
        return possible(local)
    # A written offset (Z, +02:00) says the zone itself.
    offset = f"regexp_matches({value}, ':[0-9.]+ ?(Z|z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')"
    zoned = f"timezone({literal(agency.timezone)}, try_cast({value} AS TIMESTAMPTZ))"
    return possible(f"CASE WHEN {offset} THEN {zoned} ELSE {local} END")


def _time(config: AgencyConfig) -> _Time:
    spec = config.file.calls.time
    latest = config.file.release.created + timedelta(days=1)
    exact = [_moment(config, column) for column in (*spec.timestamp, *spec.date)]
    raw = [_clean(config, column, is_time=True) for column in (*spec.timestamp, *spec.date)]
    at = f"coalesce({', '.join(exact)})" if exact else "CAST(NULL AS TIMESTAMP)"
    given = f"coalesce({', '.join(raw)})" if raw else "CAST(NULL AS VARCHAR)"
    month, fell_back = f"CAST(date_trunc('month', {at}) AS DATE)", "false"
    if spec.year and spec.month:
        name = f"lower({_clean(config, spec.month)})"
        cases = " ".join(f"WHEN {name} IN ({', '.join(map(literal, names))}) THEN {i}" for i, names in enumerate(_MONTHS, 1))
        number = f"CASE {cases} ELSE try_cast({name} AS INTEGER) END"
        year = f"try_cast({_clean(config, spec.year)} AS INTEGER)"
        plain = f"CASE WHEN {number} BETWEEN 1 AND 12 AND {year} BETWEEN {EARLIEST_YEAR} AND {latest.year} THEN make_date({year}, {number}, 1) END"
        fell_back = f"({given} IS NOT NULL AND {at} IS NULL AND {plain} IS NOT NULL)"
        given = f"coalesce({given}, {_clean(config, spec.year)}, {_clean(config, spec.month)})"
        month = f"coalesce({month}, {plain})"
    hour, bad_hour = "CAST(NULL AS INTEGER)", "false"
    if spec.timestamp:
        hour = f"CAST(hour({at}) AS INTEGER)"
    elif spec.clock:
        hour = f"try_cast(regexp_extract({_clean(config, spec.clock)}, '([0-9]{{1,2}}):[0-9]{{2}}', 1) AS INTEGER)"
    elif spec.hour:
        value = _clean(config, spec.hour)
        hour = f"try_cast({value} AS INTEGER)"
        bad_hour = f"({value} IS NOT NULL AND coalesce({hour} NOT BETWEEN 0 AND 23, true))"
        if spec.blank_hour is not None:
            hour = f"CASE WHEN {value} IS NULL THEN {spec.blank_hour} ELSE {hour} END"
    return _Time(at, f"CAST({at} AS DATE)", month, hour, given, fell_back, bad_hour)


def _create_staged(db: duckdb.DuckDBPyConnection, config: AgencyConfig, fields: Sequence[_Field]) -> None:
    """The table `staged`: one row per input row, with its reason to be rejected (or NULL)."""
    release, spec = config.file.release, config.file.calls
    selected = ["file_no", "row_no"]
    for key in ("call_id", "person_key"):
        if key in spec.columns:
            selected.append(f"{_clean(config, spec.columns[key][0])} AS {key}")
    for name in TIME_FIELDS:
        if name in spec.columns:
            selected.append(f"{_moment(config, spec.columns[name][0])} AS {name}")
    time = _time(config)
    selected += [
        f"{time.at} AS received_at", f"{time.day} AS day", f"{time.month} AS month", f"{time.hour} AS hour_number",
        f"{time.given} IS NOT NULL AS time_given", f"{time.fell_back} AS time_fell_back", f"{time.bad_hour} AS bad_hour",
    ]  # fmt: skip
    joins: list[str] = []
    for item in fields:
        selected.append(f"{item.code} AS {item.name}")
        joins += item.joins
    db.execute(f"CREATE TABLE parsed AS SELECT {', '.join(selected)} FROM raw {' '.join(joins)}")

    reasons = []
    if "call_id" in spec.columns:
        reasons.append("WHEN call_id IS NULL THEN 'no_call_id'")
    if not spec.time.period:
        reasons.append("WHEN month IS NULL AND time_given THEN 'impossible_time'")
        reasons.append("WHEN month IS NULL THEN 'no_time'")
        reasons.append(
            f"WHEN coalesce(day NOT BETWEEN DATE '{release.data_from}' AND DATE '{release.data_to}', "
            f"month NOT BETWEEN DATE '{release.data_from.replace(day=1)}' AND DATE '{release.data_to}') THEN '{OUTSIDE}'"
        )
    if "hour" in config.codelists and config.codelists["hour"].unknown_leaf is None:
        reasons.append("WHEN bad_hour THEN 'impossible_hour'")
    for item in fields:
        if item.codelist.unknown_leaf is None:
            reasons.append(f"WHEN {item.name} IS NULL THEN 'no_{item.name}'")
    reason = f"CASE {' '.join(reasons)} END" if reasons else "NULL"
    db.execute(f"CREATE TABLE staged AS SELECT *, CAST({reason} AS VARCHAR) AS reason FROM parsed")
    db.execute("DROP TABLE parsed")
    if "call_id" in spec.columns:
        order = "DESC" if spec.repeated_rows == "keep_last" else "ASC"
        repeat = "duplicate_call_id" if spec.repeated_rows == "no" else "repeated"
        db.execute(
            f"CREATE OR REPLACE TABLE staged AS SELECT * EXCLUDE (reason, place), "
            f"CASE WHEN reason IS NULL AND place > 1 THEN '{repeat}' ELSE reason END AS reason FROM ("
            f"SELECT *, row_number() OVER (PARTITION BY call_id, reason IS NULL ORDER BY file_no {order}, row_no {order}) AS place FROM staged)"
        )


def _split(db: duckdb.DuckDBPyConnection, config: AgencyConfig, opened: Opened, fields: Sequence[_Field]) -> Tally:
    """The table `calls` from the usable rows of `staged`, and the tally of all rows."""
    spec = config.file.calls
    selected: list[str] = [key for key in ("call_id", "person_key") if key in spec.columns]
    selected += ["received_at", "day", *(name for name in TIME_FIELDS if name in spec.columns)]
    selected.append("strftime(month, '%Y-%m') AS period" if not spec.time.period else "'all' AS period")
    if "hour" in config.codelists:
        unknown = config.codelists["hour"].unknown_leaf
        hour = "CASE WHEN hour_number BETWEEN 0 AND 23 THEN printf('%02d', hour_number) END"
        selected.append(f"coalesce({hour}, {literal(unknown)}) AS hour" if unknown else f"{hour} AS hour")
    if "weekday" in config.codelists:
        unknown = config.codelists["weekday"].unknown_leaf
        day = "CAST(isodow(day) AS VARCHAR)"
        selected.append(f"coalesce({day}, {literal(unknown)}) AS weekday" if unknown else f"{day} AS weekday")
    for item in fields:
        leaf = item.codelist.unknown_leaf
        selected.append(f"coalesce({item.name}, {literal(leaf)}) AS {item.name}" if leaf else item.name)
    db.execute(f"CREATE TABLE calls AS SELECT {', '.join(selected)} FROM staged WHERE reason IS NULL")

    def count(where: str) -> int:
        return one_number(db, f"SELECT count(*) FROM staged WHERE {where}")

    tally = Tally(files=opened.files, rows=opened.rows + len(opened.malformed), counted=count("reason IS NULL"))
    tally.repeated = count("reason = 'repeated'")
    grouped = db.execute("SELECT reason, count(*) FROM staged WHERE reason IS NOT NULL AND reason <> 'repeated' GROUP BY ALL ORDER BY 1")
    tally.rejected = {str(reason): int(n) for reason, n in grouped.fetchall()}
    if opened.malformed:
        tally.rejected["malformed"] = len(opened.malformed)
    tally.notes["time_from_year_and_month"] = count("time_fell_back AND reason IS NULL")
    for item in fields:
        # A value mapped to 'unknown' (Toronto's NSA) is as unknown as a blank.
        blank = count(f"({item.name} IS NULL OR {item.name} = {literal(item.codelist.unknown_leaf or '')}) AND reason IS NULL")
        tally.notes[f"unknown_{item.name}"] = blank
        tally.completeness[item.name] = (tally.counted - blank, tally.counted)
    for name in (k for k in (*TIME_FIELDS, "call_id", "person_key") if k in spec.columns):
        tally.completeness[name] = (count(f"{name} IS NOT NULL AND reason IS NULL"), tally.counted)
    if not spec.time.period:
        tally.completeness["received_at (day)"] = (count("day IS NOT NULL AND reason IS NULL"), tally.counted)
    if tally.repeated and fields:
        differ = " OR ".join(f"count(DISTINCT coalesce({f.name}, '')) > 1" for f in fields)
        kept = "SELECT call_id FROM staged WHERE reason IS NULL OR reason = 'repeated'"
        tally.conflicting_repeats = one_number(db, f"SELECT count(*) FROM ({kept} GROUP BY call_id HAVING {differ})")
    if tally.counted + tally.repeated + sum(tally.rejected.values()) != tally.rows:
        raise AssertionError("a row was lost between reading and counting; please report this")
    return tally


RELEASED_AFTER = 10
"""Minutes by which an officer must leave before the call is cleared to count as released early (MEASURES.md T4)."""


def _add_derived(db: duckdb.DuckDBPyConnection, config: AgencyConfig, tally: Tally) -> None:
    """Fields that follow from others: why no team came (`served` where one did), the wait in bands, the officer released, the handoff."""
    fed, columns = mapped_dimensions(config), config.file.calls.columns
    added = []
    if "not_served_reason" in columns and "responder" in columns:
        reached = [c for c, above in config.codelists["responder"].ancestors("reached").items() if above == "clinician"] if (
            "reached" in config.codelists["responder"].levels and "served" in config.codelists["not_served_reason"].by_code
        ) else []  # fmt: skip
        if reached:
            listed = ", ".join(map(literal, reached))
            added.append(f"CASE WHEN responder IN ({listed}) THEN 'served' ELSE not_served_reason END AS not_served_reason")
    if "wait" in fed:
        minutes = "date_diff('second', received_at, arrived_at) / 60.0"
        names = ["under_10", *(f"{low}_to_{high}" for low, high in pairwise(WAIT_EDGES))]
        steps = " ".join(f"WHEN {minutes} < {edge} THEN '{name}'" for edge, name in zip(WAIT_EDGES, names, strict=True))
        added.append(
            f"CASE WHEN {minutes} IS NULL OR {minutes} NOT BETWEEN 0 AND 1440 THEN {literal(config.codelists['wait'].unknown_leaf or '')} {steps} ELSE 'over_60' END AS wait"
        )
    if "officer_released" in fed:
        early = f"officer_cleared_at + INTERVAL {RELEASED_AFTER} MINUTE <= cleared_at"
        added.append(
            f"CASE WHEN officer_cleared_at IS NULL OR cleared_at IS NULL THEN 'unknown' WHEN {early} THEN 'yes' ELSE 'no' END AS officer_released"
        )
    if "on_duty" in fed:
        note_on_duty(db, config)
        working = "SELECT DISTINCT received_at FROM calls JOIN on_duty ON received_at >= start AND received_at < until"
        db.execute(f"CREATE TABLE covered AS {working}")
        inside = "received_at IN (SELECT received_at FROM covered)"
        added.append(f"CASE WHEN received_at IS NULL THEN 'unknown' WHEN {inside} THEN 'yes' ELSE 'no' END AS on_duty")
    joins = ""
    if "handoff" in fed:
        read_handoffs(db, config, {name: config.codelists[name].codes_at(config.codelists[name].finest) for name in ("partner",)})
        added += [
            "CASE WHEN handoffs.call_id IS NULL OR handoffs.handoff = 'none' THEN 'none' ELSE coalesce(handoffs.partner, 'unknown') END AS partner",
            "coalesce(handoffs.handoff, 'none') AS handoff",
        ]
        joins = "LEFT JOIN handoffs USING (call_id)"
    if added:
        replaced = "EXCLUDE (not_served_reason)" if any(a.endswith("AS not_served_reason") for a in added) else ""
        db.execute(f"CREATE OR REPLACE TABLE calls AS SELECT calls.* {replaced}, {', '.join(added)} FROM calls {joins}")
        if replaced:  # a reason is asked for only where a team might have come and did not
            asked = "not_served_reason <> 'served'" + (" AND eligible = 'yes'" if "eligible" in columns else "")
            filled = one_number(db, f"SELECT count(*) FROM calls WHERE {asked} AND not_served_reason <> 'unknown'")
            tally.completeness["not_served_reason"] = (filled, one_number(db, f"SELECT count(*) FROM calls WHERE {asked}"))


def _write_rejects(db: duckdb.DuckDBPyConnection, opened: Opened, private: Path) -> None:
    """Where each rejected row stands and why; never what it holds. Readable by its owner alone."""
    rows = db.execute(
        "SELECT file_no, row_no, reason FROM staged WHERE reason IS NOT NULL AND reason <> 'repeated' ORDER BY 1, 2"
    ).fetchall()
    private.mkdir(parents=True, exist_ok=True)
    target = private / "rejects.csv"
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "row", "reason", "meaning"])
        for file_no, row_no, reason in rows:
            writer.writerow(
                [opened.files[file_no], row_no, reason, REASONS.get(reason, f"the field {reason.removeprefix('no_')} is blank")]
            )
        for bad in opened.malformed:
            writer.writerow([bad.file, f"line {bad.line}", f"malformed ({bad.kind})", REASONS["malformed"]])


__all__ = ["Malformed", "Tally", "read_calls"]
