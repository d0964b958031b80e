"""Outcomes: what happens at the end of a call."""

from functools import partial

from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content, ShareFigure, hidden_shares, share_tables
from dashboard.findings import answers, auditors_questions, comparisons_page
from dashboard.findings.program import parts_of, year_choice
from dashboard.numbers.cells import Point, Share, along, label_of, mix_of
from dashboard.page.page import codes_of, open_page, period_title
from dashboard.page.reported import has_teams
from dashboard.page.surface import choose
from dashboard.release.reader import ROOT
from dashboard.text.language import _

page = open_page("outcomes", "outcomes", "contact", "er_diversion")
release = page.release
fixed: dict[str, str] = {}
question = _("What happens at the end of a call?")
table = release.find("outcome", "period") or release.find("outcome")
if table is None:
    page.ask(question, "")
    page.not_reported(_("how calls ended"))
else:
    fixed |= year_choice(release, table)
    page.ask(question, answers.outcomes_headline(release, table, fixed.get("period", "")))
    if len(table.levels.get("call_type", ())) > 1:
        fixed["call_type"] = choose(
            "type", _("Type of call"), codes_of(release, table, "call_type")
        )
    else:
        page.not_reported(_("how calls of one type ended"))
    if len(table.levels.get("responder", ())) > 1:
        fixed["responder"] = choose("who", _("Who came"), codes_of(release, table, "responder"))
    else:
        page.not_reported(_("who came to the call"))
    when = period_title(release, fixed.get("period", ROOT))
    shares = mix_of(release, table, "outcome", table.finest("outcome"), fixed)
    title = _("How calls ended, {period}").format(period=when)
    shown, data = share_tables(shares, _("How it ended"), {"table": table.name, **fixed})
    page.figure(
        Content(
            title=title,
            draw=partial(charts.share_bars, shares),
            alt=charts.describe(_("Bar chart"), title, when, shares),
            table=shown,
            data=data,
            file=("outcomes", *[c for c in fixed.values() if c != ROOT]),
            hidden=hidden_shares(shares),
            note=(
                _(
                    "Every call is in one row. Calls where nobody was found, and where people said"
                    " no, are counted too."
                )
                if release.holds(table, "outcome", "met")
                else _("Every call is in one row.")
            ),
        )
    )
if table is not None and release.holds(table, "outcome", "met"):
    met = {**fixed, "outcome": "met"}
    whole = Point("met", label_of(release, "outcome", "met"), *table.cell(met))
    ends = [
        Share(p.code, p.label, p, whole)
        for p in along(release, table, "outcome", "outcome", fixed, under="met")
    ]
    page.figure(
        ShareFigure(
            title=_("Was someone met? {period}").format(period=when),
            shares=mix_of(release, table, "outcome", "contact", fixed),
            what=_("Was someone met?"),
            when=when,
            fixed={"table": table.name, **fixed},
            file=("contact-made", *[c for c in fixed.values() if c != ROOT]),
            note=_(
                "Where many people are not found, or say no, shares of all calls say little of what"
                " teams do. So the next figure leaves those calls out."
            ),
        )
    )
    page.figure(
        ShareFigure(
            title=_("How calls ended where someone was met, {period}").format(period=when),
            shares=ends,
            what=_("How it ended"),
            when=when,
            fixed={"table": table.name, **met},
            file=("outcomes-met", *[c for c in fixed.values() if c != ROOT]),
        )
    )
elif table is not None:
    page.not_reported(_("whether someone was met"))
needed = release.find("responder", "taken_to_ed", where={"ed_criteria": "yes"})
if needed is None:
    page.not_reported(_("which people needed an emergency room, by who came"))
else:
    year = (
        {"period": fixed["period"]}
        if "period" in fixed and "year" in needed.levels.get("period", ())
        else {}
    )
    if table is None:
        year = year_choice(release, needed)
    when = period_title(release, year.get("period", ROOT))
    for who, file, words in (
        (
            "clinician",
            "emergency-room",
            _(
                "Calls where someone needed an emergency room and a clinician came: diversion,"
                " {period}"
            ),
        ),
        (
            "no_clinician",
            "emergency-room-others",
            _("Calls where someone needed an emergency room and no clinician came, {period}"),
        ),
    ):
        at = {**year, "responder": who}
        page.figure(
            ShareFigure(
                title=words.format(period=when),
                what=_("What happened"),
                when=when,
                shares=parts_of(
                    release,
                    needed,
                    "taken_to_ed",
                    {
                        "yes": _("Taken there, by choice or on a hold"),
                        "no": _("Helped elsewhere"),
                        "unknown": _("Not recorded"),
                    },
                    at,
                ),
                fixed={"table": needed.name, "ed_criteria": "yes", **at},
                file=(file, *[c for c in year.values() if c != ROOT]),
                note=_(
                    "Who needs an emergency room is judged on scene, before the call ends. Helped"
                    " elsewhere is not always better."
                ),
            )
        )
auditors_questions.show(page, "holds", "hold_started_by")
comparisons_page.show_or_say(page, "compare_hold")
auditors_questions.show(page, "handed_back")
page.caveats(
    [
        *(
            [
                _(
                    "Teams and police go to different kinds of calls. A difference between them"
                    " here does not show that teams are the reason."
                )
            ]
            if has_teams(release)
            else []
        ),
        *(
            [
                _(
                    "A call without an arrest is not a call where an arrest was avoided. Most calls"
                    " would never lead to one."
                )
            ]
            if table is not None and release.holds(table, "outcome", "arrest_or_citation")
            else []
        ),
        _("We count what was written down when the call ended. What came later is not counted."),
    ]
)
page.end()
