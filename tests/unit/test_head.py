"""What the app's pages say to programs that run no script."""

import asyncio
from dataclasses import dataclass

import pytest
from lxml import html

from dashboard.app.head import END, LANG, PATHS, TITLE, Head, _html
from dashboard.release.reader import load_release
from tests.conftest import ROOT


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes


def get(shown, address, method="GET", **headers):
    """One request; Streamlit behind it answers `inside`."""
    path, _, query = address.partition("?")
    sent = []

    async def inside(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    listed = [
        (b"host", b"data.example"),
        *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
    ]
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": listed,
        "scheme": "http",
        "server": ("x", 80),
    }
    asyncio.run(Head(inside, lambda: shown)(scope, receive, send))
    found = {n.decode(): v.decode() for n, v in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:]))


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def test_streamlit_has_what_is_replaced():
    for part in (TITLE, LANG, END):
        assert _html().count(part) == 1


@pytest.mark.parametrize("path", PATHS)
def test_each_page_has_its_title_language_feed_and_calendar(release, path):
    titles = set()
    for code, query in (
        ("en", ""),
        ("es", "?lang=es"),
        ("en", "?lang=xx"),
        ("en", f"?lang=es&x={'x' * 5000}"),
    ):
        answer = get(release, f"{path}{query}")
        read = html.fromstring(answer.content)
        assert answer.status == 200
        assert read.get("lang") == code
        titles.add(read.findtext("head/title"))
        found = {e.get("type"): e.get("href") for e in read.findall("head/link[@rel='alternate']")}
        assert found == {
            "application/atom+xml": f"/feed-{code}.xml",
            "text/calendar": f"/next-update-{code}.ics",
        }
        assert "<script" in answer.content.decode(), "it is Streamlit's page still"
    assert len(titles) == 2


def test_a_page_that_a_browser_has_is_not_sent_again(release):
    tag = get(release, "/calls").headers["etag"]
    again = get(release, "/calls", if_none_match=tag)
    assert (again.status, again.content) == (304, b"")
    assert get(release, "/calls?lang=es", if_none_match=tag).status == 200


def test_everything_else_is_left_to_streamlit(release):
    assert get(release, "/static/index.js").content == b"inside"
    assert get(release, "/calls", method="POST").content == b"inside"


def test_without_a_release_pages_have_no_feed():
    answer = get(None, "/")
    assert answer.status == 200
    assert b"application/atom+xml" not in answer.content
