"""A draft: everything that an agency file needs, found in the export. `write.py` turns it into
text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from anonymize.agency.schema import CATEGORY_FIELDS, FLAG_FIELDS, TIME_FIELDS
from anonymize.draft.columns import (
    TABLE,
    Column,
    Columns,
    Written,
    months_of,
    read_columns,
    readable,
    recount,
    span_of,
)
from anonymize.draft.exports import Export, look_at, together
from anonymize.draft.grid import Grid, grid_of
from anonymize.draft.guess import Guess, Guesses, guess
from anonymize.draft.meanings import MIN_ROWS, Meanings, code_of, meanings_of, slug
from anonymize.draft.names import System, by_name, fields, systems_of
from anonymize.draft.places import AreaDraft, Outlines, ZoneGuess, areas_of, outlines_of, zone_of
from anonymize.errors import SourceError
from anonymize.portrait.unusual import percent
from anonymize.read.cleaning import cleaned
from anonymize.read.key_patterns import keeps
from anonymize.read.sql import quote
from anonymize.records.program_inputs import INPUTS

HANDOFFS = ("call_id", "partner_type", "offered", "accepted", "connected_at")
COMPANIONS = (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".xml", ".qpj")
CRISIS_SHARE = 0.6
"""Where lists know the types of fewer of the rows than this, the export is taken to hold all
calls."""
FEW_TYPES = 6
OWN = 0.6
"""Share of a file's columns that must be fields of an input."""
LIMIT = 2.0
"""The reader's own limit of rows that cannot be used, in per cent."""


@dataclass(frozen=True)
class Kept:
    """Rows to keep: a column, its values, and why; `decide` where a person must say. `others`: the
    values of rows that are left out, the most frequent first, without rare ones."""

    column: str
    values: tuple[str, ...]
    reason: str
    decide: str
    others: tuple[str, ...] = ()


@dataclass
class Draft:
    """`outside`: rows on days far from all others; `inputs`: name -> file; `unused`: files that no
    section names; `repeats`: ids on several rows, and those of them whose rows differ; `limit`: of
    rejected rows, where the reader's own is too low.
    """

    export: Export
    columns: Columns
    guesses: Guesses
    zone: ZoneGuess
    first: date
    last: date
    outside: int
    today: date
    name: str
    kept: list[Kept] = field(default_factory=list)
    meanings: dict[str, Meanings] = field(default_factory=dict)
    areas: list[AreaDraft] = field(default_factory=list)
    grid: Grid | None = None
    """How the calls' points are written, where that is not degrees."""
    inputs: dict[str, Path] = field(default_factory=dict)
    unused: list[Path] = field(default_factory=list)
    repeats: tuple[int, int] = (0, 0)
    limit: float = 0.0
    finer: dict[str, str] = field(default_factory=dict)
    """Category -> a second column that says more, where lists know its value."""
    more_times: tuple[str, ...] = ()
    """Further columns of when the call came in, for rows in which the first is blank."""
    total: int = 0
    """Rows of the export, those that are left out too."""
    preview: bool = False
    agency: dict[str, str] = field(default_factory=dict)
    """What a person answered: `name`."""

    @property
    def received(self) -> tuple[Guess, Written] | None:
        one = self.guesses.fields.get("received_at")
        written = self.columns[one.column].times if one else None
        return (one, written) if one and written else None


@dataclass
class Beside:
    """The files next to the export of calls: outlines of areas, inputs by their names, and files
    that are of no use."""

    outlines: Sequence[Outlines]
    inputs: dict[str, Path] = field(default_factory=dict)
    unused: list[Path] = field(default_factory=list)


def compose(
    db: duckdb.DuckDBPyConnection, paths: Sequence[Path], folder: Path, today: date
) -> Draft:
    """Looks at all files and drafts. Raises SourceError for files that cannot be read, and where no
    file holds calls."""
    outlines: list[Outlines] = []
    exports: list[Export] = []
    problems: list[str] = []
    for path in paths:
        if path.suffix.lower() in COMPANIONS:
            continue
        if path.suffix.lower() in (".geojson", ".json", ".shp") and (found := outlines_of(path)):
            outlines.append(found)
            continue
        try:
            exports.append(look_at(path, folder))
        except SourceError as error:
            problems += error.problems
    if problems:
        raise SourceError(problems)
    beside = Beside(outlines)
    rest = []
    for export in exports:
        name = _input_of(export)
        if name and name not in beside.inputs and not export.options:
            beside.inputs[name] = export.paths[0]
        else:
            rest.append(export)
    groups = together(rest)
    if not groups:
        raise SourceError(["no file looks like calls; name the export of calls, such as calls.csv"])
    calls = max(groups, key=_looks_like_calls)
    beside.unused += [path for group in groups if group is not calls for path in group.paths]
    return _of_calls(db, calls, beside, paths, today)


def _input_of(export: Export) -> str | None:
    """The input other than calls whose fields a file has by their own names."""
    names = set(export.names)
    if names >= set(HANDOFFS):
        return "handoffs"
    fitting = []
    for name, one in INPUTS.items():
        mine = {f.name for f in one.fields}
        if {f.name for f in one.fields if f.required} <= names and len(names & mine) >= OWN * len(
            names
        ):
            fitting.append(name)
    return max(fitting, key=lambda name: sum(f.required for f in INPUTS[name].fields), default=None)


def _looks_like_calls(export: Export) -> tuple[int, int]:
    known = sum(any(by_name(name, column) > 0.9 for column in export.names) for name in fields())
    return known + 3 * len(systems_of(export.names)), sum(
        path.stat().st_size for path in export.paths
    )


def _of_calls(
    db: duckdb.DuckDBPyConnection,
    export: Export,
    beside: Beside,
    paths: Sequence[Path],
    today: date,
) -> Draft:
    columns = read_columns(db, export)
    if not columns.rows:
        raise SourceError([f"{export.paths[0]}: holds no rows; export it again"])
    systems, total = systems_of(export.names), columns.rows
    guesses = guess(db, columns, systems)
    kept = [*_without_totals(db, guesses, columns), *_kept(guesses, columns)]
    if kept:
        where = " AND ".join(
            keeps(cleaned(one.column, columns.placeholders), one.values) for one in kept
        )
        db.execute(f"DELETE FROM {TABLE} WHERE NOT ({where})")
        columns = recount(db, export, columns)
        again = guess(db, columns, systems)
        # Of the rows that are kept a column may hold too few values to be known; what was found in
        # all of them stays.
        guesses.fields |= {
            name: one
            for name, one in again.fields.items()
            if name in guesses.fields and guesses.fields[name].column == one.column
        }
        guesses.areas = again.areas
    zone = zone_of(db, guesses, columns, beside.outlines, paths)
    made = Draft(
        export,
        columns,
        guesses,
        zone,
        today,
        today,
        0,
        today,
        _name_of(export.paths),
        kept,
        inputs=beside.inputs,
        unused=beside.unused,
        total=total,
    )
    made.areas = areas_of(db, guesses, columns, beside.outlines)
    placed = next((area.outlines for area in made.areas if area.outlines and not area.column), None)
    if placed is None:
        for name in ("lon", "lat", "point"):
            guesses.fields.pop(name, None)
    elif {"lon", "point"} & guesses.fields.keys():
        made.grid = grid_of(db, guesses, columns.placeholders, placed.path)
    _times(db, made)
    for name, one in guesses.fields.items():
        if name in (*CATEGORY_FIELDS, *FLAG_FIELDS):
            read = [columns[one.column]]
            if finer := _finer(name, one, columns, systems):
                made.finer[name] = finer.name
                read.append(finer)
            made.meanings[name] = meanings_of(name, read)
    if "call_id" in guesses.fields:
        made.repeats = _repeats(db, guesses)
    made.limit = _limit(db, made)
    return made


def _finer(field: str, one: Guess, columns: Columns, systems: Sequence[System]) -> Column | None:
    """A system's second column of a category, with those of its values alone that lists know for
    sure; None where it says no more than the first."""
    name = next((system.finer[field] for system in systems if field in system.finer), "")
    if not name or one.column not in (
        n for system in systems for n in system.columns.get(field, ())
    ):
        return None
    column = columns[name]
    plain = {code_of(field, text)[0] for text, _n in columns[one.column].values}
    known = tuple(
        (text, n)
        for text, n in column.values
        for code, marked, _why in [code_of(field, text)]
        if n >= MIN_ROWS and code not in ("", "unknown", *plain) and not marked
    )
    return replace(column, values=known, given=sum(n for _text, n in known)) if known else None


def _name_of(paths: Sequence[Path]) -> str:
    """A short name for the agency: that of the first file, without what all exports are called."""
    stem = slug(paths[0].name.split(".")[0])
    words = [
        word
        for word in stem.split("_")
        if word
        not in (
            "export",
            "calls",
            "call",
            "data",
            "cfs",
            "cad",
            "incidents",
            "all",
            "part",
            "extract",
            "sample",
            "event",
            "events",
            "for",
            "from",
            "the",
            "service",
            "services",
            "serviced",
            "listing",
            "list",
            "log",
            "report",
            "reports",
            "llamadas",
            "incidentes",
            "eventos",
        )
        and word.isalpha()
        and len(word) > 2
    ]
    return "_".join(words[:3]) or "my_agency"


FEW_CELLS = 0.35
"""Share of the columns that a row of totals may fill."""
FEW_TOTALS = 0.05
"""Share of the rows that may be such."""


def _without_totals(
    db: duckdb.DuckDBPyConnection, guesses: Guesses, columns: Columns
) -> list[Kept]:
    """Leaves out rows that say not when, and next to nothing else: totals and remarks below a
    table."""
    one = guesses.fields.get("received_at")
    if one is None or columns[one.column].blank in (0.0, 1.0) or len(columns.by_name) < FEW_TYPES:
        return []
    marks = columns.placeholders
    filled = " + ".join(
        f"CAST(({cleaned(name, marks)}) IS NOT NULL AS INTEGER)" for name in columns.by_name
    )
    blank, nearly = db.execute(
        f"SELECT count(*), count(*) FILTER (WHERE filled <= {FEW_CELLS * len(columns.by_name)})"
        f" FROM (SELECT {filled} AS filled FROM {TABLE} WHERE ({cleaned(one.column, marks)}) IS"
        " NULL)"
    ).fetchall()[0]
    if not nearly or nearly < blank or nearly > FEW_TOTALS * columns.rows:
        return []
    return [Kept(one.column, ("*",), f"{nearly:,} rows say next to nothing, as totals do", "")]


def _kept(guesses: Guesses, columns: Columns) -> list[Kept]:
    """Rows to keep: those of one agency where an event repeats for each, those with an id, and
    crisis calls where the export holds all calls."""
    found = []
    agency = next((name for name in columns.by_name if name.upper() == "AG_ID"), None)
    if agency and 2 <= columns[agency].distinct <= 20:
        most = columns[agency].values[0][0]
        found.append(
            Kept(
                agency,
                (most,),
                "the event repeats for each agency; this one has most rows",
                "which agency's rows count?",
            )
        )
    one = guesses.fields.get("call_id")
    if one and columns[one.column].blank > 0.005:
        found.append(
            Kept(
                one.column,
                ("*",),
                f"{percent(columns[one.column].blank)} of the rows have no number",
                "is a row without one no call?",
            )
        )
    kind = guesses.fields.get("call_type")
    if kind is not None:
        column = columns[kind.column]
        crisis = [
            (text, n)
            for text, n in column.values
            if code_of("call_type", text)[0] not in ("", "unknown") and n >= MIN_ROWS
        ]
        share = sum(n for _t, n in crisis) / max(column.given, 1)
        sure = sum(n for text, n in crisis if not code_of("call_type", text)[1])
        if column.distinct >= FEW_TYPES and sure and sure < CRISIS_SHARE * column.given:
            texts = tuple(text for text, _n in crisis)
            found.append(
                Kept(
                    kind.column,
                    texts,
                    f"{len(crisis)} of {column.distinct} types, {percent(share)} of the rows, are"
                    " known as crisis calls",
                    "which types are eligible?",
                    tuple(text for text, n in column.values if text not in texts and n >= MIN_ROWS),
                )
            )
    return found


def _times(db: duckdb.DuckDBPyConnection, made: Draft) -> None:
    """First and last day, and further columns of when the call came in."""
    received = made.received
    if received is None:
        year, month = made.guesses.fields.get("year"), made.guesses.fields.get("month")
        years = made.columns[year.column] if year else None
        made.first, made.last = date(int(years.low) if years else made.today.year, 1, 1), made.today
        if years:
            made.last = min(date(int(years.high), 12, 31), made.today)
        if year and month:
            made.first, made.last = months_of(db, year.column, month.column) or (
                made.first,
                made.last,
            )
        else:
            made.guesses.fields.pop("year", None)
            made.guesses.fields.pop("month", None)
        for name in ("clock", "hour"):
            made.guesses.fields.pop(name, None)
        return
    one, written = received
    marks = made.columns.placeholders
    made.first, made.last, made.outside = span_of(db, one.column, written, marks)
    taken = {g.column for name, g in made.guesses.fields.items()}
    if made.columns[one.column].blank > 0.003 and "year" not in made.guesses.fields:
        others = [
            c
            for c in made.columns.by_name.values()
            if c.times
            and c.name not in taken
            and by_name("received_at", c.name)
            and c.times.formats == written.formats
        ]
        made.more_times = tuple(c.name for c in others if c.times)
        for name in made.more_times:
            more = made.columns[name].times
            assert more is not None
            first, last, _outside = span_of(db, name, more, marks)
            made.first, made.last = min(made.first, first), max(made.last, last)
    if not (
        "year" in made.guesses.fields
        and "month" in made.guesses.fields
        and made.columns[one.column].blank > 0.003
    ):
        made.guesses.fields.pop("year", None)
        made.guesses.fields.pop("month", None)
    made.last = min(made.last, made.today)


def _repeats(db: duckdb.DuckDBPyConnection, guesses: Guesses) -> tuple[int, int]:
    key = cleaned(guesses.fields["call_id"].column, ())
    read = [
        one.column
        for name, one in guesses.fields.items()
        if name in (*CATEGORY_FIELDS, *FLAG_FIELDS, *TIME_FIELDS, "received_at", "person_key")
    ]
    row = f"hash(row({', '.join(map(quote, read))}))" if read else "0"
    found = db.execute(
        f"SELECT count(*), count(*) FILTER (WHERE kinds > 1) FROM (SELECT count(DISTINCT {row}) AS"
        f" kinds FROM {TABLE} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1)"
    ).fetchall()[0]
    return int(found[0]), int(found[1])


def _limit(db: duckdb.DuckDBPyConnection, made: Draft) -> float:
    """Per cent of rejected rows, or of a column's texts that are no times, that must be allowed for
    the export to be read; 0 where the reader's own is enough."""
    worst = 100 * made.columns.malformed / max(made.columns.rows + made.columns.malformed, 1)
    received = made.received
    if received:
        lost = readable(
            db, [received[0].column, *made.more_times], received[1], made.columns.placeholders
        )
        plain = "year" in made.guesses.fields
        worst += 0 if plain else 100 * (1 - lost)
    for name in TIME_FIELDS:
        one = made.guesses.fields.get(name)
        written = made.columns[one.column].times if one else None
        if one and written:
            worst = max(
                worst,
                100
                * (
                    1
                    - readable(db, [one.column], written, made.columns.placeholders, of_given=True)
                ),
            )
    return float(math.ceil(worst + 1)) if worst > 0.9 * LIMIT else 0.0
