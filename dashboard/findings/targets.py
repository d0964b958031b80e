"""Measures that can have a target: this year's share, the year's before, and whether chance could
explain the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import floor, sqrt

from dashboard.figures.charts import Mark, share_words
from dashboard.findings.answers import years_of_shares
from dashboard.numbers.cells import Share, in_part
from dashboard.numbers.measures import Measure, measure
from dashboard.numbers.partners import most_connected
from dashboard.numbers.queries import REACHED
from dashboard.numbers.stats import Z, wilson
from dashboard.numbers.year_trend import RULES, clustering, last_break, trend, trend_words
from dashboard.release.reader import CountTable, Release
from dashboard.text.language import _, ngettext, number, percent, text


@dataclass(frozen=True)
class Score:
    plain: str
    now: Share
    before: Share | None
    trend: str
    """Over three years and more, in words; empty where there is no share."""
    most: int | None = None
    """At most how many of the whole may count, where not everyone who would know of a success
    tells; None where all do."""
    most_before: int | None = None
    """The same for the year before."""
    inflation: float = 1.0
    """By how much people who call again multiply the variance (`year_trend.clustering`)."""

    @property
    def shown(self) -> str:
        words, most = share_words(self.now), _share_of_most(self.now, self.most)
        if most is None:
            return words
        return (
            _("at least {share}").format(share=words)
            if most >= 1
            else _("at least {share}, at most {most}").format(share=words, most=percent(most))
        )

    @property
    def brief(self) -> str:
        """The share, without its counts."""
        return bounded(self.now, self.most)

    @property
    def before_shown(self) -> str:
        return bounded(self.before, self.most_before) if self.before else "–"

    @property
    def counts(self) -> str:
        """The counts behind the share."""
        return _("{part} of {whole} calls").format(
            part=self.now.part.shown, whole=self.now.whole.shown
        )

    @property
    def limits(self) -> tuple[float, float] | None:
        """The interval that a target is held against: Wilson's, as wide as calls of the same people
        make it. Where the share has bounds, it runs from the low end for the lower one to the high
        end for the upper one (Horowitz and Manski 2000). None where there is no share."""
        part, whole = self.now.part.value, self.now.whole.value
        if self.now.share is None or part is None or whole is None:
            return None
        z = Z * sqrt(self.inflation)
        most = part if self.most is None else self.most
        return wilson(part, whole, z)[0], wilson(most, whole, z)[1]

    def meets(self, target: float, direction: str) -> str:
        """met, missed, unclear (chance alone puts the target within the interval), cannot_tell (so
        does what nobody tells) or unknown."""
        if self.limits is None or self.now.share is None or self.now.whole.value is None:
            return "unknown"
        low, high = self.limits
        if low > target or high < target:
            return "met" if (low > target) == (direction == "at_least") else "missed"
        if self.most is not None and self.now.share <= target <= self.most / self.now.whole.value:
            return "cannot_tell"
        return "unclear"


def _share_of_most(share: Share, most: int | None) -> float | None:
    """The upper bound of a share; None where there is none, or no share."""
    whole = share.whole.value
    return None if share.share is None or most is None or not whole else most / whole


def bounded(share: Share, most: int | None) -> str:
    """A share in a few words, with its bounds where it has some."""
    high = _share_of_most(share, most)
    if high is None:
        return share.brief
    if high >= 1:
        return _("at least {share}").format(share=share.brief)
    return _("{low} to {high}").format(low=share.brief, high=percent(high))


def score(release: Release, measure: str, year: str) -> Score | None:
    """The share by `measure` in `year`, with the years before it. None where the agency does not
    report what the measure needs."""
    scored = _scored(measure)
    table = scored.table(release, "period") if scored else None
    if (
        scored is None
        or table is None
        or year not in release.codelists["period"].codes
        or "year" not in table.levels.get("period", ())
    ):
        return None
    earlier = str(int(year) - 1)
    known = [c.code for c in release.codelists["period"].at("year") if c.code <= year]
    over = years_of_shares(
        [
            s
            for code in known
            if (s := _share(scored, table, code)).share is not None
            and s.whole.status == "published"
        ]
    )
    now = _share(scored, table, year)
    told = trend_words(trend(over, last_break(release, RULES, ("eligible",)), clustering(release)))
    if now.share is None:
        told = ""
    elif in_part(now.part.status, now.whole.status):
        told = _("no whole year to compare")
    before = (
        _share(scored, table, earlier) if earlier in release.codelists["period"].codes else None
    )
    most, most_before = (
        most_connected(release, {**REACHED, "period": code})
        if measure == "connected" and code in release.codelists["period"].codes
        else None
        for code in (year, earlier)
    )
    return Score(scored.plain, now, before, told, most, most_before, clustering(release))


@dataclass(frozen=True)
class Target:
    """One target that someone set, and the result."""

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
        if self.score and self.score.most is not None:
            return _("some partners do not share data")
        filled = release.package.get("completeness", {})
        scored = _scored(self.measure)
        known = [filled[name] for name in scored.fields if name in filled] if scored else []
        if not known:
            return "–"
        return _("good") if min(known) >= GOOD else _("below 90%: read with care")

    @property
    def mark(self) -> Mark:
        """A bar for what was reached, with a stroke for the target."""
        share = self.score.now.share if self.score else None
        shown = self.score.brief if self.score else "–"
        words = _("{actual}, target {target}: {result}").format(
            actual=shown, target=self.target_words, result=self.result_words
        )
        return Mark(f"{self.plain}, {self.year}", share, words, target=self.target)

    @property
    def result(self) -> str:
        """Whether the target is met, as `Score.meets` says it; unknown without a score."""
        return self.score.meets(self.target, self.direction) if self.score else "unknown"

    @property
    def gap_words(self) -> str:
        """By how much a target is missed, in points of the shares that readers see; empty where it
        is not."""
        if self.result != "missed" or self.score is None or self.score.now.share is None:
            return ""
        points = abs(round(100 * self.target) - floor(100 * self.score.now.share + 0.5))
        by = (
            ngettext("by {n} point", "by {n} points", points).format(n=number(points))
            if points
            else _("by less than 1 point")
        )
        return _("Not met: {measure}, {by}. It was {actual}; the target is {target}.").format(
            measure=self.plain, by=by, actual=self.score.brief, target=self.target_words
        )

    @property
    def result_words(self) -> str:
        return {
            "met": _("met"),
            "missed": _("not met"),
            "unclear": _("too near the target to say"),
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
            row["measure"],
            str(row["year"]),
            float(row["target"]),
            row["direction"],
            date.fromisoformat(row["set_on"]),
            text(row, "reason"),
            score(release, row["measure"], str(row["year"])),
        )
        for row in rows.to_dict("records")
    ]


GOOD = 90
"""Per cent of calls with a field filled. Below it, read with care."""


def _scored(name: str) -> Measure | None:
    """The measure of that name, where it can have a target."""
    try:
        found = measure(name)
    except LookupError:
        return None
    return found if found.fields else None


def _share(scored: Measure, table: CountTable, year: str) -> Share:
    return scored.share_at(table, {"period": year}, year, year)
