"""What changed between two releases is told, no more than both publish, and an earlier release
stays as it was."""

import dataclasses
import json

import pytest

from dashboard.findings import release_diff
from dashboard.release.current import all_releases, folder_of
from dashboard.release.reader import load_release
from tests.conftest import ROOT
from tests.paper import page_of


@pytest.fixture(scope="module")
def both():
    return all_releases(load_release(ROOT / "data_public"), load_release)


def words(paper):
    return "\n".join(paper.body)


def test_a_corrected_figure_is_listed_and_not_in_the_frozen_view(both):
    before, after = both
    found = {(c.table, c.cell): (c.before, c.after) for c in release_diff.figures(before, after)}
    corrected = [
        pair for (table, cell), pair in found.items() if table == "training" and "trained" in cell
    ]
    assert corrected == [("236", "118")]
    assert "236" in words(page_of(before, "staffing"))
    assert "236" not in words(page_of(after, "staffing"))
    assert "236" in words(page_of(after, "changes"))


def test_a_reworded_rule_is_listed_and_not_in_the_frozen_view(both):
    before, after = both
    (rule,) = release_diff.rules(before, after)
    assert (rule.before["version"], rule.after["version"]) == (1, 2)
    assert "nobody armed" in words(page_of(before, "funnel"))
    assert "nobody armed" not in words(page_of(after, "funnel"))
    listing = words(page_of(after, "changes"))
    assert "nobody armed" in listing
    assert "an officer says that the scene is safe" in listing


def test_late_calls_are_listed_as_changes_of_published_counts(both):
    before, after = both
    late = [c for c in release_diff.figures(before, after) if c.table == "calls_by_month_area"]
    assert late
    for change in late:
        assert int(change.after.replace(",", "")) > int(change.before.replace(",", ""))


def test_nothing_that_one_release_withholds_is_compared(both):
    """Each value told stands in the public file of its release, in a published cell."""
    for release, side in zip(both, ("before", "after"), strict=True):
        for change in release_diff.figures(*both):
            rows = (release.folder / "tables" / f"{change.table}.csv").read_text().splitlines()
            value = getattr(change, side).replace(",", "")
            assert any(value in row.split(",") for row in rows), change


def test_a_cell_withheld_in_one_release_leaves_the_list(both):
    """Planted: the same two releases, with one of the listed figures withheld in the earlier
    one."""
    before, after = both
    listed = [c for c in release_diff.figures(before, after) if c.table == "calls_by_month_area"]
    table = before.tables["calls_by_month_area"]
    at = next(
        i
        for i, (codes, value, _s) in enumerate(release_diff._cells(table))
        if value and table.cell(codes) != after.tables[table.name].cell(codes)
    )
    codes = list(release_diff._cells(table))[at][0]
    cells = table.cells.copy()
    row = (cells[list(codes)] == list(codes.values())).all(axis=1)
    assert row.sum() == 1
    cells.loc[row, [table.measure, "status"]] = ["", "suppressed"]
    hidden = dataclasses.replace(
        before, tables=before.tables | {table.name: dataclasses.replace(table, cells=cells)}
    )
    left = [c for c in release_diff.figures(hidden, after) if c.table == "calls_by_month_area"]
    assert len(left) == len(listed) - 1


def test_the_same_release_twice_has_no_changes(both):
    assert release_diff.figures(both[1], both[1]) == []
    assert release_diff.rules(both[1], both[1]) == []


def test_a_correction_is_told_apart_with_reason_and_date(both):
    listing = words(page_of(both[1], "changes"))
    assert "scheduled update" in listing
    assert "counted twice" in listing
    assert "January 15, 2026" in listing
    both[1].package["release"] = {
        "kind": "correction",
        "reason": {"en": "A typing error.", "es": "Un error."},
    }
    try:
        assert "correction" in words(page_of(both[1], "changes"))
        assert "A typing error." in words(page_of(both[1], "changes"))
    finally:
        both[1].package["release"] = json.loads(
            (ROOT / "data_public/datapackage.json").read_text()
        )["release"]


@pytest.mark.parametrize(
    "asked", ["../..", "2025.1/../..", "2025", "", "latest", "2025.1\n", "٢٠٢٥.1"]
)
def test_only_a_well_formed_number_becomes_part_of_a_path(asked, tmp_path):
    assert folder_of(asked, tmp_path) == tmp_path


def test_a_well_formed_number_is_found(tmp_path):
    assert folder_of("2025.1", tmp_path) == tmp_path / "history/2025.1"
