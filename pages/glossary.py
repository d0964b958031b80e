"""Glossary, feedback and accessibility."""

import pandas as pd

from dashboard.language import _
from dashboard.measures import VERSION, measures
from dashboard.skeleton import open_page
from dashboard.surface import escape

page = open_page("glossary")
release = page.release
page.ask(_("What do the words mean, and whom can I ask?"), _("Here is each word and each measure, with how it is counted."))
page.heading(_("Words"))
words = {
    _("Co-responder team"): _("A police officer and a mental-health clinician who answer calls together."),
    _("Clinician"): _("A trained mental-health worker, such as a social worker or a nurse."),
    _("988"): _("The national line for suicide and mental-health crises."),
    _("Crisis call"): _("A call about mental health, suicide, alcohol or drugs, or someone's well-being."),
    _("Eligible call"): _("A call that meets the program's written criteria for a team."),
    _("Contact"): _("A call where the person was found and talked to."),
    _("Referral"): _("A named service offered to the person."),
    _("Hold"): _("Taking a person to care without consent, as the law allows."),
    _("Middle value (median)"): _("Half of the values are smaller, half are larger."),
    _("9 in 10 (90th percentile)"): _("Nine of ten values are at or below this one."),
    _("95 % interval"): _("Where the true value may lie, given chance."),
    _("Withheld"): _("A number that is not shown, so that nobody can be singled out. It may be zero, small or large."),
    _("Not recorded"): _("Nobody wrote it down."),
    _("Like calls"): _("Calls of the same types, districts and hours, so that a comparison is fairer."),
}
page.table(pd.DataFrame([{_("Word"): word, _("Meaning"): meaning} for word, meaning in words.items()]), _("Words and what they mean"))
table = pd.DataFrame(
    [
        {_("Measure"): m.plain, _("What is counted"): m.counted, _("Out of"): m.out_of or "–", _("Counted in"): m.unit, _("Take care"): m.caveat or "–", _("Wording"): m.source}
        for m in measures()
    ]
)  # fmt: skip
data = pd.DataFrame([{"measure": m.name, "name": m.plain, "counted": m.counted, "out_of": m.out_of, "unit": m.unit, "caveat": m.caveat, "source": m.source, "least": m.least, "version": VERSION} for m in measures()])  # fmt: skip
page.rows(title=_("Measures"), table=table, data=data, file=("measures",))
page.heading(_("Ask or tell us"))
page.text(_("Questions, mistakes and ideas: {contact}.").format(contact=escape(release.agency["contact"])))
page.heading(_("Accessibility"))
page.text(
    _(
        "We aim for WCAG 2.1 level AA. Each chart has a sentence, a table and a file with the same numbers. All pages work with a keyboard and on a phone. "
        "Some words of the page's frame, such as the menu button, stay in English. Tell us what does not work for you."
    )
)
page.caveats([_("Other agencies may use the same words in other ways.")])
page.end()
