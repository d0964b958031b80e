"""What a build did, for the analyst: where every row went, and what was withheld. Private."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from anonymize.command_name import command_name
from anonymize.pipeline import Built, Trial
from anonymize.plan import Advice, share
from anonymize.protect import Protected, System
from anonymize.protect.primary import small_counts
from anonymize.release.publish import CODE_LENGTH
from anonymize.tables import Table
from anonymize.tally_text import tally_text

TOO_MUCH = 25.0
"""Per cent of a table: where more is withheld, coarser levels show more."""


def build_text(built: Built) -> str:
    """The tally, what was withheld and why, what it cost readers, how far from the proven bound, and the audit."""
    protected = built.protected
    lines = [tally_text(built.tally), ""]
    lines += advice_lines(built.advice)
    lines += ["Withheld (cells of the table; of them by a first-round rule; sum of the counts withheld; share of use lost to readers):"]
    lines += table_lines(built.tables, built.system, protected)
    lines += ["", "Why (distinct cells over all tables):", *_reasons(built)]
    lines += [
        "",
        "Cost to readers (a cell's cost grows with its count and its coarseness):",
        f"  {100 * lost(built.system, protected):.1f} % in all",
    ]
    if protected.bound > 0:
        lines.append(
            f"  proven: no way of protecting the small counts costs less than {100 * protected.bound / _whole_cost(built.system):.1f} %; "
            f"this one costs {protected.cost / protected.bound:.2f} times that bound"
        )
    proofs = built.certificates
    lines += [
        "",
        f"Proofs: {len(proofs.cells):,} first-round cells, each with two whole-number tables ({proofs.moves.shape[0]:,} tables in all), checked.",
    ]
    lines += [f"Audit rounds: {built.rounds}", built.report.to_text(details=False)]
    lines += [
        "",
        f"Code of this report: {built.digest[:CODE_LENGTH]} (give it to '{command_name()} publish' once you have read all of this)",
    ]
    return "\n".join(lines)


def _whole_cost(system: System) -> float:
    return float(system.cost[~system.unpublished].sum())


def lost(system: System, protected: Protected) -> float:
    """Share (0 to 1) of all cells' use to readers that is withheld."""
    return protected.cost / _whole_cost(system) if _whole_cost(system) else 0.0


def table_lines(tables: Sequence[Table], system: System, protected: Protected) -> list[str]:
    lines = []
    for table, ids in zip(tables, system.where, strict=True):
        hidden = protected.withheld[ids]
        share, cost = 100 * hidden.sum() / ids.size, system.cost[ids]
        lines.append(
            f"  {table.name}: {hidden.sum():,} of {ids.size:,} ({share:.0f} %); {system.sensitive[ids].sum():,}; "
            f"{table.values[hidden].sum():,}; {100 * cost[hidden].sum() / cost.sum():.1f} %"
        )
        if share > TOO_MUCH:
            lines.append(
                f"    more than a quarter of this table is withheld; '{command_name()} plan' looks for coarser levels that show more"
            )
    return lines


def _reasons(built: Built) -> list[str]:
    system, threshold = built.system, built.report.threshold
    shown = ~system.unpublished
    small = shown & small_counts(system.values, threshold)
    other = shown & system.sensitive & ~small
    second = built.protected.withheld & shown & ~system.sensitive
    lines = [f"  {small.sum():,}: a count of 1 to {threshold - 1}"]
    if other.any():
        lines.append(f"  {other.sum():,}: few people behind many calls, or all but a few of a group in one category")
    lines.append(
        f"  {second.sum():,}: so that the others cannot be worked out ({(second & (system.values == 0)).sum():,} of them are zeros)"
    )
    return lines


def advice_lines(advice: Advice) -> list[str]:
    lines = [f"  {table}: {what}" for table, what in advice.steps]
    lines += [f"  {name}: {' + '.join(group)} as one area" for name, groups in advice.merged.items() for group in groups]
    return ["Made coarser:", *lines, ""] if lines else []


def plan_text(asked: Trial, advised: Trial, advice: Advice) -> str:
    """What the tables as asked for would lose, what the advisor proposes, and what that would show."""
    lines = ["As asked for (cells; small; withheld; share of use lost to readers):", *_trial_lines(asked), ""]
    if not advice.changes:
        return "\n".join([*lines, "Nothing to make coarser: every table is within the limit of [plan] most_small_percent."])
    lines += [*advice_lines(advice), "With that:", *_trial_lines(advised), ""]
    lines += ["To let 'build' do this, write in the agency file:", "  [plan]", "  apply = true", "or change these tables yourself:"]
    before = {spec.name: spec for spec in asked.specs}
    for spec in advised.specs:
        if spec != before[spec.name]:
            levels = ", ".join(f"{name} = [{', '.join(map(_quoted, levels))}]" for name, levels in spec.dimensions.items())
            lines.append(f"  {spec.name}: dimensions = {{ {levels} }}")
    return "\n".join(lines)


def _quoted(word: str) -> str:
    return f'"{word}"'


def _trial_lines(trial: Trial) -> list[str]:
    threshold = trial.inputs.config.file.privacy.threshold
    lines = []
    for i, table in enumerate(trial.tables):
        text = f"  {table.name}: {table.values.size:,}; {share(table, threshold):.0f} %"
        if trial.system and trial.protected:
            ids = trial.system.where[i]
            hidden, cost = trial.protected.withheld[ids], trial.system.cost[ids]
            text += f"; {100 * hidden.mean():.0f} %; {100 * cost[hidden].sum() / cost.sum():.1f} %"
        lines.append(text)
    if trial.system and trial.protected:
        return [
            *lines,
            f"  all tables together lose {100 * lost(trial.system, trial.protected):.1f} % of their use to readers (before the audit)",
        ]
    return [*lines, f"  cannot be protected as they are: {trial.reason}"]


def write_private(path: Path, text: str) -> None:
    """Readable by its owner alone."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text + "\n")
