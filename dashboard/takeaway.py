"""What to take away of one figure: picture, evidence, citation, link, frame. Drawn only when a reader asks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import streamlit as st

from dashboard import citation, exports, language
from dashboard.exports import in_language
from dashboard.figure import Figure
from dashboard.language import _
from dashboard.release import Release
from dashboard.surface import escape


def here() -> str:
    """The address of this server as the visitor sees it."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def whole_table(figure: Figure, release: Release) -> str | None:
    """Name of the published table that the figure's rows come from."""
    named = figure.data["table"].iloc[0] if "table" in figure.data.columns and len(figure.data) else None
    return str(named) if named in release.tables or named in release.references else None


def take_away(figure: Figure, release: Release) -> None:
    """A button that opens everything else than the rows."""
    if st.button(_("Picture, citation, link"), key=f"take-{figure.page}-{figure.slug}"):
        st.dialog(_("Take this figure away"), width="medium")(_opened)(figure, release)


def _opened(figure: Figure, release: Release) -> None:
    site, today, code = citation.site_of(release, here()), datetime.now(UTC).date(), language.current()
    name = (*figure.file, "release", release.version)
    st.markdown(f"**{escape(figure.title)}**")
    with st.container(horizontal=True):
        for label, make, suffix, mime in (
            (_("Picture (PNG)"), partial(exports.png, figure, release, site), "png", "image/png"),
            (_("Picture to enlarge (SVG)"), partial(exports.svg, figure, release, site), "svg", "image/svg+xml"),
            (_("All of it (zip)"), partial(exports.evidence, figure, release, site, today), "zip", "application/zip"),
        ):
            st.download_button(
                label, in_language(code, make), exports.file_name(*name, suffix=suffix), mime=mime, key=f"{suffix}-{figure.page}-{figure.slug}", on_click="ignore"
            )  # fmt: skip
        source = whole_table(figure, release)
        if source:
            st.download_button(
                _("The whole table behind it (CSV)"), release.files[f"tables/{source}.csv"],
                f"{source}-release-{release.version}.csv", mime="text/csv", key=f"whole-{figure.page}-{figure.slug}", on_click="ignore",
            )  # fmt: skip
    st.caption(_("The zip holds rows, picture, definitions, citation and checksums: what you need to defend the figure later."))
    cited = citation.cite(figure, release, site, today)
    st.markdown(_("Link to exactly this view. It will show the same numbers after later releases too."))
    st.code(citation.view_link(release, figure.page, figure.choices, site), language=None, wrap_lines=True)
    st.markdown(_("Cite this (APA)"))
    st.code(cited.apa, language=None, wrap_lines=True)
    st.markdown(_("Cite this (Chicago)"))
    st.code(cited.chicago, language=None, wrap_lines=True)
    st.markdown(_("Cite this (BibTeX)"))
    st.code(cited.bibtex, language=None, wrap_lines=True)
    st.markdown(_("Show this figure on your own page"))
    st.code(citation.embed_code(figure, release, site), language=None, wrap_lines=True)
