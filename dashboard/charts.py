"""The few charts of the app. Labels stand on the marks; a withheld cell is a word, never a zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import altair as alt
import pandas as pd

from dashboard.language import _, month, number, rounded
from dashboard.theme import Palette
from dashboard.views import Point, Share, in_part, points_frame, shares_frame

ROW = 46
"""Height of one labelled bar, in pixels: the label stands above it, so that it fits a phone."""


def _layered(layers: Sequence[Any], height: int, colours: Palette) -> alt.LayerChart:
    """The layers as one chart, with height and margins; axes in a colour that reaches 4.5:1 on the ground.

    In one go: each `.properties` or `.configure_...` of Altair copies the whole chart.
    """
    config = alt.Config(
        mark=alt.MarkConfig(aria=False),  # the chart has one text of its own, and its table; raw numbers of each mark would only be noise
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(aria=False, labelColor=colours.quiet, titleColor=colours.quiet, gridColor=colours.faint),
        legend=alt.LegendConfig(aria=False, labelColor=colours.ink),
    )
    return alt.LayerChart(layer=list(layers), height=height, padding={"left": 4, "right": 8, "top": 8, "bottom": 4}, config=config)


def _where(rows: pd.DataFrame, drawn: Callable[[alt.Chart], Any]) -> list[Any]:
    """A layer over `rows`, or none: a layer without marks is announced as an image without a name."""
    return [drawn(alt.Chart(rows))] if len(rows) else []


LONGEST = 50
"""Letters of a label that fit a phone of 320 pixels."""
LINE = 16


def label_of_mark(label: str, text: str) -> str:
    """Name and number in a line. Where that is too long for a phone, what stands in brackets behind the number is left to the table;
    what is still too long takes more lines."""
    line, shorter = f"{label}: {text}", f"{label}: {text.rpartition(' (')[0] if text.endswith(')') else text}"
    return line if len(line) <= LONGEST else "\n".join(wrap(shorter, LONGEST))


def _labels(frame: pd.DataFrame, y: alt.Y, colours: Palette) -> list[Any]:
    """The labels over the marks, at the left edge; those of more lines begin higher."""
    breaks = frame["line"].str.count("\n")

    def written(more: int) -> list[Any]:
        return _where(
            frame[breaks == more],
            lambda seen: seen.mark_text(
                align="left", baseline="bottom", fontSize=13, color=colours.ink, lineBreak="\n", lineHeight=LINE, dy=-11 - LINE * more
            ).encode(y=y, x=alt.value(0), text="line:N"),
        )

    return [layer for more in sorted(set(breaks)) for layer in written(int(more))]


def _height(frame: pd.DataFrame) -> int:
    return (ROW + LINE * int(frame["line"].str.count("\n").max() if len(frame) else 0)) * max(1, len(frame))


def _bars(frame: pd.DataFrame, field: str, colours: Palette) -> alt.LayerChart:
    """Name and number stand in one line above each bar, so that they fit a phone."""
    frame = frame.assign(line=[label_of_mark(label, text) for label, text in zip(frame["label"], frame["text"], strict=True)])
    top = frame[field].max()
    limit = float(top) if pd.notna(top) and top > 0 else 1.0
    y = alt.Y("order:O", axis=None, scale=alt.Scale(paddingInner=0.62, paddingOuter=0.5))
    x = alt.X(
        f"{field}:Q", title=None, scale=alt.Scale(domain=[0, limit]), axis=alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    )
    layers: list[Any] = [
        *_where(frame[frame[field].notna()], lambda seen: seen.mark_bar(color=colours.mark).encode(y=y, x=x)),
        *_labels(frame, y, colours),
    ]
    return _layered(layers, _height(frame) + 30, colours)


def bars(points: Sequence[Point], colours: Palette) -> alt.LayerChart:
    """One bar per cell, in the order given; no bar where withheld."""
    frame = points_frame(points)
    return _bars(frame.assign(text=frame["shown"]), "value", colours)


def share_bars(shares: Sequence[Share], colours: Palette) -> alt.LayerChart:
    """One bar per share, with n and N above it; no bar where withheld or too few."""
    return _bars(shares_frame(shares).assign(text=[share_words(s) for s in shares]), "share", colours)


def share_words(share: Share) -> str:
    """A share with its n and N, or why there is none."""
    if share.share is None:
        return share.shown
    if in_part(share.part.status, share.whole.status):
        return _("{share} ({part} of {whole}; part of the period only)").format(
            share=share.shown, part=share.part.shown, whole=share.whole.shown
        )
    return _("{share} ({part} of {whole})").format(share=share.shown, part=share.part.shown, whole=share.whole.shown)


def dots(shares: Sequence[Share], colours: Palette) -> alt.LayerChart:
    """One dot per share with its 95 % interval; places without a share in words."""
    frame = shares_frame(shares).assign(text=[s.brief for s in shares])
    y = alt.Y("order:O", axis=None, scale=alt.Scale(paddingInner=0.62, paddingOuter=0.5))
    axis = alt.Axis(format=".0%", tickCount=5, grid=True)
    x = alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis)
    frame["line"] = [label_of_mark(label, text) for label, text in zip(frame["label"], frame["text"], strict=True)]
    known = frame[frame["share"].notna()]
    layers: list[Any] = [
        *_where(
            known,
            lambda seen: seen.mark_rule(color=colours.mark, strokeWidth=3).encode(
                y=y, x=alt.X("low:Q", title=None, scale=alt.Scale(domain=[0, 1])), x2="high:Q"
            ),
        ),
        *_where(known, lambda seen: seen.mark_point(color=colours.mark, filled=True, size=90, opacity=1).encode(y=y, x=x)),
        *_labels(frame, y, colours),
    ]
    return _layered(layers, _height(frame) + 40, colours)


def trend(points: Sequence[Point], unit: str, colours: Palette, events: Mapping[str, str] | None = None) -> alt.LayerChart:
    """A line over time. It breaks where a period is withheld, and says so; part periods are hollow.

    `events`: code of a period -> a letter for what changed in it (a list beside the chart says what).
    """
    frame = points_frame(points)
    frame["short"] = [month(p.code) if len(p.code) == 7 and p.code[5:].isdigit() else p.label for p in points]
    frame["part"] = frame["status"] == "incomplete"
    frame["word"] = [p.shown if p.value is None else _("part") if p.status == "incomplete" else "" for p in points]
    x = alt.X("short:N", sort=list(frame["short"]), title=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelPadding=8))
    y = alt.Y(
        "value:Q",
        title=unit,
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(tickCount=4, titleAngle=0, titleAlign="left", titleY=-12),
    )
    base = alt.Chart(frame)
    known = frame[frame["status"] == "published"].dropna(subset=["value"])
    ends = pd.concat([known.head(1), known.tail(1)]).drop_duplicates("code") if len(known) else known
    ends = ends.assign(text=[number(v) for v in ends["value"]], first=ends["short"].isin(frame["short"].head(1)))
    layers: list[Any] = [
        base.mark_line(color=colours.mark, strokeWidth=2.5).encode(x=x, y=y),
        base.transform_filter("isValid(datum.value) && !datum.part")
        .mark_point(color=colours.mark, filled=True, size=45, opacity=1)
        .encode(x=x, y=y),
        *_where(
            frame[frame["value"].notna() & frame["part"]],
            lambda part: part.mark_point(stroke=colours.mark, fill=colours.background, strokeWidth=2, size=70, opacity=1).encode(x=x, y=y),
        ),
        *_words_at(frame, x, colours),
        *_values_at(ends, x, y, colours),
    ]
    layers += _changes(frame, "code", events or {}, x, colours)
    return _layered(layers, 300, colours)


def _words_at(frame: pd.DataFrame, x: alt.X, colours: Palette) -> list[Any]:
    """The `word` of each row that has one, upright from the axis; a dotted rule where there is no value, which the word's edge keeps clear of it."""
    layers = _where(
        frame[frame["value"].isna() & (frame["word"] != "")],
        lambda gone: gone.mark_rule(color=colours.quiet, strokeDash=[2, 4]).encode(x=x),
    )
    upright: dict[str, Any] = {"angle": 270, "align": "left", "baseline": "middle", "dx": 4, "fontSize": 12, "fontStyle": "italic"}
    styles: list[dict[str, Any]] = [{"stroke": colours.background, "strokeWidth": 4, "strokeJoin": "round"}, {"color": colours.quiet}]
    named = frame[frame["word"] != ""]
    if len(named):
        texts = alt.Chart(named).encode(x=x, y=alt.value("height"), text="word:N")
        layers += [texts.mark_text(**upright, **style) for style in styles]
    return layers


def _values_at(ends: pd.DataFrame, x: alt.X, y: alt.Y, colours: Palette) -> list[alt.Chart]:
    """The `text` of each row above its point, at the axis (`first`) to its right, clear of the axis's own numbers. An edge in the colour of the background
    keeps a line that crosses it from striking it through."""
    styles: list[dict[str, Any]] = [{"stroke": colours.background, "strokeWidth": 4, "strokeJoin": "round"}, {"color": colours.ink}]
    layers: list[alt.Chart] = []
    beside: dict[str, Any] = {"align": "left", "dx": -4}
    for rows, place in ((ends[ends["first"]], beside), (ends[~ends["first"]], {})):
        if len(rows):
            texts = alt.Chart(rows).encode(x=x, y=y, text="text:N")
            layers += [texts.mark_text(dy=-11, fontSize=12, fontWeight="bold", **style, **place) for style in styles]
    return layers


def _changes(frame: pd.DataFrame, column: str, events: Mapping[str, str], x: alt.X, colours: Palette) -> list[Any]:
    """A rule with a letter for each of `events`, at the row of `frame` whose `column` names its place on the axis."""
    at = frame[frame[column].isin(list(events))]
    if at.empty:
        return []
    lettered = alt.Chart(at.assign(letter=at[column].map(dict(events))))
    letters = lettered.mark_text(
        fontSize=13, fontWeight="bold", color=colours.accent, baseline="bottom", dy=-3
    )  # above the lines, never on them
    rule = lettered.mark_rule(color=colours.accent, strokeDash=[6, 3]).encode(x=x)
    return [rule, letters.encode(x=x, y=alt.value(0), text="letter:N")]


@dataclass(frozen=True)
class Mark:
    """One labelled value with its interval where it has one; `text` stands beside the label in the table, `brief` (or the text) in the chart."""

    label: str
    value: float | None
    text: str
    low: float | None = None
    high: float | None = None
    brief: str = ""


def marks(items: Sequence[Mark], colours: Palette, *, dots: bool = True) -> alt.LayerChart:
    """A dot with its interval (or a bar) for each item, label and number in one line above it. The scale starts at nought."""
    frame = pd.DataFrame(
        {"order": range(len(items)), "value": [m.value for m in items], "low": [m.low for m in items], "high": [m.high for m in items],
         "line": [label_of_mark(m.label, m.brief or m.text) for m in items]}
    ).astype({"value": float, "low": float, "high": float})  # fmt: skip
    most = float(frame[["value", "high"]].max().max() if len(frame) else 1) or 1.0
    y = alt.Y("order:O", axis=None, scale=alt.Scale(paddingInner=0.62, paddingOuter=0.5))
    scale = alt.Scale(domain=[0, most if most == most else 1.0])
    bare = alt.Axis(labels=dots, ticks=False, grid=dots, domain=False, tickCount=4)
    x = alt.X("value:Q", title=None, scale=scale, axis=bare)
    known = frame[frame["value"].notna()]
    drawn = _where(known, lambda seen: seen.mark_bar(color=colours.mark).encode(y=y, x=x))
    if dots:
        drawn = [
            *_where(known[known["low"].notna()], lambda seen: seen.mark_rule(color=colours.mark, strokeWidth=3).encode(
                y=y, x=alt.X("low:Q", title=None, scale=scale), x2="high:Q"
            )),
            *_where(known, lambda seen: seen.mark_point(color=colours.mark, filled=True, size=90, opacity=1).encode(y=y, x=x)),
        ]  # fmt: skip
    return _layered([*drawn, *_labels(frame, y, colours)], _height(frame) + 40, colours)


def lines(
    series: Sequence[tuple[str, Sequence[tuple[str, float | None]]]], unit: str, colours: Palette, events: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
) -> alt.LayerChart:  # fmt: skip
    """One line for each series, told apart by dash and colour, named in a key above; x in the order given. Labels of both ends stand on the line.

    `events`: a place on the x axis -> a letter for what changed there; `words`: a place -> why no line has a value there.
    """
    rows = [(name, x, value) for name, points in series for x, value in points]
    frame = pd.DataFrame(rows, columns=["series", "x", "value"]).astype({"value": float})
    names = [name for name, _points in series]
    x = alt.X("x:N", sort=list(dict.fromkeys(frame["x"])), title=None, axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelPadding=8))
    axis = alt.Axis(tickCount=4, titleAngle=0, titleAlign="left", titleY=-12)
    y = alt.Y("value:Q", title=unit, scale=alt.Scale(zero=True, nice=True), axis=axis)
    key = alt.Legend(
        orient="top", title=None, columns=1, labelLimit=280, symbolType="stroke", symbolSize=600, symbolStrokeWidth=2.5, offset=22
    )
    dashes = alt.StrokeDash(
        "series:N", sort=names, scale=alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2], [9, 2, 2, 2]][: len(names)]), legend=key
    )
    tints = [colours.mark, colours.accent, colours.quiet, colours.ink][: len(names)]
    colour = alt.Color("series:N", sort=names, scale=alt.Scale(domain=names, range=tints), legend=key)
    known = frame.dropna(subset=["value"]).groupby("series", sort=False)
    ends = pd.concat([known.head(1), known.tail(1)]).drop_duplicates()
    ends = ends.assign(text=[rounded(value) for value in ends["value"]], first=ends["x"].isin(frame["x"].head(1)))
    base = alt.Chart(frame)
    layers: list[Any] = [
        base.mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=dashes),
        # A value between two missing ones has no line to stand on, so each value has a point of its own.
        *_where(
            frame[frame["value"].notna()], lambda known: known.mark_point(filled=True, size=36, opacity=1).encode(x=x, y=y, color=colour)
        ),
        *_values_at(ends, x, y, colours),
    ]
    places = frame.drop_duplicates("x")
    layers += _words_at(places.assign(word=places["x"].map(dict(words or {})).fillna("")), x, colours)
    layers += _changes(places, "x", events or {}, x, colours)
    return _layered(layers, 300 + 22 * len(names), colours)


def grid(cells: Sequence[tuple[str, str, float | None, str]], colours: Palette) -> alt.LayerChart:
    """(row, column, value, text): rows by columns, each cell with its text, shaded from low to high; no value stays blank."""
    frame = pd.DataFrame(list(cells), columns=["row", "column", "value", "text"]).astype({"value": float})
    rows, columns = list(dict.fromkeys(frame["row"])), list(dict.fromkeys(frame["column"]))
    top = float(frame["value"].max()) if frame["value"].notna().any() else 1.0
    x = alt.X(
        "column:N", sort=columns, title=None, axis=alt.Axis(orient="top", labelAngle=0, labelOverlap=False, domain=False, ticks=False)
    )
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(domain=False, ticks=False))
    scale = alt.Scale(domain=[0, top or 1.0], range=[colours.classes[0], colours.classes[3]])
    base = alt.Chart(frame)
    shade = alt.condition("isValid(datum.value)", alt.Color("value:Q", scale=scale, legend=None), alt.value(colours.background))
    boxes = base.mark_rect(stroke=colours.background, strokeWidth=2).encode(x=x, y=y, color=shade)
    texts = base.mark_text(fontSize=12, color=colours.ink).encode(x=x, y=y, text="text:N")
    return _layered([boxes, texts], (44 if len(rows) <= 12 else 26) * len(rows) + 30, colours)


def describe_lines(title: str, series: Sequence[tuple[str, Sequence[tuple[str, float | None]]]]) -> str:
    """A text for readers who do not see the lines: of each its first and its last value."""
    parts = [_("Line chart: {title}.").format(title=title)]
    for name, points in series:
        known = [(x, value) for x, value in points if value is not None]
        if known:
            (start, first), (end, last) = known[0], known[-1]
            words = _("{name}: {first} at first ({start}), {last} at last ({end}).")
            parts.append(words.format(name=name, first=rounded(first), start=start, last=rounded(last), end=end))
    return " ".join(parts)[:300]


def describe(kind: str, what: str, period: str, items: Sequence[Point | Share]) -> str:
    """A text for readers who do not see the chart: kind, measure, period, highest and lowest value."""

    def size(item: Point | Share) -> float | None:
        return item.share if isinstance(item, Share) else None if item.value is None else float(item.value)

    known = [(size(item), item) for item in items if size(item) is not None]
    parts = [f"{kind}: {what}, {period}."]
    if known:
        highest, lowest = max(known, key=lambda k: k[0] or 0.0)[1], min(known, key=lambda k: k[0] or 0.0)[1]
        parts.append(_("Highest: {label}, {value}.").format(label=highest.label, value=highest.shown))
        if lowest is not highest:
            parts.append(_("Lowest: {label}, {value}.").format(label=lowest.label, value=lowest.shown))
    hidden = len(items) - len(known)
    if hidden:
        parts.append(_("{count} without a number.").format(count=number(hidden)))
    return " ".join(parts)[:300]


__all__ = ["Mark", "bars", "describe", "describe_lines", "dots", "grid", "lines", "marks", "share_bars", "share_words", "trend"]
