"""What links show of themselves, read from the served HTML and from a page of the static edition,
and how figures tell others to frame them."""

import asyncio
import json
import re
import struct
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import html
from starlette.requests import Request

from dashboard.app import service
from dashboard.app.head import asked_of, written
from dashboard.export import citation
from dashboard.page.pages_list import PAGES, path_of
from dashboard.release.current import newest
from dashboard.release.reader import load_release
from dashboard.site import previews, static
from dashboard.text.language import LANGUAGES
from tests.app.test_static_page import put
from tests.conftest import ROOT
from tests.paper import page_of

SITE = "https://co-response.example.org"
FIGURE = ("calls", "calls-month")


@pytest.fixture(scope="module")
def release():
    return newest()  # the committed one: `RELEASE_DIR` is `data_public` where nothing else is said


def head_of(release, page, query=""):
    asked = asked_of(query)
    read = html.fromstring(written(page, asked["lang"], release, asked))
    return read, {
        e.get("property"): e.get("content") for e in read.iter("meta") if e.get("property")
    }


def get(route, path, query="", **path_params):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "path_params": path_params,
    }
    return route(Request(scope))


def picture(address):
    """The picture at an address of the site: (width, height, bytes)."""
    version, code, name = re.fullmatch(
        rf"{SITE}/preview/([\d.]+)/(\w+)/(.+)\.png", address
    ).groups()
    answer = get(service.preview, urlsplit(address).path, version=version, code=code, name=name)
    assert answer.status_code == 200, address
    assert answer.headers["content-type"] == "image/png"
    assert answer.body[:8] == b"\x89PNG\r\n\x1a\n"
    return *struct.unpack(">II", answer.body[16:24]), answer.body


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_each_page_shows_title_sentence_and_picture(release, code):
    seen, pictures = set(), set()
    for page in PAGES:
        read, og = head_of(release, page, f"lang={code}")
        assert og["og:title"]
        assert og["og:description"] == read.xpath("//meta[@name='description']/@content")[0]
        assert 10 < len(og["og:description"]) <= previews.SENTENCE
        assert og["og:url"].startswith(f"{SITE}/{path_of(page)}?")
        assert f"release={release.version}" in og["og:url"]
        assert (og["og:image:width"], og["og:image:height"], og["og:locale"]) == (
            "1200",
            "630",
            code,
        )
        width, height, data = picture(og["og:image"])
        assert (width, height) == (1200, 630)
        seen.add(og["og:title"])
        pictures.add(data)
    assert len(seen) == len(pictures) == len(PAGES)


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_each_figure_of_a_page_and_each_claim_has_its_own(release, code):
    _own, figures = previews.of_page(release, "calls", code)
    assert len(figures) > 4
    for figure, found in figures.items():
        _read, og = head_of(release, "calls", f"lang={code}&figure={figure}")
        assert og["og:title"] == found.title
        assert og["og:image:alt"] == found.figure.alt
        assert parse_qs(urlsplit(og["og:url"]).query)["figure"] == [figure]
        assert picture(og["og:image"])[:2] == (1200, 630)
    claims = previews.of_claims(release, code)
    assert len(claims) > 15
    for claim, found in claims.items():
        _read, og = head_of(release, "claims", f"lang={code}&claim={claim}")
        assert (og["og:title"], og["og:description"]) == (found.title, found.sentence)
        assert og["og:image"].endswith(f"/preview/{release.version}/{code}/claim-{claim}.png")
    assert picture(og["og:image"])[:2] == (1200, 630)


def test_all_figures_of_all_pages_are_named_once(release):
    names = [
        found.name for page in PAGES for found in previews.of_page(release, page, "en")[1].values()
    ]
    assert len(names) == len(set(names)) > 60


def test_what_is_not_there_shows_the_page(release):
    plain = head_of(release, "claims")[1]
    for query in ("figure=none", "claim=none", "figure=../../etc/passwd"):
        assert head_of(release, "claims", query)[1] == plain
    for name in ("page-none", "figure-calls-none", "claim-none", "..", "release-x"):
        assert (
            get(service.preview, "/", version=release.version, code="en", name=name).status_code
            == 404
        )
    assert (
        get(service.preview, "/", version="2025.1", code="en", name="page-calls").status_code == 404
    )
    assert (
        get(service.preview, "/", version=release.version, code="xx", name="page-calls").status_code
        == 404
    )


def test_a_page_of_an_earlier_release_says_so(release):
    _read, og = head_of(release, "calls", "release=2025.1&lang=es")
    assert og["og:url"] == f"{SITE}/calls?lang=es&release=2025.1"
    assert "2025.1" in og["og:description"]
    assert picture(og["og:image"])[:2] == (1200, 630)


def test_words_from_an_address_never_become_markup(release):
    text = written(
        "calls",
        "en",
        release,
        asked_of("figure=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&area=%22%3E%3Cb%3E"),
    )
    assert "alert(1)" not in text


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_a_figure_tells_how_to_frame_it(release, code):
    page, figure = FIGURE
    read, og = head_of(release, page, f"lang={code}&figure={figure}")
    (address,) = read.xpath("//link[@type='application/json+oembed']/@href")
    assert address.startswith(f"{SITE}/oembed?")
    answer = get(service.oembed, "/oembed", urlsplit(address).query)
    assert answer.headers["content-type"] == "application/json"
    told = json.loads(answer.body)
    assert (told["version"], told["type"]) == ("1.0", "rich"), "oEmbed 1.0, section 2.3.4"
    assert isinstance(told["width"], int)
    assert isinstance(told["height"], int)
    assert told["title"] == og["og:title"]
    assert told["thumbnail_url"] == og["og:image"]
    frame = urlsplit(unescape(re.search(r'src="([^"]+)"', told["html"])[1]))
    asked = parse_qs(frame.query)
    assert (frame.path, asked["figure"], asked["embed"], asked["release"]) == (
        f"/{page}",
        [figure],
        ["true"],
        [release.version],
    )
    assert asked.get("lang", ["en"]) == [code]


def test_a_frame_is_as_small_as_asked_and_keeps_the_filters(release):
    url = f"{SITE}/calls?area=harbor&figure={FIGURE[1]}"
    told = json.loads(
        get(
            service.oembed,
            "/oembed",
            urlencode({"url": url, "maxwidth": "400", "maxheight": "9999"}),
        ).body
    )
    assert (told["width"], told["height"]) == (400, 640)
    assert "max-width:400px" in told["html"]
    assert "area=harbor" in told["html"]
    assert told["html"].endswith(citation.FIT), "it grows to its figure's height"


def test_a_frame_grows_no_higher_than_asked(release):
    """oEmbed 1.0, section 2.2: not above `maxheight`."""
    asked = {"url": f"{SITE}/calls?figure={FIGURE[1]}", "maxheight": "300"}
    told = json.loads(get(service.oembed, "/oembed", urlencode(asked)).body)
    assert told["height"] == 300
    assert "height:300px" in told["html"]
    assert told["html"].endswith(citation.FIT.replace("(h,4000)", "(h,300)"))
    assert "4000" not in told["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"url": f"{SITE}/calls?figure=calls-month", "format": "xml"}, 501),
        ({"url": f"{SITE}/calls"}, 404),
        ({}, 404),
        ({"url": "https://evil.example/calls?figure=calls-month"}, 404),
        ({"url": f"{SITE}/none?figure=calls-month"}, 404),
        ({"url": f"{SITE}/calls?figure=calls-month", "maxwidth": "x"}, 404),
        ({"url": f"{SITE}/calls?figure=calls-month", "maxwidth": "-1"}, 404),
        ({"url": f"{SITE}/calls?figure=calls-month&release=2025.1"}, 404),
        ({"url": "http://[x"}, 404),
    ],
)
def test_other_addresses_have_no_frame(release, query, status):
    assert get(service.oembed, "/oembed", urlencode(query)).status_code == status


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_pages_of_the_static_edition_show_the_same(release, code, tmp_path):
    releases = [load_release(ROOT / "data_public/history/2025.1"), release]
    for name in ("calls", "claims"):
        page = put(releases, -1, name, code, tmp_path)
        read = html.parse(str(page)).getroot()
        og = {e.get("property"): e.get("content") for e in read.iter("meta") if e.get("property")}
        live = head_of(release, name, f"lang={code}")[1]
        for part in ("og:title", "og:description", "og:image:alt", "og:locale"):
            assert og[part] == live[part]
        assert og["og:url"] == f"{SITE}/releases/{release.version}/{code}/{name}.html"
        image = og["og:image"].removeprefix(f"{SITE}/")
        assert (tmp_path / image).read_bytes() == picture(live["og:image"])[2]
    assert asyncio.iscoroutinefunction(service.preview) is False, (
        "drawn in a thread, while visitors go on"
    )


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_each_figure_of_the_static_edition_has_a_page_that_shows_itself(release, code, tmp_path):
    """Title, sentence, picture, the one address to post, the figure whole, and the way to its page;
    linked from under the figure."""
    releases = [load_release(ROOT / "data_public/history/2025.1"), release]
    page = put(releases, -1, "calls", code, tmp_path)
    whole = html.parse(str(page)).getroot()
    figures = previews.of_page(release, "calls", code)[1]
    sections = whole.xpath("//section[@class='figure']")
    assert [s.get("id") for s in sections] == list(reversed(figures))
    for section in sections:
        slug, found = section.get("id"), figures[section.get("id")]
        (link,) = section.xpath(".//p[@class='files']/a[not(@download)]/@href")
        alone = (page.parent / link).resolve()
        assert alone == page.parent / f"figure--calls-{slug}.html"
        read = html.parse(str(alone)).getroot()
        og = {e.get("property"): e.get("content") for e in read.iter("meta") if e.get("property")}
        lasts = f"{SITE}/releases/{release.version}/{code}/{alone.name}"
        assert read.xpath("//link[@rel='canonical']/@href") == [og["og:url"]] == [lasts]
        assert (og["og:title"], og["og:description"]) == (found.title, found.sentence)
        assert read.xpath("//h1/text()") == [found.title]
        image = tmp_path / og["og:image"].removeprefix(f"{SITE}/")
        data = image.read_bytes()
        assert data == previews.picture_of(release, found.name, code)
        assert struct.unpack(">II", data[16:24]) == (1200, 630)
        assert len(data) < 60_000
        (shown,) = read.xpath("//section[@class='figure']")
        assert cells(shown) == cells(section)
        assert shown.xpath(".//img/@src") == section.xpath(".//img/@src")
        for address in read.xpath("//section[@class='figure']//@href | //img/@src"):
            assert (alone.parent / address).resolve().is_file()
        back = [a for a in read.iter("a") if (a.get("href") or "").endswith(f"#{slug}")]
        assert [a.get("href") for a in back] == [f"../{code}/calls.html#{slug}"]
        other = next(c for c in LANGUAGES if c != code)
        assert f"../{other}/{alone.name}" in read.xpath("//p[@class='languages']/a/@href")
        assert not read.xpath("//*[@aria-current='page']"), "it is no page of the menu"


def cells(section):
    return [cell.text_content() for cell in section.iter("th", "td")]


def test_a_figure_of_another_release_says_which(release, tmp_path):
    releases = [load_release(ROOT / "data_public/history/2025.1"), release]
    page = put(releases, 0, "calls", "en", tmp_path)
    read = html.parse(str(page.parent / "figure--calls-calls-month.html")).getroot()
    og = {e.get("property"): e.get("content") for e in read.iter("meta") if e.get("property")}
    assert "2025.1" in og["og:description"]
    assert og["og:image"].endswith("/preview-release.png")


def test_figures_have_the_same_address_in_every_language(release):
    for page in PAGES:
        first, *others = (set(previews.of_page(release, page, code)[1]) for code in LANGUAGES)
        assert all(first == other for other in others), page


def test_the_page_of_one_figure_says_which_days_are_missing_from_it(release, tmp_path):
    folder = static.Folder(release, [release], tmp_path, "en")
    paper = page_of(release, "calls")
    figure, inside = paper.drawn[FIGURE[1]]
    for missing in ("", "Days **are** missing."):
        alone = static._alone(folder, paper, replace(figure, missing=missing), inside)
        said = "".join(html.fromstring(f"<div>{''.join(alone.body)}</div>").itertext())
        assert ("Days are missing." in said) == bool(missing)
