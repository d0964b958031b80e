"""What readers take away: rows, pictures, evidence, citations, and how an earlier release stands."""

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

from dashboard import citation, exports, language, picture
from dashboard.figure import Figure
from dashboard.release import load_release
from dashboard.theme import palette
from tests.conftest import ROOT
from tests.paper import figures_of, page_of

SITE = "https://data.example.org"
MOST_LETTERS = 52
DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


@pytest.fixture(scope="module")
def figures(release):
    return figures_of(release)


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
    assert len({(f.page, f.slug) for f in figures}) == len(figures), "two figures of one page share a name"


def test_alternative_texts_differ(figures):
    drawn = {(f.alt, f.title, f.table.to_csv()) for f in figures if f.chart}  # two pages may show the same chart
    assert len({alt for alt, _title, _rows in drawn}) == len(drawn) > 70
    lines = [f for f in figures if f.alt.startswith("Line chart")]
    assert len(lines) > 5
    assert all(len(re.findall(r"\d", f.alt)) > 3 for f in lines), "a line chart's text holds its values"


def test_exported_rows_equal_the_rows_shown(figures):
    """As many rows in the file as in the table, and each count that the table shows stands in the file's row."""
    checked = 0
    for figure in figures:
        rows = list(csv.DictReader(io.StringIO(exports.csv_bytes(figure.data).decode())))
        assert len(rows) == len(figure.table), figure.title
        for row, shown in zip(rows, figure.table.itertuples(index=False), strict=True):
            texts = [str(text).replace(",", "") for text in shown]
            if "value" in row and "status" in row:
                assert row["value"] in texts if row["value"] else row["status"] == "suppressed" and "withheld" in texts, figure.title
                checked += 1
            if "n" in row and "out_of" in row:
                assert [row["n"] or "withheld", row["out_of"] or "withheld"] == texts[2:4], figure.title
                checked += 1
    assert checked > 200


@pytest.mark.parametrize("code", ["en", "es"])
def test_pictures_explain_themselves(release, code):
    """Title, source, release, link and the withheld note are inside the picture, in the reader's language."""
    withheld = {"en": "withheld to protect people", "es": "reservados para proteger"}[code]
    found = figures_of(release, code)
    assert any(f.hidden for f in found)
    for figure in found:
        svg = exports.svg(figure, release, SITE).decode()
        root = ET.fromstring(svg)
        words = " ".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))
        squeezed = words.replace(" ", "")
        for said in (figure.title, release.version, "https://data.example.org", release.package["contributors"][0]["title"], "CC0 1.0"):
            assert said.replace(" ", "") in squeezed, (figure.title, said)
        assert (withheld.replace(" ", "") in squeezed) == bool(figure.hidden)
        assert "<script" not in svg
        assert float(root.get("width")) == picture.WIDTH


def test_every_picture_is_an_image_at_print_resolution(release, figures):
    for figure in figures[::4]:
        image = Image.open(io.BytesIO(exports.png(figure, release, SITE)))
        image.load()
        assert image.format == "PNG"
        assert image.width == picture.WIDTH * picture.SCALE >= 2000
        assert len(image.convert("L").getcolors(100_000)) > 5, "an empty picture"


def test_withheld_cells_draw_no_mark(release):
    figure = next(
        f for f in page_of(release, "calls", "en", {"area": "north_hills"}).found if f.hidden and f.draw and "value" in f.data.columns
    )
    drawn = figure.chart(colours=picture.LIGHT).to_dict()
    rows = next(iter(drawn["datasets"].values()))
    hidden = [row for row in rows if row.get("status") == "suppressed"]
    assert hidden
    assert all(row["value"] is None for row in hidden)


def test_evidence_holds_all_and_checks_out(release, figures, tmp_path):
    for i, figure in enumerate([f for f in figures if f.hidden][:4] + figures[:2]):
        data = exports.evidence(figure, release, SITE, DAY)
        assert data == exports.evidence(figure, release, SITE, DAY), "the same bytes for the same view, release and day"
        folder = tmp_path / str(i)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
        (inner,) = folder.iterdir()
        names = {p.name for p in inner.iterdir()}
        assert names == {"data.csv", "data.csv-metadata.json", "datapackage.json", "README.txt", "chart.svg", "chart.png", "alt.txt", "SHA256SUMS"}  # fmt: skip
        subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=inner, check=True, capture_output=True)
        report = frictionless.validate(str(inner / "datapackage.json"))
        assert report.valid, report.flatten(["rowNumber", "fieldNumber", "type", "message"])
        assert csvw.CSVW(str(inner / "data.csv-metadata.json")).is_valid
        readme = (inner / "README.txt").read_text()
        for said in (figure.title, f"Release {release.version}", "CC0 1.0", "WHAT IS WITHHELD", "HOW TO CITE", SITE, "data@example.org"):
            assert said in readme, said
        assert (inner / "alt.txt").read_text() == figure.alt + "\n"


def test_a_planted_byte_in_the_evidence_is_found(release, figures, tmp_path):
    with zipfile.ZipFile(io.BytesIO(exports.evidence(figures[0], release, SITE, DAY))) as archive:
        archive.extractall(tmp_path)
    (inner,) = tmp_path.iterdir()
    (inner / "data.csv").write_bytes((inner / "data.csv").read_bytes().replace(b"1", b"2", 1))
    assert subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=inner, capture_output=True).returncode != 0
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


def test_cells_that_a_spreadsheet_would_run_are_harmless():
    text = exports.csv_bytes(hostile().data).decode()
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), cell


def test_labels_stay_labels_in_every_picture(release):
    figure = hostile()
    svg = exports.svg(figure, release, SITE).decode()
    ET.fromstring(svg)
    assert "<script" not in svg
    assert figure.slug.count("/") == 0
    assert ".." not in exports.file_name(*figure.file).replace("..-", "").strip(".")
    embed = citation.embed_code(figure, release, SITE)
    tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, dict(attrs)))

    Reader().feed(embed)
    assert [tag for tag, _ in tags] == ["iframe"]
    assert tags[0][1]["title"] == figure.title


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


def test_metadata_name_the_columns_of_the_rows(release, figures):
    for figure in figures:
        header = exports.csv_bytes(figure.data).decode().splitlines()[0].split(",")
        described = json.loads(exports.as_json(exports.csvw(figure)))["tableSchema"]["columns"]
        assert [column["titles"] for column in described] == [field["name"] for field in exports.schema(figure)["fields"]] == header


@pytest.mark.parametrize("code", ["en", "es"])
def test_labels_of_charts_fit_a_phone(release, code):
    """A label over a mark has one line of 320 pixels; what does not fit is cut off without a sign."""
    long = []
    for figure in figures_of(release, code):
        if figure.draw:
            language.use(code)
            rows = figure.draw(colours=palette(dark=False)).to_dict().get("datasets", {}).values()
            words = {word for listed in rows for row in listed for word in str(row.get("line", "")).split("\n")}
            long += [(figure.page, word) for word in words if len(word) > MOST_LETTERS]
    language.use("en")
    assert not long
