"""My neighborhood: one area compared with the whole city."""

from functools import partial

import pandas as pd

from dashboard.export import brief, poster
from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure, ShareFigure, hidden_points
from dashboard.findings.program import (
    frame_of,
    last_year,
    point,
    residents,
    statistic_row,
    team_hours,
)
from dashboard.numbers.cells import Share, label_of
from dashboard.numbers.measures import measure
from dashboard.numbers.queries import ELIGIBLE
from dashboard.page.page import areas, open_page, period_title
from dashboard.page.reported import has_teams
from dashboard.page.surface import Headline, Take, choose, escape, outside
from dashboard.release.reader import PUBLISHED, ROOT
from dashboard.site.find import named
from dashboard.text import language
from dashboard.text.language import _, ngettext, number, pick, rounded

MAX_AREAS = 20

page = open_page("neighborhood", "coverage", "wait")
release = page.release
teams = has_teams(release)
covered = release.find("area", "responder", where=ELIGIBLE)
counted = covered or release.find("area")
if counted is None:
    page.ask(_("What happens where I live?"), "")
    page.not_reported(_("calls by area"))
else:
    options = areas(release, counted, "area")
    year = {"period": last_year(release, counted)} if "period" in counted.levels else {}
    when = period_title(release, year.get("period", ROOT))
    area = choose("area", _("My area"), options, ROOT)
    codes = release.codelists["area"]
    parts = [
        c.code
        for c in codes.at(counted.levels["area"][1])
        if c.code in options and "unknown" not in c.code
    ]
    """The largest areas, shown while none is chosen."""

    def share(code: str) -> Share:
        """Of the eligible calls of one area: those that a clinician reached."""
        assert covered is not None
        return measure("coverage").shares(release, "area", year, covered, (code,))[0]

    def headline() -> Headline:
        """What the release says of the area chosen, with the whole city to compare."""
        name = pick(release.agency["place"]) if area == ROOT else options[area]
        if covered is None:
            assert counted is not None, "only asked where calls are counted by area"
            found = point(release, counted, "area", area, year)
            words = ngettext(
                "{area}: {count} crisis call, {period}.",
                "{area}: {count} crisis calls, {period}.",
                found.value or 0,
            ).format(area=name, count=found.shown, period=when)
            return Headline(
                words,
                found.shown if found.value is not None else "",
                _("crisis calls in {area}, {period}").format(area=name, period=when),
            )
        here, city = share(area), share(ROOT)
        if here.share is None:
            return Headline(
                _(
                    "{area} has too few calls to show a share, or it is withheld. The larger area"
                    " is below."
                ).format(area=name)
            )
        words = _(
            "In {period}, a clinician came to {share} of the eligible calls in {area}."
        ).format(period=when, share=language.about(here.share) or here.shown, area=name)
        base = _("{part} of {whole} eligible calls").format(
            part=here.part.shown, whole=here.whole.shown
        )
        return Headline(
            words,
            here.shown,
            base,
            (
                _("{area}: {share}").format(area=city.label, share=city.shown)
                if area != ROOT and city.share is not None
                else ""
            ),
        )

    page.ask(
        (
            _("Is there a team where I live?")
            if teams
            else _("How many crisis calls come from my area?")
        ),
        headline(),
    )
    if area in (places := named(release, options)):
        page.caption(
            _("Also in this area: {places}.").format(
                places=escape(", ".join(dict.fromkeys(places[area][1])))
            )
        )
    if teams:
        team_hours(page, area)
    compared = [area, ROOT] if area != ROOT else [*list(parts)[:MAX_AREAS], ROOT]
    if covered is not None and area != ROOT:
        parent = release.codelists["area"].codes[area].parent
        if share(area).share is None and parent != ROOT:
            # Too few calls here: the larger area around it, named as such.
            compared = [area, parent, ROOT]
    if covered is not None:
        shares = [share(code) for code in compared]
        page.figure(
            ShareFigure(
                title=_("Calls that a clinician reached: {area}, {period}").format(
                    area=label_of(release, "area", area), period=when
                ),
                shares=shares,
                ranked=False,
                what=_("Area"),
                when=when,
                fixed={"table": covered.name, "eligible": "yes", **year},
                file=("my-area", area),
                note=(
                    _(
                        "Where your area has too few calls, the larger area around it is shown too,"
                        " under its own name."
                    )
                    if len(compared) > 2 and area != ROOT
                    else ""
                ),
            )
        )
    calls = release.find("area", "period") or counted
    in_calls = [code for code in compared if code != ROOT and release.holds(calls, "area", code)]
    if area != ROOT and not in_calls and release.codelists["area"].codes[area].parent != ROOT:
        in_calls = [
            release.codelists["area"].codes[area].parent
        ]  # calls are counted for the larger area alone
    in_year = "period" in year and "period" in calls.levels and year["period"] != ROOT
    points = [
        point(release, calls, "area", code, year if "period" in calls.levels else {})
        for code in in_calls
    ]
    homes = residents(release, "area")
    rates = (
        {
            p.code: rounded(1000 * p.value / homes[p.code])
            for p in points
            if p.value is not None and p.status == PUBLISHED and homes.get(p.code)
        }
        if in_year
        else {}
    )
    if points:
        page.figure(
            MarkFigure(
                title=_("Crisis calls: {area}, {period}").format(
                    area=points[0].label if area != ROOT else options[ROOT], period=when
                ),
                items=[
                    charts.Mark(
                        p.label,
                        p.value,
                        (
                            _("{count} ({rate} for each 1,000 residents)").format(
                                count=p.shown, rate=rates[p.code]
                            )
                            if p.code in rates
                            else p.shown
                        ),
                    )
                    for p in points
                ],
                what=_("Area"),
                unit=_("Calls"),
                when=when,
                data=pd.DataFrame(
                    {
                        "code": [p.code for p in points],
                        "label": [p.label for p in points],
                        "calls": pd.array([p.value for p in points], dtype="Int64"),
                        "status": [p.status for p in points],
                    }
                ),
                file=("my-area-calls", area),
                hidden=hidden_points(points),
                note=(
                    _(
                        "Many people who call from an area live elsewhere, so a high rate does not"
                        " mean that those who live there call more."
                    )
                    if rates
                    else ""
                ),
            )
        )
    waits = release.statistic("minutes_call_to_arrival", "area")
    if waits is None:
        page.not_reported(_("waits by area"))
    else:
        level = release.codelists["area"].codes
        known = [code for code in compared if release.holds(waits, "area", code)]
        if area not in known and level[area].parent not in known:
            known.insert(0, level[area].parent)
        at = {d: c for d, c in year.items() if d in waits.levels}
        cells = [statistic_row(release, waits, "area", code, at) for code in known]
        page.figure(
            MarkFigure(
                title=_("Half of the waits are shorter than this, {period}").format(period=when),
                items=[
                    charts.Mark(
                        c.label,
                        c.numbers["median"] if c.numbers else None,
                        (
                            ngettext(
                                "about {n} minute", "about {n} minutes", c.numbers["median"]
                            ).format(n=number(c.numbers["median"]))
                            if c.numbers
                            else c.missing
                        ),
                    )
                    for c in cells
                ],
                what=_("Area"),
                unit=_("Minutes"),
                when=when,
                data=frame_of({"area": c.code, **c.data(("median", "p90"))} for c in cells),
                hidden=sum(c.withheld for c in cells),
                file=("my-area-waits", area),
            )
        )
    sheets = brief.districts(release)
    parent = release.codelists["area"].codes[area].parent
    sheet = area if area in sheets else parent if parent in sheets else ROOT
    span = year.get("period", ROOT)
    page.file(
        _("Sheet for {area} (PDF)").format(area=sheets[sheet]),
        brief.file_name(release, sheet, span, "pdf"),
        partial(brief.pdf_of, release, sheet, span),
        "application/pdf",
    )
    page.heading(_("A poster for this area"))
    page.text(
        _("Numbers to call, hours of a team, and a code to scan that leads to this page.")
        if teams
        else _("Numbers to call, and a code to scan that leads to this page.")
    )
    address = outside("neighborhood", {} if area == ROOT else {"area": area})
    page.files(
        [
            Take(
                words,
                poster.file_name(release, area, paper),
                partial(poster.pdf_of, release, area, options[area], address, paper),
                "application/pdf",
            )
            for paper, words in zip(
                poster.PAPERS, (_("Poster, Letter (PDF)"), _("Poster, A4 (PDF)")), strict=True
            )
        ]
    )
page.caveats(
    [
        _("Your choice stays in your browser's address. It is not stored."),
        _("These numbers say nothing about a single person."),
        _("Areas are not ranked here: small differences are often chance."),
    ]
)
page.end()
