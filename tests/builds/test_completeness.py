"""How complete fields are is told so that no small number of blanks can be worked back, and the
audit counts with it."""

import csv
import math
import shutil

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from anonymize.audit import audit_release
from anonymize.records.completeness import OF_A_MONTH, STEPS, told
from tests.helpers import rehash


@given(st.integers(2, 30), st.integers(0, 5_000), st.data(), st.sampled_from([STEPS, OF_A_MONTH]))
def test_blanks_span_the_small_range_or_are_many(threshold, rows, data, steps):
    blanks = data.draw(st.integers(0, rows))
    at = told(rows - blanks, rows, threshold, steps)
    if at is None:
        assert rows * steps[-1] < 100 * threshold
        return
    low, high = at
    assert low * rows <= 100 * (rows - blanks) <= high * rows
    least, most = math.ceil((100 - high) * rows / 100), math.floor((100 - low) * rows / 100)
    assert (least == 0 and most >= threshold) or least >= threshold


def test_fields_by_month_equal_pandas(example_city, example_exports):
    _built, out = example_city
    calls = pd.read_csv(example_exports / "calls.csv", dtype=str, keep_default_na=False)
    month = calls["received"].str[:7]
    rows = list(csv.DictReader((out / "tables/completeness.csv").open()))
    assert len({r["period"] for r in rows if r["field"] == "race_ethnicity"}) == 25
    for name, column in (
        ("race_ethnicity", "race"),
        ("arrived_at", "on_scene"),
        ("language", "language"),
    ):
        filled = (calls[column] != "").groupby(month).mean() * 100
        for row in rows:
            if row["field"] == name and row["period"] != "all":
                assert int(row["at_least"]) <= filled[row["period"]] <= int(row["at_most"])


def tell(folder, field, period, **instead):
    """Write other shares into a release."""
    path = folder / "tables/completeness.csv"
    rows = list(csv.DictReader(path.open()))
    for row in rows:
        if (row["field"], row["period"]) == (field, period):
            row.update(instead)
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    rehash(folder)


def test_the_audit_counts_with_reasons_too(example_city, tmp_path):
    """Why no team came is asked of eligible calls that none reached: the audit sets the share
    against the counts of those."""
    _built, out = example_city
    row = next(
        r
        for r in csv.DictReader((out / "tables/completeness.csv").open())
        if r["field"] == "not_served_reason"
    )
    counts = {
        r["not_served_reason"]: int(r["calls"])
        for r in csv.DictReader((out / "tables/not_served.csv").open())
        if r["period"] == "all"
    }
    asked = counts["all"] - counts["served"]
    assert row["out_of"] == "eligible_not_served"
    assert int(row["at_least"]) <= 100 * (asked - counts["unknown"]) / asked <= int(row["at_most"])
    for one_too_far in (-1, 1):
        folder = tmp_path / f"release{one_too_far}"
        shutil.copytree(out, folder)
        tell(
            folder,
            "not_served_reason",
            "all",
            at_least=int(row["at_least"]) + one_too_far,
            at_most=int(row["at_most"]) + one_too_far,
        )
        assert "contradiction" in {f.attack for f in audit_release(folder).findings}


def test_the_audit_counts_times_of_arrival_too(example_city, tmp_path):
    """A call without a time of arrival has no wait: a share that speaks of more such calls than are
    published contradicts them."""
    _built, out = example_city
    folder = tmp_path / "release"
    shutil.copytree(out, folder)
    tell(folder, "arrived_at", "all", at_least="90", at_most="95")
    assert "contradiction" in {f.attack for f in audit_release(folder).findings}


def test_the_audit_counts_with_it(example_city, tmp_path):
    """A share told too finely gives a withheld number of blanks away; the audit says so."""
    _built, out = example_city
    folder = tmp_path / "release"
    shutil.copytree(out, folder)
    withheld = next(
        row["period"]
        for row in csv.DictReader((folder / "tables/calls_by_month_area.csv").open())
        if row["area"] == "unknown" and row["status"] == "suppressed" and len(row["period"]) == 7
    )
    tell(folder, "area", withheld, at_least="100")
    assert {f.attack for f in audit_release(folder).findings} & {
        "narrow",
        "pinned",
        "contradiction",
    }
    assert audit_release(out).passed
