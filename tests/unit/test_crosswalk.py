"""The crosswalk has one row for each field and measure of the code, says only what the file says,
and tells which codes no call has."""

import dataclasses

import pytest

from anonymize.agency.schema import PLAIN_FIELDS
from dashboard.findings import crosswalk
from dashboard.numbers.measures import measures
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT

EVERY_FIELD = {"received_at", "area", *PLAIN_FIELDS}


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def test_each_field_and_measure_has_one_row_and_nothing_else():
    """A row is missing or too many? Add it to dashboard/findings/crosswalk.csv, with empty cells
    for what nobody has looked up, or take it out there."""
    fields, listed = (crosswalk.names_of(kind) for kind in (crosswalk.FIELD, crosswalk.MEASURE))
    assert (EVERY_FIELD - set(fields), set(fields) - EVERY_FIELD) == (set(), set())
    known = {m.name for m in measures()}
    assert (known - set(listed), set(listed) - known) == (set(), set())
    assert len(set(fields)) == len(fields)
    assert len(set(listed)) == len(listed)
    assert len(crosswalk.rows()) == len(fields) + len(listed)


def test_a_fit_says_of_what():
    for row in crosswalk.rows():
        assert row.kind in (crosswalk.FIELD, crosswalk.MEASURE)
        assert bool(row.note["en"]) == bool(row.note["es"]), row.name
        for standard, (element, fit) in row.found.items():
            assert fit in crosswalk.FITS, (row.name, standard, fit)
            assert bool(element) == (fit in ("same", "partly")), (row.name, standard)


def test_what_nobody_could_read_is_empty_and_said_so(release):
    assert all(row.found["harvard"] == ("", "") for row in crosswalk.rows())
    shown = crosswalk.table(release, crosswalk.FIELD)
    assert set(shown["Harvard"]) == {"not checked"}
    assert "could not read" in crosswalk.sources()["Harvard"]
    assert set(crosswalk.sources()) == set(crosswalk.standards().values())


def test_the_page_says_what_the_file_says(release):
    for kind in (crosswalk.FIELD, crosswalk.MEASURE):
        shown, data = crosswalk.table(release, kind), crosswalk.data(kind)
        assert len(shown) == len(data) == len(crosswalk.names_of(kind))
        for standard, head in crosswalk.standards().items():
            for words, element, fit in zip(
                shown[head], data[standard], data[f"{standard}_fit"], strict=True
            ):
                if element:
                    assert words.startswith(element)
                else:
                    assert words == {"none": "nothing like it", "": "not checked"}[fit]
    language.use("es")
    assert (
        "igual" in crosswalk.table(release, crosswalk.FIELD)[crosswalk.standards()["neris"]].iloc[0]
    )


def test_what_the_codes_cannot_answer(release):
    """Fields that the release has nothing of, and codes that are zero wherever they are counted."""
    assert crosswalk.missing_fields(release) == ["Age group", "Gender"]
    assert crosswalk.unused_codes(release) == {"Serious force": ["Yes"]}
    found = [t for t in release.tables.values() if "serious_force" in t.levels]
    for table in found:
        cells = table.cells[table.cells["serious_force"] == "yes"]
        assert set(cells.iloc[:, len(table.levels)].astype(str)) == {"0"}
    changed = {}
    for name, table in release.tables.items():
        if "serious_force" in table.levels:
            cells = table.cells.copy()
            cells.loc[cells["serious_force"] == "yes", "status"] = "suppressed"
            changed[name] = dataclasses.replace(table, cells=cells)
    withheld = dataclasses.replace(release, tables={**release.tables, **changed})
    assert crosswalk.unused_codes(withheld) == {}, "what is withheld may have happened"
