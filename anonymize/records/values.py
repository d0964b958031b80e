"""Categories, flags and areas: each text of the export as a code, by the agency file's value maps.

A text is compared exactly first (outer blanks off, inner runs of blanks as one), then without case
where that leaves one meaning only: codes that differ in case alone stay apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from unicodedata import normalize

import duckdb
import pandas as pd
import pyarrow as pa

from anonymize.agency.codelists import UNKNOWN, Codelist
from anonymize.agency.load import CATCH_ALL, AgencyConfig
from anonymize.agency.schema import CATEGORY_FIELDS, FLAG_FIELDS, JOINT, POINT_FIELDS
from anonymize.areas.systems import AreaSystem, Placing, place_texts
from anonymize.errors import MappingError
from anonymize.read.cleaning import cleaned, folded, normalise, unified
from anonymize.read.key_patterns import band_of, code_of, fits, is_prefix
from anonymize.read.sql import quote

YES = ("y", "yes", "true", "t", "1", "1.0")
NO = ("n", "no", "false", "f", "0", "0.0")
MARKED = ("x",)
"""How forms mark a yes in a column of its own, whose other rows are blank."""
MAX_VALUES_LISTED = 200
MAX_VALUE_LENGTH = 80
FEW_VALUES = 20
"""Up to this many values are listed even where most of them come once."""
COUNT = "rows of the export"
CODE = "code of the field"
"""Columns of tables of texts; no export has columns of such names."""

Texts = Mapping[tuple[str, ...], pd.DataFrame]
"""Columns -> every combination of their texts in the export, and its number of rows (COUNT)."""


@dataclass(frozen=True)
class ValueReport:
    """What became of a field's texts, for the private screen: `rows` of (text, code, number of
    rows), most frequent first (empty where the texts do not look like categories); `unmatched_keys`
    of the value map with the nearest text there is; `caught`: (text, rows) that "*" took;
    `disagreeing`: rows in which several columns name different codes; `placing`: of an area placed
    by points, rows by what became of theirs;
    `blank`: rows in which each of the field's columns is blank."""

    rows: tuple[tuple[str, str, int], ...] = ()
    unmatched_keys: tuple[tuple[str, str], ...] = ()
    caught: tuple[tuple[str, int], ...] = ()
    disagreeing: int = 0
    placing: Mapping[Placing, int] = field(default_factory=dict)
    blank: tuple[int, ...] = ()


@dataclass(frozen=True)
class FieldCodes:
    """One canonical field: the columns it is read from, and the table that gives each combination
    of their texts its code."""

    name: str
    columns: tuple[str, ...]
    codes: pd.DataFrame
    codelist: Codelist
    report: ValueReport = field(default_factory=ValueReport)


def columns_of_fields(
    config: AgencyConfig, areas: Mapping[str, AreaSystem]
) -> dict[str, tuple[str, ...]]:
    """Each category, flag and area field with its columns; area systems that have outlines and no
    column of their own with those of the point."""
    columns = config.file.calls.columns
    found = {
        name: tuple(given)
        for name, given in columns.items()
        if name in CATEGORY_FIELDS + FLAG_FIELDS or name in areas
    }
    if point := config.file.calls.point_columns:
        found |= {
            name: point
            for name, system in areas.items()
            if name not in columns and system.boundaries is not None
        }
    return found


def code_fields(
    db: duckdb.DuckDBPyConnection,
    config: AgencyConfig,
    areas: Mapping[str, AreaSystem],
    texts: Texts,
) -> list[FieldCodes]:
    """The code of every combination of texts, field by field. Raises MappingError with all that are
    not mapped."""
    problems: list[str] = []
    fields = []
    for name, columns in columns_of_fields(config, areas).items():
        if name in config.file.calls.yes_columns:
            fields.append(_yes_columns(config, name, texts[columns], problems))
        elif name in config.file.calls.columns:
            fields.append(_category(db, config, name, areas.get(name), texts[columns], problems))
        else:
            fields.append(_placed(config, name, areas[name], texts[columns]))
    if problems:
        raise MappingError(problems)
    return fields


def _meanings(
    config: AgencyConfig, name: str, codelist: Codelist, system: AreaSystem | None
) -> dict[str, str]:
    """Text -> code: codes stand for themselves, then the words of flags, then the agency's value
    map. Raises MappingError for a code that is none."""
    pairs: dict[str, str] = {}
    for node in codelist.nodes:
        if node.level == codelist.finest:
            pairs[node.code] = node.code
        elif system and config.file.areas[name].coarse_values and node.code != "all":
            leaf = f"{node.code}.{UNKNOWN}"
            pairs[node.code] = next(
                (
                    n.code
                    for n in codelist.nodes
                    if n.level == codelist.finest and n.code.startswith(leaf)
                ),
                node.code,
            )
    if name in FLAG_FIELDS:
        pairs |= dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no")
    for value, code in _value_map(config, name).items():
        target = codelist.unknown_leaf if code == UNKNOWN else code
        if target is None or target not in codelist.by_code:
            raise MappingError(
                [
                    f"{config.path}: [calls.values.{name}] maps to '{code}', which is not a code of"
                    f" '{name}'"
                ]
            )
        pairs[" ".join((system.clean(value) if system else value).split())] = target
    return {normalize("NFC", text): code for text, code in pairs.items()}


def _value_map(config: AgencyConfig, name: str) -> dict[str, str]:
    return {
        value: code
        for value, code in config.file.calls.values.get(name, {}).items()
        if value != CATCH_ALL
    }


def _without_case(pairs: Mapping[str, str]) -> dict[str, str]:
    """`pairs` (text -> code) for comparison without case: only texts that have one code whatever
    their case."""
    codes: dict[str, set[str]] = {}
    for text, code in pairs.items():
        codes.setdefault(normalise(text), set()).add(code)
    return {text: next(iter(found)) for text, found in codes.items() if len(found) == 1}


def _register(db: duckdb.DuckDBPyConnection, name: str, pairs: Mapping[str, str]) -> None:
    db.register(
        name,
        pa.table(
            {
                "key": pa.array(list(pairs), pa.string()),
                "code": pa.array(list(pairs.values()), pa.string()),
            }
        ),
    )


def _category(
    db: duckdb.DuckDBPyConnection,
    config: AgencyConfig,
    name: str,
    system: AreaSystem | None,
    texts: pd.DataFrame,
    problems: list[str],
) -> FieldCodes:
    """The codes of one category, flag or area field by its value map. Of several columns the first
    that is mapped counts; of a flag, yes before no."""
    codelist = system.codelist if system else config.codelists[name]
    columns = [str(column) for column in texts.columns if column != COUNT]
    pairs = _meanings(config, name, codelist, system)
    values = [cleaned(column, config.file.calls.placeholders) for column in columns]
    if system and system.strip_zeros:
        values = [
            f"coalesce(nullif(ltrim({v}, '0'), ''), CASE WHEN {v} IS NOT NULL THEN '0' END)"
            for v in values
        ]
    db.register(
        "texts",
        pa.table(
            {column: pa.array(texts[column], pa.string()) for column in columns}
            | {COUNT: pa.array(texts[COUNT], pa.int64())}
        ),
    )
    _register(db, "exact", pairs)
    _register(db, "loose", _without_case(pairs))
    listed = ", ".join(quote(column) for column in [*columns, COUNT])
    read = ", ".join(f"{value} AS {quote(f':v{i}')}" for i, value in enumerate(values))

    def text(i: int) -> str:
        return f"t.{quote(f':v{i}')}"

    joins = " ".join(
        f"LEFT JOIN exact AS e{i} ON e{i}.key = {unified(text(i))} LEFT JOIN loose AS l{i} ON"
        f" l{i}.key = {folded(text(i))}"
        for i in range(len(values))
    )
    meant_as = ", ".join(
        f"coalesce(e{i}.code, l{i}.code) AS {quote(f':m{i}')}" for i in range(len(values))
    )
    found = db.execute(
        f"SELECT t.*, {meant_as} FROM (SELECT {listed}, {read} FROM texts) AS t {joins} ORDER"
        " BY ALL"
    ).df()
    for registered in ("texts", "exact", "loose"):
        db.unregister(registered)
    given = [_objects(found[f":v{i}"]) for i in range(len(columns))]
    patterns = _patterns(config, name, codelist)
    meant = [
        _by_pattern(patterns, texts, _objects(found[f":m{i}"])) for i, texts in enumerate(given)
    ]
    said, code = _first_of(given), _first_of(meant)
    if name in FLAG_FIELDS and len(columns) > 1:
        code = code.mask(pd.concat([m == "yes" for m in meant], axis=1).any(axis=1), "yes")
    # Columns of an area often hold different levels of one tree.
    disagreeing = 0 if system else found[COUNT][pd.concat(meant, axis=1).nunique(axis=1) > 1].sum()
    unmapped = said.notna() & code.isna()
    catch_all = config.file.calls.values.get(name, {}).get(CATCH_ALL)
    caught: list[tuple[str, int]] = []
    if catch_all:
        caught = _counted(said[unmapped], found[COUNT][unmapped])
        code[unmapped] = codelist.unknown_leaf if catch_all == UNKNOWN else catch_all
    elif unmapped.any():
        problems.append(_unmapped(config, name, codelist, list(dict.fromkeys(said[unmapped]))))
    if codelist.unknown_leaf is not None:
        code = code.where(code.notna(), codelist.unknown_leaf)
    every = pd.concat([v.dropna() for v in given]) if given else pd.Series(dtype=object)
    report = ValueReport(
        _listed(said, code, found[COUNT]),
        _unmatched(config, name, system, every),
        tuple(caught),
        int(disagreeing),
        blank=tuple(int(found[COUNT][value.isna()].sum()) for value in given),
    )
    return FieldCodes(name, tuple(columns), found[columns].assign(**{CODE: code}), codelist, report)


def _patterns(config: AgencyConfig, name: str, codelist: Codelist) -> dict[str, str]:
    """The keys of the value map that stand for many texts, each with its code."""
    keys = {
        key: code
        for key, code in _value_map(config, name).items()
        if is_prefix(key) or band_of(key)
    }
    return {
        key: (codelist.unknown_leaf or code) if code == UNKNOWN else code
        for key, code in keys.items()
    }


def _by_pattern(patterns: Mapping[str, str], texts: pd.Series, codes: pd.Series) -> pd.Series:
    """The codes, and of texts without one what the prefixes and bands of the value map say."""
    open_texts = texts[texts.notna() & codes.isna()]
    if not patterns or open_texts.empty:
        return codes
    known = {text: code_of(patterns, text) for text in open_texts.unique()}
    return codes.where(~codes.index.isin(open_texts.index), texts.map(known))


def _yes_columns(
    config: AgencyConfig, name: str, texts: pd.DataFrame, problems: list[str]
) -> FieldCodes:
    """The codes of a category that the export keeps as a yes/no column for each code: the first
    column that says yes counts."""
    spec, codelist = config.file.calls, config.codelists[name]
    meanings, marks = spec.yes_columns[name], {"", *map(normalise, spec.placeholders)}
    columns = [str(column) for column in texts.columns if column != COUNT]
    said = {
        column: texts[column].map(lambda text: "" if text is None else normalise(text))
        for column in columns
    }
    said = {column: values.mask(values.isin(marks), "") for column, values in said.items()}
    for column, values in said.items():
        if odd := sorted(set(values) - {"", *YES, *NO, *MARKED}):
            shown = f", such as '{odd[0]}'" if _looks_like_categories(odd) else ""
            problems.append(
                f"{config.path}: [calls.yes_columns.{name}]: the column '{column}' holds {len(odd)}"
                f" value(s) that are neither yes nor no{shown}; name it in [calls.columns] with a"
                " value map, or another column"
            )
    yes = pd.DataFrame({column: values.isin((*YES, *MARKED)) for column, values in said.items()})
    unknown = codelist.unknown_leaf
    code = pd.Series(None, index=texts.index, dtype=object)
    if CATCH_ALL in meanings:
        answered = pd.concat([values.isin(NO) for values in said.values()], axis=1).any(axis=1)
        code = code.mask(answered, meanings[CATCH_ALL])
    keys = {key: yes[key.split(JOINT)].all(axis=1) for key in meanings if key != CATCH_ALL}
    for key in reversed(keys):
        code = code.mask(keys[key], meanings[key])
    code = code.map(lambda c: unknown if c in (None, UNKNOWN) or pd.isna(c) else c).astype(object)
    said_yes = pd.DataFrame(keys)
    first = said_yes.idxmax(axis=1).where(said_yes.any(axis=1), "")
    named = first.map(lambda key: len(str(key).split(JOINT)))
    rows = pd.DataFrame({"text": first, "code": code.where(code.notna(), ""), "n": texts[COUNT]})
    totals = (
        rows.groupby(["text", "code"], as_index=False)["n"]
        .sum()
        .sort_values(["n", "text"], ascending=[False, True], kind="stable")
    )
    report = ValueReport(
        tuple((str(r.text), str(r.code), int(r.n)) for r in totals.itertuples(index=False)),
        disagreeing=int(texts[COUNT][yes.sum(axis=1) > named].sum()),
        blank=tuple(int(texts[COUNT][values == ""].sum()) for values in said.values()),
    )
    return FieldCodes(name, tuple(columns), texts[columns].assign(**{CODE: code}), codelist, report)


def _objects(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), None)


def _first_of(columns: Sequence[pd.Series]) -> pd.Series:
    first = columns[0]
    for other in columns[1:]:
        first = first.where(first.notna(), other)
    return first


def _counted(texts: pd.Series, rows: pd.Series) -> list[tuple[str, int]]:
    """(text, rows), most frequent first; empty where the texts look like free text or keys, which
    no screen should show."""
    if not _may_be_listed(texts, rows):
        return []
    totals = rows.groupby(texts.to_numpy()).sum().sort_values(ascending=False, kind="stable")
    return [(str(text), int(n)) for text, n in totals.items()]


def _looks_like_categories(texts: Sequence[str]) -> bool:
    return len(texts) <= MAX_VALUES_LISTED and max(map(len, texts), default=0) <= MAX_VALUE_LENGTH


def _may_be_listed(texts: pd.Series, rows: pd.Series) -> bool:
    """Texts of a category come again and again; many of which most come once are notes, names or
    keys."""
    totals = rows.groupby(texts.to_numpy()).sum()
    return _looks_like_categories(texts.dropna().unique()) and (
        len(totals) <= FEW_VALUES or (totals == 1).mean() <= 0.5
    )


def _listed(said: pd.Series, code: pd.Series, rows: pd.Series) -> tuple[tuple[str, str, int], ...]:
    if not _may_be_listed(said, rows):
        return ()
    frame = pd.DataFrame(
        {"text": said.where(said.notna(), ""), "code": code.where(code.notna(), ""), "n": rows}
    )
    totals = (
        frame.groupby(["text", "code"], as_index=False)["n"]
        .sum()
        .sort_values(["n", "text"], ascending=[False, True], kind="stable")
    )
    return tuple((str(r.text), str(r.code), int(r.n)) for r in totals.itertuples(index=False))


def _unmatched(
    config: AgencyConfig, name: str, system: AreaSystem | None, texts: pd.Series
) -> tuple[tuple[str, str], ...]:
    """Keys of the value map that no text of the export is, each with the nearest text."""
    there = {normalise(str(text)): str(text) for text in texts.unique()}
    found = []
    for key in _value_map(config, name):
        wanted = normalise(system.clean(key) if system else key)
        if wanted not in there and not any(fits(key, text) for text in there.values()):
            near = (
                get_close_matches(wanted, list(there), n=1, cutoff=0.7)
                if _looks_like_categories(list(there))
                else []
            )
            found.append((key, there[near[0]] if near else ""))
    return tuple(found)


def _unmapped(config: AgencyConfig, name: str, codelist: Codelist, values: Sequence[str]) -> str:
    where = f"{config.path}: [calls.values.{name}]"
    if not _looks_like_categories(values):
        # Long or countless values look like free text or keys, which no message may show.
        return (
            f"{where}: the column holds too many or too long values that are not mapped; it does"
            f" not look like a category. Name another column, or map the rest with '{CATCH_ALL}' ="
            ' "unknown"'
        )
    listed = "\n".join(f'  "{value}" = ""' for value in values)
    codes = ", ".join(codelist.codes_at(codelist.finest)[:40])
    return (
        f"{where}: {len(values)} value(s) are not mapped; add each with one of the codes {codes}:\n"
        f"{listed}"
    )


def _placed(config: AgencyConfig, name: str, system: AreaSystem, texts: pd.DataFrame) -> FieldCodes:
    """An area field from points, for a system that has outlines but no column."""
    spec = config.file.calls
    columns = [str(column) for column in texts.columns if column != COUNT]
    where = (
        f"{config.path}: [calls.columns]"
        f" {' and '.join(repr(field) for field in POINT_FIELDS if field in spec.columns)}"
    )
    placed = place_texts(texts[columns], system, spec.placeholders, where, spec.point)
    rows = texts[COUNT].groupby(placed["placing"]).sum()
    report = ValueReport(placing={Placing(placing): int(n) for placing, n in rows.items()})
    return FieldCodes(
        name,
        tuple(columns),
        texts[columns].assign(**{CODE: placed["code"]}),
        system.codelist,
        report,
    )
