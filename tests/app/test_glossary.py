"""The glossary's words on the pages that use them."""

import pytest

from dashboard.release.reader import load_release
from dashboard.text import language
from dashboard.text.glossary import words, words_in
from tests.conftest import ROOT
from tests.paper import page_of


@pytest.mark.parametrize("code", ["en", "es"])
def test_words_of_the_field_are_explained_where_they_stand(code):
    """A page that uses a word of the glossary explains it; a page that does not, does not."""
    release = load_release(ROOT / "data_public")
    body = "".join(page_of(release, "funnel", code).body)
    language.use(code)
    try:
        clinician = {"en": "Clinician", "es": "Profesional clínico"}[code]
        assert clinician in words()
        assert words()[clinician] in body.replace("&quot;", '"')
        assert clinician in words_in(f"xx {clinician.lower()}s yy") or clinician in words_in(
            clinician
        )
        assert words_in("nothing of the kind") == {}
    finally:
        language.use("en")
