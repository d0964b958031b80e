"""Names of columns as words, and the fields that they may be: by the profiles of systems and by
patterns, both kept as data."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SURE, LIKELY = 0.95, 0.6
BY_SYSTEM = 0.98


@cache
def data(name: str) -> dict[str, Any]:
    """One of the tables in `data/`."""
    return tomllib.loads(
        (files("anonymize.draft") / "data" / f"{name}.toml").read_text(encoding="utf-8")
    )


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


@cache
def plain(name: str) -> str:
    """A column's name as words in small letters, parted by one blank, short forms written out:
    `Inc_No` is "incident number"."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", without_accents(name))
    words = re.findall(r"[a-z]+|[0-9]+", text.lower().replace("#", " number "))
    short = data("fields")["short"]
    written_out = (short.get(part, part) for word in words for part in _parts(word))
    return " ".join(part for part in written_out if part)


@cache
def _parts(word: str) -> tuple[str, ...]:
    """The words that a word is run together from; itself where it is none of these."""
    known = set(data("fields")["run_together"])
    if word in known or word in data("fields")["short"] or len(word) < 6:
        return (word,)
    for cut in range(len(word) - 2, 2, -1):
        if word[:cut] in known:
            rest = _parts(word[cut:]) if len(word) - cut >= 6 else (word[cut:],)
            if all(part in known for part in rest):
                return (word[:cut], *rest)
    return (word,)


@dataclass(frozen=True)
class System:
    """A system that wrote an export, by the names of its columns."""

    name: str
    columns: dict[str, list[str]]
    ignore: frozenset[str]
    note: str
    found: tuple[str, ...]
    finer: dict[str, str]


def systems_of(names: Sequence[str]) -> list[System]:
    """The systems whose tell-tale names are there, the one with most of them first."""
    there = {name.lower(): name for name in names}
    found = []
    for entry in data("systems")["system"]:
        seen = [there[name.lower()] for name in entry["tell_tale"] if name.lower() in there]
        if len(seen) >= entry.get("need", 2):
            columns = {
                field: [there[n.lower()] for n in listed if n.lower() in there]
                for field, listed in entry.get("columns", {}).items()
            }
            finer = {
                field: there[n.lower()]
                for field, n in entry.get("finer", {}).items()
                if n.lower() in there
            }
            ignore = frozenset(
                there[n.lower()] for n in entry.get("ignore", []) if n.lower() in there
            )
            found.append(
                System(entry["name"], columns, ignore, entry.get("note", ""), tuple(seen), finer)
            )
    return sorted(found, key=lambda system: -len(system.found))


@cache
def _patterns(field: str) -> dict[str, re.Pattern[str]]:
    entry = data("fields")[field]
    return {
        key: re.compile("|".join(f"(?:{p})" for p in entry[key]))
        for key in ("sure", "likely", "never")
        if entry.get(key)
    }


def fields() -> list[str]:
    return [name for name in data("fields") if name not in ("short", "run_together")]


def kind_of(field: str) -> str:
    return str(data("fields")[field]["kind"])


def by_name(field: str, column: str) -> float:
    """How surely a name means a field, from 0 to 1."""
    text, patterns = plain(column), _patterns(field)
    if never(field, column):
        return 0.0
    if patterns["sure"].fullmatch(text):
        return SURE
    return LIKELY if "likely" in patterns and patterns["likely"].fullmatch(text) else 0.0


def never(field: str, column: str) -> bool:
    """Does a name speak of something that a field is not?"""
    patterns = _patterns(field)
    return "never" in patterns and patterns["never"].fullmatch(plain(column)) is not None
