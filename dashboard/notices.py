"""Sentences that stand in many places: where to turn in a crisis, that a city is made up, why no release is shown."""

from dashboard.language import _


def made_up() -> str:
    return _("This city is made up. Its numbers show how the site works and describe no real place or person.")


def nothing() -> str:
    return _("This agency does not report this yet.")


def refusal(reason: str) -> str:
    return {
        "missing": _("There is no release to show. The agency has not published one here yet."),
        "unreadable": _("The release cannot be read, so it is not shown. The agency needs to build it again."),
        "no_audit": _("The release has no privacy check, so it is not shown."),
        "failed": _("The release did not pass its privacy check, so it is not shown."),
        "changed": _("The release is not the one that passed its privacy check, so it is not shown."),
    }[reason]


def help_line(country: str) -> str:
    """Where to turn in a crisis, in words, on every page."""
    if country == "CA":
        return _("**In crisis?** Call or text **988** at any hour, in English or French. If a life is in danger, call **911**.")
    return _(
        "**In crisis?** Call or text **988**, or chat at 988lifeline.org, at any hour. "
        "For Spanish, press 2 or text AYUDA to 988. If a life is in danger, call **911**."
    )
