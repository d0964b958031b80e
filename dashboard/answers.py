"""The one-sentence answers: what is true of the published cells, with the period, and no more."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.language import _, about, number, percent
from dashboard.release import NOT_COLLECTED, ROOT, CountTable, Release
from dashboard.skeleton import period_words
from dashboard.stats import SMALLEST_BASE
from dashboard.views import Point, Share, along, in_part, label_of, shares_of
from dashboard.year_trend import CODES, DOWN, NONE, RULES, UP, Year, clustering, last_break, trend

REACHED = {"responder": "clinician"}
ELIGIBLE = {"eligible": "yes"}


@dataclass(frozen=True)
class Years:
    """The last year that the data cover whole, and the one before it where that is whole too."""

    last: Point
    before: Point | None


def whole_years(release: Release, table: CountTable) -> Years | None:
    if "year" not in table.levels["period"]:
        return None
    whole = [p for p in along(release, table, "period", "year", {}) if p.status == "published" and p.value is not None]
    if not whole:
        return None
    before = whole[-2] if len(whole) > 1 and int(whole[-2].code) == int(whole[-1].code) - 1 else None
    return Years(whole[-1], before)


def years_before(release: Release, table: CountTable) -> list[Year]:
    """All whole years with a published count."""
    points = along(release, table, "period", "year", {})
    return [Year(int(p.code), p.value) for p in points if p.status == "published" and p.value is not None]


def compared(release: Release, years: Sequence[Year], before: str, broken: date | None) -> str:
    """The year before, without a word; and the trend of three years or more under the same rules and codes."""
    verdict = trend(years, broken, clustering(release))
    since = max([years[0].year, *([broken.year + (broken > date(broken.year, 1, 1))] if broken else [])])
    words = {
        UP: _("From {first} to {last} it rose."), DOWN: _("From {first} to {last} it fell."),
        NONE: _("From {first} to {last} we see no clear change."),
    }  # fmt: skip
    told = words[verdict].format(first=since, last=years[-1].year) if verdict in words else ""
    return " ".join(part for part in (before, told) if part)


def calls(release: Release) -> str:
    """How many calls, with the year before where it may be compared."""
    table = release.find("period")
    if table is None:
        return _in_all(release, min(release.tables.values(), key=lambda t: len(t.levels)))
    years = whole_years(release, table)
    if years is None or years.last.value is None:
        return _in_all(release, table)
    sentence = in_a_year(years.last.code, years.last.value)
    if years.before is None or years.before.value is None:
        return sentence
    before = _("The year before: {figure}").format(figure=number(years.before.value)) + "."
    return f"{sentence} {compared(release, years_before(release, table), before, last_break(release, CODES))}"


def _in_all(release: Release, table: CountTable) -> str:
    """The calls of the whole time, where there is no whole year to tell of."""
    count, status = table.cell({})
    if count is None:
        return _("The number of calls from {span} is withheld.").format(span=period_words(release))
    sentence = _("{count} calls came in from {span}.").format(count=number(count), span=period_words(release))
    return sentence + _some_missing(status)


def _some_missing(*statuses: str) -> str:
    return " " + _("Some days are missing.") if in_part(*statuses) else ""


def in_a_year(year: str, count: int) -> str:
    """The calls of a whole year; by the day too, where at least one came in each day on average."""
    days = 366 if isleap(int(year)) else 365
    words = _("In {year}, {count} calls came in, about {daily} a day.") if count >= days else _("In {year}, {count} calls came in.")
    return words.format(year=year, count=number(count), daily=number(round(count / days)))


def coverage(release: Release) -> tuple[str, Share | None]:
    """The share of eligible calls that a clinician reached in person, in the last whole year."""
    table = release.find("period", "responder", where=ELIGIBLE)
    if table is None:
        return _("This agency does not report which calls a clinician reached."), None
    years = whole_years(release, table)
    if years is None:
        share = shares_of(release, table, "period", ROOT, REACHED, {})[0]
        period = period_words(release)
    else:
        by_year = {s.code: s for s in shares_of(release, table, "period", "year", REACHED, {})}
        share, period = by_year[years.last.code], years.last.label
    if share.share is None or share.part.value is None or share.whole.value is None:
        words = _("The share of calls that a clinician reached is withheld for {period}.")
        if NOT_COLLECTED in (share.part.status, share.whole.status):
            words = _("The share of calls that a clinician reached was not collected for {period}.")
        return words.format(period=period), None
    sentence = _(
        "In {period}, a clinician came in person to {share} of the calls that met the program's criteria ({part} of {whole})."
    ).format(period=period, share=percent(share.share), part=number(share.part.value), whole=number(share.whole.value))
    sentence = _with_about(sentence, share.share) + _some_missing(share.part.status, share.whole.status)
    if years is not None and years.before is not None:
        sentence += " " + share_change(release, list(by_year.values()), last_break(release, RULES, ("eligible",)))
    return sentence, share


def share_change(release: Release, shares: Sequence[Share], broken: date | None) -> str:
    """The share of the year before the last, and the trend where there are years enough. `shares`: of whole years."""
    known = [s for s in shares if s.share is not None and s.part.status == s.whole.status == "published"]
    if len(known) < 2:
        return ""
    before = _("The year before: {figure}").format(figure=percent(known[-2].share or 0.0)) + "."
    return compared(release, years_of_shares(known), before, broken)


def years_of_shares(shares: Sequence[Share]) -> list[Year]:
    return [Year(int(s.code), s.part.value, s.whole.value) for s in shares if s.part.value is not None and s.whole.value is not None]


def outcomes(release: Release, table: CountTable) -> str:
    """The most common way calls ended, over the whole period."""
    found = [p for p in along(release, table, "outcome", table.finest("outcome"), {}) if p.value is not None and p.code != "unknown"]
    whole, status = table.cell({})
    if not found or not whole or whole < SMALLEST_BASE:
        return _("How calls ended is withheld for {span}.").format(span=period_words(release))
    top = max(found, key=lambda p: p.value or 0)
    share = (top.value or 0) / whole
    sentence = _("From {span}, the most common end of a call was: {label} ({share}, {part} of {whole}).").format(
        span=period_words(release), label=label_of(release, "outcome", top.code).lower(),
        share=percent(share), part=number(top.value or 0), whole=number(whole),
    )  # fmt: skip
    return _with_about(sentence, share) + _some_missing(status)


def _with_about(sentence: str, share: float) -> str:
    """With 'That is about 1 in 5.' where that says something."""
    words = about(share)
    return sentence + " " + _("That is {about}.").format(about=words) if words else sentence
