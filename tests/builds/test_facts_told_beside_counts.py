"""What stands beside the counts keeps the promise too: both ways in which it once did not, and the
cascade that it once caused."""

import csv
import json

import pytest

from anonymize.audit import audit_release
from anonymize.disclosure.declared_facts import declared_then
from anonymize.disclosure.history import Past
from anonymize.errors import AuditError, PlanError
from anonymize.pipeline import read_inputs
from anonymize.protect.facts import Declared, bounds_of
from anonymize.release.facts import MEANING
from anonymize.release.read import read_earlier
from tests.agency import build, write_agency
from tests.helpers import rehash


def rows_of(folder, name):
    with (folder / f"tables/{name}.csv").open() as handle:
        return list(csv.DictReader(handle))


def calls(*groups):
    """(how many, month, type): an export of so many calls."""
    lines = [
        f"{number}-{i},{month}-{1 + i % 28:02d} 10:00,{kind}"
        for number, (n, month, kind) in enumerate(groups)
        for i in range(n)
    ]
    return "id,at,type\n" + "\n".join(lines) + "\n"


def of_months(last, threshold):
    return {
        "data_to = 2024-06-30": f"data_to = {last}",
        "threshold = 5": f"threshold = {threshold}",
    }


def test_the_row_of_a_month_does_not_tell_its_size(tmp_path):
    """4 calls in January, 46 in February, 50 in all; both months withheld. A row with numbers for
    February alone would say that it has so many calls that January cannot have 10."""
    agency = write_agency(
        tmp_path,
        calls((4, "2024-01", "Crisis"), (46, "2024-02", "Crisis")),
        of_months("2024-02-29", 11),
    )
    built, out = (
        build(read_inputs(agency), tmp_path / "out", tmp_path / "private"),
        tmp_path / "out",
    )
    assert {r["period"] for r in rows_of(out, "calls") if r["status"] == "suppressed"} == {
        "2024-01",
        "2024-02",
    }
    months = [
        r
        for r in rows_of(out, "completeness")
        if r["period"] != "all" and r["field"] == "call_type"
    ]
    assert [(r["period"], r["at_least"], r["at_most"]) for r in months] == [
        ("2024-01", "", ""),
        ("2024-02", "", ""),
    ]
    assert built.report.passed


def test_a_month_without_calls_has_its_row(tmp_path):
    """No calls in February. Whatever the data hold, there is a row for each month of the period;
    and who knows that nobody called in February learns nothing."""
    export = calls((3, "2024-01", "Crisis"), (6, "2024-01", "Check"), (15, "2024-03", "Crisis"))
    agency = write_agency(tmp_path, export, of_months("2024-03-31", 5))
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert [
        r["period"] for r in rows_of(tmp_path / "out", "completeness") if r["field"] == "call_type"
    ] == [
        "all",
        "2024-01",
        "2024-02",
        "2024-03",
    ]
    known = tmp_path / "known.toml"
    known.write_text('[[zero]]\ncodes = { period = "2024-02" }\n')
    assert audit_release(tmp_path / "out", known=known).passed


@pytest.mark.parametrize("change", ["missing", "order", "told", "blank", "width"])
def test_the_audit_takes_the_rows_as_public(tmp_path, change):
    """A row that is missing, in another place, told or blank against the declared rule, or as wide
    as no other: each could be made by a withheld count."""
    export = calls(
        (130, "2024-01", "Crisis"),
        (4, "2024-02", "Crisis"),
        (150, "2024-03", "Check"),
        (60, "2024-04", "Check"),
    )
    agency = write_agency(tmp_path, export, of_months("2024-04-30", 11))
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    path = tmp_path / "out/tables/completeness.csv"
    lines = path.read_text().splitlines()
    at = {row: i for i, row in enumerate(lines)}
    february, march = at["call_type,2024-02,calls,,"], at["call_type,2024-03,calls,90,100"]
    if change == "missing":
        del lines[february]
    elif change == "order":
        lines[february], lines[march] = lines[march], lines[february]
    elif change == "told":
        lines[february] = "call_type,2024-02,calls,90,100"
    elif change == "blank":
        lines[march] = "call_type,2024-03,calls,,"
    else:
        lines[march] = "call_type,2024-03,calls,75,100"
    path.write_text("\n".join(lines) + "\n")
    rehash(tmp_path / "out")
    assert "marks" in {f.attack for f in audit_release(tmp_path / "out").findings}


HOURS = (
    '\n[[tables]]\nname = "by_hour"\ntitle = "By hour"\n'
    'dimensions = { hour = ["all", "block", "hour"] }\n'
)


def test_one_small_count_takes_two_siblings(tmp_path):
    """770 calls: 6 of unknown type, 14, 21 and 729 of others, 32 or so in each hour. That 98 % or
    more have a type says that at most 15 have none, and so that the 14 with the 6 alone would be
    narrowed; one sibling more is enough, and all hours and the total are shown.
    """
    kinds = ["Crisis"] * 21 + ["Suicide"] * 14 + ["Other"] * 729 + [""] * 6
    export = "id,at,type\n" + "".join(
        f"{i},2024-04-{1 + i % 28:02d} {i % 24:02d}:10,{kind}\n" for i, kind in enumerate(kinds)
    )
    codes = {
        '"Check" = "check"': '"Suicide" = "suicide"\n"*" = "other"',
        "threshold = 5": "threshold = 11",
        "data_to = 2024-06-30": "data_to = 2024-12-31",
        "created = 2024-07-01": "created = 2025-01-31",
        '{ code = "check", en = "Check", es = "Control" },': (
            '{ code = "suicide", en = "S", es = "S" },\n  { code = "other", en = "O", es = "O" },'
        ),
        'dimensions = { period = ["all", "year", "month"], call_type = ["all", "type"] }': (
            'dimensions = { call_type = ["all", "type"] }'
        ),
    }
    built = build(
        read_inputs(write_agency(tmp_path, export, codes, HOURS)),
        tmp_path / "out",
        tmp_path / "private",
    )
    hidden = {
        r["call_type"] for r in rows_of(tmp_path / "out", "calls") if r["status"] == "suppressed"
    }
    assert hidden == {"unknown", "suicide", "crisis"}
    assert all(r["status"] == "published" for r in rows_of(tmp_path / "out", "by_hour"))
    assert built.report.withheld == 3
    assert built.rounds == 1


def test_what_is_told_is_declared(tmp_path):
    """Each kind stands in datapackage.json with its meaning; what says less, and a kind that is not
    known, are refused by the audit."""
    agency = write_agency(tmp_path, calls((130, "2024-01", "Crisis"), (4, "2024-02", "")))
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    path = tmp_path / "out/datapackage.json"
    package = json.loads(path.read_text())
    (fact,) = package["facts"]
    assert fact["meaning"] == MEANING[fact["kind"]]
    assert {"field": "call_type", "of": {"call_type": "unknown"}, "relation": "equal"} in fact[
        "blank"
    ]

    def findings(facts):
        path.write_text(json.dumps(package | {"facts": facts}))
        return {f.attack for f in audit_release(tmp_path / "out").findings}

    assert not findings([fact])
    assert "undeclared" in findings([])
    assert "undeclared" in findings([fact | {"blank": []}])
    with pytest.raises(AuditError, match="kind 'rounded_total'"):
        findings([fact | {"kind": "rounded_total"}])


def test_the_engine_refuses_a_kind_that_it_does_not_know():
    with pytest.raises(PlanError, match="kind 'rounded_total'"):
        bounds_of(Declared([{"kind": "rounded_total"}], {}, {}, {}, {}, 5), {}, lambda key: True)


def test_a_release_that_does_not_declare_what_it_tells_is_not_followed(tmp_path):
    export = calls((130, "2024-01", "Crisis"), (4, "2024-02", ""))
    build(read_inputs(write_agency(tmp_path, export)), tmp_path / "out", tmp_path / "private")
    path = tmp_path / "out/datapackage.json"
    package = json.loads(path.read_text())
    del package["facts"]
    path.write_text(json.dumps(package))
    with pytest.raises(PlanError, match=r"release 2024\.1 does not declare"):
        declared_then(Past(read_earlier(tmp_path / "out"), {}, (), tmp_path, tmp_path))
