"""One comparison of like calls as a figure: both sides, the difference, what was checked, and the verdict."""

from __future__ import annotations

import pandas as pd

from dashboard import charts, comparisons
from dashboard.comparisons import Comparison
from dashboard.language import _
from dashboard.release import ROOT
from dashboard.skeleton import Page, period_title


def show(page: Page, found: Comparison) -> None:
    """The chart holds the two sides; its note all else that a reader needs to judge the difference."""
    release, title = page.release, comparisons.what_words(found.measure)
    free = found.contrast == comparisons.TEAM_FREE
    words = _("{what}: like calls, when a team was free and when none was") if free else _("{what}: like eligible calls, by who came")
    per, unit = (_("{n} per 1,000"), _("Per 1,000 calls")) if found.unit == "rate" else (_("{n} minutes"), _("Minutes for each call"))
    scale = 1000 if found.unit == "rate" else 1 / 60
    sides = list(zip(comparisons.side_words(found), (found.team, found.other), strict=True))
    page.marks(
        title=words.format(what=title), what=_("Like calls"), unit=unit, when=period_title(release, ROOT), file=("compared", found.measure.replace("_", "-")),
        items=[charts.Mark(label, scale * value, per.format(n=comparisons.shown(found, value))) for label, value in sides],
        data=pd.DataFrame([
            {"side": name, "value": value, "difference_low": found.low, "difference_high": found.high, "verdict": found.verdict}
            for name, value in (("first", found.team), ("other", found.other))
        ]),
        note=" ".join(note_parts(page, found)),
    )  # fmt: skip


def note_parts(page: Page, found: Comparison) -> list[str]:
    """Verdict first, then why, what like calls share, the controls, how strong a hidden cause must be, and what could be seen."""
    parts = [f"**{comparisons.verdict_words(found)}.**", _("Difference: {range}.").format(range=comparisons.difference(found)), found.why]
    if found.contrast == comparisons.TEAM_FREE and found.reached:
        parts.append(
            _("Where a team was free, a clinician came to {share} of 100 calls. The rest count on that side too.").format(
                share=found.reached
            )
        )
    if found.required_apart:
        parts.append(_("Arrests that the law required are left out on both sides."))
    parts.append(_("Like calls share: {list}.").format(list=comparisons.alike_words(page.release, found)))
    if checks := comparisons.control_sentences(found):
        parts += [_("A check that should show no difference:"), *checks]
    parts += [comparisons.strength_words(found), comparisons.power_words(found)]
    return [part for part in parts if part]
