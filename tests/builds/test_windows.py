"""People are followed only where all days of their time were collected, and the same months of each
year give their first calls."""

from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from anonymize.agency import load
from anonymize.count.statistics import index_days, whole_years
from dashboard.findings.comparisons import CANNOT_TELL
from tests import simulated
from tests.agency import write_agency
from tests.builds.test_comparisons import made
from tests.simulated import COLUMNS, City, judged

YEARS = {
    "created = 2024-07-01": "created = 2026-01-10",
    "data_to = 2024-06-30": "data_to = 2025-12-31",
}
ELIGIBLE = COLUMNS.index("eligible")
GAP = (
    '\n[[release.gaps]]\nfrom = {first}\nto = {last}\nreason = {{ en = "Lost.", es = "Perdidos."'
    " }}\n"
)


def config(folder, *gaps):
    return load(
        write_agency(
            folder, None, YEARS, "".join(GAP.format(first=first, last=last) for first, last in gaps)
        )
    )


def index_of(config, days):
    """The days of which calls may be first ones."""
    every = pd.DataFrame({"day": pd.date_range("2024-01-01", "2025-12-31").date})
    with duckdb.connect() as db:
        db.register("every_day", every)
        return {
            row[0]
            for row in db.execute(
                f"SELECT CAST(day AS DATE) FROM every_day WHERE {index_days(config, days)}"
            ).fetchall()
        }


@pytest.mark.parametrize(
    "gap",
    [("2025-03-10", "2025-03-20"), ("2024-01-05", "2024-01-07"), ("2025-12-20", "2025-12-25")],
)
def test_no_window_touches_a_gap_and_each_year_gives_the_same_days(tmp_path, gap):
    days = index_of(config(tmp_path, gap), 30)
    first, last = map(date.fromisoformat, gap)
    assert days
    for day in days:
        assert day + timedelta(days=30) <= date(2025, 12, 31)
        assert day > last or day + timedelta(days=30) < first
    assert {(d.month, d.day) for d in days if d.year == 2024} - {(2, 29)} == {
        (d.month, d.day) for d in days if d.year == 2025
    }


def test_a_window_of_a_year_leaves_what_no_gap_touches(tmp_path):
    """With 365 days a gap in January of 2025 touches all but the first days of 2024; those still
    count."""
    days = index_of(config(tmp_path, ("2025-01-10", "2025-01-12")), 365)
    assert days and all(day + timedelta(days=365) < date(2025, 1, 10) for day in days)


def test_a_year_with_a_gap_says_nothing_of_who_calls_often_in_a_year(tmp_path):
    assert whole_years(config(tmp_path / "a")) == [2024, 2025]
    assert whole_years(config(tmp_path / "b", ("2025-03-10", "2025-03-10"))) == [2024]


def test_repeat_calls_are_compared_over_windows_without_a_gap(tmp_path, monkeypatch):
    """With June to August of 2025 lost, calls of March on have no 90 days. Taken for followed, they
    would count as people who did not call again."""
    city, lost = City(seed=4, calls=9000), (date(2025, 6, 1), date(2025, 8, 31))
    kept = [row for row in simulated.rows(city) if not lost[0] <= row[1].date() <= lost[1]]
    monkeypatch.setattr(simulated, "rows", lambda _city: kept)
    monkeypatch.setattr(simulated, "HEAD", simulated.HEAD + GAP.format(first=lost[0], last=lost[1]))
    whole = timedelta(days=90)
    followed = sum(
        row[ELIGIBLE] == "yes"
        and row[1].date() + whole <= date(2025, 12, 31)
        and (row[1].date() > lost[1] or row[1].date() + whole < lost[0])
        for row in kept
    )
    assert (
        judged(tmp_path / "right", city, ("compare_repeat_90",))["compare_repeat_90"].calls
        <= followed
    )
    monkeypatch.setattr(
        "anonymize.count.comparisons.followed_whole",
        lambda release, days: f"day + {days} <= DATE '{release.data_to}'",
    )
    assert (
        judged(tmp_path / "wrong", city, ("compare_repeat_90",))["compare_repeat_90"].calls
        > followed
    )


def test_a_check_in_which_nothing_varied_is_none():
    """Where all calls are sent at once, the wait before dispatch can show nothing."""
    assert made(queue_low=0, queue_high=0).controls.keys() == {"weekday"}
    none = made(queue_low=0, queue_high=0, weekday_low=0, weekday_high=0)
    assert none.controls == {} and none.verdict == CANNOT_TELL
