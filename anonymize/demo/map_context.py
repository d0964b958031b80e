"""What the example city's maps show besides its areas: a river with a lake, roads, parks and a few
names. Drawn by hand on a sheet of 100 by 100, and made up like the rest (`demo/city.py`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from shapely.geometry import LineString, Point, Polygon, mapping
from shapely.geometry.base import BaseGeometry

Spot = tuple[float, float]

RIVER: Sequence[Spot] = (
    (66, 100),
    (64, 88),
    (57, 78),
    (54, 66),
    (46, 58),
    (43, 47),
    (34, 40),
    (30, 28),
    (33, 14),
    (30, 0),
)
LAKE: tuple[Spot, float, float] = ((79, 67), 7, 5)
"""Middle, and half its width and height."""
ROADS: Mapping[str, Sequence[Sequence[Spot]]] = {
    "highway": (
        ((0, 52), (22, 50), (45, 52), (68, 49), (100, 53)),
        ((52, 0), (53, 24), (51, 50), (46, 74), (44, 100)),
    ),
    "main": (
        ((14, 20), (38, 33), (60, 30), (84, 22)),
        ((20, 84), (35, 68), (58, 69), (90, 80)),
        ((76, 10), (73, 34), (75, 58), (70, 90)),
    ),
    "side": (((30, 45), (31, 55)),),
}
PARKS: Sequence[Sequence[Spot]] = (
    ((36, 44), (44, 50), (41, 38), (35, 34)),
    ((22, 72), (33, 80), (38, 92), (26, 94), (18, 82)),
    ((62, 20), (70, 22), (71, 29), (63, 28)),
    ((83, 58), (90, 60), (88, 66), (84, 63)),
)
PLACES: Mapping[str, Spot] = {
    "City Hall": (57, 44),
    "Central Station": (47, 53),
    "Mill Bridge": (33, 35),
    "State College": (64, 33),
    "Market Hall": (66, 60),
    "Hilltop": (28, 84),
    "Lake Park": (86, 61),
    "Fairgrounds": (28, 20),
}


def write_context(folder: Path, corner: tuple[float, float, float]) -> list[Path]:
    """Write water, parks, roads and places into `folder`; the same bytes on every run. `corner`:
    west and south edge of the city, and its width, in degrees. Returns the files."""
    west, south, size = corner

    def spot(at: Spot) -> Spot:
        x, y = at[0] / 100, 0.5 + 0.8 * (at[1] / 100 - 0.5)  # the city is less high than wide
        return round(west + size * x, 6), round(south + size * y, 6)

    def around(middle: Spot, wide: float, high: float) -> Polygon:
        ring = Point(0, 0).buffer(1, quad_segs=6).exterior.coords
        return Polygon([spot((middle[0] + wide * x, middle[1] + high * y)) for x, y in ring])

    river = LineString([spot(at) for at in RIVER])
    drawn: dict[str, list[tuple[dict[str, str], BaseGeometry]]] = {
        "water": [({"name": "Old River"}, river), ({"name": "Mirror Lake"}, around(*LAKE))],
        "parks": [({}, Polygon([spot(at) for at in park])) for park in PARKS],
        "roads": [
            ({"class": kind}, LineString([spot(at) for at in road]))
            for kind, roads in ROADS.items()
            for road in roads
        ],
        "places": [({"name": name}, Point(spot(at))) for name, at in PLACES.items()],
    }
    return [_write(folder / f"{name}.geojson", features) for name, features in drawn.items()]


def _write(path: Path, features: Sequence[tuple[Mapping[str, str], BaseGeometry]]) -> Path:
    listed = [
        {"type": "Feature", "properties": properties, "geometry": mapping(shape)}
        for properties, shape in features
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": listed}) + "\n", encoding="utf-8"
    )
    return path
