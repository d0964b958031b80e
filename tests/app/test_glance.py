"""The first page's figures, the crisis card, and how well the data behind a target are filled."""

import csv
import io
from dataclasses import replace

import pypdf
import pytest

from dashboard.export import crisis_card
from dashboard.findings.headline import FIRST, glance
from dashboard.findings.targets import targets
from dashboard.numbers import measures
from dashboard.numbers.queries import Counts
from dashboard.release.reader import load_release
from dashboard.text import language
from dashboard.text.language import percent
from tests.conftest import ROOT
from tests.paper import page_of


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def rows(name):
    with (ROOT / f"data_public/tables/{name}.csv").open() as handle:
        return list(csv.DictReader(handle))


def count(name, **codes):
    """One published count, straight from the file."""
    (row,) = [r for r in rows(name) if all(r[key] == code for key, code in codes.items())]
    return int(row["calls"])


def test_six_figures_of_a_year_from_the_files(release):
    seen, missing = glance(release, "2025")
    assert [f.measure for f in seen] == list(FIRST)
    assert missing == {}
    by_name = {f.measure: f for f in seen}
    reached = count("coverage_by_area", period="2025", area="all", responder="clinician")
    met = count("coverage_by_area", period="2025", area="all", responder="all")
    every = count("calls_by_month_area", period="2025", area="all")
    stayed = count(
        "outcomes", period="2025", call_type="all", responder="all", outcome="stayed_with_plan"
    )
    force = count("force", period="2025", responder="clinician", force_used="yes")
    contacts = count("force", period="2025", responder="clinician", force_used="all")
    assert (by_name["calls"].part, by_name["coverage"].part, by_name["coverage"].whole) == (
        every,
        reached,
        met,
    )
    assert by_name["coverage"].shown == percent(reached / met)
    assert (by_name["stayed"].part, by_name["stayed"].whole) == (stayed, every)
    assert by_name["force"].shown == f"{round(1000 * force / contacts, 1)} per 1,000"
    assert "Target: at least 50% (met)" in by_name["coverage"].lines
    body = "".join(page_of(release, "at_a_glance").body)
    for figure in seen:
        assert figure.shown in body
        assert all(line in body for line in figure.lines)


def test_another_year_and_no_year_before(release):
    seen, _missing = glance(release, "2024")
    assert all(not f.before and not f.trend for f in seen)
    assert "The year in short: 2024" in "".join(
        page_of(release, "at_a_glance", asked={"year": "2024"}).body
    )


def test_what_a_release_lacks_is_named(release):
    bare = replace(
        release,
        tables={n: t for n, t in release.tables.items() if n == "calls_by_month_area"},
        references={},
        statistics={},
    )
    seen, missing = glance(bare, "2025")
    assert [f.measure for f in seen] == ["calls"]
    assert set(missing) == set(FIRST) - {"calls"}
    body = "".join(page_of(bare, "at_a_glance").body)
    listed = body[body.index("What this agency does not report yet") :]
    assert all(
        title in listed
        for title in (
            "Who gets a co-response",
            "Response times",
            "Outcomes",
            "Safety",
            "After the crisis",
        )
    )


def test_an_agency_s_own_codes_are_no_figure_of_ours(release, monkeypatch):
    own, listed = Counts(part={"outcome": "apprehended"}), measures.measures()
    listed = [replace(m, query=own) if m.name == "stayed" else m for m in listed]
    monkeypatch.setattr(measures, "measures", lambda: listed)
    assert "stayed" not in [f.measure for f in glance(release, "2025")[0]]


def test_no_word_from_two_years(release):
    """Two whole years, a new code between them, and people who call often: the figures stand there,
    and no word."""
    seen, _missing = glance(release, "2025")
    assert {f.trend for f in seen} == {"too few years to say"}
    assert all(f.before for f in seen)
    body = "".join(page_of(release, "calls").body) + "".join(page_of(release, "funnel").body)
    assert "More than in" not in body and "rose" not in body


def test_the_data_behind_a_target_are_judged(release):
    (wait,) = [t for t in targets(release) if t.measure == "wait_within_30"]
    assert wait.quality(release) == "good"
    low = replace(
        release,
        package={
            **release.package,
            "completeness": {**release.package["completeness"], "arrived_at": 89},
        },
    )
    assert wait.quality(low) == "below 90%: read with care"
    assert wait.quality(replace(release, package={})) == "–"


def test_where_someone_was_met(release):
    """Shares over contacts alone add up to all contacts, as the file says."""
    page = page_of(release, "outcomes")
    (met,) = [f for f in page.found if f.title.startswith("How calls ended where someone was met")]
    assert int(met.data["n"].sum()) == count(
        "outcomes", period="2025", call_type="all", responder="all", outcome="met"
    )
    assert {"refused", "not_found"}.isdisjoint(met.data["code"])


def test_the_funnel_of_one_place(release):
    page = page_of(release, "funnel", asked={"area": "north_hills"})
    steps = next(f for f in page.found if f.slug.startswith("funnel"))
    met = count("triage", period="2025", area="north_hills", eligible="yes")
    assert int(steps.data["calls"].iloc[1]) == met
    assert "This is known for the whole city only" in "".join(page.body)


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("en", "In a crisis: call or text 988"),
        ("es", "En una crisis: llame al 988 y oprima 2, o envíe AYUDA al 988"),
    ],
)
def test_the_card_is_one_tagged_page(release, code, title):
    language.use(code)
    try:
        pdf = pypdf.PdfReader(io.BytesIO(crisis_card.pdf_of(release)))
    finally:
        language.use("en")
    assert len(pdf.pages) == 1
    assert pdf.metadata.title == title
    assert pdf.trailer["/Root"]["/Lang"].startswith(code)
    assert "/StructTreeRoot" in pdf.trailer["/Root"]
    words = pdf.pages[0].extract_text().replace("\u00a0", " ")
    assert "911" in words and "988" in words
    assert {"en": "7 a.m. to 3 a.m.", "es": "de 7 a. m. a 3 a. m."}[code] in words
