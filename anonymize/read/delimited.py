"""Delimited text read exactly: every record is whole, or rejected and named by its line.

Nothing about the text is guessed. Delimiter, quote, escape, encoding and the row of names come from
the agency file (the encoding also from a byte order mark); `#` has no meaning. A file in which
every line is one well-formed record is read as it is. Any other goes through a thorough reading,
which writes the good records, each with its line, to a copy in the private folder, and rejects the
rest one by one: a quote that is never closed costs its own line, however long the file.

The grammar is RFC 4180's. Reading here uses Python alone, so that its count of records is
independent of DuckDB's.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, cast

import numpy as np

from anonymize.errors import SourceError

BLOCK = 16 << 20
"""Bytes read at once."""
MAX_RECORD = 1 << 20
"""Bytes of one record. A longer one is rejected: no export of calls holds a megabyte in a row."""
FAULTS = {
    "columns": "the line has more or fewer values than the table has columns",
    "quote": "a quotation mark is not closed, or stands inside a value",
    "null byte": "the line holds a null byte",
    "encoding": "the line holds bytes that the file's encoding does not have",
    "line end": "the line holds a carriage return that ends no line",
    "too long": "the record is longer than a megabyte",
}
"""Why a line is no record."""

UNDECODABLE = "\uffff"
"""Stands for bytes that the encoding does not have; Unicode itself never uses it."""
_UNDECODABLE_BYTES = UNDECODABLE.encode()
codecs.register_error("mark_undecodable", lambda error: (UNDECODABLE, error.end))  # type: ignore[attr-defined]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PYTHON_NAMES = {
    "utf-8": "utf-8",
    "latin-1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16-le",
}


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `quote` is empty where values are never quoted; `escape` is the quote
    itself (doubled) or a backslash.

    `encoding` is None where the agency file names none: a byte order mark decides, and without one
    the file is UTF-8.
    """

    delimiter: str
    quote: str
    escape: str
    encoding: str | None
    header_row: int

    @cached_property
    def value(self) -> bytes:
        """A regular expression of one value."""
        delimiter = re.escape(self.delimiter.encode())
        if not self.quote:
            return b"[^\\n\\r" + delimiter + b"]*+"
        quote = re.escape(self.quote.encode())
        inside = b"[^" + quote + b"]"
        if self.escape == self.quote:
            quoted = quote + inside + b"*+(?:" + quote + quote + inside + b"*+)*+" + quote
        else:
            escape = re.escape(self.escape.encode())
            quoted = quote + b"(?:[^" + quote + escape + b"]|" + escape + b"[\\s\\S])*+" + quote
        return b"(?:" + quoted + b"|[^\\n\\r" + delimiter + quote + b"]*+)"

    def record(self, columns: int) -> re.Pattern[bytes]:
        """A whole record of `columns` values, with the end of its line."""
        more = b"(?:" + re.escape(self.delimiter.encode()) + self.value + b"){%d}" % (columns - 1)
        return re.compile(self.value + more + b"(?:\\r?\\n|\\Z)")


@dataclass(frozen=True)
class RejectedLine:
    """A line that is no record. `fault` is one of FAULTS."""

    line: int
    fault: str


@dataclass(frozen=True)
class TextTable:
    """What DuckDB is to read: the export itself after `skip` lines, or a copy (`copied`) whose
    first column is each record's line.

    `records` and `rejected` are this module's own count: together every record of the file.
    """

    path: Path
    skip: int
    copied: bool
    records: int
    rejected: tuple[RejectedLine, ...]


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as handle:
        start = handle.read(4)
    if start[:2] == b"\x1f\x8b":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if start == b"PK\x03\x04":
        raise SourceError(
            [
                f"{path}: this is a zip archive or a workbook, not delimited text; unpack it, or"
                ' write format = "excel"'
            ]
        )
    if start == b"PAR1":
        raise SourceError([f'{path}: this is a Parquet file; write format = "parquet" for it'])
    return path.open("rb")


def is_compressed(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(2) == b"\x1f\x8b"


def _encoding(path: Path, declared: str | None, start: bytes) -> tuple[str, int]:
    """Python's name of the encoding, and the bytes of its mark. Raises SourceError where mark and
    agency file contradict each other."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            if declared is not None and not name.startswith(declared):
                raise SourceError(
                    [
                        f"{path}: begins with the byte order mark of {name.upper()}, but the agency"
                        f" file says encoding = \"{declared}\"; take 'encoding' out, and the mark"
                        " decides"
                    ]
                )
            return name, len(mark)
    if declared is None and start[:200].count(0) * 3 > len(start[:200]):
        raise SourceError(
            [
                f'{path}: looks like UTF-16 without a byte order mark; write encoding = "utf-16"'
                " for it"
            ]
        )
    return _PYTHON_NAMES[declared or "utf-8"], 0


def _decoded(path: Path, handle: IO[bytes], dialect: Dialect) -> Iterator[bytes]:
    """The file as UTF-8 in blocks, without its byte order mark. Bytes that another encoding does
    not have are marked."""
    block = handle.read(BLOCK)
    name, mark = _encoding(path, dialect.encoding, block[:4096])
    block = block[mark:]
    if name == "utf-8":
        while block:
            yield block
            block = handle.read(BLOCK)
        return
    decoder = codecs.getincrementaldecoder(name)("mark_undecodable")
    while block:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
        block = handle.read(BLOCK)
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _lines(path: Path, dialect: Dialect, *, thorough: bool) -> Iterator[bytes]:
    """Blocks of whole lines of UTF-8. In a thorough reading undecodable bytes are marked, and lines
    that end with a lone CR end with LF."""
    carry, only_returns = b"", None
    try:
        with _open(path) as handle:
            for block in _decoded(path, handle, dialect):
                if only_returns is None:
                    only_returns = b"\r" in block and b"\n" not in block
                if thorough and only_returns:
                    block = block.replace(b"\r", b"\n")
                cut = block.rfind(b"\n") + 1
                if not cut and len(carry) < 4 * BLOCK:
                    carry += block
                    continue
                yield _marked(carry + block[:cut]) if thorough else carry + block[:cut]
                carry = block[cut:]
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SourceError(
            [f"{path}: reading stopped in the middle of the compressed data; is it whole?"]
        ) from None
    if carry:
        yield _marked(carry) if thorough else carry


def _marked(block: bytes) -> bytes:
    """The block with bytes that are no UTF-8 marked."""
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "mark_undecodable").encode()
    return block


@dataclass(frozen=True)
class Header:
    """`names`: of the columns, outer blanks off. `lines`: of the file up to its end."""

    names: tuple[str, ...]
    lines: int
    text: bytes


def read_header(path: Path, dialect: Dialect) -> Header:
    """The names in the header row. Raises SourceError for a file without one, and for one that is
    no record."""
    try:
        block = next(_lines(path, dialect, thorough=True), b"")
    except OSError as error:
        raise SourceError(
            [
                f"{path}: cannot be read ({error.strerror or type(error).__name__}); is it whole,"
                " and of the format named?"
            ]
        ) from None
    if not block.strip():
        raise SourceError([f"{path}: holds no text; export it again"])
    at = 0
    for _ in range(dialect.header_row - 1):
        at = block.find(b"\n", at) + 1
        if not at:
            raise SourceError(
                [
                    f"{path}: has fewer lines than header_row = {dialect.header_row}; correct"
                    " 'header_row' in the agency file"
                ]
            )
    value, delimiter = re.compile(dialect.value), dialect.delimiter.encode()
    start, names = at, []
    while True:
        found = value.match(block, at)
        assert found is not None, "a value may be empty, so that one always matches"
        names.append(_unquoted(found[0], dialect))
        at = found.end()
        if not block.startswith(delimiter, at):
            break
        at += len(delimiter)
    if at < len(block) and block[at : at + 1] not in (b"\n", b"\r"):
        raise SourceError(
            [
                f"{path}: line {dialect.header_row}, the row of names, has a quotation mark that is"
                ' not closed or stands inside a name; correct the line, or write quote = "" when'
                " the file never quotes"
            ]
        )
    end = block.find(b"\n", at) + 1 or len(block)
    lines = block.count(b"\n", 0, end) + (0 if block[:end].endswith(b"\n") else 1)
    return Header(tuple(names), lines, block[start:end])


def _unquoted(value: bytes, dialect: Dialect) -> str:
    text = value.decode("utf-8", "replace").strip(" \t\u00a0\ufeff")
    if dialect.quote and text[:1] == dialect.quote:
        text = text[1:-1].replace(dialect.escape + dialect.quote, dialect.quote).strip(" \t\u00a0")
    return text


def scan(path: Path, dialect: Dialect, header: Header) -> int | None:
    """Records of a file in which every line after the header is one well-formed record, or None
    where a thorough reading is needed.

    Whether each line has as many values as there are columns is left to DuckDB: where it rejects a
    line, a thorough reading follows.
    """
    if header.text.count(b"\n") > 1 or (dialect.quote and dialect.escape != dialect.quote):
        return None
    with _open(path) as handle:
        if _encoding(path, dialect.encoding, handle.read(4096))[0] != "utf-8":
            return None
    records = newlines = returns = 0
    skip = header.lines
    for block in _lines(path, dialect, thorough=False):
        start = 0
        while skip and start < len(block):
            start, skip = block.find(b"\n", start) + 1 or len(block), skip - 1
        if start == len(block):
            continue
        lines = _records_of(block[start:] if start else block, dialect)
        if lines is None:
            return None
        records += lines
        newlines += block.count(b"\n", start)
        returns += block.count(b"\r", start)
    return records if returns in (0, newlines) else None


def _records_of(block: bytes, dialect: Dialect) -> int | None:
    """Lines of a block, or None where one is not plainly a record of its own."""
    if (
        b"\0" in block
        or b"\n\n" in block
        or b"\n\r\n" in block
        or block[:1] == b"\n"
        or block[:2] == b"\r\n"
    ):
        return None
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return None
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return None
    newlines = block.count(b"\n")
    lines = newlines + (not block.endswith(b"\n"))
    if len(block) > MAX_RECORD and newlines == 0:
        return None
    delimiter, quote = dialect.delimiter.encode(), dialect.quote.encode()
    if len(delimiter) != 1:
        return None
    return (
        lines
        if not quote or quote not in block or _quotes_fit(block, delimiter[0], quote[0])
        else None
    )


def _quotes_fit(block: bytes, delimiter: int, quote: int) -> bool:
    """Does every quotation mark open or close a whole value that ends on its line?"""
    at = np.frombuffer(block, dtype=np.uint8)
    marks = np.flatnonzero(at == quote)
    if len(marks) % 2:
        return False
    opening, closing = marks[0::2], marks[1::2]
    edge = np.zeros(256, dtype=bool)
    edge[[delimiter, 10, 13, quote]] = True
    before, after = at[opening[opening > 0] - 1], at[closing[closing < len(at) - 1] + 1]
    if not (edge[before].all() and edge[after].all()):
        return False
    # A mark before an opening one must be the closing one of a doubled pair, which parity has made
    # sure of.
    return not np.any(np.searchsorted(marks, np.flatnonzero(at == 10)) % 2)


def thorough_copy(path: Path, dialect: Dialect, header: Header, target: Path) -> TextTable:
    """Write every good record of `path`, with its line in front, to `target` (UTF-8, lines ended by
    LF); the others are rejected."""
    rejected: list[RejectedLine] = []
    records = 0
    delimiter = dialect.delimiter.encode()
    with target.open("wb") as out:
        for run in _runs_of_records(path, dialect, header, rejected):
            out.write(b"".join([b"%d%b%b\n" % (line, delimiter, record) for line, record in run]))
            records += len(run)
    return TextTable(target, 0, True, records, tuple(rejected))


def _plain_run(
    region: bytes, first: int, delimiter: bytes, columns: int, rejected: list[RejectedLine]
) -> list[tuple[int, bytes]]:
    """(line, record) of the whole lines of `region`, which holds no quotation mark."""
    odd = b"\0" in region or b"\r" in region or _UNDECODABLE_BYTES in region
    run = []
    for line, text in enumerate(region.split(b"\n"), start=first):
        body = text.removesuffix(b"\r") if odd else text
        if body.count(delimiter) == columns - 1 and body and not (odd and _line_fault(body)):
            run.append((line, body))
        elif body:
            rejected.append(RejectedLine(line, _line_fault(body) or "columns"))
    return run


def _odd_bytes(body: bytes) -> str | None:
    """The fault of a line that holds what no text may hold."""
    if len(body) > MAX_RECORD:
        return "too long"
    if b"\0" in body:
        return "null byte"
    if _UNDECODABLE_BYTES in body:
        return "encoding"
    return None


def _line_fault(body: bytes) -> str | None:
    """The fault of a line without a quotation mark, its number of values aside."""
    return _odd_bytes(body) or ("line end" if b"\r" in body else None)


def _runs_of_records(
    path: Path, dialect: Dialect, header: Header, rejected: list[RejectedLine]
) -> Iterator[list[tuple[int, bytes]]]:
    """Runs of (line, record without its end) of all good records; the others are added to
    `rejected`."""
    columns, delimiter, quote = (
        len(header.names),
        dialect.delimiter.encode(),
        dialect.quote.encode(),
    )
    whole, blocks = dialect.record(columns), _lines(path, dialect, thorough=True)
    text, at, line, ended = next(blocks, b""), 0, 1, False
    while line <= header.lines and at < len(text):
        at, line = text.find(b"\n", at) + 1 or len(text), line + 1

    def more(least: int) -> None:
        """Hold at least `least` bytes from `at` on, or all that are left."""
        nonlocal text, at, ended
        while len(text) - at < least and not ended:
            following = next(blocks, None)
            ended = following is None
            text, at = text[at:] + (following or b""), 0

    while True:
        more(1)
        if at >= len(text):
            return
        end = text.find(b"\n", at)
        if end < 0:
            more(MAX_RECORD)
            end = text.find(b"\n", at)
        stop = len(text) if end < 0 else end
        marked = text.find(quote, at) if quote else -1
        if (marked < 0 or marked > stop) and len(text[at:stop]) <= MAX_RECORD:
            last = text.rfind(b"\n", at, marked if marked >= 0 else len(text))
            stop = last if last >= 0 else stop
            run = _plain_run(text[at:stop], line, delimiter, columns, rejected)
            line += text.count(b"\n", at, stop) + 1
            at = stop + 1
            if run:
                yield run
            continue
        body = text[at:stop].removesuffix(b"\r")
        fault = _odd_bytes(body)
        if fault is None:
            if found := whole.match(text, at, min(stop + 1, len(text))):
                yield [(line, found[0].removesuffix(b"\n").removesuffix(b"\r"))]
            else:
                more(MAX_RECORD)
                stop = len(text) if (end := text.find(b"\n", at)) < 0 else end
                if long := _over_lines(whole, text, at, ended, delimiter, columns):
                    yield [(line, long.removesuffix(b"\n").removesuffix(b"\r"))]
                    at, line = at + len(long), line + long.count(b"\n") + (not long.endswith(b"\n"))
                    continue
                fault = "quote" if _odd_quotes(body, dialect) else "columns"
        if fault:
            rejected.append(RejectedLine(line, fault))
        at, line = stop + 1, line + 1


def _over_lines(
    whole: re.Pattern[bytes], text: bytes, at: int, ended: bool, delimiter: bytes, columns: int
) -> bytes | None:
    """The record at `at` when a quoted value of it runs over several lines.

    Where every one of these lines has as many delimiters as a record, they are records of their own
    with stray marks, not one: taking them together would lose calls.
    """
    limit = min(at + MAX_RECORD, len(text))
    found = whole.match(text, at, limit)
    if found is None or (
        found.end() == limit and not (ended and limit == len(text)) and not found[0].endswith(b"\n")
    ):
        return None
    record = found[0]
    lines = record.removesuffix(b"\n").split(b"\n")
    if (
        all(part.count(delimiter) == columns - 1 for part in lines)
        or b"\0" in record
        or _UNDECODABLE_BYTES in record
    ):
        return None
    return record


def _odd_quotes(body: bytes, dialect: Dialect) -> bool:
    """Does a line that is no record fail for its quotation marks, rather than for its number of
    values?"""
    value, at, delimiter = re.compile(dialect.value), 0, dialect.delimiter.encode()
    while True:
        found = value.match(body, at)
        at = found.end() if found else at
        if at >= len(body):
            return False
        if not body.startswith(delimiter, at):
            return True
        at += len(delimiter)


def other_delimiter(path: Path, dialect: Dialect, header: Header, wanted: str) -> str | None:
    """A delimiter with which the header row would hold the name `wanted`, to suggest in a
    message."""
    line = header.text.decode("utf-8", "replace").strip()
    for other in ",;\t|":
        if other != dialect.delimiter and wanted in [
            name.strip(" \t\"'\ufeff") for name in line.split(other)
        ]:
            return other
    return None
