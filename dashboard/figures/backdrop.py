"""What helps a reader to find the way on a map: water, parks, main roads and a few names, which a
release may bring. Drawn quietly, over the colours of the areas and under all words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
import geopandas as gpd
import pydeck as pdk
from shapely.geometry.base import BaseGeometry

from dashboard.figures.theme import Palette, rgb
from dashboard.release.reader import Release

PARK, WATER, ROAD, PLACE = "park", "water", "road", "place"
PARK_SEEN, WATER_SEEN, ROAD_SEEN, CASING_SEEN = 0.4, 0.75, 0.8, 0.5
"""How much of each covers the colour of an area."""
RIVER_WIDTH, BANK_WIDTH, ROAD_WIDTH, CASING_WIDTH = 2.4, 4.4, 0.9, 2.4
"""Pixels. Rivers and roads have an edge, so that they are seen on every colour."""


@dataclass(frozen=True)
class Backdrop:
    """`frame`: columns kind (PARK, WATER, ROAD, PLACE), name and geometry, in WGS 84. `credit`: the
    line that is shown with the map."""

    frame: gpd.GeoDataFrame
    credit: str = ""

    def shapes(self, kind: str, *, areas: bool) -> gpd.GeoDataFrame:
        """The areas or the lines of one kind."""
        of_kind = self.frame[self.frame["kind"] == kind]
        return of_kind[of_kind.geom_type.isin(("Polygon", "MultiPolygon")) == areas]

    def names(self) -> list[tuple[str, float, float]]:
        """Name, longitude and latitude of each place."""
        places = self.frame[(self.frame["kind"] == PLACE) & (self.frame.geom_type == "Point")]
        return [
            (str(name), point.x, point.y)
            for name, point in zip(places["name"], places.geometry, strict=True)
            if name
        ]


@lru_cache(maxsize=16)
def backdrop_of(release: Release) -> Backdrop | None:
    """None where the release brings nothing of the kind."""
    if not release.context or not release.context["features"]:
        return None
    frame = gpd.GeoDataFrame.from_features(release.context["features"], crs=4326)
    for column in ("kind", "name"):
        frame[column] = frame[column].fillna("").astype(str) if column in frame else ""
    return Backdrop(frame[["kind", "name", "geometry"]], release.context_credit)


def flat_layers(backdrop: Backdrop, colours: Palette) -> list[Any]:
    """Layers of the flat map, from the lowest up."""
    layers = []
    for kind, colour, seen in (
        (PARK, colours.park, PARK_SEEN),
        (WATER, colours.water, WATER_SEEN),
    ):
        shapes = backdrop.shapes(kind, areas=True)
        if len(shapes):
            # Vega draws on a sphere: there an outer ring runs clockwise.
            turned = shapes.geometry.orient_polygons(exterior_cw=True)
            layers.append(
                alt.Chart(gpd.GeoDataFrame(geometry=turned, crs=4326)).mark_geoshape(
                    fill=colour, opacity=seen
                )
            )
    for kind, colour, seen, width in _lines(colours):
        shapes = backdrop.shapes(kind, areas=False)
        if len(shapes):
            layers.append(
                alt.Chart(shapes[["geometry"]]).mark_geoshape(
                    filled=False, stroke=colour, strokeWidth=width, opacity=seen
                )
            )
    return layers


def _lines(colours: Palette) -> tuple[tuple[str, str, float, float], ...]:
    """Kind, colour, how much it covers, and width of all lines, from the lowest up."""
    return (
        (WATER, colours.casing, CASING_SEEN, BANK_WIDTH),
        (WATER, colours.water, WATER_SEEN, RIVER_WIDTH),
        (ROAD, colours.casing, CASING_SEEN, CASING_WIDTH),
        (ROAD, colours.road, ROAD_SEEN, ROAD_WIDTH),
    )


def deck_layers(backdrop: Backdrop, colours: Palette) -> list[pdk.Layer]:
    """Layers of the map to move about in, from the lowest up."""
    layers = []
    for kind, colour, seen in (
        (PARK, colours.park, PARK_SEEN),
        (WATER, colours.water, WATER_SEEN),
    ):
        shapes = backdrop.shapes(kind, areas=True)
        if len(shapes):
            layers.append(
                pdk.Layer(
                    "GeoJsonLayer",
                    data=shapes[["geometry"]].__geo_interface__,
                    stroked=False,
                    get_fill_color=[*rgb(colour), round(255 * seen)],
                )
            )
    for kind, colour, seen, width in _lines(colours):
        paths = [
            {"path": [list(at) for at in line.coords]}
            for shape in backdrop.shapes(kind, areas=False).geometry
            for line in _single(shape)
        ]
        if paths:
            layers.append(
                pdk.Layer(
                    "PathLayer",
                    data=paths,
                    get_path="path",
                    get_color=[*rgb(colour), round(255 * seen)],
                    get_width=width,
                    width_units=pdk.types.String("pixels"),
                    cap_rounded=True,
                    joint_rounded=True,
                )
            )
    return layers


def _single(shape: BaseGeometry) -> Iterator[BaseGeometry]:
    for part in getattr(shape, "geoms", [shape]):
        if part.geom_type == "LineString":
            yield part
