"""Answers to auditors' questions that are no shares of one count table: two dimensions in one
figure, two lines on one index, shifts, targets, hours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content, Kind, MarkFigure, ShareFigure, TableFigure
from dashboard.findings.program import frame_of, numbers, statistic_rows
from dashboard.numbers.cells import Point, Share, along, label_of, status_words
from dashboard.numbers.measures import measure, measures
from dashboard.numbers.queries import ELIGIBLE, REACHED
from dashboard.page.page import period_title
from dashboard.release.reader import PUBLISHED, ROOT, Release
from dashboard.text.language import _, month, number, percent

CREW_HOURS = "hours_others_freed"


def titled(name: str, when: str) -> str:
    return _("{measure}, {period}").format(measure=measure(name).plain, period=when)


def noted(name: str, more: str = "") -> str:
    return " ".join(filter(None, (measure(name).caveat, more)))


def program_shares(release: Release) -> list[Share]:
    """Eligible calls from the program's area while a team was on duty and while none was, and calls
    from outside it; nothing where the agency does not report it."""
    table = release.find("in_program_area", "on_duty", where=ELIGIBLE)
    if table is None:
        return []
    rows = (
        ("on_duty", _("In the area, a team on duty"), {"in_program_area": "yes", "on_duty": "yes"}),
        (
            "off_duty",
            _("In the area, no team on duty"),
            {"in_program_area": "yes", "on_duty": "no"},
        ),
        ("outside", _("Outside the program's area"), {"in_program_area": "no"}),
        ("unknown", _("Not recorded"), {"in_program_area": "unknown"}),
    )
    whole = Point(ROOT, "", *table.cell({}))
    return [
        Share(code, label, Point(code, label, *table.cell(at)), whole) for code, label, at in rows
    ]


def program_area(release: Release) -> Kind | None:
    shares = program_shares(release)
    if not shares:
        return None
    when = period_title(release, ROOT)
    return ShareFigure(
        title=titled("program_area", when),
        shares=shares,
        what=_("Where and when"),
        when=when,
        fixed={"eligible": "yes"},
        file=("program-area",),
        note=noted("program_area"),
    )


Pairs = list[tuple[Point, Point]]


def sent(release: Release, level: str = "quarter") -> Pairs:
    """For each period: eligible calls, and those that a clinician reached; nothing where the agency
    does not report them at that level."""
    table = release.find("period", "responder", where=ELIGIBLE)
    if (
        table is None
        or level not in table.levels["period"]
        or not release.holds(table, "responder", "clinician")
    ):
        return []
    calls, reached = (along(release, table, "period", level, at) for at in ({}, REACHED))
    return list(zip(calls, reached, strict=True))


def sent_index(release: Release) -> Kind | None:
    """Both lines on one index: the first quarter is 100. A quarter that is withheld, or covered in
    part only, has no place on them."""
    pairs = sent(release)
    if len(pairs) < 2:
        return None
    series, texts = [], {_("Quarter"): [calls.label for calls, _reached in pairs]}
    for name, points in (
        (_("Calls that met the criteria"), [calls for calls, _reached in pairs]),
        (_("Reached by a clinician"), [reached for _calls, reached in pairs]),
    ):
        first = points[0].value if points[0].status == PUBLISHED else None
        if not first:
            return None
        index = [
            100 * p.value / first if p.value is not None and p.status == PUBLISHED else None
            for p in points
        ]
        series.append((name, [(p.label, i) for p, i in zip(points, index, strict=True)]))
        texts[name] = [
            _("{index} ({count} calls)").format(index=number(round(i)), count=p.shown)
            if i is not None
            else status_words(p.status)
            for p, i in zip(points, index, strict=True)
        ]
    title = titled("sent_index", _("by quarter"))
    return Content(
        title=title,
        subtitle=_("The first quarter is 100"),
        draw=partial(charts.lines, series, _("First quarter = 100")),
        alt=charts.describe_lines(title, series),
        table=pd.DataFrame(texts),
        data=pd.DataFrame(
            [
                {
                    "period": calls.code,
                    "eligible": calls.value,
                    "eligible_status": calls.status,
                    "reached": reached.value,
                    "reached_status": reached.status,
                }
                for calls, reached in pairs
            ]
        ).convert_dtypes(),
        file=("sent-index",),
        note=noted("sent_index"),
    )


def unstaffed(release: Release) -> tuple[int, int] | None:
    """Days without a team, and all days; None where the agency does not report shifts."""
    rows = release.reference("unstaffed_days")
    if rows is None:
        return None
    known = numbers(rows, "days", "without_team")
    return int(known["without_team"].sum()), int(known["days"].sum())


def unstaffed_days(release: Release) -> Kind | None:
    """A calendar: for each month how many days had no team, and which."""
    rows = release.reference("unstaffed_days")
    found = unstaffed(release)
    if rows is None or found is None:
        return None
    none, every = found
    words = _("In all {none} of {every} days had no team ({share}).").format(
        none=number(none), every=number(every), share=percent(none / every if every else 0.0, 1)
    )
    return TableFigure(
        title=titled("unstaffed_days", _("by month")),
        table=pd.DataFrame(
            [
                {
                    _("Month"): month(row["month"]),
                    _("Days"): row["days"],
                    _("Days without a team"): row["without_team"],
                    _("Which days"): row["which"] or "–",
                }
                for row in rows.to_dict("records")
            ]
        ),
        data=rows,
        file=("unstaffed-days",),
        note=noted("unstaffed_days", words),
    )


@dataclass(frozen=True)
class AreaYear:
    """Of one area and year: days, days without a team for it, and hours of its teams."""

    area: str
    label: str
    year: str
    days: int
    none: int
    hours: int


def areas_by_year(release: Release) -> list[AreaYear]:
    """Nothing where the agency's shifts name no areas."""
    rows = release.reference("unstaffed_areas")
    if rows is None:
        return []
    known = numbers(rows, "days", "without_team", "hours")
    by_year = known.assign(year=known["month"].str[:4]).groupby(["area", "year"], sort=True)
    sums = by_year[["days", "without_team", "hours"]].sum()
    order = list(release.codelists["area"].codes)
    found = [
        AreaYear(area, label_of(release, "area", area), year, *map(int, row))
        for (area, year), row in zip(sums.index, sums.to_numpy(), strict=True)
    ]
    return sorted(found, key=lambda of: (order.index(of.area), of.year))


def unstaffed_areas(release: Release) -> Kind | None:
    """Each area and year: on how many days no team was for it."""
    found = areas_by_year(release)
    if not found:
        return None
    return TableFigure(
        title=titled("unstaffed_areas", _("by year")),
        table=pd.DataFrame(
            [
                {
                    _("Area"): of.label,
                    _("Year"): of.year,
                    _("Days without a team"): number(of.none),
                    _("Days"): number(of.days),
                    _("Share"): percent(of.none / of.days),
                    _("Hours of teams"): number(of.hours),
                }
                for of in found
            ]
        ),
        data=pd.DataFrame(
            [
                {
                    "table": "unstaffed_areas",
                    "area": of.area,
                    "year": of.year,
                    "without_team": of.none,
                    "days": of.days,
                    "hours": of.hours,
                }
                for of in found
            ]
        ),
        file=("unstaffed-areas",),
        note=noted("unstaffed_areas"),
    )


def crews_freed(release: Release) -> Kind | None:
    """Hours by year."""
    table = release.statistic(CREW_HOURS, "period")
    if table is None:
        return None
    rows = statistic_rows(release, table, "period", "year", {})
    return MarkFigure(
        title=titled("crews_freed", _("by year")),
        items=[
            charts.Mark(row.label, None, row.missing)
            if row.numbers is None
            else charts.Mark(
                row.label,
                float(row.numbers["hours"]),
                _("about {hours} hours, on at least {calls} calls").format(
                    hours=number(row.numbers["hours"]), calls=number(row.numbers["based_on"])
                ),
            )
            for row in rows
        ],
        what=_("Year"),
        unit=_("Hours"),
        when=_("by year"),
        data=frame_of({"period": row.code, **row.data(("hours", "based_on"))} for row in rows),
        file=("crews-freed",),
        hidden=sum(row.withheld for row in rows),
        note=noted("crews_freed"),
    )


def purposes(release: Release) -> dict[str, int]:
    """How many targets are for people, and how many for the department; empty where the agency says
    it of none."""
    rows = release.reference("targets")
    if rows is None or "serves" not in rows or not (rows["serves"] != "").any():
        return {}
    return {code: int((rows["serves"] == code).sum()) for code in ("people", "department")}


def targets_for(release: Release) -> Kind | None:
    rows, found = release.reference("targets"), purposes(release)
    if rows is None or not found:
        return None
    words = {
        "people": _("For people"),
        "department": _("For the department"),
        "": _("Not recorded"),
    }
    plain = {m.name: m.plain for m in measures()}
    return TableFigure(
        title=measure("targets_for").plain,
        table=pd.DataFrame(
            [
                {
                    _("Measure"): plain.get(row["measure"], row["measure"]),
                    _("Year"): row["year"],
                    _("Whom it serves"): words.get(row["serves"], row["serves"]),
                }
                for row in rows.to_dict("records")
            ]
        ),
        data=rows[["measure", "year", "serves"]],
        file=("targets-for",),
        note=noted(
            "targets_for",
            _("For people: {people}. For the department: {department}.").format(
                **{code: number(n) for code, n in found.items()}
            ),
        ),
    )
