"""Water, parks, main roads and names of places for the maps, from files that the agency brings
once: cut to the areas and made simple, or refused with the cure.

Nothing here knows of a call: what is drawn follows from the agency file, these files and the
boundary files alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import ContextFile
from anonymize.areas.boundaries import PUBLIC_DECIMALS, WGS84
from anonymize.areas.boundary_faults import listed, shown
from anonymize.areas.boundary_file import (
    GEOJSON,
    SHAPEFILE,
    BoundaryFileError,
    feature_collection,
    shapefile_columns,
)
from anonymize.areas.geojson import METRES_PER_DEGREE, SIMPLIFY_METRES
from anonymize.areas.systems import AreaSystem
from anonymize.errors import AreaError

MAX_BYTES = 150_000
"""Of the whole context in a release."""
COARSEST_METRES = 1_600.0
"""Where even this leaves more than MAX_BYTES, someone has to choose."""
MAX_PLACES = 12
OSM = (".pbf", ".osm")
LINES, AREAS, POINTS = (
    ("LineString", "MultiLineString"),
    ("Polygon", "MultiPolygon"),
    ("Point", "MultiPoint"),
)
KINDS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "parks": ("park", AREAS, "areas"),
    "water": ("water", (*LINES, *AREAS), "lines or areas"),
    "roads": ("road", LINES, "lines"),
    "places": ("place", (*POINTS, *AREAS), "points or areas"),
}
"""Key of [context] -> the kind in the release, the shapes that it may have, and their words. In the
order in which they are drawn."""
OSM_LAYERS: Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "water": (
        ("multipolygons", "natural", ("water",)),
        ("lines", "waterway", ("river", "canal")),
    ),
    "parks": (("multipolygons", "leisure", ("park", "nature_reserve")),),
    "roads": (("lines", "highway", ("motorway", "trunk", "primary")),),
    "places": (
        ("points", "place", ("city", "town", "borough", "suburb", "quarter", "neighbourhood")),
    ),
}
"""What is taken of OpenStreetMap: layer (as GDAL names it), tag, and its values, the most important
first."""


@dataclass(frozen=True)
class Context:
    """`text`: GeoJSON as it is published, empty where there is nothing; `credit`: a line that
    is shown with each map."""

    text: str = ""
    credit: str = ""


NO_CONTEXT = Context()


@dataclass(frozen=True)
class _Thing:
    """A feature that is kept: its number in the file (from 1), its name, its shape in WGS 84, and
    the order of its importance."""

    number: int
    name: str
    outline: BaseGeometry
    order: int = 0


def load_context(config: AgencyConfig, areas: Mapping[str, AreaSystem]) -> Context:
    """Raises AreaError with all problems of all files."""
    spec = config.file.context
    files = {key: getattr(spec, key) for key in KINDS if getattr(spec, key)}
    if not files:
        return NO_CONTEXT
    outlines = [
        outline
        for system in areas.values()
        if system.boundaries is not None
        for outline in system.boundaries.geometry
    ]
    where = f"{config.path.name}: [context]"
    if not outlines:
        raise AreaError(
            [
                f"{where}: no area system has outlines to draw it with; name a boundary file under"
                " [areas.area], or take [context] out"
            ]
        )
    within = shapely.union_all(outlines)
    shapely.prepare(within)
    drawn: dict[str, list[_Thing]] = {}
    problems: list[str] = []
    for key, listed_files in files.items():
        drawn[key] = []
        for file in listed_files:
            path = config.resolve(file.path)
            try:
                drawn[key] += _inside(_read(path, file, key), within)
            except BoundaryFileError as error:
                problems.append(f"{where}: {path.name}: {error}")
    if problems:
        raise AreaError(problems)
    text = _within_size(drawn)
    if text is None:
        raise AreaError(
            [
                f"{where}: water, parks and roads come to more than {MAX_BYTES:,} bytes even when"
                f" they are simplified to {COARSEST_METRES:,.0f} m; keep the main ones by 'keep'"
            ]
        )
    return Context(text, spec.credit)


# --- Files ---


def _read(path: Path, file: ContextFile, key: str) -> list[_Thing]:
    """Raises BoundaryFileError."""
    ending = path.suffix.lower()
    if not path.is_file():
        raise BoundaryFileError(f"there is no such file in {path.parent}; check 'path'")
    if key == "places" and file.name is None and ending not in OSM:
        raise BoundaryFileError(
            "the property with the names of places is not named; write name = \"...\" beside 'path'"
        )
    if ending in OSM:
        things, crs = _read_osm(path, file, key), WGS84
    elif ending in GEOJSON:
        items, declared = feature_collection(path)
        things, crs = _geojson(items, file), declared or WGS84
    elif ending == SHAPEFILE:
        things, declared = _shapefile(path, file)
        crs = declared or WGS84
    else:
        raise BoundaryFileError(
            f"a file that ends in '{path.suffix}' is neither GeoJSON (.geojson, .json), a Shapefile"
            " (.shp) nor OpenStreetMap (.osm.pbf); save it as GeoJSON"
        )
    _check_shapes(things, key)
    return _in_degrees(things, file, crs)


def _known(wanted: Iterable[str], known: Sequence[str]) -> None:
    """Raises BoundaryFileError for a property that no feature has."""
    if missing := [name for name in wanted if name not in known]:
        raise BoundaryFileError(
            f"no feature has a property {listed([shown(name) for name in missing])}; they"
            f" have: {listed(list(known)) or 'none at all'}"
        )


def _wanted(file: ContextFile) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*file.keep, *filter(None, [file.name])]))


def _kept(properties: Mapping[str, Any], file: ContextFile) -> bool:
    return all(str(properties.get(name)) in values for name, values in file.keep.items())


def _name(properties: Mapping[str, Any], file: ContextFile) -> str:
    value = properties.get(file.name) if file.name else None
    return " ".join(str(value).split()) if value is not None else ""


def _geojson(items: Sequence[Any], file: ContextFile) -> list[_Thing]:
    rows = [
        item.get("properties") or {}
        for item in items
        if isinstance(item, dict) and isinstance(item.get("properties") or {}, dict)
    ]
    _known(_wanted(file), list(dict.fromkeys(name for row in rows for name in row)))
    found = []
    for number, item in enumerate(items, start=1):
        try:
            properties = item.get("properties") or {}
            outline = shape(item["geometry"])
        except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.GEOSException):
            raise BoundaryFileError(
                f"feature {number} has no geometry that can be drawn; export the file again as"
                " GeoJSON"
            ) from None
        if _kept(properties, file):
            found.append(_Thing(number, _name(properties, file), outline))
    return found


def _shapefile(path: Path, file: ContextFile) -> tuple[list[_Thing], CRS | None]:
    found = shapefile_columns(path, _wanted(file))
    _known(_wanted(file), found.names)
    things = []
    for i, binary in enumerate(found.shapes):
        properties = {name: column[i] for name, column in found.columns.items()}
        if not _kept(properties, file):
            continue
        name = _name(properties, file)
        if binary is None:
            raise BoundaryFileError(
                f"feature {i + 1} has no geometry; draw it, or take it out of the file"
            )
        if not found.text_is_certain and not name.isascii():
            raise BoundaryFileError(
                f"feature {i + 1} has letters beyond A to Z in its name, while nothing says in"
                f" which encoding {path.stem}.dbf is written; put a file {path.stem}.cpg beside it"
                " that holds one word, UTF-8 or ISO-8859-1"
            )
        things.append(_Thing(i + 1, name, shapely.from_wkb(binary)))
    return things, found.crs


def _read_osm(path: Path, file: ContextFile, key: str) -> list[_Thing]:
    """Of an extract of OpenStreetMap: what OSM_LAYERS names, or what `keep` does."""
    things: list[_Thing] = []
    for layer, tag, values in OSM_LAYERS[key]:
        wanted = file.keep or {tag: values}
        columns = list(dict.fromkeys([*wanted, tag, file.name or "name"]))
        try:
            # Not as Arrow, which takes what stands before a fault for the whole.
            table = pyogrio.read_dataframe(path, layer=layer, columns=columns)
        except Exception as error:  # GDAL and pyogrio each raise their own classes
            raise BoundaryFileError(
                f"it cannot be read as an extract of OpenStreetMap ({type(error).__name__}); is it"
                " whole?"
            ) from None
        _known(columns, [str(name) for name in table.columns])
        for row in table.to_dict("records"):
            if all(str(row[name]) in kept for name, kept in wanted.items()):
                rank = values.index(row[tag]) if row[tag] in values else len(values)
                named = row[file.name or "name"]
                name = named if isinstance(named, str) else ""
                things.append(_Thing(len(things) + 1, name, row["geometry"], rank))
    return things


# --- Shapes ---


def _check_shapes(things: Sequence[_Thing], key: str) -> None:
    """Raises BoundaryFileError for a shape that cannot be this kind of thing."""
    _kind, shapes, words = KINDS[key]
    if not things:
        raise BoundaryFileError(
            f"it holds nothing to draw as {key}; look at 'keep', or take the file out of [context]"
        )
    odd = [thing for thing in things if thing.outline.geom_type not in shapes]
    if odd:
        features = listed([f"feature {t.number} ({t.outline.geom_type})" for t in odd])
        raise BoundaryFileError(
            f"{features} where {key} are {words}; take them out by 'keep', or name the file under"
            " the key that fits"
        )
    if key == "places" and (nameless := [thing for thing in things if not thing.name]):
        raise BoundaryFileError(
            f"{listed([f'feature {t.number}' for t in nameless])} has no name; name another"
            " property in 'name', or take it out of the file"
        )


def _in_degrees(things: Sequence[_Thing], file: ContextFile, crs: CRS) -> list[_Thing]:
    """Raises BoundaryFileError for what lies nowhere on Earth."""
    if file.crs is not None:
        try:
            crs = CRS.from_user_input(file.crs)
        except CRSError:
            raise BoundaryFileError(
                f"'crs' ({shown(file.crs)}) names no coordinates that are known; write one like"
                ' "EPSG:2272"'
            ) from None
    flat = [shapely.force_2d(thing.outline) for thing in things]
    try:
        converted = list(gpd.GeoSeries(flat, crs=crs).to_crs(WGS84))
    except (ProjError, CRSError):
        converted = []
    given = np.concatenate([shapely.get_coordinates(outline) for outline in flat])
    points = (
        np.concatenate([shapely.get_coordinates(outline) for outline in converted])
        if converted
        else np.array([[np.nan, np.nan]])
    )
    # What is out of range before it is converted would be turned around the globe.
    sound = crs.is_projected or (np.abs(given) <= (180, 90)).all()
    if not (sound and np.isfinite(points).all() and (np.abs(points) <= (180, 90)).all()):
        raise BoundaryFileError(
            f"its numbers are no places on Earth in '{crs.name}'; name the right coordinates in"
            " 'crs', or export the file again in WGS 84 (EPSG:4326), longitude first"
        )
    return [
        _Thing(thing.number, thing.name, shapely.make_valid(outline), thing.order)
        for thing, outline in zip(things, converted, strict=True)
    ]


def _inside(things: Sequence[_Thing], within: BaseGeometry) -> list[_Thing]:
    """What lies in the areas. Raises BoundaryFileError where nothing does."""
    found = []
    for thing in things:
        cut = thing.outline.intersection(within)
        if not cut.is_empty:
            found.append(_Thing(thing.number, thing.name, cut, thing.order))
    if not found:
        raise BoundaryFileError(
            "nothing of it lies in the outlines of the areas; look at its coordinates ('crs'), or"
            " take it out of [context]"
        )
    return found


# --- What is published ---


def _within_size(drawn: Mapping[str, Sequence[_Thing]]) -> str | None:
    """The GeoJSON, as fine as MAX_BYTES allow; None where nothing fits."""
    metres = SIMPLIFY_METRES
    while metres <= COARSEST_METRES:
        text = _written(drawn, metres)
        if len(text.encode()) <= MAX_BYTES:
            return text
        metres *= 2
    return None


def _written(drawn: Mapping[str, Sequence[_Thing]], metres: float) -> str:
    features: list[dict[str, Any]] = []
    for key, things in drawn.items():
        kind = KINDS[key][0]
        if key == "places":
            features += [
                {
                    "type": "Feature",
                    "properties": {"kind": kind, "name": thing.name},
                    "geometry": _rounded(thing.outline.representative_point()),
                }
                for thing in _main_places(things)
            ]
        else:
            features += [
                {"type": "Feature", "properties": {"kind": kind}, "geometry": _rounded(part)}
                for part in _simple([thing.outline for thing in things], metres)
            ]
    return (
        json.dumps(
            {"type": "FeatureCollection", "features": features},
            separators=(",", ":"),
            ensure_ascii=False,
        )
        + "\n"
    )


def _main_places(things: Sequence[_Thing]) -> list[_Thing]:
    """The first dozen, the more important first; then in the order of the file. Each name once."""
    by_name: dict[str, _Thing] = {}
    for thing in sorted(things, key=lambda t: (t.order, t.number)):
        by_name.setdefault(thing.name, thing)
    return list(by_name.values())[:MAX_PLACES]


def _simple(outlines: Sequence[BaseGeometry], metres: float) -> Iterator[BaseGeometry]:
    """Lines joined to one another and areas to one another, without what is too small to see, in
    one order whatever the order of the files."""
    tolerance = metres / METRES_PER_DEGREE
    parts = [part for outline in outlines for part in _parts(outline)]
    lines = [part for part in parts if part.geom_type == "LineString"]
    areas = [part for part in parts if part.geom_type == "Polygon"]
    found: list[BaseGeometry] = []
    for whole in (
        shapely.union_all(areas),
        shapely.line_merge(shapely.union_all(lines)) if lines else shapely.LineString(),
    ):
        simple = shapely.set_precision(whole.simplify(tolerance), 10**-PUBLIC_DECIMALS)
        for part in _parts(simple):
            large = (
                part.area >= tolerance**2
                if part.geom_type == "Polygon"
                else (part.geom_type == "LineString" and part.length >= 2 * tolerance)
            )
            if large:
                found.append(shapely.orient_polygons(part.normalize()))
    yield from sorted(found, key=lambda part: (part.geom_type != "Polygon", part.wkt))


def _parts(outline: BaseGeometry) -> list[BaseGeometry]:
    """The single lines, areas and points of a shape, of collections too."""
    return [
        inner
        for part in shapely.get_parts(outline)
        for inner in (_parts(part) if hasattr(part, "geoms") else [part])
        if not inner.is_empty
    ]


def _rounded(outline: BaseGeometry) -> dict[str, Any]:
    def round_all(value: Any) -> Any:
        return (
            [round_all(inner) for inner in value]
            if isinstance(value, tuple | list)
            else round(float(value), PUBLIC_DECIMALS)
        )

    drawn = mapping(outline)
    return {"type": drawn["type"], "coordinates": round_all(drawn["coordinates"])}
