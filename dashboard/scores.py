"""Measures that can have a target: this year's share, the year's before, and whether chance could explain the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboard.answers import ELIGIBLE, REACHED
from dashboard.charts import share_words
from dashboard.language import _, percent, text
from dashboard.measures import measures
from dashboard.release import CountTable, Release
from dashboard.stats import counts_differ, shares_differ
from dashboard.views import Point, Share, in_part


@dataclass(frozen=True)
class Score:
    plain: str
    now: Share
    before: Share | None

    @property
    def shown(self) -> str:
        return share_words(self.now)

    @property
    def before_shown(self) -> str:
        return self.before.brief if self.before else "–"

    @property
    def trend(self) -> str:
        if self.before is None or self.before.share is None or self.now.share is None:
            return _("no year to compare")
        if in_part(*(side.status for share in (self.before, self.now) for side in (share.part, share.whole))):
            return _("no whole year to compare")
        a, b = self.now, self.before
        assert a.part.value is not None and a.whole.value is not None and b.part.value is not None and b.whole.value is not None
        if not shares_differ(a.part.value, a.whole.value, b.part.value, b.whole.value):
            return _("no clear change")
        return _("up") if self.now.share > self.before.share else _("down")

    @property
    def counts(self) -> str:
        """The counts behind the share."""
        return _("{part} of {whole} calls").format(part=self.now.part.shown, whole=self.now.whole.shown)

    def meets(self, target: float, direction: str) -> str:
        """met, missed, unclear (the interval holds the target) or unknown."""
        if self.now.interval is None or self.now.share is None:
            return "unknown"
        low, high = self.now.interval
        if low <= target <= high:
            return "unclear"
        above = low > target
        return "met" if above == (direction == "at_least") else "missed"


def trend_of_counts(now: Point, before: Point) -> str:
    """Up, down, or no clear change; nothing where one of the two is withheld or covers a part of its period only."""
    if now.value is None or before.value is None or {now.status, before.status} != {"published"}:
        return ""
    if not counts_differ(before.value, now.value):
        return _("no clear change")
    return _("up") if now.value > before.value else _("down")


def score(release: Release, measure: str, year: str) -> Score | None:
    """None where the agency does not report what the measure needs."""
    found = _SCORED.get(measure)
    if found is None:
        return None
    table = release.find(*found.dimensions, where=found.where)
    if table is None or year not in release.codelists["period"].codes or "year" not in table.levels.get("period", ()):
        return None
    if not all(release.holds(table, dimension, code) for dimension, code in {**found.part, **found.whole}.items()):
        return None  # the agency has codes of its own
    plain = next((m.plain for m in measures() if m.name == measure), measure)
    earlier = str(int(year) - 1)
    return Score(plain, _share(table, found, year), _share(table, found, earlier) if earlier in release.codelists["period"].codes else None)


@dataclass(frozen=True)
class Target:
    """One target that someone set, and what came of it."""

    measure: str
    year: str
    target: float
    direction: str
    set_on: date
    reason: str
    score: Score | None

    @property
    def plain(self) -> str:
        return self.score.plain if self.score else self.measure

    @property
    def target_words(self) -> str:
        words = _("at least {target}") if self.direction == "at_least" else _("at most {target}")
        return words.format(target=percent(self.target, 6))

    @property
    def actual(self) -> str:
        return self.score.shown if self.score else "–"

    @property
    def before(self) -> str:
        return self.score.before_shown if self.score else "–"

    @property
    def trend(self) -> str:
        return self.score.trend if self.score else "–"

    def quality(self, release: Release) -> str:
        """How far the fields behind the figure are filled."""
        filled = release.package.get("completeness", {})
        known = [filled[name] for name in _SCORED[self.measure].fields if name in filled] if self.measure in _SCORED else []
        if not known:
            return "–"
        return _("good") if min(known) >= GOOD else _("below 90 %: read with care")

    @property
    def result(self) -> str:
        """met, missed, unclear (the interval holds the target) or unknown."""
        return self.score.meets(self.target, self.direction) if self.score else "unknown"

    @property
    def result_words(self) -> str:
        return {"met": _("met"), "missed": _("not met"), "unclear": _("too close to call"), "unknown": _("no figure")}[self.result]


def targets(release: Release) -> list[Target]:
    """All targets in the order of the release; empty where the agency reports none."""
    rows = release.reference("targets")
    if rows is None:
        return []
    return [
        Target(
            row["measure"], str(row["year"]), float(row["target"]), row["direction"], date.fromisoformat(row["set_on"]), text(row, "reason"),
            score(release, row["measure"], str(row["year"])),
        )
        for row in rows.to_dict("records")
    ]  # fmt: skip


GOOD = 90
"""Per cent of calls with a field filled. Below it, read with care (MEASURES.md Q1)."""


@dataclass(frozen=True)
class _Scored:
    """`fields`: those of a call that the figure rests on."""

    dimensions: tuple[str, ...]
    part: dict[str, str]
    whole: dict[str, str]
    where: dict[str, str]
    fields: tuple[str, ...]


_SCORED = {
    "coverage": _Scored(("period", "responder"), REACHED, {}, ELIGIBLE, ("eligible", "responder")),
    "arrests": _Scored(("period", "responder", "arrest"), {**REACHED, "arrest": "yes"}, REACHED, {}, ("responder", "arrest")),
    "force": _Scored(("period", "responder", "force_used"), {**REACHED, "force_used": "yes"}, REACHED, {}, ("responder", "force_used")),
    "connected": _Scored(("period", "responder", "handoff"), {**REACHED, "handoff": "connected"}, REACHED, {}, ("responder",)),
    "wait_within_30": _Scored(("period", "wait"), {"wait": "within_30"}, {}, {}, ("arrived_at",)),
    "stayed": _Scored(("period", "outcome"), {"outcome": "stayed_with_plan"}, {}, {}, ("outcome",)),
}


def _share(table: CountTable, found: _Scored, year: str) -> Share:
    whole = Point(year, year, *table.cell({**found.whole, "period": year}))
    return Share(year, year, Point(year, year, *table.cell({**found.part, "period": year})), whole)


SCORED = tuple(_SCORED)
