"""Pictures that explain themselves: title, period, source, release, link and the withheld note
stand inside the image.

vl-convert draws the chart without a browser or network; the words around it, and tables without a
chart, are set here.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

import pandas as pd
import vl_convert
from PIL import Image

from dashboard.figures.figure import Figure, View, seen
from dashboard.figures.theme import DARK, LIGHT
from dashboard.text.language import unmarked

WIDTH = 720
MARGIN = 24
INSIDE = WIDTH - 2 * MARGIN
"""Width of a chart in a picture, on a wide page and in a brief: the same, so that it is drawn once
for all."""
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
LETTER = 0.53
"""Width of an average letter in ems, on the safe side for Arial and fonts of its width."""
LINE = 1.35
MAX_ROWS = 40
SCALE = 3.0
"""PNG pixels for each unit: 2,160 wide, 7.2 inches in print at 300 dots per inch."""
KEPT = 64
"""Charts and pictures kept, so that one figure in several sizes, or on several pages, is made
once."""
_EDGES = re.compile(
    r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)" viewBox="([^"]+)"[^>]*>(.*)</svg>\s*$', re.S
)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Lines of at most `width` units, broken between words (a longer word is cut)."""
    room = max(4, int(width / (LETTER * size)))
    lines, line = [], ""
    for word in unmarked(text).split():
        while len(word) > room:
            lines += [line, word[:room]] if line else [word[:room]]
            line, word = "", word[room:]
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines or [""]


NARROWEST = 480
"""Below this width a chart has a phone's layout: labels above their marks."""


@lru_cache(maxsize=KEPT)
def _chart(view: View) -> str:
    """The figure's chart as Vega-Lite. Putting it together takes longer than drawing it."""
    assert view.figure.chart is not None
    return json.dumps(
        view.figure.chart(colours=view.colours, narrow=view.width < NARROWEST).to_dict(
            validate=False
        )
    )


@lru_cache(maxsize=KEPT)
def _drawn(specification: str) -> str:
    return str(vl_convert.vegalite_to_svg(specification))


def _specification(figure: Figure, width: int) -> dict[str, Any]:
    specification: dict[str, Any] = json.loads(
        _chart(seen(figure, LIGHT, NARROWEST if width >= NARROWEST else 0))
    )
    specification["background"] = None
    specification["autosize"] = {"type": "fit-x", "contains": "padding"}
    specification["width"] = width
    config = specification.setdefault("config", {})
    config["font"] = FONT
    config["axis"] = config.get("axis", {}) | {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": LIGHT.ink,
        "titleColor": LIGHT.ink,
        "gridColor": LIGHT.faint,
        "tickColor": LIGHT.outline,
        "domainColor": LIGHT.outline,
    }
    config["legend"] = config.get("legend", {}) | {"labelFontSize": 12, "labelColor": LIGHT.ink}
    return specification


def chart_svg(figure: Figure, width: int) -> str:
    """The bare chart as SVG, `width` units wide, on no ground of its own, in the light colours."""
    return _drawn(json.dumps(_specification(figure, width)))


def specification(figure: Figure, width: int) -> bytes:
    """The chart as Vega-Lite with its data, for other people's programs; marks tell their numbers
    on touch."""
    made = _specification(figure, width) | {"title": figure.title, "description": figure.alt}
    made["config"]["mark"] = {"tooltip": True, "aria": False}
    return (json.dumps(made, ensure_ascii=False) + "\n").encode("utf-8")


def vega_script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, as vl-convert brings them."""
    return str(vl_convert.javascript_bundle())  # type: ignore[call-arg]


def size_of(svg: str) -> tuple[int, int]:
    """Width and height of a drawn chart."""
    found = _EDGES.search(svg)
    assert found is not None, "vl-convert writes width, height and viewBox"
    return round(float(found[1])), round(float(found[2]))


def following_the_reader(svg: str) -> str:
    """The same picture with a rule for readers whose device is set to dark."""
    pairs = [
        (LIGHT.ink, DARK.ink),
        (LIGHT.quiet, DARK.quiet),
        (LIGHT.mark, DARK.mark),
        (LIGHT.accent, DARK.accent),
        (LIGHT.outline, DARK.outline),
        (LIGHT.background, DARK.background),
        (LIGHT.faint, DARK.faint),
        (LIGHT.track, DARK.track),
        (LIGHT.panel, DARK.panel),
        (LIGHT.on_pale, DARK.on_pale),
        (LIGHT.on_strong, DARK.on_strong),
        (LIGHT.park, DARK.park),
        (LIGHT.water, DARK.water),
        (LIGHT.road, DARK.road),
        (LIGHT.casing, DARK.casing),
        *zip(LIGHT.classes, DARK.classes, strict=True),
    ]
    rules = "".join(f'[fill="{a}"]{{fill:{b}}}[stroke="{a}"]{{stroke:{b}}}' for a, b in pairs)
    style = f"<style>@media(prefers-color-scheme:dark){{{rules}}}</style>"
    return svg.replace(">", f">{style}", 1)


def on_ground(svg: str) -> str:
    """The same picture on the light ground, where transparency will not do."""
    return svg.replace(">", f'><rect width="100%" height="100%" fill="{LIGHT.background}"/>', 1)


def framed_svg(figure: Figure, subtitle: str, foot: Sequence[str], more_rows: str) -> str:
    """The whole picture: title, subtitle, chart (or table), note and foot. `more_rows` says where
    the rest of a long table stands."""
    parts: list[str] = []
    y = float(MARGIN)

    def say(text: str, size: float, weight: str = "400", colour: str = LIGHT.ink) -> None:
        nonlocal y
        for line in wrapped(text, size, INSIDE):
            y += size * LINE
            parts.append(
                f'<text x="{MARGIN}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
                f' fill="{colour}">{escape(line)}</text>'
            )

    say(figure.title, 20, "700")
    y += 2
    say(subtitle, 13, colour=LIGHT.quiet)
    y += 12
    if figure.chart is not None:
        found = _EDGES.search(chart_svg(figure, INSIDE))
        assert found is not None, "vl-convert writes width, height and viewBox"
        width, height = float(found[1]), float(found[2])
        scale = min(1.0, INSIDE / width)
        parts.append(
            f'<svg x="{MARGIN}" y="{y:.1f}" width="{width * scale:.1f}"'
            f' height="{height * scale:.1f}" viewBox="{found[3]}">{found[4]}</svg>'
        )
        y += height * scale
    else:
        drawn, height = _table(figure.table.head(MAX_ROWS), INSIDE, y)
        parts += drawn
        y += height
        if len(figure.table) > MAX_ROWS:
            say(more_rows, 12, colour=LIGHT.quiet)
    y += 6
    for line in (figure.note, figure.credit, *foot):
        if line:
            say(_plain(line), 12, colour=LIGHT.quiet)
            y += 3
    height = y + MARGIN
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}" role="img"'
        f' aria-label="{escape(figure.alt)}" font-family="{FONT}">'
        f"<title>{escape(unmarked(figure.title))}</title><desc>{escape(figure.alt)}</desc>"
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="{LIGHT.background}"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _plain(markdown: str) -> str:
    """Markdown's stars and backslashes away."""
    return re.sub(r"\\(.)", r"\1", markdown.replace("**", ""))


def _table(frame: pd.DataFrame, width: float, top: float) -> tuple[list[str], float]:
    """Rows and columns as text; column widths follow the longest cells."""
    size, gap = 12.0, 10.0
    columns = [[str(name), *map(str, frame[name])] for name in frame.columns]
    wish = [
        min(280.0, max(len(cell) for cell in column) * LETTER * size) + gap for column in columns
    ]
    widths = wish
    if sum(wish) > width:
        # No column narrower than its longest word; what is left goes to those that wish for more.
        least = [
            max(len(word) for cell in column for word in cell.split() or [""]) * LETTER * size + gap
            for column in columns
        ]
        spare, wished = (
            max(0.0, width - sum(least)),
            sum(max(0.0, w - m) for w, m in zip(wish, least, strict=True)) or 1.0,
        )
        widths = [m + spare * max(0.0, w - m) / wished for w, m in zip(wish, least, strict=True)]
    parts: list[str] = []
    y = top
    for i in range(len(frame) + 1):
        cells = [
            wrapped(column[i], size, w - gap) for column, w in zip(columns, widths, strict=True)
        ]
        x = float(MARGIN)
        for lines, w in zip(cells, widths, strict=True):
            for n, line in enumerate(lines):
                parts.append(
                    f'<text x="{x:.1f}" y="{y + (n + 1) * size * LINE:.1f}" font-size="{size:g}"'
                    f' font-weight="{700 if i == 0 else 400}"'
                    f' fill="{LIGHT.ink}">{escape(line)}</text>'
                )
            x += w
        y += max(map(len, cells)) * size * LINE + 7
        parts.append(
            f'<path d="M{MARGIN} {y:.1f}h{sum(widths):.1f}" stroke="{LIGHT.outline}"'
            f' stroke-width="{1 if i == 0 else 0.4}"/>'
        )
    return parts, y - top + 6


def fitted(svg: str, x: float, y: float, width: float, height: float) -> str:
    """A drawn chart as a part of another picture: as large as the room allows, at the left."""
    found = _EDGES.search(svg)
    assert found is not None, "vl-convert writes width, height and viewBox"
    scale = min(width / float(found[1]), height / float(found[2]))
    size = f'width="{float(found[1]) * scale:.1f}" height="{float(found[2]) * scale:.1f}"'
    return f'<svg x="{x:.1f}" y="{y:.1f}" {size} viewBox="{found[3]}">{found[4]}</svg>'


def png(svg: str, scale: float = SCALE) -> bytes:
    """At print resolution, unless another `scale` is asked for."""
    return bytes(vl_convert.svg_to_png(svg, scale=scale))


COLOURS = 256
"""Of a picture for screens; a chart with its words has fewer."""


def small_png(svg: str) -> bytes:
    """At the size of its units, each pixel one of a few colours: an eighth of the bytes."""
    whole = Image.open(io.BytesIO(png(svg, scale=1.0))).convert("RGB")
    few = whole.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    made = io.BytesIO()
    few.save(made, "png")
    return made.getvalue()
