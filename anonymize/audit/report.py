"""Run all attacks on one release folder and say what they found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from anonymize.audit.equations import COMPLEMENT, EARLIER, Equations, equations, issue_of
from anonymize.audit.feasibility import Contradiction, Verdict, judge
from anonymize.audit.reader import (
    Finding,
    Key,
    PublicRelease,
    PublicStatistic,
    PublicTable,
    read_earlier,
    read_known,
    read_release,
)
from anonymize.progress import QUIET, Progress

FORMAT = 1
BESIDE = "beside statistics"
ATTACKS = {
    "bytes": "each file is the one that datapackage.json describes",
    "undeclared": "no file, column, code or row beyond those declared",
    "marks": "one mark for withheld cells, with nothing behind it",
    "known rules": "no published count between 1 and the threshold",
    "across tables": "no cell withheld in one table and published in another",
    "contradiction": "the published counts agree with each other",
    "complement": "no small group left over where nearly everyone is in one category",
    "pinned": "no withheld count can be worked out",
    "narrow": "no withheld count can be narrowed inside the small range",
    "statistics": "no median or number of people for a withheld count, on too few, or too exact",
    BESIDE: (
        "no withheld count can be worked out or narrowed with the help of medians and other "
        "statistics"
    ),
    "earlier releases": (
        "each earlier release is kept as it was, and comparing them all narrows no withheld count"
    ),
    "insider": "nobody who knows of one call of a withheld cell can narrow its neighbour in a sum",
}
CLOCKS = ("minutes_", "hours_committed", "hours_others_freed")
"""How names of measures of time begin: each rests on the calls with both times on record."""
ASKED_OF = {"minutes_to_backup": "backup_requested", "hours_others_freed": "other_units_came"}
"""Measure -> field in which each call that it rests on has `yes`: so of these calls alone it may be
shown, or the number that it rests on tells of theirs."""
UNTIMED = ("wait", "officer_released")
"""Dimensions in which a call without a time is `unknown`."""
OUTSIDE = "outside"
"""Not part of `audit.json`: what an attacker could do who also knows the counts that the operator
lists."""


@dataclass
class AuditReport:
    """The verdict on one release. `tested`: how often each attack was tried; `findings`: what it
    found. No findings mean a pass."""

    version: str
    threshold: int
    datapackage_sha256: str
    cells: int = 0
    withheld: int = 0
    findings: list[Finding] = field(default_factory=list)
    tested: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> bool:
        return not self.findings

    def to_json(self) -> str:
        """`audit.json`: numbers of cells and findings, never which cells."""
        found = Counter(f.attack for f in self.findings)
        return (
            json.dumps(
                {
                    "format": FORMAT,
                    "version": self.version,
                    "datapackage_sha256": self.datapackage_sha256,
                    "threshold": self.threshold,
                    "passed": self.passed,
                    "cells": self.cells,
                    "withheld": self.withheld,
                    "attacks": [
                        {
                            "attack": name,
                            "meaning": meaning,
                            "tested": self.tested[name],
                            "found": found[name],
                        }
                        for name, meaning in ATTACKS.items()
                    ],
                    "solver": f"HiGHS {version('highspy')}",
                },
                indent=1,
            )
            + "\n"
        )

    def to_text(self, *, details: bool = True) -> str:
        """For a person. `details` names the cells (by their public codes) that failed."""
        lines = [
            (
                f"Release {self.version}, threshold {self.threshold}: {self.cells:,} cells, "
                f"{self.withheld:,} withheld."
            ),
            *(
                f"  {'ok  ' if not any(f.attack == name for f in self.findings) else 'FAIL'} "
                f"{name}: {meaning}"
                for name, meaning in ATTACKS.items()
            ),
        ]
        if details:
            for finding in self.findings[:50]:
                cell = ", ".join(f"{d}={c}" for d, c in finding.cell)
                lines.append(
                    f"  - [{finding.attack}] {finding.table}{' ' if finding.table else ''}{cell}: "
                    f"{finding.message}"
                )
            if len(self.findings) > 50:
                lines.append(f"  - and {len(self.findings) - 50} more")
        lines.append(
            "PASSED: the promise holds."
            if self.passed
            else f"FAILED: {len(self.findings)} finding(s). Do not publish this release."
        )
        return "\n".join(lines)


def audit_release(
    folder: Path, progress: Progress = QUIET, known: Path | None = None
) -> AuditReport:
    """Attack the release in `folder`. Raises AuditError when no verdict can be reached.

    `known`: a TOML file of counts that an attacker may have from elsewhere (see `read_known`).
    """
    release = read_release(folder)
    earlier = read_earlier(folder, release)
    report = AuditReport(release.version, release.threshold, release.datapackage_sha256)
    report.findings += release.findings
    report.cells = sum(len(table.cells) for table in release.tables)
    report.withheld = sum(cell.value is None for table in release.tables for cell in table.cells)
    for name in ("bytes", "undeclared", "marks", "known rules", "across tables", "contradiction"):
        report.tested[name] = report.cells
    for table in release.tables:
        _complements(table, release, report)
        _insiders(table, release, report)
    counts = {
        cell.key: cell.value
        for table in release.tables
        for cell in table.cells
        if cell.value is not None
    }
    secret = any(
        cell.value is None and _untimed(cell.key)
        for table in release.tables
        for cell in table.cells
    )
    for statistic in release.statistics:
        _statistic(statistic, counts, secret, report)
        name = ASKED_OF.get(statistic.measure, "")
        if name in release.trees and (name, "yes") not in statistic.where:
            message = f"it tells how many calls have {name}, which no count is published with"
            report.findings.append(Finding("statistics", message, statistic.name))
    for universe in dict.fromkeys(table.universe for table in release.tables):
        _intervals(
            [t for t in release.tables if t.universe == universe],
            release,
            earlier,
            report,
            progress,
        )
    report.tested["earlier releases"] = sum(
        len(table.cells) for past in earlier for table in past.tables
    )
    if known is not None:
        _outside(read_known(known, release), release, earlier, report, progress)
    return report


def _outside(
    known: list[PublicTable],
    release: PublicRelease,
    earlier: list[PublicRelease],
    report: AuditReport,
    progress: Progress,
) -> None:
    """All equations again, with what is known from elsewhere among them: which findings are new?"""
    seen = {(f.attack, f.cell) for f in report.findings}
    for universe in dict.fromkeys(table.universe for table in known):
        again = AuditReport(release.version, release.threshold, release.datapackage_sha256)
        tables = [t for t in [*release.tables, *known] if t.universe == universe]
        _intervals(tables, release, earlier, again, progress)
        for finding in again.findings:
            if (finding.attack, finding.cell) not in seen:
                report.findings.append(
                    Finding(
                        OUTSIDE,
                        f"with what is known from elsewhere: {finding.message}",
                        "",
                        finding.cell,
                    )
                )


def _untimed(key: Key) -> bool:
    return any(name in UNTIMED and code.split(".")[0] == "unknown" for name, code in key)


def _statistic(
    statistic: PublicStatistic, counts: Mapping[Key, int], secret: bool, report: AuditReport
) -> None:
    """Check each row of a statistic: its count is published, it rests on enough calls, and it is
    rounded as declared.

    `counts`: all that are published. `secret`: whether some number of calls without a time is
    withheld.
    """
    base = list(statistic.rounding)[-1]
    timed, step = statistic.measure.startswith(CLOCKS), statistic.rounding[base]
    least = statistic.minimum // step * step if timed else statistic.minimum - step / 2
    for key, numbers in statistic.rows:
        report.tested["statistics"] += 1
        if numbers is None:
            continue
        wrong = ""
        if key not in counts:
            wrong = "its count is withheld or not published"
        elif statistic.minimum < report.threshold or numbers[base] < least:
            wrong = "it rests on too few"
        elif timed and (
            counts[key] < statistic.minimum + report.threshold - 1
            or (
                numbers[base] > statistic.minimum
                if secret
                else counts[key] - numbers[base] < report.threshold - 1
            )
        ):
            # The count less `based_on` is the number of calls without a time: the small range must
            # stay open, and where such a number is withheld, nothing about it may follow.
            wrong = "with the count beside it, it tells how many calls have no time"
        elif any(numbers[column] % step for column, step in statistic.rounding.items()):
            wrong = "it is more exact than declared"
        elif "people_again" in numbers:
            parts = (numbers["people_again"], numbers[base] - numbers["people_again"])
            if any(
                0 < part <= report.threshold - 1 - statistic.rounding[base] / 2 for part in parts
            ):
                wrong = "it tells of a small group"
        if wrong:
            report.findings.append(
                Finding(
                    "statistics",
                    f"a statistic is shown although {wrong}",
                    statistic.name,
                    tuple(sorted(key)),
                )
            )


def _insiders(table: PublicTable, release: PublicRelease, report: AuditReport) -> None:
    """Find two withheld cells alone in a published sum: who knows of one call in one of them has
    an upper bound on the other."""
    sums: dict[tuple[Key, str, str], tuple[list[Key], int]] = {}
    values = {cell.key: cell.value for cell in table.cells}
    for cell in table.cells:
        for name, levels in table.levels.items():
            code = dict(cell.key).get(name)
            if code is None:
                continue
            level = next(lv for lv in levels if code in release.trees[name].levels[lv])
            above = release.trees[name].above(levels[levels.index(level) - 1])[code]
            rest = cell.key - {(name, code)}
            hidden, shown = sums.get((rest, name, f"{above} {level}"), ([], 0))
            sums[rest, name, f"{above} {level}"] = (
                ([*hidden, cell.key], shown) if cell.value is None else (hidden, shown + cell.value)
            )
    for (rest, name, marked), (hidden, shown) in sums.items():
        above = marked.split(" ")[0]
        whole = values.get(rest | ({(name, above)} if above != "all" else set()))
        report.tested["insider"] += len(hidden) == 2
        if len(hidden) == 2 and whole is not None and 0 < whole - shown < release.threshold:
            message = (
                "with one more withheld cell it makes up fewer than the threshold of a published "
                "sum"
            )
            report.findings += [
                Finding("insider", message, table.name, tuple(sorted(key))) for key in hidden
            ]


def _complements(table: PublicTable, release: PublicRelease, report: AuditReport) -> None:
    """Find published cells that leave only a few of a published parent along the sensitive
    attribute."""
    name = table.sensitive_attribute
    if name is None:
        return
    values = {cell.key: cell.value for cell in table.cells}
    for cell in table.cells:
        codes = dict(cell.key)
        if name not in codes or cell.value is None:
            continue
        parent, rest = release.trees[name].parent[codes[name]], cell.key - {(name, codes[name])}
        while parent not in ("all", "") and rest | {(name, parent)} not in values:
            parent = release.trees[name].parent[parent]
        if release.trees[name].only_child(codes[name], parent):
            continue
        whole = values.get(rest | ({(name, parent)} if parent not in ("all", "") else set()))
        report.tested["complement"] += 1
        if whole and 0 <= whole - cell.value < release.threshold:
            who = "all" if whole == cell.value else "all but a few"
            report.findings.append(
                Finding(
                    "complement",
                    f"{who} of the cell above are in this one",
                    table.name,
                    tuple(sorted(cell.key)),
                )
            )


def _intervals(
    tables: list[PublicTable],
    release: PublicRelease,
    earlier: list[PublicRelease],
    report: AuditReport,
    progress: Progress,
) -> None:
    nobody = {cell.key for table in tables for cell in table.cells if cell.value == 0}
    nobody |= {
        cell.key | {(EARLIER, past.version)}
        for past in earlier
        for table in past.tables
        for cell in table.cells
        if cell.value == 0
    }

    def said(
        statistics: Sequence[PublicStatistic], past: Sequence[PublicRelease], found: list[Finding]
    ) -> Equations:
        newest = replace(issue_of(release), version="", tables=tables, statistics=statistics)
        revised = (release.revised_months, release.revised_at_most)
        return equations(newest, found, past, revised)

    def leaks(system: Equations) -> dict[Key, str]:
        """How each withheld cell that is not safe can be narrowed."""
        verdicts = judge(
            system,
            release.threshold,
            lambda done, total: progress.share(done, total, "withheld cells attacked"),
        )
        cells = zip(system.hidden_cells, verdicts, strict=True)
        return {
            key: v.reason
            for key, v in cells
            if not (v.safe or _nothing_small(key, v, release.threshold, nobody))
        }

    found: list[Finding] = []
    system = said(release.statistics, earlier, found)
    report.findings += found
    if any(f.attack == "contradiction" for f in found):
        return
    try:
        told = leaks(system)
    except Contradiction:
        report.findings.append(
            Finding(
                "contradiction",
                "no table of whole numbers fits what is published",
                tables[0].universe,
            )
        )
        return
    for attack, number in (
        ("pinned", len(system.hidden_cells)),
        ("narrow", len(system.hidden_cells)),
        (BESIDE, system.told),
    ):
        report.tested[attack] += number
    # Does the leak need statistics, and if so, do those of earlier releases suffice?
    silent = [replace(past, statistics=[]) for past in earlier]
    counts_alone = leaks(said([], silent, []).only(told)) if told and system.told else told
    earlier_alone = (
        leaks(said([], earlier, []).only(told)) if len(counts_alone) < len(told) else told
    )
    for key, reason in told.items():
        attack = (
            reason
            if key in counts_alone
            else "earlier releases"
            if key in earlier_alone
            else BESIDE
        )
        message = (
            "its value follows from what is published"
            if reason == "pinned"
            else f"it can be narrowed inside 1 to {release.threshold - 1}"
        )
        if attack == "earlier releases":
            message += " with a statistic of an earlier release; use coarser levels for it"
        report.findings.append(Finding(attack, message, "", tuple(sorted(key))))


def _nothing_small(key: Key, verdict: Verdict, threshold: int, nobody: set[Key]) -> bool:
    """A remainder known to be large reveals no small group. One known to be 0 reveals everyone's
    category, unless nobody is there."""
    left_over = any(code.startswith(COMPLEMENT) for _, code in key)
    return (
        left_over
        and verdict.reason == "pinned"
        and (verdict.low >= threshold or _nobody(key, nobody))
    )


def _nobody(left_over: Key, nobody: set[Key]) -> bool:
    """Is the cell of which `left_over` is a remainder published as 0?"""
    name, marked = next(pair for pair in left_over if pair[1].startswith(COMPLEMENT))
    above = marked.split(" of ")[1]
    return left_over - {(name, marked)} | ({(name, above)} if above != "all" else set()) in nobody
