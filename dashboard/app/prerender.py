"""Every page of a release, written before the first visitor asks for it: a crowd that comes with a
new release waits for none of it.

Written are the pages in each language as they stand at first, in the light colours. What else
visitors ask for is written when they do.
"""

from __future__ import annotations

import fcntl
import logging
import os
import runpy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dashboard.app.streamlit_surface import PrerenderSurface
from dashboard.page.app_folder import PAGES_FOLDER
from dashboard.page.page_cache import show, turn
from dashboard.page.pages_list import PAGES, path_of
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import LANGUAGES

log = logging.getLogger("dashboard")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One replica of a machine writes at a time; while one writes, the other answers. The release's
    own description is the lock: nothing is written."""
    try:
        handle = os.open(folder / "datapackage.json", os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(release: Release) -> None:
    """Takes some 10 seconds for each language; visitors go first between any two steps. A page that
    fails is left to its first visitor."""
    with alone(release.folder):
        for code in LANGUAGES:
            for page in PAGES:
                with turn.after_visitors():
                    language.use(code)
                    surface = PrerenderSurface(release, pause=turn.let_visitors_go_first)
                    try:
                        show(
                            path_of(page) or page,
                            surface,
                            partial(runpy.run_path, str(PAGES_FOLDER / f"{page}.py")),
                        )
                    except Exception:
                        log.exception(
                            "page %s of release %s could not be written ahead",
                            page,
                            release.version,
                        )


class Ahead:
    """Reads and writes a new release in threads of its own, so that no visitor waits for either."""

    def __init__(self) -> None:
        self._release: Release | None = None
        self._thread = self._reading = threading.Thread()
        self._lock = threading.Lock()

    def begin(self, release: Release) -> threading.Thread:
        """The thread that writes `release`: begun now, unless it was before."""
        with self._lock:
            if self._release is not release:
                self._release, self._thread = (
                    release,
                    threading.Thread(target=write, args=(release,), daemon=True),
                )
                self._thread.start()
            return self._thread

    def ready(self, release: Release) -> bool:
        """Are the pages of `release` written? Begins where they are not."""
        return not self.begin(release).is_alive()

    def read(self, work: Callable[[], object]) -> None:
        """Do `work` in a thread, unless such a thread is at work."""
        with self._lock:
            if not self._reading.is_alive():
                self._reading = threading.Thread(target=work, daemon=True)
                self._reading.start()
