"""What readers take away: rows, pictures, evidence, citations, and how an earlier release
stands."""

import csv
import io
import json
import re
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from datetime import date
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import csvw
import duckdb
import frictionless
import openpyxl
import pandas as pd
import pytest
from PIL import Image

from dashboard.export import chart_image, citation, downloads, opendata
from dashboard.figures.figure import Figure
from dashboard.figures.theme import palette
from dashboard.page.pages_list import PAGES, path_of
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import page_of, published_figures, published_page

SITE = "https://data.example.org"
MAX_LETTERS = 52
DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


@pytest.fixture(scope="module")
def figures():
    return published_figures()


def hostile(**changes):
    """A figure whose labels try to be something else than labels."""
    label = '=HYPERLINK("http://x")<script>alert(1)</script>&"\'**x**'
    table = pd.DataFrame({label: [label, "+1", "plain"], "n": ["1", "@2", "3"]})
    return Figure("calls", label, label, table, table, (label, "../../etc/passwd"), **changes)


def test_every_figure_has_rows_words_and_a_name(figures):
    assert len(figures) > 45
    for figure in figures:
        assert len(figure.alt) >= (40 if figure.chart else 5), figure.alt
        assert len(figure.data), figure.title
        assert re.fullmatch(r"[a-z0-9._-]+", figure.slug), figure.slug
    named = {}
    for figure in figures:
        first = named.setdefault((figure.page, figure.slug), figure)
        assert first.title == figure.title and first.data.equals(figure.data), (
            "two figures of one page share a name (the story shows those of other pages again)"
        )


def test_alternative_texts_differ(figures):
    drawn = {
        (f.alt, f.title, f.table.to_csv()) for f in figures if f.chart
    }  # two pages may show the same chart
    assert len({alt for alt, _title, _rows in drawn}) == len(drawn) > 70
    lines = [f for f in figures if f.alt.startswith("Line chart")]
    assert len(lines) > 5
    assert all(len(re.findall(r"\d", f.alt)) > 3 for f in lines), (
        "a line chart's text holds its values"
    )


def test_exported_rows_equal_the_rows_shown(figures):
    """As many rows in the file as in the table, and each count that the table shows stands in the
    file's row."""
    checked = 0
    for figure in figures:
        rows = list(
            csv.DictReader(io.StringIO(downloads.csv_bytes(figure.data).decode("utf-8-sig")))
        )
        assert len(rows) == len(figure.table), figure.title
        for row, shown in zip(rows, figure.table.itertuples(index=False), strict=True):
            texts = [str(text).replace(",", "") for text in shown]
            if "value" in row and "status" in row:
                assert (
                    row["value"] in texts
                    if row["value"]
                    else row["status"] == "suppressed" and "withheld" in texts
                ), figure.title
                checked += 1
            if "n" in row and "out_of" in row:
                assert [row["n"] or "withheld", row["out_of"] or "withheld"] == texts[2:4], (
                    figure.title
                )
                checked += 1
    assert checked > 200


@pytest.mark.parametrize("code", ["en", "es"])
def test_pictures_explain_themselves(release, code):
    """Title, source, release, link and the withheld note are inside the picture, in the reader's
    language."""
    withheld = {"en": "withheld to protect people", "es": "no publicados para proteger"}[code]
    found = published_figures(code)
    assert any(f.hidden for f in found)
    for figure in found:
        svg = downloads.svg(figure, release, SITE).decode()
        root = ET.fromstring(svg)
        words = " ".join(
            "".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")
        )
        squeezed = words.replace(" ", "")
        for said in (
            figure.title,
            release.version,
            "https://data.example.org",
            release.package["contributors"][0]["title"],
            "CC0 1.0",
        ):
            assert said.replace(" ", "") in squeezed, (figure.title, said)
        assert (withheld.replace(" ", "") in squeezed) == bool(figure.hidden)
        assert "<script" not in svg
        assert float(root.get("width")) == chart_image.WIDTH


def test_every_picture_is_an_image_at_print_resolution(release, figures):
    for figure in figures[::4]:
        image = Image.open(io.BytesIO(downloads.png(figure, release, SITE)))
        image.load()
        assert image.format == "PNG"
        assert image.width == chart_image.WIDTH * chart_image.SCALE >= 2000
        assert len(image.convert("L").getcolors(100_000)) > 5, "an empty picture"


def test_withheld_cells_draw_no_mark(release):
    figure = next(
        f
        for f in page_of(release, "calls", "en", {"area": "north_hills"}).found
        if f.hidden and f.draw and "value" in f.data.columns
    )
    drawn = figure.chart(colours=chart_image.LIGHT).to_dict()
    rows = next(iter(drawn["datasets"].values()))
    hidden = [row for row in rows if row.get("status") == "suppressed"]
    assert hidden
    assert all(row["value"] is None for row in hidden)


def test_evidence_holds_all_and_checks_out(release, figures, tmp_path):
    for i, figure in enumerate([f for f in figures if f.hidden][:4] + figures[:2]):
        data = downloads.evidence(figure, release, SITE, DAY)
        assert data == downloads.evidence(figure, release, SITE, DAY), (
            "the same bytes for the same view, release and day"
        )
        folder = tmp_path / str(i)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
        (inner,) = folder.iterdir()
        names = {p.name for p in inner.iterdir()}
        assert names == {
            "data.csv",
            "data.csv-metadata.json",
            "datapackage.json",
            "README.txt",
            "chart.svg",
            "chart.png",
            "alt.txt",
            "SHA256SUMS",
        }
        subprocess.run(
            ["sha256sum", "--check", "--strict", "SHA256SUMS"],
            cwd=inner,
            check=True,
            capture_output=True,
        )
        report = frictionless.validate(str(inner / "datapackage.json"))
        assert report.valid, report.flatten(["rowNumber", "fieldNumber", "type", "message"])
        assert csvw.CSVW(str(inner / "data.csv-metadata.json")).is_valid
        readme = (inner / "README.txt").read_text()
        for said in (
            figure.title,
            f"Release {release.version}",
            "CC0 1.0",
            "WHAT IS WITHHELD",
            "HOW TO CITE",
            SITE,
            "data@example.org",
        ):
            assert said in readme, said
        assert (inner / "alt.txt").read_text() == figure.alt + "\n"


def test_a_planted_byte_in_the_evidence_is_found(release, figures, tmp_path):
    with zipfile.ZipFile(io.BytesIO(downloads.evidence(figures[0], release, SITE, DAY))) as archive:
        archive.extractall(tmp_path)
    (inner,) = tmp_path.iterdir()
    (inner / "data.csv").write_bytes((inner / "data.csv").read_bytes().replace(b"1", b"2", 1))
    assert (
        subprocess.run(
            ["sha256sum", "--check", "SHA256SUMS"], cwd=inner, capture_output=True
        ).returncode
        != 0
    )
    assert not frictionless.validate(str(inner / "datapackage.json")).valid


def test_every_file_opens_without_options(release, tmp_path):
    """pandas, DuckDB, and a spreadsheet read what the release publishes."""
    for resource in release.package["resources"]:
        if not resource["path"].endswith(".csv"):
            continue
        path = release.folder / resource["path"]
        with path.open(newline="") as handle:
            expected = sum(1 for _ in csv.reader(handle)) - 1
        fields = [f["name"] for f in resource["schema"]["fields"]]
        frame = pd.read_csv(path)
        assert (len(frame), list(frame.columns)) == (expected, fields), path
        found = duckdb.sql(f"SELECT * FROM '{path}'")
        assert (len(found), found.columns) == (expected, fields), path
        book = openpyxl.Workbook()
        for row in csv.reader(path.open(newline="")):
            book.active.append(row)
        book.save(tmp_path / "book.xlsx")
        assert openpyxl.load_workbook(tmp_path / "book.xlsx").active.max_row == expected + 1


SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"]
BEFORE = ["", " ", "   ", "\u00a0", "\u3000", "\u200b", "\ufeff", '"', "'", "“", ' " ', "\x00", "«"]
PLAIN_TEXTS = [
    "Jóvenes",
    "a=b",
    "C+",
    "x@example.org",
    "2024-01",
    "–",
    "’tis",
    '"quoted"',
    "",
    "3",
    "–5",
    "Ñandú",
    "North - South",
]


def parsers(data, tmp_path):
    """The cells of a CSV as Python's csv module, pandas and DuckDB see them."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    yield "csv", rows
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    yield "pandas", [list(frame.columns), *frame.values.tolist()]
    (tmp_path / "rows.csv").write_bytes(data)
    found = duckdb.sql(
        f"SELECT * FROM read_csv('{tmp_path / 'rows.csv'}', header = true, all_varchar = true, "
        "new_line = '\\n', quote = '\"')"
    )
    yield "duckdb", [found.columns, *[[cell or "" for cell in row] for row in found.fetchall()]]


@pytest.mark.parametrize("sign", SIGNS, ids=[f"U+{ord(sign):04X}" for sign in SIGNS])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(sign):
    for lead in BEFORE:
        for text in (f"{lead}{sign}HYPERLINK(1)", f"{lead}{sign}", f"{lead}{sign}1"):
            if re.fullmatch(r"-\d", text):
                assert downloads.harmless(text) == text, "a negative number"
            else:
                assert downloads.harmless(text) == f"'{text}", text.encode()
    assert downloads.harmless(f"a{sign}1") == f"a{sign}1"


def test_plain_texts_and_numbers_stay_as_they_are():
    for value in (*PLAIN_TEXTS, "-5", "-5.25", "-1e6", -5, -5.25, 0, None, True):
        assert downloads.harmless(value) is value
    for text in ("-5+1", "-5 ", "-", "-1-1", "--5", "-a", "+5"):
        assert downloads.harmless(text) == f"'{text}"


def test_a_spreadsheet_shows_accents_and_runs_nothing(tmp_path):
    frame = pd.DataFrame(
        {
            "etiqueta año": [*PLAIN_TEXTS, "=1+1", " =1+1", "＝1+1", '"=1+1"', "@x"],
            "n": range(-4, len(PLAIN_TEXTS) + 1),
            "=1+1": "-5",
        }
    )
    data = downloads.csv_bytes(frame)
    assert data.startswith(b"\xef\xbb\xbf")
    for name, (head, *rows) in parsers(data, tmp_path):
        assert head == ["etiqueta año", "n", "'=1+1"], name
        assert [row[0] for row in rows[: len(PLAIN_TEXTS)]] == PLAIN_TEXTS, name
        assert [int(row[1]) for row in rows] == list(frame["n"]), name
        assert {row[2] for row in rows} == {"-5"}, name
        for row in rows[len(PLAIN_TEXTS) :]:
            assert row[0].startswith("'"), (name, row)
    assert downloads.made_harmless(frame) == 6
    typed = pd.read_csv(io.BytesIO(data))
    assert typed["n"].min() == -4
    assert list(typed["'=1+1"].unique()) == [-5]
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        book.active.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row])
    assert not [
        cell.value for row in book.active.iter_rows() for cell in row if cell.data_type == "f"
    ], "openpyxl sees a formula"


def test_every_file_of_rows_is_for_spreadsheets_and_the_tables_are_not(release, figures):
    for figure in figures:
        data = downloads.csv_bytes(figure.data)
        assert data.startswith(b"\xef\xbb\xbf")
        for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
            assert not [
                cell for cell in row if cell[:1] in SIGNS and not re.fullmatch(r"-[\d.]+", cell)
            ], figure.title
    files = opendata.files(release)
    for resource in release.package["resources"]:
        assert files[resource["path"]] == (release.folder / resource["path"]).read_bytes()
        assert not files[resource["path"]].startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("code", ["en", "es"])
def test_readers_are_told_which_files_are_safe_and_which_are_exact(release, code, tmp_path):
    """Once on the page of data, and in the README of the evidence, with how many texts were changed
    in that very file."""
    body = " ".join(page_of(release, "data", code).body)
    for said in {
        "en": ("For Excel", "exact, byte for byte", "apostrophe"),
        "es": ("Para Excel", "exactos, byte por byte", "apóstrofo"),
    }[code]:
        assert body.count(said) == 1, said
    for figure, count in ((hostile(), 4), (page_of(release, "calls", code).found[0], 0)):
        data = downloads.evidence(figure, release, SITE, DAY)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (readme,) = (
                archive.read(name).decode()
                for name in archive.namelist()
                if name.endswith("README.txt")
            )
            archive.extractall(tmp_path / str(count))
        said = {
            "en": f"Such texts in this file: {count}.",
            "es": f"Textos así en este archivo: {count}.",
        }[code]
        assert said in readme
        (inner,) = (tmp_path / str(count)).iterdir()
        report = frictionless.validate(str(inner / "datapackage.json"))
        assert report.valid, report.flatten(["type", "message"])
        assert csvw.CSVW(str(inner / "data.csv-metadata.json"), validate=True).is_valid
        assert (inner / "data.csv").read_bytes() == downloads.csv_bytes(figure.data)
    language.use("en")


def test_labels_stay_labels_in_every_picture(release):
    figure = hostile()
    svg = downloads.svg(figure, release, SITE).decode()
    ET.fromstring(svg)
    assert "<script" not in svg
    assert figure.slug.count("/") == 0
    assert ".." not in downloads.file_name(*figure.file).replace("..-", "").strip(".")
    embed = citation.embed_code(figure, release, SITE)
    tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, dict(attrs)))

    Reader().feed(embed)
    assert [tag for tag, _ in tags] == ["iframe", "script"]
    assert tags[0][1]["title"] == figure.title
    assert embed.endswith(f"</iframe>{citation.FIT}"), "the same line of script for every figure"


def test_links_and_citations_say_which_release(release):
    language.use("en")
    figure = next(f for f in page_of(release, "calls", "en", {"area": "harbor"}).found if f.choices)
    link = citation.view_link(release, figure.page, figure.choices, SITE)
    assert urlsplit(link).path == "/calls"
    assert parse_qs(urlsplit(link).query) == {"area": ["harbor"], "release": ["2026.1"]}
    cited = citation.cite(figure, release, SITE, DAY)
    for text in (cited.apa, cited.chicago, cited.bibtex):
        assert "2026.1" in text
        assert link in text
        assert "December 31, 2025" in text
    assert "November 24, 2026" in cited.apa
    assert cited.bibtex.count("{") == cited.bibtex.count("}")
    language.use("es")
    assert "lang=es" in citation.view_link(release, "calls", {}, SITE)
    language.use("en")


def test_links_of_figures_lead_to_a_page(release):
    """Whatever the page's file is called, each figure's lasting link has its page's address."""
    links = {
        name: {
            urlsplit(citation.view_link(release, figure.page, {}, SITE)).path
            for figure in published_page(name).found
        }
        for name in PAGES
    }
    assert set().union(*links.values()) <= {f"/{path_of(name)}" for name in PAGES}
    for name in ("at_a_glance", "how_we_compare", "calls"):
        assert links[name] == {f"/{path_of(name)}"}


def test_metadata_name_the_columns_of_the_rows(release, figures):
    for figure in figures:
        header = downloads.csv_bytes(figure.data).decode("utf-8-sig").splitlines()[0].split(",")
        described = json.loads(downloads.as_json(downloads.csvw(figure)))["tableSchema"]["columns"]
        assert (
            [column["titles"] for column in described]
            == [field["name"] for field in downloads.schema(figure)["fields"]]
            == header
        )


@pytest.mark.parametrize("code", ["en", "es"])
def test_labels_of_charts_fit_a_phone(code):
    """A label over a mark has one line of 320 pixels; what does not fit is cut off without a
    sign."""
    long = []
    for figure in published_figures(code):
        if figure.draw:
            language.use(code)
            rows = figure.draw(colours=palette(dark=False)).to_dict().get("datasets", {}).values()
            words = {
                word
                for listed in rows
                for row in listed
                for word in str(row.get("line", "")).split("\n")
            }
            long += [(figure.page, word) for word in words if len(word) > MAX_LETTERS]
    language.use("en")
    assert not long
