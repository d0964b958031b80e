"""One figure of a page: a chart or map with its table, its rows and its words. Screens, files and paper are made from it alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import altair as alt
import pandas as pd

from dashboard.language import _, number
from dashboard.maps import Map
from dashboard.theme import Palette


class Draw(Protocol):
    def __call__(self, *, colours: Palette) -> alt.LayerChart: ...


@dataclass(frozen=True)
class Figure:
    """`table` is what is read on the page (texts), `data` what is downloaded (codes, numbers, statuses), row by row the same.

    `draw` makes the chart in given colours, in the language of the moment. A `map` stands before the figure that lists the same rows,
    so its table is not repeated on the page. With neither, the figure is a table.
    `file`: parts of the file's name; `choices`: the filters that the view stands at, as in the address.
    """

    page: str
    title: str
    alt: str
    table: pd.DataFrame
    data: pd.DataFrame
    file: tuple[str, ...]
    draw: Draw | None = None
    map: Map | None = None
    hidden: int = 0
    note: str = ""
    measures: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def chart(self) -> Draw | None:
        """The chart, or the flat twin of the map."""
        return self.map.flat if self.map else self.draw

    def notes(self) -> list[str]:
        """What stands under the chart: its note, and how many numbers are withheld."""
        hidden = _("Numbers withheld here to protect people: {count}. See the page on methods and privacy.").format(
            count=number(self.hidden)
        )
        return [line for line in (self.note, hidden if self.hidden else "") if line]

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        return tuple(self.table.itertuples(index=False, name=None))

    @cached_property
    def likeness(self) -> tuple[str, ...]:
        """Two figures of one language with the same likeness have the same chart."""
        return (self.page, self.title, self.note, self.table.to_csv(), self.data.to_csv())

    @property
    def slug(self) -> str:
        return slug(*self.file)


def slug(*parts: str) -> str:
    """A name for files and addresses: small letters, digits, dots and dashes."""
    joined = "-".join(part for part in parts if part)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", joined).strip("-.").lower()
