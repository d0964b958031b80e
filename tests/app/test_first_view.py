"""The beginning of a page that its address answers, before the app is there."""

import asyncio
import gzip
from dataclasses import dataclass
from html import escape

import pytest
from lxml import html

from dashboard.app import compressed, first_view
from dashboard.app.compressed import Compressed
from dashboard.app.head import PATHS, Head
from dashboard.page.pages_list import PAGES, path_of
from dashboard.page.reported import shown_pages
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.hostile import HOST
from tests.paper import published_page

MAX_BYTES = 60_000
"""Compressed: 0.3 seconds on a slow phone's line of 1.6 Mbit/s."""


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def beginning(release, page, code="en", query=None, phone=True):
    with language.speaking(code):
        text = first_view.html(release, page, {"lang": code} | (query or {}), phone=phone)
    return html.fragment_fromstring(text, create_parent="body")


def words(element):
    return " ".join(element.text_content().split())


@pytest.mark.parametrize("code", language.LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_it_says_what_the_page_says(release, page, code):
    with language.speaking(code):
        lead = published_page(page, code).told
    read = beginning(release, page, code)
    (section,) = read.find_class("lead")
    assert words(section.find("h1")) == language.unmarked(lead.question)
    for part in (lead.headline.sentence, lead.headline.number, lead.headline.base, lead.when):
        assert " ".join(language.unmarked(part).split()) in words(section)
    for link in read.xpath("//nav//a | //header/div/a | //main//*[@class='first-cards']//a"):
        path, _, asked = link.get("href").removeprefix(".").partition("?")
        assert path in PATHS
        assert asked == (f"lang={link.get('hreflang') or code}".replace("lang=en", ""))
    menu = {a.get("href").removeprefix("./").partition("?")[0] for a in read.xpath("//nav//a")}
    assert menu == {path_of(name) for name in shown_pages(release)}


@pytest.mark.parametrize("phone", [True, False])
@pytest.mark.parametrize("page", PAGES)
def test_its_picture_is_the_first_figure_of_the_page(release, page, phone):
    read = beginning(release, page, phone=phone)
    listed = published_page(page).figures
    pictures = read.xpath("//img")
    assert len(pictures) <= 1
    for picture in pictures:
        assert words(read.xpath("//img/preceding::h2[1]")[0]) == listed[0][1]
        assert picture.get("src").startswith("data:image/svg+xml,")
        assert len(picture.get("alt")) > 30
        assert abs(int(picture.get("width")) - (350 if phone else 1100)) < 40 or page in (
            "at_a_glance",
            "coverage",
            "neighborhood",
        )


def test_most_pages_begin_with_a_picture(release):
    pictured = [page for page in PAGES if beginning(release, page).xpath("//img")]
    assert {"at_a_glance", "coverage", "calls", "times", "safety", "outcomes"} <= set(pictured)


@pytest.mark.parametrize("page", PAGES)
def test_it_is_small(release, page):
    with language.speaking("es"):
        text = first_view.html(release, page, {"lang": "es"}, phone=True)
    assert len(gzip.compress(text.encode())) < MAX_BYTES


def test_an_address_with_a_choice_gets_no_figure_of_another(release):
    read = beginning(release, "coverage", query={"year": "2024"})
    assert read.xpath("//h1")
    assert not read.xpath("//img")
    assert not any(map(read.find_class, ("number", "answer", "first-filters")))


@pytest.mark.parametrize("asked", [{"figure": "x", "embed": "true"}, {"release": "2025.1"}])
def test_a_frame_and_an_earlier_release_have_none(release, asked):
    with language.speaking("en"):
        assert first_view.html(release, "calls", asked, phone=True) == ""


def served(shown, begin):
    """The answer of `Head` to a phone that asks for the first page."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "path": "/",
        "method": "GET",
        "query_string": b"",
        "headers": [(b"host", b"data.example"), (b"user-agent", b"Mobile")],
        "scheme": "http",
        "server": ("x", 80),
    }
    asyncio.run(Head(None, lambda: shown, begin=begin)(scope, None, send))
    return sent[0], b"".join(m.get("body", b"") for m in sent[1:]).decode()


def test_it_stands_before_the_app_and_waits_for_no_style(release):
    start, text = served(release, begin=True)
    first, style, root = (
        text.index(part) for part in ('id="first-view"', '<link rel="stylesheet', 'id="root"')
    )
    assert first < style < root
    assert (b"vary", b"user-agent") in start["headers"]
    assert "agent/openapi" not in text[text.index("<body") :]
    assert 'id="first-view"' not in served(release, begin=False)[1]


def test_a_page_that_fails_has_none_and_is_answered(release, monkeypatch):
    def fails(*_arguments, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(first_view, "_html", fails)
    monkeypatch.setattr(first_view, "_kept", {})
    start, text = served(release, begin=True)
    assert start["status"] == 200
    assert 'id="first-view"' not in text
    assert 'id="root"' in text


# Compression.

TEXT = "Numbers of the program. " * 200


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self):
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.content) if packed else self.content).decode()


@pytest.fixture
def client(monkeypatch):
    """Asks an app that answers `TEXT` in two pieces; `made` counts what was compressed."""
    made, compress = [], gzip.compress
    monkeypatch.setattr(
        compressed.gzip, "compress", lambda *a, **k: (made.append(1), compress(*a, **k))[1]
    )
    monkeypatch.setattr(compressed, "_kept", type(compressed._kept)())

    async def app(scope, _receive, send):
        asked = dict(pair.split("=") for pair in scope["query_string"].decode().split("&") if pair)
        body = TEXT[: int(asked.get("size", len(TEXT)))].encode()
        headers = [(b"etag", b'"one"'), (b"content-length", str(len(body)).encode())]
        headers.append((b"content-type", f"{asked.get('kind', 'text/html')}; charset=x".encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body[:300], "more_body": True})
        await send({"type": "http.response.body", "body": body[300:]})

    def get(address, **headers):
        path, _, query = address.partition("?")
        sent = []

        async def send(message):
            sent.append(message)

        given = {"accept-encoding": "gzip, br"} | headers
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()],
        }
        asyncio.run(Compressed(app)(scope, None, send))
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(m.get("body", b"") for m in sent[1:])
        assert int(found["content-length"]) == len(body)
        return Answer(sent[0]["status"], found, body)

    get.made = made
    return get


def test_texts_are_compressed_and_read_the_same(client):
    answer = client("/")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(TEXT) / 10
    assert answer.headers["etag"] == 'W/"one"'
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert answer.text == TEXT


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("/?kind=image/png", {}),
        ("/?kind=application/vnd.apache.parquet", {}),
        ("/?size=500", {}),
        ("/", {"accept-encoding": "identity"}),
        ("/", {"range": "bytes=0-9"}),
    ],
)
def test_what_does_not_shrink_or_is_a_part_stays(client, address, headers):
    answer = client(address, **headers)
    assert "content-encoding" not in answer.headers
    assert answer.headers["etag"] == '"one"'
    assert TEXT.startswith(answer.text)


def test_files_of_the_framework_are_compressed_once(client):
    for _ in range(3):
        assert client("/static/js/index.AbC_1234.js?kind=text/javascript").text == TEXT
    assert len(client.made) == 1


def test_a_label_is_text(hostile_city):
    hostile = load_release(hostile_city)
    for page in PAGES:
        with language.speaking("es"):
            text = first_view.html(hostile, page, {"lang": "es"}, phone=True)
        read = html.fragment_fromstring(text, create_parent="body")
        assert len(read.xpath("//script")) == 1
        assert not read.xpath("//@*[starts-with(name(), 'on')]")
        addresses = read.xpath("//@href | //@src[not(starts-with(., 'data:image'))]")
        assert not [one for one in addresses if HOST in one]
        assert escape(HOST) in text or page not in ("at_a_glance", "calls")


def test_a_late_update_is_said_from_its_day_on(release, monkeypatch):
    before = first_view.html(release, "calls", {}, phone=True)
    monkeypatch.setattr(first_view, "ribbon_lines", lambda _found: ["It is late."])
    assert "It is late." not in before
    assert "It is late." in first_view.html(release, "calls", {}, phone=True)


def test_a_map_names_who_made_its_ground(release):
    assert words(beginning(release, "coverage")).count("Example City (fictional)") == 1
