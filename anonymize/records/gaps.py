"""Runs of days, or whole months, without a single record: is a file missing, or did nobody call?

A month that is missing from an export would be published as "0 calls". So each stretch without a
record that chance does not explain is a question to the agency (`check` asks it, `build` waits for
the answer), and the agency file answers it (`[[release.gaps]]`).

What lies before the first record or past the last one needs no answer: unless the agency file says
that nobody called, it is published as not collected, with the day on which the records begin or end
(`outside_records`). That this day has a call is a declared fact (`release/facts.py`).

**The rule.** How many calls a stretch would usually hold is the agency's own level nearby (the NEAR
units on either side), times the usual share of each day of the week, times the season (the same
month of the other years: SEASON_PRIOR, LOWEST_SEASON). That decomposition of a count into level,
weekday and season is the one of statistical outbreak detection (Farrington et al. 1996, J. R. Stat.
Soc. A 159:547; Noufaily et al. 2013, Stat. Med. 32:1206). Calls come in clusters, so no call at all
in the stretch is given the probability of a negative binomial count, of which the overdispersion is
estimated from days, weeks and stretches of four weeks; the largest of the three counts
(`_log_chance`). As many runs could begin as there are days with a call, so by Bonferroni's
inequality, in the declumped form used for the longest run and for scan statistics (Naus 1965, J.
Am. Stat. Assoc. 60:532; Arratia, Goldstein and Gordon 1990, Stat. Sci. 5:403), a run is questioned
where its probability times that number lies under LIMIT. A run at either end of the period is one
of two, not of many; it is questioned where its own probability lies under EDGE_LIMIT. Stretches
that look like gaps by a first, rough look are left out while level and dispersion are estimated, so
that several gaps do not hide each other.

Whole calendar months are held against the other months in the same way, which finds a month that is
missing from a source whose calls all bear a few days of the month. Where FEW_CALLS calls or more
were recorded on fewer than MIN_FILLED days (or in fewer months), nothing can be estimated, and
every whole month without a record is questioned. Simulated agencies without a gap get a question in
less than about 1 in 100 cases (`tests/property/test_gaps.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import Gap, OutsideRecords, Text
from anonymize.engine import Engine
from anonymize.errors import SourceError
from anonymize.records.collected import Calendar, Span

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Place = tuple[int, int]
"""A stretch of units (days or months): the first, and the one after the last."""

LIMIT, EDGE_LIMIT = 0.001, 0.0005
"""Probabilities under which a run is questioned: of any run of the period, and of a run at one of
its ends."""
SUSPECT = 0.001
"""A run of less probability than this, by days alone, is left out while level and dispersion are
estimated."""
NEAR_DAYS, NEAR_MONTHS = 91, 6
"""How many days (or months) on either side tell the level of a stretch."""
LONG_DAYS, LONG_MONTHS = 28, 1
"""A run of this many units is judged by the other units alone; shorter ones weigh too little in
them to hide."""
SCALES = (1, 7, 28)
"""Days over which overdispersion is estimated."""
MIN_BLOCKS = 4
"""Overdispersion over longer blocks than a quarter of the period is not estimated."""
LEVEL_SPREAD = 0.05
"""Squared coefficient of variation (22 %) that the level of a stretch may have beyond what its
neighbours tell."""
SEASON_PRIOR = 10.0
"""The season's factor is drawn towards 1 as if that many calls had been seen at that rate."""
LOWEST_SEASON = 0.2
"""No season explains more than a fall to a fifth: an agency that takes no calls in a whole season
says so in its file."""
MIN_FILLED, FEW_CALLS = 3, 10
"""Calls on fewer days than that tell nothing of how they are spread; where they are few themselves,
empty months are what to expect."""
RECORDS = {
    "begin": Text(
        en="The agency's records begin the day after. Earlier calls are not in its data.",
        es=(
            "Los registros de la agencia comienzan al día siguiente. Las llamadas anteriores no"
            " están en sus datos."
        ),
    ),
    "end": Text(
        en="The agency's records end the day before. Later calls are not in its data.",
        es=(
            "Los registros de la agencia terminan el día anterior. Las llamadas posteriores no"
            " están en sus datos."
        ),
    ),
}
"""The published reason why nothing was collected before the first record, or past the last."""
ONE_DAY = timedelta(days=1)
DAYS_A_MONTH = 365.25 / 12
MOSTLY = 0.5
"""Share of calls with a day on record from which on days are looked at; below, months alone."""
SPREADS = np.logspace(-4, 2.5, 50)
"""Overdispersions tried: variance = mean + overdispersion * mean^2."""


@dataclass(frozen=True)
class Question:
    """A stretch without a recorded call that the agency file does not explain. `period`: that of
    the release."""

    span: Span
    period: Span
    beside_record: bool = True
    """Does a record lie next to the stretch, and no other gap?"""
    day_known: bool = True
    """Is the day of that record known, or its month alone?"""

    @property
    def edge(self) -> Literal["begin", "end"] | None:
        """Does the stretch lie before the first record, or after the last?"""
        if self.span == self.period or not self.beside_record:
            return None
        return (
            "end"
            if self.span.last == self.period.last
            else "begin"
            if self.span.first == self.period.first
            else None
        )

    def sentence(self) -> str:
        days = f"{self.span.days} days" if self.span.days > 1 else "1 day"
        if self.edge:
            day = self.span.first - ONE_DAY if self.edge == "end" else self.span.last + ONE_DAY
            key, past = (
                ("data_to", "after that day")
                if self.edge == "end"
                else ("data_from", "before that day")
            )
            return (
                f"The records {self.edge} on {day}, and the period of the release {self.edge}s on"
                f" {self.span.last if self.edge == 'end' else self.span.first}: the {days} {past}"
                f" ({self.span}) are published as not collected. To leave them out, write {key} ="
                f" {day}; is a file missing, add it to 'calls.paths'; did nobody call, answer with"
                " [[release.gaps]]."
            )
        return (
            f"No call is recorded from {self.span} ({days}), which chance does not explain: is a"
            " file missing? Add it to 'calls.paths', or answer with [[release.gaps]] in the agency"
            " file."
        )

    def answers(self) -> str:
        """Both answers as lines of the agency file."""
        head = f"[[release.gaps]]\nfrom = {self.span.first}\nto = {self.span.last}\n"
        return (
            f'{head}reason = {{ en = "", es = "" }}  # nothing was collected, or the file is lost:'
            f" say why, in both languages; it is published\n\n{head}no_calls = true  # we looked,"
            " and nobody called on these days\n"
        )


def check_gaps(engine: Engine, config: AgencyConfig) -> tuple[Question, ...]:
    """The stretches without a record that the agency file does not answer; the engine's table
    `calls` is filled.

    Raises SourceError where the calls contradict an answer.
    """
    if config.file.calls.time.period:
        return ()  # the source says nothing of when calls came in
    by_day, by_month = _recorded(engine)
    calendar = Calendar.of(config.file.release)
    if problems := _contradicted(config, by_day, by_month):
        raise SourceError(problems)
    found = unexplained(
        by_day,
        by_month,
        calendar.window,
        [Span(gap.first, gap.last) for gap in config.file.release.gaps],
    )
    return tuple(_question(span, calendar.window, by_day, by_month) for span in found)


def _question(
    span: Span, period: Span, by_day: Mapping[date, int], by_month: Mapping[str, int]
) -> Question:
    """The question about `span`, and whether a record lies next to it. A month whose calls bear no
    day counts as such a record, since that may be of any of its days."""
    beside = [
        day
        for day in (span.first - ONE_DAY, span.last + ONE_DAY)
        if period.first <= day <= period.last
    ]
    known = any(day in by_day for day in beside)
    dated = {f"{day:%Y-%m}" for day in by_day}
    undated = any(by_month.get(month := f"{day:%Y-%m}", 0) and month not in dated for day in beside)
    return Question(span, period, known or undated, known)


def refuse_unanswered(config: AgencyConfig, questions: Sequence[Question]) -> None:
    """Raises SourceError for each that only the agency can answer."""
    if waiting := [question for question in questions if question.edge is None]:
        raise SourceError(
            [
                f"{config.path}: {question.sentence()} Either of these:\n{question.answers()}"
                for question in waiting
            ]
        )


def outside_records(config: AgencyConfig, questions: Sequence[Question]) -> AgencyConfig:
    """The agency file, with the days before the first record and past the last as gaps of which
    nothing was collected."""
    outside = [
        OutsideRecords.model_construct(
            first=q.span.first,
            last=q.span.last,
            reason=RECORDS[q.edge],
            no_calls=False,
            edge=q.edge,
            day_known=q.day_known,
        )
        for q in questions
        if q.edge
    ]
    release = config.file.release.model_copy(update={"gaps": (*config.file.release.gaps, *outside)})
    return (
        replace(config, file=config.file.model_copy(update={"release": release}))
        if outside
        else config
    )


def answers_text(questions: Sequence[Question], config: AgencyConfig) -> str:
    """For the private screen: both answers to each question as lines to paste into the agency
    file."""
    questions = [question for question in questions if question.edge is None]
    if not questions:
        return ""
    head = (
        "Answers that 'build' waits for; of the two blocks for each stretch of days, paste one"
        f" into {config.path}:"
    )
    return "\n".join([head, *(f"\n{question.answers()}" for question in questions)])


def _recorded(engine: Engine) -> tuple[dict[date, int], dict[str, int]]:
    """Counted calls by day (of those with one), and by month."""
    days = engine.ask("SELECT day, count(*) AS n FROM calls WHERE day IS NOT NULL GROUP BY day")
    months = engine.ask("SELECT period, count(*) AS n FROM calls GROUP BY period")
    by_day = {
        date.fromisoformat(str(day)[:10]): int(n)
        for day, n in days.itertuples(index=False, name=None)
    }
    return by_day, {str(month): int(n) for month, n in months.itertuples(index=False, name=None)}


def _contradicted(
    config: AgencyConfig, by_day: Mapping[date, int], by_month: Mapping[str, int]
) -> list[str]:
    """What the calls say against the answers: how many days (or months) of a gap hold records,
    never how many records."""
    undated = {
        month
        for month, n in by_month.items()
        if n > sum(m for day, m in by_day.items() if f"{day:%Y-%m}" == month)
    }
    problems = []
    for number, gap in enumerate(config.file.release.gaps, start=1):
        days = sum(gap.first <= day <= gap.last for day in by_day)
        months = sum(f"{month.first:%Y-%m}" in undated for month in _months_within(gap))
        if days or months:
            held = " and ".join(
                [
                    *([f"{days} of its days"] if days else []),
                    *([f"{months} of its months"] if months else []),
                ]
            )
            cure = (
                "correct 'from' and 'to'"
                if gap.no_calls
                else "correct 'from' and 'to', or leave out the file that holds these records"
            )
            problems.append(
                f"{config.path}: gap {number} in [[release.gaps]], {Span(gap.first, gap.last)},"
                f" says that {'nobody called' if gap.no_calls else 'nothing was collected'}, but"
                f" {held} hold records; {cure}"
            )
    return problems


def _months_within(gap: Gap) -> list[Span]:
    """The calendar months that lie in a gap wholly."""
    months = Calendar(Span(gap.first.replace(day=1), gap.last)).months()
    return [m for m in months if gap.first <= m.first and (m.last + ONE_DAY).day == 1]


def unexplained(
    by_day: Mapping[date, int],
    by_month: Mapping[str, int],
    window: Span,
    answered: Iterable[Span] = (),
) -> list[Span]:
    """The runs of days of `window` without a record that chance does not explain, in order; those
    in `answered` are left alone."""
    months = Calendar(window).months()
    names = [f"{month.first:%Y-%m}" for month in months]
    dated = dict.fromkeys(names, 0)
    for day, n in by_day.items():
        dated[f"{day:%Y-%m}"] += n
    if sum(dated.values()) >= MOSTLY * sum(by_month.values()):
        units = _Units.of_days(window, by_day)
        for month, name in zip(months, names, strict=True):
            if by_month.get(name, 0) and not dated[name]:
                units = units.without(
                    month
                )  # its calls bear no day, so it is no month without a record
    else:
        units = _Units.of_months(months, by_month)
    for span in answered:
        units = units.without(span)
    whole = _Units.of_months(months, by_month)
    for span in answered:
        whole = whole.without(span)
    found, runs = set(units.unexplained()), units.runs()
    unknown = units.filled < MIN_FILLED and units.counts.sum() >= FEW_CALLS
    doubted = whole.runs() if unknown else whole.unexplained()
    for month in map(whole.span, doubted):
        found |= {
            run
            for run in runs
            if units.span(run).first <= month.first and month.last <= units.span(run).last
        }
    return [units.span(place) for place in sorted(found)]


@dataclass(frozen=True)
class _Units:
    """A series of counts by day or by month. `exposure`: what each unit would hold at a constant
    level; `out`: units that are left out."""

    spans: tuple[Span, ...]
    counts: Floats
    exposure: Floats
    out: Mask
    weekly: bool
    long: int
    near: int
    scales: tuple[int, ...]

    @classmethod
    def of_days(cls, window: Span, by_day: Mapping[date, int]) -> _Units:
        days = [window.first + timedelta(days=i) for i in range(window.days)]
        counts = np.array([by_day.get(day, 0) for day in days], dtype=float)
        out = np.zeros(len(days), dtype=bool)
        return cls(
            tuple(Span(day, day) for day in days),
            counts,
            np.ones(len(days)),
            out,
            True,
            LONG_DAYS,
            NEAR_DAYS,
            SCALES,
        )

    @classmethod
    def of_months(cls, months: Sequence[Span], by_month: Mapping[str, int]) -> _Units:
        counts = np.array(
            [by_month.get(f"{month.first:%Y-%m}", 0) for month in months], dtype=float
        )
        exposure = np.array([month.days / DAYS_A_MONTH for month in months])
        return cls(
            tuple(months),
            counts,
            exposure,
            np.zeros(len(months), dtype=bool),
            False,
            LONG_MONTHS,
            NEAR_MONTHS,
            (1,),
        )

    def without(self, span: Span) -> _Units:
        """The series without the units that lie in `span`, wholly or in part: they are neither
        questioned nor used for the estimate."""
        touched = np.array(
            [unit.first <= span.last and span.first <= unit.last for unit in self.spans]
        )
        return replace(self, out=self.out | touched)

    def span(self, place: Place) -> Span:
        return Span(self.spans[place[0]].first, self.spans[place[1] - 1].last)

    @property
    def filled(self) -> int:
        """Units with a call."""
        return int((self.counts[~self.out] > 0).sum())

    def runs(self) -> list[Place]:
        """The longest runs of units without a call."""
        edges = np.diff(np.concatenate([[0], ((self.counts == 0) & ~self.out).astype(int), [0]]))
        return [
            (int(a), int(b))
            for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
        ]

    def unexplained(self) -> list[Place]:
        """The runs whose probability lies under the limits."""
        if not self.filled:
            return self.runs()
        suspects = self._suspects()
        model = _Model(self, self._kept(suspects))
        found = []
        for place in suspects:
            chance = model.log_chance(place, self.scales)
            at_end = place[0] == 0 or place[1] == len(self.spans)
            if chance + np.log(self.filled + 1) < np.log(LIMIT) or (
                at_end and chance < np.log(EDGE_LIMIT)
            ):
                found.append(place)
        return found

    def _suspects(self) -> list[Place]:
        """Runs that are improbable when each unit is taken for itself; looked for again without
        those found, until no more are found.

        Long ones are judged by the other units alone, all others by all units.
        """
        suspects: list[Place] = []
        while True:
            of_all = _Model(self, self._kept(suspects))
            fresh = []
            for place in self.runs():
                if place not in suspects:
                    long = place[1] - place[0] >= self.long
                    model = _Model(self, self._kept([*suspects, place])) if long else of_all
                    if model.log_chance(place, [1]) < np.log(SUSPECT):
                        fresh.append(place)
            if not fresh:
                return suspects
            suspects += fresh

    def _kept(self, suspects: Sequence[Place]) -> Ints:
        out = self.out.copy()
        for first, end in suspects:
            out[first:end] = True
        return np.flatnonzero(~out)


class _Model:
    """The usual number of calls, estimated from the units `kept`, one after the other, as if those
    left out did not exist. `share`: what a unit holds of a constant level."""

    def __init__(self, units: _Units, kept: Ints) -> None:
        self.units, self.kept = units, kept
        self._spreads: dict[int, float] = {}
        self.calls = _upto(units.counts[kept])
        self.share = units.exposure * self._weekdays()
        self.shares = _upto(self.share[kept])
        self.share = self.share * self._seasons()
        self.shares = _upto(self.share[kept])

    def _weekdays(self) -> Floats:
        """The usual share of each weekday; one call more than was seen keeps that of an idle
        weekday above 0."""
        units, factor = self.units, np.ones(len(self.units.spans))
        if units.weekly:
            weekday = np.array([unit.first.weekday() for unit in units.spans])
            level = self.calls[-1] / max(len(self.kept), 1)
            for day in range(7):
                mine = self.kept[weekday[self.kept] == day]
                factor[weekday == day] = (units.counts[mine].sum() + 1) / (level * len(mine) + 1)
        return factor

    def _seasons(self) -> Floats:
        """The factor of each unit's month, by the same month of the other years; 1 where there is
        none."""
        units, kept, factor = self.units, self.kept, np.ones(len(self.units.spans))
        month = np.array([unit.first.month for unit in units.spans])
        year = np.array([unit.first.year for unit in units.spans])
        places = np.arange(len(kept))
        level, _ = self._level(places, places + 1)
        usual = level * self.share[kept]
        for m, y in sorted(set(zip(month.tolist(), year.tolist(), strict=True))):
            others = (month[kept] == m) & (year[kept] != y)
            seen = (units.counts[kept][others].sum() + SEASON_PRIOR) / (
                usual[others].sum() + SEASON_PRIOR
            )
            factor[(month == m) & (year == y)] = max(seen, LOWEST_SEASON)
        return factor

    def _level(self, first: Ints, end: Ints) -> tuple[Floats, Floats]:
        """(calls per share, calls) of the nearest kept units around each stretch from `first` to
        before `end` (places among the kept), without it."""
        low, high = (
            np.maximum(first - self.units.near, 0),
            np.minimum(end + self.units.near, len(self.kept)),
        )
        calls = self.calls[first] - self.calls[low] + self.calls[high] - self.calls[end]
        shares = self.shares[first] - self.shares[low] + self.shares[high] - self.shares[end]
        return calls / np.maximum(shares, 1e-9), calls

    def spread(self, scale: int) -> float:
        """The overdispersion of stretches of `scale` units."""
        if scale not in self._spreads:
            self._spreads[scale] = self._most_likely_spread(scale)
        return self._spreads[scale]

    def _most_likely_spread(self, scale: int) -> float:
        """Each stretch of `scale` units against the level around it: maximum likelihood over
        SPREADS."""
        if len(self.kept) < MIN_BLOCKS * scale:
            return 0.0
        first = np.arange(0, len(self.kept) - scale + 1, max(1, scale // 4))
        level, _ = self._level(first, first + scale)
        seen, usual = (
            self.calls[first + scale] - self.calls[first],
            level * (self.shares[first + scale] - self.shares[first]),
        )
        seen, usual = seen[usual > 0], usual[usual > 0]
        if not len(seen):
            return 0.0
        size = 1 / SPREADS[:, None]
        likely = (
            gammaln(seen + size)
            - gammaln(size)
            + size * np.log(size / (size + usual))
            + seen * np.log(usual / (size + usual))
        )
        return float(SPREADS[np.argmax(likely.sum(axis=1))])

    def log_chance(self, place: Place, scales: Sequence[int]) -> float:
        """Natural logarithm of the probability of no call at all in a run of units: the largest by
        the overdispersion of `scales`."""
        first, end = place
        before, after = np.searchsorted(self.kept, [first, end])
        level, calls = self._level(np.array([before]), np.array([after]))
        usual, length = (
            float(level[0] * self.share[first:end].sum()),
            float(self.units.exposure[first:end].sum()),
        )
        # A run shorter than a block of several days shares its ups and downs; a part of a month has
        # more of its own.
        blocks = {
            scale: length / scale if scale == 1 else max(1.0, length / scale) for scale in scales
        }
        return max(
            _log_chance(usual, blocks[scale], float(calls[0]), self.spread(scale))
            for scale in scales
        )


def _upto(numbers: Floats) -> Floats:
    """The sum of the first 0, 1, 2 ... numbers."""
    return np.concatenate([[0.0], np.cumsum(numbers)])


def _log_chance(usual: float, blocks: float, seen: float, spread: float) -> float:
    """ln P(no call) of a negative binomial count where `usual` calls are usual: (1 + usual * v) **
    (-1 / v).

    v, the squared coefficient of variation of what is to be expected, has two parts: the
    overdispersion of a block, which shrinks with the number of `blocks`, and what is not known of
    the level, which rests on `seen` calls (as in the exact test of two Poisson counts, Przyborowski
    and Wilenski 1940, Biometrika 31:313).
    """
    if usual <= 0 or seen <= 0:
        return 0.0
    v = max(spread / blocks, LEVEL_SPREAD) + 1 / seen
    return -float(np.log1p(usual * v)) / v


__all__ = [
    "Question",
    "answers_text",
    "check_gaps",
    "outside_records",
    "refuse_unanswered",
    "unexplained",
]
