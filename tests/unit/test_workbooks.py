"""Workbooks of every kind are read alike: the text of each cell exactly, every sheet read or named,
and two readings that agree."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest

from anonymize.cli import main
from anonymize.draft.run import drafted
from anonymize.draft.write import agency_file
from anonymize.errors import SourceError
from anonymize.portrait.tally_text import tally_text
from anonymize.read import workbook
from tests.agency import calls_of, tally_of, write_agency
from tests.conftest import ROOT

XLS = ROOT / "tests/workbooks/calls.xls"
SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)
NAMES = ["id", "at", "type"]


def cell(value, shown=None):
    """A cell as office programs write it; `shown`: the text on the screen."""
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, str) and value.startswith("<"):
        return value
    if isinstance(value, str):
        words = value.replace("&", "&amp;").replace("  ", ' <text:s text:c="1"/>')
        paragraphs = "".join(f"<text:p>{line}</text:p>" for line in words.split("\n"))
        return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'
    kind, attribute = "float", f'office:value="{value}"'
    if isinstance(value, bool):
        kind, attribute = "boolean", f'office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, datetime):
        # As LibreOffice does: no clock in the value at midnight, whatever the cell shows.
        written = value if value.time() != time() else value.date()
        kind, attribute = "date", f'office:date-value="{written.isoformat()}"'
    elif isinstance(value, date):
        kind, attribute = "date", f'office:date-value="{value.isoformat()}"'
    elif isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        clock = f"PT{seconds // 3600:02d}H{seconds // 60 % 60:02d}M{seconds % 60:02d}S"
        kind, attribute = "time", f'office:time-value="{clock}"'
    shown = (
        shown
        if shown is not None
        else f"{value:%m/%d/%Y %H:%M}"
        if isinstance(value, datetime)
        else str(value)
    )
    return (
        f'<table:table-cell office:value-type="{kind}"'
        f" {attribute}><text:p>{shown}</text:p></table:table-cell>"
    )


def row(*values):
    return f"<table:table-row>{''.join(map(cell, values))}</table:table-row>"


FILLER = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell'
    ' table:number-columns-repeated="16384"/></table:table-row>'
)


def ods(target, sheets, before=""):
    """An OpenDocument workbook; `sheets`: name -> rows of values, or of XML."""
    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(one if isinstance(one, str) else row(*one) for one in rows)
        + f"{FILLER}</table:table>"
        for name, rows in sheets.items()
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {SPACES}'
            ' office:version="1.3"><office:body><office:spreadsheet>'
            f"{before}{tables}</office:spreadsheet></office:body></office:document-content>",
        )
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return target


def xlsx(target, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for values in rows:
            sheet.append(list(values))
    book.save(target)
    return target


def texts(path, sheet, folder):
    return [cells for _number, cells in workbook.first_rows(path, sheet, 1000, folder)]


def of(name):
    return {'paths = "calls.csv"': f'paths = "{name}"'}


def test_cells_of_an_old_workbook(tmp_path):
    assert dict(texts(XLS, "Cells", tmp_path)) == {
        "kind": "value",
        "whole": "7",
        "decimal": "0.1",
        "zeros": "00042",
        "blanks": "a  b",
        "lines": "Ñandú\nsecond",
        "yes": "true",
        "midnight": "2024-02-03 00:00:00",
        "day": "2024-02-03",
        "moment": "2024-02-03 18:10:59",
        "clock": "18:10:59",
        "span": "26:00:00",
        "leap": "2024-02-29 23:59:59",
    }


def test_cells_of_an_opendocument_workbook(tmp_path):
    kinds = {
        "whole": (7, "7"),
        "decimal": (0.1, "0.1"),
        "zeros": ("00042", "00042"),
        "blanks": ("a  b", "a  b"),
        "lines": ("Ñandú\nsecond & third", "Ñandú\nsecond & third"),
        "yes": (True, "true"),
        "midnight": (datetime(2024, 2, 3), "2024-02-03 00:00:00"),
        "day": (date(2024, 2, 3), "2024-02-03"),
        "moment": (datetime(2024, 2, 3, 18, 10, 59), "2024-02-03 18:10:59"),
        "clock": (timedelta(hours=18, minutes=10), "18:10:00"),
        "span": (timedelta(hours=26), "26:00:00"),
        "note": (
            (
                '<table:table-cell office:value-type="string"><office:annotation><text:p>Jane'
                " Roe</text:p></office:annotation><text:p>seen</text:p></table:table-cell>"
            ),
            "seen",
        ),
        "fraction": (
            (
                '<table:table-cell office:value-type="date"'
                ' office:date-value="2024-02-03T18:10:58.999999999">'
                "<text:p>x</text:p></table:table-cell>"
            ),
            "2024-02-03 18:10:59",
        ),
    }
    path = ods(
        tmp_path / "a.ods", {"One": [[name, value] for name, (value, _text) in kinds.items()]}
    )
    assert dict(texts(path, "One", tmp_path)) == {
        name: text for name, (_value, text) in kinds.items()
    }


MOMENTS = [datetime(2024, 1, 1 + i % 28, i % 24, i % 60) for i in range(60)]
ROWS = [
    ["Calls for service"],
    [],
    NAMES,
    *([i, at, "Crisis" if i % 3 else "Check"] for i, at in enumerate(MOMENTS)),
]


@pytest.mark.parametrize(("name", "write"), [("calls.xlsx", xlsx), ("calls.ods", ods)])
def test_workbooks_give_the_same_calls_as_text(tmp_path, name, write):
    plain = "id,at,type\n" + "".join(
        f"{i},{at:%Y-%m-%d %H:%M:%S},{'Crisis' if i % 3 else 'Check'}\n"
        for i, at in enumerate(MOMENTS)
    )
    expected = calls_of(write_agency(tmp_path / "text", plain))
    write(tmp_path / name, {"January": ROWS})
    given = calls_of(
        write_agency(tmp_path, None, {'paths = "calls.csv"': f'paths = "{name}"\nheader_row = 3'})
    )
    assert [c | {"row_no": 0} for c in given] == [c | {"row_no": 0} for c in expected]


def test_the_calls_of_an_old_workbook(tmp_path):
    shutil.copy(XLS, tmp_path / "calls.xls")
    sheets = {
        'paths = "calls.csv"': (
            'paths = "calls.xls"\nheader_row = 3\nsheet = ["January", "February"]'
        )
    }
    tally = tally_of(write_agency(tmp_path, None, sheets))
    assert (tally.counted, tally.rejected) == (
        80,
        {"malformed": 2},
    ), "a row with a value beyond the names is no record"
    assert "calls.xls, sheet 'Cells' was not read" in tally_text(tally)
    calls = calls_of(write_agency(tmp_path, None, sheets))
    assert {c["call_id"]: (c["period"], c["hour"]) for c in calls}["205"] == ("2024-02", "05")
    # Days since 1899 with a fraction, as numbers, say the same.
    days = calls_of(
        write_agency(
            tmp_path, None, sheets | {'timestamp = "at"': 'timestamp = "serial"\nformat = "excel"'}
        )
    )
    assert [(c["call_id"], c["period"], c["hour"]) for c in days] == [
        (c["call_id"], c["period"], c["hour"]) for c in calls
    ]


@pytest.mark.parametrize(
    ("name", "write"), [("calls.xlsx", xlsx), ("calls.ods", ods), ("calls.xls", None)]
)
def test_an_export_that_is_a_workbook_is_drafted_and_parsed_once(
    tmp_path, monkeypatch, name, write
):
    month = [
        ["Calls for service"],
        [],
        NAMES,
        *(
            [f"{i}", at, "MENTAL HEALTH" if i % 3 else "WELFARE CHECK"]
            for i, at in enumerate(MOMENTS)
        ),
    ]
    if write:
        write(tmp_path / name, {"January": month, "February": month})
    else:
        shutil.copy(XLS, tmp_path / name)
    read = watched(monkeypatch)
    text = agency_file(
        drafted([tmp_path / name], tmp_path / "private", date(2024, 7, 1)), tmp_path / "agency.toml"
    )
    assert "header_row = 3" in text and 'timestamp = "at"' in text
    assert len(read) == 1
    assert sorted(read[0]) == sorted({"January", "February", *(["Cells"] if not write else [])})


def watched(monkeypatch):
    """Readings of workbooks, each as the sheets that it gave."""
    read = []
    for kind in ("XLSX", "XLS", "ODS"):
        real = getattr(workbook, kind)

        def rows(path, sheets, real=real):
            read.append([])
            for sheet, row in real.rows(path, sheets):
                if row is None:
                    read[-1].append(sheet)
                yield sheet, row

        monkeypatch.setattr(workbook, kind, replace(real, rows=rows))
    return read


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize(("name", "write"), [("calls.xlsx", xlsx), ("calls.ods", ods)])
def test_a_draft_and_its_check_parse_a_workbook_once(
    tmp_path, monkeypatch, capsys, name, write, archive
):
    rows = [[f"{i}", moment, "MENTAL HEALTH"] for i, moment in enumerate(MOMENTS)]
    other = [[f"9{i}", *rest] for i, *rest in rows]
    path = write(tmp_path / name, {"January": [NAMES, *rows], "February": [NAMES, *other]})
    if archive:
        with zipfile.ZipFile(tmp_path / "calls.zip", "w") as packed:
            packed.write(path, name)
        path = tmp_path / "calls.zip"
    read, private = watched(monkeypatch), tmp_path / "private"
    arguments = ["init", str(path), "--out", str(tmp_path / "agency.toml"), "--yes", "--quiet"]
    assert main([*arguments, "--private", str(private)]) == 0
    assert f"Rows read: {2 * len(MOMENTS):,} from" in capsys.readouterr().out
    assert read == [["January", "February"]]
    assert not [left.name for left in private.iterdir() if ".tmp-" in left.name]


def test_a_sheet_that_cannot_be_read_does_not_hinder_another(tmp_path):
    formula = '<table:table-cell table:formula="of:=[.A1]"/>'
    good = [NAMES, ["1", datetime(2024, 2, 3, 10, 0), "Crisis"]]
    ods(tmp_path / "calls.ods", {"Jan": good, "Feb": [NAMES, ["2", "x", formula]]})
    assert workbook.sheet_names(tmp_path / "calls.ods", tmp_path) == ["Jan", "Feb"]
    assert len(texts(tmp_path / "calls.ods", "Jan", tmp_path)) == 2
    with pytest.raises(SourceError, match="formula without a stored result"):
        texts(tmp_path / "calls.ods", "Feb", tmp_path)


def test_rows_that_are_repeated_deleted_or_inside_a_cell(tmp_path):
    """`number-rows-repeated` stands for rows that are alike; a change that is kept for review, and
    a table inside a cell, are no rows of the sheet."""
    gone = (
        '<table:tracked-changes><table:deletion><table:table-cell office:value-type="string">'
        "<text:p>gone</text:p></table:table-cell></table:deletion></table:tracked-changes>"
    )
    twice = (
        f'<table:table-row table:number-rows-repeated="2">{cell("7")}'
        f"{cell(datetime(2024, 2, 3, 10, 1))}{cell('Crisis')}</table:table-row>"
    )
    blank = '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
    path = ods(
        tmp_path / "calls.ods",
        {"Jan": [NAMES, twice, blank, ["8", datetime(2024, 2, 3, 11, 1), "Check"]]},
        gone,
    )
    numbers = [number for number, _cells in workbook.first_rows(path, "Jan", 100, tmp_path)]
    assert numbers == [1, 2, 3, 7]
    assert tally_of(write_agency(tmp_path, None, of("calls.ods"))).rows == 3


def test_a_formula_without_a_result_in_an_opendocument_workbook(tmp_path):
    formula = '<table:table-cell table:formula="of:=[.A1]"/>'
    ods(tmp_path / "calls.ods", {"Jan": [NAMES, ["1", datetime(2024, 2, 3, 10, 0), formula]]})
    with pytest.raises(SourceError, match=r"row 2 holds a formula without a stored result"):
        tally_of(write_agency(tmp_path, None, of("calls.ods")))


@pytest.mark.parametrize("name", ["calls.ods", "calls.xls"])
def test_two_readings_that_differ_stop_the_run(tmp_path, monkeypatch, name):
    if name == "calls.ods":
        ods(
            tmp_path / name,
            {
                "Jan": [
                    NAMES,
                    ["1", datetime(2024, 2, 3, 10, 0), "Crisis"],
                    ["2", datetime(2024, 2, 3, 10, 0), "Crisis"],
                ]
            },
        )
    else:
        shutil.copy(XLS, tmp_path / name)
    for kind in ("ODS", "XLS"):
        real = getattr(workbook, kind)
        monkeypatch.setattr(
            workbook,
            kind,
            replace(real, rows=lambda *a, real=real: list(real.rows(*a))[:-1]),
        )
    with pytest.raises(SourceError, match="two readings count its rows differently"):
        tally_of(write_agency(tmp_path, None, of(name)))


BROKEN = [
    (
        b"<html><table><tr><td>id</td></tr></table></html>",
        "is a web page that is named like a workbook",
    ),
    (
        b"id\tat\ttype\n1\t2024-02-03\tCrisis\n",
        'is text that is named like a workbook; write format = "csv"',
    ),
    (b"PK\x03\x04 and no more", "cannot be read as a workbook"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "cannot be read as a workbook"),
    (b"\x00\x01\x02", "cannot be read as a workbook"),
    (b"", "cannot be read as a workbook"),
]


@pytest.mark.parametrize(("data", "said"), BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("name", ["calls.xls", "calls.ods", "calls.xlsx"])
def test_files_that_are_no_workbooks(tmp_path, capfd, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=said):
        tally_of(write_agency(tmp_path, None, of(name)))
    assert capfd.readouterr() == ("", ""), "a library speaks"


@pytest.mark.parametrize("name", ["calls.xls", "calls.ods"])
def test_broken_workbooks_are_refused_or_read_whole(tmp_path, name):
    """With any stretch of bytes gone, a workbook is refused in a sentence of ours, or nothing of it
    is lost that a reading could miss."""
    if name == "calls.ods":
        ods(tmp_path / name, {"January": ROWS, "February": ROWS})
    else:
        shutil.copy(XLS, tmp_path / name)
    whole = Path(tmp_path / name).read_bytes()
    refused = 0
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        (tmp_path / name).write_bytes(whole[:place] + b"\x00" * 64 + whole[place + 64 :])
        try:
            tally_of(
                write_agency(
                    tmp_path, None, of(name) | {"[calls.time]": "header_row = 3\n\n[calls.time]"}
                )
            )
        except SourceError as error:
            assert str(tmp_path) in str(error)
            refused += 1
    assert refused > 5


def test_a_workbook_named_wrongly_is_read_as_what_it_is(tmp_path):
    xlsx(tmp_path / "calls.xls", {"January": ROWS})
    assert (
        tally_of(
            write_agency(
                tmp_path, None, {'paths = "calls.csv"': 'paths = "calls.xls"\nheader_row = 3'}
            )
        ).counted
        == 60
    )
