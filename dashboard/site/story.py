"""What a release says, in some 400 words: the answers of its pages, claims and quarters, each
sentence with the figure that it comes from.

Nothing is worked out here: sentences come from where the pages have them, and one whose figure no
page shows is left out. A release with less says less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.figures.figure import Figure
from dashboard.findings import comparisons
from dashboard.findings.answers import calls as calls_answer
from dashboard.findings.answers import coverage as coverage_answer
from dashboard.findings.answers import within_sentence
from dashboard.findings.claims import checked
from dashboard.findings.program import last_year
from dashboard.findings.quarters import verdict_sentence
from dashboard.findings.quarters_page import headline as quarter_headline
from dashboard.findings.quarters_page import series
from dashboard.page.reported import shown_pages
from dashboard.page.surface import Cited
from dashboard.release.reader import ROOT, Release
from dashboard.site.previews import Reading, read
from dashboard.text.language import _, number

Place = tuple[str, str]
"""A page, and how the slug of its figure begins."""

DRAWN: tuple[Place, ...] = (
    ("calls", "calls-"),
    ("funnel", "reached-by-year"),
    ("outcomes", "outcomes-"),
    ("calls", "calls-by-type"),
    ("calls", "calls-by-day-and-time"),
    ("coverage", "map-"),
)
"""The figures that the story shows: the first three that there are."""
MAX_DRAWN = 3
COMPARED = (
    ("arrests", "arrest"),
    ("force", "force_used"),
    ("repeat", "repeat_90"),
    ("slow", "wait"),
)
"""Claims about people in crisis that similar calls were compared for, and the outcome of each."""


@dataclass(frozen=True)
class Story:
    """Paragraphs under their headings, and the figures shown with them."""

    parts: tuple[tuple[str, tuple[Cited, ...]], ...]
    figures: tuple[Figure, ...]

    @property
    def cited(self) -> list[Cited]:
        return [sentence for _heading, told in self.parts for sentence in told]


@dataclass(frozen=True)
class _Told:
    """A text, and the places of its figure in order of preference."""

    text: str
    places: tuple[Place, ...]


class _Pages:
    """The pages of a release, each read once."""

    def __init__(self, release: Release) -> None:
        self.release, self.shown = release, shown_pages(release)
        self._read: dict[str, Reading] = {}

    def read(self, page: str) -> Reading | None:
        if page not in self.shown:
            return None
        if page not in self._read:
            self._read[page] = read(self.release, page)
        return self._read[page]

    def figure(self, place: Place) -> Figure | None:
        page, start = place
        found = self.read(page)
        if found is None:
            return None
        return next((figure for figure in found.found if figure.slug.startswith(start)), None)

    def answer(self, page: str) -> str:
        """What a page says first; empty where the release does not have the page."""
        found = self.read(page)
        return found.told.headline.sentence if found and found.told else ""


def story(release: Release) -> Story:
    """In the reader's language; called in turn (`page_cache`), as the pages are read for it."""
    pages = _Pages(release)
    sources: dict[Place, int] = {}
    parts = []
    for heading, told in (
        (_("How many calls"), _calls(pages)),
        (_("Who gets a team"), _teams(pages)),
        (_("How calls end"), _ends(pages)),
        (_("Similar calls, with and without a team"), _compared(pages)),
        (_("People, money and targets"), _program(pages)),
        (_("How good the data are"), _quality(pages)),
    ):
        cited = [c for t in told for c in _cited(pages, t, sources)]
        if cited:
            parts.append((heading, tuple(cited)))
    drawn = (pages.figure(place) for place in DRAWN)
    figures = {figure.slug: figure for figure in drawn if figure is not None}
    return Story(tuple(parts), tuple(figures.values())[:MAX_DRAWN])


def _cited(pages: _Pages, told: _Told, sources: dict[Place, int]) -> Iterator[Cited]:
    """The sentences of a text, all with its first figure that a page shows; none where no page
    shows one."""
    for page, start in told.places:
        figure = pages.figure((page, start))
        if figure is not None and told.text:
            count = sources.setdefault((page, figure.slug), len(sources) + 1)
            for sentence in sentences(told.text):
                yield Cited(sentence, count, page, figure.slug, figure.title)
            return


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its end."""
    return [part for part in re.split(r"(?<=[.?!])\s+(?=[\"'«“¿¡A-ZÁÉÍÓÚÑ\d])", text) if part]


GLANCE: Place = ("at_a_glance", "glance-")


def _calls(pages: _Pages) -> Iterator[_Told]:
    release = pages.release
    month = ("calls", "calls-")
    if release.find("period") is not None:
        yield _Told(calls_answer(release), (GLANCE, month))
    if found := series(release, ROOT):
        told = quarter_headline(found)
        usual = verdict_sentence(found.judged, found.place) if found.place is not None else ""
        words = f"{told.sentence} {told.before.removesuffix(usual)}".strip()
        yield _Told(words, (("quarters", "quarter-differences"),))
        yield _Told(usual, (("quarters", "calls-by-quarter"),))
    by_type = pages.figure(("calls", "calls-by-type"))
    # A withheld number may be the largest: cover is taken from cells of any size.
    if by_type is not None and len(by_type.data) and by_type.data["value"].notna().all():
        top = by_type.data.loc[by_type.data["value"].idxmax()]
        words = _("The most common type of call in {period}: {label}, {count} calls.").format(
            period=within_sentence(release, str(top["period"])),
            label=top["label"],
            count=number(int(top["value"])),
        )
        yield _Told(words, (("calls", "calls-by-type"),))


def _teams(pages: _Pages) -> Iterator[_Told]:
    release = pages.release
    sentence, share = coverage_answer(release)
    if share is not None:
        yield _Told(sentence, (("funnel", "reached-by-year"), GLANCE))
    bands = release.find("wait")
    plain = release.statistic("minutes_call_to_arrival")
    if plain is not None and (words := pages.answer("times")):
        year = last_year(release, bands) if bands is not None else ROOT
        if year != ROOT and release.holds(plain, "period", year):
            words = _("{sentence} This is for {period}.").format(
                sentence=words, period=within_sentence(release, year)
            )
        yield _Told(words, (("neighborhood", "my-area-waits"), ("times", "wait")))
    yield _Told(pages.answer("fairness"), (("fairness", "by-group"),))


def _ends(pages: _Pages) -> Iterator[_Told]:
    found = pages.read("outcomes")
    if found is not None and found.told is not None:
        told = found.told.headline
        words = told.sentence
        if told.number and told.base:
            words = _("{sentence} That is {share}: {counts}.").format(
                sentence=words, share=told.number, counts=told.base
            )
        yield _Told(words, (("outcomes", "outcomes-"),))
    care = {claim.name: finding for claim, finding in checked(pages.release)}["care"]
    if care.verdict == "described":
        yield _Told(care.figure, (GLANCE, ("after", "referrals")))


def _compared(pages: _Pages) -> Iterator[_Told]:
    """Each claim that similar calls were compared for, its verdict and its figures."""
    said = {claim.name: claim for claim, _finding in checked(pages.release)}
    first = True
    for name, outcome in COMPARED:
        found = comparisons.comparison(pages.release, f"compare_{outcome}")
        if found is None:
            continue
        place = (said[name].page, f"compared-compare-{outcome.replace('_', '-')}")
        if first:
            words = _(
                "Here we compare calls that came in while a team was free with similar ones"
                " that found none."
            )
            yield _Told(words, (place,))
            first = False
        verdict = comparisons.verdict_words(found)
        words = _('"{claim}": {verdict}. {figures}').format(
            claim=said[name].said.rstrip("."),
            verdict=verdict[:1].lower() + verdict[1:],
            figures=comparisons.figure_words(found),
        )
        yield _Told(f"{words} {found.why}".strip(), (place,))


def _program(pages: _Pages) -> Iterator[_Told]:
    found = {claim.name: finding for claim, finding in checked(pages.release)}
    for name, place in (("posts", ("staffing", "posts")), ("cost", ("money", "cost-per-contact"))):
        if found[name].verdict != "missing":
            yield _Told(found[name].figure, (place,))
    yield _Told(pages.answer("scorecard"), (("scorecard", "scorecard"),))


def _quality(pages: _Pages) -> Iterator[_Told]:
    tracking = {claim.name: finding for claim, finding in checked(pages.release)}["tracking"]
    if tracking.verdict != "missing":
        yield _Told(tracking.figure, (("scorecard", "completeness"),))
    yield _Told(pages.answer("methods"), (("methods", "withheld"),))


def sources(told: Sequence[Cited]) -> list[Cited]:
    """One for each figure, by its number."""
    found = {sentence.number: sentence for sentence in told}
    return [found[count] for count in sorted(found)]
