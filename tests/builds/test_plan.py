"""The plan advisor: coarser levels, merged areas, and a build that applies them."""

import json
import re

import pytest

from anonymize.agency.edit import write_plan
from anonymize.agency.schema import PlanSpec
from anonymize.cli import main
from anonymize.errors import PlanError, SchemaError
from anonymize.pipeline import plan, read_inputs
from anonymize.protect.coarsen import coarser_steps, share
from dashboard.release.reader import load_release
from tests import boundary_files
from tests.agency import build, write_agency
from tests.conftest import ROOT

AT = "2024-02-05 10:00"
TEN = "\n[plan]\nmost_small_percent = 10\n"


def calls(n=150):
    rows = "".join(
        f"{i},2024-0{1 + i % 6}-05 10:00,{'Check' if i % 7 == 0 else 'Crisis'}\n" for i in range(n)
    )
    return "id,at,type\n" + rows


OF_AREAS = ("calls_by_month_area", "coverage_by_area")


def city(folder, limits):
    """The example city with other limits, and of its tables only those by area."""
    text = (ROOT / "examples/example_city/agency.toml").read_text(encoding="utf-8")
    first, *described = re.split(r"^(?=\[\[(?:tables|statistics)\]\])", text, flags=re.MULTILINE)
    text = "".join(
        [
            first,
            *(part for part in described if any(f'name = "{name}"' in part for name in OF_AREAS)),
        ]
    )
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
    built = build(
        city(tmp_path, "apply = true\nmost_small_percent = 15"),
        tmp_path / "out",
        tmp_path / "private",
    )
    (group,) = built.advice.merged["area"]
    code = "_".join(group)
    release = load_release(tmp_path / "out")
    area = release.codelists["area"]
    assert code in area.codes
    assert not set(group) & set(area.codes)
    assert area.codes[code].label["en"] == " + ".join(f"North Hills {c[-1]}" for c in group)
    drawn = {f["properties"]["code"] for f in release.outlines["area"]["features"]}
    assert drawn == {c.code for c in area.at("beat")} - {
        c for c in area.codes if c.startswith("unknown")
    }
    assert built.report.passed
    # The merged area holds exactly the calls of its parts.
    table = next(t for t in built.tables if t.name == "coverage_by_area")
    at = table.dimensions["area"].codes.index(code)
    before = next(
        t
        for t in plan(city(tmp_path, "apply = false"), tmp_path / "private")[0].tables
        if t.name == "coverage_by_area"
    )
    parts = [before.dimensions["area"].codes.index(c) for c in group]
    assert (table.values.take(at, 1) == before.values.take(parts, 1).sum(1)).all()


def test_tables_too_large_to_audit_are_made_coarser(monkeypatch, example_exports):
    inputs = read_inputs(ROOT / "examples/example_city/agency.toml")
    monkeypatch.setattr("anonymize.protect.junction_tree.MAX_LEAVES", 3_000)
    specs, steps = coarser_steps(inputs.config.file.tables, inputs.codelists, PlanSpec())
    assert steps
    assert specs != inputs.config.file.tables
    with pytest.raises(PlanError):
        coarser_steps(
            inputs.config.file.tables, inputs.codelists, PlanSpec(keep=tuple(s.name for s in specs))
        )


# Writing what is proposed into the agency file


COMMENTED = {
    'dimensions = { period = ["all", "year", "month"], call_type = ["all", "type"] }': (
        """\
# The council asked for this one.
dimensions.call_type = ["all", "type"]  # both kinds
dimensions.period = [
  "all",  # the whole
  "year",
  "month",  # too fine?
]"""
    ),
    '"Check" = "check"': "'Check'    =   \"check\"   # odd layout stays",
}


def written(agency, folder, *options):
    assert (
        main(["plan", str(agency), *options, "--private", str(folder / "private"), "--quiet"]) == 0
    )
    return agency.read_text(encoding="utf-8")


def test_the_proposal_is_written_and_everything_else_stays(tmp_path, capsys):
    agency = write_agency(tmp_path, calls(), COMMENTED, TEN + "# the end\n")
    before = agency.read_text(encoding="utf-8")
    assert written(agency, tmp_path) == before, "without --write nothing changes"
    after = written(agency, tmp_path, "--write")
    kept = [line for line in after.splitlines() if line in before.splitlines()]
    gone = [line for line in before.splitlines() if line not in kept]
    assert gone == ['  "month",  # too fine?'] and len(after.splitlines()) - len(kept) <= 1
    assert '  "quarter",' in after
    shown = capsys.readouterr().out
    number = 1 + after.splitlines().index('  "quarter",')
    assert f"Written to {agency} (line {number})" in shown
    assert (tmp_path / "private/agency-before-plan.toml").read_text() == before + "\n"
    assert read_inputs(agency).config.file.tables[0].dimensions["period"] == (
        "all",
        "year",
        "quarter",
    )
    assert not plan(read_inputs(agency), tmp_path / "private")[2].steps
    assert not list(tmp_path.glob(".*")), "a half-written file is left behind"


def test_a_mark_at_the_start_line_ends_and_rights_stay(tmp_path):
    agency = write_agency(tmp_path, calls(), extra=TEN)
    agency.write_bytes(("\ufeff" + agency.read_text()).replace("\n", "\r\n").encode())
    agency.chmod(0o640)
    written(agency, tmp_path, "--write")
    data = agency.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") and b"quarter" in data
    assert data.count(b"\n") == data.count(b"\r\n")
    assert agency.stat().st_mode & 0o777 == 0o640


def test_tables_that_no_file_names_are_written_out(tmp_path):
    agency = write_agency(tmp_path, calls(), extra=TEN)
    agency.write_text(agency.read_text().split("[[tables]]")[0] + "# the end\n" + TEN)
    after = written(agency, tmp_path, "--write")
    tables = read_inputs(agency).config.file.tables
    assert "# the end\n" in after and after.count("[[tables]]") == len(tables)
    assert [table.name for table in tables] == [
        "calls",
        "calls_by_call_type",
        "calls_by_season",
        "calls_by_hour",
    ]
    assert tables[1].dimensions["period"] == (
        "all",
        "year",
        "quarter",
    ), "finer than the plain set, for nothing is withheld"
    assert tables[2].dimensions["period"] == (
        "all",
        "year",
    ), "a season holds whole months, so months would say nothing new"
    assert build(read_inputs(agency), tmp_path / "made", tmp_path / "private").report.passed


def test_a_file_that_would_say_something_else_is_left_as_it_is(tmp_path, monkeypatch):
    agency = write_agency(tmp_path, calls(), extra=TEN)
    before = agency.read_bytes()
    config = read_inputs(agency).config
    monkeypatch.setattr("anonymize.agency.edit._set_levels", lambda dimensions, spec: None)
    coarser = config.file.tables[0].model_copy(update={"dimensions": {"period": ("all", "year")}})
    with pytest.raises(SchemaError, match=r"change its \[\[tables\]\] by hand"):
        write_plan(config, [coarser], {})
    assert agency.read_bytes() == before and not list(tmp_path.glob(".*"))


def test_joined_areas_are_written_and_built_as_they_stand(tmp_path):
    squares = [boundary_files.feature(f"B{i}", i=i) for i in range(6)]
    (tmp_path / "map.geojson").write_text(boundary_files.collection(*squares))
    rows = "".join(
        f"{i},{AT},{'Check' if i % 3 else 'Crisis'},B{0 if i < 4 else 1 + i % 5}\n"
        for i in range(400)
    )
    tables = "\n" + boundary_files.BY_AREA.replace(
        '"beat"] }', '"beat"], call_type = ["all", "type"] }'
    )
    agency = write_agency(
        tmp_path,
        f"id,at,type,beat\n{rows}",
        boundary_files.COLUMN,
        f"\n{boundary_files.AREA % ''}{tables}\n[plan]\nmost_small_percent = 10  # ours\n",
    )
    after = written(agency, tmp_path, "--write")
    assert 'most_small_percent = 10  # ours\nmerged = {area = [["B0", "B1"]]}\n' in after
    again = read_inputs(agency)
    assert (
        again.config.file.plan.merged == {"area": (("B0", "B1"),)}
        and not again.config.file.plan.apply
    )
    assert not plan(again, tmp_path / "private")[2].merged, "what is joined is not proposed again"
    built = build(again, tmp_path / "out", tmp_path / "private")
    assert built.report.passed
    release = load_release(tmp_path / "out")
    assert release.package["coarsened"]["areas"] == {"area": [["B0", "B1"]]}
    assert set(release.codelists["area"].codes) == {
        "all",
        "B0_B1",
        "B2",
        "B3",
        "B4",
        "B5",
        "unknown",
    }
    table = next(t for t in built.tables if t.name == "by_area")
    assert (
        table.values[table.dimensions["area"].codes.index("B0_B1"), 0] == 4 + 80 - 1
    )  # B0, and B1's share of the rest


@pytest.mark.parametrize(
    ("merged", "said"),
    [
        ('{ area = [["N1", "X9"]] }', "'X9' is not a code of the level"),
        ('{ area_x = [["N1", "N2"]] }', "'area_x' is not an area system"),
        ('{ area = [["N1", "N2"], ["N2", "S1"]] }', "'N2' of 'area' stands in the groups twice"),
        ('{ area = [["N1", "S1"]] }', "N1 and S1 of 'area' lie under different areas"),
        ('{ area = [["N1"]] }', "at least 2 items"),
    ],
)
def test_groups_of_areas_that_cannot_be(tmp_path, merged, said):
    areas = (
        '\n[areas.area]\nname = "Beat"\nall = "All"\nlevels = ["sector", "beat"]\n'
        'tree = { N = ["N1", "N2"], S = ["S1", "S2"] }\n'
    )
    column = {'call_type = "type"': 'call_type = "type"\narea = "beat"'}
    agency = write_agency(
        tmp_path,
        f"id,at,type,beat\n1,{AT},Crisis,N1\n",
        column,
        f"{areas}[plan]\nmerged = {merged}\n",
    )
    with pytest.raises(SchemaError, match=re.escape(said)):
        read_inputs(agency)


# Finer tables

FINE = {'period = ["all", "year", "month"]': 'period = ["all", "year"]'}


def test_a_table_of_which_nothing_is_withheld_can_be_finer(tmp_path, capsys):
    agency = write_agency(tmp_path, calls(3000), FINE)
    _asked, advised, advice = plan(read_inputs(agency), tmp_path / "private")
    assert advice.finer == (
        ("calls", "period: quarter as well as year"),
        ("calls", "period: month as well as quarter"),
    )
    assert advised.specs[0].dimensions["period"] == ("all", "year", "quarter", "month")
    assert not advised.protected.withheld.any()
    written(agency, tmp_path, "--write")
    assert "calls: 8; 3 before, 40; 18 after" in capsys.readouterr().out
    assert 'period = ["all", "year", "quarter", "month"]' in agency.read_text()


def test_no_table_is_made_so_fine_that_much_would_be_withheld(tmp_path):
    agency = write_agency(
        tmp_path,
        calls(150),
        FINE | {'"Check" = "check"': '"Check" = "check"\n"Other" = "check"'},
        TEN,
    )
    _asked, _advised, advice = plan(read_inputs(agency), tmp_path / "private")
    assert advice.finer == (("calls", "period: quarter as well as year"),)
    kept = write_agency(tmp_path / "kept", calls(3000), FINE, '\n[plan]\nkeep = ["calls"]\n')
    assert not plan(read_inputs(kept), tmp_path / "private")[2].changes


def test_build_never_makes_a_table_finer(tmp_path):
    agency = write_agency(tmp_path, calls(3000), FINE, "\n[plan]\napply = true\n")
    built = build(read_inputs(agency), tmp_path / "made", tmp_path / "private")
    assert built.tables[0].dimensions["period"].levels == ("all", "year")


def test_what_a_statistic_needs_stays(tmp_path):
    """A coarser table would leave the statistic without the counts that it rests on."""
    columns = {'call_type = "type"': 'call_type = "type"\nperson_key = "who"'}
    rows = "id,at,type,who\n" + "".join(
        f"{line},p{i}\n" for i, line in enumerate(calls().splitlines()[1:])
    )
    statistic = (
        '\n[[statistics]]\nname = "people"\ntitle = "People"\nmeasure = "people"\n'
        'dimensions = { period = ["all", "year", "month"] }\n'
    )
    agency = write_agency(tmp_path, rows, columns, statistic + TEN)
    _asked, advised, _advice = plan(read_inputs(agency), tmp_path / "private")
    assert advised.specs[0].dimensions["period"] == ("all", "year", "month")
