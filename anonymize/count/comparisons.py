"""Like calls side by side: did calls end otherwise when a team was free than when none was?

The design is written down as a target trial in docs/comparisons.md (Hernan and Robins 2016).
Eligible calls that found a free team are set against eligible calls that were lost because no team
was free: who was served follows from the hour and the load, not from how a call sounds. Calls count
on the side where they began, whether or not a clinician came (intention to treat), so that a
dispatcher who sends teams to the calmer calls makes no difference between the sides.

The estimate is the difference within strata of like calls, each stratum weighing n1 n0 / (n1 + n0):
the Mantel-Haenszel weights, which are those of a regression with a constant for each stratum. Its
error respects that one person makes several calls (Liang and Zeger 1986; Cameron and Miller 2015).
Negative controls come with it (Lipsitch, Tchetgen and Cohen 2010): what a team cannot change.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymize.agency.codelists import ROOT, UNKNOWN, Codelist, Dimension
from anonymize.agency.load import AgencyConfig, has_moment, mapped_dimensions
from anonymize.agency.schema import StatisticSpec
from anonymize.count.tables import Mask, Table
from anonymize.engine import Engine
from anonymize.engine.sources import literal
from anonymize.records.collected import followed_whole

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ERROR, LOOKS = 0.05, 5
"""How often chance alone may mislead about any of the five outcomes: each interval misses the truth
one fifth as often (Bonferroni), and the negative controls of one comparison share it among them."""
APART = ("restrained", "hold")
"""Outcomes of a second family, which share an ERROR of their own among them: so they widen no
interval of the five."""
BASE_ROUNDED = 10
ENOUGH_SIDES = 10
"""Each side needs this many times the threshold in calls: then "at least nine in ten are on record"
narrows no small count."""
RECORDED, REASONED = 0.9, 0.8
"""At least this share of outcomes on record on both sides, and of reasons among eligible calls that
no team reached."""
REPEAT_DAYS = 90
"""Another call by the same person within this many days counts as a repeat call."""
NEGLIGIBLE = 0.01
"""So small a share of missing outcomes is not looked at further."""
NO_TEAM = ("no_unit", "all_busy")
"""Reasons that say: no team was free."""
ALIKE = (
    "period",
    "initial_type",
    "call_type",
    "area",
    "hour",
    "weekday",
    "priority",
    "weapon_reported",
)
"""Calls are alike that share these, each at its first level below the root. The type is the one at
first where that is known: the last one may follow from who came."""
PER_10_000, SECONDS = "per_10000_calls", "seconds"


@dataclass(frozen=True)
class Outcome:
    """What is compared: SQL of a whole number for each call (NULL where not on record), the fields
    it needs, and its unit.

    `flag`: the field whose counts must be published: of the code `yes`, and of the code `others` (a
    whole, or all that are not `yes`); `followed`: is it read from each person's calls in order?
    """

    value: str
    fields: tuple[str, ...]
    unit: str
    flag: str = ""
    followed: bool = False
    yes: str = "yes"
    others: str = "no"


OUTCOMES = {
    "arrest": Outcome(
        "CASE arrest WHEN 'yes' THEN 1 WHEN 'no' THEN 0 END", ("arrest",), PER_10_000, "arrest"
    ),
    "force_used": Outcome(
        "CASE force_used WHEN 'yes' THEN 1 WHEN 'no' THEN 0 END",
        ("force_used",),
        PER_10_000,
        "force_used",
    ),
    "repeat_90": Outcome(
        f"CASE WHEN next_day <= day + {REPEAT_DAYS} THEN 1 ELSE 0 END",
        ("person_key",),
        PER_10_000,
        followed=True,
    ),
    "officer_minutes": Outcome(
        "CASE WHEN responder = 'clinician_only' OR (responder = 'other' AND"
        " minutes_officer_on_scene IS NULL) THEN 0 ELSE CAST(floor(minutes_officer_on_scene / 60)"
        " AS INTEGER) * 60 END",
        ("arrived_at", "officer_cleared_at"),
        SECONDS,
    ),
    "wait": Outcome(
        "CAST(floor(minutes_call_to_arrival / 60) AS INTEGER) * 60",
        ("received_at", "arrived_at"),
        SECONDS,
    ),
    "restrained": Outcome(
        "CASE restrained WHEN 'yes' THEN 1 WHEN 'no' THEN 0 END",
        ("restrained",),
        PER_10_000,
        "restrained",
    ),
    "hold": Outcome(
        "CASE WHEN outcome = 'involuntary_hold' THEN 1 WHEN outcome NOT LIKE 'unknown%' THEN 0 END",
        ("outcome",),
        PER_10_000,
        "outcome",
        yes="involuntary_hold",
        others=ROOT,
    ),
}
CHOSEN = (
    "CASE WHEN arrest = 'yes' AND arrest_required = 'yes' THEN 0 WHEN arrest = 'yes' THEN 1 WHEN"
    " arrest = 'no' THEN 0 END"
)
"""SQL of the outcome `arrest` where it is known which arrests the law required: those are no choice
of anyone on scene."""
REASON, TEAM_FREE = "not_served_reason", "team_free"
CONTRASTS = {"compare_": TEAM_FREE, "reached_": "reached"}
"""How measures begin -> what is set against what."""
COMPARED = (*(f"compare_{name}" for name in OUTCOMES), "reached_arrest", "reached_force_used")
QUEUE = "minutes_call_to_dispatch"
"""The clock of a negative control: what a call waits before anyone is sent."""


def outcome_of(measure: str) -> str:
    return measure.split("_", 1)[1]


def contrast_of(measure: str) -> str:
    return CONTRASTS[measure.split("_", 1)[0] + "_"]


def error_of(measure: str) -> float:
    """How often the interval of a measure may miss the truth: its share of ERROR among the outcomes
    of its family."""
    return ERROR / (len(APART) if outcome_of(measure) in APART else LOOKS)


def needed(measure: str) -> tuple[str, ...]:
    """Fields of the calls without which the measure cannot be had."""
    reason = ("not_served_reason",) if contrast_of(measure) == "team_free" else ()
    return ("eligible", "responder", *reason, *OUTCOMES[outcome_of(measure)].fields)


def controls(measure: str, config: AgencyConfig) -> tuple[str, ...]:
    """The negative controls that the fields allow: `weekday` (share of calls on a Monday or
    Tuesday) and `queue` (wait before dispatch)."""
    fed = mapped_dimensions(config)
    queue = (
        has_moment(config.file.calls.time)
        and "dispatched_at" in config.file.calls.columns
        and measure != "compare_wait"
    )
    return (*(("weekday",) if "weekday" in fed else ()), *(("queue",) if queue else ()))


def alike(config: AgencyConfig, codelists: Mapping[str, Codelist]) -> dict[str, str]:
    """Dimension -> level at which calls must agree to be alike."""
    fed = mapped_dimensions(config)
    if "initial_type" in fed:
        fed = fed - {"call_type"}
    return {
        name: codelists[name].levels[1]
        for name in ALIKE
        if name in fed and len(codelists[name].levels) > 1
    }


@dataclass(frozen=True)
class Estimate:
    """Standardised means of both sides, their difference with its interval, and what it rests on
    (calls in strata with both sides)."""

    team: float
    other: float
    low: float
    high: float
    calls: int


@dataclass(frozen=True)
class Sides:
    """Calls to compare, a row for `number` calls alike in all: their stratum, their side (1 or 0),
    who called (-1 for people with no other call), and how many calls each of them stands for."""

    stratum: Ints
    side: Ints
    person: Ints
    number: Ints
    weight: Floats

    def only(self, kept: Mask) -> Sides:
        return Sides(
            self.stratum[kept],
            self.side[kept],
            self.person[kept],
            self.number[kept],
            self.weight[kept],
        )

    @property
    def mixed(self) -> Mask:
        """Calls in strata with both sides."""
        both = np.intersect1d(self.stratum[self.side == 1], self.stratum[self.side == 0])
        return np.asarray(np.isin(self.stratum, both))


def estimate(calls: Sides, value: Floats, error: float = ERROR / LOOKS) -> Estimate | None:
    """The difference in mean `value` between side 1 and side 0 within strata.

    With d the side less its mean in the stratum and e the residual, the variance is the sum over
    people of (sum of w d e) squared, over (sum of w d d) squared, times G / (G - 1) (N - 1) / (N -
    K) (Cameron and Miller 2015, equations 10 and 12). Student's t has as many degrees of freedom as
    there are people of equal weight, (sum u^2)^2 / sum u^4, where u is a person's sum. None where
    no stratum has both sides, or nothing varies.
    """
    mixed = calls.mixed
    calls, value = calls.only(mixed), value[mixed]
    if not len(value):
        return None
    kinds, stratum = np.unique(calls.stratum, return_inverse=True)
    w = calls.number * calls.weight
    whole, ones, sums = (np.bincount(stratum, x) for x in (w, w * calls.side, w * value))
    d = calls.side - (ones / whole)[stratum]
    spread = _sum(w * d * d)
    difference = _sum(w * d * value) / spread
    residual = value - (sums / whole)[stratum] - difference * d
    single = calls.person < 0
    number, alone = calls.number[single], (calls.weight * d * residual)[single]
    _names, group = np.unique(calls.person[~single], return_inverse=True)
    together = np.bincount(group, (w * d * residual)[~single]) if len(group) else np.zeros(0)
    squares = _sum(number * alone**2) + _sum(together**2)
    fourths = _sum(number * alone**4) + _sum(together**4)
    clusters, size, parameters = (
        int(number.sum()) + len(together),
        int(calls.number.sum()),
        len(kinds) + 1,
    )
    if squares <= 0 or clusters < 2 or size <= parameters:
        return None
    scale = clusters / (clusters - 1) * (size - 1) / (size - parameters)
    half = _student(1 - error / 2, squares**2 / fourths) * math.sqrt(scale * squares) / spread
    share = ones * (whole - ones) / whole
    base = _sum(
        np.bincount(stratum, w * (1 - calls.side) * value) * (share / (whole - ones))
    ) / _sum(share)
    return Estimate(base + difference, base, difference - half, difference + half, size)


def _sum(values: Floats | Ints) -> float:
    """Exact: numpy adds up in another order on another processor."""
    return math.fsum(values.tolist())


def _student(share: float, freedom: float) -> float:
    """Quantile of Student's t from the normal one (Cornish and Fisher's expansion; Abramowitz and
    Stegun 26.7.5)."""
    z = NormalDist().inv_cdf(share)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    v = max(freedom, 3.0)
    return z + first / v + second / v**2 + third / v**3


@dataclass(frozen=True)
class Compared:
    """The columns of a comparison before anything is withheld; `fit`: enough calls, people and
    events on both sides."""

    columns: dict[str, Ints]
    rounding: dict[str, int]
    fit: Mask


def compared(
    engine: Engine,
    config: AgencyConfig,
    spec: StatisticSpec,
    period: Dimension,
    codelists: Mapping[str, Codelist],
) -> Compared:
    """One row for each code of the period.

    `team`, `other`: rates per 10,000 calls (or seconds) had both sides the same mix of calls;
    `low`, `high`: the interval of team less other (`error_of`), rounded outward; `<control>_low`,
    `<control>_high`: the same for the negative controls (days: per 10,000; waits: seconds);
    `recorded`: 1 where enough is on record; `based_on`: a lower bound on the calls.
    """
    outcome, checks = OUTCOMES[outcome_of(spec.measure)], controls(spec.measure, config)
    rows = _rows(engine, config, spec.measure, codelists)
    ends = [f"{name}_{edge}" for name in checks for edge in ("low", "high")]
    names = ["team", "other", "low", "high", *ends, "recorded", "based_on"]
    columns = {name: np.zeros(len(period.codes), dtype=np.int64) for name in names}
    fit: Mask = np.zeros(len(period.codes), dtype=bool)
    factor, step = (10_000, 10) if outcome.unit == PER_10_000 else (1, 10)
    for level in period.levels:
        above = codelists["period"].ancestors(level)
        for at, code in enumerate(period.codes):
            if codelists["period"].by_code[code].level != level:
                continue
            mine = rows[rows["month"].map(above) == code] if code != ROOT else rows
            found = _row(
                mine,
                checks,
                spec.minimum,
                config.file.privacy.threshold,
                yes_no=outcome.unit == PER_10_000,
                error=error_of(spec.measure),
            )
            if found is None:
                continue
            fit[at] = True
            whole = found.outcome
            columns["team"][at], columns["other"][at] = (
                round(factor * x / step) * step for x in (whole.team, whole.other)
            )
            columns["low"][at], columns["high"][at] = (
                math.floor(factor * whole.low),
                math.ceil(factor * whole.high),
            )
            for check in checks:
                scale, control = 10_000 if check == "weekday" else 1, found.checks[check]
                if control is not None:
                    columns[f"{check}_low"][at] = math.floor(scale * control.low)
                    columns[f"{check}_high"][at] = math.ceil(scale * control.high)
            columns["recorded"][at] = found.recorded
            columns["based_on"][at] = base_told(
                whole.calls, found.eligible, config.file.privacy.threshold
            )
    rounding = {
        name: {"team": step, "other": step, "based_on": BASE_ROUNDED}.get(name, 1) for name in names
    }
    return Compared(columns, rounding, fit)


def base_told(calls: int, eligible: int, threshold: int) -> int:
    """A lower bound on the calls that a row rests on, rounded down. The number of eligible calls is
    published with it: the bound is low enough that a small number of calls without a reason, or
    without an outcome, is not narrowed."""
    return min(calls, eligible - (threshold - 1)) // BASE_ROUNDED * BASE_ROUNDED


def _rows(
    engine: Engine, config: AgencyConfig, measure: str, codelists: Mapping[str, Codelist]
) -> pd.DataFrame:
    """Eligible calls, counted by all that matters here: month, stratum, side (1, 0; -1 where the
    reason is not on record), served, value, early (Monday or Tuesday), queue (whole minutes in
    seconds), person (an own number for people with several calls; else -1), n.
    """
    outcome, like = OUTCOMES[outcome_of(measure)], alike(config, codelists)
    checks, keyed = controls(measure, config), "person_key" in config.file.calls.columns
    came = [
        c
        for c, above in codelists["responder"].ancestors("reached").items()
        if above == "clinician"
    ]
    leaves = [
        c for c in came if c in codelists["responder"].codes_at(codelists["responder"].finest)
    ]
    served = f"CASE WHEN responder IN ({', '.join(map(literal, leaves))}) THEN 1 ELSE 0 END"
    side = served
    if contrast_of(measure) == "team_free":
        lost = ", ".join(map(literal, NO_TEAM))
        side = (
            f"CASE WHEN not_served_reason IN ({lost}) THEN 0 WHEN not_served_reason ="
            f" {literal(codelists['not_served_reason'].unknown_leaf or '')} THEN -1 ELSE 1 END"
        )
    known = "arrest_required" in config.file.calls.columns and measure.endswith("_arrest")
    listed = {
        "month": "period",
        **{f"by_{name}": name for name in like if name != "period"},
        "side": side,
        "served": served,
        "value": CHOSEN if known else outcome.value,
        "early": (
            "CASE WHEN weekday IN ('1', '2') THEN 1 ELSE 0 END" if "weekday" in checks else "0"
        ),
        "queue": f"CAST(floor({QUEUE} / 60) AS INTEGER) * 60" if "queue" in checks else "0",
        "person": (
            "CASE WHEN count(*) OVER (PARTITION BY person_key) > 1 THEN person_key END"
            if keyed
            else "CAST(NULL AS VARCHAR(1))"
        ),
    }
    source, where = "calls", "eligible = 'yes'"
    if outcome.followed:
        source, where = (
            "followed",
            f"{where} AND {followed_whole(config.file.release, REPEAT_DAYS)}",
        )
    inner = ", ".join(f"{sql} AS {name}" for name, sql in listed.items())
    frame = engine.ask(
        f"SELECT {', '.join(listed)}, count(*) AS n FROM (SELECT {inner} FROM {source} WHERE"
        f" {where}) AS each_call GROUP BY ALL"
    )
    for name, level in like.items():
        column = "month" if name == "period" else f"by_{name}"
        frame[f"in_{name}"] = frame[column].astype(object).map(codelists[name].ancestors(level))
    keys = [f"in_{name}" for name in like]
    frame["stratum"] = frame.groupby(keys, sort=True, dropna=False).ngroup() if keys else 0
    frame["block"] = (
        frame.groupby([k for k in ("in_period", "in_hour") if k in keys], sort=True).ngroup()
        if "in_period" in keys
        else 0
    )
    people = {name: i for i, name in enumerate(sorted(frame["person"].dropna().unique()))}
    frame["person"] = frame["person"].map(people).fillna(-1).astype(np.int64)
    kept = ["month", "stratum", "block", "side", "served", "value", "early", "queue", "person", "n"]
    return frame[kept].astype({"month": str}).sort_values(kept, ignore_index=True)


@dataclass(frozen=True)
class _Row:
    outcome: Estimate
    checks: dict[str, Estimate | None]
    eligible: int
    recorded: bool


def _row(
    rows: pd.DataFrame,
    checks: Sequence[str],
    minimum: int,
    threshold: int,
    *,
    yes_no: bool,
    error: float = ERROR / LOOKS,
) -> _Row | None:
    """All figures of one period; None where too few calls, people or events stand on one side."""
    stratum, side, person, number = (
        rows[name].to_numpy(dtype=np.int64) for name in ("stratum", "side", "person", "n")
    )
    every = Sides(stratum, side, person, number, _weights(rows))
    on_a_side, values = (
        every.side >= 0,
        {name: rows[name].to_numpy(dtype=float) for name in ("value", "early", "queue")},
    )
    usable = {name: on_a_side & ~np.isnan(value) for name, value in values.items()}
    calls, value = every.only(usable["value"]), values["value"][usable["value"]]
    whole = estimate(calls, value, error)
    if whole is None or whole.calls < minimum:
        return None
    sides = [calls.mixed & (calls.side == side) for side in (1, 0)]
    if any(calls.number[mask].sum() < ENOUGH_SIDES * threshold for mask in sides):
        return None
    events = (
        [calls.only(mask & (value == answer)) for mask in sides for answer in (0, 1)]
        if yes_no
        else []
    )
    if any(_people(of.person, of.number) < threshold for of in events):
        return None
    controls = {
        check: estimate(
            every.only(usable[column]), values[column][usable[column]], ERROR / len(checks)
        )
        for check in checks
        for column in ["early" if check == "weekday" else check]
    }
    missing = np.isnan(values["value"])
    recorded = _recorded(every, missing, rows["served"].to_numpy() == 0, threshold)
    return _Row(whole, controls, int(every.number.sum()), recorded)


def _weights(rows: pd.DataFrame) -> Floats:
    """Calls that no team reached stand also for those of the same hours whose reason is not on
    record."""
    lost = rows["served"].to_numpy() == 0
    number, known = rows["n"].to_numpy(dtype=float), rows["side"].to_numpy() >= 0
    block = rows["block"].to_numpy()
    size = int(block.max()) + 1 if len(block) else 1
    every, told = (np.bincount(block[mask], number[mask], size) for mask in (lost, lost & known))
    return np.where(
        lost & known, np.divide(every, told, out=np.ones(size), where=told > 0)[block], 1.0
    )


def _people(person: Ints, number: Ints) -> int:
    """Different people behind calls; who has no other call counts once for each."""
    return int(number[person < 0].sum()) + len(np.unique(person[person >= 0]))


def _recorded(every: Sides, missing: Mask, not_served: Mask, threshold: int) -> bool:
    """Is enough on record, on both sides alike, that what is missing could hardly turn the answer?

    Outcomes that are missing on one side more often than on the other are likely to be missing for
    a reason. Fewer than `threshold` on a side never decide: an answer that hung on them would tell
    of them.
    """
    on_a_side, number = every.side >= 0, every.number
    if number[not_served & on_a_side].sum() < REASONED * number[not_served].sum():
        return False
    lost = [
        (int(number[missing & (every.side == s)].sum()), int(number[every.side == s].sum()))
        for s in (1, 0)
    ]
    if any(n > (1 - RECORDED) * whole for n, whole in lost):
        return False
    if all(n < max(threshold, NEGLIGIBLE * whole) for n, whole in lost):
        return True
    gap = estimate(every.only(on_a_side), missing[on_a_side].astype(float), ERROR)
    return gap is None or gap.low <= 0 <= gap.high


def field_withheld(
    outcome: Outcome,
    code: str,
    period: str,
    tables: Sequence[Table],
    withheld: Sequence[Mask],
    strata: Collection[str] = (),
) -> bool:
    """Is one of the counts of the outcome's field, by who came, withheld or not published at all?
    Or is a count of the field withheld in a table of all `strata`: the rates are weighted by those,
    and would be an equation of it.

    The counts of yes and no have a table with no further dimension; those of one code of many may
    be in a table with more."""
    flag, whole = outcome.flag, outcome.others == ROOT
    for table, mask in zip(tables, withheld, strict=True):
        if strata and {flag, *strata} <= {*table.dimensions, *table.where} and mask.any():
            return True
    for table, mask in zip(tables, withheld, strict=True):
        named = {period, "responder", flag}
        if (
            (named == set(table.dimensions) or (whole and named < set(table.dimensions)))
            and not table.where
            and all(ROOT in d.codes for name, d in table.dimensions.items() if name not in named)
            and code in table.dimensions[period].codes
        ):
            wanted = {
                period: (code,),
                "responder": ("clinician", "no_clinician"),
                flag: (outcome.yes, outcome.others),
            }
            return bool(
                mask[
                    np.ix_(
                        *[
                            [d.codes.index(c) for c in wanted.get(name, (ROOT,))]
                            for name, d in table.dimensions.items()
                        ]
                    )
                ].any()
            )
    return True


def design(
    config: AgencyConfig, measure: str, codelists: Mapping[str, Codelist]
) -> dict[str, object]:
    """How the comparison is made, as `datapackage.json` declares it."""
    chosen = "arrest_required" in config.file.calls.columns and measure.endswith("_arrest")
    return {
        "contrast": contrast_of(measure),
        "outcome": outcome_of(measure),
        "unit": OUTCOMES[outcome_of(measure)].unit,
        "alike": alike(config, codelists),
        "controls": list(controls(measure, config)),
        "required_arrests_apart": chosen,
        "interval": 1 - error_of(measure),
    }


__all__ = ["COMPARED", "UNKNOWN", "compared", "contrast_of", "design", "estimate", "needed"]
