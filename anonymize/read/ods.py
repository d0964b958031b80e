"""OpenDocument workbooks (.ods), read from their `content.xml` (OpenDocument 1.3, part 3: tables in
section 9, values in 19.385).

Notes at cells, deleted rows that are kept for review, and tables inside cells are not part of a
sheet. A formula without a stored result is refused, for its cell would look blank.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from xml.etree import ElementTree

from anonymize.errors import SourceError
from anonymize.read.calamine import filled_rows
from anonymize.read.cells import Reader, Row, cell_text, to_second

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_OFFICE, _TABLE, _TEXT = (_NAMES % name for name in ("office", "table", "text"))
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?)?")
_SHOWN_CLOCK = re.compile(r"\d:\d\d")
MAX_ROWS, MAX_COLUMNS = 1 << 20, 1 << 14
"""Of a sheet. A row or cell that is repeated may stand for many; more than these are filler, or an
attack."""


def _sheets(path: Path) -> list[str]:
    found = []
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
        place: list[str] = []
        for event, element in ElementTree.iterparse(content, events=("start", "end")):
            if event == "start":
                if element.tag == f"{_TABLE}table" and place[-1:] == [f"{_OFFICE}spreadsheet"]:
                    found.append(element.get(f"{_TABLE}name", ""))
                place.append(element.tag)
            else:
                place.pop()
                element.clear()
    return found


def _rows(path: Path, sheets: Sequence[str] | None) -> Iterator[tuple[str, Row | None]]:
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
        place: list[str] = []
        sheet, inside, number = "", False, 0
        for event, element in ElementTree.iterparse(content, events=("start", "end")):
            if event == "start":
                if element.tag == f"{_TABLE}table" and place[-1:] == [f"{_OFFICE}spreadsheet"]:
                    sheet, number = element.get(f"{_TABLE}name", ""), 0
                    inside = sheets is None or sheet in sheets
                    if inside:
                        yield sheet, None
                place.append(element.tag)
                continue
            place.pop()
            if element.tag == f"{_TABLE}table" and place[-1:] == [f"{_OFFICE}spreadsheet"]:
                element.clear()
            elif element.tag == f"{_TABLE}table-row" and place.count(f"{_TABLE}table") == 1:
                if inside:
                    times = int(element.get(f"{_TABLE}number-rows-repeated", "1"))
                    cells = _cells(path, element, number + 1)
                    if cells and number + times > MAX_ROWS:
                        raise SourceError(
                            [
                                f"{path}: sheet '{sheet}' has more than {MAX_ROWS:,} rows; export"
                                " it as CSV (UTF-8)"
                            ]
                        )
                    for repeated in range(times if cells else 0):
                        yield sheet, (number + 1 + repeated, list(cells))
                    number += times
                element.clear()


def _cells(path: Path, row: ElementTree.Element, number: int) -> list[str | None]:
    """The texts of a row, without empty cells at its end; nothing for an empty row."""
    cells: list[str | None] = []
    waiting = 0
    for cell in row:
        if cell.tag not in _CELLS:
            continue
        times, text = (
            int(cell.get(f"{_TABLE}number-columns-repeated", "1")),
            _text(path, cell, number),
        )
        if text is None:
            waiting += times
            continue
        if len(cells) + waiting + times > MAX_COLUMNS:
            raise SourceError(
                [
                    f"{path}: row {number} has more than {MAX_COLUMNS:,} columns; export the sheet"
                    " as CSV (UTF-8)"
                ]
            )
        cells += [None] * waiting + [text] * times
        waiting = 0
    return cells


def _text(path: Path, cell: ElementTree.Element, number: int) -> str | None:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind is None:
        if cell.get(f"{_TABLE}formula"):
            raise SourceError(
                [
                    f"{path}: row {number} holds a formula without a stored result, which would"
                    " look blank; open the workbook in a spreadsheet program, save it, and try"
                    " again"
                ]
            )
        return None
    if kind in ("float", "percentage", "currency"):
        return cell_text(float(cell.get(f"{_OFFICE}value", "")))
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value")
    shown = "\n".join(_words(part) for part in cell if part.tag == f"{_TEXT}p")
    if kind == "date":
        return _moment(cell.get(f"{_OFFICE}date-value", ""), shown)
    if kind == "time":
        return _duration(cell.get(f"{_OFFICE}time-value", ""))
    return cell.get(f"{_OFFICE}string-value") or shown or None


def _moment(text: str, shown: str) -> str:
    """A date, with its clock where it has one. At midnight the text on the screen says whether
    there is one: programs write `2024-02-03` for both."""
    moment = to_second(datetime.fromisoformat(text))
    has_clock = moment.time() != time() or (
        bool(_SHOWN_CLOCK.search(shown)) if shown else "T" in text
    )
    return moment.isoformat(sep=" ") if has_clock else moment.date().isoformat()


def _words(element: ElementTree.Element) -> str:
    """The text of a paragraph: runs of blanks, tabs and line ends are elements of their own."""
    found = [element.text or ""]
    for part in element:
        if part.tag == f"{_TEXT}s":
            found.append(" " * min(int(part.get(f"{_TEXT}c", "1")), 10_000))
        elif part.tag == f"{_TEXT}tab":
            found.append("\t")
        elif part.tag == f"{_TEXT}line-break":
            found.append("\n")
        elif part.tag != f"{_OFFICE}annotation":
            found.append(_words(part))
        found.append(part.tail or "")
    return "".join(found)


def _duration(text: str) -> str | None:
    """`PT18H10M00S` as a clock, 18:10:00; a day and more as hours, 26:00:00, as other workbooks
    give them."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError("no duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if match[1] or span >= timedelta(days=1):
        return cell_text(-span if match[1] else span)
    return cell_text((datetime.min + span).time())


ODS = Reader(_sheets, _rows, filled_rows, sheets_at_once=True)
