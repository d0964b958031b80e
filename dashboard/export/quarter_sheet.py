"""The quarter sheet: one page to print for a meeting, as tagged PDF and as HTML. It holds the rows
of the page about quarters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from dashboard.export import downloads
from dashboard.export.brief import Brief, Part, html, pages, pdf
from dashboard.figures.figure import Figure
from dashboard.findings.quarters import IN_A_YEAR
from dashboard.findings.quarters_page import (
    Series,
    chart,
    differences,
    events_of,
    headline,
    hours,
    series,
    split,
)
from dashboard.page.standard_texts import made_up, uncollected
from dashboard.release.reader import ROOT, Release
from dashboard.text import language
from dashboard.text.language import _, day, number, pick

MAX_QUARTERS = 5
SIZES = ((12, 8.4), (12, 7.8), (8, 7.8), (5, 7.6), (3, 7.0))
"""Rows of a table by area or type, and size of the letters in points: the first that fits on one
page is taken."""
CHART = 66
"""Width of the chart, in percent of a line."""


def compose(release: Release, area: str, starts: int, paper: str = "us-letter") -> Brief | None:
    """The sheet in the reader's language; None where the data hold no quarter whole. `starts`: the
    month in which the year starts; `paper`: as Typst names it."""
    found = series(release, area, starts)
    if found is None or found.place is None:
        return None
    sheets = (replace(_composed(found, rows), letters=size, paper=paper) for rows, size in SIZES)
    for sheet in sheets:
        if pages(sheet) == 1:
            break
    return sheet


def _composed(found: Series, most: int) -> Brief:
    """`most`: rows of a table by area or type."""
    release, area, starts = found.release, found.area, found.starts
    assert found.place is not None
    now = found.listed[found.place]
    told = headline(found)
    drawn = chart(found)
    changes = [f"{event.letter}: {event.words}" for event in events_of(found)]
    figure = Figure(
        "quarters",
        drawn.title,
        drawn.alt,
        drawn.table,
        drawn.data,
        ("sheet-calls-by-quarter",),
        draw=drawn.draw,
    )
    parts = [
        Part(
            _("The quarter in short"),
            text=" ".join([told.sentence, told.before]),
            items=tuple(uncollected(release)),
        ),
        Part(figure.title, text=" ".join([found.judged.words, *changes]), figure=figure),
        _last(_("Differences between quarters"), differences(found)[0], found),
    ]
    for dimension, title in (("area", _("By area")), ("call_type", _("By type of call"))):
        frames = split(found, dimension) if dimension != "area" or area == ROOT else None
        if frames is not None:
            parts.append(_table(title, *frames, most))
    if area == ROOT and (frames := hours(release, starts)) is not None:
        parts.append(_last(_("Hours of teams"), frames[0], found))
    return Brief(
        title=_("Quarter sheet: {place}, {quarter}").format(place=found.name, quarter=now.label),
        subtitle=_("{agency}. Release {version}, data to {day}.").format(
            agency=pick(release.agency["name"]), version=release.version, day=day(release.data_to)
        ),
        notice=made_up() if release.agency["fictional"] else "",
        parts=tuple(parts),
        foot=_(
            "Source: {publisher}. Questions: {contact}. Two quarters cannot show a lasting change,"
            " or its reason."
        ).format(
            publisher=release.package["contributors"][0]["title"], contact=release.agency["contact"]
        ),
        release=release,
        charts=CHART,
    )


def _table(title: str, shown: pd.DataFrame, data: pd.DataFrame, most: int) -> Part:
    """The rows with the most calls, where there are more than fit."""
    order = data["value"].fillna(-1).sort_values(ascending=False, kind="stable").index
    kept = sorted(order[:most])
    more = len(shown) - len(kept)
    return Part(
        title,
        text=(
            _("The {count} with the most calls. The page has all {all}.").format(
                count=number(len(kept)), all=number(len(shown))
            )
            if more
            else ""
        ),
        columns=tuple(shown.columns),
        rows=_rows(shown.loc[kept]),
    )


def _last(title: str, shown: pd.DataFrame, found: Series) -> Part:
    assert found.place is not None
    kept = shown.iloc[max(0, found.place - IN_A_YEAR) : found.place + 1].tail(MAX_QUARTERS)
    return Part(title, columns=tuple(shown.columns), rows=_rows(kept))


def _rows(shown: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(str, row)) for row in shown.itertuples(index=False, name=None))


def pdf_of(release: Release, area: str, starts: int, paper: str = "us-letter") -> bytes:
    return pdf(_asked(release, area, starts, paper))


def html_of(release: Release, area: str, starts: int) -> bytes:
    return html(_asked(release, area, starts, "us-letter"))


def _asked(release: Release, area: str, starts: int, paper: str) -> Brief:
    found = compose(release, area, starts, paper)
    assert found is not None, "the page offers a sheet only where a quarter is whole"
    return found


def file_name(release: Release, parts: Sequence[str], suffix: str) -> str:
    return downloads.file_name(
        "quarter-sheet", *parts, "release", release.version, language.current(), suffix=suffix
    )
