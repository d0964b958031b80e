"""A payload in every text, followed to every place where it is shown or taken away. It is text
everywhere.

Once from an agency file, its inputs, code lists and boundaries through a build; once in a release
made by hand, where texts may stand that no build writes.
"""

import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from dashboard.export import brief, chart_image, citation, downloads, feeds, opendata
from dashboard.figures.figure import Figure
from dashboard.figures.theme import palette
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from dashboard.site import previews, static
from dashboard.text import language
from tests.hostile import HOST, MARK, PAYLOAD, hostile
from tests.paper import Gathering, page_of

LANGUAGES = ("en", "es")


@pytest.fixture(scope="module", params=["built", "by hand"])
def release(request, tmp_path_factory):
    if request.param == "built":
        return load_release(request.getfixturevalue("hostile_city"))
    return load_release(hostile(tmp_path_factory.mktemp("hostile") / "release"))


def test_the_payload_went_through_the_build(hostile_city):
    """From each place where an agency writes a text: its file, an input, a code list, the outlines'
    names. Other properties of the outlines stay behind."""
    release = load_release(hostile_city)
    assert all(
        MARK in text
        for text in (
            release.agency["name"]["en"],
            release.agency["contact"],
            release.package["licenses"][0]["title"],
        )
    )
    assert sum(HOST in code.label["es"] for code in release.codelists["area"].codes.values()) >= 21
    assert any("outline 3" in code.label["en"] for code in release.codelists["area"].codes.values())
    assert (
        sum(HOST in code.label["en"] for code in release.codelists["call_type"].codes.values()) == 6
    )
    inputs = (
        "staffing",
        "budget",
        "training",
        "targets",
        "program_events",
        "survey",
        "unit_costs",
        "service_hours",
        "partner_agreements",
        "crisis_line",
        "feedback",
    )
    for name in inputs:
        rows = release.reference(name)
        assert any(HOST in str(cell) for column in rows.columns for cell in rows[column]), name
    assert HOST.encode() not in release.files["areas.geojson"]


@dataclass
class Heard(Gathering):
    """What a page gives as Markdown, as the app's widgets take it: labels of buttons, filters and
    folds too."""

    markdown: list[str] = field(default_factory=list)

    def text(self, markdown):
        self.markdown.append(markdown)
        super().text(markdown)

    def caption(self, markdown):
        self.markdown.append(markdown)
        super().caption(markdown)

    def info(self, markdown):
        self.markdown.append(markdown)
        super().info(markdown)

    def addresses(self, heading, markdown, links):
        self.markdown.append(markdown)
        super().addresses(heading, markdown, links)

    def end(self, markdown):
        self.markdown.append(markdown)
        super().end(markdown)

    def fold(self, label, markdown):
        self.markdown += [label, markdown]
        super().fold(label, markdown)

    def link(self, page, words, filters):
        self.markdown.append(words)
        super().link(page, words, filters)

    def cards(self, cards, level=3):
        self.markdown += [card.link for card in cards]
        super().cards(cards, level)

    def choose(self, key, label, options, default=None):
        self.markdown.append(label)
        return super().choose(key, label, options, default)

    def slide(self, key, label, low, high, start, step):
        self.markdown.append(label)
        return super().slide(key, label, low, high, start, step)


@pytest.fixture(scope="module")
def pages(release):
    return {
        (name, code): page_of(release, name, code, kind=Heard)
        for name in PAGES
        for code in LANGUAGES
    }


def commands_in(markdown):
    """What Streamlit would make of a text beside plain words: elements of Markdown, and its own
    marks."""
    found = []

    def walk(tokens):
        for token in tokens:
            if token.type in (
                "image",
                "link_open",
                "html_inline",
                "html_block",
                "code_inline",
                "fence",
            ):
                found.append((token.type, str(token.attrs)))
            walk(token.children or ())

    walk(MarkdownIt("commonmark", {"html": True}).parse(markdown))
    plain = re.sub(r"\\.", "", markdown)  # what is escaped is text
    found += [
        (mark, mark)
        for mark in re.findall(
            r":(?:red|blue|green|orange|violet|gray|rainbow|material)[\[/]|(?<!\d)\$[^\s\d]", plain
        )
    ]
    return [
        (kind, what) for kind, what in found if HOST in what or kind not in ("link_open", "image")
    ]


def test_the_payload_is_seen_by_this_test():
    assert {kind for kind, _ in commands_in(PAYLOAD)} >= {
        "image",
        "link_open",
        "html_inline",
        ":red[",
        "code_inline",
    }


def test_texts_of_pages_are_plain(pages):
    seen, wrong = 0, {}
    for (name, _code), paper in pages.items():
        for markdown in [
            *paper.markdown,
            *(line for figure in paper.found for line in figure.notes()),
        ]:
            seen += HOST in markdown
            if re.fullmatch(r"```\n[^`]*\n```", markdown) and HOST not in markdown:
                continue  # lines of code that load a table: names and codes alone
            if found := commands_in(markdown):
                wrong[name, markdown.replace(PAYLOAD, "PAYLOAD")[:150]] = found[0]
    assert not wrong
    assert seen > 20, "the payload is in what was looked at"


class Elements(HTMLParser):
    """Elements and attributes, and the text between."""

    def __init__(self):
        super().__init__()
        self.found, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.words.append(data)


def check_html(html, where):
    parsed = Elements()
    parsed.feed(html)
    for tag, attributes in parsed.found:
        assert not [name for name in attributes if name.startswith("on")], (where, tag, attributes)
        for name in (
            "src",
            "href",
            "srcset",
            "action",
            "data",
            "formaction",
            "xlink:href",
            "poster",
            "style",
        ):
            value = attributes.get(name, "")
            assert HOST not in value or value.startswith(("mailto:", "?")), (
                where,
                tag,
                value[:200],
            )
            assert not re.match(r"\s*(javascript|data|vbscript):", value, re.I), (
                where,
                tag,
                value[:200],
            )
    return parsed


def test_pages_on_paper_hold_it_as_text(pages):
    seen = 0
    for where, paper in pages.items():
        parsed = check_html("".join(paper.body), where)
        assert not [
            tag
            for tag, _ in parsed.found
            if tag in ("script", "svg", "iframe", "object", "embed", "form")
        ], where
        seen += MARK in "".join(parsed.words)
    assert seen > 20


def test_a_page_of_the_static_edition_with_its_frame(release, tmp_path):
    """The whole file: head, title, JSON-LD; and a content policy of its own."""
    folder = static.Folder(release, [release], tmp_path, "en")
    folder.pictures = lambda figure: [("x.svg", 1, 1)]
    folder.takeaways = lambda figure: []
    language.use("en")
    for name in ("data", "calls", "staffing", "fairness", "methods"):
        html = static._frame(folder, name, f"{name}.html", static._written(folder, name, {}))
        parsed = check_html(html, name)
        scripts = [attributes for tag, attributes in parsed.found if tag == "script"]
        assert all(
            a.get("src", "").endswith(".js") or a.get("type") == "application/ld+json"
            for a in scripts
        )
        policy = next(
            a["content"]
            for tag, a in parsed.found
            if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
        )
        assert "default-src 'self'" in policy
        assert "object-src 'none'" in policy
        assert "http" not in policy
        assert html.index("Content-Security-Policy") < html.index("<title>"), (
            "before anything that it is to hold"
        )
    json_ld = re.search(
        r'application/ld\+json">(.*?)</script>',
        static._frame(folder, "data", "data.html", static._written(folder, "data", {})),
        re.S,
    )
    assert json.loads(json_ld[1])["name"] == release.package["title"]
    assert MARK in release.package["title"]


def formulas(spec, key=""):
    """All strings of a chart that Vega runs, follows or loads."""
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name == "datasets":
                for rows in value.values():
                    assert not any(set(row) & {"href", "url"} for row in rows)
                continue
            yield from formulas(value, name)
    elif isinstance(spec, list):
        for value in spec:
            yield from formulas(value, key)
    elif isinstance(spec, str) and key in (
        "expr",
        "signal",
        "test",
        "calculate",
        "filter",
        "labelExpr",
        "href",
        "url",
        "init",
        "update",
    ):
        yield spec


def test_no_formula_or_link_of_a_chart_holds_it(pages):
    seen = 0
    for where, paper in pages.items():
        for figure in paper.found:
            if figure.draw is None or figure.map:
                continue
            spec = figure.draw(colours=palette(dark=False)).to_dict(validate=False)
            seen += HOST in json.dumps(spec)
            for formula in formulas(spec):
                assert HOST not in formula, (where, figure.slug, formula[:200])
    assert seen > 20


def some(pages, most):
    """A figure of each kind of page, the ones that hold the payload first."""
    found = [
        paper.found[0] for (name, code), paper in pages.items() if code == "en" and paper.found
    ]
    return [f for f in found if isinstance(f, Figure)][:most]


def test_pictures_hold_it_as_text(pages, release):
    for figure in [f for f in some(pages, 12) if f.chart is not None][:6]:
        for svg in (
            chart_image.chart_svg(figure, 640),
            downloads.svg(figure, release, "https://data.example").decode(),
        ):
            root = ElementTree.fromstring(svg)
            for element in root.iter():
                tag = element.tag.rpartition("}")[2]
                assert tag not in ("script", "image", "foreignObject", "iframe", "a", "use"), (
                    figure.slug,
                    tag,
                )
                assert not [a for a in element.attrib if a.rpartition("}")[2].startswith("on")]
                assert not [
                    v
                    for a, v in element.attrib.items()
                    if a.rpartition("}")[2] == "href" and not v.startswith("#")
                ]


def test_the_brief_holds_it_as_text(release):
    import pypdf

    for code in LANGUAGES:
        language.use(code)
        area, year = next(iter(brief.districts(release))), next(iter(brief.years(release)))
        check_html(brief.html_of(release, area, year).decode(), "brief")
        made = brief.pdf_of(release, area, year)
        read = pypdf.PdfReader(io.BytesIO(made))
        words = "".join(page.extract_text() for page in read.pages)
        assert "alert(1)" in words or HOST in words
        for page in read.pages:
            for annotation in page.get("/Annots") or ():
                target = annotation.get_object().get("/A", {})
                assert target.get("/S") in (None, "/URI", "/GoTo")
                assert HOST not in str(target.get("/URI", ""))
        assert b"/JavaScript" not in made
        assert b"/Launch" not in made


def cells(data):
    return [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]


def test_tables_to_read_are_guarded_and_data_are_faithful(pages, release):
    """The CSV beside a figure opens in a spreadsheet: no cell is a formula. The files of the
    release are its bytes, for programs."""
    seen = 0
    for paper in pages.values():
        for figure in paper.found:
            found = cells(downloads.csv_bytes(figure.data))
            seen += any(HOST in cell for cell in found)
            assert not [
                c
                for c in found
                if c and (c[0] in "=+@\t\r" or (c[0] == "-" and not re.fullmatch(r"-[\d.,]+", c)))
            ]
    assert seen > 5
    for name, data in opendata.files(release).items():
        if name in release.files:
            assert data == release.files[name], name


def test_names_in_a_zip_stay_in_their_folder(release):
    with zipfile.ZipFile(io.BytesIO(opendata.zip_of(release))) as opened:
        for name in opened.namelist():
            assert re.fullmatch(r"release-[\d.]+/[A-Za-z0-9_./-]+", name)
            assert ".." not in name


def test_catalog_and_descriptions_are_json(release):
    for data in (opendata.dcat([release], ""), opendata.json_ld(release, "")):
        assert json.loads(data)
    for name, data in opendata.files(release).items():
        if name.endswith(".json"):
            json.loads(data)


@pytest.mark.parametrize("code", LANGUAGES)
def test_feed_calendar_and_previews_hold_it_as_text(release, code):
    """What programs read of the site: Atom, iCalendar, the head of a page, oEmbed, and the drawing
    of a preview."""
    files = feeds.files([release], lambda _code: lambda _release, page: f"{page}.html", "")
    feed = ElementTree.fromstring(files[f"feed-{code}.xml"])
    assert {element.tag.partition("}")[0] for element in feed.iter()} == {
        "{http://www.w3.org/2005/Atom"
    }
    assert MARK in "".join(feed.itertext())
    assert not [
        value
        for element in feed.iter()
        for value in element.attrib.values()
        if value.startswith(("javascript:", f"http://{HOST}"))
    ]
    if calendar := files.get(f"next-update-{code}.ics"):
        lines = calendar.decode().replace("\r\n ", "").split("\r\n")
        assert all(re.match(r"[A-Z-]+[:;]", line) for line in lines[:-1]), (
            "a text has made a line of its own"
        )
    with language.speaking(code):
        own, figures = previews.of_page(release, "calls", code)
        for preview in (own, *figures.values()):
            said = check_html(
                feeds.head(release, "/") + previews.tags(release, preview, "calls", "x.png"), "head"
            )
            assert {tag for tag, _attributes in said.found} == {"link", "meta"}
            assert any(
                MARK in value for _tag, attributes in said.found for value in attributes.values()
            )
            drawing = ElementTree.fromstring(previews._svg(release, preview))
            assert not {element.tag.rpartition("}")[2] for element in drawing.iter()} & {
                "script",
                "foreignObject",
                "image",
                "a",
            }
            assert not [
                name
                for element in drawing.iter()
                for name in element.attrib
                if name.startswith("on")
            ]
        told = json.loads(
            previews.oembed(release, next(iter(figures.values())), "https://data.example", "x.png")
        )
        frame = check_html(told["html"], "oembed")
        assert [tag for tag, _attributes in frame.found] == ["iframe", "script"]
        assert told["html"].endswith(f"</iframe>{citation.FIT}"), "no label is in the script"
