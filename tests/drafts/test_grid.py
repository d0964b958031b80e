"""`init` finds the grid of coordinates by the outlines: state planes in feet and metres, UTM, and
degrees as whole numbers."""

from __future__ import annotations

import json
import re
from datetime import date

import numpy as np
import pytest
from pyproj import CRS, Transformer

from anonymize.draft.run import drafted
from anonymize.draft.write import MARK, agency_file
from anonymize.errors import AnonymizeError
from anonymize.pipeline import check, read_inputs
from tests.drafts.exports import calls, write_text

PLACES = {
    "Minneapolis": (-93.27, 44.97),
    "Seattle": (-122.33, 47.61),
    "Portland": (-122.66, 45.52),
    "Boston": (-71.06, 42.35),
    "Houston": (-95.37, 29.76),
    "Toronto": (-79.38, 43.65),
    "Phoenix": (-112.07, 33.45),
    "Honolulu": (-157.85, 21.31),
}
SIDE = 0.02


def beats(middle):
    """Sixteen squares around a place; their property is a number that calls do not name."""
    lon, lat = middle
    features = []
    for i in range(16):
        west, south = lon + (i % 4 - 2) * SIDE, lat + (i // 4 - 2) * SIDE
        ring = [
            [west, south],
            [west + SIDE, south],
            [west + SIDE, south + SIDE],
            [west, south + SIDE],
            [west, south],
        ]
        features.append(
            {
                "type": "Feature",
                "properties": {"beat": f"B{i:02d}"},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def draft_of(folder, middle, write, astray=0.05):
    """The draft of an export with points in and (a few) outside of the outlines; `write`: degrees
    -> the two texts."""
    rng = np.random.default_rng(33)
    (folder / "beats.geojson").write_text(json.dumps(beats(middle)))
    rows = []
    for call in calls(33, 400):
        spread = 2 * SIDE if rng.random() > astray else 30 * SIDE
        lon, lat = middle[0] + rng.uniform(-1, 1) * spread, middle[1] + rng.uniform(-1, 1) * spread
        x, y = write(lon, lat)
        rows.append(
            {
                "id": call.number,
                "received": f"{call.at:%Y-%m-%d %H:%M:%S}",
                "X_COORD": x,
                "Y_COORD": y,
            }
        )
    text = agency_file(
        drafted(
            [write_text(folder / "calls.csv", rows), folder / "beats.geojson"],
            folder / "private",
            date(2025, 2, 1),
        ),
        folder / "agency.toml",
    )
    (folder / "agency.toml").write_text(text, encoding="utf-8")
    return text


GRIDS = [
    ("Minneapolis", 26851),
    ("Minneapolis", 26993),
    ("Minneapolis", 26915),
    ("Seattle", 2285),
    ("Seattle", 2926),
    ("Seattle", 32148),
    ("Portland", 2913),
    ("Portland", 2269),
    ("Boston", 2249),
    ("Boston", 26986),
    ("Houston", 2278),
    ("Phoenix", 2223),
    ("Toronto", 26917),
    ("Honolulu", 26963),
    ("Minneapolis", 3857),
    ("Minneapolis", 26793),
]


@pytest.mark.parametrize(("place", "code"), GRIDS)
def test_the_grid_is_found_by_the_outlines(tmp_path, place, code):
    to_grid = Transformer.from_crs(4326, code, always_xy=True)
    text = draft_of(
        tmp_path, PLACES[place], lambda lon, lat: (f"{v:.1f}" for v in to_grid.transform(lon, lat))
    )
    (line,) = re.findall(r"^crs = .*", text, re.MULTILINE)
    found = re.match(r'crs = "EPSG:(\d+)"  # (.*)', line)
    assert MARK in found[2] and f"are the coordinates in {CRS(int(found[1])).name}?" in found[2]
    share = int(re.search(r"(\d+) ?% of the points lie in the outlines so", found[2])[1])
    assert 90 <= share <= 99, "the share is that of the points, a few of which lie outside"
    # The grid that was found says of a point within two metres what the true one says.
    lon, lat = PLACES[place]
    x, y = to_grid.transform(lon, lat)
    near = Transformer.from_crs(int(found[1]), 4326, always_xy=True).transform(x, y)
    assert abs(near[0] - lon) < 3e-5 and abs(near[1] - lat) < 2e-5
    check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private")


@pytest.mark.parametrize("scale", [1e-6, 1e-5])
def test_degrees_as_whole_numbers(tmp_path, scale):
    text = draft_of(
        tmp_path, PLACES["Seattle"], lambda lon, lat: (f"{lon / scale:.0f}", f"{lat / scale:.0f}")
    )
    assert re.search(rf"^scale = {scale:f}".rstrip("0") + r"  # DECIDE", text, re.MULTILINE)
    check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private")


def test_degrees_need_no_grid(tmp_path):
    text = draft_of(tmp_path, PLACES["Seattle"], lambda lon, lat: (f"{lon:.6f}", f"{lat:.6f}"))
    assert "[calls.point]" not in text
    check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private")


def test_points_of_no_grid_of_the_place_are_not_guessed(tmp_path):
    """Numbers of another state's grid lie in no outline by any grid of this place; `check` says
    so."""
    to_grid = Transformer.from_crs(4326, 2285, always_xy=True)
    text = draft_of(
        tmp_path,
        PLACES["Boston"],
        lambda lon, lat: (f"{v:.1f}" for v in to_grid.transform(lon - 51.3, lat + 5.2)),
    )
    assert "[calls.point]" not in text
    with pytest.raises(AnonymizeError, match="name the grid"):
        check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private")
