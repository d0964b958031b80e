"""Every claim: its figure is at most three clicks from the home page, and equals one worked out
from the release's files alone."""

import csv
import json
from math import floor

import pytest

from tests.browser.test_pages import settle, visit
from tests.conftest import ROOT

PUBLIC = ROOT / "data_public"


def rows(name):
    with (PUBLIC / f"tables/{name}.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def count(table, **codes):
    """The published count of one cell; dimensions not named at their root."""
    listed = rows(table)
    names = [n for n in listed[0] if n not in ("calls", "status")]
    return next(int(r["calls"]) for r in listed if all(r[n] == codes.get(n, "all") for n in names))


def per_cent(part, whole):
    return f"{floor(100 * part / whole + 0.5)}%"


def share(part, whole):
    return [per_cent(part, whole), f"{part:,}", f"{whole:,}"]


def statistic(table, **codes):
    listed = rows(table)
    return next(r for r in listed if all(r[n] == code for n, code in codes.items()))


def share_of_all():
    year = [int(r["calls"]) for r in rows("all_calls") if r["month"].startswith("2025")]
    return share(count("calls_by_year_source", period="2025", source="community"), sum(year))


def types():
    return [
        f"{count('calls_by_month_type', period='2025', call_type=code):,}"
        for code in ("mental_health", "suicide_concern", "substance_use")
    ]


def repeat():
    cell = statistic("repeat_90", period="2025")
    return [
        f"about {per_cent(int(cell['people_again']), int(cell['people_followed']))}"
        f" ({int(cell['people_again']):,} of {int(cell['people_followed']):,} people)"
    ]


def like(table):
    cell = statistic(table, period="all")
    low, high = (f"{abs(int(cell[edge])) / 10:g}" for edge in ("low", "high"))
    sign = {edge: "−" if int(cell[edge]) < 0 else "" for edge in ("low", "high")}
    return [
        f"{int(cell['team']) / 10:g} per 1,000",
        f"{int(cell['other']) / 10:g} per 1,000",
        f"Difference: {sign['low']}{low} to {sign['high']}{high} per 1,000 calls",
    ]


def minutes_of(table):
    """A comparison of times: both sides in minutes."""
    cell = statistic(table, period="all")
    return [f"{round(int(cell[side]) / 60, 1):g} minutes" for side in ("team", "other")]


def rate(table, dimension):
    part, whole = (
        count(table, responder="clinician", **{dimension: "yes"}),
        count(table, responder="clinician"),
    )
    return [f"{1000 * part / whole:.1f}", f"{part:,}", f"{whole:,}"]


def reached():
    return share(
        count("coverage_by_area", period="2025", responder="clinician"),
        count("coverage_by_area", period="2025"),
    )


def connected(table="referrals"):
    return share(
        count(table, period="2025", responder="clinician", handoff="connected"),
        count(table, period="2025", responder="clinician", handoff="agreed"),
    )


def partners():
    return share(
        count("partners", period="2025", partner="clinic", handoff="connected"),
        count("partners", period="2025", partner="clinic", handoff="agreed"),
    )


def cost():
    spent = sum(float(r["spent"]) for r in rows("budget") if r["year"] == "2025")
    contacts = count("outcomes", period="2025", responder="clinician", outcome="met")
    return [f"${spent / contacts:,.0f}", f"{contacts:,}"]


def funding():
    return ["State crisis grant, 2026", "ends June 30, 2026"]


def posts():
    last = next(
        r for r in rows("staffing") if r["month"] == "2025-12" and r["role"] == "Clinicians"
    )
    return [f"{last['filled']} of {last['authorized']} positions for clinicians"]


def roles():
    at = {"period": "2025", "responder": "clinician"}
    return share(count("roles", officer_released="yes", **at), count("roles", **at))


def training():
    row = next(
        r
        for r in rows("training")
        if r["year"] == "2025" and r["course"] == "Joint scene course" and r["role"] == "Clinicians"
    )
    return [f"{row['trained']} of {row['eligible']}, {row['hours']} hours each"]


def survey(audience):
    row = [r for r in rows("survey") if r["audience"] == audience][-1]
    return share(int(row["agree"]), int(row["respondents"]))


def tracking():
    complete = json.loads((PUBLIC / "datapackage.json").read_text())["completeness"]
    return [f"{complete['arrived_at']}%", f"{complete['outcome']}%"]


def waits():
    cell = statistic("wait_by_who_came", period="2025", responder="clinician")
    return [
        f"half within about {cell['median']}, 9 in 10 within about {cell['p90']} minutes",
        *minutes_of("compare_wait"),
    ]


def patrol():
    worked, patrolled = (
        sum(int(r[key]) for r in rows("staffed_months") if r["month"] >= "2025")
        for key in ("worked", "patrol")
    )
    return [per_cent(worked, worked + patrolled), f"({worked:,} of {worked + patrolled:,} hours)"]


def hours_on_calls():
    worked = sum(int(r["worked"]) for r in rows("staffed_months") if r["month"] >= "2025")
    busy = int(statistic("busy", period="2025", responder="co_responder")["hours"])
    return [f"about {100 * busy / worked:.0f} for each 100", f"({busy:,} of {worked:,} hours)"]


def frequent():
    cell = statistic("frequent", period="2025")
    part, whole = int(cell["calls_frequent"]), int(cell["based_on"])
    partners = rows("partner_agreements")
    full = sum(r["agreement"] == r["data_sharing"] == "yes" for r in partners)
    return [
        f"about {per_cent(part, whole)} ({part:,} of {whole:,} calls)",
        f"{full} of {len(partners)} partners",
    ]


def no_team():
    lost = [
        share(
            count("not_served", period="2025", not_served_reason=why),
            count("not_served", period="2025"),
        )
        for why in ("all_busy", "no_unit")
    ]
    countryside = {"period": "2025", "setting": "rural"}
    rural = share(
        count("coverage_by_setting", responder="clinician", **countryside),
        count("coverage_by_setting", **countryside),
    )
    winter = share(
        count("coverage_by_season", season="winter", responder="clinician"),
        count("coverage_by_season", season="winter"),
    )
    return [*lost[0], *lost[1], *rural, *winter]


def urgent():
    cells = [r for r in rows("urgent_waits") if r["year"] == "2025"]
    low, high = (
        f"{abs(round(int(cells[0][f'difference_{edge}']) / 60, 1)):g}" for edge in ("low", "high")
    )
    return [
        *(
            f"half within about {r['median']}, 9 in 10 within about {r['p90']} minutes"
            for r in cells
        ),
        low,
        high,
    ]


def staff_hurt():
    worked = sum(int(r["worked"]) for r in rows("staffed_months"))
    officers = count("officers_hurt", responder="clinician", injured_officer="yes")
    clinicians = count("clinicians_hurt", responder="clinician", injured_clinician="yes")
    return [f"{1e4 * n / worked:.1f} per 10,000 hours" for n in (officers, clinicians)]


def emergency_room():
    seen = {"period": "2025", "responder": "clinician"}
    return share(
        count("emergency_diversion", taken_to_ed="no", **seen), count("emergency_diversion", **seen)
    )


def serious_force():
    whole = count("serious_force", responder="clinician")
    return [f"{whole:,}", f"0 to {3000 / whole:.1f}"]


def line_988():
    last = rows("crisis_line")[-1]
    return [f"{per_cent(int(last['answered']), int(last['contacts']))} answered in the state"]


def funnel():
    steps = [
        count("triage", period="2025"),
        count("triage", period="2025", eligible="yes"),
        count("coverage_by_area", period="2025", responder="clinician"),
    ]
    return [
        f"{steps[0]:,}",
        f"{steps[1]:,}, {per_cent(steps[1], steps[0])} of the step above",
        f"{steps[2]:,}, {per_cent(steps[2], steps[1])} of the step above",
    ]


def language():
    return share(
        count("languages", period="2025", language="spanish", interpreter_used="yes"),
        count("languages", period="2025", language="spanish"),
    )


def shares(table, along, codes, field="", code="", base="all", **fixed):
    """One share for each code of `along`: with `code` of `field` (or itself), over `base` of it."""
    found = []
    for one in codes:
        at = {**fixed} if not field else {**fixed, along: one}
        part = count(table, **at, **({field: code} if field else {along: one}))
        whole = count(table, **at, **({field: base} if field else {along: base}))
        found += share(part, whole)
    return found


REACHED_BY = {"responder": "clinician"}
GROUPS = ("asian", "black", "hispanic", "white", "other")
YEARS = ("2024", "2025")


def handcuffs():
    sides = ("clinician", "no_clinician")
    return [
        *shares("restraints", "responder", sides, "restrained", "yes"),
        *shares("restraints_by_group", "race_ethnicity", GROUPS, "restrained", "yes"),
        *like("compare_restrained"),
    ]


def holds():
    who = ("clinician", "no_clinician")
    return [
        *shares("outcomes", "responder", who, "outcome", "involuntary_hold", "met"),
        *shares("holds", "hold_started_by", ("clinician", "officer", "other"), **REACHED_BY),
        *like("compare_hold"),
    ]


def training_and_force():
    found = []
    for code in ("yes", "no"):
        part = count("force_by_training", officer_trained=code, force_used="yes")
        whole = count("force_by_training", officer_trained=code)
        found += [f"{round(1000 * part / whole, 1):g} per 1,000 ({part:,} of {whole:,})"]
    return found


def instead():
    reasons = ("all", "no_unit", "all_busy", "out_of_area")
    return shares(
        "instead", "not_served_reason", reasons, "responder", "police_only", "no_clinician"
    )


def program_area():
    whole = count("program_area")
    inside = [count("program_area", in_program_area="yes", on_duty=d) for d in ("yes", "no")]
    parts = [*inside, count("program_area", in_program_area="no")]
    return [words for part in parts for words in share(part, whole)]


def backup():
    cell = statistic("backup_minutes", period="all")
    return [
        *shares("backup", "period", YEARS, "backup_requested", "yes", **REACHED_BY),
        f"within about {cell['median']} minutes",
    ]


def sent():
    def index(**codes):
        first, last = (count("coverage_by_quarter", period=p, **codes) for p in QUARTERS)
        return f"{round(100 * last / first)} ({last:,} calls)"

    return [index(), index(**REACHED_BY)]


QUARTERS = ("2024-Q1", "2025-Q4")


def unstaffed():
    listed = rows("unstaffed_days")
    none, every = (sum(int(r[key]) for r in listed) for key in ("without_team", "days"))
    by_area = {}
    for row in rows("unstaffed_areas"):
        if row["month"].startswith("2025"):
            by_area[row["area"]] = by_area.get(row["area"], 0) + int(row["without_team"])
    return [f"In all {none} of {every} days had no team", *map(str, by_area.values())]


def unavailable():
    kinds = ("bed", "shelter", "transport", "other")
    found = shares("unavailable", "period", YEARS, "partner_unavailable", "lacking", **REACHED_BY)
    return found + shares("unavailable", "partner_unavailable", kinds, base="lacking", **REACHED_BY)


def declined():
    kinds = ("crisis_center", "clinic", "substance_use", "hospital", "housing", "peer")
    return shares("partners", "partner", kinds, "handoff", "declined")


def crews():
    cells = [statistic("crews_freed", period=year) for year in YEARS]
    return [
        f"about {int(c['hours']):,} hours, on at least {int(c['based_on']):,} calls" for c in cells
    ]


def last_quarter():
    """The last quarter, and what it differs by from the one before."""
    last, before = (count("calls_by_quarter_area_type", period=p) for p in ("2025-Q4", "2025-Q3"))
    return [f"{last:,}", f"{before:,}"]


def purposes():
    listed = rows("targets")
    people, department = (sum(r["serves"] == w for r in listed) for w in ("people", "department"))
    return [f"For people: {people}. For the department: {department}."]


HOW, RUN, ROW = "What happens", "How it is run", ""
"""Groups of the menu; the last are pages in the row itself."""
CLAIMS = {
    1: (HOW, "Calls and demand", share_of_all),
    2: (HOW, "Calls and demand", types),
    3: (HOW, "After the crisis", connected),
    4: (HOW, "Safety", lambda: like("compare_arrest")),
    5: (HOW, "Safety", lambda: like("compare_force") + rate("force", "force_used")),
    6: (HOW, "After the crisis", lambda: repeat() + like("compare_repeat")),
    7: (HOW, "Safety", lambda: rate("officers_hurt", "injured_officer")),
    8: (RUN, "Money", cost),
    9: (ROW, "Check a claim", lambda: survey("residents")),
    10: (RUN, "Money", funding),
    11: (RUN, "Staffing and training", posts),
    12: (HOW, "Who gets a co-response", reached),
    13: (RUN, "Staffing and training", roles),
    14: (
        HOW,
        "Safety",
        lambda: rate("clinicians_hurt", "injured_clinician") + rate("weapons", "weapon_reported"),
    ),
    15: (RUN, "Staffing and training", training),
    16: (RUN, "Targets and brief", tracking),
    17: (HOW, "After the crisis", partners),
    18: (HOW, "Calls and demand", lambda: [r["event"] for r in rows("program_events")]),
    19: (RUN, "Staffing and training", lambda: minutes_of("compare_officer_time")),
    20: (HOW, "Response times", waits),
    21: (RUN, "Staffing and training", lambda: survey("officers")),
    22: (RUN, "Staffing and training", lambda: patrol() + hours_on_calls()),
    23: (RUN, "Fairness", language),
    24: (
        RUN,
        "Staffing and training",
        lambda: shares(
            "clinician_roles",
            "clinician_role",
            ("first_contact", "after_patrol", "by_phone", "did_not_speak"),
        ),
    ),
    25: (HOW, "Safety", handcuffs),
    26: (HOW, "Outcomes", holds),
    27: (HOW, "Safety", training_and_force),
    28: (
        RUN,
        "Fairness",
        lambda: shares("crisis_in_reports", "race_ethnicity", GROUPS, "crisis_in_report", "yes"),
    ),
    29: (RUN, "Targets and brief", purposes),
    30: (HOW, "Who gets a co-response", instead),
    31: (HOW, "Who gets a co-response", program_area),
    32: (
        HOW,
        "Who gets a co-response",
        lambda: shares("triaged", "triaged", ("checked", "nobody_free", "other_reason")),
    ),
    33: (HOW, "Safety", backup),
    34: (
        HOW,
        "Outcomes",
        lambda: shares("handed_back", "period", YEARS, "handed_back", "yes", **REACHED_BY),
    ),
    35: (HOW, "Who gets a co-response", sent),
    36: (RUN, "Staffing and training", unstaffed),
    37: (HOW, "After the crisis", unavailable),
    38: (HOW, "After the crisis", declined),
    39: (RUN, "Staffing and training", crews),
    40: (RUN, "Quarter by quarter", last_quarter),
    41: (RUN, "Targets and brief", lambda: ["December 31, 2025"]),
}


MORE = {
    "frequent callers and agreements": (HOW, "After the crisis", frequent),
    "no team, town and country, seasons": (HOW, "Coverage by place and hour", no_team),
    "emergency room": (HOW, "Outcomes", emergency_room),
    "urgent calls": (HOW, "Response times", urgent),
    "staff hurt for hours worked": (HOW, "Safety", staff_hurt),
    "serious force": (HOW, "Safety", serious_force),
    "988 line": (HOW, "Calls and demand", line_988),
    "funnel": (HOW, "Who gets a co-response", funnel),
    "started by the team": (
        HOW,
        "Calls and demand",
        lambda: shares("started_by_team", "period", YEARS, "started_by_team", "yes", **REACHED_BY),
    ),
}
"""Measures of the list beyond the claims."""


BY_PAGE = {}
for _number, (_group, _name, _figures) in (CLAIMS | MORE).items():
    BY_PAGE.setdefault((_group, _name), {})[_number] = _figures


@pytest.fixture(scope="module")
def reader(example, window):
    """A tab at the first page, which stays open from claim to claim."""
    page = window.new_page()
    page.set_default_timeout(30_000)
    visit(page, example)
    yield page
    page.close()


@pytest.mark.parametrize(("group", "name"), BY_PAGE)
def test_claims_can_be_checked(group, name, example, reader):
    """From the first page two clicks away: each claim that the page answers stands there with the
    figures worked out here."""
    tab = reader
    if tab.url.rstrip("/") != example:
        tab.get_by_role("navigation").get_by_role("link", name="Overview", exact=True).click()
        tab.wait_for_url(lambda url: url.rstrip("/") == example)
        tab.get_by_role(
            "heading", level=1, name="Is the program reaching people in crisis?"
        ).wait_for()
        settle(tab)
    if group:
        tab.get_by_role("button", name=group, exact=True).click()
    tab.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    tab.wait_for_url(lambda url: url.rstrip("/") != example)
    tab.get_by_text("What this cannot tell you").wait_for()
    settle(tab)
    body = " ".join(tab.locator("[data-testid=stMain]").inner_text().split())
    missing = {
        claim: lost
        for claim, figures in BY_PAGE[group, name].items()
        if (lost := [figure for figure in figures() if figure not in body])
    }
    assert not missing, f"not on the page '{name}'"


def test_all_claims_of_the_list_are_there():
    from dashboard.findings.claims import claims

    assert len(claims()) == 41 == len(CLAIMS)
    assert len({claim.name for claim in claims()}) == 41
    assert all((ROOT / f"pages/{claim.page}.py").exists() for claim in claims())
