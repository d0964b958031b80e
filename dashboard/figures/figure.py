"""One figure of a page: a chart or map with its table, its rows and its words. Screens, files and
paper are made from it alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property, partial
from numbers import Number
from types import FunctionType
from typing import Protocol

import altair as alt
import geopandas as gpd
import pandas as pd

from dashboard.figures.maps import Map
from dashboard.figures.theme import Palette
from dashboard.text import language
from dashboard.text.language import _, number, unmarked

STATUS_COLUMNS = ("status", "n_status", "out_of_status")
"""Columns of `Figure.data` that say why a number is there or is not."""


class Draw(Protocol):
    def __call__(self, *, colours: Palette, narrow: bool = False) -> alt.LayerChart: ...


@dataclass(frozen=True)
class Figure:
    """`table` is what is read on the page (texts), `data` what is downloaded (codes, numbers,
    statuses), row by row the same.

    `draw` makes the chart in given colours, for a wide or a narrow place, in the language of the
    moment. With neither `draw` nor `map`, the figure is a table. `subtitle`: what is measured, out
    of what, where and when.
    `file`: parts of the file's name; `choices`: the filters that the view stands at, as in the
    address. `missing`: which days are missing from it, and why; pages tell that once, at their top,
    and what is taken away bears it itself.
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
    missing: str = ""
    subtitle: str = ""
    folded: bool = False
    """Is it a table whose numbers stand above it already?"""
    measures: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "alt", unmarked(self.alt))  # stands within a tag

    @property
    def statuses(self) -> set[str]:
        """Every status in the rows."""
        return {
            str(status)
            for name in STATUS_COLUMNS
            if name in self.data.columns
            for status in self.data[name]
        }

    @property
    def chart(self) -> Draw | None:
        """The chart, or the flat twin of the map."""
        return self.map.flat if self.map else self.draw

    @property
    def credit(self) -> str:
        """Who drew what the map shows besides its areas."""
        return self.map.backdrop.credit if self.map and self.map.backdrop else ""

    def notes(self) -> list[str]:
        """What stands under the chart: its note, that days are missing, and how many numbers are
        withheld."""
        hidden = _(
            "Numbers withheld here to protect people: {count}. See the page on methods and privacy."
        ).format(count=number(self.hidden))
        missing = _("Some days are missing. The top of the page says which, and why.")
        return [
            line
            for line in (self.note, missing if self.missing else "", hidden if self.hidden else "")
            if line
        ]

    @cached_property
    def drawn(self) -> str:
        """A digest of all that the chart is drawn from: values, labels, statuses, events, outlines,
        and which kind of chart it is."""
        digest = hashlib.sha256()
        for part in _parts((self.draw, self.map)):
            digest.update(part.encode() + b"\0")
        return digest.hexdigest()

    @property
    def slug(self) -> str:
        return slug(*self.file)


@dataclass(frozen=True)
class View:
    """A figure as somebody sees it: the key under which every drawn chart and map is kept.

    Two views are equal only where everything drawn is: what the figure draws, the language of its
    words, the colours, and the width in pixels (0 for a chart that fits itself to its place). The
    release needs no mention: what of it is drawn is part of `drawn`.
    """

    drawn: str
    language: str
    colours: Palette
    width: int
    figure: Figure = field(compare=False)


def seen(figure: Figure, colours: Palette, width: int = 0) -> View:
    """`figure` as a reader of the current language sees it."""
    return View(figure.drawn, language.current(), colours, width, figure)


def _parts(thing: object) -> Iterator[str]:
    """Everything inside `thing` as texts, in order; things that differ give different texts.

    Raises TypeError for what cannot be looked into (a closure, an unknown class): such a figure
    would be taken for another one. Draw with a `functools.partial` over a function of a module.
    """
    if thing is None or isinstance(thing, str | Number):
        yield repr(thing)
    elif isinstance(thing, gpd.GeoDataFrame):
        yield f"GeoDataFrame {thing.crs}"
        yield from _parts([shape.hex() for shape in thing.geometry.to_wkb()])
        yield from _parts(pd.DataFrame(thing.drop(columns=thing.geometry.name)))
    elif isinstance(thing, pd.DataFrame):
        yield "DataFrame"
        yield from _parts({str(name): list(map(repr, thing[name])) for name in thing.columns})
    elif isinstance(thing, partial):
        yield from _parts([thing.func, thing.args, thing.keywords])
    elif (
        isinstance(thing, FunctionType)
        and thing.__closure__ is None
        and "<" not in thing.__qualname__
    ):
        yield f"{thing.__module__}.{thing.__qualname__}"
    elif is_dataclass(thing) and not isinstance(thing, type):
        yield type(thing).__name__
        yield from _parts([getattr(thing, f.name) for f in fields(thing)])
    elif isinstance(thing, Mapping):
        yield "mapping"
        yield from _parts(list(thing.items()))
    elif isinstance(thing, list | tuple):
        yield f"{len(thing)} parts"
        for part in thing:
            yield from _parts(part)
    else:
        raise TypeError(
            f"a chart cannot be told from others by a {type(thing).__name__}; draw it from plain"
            " values"
        )


def slug(*parts: str) -> str:
    """A name for files and addresses: small letters, digits, dots and dashes."""
    joined = "-".join(part for part in parts if part)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", joined).strip("-.").lower()
