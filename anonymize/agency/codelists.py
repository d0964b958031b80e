"""The tree of each dimension: a root `all`, then levels from coarse to fine, every chain complete.

Whatever the records hold, the tree depends on the agency file (and its boundary file) alone, so
that the codes of a release tell nothing about single records. Lists that every agency has are in
`codelists.toml`, with their labels.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from babel.dates import format_date

from anonymize.agency.schema import FLAG_FIELDS, DimensionSpec, Model, Text, TimeSpec

ROOT = "all"
UNKNOWN = "unknown"
NOT_RECORDED = Text(en="Not recorded", es="Sin registro")


@dataclass(frozen=True)
class Node:
    code: str
    label: Text
    parent: str
    level: str


@dataclass(frozen=True)
class Codelist:
    """The codes of one dimension as a tree. `levels` starts with `all`; `nodes` holds the root
    first, each parent before its children."""

    dimension: str
    name: Text
    levels: tuple[str, ...]
    nodes: tuple[Node, ...]

    @cached_property
    def by_code(self) -> dict[str, Node]:
        return {node.code: node for node in self.nodes}

    def codes_at(self, level: str) -> tuple[str, ...]:
        return tuple(node.code for node in self.nodes if node.level == level)

    @property
    def finest(self) -> str:
        return self.levels[-1]

    def ancestors(self, level: str) -> dict[str, str]:
        """For each code at `level` or finer, the code above it (or itself) at `level`."""
        rank = {name: i for i, name in enumerate(self.levels)}
        found: dict[str, str] = {}
        for node in self.nodes:
            if node.level == level:
                found[node.code] = node.code
            elif rank[node.level] > rank[level]:
                found[node.code] = found[node.parent]
        return found

    @cached_property
    def unknown_leaf(self) -> str | None:
        """The finest code under the root's `unknown`, where the dimension has one."""
        if UNKNOWN not in self.by_code:
            return None
        below = self.ancestors(self.by_code[UNKNOWN].level)
        return next(c for c in self.codes_at(self.finest) if below[c] == UNKNOWN)


def _down(first: Node, levels: Iterable[str]) -> list[Node]:
    """`first`, and under it one node of the same name at each of the `levels` below: every chain is
    complete."""
    chain = [first]
    for level in levels:
        chain.append(Node(f"{first.code}.{level}", first.label, chain[-1].code, level))
    return chain


def with_unknown(
    dimension: str,
    name: Text,
    all_label: Text,
    levels: tuple[str, ...],
    nodes: Iterable[Node],
    *,
    unknown: bool,
) -> Codelist:
    """A codelist from `nodes` (without root); where `unknown`, its root has a child of that name,
    down to the finest level."""
    every = (ROOT, *levels)
    result = [Node(ROOT, all_label, "", ROOT), *nodes]
    if unknown:
        first, *below = levels
        result += _down(Node(UNKNOWN, NOT_RECORDED, ROOT, first), below)
    return Codelist(dimension, name, every, _by_level(result, every))


def _by_level(nodes: Iterable[Node], levels: Sequence[str]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: levels.index(node.level)))


def with_unknown_below_all(codelist: Codelist) -> Codelist:
    """The codelist with a child `CODE.unknown` for each code above the finest level, since values
    may name a coarse code alone."""
    every, result = codelist.levels, list(codelist.nodes)
    for node in codelist.nodes:
        if node.code in (ROOT, UNKNOWN) or node.code.startswith(f"{UNKNOWN}."):
            continue
        if node.level != codelist.finest:
            first, *below = every[every.index(node.level) + 1 :]
            result += _down(Node(f"{node.code}.{UNKNOWN}", NOT_RECORDED, node.code, first), below)
    return replace(codelist, nodes=_by_level(result, every))


def _nodes(spec: DimensionSpec) -> list[Node]:
    """The nodes that the agency file (or `codelists.toml`) lists, in its order. Raises KeyError
    when a parent is missing."""
    level_of: dict[str, str] = {}
    for code in spec.codes:
        level_of[code.code] = (
            spec.levels[0]
            if code.parent is None
            else spec.levels[spec.levels.index(level_of[code.parent]) + 1]
        )
    return [Node(c.code, c.label, c.parent or ROOT, level_of[c.code]) for c in spec.codes]


def from_spec(dimension: str, spec: DimensionSpec) -> Codelist:
    """The code list of a dimension that the agency file describes. Raises KeyError when a parent is
    missing; `agency.load` has checked that before."""
    return with_unknown(
        dimension, spec.name, spec.all, spec.levels, _nodes(spec), unknown=spec.unknown
    )


class _File(Model):
    """`codelists.toml`: the lists that every agency has, and the names of its yes-or-no fields."""

    dimensions: dict[str, DimensionSpec]
    yes_no: dict[str, Text]


@cache
def _file() -> _File:
    text = (Path(__file__).parent / "codelists.toml").read_text(encoding="utf-8")
    return _File.model_validate(tomllib.loads(text))


def listed(dimension: str, *, unknown: bool | None = None) -> Codelist:
    """A list of `codelists.toml`, each leaf brought down to the finest level. `unknown`: whether
    its root has a child of that name, where that follows from the calls and not from the file."""
    spec = _file().dimensions[dimension]
    parents = {code.parent for code in spec.codes}
    nodes = [
        below
        for node in _nodes(spec)
        for below in _down(
            node,
            () if node.code in parents else spec.levels[spec.levels.index(node.level) + 1 :],
        )
    ]
    unknown = spec.unknown if unknown is None else unknown
    return with_unknown(dimension, spec.name, spec.all, spec.levels, nodes, unknown=unknown)


YES_NO = {"yes": Text(en="Yes", es="Sí"), "no": Text(en="No", es="No")}


def flag(field: str) -> Codelist:
    """The list of a field that is yes or no."""
    nodes = [Node(code, label, ROOT, "answer") for code, label in YES_NO.items()]
    whole = _file().dimensions["outcome"].all
    return with_unknown(field, _file().yes_no[field], whole, ("answer",), nodes, unknown=True)


TAKEN_TO_ED = ("emergency_department", "involuntary_hold")
"""Ends of a call at an emergency room: a hold begins there too."""
WAIT_EDGES = (10, 20, 30, 60)
"""Minutes between the bands of `wait`."""
VISIT_DAYS = 30
"""A visit within that many days of the call is put down to the referral."""
FOLLOW_UP_DAYS = (30, 7, 1)
SEASONS = {
    "winter": (12, 1, 2),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "fall": (9, 10, 11),
}
"""Code -> months: the meteorological seasons of the northern half of the world."""
OF_TIME = ("season", "weekday")
"""Lists of the file that an agency has only where its calls have such times."""


def months_between(first: date, last: date) -> list[date]:
    """The first day of each month from `first` to `last`, both included."""
    found, day = [], first.replace(day=1)
    while day <= last:
        found.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return found


def period(data_from: date, data_to: date, *, has_months: bool) -> Codelist:
    """Years, quarters and months from `data_from` to `data_to`; only the root without months."""
    name, whole = Text(en="Period", es="Periodo"), Text(en="Whole period", es="Todo el periodo")
    if not has_months:
        return Codelist("period", name, (ROOT,), (Node(ROOT, whole, "", ROOT),))
    nodes: dict[str, Node] = {}
    for day in months_between(data_from, data_to):
        year, quarter, month = f"{day.year}", f"{day.year}-Q{(day.month + 2) // 3}", f"{day:%Y-%m}"
        n = (day.month + 2) // 3
        nodes.setdefault(year, Node(year, Text(en=year, es=year), ROOT, "year"))
        nodes.setdefault(
            quarter,
            Node(quarter, Text(en=f"Q{n} {day.year}", es=f"T{n} {day.year}"), year, "quarter"),
        )
        label = Text(
            en=format_date(day, "LLLL y", locale="en"),
            es=format_date(day, "LLLL 'de' y", locale="es"),
        )
        nodes[month] = Node(month, label, quarter, "month")
    return with_unknown(
        "period", name, whole, ("year", "quarter", "month"), nodes.values(), unknown=False
    )


def _clock_span(start: int, end: int) -> Text:
    """From one full hour to another, as people in the United States write times: "8 a.m. to noon",
    "8 a. m. a mediodía"."""

    def written(hour: int, am: str, pm: str, midnight: str, noon: str) -> tuple[str, str]:
        """The hour, and its half of the day (none where the word tells it)."""
        if hour % 24 == 0:
            return midnight, ""
        if hour == 12:
            return noon, ""
        return str(hour % 12), am if hour < 12 else pm

    def span(to: str, *words: str) -> str:
        (first, half), (last, other) = written(start, *words), written(end, *words)
        opening = first if half == other else f"{first} {half}".strip()
        return f"{opening} {to} {last} {other}".strip()

    return Text(
        en=span("to", "a.m.", "p.m.", "midnight", "noon"),
        es=span("a", "a. m.", "p. m.", "medianoche", "mediodía"),
    )


def fiscal_year(data_from: date, data_to: date, starts: int) -> Codelist:
    """Years of the agency's budget, from the month `starts` on, each called by the year in which it
    ends. A code says its first and last month (`2024-07_2025-06`), so that anyone can tell which
    months it holds."""
    nodes: dict[str, Node] = {}
    for day in months_between(data_from, data_to):
        first = date(day.year - (day.month < starts), starts, 1)
        last = date(first.year + 1, starts - 1, 1)
        en, es = (
            (f"{format_date(month, 'LLLL y', locale='en')}" for month in (first, last)),
            (format_date(month, "LLLL 'de' y", locale="es") for month in (first, last)),
        )
        label = Text(
            en=f"Fiscal year {last.year} ({' to '.join(en)})",
            es=f"Año fiscal {last.year} ({' a '.join(es)})",
        )
        code = f"{first:%Y-%m}_{last:%Y-%m}"
        nodes.setdefault(code, Node(code, label, ROOT, "fiscal_year"))
    name, whole = (
        Text(en="Fiscal year", es="Año fiscal"),
        Text(en="Whole period", es="Todo el periodo"),
    )
    return with_unknown("fiscal_year", name, whole, ("fiscal_year",), nodes.values(), unknown=False)


def fiscal_year_of(month: str, codes: Iterable[str]) -> str | None:
    """The fiscal year among `codes` that holds a month (`2024-09`)."""
    return next((code for code in codes if code[:7] <= month <= code[8:]), None)


def hour(*, unknown: bool) -> Codelist:
    """Hour of the day the call came in (00 to 23, local time), in blocks of four hours."""
    nodes = []
    for start in range(0, 24, 4):
        block = f"{start:02d}-{start + 3:02d}"
        nodes.append(Node(block, _clock_span(start, start + 4), ROOT, "block"))
        nodes += [
            Node(f"{h:02d}", _clock_span(h, h + 1), block, "hour") for h in range(start, start + 4)
        ]
    return with_unknown(
        "hour",
        Text(en="Hour of the day", es="Hora del día"),
        Text(en="All hours", es="Todas las horas"),
        ("block", "hour"),
        nodes,
        unknown=unknown,
    )


def built_in(
    time: TimeSpec, data_from: date, data_to: date, fiscal_year_starts: int | None = None
) -> dict[str, Codelist]:
    """The dimensions every agency has: time from the calls' time columns, flags, responder,
    outcome; fiscal years where it counts in them."""
    falls_back = bool(time.year)
    exact_day = bool(time.timestamp or time.date) and not falls_back
    lists = {
        field: flag(field) for field in (*FLAG_FIELDS, "officer_released", "on_duty", "taken_to_ed")
    }
    lists |= {name: listed(name) for name in _file().dimensions if name not in OF_TIME}
    lists["period"] = period(data_from, data_to, has_months=not time.period)
    if not time.period:
        lists["season"] = listed("season")
        if fiscal_year_starts:
            lists["fiscal_year"] = fiscal_year(data_from, data_to, fiscal_year_starts)
    if time.timestamp or time.date:
        lists["weekday"] = listed("weekday", unknown=not exact_day)
    if time.timestamp or time.clock or time.hour:
        # A date without a clock has an unknown hour.
        lists["hour"] = hour(unknown=time.blank_hour is None)
    return lists


@dataclass(frozen=True)
class Dimension:
    """One dimension of one table: the codelist and the levels published, `all` first."""

    codelist: Codelist
    levels: tuple[str, ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All published codes in codelist order, coarse levels first."""
        return tuple(code for level in self.levels for code in self.codelist.codes_at(level))

    @property
    def finest(self) -> str:
        return self.levels[-1]

    @cached_property
    def roll_up(self) -> npt.NDArray[np.int64]:
        """(codes, finest codes) 0/1: which finest codes each code holds."""
        leaves = self.codelist.codes_at(self.finest)
        position = {code: i for i, code in enumerate(leaves)}
        matrix = np.zeros((len(self.codes), len(leaves)), dtype=np.int64)
        row = 0
        for level in self.levels:
            above = self.codelist.ancestors(level)
            rows = {code: row + i for i, code in enumerate(self.codelist.codes_at(level))}
            for leaf in leaves:
                matrix[rows[above[leaf]], position[leaf]] = 1
            row += len(rows)
        return matrix
