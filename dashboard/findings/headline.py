"""The figures of one year that stand first: what each is, the year before, the target, and where to
read on."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.findings.answers import years_before
from dashboard.findings.targets import score, targets
from dashboard.numbers.cells import Point, Rate, in_part, label_of, part_words
from dashboard.numbers.measures import measure
from dashboard.numbers.year_trend import CODES, FEW, clustering, last_break, trend, trend_words
from dashboard.release.reader import Release
from dashboard.text.language import _

FIRST = ("calls", "coverage", "wait_within_30", "stayed", "force", "connected")
"""Six figures, as measures are named."""


@dataclass(frozen=True)
class Seen:
    """One figure of a year in words. `part` and `whole` are its numbers, None where there is none
    (`whole` also for a plain count), and `n` and `out_of` the same in words; `status` and
    `out_of_status` say why they are there or not."""

    measure: str
    plain: str
    shown: str
    counts: str
    before: str
    trend: str
    target: str
    part: int | None
    whole: int | None
    n: str
    out_of: str
    status: str
    out_of_status: str
    missed: bool = False
    """Is a target missed?"""

    @property
    def told(self) -> bool:
        """Is there a trend to tell of?"""
        return bool(self.trend) and self.trend != trend_words(FEW)

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands under the figure on its card."""
        before = _("The year before: {figure}").format(figure=self.before) if self.before else ""
        return tuple(
            line
            for line in (
                self.counts,
                before,
                _("Trend: {trend}").format(trend=self.trend) if self.told else "",
                self.target,
            )
            if line
        )


def glance(release: Release, year: str) -> tuple[list[Seen], dict[str, str]]:
    """The figures of `year` (a code) that the release has, and those it lacks: measure -> its plain
    name."""
    plain = {name: measure(name).plain for name in FIRST}
    found = {
        name: _calls(release, year, plain[name]) if name == "calls" else _share(release, name, year)
        for name in FIRST
    }
    return [seen for seen in found.values() if seen], {
        name: plain[name] for name, seen in found.items() if not seen
    }


def _calls(release: Release, year: str, plain: str) -> Seen | None:
    table = measure("calls").table(release)
    if table is None or not release.holds(table, "period", year):
        return None
    now, before = (
        (
            Point(code, label_of(release, "period", code), *table.cell({"period": code}))
            if code in release.codelists["period"].codes
            else None
        )
        for code in (year, _before(year))
    )
    assert now is not None
    years = [y for y in years_before(release, table) if str(y.year) <= year]
    told = (
        trend_words(trend(years, last_break(release, CODES), clustering(release)))
        if before is not None and now.status == "published" and now.value is not None
        else ""
    )
    part = part_words() if in_part(now.status) else ""
    return Seen(
        "calls",
        plain,
        now.shown,
        part,
        before.brief if before else "",
        told,
        "",
        now.value,
        None,
        now.shown,
        "–",
        now.status,
        "",
    )


def _share(release: Release, name: str, year: str) -> Seen | None:
    found = score(release, name, year)
    if found is None:
        return None
    target = next((t for t in targets(release) if t.measure == name and t.year == year), None)
    shown, before = found.brief, found.before_shown if found.before else ""
    if measure(name).per_1000:
        rates = [Rate.of(s) for s in (found.now, found.before) if s]
        words = [
            _("{rate} per 1,000").format(rate=r.brief) if r.per_1000 is not None else r.shown
            for r in rates
        ]
        shown, before = words[0], words[1] if len(words) > 1 else ""
    return Seen(
        name,
        found.plain,
        shown,
        found.counts if found.now.share is not None else "",
        before,
        found.trend if found.before else "",
        (
            _("Target: {target} ({result})").format(
                target=target.target_words, result=target.result_words
            )
            if target
            else ""
        ),
        found.now.part.value,
        found.now.whole.value,
        found.now.part.shown,
        found.now.whole.shown,
        found.now.part.status,
        found.now.whole.status,
        target is not None and target.result == "missed",
    )


def _before(year: str) -> str:
    return str(int(year) - 1) if year.isdigit() else ""
