"""Style and small repairs of the page around Streamlit's own: quiet text that can be read, the page's language, names of regions."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from dashboard.language import _

SCRIPT = (Path(__file__).parent / "assets/mend.js").read_text(encoding="utf-8")


STYLE = (
    # Streamlit draws captions at 60 % of the ink, which is too faint.
    '[data-testid="stCaptionContainer"],[data-testid="stCaptionContainer"] *{color:inherit!important;opacity:1}[data-testid="stCaptionContainer"]{opacity:.82}'
    ":focus-visible{outline:3px solid currentColor!important;outline-offset:2px}[data-testid=stMain]:focus-visible{outline-offset:-4px}"
    '[data-testid="stPageLink"] a{min-height:2.25rem;height:auto}[data-testid="stPageLink"] a *{white-space:normal!important;overflow:visible!important}'
    '[data-testid="stMain"] [data-testid="stPageLink"] a p{text-decoration:underline;text-underline-offset:.2em}'
    ".st-key-menu{gap:.4rem}"
    "#announcement{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}"
    "@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}"
    '@media print{.st-key-menu,.st-key-language_switch,[data-testid="stHeader"],[data-testid="stButton"],[data-testid="stDownloadButton"]{display:none!important}'
    '[data-testid="stApp"],[data-testid="stMain"],[data-testid="stAppViewContainer"]{position:static!important;overflow:visible!important;height:auto!important}'
    '[data-testid="stVerticalBlock"]{display:block!important}[data-testid="stElementContainer"]{break-inside:avoid}h1,h2,h3,[data-testid="stHeading"]{break-after:avoid}}'
)
"""The same for light and dark: a reader's device may change over while the page is open."""


def announce(text: str) -> None:
    """Tell readers who do not see it what a filter has changed."""
    words = json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
    st.html(f"<script>window.__announce && window.__announce({words})</script>", unsafe_allow_javascript=True)


def framework_words() -> dict[str, str]:
    """What Streamlit says in English, in the reader's language."""
    return {
        "Page not found": _("There is no such page"),
        "The page that you have requested does not seem to exist. Running the app's main page.": _("You see the first page instead."),
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
    found = {"menu": _("All pages"), "table": _("Table"), "framework": framework_words()}
    words = json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")
    st.html(f"<style>{STYLE}</style><script>{SCRIPT.strip()}({json.dumps(code)}, {words})</script>", unsafe_allow_javascript=True)
