"""The schema of the agency file: its keys, their types, and what each part means.

Pydantic validates the file once, when it is read; the rest of the program only sees these frozen
values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from anonymize.agency.toml_faults import control_sign
from anonymize.read.times import format_of, refuse_two_orders

CATEGORY_FIELDS = (
    "call_type",
    "source",
    "priority",
    "not_served_reason",
    "responder",
    "outcome",
    "language",
    "age_group",
    "race_ethnicity",
    "gender",
    "setting",
    "initial_type",
    "led_by",
    "clinician_role",
    "hold_started_by",
    "triaged",
    "partner_unavailable",
)
FLAG_FIELDS = (
    "eligible",
    "arrest",
    "arrestable",
    "force_used",
    "weapon_reported",
    "injured_officer",
    "injured_clinician",
    "injured_person",
    "interpreter_used",
    "serious_force",
    "ed_criteria",
    "citation",
    "arrest_required",
    "restrained",
    "officer_trained",
    "crisis_in_report",
    "backup_requested",
    "handed_back",
    "started_by_team",
    "in_program_area",
    "other_units_came",
)
TIME_FIELDS = (
    "dispatched_at",
    "arrived_at",
    "cleared_at",
    "officer_cleared_at",
    "backup_requested_at",
    "backup_arrived_at",
    "other_units_cleared_at",
)
KEY_FIELDS = ("call_id", "person_key")
POINT_FIELDS = ("lon", "lat", "point")
AREA_FIELD = re.compile(r"^area(_[a-z0-9_]+)?$")
PLAIN_FIELDS = KEY_FIELDS + POINT_FIELDS + CATEGORY_FIELDS + FLAG_FIELDS + TIME_FIELDS

MINIMUM_THRESHOLD = 3


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


BASE_LANGUAGES = ("en", "es")
"""Languages that every public text is in."""


class Text(Model):
    """One public text in English and Spanish, and in further languages of the agency where it has
    them."""

    en: str = Field(min_length=1)
    es: str = Field(min_length=1)
    _further: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _with_further(cls, value: Any, make: Any, info: ValidationInfo) -> Any:
        """Keys that are languages of the agency are texts; any other key is refused as ever."""
        named = [code for code in _languages(info) if isinstance(value, dict) and code in value]
        made = make({key: v for key, v in value.items() if key not in named} if named else value)
        for code in named:
            if not isinstance(value[code], str) or not value[code]:
                raise ValueError(f"has no text for '{code}'; write one, or take the key out")
            made._further[code] = value[code]
        return made

    def of(self, language: str) -> str:
        """The text in a language; empty where there is none."""
        return {"en": self.en, "es": self.es, **self._further}.get(language, "")

    def texts(self, languages: Iterable[str] = ()) -> dict[str, str]:
        """Language -> text, for those of `languages` that it has; for all of them without."""
        codes = languages or (*BASE_LANGUAGES, *self._further)
        return {code: words for code in codes if (words := self.of(code))}


def _languages(info: ValidationInfo) -> tuple[str, ...]:
    """Further languages of the agency file that is being read."""
    listed = (info.context or {}).get("languages", ())
    return tuple(code for code in listed if code not in BASE_LANGUAGES)


def _all(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    return dict.fromkeys((*BASE_LANGUAGES, *_languages(info)), value)


Bilingual = Annotated[Text, BeforeValidator(_all)]
"""A text in every language; a plain string (a proper name, say) counts for all."""


_zones = cache(available_timezones)


def _timezone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"'{name}' is no time zone; write one like 'America/Chicago'")
    return name


def _not_reserved(code: str) -> str:
    if code in ("all", "unknown"):
        raise ValueError(
            f"the code '{code}' is kept for the program; choose another, the label may stay"
        )
    return code


Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})*$")]
TimeZone = Annotated[str, AfterValidator(_timezone)]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"),
    AfterValidator(_not_reserved),
]
Level = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$"), AfterValidator(_not_reserved)
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Columns = Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]
"""One column name or several; of several the first with a usable value counts."""


def _format(text: str) -> str:
    format_of(text)
    return text


def _formats(texts: tuple[str, ...]) -> tuple[str, ...]:
    refuse_two_orders(texts)
    return texts


Formats = Annotated[
    tuple[Annotated[str, AfterValidator(_format)], ...],
    BeforeValidator(lambda v: (v,) if isinstance(v, str) else v),
    AfterValidator(_formats),
]
"""One way of writing a time or several (`anonymize.read.times`); none means ISO 8601."""


WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#<>\"']+$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$")]


class Licence(Model):
    name: str
    url: WebAddress


class Agency(Model):
    id: Name
    name: Bilingual
    place: Bilingual
    country: Literal["US", "CA"] = "US"
    timezone: TimeZone
    fictional: bool = False
    publisher: str
    contact: str
    licence: Licence
    about: Bilingual
    languages: tuple[Language, ...] = BASE_LANGUAGES
    """Of public texts. What one of them lacks is shown in the first."""
    site: WebAddress | None = None
    embedders: tuple[Origin, ...] = ()
    fiscal_year_starts: int | None = Field(default=None, ge=2, le=12, strict=True)
    """The month, where the agency counts in fiscal years that are not calendar years."""

    @model_validator(mode="after")
    def _says_who_it_is(self) -> Agency:
        if missing := [code for code in BASE_LANGUAGES if code not in self.languages]:
            raise ValueError(f"'languages' must name {' and '.join(BASE_LANGUAGES)}; add {missing}")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("'languages' names a language twice; take one of them out")
        for key in ("name", "place", "about"):
            for code in self.languages:
                if not getattr(self, key).of(code):
                    raise ValueError(
                        f"'{key}' has no text for '{code}', one of 'languages'; add it"
                    )
        return self


class Gap(Model):
    """Days of the release's period (both ends included) on which no call is recorded, and why that
    is.

    Either `reason`: nothing was collected then, or the file is lost; this is published, and no
    count of these days is. Or `no_calls`: the agency looked, and nobody called; the counts are
    zeros like any other.
    """

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    reason: Bilingual | None = None
    no_calls: bool = False

    @model_validator(mode="after")
    def _one_answer(self) -> Gap:
        if (self.reason is not None) == self.no_calls:
            raise ValueError(
                "must say one of the two: 'reason' (in both languages) where nothing was collected"
                " or the file is lost, or no_calls = true where nobody called"
            )
        return self


class OutsideRecords(Gap):
    """The days before the first record, or after the last, where the period of the release reaches
    further. No agency file names them: a build sees them.

    `day_known`: the day next to them is that of a record; otherwise a record is known to be of that
    day's month.
    """

    edge: Literal["begin", "end"]
    day_known: bool = True

    @property
    def next_record(self) -> date:
        """The day of the first record, or of the last."""
        return (
            self.first - timedelta(days=1) if self.edge == "end" else self.last + timedelta(days=1)
        )


class Release(Model):
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}\.[0-9]+(\.[0-9]+)?$")]
    created: date
    data_from: date
    data_to: date
    next_update: date | None = None
    kind: Literal["update", "correction"] = "update"
    reason: Bilingual | None = None
    gaps: tuple[Gap, ...] = ()
    preview: bool = False
    """A look at a file of guesses: its candidate is shown and never sealed, so that it cannot be
    published."""

    @property
    def not_collected(self) -> tuple[Gap, ...]:
        """The gaps in which nothing was collected, in order of time."""
        return tuple(
            sorted((gap for gap in self.gaps if gap.reason is not None), key=lambda gap: gap.first)
        )

    @property
    def outside_records(self) -> tuple[OutsideRecords, ...]:
        return tuple(gap for gap in self.gaps if isinstance(gap, OutsideRecords))

    @model_validator(mode="after")
    def _corrections_have_a_reason(self) -> Release:
        if self.kind == "correction" and self.reason is None:
            raise ValueError("a correction needs a 'reason' in both languages")
        return self


class Definition(Text):
    """A rule of the agency's own behind a measure, such as its criteria for a team. A change of
    words is a new version."""

    version: int = Field(ge=1, strict=True)
    since: date


class Privacy(Model):
    threshold: int = Field(default=11, ge=MINIMUM_THRESHOLD, strict=True)


class SparkSpec(Model):
    """Where Apache Spark is, for `engine = "spark"`. Every worker sees the exports under the same
    path, and has this program."""

    master: str = "local[*]"


class PlanSpec(Model):
    """What the plan advisor may do, and what `build` applies of it. `merged`: area system -> groups
    of neighbouring finest areas that are shown as one, whether or not `apply` is true; where any
    are named, the advisor looks for no others."""

    apply: bool = False
    most_small_percent: float = Field(default=25.0, gt=0, le=100)
    merge_areas: bool = True
    keep: tuple[Name, ...] = ()
    merged: dict[
        Annotated[str, StringConstraints(pattern=AREA_FIELD.pattern)],
        tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...],
    ] = {}


class CodeSpec(Text):
    code: Code
    parent: Code | None = None

    @property
    def label(self) -> Text:
        return Text.model_validate(self.texts(), context={"languages": list(self.texts())})


class DimensionSpec(Model):
    """The tree of one dimension below its root `all`: levels from coarse to fine, and codes."""

    name: Bilingual
    all: Bilingual
    levels: tuple[Level, ...] = Field(min_length=1)
    codes: tuple[CodeSpec, ...] = Field(min_length=1)
    unknown: bool = True


class Boundaries(Model):
    """The file that draws the finest areas. `code`, `name`: its properties; `crs`: its coordinates,
    where it does not say them itself;
    `leave_out`: codes of features that are no area of the agency (a lake, a neighbouring city)."""

    path: Path
    code: str
    name: str | None = None
    crs: str | None = None
    leave_out: tuple[str, ...] = ()


class ContextFile(Model):
    """A file of water, roads, parks or names that is drawn with the areas. `name`: the property
    with the name (of `places`); `keep`: property -> values of the features that are kept; `crs`:
    its coordinates, where it does not say them itself."""

    path: Path
    name: str | None = None
    keep: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    crs: str | None = None


ContextFiles = Annotated[
    tuple[ContextFile, ...], BeforeValidator(lambda v: (v,) if isinstance(v, dict) else v)
]


class ContextSpec(Model):
    """What helps readers to find their way on the maps; `credit`: the line that the files' licence
    asks for."""

    credit: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""
    water: ContextFiles = ()
    parks: ContextFiles = ()
    roads: ContextFiles = ()
    places: ContextFiles = ()


class AreaSpec(Model):
    """One area system. Codes come from `codes`, from `tree`, or from the boundary file."""

    name: Bilingual
    all: Bilingual
    levels: tuple[Level, ...] = Field(min_length=1)
    codes: tuple[str, ...] = ()
    tree: dict[str, tuple[str, ...]] = {}
    names: dict[str, Bilingual] = {}
    boundaries: Boundaries | None = None
    strip_zeros: bool = False
    coarse_values: bool = False
    unknown: bool = True


class TimeSpec(Model):
    """Where the time a call came in stands. One of timestamp, date, year with month, or period."""

    timestamp: Columns = ()
    date: Columns = ()
    clock: str | None = None
    hour: str | None = None
    year: str | None = None
    month: str | None = None
    format: Formats = ()
    clock_format: Formats = ()
    timezone: TimeZone | None = None
    blank_hour: int | None = Field(default=None, ge=0, le=23)
    period: bool = False


def _paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if sign := control_sign(path):
            raise ValueError(
                f"holds '{sign}', which means a special sign between double quotes; write the path"
                " between single quotes, or with /"
            )
    return paths


class SourceSpec(Model):
    """Where an export lies, and how it is written. Nothing of this is guessed: what is not named
    here is as the defaults say.

    `sheet`: of a workbook, one name or several, or "*" for all; the first sheet when none is named.
    `member`: of a zip archive, names or patterns of the files in it that are read. `header_row`:
    the line (row of a sheet) with the columns' names. `quote`: empty where values are never quoted;
    `escape`: what stands before a quote inside a value. `other_names`: column -> what it is called
    in files that lack it under its own name.
    """

    paths: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda v: (v,) if isinstance(v, str) else v),
        AfterValidator(_paths),
    ] = Field(min_length=1)
    format: Literal["csv", "parquet", "excel", "json"] | None = None
    sheet: Columns = ()
    member: Columns = ()
    header_row: int = Field(default=1, ge=1, le=1000, strict=True)
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    quote: Annotated[str, StringConstraints(max_length=1)] = '"'
    escape: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "latin-1", "windows-1252", "utf-16"] | None = None
    other_names: dict[str, Columns] = {}


class TimeColumnSpec(Model):
    """How a field's times are written: `format` of its column, `timezone` where it is not the
    agency's, and `clock`, a second column that holds the clock when the first holds the date
    alone."""

    format: Formats = ()
    timezone: TimeZone | None = None
    clock: str | None = None
    clock_format: Formats = ()


class InputSpec(SourceSpec):
    """An input other than the calls. `columns`: field -> column where the names differ; `values`:
    of handoffs, partner -> code; `times`: field -> how its times are written, where that is not
    ISO 8601."""

    columns: dict[str, str] = {}
    values: dict[str, str] = {}
    times: dict[str, TimeColumnSpec] = {}


InputName = Literal[
    "all_calls",
    "handoffs",
    "shifts",
    "staffing",
    "budget",
    "training",
    "targets",
    "program_events",
    "population",
    "survey",
    "unit_costs",
    "service_hours",
    "place_names",
    "partner_agreements",
    "crisis_line",
    "liability_claims",
    "urgent_calls",
    "feedback",
]


Rule = Literal["first", "last", "earliest", "latest", "any", "all"] | tuple[str, ...]
"""How the rows of one call make one value: the first or last row that has one, the earliest or
latest time, yes where any or all rows say so, or an order of preference among codes."""


class PointSpec(Model):
    """How the calls' points are written, where that is not degrees: `crs`, such as "EPSG:2285" for
    a state plane grid; `scale`, what a number is multiplied by first (0.000001 where a system keeps
    degrees as whole numbers)."""

    crs: str | None = None
    scale: float = Field(default=1.0, gt=0)


JOINT = " + "
"""Joins yes/no columns that must all say yes: `"Officer + Clinician"`."""


class CallsSpec(SourceSpec):
    """`where`: column -> values (or prefixes, `MH*`) of the rows that are kept. `yes_columns`:
    category -> its yes/no columns (or several, joined by JOINT), each with the code that a yes (in
    all of them) stands for. `count`: the column that says how many calls a row stands for."""

    where: dict[str, Columns] = {}
    count: str | None = None
    point: PointSpec = PointSpec()
    yes_columns: dict[str, dict[str, str]] = {}
    repeated_rows: Literal["no", "keep_first", "keep_last", "combine"] = "no"
    combine: dict[str, Rule] = {}
    placeholders: tuple[str, ...] = ()
    reject_limit_percent: float = Field(default=2.0, ge=0, le=100)
    time: TimeSpec
    columns: dict[str, Columns] = {}
    times: dict[str, TimeColumnSpec] = {}
    values: dict[str, dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _yes_columns_are_columns(cls, data: Any) -> Any:
        """A category in yes/no columns is read from them like from any others."""
        if not isinstance(data, dict) or not isinstance(data.get("yes_columns"), dict):
            return data
        columns = dict(data.get("columns") or {})
        for name, flags in data["yes_columns"].items():
            if name in columns:
                raise ValueError(
                    f"reads '{name}' from [calls.yes_columns.{name}] and from [calls.columns]; keep"
                    " one of the two"
                )
            if isinstance(flags, dict):
                columns[name] = list(
                    dict.fromkeys(c for key in flags if key != "*" for c in key.split(JOINT))
                )
        return data | {"columns": columns}

    @property
    def point_columns(self) -> tuple[str, ...]:
        """The column of points, or those of longitude and latitude; none where calls have no
        point."""
        fields = ("point",) if "point" in self.columns else ("lon", "lat")
        return tuple(self.columns[field][0] for field in fields if field in self.columns)


class TableSpec(Model):
    """One published count table: the levels wanted of each dimension, coarse to fine."""

    name: Name
    title: Bilingual
    dimensions: dict[str, tuple[str, ...]] = Field(min_length=1)
    where: dict[str, str] = {}
    sensitive_attribute: str | None = None


class StatisticSpec(Model):
    """One published table of a measure that does not add up, over cells that a count table
    publishes too.

    Minutes: median and 90th percentile; compare: like eligible calls that found a free team, and
    that were lost because none was free; reached: like eligible calls that a clinician reached, and
    others (docs/comparisons.md); people: different people; repeat_people_N: R1 to R3;
    calls_of_frequent: R4; hours_committed: H3; hours_without_team: H4; hours_others_freed: from
    when fire and ambulance crews left until the call was cleared; days_to_connection: days from a
    call to the visit that a partner confirmed (C3); call_clustering: by how much counts swing more
    because people call again.
    """

    name: Name
    title: Bilingual
    measure: Literal[
        "minutes_call_to_arrival",
        "minutes_dispatch_to_arrival",
        "minutes_on_scene",
        "minutes_officer_on_scene",
        "minutes_call_to_dispatch",
        "compare_arrest",
        "compare_force_used",
        "compare_repeat_90",
        "compare_officer_minutes",
        "compare_wait",
        "compare_restrained",
        "compare_hold",
        "reached_arrest",
        "reached_force_used",
        "people",
        "repeat_people_30",
        "repeat_people_90",
        "repeat_people_365",
        "calls_of_frequent",
        "minutes_to_backup",
        "hours_committed",
        "hours_others_freed",
        "hours_without_team",
        "days_to_connection",
        "call_clustering",
    ]
    dimensions: dict[str, tuple[str, ...]] = Field(min_length=1)
    where: dict[str, str] = {}
    minimum: int = Field(default=30, ge=MINIMUM_THRESHOLD)


class AgencyFile(Model):
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark: SparkSpec = SparkSpec()
    agency: Agency
    release: Release
    privacy: Privacy = Privacy()
    plan: PlanSpec = PlanSpec()
    definitions: dict[Name, Definition] = {}
    calls: CallsSpec
    inputs: dict[InputName, InputSpec] = {}
    areas: dict[Annotated[str, StringConstraints(pattern=AREA_FIELD.pattern)], AreaSpec] = {}
    context: ContextSpec = ContextSpec()
    dimensions: dict[str, DimensionSpec] = {}
    tables: tuple[TableSpec, ...] = ()
    statistics: tuple[StatisticSpec, ...] = ()
