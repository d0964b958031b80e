"""What a page says when its address asks for a choice that it does not have: an area that was
split, a code that is gone or never was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.release.reader import Code, Release
from dashboard.text.language import _, pick

CODELIST = {
    "area": "area",
    "place": "area",
    "type": "call_type",
    "who": "responder",
    "year": "period",
    "of": "period",
    "days": "weekday",
}
"""Filter, as the address names it -> the dimension whose codes it takes. Other filters choose
between things that are no codes."""


@dataclass(frozen=True)
class Missing:
    """What to say of a choice that a page does not have, in plain texts. `release`: the version of
    another release that has it, with the words of a `link` to it; both empty where there is none.

    Nothing in it comes from the address itself: a name comes from a release.
    """

    said: str
    instead: str
    release: str = ""
    link: str = ""


@dataclass(frozen=True)
class Filter:
    """A filter of a page: its key in the address, its label, its options (code -> label), and the
    one of them that is chosen."""

    key: str
    label: str
    options: Mapping[str, str]
    chosen: str


def missing(
    asked: str | None, of: Filter, release: Release, releases: Callable[[], Sequence[Release]]
) -> Missing | None:
    """What to say where the code `asked` for is none of the filter's options; the chosen option is
    shown instead. None where nothing is asked, or the filter has it."""
    if not asked or asked in of.options:
        return None
    label = of.label
    instead = _("You see '{shown}' instead.").format(shown=of.options[of.chosen])
    if here := _code(release, of.key, asked):
        return Missing(
            _("{filter}: this page has no numbers for '{name}'.").format(
                filter=label, name=pick(here.label)
            ),
            instead,
        )
    for other in reversed(releases()):
        if there := _code(other, of.key, asked):
            name = pick(there.label)
            link = _("See '{name}' in release {version}").format(name=name, version=other.version)
            return Missing(
                _("{filter}: '{name}' is not in this release.").format(filter=label, name=name),
                instead,
                other.version,
                link,
            )
    return Missing(
        _("{filter}: your link asks for a choice that is not in this release.").format(
            filter=label
        ),
        instead,
    )


def _code(release: Release, key: str, asked: str) -> Code | None:
    codelist = release.codelists.get(CODELIST.get(key, ""))
    return codelist.codes.get(asked) if codelist else None
