"""Fiscal years in the filters for a period, beside calendar years, in both languages."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil

import pytest

from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from tests.conftest import ROOT
from tests.paper import page_of

FISCAL = {"2024": "2023-07_2024-06", "2025": "2024-07_2025-06"}
"""A calendar year of the example, whose counts stand here in the table of a fiscal year: what
matters is which cell is shown."""
NAMES = {
    "en": "Fiscal year 2025 (July 2024 to June 2025)",
    "es": "Año fiscal 2025 (julio de 2024 a junio de 2025)",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The example's release with a table by fiscal year beside most tables by year, each count one
    more than that of the year."""
    folder = tmp_path_factory.mktemp("fiscal") / "release"
    shutil.copytree(ROOT / "data_public", folder, ignore=shutil.ignore_patterns("history"))
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    package.pop("history", None)
    made = []
    for resource in package["resources"]:
        table = resource.get("table", {})
        if (
            table.get("kind") != "count"
            or "year" not in table["dimensions"].get("period", ())
            or "hour" in table["dimensions"]
        ):
            continue
        header, *rows = csv.reader((folder / resource["path"]).open(encoding="utf-8", newline=""))
        place, count = header.index("period"), header.index(table["measure"])
        kept = []
        for row in rows:
            if row[place] in FISCAL:
                row[count] = str(int(row[count]) + 1) if row[count] else ""
            if row[place] == "all" or row[place] in FISCAL:
                kept.append(
                    [FISCAL.get(cell, cell) if i == place else cell for i, cell in enumerate(row)]
                )
        header[place] = "fiscal_year"
        path = f"tables/fiscal_{resource['name']}.csv"
        with (folder / path).open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows([header, *kept])
        text = json.dumps(resource).replace('"period"', '"fiscal_year"')
        dimensions = table["dimensions"] | {"fiscal_year": ["all", "fiscal_year"]}
        twin = json.loads(text) | {"name": f"fiscal_{resource['name']}", "path": path}
        twin["table"] = twin["table"] | {
            "dimensions": {n: levels for n, levels in dimensions.items() if n != "period"}
        }
        twin["table"]["dimensions"] = {
            ("fiscal_year" if n == "period" else n): dimensions[
                "fiscal_year" if n == "period" else n
            ]
            for n in table["dimensions"]
        }
        made.append(twin)
    seasons = next(r for r in package["resources"] if r["path"] == "codelists/season.csv")
    years = json.loads(json.dumps(seasons).replace("season", "fiscal_year"))
    header, root, *_rows = csv.reader(
        (folder / "codelists/season.csv").open(encoding="utf-8", newline="")
    )
    rows = [root]
    for i, (year, code) in enumerate(FISCAL.items()):
        labels = {
            "label_en": f"Fiscal year {year} (July {int(year) - 1} to June {year})",
            "label_es": f"Año fiscal {year} (julio de {int(year) - 1} a junio de {year})",
        }
        cells = {"code": code, "parent": "all", "level": "fiscal_year", "order": str(i)} | labels
        rows.append([cells.get(name, labels["label_en"]) for name in header])
    with (folder / years["path"]).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows([header, *rows])
    package["resources"] += [*made, years]
    for resource in package["resources"]:
        data = (folder / resource["path"]).read_bytes()
        resource["bytes"], resource["hash"] = (
            len(data),
            "sha256:" + hashlib.sha256(data).hexdigest(),
        )
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    audit["datapackage_sha256"] = hashlib.sha256(
        (folder / "datapackage.json").read_bytes()
    ).hexdigest()
    (folder / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
    return load_release(folder)


def test_a_table_answers_for_fiscal_years(release):
    table = release.find("period", "responder", where={"eligible": "yes"})
    code = FISCAL["2025"]
    assert table.by_fiscal_year is not None and "fiscal_year" not in table.levels
    count, status = table.cell({"period": code, "responder": "clinician"})
    assert (count - 1, status) == table.cell({"period": "2025", "responder": "clinician"})
    assert release.holds(table, "period", code) and not release.holds(
        table, "period", "2019-07_2020-06"
    )
    assert (
        release.find("fiscal_year", "responder", where={"eligible": "yes"}).name
        == table.by_fiscal_year.name
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [("en", "In the fiscal year 2025 (July"), ("es", "En el año fiscal 2025 (julio")],
)
def test_a_fiscal_year_within_a_sentence(release, code, said):
    assert said in "".join(page_of(release, "outcomes", code, {"year": FISCAL["2025"]}).body)


def test_the_example_without_fiscal_years_has_none():
    plain = load_release(ROOT / "data_public")
    assert all(table.by_fiscal_year is None for table in plain.tables.values())
    assert all(code.level != "fiscal_year" for code in plain.codelists["period"].codes.values())


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_in_a_fiscal_year(release, name, code):
    """A page with a filter for the period shows the fiscal year by its name; none fails."""
    asked = {"year": FISCAL["2025"], "of": FISCAL["2025"]}
    text = re.sub(r"<[^>]*>", " ", "".join(page_of(release, name, code, asked).body))
    plain = re.sub(r"<[^>]*>", " ", "".join(page_of(release, name, code).body))
    if plain != text:
        assert NAMES[code] in text
    if name in ("calls", "outcomes", "safety", "fairness"):
        assert NAMES[code] in text, "the filter has it"
        assert plain != text, "and the figures follow"


@pytest.mark.parametrize(
    ("page", "asked", "answer"),
    [
        ("calls", {}, "20,325"),
        ("calls", {"area": "north_hills"}, "2,462"),
        ("funnel", {}, "9,879 of 14,829"),
        ("coverage", {}, "9,879 of 14,829"),
        ("after", {}, "1,063 of 2,659"),
    ],
)
def test_the_headline_is_of_the_fiscal_year(release, page, asked, answer):
    """Each count is one more than that of the calendar year, so that neither stands for the
    other."""
    body = "".join(page_of(release, page, asked={"year": FISCAL["2025"], **asked}).body)
    large = re.search(r'<p class="number">(.*?)</p><p>(.*?)</p>', body)
    assert large is not None
    told = f"{large[1]} {large[2]}"
    assert answer in told
    assert "fiscal year 2025 (July 2024 to June 2025)" in told
