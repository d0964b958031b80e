"""Quarters: counts of three months, and the difference to the quarter before and to the same
quarter of the year before.

A quarter has a count only where the data hold all of it; else it has a lower bound at most. Two
quarters have a difference only where both are whole and no code changed from the first day of the
one to the last day of the other. Whether a quarter is outside the usual range is decided as for
months (`stats.control`).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.findings.program import numbers, per_day
from dashboard.findings.time_series import signal_words
from dashboard.numbers.cells import Point, marked, missing_word, part_words
from dashboard.numbers.stats import SEASON, SMALLEST_BASE, Control, control
from dashboard.numbers.year_trend import CODES, breaks
from dashboard.release.reader import (
    FISCAL_YEAR,
    INCOMPLETE,
    NOT_COLLECTED,
    PUBLISHED,
    SUPPRESSED,
    CountTable,
    Release,
)
from dashboard.text.language import _, month_in_words, number, percent

IN_A_YEAR, MONTHS = 4, 3
CALENDAR = 1
"""The month in which a calendar year starts."""
USUAL, OUTSIDE, FEW, RECODED, PARTIAL = "usual", "outside", "few", "recoded", "partial"
USUAL_MONTHS, OUTSIDE_MONTH = "usual_months", "outside_month"
"""What can be said of a quarter: within the usual range, outside of it, too few quarters to say,
before the codes changed, not whole. Where quarters are too few and months are not: all three of its
months are within their usual range, or one is outside."""


@dataclass(frozen=True)
class Quarter:
    """`count`: None where withheld or not collected; of a part of the quarter where `status` is
    incomplete. `at_least`: what its published months add up to, where `count` is None."""

    code: str
    label: str
    first: date
    last: date
    count: int | None
    status: str
    at_least: int | None = None

    @property
    def whole(self) -> bool:
        return self.status == PUBLISHED and self.count is not None

    @property
    def daily(self) -> float | None:
        """The count for each day, since quarters have 90 to 92; None where it is not whole."""
        days = (self.last - self.first).days + 1
        return self.count / days if self.whole and self.count is not None else None

    @property
    def shown(self) -> str:
        if self.count is None:
            if self.at_least:
                return _("at least {count} ({word} in part)").format(
                    count=number(self.at_least), word=missing_word(self.status)
                )
            return missing_word(self.status)
        if self.status == INCOMPLETE:
            return marked(_("at least {count}").format(count=number(self.count)), self.status)
        return number(self.count)

    @property
    def months(self) -> str:
        """Its first and last month, in words."""
        return _("{first} to {last}").format(
            first=month_in_words(f"{self.first:%Y-%m}"), last=month_in_words(f"{self.last:%Y-%m}")
        )

    @property
    def in_full(self) -> str:
        """The label with its months: "Q4 2025 (October 2025 to December 2025)"."""
        return f"{self.label} ({self.months})"

    @property
    def point(self) -> Point:
        return Point(self.code, self.label, self.count, self.status)


FIRST, NOT_WHOLE, CODES_CHANGED = "first", "not_whole", "codes_changed"
"""Why there is no difference: no earlier quarter is in the data, one of the two is not whole, codes
changed between them."""


def why_words(why: str) -> str:
    """Why there is no difference, for a table."""
    return {
        FIRST: "–",
        NOT_WHOLE: _("not compared: not whole"),
        CODES_CHANGED: _("not compared: codes changed"),
    }[why]


@dataclass(frozen=True)
class Step:
    """From an earlier quarter to a later one; `why`: why there is no difference, empty where there
    is one."""

    before: Quarter | None
    after: Quarter
    why: str

    @property
    def count(self) -> int | None:
        if self.why or self.before is None:
            return None
        assert self.before.count is not None and self.after.count is not None
        return self.after.count - self.before.count

    @property
    def share(self) -> float | None:
        """The difference as a part of the earlier count; None over too few calls."""
        if self.count is None or self.before is None or self.before.count is None:
            return None
        return self.count / self.before.count if self.before.count >= SMALLEST_BASE else None

    @property
    def shown(self) -> str:
        """The difference as "+120 (+3%)", or why there is none."""
        if self.count is None:
            return why_words(self.why)
        if self.share is None:
            return signed(self.count)
        return f"{signed(self.count)} ({signed(self.share, share=True)})"


def signed(value: float, *, share: bool = False) -> str:
    """A difference with its sign; none at 0."""
    words = percent(abs(value)) if share else number(abs(value))
    return words if not value else f"{'+' if value > 0 else '−'}{words}"


def starts_of_years(release: Release) -> dict[str, int]:
    """Ways to count in quarters -> the month in which their year starts: calendar years, and fiscal
    years where the release has them."""
    found = {"calendar": CALENDAR}
    period = release.codelists.get("period")
    fiscal = period.at(FISCAL_YEAR) if period else []
    if fiscal:
        found["fiscal"] = int(fiscal[0].code[5:7])
    return found


def table_of(
    release: Release,
    *dimensions: str,
    starts: int = CALENDAR,
    where: Mapping[str, str] | None = None,
) -> CountTable | None:
    """The table of all calls, or of those of `where`, that has quarters, or months to add up, and
    `dimensions`: quarters first, then the fewest dimensions. Quarters of the release are those of
    calendar years."""
    aligned = (starts - CALENDAR) % MONTHS == 0
    fitting = [
        (not (aligned and "quarter" in periods), len(table.levels), table.name, table)
        for table in release.tables.values()
        if table.where == dict(where or {})
        and all(len(table.levels.get(d, ())) > 1 for d in dimensions)
        and ("month" in (periods := table.levels.get("period", ())) or aligned)
        and {"quarter", "month"} & set(periods)
    ]
    return min(fitting, default=(None,))[-1]


def spans(release: Release, starts: int) -> list[tuple[str, str, date, date]]:
    """Code, label, first and last day of each quarter that the data touch."""
    at = date(release.data_from.year - 1, starts, 1)
    found = []
    while at <= release.data_to:
        end = _later(at, MONTHS - 1)
        last = date(end.year, end.month, monthrange(end.year, end.month)[1])
        if last >= release.data_from:
            found.append((*_named(at, starts), at, last))
        at = _later(at, MONTHS)
    return found


def _named(first: date, starts: int) -> tuple[str, str]:
    """A fiscal year is called by the year in which it ends."""
    place = (first.month - starts) % 12 // MONTHS + 1
    if starts == CALENDAR:
        words = _("Q{n} {year}").format(n=place, year=first.year)
        return f"{first.year}-Q{place}", words
    year = first.year + (first.month >= starts)
    words = _("Q{n} of fiscal year {year}").format(n=place, year=year)
    return f"FY{year}-Q{place}", words


def _later(day: date, months: int) -> date:
    """The first day of the month that is `months` after that of `day`."""
    return date(day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1, 1)


Cell = tuple[int | None, str]


def quarters(
    release: Release, table: CountTable, fixed: Mapping[str, str], starts: int = CALENDAR
) -> list[Quarter]:
    """The cells of `fixed` quarter by quarter, from the table's own quarters, or else from its
    months."""
    known = release.codelists["period"].codes
    own = "quarter" in table.levels["period"] and (starts - CALENDAR) % MONTHS == 0

    def cell(code: str) -> Cell:
        if code not in known:
            return None, NOT_COLLECTED  # beyond the first or last day of the data
        return table.cell({**fixed, "period": code})

    found = []
    for code, label, first, last in spans(release, starts):
        codes = [f"{first.year}-Q{(first.month - 1) // MONTHS + 1}"] if own else months_of(first)
        found.append(_made(code, label, first, last, [cell(code) for code in codes], release))
    return found


def of_months(release: Release, counts: Mapping[str, int], starts: int = CALENDAR) -> list[Quarter]:
    """Quarters of numbers by month (month -> number) that are in no table of calls; a month without
    a number was not collected."""
    return [
        _made(
            code,
            label,
            first,
            last,
            [
                (counts[month], PUBLISHED) if month in counts else (None, NOT_COLLECTED)
                for month in months_of(first)
            ],
            release,
        )
        for code, label, first, last in spans(release, starts)
    ]


def months_of(first: date) -> list[str]:
    return [f"{_later(first, n):%Y-%m}" for n in range(MONTHS)]


def _made(
    code: str, label: str, first: date, last: date, cells: Sequence[Cell], release: Release
) -> Quarter:
    """One quarter from its own cell or from those of its months."""
    statuses = [status for _count, status in cells]
    told = [count for count, _status in cells if count is not None]
    total = sum(told) if told else None
    covered = release.data_from <= first and last <= release.data_to
    if SUPPRESSED in statuses:
        return Quarter(code, label, first, last, None, SUPPRESSED, total)
    if total is None:
        return Quarter(code, label, first, last, None, NOT_COLLECTED)
    whole = covered and set(statuses) == {PUBLISHED}
    return Quarter(code, label, first, last, total, PUBLISHED if whole else INCOMPLETE)


def step(listed: Sequence[Quarter], place: int, back: int, changed: Collection[date]) -> Step:
    """From the quarter `back` places before to the one at `place`; `changed`: days on which codes
    changed."""
    after = listed[place]
    if place < back:
        return Step(None, after, FIRST)
    before = listed[place - back]
    if any(before.first < day <= after.last for day in changed):
        return Step(before, after, CODES_CHANGED)
    return Step(before, after, "" if before.whole and after.whole else NOT_WHOLE)


def code_changes(release: Release) -> list[date]:
    """Days after which counts of calls mean something else."""
    return breaks(release, CODES)


@dataclass(frozen=True)
class Judged:
    """A verdict for each quarter; in words how it was reached; and how far above the others, as a
    share, a quarter or month is noticed 8 times in 10 (None where none is judged)."""

    verdicts: tuple[str, ...]
    words: str
    seen_from: float | None


def judge(listed: Sequence[Quarter], months: Sequence[Point], changed: Collection[date]) -> Judged:
    """The verdict on each whole quarter under the codes now in use, compared with the others; by
    its `months` where quarters are too few."""
    last = max(changed, default=date.min)
    since = [q for q in listed if q.first >= last]
    found = control([q.daily for q in since], IN_A_YEAR)
    left_out = len(since) < len(listed)
    verdicts = [RECODED] * (len(listed) - len(since))
    since_months = [p for p in months if p.code >= f"{last:%Y-%m}"]
    by_month = control(per_day(since_months))
    if found.seen_from is None and by_month.seen_from is not None:
        judged = dict(_judged_months(since_months, by_month))
        verdicts += [_by_months(q, judged) for q in since]
        words = signal_words(
            [p.label for p in since_months],
            by_month,
            _("Each is set against the same month a year before."),
            _("The season is not taken out: too few months."),
            left_out=left_out,
        )
        why = _("There are too few quarters to judge, so we look at the months.")
        return Judged(tuple(verdicts), f"{why} {words}", by_month.seen_from)
    verdicts += [_verdict(since, place, found) for place in range(len(since))]
    words = signal_words(
        [q.label for q in since],
        found,
        _("Each is set against the same quarter a year before."),
        _("The season is not taken out: too few quarters."),
        left_out=left_out,
    )
    return Judged(tuple(verdicts), words, found.seen_from)


def _verdict(since: Sequence[Quarter], place: int, found: Control) -> str:
    if not since[place].whole:
        return PARTIAL
    base = place - IN_A_YEAR if found.seasonal else place
    if found.seen_from is None or base < 0 or not (since[base].daily and since[place].daily):
        return FEW
    return OUTSIDE if found.outside[place] else USUAL


def _judged_months(months: Sequence[Point], found: Control) -> Iterator[tuple[str, bool]]:
    """Each month that could be judged, and whether it stands out."""
    daily = per_day(months)
    for place, month in enumerate(months):
        base = place - SEASON if found.seasonal else place
        if base >= 0 and daily[base] and daily[place]:
            yield month.code, found.outside[place]


def _by_months(quarter: Quarter, judged: Mapping[str, bool]) -> str:
    if not quarter.whole:
        return PARTIAL
    known = [judged.get(code) for code in months_of(quarter.first)]
    if any(known):
        return OUTSIDE_MONTH
    return FEW if None in known else USUAL_MONTHS


def verdict_words(verdict: str) -> str:
    """For a table."""
    return {
        USUAL: _("within the usual range"),
        OUTSIDE: _("outside the usual range"),
        USUAL_MONTHS: _("its months are within the usual range"),
        OUTSIDE_MONTH: _("a month is outside the usual range"),
        FEW: _("too few quarters to say"),
        RECODED: _("other codes then"),
        PARTIAL: part_words(),
    }[verdict]


def verdict_sentence(judged: Judged, place: int) -> str:
    """For the answer: what can be said of one quarter, and what would have been noticed."""
    words = {
        USUAL: _(
            "This lies within the usual range. We would notice a quarter about {share} above the"
            " others."
        ),
        OUTSIDE: _("This lies outside the usual range."),
        USUAL_MONTHS: _(
            "Each of its months lies within the usual range. We would notice one about {share}"
            " above the others."
        ),
        OUTSIDE_MONTH: _("At least one of its months lies outside the usual range."),
    }.get(
        judged.verdicts[place],
        _("There are too few quarters under the same codes to say if this is usual."),
    )
    return words.format(share=percent(judged.seen_from or 0.0))


def last_whole(listed: Iterable[Quarter]) -> int | None:
    """The place of the last quarter that the data hold whole; None where there is none."""
    return max((place for place, q in enumerate(listed) if q.whole), default=None)


def staffed(release: Release, column: str, starts: int = CALENDAR) -> list[Quarter]:
    """Hours `planned` or `worked` by teams; none where they are not reported."""
    rows = release.reference("staffed_months")
    if rows is None:
        return []
    known = numbers(rows, column).dropna(subset=[column])
    return of_months(
        release, dict(zip(known["month"], known[column].round().astype(int), strict=True)), starts
    )
