"""What a release of a random agency shows, held against the agency's known truth.

Reads the files of the release with Python's own csv and json: neither the code that wrote them nor
the audit's reader is used.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.generative.exports import FIRST, LAST, Trial

Truth = Mapping[str, str]
"""The finest codes of one call, its day, and its wait in seconds."""
Span = tuple[date, date]
BASE_ROUNDED = 10
"""The calls behind a statistic are told in whole tens, rounded down."""
MIN_BASE = 30
"""Fewer calls than this give no statistic."""
MINUTE = 0.52
"""Minutes are shown whole; some exports write times to the nearest tenth of a second."""


def compare(release: Path, made: Trial, calls: Sequence[Truth]) -> int:
    """Compare every visible number of a release with the truth; gives how many numbers there were.
    Raises AssertionError at the first that is wrong."""
    package = json.loads((release / "datapackage.json").read_text(encoding="utf-8"))
    gaps = _gaps(package.get("gaps", []), made, calls)
    above = {path.stem: _parents(path) for path in (release / "codelists").glob("*.csv")}
    seen = 0
    for path in sorted((release / "tables").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        if path.stem == "completeness":
            seen += _completeness(rows, above, calls)
        elif path.stem == "waits":
            seen += _waits(rows, above, calls, _may_tell(path.parent, package))
        else:
            seen += _counts(path.stem, rows, gaps, above, calls)
    return seen


def _parents(codelist: Path) -> dict[str, str]:
    with codelist.open(encoding="utf-8", newline="") as handle:
        return {row["code"]: row["parent"] for row in csv.DictReader(handle)}


def _under(code: str, finest: str, parents: Mapping[str, str]) -> bool:
    while finest and finest != code:
        finest = parents[finest]
    return finest == code


def _counts(
    table: str,
    rows: Sequence[Mapping[str, str]],
    gaps: Sequence[Span],
    above: Mapping[str, Mapping[str, str]],
    calls: Sequence[Truth],
) -> int:
    seen = 0
    for row in rows:
        (dimension,) = (name for name in row if name not in ("calls", "status"))
        code, status = row[dimension], row["status"]
        due = _mark(dimension, code, gaps)
        assert status == due or (status == "suppressed" and due != "not_collected"), (
            f"{table}, {code}: '{status}' where '{due}' is true"
        )
        assert (row["calls"] == "") == (status in ("suppressed", "not_collected")), (
            f"{table}, {code}: a number does not fit its mark"
        )
        if row["calls"]:
            true = sum(_under(code, call[dimension], above[dimension]) for call in calls)
            assert int(row["calls"]) == true, (
                f"{table}, {code}: {row['calls']} calls where {true} is true"
            )
            seen += 1
    return seen


def _mark(dimension: str, code: str, gaps: Sequence[Span]) -> str:
    """The status of a cell that is not withheld, day by day."""
    days = [FIRST + timedelta(days=i) for i in range((LAST - FIRST).days + 1)]
    meant = [day for day in days if dimension != "period" or code in ("all", f"{day:%Y-%m}")]
    lost = sum(any(first <= day <= last for first, last in gaps) for day in meant)
    return "published" if not lost else "not_collected" if lost == len(meant) else "incomplete"


def _gaps(told: Sequence[Mapping[str, str]], made: Trial, calls: Sequence[Truth]) -> list[Span]:
    """The gaps that the release names: the one that the agency file declares, and the days before
    the first record or after the last."""
    spans = [(date.fromisoformat(gap["from"]), date.fromisoformat(gap["to"])) for gap in told]
    days = sorted(date.fromisoformat(call["day"]) for call in calls)
    one = timedelta(days=1)
    edges = {"begin": (FIRST, days[0] - one), "end": (days[-1] + one, LAST)}
    for gap, span in zip(told, spans, strict=True):
        true = edges[gap["records"]] if "records" in gap else made.lost
        assert span == true, f"a gap from {span[0]} to {span[1]} is told, which is not true"
    if made.lost and made.answer == "reason":
        assert made.lost in spans, "a gap that the agency file names is not told"
    return spans


def _may_tell(tables: Path, package: Mapping[str, Any]) -> Callable[[int, int], int]:
    """How many timed calls a row may say that it rests on, of (timed calls, all its calls): in
    whole tens, with so many fewer than all that a small number without a time is not narrowed; and
    the least number of all where the number without a time is itself withheld."""
    with (tables / "by_wait.csv").open(encoding="utf-8", newline="") as handle:
        secret = any(
            row["wait"].split(".")[0] == "unknown" and row["status"] == "suppressed"
            for row in csv.DictReader(handle)
        )
    open_calls = package["privacy"]["threshold"] - 1

    def told(timed: int, whole: int) -> int:
        least = MIN_BASE if secret else min(timed, whole - open_calls)
        return least // BASE_ROUNDED * BASE_ROUNDED

    return told


def _waits(
    rows: Sequence[Mapping[str, str]],
    above: Mapping[str, Mapping[str, str]],
    calls: Sequence[Truth],
    told: Callable[[int, int], int],
) -> int:
    seen = 0
    for row in rows:
        if not row["median"]:
            continue
        mine = [
            call
            for call in calls
            if _under(row["responder"], call["responder"], above["responder"])
        ]
        minutes = [int(call["seconds"]) / 60 for call in mine if call["wait"] != "unknown.band"]
        deciles = quantiles(minutes, n=10, method="inclusive")
        for shown, true in ((row["median"], deciles[4]), (row["p90"], deciles[8])):
            assert abs(int(shown) - true) <= MINUTE, (
                f"waits, {row['responder']}: {shown} minutes where {true:.2f} is true"
            )
        base, true = int(row["based_on"]), told(len(minutes), len(mine))
        assert base == true, (
            f"waits, {row['responder']}: based on {base} where {true} may be told of {len(minutes)}"
        )
        seen += 3
    return seen


def _completeness(
    rows: Sequence[Mapping[str, str]],
    above: Mapping[str, Mapping[str, str]],
    calls: Sequence[Truth],
) -> int:
    """The share of calls with a field on record, where the field is one of the truth's."""
    blank = {
        "area": "unknown",
        "arrest": "unknown",
        "call_type": "unknown",
        "responder": "unknown",
        "hour": "unknown",
    }
    seen = 0
    for row in rows:
        if not row["at_least"] or row["field"] not in blank:
            continue
        mine = [call for call in calls if _under(row["period"], call["period"], above["period"])]
        filled = (
            100
            * sum(
                not _under(blank[row["field"]], call[row["field"]], above[row["field"]])
                for call in mine
            )
            / len(mine)
        )
        low, high = int(row["at_least"]), int(row["at_most"])
        assert low <= filled and (filled < high or high == 100), (
            f"completeness, {row['field']}, {row['period']}: {low} to {high} % where {filled:.1f}"
            " is true"
        )
        seen += 2
    return seen
