"""Data and downloads: every table of the release, as it is."""

import pandas as pd
import streamlit as st

from dashboard.downloads import release_zip
from dashboard.language import _, number, pick
from dashboard.skeleton import escape, open_page

page = open_page("data")
release = page.release
page.ask(
    _("Can I have the data?"),
    _("Yes. Release {version} has {count} tables, free to use under the licence {licence}.").format(
        version=release.version, count=number(len(release.tables)), licence=escape(release.package["licenses"][0]["title"])
    ),
)
st.download_button(
    _("Download the whole release (zip)"), lambda: release_zip(release), f"release-{release.version}.zip",
    mime="application/zip", on_click="ignore", type="primary",
)  # fmt: skip
st.header(_("Tables"), anchor=False)
for table in release.tables.values():
    st.subheader(pick(table.title), anchor=False)
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
    st.table(rows.map(escape), hide_index=True, alt=pick(table.title))
    if table.where:
        narrowed = ", ".join(
            f"{pick(release.codelists[d].name)}: {pick(release.codelists[d].codes[c].label)}" for d, c in table.where.items()
        )
        st.caption(_("Only calls with: {filter}.").format(filter=escape(narrowed)))
    hidden = int((table.cells["status"] == "suppressed").sum())
    st.caption(_("{rows} rows, {hidden} withheld.").format(rows=number(len(table.cells)), hidden=number(hidden)))
    st.download_button(
        _("Download {name}.csv").format(name=table.name), (release.folder / "tables" / f"{table.name}.csv").read_bytes(),
        f"{table.name}-release-{release.version}.csv", mime="text/csv", key=f"csv-{table.name}", on_click="ignore",
    )  # fmt: skip

others = {
    name: (s.title, {**{d: pick(release.codelists[d].name) for d in s.levels}, **dict.fromkeys(s.columns, "")})
    for name, s in release.statistics.items()
}
others |= {name: (release.titles[name], dict.fromkeys(frame.columns, "")) for name, frame in release.references.items()}
st.header(_("Numbers that do not add up, and rows about the program"), anchor=False)
st.markdown(
    _("Medians, numbers of people and comparisons are worked out one by one. Rows about the program come from the agency as they are.")
)
for name, (title, columns) in others.items():
    st.subheader(escape(pick(title)), anchor=False)
    st.caption(_("Columns: {list}.").format(list=escape(", ".join(columns))))
    st.download_button(
        _("Download {name}.csv").format(name=name), (release.folder / "tables" / f"{name}.csv").read_bytes(),
        f"{name}-release-{release.version}.csv", mime="text/csv", key=f"csv-{name}", on_click="ignore",
    )  # fmt: skip

st.header(_("Check your copy"), anchor=False)
st.markdown(_("Each file has a checksum. If yours gives the same one, your copy is complete and unchanged."))
sums = pd.DataFrame(
    [
        {_("File"): r["path"], _("Bytes"): number(r["bytes"]), "SHA-256": r["hash"].removeprefix("sha256:")[:16] + "…"}
        for r in release.package["resources"]
    ]
)
st.table(sums.map(escape), hide_index=True, alt=_("Files and checksums"))
st.caption(_("The full checksums are in the file datapackage.json."))
page.caveats(
    [
        _("An empty number with the status 'suppressed' is withheld. It may be zero, small or large."),
        _("Adding up rows of different tables, or of different levels, counts calls twice."),
        _("Every table gives its own totals. Use them instead of your own sums, which would miss what is withheld."),
    ]
)
page.end()
