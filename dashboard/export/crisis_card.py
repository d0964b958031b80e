"""What to do in a crisis, and what happens on a call to 911: the words of the page on getting help,
and its card to print."""

from __future__ import annotations

from dashboard.export import brief, downloads
from dashboard.findings.program import hours_served
from dashboard.page.reported import has_teams
from dashboard.page.standard_texts import made_up, plain
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _, day, pick


def steps(release: Release) -> tuple[str, ...]:
    """What to do now, as Markdown with links that dial and write. Where no team is known, nobody is
    told to ask for one."""
    say = (
        _("Say: 'This is a mental-health crisis. Can you send a crisis team?'")
        if has_teams(release)
        else _("Say: 'This is a mental-health crisis.'")
    )
    call = _("Is a life in danger right now? [Call **911**](tel:911).")
    talk = (
        _(
            "Is nobody in danger right now? [Call](tel:988) or [text **988**](sms:988), in English"
            " or French. It is free, and open day and night."
        )
        if release.agency["country"] == "CA"
        else _(
            "Is nobody in danger right now? [Call](tel:988) or [text](sms:988) **988**, or"
            " [chat](https://988lifeline.org/chat/). It is free, and open day and night."
        )
    )
    spanish = (
        ()
        if release.agency["country"] == "CA"
        else (
            _(
                "For Spanish, [call 988 and press 2](tel:988), or [text AYUDA to"
                " 988](sms:988?body=AYUDA). 911 has interpreters."
            ),
        )
    )
    return (
        f"{call} {say}",
        talk,
        *spanish,
        _("Stay with the person if you can. Speak calmly. You do not have to fix it alone."),
        _("A crisis passes. Talking helps, and so does care."),
    )


def after_the_call(release: Release) -> tuple[str, ...]:
    """What happens on a call to 911."""
    asks = _(
        "The call taker asks where you are, what is going on, and whether anyone is hurt or has a"
        " weapon."
    )
    if not has_teams(release):
        return asks, _("Police or medics come. Tell them what helps the person stay calm.")
    return (
        asks,
        _(
            "The call taker checks if a crisis team can come. A team is a police officer and a"
            " mental-health clinician."
        ),
        _("If no team is free, police or medics come."),
        _("The team talks with the person, looks for what helps, and makes a plan."),
    )


def title(release: Release) -> str:
    if release.agency["country"] == "CA":
        return _("In a crisis in Canada: call or text 988")
    return _("In a crisis: call or text 988")


def pdf_of(release: Release) -> bytes:
    """One page to put on a wall, as tagged PDF; the page on getting help is its twin in HTML."""
    hours = tuple(hours_served(release))
    parts = [
        brief.Part(
            _("If you or someone close to you is in crisis"),
            items=tuple(plain(step) for step in steps(release)),
        ),
        brief.Part(_("What happens when you call 911"), items=after_the_call(release)),
    ]
    if hours:
        parts.append(
            brief.Part(
                _("When teams work"),
                items=(
                    *hours,
                    _("Outside these hours police or medics come. You can call 988 at every hour."),
                ),
            )
        )
    return brief.pdf(
        brief.Brief(
            title=title(release),
            subtitle=_("{agency}. Hours as known on {day}.").format(
                agency=pick(release.agency["name"]), day=day(release.data_to)
            ),
            notice=made_up() if release.agency["fictional"] else "",
            parts=tuple(parts),
            foot=_(
                "988 is for anyone who needs to talk. Questions about this card: {contact}."
            ).format(contact=release.agency["contact"]),
            release=release,
            letters=15.5,  # to be read from a wall
        )
    )


def file_name(release: Release) -> str:
    return downloads.file_name(
        "crisis-card", "release", release.version, language.current(), suffix="pdf"
    )
