"""`docs/release-format.md` names every field, column, mark and fact of the example city's
release."""

import csv
import json
import re

import pytest

from anonymize.release.candidate import STATUSES
from anonymize.release.facts import MEANING
from dashboard.release.format import PACKAGE
from tests.conftest import ROOT

RELEASE = ROOT / "data_public"
TEXT = (ROOT / "docs/release-format.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\s]+)`", TEXT))
KEYED_BY_DATA = {
    "completeness",
    "definitions",
    "where",
    "dimensions",
    "rounding",
    "alike",
    "less_than",
    "out_of",
    "of",
    "without",
    "areas",
}
"""Objects whose names are fields, codes or columns of the agency's data, not fields of the
format."""


def packages():
    return [RELEASE / "datapackage.json", *sorted(RELEASE.glob("history/*/datapackage.json"))]


def fields_of(value, inside=None):
    """All names in a JSON value at any depth, except those that are data."""
    if isinstance(value, list):
        return set().union(*(fields_of(item, inside) for item in value))
    if not isinstance(value, dict):
        return set()
    names = set() if inside in KEYED_BY_DATA else set(value)
    return names.union(*(fields_of(inner, name) for name, inner in value.items()))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", packages(), ids=lambda p: p.parent.name)
def test_each_field_of_a_package_is_named(path):
    found = fields_of(read(path))
    assert len(found) > 50
    assert not found - NAMED


@pytest.mark.parametrize("name", ["audit.json", "approval.json"])
def test_each_field_of_audit_and_approval_is_named(name):
    assert not fields_of(read(RELEASE / name)) - NAMED


def test_each_field_that_the_app_knows_is_named():
    assert not set(PACKAGE["properties"]) - NAMED


def test_each_column_of_each_file_is_named():
    columns = set()
    for path in RELEASE.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            columns |= set(next(csv.reader(file)))
    assert len(columns) > 80
    assert not columns - NAMED


def test_each_dimension_measure_and_reference_table_is_named():
    tables = [
        resource["table"]
        for path in packages()
        for resource in read(path)["resources"]
        if "table" in resource
    ]
    names = {
        name
        for table in tables
        for name in (
            *table.get("dimensions", ()),
            *table.get("where", ()),
            *table.get("rounding", ()),
        )
    }
    names |= {table["measure"] for table in tables if table["kind"] == "statistic"}
    references = {
        resource["name"].replace("-", "_")
        for path in packages()
        for resource in read(path)["resources"]
        if resource.get("table", {}).get("kind") == "reference"
    }
    assert not (names | references) - NAMED


def test_each_mark_and_kind_of_fact_is_named():
    assert not {*STATUSES, *MEANING, "count", "statistic", "reference"} - NAMED


def test_each_file_of_the_release_is_in_the_table_of_the_folder():
    folder = TEXT.split("## The folder")[1].split("\n## ")[0]
    for path in RELEASE.iterdir():
        name = path.name if path.is_file() else f"{path.name}/"
        assert f"`{name}" in folder, name


def test_a_field_that_is_not_named_is_found():
    assert fields_of({"resources": [{"table": {"unheard_of": 1}}]}) - NAMED == {"unheard_of"}
    assert fields_of({"where": {"unheard_of": "x"}}) - NAMED == set()
