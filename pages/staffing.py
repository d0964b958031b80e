"""Staffing, training and partners: posts, hours, courses, who left first, what officers say."""

from functools import partial

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content, MarkFigure, ShareFigure, TableFigure
from dashboard.findings import auditors_questions, comparisons_page, time_series
from dashboard.findings.comparisons import comparison
from dashboard.findings.program import (
    Row,
    numbers,
    one_year,
    parts_of,
    show_feedback,
    statistic_row,
    trained_words,
)
from dashboard.numbers.measures import measure
from dashboard.page.measure_figures import Own
from dashboard.page.page import open_page, period_title
from dashboard.release.reader import PUBLISHED, ROOT
from dashboard.text.language import _, month, month_in_words, number, percent, rounded, text

page = open_page(
    "staffing",
    "posts",
    "staffed",
    "busy",
    "patrol",
    "trained",
    "turnover",
    "led",
    "reviews",
    "compared",
)
release = page.release
posts, hours, training = (
    release.reference("staffing"),
    release.reference("staffed_months"),
    release.reference("training"),
)
answer = ""
if posts is not None:
    last = numbers(posts[posts["month"] == posts["month"].max()], "authorized", "filled").to_dict(
        "records"
    )
    parts = [
        _("{filled} of {posts} positions for {role}").format(
            filled=number(r["filled"]), posts=number(r["authorized"]), role=text(r, "role").lower()
        )
        for r in last
    ]
    answer = _("In {month}, the program had filled {list}.").format(
        month=month_in_words(last[0]["month"]), list="; ".join(parts)
    )
page.ask(_("Is the program staffed and trained?"), f"{answer} {trained_words(release, 2)}".strip())
if posts is None:
    page.not_reported(_("positions filled"))
else:
    rows = numbers(posts, "authorized", "filled")
    series = [
        (
            f"{text(part.to_dict('records')[0], 'role')} ({words})",
            [(month(m), float(v)) for m, v in zip(part["month"], part[field], strict=True)],
        )
        for _role, part in rows.groupby("role", sort=False)
        for field, words in (("authorized", _("positions")), ("filled", _("filled")))
    ]
    page.figure(
        Content(
            title=_("Positions and people, by month"),
            draw=partial(charts.lines, series, _("Positions")),
            alt=charts.describe_lines(
                _("Positions and people, by month"),
                series,
                {month(m): month_in_words(m) for m in rows["month"]},
            ),
            table=pd.DataFrame(
                [
                    {
                        _("Month"): month(r["month"]),
                        _("Role"): text(r, "role"),
                        _("Positions"): number(r["authorized"]),
                        _("Positions filled"): number(r["filled"]),
                    }
                    for r in rows.to_dict("records")
                ]
            ),
            data=posts,
            file=("posts",),
        )
    )
turnover = release.reference("turnover")
if turnover is None:
    page.not_reported(_("how many people left"))
else:
    rows = numbers(turnover, "average", "left").to_dict("records")
    page.figure(
        TableFigure(
            title=_("People who left, by year"),
            data=turnover,
            file=("turnover",),
            table=pd.DataFrame(
                [
                    {
                        _("Year"): r["year"],
                        _("Role"): text(r, "role"),
                        _("People who left"): number(r["left"]),
                        _("Positions filled, on average"): number(r["average"]),
                        _("Share"): percent(r["left"] / r["average"]) if r["average"] else "–",
                    }
                    for r in rows
                ]
            ),
            note=_(
                "By year only, and without a reason: teams are small. One person who leaves changes"
                " the share a lot."
            ),
        )
    )
time_series.hours_over_time(page)
busy = release.statistic("hours_committed", "period", "responder")
if hours is None or busy is None or not release.holds(busy, "responder", "co_responder"):
    page.not_reported(_("how much of their time teams are on calls"))
else:
    worked = (
        numbers(hours, "worked")
        .assign(year=hours["month"].str[:4])
        .groupby("year")["worked"]
        .agg(["sum", "size"])
    )
    years = [
        y
        for y in release.codelists["period"].at("year")
        if y.code in worked.index and worked.loc[y.code, "size"] == 12
    ]
    found = [
        (
            statistic_row(release, busy, "period", y.code, {"responder": "co_responder"}),
            float(worked.loc[y.code, "sum"]),
        )
        for y in years
    ]

    def on_calls_for_each_100(row: Row, hours: float) -> charts.Mark:
        """Over the hours of a whole year: with calls of a part of it alone the figure would be too
        low."""
        if row.numbers is None or not hours:
            return charts.Mark(row.label, None, row.missing)
        if row.status != PUBLISHED:
            return charts.Mark(row.label, None, "–")
        on_calls = row.numbers["hours"]
        each = 100 * on_calls / hours
        words = _("about {share} for each 100 ({part} of {whole} hours)").format(
            share=rounded(each, 0), part=number(on_calls), whole=rounded(hours, 0)
        )
        return charts.Mark(row.label, each, words)

    page.figure(
        MarkFigure(
            title=_("How much of their staffed time teams are on calls"),
            what=_("Year"),
            unit=_("Hours on calls for each 100 staffed hours"),
            when=_("by year"),
            file=("busy",),
            items=[on_calls_for_each_100(row, w) for row, w in found],
            data=pd.DataFrame(
                [
                    {
                        "period": row.code,
                        "hours_on_calls": row.numbers["hours"] if row.numbers else None,
                        "hours_staffed": w,
                        "status": row.status,
                    }
                    for row, w in found
                ]
            ),
            note=_(
                "Only calls and hours of an officer and a clinician together. From dispatch until"
                " the call is closed. Two teams on one call count once. A high figure often goes"
                " with longer waits."
            ),
        )
    )
if hours is None or not any(hours.get("patrol", pd.Series(dtype=str))):
    page.not_reported(_("hours of patrol units"))
else:
    both = (
        numbers(hours, "worked", "patrol")
        .assign(year=hours["month"].str[:4])
        .groupby("year")[["worked", "patrol"]]
        .sum()
    )
    page.figure(
        MarkFigure(
            title=_("Officer hours in teams, beside hours on patrol"),
            share=True,
            what=_("Year"),
            unit=_("Share of hours"),
            when=_("by year"),
            file=("patrol-hours",),
            items=[
                charts.Mark(
                    str(y),
                    w / (w + p) if w + p else None,
                    (
                        _("{share} ({part} of {whole} hours)").format(
                            share=percent(w / (w + p)), part=rounded(w, 0), whole=rounded(w + p, 0)
                        )
                        if w + p
                        else "–"
                    ),
                )
                for y, w, p in both.itertuples()
            ],
            data=both.reset_index(),
            note=_(
                "Hours of one officer in a team, out of these hours and those of patrol units"
                " together."
            ),
        )
    )
if training is None:
    page.not_reported(_("training"))
else:
    rows = numbers(training, "trained", "eligible", "hours")
    items = [
        charts.Mark(
            f"{text(r, 'course')}, {text(r, 'role')}, {r['year']}",
            r["trained"] / r["eligible"] if r["eligible"] else None,
            _("{trained} of {eligible}, {hours} hours each").format(
                trained=number(r["trained"]),
                eligible=number(r["eligible"]),
                hours=number(r["hours"]),
            ),
        )
        for r in rows.to_dict("records")
    ]
    page.figure(
        MarkFigure(
            title=_("People trained"),
            share=True,
            items=items,
            what=_("Course, role, year"),
            unit=_("People trained"),
            when=_("by year"),
            data=training,
            file=("training",),
        )
    )
roles = release.find("responder", "officer_released")
led = measure("led").table(release)
year = one_year(release, roles, led)
if roles is None:
    page.not_reported(_("officers who left before the clinician"))
else:
    fixed = year(roles)
    when = period_title(release, fixed.get("period", ROOT))
    at = {**fixed, "responder": "clinician"}
    page.figure(
        ShareFigure(
            title=_("Did the officer leave before the clinician? {period}").format(period=when),
            shares=parts_of(release, roles, "officer_released", ("yes", "no", "unknown"), at),
            what=_("Officer left first"),
            when=when,
            fixed={"table": roles.name, **at},
            file=("roles", *fixed.values()),
            note=_(
                "An officer who leaves early, once the scene is safe, has time for other calls. A"
                " call that no officer came to counts as not recorded."
            ),
        )
    )
page.measure(
    "led",
    at=year,
    own=Own(
        title=_("Who led on calls of a team, {period}"),
        note=_("Only calls of an officer and a clinician together."),
        file="who-led",
        absent=_("who led on scene"),
    ),
)
auditors_questions.show(page, "clinician_role", "unstaffed_days", "unstaffed_areas", "crews_freed")
show_feedback(
    page,
    _("What reviews of cases found"),
    {
        "unclear_lead": _("It was not clear who led"),
        "unsafe_entry": _("Someone went in before it was safe"),
    },
    "case-reviews",
    _("what reviews of cases found"),
    per_contact=True,
)
officer = comparison(release, "compare_officer_minutes")
if officer is None:
    page.not_reported(_("officer time for similar calls, when a team was free and when none was"))
else:
    comparisons_page.show(page, officer)
survey = release.reference("survey")
officers = survey[survey["audience"] == "officers"] if survey is not None else None
if officers is None or not len(officers):
    page.not_reported(_("what officers say in surveys"))
else:
    page.survey(officers, _("What officers say"), "officer-survey")
page.caveats(
    [
        _("Teams are small, so one person who leaves changes the share a lot."),
        _("Hours staffed say that a team was on duty, not that it was free."),
        _(
            "Time on scene alone does not say if work was done well. Calls with and without a"
            " clinician differ."
        ),
    ]
)
page.end()
