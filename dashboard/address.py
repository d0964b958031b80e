"""Filters in the address, by code: a link means the same in every language and after a label is
reworded.

Streamlit's own `bind="query-params"` writes the label shown on the screen, in the language of the
moment (`?area=Ribera`), so a saved link would break with a reworded label or the other language.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.language import unmarked
from dashboard.surface import first_choice


def choose(
    page: str, key: str, label: str, options: Mapping[str, str], default: str | None = None
) -> str:
    """A select box of `page` whose code stands in the address as `key`; left out while it is the
    default.

    `options` maps codes to labels. An unknown code in the address counts as the default;
    `missing_choice.py` has the words for it.
    """
    codes = list(options)
    fallback = first_choice(options, default)
    seen = f"_{key}_in_address"
    written = st.query_params.get(key, fallback)
    if (
        st.session_state.get(seen) != (page, written, written in codes)
        or st.session_state.get(key) not in codes
    ):
        # A first visit, another page with a filter of this name, a link, a release that has the
        # code, or the browser's back button: the address decides.
        st.session_state[key] = written if written in codes else fallback
        st.session_state[seen] = (page, written, written in codes)

    def write() -> None:
        chosen = st.session_state[key]
        st.session_state[seen] = (page, chosen, True)
        if chosen == fallback:
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = chosen

    labels = {code: unmarked(words) for code, words in options.items()}
    return str(st.selectbox(label, codes, format_func=labels.__getitem__, key=key, on_change=write))


def asked(key: str) -> str | None:
    """What the address asks of a filter, known or not."""
    return st.query_params.get(key)


def read(key: str, options: Mapping[str, str], default: str | None = None) -> str:
    """What the address says of a filter that is not shown."""
    written = asked(key)
    return written if written is not None and written in options else first_choice(options, default)
