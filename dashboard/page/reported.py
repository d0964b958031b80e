"""What a release can speak of: whether it knows of teams, and which pages have something to show.

The menu, the start doors and the words of pages follow from here; tests hold each answer against
what the pages draw.
"""

from __future__ import annotations

from dashboard.page.pages_list import PAGES
from dashboard.release.reader import Release
from dashboard.text.language import _

ELIGIBLE = {"eligible": "yes"}
OF_TEAMS = (
    "staffed_hours",
    "staffed_months",
    "staffing",
    "service_hours",
    "budget",
    "training",
    "turnover",
    "targets",
    "survey",
)
"""References about a program with teams."""
COMPARED = (
    "arrest",
    "force_used",
    "repeat_90",
    "officer_minutes",
    "wait",
    "restrained",
    "hold",
)


def has_teams(release: Release) -> bool:
    """Does the release know of a program that sends teams? Else its pages speak of none."""
    return (
        any(
            "responder" in table.levels
            or table.where.get("eligible")
            or table.where.get("responder")
            for table in release.tables.values()
        )
        or any("responder" in statistic.levels for statistic in release.statistics.values())
        or any(release.reference(name) is not None for name in OF_TEAMS)
        or _compares(release)
    )


def _compares(release: Release) -> bool:
    return any(
        release.statistic(f"{kind}_{outcome}") is not None
        for kind in ("compare", "reached")
        for outcome in COMPARED
    )


def shown_pages(release: Release) -> frozenset[str]:
    """The pages (files in `pages/`) that have something to say of this release; those that explain
    the release itself always do."""

    def counted(*dimensions: str, **where: str) -> bool:
        return release.find(*dimensions, where=where) is not None

    def told(*names: str) -> bool:
        return any(release.reference(name) is not None for name in names)

    def measured(*names: str) -> bool:
        return any(release.statistic(name) is not None for name in names)

    def answered(audience: str) -> bool:
        rows = release.reference("survey")
        return rows is not None and bool((rows["audience"] == audience).any())

    reviews = release.reference("feedback")
    reviewed = reviews is not None and bool(
        reviews["kind"].isin(["unclear_lead", "unsafe_entry"]).any()
    )
    by_who = (
        "arrest",
        "citation",
        "force_used",
        "serious_force",
        "weapon_reported",
        "injured_officer",
        "injured_clinician",
        "injured_person",
        "restrained",
        "backup_requested",
    )
    reached = any("responder" in t.levels and t.where == ELIGIBLE for t in release.tables.values())
    answers = {
        "neighborhood": counted("area") or counted("area", "responder", **ELIGIBLE),
        "calls": bool(release.tables),
        "story": bool(release.tables),
        "funnel": (
            counted("eligible")
            or counted("triaged")
            or counted("in_program_area", "on_duty", **ELIGIBLE)
            or counted("not_served_reason", **ELIGIBLE)
            or reached
        ),
        "coverage": (
            bool(release.area_systems())
            or reached
            or told("staffed_hours")
            or counted("not_served_reason", "period", **ELIGIBLE)
        ),
        "times": (
            counted("wait")
            or measured(
                "minutes_call_to_arrival",
                "minutes_call_to_dispatch",
                "minutes_dispatch_to_arrival",
                "compare_wait",
            )
            or told("urgent_waits")
        ),
        "outcomes": (
            counted("outcome")
            or counted("responder", "taken_to_ed", ed_criteria="yes")
            or counted("period", "handed_back")
            or counted("responder", "hold_started_by", outcome="involuntary_hold")
            or measured("compare_hold")
        ),
        "safety": (
            any(counted("responder", dimension) for dimension in by_who)
            or counted("officer_trained", "force_used", responder="police_only")
            or counted("race_ethnicity", "restrained")
            or measured(
                "compare_arrest",
                "compare_force_used",
                "compare_restrained",
                "reached_arrest",
                "reached_force_used",
            )
        ),
        "after": (
            counted("responder", "handoff")
            or counted("partner", "handoff")
            or counted("follow_up")
            or counted("partner", "warm")
            or counted("responder", "partner_unavailable")
            or measured(
                "repeat_people_30",
                "repeat_people_90",
                "repeat_people_365",
                "calls_of_frequent",
                "people",
                "compare_repeat_90",
                "days_to_connection",
            )
            or told("partner_agreements")
        ),
        "staffing": (
            told("staffing", "turnover", "staffed_months", "training")
            or counted("responder", "officer_released")
            or counted("led_by", responder="co_responder")
            or counted("clinician_role", responder="co_responder")
            or measured("compare_officer_minutes", "hours_others_freed")
            or answered("officers")
            or reviewed
        ),
        "money": told("budget") or (told("unit_costs") and measured("compare_arrest")),
        "fairness": (
            any(
                counted(group, "responder", **ELIGIBLE)
                for group in ("race_ethnicity", "age_group", "gender")
            )
            or counted("language", "interpreter_used")
            or counted("race_ethnicity", "crisis_in_report")
        ),
        "scorecard": True,
        "quarters": any(
            t.where == {} and {"quarter", "month"} & set(t.levels.get("period", ()))
            for t in release.tables.values()
        ),
        "how_we_compare": _compares(release),
        "crosswalk": has_teams(release),
    }
    return frozenset(page for page in PAGES if answers.get(page, True))


def fed_by(page: str) -> str:
    """The data that an agency would have to bring for a page, in words."""
    return {
        "neighborhood": _("where each call came from"),
        "calls": _("calls by day"),
        "story": _("calls by day"),
        "funnel": _("who came to each call, and which calls met the program's criteria"),
        "coverage": _("where each call came from, and who came"),
        "times": _("when each call came in and when someone arrived"),
        "outcomes": _("how each call ended"),
        "safety": _("arrests, force and injuries of each call, and who came"),
        "after": _("referrals, visits and follow-ups"),
        "staffing": _("positions, hours and courses of the teams"),
        "money": _("what the program costs, and who pays"),
        "fairness": _("groups of people, and who came to their calls"),
        "quarters": _("calls by month or by quarter"),
        "how_we_compare": _("whether a team was free when each call came in"),
        "crosswalk": _("who came to each call, and which calls met the program's criteria"),
    }[page]
