"""Canonical call records: one row per call, every field a code of its codelist, in the engine.

Each input row ends in exactly one of three places: the table `calls`, the tally of repeated rows of a
call already counted, or the private rejects file with its reason.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from anonymize.agency.load import CATCH_ALL, AgencyConfig, mapped_dimensions, normalise
from anonymize.agency.schema import CATEGORY_FIELDS, FLAG_FIELDS, TIME_FIELDS
from anonymize.areas import AreaSystem, place_points
from anonymize.codelists import FOLLOW_UP_DAYS, SEASONS, TAKEN_TO_ED, UNKNOWN, WAIT_EDGES, Codelist, months_between
from anonymize.engine import PLACE, Engine
from anonymize.errors import MappingError, SourceError
from anonymize.inputs import read_handoffs, read_on_duty
from anonymize.progress import QUIET, Progress
from anonymize.sources import MALFORMED, Source, find_source, literal, quote

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
_BLANKS = " \t\r\n\u00a0"
BUCKETS = 1 << 20
"""People are put into so many by a hash of their key."""
REPEATED = "repeat_people"
"""How the measures of people who called again begin."""
FREQUENT = "calls_of_frequent"
WITHOUT_TEAM = "hours_without_team"
CONNECTION = "days_to_connection"
LONGEST_DAYS = 365
"""A visit so long after a call is not put down to it."""
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
    """Where every input row went, in numbers. `completeness` is (rows filled, rows) per field, `by_month` the same per field and month."""

    files: tuple[str, ...] = ()
    rows: int = 0
    counted: int = 0
    repeated: int = 0
    conflicting_repeats: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    completeness: dict[str, tuple[int, int]] = field(default_factory=dict)
    by_month: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    @property
    def faulty(self) -> int:
        """Rejected rows that count towards the limit: all but those outside the period."""
        return sum(n for reason, n in self.rejected.items() if reason != OUTSIDE)


@dataclass(frozen=True)
class _Field:
    """One canonical field: the columns it is read from, and the table that gives each combination of their texts its code."""

    name: str
    columns: tuple[str, ...]
    codes: pd.DataFrame
    codelist: Codelist


def read_calls(engine: Engine, config: AgencyConfig, areas: dict[str, AreaSystem], private: Path, progress: Progress = QUIET) -> Tally:
    """Fill the engine's table `calls` and write the rejects file; returns the tally.

    `calls` has a column per fed dimension (finest codes; `period` as month code), `person_key` (with `has_person_key` and `person_bucket`) where mapped, the
    seconds of each clock that a statistic asks for, and `day` and `moment` (local) where one asks who called again. Raises SourceError (unreadable file, missing column, too many
    rejects) and MappingError (values that the agency file does not map, all of them).
    """
    spec = config.file.calls
    with progress.step("Looking at the calls' values"):
        source = find_source(engine.db, spec, config.path.parent, _columns(config))
        fields = _fields(engine, config, areas, source)
    with progress.step("Reading calls"):
        lent = {f"map_{item.name}": _lent(item.codes, item.codelist) for item in fields} | _time_maps(config) | _joined(engine, config)
        engine.stage(source, _select(config, fields), lent)
        _mark_repeats(engine, config)
        show_calls(engine)
        tally = _tally(engine, config, source, fields)
    _write_rejects(engine, source, private)
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


def show_calls(engine: Engine) -> None:
    """The name `calls`: the usable rows of `staged`, as it now is."""
    engine.view("calls", "SELECT * FROM staged WHERE reason IS NULL")


def merge_codes(engine: Engine, dimension: str, merged: Mapping[str, Sequence[str]]) -> None:
    """Give the calls of some codes (new code -> old codes) one code together."""
    cases = " ".join(f"WHEN {dimension} IN ({', '.join(map(literal, old))}) THEN {literal(new)}" for new, old in merged.items())
    columns = [c for c in engine.ask("SELECT * FROM staged LIMIT 0").columns if c != dimension]
    engine.make("staged", f"SELECT {', '.join(columns)}, CASE {cases} ELSE {dimension} END AS {dimension} FROM staged")
    show_calls(engine)


def _reasons(tally: Tally) -> str:
    return "; ".join(f"{n} because {REASONS.get(reason, reason)}" for reason, n in tally.rejected.items())


def _columns(config: AgencyConfig) -> list[str]:
    time = config.file.calls.time
    names = [column for columns in config.file.calls.columns.values() for column in columns]
    names += [*time.timestamp, *time.date, *filter(None, (time.clock, time.hour, time.year, time.month))]
    return list(dict.fromkeys(names))


def _clean(config: AgencyConfig, column: str, *, is_time: bool = False) -> str:
    """SQL: the value without outer blanks; NULL for blanks and placeholders.

    A placeholder date also matches when a midnight clock is written behind it.
    """
    text = quote(column)
    # Only a text with such a first or last character takes the slow way.
    odd = " OR ".join([f"{text} < '!'", f"{text} > '~'", *(f"suffix({text}, '{blank}')" for blank in _BLANKS)])
    trimmed = f"nullif(CASE WHEN {odd} THEN trim({text}, '{_BLANKS}') ELSE {text} END, '')"
    marks = [normalise(mark) for mark in config.file.calls.placeholders]
    if not marks:
        return trimmed
    compared = f"lower({trimmed})"
    if is_time:
        compared = f"regexp_replace({compared}, '[ t]00:00(:00)?([.]0+)?$', '')"
    return f"CASE WHEN {compared} IN ({', '.join(map(literal, marks))}) THEN NULL ELSE {trimmed} END"


def _key(expression: str) -> str:
    return f"lower(regexp_replace(nfc_normalize({expression}), '\\s+', ' ', 'g'))"


def _fields(engine: Engine, config: AgencyConfig, areas: dict[str, AreaSystem], source: Source) -> list[_Field]:
    """Each category, flag and area with the code of every combination of texts in the files. Raises MappingError with all that are not mapped."""
    columns = config.file.calls.columns
    names = [name for name in columns if name in CATEGORY_FIELDS + FLAG_FIELDS or name in areas]
    placed = [name for name, system in areas.items() if "lon" in columns and name not in columns and system.boundaries is not None]
    groups = [columns[name] for name in names] + ([(columns["lon"][0], columns["lat"][0])] if placed else [])
    texts = engine.distinct(source, groups) if groups else []
    problems: list[str] = []
    fields = [_category(engine.db, config, name, areas.get(name), given, problems) for name, given in zip(names, texts, strict=False)]
    if problems:
        raise MappingError(problems)
    return fields + [_placed(config, name, areas[name], texts[-1]) for name in placed]


def _category(
    db: duckdb.DuckDBPyConnection, config: AgencyConfig, name: str, system: AreaSystem | None, texts: pd.DataFrame, problems: list[str]
) -> _Field:
    """The codes of one category, flag or area field by its value map."""
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
    columns = config.file.calls.columns[name]
    values = [_clean(config, column) for column in columns]
    if system and system.strip_zeros:
        values = [f"coalesce(nullif(ltrim({v}, '0'), ''), CASE WHEN {v} IS NOT NULL THEN '0' END)" for v in values]
    db.register("texts", pa.table({column: pa.array(texts[column], pa.string()) for column in texts}))
    db.register("pairs", pa.table({"key": pa.array(list(pairs), pa.string()), "code": pa.array(list(pairs.values()), pa.string())}))
    joins = " ".join(f"LEFT JOIN pairs AS p{i} ON p{i}.key = {_key(value)}" for i, value in enumerate(values))
    listed = ", ".join(map(quote, columns))
    found = db.execute(
        f"SELECT {listed}, coalesce({', '.join(values)}) AS said, coalesce({', '.join(f'p{i}.code' for i in range(len(values)))}) AS code "
        f"FROM texts {joins} ORDER BY said"
    ).df()
    db.unregister("texts")
    db.unregister("pairs")
    said, code = found["said"].notna(), found["code"].astype(object).where(found["code"].notna(), None)
    catch_all = config.file.calls.values.get(name, {}).get(CATCH_ALL)
    if catch_all:
        code[said & code.isna()] = codelist.unknown_leaf if catch_all == UNKNOWN else catch_all
    if unmapped := list(dict.fromkeys(found["said"][said & code.isna()])):
        problems.append(_unmapped(config, name, codelist, unmapped))
    if codelist.unknown_leaf is not None:
        code = code.where(code.notna(), codelist.unknown_leaf)
    return _Field(name, tuple(columns), found[list(columns)].assign(code=code), codelist)


def _unmapped(config: AgencyConfig, name: str, codelist: Codelist, values: Sequence[str]) -> str:
    where = f"{config.path}: [calls.values.{name}]"
    if len(values) > MOST_VALUES_LISTED or max(map(len, values)) > _LONGEST_VALUE_LISTED:
        # Long or countless values look like free text or keys, which no message may show.
        return (
            f"{where}: the column holds too many or too long values that are not mapped; it does not look like a category. "
            f"Name another column, or map the rest with '{CATCH_ALL}' = \"unknown\""
        )
    listed = "\n".join(f'  "{value}" = ""' for value in values)
    codes = ", ".join(codelist.codes_at(codelist.finest)[:40])
    return f"{where}: {len(values)} value(s) are not mapped; add each with one of the codes {codes}:\n{listed}"


def _placed(config: AgencyConfig, name: str, system: AreaSystem, texts: pd.DataFrame) -> _Field:
    """An area field from points, for a system that has outlines but no column."""
    lon, lat = texts.columns
    marks = {normalise(mark) for mark in config.file.calls.placeholders}
    numbers = {axis: pd.to_numeric(texts[column].where(~texts[column].map(lambda v: v is not None and normalise(v) in marks)), errors="coerce")
               for axis, column in (("lon", lon), ("lat", lat))}  # fmt: skip
    known = pd.DataFrame(numbers).dropna()
    code = pd.Series(system.codelist.unknown_leaf, index=texts.index, dtype=object)
    placed = pd.Series(place_points(known.reset_index(drop=True), system).to_numpy(), index=known.index, dtype=object).dropna()
    code[placed.index] = placed
    return _Field(name, (str(lon), str(lat)), texts.assign(code=code), system.codelist)


def _lent(codes: pd.DataFrame, codelist: Codelist) -> pa.Table:
    """Texts -> code, the codes as numbers of the codelist's finest level."""
    leaves = codelist.codes_at(codelist.finest)
    code = pd.Categorical(codes["code"], categories=list(leaves))
    texts = {f"t{i}": pa.array(codes[column], pa.string()) for i, column in enumerate(c for c in codes.columns if c != "code")}
    return pa.table(
        texts
        | {"code": pa.DictionaryArray.from_arrays(pa.array(code.codes, pa.int32(), mask=code.codes < 0), pa.array(leaves, pa.string()))}
    )


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
        return f"CASE WHEN {moment} BETWEEN TIMESTAMP '{EARLIEST_YEAR}-01-01 00:00:00' AND TIMESTAMP '{latest} 00:00:00' THEN {moment} END"

    value = _clean(config, column, is_time=True)
    local = f"try_strptime({value}, {literal(spec.format)})" if spec.format else f"try_cast({value} AS TIMESTAMP)"
    if spec.timezone:
        local = f"timezone({literal(agency.timezone)}, timezone({literal(spec.timezone)}, {local}))"
    if spec.format:
        return possible(local)
    # A written offset (Z, +02:00) says the zone itself. The first, cheap look spares almost every row the second.
    last = f"substr({value}, -6)"
    offset = f"(contains({last}, '+') OR contains({last}, '-') OR contains({last}, 'Z') OR contains({last}, 'z')) AND regexp_matches({value}, ':[0-9.]+ ?(Z|z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$')"
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


def _time_maps(config: AgencyConfig) -> dict[str, pa.Table]:
    """First day of a month -> period; hour and day of the week -> their codes."""
    lists, release = config.codelists, config.file.release
    found = {}
    if not config.file.calls.time.period:
        months = months_between(release.data_from, release.data_to)
        codes = pd.DataFrame({"month": [f"{month:%Y-%m-%d}" for month in months], "code": [f"{month:%Y-%m}" for month in months]})
        found["map_period"] = _lent(codes, lists["period"])
    for name, numbers in (("hour", {str(h): f"{h:02d}" for h in range(24)}), ("weekday", {str(d): str(d) for d in range(1, 8)})):
        if name in lists:
            found[f"map_{name}"] = _lent(pd.DataFrame({"number": list(numbers), "code": list(numbers.values())}), lists[name])
    return found


def _joined(engine: Engine, config: AgencyConfig) -> dict[str, pa.Table]:
    """Other inputs that each call is held against: when teams were on duty, and what came of its referral."""
    fed, found = mapped_dimensions(config), {}
    if "on_duty" in fed:
        found["on_duty"] = read_on_duty(engine.db, config)
    if "handoff" in fed:
        codes = {name: config.codelists[name].codes_at(config.codelists[name].finest) for name in ("partner",)}
        found["handoffs"] = read_handoffs(engine.db, config, codes)
    return found


def _enumerated(sql: str, codelist: Codelist) -> str:
    """SQL of a code, held as a number of the codelist's finest level."""
    return f"CAST({sql} AS ENUM({', '.join(map(literal, codelist.codes_at(codelist.finest)))}))"


def _select(config: AgencyConfig, fields: Sequence[_Field]) -> str:
    """DuckDB: from `raw` (one file's rows as text) to canonical rows, each with its reason to be rejected (or NULL)."""
    release, spec, lists, fed = config.file.release, config.file.calls, config.codelists, mapped_dimensions(config)
    time = _time(config)
    parsed = ["file_no", "row_no"]
    parsed += [f"{_clean(config, spec.columns[key][0])} AS {key}" for key in ("call_id", "person_key") if key in spec.columns]
    times = [name for name in TIME_FIELDS if name in spec.columns]
    parsed += [f"{_moment(config, spec.columns[name][0])} AS {name}" for name in times]
    parsed += [
        f"{time.at} AS received_at", f"{time.day} AS day", f"{time.month} AS month", f"{time.hour} AS hour_number",
        f"{time.given} IS NOT NULL AS time_given", f"{time.fell_back} AS time_fell_back", f"{time.bad_hour} AS bad_hour",
    ]  # fmt: skip
    joins: list[str] = []
    codes: dict[str, str] = {}
    for item in fields:
        texts = [f"{item.name}_{i}" for i in range(len(item.columns))]
        parsed += [f"{quote(column)} AS {text}" for column, text in zip(item.columns, texts, strict=True)]
        on = " AND ".join(f"m_{item.name}.t{i} IS NOT DISTINCT FROM p.{text}" for i, text in enumerate(texts))
        joins.append(f"LEFT JOIN map_{item.name} AS m_{item.name} ON {on}")
        codes[item.name] = f"m_{item.name}.code"
    codes["period"] = "m_period.code" if not spec.time.period else _enumerated("'all'", lists["period"])
    if not spec.time.period:
        joins.append("LEFT JOIN map_period AS m_period ON CAST(m_period.t0 AS DATE) = p.month")
    for name, number in (("hour", "p.hour_number"), ("weekday", "isodow(p.day)")):
        if name in lists:
            joins.append(f"LEFT JOIN map_{name} AS m_{name} ON CAST(m_{name}.t0 AS BIGINT) = {number}")
            unknown = lists[name].unknown_leaf
            codes[name] = f"coalesce(m_{name}.code, {_enumerated(literal(unknown), lists[name])})" if unknown else f"m_{name}.code"
    derived = _derived(config, fed)
    if "on_duty" in fed:
        joins.append("ASOF LEFT JOIN on_duty AS d ON p.received_at >= d.start")
    if "handoff" in fed:
        joins.append("LEFT JOIN handoffs AS h ON h.call_id = p.call_id")
    selected = ["p.file_no", "p.row_no", *(f"p.{key}" for key in ("call_id", "person_key") if key in spec.columns)]
    selected += ["p.day IS NOT NULL AS has_day", "p.time_fell_back"]
    if "person_key" in spec.columns:
        selected += [
            "p.person_key IS NOT NULL AS has_person_key",
            f"CASE WHEN p.person_key IS NOT NULL THEN CAST(hash(p.person_key) % {BUCKETS} AS INTEGER) END AS person_bucket",
        ]
        if any(s.measure.startswith((REPEATED, FREQUENT)) for s in config.file.statistics):
            selected += ["p.day", "p.received_at AS moment"]
    if any(s.measure == WITHOUT_TEAM for s in config.file.statistics):
        selected.append("CAST(floor(epoch(p.received_at) / 3600) AS BIGINT) AS clock_hour")
    if "urgent_calls" in config.file.inputs and {"dispatched_at", "cleared_at"} <= set(times):
        selected += [
            f"CAST(epoch(p.{name}) AS BIGINT) AS {span}" for name, span in (("dispatched_at", "team_from"), ("cleared_at", "team_until"))
        ]
    selected += [f"p.{name} IS NOT NULL AS has_{name}" for name in times]
    selected += [f"{seconds_between('p.', *CLOCKS[measure])} AS {measure}" for measure in _clocks(config)]
    if "handoff" in fed and any(s.measure == CONNECTION for s in config.file.statistics):
        days = "date_diff('day', p.day, h.connected_on)"
        selected.append(
            f"CAST(CASE WHEN h.handoff = 'connected' AND {days} BETWEEN 0 AND {LONGEST_DAYS} THEN {days} END AS INTEGER) AS {CONNECTION}"
        )
    selected += [f"{_enumerated(derived[name], lists[name]) if name in derived else code} AS {name}" for name, code in codes.items()]
    selected += [f"{_enumerated(code, lists[name])} AS {name}" for name, code in derived.items() if name not in codes]
    reasons = []
    if "call_id" in spec.columns:
        reasons.append("WHEN p.call_id IS NULL THEN 'no_call_id'")
    if not spec.time.period:
        reasons.append("WHEN p.month IS NULL AND p.time_given THEN 'impossible_time'")
        reasons.append("WHEN p.month IS NULL THEN 'no_time'")
        reasons.append(
            f"WHEN coalesce(p.day NOT BETWEEN DATE '{release.data_from}' AND DATE '{release.data_to}', "
            f"p.month NOT BETWEEN DATE '{release.data_from.replace(day=1)}' AND DATE '{release.data_to}') THEN '{OUTSIDE}'"
        )
    if "hour" in lists and lists["hour"].unknown_leaf is None:
        reasons.append("WHEN p.bad_hour THEN 'impossible_hour'")
    reasons += [f"WHEN {codes[f.name]} IS NULL THEN 'no_{f.name}'" for f in fields if f.codelist.unknown_leaf is None]
    reason = f"CASE {' '.join(reasons)} END" if reasons else "NULL"
    known = [*REASONS, "repeated", *(f"no_{f.name}" for f in fields), *(f"malformed ({kind})" for kind in MALFORMED)]
    return (
        f"SELECT {', '.join(selected)}, CAST({reason} AS ENUM({', '.join(map(literal, dict.fromkeys(known)))})) AS reason "
        f"FROM (SELECT {', '.join(parsed)} FROM raw) AS p {' '.join(joins)}"
    )


RELEASED_AFTER = 10
"""Minutes by which an officer must leave before the call is cleared to count as released early (MEASURES.md T4)."""


def _derived(config: AgencyConfig, fed: Collection[str]) -> dict[str, str]:
    """Codes (SQL) that follow from other fields: why no team came (`served` where one did), the wait in bands, the officer released, the handoff."""
    lists, columns = config.codelists, config.file.calls.columns
    found = {}
    if "not_served_reason" in columns and "responder" in columns and (
        "reached" in lists["responder"].levels and "served" in lists["not_served_reason"].by_code
    ):  # fmt: skip
        came = [c for c, above in lists["responder"].ancestors("reached").items() if above == "clinician"]
        came = [c for c in came if c in lists["responder"].codes_at(lists["responder"].finest)]
        found["not_served_reason"] = (
            f"CASE WHEN m_responder.code IN ({', '.join(map(literal, came))}) THEN 'served' "
            f"WHEN m_not_served_reason.code = 'served' THEN {literal(lists['not_served_reason'].unknown_leaf or '')} "
            "ELSE CAST(m_not_served_reason.code AS VARCHAR) END"
        )
    if "season" in fed:
        months = {month: code for code, (_label, inside) in SEASONS.items() for month in inside}
        found["season"] = f"[{', '.join(literal(months[month]) for month in range(1, 13))}][month(p.month)]"
    if "taken_to_ed" in fed:
        taken = ", ".join(map(literal, TAKEN_TO_ED))
        found["taken_to_ed"] = (
            f"CASE WHEN m_outcome.code = {literal(lists['outcome'].unknown_leaf or '')} THEN 'unknown' "
            f"WHEN m_outcome.code IN ({taken}) THEN 'yes' ELSE 'no' END"
        )
    if "wait" in fed:
        minutes = "date_diff('second', p.received_at, p.arrived_at) / 60.0"
        names = ["under_10", *(f"{low}_to_{high}" for low, high in pairwise(WAIT_EDGES))]
        steps = " ".join(f"WHEN {minutes} < {edge} THEN '{name}'" for edge, name in zip(WAIT_EDGES, names, strict=True))
        unknown = literal(lists["wait"].unknown_leaf or "")
        found["wait"] = f"CASE WHEN {minutes} IS NULL OR {minutes} NOT BETWEEN 0 AND 1440 THEN {unknown} {steps} ELSE 'over_60' END"
    if "officer_released" in fed:
        early = f"p.officer_cleared_at + INTERVAL {RELEASED_AFTER} MINUTE <= p.cleared_at"
        found["officer_released"] = (
            f"CASE WHEN p.officer_cleared_at IS NULL OR p.cleared_at IS NULL THEN 'unknown' WHEN {early} THEN 'yes' ELSE 'no' END"
        )
    if "on_duty" in fed:
        found["on_duty"] = "CASE WHEN p.received_at IS NULL THEN 'unknown' WHEN p.received_at < d.until THEN 'yes' ELSE 'no' END"
    if "handoff" in fed:
        found["partner"] = "CASE WHEN h.call_id IS NULL OR h.handoff = 'none' THEN 'none' ELSE coalesce(h.partner, 'unknown') END"
        found["handoff"] = "coalesce(h.handoff, 'none')"
    if "warm" in fed:
        found["warm"] = "CASE WHEN h.call_id IS NULL OR h.handoff = 'none' THEN 'none' ELSE coalesce(h.warm, 'unknown') END"
    if "follow_up" in fed:
        found["follow_up"] = _follow_up(config)
    return found


def _follow_up(config: AgencyConfig) -> str:
    """SQL: the finest code of `codelists.follow_up`. Whose 30 days are not over is open, reached or not: else the quick ones alone would count."""
    month, week, day = FOLLOW_UP_DAYS
    days = "date_diff('day', p.day, h.reached_on)"
    return (
        f"CASE WHEN h.call_id IS NULL OR h.agreed = 'no' THEN 'none.day' WHEN h.agreed IS NULL OR p.day IS NULL OR {days} < 0 THEN 'unknown.day' "
        f"WHEN p.day + {month} > DATE '{config.file.release.data_to}' THEN 'open.day' WHEN coalesce({days}, {month} + 1) > {month} THEN 'after_30.day' "
        f"WHEN {days} > {week} THEN 'days_8_30.day' WHEN {days} > {day} THEN 'days_2_7' ELSE 'within_1' END"
    )


CLOCKS = {
    "minutes_call_to_arrival": ("received_at", "arrived_at"),
    "minutes_dispatch_to_arrival": ("dispatched_at", "arrived_at"),
    "minutes_call_to_dispatch": ("received_at", "dispatched_at"),
    "minutes_on_scene": ("arrived_at", "cleared_at"),
    "minutes_officer_on_scene": ("arrived_at", "officer_cleared_at"),
    "hours_committed": ("dispatched_at", "cleared_at"),
}
"""Measure of time -> where it starts and ends."""
LONGEST_SECONDS = 24 * 60 * 60
"""A longer time is a typing error or a call left open."""


def _clocks(config: AgencyConfig) -> list[str]:
    """The measures of time that statistics ask for and the columns can feed."""
    known = {*config.file.calls.columns, *(("received_at",) if config.file.calls.time.timestamp else ())}
    asked = dict.fromkeys(spec.measure for spec in config.file.statistics)
    return [measure for measure in asked if measure in CLOCKS and set(CLOCKS[measure]) <= known]


def seconds_between(table: str, first: str, last: str) -> str:
    """SQL: seconds from one time to another; NULL where it is no credible wait."""
    seconds = f"date_diff('second', {table}{first}, {table}{last})"
    return f"CAST(CASE WHEN {seconds} BETWEEN 0 AND {LONGEST_SECONDS} THEN {seconds} END AS INTEGER)"


def _mark_repeats(engine: Engine, config: AgencyConfig) -> None:
    """Of the usable rows of one call keep the first (or the last); the others get their reason."""
    spec = config.file.calls
    if "call_id" not in spec.columns:
        return
    kept = "max" if spec.repeated_rows == "keep_last" else "min"
    engine.make("repeats", f"SELECT call_id, {kept}({PLACE}) AS kept FROM staged WHERE reason IS NULL GROUP BY call_id HAVING count(*) > 1")
    if not engine.ask("SELECT count(*) AS n FROM repeats")["n"][0]:
        return
    repeat = "duplicate_call_id" if spec.repeated_rows == "no" else "repeated"
    engine.mark_repeats(repeat)


def _tally(engine: Engine, config: AgencyConfig, source: Source, fields: Sequence[_Field]) -> Tally:
    """Where all rows went, in one look at them."""
    spec = config.file.calls
    wanted = {"rows": "count(*)", "counted": _number("reason IS NULL"), "fell_back": _number("time_fell_back AND reason IS NULL")}
    times = [name for name in (*TIME_FIELDS, "person_key") if name in spec.columns]
    wanted |= {"filled_day": _number("has_day AND reason IS NULL")}
    # A reason is asked for only where a team might have come and did not.
    asks = "served" in (config.codelists["not_served_reason"].by_code if "not_served_reason" in spec.columns else ())
    if asks:
        asked = "reason IS NULL AND not_served_reason <> 'served'" + (" AND eligible = 'yes'" if "eligible" in spec.columns else "")
        wanted |= {"asked": _number(asked), "answered": _number(f"{asked} AND not_served_reason <> 'unknown'")}
    row = engine.ask(f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in wanted.items())} FROM staged").iloc[0]
    found = {name: int(row[name]) for name in wanted}
    reasons = engine.ask("SELECT reason, count(*) AS n FROM staged WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason")
    tally = Tally(files=source.names, rows=found["rows"], counted=found["counted"])
    for reason, n in zip(reasons["reason"], reasons["n"], strict=True):
        if reason == "repeated":
            tally.repeated = int(n)
        else:
            kind = "malformed" if reason.startswith("malformed") else str(reason)
            tally.rejected[kind] = tally.rejected.get(kind, 0) + int(n)
    tally.notes["time_from_year_and_month"] = found["fell_back"]
    by_month = _by_month(engine, fields, times)
    for name, months in by_month.items():
        filled = sum(n for n, _rows in months.values())
        tally.completeness[name] = (filled, tally.counted)
        if name not in times:
            tally.notes[f"unknown_{name}"] = tally.counted - filled
    if "call_id" in spec.columns:
        tally.completeness["call_id"] = (tally.counted, tally.counted)  # a call without one is rejected
    if not spec.time.period:
        tally.completeness["received_at (day)"] = (found["filled_day"], tally.counted)
    if asks and "not_served_reason" in _derived(config, mapped_dimensions(config)):
        tally.completeness["not_served_reason"] = (found["answered"], found["asked"])
    if not spec.time.period:
        tally.by_month = by_month
    if tally.repeated and fields:
        differ = " OR ".join(f"count(DISTINCT {f.name}) > 1" for f in fields)
        kept = (
            "SELECT s.call_id FROM repeats AS r JOIN staged AS s ON s.call_id = r.call_id WHERE s.reason IS NULL OR s.reason = 'repeated'"
        )
        tally.conflicting_repeats = int(engine.ask(f"SELECT count(*) AS n FROM ({kept} GROUP BY s.call_id HAVING {differ})")["n"][0])
    if tally.counted + tally.repeated + sum(tally.rejected.values()) != tally.rows:
        raise AssertionError("a row was lost between reading and counting; please report this")
    return tally


def _by_month(engine: Engine, fields: Sequence[_Field], times: Sequence[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Field -> month (`all` where calls have none) -> (usable rows with the field filled, usable rows)."""
    # A value mapped to 'unknown' (Toronto's NSA) is as unknown as a blank.
    blank = {f.name: f"{f.name} = {literal(f.codelist.unknown_leaf)}" if f.codelist.unknown_leaf else "false" for f in fields}
    blank |= {name: f"NOT has_{name}" for name in times}
    asked = "".join(f", {_number(where)} AS {name}" for name, where in blank.items())
    rows = engine.ask(f"SELECT period AS month, count(*) AS rows_of_month{asked} FROM calls GROUP BY period")
    listed = rows.astype({"month": str}).sort_values("month").to_dict("records")
    return {name: {row["month"]: (int(row["rows_of_month"] - row[name]), int(row["rows_of_month"])) for row in listed} for name in blank}


def _number(where: str) -> str:
    return f"count(*) FILTER (WHERE {where})"


def _write_rejects(engine: Engine, source: Source, private: Path) -> None:
    """Where each rejected row stands and why; never what it holds. Readable by its owner alone."""
    rows = engine.ask(
        "SELECT file_no, row_no, reason FROM staged WHERE reason IS NOT NULL AND reason <> 'repeated' ORDER BY file_no, row_no"
    )
    private.mkdir(parents=True, exist_ok=True)
    target = private / "rejects.csv"
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "row", "reason", "meaning"])
        for file_no, row_no, reason in rows.itertuples(index=False, name=None):
            malformed = reason.startswith("malformed")
            meaning = REASONS["malformed"] if malformed else REASONS.get(reason, f"the field {reason.removeprefix('no_')} is blank")
            writer.writerow([source.names[file_no], f"line {row_no}" if malformed else row_no, reason, meaning])


__all__ = ["Tally", "merge_codes", "read_calls"]
