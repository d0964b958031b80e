"""The one-sentence answers: what is true of the published cells, with the period, and no more."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dashboard.numbers.cells import Point, Share, along, in_part, label_of
from dashboard.numbers.measures import measure
from dashboard.numbers.queries import REACHED
from dashboard.numbers.year_trend import (
    CODES,
    DOWN,
    NONE,
    RULES,
    UP,
    Year,
    clustering,
    last_break,
    trend,
)
from dashboard.page.page import period_words
from dashboard.page.surface import Headline
from dashboard.release.reader import FISCAL_YEAR, NOT_COLLECTED, ROOT, CountTable, Release
from dashboard.text.language import _, about, ngettext, number, percent, pick


@dataclass(frozen=True)
class Years:
    """The last year that the data cover whole, and the one before it where that is whole too."""

    last: Point
    before: Point | None


def whole_years(release: Release, table: CountTable) -> Years | None:
    if "year" not in table.levels["period"]:
        return None
    whole = [
        p
        for p in along(release, table, "period", "year", {})
        if p.status == "published" and p.value is not None
    ]
    if not whole:
        return None
    before = (
        whole[-2] if len(whole) > 1 and int(whole[-2].code) == int(whole[-1].code) - 1 else None
    )
    return Years(whole[-1], before)


def years_before(release: Release, table: CountTable) -> list[Year]:
    """All whole years with a published count."""
    points = along(release, table, "period", "year", {})
    return [
        Year(int(p.code), p.value)
        for p in points
        if p.status == "published" and p.value is not None
    ]


def compared(release: Release, years: Sequence[Year], before: str, broken: date | None) -> str:
    """How a year compares: `before`, the words on the year before, and the trend of three years or
    more under the same rules and codes."""
    verdict = trend(years, broken, clustering(release))
    since = max(
        [years[0].year, *([broken.year + (broken > date(broken.year, 1, 1))] if broken else [])]
    )
    words = {
        UP: _("From {first} to {last} it rose."),
        DOWN: _("From {first} to {last} it fell."),
        NONE: _("From {first} to {last} we see no clear change."),
    }
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
    return (
        f"{sentence}"
        f" {compared(release, years_before(release, table), before, last_break(release, CODES))}"
    )


def calls_headline(
    release: Release, year: str = "", narrowed: Mapping[str, str] | None = None
) -> Headline:
    """How many crisis calls came in during `year` (a code; the last whole year where none is
    named), and by the day.

    `narrowed`: dimension -> code of the calls that are meant, where not all are.
    """
    if narrowed or _is_fiscal(release, year):
        return _part_headline(release, year, narrowed or {})
    table = release.find("period")
    years = whole_years(release, table) if table is not None else None
    known = (
        {p.code: p for p in along(release, table, "period", "year", {})}
        if table is not None and "year" in table.levels["period"]
        else {}
    )
    now = None if year == ROOT else known.get(year) or (years.last if years else None)
    if table is None or now is None or now.value is None:
        any_table = table or min(release.tables.values(), key=lambda t: len(t.levels))
        count, _status = any_table.cell({})
        number_of = "" if count is None else number(count)
        return Headline(
            _in_all(release, any_table),
            number_of,
            _("crisis calls from {span}").format(span=period_words(release)) if number_of else "",
        )
    days = 366 if isleap(int(now.code)) else 365
    sentence = in_a_year(now.code, now.value) + _some_missing(now.status)
    if now.value >= days and now.status == "published":
        sentence = _("In {year}, about {daily} crisis calls came in each day.").format(
            year=now.code, daily=number(round(now.value / days))
        )
    before = known.get(str(int(now.code) - 1))
    words = ""
    if (
        before is not None
        and before.value is not None
        and before.status == now.status == "published"
    ):
        told = [y for y in years_before(release, table) if str(y.year) <= now.code]
        words = compared(
            release,
            told,
            _("The year before: {figure}").format(figure=number(before.value)) + ".",
            last_break(release, CODES),
        )
    return Headline(
        sentence, number(now.value), _("crisis calls in {year}").format(year=now.code), words
    )


def _is_fiscal(release: Release, year: str) -> bool:
    code = release.codelists["period"].codes.get(year) if "period" in release.codelists else None
    return code is not None and code.level == FISCAL_YEAR


def _in_period(release: Release, table: CountTable, year: str, fixed: Mapping[str, str]) -> Point:
    """The count of the period that a reader has chosen, a calendar or a fiscal year; of the whole
    period where none is chosen or the table does not tell of it."""
    if year in ("", ROOT) or not table.has_period(year):
        return Point(ROOT, period_words(release), *table.cell(fixed))
    return Point(year, label_of(release, "period", year), *table.cell({**fixed, "period": year}))


def _part_headline(release: Release, year: str, narrowed: Mapping[str, str]) -> Headline:
    """The headline for one place, one type of call, or a fiscal year. Where no table counts these
    by period, the headline for all calls."""
    table = release.find("period", *narrowed)
    if table is None:
        return calls_headline(release, year)
    here = _in_period(release, table, year, narrowed)
    named = ", ".join(label_of(release, dimension, code) for dimension, code in narrowed.items())
    names = named or pick(release.agency["place"])
    if here.value is None:
        return Headline(
            _("{names}: this number is withheld or was not collected for {period}.").format(
                names=names, period=here.label
            )
        )
    base = _("crisis calls in {year}").format(year=within_sentence(release, here.code))
    if here.code == ROOT:
        base = _("crisis calls from {span}").format(span=here.label)
    sentence = ngettext(
        "{names}: {n} crisis call came in, {period}.",
        "{names}: {n} crisis calls came in, {period}.",
        here.value,
    ).format(names=names, n=number(here.value), period=here.label)
    return Headline(
        sentence + _some_missing(here.status),
        number(here.value),
        f"{base}: {named}" if named else base,
    )


def coverage_headline(release: Release, year: str = "") -> Headline:
    """The share of eligible calls that a clinician reached in person during `year` (a code; the
    last whole year where none is named); no number where it is not shown."""
    table = measure("coverage").table(release)
    if table is None:
        return Headline(coverage(release)[0])
    years = whole_years(release, table)
    year = year or (years.last.code if years else ROOT)
    part, whole = (_in_period(release, table, year, fixed) for fixed in (REACHED, {}))
    share = measure("coverage").share(part, whole)
    period = within_sentence(release, share.code)
    if share.share is None:
        words = _("The share of calls that a clinician reached is withheld for {period}.")
        if NOT_COLLECTED in (share.part.status, share.whole.status):
            words = _("The share of calls that a clinician reached was not collected for {period}.")
        return Headline(words.format(period=period))
    words = _(
        "In {period}, a clinician came in person to {share} of the calls that met the program's"
        " criteria."
    )
    if share.code == ROOT:
        words = _(
            "From {period}, a clinician came in person to {share} of the calls that met the"
            " program's criteria."
        )
    words = words.format(period=period, share=about(share.share) or share.shown)
    by_year = (
        {s.code: s for s in measure("coverage").shares(release, table=table)}
        if "year" in table.levels["period"]
        else {}
    )
    told = [s for code, s in by_year.items() if code <= year]
    before = (
        share_change(release, told, last_break(release, RULES, ("eligible",)))
        if year in by_year and in_part(share.whole.status) is False
        else ""
    )
    base = _("{part} of {whole} calls that met the program's criteria, {period}").format(
        part=share.part.shown, whole=share.whole.shown, period=period
    )
    return Headline(
        words + _some_missing(share.part.status, share.whole.status), share.shown, base, before
    )


def _in_all(release: Release, table: CountTable) -> str:
    """The calls of the whole period in words, where no whole year can be spoken of."""
    count, status = table.cell({})
    if count is None:
        return _("The number of calls from {span} is withheld.").format(span=period_words(release))
    sentence = ngettext(
        "{count} call came in from {span}.", "{count} calls came in from {span}.", count
    ).format(count=number(count), span=period_words(release))
    return sentence + _some_missing(status)


def _some_missing(*statuses: str) -> str:
    return " " + _("Some days are missing.") if in_part(*statuses) else ""


def in_a_year(year: str, count: int) -> str:
    """The calls of a whole year; by the day too, where at least one came in each day on average."""
    days = 366 if isleap(int(year)) else 365
    words = (
        _("In {year}, {count} calls came in, about {daily} a day.")
        if count >= days
        else ngettext(
            "In {year}, {count} call came in.", "In {year}, {count} calls came in.", count
        )
    )
    return words.format(year=year, count=number(count), daily=number(round(count / days)))


def coverage(release: Release) -> tuple[str, Share | None]:
    """The share of eligible calls that a clinician reached in person, in the last whole year."""
    table = measure("coverage").table(release)
    if table is None:
        return _("This agency does not report which calls a clinician reached."), None
    years = whole_years(release, table)
    if years is None:
        share = measure("coverage").shares(release, table=table, codes=(ROOT,))[0]
        period = period_words(release)
    else:
        by_year = {s.code: s for s in measure("coverage").shares(release, table=table)}
        share, period = by_year[years.last.code], years.last.label
    if share.share is None or share.part.value is None or share.whole.value is None:
        words = _("The share of calls that a clinician reached is withheld for {period}.")
        if NOT_COLLECTED in (share.part.status, share.whole.status):
            words = _("The share of calls that a clinician reached was not collected for {period}.")
        return words.format(period=period), None
    sentence = _(
        "In {period}, a clinician came in person to {share} of the calls that met the program's"
        " criteria ({part} of {whole})."
    ).format(
        period=period,
        share=percent(share.share),
        part=number(share.part.value),
        whole=number(share.whole.value),
    )
    sentence = _with_about(sentence, share.share) + _some_missing(
        share.part.status, share.whole.status
    )
    if years is not None and years.before is not None:
        sentence += " " + share_change(
            release, list(by_year.values()), last_break(release, RULES, ("eligible",))
        )
    return sentence, share


def share_change(release: Release, shares: Sequence[Share], broken: date | None) -> str:
    """The share of the year before the last, and the trend where there are years enough. `shares`:
    of whole years."""
    known = [
        s for s in shares if s.share is not None and s.part.status == s.whole.status == "published"
    ]
    if len(known) < 2:
        return ""
    before = _("The year before: {figure}").format(figure=percent(known[-2].share or 0.0)) + "."
    return compared(release, years_of_shares(known), before, broken)


def years_of_shares(shares: Sequence[Share]) -> list[Year]:
    return [
        Year(int(s.code), s.part.value, s.whole.value)
        for s in shares
        if s.part.value is not None and s.whole.value is not None
    ]


def within_sentence(release: Release, year: str) -> str:
    """A period's name for use within a sentence: "2025", or "the fiscal year 2025 (July 2024 to
    June 2025)"."""
    if year == ROOT:
        return period_words(release)
    label = label_of(release, "period", year)
    if not _is_fiscal(release, year):
        return label
    return _("the {fiscal_year}").format(fiscal_year=label[:1].lower() + label[1:])


def largest(points: Sequence[Point], whole: int | None, among: Collection[str]) -> Point | None:
    """The point of the codes `among` with the largest value; None where a withheld number may be
    larger: cover is taken from cells of any size. `points`: all parts of `whole`."""
    known = {p.code: p.value for p in points if p.value is not None}
    top = max(
        (p for p in points if p.code in known and p.code in among),
        key=lambda p: known[p.code],
        default=None,
    )
    if top is None or len(known) == len(points):
        return top
    withheld = None if whole is None else whole - sum(known.values())
    return None if withheld is None or withheld >= known[top.code] else top


def outcomes_headline(release: Release, table: CountTable, year: str) -> Headline:
    """The most common way calls ended in `year` (a code of a period; empty where the table has
    none)."""
    at = {"period": year} if year else {}
    period = within_sentence(release, year or ROOT)
    ends = along(release, table, "outcome", table.finest("outcome"), at)
    found = [p for p in ends if p.value is not None and p.code != "unknown"]
    whole, status = table.cell(at)
    shares = {p.code: measure("outcomes").share(p, Point(ROOT, "", whole, status)) for p in found}
    if not any(share.share is not None for share in shares.values()):
        return Headline(_("How calls ended is withheld for {span}.").format(span=period))
    top = largest(ends, whole, {p.code for p in found})
    if top is None:
        return Headline(
            _("Some ends of calls are withheld, so we cannot say which was most common.")
        )
    label, share = label_of(release, "outcome", top.code), shares[top.code]
    sentence = _("In {period}, calls most often ended this way: {label}.").format(
        period=period, label=label[:1].lower() + label[1:]
    )
    if not year or year == ROOT:
        sentence = _("From {span}, calls most often ended this way: {label}.").format(
            span=period, label=label[:1].lower() + label[1:]
        )
    base = _("{part} of {whole} calls").format(part=share.part.shown, whole=share.whole.shown)
    return Headline(sentence + _some_missing(status), share.shown, base)


def _with_about(sentence: str, share: float) -> str:
    """With 'That is about 1 in 5.' where that says something."""
    words = about(share)
    return sentence + " " + _("That is {about}.").format(about=words) if words else sentence
