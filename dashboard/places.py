"""The map of one area system with its list: the share of eligible calls that a clinician reached, or calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from math import floor, log10

import pandas as pd

from dashboard import charts, maps
from dashboard.answers import ELIGIBLE, REACHED
from dashboard.language import _, number, percent, pick, rounded
from dashboard.program import changed_within, last_year
from dashboard.release import NOT_COLLECTED, PUBLISHED, ROOT, SUPPRESSED, Code, CountTable, Release
from dashboard.skeleton import (
    Page,
    hidden_points,
    hidden_shares,
    period_title,
    periods,
    point_tables,
    share_tables,
)
from dashboard.surface import choose
from dashboard.views import Point, along, in_part, not_collected_word, shares_of

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
    listed = sorted(shares, key=lambda s: (_unplaced(s.code), s.label))  # by name: an order by share would mostly be an order by chance
    title = _("Calls that a clinician reached, by area, {period}").format(period=when)
    frame = maps.outlines(page.release, system, level)
    edges = [*SHARE_EDGES, 1.0]
    shown, data = share_tables(listed, _("Area"), {"table": table.name, "eligible": "yes", **fixed})
    file = ("coverage", level, *[c for c in fixed.values() if c != ROOT])
    if frame is None:
        page.caption(_("There is no map of these areas, so they are listed."))
    else:
        places = {s.code: maps.Place(s.code, s.label, share_class(s.share), charts.share_words(s)) for s in shares}
        classes = [f"{percent(edges[i])}–{percent(edges[i + 1])}" for i in range(5)]
        page.figure(
            title=title, map=maps.Map(frame, places, tuple(classes), _hatched(_("withheld or too few"), (s.whole for s in shares))), alt=charts.describe(_("Map"), title, when, shares),
            table=shown, data=data, file=("map", *file), hidden=hidden_shares(shares),
        )  # fmt: skip
    page.figure(
        title=title if frame is None else _("The same areas as a list, {period}").format(period=when),
        draw=partial(charts.dots, listed),
        alt=charts.describe(_("Dot chart with likely ranges"), title, when, listed),
        table=shown, data=data, file=file, hidden=hidden_shares(shares),
        note=_("The line through each dot is its likely range: where the true share may lie, given chance."),
    )  # fmt: skip


def _counts(page: Page, table: CountTable, system: str, level: str, fixed: dict[str, str], when: str) -> None:
    release = page.release
    points = along(release, table, system, level, fixed)
    title = _("Calls by area, {period}").format(period=when)
    frame = maps.outlines(release, system, level)
    edges = count_edges(release, table, system, level)
    listed = sorted(points, key=lambda p: (_unplaced(p.code), p.value is None, -(p.value or 0), p.label))
    shown, data = point_tables(listed, _("Area"), _("Calls"), {"table": table.name, **fixed})
    file = ("calls-by-area", level, *[c for c in fixed.values() if c != ROOT])
    if frame is None:
        page.caption(_("There is no map of these areas, so they are listed."))
    else:
        places = {p.code: maps.Place(p.code, p.label, count_class(p.value, edges), _count_words(p)) for p in points}
        classes = [_class_words(release, edges, i) for i in range(len(edges))]
        page.figure(
            title=title, map=maps.Map(frame, places, tuple(classes), _hatched(_("withheld"), points)), alt=charts.describe(_("Map"), title, when, points),
            table=shown, data=data, file=("map", *file), hidden=hidden_points(points),
        )  # fmt: skip
    page.figure(
        title=title if frame is None else _("The same areas as a list, {period}").format(period=when),
        draw=partial(charts.bars, listed) if len(listed) <= 40 else None,
        alt=charts.describe(_("Bar chart"), title, when, listed),
        table=shown, data=data, file=file, hidden=hidden_points(points),
    )  # fmt: skip


def _hatched(words: str, points: Iterable[Point]) -> str:
    """What hatching means: days are missing for all areas of a map alike."""
    return not_collected_word() if all(p.status == NOT_COLLECTED for p in points) else words


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
    # One year: two with other hours of service would make a mean that was never true.
    fixed = {"period": last_year(release, table)} if len(table.levels.get("period", ())) > 1 else {}
    when = period_title(release, fixed.get("period", ROOT))
    shares = shares_of(release, table, "hour", level, REACHED, fixed)
    title = _("Calls that a clinician reached, by time of day, {period}").format(period=when)
    shown, data = share_tables(shares, _("Time of day"), {"table": table.name, "eligible": "yes", **fixed})
    page.figure(
        title=title, draw=partial(charts.share_bars, shares),
        alt=charts.describe(_("Bar chart"), title, when, shares), table=shown, data=data, file=("coverage", "time-of-day", *fixed.values()),
        hidden=hidden_shares(shares), note=changed_within(release, fixed.get("period", ROOT)),
    )  # fmt: skip


NOBODY = 0.05
"""Teams on average, at or under which there is none."""
WEEKS = 365.25 / 7


@dataclass(frozen=True)
class Gap:
    """One block of hours of one day of the week: calls in a year (None where there is no number), and teams on duty on average."""

    day: str
    hours: str
    calls: int | None
    status: str
    teams: float

    hours_long: int = 1

    @property
    def calls_shown(self) -> str:
        return Point("", "", self.calls, self.status).shown

    @property
    def none(self) -> bool:
        return self.teams <= NOBODY

    @property
    def per_hour(self) -> float | None:
        """Calls for each hour that a team was on duty; none without a team, or where calls are withheld or not all collected."""
        known = self.calls if self.status == PUBLISHED else None
        return None if self.none or known is None else known / (self.teams * WEEKS * self.hours_long)


@dataclass(frozen=True)
class Duty:
    """Teams on duty in the last year reported, by (weekday, block of hours)."""

    year: str
    days: tuple[Code, ...]
    blocks: tuple[Code, ...]
    teams: Mapping[tuple[str, str], float]


@lru_cache(maxsize=16)
def duty(release: Release, coarse: bool = False) -> Duty | None:
    """None where the agency does not report staffed hours, or not by day and time. By the hour where calls are, else (or `coarse`) by blocks of hours."""
    hours = release.reference("staffed_hours")
    if hours is None or "weekday" not in release.codelists or "hour" not in release.codelists:
        return None
    days = tuple(code for code in release.codelists["weekday"].at("day") if code.code.isdigit())
    demand = release.find("weekday", "hour")
    level = "hour" if demand is not None and "hour" in demand.levels["hour"] and not coarse else "block"
    blocks = tuple(code for code in release.codelists["hour"].at(level) if code.code[:2].isdigit())
    if not days or not blocks:
        return None
    year = max(hours["year"])
    rows = hours[hours["year"] == year].astype({"hours": float})
    # Every hour of a block is listed, so this mean leaves nothing out.
    teams = {
        (d.code, b.code): float(rows[(rows["weekday"] == d.code) & rows["hour"].between(b.code[:2], b.code[-2:])]["hours"].mean()) / WEEKS
        for d in days
        for b in blocks
    }
    return Duty(year, days, blocks, {key: value if value == value else 0.0 for key, value in teams.items()})


def week(release: Release, *, coarse: bool = False) -> list[Gap]:
    """Every time of the week: calls in the year beside teams on duty."""
    found, demand = duty(release, coarse), release.find("weekday", "hour")
    if found is None or demand is None or demand.levels["hour"][-1] not in ("block", "hour") or "day" not in demand.levels["weekday"]:
        return []
    fixed = (
        {"period": found.year}
        if "period" in demand.levels and found.year in {c.code for c in release.codelists["period"].at("year")}
        else {}
    )
    return [
        Gap(
            pick(d.label),
            pick(b.label),
            *demand.cell({**fixed, "weekday": d.code, "hour": b.code}),
            found.teams[d.code, b.code],
            1 if len(b.code) == 2 else 4,
        )
        for b in found.blocks
        for d in found.days
    ]


MOST_GAPS = 10


def gaps(release: Release, most: int = MOST_GAPS) -> list[Gap]:
    """Blocks of hours with the most calls for each team on duty, or with no team at all, in order of the week.

    Blocks, not single hours, and no order by size: much of a finer order would be chance.
    """
    times = week(release, coarse=True)
    widest = sorted(range(len(times)), key=lambda i: (not times[i].none, -(times[i].calls or 0) / max(times[i].teams, NOBODY), i))[:most]
    days = list(dict.fromkeys(t.day for t in times))
    return sorted((times[i] for i in widest), key=lambda g: (days.index(g.day), g.hours))


def staffed(page: Page) -> None:
    """Demand beside staffed hours, by day and block of hours, and where they part."""
    release = page.release
    hours, found = release.reference("staffed_hours"), duty(release)
    if hours is None:
        page.not_reported(_("hours with a team on duty"))
        return
    if found is None:
        page.not_reported(_("hours with a team on duty, by day and time"))
        return
    times = week(release)
    at = dict(zip(product((b.code for b in found.blocks), (d.code for d in found.days)), times, strict=True)) if times else {}
    data = pd.DataFrame(
        [{"year": found.year, "hour": b.code}
         | {f"calls_{d.code}": at[b.code, d.code].calls if at else None for d in found.days}
         | {f"calls_{d.code}_status": at[b.code, d.code].status for d in found.days if at}
         | {f"teams_{d.code}": round(found.teams[b_d], 4) for d in found.days for b_d in [(d.code, b.code)]} for b in found.blocks]
    ).astype({f"calls_{d.code}": "Int64" for d in found.days})  # fmt: skip
    names = {pick(b.label): b.label["en"][:5] if len(b.code) == 2 else pick(b.label) for b in found.blocks}

    def shaded(title: str, file: str, alt: str, value: Callable[[Gap], float | None], words: Callable[[Gap], str], note: str) -> None:
        cells = [(names[t.hours], t.day[:3], value(t), words(t)) for t in times]
        called = file != "staffed-hours"
        page.figure(
            title=title, draw=partial(charts.grid, cells), alt=alt,
            table=pd.DataFrame([{_("Time of day"): pick(b.label)} | {t.day: words(t) for t in times if t.hours == pick(b.label)} for b in found.blocks]),
            data=data,
            file=(file, found.year), note=note, hidden=sum(t.status == SUPPRESSED for t in times) if called else 0, statuses=[t.status for t in times] if called else (),
        )  # fmt: skip

    if times:
        shaded(
            _("Crisis calls, by day and time, {period}").format(period=found.year), "demand",
            _("Grid of numbers: how many crisis calls came in during the year, by day of the week and time of day."),
            lambda t: t.calls, lambda t: t.calls_shown, _("Darker means more calls. Where a number is withheld, the square is empty."),
        )  # fmt: skip
    else:
        page.not_reported(_("calls by day and time"))
        times = [Gap(pick(d.label), pick(b.label), None, "", found.teams[d.code, b.code]) for b in found.blocks for d in found.days]
    shaded(
        _("Teams on duty, by day and time, {period}").format(period=found.year), "staffed-hours",
        _("Grid of numbers: how many teams were on duty on average, by day of the week and time of day."),
        lambda t: t.teams, lambda t: rounded(t.teams), _("1.0 means that one team with both an officer and a clinician was on duty the whole time."),
    )  # fmt: skip
    if all(t.calls is None for t in times):
        return
    top = max((t.per_hour for t in times if t.per_hour is not None), default=1.0)
    if in_part(*(t.status for t in times)):
        page.info(_("Calls for each hour of a team are not shown: some days of {period} are missing.").format(period=found.year))
    else:
        shaded(
            _("Crisis calls for each hour of a team, by day and time, {period}").format(period=found.year), "gap-map",
            _("Grid of numbers: crisis calls for each hour that a team was on duty, by day of the week and time of day; times without a team are named."),
            lambda t: top if t.none else t.per_hour,
            lambda t: _("none") if t.none else "–" if t.per_hour is None else rounded(t.per_hour),
            _("Darker means a wider gap. 'None' means that no team was on duty at that time."),
        )  # fmt: skip
    listed = gaps(release)
    page.rows(
        title=_("Times with many calls and few teams"),
        table=pd.DataFrame([{_("Day"): g.day, _("Time of day"): g.hours, _("Crisis calls in the year"): g.calls_shown,
                             _("Teams on duty"): rounded(g.teams)} for g in listed]),
        data=pd.DataFrame([(g.day, g.hours, g.calls, g.status, round(g.teams, 4)) for g in listed], columns=["weekday", "hours", "calls", "status", "teams_on_duty"]), file=("gaps", found.year),
        note=_("Ten blocks with no team, or with the most calls for each team on duty. They stand in order of the week, since small differences are often chance."),
    )  # fmt: skip


__all__ = ["by_hour", "gaps", "show", "staffed", "systems"]
