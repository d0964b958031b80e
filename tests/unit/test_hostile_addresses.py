"""Whatever stands in an address: pages show a known view, and nothing of it is ever written into the page."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.citation import view_link
from dashboard.release import load_release
from tests.conftest import ROOT
from tests.paper import page_of

RELEASE = load_release(ROOT / "data_public")
KEYS = ("area", "type", "year", "level", "map", "who", "claim", "place", "of", "compare", "price", "due")
HOSTILE = [
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "' OR 1=1 --",
    "\x00",
    "all' --",
    "{label}",
    "%s%n",
    "é" * 5000,
    "",
    "unknown",
    "=1+1",
    "*x*",
    "NaN",
    "-1",
]
PLAIN = {
    page: "".join(page_of(RELEASE, page).body)
    for page in ("calls", "coverage", "neighborhood", "scorecard", "claims", "outcomes", "money", "changes")
}


@pytest.mark.parametrize("page", PLAIN)
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_filter_counts_as_the_default(page, value):
    body = "".join(page_of(RELEASE, page, "en", dict.fromkeys(KEYS, value)).body)
    if value != "unknown":  # "unknown" is a code of its own where calls have no known place
        assert body == PLAIN[page]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=40)))
def test_any_text_in_any_filter(asked):
    for page in ("calls", "neighborhood"):
        known = {code.code for codelist in RELEASE.codelists.values() for code in codelist.codes.values()}
        if not set(asked.values()) & known:
            assert "".join(page_of(RELEASE, page, "en", asked).body) == PLAIN[page]


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=4))
def test_links_are_always_one_well_formed_address(choices):
    link = view_link(RELEASE, "calls", choices, "https://data.example.org")
    assert link.startswith("https://data.example.org/calls?")
    assert not set(link) & set(" <>\"'\n\r\t")
