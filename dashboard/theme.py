"""Colours and sizes in one place. Marks reach 3:1 and texts 4.5:1 on both backgrounds (tests compute it)."""

from __future__ import annotations

from dataclasses import dataclass

LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#12191b"


@dataclass(frozen=True)
class Palette:
    """`classes` runs from the lowest class to the highest, for maps; outlines tell them from the ground. `faint` is for grid lines, which carry no meaning."""

    background: str
    ink: str
    quiet: str
    mark: str
    accent: str
    outline: str
    faint: str
    link: str
    panel: str
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
    ("#e3f1f2", "#b4dade", "#78b9c1", "#3a919d", "#0b5c66"),
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
    ("#1f3539", "#2a5960", "#37808a", "#58aab5", "#a5dde3"),
)


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
