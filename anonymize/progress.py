"""Progress on standard error: one line per step, with its seconds; a share within long steps."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """`quiet` says nothing. On a terminal the share within a step is rewritten in place."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self.stream = stream or sys.stderr
        self._last = 0.0

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=self.stream, flush=True)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        self.say(f"{name} ...")
        yield
        self.say(f"  done in {time.monotonic() - started:.1f} s")

    def share(self, done: int, total: int, what: str) -> None:
        """At most one update a second, and only where someone watches."""
        now = time.monotonic()
        if self.quiet or not self.stream.isatty() or now - self._last < 1:
            return
        self._last = now
        print(f"\r  {what}: {done} of {total}", end="" if done < total else "\n", file=self.stream, flush=True)


QUIET = Progress(quiet=True)
