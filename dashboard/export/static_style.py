"""The one style sheet of everything on paper: static edition and brief."""

from __future__ import annotations

from pathlib import Path

from dashboard.figures.theme import BAR, DARK, LIGHT, Palette

RULES = Path(__file__).parents[1] / "assets/paper.css"


def _tokens(colours: Palette) -> str:
    named = {
        "ground": colours.background,
        "ink": colours.ink,
        "quiet": colours.quiet,
        "mark": colours.mark,
        "line": colours.outline,
        "faint": colours.faint,
        "link": colours.link,
        "panel": colours.panel,
        "accent": colours.accent,
        "ribbon": colours.ribbon,
        "bar": BAR,
    }
    return "".join(f"--{name}: {colour}; " for name, colour in named.items())


def stylesheet() -> str:
    """One calm style for both settings of light, for phones first, and for print."""
    return (
        f":root {{ color-scheme: light dark; {_tokens(LIGHT)}}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(DARK)}}} }}\n"
        + RULES.read_text(encoding="utf-8")
    )
