"""Fairness: service by group, with both bases side by side and the unknown shown."""

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure, ShareFigure
from dashboard.findings.program import last_year, one_year, point, residents
from dashboard.numbers.cells import Share, along, shares_of, status_words
from dashboard.numbers.queries import ELIGIBLE, REACHED
from dashboard.numbers.stats import poisson, shares_differ
from dashboard.page.page import open_page, period_title
from dashboard.release.reader import PUBLISHED, ROOT, CountTable
from dashboard.text.language import _, rounded


def ends_of(dimension: str, level: str, table: CountTable) -> str:
    """The groups reached least and most often, in the last whole year, and whether chance may be
    behind it."""
    at = {"period": last_year(release, table)} if "period" in table.levels else {}
    groups = [
        s for s in shares_of(release, table, dimension, level, REACHED, at) if s.code != "unknown"
    ]
    shown = [s for s in groups if s.share is not None]
    if len(shown) < 2:
        return _("The shares of most groups are withheld or rest on too few calls.")
    low, high = (pick(shown, key=lambda s: s.share or 0.0) for pick in (min, max))
    words = _(
        "In {period}, a clinician reached from {low} ({low_group}) to {high} ({high_group}) of each"
        " group's calls that met the criteria."
    ).format(
        period=period_title(release, at.get("period", ROOT)),
        low=low.shown,
        low_group=low.label,
        high=high.shown,
        high_group=high.label,
    )
    if len(shown) < len(groups):
        words += " " + _("Groups that are withheld or small are not among them.")
    # The two were picked as the ends of many groups, so the test allows for every pair that might
    # have been (Bonferroni).
    a, a_all, b, b_all = (
        n or 0 for share in (low, high) for n in (share.part.value, share.whole.value)
    )
    if shares_differ(a, a_all, b, b_all, looks=len(shown) * (len(shown) - 1) // 2):
        return words + " " + _("The two differ by more than chance.")
    return words + " " + _("That may be chance: we cannot tell the groups apart.")


page = open_page("fairness", "equity", "language")
release = page.release
question = _("Is service equal?")
groups = next(
    (
        d
        for d in ("race_ethnicity", "age_group", "gender")
        if release.find(d, "responder", where=ELIGIBLE)
    ),
    None,
)
table = release.find(groups, "responder", where=ELIGIBLE) if groups else None
languages = release.find("language", "interpreter_used")
if table is None or groups is None:
    year = one_year(release, languages)
    page.ask(question, "")
    page.not_reported(_("calls by group"))
else:
    level = table.finest(groups)
    page.ask(question, ends_of(groups, level, table))
    year = one_year(release, table, languages)
    fixed = year(table)
    when = period_title(release, fixed.get("period", ROOT))
    wholes = along(release, table, groups, level, fixed)
    shares = [
        Share(w.code, w.label, point(release, table, groups, w.code, {**fixed, **REACHED}), w)
        for w in wholes
    ]
    page.figure(
        ShareFigure(
            title=_("Base 1: of the group's own calls that met the criteria, {period}").format(
                period=when
            ),
            shares=shares,
            what=_("Group"),
            when=when,
            fixed={"table": table.name, "eligible": "yes", **fixed},
            file=("by-group", *fixed.values()),
            note=_("The group is what the officer saw. 'Not recorded' is a group of its own here."),
        )
    )
    homes = residents(release, groups)
    if not homes:
        page.not_reported(_("residents by group"))
    else:
        items, rows = [], []
        for share in shares:
            living = homes.get(share.code)
            whole = (
                share.part.value if share.part.status == PUBLISHED else None
            )  # of all days, as the residents are
            value = 1000 * whole / living if living and whole is not None else None
            low, high = (
                (1000 * e / living for e in poisson(whole))
                if value is not None and living and whole is not None
                else (None, None)
            )
            words = _("no number of residents")
            if value is not None:
                words = _("{rate} per 1,000 residents").format(rate=rounded(value))
            elif living:
                words = status_words(share.part.status)
            items.append(charts.Mark(share.label, value, words, low, high))
            rows.append(
                {
                    "group": share.code,
                    "reached": share.part.value,
                    "status": share.part.status,
                    "residents": living,
                }
            )
        page.figure(
            MarkFigure(
                title=_(
                    "Base 2: calls that a clinician reached, for each 1,000 residents, {period}"
                ).format(period=when),
                items=items,
                what=_("Group"),
                unit=_("For each 1,000 residents"),
                when=when,
                data=pd.DataFrame(rows),
                file=("by-residents", *fixed.values()),
                dots=True,
                note=_(
                    "This base answers another question: groups with more crisis calls get more"
                    " visits here even when service is equal."
                ),
            )
        )
if languages is None:
    page.not_reported(_("language and interpreters"))
else:
    fixed = year(languages)
    when = period_title(release, fixed.get("period", ROOT))
    wholes = [
        w
        for w in along(release, languages, "language", languages.finest("language"), fixed)
        if w.code != "english"
    ]
    page.figure(
        ShareFigure(
            title=_("Interpreter used, by language, {period}").format(period=when),
            shares=[
                Share(
                    w.code,
                    w.label,
                    point(
                        release, languages, "language", w.code, {**fixed, "interpreter_used": "yes"}
                    ),
                    w,
                )
                for w in wholes
            ],
            what=_("Language"),
            when=when,
            fixed={"table": languages.name, "interpreter_used": "yes", **fixed},
            file=("interpreters", *fixed.values()),
            note=_("Staff who speak the language need no interpreter, and are not counted here."),
        )
    )
page.caveats(
    [
        _(
            "A difference between groups can come from many things: where people live, when they"
            " call, who writes it down. We cannot tell which."
        ),
        _("The two bases can point in different ways. Neither is the right one alone."),
        _("Groups are broad. They hide differences inside them."),
    ]
)
page.end()
