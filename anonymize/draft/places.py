"""Areas and time zones: codes matched with outlines, which areas lie in which, and where on the map
the export is from."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import duckdb

from anonymize.areas.boundary_file import BoundaryFile, BoundaryFileError, read_boundary_file
from anonymize.areas.systems import split_point
from anonymize.draft.columns import TABLE, Column, Columns, hours_of
from anonymize.draft.guess import Guess, Guesses
from anonymize.draft.meanings import MIN_ROWS, code_of, slug
from anonymize.draft.names import by_name, data, plain
from anonymize.portrait.unusual import percent
from anonymize.portrait.usual_day import ENOUGH, hours_late
from anonymize.read.cleaning import cleaned, normalise
from anonymize.read.times import ABBREVIATIONS, LETTERS, standard_letters

MATCHED = 0.8
"""Share of the rows whose code an outline must have."""
MAX_SYSTEMS = 2
"""Area systems that are drafted: each further one links more tables, so that more has to be
withheld."""
MAX_CODES = 120
"""Codes of areas that are listed where no outlines are given."""


@dataclass(frozen=True)
class Outlines:
    """A file of outlines. `values`: property -> its values, feature by feature; `middle`: longitude
    and latitude, where they are degrees."""

    path: Path
    values: dict[str, tuple[str, ...]]
    middle: tuple[float, float] | None


@dataclass(frozen=True)
class AreaDraft:
    """A section [areas.NAME]. `column` is None where points are placed; `tree`: parent -> areas in
    it; `unmapped`: value -> rows of codes without an area."""

    name: str
    column: str | None
    title: tuple[str, str]
    levels: tuple[str, ...]
    reason: str
    decide: str
    codes: tuple[str, ...] = ()
    tree: dict[str, tuple[str, ...]] = field(default_factory=dict)
    outlines: Outlines | None = None
    code: str = ""
    label: str = ""
    strip_zeros: bool = False
    unmapped: tuple[tuple[str, int, bool], ...] = ()
    sweep: int = 0

    @property
    def unnamed(self) -> bool:
        """Does nothing say what kind of areas these are?"""
        return self.title == _ANY_AREA


def outlines_of(path: Path) -> Outlines | None:
    """A file of outlines, or None where it is none."""
    try:
        file = read_boundary_file(path, _properties(path))
    except (BoundaryFileError, ValueError, OSError):
        return None
    outlines = [feature.outline for feature in file.features if feature.outline is not None]
    if len(outlines) < 0.5 * len(file.features) or not outlines:
        return None
    values = {
        name: tuple(_text(feature.properties.get(name)) for feature in file.features)
        for name in file.properties
    }
    return Outlines(path, values, _middle(file))


def _properties(path: Path) -> list[str]:
    if path.suffix.lower() != ".shp":
        return []
    import pyogrio

    return [str(name) for name in pyogrio.read_info(path)["fields"]]


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _middle(file: BoundaryFile) -> tuple[float, float] | None:
    bounds = [feature.outline.bounds for feature in file.features if feature.outline is not None]
    lon = (min(b[0] for b in bounds) + max(b[2] for b in bounds)) / 2
    lat = (min(b[1] for b in bounds) + max(b[3] for b in bounds)) / 2
    return (lon, lat) if abs(lon) <= 180 and abs(lat) <= 90 else None


def areas_of(
    db: duckdb.DuckDBPyConnection, guesses: Guesses, columns: Columns, files: Sequence[Outlines]
) -> list[AreaDraft]:
    """The area systems to draft, the first as `area`."""
    found: list[AreaDraft] = []
    used: set[str] = set()
    for one in guesses.areas:
        best = max(
            (_match(columns[one.column], file, prop) for file in files for prop in file.values),
            key=lambda m: (round(m[0], 3), by_name("area", m[2]), not m[3]),
            default=(0.0, None, "", False),
        )
        if best[1] is not None and best[0] >= MATCHED:
            found.append(_with_outlines(len(found), one, columns[one.column], best))
            used.add(one.column)
            if not found[-1].tree and not best[3]:
                coarser = [
                    columns[other.column] for other in guesses.areas if other.column != one.column
                ]
                parent, pairs = _parents(db, columns[one.column], coarser)
                if (
                    pairs
                    and set(pairs) == set(best[1].values[best[2]])
                    and _level(parent) != found[-1].levels[-1]
                ):
                    found[-1] = replace(
                        found[-1], tree=_tree(pairs), levels=(_level(parent), *found[-1].levels)
                    )
                    used.add(parent)
    points = guesses.fields.get("point") or guesses.fields.get("lon")
    free = [
        file
        for file in files
        if not any(area.outlines and area.outlines.path == file.path for area in found)
    ]
    if points and free and not found:
        found.append(_placed(free[0]))
    rest = [
        one
        for one in guesses.areas
        if one.column not in used and columns[one.column].distinct <= MAX_CODES
    ]
    rest = [one for one in rest if not one.decide or not found]
    while rest and len(found) < MAX_SYSTEMS:
        fine = rest.pop(0)
        above = _parents(db, columns[fine.column], [columns[one.column] for one in rest])
        rest = [one for one in rest if one.column != above[0]]
        found.append(_listed(len(found), fine, columns[fine.column], *above))
    return found


def _match(column: Column, file: Outlines, prop: str) -> tuple[float, Outlines | None, str, bool]:
    """Share of a column's rows whose text is a property's value: as it is, or without leading
    zeros."""
    codes = file.values[prop]
    if len(set(codes)) < len(codes) * 0.5:
        return 0.0, None, prop, False
    best = (0.0, file, prop, False)
    for strip in (False, True):
        known = {_clean(code, strip) for code in codes}
        share = sum(n for text, n in column.values if _clean(text, strip) in known) / max(
            1, sum(n for _t, n in column.values)
        )
        if share > best[0]:
            best = (share, file, prop, strip)
    return best


def _clean(text: str, strip: bool) -> str:
    return text.strip().lstrip("0") or "0" if strip else text.strip()


def _with_outlines(
    place: int, one: Guess, column: Column, match: tuple[float, Outlines | None, str, bool]
) -> AreaDraft:
    share, file, prop, strip = match
    assert file is not None
    known = {_clean(code, strip) for code in file.values[prop]}
    missing = [(text, n) for text, n in column.values if _clean(text, strip) not in known]
    unmapped = tuple(
        (text, n, code_of("responder", text)[0] != "unknown")
        for text, n in missing
        if n >= MIN_ROWS
    )
    rare = sum(n for _text, n in missing if n < MIN_ROWS)
    level = _level(one.column)
    label = _label_of(file, prop)
    reason = (
        f"{percent(share)} of its codes are in"
        f" {file.path.name}{' without leading zeros' if strip else ''}; {one.reason}"
    )
    levels, tree = _levels(_tree_of_properties(file, prop, strip), level)
    return AreaDraft(
        _name(place, one.column),
        one.column,
        _title(one.column),
        levels,
        reason,
        "" if share > 0.95 else one.decide,
        tree=tree,
        outlines=file,
        code=prop,
        label=label,
        strip_zeros=strip,
        unmapped=unmapped,
        sweep=rare,
    )


def _levels(
    above: tuple[str, dict[str, tuple[str, ...]]] | None, level: str
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The levels of a system and its tree, of which the finest level may have one above it."""
    if above is None or _level(above[0]) == level:
        return (level,), {}
    return (_level(above[0]), level), above[1]


def _placed(file: Outlines) -> AreaDraft:
    """Areas of which the calls name no code: their points are placed in the outlines."""
    unique = [
        prop
        for prop, values in file.values.items()
        if len(set(values)) == len(values) and all(values)
    ]
    by = sorted(
        unique,
        key=lambda prop: (
            -by_name("area", prop),
            not re.search(r"\b(code|name|id|number)\b", plain(prop)),
            max(map(len, file.values[prop])),
        ),
    )
    code = by[0] if by else next(iter(file.values), "code")
    levels, tree = _levels(_tree_of_properties(file, code, False), _level(code))
    decide = (
        f"is '{code}' the code of an area, or {' or '.join(repr(p) for p in by[1:3])}?"
        if len(by) > 1
        else ""
    )
    return AreaDraft(
        "area",
        None,
        _title(code),
        levels,
        "calls are placed by their points",
        decide,
        tree=tree,
        outlines=file,
        code=code,
        label=_label_of(file, code),
    )


def _label_of(file: Outlines, code: str) -> str:
    """The property that names the areas."""
    for prop, values in file.values.items():
        if (
            prop != code
            and re.search(r"\bname\b", plain(prop))
            and len(set(values)) == len(values)
            and all(values)
            and not all(v.isdigit() for v in values)
        ):
            return prop
    return ""


def _tree_of_properties(
    file: Outlines, code: str, strip: bool
) -> tuple[str, dict[str, tuple[str, ...]]] | None:
    """A property that says in which larger area each outline lies."""
    children = [_clean(text, strip) for text in file.values[code]]
    for prop, values in file.values.items():
        parents = set(values)
        if (
            prop == code
            or not 2 <= len(parents) <= len(values) / 2
            or "" in parents
            or not by_name("area", prop)
            or parents & set(children)
        ):
            continue
        pairs = dict(zip(children, values, strict=True))
        if all(pairs[child] == parent for child, parent in zip(children, values, strict=True)):
            return prop, _tree(pairs)
    return None


def _tree(pairs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for child, parent in sorted(
        pairs.items(), key=lambda pair: _natural(pair[1]) + _natural(pair[0])
    ):
        found[parent].append(child)
    return {parent: tuple(children) for parent, children in found.items()}


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in re.findall(r"[0-9]+|[^0-9]+", text)
    )


def _parents(
    db: duckdb.DuckDBPyConnection, fine: Column, coarser: Sequence[Column]
) -> tuple[str, dict[str, str]]:
    """Of coarser columns the one with most areas in which those of the fine column lie, and which
    lies in which; ("", {}) where none is."""
    for column in sorted(coarser, key=lambda c: -c.distinct):
        if column.distinct >= fine.distinct:
            continue
        rows = db.execute(
            f"SELECT {cleaned(fine.name, ())} AS f, {cleaned(column.name, ())} AS c, count(*) AS n"
            f" FROM {TABLE} GROUP BY ALL HAVING f IS NOT NULL AND c IS NOT NULL ORDER BY n DESC,"
            " f, c"
        ).fetchall()
        pairs: dict[str, str] = {}
        for child, parent, _n in rows:
            pairs.setdefault(child, parent)
        total = sum(n for _c, _p, n in rows)
        fitting = sum(n for child, parent, n in rows if pairs[child] == parent)
        if (
            total
            and fitting >= 0.98 * total
            and not set(pairs) & set(pairs.values())
            and len(set(pairs.values())) > 1
        ):
            return column.name, pairs
    return "", {}


def _listed(
    place: int, one: Guess, column: Column, parent: str, pairs: Mapping[str, str]
) -> AreaDraft:
    codes = [
        text
        for text, n in column.values
        if n >= MIN_ROWS
        and normalise(text) not in ("all", "unknown")
        and code_of("responder", text)[0] != "unknown"
    ]
    unmapped = tuple(
        (text, n, False)
        for text, n in column.values
        if n >= MIN_ROWS and text not in codes and normalise(text) != "unknown"
    )
    rest = column.given - sum(n for text, n in column.values if n >= MIN_ROWS)
    level = _level(one.column)
    above = (
        (parent, _tree({code: pairs[code] for code in codes}))
        if parent and all(code in pairs for code in codes)
        else None
    )
    levels, tree = _levels(above, level)
    codes.sort(key=_natural)
    return AreaDraft(
        _name(place, one.column),
        one.column,
        _title(one.column),
        levels,
        one.reason,
        one.decide,
        codes=() if tree else tuple(codes),
        tree=tree,
        unmapped=unmapped,
        sweep=rest,
    )


def _name(place: int, column: str) -> str:
    return "area" if place == 0 else f"area_{slug(column)[:30].strip('_')}"


def _level(name: str) -> str:
    if word := next((word for word, _en, _es in _TITLES if word in plain(name)), ""):
        return word
    made = re.sub(r"^[^a-z]+", "", slug(name))[:30].strip("_")
    return made if made and made not in ("all", "unknown") else "area"


_TITLES = (
    ("beat", "Beat", "Zona de patrulla"),
    ("precinct", "Precinct", "Distrito policial"),
    ("division", "Division", "División"),
    ("sector", "Sector", "Sector"),
    ("neighborhood", "Neighborhood", "Vecindario"),
    ("council", "Council district", "Distrito del concejo"),
    ("ward", "Ward", "Distrito electoral"),
    ("tract", "Census tract", "Sector censal"),
    ("district", "District", "Distrito"),
    ("zip", "ZIP code", "Código postal"),
    ("borough", "Borough", "Distrito municipal"),
    ("zone", "Zone", "Zona"),
    ("distrito", "District", "Distrito"),
    ("zona", "Zone", "Zona"),
    ("barrio", "Neighborhood", "Barrio"),
    ("colonia", "Neighborhood", "Colonia"),
    ("region", "Region", "Región"),
    ("station", "Station", "Estación"),
    ("grid", "Grid", "Cuadrícula"),
)


_ANY_AREA = ("Area", "Zona")


def _title(column: str) -> tuple[str, str]:
    words = plain(column)
    return next(((en, es) for word, en, es in _TITLES if word in words), _ANY_AREA)


# Time zones


@dataclass(frozen=True)
class ZoneGuess:
    """`clock`: the zone in which the column's clock stands, where that is another."""

    name: str
    country: str
    reason: str
    sure: bool
    clock: str = ""
    clock_reason: str = ""


def zone_of(
    db: duckdb.DuckDBPyConnection,
    guesses: Guesses,
    columns: Columns,
    files: Sequence[Outlines],
    paths: Sequence[Path],
) -> ZoneGuess:
    """The agency's zone: by its place on the map, else by letters behind its times, else by the
    names of files, else by the curve of the day where times are in UTC."""
    found = (
        _by_place(guesses, columns, files)
        or _by_letters(guesses, columns)
        or _by_path(paths)
        or _by_curve(db, guesses, columns)
    )
    found = found or ZoneGuess("America/New_York", "US", "nothing in the export says it", False)
    return _clock_of(db, guesses, columns, found)


def _by_place(guesses: Guesses, columns: Columns, files: Sequence[Outlines]) -> ZoneGuess | None:
    middle, where = next(
        ((file.middle, file.path.name) for file in files if file.middle), (None, "")
    )
    if middle is None:
        middle, where = _middle_of_points(guesses, columns)
    if middle is None:
        return None
    x, y = middle
    for zone in data("zones")["zone"]:
        if zone["west"] <= x <= zone["east"] and zone["south"] <= y <= zone["north"]:
            sure = min(x - zone["west"], zone["east"] - x) > data("zones")["inland"]
            return ZoneGuess(zone["name"], zone["country"], f"by the place of {where}", sure)
    return None


def _middle_of_points(guesses: Guesses, columns: Columns) -> tuple[tuple[float, float] | None, str]:
    """The middle longitude and latitude of the calls' points, and the names of their columns; None
    where they are not degrees."""
    point = guesses.fields.get("point")
    read = [point] if point else [guesses.fields.get(name) for name in ("lon", "lat")]
    texts = [[text for text, _n in columns[one.column].values] for one in read if one]
    if point:
        pairs = [split_point(text) for text in texts[0]]
        texts = [[str(pair[i] or "") for pair in pairs] for i in (0, 1)]
    numbers = [sorted(float(text) for text in listed if _is_number(text)) for listed in texts]
    if len(numbers) < 2 or not all(numbers):
        return None, ""
    x, y = (values[len(values) // 2] for values in numbers)
    if not x or abs(x) > 180 or abs(y) > 90:
        return None, ""
    return (x, y), " and ".join(f"'{one.column}'" for one in read if one)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+([.][0-9]+)?", text) is not None


def _by_letters(guesses: Guesses, columns: Columns) -> ZoneGuess | None:
    """The zone of letters (CST, CD) at the end of most times."""
    one = guesses.fields.get("received_at")
    values = columns[one.column].values if one else ()
    ends: Counter[str] = Counter()
    for text, n in values:
        if match := re.search(LETTERS, text):
            ends[standard_letters(match[0])] += n
    name = max(ends, key=lambda end: ends[end], default="")
    if name in ABBREVIATIONS and ends[name] > 0.5 * sum(n for _text, n in values):
        zone = ABBREVIATIONS[name][1]
        return ZoneGuess(zone, "US", f"its times end in letters of {name}", False)
    return None


def _by_path(paths: Sequence[Path]) -> ZoneGuess | None:
    words = {
        word
        for path in paths
        for part in path.resolve().parts[-3:]
        for word in re.findall(r"[a-z]+", part.lower())
    }
    known = {zone["name"]: zone["country"] for zone in data("zones")["zone"]}
    for zone in sorted(available_timezones()):
        city = zone.rsplit("/", 1)[-1].lower()
        if zone.startswith("America/") and zone.count("/") == 1 and set(city.split("_")) <= words:
            return ZoneGuess(
                zone, known.get(zone, "US"), "by the name of the file or its folder", False
            )
    return None


_ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


def _by_curve(
    db: duckdb.DuckDBPyConnection, guesses: Guesses, columns: Columns
) -> ZoneGuess | None:
    """The zone in which calls are fewest before dawn, where times are moments."""
    one = guesses.fields.get("received_at")
    written = columns[one.column].times if one else None
    if (
        one is None
        or written is None
        or not (written.exact and written.clock)
        or columns.rows < ENOUGH
    ):
        return None
    late = {
        zone: abs(hours_late(hours_of(db, one.column, written, columns.placeholders, zone)))
        for zone in _ZONES
    }
    best = min(late, key=lambda zone: (late[zone], _ZONES.index(zone)))
    return ZoneGuess(best, "US", "moved there, calls are fewest before dawn", False)


def _clock_of(
    db: duckdb.DuckDBPyConnection, guesses: Guesses, columns: Columns, zone: ZoneGuess
) -> ZoneGuess:
    """Says where a clock without a zone seems to be UTC: the quietest hours then lie off by the
    zone's distance."""
    one = guesses.fields.get("received_at")
    written = columns[one.column].times if one else None
    if one is None or written is None or written.exact or not written.clock:
        return zone
    if re.search(r"(?<![A-Za-z])(utc|gmt|zulu)(?![a-z])", one.column, re.IGNORECASE):
        return replace(zone, clock="UTC", clock_reason="by its name")
    if columns.rows < 5 * ENOUGH:
        return zone
    hours: list[int] = hours_of(db, one.column, written, columns.placeholders, zone.name)
    late = hours_late(hours)
    if late in range(4, 11) and max(hours) > 1.5 * min(hours):
        return ZoneGuess(
            zone.name,
            zone.country,
            zone.reason,
            zone.sure,
            "UTC",
            f"the day looks moved by {late} hours",
        )
    return zone
