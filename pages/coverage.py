"""Coverage map: where a clinician reaches people, and where not; calls by place where that is not reported."""

from dashboard import answers, places
from dashboard.language import _, pick
from dashboard.skeleton import open_page
from dashboard.surface import choose

page = open_page("coverage", "coverage", "staffed")
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

places.staffed(page)
page.caveats(
    [
        _("A low share is a gap in the city's service. It says nothing about the people who live there."),
        _("Many people who call from an area live elsewhere."),
        _("The criteria for a team are the agency's own. Shares of two cities cannot be compared."),
        _("Areas are listed in order of the share for reading only. Where intervals overlap, we cannot tell which is higher."),
    ]
)
page.end()
