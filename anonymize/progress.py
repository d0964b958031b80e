"""Progress on standard error: a line for each step with its seconds, and a share in long steps."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console

SECONDS_BETWEEN_SHARES = 1.0


class Progress:
    """Tells a person how far a run is.

    `quiet` writes nothing. On a terminal, steps are coloured and the share within a step is
    rewritten in place; in a file or a pipe there are plain lines alone, and no shares.
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self.stream = stream or sys.stderr
        self._last = 0.0
        self._console: Console | None = None
        if not quiet and self.stream.isatty():
            self._console = Console(file=self.stream, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """One line as it is."""
        self._write(text, "")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Two lines around the work inside; the second only when it succeeded."""
        started = time.monotonic()
        self._write(f"{name} ...", "bold")
        yield
        self._write(f"  done in {time.monotonic() - started:.1f} s", "green")

    def share(self, done: int, total: int, what: str) -> None:
        """`done` of `total` so far, at most once a second."""
        now = time.monotonic()
        if self._console is None or now - self._last < SECONDS_BETWEEN_SHARES:
            return
        self._last = now
        share = f"\r  {what}: {done:,} of {total:,}"
        end = "" if done < total else "\n"
        self._console.print(share, style="cyan", end=end, markup=False)

    def _write(self, text: str, style: str) -> None:
        if self.quiet:
            return
        if self._console is None:
            print(text, file=self.stream, flush=True)
        else:
            self._console.print(text, style=style, markup=False)


QUIET = Progress(quiet=True)
