"""How an export is written: delimiter, encoding, row of names, sheets, files of an archive.
Everything found is handed to the exact reader as if a person had written it into the agency file,
so that what is drafted is what will be read."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from anonymize.agency.schema import SourceSpec
from anonymize.draft.names import plain
from anonymize.engine.sources import ENDINGS, MAX_TITLE_ROWS, find_source, names_of
from anonymize.errors import SourceError
from anonymize.read import workbook
from anonymize.read.archive import unpack
from anonymize.read.delimited import is_compressed

DELIMITERS = ",;\t|"
LINES = 200
"""Lines at the start of a text from which its shape is guessed."""
START = 1 << 20
"""Bytes that hold them."""
TEXTS = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz")
SAME = 0.7
"""Share of the names that two files must have in common to be parts of one export."""


@dataclass(frozen=True)
class Export:
    """Files that are read together. `options`: of the agency file's section, but `paths`;
    `reasons`: option -> why."""

    paths: tuple[Path, ...]
    options: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """Columns of the first part that can be read: named, and named once."""
    missing: tuple[str, ...] = ()
    """Columns that some other part lacks."""

    def spec(self) -> SourceSpec:
        return SourceSpec.model_validate(
            {"paths": [str(path.resolve()) for path in self.paths], **self.options}
        )


def look_at(path: Path, folder: Path) -> Export:
    """One file (or archive) as an export. Raises SourceError for what cannot be read at all."""
    if not path.is_file():
        raise SourceError([f"{path}: no such file; check the name"])
    options: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    name = path.name.lower()
    if name.endswith(".zip"):
        return _archive(path, folder)
    if name.endswith((".xlsx", ".xlsm", ".xls", ".ods")):
        options, reasons = _sheets(path, folder)
    elif not name.endswith((".parquet", ".json", ".geojson", ".xlsb", ".numbers")):
        options, reasons = _text(path)
    return _named(Export((path,), options, reasons), folder)


def _archive(path: Path, folder: Path) -> Export:
    inside = [
        file
        for file in unpack(path, ("*",), (), folder)
        if file.name.lower().endswith(tuple(ENDINGS))
    ]
    if not inside:
        raise SourceError([f"{path}: holds no file that can be read"])
    tables: list[Export] = []
    problems: list[str] = []
    for file in inside:
        try:
            tables.append(look_at(file, folder))
        except SourceError as error:
            problems += error.problems
    # A read-me or a list of codes next to the calls is text, too.
    wide = [export for export in tables if len(export.names) > 1]
    if not tables:
        raise SourceError(problems)
    main = max(together(wide or tables), key=lambda group: _bytes(group.paths))
    options, reasons = dict(main.options), dict(main.reasons)
    if len(inside) > 1:
        names = [file.name for file in main.paths]
        pattern = f"*{main.paths[0].suffix}"
        same_ending = [file.name for file in inside if file.match(pattern)]
        options["member"] = (
            "*"
            if len(names) == len(inside)
            else pattern
            if sorted(same_ending) == sorted(names) and len(names) > 1
            else names[0]
            if len(names) == 1
            else names
        )
        reasons["member"] = (
            f"the archive holds {len(inside)} files"
            if len(names) == len(inside)
            else f"of {len(inside)} files in the archive, those that belong together"
        )
    return _named(Export((path,), options, reasons), folder)


def _bytes(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _named(export: Export, folder: Path) -> Export:
    """The export with the names of its columns."""
    source = find_source(export.spec(), Path(), [], folder=folder)
    parts = [names_of(part, export.spec()) for part in source.parts]
    first = max(
        parts, key=lambda names: (len({name for name in names if name}), -parts.index(names))
    )
    lowered = Counter(name.lower() for name in first)
    usable = [name for name in first if name and lowered[name.lower()] == 1]
    there = tuple(name for name in usable if all(name in names for names in parts))
    return replace(export, names=there, missing=tuple(name for name in usable if name not in there))


def together(exports: Sequence[Export]) -> list[Export]:
    """Exports that are written alike and have most names in common, as one."""
    groups: list[list[Export]] = []
    for export in exports:
        for group in groups:
            common = set(map(plain, group[0].names)) & set(map(plain, export.names))
            if export.options == group[0].options and len(common) >= SAME * max(
                len(group[0].names), len(export.names), 1
            ):
                group.append(export)
                break
        else:
            groups.append([export])
    return [_joined(group) for group in groups]


def _joined(group: Sequence[Export]) -> Export:
    """Files as one export. A column that one file lacks is looked for under another name there."""
    first = group[0]
    if len(group) == 1:
        return first
    names, others = [], dict[str, list[str]]()
    missing = []
    taken: list[set[str]] = [set(first.names) for _ in group]
    for name in first.names:
        lacking = [i for i, export in enumerate(group) if name not in export.names]
        found = {
            i: _same_name(name, [n for n in group[i].names if n not in taken[i]]) for i in lacking
        }
        if all(found.values()):
            names.append(name)
            if lacking:
                others[name] = list(dict.fromkeys(str(found[i]) for i in lacking))
                for i in lacking:
                    taken[i].add(str(found[i]))
        else:
            missing.append(name)
    options, reasons = dict(first.options), dict(first.reasons)
    if others:
        options["other_names"] = {
            name: other[0] if len(other) == 1 else other for name, other in others.items()
        }
        reasons["other_names"] = "files call these columns differently"
    return Export(
        tuple(path for export in group for path in export.paths),
        options,
        reasons,
        tuple(names),
        tuple(missing),
    )


def _same_name(name: str, others: Sequence[str]) -> str | None:
    """Of other names the one that means the same: equal but for case and signs, or written with the
    same short forms."""
    wanted = plain(name)
    return next((other for other in others if plain(other) == wanted), None)


# Delimited text


def _text(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    options: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    start = _start(path)
    encoding, why = _encoding(path, start)
    if why:
        options["encoding"], reasons["encoding"] = encoding, why
    python = {"windows-1252": "cp1252", "utf-16": "utf-16", "utf-8": "utf-8-sig"}.get(
        encoding, encoding
    )
    text = (
        start.decode(python, "replace")
        if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        else start.decode("utf-16", "replace")
    )
    lines = re.split(r"\r\n|\n|\r", text.lstrip("\ufeff"))[:LINES]
    delimiter, header, width = _shape(lines)
    if not path.name.lower().endswith(TEXTS):
        options["format"], reasons["format"] = (
            "csv",
            "the file's name does not say that it is delimited text",
        )
    by_name = "\t" if path.name.lower().endswith((".tsv", ".tsv.gz")) else ","
    if delimiter != by_name:
        options["delimiter"], reasons["delimiter"] = (
            delimiter,
            f"parts most lines into {width} values",
        )
    if header > 1:
        options["header_row"], reasons["header_row"] = header, f"the first line with {width} names"
    return options, reasons


def _start(path: Path) -> bytes:
    with path.open("rb") as handle:
        start = handle.read(START)
    if start[:2] == b"\x1f\x8b":
        with gzip.open(path, "rb") as packed:
            return packed.read(START)
    return start


def _encoding(path: Path, start: bytes) -> tuple[str, str]:
    """The encoding, and why it must be said; no reason where the reader knows it by itself."""
    if start.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16" if not start.startswith(codecs.BOM_UTF8) else "utf-8"), ""
    if start[:200].count(0) * 3 > len(start[:200]):
        return "utf-16", "every second byte is null"
    decoder, odd = codecs.getincrementaldecoder("utf-8")(), False
    kinds: Counter[int] = Counter()
    with gzip.open(path, "rb") if is_compressed(path) else path.open("rb") as handle:
        while block := handle.read(1 << 22):
            if not odd:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    odd = True
            if odd or not block.isascii():
                kinds.update({byte: n for byte, n in Counter(block).items() if byte >= 128})
    if not odd:
        return "utf-8", ""
    if _mostly_utf8(path, start):
        return "utf-8", ""
    return (
        ("windows-1252", "some bytes are no UTF-8")
        if any(128 <= byte < 160 for byte in kinds)
        else ("latin-1", "some bytes are no UTF-8")
    )


def _mostly_utf8(path: Path, start: bytes) -> bool:
    """Are there letters in UTF-8 and only a few spoiled bytes? Then those are faults of single
    records."""
    text = start.decode("utf-8", "replace")
    good = sum(1 for c in text if ord(c) >= 128 and c != "\ufffd")
    return good > 5 * text.count("\ufffd")


def _shape(lines: Sequence[str]) -> tuple[str, int, int]:
    """Delimiter, line of the names (from 1), and number of columns."""
    best: tuple[float, str, int, int] | None = None
    for delimiter in DELIMITERS:
        rows = _rows(lines, delimiter)
        widths = Counter(len(row) for _line, row in rows if len(row) > 1)
        if not widths:
            continue
        width, often = max(widths.items(), key=lambda item: (item[1] * item[0], item[0]))
        header = next((line for line, row in rows if _looks_like_names(row, width)), None)
        if header is None:
            continue
        score = often / max(len(rows), 1) * (1 + min(width, 30) / 30)
        if best is None or score > best[0] + 1e-9:
            best = (score, delimiter, header, width)
    return (best[1], best[2], best[3]) if best else (",", 1, 1)


def _rows(lines: Sequence[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Records with the line at which each begins."""
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter)
    rows, begins = [], 1
    try:
        for row in reader:
            if row:
                rows.append((begins, [value.strip() for value in row]))
            begins = reader.line_num + 1
    except csv.Error:
        pass
    return rows


def _looks_like_names(row: Sequence[str], width: int) -> bool:
    """Is a row one of names: as wide as the table, and texts that differ, without numbers?"""
    there = [value for value in row if value]
    if len(row) < width or len(there) < max(1, 0.6 * width):
        return False
    words = [
        value
        for value in there
        if re.search(r"[^\W\d_]", value)
        and not re.match(r"^[0-9]{1,4}[-/:]", value)
        and len(value) <= 80
    ]
    return len(words) >= 0.8 * len(there) and len({value.lower() for value in there}) >= 0.8 * len(
        there
    )


# Workbooks


def _sheets(path: Path, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    options: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    shapes = {}
    every = workbook.sheet_names(path, folder)
    workbook.parse(path, every, folder)
    for sheet in every:
        rows = workbook.first_rows(path, sheet, LINES, folder)
        width = max((sum(1 for value in row if value) for _n, row in rows), default=0)
        header = next(
            (n for n, row in rows[:MAX_TITLE_ROWS] if _looks_like_names(row, _trimmed(row, width))),
            None,
        )
        if header is not None and width > 1:
            names = tuple(value for value in dict(rows)[header] if value)
            shapes[sheet] = (header, names, len(rows))
    if not shapes:
        return options, reasons
    main = max(shapes, key=lambda sheet: (shapes[sheet][2], -list(shapes).index(sheet)))
    header, names, _ = shapes[main]
    alike = [
        sheet
        for sheet, (row, others, _n) in shapes.items()
        if row == header and len(set(others) & set(names)) >= SAME * max(len(others), len(names))
    ]
    if len(alike) > 1:
        options["sheet"] = "*" if alike == every else alike
        reasons["sheet"] = f"{len(alike)} of {len(every)} sheets have the same names"
    elif main != every[0]:
        options["sheet"], reasons["sheet"] = main, f"the sheet with most rows, of {len(every)}"
    if header > 1:
        options["header_row"], reasons["header_row"] = header, "the first row that looks like names"
    return options, reasons


def _trimmed(row: Sequence[str], width: int) -> int:
    return (
        min(width, len([value for value in row if value]) or width) if len(row) >= width else width
    )
