"""Shares by quarter: a part of the calls over all of them, each with the change from the quarter
before and from the same quarter a year before.

Both counts are published cells, or published months added up (`quarters.py`). A share needs a whole
quarter and a base that is not small; a change needs two, under the same rules and codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from math import sqrt

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import Content, base_words
from dashboard.findings.quarters import (
    CALENDAR,
    CODES_CHANGED,
    IN_A_YEAR,
    quarters,
    step,
    table_of,
    why_words,
)
from dashboard.numbers.cells import Share
from dashboard.numbers.measures import measure
from dashboard.numbers.queries import ELIGIBLE
from dashboard.numbers.stats import Z, difference
from dashboard.numbers.year_trend import CODES, RULES, breaks, clustering
from dashboard.release.reader import ROOT, Release
from dashboard.text.language import _, percent, rounded

FEW, RULES_CHANGED = "few", "rules_changed"
"""Why there is no change, besides those of `quarters.Step`: a base is too small for a share; the
rules changed by which calls are counted."""


@dataclass(frozen=True)
class Wanted:
    """Calls with `code` of `dimension`, out of all calls, or out of those of `where`. `measure`:
    whose smallest base it has."""

    name: str
    measure: str
    dimension: str
    code: str
    words: Callable[[], str]
    where: Mapping[str, str] = field(default_factory=dict)

    def changed(self, release: Release) -> list[date]:
        """Days from which on the share means something else."""
        return breaks(release, RULES, ("eligible",)) if self.where else breaks(release, CODES)


WANTED = (
    Wanted(
        "reached",
        "coverage",
        "responder",
        "clinician",
        lambda: _("Calls that met the criteria and a clinician reached"),
        ELIGIBLE,
    ),
    Wanted("arrest", "arrests", "arrest", "yes", lambda: _("Calls with an arrest")),
    Wanted("force-used", "force", "force_used", "yes", lambda: _("Calls where force was used")),
    Wanted(
        "restrained",
        "restrained",
        "restrained",
        "yes",
        lambda: _("Calls with handcuffs or restraints"),
    ),
    Wanted("hold", "holds", "outcome", "involuntary_hold", lambda: _("Calls that ended in a hold")),
)


@dataclass(frozen=True)
class Change:
    """From an earlier share to a later one; `why`: why there is none, empty where there is one."""

    why: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def shown(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return {
                FEW: _("too few to show a share"),
                RULES_CHANGED: _("not compared: rules or codes changed"),
            }.get(self.why) or why_words(self.why)
        low, high = (_signed_points(edge) for edge in (self.low, self.high))
        return _("{change} points ({low} to {high})").format(
            change=_signed_points(self.value), low=low, high=high
        )


def _signed_points(value: float) -> str:
    points = round(100 * value, 1)
    return f"{'+' if points > 0 else '−' if points < 0 else ''}{rounded(abs(points))}"


@dataclass(frozen=True)
class Shares:
    """One share by quarter, and its two changes."""

    wanted: Wanted
    table: str
    shares: list[Share]
    changes: list[tuple[Change, Change]]


def shares_of_quarters(
    release: Release, wanted: Wanted, area: str = ROOT, starts: int = CALENDAR
) -> Shares | None:
    """None where the release has no such table, or its codes are others."""
    narrowed = {} if area == ROOT else {"area": area}
    table = table_of(release, wanted.dimension, *narrowed, starts=starts, where=wanted.where)
    if table is None or not release.holds(table, wanted.dimension, wanted.code):
        return None
    wholes = quarters(release, table, narrowed, starts)
    parts = quarters(release, table, {**narrowed, wanted.dimension: wanted.code}, starts)
    smallest = measure(wanted.measure).smallest_base
    shares = [
        Share(whole.code, whole.label, part.point, whole.point, smallest_base=smallest)
        for part, whole in zip(parts, wholes, strict=True)
    ]
    days, z = wanted.changed(release), Z * sqrt(clustering(release))

    def change(place: int, back: int) -> Change:
        for listed in (wholes, parts):
            if why := step(listed, place, back, days).why:
                return Change(RULES_CHANGED if wanted.where and why == CODES_CHANGED else why)
        return _change(shares[place - back], shares[place], z)

    changes = [(change(n, 1), change(n, IN_A_YEAR)) for n in range(len(shares))]
    return Shares(wanted, table.name, shares, changes)


def _change(before: Share, after: Share, z: float) -> Change:
    if before.share is None or after.share is None:
        return Change(FEW)
    now, then = ((share.part.value or 0, share.whole.value or 0) for share in (after, before))
    return Change("", after.share - before.share, *difference(now, then, z))


def figure(found: Shares, file: Sequence[str]) -> Content:
    """Dots with their ranges; the table has the changes too."""
    title = _("{what}, by quarter").format(what=found.wanted.words())
    rows = list(zip(found.shares, found.changes, strict=True))
    table = pd.DataFrame(
        [
            {
                _("Quarter"): share.label,
                _("Share"): _with_range(share),
                _("Calls counted"): share.part.shown,
                _("Out of"): share.whole.shown,
                _("From the quarter before"): last.shown,
                _("From the same quarter a year before"): year.shown,
            }
            for share, (last, year) in rows
        ]
    )
    data = pd.DataFrame(
        [
            {
                "table": found.table,
                **found.wanted.where,
                found.wanted.dimension: found.wanted.code,
                "code": share.code,
                "n": share.part.value,
                "n_status": share.part.status,
                "out_of": share.whole.value,
                "out_of_status": share.whole.status,
                **_told("quarter", last),
                **_told("year", year),
            }
            for share, (last, year) in rows
        ]
    ).convert_dtypes()
    return Content(
        title=title,
        draw=partial(charts.dots, found.shares),
        alt=charts.describe(
            _("Dot chart with likely ranges"), title, _("by quarter"), found.shares, ranked=False
        ),
        table=table,
        data=data,
        file=file,
        subtitle=base_words(found.shares, title, _("by quarter"), ""),
        hidden=sum(
            "suppressed" in (share.part.status, share.whole.status) for share in found.shares
        ),
        note=_(
            "A change is in points of 100, with its likely range. Where the range holds zero,"
            " chance alone may be behind it; of 20 ranges without a change, one leaves out zero."
            " It allows for people who call often."
        ),
    )


def _with_range(share: Share) -> str:
    if share.interval is None:
        return share.shown
    low, high = (percent(edge, 3) for edge in share.interval)
    return _("{share} ({low} to {high})").format(
        share=percent(share.share or 0.0, 3), low=low, high=high
    )


def _told(name: str, change: Change) -> dict[str, object]:
    return {
        f"change_{name}": change.value,
        f"change_{name}_low": change.low,
        f"change_{name}_high": change.high,
        f"no_change_{name}": change.why,
    }
