"""Colours and sizes in one place. Marks reach 3:1 and texts 4.5:1 on both backgrounds (tests
compute it)."""

from __future__ import annotations

from dataclasses import dataclass

LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#12191b"
BAR = "#0b5c66"
"""The ground of the bar on top of every page; its letters are white."""


@dataclass(frozen=True)
class Palette:
    """`classes` runs from the lowest class to the highest, for maps; outlines tell them from the
    ground. `faint` is for grid lines and `track` for the whole that a bar is a part of. `on_pale`
    and `on_strong` are letters on the classes, each a colour of its own so that a drawn picture can
    change over to the other palette. `park`, `water`, `road` and its edge `casing` are drawn over
    the classes, under all letters.
    """

    background: str
    ink: str
    quiet: str
    mark: str
    accent: str
    outline: str
    faint: str
    link: str
    panel: str
    ribbon: str
    track: str
    on_pale: str
    on_strong: str
    park: str
    water: str
    road: str
    casing: str
    classes: tuple[str, ...]


LIGHT = Palette(
    "#ffffff",
    "#1b2426",
    "#56646a",
    "#0f7a87",
    "#9a4a00",
    "#4d5a5e",
    "#dfe5e6",
    "#0b5c66",
    "#f1f5f5",
    "#fff6e5",
    "#e9eeef",
    "#1b2427",
    "#fefefe",
    "#b9d8a4",
    "#4f8fd0",
    "#5f6b70",
    "#fdfdfd",
    ("#e3f1f2", "#b4dade", "#78b9c1", "#2f7f8a", "#0b5c66"),
)
DARK = Palette(
    "#12191b",
    "#eef3f3",
    "#a9b7ba",
    "#45b3c0",
    "#f0a860",
    "#a9b7ba",
    "#2c383b",
    "#8fdbe2",
    "#1d282b",
    "#3a2f17",
    "#263235",
    "#eef3f4",
    "#12191c",
    "#3b6340",
    "#5b97dc",
    "#b3bfc2",
    "#11181b",
    ("#1f3539", "#285258", "#32707a", "#58aab5", "#a5dde3"),
)


STRONG = 3
"""The first class that takes letters `on_strong`."""


def ink_on(colours: Palette, rank: int | None) -> str:
    """The colour of letters on a class; on no class, the ordinary ink."""
    return colours.ink if rank is None else colours.on_strong if rank >= STRONG else colours.on_pale


def palette(dark: bool) -> Palette:
    return DARK if dark else LIGHT


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.1 (relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [c / 255 for c in rgb(colour)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
