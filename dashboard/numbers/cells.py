"""What a page shows of one table: the cells along one dimension, the others held at chosen codes.

A view only picks cells that the release publishes. It never adds, subtracts or joins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard.numbers.stats import SMALLEST_BASE, poisson, rule_of_three, wilson
from dashboard.release.reader import (
    INCOMPLETE,
    NOT_COLLECTED,
    ROOT,
    SUPPRESSED,
    Code,
    CountTable,
    Release,
)
from dashboard.text.language import _, number, percent, pick, rounded

TOO_FEW = "too_few"
"""The status of a number of a statistic that rests on fewer than its measure's smallest base."""


@dataclass(frozen=True)
class Point:
    """One cell as shown. `value` is None where withheld."""

    code: str
    label: str
    value: int | None
    status: str

    @property
    def shown(self) -> str:
        """The cell in words, for tables and labels."""
        return missing_word(self.status) if self.value is None else number(self.value)

    @property
    def brief(self) -> str:
        """The same, where no status is shown with it."""
        return marked(self.shown, self.status)


def withheld_word() -> str:
    return _("withheld")


def not_collected_word() -> str:
    return _("not collected")


def missing_word(status: str) -> str:
    """The words shown instead of a missing number."""
    return {
        SUPPRESSED: withheld_word(),
        NOT_COLLECTED: not_collected_word(),
        TOO_FEW: _("too few calls"),
    }.get(status, _("not reported"))


def in_part(*statuses: str) -> bool:
    """Does a number cover a part of its period only?"""
    return INCOMPLETE in statuses


def status_words(status: str) -> str:
    return {
        "published": _("published"),
        "suppressed": withheld_word(),
        "incomplete": part_words(),
        "not_collected": not_collected_word(),
        "not_applicable": _("does not apply"),
    }.get(status, status)


def marked(figure: str, *statuses: str) -> str:
    """A figure in words, and that it covers a part of its period only where it does."""
    return (
        _("{figure} (part of the period only)").format(figure=figure)
        if in_part(*statuses)
        else figure
    )


def part_words() -> str:
    return _("part of the period only")


def label_of(release: Release, dimension: str, code: str) -> str:
    return pick(release.codelists[dimension].codes[code].label)


def along(
    release: Release,
    table: CountTable,
    dimension: str,
    level: str,
    fixed: Mapping[str, str],
    under: str = ROOT,
) -> list[Point]:
    """The cells of `dimension` at `level` below `under`, the other dimensions at `fixed` or their
    roots."""
    codes: Sequence[Code] = release.codelists[dimension].under(under, level)
    return [Point(c.code, pick(c.label), *table.cell({**fixed, dimension: c.code})) for c in codes]


def codes_at(release: Release, dimension: str, level: str) -> list[str]:
    return [code.code for code in release.codelists[dimension].at(level)]


@dataclass(frozen=True)
class Share:
    """Part over whole; `share` is None where it may not be shown: a side has no number, covers less
    time than the other, or is too small."""

    code: str
    label: str
    part: Point
    whole: Point
    smallest_base: int = SMALLEST_BASE

    @property
    def share(self) -> float | None:
        if self.part.value is None or not self.whole.value or not rests_on_enough(self):
            return None
        return self.part.value / self.whole.value

    @property
    def interval(self) -> tuple[float, float] | None:
        if self.share is None or self.part.value is None or self.whole.value is None:
            return None
        return wilson(self.part.value, self.whole.value)

    @property
    def shown(self) -> str:
        if self.share is not None:
            return percent(self.share)
        return _why_none(self) or _("too few to show a share")

    @property
    def brief(self) -> str:
        """The share, and that it covers a part of its period only where it does."""
        return (
            self.shown
            if self.share is None
            else marked(self.shown, self.part.status, self.whole.status)
        )


def shares_of(
    release: Release,
    table: CountTable,
    dimension: str,
    level: str,
    part: Mapping[str, str],
    fixed: Mapping[str, str],
) -> list[Share]:
    """For each cell along `dimension`: the cell narrowed to `part`, over the cell itself."""
    wholes = along(release, table, dimension, level, fixed)
    parts = along(release, table, dimension, level, {**fixed, **part})
    return [Share(w.code, w.label, p, w) for p, w in zip(parts, wholes, strict=True)]


def mix_of(
    release: Release, table: CountTable, dimension: str, level: str, fixed: Mapping[str, str]
) -> list[Share]:
    """Each cell along `dimension` over their total, which the table publishes itself."""
    whole = Point(ROOT, label_of(release, dimension, ROOT), *table.cell({**fixed, dimension: ROOT}))
    return [
        Share(p.code, p.label, p, whole) for p in along(release, table, dimension, level, fixed)
    ]


def points_frame(points: Sequence[Point]) -> pd.DataFrame:
    """Columns code, label, value (nullable), shown, status, order."""
    return pd.DataFrame(
        {
            "code": [p.code for p in points],
            "label": [p.label for p in points],
            "value": pd.array([p.value for p in points], dtype="Int64"),
            "shown": [p.shown for p in points],
            "status": [p.status for p in points],
            "order": range(len(points)),
        }
    )


@dataclass(frozen=True)
class Rate:
    """Events per 1,000 calls, with its exact interval; both counts are published in one table."""

    code: str
    label: str
    part: Point
    whole: Point
    smallest_base: int = SMALLEST_BASE

    @classmethod
    def of(cls, share: Share) -> Rate:
        """The same two counts, as events per 1,000."""
        return cls(share.code, share.label, share.part, share.whole, share.smallest_base)

    @property
    def per_1000(self) -> float | None:
        if self.part.value is None or not self.whole.value or not rests_on_enough(self):
            return None
        return 1000 * self.part.value / self.whole.value

    @property
    def interval(self) -> tuple[float, float] | None:
        """For none at all: 0, and the rule of three."""
        if self.per_1000 is None or self.part.value is None or not self.whole.value:
            return None
        if self.part.value == 0:
            return 0.0, 1000 * rule_of_three(self.whole.value)
        low, high = poisson(self.part.value)
        return 1000 * low / self.whole.value, 1000 * high / self.whole.value

    @property
    def shown(self) -> str:
        if self.per_1000 is not None:
            return rounded(self.per_1000)
        return _why_none(self) or _("too few to show a rate")

    @property
    def brief(self) -> str:
        """The rate, and that it covers a part of its period only where it does."""
        return (
            self.shown
            if self.per_1000 is None
            else marked(self.shown, self.part.status, self.whole.status)
        )


def rests_on_enough(of: Share | Rate) -> bool:
    """May part over whole be shown: is the base as large as its measure asks, and do both sides
    cover the same time? The one place where that is decided."""
    return of.whole.value is not None and of.whole.value >= of.smallest_base and not _unlike(of)


def _unlike(of: Share | Rate) -> bool:
    """Does one side cover a part of the period, and the other the whole of it? Then one over the
    other is too low or too high."""
    return in_part(of.part.status) != in_part(of.whole.status)


def _why_none(of: Share | Rate) -> str:
    """Why a share or rate has no number; nothing where it rests on too few."""
    missing = [side.status for side in (of.part, of.whole) if side.value is None]
    if missing:
        return missing_word(
            NOT_COLLECTED
            if NOT_COLLECTED in missing
            else SUPPRESSED
            if SUPPRESSED in missing
            else missing[0]
        )
    return part_words() if _unlike(of) else ""


WHO = ("clinician", "no_clinician")
"""Codes of the dimension `responder` at its level `reached`."""


def by_who(
    release: Release, table: CountTable, dimension: str, code: str, fixed: Mapping[str, str]
) -> list[Share]:
    """Of the calls that a clinician reached, and of those that none reached: the share with
    `code`."""
    found = []
    for who in WHO:
        at = {**fixed, "responder": who}
        whole = Point(who, label_of(release, "responder", who), *table.cell(at))
        found.append(
            Share(
                who,
                whole.label,
                Point(who, whole.label, *table.cell({**at, dimension: code})),
                whole,
            )
        )
    return found


def over_time(
    release: Release, table: CountTable, fixed: Mapping[str, str], part: Mapping[str, str]
) -> list[Share]:
    """A share for each period at the table's finest level."""
    return shares_of(release, table, "period", table.finest("period"), part, fixed)
