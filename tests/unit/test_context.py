"""Water, parks, roads and names on the maps: read, cut, made small, drawn; or refused with the file
and the cure."""

import json
import struct
import zlib
from itertools import pairwise

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import LineString, Point, Polygon, box, shape

from anonymize.agency.load import load
from anonymize.areas.map_context import MAX_BYTES, MAX_PLACES, load_context
from anonymize.areas.systems import load_areas
from anonymize.errors import AreaError, SchemaError
from dashboard.app.guard import MAX_BYTES as MAX_AT_THE_DOOR
from dashboard.export import chart_image
from dashboard.export.chart_image import following_the_reader
from dashboard.figures.backdrop import Backdrop, deck_layers
from dashboard.figures.maps import APART, MAX_TOUCHED, Map, Place, can_be_chosen
from dashboard.figures.theme import DARK, LIGHT, contrast, ink_on
from dashboard.release.format import NotFormat1, check_context
from tests.agency import write_agency
from tests.boundary_files import AREA, COLUMN, SIDE, SOUTH, WEST, collection, feature

EAST, NORTH = WEST + 2 * SIDE, SOUTH + SIDE
"""Of the two squares that are the areas of every test."""
ACROSS = LineString([(WEST - SIDE, SOUTH + 0.5 * SIDE), (EAST + SIDE, SOUTH + 0.5 * SIDE)])
PARK = box(WEST + 0.2 * SIDE, SOUTH + 0.2 * SIDE, WEST + 0.6 * SIDE, SOUTH + 0.7 * SIDE)


def thing(geometry, **properties):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": geometry
        if isinstance(geometry, dict | None)
        else shapely.geometry.mapping(geometry),
    }


def agency_with(folder, context, areas=AREA % ""):
    (folder / "map.geojson").write_text(collection(feature("A"), feature("B", i=1)))
    return load(
        write_agency(folder, "id,at,type,beat\n", COLUMN, areas + "\n[context]\n" + context)
    )


def context_of(folder, context):
    config = agency_with(folder, context)
    return load_context(config, load_areas(config))


def drawn(context):
    return json.loads(context.text)["features"]


def write(folder, name, *things, **more):
    (folder / name).write_text(collection(*things, **more), encoding="utf-8")


def refusal(folder, context):
    with pytest.raises(AreaError) as error:
        context_of(folder, context)
    return str(error.value)


def test_all_four_kinds_are_cut_to_the_areas_and_simplified(tmp_path):
    wiggly = LineString(
        [(WEST + i * SIDE / 500, SOUTH + 0.3 * SIDE + (i % 2) * 1e-5) for i in range(900)]
    )
    write(tmp_path, "water.geojson", thing(ACROSS), thing(PARK.buffer(SIDE)))
    write(tmp_path, "parks.geojson", thing(PARK))
    write(tmp_path, "roads.geojson", thing(wiggly, kind="1"), thing(ACROSS, kind="9"))
    write(tmp_path, "names.geojson", thing(PARK, n="Mill  Park"), thing(Point(0, 0), n="Elsewhere"))
    context = context_of(
        tmp_path,
        'credit = "Maps: us"\nwater = [{ path = "water.geojson" }]\nparks = { path ='
        ' "parks.geojson" }\nroads = { path = "roads.geojson", keep = { kind = ["1"] } }\n'
        'places = { path = "names.geojson", name = "n" }\n',
    )
    assert context.credit == "Maps: us"
    found = drawn(context)
    assert [f["properties"]["kind"] for f in found] == ["park", "water", "water", "road", "place"]
    within = box(WEST, SOUTH, EAST, NORTH).buffer(1e-9)
    assert all(within.covers(shape(f["geometry"])) for f in found)
    road = next(shape(f["geometry"]) for f in found if f["properties"]["kind"] == "road")
    assert len(road.coords) < 10 and road.length > 1.5 * SIDE
    assert found[-1]["properties"] == {"kind": "place", "name": "Mill Park"}
    assert PARK.contains(shape(found[-1]["geometry"]))
    check_context(json.loads(context.text))


def test_no_call_has_a_part_in_it(tmp_path):
    write(tmp_path, "parks.geojson", thing(PARK))
    before = context_of(tmp_path, 'parks = { path = "parks.geojson" }')
    exports = list(tmp_path.glob("*.csv"))
    assert exports
    config = agency_with(tmp_path, 'parks = { path = "parks.geojson" }')
    for export in exports:
        export.unlink()
    assert load_context(config, load_areas(config)) == before


def test_the_order_of_features_changes_nothing(tmp_path):
    parts = [thing(LineString([(WEST, SOUTH + i * SIDE / 9), (EAST, NORTH)])) for i in range(8)]
    texts = set()
    for order in (parts, parts[::-1]):
        write(tmp_path, "roads.geojson", *order)
        texts.add(context_of(tmp_path, 'roads = { path = "roads.geojson" }').text)
    assert len(texts) == 1


def test_too_much_is_made_coarser_until_it_fits(tmp_path):
    rows = 60
    zigzag = [
        thing(
            LineString(
                [
                    (WEST + 2 * SIDE * i / 400, SOUTH + SIDE * (row + (i % 2) * 0.9) / rows)
                    for i in range(400)
                ]
            )
        )
        for row in range(rows)
    ]
    write(tmp_path, "roads.geojson", *zigzag)
    context = context_of(tmp_path, 'roads = { path = "roads.geojson" }')
    assert len(context.text.encode()) <= MAX_BYTES
    assert drawn(context)


def test_a_dozen_places_each_name_once(tmp_path):
    names = [
        thing(Point(WEST + SIDE * i / 30, SOUTH + SIDE / 2), n=f"P{i // 2}") for i in range(60)
    ]
    write(tmp_path, "names.geojson", *names)
    found = drawn(context_of(tmp_path, 'places = { path = "names.geojson", name = "n" }'))
    assert [f["properties"]["name"] for f in found] == [f"P{i}" for i in range(MAX_PLACES)]


def test_a_shapefile_in_another_grid(tmp_path):
    frame = gpd.GeoDataFrame({"class": ["1", "2"]}, geometry=[ACROSS, ACROSS.buffer(0).boundary])
    frame = frame.iloc[:1].set_crs(4326).to_crs(26993)
    frame.to_file(tmp_path / "streets.shp")
    found = drawn(context_of(tmp_path, 'roads = { path = "streets.shp" }'))
    line = shape(found[0]["geometry"])
    assert line.bounds == pytest.approx((WEST, SOUTH + SIDE / 2, EAST, SOUTH + SIDE / 2), abs=1e-4)


# --- OpenStreetMap ---


def varint(number):
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def block(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def whole(field, number):
    return varint(field << 3) + varint(number)


def zigzag(number):
    return number * 2 if number >= 0 else -number * 2 - 1


def packed(numbers):
    return b"".join(varint(number) for number in numbers)


def pbf(nodes, ways):
    """The bytes of an extract: nodes as (lon, lat, tags), ways as (indexes of nodes, tags); after
    wiki.openstreetmap.org/wiki/PBF_Format."""
    texts = [""]

    def text(words):
        if words not in texts:
            texts.append(words)
        return texts.index(words)

    def tags(given):
        if not given:
            return b""
        return block(2, packed(text(key) for key in given)) + block(
            3, packed(text(value) for value in given.values())
        )

    drawn = [
        block(
            1,
            whole(1, zigzag(i + 1))
            + tags(given)
            + whole(8, zigzag(round(lat * 1e7)))
            + whole(9, zigzag(round(lon * 1e7))),
        )
        for i, (lon, lat, given) in enumerate(nodes)
    ]
    lines = []
    for i, (refs, given) in enumerate(ways):
        steps = [refs[0] + 1, *(b - a for a, b in pairwise(refs))]
        lines.append(block(3, whole(1, i + 1) + tags(given) + block(8, packed(map(zigzag, steps)))))
    groups = [block(2, b"".join(part)) for part in (drawn, lines) if part]
    primitive = block(1, b"".join(block(1, words.encode()) for words in texts)) + b"".join(groups)
    header = block(4, b"OsmSchema-V0.6")
    found = b""
    for kind, data in ((b"OSMHeader", header), (b"OSMData", primitive)):
        blob = whole(2, len(data)) + block(3, zlib.compress(data))
        head = block(1, kind) + whole(3, len(blob))
        found += struct.pack(">I", len(head)) + head + blob
    return found


def ring(outline):
    return [(x, y, {}) for x, y in outline.exterior.coords[:-1]]


def osm():
    nodes = [
        (WEST + 0.001, SOUTH + 0.005, {}),
        (EAST - 0.001, SOUTH + 0.005, {}),
        (WEST + 0.004, SOUTH + 0.004, {"place": "neighbourhood", "name": "Whittier"}),
        (WEST + 0.012, SOUTH + 0.004, {"place": "suburb", "name": "Uptown"}),
        (WEST + 0.015, SOUTH + 0.004, {"amenity": "bench", "name": "A bench"}),
        *ring(PARK),
    ]
    around = [5, 6, 7, 8, 5]
    ways = [
        ([0, 1], {"highway": "primary"}),
        ([0, 5], {"highway": "residential"}),
        ([1, 6], {"waterway": "river"}),
        (around, {"leisure": "park"}),
    ]
    return pbf(nodes, ways)


ALL_OF_OSM = "".join(
    f'{key} = {{ path = "city.osm.pbf" }}\n' for key in ("water", "parks", "roads", "places")
)


def test_an_extract_of_openstreetmap(tmp_path):
    (tmp_path / "city.osm.pbf").write_bytes(osm())
    found = drawn(context_of(tmp_path, ALL_OF_OSM))
    assert [f["properties"] for f in found] == [
        {"kind": "park"},
        {"kind": "water"},
        {"kind": "road"},
        {"kind": "place", "name": "Uptown"},
        {"kind": "place", "name": "Whittier"},
    ]
    park = shape(found[0]["geometry"])
    assert park.symmetric_difference(PARK).area < 1e-3 * PARK.area


def test_a_broken_extract_is_refused(tmp_path):
    (tmp_path / "city.osm.pbf").write_bytes(osm()[:-40])
    message = refusal(tmp_path, 'roads = { path = "city.osm.pbf" }')
    assert "city.osm.pbf: " in message and "whole" in message


# --- Refused ---

SQUARE = thing(PARK, n="Park")
REFUSED = {
    "no file": ('roads = { path = "none.geojson" }', [], "there is no such file"),
    "a kind of file": ('roads = { path = "r.kml" }', [SQUARE], "ends in '.kml'"),
    "an area as a road": ('roads = { path = "r.geojson" }', [SQUARE], "feature 1 (Polygon)"),
    "a line as a park": ('parks = { path = "r.geojson" }', [thing(ACROSS)], "parks are areas"),
    "no shape": ('parks = { path = "r.geojson" }', [thing(None)], "feature 1 has no geometry"),
    "half a ring": (
        'parks = { path = "r.geojson" }',
        [thing({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})],
        "feature 1 has no geometry that can be drawn",
    ),
    "elsewhere": (
        'parks = { path = "r.geojson" }',
        [thing(box(0, 0, 1, 1))],
        "nothing of it lies in the outlines",
    ),
    "feet": (
        'parks = { path = "r.geojson" }',
        [thing(box(2690000, 235000, 2695000, 240000))],
        "no places on Earth",
    ),
    "unknown coordinates": (
        'parks = { path = "r.geojson", crs = "EPSG:0" }',
        [SQUARE],
        "names no coordinates that are known",
    ),
    "names unnamed": ('places = { path = "r.geojson" }', [SQUARE], 'write name = "..."'),
    "no such property": (
        'places = { path = "r.geojson", name = "NAME" }',
        [SQUARE],
        "no feature has a property NAME; they have: n",
    ),
    "nameless": (
        'places = { path = "r.geojson", name = "n" }',
        [SQUARE, thing(PARK, n=None)],
        "feature 2 has no name",
    ),
    "nothing kept": (
        'parks = { path = "r.geojson", keep = { n = ["Lot"] } }',
        [SQUARE],
        "it holds nothing to draw as parks",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_in_one_sentence(name, tmp_path):
    context, things, words = REFUSED[name]
    for file in ("r.geojson", "r.kml"):
        write(tmp_path, file, *things)
    message = refusal(tmp_path, context)
    assert words in message
    assert message.startswith("agency.toml: [context]: ")
    assert "\n" not in message


def test_all_bad_files_are_told_at_once(tmp_path):
    message = refusal(tmp_path, 'roads = { path = "a.geojson" }\nparks = { path = "b.geojson" }')
    assert "a.geojson" in message and "b.geojson" in message


def test_without_outlines_there_is_no_map_to_draw_on(tmp_path):
    areas = '[areas.area]\nname = "Area"\nall = "All"\nlevels = ["beat"]\ncodes = ["A", "B"]\n'
    write(tmp_path, "parks.geojson", SQUARE)
    config = agency_with(tmp_path, 'parks = { path = "parks.geojson" }', areas)
    with pytest.raises(AreaError, match="no area system has outlines"):
        load_context(config, load_areas(config))


def test_a_key_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(SchemaError, match="rivers"):
        agency_with(tmp_path, 'rivers = { path = "a.geojson" }')


# --- At the app's door, and drawn ---

ODD = {
    "no collection": {"type": "Feature"},
    "no kind": {"type": "FeatureCollection", "features": [thing(ACROSS, kind=3)]},
    "no shape": {"type": "FeatureCollection", "features": [{"properties": {}, "geometry": None}]},
    "beyond": {"type": "FeatureCollection", "features": [thing(Point(200, 0), kind="place")]},
    "half": {
        "type": "FeatureCollection",
        "features": [thing({"type": "LineString", "coordinates": [[0, 0]]}, kind="road")],
    },
    "a long name": {
        "type": "FeatureCollection",
        "features": [thing(Point(0, 0), kind="place", name="x" * 201)],
    },
}


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_drawn_does_not_come_in(name):
    with pytest.raises(NotFormat1):
        check_context(json.loads(json.dumps(ODD[name])))


def a_map(rank=3, places=(("Here", WEST + 0.3 * SIDE), ("Beside", WEST + 1.5 * SIDE))):
    areas = gpd.GeoDataFrame(
        {"code": ["A", "B"]},
        geometry=[box(WEST, SOUTH, WEST + SIDE, NORTH), box(WEST + SIDE, SOUTH, EAST, NORTH)],
        crs=4326,
    )
    backdrop = Backdrop(
        gpd.GeoDataFrame(
            {
                "kind": ["park", "water", "road", "lighthouse", *["place"] * len(places)],
                "name": ["", "", "", "", *(name for name, _x in places)],
            },
            geometry=[
                PARK,
                ACROSS,
                ACROSS,
                ACROSS,
                *(Point(x, SOUTH + 0.15 * SIDE) for _name, x in places),
            ],
            crs=4326,
        ),
        "Maps: us",
    )
    known = {code: Place(code, f"Area {code}", rank, "", "65%") for code in "AB"}
    return Map(areas, known, tuple("abcde"), "withheld", backdrop=backdrop)


def test_letters_stand_on_their_own_ground_in_both_themes():
    for colours in (LIGHT, DARK):
        assert contrast(colours.quiet, colours.background) >= 4.5
        for rank in (None, *range(5)):
            ground = a_map(rank).ground(colours, rank)
            assert contrast(ink_on(colours, rank), ground) >= 4.5


def test_lines_lie_over_colours_and_under_words():
    layers, _touched = a_map().deck(LIGHT, 500).layers
    kinds = [layer.type for layer in layers]
    words = [i for i, kind in enumerate(kinds) if kind == "TextLayer"]
    lines = len(deck_layers(a_map().backdrop, LIGHT))
    assert lines == 5 and kinds[0] == "GeoJsonLayer" and min(words) > lines
    told = {row["text"]: row for i in words for row in layers[i].data}
    assert {"Here", "Beside"} < set(told)
    assert all(row["ground"][3] > 200 for row in told.values())


def test_a_place_never_hides_a_label_or_another_place():
    near = [("Here", WEST + 0.3 * SIDE), ("Right on top of it", WEST + 0.32 * SIDE)]
    found = [label.text for label in a_map(places=near).names(500, 310)]
    assert found == ["Here"]
    middle = a_map(places=[("Middle", WEST + 0.5 * SIDE)])
    label = middle.labels(500, 310)[0]
    shifted = middle.backdrop.frame.geometry.where(
        middle.backdrop.frame["kind"] != "place", Point(label.lon, label.lat)
    )
    middle.backdrop.frame.geometry = shifted
    assert middle.names(500, 310) == []
    assert APART > 0


def test_the_picture_changes_over_to_dark():
    chart = a_map().flat(colours=LIGHT).to_dict(validate=False)
    text = json.dumps(chart)
    for colour in (LIGHT.park, LIGHT.water, LIGHT.road, LIGHT.casing):
        assert colour in text
    svg = following_the_reader(chart_image._drawn(text))
    for light, dark in ((LIGHT.water, DARK.water), (LIGHT.road, DARK.road)):
        assert f'[stroke="{light}"]{{stroke:{dark}}}' in svg
        assert f'stroke="{light}"' in svg.partition("</style>")[2]


def test_a_polygon_that_crosses_itself_is_still_drawn(tmp_path):
    bow = Polygon([(WEST, SOUTH), (EAST, NORTH), (EAST, SOUTH), (WEST, NORTH)])
    write(tmp_path, "parks.geojson", thing(bow))
    found = drawn(context_of(tmp_path, 'parks = { path = "parks.geojson" }'))
    assert found and all(shape(f["geometry"]).is_valid for f in found)


def test_an_area_that_the_door_would_turn_away_cannot_be_chosen():
    small = a_map()
    assert can_be_chosen(small)
    detailed = Point(WEST, SOUTH).buffer(SIDE, quad_segs=500)
    large = gpd.GeoDataFrame({"code": ["A"]}, geometry=[detailed], crs=4326)
    assert len(json.dumps(shapely.geometry.mapping(detailed))) > MAX_TOUCHED
    assert not can_be_chosen(Map(large, small.places, small.classes, ""))
    assert 2 * MAX_TOUCHED < MAX_AT_THE_DOOR
