"""The frame around every page: language, list of pages, and the page chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape as escape_html
from typing import Any

import streamlit as st

from dashboard.app import page_style
from dashboard.app.streamlit_surface import Embedded, Screen
from dashboard.export import feeds
from dashboard.export.html_surface import to_html
from dashboard.page.page_cache import show, turn
from dashboard.page.pages_list import PAGES, groups, path_of
from dashboard.page.reported import shown_pages
from dashboard.page.standard_texts import crisis_bar, help_line, made_up_in_short, refusal
from dashboard.page.surface import escape
from dashboard.release.current import Serving, serving
from dashboard.release.reader import ReleaseRefused
from dashboard.text import language
from dashboard.text.language import DEFAULT, LANGUAGES, _, day, pick


def chosen_language() -> str:
    """The reader's language. The address keeps it (`lang=es`), from page to page."""
    state = st.session_state
    asked = st.query_params.get("lang")
    if asked in LANGUAGES and asked != state.get("_lang_in_address"):
        state["_lang"] = asked
    code = str(state.setdefault("_lang", DEFAULT))
    state["_lang_in_address"] = code
    if code == DEFAULT:
        st.query_params.pop("lang", None)
    else:
        st.query_params["lang"] = code
    return code


def _speak(code: str) -> None:
    st.session_state["_lang"] = code


def bar(name: str, country: str) -> None:
    """Whose numbers these are (the way home), help in a crisis, and the other languages: on top of
    every page."""
    with st.container(horizontal=True, key="bar"):
        site = _("Co-response in numbers")
        st.page_link(f"pages/{PAGES[0]}.py", label=f"**{escape(name)}** · {site}" if name else site)
        st.html(f'<div class="crisis">{to_html(crisis_bar(country))}</div>')
        for code, words in LANGUAGES.items():
            if code != language.current():
                st.button(
                    words, key=f"language-{code}", type="tertiary", on_click=_speak, args=(code,)
                )


DIRECT = ("at_a_glance", "neighborhood", "get_help")
"""Pages with a link in the menu's row itself, on a phone too."""
FIND, CLAIMS = "find", "claims"
"""Further ones on a wide screen: before the groups, and before the last."""


Group = tuple[str, tuple[str, ...], list[str]]
"""Title, pages whose links come before it in the row, and the pages that it opens."""


def menu_groups(
    pages: Mapping[str, Mapping[str, object]], shown: Collection[str]
) -> tuple[list[str], list[Group]]:
    """What the menu's row holds of the pages in `shown`: those with a link of their own, and
    groups."""
    groups: list[Group] = []
    before: tuple[str, ...] = (FIND,)
    for title, listed in pages.items():
        names = [n for n in listed if n in shown and n not in (*DIRECT, FIND, CLAIMS)]
        if names:
            before += (CLAIMS,) if CLAIMS in listed and CLAIMS in shown else ()
            groups.append((title, before, names))
            before = ()
    return [name for name in DIRECT if name in shown], groups


def menu(pages: Mapping[str, Mapping[str, Any]], shown: Collection[str], current: str) -> None:
    """One row: the pages most asked for, then a button for each group, with its pages behind it in
    the order of the document.

    Buttons open and close by `mend.js`; on a phone one button opens all groups. Pages that are not
    in `shown` are left out.
    """
    every = {name: page for listed in pages.values() for name, page in listed.items()}
    direct, grouped = menu_groups(pages, shown)
    with st.container(horizontal=True, key="menu"):
        for name in direct:
            st.page_link(every[name])
        st.html(_opener("rest", _("Menu"), "menu-more", here=current not in DIRECT))
        with st.container(horizontal=True, key="rest"):
            for title, before, names in grouped:
                for name in before:
                    st.page_link(every[name])
                key = f"group-{names[0].replace('_', '-')}"
                st.html(
                    f"{_opener(key, title, here=current in names)}<p"
                    f' class="menu-heading">{escape_html(title)}</p>'
                )
                with st.container(key=key):
                    for name in names:
                        st.page_link(every[name])


def _opener(key: str, words: str, kind: str = "", *, here: bool) -> str:
    """A button that opens the container `key`; `here`: the page shown is in it."""
    classes = " ".join(filter(None, ("menu-button", kind, "here" if here else "")))
    return (
        f'<button type="button" class="{classes}" aria-expanded="false"'
        f' data-opens="st-key-{key}">{escape_html(words)}</button>'
    )


def page_groups() -> dict[str, dict[str, Any]]:
    """Group -> page (its file) -> the page as Streamlit knows it."""

    def page(name: str, title: str) -> Any:
        return st.Page(
            f"pages/{name}.py",
            title=title,
            url_path=path_of(name) or None,
            default=name == PAGES[0],
        )

    return {
        group: {name: page(name, title) for name, title in pages.items()}
        for group, pages in groups().items()
    }


def chosen_release() -> str | None:
    """The release asked for (`release=2025.4`); it goes along from page to page until the newest is
    chosen."""
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
    st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
    wanted = st.query_params.get("figure")
    language.use(chosen_language())
    page_style.mend(language.current())
    pages = page_groups()
    page = st.navigation(
        {group: list(listed.values()) for group, listed in pages.items()}, position="hidden"
    )
    site = _("Co-response in numbers")
    st.set_page_config(page_title=f"{page.title} – {site}")
    try:
        found = serving(chosen_release())
    except ReleaseRefused as refused:
        bar("", "US")
        st.title(_("This page cannot show numbers right now"))
        st.error(refusal(refused.reason))
        st.html(f'<footer class="foot">{to_html(help_line("US"))}</footer>')
        st.stop()
    release, name = found.shown, page.url_path or PAGES[0]
    if wanted:
        ribbon(found)
        show(name, Embedded(release, name, wanted=wanted), page.run)
        return
    bar(pick(release.agency["place"]), release.agency["country"])
    menu(pages, shown_pages(release), name.replace("-", "_"))
    ribbon(found)
    left, right = st.columns([1, 1], gap="large") if name == PAGES[0] else (st.container(), None)
    top, filters = left.container(), left.container(horizontal=True, key="filters")
    show(name, Screen(release, name, top=top, right=right, filters=filters), page.run)


def ribbon_lines(found: Serving) -> list[str]:
    """What a reader must know before any number: a city that is made up, a release that nobody has
    approved yet, an earlier or unknown one, a late update."""
    release = found.shown
    lines = []
    if release.agency["fictional"]:
        lines.append(made_up_in_short())
    if not release.approved:
        lines.append(
            _("This is a preview. Nobody has approved these numbers yet. Do not quote them.")
        )
    if found.unknown:
        lines.append(
            _("The release you asked for is not here. You see the newest one, {version}.").format(
                version=found.newest.version
            )
        )
    elif found.frozen:
        lines.append(
            _(
                "You see release {version} as it stood, with data to {day}. A newer release is"
                " here: {newest}."
            ).format(version=release.version, newest=found.newest.version, day=day(release.data_to))
        )
    if not found.frozen and feeds.overdue(release):
        lines.append(feeds.overdue_words(release))
    return lines


def ribbon(found: Serving) -> None:
    """These lines as a slim one, and the way to the newest release."""
    if lines := ribbon_lines(found):
        st.html(
            f'<div class="ribbon">{"".join(f"<p>{escape_html(line)}</p>" for line in lines)}</div>'
        )
    if found.frozen and not found.unknown:
        st.button(_("Show the newest release"), on_click=_newest)


def _newest() -> None:
    st.session_state["_release"] = None
    st.query_params.pop("release", None)
