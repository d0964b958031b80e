"""What the page about quarters and its printed sheet show: the same rows for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content, TableFigure
from dashboard.findings import quarter_shares
from dashboard.findings.program import Event, event_note, events
from dashboard.findings.quarters import (
    CALENDAR,
    IN_A_YEAR,
    Judged,
    Quarter,
    Step,
    code_changes,
    judge,
    last_whole,
    quarters,
    staffed,
    step,
    table_of,
    verdict_sentence,
    verdict_words,
)
from dashboard.numbers.cells import along, label_of
from dashboard.page.page import Page, areas
from dashboard.page.surface import Headline
from dashboard.release.reader import FISCAL_YEAR, ROOT, CountTable, Release
from dashboard.text.language import _, percent, pick

Frames = tuple[pd.DataFrame, pd.DataFrame]
"""The table to read and the rows to download."""


@dataclass(frozen=True)
class Series:
    """The quarters of one area; `place`: the position in `listed` of the last whole one; `changed`:
    days on which codes changed."""

    release: Release
    table: CountTable
    area: str
    starts: int
    listed: list[Quarter]
    changed: list[date]
    judged: Judged
    place: int | None

    @property
    def name(self) -> str:
        return (
            pick(self.release.agency["place"])
            if self.area == ROOT
            else label_of(self.release, "area", self.area)
        )

    def step(self, back: int, place: int | None = None) -> Step:
        at = self.place if place is None else place
        assert at is not None
        return step(self.listed, at, back, self.changed)


def series(release: Release, area: str, starts: int = CALENDAR) -> Series | None:
    """The quarters of `area`. None where the release counts it neither by quarter nor by month."""
    narrowed = () if area == ROOT else ("area",)
    table = table_of(release, *narrowed, starts=starts)
    if table is None:
        return None
    fixed = {"area": area} if narrowed else {}
    listed = quarters(release, table, fixed, starts)
    monthly = release.find("period", *narrowed)
    months = (
        along(release, monthly, "period", "month", fixed)
        if monthly is not None and "month" in monthly.levels["period"]
        else []
    )
    changed = code_changes(release)
    judged = judge(listed, months, changed)
    return Series(release, table, area, starts, listed, changed, judged, last_whole(listed))


def headline(found: Series) -> Headline:
    """The last whole quarter, the two that it is set against, and whether it is usual."""
    if found.place is None:
        return Headline(_("No quarter is in the data from its first to its last day yet."))
    now = found.listed[found.place]
    sentence = _("In {quarter}, {count} crisis calls came in.")
    if found.area != ROOT:
        sentence = _("{place}: in {quarter}, {count} crisis calls came in.")
    base = _("crisis calls in {year}").format(year=now.label)
    return Headline(
        sentence.format(quarter=now.in_full, count=now.shown, place=found.name),
        now.shown,
        base if found.area == ROOT else f"{base}: {found.name}",
        " ".join(
            (
                _("The quarter before: {figure}").format(figure=_beside(found.step(1))) + ".",
                _("The same quarter a year before: {figure}").format(
                    figure=_beside(found.step(IN_A_YEAR))
                )
                + ".",
                verdict_sentence(found.judged, found.place),
            )
        ),
    )


def _beside(found: Step) -> str:
    """The earlier count and the difference, or why there is none."""
    if found.before is None:
        return _("not in the data")
    if found.count is None:
        return f"{found.before.shown}; {found.shown}"
    return _("{figure}, difference {difference}").format(
        figure=found.before.shown, difference=found.shown
    )


def over_time(found: Series) -> Frames:
    """One row for each quarter: its count, and whether it is usual."""
    rows = list(zip(found.listed, found.judged.verdicts, strict=True))
    table = pd.DataFrame(
        [
            {
                _("Quarter"): q.label,
                _("Calls"): q.shown,
                _("Is it usual?"): verdict_words(verdict),
            }
            for q, verdict in rows
        ]
    )
    data = pd.DataFrame(
        [
            {"table": found.table.name, "area": found.area, **_count(q), "range": verdict}
            for q, verdict in rows
        ]
    )
    return table, _whole_numbers(data)


def differences(found: Series) -> Frames:
    """One row for each quarter: its count and the two that it is compared with."""
    steps = [(found.step(1, n), found.step(IN_A_YEAR, n)) for n in range(len(found.listed))]
    table = pd.DataFrame(
        [
            {
                _("Quarter"): q.label,
                _("Calls"): q.shown,
                _("From the quarter before"): last.shown,
                _("From the same quarter a year before"): year.shown,
            }
            for q, (last, year) in zip(found.listed, steps, strict=True)
        ]
    )
    data = pd.DataFrame(
        [
            {"table": found.table.name, "area": found.area, **_data(q, last, year)}
            for q, (last, year) in zip(found.listed, steps, strict=True)
        ]
    )
    return table, _whole_numbers(data)


def _count(now: Quarter) -> dict[str, object]:
    return {
        "code": now.code,
        "from": f"{now.first:%Y-%m}",
        "to": f"{now.last:%Y-%m}",
        "value": now.count,
        "status": now.status,
        "at_least": now.at_least,
    }


def _data(now: Quarter, last: Step, year: Step) -> dict[str, object]:
    return {
        **_count(now),
        "quarter_before": last.before.count if last.before else None,
        "difference_quarter": last.count,
        "no_difference_quarter": last.why,
        "year_before": year.before.count if year.before else None,
        "difference_year": year.count,
        "no_difference_year": year.why,
    }


def _whole_numbers(data: pd.DataFrame) -> pd.DataFrame:
    names = (
        "value",
        "at_least",
        "quarter_before",
        "difference_quarter",
        "year_before",
        "difference_year",
    )
    return data.astype({name: "Int64" for name in names if name in data})


def chart(found: Series) -> Content:
    """The line over time; its note says how the range was decided."""
    changes = events_of(found)
    lettered: dict[str, str] = {}
    for event in changes:
        at = next(q for q in found.listed if f"{q.first:%Y-%m}" <= event.month <= f"{q.last:%Y-%m}")
        lettered[at.code] = f"{lettered.get(at.code, '')} {event.letter}".strip()
    points = [q.point for q in found.listed]
    title = _("Calls by quarter: {place}").format(place=found.name)
    table, data = over_time(found)
    return Content(
        title=title,
        alt=charts.describe_trend(title, points),
        draw=partial(charts.trend, points, _("Calls"), events=lettered),
        note=f"{found.judged.words} {event_note(changes)}".strip(),
        subtitle=_("Crisis calls in three months"),
        table=table,
        data=data,
        file=("calls-by-quarter", *_parts(found)),
        hidden=hidden(data),
    )


def events_of(found: Series) -> list[Event]:
    """Changes of the program within the quarters."""
    first, last = found.listed[0].first, found.listed[-1].last
    return events(found.release, [f"{day:%Y-%m}" for day in pd.date_range(first, last, freq="MS")])


def split(found: Series, dimension: str) -> Frames | None:
    """The last whole quarter by area or by type of call, each with the two that it is
    compared with; None where no table counts it."""
    if found.place is None:
        return None
    narrowed = {} if found.area == ROOT else {"area": found.area}
    table = table_of(found.release, dimension, *narrowed, starts=found.starts)
    if table is None:
        return None
    named = (
        areas(found.release, table, dimension)
        if dimension == "area"
        else {
            c.code: pick(c.label)
            for c in found.release.codelists[dimension].at(table.finest(dimension))
        }
    )
    shown, data = [], []
    for code, label in named.items():
        if code == ROOT:
            continue
        listed = quarters(found.release, table, {**narrowed, dimension: code}, found.starts)
        now = listed[found.place]
        last, year = (step(listed, found.place, back, found.changed) for back in (1, IN_A_YEAR))
        shown.append(
            {
                _("Area") if dimension == "area" else _("Type of call"): label,
                now.label: now.shown,
                _("From the quarter before"): last.shown,
                _("From the same quarter a year before"): year.shown,
            }
        )
        data.append(
            {"table": table.name, **narrowed, "quarter": now.code}
            | _data(now, last, year)
            | {"code": code}
        )
    return pd.DataFrame(shown), _whole_numbers(pd.DataFrame(data))


def hours(release: Release, starts: int) -> Frames | None:
    """Hours of teams by quarter; None where they are not reported."""
    planned, worked = (staffed(release, column, starts) for column in ("planned", "worked"))
    if not worked:
        return None
    shown, data = [], []
    for place, (plan, done) in enumerate(zip(planned, worked, strict=True)):
        # Codes of calls say nothing of hours.
        last, year = (step(worked, place, back, ()) for back in (1, IN_A_YEAR))
        part, all_of_it = (q.count if q.whole else None for q in (done, plan))
        shown.append(
            {
                _("Quarter"): done.label,
                _("Hours planned"): plan.shown,
                _("Hours staffed"): done.shown,
                _("Share"): (percent(part / all_of_it) if part is not None and all_of_it else "–"),
                _("From the quarter before"): last.shown,
                _("From the same quarter a year before"): year.shown,
            }
        )
        data.append({"table": "staffed_months", **_data(done, last, year), "planned": plan.count})
    return pd.DataFrame(shown), _whole_numbers(pd.DataFrame(data)).astype({"planned": "Int64"})


def fiscal_years(release: Release, area: str) -> Frames | None:
    """Calls by fiscal year, and the difference to the one before; None where the release has
    none."""
    narrowed = {} if area == ROOT else {"area": area}
    table = release.find(FISCAL_YEAR, *narrowed)
    if table is None:
        return None
    changed = code_changes(release)
    listed = []
    for code in release.codelists[FISCAL_YEAR].at(FISCAL_YEAR):
        count, status = table.cell({**narrowed, FISCAL_YEAR: code.code})
        first, end = (pd.Period(month, "M") for month in code.code.split("_"))
        listed.append(
            Quarter(
                code.code,
                pick(code.label),
                first.start_time.date(),
                end.end_time.date(),
                count,
                status,
            )
        )
    steps = [step(listed, place, 1, changed) for place in range(len(listed))]
    shown = pd.DataFrame(
        [
            {
                _("Fiscal year"): q.label,
                _("Calls"): q.shown,
                _("From the year before"): s.shown,
            }
            for q, s in zip(listed, steps, strict=True)
        ]
    )
    data = pd.DataFrame(
        [
            {
                "table": table.name,
                "area": area,
                "code": q.code,
                "value": q.count,
                "status": q.status,
                "difference_year": s.count,
                "no_difference_year": s.why,
            }
            for q, s in zip(listed, steps, strict=True)
        ]
    )
    return shown, data.astype({"value": "Int64", "difference_year": "Int64"})


def hidden(data: pd.DataFrame) -> int:
    return int((data["status"] == "suppressed").sum())


def show(page: Page, found: Series) -> None:
    """All figures of the page."""
    page.figure(chart(found))
    table, data = differences(found)
    page.figure(
        TableFigure(
            title=_("Differences between quarters: {place}").format(place=found.name),
            table=table,
            data=data,
            file=("quarter-differences", *_parts(found)),
            note=_("A difference needs two whole quarters under the same codes."),
        )
    )
    _show_shares(page, found)
    if found.place is not None:
        _show_splits(page, found, found.listed[found.place].label)
    if found.area == ROOT:
        _show_hours(page, found)
    _show_fiscal_years(page, found)


def _parts(found: Series) -> Sequence[str]:
    return [
        *([found.area] if found.area != ROOT else []),
        *(["fiscal"] if found.starts != CALENDAR else []),
    ]


def _show_shares(page: Page, found: Series) -> None:
    made = [
        shares
        for wanted in quarter_shares.WANTED
        if (
            shares := quarter_shares.shares_of_quarters(
                found.release, wanted, found.area, found.starts
            )
        )
    ]
    if not made:
        page.not_reported(_("shares by quarter, such as calls that a clinician reached"))
    for shares in made:
        file = ("share-by-quarter", shares.wanted.name, *_parts(found))
        page.figure(quarter_shares.figure(shares, file))


def _show_splits(page: Page, found: Series, label: str) -> None:
    wanted = [
        ("area", _("Calls by area, {period}"), _("calls by area, quarter by quarter")),
        ("call_type", _("Calls by type, {period}"), _("calls by type, quarter by quarter")),
    ]
    for dimension, title, absent in wanted:
        if dimension == "area" and found.area != ROOT:
            continue
        frames = split(found, dimension)
        if frames is None:
            page.not_reported(absent)
            continue
        page.figure(
            Content(
                title=title.format(period=label),
                alt=title.format(period=label),
                subtitle=_("Crisis calls in three months"),
                table=frames[0],
                data=frames[1],
                file=(f"quarter-by-{dimension.replace('_', '-')}", *_parts(found)),
                hidden=hidden(frames[1]),
                note=_("In small groups, chance alone makes counts differ a lot."),
            )
        )


def _show_hours(page: Page, found: Series) -> None:
    frames = hours(found.release, found.starts)
    if frames is None:
        page.not_reported(_("hours planned and staffed"))
        return
    page.figure(
        TableFigure(
            title=_("Hours of teams by quarter"),
            table=frames[0],
            data=frames[1],
            file=("hours-by-quarter", *_parts(found)),
            subtitle=_("Differences are those of the hours staffed with both roles."),
        )
    )


def _show_fiscal_years(page: Page, found: Series) -> None:
    frames = fiscal_years(found.release, found.area)
    if frames is None:
        return
    page.figure(
        Content(
            title=_("Calls by fiscal year: {place}").format(place=found.name),
            alt=_("Calls by fiscal year: {place}").format(place=found.name),
            table=frames[0],
            data=frames[1],
            file=("calls-by-fiscal-year", *_parts(found)),
            hidden=hidden(frames[1]),
            note=_("A difference needs two whole years under the same codes."),
        )
    )
