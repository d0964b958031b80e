"""Small boundary files for tests: squares in Minneapolis."""

import json

WEST, SOUTH, SIDE = -93.3, 44.9, 0.01
AREA = (
    '[areas.area]\nname = "Area"\nall = "All"\nlevels = ["beat"]\n'
    'boundaries = { path = "map.geojson", code = "c"%s }\n'
)
BY_AREA = (
    '[[tables]]\nname = "by_area"\ntitle = "By area"\ndimensions = { area = ["all", "beat"] }\n'
)
COLUMN = {'call_type = "type"': 'call_type = "type"\narea = "beat"'}
POINTS = {'call_type = "type"': 'call_type = "type"\nlon = "x"\nlat = "y"'}


def square(i=0, side=SIDE):
    """The closed ring of the i-th of a row of squares in Minneapolis."""
    west = WEST + i * SIDE
    return [
        [west, SOUTH],
        [west + side, SOUTH],
        [west + side, SOUTH + side],
        [west, SOUTH + side],
        [west, SOUTH],
    ]


def polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code, geometry=None, i=0, **more):
    return {
        "type": "Feature",
        "properties": {"c": code, **more},
        "geometry": polygon(square(i)) if geometry is None else geometry,
    }


def collection(*features, **more):
    return json.dumps({"type": "FeatureCollection", **more, "features": list(features)})
