"""What is wrong with a file that is no TOML, in words for the person who wrote it: the line, the
likely cause, and how to write it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from anonymize.agency.lines import key_lines

CURLY = "“”„‟«»‘’‚‛"
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PATH = re.compile(r"^[A-Za-z]:[\\/]|\\")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\x1b": "\\e"}


def explain(text: str, error: tomllib.TOMLDecodeError) -> tuple[int, str]:
    """Line number and sentence. The parser's own words are not repeated: they are written for
    programmers."""
    lines = text.splitlines()
    number = _opened_above(lines, _line_of(lines, str(error)))
    for candidate in [number, *(n for n in range(1, len(lines) + 1) if n != number)]:
        line = lines[candidate - 1] if 0 < candidate <= len(lines) else ""
        code = _without_comment(line)
        if any(mark in code for mark in CURLY) and (
            candidate == number or re.search(f"=\\s*[{CURLY}]", code)
        ):
            return (
                candidate,
                (
                    "this line has curly quotes, as word processors write them; write straight ones"
                    f" instead: {_straight(code)}"
                ),
            )
        if _has_lone_backslash(code):
            return (
                candidate,
                (
                    "this line has a backslash between double quotes, where it means a special"
                    " sign; write the path between single quotes, or with /:"
                    f" {_single_quoted(code)}"
                ),
            )
    for twice, second in _twice(lines) if str(error).startswith("Cannot") else ():
        return second, f"'{twice}' stands here for the second time; keep one of the two"
    line = _without_comment(lines[number - 1]).strip() if 0 < number <= len(lines) else ""
    return number, _of_line(line)


def _line_of(lines: list[str], words: str) -> int:
    """The line at which parsing stopped; for one that ran to the end of the file, the last line
    that opens something and does not close it."""
    if found := re.search(r"line (\d+)", words):
        return int(found[1])
    for number in range(len(lines), 0, -1):
        code = _without_comment(lines[number - 1])
        opened = code.count("[") - code.count("]") + code.count("{") - code.count("}")
        if code.count('"') % 2 or code.count("'") % 2 or opened > 0 or code.rstrip().endswith("="):
            return number
    return max(len(lines), 1)


def _opened_above(lines: list[str], number: int) -> int:
    """The line itself, or where it begins a setting of its own although a bracket above it is still
    open, the line of that bracket."""
    if not 1 < number <= len(lines) or not re.match(r"\s*[\w\"'.-]+\s*=|\s*\[", lines[number - 1]):
        return number
    depth = 0
    for above in range(number - 1, 0, -1):
        code = _without_comment(lines[above - 1])
        depth += code.count("]") + code.count("}") - code.count("[") - code.count("{")
        if depth < 0:
            return above
        if code.lstrip().startswith("["):
            break
    return number


def _without_comment(line: str) -> str:
    """A line up to a # that stands outside of quotes."""
    quote = ""
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#":
            return line[:place]
    return line


def _straight(code: str) -> str:
    for mark in CURLY:
        code = code.replace(mark, '"' if mark in "“”„‟«»" else "'")
    return code.strip()


def _has_lone_backslash(code: str) -> bool:
    return any(
        re.search(r"\\(?![btnfre\"\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})", body)
        for body in _STRING.findall(code) or [code.partition('"')[2]]
    )


def _single_quoted(code: str) -> str:
    return _STRING.sub(
        lambda found: f"'{found[1]}'" if "\\" in found[1] else found[0], code
    ).strip()


def _twice(lines: list[str]) -> Iterator[tuple[str, int]]:
    """Tables and keys that a file names twice, each with its second line."""
    seen: set[tuple[str, ...]] = set()
    table: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("[["):
            table = (str(number),)
            continue
        paths = [path for path in key_lines(line) if path]
        if not paths:
            continue
        path = tuple(map(str, paths[-1]))
        is_table = line.lstrip().startswith("[")
        full = path if is_table else (*table, *path)
        if full in seen:
            yield ".".join(part for part in full if not part.isdigit()), number
        seen.add(full)
        table = path if is_table else table


def _of_line(line: str) -> str:
    if line.startswith("[") and not line.endswith("]"):
        return "a section's name stands between brackets: [calls.columns]"
    if "=" not in line:
        return 'this line is not written as name = value, such as paths = "calls.csv"'
    value = line.partition("=")[2].strip()
    if not value:
        return "this line has no value behind the equals sign"
    if value.count('"') % 2 or value.count("'") % 2:
        return "this line has a quotation mark that is not closed"
    if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
        return (
            "this line has a bracket that is not closed; what stands between brackets is parted by"
            " commas"
        )
    if re.fullmatch(r"[A-Za-z][\w ./-]*", value) and value not in ("true", "false"):
        return (
            f"this line has a text without quotes; write {line.partition('=')[0].strip()} ="
            f' "{value}"'
        )
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return f"{value} is no day of the calendar"
    return (
        "this line has a value that cannot be read; texts stand between quotes, lists between"
        " brackets, and days are written 2024-02-29"
    )


def control_sign(text: str) -> str | None:
    """How a sign that no path holds was written: `\\t` of "C:\\temp" is a tab. None where there is
    none."""
    return next((_ESCAPES[sign] for sign in text if sign in _ESCAPES), None)
