"""One comparison of similar calls as a figure: both sides, the difference, what was checked, and
the verdict."""

from __future__ import annotations

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure
from dashboard.findings import comparisons
from dashboard.findings.comparisons import Comparison
from dashboard.page.page import Page, period_title
from dashboard.release.reader import ROOT, Release
from dashboard.text.language import _


def show(page: Page, found: Comparison) -> None:
    """The chart holds the two sides; its note all else that a reader needs to judge the
    difference."""
    release, title = page.release, comparisons.what_words(found.measure)
    free = found.contrast == comparisons.TEAM_FREE
    words = (
        _("{what}: similar calls, when a team was free and when none was")
        if free
        else _("{what}: similar eligible calls, by who came")
    )
    per, unit = (
        (_("{n} per 1,000"), _("Per 1,000 calls"))
        if found.unit == "rate"
        else (_("{n} minutes"), _("Minutes for each call"))
    )
    scale = 1000 if found.unit == "rate" else 1 / 60
    sides = list(zip(comparisons.side_words(found), (found.team, found.other), strict=True))
    page.figure(
        MarkFigure(
            title=words.format(what=title),
            what=_("Similar calls"),
            unit=unit,
            when=period_title(release, ROOT),
            file=("compared", found.measure.replace("_", "-")),
            items=[
                charts.Mark(label, scale * value, per.format(n=comparisons.shown(found, value)))
                for label, value in sides
            ],
            data=pd.DataFrame(
                [
                    {
                        "side": name,
                        "value": value,
                        "difference_low": found.low,
                        "difference_high": found.high,
                        "verdict": found.verdict,
                    }
                    for name, value in (("first", found.team), ("other", found.other))
                ]
            ),
            note=" ".join(_note(found)),
        )
    )
    if lines := _more(release, found):
        page.fold(
            _("More about this comparison: {what}").format(what=words.format(what=title)),
            "\n".join(f"- {line}" for line in lines),
        )


def show_or_say(page: Page, measure: str) -> None:
    """The comparison, or among what the agency does not report, what is not compared."""
    found = comparisons.comparison(page.release, measure)
    if found is not None:
        show(page, found)
        return
    words = _("{what}: similar calls, when a team was free and when none was")
    page.not_reported(words.format(what=comparisons.what_words(measure)))


def _note(found: Comparison) -> list[str]:
    """The verdict first, then the difference, why nobody can tell, and what the negative controls
    show."""
    checks = comparisons.control_sentences(found) if found.contrast == comparisons.TEAM_FREE else []
    parts = [
        f"**{comparisons.verdict_words(found)}.**",
        _("Difference: {range}.").format(range=comparisons.difference(found)),
        found.why,
        *checks,
    ]
    return [part for part in parts if part]


def _more(release: Release, found: Comparison) -> list[str]:
    """What the sides are, what similar calls share, how strong a hidden cause must be, and what
    could be seen."""
    lines = []
    if found.contrast == comparisons.TEAM_FREE:
        lines.append(
            _("A call that found a free team counts on that side, whether or not a clinician came.")
        )
    if found.required_apart:
        lines.append(_("Arrests that the law required are left out on both sides."))
    lines.append(
        _("Similar calls share: {list}.").format(list=comparisons.alike_words(release, found))
    )
    return [
        line
        for line in (*lines, comparisons.strength_words(found), comparisons.power_words(found))
        if line
    ]
