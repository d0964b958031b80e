"""Every page of a release, written before the first visitor asks for it: a crowd that comes with a new release waits for none of it.

Written are the pages in each language as they stand at first, in the light colours. What else visitors ask for is written when they do.
"""

from __future__ import annotations

import logging
import runpy
import threading
from functools import partial
from pathlib import Path

from dashboard import language
from dashboard.language import LANGUAGES
from dashboard.pages_list import PAGES, path_of
from dashboard.release import Release
from dashboard.screen import Nobody
from dashboard.written import show, turn

SCRIPTS = Path(__file__).resolve().parent.parent / "pages"
log = logging.getLogger("dashboard")


def write(release: Release) -> None:
    """Takes some 10 seconds for each language; visitors are served between two pages. A page that fails is left to its first visitor."""
    for code in LANGUAGES:
        for page in PAGES:
            with turn:
                language.use(code)
                try:
                    show(path_of(page) or page, Nobody(release), partial(runpy.run_path, str(SCRIPTS / f"{page}.py")))
                except Exception:
                    log.exception("page %s of release %s could not be written ahead", page, release.version)


class Ahead:
    """Writes a new release's pages in a thread of its own."""

    def __init__(self) -> None:
        self._release: Release | None = None
        self._thread = threading.Thread()
        self._lock = threading.Lock()

    def begin(self, release: Release) -> threading.Thread:
        """The thread that writes `release`: begun now, unless it was before."""
        with self._lock:
            if self._release is not release:
                self._release, self._thread = release, threading.Thread(target=write, args=(release,), daemon=True)
                self._thread.start()
            return self._thread

    def ready(self, release: Release) -> bool:
        """Are the pages of `release` written? Begins where they are not."""
        return not self.begin(release).is_alive()
