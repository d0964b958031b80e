"""The portrait of an export as one HTML file that opens without a network: charts drawn as SVG by
hand, no script, fit for paper. Private."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape

from anonymize.portrait.as_text import BLANK, all_unusual, hour_notes, not_listed, shown, zone_notes
from anonymize.portrait.gather import BANDS, Portrait
from anonymize.portrait.unusual import WEEKDAYS, percent
from anonymize.records.calls import LEFT_OUT, REASONS, Tally

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_TEXT = 80
_STYLE = """
:root { color-scheme: light; --ink: #1d2730; --soft: #5b6873; --line: #d5dbe0; --bar: #2a6f97; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink); background: #fff; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-top: 1px solid var(--line); padding-top:
  .8rem; }
h3 { font-size: 1rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
p, li { max-width: 48rem; overflow-wrap: anywhere; }
.private { font-weight: 600; }
.worth li { margin-bottom: .5rem; }
.wide { overflow-x: auto; }
time { white-space: nowrap; }
svg.chart { width: 100%; min-width: 40rem; height: auto; }
svg.bar { height: .7em; width: 5rem; }
rect { fill: var(--bar); }
line { stroke: var(--line); }
text { font: 11px system-ui, sans-serif; fill: var(--soft); }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
.fields { columns: 26rem; column-gap: 2.5rem; }
.fields section { break-inside: avoid-column; margin-bottom: 1.4rem; }
.fields table { width: 100%; }
@media print { body { max-width: none; font-size: 10pt; padding: 0; } .fields { columns: 20rem; }
  table { font-size: 8.5pt; } th, td { padding-right: .45rem; } h2, h3 { break-after: avoid; } svg,
  tr { break-inside: avoid; } svg.chart { min-width: 0; } svg.bar { width: 2.5rem; } .wide {
  overflow: visible; } rect { print-color-adjust: exact; } }
"""


def portrait_html(portrait: Portrait, tally: Tally) -> str:
    """The whole file. Everything that comes from the export or the agency file is escaped."""
    title = f"Portrait of the export: {shown(portrait.agency, MAX_TEXT)}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        (
            '<p class="private">Private. For the people who prepare the data; it must not leave the'
            " building.</p>"
        ),
        _lead(portrait, tally),
        _section("Worth a look first", _worth(portrait, tally)),
        _over_time(portrait, tally),
        _section("Where every row went", _rows(portrait, tally)),
        _section("Values as they are read", _values(portrait, tally)),
        _section("Durations, in calls", _durations(portrait)),
        _section("Zones written behind times", _list(zone_notes(portrait))),
        _section("Columns that are read", _columns(portrait)),
        _section("Columns that are not read", _list(_unused(portrait))),
        _section("How complete each field is", _completeness(tally)),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport"'
        ' content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _section(title: str, inner: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{inner}\n</section>" if inner else ""


def _list(lines: Sequence[str]) -> str:
    return (
        "<ul>" + "".join(f"<li>{escape(shown(line, len(line)))}</li>" for line in lines) + "</ul>"
        if lines
        else ""
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str | int]], *, bars: bool = False) -> str:
    """Whole numbers stand to the right; with `bars` the last of them is drawn too."""
    rows = list(rows)
    most = max((cell for row in rows for cell in row[-1:] if isinstance(cell, int)), default=0)
    numeric = [bool(rows) and isinstance(rows[0][i], int) for i in range(len(head))]
    top = "".join(
        f'<th scope="col"{" class=n" if right else ""}>{escape(name)}</th>'
        for name, right in zip(head, numeric, strict=True)
    )
    lines = [f"<tr>{top}{'<td></td>' if bars else ''}</tr>"]
    for row in rows:
        cells = "".join(
            (
                f'<td class="n">{cell:,}</td>'
                if isinstance(cell, int)
                else f"<td>{escape(shown(cell, MAX_TEXT))}</td>"
            )
            for cell in row
        )
        lines.append(f"<tr>{cells}{f'<td>{_bar(row[-1], most)}</td>' if bars else ''}</tr>")
    return f'<div class="wide"><table>\n{chr(10).join(lines)}\n</table></div>'


def _bar(n: str | int, most: int) -> str:
    width = 100 * n / most if isinstance(n, int) and most else 0
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect'
        f' width="{width:.1f}" height="10"/></svg>'
    )


def _chart(title: str, counts: Mapping[str, int], labels: Sequence[str]) -> str:
    """Columns from left to right, one for each of `counts`, with `labels` below and, where there is
    room, the numbers above."""
    if not any(counts.values()):
        return ""
    most, width, height, foot, head = max(counts.values()), 900, 170, 20, 18
    step = width / len(counts)
    drawn = []
    for i, ((name, n), label) in enumerate(zip(counts.items(), labels, strict=True)):
        tall = height * n / most
        left, middle = i * step + step * 0.1, i * step + step / 2
        drawn.append(
            f'<rect x="{left:.1f}" y="{head + height - tall:.1f}" width="{step * 0.8:.1f}"'
            f' height="{tall:.1f}"><title>{escape(name)}: {n:,}</title></rect>'
        )
        if len(counts) <= 24:
            drawn.append(
                f'<text x="{middle:.1f}" y="{head + height - tall - 4:.1f}"'
                f' text-anchor="middle">{n:,}</text>'
            )
        if label:
            drawn.append(
                f'<text x="{middle:.1f}" y="{head + height + 15}"'
                f' text-anchor="middle">{escape(label)}</text>'
            )
    base = f'<line x1="0" x2="{width}" y1="{head + height + 0.5}" y2="{head + height + 0.5}"/>'
    ends = list(counts.items())
    told = (
        f"{title}: {len(ends)} columns from {ends[0][0]} ({ends[0][1]:,}) to {ends[-1][0]}"
        f" ({ends[-1][1]:,}); the highest has {most:,}"
    )
    return (
        f'<div class="wide"><svg class="chart" viewBox="0 0 {width} {head + height + foot}" '
        f'role="img" aria-label="{escape(told)}">\n{base}\n{chr(10).join(drawn)}\n</svg></div>'
    )


def _lead(portrait: Portrait, tally: Tally) -> str:
    first, last = portrait.days.first, portrait.days.last
    span = (
        f" The first came in on {_date(first)}, the last on {_date(last)}."
        if first and last
        else ""
    )
    period = (
        f"The period is {_date(portrait.data_from)} to {_date(portrait.data_to)}; clocks are those"
        f" of {escape(portrait.timezone)}."
    )
    return f"<p>{tally.rows:,} rows, {tally.counted:,} calls.{span} {period}</p>"


def _date(day: date) -> str:
    return f"<time>{day}</time>"


def _worth(portrait: Portrait, tally: Tally) -> str:
    lines = all_unusual(portrait, tally)
    return (
        _list(lines).replace("<ul>", '<ul class="worth">', 1)
        if lines
        else "<p>Nothing unusual was seen.</p>"
    )


def _over_time(portrait: Portrait, tally: Tally) -> str:
    days = portrait.days
    months = {code: calls for code, (calls, _days) in days.months.items()}
    hours = {f"{hour:02d}": n for hour, n in enumerate(days.hours)}
    by_hour = _chart("Calls by hour", hours, list(hours))
    sections = [
        _section(
            "Calls by year",
            _table(("Year", "Calls"), list(portrait.years.items()), bars=True) if months else "",
        ),
        _section(
            "Calls by month",
            _chart("Calls by month", months, _month_labels(list(months))) + _month_table(months),
        ),
        _section(
            "Calls by weekday",
            _chart("Calls by weekday", dict(zip(WEEKDAYS, days.weekdays, strict=True)), WEEKDAYS),
        ),
        _section(
            "Calls by hour", f"{by_hour}{_list(hour_notes(portrait, tally))}" if by_hour else ""
        ),
        _section(
            "Rows of each file", _table(("File", "Rows"), list(portrait.files.items()), bars=True)
        ),
    ]
    return "\n".join(section for section in sections if section)


def _month_labels(codes: Sequence[str]) -> list[str]:
    """Months by name where there is room, else the year at each January."""
    if len(codes) <= 24:
        return [
            MONTHS[int(code[5:]) - 1] + (f" {code[2:4]}" if code.endswith("-01") or i == 0 else "")
            for i, code in enumerate(codes)
        ]
    return [code[:4] if code.endswith("-01") else "" for code in codes]


def _month_table(months: Mapping[str, int]) -> str:
    """A row for each year, a column for each month."""
    if not months:
        return ""
    rows = []
    for year in dict.fromkeys(code[:4] for code in months):
        found = [months.get(f"{year}-{month:02d}") for month in range(1, 13)]
        cells = "".join(f'<td class="n">{"" if n is None else format(n, ",")}</td>' for n in found)
        rows.append(f'<tr><th scope="row">{year}</th>{cells}</tr>')
    head = "".join(f'<th scope="col" class="n">{month}</th>' for month in MONTHS)
    return (
        f'<div class="wide"><table>\n<tr><th scope="col">Year</th>{head}</tr>\n'
        f"{chr(10).join(rows)}\n</table></div>"
    )


def _rows(portrait: Portrait, tally: Tally) -> str:
    rows: list[tuple[str, int]] = [
        ("read", tally.rows),
        *(
            (f"left out on purpose: {LEFT_OUT[reason]}", n)
            for reason, n in sorted(tally.left_out.items())
        ),
        ("counted as calls", tally.counted),
        ("further rows of a call already counted", tally.repeated),
    ]
    rows += [
        (f"rejected: {REASONS.get(reason, reason)}", n)
        for reason, n in sorted(tally.rejected.items())
    ]
    if "identical_rows" in tally.notes:
        rows.append(
            (
                "of all rows, those that repeat another in every column",
                tally.notes["identical_rows"],
            )
        )
    if len(portrait.files) > 1:
        rows.append(
            (
                "of all rows, those that repeat a call of another file",
                portrait.repeats_between_files[0],
            )
        )
    return _table(("Rows", "Number"), rows)


def _values(portrait: Portrait, tally: Tally) -> str:
    blocks = []
    for name, report in tally.values.items():
        rows = [(text or BLANK, code or "not used", n) for text, code, n in report.rows]
        inner = (
            _table(("In the export", "Code", "Rows"), rows, bars=True)
            if rows
            else f"<p>{not_listed(portrait, name)}</p>"
        )
        blocks.append(f"<section><h3>{escape(name)}</h3>{inner}</section>")
    return f'<div class="fields">{"".join(blocks)}</div>' if blocks else ""


def _durations(portrait: Portrait) -> str:
    known = {
        name.removeprefix("minutes_").replace("_", " "): bands
        for name, bands in portrait.times.durations.items()
        if any(bands)
    }
    return (
        _table(
            ("How long", *known),
            [(band, *numbers) for band, *numbers in zip(BANDS, *known.values(), strict=True)],
        )
        if known
        else ""
    )


def _columns(portrait: Portrait) -> str:
    columns = portrait.columns
    return _table(
        ("Column", "Read for", "Blank", "Blank rows"),
        [
            (name, ", ".join(column.fields), percent(column.blank, portrait.rows), column.blank)
            for name, column in columns.items()
        ],
        bars=True,
    )


def _unused(portrait: Portrait) -> list[str]:
    parts = len(portrait.files)
    return [
        name if n == parts else f"{name} (in {n} of {parts} files)"
        for name, n in portrait.unused.items()
    ]


def _completeness(tally: Tally) -> str:
    return _table(
        ("Field", "Usable", "Calls with it"),
        [(name, percent(*n), n[0]) for name, n in tally.completeness.items()],
        bars=True,
    )


__all__ = ["portrait_html"]
