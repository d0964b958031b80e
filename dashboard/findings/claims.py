"""What people say about co-responder programs, the figure of this release, what research found, and
an honest verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from dashboard.findings import auditors_more, comparisons, quarters_page
from dashboard.findings.answers import calls as calls_answer
from dashboard.findings.answers import coverage as coverage_answer
from dashboard.findings.answers import largest, share_change
from dashboard.findings.auditors_questions import COUNTED, said
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
from dashboard.numbers.cells import Share, by_who, mix_of, shares_of
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
    """What residents answered; beside it complaints and praise, which decide nothing."""
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
    table = release.find("led_by", where={"responder": "co_responder"})
    if table is None:
        return ""
    fixed = {"period": last_year(release, table)} if "period" in table.levels else {}
    mix = {s.code: s for s in mix_of(release, table, "led_by", table.finest("led_by"), fixed)}
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
    table = release.find("language", "interpreter_used")
    if table is None:
        return _missing()
    shares = shares_of(
        release, table, "language", table.finest("language"), {"interpreter_used": "yes"}, {}
    )
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


def _alike(release: Release) -> Finding:
    """Does the report name the crisis alike for every group? Not, where the two ends differ by more
    than chance among all pairs (Bonferroni)."""
    shares = COUNTED["crisis_in_report"].counted.shares(release)
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


LOS_ANGELES = "Los Angeles Controller, On the Sideline, October 2025"
NEW_YORK = "New York City Comptroller, audit MG24-060A, May 2025"
SAN_FRANCISCO = "San Francisco Budget and Legislative Analyst, November 2023"


def asked_by_auditors() -> list[Claim]:
    """Claims 24 and on: what auditors, councils and reporters asked, as people say it."""
    los_angeles = _("An audit of the Los Angeles police asked this.")
    return [
        Claim(
            "first",
            _("Clinicians speak to the person first."),
            "staffing",
            los_angeles,
            LOS_ANGELES,
            _said("clinician_role"),
        ),
        Claim(
            "restraints",
            _("Fewer people are put in handcuffs."),
            "safety",
            los_angeles,
            LOS_ANGELES,
            _two_sides("restrained", "restrained_group"),
        ),
        Claim(
            "holds",
            _("People are held against their will."),
            "outcomes",
            _(
                "An audit of the Los Angeles police gave 86% for its teams. Teams take other calls"
                " in each city."
            ),
            LOS_ANGELES,
            _two_sides("holds", "hold_started_by"),
        ),
        Claim(
            "trained",
            _("Trained officers use less force."),
            "safety",
            los_angeles,
            LOS_ANGELES,
            _two_sides("officer_trained"),
        ),
        Claim(
            "reports",
            _("Reports name the crisis alike for every group."),
            "fairness",
            _("An audit of the Los Angeles police found 50% for one group, and 70% for another."),
            LOS_ANGELES,
            _alike,
        ),
        Claim(
            "purpose",
            _("The targets count patrol hours, not help."),
            "scorecard",
            los_angeles,
            LOS_ANGELES,
            _purpose,
        ),
        Claim(
            "instead",
            _("When no team comes, police come alone."),
            "funnel",
            _("An audit in New York asked who came in place of a team."),
            NEW_YORK,
            _said("instead"),
        ),
        Claim(
            "outside",
            _("Calls outside the program's hours and area are left out."),
            "funnel",
            _("An audit in New York counted 14,200 such calls."),
            NEW_YORK,
            _outside,
        ),
        Claim(
            "checks",
            _("Nobody is free to check some calls."),
            "funnel",
            _("An audit in New York asked for such calls to be told apart."),
            NEW_YORK,
            _said("triaged"),
        ),
        Claim(
            "backup",
            _("Teams need police backup."),
            "safety",
            _("Virginia and Portland ask programs for this."),
            "Virginia Behavioral Health Commission, September 2025; Portland Auditor, January 2024",
            _said("backup"),
        ),
        Claim(
            "back",
            _("Teams hand calls back to police."),
            "outcomes",
            _("In a pilot in Los Angeles, 3.8% of calls were handed back."),
            LOS_ANGELES,
            _said("handed_back"),
        ),
        Claim(
            "less",
            _("Teams are sent less while calls rise."),
            "funnel",
            _("Reporters asked this of Chicago's teams. A rise in calls can also be a new code."),
            "",
            _sent_less,
        ),
        Claim(
            "days",
            _("Some days have no team."),
            "staffing",
            _("Reporters asked this of Chicago's teams."),
            "",
            _unstaffed,
        ),
        Claim(
            "beds",
            _("There is nowhere to take people."),
            "after",
            _(
                "In San Francisco, 13% of visits lacked something that was asked for. In 84% of"
                " those it was a bed."
            ),
            SAN_FRANCISCO,
            _said("unavailable", "unavailable_kind"),
        ),
        Claim(
            "refuse",
            _("People turn down the places that are offered."),
            "after",
            _("San Francisco's council asked which kinds of places people accept."),
            SAN_FRANCISCO,
            _said("declined"),
        ),
        Claim(
            "crews",
            _("Fire and ambulance crews get time back."),
            "staffing",
            _("An audit in Portland asked for these hours."),
            "Portland Auditor, January 2024",
            _crews,
        ),
        Claim(
            "quarterly",
            _("Change shows from quarter to quarter."),
            "quarters",
            _("A council asked for quarters side by side. One quarter is no trend."),
            "Albuquerque City Council, R-25-205, November 2025",
            _by_quarter,
        ),
        Claim(
            "current",
            _("The figures are out of date."),
            "scorecard",
            _("A site can outlive the program that it tells of."),
            "",
            _current,
        ),
    ]


def claims() -> list[Claim]:
    """All claims, in the reader's language, in the order of the project's list: 23 that people say,
    then those behind the questions of auditors."""
    thin = _("A review of 26 studies of co-response found no randomized trial.")
    return [
        Claim(
            "share",
            _("Crisis calls are a large and rising share of 911."),
            "calls",
            _(
                "A national project found that agencies often cannot flag these calls. So shares of"
                " two cities may not mean the same."
            ),
            "BJA and PERF, mental-health data collection project (csgjusticecenter.org)",
            _share_of_all,
        ),
        Claim(
            "types",
            _("Teams answer mental-health, suicide, drug and welfare calls."),
            "calls",
            _(
                "Each program has its own criteria. The one in Portland leaves out callers thinking"
                " about suicide and private homes."
            ),
            "Portland Civic Lab, measure 100717839",
            _types,
        ),
        Claim(
            "care",
            _("People reach care instead of jail."),
            "after",
            _("A referral is not a visit. {thin}").format(thin=thin),
            "Puntis and others, 2018",
            _described("connected"),
        ),
        Claim(
            "arrests",
            _("There are fewer arrests."),
            "safety",
            _("Only similar calls can be compared. {thin}").format(thin=thin),
            "Puntis and others, 2018",
            _like("arrest"),
        ),
        Claim(
            "force",
            _("Less force is used."),
            "safety",
            _("Force is rare, so small numbers change a lot by chance. {thin}").format(thin=thin),
            "Puntis and others, 2018",
            _like("force_used"),
        ),
        Claim(
            "repeat",
            _("The same people call less often."),
            "after",
            _(
                "Repeat calls often fall by themselves after a peak. So calls of the same time must"
                " be compared."
            ),
            "",
            _like("repeat_90"),
        ),
        Claim(
            "officers",
            _("Officers are safer."),
            "safety",
            _("Injuries are rare, so years must be taken together."),
            "",
            _officers,
        ),
        Claim(
            "cost",
            _("It saves money."),
            "money",
            _(
                "One simulation from Texas found no net saving when only minor cases are diverted,"
                " and cost moved to the health side."
            ),
            "doi.org/10.1177/0093854811432434",
            _cost,
        ),
        Claim(
            "trust",
            _("People trust the city more."),
            "claims",
            _(
                "Complaints and praise are not trust. Only a survey asked before and after can"
                " show it."
            ),
            "",
            _trust,
        ),
        Claim(
            "funding",
            _("Funding may not last."),
            "money",
            _("A grant with an end date says nothing of what comes after."),
            "",
            _funding,
        ),
        Claim(
            "posts",
            _("Clinicians are hard to find."),
            "staffing",
            _("In a small team, one open position changes the share a lot."),
            "",
            _posts,
        ),
        Claim(
            "gaps",
            _("Nights and far places are left out."),
            "coverage",
            _(
                "An audit in New York found calls that nobody had checked counted as not eligible."
                " That hides gaps."
            ),
            "New York City Comptroller, audit MG24-060A, May 2025",
            _gaps,
        ),
        Claim(
            "roles",
            _("Roles must be clear."),
            "staffing",
            _("Who left first shows only a part of who did what."),
            "",
            _roles,
        ),
        Claim(
            "danger",
            _("Clinicians go where it is dangerous."),
            "safety",
            _("Injuries of clinicians are rare. Zero seen does not prove there are none."),
            "",
            _danger,
        ),
        Claim(
            "training",
            _("Officers and clinicians train together."),
            "staffing",
            _("A course taken is not proof of a call handled well."),
            "",
            _training,
        ),
        Claim(
            "tracking",
            _("Good data keep programs going."),
            "scorecard",
            _("An audit in New York found that the reasons for missed calls were not on record."),
            "New York City Comptroller, audit MG24-060A, May 2025",
            _tracking,
        ),
        Claim(
            "partners",
            _("Partners make handoffs smooth."),
            "after",
            _("A handoff counts as smooth only when a visit follows."),
            "",
            _described("connected"),
        ),
        Claim(
            "adapt",
            _("Teams adapt to need."),
            "calls",
            _("A change marked on a chart is not proof that it worked."),
            "",
            _adapt,
        ),
        Claim(
            "time",
            _("Officers get time back."),
            "staffing",
            _(
                "Longer visits can be better visits. What counts is time after the officer may"
                " leave."
            ),
            "",
            _like("officer_minutes"),
        ),
        Claim(
            "slow",
            _("It slows the response."),
            "times",
            _(
                "Waits depend on the kind of call and on distance. Compare only times measured the"
                " same way."
            ),
            "",
            _like("wait"),
        ),
        Claim(
            "support",
            _("Most officers come to support it."),
            "staffing",
            _("Officers who answer a survey may differ from those who do not."),
            "",
            _survey("officers", most=True),
        ),
        Claim(
            "patrol",
            _("It pulls officers from urgent calls."),
            "staffing",
            _("This needs hours of all patrols, which few agencies publish."),
            "",
            _patrol,
        ),
        Claim(
            "language",
            _("Language is a barrier in a crisis."),
            "fairness",
            _("An interpreter is not always on record, so true use may be higher."),
            "",
            _language,
        ),
        *asked_by_auditors(),
    ]


def checked(release: Release) -> tuple[tuple[Claim, Finding], ...]:
    """Every claim with what this release says of it, in the reader's language."""
    return _checked(release, current())


@lru_cache(maxsize=16)
def _checked(release: Release, _language: str) -> tuple[tuple[Claim, Finding], ...]:
    """Worked out once for all readers of a language."""
    return tuple((claim, claim.find(release)) for claim in claims())
