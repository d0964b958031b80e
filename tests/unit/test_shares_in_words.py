"""A share or rate that is not nought is never written as nought, nor one that is not all as all: in
no table, label, text or file."""

from __future__ import annotations

import re

import pytest

from dashboard.figures import charts
from dashboard.figures.figure_kinds import share_tables
from dashboard.figures.theme import LIGHT
from dashboard.numbers.cells import Point, Rate, Share
from dashboard.text import language
from tests.conftest import ROOT


@pytest.fixture(params=["en", "es"], autouse=True)
def reader(request):
    language.use(request.param)
    yield request.param
    language.use("en")


def test_worked_values():
    shares = (0.0, 0.004, 0.0004, 0.00004, 0.0049, 0.2, 0.994, 0.996, 0.9996, 1.0, 1.004, -0.004)
    expected = [
        "0%",
        "0.4%",
        "0.04%",
        "0.004%",
        "0.5%",
        "20%",
        "99%",
        "99.6%",
        "99.96%",
        "100%",
        "100.4%",
        "-0.4%",
    ]
    assert [language.percent(share) for share in shares] == expected
    assert [language.percent(share, 6) for share in (0.005, 0.125, 0.3, 1 / 3)] == [
        "0.5%",
        "12.5%",
        "30%",
        "33.3333%",
    ]
    values = (0.0, 0.04, 0.033, 12.34, 1234.56, -0.01)
    assert [language.rounded(value) for value in values] == [
        "0",
        "0.04",
        "0.03",
        "12.3",
        "1,234.6",
        "-0.01",
    ]
    assert [language.rounded(value, 0) for value in (0.4, 0.6, 1234.5)] == ["0.4", "1", "1,234"]


def test_no_share_of_whole_numbers_is_nought_or_all_but_none_and_all():
    for whole in (30, 199, 200, 201, 1_000, 99_999, 3_000_000):
        for part in {
            0,
            1,
            2,
            whole // 200,
            whole // 199,
            whole // 2,
            whole - whole // 200,
            whole - 2,
            whole - 1,
            whole,
        }:
            words = language.percent(part / whole)
            assert (words == "0%") == (part == 0), (part, whole, words)
            assert (words == "100%") == (part == whole), (part, whole, words)
            assert abs(float(words.rstrip("%")) / 100 - part / whole) <= 0.005 + 1e-12


def test_noise_of_the_machine_is_none_or_all():
    assert language.percent(1e-18) == "0%"
    assert language.percent(1 - 1e-16) == "100%"
    assert language.rounded(-1e-17) == "0"


def shares() -> list[Share]:
    return [
        Share(
            str(part),
            f"place {part}",
            Point(str(part), "", part, "published"),
            Point("all", "", 1_000, "published"),
        )
        for part in (4, 0, 996, 1_000, 500)
    ]


def test_tables_labels_and_texts_follow_one_rule():
    """A table with its likely ranges, the label of a bar, the label of a dot, the text for readers
    who do not see the chart."""
    listed = shares()
    shown, _data = share_tables(listed, "place", {})
    assert [cell.split(",")[0] for cell in shown.iloc[:, 1]] == [
        "0.4%",
        "0%",
        "99.6%",
        "100%",
        "50%",
    ]
    ranges = list(shown.iloc[:, 4])
    assert ranges[0].startswith("0.2% "), ranges
    assert not [words for words in ranges[:1] + ranges[2:3] if re.match(r"0% | 100%$", words)]
    for draw in (charts.share_bars, charts.dots):
        drawn = str(draw(listed, LIGHT).to_dict()["datasets"])
        assert ": 0.4%" in drawn
        assert ": 99.6%" in drawn
    lowest = charts.describe("Bar chart", "x", "2025", [listed[0], listed[4]])
    assert "0.4%" in lowest
    assert " 0%" not in lowest


def test_rare_events_keep_their_rate():
    rate = Rate("x", "x", Point("x", "x", 1, "published"), Point("x", "x", 40_000, "published"))
    assert rate.shown == "0.03"
    none = Rate("x", "x", Point("x", "x", 0, "published"), Point("x", "x", 40_000, "published"))
    assert none.shown == "0"


def test_per_cents_are_written_in_one_place():
    for folder in ("dashboard", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "language.py":
                source = path.read_text()
                assert "format_percent" not in source, path
                assert not re.search(r":\.\d%\}|number\(round\([^()]*, 1\)", source), path
