"""Check a claim: what people say, our figure, what research found, and what can be said."""

from collections import Counter

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure
from dashboard.findings.claims import REVIEWED, checked, verdict_words
from dashboard.findings.program import show_feedback
from dashboard.page.page import open_page
from dashboard.page.reported import has_teams
from dashboard.page.surface import Entry, choose, escape
from dashboard.text.language import _, in_english, month_in_words, number

page = open_page("claims", "trust", "feedback")
release = page.release
listed = checked(release)
verdicts = Counter(finding.verdict for _claim, finding in listed)
VERDICTS = {
    "less": "fewer",
    "more": "more",
    "same": "no_clear",
    "yes": "supported",
    "no": "not_supported",
    "open": "cannot_tell",
    "rest": "described",
    "missing": "missing",
}
compared = verdicts["fewer"] + verdicts["more"] + verdicts["no_clear"]
known = len(listed) - verdicts["missing"]
answer = _("This release has a figure for {known} of {all} claims.").format(
    known=number(known), all=number(len(listed))
)
if compared:
    answer = _(
        "We compare similar calls for {compared} of {all} claims. When a team is free, the figure"
        " is lower for {less}, higher for {more}, and not clearly different for {same}. For {open}"
        " claims we cannot tell. {rest} cannot be judged; we show the figure."
    ).format(
        all=number(len(listed)),
        compared=number(compared),
        **{
            key: number(verdicts[name])
            for key, name in VERDICTS.items()
            if key not in ("yes", "no", "missing")
        },
    )
    if verdicts["missing"]:
        answer += " " + _("Claims that lack data: {count}.").format(
            count=number(verdicts["missing"])
        )
page.ask(_("Is it true that...?"), answer)
if compared:
    page.link("how_we_compare", _("How we compare, and when we say which words"))
page.caption(
    _(
        "What research found was last reviewed in {month}. Studies are few, and most compare unlike"
        " things."
    ).format(month=month_in_words(REVIEWED))
)
page.ways(
    [
        Entry(
            claim.said,
            "" if finding.verdict == "described" else finding.verdict_words,
            "claims",
            (("claim", claim.name),),
        )
        for claim, finding in listed
        if finding.verdict != "missing"
    ]
)
options = {"all": _("All claims")} | {
    claim.name: claim.said for claim, finding in listed if finding.verdict != "missing"
}
chosen = choose("claim", _("Claim"), options, "all")
if chosen == "all" and has_teams(release):
    page.figure(
        MarkFigure(
            title=_("What our figures say of all claims"),
            what=_("What we can say"),
            unit=_("Claims"),
            when=month_in_words(REVIEWED),
            file=("claims",),
            items=[
                charts.Mark(verdict_words(name), float(verdicts[name]), number(verdicts[name]))
                for name in VERDICTS.values()
                if verdicts[name]
            ],
            data=pd.DataFrame(
                [
                    {"verdict": name, "claims": verdicts[name]}
                    for name in VERDICTS.values()
                    if verdicts[name]
                ]
            ),
        )
    )
for claim, finding in listed:
    if chosen not in ("all", claim.name) or (chosen == "all" and finding.verdict == "missing"):
        continue
    page.heading(claim.said)
    page.text(f"**{finding.verdict_words}**")
    if finding.verdict != "missing":
        page.text(_("Our figure: {figure}").format(figure=escape(finding.figure)))
    if claim.source:
        page.text(
            _("What research found: {words} Source: {source}.").format(
                words=escape(claim.research), source=escape(in_english(claim.source))
            )
        )
    else:
        page.text(
            _("Keep in mind: {words} We have no study to cite on this yet.").format(
                words=escape(claim.research)
            )
        )
    if claim.page != "claims":
        page.link(claim.page, _("See the figures: {claim}").format(claim=claim.said))
if chosen == "all" and verdicts["missing"]:
    page.heading(_("Claims that this agency's data cannot answer yet"))
    page.text(
        "\n".join(f"- {claim.said}" for claim, finding in listed if finding.verdict == "missing")
    )
survey = release.reference("survey")
residents = survey[survey["audience"] == "residents"] if survey is not None else None
if residents is not None and len(residents):
    page.survey(residents, _("What residents say"), "resident-survey")
show_feedback(
    page,
    _("Complaints and praise"),
    {"complaint": _("Complaints"), "praise": _("Praise")},
    "complaints-and-praise",
    _("complaints and praise"),
)
if has_teams(release):
    page.heading(_("Before you compare cities"))
    page.text(_("Most figures of two programs cannot be set side by side. This is why:"))
    page.table(
        pd.DataFrame(
            [
                {
                    _("What differs"): _("Who may get a team"),
                    _("Seen where"): _(
                        "Portland leaves out callers thinking about suicide and private homes."
                        " About 3 in 100 of its visits end in an emergency room; in New York about"
                        " half do."
                    ),
                    _("Source"): in_english(
                        "Portland Civic Lab; mentalhealth.cityofnewyork.us/bheard-data"
                    ),
                },
                {
                    _("What differs"): _("What is counted as the base"),
                    _("Seen where"): _(
                        "Seattle has counted force for each dispatch, each event and each crisis"
                        " contact: from 0.15% to nearly 2%."
                    ),
                    _("Source"): in_english("spdblotter.seattle.gov; SPD use-of-force report 2019"),
                },
                {
                    _("What differs"): _("What a word means"),
                    _("Seen where"): _(
                        "In Eugene 'diverted' has meant 17% of calls, and 3% to 8%, by two meanings"
                        " of the word."
                    ),
                    _("Source"): in_english("nlc.org; registerguard.com, 2022"),
                },
            ]
        ),
        _("Why figures of two programs cannot be compared"),
    )
page.caveats(
    [
        *(
            [
                _(
                    "'Associated with' means that two things go together. It does not mean that"
                    " teams are the reason."
                )
            ]
            if compared
            else []
        ),
        _(
            "'Supported here' is only said of plain counts. 'No clear difference' does not mean"
            " that there is none."
        ),
        _("Figures of one city say nothing of another."),
    ]
)
page.end()
