"""Get help: what to do now, and what happens when you call."""

from dashboard.language import _, pick, text
from dashboard.release import ROOT
from dashboard.skeleton import open_page
from dashboard.surface import escape

page = open_page("get-help")
release = page.release
page.ask(_("What do I do now, and what happens when I call?"), _("Call or text 988 to talk to someone. Call 911 when a life is in danger."))


def steps(*lines: str) -> None:
    page.text("\n".join(f"{i}. {line}" for i, line in enumerate(lines, start=1)))


page.heading(_("If you or someone near you is in crisis"))
steps(
    _("Is a life in danger right now? Call **911**. Say: 'This is a mental-health crisis. Can you send a crisis team?'"),
    _("Is nobody in danger right now? Call or text **988**. It is free, and open day and night. You can ask for an interpreter."),
    _("Stay with the person if you can. Speak calmly. You do not have to fix it alone."),
)
page.heading(_("What happens when you call 911"))
steps(
    _("The call taker asks where you are, what is going on, and whether anyone is hurt or has a weapon."),
    _("The call taker checks if a crisis team can come. A team is a police officer and a mental-health clinician."),
    _("If no team is free, police or medics come."),
    _("The team talks with the person, looks for what helps, and makes a plan."),
)
page.link("outcomes", _("How calls end"))
page.heading(_("When teams work"))
hours = release.reference("service_hours")
if hours is None:
    page.not_reported(_("the hours of the teams"))
else:
    for row in hours.to_dict("records"):
        codes = release.codelists["area"].codes if "area" in release.codelists else {}
        place = pick(codes[row["area"]].label) if row["area"] in codes else pick(release.agency["place"])
        if row["area"] == ROOT:
            place = pick(release.agency["place"])
        page.text(_("- {place}: {days}, {hours}.").format(place=escape(place), days=escape(text(row, "days")), hours=escape(row["hours"])))
    page.text(_("Outside these hours police or medics come. You can call 988 at every hour."))
page.caveats(
    [
        _("This page is not for emergencies. We cannot read messages or send help."),
        _("Nobody can promise that a team will come. How often one does stands on the page about who gets a co-response."),
    ]
)
page.link("neighborhood", _("My neighborhood"))
page.link("funnel", _("Who gets a co-response"))
page.end()
