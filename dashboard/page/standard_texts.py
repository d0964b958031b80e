"""Sentences that stand in many places: where to turn in a crisis, that a city is made up, which
days are missing, why no release is shown."""

from __future__ import annotations

import re

from dashboard.release.reader import Release
from dashboard.text.language import _, day, ngettext, number, pick

MAX_GAPS = 3
"""Gaps in the data that a note under a figure names."""


def uncollected(release: Release) -> list[str]:
    """A sentence for each stretch of days of which the agency has no records, with its reason."""
    return [
        (
            _("There are no records from {start} to {end}.")
            if gap.first < gap.last
            else _("There are no records of {start}.")
        ).format(start=day(gap.first), end=day(gap.last))
        + f" {pick(gap.reason)}"
        for gap in release.uncollected
    ]


def uncollected_note(release: Release) -> str:
    """The first few stretches of days without records, in one line; empty where no days are
    missing."""
    listed = uncollected(release)
    more = len(listed) - MAX_GAPS
    rest = ngettext("And {count} more gap.", "And {count} more gaps.", more)
    return " ".join([*listed[:MAX_GAPS], *([rest.format(count=number(more))] if more > 0 else [])])


def made_up() -> str:
    return _(
        "This city is made up. Its numbers show how the site works and describe no real place or"
        " person."
    )


def made_up_in_short() -> str:
    return _("This city is made up. Its numbers show how the site works.")


def nothing() -> str:
    return _("This agency does not report this yet.")


def refusal(reason: str) -> str:
    return {
        "missing": _("There is no release to show. The agency has not published one here yet."),
        "unreadable": _(
            "The release cannot be read, so it is not shown. The agency needs to build it again."
        ),
        "no_audit": _("The release has no privacy check, so it is not shown."),
        "failed": _("The release did not pass its privacy check, so it is not shown."),
        "changed": _(
            "The release is not the one that passed its privacy check, so it is not shown."
        ),
    }[reason]


# Help in a crisis. The addresses of links dial and write by themselves on a phone: 988 answers in
# Spanish after 2, or to the word AYUDA.


def crisis_bar(country: str) -> str:
    """Where to turn, in a few words for the bar on top of every page; Markdown."""
    if country == "CA":
        return _("**In crisis?** [Call](tel:988) or [text 988](sms:988)")
    return _("**In crisis?** [Call](tel:988) or [text](sms:988) 988")


def help_line(country: str) -> str:
    """Where to turn in a crisis, on every page; Markdown."""
    if country == "CA":
        return _(
            "**In crisis?** [Call](tel:988) or [text 988](sms:988) at any hour, in English or"
            " French. If a life is in danger, [call 911](tel:911)."
        )
    return _(
        "**In crisis?** [Call](tel:988) or [text 988](sms:988), or [chat at"
        " 988lifeline.org](https://988lifeline.org/chat/), at any hour. It is free. For Spanish,"
        " [call and press 2](tel:988) or [text AYUDA to 988](sms:988?body=AYUDA). If a life is in"
        " danger, [call 911](tel:911)."
    )


def plain(markdown: str) -> str:
    """The words of a text alone, for print: stars and the addresses of links away."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown.replace("**", ""))
