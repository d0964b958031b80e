"""The outlines that a release publishes, as GeoJSON after RFC 7946."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from anonymize.areas.boundaries import PUBLIC_DECIMALS, only_areas
from anonymize.errors import AreaError

SIMPLIFY_METRES = 25.0
"""Boundaries are drawn for reading on a phone; details below this are left out."""
METRES_PER_DEGREE = 111_320.0


def public_geojson(boundaries: gpd.GeoDataFrame) -> str:
    """Simplified outlines (columns code and geometry, WGS 84) with one property, `code`; the same
    text for the same input.

    Neighbours are simplified together (as a coverage), so that no gaps open between them. Raises
    AreaError for an outline that cannot be written as a valid area.
    """
    tolerance = SIMPLIFY_METRES / METRES_PER_DEGREE
    outlines = boundaries.geometry
    simplified = (
        outlines.simplify_coverage(tolerance)
        if outlines.is_valid_coverage()
        else outlines.simplify(tolerance)
    )
    features: list[dict[str, Any]] = []
    for code, simple, whole in zip(boundaries["code"], simplified, outlines, strict=True):
        geometry = _written(simple) or _written(whole)
        if geometry is None:
            raise AreaError(
                [
                    f"the outline of '{code}' is no valid area once it is rounded; correct it in"
                    " the boundary file"
                ]
            )
        features.append({"type": "Feature", "properties": {"code": code}, "geometry": geometry})
    return (
        json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
        + "\n"
    )


def _written(outline: BaseGeometry) -> dict[str, Any] | None:
    """The GeoJSON geometry: rounded, outer rings counter-clockwise and holes clockwise (RFC 7946,
    3.1.6); None where it is no valid area."""
    rounded = only_areas(shapely.set_precision(outline, 10**-PUBLIC_DECIMALS))
    if rounded.is_empty:
        return None
    polygons = [
        [
            [[round(x, PUBLIC_DECIMALS), round(y, PUBLIC_DECIMALS)] for x, y in ring.coords]
            for ring in (part.exterior, *part.interiors)
        ]
        for part in shapely.get_parts(shapely.orient_polygons(rounded))
    ]
    whole = {"type": "MultiPolygon", "coordinates": polygons}
    geometry = {"type": "Polygon", "coordinates": polygons[0]} if len(polygons) == 1 else whole
    return geometry if shape(geometry).is_valid else None
