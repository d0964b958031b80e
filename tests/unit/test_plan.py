"""The plan advisor: coarser levels, merged areas, and a build that applies them."""

import json
import re

import pytest

from anonymize.agency.schema import PlanSpec
from anonymize.errors import PlanError
from anonymize.pipeline import plan, read_inputs
from anonymize.plan import coarser_steps, share
from dashboard.release import load_release
from tests.agency import build, write_agency
from tests.conftest import ROOT

TEN = "\n[plan]\nmost_small_percent = 10\n"


def calls(n=150):
    rows = "".join(f"{i},2024-0{1 + i % 6}-05 10:00,{'Check' if i % 7 == 0 else 'Crisis'}\n" for i in range(n))
    return "id,at,type\n" + rows


OF_AREAS = ("calls_by_month_area", "coverage_by_area")


def city(folder, limits):
    """The example city with other limits, and of its tables only those by area."""
    text = (ROOT / "examples/example_city/agency.toml").read_text(encoding="utf-8")
    first, *described = re.split(r"^(?=\[\[(?:tables|statistics)\]\])", text, flags=re.MULTILINE)
    text = "".join([first, *(part for part in described if any(f'name = "{name}"' in part for name in OF_AREAS))])
    text = text.replace('"exports/', f'"{ROOT}/examples/example_city/exports/')
    (folder / "agency.toml").write_text(f"{text}\n[plan]\n{limits}\n", encoding="utf-8")
    return read_inputs(folder / "agency.toml")


def test_a_table_within_the_limit_stays(tmp_path):
    agency = write_agency(tmp_path, calls(3000))
    asked, advised, advice = plan(read_inputs(agency), tmp_path / "private")
    assert not advice.changes
    assert advised is asked


def test_months_become_quarters(tmp_path):
    """Every month has some checks, too few to show; quarters have enough."""
    agency = write_agency(tmp_path, calls(), extra=TEN)
    asked, advised, advice = plan(read_inputs(agency), tmp_path / "private")
    assert share(asked.tables[0], 5) > 10
    assert advised.specs[0].dimensions["period"] == ("all", "year", "quarter")
    assert share(advised.tables[0], 5) <= 10
    assert advice.steps == (("calls", "period: quarter instead of month"),)
    kept = write_agency(tmp_path / "kept", calls(), extra=TEN + 'keep = ["calls"]\n')
    assert not plan(read_inputs(kept), tmp_path / "private")[2].changes


def test_build_changes_nothing_unless_told(tmp_path):
    agency = write_agency(tmp_path, calls())
    build(read_inputs(agency), tmp_path / "plain", tmp_path / "private")
    package = json.loads((tmp_path / "plain/datapackage.json").read_text())
    assert "coarsened" not in package
    agency = write_agency(tmp_path / "told", calls(), extra=TEN + "apply = true\n")
    build(read_inputs(agency), tmp_path / "made", tmp_path / "private")
    package = json.loads((tmp_path / "made/datapackage.json").read_text())
    assert package["coarsened"]["tables"] == ["calls"]
    assert [label["en"] for label in load_release(tmp_path / "made").coarsened()] == ["Calls"]


def test_neighbouring_areas_are_shown_as_one(tmp_path, example_exports):
    built = build(city(tmp_path, "apply = true\nmost_small_percent = 15"), tmp_path / "out", tmp_path / "private")
    (group,) = built.advice.merged["area"]
    code = "_".join(group)
    release = load_release(tmp_path / "out")
    area = release.codelists["area"]
    assert code in area.codes
    assert not set(group) & set(area.codes)
    assert area.codes[code].label["en"] == " + ".join(f"North Hills {c[-1]}" for c in group)
    drawn = {f["properties"]["code"] for f in release.outlines["area"]["features"]}
    assert drawn == {c.code for c in area.at("beat")} - {c for c in area.codes if c.startswith("unknown")}
    assert built.report.passed
    # The merged area holds exactly the calls of its parts.
    table = next(t for t in built.tables if t.name == "coverage_by_area")
    at = table.dimensions["area"].codes.index(code)
    before = next(t for t in plan(city(tmp_path, "apply = false"), tmp_path / "private")[0].tables if t.name == "coverage_by_area")
    parts = [before.dimensions["area"].codes.index(c) for c in group]
    assert (table.values.take(at, 1) == before.values.take(parts, 1).sum(1)).all()


def test_tables_too_large_to_audit_are_made_coarser(monkeypatch, example_exports):
    inputs = read_inputs(ROOT / "examples/example_city/agency.toml")
    monkeypatch.setattr("anonymize.protect.junction_tree.MAX_LEAVES", 2_000)
    specs, steps = coarser_steps(inputs.config.file.tables, inputs.codelists, PlanSpec())
    assert steps
    assert specs != inputs.config.file.tables
    with pytest.raises(PlanError):
        coarser_steps(inputs.config.file.tables, inputs.codelists, PlanSpec(keep=tuple(s.name for s in specs)))
