"""One page at a time in a process, in the order in which they were asked for; visitors before pages
that are written ahead."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A queue for work on pages, one at a time in a process: threads that all wait for the
    interpreter would hold each other up at every step.

    `with turns:` is a visitor's turn, `with turns.after_visitors():` a turn when nobody waits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._visitors: deque[threading.Event] = deque()
        self._others: deque[threading.Event] = deque()

    def _take(self, queue: deque[threading.Event]) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            called = threading.Event()
            queue.append(called)
        called.wait()

    def _give(self) -> None:
        with self._lock:
            if queue := self._visitors or self._others:
                queue.popleft().set()  # the turn stays taken: it is theirs now
            else:
                self._taken = False

    def __enter__(self) -> None:
        self._take(self._visitors)

    def __exit__(self, *_: object) -> None:
        self._give()

    @contextmanager
    def after_visitors(self) -> Iterator[None]:
        self._take(self._others)
        try:
            yield
        finally:
            self._give()

    def let_visitors_go_first(self) -> None:
        """Within `after_visitors`, between two steps: let every visitor who waits go now."""
        if self._visitors:
            self._give()
            self._take(self._others)
