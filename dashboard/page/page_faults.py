"""What the log says of a page that failed: kind and place, once a minute for each. Visitors see a
plain sentence.

The words of an error may quote what a visitor sent, and a visitor's program can make pages of its
own fail ten times a second.
"""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path

from dashboard.page.app_folder import PACKAGE, PAGES_FOLDER

MINUTE = 60.0
MAX_PLACES = 1000


def place_of(error: BaseException) -> str:
    """`KeyError at pages/calls.py:31, dashboard/numbers/cells.py:39`: the frames of this program,
    outermost first."""
    own = [
        f"{folder.name}/{Path(frame.filename).relative_to(folder)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        for folder in (PAGES_FOLDER, PACKAGE)
        if Path(frame.filename).is_relative_to(folder)
    ]
    return f"{type(error).__name__} at {', '.join(own) or 'an unknown place'}"


class KindAndPlace(logging.Filter):
    """A filter for Streamlit's logger of pages that failed: kind and place alone are logged, once a
    minute for each."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        place, now = place_of(error), time.monotonic()
        if now - self.told.get(place, -MINUTE) < MINUTE:
            return False
        if len(self.told) >= MAX_PLACES:
            self.told.clear()
        self.told[place] = now
        record.msg, record.args, record.exc_info, record.exc_text = (
            "a page failed: %s",
            (place,),
            None,
            None,
        )
        return True


def tell_by_kind_and_place() -> None:
    """Make the log of failed pages name their kind and place alone. Needs `logger.enableRich =
    false` in Streamlit's settings: its own painter of errors asks no logger."""
    logging.getLogger("streamlit.error_util").addFilter(KindAndPlace())
