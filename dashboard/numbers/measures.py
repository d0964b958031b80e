"""One definition for each measure: page texts, glossary and data dictionary read it from here.

`source` says whether the wording is a field standard, adapted, or this project's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from dashboard.numbers.cells import TOO_FEW, WHO, Point, Share, label_of
from dashboard.numbers.queries import (
    ELIGIBLE,
    NO_TEAM_CAME,
    POLICE_ALONE,
    REACHED,
    TEAMS,
    Counts,
    Input,
    Query,
    Statistic,
)
from dashboard.release.reader import ROOT, CountTable, Release, StatisticTable
from dashboard.text.language import _, day, pick, spoken

VERSION = "2"
"""Of these definitions. 2: similar calls compared by whether a team was free; contacts, repeats,
diversion and care over bases of their own."""
OF_CALLS = (
    "calls",
    "first_coded",
    "share_of_all",
    "wait",
    "dispatch",
    "queue",
    "on_scene",
    "wait_within_30",
    "outcomes",
    "contact",
    "repeat",
    "frequent",
    "language",
    "completeness",
)
"""Measures of calls alone; all others speak of a program with teams."""
GPL, BJA, CSG = (
    "Harvard Government Performance Lab",
    "US Bureau of Justice Assistance",
    "Council of State Governments Justice Center",
)
PMHC, FBI = (
    "Police-Mental Health Collaboration framework, 2019",
    "FBI National Use-of-Force Data Collection",
)
CHICAGO, JUSTICE = "Chicago CARE", "Justice Counts"


@dataclass(frozen=True)
class Measure:
    """All that is known of one number: its words, where a release has it, how it is drawn,
    and on which page.

    `counted` over `out_of` (empty for a plain count), counted in `unit`. `smallest_base`: no share
    or rate is shown over fewer. `alike`: field standards and programs that count a measure like it.
    `page`: where its own figure is. `rows`: what the rows of that figure are (years where it is
    empty); `per_1000`: they are events per 1,000 calls, being too rare for shares. `fields`: those
    of a call that it rests on; a measure that names them can have a target.
    """

    name: str
    plain: str
    counted: str
    out_of: str
    unit: str
    caveat: str
    source: str
    smallest_base: int = 0
    alike: tuple[str, ...] = ()
    page: str = ""
    query: Query = field(default_factory=Counts)
    rows: str = ""
    per_1000: bool = False
    fields: tuple[str, ...] = ()
    figure: bool = False
    """Does its page draw it without naming it, after the figures that it names?"""

    def meaning(self, *, caveat: bool = True) -> str:
        """What is counted, out of what, and what the number cannot tell, as plain text."""
        base = _("Out of: {base}").format(base=self.out_of) if self.out_of else ""
        return " ".join(
            part for part in (self.counted, base, self.caveat if caveat else "") if part
        )

    @property
    def counts(self) -> Counts:
        """The query of a measure that is read from a count table. Raises TypeError for others."""
        if not isinstance(self.query, Counts):
            raise TypeError(f"{self.name} is not read from a count table")
        return self.query

    def table(self, release: Release, *along: str) -> CountTable | None:
        """As `Counts.table`."""
        return self.counts.table(release, *along)

    def share(self, part: Point, whole: Point) -> Share:
        """Part over whole under this measure's smallest base: the one way to a share of it,
        whatever shows it. Code and label are those of the part."""
        return Share(part.code, part.label, part, whole, self.smallest_base)

    def share_at(
        self, table: CountTable, at: Mapping[str, str], code: str = "", label: str = ""
    ) -> Share:
        """The share in the cells `at`, which narrow both part and whole."""
        counts = self.counts
        part, whole = (
            Point(code, label, *table.cell({**side, **at})) for side in (counts.part, counts.whole)
        )
        return self.share(part, whole)

    def shares(
        self,
        release: Release,
        along: str = "",
        at: Mapping[str, str] | None = None,
        table: CountTable | None = None,
        codes: Sequence[str] = (),
    ) -> list[Share]:
        """A share for each code of the dimension `along` (the query's own where none is named): its
        finest level, years for periods, or the `codes` named. `at`: what both sides are narrowed
        to. Nothing where the release does not report it."""
        counts = self.counts
        dimension = along or counts.along
        table = table or self.table(release, *([along] if along else []))
        if table is None:
            return []
        own = codes or (counts.codes if dimension == counts.along else ())
        found = []
        for code in own or self._codes(release, table, dimension):
            told = (code, label_of(release, dimension, code))
            if counts.each and dimension == counts.along:
                cells = (
                    {**counts.part, **(at or {}), dimension: code},
                    {**counts.whole, **(at or {})},
                )
                found.append(self.share(*(Point(*told, *table.cell(cell)) for cell in cells)))
            else:
                found.append(self.share_at(table, {**(at or {}), dimension: code}, *told))
        return found

    def ratio(self, part: float, whole: float) -> float | None:
        """The same for two columns of a statistic or an input: None where the base is too small."""
        return part / whole if whole and whole >= self.smallest_base else None

    def _codes(self, release: Release, table: CountTable, dimension: str) -> list[str]:
        level = "year" if dimension == "period" else table.finest(dimension)
        if level not in table.levels[dimension]:
            return []
        listed, counts = release.codelists[dimension], self.counts
        if counts.each and dimension == counts.along:
            return [c.code for c in listed.under(counts.whole.get(dimension, ROOT), level)]
        return [c.code for c in listed.at(level)]


def numbers_at(table: StatisticTable, at: Mapping[str, str]) -> tuple[dict[str, int] | None, str]:
    """The numbers of one cell of a statistic with its status: the one way to them, whatever shows
    them. None where there are none, or where fewer are behind them than the smallest base of the
    measure that they are of (`TOO_FEW`)."""
    cell, status = table.cell(at), table.status(at)
    for one in measures():
        if isinstance(one.query, Statistic) and table.measure in one.query.names:
            behind = (cell or {}).get(one.query.base)
            if behind is not None and behind < one.smallest_base:
                return None, TOO_FEW
    return cell, status


def own_rules(release: Release, names: Collection[str]) -> list[str]:
    """What the agency itself lays down for the measures named, one sentence each."""
    return [
        _("The agency's own rule (version {version}, since {day}): {words}").format(
            version=rule["version"],
            day=day(date.fromisoformat(rule["since"])),
            words=pick(rule["text"]),
        )
        for name, rule in release.package.get("definitions", {}).items()
        if name in names
    ]


def measure(name: str) -> Measure:
    """The measure of that name, in the reader's language. Raises LookupError for an unknown one."""
    for one in measures():
        if one.name == name:
            return one
    raise LookupError(name)


def measures() -> list[Measure]:
    """All measures, in the reader's language."""
    return list(_measures(spoken()))


@lru_cache(maxsize=8)
def _measures(_spoken: object) -> list[Measure]:
    call, person, hour, money = _("calls"), _("people"), _("hours"), _("dollars")
    recognised, adapted, ours = (
        _("wording of the field"),
        _("adapted from the field"),
        _("our own wording"),
    )
    return [
        Measure(
            "calls",
            _("Crisis calls"),
            _("Calls whose final type is a behavioral-health one."),
            "",
            call,
            _("When codes change, the count changes too."),
            recognised,
            alike=(GPL, BJA),
            page="calls",
            query=Counts(),
        ),
        Measure(
            "first_coded",
            _("Type at first"),
            _("Crisis calls by the type that they had at first."),
            _("all crisis calls."),
            call,
            _("Calls that were first coded as a crisis but were not one are not in these data."),
            recognised,
            smallest_base=30,
            page="calls",
            query=Counts(along="initial_type", each=True),
        ),
        Measure(
            "share_of_all",
            _("Share of all calls"),
            _("Crisis calls from the community."),
            _("all calls from the community, of every kind."),
            call,
            _("Calls that officers started count on neither side."),
            adapted,
            smallest_base=30,
            page="calls",
            query=Input(("all_calls",)),
        ),
        Measure(
            "eligible",
            _("Meets the criteria"),
            _("Calls that met the program's written criteria."),
            _("all crisis calls."),
            call,
            _("Calls that nobody checked are shown as not recorded."),
            recognised,
            smallest_base=30,
            alike=(GPL,),
            page="funnel",
            query=Counts(along="eligible", each=True),
            rows=_("Meets the program's criteria"),
        ),
        Measure(
            "coverage",
            _("Reached by a clinician"),
            _("Calls where a clinician came in person."),
            _("all calls that met the criteria, at every hour and in every area."),
            call,
            _("Help by phone does not count here."),
            recognised,
            smallest_base=30,
            alike=(GPL,),
            page="funnel",
            query=Counts(part=REACHED, where=ELIGIBLE),
            fields=("eligible", "responder"),
        ),
        Measure(
            "missed",
            _("Not reached, by reason"),
            _("Calls that met the criteria where no clinician came, by the reason on record."),
            _("all calls that met the criteria."),
            call,
            _("'Not recorded' is shown as a reason of its own."),
            ours,
            smallest_base=30,
            page="funnel",
            query=Counts(where=ELIGIBLE, along="not_served_reason", each=True),
            rows=_("Reached, or why not"),
        ),
        Measure(
            "wait",
            _("Wait, from call to arrival"),
            _(
                "Minutes from the call to the first arrival: the middle value, and the one that 9"
                " in 10 waits stay under."
            ),
            "",
            _("minutes"),
            _("Calls without both times are left out."),
            adapted,
            smallest_base=30,
            page="times",
            query=Statistic(("minutes_call_to_arrival",)),
        ),
        Measure(
            "dispatch",
            _("Dispatch to arrival"),
            _("Minutes from sending a unit to its arrival."),
            "",
            _("minutes"),
            "",
            recognised,
            smallest_base=30,
            page="times",
            query=Statistic(("minutes_dispatch_to_arrival",)),
        ),
        Measure(
            "queue",
            _("Call to dispatch"),
            _("Minutes from the call until a unit is sent: how long a call waits for a free unit."),
            "",
            _("minutes"),
            "",
            recognised,
            smallest_base=30,
            page="times",
            query=Statistic(("minutes_call_to_dispatch",)),
        ),
        Measure(
            "on_scene",
            _("Time on scene"),
            _("Minutes from arrival until the call is cleared."),
            "",
            _("minutes"),
            _("Longer is not worse."),
            recognised,
            smallest_base=30,
            page="times",
            query=Statistic(("minutes_on_scene",)),
        ),
        Measure(
            "wait_within_30",
            _("Arrived within 30 minutes"),
            _("Calls with a wait under 30 minutes."),
            _("all calls with both times on record, and those without."),
            call,
            _("A call without both times counts in the base, as if it had come too late."),
            recognised,
            smallest_base=30,
            page="times",
            query=Counts(part={"wait": "within_30"}),
            fields=("arrived_at",),
        ),
        Measure(
            "urgent",
            _("Waits for urgent police calls"),
            _(
                "Minutes from an urgent call to the first arrival, while a team in the area is on a"
                " call, and while none is."
            ),
            "",
            _("minutes"),
            _("We compare the same areas and hours of the day. It cannot show why a wait is long."),
            ours,
            smallest_base=30,
            page="times",
            query=Input(("urgent_waits",)),
        ),
        Measure(
            "outcomes",
            _("How calls end"),
            _("Calls by how they ended. Each call has one end."),
            _("all calls."),
            call,
            _("Refused and not found are shown, never left out."),
            recognised,
            smallest_base=30,
            alike=(CHICAGO, CSG),
            page="outcomes",
            query=Counts(along="outcome", each=True),
            rows=_("How it ended"),
        ),
        Measure(
            "contact",
            _("Someone was met"),
            _("Calls where the person was found and took part."),
            _("all calls."),
            call,
            _("People who were not found, or who said no to help, count in the base."),
            recognised,
            smallest_base=30,
            alike=(CHICAGO,),
            page="outcomes",
            query=Counts(part={"outcome": "met"}),
        ),
        Measure(
            "stayed",
            _("Stayed in the community with a plan"),
            _("Calls after which the person stayed where they live, with a plan."),
            _("all calls."),
            call,
            _("It is not the best outcome for everyone: some people need a hospital."),
            recognised,
            smallest_base=30,
            alike=(CSG,),
            page="outcomes",
            query=Counts(part={"outcome": "stayed_with_plan"}),
            fields=("outcome",),
        ),
        Measure(
            "arrests",
            _("Arrests"),
            _("Calls that ended with an arrest."),
            _("all calls with that kind of responder."),
            call,
            _("The law requires some arrests."),
            recognised,
            smallest_base=30,
            alike=(PMHC,),
            page="safety",
            query=Counts(
                part={**REACHED, "arrest": "yes"}, whole=REACHED, along="responder", codes=WHO
            ),
            rows=_("Who came"),
            fields=("responder", "arrest"),
        ),
        Measure(
            "citations",
            _("Citations without arrest"),
            _("Calls that ended with an order to go to court, and no arrest."),
            _("all calls with that kind of responder."),
            call,
            "",
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(part={"citation": "yes"}, along="responder", codes=WHO),
            rows=_("Who came"),
        ),
        Measure(
            "required_arrests",
            _("Arrests that the law required"),
            _("Arrests on a warrant, or by a law that leaves no choice."),
            _("all calls that ended with an arrest."),
            call,
            "",
            recognised,
            smallest_base=30,
            page="safety",
            query=Counts(
                where={"arrest": "yes"},
                along="arrest_required",
                codes=("yes", "no", "unknown"),
                each=True,
            ),
            rows=_("Arrest"),
        ),
        Measure(
            "jail_diversion",
            _("Jail diversion"),
            _("Calls with an act that allows arrest where a clinician came, and no arrest."),
            _("calls with an act that allows arrest where a clinician came."),
            call,
            _(
                "Never out of all calls: most calls could not end in an arrest. Without a"
                " clinician, the same share is shown as not arrested."
            ),
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(
                part=REACHED,
                whole=REACHED,
                where={"arrestable": "yes"},
                along="arrest",
                codes=("no", "yes", "unknown"),
                each=True,
            ),
            rows=_("What happened"),
        ),
        Measure(
            "force",
            _("Use of force"),
            _("Calls with any force that the department's policy counts."),
            _("1,000 calls."),
            call,
            _("Departments count force in different ways."),
            recognised,
            smallest_base=30,
            page="safety",
            query=Counts(
                part={**REACHED, "force_used": "yes"}, whole=REACHED, along="responder", codes=WHO
            ),
            rows=_("Who came"),
            per_1000=True,
            fields=("responder", "force_used"),
        ),
        Measure(
            "serious_force",
            _("Serious force"),
            _("Calls with a death, a serious injury, or a gun fired at a person."),
            _("1,000 calls."),
            call,
            _("If none are reported, we show zero. That does not prove there were none."),
            recognised,
            smallest_base=30,
            alike=(FBI,),
            page="safety",
            query=Counts(part={"serious_force": "yes"}, along="responder", codes=WHO),
            rows=_("Who came"),
            per_1000=True,
        ),
        Measure(
            "compared",
            _("Similar calls, by whether a team was free"),
            _(
                "What happened in calls that came in while a team was free, less the same for"
                " similar calls while none was."
            ),
            _("eligible calls whose reason for no team is on record."),
            call,
            _("It shows what goes together, not why."),
            adapted,
            smallest_base=30,
            page="safety",
            query=Statistic(
                (
                    "compare_arrest",
                    "compare_force_used",
                    "compare_repeat_90",
                    "compare_officer_minutes",
                    "compare_wait",
                )
            ),
        ),
        Measure(
            "injuries",
            _("People hurt"),
            _("Calls in which someone was hurt, by who was hurt."),
            _("1,000 calls."),
            call,
            _(
                "Few are hurt, so several years are taken together. Zero seen does not prove there"
                " are none."
            ),
            recognised,
            smallest_base=30,
            alike=(PMHC,),
            page="safety",
            query=Counts(part={"injured_person": "yes"}, along="responder", codes=WHO),
            rows=_("Who came"),
            per_1000=True,
        ),
        Measure(
            "staff_hurt",
            _("Staff hurt, for hours worked"),
            _("Calls that a clinician reached in which an officer, or a clinician, was hurt."),
            _("10,000 hours of teams with both an officer and a clinician."),
            call,
            _("All years are taken together. Zero seen does not prove there are none."),
            recognised,
            page="safety",
            query=Input(("staffed_months",)),
        ),
        Measure(
            "weapon",
            _("Weapon reported"),
            _("Calls with a weapon reported."),
            _("1,000 calls."),
            call,
            "",
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(part={"weapon_reported": "yes"}, along="responder", codes=WHO),
            rows=_("Who came"),
            per_1000=True,
        ),
        Measure(
            "repeat",
            _("Another call within 30, 90 or 365 days"),
            _(
                "People with another crisis call within that time after their first call of the"
                " year."
            ),
            _(
                "people with a first call whose follow-up period has ended, in the same months of"
                " each year."
            ),
            person,
            _("Each person counts once a year. People without a name on record are left out."),
            recognised,
            smallest_base=30,
            alike=(CSG, GPL),
            page="after",
            query=Statistic(
                ("repeat_people_90", "repeat_people_30", "repeat_people_365"),
                "people_again",
                "people_followed",
                base="people_followed",
            ),
        ),
        Measure(
            "frequent",
            _("Calls from people who call often"),
            _(
                "All calls in a year from people who called five or more times within 365 days. The"
                " last of those calls came in that year."
            ),
            _("calls with a known person."),
            call,
            _("Shown for the whole city only."),
            adapted,
            smallest_base=30,
            page="after",
            query=Statistic(("calls_of_frequent",), "calls_frequent", "based_on"),
        ),
        Measure(
            "er_diversion",
            _("Emergency-room diversion"),
            _(
                "Calls where a clinician came and someone needed an emergency room, and was helped"
                " elsewhere."
            ),
            _("calls where a clinician came and someone needed an emergency room."),
            call,
            _("A judgment made on scene, before the call ended."),
            adapted,
            smallest_base=30,
            page="outcomes",
            query=Counts(
                part=REACHED,
                whole=REACHED,
                where={"ed_criteria": "yes"},
                along="taken_to_ed",
                codes=("yes", "no", "unknown"),
                each=True,
            ),
            rows=_("What happened"),
        ),
        Measure(
            "referrals",
            _("Referrals"),
            _("Calls with a referral offered, accepted, or followed by a visit."),
            _("all calls with that kind of responder."),
            call,
            _("A referral accepted is not a visit. A visit counts when the partner confirms it."),
            recognised,
            smallest_base=30,
            alike=(CSG,),
            page="after",
            query=Counts(part=REACHED, whole=REACHED, along="handoff", each=True),
            rows=_("Referral"),
        ),
        Measure(
            "connected",
            _("Connected to care"),
            _("Referrals with a visit within 30 days that the partner confirmed."),
            _(
                "referrals that people accepted on calls that a clinician reached, once 30 days"
                " have passed."
            ),
            call,
            _(
                "Where partners do not share data, visits are missing: the share is the least that"
                " it can be. At most, all of their referrals led to a visit."
            ),
            adapted,
            smallest_base=30,
            page="after",
            query=Counts(
                part={**REACHED, "handoff": "connected"}, whole={**REACHED, "handoff": "agreed"}
            ),
            fields=("responder",),
        ),
        Measure(
            "follow_ups",
            _("Follow-up reached"),
            _("Calls after which someone spoke to the person within 1, 7 or 30 days."),
            _("calls where the person agreed to a follow-up, once 30 days have passed."),
            call,
            _(
                "A message left does not count. Within 1 day means on the day of the call or the"
                " next. One person may have several calls."
            ),
            recognised,
            smallest_base=30,
            alike=(CHICAGO,),
            page="after",
            query=Counts(
                whole={"follow_up": "due"},
                along="follow_up",
                codes=("within_1", "within_7", "within_30", "after_30"),
                each=True,
            ),
            rows=_("Follow-up"),
        ),
        Measure(
            "warm",
            _("Handoffs in person"),
            _("Referrals passed on in person or by live call."),
            _("all calls with a referral to that kind of partner."),
            call,
            "",
            adapted,
            smallest_base=30,
            page="after",
            query=Counts(part={"warm": "yes"}, along="partner"),
            rows=_("Partner"),
        ),
        Measure(
            "connection_days",
            _("Days to a visit"),
            _(
                "Days from the call to the visit that a partner confirmed within 30 days: the"
                " middle value, and the one that 9 in 10 stay under."
            ),
            "",
            _("days"),
            _("Later visits, and referrals whose 30 days are not over, are left out."),
            adapted,
            smallest_base=30,
            page="after",
            query=Statistic(("days_to_connection",)),
        ),
        Measure(
            "staffed",
            _("Staffed hours"),
            _("Hours of a unit with both an officer and a clinician."),
            _("hours planned."),
            hour,
            "",
            ours,
            page="staffing",
            query=Input(("staffed_months",)),
        ),
        Measure(
            "busy",
            _("Time on calls"),
            _(
                "Hours from dispatch until the call is closed, on calls of an officer and a"
                " clinician together."
            ),
            _("100 staffed hours of such teams."),
            hour,
            _("Rounded to 10 hours."),
            ours,
            smallest_base=30,
            page="staffing",
            query=Statistic(("hours_committed",)),
        ),
        Measure(
            "no_team",
            _("Calls lost because no team was free"),
            _(
                "Calls that met the criteria and got no team because all were busy, or none was on"
                " duty."
            ),
            _("all calls that met the criteria."),
            call,
            _("From the reason on record, so blank reasons are not counted."),
            ours,
            smallest_base=30,
            page="coverage",
            query=Counts(
                where=ELIGIBLE, along="not_served_reason", codes=("no_unit", "all_busy"), each=True
            ),
        ),
        Measure(
            "patrol",
            _("Officer hours in teams"),
            _("Officer hours in teams."),
            _("officer hours in teams and on patrol."),
            hour,
            "",
            ours,
            page="staffing",
            query=Input(("staffed_months",)),
        ),
        Measure(
            "agreements",
            _("Partners with an agreement"),
            _("Partners with a signed agreement that says how data are shared."),
            _("all partners."),
            _("partners"),
            "",
            adapted,
            page="after",
            query=Input(("partner_agreements",)),
        ),
        Measure(
            "posts",
            _("Positions filled"),
            _("Positions filled in a month."),
            _("positions in the budget."),
            _("positions"),
            "",
            recognised,
            alike=(JUSTICE,),
            page="staffing",
            query=Input(("staffing",)),
        ),
        Measure(
            "turnover",
            _("People who left"),
            _("People of one role who left in a year."),
            _("positions filled, on average over the year."),
            person,
            _("By year only: teams are small."),
            recognised,
            alike=(JUSTICE,),
            page="staffing",
            query=Input(("turnover",)),
        ),
        Measure(
            "led",
            _("Who led"),
            _("Calls of a team, by who took the lead on scene."),
            _("all calls of a team."),
            call,
            "",
            ours,
            smallest_base=30,
            page="staffing",
            query=Counts(where=TEAMS, along="led_by", each=True),
            rows=_("Who led"),
        ),
        Measure(
            "reviews",
            _("What case reviews found"),
            _("Reviews that found an unclear lead, or someone who went in before it was safe."),
            _("1,000 contacts."),
            _("reviews"),
            _("Numbers below the threshold are not shown."),
            ours,
            page="staffing",
            query=Input(("feedback",)),
        ),
        Measure(
            "trained",
            _("People trained"),
            _("People who took the course in that year."),
            _("people who should take it."),
            person,
            "",
            recognised,
            alike=(BJA,),
            page="staffing",
            query=Input(("training",)),
        ),
        Measure(
            "cost",
            _("Cost per contact"),
            _("All money spent on the program in a year."),
            _("contacts: calls where a clinician came and the person took part."),
            money,
            _("It cannot be set against the cost of a police call: the calls differ."),
            recognised,
            page="money",
            query=Input(("budget",)),
        ),
        Measure(
            "saved",
            _("Costs that might be avoided"),
            _(
                "Arrests fewer than in similar calls when no team was free, over all calls that"
                " found a free team, times what a jail booking costs."
            ),
            "",
            money,
            _(
                "A range, not money already saved. It takes in chance, the range of costs, and"
                " how much is due to teams. Jails save only when they spend less."
            ),
            adapted,
            page="money",
            query=Input(("unit_costs",)),
        ),
        Measure(
            "equity",
            _("Reached, by group"),
            _("Calls that a clinician reached, by group."),
            _("that group's calls that met the criteria; and that group's residents."),
            call,
            _("The group is what the officer saw, not what the person said."),
            adapted,
            smallest_base=30,
            page="fairness",
            query=Counts(part=REACHED, where=ELIGIBLE, along="race_ethnicity"),
            rows=_("Group"),
        ),
        Measure(
            "language",
            _("Interpreter used"),
            _("Calls in a language with an interpreter."),
            _("all calls in that language."),
            call,
            "",
            ours,
            smallest_base=30,
            page="fairness",
            query=Counts(part={"interpreter_used": "yes"}, along="language"),
            rows=_("Language"),
        ),
        Measure(
            "trust",
            _("Survey answers"),
            _("People who agreed."),
            _("people who answered."),
            person,
            _(
                "People who answer may differ from those who do not. We give a verdict only if it"
                " holds whatever the others think."
            ),
            adapted,
            smallest_base=30,
            page="claims",
            query=Input(("survey",)),
        ),
        Measure(
            "feedback",
            _("Complaints and praise"),
            _("Complaints and praise that the agency received in a year."),
            "",
            _("messages"),
            _("They are not a measure of trust."),
            adapted,
            page="claims",
            query=Input(("feedback",)),
        ),
        Measure(
            "clinician_role",
            _("What the clinician did first"),
            _("Calls of a team, by whether the clinician spoke to the person first."),
            _("all calls of an officer and a clinician together."),
            call,
            _("As staff wrote it down. Some scenes are not safe for a clinician to go first."),
            ours,
            smallest_base=30,
            page="staffing",
            query=Counts(where=TEAMS, along="clinician_role", each=True),
            rows=_("What came first"),
        ),
        Measure(
            "restrained",
            _("Handcuffs or restraints"),
            _("Calls where the person was put in handcuffs, or held down."),
            _("all calls with that kind of responder."),
            call,
            _("The calls of the two sides differ. A gap between them does not show why."),
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(part={"restrained": "yes"}, along="responder", codes=WHO),
            rows=_("Who came"),
        ),
        Measure(
            "restrained_group",
            _("Handcuffs or restraints, by group"),
            _("Calls where the person was put in handcuffs, or held down, by group."),
            _("all crisis calls of that group."),
            call,
            _("The group is what the officer saw. A gap between groups does not show why."),
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(part={"restrained": "yes"}, along="race_ethnicity"),
            rows=_("Group"),
        ),
        Measure(
            "holds",
            _("Taken to care without consent"),
            _("Calls that ended with an involuntary hold."),
            _("calls where the person was found and took part."),
            call,
            _("The calls of the two sides differ. A gap between them does not show why."),
            recognised,
            smallest_base=30,
            page="outcomes",
            query=Counts(
                part={"outcome": "involuntary_hold"},
                whole={"outcome": "met"},
                along="responder",
                codes=WHO,
            ),
            rows=_("Who came"),
        ),
        Measure(
            "hold_started_by",
            _("Who started the hold"),
            _("Involuntary holds, by who started them."),
            _("all involuntary holds on calls that a clinician reached."),
            call,
            _("A hold may begin before a team comes."),
            ours,
            smallest_base=30,
            page="outcomes",
            query=Counts(
                part=REACHED,
                whole=REACHED,
                where={"outcome": "involuntary_hold"},
                along="hold_started_by",
                each=True,
            ),
            rows=_("Who started it"),
        ),
        Measure(
            "officer_trained",
            _("Use of force, by the officer's training"),
            _("Calls with any force, by whether the officer took the crisis course."),
            _("1,000 calls to which police alone came."),
            call,
            _(
                "The calls of the two sides differ, and officers may choose the course. A gap"
                " between them does not show why."
            ),
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(
                part={"force_used": "yes"},
                where=POLICE_ALONE,
                along="officer_trained",
                codes=("yes", "no"),
            ),
            rows=_("Officer took the crisis course"),
            per_1000=True,
        ),
        Measure(
            "crisis_in_report",
            _("The report names the crisis"),
            _("Calls whose written report says that it was a crisis."),
            _("all crisis calls of that group."),
            call,
            _("The group is what the officer saw. A gap between groups does not show why."),
            ours,
            smallest_base=30,
            page="fairness",
            query=Counts(part={"crisis_in_report": "yes"}, along="race_ethnicity"),
            rows=_("Group"),
            figure=True,
        ),
        Measure(
            "targets_for",
            _("Whom the targets serve"),
            _("Targets, by whether they are for people or for the department."),
            _("all targets."),
            _("targets"),
            _("The agency says which. A target can serve both."),
            ours,
            page="scorecard",
            query=Input(("targets",)),
        ),
        Measure(
            "instead",
            _("Police alone came instead of a team"),
            _(
                "Calls that met the criteria and that no clinician reached, where police came"
                " alone."
            ),
            _("all such calls with the same reason."),
            call,
            _("Fire or ambulance crews, or someone else, came to the rest."),
            ours,
            smallest_base=30,
            page="funnel",
            query=Counts(
                part={"responder": "police_only"},
                whole={"responder": "no_clinician"},
                where=ELIGIBLE,
                along="not_served_reason",
                codes=(ROOT, *NO_TEAM_CAME, "unknown"),
            ),
            rows=_("Why no team came"),
        ),
        Measure(
            "program_area",
            _("Inside and outside the program"),
            _(
                "Calls that met the criteria, by whether they came from the program's area, and"
                " whether a team was on duty."
            ),
            _("all calls that met the criteria."),
            call,
            _("Calls outside the area, or outside the hours, count in every base on this site."),
            ours,
            smallest_base=30,
            page="funnel",
            query=Counts(where=ELIGIBLE, along="in_program_area", each=True),
            rows=_("Where and when"),
        ),
        Measure(
            "triaged",
            _("Checked, or not checked"),
            _("Crisis calls, by whether someone checked if they met the criteria."),
            _("all crisis calls."),
            call,
            _("A call that nobody checked may be on record as one that did not meet them."),
            ours,
            smallest_base=30,
            page="funnel",
            query=Counts(along="triaged", each=True),
            rows=_("Was it checked?"),
        ),
        Measure(
            "backup",
            _("Police backup asked for"),
            _("Calls where the team asked for more police."),
            _("calls that a clinician reached."),
            call,
            _("To ask for backup is no failure. It may keep a scene calm."),
            adapted,
            smallest_base=30,
            page="safety",
            query=Counts(part={**REACHED, "backup_requested": "yes"}, whole=REACHED),
        ),
        Measure(
            "handed_back",
            _("Handed back to police"),
            _("Calls that a team passed back to police."),
            _("calls that a clinician reached."),
            call,
            _("It says nothing of how the call went on."),
            adapted,
            smallest_base=30,
            page="outcomes",
            query=Counts(part={**REACHED, "handed_back": "yes"}, whole=REACHED),
        ),
        Measure(
            "sent_index",
            _("Calls, and calls that a clinician reached, on one scale"),
            _(
                "Calls that met the criteria, and those that a clinician reached, quarter by"
                " quarter."
            ),
            _("the first quarter, which is 100."),
            call,
            _("The lines show how fast each grows. They do not show which is larger."),
            ours,
            page="funnel",
            query=Counts(part=REACHED, where=ELIGIBLE),
        ),
        Measure(
            "started_by_team",
            _("Started by the team itself"),
            _("Calls that a team began by itself, on the street or on a visit."),
            _("calls that a clinician reached."),
            call,
            _("Nobody called for these, so more of them is not more demand."),
            ours,
            smallest_base=30,
            page="calls",
            query=Counts(part={**REACHED, "started_by_team": "yes"}, whole=REACHED),
            figure=True,
        ),
        Measure(
            "unstaffed_days",
            _("Days without a team"),
            _("Days when no unit had both an officer and a clinician at work."),
            _("all days of the month."),
            _("days"),
            _("From the shifts that were worked. A day with one short shift has a team."),
            ours,
            page="staffing",
            query=Input(("unstaffed_days",)),
        ),
        Measure(
            "unstaffed_areas",
            _("Days without a team of the area"),
            _("Days when no unit for the area had both an officer and a clinician at work."),
            _("all days of the year."),
            _("days"),
            _(
                "From the shifts that were worked. A team for one area may go to a call in another,"
                " so such a day does not mean that nobody came."
            ),
            ours,
            page="staffing",
            query=Input(("unstaffed_areas",)),
        ),
        Measure(
            "unavailable",
            _("Something asked for could not be had"),
            _("Calls where someone asked for a kind of help that could not be had."),
            _("calls that a clinician reached."),
            call,
            _("Only what staff wrote down. Each call has one answer."),
            adapted,
            smallest_base=30,
            page="after",
            query=Counts(part={**REACHED, "partner_unavailable": "lacking"}, whole=REACHED),
        ),
        Measure(
            "unavailable_kind",
            _("What could not be had"),
            _("Calls where something was missing, by what it was."),
            _("calls that a clinician reached where something was missing."),
            call,
            _("Only what staff wrote down. Each call has one answer."),
            adapted,
            smallest_base=30,
            page="after",
            query=Counts(
                part=REACHED,
                whole={**REACHED, "partner_unavailable": "lacking"},
                along="partner_unavailable",
                each=True,
            ),
            rows=_("What was missing"),
        ),
        Measure(
            "declined",
            _("Referrals that people turned down"),
            _("Referrals that were offered and that the person did not accept."),
            _("all calls with a referral to that kind of partner."),
            call,
            _("Why people say no is not on record."),
            adapted,
            smallest_base=30,
            page="after",
            query=Counts(
                part={"handoff": "declined"},
                along="partner",
                codes=("crisis_center", "clinic", "substance_use", "hospital", "housing", "peer"),
            ),
            rows=_("Partner"),
        ),
        Measure(
            "crews_freed",
            _("Fire and ambulance crews free sooner"),
            _("Hours from when such a crew left until the call was closed."),
            "",
            hour,
            _("Rounded to 10 hours. Without a team, a crew might have left as soon."),
            ours,
            smallest_base=30,
            page="staffing",
            query=Statistic(("hours_others_freed",)),
        ),
        Measure(
            "completeness",
            _("Completeness"),
            _("Calls with the field filled."),
            _("all calls; for a field that is asked of some calls only, those calls."),
            call,
            _("Shown in ranges, so that no small number of blanks can be worked out."),
            ours,
            page="scorecard",
            query=Input(("completeness",)),
        ),
    ]
