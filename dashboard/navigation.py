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


def page_groups() -> dict[str, list[Any]]:
    """Every page once, in four groups, in the order of the navigation."""

    def page(name: str, title: str) -> Any:
        return st.Page(f"pages/{name}.py", title=title, url_path=name.replace("_", "-"))

    return {
        _("For everyone"): [
            st.Page("pages/at_a_glance.py", title=_("At a glance"), default=True),
            page("get_help", _("Get help")),
            page("neighborhood", _("My neighborhood")),
        ],
        _("How it works"): [
            page("calls", _("Calls and demand")),
            page("funnel", _("Who gets a co-response")),
            page("coverage", _("Coverage by place and hour")),
            page("times", _("Response times")),
            page("outcomes", _("Outcomes")),
            page("safety", _("Safety")),
            page("after", _("After the crisis")),
        ],
        _("Running it"): [
            page("staffing", _("Staffing and training")),
            page("money", _("Money")),
            page("fairness", _("Fairness")),
            page("scorecard", _("Scorecard")),
        ],
        _("Evidence and data"): [
            page("claims", _("Check a claim")),
            page("data", _("Data and downloads")),
            page("methods", _("Methods and privacy")),
            page("glossary", _("Glossary and accessibility")),
        ],
    }


def run_app() -> None:
    """Draw the frame and run the chosen page inside it."""
    st.set_page_config(layout="centered", initial_sidebar_state="collapsed")
    language.use(choose_language())
    page = st.navigation(page_groups(), position="top")
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
