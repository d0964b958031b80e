"""Calls and demand: how many, when, where, of what kind."""

from functools import partial

from dashboard.figures import charts
from dashboard.figures.figure_kinds import (
    Content,
    MarkFigure,
    ShareFigure,
    hidden_points,
    point_tables,
)
from dashboard.findings import answers
from dashboard.findings.program import event_note, events, last_year, letters, numbers, share_of_all
from dashboard.findings.time_series import signals
from dashboard.numbers.cells import along, label_of
from dashboard.page.measure_figures import Own
from dashboard.page.page import areas, codes_of, open_page, period_title, period_words, periods
from dashboard.page.surface import choose, escape
from dashboard.release.reader import ROOT
from dashboard.text.language import _, in_english, number, percent, pick

page = open_page("calls", "calls", "first_coded", "share_of_all")
release = page.release
by_area, by_type = release.find("period", "area"), release.find("period", "call_type")
chosen = {"area": ROOT, "call_type": ROOT}
if by_area:
    chosen["area"] = choose("area", _("Place"), areas(release, by_area, "area"))
else:
    page.not_reported(_("calls over time by place"))
if by_type:
    chosen["call_type"] = choose("type", _("Type of call"), codes_of(release, by_type, "call_type"))
else:
    page.not_reported(_("calls over time by type"))

narrowed = [dimension for dimension, code in chosen.items() if code != ROOT]
kinds = (
    release.find("period", "call_type", *[d for d in narrowed if d == "area"]) if by_type else None
)
year = (
    choose("year", _("Period"), periods(release, kinds), last_year(release, kinds)) if kinds else ""
)
page.ask(
    _("How many crisis calls come in, and of what kind?"),
    answers.calls_headline(release, year, {d: chosen[d] for d in narrowed}),
)
table = release.find("period", *narrowed)
names = [label_of(release, d, chosen[d]) for d in narrowed]
if table is None:
    page.not_reported(_("calls over time for this choice of place and type together"))
else:
    level = table.finest("period")
    points = along(release, table, "period", level, chosen)
    title = _("Calls over time: {choice}").format(choice=", ".join(names) or _("all calls"))
    shown, data = point_tables(points, _("Period"), _("Calls"), {"table": table.name, **chosen})
    note = _(
        "A line breaks where a number is withheld or was not collected. A hollow point is a period"
        " that the data cover only in part."
    )
    note += " " + signals(release, points)
    changes = events(release, [p.code for p in points])
    note += " " + event_note(changes)
    page.figure(
        Content(
            title=title,
            draw=partial(charts.trend, points, _("Calls"), events=letters(changes)),
            alt=charts.describe_trend(title, points),
            subtitle=_("Crisis calls, {span}").format(span=period_words(release)),
            table=shown,
            data=data,
            file=("calls", level, *[c for c in chosen.values() if c != ROOT]),
            hidden=hidden_points(points),
            note=note,
        )
    )

if by_type:
    if kinds is None:
        page.not_reported(_("types of call for one place"))
    else:
        fixed = (
            {"area": chosen["area"], "period": year} if "area" in kinds.levels else {"period": year}
        )
        points = along(release, kinds, "call_type", kinds.finest("call_type"), fixed)
        when = period_title(release, year)
        title = _("Calls by type, {period}").format(period=when)
        shown, data = point_tables(
            points, _("Type of call"), _("Calls"), {"table": kinds.name, **fixed}
        )
        page.figure(
            Content(
                title=title,
                draw=partial(charts.bars, points),
                alt=charts.describe(_("Bar chart"), title, when, points),
                table=shown,
                data=data,
                file=("calls-by-type", year, *[chosen[d] for d in narrowed if d == "area"]),
                hidden=hidden_points(points),
            )
        )

sources = release.find("source")
if sources:
    points = along(release, sources, "source", sources.finest("source"), {})
    title = _("How calls came in, {period}").format(period=period_words(release))
    shown, data = point_tables(
        points, pick(release.codelists["source"].name), _("Calls"), {"table": sources.name}
    )
    page.figure(
        Content(
            title=title,
            draw=partial(charts.bars, points),
            alt=charts.describe(_("Bar chart"), title, period_words(release), points),
            table=shown,
            data=data,
            file=("calls-by-source",),
            hidden=hidden_points(points),
        )
    )

page.measure(
    "first_coded",
    own=Own(
        title=_("How calls were first coded, {period}"),
        rows=(
            pick(release.codelists["initial_type"].name)
            if "initial_type" in release.codelists
            else ""
        ),
        note=_(
            "All of these were crisis calls in the end. A call that is not known as one at first"
            " may wait longer for a team."
        ),
        absent=_("how calls were first coded"),
    ),
)

shares = share_of_all(release)
if shares is None:
    page.not_reported(_("calls of every kind"))
else:
    page.figure(
        ShareFigure(
            title=_("Crisis calls as a share of all calls"),
            shares=shares,
            what=_("Year"),
            when=_("by year"),
            fixed={"table": "all_calls"},
            file=("share-of-all",),
            note=_(
                "All calls are the agency's own monthly totals of calls from the community. Only"
                " years with all 12 months are shown."
            ),
        )
    )
line = release.reference("crisis_line")
if line is None:
    page.not_reported(_("the 988 line in the state"))
else:
    rows = numbers(line, "contacts", "answered", "handed_to_team").to_dict("records")
    page.figure(
        MarkFigure(
            title=_("The 988 line in the whole state"),
            what=_("Year"),
            unit=_("Answered in the state"),
            when=_("by year"),
            data=line,
            file=("988",),
            share=True,
            items=[
                charts.Mark(
                    r["year"],
                    r["answered"] / r["contacts"] if r["contacts"] else None,
                    (
                        _("{share} answered in the state ({part} of {whole})").format(
                            share=percent(r["answered"] / r["contacts"]),
                            part=number(r["answered"]),
                            whole=number(r["contacts"]),
                        )
                        if r["contacts"]
                        else "–"
                    ),
                )
                for r in rows
            ],
            note=_(
                "This is about the whole state, not about this city's program. Nine in ten is the"
                " usual goal. Source: {source}."
            ).format(source=escape(in_english(line["source"].iloc[-1]))),
        )
    )
hours = release.find("weekday", "hour")
if hours is None:
    page.not_reported(_("the day and hour of calls"))
else:
    days, blocks = hours.finest("weekday"), hours.levels["hour"][1]
    day_codes = release.codelists["weekday"].at(days)
    rows = release.codelists["hour"].at(blocks)
    cells = [
        (pick(row.label), pick(day.label)[:3] if days == "day" else pick(day.label), cell)
        for row in rows
        for day in day_codes
        for cell in along(release, hours, "hour", blocks, {"weekday": day.code})
        if cell.code == row.code
    ]
    title = _("Calls by day and time, {period}").format(period=period_words(release))
    flat = [cell for _row, _column, cell in cells]
    table_frame, data = point_tables(flat, _("Time of day"), _("Calls"), {"table": hours.name})
    table_frame.insert(0, _("Day"), [column for _row, column, _cell in cells])
    data.insert(1, "weekday", [day.code for _row in rows for day in day_codes])
    page.figure(
        Content(
            title=title,
            draw=partial(
                charts.grid, [(row, column, cell.value, cell.shown) for row, column, cell in cells]
            ),
            alt=charts.describe(_("Grid of numbers"), title, period_words(release), flat),
            table=table_frame,
            data=data,
            file=("calls-by-day-and-time",),
            hidden=hidden_points(flat),
        )
    )

page.caveats(
    [
        _(
            "Counts say how many calls came in. They do not say how many people called: one person"
            " may call many times."
        ),
        _(
            "The type is the one on record at the end of the call. Agencies sort calls in different"
            " ways, so do not compare cities by type."
        ),
        *(
            [_("Places with more calls are not worse places. Many callers live elsewhere.")]
            if by_area
            else []
        ),
    ]
)
page.end()
