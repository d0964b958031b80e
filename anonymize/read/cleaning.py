"""Texts as they are compared: outer blanks off, blanks and placeholders as nothing."""

from __future__ import annotations

from collections.abc import Sequence

from anonymize.read.sql import literal, quote

BLANKS = " \t\r\n\u00a0"
_ANY_BLANKS = (
    r"[\s\x0b\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}"
    r"\x{205f}\x{3000}]+"
)
"""All that Python takes for blanks; `\\s` of DuckDB knows those of ASCII alone, so that a key with
a no-break space in it would match no value."""


def normalise(value: str) -> str:
    """A source value for comparison without case: outer blanks off, inner runs of blanks as one.
    `folded` does the same in SQL."""
    return " ".join(value.split()).lower()


def cleaned(column: str, placeholders: Sequence[str], *, is_time: bool = False) -> str:
    """SQL: the value without outer blanks; NULL for blanks and placeholders.

    A placeholder date also matches when a midnight clock is written behind it.
    """
    text = quote(column)
    # Only a text with such a first or last character takes the slow way.
    odd = " OR ".join(
        [f"{text} < '!'", f"{text} > '~'", *(f"suffix({text}, '{blank}')" for blank in BLANKS)]
    )
    trimmed = f"nullif(CASE WHEN {odd} THEN trim({text}, '{BLANKS}') ELSE {text} END, '')"
    marks = [normalise(mark) for mark in placeholders]
    if not marks:
        return trimmed
    compared = f"lower({trimmed})"
    if is_time:
        compared = f"regexp_replace({compared}, '[ t]00:00(:00)?([.]0+)?$', '')"
    return (
        f"CASE WHEN {compared} IN ({', '.join(map(literal, marks))}) THEN NULL ELSE {trimmed} END"
    )


def folded(expression: str) -> str:
    """SQL: a cleaned text for comparison without case."""
    return f"lower({unified(expression)})"


def unified(expression: str) -> str:
    """SQL: a cleaned text for exact comparison: inner runs of blanks as one, letters composed
    (NFC)."""
    return f"trim(regexp_replace(nfc_normalize({expression}), '{_ANY_BLANKS}', ' ', 'g'))"
