"""Keys of value maps and of `where` that stand for many texts: a prefix (`MH*`) or numbers in a
band (`0..17`, `65..`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from anonymize.read.cleaning import folded, normalise
from anonymize.read.sql import literal

ANY = "*"
"""Ends a prefix; alone it stands for every value."""
_BAND = re.compile(r"(-?[0-9]+(?:[.][0-9]+)?)?[.][.](-?[0-9]+(?:[.][0-9]+)?)?")
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")


def is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip()))


def is_prefix(key: str) -> bool:
    return key.endswith(ANY) and key != ANY


def band_of(key: str) -> tuple[float, float] | None:
    """The lowest and highest number of a band, both in it; None for a key that is no band."""
    found = _BAND.fullmatch(key.strip())
    if found is None or not any(found.groups()):
        return None
    low, high = found.groups()
    return float(low) if low else float("-inf"), float(high) if high else float("inf")


def fits(key: str, text: str) -> bool:
    """Is a text one of those that a prefix or a band stands for? Case and outer blanks do not
    count."""
    if is_prefix(key):
        return normalise(text).startswith(normalise(key.removesuffix(ANY)))
    band = band_of(key)
    return band is not None and is_number(text) and band[0] <= float(text) <= band[1]


def overlapping(keys: Mapping[str, str]) -> tuple[str, str] | None:
    """Two bands among the keys of a value map that share a number and have different codes."""
    bands = sorted(((band, key) for key in keys if (band := band_of(key))), key=lambda one: one[0])
    for i, ((_low, high), key) in enumerate(bands):
        for (low, _high), other in bands[i + 1 :]:
            if low <= high and keys[key] != keys[other]:
                return key, other
    return None


def code_of(patterns: Mapping[str, str], text: str) -> str | None:
    """The code of the longest key of `patterns` that the text fits, the first of several as
    long."""
    fitting = [key for key in patterns if fits(key, text)]
    return patterns[max(fitting, key=lambda key: len(key))] if fitting else None


def keeps(expression: str, values: Sequence[str]) -> str:
    """SQL: is a cleaned text one of `values`, or does it begin with one of their prefixes? Without
    case, false for a blank."""
    text = folded(expression)
    exact = [normalise(value) for value in values if not value.endswith(ANY)]
    tests = [f"{text} IN ({', '.join(map(literal, exact))})"] if exact else []
    tests += [
        f"starts_with({text}, {literal(normalise(value.removesuffix(ANY)))})"
        for value in values
        if value.endswith(ANY)
    ]
    return f"coalesce({' OR '.join(tests)}, false)"
