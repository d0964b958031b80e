"""Response times: named clocks, middle and slow waits, share within a time, team and other
calls."""

from collections.abc import Mapping

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure, ShareFigure
from dashboard.findings import comparisons_page, time_series
from dashboard.findings.comparisons import comparison
from dashboard.findings.program import frame_of, statistic_row, statistic_rows, year_choice
from dashboard.findings.urgent_waits import urgent_words
from dashboard.numbers.cells import WHO, Share, label_of, mix_of
from dashboard.numbers.measures import numbers_at
from dashboard.page.page import open_page, period_title
from dashboard.page.surface import Headline
from dashboard.release.reader import ROOT, StatisticTable
from dashboard.text.language import _, number, pick

page = open_page(
    "times", "wait", "queue", "dispatch", "on_scene", "wait_within_30", "urgent", "compared"
)
release = page.release
wait = release.statistic("minutes_call_to_arrival", "responder")
bands = release.find("wait")
plain = wait or release.statistic("minutes_call_to_arrival")
chosen = year_choice(release, bands) if bands else {}
asked = (
    chosen
    if plain and "period" in chosen and release.holds(plain, "period", chosen["period"])
    else {}
)
whole, _status = numbers_at(plain, asked) if plain else (None, "")
page.ask(
    _("How long do people wait?"),
    (
        Headline(
            _(
                "Half of the waits from call to arrival are about {median} minutes or less; 9 in 10"
                " are about {p90} or less."
            ).format(median=number(whole["median"]), p90=number(whole["p90"])),
            _("{n} min").format(n=number(whole["median"])),
            _("half of the waits are shorter, {span}").format(
                span=period_title(release, asked.get("period", ROOT))
            ),
        )
        if whole
        else ""
    ),
)


def wait_mark(label: str, numbers: Mapping[str, int] | None, missing: str) -> charts.Mark:
    """A middle and a slow wait; `missing`: the word where there is none."""
    if numbers is None:
        return charts.Mark(label, None, missing)
    median, p90 = numbers["median"], numbers["p90"]
    words = _("half within about {median}, 9 in 10 within about {p90} minutes").format(
        median=number(median), p90=number(p90)
    )
    return charts.Mark(
        label,
        median,
        words,
        median,
        p90,
        _("half within about {median} min, 9 in 10 about {p90}").format(
            median=number(median), p90=number(p90)
        ),
    )


def by_who(table: StatisticTable, title: str, file: str, note: str) -> None:
    years = (
        release.codelists["period"].at("year") if "year" in table.levels.get("period", ()) else []
    )
    rows, items = [], []
    for who in WHO:
        for year in years:
            row = statistic_row(release, table, "period", year.code, {"responder": who})
            items.append(
                wait_mark(
                    f"{label_of(release, 'responder', who)}, {row.label}", row.numbers, row.missing
                )
            )
            rows.append({"responder": who, "period": year.code, **row.data(table.columns)})
    page.figure(
        MarkFigure(
            title=title,
            items=items,
            what=_("Who came, and when"),
            unit=_("Minutes"),
            when=_("by year"),
            data=frame_of(rows),
            file=(file,),
            dots=True,
            note=note,
        )
    )


def along_it(
    table: StatisticTable, dimension: str, title: str, what: str, file: str, note: str
) -> None:
    """Middle and slow waits along one dimension, at the finest level below its root, in the chosen
    year."""
    at = (
        {"period": chosen["period"]}
        if "period" in chosen and release.holds(table, "period", chosen["period"])
        else {}
    )
    level = table.levels[dimension][-1]
    counted = release.find(dimension, *at)
    known = counted is not None and level in counted.levels[dimension]
    found = [
        row
        for row in statistic_rows(release, table, dimension, level, at)
        if not (
            known and counted and counted.cell({dimension: row.code, **at})[0] == 0
        )  # nobody called: nothing is withheld
    ]
    when = period_title(release, at.get("period", ROOT))
    page.figure(
        MarkFigure(
            title=title.format(period=when),
            what=what,
            unit=_("Minutes"),
            when=when,
            file=(file, *at.values()),
            dots=True,
            note=note,
            items=[wait_mark(row.label, row.numbers, row.missing) for row in found],
            data=frame_of({dimension: row.code, **at, **row.data(table.columns)} for row in found),
            hidden=sum(row.withheld for row in found),
        )
    )


clocks = (
    (
        wait,
        _("From call to arrival, by who came"),
        "wait-by-who",
        _("waits by who came"),
        _("The dot is the middle wait. The line runs to the wait that 9 in 10 stay under."),
    ),
    (
        release.statistic("minutes_call_to_dispatch", "responder"),
        _("From call to dispatch, by who came"),
        "queue-by-who",
        _("time from call to dispatch"),
        _("A long wait here means that no unit was free, not that the drive was long."),
    ),
    (
        release.statistic("minutes_dispatch_to_arrival", "responder"),
        _("From dispatch to arrival, by who came"),
        "dispatch-by-who",
        _("time from dispatch to arrival"),
        _(
            "This time starts when a unit is sent. The middle values of two times do not add up to"
            " the third."
        ),
    ),
)
for clock, title, file, what, note in clocks:
    if clock:
        by_who(clock, title, file, note)
    else:
        page.not_reported(what)
likely = comparison(release, "compare_wait")
if likely is None:
    page.not_reported(_("waits for similar calls, when a team was free and when none was"))
else:
    comparisons_page.show(page, likely)
if bands is None:
    page.not_reported(_("how many calls were answered within a given time"))
else:
    when = period_title(release, chosen.get("period", ROOT))
    shares: list[Share] = mix_of(release, bands, "wait", bands.finest("wait"), chosen)
    page.figure(
        ShareFigure(
            title=_("How many calls waited how long, {period}").format(period=when),
            shares=shares,
            what=_("Wait for the first unit"),
            when=when,
            fixed={"table": bands.name, **chosen},
            file=("waits", *chosen.values()),
            note=_(
                "'Not recorded' are calls without both times. They count in the base, as if they"
                " had come too late. When many times are missing, the rest may not stand for all."
            ),
        )
    )
time_series.waits_over_time(page)
hours = release.statistic("minutes_call_to_arrival", "hour")
if hours:
    page.figure(
        time_series.WaitFigure(
            release,
            hours,
            "hour",
            hours.levels["hour"][-1],
            title=_("Waits by time of day"),
            what=_("Time of day"),
            file="waits-by-hour",
        )
    )
ranked = release.statistic("minutes_call_to_arrival", "priority")
if ranked is None:
    page.not_reported(_("waits by priority"))
else:
    along_it(
        ranked,
        "priority",
        _("Waits by priority, {period}"),
        pick(release.codelists["priority"].name),
        "waits-by-priority",
        _("Priority is how fast the call taker thought someone had to get there."),
    )
placed = release.statistic("minutes_call_to_arrival", "area")
if placed is None:
    page.not_reported(_("waits by area"))
else:
    along_it(
        placed,
        "area",
        _("Waits by area, {period}"),
        _("Area"),
        "waits-by-area",
        _(
            "Areas are in the order of the release, not of their waits: a small difference is often"
            " chance."
        ),
    )
urgent = release.reference("urgent_waits")
if urgent is None:
    page.not_reported(_("waits for urgent police calls while teams are on a call"))
else:
    told = urgent_words(urgent)
    sides = {"on_a_call": _("A team was on a call"), "not_on_a_call": _("No team was on a call")}
    items = [
        wait_mark(
            f"{sides[r['teams']]}, {r['year']}",
            {key: int(r[key]) for key in ("median", "p90")} if r["median"] else None,
            _("too few calls"),
        )
        for r in urgent.to_dict("records")
    ]
    page.figure(
        MarkFigure(
            title=_("Waits for urgent police calls while teams are on a call, and while none is"),
            items=items,
            what=_("What teams were doing"),
            unit=_("Minutes"),
            when=_("by year"),
            data=urgent,
            file=("urgent-waits",),
            dots=True,
            note=f"{told} ".lstrip()
            + _(
                "From call to first arrival, in the same areas and hours of the day. It cannot show"
                " why one side waits longer: on a busy night both teams and patrols are busy."
            ),
        )
    )
page.caveats(
    [
        _(
            "A longer wait may mean more calls, fewer units, longer drives, or less urgent calls."
            " We cannot tell which from these numbers."
        ),
        _(
            "Teams and police take different calls, so their waits cannot be set side by side as if"
            " they did the same work."
        ),
        _("A short wait is not the same as good help. Read it together with how calls end."),
    ]
)
page.end()
