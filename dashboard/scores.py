"""Measures that can have a target: this year's share, the year's before, and whether chance could explain the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboard.answers import ELIGIBLE, REACHED
from dashboard.charts import share_words
from dashboard.language import _, percent, text
from dashboard.measures import measures
from dashboard.release import CountTable, Release
from dashboard.stats import shares_differ
from dashboard.views import Point, Share


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
        return self.before.shown if self.before else "–"

    @property
    def trend(self) -> str:
        if self.before is None or self.before.share is None or self.now.share is None:
            return _("no year to compare")
        a, b = self.now, self.before
        assert a.part.value is not None and a.whole.value is not None and b.part.value is not None and b.whole.value is not None
        if not shares_differ(a.part.value, a.whole.value, b.part.value, b.whole.value):
            return _("no clear change")
        return _("up") if self.now.share > self.before.share else _("down")

    def meets(self, target: float, direction: str) -> str:
        """met, missed, unclear (the interval holds the target) or unknown."""
        if self.now.interval is None or self.now.share is None:
            return "unknown"
        low, high = self.now.interval
        if low <= target <= high:
            return "unclear"
        above = low > target
        return "met" if above == (direction == "at_least") else "missed"


def score(release: Release, measure: str, year: str) -> Score | None:
    """None where the agency does not report what the measure needs."""
    found = _SCORED.get(measure)
    if found is None:
        return None
    table = release.find(*found.dimensions, where=found.where)
    if table is None or year not in release.codelists["period"].codes or "year" not in table.levels.get("period", ()):
        return None
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
        return words.format(target=percent(self.target))

    @property
    def actual(self) -> str:
        return self.score.shown if self.score else "–"

    @property
    def before(self) -> str:
        return self.score.before_shown if self.score else "–"

    @property
    def trend(self) -> str:
        return self.score.trend if self.score else "–"

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


@dataclass(frozen=True)
class _Scored:
    dimensions: tuple[str, ...]
    part: dict[str, str]
    whole: dict[str, str]
    where: dict[str, str]


_SCORED = {
    "coverage": _Scored(("period", "responder"), REACHED, {}, ELIGIBLE),
    "arrests": _Scored(("period", "responder", "arrest"), {**REACHED, "arrest": "yes"}, REACHED, {}),
    "force": _Scored(("period", "responder", "force_used"), {**REACHED, "force_used": "yes"}, REACHED, {}),
    "connected": _Scored(("period", "responder", "handoff"), {**REACHED, "handoff": "connected"}, REACHED, {}),
    "wait_within_30": _Scored(("period", "wait"), {"wait": "within_30"}, {}, {}),
}


def _share(table: CountTable, found: _Scored, year: str) -> Share:
    whole = Point(year, year, *table.cell({**found.whole, "period": year}))
    return Share(year, year, Point(year, year, *table.cell({**found.part, "period": year})), whole)


SCORED = tuple(_SCORED)
