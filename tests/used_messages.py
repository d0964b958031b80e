"""The messages that the app's sources hold."""

from __future__ import annotations

from babel.messages.extract import extract_from_dir

from tests.conftest import ROOT
from tools.messages import METHODS


def used_messages() -> set[str]:
    """Each message and each plural form in `dashboard/` and `pages/`, and each text of
    their TOML files, in English."""
    found: set[str] = set()
    for folder in ("dashboard", "pages"):
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder), METHODS
        ):
            found |= {message} if isinstance(message, str) else set(message)
    return found
