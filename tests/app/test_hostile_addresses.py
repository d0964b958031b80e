"""Whatever stands in an address: pages show a known view, and nothing of it is ever written into
the page."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.export.citation import view_link
from dashboard.release.reader import load_release
from tests.conftest import ROOT
from tests.paper import page_of

RELEASE = load_release(ROOT / "data_public")
KEYS = (
    "area",
    "type",
    "year",
    "level",
    "map",
    "days",
    "who",
    "claim",
    "place",
    "of",
    "compare",
    "price",
    "due",
)
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
    for page in (
        "calls",
        "coverage",
        "neighborhood",
        "scorecard",
        "claims",
        "outcomes",
        "money",
        "changes",
    )
}


NOTICE = re.compile(r'<div class="notice" role="note"><p>([^<]*)</p></div>')
"""That a choice is not in the release, without a link: no other release has such codes."""


def told(page, asked):
    """The page at a view asked for, without its notices; each notice stands for itself and holds
    nothing of what was asked."""
    body = "".join(page_of(RELEASE, page, "en", asked).body)
    for said in NOTICE.findall(body):
        assert re.fullmatch(
            r"[\w ():]+: your link asks for a choice that is not in this release\. You see .+"
            r" instead\.",
            unescape(said),
        ), said
    return NOTICE.sub("", body), len(NOTICE.findall(body))


@pytest.mark.parametrize("page", PLAIN)
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_filter_counts_as_the_default_and_says_so(page, value):
    if value != "unknown":  # "unknown" is a code of its own where calls have no known place
        body, notices = told(page, dict.fromkeys(KEYS, value))
        assert body == PLAIN[page]
        assert notices == (PLAIN[page].count('<nav class="filter"') if value else 0)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=40)))
def test_any_text_in_any_filter(asked):
    for page in ("calls", "neighborhood"):
        known = {
            code.code for codelist in RELEASE.codelists.values() for code in codelist.codes.values()
        }
        if not set(asked.values()) & known:
            assert told(page, asked)[0] == PLAIN[page]


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=4))
def test_links_are_always_one_well_formed_address(choices):
    link = view_link(RELEASE, "calls", choices, "https://data.example.org")
    assert link.startswith("https://data.example.org/calls?")
    assert not set(link) & set(" <>\"'\n\r\t")
