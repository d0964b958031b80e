"""News of releases for feed readers and calendars: Atom (RFC 4287) and iCalendar (RFC 5545, with
RFC 7986), as plain files in each language.

Nobody signs up for anything: a program asks for the file, and reads in it what is new. The same
releases give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from html import escape
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from dashboard.page.standard_texts import made_up_in_short
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import LANGUAGES, _, day, first, pick, tag, unmarked

ATOM, ICALENDAR = "application/atom+xml", "text/calendar; charset=utf-8"
_ATOM = "http://www.w3.org/2005/Atom"
_OCTETS = 75
"""Of a line in a calendar, without its end (RFC 5545, section 3.1)."""
DATE_LINE = timezone(timedelta(hours=-12))
"""Where a day ends last."""

Address = Callable[[Release, str], str]
"""Where a release's page stands, seen from the top of the site: (release, page) -> address."""


def feed_file(code: str) -> str:
    return f"feed-{code}.xml"


def calendar_file(code: str) -> str:
    return f"next-update-{code}.ics"


def next_update(release: Release) -> date | None:
    """The day for which the agency has promised the next release."""
    promised = release.package.get("next_update")
    return date.fromisoformat(promised) if promised else None


def overdue_words(release: Release) -> str:
    """What stands on every page of the newest release once the promised day has passed; empty where
    no day is promised."""
    promised = next_update(release)
    if promised is None:
        return ""
    return _(
        "A new release was planned for {day}. It is late, so these numbers may be out of date."
    ).format(day=day(promised))


def overdue(release: Release, now: datetime | None = None) -> bool:
    """Has the promised day passed everywhere on earth? No agency is late while its own day still
    runs."""
    promised = next_update(release)
    return (
        promised is not None and (now or datetime.now(UTC)).astimezone(DATE_LINE).date() > promised
    )


def atom(releases: Sequence[Release], address: Address, site: str) -> bytes:
    """The feed of all releases in the language of the moment, the newest first; corrections are
    marked as such.

    `site`: the address that the agency names, or nothing; links are then relative to the feed, as
    RFC 4287 allows.
    """
    newest, code = releases[-1], language.current()
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(
        f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": tag(code)}
    )
    _put(feed, "id", _urn("feed", newest, code))
    _put(
        feed,
        "title",
        _("{agency}: releases and corrections").format(agency=pick(newest.agency["name"])),
    )
    about = _("Each new release of the numbers, and each correction.")
    _put(feed, "subtitle", f"{about} {made_up_in_short()}" if newest.agency["fictional"] else about)
    _put(feed, "updated", _moment(newest))
    _put(_put(feed, "author"), "name", str(newest.package["contributors"][0]["title"]))
    _put(feed, "link", rel="self", type=ATOM, href=_joined(site, feed_file(code)))
    _put(
        feed,
        "link",
        rel="alternate",
        type="text/html",
        hreflang=tag(code),
        href=_joined(site, address(newest, "at_a_glance")),
    )
    for release in reversed(releases):
        entry = _put(feed, "entry")
        _put(entry, "id", _urn("release", release, code))
        _put(entry, "title", _entry_title(release))
        _put(entry, "updated", _moment(release))
        _put(entry, "published", _moment(release))
        _put(entry, "category", term=_kind(release))
        _put(
            entry,
            "link",
            rel="alternate",
            type="text/html",
            hreflang=tag(code),
            href=_joined(site, address(release, "changes")),
        )
        _put(
            entry,
            "link",
            rel="related",
            type="application/json",
            href=_joined(site, f"data/{release.version}/datapackage.json"),
        )
        _put(entry, "summary", _entry_words(release))
    ElementTree.indent(feed, " ")
    written = str(ElementTree.tostring(feed, encoding="unicode"))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{written}\n'.encode()


def _put(
    parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str
) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = None if text is None else _in_xml(text)
    return child


def _in_xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        c
        for c in unmarked(text)
        if c in "\t\n\r"
        or "\x20" <= c <= "\ud7ff"
        or "\ue000" <= c <= "\ufffd"
        or c >= "\U00010000"
    )


def _joined(site: str, path: str) -> str:
    return f"{site}/{path.removeprefix('/')}" if site else path


def _urn(kind: str, release: Release, code: str) -> str:
    """A name that stays. Of a release: from the bytes that describe it, which nothing else has. Of
    the feed: from whose it is."""
    agency = release.agency
    whose = f"{agency.get('id', '')}|{first(agency['place'])}|{agency['country']}"
    named = sha256(release.files["datapackage.json"]).hexdigest() if kind == "release" else whose
    return uuid5(NAMESPACE_URL, f"co-response|{kind}|{named}|{code}").urn


def _created(release: Release) -> datetime:
    return datetime.fromisoformat(str(release.package["created"])).astimezone(UTC)


def _moment(release: Release) -> str:
    return _created(release).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kind(release: Release) -> str:
    return str(release.package.get("release", {}).get("kind", "update"))


def _entry_title(release: Release) -> str:
    words = (
        _("Correction: release {version}")
        if _kind(release) == "correction"
        else _("Release {version}")
    )
    return words.format(version=release.version)


def _entry_words(release: Release) -> str:
    lines = [
        _("Data from {start} to {end}.").format(
            start=day(release.data_from), end=day(release.data_to)
        )
    ]
    if reason := release.package.get("release", {}).get("reason"):
        lines.append(pick(reason))
    if not release.approved:
        lines.append(
            _("This is a preview. Nobody has approved these numbers yet. Do not quote them.")
        )
    return " ".join(lines)


def calendar(release: Release, address: Address, site: str) -> bytes | None:
    """The day of the next update as a calendar of one day, in the language of the moment; None
    where no day is promised."""
    promised = next_update(release)
    if promised is None:
        return None
    agency = pick(release.agency["name"])
    about = _(
        "The agency plans to publish new numbers on this day. Release {version} has data to {day}."
    ).format(version=release.version, day=day(release.data_to))
    if release.agency["fictional"]:
        about = f"{about} {made_up_in_short()}"
    whose = _urn("feed", release, language.current())
    event = [
        ("UID", uuid5(NAMESPACE_URL, f"{whose}|{promised}").urn.removeprefix("urn:uuid:")),
        ("DTSTAMP", _created(release).strftime("%Y%m%dT%H%M%SZ")),
        ("DTSTART;VALUE=DATE", promised.strftime("%Y%m%d")),
        ("DTEND;VALUE=DATE", (promised + timedelta(days=1)).strftime("%Y%m%d")),
        ("SUMMARY", _escaped(_("New numbers planned: {agency}").format(agency=agency))),
        ("DESCRIPTION", _escaped(about)),
        *([("URL", _joined(site, address(release, "changes")))] if site else []),
        ("TRANSP", "TRANSPARENT"),
    ]
    lines = [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", f"-//co-response//next update//{language.current().upper()}"),
        ("METHOD", "PUBLISH"),
        ("NAME", _escaped(agency)),
        ("X-WR-CALNAME", _escaped(agency)),
        ("REFRESH-INTERVAL;VALUE=DURATION", "P1D"),
        ("BEGIN", "VEVENT"),
        *event,
        ("END", "VEVENT"),
        ("END", "VCALENDAR"),
    ]
    return "".join(f"{_folded(f'{name}:{value}')}\r\n" for name, value in lines).encode("utf-8")


def _escaped(text: str) -> str:
    """A text as a value (RFC 5545, section 3.3.11); other control characters may not stand in
    one."""
    text = (
        unmarked(text)
        .replace("\\", "\\\\")
        .replace(";", "\\;")
        .replace(",", "\\,")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\n", "\\n")
    )
    return "".join(c for c in text if c == "\t" or (c >= " " and c != "\x7f"))


def _folded(line: str) -> str:
    """Broken before a line grows longer than 75 octets, never within a character."""
    parts, size = [""], 0
    for letter in line:
        width = len(letter.encode("utf-8"))
        if size + width > _OCTETS:
            parts.append("")
            size = 1  # the blank that begins a line which goes on
        parts[-1] += letter
        size += width
    return "\r\n ".join(parts)


def files(
    releases: Sequence[Release], address: Callable[[str], Address], site: str
) -> dict[str, bytes]:
    """Name -> bytes of the feed and the calendar in every language. `address`: of the pages in a
    language."""
    found: dict[str, bytes] = {}
    for code in LANGUAGES:
        with language.speaking(code):
            found[feed_file(code)] = atom(releases, address(code), site)
            if (made := calendar(releases[-1], address(code), site)) is not None:
                found[calendar_file(code)] = made
    return found


FILES = tuple(name for code in LANGUAGES for name in (feed_file(code), calendar_file(code)))
"""All names that `files` may give."""


def links(release: Release) -> list[tuple[str, str]]:
    """(words, file) of the feed and the calendar in the language of the moment, as a page names
    them."""
    code = language.current()
    found = [(_("Feed of releases and corrections (Atom)"), feed_file(code))]
    return (
        [*found, (_("Day of the next update, for your calendar (ics)"), calendar_file(code))]
        if next_update(release)
        else found
    )


def head(release: Release, top: str) -> str:
    """The same for the head of a page, where programs look for them. `top`: the way to the top of
    the site."""
    code = language.current()
    title = _("{agency}: releases and corrections").format(agency=pick(release.agency["name"]))
    tags = [_link(ATOM, title, f"{top}{feed_file(code)}")]
    if next_update(release):
        tags.append(
            _link("text/calendar", _("Day of the next update"), f"{top}{calendar_file(code)}")
        )
    return "".join(tags)


def _link(kind: str, title: str, address: str) -> str:
    title = escape(unmarked(title))
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{escape(address)}">'
