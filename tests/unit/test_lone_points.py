"""A value between two that are withheld is drawn: each value of a line has a point of its own, in
every palette."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from functools import partial

import pytest
import vl_convert

from dashboard.figures import charts
from dashboard.figures.theme import DARK, LIGHT, contrast
from dashboard.numbers.cells import Point
from dashboard.text import language

MONTHS = tuple(f"2024-{i:02d}" for i in range(1, 13))
LONE = (12, None, 15, None, 18, None, 20, None, 16, None, 14, None)
MIXED = (20, 21, None, 24, 23, 22, None, 25, None, None, 21, 22)
POINT = "mark-symbol role-mark"


def groups(chart) -> list[tuple[float, str, str, int]]:
    """Of each point drawn: its place from the left, its fill and stroke, and its path."""
    root = ET.fromstring(vl_convert.vegalite_to_svg(json.dumps(chart.to_dict(validate=False))))
    found = []
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if POINT in group.get("class", "") and "legend" not in group.get("class", ""):
            for path in group.iter("{http://www.w3.org/2000/svg}path"):
                place = re.match(r"translate\(([\d.]+),", path.get("transform", ""))
                assert place is not None
                found.append(
                    (
                        float(place[1]),
                        path.get("fill", "none"),
                        path.get("stroke", "none"),
                        len(path.get("d", "")),
                    )
                )
    return found


@pytest.fixture(autouse=True)
def english():
    language.use("en")


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_each_value_of_each_line_has_a_point(colours):
    series = [
        (name, list(zip(MONTHS, (None if v is None else float(v) for v in values), strict=True)))
        for name, values in (("9 in 10 within", MIXED), ("half within", LONE))
    ]
    points = groups(charts.lines(series, "Minutes", colours))
    for tint, values in ((colours.mark, MIXED), (colours.accent, LONE)):
        mine = [at for at, fill, _stroke, size in points if fill == tint and size]
        assert len(mine) == len(set(mine)) == sum(v is not None for v in values)
        assert contrast(tint, colours.background) >= 3


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_each_value_of_a_trend_has_a_point_and_a_part_month_a_hollow_one(colours):
    points = [
        Point(m, m, v, "suppressed" if v is None else "published")
        for m, v in zip(MONTHS, LONE, strict=True)
    ]
    points[-1] = Point(MONTHS[-1], MONTHS[-1], 9, "incomplete")
    drawn = groups(charts.trend(points, "Calls", colours))
    assert len([at for at, fill, _stroke, size in drawn if fill == colours.mark and size]) == 6
    assert (
        len(
            [
                at
                for at, fill, stroke, size in drawn
                if (fill, stroke) == (colours.background, colours.mark) and size
            ]
        )
        == 1
    )


def test_a_line_without_any_value_is_still_a_chart():
    chart = charts.lines([("half within", [(m, None) for m in MONTHS])], "Minutes", LIGHT)
    assert groups(chart) == []
    assert (
        groups(
            partial(charts.trend, [Point(m, m, None, "suppressed") for m in MONTHS], "Calls")(
                colours=LIGHT
            )
        )
        == []
    )


def test_more_lines_than_inks_are_all_told_apart():
    """With five or more, inks come again with other dashes."""
    series = [(f"s{i}", [("2024", float(i)), ("2025", float(i + 1))]) for i in range(9)]
    for narrow in (False, True):
        scales = charts.lines(series, "Calls", LIGHT, narrow=narrow).to_dict()["layer"][0][
            "encoding"
        ]
        looks = set(
            zip(
                map(str, scales["strokeDash"]["scale"]["range"]),
                scales["color"]["scale"]["range"],
                strict=True,
            )
        )
        assert len(looks) == 9
