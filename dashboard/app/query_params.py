"""Filters in the address, by code: a link means the same in every language and after a label is
reworded.

Streamlit's own `bind="query-params"` writes the label shown on the screen, in the language of the
moment (`?area=Ribera`), so a saved link would break with a reworded label or the other language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from dashboard.page.surface import first_choice
from dashboard.text.language import unmarked

KEPT = {"year": "year", "of": "year", "area": "area", "place": "area", "type": "type"}
"""Filter -> the choice that goes along with the reader from page to page, which filters of other
names on other pages take up. It stays in the reader's own visit, and in the address."""


def _kept(key: str) -> dict[str, str]:
    """What the reader has chosen on pages so far, where this filter takes part in it."""
    state: dict[str, str] = st.session_state.setdefault("_choices_kept", {})
    return state if key in KEPT else {}


def _keep(key: str, code: str, fallback: str) -> None:
    if key not in KEPT:
        return
    if code == fallback:
        _kept(key).pop(KEPT[key], None)
    else:
        _kept(key)[KEPT[key]] = code


def choose(
    page: str, key: str, label: str, options: Mapping[str, str], default: str | None = None
) -> str:
    """A select box of `page` whose code the address keeps as `key`; left out while it is the
    default. An address that says nothing of it takes up what the reader chose on the page before,
    where this page has that choice too.

    `options` maps codes to labels. An unknown code in the address counts as the default;
    `missing_choice.py` has the words for it.
    """
    codes = list(options)
    fallback = first_choice(options, default)
    seen = f"_{key}_in_address"
    came_from_another = st.session_state.get(seen, ("",))[0] != page
    along = _kept(key).get(KEPT.get(key, ""), "")
    if came_from_another and key not in st.query_params and along in options and along != fallback:
        st.query_params[key] = along
    written = st.query_params.get(key, fallback)
    if (
        st.session_state.get(seen) != (page, written, written in codes)
        or st.session_state.get(key) not in codes
    ):
        # A first visit, another page with a filter of this name, a link, a release that has the
        # code, or the browser's back button: the address decides.
        st.session_state[key] = written if written in codes else fallback
        st.session_state[seen] = (page, written, written in codes)
        if written in codes and key in st.query_params:
            _keep(key, written, fallback)

    # Said again in each run: a browser that gets a second run before it has drawn the first would
    # show the first option, next to figures of the one that counts.
    st.session_state[key] = st.session_state[key]

    def write() -> None:
        chosen = st.session_state[key]
        st.session_state[seen] = (page, chosen, True)
        if chosen == fallback:
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = chosen
        _keep(key, chosen, fallback)

    labels = {code: unmarked(words) for code, words in options.items()}
    return str(st.selectbox(label, codes, format_func=labels.__getitem__, key=key, on_change=write))


def asked(key: str) -> str | None:
    """The code that the address has for a filter, known or not."""
    return st.query_params.get(key)


def read(key: str, options: Mapping[str, str], default: str | None = None) -> str:
    """The code of a filter that is not shown, from the address; the default where it has none."""
    written = asked(key)
    return written if written is not None and written in options else first_choice(options, default)


def reset(keys: Iterable[str]) -> None:
    """Put these filters back to their first choice, and forget what they carry from page to
    page."""
    for key in keys:
        st.query_params.pop(key, None)
        st.session_state.pop(f"_{key}_in_address", None)
        st.session_state.pop(key, None)
        _kept(key).pop(KEPT.get(key, ""), None)
