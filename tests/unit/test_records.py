"""From exports of every shape to canonical records, with every row accounted for."""

import csv
import gzip
import stat

import openpyxl
import pandas as pd
import pytest

from anonymize.agency import load
from anonymize.areas.systems import load_areas
from anonymize.engine import duck
from anonymize.errors import AreaError, MappingError, SourceError
from tests.agency import calls_of, tally_of, write_agency

HEADER = "id,at,type\n"


def months(agency):
    return sorted(call["period"] for call in calls_of(agency))


def test_every_row_is_accounted_for(tmp_path):
    rows = (
        "1,2024-01-05 10:00:00,Crisis\n"
        "2,2024-02-30 10:00:00,Crisis\n"  # no such day
        "3,,Crisis\n"
        "4,1900-01-01 00:00:00,Check\n"  # placeholder
        "5,2024-12-01 10:00:00,Check\n"  # after the period, and after the release was made
        "6,2023-12-31 23:59:59,Check\n"  # before the period
        ",2024-03-01 10:00:00,Check\n"
        "1,2024-01-05 10:00:00,Crisis\n"  # the same call again
        "7,2024-06-30 23:59:59,-\n"
        "8,1388-07-25,Crisis\n"
    )
    agency = write_agency(tmp_path, HEADER + rows)
    tally = tally_of(agency)
    assert tally.rows == 10
    assert tally.counted == 2
    assert tally.rejected == {
        "impossible_time": 3,
        "no_time": 2,
        "outside_period": 1,
        "no_call_id": 1,
        "duplicate_call_id": 1,
    }
    assert tally.counted + tally.repeated + sum(tally.rejected.values()) == tally.rows
    assert tally.notes["unknown_call_type"] == 1
    with (tmp_path / "private/rejects.csv").open() as handle:
        rejects = list(csv.DictReader(handle))
    assert [(r["line"], r["reason"]) for r in rejects][:2] == [
        ("3", "impossible_time"),
        ("4", "no_time"),
    ]
    assert len(rejects) == 8
    assert set(rejects[0]) == {"file", "line", "reason", "meaning"}
    assert stat.S_IMODE((tmp_path / "private/rejects.csv").stat().st_mode) == 0o600


def test_reject_limit_stops_the_run(tmp_path):
    agency = write_agency(
        tmp_path,
        HEADER + "1,2024-01-05,Crisis\n2,SECRET-WORD,Crisis\n",
        {"reject_limit_percent = 100": "reject_limit_percent = 10"},
    )
    with pytest.raises(SourceError) as caught:
        tally_of(agency)
    assert "1 of 2 rows cannot be used, more than the limit of 10 %" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert (tmp_path / "private/rejects.csv").exists()


def test_rows_that_do_not_fit_the_columns(tmp_path):
    tally = tally_of(
        write_agency(
            tmp_path,
            HEADER + "1,2024-01-05,Crisis\n2,2024-01-05,Crisis,surplus,more\n3,2024-01-06,Check\n",
        )
    )
    assert (tally.rows, tally.counted, tally.rejected) == (3, 2, {"malformed": 1})


def test_unmapped_values_are_listed_all_at_once(tmp_path):
    agency = write_agency(
        tmp_path,
        HEADER
        + "1,2024-01-05,Flood\n2,2024-01-05,Fire\n3,2024-01-05,crisis \n4,2024-01-06,CRISIS\n",
    )
    with pytest.raises(MappingError) as caught:
        tally_of(agency)
    message = str(caught.value)
    assert "2 value(s) are not mapped" in message
    assert '"Fire" = ""\n  "Flood" = ""' in message
    assert "crisis, check" in message


def test_free_text_is_never_listed(tmp_path):
    rows = "".join(f"{i},2024-01-05,caller {i} at 12 Elm Street\n" for i in range(300))
    with pytest.raises(MappingError) as caught:
        tally_of(write_agency(tmp_path, HEADER + rows))
    assert "does not look like a category" in str(caught.value)
    assert "Elm" not in str(caught.value)


def test_catch_all(tmp_path):
    agency = write_agency(
        tmp_path,
        HEADER + "1,2024-01-05,Flood\n",
        {'"Check" = "check"': '"Check" = "check"\n"*" = "unknown"'},
    )
    assert [c["call_type"] for c in calls_of(agency)] == ["unknown"]


def test_case_blanks_and_lookalikes(tmp_path):
    agency = write_agency(tmp_path, HEADER + "1,2024-01-05,  crisis\u00a0\n2,2024-01-05,CHECK  \n")
    assert sorted(c["call_type"] for c in calls_of(agency)) == ["check", "crisis"]
    with pytest.raises(MappingError):
        tally_of(
            write_agency(tmp_path, HEADER + "1,2024-01-05,Сrisis\n")
        )  # a Cyrillic letter is another letter


def test_missing_column_and_file(tmp_path):
    with pytest.raises(SourceError, match="has no column 'type'; did you mean 'Type'"):
        tally_of(write_agency(tmp_path, "id,at,Type\n1,2024-01-01,Crisis\n"))
    with pytest.raises(
        SourceError, match="its first line must hold the names of its 3 columns"
    ) as caught:
        tally_of(write_agency(tmp_path, "17,2024-01-01,Jane Doe\n18,2024-01-01,Crisis\n"))
    assert "Jane" not in str(caught.value), (
        "without a line of names the first record stands in its place"
    )
    (tmp_path / "calls.csv").unlink()
    with pytest.raises(SourceError, match="no such file"):
        tally_of(write_agency(tmp_path))


def test_empty_table(tmp_path):
    with pytest.raises(SourceError, match="no call is left to count"):
        tally_of(write_agency(tmp_path, HEADER))


def test_truncated_gzip(tmp_path):
    whole = gzip.compress((HEADER + "1,2024-01-05,Crisis\n" * 5000).encode())
    (tmp_path / "calls.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="is it whole"):
        tally_of(write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.csv.gz"'}))


def test_repeated_rows_are_one_call(tmp_path):
    rows = HEADER + "1,2024-01-05,Crisis\n1,2024-01-05,Check\n2,2024-02-05,Check\n"
    first = write_agency(
        tmp_path,
        rows,
        {"reject_limit_percent": 'repeated_rows = "keep_first"\nreject_limit_percent'},
    )
    tally = tally_of(first)
    assert (tally.counted, tally.repeated, tally.conflicting_repeats, tally.rejected) == (
        2,
        1,
        1,
        {},
    )
    assert tally.differing == {"call_type": 1}
    assert [c["call_type"] for c in calls_of(first)] == ["crisis", "check"]
    last = write_agency(
        tmp_path,
        rows,
        {"reject_limit_percent": 'repeated_rows = "keep_last"\nreject_limit_percent'},
    )
    assert [c["call_type"] for c in calls_of(last)] == ["check", "check"]
    with pytest.raises(
        SourceError,
        match=r"1 of 2 calls stand on several rows that differ.* they differ in call_type",
    ):
        tally_of(
            write_agency(
                tmp_path, rows, {"reject_limit_percent = 100": 'repeated_rows = "keep_first"'}
            )
        )


def test_identical_rows_without_an_id_are_all_calls(tmp_path):
    agency = write_agency(
        tmp_path, "at,type\n" + "2024-01-05,Crisis\n" * 7, {'call_id = "id"\n': ""}
    )
    assert tally_of(agency).counted == 7


def test_time_zones_move_a_call_over_the_end_of_a_month(tmp_path):
    rows = (
        HEADER + "1,2024-02-01T03:00:00Z,Crisis\n2,2024-02-01T03:00:00,Crisis\n"
        "3,2024-02-01T03:00:00+00:00,Crisis\n"
    )
    assert months(write_agency(tmp_path, rows)) == [
        "2024-01",
        "2024-01",
        "2024-02",
    ]  # the second says no zone: local time
    utc = write_agency(tmp_path, rows, {'timestamp = "at"': 'timestamp = "at"\ntimezone = "UTC"'})
    assert months(utc) == ["2024-01", "2024-01", "2024-01"]


def test_named_date_format(tmp_path):
    agency = write_agency(
        tmp_path,
        HEADER + "1,05/02/2024 13:30,Crisis\n2,31/02/2024 13:30,Crisis\n",
        {'timestamp = "at"': 'timestamp = "at"\nformat = "%d/%m/%Y %H:%M"'},
    )
    assert months(agency) == ["2024-02"]


def test_year_and_month_only(tmp_path):
    rows = (
        "id,y,m,type\n1,2024,January,Crisis\n2,2024,2,Crisis\n3,2024,mar,Crisis\n"
        "4,2024,13,Crisis\n5,2024,abril,Crisis\n"
    )
    agency = write_agency(tmp_path, rows, {'timestamp = "at"': 'year = "y"\nmonth = "m"'})
    assert months(agency) == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert tally_of(agency).rejected == {"impossible_time": 1}


def test_impossible_dates_fall_back_to_year_and_month(tmp_path):
    rows = (
        "id,day,y,m,type\n1,1388-07-25,2024,January,Crisis\n2,NA,2024,May,Crisis\n"
        "3,2024-03-09,2024,March,Crisis\n"
    )
    agency = write_agency(
        tmp_path,
        rows,
        {'timestamp = "at"': 'date = "day"\nyear = "y"\nmonth = "m"', '["-",': '["NA", "-",'},
    )
    assert months(agency) == ["2024-01", "2024-03", "2024-05"]
    assert tally_of(agency).notes["time_from_year_and_month"] == 1


def test_hour_zero_exported_as_blank(tmp_path):
    rows = (
        "id,day,h,type\n1,2024-01-05,NA,Crisis\n2,2024-01-05,23,Crisis\n3,2024-01-05,24,Crisis\n"
        "4,2024-01-05,,Crisis\n"
    )
    change = {
        'timestamp = "at"': 'date = "day"\nhour = "h"\nblank_hour = 0',
        '["-",': '["NA", "-",',
    }
    agency = write_agency(tmp_path, rows, change)
    assert sorted(c["hour"] for c in calls_of(agency)) == ["00", "00", "23"]
    assert tally_of(agency).rejected == {"impossible_hour": 1}
    change['timestamp = "at"'] = 'date = "day"\nhour = "h"'
    assert sorted(c["hour"] for c in calls_of(write_agency(tmp_path, rows, change))) == [
        "23",
        "unknown.hour",
        "unknown.hour",
        "unknown.hour",
    ]


def test_no_time_no_type_no_id(tmp_path):
    """A source without any of them still counts, as one period."""
    agency = write_agency(
        tmp_path,
        "anything\n" + "x\n" * 30,
        {
            'timestamp = "at"': "period = true",
            'call_id = "id"\ncall_type = "type"\n': "",
            '[calls.values.call_type]\n"Crisis" = "crisis"\n"Check" = "check"\n': "",
            'dimensions = { period = ["all", "year", "month"], call_type = ["all", "type"] }': (
                'dimensions = { period = ["all"] }'
            ),
        },
    )
    assert tally_of(agency).counted == 30
    assert {c["period"] for c in calls_of(agency)} == {"all"}


def test_parquet_and_excel_read_like_csv(tmp_path):
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "at": pd.to_datetime(["2024-01-05 10:00", "2024-02-05 00:00", "2024-03-05 00:00"]),
            "type": ["Crisis", "Check", None],
        }
    )
    agency = write_agency(tmp_path / "csv", frame.to_csv(index=False))

    def calls(agency):
        return [
            {name: value for name, value in call.items() if name != "row_no"}
            for call in calls_of(agency)
        ]

    expected = calls(agency)
    frame.to_parquet(tmp_path / "csv/calls.parquet")
    assert (
        calls(
            write_agency(tmp_path / "csv", None, {'paths = "calls.csv"': 'paths = "calls.parquet"'})
        )
        == expected
    )
    book = openpyxl.Workbook()
    book.active.append(["id", "at", "type"])
    for row in frame.itertuples(index=False):
        book.active.append(
            [row.id, row.at.to_pydatetime(), row.type if isinstance(row.type, str) else None]
        )
    book.save(tmp_path / "csv/calls.xlsx")
    assert (
        calls(write_agency(tmp_path / "csv", None, {'paths = "calls.csv"': 'paths = "calls.xlsx"'}))
        == expected
    )


def test_glob_reads_every_file_once(tmp_path):
    agency = write_agency(
        tmp_path, None, {'paths = "calls.csv"': 'paths = ["part-*.csv", "part-1.csv"]'}
    )
    (tmp_path / "part-1.csv").write_text(HEADER + "1,2024-01-05,Crisis\n")
    (tmp_path / "part-2.csv").write_text(HEADER + "2,2024-01-05,Check\n")
    assert tally_of(agency).counted == 2


AREAS = """
[areas.area]
name = "Area"
all = "All"
levels = ["district", "beat"]
coarse_values = true
strip_zeros = true
[areas.area.tree]
east = ["1", "2"]
west = ["3"]
"""


def test_padded_codes_and_coarse_values(tmp_path):
    agency = write_agency(
        tmp_path,
        "id,at,type,beat\n1,2024-01-05,Crisis,001\n2,2024-01-05,Crisis, 2 \n"
        "3,2024-01-05,Crisis,East\n4,2024-01-05,Crisis,-\n",
        {'call_type = "type"': 'call_type = "type"\narea = "beat"'},
        AREAS,
    )
    assert sorted(c["area"] for c in calls_of(agency)) == ["1", "2", "east.unknown", "unknown.beat"]


def test_area_under_two_parents(tmp_path):
    agency = write_agency(
        tmp_path,
        HEADER,
        {'call_type = "type"': 'call_type = "type"\narea = "beat"'},
        AREAS.replace('west = ["3"]', 'west = ["3", "1"]'),
    )
    with pytest.raises(AreaError, match="'1' lies under two parents, 'east' and 'west'"):
        load_areas(load(agency))


def test_points_are_placed(tmp_path):
    square = (
        '{"type":"Feature","properties":{"code":"%s"},"geometry":{"type":"Polygon",'
        '"coordinates":[[[%d,0],[%d,0],[%d,1],[%d,1],[%d,0]]]}}'
    )
    features = ",".join(
        square % (code, x, x + 1, x + 1, x, x) for code, x in (("left", 0), ("right", 1))
    )
    (tmp_path / "map.geojson").write_text(
        '{"type":"FeatureCollection","features":[' + features + "]}"
    )
    areas = (
        '[areas.area]\nname = "Area"\nall = "All"\nlevels = ["beat"]\n'
        'boundaries = { path = "map.geojson", code = "code" }\n'
    )
    rows = (
        "id,at,type,x,y\n1,2024-01-05,Crisis,0.5,0.5\n2,2024-01-05,Crisis,1.5,0.5\n"
        "3,2024-01-05,Crisis,1,0.5\n4,2024-01-05,Crisis,9,9\n5,2024-01-05,Crisis,,\n"
        "6,2024-01-05,Crisis,east,north\n"
    )
    agency = write_agency(
        tmp_path, rows, {'call_type = "type"': 'call_type = "type"\nlon = "x"\nlat = "y"'}, areas
    )
    assert sorted(c["area"] for c in calls_of(agency)) == [
        "left",
        "left",
        "right",
        "unknown",
        "unknown",
        "unknown",
    ]


@pytest.mark.parametrize("label", ["1", "true", "Total", "unknown-ish", "0012", "2024-01-01"])
def test_labels_that_look_like_something_else(tmp_path, label):
    """Numbers, booleans, dates and the word Total are only text."""
    agency = write_agency(
        tmp_path,
        HEADER + f"1,2024-01-05,{label}\n",
        {'"Crisis" = "crisis"': f'"{label}" = "crisis"'},
    )
    assert [c["call_type"] for c in calls_of(agency)] == ["crisis"]


def test_what_one_file_has_too_few_is_not_made_good_by_another(tmp_path, monkeypatch):
    """Planted: small files are read together, and one gives a record fewer than was counted, the
    next one more."""
    for number in (0, 1):
        (tmp_path / f"part-{number}.csv").write_text(
            f"id,at,type\n{number},2024-02-05 10:00,Crisis\n"
        )
    agency = write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = ["part-*.csv"]'})
    assert tally_of(agency).counted == 2

    def moved(_db, _source, number, part):
        return part.records + (1 if number == 0 else -1)

    monkeypatch.setattr(duck, "rows_expected", moved)
    with pytest.raises(SourceError, match=r"part-0\.csv: 1 records were read where 2 were counted"):
        tally_of(agency)
