"""How a reader meets days of which nothing was collected: a word and a reason, never a zero and
never 'withheld'."""

import csv
import io
import json
import re
from html import unescape

import pandas as pd
import pytest

from dashboard.export import brief, downloads
from dashboard.export.opendata import parquet
from dashboard.figures.charts import lines, share_words
from dashboard.figures.figure_kinds import hidden_points, hidden_shares
from dashboard.figures.maps import Map
from dashboard.figures.theme import LIGHT
from dashboard.findings import answers, claims, release_diff
from dashboard.findings.headline import glance
from dashboard.findings.program import contacts_of, costs_of_contacts, up_to
from dashboard.findings.targets import score
from dashboard.numbers.cells import Point, Rate, Share, along
from dashboard.numbers.measures import measure
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.helpers import with_gaps
from tests.paper import page_of

REASON = {"en": "The records system was down.", "es": "El sistema de registros no funcionaba."}
WORD = {"en": "not collected", "es": "no se recopiló"}
NO_RECORDS = {
    "en": (
        "There are no records from February 1, 2025 to February 28, 2025. The records system was"
        " down."
    ),
    "es": (
        "No hay registros del 1 de febrero de 2025 al 28 de febrero de 2025. El sistema de"
        " registros no funcionaba."
    ),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The example city without February 2025, and without its last ten days."""
    folder = tmp_path_factory.mktemp("shown") / "release"
    return load_release(
        with_gaps(
            ROOT / "data_public",
            folder,
            ("2025-02-01", "2025-02-28", REASON),
            ("2025-12-22", "2025-12-31", REASON),
        )
    )


@pytest.fixture(scope="module")
def lost_year(tmp_path_factory):
    """The whole of 2025 is missing."""
    folder = tmp_path_factory.mktemp("year") / "release"
    return load_release(
        with_gaps(ROOT / "data_public", folder, ("2025-01-01", "2025-12-31", REASON))
    )


@pytest.fixture(scope="module", params=["en", "es"])
def pages(release, request):
    return request.param, {name: page_of(release, name, request.param) for name in PAGES}


def words(paper):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", "".join(paper.body))))


def rows(figure):
    """What is read, row by row."""
    return list(figure.table.itertuples(index=False, name=None))


def taken(figure):
    """What is downloaded, row by row."""
    return list(csv.DictReader(io.StringIO(downloads.csv_bytes(figure.data).decode("utf-8-sig"))))


def status_of(row):
    return [row[name] for name in ("status", "n_status", "out_of_status") if name in row]


def test_every_page_says_which_days_are_missing_and_why(pages):
    code, found = pages
    for name, paper in found.items():
        if name not in ("get_help", "glossary"):
            assert NO_RECORDS[code] in words(paper), name


def test_rows_of_a_gap_hold_a_word_and_no_number(pages):
    """Row by row what is read and what is downloaded: a cell that was not collected is a word, and
    its rows have no number."""
    code, found = pages
    seen = 0
    for paper in found.values():
        for figure in paper.found:
            for shown, row in zip(rows(figure), figure.data.to_dict("records"), strict=False):
                if "not_collected" in status_of(row):
                    seen += 1
                    assert WORD[code] in shown, (figure.title, shown)
                    assert "0" not in shown, (figure.title, shown)
                    counts = [
                        row[name]
                        for name in ("value", "n", "out_of", "median", "people", "calls")
                        if name in row
                    ]
                    assert all(pd.isna(value) for value in counts), (figure.title, row)
    assert seen >= 3, (
        "February stands in the calls over time of two pages, and in the waits by month"
    )


def test_what_was_not_collected_is_not_counted_as_withheld(pages):
    _code, found = pages
    for paper in found.values():
        for figure in paper.found:
            suppressed = sum(
                "suppressed" in status_of(row) for row in figure.data.to_dict("records")
            )
            if any(name in figure.data for name in ("status", "n_status")):
                assert figure.hidden <= max(suppressed, 0), figure.title


def test_lines_break_and_say_so(pages):
    code, found = pages
    for page, file in (("calls", "calls"), ("at_a_glance", "calls"), ("times", "waits-by-month")):
        figure = next(f for f in found[page].found if f.file[0] == file)
        with language.speaking(code):
            drawn = figure.draw(colours=LIGHT).to_dict()
        rows = [
            row
            for data in drawn["datasets"].values()
            for row in data
            if row.get("word") == WORD[code]
        ]
        assert rows, figure.title
        assert all(row["value"] is None for row in rows)
        assert {row.get("code", row.get("x")) for row in rows} <= {"2025-02", "Feb 25", "feb 25"}
        values = [
            row
            for data in drawn["datasets"].values()
            for row in data
            if row.get("code") == "2025-02" or row.get("x") in ("Feb 25", "feb 25")
        ]
        assert all(row.get("value") is None for row in values)


def test_lines_with_no_gap_draw_no_word():
    drawn = lines([("a", [("Jan", 1.0), ("Feb", None)])], "n", LIGHT).to_dict()
    assert not any("word" in json.dumps(layer.get("encoding", {})) for layer in drawn["layer"])


def test_part_of_a_period_is_said(release):
    """Counts in the column of statuses, shares beside their figure."""
    language.use("en")
    funnel = page_of(release, "funnel")
    years = next(f for f in funnel.found if "reached-by-year" in f.file)
    assert [row[-1] for row in rows(years)] == ["published", "part of the period only"]
    assert list(years.data["n_status"]) == ["published", "incomplete"]
    for narrow in (False, True):
        drawn = json.dumps(years.draw(colours=LIGHT, narrow=narrow).to_dict()["datasets"]).replace(
            "\\n", " "
        )
        assert "part of the period only)" in drawn
    before, now = measure("coverage").shares(release)
    assert "part of the period only" in share_words(now)
    assert "part" not in share_words(before)


def point(value, status="published"):
    return Point("x", "X", value, status)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (point(None, "not_collected"), point(None, "not_collected"), "not collected"),
        (point(None, "not_collected"), point(500), "not collected"),
        (point(None, "suppressed"), point(500), "withheld"),
        (point(100, "incomplete"), point(500), "part of the period only"),
        (point(100), point(500, "incomplete"), "part of the period only"),
        (point(100, "incomplete"), point(500, "incomplete"), None),
        (point(100), point(500), None),
    ],
)
def test_a_share_or_rate_needs_two_sides_over_the_same_days(part, whole, said):
    language.use("en")
    share, rate = Share("x", "X", part, whole), Rate("x", "X", part, whole)
    if said:
        assert (
            share.share is None
            and rate.per_1000 is None
            and share.interval is None
            and rate.interval is None
        )
        assert share.shown == rate.shown == said
    else:
        assert share.share == pytest.approx(0.2)
        assert rate.per_1000 == pytest.approx(200)
        assert ("part of the period only" in share.brief) == (part.status == "incomplete")
    assert hidden_points([part]) == (part.status == "suppressed")
    assert hidden_shares([share]) == ("suppressed" in (part.status, whole.status))


def test_what_is_set_against_whole_years_is_not_told_of_a_part(release):
    """Costs, hours and residents are those of whole years."""
    assert contacts_of(release, "2024") and contacts_of(release, "2025") is None
    assert [cost.year for cost in costs_of_contacts(release)] == ["2024"]
    language.use("en")
    busy = next(f for f in page_of(release, "staffing").found if f.file == ("busy",))
    assert rows(busy)[1][1] == "–" and rows(busy)[0][1].startswith("about")
    hurt = next(f for f in page_of(release, "safety").found if f.file == ("staff-hurt-hours",))
    assert {row[1] for row in rows(hurt)} == {"part of the period only"}
    assert hurt.hidden == 0
    shares = next(f for f in page_of(release, "calls").found if f.file == ("share-of-all",))
    assert [row[1].split(",")[0] for row in rows(shares)] == ["10%", "part of the period only"]
    groups = next(
        f
        for f in page_of(release, "fairness", asked={"year": "2025"}).found
        if f.file[0] == "by-residents"
    )
    assert all("1,000" not in row[1] for row in rows(groups))
    here = page_of(release, "neighborhood")
    assert "2024" in next(f.title for f in here.found), "the last whole year"


def test_the_map_of_a_period_that_was_not_collected(lost_year):
    language.use("en")
    figure = next(
        f for f in page_of(lost_year, "coverage", asked={"year": "2025"}).found if f.map is not None
    )
    assert isinstance(figure.map, Map)
    assert figure.map.hatched == "not collected"
    assert {place.words for place in figure.map.places.values()} == {"not collected"}
    assert all(place.rank is None for place in figure.map.places.values())
    assert figure.hidden == 0


def test_cards_claims_and_answers_of_a_year_that_was_not_collected(lost_year):
    language.use("en")
    seen, missing = glance(lost_year, "2025")
    assert not missing
    assert {figure.shown for figure in seen} == {"not collected"}
    assert {figure.trend for figure in seen} <= {"", "no year to compare"}
    assert answers.calls(lost_year).startswith("In 2024, 19,611 calls")
    found = score(lost_year, "coverage", "2025")
    assert (
        found is not None
        and found.shown == "not collected"
        and found.meets(0.5, "at_least") == "unknown"
    )
    # Of the whole time with records, not of the lost year: days in the shifts that were worked, and
    # one code of many.
    nothing_lost = {"days", "checks"}
    told = {claim.name: finding for claim, finding in claims.checked(lost_year)}
    assert nothing_lost < set(told)
    assert not any(
        re.search(r"\b0 of\b|\b0%", finding.figure)
        for name, finding in told.items()
        if name not in nothing_lost
    )


def test_an_answer_without_a_whole_year_says_that_days_are_missing(tmp_path):
    language.use("en")
    gaps = [("2024-03-01", "2024-03-31", REASON), ("2025-02-01", "2025-02-28", REASON)]
    release = load_release(with_gaps(ROOT / "data_public", tmp_path / "both", *gaps))
    assert answers.calls(release).endswith(
        "calls came in from January 1, 2024 to December 31, 2025. Some days are missing."
    )
    sentence, share = answers.coverage(release)
    assert share is not None and sentence.endswith("Some days are missing.")


def test_a_withheld_total_is_no_zero(release, monkeypatch):
    language.use("en")
    table = release.find("period")
    monkeypatch.setattr(type(table), "cell", lambda self, at: (None, "suppressed"))
    assert (
        answers.calls(release)
        == "The number of calls from January 1, 2024 to December 31, 2025 is withheld."
    )


def test_the_scorecard_compares_whole_years_only(release):
    language.use("en")
    found = score(release, "coverage", "2025")
    assert found.trend == "no whole year to compare"
    assert "part of the period only" in found.shown
    assert score(release, "coverage", "2024").before is None


def test_the_data_reach_to_the_last_day_with_records(release):
    assert next(r.to for r in up_to(release) if r.name == "calls") == "2025-12-21"


def test_files_carry_the_status_and_the_reason(release):
    language.use("en")
    figure = next(f for f in page_of(release, "calls").found if f.file[0] == "calls")
    february = next(row for row in taken(figure) if row["code"] == "2025-02")
    assert (february["value"], february["status"]) == ("", "not_collected")
    assert next(row for row in taken(figure) if row["code"] == "2025-12")["status"] == "incomplete"
    readme = downloads.readme(figure, release, "https://data.example.org", None)
    assert "WHAT IS MISSING" in readme and NO_RECORDS["en"] in readme
    assert NO_RECORDS["en"].split(". ")[0] in re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", downloads.svg(figure, release, "").decode())
    )
    waits = next(f for f in page_of(release, "times").found if f.file[0] == "waits-by-month")
    row = next(row for row in taken(waits) if row["period"] == "2025-02")
    assert row == {
        "period": "2025-02",
        "median": "",
        "p90": "",
        "based_on": "",
        "status": "not_collected",
    }
    assert ".0" not in downloads.csv_bytes(waits.data).decode(), (
        "whole numbers stay whole beside a cell without one"
    )
    untouched = next(f for f in page_of(release, "staffing").found if f.file[0] == "posts")
    assert not untouched.missing and "WHAT IS MISSING" not in downloads.readme(
        untouched, release, "", None
    )


def test_parquet_has_no_number_for_a_gap(release):
    resource = next(
        r
        for r in release.package["resources"]
        if r.get("table", {}).get("kind") == "count"
        and "month" in r["table"]["dimensions"].get("period", ())
    )
    frame = pd.read_parquet(io.BytesIO(parquet(release.files[resource["path"]], resource)))
    assert frame[frame["period"] == "2025-02"]["calls"].isna().all()


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_brief(release, lost_year, code):
    language.use(code)
    try:
        told = unescape(
            re.sub(
                r"<[^>]+>", " ", brief.html(brief.compose(release, "riverside", "2025")).decode()
            )
        )
        assert NO_RECORDS[code] in told
        parts = {part.heading: part for part in brief.compose(lost_year, "riverside", "2025").parts}
        numbers = next(part for part in parts.values() if part.rows and len(part.columns) == 5)
        assert all(row[1] == row[2] == WORD[code] for row in numbers.rows)
    finally:
        language.use("en")


def test_numbers_withheld_are_told_of_those_that_were_collected(release):
    whole = load_release(ROOT / "data_public")
    assert release.counts < whole.counts
    assert release.withheld <= whole.withheld
    language.use("en")
    shown = next(f for f in page_of(release, "methods").found)
    assert shown.data["count"].sum() == release.counts


def test_what_changed_names_days_that_are_missing_now_or_no_longer(release):
    language.use("en")
    whole = load_release(ROOT / "data_public")
    lost, found = release_diff.missing_days(whole, release)
    assert lost[0] == NO_RECORDS["en"] and len(lost) == 2 and not found
    assert release_diff.missing_days(release, whole) == ([], lost)
    assert not any(
        c.before == "" or c.after == "" or "February 2025" in c.cell
        for c in release_diff.figures(whole, release)
    )


def test_views_of_the_release_itself(release):
    language.use("en")
    table = release.find("period")
    found = {p.code: p for p in along(release, table, "period", table.finest("period"), {})}
    assert (found["2025-02"].value, found["2025-02"].shown) == (None, "not collected")
    assert found["2025-12"].status == "incomplete" and found["2025-12"].value
