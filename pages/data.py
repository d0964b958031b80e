"""Data and downloads: every table of the release, as it is."""

from functools import partial

import pandas as pd

from dashboard.language import _, number, pick
from dashboard.opendata import zip_of
from dashboard.skeleton import open_page
from dashboard.surface import escape

page = open_page("data")
release = page.release
page.ask(
    _("Can I have the data?"),
    _("Yes. Release {version} has {count} tables, free to use under the licence {licence}.").format(
        version=release.version, count=number(len(release.tables)), licence=escape(release.package["licenses"][0]["title"])
    ),
)
page.file(_("Download the whole release (zip)"), f"release-{release.version}.zip", partial(zip_of, release), "application/zip")


def table_file(name: str) -> None:
    page.file(
        _("Download {name}.csv").format(name=name), f"{name}-release-{release.version}.csv", partial(release.files.get, f"tables/{name}.csv"), "text/csv"
    )  # fmt: skip


page.heading(_("Tables"))
for table in release.tables.values():
    page.heading(pick(table.title), 3)
    rows = pd.DataFrame(
        [
            {_("Column"): name, _("What it holds"): pick(release.codelists[name].name), _("Levels"): ", ".join(levels)}
            for name, levels in table.levels.items()
        ]
        + [
            {_("Column"): table.measure, _("What it holds"): _("Number of calls; empty where withheld"), _("Levels"): ""},
            {
                _("Column"): "status",
                _("What it holds"): _("Whether the number is published, withheld, or covers part of a period"),
                _("Levels"): "",
            },
        ]
    )
    page.table(rows, pick(table.title))
    hidden = int((table.cells["status"] == "suppressed").sum())
    about = _("{rows} rows, {hidden} withheld.").format(rows=number(len(table.cells)), hidden=number(hidden))
    if table.where:
        narrowed = ", ".join(
            f"{pick(release.codelists[d].name)}: {pick(release.codelists[d].codes[c].label)}" for d, c in table.where.items()
        )
        about = _("Only calls with: {filter}.").format(filter=escape(narrowed)) + " " + about
    page.caption(about)
    table_file(table.name)

others = {
    name: (s.title, {**{d: pick(release.codelists[d].name) for d in s.levels}, **dict.fromkeys(s.columns, "")})
    for name, s in release.statistics.items()
}
others |= {name: (release.titles[name], dict.fromkeys(frame.columns, "")) for name, frame in release.references.items()}
page.heading(_("Numbers that do not add up, and rows about the program"))
page.text(
    _("Medians, numbers of people and comparisons are worked out one by one. Rows about the program come from the agency as they are.")
)
for name, (title, columns) in others.items():
    page.heading(pick(title), 3)
    page.caption(_("Columns: {list}.").format(list=escape(", ".join(columns))))
    table_file(name)

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
        _("Adding up rows of different tables, or of different levels, counts calls twice."),
        _("Every table gives its own totals. Use them instead of your own sums, which would miss what is withheld."),
    ]
)
page.end()
