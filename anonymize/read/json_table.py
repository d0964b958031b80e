"""JSON of open-data portals as a table of text: rows of Socrata, features of ArcGIS and of GeoJSON.
Parsed once into a Parquet file.

What would be lost in such a table stops the run: an answer that the server cut off, and a name that
stands twice in one row.

A point becomes the two columns `geometry.x` (longitude) and `geometry.y` (latitude), a point within
a row `location.x` and `location.y`; any other object within a row becomes a column for each of its
values, `location.latitude`. Lists are kept as they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from anonymize.errors import SourceError
from anonymize.read.sql import literal
from anonymize.read.workbook import LINE, SheetTable

_DEEPEST = 3
"""Objects further down stay one text."""


def read_json(path: Path, target: Path) -> SheetTable:
    """The rows of a JSON file as Parquet in `target`, their number counted a second time by another
    parser. Raises SourceError."""
    try:
        data = json.loads(
            path.read_text(encoding="utf-8-sig"),
            parse_float=str,
            parse_int=str,
            object_pairs_hook=_object,
        )
    except _NameTwiceError as error:
        raise _twice(path, str(error)) from None
    except (ValueError, RecursionError):
        raise SourceError([f"{path}: is not whole JSON; export it again, or export CSV"]) from None
    if _is_cut_off(data):
        raise SourceError(
            [
                f"{path}: says that the server's limit cut it off (exceededTransferLimit), so"
                " records are missing; export in parts, or all as CSV"
            ]
        )
    try:
        given = _rows_of(path, data)
        rows = (
            _incidents(given) if _is_eido(given) else [_object(list(_flat(row))) for row in given]
        )
    except _NameTwiceError as error:
        raise _twice(path, str(error)) from None
    counted = _count_again(path, data)
    if counted != len(rows):
        raise SourceError(
            [
                f"{path}: two readings count its records differently ({len(rows):,} and"
                f" {counted:,}); export CSV, and name that file"
            ]
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {LINE: pa.array(range(1, len(rows) + 1), pa.int32())}
    columns |= {
        f"c{i}": pa.array([row.get(name) for row in rows], pa.string())
        for i, name in enumerate(names)
    }
    pq.write_table(pa.table(columns), target)
    return SheetTable(target, tuple(names), len(rows), ())


class _NameTwiceError(Exception):
    """Its text is the name."""


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Raises _NameTwiceError rather than to let one of two values go."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _NameTwiceError(name)
        found[name] = value
    return found


def _twice(path: Path, name: str) -> SourceError:
    return SourceError(
        [
            f"{path}: the name '{name}' stands twice in one record; export it again with one of the"
            " two, or export CSV"
        ]
    )


def _is_cut_off(data: Any) -> bool:
    """Does an answer of ArcGIS, or its GeoJSON, say that there is more?"""
    if not isinstance(data, dict):
        return False
    properties = data.get("properties")
    return data.get("exceededTransferLimit") is True or (
        isinstance(properties, dict) and properties.get("exceededTransferLimit") is True
    )


def _rows_of(path: Path, data: Any) -> list[Mapping[str, Any]]:
    rows = data
    if isinstance(data, dict):
        rows = data.get("features", data.get("data"))
        if names := _names_of_view(data):
            rows = [
                _named(path, names, row, number) if isinstance(row, list) else row
                for number, row in enumerate(rows or (), start=1)
            ]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(
            [
                f"{path}: holds no list of records (as Socrata, ArcGIS and GeoJSON write them);"
                " export CSV, and name that file"
            ]
        )
    return [_feature(row) if isinstance(data, dict) and "features" in data else row for row in rows]


def _named(path: Path, names: Sequence[str], row: list[Any], number: int) -> dict[str, Any]:
    """A list of values under their names. Raises SourceError where they are not as many."""
    if len(row) != len(names):
        raise SourceError(
            [
                f"{path}: row {number:,} of 'data' has {len(row)} values where 'meta' names"
                f" {len(names)} columns; export it again"
            ]
        )
    return dict(zip(names, row, strict=True))


def _names_of_view(data: Mapping[str, Any]) -> list[str]:
    """The names that Socrata's export (`rows.json`) gives in `meta` to the lists in `data`; none
    for other files."""
    columns: Any = data
    for key in ("meta", "view", "columns"):
        columns = columns.get(key) if isinstance(columns, dict) else None
    if not isinstance(columns, list):
        return []
    return [
        str(column.get("fieldName", i)) if isinstance(column, dict) else str(i)
        for i, column in enumerate(columns)
    ]


def _feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    """A feature of ArcGIS (`attributes`, `geometry.x`) or GeoJSON (`properties`,
    `geometry.coordinates`)."""
    row = dict(feature.get("attributes") or feature.get("properties") or {})
    geometry = feature.get("geometry") or {}
    if geometry.get("type") == "Point" and isinstance(geometry.get("coordinates"), list):
        row |= dict(zip(("geometry.x", "geometry.y"), geometry["coordinates"], strict=False))
    elif "x" in geometry and "y" in geometry:
        row |= {"geometry.x": geometry["x"], "geometry.y": geometry["y"]}
    return row


def _flat(
    row: Mapping[str, Any], before: str = "", depth: int = 1
) -> Iterator[tuple[str, str | None]]:
    for key, value in row.items():
        if isinstance(value, dict) and _is_point(value):
            for axis, number in zip("xy", value["coordinates"], strict=False):
                yield f"{before}{key}.{axis}", None if number is None else str(number)
        elif isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _flat(value, f"{before}{key}.", depth + 1)
        elif isinstance(value, bool):
            yield before + key, "true" if value else "false"
        elif value is None or isinstance(value, str):
            yield before + key, value
        else:
            yield before + key, json.dumps(value, ensure_ascii=False)


def _is_point(value: Mapping[str, Any]) -> bool:
    """Is a value a point as Socrata writes those of a column?"""
    numbers = value.get("coordinates")
    return value.get("type") == "Point" and isinstance(numbers, list) and len(numbers) >= 2


_EIDO = frozenset(
    {
        "incidentTypeCommonRegistryText",
        "incidentTypeInternalText",
        "internalIncidentId",
        "incidentCommonPriorityNumber",
    }
)
"""Names that NENA-STA-021.1b gives to the properties of an incident; two of them make a record one
of EIDO."""
_NEVER_READ = re.compile(
    r"(notes?|person|location|vehicle|caller|agent|contact|attachment|emergencyResource)[A-Za-z]*Component",
    re.IGNORECASE,
)
"""Components of EIDO that hold what people said, and who and where they are."""


def _is_eido(rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(len(_EIDO & {path[-1] for path, _value in _leaves(row)}) > 1 for row in rows[:100])


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Each single value of a record with the names that lead to it; of lists, the values of all
    their members."""
    if isinstance(value, dict):
        for name, below in value.items():
            if not name.startswith("$") and not _NEVER_READ.fullmatch(name):
                yield from _leaves(below, (*path, name))
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, path)
    elif path:
        yield path, ("true" if value else "false") if isinstance(value, bool) else value


def _incidents(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str | None]]:
    """Records of EIDO. A column has a property's own name, or all names that lead to it where two
    properties share one; several values of a property (a list of dispositions) are one text, `03;
    16`."""
    listed = [list(_leaves(row)) for row in rows]
    paths: dict[str, set[tuple[str, ...]]] = {}
    for leaves in listed:
        for path, _value in leaves:
            paths.setdefault(path[-1], set()).add(path)
    found = []
    for leaves in listed:
        row: dict[str, list[str]] = {}
        for path, value in leaves:
            values = row.setdefault(path[-1] if len(paths[path[-1]]) == 1 else ".".join(path), [])
            if value is not None and value not in values:
                values.append(value)
        found.append({name: "; ".join(values) if values else None for name, values in row.items()})
    return found


def _count_again(path: Path, data: Any) -> int:
    place = "$" if isinstance(data, list) else "$.features" if "features" in data else "$.data"
    with duckdb.connect() as db:
        text = f"ltrim(content, chr(65279)) FROM read_text({literal(str(path))})"
        return int(
            db.execute(
                f"SELECT json_array_length(j, {literal(place)}) FROM (SELECT {text}) AS t(j)"
            ).fetchall()[0][0]
        )
