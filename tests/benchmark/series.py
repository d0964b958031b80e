"""What a series of monthly releases costs, and how long each takes:
  `python -m tests.benchmark.series toronto|city|small [HOW MANY]`.

Prints a row a release: cells withheld, cost against the proven bound of that release, rounds of
audit, CPU seconds of the build and of an audit of the live release by itself, and seconds until the
app has read it. The figures go into BENCHMARKS.md.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

from anonymize import pipeline
from anonymize.audit import audit_release
from anonymize.demo.city import write_exports
from anonymize.demo.releases import ROLE
from anonymize.pipeline import CANDIDATE, publish, read_inputs
from anonymize.release.publish import CODE_LENGTH, Approval
from anonymize.release.seal import seal
from dashboard.release.reader import load_release
from tests.random_agencies import draw, write

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"toronto": 13, "city": 24, "small": 24}


def month_ends(first: date, count: int, last: date) -> Iterator[date]:
    """The last days of `count` months on end, none after `last`."""
    year, month = first.year, first.month
    for _ in range(count):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        yield min(date(year, month, 1) - timedelta(days=1), last)


def agencies(kind: str, count: int, folder: Path) -> Iterator[Path]:
    """The agency files of the releases, oldest first: the period ends a month later each time, and
    begins where it did."""
    if kind == "toronto":
        text = (
            (ROOT / "examples/toronto.toml")
            .read_text(encoding="utf-8")
            .replace('"../../shared/', f'"{ROOT.parent}/shared/')
        )
        last, first = date(2015, 6, 12), date(2014, 6, 1)
    elif kind == "city":
        exports = folder / "exports"
        write_exports(exports)
        text = (
            (ROOT / "examples/example_city/agency.toml")
            .read_text(encoding="utf-8")
            .replace('"exports/', f'"{exports}/')
        )
        last, first = date(2025, 12, 31), date(2024, 1, 1)
    else:
        rng = random.Random(0)
        months = [f"{2022 + m // 12}-{1 + m % 12:02d}" for m in range(24)]
        text = (
            write(folder / "small", draw(rng, months))
            .read_text(encoding="utf-8")
            .replace('"calls.csv"', f'"{folder}/small/calls.csv"')
        )
        text = text.replace("data_from = 2024-01-01", "data_from = 2022-01-01")
        last, first = date(2023, 12, 31), date(2022, 1, 1)
    for number, end in enumerate(month_ends(first, count, last), start=1):
        changed = re.sub(r'(?m)^version = ".*"$', f'version = "2030.{number}"', text, count=1)
        changed = re.sub(r"(?m)^data_to = .*$", f"data_to = {end}", changed, count=1)
        changed = re.sub(
            r"(?m)^created = .*$", f"created = {max(end, date(2026, 1, 15))}", changed, count=1
        )
        file = folder / f"agency_{number}.toml"
        file.write_text(changed, encoding="utf-8")
        yield file


def seconds(work: Callable[[], object]) -> tuple[object, float]:
    """What `work` gives, and the CPU seconds of this process that it took."""

    def used() -> float:
        now = resource.getrusage(resource.RUSAGE_SELF)
        return now.ru_utime + now.ru_stime

    before = used()
    found = work()
    return found, used() - before


def run(kind: str, count: int) -> None:
    print(
        "| release | cells | withheld | times the bound | rounds | build, CPU s | audit, CPU s | "
        "app reads it, s |\n|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out, private = folder / "out", folder / "private"
        for number, file in enumerate(agencies(kind, count, folder), start=1):
            inputs = read_inputs(file)
            built, building = seconds(lambda inputs=inputs: pipeline.build(inputs, out, private))  # type: ignore[misc]
            assert isinstance(built, pipeline.Built)
            seal(private / CANDIDATE, private, date(2026, 1, 16))
            publish(
                private / CANDIDATE,
                out,
                Approval(ROLE, date(2026, 1, 16), built.digest[:CODE_LENGTH]),
                replace=False,
                now=date(2026, 1, 16),
            )
            _report, auditing = seconds(lambda: audit_release(out))
            start = time.perf_counter()
            load_release(out)
            reading = time.perf_counter() - start
            cost = built.protected.cost / built.protected.bound if built.protected.bound else 1.0
            report = built.report
            print(
                f"| {number} | {report.cells:,} | {report.withheld:,} | {cost:.2f} | {built.rounds}"
                f" | {building:.1f} | {auditing:.1f} | {reading:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    asked = sys.argv[1]
    run(asked, int(sys.argv[2]) if len(sys.argv) > 2 else COUNTS[asked])
