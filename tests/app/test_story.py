"""The story of a release: each number against the release's files, each link against the page that
it leads to, and words that are easy, in both languages and for releases of three sizes."""

import json
import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from dashboard.numbers.stats import control
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from dashboard.site.story import sentences, sources, story
from dashboard.text import language
from tests.app.test_quarters import by_months
from tests.conftest import ROOT
from tests.paper import page_of
from tests.parts_of_release import calls_only, part_of
from tests.unit.test_words import FERNANDEZ_HUERTA, GRADE, ease, grade

SIZES = ("example", "toronto", "calls only")


@pytest.fixture(scope="module")
def example():
    return load_release(ROOT / "data_public")


@pytest.fixture(scope="module", params=SIZES)
def release(request, example):
    if request.param == "toronto":
        return load_release(request.getfixturevalue("toronto")[1])
    return example if request.param == "example" else calls_only(example)


def told(release, code):
    with language.speaking(code):
        return story(release)


def numbers_in(sentence):
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", sentence)


# --- what may be said, computed from the files alone ---


class Files:
    """The tables of a release as CSV files."""

    def __init__(self, folder):
        self.folder = folder

    def rows(self, name, **fixed):
        rows = pd.read_csv(self.folder / f"tables/{name}.csv", dtype=str, keep_default_na=False)
        for column in rows.columns:
            if column in fixed:
                rows = rows[rows[column] == fixed[column]]
        return rows

    def count(self, name, **fixed):
        """One cell; a dimension that is not named is taken at its root."""
        rows = self.rows(name, **fixed)
        for column in rows.columns[:-2]:
            if column not in fixed:
                rows = rows[rows[column] == "all"]
        assert len(rows) == 1 and rows["status"].iloc[0] == "published", (name, fixed)
        return int(rows["calls"].iloc[0])


def n(*values):
    return {f"{value:,}" for value in values}


def per_cent(part, whole):
    return {f"{100 * part / whole:.0f}"}


def one_of_few(share):
    """'About 2 in 3': the nearest fraction with a small denominator."""
    nearest = min(
        ((a, b) for b in range(2, 11) for a in range(1, b)),
        key=lambda f: (round(abs(share - f[0] / f[1]), 2), f[1]),
    )
    return n(*nearest)


def quarters_of(folder, months):
    """The last whole quarter and the two beside it, and the power that is stated. `months`: those
    that can be judged."""
    counts = by_months(folder) if months is None else months.groupby(months.index.asfreq("Q")).sum()
    whole = (
        counts if months is None else counts[months.groupby(months.index.asfreq("Q")).size() == 3]
    )
    now = whole.iloc[-1]
    found = n(now)
    for back in (1, 4):
        before = whole.iloc[-1 - back]
        found |= n(before, abs(now - before)) | per_cent(abs(now - before), before)
    last = whole.index[-1]
    return found | {str(last.quarter), str(last.year)}


def power(values):
    return {f"{100 * control(list(values)).seen_from:.0f}"}


def days_of(counts):
    return counts / counts.index.days_in_month


def of_example(folder):
    """Slug of a figure -> the numbers that a sentence may take from it."""
    files = Files(folder)
    year, before = "2025", "2024"
    calls = {y: files.count("calls_by_month_type", period=y) for y in (year, before)}
    types = files.rows("calls_by_month_type", period=year)
    reached = {
        y: (
            files.count("coverage_by_area", period=y, responder="clinician"),
            files.count("coverage_by_area", period=y),
        )
        for y in (year, before)
    }
    visits = {
        y: [
            files.count("referrals", period=y, responder="clinician", handoff=h)
            for h in ("connected", "agreed")
        ]
        for y in (year, before)
    }
    groups = [
        per_cent(
            files.count("fairness", period=year, race_ethnicity=g, responder="clinician"),
            files.count("fairness", period=year, race_ethnicity=g),
        )
        for g in ("asian", "black", "hispanic", "white", "other")
    ]
    ends = files.rows("outcomes", period=year, call_type="all", responder="all")
    codes = pd.read_csv(folder / "codelists/outcome.csv", dtype=str)
    finest = set(codes.loc[codes["level"] == codes["level"].iloc[-1], "code"])
    top = ends[ends["outcome"].isin(finest)]["calls"].astype(int).max()
    wait = files.rows("wait_by_area", period=year, area="all").iloc[0]
    staff = files.rows("staffing")
    staff = staff[staff["month"] == staff["month"].max()]
    spent = files.rows("budget", year=year)["spent"].astype(int).sum()
    contacts = files.count("outcomes", period=year, responder="clinician", outcome="met")
    package = json.loads((folder / "datapackage.json").read_text())
    months = files.rows("calls_by_month_area", area="all")
    months = months[months["period"].str.fullmatch(r"\d{4}-\d{2}")]
    monthly = months.set_index(pd.PeriodIndex(months["period"], freq="M"))["calls"].astype(int)
    return {
        "glance-2025": n(*calls.values(), round(calls[year] / 365), *visits[year])
        | {year}
        | per_cent(*visits[year])
        | per_cent(*visits[before])
        | most_visits(files, year, *visits[year])
        | most_visits(files, before, *visits[before]),
        "quarter-differences": quarters_of(folder, None),
        # The codes changed in September 2024.
        "calls-by-quarter": power(days_of(monthly)["2024-09":]),
        "calls-by-type-2025": n(types.loc[types["call_type"] != "all", "calls"].astype(int).max())
        | {year},
        "reached-by-year": n(*reached[year])
        | {year}
        | per_cent(*reached[year])
        | per_cent(*reached[before])
        | one_of_few(reached[year][0] / reached[year][1]),
        "my-area-waits-all": {wait["median"], wait["p90"], "9", "10", year},
        "by-group-2025": {min(*groups, key=min).copy().pop(), max(*groups, key=max).copy().pop()}
        | {year},
        "outcomes-2025": n(top, calls[year]) | {year} | per_cent(top, calls[year]),
        **{f"compared-compare-{of}": compared(files, name) for of, name in COMPARED.items()},
        "posts": {*staff["authorized"], *staff["filled"]},
        "cost-per-contact": {f"{spent / contacts:.0f}", year},
        "scorecard": met(files, folder),
        "completeness": n(len(package["completeness"]), min(package["completeness"].values())),
        "withheld": withheld(folder, package),
    }


COMPARED = {
    "arrest": "compare_arrest",
    "force-used": "compare_force",
    "repeat-90": "compare_repeat",
    "wait": "compare_wait",
}


def compared(files, name):
    """Rates are published for 10,000 calls, and minutes in sixtieths."""
    row = files.rows(name, period="all").iloc[0]
    unit = 60 if name == "compare_wait" else 10
    shown = {f"{abs(int(row[key])) / unit:.1f}".removesuffix(".0") for key in ("low", "high")}
    sides = {f"{int(row[key]) / unit:.1f}".removesuffix(".0") for key in ("team", "other")}
    return shown | sides | (set() if unit == 60 else {"1,000"})


def most_visits(files, year, connected, agreed):
    """Each accepted referral without a known visit may have led to one, where a partner of its kind
    shares no data."""
    partners = files.rows("partner_agreements")
    silent = set(partners.loc[partners["data_sharing"] != "yes", "partner_type"])
    unknown = sum(
        files.count("partners", period=year, partner=kind, handoff="agreed")
        - files.count("partners", period=year, partner=kind, handoff="connected")
        for kind in silent
    )
    return per_cent(connected + unknown, agreed)


def met(files, folder):
    """Of the four targets one is about visits, of which partners may know more."""
    targets = files.rows("targets", year="2025")
    return n(len(targets), len(targets) - 1, 1)


def withheld(folder, package, tables=None):
    statuses = [
        pd.read_csv(folder / r["path"], dtype=str, keep_default_na=False)["status"]
        for r in package["resources"]
        if r.get("table", {}).get("kind") == "count" and (tables is None or r["name"] in tables)
    ]
    every = pd.concat(statuses)
    hidden, shown = int((every == "suppressed").sum()), int((every != "not_collected").sum())
    return n(hidden, shown) if hidden else n(shown)  # "all 954 numbers are shown"


def of_toronto(folder):
    files = Files(folder)
    calls = files.count("calls_by_month_area", period="2014")
    types = files.rows("calls_by_month_type_outcome", period="2014", outcome="all")
    ends = files.rows("calls_by_month_type_outcome", period="2014", call_type="all")
    top = ends.loc[ends["outcome"] != "all", "calls"].astype(int).max()
    months = files.rows("calls_by_month_area", area="all")
    months = months[
        months["period"].str.fullmatch(r"\d{4}-\d{2}") & (months["status"] == "published")
    ]
    monthly = months.set_index(pd.PeriodIndex(months["period"], freq="M"))["calls"].astype(int)
    package = json.loads((folder / "datapackage.json").read_text())
    return {
        "calls-month": n(calls, round(calls / 365)) | {"2014"},
        "quarter-differences": quarters_of(folder, monthly),
        "calls-by-quarter": power(days_of(monthly)),
        "calls-by-type-2014": n(types.loc[types["call_type"] != "all", "calls"].astype(int).max())
        | {"2014"},
        "outcomes-2014": n(top, calls) | {"2014"} | per_cent(top, calls),
        "completeness": n(len(package["completeness"]), min(package["completeness"].values())),
        "withheld": withheld(folder, package),
    }


def of_calls_only(folder):
    files = Files(folder)
    whole = of_example(folder)
    calls = {y: files.count("calls_by_month_type", period=y) for y in ("2025", "2024")}
    counts = by_months(folder)
    days = [q.end_time.dayofyear - q.start_time.dayofyear + 1 for q in counts.index]
    package = json.loads((folder / "datapackage.json").read_text())
    return {
        "calls-month": n(*calls.values(), round(calls["2025"] / 365)) | {"2025"},
        "quarter-differences": whole["quarter-differences"],
        # Without a list of changes, all eight quarters are judged.
        "calls-by-quarter": power(counts / days),
        "calls-by-type-2025": whole["calls-by-type-2025"],
        "withheld": withheld(folder, package, ("calls_by_month_type", "calls_by_weekday_hour")),
    }


EXPECTED = {"example": of_example, "toronto": of_toronto, "calls only": of_calls_only}


def unknown(found, expected):
    """Numbers that no file gives, with their sentences."""
    return [
        (number, c.sentence)
        for c in found.cited
        for number in numbers_in(c.sentence)
        if number not in expected.get(c.figure, ())
    ]


@pytest.mark.parametrize("code", ["en", "es"])
def test_each_number_is_that_of_the_files(release, request, code):
    size = request.node.callspec.params["release"]
    expected, found = EXPECTED[size](release.folder), told(release, code)
    assert {c.figure for c in found.cited} == set(expected)
    assert unknown(found, expected) == []
    for figure, numbers in expected.items():
        said = {n for c in found.cited if c.figure == figure for n in numbers_in(c.sentence)}
        assert said == numbers, figure


def test_a_changed_count_is_found(example):
    """The check itself: each table's count is one more than its file says."""
    tables = {}
    for name, table in example.tables.items():
        cells = table.cells.copy()
        seen = cells[table.measure] != ""
        cells.loc[seen, table.measure] = (cells.loc[seen, table.measure].astype(int) + 1000).astype(
            str
        )
        tables[name] = replace(table, cells=cells)
    wrong = unknown(told(replace(example, tables=tables), "en"), of_example(example.folder))
    assert {sentence.split(",")[0] for _number, sentence in wrong} >= {
        "In 2025",
        "In Q4 2025 (October 2025 to December 2025)",
    }
    assert len({sentence for _number, sentence in wrong}) > 10


@pytest.mark.parametrize("code", ["en", "es"])
def test_each_sentence_leads_to_a_figure(release, code):
    """By its page, slug and title; and as a link on paper, to a place that the page has."""
    found = told(release, code)
    assert found.cited
    pages = {name: page_of(release, name, code) for name in {c.page for c in found.cited}}
    for c in found.cited:
        assert c.title in [f.title for f in pages[c.page].found if f.slug == c.figure]
    body = "".join(page_of(release, "story", code).body)
    links = re.findall(r'<a class="cite" href="(\w+)#([^"]+)"', body)
    assert links == [(c.page, c.figure) for c in found.cited]
    for page, slug in links:
        assert f'id="{slug}"' in "".join(pages[page].body)
    listed = sources(found.cited)
    assert [c.number for c in listed] == list(range(1, len(listed) + 1))
    assert len({(c.page, c.figure) for c in listed}) == len(listed)
    items = re.findall(r'<li><a href="(\w+)#([^"]+)"(?: data-address="([^"]+)")?>', body)
    assert [item[:2] for item in items] == [(c.page, c.figure) for c in listed]
    site = release.package.get("homepage")
    for _page, slug, address in items:
        # On paper: the figure in exactly this release.
        assert bool(address) == bool(site)
        if site:
            assert address.startswith(f"{site}/") and f"at={slug}" in address
            assert f"release={release.version}" in address


@pytest.mark.parametrize("code", ["en", "es"])
def test_each_sentence_stands_before_its_number(release, code):
    body = "".join(page_of(release, "story", code).body)
    text = re.search(r'<div class="prose story">(.*?)<ol>', body, re.DOTALL)[1]
    said = re.findall(
        r"(?:<p class=\"cited\">|(?<=</a>) )([^<]+)<a class=\"cite\"[^>]*>(\d+)</a>", text
    )
    found = told(release, code).cited
    assert [(unescape(s), int(n)) for s, n in said] == [(c.sentence, c.number) for c in found]
    left = re.sub(r"<h2>[^<]*</h2>|<a class=\"cite\"[^>]*>\d+</a>|</?p[^>]*>", "", text)
    assert len(re.sub(r"\s+", "", unescape(left))) == len(
        re.sub(r"\s+", "", "".join(c.sentence for c in found))
    ), "nothing else is said"


def words(found):
    return sum(len(c.sentence.split()) for c in found.cited)


@pytest.mark.parametrize("code", ["en", "es"])
def test_some_400_words_and_less_where_there_is_less(example, code, toronto):
    whole, real, bare = (
        told(r, code) for r in (example, load_release(toronto[1]), calls_only(example))
    )
    assert 360 <= words(whole) <= 460
    assert words(bare) < words(real) < 200
    for found in (whole, real, bare):
        assert len(found.figures) == 3
        assert not re.search(r"\{|\}|None|nan", " ".join(c.sentence for c in found.cited))


def test_the_figures_are_those_of_their_pages(release):
    found = told(release, "en")
    for figure in found.figures:
        page = page_of(release, figure.page.replace("-", "_"))
        twin = next(f for f in page.found if f.slug == figure.slug)
        assert twin.drawn == figure.drawn and twin.data.equals(figure.data)


def test_it_is_easy_to_read(release):
    english, spanish = ([c.sentence for c in told(release, code).cited] for code in ("en", "es"))
    assert grade(english) <= GRADE["other"], round(grade(english), 1)
    assert ease(spanish) >= FERNANDEZ_HUERTA, round(ease(spanish), 1)
    assert not set(english) & set(spanish)


CAUSES = r"\b(because|due to|led to|caused?|thanks|reduced?|prevent|improv|saved? lives)"


def test_no_sentence_names_a_cause_or_a_change_of_two_points(release):
    for c in told(release, "en").cited:
        assert not re.search(CAUSES, c.sentence, re.IGNORECASE), c.sentence
        assert not re.search(r"\b(rose|fell|up|down|increas|decreas|grew)\b", c.sentence), c


def test_a_sentence_whose_figure_is_gone_is_left_out(example):
    """Parts of the release without one table or one kind of rows: no sentence without its
    figure."""
    for leave_out in ("outcome", "area", "wait", "responder"):
        part = part_of(
            example, lambda t, name=leave_out: name not in t.levels and name not in t.where
        )
        found = told(part, "en")
        assert 0 < words(found) <= words(told(example, "en"))
        for name in {c.page for c in found.cited}:
            slugs = {f.slug for f in page_of(part, name).found}
            assert {c.figure for c in found.cited if c.page == name} <= slugs


def test_no_type_is_the_most_common_while_one_is_withheld(example):
    """The largest count may be withheld, as cover for a small one."""
    table = example.tables["calls_by_month_type"]
    cells = table.cells.copy()
    largest = (cells["period"] == "2025") & (cells["call_type"] == "mental_health")
    assert any("The most common type" in c.sentence for c in told(example, "en").cited)
    cells.loc[largest, table.measure], cells.loc[largest, "status"] = "", "suppressed"
    tables = example.tables | {table.name: replace(table, cells=cells)}
    cited = told(replace(example, tables=tables), "en").cited
    assert not any("The most common type" in c.sentence for c in cited)


def test_a_text_is_cut_at_its_sentences():
    assert sentences("At 3 a.m. calls came. In 2025, 12.5 of 3. «Hay menos.» Fin.") == [
        "At 3 a.m. calls came.",
        "In 2025, 12.5 of 3.",
        "«Hay menos.» Fin.",
    ]
    assert sentences("") == []


def test_the_page_is_listed():
    assert "story" in PAGES
