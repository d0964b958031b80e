"""The portrait of an export as text: what is unusual, the tally, bars of calls over time, and what
the columns hold. Private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from anonymize.portrait.gather import BANDS, Portrait
from anonymize.portrait.tally_text import tally_lines, unusual
from anonymize.portrait.unusual import WEEKDAYS, clock, percent, unusual_in
from anonymize.portrait.usual_day import busiest, quietest
from anonymize.records.calls import Tally

WIDTH = 100
"""Columns of the screen."""
BAR = 40
MAX_VALUES = 12
"""Values of a field on the screen; the HTML file has all."""
MAX_MONTHS = 24
"""More months than this are drawn a line for each year."""
MAX_TEXT = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
BLANK = "(blank)"


def portrait_text(portrait: Portrait, tally: Tally) -> str:
    """All of it. Bars and lists fit a screen; a sentence is one line, however long (see
    `for_screen`)."""
    lines: list[str] = []
    worth = all_unusual(portrait, tally)
    lines += (
        ["Worth a look first:", *(f"  * {line}" for line in worth)]
        if worth
        else ["Nothing unusual was seen."]
    )
    lines += ["", *tally_lines(tally)]
    lines += [*_span(portrait), *_over_time(portrait, tally)]
    for section in (_files, _zones, _durations, _blanks):
        lines += section(portrait)
    lines += _values(portrait, tally)
    if portrait.unused:
        lines += [
            "",
            "Columns of the export that are not read",
            *_flow("", [shown(name) for name in portrait.unused]),
        ]
    return "\n".join(shown(line, len(line)) for line in lines)


def all_unusual(portrait: Portrait, tally: Tally) -> list[str]:
    """The sentences on everything unusual, the gravest first."""
    return [*unusual_in(portrait, tally), *unusual(tally)]


def for_screen(text: str, encoding: str | None, *, wrapped: bool) -> str:
    """The same in what a screen can show: bars of `#` where it has no blocks; no line wider than
    WIDTH where `wrapped`."""
    encoding = encoding or "ascii"
    if wrapped:
        text = "\n".join(piece for line in text.split("\n") for piece in _wrapped(line))
    try:
        (_EIGHTHS + _HEIGHTS).encode(encoding)
    except UnicodeEncodeError:
        bars = {ord(block): "#" if i > 3 else "" for i, block in enumerate(_EIGHTHS) if i}
        text = text.translate(
            bars | {ord(block): str(i + 1) for i, block in enumerate(_HEIGHTS[:-1])}
        )
    return text.encode(encoding, "replace").decode(encoding)


def shown(text: str, most: int = MAX_TEXT) -> str:
    """A text of the export on one line, without what would steer a screen, and no longer than
    `most`."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _wrapped(line: str) -> list[str]:
    """Lines of at most WIDTH; the further ones stand deeper than the first."""
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + (2 if line.lstrip().startswith("* ") else 4))
    return wrap(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _flow(name: str, items: Sequence[str]) -> Iterator[str]:
    """`name: item; item; ...` on as many lines as it takes, no item broken that fits on one."""
    line, empty = f"  {name}:" if name else " ", True
    for i, item in enumerate(items):
        item += ";" if i < len(items) - 1 else ""
        if not empty and len(line) + 1 + len(item) > WIDTH:
            yield line
            line = "     " if name else " "
        line, empty = f"{line} {item}", False
    yield line


def bar(n: int, most: int) -> str:
    """A bar of at most BAR characters, exact to an eighth of one; what is not nothing is seen."""
    eighths = max(round(8 * BAR * n / most), 1) if n else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _bars(counts: Mapping[str, int]) -> list[str]:
    most, width = max(counts.values(), default=0), max(map(len, counts), default=0)
    number = len(f"{most:,}")
    return [
        f"  {name:<{width}} {n:>{number},} {bar(n, most)}".rstrip() for name, n in counts.items()
    ]


def _span(portrait: Portrait) -> Iterator[str]:
    days = portrait.days
    if days.first and days.last:
        yield ""
        yield (
            f"Calls from {days.first} to {days.last} (the period is {portrait.data_from} to"
            f" {portrait.data_to})"
        )


def _over_time(portrait: Portrait, tally: Tally) -> Iterator[str]:
    days, months = (
        portrait.days,
        {code: calls for code, (calls, _days) in portrait.days.months.items()},
    )
    if months:
        yield from ("", "Calls by year", *_bars(portrait.years))
        yield from (
            "",
            "Calls by month",
            *(_bars(months) if len(months) <= MAX_MONTHS else _months_of_years(months)),
        )
    if any(days.weekdays):
        yield from ("", "Calls by weekday", *_bars(dict(zip(WEEKDAYS, days.weekdays, strict=True))))
    if any(days.hours):
        yield from (
            "",
            "Calls by hour",
            *_bars({f"{hour:02d}": n for hour, n in enumerate(days.hours)}),
        )
        yield from (f"  {line}" for line in hour_notes(portrait, tally))


def hour_notes(portrait: Portrait, tally: Tally) -> list[str]:
    """What the hours tell in words."""
    hours = portrait.days.hours
    notes = [f"quietest around {clock(quietest(hours))}, busiest at {clock(busiest(hours))}"]
    if portrait.times.clocks:
        midnight = tally.notes.get("at_midnight", 0)
        notes.append(
            f"calls at exactly midnight: {midnight:,} ({percent(midnight, portrait.calls)})"
        )
    if portrait.days.unknown_hour:
        notes.append(
            f"calls of an unknown hour: {portrait.days.unknown_hour:,}"
            f" ({percent(portrait.days.unknown_hour, portrait.calls)})"
        )
    return notes


def _months_of_years(months: Mapping[str, int]) -> Iterator[str]:
    """A line for each year: the months as columns, from January to December."""
    most = max(months.values())
    for year in dict.fromkeys(code[:4] for code in months):
        mine = {code: n for code, n in months.items() if code.startswith(year)}
        columns = [mine.get(f"{year}-{month:02d}") for month in range(1, 13)]
        drawn = "".join(
            " " if n is None else "_" if n == 0 else _HEIGHTS[min(7, 8 * n // (most + 1))]
            for n in columns
        )
        low, high = min(mine, key=lambda code: mine[code]), max(mine, key=lambda code: mine[code])
        yield f"  {year} {drawn}  fewest {low} ({mine[low]:,}), most {high} ({mine[high]:,})"


def _files(portrait: Portrait) -> Iterator[str]:
    if len(portrait.files) > 1:
        yield from (
            "",
            "Rows of each file",
            *_bars({shown(name): n for name, n in portrait.files.items()}),
        )


def _zones(portrait: Portrait) -> Iterator[str]:
    if portrait.times.offsets:
        yield from (
            "",
            "Zones written behind times",
            *(f"  {line}" for line in zone_notes(portrait)),
        )


def zone_notes(portrait: Portrait) -> list[str]:
    """Of each column whose times name zones: how many, and whether they are the agency's."""
    notes = []
    for column, offsets in portrait.times.offsets.items():
        zones = (
            offsets.lowest
            if offsets.lowest == offsets.highest
            else f"{offsets.lowest} to {offsets.highest}"
        )
        notes.append(
            f"'{shown(column)}': {percent(offsets.given, offsets.texts)} of {offsets.texts:,} times"
            f" ({zones}); {percent(offsets.utc, offsets.given)} of them in UTC, which is moved to"
            f" {portrait.timezone}; {percent(offsets.agreeing, offsets.given)} as"
            f" {portrait.timezone} was at that moment"
        )
    return notes


def _durations(portrait: Portrait) -> Iterator[str]:
    known = {measure: bands for measure, bands in portrait.times.durations.items() if any(bands)}
    if known:
        yield from ("", "Durations (calls)")
        for measure, bands in known.items():
            yield from _flow(
                measure.removeprefix("minutes_"),
                [f"{name}: {n:,}" for name, n in zip(BANDS, bands, strict=True) if n],
            )


def _blanks(portrait: Portrait) -> Iterator[str]:
    blank = {name: column.blank for name, column in portrait.columns.items() if column.blank}
    if blank:
        most_first = sorted(blank, key=lambda name: -blank[name])
        listed = [
            f"'{shown(name)}' {blank[name]:,} ({percent(blank[name], portrait.rows)})"
            for name in most_first
        ]
        yield from ("", "Blank (rows)", *_flow("", listed))


def _values(portrait: Portrait, tally: Tally) -> Iterator[str]:
    if tally.values:
        yield from (
            "",
            f"Values as they are read (rows), the {MAX_VALUES} most frequent of each field",
        )
    for name, report in tally.values.items():
        listed = [value_text(text, code, n) for text, code, n in report.rows[:MAX_VALUES]]
        if len(report.rows) > MAX_VALUES:
            listed.append(f"and {len(report.rows) - MAX_VALUES:,} more")
        yield from _flow(name, listed or [not_listed(portrait, name)])


def not_listed(portrait: Portrait, field: str) -> str:
    """Why the values of a field are not shown."""
    if any(field in column.fields for column in portrait.columns.values()):
        return "not listed here, for they do not look like those of a category"
    return "told from the points of the calls"


def value_text(text: str, code: str, n: int) -> str:
    return f"{shown(text) or BLANK} = {code or 'not used'} {n:,}"


__all__: Sequence[str] = [
    "BLANK",
    "all_unusual",
    "bar",
    "for_screen",
    "hour_notes",
    "not_listed",
    "portrait_text",
    "shown",
    "zone_notes",
]
