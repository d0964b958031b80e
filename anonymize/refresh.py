"""The next release from the same agency file and newer exports: what is new in them, and a
candidate. Made for a scheduler: one line of result.

What was seen last time (names of columns, values of categories, calls of each month) is kept in the
private folder. Nothing is published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from anonymize.build_report import build_text, write_private
from anonymize.errors import SchemaError
from anonymize.pipeline import Built, build, read_inputs, refuse_unplanned
from anonymize.progress import QUIET, Progress
from anonymize.records.calls import Tally
from anonymize.release.publish import CODE_LENGTH

MEMORY = "refresh.json"
"""In the private folder: what the exports held when they were last refreshed."""
MAX_LISTED = 20


@dataclass(frozen=True)
class Seen:
    """What exports held: `columns`; `values`: field -> texts; `months`: month -> calls."""

    columns: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    months: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class News:
    """What is new against the last time. `late`: calls that months known then have gained; `lost`:
    those that they have lost; `first`: was nothing known?"""

    columns: tuple[str, ...]
    gone: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    calls: int
    late: Mapping[str, int]
    lost: Mapping[str, int]
    first: bool

    def lines(self) -> list[str]:
        """For the private screen: names of columns and values of categories, months and numbers."""
        if self.first:
            return ["Nothing was refreshed before; from now on, what is new will be said."]
        said = [f"New calls in new months: {self.calls:,}"]
        said += [f"New column, not read: {name}" for name in self.columns[:MAX_LISTED]]
        said += [f"Column that is gone: {name}" for name in self.gone[:MAX_LISTED]]
        said += [
            f"New values of {name}: {', '.join(texts[:MAX_LISTED])}"
            for name, texts in self.values.items()
        ]
        said += [f"Late calls of {month}: {n:,}" for month, n in self.late.items()]
        said += [f"Calls of {month} that are gone: {n:,}" for month, n in self.lost.items()]
        return said

    def summary(self) -> str:
        if self.first:
            return "first refresh"
        values = sum(map(len, self.values.values()))
        lost = f", {sum(self.lost.values()):,} gone" if self.lost else ""
        return (
            f"{self.calls:,} new calls, {sum(self.late.values()):,} late{lost}, {values} new"
            f" values, {len(self.columns)} new columns"
        )


@dataclass(frozen=True)
class Refreshed:
    built: Built
    news: News
    version: str
    data_to: date

    def result(self, agency: str) -> str:
        """The one line of result."""
        state = (
            f"candidate waits, code {self.built.digest[:CODE_LENGTH]}"
            if self.built.changed
            else "nothing to publish, it is out already"
        )
        return f"refresh {agency} {self.version}: to {self.data_to}; {self.news.summary()}; {state}"


def refresh(
    path: Path,
    out: Path,
    private: Path,
    *,
    until: date | None = None,
    today: date | None = None,
    progress: Progress = QUIET,
) -> Refreshed:
    """Build a candidate that ends with `until` (the last day of the month before today, unless
    named). Raises what a build raises, SchemaError for a period that would end before the agency
    file's own or after today."""
    today = today or date.today()
    until = until or today.replace(day=1) - timedelta(days=1)
    written = read_inputs(path).config.file.release
    if until < written.data_to:
        raise SchemaError(
            [
                f"{path}: 'release.data_to' is {written.data_to}, and the refresh would end on"
                f" {until}; name a later day with --until"
            ]
        )
    if until > today:
        raise SchemaError(
            [
                f"{path}: the refresh would end on {until}, which is after today ({today}); name an"
                " earlier day with --until"
            ]
        )
    version = next_version(out, today)
    inputs = read_inputs(
        path, {"data_to": until, "created": today, "version": version, "kind": "update"}
    )
    refuse_unplanned(inputs.config, inputs.codelists)
    built = build(inputs, out, private, progress=progress)
    write_private(private / "build_report.txt", build_text(built))
    seen, before = _seen(built.tally), _remembered(private)
    news = compare(before, seen)
    write_private(
        private / MEMORY,
        json.dumps(
            {"columns": seen.columns, "values": dict(seen.values), "months": dict(seen.months)},
            ensure_ascii=False,
        ),
    )
    return Refreshed(built, news, version, until)


def next_version(out: Path, today: date) -> str:
    """The version after that of the live release: the year, and the next number in it."""
    try:
        live = str(json.loads((out / "datapackage.json").read_text(encoding="utf-8"))["version"])
        year, number = (int(part) for part in live.split(".")[:2])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{today.year}.1"
    return f"{today.year}.1" if today.year > year else f"{year}.{number + 1}"


def _seen(tally: Tally) -> Seen:
    values = {
        name: tuple(sorted({text for text, _code, _n in report.rows if text}))
        for name, report in tally.values.items()
    }
    months = next(iter(tally.by_month.values()), {})
    return Seen(tally.columns, values, {month: rows for month, (_filled, rows) in months.items()})


def _remembered(private: Path) -> Seen | None:
    try:
        data: dict[str, Any] = json.loads((private / MEMORY).read_text(encoding="utf-8"))
        return Seen(
            tuple(data["columns"]),
            {name: tuple(texts) for name, texts in data["values"].items()},
            dict(data["months"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def compare(before: Seen | None, now: Seen) -> News:
    """What is new."""
    if before is None:
        return News((), (), {}, 0, {}, {}, True)
    values = {
        name: tuple(text for text in texts if text not in before.values.get(name, ()))
        for name, texts in now.values.items()
    }
    steps = {month: now.months.get(month, 0) - n for month, n in before.months.items()}
    return News(
        tuple(name for name in now.columns if name not in before.columns),
        tuple(name for name in before.columns if name not in now.columns),
        {name: texts for name, texts in values.items() if texts},
        sum(n for month, n in now.months.items() if month not in before.months),
        {month: n for month, n in steps.items() if n > 0},
        {month: -n for month, n in steps.items() if n < 0},
        False,
    )
