"""The field's words, in plain ones: the glossary, and the words explained on each page that uses
them."""

from __future__ import annotations

import re

from dashboard.text.language import _


def words(*, teams: bool = True) -> dict[str, str]:
    """Word -> meaning, in the reader's language; without `teams`, those that speak of none."""
    of_teams = {
        _("Co-responder team"): _(
            "A police officer and a mental-health clinician who answer calls together."
        ),
        _("Clinician"): _("A trained mental-health worker, such as a social worker or a nurse."),
        _("Eligible call"): _("A call that meets the program's written criteria for a team."),
        _("Contact"): _("A call where a clinician came, and the person was found and took part."),
        _("Similar calls"): _(
            "Calls of the same kinds, places and times, so that a comparison is fairer."
        ),
    }
    of_calls = {
        _("988"): _("The national line for suicide and mental-health crises."),
        _("Crisis call"): _(
            "A call about mental health, suicide, alcohol or drugs, or someone's well-being."
        ),
        _("Referral"): _("A named service offered to the person."),
        _("Hold"): _("Taking a person to care without consent, as the law allows."),
        _("Middle value (median)"): _("Half of the values are smaller, half are larger."),
        _("9 in 10 (90th percentile)"): _("Nine of ten values are at or below this one."),
        _("Likely range (95%)"): _("The true value is probably in this range."),
        _("Withheld"): _(
            "A number that is not shown, so that nobody can be singled out. It may be zero, small"
            " or large."
        ),
        _("Not recorded"): _("Nobody wrote it down."),
    }
    return {**(of_teams if teams else {}), **of_calls}


def words_in(text: str, *, teams: bool = True) -> dict[str, str]:
    """The words of the glossary that stand in `text`, with their meaning; a word's part in brackets
    may be missing."""
    found = {}
    for word, meaning in words(teams=teams).items():
        heads = [part.strip() for part in re.split(r"[()]", word) if part.strip()]
        if any(
            re.search(rf"(?<!\w){re.escape(head)}(?:e?s)?(?!\w)", text, re.IGNORECASE)
            for head in heads
        ):
            found[word] = meaning
    return found
