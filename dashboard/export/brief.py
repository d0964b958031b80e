"""The council brief: two pages to print, for a district and a year, as tagged PDF (Typst) and as
its HTML twin.

Both are made from one list of parts, so that they say the same in the same order.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import segno
import typst

from dashboard.export import chart_image, downloads, static_style
from dashboard.export.html_surface import scrolling, table_html, text_html
from dashboard.figures import charts
from dashboard.figures.figure import Figure
from dashboard.figures.figure_kinds import point_tables, share_tables
from dashboard.findings.comparisons import comparison
from dashboard.findings.coverage import gaps
from dashboard.findings.program import events, letters, point
from dashboard.findings.targets import targets
from dashboard.numbers.cells import Share, along, label_of, marked, missing_word
from dashboard.numbers.measures import measure, numbers_at
from dashboard.page.page import areas, field_name
from dashboard.page.standard_texts import made_up, uncollected, uncollected_note
from dashboard.release.reader import NOT_COLLECTED, ROOT, SUPPRESSED, CountTable, Release
from dashboard.text import language
from dashboard.text.language import _, day, number, percent, pick, rounded, unmarked

TEMPLATE = Path(__file__).parent / "brief.typ"
LOW = 90
"""A field filled in fewer calls than this, in percent, is named."""
MAX_GAPS = 5


@dataclass(frozen=True)
class Part:
    """One part of the brief: a heading, then sentences, a list, a table, a chart, or an address to
    scan (`scan`)."""

    heading: str
    text: str = ""
    items: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    figure: Figure | None = None
    scan: str = ""


@dataclass(frozen=True)
class Brief:
    title: str
    subtitle: str
    notice: str
    parts: tuple[Part, ...]
    foot: str
    release: Release
    letters: float = 9.2
    """Their size in points."""
    paper: str = "us-letter"
    """As Typst names it."""
    charts: int = 100
    """Their width, in percent of a line."""


def districts(release: Release) -> dict[str, str]:
    """Codes and labels of the places a brief can be made for: the whole, and the areas of the first
    level below it."""
    table = release.find("area", "period")
    if table is None:
        return {ROOT: pick(release.agency["place"])}
    first = table.levels["area"][1]
    named = areas(release, table, "area")
    kept = {
        code: words
        for code, words in named.items()
        if code == ROOT or release.codelists["area"].codes[code].level == first
    }
    return {code: words for code, words in kept.items() if code != "unknown"}


def years(release: Release) -> dict[str, str]:
    """Codes and labels of the years of the release, the last first."""
    return {c.code: pick(c.label) for c in reversed(release.codelists["period"].at("year"))} or {
        ROOT: label_of(release, "period", ROOT)
    }


def compose(release: Release, area: str, year: str) -> Brief:
    """The brief in the reader's language. `area` and `year` are codes; figures that the release
    lacks are named as such."""
    place = districts(release).get(area, pick(release.agency["place"]))
    found = [
        _scorecard(release, year),
        _beside_city(release, area, place, year),
        _calls(release, area, place, year),
        _coverage(release, area, place, year),
    ]
    parts = [part for part in found if part is not None]
    parts += [_gaps(release), _quality(release), _questions(release, found), _definitions()]
    return Brief(
        title=_("Council brief: {place}, {year}").format(
            place=place, year=label_of(release, "period", year)
        ),
        subtitle=_("{agency}. Release {version}, data to {day}.").format(
            agency=pick(release.agency["name"]), version=release.version, day=day(release.data_to)
        ),
        notice=made_up() if release.agency["fictional"] else "",
        parts=tuple(parts),
        foot=_(
            "Source: {publisher}. Questions: {contact}. A number that is withheld may be zero,"
            " small or large."
        ).format(
            publisher=release.package["contributors"][0]["title"], contact=release.agency["contact"]
        ),
        release=release,
    )


def _scorecard(release: Release, year: str) -> Part | None:
    listed = [t for t in targets(release) if t.year == year]
    if not listed:
        return None
    return Part(
        _("Targets for the whole city"),
        columns=(_("Measure"), _("Target"), _("Actual"), _("Year before"), _("Trend"), _("Result")),
        rows=tuple(
            (t.plain, t.target_words, t.actual, t.before, t.trend, t.result_words) for t in listed
        ),
    )


def _year(table: CountTable, year: str) -> dict[str, str]:
    return {"period": year} if "year" in table.levels.get("period", ()) else {}


def _beside_city(release: Release, area: str, place: str, year: str) -> Part | None:
    """What the release says of this place and of the whole."""
    before = str(int(year) - 1) if year.isdigit() else ""
    known = release.codelists["period"].codes
    spans = [y for y in (year, before) if y in known]
    rows: list[tuple[str, ...]] = []
    counted = release.find("area", "period")
    if counted:
        rows.append(
            (
                _("Crisis calls"),
                *(
                    point(release, counted, "area", a, {"period": y}).brief
                    for y in spans
                    for a in _pair(area)
                ),
            )
        )
    covered = measure("coverage").table(release, "area", "period")
    if covered:
        rows.append(
            (
                _("Reached by a clinician"),
                *(_share(release, covered, a, y).brief for y in spans for a in _pair(area)),
            )
        )
    waits = release.statistic("minutes_call_to_arrival", "area", "period")
    if waits:
        places = [{"area": a, "period": y} for y in spans for a in _pair(area)]
        found = [
            numbers_at(waits, place) if waits.has(place) else (None, SUPPRESSED) for place in places
        ]
        words = [
            marked(number(cell["median"]), status) if cell else missing_word(status)
            for cell, status in found
        ]
        rows.append((_("Half of the waits are up to about (minutes)"), *words))
    if not rows:
        return None
    city = pick(release.agency["place"])
    heads = [f"{place if a == area else city}, {y}" for y in spans for a in _pair(area)]
    return Part(
        _("The year in numbers: {place}").format(place=place),
        columns=(_("Measure"), *heads),
        rows=tuple(rows),
    )


def _pair(area: str) -> tuple[str, ...]:
    return (area,) if area == ROOT else (area, ROOT)


def _share(release: Release, table: CountTable, area: str, year: str) -> Share:
    at = {"period": year} if year else {}
    label = label_of(release, "area", area)
    return measure("coverage").share_at(table, {"area": area, **at}, area, label)


def _calls(release: Release, area: str, place: str, year: str) -> Part | None:
    table = release.find("area", "period")
    if table is None:
        return None
    points = along(release, table, "period", table.finest("period"), {"area": area})
    title = _("Calls over time: {choice}").format(choice=place)
    shown, data = point_tables(points, _("Period"), _("Calls"), {"table": table.name, "area": area})
    changes = events(release, [p.code for p in points])
    figure = Figure(
        "calls",
        title,
        charts.describe(_("Line chart"), title, year, points),
        shown,
        data,
        ("brief-calls",),
        draw=partial(charts.trend, points, _("Calls"), events=letters(changes)),
    )
    legend = " ".join(
        [*(f"{e.letter}: {e.words}" for e in changes), uncollected_note(release)]
    ).strip()
    return Part(title, text=legend, figure=figure)


def _coverage(release: Release, area: str, place: str, year: str) -> Part | None:
    table = measure("coverage").table(release, "area")
    if table is None:
        return None
    levels, codes = table.levels["area"], release.codelists["area"].codes
    here = levels.index(codes[area].level) if codes[area].level in levels else 0
    below = levels[min(here + 1, len(levels) - 1)]
    listed = [c.code for c in release.codelists["area"].under(area, below)] or [area]
    at = year if "year" in table.levels.get("period", ()) else ""
    shares = [_share(release, table, code, at) for code in listed]
    title = _("Calls that a clinician reached: {area}, {period}").format(area=place, period=year)
    shown, data = share_tables(
        shares, _("Area"), {"table": table.name, "eligible": "yes", "period": at}
    )
    figure = Figure(
        "coverage",
        title,
        charts.describe(_("Dot chart with likely ranges"), title, year, shares),
        shown,
        data,
        ("brief-coverage",),
        draw=partial(charts.dots, shares),
    )
    return Part(
        title,
        text=_("The line through each dot is its likely range: the true share is probably in it."),
        figure=figure,
    )


def _gaps(release: Release) -> Part:
    found = gaps(release, MAX_GAPS)
    if not found:
        return Part(
            _("Gaps in coverage"),
            text=_("This agency does not report this yet: {what}.").format(
                what=_("hours with a team on duty, by day and time")
            ),
        )
    items = tuple(
        _("{day}, {hours}: {calls} crisis calls in the year, {teams} teams on duty").format(
            day=g.day,
            hours=g.hours,
            calls=(
                number(g.calls)
                if g.calls is not None
                else (
                    _("an unknown number of")
                    if g.status == NOT_COLLECTED
                    else _("a withheld number of")
                )
            ),
            teams=rounded(g.teams),
        )
        for g in found
    )
    return Part(
        _("Gaps in coverage"),
        text=_("Many calls, few teams. The whole city, in order of the week:"),
        items=items,
    )


def _quality(release: Release) -> Part:
    complete = release.package.get("completeness", {})
    low = [
        _("{field}: {percent}").format(field=field_name(release, n), percent=percent(s / 100))
        for n, s in complete.items()
        if s < LOW
    ]
    text = _("{withheld} of {cells} published counts are withheld to protect people.").format(
        withheld=number(release.withheld), cells=number(release.counts)
    )
    text += " " + (
        _("Filled in fewer than 9 of 10 calls: {list}.").format(list="; ".join(low))
        if low
        else _("Every field is filled in at least 9 of 10 calls.")
    )
    return Part(_("How good are the data?"), text=text, items=tuple(uncollected(release)))


def _questions(release: Release, found: Sequence[Part | None]) -> Part:
    """What these numbers leave open, for the meeting."""
    items = [
        _("Would the people reached have fared worse without a team? These numbers cannot tell.")
    ]
    if comparison(release, "compare_arrest") is None:
        items.append(
            _("How do similar calls end when no team is free? The agency does not report it.")
        )
    if release.find("eligible"):
        items.append(
            _("How many calls that nobody checked against the criteria would have met them?")
        )
    if budget_ends := _ending(release):
        items.append(budget_ends)
    if not all(found):
        items.append(
            _(
                "Some figures are missing above, because the agency does not report them. Which"
                " should it report next?"
            )
        )
    return Part(_("Open questions"), items=tuple(items))


def _ending(release: Release) -> str:
    budget = release.reference("budget")
    if budget is None:
        return ""
    ends = sorted(
        (row["ends"], language.text(row, "source"))
        for row in budget.to_dict("records")
        if row["ends"]
    )
    if not ends:
        return ""
    return _("What comes after {source} ends on {day}?").format(
        source=ends[0][1], day=day(date.fromisoformat(ends[0][0]))
    )


def _definitions() -> Part:
    wanted = ("calls", "eligible", "coverage", "wait", "connected")
    listed = [measure(name) for name in wanted]
    items = tuple(f"{m.plain}: {m.meaning(caveat=False)}" for m in listed)
    return Part(_("What the words mean"), items=items)


def scan_code(address: str) -> str:
    """A QR code as SVG, black on white in every light. A quarter of it may be lost."""
    drawn = io.BytesIO()
    segno.make_qr(address, error="q").save(
        drawn, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False
    )
    return drawn.getvalue().decode()


def scan_words(address: str) -> str:
    return _("QR code that leads to {address}").format(address=address)


def pdf(brief: Brief) -> bytes:
    """PDF/UA-1: tagged, with title, language, reading order and alternative texts; Typst refuses to
    write it otherwise."""
    with _typeset(brief) as (source, settings):
        compiled = typst.compile(source, format="pdf", pdf_standards=["ua-1"], **settings)
        return bytes(compiled)


def pages(brief: Brief) -> int:
    """How many pages it takes."""
    with _typeset(brief) as (source, settings):
        return int(typst.query(source, "<pages>", field="value", one=True, **settings))


@contextmanager
def _typeset(brief: Brief) -> Iterator[tuple[str, dict[str, Any]]]:
    """The template in a folder with the charts that it shows, and how Typst is to read it."""
    with tempfile.TemporaryDirectory(prefix="brief-") as scratch:
        root = Path(scratch)
        (root / "brief.typ").write_bytes(TEMPLATE.read_bytes())
        parts = []
        for number_of, part in enumerate(brief.parts):
            made = {
                "heading": part.heading,
                "text": part.text,
                "items": part.items,
                "columns": part.columns,
                "rows": part.rows,
                "image": "",
                "alt": "",
            }
            if part.figure:
                made["image"] = f"{number_of}.png"
                made["alt"] = part.figure.alt
                drawn = chart_image.chart_svg(part.figure, chart_image.INSIDE)
                (root / f"{number_of}.png").write_bytes(
                    chart_image.png(chart_image.on_ground(drawn))
                )
            if part.scan:
                made["image"] = f"{number_of}.svg"
                made["alt"] = scan_words(part.scan)
                (root / f"{number_of}.svg").write_bytes(scan_code(part.scan).encode())
            parts.append(made)
        made_on = date.fromisoformat(brief.release.package["created"][:10])
        content = {
            "title": brief.title,
            "subtitle": brief.subtitle,
            "notice": brief.notice,
            "foot": brief.foot,
            "parts": parts,
            "lang": language.current().partition("_")[0],
            "author": brief.release.package["contributors"][0]["title"],
            "date": [made_on.year, made_on.month, made_on.day],
            "page": _("Page"),
            "letters": brief.letters,
            "paper": brief.paper,
            "charts": brief.charts,
        }
        yield (
            str(root / "brief.typ"),
            {
                "root": str(root),
                "ignore_system_fonts": True,
                "sys_inputs": {"content": unmarked(json.dumps(content, ensure_ascii=False))},
            },
        )


def html(brief: Brief) -> bytes:
    """The same parts as one file without scripts or other files."""
    body = [f"<h1>{text_html(brief.title)}</h1><p>{text_html(brief.subtitle)}</p>"]
    if brief.notice:
        body.append(f'<p class="notice">{text_html(brief.notice)}</p>')
    for part in brief.parts:
        body.append(f"<h2>{text_html(part.heading)}</h2>")
        if part.text:
            body.append(f"<p>{text_html(part.text)}</p>")
        if part.items:
            body.append(
                "<ul>" + "".join(f"<li>{text_html(item)}</li>" for item in part.items) + "</ul>"
            )
        if part.columns:
            body.append(scrolling(table_html(part.columns, part.rows, part.heading), part.heading))
        if part.figure:
            drawn = chart_image.following_the_reader(
                chart_image.chart_svg(part.figure, chart_image.INSIDE)
            )
            label = f'<svg role="img" aria-label="{escape(part.figure.alt)}"'
            body.append(f'<div class="figure">{drawn.replace("<svg", label, 1)}</div>')
        if part.scan:
            label = f'<svg role="img" aria-label="{escape(scan_words(part.scan))}"'
            drawn = scan_code(part.scan).replace("<svg", label, 1)
            body.append(f'<div class="figure">{drawn}</div>')
    body.append(f"<footer><p>{text_html(brief.foot)}</p></footer>")
    return (
        f'<!doctype html><html {language.of_page()}><head><meta charset="utf-8"><meta'
        ' name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(unmarked(brief.title))}</title><style>{static_style.stylesheet()}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    ).encode()


def pdf_of(release: Release, area: str, year: str) -> bytes:
    return pdf(compose(release, area, year))


def html_of(release: Release, area: str, year: str) -> bytes:
    return html(compose(release, area, year))


def file_name(release: Release, area: str, year: str, suffix: str) -> str:
    return downloads.file_name(
        "council-brief", area, year, "release", release.version, language.current(), suffix=suffix
    )
