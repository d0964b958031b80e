"""What to take away of one figure: picture, evidence, citation, link, frame. Drawn only when a
reader asks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import streamlit as st

from dashboard.export import citation, downloads
from dashboard.export.downloads import in_language
from dashboard.figures.figure import Figure
from dashboard.page.surface import escape
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _


def here() -> str:
    """The address of this server as the visitor sees it."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def whole_table(figure: Figure, release: Release) -> str | None:
    """Name of the published table that the figure's rows come from."""
    named = (
        figure.data["table"].iloc[0]
        if "table" in figure.data.columns and len(figure.data)
        else None
    )
    return str(named) if named in release.tables or named in release.references else None


def take_away(figure: Figure, release: Release) -> None:
    """Three links that open everything else than the rows, each with its own part first."""
    for part, words in ((PICTURE, _("Picture")), (CITE, _("Cite")), (LINK, _("Link"))):
        if st.button(words, key=f"{part}-{figure.page}-{figure.slug}", type="tertiary"):
            st.dialog(_("Save or share this figure"), width="medium")(_opened)(
                figure, release, part
            )


PICTURE, CITE, LINK = "picture", "cite", "link"


def _opened(figure: Figure, release: Release, first: str) -> None:
    st.markdown(f"**{escape(figure.title)}**")
    parts = {PICTURE: _files, CITE: _citations, LINK: _links}
    for part in sorted(parts, key=lambda part: part != first):
        parts[part](figure, release)


def _files(figure: Figure, release: Release) -> None:
    site, today, code = (
        citation.site_of(release, here()),
        datetime.now(UTC).date(),
        language.current(),
    )
    name = (*figure.file, "release", release.version)
    with st.container(horizontal=True):
        for label, make, suffix, mime in (
            (
                _("Picture (PNG)"),
                partial(downloads.png, figure, release, site),
                "png",
                "image/png",
            ),
            (
                _("Picture to enlarge (SVG)"),
                partial(downloads.svg, figure, release, site),
                "svg",
                "image/svg+xml",
            ),
            (
                _("All of it (zip)"),
                partial(downloads.evidence, figure, release, site, today),
                "zip",
                "application/zip",
            ),
        ):
            st.download_button(
                label,
                in_language(code, make),
                downloads.file_name(*name, suffix=suffix),
                mime=mime,
                key=f"{suffix}-{figure.page}-{figure.slug}",
                on_click="ignore",
            )
        source = whole_table(figure, release)
        if source:
            st.download_button(
                _("The whole table behind it (CSV)"),
                release.files[f"tables/{source}.csv"],
                f"{source}-release-{release.version}.csv",
                mime="text/csv",
                key=f"whole-{figure.page}-{figure.slug}",
                on_click="ignore",
            )
    st.caption(
        _(
            "The zip holds rows, picture, definitions, citation and checksums: what you need to"
            " defend the figure later."
        )
    )


def _citations(figure: Figure, release: Release) -> None:
    cited = citation.cite(
        figure, release, citation.site_of(release, here()), datetime.now(UTC).date()
    )
    for words, text in (
        (_("Cite this (APA)"), cited.apa),
        (_("Cite this (Chicago)"), cited.chicago),
        (_("Cite this (BibTeX)"), cited.bibtex),
    ):
        st.markdown(words)
        st.code(text, language=None, wrap_lines=True)


def _links(figure: Figure, release: Release) -> None:
    site = citation.site_of(release, here())
    st.markdown(
        _("Link to exactly this view. It will show the same numbers after later releases too.")
    )
    st.code(
        citation.view_link(release, figure.page, figure.choices, site),
        language=None,
        wrap_lines=True,
    )
    st.markdown(_("Show this figure on your own page"))
    st.code(citation.embed_code(figure, release, site), language=None, wrap_lines=True)
    st.caption(
        _(
            "The second part gives the frame the figure's height. Where your page allows no"
            " scripts, leave it out: the frame then scrolls."
        )
    )
