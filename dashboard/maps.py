"""Maps drawn from the release's own outlines: no tiles, no network. Hatched where no number is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
import geopandas as gpd
import pydeck as pdk
import shapely
from shapely.geometry import LineString, mapping

from dashboard.release import Release
from dashboard.theme import Palette, rgb

MAP_HEIGHT = 460
HATCH_LINES = 90
"""Hatch lines over the whole map's diagonal: close enough to read on a small area."""


@dataclass(frozen=True)
class Place:
    """One area on the map: its class (None: hatched) and the words of its tooltip, the table's own."""

    code: str
    label: str
    rank: int | None
    words: str


@dataclass(frozen=True)
class Map:
    """Areas with their geometry, what each shows, the words of each class from low to high, and the words for hatching."""

    frame: gpd.GeoDataFrame
    places: Mapping[str, Place]
    classes: tuple[str, ...]
    hatched: str

    def deck(self, colours: Palette, width: int) -> pdk.Deck:
        """The map to move about in, for a screen."""
        return deck(self.frame, self.places, colours, width=width)

    def flat(self, *, colours: Palette) -> alt.LayerChart:
        """Its flat twin, for pictures: the same areas, classes and hatching, with a key."""
        shapes = self.frame[["code", "geometry"]].copy()
        # Vega draws on a sphere: there an outer ring runs clockwise, against RFC 7946, or all but the area is filled.
        shapes["geometry"] = shapely.orient_polygons(shapes.geometry, exterior_cw=True)
        ranks = {code: place.rank for code, place in self.places.items()}
        words = [self.classes[rank] if (rank := ranks.get(code)) is not None else self.hatched for code in shapes["code"]]
        shapes["shown"] = words
        domain = [*self.classes, self.hatched]
        scale = alt.Scale(domain=domain, range=[*colours.classes[: len(self.classes)], colours.background])
        key = alt.Legend(title=None, orient="top", columns=3, symbolType="square", symbolStrokeColor=colours.outline, labelLimit=300)
        areas = (
            alt.Chart(shapes)
            .mark_geoshape(stroke=colours.outline, strokeWidth=1)
            .encode(color=alt.Color("shown:N", scale=scale, legend=key))
        )
        lines = _hatch(self.frame[[ranks.get(code) is None for code in self.frame["code"]]], self.frame.total_bounds)
        drawn: list[Any] = [areas]
        if lines:
            hatching = gpd.GeoDataFrame(geometry=[LineString(line) for line in lines], crs=4326)
            drawn.append(alt.Chart(hatching).mark_geoshape(stroke=colours.outline, strokeWidth=0.8, filled=False))
        chart: alt.LayerChart = (
            alt.layer(*drawn)
            .project("mercator")
            .properties(height=MAP_HEIGHT)
            .configure_mark(aria=False)
            .configure_legend(aria=False)
            .configure_view(stroke=None)
        )
        return chart


def outlines(release: Release, system: str, level: str) -> gpd.GeoDataFrame | None:
    """Code and geometry of the areas of `level`; coarser levels are merged from finer ones."""
    if system not in release.outlines:
        return None
    return _outlines(release, system, level)


@lru_cache(maxsize=32)
def _outlines(release: Release, system: str, level: str) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame.from_features(release.outlines[system]["features"], crs=4326)
    codes = release.codelists[system].codes

    def lift(code: str) -> str:
        while codes[code].level != level:
            code = codes[code].parent
        return code

    frame["code"] = [lift(code) for code in frame["code"]]
    return frame.dissolve("code", as_index=False)


@lru_cache(maxsize=32)
def _view(west: float, south: float, east: float, north: float, width: int, height: int) -> pdk.ViewState:
    import math

    span = max(east - west, 1e-6)
    mercator = abs(math.log(math.tan(math.pi / 4 + math.radians(north) / 2)) - math.log(math.tan(math.pi / 4 + math.radians(south) / 2)))
    zoom = min(math.log2(width * 360 / (512 * span)), math.log2(height * 2 * math.pi / (512 * max(mercator, 1e-9))))
    return pdk.ViewState(longitude=(west + east) / 2, latitude=(south + north) / 2, zoom=zoom - 0.25, pitch=0, bearing=0)


def _hatch(frame: gpd.GeoDataFrame, bounds: Sequence[float]) -> list[list[Sequence[float]]]:
    """Slanted lines inside the given areas, as paths."""
    west, south, east, north = bounds
    height = north - south
    step = (east - west + height) / HATCH_LINES
    lines = [LineString([(west - height + i * step, south), (west + i * step, north)]) for i in range(HATCH_LINES + 1)]
    paths: list[list[Sequence[float]]] = []
    for area in frame.geometry:
        for line in lines:
            inside = line.intersection(area)
            pieces = getattr(inside, "geoms", [inside])
            paths += [list(piece.coords) for piece in pieces if piece.geom_type == "LineString" and not piece.is_empty]
    return paths


def deck(frame: gpd.GeoDataFrame, places: Mapping[str, Place], colours: Palette, *, width: int, height: int = MAP_HEIGHT) -> pdk.Deck:
    """`places` by code; areas that it lacks are hatched too."""
    features: list[dict[str, Any]] = []
    hatched = []
    for row in frame.itertuples():
        place = places.get(row.code)
        rank = place.rank if place else None
        if rank is None:
            hatched.append(row.code)
        fill = rgb(colours.background if rank is None else colours.classes[rank])
        properties = {"label": place.label if place else row.code, "words": place.words if place else "", "fill": [*fill, 255]}
        features.append({"type": "Feature", "properties": properties, "geometry": mapping(row.geometry)})
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    line = [*rgb(colours.outline), 255]
    layers = [
        pdk.Layer(
            "GeoJsonLayer", data={"type": "FeatureCollection", "features": features}, get_fill_color="properties.fill",
            get_line_color=line, line_width_min_pixels=1.2, pickable=True, auto_highlight=False,
        ),
        pdk.Layer(
            "PathLayer", data=[{"path": path} for path in _hatch(frame[frame["code"].isin(hatched)], (west, south, east, north))],
            get_path="path", get_color=line, width_min_pixels=1,
        ),
    ]  # fmt: skip
    style = {"backgroundColor": colours.background, "color": colours.ink, "border": f"1px solid {colours.outline}", "fontSize": "14px"}
    tooltip: Any = {"text": "{label}\n{words}", "style": style}
    return pdk.Deck(
        layers=layers, initial_view_state=_view(west, south, east, north, width, height),
        map_provider=None, tooltip=tooltip,
    )  # fmt: skip
