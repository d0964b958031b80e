"""What to do in a crisis, and what happens on a call to 911: the words of the page on getting help, and its card to print."""

from __future__ import annotations

from dashboard import brief, exports, language
from dashboard.language import _, day, pick
from dashboard.notices import made_up
from dashboard.program import hours_served
from dashboard.release import Release


def steps() -> tuple[str, ...]:
    """What to do now, as Markdown."""
    return (
        _("Is a life in danger right now? Call **911**. Say: 'This is a mental-health crisis. Can you send a crisis team?'"),
        _("Is nobody in danger right now? Call or text **988**. It is free, and open day and night. You can ask for an interpreter."),
        _("Stay with the person if you can. Speak calmly. You do not have to fix it alone."),
    )


def after_the_call() -> tuple[str, ...]:
    """What happens on a call to 911."""
    return (
        _("The call taker asks where you are, what is going on, and whether anyone is hurt or has a weapon."),
        _("The call taker checks if a crisis team can come. A team is a police officer and a mental-health clinician."),
        _("If no team is free, police or medics come."),
        _("The team talks with the person, looks for what helps, and makes a plan."),
    )


def pdf_of(release: Release) -> bytes:
    """One page to put on a wall, as tagged PDF; the page on getting help is its twin in HTML."""
    hours = tuple(hours_served(release))
    parts = [
        brief.Part(_("If you or someone near you is in crisis"), items=tuple(step.replace("**", "") for step in steps())),
        brief.Part(_("What happens when you call 911"), items=after_the_call()),
    ]
    if hours:
        parts.append(
            brief.Part(
                _("When teams work"), items=(*hours, _("Outside these hours police or medics come. You can call 988 at every hour."))
            )
        )
    return brief.pdf(
        brief.Brief(
            title=_("In a crisis: call or text 988"),
            subtitle=_("{agency}. Hours as known on {day}.").format(agency=pick(release.agency["name"]), day=day(release.data_to)),
            notice=made_up() if release.agency["fictional"] else "",
            parts=tuple(parts),
            foot=_("988 is for anyone who needs to talk. Questions about this card: {contact}.").format(contact=release.agency["contact"]),
            release=release,
            letters=15.5,  # to be read from a wall
        )
    )


def file_name(release: Release) -> str:
    return exports.file_name("crisis-card", "release", release.version, language.current(), suffix="pdf")
