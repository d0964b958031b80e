"""Coverage map: where a clinician reaches people, and where not; calls by place where that is not reported."""

from dashboard import answers, places
from dashboard.language import _, pick
from dashboard.program import parts_by_year
from dashboard.release import ROOT
from dashboard.skeleton import codes_of, open_page, period_title, period_words
from dashboard.surface import choose
from dashboard.views import shares_of

page = open_page("coverage", "coverage", "staffed", "no_team")
release = page.release
sentence, _share = answers.coverage(release)
page.ask(_("Where do teams reach people, and where are the gaps?"), sentence)

systems = places.systems(release)
if not systems:
    page.not_reported(_("where calls came from"))
else:
    names = {system: pick(release.codelists[system].name) for system in systems}
    system = choose("map", _("Kind of area"), names) if len(systems) > 1 else systems[0]
    places.show(page, system)
    if release.find(system, "responder", where=answers.ELIGIBLE) is None:
        page.not_reported(_("which calls a clinician reached, by place"))

hours = release.find("hour", "responder", where=answers.ELIGIBLE)
if hours is None:
    page.not_reported(_("which calls a clinician reached, by hour"))
else:
    places.by_hour(page, hours)

setting = release.find("setting", "responder", where=answers.ELIGIBLE)
if setting is None:
    page.not_reported(_("which calls a clinician reached, in town and country"))
else:
    page.shares(
        title=_("Calls that a clinician reached, in town and country, {period}").format(period=period_words(release)),
        shares=shares_of(release, setting, "setting", setting.finest("setting"), answers.REACHED, {}), what=_("Where"), when=period_title(release, ROOT),
        fixed={"table": setting.name, "eligible": "yes"}, file=("coverage", "town-and-country"),
    )  # fmt: skip
season = release.find("season", "responder", where=answers.ELIGIBLE)
if season is None:
    page.not_reported(_("which calls a clinician reached, by season"))
else:
    fixed = {}
    if len(season.levels.get("weekday", ())) > 1:
        fixed["weekday"] = choose("days", _("Days"), codes_of(release, season, "weekday"))
    page.shares(
        title=_("Calls that a clinician reached, by season, {period}").format(period=period_words(release)),
        shares=shares_of(release, season, "season", season.finest("season"), answers.REACHED, fixed), what=_("Season"), when=period_title(release, ROOT),
        fixed={"table": season.name, "eligible": "yes", **fixed}, file=("coverage", "season", *[c for c in fixed.values() if c != ROOT]),
    )  # fmt: skip

places.staffed(page)
waiting = release.statistic("hours_without_team", "period")
if waiting is None:
    page.not_reported(_("hours in which no team was free"))
else:
    items, rows = parts_by_year(release, waiting, "hours_none", "based_on", _("about {share} ({part} of {whole} hours)"))
    page.marks(
        title=_("Hours in which a call met the criteria and no team was free"), what=_("Year"), unit=_("Share of hours"), when=_("by year"), file=("no-team",),
        items=items, data=rows,
        note=_("Out of all hours of the year with at least one such call. No team was free means that none was on duty, or that all were busy. Rounded to 10 hours."),
    )  # fmt: skip
page.caveats(
    [
        _("A low share is a gap in the city's service. It says nothing about the people who live there."),
        _("Many people who call from an area live elsewhere."),
        _("The criteria for a team are the agency's own. Shares of two cities cannot be compared."),
        _("We list areas in order of the share for reading only. Where their likely ranges overlap, we cannot tell which is higher."),
    ]
)
page.end()
