"""What several pages ask of a release: the year to speak of, changes of the program, who came,
statistics by year."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import TableFigure
from dashboard.findings.answers import whole_years
from dashboard.numbers.cells import (
    Point,
    Rate,
    Share,
    along,
    by_who,
    label_of,
    marked,
    missing_word,
    shares_of,
)
from dashboard.numbers.measures import numbers_at
from dashboard.page.page import Page, periods
from dashboard.page.surface import choose, escape
from dashboard.release.reader import (
    PUBLISHED,
    ROOT,
    SUPPRESSED,
    CountTable,
    Release,
    StatisticTable,
)
from dashboard.text.language import (
    _,
    day,
    month_in_words,
    number,
    percent,
    pick,
    rounded,
    text,
    unbroken,
    without_stop,
)


def last_year(release: Release, table: CountTable) -> str:
    """The last year that the data cover whole; the whole period where there is none."""
    years = whole_years(release, table) if "period" in table.levels else None
    return years.last.code if years else ROOT


def latest(release: Release) -> str:
    """The last whole year of the release, or its last year."""
    table = release.find("period")
    if table is not None and (years := whole_years(release, table)):
        return years.last.code
    return str(release.data_to.year)


def year_choice(release: Release, table: CountTable, key: str = "year") -> dict[str, str]:
    """A filter for the year where the table has years: the codes to hold fixed."""
    if len(table.levels.get("period", ())) < 2:
        return {}
    return {"period": choose(key, _("Period"), periods(release, table), last_year(release, table))}


def one_year(
    release: Release, *tables: CountTable | None
) -> Callable[[CountTable], dict[str, str]]:
    """One filter for the whole page; of each table it gives the codes to hold fixed, none where the
    table has no years."""
    found = next(
        (t for t in tables if t is not None and "year" in t.levels.get("period", ())), None
    )
    chosen = year_choice(release, found) if found else {}
    return lambda table: (
        chosen
        if "year" in table.levels.get("period", ()) and table.has_period(chosen.get("period", ROOT))
        else {}
    )


@dataclass(frozen=True)
class Event:
    """A change of the program on a chart. `short`: its kind in a word or two; empty where that is
    not known."""

    letter: str
    month: str
    words: str
    short: str = ""

    @property
    def mark(self) -> str:
        return f"{self.letter} {self.short}".strip()


def _short() -> dict[str, str]:
    """Kind of change -> its name at a rule of a chart."""
    return {
        "shift": _("new hours"),
        "area": _("new areas"),
        "rule": _("new rules"),
        "coding": _("new codes"),
        "funding": _("new funding"),
    }


def events(release: Release, months: Iterable[str]) -> list[Event]:
    """Changes of the program in the `months` that a chart shows, each with a letter; none on a
    chart of years, where they have no place."""
    rows, known = release.reference("program_events"), set(months)
    if rows is None:
        return []
    listed = [
        row for row in rows.sort_values("date").to_dict("records") if row["date"][:7] in known
    ]
    return [
        Event(
            chr(ord("A") + i),
            row["date"][:7],
            _("{day}: {event}").format(
                day=day(date.fromisoformat(row["date"])), event=text(row, "event")
            ),
            _short().get(row["kind"], ""),
        )
        for i, row in enumerate(listed[:26])
    ]


def letters(found: Iterable[Event], name: Callable[[str], str] = str) -> dict[str, str]:
    """Where on a chart of months each event's letter stands, with its name where it is alone in its
    month; `name`: what the chart calls a month."""
    by_month: dict[str, list[Event]] = {}
    for event in found:
        by_month.setdefault(name(event.month), []).append(event)
    return {
        place: listed[0].mark if len(listed) == 1 else ", ".join(e.letter for e in listed)
        for place, listed in by_month.items()
    }


def changed_within(release: Release, period: str) -> str:
    """What changed inside a year (a code), or in all of the time (ROOT), so that its figures hold
    more than one service; empty where nothing did."""
    rows = release.reference("program_events")
    if rows is None:
        return ""
    inside = [
        row
        for row in rows.sort_values("date").to_dict("records")
        if (
            row["date"][:4] == period and row["date"][5:] != "01-01"
            if period != ROOT
            else release.data_from < date.fromisoformat(row["date"]) <= release.data_to
        )
    ]
    if not inside:
        return ""
    listed = "; ".join(
        _("{day}: {event}").format(
            day=day(date.fromisoformat(row["date"])), event=escape(without_stop(text(row, "event")))
        )
        for row in inside
    )
    words = (
        _("The program changed within this time. {list}.")
        if period == ROOT
        else _("The program changed within this year. {list}.")
    )
    return words.format(list=listed)


def event_note(found: list[Event]) -> str:
    return " ".join(f"**{e.letter}** {escape(e.words)}" for e in found)


def rates_by_who(
    release: Release, table: CountTable, dimension: str, code: str, fixed: Mapping[str, str]
) -> list[Rate]:
    return [Rate.of(s) for s in by_who(release, table, dimension, code, fixed)]


def years_of(
    release: Release, table: CountTable, part: Mapping[str, str], fixed: Mapping[str, str]
) -> list[Share]:
    return (
        shares_of(release, table, "period", "year", part, fixed)
        if "year" in table.levels.get("period", ())
        else []
    )


class Row(NamedTuple):
    """One cell of a statistic; `numbers` is None where there are none, `status` says why."""

    code: str
    label: str
    numbers: dict[str, int] | None
    status: str

    @property
    def missing(self) -> str:
        """The word instead of the numbers."""
        return missing_word(self.status)

    @property
    def withheld(self) -> bool:
        return self.status == SUPPRESSED

    def data(self, names: Iterable[str]) -> dict[str, object]:
        """The numbers `names` to download, with their status."""
        return {
            **{name: self.numbers[name] if self.numbers else None for name in names},
            "status": self.status,
        }


def frame_of(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows to download; whole numbers stay whole where other cells have no number."""
    return pd.DataFrame(list(rows)).convert_dtypes()


def statistic_row(
    release: Release, table: StatisticTable, dimension: str, code: str, fixed: Mapping[str, str]
) -> Row:
    """One cell; the label of a period says where it is covered in part only."""
    at = {**fixed, dimension: code}
    label, (found, status) = label_of(release, dimension, code), numbers_at(table, at)
    return Row(code, marked(label, status) if dimension == "period" else label, found, status)


def statistic_rows(
    release: Release, table: StatisticTable, dimension: str, level: str, fixed: Mapping[str, str]
) -> list[Row]:
    """The cells along one dimension, where the statistic has that level."""
    codes = release.codelists[dimension].at(level) if level in table.levels[dimension] else ()
    return [statistic_row(release, table, dimension, c.code, fixed) for c in codes]


def parts_by_year(
    release: Release, table: StatisticTable, part: str, whole: str, words: str
) -> tuple[list[charts.Mark], pd.DataFrame]:
    """Marks and rows of one column of a statistic over another, for each year of which the data
    hold the year before, too. `words` holds {share}, {part} and {whole}."""
    items, rows = [], []
    for row in statistic_rows(release, table, "period", "year", {}):
        if date(int(row.code) - 1, 1, 1) < release.data_from:
            continue
        cell = row.numbers
        if cell is None or not cell[whole]:
            items.append(charts.Mark(row.label, None, row.missing))
        else:
            share = cell[part] / cell[whole]
            items.append(
                charts.Mark(
                    row.label,
                    share,
                    words.format(
                        share=percent(share), part=number(cell[part]), whole=number(cell[whole])
                    ),
                )
            )
        rows.append({"period": row.code, **row.data((part, whole))})
    return items, frame_of(rows)


def point(
    release: Release, table: CountTable, dimension: str, code: str, fixed: Mapping[str, str]
) -> Point:
    return Point(code, label_of(release, dimension, code), *table.cell({**fixed, dimension: code}))


def parts_of(
    release: Release,
    table: CountTable,
    dimension: str,
    labels: Mapping[str, str] | Sequence[str],
    fixed: Mapping[str, str],
    whole: str = ROOT,
) -> list[Share]:
    """The shares that some codes of one dimension have of its code `whole`. `labels` gives the
    codes with words of their own, or alone."""
    base = point(release, table, dimension, whole, fixed)
    found = [point(release, table, dimension, code, fixed) for code in labels]
    return [
        Share(p.code, labels[p.code] if isinstance(labels, Mapping) else p.label, p, base)
        for p in found
    ]


COMMUNITY = "community"
"""The code of `source` that holds all calls but those that officers started: the base has none of
those either."""


def share_of_all(release: Release) -> list[Share] | None:
    """Crisis calls from the community over calls from the community of every kind, year by year,
    for years with all 12 months.

    None where one of the two is not reported, or calls that officers started are not told apart.
    """
    every, counted = release.reference("all_calls"), release.find("period", "source")
    if (
        every is None
        or counted is None
        or "year" not in counted.levels["period"]
        or not release.holds(counted, "source", COMMUNITY)
    ):
        return None
    by_year = every.astype({"calls": int}).assign(year=every["month"].str[:4]).groupby("year")
    totals = by_year.agg(calls=("calls", "sum"), months=("month", "nunique"))
    return [
        Share(
            p.code,
            p.label,
            p,
            Point(p.code, p.label, int(totals.loc[p.code, "calls"]), "published"),
        )
        for p in along(release, counted, "period", "year", {"source": COMMUNITY})
        if p.code in totals.index and totals.loc[p.code, "months"] == 12
    ]


@dataclass(frozen=True)
class Cost:
    year: str
    spent: float
    contacts: int

    @property
    def each(self) -> float:
        return self.spent / self.contacts


def contacts_of(release: Release, year: str) -> int | None:
    """Calls in a year where a clinician came, and the person was found and took part: the one
    meaning of a contact. None where that is not published, or the data do not cover the year
    whole."""
    calls = release.find("responder", "period", "outcome")
    if (
        calls is None
        or not release.holds(calls, "period", year)
        or not release.holds(calls, "outcome", "met")
    ):
        return None
    count, status = calls.cell({"period": year, "responder": "clinician", "outcome": "met"})
    return count if status == PUBLISHED else None


def costs_of_contacts(release: Release) -> list[Cost]:
    """Money spent over contacts, for years in which both are known whole."""
    budget = release.reference("budget")
    if budget is None:
        return []
    found = []
    for year, rows in numbers(budget, "spent").groupby("year"):
        count = contacts_of(release, str(year))
        if rows["spent"].notna().all() and count:
            found.append(Cost(str(year), float(rows["spent"].sum()), count))
    return found


def trained_words(release: Release, most: int) -> str:
    """Who took which course in the last year, courses of officers and clinicians together first;
    nothing where no training is reported."""
    rows = release.reference("training")
    if rows is None or rows.empty:
        return ""
    last = numbers(rows[rows["year"] == rows["year"].max()], "trained", "eligible")
    if "joint" in last and (last["joint"] == "yes").any():
        last = last[last["joint"] == "yes"]
    words = [
        _("{course}, {role}: {trained} of {eligible}").format(
            course=text(r, "course"),
            role=text(r, "role"),
            trained=number(r["trained"]),
            eligible=number(r["eligible"]),
        )
        for r in last.head(most).to_dict("records")
    ]
    return _("Trained in {year}: {words}.").format(year=rows["year"].max(), words="; ".join(words))


def count_words(release: Release, value: str) -> str:
    """A number of an input in which small ones are left blank."""
    return (
        number(int(value)) if value else _("1 to {most}").format(most=number(release.threshold - 1))
    )


def show_feedback(
    page: Page,
    title: str,
    kinds: Mapping[str, str],
    file: str,
    absent: str,
    *,
    per_contact: bool = False,
) -> None:
    """What was received, or found by reviews, of some kinds (code -> words), by year;
    `per_contact`: also per 1,000 contacts."""
    rows = page.release.reference("feedback")
    listed = rows[rows["kind"].isin(kinds.keys())] if rows is not None else pd.DataFrame()
    if listed.empty:
        page.not_reported(absent)
        return
    shown = []
    for row in listed.to_dict("records"):
        line = {
            _("Year"): row["year"],
            _("What"): kinds[row["kind"]],
            _("How many"): count_words(page.release, row["received"]),
        }
        if per_contact:
            contacts = contacts_of(page.release, row["year"])
            line[_("Per 1,000 contacts")] = (
                rounded(1000 * int(row["received"]) / contacts)
                if contacts and row["received"]
                else "–"
            )
        shown.append(
            line | {_("What they were about"): text(row, "themes") if row.get("themes") else "–"}
        )
    note = _(
        "A number says how many were made, not who was right. Few may mean that few know how to"
        " make one."
    )
    if per_contact:
        note = _(
            "What reviews find depends on how many cases they look at. A contact is a call where a"
            " clinician came and the person took part."
        )
    page.figure(
        TableFigure(title=title, data=listed, table=pd.DataFrame(shown), file=(file,), note=note)
    )


@dataclass(frozen=True)
class Recent:
    """How far an input reaches: `to` as the data has it, `shown` in words, `days` from its
    end until the release was made."""

    name: str
    title: str
    to: str
    shown: str
    days: int


_WHEN = ("month", "wave", "date", "year")
"""Columns that say of what time a row is."""


def up_to(release: Release) -> list[Recent]:
    """The calls, and every input with a time, by how recent they are."""
    made = date.fromisoformat(release.package["created"][:10])
    last = release.data_to
    for gap in reversed(release.uncollected):
        if gap.last == last:
            last = gap.first - timedelta(days=1)
    reached = [("calls", _("Calls"), last.isoformat())]
    for name, rows in release.references.items():
        column = next((c for c in _WHEN if c in rows.columns), None)
        if column and len(rows):
            reached.append((name, pick(release.titles[name]), max(rows[column])))
    found = []
    for name, title, to in reached:
        end, shown = _end_of(to)
        found.append(Recent(name, title, to, shown, max(0, (made - end).days)))
    return sorted(found, key=lambda r: (r.days, r.name))


def _end_of(time: str) -> tuple[date, str]:
    """The last day of a year, month or day, and the time in words."""
    if len(time) == 4:
        return date(int(time), 12, 31), time
    if len(time) == 7:
        year, number_of = int(time[:4]), int(time[5:])
        return date(year, number_of, monthrange(year, number_of)[1]), month_in_words(time)
    return date.fromisoformat(time), day(date.fromisoformat(time))


def per_day(points: Sequence[Point]) -> list[float | None]:
    """Counts of months for each day of the month, since February is short; other periods as they
    are. None where withheld or not over yet."""

    def days(code: str) -> int:
        return (
            monthrange(int(code[:4]), int(code[5:]))[1]
            if len(code) == 7 and code[5:].isdigit()
            else 1
        )

    return [
        p.value / days(p.code) if p.value is not None and p.status == "published" else None
        for p in points
    ]


def residents(release: Release, dimension: str) -> dict[str, int]:
    """Code -> residents, of areas or groups; empty where the agency does not report them."""
    rows = release.reference("population")
    if rows is None:
        return {}
    listed = rows[rows["dimension"] == dimension].to_dict("records")
    return {row["code"]: int(row["residents"]) for row in listed}


def hours_served(release: Release, area: str = "") -> list[str]:
    """When teams work, one plain line for each place: that of `area` and the places that hold it,
    or (where none is named) of all."""
    rows = release.reference("service_hours")
    if rows is None:
        return []
    codes = release.codelists["area"].codes if "area" in release.codelists else {}
    joined, holding = release.joined("area"), [area]
    while holding[-1] in codes and codes[holding[-1]].parent:
        holding.append(codes[holding[-1]].parent)
    lines = []
    for row in rows.to_dict("records"):
        code = joined.get(row["area"], row["area"])
        if area and code not in (*holding, ROOT):
            continue
        # Hours of an area that this release does not know may not be taken for the whole city's.
        place = (
            pick(release.agency["place"])
            if code == ROOT
            else pick(codes[code].label)
            if code in codes
            else row["area"]
        )
        # "7 a.m. to 3 a.m." ends with a point of its own.
        hours = without_stop(unbroken(text(row, "hours")))
        lines.append(
            _("{place}: {days}, {hours}.").format(place=place, days=text(row, "days"), hours=hours)
        )
    return lines


def team_hours(page: Page, area: str = "") -> None:
    """When teams work, everywhere or where `area` lies."""
    page.heading(_("When teams work"))
    lines = hours_served(page.release, area)
    if not lines:
        page.not_reported(_("the hours of the teams"))
        return
    page.text("\n".join(f"- {escape(line)}" for line in lines))
    page.text(_("Outside these hours police or medics come. You can call 988 at every hour."))


def money(value: float) -> str:
    return _("${amount}").format(amount=rounded(value, 0))


def numbers(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The named columns as numbers; blanks as missing."""
    return rows.assign(**{name: pd.to_numeric(rows[name]) for name in columns})
