"""The examples in `docs/how-to/` work as they are printed."""

import csv
import random
import re
import runpy
from datetime import datetime, timedelta

import pytest

from anonymize.cli import main
from dashboard.export import citation
from dashboard.export.html_surface import Paper
from dashboard.numbers.measures import Measure, measures
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


def test_the_figure_of_the_measure_is_written(tmp_path):
    definition, figure = blocks("add-a-measure.md", "python")
    texts = {"_": str, "call": "calls", "ours": "our own wording", "Measure": Measure}
    (measure,) = eval(f"({definition})", texts)
    assert measure.smallest_base == 30
    assert measure.name not in {m.name for m in measures()}, "the example must be new"
    script = (
        "from dashboard.figures.figure_kinds import ShareFigure\n"
        "from dashboard.text.language import _\n"
        "from dashboard.findings.program import years_of\n"
        "from dashboard.page.page import open_page\n"
        'page = open_page("calls", "calls")\nrelease = page.release\npage.ask("?",'
        f' "!")\n{figure}\npage.caveats([])\npage.end()\n'
    )
    assert "Calls to which only police came, by year" in written(script, "calls", tmp_path)


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
