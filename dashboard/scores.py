"""Measures that can have a target: this year's share, the year's before, and whether chance could explain the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboard.answers import ELIGIBLE, REACHED, years_of_shares
from dashboard.charts import share_words
from dashboard.language import _, percent, text
from dashboard.measures import measures
from dashboard.release import CountTable, Release
from dashboard.views import Point, Share, in_part
from dashboard.year_trend import RULES, clustering, last_break, trend, trend_words


@dataclass(frozen=True)
class Score:
    plain: str
    now: Share
    before: Share | None
    trend: str
    """Over three years and more, in words; empty where there is no share."""
    at_least: bool = False
    """The true share may be higher: not everyone who would know of a success tells."""

    @property
    def shown(self) -> str:
        return _("at least {share}").format(share=share_words(self.now)) if self.at_least else share_words(self.now)

    @property
    def before_shown(self) -> str:
        return self.before.brief if self.before else "–"

    @property
    def counts(self) -> str:
        """The counts behind the share; where it is a bound, that too."""
        return _("{part} of {whole} calls").format(part=self.now.part.shown, whole=self.now.whole.shown)

    def meets(self, target: float, direction: str) -> str:
        """met, missed, unclear (the interval holds the target) or unknown; cannot_tell where only the least that the share can be is known."""
        if self.now.interval is None or self.now.share is None:
            return "unknown"
        low, high = self.now.interval
        above = low > target
        if self.at_least and not above:
            return "cannot_tell"
        if low <= target <= high:
            return "unclear"
        return "met" if above == (direction == "at_least") else "missed"


def some_share_no_data(release: Release) -> bool:
    """Does any partner not tell of visits, or does nobody know?"""
    rows = release.reference("partner_agreements")
    return rows is None or bool((rows["data_sharing"] != "yes").any())


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
    known = [c.code for c in release.codelists["period"].at("year") if c.code <= year]
    over = years_of_shares([s for code in known if (s := _share(table, found, code)).share is not None and s.whole.status == "published"])
    now = _share(table, found, year)
    told = trend_words(trend(over, last_break(release, RULES, ("eligible",)), clustering(release)))
    if now.share is None:
        told = ""
    elif in_part(now.part.status, now.whole.status):
        told = _("no whole year to compare")
    before = _share(table, found, earlier) if earlier in release.codelists["period"].codes else None
    return Score(plain, now, before, told, measure == "connected" and some_share_no_data(release))


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
        return (self.score.trend if self.score else "") or "–"

    def quality(self, release: Release) -> str:
        """How far the fields behind the figure are filled."""
        if self.score and self.score.at_least:
            return _("some partners do not share data")
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
        return {
            "met": _("met"),
            "missed": _("not met"),
            "unclear": _("too close to call"),
            "cannot_tell": _("we cannot tell"),
            "unknown": _("no figure"),
        }[self.result]


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
"""Per cent of calls with a field filled. Below it, read with care."""


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
    "connected": _Scored(
        ("period", "responder", "handoff"), {**REACHED, "handoff": "connected"}, {**REACHED, "handoff": "agreed"}, {}, ("responder",)
    ),
    "wait_within_30": _Scored(("period", "wait"), {"wait": "within_30"}, {}, {}, ("arrived_at",)),
    "stayed": _Scored(("period", "outcome"), {"outcome": "stayed_with_plan"}, {}, {}, ("outcome",)),
}


def _share(table: CountTable, found: _Scored, year: str) -> Share:
    whole = Point(year, year, *table.cell({**found.whole, "period": year}))
    return Share(year, year, Point(year, year, *table.cell({**found.part, "period": year})), whole)


SCORED = tuple(_SCORED)
