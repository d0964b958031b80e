"""What the values of a category mean: by lists of words, kept as data, in English and Spanish. What
is only likely is marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from anonymize.agency.schema import FLAG_FIELDS
from anonymize.draft.columns import Column
from anonymize.draft.names import data, without_accents
from anonymize.read.cleaning import normalise
from anonymize.read.key_patterns import is_number

MIN_ROWS = 3
"""Rows that a value must have to be written into the file: a rarer one may be a name or a note."""
MAX_OWN = 20
"""Values that a category may have as codes of its own, where its values stand for themselves."""
FEW_OPEN = 8
"""Where more values are known to no list, they are one decision together."""
MAX_LINES = 60


@dataclass(frozen=True)
class Meaning:
    """A value, its code ("" where nothing is known of it), its rows, and whether a person should
    look at it."""

    text: str
    code: str
    rows: int
    marked: bool = False
    why: str = ""


@dataclass(frozen=True)
class Code:
    code: str
    en: str
    es: str
    parent: str = ""
    marked: bool = False


@dataclass(frozen=True)
class Meanings:
    """`values`: those to be written, the most frequent first; `rest`: rows whose values are not;
    `sweep`: the code of all values not named ("" for none); `codes`: of a dimension of the agency's
    own (none where it is built in); `known`: share of the rows whose value a list knows.
    """

    field: str
    values: tuple[Meaning, ...]
    rest: int
    sweep: str
    codes: tuple[Code, ...]
    known: float
    bands: bool = False
    open: int = 0
    """Values that are not written, though they are not rare: no list knows them, and together they
    are one decision."""


@cache
def entry(field: str) -> dict[str, Any]:
    """The list of a field's codes."""
    if field in FLAG_FIELDS:
        return dict(data("values")["flag"])
    found = dict(data("values")[field])
    return {**data("values")[found["like"]], **found} if "like" in found else found


def fold(text: str) -> str:
    """A value for comparison: small letters without accents, outer signs off, blanks as one."""
    return without_accents(normalise(text)).strip(" .:;*'\"")


@cache
def _lists(field: str) -> list[tuple[str, frozenset[str], re.Pattern[str] | None, bool]]:
    found = []
    for code in entry(field)["codes"]:
        words = [without_accents(word) for word in code.get("words", [])]
        pattern = re.compile("|".join(f"(?:{word})" for word in words)) if words else None
        found.append(
            (
                code["code"],
                frozenset(fold(same) for same in code.get("same", [])),
                pattern,
                bool(code.get("marked")),
            )
        )
    return found


@cache
def _unknown() -> frozenset[str]:
    return frozenset(fold(word) for word in data("values")["unknown"])


def code_of(field: str, text: str) -> tuple[str, bool, str]:
    """The code of a value ("" where no list knows it), whether that is only likely, and why."""
    folded = fold(text)
    bare = re.sub(r"[^\w]+", " ", folded).strip()
    for code, same, _pattern, only_likely in _lists(field):
        if folded in same or bare in same or normalise(text) in same:
            return code, only_likely, "in the list"
    if folded in _unknown():
        return "unknown", False, "means that it is not known"
    if field == "priority" and (
        number := re.fullmatch(r"(?:p|pri|priority|prioridad|code)? ?([1-9][0-9]?)\b.*", bare)
    ):
        return f"p{number[1]}", False, "begins with its number"
    if field == "not_served_reason" and not bare:
        return "", False, ""
    found = [
        (code, pattern.search(folded) or pattern.search(bare.replace("_", " ")), marked)
        for code, _same, pattern, marked in _lists(field)
        if pattern
    ]
    hits = [(code, hit, marked) for code, hit, marked in found if hit]
    if not hits:
        return "", False, ""
    if field in PARTIES and (parties := _parties(field, folded)):
        return parties
    said = [one for one in hits if not _negated(one[1])]
    code, hit, marked = (said or hits)[0]
    negated = not said
    if negated and field in ("call_type", "initial_type"):
        return "", False, ""
    several = len({c for c, _h, _m in hits}) > 1
    return (
        code,
        marked or several or negated,
        f"holds '{hit[0]}'" + (", but other words too" if several or negated else ""),
    )


PARTIES = {
    "responder": (("police_only", "clinician_only"), "co_responder"),
    "led_by": (("officer", "clinician"), "together"),
}
"""Field -> two parties, and the code of both."""
_JOINED = re.compile(r"\s*(?:[,;/+&]|\band\b|\bwith\b|\by\b|\be\b|\bcon\b)\s*")


def _parties(field: str, text: str) -> tuple[str, bool, str] | None:
    """The meaning of a value that names several who came ("officer and social worker"); None where
    it names one. Each is asked of the lists by itself: a word that none knows may be anyone."""
    parts = [part for part in _JOINED.split(text) if part]
    if len(parts) < 2:
        return None
    codes = [code_of(field, part)[0] for part in parts]
    both, together = PARTIES[field]
    if together in codes or set(both) <= set(codes):
        return together, True, f"names {len(parts)} who came"
    known = [code for code in codes if code]
    return known[0] if known else "", True, f"names {len(parts)} who came"


def _negated(hit: re.Match[str]) -> bool:
    """Does a "not" stand before the words, or one word before them?"""
    return bool(re.search(r"\b(no|not|non|without|never)\W+(\w+\W+)?$", hit.string[: hit.start()]))


def share_known(field: str, column: Column) -> float:
    """Share of a column's rows whose value a list knows."""
    known = sum(n for text, n in column.values if code_of(field, text)[0] not in ("", "unknown"))
    return known / column.given if column.given else 0.0


_BAND = re.compile(
    r"(?:ages? )?(?:under|<|menos de|less than) ?=? ?[0-9]+|(?:ages? )?[0-9]+ ?(?:-|to|a|–|through)"
    r" ?[0-9]+|[0-9]+ ?(?:\+|and (?:over|older|above|up)|or (?:over|older|more)|y mas|o"
    r" mas)|(?:over|>|mas de) ?=? ?[0-9]+"
)


def meanings_of(field: str, columns: Sequence[Column]) -> Meanings:
    """What the values of a field's column mean (of several columns, of all their values)."""
    rows: dict[str, int] = {}
    for column in columns:
        for text, n in column.values:
            rows[text] = rows.get(text, 0) + n
    given = sum(column.given for column in columns)
    described = entry(field)
    if field == "age_group" and columns[0].numbers > 0.9 and columns[0].distinct > 8:
        return _numbers_in_bands(field, columns[0], described)
    values = [
        Meaning(text, code, n, marked, why)
        for text, n in rows.items()
        for code, marked, why in [code_of(field, text)]
    ]
    values.sort(key=lambda m: (-m.rows, m.text))
    known = sum(m.rows for m in values if m.code) / given if given else 0.0
    if described.get("builtin"):
        return _of_built_in(field, values, given, known)
    return _of_own_list(field, values, given, known, described)


def _numbers_in_bands(field: str, column: Column, described: dict[str, Any]) -> Meanings:
    bands = described["bands"]
    values = [Meaning(band, code, 0, False, "numbers in bands") for code, band in bands.items()]
    values += [
        Meaning(text, "unknown", n)
        for text, n in column.values
        if n >= MIN_ROWS and not is_number(text)
    ]
    low, high = 0.0, 120.0
    odd = (
        column.low < low
        or column.high > high
        or any(not re.fullmatch(r"[0-9]+", text) for text, _n in column.values)
    )
    codes = tuple(
        Code(c["code"], c["en"], c["es"]) for c in described["codes"] if c["code"] in bands
    )
    return Meanings(
        field, tuple(values), 0, "unknown" if odd else "", codes, column.numbers, bands=True
    )


def _of_built_in(field: str, values: Sequence[Meaning], given: int, known: float) -> Meanings:
    open_values = [m for m in values if not m.code and m.rows >= MIN_ROWS]
    few = len(open_values) <= FEW_OPEN + 4
    kept = [
        m if m.code else Meaning(m.text, "unknown", m.rows, True, "no list knows it")
        for m in values
        if m.rows >= MIN_ROWS and (m.code or few)
    ]
    kept = kept[:MAX_LINES]
    rest = given - sum(m.rows for m in kept)
    rare = [m for m in values if m.rows < MIN_ROWS and m.text not in {k.text for k in kept}]
    return Meanings(
        field,
        tuple(kept),
        rest,
        "unknown" if rest or rare else "",
        (),
        known,
        open=0 if few else len(open_values),
    )


def _of_own_list(
    field: str, values: Sequence[Meaning], given: int, known: float, described: dict[str, Any]
) -> Meanings:
    """Values of a category whose codes the agency file lists: those of the code list that occur,
    and own ones for values that no list knows."""
    listed = {c["code"]: c for c in described["codes"]}
    other = described.get("other")
    kept: list[Meaning] = []
    own: dict[str, Code] = {}
    open_values = [m for m in values if not m.code and m.rows >= MIN_ROWS]
    as_bands = field == "age_group" and all(
        _BAND.fullmatch(fold(m.text)) for m in values if m.code != "unknown" and m.rows >= MIN_ROWS
    )
    own_values = as_bands or bool(described.get("own"))
    takes_own = own_values or (not described.get("sweep") and len(open_values) <= FEW_OPEN)
    few = own_values or len(open_values) <= FEW_OPEN
    for m in [m for m in values if m.rows >= MIN_ROWS][: 3 * MAX_LINES]:
        if m.code and not (as_bands and m.code != "unknown"):
            kept.append(m)
        elif takes_own and len(own) < MAX_OWN:
            code = slug(m.text)
            own.setdefault(
                code,
                Code(
                    code,
                    _label(m.text),
                    _spanish(m.text) if as_bands else _label(m.text),
                    other["parent"] if other and other.get("parent") else "",
                    not as_bands,
                ),
            )
            kept.append(Meaning(m.text, code, m.rows, not as_bands, "a code of its own"))
        elif other and few and len(kept) < MAX_LINES:
            kept.append(
                Meaning(m.text, other["code"], m.rows, field != "language", "no list knows it")
            )
    rest = given - sum(m.rows for m in kept)
    sweep = (other["code"] if other else "unknown") if rest else ""
    used = {m.code for m in kept} | {sweep}
    codes = [
        Code(c["code"], c["en"], c["es"], c.get("parent", ""))
        for code, c in listed.items()
        if code in used
    ]
    if field == "priority":
        own |= {
            code: Code(code, f"Priority {code[1:]}", f"Prioridad {code[1:]}")
            for code in used - listed.keys() - own.keys()
            if re.fullmatch("p[0-9]+", code)
        }
    codes += (
        sorted(own.values(), key=lambda c: (len(c.code), c.code))
        if field == "priority"
        else list(own.values())
    )
    if other and other["code"] in used:
        codes.append(Code(other["code"], other["en"], other["es"], other.get("parent", "")))
    parents = [
        Code(p["code"], p["en"], p["es"])
        for p in described.get("parents", [])
        if any(c.parent == p["code"] for c in codes)
    ]
    return Meanings(
        field,
        tuple(kept),
        rest,
        sweep,
        (*parents, *codes),
        known,
        open=0 if few else len(open_values),
    )


def only(meanings: Meanings, texts: Sequence[str]) -> Meanings:
    """The meanings of these values alone; one that is new gets its code from the lists, or is
    another type, marked."""
    described, known = entry(meanings.field), {m.text: m for m in meanings.values}
    listed = [
        Code(c["code"], c["en"], c["es"], c.get("parent", ""))
        for c in (*described["codes"], described["other"])
    ]
    by_code = {code.code: code for code in (*listed, *meanings.codes)}

    def meaning(text: str) -> Meaning:
        code, marked, why = code_of(meanings.field, text)
        return (
            Meaning(text, code, 0, marked, why)
            if code in by_code
            else Meaning(text, described["other"]["code"], 0, True, "no list knows it")
        )

    values = tuple(known.get(text) or meaning(text) for text in texts)
    return replace(
        meanings,
        values=values,
        codes=tuple(
            by_code[code] for code in dict.fromkeys(m.code for m in values) if code in by_code
        ),
    )


def slug(text: str) -> str:
    """A code made of a value's own letters."""
    words = (
        re.sub(r"[^a-z0-9]+", "_", without_accents(text).lower().replace("+", " up "))
        .strip("_")[:40]
        .strip("_")
    )
    return f"{words}_" if words in ("all", "unknown") else words or "other"


def _label(text: str) -> str:
    words = " ".join(text.split()).strip("-–*. ") or text
    return (
        words[:1].upper() + words[1:].lower()
        if words.isupper() and len(words) > 4
        else words[:1].upper() + words[1:]
    )


def _spanish(band: str) -> str:
    text = re.sub(r"\bto\b|\bthrough\b", "a", band)
    text = re.sub(r"(and|or) (over|older|above|up|more)", "o más", text)
    return _label(re.sub(r"(?i)\bunder\b|less than", "menos de", text))
