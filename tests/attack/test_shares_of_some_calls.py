"""A share of filled fields that is asked of some calls alone, in a release without a table that
joins the two: it tells of the calls without the field all the same."""

import csv

import pytest

from anonymize.audit import audit_release
from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency
from tests.helpers import rehash

COLUMNS = {
    "threshold = 5": "threshold = 11",
    'call_type = "type"': 'call_type = "type"\nresponder = "who"\nbackup_requested = "backup"',
}
TABLES = """
[[tables]]
name = "who"
title = "Who"
dimensions = { responder = ["all", "reached"] }

[[tables]]
name = "backup"
title = "Backup"
dimensions = { backup_requested = ["all", "answer"] }
"""


def made(folder, reached, others):
    """`reached` calls of a clinician and `others` of police alone, by what stands for backup."""
    lines = ["id,at,type,who,backup"]
    for who, counts in (("co_responder", reached), ("police_only", others)):
        for answer, number in counts.items():
            for _ in range(number):
                n = len(lines)
                at = f"2024-0{1 + n % 6}-{1 + n % 28:02d} {n % 24:02d}:10"
                lines.append(f"{n},{at},Crisis,{who},{answer}")
    path = write_agency(folder, "\n".join(lines) + "\n", COLUMNS, TABLES)
    return build(read_inputs(path), folder / "out", folder / "private").report


def table(folder, name):
    return list(csv.DictReader((folder / f"out/tables/{name}.csv").open()))


def withhold(folder, *rows):
    """The table of backup with these (answer, calls) published and all others withheld."""
    text = "backup_requested,calls,status\n" + "".join(
        f"{answer},{calls},published\n" if calls else f"{answer},,suppressed\n"
        for answer, calls in rows
    )
    path = folder / "out/tables/backup.csv"
    path.write_text(text)
    rehash(folder / "out")
    return {finding.attack for finding in audit_release(folder / "out").findings}


@pytest.mark.parametrize("asked", [1, 3])
def test_at_least_so_many_are_blank(asked, tmp_path):
    """98 to 99 per cent of 1,200 calls have it: 13 or more have not. Of 23 calls without a "no",
    at most 10 then are a "yes"; of fewer, fewer."""
    assert made(tmp_path, {"yes": asked, "": 21 - asked, "no": 1179}, {"no": 800}).passed
    (row,) = (r for r in table(tmp_path, "completeness") if r["field"] == "backup_requested")
    assert (row["out_of"], row["at_least"], row["at_most"]) == ("reached_calls", "98", "99")
    shown = {r["backup_requested"]: r["status"] for r in table(tmp_path, "backup")}
    assert shown["yes"] == "suppressed"
    assert shown["no"] == "suppressed"
    found = withhold(tmp_path, ("all", 2000), ("yes", 0), ("no", 1979), ("unknown", 0))
    assert found == {"narrow"}


def test_at_most_so_many_and_all_calls_beyond(tmp_path):
    """97 to 98 per cent of 1,200 calls have it, so at most 36 have not, and 20 calls lie beyond. Of
    59 calls without a "no", at least 3 then are a "yes"."""
    reached = {"yes": 9, "": 34, "no": 1157}
    assert made(tmp_path, reached, {"": 16, "no": 4}).passed
    (row,) = (r for r in table(tmp_path, "completeness") if r["field"] == "backup_requested")
    assert (row["at_least"], row["at_most"]) == ("97", "98")
    found = withhold(tmp_path, ("all", 1220), ("yes", 0), ("no", 1161), ("unknown", 0))
    assert found == {"narrow"}
