"""Get help: what to do now, and what happens when you call."""

from collections.abc import Sequence
from functools import partial

from dashboard.export import crisis_card
from dashboard.findings.program import team_hours
from dashboard.page.page import open_page
from dashboard.page.reported import has_teams, shown_pages
from dashboard.text.language import _

page = open_page("get-help")
release = page.release
page.ask(
    _("What do I do now, and what happens when I call?"),
    _("Call or text 988 to talk to someone. Call 911 when a life is in danger."),
)
shown = shown_pages(release)


def listed(steps: Sequence[str]) -> None:
    page.text("\n".join(f"{i}. {step}" for i, step in enumerate(steps, start=1)))


page.heading(_("If you or someone close to you is in crisis"))
listed(crisis_card.steps(release))
page.heading(_("What happens when you call 911"))
listed(crisis_card.after_the_call(release))
if "outcomes" in shown:
    page.link("outcomes", _("How calls end"))
if has_teams(release):
    team_hours(page)
page.heading(_("Keep this card"))
page.file(
    _("Card to print (PDF)"),
    crisis_card.file_name(release),
    partial(crisis_card.pdf_of, release),
    "application/pdf",
)
page.caveats(
    [
        _("This page is not for emergencies. We cannot read messages or send help."),
        *(
            [_("Nobody can promise that a team will come. See 'Who gets a co-response'.")]
            if "funnel" in shown
            else []
        ),
    ]
)
if "neighborhood" in shown:
    page.link("neighborhood", _("My area"))
if "funnel" in shown:
    page.link("funnel", _("Who gets a co-response"))
page.end()
