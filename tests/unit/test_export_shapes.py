"""Shapes of exports that the agency file can describe: each row is a call, or left out on purpose,
or rejected, and all add up."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter

import pytest
from pyproj import Transformer

from anonymize.errors import MappingError, SchemaError, SourceError
from anonymize.portrait.tally_text import tally_text
from tests import boundary_files
from tests.agency import calls_of, tally_of, write_agency
from tests.boundary_files import SIDE, SOUTH, WEST, collection, feature

AT = "2024-02-05 10:00"


def adds_up(tally):
    return tally.rows == tally.counted + tally.repeated + sum(tally.left_out.values()) + sum(
        tally.rejected.values()
    )


def codes(agency, field="call_type"):
    return dict(Counter(call[field] for call in calls_of(agency)))


# Rows to keep

WHERE = '\n[calls.where]\nnature = ["MH*", "welfare  check"]\n'


def test_rows_that_where_leaves_out_are_counted_and_said(tmp_path):
    natures = ["MH CRISIS", "mh-juvenile", "WELFARE CHECK", "Theft", "", "TRAFFIC"]
    # Whatever stands in rows that are left out is no matter: a blank id, a time that is none, a
    # value that nothing maps.
    rows = "id,at,type,nature\n" + "".join(
        (f"{i},{AT},Crisis," if i % 6 < 3 else ",99/99,NOISE,") + f"{natures[i % 6]}\n"
        for i in range(600)
    )
    limit = {"reject_limit_percent = 100": "reject_limit_percent = 0"}
    agency = write_agency(tmp_path, rows, limit, WHERE)
    tally = tally_of(agency)
    assert (tally.rows, tally.counted, tally.left_out, tally.rejected) == (
        600,
        300,
        {"not_kept": 300},
        {},
    )
    assert adds_up(tally)
    assert "left out on purpose: 300, not among those that [calls.where] keeps" in tally_text(tally)
    assert (tmp_path / "private/rejects.csv").read_text().count("\n") == 1
    assert codes(agency) == {"crisis": 300}


def test_the_limit_is_a_share_of_the_rows_that_are_kept(tmp_path):
    rows = "id,at,type,nature\n" + "".join(
        f"{i},{'no time' if i == 0 else AT},Crisis,{'MH' if i < 10 else 'THEFT'}\n"
        for i in range(1000)
    )
    with pytest.raises(SourceError, match="1 of 10 rows cannot be used"):
        tally_of(
            write_agency(
                tmp_path, rows, {"reject_limit_percent = 100": "reject_limit_percent = 5"}, WHERE
            )
        )


def test_where_keeps_rows_with_any_value_of_several_columns(tmp_path):
    rows = "id,at,type,nature,unit\n" + "".join(
        f"{i},{AT},Crisis,{'MH' if i % 2 else 'X'},{'C1' if i % 3 else ''}\n" for i in range(60)
    )
    tally = tally_of(
        write_agency(tmp_path, rows, {}, '\n[calls.where]\nnature = "MH"\nunit = "*"\n')
    )
    assert (tally.counted, tally.left_out) == (20, {"not_kept": 40})


def test_a_value_of_where_that_no_row_has_is_said(tmp_path):
    """A typing error there would leave calls out without a word. A value whose rows another column
    leaves out is no error."""
    where = '[calls.where]\ntype = ["Crisis", "CRISSIS*"]\nid = ["1", "7"]\n[calls.time]'
    rows = f"id,at,type\n1,{AT},Crisis\n7,{AT},Check\n"
    tally = tally_of(write_agency(tmp_path, rows, {"[calls.time]": where}))
    assert tally.counted == 1
    assert tally.idle_filters == (("type", "CRISSIS*"),)
    assert (
        "[calls.where]: no row has 'CRISSIS*' in the column 'type'; correct the value, or take it"
        " out." in tally_text(tally)
    )


def test_where_without_any_row_says_so(tmp_path):
    rows = f"id,at,type,nature\n1,{AT},Crisis,THEFT\n"
    with pytest.raises(
        SourceError,
        match=(
            r"no call is left to count; 1 because they are not among those that \[calls.where\]"
            r" keeps"
        ),
    ):
        tally_of(write_agency(tmp_path, rows, {}, WHERE))


# Rows that stand for several calls


def test_counted_rows_are_so_many_calls(tmp_path):
    rows = (
        f'at,type,n\n{AT},Crisis,3\n{AT},Check,"1,200"\n{AT},Crisis,0\n'
        f"{AT},Check,two\n{AT},Check,\n2023-01-01,Check,4\n"
    )
    replace = {'call_id = "id"\n': "", 'paths = "calls.csv"': 'paths = "calls.csv"\ncount = "n"'}
    agency = write_agency(tmp_path, rows, replace)
    tally = tally_of(agency)
    assert (tally.records, tally.rows, tally.counted) == (6, 1210, 1203)
    assert (tally.left_out, tally.rejected) == (
        {"stands_for_none": 1},
        {"no_count": 2, "outside_period": 4},
    )
    assert adds_up(tally)
    assert (
        "Calls read: 1,210, in 6 rows that each stand for a number of calls, from calls.csv"
        in tally_text(tally)
    )
    assert codes(agency) == {"crisis": 3, "check": 1200}
    assert (tmp_path / "private/rejects.csv").read_text().count("calls.csv") == 3


@pytest.mark.parametrize("text", ["1,5", "1,23", "1.5", "1 200", "-3", "1e3", "1234567", "12,34"])
def test_a_number_of_calls_that_is_no_whole_number_is_none(tmp_path, text):
    """`1,5` is one and a half where commas are decimal, and never fifteen calls."""
    replace = {'call_id = "id"\n': "", 'paths = "calls.csv"': 'paths = "calls.csv"\ncount = "n"'}
    tally = tally_of(
        write_agency(tmp_path, f'at,type,n\n{AT},Crisis,3\n{AT},Check,"{text}"\n', replace)
    )
    assert (tally.counted, tally.rejected) == (3, {"no_count": 1})


def test_a_row_with_an_id_is_one_call(tmp_path):
    with pytest.raises(SchemaError, match="a row with 'call_id' is one call"):
        tally_of(
            write_agency(
                tmp_path,
                "id,at,type,n\n",
                {'paths = "calls.csv"': 'paths = "calls.csv"\ncount = "n"'},
            )
        )


# Other names, yes/no columns, prefixes, bands


def test_a_column_with_another_name_in_another_file(tmp_path):
    replace = {
        'paths = "calls.csv"': (
            'paths = "part-*.csv"\nother_names = { type = ["Nature", "kind"], at = "Received" }'
        )
    }
    (tmp_path / "part-1.csv").write_text(f"id,at,type\n1,{AT},Crisis\n")
    (tmp_path / "part-2.csv").write_text(f"kind,Received,id\nCheck,{AT},2\n")
    agency = write_agency(tmp_path, None, replace)
    assert codes(agency) == {"crisis": 1, "check": 1}
    (tmp_path / "part-3.csv").write_text(f"id,at,sort\n3,{AT},Crisis\n")
    with pytest.raises(SourceError, match=r"part-3\.csv: has no column 'type'"):
        tally_of(agency)


OUTCOME = """
[calls.yes_columns.outcome]
"Arrested" = "arrest_or_citation"
"Hold" = "involuntary_hold"
"*" = "stayed_with_plan"
"""


def test_a_category_in_yes_columns(tmp_path):
    rows = (
        f"id,at,type,Arrested,Hold\n1,{AT},Crisis,Y,N\n2,{AT},Crisis,no,TRUE\n3,{AT},Crisis,Y,x\n"
        f"4,{AT},Crisis,0,\n5,{AT},Crisis,,-\n"
    )
    agency = write_agency(tmp_path, rows, {}, OUTCOME)
    tally = tally_of(agency)
    assert adds_up(tally) and tally.values["outcome"].disagreeing == 1
    expected = {
        "arrest_or_citation": 2,
        "involuntary_hold": 1,
        "stayed_with_plan": 1,
        "unknown.outcome": 1,
    }
    assert codes(agency, "outcome") == expected


def test_a_yes_column_that_holds_something_else(tmp_path):
    rows = f"id,at,type,Arrested,Hold\n1,{AT},Crisis,maybe,N\n"
    with pytest.raises(
        MappingError,
        match=(
            "the column 'Arrested' holds 1 value\\(s\\) that are neither yes nor no, such as"
            " 'maybe'"
        ),
    ):
        tally_of(write_agency(tmp_path, rows, {}, OUTCOME))
    wrong = OUTCOME.replace("involuntary_hold", "involuntary")
    with pytest.raises(
        SchemaError,
        match="'involuntary' is not a code of 'outcome'; did you mean 'involuntary_hold'",
    ):
        tally_of(write_agency(tmp_path, rows, {}, wrong))


def test_prefixes_and_bands_in_value_maps(tmp_path):
    ages = '\n[dimensions.age_group]\nname = "Age"\nall = "All"\nlevels = ["age"]\n'
    ages += (
        'codes = [{ code = "young", en = "Y", es = "J" }, { code = "adult", en = "A", es = "A" }]\n'
    )
    ages += '[calls.values.age_group]\n"0..17" = "young"\n"18.." = "adult"\n"Refused" = "unknown"\n'
    replace = {
        'call_type = "type"': 'call_type = "type"\nage_group = "age"',
        '"Check" = "check"': '"MH*" = "crisis"\n"MH WELFARE*" = "check"',
    }
    rows = "id,at,type,age\n" + "".join(
        f"{i},{AT},{kind},{age}\n"
        for i, (kind, age) in enumerate(
            [
                ("mh-1", 17),
                ("MH WELFARE 2", 18),
                ("Crisis", "0"),
                ("MH", "refused"),
                ("MH*", "64.5"),
            ]
        )
    )
    agency = write_agency(tmp_path, rows, replace, ages)
    assert codes(agency) == {"crisis": 4, "check": 1}
    assert codes(agency, "age_group") == {"young": 2, "adult": 2, "unknown": 1}
    assert not any(
        report.unmatched_keys
        for report in tally_of(agency).values.values()
        if report.rows[0][1] in ("young", "adult")
    )
    with pytest.raises(MappingError, match=r'1 value\(s\) are not mapped[^\n]*\n  "-1"'):
        tally_of(write_agency(tmp_path, rows + f"9,{AT},MH,-1\n", replace, ages))


def test_yes_in_two_columns_together(tmp_path):
    """An officer and a clinician who came: the key that names both columns counts first, and their
    rows name no different codes."""
    who = (
        '\n[calls.yes_columns.responder]\n"Officer + Clinician" = "co_responder"\n'
        '"Clinician" = "clinician_only"\n"Officer" = "police_only"\n"EMS" = "other"\n'
    )
    rows = "id,at,type,Officer,Clinician,EMS\n" + "".join(
        f"{i},{AT},Crisis,{flags}\n"
        for i, flags in enumerate(("X,X,", "X,,", ",X,", ",,X", "X,X,X", ",,"))
    )
    agency = write_agency(tmp_path, rows, {}, who)
    counted = codes(agency, "responder")
    assert counted.pop("unknown.responder") == 1
    assert counted == {"co_responder": 2, "police_only": 1, "clinician_only": 1, "other": 1}
    assert tally_of(agency).values["responder"].disagreeing == 1
    with pytest.raises(SourceError, match="'Nurse'"):
        tally_of(write_agency(tmp_path, rows, {}, who.replace("Officer + C", "Nurse + C")))


def test_a_clock_after_the_call_may_be_a_number(tmp_path):
    """5 is five past midnight: clock_format goes with clock_after_call."""
    columns = 'call_type = "type"\narrived_at = "there"'
    times = '\n[calls.times]\narrived_at = { format = "clock_after_call"%s }\n'
    rows = "id,at,type,there\n1,2024-02-05 23:50,Crisis,5\n2,2024-02-05 10:00,Crisis,1012\n"

    def agency(clock):
        strict = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
        return write_agency(
            tmp_path, rows, {'call_type = "type"': columns, **strict}, times % clock
        )

    tally = tally_of(agency(', clock_format = "%H%M"'))
    assert tally.misread.get("arrived_at", (0, 0))[0] == 0
    with pytest.raises(SourceError, match="'there'"):
        tally_of(agency(""))


# Points

AREA = "\n" + boundary_files.AREA % ""
X, Y = WEST + SIDE / 2, SOUTH + SIDE / 2


@pytest.mark.parametrize(
    "bands", [("0..17", "17..30"), ("0..", "65.."), ("..20", "0..5"), ("1..9", "2..3")]
)
def test_bands_that_share_a_number_are_refused(tmp_path, bands):
    """Nothing says which of the two a number in both means."""
    low, high = bands
    replace = {'"Crisis" = "crisis"': f'"{high}" = "crisis"\n"{low}" = "check"'}
    with pytest.raises(
        SchemaError,
        match=re.escape(f"'{low}' and '{high}' in [calls.values.call_type] share a number"),
    ):
        tally_of(write_agency(tmp_path, f"id,at,type\n1,{AT},17\n", replace))


def placed(folder, points, columns, extra="", header="p"):
    (folder / "map.geojson").write_text(collection(feature("A")))
    rows = f"id,at,type,{header}\n" + "".join(
        f"{i},{AT},Crisis,{point}\n" for i, point in enumerate(points)
    )
    agency = write_agency(
        folder, rows, {'call_type = "type"': f'call_type = "type"\n{columns}'}, extra + AREA
    )
    return codes(agency, "area")


@pytest.mark.parametrize(
    "point",
    [
        f'"({Y}, {X})"',
        f"POINT ({X} {Y})",
        f"Point Z({X} {Y} 3)",
        f'"1 Main St (rear)\nTown\n({Y}, {X})"',
    ],
)
def test_a_point_in_one_column(tmp_path, point):
    assert placed(
        tmp_path, [point, point, "", "(no point)", f'"({X}, {Y})"', "44.9", "-"], 'point = "p"'
    ) == {"A": 2, "unknown": 5}


def test_points_of_a_state_plane(tmp_path):
    x, y = Transformer.from_crs(4326, 2285, always_xy=True).transform(X, Y)
    crs = '\n[calls.point]\ncrs = "EPSG:2285"\n'
    assert placed(tmp_path, [f"{x:.1f},{y:.1f}", "1,1"], 'lon = "x"\nlat = "y"', crs, "x,y") == {
        "A": 1,
        "unknown": 1,
    }
    with pytest.raises(MappingError, match=r'\[calls.point\] crs = "EPSG:2285"'):
        placed(tmp_path, [f"{x:.1f},{y:.1f}"], 'lon = "x"\nlat = "y"', "", "x,y")
    with pytest.raises(SchemaError, match="'EPSG:9999999' names no coordinates"):
        placed(
            tmp_path,
            [f"{x:.1f},{y:.1f}"],
            'lon = "x"\nlat = "y"',
            crs.replace("2285", "9999999"),
            "x,y",
        )


def test_degrees_as_whole_numbers(tmp_path):
    point = f"{round(1e6 * X)},{round(1e6 * Y)}"
    assert placed(
        tmp_path, [point], 'lon = "x"\nlat = "y"', "\n[calls.point]\nscale = 0.000001\n", "x,y"
    ) == {"A": 1}


# Archives and JSON


def zipped(folder, **members):
    with zipfile.ZipFile(folder / "calls.zip", "w") as archive:
        for name, text in members.items():
            archive.writestr(f"out/{name}.csv", text)
    return write_agency(folder, None, {'paths = "calls.csv"': 'paths = "calls.zip"'})


def test_files_of_an_archive(tmp_path):
    first, second = f"id,at,type\n1,{AT},Crisis\n", f"id,at,type\n2,{AT},Check\n"
    assert codes(zipped(tmp_path, jan=first)) == {"crisis": 1}
    agency = zipped(tmp_path, jan=first, feb=second)
    with pytest.raises(
        SourceError,
        match=r'calls\.zip: holds 2 files; write member = "out/jan\.csv", or member = "\*"',
    ):
        tally_of(agency)
    for member, expected in (("feb.csv", {"check": 1}), ("*", {"crisis": 1, "check": 1})):
        assert (
            codes(
                write_agency(
                    tmp_path,
                    None,
                    {'paths = "calls.csv"': f'paths = "calls.zip"\nmember = "{member}"'},
                )
            )
            == expected
        )
    with pytest.raises(
        SourceError, match=r"holds no file 'mar\.csv'; its files are: out/jan\.csv, out/feb\.csv"
    ):
        tally_of(
            write_agency(
                tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.zip"\nmember = "mar.csv"'}
            )
        )


def test_an_archive_that_is_broken(tmp_path):
    agency = zipped(tmp_path, jan="id,at,type\n" * 100)
    whole = (tmp_path / "calls.zip").read_bytes()
    (tmp_path / "calls.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"calls\.zip: cannot be read as a zip archive"):
        tally_of(agency)


ROWS = [
    {"id": "1", "at": AT, "type": "Crisis"},
    {"id": 2, "at": AT, "type": "Check", "extra": {"deep": 1}},
]


def test_a_row_of_another_length_than_its_names_is_refused(tmp_path):
    """Its values might stand under other names than their own."""
    names = {"view": {"columns": [{"fieldName": name} for name in ("id", "at", "type")]}}
    data = {"meta": names, "data": [["1", AT, "Crisis"], ["2", AT]]}
    (tmp_path / "calls.json").write_text(json.dumps(data))
    agency = write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.json"'})
    with pytest.raises(SourceError, match=r"row 2 of 'data' has 2 values where 'meta' names 3"):
        codes(agency)


@pytest.mark.parametrize(
    "data",
    [
        ROWS,
        [row | {"place": {"type": "Point", "coordinates": [X, Y]}} for row in ROWS],
        {
            "meta": {"view": {"columns": [{"fieldName": name} for name in ("id", "at", "type")]}},
            "data": [[row["id"], row["at"], row["type"]] for row in ROWS],
        },
        {"features": [{"attributes": row, "geometry": {"x": X, "y": Y}} for row in ROWS]},
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": r,
                    "geometry": {"type": "Point", "coordinates": [X, Y]},
                }
                for r in ROWS
            ],
        },
    ],
)
def test_json_of_open_data(tmp_path, data):
    (tmp_path / "calls.json").write_text(json.dumps(data), encoding="utf-8-sig")
    agency = write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.json"'})
    assert codes(agency) == {"crisis": 1, "check": 1}
    if "features" in data or (isinstance(data, list) and "place" in data[0]):
        name = "geometry" if isinstance(data, dict) else "place"
        (tmp_path / "map.geojson").write_text(collection(feature("A")))
        columns = f'call_type = "type"\nlon = "{name}.x"\nlat = "{name}.y"'
        replace = {'paths = "calls.csv"': 'paths = "calls.json"', 'call_type = "type"': columns}
        assert codes(write_agency(tmp_path, None, replace, AREA), "area") == {"A": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"id": 1}', "is not whole JSON"),
        ('{"id": 1}', "holds no list of records"),
        ("[1]", "no list of records"),
    ],
)
def test_json_that_is_no_table(tmp_path, text, said):
    (tmp_path / "calls.json").write_text(text)
    with pytest.raises(SourceError, match=said):
        tally_of(write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.json"'}))


FEATURES = [{"attributes": {"id": "1", "at": AT, "type": "Crisis"}}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            json.dumps({"exceededTransferLimit": True, "features": FEATURES}),
            "the server's limit cut it off",
        ),
        (
            json.dumps({"properties": {"exceededTransferLimit": True}, "features": FEATURES}),
            "the server's limit cut it off",
        ),
        (
            '[{"id": "1", "type": "Crisis", "type": "Check"}]',
            "the name 'type' stands twice in one record",
        ),
        ('[{"id": "1", "x.y": 1, "x": {"y": 2}}]', "the name 'x.y' stands twice in one record"),
    ],
    ids=["ArcGIS", "its GeoJSON", "twice", "nested"],
)
def test_json_of_which_something_would_be_lost(tmp_path, text, said):
    (tmp_path / "calls.json").write_text(text)
    with pytest.raises(SourceError, match=said):
        tally_of(write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.json"'}))


def test_workbooks_that_no_reader_is_for_are_named(tmp_path):
    (tmp_path / "calls.xlsb").write_bytes(b"x")
    with pytest.raises(
        SourceError,
        match=r"binary workbooks \(\.xlsb\) are not read; save it as a workbook \(\.xlsx\)",
    ):
        tally_of(write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.xlsb"'}))


# Inputs beside the calls


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2025", "2025"),
        ("FY2025", "2025"),
        ("FY 25", "2025"),
        ("2024-25", "2025"),
        ("FY2024-2025", "2025"),
        ("2024-26", None),
        ("FY", None),
    ],
)
def test_fiscal_years_of_the_budget(tmp_path, text, year):
    from anonymize.records.program_inputs import KINDS

    agency = write_agency(
        tmp_path, f"id,at,type\n1,{AT},Crisis\n", {}, '\n[inputs]\nbudget = { paths = "b.csv" }\n'
    )
    (tmp_path / "b.csv").write_text(f'year,source,planned\n{text},City,"$1,200,000"\n')
    if year is None:
        with pytest.raises(
            SourceError, match="'year' must be a year such as 2025, or a fiscal year"
        ):
            tally_of(agency)
        return
    tally_of(agency)
    assert (KINDS["fiscal_year"][0](text), KINDS["number"][0]("$1,200,000")) == (year, "1200000")


@pytest.mark.parametrize(
    "text", ["Jan 2024", "January 2024", "enero de 2024", "JAN-2024", "ene. 2024"]
)
def test_months_by_name(tmp_path, text):
    from anonymize.engine.duck import database
    from anonymize.pipeline import read_inputs
    from anonymize.records.program_inputs import read_inputs_beside

    agency = write_agency(
        tmp_path,
        f"id,at,type\n1,{AT},Crisis\n",
        {},
        '\n[inputs]\nall_calls = { paths = "m.csv" }\n',
    )
    (tmp_path / "m.csv").write_text(f"month,calls\n{text},5\n")
    with database(tmp_path) as db:
        inputs = read_inputs(agency)
        (beside,) = read_inputs_beside(db, inputs.config, inputs.codelists)
        assert beside.rows == (("2024-01", "5"),)


def test_a_month_that_is_none(tmp_path):
    agency = write_agency(
        tmp_path,
        f"id,at,type\n1,{AT},Crisis\n",
        {},
        '\n[inputs]\nall_calls = { paths = "m.csv" }\n',
    )
    (tmp_path / "m.csv").write_text("month,calls\nJanvember 2024,5\n")
    with pytest.raises(SourceError, match="'month' must be a month"):
        tally_of(agency)


def test_american_dates_of_an_input(tmp_path):
    spec = '\n[inputs]\nprogram_events = { paths = "e.csv", times.date.format = "%m/%d/%Y" }\n'
    agency = write_agency(tmp_path, f"id,at,type\n1,{AT},Crisis\n", {}, spec)
    (tmp_path / "e.csv").write_text("date,kind,event\n1/31/2024,rule,New rule\n")
    assert tally_of(agency).counted == 1


def test_one_call_is_spoken_of_as_one(tmp_path):
    """November 3, 2024, half past one in the night, comes twice; March 10, half past two, never."""
    days = {
        "created = 2024-07-01": "created = 2025-01-01",
        "data_to = 2024-06-30": "data_to = 2024-12-31",
    }

    def said(*times):
        rows = "id,at,type\n" + "".join(f"{i},{at},Crisis\n" for i, at in enumerate(times))
        return tally_text(tally_of(write_agency(tmp_path, rows, days)))

    one = said("2024-11-03 01:30", "2024-03-10 02:30", "2024-05-01 10:00")
    assert (
        "1 call came in during the hour that comes twice when clocks go back; its wait is unknown"
        in one
    )
    assert "1 call has a time that the clocks skipped in spring; its hour is unknown" in one
    two = said("2024-11-03 01:30", "2024-11-03 01:40", "2024-03-10 02:30", "2024-03-10 02:40")
    assert (
        "2 calls came in during the hour that comes twice when clocks go back; their waits are"
        " unknown" in two
    )
    assert "2 calls have a time that the clocks skipped in spring; their hour is unknown" in two
