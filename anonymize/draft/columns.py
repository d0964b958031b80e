"""What the columns of an export hold, in numbers: the kind of each, how often it is blank, how its
times are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import duckdb

from anonymize.draft.exports import Export
from anonymize.draft.names import data, plain
from anonymize.engine.sources import open_source
from anonymize.read.cleaning import cleaned, normalise
from anonymize.read.sql import literal, quote
from anonymize.read.times import (
    BASES,
    CLOCK_HINTS,
    HINTS,
    LETTERS,
    TimeColumn,
    Zone,
    before_letters,
    clock_seconds,
    format_of,
    formats_of,
    with_letters,
)
from anonymize.records.call_times import MONTHS

TABLE = "drafted"
SAMPLE, FEW = 3_000, 300
"""Different texts of a column that formats are tried on, and the few that sort out formats that
read none."""
MAX_FORMATS = 3
NEARLY_ALL = 0.99
LEAST = 0.8
"""Share of a column's texts that must be times for it to be a column of times."""
MAX_VALUES = 400
LONGEST_ID = 60
LONGEST_TIME = 45
"""Characters of a text that may be a time."""
MANY, SOME, OWN_TEXTS = 50_000, 20_000, 0.2
"""Of more rows, some are looked at in a column whose different texts are more than this share of
them."""
FITS = 0.95
FIRST_YEAR = 1990
ZONE = "America/Chicago"
"""Any zone will do to find how times are written."""


@dataclass(frozen=True)
class Written:
    """How a column of times is written: `formats` (none: ISO), the share of texts that they read,
    and whether month and day could be swapped.
    `exact`: the text says which moment is meant; `clock`: it holds a clock."""

    formats: tuple[str, ...]
    share: float
    swapped: str | None
    exact: bool
    clock: bool
    first: date
    last: date
    letters: tuple[str, ...] = ()
    """Zones at the end of the texts that are not in force on their days, and are not read."""


@dataclass(frozen=True)
class Column:
    """`given`: rows that are not blank; `distinct`: their different texts; `values`: (text, rows),
    the most frequent first; `longest`: of the texts. `numbers`, `whole`: share of texts that are
    numbers, whole numbers; `low`, `high`: of the numbers.
    """

    name: str
    rows: int
    given: int
    distinct: int
    values: tuple[tuple[str, int], ...]
    longest: int
    numbers: float
    whole: float
    low: float
    high: float
    points: float
    times: Written | None = None
    clocks: tuple[str, float] | None = None
    """A format of clocks ("" for the reader's own) and the share of texts that it reads."""

    @property
    def blank(self) -> float:
        return 1 - self.given / self.rows if self.rows else 1.0

    @property
    def is_category(self) -> bool:
        """Do its texts come again and again, so that they may be shown?"""
        return (
            1 <= self.distinct <= 250
            and self.longest <= 80
            and (self.distinct <= 20 or self.given >= 3 * self.distinct)
        )

    @property
    def is_id(self) -> bool:
        return (
            self.given > 0
            and self.distinct > 0.2 * self.given
            and self.longest <= LONGEST_ID
            and self.times is None
        )

    @property
    def is_flag(self) -> bool:
        words = set(flag_words())
        return 1 <= self.distinct <= 3 and all(normalise(text) in words for text, _n in self.values)


def flag_words() -> list[str]:
    return [word for entry in data("values")["flag"]["codes"] for word in entry["same"]]


@dataclass(frozen=True)
class Columns:
    """All columns of an export, by name. `rows`: records that were read; `placeholders`: texts that
    mean nothing, as the export spells them."""

    rows: int
    malformed: int
    by_name: dict[str, Column]
    placeholders: tuple[str, ...]
    parts: int = 1

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]


def read_columns(db: duckdb.DuckDBPyConnection, export: Export) -> Columns:
    """Reads the export with the exact reader into the table TABLE, and looks at each of its
    columns. Raises SourceError."""
    opened = open_source(db, export.spec(), export.paths[0].parent, export.names, TABLE)
    marks = _placeholders(db, export.names)
    found = _every_column(db, export.names, marks, opened.rows)
    return Columns(opened.rows, len(opened.malformed), found, marks, len(opened.files))


def recount(db: duckdb.DuckDBPyConnection, export: Export, before: Columns) -> Columns:
    """The columns again, of the rows that are left in TABLE."""
    ((rows,),) = db.execute(f"SELECT count(*) FROM {TABLE}").fetchall()
    # How times are written does not change with the rows that are left.
    again = {name: _counts(db, name, before.placeholders, rows) for name in export.names}
    found = {
        name: replace(
            one, times=before[name].times if one.given else None, clocks=before[name].clocks
        )
        for name, one in again.items()
    }
    return replace(before, rows=rows, by_name=found)


def _every_column(
    db: duckdb.DuckDBPyConnection, names: Sequence[str], marks: Sequence[str], rows: int
) -> dict[str, Column]:
    """The columns of an export are mostly written alike: what reads one is tried on the next before
    all else."""
    found: dict[str, Column] = {}
    seen: list[str] = []
    for name in names:
        found[name] = column = _column(db, name, marks, rows, seen)
        if column.times and len(column.times.formats) < 2:
            first = (column.times.formats or ("iso",))[0]
            seen = [first, *(form for form in seen if form != first)]
    return found


def _placeholders(db: duckdb.DuckDBPyConnection, names: Sequence[str]) -> tuple[str, ...]:
    """The texts of the list of blanks that the export holds, as they are written there."""
    marks = [normalise(mark) for mark in data("values")["blanks"]]
    wanted = ", ".join(
        literal(mark + midnight)
        for mark in marks
        for midnight in (_MIDNIGHTS if mark[:1].isdigit() else ("",))
    )
    found: dict[str, int] = {}
    for name in names:
        query = (
            f"SELECT {cleaned(name, ())} AS v, count(*) FROM {TABLE} WHERE length({quote(name)}) <="
            f" {LONGEST_TIME} AND lower(v) IN ({wanted}) GROUP BY 1"
        )
        for value, n in db.execute(query).fetchall():
            mark = re.sub(r"[ Tt]00:00(:00)?([.]0+)?$", "", value)
            found[mark] = found.get(mark, 0) + int(n)
    kept: dict[str, str] = {}
    for value in sorted(found, key=lambda v: (-found[v], v)):
        kept.setdefault(normalise(value), value)
    return tuple(kept.values())


_MIDNIGHTS = (
    "",
    *(f"{sign}00:00{seconds}" for sign in " t" for seconds in ("", ":00", ":00.000", ":00.000000")),
)
_NUMBER = "^[+-]?[0-9]+([.][0-9]*)?$"
_POINT = r"(?i)^point ?z? ?\(.*\)$|\( *[+-]?[0-9]+[.][0-9]+ *, *[+-]?[0-9]+[.][0-9]+ *\)\s*$"


def _counts(db: duckdb.DuckDBPyConnection, name: str, marks: Sequence[str], rows: int) -> Column:
    """A column but for its times. Its different texts are then in the table `texts`: all of them,
    or those of some rows where nearly every row has its own."""
    dated = any(mark[:1].isdigit() for mark in marks)
    text = cleaned(name, marks, is_time=dated)
    source = TABLE
    if rows > MANY and _about(db, name) > OWN_TEXTS * rows:
        source = f"(SELECT * FROM {TABLE} WHERE hash(rowid) % {rows // SOME} = 0)"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE texts AS SELECT {text} AS v, CAST(sum(n) AS BIGINT) AS n"
        f" FROM (SELECT {quote(name)}, count(*) AS n FROM {source} GROUP BY 1) GROUP BY 1"
    )
    db.execute("DELETE FROM texts WHERE v IS NULL")
    number = f"CASE WHEN regexp_matches(v, '{_NUMBER}') THEN CAST(v AS DOUBLE) END"
    row = db.execute(
        "SELECT coalesce(sum(n), 0), count(*), coalesce(max(length(v)), 0), coalesce(sum(n) FILTER"
        f" (WHERE regexp_matches(v, '{_NUMBER}')), 0), coalesce(sum(n) FILTER (WHERE"
        f" regexp_matches(v, '^[0-9]+([.]0+)?$')), 0), coalesce(min({number}), 0),"
        f" coalesce(max({number}), 0), coalesce(sum(n) FILTER (WHERE regexp_matches(v,"
        f" {literal(_POINT)})), 0) FROM texts"
    ).fetchall()[0]
    looked_at = int(row[0])
    ((may_be_times,),) = db.execute(
        f"SELECT coalesce(sum(n) FILTER (WHERE regexp_matches(v, {literal(_MAY_BE_TIME)}) AND"
        f" NOT regexp_matches(v, '^[0-9]+$')), 0) > 0.5 * coalesce(sum(n), 0) FROM texts"
    ).fetchall()
    given, distinct, longest = looked_at, int(row[1]), int(row[2])
    if source != TABLE:
        # Whether ids are all different must be known exactly; of long texts and times nobody asks.
        exact = longest <= LONGEST_ID and not may_be_times
        different = "count(DISTINCT v)" if exact else "approx_count_distinct(v)"
        given, distinct, longest = map(
            int,
            db.execute(
                f"SELECT count(v), {different}, coalesce(max(length(v)), 0) FROM (SELECT {text} AS"
                f" v FROM {TABLE})"
            ).fetchall()[0],
        )
        distinct = min(distinct, given)
    values = db.execute(f"SELECT v, n FROM texts ORDER BY n DESC, v LIMIT {MAX_VALUES}").fetchall()
    return Column(
        name,
        rows,
        given,
        distinct,
        tuple((str(v), int(n)) for v, n in values),
        longest,
        row[3] / looked_at if looked_at else 0.0,
        row[4] / looked_at if looked_at else 0.0,
        float(row[5]),
        float(row[6]),
        row[7] / looked_at if looked_at else 0.0,
    )


def _about(db: duckdb.DuckDBPyConnection, name: str) -> int:
    """About how many different texts a column holds."""
    return int(
        db.execute(f"SELECT approx_count_distinct({quote(name)}) FROM {TABLE}").fetchall()[0][0]
    )


def _column(
    db: duckdb.DuckDBPyConnection, name: str, marks: Sequence[str], rows: int, seen: Sequence[str]
) -> Column:
    column = _counts(db, name, marks, rows)
    if not column.given or column.longest > LONGEST_TIME:
        return column
    db.execute(
        "CREATE OR REPLACE TEMP TABLE sample AS SELECT v, n FROM texts ORDER BY hash(v), v LIMIT"
        f" {SAMPLE}"
    )
    times = _times(db, column, seen)
    if times and times.clock and times.first == times.last and column.distinct > 20:
        times = None  # a clock with one day before it, which means nothing
    return replace(
        column, times=times, clocks=None if times and times.clock else _clocks(db, column)
    )


def _reader(formats: Sequence[str]) -> TimeColumn:
    return TimeColumn(formats_of(formats), Zone(ZONE, date(2005, 1, 1), date(2030, 1, 1)))


def _plausible(formats: Sequence[str], text: str = "v") -> str:
    """SQL: do formats read a text as a time in the years of exports?"""
    local = _reader(formats).local(text)
    return (
        f"coalesce(({local}) BETWEEN TIMESTAMP '{FIRST_YEAR}-01-01 00:00:00' AND TIMESTAMP"
        f" '{date.today() + timedelta(days=400)} 00:00:00', false)"
    )


_MAY_BE_TIME = (
    r"[0-9]{1,4}[-/. ][0-9A-Za-z]{1,4}[-/."
    r" ,]|^[0-9]{8}|^[0-9]{10,14}([.]0+)?$|^[0-9]{5}([.][0-9]+)?$|^[A-Za-z]{3,9} [0-9]"
)


def _times(db: duckdb.DuckDBPyConnection, column: Column, seen: Sequence[str]) -> Written | None:
    """How times are written in the texts of `sample`, or None where they are no times."""
    total = int(db.execute("SELECT sum(n) FROM sample").fetchall()[0][0])
    may = int(
        db.execute(
            "SELECT coalesce(sum(n), 0) FROM sample WHERE regexp_matches(v,"
            f" {literal(_MAY_BE_TIME)})"
        ).fetchall()[0][0]
    )
    if may < 0.5 * total:
        return None
    named = re.search(r"\b(date|time|datetime|clock|at|on)\b", plain(column.name)) is not None
    forms = ["iso", *(hint for hint in HINTS if hint != "excel" or named)]
    if column.numbers > 0.9 and not named and column.high < 1e8:
        forms = []
    if not forms:
        return None
    counts = _fitting(db, [form for form in seen[:MAX_FORMATS] if form in forms], "sample")
    counts = {form: n for form, n in counts.items() if n >= NEARLY_ALL * total}
    if not counts:
        few = _fitting(db, forms, f"(SELECT * FROM sample LIMIT {FEW})")
        counts = _fitting(db, [form for form, n in few.items() if n], "sample")
    chosen: list[str] = []
    share = 0.0
    sums = counts
    while sums and len(chosen) < MAX_FORMATS:
        best = max(sums, key=lambda form: sums[form])
        if sums[best] < (0.5 if not chosen else 0.01) * total:
            break
        chosen.append(best)
        share += sums[best] / total
        if share > FITS * 1.04:
            break
        sums = _fitting(
            db,
            [form for form in counts if form not in chosen],
            f"(SELECT * FROM sample WHERE NOT {_plausible(chosen)})",
        )
    letters: tuple[str, ...] = ()
    if share < NEARLY_ALL:
        clocks_alone, letters, found = _without_letters(db, total)
        if letters and found > share + 0.005:
            chosen, share = list(clocks_alone), found
        else:
            letters = ()
    if not chosen or share < LEAST:
        return None
    first, swapped = chosen[0], None
    other = first.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
    if other != first and other in HINTS and counts.get(other, counts[first]) >= counts[first]:
        # Of two orders that read the sample, all texts of the column may tell.
        every = _fitting(db, [first, other], "texts")
        chosen[0] = first = first if every[first] >= every[other] else other
        swapped = other if every[first] == every[other] else None
    reader, formats = _reader(chosen), [format_of(form) for form in chosen]
    exact = "regexp_matches(v, '(Z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$') AND contains(v, ':')"
    local = reader.local("v")
    row = db.execute(
        f"SELECT min({local}), max({local}), sum(n) FILTER (WHERE {exact}), sum(n) FILTER (WHERE"
        f" {reader.clock_given('v')}), sum(n) FILTER (WHERE date_trunc('day', {local}) = {local})"
        f" FROM sample WHERE {_plausible(chosen)}"
    ).fetchall()[0]
    is_exact = not letters and (
        first in ("epoch", "epoch_ms") or (row[2] or 0) > 0.5 * total or "%z" in first.lower()
    )
    has_clock = (row[3] or 0) > 0.5 * total
    if has_clock and first != "excel" and not is_exact and all(form.clock for form in formats):
        has_clock = (row[4] or 0) < 0.95 * total
    return Written(
        () if chosen == ["iso"] else tuple(chosen),
        share,
        swapped,
        is_exact,
        has_clock,
        _day(row[0]),
        _day(row[1]),
        letters,
    )


def _without_letters(
    db: duckdb.DuckDBPyConnection, total: int
) -> tuple[tuple[str, ...], tuple[str, ...], float]:
    """Formats that read the texts of `sample` but for a zone in letters behind each, those letters,
    and the share of texts that are read so."""
    rows = db.execute(
        f"SELECT regexp_extract(v, {literal(LETTERS)}) AS l, CAST(sum(n) AS BIGINT),"
        f" bool_and(regexp_matches(v, ' [A-Z]+$')) FROM sample GROUP BY 1 HAVING l <> '' ORDER BY 2"
        " DESC, 1"
    ).fetchall()
    letters = tuple(str(row[0]) for row in rows)
    if not letters or sum(row[1] for row in rows) < LEAST * total:
        return (), (), 0.0
    before = before_letters("v")
    table = f"(SELECT {before} AS v, n FROM sample WHERE regexp_matches(v, {literal(LETTERS)}))"
    counts = _fitting(db, BASES, table)
    base = max(counts, key=lambda form: counts[form])
    forms = with_letters(base, letters, " " if all(row[2] for row in rows) else "")
    return forms, letters, counts[base] / total


def _fitting(db: duckdb.DuckDBPyConnection, forms: Sequence[str], table: str) -> dict[str, int]:
    """Format -> the rows of a table of texts that it reads."""
    if not forms:
        return {}
    sums = ", ".join(f"coalesce(sum(n) FILTER (WHERE {_plausible([form])}), 0)" for form in forms)
    return dict(
        zip(forms, map(int, db.execute(f"SELECT {sums} FROM {table}").fetchall()[0]), strict=True)
    )


def _day(moment: datetime) -> date:
    return moment.date()


def _clocks(db: duckdb.DuckDBPyConnection, column: Column) -> tuple[str, float] | None:
    """A format of clocks that reads the texts of `sample`."""
    if column.numbers > 0.9 and (column.high >= 2400 or column.whole < 0.99) and column.high < 1e5:
        return None
    total = int(db.execute("SELECT sum(n) FROM sample").fetchall()[0][0])
    forms = ("", *CLOCK_HINTS)
    sums = db.execute(
        "SELECT "
        + ", ".join(
            f"coalesce(sum(n) FILTER (WHERE ({clock_seconds('v', [f] if f else ())}) IS NOT"
            " NULL), 0)"
            for f in forms
        )
        + " FROM sample"
    ).fetchall()[0]
    best = max(range(len(forms)), key=lambda i: (int(sums[i]), -i))
    share = int(sums[best]) / total if total else 0.0
    return (forms[best], share) if share >= FITS else None


def span_of(
    db: duckdb.DuckDBPyConnection, name: str, written: Written, marks: Sequence[str]
) -> tuple[date, date, int]:
    """First and last day of a column of times, but for a few days far away from all others; and the
    rows on those."""
    local = _reader(written.formats or ("iso",)).local("v")
    text = cleaned(name, marks, is_time=True)
    days = db.execute(
        f"SELECT CAST({local} AS DATE) AS d, count(*) FROM (SELECT {text} AS v FROM {TABLE}) WHERE"
        f" ({local}) IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    days = [
        (day, n)
        for day, n in days
        if day.year >= FIRST_YEAR and day <= date.today() + timedelta(days=1)
    ]
    total, dropped = sum(n for _d, n in days), 0
    for side in (0, -1):
        for i in range(1, min(len(days), 200)):
            edge = days[i - 1 if side == 0 else -i]
            inner = days[i if side == 0 else -i - 1]
            lost = sum(n for _d, n in (days[:i] if side == 0 else days[-i:]))
            if abs((inner[0] - edge[0]).days) > 180 and lost <= max(0.002 * total, 1):
                dropped += lost
                days = days[i:] if side == 0 else days[:-i]
                break
    return days[0][0], days[-1][0], dropped


def months_of(db: duckdb.DuckDBPyConnection, year: str, month: str) -> tuple[date, date] | None:
    """First and last day of the months that two columns name; None where they name none."""
    cases = " ".join(
        f"WHEN lower(trim({quote(month)})) IN ({', '.join(map(literal, names))}) THEN {i}"
        for i, names in enumerate(MONTHS, 1)
    )
    number = f"CASE {cases} ELSE try_cast({quote(month)} AS INTEGER) END"
    made = f"make_date(try_cast({quote(year)} AS INTEGER), {number}, 1)"
    first, last = db.execute(
        f"SELECT min(m), last_day(max(m)) FROM (SELECT CASE WHEN {number} BETWEEN 1 AND 12 THEN"
        f" {made} END AS m FROM {TABLE})"
    ).fetchall()[0]
    return (first, last) if first else None


def readable(
    db: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    written: Written,
    marks: Sequence[str],
    *,
    of_given: bool = False,
) -> float:
    """Share of the rows (or of those in which a column is not blank) of which one of the columns
    can be read as a time."""
    reader = _reader(written.formats or ("iso",))
    texts = [cleaned(name, marks, is_time=True) for name in names]
    listed = ", ".join(f"{text} AS t{i}" for i, text in enumerate(texts))
    good = " OR ".join(f"({reader.local(f't{i}')}) IS NOT NULL" for i in range(len(names)))
    there = " OR ".join(f"t{i} IS NOT NULL" for i in range(len(names))) if of_given else "true"
    ((rows,),) = db.execute(f"SELECT count(*) FROM {TABLE}").fetchall()
    # Of very many rows one in some tells the share.
    some = f" WHERE hash(rowid) % {rows // (5 * SOME)} = 0" if rows > 10 * SOME else ""
    row = db.execute(
        f"SELECT count(*) FILTER (WHERE {good}), count(*) FILTER (WHERE {there}) FROM (SELECT"
        f" {listed} FROM {TABLE}{some})"
    ).fetchall()[0]
    return row[0] / row[1] if row[1] else 1.0


def order_of(
    db: duckdb.DuckDBPyConnection,
    first: tuple[str, Written],
    last: tuple[str, Written],
    marks: Sequence[str],
) -> tuple[int, int]:
    """Of some rows, those in which two columns are both times, and those of them in which the
    second lies before the first."""
    texts = ", ".join(
        f"{cleaned(name, marks, is_time=True)} AS t{i}"
        for i, (name, _written) in enumerate((first, last))
    )
    locals_ = ", ".join(
        f"{_reader(written.formats or ('iso',)).local(f't{i}')} AS l{i}"
        for i, (_name, written) in enumerate((first, last))
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE pairs AS SELECT {texts} FROM {TABLE} LIMIT {SAMPLE}")
    row = db.execute(
        "SELECT count(*) FILTER (WHERE l0 IS NOT NULL AND l1 IS NOT NULL), count(*) FILTER (WHERE"
        f" l1 < l0) FROM (SELECT {locals_} FROM pairs)"
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def hours_of(
    db: duckdb.DuckDBPyConnection, name: str, written: Written, marks: Sequence[str], zone: str
) -> list[int]:
    """Rows by hour of a column of times in a zone."""
    reader = TimeColumn(formats_of(written.formats), Zone(zone, date(2005, 1, 1), date(2030, 1, 1)))
    text = cleaned(name, marks, is_time=True)
    rows = db.execute(
        f"SELECT hour({reader.local('v')}) AS h, count(*) FROM (SELECT {text} AS v FROM {TABLE})"
        " GROUP BY 1"
    ).fetchall()
    found = {int(h): int(n) for h, n in rows if h is not None}
    return [found.get(hour, 0) for hour in range(24)]
