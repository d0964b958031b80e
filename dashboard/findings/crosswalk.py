"""Fields and measures mapped to the standards of others: `crosswalk.csv`, which a person edits. One
row for each field of the calls and each measure; for each standard what is like it there and how
well it fits; and what the codes of a release cannot answer."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from dashboard.numbers.measures import measures
from dashboard.page.page import field_name
from dashboard.release.reader import PUBLISHED, ROOT, CountTable, Release
from dashboard.text.language import _, in_english, pick

FILE = Path(__file__).parent / "crosswalk.csv"
FIELD, MEASURE = "field", "measure"
STANDARDS = ("eido", "apco", "neris", "nemsis", "csg", "virginia", "harvard")
FITS = ("same", "partly", "none", "")
"""How well: the same thing; in part, or other words for it; the standard has nothing like it; not
checked."""


@dataclass(frozen=True)
class Row:
    """`found`: standard -> (what is like it there, as the standard names it; how well it fits)."""

    kind: str
    name: str
    found: Mapping[str, tuple[str, str]]
    note: Mapping[str, str]


@cache
def rows() -> tuple[Row, ...]:
    """The rows of the file, in its order."""
    with FILE.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Row(
                line["kind"],
                line["name"],
                {s: (line[s], line[f"{s}_fit"]) for s in STANDARDS},
                {"en": line["note_en"], "es": line["note_es"]},
            )
            for line in csv.DictReader(handle)
        )


def names_of(kind: str) -> tuple[str, ...]:
    return tuple(row.name for row in rows() if row.kind == kind)


def standards() -> dict[str, str]:
    """Each standard's short name, as a column's head."""
    names = {
        "eido": "NENA EIDO",
        "apco": "APCO",
        "neris": "NERIS",
        "nemsis": "NEMSIS",
        "csg": "CSG",
        "virginia": "Virginia",
        "harvard": "Harvard",
    }
    return {standard: in_english(name) for standard, name in names.items()}


def sources() -> dict[str, str]:
    """Of each standard: what it is, and what was read of it."""
    read = {
        "NENA EIDO": _(
            "How 911 centers pass on a call (standard 021 of the National Emergency Number"
            " Association). We read its names in open programs that use it, not in the document"
            " itself."
        ),
        "APCO": _(
            "Lists of call types (standard 2.103) and of how calls end (standard 1.111). We"
            " know what they list. We did not compare each code with ours."
        ),
        "NERIS": _(
            "What US fire departments report. We read a copy of its data dictionary (release"
            " 1.0.1)."
        ),
        "NEMSIS": _("What US ambulances report. We read its own list of elements (version 3.5)."),
        "CSG": _(
            "Figures that the Council of State Governments Justice Center names for response teams."
            " They are examples, so a gap in them means little."
        ),
        "Virginia": _(
            "What the yearly report on Virginia's Marcus alert system must hold (Code of Virginia,"
            " section 37.2-311.1)."
        ),
        "Harvard": _(
            "The 54 fields of the Harvard Government Performance Lab. We could not read them, so"
            " this column is empty."
        ),
    }
    return {in_english(name): words for name, words in read.items()}


def labels(release: Release, kind: str) -> dict[str, str]:
    """Field or measure -> its words."""
    if kind == MEASURE:
        return {m.name: m.plain for m in measures()}
    own = {
        "received_at": _("Time of the call"),
        "lon": _("Longitude (never published)"),
        "lat": _("Latitude (never published)"),
        "point": _("Place on the map (never published)"),
    }
    return {name: own.get(name) or field_name(release, name) for name in names_of(FIELD)}


def table(release: Release, kind: str) -> pd.DataFrame:
    """The rows of a kind in the reader's words."""
    words, heads = labels(release, kind), standards()
    what = _("Field") if kind == FIELD else _("Measure")
    return pd.DataFrame(
        [
            {
                what: f"{words[row.name]} ({in_english(row.name)})"
                if kind == FIELD
                else words[row.name],
                **{heads[s]: _said(*row.found[s]) for s in STANDARDS},
            }
            for row in rows()
            if row.kind == kind
        ]
    )


def notes(release: Release, kind: str) -> dict[str, str]:
    """Field or measure in words -> what to take care of, where there is anything."""
    words = labels(release, kind)
    return {
        words[row.name]: pick(row.note) for row in rows() if row.kind == kind and row.note["en"]
    }


def _said(element: str, fit: str) -> str:
    if not fit:
        return _("not checked")
    if fit == "none":
        return _("nothing like it")
    words = {"same": _("same"), "partly": _("in part")}[fit]
    return f"{in_english(element)} ({words})"


def data(kind: str) -> pd.DataFrame:
    """The rows of a kind as the file has them."""
    read = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    return read[read["kind"] == kind].reset_index(drop=True)


def missing_fields(release: Release) -> list[str]:
    """Fields that the release says nothing of, in words: neither a list of codes nor how often they
    are filled. Keys and coordinates, which no release tells of, are left out."""
    hidden = {"call_id", "person_key", "lon", "lat", "point", "received_at"}
    known = set(release.codelists) | set(release.package.get("completeness", {}))
    words = labels(release, FIELD)
    return [words[name] for name in names_of(FIELD) if name not in known and name not in hidden]


def unused_codes(release: Release) -> dict[str, list[str]]:
    """Field in words -> the codes of its list, in words, that no call of the release has: each
    table that counts by the code shows zero for it everywhere, and withholds nothing of it."""
    found: dict[str, list[str]] = {}
    words = labels(release, FIELD)
    for name in names_of(FIELD):
        codelist = release.codelists.get(name)
        tables = [t for t in release.tables.values() if name in t.levels]
        if codelist is None or name == "area" or not tables:
            continue
        empty = [
            pick(code.label)
            for code in codelist.codes.values()
            if code.code != ROOT
            and code.code.partition(".")[0] != "unknown"
            and _never([t for t in tables if code.level in t.levels[name]], name, code.code)
        ]
        if empty:
            found[words[name]] = empty
    return found


def _never(tables: Sequence[CountTable], dimension: str, code: str) -> bool:
    """Is the code in some table, and zero wherever it is?"""
    seen = False
    for one in tables:
        cells = one.cells[one.cells[dimension] == code]
        value, status = cells.iloc[:, len(one.levels)], cells.iloc[:, len(one.levels) + 1]
        if not ((status == PUBLISHED) & (value.astype(str) == "0")).all():
            return False
        seen = seen or len(cells) > 0
    return seen
