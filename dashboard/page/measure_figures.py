"""The figure of a measure, made from what is known of it: its cells, words and caveat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from dashboard.figures.figure_kinds import Kind, RateFigure, ShareFigure
from dashboard.numbers.cells import Rate, label_of
from dashboard.numbers.measures import Measure
from dashboard.release.reader import ROOT, CountTable, Release
from dashboard.text.language import _, day

At = Mapping[str, str] | Callable[[CountTable], Mapping[str, str]]
"""Codes to hold fixed; or how they follow from the table, as with the year that a reader chose."""


@dataclass(frozen=True)
class Own:
    """A page's own words for a figure; all else is the measure's.

    `title` may hold {period}. `labels`: code -> its words, for these rows alone and in this order.
    `file`: the beginning of the file's name. `absent`: what is missing where it is not reported.
    `note`: None for the caveat.
    """

    title: str = ""
    rows: str = ""
    note: str | None = None
    absent: str = ""
    file: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()


PLAIN = Own()


def period_words(release: Release) -> str:
    """The span of the data, in words."""
    return _("{start} to {end}").format(start=day(release.data_from), end=day(release.data_to))


def period_title(release: Release, code: str) -> str:
    """A period within a title: the year, or the span of the data."""
    return period_words(release) if code == ROOT else label_of(release, "period", code)


def absent_words(measure: Measure, own: Own = PLAIN) -> str:
    """What the list of things not reported says of a measure."""
    return own.absent or measure.plain[0].lower() + measure.plain[1:]


def figure_of(
    measure: Measure, release: Release, along: str = "", at: At | None = None, own: Own = PLAIN
) -> Kind | None:
    """The shares (or rates) of a measure along a dimension, the query's own where none is named;
    None where the agency does not report them."""
    table = measure.table(release, *([along] if along else []))
    if table is None:
        return None
    held = dict(at(table) if callable(at) else at or {})
    codes = tuple(own.labels) or own.codes
    shares = measure.shares(release, along, held, table, codes)
    if not shares:
        return None
    shares = [replace(s, label=own.labels.get(s.code, s.label)) for s in shares]
    counts = measure.counts
    dimension = along or counts.along
    by_year = dimension == "period"
    when = _("by year") if by_year else period_title(release, held.get("period", ROOT))
    title = own.title or _("{measure}, {period}")
    rows = own.rows or (_("Year") if by_year else measure.rows)
    part = {name: code for name, code in counts.part.items() if name != dimension}
    narrowed = [code for name, code in held.items() if name not in counts.part]
    words = title.format(measure=measure.plain, period=when)
    fixed = {"table": table.name, **counts.where, **part, **held}
    file = (own.file or measure.name.replace("_", "-"), *narrowed)
    note = measure.caveat if own.note is None else own.note
    if measure.per_1000:
        rates = [Rate.of(share) for share in shares]
        return RateFigure(words, rates, rows, when, fixed, file, note)
    return ShareFigure(words, shares, rows, when, fixed, file, note)
