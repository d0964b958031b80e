"""The few charts of the app. Labels stand on the marks; a withheld cell is a word, never a zero."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from textwrap import wrap
from typing import Any, Literal

import altair as alt
import pandas as pd
from altair.utils.schemapi import disable_debug_mode

from dashboard.figures.theme import Palette, ink_on
from dashboard.numbers.cells import Point, Share, in_part, part_words, points_frame
from dashboard.text.language import (
    _,
    month,
    ngettext,
    number,
    number_marks,
    percent,
    rounded,
    unmarked,
)

# Altair checks every part of a chart against its schema as it is made, which takes longer than
# making it. tests/app/test_charts.py checks whole charts.
disable_debug_mode()
ROW = 24
"""Height of a row on a wide page, in pixels: label, mark and value stand on one line."""
TALL_ROW = 38
"""On a phone, where label and value stand above the mark."""
LINE = 16
"""Height of a line of letters."""
WIDEST_LABEL, WIDEST_VALUE, LONGEST = 30, 44, 36
"""Letters on a line of a label and of a value on a wide page, and of both together on a phone of
320 pixels with the letter spacing that some readers set."""


def _layered(layers: Sequence[Any], height: int, colours: Palette) -> alt.LayerChart:
    """The layers as one chart, with height and margins; axes in a colour that reaches 4.5:1 on the
    ground.

    In one go: each `.properties` or `.configure_...` of Altair copies the whole chart.
    """
    config = alt.Config(
        # The chart has one text of its own, and its table; raw numbers of each mark would be noise.
        mark=alt.MarkConfig(aria=False),
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            aria=False, labelColor=colours.quiet, titleColor=colours.quiet, gridColor=colours.faint
        ),
        legend=alt.LegendConfig(aria=False, labelColor=colours.ink),
        **number_marks(),
    )
    return alt.LayerChart(
        layer=list(layers),
        height=height,
        padding={"left": 4, "right": 8, "top": 8, "bottom": 4},
        config=config,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )


Row = dict[str, Any]
"""What one mark is drawn from; None where it has no such value."""


def _records(frame: pd.DataFrame) -> list[Row]:
    """The rows of a table, each missing value as None."""
    return [
        {name: None if value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _over(rows: Sequence[Row]) -> alt.Chart:
    """A chart over plain rows. Given a table, Altair looks at each column anew for every layer,
    and it copies every value of a list with each step; both took half the time of making a chart.
    """
    plain = (
        {name: unmarked(x) if isinstance(x, str) else x for name, x in row.items()} for row in rows
    )
    return alt.Chart(alt.InlineData(values=tuple(plain)))


def _where(rows: Sequence[Row], drawn: Callable[[alt.Chart], Any]) -> list[Any]:
    """A layer over `rows`, or none: a layer without marks is announced as an image without a
    name."""
    return [drawn(_over(rows))] if rows else []


@dataclass(frozen=True)
class Mark:
    """One labelled value with its interval where it has one; `text` is shown with the label in the
    table, `brief` (or the text) in the chart.

    `target`: what somebody set for it, drawn as a stroke across its row.
    """

    label: str
    value: float | None
    text: str
    low: float | None = None
    high: float | None = None
    brief: str = ""
    target: float | None = None


@dataclass(frozen=True)
class Reference:
    """A value that all rows are read against, drawn as a named line across them: the whole city
    for its areas."""

    label: str
    value: float


def _known(value: float | None) -> float | None:
    """None also for a value that is no number."""
    return None if value is None or value != value else float(value)


def label_of_mark(label: str, text: str) -> str:
    """Name and number above a mark on a phone. Where that is too long, what stands in brackets
    behind the number is left to the table; what is still too long takes more lines."""
    line = f"{label}: {text}"
    if len(line) <= LONGEST:
        return line
    shorter = text.rpartition(" (")[0] if text.endswith(")") else text
    if part_words() in text and part_words() not in shorter:
        shorter = f"{shorter} ({part_words()})"
    return "\n".join(wrap(f"{label}: {shorter}", LONGEST))


def _texts(rows: Sequence[Row], y: alt.Y, x: Any, column: str, **style: Any) -> list[Any]:
    """The texts of a column. `y` is their middle; those of more lines are moved up by half of what
    they add."""
    layers: list[Any] = []
    for more in sorted({row[column].count("\n") for row in rows}):
        # From the bottom of the text where `dy` says so (above a mark), else from its middle.
        shift = -LINE * more if style.get("baseline") == "bottom" else -LINE * more / 2
        own = {**style, "dy": style.get("dy", 0) + shift}
        layers.append(
            _over([row for row in rows if row[column].count("\n") == more])
            .mark_text(lineBreak="\n", lineHeight=LINE, fontSize=13, **own)
            .encode(y=y, x=x, text=alt.Text(f"{column}:N"))
        )
    return layers


def _rows(
    items: Sequence[Mark],
    colours: Palette,
    scale: Scale,
    *,
    dots: bool,
    narrow: bool,
    reference: Reference | None = None,
) -> alt.LayerChart:
    """One row for each item: label, mark on its scale, and value. On a phone the label and value
    stand above the mark."""
    thick, height = 12, 0
    rows: list[Row] = []
    for order, item in enumerate(items):
        label, shown = unmarked(item.label), unmarked(item.brief or item.text)
        row: Row = {
            "order": order,
            "value": _known(item.value),
            "low": _known(item.low),
            "high": _known(item.high),
            "target": _known(item.target),
            "zero": 0.0,
            "whole": scale.top,
            "line": label_of_mark(label, shown),
            "label": "\n".join(wrap(label, WIDEST_LABEL)) or " ",
            "text": "\n".join(wrap(shown, WIDEST_VALUE)) or " ",
        }
        texts = (row["line"],) if narrow else (row["label"], row["text"])
        lines = 1 + max(text.count("\n") for text in texts)
        step = TALL_ROW + LINE * (lines - 1) if narrow else max(ROW, LINE * lines + 6)
        height += step
        row["at"] = height - thick / 2 - 6 if narrow else height - step / 2
        rows.append(row)
    height = height or ROW
    y = alt.Y(
        "at:Q",
        axis=None,
        scale=alt.Scale(domain=[0, height], range=[0, height], nice=False, zero=False),
    )
    x_scale = alt.Scale(domain=[0, scale.top], nice=False)
    axis = alt.Axis(
        values=scale.ticks,
        format=scale.format,
        grid=False,
        domain=False,
        ticks=False,
        labelPadding=4,
        labelFlush=True,
        labelColor=colours.quiet,
    )
    x, low, zero = (
        alt.X(f"{column}:Q", title=None, scale=x_scale, axis=axis)
        for column in ("value", "low", "zero")
    )
    known = [row for row in rows if row["value"] is not None]
    layers: list[Any] = [
        *_where(
            rows if scale.whole else [],
            lambda rows: rows.mark_bar(color=colours.track, size=thick).encode(
                y=y, x=zero, x2=alt.X2("whole:Q")
            ),
        ),
    ]
    if dots:
        layers += _where(
            [row for row in known if row["low"] is not None],
            lambda rows: rows.mark_rule(color=colours.mark, strokeWidth=3).encode(
                y=y, x=low, x2=alt.X2("high:Q")
            ),
        )
        layers += _where(
            known,
            lambda rows: rows.mark_point(
                color=colours.mark, filled=True, size=90, opacity=1
            ).encode(y=y, x=x),
        )
    else:
        layers += _where(
            known,
            lambda rows: rows.mark_bar(color=colours.mark, size=thick).encode(
                y=y, x=zero, x2=alt.X2("value:Q")
            ),
        )
    layers += _where(
        [row for row in rows if row["target"] is not None],
        lambda rows: rows.mark_tick(
            color=colours.accent, thickness=4, size=thick + 8, orient="vertical"
        ).encode(y=y, x=alt.X("target:Q", title=None, scale=x_scale, axis=axis)),
    )
    if reference is not None:
        layers += _reference(reference, x_scale, axis, colours)
    if narrow:
        layers += _texts(
            rows,
            y,
            alt.XValue(0),
            "line",
            align="left",
            baseline="bottom",
            dy=-thick / 2 - 3,
            color=colours.ink,
        )
        return _layered(layers, height, colours)
    layers += _texts(
        rows, y, alt.XValue(0), "label", align="right", baseline="middle", dx=-8, color=colours.ink
    )
    layers += _texts(
        rows,
        y,
        alt.XValue("width"),
        "text",
        align="left",
        baseline="middle",
        dx=8,
        color=colours.ink,
    )
    # The chart is fitted to its place with all texts: what stands left and right of the scale needs
    # no margin of its own.
    return _layered(layers, height, colours)


def _reference(
    reference: Reference, scale: alt.Scale, axis: alt.Axis, colours: Palette
) -> list[Any]:
    """A dashed line from top to bottom with its name above, on the side that has more room."""
    at = _over([{"at": reference.value, "name": reference.label}])
    x = alt.X("at:Q", title=None, scale=scale, axis=axis)
    top = scale.to_dict()["domain"][1]
    side: Literal["left", "right"] = "right" if reference.value > top / 2 else "left"
    return [
        at.mark_rule(color=colours.accent, strokeDash=[4, 3]).encode(x=x),
        at.mark_text(
            color=colours.accent,
            fontSize=12,
            fontWeight="bold",
            align=side,
            dx=-4 if side == "right" else 4,
            baseline="bottom",
            dy=-2,
        ).encode(x=x, y=alt.YValue(0), text=alt.Text("name:N")),
    ]


@dataclass(frozen=True)
class Scale:
    """Where a row's mark is read: from 0 to `top`, with its `ticks`. `whole`: the top is the
    whole that all are parts of, drawn as a pale track."""

    top: float
    ticks: tuple[float, ...]
    format: str
    whole: bool = False


SHARES = Scale(1.0, (0, 0.25, 0.5, 0.75, 1), ".0%", whole=True)


def numbers_to(most: float) -> Scale:
    """A scale from 0 to a round number that holds `most`."""
    if not most > 0:
        return Scale(1.0, (0, 1), ",.10~g")
    power = 10.0 ** floor(log10(most))
    top = next(
        step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= most * (1 - 1e-9)
    )
    ticks = (0.0, top / 2, top)
    return Scale(top, ticks, ",.10~g")


def bars(points: Sequence[Point], colours: Palette, *, narrow: bool = False) -> alt.LayerChart:
    """One bar per cell, in the order given; no bar where withheld."""
    items = [Mark(p.label, None if p.value is None else float(p.value), p.shown) for p in points]
    return marks(items, colours, dots=False, narrow=narrow)


def share_bars(
    shares: Sequence[Share],
    colours: Palette,
    *,
    narrow: bool = False,
    reference: Reference | None = None,
) -> alt.LayerChart:
    """One bar per share on a track of 100 %, with n and N; no bar where withheld or too few."""
    items = [Mark(s.label, s.share, share_words(s)) for s in shares]
    return _rows(items, colours, SHARES, dots=False, narrow=narrow, reference=reference)


def share_words(share: Share) -> str:
    """A share with its n and N, or why there is none."""
    if share.share is None:
        return share.shown
    if in_part(share.part.status, share.whole.status):
        return _("{share} ({part} of {whole}; part of the period only)").format(
            share=share.shown, part=share.part.shown, whole=share.whole.shown
        )
    return _("{share} ({part} of {whole})").format(
        share=share.shown, part=share.part.shown, whole=share.whole.shown
    )


def dots(
    shares: Sequence[Share],
    colours: Palette,
    *,
    narrow: bool = False,
    reference: Reference | None = None,
) -> alt.LayerChart:
    """One dot per share with its 95 % interval on a track of 100 %; places without a share in
    words."""
    items = [Mark(s.label, s.share, share_words(s), *(s.interval or (None, None))) for s in shares]
    return _rows(items, colours, SHARES, dots=True, narrow=narrow, reference=reference)


def marks(
    items: Sequence[Mark],
    colours: Palette,
    *,
    dots: bool = True,
    share: bool = False,
    narrow: bool = False,
) -> alt.LayerChart:
    """A dot with its interval (or a bar) for each item, on a scale from 0; `share`: the values
    are parts of a whole, on a track of 100 %."""
    known = [
        edge
        for m in items
        for edge in (m.value, m.high, m.target)
        if edge is not None and edge == edge
    ]
    scale = SHARES if share else numbers_to(max(known, default=1.0))
    return _rows(items, colours, scale, dots=dots, narrow=narrow)


def trend(
    points: Sequence[Point],
    unit: str,
    colours: Palette,
    events: Mapping[str, str] | None = None,
    *,
    narrow: bool = False,
) -> alt.LayerChart:
    """A line over time. It breaks where a period is withheld, and says so; a period that the data
    cover in part stands apart, as a hollow point.

    `events`: code of a period -> letter and name of what changed in it (a list next to the chart
    says what).
    """
    frame = points_frame(points)
    frame["short"] = [
        month(p.code) if len(p.code) == 7 and p.code[5:].isdigit() else p.label for p in points
    ]
    frame["part"] = frame["status"] == "incomplete"
    frame["word"] = [
        p.shown if p.value is None else _("part") if p.status == "incomplete" else ""
        for p in points
    ]
    x = alt.X(
        "short:N",
        sort=list(frame["short"]),
        title=None,
        axis=alt.Axis(labelAngle=0, labelOverlap="parity", labelPadding=8),
    )
    y = alt.Y(
        "value:Q",
        title=unit,
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(tickCount=4, titleAngle=0, titleAlign="left", titleY=-12),
    )
    known = frame[frame["status"] == "published"].dropna(subset=["value"])
    base = _over(_records(frame.assign(value=frame["value"].where(~frame["part"]))))
    ends = (
        pd.concat([known.head(1), known.tail(1)]).drop_duplicates("code") if len(known) else known
    )
    ends = ends.assign(
        text=[number(v) for v in ends["value"]], first=ends["short"].isin(frame["short"].head(1))
    )
    layers: list[Any] = [
        base.mark_line(color=colours.mark, strokeWidth=2.5).encode(x=x, y=y),
        base.transform_filter("isValid(datum.value)")
        .mark_point(color=colours.mark, filled=True, size=45, opacity=1)
        .encode(x=x, y=y),
        *_where(
            _records(frame[frame["value"].notna() & frame["part"]]),
            lambda part: part.mark_point(
                stroke=colours.mark, fill=colours.background, strokeWidth=2, size=70, opacity=1
            ).encode(x=x, y=y),
        ),
        *_words_at(frame, x, colours),
        *_values_at(ends, x, y, colours),
    ]
    layers += _changes(frame, "code", events or {}, x, (colours, narrow))
    return _layered(layers, 190 if narrow else 195, colours)


def _words_at(frame: pd.DataFrame, x: alt.X, colours: Palette) -> list[Any]:
    """The `word` of each row that has one, upright from the axis; a dotted rule where there is no
    value, which the word's edge keeps clear of it."""
    layers = _where(
        _records(frame[frame["value"].isna() & (frame["word"] != "")]),
        lambda gone: gone.mark_rule(color=colours.quiet, strokeDash=[2, 4]).encode(x=x),
    )
    upright: dict[str, Any] = {
        "angle": 270,
        "align": "left",
        "baseline": "middle",
        "dx": 4,
        "fontSize": 12,
        "fontStyle": "italic",
    }
    styles: list[dict[str, Any]] = [
        {"stroke": colours.background, "strokeWidth": 4, "strokeJoin": "round"},
        {"color": colours.quiet},
    ]
    named = frame[frame["word"] != ""]
    if len(named):
        texts = _over(_records(named)).encode(x=x, y=alt.YValue("height"), text=alt.Text("word:N"))
        layers += [texts.mark_text(**upright, **style) for style in styles]
    return layers


def _values_at(ends: pd.DataFrame, x: alt.X, y: alt.Y, colours: Palette) -> list[alt.Chart]:
    """The `text` of each row above its point, at the axis (`first`) to its right, clear of the
    axis's own numbers. An edge in the colour of the background keeps a line that crosses it from
    striking it through."""
    styles: list[dict[str, Any]] = [
        {"stroke": colours.background, "strokeWidth": 4, "strokeJoin": "round"},
        {"color": colours.ink},
    ]
    layers: list[alt.Chart] = []
    beside: dict[str, Any] = {"align": "left", "dx": -4}
    for rows, place in ((ends[ends["first"]], beside), (ends[~ends["first"]], {})):
        if len(rows):
            texts = _over(_records(rows)).encode(x=x, y=y, text=alt.Text("text:N"))
            layers += [
                texts.mark_text(dy=-11, fontSize=12, fontWeight="bold", **style, **place)
                for style in styles
            ]
    return layers


TALL_GRID, SHORT_ROW, WIDE_CELL = 12, 12, 5
"""Up to this many rows a grid has room for two lines each; letters on a line of a name on a phone;
from this many letters on, the texts of its cells are small there."""
NARROW_PLOT, WIDE_PLOT = 250, 480
"""Width that the plot of a chart over time has at least, in pixels, to see which words touch."""
NAME_LETTER, NAME_LINE = 7.4, 15
"""Width of an average letter, and height, of an event's name."""


Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class _Named:
    """Where the name of an event stands: its line above the plot (0: the lowest), and its side of
    the rule."""

    line: int
    align: Side


def _lines_of_names(names: Mapping[int, str], places: int, width: int) -> dict[int, _Named]:
    """Names at their rules so that no two touch, nor the title of the axis at the left. `names`:
    place on the axis, of `places`, -> name."""
    taken: list[list[tuple[float, float]]] = []
    found: dict[int, _Named] = {}
    for place, name in sorted(names.items()):
        wide, x = NAME_LETTER * len(name) + 6, width * (place + 0.5) / places
        align: Side = "left" if x < wide / 2 else "right" if x > width - wide / 2 else "center"
        start = x - {"left": 0.0, "center": 0.5, "right": 1.0}[align] * wide
        line = 1 if start < AXIS_TITLE else 0
        while any(
            start < end and begin < start + wide
            for begin, end in (taken[line] if line < len(taken) else [])
        ):
            line += 1
        taken += [[] for _ in range(line + 1 - len(taken))]
        taken[line].append((start, start + wide))
        found[place] = _Named(line, align)
    return found


AXIS_TITLE = 40
"""Pixels of the plot above which the title of its axis may stand."""


def _stand(
    frame: pd.DataFrame, column: str, events: Mapping[str, str], *, narrow: bool
) -> dict[int, _Named]:
    """Where the names of `events` stand on the axis of `frame`, by their places on it."""
    places = list(dict.fromkeys(frame[column]))
    names = {i: events[place] for i, place in enumerate(places) if place in events}
    return _lines_of_names(names, len(places), NARROW_PLOT if narrow else WIDE_PLOT)


def _highest(frame: pd.DataFrame, column: str, events: Mapping[str, str], *, narrow: bool) -> int:
    stand = _stand(frame, column, events, narrow=narrow)
    return max((named.line for named in stand.values()), default=0)


def _changes(
    frame: pd.DataFrame,
    column: str,
    events: Mapping[str, str],
    x: alt.X,
    look: tuple[Palette, bool],
) -> list[Any]:
    """A rule with the letter and name of each of `events`, at the row of `frame` whose `column`
    names its place on the axis. `look`: colours, and is the place narrow?"""
    colours, narrow = look
    places = list(dict.fromkeys(frame[column]))
    at = frame[frame[column].isin(list(events))]
    if at.empty:
        return []
    stand = _stand(frame, column, events, narrow=narrow)
    rule = _over(_records(at)).mark_rule(color=colours.accent, strokeDash=[6, 3]).encode(x=x)
    layers: list[Any] = [rule]
    for where in dict.fromkeys(stand.values()):
        here = at[[stand[places.index(place)] == where for place in at[column]]]
        lettered = _over(_records(here.assign(letter=here[column].map(dict(events)))))
        letters = lettered.mark_text(
            fontSize=13,
            fontWeight="bold",
            color=colours.accent,
            baseline="bottom",
            align=where.align,
            dy=-3 - NAME_LINE * where.line,
        )  # above the lines, never on them
        layers.append(letters.encode(x=x, y=alt.YValue(0), text=alt.Text("letter:N")))
    return layers


def lines(
    series: Sequence[tuple[str, Sequence[tuple[str, float | None]]]],
    unit: str,
    colours: Palette,
    events: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
    *,
    narrow: bool = False,
) -> alt.LayerChart:
    """One line for each series, told apart by dash and colour and named at its end (on a phone in a
    key above); x in the order given. Values of both ends stand on the line.

    `events`: a place on the x axis -> letter and name of what changed there; `words`: a place ->
    why no line has a value there, or why its values stand apart, as hollow points.
    """
    rows = [(name, x, value) for name, points in series for x, value in points]
    frame = pd.DataFrame(rows, columns=["series", "x", "value"]).astype({"value": float})
    apart = frame["x"].isin(list(words or {})) & frame["value"].notna()
    names = [name for name, _points in series]
    places = list(dict.fromkeys(frame["x"]))
    x = alt.X(
        "x:N",
        sort=places,
        title=None,
        axis=alt.Axis(
            labelAngle=0,
            labelOverlap="parity",
            labelPadding=8,
            labelExpr=_on_lines(places, SHORT_ROW) if narrow else alt.Undefined,
        ),
    )
    axis = alt.Axis(tickCount=4, titleAngle=0, titleAlign="left", titleY=-12)
    y = alt.Y("value:Q", title=unit, scale=alt.Scale(zero=True, nice=True), axis=axis)
    key = alt.Legend(
        orient="top",
        title=None,
        columns=1,
        labelLimit=280,
        labelExpr=_on_lines(names, KEY_ROW),
        symbolType="stroke",
        symbolSize=600,
        symbolStrokeWidth=2.5,
        offset=22 + NAME_LINE * _highest(frame, "x", events or {}, narrow=narrow),
    )
    dashes = alt.StrokeDash(
        "series:N",
        sort=names,
        scale=alt.Scale(
            domain=names,
            range=[DASHES[(i + i // len(DASHES)) % len(DASHES)] for i in range(len(names))],
        ),
        legend=key if narrow else None,
    )
    inks = [colours.mark, colours.accent, colours.quiet, colours.ink]
    tints = [inks[i % len(inks)] for i in range(len(names))]
    colour = alt.Color(
        "series:N",
        sort=names,
        scale=alt.Scale(domain=names, range=tints),
        legend=key if narrow else None,
    )
    known = frame[~apart].dropna(subset=["value"]).groupby("series", sort=False)
    ends = pd.concat([known.head(1), known.tail(1)]).drop_duplicates()
    ends = ends.assign(
        text=[rounded(value) for value in ends["value"]], first=ends["x"].isin(frame["x"].head(1))
    )
    base = _over(_records(frame.assign(value=frame["value"].where(~apart))))
    layers: list[Any] = [
        base.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=dashes),
        # A value between two missing ones has no line to stand on, so each value has a point of its
        # own.
        *_where(
            _records(frame[frame["value"].notna() & ~apart]),
            lambda known: known.mark_point(filled=True, size=36, opacity=1).encode(
                x=x, y=y, color=colour
            ),
        ),
        *_where(
            _records(frame[apart]),
            lambda part: part.mark_point(
                fill=colours.background, strokeWidth=2, size=60, opacity=1
            ).encode(
                x=x,
                y=y,
                stroke=alt.Stroke(
                    "series:N",
                    sort=names,
                    scale=alt.Scale(domain=names, range=tints),
                    legend=None,
                ),
            ),
        ),
        *_values_at(ends, x, y, colours),
    ]
    places = frame.drop_duplicates("x")
    layers += _words_at(
        places.assign(word=places["x"].map(lambda place: (words or {}).get(place, ""))), x, colours
    )
    layers += _changes(places, "x", events or {}, x, (colours, narrow))
    if narrow:
        further = sum(len(wrap(name, KEY_ROW)) - 1 for name in names)
        return _layered(layers, 240 + 22 * len(names) + NAME_LINE * further, colours)
    named = {name: "\n".join(wrap(name, NAME)) for name in names}
    layers += _names_at_ends(
        known.tail(1), named, dict(zip(names, tints, strict=True)), y, float(frame["value"].max())
    )
    return _layered(layers, 240, colours)


KEY_ROW = 30
"""Letters of a line's name in the key of a phone's chart; longer names go on below."""


def _on_lines(names: Sequence[str], letters: int) -> Any:
    """The expression that puts names of more than that many letters on several lines; undefined
    where none is longer."""
    below = {name: "\n".join(wrap(name, letters)) for name in names}
    if all(name == lines for name, lines in below.items()):
        return alt.Undefined
    return f"split({json.dumps(below)}[datum.label], '\\n')"


DASHES = [[1, 0], [6, 3], [2, 2], [9, 2, 2, 2]]
"""A fifth series has the ink of the first and the dashes of the second, and so on."""
NAME = 24
"""Letters on a line of a name at the end of a line."""
APART = 0.14
"""Part of the height of a chart that two names need between them."""


def _names_at_ends(
    last: pd.DataFrame, named: Mapping[str, str], tints: Mapping[str, str], y: alt.Y, most: float
) -> list[Any]:
    """Each series' name right of its last value; names that would touch are moved apart, the higher
    one up."""
    layers: list[Any] = []
    placed = last.sort_values("value")
    values = list(placed["value"])
    close = [i for i in range(1, len(values)) if most and values[i] - values[i - 1] < APART * most]
    for i, row in enumerate(placed.to_dict("records")):
        text = named[row["series"]]
        shift = (
            (LINE if i + 1 in close else 0)
            - (LINE if i in close else 0)
            - LINE * text.count("\n") / 2
        )
        at = _over([{"value": row["value"], "name": text}])
        layers.append(
            at.mark_text(
                align="left",
                baseline="middle",
                dx=10,
                dy=shift,
                fontSize=13,
                fontWeight="bold",
                color=tints[row["series"]],
                lineBreak="\n",
                lineHeight=LINE,
            ).encode(x=alt.XValue("width"), y=y, text=alt.Text("name:N"))
        )
    return layers


def grid(
    cells: Sequence[tuple[str, str, float | None, str]], colours: Palette, *, narrow: bool = False
) -> alt.LayerChart:
    """(row, column, value, text): rows by columns, each cell with its text, the stronger its colour
    the higher; no value stays blank. On a phone the names of rows stand on two lines.

    Colours are the classes of maps, so that each cell has letters that can be read on it.
    """
    frame = pd.DataFrame(list(cells), columns=["row", "column", "value", "text"]).astype(
        {"value": float}
    )
    rows, columns = list(dict.fromkeys(frame["row"])), list(dict.fromkeys(frame["column"]))
    top = float(frame["value"].max()) if frame["value"].notna().any() else 1.0
    ranks = [
        (
            None
            if value != value
            else min(len(colours.classes) - 1, int(len(colours.classes) * value / (top or 1.0)))
        )
        for value in frame["value"]
    ]
    frame["fill"] = [
        colours.background if rank is None else colours.classes[rank] for rank in ranks
    ]
    frame["ink"] = [ink_on(colours, rank) for rank in ranks]
    x = alt.X(
        "column:N",
        sort=columns,
        title=None,
        axis=alt.Axis(
            orient="top",
            labelAngle=0,
            labelOverlap=False,
            labelFlush=False,
            domain=False,
            ticks=False,
        ),
    )
    if narrow and len(rows) <= TALL_GRID:
        frame["row"] = ["\n".join(wrap(row, SHORT_ROW)) for row in frame["row"]]
    y = alt.Y(
        "row:N",
        sort=list(dict.fromkeys(frame["row"])),
        title=None,
        axis=alt.Axis(
            domain=False,
            ticks=False,
            labelExpr="split(datum.label, '\\n')",
            # The first of two lines stands above the middle of its row.
            labelBaseline={
                "condition": {
                    "test": "indexof(datum.label, '\\n') >= 0",
                    "value": "bottom",
                },
                "value": "middle",
            },
            labelOverlap=len(rows) > TALL_GRID,
        ),
    )
    base = _over(_records(frame))
    boxes = base.mark_rect(stroke=colours.background, strokeWidth=2).encode(
        x=x, y=y, color=alt.Color("fill:N", scale=None)
    )
    tight = narrow and frame["text"].str.len().max() >= WIDE_CELL
    texts = base.mark_text(fontSize=10 if tight else 12 if len(rows) <= TALL_GRID else 11).encode(
        x=x, y=y, text=alt.Text("text:N"), color=alt.Color("ink:N", scale=None)
    )
    return _layered([boxes, texts], (30 if len(rows) <= TALL_GRID else 14) * len(rows), colours)


def begun(kind: str, what: str, period: str) -> str:
    """The beginning of a chart's text: its kind and title, and its period where the title has it
    not."""
    return f"{kind}: {what}." if not period or period in what else f"{kind}: {what}, {period}."


LONGEST_TEXT = 400
"""Letters of a chart's text; it ends with a whole sentence."""


def _joined(sentences: Sequence[str]) -> str:
    """As many of the sentences as fit."""
    kept = ""
    for sentence in sentences:
        if kept and len(kept) + 1 + len(sentence) > LONGEST_TEXT:
            break
        kept = f"{kept} {sentence}".strip()
    return kept


def describe_lines(
    title: str,
    series: Sequence[tuple[str, Sequence[tuple[str, float | None]]]],
    spoken: Mapping[str, str] | None = None,
) -> str:
    """A text for readers who do not see the lines: of each its first and its last value.

    `spoken`: label on the axis -> what to say for it, since 'Jan 24' can be heard as a day.
    """
    said = spoken or {}
    parts = [_("Line chart: {title}.").format(title=title)]
    for name, points in series:
        known = [(x, value) for x, value in points if value is not None]
        if known:
            (start, first), (end, last) = known[0], known[-1]
            words = _("{name}: {first} in {start}, {last} in {end}.")
            parts.append(
                words.format(
                    name=name,
                    first=rounded(first),
                    start=said.get(start, start),
                    last=rounded(last),
                    end=said.get(end, end),
                )
            )
    return _joined(parts)


def describe_trend(title: str, points: Sequence[Point]) -> str:
    """A text for readers who do not see one line over time: its ends, and where it is highest and
    lowest."""
    known = [p for p in points if p.value is not None and p.status == "published"]
    parts = [_("Line chart: {title}.").format(title=title)]
    if known:
        first, last = known[0], known[-1]
        words = _("{first} in {start}, {last} in {end}.")
        parts.append(
            words.format(first=first.shown, start=first.label, last=last.shown, end=last.label)
        )
        parts += _ends([(float(p.value or 0), p.label, p.shown) for p in known])
    return _joined([*parts, *_numberless(len(points) - len(known))])


def _ends(known: Sequence[tuple[float, str, str]]) -> list[str]:
    """Highest and lowest of (value, label, words); none where all are one, and of several alike how
    many."""
    high, low = max(v for v, _l, _w in known), min(v for v, _l, _w in known)
    if high == low:
        return (
            [_("All are {value}.").format(value=known[0][2])]
            if len(known) > 1
            else [_("{label}: {value}.").format(label=known[0][1], value=known[0][2])]
        )
    found = []
    for words, edge in (
        (_("Highest: {label}, {value}."), high),
        (_("Lowest: {label}, {value}."), low),
    ):
        at = [(label, value) for v, label, value in known if v == edge]
        label = (
            at[0][0]
            if len(at) == 1
            else ngettext(
                "{label} and {count} more", "{label} and {count} more", len(at) - 1
            ).format(label=at[0][0], count=number(len(at) - 1))
        )
        found.append(words.format(label=label, value=at[0][1]))
    return found


def _numberless(count: int) -> list[str]:
    return [_("{count} without a number.").format(count=number(count))] if count else []


def describe(
    kind: str, what: str, period: str, items: Sequence[Point | Share], *, ranked: bool = True
) -> str:
    """A text for readers who do not see the chart: kind, measure, period, then highest and lowest
    value with the likely range of shares.

    `ranked`: false where the page itself puts nothing in order; then only the span of the values is
    told. A row of what is not recorded is never the highest or lowest: it is no group.
    """
    known = []
    for item in items:
        size = item.share if isinstance(item, Share) else item.value
        if size is not None and not ({"unknown", "not_recorded"} & set(item.code.split("."))):
            likely = item.interval if isinstance(item, Share) else None
            shown = item.shown
            if likely:
                shown = _("{share} (likely {low} to {high})").format(
                    share=shown, low=percent(likely[0]), high=percent(likely[1])
                )
            known.append((float(size), item.label, shown))
    parts = [begun(kind, what, period)]
    if known and ranked:
        parts += _ends(known)
    elif known:
        low, high = min(known)[2], max(known)[2]
        parts.append(_("Values from {low} to {high}.").format(low=low, high=high))
    missing = sum((item.share if isinstance(item, Share) else item.value) is None for item in items)
    return _joined([*parts, *_numberless(missing)])


def describe_marks(kind: str, what: str, period: str, items: Sequence[Mark]) -> str:
    """The same for labelled values."""
    known = [(m.value, m.label, m.text) for m in items if m.value is not None]
    return _joined(
        [
            begun(kind, what, period),
            *(_ends(known) if known else []),
            *_numberless(len(items) - len(known)),
        ]
    )


__all__ = [
    "Mark",
    "Reference",
    "bars",
    "describe",
    "describe_lines",
    "describe_marks",
    "describe_trend",
    "dots",
    "grid",
    "lines",
    "marks",
    "share_bars",
    "share_words",
    "trend",
]
