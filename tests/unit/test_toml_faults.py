"""Mistakes in writing TOML are explained by their line and their cure, without a word of the
parser."""

from __future__ import annotations

import pytest

from anonymize.agency import load
from anonymize.errors import SchemaError, SourceError
from tests.agency import MINIMAL, tally_of, write_agency

ROWS = "id,at,type\n1,2024-02-05 10:00,Crisis\n"
PATHS = 'paths = "calls.csv"'


def said(folder, old, new):
    agency = write_agency(folder, ROWS, {old: new})
    with pytest.raises(SchemaError) as stopped:
        load(agency)
    (message,) = stopped.value.problems
    return message.removeprefix(f"{agency}:")


def line_of(old):
    return MINIMAL[: MINIMAL.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            PATHS,
            r'paths = "C:\Users\calls.csv"',
            r"has a backslash between double quotes, .*: paths = 'C:\\Users\\calls.csv'",
        ),
        (
            PATHS,
            r'paths = "C:\data\calls.csv"',
            r"has a backslash between double quotes, .*: paths = 'C:\\data\\calls.csv'",
        ),
        (
            PATHS,
            "paths = “calls.csv”",
            'has curly quotes, .* write straight ones instead: paths = "calls.csv"',
        ),
        (PATHS, 'paths = "calls.csv', "has a quotation mark that is not closed"),
        (PATHS, 'paths = ["calls.csv"', "has a bracket that is not closed"),
        (PATHS, "paths = calls.csv", 'has a text without quotes; write paths = "calls.csv"'),
        (PATHS, 'paths "calls.csv"', "is not written as name = value"),
        (PATHS, "paths = ", "has no value behind the equals sign"),
        (
            "threshold = 5",
            "threshold = 5\nthreshold = 6",
            "'privacy.threshold' stands here for the second time",
        ),
        ("data_to = 2024-06-30", "data_to = 2024-06-31", "2024-06-31 is no day of the calendar"),
    ],
)
def test_a_mistake_is_explained_by_its_line(tmp_path, old, new, words):
    message = said(tmp_path, old, new)
    line, _, sentence = message.partition(": ")
    assert int(line) == line_of(old) + new.count("\n")
    import re

    assert re.search(words, sentence), sentence
    assert "tomllib" not in sentence and "at line" not in sentence


def test_a_section_that_stands_twice(tmp_path):
    agency = write_agency(tmp_path, ROWS, extra="\n[calls.time]\ntimestamp = 'at'\n")
    with pytest.raises(
        SchemaError, match=r"'calls.time' stands here for the second time; keep one of the two"
    ):
        load(agency)


def test_a_mark_at_the_start_of_the_file_is_no_mistake(tmp_path):
    agency = write_agency(tmp_path, ROWS)
    agency.write_text(agency.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert tally_of(agency).counted == 1


def test_a_path_in_which_a_backslash_became_a_tab(tmp_path):
    message = said(tmp_path, PATHS, r'paths = "C:\temp\new.csv"')
    assert (
        "holds '\\t', which means a special sign between double quotes" in message
        and message.startswith(f"{line_of(PATHS)}: ")
    )


def test_bytes_of_another_encoding_name_it(tmp_path):
    agency = write_agency(
        tmp_path, None, {"reject_limit_percent = 100": "reject_limit_percent = 2"}
    )
    (tmp_path / "calls.csv").write_bytes((ROWS + "2,2024-02-05 10:00,Señal\n").encode("cp1252"))
    with pytest.raises(
        SourceError,
        match='1 of these lines hold bytes that are not utf-8; write encoding = "windows-1252"',
    ):
        tally_of(agency)


def test_the_sheet_that_holds_the_columns_is_named(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["About this report"])
    sheet = book.create_sheet("Data 2024")
    for row in (["id", "at", "type"], [1, "2024-02-05 10:00", "Crisis"]):
        sheet.append(row)
    book.save(tmp_path / "calls.xlsx")
    with pytest.raises(
        SourceError,
        match="has no column 'id', but sheet 'Data 2024' does; write sheet = \"Data 2024\"",
    ):
        tally_of(write_agency(tmp_path, None, {PATHS: 'paths = "calls.xlsx"'}))
    with pytest.raises(
        SourceError,
        match='its sheets are: Sheet, Data 2024; write one of them, such as sheet = "Sheet"',
    ):
        tally_of(write_agency(tmp_path, None, {PATHS: 'paths = "calls.xlsx"\nsheet = "Calls"'}))
