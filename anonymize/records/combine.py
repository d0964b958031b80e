"""Several rows of one call made into one, by a rule for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonymize.agency.codelists import Codelist
from anonymize.agency.schema import FLAG_FIELDS, TIME_FIELDS, CallsSpec, Rule
from anonymize.engine import PLACE, Engine
from anonymize.read.sql import literal
from anonymize.records.call_times import RECEIVED

EVERY = "*"
"""In [calls.combine]: the rule of every field that has none of its own."""


def rule_of(spec: CallsSpec, name: str) -> Rule | None:
    return spec.combine.get(name, spec.combine.get(EVERY))


def count_differing(
    engine: Engine, names: Sequence[str], undecided: Mapping[str, str] | None = None
) -> tuple[int, dict[str, int]]:
    """How many calls have usable rows that differ in one of the columns `names` of `staged`, or of
    which one of `undecided` (column -> SQL over the rows of a call) holds: in all, and for each
    column. `repeats` holds the calls on several rows."""
    tests = {
        name: (f"count(DISTINCT s.{name}) + max(CASE WHEN s.{name} IS NULL THEN 1 ELSE 0 END) > 1")
        for name in names
    } | dict(undecided or {})
    if not tests:
        return 0, {}
    each = ", ".join(f"{sql} AS d{i}" for i, sql in enumerate(tests.values()))
    rows = (
        "SELECT {} FROM repeats AS r JOIN staged AS s ON s.call_id = r.call_id WHERE s.reason IS"
        " NULL OR s.reason = 'repeated' GROUP BY s.call_id"
    )
    counted = ", ".join(f"count(*) FILTER (WHERE d{i}) AS n{i}" for i in range(len(tests)))
    anything = " OR ".join(f"d{i}" for i in range(len(tests)))
    row = engine.ask(
        f"SELECT count(*) FILTER (WHERE {anything}) AS n, {counted} FROM ({rows.format(each)})"
    ).iloc[0]
    return int(row["n"]), {name: int(row[f"n{i}"]) for i, name in enumerate(tests) if row[f"n{i}"]}


def undecided_by_order(spec: CallsSpec, lists: Mapping[str, Codelist]) -> dict[str, str]:
    """For each field with an order of preference, SQL over the rows of a call: do their codes
    differ, with none of them in the order?"""
    found = {}
    for name, codelist in lists.items():
        rule = rule_of(spec, name)
        if name not in spec.columns or not isinstance(rule, tuple):
            continue
        given = f"CASE WHEN {_known(name, codelist)} THEN CAST(s.{name} AS VARCHAR) END"
        found[name] = (
            f"(count(DISTINCT {given}) > 1 AND count(CASE WHEN CAST(s.{name} AS VARCHAR) IN"
            f" ({', '.join(map(literal, rule))}) THEN 1 END) = 0)"
        )
    return found


def _known(name: str, codelist: Codelist) -> str:
    unknown = codelist.unknown_leaf
    return f"s.{name} <> {literal(unknown)}" if unknown else f"s.{name} IS NOT NULL"


def combine_rows(
    engine: Engine, spec: CallsSpec, lists: Mapping[str, Codelist], columns: Sequence[str]
) -> None:
    """Give the row of each call that is kept the values that the rules make of all its usable rows.
    `columns`: those of `staged`.

    Runs before anything is derived from the fields. Times bring their moments in UTC along.
    """
    values: dict[str, str] = {}
    for name in columns:
        rule = rule_of(spec, name)
        if rule is None or name == RECEIVED:
            continue
        if name in TIME_FIELDS or name == "person_key":
            values |= (
                _of_time(name, rule)
                if name in TIME_FIELDS
                else {name: _by_place(name, rule, f"s.{name} IS NOT NULL")}
            )
        elif name in lists:
            values[name] = _of_codes(name, rule, lists[name])
    if not values:
        return
    made = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    engine.make(
        "combined",
        f"SELECT s.call_id, {made} FROM repeats AS r JOIN staged AS s ON s.call_id = r.call_id"
        " WHERE s.reason IS NULL GROUP BY s.call_id",
    )
    listed = ", ".join(
        (
            f"CASE WHEN c.call_id IS NOT NULL THEN c.{name} ELSE s.{name} END AS {name}"
            if name in values
            else f"s.{name}"
        )
        for name in columns
    )
    engine.make(
        "staged",
        f"SELECT {listed} FROM staged AS s LEFT JOIN combined AS c ON c.call_id = s.call_id AND"
        " s.reason IS NULL",
    )


def _by_place(value: str, rule: Rule, known: str) -> str:
    pick = "arg_max" if rule == "last" else "arg_min"
    place = PLACE.replace("file_no", "s.file_no").replace("row_no", "s.row_no")
    return f"{pick}(s.{value}, {place}) FILTER (WHERE {known})"


def _of_time(name: str, rule: Rule) -> dict[str, str]:
    known = f"s.{name} IS NOT NULL"
    if rule in ("first", "last"):
        place = PLACE.replace("file_no", "s.file_no").replace("row_no", "s.row_no")
        pick = "arg_max_null" if rule == "last" else "arg_min_null"
        return {
            column: f"{pick}(s.{column}, {place}) FILTER (WHERE {known})"
            for column in (name, f"{name}_utc")
        }
    pick = "max" if rule == "latest" else "min"
    return {
        name: f"{pick}(s.{name})",
        f"{name}_utc": f"arg_{pick}_null(s.{name}_utc, s.{name}) FILTER (WHERE {known})",
    }


def _of_codes(name: str, rule: Rule, codelist: Codelist) -> str:
    unknown = codelist.unknown_leaf
    known = _known(name, codelist)
    if rule in ("first", "last"):
        made = _by_place(name, rule, known)
    elif name in FLAG_FIELDS and rule in ("any", "all"):
        order = ("yes", "no") if rule == "any" else ("no", "yes")
        made = (
            f"arg_min(s.{name}, CASE WHEN s.{name} = '{order[0]}' THEN 0 WHEN s.{name} ="
            f" '{order[1]}' THEN 1 ELSE 2 END)"
        )
    else:
        ranks = " ".join(f"WHEN {literal(code)} THEN {i}" for i, code in enumerate(rule))
        place = PLACE.replace("file_no", "s.file_no").replace("row_no", "s.row_no")
        # Of codes that the order does not hold, the first row's; how many calls have none of it is
        # counted (`undecided_by_order`).
        made = (
            f"arg_min(s.{name}, CASE CAST(s.{name} AS VARCHAR) {ranks} ELSE {len(rule)} + {place}"
            f" END) FILTER (WHERE {known})"
        )
    kind = ", ".join(map(literal, codelist.codes_at(codelist.finest)))
    return f"coalesce({made}, CAST({literal(unknown)} AS ENUM({kind})))" if unknown else made


def fields_without_rule(spec: CallsSpec, names: Sequence[str]) -> list[str]:
    """Of the fields, those for which [calls.combine] has no rule (all, where rows are not
    combined); `received_at` is the earliest unless a rule says otherwise."""
    if spec.repeated_rows != "combine":
        return list(names)
    return [name for name in names if rule_of(spec, name) is None and name != RECEIVED]
