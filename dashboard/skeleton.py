"""The frame that all pages share: help line, question, answer, figures with their tables, caveats, foot.

A page script reads like its outline; everything about how a page is put together stands here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import altair as alt
import pandas as pd
import pydeck as pdk
import streamlit as st

from dashboard import charts, language
from dashboard.exports import csv_bytes, file_name
from dashboard.language import _, day, number, pick, text
from dashboard.measures import measures
from dashboard.navigation import require_frame
from dashboard.release import ROOT, VISIBLE, CountTable, Release, ReleaseRefused, fingerprint, load_release
from dashboard.theme import Palette, palette
from dashboard.views import Point, Rate, Share, label_of, status_words, withheld_word


def release_folder() -> Path:
    return Path(os.environ.get("RELEASE_DIR", "data_public"))


@st.cache_resource(show_spinner=False, max_entries=4)
def _loaded(folder: str, mark: str) -> Release:
    return load_release(Path(folder))


def open_release() -> Release:
    """The release, or a plain sentence and nothing else."""
    folder = release_folder()
    try:
        return _loaded(str(folder), fingerprint(folder))
    except ReleaseRefused as refused:
        st.title(_("This page cannot show numbers right now"))
        st.error(refusal(refused.reason))
        help_line("US")
        st.stop()


def refusal(reason: str) -> str:
    return {
        "missing": _("There is no release to show. The agency has not published one here yet."),
        "unreadable": _("The release cannot be read, so it is not shown. The agency needs to build it again."),
        "no_audit": _("The release has no privacy check, so it is not shown."),
        "failed": _("The release did not pass its privacy check, so it is not shown."),
        "changed": _("The release is not the one that passed its privacy check, so it is not shown."),
    }[reason]


def help_line(country: str) -> None:
    """Where to turn in a crisis, in words, on every page."""
    if country == "CA":
        text = _("**In crisis?** Call or text **988** at any hour, in English or French. If a life is in danger, call **911**.")
    else:
        text = _(
            "**In crisis?** Call or text **988**, or chat at 988lifeline.org, at any hour. "
            "For Spanish, press 2 or text AYUDA to 988. If a life is in danger, call **911**."
        )
    st.markdown(f":small[{text}]")


def escape(text: str) -> str:
    """A label from data as plain text: nothing in it is read as Markdown or HTML."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-!|$~:" else c for c in text)


def screen_width() -> int:
    """A guess at the width of the page's column in pixels, to fit a map: phones say so themselves."""
    agent = st.context.headers.get("User-Agent", "")
    return 290 if "Mobi" in agent else 640


def colours() -> Palette:
    return palette(dark=getattr(st.context.theme, "type", "light") == "dark")


def period_words(release: Release) -> str:
    """The span of the data, in words."""
    span = release.package["period"]
    return _("{start} to {end}").format(start=day(date.fromisoformat(span["from"])), end=day(date.fromisoformat(span["to"])))


MOST_ROWS, LONG_TABLE = 14, 460
"""A table of more rows scrolls within this height (pixels), its header in view."""


@dataclass
class Page:
    """One page being written, from the top down."""

    release: Release
    name: str

    def ask(self, question: str, answer: str) -> None:
        """The page's one heading of the first level, and its answer in one sentence."""
        agency = self.release.agency
        if agency["fictional"]:
            st.info(_("This city is made up. Its numbers show how the site works and describe no real place or person."))
        help_line(agency["country"])
        st.title(question, anchor=False)
        st.markdown(f"**{answer}**")

    def not_reported(self, what: str) -> None:
        """Where a figure would stand that this agency's data cannot feed."""
        st.info(_("This agency does not report this yet: {what}.").format(what=what))

    def figure(
        self, *, title: str, chart: alt.LayerChart | pdk.Deck | None, alt: str, table: pd.DataFrame, data: pd.DataFrame, file: Sequence[str],
        hidden: int = 0, note: str = "",
    ) -> None:  # fmt: skip
        """Chart, the same data as a table, how much is withheld, and the rows as CSV.

        `table` is what is read on the page (texts); `data` what is downloaded (codes, numbers, statuses).
        """
        st.header(title, anchor=False)
        if isinstance(chart, pdk.Deck):
            st.pydeck_chart(chart, height=460, alt=alt)
        elif chart is not None:
            st.altair_chart(chart, width="stretch", alt=alt, theme="streamlit")
        if note:
            st.caption(note)
        if hidden:
            st.caption(
                _("{count} of the numbers here are withheld to protect people. See the page on methods and privacy.").format(
                    count=number(hidden)
                )
            )
        shown = table.map(lambda cell: escape(str(cell)))
        shown.columns = [escape(str(column)) for column in shown.columns]
        st.table(shown, hide_index=True, alt=title, height=LONG_TABLE if len(shown) > MOST_ROWS else "content")
        st.download_button(
            _("Download these rows (CSV)"), csv_bytes(data), file_name(*file, "release", self.release.version),
            mime="text/csv", key=f"csv-{self.name}-{'-'.join(file)}", on_click="ignore",
        )  # fmt: skip

    def shares(
        self,
        *,
        title: str,
        shares: Sequence[Share],
        what: str,
        when: str,
        fixed: Mapping[str, str],
        file: Sequence[str],
        note: str = "",
        counted: str = "",
    ) -> None:
        """A figure of shares with their intervals, n and N."""
        shown, data = share_tables(shares, what, fixed, counted)
        self.figure(
            title=title, chart=charts.dots(shares, colours()), alt=charts.describe(_("Dot chart with intervals"), title, when, shares),
            table=shown, data=data, file=file, hidden=hidden_shares(shares), note=note,
        )  # fmt: skip

    def rates(
        self, *, title: str, rates: Sequence[Rate], what: str, when: str, fixed: Mapping[str, str], file: Sequence[str], note: str = ""
    ) -> None:
        """A figure of events per 1,000 calls with exact intervals."""

        def interval(rate: Rate) -> str:
            if rate.interval is None:
                return "–"
            low, high = (number(round(edge, 1)) for edge in rate.interval)
            return _("{low} to {high}").format(low=low, high=high)

        items = [charts.Mark(r.label, r.per_1000, _rate_words(r), *(r.interval or (None, None))) for r in rates]
        table = pd.DataFrame(
            {what: [r.label for r in rates], _("Per 1,000 calls"): [r.shown for r in rates], _("Calls (n)"): [r.part.shown for r in rates],
             _("Out of (N)"): [r.whole.shown for r in rates], _("95 % interval"): [interval(r) for r in rates]}
        )  # fmt: skip
        self.figure(
            title=title, chart=charts.marks(items, colours()), alt=_mark_words(_("Dot chart with intervals"), title, when, items),
            table=table, data=_counts_behind(rates, fixed), file=file, hidden=hidden_shares(rates), note=note,
        )  # fmt: skip

    def marks(
        self, *, title: str, items: Sequence[charts.Mark], what: str, unit: str, when: str, data: pd.DataFrame, file: Sequence[str],
        dots: bool = False, note: str = "", hidden: int = 0,
    ) -> None:  # fmt: skip
        """A figure of labelled values that are read from the release as they are."""
        table = pd.DataFrame({what: [m.label for m in items], unit: [m.text for m in items]})
        self.figure(
            title=title, chart=charts.marks(items, colours(), dots=dots), alt=_mark_words(_("Bar chart"), title, when, items),
            table=table, data=data, file=file, note=note, hidden=hidden,
        )  # fmt: skip

    def rows(self, *, title: str, table: pd.DataFrame, data: pd.DataFrame, file: Sequence[str], note: str = "") -> None:
        """A table without a chart."""
        self.figure(title=title, chart=None, alt=title, table=table, data=data, file=file, note=note)

    def survey(self, rows: pd.DataFrame, title: str, file: str) -> None:
        """Answers by wave as shares with their 95 % intervals (for a simple random sample)."""
        shares = []
        for row in rows.sort_values(["question", "wave"]).to_dict("records"):
            label = f"{text(row, 'question')} ({day(date.fromisoformat(row['wave']))})"
            part, whole = (Point(row["wave"], label, int(row[field]), "published") for field in ("agree", "respondents"))
            shares.append(Share(row["wave"], label, part, whole))
        self.shares(
            title=title, shares=shares, what=_("Question and wave"), when=_("by wave"), fixed={"table": "survey"}, file=(file,), counted=_("People (n)"),
            note=_("The interval holds for a random sample. People who answer may differ from those who do not."),
        )  # fmt: skip

    def defined(self, *names: str) -> None:
        """How the page's measures are defined, from the one list (`measures.py`)."""
        found = [m for m in measures() if m.name in names]
        with st.expander(_("How this is measured")):
            for m in found:
                st.markdown(
                    f"**{escape(m.plain)}**: {escape(m.counted)}"
                    + (f" {_('Out of: {base}').format(base=escape(m.out_of))}" if m.out_of else "")
                    + (f" {escape(m.caveat)}" if m.caveat else "")
                )

    def caveats(self, sentences: Sequence[str]) -> None:
        st.header(_("What this cannot tell you"), anchor=False)
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences))

    def end(self) -> None:
        """Data-to date, release, publisher: under every page."""
        package, agency = self.release.package, self.release.agency
        st.divider()
        left, right = st.columns(2)
        with left:
            st.page_link("pages/methods.py", label=_("Methods and privacy"))
        with right:
            st.page_link("pages/glossary.py", label=_("Glossary and accessibility"))
        to = day(date.fromisoformat(package["period"]["to"]))
        lines = [
            _("Data to {day}. Release {version}.").format(day=to, version=self.release.version),
            _("Source: {publisher}.").format(publisher=escape(package["contributors"][0]["title"])),
        ]
        if "next_update" in package:
            due = date.fromisoformat(package["next_update"])
            lines.append(_("Next update planned for {day}.").format(day=day(due)))
        lines.append(_("Questions: {contact}.").format(contact=escape(agency["contact"])))
        st.caption(" ".join(lines))


def _rate_words(rate: Rate) -> str:
    if rate.per_1000 is None:
        return rate.shown
    return _("{rate} per 1,000 ({part} of {whole})").format(rate=rate.shown, part=rate.part.shown, whole=rate.whole.shown)


def _mark_words(kind: str, title: str, when: str, items: Sequence[charts.Mark]) -> str:
    known = [m for m in items if m.value is not None]
    parts = [f"{kind}: {title}, {when}."]
    if known:
        top, least = max(known, key=lambda m: m.value or 0.0), min(known, key=lambda m: m.value or 0.0)
        parts.append(_("Highest: {label}, {value}.").format(label=top.label, value=top.text))
        if least is not top:
            parts.append(_("Lowest: {label}, {value}.").format(label=least.label, value=least.text))
    return " ".join(parts)[:300]


def open_page(name: str) -> Page:
    """Start a page: its frame, then its release."""
    require_frame()
    return Page(open_release(), name)


# --- what many pages need ---------------------------------------------------------------------------


def periods(release: Release, table: CountTable, level: str = "year") -> dict[str, str]:
    """Codes and labels of the whole period and of each `level` in it, for a filter."""
    codelist = release.codelists["period"]
    found = {ROOT: _("Whole period ({span})").format(span=period_words(release))}
    if level in table.levels["period"]:
        found |= {code.code: pick(code.label) for code in codelist.at(level)}
    return found


def period_title(release: Release, code: str) -> str:
    """A period within a title: the year, or the span of the data."""
    return period_words(release) if code == ROOT else label_of(release, "period", code)


def areas(release: Release, table: CountTable, system: str) -> dict[str, str]:
    """Codes and labels of all published areas, the whole first, each under its parent."""
    codelist = release.codelists[system]
    found = {ROOT: pick(codelist.codes[ROOT].label)}

    def add(parent: str, depth: int) -> None:
        if depth >= len(table.levels[system]):
            return
        for code in codelist.under(parent, table.levels[system][depth]):
            found[code.code] = pick(code.label)
            add(code.code, depth + 1)

    add(ROOT, 1)
    return found


def codes_of(release: Release, table: CountTable, dimension: str) -> dict[str, str]:
    """Codes and labels of the root and the finest published level of a dimension."""
    codelist = release.codelists[dimension]
    return {ROOT: pick(codelist.codes[ROOT].label)} | {c.code: pick(c.label) for c in codelist.at(table.finest(dimension))}


def point_tables(points: Sequence[Point], what: str, unit: str, fixed: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table to read and the rows to download."""
    table = pd.DataFrame(
        {what: [p.label for p in points], unit: [p.shown for p in points], _("Status"): [status_words(p.status) for p in points]}
    )
    data = pd.DataFrame(
        {**dict(fixed), "code": [p.code for p in points], "label": [p.label for p in points],
         "value": pd.array([p.value for p in points], dtype="Int64"), "status": [p.status for p in points]}
    )  # fmt: skip
    return table, data


def share_tables(shares: Sequence[Share], what: str, fixed: Mapping[str, str], counted: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table to read (share, n, N, interval) and the rows to download."""

    def interval(share: Share) -> str:
        if share.interval is None:
            return "–"
        return _("{low} to {high}").format(low=language.percent(share.interval[0]), high=language.percent(share.interval[1]))

    table = pd.DataFrame(
        {what: [s.label for s in shares], _("Share"): [s.shown for s in shares], counted or _("Calls (n)"): [s.part.shown for s in shares],
         _("Out of (N)"): [s.whole.shown for s in shares], _("95 % interval"): [interval(s) for s in shares]}
    )  # fmt: skip
    return table, _counts_behind(shares, fixed)


def _counts_behind(items: Sequence[Share] | Sequence[Rate], fixed: Mapping[str, str]) -> pd.DataFrame:
    """The rows to download of shares or rates: both counts, each with its status."""
    return pd.DataFrame(
        {**dict(fixed), "code": [s.code for s in items], "label": [s.label for s in items],
         "n": pd.array([s.part.value for s in items], dtype="Int64"), "n_status": [s.part.status for s in items],
         "N": pd.array([s.whole.value for s in items], dtype="Int64"), "N_status": [s.whole.status for s in items]}
    )  # fmt: skip


def hidden_points(points: Sequence[Point]) -> int:
    return sum(p.status not in VISIBLE for p in points)


def hidden_shares(shares: Sequence[Share] | Sequence[Rate]) -> int:
    return sum(s.part.status not in VISIBLE or s.whole.status not in VISIBLE for s in shares)


__all__ = ["Page", "label_of", "open_page", "withheld_word"]
