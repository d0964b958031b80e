"""The frame around every page: language, list of pages, and the page chosen."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st

from dashboard import language
from dashboard.language import DEFAULT, LANGUAGES, _

_run = threading.local()


def choose_language() -> str:
    """A switch at the top of every page. The choice stands in the address (`lang=es`) and goes along from page to page."""
    state = st.session_state
    asked = st.query_params.get("lang")
    if asked in LANGUAGES and asked != state.get("_lang_in_address"):
        state["_lang"] = asked
    code = str(state.setdefault("_lang", DEFAULT))
    if state.get("language_switch") != code:
        state["language_switch"] = code

    def write() -> None:
        # A click on the language already chosen empties the switch; the choice stays.
        state["_lang"] = state["language_switch"] or state["_lang"]

    st.segmented_control(
        "Language / Idioma", list(LANGUAGES), format_func=LANGUAGES.__getitem__, key="language_switch", on_change=write, required=True
    )
    state["_lang_in_address"] = code
    if code == DEFAULT:
        st.query_params.pop("lang", None)
    else:
        st.query_params["lang"] = code
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


def run_app() -> None:
    """Draw the frame and run the chosen page inside it."""
    st.set_page_config(layout="centered", initial_sidebar_state="collapsed")
    language.use(choose_language())
    page = st.navigation(page_list(), position="top")
    site = _("Co-response in numbers")
    st.set_page_config(page_title=f"{page.title} – {site}")
    _run.framed = True
    try:
        page.run()
    finally:
        _run.framed = False


def require_frame() -> None:
    """Called first by every page: a page that Streamlit started on its own gets its frame.

    Until the first visitor of a server has called `st.navigation`, Streamlit runs the files of a folder
    named `pages` directly, so that a link to a page would open it without language and navigation.
    """
    if not getattr(_run, "framed", False):
        run_app()
        st.stop()
