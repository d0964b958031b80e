"""The map of one area system with its list: the share of eligible calls that a clinician reached,
or calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from math import floor, log10

import pandas as pd
from geopandas import GeoDataFrame

from dashboard.figures import charts, maps
from dashboard.figures.backdrop import backdrop_of
from dashboard.figures.figure import Figure
from dashboard.figures.figure_kinds import (
    Content,
    TableFigure,
    hidden_points,
    hidden_shares,
    point_tables,
    share_tables,
)
from dashboard.findings.program import changed_within, residents, year_choice
from dashboard.numbers.cells import (
    Point,
    Share,
    along,
    codes_at,
    in_part,
    missing_word,
    not_collected_word,
)
from dashboard.numbers.measures import measure
from dashboard.numbers.queries import ELIGIBLE
from dashboard.page.page import Page, areas, period_title
from dashboard.page.surface import choose
from dashboard.release.reader import (
    NOT_COLLECTED,
    PUBLISHED,
    ROOT,
    SUPPRESSED,
    Code,
    CountTable,
    Release,
)
from dashboard.text.language import _, clock, ngettext, number, pick, rounded

MY_AREA = "area"
"""The area system that the page "My area" speaks of."""
SHARE_EDGES = (0, 20, 40, 60, 80)
"""Lower edges of the map's classes, in whole per cent: the same for every release, so that colours
keep their meaning."""


def systems(release: Release) -> list[str]:
    """Area systems that some table publishes below the whole, those with a map first."""
    found = [
        name
        for name in release.area_systems()
        if release.find(name) or release.find(name, "responder", where=ELIGIBLE)
    ]
    return sorted(found, key=lambda name: name not in release.outlines)


def share_class(share: float | None) -> int | None:
    """The class of a share, by the whole per cent that readers see, so that the two agree."""
    return (
        None if share is None else sum(floor(100 * share + 0.5) >= edge for edge in SHARE_EDGES) - 1
    )


def share_classes() -> tuple[str, ...]:
    """The words of each class; no two hold the same value."""
    ends = [*(edge - 1 for edge in SHARE_EDGES[1:])]
    between = [
        _("{low} to {high}%").format(low=low, high=high)
        for low, high in zip(SHARE_EDGES[1:-1], ends[1:], strict=True)
    ]
    return (
        _("under {high}%").format(high=SHARE_EDGES[1]),
        *between,
        _("{low}% or more").format(low=SHARE_EDGES[-1]),
    )


def rate_edges(rates: Iterable[float]) -> list[float]:
    """Lower edges of at most five classes of rates, each a round number that some rate lies
    above."""
    values = sorted(rates)
    if not values or not values[-1]:
        return [0.0]
    unit = 10.0 ** (floor(log10(values[-1])) - 1)
    return sorted({0.0, *(floor(values[len(values) * i // 5] / unit) * unit for i in range(1, 5))})


@dataclass(frozen=True)
class Chosen:
    """What a reader has chosen of one area system: the table behind it, the size of its areas, and
    the codes held fixed (a year, or none)."""

    system: str
    table: CountTable
    level: str
    fixed: Mapping[str, str]

    def at(self, table: CountTable) -> dict[str, str]:
        """The same year in another table, where that has years."""
        year = self.fixed.get("period", ROOT)
        return (
            {"period": year}
            if "year" in table.levels.get("period", ()) and table.has_period(year) and year != ROOT
            else {}
        )


def choose_areas(release: Release, system: str) -> Chosen:
    """Filters for the size of the areas and for one period, which the whole page keeps to: the last
    whole year at first."""
    covered = release.find(system, "responder", where=ELIGIBLE)
    table = covered or release.find(system, "period") or release.find(system)
    assert table is not None
    level_names = {
        level: _level_name(release, system, level)
        for level in reversed(table.levels[system])
        if level != ROOT
    }
    level = (
        choose("level", _("Size of area"), level_names)
        if len(level_names) > 1
        else next(iter(level_names))
    )
    return Chosen(system, table, level, year_choice(release, table))


def show(page: Page, chosen: Chosen) -> None:
    """Map and list of one area system."""
    when = period_title(page.release, chosen.fixed.get("period", ROOT))
    if chosen.table.where == ELIGIBLE:
        _coverage(page, chosen.table, chosen.system, chosen.level, dict(chosen.fixed), when)
    else:
        _counts(page, chosen.table, chosen.system, chosen.level, dict(chosen.fixed), when)


def _unplaced(code: str) -> bool:
    """Calls without a known place come last in a list."""
    return "unknown" in code.split(".")


def _level_name(release: Release, system: str, level: str) -> str:
    """A word for a level: how many areas it has."""
    known = [code for code in release.codelists[system].at(level) if not _unplaced(code.code)]
    words = ngettext("one area, {example}", "{count} areas, such as {example}", len(known))
    return words.format(count=number(len(known)), example=pick(known[0].label))


def _larger(release: Release, table: CountTable, system: str, level: str) -> GeoDataFrame | None:
    """The outlines of the areas around those of `level`, where there are any."""
    steps = table.levels[system]
    above = steps[steps.index(level) - 1]
    return None if above == ROOT else maps.outlines(release, system, above)


@lru_cache(maxsize=16)
def leading(release: Release, system: str) -> frozenset[str]:
    """Codes of the areas that the page "My area" has numbers for."""
    table = release.find(MY_AREA, "responder", where=ELIGIBLE) or release.find(MY_AREA)
    return (
        frozenset(areas(release, table, MY_AREA))
        if system == MY_AREA and table is not None
        else frozenset()
    )


def coverage_map(
    release: Release, table: CountTable, system: str, level: str, fixed: Mapping[str, str]
) -> maps.Map | None:
    """The share of eligible calls that a clinician reached, by area; None where the release has no
    outlines of them."""
    frame = maps.outlines(release, system, level)
    if frame is None:
        return None
    shares = measure("coverage").shares(
        release, system, fixed, table, codes_at(release, system, level)
    )
    leads = leading(release, system)
    places = {
        s.code: maps.Place(
            s.code,
            s.label,
            share_class(s.share),
            charts.share_words(s),
            s.shown if s.share is not None else withheld_short(s),
            leads=s.code in leads,
        )
        for s in shares
    }
    hatched = _hatched(_("withheld or too few"), (s.whole for s in shares))
    return maps.Map(
        frame,
        places,
        share_classes(),
        hatched,
        _("Share of eligible calls that a clinician reached"),
        _larger(release, table, system, level),
        backdrop=backdrop_of(release),
    )


def of_calls() -> str:
    return _("Share of the calls that met the program's criteria where a clinician came in person")


def city_line(whole: Share) -> charts.Reference | None:
    """The whole that rows are parts of, as a line across them."""
    words = _("{place}: {share}").format(place=whole.label, share=whole.shown)
    return charts.Reference(words, whole.share) if whole.share is not None else None


def home_map(page: Page, year: str) -> Figure | None:
    """The map of the first screen: the share reached in each of the largest areas; None where it
    cannot be drawn."""
    release = page.release
    table = release.find("area", "responder", where=ELIGIBLE)
    if table is None:
        return None
    level = table.finest("area")
    fixed = (
        {"period": year}
        if "period" in table.levels and release.holds(table, "period", year)
        else {}
    )
    drawn = coverage_map(release, table, "area", level, fixed)
    if drawn is None:
        return None
    shares = sorted(
        measure("coverage").shares(release, "area", fixed, table, codes_at(release, "area", level)),
        key=lambda s: (_unplaced(s.code), s.label),
    )
    shown, data = share_tables(shares, _("Area"), {"table": table.name, "eligible": "yes", **fixed})
    when = period_title(release, fixed.get("period", ROOT))
    title = _("Calls that a clinician reached, by area, {period}").format(period=when)
    return page.made(
        Content(
            title=title,
            map=drawn,
            alt=charts.describe(_("Map"), title, when, shares, ranked=False),
            table=shown,
            data=data,
            file=("home-map", *fixed.values()),
            hidden=hidden_shares(shares),
        )
    )


def withheld_short(share: Share) -> str:
    """The word on the map where there is no share."""
    return (
        missing_word(share.whole.status)
        if share.whole.value is None
        else missing_word(share.part.status)
        if share.part.value is None
        else _("too few")
    )


def _coverage(
    page: Page, table: CountTable, system: str, level: str, fixed: dict[str, str], when: str
) -> None:
    release = page.release
    shares = measure("coverage").shares(
        release, system, fixed, table, codes_at(release, system, level)
    )
    listed = sorted(
        shares, key=lambda s: (_unplaced(s.code), s.label)
    )  # by name: an order by share would mostly be an order by chance
    title = _("Calls that a clinician reached, by area, {period}").format(period=when)
    shown, data = share_tables(listed, _("Area"), {"table": table.name, "eligible": "yes", **fixed})
    file = ("coverage", level, *[c for c in fixed.values() if c != ROOT])
    whole = measure("coverage").shares(release, system, fixed, table, (ROOT,))[0]
    city = city_line(whole)
    drawn = coverage_map(release, table, system, level, fixed)
    figures = [
        page.made(
            Content(
                title=_("The same areas as a list, {period}").format(period=when)
                if drawn
                else title,
                subtitle=_("A line through a dot is its likely range.") if drawn else of_calls(),
                draw=partial(charts.dots, listed, reference=city),
                alt=charts.describe(
                    _("Dot chart with likely ranges"), title, when, listed, ranked=False
                ),
                table=shown,
                data=data,
                file=file,
                hidden=hidden_shares(shares),
            )
        )
    ]
    if drawn is None:
        page.caption(_("There is no map of these areas, so they are listed."))
    else:
        figures.insert(
            0,
            page.made(
                Content(
                    title=title,
                    subtitle=of_calls(),
                    map=drawn,
                    alt=charts.describe(_("Map"), title, when, shares, ranked=False),
                    table=shown,
                    data=data,
                    file=("map", *file),
                    hidden=hidden_shares(shares),
                )
            ),
        )
    page.beside(figures)


def _counts(
    page: Page, table: CountTable, system: str, level: str, fixed: dict[str, str], when: str
) -> None:
    """Calls by area. Where residents are known, the map shows a rate; else circles, since shaded
    counts would show how large an area is."""
    release = page.release
    points = along(release, table, system, level, fixed)
    title = _("Calls by area, {period}").format(period=when)
    listed = sorted(
        points, key=lambda p: (_unplaced(p.code), p.value is None, -(p.value or 0), p.label)
    )
    shown, data = point_tables(listed, _("Area"), _("Calls"), {"table": table.name, **fixed})
    file = ("calls-by-area", level, *[c for c in fixed.values() if c != ROOT])
    frame = maps.outlines(release, system, level)
    figures = [
        page.made(
            Content(
                title=(
                    title
                    if frame is None
                    else _("The same areas as a list, {period}").format(period=when)
                ),
                subtitle=_("Number of calls"),
                draw=partial(charts.bars, listed) if len(listed) <= 40 else None,
                alt=charts.describe(_("Bar chart"), title, when, listed),
                table=shown,
                data=data,
                file=file,
                hidden=hidden_points(points),
            )
        )
    ]
    if frame is None:
        page.caption(_("There is no map of these areas, so they are listed."))
    else:
        homes = residents(release, system)
        per_year = fixed.get("period", ROOT) != ROOT
        rates = (
            {
                p.code: 1000 * p.value / homes[p.code]
                for p in points
                if p.value is not None and p.status == PUBLISHED and homes.get(p.code)
            }
            if per_year
            else {}
        )
        larger, leads = _larger(release, table, system, level), leading(release, system)
        if rates:
            edges, per_residents = rate_edges(rates.values()), _("{rate} per 1,000 residents")
            places = {
                p.code: maps.Place(
                    p.code,
                    p.label,
                    sum(rates[p.code] >= e for e in edges) - 1 if p.code in rates else None,
                    ", ".join(
                        (
                            _count_words(p),
                            *(
                                [per_residents.format(rate=rounded(rates[p.code]))]
                                if p.code in rates
                                else []
                            ),
                        )
                    ),
                    rounded(rates[p.code]) if p.code in rates else p.shown,
                    leads=p.code in leads,
                )
                for p in points
            }
            classes = tuple(_rate_words(edges, i) for i in range(len(edges)))
            drawn = maps.Map(
                frame,
                places,
                classes,
                _hatched(_("withheld"), points),
                _("Calls per 1,000 residents in the year"),
                larger,
                backdrop=backdrop_of(release),
            )
            measure = _("Calls per 1,000 residents")
        else:
            places = {
                p.code: maps.Place(
                    p.code,
                    p.label,
                    None if p.value is None else 0,
                    _count_words(p),
                    p.shown,
                    p.value,
                    leads=p.code in leads,
                )
                for p in points
            }
            most = max((p.value for p in points if p.value), default=0)
            drawn = maps.Map(
                frame,
                places,
                (_("largest circle: {count} calls").format(count=number(most)),),
                _hatched(_("withheld"), points),
                _("Number of calls"),
                larger,
                circles=True,
                backdrop=backdrop_of(release),
            )
            measure = _("Number of calls: a larger circle means more calls")
        figures.insert(
            0,
            page.made(
                Content(
                    title=title,
                    subtitle=measure,
                    map=drawn,
                    alt=charts.describe(_("Map"), title, when, points),
                    table=shown,
                    data=data,
                    file=("map", *file),
                    hidden=hidden_points(points),
                )
            ),
        )
    page.beside(figures)


def _rate_words(edges: Sequence[float], i: int) -> str:
    """The words of one class of rates; each but the last ends under where the next begins."""
    if i == len(edges) - 1:
        return _("{count} or more").format(count=rounded(edges[i]))
    if i == 0:
        return _("under {count}").format(count=rounded(edges[1]))
    return _("{low} to under {high}").format(low=rounded(edges[i]), high=rounded(edges[i + 1]))


def _hatched(words: str, points: Iterable[Point]) -> str:
    """What hatching means: days are missing for all areas of a map alike."""
    return not_collected_word() if all(p.status == NOT_COLLECTED for p in points) else words


def _count_words(point: Point) -> str:
    if point.value is None:
        return point.shown
    return ngettext("{count} call", "{count} calls", point.value).format(count=point.shown)


def by_hour(page: Page, table: CountTable, fixed: Mapping[str, str]) -> None:
    """Coverage by time of day: a bar for each block of hours."""
    release = page.release
    level = table.levels["hour"][1]
    when = period_title(release, fixed.get("period", ROOT))
    shares = measure("coverage").shares(
        release, "hour", fixed, table, codes_at(release, "hour", level)
    )
    whole = measure("coverage").shares(release, "hour", fixed, table, (ROOT,))[0]
    title = _("Calls that a clinician reached, by time of day, {period}").format(period=when)
    shown, data = share_tables(
        shares, _("Time of day"), {"table": table.name, "eligible": "yes", **fixed}
    )
    page.figure(
        Content(
            title=title,
            draw=partial(charts.share_bars, shares, reference=city_line(whole)),
            subtitle=of_calls(),
            alt=charts.describe(_("Bar chart"), title, when, shares),
            table=shown,
            data=data,
            file=("coverage", "time-of-day", *fixed.values()),
            hidden=hidden_shares(shares),
            note=changed_within(release, fixed.get("period", ROOT)),
        )
    )


NOBODY = 0.05
"""Up to this many teams on average count as none."""
WEEKS = 365.25 / 7


@dataclass(frozen=True)
class Gap:
    """One block of hours of one day of the week: calls in a year (None where there is no number),
    and teams on duty on average."""

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
        """Calls for each hour that a team was on duty; none without a team, or where calls are
        withheld or not all collected."""
        known = self.calls if self.status == PUBLISHED else None
        return (
            None if self.none or known is None else known / (self.teams * WEEKS * self.hours_long)
        )


@dataclass(frozen=True)
class Duty:
    """Teams on duty in the last year reported, by (weekday, block of hours)."""

    year: str
    days: tuple[Code, ...]
    blocks: tuple[Code, ...]
    teams: Mapping[tuple[str, str], float]


@lru_cache(maxsize=16)
def duty(release: Release, coarse: bool = False) -> Duty | None:
    """Teams on duty by day and time: by the hour where calls are, else (or `coarse`) by blocks of
    hours. None where the agency does not report staffed hours, or not by day and time."""
    hours = release.reference("staffed_hours")
    if hours is None or "weekday" not in release.codelists or "hour" not in release.codelists:
        return None
    days = tuple(code for code in release.codelists["weekday"].at("day") if code.code.isdigit())
    demand = release.find("weekday", "hour")
    level = (
        "hour" if demand is not None and "hour" in demand.levels["hour"] and not coarse else "block"
    )
    blocks = tuple(code for code in release.codelists["hour"].at(level) if code.code[:2].isdigit())
    if not days or not blocks:
        return None
    year = max(hours["year"])
    rows = hours[hours["year"] == year].astype({"hours": float})
    # Every hour of a block is listed, so this mean leaves nothing out.
    teams = {
        (d.code, b.code): (
            float(
                rows[(rows["weekday"] == d.code) & rows["hour"].between(b.code[:2], b.code[-2:])][
                    "hours"
                ].mean()
            )
            / WEEKS
        )
        for d in days
        for b in blocks
    }
    return Duty(
        year, days, blocks, {key: value if value == value else 0.0 for key, value in teams.items()}
    )


def week(release: Release, *, coarse: bool = False) -> list[Gap]:
    """Every time of the week: calls in the year and teams on duty."""
    found, demand = duty(release, coarse), release.find("weekday", "hour")
    if (
        found is None
        or demand is None
        or demand.levels["hour"][-1] not in ("block", "hour")
        or "day" not in demand.levels["weekday"]
    ):
        return []
    fixed = (
        {"period": found.year}
        if "period" in demand.levels
        and found.year in {c.code for c in release.codelists["period"].at("year")}
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


MAX_GAPS = 10


def gaps(release: Release, most: int = MAX_GAPS) -> list[Gap]:
    """Blocks of hours with the most calls for each team on duty, or with no team at all, in order
    of the week.

    Blocks, not single hours, and no order by size: much of a finer order would be chance.
    """
    times = week(release, coarse=True)
    widest = sorted(
        range(len(times)),
        key=lambda i: (not times[i].none, -(times[i].calls or 0) / max(times[i].teams, NOBODY), i),
    )[:most]
    days = list(dict.fromkeys(t.day for t in times))
    return sorted((times[i] for i in widest), key=lambda g: (days.index(g.day), g.hours))


def staffed(page: Page) -> None:
    """Demand and staffed hours, by day and block of hours, and where they part."""
    release = page.release
    hours, found = release.reference("staffed_hours"), duty(release)
    if hours is None:
        page.not_reported(_("hours with a team on duty"))
        return
    if found is None:
        page.not_reported(_("hours with a team on duty, by day and time"))
        return
    times = week(release)
    at = (
        dict(
            zip(
                product((b.code for b in found.blocks), (d.code for d in found.days)),
                times,
                strict=True,
            )
        )
        if times
        else {}
    )
    data = pd.DataFrame(
        [
            {"year": found.year, "hour": b.code}
            | {f"calls_{d.code}": at[b.code, d.code].calls if at else None for d in found.days}
            | {f"calls_{d.code}_status": at[b.code, d.code].status for d in found.days if at}
            | {
                f"teams_{d.code}": round(found.teams[b_d], 4)
                for d in found.days
                for b_d in [(d.code, b.code)]
            }
            for b in found.blocks
        ]
    ).astype({f"calls_{d.code}": "Int64" for d in found.days})
    names = {
        pick(b.label): clock(int(b.code)) if len(b.code) == 2 else pick(b.label)
        for b in found.blocks
    }

    def shaded(
        title: str,
        file: str,
        alt: str,
        value: Callable[[Gap], float | None],
        words: Callable[[Gap], str],
        note: str,
    ) -> None:
        cells = [(names[t.hours], t.day[:3], value(t), words(t)) for t in times]
        called = file != "staffed-hours"
        page.figure(
            Content(
                title=title,
                draw=partial(charts.grid, cells),
                alt=alt,
                table=pd.DataFrame(
                    [
                        {_("Time of day"): pick(b.label)}
                        | {t.day: words(t) for t in times if t.hours == pick(b.label)}
                        for b in found.blocks
                    ]
                ),
                data=data,
                file=(file, found.year),
                note=note,
                hidden=sum(t.status == SUPPRESSED for t in times) if called else 0,
                statuses=[t.status for t in times] if called else (),
            )
        )

    if times:
        shaded(
            _("Crisis calls, by day and time, {period}").format(period=found.year),
            "demand",
            _(
                "Grid of numbers: how many crisis calls came in during the year, by day of the week"
                " and time of day."
            ),
            lambda t: t.calls,
            lambda t: t.calls_shown,
            _(
                "A stronger color means more calls. Where a number is withheld, the square is"
                " empty."
            ),
        )
    else:
        page.not_reported(_("calls by day and time"))
        times = [
            Gap(pick(d.label), pick(b.label), None, "", found.teams[d.code, b.code])
            for b in found.blocks
            for d in found.days
        ]
    shaded(
        _("Teams on duty, by day and time, {period}").format(period=found.year),
        "staffed-hours",
        _(
            "Grid of numbers: how many teams were on duty on average, by day of the week and time"
            " of day."
        ),
        lambda t: t.teams,
        lambda t: rounded(t.teams),
        _(
            "1.0 means that one team with both an officer and a clinician was on duty the whole"
            " time."
        ),
    )
    if all(t.calls is None for t in times):
        return
    top = max((t.per_hour for t in times if t.per_hour is not None), default=1.0)
    if in_part(*(t.status for t in times)):
        page.info(
            _(
                "Calls for each hour of a team are not shown: some days of {period} are missing."
            ).format(period=found.year)
        )
    else:
        shaded(
            _("Crisis calls for each hour of a team, by day and time, {period}").format(
                period=found.year
            ),
            "gap-map",
            _(
                "Grid of numbers: crisis calls for each hour that a team was on duty, by day of the"
                " week and time of day; times without a team are named."
            ),
            lambda t: top if t.none else t.per_hour,
            lambda t: _("none") if t.none else "–" if t.per_hour is None else rounded(t.per_hour),
            _(
                "A stronger color means a wider gap. 'None' means that no team was on duty at that"
                " time."
            ),
        )
    listed = gaps(release)
    page.figure(
        TableFigure(
            title=_("Times with many calls and few teams"),
            table=pd.DataFrame(
                [
                    {
                        _("Day"): g.day,
                        _("Time of day"): g.hours,
                        _("Crisis calls in the year"): g.calls_shown,
                        _("Teams on duty"): rounded(g.teams),
                    }
                    for g in listed
                ]
            ),
            data=pd.DataFrame(
                [(g.day, g.hours, g.calls, g.status, round(g.teams, 4)) for g in listed],
                columns=["weekday", "hours", "calls", "status", "teams_on_duty"],
            ),
            file=("gaps", found.year),
            note=_(
                "Ten blocks with no team, or with the most calls for each team on duty. They"
                " are in order of the week, since small differences are often chance."
            ),
        )
    )


__all__ = ["by_hour", "gaps", "show", "staffed", "systems"]
