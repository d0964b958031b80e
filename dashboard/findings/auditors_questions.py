"""What auditors, councils and reporters asked of such programs, one description for each figure:
its measure, where its counts stand, and on which page it is shown.

Title, base and caveat of a figure are those of its measure (`measures.py`); `docs/auditors-
questions.md` says which question each answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.figures.figure_kinds import Kind
from dashboard.findings import auditors_more
from dashboard.findings.auditors_more import noted
from dashboard.numbers.cells import Rate
from dashboard.numbers.measures import measure
from dashboard.page.measure_figures import Own, figure_of
from dashboard.page.page import Page
from dashboard.release.reader import Release
from dashboard.text.language import _, number

MAX_NAMED = 4
"""Shares that one sentence names, at most."""
BACKUP_MINUTES = "minutes_to_backup"


@dataclass(frozen=True)
class Asked:
    """One figure. `name`: of its measure, which knows its cells and its page; `number`: of the
    question; `more`: a further sentence below it."""

    name: str
    number: int
    more: Callable[[Release], str] = lambda _release: ""

    @property
    def page(self) -> str:
        return measure(self.name).page

    @property
    def file(self) -> str:
        return self.name.replace("_", "-")

    def kind(self, release: Release) -> Kind | None:
        """The figure; None where the agency does not report it."""
        note = noted(self.name, self.more(release))
        return figure_of(measure(self.name), release, own=Own(note=note))


def _backup_words(release: Release) -> str:
    """How long backup took, over the whole period."""
    table = release.statistic(BACKUP_MINUTES)
    cell = table.cell({}) if table else None
    if cell is None:
        return ""
    return _(
        "Half of the time backup came within about {median} minutes, 9 in 10 times within about"
        " {p90}."
    ).format(median=number(cell["median"]), p90=number(cell["p90"]))


LISTED = (
    Asked("clinician_role", 1),
    Asked("restrained", 2),
    Asked("restrained_group", 2),
    Asked("holds", 3),
    Asked("hold_started_by", 3),
    Asked("officer_trained", 4),
    Asked("crisis_in_report", 5),
    Asked("instead", 7),
    Asked("triaged", 9),
    Asked("backup", 10, more=_backup_words),
    Asked("handed_back", 11),
    Asked("started_by_team", 12),
    Asked("unavailable", 14),
    Asked("unavailable_kind", 14),
    Asked("declined", 15),
)
COUNTED = {one.name: one for one in LISTED}
BESIDE: dict[str, tuple[int, Callable[[Release], Kind | None]]] = {
    "targets_for": (6, auditors_more.targets_for),
    "program_area": (8, auditors_more.program_area),
    "sent_index": (12, auditors_more.sent_index),
    "unstaffed_days": (13, auditors_more.unstaffed_days),
    "unstaffed_areas": (13, auditors_more.unstaffed_areas),
    "crews_freed": (16, auditors_more.crews_freed),
}
"""Figures that are no shares of one table: name of the measure -> question, how it is made."""


def made(release: Release, name: str) -> Kind | None:
    """The figure of a measure; None where the agency does not report it."""
    return COUNTED[name].kind(release) if name in COUNTED else BESIDE[name][1](release)


def show(page: Page, *names: str) -> None:
    """The figures of the measures named, each with its definition on the page; what the agency does
    not report goes into the one list of that."""
    for name in names:
        page.defined(name, made(page.release, name))


def said(release: Release, name: str) -> str:
    """The shares of a measure in one sentence, at most MAX_NAMED of them; nothing where the agency
    does not report it."""
    one = measure(name)
    shares = one.shares(release)
    if not shares:
        return ""
    if one.counts.along == "period":
        shares = shares[-1:]
    elif one.counts.each:
        shares = sorted(shares, key=lambda s: -(s.part.value or 0))
    words = []
    for share in shares[:MAX_NAMED]:
        rate = _("{rate} per 1,000").format(rate=Rate.of(share).shown)
        figure = rate if one.per_1000 else share.shown
        words.append(
            _("{label}: {figure} ({part} of {whole})").format(
                label=share.label, figure=figure, part=share.part.shown, whole=share.whole.shown
            )
        )
    return _("{measure}. {list}.").format(measure=one.plain, list="; ".join(words))
