"""Get help: what to do now, and what happens when you call."""

from collections.abc import Sequence
from functools import partial

from dashboard import card
from dashboard.language import _
from dashboard.program import team_hours
from dashboard.skeleton import open_page

page = open_page("get-help")
release = page.release
page.ask(_("What do I do now, and what happens when I call?"), _("Call or text 988 to talk to someone. Call 911 when a life is in danger."))


def listed(steps: Sequence[str]) -> None:
    page.text("\n".join(f"{i}. {step}" for i, step in enumerate(steps, start=1)))


page.heading(_("If you or someone near you is in crisis"))
listed(card.steps())
page.heading(_("What happens when you call 911"))
listed(card.after_the_call())
page.link("outcomes", _("How calls end"))
team_hours(page)
page.heading(_("To keep"))
page.file(_("Card to print (PDF)"), card.file_name(release), partial(card.pdf_of, release), "application/pdf")
page.caveats(
    [
        _("This page is not for emergencies. We cannot read messages or send help."),
        _("Nobody can promise that a team will come. How often one does stands on the page about who gets a co-response."),
    ]
)
page.link("neighborhood", _("My neighborhood"))
page.link("funnel", _("Who gets a co-response"))
page.end()
