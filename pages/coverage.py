"""Coverage map: where a clinician reaches people, and where not; calls by place where that is not
reported."""

from dataclasses import replace

from dashboard.figures.figure_kinds import ShareFigure
from dashboard.findings import answers, coverage
from dashboard.findings.program import changed_within, last_year, years_of
from dashboard.numbers.cells import label_of
from dashboard.numbers.measures import measure
from dashboard.numbers.queries import ELIGIBLE
from dashboard.page.page import codes_of, open_page, period_title, period_words
from dashboard.page.reported import has_teams
from dashboard.page.surface import choose
from dashboard.release.reader import ROOT, CountTable
from dashboard.text.language import _, pick

page = open_page("coverage", "coverage", "staffed", "no_team")
release = page.release
teams = has_teams(release)
systems = coverage.systems(release)
chosen = None
if systems:
    names = {system: pick(release.codelists[system].name) for system in systems}
    chosen = coverage.choose_areas(
        release, choose("map", _("Kind of area"), names) if len(systems) > 1 else systems[0]
    )
year = chosen.fixed.get("period", "") if chosen else ""
season = release.find("season", "responder", where=ELIGIBLE)
days = {}
if season is not None and len(season.levels.get("weekday", ())) > 1:
    days["weekday"] = choose("days", _("Days (by season)"), codes_of(release, season, "weekday"))
if teams:
    page.ask(
        _("Where do teams reach people, and where are the gaps?"),
        answers.coverage_headline(release, year),
    )
else:
    page.ask(
        _("Where do crisis calls come from?"),
        answers.calls_headline(release, year) if systems else "",
    )


def at(table: CountTable) -> dict[str, str]:
    """The year of the page, where a table has it; its last whole year where nothing is chosen."""
    return (
        chosen.at(table)
        if chosen
        else (
            {"period": last_year(release, table)}
            if "year" in table.levels.get("period", ())
            else {}
        )
    )


if chosen is None:
    page.not_reported(_("where calls came from"))
else:
    coverage.show(page, chosen)
    if release.find(chosen.system, "responder", where=ELIGIBLE) is None:
        page.not_reported(_("which calls a clinician reached, by place"))

hours = release.find("hour", "responder", where=ELIGIBLE)
if hours is None:
    page.not_reported(_("which calls a clinician reached, by hour"))
else:
    coverage.by_hour(page, hours, at(hours))

setting = release.find("setting", "responder", where=ELIGIBLE)
if setting is None:
    page.not_reported(_("which calls a clinician reached, in urban and rural areas"))
else:
    fixed = at(setting)
    when = period_title(release, fixed.get("period", ROOT))
    page.figure(
        ShareFigure(
            title=_("Calls that a clinician reached, in urban and rural areas, {period}").format(
                period=when
            ),
            shares=measure("coverage").shares(release, "setting", fixed, setting),
            what=_("Where"),
            when=when,
            fixed={"table": setting.name, "eligible": "yes", **fixed},
            file=("coverage", "town-and-country", *fixed.values()),
        )
    )
if season is None:
    page.not_reported(_("which calls a clinician reached, by season"))
else:
    page.figure(
        ShareFigure(
            title=_("Calls that a clinician reached, by season, {period}").format(
                period=period_words(release)
            ),
            shares=measure("coverage").shares(release, "season", days, season),
            what=_("Season"),
            when=period_title(release, ROOT),
            fixed={"table": season.name, "eligible": "yes", **days},
            file=("coverage", "season", *[c for c in days.values() if c != ROOT]),
            note=changed_within(release, ROOT),
        )
    )

coverage.staffed(page)
lost = release.find("not_served_reason", "period", where=ELIGIBLE)
if (
    lost is None
    or "year" not in lost.levels["period"]
    or not all(release.holds(lost, "not_served_reason", code) for code in ("all_busy", "no_unit"))
):
    page.not_reported(_("calls lost because no team was free"))
else:
    years = [
        replace(share, label=f"{label_of(release, 'not_served_reason', code)}, {share.label}")
        for code in ("all_busy", "no_unit")
        for share in years_of(release, lost, {"not_served_reason": code}, {})
    ]
    page.figure(
        ShareFigure(
            title=_("Calls lost because no team was free"),
            shares=years,
            what=_("Why, and when"),
            when=_("by year"),
            fixed={"table": lost.name, "eligible": "yes"},
            file=("no-team",),
            note=_(
                "Out of all calls that met the criteria. Calls whose reason is not recorded may be"
                " among them, so the true shares may be higher."
            ),
        )
    )
page.caveats(
    [
        _(
            "A low share is a gap in the city's service. It says nothing about the people who live"
            " there."
        ),
        _("Many people who call from an area live elsewhere."),
        _("The criteria for a team are the agency's own. Shares of two cities cannot be compared."),
        _(
            "Areas are in order of their names. A small difference between two areas is often"
            " chance."
        ),
    ]
    if teams
    else [
        _("Many people who call from an area live elsewhere."),
        _("More calls from an area may mean that more people live or work there."),
    ]
)
page.end()
