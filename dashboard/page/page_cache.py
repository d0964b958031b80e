"""A cache of pages: each is written once for all who see the same, and replayed from memory.

A page script alternates between output (texts, tables, figures) and questions to the visit
(filters, sliders, which releases there are). Its output depends on the release, the language and
the answers alone; so what follows the same answers is kept and replayed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dashboard.page.surface import Surface, write_on
from dashboard.page.turns import Turns
from dashboard.release.reader import Release
from dashboard.text import language

TOLD = (
    "lead",
    "heading",
    "text",
    "caption",
    "info",
    "table",
    "link",
    "cards",
    "fold",
    "files",
    "addresses",
    "figure",
    "beside",
    "find",
    "ways",
    "cited",
    "end",
)
ASKED = ("choose", "slide", "releases", "outside")
MAX_PASSAGES = 256
"""How many passages are kept; the least recently used goes first. Some 0.1 MB each."""

Call = tuple[str, tuple[Any, ...]]
"""A method of `Surface` and what it is called with."""
Place = tuple[Release, str, str, tuple[Hashable, ...]]
"""Release, language, page, and the answers given so far."""


turn = Turns()
"""Held by whoever writes or replays a page."""


@dataclass
class Passage:
    """What a page shows until it asks something, and what it asks; None at the end of the page."""

    told: list[Call] = field(default_factory=list)
    ask: Call | None = None


_kept: OrderedDict[Place, Passage] = OrderedDict()


class Replayed(Exception):
    """The whole page came from memory: its script need not go on."""


def show(page: str, on: Surface, write: Callable[[], object]) -> None:
    """Show `page` on a surface: from memory as far as it is known, the rest by `write`, which runs
    the page's script.

    Called by one thread at a time (`turn`). What is known is replayed from within the script
    (`Recorder.begin`), since Streamlit names the widgets of a page by the script that runs:
    replayed from elsewhere, the same button would be another one.
    """
    recorder = Recorder(on, page)
    write_on(recorder)
    try:
        write()
        recorder.keep(None)
    except Replayed:
        pass
    finally:
        write_on(None)


def _ask(on: Surface, ask: Call) -> Hashable:
    answer = getattr(on, ask[0])(*ask[1])
    return tuple(answer) if isinstance(answer, list) else answer


class Recorder:
    """A surface that passes a page on to the surface `on` as it is written, and keeps it. What
    comes before the last of the `known` answers is there already."""

    def __init__(self, on: Surface, page: str) -> None:
        self.on, self.page = on, page
        self.release, self.choices = on.release, on.choices
        self.known: tuple[Hashable, ...] = ()
        self.answers: tuple[Hashable, ...] = ()
        self.passage = Passage()
        self.pause: Callable[[], None] = getattr(on, "pause", lambda: None)

    def begin(self) -> None:
        """Replay what is known. Raises Replayed where that is the whole page."""
        while passage := _kept.get(here := self._place(self.known)):
            _kept.move_to_end(here)
            for method, given in passage.told:
                getattr(self.on, method)(*given)
            if passage.ask is None:
                raise Replayed
            self.known += (_ask(self.on, passage.ask),)

    def _place(self, answers: tuple[Hashable, ...]) -> Place:
        return self.release, language.current(), self.page, answers

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method in TOLD:
            return partial(self._tell, method)
        if method in ASKED:
            return partial(self._answer, method)
        raise AttributeError(method)

    @property
    def new(self) -> bool:
        return len(self.answers) >= len(self.known)

    def _tell(self, method: str, *given: Any) -> None:
        self.pause()
        if self.new:
            self.passage.told.append((method, given))
            getattr(self.on, method)(*given)

    def _answer(self, method: str, *given: Any) -> Hashable:
        if self.new:
            self.keep((method, given))
            answer = _ask(self.on, (method, given))
        else:
            answer = self.known[len(self.answers)]
        self.answers += (answer,)
        return answer

    def keep(self, ask: Call | None) -> None:
        """Keep the passage, which is whole: an unfinished one (a visitor who went on, a fault) is
        never kept."""
        self.passage.ask = ask
        _kept[self._place(self.answers)] = self.passage
        self.passage = Passage()
        while len(_kept) > MAX_PASSAGES:
            _kept.popitem(last=False)
