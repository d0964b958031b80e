"""Money: who pays, until when, what a contact costs, and what might be saved, as an open calculator."""

from datetime import date

import pandas as pd

from dashboard import charts
from dashboard.answers import REACHED
from dashboard.language import _, day, number, rounded, text
from dashboard.program import costs_of_contacts, money, numbers
from dashboard.release import ROOT
from dashboard.skeleton import open_page, period_title
from dashboard.surface import escape

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
    ending = sorted((r["ends"], text(r, "source")) for r in rows[rows["year"] == max(rows["year"])].to_dict("records") if r["ends"])
    first = _("In {year}, the program spent {spent}.").format(year=year, spent=money(chosen["spent"].sum()))
    if ending:
        first += " " + _("The next source to end is {source}, on {day}.").format(
            source=ending[0][1], day=day(date.fromisoformat(ending[0][0]))
        )
    page.ask(_("What does it cost, who pays, and what might it save?"), first)
    items = [
        charts.Mark(
            f"{text(r, 'source')}, {r['year']}", r["planned"],
            _("{planned} planned, {spent} spent").format(planned=money(r["planned"]), spent=money(r["spent"]) if pd.notna(r["spent"]) else _("nothing yet"))
            + (" · " + _("ends {day}").format(day=day(date.fromisoformat(r["ends"]))) if r["ends"] else ""), brief=money(r["planned"]),
        )
        for r in rows.to_dict("records")
    ]  # fmt: skip
    page.marks(
        title=_("Money by source and year"),
        items=items,
        what=_("Source, year"),
        unit=_("Money"),
        when=_("by year"),
        data=budget,
        file=("budget",),
        note=_("A source with an end date is a grant or a contract. What comes after it is not decided."),
    )
    per = costs_of_contacts(release)
    if per:
        page.marks(
            title=_("Cost per contact"), what=_("Year"), unit=_("Cost per contact"), when=_("by year"), file=("cost-per-contact",),
            items=[charts.Mark(c.year, c.each, _("{cost} ({spent} over {contacts} contacts)").format(cost=money(c.each), spent=money(c.spent), contacts=number(c.contacts)), brief=money(c.each)) for c in per],
            data=pd.DataFrame([{"year": c.year, "cost_per_contact": c.each, "spent": c.spent, "contacts": c.contacts} for c in per]),
            note=_("All money spent, over all calls that a clinician reached. It cannot be set against the cost of a police call: the calls differ."),
        )  # fmt: skip
    else:
        page.not_reported(_("cost per contact"))
page.heading(_("What might be saved"))
costs, like = release.reference("unit_costs"), release.statistic("compare_arrest")
cell = like.cell({}) if like else None
reached, status = None, ""
if (table := release.find("responder", "arrest")) is not None:
    reached, status = table.cell(REACHED)
if costs is None or cell is None or not reached:
    page.not_reported(_("unit costs, or arrests for like calls"))
else:
    cost = next((r for r in numbers(costs, "low", "middle", "high").to_dict("records") if r["item"] == "jail_booking"), None)
    page.info(
        _(
            "Nobody knows what would have happened without the teams. This sum takes like calls without a clinician as a stand-in. That may be wrong. Change the numbers and see."
        )
    )
    gap = [
        max(0.0, (cell[f"other{edge}"] - cell[f"team{other}"]) / 1000) for edge, other in (("_low", "_high"), ("", ""), ("_high", "_low"))
    ]
    if cost is not None:
        price = page.slide("price", _("Cost of one jail booking, in dollars"), 0, max(1000, int(cost["high"] * 2)), int(cost["middle"]), 10)
        page.caption(
            _("Starts at {middle}. Low {low}, high {high}, dollars of {year}. Source: {source}.").format(
                middle=money(cost["middle"]),
                low=money(cost["low"]),
                high=money(cost["high"]),
                year=cost["year"],
                source=escape(cost["source"]),
            )
        )
        share = page.slide("due", _("How much of the difference is due to the teams, in per cent"), 0, 100, 50, 5)
        words = (_("low"), _("middle"), _("high"))
        sums = [round(reached * g * share / 100 * price) for g in gap]
        items = [
            charts.Mark(w, s, _("{sum} ({count} bookings fewer)").format(sum=money(s), count=rounded(reached * g * share / 100, 0)))
            for w, s, g in zip(words, sums, gap, strict=True)
        ]
        page.marks(
            title=_("Jail bookings avoided, times their cost, {period}").format(period=period_title(release, ROOT)), items=items, what=_("Case"), unit=_("Money"),
            when=period_title(release, ROOT), file=("savings",), data=pd.DataFrame({"case": ["low", "middle", "high"], "fewer": [reached * g * share / 100 for g in gap], "price": price, "share_due": share, "sum": sums}), statuses=[status],
            note=_("Who would save: {payer}. A jail saves only when it spends less, for example by closing a unit.").format(payer=escape(text(cost, "payer"))),
        )  # fmt: skip
page.caveats(
    [
        _("Saved money is a range and a guess. It is not money in hand."),
        _("Care costs money too: fewer jail days can mean more clinic visits, paid by someone else."),
        _("The slider's numbers are yours. They are not stored or sent to anyone."),
    ]
)
page.end()
