"""The columns of a release's statistics and of its tables about the program, in words."""

from __future__ import annotations

from dashboard.text.language import _, in_english


def column_name(column: str) -> str:
    """A column in the reader's words; the release's own name, which is English, where a release has
    a column that is not known here."""
    words = {
        "agree": _("people who agreed"),
        "answered": _("988: answered"),
        "at_least": _("at least"),
        "at_most": _("at most"),
        "authorized": _("positions in the budget"),
        "average": _("average of filled positions"),
        "based_on": _("calls behind it"),
        "calls": _("calls"),
        "calls_frequent": _("calls of people who call often"),
        "contacts": _("988: calls, texts and chats"),
        "days": _("days"),
        "eligible": _("people who should be trained"),
        "ends": _("end of the money"),
        "filed": _("claims filed"),
        "filled": _("filled positions"),
        "handed_to_team": _("988: handed to a team"),
        "high": _("high end"),
        "hours": _("hours"),
        "hours_none": _("hours without a free team"),
        "invited": _("people who were asked"),
        "left": _("people who left"),
        "low": _("low end"),
        "median": _("half, up to"),
        "middle": _("middle"),
        "other": _("other side"),
        "out_of": _("calls looked at"),
        "p90": _("9 of 10, up to"),
        "partner": _("partner"),
        "patrol": _("patrol hours"),
        "payer": _("who saves"),
        "people": _("people"),
        "people_again": _("people who called again"),
        "people_followed": _("people followed"),
        "planned": _("planned"),
        "reason": _("reason"),
        "received": _("received"),
        "residents": _("residents"),
        "respondents": _("people who answered"),
        "source": _("source"),
        "spent": _("spent"),
        "target": _("target"),
        "team": _("side with a team"),
        "themes": _("what they were about"),
        "trained": _("people trained"),
        "worked": _("worked"),
    }
    return words.get(column) or in_english(column.replace("_", " "))
