"""What auditors, councils and reporters asked of such programs, one description for each figure:
its measure, where its counts stand, and on which page it is shown.

Title, base and caveat of a figure are those of its measure (`measures.py`); `docs/auditors-
questions.md` says which question each answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dashboard.figures.figure_kinds import Kind, RateFigure, ShareFigure
from dashboard.findings import auditors_more
from dashboard.findings.answers import ELIGIBLE
from dashboard.findings.auditors_more import measure_of, noted, titled
from dashboard.numbers.cells import WHO, Point, Rate, Share, label_of
from dashboard.page.page import Page, period_title
from dashboard.release.reader import ROOT, CountTable, Release
from dashboard.text.language import _, number

POLICE_ALONE, TEAMS = {"responder": "police_only"}, {"responder": "co_responder"}
REACHED = {"responder": "clinician"}
MAX_NAMED = 4
"""Shares that one sentence names, at most."""
NO_TEAM_CAME = ("no_unit", "all_busy", "out_of_area", "declined", "cancelled", "safety_hold")
BACKUP_MINUTES = "minutes_to_backup"


@dataclass(frozen=True)
class Counted:
    """Shares read from one count table, which is found by its dimensions and `where`.

    For each code of `along`: the calls with `code` of `dimension`, out of those with `base` of it,
    with the codes of `fixed`. Without a `code`, every code of `dimension` out of `base`. `codes`:
    those of `along`, in order, where not all.
    """

    along: str
    dimension: str
    code: str = ""
    base: str = ROOT
    fixed: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()

    def table(self, release: Release) -> CountTable | None:
        """The table; None where the agency does not report it, or has codes of its own."""
        named = dict.fromkeys((self.along, self.dimension, *self.fixed))
        found = release.find(*named, where=self.where)
        wanted = [
            (self.dimension, self.code or self.base),
            (self.dimension, self.base),
            *self.fixed.items(),
            *((self.along, code) for code in self.codes),
        ]
        if found is None or not all(release.holds(found, *pair) for pair in wanted):
            return None
        if self.along == "period" and "year" not in found.levels["period"]:
            return None
        return found

    def shares(self, release: Release) -> list[Share]:
        """Nothing where the agency does not report it."""
        table = self.table(release)
        if table is None:
            return []
        level = "year" if self.along == "period" else table.finest(self.along)
        listed = release.codelists[self.along]
        inside = (
            listed.at(level) if self.code or self.base == ROOT else listed.under(self.base, level)
        )
        codes = self.codes or tuple(c.code for c in inside)
        found = []
        for code in codes:
            at = {**self.fixed, self.along: code}
            told = (code, label_of(release, self.along, code))
            part, whole = (
                Point(*told, *table.cell({**at, self.dimension: own}))
                for own in (self.code or code, self.base)
            )
            found.append(Share(*told, part, whole))
        return found


@dataclass(frozen=True)
class Asked:
    """One figure. `name`: of its measure; `number`: of the question; `rate`: events per 1,000 calls
    in place of shares; `more`: a further sentence below it."""

    name: str
    number: int
    page: str
    what: Callable[[], str]
    counted: Counted
    rate: bool = False
    more: Callable[[Release], str] = lambda _release: ""

    @property
    def file(self) -> str:
        return self.name.replace("_", "-")

    def kind(self, release: Release) -> Kind | None:
        """The figure; None where the agency does not report it."""
        table, shares = self.counted.table(release), self.counted.shares(release)
        if table is None or not shares:
            return None
        period = self.counted.along == "period"
        when = _("by year") if period else period_title(release, ROOT)
        title, note = titled(self.name, when), noted(self.name, self.more(release))
        held = {"table": table.name, **self.counted.where, **self.counted.fixed}
        if self.counted.code:
            held[self.counted.dimension] = self.counted.code
        if self.rate:
            rates = [Rate(s.code, s.label, s.part, s.whole) for s in shares]
            return RateFigure(title, rates, self.what(), when, held, (self.file,), note)
        return ShareFigure(title, shares, self.what(), when, held, (self.file,), note)


def _backup_words(release: Release) -> str:
    """How long backup took, over the whole period."""
    table = release.statistic(BACKUP_MINUTES)
    cell = table.cell({}) if table else None
    if cell is None:
        return ""
    return _(
        "Half of the time backup came within about {median} minutes, 9 in 10 times within about"
        " {p90}."
    ).format(median=number(cell["median"]), p90=number(cell["p90"]))


def _group() -> str:
    return _("Group")


def _who() -> str:
    return _("Who came")


def _year() -> str:
    return _("Year")


def _by_year(name: str, code: str = "yes") -> Counted:
    return Counted("period", name, code, fixed=REACHED)


LISTED = (
    Asked(
        "clinician_role",
        1,
        "staffing",
        lambda: _("What came first"),
        Counted("clinician_role", "clinician_role", where=TEAMS),
    ),
    Asked("restrained", 2, "safety", _who, Counted("responder", "restrained", "yes", codes=WHO)),
    Asked("restrained_group", 2, "safety", _group, Counted("race_ethnicity", "restrained", "yes")),
    Asked(
        "holds",
        3,
        "outcomes",
        _who,
        Counted("responder", "outcome", "involuntary_hold", "met", codes=WHO),
    ),
    Asked(
        "hold_started_by",
        3,
        "outcomes",
        lambda: _("Who started it"),
        Counted(
            "hold_started_by",
            "hold_started_by",
            fixed=REACHED,
            where={"outcome": "involuntary_hold"},
        ),
    ),
    Asked(
        "officer_trained",
        4,
        "safety",
        lambda: _("Officer took the crisis course"),
        Counted("officer_trained", "force_used", "yes", where=POLICE_ALONE, codes=("yes", "no")),
        rate=True,
    ),
    Asked(
        "crisis_in_report",
        5,
        "fairness",
        _group,
        Counted("race_ethnicity", "crisis_in_report", "yes"),
    ),
    Asked(
        "instead",
        7,
        "funnel",
        lambda: _("Why no team came"),
        Counted(
            "not_served_reason",
            "responder",
            "police_only",
            "no_clinician",
            where=ELIGIBLE,
            codes=(ROOT, *NO_TEAM_CAME, "unknown"),
        ),
    ),
    Asked("triaged", 9, "funnel", lambda: _("Was it checked?"), Counted("triaged", "triaged")),
    Asked("backup", 10, "safety", _year, _by_year("backup_requested"), more=_backup_words),
    Asked("handed_back", 11, "outcomes", _year, _by_year("handed_back")),
    Asked("started_by_team", 12, "calls", _year, _by_year("started_by_team")),
    Asked(
        "unavailable",
        14,
        "after",
        _year,
        Counted("period", "partner_unavailable", "lacking", fixed=REACHED),
    ),
    Asked(
        "unavailable_kind",
        14,
        "after",
        lambda: _("What was missing"),
        Counted("partner_unavailable", "partner_unavailable", base="lacking", fixed=REACHED),
    ),
    Asked(
        "declined",
        15,
        "after",
        lambda: _("Partner"),
        Counted(
            "partner",
            "handoff",
            "declined",
            codes=("crisis_center", "clinic", "substance_use", "hospital", "housing", "peer"),
        ),
    ),
)
COUNTED = {one.name: one for one in LISTED}
BESIDE: dict[str, tuple[int, str, Callable[[Release], Kind | None]]] = {
    "targets_for": (6, "scorecard", auditors_more.targets_for),
    "program_area": (8, "funnel", auditors_more.program_area),
    "sent_index": (12, "funnel", auditors_more.sent_index),
    "unstaffed_days": (13, "staffing", auditors_more.unstaffed_days),
    "unstaffed_areas": (13, "staffing", auditors_more.unstaffed_areas),
    "crews_freed": (16, "staffing", auditors_more.crews_freed),
}
"""Figures that are no shares of one table: name of the measure -> question, page, how it is
made."""


def made(release: Release, name: str) -> Kind | None:
    """The figure of a measure; None where the agency does not report it."""
    return COUNTED[name].kind(release) if name in COUNTED else BESIDE[name][2](release)


def show(page: Page, *names: str) -> None:
    """The figures of the measures named, each with its definition on the page; what the agency does
    not report goes into the one list of that."""
    for name in names:
        kind = made(page.release, name)
        if kind is None:
            plain = measure_of(name).plain
            page.not_reported(plain[0].lower() + plain[1:])
            continue
        page.measures = (*page.measures, name)
        page.figure(kind)


def told(release: Release, page: str) -> bool:
    """Does the release have any of the page's figures?"""
    listed = [one.name for one in LISTED if one.page == page]
    listed += [name for name, (_number, on, _make) in BESIDE.items() if on == page]
    return any(made(release, name) is not None for name in listed)


def said(release: Release, name: str) -> str:
    """The shares of a measure in one sentence, at most MAX_NAMED of them; nothing where the agency
    does not report it."""
    one = COUNTED[name]
    shares = one.counted.shares(release)
    if not shares:
        return ""
    if one.counted.along == "period":
        shares = shares[-1:]
    elif not one.counted.code:
        shares = sorted(shares, key=lambda s: -(s.part.value or 0))
    words = []
    for share in shares[:MAX_NAMED]:
        rate = Rate(share.code, share.label, share.part, share.whole)
        figure = _("{rate} per 1,000").format(rate=rate.shown) if one.rate else share.shown
        words.append(
            _("{label}: {figure} ({part} of {whole})").format(
                label=share.label, figure=figure, part=share.part.shown, whole=share.whole.shown
            )
        )
    return _("{measure}. {list}.").format(measure=measure_of(name).plain, list="; ".join(words))
