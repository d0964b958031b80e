"""The map of one area system with its list: the share of eligible calls that a clinician reached, or calls."""

from __future__ import annotations

from math import floor, log10

import pandas as pd
import streamlit as st

from dashboard import charts, maps
from dashboard.address import choose
from dashboard.answers import ELIGIBLE, REACHED
from dashboard.language import _, number, percent, pick
from dashboard.release import ROOT, CountTable, Release
from dashboard.skeleton import (
    Page,
    colours,
    hidden_points,
    hidden_shares,
    period_title,
    period_words,
    periods,
    point_tables,
    screen_width,
    share_tables,
)
from dashboard.views import Point, along, shares_of

SHARE_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Lower edges of the map's classes: the same for every release, so that colours keep their meaning."""


def systems(release: Release) -> list[str]:
    """Area systems that some table publishes below the whole, those with a map first."""
    found = [name for name in release.area_systems() if release.find(name) or release.find(name, "responder", where=ELIGIBLE)]
    return sorted(found, key=lambda name: name not in release.outlines)


def share_class(share: float | None) -> int | None:
    return None if share is None else sum(share >= edge for edge in SHARE_EDGES) - 1


def count_edges(release: Release, table: CountTable, system: str, level: str) -> list[int]:
    """Lower edges of five classes of counts, from all periods of the release at once: filters never move them."""
    values = sorted(
        p.value
        for period in [c.code for name in table.levels.get("period", (ROOT,)) for c in release.codelists["period"].at(name)]
        for p in along(release, table, system, level, {"period": period})
        if p.value is not None
    ) if "period" in table.levels else sorted(p.value for p in along(release, table, system, level, {}) if p.value is not None)  # fmt: skip
    if not values:
        return [0]
    edges = {0}
    for i in range(1, 5):
        raw = values[len(values) * i // 5]
        unit = 10 ** max(0, floor(log10(raw)) - 1) if raw > 0 else 1
        edges.add(raw // unit * unit)
    return sorted(edges)


def count_class(value: int | None, edges: list[int]) -> int | None:
    return None if value is None else sum(value >= edge for edge in edges) - 1


def _legend(classes: list[str], hatched: str) -> None:
    """The map's key as a row of words and swatches; hatching has its own entry."""
    palette = colours()
    swatches = [
        f'<span style="white-space:nowrap;margin-right:1em"><span aria-hidden="true" style="display:inline-block;width:1em;height:1em;'
        f'border:1px solid {palette.outline};background:{palette.classes[i]};vertical-align:-0.15em"></span> {words}</span>'
        for i, words in enumerate(classes)
    ]
    hatch = f"repeating-linear-gradient(135deg,{palette.outline} 0 1px,transparent 1px 5px)"
    swatches.append(
        f'<span style="white-space:nowrap"><span aria-hidden="true" style="display:inline-block;width:1em;height:1em;'
        f'border:1px solid {palette.outline};background:{hatch};vertical-align:-0.15em"></span> {hatched}</span>'
    )
    st.html(f'<div style="line-height:1.9">{"".join(swatches)}</div>')


def show(page: Page, system: str) -> None:
    """Filters, map, list and table of one area system."""
    release = page.release
    covered = release.find(system, "responder", where=ELIGIBLE)
    table = covered or release.find(system, "period") or release.find(system)
    assert table is not None
    level_names = {level: _level_name(release, system, level) for level in reversed(table.levels[system]) if level != ROOT}
    level = choose("level", _("Size of area"), level_names) if len(level_names) > 1 else next(iter(level_names))
    fixed = {}
    if len(table.levels.get("period", ())) > 1:
        fixed["period"] = choose("year", _("Period"), periods(release, table))
    when = period_title(release, fixed.get("period", ROOT))
    if covered is not None:
        _coverage(page, covered, system, level, fixed, when)
    else:
        _counts(page, table, system, level, fixed, when)


def _unplaced(code: str) -> bool:
    """Calls without a known place come last in a list."""
    return "unknown" in code.split(".")


def _level_name(release: Release, system: str, level: str) -> str:
    """A word for a level: how many areas it has."""
    known = [code for code in release.codelists[system].at(level) if not _unplaced(code.code)]
    return _("{count} areas, such as {example}").format(count=number(len(known)), example=pick(known[0].label))


def _coverage(page: Page, table: CountTable, system: str, level: str, fixed: dict[str, str], when: str) -> None:
    shares = shares_of(page.release, table, system, level, REACHED, fixed)
    listed = sorted(shares, key=lambda s: (_unplaced(s.code), s.share is None, -(s.share or 0.0), s.label))
    title = _("Calls that a clinician reached, by area, {period}").format(period=when)
    frame = maps.outlines(page.release, system, level)
    edges = [*SHARE_EDGES, 1.0]
    if frame is None:
        st.caption(_("There is no map of these areas, so they are listed."))
    else:
        places = {s.code: maps.Place(s.code, s.label, share_class(s.share), charts.share_words(s)) for s in shares}
        st.header(title, anchor=False)
        st.pydeck_chart(
            maps.deck(frame, places, colours(), width=screen_width()), height=460, alt=charts.describe(_("Map"), title, when, shares)
        )
        _legend([f"{percent(edges[i])}–{percent(edges[i + 1])}" for i in range(5)], _("withheld or too few"))
    shown, data = share_tables(listed, _("Area"), {"table": table.name, "eligible": "yes", **fixed})
    page.figure(
        title=title if frame is None else _("The same areas as a list, {period}").format(period=when),
        chart=charts.dots(listed, colours()),
        alt=charts.describe(_("Dot chart with intervals"), title, when, listed),
        table=shown, data=data, file=("coverage", level, *[c for c in fixed.values() if c != ROOT]), hidden=hidden_shares(shares),
        note=_("The line through each dot is the 95 % interval: where the true share may lie, given chance."),
    )  # fmt: skip


def _counts(page: Page, table: CountTable, system: str, level: str, fixed: dict[str, str], when: str) -> None:
    release = page.release
    points = along(release, table, system, level, fixed)
    title = _("Calls by area, {period}").format(period=when)
    frame = maps.outlines(release, system, level)
    edges = count_edges(release, table, system, level)
    if frame is None:
        st.caption(_("There is no map of these areas, so they are listed."))
    else:
        places = {p.code: maps.Place(p.code, p.label, count_class(p.value, edges), _count_words(p)) for p in points}
        st.header(title, anchor=False)
        st.pydeck_chart(
            maps.deck(frame, places, colours(), width=screen_width()), height=460, alt=charts.describe(_("Map"), title, when, points)
        )
        _legend([_class_words(release, edges, i) for i in range(len(edges))], _("withheld"))
    listed = sorted(points, key=lambda p: (_unplaced(p.code), p.value is None, -(p.value or 0), p.label))
    shown, data = point_tables(listed, _("Area"), _("Calls"), {"table": table.name, **fixed})
    page.figure(
        title=title if frame is None else _("The same areas as a list, {period}").format(period=when),
        chart=charts.bars(listed, colours()) if len(listed) <= 40 else None,
        alt=charts.describe(_("Bar chart"), title, when, listed),
        table=shown, data=data, file=("calls-by-area", level, *[c for c in fixed.values() if c != ROOT]), hidden=hidden_points(points),
    )  # fmt: skip


def _class_words(release: Release, edges: list[int], i: int) -> str:
    """The counts of one class; below the threshold only 0 is ever published."""
    if i == len(edges) - 1:
        return _("{count} or more").format(count=number(edges[i]))
    last = 0 if edges[i + 1] <= release.threshold else edges[i + 1] - 1
    return number(last) if last == edges[i] else f"{number(edges[i])}–{number(last)}"


def _count_words(point: Point) -> str:
    return point.shown if point.value is None else _("{count} calls").format(count=point.shown)


def by_hour(page: Page, table: CountTable) -> None:
    """Coverage by time of day: a bar for each block of hours."""
    release = page.release
    level = table.levels["hour"][1]
    shares = shares_of(release, table, "hour", level, REACHED, {})
    title = _("Calls that a clinician reached, by time of day, {period}").format(period=period_words(release))
    shown, data = share_tables(shares, _("Time of day"), {"table": table.name, "eligible": "yes"})
    page.figure(
        title=title, chart=charts.share_bars(shares, colours()),
        alt=charts.describe(_("Bar chart"), title, period_words(release), shares), table=shown, data=data, file=("coverage", "time-of-day"),
        hidden=hidden_shares(shares),
    )  # fmt: skip


def staffed(page: Page) -> None:
    """Demand beside staffed hours, by day and block of hours, and where they part."""
    release = page.release
    hours = release.reference("staffed_hours")
    demand = release.find("weekday", "hour")
    if hours is None:
        page.not_reported(_("hours with a team on duty"))
        return
    year = max(hours["year"])
    days = [code for code in release.codelists["weekday"].at("day") if code.code.isdigit()] if "weekday" in release.codelists else []
    blocks = [code for code in release.codelists["hour"].at("block") if code.code[:2].isdigit()] if "hour" in release.codelists else []
    weeks = 365.25 / 7
    rows = hours[hours["year"] == year].astype({"hours": float})
    # Every hour of a block is listed, so this mean leaves nothing out.
    at = {
        (d, b.code): rows[(rows["weekday"] == d) & rows["hour"].between(b.code[:2], b.code[3:5])]["hours"].mean()
        for d in sorted(set(rows["weekday"]))
        for b in blocks
    }
    title = _("Teams on duty, by day and time, {period}").format(period=year)
    cells = [
        (pick(b.label), pick(d.label)[:3], at.get((d.code, b.code), 0.0) / weeks, number(round(at.get((d.code, b.code), 0.0) / weeks, 1)))
        for b in blocks
        for d in days
    ]
    if not cells:
        page.not_reported(_("hours with a team on duty, by day and time"))
        return
    page.figure(
        title=title, chart=charts.grid(cells, colours()), alt=_("Grid of numbers: how many teams were on duty on average, by day of the week and time of day."),
        table=pd.DataFrame([{_("Time of day"): row, _("Day"): column, _("Teams on duty"): text} for row, column, _value, text in cells]),
        data=hours, file=("staffed-hours", year), note=_("1.0 means that one team with both an officer and a clinician was on duty the whole time."),
    )  # fmt: skip
    if demand is None or "block" not in demand.levels["hour"] or "day" not in demand.levels["weekday"]:
        page.not_reported(_("calls by day and time"))
        return
    fixed = {"period": year} if "period" in demand.levels and year in {c.code for c in release.codelists["period"].at("year")} else {}
    gaps = []
    for d in days:
        for b in blocks:
            count, _status = demand.cell({**fixed, "weekday": d.code, "hour": b.code})
            duty = at.get((d.code, b.code), 0.0) / weeks
            gaps.append((pick(d.label), pick(b.label), count, duty))
    gaps.sort(key=lambda g: (g[3] > 0.05, -(g[2] or 0) / max(g[3], 0.05), g[0]))
    listed = gaps[:10]
    page.rows(
        title=_("The ten widest gaps: many calls, few teams"),
        table=pd.DataFrame([{_("Day"): d, _("Time of day"): b, _("Crisis calls in the year"): number(n) if n is not None else _("withheld"),
                             _("Teams on duty"): number(round(duty, 1))} for d, b, n, duty in listed]),
        data=pd.DataFrame(gaps, columns=["weekday", "hours", "calls", "teams_on_duty"]), file=("gaps", year),
        note=_("Ordered by calls for each team on duty; times without any team come first."),
    )  # fmt: skip


__all__ = ["by_hour", "show", "staffed", "systems"]
