"""What a build did, for the analyst: where every row went, and what was withheld. Private."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from anonymize.agency.schema import TableSpec
from anonymize.command_name import command_name
from anonymize.count.tables import Table
from anonymize.pipeline import Built, Trial
from anonymize.portrait.tally_text import tally_text
from anonymize.protect import Protected, System
from anonymize.protect.coarsen import Advice, share
from anonymize.protect.primary import small_counts
from anonymize.release.publish import CODE_LENGTH

TOO_MUCH = 25.0
"""Per cent of a table: where more is withheld, coarser levels show more."""


def build_text(built: Built) -> str:
    """The tally, what was withheld and why, what it cost readers, how far from the proven bound,
    and the audit."""
    protected = built.protected
    lines = [tally_text(built.tally), ""]
    lines += advice_lines(built.advice)
    lines += [
        "Withheld (cells of the table; of them by a first-round rule; sum of the counts withheld;"
        " share of use lost to readers):"
    ]
    lines += table_lines(built.tables, built.system, protected)
    lines += ["", "Why (distinct cells over all tables):", *_reasons(built)]
    lines += [
        "",
        "Cost to readers (a cell's cost grows with its count and its coarseness):",
        f"  {100 * lost(built.system, protected):.1f} % in all",
    ]
    if protected.bound > 0:
        lines.append(
            "  proven: no way of protecting the small counts costs less than"
            f" {100 * protected.bound / _whole_cost(built.system):.1f} %; this one costs"
            f" {protected.cost / protected.bound:.2f} times that bound"
        )
    proofs = built.certificates
    lines += [
        "",
        (
            f"Proofs: {len(proofs.cells):,} first-round cells, each with two whole-number tables"
            f" ({proofs.moves.shape[0]:,} tables in all), checked."
        ),
    ]
    lines += [f"Audit rounds: {built.rounds}", built.report.to_text(details=False)]
    lines += [
        "",
        (
            f"Code of this report: {built.digest[:CODE_LENGTH]} (give it to '{command_name()}"
            " publish' once you have read all of this)"
        ),
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
            f"  {table.name}: {hidden.sum():,} of {ids.size:,} ({share:.0f} %);"
            f" {system.sensitive[ids].sum():,}; {table.values[hidden].sum():,};"
            f" {100 * cost[hidden].sum() / cost.sum():.1f} %"
        )
        if share > TOO_MUCH:
            lines.append(
                f"    more than a quarter of this table is withheld; '{command_name()} plan' looks"
                " for coarser levels that show more"
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
        lines.append(
            f"  {other.sum():,}: few people behind many calls, or all but a few of a group in one"
            " category"
        )
    lines.append(
        f"  {second.sum():,}: so that the others cannot be worked out"
        f" ({(second & (system.values == 0)).sum():,} of them are zeros)"
    )
    return lines


def advice_lines(advice: Advice) -> list[str]:
    lines = [f"  {table}: {what}" for table, what in advice.steps]
    lines += [
        f"  {name}: {' + '.join(group)} as one area"
        for name, groups in advice.merged.items()
        for group in groups
    ]
    text = ["Made coarser:", *lines, ""] if lines else []
    return (
        [*text, "Made finer:", *(f"  {table}: {what}" for table, what in advice.finer), ""]
        if advice.finer
        else text
    )


def tables_text(tried: Sequence[TableSpec], advice: Advice, written: str) -> str:
    """Which tables a drafted file will make. `written`: its new lines, where tables were written
    into it."""
    lines = [f"Tables tried, privately: {len(tried)}"]
    if advice.steps or advice.merged:
        lines += [line for line in advice_lines(advice) if line]
    else:
        lines.append("  none has to be coarser")
    if written:
        lines.append(
            f"  left out: {', '.join(advice.hopeless)}; the others are now in the file ({written})"
        )
    elif advice.changes:
        lines.append("  'build' makes them so by itself: the file says apply = true under [plan]")
    return "\n".join(lines)


def plan_text(asked: Trial, advised: Trial, advice: Advice) -> str:
    """What the tables as asked for would lose, what the advisor proposes, and what readers would
    gain and lose by it."""
    lines = [
        "As asked for (cells; small; withheld; share of use lost to readers):",
        *_trial_lines(asked),
        "",
    ]
    if not advice.changes:
        return "\n".join(
            [
                *lines,
                (
                    "Nothing to change: every table is within the limit of [plan]"
                    " most_small_percent, and none could be finer and stay within it."
                ),
            ]
        )
    lines += [
        *advice_lines(advice),
        "With that:",
        *_trial_lines(advised),
        "",
        *_gains(asked, advised),
        "",
    ]
    lines += [
        f"To have this in the agency file: {command_name()} plan AGENCY.toml --write (comments and"
        " layout stay as they are)."
    ]
    if not advice.finer:
        lines += ["Or let 'build' make tables coarser by itself: apply = true under [plan]."]
    return "\n".join(lines)


def _gains(asked: Trial, advised: Trial) -> list[str]:
    """Counts that readers see of each table that changes, before and after. Counts shown are
    published ones, so nothing withheld is disclosed."""
    before, after = _shown(asked), _shown(advised)
    changed = {
        spec.name for spec, old in zip(advised.specs, asked.specs, strict=True) if spec != old
    }
    lines = [
        "What readers gain and lose (numbers that can be read; of them with the finest detail):"
    ]
    for name in after:
        if asked.inputs.areas != advised.inputs.areas or name in changed:
            old = f"{before[name][0]:,}; {before[name][1]:,}" if name in before else "none"
            lines.append(f"  {name}: {old} before, {after[name][0]:,}; {after[name][1]:,} after")
    return lines if len(lines) > 1 else []


def _shown(trial: Trial) -> dict[str, tuple[int, int]]:
    """Table -> cells that are shown, and how many of them are at the finest level of every
    dimension."""
    if trial.system is None or trial.protected is None:
        return {}
    found = {}
    for table, ids in zip(trial.tables, trial.system.where, strict=True):
        shown = ~trial.protected.withheld[ids].reshape(table.values.shape)
        fine = shown[
            np.ix_(
                *(
                    [i for i, c in enumerate(d.codes) if d.codelist.by_code[c].level == d.finest]
                    for d in table.dimensions.values()
                )
            )
        ]
        found[table.name] = int(shown.sum()), int(fine.sum())
    return found


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
            (
                f"  all tables together lose {100 * lost(trial.system, trial.protected):.1f} % of"
                " their use to readers (before the audit)"
            ),
        ]
    return [*lines, f"  cannot be protected as they are: {trial.reason}"]


def write_private(path: Path, text: str) -> None:
    """Readable by its owner alone."""
    with open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as handle:
        handle.write(text + "\n")
