"""Coverage map: where a clinician reaches people, and where not; calls by place where that is not reported."""

from dataclasses import replace

from dashboard import answers, places
from dashboard.language import _, pick
from dashboard.program import years_of
from dashboard.release import ROOT
from dashboard.skeleton import codes_of, open_page, period_title, period_words
from dashboard.surface import choose
from dashboard.views import label_of, shares_of

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
lost = release.find("not_served_reason", "period", where=answers.ELIGIBLE)
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
    page.shares(
        title=_("Calls lost because no team was free"), shares=years, what=_("Why, and when"), when=_("by year"),
        fixed={"table": lost.name, "eligible": "yes"}, file=("no-team",),
        note=_("Out of all calls that met the criteria. Calls whose reason is not recorded may be among them, so the true shares may be higher."),
    )  # fmt: skip
page.caveats(
    [
        _("A low share is a gap in the city's service. It says nothing about the people who live there."),
        _("Many people who call from an area live elsewhere."),
        _("The criteria for a team are the agency's own. Shares of two cities cannot be compared."),
        _("Areas stand in order of their names. A small difference between two areas is often chance."),
    ]
)
page.end()
