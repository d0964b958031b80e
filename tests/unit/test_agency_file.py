"""The agency file is checked once, and every mistake in it is reported with its line and its
cure."""

import pytest

from anonymize.agency import load
from anonymize.errors import SchemaError
from tests.agency import MINIMAL, lines_of, write_agency
from tests.conftest import ROOT


def line(text: str, part: str) -> int:
    return next(i for i, row in enumerate(text.splitlines(), start=1) if part in row)


@pytest.mark.parametrize("name", ["toronto.toml", "seattle.toml", "example_city/agency.toml"])
def test_examples_are_valid(name):
    assert load(ROOT / "examples" / name).file.tables


def test_all_mistakes_at_once(tmp_path):
    agency = write_agency(
        tmp_path,
        replace={
            "threshold = 5": "treshold = 5",
            'timezone = "America/Chicago"': 'timezone = "Chicago"',
            "created = 2024-07-01": 'created = "soon"',
            'publisher = "Small"\n': "",
        },
    )
    with pytest.raises(SchemaError) as caught:
        load(agency)
    text, message = agency.read_text(), str(caught.value)
    assert len(caught.value.problems) == 4
    assert lines_of(caught.value) == sorted(
        [
            line(text, "treshold"),
            line(text, "timezone"),
            line(text, "created"),
            line(text, "[agency]"),
        ]
    )
    assert "did you mean 'threshold'?" in message
    assert "'Chicago' is no time zone; write one like" in message
    assert "[agency] lacks 'publisher'" in message


def test_mistakes_of_meaning_at_once(tmp_path):
    agency = write_agency(
        tmp_path,
        replace={
            'call_type = "type"': 'call_typ = "type"\nsource = "src"\narea = "beat"\nlon = "x"',
            '"Check" = "check"': '"Check" = "chek"\n"crisis " = "check"',
            'call_type = ["all", "type"]': 'call_type = ["type", "all"], weather = ["all"]',
        },
    )
    with pytest.raises(SchemaError) as caught:
        load(agency)
    message = str(caught.value)
    assert "'call_typ' is not a field of calls; did you mean 'call_type'?" in message
    assert "'source' needs a section [dimensions.source]" in message
    assert "'area' needs a section [areas.area]" in message
    assert "needs 'lon' and 'lat' together" in message
    assert "maps a field that [calls.columns] does not name" in message
    assert "'chek' is not a code of 'call_type'; did you mean 'check'?" in message
    assert "stands twice in [calls.values.call_type]" in message
    assert "must start with 'all' and run coarse to fine" in message
    assert "'weather' is not a dimension" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("threshold = 5", "threshold = 0", "greater than or equal to 3"),
        ("threshold = 5", "threshold = 1", "greater than or equal to 3"),
        ("threshold = 5", "threshold = -4", "greater than or equal to 3"),
        ("threshold = 5", "threshold = 5.5", "valid integer"),
        ("threshold = 5", 'threshold = "5"', "valid integer"),
        ("data_to = 2024-06-30", "data_to = 2023-06-30", "lies before 'release.data_from'"),
        ("data_to = 2024-06-30", "data_to = 2025-06-30", "cannot hold the future"),
        ("data_to = 2024-06-30", "data_to = 2024-06-31", "is no day of the calendar"),
        ('timestamp = "at"', 'timestamp = "at"\ndate = "day"', "both 'timestamp' and 'date'"),
        ('timestamp = "at"', 'year = "y"', "'year' and 'month' together"),
        ('timestamp = "at"', "", "names no time"),
        ('code = "check", en', 'code = "crisis", en', "stands twice"),
        ('code = "check", en', 'code = "all", en', "kept for the program"),
        ('code = "check", en', 'code = "a b", en', "match pattern"),
        ('code = "check", en', 'parent = "nowhere", code = "check", en', "does not stand above it"),
        ('version = "2024.1"', 'version = "latest"', "match pattern"),
    ],
)
def test_each_mistake_is_told(tmp_path, old, new, words):
    with pytest.raises(SchemaError) as caught:
        load(write_agency(tmp_path, replace={old: new}))
    assert words in str(caught.value)
    assert "agency.toml" in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(SchemaError, match="cannot be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes("[agency]\nname = 'Montréal'".encode("latin-1"))
    with pytest.raises(SchemaError, match="not UTF-8"):
        load(tmp_path / "latin.toml")


def test_a_table_no_column_feeds(tmp_path):
    with pytest.raises(SchemaError, match="no column feeds 'outcome'"):
        load(
            write_agency(
                tmp_path,
                replace={'call_type = ["all", "type"] }': 'outcome = ["all", "outcome"] }'},
            )
        )


def test_minimal_is_valid(tmp_path):
    assert load(write_agency(tmp_path)).file.privacy.threshold == 5
    assert "treshold" not in MINIMAL
