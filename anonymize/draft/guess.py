"""Which column is which field: by the profile of a system, by the column's name, and by what it
holds. Every guess has its reason; one that is not sure is marked for a person to decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from anonymize.agency.schema import CATEGORY_FIELDS, JOINT, TIME_FIELDS
from anonymize.draft.columns import NEARLY_ALL, TABLE, Column, Columns, order_of
from anonymize.draft.meanings import code_of, share_known
from anonymize.draft.names import (
    BY_SYSTEM,
    LIKELY,
    System,
    by_name,
    fields,
    kind_of,
    never,
    plain,
)
from anonymize.portrait.unusual import percent
from anonymize.read.sql import quote

CLOSE = 0.03
"""Two columns whose scores differ by less than this are equally likely."""
WRONG_ORDER = 0.1
"""Share of the rows in which a later time may lie before the call came in."""
MUCH = 0.04
"""Share of its rows by which lists must know a column better than the likeliest to be taken in its
place."""
FEWEST_IDS = 50
"""Rows of an export whose different texts may be ids."""
KNOWN = 0.5
"""Share of a column's rows whose value a list must know to make a likely name sure."""


@dataclass(frozen=True)
class Guess:
    """A field and its column; `reason` and `decide` (empty where nothing is open) are written
    next to it."""

    field: str
    column: str
    score: float
    reason: str
    decide: str = ""
    others: tuple[str, ...] = ()


@dataclass
class Guesses:
    """`fields`: what is read from which column; `yes_columns`: category -> its yes/no columns with
    their codes; `areas`: columns of areas."""

    fields: dict[str, Guess] = field(default_factory=dict)
    yes_columns: dict[str, dict[str, str]] = field(default_factory=dict)
    areas: tuple[Guess, ...] = ()
    systems: tuple[System, ...] = ()


def guess(db: duckdb.DuckDBPyConnection, columns: Columns, systems: Sequence[System]) -> Guesses:
    """The best column for each field; a column is read for one field only (but clocks and
    areas)."""
    ignored = {name for system in systems for name in system.ignore}
    usable = [c for c in columns.by_name.values() if c.name not in ignored and c.given]
    candidates = [
        one
        for name in fields()
        if name not in ("area", "point")
        for c in usable
        if (one := _candidate(name, c, columns, systems))
    ]
    made = Guesses(systems=tuple(systems))
    taken: set[str] = set()
    for one in sorted(candidates, key=lambda g: _order(g, columns, systems)):
        if one.field in made.fields or one.column in taken:
            continue
        rivals = [
            g
            for g in candidates
            if g.field == one.field
            and g.column != one.column
            and g.column not in taken
            and g.score > one.score - CLOSE
        ]
        if better := _better_known(one, candidates, taken, columns, systems):
            one, rivals = better, [one]
        made.fields[one.field] = _with_rivals(one, rivals, columns)
        taken.add(one.column)
    _any_id(made, usable, taken)
    _any_time(made, usable, taken)
    _by_values(made, usable, taken)
    _drop_what_does_not_go_together(made, columns)
    _check_order_of_times(db, made, columns)
    made.yes_columns = _yes_columns(made, [c for c in usable if c.is_flag])
    _points(made, usable)
    places = {guess.column for name, guess in made.fields.items() if name != "area"}
    made.areas = _areas(db, [c for c in usable if c.name not in places], systems)
    return made


def _candidate(
    name: str, column: Column, columns: Columns, systems: Sequence[System]
) -> Guess | None:
    """A field as what a column may be, or None."""
    if not _holds(kind_of(name), name, column, columns):
        return None
    system = next((s for s in systems if column.name in s.columns.get(name, ())), None)
    # A column that a profile names for another field is not this one.
    if system is None and any(
        column.name in listed
        for s in systems
        for other, listed in s.columns.items()
        if other != name
    ):
        return None
    if system:
        place = system.columns[name].index(column.name)
        return Guess(name, column.name, BY_SYSTEM - 0.04 * place, f"as in exports of {system.name}")
    score = by_name(name, column.name)
    if not score:
        return None
    reason = "by its name"
    if name in CATEGORY_FIELDS and kind_of(name) == "category":
        known = share_known(name, column)
        if known >= KNOWN:
            score, reason = (
                min(score + 0.2 if score < 0.9 else score + 0.02, 0.97),
                f"by its name; lists know {percent(known)} of its values",
            )
        elif score <= LIKELY and known < 0.1:
            score -= 0.1
        elif known < 0.1 and (
            better := next(
                (f for f in BY_VALUES if f != name and share_known(f, column) >= MOSTLY), None
            )
        ):
            return Guess(
                name,
                column.name,
                score - 0.4,
                f"by its name, though its values look like {_words(better)}",
            )
    if (
        "final" in plain(column.name)
        or "ending" in plain(column.name)
        or "closing" in plain(column.name)
    ):
        score += 0.01 if name in ("call_type", "outcome", "priority") else 0
    return Guess(name, column.name, score, reason)


def _better_known(
    one: Guess,
    candidates: Sequence[Guess],
    taken: set[str],
    columns: Columns,
    systems: Sequence[System],
) -> Guess | None:
    """Another column for a category, whose values lists know much better: the words that go with a
    column of codes. None where there is none."""
    if one.field not in CATEGORY_FIELDS or kind_of(one.field) != "category":
        return None
    if one.field == "responder":
        return None  # lists know few units, and yet a unit says more than its agency
    if any(one.column in system.columns.get(one.field, ()) for system in systems):
        return None
    known = share_known(one.field, columns[one.column])
    others = [
        (share, g)
        for g in candidates
        if g.field == one.field
        and g.column not in taken
        and g.column != one.column
        and columns[g.column].distinct > 1
        and (share := share_known(one.field, columns[g.column])) > known + MUCH
    ]
    if not others:
        return None
    share, best = max(others, key=lambda item: (round(item[0], 2), item[1].score))
    return Guess(
        best.field,
        best.column,
        one.score,
        f"lists know {percent(share)} of its values, and {percent(known)} of those of"
        f" '{one.column}'",
    )


_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9_/#-]{0,39}")


def _any_id(made: Guesses, usable: Sequence[Column], taken: set[str]) -> None:
    """Where no name speaks of an id, the first column whose short texts are all different; a person
    is asked."""
    if "call_id" in made.fields or "count" in made.fields:
        return
    for column in usable:
        if (
            column.name not in taken
            and column.rows >= FEWEST_IDS
            and column.given == column.rows == column.distinct
            and column.times is None
            and not column.points
            and not never("call_id", column.name)
            and not any(by_name(axis, column.name) for axis in ("lon", "lat"))
            and all(_ID.fullmatch(text) for text, _n in column.values)
        ):
            made.fields["call_id"] = Guess(
                "call_id",
                column.name,
                LIKELY,
                "its values are all different",
                "is this the number of a call?",
            )
            taken.add(column.name)
            return


def _any_time(made: Guesses, usable: Sequence[Column], taken: set[str]) -> None:
    """Where no name speaks of when a call came in, the first column of times that nothing else
    claims; a person is asked."""
    times = [
        c for c in usable if c.times and c.name not in taken and not never("received_at", c.name)
    ]
    if "received_at" not in made.fields and times:
        best = max(times, key=lambda c: bool(c.times and c.times.clock))
        made.fields["received_at"] = Guess(
            "received_at",
            best.name,
            LIKELY / 2,
            "the first column of times",
            "is this when the call came in?",
        )
        taken.add(best.name)


BY_VALUES = ("source", "responder", "outcome", "call_type")
MOSTLY = 0.8


def _by_values(made: Guesses, usable: Sequence[Column], taken: set[str]) -> None:
    """Fields that no name gives away, by what a column's values mean; a person is asked."""
    for name in BY_VALUES:
        if name in made.fields:
            continue
        fitting = [
            c
            for c in usable
            if c.name not in taken
            and c.distinct > 1
            and _holds("category", name, c, Columns(c.rows, 0, {}, ()))
            and not _never(name, c)
        ]
        best = max(fitting, key=lambda c: share_known(name, c), default=None)
        if best is not None and (share := share_known(name, best)) >= MOSTLY:
            made.fields[name] = Guess(
                name,
                best.name,
                LIKELY,
                f"by its values, of which lists know {percent(share)}",
                f"is this {_words(name)}?",
            )
            taken.add(best.name)


def _never(name: str, column: Column) -> bool:
    """Does a column's name speak of something else than calls?"""
    return "officer" in plain(column.name) or (
        name == "call_type" and by_name("initial_type", column.name) > 0
    )


def _holds(kind: str, name: str, column: Column, columns: Columns) -> bool:
    """Does a column hold what a field asks for?"""
    if kind == "id":
        return (
            column.is_id
            if name == "call_id"
            else column.distinct > 0.02 * column.given
            and column.longest <= 60
            and not column.times
            and not column.is_flag
        )
    if kind == "time":
        return column.times is not None or (
            name in TIME_FIELDS
            and (
                after_call(column) != ""
                or (column.clocks is not None and column.numbers < 0.5)
                or _clock_like_that_of_the_call(column, columns)
            )
        )
    if kind == "clock":
        return column.times is None and column.clocks is not None and column.distinct > 24
    if kind == "hour":
        return (
            column.whole > 0.99 and column.low >= 0 and column.high <= 23 and column.distinct <= 24
        )
    if kind == "month":
        return column.distinct <= 12 and column.times is None
    if kind == "flag":
        return column.is_flag
    if kind == "number":
        if name == "year":
            return column.whole > 0.99 and column.low >= 1990 and column.high <= 2100
        if name == "count":
            return column.whole > 0.98 and column.high < 1e6 and column.distinct > 1
        return column.numbers > 0.9
    if kind == "category":
        if name == "age_group" and column.numbers > 0.9:
            return column.high <= 130 or column.distinct < 200
        if column.distinct == 1 and column.rows > 1 and not share_known(name, column):
            return False  # what is the same in every row says nothing
        return (
            column.is_category
            and column.times is None
            and not (column.is_flag and column.distinct > 1)
            and not (name == "outcome" and column.clocks and column.numbers < 0.5)
        )
    return column.is_category


def _clock_like_that_of_the_call(column: Column, columns: Columns) -> bool:
    """Is a column of numbers (315 for 3:15) written as the clock of when the call came in is?"""
    return (
        column.clocks is not None
        and column.clocks[0] == "%H%M"
        and column.distinct > 24
        and any(
            other.name != column.name
            and other.clocks is not None
            and other.clocks[0] == "%H%M"
            and by_name("clock", other.name) > 0
            for other in columns.by_name.values()
        )
    )


def after_call(column: Column) -> str:
    """The format of a column that counts from when the call came in, by its name; empty for any
    other."""
    unit = plain(column.name).split(" ")[0]
    return (
        f"{unit}_after_call"
        if unit in ("seconds", "minutes") and column.numbers > NEARLY_ALL and column.times is None
        else ""
    )


def _order(one: Guess, columns: Columns, systems: Sequence[System]) -> tuple[object, ...]:
    """The best first: by score; of times those with a clock; then those with fewer blanks, in the
    order of the export."""
    column = columns[one.column]
    coarse = (
        not (column.times and column.times.clock)
        if one.field in ("received_at", *TIME_FIELDS)
        else False
    )
    repeats = -round(column.distinct / max(column.given, 1), 1) if one.field == "call_id" else 0
    return (
        -round(one.score, 2),
        coarse,
        repeats,
        column.blank > 0.5,
        list(columns.by_name).index(one.column),
        fields().index(one.field),
    )


def _with_rivals(one: Guess, rivals: Sequence[Guess], columns: Columns) -> Guess:
    others = tuple(g.column for g in rivals)
    decide = ""
    if kind_of(one.field) == "category" and columns[one.column].distinct == 1:
        decide = f"every row says the same; is this {_words(one.field)}?"
    elif one.score < 0.75:
        decide = f"is this {_words(one.field)}?"
    elif others:
        if one.field == "call_id" and all(
            columns[o].distinct < columns[one.column].distinct for o in others
        ):
            return one
        decide = f"or {' or '.join(repr(other) for other in others[:3])}?"
    return Guess(one.field, one.column, one.score, one.reason, decide, others)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _drop_what_does_not_go_together(made: Guesses, columns: Columns) -> None:
    """A count of calls where rows have an id of their own; one coordinate without the other."""
    if "call_id" in made.fields:
        made.fields.pop("count", None)
    if ("lon" in made.fields) != ("lat" in made.fields):
        made.fields.pop("lon", None)
        made.fields.pop("lat", None)
    received = made.fields.get("received_at")
    if received:
        times = columns[received.column].times
        if times and times.clock:
            for name in ("clock", "hour", "year", "month"):
                made.fields.pop(name, None)


def _check_order_of_times(db: duckdb.DuckDBPyConnection, made: Guesses, columns: Columns) -> None:
    """Marks a time that mostly lies before the call came in."""
    received = made.fields.get("received_at")
    if received is None or (came := columns[received.column].times) is None or not came.clock:
        return
    for name in TIME_FIELDS:
        one = made.fields.get(name)
        written = columns[one.column].times if one else None
        if one is None or written is None or not written.clock:
            continue
        both, wrong = order_of(
            db, (received.column, came), (one.column, written), columns.placeholders
        )
        if both and wrong > WRONG_ORDER * both:
            decide = (
                f"{percent(wrong, both)} of these lie before '{received.column}'; which is right?"
            )
            made.fields[name] = Guess(name, one.column, one.score, one.reason, decide, one.others)


_PRESENT = frozenset(
    (
        *("on", "scene", "present", "responded", "response", "dispatch", "assigned", "arrived"),
        *("attended", "involved", "came", "flag", "yn", "y", "n", "indicator", "unit", "team"),
        *("the", "was", "sent"),
    )
)
"""Other words in the name of a column that says who came."""


def _yes_columns(made: Guesses, flags: Sequence[Column]) -> dict[str, dict[str, str]]:
    """Categories that the export keeps in a yes/no column for each code. An officer's column and a
    clinician's say together that both came."""
    found = {}
    taken = {one.column for one in made.fields.values()}
    for name, fewest in (("outcome", 3), ("responder", 2)):
        if name in made.fields:
            continue
        meant = {}
        for column in flags:
            words = plain(column.name)
            code, _marked, _why = code_of(name, words)
            if code in ("", "unknown"):
                continue
            if name == "responder" and (
                column.name in taken or len(set(words.split()) - _PRESENT) > 2
            ):
                continue  # the column says something else of an officer than that one came
            meant[column.name] = code
        if name == "responder" and "co_responder" not in meant.values():
            pairs = [
                f"{officer}{JOINT}{clinician}"
                for officer, code in meant.items()
                if code == "police_only"
                for clinician, other in meant.items()
                if other == "clinician_only"
            ]
            meant |= dict.fromkeys(pairs, "co_responder")
        if len(set(meant.values())) >= fewest and (
            name != "responder" or "co_responder" in meant.values()
        ):
            found[name] = meant
    return found


def _points(made: Guesses, usable: Sequence[Column]) -> None:
    if "lon" in made.fields:
        return
    for column in usable:
        if column.points > 0.5 and (by_name("point", column.name) or column.points > 0.9):
            made.fields["point"] = Guess(
                "point", column.name, 0.95, f"{percent(column.points)} of its values are points"
            )
            return


def _areas(
    db: duckdb.DuckDBPyConnection, usable: Sequence[Column], systems: Sequence[System]
) -> tuple[Guess, ...]:
    """Columns of areas, the finest first; of two that say the same the one with shorter texts."""
    found = []
    for column in usable:
        if (
            not 2 <= column.distinct <= 400
            or column.longest > 60
            or column.times
            or column.is_flag
            or column.distinct > 0.5 * column.given
        ):
            continue
        if not all(any(c.isalnum() for c in text) for text, _n in column.values):
            continue
        system = next((s for s in systems if column.name in s.columns.get("area", ())), None)
        score = BY_SYSTEM if system else by_name("area", column.name)
        if score:
            reason = f"as in exports of {system.name}" if system else "by its name"
            found.append(
                (
                    column,
                    Guess(
                        "area",
                        column.name,
                        score,
                        reason,
                        "" if score > 0.9 else "is this an area of the agency?",
                    ),
                )
            )
    found.sort(key=lambda item: (-item[1].score, -item[0].distinct, item[0].longest))
    kept: list[tuple[Column, Guess]] = []
    for column, one in found:
        if not any(_same_areas(db, column, other) for other, _g in kept):
            kept.append((column, one))
    return tuple(one for _column, one in kept)


def _same_areas(db: duckdb.DuckDBPyConnection, one: Column, other: Column) -> bool:
    if one.distinct != other.distinct:
        return False
    pairs = db.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT {quote(one.name)}, {quote(other.name)} FROM {TABLE}"
        f" WHERE {quote(one.name)} IS NOT NULL)"
    ).fetchall()[0][0]
    return bool(pairs <= 1.1 * one.distinct + 2)
