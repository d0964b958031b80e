"""What a build did, for the analyst: where every row went, and what was withheld. Private."""

from __future__ import annotations

import os
from pathlib import Path

from anonymize.pipeline import Built
from anonymize.records import OUTSIDE, REASONS, Tally


def tally_text(tally: Tally) -> str:
    """Where every row went, how complete each field is."""
    lines = [
        f"Rows read: {tally.rows:,} from {', '.join(tally.files)}",
        f"  counted as calls: {tally.counted:,}",
        f"  further rows of a call already counted: {tally.repeated:,}",
        f"  rejected: {sum(tally.rejected.values()):,}",
    ]
    for reason, number in sorted(tally.rejected.items()):
        meaning = REASONS.get(reason, f"the field {reason.removeprefix('no_')} is blank and has no 'unknown'")
        lines.append(f"    {number:,}: {meaning}{'' if reason != OUTSIDE else ' (not counted towards the limit)'}")
    if tally.conflicting_repeats:
        lines.append(f"  calls whose rows differ in a field that is read: {tally.conflicting_repeats:,} (one row was kept)")
    if fell_back := tally.notes.get("time_from_year_and_month"):
        lines.append(f"  calls with an impossible date, taken from year and month: {fell_back:,}")
    lines.append("Completeness (share of counted calls with a usable value):")
    for name, (filled, total) in tally.completeness.items():
        lines.append(f"  {name}: {100 * filled / total if total else 0:.1f} %")
    return "\n".join(lines)


def build_text(built: Built) -> str:
    """The tally, each table's share withheld, and the audit."""
    system, withheld = built.system, built.protected.withheld
    lines = [tally_text(built.tally), "", "Withheld (cells of the table; of them small or telling; sum of the counts withheld):"]
    for table, ids in zip(built.tables, system.where, strict=True):
        hidden = withheld[ids]
        share = 100 * hidden.sum() / ids.size
        lines.append(
            f"  {table.name}: {hidden.sum():,} of {ids.size:,} ({share:.0f} %); {system.sensitive[ids].sum():,}; {table.values[hidden].sum():,}"
        )
        if share > 25:
            lines.append("    more than a quarter of this table is withheld; coarser levels would show readers more")
    lines += ["", f"Audit rounds: {built.rounds}", built.report.to_text(details=False)]
    return "\n".join(lines)


def write_private(path: Path, text: str) -> None:
    """Readable by its owner alone."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text + "\n")
