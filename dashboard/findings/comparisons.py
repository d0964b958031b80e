"""Comparisons of similar calls, judged: the rules on the page "How we compare" are these functions.

A verdict is one of FEWER, MORE, NO_CLEAR and CANNOT_TELL. None of them says that teams are the
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

from dashboard.page.surface import escape
from dashboard.release.reader import ROOT, Release, StatisticTable
from dashboard.text.language import _, number, pick, rounded

FEWER, MORE, NO_CLEAR, CANNOT_TELL = "fewer", "more", "no_clear", "cannot_tell"
TEAM_FREE, REACHED = "team_free", "reached"
NO_TEAM = ("no_unit", "all_busy")
"""Reasons that say: no team was free."""
OUTCOMES = ("arrest", "force_used", "repeat_90", "officer_minutes", "wait")
"""What is compared, in one family: their intervals are wide enough for all of them."""
APART = ("restrained", "hold")
"""A second family, with a chance of its own to mislead: so it widens no interval of the first."""
SURE = 0.99
"""The level of the first family's intervals."""
RARE = 0.15
"""Below this rate an odds or hazard ratio is near the rate ratio (VanderWeele and Ding 2017)."""


@dataclass(frozen=True)
class Comparison:
    """One row of a comparison table. Rates are for each call (or seconds); `low` and `high` hold
    the difference, team less other."""

    measure: str
    contrast: str
    unit: str
    alike: tuple[str, ...]
    required_apart: bool
    team: float
    other: float
    low: float
    high: float
    controls: Mapping[str, tuple[float, float]]
    recorded: bool
    calls: int
    sure: float = SURE
    """The level of the interval."""

    @property
    def failed(self) -> list[str]:
        """Negative controls whose interval excludes 0: the sides differ in what no team can
        change."""
        return [name for name, (low, high) in self.controls.items() if low > 0 or high < 0]

    @property
    def verdict(self) -> str:
        """What the first of RULES that fits says."""
        return next(decide(self) for fits, decide in RULES if fits(self))

    @property
    def why(self) -> str:
        """Why nobody can tell; empty where the interval decides."""
        if not self.recorded:
            return _("Too much is not on record, or more on one side than on the other.")
        if self.failed:
            names = "; ".join(control_words(name) for name in self.failed)
            return _("The two sides differ in what no team can change: {names}.").format(
                names=names
            )
        if not self.controls:
            return _("Nothing is on record that could show whether the two sides are alike.")
        if self.contrast != TEAM_FREE:
            return _(
                "Someone chose which calls got a team, so the two sides may differ from the start."
            )
        return ""

    @property
    def seen_from(self) -> float:
        """The smallest difference that would be found in 8 of 10 cases."""
        return power(self.sure) * (self.high - self.low) / 2

    @property
    def e_values(self) -> tuple[float, float] | None:
        """How strong a hidden cause would have to be to explain the difference, and the near end of
        its interval; None for times."""
        if self.unit != "rate" or not self.team or not self.other:
            return None
        near = self.high if self.high < 0 else self.low if self.low > 0 else 0.0
        return e_value(self.team / self.other), e_value(max(self.other + near, 1e-9) / self.other)


def power(sure: float) -> float:
    """The half widths of an interval at the level `sure` that a difference must have to be found in
    8 of 10 cases."""
    edge = NormalDist().inv_cdf((1 + sure) / 2)
    return (edge + NormalDist().inv_cdf(0.8)) / edge


RULES: tuple[tuple[Callable[[Comparison], bool], Callable[[Comparison], str]], ...] = (
    (lambda found: not found.recorded, lambda _found: CANNOT_TELL),
    (lambda found: bool(found.failed) or not found.controls, lambda _found: CANNOT_TELL),
    (lambda found: found.contrast != TEAM_FREE, lambda _found: CANNOT_TELL),
    (
        lambda found: found.high < 0 or found.low > 0,
        lambda found: FEWER if found.high < 0 else MORE,
    ),
    (lambda _found: True, lambda _found: NO_CLEAR),
)
"""Does the rule fit, and its verdict: what is missing, what fails, who chose, and only then the
interval. `rule_words` has the same rules in words."""


def rule_words() -> tuple[str, ...]:
    """RULES as the page "How we compare" prints them."""
    return (
        _(
            "'We cannot tell': on one side, fewer than 9 in 10 outcomes are on record, or clearly"
            " more are missing; or fewer than 8 in 10 calls without a team have a reason on record."
        ),
        _("'We cannot tell': a check fails, or there is nothing to check with."),
        _(
            "'We cannot tell': the agency does not record why no team came. Then someone may have"
            " chosen which calls got a team."
        ),
        _(
            "'Associated with fewer' or 'with more': the whole likely range lies on one side of"
            " zero."
        ),
        _("'No clear difference': the range holds zero. It does not mean that there is none."),
    )


def e_value(ratio: float) -> float:
    """VanderWeele and Ding 2017: RR + sqrt(RR (RR - 1)), for a ratio below 1 of its inverse."""
    ratio = 1 / ratio if ratio < 1 else ratio
    return ratio + sqrt(ratio * (ratio - 1))


def comparison(release: Release, measure: str, period: str = ROOT) -> Comparison | None:
    """The comparison of similar calls by `measure` in `period`. None where the agency does not
    report it, where it is withheld, or in releases that compared in another way."""
    table = release.statistic(measure)
    cell = (
        table.cell({"period": period}) if table and release.holds(table, "period", period) else None
    )
    return of_cell(measure, design_of(release, table), cell) if table and cell else None


def calls_with_a_free_team(release: Release) -> int | None:
    """Eligible calls, less those that were lost for want of a team and those without a reason on
    record; None where one of these is not published."""
    table = release.find("not_served_reason", where={"eligible": "yes"})
    codes = (*NO_TEAM, "unknown")
    if table is None or not all(release.holds(table, "not_served_reason", code) for code in codes):
        return None
    every, *others = (table.cell({"not_served_reason": code})[0] for code in (ROOT, *codes))
    known = [n for n in others if n is not None]
    return every - sum(known) if every is not None and len(known) == len(others) else None


def design_of(release: Release, table: StatisticTable) -> dict[str, Any]:
    """How a comparison was made, as the release declares it."""
    declared: dict[str, Any] = next(
        (
            r["table"]
            for r in release.package["resources"]
            if r["name"] == table.name and "table" in r
        ),
        {},
    )
    return dict(declared.get("design", {}))


def of_cell(measure: str, design: Mapping[str, Any], cell: Mapping[str, int]) -> Comparison | None:
    """A comparison from one cell's numbers as published: rates per 10,000 calls become shares,
    times stay seconds."""
    if not design or "low" not in cell:
        return None
    rate = design["unit"] == "per_10000_calls"
    scale = 10_000 if rate else 1
    controls = {
        name: (
            cell[f"{name}_low"] / (10_000 if name == "weekday" else 1),
            cell[f"{name}_high"] / (10_000 if name == "weekday" else 1),
        )
        for name in design["controls"]
        if cell[f"{name}_low"]
        or cell[
            f"{name}_high"
        ]  # an interval has a width; where nothing varied there was nothing to check
    }
    return Comparison(
        measure,
        design["contrast"],
        "rate" if rate else "time",
        tuple(design["alike"]),
        bool(design["required_arrests_apart"]),
        cell["team"] / scale,
        cell["other"] / scale,
        cell["low"] / scale,
        cell["high"] / scale,
        controls,
        bool(cell["recorded"]),
        cell["based_on"],
        float(design.get("interval", SURE)),
    )


def control_words(name: str) -> str:
    return {
        "weekday": _("the share of calls on a Monday or Tuesday"),
        "queue": _("the wait before anyone is sent"),
    }[name]


def control_figure(name: str, low: float, high: float) -> str:
    """The interval of a negative control in words."""
    if name == "weekday":
        return _("{low} to {high} of 1,000 calls").format(
            low=signed(1000 * low), high=signed(1000 * high)
        )
    return _("{low} to {high} minutes").format(low=signed(low / 60), high=signed(high / 60))


def signed(value: float) -> str:
    """With one decimal, and a true minus sign."""
    shown = number(abs(round(value, 1)))
    return f"−{shown}" if round(value, 1) < 0 else shown


def shown(found: Comparison, value: float) -> str:
    """A rate per 1,000 calls, or minutes."""
    return rounded(1000 * value) if found.unit == "rate" else rounded(value / 60)


def difference(found: Comparison) -> str:
    """The interval of the difference in words."""
    scale = 1000 if found.unit == "rate" else 1 / 60
    words = (
        _("{low} to {high} per 1,000 calls")
        if found.unit == "rate"
        else _("{low} to {high} minutes for each call")
    )
    return words.format(low=signed(scale * found.low), high=signed(scale * found.high))


def alike_words(release: Release, found: Comparison) -> str:
    """What similar calls share, as a list."""
    names = {"period": _("year"), "weekday": _("working day or weekend"), "hour": _("time of day")}
    return ", ".join(
        names.get(name) or escape(pick(release.codelists[name].name).lower())
        for name in found.alike
        if name in names or name in release.codelists
    )


def what_words(measure: str) -> str:
    """What is compared, as a heading."""
    return {
        "arrest": _("Arrests"),
        "force_used": _("Use of force"),
        "repeat_90": _("Another call within 90 days"),
        "officer_minutes": _("Officer time on scene"),
        "wait": _("Wait, from call to arrival"),
        "restrained": _("Handcuffs or other restraints"),
        "hold": _("Involuntary holds"),
    }[measure.split("_", 1)[1]]


def verdict_words(found: Comparison) -> str:
    """The verdict on one comparison."""
    less, more = {
        "arrest": (_("Associated with fewer arrests"), _("Associated with more arrests")),
        "force_used": (
            _("Associated with less use of force"),
            _("Associated with more use of force"),
        ),
        "repeat_90": (
            _("Associated with fewer repeat calls"),
            _("Associated with more repeat calls"),
        ),
        "officer_minutes": (
            _("Associated with less officer time"),
            _("Associated with more officer time"),
        ),
        "wait": (_("Associated with shorter waits"), _("Associated with longer waits")),
        "restrained": (
            _("Associated with less use of restraints"),
            _("Associated with more use of restraints"),
        ),
        "hold": (
            _("Associated with fewer involuntary holds"),
            _("Associated with more involuntary holds"),
        ),
    }[found.measure.split("_", 1)[1]]
    return {
        FEWER: less,
        MORE: more,
        NO_CLEAR: _("No clear difference"),
        CANNOT_TELL: _("We cannot tell"),
    }[found.verdict]


def side_words(found: Comparison) -> tuple[str, str]:
    """The two sides, the first one first."""
    if found.contrast == TEAM_FREE:
        return _("A team was free"), _("No team was free")
    return _("A clinician came"), _("No clinician came")


def figure_words(found: Comparison) -> str:
    """Both sides and the difference, in one or two sentences."""
    words = {
        ("rate", TEAM_FREE): _(
            "Per 1,000 similar calls: {team} when a team was free, {other} when none was."
            " Difference: {difference}."
        ),
        ("time", TEAM_FREE): _(
            "Minutes for each like call: {team} when a team was free, {other} when none was."
            " Difference: {difference}."
        ),
        ("rate", REACHED): _(
            "Per 1,000 similar calls: {team} where a clinician came, {other} where none came."
            " Difference: {difference}."
        ),
    }[found.unit, found.contrast]
    return words.format(
        team=shown(found, found.team), other=shown(found, found.other), difference=difference(found)
    )


def control_sentences(found: Comparison) -> list[str]:
    """What the negative controls show."""
    lines = []
    for name, (low, high) in found.controls.items():
        fails, holds = (
            _("A check that fails: {what} differs by {range}."),
            _("A check that holds: {what} differs by {range}."),
        )
        words = fails if name in found.failed else holds
        lines.append(words.format(what=control_words(name), range=control_figure(name, low, high)))
    return lines


def strength_words(found: Comparison) -> str:
    """The E-values in words; empty where no association is seen, or times are compared."""
    if found.e_values is None or found.verdict not in (FEWER, MORE):
        return ""
    point, near = found.e_values
    return _(
        "To explain this away, some hidden cause must go with both a free team and the outcome at"
        " least {point} times as often. For the near end of the range, {near} times (E-value)."
    ).format(point=rounded(point), near=rounded(near))


def power_words(found: Comparison) -> str:
    """What size of difference these data could show."""
    value = 1000 * found.seen_from if found.unit == "rate" else found.seen_from / 60
    words = (
        _(
            "A difference of {size} per 1,000 calls would be seen 8 times in 10; a smaller one less"
            " often."
        )
        if found.unit == "rate"
        else _(
            "A difference of {size} minutes would be seen 8 times in 10; a smaller one less often."
        )
    )
    return words.format(size=rounded(value))
