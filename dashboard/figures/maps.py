"""Maps drawn from the release's own outlines: no tiles, no network. Hatched where no number is
shown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
import geopandas as gpd
import pandas as pd
import pydeck as pdk
import shapely
from shapely.geometry import LineString, box, mapping

from dashboard.figures.backdrop import Backdrop, deck_layers, flat_layers
from dashboard.figures.theme import Palette, ink_on, rgb
from dashboard.release.reader import Release
from dashboard.text.language import unmarked

MAP_HEIGHT, NARROW_HEIGHT, STILL_HEIGHT = 360, 310, 290
WIDE_MAP, NARROW_MAP = 500, 300
"""Width that a map's areas are taken to have, in pixels, to see which labels fit."""


def height_of(width: int) -> int:
    """The height of a map that is `width` pixels wide."""
    return NARROW_HEIGHT if width <= NARROW_MAP else MAP_HEIGHT


HATCH_LINES = 90
"""Hatch lines over the whole map's diagonal: close enough to read on a small area."""


LETTER = 6.4
"""Width of an average letter of a label, in pixels; its letters are 12 pixels high."""
SMALL_LETTER = 5.9
"""The same of a place's name; its letters are 11 pixels high."""
APART = 3
"""Pixels between a place's name and other words."""
FITS = 0.97
"""Part of a label that must lie inside its area."""
LARGEST = 26.0
"""Radius of the largest circle, in pixels, where there is room."""
COVERED = 0.35
"""Part of the areas that circles cover in all, at most: else many areas lie under one heap."""


@dataclass(frozen=True)
class Place:
    """One area on the map: its class (None: hatched), the words of its tooltip, which are the
    table's own, and its value in short for its label.

    `size`: what its circle shows, on a map of circles. `leads`: has My area numbers for it?"""

    code: str
    label: str
    rank: int | None
    words: str
    short: str = ""
    size: float | None = None
    leads: bool = False


@dataclass(frozen=True)
class Map:
    """Areas with their geometry and what each shows; the key's title, the words of each class from
    low to high, and the words for hatching.

    `larger`: the areas around them, drawn by heavier outlines. `backdrop`: water, parks, roads and
    names of places, to find the way by. `circles`: the values are counts,
    which an area's own size would distort as colour: they are drawn as circles, and `classes` says
    how large.
    """

    frame: gpd.GeoDataFrame
    places: Mapping[str, Place]
    classes: tuple[str, ...]
    hatched: str
    title: str = ""
    larger: gpd.GeoDataFrame | None = None
    circles: bool = False
    backdrop: Backdrop | None = None

    def deck(self, colours: Palette, width: int) -> pdk.Deck:
        """The map to move about in, for a screen."""
        return deck(self, colours, width=width, height=height_of(width))

    def leading(self) -> list[Place]:
        """The areas drawn that lead to My area, by name."""
        drawn = set(self.frame["code"])
        found = [p for p in self.places.values() if p.leads and p.code in drawn]
        return sorted(found, key=lambda place: place.label)

    def radii(self, width: int, height: int) -> dict[str, float]:
        """Code -> pixels, of the areas that have a circle: its area follows the value."""
        found = {code: self.places[code].size for code in self.frame["code"] if code in self.places}
        sizes = {code: size for code, size in found.items() if size}
        if not sizes:
            return {}
        most, scale = max(sizes.values()), self._scale(width, height)
        middle = float(self.frame.total_bounds[[1, 3]].mean())
        land = float(sum(shape.area for shape in self.frame.geometry))
        room = land * scale**2 / math.cos(math.radians(middle))
        whole = math.pi * sum(sizes.values()) / most
        largest = min(LARGEST, math.sqrt(COVERED * room / whole))
        return {code: max(2.0, largest * math.sqrt(size / most)) for code, size in sizes.items()}

    def labels(self, width: int, height: int) -> list[Label]:
        """Names (and values) of the areas that have room for them, at a point inside each."""
        found = []
        scale = self._scale(width, height)
        for row in self.frame.itertuples():
            place = self.places.get(row.code)
            if place is None:
                continue
            text = (
                place.label if self.circles or not place.short else f"{place.label}\n{place.short}"
            )
            text = unmarked(text)
            centre = shapely.maximum_inscribed_circle(row.geometry, 1 / scale).coords[0]
            words = _room(text, centre, scale)
            if row.geometry.intersection(words).area >= FITS * words.area:
                found.append(
                    Label(text, centre[0], centre[1], None if self.circles else place.rank)
                )
        return found

    def names(self, width: int, height: int) -> list[Label]:
        """Names of the places that hide neither the label of an area nor one another, and lie
        within the map."""
        if self.backdrop is None:
            return []
        scale = self._scale(width, height)
        taken = [
            _room(label.text, (label.lon, label.lat), scale) for label in self.labels(width, height)
        ]
        edges = box(*self.frame.total_bounds)
        found = []
        for name, lon, lat in self.backdrop.names():
            room = _room(name, (lon, lat), scale, SMALL_LETTER).buffer(APART / scale)
            if edges.contains(room) and not any(room.intersects(other) for other in taken):
                taken.append(room)
                found.append(Label(name, lon, lat, None))
        return found

    def _scale(self, width: int, height: int) -> float:
        """Pixels to a degree of longitude."""
        west, south, east, north = (float(edge) for edge in self.frame.total_bounds)
        return min(
            width / max(east - west, 1e-9),
            height / max(math.degrees(_mercator(north) - _mercator(south)), 1e-9),
        )

    def flat(self, *, colours: Palette, narrow: bool = False, key: bool = True) -> alt.LayerChart:
        """Its flat twin, for pictures: the same areas, classes, labels and hatching, with a key
        where no key is next to it."""
        shapes = self.frame[["code", "geometry"]].copy()
        # Vega draws on a sphere: there an outer ring runs clockwise, against RFC 7946, or all but
        # the area is filled.
        shapes["geometry"] = shapely.orient_polygons(shapes.geometry, exterior_cw=True)
        ranks = {code: place.rank for code, place in self.places.items()}
        hatched = [ranks.get(code) is None for code in self.frame["code"]]
        drawn: list[Any] = []
        if self.circles:
            drawn.append(
                alt.Chart(shapes).mark_geoshape(
                    fill=colours.panel, stroke=colours.outline, strokeWidth=1
                )
            )
        else:
            shapes["shown"] = [
                self.classes[rank] if (rank := ranks.get(code)) is not None else self.hatched
                for code in shapes["code"]
            ]
            domain = [*self.classes, self.hatched] if any(hatched) else list(self.classes)
            scale = alt.Scale(
                domain=domain,
                range=[*colours.classes[: len(self.classes)], colours.background][: len(domain)],
            )
            legend = alt.Legend(
                title=self.title or None,
                orient="bottom",
                columns=2 if narrow else 3,
                symbolType="square",
                symbolStrokeColor=colours.outline,
                labelLimit=300,
                titleLimit=600,
                titleColor=colours.ink,
            )
            drawn.append(
                alt.Chart(shapes)
                .mark_geoshape(stroke=colours.outline, strokeWidth=1)
                .encode(color=alt.Color("shown:N", scale=scale, legend=legend if key else None))
            )
        if self.backdrop:
            drawn += flat_layers(self.backdrop, colours)
            drawn.append(
                alt.Chart(shapes[["geometry"]]).mark_geoshape(
                    filled=False, stroke=colours.outline, strokeWidth=1
                )
            )
        if lines := _hatch(self.frame[hatched], self.frame.total_bounds):
            hatching = gpd.GeoDataFrame(geometry=[LineString(line) for line in lines], crs=4326)
            drawn.append(
                alt.Chart(hatching).mark_geoshape(
                    stroke=colours.outline, strokeWidth=0.8, filled=False
                )
            )
        if self.larger is not None:
            edges = gpd.GeoDataFrame(geometry=list(self.larger.boundary), crs=4326)
            drawn.append(
                alt.Chart(edges).mark_geoshape(stroke=colours.ink, strokeWidth=2, filled=False)
            )
        if self.circles:
            drawn += self._circles(colours, NARROW_MAP if narrow else WIDE_MAP)
        drawn += self._named(colours, NARROW_MAP if narrow else WIDE_MAP)
        chart: alt.LayerChart = (
            alt.layer(*drawn)
            .project("mercator")
            .properties(height=NARROW_HEIGHT if narrow else MAP_HEIGHT if key else STILL_HEIGHT)
            .configure_mark(aria=False)
            .configure_legend(aria=False, labelColor=colours.ink)
            .configure_view(stroke=None)
        )
        return chart

    def _circles(self, colours: Palette, width: int) -> list[Any]:
        radii = self.radii(width, height_of(width))
        rows = [
            {"lon": point.x, "lat": point.y, "size": math.pi * radii[code] ** 2}
            for code, shape in zip(self.frame["code"], self.frame.geometry, strict=True)
            if code in radii
            for point in [shape.representative_point()]
        ]
        if not rows:
            return []
        size = alt.Size("size:Q", scale=None, legend=None)
        return [
            alt.Chart(pd.DataFrame(rows))
            .mark_circle(color=colours.mark, opacity=0.75, stroke=colours.background, strokeWidth=1)
            .encode(longitude=alt.Longitude("lon:Q"), latitude=alt.Latitude("lat:Q"), size=size)
        ]

    def ground(self, colours: Palette, rank: int | None) -> str:
        """The colour that an area's label stands on."""
        return (
            colours.panel
            if self.circles
            else colours.background
            if rank is None
            else colours.classes[rank]
        )

    def _named(self, colours: Palette, width: int) -> list[Any]:
        """Letters, each over an edge in the colour that it stands on, so that no line crosses
        them."""
        style: dict[str, Any] = {"lineBreak": "\n", "lineHeight": 14, "baseline": "middle"}
        layers = []
        for labels, size, quiet in (
            (self.names(width, NARROW_HEIGHT), 11, True),
            (self.labels(width, NARROW_HEIGHT), 12, False),
        ):
            if not labels:
                continue
            rows = [
                {
                    "lon": label.lon,
                    "lat": label.lat,
                    "text": label.text,
                    "ink": colours.quiet if quiet else ink_on(colours, label.rank),
                    "ground": colours.background if quiet else self.ground(colours, label.rank),
                }
                for label in labels
            ]
            texts = alt.Chart(pd.DataFrame(rows)).encode(
                longitude=alt.Longitude("lon:Q"),
                latitude=alt.Latitude("lat:Q"),
                text=alt.Text("text:N"),
            )
            if self.backdrop and not self.circles:
                edge = texts.mark_text(
                    **style, fontSize=size, strokeWidth=4, strokeJoin="round"
                ).encode(
                    stroke=alt.Stroke("ground:N", scale=None),
                    color=alt.Color("ground:N", scale=None),
                )
                layers.append(edge)
            layers.append(
                texts.mark_text(**style, fontSize=size).encode(color=alt.Color("ink:N", scale=None))
            )
        return layers


@dataclass(frozen=True)
class Label:
    """Words at a place; `rank`: the class that they stand on."""

    text: str
    lon: float
    lat: float
    rank: int | None


def flat_map(drawn: Map, *, colours: Palette, narrow: bool = False) -> alt.LayerChart:
    """A map without its key, for a picture whose key is next to it."""
    return drawn.flat(colours=colours, narrow=narrow, key=False)


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


def _room(
    text: str, centre: Sequence[float], scale: float, letter: float = LETTER
) -> shapely.Polygon:
    """The box that words take around a point, in degrees; `scale`: pixels to a degree."""
    wide = letter * max(map(len, text.split("\n"))) / scale
    tall = 14.0 * (text.count("\n") + 1) / scale * math.cos(math.radians(centre[1]))
    west, south = centre[0] - wide / 2, centre[1] - tall / 2
    return box(west, south, west + wide, south + tall)


def _mercator(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))


@lru_cache(maxsize=32)
def _view(
    west: float, south: float, east: float, north: float, width: int, height: int
) -> pdk.ViewState:
    span = max(east - west, 1e-6)
    tall = abs(_mercator(north) - _mercator(south))
    zoom = min(
        math.log2(width * 360 / (512 * span)),
        math.log2(height * 2 * math.pi / (512 * max(tall, 1e-9))),
    )
    return pdk.ViewState(
        longitude=(west + east) / 2,
        latitude=(south + north) / 2,
        zoom=zoom - 0.1,
        pitch=0,
        bearing=0,
    )


def _hatch(frame: gpd.GeoDataFrame, bounds: Sequence[float]) -> list[list[Sequence[float]]]:
    """Slanted lines inside the given areas, as paths."""
    west, south, east, north = bounds
    height = north - south
    step = (east - west + height) / HATCH_LINES
    lines = [
        LineString([(west - height + i * step, south), (west + i * step, north)])
        for i in range(HATCH_LINES + 1)
    ]
    paths: list[list[Sequence[float]]] = []
    for area in frame.geometry:
        for line in lines:
            inside = line.intersection(area)
            pieces = getattr(inside, "geoms", [inside])
            paths += [
                list(piece.coords)
                for piece in pieces
                if piece.geom_type == "LineString" and not piece.is_empty
            ]
    return paths


def deck(drawn: Map, colours: Palette, *, width: int, height: int = MAP_HEIGHT) -> pdk.Deck:
    """The map in layers: areas, hatching, heavier outlines, circles, labels. Areas that `places`
    lacks are hatched too."""
    frame, places = drawn.frame, drawn.places
    features: list[dict[str, Any]] = []
    hatched, circles = [], []
    radii = drawn.radii(width, height) if drawn.circles else {}
    for row in frame.itertuples():
        place = places.get(row.code)
        rank = place.rank if place else None
        if rank is None:
            hatched.append(row.code)
        fill = rgb(
            colours.background
            if rank is None
            else colours.panel
            if drawn.circles
            else colours.classes[rank]
        )
        properties = {
            "code": row.code,
            "label": place.label if place else row.code,
            "words": place.words if place else "",
            "fill": [*fill, 255],
        }
        features.append(
            {"type": "Feature", "properties": properties, "geometry": mapping(row.geometry)}
        )
        if row.code in radii:
            inside = row.geometry.representative_point()
            circles.append({"position": [inside.x, inside.y], "radius": radii[row.code]})
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    line = [*rgb(colours.outline), 255]
    layers = [
        pdk.Layer(
            "GeoJsonLayer",
            data={"type": "FeatureCollection", "features": features},
            get_fill_color="properties.fill",
            get_line_color=line,
            line_width_min_pixels=1.2,
        ),
        *(deck_layers(drawn.backdrop, colours) if drawn.backdrop else []),
        pdk.Layer(
            "PathLayer",
            data=[
                {"path": path}
                for path in _hatch(frame[frame["code"].isin(hatched)], (west, south, east, north))
            ],
            get_path="path",
            get_color=line,
            width_min_pixels=1,
        ),
    ]
    if drawn.larger is not None:
        edges = [
            {"path": list(piece.coords)}
            for shape in drawn.larger.boundary
            for piece in getattr(shape, "geoms", [shape])
        ]
        layers.append(
            pdk.Layer(
                "PathLayer",
                data=edges,
                get_path="path",
                get_color=[*rgb(colours.ink), 255],
                width_min_pixels=2.4,
            )
        )
    if circles:
        layers.append(
            pdk.Layer(
                "ScatterplotLayer",
                data=circles,
                get_position="position",
                get_radius="radius",
                radius_units=pdk.types.String("pixels"),
                stroked=True,
                get_fill_color=[*rgb(colours.mark), 190],
                get_line_color=[*rgb(colours.background), 255],
                line_width_min_pixels=1,
            )
        )
    layers += _words(drawn, colours, width, height)
    style = {
        "backgroundColor": colours.background,
        "color": colours.ink,
        "border": f"1px solid {colours.outline}",
        "fontSize": "14px",
    }
    tooltip: Any = {"text": "{label}\n{words}", "style": style}
    # Streamlit fades what is not chosen, in each layer of the list, but not in a list within it.
    return pdk.Deck(
        layers=[layers, _touched(features)],
        initial_view_state=_view(west, south, east, north, width, height),
        map_provider=None,
        tooltip=tooltip,
    )


def _words(drawn: Map, colours: Palette, width: int, height: int) -> list[pdk.Layer]:
    """Names of places, then labels of areas; each over its own ground where lines might cross
    it."""
    layers = []
    for labels, size, quiet in (
        (drawn.names(width, height), 11, True),
        (drawn.labels(width, height), 12, False),
    ):
        rows = [
            {
                "position": [label.lon, label.lat],
                "text": label.text,
                "color": [*rgb(colours.quiet if quiet else ink_on(colours, label.rank)), 255],
                "ground": [
                    *rgb(colours.background if quiet else drawn.ground(colours, label.rank)),
                    230 if drawn.backdrop and not drawn.circles else 0,
                ],
            }
            for label in labels
        ]
        if rows:
            layers.append(
                pdk.Layer(
                    "TextLayer",
                    data=rows,
                    get_position="position",
                    get_text="text",
                    get_color="color",
                    get_size=size,
                    background=True,
                    get_background_color="ground",
                    background_padding=[2, 1],
                    character_set=pdk.types.String("auto"),
                    font_family=pdk.types.String("Source Sans, Arial, sans-serif"),
                )
            )
    return layers


TOUCHED = "areas"
"""The layer that takes pointers, as a selection names it."""
MAX_TOUCHED = 60_000
"""Bytes of the largest area, as JSON: what a reader chooses comes back to the server as it was
sent, and the door turns long messages away (`guard.MAX_BYTES`)."""


def _touched(features: Sequence[Mapping[str, Any]]) -> pdk.Layer:
    """A layer on top, of the areas' own colours and too faint to be seen: what is chosen in it
    changes nothing of the map."""
    return pdk.Layer(
        "GeoJsonLayer",
        id=TOUCHED,
        data={"type": "FeatureCollection", "features": features},
        stroked=False,
        get_fill_color="properties.fill",
        opacity=0.01,
        pickable=True,
        auto_highlight=False,
    )


def can_be_chosen(drawn: Map) -> bool:
    """Is each area small enough to come back when a reader chooses it?"""
    return all(len(json.dumps(mapping(shape))) <= MAX_TOUCHED for shape in drawn.frame.geometry)
