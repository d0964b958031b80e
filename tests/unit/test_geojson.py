"""The published outlines, against RFC 7946 and by a parser of another kind than the one that wrote
them."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, shape

from anonymize.agency.load import load
from anonymize.areas.geojson import public_geojson
from anonymize.areas.systems import load_areas
from anonymize.errors import AreaError
from dashboard.figures import maps
from dashboard.figures.theme import LIGHT
from tests.agency import write_agency

FILES = {
    "seattle/spd_beats_2015.geojson": ("name", 51),
    "seattle/spd_beats_2018.geojson": ("beat", 55),
    "seattle/spd_precincts_2015.geojson": ("name", 5),
    "seattle/census_tracts_2010_complete.geojson": ("geoid", 136),
    "toronto/neighbourhoods_140.geojson": ("AREA_SHORT_CODE", 140),
    "toronto/neighbourhoods_158_with_population_2024.geojson": ("HOOD_ID", 158),
}


def twice_the_area(ring):
    """The shoelace formula, exactly: positive where the ring runs counter-clockwise."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))


def check_rfc7946(text):
    """Every rule of RFC 7946 for a collection of areas, by hand; raises AssertionError. Gives codes
    and geometries."""
    data = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert data.keys() == {"type", "features"}  # no member crs (section 4)
    assert data["type"] == "FeatureCollection"
    found = {}
    for feature in data["features"]:
        assert feature.keys() == {"type", "properties", "geometry"}
        assert feature["type"] == "Feature"
        geometry = feature["geometry"]
        assert geometry.keys() == {"type", "coordinates"}
        assert geometry["type"] in ("Polygon", "MultiPolygon")
        parts = (
            [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        )
        assert parts
        for part in parts:
            for place, ring in enumerate(part):
                assert len(ring) >= 4 and ring[0] == ring[-1]  # section 3.1.6
                assert (twice_the_area(ring) > 0) == (place == 0), (
                    "an outer ring runs counter-clockwise, a hole clockwise"
                )
                for position in ring:
                    assert len(position) == 2
                    assert abs(position[0]) <= 180 and abs(position[1]) <= 90
                    assert all(number.as_tuple().exponent >= -5 for number in position)
                assert all(abs(a[0] - b[0]) <= 180 for a, b in pairwise(ring))  # section 3.1.9
        plain = json.loads(json.dumps(geometry, default=float))
        assert shape(plain).is_valid
        found[feature["properties"]["code"]] = shape(plain)
    return found


def published(path: Path, code: str, tmp_path: Path):
    boundaries = f'boundaries = {{ path = "{path}", code = "{code}" }}\n'
    area = '[areas.area]\nname = "Area"\nall = "All"\nlevels = ["beat"]\n'
    return load_areas(
        load(
            write_agency(
                tmp_path,
                "",
                {'call_type = "type"': 'call_type = "type"\narea = "beat"'},
                area + boundaries,
            )
        )
    )["area"]


@pytest.mark.parametrize("name", FILES)
def test_real_outlines_follow_the_standard(name, shared, tmp_path):
    code, areas = FILES[name]
    text = public_geojson(published(shared / name, code, tmp_path).boundaries)
    found = check_rfc7946(text)
    (tmp_path / "areas.geojson").write_text(text)
    read = gpd.read_file(tmp_path / "areas.geojson")  # GDAL
    assert len(read) == len(found) == areas
    assert read.crs == 4326
    assert read.geometry.is_valid.all()
    given = {
        str(f["properties"][code]): shape(f["geometry"])
        for f in json.loads((shared / name).read_text())["features"]
    }
    assert found.keys() == given.keys()
    metre = 1 / 111_320  # in degrees of latitude; degrees of longitude are shorter
    for key, outline in found.items():
        assert (
            outline.hausdorff_distance(given[key]) < 100 * metre
        )  # simplifying bounds the area of each corner that goes, not its distance
        assert outline.area == pytest.approx(given[key].area, rel=0.02)


def frame(*outlines):
    return gpd.GeoDataFrame(
        {"code": [f"a{i}" for i in range(len(outlines))]}, geometry=list(outlines), crs=4326
    )


def ring(*points, clockwise):
    return list(points if Polygon(points).exterior.is_ccw != clockwise else points[::-1])


@pytest.mark.parametrize("clockwise", [True, False])
def test_rings_of_either_direction_and_holes(clockwise):
    outer = ring((-93.0, 45.0), (-92.9, 45.0), (-92.9, 45.1), (-93.0, 45.1), clockwise=clockwise)
    hole = ring(
        (-92.98, 45.02), (-92.96, 45.02), (-92.96, 45.04), (-92.98, 45.04), clockwise=clockwise
    )
    island = ring((-92.8, 45.0), (-92.7, 45.0), (-92.7, 45.1), clockwise=clockwise)
    (found,) = check_rfc7946(
        public_geojson(frame(MultiPolygon([(outer, [hole]), (island, [])])))
    ).values()
    assert len(found.geoms) == 2
    assert sum(len(part.interiors) for part in found.geoms) == 1


def test_the_check_itself_sees_a_wrong_direction():
    text = public_geojson(frame(Polygon([(-93.0, 45.0), (-92.9, 45.0), (-92.9, 45.1)])))
    check_rfc7946(text)
    data = json.loads(text)
    data["features"][0]["geometry"]["coordinates"][0].reverse()
    with pytest.raises(AssertionError, match="counter-clockwise"):
        check_rfc7946(json.dumps(data))


@pytest.mark.parametrize("seed", range(40))
def test_rounding_never_breaks_an_outline(seed):
    """Stars with spikes and necks as thin as the last decimal that is kept, some with a hole that
    almost touches."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(4, 60))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = 10 ** rng.uniform(-5, -2, count)
    corners = np.column_stack([-93 + radius * np.cos(angles), 45 + radius * np.sin(angles)])
    outline = shapely.make_valid(Polygon(corners))
    outline = max(shapely.get_parts(outline), key=lambda part: part.area)
    if seed % 2:
        outline = outline.difference(shapely.affinity.scale(outline, 0.999, 0.999))  # a rim
    rounded = shapely.set_precision(outline, 1e-5)
    if rounded.is_empty:
        with pytest.raises(AreaError):
            public_geojson(frame(outline))
    else:
        check_rfc7946(public_geojson(frame(outline)))


def test_the_flat_map_fills_areas_and_not_all_around_them(tmp_path):
    """Vega takes rings on a sphere, where those of RFC 7946 enclose all but the area."""
    squares = frame(
        *(Polygon([(x, 45), (x + 0.1, 45), (x + 0.1, 45.1), (x, 45.1)]) for x in (-93.0, -92.9))
    )
    areas = gpd.GeoDataFrame.from_features(
        json.loads(public_geojson(squares))["features"], crs=4326
    )
    chart = (
        maps.Map(areas, {"a0": maps.Place("a0", "A", 0, "")}, ("some",), "withheld")
        .flat(colours=LIGHT)
        .to_dict()
    )
    rows = [row for data in chart["datasets"].values() for row in data]  # names of areas too
    shapes = [shape(row.get("geometry", row)) for row in rows if row.get("type")]
    polygons = [
        part
        for outline in shapes
        for part in shapely.get_parts(outline)
        if isinstance(part, Polygon)
    ]
    assert len(polygons) == 2
    assert not any(part.exterior.is_ccw for part in polygons)
