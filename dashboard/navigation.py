"""The list of pages and the choice of language."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.language import LANGUAGES, _


def choose_language() -> str:
    """A switch at the top of every page; the choice stands in the address as `lang`."""
    chosen = st.segmented_control(
        "Language / Idioma",
        list(LANGUAGES),
        default="en",
        format_func=LANGUAGES.__getitem__,
        key="lang",
        bind="query-params",
        required=True,
    )
    code = str(chosen or "en")
    # The browser's own attribute, so that a screen reader speaks the right language.
    st.html(f"<script>document.documentElement.lang = '{code}'</script>", unsafe_allow_javascript=True)
    return code


def page_list() -> list[Any]:
    """Every page once, in the order of the navigation."""
    return [
        st.Page("pages/at_a_glance.py", title=_("At a glance"), default=True),
        st.Page("pages/calls.py", title=_("Calls and demand"), url_path="calls"),
        st.Page("pages/outcomes.py", title=_("Outcomes"), url_path="outcomes"),
        st.Page("pages/coverage.py", title=_("Coverage map"), url_path="coverage"),
        st.Page("pages/data.py", title=_("Data and downloads"), url_path="data"),
        st.Page("pages/methods.py", title=_("Methods and privacy"), url_path="methods"),
    ]
