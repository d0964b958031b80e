"""No share, rate or statistic is shown over fewer than its measure's smallest base, whatever shows
it: a page, a tile, a target, a claim or the brief; and each is shown at the base itself."""

import re
from dataclasses import replace

import pytest

from dashboard.export import brief
from dashboard.findings.claims import claims
from dashboard.findings.headline import glance
from dashboard.findings.targets import targets
from dashboard.numbers import measures
from dashboard.numbers.queries import Counts, Statistic
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import CountTable, StatisticTable, load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import page_of

BASED = [m.name for m in measures.measures() if m.smallest_base]
OF_COUNTS = [name for name in BASED if isinstance(measures.measure(name).query, Counts)]
OF_STATISTICS = [name for name in BASED if isinstance(measures.measure(name).query, Statistic)]
LIMIT = 30
TOO_FEW = "too few"


@pytest.fixture(autouse=True)
def english():
    language.use("en")


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def limited(monkeypatch, most):
    """No count of the release, and no base of a statistic, is larger than `most`."""
    counted, told = CountTable.cell, StatisticTable.cell

    def cell(self, codes):
        number, status = counted(self, codes)
        return (None if number is None else min(number, most)), status

    def numbers(self, codes):
        found = told(self, codes)
        bases = ("based_on", "people_followed", "people_again", "calls_frequent")
        return found and {k: min(n, most) if k in bases else n for k, n in found.items()}

    monkeypatch.setattr(CountTable, "cell", cell)
    monkeypatch.setattr(StatisticTable, "cell", numbers)


def with_limit(monkeypatch, name, smallest_base):
    listed = [
        replace(m, smallest_base=smallest_base) if m.name == name else m
        for m in measures.measures()
    ]
    monkeypatch.setattr(measures, "measures", lambda: listed)


def figures(release):
    """Shares and rates as the tables of all pages write them, of counts of calls alone."""
    return [
        (name, figure.title, str(cell))
        for name in PAGES
        for figure in page_of(release, name).found
        if "Calls (n)" in figure.table.columns
        for column in ("Share", "Per 1,000 calls")
        if column in figure.table.columns
        for cell in figure.table[column]
    ]


@pytest.mark.parametrize("most", [LIMIT - 1, LIMIT])
def test_pages(release, monkeypatch, most):
    limited(monkeypatch, most)
    found = [one for one in figures(release) if one[1] != "Crisis calls as a share of all calls"]
    shown = [one for one in found if re.match(r"\d", one[2])]
    assert len(found) > 150
    assert (len(shown) > 100) if most == LIMIT else shown == []


@pytest.mark.parametrize("most", [LIMIT - 1, LIMIT])
def test_tiles_targets_and_brief(release, monkeypatch, most):
    limited(monkeypatch, most)
    seen, _missing = glance(release, "2025")
    tiles = {f.measure: f.shown for f in seen if f.measure != "calls"}
    assert len(tiles) == 5
    assert {TOO_FEW in words for words in tiles.values()} == {most < LIMIT}
    judged = [t for t in targets(release) if t.year == "2025"]
    assert {t.score.now.share is None for t in judged} == {most < LIMIT}
    assert {t.result == "unknown" for t in judged} == {most < LIMIT}
    part = next(
        p
        for p in brief.compose(release, "all", "2025").parts
        if p.heading.startswith("The year in numbers")
    )
    rows = {row[0]: row[1] for row in part.rows}
    assert (TOO_FEW in rows["Reached by a clinician"]) == (most < LIMIT)
    assert (TOO_FEW in rows["Half of the waits are up to about (minutes)"]) == (most < LIMIT)


@pytest.mark.parametrize("most", [LIMIT - 1, LIMIT])
def test_claims(release, monkeypatch, most):
    limited(monkeypatch, most)
    of_counts = {"types", "gaps", "roles", "language", "holds", "restraints", "trained", "outside"}
    found = {claim.name: claim.find(release) for claim in claims()}
    told = {name for name in of_counts & set(found) if re.search(r"\d%", found[name].figure)}
    assert len(of_counts & set(found)) >= 6
    assert (len(told) >= 4) if most == LIMIT else told == set()


@pytest.mark.parametrize("name", OF_COUNTS)
def test_each_measure_keeps_its_own(release, monkeypatch, name):
    """The limit is read from the measure: one more than the base hides it, the base shows it."""
    shares = measures.measure(name).shares(release)
    assert shares, "the example city reports it"
    whole = max(s.whole.value or 0 for s in shares if s.share is not None)
    for limit, shown in ((whole, True), (whole + 1, False)):
        with_limit(monkeypatch, name, limit)
        again = measures.measure(name).shares(release)
        assert any(s.share is not None for s in again) == shown
        assert shown or any(TOO_FEW in s.shown for s in again)


@pytest.mark.parametrize("name", OF_STATISTICS)
def test_each_statistic_keeps_its_own(release, monkeypatch, name):
    query = measures.measure(name).query
    table = release.statistic(query.names[0])
    if query.base not in table.columns:
        pytest.skip("its base is judged where it is made: it publishes none")
    at = next(
        dict(zip(table.levels, codes, strict=True)) for codes, row in table.rows.items() if row
    )
    base = table.cell(at)[query.base]
    for limit, shown in ((base, True), (base + 1, False)):
        with_limit(monkeypatch, name, limit)
        found, status = measures.numbers_at(table, at)
        assert (found is not None) == shown and (status == "too_few") != shown


def test_a_share_of_a_measure_has_a_smallest_base():
    for one in measures.measures():
        if isinstance(one.query, Counts) and one.out_of and one.name != "sent_index":
            assert one.smallest_base >= LIMIT, one.name
