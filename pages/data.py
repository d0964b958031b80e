"""Data and downloads: every table of the release, as it is."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from dashboard.export import cells_parquet, citation, feeds, loading_lines, opendata
from dashboard.page.page import open_page
from dashboard.page.surface import Take
from dashboard.text.language import _, ngettext, number, pick

page = open_page("data")
release = page.release
page.ask(
    _("Can I have the data?"),
    ngettext(
        "Yes. Release {version} has {count} table, free to use under the license {licence}.",
        "Yes. Release {version} has {count} tables, free to use under the license {licence}.",
        len(release.tables),
    ).format(
        version=release.version,
        count=number(len(release.tables)),
        licence=release.package["licenses"][0]["title"],
    ),
)
files = opendata.files(release)
page.files(
    [
        Take(
            _("Download the whole release (zip, {bytes} bytes)").format(
                bytes=number(len(opendata.zip_of(release)))
            ),
            f"release-{release.version}.zip",
            partial(opendata.zip_of, release),
            "application/zip",
        ),
        Take(
            _("All tables as one ({name}: {rows} rows, {bytes} bytes)").format(
                name=cells_parquet.NAME,
                rows=number(cells_parquet.rows_of(release)),
                bytes=number(len(files[cells_parquet.NAME])),
            ),
            f"cells-release-{release.version}.parquet",
            partial(files.__getitem__, cells_parquet.NAME),
            opendata.MEDIA["parquet"],
        ),
    ]
)
page.heading(_("Which file should I take?"))
page.text(
    "\n".join(
        f"- {words}"
        for words in (
            _(
                "**For Excel or another spreadsheet**, take the rows under a figure. Accents show"
                " as they should. A text that could run as a formula has an apostrophe (') in"
                " front."
            ),
            _(
                "**For your own program, or as proof**, take a table on this page or the zip file."
                " They are exact, byte for byte. Read them into Excel with 'Data', 'From Text/CSV'"
                " and the file origin 'UTF-8'. With a plain click accents may break, and a text may"
                " run as a formula."
            ),
            _(
                "**To look up a code**, take the zip file. It has a list of codes for each column"
                " of codes."
            ),
            _(
                "**To compute with all tables at once**, take the one file (Parquet). DuckDB,"
                " Python and R read it as it is."
            ),
        )
    )
)


def columns(levels: Mapping[str, tuple[str, ...]]) -> str:
    """Columns with the levels that each holds."""
    return "; ".join(f"{name} ({', '.join(steps)})" for name, steps in levels.items())


def only(where: Mapping[str, str]) -> str:
    """The fixed filter of a table, in words."""
    return (
        ", ".join(
            f"{pick(release.codelists[d].name)}: {pick(release.codelists[d].codes[c].label)}"
            for d, c in where.items()
        )
        or "–"
    )


counts = pd.DataFrame(
    [
        {
            _("File"): name,
            _("What it holds"): pick(t.title),
            _("Only calls with"): only(t.where),
            _("Columns, and the levels in each"): f"{columns(t.levels)}; {t.measure}; status",
            _("Rows"): number(len(t.cells)),
            _("Withheld"): number(int((t.cells["status"] == "suppressed").sum())),
        }
        for name, t in release.tables.items()
    ]
)
page.heading(_("Tables"))
page.text(
    _(
        "Each row is a count of calls: empty where it is withheld or was not collected. The column"
        " 'status' says which, or whether it covers part of a period."
    )
)
page.table(counts, _("Tables"))
others = {name: (s.title, [*s.levels, *s.columns]) for name, s in release.statistics.items()}
others |= {
    name: (release.titles[name], list(frame.columns)) for name, frame in release.references.items()
}
if others:
    page.heading(_("Numbers that cannot be added up, and rows about the program"))
    page.text(
        _(
            "Medians, numbers of people and comparisons are worked out one by one. Rows about the"
            " program come from the agency as they are."
        )
    )
    page.table(
        pd.DataFrame(
            [
                {_("File"): name, _("What it holds"): pick(title), _("Columns"): ", ".join(names)}
                for name, (title, names) in others.items()
            ]
        ),
        _("Numbers that cannot be added up, and rows about the program"),
    )
page.heading(_("Download one table"))
page.files(
    [
        Take(
            ngettext(
                "{name} ({rows} row, {bytes} bytes)",
                "{name} ({rows} rows, {bytes} bytes)",
                cells_parquet.rows_in(files[f"tables/{name}.csv"]),
            ).format(
                name=f"{name}.csv",
                rows=number(cells_parquet.rows_in(files[f"tables/{name}.csv"])),
                bytes=number(len(files[f"tables/{name}.csv"])),
            ),
            f"{name}-release-{release.version}.csv",
            partial(files.__getitem__, f"tables/{name}.csv"),
            "text/csv",
        )
        for name in (*release.tables, *others)
    ]
)
page.heading(_("Load it into a program"))
place = loading_lines.base(release, citation.site_of(release))
described = cells_parquet.tables(release)
page.text(
    _(
        "Each line below loads one file of this release. With 'latest' in place of the number, it"
        " loads the newest release, whichever that is."
    )
    if "://" in place
    else _(
        "Each line below loads one file of this release from the folder that the zip file makes."
    )
)
page.text(f"```\n{loading_lines.python(None, place)}\n```")
for title, lines in (
    (_("Python, with pandas"), [loading_lines.python(resource, place) for resource in described]),
    ("R", [loading_lines.r(resource, place) for resource in described]),
    (
        _("Excel, as a blank query in Power Query"),
        [loading_lines.excel(resource, place) for resource in described],
    ),
):
    page.fold(title, "```\n{}\n```".format("\n".join(lines)))

page.addresses(
    _("Hear about new releases"),
    _(
        "A feed reader or a calendar can ask for these files by itself. Nobody needs to sign up or"
        " leave an address."
    ),
    feeds.links(release),
)
page.heading(_("Check your copy"))
page.text(
    _("Each file has a checksum. If yours gives the same one, your copy is complete and unchanged.")
)
sums = pd.DataFrame(
    [
        {
            _("File"): r["path"],
            _("Bytes"): number(r["bytes"]),
            "SHA-256": r["hash"].removeprefix("sha256:")[:16] + "…",
        }
        for r in release.package["resources"]
    ]
)
page.table(sums, _("Files and checksums"))
page.caption(_("The full checksums are in the file datapackage.json."))
page.caveats(
    [
        _(
            "An empty number with the status 'suppressed' is withheld. It may be zero, small or"
            " large."
        ),
        _(
            "An empty number with the status 'not_collected' is not zero: nobody has records of"
            " those days."
        ),
        _("Adding up rows of different tables, or of different levels, counts calls twice."),
        _(
            "Every table gives its own totals. Use them instead of your own sums, which would miss"
            " what is withheld."
        ),
    ]
)
page.end()
