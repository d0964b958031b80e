"""The eighteen questions of `docs/auditors-questions.md`: each has a field, a measure, a figure on
its page and a claim, and costs what the page says. That each is near the first page, with figures
worked out from the release's files alone, is in `tests/browser/test_claims.py`."""

import re
import tomllib
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from anonymize.agency.schema import PLAIN_FIELDS
from anonymize.cli import main
from anonymize.demo.releases import make_example
from anonymize.records.program_inputs import INPUTS
from dashboard.findings import auditors_questions
from dashboard.findings.claims import checked, claims
from dashboard.findings.comparisons import OUTCOMES, comparison, figure_words, verdict_words
from dashboard.numbers.measures import measure, measures
from dashboard.page.reported import shown_pages
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import page_of

TEXT = (ROOT / "docs/auditors-questions.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if re.match(r"\| [0-9]+ \|", line)
]
ANSWERED_BEFORE = ("17", "18")


def named(cell):
    return re.findall(r"`([a-z_]+)`", cell)


@pytest.fixture(scope="module")
def release():
    language.use("en")
    return load_release(ROOT / "data_public")


def test_each_question_stands_there_once():
    assert [row[0] for row in ROWS] == [str(n) for n in range(1, 19)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_question_has_a_field_a_figure_and_a_claim(row, release):
    number, _question, _by, fields, figures, pages, claim = row
    inputs = {*INPUTS, "serves", "next_update", "handoffs"}
    assert set(named(fields)) <= {*PLAIN_FIELDS, *inputs}
    listed = [page.strip() for page in pages.split(",")]
    assert set(listed) <= shown_pages(release)
    defined = {m.name: m for m in measures()}
    on_pages = {f.file[0]: f for page in listed for f in page_of(release, page).found}
    for name in named(figures):
        told = defined[name]
        assert told.plain and told.counted and (told.caveat or number in ANSWERED_BEFORE)
        if number not in ANSWERED_BEFORE:
            figure = on_pages[name.replace("_", "-")]
            assert name in figure.measures and told.plain in figure.title
            assert told.caveat in figure.note
            assert told.smallest_base or told.unit != "calls" or name == "sent_index"
            placed = auditors_questions.COUNTED.get(name)
            assert (placed.number if placed else auditors_questions.BESIDE[name][0]) == int(number)
    said = claims()[int(claim) - 1]
    assert said.page in listed
    finding = {c.name: f for c, f in checked(release)}[said.name]
    assert finding.verdict != "missing" and finding.figure


def test_every_figure_and_new_claim_is_a_question_of_the_list():
    told = {name for row in ROWS for name in named(row[4])}
    assert {*auditors_questions.COUNTED, *auditors_questions.BESIDE} == told - {
        "calls",
        "completeness",
    }
    assert [row[6] for row in ROWS] == [str(n) for n in range(24, 42)]
    assert len(claims()) == 41


def test_what_an_agency_does_not_report_is_in_one_list_alone():
    """The example city's earlier release had none of these fields."""
    early = load_release(ROOT / "data_public/history/2025.1")
    for name, one in auditors_questions.COUNTED.items():
        if name in ("holds", "declined", "instead"):
            continue
        paper = page_of(early, one.page)
        html = unescape("".join(paper.body))
        assert one.file not in {f.file[0] for f in paper.found}, name
        plain = measure(name).plain
        assert f"<li>{plain[0].lower()}{plain[1:]}</li>" in html, name


def test_two_sides_whose_calls_differ_decide_nothing(release):
    found = {claim.name: finding for claim, finding in checked(release)}
    assert found["trained"].verdict == "cannot_tell" and "differ" in found["trained"].figure
    kept = {name: s for name, s in release.statistics.items() if not name.startswith("compare")}
    found = {claim.name: finding for claim, finding in checked(replace(release, statistics=kept))}
    for name in ("restraints", "holds"):
        assert found[name].verdict == "cannot_tell" and "differ" in found[name].figure
    for name in ("restrained", "holds", "officer_trained"):
        assert "does not show why" in measure(name).caveat


def test_handcuffs_and_holds_are_judged_by_similar_calls_alone(release):
    """Behind the shares of both sides stands the comparison, and its verdict is the claim's; its
    interval is that of a family of two, and those of the five are as they were."""
    found = {claim.name: finding for claim, finding in checked(release)}
    for name, outcome in (("restraints", "restrained"), ("holds", "hold")):
        like = comparison(release, f"compare_{outcome}")
        assert like is not None and like.sure == 0.975
        assert found[name].verdict == like.verdict
        assert found[name].verdict_words == verdict_words(like)
        assert figure_words(like) in found[name].figure
        assert auditors_questions.said(release, "restrained" if name == "restraints" else name) in (
            found[name].figure
        )
    assert all(comparison(release, f"compare_{o}").sure == 0.99 for o in OUTCOMES)


def test_the_results_of_the_example_are_good_bad_and_unclear(release):
    verdicts = {finding.verdict for claim, finding in checked(release)[23:]}
    assert {"not_supported", "cannot_tell", "described"} <= verdicts


def withheld(names, folder=ROOT / "data_public"):
    cells = hidden = 0
    for name in names:
        table = pd.read_csv(folder / f"tables/{name}.csv", dtype=str)
        cells += len(table)
        hidden += int((table["status"] == "suppressed").sum())
    return cells, hidden


def new_tables():
    """Those that stand in the agency file below the line that says so."""
    text = (ROOT / "examples/example_city/agency.toml").read_text(encoding="utf-8")
    old, new = text.split("# What auditors and reporters asked", 1)
    new = new[new.index("[[tables]]") :]
    return [
        [table["name"] for table in tomllib.loads(part).get("tables", ())] for part in (old, new)
    ]


def test_the_cost_in_withheld_cells_is_the_one_that_is_told():
    before, after = new_tables()
    told = dict(re.findall(r"(?m)^\| ([a-z ]+?) \| ([0-9,]+ \| [0-9,]+) \|$", TEXT))
    for name, tables in (("the same tables after", before), ("new tables", after)):
        cells, hidden = withheld(tables)
        assert told[name] == f"{cells:,} | {hidden:,}"
    assert withheld(after)[1] == 0


def test_without_the_new_tables_as_much_is_withheld_as_is_told(tmp_path, example_exports):
    text = (ROOT / "examples/example_city/agency.toml").read_text(encoding="utf-8")
    head, new = text.split("# What auditors and reporters asked", 1)
    statistics = re.split(r"(?m)^(?=\[\[statistics\]\])", new)[1:]
    kept = [s for s in statistics if not re.search('"(backup_minutes|crews_freed)"', s)]
    (tmp_path / "agency.toml").write_text(head + "".join(kept), encoding="utf-8")
    (tmp_path / "exports").symlink_to(example_exports)
    _built, out = make_example(tmp_path / "agency.toml", tmp_path / "made")
    before, _after = new_tables()
    cells, hidden = withheld(before, out)
    assert f"| tables before | {cells:,} | {hidden:,} |" in TEXT


def test_plan_makes_none_of_the_new_tables_coarser(tmp_path, example_exports, capsys):
    agency = ROOT / "examples/example_city/agency.toml"
    assert main(["plan", str(agency), "--private", str(tmp_path), "--quiet"]) == 0
    said = dict(
        re.findall(
            r"(?m)^  (\w+): ([0-9,]+; [0-9,]+ before, [0-9,]+; [0-9,]+ after)$",
            capsys.readouterr().out,
        )
    )
    for name in new_tables()[1]:
        before, _fine, after, _finer = map(
            int, re.findall("[0-9]+", said[name].replace(",", "").replace(" before", ";"))
        )
        assert after >= before > 0, name
