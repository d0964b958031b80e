"""Statistics against published worked examples and at their edges; one definition for each measure;
no totals made from visible cells."""

import ast
import csv
import io
import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from scipy.stats import poisson as poisson_law

from dashboard.export.downloads import csv_bytes
from dashboard.findings.answers import outcomes_headline
from dashboard.findings.claims import claims
from dashboard.findings.program import contacts_of, costs_of_contacts, per_day
from dashboard.findings.targets import Score, Target, score
from dashboard.numbers import stats
from dashboard.numbers.cells import Point, Rate, Share
from dashboard.numbers.measures import measures
from dashboard.release.reader import CountTable, load_release
from dashboard.text import language
from dashboard.text.glossary import words
from tests.conftest import ROOT
from tests.paper import page_of


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Exact 95 % limits, table of Garwood 1936 (Biometrika 28: 437-442).
    [
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (2, 0.2422, 7.225),
        (5, 1.6235, 11.668),
        (10, 4.7954, 18.390),
        (50, 37.1110, 65.919),
    ],
)
def test_exact_poisson_limits(count, low, high):
    found = stats.poisson(count)
    assert found == pytest.approx((low, high), abs=6e-4)
    if count:
        assert poisson_law.sf(count - 1, found[0]) == pytest.approx(0.025)
    assert poisson_law.cdf(count, found[1]) == pytest.approx(0.025)


@pytest.fixture(autouse=True)
def english():
    language.use("en")


def test_rule_of_three():
    """Hanley and Lippman-Hand 1983: none in 14 leaves up to about 21 %; none in 134 up to 2.2 %."""
    assert stats.rule_of_three(14) == pytest.approx(0.214, abs=0.001)
    assert stats.rule_of_three(134) == pytest.approx(0.022, abs=0.0005)


def point(value, status="published"):
    return Point("x", "X", value, status)


@pytest.mark.parametrize(("whole", "shown"), [(29, False), (30, True)])
def test_minimum_base(whole, shown):
    assert (Share("x", "X", point(3), point(whole)).share is not None) == shown
    assert (Rate("x", "X", point(3), point(whole)).per_1000 is not None) == shown


def test_withheld_gives_no_rate():
    for part, whole in ((None, 100), (5, None), (None, None), (0, 0)):
        rate = Rate("x", "X", point(part, "suppressed"), point(whole, "suppressed"))
        assert rate.per_1000 is None
        assert rate.interval is None
        assert "0" not in rate.shown
    none = Rate("x", "X", point(0), point(3000))
    assert none.per_1000 == 0
    assert none.interval == (0.0, pytest.approx(1.0))


def test_targets_are_judged_by_the_interval():
    release = load_release(ROOT / "data_public")
    found = score(release, "coverage", "2025")
    low, high = found.limits
    assert low < found.now.interval[0] and high > found.now.interval[1], "people call again"
    assert found.meets(low - 0.001, "at_least") == "met"
    assert found.meets(high + 0.001, "at_least") == "missed"
    assert found.meets(high + 0.001, "at_most") == "met"
    assert (
        found.meets((low + high) / 2, "at_least")
        == found.meets((low + high) / 2, "at_most")
        == "unclear"
    )
    assert found.trend == "too few years to say"
    assert score(release, "coverage", "1999") is None
    assert score(release, "nothing", "2025") is None


def test_one_definition_in_both_languages():
    names = [m.name for m in measures()]
    assert len(names) == len(set(names)) >= 25
    try:
        for code in ("en", "es"):
            language.use(code)
            for measure in measures():
                assert measure.plain and measure.counted and measure.unit and measure.source
                data = list(
                    csv.reader(
                        io.StringIO(csv_bytes(pd.DataFrame([measure.__dict__])).decode("utf-8-sig"))
                    )
                )
                assert measure.counted in data[1]
        assert measures()[0].plain == "Llamadas de crisis"
    finally:
        language.use("en")


def test_pages_show_only_known_measures():
    """Each page's definitions come from the one list."""
    known = {m.name for m in measures()}
    used = set()
    for page in (ROOT / "pages").glob("*.py"):
        for node in ast.walk(ast.parse(page.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "open_page"
            ):
                used |= {argument.value for argument in node.args[1:]}
    assert used <= known
    assert len(used) >= 20


def sums_of_cells(source):
    """Sums whose terms are cells of count tables: what a page must never show."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (
            (isinstance(node.func, ast.Name) and node.func.id == "sum")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "sum")
        ):
            text = ast.unparse(node)
            if (
                "None" not in text
                and (re.search(r"[.]value\b", text) or ".cell(" in text or "calls" in text)
                and "status" not in text
            ):
                found.append(text)
    return found


def test_no_total_of_visible_cells():
    for folder in ("pages", "dashboard"):
        for path in (ROOT / folder).rglob("*.py"):
            assert sums_of_cells(path.read_text()) == [], path
    assert sums_of_cells("total = sum(p.value or 0 for p in points)")
    assert sums_of_cells("frame['calls'].sum()")


def _card(release, name):
    return next(claim for claim in claims() if claim.name == name).find(release)


def test_each_card_holds_a_figure_of_its_own():
    """A reader of a claim sees a number there, not only where to look for one; and the numbers are
    those of the release's files."""
    language.use("en")
    release = load_release(ROOT / "data_public")
    for claim in claims():
        found = claim.find(release)
        assert found.verdict != "missing" and re.search(r"\d", found.figure), (
            claim.name,
            found.figure,
        )
    rows = {
        name: list(csv.DictReader((ROOT / f"data_public/tables/{name}.csv").open()))
        for name in ("all_calls", "training", "weapons")
    }
    every = sum(int(r["calls"]) for r in rows["all_calls"] if r["month"].startswith("2025"))
    assert f"of {every:,})" in _card(release, "share").figure
    joint = [r for r in rows["training"] if r["year"] == "2025" and r["joint"] == "yes"]
    assert joint and all(
        f"{r['trained']} of {r['eligible']}" in _card(release, "training").figure for r in joint
    )
    armed = next(
        r["calls"]
        for r in rows["weapons"]
        if (r["responder"], r["weapon_reported"]) == ("clinician", "yes")
        and r.get("period", "all") == "all"
    )
    assert f"({int(armed):,} of " in _card(release, "danger").figure


def test_two_questions_of_a_survey_are_not_set_side_by_side(monkeypatch):
    language.use("en")
    release = load_release(ROOT / "data_public")
    waves = [("2023-06-30", "A", 10), ("2025-06-30", "A", 60), ("2025-06-30", "B", 90)]
    survey = pd.DataFrame(
        [
            {
                "wave": w,
                "audience": "residents",
                "question": q,
                "agree": str(n),
                "respondents": "100",
            }
            for w, q, n in waves
        ]
    )
    monkeypatch.setattr(
        type(release), "reference", lambda self, name: survey if name == "survey" else None
    )
    found = _card(release, "trust")
    assert found.verdict == "cannot_tell"
    assert (
        found.figure
        == "B Agreed: 90% in 2025. It was asked once. How many were asked is not on record."
    )


def test_months_with_too_few_calls_are_not_told(monkeypatch):
    """In a small town no month has calls enough to say how many fields are filled; the page says so
    and stands."""
    release = load_release(ROOT / "data_public")
    kept = release.reference
    few = release.references["completeness"].assign(
        at_least=lambda f: f["at_least"].where(f["period"] == "all", "")
    )
    monkeypatch.setattr(
        type(release), "reference", lambda self, name: few if name == "completeness" else kept(name)
    )
    body = "".join(page_of(release, "scorecard", "en").body)
    assert "how complete the data are, by month" in body and "How recent are the data?" in body


def test_none_hurt_ends_at_the_rule_of_three_on_the_card_too(monkeypatch):
    language.use("en")
    release = load_release(ROOT / "data_public")
    table = release.find("responder", "injured_clinician")
    nobody, kept = {"responder": "clinician", "injured_clinician": "yes"}, type(table).cell
    monkeypatch.setattr(
        type(table), "cell", lambda self, at: (0, "published") if at == nobody else kept(self, at)
    )
    whole, _status = table.cell({"responder": "clinician"})
    assert f"0 to {round(3000 / whole, 1)} in 1,000" in _card(release, "danger").figure


def test_a_short_month_is_no_low_month():
    """28 days of 50 calls and 31 days of 50 calls are the same."""
    months = [
        Point("2025-02", "", 28 * 50, "published"),
        Point("2025-03", "", 31 * 50, "published"),
        Point("2025-04", "", 600, "incomplete"),
    ]
    assert per_day(months) == [50.0, 50.0, None]
    assert per_day(
        [Point("2025", "", 9, "published"), Point("2025-Q1", "", None, "suppressed")]
    ) == [9.0, None]


def test_a_contact_is_one_thing():
    """Its meaning in the glossary, in the words of the measures, and in what is divided by it."""
    language.use("en")
    release = load_release(ROOT / "data_public")
    rows = list(csv.DictReader((ROOT / "data_public/tables/outcomes.csv").open()))
    at = {"period": "2025", "call_type": "all", "responder": "clinician", "outcome": "met"}
    met = next(int(r["calls"]) for r in rows if all(r[name] == code for name, code in at.items()))
    assert contacts_of(release, "2025") == met == costs_of_contacts(release)[-1].contacts
    cost = next(m for m in measures() if m.name == "cost")
    assert "took part" in words()["Contact"] and "took part" in cost.out_of
    assert contacts_of(release, "1999") is None


def test_who_calls_often_is_shown_for_years_with_a_year_before():
    """A first year is not withheld: nobody knows who called often by then."""
    release = load_release(ROOT / "data_public")
    page = page_of(release, "after", "en")
    found = next(figure for figure in page.found if "frequent" in figure.file)
    assert found.data["period"].tolist() == ["2025"]
    first = page_of(load_release(ROOT / "data_public/history/2025.1"), "after", "en")
    assert not [figure for figure in first.found if "frequent" in figure.file]


@pytest.mark.parametrize(
    ("withheld", "said"),
    [
        ("handed_over", "calls most often ended this way: stayed"),
        ("stayed_with_plan", "we cannot say which was most common"),
    ],
)
def test_no_end_is_the_most_common_while_a_larger_one_may_be_withheld(withheld, said):
    language.use("en")
    release = load_release(ROOT / "data_public")
    table = release.tables["outcomes"]
    cells = table.cells.copy()
    at = (cells[["period", "call_type", "responder"]] == ("2025", "all", "all")).all(axis=1)
    at &= cells["outcome"] == withheld
    assert at.sum() == 1
    cells.loc[at, table.measure], cells.loc[at, "status"] = "", "suppressed"
    assert said in outcomes_headline(release, replace(table, cells=cells), "2025").sentence


def test_no_type_of_call_is_called_the_most_common_while_a_larger_may_be_withheld(monkeypatch):
    language.use("en")
    release = load_release(ROOT / "data_public")
    assert "Most common type: Mental health crisis" in _card(release, "types").figure
    kept = CountTable.cell
    for code, verdict in (("disturbance", "described"), ("mental_health", "cannot_tell")):
        monkeypatch.setattr(
            CountTable,
            "cell",
            lambda self, at, code=code: (
                (None, "suppressed") if at.get("call_type") == code else kept(self, at)
            ),
        )
        assert _card(release, "types").verdict == verdict


def test_groups_that_are_not_shown_are_said_to_be_missing(monkeypatch):
    release = load_release(ROOT / "data_public")
    said = "Groups that are withheld or small are not among them."
    assert said not in page_of(release, "fairness").told.headline.sentence
    kept = CountTable.cell
    monkeypatch.setattr(
        CountTable,
        "cell",
        lambda self, at: (
            (None, "suppressed") if at.get("race_ethnicity") == "asian" else kept(self, at)
        ),
    )
    assert said in page_of(release, "fairness").told.headline.sentence


def _target(part, whole, target, direction="at_least"):
    points = [Point("2025", "2025", value, "published") for value in (part, whole)]
    found = Score("Reached", Share("2025", "2025", *points), None, "")
    return Target("coverage", "2025", target, direction, date(2024, 1, 1), "", found)


def test_a_missed_target_says_by_how_much():
    missed = _target(7_060, 10_000, 0.80)
    assert missed.gap_words == (
        "Not met: Reached, by 9 points. It was 71%; the target is at least 80%."
    )
    assert "by 1 point." in _target(7_900, 10_000, 0.80).gap_words
    assert "by 6 points." in _target(1_600, 10_000, 0.10, "at_most").gap_words
    assert "by less than 1 point." in _target(79_700, 100_000, 0.80).gap_words
    assert _target(9_000, 10_000, 0.80).gap_words == ""
    assert _target(79, 100, 0.80).gap_words == "", "too near to say"
