"""The release in some 400 words: each sentence with the figure that it comes from."""

from dashboard.page.page import open_page
from dashboard.site.story import sources, story
from dashboard.text.language import _, number

page = open_page("story")
told = story(page.release)
page.ask(
    _("What does this release say?"),
    _("{count} sentences from {figures} figures. Each has a link to its figure.").format(
        count=number(len(told.cited)), figures=number(len(sources(told.cited)))
    )
    if told.cited
    else "",
)
if not told.cited:
    page.not_reported(_("calls by day"))
page.cited(told.parts)
for figure in told.figures:
    page.show(figure)
page.caveats(
    [
        _("A short text leaves things out. The figures have more, and say what they cannot tell."),
        _("These numbers alone cannot show whether teams made the change.")
        if "funnel" in {sentence.page for sentence in told.cited}
        else _("Counts tell how many calls came in. They do not tell why."),
    ]
)
page.end()
