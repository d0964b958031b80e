"""A picture that is kept is shown again only where everything drawn is the same."""

from __future__ import annotations

import hashlib
import io
import json
import re
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from dashboard.app import streamlit_surface
from dashboard.export import chart_image
from dashboard.figures import charts, maps
from dashboard.figures.figure import Figure, seen
from dashboard.figures.theme import DARK, LIGHT
from dashboard.numbers.cells import Point
from dashboard.release.current import all_releases
from dashboard.release.reader import Release, load_release
from dashboard.site import static
from dashboard.text import language
from tests.agency import make, write_agency
from tests.paper import published_figures

POINTS = (
    Point("2024-01", "January", 20, "published"),
    Point("2024-02", "February", 30, "published"),
)


@pytest.fixture(autouse=True)
def english():
    language.use("en")
    yield
    language.use("en")


def figure(draw=None, outlines=None) -> Figure:
    """A figure whose title, table and rows never differ; only what is drawn does."""
    table = pd.DataFrame({"Month": ["January", "February"], "Calls": ["20", "30"]})
    return Figure("calls", "Calls", "Line chart", table, table, ("calls",), draw=draw, map=outlines)


def trend(points=POINTS, unit="Calls", **more) -> Figure:
    return figure(partial(charts.trend, points, unit, **more))


def area(
    east: float, label="Here", classes=("0-9", "10 or more"), hatched="withheld", rank=1, words="30"
) -> Figure:
    frame = gpd.GeoDataFrame({"code": ["a"]}, geometry=[box(0, 0, east, 1)], crs=4326)
    return figure(
        outlines=maps.Map(frame, {"a": maps.Place("a", label, rank, words)}, classes, hatched)
    )


PAIRS = {
    "values": (trend(), trend((replace(POINTS[0], value=21), POINTS[1]))),
    "labels": (trend(), trend((replace(POINTS[0], code="I", label="Enero"), POINTS[1]))),
    "statuses": (trend(), trend((replace(POINTS[0], status="incomplete"), POINTS[1]))),
    "unit": (trend(), trend(unit="Contacts")),
    "kind of chart": (trend(), figure(partial(charts.bars, POINTS))),
    "events": (trend(), trend(events={"2024-01": "A"})),
    "place of an event": (trend(events={"2024-01": "A"}), trend(events={"2024-02": "A"})),
    "order of a list": (trend(), trend(POINTS[::-1])),
    "outlines": (area(1), area(1.5)),
    "classes of a map": (area(1), area(1, classes=("0-9", "10-99"))),
    "class of an area": (area(1), area(1, rank=0)),
    "hatching of an area": (area(1), area(1, rank=None)),
    "words of hatching": (area(1, rank=None), area(1, rank=None, hatched="too few")),
    "words of an area": (area(1), area(1, words="31")),
}
"""What two figures differ in that are alike in page, title, note, table and rows."""


@pytest.mark.parametrize("kind", PAIRS)
def test_figures_that_draw_other_things_are_other_pictures(kind):
    one, other = PAIRS[kind]
    assert one.table.equals(other.table)
    assert one.drawn != other.drawn
    assert seen(one, LIGHT) != seen(other, LIGHT)
    if kind != "words of an area":  # the flat map has no tooltips
        assert chart_image.chart_svg(one, 300) != chart_image.chart_svg(other, 300)
    kept = streamlit_surface._deck if one.map else streamlit_surface._specification
    assert kept(seen(one, LIGHT, 300)) is not kept(seen(other, LIGHT, 300))


@pytest.mark.parametrize("make_one", [trend, partial(area, 1)], ids=["chart", "map"])
def test_figures_that_draw_the_same_share_a_picture(make_one):
    one, other = make_one(), make_one()
    assert one is not other
    assert seen(one, LIGHT, 300) == seen(other, LIGHT, 300)
    kept = streamlit_surface._deck if one.map else streamlit_surface._specification
    assert kept(seen(one, LIGHT, 300)) is kept(seen(other, LIGHT, 300))
    before = chart_image._drawn.cache_info()
    chart_image.chart_svg(one, 300)
    chart_image.chart_svg(other, 300)
    assert chart_image._drawn.cache_info().hits > before.hits


def test_language_theme_and_width_are_part_of_the_key():
    one = trend()
    english = seen(one, LIGHT)
    assert seen(one, DARK) != english
    assert seen(one, LIGHT, 300) != english
    drawn = chart_image.chart_svg(one, 300)
    assert "Jan 24" in drawn
    language.use("es")
    assert seen(one, LIGHT) != english
    assert "ene 24" in chart_image.chart_svg(one, 300)


def test_what_cannot_be_told_apart_is_refused():
    calls = list(POINTS)
    with pytest.raises(TypeError, match="plain values"):
        figure(lambda *, colours: charts.bars(calls, colours)).drawn  # noqa: B018
    with pytest.raises(TypeError, match="plain values"):
        figure(partial(charts.bars, object())).drawn  # noqa: B018


def test_every_figure_of_every_page_can_be_told_from_others():
    """The charts of all pages that differ have keys that differ, and those with one key are one
    chart."""
    found: dict[str, set[str]] = {}
    for one in published_figures():
        if one.chart:
            found.setdefault(one.drawn, set()).add(chart_image._chart(seen(one, LIGHT)))
    assert len(found) > 60
    assert all(len(drawn) == 1 for drawn in found.values())
    assert len(set.union(*found.values())) == len(found)


def _outlines(side: float, apart: float) -> str:
    def ring(west: float) -> list[list[float]]:
        return [
            [west, 44.9],
            [west + side, 44.9],
            [west + side, 44.9 + side],
            [west, 44.9 + side],
            [west, 44.9],
        ]

    features = [
        {
            "type": "Feature",
            "properties": {"c": code},
            "geometry": {"type": "Polygon", "coordinates": [ring(west)]},
        }
        for code, west in (("a", -93.2), ("b", -93.2 + side + apart))
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory) -> list[Release]:
    """Two releases with the same counts and words; the second moves an outline."""
    folder = tmp_path_factory.mktemp("redrawn")
    calls = "id,at,type,zone\n" + "".join(
        f"{i},2024-02-{1 + i % 28:02d} 10:00:00,Crisis,{'a' if i % 3 else 'b'}\n"
        for i in range(120)
    )
    section = (
        '\n[areas.area]\nname="Area"\nall="All"\nlevels=["zone"]\nunknown=false\n'
        'boundaries={ path="b.geojson", code="c" }\n[[tables]]\nname="by_area"\ntitle="By area"\n'
        'dimensions={ area=["all","zone"] }\n'
    )
    where = {'call_type = "type"\n\n': 'call_type = "type"\narea = "zone"\n\n'}
    second = {
        'version = "2024.1"': 'version = "2024.2"\nkind = "correction"\nreason = "New outlines."',
        "created = 2024-07-01": "created = 2024-08-01",
    }
    for more, drawn in (({}, _outlines(0.03, 0)), (second, _outlines(0.01, 0.05))):
        (folder / "b.geojson").write_text(drawn)
        with redirect_stdout(io.StringIO()):
            assert (
                make(
                    write_agency(folder, calls, where | more, section),
                    folder / "out",
                    folder / "private",
                )
                == 0
            )
    return all_releases(load_release(folder / "out"), load_release)


def test_a_release_that_redraws_outlines_alone_has_pictures_of_its_own(redrawn, tmp_path: Path):
    assert redrawn[0].tables["by_area"].cells.equals(redrawn[1].tables["by_area"].cells)
    digests = set()
    for release in redrawn:
        folder = static.Folder(release, redrawn, tmp_path / release.version, "en")
        static._written(folder, "coverage", {})
        (name,) = (n for n in folder.names if re.fullmatch(r"coverage-map-.*-672\.svg", n))
        digests.add(hashlib.sha256(folder.names[name]).hexdigest())
    assert len(digests) == 2
