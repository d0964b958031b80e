"""Exports as they really come: each is read as it is, or refused with the place and the cure."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date

import openpyxl
import pytest

from anonymize.draft.run import drafted
from anonymize.errors import SchemaError, SourceError
from anonymize.portrait.tally_text import tally_text
from tests.agency import calls_of, tally_of, write_agency

HEADER = "id,at,type\n"
ROW = "{},2024-02-{:02d} 10:00,Crisis\n"
ROWS = "".join(ROW.format(i, 1 + i % 28) for i in range(40))


def rejects(folder):
    with (folder / "private/rejects.csv").open() as handle:
        return [(row["file"], int(row["line"]), row["reason"]) for row in csv.DictReader(handle)]


def hours(agency):
    return Counter(call["hour"] for call in calls_of(agency))


CLOCK = {'timestamp = "at"': 'date = "d"\nclock = "c"'}


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        (["6:10:00 PM", "12:10 am"], {"18": 20, "00": 20}),
        (["0207", "2207"], {"02": 20, "22": 20}),
        (["207", "1807"], {"02": 20, "18": 20}),
        (["18:10", "1900-01-01 04:10:00"], {"18": 20, "04": 20}),
    ],
)
def test_clock_columns(tmp_path, clocks, expected):
    rows = "id,d,c,type\n" + "".join(f"{i},2024-01-05,{clocks[i % 2]},Crisis\n" for i in range(40))
    assert hours(write_agency(tmp_path, rows, CLOCK)) == expected


DAY_AS_WRITTEN = 'format = "%Y-%m-%dT%H:%M:%SZ"'


@pytest.mark.parametrize(
    ("beside", "form", "written", "cure"),
    [
        ("clock", "", "2024-02-{:02d}T00:00:00Z", DAY_AS_WRITTEN),
        ("hour", "", "2024-02-{:02d}T00:00:00Z", DAY_AS_WRITTEN),
        ("", "", "2024-02-{:02d}T00:00:00Z", DAY_AS_WRITTEN),
        ("hour", "", "2024-02-{:02d}T00:00:00.000+00:00", "[+]00:00"),
        ("clock", 'format = "epoch"', "{}", "export the days as text"),
    ],
)
def test_a_day_that_another_zone_moves_is_no_day(tmp_path, beside, form, written, cure):
    """Many systems write a day as midnight in UTC; in America that is the evening before."""
    days = [1 + i % 28 for i in range(40)]
    if form:
        days = [1_706_745_600 + 86_400 * day for day in days]
    rows = "id,d,c,type\n" + "".join(
        f"{i},{written.format(day)},18{':10' if beside == 'clock' else ''},Crisis\n"
        for i, day in enumerate(days)
    )
    column = f'{beside} = "c"' if beside else ""
    named = {
        'timestamp = "at"': f'date = "d"\n{column}\n{form}',
        "reject_limit_percent = 100": "reject_limit_percent = 2",
    }
    agency = write_agency(tmp_path, rows, named)
    with pytest.raises(SourceError, match="40 of 40 rows") as stopped:
        tally_of(agency)
    assert re.search(cure, str(stopped.value))
    if cure == DAY_AS_WRITTEN:
        agency.write_text(agency.read_text().replace('date = "d"', f'date = "d"\n{cure}'))
        assert min(call["day"].date() for call in calls_of(agency)) == date(2024, 2, 1)


def test_a_moment_of_another_zone_may_stand_beside_a_clock(tmp_path):
    rows = "id,d,c,type\n" + "".join(f"{i},2024-02-04T00:10:00Z,18:10,Crisis\n" for i in range(20))
    found = calls_of(write_agency(tmp_path, rows, CLOCK))
    assert {call["day"].date() for call in found} == {date(2024, 2, 3)}


def test_a_clock_with_a_zone_is_not_taken_for_the_local_one(tmp_path):
    rows = "id,d,c,type\n" + "".join(f"{i},2024-02-03,03:10:00Z,Crisis\n" for i in range(20))
    limit = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    with pytest.raises(SourceError, match=r'clock_format = "%H:%M:%SZ" would fit'):
        tally_of(write_agency(tmp_path, rows, CLOCK | limit))


def test_a_zone_cannot_be_joined_with_a_clock_column(tmp_path):
    times = '[calls.times.arrived_at]\nclock = "c"\ntimezone = "UTC"\n'
    rows = "id,at,type,arr,c\n1,2024-02-03 18:10,Crisis,2024-02-04,00:20\n"
    with pytest.raises(SchemaError, match="'timezone' cannot be joined with 'clock'"):
        tally_of(write_agency(tmp_path, rows, ARRIVAL, times))


def test_a_clock_as_the_part_of_a_day(tmp_path):
    """As Excel keeps clocks, where the cells lost their format."""
    parts = ("0.75694444444", "0", "0.0833333333", "0.9999999")
    rows = "id,d,c,type\n" + "".join(f"{i},2024-02-03,{parts[i % 4]},Crisis\n" for i in range(40))
    limit = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    with pytest.raises(SourceError, match='clock_format = "excel" would fit'):
        tally_of(write_agency(tmp_path, rows, CLOCK | limit))
    named = {'timestamp = "at"': 'date = "d"\nclock = "c"\nclock_format = "excel"'}
    agency = write_agency(tmp_path, rows, named | limit)
    assert hours(agency) == {"18": 10, "00": 10, "02": 10, "23": 10}
    assert {call["day"].date() for call in calls_of(agency)} == {date(2024, 2, 3)}


def test_clocks_with_their_first_digits_gone_need_a_format(tmp_path):
    """`7` may be seven in the morning or seven past midnight: nobody guesses."""
    rows = "id,d,c,type\n" + "".join(
        f"{i},2024-01-05,{(7, 15, 1407)[i % 3]},Crisis\n" for i in range(30)
    )
    limit = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    with pytest.raises(
        SourceError,
        match=(
            r"20 of 30 values of the column 'c' cannot be read as clocks; they look like .*"
            r" clock_format = \"%H%M\" would fit"
        ),
    ):
        tally_of(write_agency(tmp_path, rows, CLOCK | limit))
    named = {'timestamp = "at"': 'date = "d"\nclock = "c"\nclock_format = "%H%M"'}
    assert hours(write_agency(tmp_path, rows, named | limit)) == {"00": 20, "14": 10}


def test_a_quote_never_closed_costs_its_own_record(tmp_path):
    lines = [ROW.format(i, 1 + i % 28) for i in range(26_000)]
    lines[20_600] = '20600,2024-02-05 10:00,"Crisis\n'
    (tmp_path / "calls.csv.gz").write_bytes(gzip.compress((HEADER + "".join(lines)).encode()))
    tally = tally_of(
        write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.csv.gz"'})
    )
    assert (tally.rows, tally.counted, tally.rejected) == (26_000, 25_999, {"malformed": 1})
    assert rejects(tmp_path) == [("calls.csv.gz", 20_602, "malformed (quote)")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('x,2024-02-05 10:00,say "no\n', "quote"),
        ("x,2024-02-05 10:00\n", "columns"),
        ("x,2024-02-05 10:00,Crisis,more\n", "columns"),
        ("x,2024-02-05 10:00,Cri\0sis\n", "null byte"),
        ("(61 rows affected)\n", "columns"),
        ("x,2024-02-05\r 10:00,Crisis\n", "line end"),
    ],
)
@pytest.mark.parametrize("place", [0, 20, 40])
def test_a_line_that_is_no_record_is_named_and_costs_itself_alone(tmp_path, bad, reason, place):
    lines = ROWS.splitlines(keepends=True)
    lines.insert(place, bad)
    tally = tally_of(write_agency(tmp_path, HEADER + "".join(lines)))
    assert (tally.rows, tally.counted) == (41, 40)
    assert rejects(tmp_path) == [("calls.csv", place + 2, f"malformed ({reason})")]


def test_bytes_that_are_no_text(tmp_path):
    agency = write_agency(tmp_path, "")
    (tmp_path / "calls.csv").write_bytes(
        (HEADER + ROWS).encode() + b"x,2024-02-05 10:00,Cri\xffsis\n"
    )
    assert tally_of(agency).counted == 40
    assert rejects(tmp_path) == [("calls.csv", 42, "malformed (encoding)")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "windows-1252"])
def test_encodings(tmp_path, encoding):
    named = f'encoding = "{encoding}"\n' if encoding in ("latin-1", "windows-1252") else ""
    agency = write_agency(
        tmp_path,
        "",
        {
            '"Crisis" = "crisis"': '"Señal" = "crisis"',
            'paths = "calls.csv"': f'{named}paths = "calls.csv"',
        },
    )
    (tmp_path / "calls.csv").write_bytes(
        (HEADER + ROWS)
        .replace("Crisis", "Señal")
        .encode({"windows-1252": "cp1252"}.get(encoding, encoding))
    )
    assert Counter(c["call_type"] for c in calls_of(agency)) == {"crisis": 40}


def test_an_encoding_that_the_mark_contradicts(tmp_path):
    agency = write_agency(
        tmp_path, "", {'paths = "calls.csv"': 'encoding = "latin-1"\npaths = "calls.csv"'}
    )
    (tmp_path / "calls.csv").write_bytes((HEADER + ROWS).encode("utf-8-sig"))
    with pytest.raises(
        SourceError,
        match=(
            r"byte order mark of UTF-8, but the agency file says encoding = \"latin-1\"; take"
            r" 'encoding' out"
        ),
    ):
        tally_of(agency)


def test_a_hash_is_no_comment(tmp_path):
    rows = HEADER + "".join(
        f"{'#' if i % 2 else ''}{i},2024-02-03 10:00:00,Crisis\n" for i in range(50)
    )
    assert tally_of(write_agency(tmp_path, rows)).counted == 50
    with pytest.raises(
        SourceError, match="names stand in line 2, not in line 1; write header_row = 2"
    ):
        tally_of(write_agency(tmp_path, "# exported by the dispatch system\n" + rows))
    named = {'paths = "calls.csv"': 'header_row = 2\npaths = "calls.csv"'}
    assert (
        tally_of(
            write_agency(tmp_path, "# exported by the dispatch system\n" + rows, named)
        ).counted
        == 50
    )


def test_a_text_over_several_lines_is_one_record(tmp_path):
    rows = "id,note,at,type\n" + "".join(
        f'{i},"line one\nline two, and ""more""",2024-02-03 10:00:00,Crisis\n' for i in range(20)
    )
    tally = tally_of(write_agency(tmp_path, rows + "x,y\n"))
    assert (tally.counted, tally.rejected) == (20, {"malformed": 1})
    assert rejects(tmp_path)[0][:2] == ("calls.csv", 42)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("inner", ["\n", "\r\n", "\r"])
def test_line_ends_within_a_text_are_no_ends_of_records(tmp_path, end, inner):
    """Windows programs write CRLF in the notes as well as behind each record."""
    rows = end.join(
        ["id,at,type,note", *(f'{i},2024-02-03 10:00,Crisis,"a{inner}b, c"' for i in range(20)), ""]
    )
    agency = write_agency(tmp_path, "")
    (tmp_path / "calls.csv").write_bytes(rows.encode())
    tally = tally_of(agency)
    assert (tally.rows, tally.counted, tally.rejected) == (20, 20, {})


def test_another_delimiter_is_named_in_the_message(tmp_path):
    with pytest.raises(
        SourceError, match=r"separated by ';', not by ','; write delimiter = \";\""
    ) as caught:
        tally_of(write_agency(tmp_path, (HEADER + ROWS).replace(",", ";")))
    assert len(caught.value.problems) == 1, "said once, not once for each column"


def test_columns_may_have_any_names(tmp_path):
    names = {
        'call_id = "id"': 'call_id = "file_no"',
        'call_type = "type"\n': 'call_type = "code"\nresponder = "n"\narrest = "FILE"\n',
        'timestamp = "at"': 'timestamp = "row_no"',
    }
    unit = '[calls.values.responder]\n"P" = "police_only"\n'
    agency = write_agency(
        tmp_path, "file_no,row_no,code,n,FILE\n1,2024-02-03 10:00,Crisis,P,Y\n", names, unit
    )
    assert [
        (c["call_id"], c["hour"], c["call_type"], c["responder"], c["arrest"])
        for c in calls_of(agency)
    ] == [("1", "10", "crisis", "police_only", "yes")]


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path, text):
    with pytest.raises(SourceError, match=r"calls\.csv: holds no text"):
        tally_of(write_agency(tmp_path, text))


def test_column_named_twice(tmp_path):
    with pytest.raises(SourceError, match="the column 'at' stands twice"):
        tally_of(write_agency(tmp_path, "id,at,type,at\n1,2024-02-03,Crisis,2024-02-04\n"))


def book(folder, sheets, banner=()):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in (*banner, ["id", "at", "type"], *rows):
            sheet.append(row)
    folder.mkdir(parents=True, exist_ok=True)
    made.save(folder / "calls.xlsx")


XLSX = {'paths = "calls.csv"': 'paths = "calls.xlsx"'}


def test_sheets_are_read_or_named(tmp_path):
    january = [[f"A{i}", "2024-01-05 10:00", "Crisis"] for i in range(40)]
    february = [[f"B{i}", "2024-02-05 10:00", "Crisis"] for i in range(40)]
    book(tmp_path, {"Jan": january, "Feb": february})
    tally = tally_of(write_agency(tmp_path, None, XLSX))
    assert tally.counted == 40
    assert (
        "calls.xlsx, sheet 'Feb' was not read; name it with 'sheet', or write sheet = \"*\""
        in tally_text(tally)
    )
    both = write_agency(
        tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.xlsx"\nsheet = "*"'}
    )
    assert tally_of(both).counted == 80
    with pytest.raises(SourceError, match="has no sheet 'March'; its sheets are: Jan, Feb"):
        tally_of(
            write_agency(
                tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.xlsx"\nsheet = "March"'}
            )
        )


def test_a_workbook_is_parsed_once(tmp_path, monkeypatch):
    from anonymize.read import workbook

    book(tmp_path, {"Jan": [["1", "2024-01-05 10:00", "Crisis"]]})
    read = []
    real = workbook.XLSX
    monkeypatch.setattr(
        workbook, "XLSX", replace(real, rows=lambda *a: read.append(a) or real.rows(*a))
    )
    assert tally_of(write_agency(tmp_path, None, XLSX)).counted == 1
    assert len(read) == 1
    read.clear()
    (tmp_path / "draft").mkdir()
    drafted([tmp_path / "calls.xlsx"], tmp_path / "draft", date(2024, 7, 1))
    assert len(read) == 1, "the draft looks at its first rows and then at all, in one reading"


def test_title_rows_above_the_names(tmp_path):
    book(
        tmp_path,
        {"Report": [[str(i), "2024-01-05 10:00", "Crisis"] for i in range(40)]},
        banner=[["Calls of January"], []],
    )
    with pytest.raises(
        SourceError, match="names stand in row 3, not in row 1; write header_row = 3"
    ):
        tally_of(write_agency(tmp_path, None, XLSX))
    named = write_agency(
        tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.xlsx"\nheader_row = 3'}
    )
    assert tally_of(named).counted == 40


def test_a_formula_without_a_result_is_refused(tmp_path):
    book(tmp_path, {"Jan": [["1", "2024-01-05 10:00", '="Cri"&"sis"']]})
    with pytest.raises(SourceError, match="row 2 holds a formula without a stored result"):
        tally_of(write_agency(tmp_path, None, XLSX))


def test_a_date_cell_without_a_clock_has_no_hour(tmp_path):
    from datetime import datetime

    made = openpyxl.Workbook()
    made.active.append(["id", "at", "type"])
    for i, form in enumerate(("yyyy-mm-dd", "yyyy-mm-dd hh:mm")):
        made.active.append([str(i), datetime(2024, 2, 3), "Crisis"])
        made.active.cell(i + 2, 2).number_format = form
    made.save(tmp_path / "calls.xlsx")
    assert hours(write_agency(tmp_path, None, XLSX)) == {"unknown.hour": 1, "00": 1}


def test_times_with_zones(tmp_path):
    rows = HEADER + "".join(
        f"{i},{text},Crisis\n"
        for i, text in enumerate(
            (
                "2024-02-03 04:00:00 UTC",
                "2024-02-03 04:00Z",
                "2024-02-03 04:00 EST",
                "2024-02-03 04:00 America/New_York",
                "2024-02-03 04:00 CST",
                "2024-02-03 04:00 xyz",
                "2024-07-01 04:00 CST",
                "2024-02-03 10:00 PM",
                "2024-02-03 12:15:00 AM",
            )
        )
    )
    agency = write_agency(
        tmp_path,
        rows,
        {
            "created = 2024-07-01": "created = 2024-08-01",
            "data_to = 2024-06-30": "data_to = 2024-07-31",
        },
    )
    assert {c["call_id"]: c["hour"] for c in calls_of(agency)} == {
        "0": "22",
        "1": "22",
        "2": "03",
        "3": "03",
        "4": "04",
        "7": "22",
        "8": "00",
    }
    assert tally_of(agency).rejected == {"impossible_time": 2}


def test_times_in_the_american_order_are_asked_about(tmp_path):
    rows = HEADER + "".join(
        f"{i},{1 + i % 12}/{1 + i % 11}/2024 6:10 PM,Crisis\n" for i in range(40)
    )
    limit = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    with pytest.raises(
        SourceError,
        match=(
            r"no day is over 12, so format = \"%m/%d/%Y %I:%M %p\" \(month first\) and format ="
            r" \"%d/%m/%Y %I:%M %p\" \(day first\) both fit"
        ),
    ) as caught:
        tally_of(write_agency(tmp_path, rows, limit))
    assert "9/9/9999 9:99 AA" in str(caught.value)
    with pytest.raises(SourceError, match=r"format = \"%m/%d/%Y %I:%M %p\" would fit"):
        tally_of(write_agency(tmp_path, rows + "x,2/29/2024 6:10 PM,Crisis\n", limit))


@pytest.mark.parametrize(
    ("form", "text", "hour"),
    [
        ("epoch", "1706932800", "22"),
        ("epoch_ms", "1706932800000", "22"),
        ("excel", "45325.75", "18"),
        ("%Y%m%d%H%M%S", "20240203181000", "18"),
        ("%d-%b-%Y %H:%M", "03-Feb-2024 18:10", "18"),
        ("%m/%d/%Y %I:%M %p", "2/3/2024 6:10 p.m.", "18"),
        ("%m/%d/%Y %H:%M:%S %z", "02/03/2024 18:10:00 -0500", "17"),
        ("%m/%d/%Y %H:%M:%S.%f", "02/03/2024 18:10:00.1234567", "18"),
    ],
)
def test_formats(tmp_path, form, text, hour):
    agency = write_agency(
        tmp_path,
        HEADER + f"1,{text},Crisis\n",
        {'timestamp = "at"': f'timestamp = "at"\nformat = "{form}"'},
    )
    assert list(hours(agency)) == [hour]


def test_several_formats_and_a_date_without_a_clock(tmp_path):
    rows = HEADER + "1,2/3/2024 6:10 PM,Crisis\n2,2/3/2024,Crisis\n3,2024-02-03 10:00,Crisis\n"
    agency = write_agency(
        tmp_path,
        rows,
        {'timestamp = "at"': 'timestamp = "at"\nformat = ["%m/%d/%Y %I:%M %p", "%m/%d/%Y", "iso"]'},
    )
    assert {c["call_id"]: c["hour"] for c in calls_of(agency)} == {
        "1": "18",
        "2": "unknown.hour",
        "3": "10",
    }
    assert tally_of(agency).completeness["hour"] == (2, 3)


@pytest.mark.parametrize(
    ("form", "said"),
    [("%q", "no part of a format"), ("%I:%M", "without AM or PM"), ("d/m/y", "is no format")],
)
def test_formats_that_are_none(tmp_path, form, said):
    with pytest.raises(SchemaError, match=said):
        tally_of(
            write_agency(
                tmp_path, HEADER, {'timestamp = "at"': f'timestamp = "at"\nformat = "{form}"'}
            )
        )


@pytest.mark.parametrize(
    ("forms", "refused"),
    [
        (["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"], True),
        (["%d.%m.%y", "iso", "%y.%m.%d"], True),
        (["%m/%d/%Y %H:%M", "%m/%d/%Y"], False),
    ],
)
def test_formats_that_read_one_text_as_two_days_are_refused(tmp_path, forms, refused):
    listed = {'timestamp = "at"': f'timestamp = "at"\nformat = {json.dumps(forms)}'}
    agency = write_agency(tmp_path, HEADER + "1,02/03/2024 18:10,Crisis\n", listed)
    if refused:
        with pytest.raises(SchemaError, match="as different days; keep the one that is true"):
            tally_of(agency)
    else:
        assert tally_of(agency).counted == 1


ARRIVAL = {'call_type = "type"\n': 'call_type = "type"\narrived_at = "arr"\n'}
WAITS = (
    '\n[[statistics]]\nname = "w"\ntitle = "W"\nmeasure = "minutes_call_to_arrival"\n'
    'dimensions = { period = ["all"] }\nminimum = 3\n'
)


def waits(agency):
    return {c["call_id"]: c["minutes_call_to_arrival"] for c in calls_of(agency)}


def test_waits_over_changes_of_the_clocks(tmp_path):
    """Half past one to half past three in the night of March 10 is one hour; in the night of
    November 3 half past one comes twice."""
    rows = (
        "id,at,type,arr\n1,2024-03-10 01:30,Crisis,2024-03-10 03:30\n"
        "2,2024-11-03 00:30,Crisis,2024-11-03 02:30\n"
    )
    rows += (
        "3,2024-11-03 01:30,Crisis,2024-11-03 02:00\n"
        "4,2024-11-03 01:30-05:00,Crisis,2024-11-03 02:00\n"
        "5,2024-11-03 06:30Z,Crisis,2024-11-03 07:30Z\n"
    )
    rows += (
        "6,2024-03-10 02:30,Crisis,2024-03-10 03:30\n7,2024-11-02 23:30,Crisis,2024-11-03 23:00\n"
        "8,2024-11-05 10:00,Crisis,2024-11-05 09:00\n"
    )
    year = {
        "created = 2024-07-01": "created = 2025-01-01",
        "data_to = 2024-06-30": "data_to = 2024-12-31",
    }
    agency = write_agency(tmp_path, rows, ARRIVAL | year, WAITS)
    found = {
        call: None if seconds != seconds else seconds for call, seconds in waits(agency).items()
    }
    assert found == {
        "1": 3600,
        "2": 10800,
        "3": None,
        "4": 5400,
        "5": 3600,
        "6": None,
        "7": None,
        "8": None,
    }
    tally = tally_of(agency)
    assert tally.durations["minutes_call_to_arrival"] == (1, 1)
    assert (tally.notes["comes_twice"], tally.notes["skipped"]) == (3, 1)
    assert {c["call_id"]: c["hour"] for c in calls_of(agency)}["6"] == "unknown.hour"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("seconds_after_call", "720"),
        ("minutes_after_call", "12"),
        ("clock_after_call", "00:02"),
        ("epoch", "1706940120"),
    ],
)
def test_times_after_the_call(tmp_path, form, text):
    agency = write_agency(
        tmp_path,
        f"id,at,type,arr\n1,2024-02-02 23:50,Crisis,{text}\n",
        ARRIVAL,
        f'[calls.times.arrived_at]\nformat = "{form}"\n' + WAITS,
    )
    assert waits(agency) == {"1": 720}


def test_a_crew_or_backup_from_before_the_call_is_a_wrong_time(tmp_path):
    columns = {
        'call_type = "type"\n': (
            'call_type = "type"\nbackup_requested_at = "asked"\nbackup_arrived_at = "came"\n'
            'other_units_cleared_at = "left"\ncleared_at = "end"\n'
        )
    }
    rows = "id,at,type,asked,came,left,end\n" + "".join(
        f"{i},2024-02-03 10:00,Crisis,2024-02-03 {asked},2024-02-03 10:20,2024-02-03 {left},"
        "2024-02-03 11:00\n"
        for i, (asked, left) in enumerate([("10:10", "10:30"), ("09:50", "09:10")] * 10)
    )
    tally = tally_of(write_agency(tmp_path, rows, columns))
    assert tally.durations["minutes_to_backup"] == (10, 0)
    assert tally.durations["hours_others_freed"] == (10, 0)


def test_a_clock_in_the_minute_of_the_call_is_no_wait_of_a_day(tmp_path):
    """A clock without seconds beside a call with seconds: less than a minute, not 24 hours."""
    agency = write_agency(
        tmp_path,
        "id,at,type,arr\n1,2024-02-02 18:10:30,Crisis,18:10\n2,2024-02-02 18:10:30,Crisis,18:09\n",
        ARRIVAL,
        '[calls.times.arrived_at]\nformat = "clock_after_call"\n' + WAITS,
    )
    found = waits(agency)
    assert found["1"] is None or found["1"] != found["1"]
    assert found["2"] == 24 * 3600 - 90
    assert tally_of(agency).durations["minutes_call_to_arrival"] == (1, 0)


def test_a_clock_beside_the_date_of_another_time(tmp_path):
    times = '[calls.times.arrived_at]\nformat = "%m/%d/%Y"\nclock = "clock"\n'
    agency = write_agency(
        tmp_path,
        "id,at,type,arr,clock\n1,2024-02-02 23:50,Crisis,02/03/2024,12:02 AM\n",
        ARRIVAL,
        times + WAITS,
    )
    assert waits(agency) == {"1": 720}


def test_times_that_are_none_stop_the_run_past_the_limit(tmp_path):
    rows = "id,at,type,arr\n" + "".join(
        f"{i},2024-02-02 23:50,Crisis,2/{1 + i % 28}/2024 23:55\n" for i in range(40)
    )
    limit = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    with pytest.raises(
        SourceError,
        match=(
            r"\[calls.times.arrived_at\]: 40 of 40 values of the column 'arr' cannot be read as"
            r" times; .* format = \"%m/%d/%Y %H:%M\" would fit"
        ),
    ):
        tally_of(write_agency(tmp_path, rows, ARRIVAL | limit))
    assert tally_of(write_agency(tmp_path, rows, ARRIVAL)).misread["arrived_at"] == (40, 40)


def test_midnight_that_stands_for_no_clock_is_said(tmp_path):
    rows = HEADER + "".join(
        f"{i},2024-02-{1 + i % 28:02d} "
        f"{'00:00' if i % 4 == 0 else f'{i % 24:02d}:{i % 60:02d}'},Crisis\n"
        for i in range(400)
    )
    assert "came in at exactly midnight" in tally_text(tally_of(write_agency(tmp_path, rows)))
    assert "midnight" not in tally_text(tally_of(write_agency(tmp_path, HEADER + ROWS)))


UNITS = {
    'call_type = "type"\n': (
        'call_type = "type"\nresponder = "unit"\narrived_at = "arr"\n\n[calls.values.responder]\n'
        '"P12" = "police_only"\n"CR1" = "co_responder"\n'
    )
}
PAIRS = "id,at,type,unit,arr\n" + "".join(
    f"A{i},2024-01-05 10:00,Crisis,P12,2024-01-05 10:20\n"
    f"A{i},2024-01-05 10:00,Crisis,CR1,2024-01-05 10:12\n"
    for i in range(40)
)


def test_an_order_that_holds_none_of_the_codes_decides_nothing(tmp_path):
    """Else any of the rows would win."""
    order = '[calls.combine]\nresponder = ["clinician_only"]\narrived_at = "earliest"\n'
    combine = 'repeated_rows = "combine"\nreject_limit_percent = {}'
    limit = "reject_limit_percent = 100"
    strict = write_agency(tmp_path, PAIRS, UNITS | {limit: combine.format(2)}, order)
    with pytest.raises(SourceError, match=r"40 of 40 calls.* differ in responder \(40\).*order"):
        tally_of(strict)
    loose = write_agency(tmp_path, PAIRS, UNITS | {limit: combine.format(100)}, order)
    assert tally_of(loose).differing == {"responder": 40}
    assert {call["responder"] for call in calls_of(loose)} == {"police_only"}, "the first row's"


def test_rows_of_units_are_combined_by_rule(tmp_path):
    limit = "reject_limit_percent = 100"
    with pytest.raises(
        SourceError, match=r"40 of 40 calls stand on several rows that differ.* in responder \(40\)"
    ):
        tally_of(
            write_agency(
                tmp_path,
                PAIRS,
                UNITS | {limit: 'repeated_rows = "keep_first"\nreject_limit_percent = 2'},
            )
        )
    rules = (
        '[calls.combine]\nresponder = ["co_responder", "clinician_only", "police_only"]\n'
        'arrived_at = "earliest"\n'
    )
    agency = write_agency(
        tmp_path,
        PAIRS,
        UNITS | {limit: 'repeated_rows = "combine"\nreject_limit_percent = 2'},
        rules + WAITS,
    )
    calls = calls_of(agency)
    assert Counter((c["responder"], c["minutes_call_to_arrival"], c["wait"]) for c in calls) == {
        ("co_responder", 720, "10_to_20"): 40
    }
    tally = tally_of(agency)
    assert (tally.counted, tally.repeated, tally.conflicting_repeats) == (40, 40, 0)
    missing = write_agency(
        tmp_path,
        PAIRS,
        UNITS | {limit: 'repeated_rows = "combine"\nreject_limit_percent = 2'},
        '[calls.combine]\narrived_at = "earliest"\n',
    )
    with pytest.raises(SourceError, match=r"40 of 40 calls.* differ in responder \(40\)"):
        tally_of(missing)


@pytest.mark.parametrize(
    ("rule", "expected"), [("any", "yes"), ("all", "no"), ("first", "no"), ("last", "yes")]
)
def test_flags_are_combined(tmp_path, rule, expected):
    columns = {
        'call_type = "type"\n': 'call_type = "type"\narrest = "arrest"\n',
        "reject_limit_percent = 100": 'repeated_rows = "combine"\nreject_limit_percent = 2',
    }
    rows = (
        "id,at,type,arrest\n1,2024-02-05 10:00,Crisis,\n1,2024-02-05 10:00,Crisis,N\n"
        "1,2024-02-05 10:00,Crisis,Y\n2,2024-02-05 10:00,Crisis,\n2,2024-02-05 10:00,Crisis,\n"
    )
    agency = write_agency(tmp_path, rows, columns, f'[calls.combine]\narrest = "{rule}"\n')
    assert {c["call_id"]: c["arrest"] for c in calls_of(agency)} == {"1": expected, "2": "unknown"}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('arrest = "any"', "which \\[calls.columns\\] does not name"),
        ('call_type = "any"', "is one of first, last, or a list"),
        ('call_type = ["crisys"]', "'crisys' is not a code of 'call_type'"),
        ('received_at = ["x"]', "an order of preference is for categories"),
    ],
)
def test_rules_that_are_none(tmp_path, rules, said):
    agency = write_agency(
        tmp_path,
        HEADER,
        {"reject_limit_percent": 'repeated_rows = "combine"\nreject_limit_percent'},
        f"[calls.combine]\n{rules}\n",
    )
    with pytest.raises(SchemaError, match=said):
        tally_of(agency)


def test_a_key_that_matches_nothing_is_said(tmp_path):
    values = {
        '"Crisis" = "crisis"\n"Check" = "check"\n': (
            '"46A - CIT w/ Ambulance" = "crisis"\n"*" = "check"\n'
        )
    }
    rows = (HEADER + ROWS).replace("Crisis", "46A - CIT w/Ambulance")
    tally = tally_of(write_agency(tmp_path, rows, values))
    assert tally.values["call_type"].unmatched_keys == (
        ("46A - CIT w/ Ambulance", "46A - CIT w/Ambulance"),
    )
    assert tally.values["call_type"].caught == (("46A - CIT w/Ambulance", 40),)
    assert (
        "the key '46A - CIT w/ Ambulance' matches no value of the export; the export has '46A - CIT"
        " w/Ambulance'" in tally_text(tally)
    )


def test_a_category_in_several_columns(tmp_path):
    columns = {
        'call_type = "type"': 'call_type = ["r1", "r2"]',
        '"Check" = "check"': '"*" = "check"',
    }
    rows = "id,at,r1,r2\n" + "".join(
        f"{i},2024-02-05 10:00,THEFT,{'Crisis' if i < 40 else ''}\n" for i in range(60)
    )
    assert Counter(c["call_type"] for c in calls_of(write_agency(tmp_path, rows, columns))) == {
        "crisis": 40,
        "check": 20,
    }


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u3000", " \u00a0 ", "\x0b"])
def test_every_kind_of_blank_is_a_blank(tmp_path, blank):
    """In the value, in the key, and behind the value."""
    kinds = {
        '"Crisis" = "crisis"\n"Check" = "check"': (
            f'"MH{blank if blank.isprintable() else chr(0x2003)}crisis" = "crisis"\n"*" = "check"'
        )
    }
    texts = [f"MH{blank}crisis", "MH crisis", f"mh crisis{blank}", "other"]
    rows = HEADER + "".join(f"{i},2024-02-03 10:00,{texts[i % 4]}\n" for i in range(40))
    agency = write_agency(tmp_path, rows, kinds)
    assert Counter(c["call_type"] for c in calls_of(agency)) == {"crisis": 30, "check": 10}
    report = tally_of(agency).values["call_type"]
    assert (report.unmatched_keys, report.caught) == ((), (("other", 10),))


def test_codes_that_differ_in_case_stay_apart(tmp_path):
    areas = (
        '[areas.area]\nname = "Area"\nall = "All"\nlevels = ["beat"]\n'
        'codes = ["A1", "a1", "001", "1"]\n'
    )
    rows = "id,at,type,beat\n" + "".join(
        f"{i},2024-02-05 10:00,Crisis,{code}\n"
        for i, code in enumerate(("A1", "a1", "a1", "001", "1", " 1 "))
    )
    agency = write_agency(
        tmp_path, rows, {'call_type = "type"': 'call_type = "type"\narea = "beat"'}, areas
    )
    assert Counter(c["area"] for c in calls_of(agency)) == {"A1": 1, "a1": 2, "001": 1, "1": 2}


def test_rows_that_repeat_in_every_column_are_said(tmp_path):
    agency = write_agency(
        tmp_path, None, {'call_id = "id"\n': "", 'paths = "calls.csv"': 'paths = "part-*.csv"'}
    )
    for name in ("one", "two"):
        (tmp_path / f"part-{name}.csv").write_text(
            "at,type,note\n" + "".join(f"2024-02-{d:02d} 10:00,Crisis,{d}\n" for d in range(1, 21))
        )
    tally = tally_of(agency)
    assert (tally.counted, tally.notes["identical_rows"]) == (40, 20)
    assert "20 rows repeat another row in every column" in tally_text(tally)


REFERRALS = {
    "call_id": "id",
    "partner_type": "to",
    "offered": "o",
    "accepted": "a",
    "connected_at": "c",
}


@pytest.mark.parametrize(
    ("times", "outcome"), [('times.connected_at.format = "%m/%d/%Y", ', "connected"), ("", None)]
)
def test_handoffs_in_the_american_order(tmp_path, times, outcome):
    extra = f'\n[inputs]\nhandoffs = {{ {times}paths = "h.csv" }}\n'
    agency = write_agency(
        tmp_path, HEADER + ROWS, {"reject_limit_percent = 100": "reject_limit_percent = 2"}, extra
    )
    (tmp_path / "h.csv").write_text(
        "call_id,partner_type,offered,accepted,connected_at\n"
        + "".join(f"{i},housing,yes,yes,02/29/2024\n" for i in range(40))
    )
    if outcome:
        assert Counter(c["handoff"] for c in calls_of(agency)) == {outcome: 40}
    else:
        with pytest.raises(
            SourceError,
            match=r"\[inputs.handoffs\]: 40 of 40 values of 'connected_at' cannot be read as times",
        ):
            calls_of(agency)


def referred(folder, ids, visit):
    agency = write_agency(folder, HEADER + ROWS, {}, '\n[inputs]\nhandoffs = { paths = "h.csv" }\n')
    (folder / "h.csv").write_text(
        "call_id,partner_type,offered,accepted,connected_at\n"
        + "".join(f"{i},housing,yes,yes,{visit}\n" for i in ids)
    )
    return agency


def test_handoffs_whose_calls_are_not_there_are_counted(tmp_path):
    """Ids that lost their zeros would make every referral a call without one."""
    padded = [f"{i:06d}" for i in range(40)]
    with pytest.raises(SourceError, match="none of its 40 call ids is one of the calls' export"):
        calls_of(referred(tmp_path / "none", padded, "2024-03-01"))
    agency = referred(tmp_path / "some", [*range(37), *padded[:3]], "2024-03-01")
    assert "3 call ids of the handoffs are none of the calls' export" in tally_text(
        tally_of(agency)
    )
    assert Counter(c["handoff"] for c in calls_of(agency)) == {"connected": 37, "none": 3}


@pytest.mark.parametrize("visit", ["2023-12-31", "2034-03-01"])
def test_visits_before_the_call_or_after_the_release_are_said(tmp_path, visit):
    agency = referred(tmp_path, range(40), visit)
    assert "40 visits in 'connected_at' of the handoffs before the call, or after the" in (
        tally_text(tally_of(agency))
    )
    assert Counter(c["handoff"] for c in calls_of(agency)) == {"accepted": 40}


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("1,500", True),
        ("$1,500.50", True),
        ("1,5", False),
        ("nan", False),
        ("inf", False),
        ("1e3", False),
        ("12 dollars", False),
        ("-3", False),
    ],
)
def test_numbers_are_read_whole(tmp_path, text, fine):
    agency = write_agency(tmp_path, HEADER + ROWS, {}, '\n[inputs]\nbudget = { paths = "b.csv" }\n')
    (tmp_path / "b.csv").write_text(f'year,source,planned\n2024,City,"{text}"\n')
    if fine:
        tally_of(agency)
    else:
        with pytest.raises(SourceError, match="'planned' must be a number"):
            tally_of(agency)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("2024-02", True),
        ("2024-02-28", True),
        ("2024-02 draft", False),
        ("2024-13", False),
        ("02/2024", False),
    ],
)
def test_months_are_read_whole(tmp_path, text, fine):
    agency = write_agency(
        tmp_path, HEADER + ROWS, {}, '\n[inputs]\nall_calls = { paths = "m.csv" }\n'
    )
    (tmp_path / "m.csv").write_text(f"month,calls\n{text},5\n")
    if fine:
        tally_of(agency)
    else:
        with pytest.raises(
            SourceError, match=r"m\.csv, line 2: 'month' must be a month such as 2025-03"
        ):
            tally_of(agency)


def test_a_shift_over_a_change_of_the_clocks(tmp_path):
    """From 22:00 to 06:00 is seven hours in the night of March 10, and nine in that of November
    3."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from anonymize.records.program_inputs import _hours_between

    zone = ZoneInfo("America/Chicago")
    for day, following, length in (
        ("2024-03-09", "2024-03-10", 7),
        ("2024-11-02", "2024-11-03", 9),
        ("2024-06-01", "2024-06-02", 8),
    ):
        spans = _hours_between(
            datetime.fromisoformat(f"{day} 22:00"),
            datetime.fromisoformat(f"{following} 06:00"),
            zone,
        )
        assert sum(share for _moment, share in spans) == length


@pytest.mark.parametrize("blank", ["", " "])
def test_a_zone_that_is_not_in_force_is_named_with_its_cure(tmp_path, blank):
    """Systems write CST all year: the message has the line that mends it, and with that line the
    clock on the wall is read."""
    form = f"%Y%m%d%H%M%S{blank}"
    rows = "id,at,type\n" + "".join(
        f"{i},2024{1 + i % 6:02d}05{8 + i % 9:02d}1500{blank}CST,Crisis\n" for i in range(60)
    )
    strict = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    letters = {'timestamp = "at"': f'timestamp = "at"\nformat = "{form}%Z"', **strict}
    with pytest.raises(SourceError) as refused:
        tally_of(write_agency(tmp_path, rows, letters))
    said = str(refused.value)
    cure = f'format = "{form}CST"'
    assert "end in a zone (CST) that is not in force on their day" in said
    assert f"if they are the clock on the wall, write {cure};" in said
    assert 'timezone = "Etc/GMT+6"' in said
    mended = {'timestamp = "at"': f'timestamp = "at"\n{cure}', **strict}
    read = calls_of(write_agency(tmp_path, rows, mended))
    assert len(read) == 60
    assert Counter(call["hour"] for call in read) == Counter(f"{8 + i % 9:02d}" for i in range(60))


def test_times_that_are_none_are_not_blamed_on_a_zone(tmp_path):
    rows = "id,at,type\n" + "".join(f"{i},soon EST,Crisis\n" for i in range(60))
    strict = {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    with pytest.raises(SourceError, match="cannot be read as times") as refused:
        tally_of(write_agency(tmp_path, rows, strict))
    assert "in force" not in str(refused.value)


def months(folder):
    """An agency file of twelve small exports."""
    for month in range(12):
        rows = "".join(f"{month}-{i},2024-0{1 + month % 6}-05 10:00,Crisis\n" for i in range(3))
        (folder / f"calls-{month:02d}.csv").write_text(f"id,at,type\n{rows}")
    return write_agency(folder, None, {'paths = "calls.csv"': 'paths = "calls-*.csv"'})


def test_small_parts_are_read_by_one_query(tmp_path, monkeypatch):
    from anonymize.engine import duck

    read = []
    real = duck._insert
    monkeypatch.setattr(duck, "_insert", lambda *a: read.append(len(a[2])) or real(*a))
    assert tally_of(months(tmp_path)).counted == 36 and read == [12]
    monkeypatch.setattr(duck, "MAX_TOGETHER", 9)
    read.clear()
    assert tally_of(months(tmp_path)).counted == 36 and read == [3, 3, 3, 3]
    monkeypatch.setattr(duck, "SMALL", 2)
    read.clear()
    assert tally_of(months(tmp_path)).counted == 36 and read == [1] * 12


def test_a_part_whose_rows_are_not_those_counted_is_named(tmp_path, monkeypatch):
    from anonymize.engine import duck

    real = duck.make_ready

    def miscounted(db, source, number):
        ready = real(db, source, number)
        return replace(ready, records=ready.records + (number == 7))

    monkeypatch.setattr(duck, "make_ready", miscounted)
    with pytest.raises(SourceError, match=r"calls-07\.csv: 3 records were read where 4 were"):
        tally_of(months(tmp_path))


def test_a_small_part_does_not_join_a_large_one():
    from types import SimpleNamespace

    from anonymize.engine.duck import _together

    sizes = {0: 60_000, 1: 0, 2: 5, 3: 60_000, 4: 50_000}
    parts = {number: SimpleNamespace(records=records) for number, records in sizes.items()}
    assert _together(parts) == [[0], [1, 2], [3], [4]]


@pytest.mark.parametrize(
    ("form", "impossible", "other"),
    [
        ("%Y-%j %H:%M", "2023-366 10:00", "2024-060 10:00"),
        ("%m/%d/%Y %H:%M %p", "01/02/2024 00:10 PM", "01/02/2024 06:10 PM"),
    ],
)
def test_a_time_that_contradicts_itself_is_none(tmp_path, form, impossible, other):
    """Day 366 of a common year was January 1 of the next, and ten past midnight p.m. was noon."""
    rows = f"id,at,type\n1,{impossible},Crisis\n2,{other},Crisis\n"
    agency = write_agency(
        tmp_path, rows, {'timestamp = "at"': f'timestamp = "at"\nformat = "{form}"'}
    )
    (call,) = calls_of(agency)
    assert call["call_id"] == "2"
    assert sum(tally_of(agency).rejected.values()) == 1
