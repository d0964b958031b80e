"""Scorecard: targets that council set, with actual, year before, and how sure we are."""

from datetime import date
from functools import partial

import pandas as pd

from dashboard.export import brief
from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content, TableFigure
from dashboard.findings import auditors_questions
from dashboard.findings.program import latest, numbers, up_to
from dashboard.findings.targets import GOOD, targets
from dashboard.page.page import field_name, open_page
from dashboard.page.surface import Headline, Take, choose, escape
from dashboard.release.reader import ROOT
from dashboard.text.language import _, day, month, number, percent

MAX_SHEETS = 16
"""Places whose briefs stand there to take; of more, one is chosen first."""

page = open_page("scorecard", "coverage", "wait_within_30", "connected", "arrests", "completeness")
release = page.release

question = _("Is the program meeting what council set?")
listed = targets(release)
if not listed:
    complete = release.package.get("completeness", {})
    page.ask(
        _("How complete and how recent are the data?"),
        (
            _("{good} of {all} fields are filled in at least 9 of 10 calls.").format(
                good=sum(share >= GOOD for share in complete.values()), all=len(complete)
            )
            if complete
            else _("The days that the data reach to are below.")
        ),
    )
    page.not_reported(_("targets"))
else:
    results = [t.result for t in listed]
    answer = _("The program meets {met} of {all} targets.").format(
        met=results.count("met"), all=len(listed)
    )
    answer = " ".join([answer, *(words for t in listed if (words := t.gap_words))])
    if unclear := results.count("unclear"):
        answer += " " + _("Too near the target to say: {count}.").format(count=unclear)
    if open_ones := results.count("cannot_tell"):
        answer += " " + _(
            "We cannot tell for {count}, since partners that could know more do not share data."
        ).format(count=open_ones)
    page.ask(
        question,
        Headline(
            answer,
            _("{met} of {all}").format(met=results.count("met"), all=len(listed)),
            _("targets met"),
        ),
    )
    order = {"missed": 0, "unclear": 1, "cannot_tell": 2, "unknown": 3, "met": 4}
    listed = sorted(listed, key=lambda t: order[t.result])
    page.figure(
        Content(
            title=_("Targets and results"),
            subtitle=_(
                "Bar: what was reached. Stroke: the target. Those that are missed come first."
            ),
            draw=partial(charts.marks, [t.mark for t in listed], dots=False, share=True),
            alt=" ".join(
                [
                    _("Bar chart: targets and results."),
                    *(f"{t.mark.label}: {t.mark.text}." for t in listed),
                ]
            ),
            table=pd.DataFrame(
                [
                    {
                        _("Measure"): t.plain,
                        _("Year"): t.year,
                        _("Target"): t.target_words,
                        _("Actual"): t.actual,
                        _("Year before"): t.before,
                        _("Trend"): t.trend,
                        _("Result"): t.result_words,
                        _("Data"): t.quality(release),
                    }
                    for t in listed
                ]
            ),
            data=pd.DataFrame(
                [
                    {
                        "measure": t.measure,
                        "year": t.year,
                        "target": t.target,
                        "direction": t.direction,
                        "actual": t.score.now.share if t.score else None,
                        "before": t.score.before.share if t.score and t.score.before else None,
                        "result": t.result,
                    }
                    for t in listed
                ]
            ),
            file=("scorecard",),
            note=_(
                "'Too near the target to say' means that the target lies in the likely range, made"
                " wider for people who call often. A trend needs three whole years under the same"
                " rules and codes. 'At least' means that the true figure may be higher, since some"
                " partners do not share data. Where that could turn the result, we cannot tell."
                " Targets are for a year, so the period before and the same time of the year before"
                " are one. 'Data' says how well the fields behind the figure are filled."
            ),
        )
    )
    page.heading(_("Why these targets"))
    for t in listed:
        page.text(
            _("- **{measure}**: {reason} Set on {day}.").format(
                measure=escape(t.plain), reason=escape(t.reason), day=day(t.set_on)
            )
        )
auditors_questions.show(page, "targets_for")
page.heading(_("Brief for a meeting"))
page.text(
    _(
        "Two pages to print, for one place and one year. The HTML file holds the same, for screens"
        " and screen readers."
    )
)
places, spans = brief.districts(release), brief.years(release)
place = choose("place", _("Brief: place"), places)
span = choose("of", _("Brief: year"), spans, latest(release))
for words, make, suffix, mime in (
    (_("Council brief (PDF)"), brief.pdf_of, "pdf", "application/pdf"),
    (_("Council brief (HTML)"), brief.html_of, "html", "text/html"),
):
    page.file(
        words,
        brief.file_name(release, place, span, suffix),
        partial(make, release, place, span),
        mime,
    )
if 1 < len(places) <= MAX_SHEETS:
    page.caption(_("The brief of each place, {year}:").format(year=escape(spans[span])))
    page.files(
        [
            Take(
                _("{place} (PDF)").format(place=words),
                brief.file_name(release, code, span, "pdf"),
                partial(brief.pdf_of, release, code, span),
                "application/pdf",
            )
            for code, words in places.items()
            if code != place
        ]
    )
complete = release.package.get("completeness", {})
if complete:
    page.heading(_("How good are the data?"))
if not complete:
    page.not_reported(_("how complete the data are"))
else:
    low = {name: share for name, share in complete.items() if share < GOOD}
    page.figure(
        TableFigure(
            title=_("Completeness of the fields"),
            table=pd.DataFrame(
                [
                    {
                        _("Field"): field_name(release, name),
                        _("Filled, at least"): percent(share / 100),
                        _("Flag"): _("below 90%: read with care") if share < GOOD else _("good"),
                    }
                    for name, share in complete.items()
                ]
            ),
            data=pd.DataFrame(
                [{"field": name, "percent": share} for name, share in complete.items()]
            ),
            file=("completeness",),
            note=(
                _("Filled in fewer than 9 of 10 calls: {list}.").format(
                    list="; ".join(escape(field_name(release, name)) for name in low)
                )
                if low
                else ""
            ),
        )
    )
months = release.reference("completeness")
told = (
    months[(months["period"] != ROOT) & (months["at_least"] != "")]
    if months is not None
    else pd.DataFrame()
)
if told.empty:  # no months, or too few calls in each to tell
    page.not_reported(_("how complete the data are, by month"))
else:
    told = numbers(told, "at_least", "at_most")
    counted = []
    for name, rows in told.groupby("field"):
        low = rows.sort_values(["at_least", "period"]).iloc[0]
        good = int((rows["at_least"] >= GOOD).sum())
        counted.append(
            {
                "field": str(name),
                "months_good": good,
                "months": len(rows),
                **{f"lowest_{key}": low[key] for key in ("period", "at_least", "at_most")},
            }
        )
    counted.sort(key=lambda c: (c["months_good"] - c["months"], c["field"]))
    page.figure(
        TableFigure(
            title=_("Completeness by month"),
            data=pd.DataFrame(counted),
            file=("completeness-by-month",),
            table=pd.DataFrame(
                [
                    {
                        _("Field"): field_name(release, c["field"]),
                        _("Months with 9 in 10 filled"): (
                            _("{part} of {whole}").format(
                                part=number(c["months_good"]), whole=number(c["months"])
                            )
                        ),
                        _("Lowest month"): (
                            _("{low}% to {high}% ({month})").format(
                                low=number(c["lowest_at_least"]),
                                high=number(c["lowest_at_most"]),
                                month=month(c["lowest_period"]),
                            )
                            if c["months_good"] < c["months"]
                            else "–"
                        ),
                    }
                    for c in counted
                ]
            ),
            note=_(
                "Shown in steps of ten, so that no small number of blanks can be worked out. The"
                " release's table 'completeness' holds every month."
            ),
        )
    )
recent = up_to(release)
page.figure(
    TableFigure(
        title=_("How recent are the data?"),
        data=pd.DataFrame([{"input": r.name, "to": r.to, "days": r.days} for r in recent]),
        file=("recent",),
        table=pd.DataFrame(
            [
                {
                    _("Input"): r.title,
                    _("Reaches to"): r.shown,
                    _("Days before the release was made"): number(r.days),
                }
                for r in recent
            ]
        ),
        note=_(
            "The release was made on {day}. Calls written down later come with the next release."
        ).format(day=day(date.fromisoformat(release.package["created"][:10]))),
    )
)
page.caveats(
    [
        _(
            "A target met is not proof that the program works, and a target missed is not proof"
            " that it does not."
        ),
        _(
            "Targets were set by people, for the reasons given. Other reasons would give other"
            " targets."
        ),
    ]
    if listed
    else [_("A field that is filled in may still be wrong. We cannot check that.")]
)
page.end()
