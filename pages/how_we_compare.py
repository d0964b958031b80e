"""How we compare: the design behind every comparison of similar calls, its rules, and what it found
here."""

import pandas as pd

from dashboard.findings import comparisons, comparisons_page
from dashboard.page.page import open_page
from dashboard.text.language import _, number

page = open_page("how_we_compare", "compared")
listed = [f"compare_{outcome}" for outcome in (*comparisons.OUTCOMES, *comparisons.APART)]
page.ask(
    _("How do you know that calls with and without a team can be compared?"),
    _(
        "Teams may go to calmer calls. So we do not set calls with a team against all others. We"
        " look at calls that could have had one, and ask if a team was free."
    ),
)
page.heading(_("The idea"))
page.text(
    _(
        "Think of two similar calls. One comes in while a team is free. The other comes in while"
        " all teams are busy, or none is on duty. Which of the two it was is mostly luck. So we"
        " compare how the two kinds of calls end."
    )
)
page.text(
    _(
        "A call that finds a free team stays on that side, even if no team goes. Otherwise a"
        " dispatcher who sends teams to calm calls would make teams look good."
    )
)
page.heading(_("The plan, step by step"))
page.table(
    pd.DataFrame(
        [
            {
                _("Step"): _("Which calls"),
                _("What we do"): _(
                    "Only calls that met the program's written criteria, on both sides."
                ),
            },
            {
                _("Step"): _("Side one"),
                _("What we do"): _("A team was free when the call came in."),
            },
            {
                _("Step"): _("Side two"),
                _("What we do"): _(
                    "No team was free: all were busy, or none was on duty. The reason on record"
                    " says so."
                ),
            },
            {
                _("Step"): _("Similar calls"),
                _("What we do"): _(
                    "We compare calls only with calls of the same kind, place and priority, and"
                    " with or without a weapon. They also share the year, the part of the week and"
                    " the time of day."
                ),
            },
            {_("Step"): _("Start"), _("What we do"): _("The moment when the call comes in.")},
            {
                _("Step"): _("How long"),
                _("What we do"): _(
                    "Until the call ends. For repeat calls, 90 days, and only where the 90 days are"
                    " over."
                ),
            },
            {
                _("Step"): _("What we count"),
                _("What we do"): _(
                    "Arrests that no law required, force, another call from the same person,"
                    " officer minutes, and minutes until someone arrives. Apart from these five,"
                    " we count handcuffs and involuntary holds."
                ),
            },
            {
                _("Step"): _("Likely range"),
                _("What we do"): _(
                    "It holds the true difference 99 times in 100, for handcuffs and holds 39"
                    " times in 40. One person who calls often counts as one person in it, not as"
                    " many."
                ),
            },
            {
                _("Step"): _("What must hold"),
                _("What we do"): _(
                    "Among similar calls, chance decides if a team is free. Where that is wrong,"
                    " the figures can mislead. So we check it."
                ),
            },
        ]
    ),
    _("The plan of the comparison"),
)
page.heading(_("What we check first"))
page.text(
    _(
        "Some things no team can change: the day of the week, and the wait before anyone is sent."
        " If the two sides differ in these, they differ in more than teams. Then we say that we"
        " cannot tell."
    )
)
page.heading(_("When we say which words"))
page.text(
    "\n".join(f"{place}. {rule}" for place, rule in enumerate(comparisons.rule_words(), start=1))
)
page.text(
    _(
        "The first rule that fits decides. We make {count} such comparisons, and {more} apart from"
        " them. If teams changed nothing, chance would still show a difference among the first in"
        " 1 of 20 cities, and among the others in 1 of 20."
    ).format(count=number(len(comparisons.OUTCOMES)), more=number(len(comparisons.APART)))
)
page.heading(_("What we found"))
for measure in listed:
    comparisons_page.show_or_say(page, measure)
page.caveats(
    [
        _("These are associations. We cannot tell whether teams are the reason."),
        _(
            "Busy hours may differ in ways that nobody writes down. The checks find some of that,"
            " not all."
        ),
        _(
            "A free team does not come to every call. So the effect of a team that comes may be"
            " larger than the difference shown."
        ),
    ]
)
page.end()
