"""Boundary files: right, or refused with the file, the feature and the cure."""

import json
import struct

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Polygon, box

from anonymize.agency.load import load
from anonymize.areas.boundaries import _in_country
from anonymize.areas.systems import load_areas
from anonymize.errors import AreaError
from tests.agency import write_agency
from tests.boundary_files import (
    AREA,
    COLUMN,
    POINTS,
    SIDE,
    SOUTH,
    WEST,
    collection,
    feature,
    polygon,
    square,
)


def systems(folder, text, spec="", replace=None, extra=""):
    """The area systems of an agency whose boundary file holds `text`; `spec`: more of its
    'boundaries'."""
    agency = write_agency(folder, "id,at,type,beat\n", replace or COLUMN, AREA % spec + extra)
    (folder / "map.geojson").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_areas(load(agency))


def refusal(folder, text, spec="", replace=None, extra=""):
    with pytest.raises(AreaError) as error:
        systems(folder, text, spec, replace, extra)
    return str(error.value)


BEE = feature("B", i=1)
UNMENDABLE = polygon(
    [[WEST, SOUTH], [WEST + 1, SOUTH + 1], [WEST + 1, SOUTH], [WEST, SOUTH + 1], [WEST, SOUTH]]
)

REFUSED = {
    "feet": (
        [
            feature(
                "A",
                polygon(
                    [[2690000, 235000], [2695000, 235000], [2695000, 240000], [2690000, 235000]]
                ),
            ),
            BEE,
        ],
        [
            "feature 1 (code 'A', x 2690000 to 2695000, y 235000 to 240000)",
            "-180 to 180",
            "feet or metres",
            'crs = "EPSG:',
        ],
    ),
    "latitude first": (
        [feature("A", polygon([[y, x] for x, y in square()]))],
        ["feature 1 (code 'A'", "swapped", "longitude (x) first"],
    ),
    "latitude first, in range": (
        [feature("A", polygon([[43.7, -79.4], [43.8, -79.4], [43.8, -79.3], [43.7, -79.4]]))],
        ["feature 1 (code 'A'", "swapped"],
    ),
    "0 to 360": (
        [feature("A", polygon([[x + 360, y] for x, y in square()]))],
        ["feature 1 (code 'A'", "-180 to 180", "with a minus"],
    ),
    "over the antimeridian": (
        [feature("A", polygon([[179, 52], [-179, 52], [-179, 53], [179, 53], [179, 52]]))],
        ["feature 1 (code 'A')", "180 degrees", "cut the outline in two"],
    ),
    "null code": (
        [BEE, feature(None)],
        ["no code in the property 'c': feature 2;", "take the feature out"],
    ),
    "blank code": ([BEE, feature("  ")], ["no code in the property 'c': feature 2;"]),
    "code missing on some": (
        [BEE, {"type": "Feature", "properties": {}, "geometry": polygon(square())}],
        ["no code in the property 'c': feature 2"],
    ),
    "properties null": (
        [BEE, {"type": "Feature", "properties": None, "geometry": polygon(square())}],
        ["no code in the property 'c': feature 2"],
    ),
    "code None": ([BEE, feature("None")], ["word for 'nothing'", "feature 2 (code 'None')"]),
    "code nan": ([BEE, feature("nan")], ["word for 'nothing'", "feature 2 (code 'nan')"]),
    "code with decimals": (
        [BEE, feature(101.1)],
        ["a number with decimals as a code", "feature 2 (101.1)", "as text"],
    ),
    "code too large": ([BEE, feature(2.0**60)], ["a number with decimals as a code", "feature 2"]),
    "code true": (
        [BEE, feature(True)],
        ["neither text nor a whole number", "feature 2 (true or false)"],
    ),
    "code a list": (
        [BEE, feature(["A"])],
        ["neither text nor a whole number", "feature 2 (a list)"],
    ),
    "code with a zero-width space": (
        [BEE, feature("A\u200b")],
        ["characters that cannot be seen", "feature 2"],
    ),
    "blanks only": (
        [feature("A 1"), feature("A  1", i=1)],
        ["'A  1' and 'A 1'", "blanks only", "map.geojson"],
    ),
    "kept for the program": (
        [BEE, feature("Unknown")],
        ["the code 'Unknown' is kept for the program"],
    ),
    "null geometry": (
        [BEE, {"type": "Feature", "properties": {"c": "A"}, "geometry": None}],
        ["no outline", "feature 2 (code 'A')", "draw it"],
    ),
    "empty polygon": (
        [BEE, feature("A", {"type": "Polygon", "coordinates": []})],
        ["no outline", "feature 2 (code 'A')"],
    ),
    "empty part": (
        [BEE, feature("A", {"type": "MultiPolygon", "coordinates": [[square()], []]})],
        ["no outline", "feature 2 (code 'A', one of its parts is empty)"],
    ),
    "line": (
        [BEE, feature("A", {"type": "LineString", "coordinates": square()})],
        ["not an area", "feature 2 (code 'A', it is a LineString)", "Polygonize"],
    ),
    "point": (
        [BEE, feature("A", {"type": "Point", "coordinates": [WEST, SOUTH]})],
        ["not an area", "feature 2 (code 'A', it is a Point)"],
    ),
    "collection": (
        [BEE, feature("A", {"type": "GeometryCollection", "geometries": [polygon(square())]})],
        ["not an area", "feature 2 (code 'A', it is a GeometryCollection)"],
    ),
    "open ring": (
        [BEE, feature("A", polygon(square()[:-1]))],
        ["a ring that is not closed", "feature 2 (code 'A')"],
    ),
    "short ring": (
        [BEE, feature("A", polygon([[WEST, SOUTH], [WEST, SOUTH + 1], [WEST, SOUTH]]))],
        ["fewer than four positions", "feature 2"],
    ),
    "bow tie": (
        [BEE, feature("A", UNMENDABLE)],
        ["crosses itself", "feature 2 (code 'A', near x -92.8, y 45.4)", "0.1 %"],
    ),
    "overlapping parts": (
        [
            feature(
                "A", {"type": "MultiPolygon", "coordinates": [[square()], [square(0, 2 * SIDE)]]}
            )
        ],
        ["crosses itself", "feature 1 (code 'A'"],
    ),
    "text as a number": (
        [BEE, feature("A", polygon([["-93", 45], *square()]))],
        ["a position that is not two numbers", "feature 2"],
    ),
    "one number": (
        [BEE, feature("A", polygon([[-93], *square()]))],
        ["a position that is not two numbers", "feature 2"],
    ),
    "infinite": (
        [
            '{"type":"Feature","properties":{"c":"A"},"geometry":{"type":"Polygon","coordinates":[[[1e999,1],[1,2],[2,2],[1e999,1]]]}}'
        ],
        ["a position that is not two numbers", "feature 1"],
    ),
    "smaller than a metre": (
        [BEE, feature("A", polygon(square(side=0.000001)))],
        ["smaller than about a metre", "feature 2 (code 'A')"],
    ),
    "not a feature": ([BEE, polygon(square())], ["not a Feature: feature 2"]),
    "no features": ([], ["holds no features"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(tmp_path, kind):
    features, words = REFUSED[kind]
    text = (
        '{"type":"FeatureCollection","features":['
        + ",".join(f if isinstance(f, str) else json.dumps(f) for f in features)
        + "]}"
    )
    message = refusal(tmp_path, text)
    assert message.startswith("agency.toml: [areas.area]: ")
    for word in [*words, "" if kind == "kept for the program" else "map.geojson"]:
        assert word in message


WHOLE_FILE = {
    "not UTF-8": (
        '{"type": "FeatureCollection", "x": "é"}'.encode("latin-1"),
        "byte 37 is not UTF-8",
    ),
    "cut off": (collection(BEE)[:-20], "line 1, column"),
    "a feature a line": (json.dumps(BEE) + "\n" + json.dumps(BEE) + "\n", "line 2, column 1"),
    "a name twice": (
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"c":"A","c":"B"}}]}',
        "'c' stands twice",
    ),
    "NaN": ('{"type":"FeatureCollection","features":[NaN]}', "NaN is no number"),
    "TopoJSON": ('{"type":"Topology","objects":{}}', "found Topology"),
    "one feature": (json.dumps(BEE), "found Feature"),
    "Esri JSON": ('{"geometryType":"esriGeometryPolygon","features":[]}', "Esri JSON"),
    "unknown crs": (
        collection(BEE, crs={"type": "name", "properties": {"name": "EPSG:999999"}}),
        "'crs' (EPSG:999999)",
    ),
    "crs of no map": (
        collection(BEE, crs={"type": "name", "properties": {"name": "EPSG:4978"}}),
        "'WGS 84' is neither degrees nor a map",
    ),
    "linked crs": (
        collection(BEE, crs={"type": "link", "properties": {"href": "a.prj"}}),
        "'crs' (without a name)",
    ),
}


@pytest.mark.parametrize("kind", WHOLE_FILE)
def test_refused_as_a_whole(tmp_path, kind):
    text, words = WHOLE_FILE[kind]
    message = refusal(tmp_path, text)
    assert message.startswith("agency.toml: [areas.area]: map.geojson: ")
    assert words in message


def test_a_property_that_no_feature_has(tmp_path):
    agency = write_agency(tmp_path, "", COLUMN, (AREA % "").replace('code = "c"', 'code = "C"'))
    (tmp_path / "map.geojson").write_text(collection(BEE))
    with pytest.raises(
        AreaError, match=r"map.geojson: no feature has a property 'C'; did you mean 'c'\?"
    ):
        load_areas(load(agency))
    agency.write_text(agency.read_text().replace('code = "C"', 'code = "beat_number"'))
    with pytest.raises(AreaError, match=r"no feature has a property 'beat_number'; they have: c"):
        load_areas(load(agency))


def test_many_features_are_counted_and_few_listed(tmp_path):
    message = refusal(tmp_path, collection(BEE, *(feature(None) for _ in range(55))))
    assert "feature 2, feature 3, feature 4" in message
    assert "feature 11 and 45 more;" in message
    assert "feature 12" not in message


def test_all_kinds_of_faults_are_told_at_once(tmp_path):
    line = feature("C", {"type": "LineString", "coordinates": square()})
    message = refusal(
        tmp_path, collection(feature(None), feature(1.5), line, feature("D", UNMENDABLE))
    )
    assert len(message.splitlines()) == 4


NAMES = {
    "null": (None, ["no name: feature 1 (code 'A')", "'names'"]),
    "None": ("None", ["no name: feature 1 (code 'A')"]),
    "blank": (" ", ["no name: feature 1 (code 'A')"]),
    "a list": (["x"], ["neither text nor a number: feature 1 (code 'A')"]),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_that_are_missing(tmp_path, kind):
    value, words = NAMES[kind]
    message = refusal(
        tmp_path, collection(feature("A", n=value), feature("B", i=1, n="Bee")), ', name = "n"'
    )
    assert all(word in message for word in words)


def test_the_agency_file_can_give_a_missing_name(tmp_path):
    text = collection(feature("A", n=None), feature("B", i=1, n="Bee"))
    system = systems(
        tmp_path,
        text,
        ', name = "n"',
        extra='[areas.area.names]\nA = { en = "North", es = "Norte" }\n',
    )["area"]
    assert [(n.code, n.label.es) for n in system.codelist.nodes if n.level == "beat"][:2] == [
        ("A", "Norte"),
        ("B", "Bee"),
    ]
    assert not system.remarks


def test_one_code_with_two_names(tmp_path):
    text = collection(feature("A", n="North"), feature("A", i=1, n="South"))
    assert "one code with several names: code 'A' (feature 1, feature 2)" in refusal(
        tmp_path, text, ', name = "n"'
    )


@pytest.mark.parametrize(
    ("features", "codes"),
    [
        ([feature("001"), feature("1", i=1)], ["1", "001"]),
        ([feature(9.0), feature(10, i=1)], ["9", "10"]),
        ([feature(53033001500), feature("x", i=1)], ["53033001500", "x"]),
        ([feature(" A "), feature("B\u00a0", i=1)], ["A", "B"]),
        ([feature("A"), feature("a", i=1)], ["A", "a"]),
        ([feature("NA"), feature("Pen\u0303a", i=1)], ["NA", "Peña"]),
    ],
)
def test_codes_are_read_as_they_are_written(tmp_path, features, codes):
    found = list(systems(tmp_path, collection(*features))["area"].boundaries["code"])
    assert sorted(found) == sorted(codes)


NOTED = {
    "whole numbers with decimals": (
        [feature(9.0), feature(10, i=1)],
        "a whole number with decimals as a code: feature 1 (code '9')",
    ),
    "text with decimals": (
        [feature("9.0")],
        "a code that is text and ends in '.0': feature 1 (code '9.0')",
    ),
    "two features with one code": (
        [feature("A"), feature("A", i=1)],
        "joined into one area: code 'A' (feature 1, feature 2)",
    ),
    "heights": (
        [feature("A", polygon([[x, y, 3] for x, y in square()]))],
        "heights beside longitude and latitude: 1 of 1 features",
    ),
    "abroad": (
        [feature("A", polygon([[0, 0], [1, 0], [1, 1], [0, 0]]))],
        "outside the country of the agency: feature 1 (code 'A', x 0 to 1",
    ),
    "a spike": (
        [feature("A", polygon([*square()[:3], [WEST + SIDE, SOUTH + 2 * SIDE], *square()[2:]]))],
        (
            "crosses or touches itself (it was mended, almost without a change of area): feature 1"
            " (code 'A'"
        ),
    ),
    "overlap": (
        [feature("A"), feature("B", polygon(square(side=2 * SIDE)))],
        "overlap by more than 1 % of the smaller one: 'A' and 'B' (100 %)",
    ),
}


@pytest.mark.parametrize("kind", NOTED)
def test_noted(tmp_path, kind):
    features, words = NOTED[kind]
    system = systems(tmp_path, collection(*features))["area"]
    assert len(system.remarks) == 1
    assert system.remarks[0].startswith("map.geojson: ")
    assert words in system.remarks[0]


def test_names_that_are_numbers_or_alike_are_noted(tmp_path):
    text = collection(feature("A", n=7), feature("B", i=1, n="Park"), feature("C", i=2, n=" Park "))
    system = systems(tmp_path, text, ', name = "n"')["area"]
    assert [node.label.en for node in system.codelist.nodes if node.code in "ABC"] == [
        "7",
        "Park",
        "Park",
    ]
    assert "a number as a name: feature 1 (code 'A', name 7)" in system.remarks[0]
    assert (
        "one name for several areas, which readers cannot tell apart: 'Park' (codes B, C)"
        in system.remarks[1]
    )


def test_neighbours_that_overlap_by_slivers_are_nothing_to_say(tmp_path):
    assert not systems(
        tmp_path, collection(feature("A", polygon(square(side=SIDE * 1.001))), feature("B", i=1))
    )["area"].remarks


def test_overlaps_are_refused_where_points_are_placed(tmp_path):
    text = collection(feature("A"), feature("B", polygon(square(side=2 * SIDE))))
    assert "overlap by more than 1 % of the smaller one: 'A' and 'B' (100 %)" in refusal(
        tmp_path, text, replace=POINTS
    )


def test_a_mended_outline_keeps_its_area(tmp_path):
    spike = polygon([*square()[:3], [WEST + SIDE, SOUTH + 2 * SIDE], *square()[2:]])
    outline = systems(tmp_path, collection(feature("A", spike)))["area"].boundaries.geometry[0]
    assert outline.is_valid
    assert outline.equals(Polygon(square()))


def test_islands_on_both_sides_of_longitude_180(tmp_path):
    islands = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[179, 52], [180, 52], [180, 53], [179, 52]]],
            [[[-180, 52], [-179, 52], [-179, 53], [-180, 52]]],
        ],
    }
    system = systems(tmp_path, collection(feature("A", islands)))["area"]
    assert not system.remarks
    assert system.boundaries.geometry[0].geom_type == "MultiPolygon"


TREE = '[areas.area.tree]\neast = ["A"]\nwest = ["X"]\n'


def test_codes_and_features_that_lack_each_other(tmp_path):
    agency = write_agency(
        tmp_path, "", COLUMN, (AREA % "").replace('["beat"]', '["district", "beat"]') + TREE
    )
    (tmp_path / "map.geojson").write_text(collection(feature("A"), BEE))
    with pytest.raises(AreaError) as error:
        load_areas(load(agency))
    first, second = str(error.value).splitlines()
    assert (
        "map.geojson draws areas that 'tree' does not name: B; add them to 'tree', or to"
        " 'boundaries.leave_out'" in first
    )
    assert "map.geojson has no feature for areas that 'tree' names: X; add their outlines" in second


def test_features_left_out(tmp_path):
    text = collection(feature("A"), feature("099", {"type": "Point", "coordinates": [0, 0]}))
    system = systems(tmp_path, text, ', leave_out = ["099"]')["area"]
    assert list(system.boundaries["code"]) == ["A"]
    assert "099" not in system.codelist.by_code
    assert "leave_out' names codes that the boundary file does not have: 99" in refusal(
        tmp_path, text, ', leave_out = ["099", "99"]'
    )
    assert "names every feature" in refusal(
        tmp_path, collection(feature("A")), ', leave_out = ["A"]'
    )


def test_padded_codes_are_joined_only_where_the_file_says_so(tmp_path):
    text = collection(feature("001"), feature("1", i=1), feature("0", i=2))
    assert sorted(systems(tmp_path, text)["area"].boundaries["code"]) == ["0", "001", "1"]
    system = systems(tmp_path, text, " }\nstrip_zeros = true #")["area"]
    assert list(system.boundaries["code"]) == ["0", "1"]
    assert "joined into one area: code '1' (feature 1, feature 2)" in system.remarks[0]


def test_names_of_no_area_are_noted(tmp_path):
    system = systems(tmp_path, collection(BEE), extra='[areas.area.names]\nb = "Bee"\n')["area"]
    assert system.remarks == (
        "'names' has names of codes that are no area: b; correct the codes, or take them out",
    )


# --- Coordinates that a file declares ---


def in_feet(*areas):
    """Squares in a grid of Minnesota in feet."""
    return gpd.GeoDataFrame(
        {"c": list(areas)}, geometry=[Polygon(square(i)) for i in range(len(areas))], crs=4326
    ).to_crs(26851)


def same_place(outline, i=0):
    return outline.symmetric_difference(Polygon(square(i))).area < 1e-4 * SIDE**2


def test_a_declared_grid_is_converted(tmp_path):
    frame = in_feet("A", "B")
    features = json.loads(frame.set_crs(None, allow_override=True).to_json(drop_id=True))[
        "features"
    ]
    declared = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::26851"}}
    for text, spec in (
        (collection(*features, crs=declared), ""),
        (collection(*features), ', crs = "EPSG:26851"'),
    ):
        system = systems(tmp_path, text, spec)["area"]
        assert all(same_place(outline, i) for i, outline in enumerate(system.boundaries.geometry))
        assert not system.remarks
    assert "'boundaries.crs' (EPSG:1) names no coordinates" in refusal(
        tmp_path, collection(*features), ', crs = "EPSG:1"'
    )


def test_degrees_under_a_declared_grid(tmp_path):
    message = refusal(tmp_path, collection(BEE), ', crs = "EPSG:26851"')
    assert (
        "look like degrees, while the coordinates are declared as 'NAD83 / Minnesota South (ftUS)'"
        in message
    )


def test_the_agency_file_wins_over_the_file_and_that_is_said(tmp_path):
    features = json.loads(in_feet("A").set_crs(None, allow_override=True).to_json(drop_id=True))[
        "features"
    ]
    wrong = {"type": "name", "properties": {"name": "EPSG:26993"}}
    system = systems(tmp_path, collection(*features, crs=wrong), ', crs = "EPSG:26851"')["area"]
    assert same_place(system.boundaries.geometry[0])
    assert (
        "declares its coordinates as 'NAD83 / Minnesota South'; 'boundaries.crs' says"
        in system.remarks[0]
    )


def test_null_crs_and_wgs84_in_old_style(tmp_path):
    for crs in (None, {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}):
        system = systems(tmp_path, collection(BEE, crs=crs))["area"]
        assert system.boundaries.geometry[0].equals(Polygon(square(1)))
        assert not system.remarks


def test_a_byte_order_mark(tmp_path):
    assert (
        systems(tmp_path, b"\xef\xbb\xbf" + collection(BEE).encode())["area"].boundaries is not None
    )


# --- Shapefiles ---


def shapefile(folder, frame, spec="", drop=(), **options):
    agency = write_agency(
        folder, "id,at,type,beat\n", COLUMN, (AREA % spec).replace("map.geojson", "map.shp")
    )
    frame.to_file(folder / "map.shp", **options)
    for ending in drop:
        (folder / f"map.{ending}").unlink()
    return agency


def degrees(*codes, **columns):
    return gpd.GeoDataFrame(
        {"c": list(codes), **columns},
        geometry=[Polygon(square(i)) for i in range(len(codes))],
        crs=4326,
    )


def test_a_shapefile_in_a_declared_grid(tmp_path):
    system = load_areas(load(shapefile(tmp_path, in_feet("001", "A"))))["area"]
    assert list(system.boundaries["code"]) == ["001", "A"]
    assert all(same_place(outline, i) for i, outline in enumerate(system.boundaries.geometry))
    assert not system.remarks


def test_a_shapefile_without_prj(tmp_path):
    with pytest.raises(
        AreaError,
        match=r"map.shp: outside longitude -180 to 180 .* feature 1 \(code 'A', x .*crs = ",
    ):
        load_areas(load(shapefile(tmp_path / "feet", in_feet("A"), drop=["prj"])))
    system = load_areas(
        load(shapefile(tmp_path / "told", in_feet("A"), ', crs = "EPSG:26851"', drop=["prj"]))
    )["area"]
    assert same_place(system.boundaries.geometry[0])
    system = load_areas(load(shapefile(tmp_path / "degrees", degrees("A"), drop=["prj"])))["area"]
    assert "no file map.prj beside it" in system.remarks[0]


def test_a_prj_that_nobody_understands(tmp_path):
    agency = shapefile(tmp_path, degrees("A"))
    (tmp_path / "map.prj").write_text("LOCAL GRID")
    with pytest.raises(AreaError, match=r"map.shp: map.prj names no coordinates that are known"):
        load_areas(load(agency))


@pytest.mark.parametrize("ending", ["shx", "dbf"])
def test_a_shapefile_that_lost_a_part(tmp_path, ending):
    with pytest.raises(AreaError, match=f"map.{ending} is not beside it"):
        load_areas(load(shapefile(tmp_path, degrees("A"), drop=[ending])))


def test_a_null_among_numbers_leaves_the_others_whole(tmp_path):
    """A library that has no null for whole numbers makes 9.0 of 9."""
    with pytest.raises(AreaError) as error:
        load_areas(
            load(shapefile(tmp_path / "refused", degrees(9, 10, None).astype({"c": "Int64"})))
        )
    assert (
        str(error.value)
        == "agency.toml: [areas.area]: map.shp: no code in the property 'c': feature 3; write it"
        " there, or take the feature out of the file"
    )
    system = load_areas(load(shapefile(tmp_path / "whole", degrees(9, 10).astype({"c": "Int64"}))))[
        "area"
    ]
    assert list(system.boundaries["code"]) == ["9", "10"]
    assert not system.remarks


def test_lines_and_truncated_records_in_a_shapefile(tmp_path):
    lines = gpd.GeoDataFrame({"c": ["A"]}, geometry=[LineString(square())], crs=4326)
    with pytest.raises(
        AreaError, match=r"map.shp: not an area .*feature 1 \(code 'A', it is a LineString\)"
    ):
        load_areas(load(shapefile(tmp_path / "lines", lines)))
    agency = shapefile(tmp_path / "cut", degrees("A", "B"))
    whole = (tmp_path / "cut/map.shp").read_bytes()
    (tmp_path / "cut/map.shp").write_bytes(whole[:-40])
    with pytest.raises(AreaError, match=r"no outline .*feature 2 \(code 'B'\)"):
        load_areas(load(agency))


def test_an_open_ring_in_a_shapefile(tmp_path):
    """Written by hand, as no library would."""
    agency = shapefile(tmp_path, degrees("A"))
    data = bytearray((tmp_path / "map.shp").read_bytes())
    assert struct.unpack("<2d", data[-16:]) == tuple(square()[0])
    data[-16:] = struct.pack("<2d", WEST + SIDE / 2, SOUTH)
    (tmp_path / "map.shp").write_bytes(data)
    with pytest.raises(AreaError, match=r"a ring that is not closed .*feature 1 \(code 'A'\)"):
        load_areas(load(agency))


def test_letters_whose_encoding_nothing_tells(tmp_path):
    for folder, encoding in (("latin", "ISO-8859-1"), ("utf", "UTF-8")):
        agency = shapefile(
            tmp_path / folder,
            degrees("A", n=["Montréal"]),
            ', name = "n"',
            drop=["cpg"],
            encoding=encoding,
        )
        with pytest.raises(AreaError, match=r"map.cpg"):
            load_areas(load(agency))
        (tmp_path / folder / "map.cpg").write_text(encoding)
        assert load_areas(load(agency))["area"].codelist.by_code["A"].label.en == "Montréal"


def test_other_formats_are_refused(tmp_path):
    agency = write_agency(tmp_path, "", COLUMN, (AREA % "").replace("map.geojson", "map.zip"))
    (tmp_path / "map.zip").write_bytes(b"PK")
    with pytest.raises(
        AreaError, match=r"map.zip: a file that ends in '.zip' is neither GeoJSON .* unpack it"
    ):
        load_areas(load(agency))


def test_a_file_that_is_not_there(tmp_path):
    agency = write_agency(tmp_path, "", COLUMN, AREA % "")
    with pytest.raises(
        AreaError, match=r"map.geojson: there is no such file .*check 'boundaries.path'"
    ):
        load_areas(load(agency))


def test_the_box_of_each_country_holds_its_cities():
    places = {
        "US": [
            (-93.2, 44.9),
            (-157.8, 21.3),
            (-149.9, 61.2),
            (-66.1, 18.4),
            (144.8, 13.5),
            (-170.7, -14.3),
        ],
        "CA": [(-79.4, 43.7), (-135.1, 60.7)],
    }
    for country, listed in places.items():
        for x, y in listed:
            assert _in_country(box(x - 0.1, y - 0.1, x + 0.1, y + 0.1), country)
            assert not _in_country(box(y - 0.1, x - 0.1, y + 0.1, x + 0.1), country)
