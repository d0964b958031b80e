"""A draft as the text of an agency file: every guess with its reason, every open decision as one
line that holds MARK."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from anonymize.agency.schema import (
    CATEGORY_FIELDS,
    FLAG_FIELDS,
    JOINT,
    KEY_FIELDS,
    POINT_FIELDS,
    TIME_FIELDS,
)
from anonymize.draft.columns import Column, Written
from anonymize.draft.compose import Draft
from anonymize.draft.guess import Guess, after_call
from anonymize.draft.meanings import Meaning, Meanings, entry
from anonymize.draft.places import AreaDraft
from anonymize.portrait.unusual import percent
from anonymize.read.cleaning import normalise
from anonymize.read.times import standard_time
from anonymize.records.values import NO, YES

ABOUT = (
    "Calls that co-response teams may answer.",
    "Llamadas que pueden atender los equipos de respuesta conjunta.",
)
MARK = "DECIDE:"
WHO_CAME = ("co_responder", "clinician_only", "police_only", "other")
"""Codes of the responder, that which counts before the others first."""
ORDER = (*KEY_FIELDS, *CATEGORY_FIELDS, *POINT_FIELDS, *TIME_FIELDS, *FLAG_FIELDS)


def text(value: str) -> str:
    """A TOML string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    return text(values[0]) if len(values) == 1 else f"[{', '.join(map(text, values))}]"


def _both(en: str, es: str) -> str:
    return f"{{ en = {text(en)}, es = {text(es)} }}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{text(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return _list(value)
    return str(value) if isinstance(value, int | float) else text(value)


def _line(setting: str, reason: str = "", decide: str = "") -> str:
    note = "; ".join(part for part in (f"{MARK} {decide}" if decide else "", reason) if part)
    return f"{setting}  # {note}" if note else setting


def agency_file(draft: Draft, place: Path) -> str:
    """The text of the file that is to lie at `place`."""
    parts = [
        _agency(draft),
        _release(draft),
        _calls(draft, place),
        _time(draft),
        _columns(draft),
        _point(draft),
        _times(draft),
        _yes_columns(draft),
        _values(draft),
    ]
    parts += [_inputs(draft, place), _dimensions(draft), _areas(draft, place)]
    sections = ["\n".join(lines) for part in parts if (lines := list(part))]
    return "\n\n".join(sections) + "\n"


def marks_in(written: str) -> list[tuple[int, str]]:
    """Line number and text of every open decision."""
    return [
        (n, line.partition(MARK)[2].strip())
        for n, line in enumerate(written.splitlines(), 1)
        if f"# {MARK}" in line
    ]


def _agency(draft: Draft) -> Iterator[str]:
    name, zone = draft.agency.get("name", ""), draft.zone
    yield (
        f"# Drafted from {', '.join(path.name for path in draft.export.paths)}. Each guess has its"
        f" reason behind it; lines with {MARK} want a person's answer."
    )
    for system in draft.guesses.systems:
        yield f"# Looks like an export of {system.name}" + (
            f": {system.note}" if system.note else ""
        )
    for path in draft.unused:
        yield f"# Not used: {path.name}"
    yield "[agency]"
    yield f"id = {text(draft.name)}"
    yield _line(
        f"name = {text(name or draft.name.replace('_', ' ').title())}",
        "",
        "" if name else "the agency's name, as the public knows it",
    )
    yield _line(
        f"place = {text(name or draft.name.replace('_', ' ').title())}", "", "the city or county"
    )
    yield f"country = {text(zone.country)}"
    yield _line(
        f"timezone = {text(zone.name)}",
        zone.reason,
        "" if zone.sure else "where do the calls come from?",
    )
    yield _line('publisher = "Not said yet"', "", "who answers for the data")
    yield _line('contact = "Not said yet"', "", "an address that readers can write to")
    yield 'licence = { name = "CC BY 4.0", url = "https://creativecommons.org/licenses/by/4.0/" }'
    yield _line(
        f"about = {_both(*ABOUT)}",
        "",
        "what these calls are, in a sentence",
    )


def _release(draft: Draft) -> Iterator[str]:
    yield "[release]"
    yield f'version = "{draft.today.year}.1"'
    yield f"created = {draft.today}"
    if draft.preview:
        yield _line("preview = true", "a look at guesses: this can never be published")
    outside = f"; {draft.outside} rows lie far outside" if draft.outside else ""
    if draft.received or "year" in draft.guesses.fields:
        unit = "day" if draft.received else "month"
        yield _line(f"data_from = {draft.first}", f"the first {unit} with a record")
        yield _line(f"data_to = {draft.last}", f"the last {unit} with a record{outside}")
    else:
        yield _line(f"data_from = {draft.first}", "", "no column says when; which period is this?")
        yield _line(f"data_to = {draft.last}", "", "and where does it end?")
    yield ""
    yield "[plan]"
    yield _line("apply = true", "tables that would withhold much are made coarser by themselves")


def _relative(path: Path, place: Path) -> str:
    resolved, folder = path.resolve(), place.resolve().parent
    return Path(os.path.relpath(resolved, folder)).as_posix()


def _calls(draft: Draft, place: Path) -> Iterator[str]:
    export, columns = draft.export, draft.columns
    yield "[calls]"
    yield _line(
        f"paths = {_list([_relative(path, place) for path in export.paths])}",
        f"{draft.total:,} rows" + (f", {columns.rows:,} of them kept" if draft.kept else ""),
    )
    for option, value in export.options.items():
        yield _line(f"{option} = {_value(value)}", export.reasons.get(option, ""))
    marks = [mark for mark in columns.placeholders if mark]
    if marks:
        yield _line(f"placeholders = [{', '.join(map(text, marks))}]", "values that mean nothing")
    if draft.limit:
        yield _line(
            f"reject_limit_percent = {draft.limit:g}",
            "",
            "so many rows (or times of a column) cannot be read; are they worth mending?",
        )
    if "count" in draft.guesses.fields:
        one = draft.guesses.fields["count"]
        yield _line(
            f"count = {text(one.column)}", one.reason, "does a row stand for so many calls?"
        )
    ids, differ = draft.repeats
    if ids and differ:
        yield _line(
            'repeated_rows = "combine"',
            "",
            f"{ids:,} ids stand on several rows, {differ:,} of which differ; is each id one call?",
        )
        yield from _combine(draft)
    elif ids:
        yield _line(
            'repeated_rows = "keep_first"', f"{ids:,} ids stand on several rows that say the same"
        )
    if draft.kept:
        yield ""
        yield "[calls.where]"
        for kept in draft.kept:
            yield _line(f"{text(kept.column)} = {_list(kept.values)}", kept.reason, kept.decide)


def _combine(draft: Draft) -> Iterator[str]:
    yield ""
    yield "[calls.combine]"
    yield '"*" = "first"'
    rules = {
        "dispatched_at": "earliest",
        "arrived_at": "earliest",
        "cleared_at": "latest",
        "officer_cleared_at": "latest",
    }
    for name, rule in rules.items():
        if name in draft.guesses.fields:
            yield f'{name} = "{rule}"'
    for name in draft.guesses.fields:
        if name in FLAG_FIELDS:
            yield f'{name} = "any"'
    if "responder" in draft.guesses.fields:
        yield f"responder = {_list(WHO_CAME)}"


def _time(draft: Draft) -> Iterator[str]:
    yield "[calls.time]"
    received, found = draft.received, draft.guesses.fields
    if received is None:
        if "year" in found:
            for name in ("year", "month"):
                yield _line(
                    f"{name} = {text(found[name].column)}", found[name].reason, found[name].decide
                )
        else:
            yield _line("period = true", "", "no column says when a call came in")
        return
    one, written = received
    reason = f"{one.reason}; {percent(written.share)} of its values are times"
    columns = _list([one.column, *draft.more_times])
    if written.clock:
        yield _line(f"timestamp = {columns}", reason, one.decide)
    else:
        yield _line(f"date = {columns}", reason, one.decide)
    if written.formats:
        yield _line(f"format = {_list(written.formats)}", "", _doubt(written))
    if written.clock and draft.zone.clock and not written.exact:
        yield _line(
            f"timezone = {text(draft.zone.clock)}",
            draft.zone.clock_reason,
            "are these clocks in UTC?",
        )
    if not written.clock and "clock" in found:
        clock = draft.columns[found["clock"].column].clocks
        yield _line(
            f"clock = {text(found['clock'].column)}",
            f"{found['clock'].reason}; {percent(clock[1] if clock else 0)} of its values are"
            " clocks",
            found["clock"].decide,
        )
        if clock and clock[0]:
            yield f"clock_format = {text(clock[0])}"
    elif not written.clock and "hour" in found:
        yield from _hour(draft, found["hour"])
    if "year" in found and "month" in found:
        yield _line(f"year = {text(found['year'].column)}", "for rows without a date")
        yield f"month = {text(found['month'].column)}"


def _hour(draft: Draft, one: Guess) -> Iterator[str]:
    column = draft.columns[one.column]
    yield _line(f"hour = {text(one.column)}", one.reason, one.decide)
    if column.blank > 0.005 and column.low > 0:
        yield _line(
            "blank_hour = 0",
            f"no row has hour 0, and {percent(column.blank)} are blank",
            "is midnight left blank?",
        )


def _columns(draft: Draft) -> Iterator[str]:
    found = {name: one for name, one in draft.guesses.fields.items() if name in ORDER}
    placed = [area for area in draft.areas if area.column]
    if not found and not placed:
        return
    yield "[calls.columns]"
    for name in sorted(found, key=ORDER.index):
        one = found[name]
        meanings = draft.meanings.get(name)
        reason = one.reason
        if (
            meanings
            and "lists know" not in reason
            and name in CATEGORY_FIELDS
            and not meanings.bands
        ):
            reason = f"{reason}; lists know {percent(meanings.known)} of its values"
        finer = draft.finer.get(name)
        decide = "; ".join(
            filter(
                None,
                (
                    one.decide,
                    (
                        f"does '{finer}' say more where its value is listed below? It is read first"
                        if finer
                        else ""
                    ),
                ),
            )
        )
        yield _line(
            f"{name} = {_list([finer, one.column] if finer else [one.column])}", reason, decide
        )
    for area in placed:
        yield _line(f"{area.name} = {text(str(area.column))}", area.reason, area.decide)


def _point(draft: Draft) -> Iterator[str]:
    grid = draft.grid
    if grid is None:
        return
    reason = f"{percent(grid.share)} of the points lie in the outlines so"
    yield "[calls.point]"
    if grid.crs:
        others = (
            f", as in {grid.alike} other grids that differ by about a metre" if grid.alike else ""
        )
        yield _line(
            f"crs = {text(grid.crs)}", f"{reason}{others}", f"are the coordinates in {grid.name}?"
        )
    else:
        yield _line(
            f"scale = {grid.scale:f}".rstrip("0"),
            reason,
            "are these degrees, kept as whole numbers?",
        )


def _times(draft: Draft) -> Iterator[str]:
    lines = []
    for name in TIME_FIELDS:
        one = draft.guesses.fields.get(name)
        if one is None:
            continue
        column = draft.columns[one.column]
        lines += list(_time_field(draft, name, column))
    if lines:
        yield "[calls.times]"
        yield from lines


def _time_field(draft: Draft, name: str, column: Column) -> Iterator[str]:
    if form := after_call(column):
        yield _line(
            f"{name} = {{ format = {text(form)} }}",
            "counted from when the call came in, by its name",
        )
    elif column.times is None:
        written = column.clocks[0] if column.clocks else ""
        clock = f", clock_format = {text(written)}" if written else ""
        yield _line(
            f'{name} = {{ format = "clock_after_call"{clock} }}',
            "a clock without a day: within 24 hours of the call",
        )
    elif column.times.formats:
        received = draft.received
        known = bool(column.times.letters and received and received[1].letters)
        yield _line(
            f"{name} = {{ format = {_list(column.times.formats)} }}",
            f"{percent(column.times.share)} of its values are times",
            "the clock on the wall, as above?" if known else _doubt(column.times),
        )


def _doubt(written: Written) -> str:
    """What a person must say of how times are written; empty where that is clear."""
    if written.letters:
        listed = " or ".join(written.letters)
        return (
            f"{listed} is written on days when it is not in force, so the clock is taken as the one"
            " on the wall; or is it standard time all year? Then add timezone ="
            f" {text(standard_time(written.letters))}"
        )
    return f"no day is over 12: or {text(written.swapped)}?" if written.swapped else ""


def _yes_columns(draft: Draft) -> Iterator[str]:
    for name, meant in draft.guesses.yes_columns.items():
        order = WHO_CAME if name == "responder" else [c["code"] for c in entry(name)["codes"]]
        yield f"[calls.yes_columns.{name}]"
        for column in sorted(meant, key=lambda c: order.index(meant[c])):
            yield _line(
                f"{text(column)} = {text(meant[column])}",
                "by the columns' names" if JOINT in column else "by the column's name",
                "does a yes in both mean this?"
                if JOINT in column
                else "does a yes mean this? The first yes counts",
            )


def _values(draft: Draft) -> Iterator[str]:
    first = True
    for name in sorted(draft.meanings, key=ORDER.index):
        meanings = draft.meanings[name]
        lines = list(_value_lines(name, meanings))
        if lines:
            yield from ([] if first else [""])
            first = False
            yield f"[calls.values.{name}]"
            yield from lines
    for area in draft.areas:
        if area.column and (area.unmapped or area.sweep):
            yield from ([] if first else [""])
            first = False
            yield f"[calls.values.{area.name}]"
            for value, n, marked in area.unmapped:
                yield _line(
                    f'{text(value)} = "unknown"',
                    f"{n:,} rows",
                    "which area is this?" if marked else "",
                )
            if area.sweep:
                yield _line('"*" = "unknown"', "", f"{area.sweep:,} rows of rare codes")


def _value_lines(name: str, meanings: Meanings) -> Iterator[str]:
    rows = sum(m.rows for m in meanings.values) + meanings.rest
    for m in meanings.values:
        if name in FLAG_FIELDS and normalise(m.text) in (*YES, *NO):
            continue
        if m.text == "*" or (m.text == m.code and not m.marked):
            continue
        yield _line(
            f"{text(m.text)} = {text(m.code)}",
            _share(m, rows, bands=meanings.bands),
            _question(name, m) if m.marked else "",
        )
    if meanings.sweep:
        share = f"{percent(meanings.rest, rows)} of the rows"
        if meanings.bands:
            yield _line(f'"*" = {text(meanings.sweep)}', "what is no such number")
        elif meanings.open:
            yield _line(
                f'"*" = {text(meanings.sweep)}',
                share,
                f"{meanings.open} values that no list knows; `check` lists them",
            )
        else:
            yield _line(
                f'"*" = {text(meanings.sweep)}',
                share,
                "values too rare to be listed here; `check` counts them",
            )


def _share(m: Meaning, rows: int, *, bands: bool) -> str:
    if bands:
        return m.why
    share = 100 * m.rows / rows if rows else 0
    return (
        f"{share:.0f} % of the rows; {m.why}" if share >= 1 else f"under 1 % of the rows; {m.why}"
    )


def _question(name: str, m: Meaning) -> str:
    if name in FLAG_FIELDS:
        return "yes or no?"
    return (
        "is this it?" if m.code != "unknown" else f"which code of {name.replace('_', ' ')} is this?"
    )


def _inputs(draft: Draft, place: Path) -> Iterator[str]:
    if draft.inputs:
        yield "[inputs]"
        for name, path in draft.inputs.items():
            yield _line(
                f"{name} = {{ paths = {text(_relative(path, place))} }}",
                "by the names of its columns",
            )


def _dimensions(draft: Draft) -> Iterator[str]:
    first = True
    for name in sorted(draft.meanings, key=ORDER.index):
        meanings, described = draft.meanings[name], entry(name)
        if not meanings.codes:
            continue
        yield from ([] if first else [""])
        first = False
        yield f"[dimensions.{name}]"
        yield f"name = {_both(**described['name'])}"
        yield f"all = {_both(**described['all'])}"
        levels = described.get("levels") or [_level(name)]
        yield f"levels = [{', '.join(map(text, levels))}]"
        yield "codes = ["
        for code in meanings.codes:
            parent = f", parent = {text(code.parent)}" if code.parent else ""
            yield _line(
                f"  {{ code = {text(code.code)}, en = {text(code.en)}, es ="
                f" {text(code.es)}{parent} }},",
                "",
                "its name in plain words, in both languages" if code.marked else "",
            )
        yield "]"


def _level(name: str) -> str:
    return {
        "call_type": "type",
        "initial_type": "type",
        "age_group": "age",
        "race_ethnicity": "group",
    }.get(name, name)


def _areas(draft: Draft, place: Path) -> Iterator[str]:
    for i, area in enumerate(draft.areas):
        yield from ([] if i == 0 else [""])
        yield from _area(area, place)


def _area(area: AreaDraft, place: Path) -> Iterator[str]:
    yield f"[areas.{area.name}]"
    yield _line(
        f"name = {_both(*area.title)}",
        "",
        "what are these areas called, in both languages?" if area.unnamed else "",
    )
    yield f"all = {_both('Everywhere', 'En todas partes')}"
    yield f"levels = [{', '.join(map(text, area.levels))}]"
    if area.codes:
        yield f"codes = [{', '.join(map(text, area.codes))}]"
    if area.strip_zeros:
        yield "strip_zeros = true"
    if area.outlines:
        label = f", name = {text(area.label)}" if area.label else ""
        yield _line(
            f"boundaries = {{ path = {text(_relative(area.outlines.path, place))}, code ="
            f" {text(area.code)}{label} }}",
            "" if area.column else area.reason,
            "" if area.column else area.decide,
        )
    if area.tree:
        yield ""
        yield f"[areas.{area.name}.tree]"
        for parent, children in area.tree.items():
            yield f"{text(parent)} = [{', '.join(map(text, children))}]"
