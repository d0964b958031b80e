"""Quarters against an independent computation from the release's own files, and what is never
compared."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import pandas as pd
import pypdf
import pytest

from anonymize.pipeline import read_inputs
from dashboard.export import brief, quarter_sheet
from dashboard.findings import quarter_shares, quarters, quarters_page
from dashboard.findings.claims import CODES
from dashboard.numbers import stats
from dashboard.numbers.cells import Point
from dashboard.numbers.stats import control
from dashboard.numbers.year_trend import breaks
from dashboard.page.pages_list import PAGES
from dashboard.page.reported import shown_pages
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.agency import build, write_agency
from tests.app.test_brief import faults
from tests.app.test_smallest_base import with_limit
from tests.conftest import ROOT
from tests.helpers import with_gaps
from tests.paper import page_of
from tests.parts_of_release import calls_only, part_of

REASON = {"en": "The system was down.", "es": "El sistema no funcionaba."}


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    """Without February 2025, and without the last ten days."""
    folder = tmp_path_factory.mktemp("quarters") / "release"
    lost = ("2025-02-01", "2025-02-28", REASON), ("2025-12-22", "2025-12-31", REASON)
    return load_release(with_gaps(ROOT / "data_public", folder, *lost))


def words_of(paper):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", "".join(paper.body))))


def figure_of(paper, slug):
    return next(f for f in paper.found if f.slug == slug)


def by_months(folder, **fixed):
    """Calls of each quarter, added up from the months of the release's CSV files; from its own
    quarters where a month is withheld."""
    name = "calls_by_month_type" if "call_type" in fixed else "calls_by_month_area"
    months = rows_at(folder, name, **fixed)
    months = months[months["period"].str.fullmatch(r"\d{4}-\d{2}")]
    if set(months["status"]) == {"published"}:
        counts = months.set_index(pd.PeriodIndex(months["period"], freq="M"))["calls"].astype(int)
        return counts.groupby(counts.index.asfreq("Q")).sum()
    rows = rows_at(folder, "calls_by_quarter_area_type", **fixed)
    rows = rows[rows["period"].str.contains("-Q")]
    assert set(rows["status"]) == {"published"}
    return rows.set_index(pd.PeriodIndex(rows["period"], freq="Q"))["calls"].astype(int)


def rows_at(folder, name, **fixed):
    rows = pd.read_csv(folder / f"tables/{name}.csv", dtype=str, keep_default_na=False)
    for column in {"area", "call_type"} & set(rows.columns):
        rows = rows[rows[column] == fixed.get(column, "all")]
    return rows


def expected(folder, counts):
    """The differences that may be shown: both quarters whole under the same codes."""
    events = pd.read_csv(folder / "tables/program_events.csv")
    coded = pd.to_datetime(events.loc[events["kind"] == "coding", "date"])

    def may(before, now):
        return not ((coded > before.start_time) & (coded <= now.end_time)).any()

    found = []
    for now, count in counts.items():
        line = [count]
        for before in (now - 1, now - 4):
            known = before in counts.index and may(before, now)
            line.append(int(count - counts[before]) if known else None)
        found.append(line)
    return found


def lines_of(figure):
    names = ["value", "difference_quarter", "difference_year"]
    return [
        [None if pd.isna(row[name]) else int(row[name]) for name in names]
        for row in figure.data.to_dict("records")
    ]


@pytest.mark.parametrize("area", ["all", "harbor", "north_hills", "unknown"])
def test_counts_and_differences_are_those_of_the_files(release, area):
    """The page reads the release's own quarters; here the months of another table are added up."""
    asked = {} if area == "all" else {"area": area}
    slug = "quarter-differences" if area == "all" else f"quarter-differences-{area}"
    paper = page_of(release, "quarters", asked=asked)
    figure = figure_of(paper, slug)
    counts = by_months(release.folder, area=area)
    wanted = expected(release.folder, counts)
    assert lines_of(figure) == wanted
    assert any(line[2] is not None for line in wanted)
    assert list(
        figure_of(paper, slug.replace("quarter-differences", "calls-by-quarter")).data["value"]
    ) == [line[0] for line in wanted]
    for shown, (_count, quarter, year) in zip(
        figure.table.itertuples(index=False), wanted, strict=True
    ):
        for cell, difference in zip(shown[2:4], (quarter, year), strict=True):
            if difference is None:
                assert cell == "–" or cell.startswith("not compared")
            else:
                number = re.match(r"[+−]?[\d,]+", cell)[0]
                assert int(number.replace(",", "").replace("−", "-")) == difference


def test_per_cents_are_of_the_earlier_quarter(release):
    figure = figure_of(page_of(release, "quarters"), "quarter-differences")
    counts = by_months(release.folder)
    last = figure.table.iloc[-1]
    for back, cell in ((1, last.iloc[2]), (4, last.iloc[3])):
        share = 100 * (counts.iloc[-1] / counts.iloc[-1 - back] - 1)
        assert f"({'+' if share > 0 else '−'}{abs(share):.0f}%)" in cell


@pytest.mark.parametrize(("slug", "kind"), [("area", "area"), ("call-type", "call_type")])
def test_the_last_quarter_by_area_and_by_type(release, slug, kind):
    figure = figure_of(page_of(release, "quarters"), f"quarter-by-{slug}")
    assert set(figure.data["quarter"]) == {"2025-Q4"}
    for code, line in zip(figure.data["code"], lines_of(figure), strict=True):
        counts = by_months(release.folder, **{kind: code})
        assert line == expected(release.folder, counts)[-1], code


def test_hours_of_teams(release):
    rows = pd.read_csv(release.folder / "tables/staffed_months.csv")
    by_quarter = rows.groupby(pd.PeriodIndex(rows["month"], freq="Q"))[["planned", "worked"]].sum()
    figure = figure_of(page_of(release, "quarters"), "hours-by-quarter")
    assert list(figure.data["value"]) == list(by_quarter["worked"])
    assert list(figure.data["planned"]) == list(by_quarter["planned"])
    share = by_quarter["worked"].iloc[-1] / by_quarter["planned"].iloc[-1]
    assert figure.table.iloc[-1]["Share"] == f"{share:.0%}"
    steps = by_quarter["worked"].diff()
    assert list(figure.data["difference_quarter"].dropna()) == list(steps.dropna())


def test_what_is_not_whole_is_a_lower_bound_and_never_compared(gaps):
    paper = page_of(gaps, "quarters")
    figure = figure_of(paper, "quarter-differences")
    verdicts = figure_of(paper, "calls-by-quarter").data.set_index("code")["range"]
    rows = {row["code"]: row for row in figure.data.to_dict("records")}
    table = dict(zip(figure.data["code"], figure.table.itertuples(index=False), strict=True))
    for code in ("2025-Q1", "2025-Q4"):
        assert rows[code]["status"] == "incomplete" and verdicts[code] == "partial"
        assert table[code][1].startswith("at least ")
        assert "part of the period only" in table[code][1]
    for code, names in (
        ("2025-Q1", ("quarter", "year")),
        ("2025-Q2", ("quarter",)),
        ("2025-Q4", ("quarter", "year")),
    ):
        assert all(pd.isna(rows[code][f"difference_{name}"]) for name in names), code
    assert rows["2025-Q2"]["no_difference_quarter"] == "not_whole"
    assert rows["2025-Q3"]["difference_quarter"] == 312


def test_the_answer_is_of_the_last_whole_quarter(gaps):
    paper = page_of(gaps, "quarters")
    assert "In Q3 2025 (July 2025 to September 2025)" in paper.told.headline.sentence
    assert "The quarter before: 5,237, difference +312 (+6%)." in paper.told.headline.before
    assert figure_of(paper, "quarter-by-area").data["quarter"].unique().tolist() == ["2025-Q3"]


def months_release(release, *marks):
    """Calls by month alone; `marks`: (month, count or '', status) set in the table."""
    part = part_of(release, lambda t: t.name == "calls_by_month_area")
    table = part.tables["calls_by_month_area"]
    cells = table.cells.copy()
    for month, count, status in marks:
        at = (cells["period"] == month) & (cells["area"] == "all")
        assert at.sum() == 1
        cells.loc[at, ["calls", "status"]] = [count, status]
    return replace(part, tables={table.name: replace(table, cells=cells)})


def test_months_add_up_to_the_quarters_of_the_release(release):
    """The same series with and without a table of quarters."""
    own, added = (quarters_page.series(r, "all").listed for r in (release, months_release(release)))
    assert [(q.code, q.count, q.status) for q in own] == [
        (q.code, q.count, q.status) for q in added
    ]


def test_a_withheld_month_leaves_a_bound_and_no_count(release):
    part = months_release(release, ("2025-11", "", "suppressed"))
    last = quarters_page.series(part, "all").listed[-1]
    months = pd.read_csv(release.folder / "tables/calls_by_month_area.csv", dtype=str)
    known = months[(months["area"] == "all") & months["period"].isin(["2025-10", "2025-12"])]
    assert (last.count, last.status, last.at_least) == (
        None,
        "suppressed",
        known["calls"].astype(int).sum(),
    )
    language.use("en")
    assert last.shown == f"at least {last.at_least:,} (withheld in part)"
    figure = figure_of(page_of(part, "quarters"), "calls-by-quarter")
    assert figure.hidden == 1
    assert pd.isna(figure.data["value"].iloc[-1])


@pytest.mark.parametrize(
    ("marks", "status"),
    [
        ([("2025-11", "", "not_collected")], "incomplete"),
        ([("2025-11", "900", "incomplete")], "incomplete"),
        ([(f"2025-{m}", "", "not_collected") for m in (10, 11, 12)], "not_collected"),
        ([("2025-10", "", "not_collected"), ("2025-11", "", "suppressed")], "suppressed"),
    ],
)
def test_a_quarter_is_whole_only_if_all_its_months_are(release, marks, status):
    found = quarters_page.series(months_release(release, *marks), "all")
    assert found.listed[-1].status == status and not found.listed[-1].whole
    assert found.listed[found.place].code == "2025-Q3"
    assert found.step(1, 7).count is None and found.step(1, 7).why == "not_whole"


def test_a_quarter_that_is_not_over_is_in_part(release):
    package = json.loads(json.dumps(release.package))
    package["period"]["to"] = "2025-12-30"
    part = replace(release, package=package)
    assert not quarters_page.series(part, "all").listed[-1].whole


def test_every_change_of_codes_breaks_the_row(release):
    """Not the last one alone."""
    rows = release.reference("program_events").to_dict("records")
    more = [*rows, {**rows[0], "date": "2025-05-10", "kind": "coding"}]
    part = replace(release, references={**release.references, "program_events": pd.DataFrame(more)})
    assert breaks(part, CODES) == [date(2024, 9, 1), date(2025, 5, 10)]
    found = quarters_page.series(part, "all")
    why = [found.step(1, n).why for n in range(8)]
    changed = "codes_changed"
    assert why == ["first", "", changed, changed, "", changed, changed, ""]
    assert [found.step(4, n).why for n in range(4, 8)] == [changed] * 4
    # The quarters of the codes before the last change are not judged beside those after it.
    assert found.judged.verdicts[:6] == ("recoded",) * 6


def test_the_range_is_that_of_months_where_quarters_are_too_few(release):
    """The rule of the page about calls: which of the months under the codes now in use stand
    out."""
    rows = pd.read_csv(release.folder / "tables/calls_by_month_area.csv", dtype=str)
    rows = rows[(rows["area"] == "all") & (rows["period"].str.len() == 7) & (rows["period"] > "2")]
    rows = rows[rows["period"] >= "2024-09"]
    days = pd.PeriodIndex(rows["period"], freq="M").days_in_month
    judged = control(list(rows["calls"].astype(int) / days))
    found = quarters_page.series(release, "all").judged
    assert found.verdicts == ("recoded",) * 3 + ("usual_months",) * 5
    assert not any(judged.outside) and found.seen_from == judged.seen_from


def test_a_quarter_far_from_the_others_is_outside():
    first = [date(2022 + n // 4, 3 * (n % 4) + 1, 1) for n in range(14)]
    listed = [
        quarters.Quarter(
            f"{day.year}-Q{day.month // 3 + 1}",
            "x",
            day,
            (pd.Timestamp(day) + pd.offsets.QuarterEnd(0)).date(),
            count,
            "published",
        )
        for day, count in zip(first, [900 + 7 * (n % 3) for n in range(13)] + [2500], strict=True)
    ]
    found = quarters.judge(listed, (), ())
    # Four quarters have no year before them.
    assert found.verdicts == ("few",) * 4 + ("usual",) * 9 + ("outside",)
    assert quarters.judge(listed[:6], (), ()).verdicts == ("few",) * 6
    monthly = [Point(f"2022-{m:02d}", "x", 300, "published") for m in range(1, 13)]
    monthly[4] = replace(monthly[4], value=900)
    by_month = quarters.judge(listed[:4], monthly, ())
    assert by_month.verdicts == (
        "usual_months",
        "outside_month",
        "usual_months",
        "usual_months",
    )


@pytest.mark.parametrize(("starts", "first"), [(7, "FY2024-Q3"), (10, "FY2024-Q2")])
def test_quarters_of_fiscal_years(release, starts, first):
    """Those that begin with calendar quarters are the same ones by other names."""
    language.use("en")
    own, fiscal = (quarters_page.series(release, "all", s).listed for s in (1, starts))
    assert [q.count for q in own] == [q.count for q in fiscal]
    assert fiscal[0].code == first
    assert fiscal[0].label == f"Q{first[-1]} of fiscal year 2024"
    assert fiscal[0].months == own[0].months


def test_fiscal_quarters_across_calendar_quarters_are_added_up(release):
    """From February: no table has them, and the first and the last are there in part."""
    listed = quarters_page.series(release, "all", 2).listed
    months = pd.read_csv(release.folder / "tables/calls_by_month_area.csv", dtype=str)
    months = months[(months["area"] == "all") & (months["period"].str.len() == 7)]
    counts = months.set_index("period")["calls"].astype(int)
    assert [q.status for q in listed] == ["incomplete", *["published"] * 7, "incomplete"]
    assert listed[1].count == counts["2024-02":"2024-04"].sum()
    assert listed[0].count == counts["2024-01"]
    assert listed[-1].count == counts["2025-11":"2025-12"].sum()


def test_a_release_without_months_says_so(release):
    years = part_of(release, lambda t: t.name == "calls_by_year_priority")
    assert "quarters" not in shown_pages(years)
    paper = page_of(years, "quarters")
    assert not paper.found and paper.title == "Quarter by quarter"
    assert "calls by month or by quarter" in words_of(paper)


def test_calls_alone_have_quarters(release):
    part = calls_only(release)
    assert "quarters" in shown_pages(part)
    paper = page_of(part, "quarters")
    slugs = ["calls-by-quarter", "quarter-differences", "quarter-by-call-type"]
    assert [f.slug for f in paper.found] == slugs
    assert lines_of(paper.found[1])[-1][0] == by_months(release.folder).iloc[-1]


CAUSES = {
    "en": r"\b(because|due to|led to|caused?|thanks|rose|fell|increased?|decreased?|grew|dropp)",
    "es": r"\b(porque|debido|gracias|causó|subi|baj[óa]|aument|disminuy|creci)",
}


@pytest.mark.parametrize("code", ["en", "es"])
def test_no_word_of_a_change_or_its_cause(release, code):
    said = re.split(r"A September|A 1 de septiembre", words_of(page_of(release, "quarters", code)))
    assert not re.search(CAUSES[code], said[0], re.IGNORECASE)


@pytest.fixture(scope="module")
def real(toronto):
    return load_release(toronto[1])


@pytest.mark.parametrize("paper", ["us-letter", "a4"])
@pytest.mark.parametrize("code", ["en", "es"])
def test_one_page_on_either_paper(release, code, paper):
    one_page(release, code, "all", paper)
    one_page(release, code, "harbor", paper)


@pytest.mark.parametrize("paper", ["us-letter", "a4"])
@pytest.mark.parametrize("code", ["en", "es"])
def test_one_page_of_real_data(real, code, paper):
    """Seventeen divisions, of which the twelve with the most calls are on it."""
    one_page(real, code, "all", paper)


def test_the_page_offers_both_papers(release, monkeypatch):
    kept = {}
    monkeypatch.setattr(
        "tests.paper.Nowhere.keep", lambda _shelf, name, data: kept.setdefault(name, data) and name
    )
    page_of(release, "quarters")
    widths = {
        name: round(float(pypdf.PdfReader(io.BytesIO(data)).pages[0].mediabox.width))
        for name, data in kept.items()
        if name.endswith(".pdf")
    }
    assert widths == {
        "quarter-sheet-all-calendar-release-2026.1-en.pdf": 612,
        "quarter-sheet-all-calendar-a4-release-2026.1-en.pdf": 595,
    }


def one_page(release, code, area, paper):
    with language.speaking(code):
        composed = quarter_sheet.compose(release, area, 1, paper)
        data = brief.pdf(composed)
        read = pypdf.PdfReader(io.BytesIO(data))
        assert len(read.pages) == 1
        assert faults(data, code) == []
        width = float(read.pages[0].mediabox.width)
        assert round(width) == {"us-letter": 612, "a4": 595}[paper]
        flat = re.sub(r"\s+", "", read.pages[0].extract_text())
        for part in composed.parts:
            for row in part.rows:
                assert re.sub(r"\s+", "", row[0]) in flat


def test_real_quarters(real):
    """18 months of Toronto: five whole quarters, and one that ends on its 73rd day."""
    listed = quarters_page.series(real, "all").listed
    assert [q.whole for q in listed] == [True] * 5 + [False]
    rows = csv.DictReader(
        (real.folder / "tables/calls_by_month_area.csv").open(encoding="utf-8", newline="")
    )
    counts = {r["period"]: int(r["calls"]) for r in rows if r["area"] == "all" and r["calls"]}
    assert [q.count for q in listed[:5]] == [
        sum(counts[f"{year}-{3 * n + m:02d}"] for m in (1, 2, 3))
        for year, n in ((2014, 0), (2014, 1), (2014, 2), (2014, 3), (2015, 0))
    ]


def test_the_page_is_in_the_menu_of_whoever_decides():
    assert "quarters" in PAGES


def test_a_long_list_of_changes_still_fits(release):
    """The tables give way: fewer rows, then smaller letters."""
    row = release.reference("program_events").to_dict("records")[1]
    many = [
        {**row, "date": f"2025-{1 + n % 12:02d}-05", "event": f"{n}: {row['event']} " * 2}
        for n in range(18)
    ]
    part = replace(release, references={**release.references, "program_events": pd.DataFrame(many)})
    one_page(part, "en", "all", "us-letter")


def rules(folder):
    """Days from which on a share of eligible calls means something else."""
    events = pd.read_csv(folder / "tables/program_events.csv")
    days = list(events.loc[events["kind"].isin(["coding", "rule", "area"]), "date"])
    defined = json.loads((folder / "datapackage.json").read_text())["definitions"]["eligible"]
    return pd.to_datetime([*days, *([defined["since"]] if int(defined["version"]) > 1 else [])])


def newcombe(part, whole, part_before, whole_before, z):
    """Newcombe 1998, method 10, by the roots of Wilson's quadratic."""

    def roots(r, n):
        p, middle = r / n, (r / n + z * z / 2 / n) / (1 + z * z / n)
        spread = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / 4 / n / n) ** 0.5
        return p, middle - spread, middle + spread

    (p, low, high), (q, low_before, high_before) = (
        roots(part, whole),
        roots(part_before, whole_before),
    )
    return (
        p - q - ((p - low) ** 2 + (high_before - q) ** 2) ** 0.5,
        p - q + ((high - p) ** 2 + (q - low_before) ** 2) ** 0.5,
    )


def test_the_interval_of_a_change_is_that_of_the_paper():
    """Newcombe 1998, table II: 56 of 70 less 48 of 80, method 10."""
    assert [round(end, 4) for end in stats.difference((56, 70), (48, 80))] == [0.0524, 0.3339]
    assert newcombe(56, 70, 48, 80, 1.959964) == pytest.approx(stats.difference((56, 70), (48, 80)))


def test_shares_and_their_changes_are_those_of_the_files(release):
    rows = pd.read_csv(release.folder / "tables/coverage_by_quarter.csv", dtype=str)
    rows = rows[rows["period"].str.contains("-Q") & (rows["status"] == "published")]
    counts = {
        code: rows[rows["responder"] == code].set_index("period")["calls"].astype(int)
        for code in ("clinician", "all")
    }
    clustering = pd.read_csv(release.folder / "tables/clustering.csv")
    years = clustering[clustering["period"] != "all"]
    z = 1.959964 * (years["inflation"].max() / 10) ** 0.5
    figure = figure_of(page_of(release, "quarters"), "share-by-quarter-reached")
    periods = pd.PeriodIndex(counts["all"].index, freq="Q")
    assert len(figure.data) == len(periods) == 8
    compared = 0
    for place, (now, row) in enumerate(zip(periods, figure.data.to_dict("records"), strict=True)):
        part, whole = (int(counts[code].iloc[place]) for code in ("clinician", "all"))
        assert (row["n"], row["out_of"]) == (part, whole)
        assert figure.table["Share"].iloc[place].startswith(f"{100 * part / whole:.1f}"[:4])
        for name, back in (("quarter", 1), ("year", 4)):
            before = now - back
            broken = (
                (rules(release.folder) > before.start_time)
                & (rules(release.folder) <= now.end_time)
            ).any()
            if place < back or broken:
                assert pd.isna(row[f"change_{name}"])
                assert row[f"no_change_{name}"] == ("first" if place < back else "rules_changed")
                continue
            then = [int(counts[code].iloc[place - back]) for code in ("clinician", "all")]
            assert row[f"change_{name}"] == pytest.approx(part / whole - then[0] / then[1])
            told = [row[f"change_{name}_{edge}"] for edge in ("low", "high")]
            assert told == pytest.approx(newcombe(part, whole, *then, z), abs=1e-5)
            compared += 1
    assert compared >= 3


def test_no_share_of_a_quarter_that_is_not_whole_or_small(gaps, release, monkeypatch):
    figure = figure_of(page_of(gaps, "quarters"), "share-by-quarter-reached")
    told = figure.data.set_index("code")
    assert told.loc["2025-Q1", "no_change_quarter"] == "not_whole"
    assert told.loc["2025-Q2", "no_change_quarter"] == "not_whole"
    assert told.loc["2025-Q4", "no_change_quarter"] in ("not_whole", "rules_changed")
    assert pd.isna(told.loc["2025-Q2", "change_quarter"])
    with_limit(monkeypatch, "coverage", 3_700)
    figure = figure_of(page_of(release, "quarters"), "share-by-quarter-reached")
    told = figure.data.set_index("code")
    assert (told["out_of"] < 3_700).tolist() == [
        share == "too few to show a share" for share in figure.table["Share"]
    ]
    assert told.loc["2024-Q2", "no_change_quarter"] == "few"


def test_shares_of_yes_no_fields_where_an_agency_has_them(tmp_path):
    """Arrests by quarter of a small agency: 40 of 200, then 8 of 20, over which no share is
    shown; no other share is made up."""
    lines = ["id,at,type,arrest"]
    for start, number, arrests in ((date(2024, 1, 1), 200, 40), (date(2024, 4, 1), 20, 8)):
        for i in range(number):
            day = start + timedelta(days=i % 90)
            answer = "yes" if i < arrests else "no"
            lines.append(f"{len(lines)},{day} 10:00,Crisis,{answer}")
    table = (
        '\n[[tables]]\nname = "arrests"\ntitle = "A"\n'
        'dimensions = { period = ["all", "quarter"], arrest = ["all", "answer"] }\n'
    )
    columns = {'call_type = "type"\n': 'call_type = "type"\narrest = "arrest"\n'}
    path = write_agency(tmp_path, "\n".join(lines) + "\n", columns, table)
    build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    small = load_release(tmp_path / "out")
    shares = [f for f in page_of(small, "quarters").found if f.file[0] == "share-by-quarter"]
    (figure,) = shares
    assert figure.file[1] == "arrest"
    assert figure.table["Calls counted"].tolist() == ["40", "8"]
    assert figure.table["Share"].iloc[0].startswith("20%")
    assert figure.table["Share"].iloc[1] == "too few to show a share"
    assert figure.data["no_change_quarter"].tolist() == ["first", "few"]


@pytest.mark.parametrize("code", ["en", "es"])
def test_every_share_has_its_code(release, code):
    language.use(code)
    words = set()
    for wanted in quarter_shares.WANTED:
        assert wanted.code in release.codelists[wanted.dimension].codes
        words.add(wanted.words())
    assert len(words) == len(quarter_shares.WANTED)
