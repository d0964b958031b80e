"""The examples in `docs/how-to/` work as they are printed."""

import csv
import random
import re
import runpy
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from anonymize.cli import main
from dashboard.export import citation
from dashboard.export.html_surface import Paper
from dashboard.numbers import measures
from dashboard.numbers.measures import Measure
from dashboard.numbers.queries import Counts
from dashboard.page import page as page_module
from dashboard.page import pages_list
from dashboard.page.surface import write_on
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import Nowhere, page_of

HOW_TO = ROOT / "docs/how-to"


def blocks(page, kind):
    """The examples of one kind on a page, without the indentation that they have inside a list."""
    text = (HOW_TO / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(rf"(?m)^{indent}", "", block) for indent, block in found]


def write_calls(path, header, calls=3000):
    """Calls through the whole year in the form of the export that the page shows."""
    chance, start = random.Random(1), datetime(2025, 1, 1)
    choices = {
        "NATURE": ["MH CRISIS", "SUICIDAL SUBJ", "WELFARE CK"],
        "UNITS": ["CRT", "PATROL", ""],
        "DISTRICT": ["North", "South", "East"],
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(header)
        for n in range(calls):
            moment = start + timedelta(days=365) * n / calls
            rows.writerow(
                [
                    f"25-{n:05d}",
                    f"{moment:%Y-%m-%d %H:%M}",
                    *(chance.choice(choices[name]) for name in header[2:]),
                ]
            )


def test_the_city_is_checked_built_published_and_read(tmp_path, capsys):
    (example,), (agency,) = blocks("add-a-city.md", "csv"), blocks("add-a-city.md", "toml")
    write_calls(tmp_path / "cad_2025.csv", example.splitlines()[0].split(","))
    file, out, private = tmp_path / "agency.toml", tmp_path / "release", tmp_path / "private"
    file.write_text(agency, encoding="utf-8")
    common = [str(file), "--private", str(private), "--quiet"]
    assert main(["check", *common]) == 0, capsys.readouterr().err
    assert main(["build", *common, "--out", str(out)]) == 0, capsys.readouterr().err
    code = re.search(r"--code (\w+)", capsys.readouterr().out)[1]
    assert (
        main(["publish", *common, "--out", str(out), "--role", "Privacy officer", "--code", code])
        == 0
    )
    assert load_release(out).agency["name"]["es"] == "Respuesta a crisis de Springfield"


def written(script, name, tmp_path, code="en"):
    """What a page script writes for the example city."""
    path = tmp_path / f"{name}.py"
    path.write_text(script, encoding="utf-8")
    release = load_release(ROOT / "data_public")
    paper = Paper(release, Nowhere(release), name, {})
    language.use(code)
    write_on(paper)
    try:
        runpy.run_path(str(path))
    finally:
        write_on(None)
        language.use("en")
    return "".join(paper.body)


@pytest.fixture
def listed(monkeypatch):
    """The page of the example in the list of pages."""
    there, to_do = pages_list.groups(), pages_list.to_do
    next(g for g in there.values() if "staffing" in g)["languages_spoken"] = "Languages"
    monkeypatch.setattr(pages_list, "groups", lambda: there)
    for module in (pages_list, page_module):
        if hasattr(module, "to_do"):
            monkeypatch.setattr(
                module,
                "to_do",
                lambda page, **of: "Ask." if page == "languages_spoken" else to_do(page, **of),
            )


def test_the_page_is_written(tmp_path, listed):
    (script,) = blocks("add-a-page.md", "python")
    body = written(script, "languages_spoken", tmp_path)
    assert "calls were in English" in body
    assert "Calls by language" in body


@pytest.fixture
def example_measure(monkeypatch):
    """The measure of the example in the list of measures; nothing else is touched."""
    definition, _more = blocks("add-a-measure.md", "python")
    texts = {"_": str, "call": "calls", "ours": "our own wording"}
    (measure,) = eval(f"({definition})", texts | {"Measure": Measure, "Counts": Counts})
    listed = measures.measures()
    assert measure.name not in {m.name for m in listed}, "the example must be new"
    monkeypatch.setattr(measures, "measures", lambda: [*listed, measure])
    monkeypatch.setattr(page_module, "measures", lambda: [*listed, measure])
    return measure


def test_the_measure_is_on_its_page(example_measure):
    """Defined in one Python file, it is a figure of its page, with its definition there."""
    release = load_release(ROOT / "data_public")
    page = page_of(release, example_measure.page)
    (figure,) = [f for f in page.found if f.slug == "police-alone"]
    assert figure.title == "Police alone, by year" and figure.note == example_measure.caveat
    table = release.find("period", "responder")
    for row in figure.data.to_dict("records"):
        assert (row["n"], row["n_status"]) == table.cell(
            {"period": row["code"], "responder": "police_only"}
        )
    assert example_measure.counted in "".join(page.body)


def test_an_agency_without_the_table_does_not_report_the_measure(example_measure):
    release = load_release(ROOT / "data_public")
    kept = {n: t for n, t in release.tables.items() if "responder" not in t.levels}
    body = "".join(page_of(replace(release, tables=kept), example_measure.page).body)
    assert "<li>police alone</li>" in body


def test_the_measure_stands_on_another_page_in_its_words(tmp_path, example_measure):
    _definition, shown = blocks("add-a-measure.md", "python")
    script = (
        "from dashboard.text.language import _\n"
        "from dashboard.page.measure_figures import Own\n"
        "from dashboard.page.page import open_page\n"
        f'page = open_page("times")\npage.ask("?", "!")\n{shown}\npage.caveats([])\npage.end()\n'
    )
    assert "Calls to which only police came, by year" in written(script, "times", tmp_path)


def test_files_named_on_these_pages_exist():
    for page in HOW_TO.glob("*.md"):
        for name in re.findall(
            r"`((?:dashboard|pages|tests|docs|anonymize)/[^`{ ]+)`",
            page.read_text(encoding="utf-8"),
        ):
            assert (
                (ROOT / name).exists() or "CODE" in name or name == "pages/languages_spoken.py"
            ), (page.name, name)


def test_the_frame_of_a_figure_is_the_one_that_the_app_gives():
    (code,) = blocks("embed-a-figure.md", "html")
    release = load_release(ROOT / "data_public")
    figure = next(f for f in page_of(release, "outcomes").found if f.slug == "outcomes-2025")
    assert code.strip() == citation.embed_code(figure, release, citation.site_of(release))
