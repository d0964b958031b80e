"""A page's headline is its own figures under the same choice; a share is its two counts; what two
pages show alike is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

import pandas as pd
import pytest

from dashboard.figures.figure import Figure
from dashboard.release.reader import CountTable, Release, load_release
from dashboard.text.language import percent
from tests.conftest import ROOT
from tests.paper import Gathering, page_of

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
WITH_A_YEAR = ("at_a_glance", "calls", "funnel", "coverage", "outcomes", "after", "times")
"""Pages whose headline is about the period that a reader has chosen on them."""
PERIODS = ("2025", "2024", "all")
CODES_OF_CHOICES = ({"area": "north_hills"}, {"type": "substance_use"})


@pytest.fixture(scope="module")
def release() -> Release:
    return load_release(ROOT / "data_public")


def lead(page: Gathering) -> tuple[list[str], str]:
    """The numbers of the large figure and of its base, and the words of the base."""
    body = "".join(page.body)
    found = re.search(r'<p class="number">(.*?)</p><p>(.*?)</p>', body, re.S)
    if found is None:
        return [], ""
    large, base = (unescape(re.sub(r"<[^>]+>", "", part)) for part in found.groups())
    return NUMBER.findall(large) + NUMBER.findall(base.split(". ")[0]), base


def whole(text: object) -> float | None:
    """A count as a table writes it; None for words."""
    digits = str(text).replace(",", "")
    return float(digits) if digits.isdigit() else None


def columns_of(figures: list[Figure]) -> Iterator[pd.Series]:
    for figure in figures:
        for name in figure.table.columns:
            yield figure.table[name].astype(str)


def stated(page: Gathering) -> set[str]:
    """All numbers in the page's tables, the sums of their columns of counts, and what stands below
    and above them."""
    found: set[str] = set()
    for figure in page.found:
        found |= set(NUMBER.findall(" ".join([figure.note, figure.subtitle, figure.title])))
    for column in columns_of(page.found):
        found |= {number for cell in column for number in NUMBER.findall(cell)}
        counts = [whole(cell) for cell in column]
        if counts and all(count is not None for count in counts):
            found.add(f"{sum(count or 0 for count in counts):,.0f}")
    return found


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", WITH_A_YEAR)
def test_the_large_number_stands_in_the_figures_of_the_page(release, name, period):
    """Or on the first page in the same period, where the page has parts of it alone."""
    page = page_of(release, name, asked={"year": period})
    numbers, base = lead(page)
    assert numbers, "no large number"
    first = (
        stated(page_of(release, "at_a_glance", asked={"year": period}))
        if period != "all"
        else set()
    )
    known = stated(page) | first | {"2024", "2025", "31", "1"}
    if period == "all" and name in ("funnel", "coverage", "at_a_glance"):
        known |= {percent(part / (whole or 1)).strip("%") for part, whole in [both(release)]} | {
            f"{n:,}" for n in both(release)
        }
    assert not [number for number in numbers if number not in known], (numbers, base)
    span = {"2025": "2025", "2024": "2024", "all": "2024 to December 31, 2025"}[period]
    if not (name == "at_a_glance" and period == "all"):  # the first page has years alone
        assert span in base or name == "outcomes", base


def both(release: Release) -> tuple[int, int]:
    """Reached and eligible calls of the whole period."""
    table = release.find("period", "responder", where={"eligible": "yes"})
    assert table is not None
    return tuple(table.cell(at)[0] or 0 for at in ({"responder": "clinician"}, {}))  # type: ignore[return-value]


@pytest.mark.parametrize("asked", CODES_OF_CHOICES, ids=lambda asked: next(iter(asked)))
@pytest.mark.parametrize("period", PERIODS)
def test_a_narrowed_page_of_calls_speaks_of_those_calls(release, period, asked):
    page = page_of(release, "calls", asked={"year": period, **asked})
    dimension, code = (
        {"area": "area", "type": "call_type"}[next(iter(asked))],
        next(iter(asked.values())),
    )
    at = {dimension: code, **({"period": period} if period != "all" else {})}
    table = release.find("period", dimension)
    assert table is not None
    count, _status = table.cell(at)
    numbers, base = lead(page)
    assert numbers[0] == f"{count:,}"
    assert release.codelists[dimension].codes[code].label["en"] in base


def tables_of_shares(release: Release) -> Iterator[tuple[str, Figure]]:
    for name in (
        "coverage",
        "funnel",
        "outcomes",
        "safety",
        "after",
        "times",
        "fairness",
        "staffing",
        "neighborhood",
    ):
        for period in PERIODS:
            for figure in page_of(release, name, asked={"year": period}).found:
                if {"Share", "Out of (N)"} <= set(figure.table.columns):
                    yield f"{name} {period}: {figure.title}", figure


def test_every_share_is_its_two_counts(release):
    seen = 0
    for where, figure in tables_of_shares(release):
        counted = next(name for name in figure.table.columns if name.endswith("(n)"))
        for row in figure.table.to_dict("records"):
            n, out_of = whole(row[counted]), whole(row["Out of (N)"])
            if n is None or not out_of or not str(row["Share"])[0].isdigit():
                continue
            seen += 1
            assert str(row["Share"]).split(",")[0].split(" ")[0] == percent(n / out_of), (
                where,
                row,
            )
    assert seen > 300, "hardly a share was seen"


def test_the_same_cell_is_the_same_on_every_page(release):
    """The counts of data files that name a table, and the codes of a cell of it, are those of the
    release."""
    seen = 0
    for name in ("coverage", "funnel", "outcomes", "safety", "after", "fairness", "calls"):
        for figure in page_of(release, name).found:
            for row in figure.data.to_dict("records"):
                if row.get("table") in release.tables and not pd.isna(row.get("out_of")):
                    seen += check_base(release.tables[row["table"]], row, f"{name}: {figure.title}")
    assert seen > 100, "hardly a cell was seen"


def check_base(table: CountTable, row: Mapping[str, Any], where: str) -> bool:
    """Is the base that a row gives a count of its table, in the row's period where it has one?"""
    period = row.get("period")
    counts = {
        number
        for codes, (number, _status) in table._lookup.items()
        if period in (None, dict(zip(table.levels, codes, strict=True)).get("period"))
    }
    assert int(row["out_of"]) in counts, (where, row)
    return True
