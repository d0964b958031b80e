"""The frame around every page: language, list of pages, and the page chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import frame, language
from dashboard.language import DEFAULT, LANGUAGES, _, day
from dashboard.notices import help_line, refusal
from dashboard.pages_list import PAGES, groups, path_of
from dashboard.release import ReleaseRefused
from dashboard.screen import Embedded, Screen
from dashboard.serving import Serving, serving
from dashboard.written import show, turn


def choose_language(*, shown: bool = True) -> str:
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

    if shown:
        st.segmented_control(
            "Language / Idioma", list(LANGUAGES), format_func=LANGUAGES.__getitem__, key="language_switch", on_change=write, required=True
        )
    state["_lang_in_address"] = code
    if code == DEFAULT:
        st.query_params.pop("lang", None)
    else:
        st.query_params["lang"] = code
    return code


def menu(pages: Mapping[str, Sequence[Any]]) -> None:
    """One button for each group; it opens the group's pages. The same on a wide screen and on a phone.

    Streamlit's own menus bring lists that screen readers cannot count (axe: list, listitem).
    """
    with st.container(horizontal=True, key="menu"):
        for group, listed in pages.items():
            with st.popover(group):
                for page in listed:
                    st.page_link(page)


def page_groups() -> dict[str, list[Any]]:
    """The pages as Streamlit's menus take them."""

    def page(name: str, title: str) -> Any:
        return st.Page(f"pages/{name}.py", title=title, url_path=path_of(name) or None, default=name == PAGES[0])

    return {group: [page(name, title) for name, title in pages.items()] for group, pages in groups().items()}


def chosen_release() -> str | None:
    """The release asked for (`release=2025.4`); it goes along from page to page until the newest is chosen."""
    asked = st.query_params.get("release")
    if asked is not None:
        st.session_state["_release"] = asked
    version: str | None = st.session_state.get("_release")
    if version:
        st.query_params["release"] = version
    return version


def run_app() -> None:
    """Draw the frame and run the chosen page inside it, in turn."""
    with turn:
        _run()


def _run() -> None:
    st.set_page_config(layout="centered", initial_sidebar_state="collapsed")
    wanted = st.query_params.get("figure")
    language.use(choose_language(shown=not wanted))
    frame.mend(language.current())
    pages = page_groups()
    page = st.navigation(pages, position="hidden")
    if not wanted:
        menu(pages)
    site = _("Co-response in numbers")
    st.set_page_config(page_title=f"{page.title} – {site}")
    try:
        found = serving(chosen_release())
    except ReleaseRefused as refused:
        st.title(_("This page cannot show numbers right now"))
        st.error(refusal(refused.reason))
        st.caption(help_line("US"))
        st.stop()
    standing(found)
    name = page.url_path or PAGES[0]
    show(name, Embedded(found.shown, name, wanted=wanted) if wanted else Screen(found.shown, name), page.run)


def standing(found: Serving) -> None:
    """What a reader must know before any number: an earlier release, an unknown one, or one that nobody has approved yet."""
    if found.unknown:
        st.warning(_("The release you asked for is not here. You see the newest one, {version}.").format(version=found.newest.version))
    elif found.frozen:
        st.warning(
            _("You see release {version} as it stood, with data to {day}. A newer release is here: {newest}.").format(
                version=found.shown.version, newest=found.newest.version, day=day(found.shown.data_to)
            )
        )
        st.button(_("Show the newest release"), on_click=_newest)
    if not found.shown.approved:
        st.warning(_("This is a preview. Nobody has approved these numbers yet. Do not quote them."))


def _newest() -> None:
    st.session_state["_release"] = None
    st.query_params.pop("release", None)
