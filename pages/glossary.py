"""Glossary, feedback and accessibility."""

from datetime import date

import pandas as pd

from dashboard.figures.figure_kinds import TableFigure
from dashboard.numbers.measures import OF_CALLS, VERSION, measures
from dashboard.page.page import open_page
from dashboard.page.reported import has_teams
from dashboard.page.surface import escape
from dashboard.text.glossary import words
from dashboard.text.language import _, day, in_english

TESTED = date(2026, 11, 27)
"""Of the last walk in docs/accessibility.md."""

page = open_page("glossary")
release = page.release
page.ask(
    _("What do the words mean, and whom can I ask?"),
    _("Here is each word and each measure, with how it is counted."),
)
page.heading(_("Words"))
page.table(
    pd.DataFrame(
        [
            {_("Word"): word, _("Meaning"): meaning}
            for word, meaning in words(teams=has_teams(release)).items()
        ]
    ),
    _("Words and what they mean"),
)
listed = [m for m in measures() if m.name in OF_CALLS or has_teams(release)]
table = pd.DataFrame(
    [
        {
            _("Measure"): m.plain,
            _("What is counted"): m.counted,
            _("Out of"): m.out_of or "–",
            _("Counted in"): m.unit,
            _("Keep in mind"): m.caveat or "–",
            _("Wording"): m.source,
            _("Also counted this way by"): in_english("; ".join(m.alike)) if m.alike else "–",
        }
        for m in listed
    ]
)
data = pd.DataFrame(
    [
        {
            "measure": m.name,
            "name": m.plain,
            "counted": m.counted,
            "out_of": m.out_of,
            "unit": m.unit,
            "caveat": m.caveat,
            "source": m.source,
            "alike": "; ".join(m.alike),
            "least": m.smallest_base,
            "version": VERSION,
        }
        for m in listed
    ]
)
page.figure(TableFigure(title=_("Measures"), table=table, data=data, file=("measures",)))
page.heading(_("Ask or tell us"))
page.text(
    _("Questions, mistakes and ideas: {contact}.").format(contact=escape(release.agency["contact"]))
)
page.heading(_("Accessibility"))
page.text(
    _(
        "We aim for WCAG 2.2 level AA, and test for WCAG 2.1 level AA. Each chart has a sentence, a"
        " table and a file with the same numbers. Arrow keys read a chart point by point: press Tab"
        " until you are at it. All pages work with a keyboard and on a phone. Tell us what does not"
        " work for you: {contact}."
    ).format(contact=escape(release.agency["contact"]))
)
page.text(
    _("Last tested by program and by hand on {day}. What we know does not work yet:").format(
        day=day(TESTED)
    )
)
page.text(
    "\n".join(
        f"- {line}"
        for line in [
            _(
                "Areas on the map itself cannot be chosen by keys. The list of links under it leads"
                " to the same places."
            ),
            _("On charts and maps, what you read by keys is not marked in the picture."),
            _(
                "A few words of the frame stay in English, such as 'Choose an option' and"
                " 'Running'."
            ),
            _("No person who uses a screen reader has tried this site yet."),
        ]
    )
)
if release.agency["country"] == "US":
    page.text(
        _(
            "Rules of the US Department of Justice (Code of Federal Regulations, title 28, part 35,"
            " subpart H) ask public bodies to meet WCAG 2.1 level AA. The dates are in 2027 and"
            " 2028, by the size of the place. Ask the agency which one applies."
        )
    )
page.caveats([_("Other agencies may use the same words in other ways.")])
page.end()
