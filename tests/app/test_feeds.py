"""Feed and calendar, held against the grammars of their standards and read by programs that are not
ours; and the line that says that a release is late."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import urljoin, urlsplit

import feedparser
import icalendar
import pytest
from lxml import etree

from dashboard.app.navigation import ribbon
from dashboard.export import citation, feeds
from dashboard.release.current import Serving, all_releases
from dashboard.release.reader import load_release
from dashboard.text import language
from dashboard.text.language import LANGUAGES
from tests.conftest import ROOT

ATOM = {"a": "http://www.w3.org/2005/Atom"}
SITE = "https://data.example.org"
GRAMMAR = etree.RelaxNG(etree.parse(ROOT / "tests/schemas/atom.rng"))


@pytest.fixture(scope="module")
def releases():
    return all_releases(load_release(ROOT / "data_public"), load_release)


def address(release, page):
    return f"releases/{release.version}/en/{page}.html"


def changed(release, /, **parts):
    """The release with other parts in its description."""
    package = {
        name: value for name, value in (release.package | parts).items() if value is not None
    }
    return replace(release, package=package)


def made(releases, site=SITE):
    return feeds.files(
        releases,
        lambda code: lambda release, page: f"releases/{release.version}/{code}/{page}.html",
        site,
    )


def faults(data):
    """What RFC 4287 has against a feed: its grammar, and the rules that it states in words."""
    read = etree.fromstring(data)
    found = [] if GRAMMAR.validate(read) else [str(GRAMMAR.error_log)]
    entries = read.findall("a:entry", ATOM)
    if read.find("a:author", ATOM) is None and any(
        entry.find("a:author", ATOM) is None for entry in entries
    ):
        found.append("4.1.1: nobody wrote it")
    for place in (read, *entries):
        alternate = [
            (e.get("type"), e.get("hreflang"))
            for e in place.findall("a:link", ATOM)
            if e.get("rel", "alternate") == "alternate"
        ]
        if len(set(alternate)) != len(alternate):
            found.append("4.1.1: two links of one kind")
        if place is not read and not alternate and place.find("a:content", ATOM) is None:
            found.append("4.1.2: neither content nor a link")
    names = [e.text for e in read.iter("{http://www.w3.org/2005/Atom}id")]
    if len(set(names)) != len(names):
        found.append("4.2.6: one name for two things")
    return found


@pytest.mark.parametrize("site", [SITE, ""])
def test_feeds_follow_rfc_4287(releases, site):
    found = {name: data for name, data in made(releases, site).items() if name.endswith(".xml")}
    assert set(found) == {f"feed-{code}.xml" for code in LANGUAGES}
    for data in found.values():
        assert faults(data) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"<id>urn:uuid:[^<]+</id>\n <title>", b"<title>"),
        (rb"<updated>2026-01-15T00:00:00Z", b"<updated>2026-01-15"),
        (rb"<author>.*?</author>", b""),
        (rb'<link rel="alternate"[^>]*2025.1[^>]*/>', b""),
        (rb"<id>urn:uuid:", b"<id>"),
    ],
)
def test_a_planted_fault_in_a_feed_is_found(releases, old, new):
    sound = made(releases)["feed-en.xml"]
    broken = re.sub(old, new, sound, count=1, flags=re.S)
    assert broken != sound
    assert faults(broken)


def test_a_feed_tells_of_every_release_the_newest_first(releases):
    correction = changed(
        releases[-1],
        release={"kind": "correction", "reason": {"en": "A & <b>B</b>", "es": "Á & <b>B</b>"}},
    )
    read = etree.fromstring(made([releases[0], correction])["feed-es.xml"])
    titles = [e.text for e in read.findall("a:entry/a:title", ATOM)]
    assert titles == [
        f"Corrección: edición {releases[-1].version}",
        f"Edición {releases[0].version}",
    ]
    assert [e.get("term") for e in read.findall("a:entry/a:category", ATOM)] == [
        "correction",
        "update",
    ]
    assert read.find("a:entry/a:summary", ATOM).text.endswith("Á & <b>B</b>"), "a text, not markup"
    assert read.find("a:updated", ATOM).text == read.find("a:entry/a:updated", ATOM).text
    assert read.get("{http://www.w3.org/XML/1998/namespace}lang") == "es"


def test_only_an_agency_that_names_its_site_has_whole_addresses(releases):
    for site in (SITE, ""):
        read = etree.fromstring(made(releases, site)["feed-en.xml"])
        addresses = [e.get("href") for e in read.iter("{http://www.w3.org/2005/Atom}link")]
        assert all(urlsplit(a).scheme == ("https" if site else "") for a in addresses)
        assert {urljoin(f"{SITE}/feed-en.xml", a) for a in addresses} >= {
            f"{SITE}/releases/2025.1/en/changes.html",
            f"{SITE}/feed-en.xml",
        }
        calendar = made(releases, site)["next-update-en.ics"].decode()
        assert ("URL:" in calendar) == bool(site)


def test_names_in_a_feed_stay_when_the_site_or_the_next_release_changes(releases):
    def names(listed, site):
        return {
            e.text
            for e in etree.fromstring(made(listed, site)["feed-en.xml"]).iter(
                "{http://www.w3.org/2005/Atom}id"
            )
        }

    assert names(releases, SITE) == names(releases, "")
    assert names(releases[:1], SITE) < names(releases, SITE)


def lines_of(data):
    """The content lines of a calendar (RFC 5545, section 3.1): (name, parameters, value). Fails
    where a line is broken as it may not be."""
    assert data.endswith(b"\r\n")
    raw = data[:-2].split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in raw)
    for line in raw:
        line.decode("utf-8")  # no letter is torn
    found = []
    for line in data.decode("utf-8").replace("\r\n ", "").removesuffix("\r\n").split("\r\n"):
        name, value = re.fullmatch(r"([A-Z-]+(?:;[A-Z-]+=[^:;]+)*):(.*)", line).groups()
        name, *parameters = name.split(";")
        found.append((name, parameters, value))
    return found


def test_calendars_follow_rfc_5545(releases):
    for code in LANGUAGES:
        lines = lines_of(made(releases)[f"next-update-{code}.ics"])
        assert [value for name, _, value in lines if name in ("BEGIN", "END")] == [
            "VCALENDAR",
            "VEVENT",
            "VEVENT",
            "VCALENDAR",
        ]
        once = {
            name: (parameters, value)
            for name, parameters, value in lines
            if name not in ("BEGIN", "END")
        }
        assert len(once) == len(lines) - 4, "nothing stands twice"
        assert once["VERSION"][1] == "2.0"
        assert {"PRODID", "UID", "DTSTAMP", "SUMMARY"} <= set(once)
        assert re.fullmatch(r"\d{8}T\d{6}Z", once["DTSTAMP"][1])
        assert once["DTSTART"] == (["VALUE=DATE"], "20270115")
        assert once["DTEND"] == (["VALUE=DATE"], "20270116")


def test_texts_of_a_calendar_are_escaped_and_folded(releases):
    name = "Ñandú; Río, \\ " + "ñ" * 200
    agency = releases[-1].agency | {"name": {"en": name, "es": name}}
    data = made([changed(releases[-1], agency=agency)])["next-update-en.ics"]
    (summary,) = [value for field, _, value in lines_of(data) if field == "SUMMARY"]
    assert summary == "New numbers planned: Ñandú\\; Río\\, \\\\ " + "ñ" * 200


def test_no_promise_no_calendar(releases):
    silent = changed(releases[-1], next_update=None)
    assert set(made([silent])) == {f"feed-{code}.xml" for code in LANGUAGES}
    with language.speaking("en"):
        assert "text/calendar" not in feeds.head(silent, "/")
        assert [file for _words, file in feeds.links(silent)] == ["feed-en.xml"]


def test_the_same_releases_give_the_same_bytes(releases):
    assert made(releases) == made(all_releases(load_release(ROOT / "data_public"), load_release))


def test_another_program_reads_the_feed(releases):
    for code in LANGUAGES:
        read = feedparser.parse(made(releases)[f"feed-{code}.xml"])
        assert not read.bozo, read.get("bozo_exception")
        assert read.version == "atom10"
        assert [e.published_parsed[:3] for e in read.entries] == [(2026, 1, 15), (2025, 1, 15)]
        assert all(e.link.startswith(f"{SITE}/releases/") for e in read.entries)


def test_another_program_reads_the_calendar(releases):
    for code in LANGUAGES:
        read = icalendar.Calendar.from_ical(made(releases)[f"next-update-{code}.ics"])
        (event,) = read.walk("VEVENT")
        assert read.errors == event.errors == []
        assert event.decoded("DTSTART") == date(2027, 1, 15)
        assert str(event["DESCRIPTION"]).startswith(
            "The agency plans to publish" if code == "en" else "La agencia piensa publicar"
        )


def test_a_release_is_late_once_the_day_is_over_everywhere(releases):
    release = changed(releases[-1], next_update="2027-01-15")
    assert not feeds.overdue(release, datetime(2027, 1, 16, 11, 59, tzinfo=UTC)), (
        "it is still the 15th on Baker Island"
    )
    assert feeds.overdue(release, datetime(2027, 1, 16, 12, 0, tzinfo=UTC))
    assert not feeds.overdue(changed(release, next_update=None), datetime(2100, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_the_app_says_that_a_release_is_late(releases, code, monkeypatch):
    said = []
    monkeypatch.setattr("dashboard.app.navigation.st.html", said.append)
    monkeypatch.setattr("dashboard.app.navigation.st.button", lambda *_, **__: None)
    with language.speaking(code):
        words = feeds.overdue_words(changed(releases[-1], next_update="2020-05-04"))
        assert ("4 de mayo de 2020" if code == "es" else "May 4, 2020") in words
        for promised, late in (("2020-05-04", True), ("2999-05-04", False), (None, False)):
            release = changed(releases[-1], next_update=promised)
            said.clear()
            ribbon(Serving(release, release))
            assert (words in "".join(said)) == late
            said.clear()
            ribbon(Serving(releases[0], release))
            assert words not in "".join(said), "an earlier release is not late"


def test_the_address_in_the_service_is_the_page_that_tells_what_changed(releases):
    with language.speaking("es"):
        assert (
            citation.view_link(releases[-1], "changes", {}, "") == "/changes?lang=es&release=2026.1"
        )
