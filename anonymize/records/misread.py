"""A sentence about texts that are no times: their shape, never what they say, and a format that
would fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pandas as pd

from anonymize.agency.load import AgencyConfig
from anonymize.engine import Engine
from anonymize.engine.sources import Source
from anonymize.read.cleaning import cleaned
from anonymize.read.sql import literal
from anonymize.read.times import (
    BASES,
    CLOCK_HINTS,
    DAY_HINTS,
    HINTS,
    LETTERS,
    TimeColumn,
    Zone,
    before_letters,
    clock_seconds,
    describe,
    format_of,
    shape,
    standard_time,
    with_letters,
)
from anonymize.records.call_times import TimeSource, received_sources, zone_of

ANY = Zone("UTC", date(1950, 1, 1), date(2100, 1, 1))
IN_UTC = ("epoch", "epoch_ms")
FITS = 0.9
"""Share of the texts that a format must read to be suggested."""


def time_problem(
    engine: Engine,
    config: AgencyConfig,
    source: Source,
    where: str,
    column: TimeSource,
    misread: tuple[int, int] | None = None,
) -> str:
    """What is wrong with a column of times, and how to mend it; empty where every text of it can be
    read. `misread`: texts that are no time, texts given."""
    text = cleaned(column.column, config.file.calls.placeholders, is_time=True)
    wrong = (
        f"({column.reader.local('v')}) IS NULL"
        if not column.after_call
        else f"NOT regexp_full_match(v, '{column.reader.formats[0].pattern or '.*:.*'}')"
    )
    days = column.reader.days
    tests = {
        hint: (
            f"({TimeColumn((format_of(hint),), zone_of(config), days=days).local('v')}) IS NOT NULL"
        )
        for hint in (*HINTS, *(DAY_HINTS if days else ()))
    }
    shapes, fitting, total = _look(engine, source, text, wrong, tests)
    if not total:
        if misread and misread[0]:
            return (
                f"{config.path}: [{where}]: {misread[0]:,} of {misread[1]:,} values of the column"
                f" '{column.column}' are no usable time: a date without a clock, or one before 1950"
                " or after the release was made; name the column of the clock with 'clock', or map"
                " the values with 'placeholders'"
            )
        return ""
    counted = f"{misread[0]:,} of {misread[1]:,} values" if misread else f"{total:,} values"
    if not fitting and (cure := _wrong_letters(engine, source, text)):
        return f"{config.path}: [{where}]: {counted} of the column '{column.column}' {cure}"
    said = describe(shapes, fitting)
    if days and set(fitting) & set(DAY_HINTS):
        said += ", which takes the day as it is written, and takes no notice of the zone"
    elif days and not fitting and any(form.text in IN_UTC for form in column.reader.formats):
        said = (
            "they are midnight in UTC, which is another day here; export the days as text, such as"
            " 2025-03-31"
        )
    return (
        f"{config.path}: [{where}]: {counted} of the column '{column.column}' cannot be read as"
        f" times; {said}"
    )


def _wrong_letters(engine: Engine, source: Source, text: str) -> str:
    """What to write where texts would be times without a zone in letters that is not in force on
    their day; empty where there are none."""
    end = f"regexp_extract(v, {literal(LETTERS)})"
    fits = ", ".join(
        f"count(*) FILTER (WHERE ({TimeColumn((format_of(base),), ANY).local('b')}) IS NOT NULL)"
        f" AS f{i}"
        for i, base in enumerate(BASES)
    )
    query = (
        f"SELECT letters, blank, count(*) AS n, {fits} FROM (SELECT {end} AS letters,"
        f" {before_letters('v')} AS b, regexp_matches(v, ' [A-Z]+$') AS blank FROM"
        f" (SELECT {text} AS v FROM raw) WHERE v IS NOT NULL) GROUP BY ALL"
    )
    found = pd.concat([frame for (frame,) in engine.look(source, [query])])
    total, found = int(found["n"].sum()), found[found["letters"] != ""]
    passed = {base: int(found[f"f{i}"].sum()) for i, base in enumerate(BASES)}
    base = max(passed, key=lambda form: passed[form])
    if passed[base] < FITS * total:
        return ""
    kinds = found.groupby("letters")["n"].sum().sort_values(ascending=False, kind="stable")
    letters = [str(one) for one in kinds.index]
    forms = with_letters(base, letters, " " if bool(found["blank"].all()) else "")
    listed = ", ".join(f'"{form}"' for form in forms)
    return (
        f"end in a zone ({' or '.join(letters)}) that is not in force on their day; if they are the"
        f" clock on the wall, write format = {listed if len(forms) == 1 else f'[{listed}]'}; if"
        " they keep standard time all year, write with it timezone ="
        f' "{standard_time(letters)}"'
    )


def clock_problem(
    engine: Engine, config: AgencyConfig, source: Source, misread: tuple[int, int]
) -> str:
    """What is wrong with the clock, or the hour, of the calls, and how to mend it. `misread`: texts
    that are no time, texts given."""
    time, marks = config.file.calls.time, config.file.calls.placeholders
    column = time.clock or time.hour or ""
    if time.hour:
        return (
            f"{config.path}: [calls.time]: {misread[0]:,} of {misread[1]:,} calls have no hour from"
            f" 0 to 23 in the column '{column}'; name the right column, or write 'clock' where it"
            " holds a clock"
        )
    read = received_sources(config)[0]
    tests = {hint: f"({clock_seconds('v', (hint,))}) IS NOT NULL" for hint in CLOCK_HINTS}
    shapes, fitting, _ = _look(
        engine,
        source,
        cleaned(column, marks),
        f"({clock_seconds('v', read.spec.clock_format)}) IS NULL",
        tests,
    )
    return (
        f"{config.path}: [calls.time]: {misread[0]:,} of {misread[1]:,} values of the column"
        f" '{column}' cannot be read as clocks; {describe(shapes, fitting, clock=True)}"
    )


def _look(
    engine: Engine, source: Source, text: str, wrong: str, tests: dict[str, str]
) -> tuple[dict[str, int], Sequence[str], int]:
    """A look at the texts that are `wrong`: shape -> rows, the tests that most of them pass (the
    best first), and how many there are."""
    fits = ", ".join(
        f"count(*) FILTER (WHERE {sql}) AS f{i}" for i, sql in enumerate(tests.values())
    )
    query = (
        f"SELECT {shape('v')} AS shape, count(*) AS n, {fits} FROM (SELECT {text} AS v FROM raw)"
        f" WHERE v IS NOT NULL AND ({wrong}) GROUP BY ALL"
    )
    shapes: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for (frame,) in engine.look(source, [query]):
        for row in frame.to_dict("records"):
            shapes[str(row["shape"])] += int(row["n"])
            for i, name in enumerate(tests):
                passed[name] += int(row[f"f{i}"])
    total = sum(shapes.values())
    best = max(passed.values(), default=0)
    fitting = [name for name in tests if best and passed[name] == best >= FITS * total]
    return dict(shapes), fitting, total
