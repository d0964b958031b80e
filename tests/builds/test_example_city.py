"""The example city as it is made: its outlines follow the standard for maps."""

from anonymize.areas.geojson import public_geojson
from tests.unit.test_geojson import check_rfc7946, published


def test_its_outlines_follow_the_standard(example_exports, tmp_path):
    outlines = published(example_exports / "beats.geojson", "beat", tmp_path).boundaries
    assert len(check_rfc7946(public_geojson(outlines))) == 16
