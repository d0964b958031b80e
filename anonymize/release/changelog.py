"""CHANGELOG.md of a release: what changed since the release before, from what both publish and
nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from anonymize.agency.codelists import UNKNOWN, Codelist
from anonymize.agency.schema import Release
from anonymize.release.published import Revised

TITLE = "# Changes\n\n"
Labels = tuple[str, ...]
"""Of a code, one for each language."""


def changelog(
    release: Release, earlier: Path | None, revised: Revised, codelists: Mapping[str, Codelist]
) -> str:
    """The text of the changelog. `earlier`: the folder of the release before, whose own changelog
    follows; `codelists`: those that `release` publishes."""
    head = f"## {release.version} ({release.created})\n\n"
    period = f"Calls from {release.data_from} to {release.data_to}.\n"
    period += "".join(
        f"Not collected: {gap.first} to {gap.last}. {gap.reason.en}\n"
        for gap in release.not_collected
        if gap.reason
    )
    reason = f"Reason: {release.reason.en}\n" if release.reason else ""
    if earlier is None:
        return f"{TITLE}{head}First release. {period}{reason}"
    kind = "Correction" if release.kind == "correction" else "Scheduled update"
    if revised.months:
        what = (
            f"{kind}. In {len(revised.months)} month(s) that were out before, calls were added, "
            f"removed or coded anew: at most {revised.at_most} were coded anew."
        )
    else:
        what = f"{kind}. No count of a month that was out before has changed."
    codes = "".join(f"{line}\n" for line in _changed_codes(earlier, codelists))
    before = (earlier / "CHANGELOG.md").read_text(encoding="utf-8").removeprefix(TITLE)
    return f"{TITLE}{head}{what} {period}{reason}{codes}\n{before}"


def _changed_codes(earlier: Path, codelists: Mapping[str, Codelist]) -> list[str]:
    """Lines for codelists that are gone or new, and for codes of a codelist that are. New months
    are not a change of codes."""
    before = {path.stem: _labels(path) for path in (earlier / "codelists").glob("*.csv")}
    now = {
        name: {node.code: tuple(node.label.texts().values()) for node in codelist.nodes}
        for name, codelist in codelists.items()
    }
    lines = []
    for what, lists in (("gone", before.keys() - now.keys()), ("new", now.keys() - before.keys())):
        if lists:
            named = ", ".join(f"`{name}`" for name in sorted(lists))
            lines.append(f"Lists of codes that are {what}: {named}.")
    for name in sorted(before.keys() & now.keys()):
        gone = _only_in(before[name], now[name])
        new = _only_in(now[name], before[name]) if name != "period" else []
        told = [
            f"{what}: {', '.join(listed)}"
            for what, listed in (("gone", gone), ("new", new))
            if listed
        ]
        lines += [f"Codes of `{name}`, {'; '.join(told)}."] if told else []
    return lines


def _labels(path: Path) -> dict[str, Labels]:
    """Code -> labels, from the codelist of a release."""
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    return {
        row["code"]: tuple(text for name, text in row.items() if name.startswith("label_") and text)
        for row in rows
    }


def _only_in(one: Mapping[str, Labels], other: Mapping[str, Labels]) -> list[str]:
    """The codes of `one` that `other` lacks, each as `code` (label, and in other languages where
    that differs). Codes for "not recorded" below others are left out, as they come and go with
    them."""
    return [
        f"`{code}` ({' / '.join(dict.fromkeys(labels))})"
        for code, labels in one.items()
        if code not in other and (code == UNKNOWN or UNKNOWN not in code.split("."))
    ]
