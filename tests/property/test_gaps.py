"""Which stretches without a record are questioned: simulated agencies with and without a gap, and
the two calendars that must agree."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from anonymize.agency.codelists import listed, period
from anonymize.audit.uncollected import Dates
from anonymize.records.collected import Calendar, Span
from anonymize.records.gaps import unexplained

START = date(2023, 1, 1)


def agency(rng, days, level, *, weekend=1.0, season=0.0, clusters=None, drift=0.0, growth=0.0):
    """Calls of each day: a level with weekdays, seasons (amplitude), clusters (shape of a gamma
    factor for each day), a drifting level (a lognormal autoregression with 0.9 from day to day)
    and growth (a year, logarithm)."""
    day = np.arange(days)
    usual = (
        level
        * np.where((START.weekday() + day) % 7 >= 5, weekend, 1.0)
        * np.exp(growth * day / 365)
    )
    usual = usual * np.maximum(
        0, 1 + season * np.sin(2 * np.pi * (day + rng.integers(365)) / 365.25)
    )
    if drift:
        state = np.zeros(days)
        for i in range(1, days):
            state[i] = 0.9 * state[i - 1] + np.sqrt(1 - 0.81) * rng.normal()
        usual = usual * np.exp(drift * state - drift**2 / 2)
    if clusters:
        usual = usual * rng.gamma(clusters, 1 / clusters, days)
    return rng.poisson(usual)


def questions(counts, answered=()):
    by_day = {START + timedelta(days=i): int(n) for i, n in enumerate(counts) if n}
    by_month = {}
    for day, n in by_day.items():
        by_month[f"{day:%Y-%m}"] = by_month.get(f"{day:%Y-%m}", 0) + n
    return unexplained(
        by_day, by_month, Span(START, START + timedelta(days=len(counts) - 1)), answered
    )


LEVELS = (0.05, 0.1, 0.3, 1, 5, 30, 500)
KINDS = (
    {},
    {"weekend": 0.3, "season": 0.3},
    {"clusters": 1.0},
    {"clusters": 0.3, "season": 0.5},
    {"drift": 0.5, "clusters": 3.0},
    {"growth": 1.0},
    {"weekend": 0.0},
)


def test_chance_alone_is_seldom_questioned():
    """294 agencies without a gap: at most about 1 in 100 is asked something (5 of 294 are within
    chance of that)."""
    asked = []
    for number, (kind, level) in enumerate((kind, level) for kind in KINDS for level in LEVELS):
        rng = np.random.default_rng(number)
        for days in (182, 365, 365, 365, 731, 731):
            counts = agency(rng, days, level, **kind)
            if counts.sum() and questions(counts):
                asked.append((kind, level, days))
    assert len(asked) <= 5, asked


@pytest.mark.parametrize(
    ("gap", "level", "least"),
    [
        (30, 1, 0.8),
        (30, 2, 0.95),
        (30, 20, 1),
        (30, 500, 1),
        (7, 8, 0.8),
        (7, 20, 0.9),
        (7, 500, 1),
        (1, 500, 0.5),
    ],
)
def test_a_missing_month_or_week_is_questioned(gap, level, least):
    """Whatever the pattern: at least the share `least` of the gaps planted is found. (Where calls
    come in strong clusters, one empty day says little.)"""
    found = tried = 0
    for number, kind in enumerate((KINDS[0], KINDS[1], KINDS[2], KINDS[4])):
        rng = np.random.default_rng(100 + number)
        for _ in range(6):
            counts = agency(rng, 365, level, **kind)
            first = int(rng.integers(0, 365 - gap))
            counts[first : first + gap] = 0
            planted = Span(START + timedelta(days=first), START + timedelta(days=first + gap - 1))
            tried += 1
            found += any(
                span.first <= planted.first and planted.last <= span.last
                for span in questions(counts)
            )
    assert found >= least * tried


def without(counts, *spans):
    counts = counts.copy()
    for first, last in spans:
        counts[
            (date.fromisoformat(first) - START).days : (date.fromisoformat(last) - START).days + 1
        ] = 0
    return counts


def asked(counts, *spans):
    return [str(span) for span in questions(without(counts, *spans))]


@pytest.fixture(scope="module")
def three_a_day():
    return agency(np.random.default_rng(5), 365, 3)


def test_several_gaps_do_not_hide_each_other(three_a_day):
    every_second = [(f"2023-{m:02d}-01", f"2023-{m:02d}-28") for m in range(2, 13, 2)]
    assert len(asked(three_a_day, *every_second)) == 6
    assert asked(three_a_day, ("2023-02-01", "2023-11-30")) == ["2023-02-01 to 2023-11-30"]


def test_both_ends(three_a_day):
    assert asked(three_a_day, ("2023-01-01", "2023-01-20"), ("2023-12-15", "2023-12-31")) == [
        "2023-01-01 to 2023-01-20",
        "2023-12-15 to 2023-12-31",
    ]


def test_a_quiet_season_is_known_from_the_other_year_but_a_month_missing_in_both_is_questioned():
    rng = np.random.default_rng(6)
    summer = np.array([(START + timedelta(days=i)).month == 7 for i in range(731)])
    assert questions(np.where(summer, rng.poisson(0.3, 731), agency(rng, 731, 1.5))) == []
    counts = agency(rng, 731, 4)
    assert [s.first.month for s in questions(np.where(summer, 0, counts))] == [7, 7]


def test_closed_weekends_are_no_gap():
    counts = agency(np.random.default_rng(7), 365, 6, weekend=0.0)
    assert questions(counts) == []
    assert [str(s) for s in questions(without(counts, ("2023-05-01", "2023-05-21")))] == [
        "2023-04-29 to 2023-05-21"
    ]


def test_a_tiny_agency_may_have_empty_months():
    counts = np.zeros(365, dtype=int)
    counts[[12, 50, 88, 150, 171, 199, 230, 290, 301, 340]] = 1
    assert questions(counts) == []


def test_calls_on_one_day_of_each_month():
    """An export that gives the first of the month as the day of all calls: a missing month is seen
    by the months."""
    counts = np.zeros(365, dtype=int)
    for month in range(1, 13):
        counts[(date(2023, month, 1) - START).days] = 20 + month
    assert questions(counts) == []
    assert asked(counts, ("2023-06-01", "2023-06-30")) == ["2023-05-02 to 2023-06-30"]


def test_two_days_tell_nothing_of_the_rest():
    """Nothing can be estimated: every whole month without a record is questioned."""
    counts = np.zeros(365, dtype=int)
    counts[[9, 99]] = 20
    assert [str(s) for s in questions(counts)] == [
        "2023-01-11 to 2023-04-09",
        "2023-04-11 to 2023-12-31",
    ]


def test_an_answer_ends_a_question_and_changes_no_other(three_a_day):
    counts = without(three_a_day, ("2023-03-01", "2023-03-31"), ("2023-08-01", "2023-08-31"))
    march, august = questions(counts)
    assert questions(counts, [march]) == [august]
    assert questions(counts, [march, august]) == []
    assert [
        str(s) for s in questions(counts, [august, Span(date(2023, 3, 1), date(2023, 3, 15))])
    ] == ["2023-03-16 to 2023-03-31"]


def test_sources_with_months_alone():
    months = {f"2023-{m:02d}": 20 + m % 3 for m in range(1, 13) if m not in (4, 12)}
    window = Span(date(2023, 1, 1), date(2023, 12, 31))
    assert [str(s) for s in unexplained({}, months, window)] == [
        "2023-04-01 to 2023-04-30",
        "2023-12-01 to 2023-12-31",
    ]
    assert unexplained({}, {f"2023-{m:02d}": 1 for m in (1, 2, 4, 5, 7, 9, 10, 12)}, window) == []


def test_a_month_of_calls_without_a_day_is_no_gap(three_a_day):
    by_day = {
        START + timedelta(days=i): int(n)
        for i, n in enumerate(without(three_a_day, ("2023-02-01", "2023-03-31")))
        if n
    }
    by_month = {f"2023-{m:02d}": 90 for m in range(1, 13)} | {"2023-02": 0}
    found = unexplained(by_day, by_month, Span(START, date(2023, 12, 31)))
    assert [str(s) for s in found] == ["2023-02-01 to 2023-02-28"], (
        "March has calls, though on no known day"
    )


@pytest.mark.parametrize("seed", range(10))
def test_engine_and_audit_read_the_dates_alike(seed):
    """They share no code: random periods, gaps and codes."""
    rng = np.random.default_rng(seed)
    first = START + timedelta(days=int(rng.integers(0, 300)))
    last = first + timedelta(days=int(rng.integers(20, 700)))
    gaps, day = [], first
    while (day := day + timedelta(days=int(rng.integers(1, 120)))) < last:
        end = min(last, day + timedelta(days=int(rng.integers(0, 100))))
        gaps.append(Span(day, end))
        day = end + timedelta(days=1)
    calendar = Calendar(Span(first, last), tuple(gaps))
    package = {
        "period": {"from": str(first), "to": str(last)},
        "gaps": [{"from": str(g.first), "to": str(g.last)} for g in gaps],
    }
    dates = Dates.of(package)
    lists = {
        "period": period(first, last, has_months=True),
        "season": listed("season"),
        "weekday": listed("weekday", unknown=True),
    }
    seen = set()
    for months in lists["period"].nodes:
        for seasons in lists["season"].nodes:
            for days in (
                lists["weekday"].nodes if rng.random() < 0.1 else lists["weekday"].nodes[:1]
            ):
                codes = {"period": months.code, "season": seasons.code, "weekday": days.code}
                mark = calendar.status(codes, lists)
                assert mark == dates.mark(codes), codes
                seen.add(mark)
    assert {"published", "incomplete", "not_collected"} & seen
    assert set(calendar.months_not_collected(lists["period"])) == dates.without_calls(
        lists["period"].codes_at("month")
    )


def test_the_calendar_by_hand():
    """From 2024-01-10 to 2024-08-31, with nothing from February to the middle of March."""
    release = SimpleNamespace(
        data_from=date(2024, 1, 10),
        data_to=date(2024, 8, 31),
        not_collected=[SimpleNamespace(first=date(2024, 2, 1), last=date(2024, 3, 16))],
    )
    calendar = Calendar.of(release)
    lists = {
        "period": period(release.data_from, release.data_to, has_months=True),
        "season": listed("season"),
        "weekday": listed("weekday", unknown=False),
    }

    def mark(**codes):
        return calendar.status(codes, lists)

    assert (
        mark(area="riverside")
        == mark(period="all")
        == mark(period="2024")
        == mark(period="2024-Q1")
        == "incomplete"
    )
    assert [mark(period=f"2024-{m:02d}") for m in range(1, 9)] == [
        "incomplete",
        "not_collected",
        "incomplete",
        *["published"] * 5,
    ]
    assert mark(period="2024-Q2") == "published"
    assert [mark(season=s) for s in ("winter", "spring", "summer", "fall")] == [
        "incomplete",
        "incomplete",
        "published",
        "not_collected",
    ]
    assert mark(period="2024-Q1", season="winter") == "incomplete"
    assert mark(period="2024-02", season="winter") == "not_collected"
    assert mark(period="2024-02", season="summer") == "published", (
        "no such day: nobody called is true"
    )
    assert mark(period="2024-03", weekday="1") == "incomplete"
    assert mark(weekday="7") == "incomplete"
    lost = Calendar(calendar.window, (Span(date(2024, 4, 2), date(2024, 4, 28)),))
    assert [lost.status({"period": "2024-04", "weekday": str(d)}, lists) for d in (1, 3, 7)] == [
        "incomplete",
        "not_collected",
        "not_collected",
    ]
