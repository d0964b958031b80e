"""Files of tests in the order that is best for several processes: the longest first, so that none
is left alone with a long one at the end.

`tests/seconds.csv` holds how long each file took. Each run on several processes writes its own
figures to `build/test_seconds.csv`, which may take its place, and tells the seconds of each kind.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
KNOWN = HERE / "seconds.csv"
MEASURED = HERE.parent / "build/test_seconds.csv"
UNKNOWN = 20.0
"""Seconds of a file that is not listed."""


def _known() -> dict[str, float]:
    with KNOWN.open(encoding="utf-8", newline="") as file:
        return {row["file"]: float(row["seconds"]) for row in csv.DictReader(file)}


def _side_by_side(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput") or bool(config.getoption("numprocesses", None))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _side_by_side(config):
        known = _known()

        def place(item: pytest.Item) -> tuple[float, str]:
            file = item.nodeid.partition("::")[0]
            return -known.get(file, UNKNOWN), file

        items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _side_by_side(terminalreporter.config):
        return
    files: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                files[report.nodeid.partition("::")[0]] += report.duration
    kinds: Counter[str] = Counter()
    for name, seconds in files.items():
        kinds["/".join(name.split("/")[:2])] += seconds
    terminalreporter.section("seconds by kind")
    for kind, seconds in kinds.most_common():
        terminalreporter.write_line(f"{seconds:8.0f} {kind}")
    MEASURED.parent.mkdir(exist_ok=True)
    with MEASURED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "seconds"])
        writer.writerows(sorted((name, round(s, 1)) for name, s in files.items()))
