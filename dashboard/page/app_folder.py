"""Where the scripts lie that Streamlit runs: `service.py`, `streamlit_app.py` and `pages/`."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = PACKAGE.parent
_INSTALLED = PACKAGE.parent / "co_response" / "app"
"""A wheel keeps the scripts inside a package of its own, so that no module is called `pages`."""

# Asked in this order: another package may have left a folder `pages` among the installed ones.
APP_FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
PAGES_FOLDER = APP_FOLDER / "pages"
