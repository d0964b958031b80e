"""The outlines of an area system from its boundary file: right, or refused with the feature and the
cure."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from anonymize.agency.schema import AreaSpec, Boundaries, Text
from anonymize.areas import boundary_faults as faults
from anonymize.areas.boundary_faults import Findings, listed, shown
from anonymize.areas.boundary_file import (
    GEOJSON,
    BoundaryFile,
    BoundaryFileError,
    Feature,
    read_boundary_file,
)

PUBLIC_DECIMALS = 5
"""Degrees: about one metre. Published outlines are rounded to it (`anonymize.areas.geojson`)."""
WGS84 = CRS.from_epsg(4326)
COUNTRY_BOXES: Mapping[str, tuple[tuple[float, float, float, float], ...]] = {
    "US": ((-180, 15, -64, 72), (-180, -15, -168, 15), (144, 13, 180, 72)),
    "CA": ((-142, 41, -52, 84),),
}
"""(west, south, east, north) around each country with its territories: outlines that fit only with
their axes swapped are swapped."""
_MISSING_WORDS = frozenset(
    {"none", "nan", "null", "<null>", "<na>", "nat", "undefined", "n/a", "#n/a"}
)
"""What programs write for a value that is not there."""
_LARGEST_EXACT = 2**53
"""From here on, a number with decimals cannot hold every whole number."""


@dataclass(frozen=True)
class Outlines:
    """What a boundary file gave. `frame` (None where there are problems) has columns code, label
    and geometry (WGS 84), one row per code, in the order of codes. `problems` stop the run;
    `remarks` are only told."""

    frame: gpd.GeoDataFrame | None
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Area:
    """A feature that has a code (as the calls are to name it), a name and an outline."""

    number: int
    code: str
    name: str
    outline: BaseGeometry

    def label(self, detail: str = "") -> str:
        return _label(self.number, self.code, detail)

    def extent(self) -> str:
        west, south, east, north = map(_number, self.outline.bounds)
        return self.label(f"x {west} to {east}, y {south} to {north}")


def clean_code(value: str, *, strip_zeros: bool) -> str:
    """A source value as a code: outer blanks off; leading zeros off where the agency file says
    so."""
    value = value.strip()
    return value.lstrip("0") or "0" if strip_zeros and value else value


def only_areas(geometry: BaseGeometry) -> BaseGeometry:
    """The Polygon or MultiPolygon in a geometry, without the lines and points that mending or
    rounding may leave; empty where there is none."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    polygons = [part for part in parts if isinstance(part, Polygon) and not part.is_empty]
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def read_outlines(path: Path, spec: AreaSpec, *, country: str | None, placed: bool) -> Outlines:
    """`country`: where the outlines must lie, None where that is not known. `placed`: calls are
    placed in them by their points, so that overlaps would make wrong counts and not only wrong
    pictures."""
    assert spec.boundaries is not None
    found = Findings(path.name)
    try:
        file = read_boundary_file(
            path, {spec.boundaries.code, spec.boundaries.name or spec.boundaries.code}
        )
        crs, remarks = _coordinates(file, path, spec.boundaries)
        if not (crs.is_geographic or crs.is_projected):
            raise BoundaryFileError(
                f"'{crs.name}' is neither degrees nor a map grid; export the file again in WGS 84"
                " (EPSG:4326)"
            )
        _check_properties(file, spec.boundaries)
    except BoundaryFileError as error:
        return Outlines(None, (f"{path.name}: {error}",))
    wanted = _without_left_out(file, spec)
    areas = _named(wanted, file.text_is_certain, spec, found)
    areas = _sound(_in_degrees(areas, crs, found), country, found)
    problems = [*found.problems, *_idle(spec.boundaries.leave_out, file, spec)]
    if not wanted:
        problems.append(
            f"{path.name}: 'boundaries.leave_out' names every feature; keep the areas that calls"
            " come from"
        )
    if problems:
        return Outlines(None, tuple(problems))
    rows = _joined(areas, spec, found)
    _compare(rows, found, refuse=placed)
    frame = gpd.GeoDataFrame(
        {"code": [row.code for row in rows], "label": [row.name for row in rows]},
        geometry=[row.outline for row in rows],
        crs=WGS84,
    )
    return Outlines(None if found.refused else frame, found.problems, (*remarks, *found.remarks))


# --- The file as a whole ---


def _coordinates(file: BoundaryFile, path: Path, spec: Boundaries) -> tuple[CRS, list[str]]:
    """The coordinates to read the numbers in, and what to say of them. Raises BoundaryFileError
    where the agency file's are not known."""
    if spec.crs is not None:
        try:
            given = CRS.from_user_input(spec.crs)
        except CRSError:
            raise BoundaryFileError(
                f"'boundaries.crs' ({shown(spec.crs)}) names no coordinates that are known; write"
                ' one like "EPSG:2272"'
            ) from None
        if file.crs is None or given.equals(file.crs, ignore_axis_order=True):
            return given, []
        return given, [
            f"{path.name}: the file declares its coordinates as '{file.crs.name}'; 'boundaries.crs'"
            f" says '{given.name}', which is used"
        ]
    if file.crs is not None:
        return file.crs, []
    if path.suffix.lower() in GEOJSON:
        return WGS84, []  # RFC 7946 knows no other
    return WGS84, [
        f"{path.name}: no file {path.stem}.prj beside it says what the coordinates are; they are"
        " read as longitude and latitude in WGS 84; where they are others, name them in"
        " 'boundaries.crs'"
    ]


def _check_properties(file: BoundaryFile, spec: Boundaries) -> None:
    """Raises BoundaryFileError for a property that no feature has."""
    lower = {known.lower(): known for known in reversed(file.properties)}
    for name in filter(None, (spec.code, spec.name)):
        if name not in file.properties:
            close = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
            hint = (
                f"did you mean '{lower[close[0]]}'?"
                if close
                else f"they have: {listed(file.properties) or 'none at all'}"
            )
            raise BoundaryFileError(f"no feature has a property '{shown(name)}'; {hint}")


def _without_left_out(file: BoundaryFile, spec: AreaSpec) -> list[Feature]:
    """The features but those whose code stands in `leave_out`."""
    assert spec.boundaries is not None
    leave_out = {
        clean_code(code, strip_zeros=spec.strip_zeros) for code in spec.boundaries.leave_out
    }
    return [feature for feature in file.features if _plain_code(feature, spec) not in leave_out]


def _idle(leave_out: Sequence[str], file: BoundaryFile, spec: AreaSpec) -> list[str]:
    """A problem where `leave_out` names codes that no feature has."""
    there = {_plain_code(feature, spec) for feature in file.features}
    idle = [
        shown(code)
        for code in leave_out
        if clean_code(code, strip_zeros=spec.strip_zeros) not in there
    ]
    return (
        [
            "'boundaries.leave_out' names codes that the boundary file does not have:"
            f" {listed(idle)}; correct them"
        ]
        if idle
        else []
    )


# --- Codes and names ---


def _label(number: int, code: str | None, detail: str = "") -> str:
    """A feature for a message."""
    inside = ", ".join(filter(None, (f"code '{shown(code)}'" if code is not None else "", detail)))
    return f"feature {number}" + (f" ({inside})" if inside else "")


def _named(
    features: Sequence[Feature], text_is_certain: bool, spec: AreaSpec, found: Findings
) -> list[_Area]:
    """Those features that have a code, a name and an outline."""
    areas = []
    for feature in features:
        code = _code(feature, spec, found, text_is_certain)
        if feature.fault:
            found.refuse(feature.fault, _label(feature.number, code, feature.detail))
        name = _name(feature, code, spec, found, text_is_certain)
        if code is not None and name is not None and feature.outline is not None:
            areas.append(_Area(feature.number, code, name, feature.outline))
    if heights := sum(feature.has_heights for feature in features):
        found.note(faults.HEIGHTS, f"{heights:,} of {len(features):,} features")
    return areas


def _plain_code(feature: Feature, spec: AreaSpec) -> str | None:
    """The feature's code as text; None where it is missing, or of a kind that is no code."""
    assert spec.boundaries is not None
    value: Any = feature.properties.get(spec.boundaries.code)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return (
        clean_code(unicodedata.normalize("NFC", str(value)), strip_zeros=spec.strip_zeros) or None
    )


def _code(feature: Feature, spec: AreaSpec, found: Findings, text_is_certain: bool) -> str | None:
    """The feature's code; None where it has none that can be used, and then `found` says why."""
    assert spec.boundaries is not None
    value: Any = feature.properties.get(spec.boundaries.code)
    code = _plain_code(feature, spec)
    if value is None or (isinstance(value, str) and code is None):
        found.refuse(faults.no_code(spec.boundaries.code), _label(feature.number, None))
    elif code is None and isinstance(value, float):
        found.refuse(faults.DECIMAL_CODE, _label(feature.number, None, str(value)))
    elif code is None:
        kind = "true or false" if isinstance(value, bool) else f"a {type(value).__name__}"
        found.refuse(faults.ODD_CODE, _label(feature.number, None, kind))
    elif code.lower() in _MISSING_WORDS:
        found.refuse(faults.NULL_WORD, _label(feature.number, code))
    elif any(unicodedata.category(letter).startswith("C") for letter in code):
        found.refuse(faults.UNSEEN_CODE, _label(feature.number, None))
    elif not text_is_certain and not code.isascii():
        found.refuse(
            faults.unknown_encoding(spec.boundaries.path.stem), _label(feature.number, None)
        )
    else:
        if isinstance(value, float):
            found.note(faults.WHOLE_DECIMALS, _label(feature.number, code))
        elif code.endswith(".0") and code.removesuffix(".0").isdecimal():
            found.note(faults.TEXT_DECIMALS, _label(feature.number, code))
        return code
    return None


def _name(
    feature: Feature, code: str | None, spec: AreaSpec, found: Findings, text_is_certain: bool
) -> str | None:
    """The name to show, which is the code where the agency file names no property for it; None
    where it cannot be used."""
    assert spec.boundaries is not None
    if spec.boundaries.name is None:
        return code
    if code is not None and code in spec.names:
        return spec.names[code].en
    value: Any = feature.properties.get(spec.boundaries.name)
    label = _label(feature.number, code)
    if isinstance(value, int | float) and not isinstance(value, bool):
        name = str(int(value)) if float(value).is_integer() else str(value)
        found.note(faults.NUMBER_NAME, _label(feature.number, code, f"name {name}"))
        return name
    if value is not None and not isinstance(value, str):
        found.refuse(faults.ODD_NAME, label)
        return None
    name = " ".join(unicodedata.normalize("NFC", value or "").split())
    if not name or name.lower() in _MISSING_WORDS:
        found.refuse(faults.NO_NAME, label)
    elif not text_is_certain and not name.isascii():
        found.refuse(faults.unknown_encoding(spec.boundaries.path.stem), label)
    else:
        return name
    return None


# --- Places on Earth ---


def _number(value: float) -> str:
    return f"{round(value, 4):.12g}"


def _within(outline: BaseGeometry, x_most: float, y_most: float) -> bool:
    west, south, east, north = outline.bounds
    return bool(west >= -x_most and east <= x_most and south >= -y_most and north <= y_most)


def _in_degrees(areas: list[_Area], crs: CRS, found: Findings) -> list[_Area]:
    """The areas in WGS 84, without those that lie nowhere on Earth."""
    if crs.is_projected:
        if degrees := [area for area in areas if _within(area.outline, 180, 90)]:
            for area in degrees:
                found.refuse(faults.not_a_grid(crs.name), area.extent())
            return []
    else:
        # Looked at before they are converted: what is out of range would be turned around the
        # globe.
        areas = [area for area in areas if _in_range(area, found)]
    try:
        converted = gpd.GeoSeries([area.outline for area in areas], crs=crs).to_crs(WGS84)
    except (ProjError, CRSError):
        found.refuse(faults.NOT_ON_EARTH, f"all features ('{crs.name}')")
        return []
    kept = []
    for area, outline in zip(areas, converted, strict=True):
        if np.isfinite(shapely.get_coordinates(outline)).all() and _within(outline, 180, 90):
            kept.append(replace(area, outline=outline))
        else:
            found.refuse(faults.NOT_ON_EARTH, area.extent())
    return kept


def _in_range(area: _Area, found: Findings) -> bool:
    outline = area.outline
    if _within(outline, 180, 90):
        return True
    if not _within(outline, 360, 360):
        found.refuse(faults.GRID, area.extent())
    elif _within(outline, 90, 180):
        found.refuse(faults.SWAPPED, area.extent())
    elif _within(outline, 360, 90):
        found.refuse(faults.AROUND, area.extent())
    else:
        found.refuse(faults.OUT_OF_RANGE, area.extent())
    return False


def _in_country(outline: BaseGeometry, country: str, *, swapped: bool = False) -> bool:
    """Whether each part lies in one of the country's boxes (islands on both sides of longitude 180
    fit no single one)."""
    for part in shapely.get_parts(outline):
        west, south, east, north = part.bounds
        if swapped:
            west, south, east, north = south, west, north, east
        if not any(
            w <= west and east <= e and s <= south and north <= n
            for w, s, e, n in COUNTRY_BOXES[country]
        ):
            return False
    return True


def _sound(areas: Sequence[_Area], country: str | None, found: Findings) -> list[_Area]:
    """The areas with valid outlines in a place that can be right."""
    kept = []
    for area in areas:
        if country is not None and not _in_country(area.outline, country):
            if _in_country(area.outline, country, swapped=True):
                found.refuse(faults.SWAPPED, area.extent())
                continue
            found.note(faults.ABROAD, area.extent())
        if _longest_step(area.outline) > 180:
            found.refuse(faults.ANTIMERIDIAN, area.label())
            continue
        outline = _valid(area, found)
        if outline is not None:
            kept.append(replace(area, outline=outline))
    return kept


def _longest_step(outline: BaseGeometry) -> float:
    """Degrees of longitude that the longest edge of any ring spans."""
    rings = [
        ring for part in shapely.get_parts(outline) for ring in (part.exterior, *part.interiors)
    ]
    return max(float(np.abs(np.diff(shapely.get_coordinates(ring)[:, 0])).max()) for ring in rings)


def _valid(area: _Area, found: Findings) -> BaseGeometry | None:
    """The outline, mended where that leaves its area almost as it is: of an invalid outline `area`
    is what its rings, taken alone, enclose."""
    outline = area.outline
    if not outline.is_valid:
        outline = only_areas(shapely.make_valid(area.outline))
        x, y = map(float, explain_validity(area.outline).partition("[")[2].rstrip("]").split())
        label = area.label(f"near x {_number(x)}, y {_number(y)}")
        if (
            outline.is_empty
            or abs(outline.area - area.outline.area) > faults.MAX_MENDED_SHARE * outline.area
        ):
            found.refuse(faults.CROSSED, label)
            return None
        found.note(faults.MENDED, label)
    if only_areas(shapely.set_precision(outline, 10**-PUBLIC_DECIMALS)).is_empty:
        found.refuse(faults.TINY, area.label())
        return None
    return outline


# --- Areas next to each other ---


def _natural(code: str) -> str:
    """Sort key that puts '9' before '10'."""
    return code.rjust(8, "0") if code.isdigit() else code


def _joined(areas: Sequence[_Area], spec: AreaSpec, found: Findings) -> list[_Area]:
    """One area per code, in the order of codes."""
    by_code: dict[str, list[_Area]] = defaultdict(list)
    for area in areas:
        by_code[area.code].append(area)
    rows = []
    for code in sorted(by_code, key=_natural):
        same = by_code[code]
        if len(same) > 1:
            label = f"code '{shown(code)}' ({listed([_label(area.number, None) for area in same])})"
            if len({area.name for area in same}) > 1:
                found.refuse(faults.TWO_NAMES, label)
            else:
                found.note(faults.DISSOLVED, label)
        outline = (
            same[0].outline
            if len(same) == 1
            else only_areas(shapely.union_all([area.outline for area in same]))
        )
        rows.append(replace(same[0], outline=outline))
    _compare_names(rows, spec.names, found)
    return rows


def _compare_names(rows: Sequence[_Area], given: Mapping[str, Text], found: Findings) -> None:
    names: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        names[given[row.code].en if row.code in given else row.name].append(row.code)
    for name, codes in names.items():
        if len(codes) > 1:
            found.note(faults.SAME_NAME, f"'{shown(name)}' (codes {listed(codes)})")


def _compare(rows: Sequence[_Area], found: Findings, *, refuse: bool) -> None:
    """Pairs that overlap by more than slivers."""
    outlines = [row.outline for row in rows]
    pairs = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    for i, j in sorted(zip(*pairs.tolist(), strict=True)):
        if i < j:
            share = outlines[i].intersection(outlines[j]).area / min(
                outlines[i].area, outlines[j].area
            )
            if share > faults.MAX_OVERLAP_SHARE:
                pair = f"'{shown(rows[i].code)}' and '{shown(rows[j].code)}' ({100 * share:.0f} %)"
                (found.refuse if refuse else found.note)(faults.OVERLAPS, pair)
