"""Read an agency file and report every mistake in it at once, each with its line and its cure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from anonymize.agency import codelists
from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist
from anonymize.agency.lines import key_lines, line_of
from anonymize.agency.schema import (
    AREA_FIELD,
    CATEGORY_FIELDS,
    FLAG_FIELDS,
    KEY_FIELDS,
    PLAIN_FIELDS,
    TIME_FIELDS,
    AgencyFile,
    DimensionSpec,
    PointSpec,
    Release,
    StatisticSpec,
    TableSpec,
    TimeSpec,
)
from anonymize.agency.toml_faults import explain
from anonymize.errors import SchemaError
from anonymize.read.cleaning import normalise
from anonymize.read.key_patterns import overlapping
from anonymize.read.times import AFTER_CALL

TomlPath = tuple[str | int, ...]
Problem = tuple[TomlPath, str]

CATCH_ALL = "*"
"""In a value map: the code of every value not named."""


@dataclass(frozen=True)
class AgencyConfig:
    """A checked agency file. `codelists` holds all dimensions but the areas, whose codes may need a
    boundary file (see `anonymize.areas`)."""

    path: Path
    file: AgencyFile
    codelists: dict[str, Codelist]

    def resolve(self, relative: str | Path) -> Path:
        """A path in the agency file, relative to the file itself."""
        return (self.path.parent / relative).resolve()


def load(path: Path, release: Mapping[str, Any] | None = None) -> AgencyConfig:
    """`release`: keys of [release] that stand in for the file's own. Raises SchemaError, listing
    every problem found, each as `file:line: sentence`."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark at the start
    except OSError as error:
        raise SchemaError(
            [f"{path}: the agency file cannot be read ({error.strerror}); check the path"]
        ) from None
    except UnicodeDecodeError:
        raise SchemaError(
            [f"{path}: the agency file is not UTF-8 text; save it again as UTF-8"]
        ) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, sentence = explain(text, error)
        raise SchemaError([f"{path}:{line}: {sentence}"]) from None

    if release is not None:
        data["release"] = data.get("release", {}) | dict(release)
    lines = key_lines(text)

    def report(problems: list[Problem]) -> SchemaError:
        placed = sorted(
            ((line_of(lines, where) or 1, message) for where, message in problems),
            key=lambda p: p[0],
        )
        return SchemaError([f"{path}:{line}: {message}" for line, message in placed])

    try:
        file = AgencyFile.model_validate(data, context={"languages": _languages(data)})
    except ValidationError as error:
        raise report([_explain(e) for e in error.errors()]) from None

    problems = list(_spec_problems(file))
    if problems:
        raise report(problems)
    lists = codelists.built_in(
        file.calls.time,
        file.release.data_from,
        file.release.data_to,
        file.agency.fiscal_year_starts,
    )
    lists |= {name: codelists.from_spec(name, spec) for name, spec in file.dimensions.items()}
    config = AgencyConfig(path.resolve(), file, lists)
    problems = list(_meaning_problems(config))
    if problems:
        raise report(problems)
    return config


def _languages(data: Mapping[str, Any]) -> list[str]:
    """Those that the file names, before it is checked."""
    agency = data.get("agency")
    listed = agency.get("languages") if isinstance(agency, dict) else None
    return [code for code in listed if isinstance(code, str)] if isinstance(listed, list) else []


def _model_at(where: TomlPath) -> type[BaseModel] | None:
    """The model whose keys stand at `where`, to suggest the nearest one."""
    model: Any = AgencyFile
    for part in where:
        if isinstance(part, int):
            continue
        if not (
            isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields
        ):
            return model if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = model.model_fields[part].annotation
        while get_args(model):
            candidates = [
                a for a in get_args(model) if isinstance(a, type) and issubclass(a, BaseModel)
            ] or [a for a in get_args(model) if get_args(a)]
            if not candidates:
                return None
            model = candidates[0]
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _nearest(wrong: str, known: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    close = get_close_matches(wrong, list(known), n=1, cutoff=0.5)
    return (
        f"; did you mean '{close[0]}'?"
        if close
        else f"; it can be one of: {', '.join(sorted(known))}"
    )


def _dotted(where: TomlPath) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in where)


def _explain(error: Any) -> Problem:
    where: TomlPath = tuple(part for part in error["loc"] if part != "[key]")
    name = _dotted(where)
    kind = error["type"]
    if kind == "missing":
        table = _dotted(where[:-1])
        return where[:-1], (
            f"[{table}] lacks '{where[-1]}'" if table else f"the table [{where[-1]}] is missing"
        )
    if kind == "extra_forbidden":
        model = _model_at(where[:-1])
        known = [field.alias or key for key, field in model.model_fields.items()] if model else []
        hint = _nearest(str(where[-1]), known) if model else ""
        return where, f"'{name}' is not a known key{hint}"
    found = error.get("input")
    shown = f", found {found!r}" if isinstance(found, str | int | float | bool) else ""
    message = (
        error["msg"].removeprefix("Value error, ").removeprefix("Input ").replace("should", "must")
    )
    return where, f"'{name}' {message}{shown}"


def _spec_problems(file: AgencyFile) -> Iterator[Problem]:
    """Problems inside one part of the file."""
    release = file.release
    if release.data_from > release.data_to:
        yield (
            ("release", "data_to"),
            (
                f"'release.data_to' ({release.data_to}) lies before 'release.data_from'"
                f" ({release.data_from})"
            ),
        )
    if release.data_to > release.created:
        yield (
            ("release", "data_to"),
            (
                f"'release.data_to' ({release.data_to}) lies after 'release.created'"
                f" ({release.created}); a release cannot hold the future"
            ),
        )
    yield from _gap_problems(release)
    for name, spec in file.dimensions.items():
        yield from _tree_problems(("dimensions", name), spec)
        if name not in CATEGORY_FIELDS:
            yield (
                (
                    "dimensions",
                    name,
                ),
                f"'{name}' is not a category of calls{_nearest(name, CATEGORY_FIELDS)}",
            )
    yield from _time_problems(file)
    names = [("tables", i, table.name) for i, table in enumerate(file.tables)]
    names += [("statistics", i, table.name) for i, table in enumerate(file.statistics)]
    for place, (kind, i, name) in enumerate(names):
        if any(name == other for _, _, other in names[:place]):
            yield (kind, i, "name"), f"two tables are named '{name}'; give each its own name"


def _gap_problems(release: Release) -> Iterator[Problem]:
    for i, gap in enumerate(release.gaps):
        where: TomlPath = ("release", "gaps", i)
        if gap.first > gap.last:
            yield (
                (*where, "to"),
                (
                    f"a gap ends on {gap.last}, before it begins on {gap.first}; both days belong"
                    " to it"
                ),
            )
        elif gap.first < release.data_from or gap.last > release.data_to:
            yield (
                (*where, "from" if gap.first < release.data_from else "to"),
                (
                    f"the gap from {gap.first} to {gap.last} reaches beyond the period of the"
                    f" release, {release.data_from} to {release.data_to}; end it there"
                ),
            )
        for other in release.gaps[:i]:
            if gap.first <= other.last and other.first <= gap.last:
                yield (
                    (*where, "from"),
                    (
                        f"the gap from {gap.first} to {gap.last} overlaps the one from"
                        f" {other.first} to {other.last}; each day may lie in one gap only"
                    ),
                )
    lost = sum((gap.last - gap.first).days + 1 for gap in release.not_collected)
    if release.data_from <= release.data_to and lost > (release.data_to - release.data_from).days:
        yield (
            ("release", "gaps", 0),
            (
                "the gaps leave no day on which calls were collected; shorten them, or change"
                " 'data_from' and 'data_to'"
            ),
        )


def _tree_problems(where: TomlPath, spec: DimensionSpec) -> Iterator[Problem]:
    depth: dict[str, int] = {}
    for i, code in enumerate(spec.codes):
        if code.code in depth:
            yield (
                (*where, "codes", i),
                (
                    f"the code '{code.code}' stands twice in [{_dotted(where)}]; each code has one"
                    " place"
                ),
            )
        elif code.parent is None:
            depth[code.code] = 0
        elif code.parent not in depth:
            yield (
                (*where, "codes", i),
                (
                    f"the parent '{code.parent}' of '{code.code}' does not stand above it; list"
                    " parents first"
                ),
            )
            depth[code.code] = 0
        else:
            depth[code.code] = depth[code.parent] + 1
        if depth[code.code] >= len(spec.levels):
            yield (
                (*where, "codes", i),
                f"'{code.code}' lies deeper than the {len(spec.levels)} level(s) named in 'levels'",
            )
    parents = {code.parent for code in spec.codes}
    for i, code in enumerate(spec.codes):
        if depth[code.code] < len(spec.levels) - 1 and code.code not in parents:
            yield (
                (*where, "codes", i),
                (
                    f"'{code.code}' has no child at level '{spec.levels[depth[code.code] + 1]}';"
                    " add at least one"
                ),
            )


def _time_problems(file: AgencyFile) -> Iterator[Problem]:
    time, where = file.calls.time, ("calls", "time")
    kinds = [bool(time.timestamp), bool(time.date), bool(time.year), time.period]
    if not any(kinds):
        yield (
            where,
            (
                "[calls.time] names no time; name 'timestamp', 'date', or 'year' and 'month', or"
                " write period = true when the source has none"
            ),
        )
    if time.timestamp and time.date:
        yield (
            where,
            "[calls.time] names both 'timestamp' and 'date'; keep the one that is more exact",
        )
    if time.period and any(kinds[:3]):
        yield (
            where,
            "[calls.time] says period = true and names time columns too; keep one of the two",
        )
    if bool(time.year) != bool(time.month):
        yield where, "[calls.time] needs 'year' and 'month' together"
    if time.clock and not time.date:
        yield where, "[calls.time] 'clock' goes with 'date'"
    if time.hour and time.timestamp:
        yield where, "[calls.time] 'hour' is not needed beside 'timestamp'; remove it"
    if time.blank_hour is not None and not time.hour:
        yield where, "[calls.time] 'blank_hour' goes with 'hour'"
    if time.format and not (time.timestamp or time.date):
        yield where, "[calls.time] 'format' goes with 'timestamp' or 'date'"
    if time.clock_format and not time.clock:
        yield where, "[calls.time] 'clock_format' goes with 'clock'"
    if time.clock and time.hour:
        yield where, "[calls.time] names both 'clock' and 'hour'; keep the one that is more exact"
    if time.timezone and not time.timestamp:
        yield where, "[calls.time] 'timezone' goes with 'timestamp'"


def _meaning_problems(config: AgencyConfig) -> Iterator[Problem]:
    """Problems between parts: columns, value maps, areas and tables that do not fit each other."""
    file, calls = config.file, config.file.calls
    for field, columns in calls.columns.items():
        where: TomlPath = ("calls", "columns", field)
        if AREA_FIELD.match(field):
            if field not in file.areas:
                yield where, f"'{field}' needs a section [areas.{field}] that lists its codes"
        elif field not in PLAIN_FIELDS:
            yield where, f"'{field}' is not a field of calls{_nearest(field, PLAIN_FIELDS)}"
        elif field in CATEGORY_FIELDS and field not in config.codelists:
            yield where, f"'{field}' needs a section [dimensions.{field}] that lists its codes"
        if (
            len(columns) > 1
            and not AREA_FIELD.match(field)
            and field not in CATEGORY_FIELDS + FLAG_FIELDS
        ):
            yield (
                where,
                (
                    f"'{field}' names {len(columns)} columns; only areas, categories and yes/no"
                    " fields may name several"
                ),
            )
    yield from _point_problems(file)
    yield from _shape_problems(config)
    yield from _times_of_fields(config)
    yield from _rule_problems(config)
    for field, values in calls.values.items():
        where = ("calls", "values", field)
        if field not in calls.columns:
            yield where, f"[calls.values.{field}] maps a field that [calls.columns] does not name"
        elif field not in CATEGORY_FIELDS + FLAG_FIELDS and not AREA_FIELD.match(field):
            yield (
                where,
                f"'{field}' is not a category; only categories, flags and areas have value maps",
            )
        if bands := overlapping(values):
            yield (
                (*where, bands[1]),
                (
                    f"'{bands[0]}' and '{bands[1]}' in [calls.values.{field}] share a number, since"
                    " both ends of a band count, and have two codes; end one before the other"
                    " begins"
                ),
            )
        seen: dict[str, str] = {}
        for value, code in values.items():
            if seen.setdefault(normalise(value), code) != code:
                yield (
                    (*where, value),
                    (
                        f"'{value}' stands twice in [calls.values.{field}] (case and blanks do not"
                        " count) with two codes"
                    ),
                )
            known = config.codelists.get(field)
            if known and code != UNKNOWN and code not in known.codes_at(known.finest):
                yield (
                    (*where, value),
                    (
                        f"'{code}' is not a code of"
                        f" '{field}'{_nearest(code, known.codes_at(known.finest))}"
                    ),
                )
            if known and code == UNKNOWN and known.unknown_leaf is None:
                yield (
                    (
                        *where,
                        value,
                    ),
                    f"'{field}' has unknown = false, so no value can map to 'unknown'",
                )
    yield from _table_problems(config)


def _point_problems(file: AgencyFile) -> Iterator[Problem]:
    calls, where = file.calls, ("calls", "columns")
    if ("lon" in calls.columns) != ("lat" in calls.columns):
        yield where, "[calls.columns] needs 'lon' and 'lat' together"
    if {"point", "lon"} <= calls.columns.keys():
        yield where, "[calls.columns] names 'point' and also 'lon' and 'lat'; keep one of the two"
    if calls.point_columns and not any(
        a.boundaries and n not in calls.columns for n, a in file.areas.items()
    ):
        named = "'point' needs" if "point" in calls.columns else "'lon' and 'lat' need"
        yield (
            (*where, *(["lon"] if "lon" in calls.columns else ["point"])),
            f"{named} an area system with 'boundaries' and without a column of its own",
        )
    if calls.point != PointSpec() and not calls.point_columns:
        yield (
            (
                "calls",
                "point",
            ),
            "[calls.point] goes with 'point', or 'lon' and 'lat', in [calls.columns]",
        )
    if calls.point.crs and not crs_known(calls.point.crs):
        yield (
            (
                "calls",
                "point",
                "crs",
            ),
            f"'{calls.point.crs}' names no coordinates; write a code such as \"EPSG:2285\"",
        )


def _shape_problems(config: AgencyConfig) -> Iterator[Problem]:
    """Problems with rows that are kept, rows that stand for several calls, and categories in yes/no
    columns."""
    calls = config.file.calls
    for column, values in calls.where.items():
        if not values or any(not value.strip() for value in values):
            yield (
                ("calls", "where", column),
                (
                    f'[calls.where] \'{column}\' needs the values to keep, such as ["MH*", "WELFARE'
                    ' CHECK"]; "*" keeps every row with a value'
                ),
            )
    if calls.count is not None and (keys := [key for key in KEY_FIELDS if key in calls.columns]):
        yield (
            ("calls", "count"),
            (
                f"'count' goes with rows that stand for several calls; a row with '{keys[0]}' is"
                " one call, so take one of the two out"
            ),
        )
    for field, flags in calls.yes_columns.items():
        where: TomlPath = ("calls", "yes_columns", field)
        if field not in CATEGORY_FIELDS:
            yield where, f"'{field}' is not a category of calls{_nearest(field, CATEGORY_FIELDS)}"
        known = config.codelists.get(field)
        for column, code in flags.items():
            if known and code != UNKNOWN and code not in known.codes_at(known.finest):
                yield (
                    (*where, column),
                    (
                        f"'{code}' is not a code of"
                        f" '{field}'{_nearest(code, known.codes_at(known.finest))}"
                    ),
                )
            if known and code == UNKNOWN and known.unknown_leaf is None:
                yield (
                    (
                        *where,
                        column,
                    ),
                    f"'{field}' has unknown = false, so no column can stand for 'unknown'",
                )
        if field in calls.values:
            yield (
                ("calls", "values", field),
                (
                    f"'{field}' is read from yes/no columns, whose codes stand in"
                    f" [calls.yes_columns.{field}]; take this out"
                ),
            )
    if config.file.engine == "spark" and (
        zipped := [path for path in calls.paths if path.lower().endswith(".zip")]
    ):
        yield (
            ("calls", "paths"),
            (
                f'engine = "spark" reads no zip archive; unpack {zipped[0]} where every worker can'
                " read it"
            ),
        )


def crs_known(name: str) -> bool:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        CRS.from_user_input(name)
    except CRSError:
        return False
    return True


def _times_of_fields(config: AgencyConfig) -> Iterator[Problem]:
    """Problems with how the calls' other times are written."""
    calls = config.file.calls
    for field, spec in calls.times.items():
        where: TomlPath = ("calls", "times", field)
        if field not in TIME_FIELDS:
            hint = (
                "; the time the call came in is described in [calls.time]"
                if field == "received_at"
                else _nearest(field, TIME_FIELDS)
            )
            yield where, f"'{field}' is not a time of calls{hint}"
        elif field not in calls.columns:
            yield (
                where,
                f"[calls.times.{field}] describes a field that [calls.columns] does not name",
            )
        if spec.clock_format and not spec.clock and spec.format != ("clock_after_call",):
            yield (
                (*where, "clock_format"),
                "'clock_format' goes with 'clock', or with format = \"clock_after_call\"",
            )
        counted = [text for text in spec.format if text in AFTER_CALL]
        if counted and (len(spec.format) > 1 or spec.clock or spec.timezone):
            yield (
                (
                    *where,
                    "format",
                ),
                f"'{counted[0]}' cannot be joined with another format, a clock or a time zone",
            )
        if spec.clock and spec.timezone:
            yield (
                (*where, "timezone"),
                "'timezone' cannot be joined with 'clock'; export date and clock in one column",
            )
    if any(text in AFTER_CALL for text in calls.time.format):
        yield (
            (
                "calls",
                "time",
                "format",
            ),
            "the time a call came in cannot be counted from itself; name another format",
        )
    if engine_cannot_combine(config.file):
        yield (
            ("calls", "repeated_rows"),
            (
                'repeated_rows = "combine" is not there for engine = "spark" yet; take the line'
                ' "engine" out'
            ),
        )


def engine_cannot_combine(file: AgencyFile) -> bool:
    return file.engine == "spark" and file.calls.repeated_rows == "combine"


def _rule_problems(config: AgencyConfig) -> Iterator[Problem]:
    """Problems with [calls.combine]."""
    calls = config.file.calls
    if calls.combine and calls.repeated_rows != "combine":
        yield ("calls", "combine"), '[calls.combine] goes with repeated_rows = "combine"'
    if calls.repeated_rows != "no" and "call_id" not in calls.columns:
        yield (
            (
                "calls",
                "repeated_rows",
            ),
            "'repeated_rows' needs 'call_id' in [calls.columns], to know which rows are one call",
        )
    for field, rule in calls.combine.items():
        where: TomlPath = ("calls", "combine", field)
        if field == "*":
            allowed: tuple[str, ...] = ("first", "last")
        elif field in ("received_at", *TIME_FIELDS):
            allowed = ("first", "last", "earliest", "latest")
        elif field in FLAG_FIELDS:
            allowed = ("first", "last", "any", "all")
        elif field in CATEGORY_FIELDS or AREA_FIELD.match(field) or field == "person_key":
            allowed = ("first", "last")
        else:
            yield (
                where,
                (
                    f"'{field}' is not a field of calls that rows can differ"
                    f" in{_nearest(field, PLAIN_FIELDS)}"
                ),
            )
            continue
        if field not in ("*", "received_at") and field not in calls.columns:
            yield (
                where,
                f"[calls.combine] has a rule for '{field}', which [calls.columns] does not name",
            )
        elif isinstance(rule, tuple):
            known = config.codelists.get(field)
            if field in ("*", "received_at", "person_key", *TIME_FIELDS):
                yield (
                    where,
                    (
                        f"an order of preference is for categories; '{field}' takes one of"
                        f" {', '.join(allowed)}"
                    ),
                )
            elif known and (
                wrong := [code for code in rule if code not in known.codes_at(known.finest)]
            ):
                yield (
                    where,
                    (
                        f"'{wrong[0]}' is not a code of"
                        f" '{field}'{_nearest(wrong[0], known.codes_at(known.finest))}"
                    ),
                )
        elif rule not in allowed:
            either = allowed == ("first", "last") and field not in ("*", "person_key")
            ordered = ", or a list of codes, the preferred first" if either else ""
            yield (
                where,
                (f"the rule of '{field}' is one of {', '.join(allowed)}{ordered}"),
            )


def has_moment(time: TimeSpec) -> bool:
    """Do the calls' columns say date and clock, so that waits can be measured?"""
    return bool(time.timestamp or (time.date and time.clock))


def mapped_dimensions(config: AgencyConfig) -> set[str]:
    """The dimensions that the calls' columns feed."""
    calls = config.file.calls
    fed: set[str] = {
        name
        for name in ("period", "season", "fiscal_year", "hour", "weekday")
        if name in config.codelists
    }
    fed |= {
        field for field in calls.columns if field in config.codelists or AREA_FIELD.match(field)
    }
    if has_moment(calls.time) and "arrived_at" in calls.columns:
        fed.add("wait")
    if {"cleared_at", "officer_cleared_at"} <= calls.columns.keys():
        fed.add("officer_released")
    if has_moment(calls.time) and "shifts" in config.file.inputs:
        fed.add("on_duty")
    if "outcome" in calls.columns:
        fed.add("taken_to_ed")
    if "handoffs" in config.file.inputs:
        fed |= {"handoff", "partner"} | ({"warm"} & config.file.inputs["handoffs"].columns.keys())
        if {"follow_up_agreed", "reached_at"} <= config.file.inputs["handoffs"].columns.keys():
            fed.add("follow_up")
    if calls.point_columns:
        fed |= {name for name, spec in config.file.areas.items() if spec.boundaries}
    return fed


def _table_problems(config: AgencyConfig) -> Iterator[Problem]:
    levels = {name: c.levels for name, c in config.codelists.items()}
    levels |= {name: (ROOT, *spec.levels) for name, spec in config.file.areas.items()}
    fed = mapped_dimensions(config)
    every: list[tuple[str, int, TableSpec | StatisticSpec]] = [
        ("tables", i, table) for i, table in enumerate(config.file.tables)
    ]
    for kind, i, table in [
        *every,
        *(("statistics", i, table) for i, table in enumerate(config.file.statistics)),
    ]:
        for dimension, wanted in table.dimensions.items():
            where: TomlPath = (kind, i, "dimensions", dimension)
            if dimension not in levels:
                yield (
                    where,
                    (
                        f"table '{table.name}': '{dimension}' is not a"
                        f" dimension{_nearest(dimension, list(levels))}"
                    ),
                )
                continue
            if dimension not in fed:
                yield (
                    where,
                    (
                        f"table '{table.name}': no column feeds '{dimension}'; name it in"
                        " [calls.columns] or leave it out"
                    ),
                )
            unknown = [level for level in wanted if level not in levels[dimension]]
            for level in unknown:
                yield (
                    where,
                    (
                        f"table '{table.name}': '{dimension}' has no level '{level}'; its levels"
                        f" are {', '.join(levels[dimension])}"
                    ),
                )
            ranks = [levels[dimension].index(level) for level in wanted if level not in unknown]
            if not unknown and (ranks != sorted(set(ranks)) or ranks[:1] != [0]):
                order = ", ".join(levels[dimension])
                yield (
                    where,
                    (
                        f"table '{table.name}': the levels of '{dimension}' must start with 'all'"
                        f" and run coarse to fine: {order}"
                    ),
                )
        for dimension, code in table.where.items():
            where = (kind, i, "where")
            known = config.codelists.get(dimension)
            if known is None or dimension not in fed:
                yield (
                    where,
                    f"table '{table.name}': 'where' names '{dimension}', which no column feeds",
                )
            elif code not in known.by_code or known.by_code[code].level != known.finest:
                yield (
                    where,
                    (
                        f"table '{table.name}': '{code}' is not a code of"
                        f" '{dimension}'{_nearest(code, known.codes_at(known.finest))}"
                    ),
                )
            if dimension in table.dimensions:
                yield (
                    where,
                    (
                        f"table '{table.name}': '{dimension}' stands in 'where' and in"
                        " 'dimensions'; keep one"
                    ),
                )
        yield from _fiscal_problems(kind, i, table)
        if (
            isinstance(table, TableSpec)
            and table.sensitive_attribute
            and table.sensitive_attribute not in table.dimensions
        ):
            yield (
                (
                    "tables",
                    i,
                    "sensitive_attribute",
                ),
                f"table '{table.name}' has no dimension '{table.sensitive_attribute}'",
            )


def _fiscal_problems(kind: str, i: int, table: TableSpec | StatisticSpec) -> Iterator[Problem]:
    """A fiscal year and a season follow from the month each. Where a table crosses two of the
    three, counts could be worked out that no rule of the audit looks at."""
    named = {*table.dimensions, *table.where}
    if "fiscal_year" not in named:
        return
    where: TomlPath = (kind, i, "dimensions", "fiscal_year")
    if crossed := sorted(named & {"period", "season"}):
        yield (
            where,
            (
                f"table '{table.name}': 'fiscal_year' cannot be crossed with '{crossed[0]}'; make"
                " two tables of it, one by each"
            ),
        )
    if isinstance(table, StatisticSpec):
        yield (
            where,
            (
                f"statistic '{table.name}': there are no statistics by fiscal year; name 'period'"
                " instead"
            ),
        )
