"""How calls and outlines fit: told in private by `check` and the build report; what is published
does not follow it."""

import json

import pytest

from anonymize.cli import main
from anonymize.pipeline import read_inputs
from tests.agency import answer, build, write_agency
from tests.boundary_files import (
    AREA,
    BY_AREA,
    COLUMN,
    POINTS,
    SIDE,
    SOUTH,
    WEST,
    collection,
    feature,
)

BEE = feature("B", i=1)


def checked(
    tmp_path, capsys, rows, *features, replace=None, tables=BY_AREA, spec="", header="beat"
):
    """What `check` prints of areas, and its exit code."""
    text = f"id,at,type,{header}\n" + "".join(
        f"{i},2024-0{1 + i % 6}-05,Crisis,{row}\n" for i, row in enumerate(rows)
    )
    agency = write_agency(tmp_path, text, replace or COLUMN, AREA % spec + tables)
    (tmp_path / "map.geojson").write_text(collection(*features))
    code = main(["check", str(agency), "--private", str(tmp_path / "private"), "--quiet"])
    shown = capsys.readouterr()
    return (
        code,
        shown.out.partition("Areas and their outlines:")[2].partition("\n\n")[0] + shown.err,
    )


def test_check_says_how_calls_and_outlines_fit(tmp_path, capsys):
    code, text = checked(
        tmp_path, capsys, ["A", "A", "-", ""], feature("A"), BEE, feature(3.0, i=2)
    )
    assert code == 0
    assert "[areas.area], 3 outlines in map.geojson:" in text
    assert "map.geojson: a whole number with decimals as a code: feature 3 (code '3')" in text
    assert "outlines that no call names: 2 of 3: 3, B; if calls did come from there" in text
    assert "calls in no outline: 2 without a known area, of 4" in text


def test_check_is_short_where_all_fits(tmp_path, capsys):
    _code, text = checked(tmp_path, capsys, ["A", "B"], feature("A"), BEE)
    assert (
        text.split("\n    ")[1].strip()
        == "each outline is named by a call, and each call names an outline"
    )


def test_calls_with_a_code_that_has_no_outline(tmp_path, capsys):
    code, text = checked(tmp_path, capsys, ["A", "9.0"], feature("A"), feature(9, i=1))
    assert code == 4
    assert '"9.0" = ""' in text


def test_calls_of_a_coarser_area(tmp_path, capsys):
    extra = 'coarse_values = true\n[areas.area.tree]\neast = ["A", "B"]\n' + BY_AREA
    agency_text = 'levels = ["district", "beat"]'
    text = (
        "id,at,type,beat\n1,2024-01-05,Crisis,east\n2,2024-01-05,Crisis,A\n3,2024-01-05,Crisis,\n"
    )
    agency = write_agency(
        tmp_path, text, COLUMN, (AREA % "").replace('levels = ["beat"]', agency_text) + extra
    )
    (tmp_path / "map.geojson").write_text(collection(feature("A"), BEE))
    assert main(["check", str(agency), "--private", str(tmp_path / "private"), "--quiet"]) == 0
    assert (
        "calls in no outline: 1 without a known area and 1 of a coarser area only, of 3"
        in capsys.readouterr().out
    )


def test_check_counts_where_points_lie(tmp_path, capsys):
    inside = f"{WEST + SIDE / 2},{SOUTH + SIDE / 2}"
    rows = [
        inside,
        inside,
        "0,0",
        "2690000,235000",
        "-,-",
        f"{WEST},",
        '"-93,3",44.9',
        "nan,inf",
        "-93.3x,1",
    ]
    code, text = checked(tmp_path, capsys, rows, feature("A"), replace=POINTS, header="x,y")
    assert code == 0
    assert (
        "points of rows: 2 in an outline, 1 outside all outlines, 1 outside -180 to 180 and -90 to"
        " 90, 3 not two numbers, 2 blank;" in text
    )
    assert "calls in no outline: 7 without a known area, of 9" in text


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [f"{SOUTH + SIDE / 2},{WEST + SIDE / 2}", "0,0"],
            "with longitude and latitude swapped some do; exchange the columns",
        ),
        (["2690000,235000", "2690001,235000"], "feet or metres of a projected grid"),
        (['"44,9","-93,2"', ","], "not one point is two numbers"),
        (["0,0"], "check that 'lon' and 'lat' name the right columns"),
    ],
)
def test_points_of_which_none_lies_in_an_outline(tmp_path, capsys, rows, words):
    code, text = checked(tmp_path, capsys, rows, feature("A"), replace=POINTS, header="x,y")
    assert code == 4
    assert (
        f"not one of {len(rows)} different points lies in an outline of 'area'" in text
        or "not one point" in words
    )
    assert words in text
    assert "2690000" not in text and str(SOUTH + SIDE / 2) not in text


def test_points_counted_where_an_unknown_area_rejects_the_call(tmp_path, capsys):
    inside = f"{WEST + SIDE / 2},{SOUTH + SIDE / 2}"
    code, text = checked(
        tmp_path,
        capsys,
        [inside, inside, "0,0"],
        feature("A"),
        replace=POINTS,
        header="x,y",
        spec=" }\nunknown = false #",
    )
    assert code == 0
    assert "points of rows: 2 in an outline, 1 outside all outlines;" in text


def test_outlines_that_no_table_has_are_not_published(tmp_path, capsys):
    rows = ["A", "B"] * 40
    code, text = checked(tmp_path, capsys, rows, feature("A"), BEE, tables="")
    assert code == 0
    assert "no table has these areas, so the outlines are not published" in text
    build(read_inputs(tmp_path / "agency.toml"), tmp_path / "out", tmp_path / "private")
    assert not list((tmp_path / "out").glob("*.geojson"))


def test_published_outlines_do_not_follow_the_calls(tmp_path, capsys):
    """An outline without calls is published like any other, and that it has none is told in private
    alone."""
    made = []
    for folder, rows in (("one", ["A"] * 80), ("two", ["A", "B"] * 40)):
        checked(tmp_path / folder, capsys, rows, feature("A"), BEE)
        build(
            read_inputs(tmp_path / folder / "agency.toml"),
            tmp_path / folder / "out",
            tmp_path / folder / "private",
        )
        made.append((tmp_path / folder / "out/areas.geojson").read_bytes())
        for path in (tmp_path / folder / "out").rglob("*"):
            assert path.is_dir() or b"no call names" not in path.read_bytes()
    assert made[0] == made[1]
    assert [f["properties"]["code"] for f in json.loads(made[0])["features"]] == ["A", "B"]


def test_the_build_report_says_it_too(tmp_path, capsys):
    checked(tmp_path, capsys, ["A"] * 80, feature("A"), BEE)
    answer(tmp_path / "agency.toml")
    main(
        [
            "build",
            str(tmp_path / "agency.toml"),
            "--out",
            str(tmp_path / "out"),
            "--private",
            str(tmp_path / "private"),
            "--quiet",
        ]
    )
    assert (
        "outlines that no call names: 1 of 2: B"
        in (tmp_path / "private/build_report.txt").read_text()
    )


@pytest.mark.parametrize("rows", [[], [","], ["-,-", ","]])
def test_no_points_at_all(tmp_path, capsys, rows):
    code, text = checked(tmp_path, capsys, rows, feature("A"), replace=POINTS, header="x,y")
    assert (code, "0 in an outline" in text) == ((0, True) if rows else (3, False))


def test_codes_that_differ_in_case_stay_apart(tmp_path, capsys):
    checked(tmp_path, capsys, ["A", "a", "a "] * 40, feature("A"), feature("a", i=1))
    build(read_inputs(tmp_path / "agency.toml"), tmp_path / "out", tmp_path / "private")
    assert {"A,40,published", "a,80,published"} <= set(
        (tmp_path / "out/tables/by_area.csv").read_text().splitlines()
    )
