"""Money: who pays, until when, what a contact costs, and what might be saved, as an open
calculator."""

from datetime import date

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure
from dashboard.findings.comparisons import CANNOT_TELL, calls_with_a_free_team, comparison
from dashboard.findings.program import costs_of_contacts, money, numbers
from dashboard.findings.savings import cases
from dashboard.page.page import open_page, period_title
from dashboard.page.surface import Headline, escape
from dashboard.release.reader import ROOT
from dashboard.text.language import _, day, number, rounded, text

page = open_page("money", "cost", "saved")
release = page.release
budget = release.reference("budget")
if budget is None:
    page.ask(_("What does it cost, who pays, and what might it save?"), "")
    page.not_reported(_("budget by source"))
else:
    rows = numbers(budget, "planned", "spent")
    spent_years = rows.dropna(subset=["spent"])["year"]
    year = max(spent_years) if len(spent_years) else max(rows["year"])
    chosen = rows[rows["year"] == year]
    ending = sorted(
        (r["ends"], text(r, "source"))
        for r in rows[rows["year"] == max(rows["year"])].to_dict("records")
        if r["ends"]
    )
    first = _("In {year}, the program spent {spent}.").format(
        year=year, spent=money(chosen["spent"].sum())
    )
    if ending:
        first += " " + _("The next source to end is the {source}, on {day}.").format(
            source=ending[0][1], day=day(date.fromisoformat(ending[0][0]))
        )
    page.ask(
        _("What does it cost, who pays, and what might it save?"),
        Headline(
            first,
            money(chosen["spent"].sum()),
            _("spent in {year}; {planned} were planned").format(
                year=year, planned=money(chosen["planned"].sum())
            ),
        ),
    )
    items = [
        charts.Mark(
            f"{text(r, 'source')}, {r['year']}",
            r["spent"] if pd.notna(r["spent"]) else None,
            (
                _("{planned} planned, {spent} spent").format(
                    planned=money(r["planned"]), spent=money(r["spent"])
                )
                if pd.notna(r["spent"])
                else _("{planned} planned, nothing spent yet").format(planned=money(r["planned"]))
            )
            + (
                " · " + _("ends {day}").format(day=day(date.fromisoformat(r["ends"])))
                if r["ends"]
                else ""
            ),
            target=r["planned"],
            brief=(
                _("{spent} of {planned}").format(
                    spent=money(r["spent"]), planned=money(r["planned"])
                )
                if pd.notna(r["spent"])
                else _("{planned} planned").format(planned=money(r["planned"]))
            ),
        )
        for r in rows.to_dict("records")
    ]
    page.figure(
        MarkFigure(
            title=_("Money by source and year"),
            items=items,
            what=_("Source, year"),
            unit=_("Money. Bar: spent. Stroke: planned"),
            when=_("by year"),
            data=budget,
            file=("budget",),
            note=_(
                "A source with an end date is a grant or a contract. What comes after it is not"
                " decided."
            ),
        )
    )
    per = costs_of_contacts(release)
    if per:
        page.figure(
            MarkFigure(
                title=_("Cost per contact"),
                what=_("Year"),
                unit=_("Cost per contact"),
                when=_("by year"),
                file=("cost-per-contact",),
                items=[
                    charts.Mark(
                        c.year,
                        c.each,
                        _("{cost} ({spent} over {contacts} contacts)").format(
                            cost=money(c.each), spent=money(c.spent), contacts=number(c.contacts)
                        ),
                        brief=money(c.each),
                    )
                    for c in per
                ],
                data=pd.DataFrame(
                    [
                        {
                            "year": c.year,
                            "cost_per_contact": c.each,
                            "spent": c.spent,
                            "contacts": c.contacts,
                        }
                        for c in per
                    ]
                ),
                note=_(
                    "All money spent, over all calls where a clinician came and the person took"
                    " part. It cannot be set against the cost of a police call: the calls differ."
                ),
            )
        )
    else:
        page.not_reported(_("cost per contact"))
page.heading(_("What might be saved"))
costs, like, found_free = (
    release.reference("unit_costs"),
    comparison(release, "compare_arrest"),
    calls_with_a_free_team(release),
)
cost = (
    next(
        (
            r
            for r in numbers(costs, "low", "middle", "high").to_dict("records")
            if r["item"] == "jail_booking"
        ),
        None,
    )
    if costs is not None
    else None
)
if cost is None or like is None or found_free is None:
    page.not_reported(
        _("unit costs, or arrests for similar calls when a team was free and when none was")
    )
elif like.verdict == CANNOT_TELL:
    page.info(
        _("We cannot tell if there were fewer arrests, so we give no amount. {why}").format(
            why=like.why
        )
    )
else:
    page.info(
        _(
            "Nobody knows what would have happened without the teams. This sum takes similar calls"
            " when no team was free as a stand-in. That may be wrong. Change the share and see."
        )
    )
    page.caption(
        _(
            "Cost of one jail booking: low {low}, middle {middle}, high {high}, dollars of {year}."
            " Source: {source}."
        ).format(
            middle=money(cost["middle"]),
            low=money(cost["low"]),
            high=money(cost["high"]),
            year=cost["year"],
            source=escape(text(cost, "source")),
        )
    )
    share = page.slide(
        "due", _("How much of the difference is due to the teams, in percent"), 0, 100, 50, 5
    )
    found = cases(like, found_free, cost, share / 100)
    words = {"low": _("low"), "middle": _("middle"), "high": _("high")}
    page.figure(
        MarkFigure(
            title=_("Fewer arrests, times the cost of one jail booking, {period}").format(
                period=period_title(release, ROOT)
            ),
            what=_("Case"),
            unit=_("Money"),
            when=period_title(release, ROOT),
            file=("savings",),
            items=[
                charts.Mark(
                    words[code],
                    round(case.sum),
                    _("{sum} ({count} arrests fewer, {price} each)").format(
                        sum=money(case.sum), count=rounded(case.fewer, 0), price=money(case.price)
                    ),
                )
                for code, case in found.items()
            ],
            data=pd.DataFrame(
                [
                    {
                        "case": code,
                        "arrests_fewer": case.fewer,
                        "price": case.price,
                        "share_due": share,
                        "sum": round(case.sum),
                    }
                    for code, case in found.items()
                ]
            ),
            note=_(
                "Over the {calls} calls that found a free team. The low case takes the near end of"
                " the likely range and the low cost; the high case the far end and the high cost."
                " If teams are not the reason, nothing is saved. Not every arrest leads to a jail"
                " booking. Who would save: {payer}. A jail saves only when it spends less, for"
                " example by closing a unit."
            ).format(calls=number(found_free), payer=escape(text(cost, "payer"))),
        )
    )
page.caveats(
    [
        _("Saved money is a range and a guess. It is not money already saved."),
        _(
            "Care costs money too: fewer jail days can mean more clinic visits, paid by someone"
            " else."
        ),
        _("The slider's numbers are yours. They are not stored or sent to anyone."),
    ]
)
page.end()
