"""The example city a year earlier: what its agency file and exports said then.

The later release corrects one figure, rewords one rule, and counts some calls that were written
down late, so that readers can see how such changes are shown.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from anonymize.demo.auditors_fields import HEADER as ASKED

UNTIL = "2025-01-01"
"""Nothing from this day on was known then."""
LATE_FROM, LATE_PERCENT = "2024-12-01", 2
"""First day, and per cent of the calls since then that were written down late."""
AGENCY = {
    'version = "2026.1"': 'version = "2025.1"',
    "created = 2026-01-15": "created = 2025-01-15",
    "data_to = 2025-12-31": "data_to = 2024-12-31",
    "next_update = 2027-01-15": "next_update = 2026-01-15",
}
TABLES = (
    "calls_by_month_area",
    "calls_by_month_type",
    "coverage_on_duty",
    "not_served",
    "triage",
    "arrests",
    "force",
    "wait_by_area",
    "people",
    "repeat_30",
)
"""Fewer tables were published then."""
Row = dict[str, str]


def write_earlier(folder: Path, agency_file: Path) -> Path:
    """Write the earlier agency file and exports into `folder`, from today's exports next to
    `agency_file`; gives the agency file's path."""
    exports = agency_file.parent / "exports"
    (folder / "exports").mkdir(parents=True, exist_ok=True)
    text = agency_file.read_text(encoding="utf-8")
    for now, then in AGENCY.items():
        assert text.count(now) == 1, now
        text = text.replace(now, then)
    text = re.sub(r"(?m)^(kind|reason) = .*\n", "", text)  # the first release corrects nothing
    for name in ASKED:  # nobody wrote these down then
        found = re.search(rf'(?m)^(\w+) = "{name}"\n', text)
        assert found, name
        text = text.replace(found[0], "")
        text = re.sub(rf"(?m)^\[calls\.values\.{found[1]}\]\n(?:.+\n)+\n", "", text)
    rule = text.index("[definitions.eligible]")
    text = text[:rule] + EARLIER_RULE + text[text.index("[calls]", rule) :]
    head, *tables = re.split(r"(?m)^(?=\[\[(?:tables|statistics)\]\])", text)
    text = head + "".join(
        table for table in tables if any(f'name = "{name}"' in table for name in TABLES)
    )
    (folder / "agency.toml").write_text(text, encoding="utf-8")
    for path in sorted(
        path for path in exports.iterdir() if path.is_file()
    ):  # not what another run is making, or left when it was killed
        target = folder / "exports" / path.name
        if path.suffix == ".csv":
            _filter(path, target)
        else:
            target.write_bytes(path.read_bytes())
    return folder / "agency.toml"


EARLIER_RULE = """[definitions.eligible]
version = 1
since = 2024-01-01
en = "A mental-health or suicide call, or a welfare check, with nobody armed."
es = "Una llamada por salud mental o suicidio, o una visita de bienestar, sin personas armadas."

"""


def _late(call_id: str, day: str) -> bool:
    return (
        day >= LATE_FROM
        and int(hashlib.sha256(call_id.encode()).hexdigest(), 16) % 100 < LATE_PERCENT
    )


def _corrected(row: Row) -> Row:
    """Of this figure the earlier release had another: officers who took one course in a year were
    counted twice."""
    wrong = row["year"] == "2024" and row["course"].startswith("Crisis intervention")
    return row | {"trained": "236"} if wrong else row


KNOWN: dict[str, Callable[[Row], bool]] = {
    "calls.csv": lambda r: r["received"] < UNTIL and not _late(r["incident_no"], r["received"]),
    "handoffs.csv": lambda r: r["connected_at"] < UNTIL,
    "all_calls.csv": lambda r: r["month"] < UNTIL[:7],
    "urgent_calls.csv": lambda r: r["received"] < UNTIL,
    "shifts.csv": lambda r: r["end"] < UNTIL,
    "staffing.csv": lambda r: r["month"] < UNTIL[:7],
    "budget.csv": lambda r: r["year"] <= "2025",
    "training.csv": lambda r: r["year"] <= "2024",
    "targets.csv": lambda r: r["set_on"] < UNTIL,
    "program_events.csv": lambda r: r["date"] < UNTIL,
    "survey.csv": lambda r: r["wave"] < UNTIL,
}
THEN: dict[str, Callable[[Row], Row]] = {
    "training.csv": _corrected,
    "targets.csv": lambda row: row | {"serves": ""},
    "shifts.csv": lambda row: row | {"area": ""},
}


def _filter(source: Path, target: Path) -> None:
    with (
        source.open(newline="", encoding="utf-8") as read,
        target.open("w", newline="", encoding="utf-8") as write,
    ):
        rows = csv.DictReader(read)
        writer = csv.DictWriter(write, list(rows.fieldnames or ()), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if KNOWN.get(source.name, lambda _: True)(row):
                writer.writerow(THEN.get(source.name, lambda r: r)(row))
