"""A boundary file as it lies on the disk: GeoJSON read strictly (RFC 7946), or a Shapefile.

GeoJSON is parsed here and not by GDAL, which turns a column of whole numbers with one null into
decimals, closes rings, and passes over what it does not understand. Nothing is judged or changed
here but the kind of each value and the shape of each geometry.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from anonymize.areas.boundary_faults import (
    BAD_POSITION,
    NO_OUTLINE,
    NOT_A_FEATURE,
    NOT_AN_AREA,
    OPEN_RING,
    SHORT_RING,
    Fault,
    shown,
)

GEOJSON = (".geojson", ".json")
SHAPEFILE = ".shp"
COMPANIONS = (".shx", ".dbf")
AREA_KINDS = ("Polygon", "MultiPolygon")
_RING = 4
"""A closed ring has at least three corners and the first one again (RFC 7946, 3.1.6)."""


class BoundaryFileError(Exception):
    """The whole file cannot be used: one sentence with the cure, without the file's name."""


class UnusableGeometryError(Exception):
    """One feature's geometry cannot be used."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        self.fault, self.detail = fault, detail
        super().__init__(fault.what)


@dataclass(frozen=True)
class Feature:
    """`number` counts from 1. `outline` is a Polygon or MultiPolygon in the file's own coordinates;
    None where `fault` says what is wrong."""

    number: int
    properties: Mapping[str, Any]
    outline: BaseGeometry | None
    has_heights: bool = False
    fault: Fault | None = None
    detail: str = ""


@dataclass(frozen=True)
class BoundaryFile:
    """`crs`: the coordinates that the file declares, None where it declares none. `text_is_certain`
    is False where nothing says in which encoding its texts are written."""

    features: tuple[Feature, ...]
    properties: tuple[str, ...]
    crs: CRS | None
    text_is_certain: bool = True


def read_boundary_file(path: Path, wanted: Collection[str]) -> BoundaryFile:
    """`wanted`: the properties whose values are needed. Raises BoundaryFileError."""
    ending = path.suffix.lower()
    if ending not in (*GEOJSON, SHAPEFILE):
        raise BoundaryFileError(
            f"a file that ends in '{path.suffix}' is neither GeoJSON (.geojson, .json) nor a"
            " Shapefile (.shp); unpack it where it is a ZIP archive, or save it as GeoJSON (in"
            " QGIS: Export, Save Features As)"
        )
    if not path.is_file():
        raise BoundaryFileError(f"there is no such file in {path.parent}; check 'boundaries.path'")
    file = _read_geojson(path) if ending in GEOJSON else _read_shapefile(path, wanted)
    if not file.features:
        raise BoundaryFileError("the file holds no features; export it again with its areas")
    return file


# --- GeoJSON ---


def feature_collection(path: Path) -> tuple[list[Any], CRS | None]:
    """The features of a GeoJSON file as they are written, and the coordinates that it declares.
    Raises BoundaryFileError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BoundaryFileError(
            f"byte {error.start + 1:,} is not UTF-8, which GeoJSON must be; save the file again as"
            " UTF-8"
        ) from None
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise BoundaryFileError(
            f"line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}); is the"
            " file whole? A file with one feature a line must be saved again as one"
            " FeatureCollection"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BoundaryFileError(
            f"this is not JSON that can be trusted ({shown(error)}); export the file again"
        ) from None
    kind = data.get("type") if isinstance(data, dict) else None
    if kind != "FeatureCollection" or not isinstance(data.get("features"), list):
        raise BoundaryFileError(
            "a FeatureCollection with a list of 'features' was expected, found"
            f" {shown(kind) if kind else 'something else'}; save the file again as GeoJSON"
            " (TopoJSON and Esri JSON are other formats)"
        )
    return data["features"], _declared_crs(data.get("crs"))


def _read_geojson(path: Path) -> BoundaryFile:
    items, crs = feature_collection(path)
    features = tuple(_feature(number, item) for number, item in enumerate(items, start=1))
    names = dict.fromkeys(name for feature in features for name in feature.properties)
    return BoundaryFile(features, tuple(names), crs)


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are all different: of two values of one name a parser would take
    either."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name '{shown(name)}' stands twice in one object")
        found[name] = value
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _declared_crs(member: Any) -> CRS | None:
    """The member 'crs' of GeoJSON as it was before RFC 7946. Raises BoundaryFileError for one that
    cannot be understood."""
    if member is None:
        return None
    name = (
        member["properties"].get("name")
        if isinstance(member, dict) and isinstance(member.get("properties"), dict)
        else None
    )
    try:
        if not isinstance(name, str):
            raise CRSError("no name")
        return CRS.from_user_input(name)
    except CRSError:
        raise BoundaryFileError(
            f"its member 'crs' ({shown(name) if name else 'without a name'}) names no coordinates"
            " that are known; export the file again in WGS 84 (EPSG:4326)"
        ) from None


def _feature(number: int, item: Any) -> Feature:
    if not isinstance(item, dict) or item.get("type") != "Feature":
        return Feature(number, {}, None, fault=NOT_A_FEATURE)
    properties = item.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    try:
        outline, has_heights = _area(item.get("geometry"))
    except UnusableGeometryError as error:
        return Feature(number, properties, None, fault=error.fault, detail=error.detail)
    return Feature(number, properties, outline, has_heights)


def _area(geometry: Any) -> tuple[BaseGeometry, bool]:
    """The outline of a GeoJSON geometry, and whether it has heights. Raises
    UnusableGeometryError."""
    if not geometry:
        raise UnusableGeometryError(NO_OUTLINE)
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in AREA_KINDS:
        raise UnusableGeometryError(
            NOT_AN_AREA, f"it is a {shown(kind)}" if kind else "its type is missing"
        )
    coordinates = geometry.get("coordinates")
    if not coordinates:
        raise UnusableGeometryError(NO_OUTLINE)
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list):
        raise UnusableGeometryError(BAD_POSITION)
    parts, has_heights = [], False
    for polygon in polygons:
        if not isinstance(polygon, list):
            raise UnusableGeometryError(BAD_POSITION)
        if not polygon:
            raise UnusableGeometryError(NO_OUTLINE, "one of its parts is empty")
        rings = [_ring(ring) for ring in polygon]
        has_heights |= any(len(position) > 2 for ring in polygon for position in ring)
        parts.append(Polygon(rings[0], rings[1:]))
    return (parts[0] if kind == "Polygon" else MultiPolygon(parts)), has_heights


def _ring(ring: Any) -> list[tuple[float, float]]:
    if not isinstance(ring, list):
        raise UnusableGeometryError(BAD_POSITION)
    positions = [_position(position) for position in ring]
    if len(positions) < _RING:
        raise UnusableGeometryError(SHORT_RING)
    if positions[0] != positions[-1]:
        raise UnusableGeometryError(OPEN_RING)
    return positions


def _position(position: Any) -> tuple[float, float]:
    if not isinstance(position, list) or len(position) < 2:
        raise UnusableGeometryError(BAD_POSITION)
    x, y = position[:2]
    if type(x) not in (int, float) or type(y) not in (int, float):  # a bool is an int to isinstance
        raise UnusableGeometryError(BAD_POSITION)
    try:
        x, y = float(x), float(y)
    except OverflowError:
        raise UnusableGeometryError(BAD_POSITION) from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise UnusableGeometryError(BAD_POSITION)
    return x, y


# --- Shapefile ---


@dataclass(frozen=True)
class ShapefileColumns:
    """A Shapefile by columns: `names` of all properties, the values of those wanted, the shapes as
    WKB (None where there is none), the coordinates that it declares, and whether something says in
    which encoding its texts are written."""

    names: tuple[str, ...]
    columns: Mapping[str, Sequence[Any]]
    shapes: Sequence[bytes | None]
    crs: CRS | None
    text_is_certain: bool


def shapefile_columns(path: Path, wanted: Collection[str]) -> ShapefileColumns:
    """Read by GDAL as Arrow, where a null stays a null and a whole number whole. Raises
    BoundaryFileError."""
    beside = {
        other.suffix.lower(): other for other in path.parent.iterdir() if other.stem == path.stem
    }
    if missing := [f"{path.stem}{ending}" for ending in COMPANIONS if ending not in beside]:
        raise BoundaryFileError(
            f"a Shapefile is several files, and {' and '.join(missing)} is not beside it; copy all"
            " of them"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # what GDAL warns of (open rings, third numbers) is found again below, by feature
            meta, table = pyogrio.read_arrow(path)
        names = tuple(str(name) for name in meta["fields"])
        columns = {name: table.column(name).to_pylist() for name in names if name in wanted}
        shapes = table.column(meta["geometry_name"] or "wkb_geometry").to_pylist()
    except UnicodeDecodeError:
        raise BoundaryFileError(
            f"the texts in {beside['.dbf'].name} are not written as {path.stem}.cpg says, or"
            f" nothing says how; write into {path.stem}.cpg the one word that is right, UTF-8 or"
            " ISO-8859-1"
        ) from None
    except Exception as error:  # GDAL and Arrow each raise their own classes
        raise BoundaryFileError(
            f"it cannot be read as a Shapefile ({type(error).__name__}); is it whole?"
        ) from None
    crs = None
    try:
        if ".prj" in beside:
            crs = CRS.from_user_input(meta["crs"])
    except CRSError:
        raise BoundaryFileError(
            f"{beside['.prj'].name} names no coordinates that are known; export the Shapefile again"
            " in WGS 84 (EPSG:4326)"
        ) from None
    # Byte 29 of the attribute table is its language driver; 0 says nothing, and then only a .cpg
    # file tells the encoding.
    certain = ".cpg" in beside or beside[".dbf"].read_bytes()[29:30] not in (b"", b"\0")
    return ShapefileColumns(names, columns, shapes, crs, certain)


def _read_shapefile(path: Path, wanted: Collection[str]) -> BoundaryFile:
    found = shapefile_columns(path, wanted)
    features = tuple(
        _shape(i + 1, {name: column[i] for name, column in found.columns.items()}, shape)
        for i, shape in enumerate(found.shapes)
    )
    return BoundaryFile(features, found.names, found.crs, found.text_is_certain)


def _shape(number: int, properties: Mapping[str, Any], binary: bytes | None) -> Feature:
    try:
        outline = None if binary is None else shapely.from_wkb(binary)
    except shapely.errors.GEOSException:
        return Feature(
            number, properties, None, fault=OPEN_RING
        )  # what GEOS refuses to hold at all
    if outline is None or outline.is_empty:
        return Feature(number, properties, None, fault=NO_OUTLINE)
    if outline.geom_type not in AREA_KINDS:
        return Feature(
            number, properties, None, fault=NOT_AN_AREA, detail=f"it is a {outline.geom_type}"
        )
    if not all(map(math.isfinite, outline.bounds)):
        return Feature(number, properties, None, fault=BAD_POSITION)
    return Feature(number, properties, shapely.force_2d(outline), bool(outline.has_z))
