"""What can be said of visits where some partners do not share data: bounds, and what they rest
on."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.release.reader import Release

NO_REFERRAL = "none"
"""The code of `partner` that holds the calls without a referral."""


def some_share_no_data(release: Release) -> bool:
    """Does any partner not tell of visits, or does nobody know?"""
    rows = release.reference("partner_agreements")
    return rows is None or bool((rows["data_sharing"] != "yes").any())


def sharing_kinds(release: Release) -> set[str]:
    """Kinds of partners (codes of `partner`) of which every partner shares data.

    Empty where a partner that shares nothing has no kind on record: it may be of any.
    """
    rows = release.reference("partner_agreements")
    if rows is None or "partner_type" not in rows:
        return set()
    silent = set(rows[rows["data_sharing"] != "yes"]["partner_type"])
    return set() if "" in silent else set(rows["partner_type"]) - silent - {""}


def most_connected(release: Release, at: Mapping[str, str]) -> int | None:
    """At most how many of the accepted referrals `at` a period and responder led to a visit within
    30 days; None where every partner shares data, or the release does not publish the referrals.

    The worst case of Horowitz and Manski (2000, JASA 95: 77-84): each accepted referral to a kind
    of partner that may not share, and of which no visit is known, may have led to one. Counts by
    kind of partner hold calls of every responder, so their sum still bounds those `at`.
    """
    referrals = release.find("responder", "handoff")
    if (
        referrals is None
        or not release.holds(referrals, "handoff", "agreed")
        or not some_share_no_data(release)
    ):
        return None
    agreed, _status = referrals.cell({**at, "handoff": "agreed"})
    connected, _status = referrals.cell({**at, "handoff": "connected"})
    if agreed is None or connected is None:
        return None
    silent = _unknown_visits(release, at)
    return agreed if silent is None else min(agreed, connected + silent)


def _unknown_visits(release: Release, at: Mapping[str, str]) -> int | None:
    """Accepted referrals without a known visit, at kinds of partners that may not share; None where
    one of these counts is not published."""
    sharing, table = sharing_kinds(release), release.find("partner", "handoff")
    period = at.get("period")
    if (
        not sharing
        or table is None
        or not release.holds(table, "handoff", "agreed")
        or (period is not None and not table.has_period(period))
    ):
        return None
    unknown = 0
    for kind in release.codelists["partner"].at(table.finest("partner")):
        if kind.code in sharing or kind.code == NO_REFERRAL:
            continue
        here = {**at, "partner": kind.code}
        agreed, _status = table.cell({**here, "handoff": "agreed"})
        connected, _status = table.cell({**here, "handoff": "connected"})
        if agreed is None or connected is None:
            return None
        unknown += agreed - connected
    return unknown
