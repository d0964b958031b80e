"""Charts by keyboard: behind each chart a stop for keys, from which arrow keys go from its summary
to its series and points (`assets/walk.js`). What is read and shown is the text of its table."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path

from dashboard.figures import charts
from dashboard.figures.figure import Figure, slug
from dashboard.text.language import _, unmarked

SCRIPT = (Path(__file__).parents[1] / "assets/walk.js").read_text(encoding="utf-8")
ONE, COLUMNS = "", "columns"


def series(figure: Figure) -> str:
    """What the series of a chart are in its table: `ONE` where each row is a point of the only one;
    `COLUMNS` where each column behind the first is one; "0" or "1" where rows of the same word in
    that column are one."""
    drawn = figure.draw.func if isinstance(figure.draw, partial) else figure.draw
    if drawn not in (charts.lines, charts.grid):
        return ONE
    first = figure.table.iloc[:, 0]
    if first.is_unique:
        return COLUMNS
    return "0" if first.nunique() <= figure.table.iloc[:, 1].nunique() else "1"


def html(figure: Figure, *, hidden: bool = False) -> str:
    """The keyboard stop of a chart or map, placed after it and before its table. `hidden`: until
    the script shows it, for pages that are whole without one."""
    kind = _("map, area by area") if figure.map else _("chart, point by point")
    how = _(
        "Down arrow goes to the numbers. Left and right arrows move along them. Up arrow or Escape"
        " goes back."
    )
    place = slug("walk", figure.page, figure.slug)
    said = {
        "aria-label": f"{figure.title}: {kind}",
        "aria-roledescription": kind,
        "aria-describedby": place,
        "data-title": figure.title,
        "data-summary": figure.alt,
        "data-series": series(figure),
        "data-of": _("{number} of {all}"),
    }
    attributes = " ".join(f'{name}="{escape(unmarked(words))}"' for name, words in said.items())
    return (
        f'<div class="walk" role="application" tabindex="0" {attributes}'
        f'{" hidden" if hidden else ""}><p class="said" role="status"></p>'
        f'<p class="how" id="{escape(place)}">{escape(how)}</p></div>'
    )
