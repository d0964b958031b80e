"""A release that publishes a table at coarser levels than the release before it."""

import csv

from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency

COARSER = {
    'version = "2024.1"': 'version = "2024.2"',
    'period = ["all", "year", "month"]': 'period = ["all", "year"]',
}


def test_a_table_may_be_coarser_than_in_the_release_before(tmp_path):
    calls = "id,at,type\n" + "".join(
        f"{i},2024-0{1 + i % 6}-{1 + i % 28:02d} {i % 24:02d}:10,{('Crisis', 'Check')[i % 2]}\n"
        for i in range(240)
    )
    for changes in ({}, COARSER):
        path = write_agency(tmp_path, calls, changes)
        built = build(read_inputs(path), tmp_path / "out", tmp_path / "private")
        assert built.report.passed
    with (tmp_path / "out/tables/calls.csv").open() as file:
        assert {row["period"] for row in csv.DictReader(file)} == {"all", "2024"}
    with (tmp_path / "out/history/2024.1/tables/calls.csv").open() as file:
        assert "2024-06" in {row["period"] for row in csv.DictReader(file)}
