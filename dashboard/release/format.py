"""Format 1 of a release, checked at the app's door: a package that passes can be shown on every
page.

Its own description (`datapackage.json`) against a JSON schema; then what a schema cannot say: that
codelists are trees, that each table holds each of its cells once, that numbers are numbers. The
audit has its own reader; this one asks only whether the pages can show what is there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import product
from typing import Any

import shapely
from jsonschema import Draft202012Validator
from shapely.geometry import shape

FORMAT = 1
MAX_PACKAGE, MAX_FILE, MAX_BYTES = 8 << 20, 64 << 20, 256 << 20
"""Bytes of `datapackage.json`, of one file, and of all."""
MAX_DEPTH = 16
MAX_CELLS = 5_000_000
"""Of one table."""
# `\Z` and not `$`, which would let a new line stand at the end.
SAFE_PATH = r"^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z"
DIGITS = re.compile(r"[0-9]{1,15}")
SIGNED = re.compile(r"-?[0-9]{1,15}")
STATUSES = ("published", "suppressed", "not_collected", "not_applicable", "incomplete")
VISIBLE = ("published", "incomplete")


class NotFormat1(ValueError):
    """What is wrong, in a few words for the log: of the package's structure, never a cell."""


def _object(
    required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def _list(items: Mapping[str, Any], most: int = 1000, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most, "minItems": least}


def _map(values: Mapping[str, Any], names: str = r"^.{0,200}\Z") -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": values,
        "propertyNames": {"pattern": names},
        "maxProperties": 1000,
    }


NAME = {"type": "string", "pattern": r"^[A-Za-z0-9_.-]{1,200}\Z"}
WORDS = {"type": "string", "maxLength": 5000}
LANGUAGE = r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})*\Z"
TEXT = _map(WORDS, LANGUAGE) | {"minProperties": 1}
"""A text in each language of the release, its own first."""
DAY = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"}
MOMENT = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})\Z",
}
VERSION = {"type": "string", "pattern": r"^[0-9]{4}\.[0-9]{1,6}(\.[0-9]{1,6})?\Z"}
DIGEST = {"type": "string", "pattern": r"^[0-9a-f]{64}\Z"}
WEB = {"type": "string", "pattern": r"^https?://[^\s<>\"']{1,2000}\Z"}
WHOLE = {"type": "integer", "minimum": 0, "maximum": 10**12}
CODES = _list({"type": "string", "maxLength": 200})
FIELD = _object(
    {"name": NAME, "type": NAME},
    {"title": WORDS, "description": WORDS, "constraints": {"type": "object"}},
)
TABULAR = _object({"fields": _list(FIELD, least=1)}, {"primaryKey": CODES})
LEVELS = _map(_list(NAME, 50, 1), r"^[a-z][a-z0-9_]{0,100}\Z")
COUNT = _object(
    {
        "kind": {"const": "count"},
        "title": TEXT,
        "measure": NAME,
        "universe": WORDS,
        "where": _map({"type": "string"}),
        "dimensions": LEVELS,
    }
)
STATISTIC = _object(
    {
        "kind": {"const": "statistic"},
        "title": TEXT,
        "measure": NAME,
        "where": _map({"type": "string"}),
        "dimensions": LEVELS,
        "rounding": _map({"type": "number", "exclusiveMinimum": 0}) | {"minProperties": 1},
        "minimum": WHOLE,
    }
)
REFERENCE = _object({"kind": {"const": "reference"}, "title": TEXT})
RESOURCE = _object(
    {
        "name": NAME,
        "path": {"type": "string", "pattern": SAFE_PATH, "maxLength": 300},
        "bytes": WHOLE,
        "format": NAME,
        "mediatype": WORDS,
        "hash": {"type": "string", "pattern": r"^sha256:[0-9a-f]{64}\Z"},
    },
    {
        "title": WORDS,
        "schema": TABULAR,
        "table": {"oneOf": [COUNT, STATISTIC, REFERENCE]},
        "codelist": _object(
            {"dimension": {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,100}\Z"}, "name": TEXT}
        ),
        "sources": _list(_object({"title": WORDS}), 20),
    },
) | {"if": {"properties": {"path": {"pattern": r"\.csv\Z"}}}, "then": {"required": ["schema"]}}
PACKAGE = _object(
    {
        "title": WORDS,
        "description": WORDS,
        "version": VERSION,
        "created": MOMENT,
        "licenses": _list(_object({"title": WORDS, "path": WEB}), least=1),
        "contributors": _list(_object({"title": WORDS}), least=1),
        "privacy": _object({"threshold": {"type": "integer", "minimum": 2, "maximum": 10**6}}),
        "agency": _object(
            {
                "name": TEXT,
                "place": TEXT,
                "about": TEXT,
                "country": {"enum": ["US", "CA"]},
                "fictional": {"type": "boolean"},
                "contact": WORDS,
            }
        ),
        "period": _object({"from": DAY, "to": DAY}),
        "resources": _list(RESOURCE, 2000),
    },
    {
        "format": {"const": FORMAT},
        "gaps": _list(
            _object(
                {"from": DAY, "to": DAY, "reason": TEXT}, {"records": {"enum": ["begin", "end"]}}
            )
        ),
        "homepage": WEB,
        "next_update": DAY,
        "embedders": _list(WEB, 50),
        "release": _object({"kind": {"enum": ["update", "correction"]}}, {"reason": TEXT}),
        "definitions": _map(_object({"version": WHOLE, "since": DAY, "text": TEXT})),
        "completeness": _map({"type": "integer", "minimum": 0, "maximum": 100}),
        "coarsened": _object({"tables": CODES, "areas": _map(_list(CODES))}),
        "revised": _object({"months": CODES, "at_most": WHOLE}),
        "history": _list(
            _object({"version": VERSION, "created": MOMENT, "datapackage_sha256": DIGEST}), 200
        ),
    },
)
AUDIT = _object({"format": {"const": FORMAT}, "passed": {}, "datapackage_sha256": DIGEST})


@cache
def _validator(which: str) -> Draft202012Validator:
    return Draft202012Validator({"package": PACKAGE, "audit": AUDIT}[which])


def read_json(data: bytes) -> Any:
    """JSON of a sound depth with finite numbers and each name once. Raises NotFormat1."""
    try:
        found = json.loads(data, parse_constant=_refuse, object_pairs_hook=_once)
    except NotFormat1:
        raise
    except (ValueError, RecursionError) as error:
        raise NotFormat1(f"no JSON ({type(error).__name__})") from None
    _look(found, 0)
    return found


def _refuse(name: str) -> None:
    raise NotFormat1(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that stands there twice, some readers take the first and some the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotFormat1("a name twice in one object")
    return found


def _look(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotFormat1(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for inner in value.values():
            _look(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _look(inner, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise NotFormat1("a number that is not finite")


def check_audit(audit: Any) -> None:
    """Raises NotFormat1."""
    _conform(audit, "audit")


def check_package(package: Any) -> None:
    """Raises NotFormat1, and says where."""
    _conform(package, "package")
    _languages(package)
    for day in (package["created"], *(entry["created"] for entry in package.get("history", []))):
        _moment(day)
    days = [*package["period"].values(), *filter(None, [package.get("next_update")])]
    days += [gap[end] for gap in package.get("gaps", []) for end in ("from", "to")]
    for day in (*days, *(rule["since"] for rule in package.get("definitions", {}).values())):
        _day(str(day))
    for what in ("name", "path"):
        listed = [resource[what] for resource in package["resources"]]
        if len(set(listed)) != len(listed):
            raise NotFormat1(f"two resources of the same {what}")
    versions = [package["version"], *(entry["version"] for entry in package.get("history", []))]
    if len(set(versions)) != len(versions):
        raise NotFormat1("two releases of the same version")
    if sum(resource["bytes"] for resource in package["resources"]) > MAX_BYTES:
        raise NotFormat1(f"more than {MAX_BYTES >> 20} MB")


def _languages(package: Any) -> None:
    """The agency says who it is in each language of the release."""
    agency = package["agency"]
    if len({frozenset(agency[key]) for key in ("name", "place", "about")}) > 1:
        raise NotFormat1("an agency that says who it is in some languages only")


def _conform(found: Any, which: str) -> None:
    wrong = next(iter(_validator(which).iter_errors(found)), None)
    if wrong is not None:
        raise NotFormat1(
            f"{which}: {'/'.join(map(str, wrong.absolute_path)) or 'the whole'} is not as format"
            f" {FORMAT} asks ({wrong.validator})"
        )


def _day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise NotFormat1("a day that is none") from None


def _moment(text: str) -> None:
    try:
        found = datetime.fromisoformat(text)
        _ = found.date() if found.tzinfo else None
    except ValueError:
        raise NotFormat1("a time that is none") from None


def check_tree(codes: Mapping[str, Any], root: str) -> None:
    """A codelist is one tree below its root. Each code has `.parent` and `.label`. Raises
    NotFormat1."""
    if root not in codes or codes[root].parent:
        raise NotFormat1("a codelist without its root")
    sound = {root}
    for code in codes:
        way = []
        while code not in sound:
            if code in way or code not in codes:
                raise NotFormat1("a codelist that is no tree")
            way.append(code)
            code = codes[code].parent
        sound.update(way)


def check_cells(
    rows: Any,
    levels: Mapping[str, tuple[str, ...]],
    codelists: Mapping[str, Any],
    columns: Sequence[str],
    where: Mapping[str, str],
) -> None:
    """Each cell of a table once, with a status, and whole numbers where it is visible; the ends of
    a difference (columns that end in `low` or `high`) may be negative. `rows`: tuples of
    codes, numbers and status, as text."""
    missing = [name for name in (*levels, *where) if name not in codelists]
    if missing or any(code not in codelists[name].codes for name, code in where.items()):
        raise NotFormat1("a dimension or code that no codelist holds")
    axes = [
        [code.code for code in codelists[name].codes.values() if code.level in names]
        for name, names in levels.items()
    ]
    if math.prod(map(len, axes)) > MAX_CELLS:
        raise NotFormat1(f"more than {MAX_CELLS:,} cells in a table")
    forms = [SIGNED if name.endswith(("low", "high")) else DIGITS for name in columns]
    width, seen = len(levels), set()
    for row in rows:
        *numbers, status = row[width:]
        if status not in STATUSES or len(numbers) != len(columns):
            raise NotFormat1("a status that format 1 does not know")
        if not all(
            form.fullmatch(number) if status in VISIBLE else number == ""
            for number, form in zip(numbers, forms, strict=True)
        ):
            raise NotFormat1("a cell whose number does not fit its status")
        seen.add(tuple(row[:width]))
    if len(seen) != len(rows) or seen != set(product(*axes)):
        raise NotFormat1("cells missing, twice, or beyond those declared")


KINDS: dict[str, Callable[[str], object]] = {
    "integer": int,
    "number": float,
    "date": date.fromisoformat,
    "yearmonth": lambda text: date.fromisoformat(f"{text}-01"),
    "year": int,
    "string": str,
}


def check_columns(
    columns: Sequence[str], rows: Iterable[Sequence[str]], fields: Sequence[Mapping[str, Any]]
) -> None:
    """A table's columns and values are as its schema declares; empty values are left out. Raises
    NotFormat1."""
    if list(columns) != [field["name"] for field in fields]:
        raise NotFormat1("columns other than those declared")
    kinds = [KINDS.get(field["type"], str) for field in fields]
    for row in rows:
        for text, kind in zip(row, kinds, strict=True):
            try:
                value = kind(text) if text else 0
            except ValueError:
                raise NotFormat1("a value of another type than declared") from None
            if isinstance(value, float) and not math.isfinite(value):
                raise NotFormat1("a number that is not finite")


def check_outline(found: Any) -> None:
    """A GeoJSON map of areas. Raises NotFormat1."""
    if (
        not isinstance(found, dict)
        or found.get("type") != "FeatureCollection"
        or not isinstance(found.get("features"), list)
    ):
        raise NotFormat1("a map that is no FeatureCollection")
    for feature in found["features"]:
        if (
            not isinstance(feature, dict)
            or not isinstance(feature.get("properties"), dict)
            or not isinstance(feature.get("geometry"), dict)
        ):
            raise NotFormat1("a map with an odd feature")
        if feature["geometry"].get("type") not in ("Polygon", "MultiPolygon") or not isinstance(
            feature["geometry"].get("coordinates"), list
        ):
            raise NotFormat1("a map with a shape that is no area")


MAX_NAME = 200
"""Letters of the name of a place."""
CONTEXT_SHAPES = ("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def check_context(found: Any) -> None:
    """A GeoJSON of what is drawn with the areas. Kinds that are not known are left out by whoever
    draws. Raises NotFormat1."""
    if (
        not isinstance(found, dict)
        or found.get("type") != "FeatureCollection"
        or not isinstance(found.get("features"), list)
    ):
        raise NotFormat1("a context that is no FeatureCollection")
    for feature in found["features"]:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        if (
            not isinstance(properties, dict)
            or not isinstance(geometry, dict)
            or not all(isinstance(properties.get(key, ""), str) for key in ("kind", "name"))
            or len(properties.get("name", "")) > MAX_NAME
        ):
            raise NotFormat1("a context with an odd feature")
        if geometry.get("type") not in CONTEXT_SHAPES or not _is_drawable(geometry):
            raise NotFormat1("a context with a shape that cannot be drawn")


def _is_drawable(geometry: Mapping[str, Any]) -> bool:
    """Is it a shape with a place on Earth?"""
    try:
        west, south, east, north = shape(geometry).bounds
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.GEOSException):
        return False
    return bool(-180 <= west <= east <= 180 and -90 <= south <= north <= 90)
