"""`docs/measures.md` is what the measures say of themselves."""

from dashboard.numbers.measures import measures
from dashboard.page.pages_list import PAGES
from tools.measures import PATH, entry, written


def test_the_document_is_current():
    assert PATH.read_text(encoding="utf-8") == written(), "python -m tools.measures"


def test_each_measure_says_where_it_stands():
    for one in measures():
        assert one.page in PAGES, one.name
        told = entry(one)
        assert one.counted in told and f"In a release: {one.query.words}" in told
