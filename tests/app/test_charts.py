"""Every chart of the site keeps to the schema of Vega-Lite: charts are made without the checks that
Altair makes at each part (`dashboard.figures.charts`)."""

from __future__ import annotations

import altair as alt
import numpy as np
import pytest
from altair.utils.schemapi import SchemaValidationError

from dashboard.figures import charts
from dashboard.figures.figure import Figure
from dashboard.figures.theme import DARK, LIGHT
from dashboard.text import language
from tests.paper import published_figures


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    """All charts and flat maps of all pages of the example city, each once."""
    found = published_figures()
    return list({figure.drawn: figure for figure in found if figure.chart}.values())


@pytest.mark.parametrize(("colours", "narrow"), [(LIGHT, False), (DARK, True)])
def test_every_chart_keeps_to_the_schema(figures, colours, narrow):
    assert len(figures) > 80
    with language.speaking("en"):
        for figure in figures:
            figure.chart(colours=colours, narrow=narrow).to_dict(validate=True)


def test_a_chart_that_breaks_the_schema_is_seen(figures):
    with language.speaking("en"):
        chart = figures[0].chart(colours=LIGHT)
    chart.layer[0].encoding.x = alt.X("value:Q", scale=alt.Scale(domain="wide"))
    with pytest.raises(SchemaValidationError):
        chart.to_dict(validate=True)


@pytest.mark.parametrize("width", [charts.NARROW_PLOT, charts.WIDE_PLOT])
def test_names_of_events_never_touch(width):
    rng = np.random.default_rng(7)
    for _ in range(300):
        places = int(rng.integers(2, 40))
        at = sorted({int(i) for i in rng.integers(0, places, int(rng.integers(1, 7)))})
        names = {place: "A" + " new funding" * int(rng.integers(0, 2)) for place in at}
        spans = []
        for place, named in charts._lines_of_names(names, places, width).items():
            x = width * (place + 0.5) / places
            wide = charts.NAME_LETTER * len(names[place])
            start = x - {"left": 0.0, "center": 0.5, "right": 1.0}[named.align] * wide
            assert start >= -10 and start + wide <= width + 10, "within the plot"
            assert named.line or start >= charts.AXIS_TITLE - 10, "clear of the axis's title"
            spans.append((named.line, start, start + wide))
        for i, (line, start, end) in enumerate(spans):
            for other, begin, close in spans[i + 1 :]:
                assert line != other or end <= begin or close <= start


def test_a_month_that_is_not_whole_stands_apart_from_lines():
    series = [("slow", [("Jan 24", 30.0), ("Feb 24", 31.0), ("Mar 24", 9.0)])]
    drawn = charts.lines(series, "Minutes", LIGHT, words={"Mar 24": "part"})
    chart = drawn.to_dict(validate=False)
    rows = list(chart["datasets"].values())
    line = next(layer for layer in chart["layer"] if layer.get("mark", {}).get("type") == "line")
    joined = chart["datasets"][line["data"]["name"]]
    assert [row["value"] for row in joined] == [30.0, 31.0, None]
    hollow = [
        layer
        for layer in chart["layer"]
        if layer.get("mark", {}).get("type") == "point" and "fill" in layer["mark"]
    ]
    assert len(hollow) == 1
    assert [row["x"] for row in chart["datasets"][hollow[0]["data"]["name"]]] == ["Mar 24"]
    assert any(row.get("word") == "part" for listed in rows for row in listed)
    assert not any(row.get("text") == "9" for listed in rows for row in listed), "no end of it"
