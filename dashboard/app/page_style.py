"""Style and small repairs of the page around Streamlit's own: quiet text that can be read, the
page's language, names of regions."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from dashboard.figures import keyboard_walk
from dashboard.figures.theme import BAR, DARK, LIGHT, Palette
from dashboard.text.language import _, direction, tag

ASSETS = Path(__file__).parents[1] / "assets"
SCRIPT = (ASSETS / "mend.js").read_text(encoding="utf-8")
HEIGHT = (ASSETS / "height.js").read_text(encoding="utf-8")


def tokens(colours: Palette) -> str:
    """The colours as variables of CSS, named as in `assets/page.css`."""
    return (
        f"--ground:{colours.background};--ink:{colours.ink};--quiet:{colours.quiet};--mark:{colours.mark};--accent:{colours.accent};"
        f"--line:{colours.outline};--faint:{colours.faint};--link:{colours.link};--panel:{colours.panel};--bar:{BAR};--ribbon:{colours.ribbon}"
    )


def _follows(light: Palette, dark: Palette) -> str:
    """Variables that change over with Streamlit's own colours, which follow the reader's device
    while the page is open."""
    pairs = [
        [*pair.split(":"), other.split(":")[1]]
        for pair, other in zip(tokens(light).split(";"), tokens(dark).split(";"), strict=True)
    ]
    both = ";".join(f"{name}:light-dark({one},{other})" for name, one, other in pairs)
    return f"{root_colours()}@supports(color:light-dark(red,red)){{.stApp{{{both}}}}}"


def root_colours() -> str:
    """The variables for a page that has no colours of Streamlit's yet."""
    return f":root{{{tokens(LIGHT)}}}@media(prefers-color-scheme:dark){{:root{{{tokens(DARK)}}}}}"


STYLE = _follows(LIGHT, DARK) + (ASSETS / "page.css").read_text(encoding="utf-8")


def announce(text: str) -> None:
    """Tell readers who do not see it what a filter has changed."""
    words = json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
    st.html(
        f"<script>window.__announce && window.__announce({words})</script>",
        unsafe_allow_javascript=True,
    )


def framework_words() -> dict[str, str]:
    """What Streamlit says in English, in the reader's language."""
    return {
        "Page not found": _("There is no such page"),
        "The page that you have requested does not seem to exist. Running the app's main page.": _(
            "You see the first page instead."
        ),
        "Skip to main content": _("Skip to the content"),
        "Close": _("Close"),
        "Copy to clipboard": _("Copy"),
        "Dismiss": _("Dismiss"),
        "Open": _("Open the list"),
        "Fullscreen": _("Show large"),
        "Show data": _("Show the chart's data"),
        "Download as PNG": _("Download as a plain picture (PNG)"),
        "Copy Vega-Lite spec": _("Copy the chart as Vega-Lite"),
    }


def mend(code: str) -> None:
    """Put style and repairs on the page, for the language `code`."""
    found = {
        "menu": _("All pages"),
        "table": _("Table"),
        "map": _("Map. Arrow keys move it, plus and minus change its size."),
        "framework": framework_words(),
    }
    words = json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")
    st.html(
        f"<style>{STYLE}</style><script>{SCRIPT.strip()}({json.dumps(tag(code))},"
        f" {json.dumps(direction(code))}, {words}, {NARROW})</script>"
        f"<script>{keyboard_walk.SCRIPT}</script><script>{HEIGHT}</script>",
        unsafe_allow_javascript=True,
    )
    with st.container(key="signals"):
        # Pressed by the script alone, and out of everyone's sight: what only the browser knows.
        st.html(f'<span data-narrow="{"true" if narrow() else "false"}"></span>')
        st.button("narrow", key="signal-narrow", on_click=_window, args=(True,))
        st.button("wide", key="signal-wide", on_click=_window, args=(False,))
        st.button("redraw", key="signal-redraw")


def _window(is_narrow: bool) -> None:
    st.session_state["_narrow"] = is_narrow


NARROW = 45
"""Widest window, in the reader's own letters, that has a phone's layout: labels stand above their
marks."""


def narrow() -> bool:
    """Has the reader a narrow window? Phones say so themselves; any other window is measured by
    `mend.js`, which tells when it changes."""
    told: bool | None = st.session_state.get("_narrow")
    return "Mobi" in st.context.headers.get("User-Agent", "") if told is None else told
