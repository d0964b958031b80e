"""What people say about co-responder programs, the figure of this release, what research found, and
an honest verdict."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from dashboard.findings import auditors_more, comparisons, quarters_page
from dashboard.findings.answers import calls as calls_answer
from dashboard.findings.answers import coverage as coverage_answer
from dashboard.findings.answers import largest, share_change
from dashboard.findings.auditors_questions import said
from dashboard.findings.program import (
    costs_of_contacts,
    count_words,
    last_year,
    latest,
    money,
    numbers,
    rates_by_who,
    share_of_all,
    trained_words,
)
from dashboard.findings.quarters import CALENDAR
from dashboard.findings.targets import Score, score
from dashboard.findings.urgent_waits import urgent_words
from dashboard.numbers.cells import Share, by_who, mix_of
from dashboard.numbers.measures import measure
from dashboard.numbers.stats import shares_differ
from dashboard.numbers.year_trend import CODES, last_break
from dashboard.page.page import field_name
from dashboard.page.reported import has_teams
from dashboard.page.standard_texts import nothing
from dashboard.page.survey import answered_bounds, numbered, response_words
from dashboard.release.reader import NOT_COLLECTED, PUBLISHED, ROOT, Release
from dashboard.text.language import _, current, day, ngettext, number, percent, rounded, text

REVIEWED = "2026-11"
MAX_NAMED = 4
"""Lines of one card, at most; the page behind it has all."""


@dataclass(frozen=True)
class Finding:
    """`verdict`: supported or not_supported (claims that a plain count settles), fewer, more or
    no_clear (similar calls compared; rules in `comparisons.py`), cannot_tell, described (the claim
    is a plain fact to look up) or missing. `words`: the verdict's own, where it has some.
    """

    verdict: str
    figure: str
    words: str = ""

    @property
    def verdict_words(self) -> str:
        return self.words or verdict_words(self.verdict)


@dataclass(frozen=True)
class Claim:
    name: str
    said: str
    page: str
    research: str
    source: str
    find: Callable[[Release], Finding]


def verdict_words(verdict: str) -> str:
    return {
        "supported": _("Supported here"),
        "not_supported": _("Not supported here"),
        "fewer": _("Associated with a lower figure"),
        "more": _("Associated with a higher figure"),
        "no_clear": _("No clear difference"),
        "cannot_tell": _("We cannot tell"),
        "described": _("Here is the figure"),
        "missing": _("This agency does not report this yet"),
    }[verdict]


MISSING = "missing"


def _missing() -> Finding:
    return Finding(MISSING, nothing())


def _figure(release: Release, found: Score) -> str:
    return _("{measure}, {year}: {share}. Year before: {before}. Trend: {trend}.").format(
        measure=found.plain,
        year=latest(release),
        share=found.shown,
        before=found.before_shown,
        trend=found.trend,
    )


def _described(measure: str) -> Callable[[Release], Finding]:
    def find(release: Release) -> Finding:
        found = score(release, measure, latest(release))
        if found is not None and NOT_COLLECTED in (found.now.part.status, found.now.whole.status):
            return Finding(
                "cannot_tell", _("{year}: {word}.").format(year=latest(release), word=found.shown)
            )
        return (
            Finding("described", _figure(release, found))
            if found and found.now.share is not None
            else _missing()
        )

    return find


def _like(outcome: str) -> Callable[[Release], Finding]:
    """Similar calls when a team was free and when none was; where that is not reported, similar
    calls by who came, which decide nothing."""

    def find(release: Release) -> Finding:
        found = comparisons.comparison(release, f"compare_{outcome}") or comparisons.comparison(
            release, f"reached_{outcome}"
        )
        if found is None:
            return _missing()
        parts = [
            comparisons.figure_words(found),
            found.why,
            *comparisons.control_sentences(found),
            comparisons.strength_words(found),
        ]
        return Finding(
            found.verdict,
            " ".join(part for part in parts if part),
            comparisons.verdict_words(found),
        )

    return find


def _calls(release: Release) -> Finding:
    return Finding("described", calls_answer(release)) if release.find("period") else _missing()


def _share_of_all(release: Release) -> Finding:
    shares = [s for s in share_of_all(release) or () if s.share is not None]
    if not shares:
        return _missing()
    figure = _("In {year}, crisis calls were {share} of all calls ({part} of {whole}).").format(
        year=shares[-1].label, **_words(shares[-1])
    )
    return Finding(
        "described", f"{figure} {share_change(release, shares, last_break(release, CODES))}".strip()
    )


def _words(found: Share) -> dict[str, str]:
    return {"share": found.shown, "part": found.part.shown, "whole": found.whole.shown}


def _types(release: Release) -> Finding:
    table = release.find("call_type") if has_teams(release) else None
    mix = mix_of(release, table, "call_type", table.finest("call_type"), {}) if table else []
    shown = {s.code: s for s in mix if s.share is not None}
    if not shown:
        return _missing()
    most = largest([s.part for s in mix], mix[0].whole.value, shown)
    if most is None:
        return Finding(
            "cannot_tell",
            _("Some types are withheld, so we cannot say which is most common."),
        )
    top = shown[most.code]
    return Finding(
        "described",
        _("Most common type: {label} ({share}, {part} of {whole}).").format(
            label=top.label, **_words(top)
        ),
    )


def _officers(release: Release) -> Finding:
    table = release.find("responder", "injured_officer")
    if table is None:
        return _missing()
    pairs = [
        (table.cell({"responder": w, "injured_officer": "yes"})[0], table.cell({"responder": w})[0])
        for w in ("clinician", "no_clinician")
    ]
    if any(n is None or not whole for n, whole in pairs):
        return Finding("cannot_tell", _("The numbers are too small to show."))
    (a, a_all), (b, b_all) = ((int(n or 0), int(whole or 1)) for n, whole in pairs)
    figure = _("With a clinician {a} of {a_all} calls; without {b} of {b_all}.").format(
        a=number(a), a_all=number(a_all), b=number(b), b_all=number(b_all)
    )
    if not shares_differ(a, a_all, b, b_all):
        return Finding("cannot_tell", figure)
    return Finding(
        "cannot_tell",
        figure + " " + _("The two differ by more than chance, but the calls differ too."),
    )


def _danger(release: Release) -> Finding:
    """Clinicians hurt, and weapons reported, in calls that a clinician reached."""
    table, weapons = (
        release.find("responder", "injured_clinician"),
        release.find("responder", "weapon_reported"),
    )
    if table is None:
        return _missing()
    hurt = rates_by_who(release, table, "injured_clinician", "yes", {})[0]
    if hurt.interval is None:
        return Finding("cannot_tell", _("The numbers are too small to show."))
    low, high = (rounded(edge) for edge in hurt.interval)
    figure = _(
        "Clinicians were hurt in {part} of {whole} calls that they reached: {low} to {high} in"
        " 1,000."
    ).format(part=hurt.part.shown, whole=hurt.whole.shown, low=low, high=high)
    armed = by_who(release, weapons, "weapon_reported", "yes", {})[0] if weapons else None
    if armed and armed.share is not None:
        figure += " " + _("A weapon was reported in {share} of them ({part} of {whole}).").format(
            **_words(armed)
        )
    return Finding("described", figure)


def _cost(release: Release) -> Finding:
    costs = costs_of_contacts(release)
    if not costs:
        return _missing()
    spent = _("In {year}, a contact cost {cost}.").format(
        year=costs[-1].year, cost=money(costs[-1].each)
    )
    saved = _("What it saved, if anything, is a range: see 'Money'.")
    return Finding("cannot_tell", f"{spent} {saved}")


def _trust(release: Release) -> Finding:
    """What residents answered, with complaints and praise, which decide nothing."""
    asked, rows = _survey("residents")(release), release.reference("feedback")
    rows = rows[rows["kind"].isin(["complaint", "praise"])] if rows is not None else None
    if rows is None or rows.empty:
        return asked
    last = rows[rows["year"] == rows["year"].max()]
    told = {
        kind: count_words(release, received)
        for kind, received in zip(last["kind"], last["received"], strict=True)
    }
    words = _("Complaints in {year}: {complaint}. Praise: {praise}.").format(
        year=rows["year"].max(),
        complaint=told.get("complaint", "–"),
        praise=told.get("praise", "–"),
    )
    return (
        Finding("cannot_tell", words)
        if asked.verdict == MISSING
        else Finding(asked.verdict, f"{asked.figure} {words}")
    )


def _survey(audience: str, *, most: bool = False) -> Callable[[Release], Finding]:
    """Did the share who agree rise, or (`most`) is it above half, whatever those who did not answer
    would have said?"""

    def find(release: Release) -> Finding:
        rows = release.reference("survey")
        rows = rows[rows["audience"] == audience].sort_values("wave") if rows is not None else None
        if rows is None or not len(rows):
            return _missing()
        asked = rows[
            rows["question"] == rows["question"].iloc[-1]
        ]  # a wave may ask several; only the same question can be compared
        waves = numbered(asked).to_dict("records")
        first, last = waves[0], waves[-1]
        figure = _("{question} Agreed: {first} in {first_wave}, {last} in {last_wave}.").format(
            question=text(last, "question"),
            first=percent(first["agree"] / first["respondents"]),
            first_wave=first["wave"][:4],
            last=percent(last["agree"] / last["respondents"]),
            last_wave=last["wave"][:4],
        )
        if first is last:
            figure = _("{question} Agreed: {share} in {wave}. It was asked once.").format(
                question=text(last, "question"),
                share=percent(last["agree"] / last["respondents"]),
                wave=last["wave"][:4],
            )
        figure = f"{figure} {response_words(last)}".strip()
        bounds = [answered_bounds(wave) for wave in ((first, last) if not most else (last,))]
        if None in bounds:
            return Finding("cannot_tell", figure + " " + _("How many were asked is not on record."))
        low, high = bounds[-1] or (0.0, 1.0)
        if most:
            return Finding(
                "supported" if low > 0.5 else "not_supported" if high < 0.5 else "cannot_tell",
                figure,
            )
        before_low, before_high = bounds[0] or (0.0, 1.0)
        if first is last:
            return Finding("cannot_tell", figure)
        return Finding(
            (
                "supported"
                if low > before_high
                else "not_supported"
                if high < before_low
                else "cannot_tell"
            ),
            figure,
        )

    return find


def _funding(release: Release) -> Finding:
    rows = release.reference("budget")
    if rows is None:
        return _missing()
    last = numbers(rows[rows["year"] == rows["year"].max()], "planned")
    ending = last[last["ends"] != ""]["planned"].sum() if "ends" in last else 0.0
    whole = last["planned"].sum()
    figure = _("In {year}, {part} of {whole} planned comes from sources with an end date.").format(
        year=rows["year"].max(), part=money(ending), whole=money(whole)
    )
    return Finding("described", figure)


def _posts(release: Release) -> Finding:
    rows = release.reference("staffing")
    if rows is None:
        return _missing()
    last = numbers(rows[rows["month"] == rows["month"].max()], "authorized", "filled").to_dict(
        "records"
    )
    words = [
        _("{role}: {filled} of {posts} positions filled").format(
            role=text(r, "role"), filled=number(r["filled"]), posts=number(r["authorized"])
        )
        for r in last
    ]
    return Finding("described", "; ".join(words) + ".")


def _gaps(release: Release) -> Finding:
    sentence, share = coverage_answer(release)
    return Finding("described", sentence) if share else _missing()


def _roles(release: Release) -> Finding:
    table = release.find("responder", "officer_released")
    if table is None:
        return _missing()
    fixed = {"period": last_year(release, table)} if "period" in table.levels else {}
    left = by_who(release, table, "officer_released", "yes", fixed)[0]
    figure = _("See who left first on 'Staffing and training'.")
    if left.share is not None:
        figure = _(
            "The officer left first in {share} of calls that a clinician reached ({part} of"
            " {whole})."
        ).format(**_words(left))
    return Finding("described", " ".join(filter(None, (figure, _led(release)))))


def _led(release: Release) -> str:
    """Who led on calls of teams, in the last whole year."""
    table = measure("led").table(release)
    if table is None:
        return ""
    fixed = {"period": last_year(release, table)} if "period" in table.levels else {}
    mix = {s.code: s for s in measure("led").shares(release, at=fixed)}
    if mix["clinician"].share is None or mix["officer"].share is None:
        return ""
    return _(
        "The clinician led in {clinician} of calls of teams, the officer in {officer}."
    ).format(clinician=mix["clinician"].shown, officer=mix["officer"].shown)


def _training(release: Release) -> Finding:
    words = trained_words(release, MAX_NAMED)
    return Finding("described", words) if words else _missing()


def _tracking(release: Release) -> Finding:
    complete = release.package.get("completeness", {})
    if not complete:
        return _missing()
    worst = min(complete, key=lambda name: (complete[name], name))
    return Finding(
        "described",
        ngettext(
            "{count} field is reported: '{name}', filled in {share}.",
            "{count} fields are reported. The least complete is '{name}', filled in {share}.",
            len(complete),
        ).format(
            count=number(len(complete)),
            name=field_name(release, worst),
            share=percent(complete[worst] / 100),
        ),
    )


def _adapt(release: Release) -> Finding:
    rows = release.reference("program_events")
    return (
        Finding(
            "described",
            ngettext(
                "{count} change is marked on the charts over time.",
                "{count} changes are marked on the charts over time.",
                len(rows),
            ).format(count=number(len(rows))),
        )
        if rows is not None
        else _missing()
    )


def _language(release: Release) -> Finding:
    if not measure("language").query.reported(release):
        return _missing()
    shares = measure("language").shares(release)
    words = [
        _("{label}: {share} ({part} of {whole})").format(label=s.label, **_words(s))
        for s in shares
        if s.share is not None and s.code not in ("english", "unknown")
    ]
    if not words:
        return Finding("described", _("See interpreters by language on 'Fairness'."))
    return Finding(
        "described",
        _("An interpreter came to calls in: {words}.").format(words="; ".join(words[:MAX_NAMED])),
    )


def _patrol(release: Release) -> Finding:
    rows = release.reference("staffed_months")
    if rows is None:
        return _missing()
    total = numbers(rows, "worked")["worked"].sum()
    if not any(rows.get("patrol", ())):
        figure = _(
            "Teams worked {hours} hours in the period. Hours of all patrols are not reported, so"
            " the share is not known."
        ).format(hours=rounded(total, 0))
    else:
        patrol = numbers(rows, "patrol")["patrol"].sum()
        figure = _(
            "Officers worked {hours} hours in teams and {patrol} hours on patrol: {share} in teams."
            " Whether urgent calls waited for it, we cannot tell."
        ).format(
            hours=rounded(total, 0),
            patrol=rounded(patrol, 0),
            share=percent(total / (total + patrol)),
        )
    return Finding(
        "cannot_tell",
        " ".join(filter(None, (figure, urgent_words(release.reference("urgent_waits")).strip()))),
    )


def _said(*names: str) -> Callable[[Release], Finding]:
    """The shares of some measures, as a plain fact to look up."""

    def find(release: Release) -> Finding:
        words = [words for name in names if (words := said(release, name))]
        return Finding("described", " ".join(words)) if words else _missing()

    return find


def _two_sides(*names: str) -> Callable[[Release], Finding]:
    """The shares of two sides whose calls differ: they decide nothing."""

    def find(release: Release) -> Finding:
        found = _said(*names)(release)
        if found.verdict == MISSING:
            return found
        words = _("The calls of the two sides differ, so this does not show why.")
        return Finding("cannot_tell", f"{found.figure} {words}")

    return find


def _like_or_said(outcome: str, *names: str) -> Callable[[Release], Finding]:
    """The verdict of similar calls, after the shares of each side. Where the agency does not
    compare them, the shares alone, which decide nothing."""

    def find(release: Release) -> Finding:
        found = comparisons.comparison(release, f"compare_{outcome}")
        if found is None:
            return _two_sides(*names)(release)
        judged, told = _like(outcome)(release), _said(*names)(release)
        shares = told.figure if told.verdict != MISSING else ""
        return replace(judged, figure=f"{shares} {judged.figure}".strip())

    return find


def _alike(release: Release) -> Finding:
    """Does the report name the crisis alike for every group? Not, where the two ends differ by more
    than chance among all pairs (Bonferroni)."""
    shares = measure("crisis_in_report").shares(release)
    shown = [s for s in shares if s.share is not None and s.code != "unknown"]
    if not shares:
        return _missing()
    figure = said(release, "crisis_in_report")
    if len(shown) < 2:
        return Finding("cannot_tell", figure)
    low, high = (pick_one(shown, key=lambda s: s.share or 0.0) for pick_one in (min, max))
    counts = [n or 0 for s in (low, high) for n in (s.part.value, s.whole.value)]
    pairs = len(shown) * (len(shown) - 1) // 2
    differ = shares_differ(counts[0], counts[1], counts[2], counts[3], looks=pairs)
    figure = _("Lowest: {low_group}, {low}. Highest: {high_group}, {high}.").format(
        low_group=low.label, low=low.shown, high_group=high.label, high=high.shown
    )
    return Finding("not_supported" if differ else "cannot_tell", figure)


def _outside(release: Release) -> Finding:
    shares = [s for s in auditors_more.program_shares(release) if s.code != "unknown"]
    if not shares:
        return _missing()
    words = "; ".join(
        _("{label}: {figure} ({part} of {whole})").format(
            label=s.label, figure=s.shown, part=s.part.shown, whole=s.whole.shown
        )
        for s in shares
    )
    return Finding("described", f"{words}.")


def _sent_less(release: Release) -> Finding:
    """Plain counts of the first and the last whole year settle it."""
    years = [
        (calls, reached)
        for calls, reached in auditors_more.sent(release, "year")
        if calls.status == reached.status == PUBLISHED
    ]
    if not auditors_more.sent(release, "quarter"):
        return _missing()
    if len(years) < 2:
        return Finding("cannot_tell", _("There are no two whole years to compare."))
    (calls, reached), (later, more) = years[0], years[-1]
    figure = _(
        "Calls that met the criteria: {calls} in {first}, {later} in {last}. A clinician reached"
        " {reached} and {more}."
    ).format(
        calls=calls.shown,
        first=calls.label,
        later=later.shown,
        last=later.label,
        reached=reached.shown,
        more=more.shown,
    )
    less = (more.value or 0) < (reached.value or 0) and (later.value or 0) > (calls.value or 0)
    return Finding(
        "supported" if less else "not_supported",
        " ".join(filter(None, (figure, said(release, "started_by_team")))),
    )


def _unstaffed(release: Release) -> Finding:
    found = auditors_more.unstaffed(release)
    if found is None:
        return _missing()
    none, every = found
    figure = _("Days without a team: {none} of {every}.").format(
        none=number(none), every=number(every)
    )
    if areas := auditors_more.areas_by_year(release):
        newest = max(of.year for of in areas)
        last = [of for of in areas if of.year == newest]
        most = max(last, key=lambda of: of.none / of.days)
        figure += " " + _(
            "In {year}, {area} had the most days without a team of its own: {none} of {every}."
        ).format(year=most.year, area=most.label, none=number(most.none), every=number(most.days))
    return Finding("supported" if none else "not_supported", figure)


def _purpose(release: Release) -> Finding:
    found = auditors_more.purposes(release)
    if not found:
        return _missing()
    return Finding(
        "described",
        _("Targets for people: {people}. Targets for the department: {department}.").format(
            **{code: number(n) for code, n in found.items()}
        ),
    )


def _crews(release: Release) -> Finding:
    table = release.statistic(auditors_more.CREW_HOURS, "period")
    cell = table.cell({"period": latest(release)}) if table else None
    if table is None:
        return _missing()
    if cell is None:
        return Finding("cannot_tell", _("The numbers are too small to show."))
    return Finding(
        "described",
        _(
            "In {year}, crews left before calls were closed: about {hours} hours in all."
            " Without a team they might have left as soon."
        ).format(year=latest(release), hours=number(cell["hours"])),
    )


def _by_quarter(release: Release) -> Finding:
    found = quarters_page.series(release, ROOT, CALENDAR)
    told = quarters_page.headline(found) if found else None
    words = f"{told.sentence} {told.before}".strip() if told else ""
    return Finding("described", words) if words else _missing()


def _current(release: Release) -> Finding:
    figure = _("The data reach to {day}.").format(day=day(release.data_to))
    if "next_update" in release.package:
        figure += " " + _("Next update planned for {day}.").format(
            day=day(date.fromisoformat(release.package["next_update"]))
        )
    return Finding("described", figure)


WORKED_OUT: Mapping[str, Callable[[Release], Finding]] = {
    "share_of_all": _share_of_all,
    "types": _types,
    "officers": _officers,
    "cost": _cost,
    "trust": _trust,
    "funding": _funding,
    "posts": _posts,
    "gaps": _gaps,
    "roles": _roles,
    "danger": _danger,
    "training": _training,
    "tracking": _tracking,
    "adapt": _adapt,
    "patrol": _patrol,
    "language": _language,
    "alike": _alike,
    "purpose": _purpose,
    "outside": _outside,
    "sent_less": _sent_less,
    "unstaffed": _unstaffed,
    "crews": _crews,
    "by_quarter": _by_quarter,
    "current": _current,
}
"""Rules that one claim has."""
WORKED_OUT_ABOUT: Mapping[str, Callable[..., Callable[[Release], Finding]]] = {
    "described": _described,
    "like": _like,
    "most_agree": partial(_survey, most=True),
    "said": _said,
    "two_sides": _two_sides,
    "like_or_said": _like_or_said,
}
"""Rules with arguments, which say what to look at."""


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "claims.toml").read_text(encoding="utf-8"))


def _rule(claim: Mapping[str, Any]) -> Callable[[Release], Finding]:
    if "about" in claim:
        return WORKED_OUT_ABOUT[claim["rule"]](*claim["about"])
    return WORKED_OUT[claim["rule"]]


def claims() -> list[Claim]:
    """All claims of `claims.toml`, in the reader's language and in their order: 23 that people say,
    then those behind the questions of auditors."""
    sentences = {name: _(sentence) for name, sentence in _file()["sentences"].items()}
    return [_claim(claim, sentences) for claim in _file()["claim"]]


def _claim(written: Mapping[str, Any], sentences: Mapping[str, str]) -> Claim:
    """One claim of the file. `sentences`: those that its texts may name, in the language read."""
    said, research = written["said"], written["research"]
    return Claim(
        name=written["name"],
        said=_(said),
        page=written["page"],
        research=_(research).format(**sentences),
        source=written.get("source", ""),
        find=_rule(written),
    )


def checked(release: Release) -> tuple[tuple[Claim, Finding], ...]:
    """Every claim with what this release says of it, in the reader's language."""
    return _checked(release, current())


@lru_cache(maxsize=16)
def _checked(release: Release, _language: str) -> tuple[tuple[Claim, Finding], ...]:
    """Worked out once for all readers of a language."""
    return tuple((claim, claim.find(release)) for claim in claims())
