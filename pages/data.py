"""Data and downloads: every table of the release, as it is."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from dashboard.language import _, number, pick
from dashboard.opendata import zip_of
from dashboard.skeleton import open_page
from dashboard.surface import Take

page = open_page("data")
release = page.release
page.ask(
    _("Can I have the data?"),
    _("Yes. Release {version} has {count} tables, free to use under the licence {licence}.").format(
        version=release.version, count=number(len(release.tables)), licence=release.package["licenses"][0]["title"]
    ),
)
page.file(_("Download the whole release (zip)"), f"release-{release.version}.zip", partial(zip_of, release), "application/zip")
page.heading(_("Which file should I take?"))
page.text(
    "\n".join(
        f"- {words}"
        for words in (
            _(
                "**For Excel or another spreadsheet**, take the rows under a figure. Accents show as they should. "
                "A text that could run as a formula has an apostrophe (') in front."
            ),
            _(
                "**For your own program, or as proof**, take a table on this page or the zip file. They are exact, byte for byte. "
                "Read them into Excel with 'Data', 'From Text/CSV' and the file origin 'UTF-8'. "
                "With a plain click accents may break, and a text may run as a formula."
            ),
            _("**To look up a code**, take the zip file. It has a list of codes for each column of codes."),
        )
    )
)


def columns(levels: Mapping[str, tuple[str, ...]]) -> str:
    """Columns with the levels that each holds."""
    return "; ".join(f"{name} ({', '.join(steps)})" for name, steps in levels.items())


def only(where: Mapping[str, str]) -> str:
    """The fixed filter of a table, in words."""
    return ", ".join(f"{pick(release.codelists[d].name)}: {pick(release.codelists[d].codes[c].label)}" for d, c in where.items()) or "–"


counts = pd.DataFrame(
    [
        {
            _("File"): name, _("What it holds"): pick(t.title), _("Only calls with"): only(t.where), _("Columns, and the levels in each"): f"{columns(t.levels)}; {t.measure}; status",
            _("Rows"): number(len(t.cells)), _("Withheld"): number(int((t.cells["status"] == "suppressed").sum())),
        }
        for name, t in release.tables.items()
    ]
)  # fmt: skip
page.heading(_("Tables"))
page.text(
    _(
        "Each row is a count of calls: empty where it is withheld or was not collected. The column 'status' says which, or whether it covers part of a period."
    )
)
page.table(counts, _("Tables"))
others = {name: (s.title, [*s.levels, *s.columns]) for name, s in release.statistics.items()}
others |= {name: (release.titles[name], list(frame.columns)) for name, frame in release.references.items()}
page.heading(_("Numbers that do not add up, and rows about the program"))
page.text(
    _("Medians, numbers of people and comparisons are worked out one by one. Rows about the program come from the agency as they are.")
)
page.table(
    pd.DataFrame([{_("File"): name, _("What it holds"): pick(title), _("Columns"): ", ".join(names)} for name, (title, names) in others.items()]),
    _("Numbers that do not add up, and rows about the program"),
)  # fmt: skip
page.heading(_("Download one table"))
page.files(
    [
        Take(f"{name}.csv", f"{name}-release-{release.version}.csv", partial(release.files.get, f"tables/{name}.csv"), "text/csv")
        for name in (*release.tables, *others)
    ]
)

page.heading(_("Check your copy"))
page.text(_("Each file has a checksum. If yours gives the same one, your copy is complete and unchanged."))
sums = pd.DataFrame(
    [
        {_("File"): r["path"], _("Bytes"): number(r["bytes"]), "SHA-256": r["hash"].removeprefix("sha256:")[:16] + "…"}
        for r in release.package["resources"]
    ]
)
page.table(sums, _("Files and checksums"))
page.caption(_("The full checksums are in the file datapackage.json."))
page.caveats(
    [
        _("An empty number with the status 'suppressed' is withheld. It may be zero, small or large."),
        _("An empty number with the status 'not_collected' is not zero: nobody has records of those days."),
        _("Adding up rows of different tables, or of different levels, counts calls twice."),
        _("Every table gives its own totals. Use them instead of your own sums, which would miss what is withheld."),
    ]
)
page.end()
