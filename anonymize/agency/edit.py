"""Changes that a command makes in an agency file, while its comments and layout stay as they
are."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable

from anonymize.agency.load import AgencyConfig, load
from anonymize.agency.schema import TableSpec
from anonymize.errors import SchemaError

BYTE_ORDER_MARK = "\ufeff"


def write_plan(
    config: AgencyConfig, specs: Sequence[TableSpec], merged: Mapping[str, Sequence[Sequence[str]]]
) -> str:
    """Write the levels of `specs` and the groups of joined areas into the agency file that `config`
    was read from.

    A file without [[tables]] gets them all, at its end. Says which lines are new. The file is
    replaced only once the new one has been read back and says exactly what was meant. Raises
    SchemaError, and leaves the file as it is, where that is not so.
    """
    path = config.path
    given = path.read_bytes().decode("utf-8")
    mark = BYTE_ORDER_MARK if given.startswith(BYTE_ORDER_MARK) else ""
    end = "\r\n" if "\r\n" in given else "\n"
    text = given.removeprefix(mark).replace("\r\n", "\n")
    document = tomlkit.parse(text)
    if "tables" in document:
        for table, spec in zip(document["tables"], specs, strict=True):
            _set_levels(table["dimensions"], spec)
    else:
        document.append("tables", tomlkit.aot())
        for spec in specs:
            document["tables"].append(_new_table(spec))
    groups = {name: [list(group) for group in listed] for name, listed in merged.items() if listed}
    if groups:
        if "plan" not in document:
            document["plan"] = tomlkit.table()
        document["plan"]["merged"] = _inline(
            groups | config.file.plan.model_dump(mode="json")["merged"]
        )
    made = tomlkit.dumps(document)
    wanted = config.file.model_copy(
        update={
            "tables": tuple(specs),
            "plan": config.file.plan.model_copy(
                update={"merged": _frozen(groups) | config.file.plan.merged}
            ),
        }
    )
    scratch = path.with_name(f".{path.name}.new")
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            handle.write((mark + made.replace("\n", end)).encode("utf-8"))
        if load(scratch).file != wanted:
            raise SchemaError(
                [
                    f"{path}: the proposed tables cannot be written into this file; change its"
                    " [[tables]] by hand"
                ]
            )
        shutil.copymode(path, scratch)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return _new_lines(text, made)


def _set_levels(dimensions: Any, spec: TableSpec) -> None:
    for name, levels in spec.dimensions.items():
        array = dimensions[name]
        if not isinstance(array, Array):
            dimensions[name] = list(levels)
            continue
        for place in reversed(range(len(array))):
            if array[place] not in levels:
                del array[place]
        for place, level in enumerate(levels):
            if level not in array:
                array.insert(place, level)


def _new_table(spec: TableSpec) -> tomlkit.items.Table:
    table = tomlkit.table()
    table["name"] = spec.name
    table["title"] = _inline(spec.title.model_dump())
    table["dimensions"] = _inline({name: list(levels) for name, levels in spec.dimensions.items()})
    if spec.where:
        table["where"] = _inline(spec.where)
    if spec.sensitive_attribute:
        table["sensitive_attribute"] = spec.sensitive_attribute
    return table


def _inline(values: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(values)
    return table


def _frozen(
    groups: Mapping[str, Sequence[Sequence[str]]],
) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {name: tuple(tuple(group) for group in listed) for name, listed in groups.items()}


def _new_lines(before: str, after: str) -> str:
    """The lines of `after` that `before` does not have, such as "line 4, lines 7 to 9"."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    new = [
        (first + 1, last)
        for kind, _i, _j, first, last in matcher.get_opcodes()
        if kind in ("replace", "insert")
    ]
    return ", ".join(
        f"line {first}" if first == last else f"lines {first} to {last}" for first, last in new
    )


__all__ = ["write_plan"]
