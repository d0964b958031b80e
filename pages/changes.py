"""What changed: all releases, and two of them side by side, figure by figure."""

from datetime import date
from itertools import pairwise

import pandas as pd

from dashboard.figures.figure_kinds import TableFigure
from dashboard.findings import release_diff
from dashboard.page.page import open_page
from dashboard.page.surface import choose, escape, surface
from dashboard.text.language import _, day, in_english, ngettext, number, pick

MAX_NEW = 12
"""New tables that are listed; more of them open on demand."""

page = open_page("changes")
release = page.release
listed = surface().releases()
kinds = {"update": _("scheduled update"), "correction": _("correction")}


def since_last() -> str:
    """How much changed between the last two releases, in one sentence."""
    before, after = listed[-2:]
    return _(
        "From release {before} to {after}: figures that changed: {figures}; rules: {rules}; places"
        " and other codes: {codes}."
    ).format(
        before=before.version,
        after=after.version,
        figures=number(len(release_diff.figures(before, after))),
        rules=number(len(release_diff.rules(before, after))),
        codes=number(len(release_diff.codes(before, after))),
    )


page.ask(
    _("What changed, and when?"),
    (
        since_last()
        + " "
        + _("There are {count} releases so far. Each stays as it was, with its own number.").format(
            count=number(len(listed))
        )
        if len(listed) > 1
        else _(
            "This is the first release. Later ones will be listed here, and this one will stay as"
            " it is."
        )
    ),
)


def on(text: str) -> str:
    return day(date.fromisoformat(text[:10]))


page.heading(_("All releases"))
page.table(
    pd.DataFrame(
        [
            {
                _("Release"): one.version,
                _("Made on"): on(one.package["created"]),
                _("Data to"): on(one.package["period"]["to"]),
                _("Kind"): kinds[one.package.get("release", {}).get("kind", "update")],
                _("Reason"): (
                    pick(one.package["release"]["reason"])
                    if "reason" in one.package.get("release", {})
                    else "–"
                ),
                _("Approved"): (
                    _("{day}, by: {role}").format(
                        day=on(one.approval["date"]), role=in_english(one.approval["role"])
                    )
                    if one.approval
                    else _("not yet")
                ),
            }
            for one in reversed(listed)
        ]
    ),
    _("All releases"),
)
for one in reversed(listed[:-1]):
    page.link(
        "at_a_glance",
        _("See the site as it stood in release {version}").format(version=one.version),
        release=one.version,
    )

if len(listed) > 1:
    pairs = {f"{b.version}..{a.version}": (b, a) for b, a in pairwise(listed)}
    options = {
        code: _("{before} and {after}").format(before=b.version, after=a.version)
        for code, (b, a) in reversed(pairs.items())
    }
    before, after = pairs[choose("compare", _("Compare two releases"), options)]
    recoded = release_diff.codes(before, after)
    what = {"gone": _("gone"), "new": _("new"), "renamed": _("has another name")}
    title = _("Places and other codes that changed from {before} to {after}").format(
        before=before.version, after=after.version
    )
    if recoded:
        page.figure(
            TableFigure(
                title=title,
                table=pd.DataFrame(
                    [
                        {
                            _("Kind of code"): c.kind,
                            _("Part of"): c.part_of or "–",
                            _("What happened"): what[c.what],
                            _("Code"): c.code or "–",
                            _("Name"): (
                                _("{name} (before: {earlier})").format(
                                    name=c.label, earlier=c.before
                                )
                                if c.before
                                else c.label
                            ),
                        }
                        for c in recoded
                    ]
                ),
                data=pd.DataFrame(
                    [
                        {
                            "dimension": c.dimension,
                            "part_of": c.part_of,
                            "what": c.what,
                            "code": c.code,
                            "label": c.label,
                            "label_before": c.before,
                        }
                        for c in recoded
                    ]
                ),
                file=("codes", before.version, after.version),
                note=(
                    _(
                        "Where codes are gone and others are new under the same 'Part of', one may"
                        " have been split, or two joined. The release does not say which."
                    )
                    if release_diff.replaced(recoded)
                    else ""
                ),
            )
        )
    else:
        page.heading(title)
        page.text(_("No code is gone. The only new codes are those of new months."))
    anew = release_diff.revised(before, after)
    if anew is None:
        page.text(
            _(
                "How many calls got another code is not known: a release between the two cannot be"
                " shown."
            )
        )
    elif anew.months:
        page.text(
            _(
                "Months of the earlier release that have changed since: {months}. Some calls came"
                " in late, were taken out, or got another code. At most {count} calls got another"
                " code."
            ).format(months=number(anew.months), count=number(anew.at_most))
        )
    else:
        page.text(
            _("No call of an earlier month came in late, was taken out, or got another code.")
        )
    page.heading(_("Rules that changed"))
    reworded = release_diff.rules(before, after)
    if not reworded:
        page.text(_("No rule changed."))
    for rule in reworded:
        for words, stated in (
            (_("Before (version {version}): {words}"), rule.before),
            (_("Now (version {version}): {words}"), rule.after),
        ):
            if stated:
                page.text(
                    "- "
                    + words.format(version=stated["version"], words=escape(pick(stated["text"])))
                )
    lost, found_again = release_diff.missing_days(before, after)
    if lost:
        page.text(
            _("Days that are missing now, and were not named before:")
            + "\n\n"
            + "\n".join(f"- {escape(words)}" for words in lost)
        )
    if found_again:
        page.text(
            _("What release {version} said of missing days, and the later one does not:").format(
                version=before.version
            )
            + "\n\n"
            + "\n".join(f"- {escape(words)}" for words in found_again)
        )
    new, gone = release_diff.tables(before, after)
    if len(new) > MAX_NEW:
        page.fold(
            _("New tables: {count}").format(count=number(len(new))),
            "\n".join(f"- {escape(title)}" for title in new),
        )
    elif new:
        page.text(_("New tables:") + "\n\n" + "\n".join(f"- {escape(title)}" for title in new))
    if gone:
        page.text(
            _("Tables that are gone:") + "\n\n" + "\n".join(f"- {escape(title)}" for title in gone)
        )
    found = release_diff.figures(before, after)
    shown = found[: release_diff.MOST]
    title = _("Figures that changed from {before} to {after}").format(
        before=before.version, after=after.version
    )
    if found:
        page.figure(
            TableFigure(
                title=title,
                table=pd.DataFrame(
                    [
                        {
                            _("Table"): c.title,
                            _("Figure"): c.cell,
                            _("Before"): c.before,
                            _("Now"): c.after,
                        }
                        for c in shown
                    ]
                ),
                data=pd.DataFrame(
                    [
                        {"table": c.table, "figure": c.cell, "before": c.before, "after": c.after}
                        for c in found
                    ]
                ),
                file=("changes", before.version, after.version),
                note=ngettext(
                    "{count} figure changed that both releases publish.",
                    "{count} figures changed that both releases publish.",
                    len(found),
                ).format(count=number(len(found)))
                + (
                    " "
                    + _("The first {count} are shown; the file has all.").format(
                        count=number(len(shown))
                    )
                    if len(found) > len(shown)
                    else ""
                ),
            )
        )
    else:
        page.heading(title)
        page.text(_("No figure that both releases publish for a whole period has changed."))
page.caveats(
    [
        _(
            "Figures that one of the two releases withholds are not compared, so that nothing more"
            " is told than both publish."
        ),
        _("Totals over the whole time grow with each release. They are not listed as changes."),
        _(
            "A month can grow after it was first published, because some calls are written down"
            " late."
        ),
    ]
)
page.end()
