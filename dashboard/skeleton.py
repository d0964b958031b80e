"""The frame that all pages share: help line, question, answer, figures with their tables, caveats, foot.

A page script reads like its outline; everything about how a page is put together stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import pandas as pd

from dashboard import charts, language
from dashboard.figure import Draw, Figure
from dashboard.glossary import words_in
from dashboard.language import _, day, pick, rounded, text
from dashboard.maps import Map
from dashboard.measures import measures, own_rules
from dashboard.notices import help_line, made_up, nothing, uncollected, uncollected_note
from dashboard.pages_list import to_do
from dashboard.release import INCOMPLETE, NOT_COLLECTED, PUBLISHED, ROOT, SUPPRESSED, CountTable, Release
from dashboard.surface import Card, Surface, Take, escape, framed, surface
from dashboard.survey import numbered, response_words
from dashboard.views import Point, Rate, Share, in_part, label_of, status_words, withheld_word


def period_words(release: Release) -> str:
    """The span of the data, in words."""
    return _("{start} to {end}").format(start=day(release.data_from), end=day(release.data_to))


@dataclass
class Page:
    """One page being written, from the top down, on whatever surface this run has."""

    release: Release
    name: str
    measures: tuple[str, ...] = ()
    """Names of the measures on this page, as in `measures.py`."""
    said: list[str] = field(default_factory=list)
    """Everything written so far, to explain the words of the field that stand in it."""

    missing: list[str] = field(default_factory=list)
    """What the agency does not report, and was not told yet: what follows one another stands in one box."""

    def _on(self) -> Surface:
        """Where the page is written, once all that is missing has been told."""
        if self.missing:
            missing, self.missing = self.missing, []
            if len(missing) == 1:
                surface().info(_("This agency does not report this yet: {what}.").format(what=missing[0]))
            else:
                surface().info("\n".join([_("This agency does not report this yet:"), "", *(f"- {what}" for what in missing)]))
        return surface()

    def ask(self, question: str, answer: str) -> None:
        """The page's one heading of the first level, its answer in plain text (empty where the agency reports nothing of it), and what a reader can do."""
        agency = self.release.agency
        if agency["fictional"]:
            self.info(made_up())
        self.caption(help_line(agency["country"]))
        self.heading(question, 1)
        self.said.append(answer)
        self._on().text(f"**{escape(answer or nothing())}**")
        self.text(to_do(self.name) if answer else _("Ask the agency to report it."))
        if missing := uncollected(self.release):
            self.info("\n".join([_("Some days are missing from these numbers:"), "", *(f"- {escape(sentence)}" for sentence in missing)]))

    def heading(self, text: str, level: int = 2) -> None:
        self._on().heading(text, level)

    def text(self, markdown: str) -> None:
        self.said.append(markdown)
        self._on().text(markdown)

    def caption(self, markdown: str) -> None:
        self.said.append(markdown)
        self._on().caption(markdown)

    def fold(self, title: str, markdown: str) -> None:
        """Text that a reader opens."""
        self.said.append(markdown)
        self._on().fold(title, markdown)

    def info(self, markdown: str) -> None:
        self._on().info(markdown)

    def table(self, frame: pd.DataFrame, alt: str) -> None:
        """A table of plain texts; nothing in it is read as markup."""
        self._on().table(frame, alt)

    def link(self, page: str, label: str, **filters: str) -> None:
        self._on().link(page, label, filters)

    def cards(self, cards: Sequence[Card]) -> None:
        """Boxes, three side by side where there is room."""
        self.said += [words for card in cards for words in (card.heading, *card.lines)]
        self._on().cards(cards)

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        return self._on().slide(key, label, low, high, start, step)

    def file(self, label: str, name: str, data: Callable[[], bytes], mime: str) -> None:
        """A file to take away, made when asked for."""
        self.files([Take(label, name, data, mime)])

    def files(self, files: Sequence[Take]) -> None:
        """Files to take away, side by side where there is room."""
        self._on().files(files)

    def not_reported(self, what: str) -> None:
        """Where a figure would stand that this agency's data cannot feed."""
        self.missing.append(what)

    def figure(
        self, *, title: str, alt: str, table: pd.DataFrame, data: pd.DataFrame, file: Sequence[str], draw: Draw | None = None,
        hidden: int = 0, note: str = "", map: Map | None = None, statuses: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Chart or map, the same data as a table, how much is withheld, and what to take away.

        `table` is what is read on the page (texts); `data` what is downloaded (codes, numbers, statuses). Where some of it was not collected
        (by its columns of statuses, or by `statuses` where it has none), it says that days are missing.
        """
        figure = Figure(
            page=self.name, title=title, alt=alt, table=table.astype(str), data=data, file=tuple(file), draw=draw, map=map,
            hidden=hidden, note=note, measures=self.measures, choices=dict(surface().choices),
        )  # fmt: skip
        if {INCOMPLETE, NOT_COLLECTED} & {*figure.statuses, *statuses} and (missing := uncollected_note(self.release)):
            figure = replace(figure, missing=missing)
        self.said += [title, note, *(str(name) for name in table.columns), *(str(cell) for cell in table.iloc[:, 0])]
        self._on().figure(figure)

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
            title=title, draw=partial(charts.dots, shares), alt=charts.describe(_("Dot chart with likely ranges"), title, when, shares),
            table=shown, data=data, file=file, hidden=hidden_shares(shares), note=note,
        )  # fmt: skip

    def rates(
        self, *, title: str, rates: Sequence[Rate], what: str, when: str, fixed: Mapping[str, str], file: Sequence[str], note: str = ""
    ) -> None:
        """A figure of events per 1,000 calls with exact intervals."""

        def interval(rate: Rate) -> str:
            if rate.interval is None:
                return "–"
            low, high = (rounded(edge) for edge in rate.interval)
            return _("{low} to {high}").format(low=low, high=high)

        items = [charts.Mark(r.label, r.per_1000, _rate_words(r), *(r.interval or (None, None))) for r in rates]
        table = pd.DataFrame(
            {what: [r.label for r in rates], _("Per 1,000 calls"): [r.shown for r in rates], _("Calls (n)"): [r.part.shown for r in rates],
             _("Out of (N)"): [r.whole.shown for r in rates], _("Likely range (95 %)"): [interval(r) for r in rates], **_status_column(rates)}
        )  # fmt: skip
        self.figure(
            title=title, draw=partial(charts.marks, items), alt=_mark_words(_("Dot chart with likely ranges"), title, when, items),
            table=table, data=_counts_behind(rates, fixed), file=file, hidden=hidden_shares(rates), note=note,
        )  # fmt: skip

    def marks(
        self, *, title: str, items: Sequence[charts.Mark], what: str, unit: str, when: str, data: pd.DataFrame, file: Sequence[str],
        dots: bool = False, note: str = "", hidden: int = 0, statuses: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """A figure of labelled values that are read from the release as they are."""
        table = pd.DataFrame({what: [m.label for m in items], unit: [m.text for m in items]})
        self.figure(
            title=title, draw=partial(charts.marks, items, dots=dots), alt=_mark_words(_("Bar chart"), title, when, items),
            table=table, data=data, file=file, note=note, hidden=hidden, statuses=statuses,
        )  # fmt: skip

    def rows(self, *, title: str, table: pd.DataFrame, data: pd.DataFrame, file: Sequence[str], note: str = "") -> None:
        """A table without a chart."""
        self.figure(title=title, alt=title, table=table, data=data, file=file, note=note)

    def survey(self, rows: pd.DataFrame, title: str, file: str) -> None:
        """Answers by wave as shares with their 95 % intervals (for a simple random sample)."""
        shares = []
        for row in rows.sort_values(["question", "wave"]).to_dict("records"):
            label = f"{text(row, 'question')} ({day(date.fromisoformat(row['wave']))})"
            part, whole = (Point(row["wave"], label, int(row[field]), "published") for field in ("agree", "respondents"))
            shares.append(Share(row["wave"], label, part, whole))
        self.shares(
            title=title, shares=shares, what=_("Question and wave"), when=_("by wave"), fixed={"table": "survey"}, file=(file,), counted=_("People (n)"),
            note=" ".join(
                part for part in (
                    _("The likely range holds only if those who answered are like those who did not."),
                    response_words(numbered(rows).sort_values("wave").to_dict("records")[-1]),
                ) if part
            ),
        )  # fmt: skip

    def caveats(self, sentences: Sequence[str]) -> None:
        """How the page's measures are defined, from the one list (`measures.py`), and what they cannot tell."""
        if self.measures:
            self._on().fold(_("How this is measured"), definition_words(self.release, self.measures))
        if found := words_in(" ".join(self.said + list(sentences))):
            self._on().fold(
                _("Words on this page"), "\n\n".join(f"**{escape(word)}**: {escape(meaning)}" for word, meaning in found.items())
            )
        self.heading(_("What this cannot tell you"))
        self.text("\n".join(f"- {sentence}" for sentence in sentences))

    def end(self) -> None:
        """Data-to date, release, publisher: under every page."""
        self._on().end(foot_words(self.release))


def foot_words(release: Release) -> str:
    package = release.package
    lines = [
        _("Data to {day}. Release {version}.").format(day=day(release.data_to), version=release.version),
        _("Source: {publisher}.").format(publisher=escape(package["contributors"][0]["title"])),
    ]
    if "next_update" in package:
        lines.append(_("Next update planned for {day}.").format(day=day(date.fromisoformat(package["next_update"]))))
    lines.append(_("Questions: {contact}.").format(contact=escape(release.agency["contact"])))
    return " ".join(lines)


def definition_words(release: Release, names: Sequence[str]) -> str:
    """Markdown: the measures named, and what the agency itself lays down for them."""
    found = [f"**{escape(m.plain)}**: {escape(m.meaning())}" for m in measures() if m.name in names]
    return "\n\n".join([*found, *(escape(rule) for rule in own_rules(release, names))])


def _rate_words(rate: Rate) -> str:
    if rate.per_1000 is None:
        return rate.shown
    if in_part(rate.part.status, rate.whole.status):
        return _("{rate} per 1,000 ({part} of {whole}; part of the period only)").format(
            rate=rate.shown, part=rate.part.shown, whole=rate.whole.shown
        )
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


def open_page(name: str, *measures: str) -> Page:
    """Start a page that shows `measures` (names as in `measures.py`): its frame, then its release."""
    here = framed()
    here.begin()
    return Page(here.release, name, measures)


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
        {what: [s.label for s in shares], _("Share"): [_said(s) for s in shares], counted or _("Calls (n)"): [s.part.shown for s in shares],
         _("Out of (N)"): [s.whole.shown for s in shares], _("Likely range (95 %)"): [interval(s) for s in shares], **_status_column(shares)}
    )  # fmt: skip
    return table, _counts_behind(shares, fixed)


def _status_column(items: Sequence[Share] | Sequence[Rate]) -> dict[str, list[str]]:
    """A column that tells what was collected in part or not at all; none where all was collected."""
    worst = [next((s for s in (NOT_COLLECTED, SUPPRESSED, INCOMPLETE) if s in (i.part.status, i.whole.status)), PUBLISHED) for i in items]
    return {_("Status"): [status_words(status) for status in worst]} if {INCOMPLETE, NOT_COLLECTED} & set(worst) else {}


def _said(share: Share) -> str:
    """A share as a number and in words: '19%, about 1 in 5'."""
    return ", ".join(filter(None, (share.shown, language.about(share.share) if share.share is not None else "")))


def _counts_behind(items: Sequence[Share] | Sequence[Rate], fixed: Mapping[str, str]) -> pd.DataFrame:
    """The rows to download of shares or rates: both counts, each with its status."""
    return pd.DataFrame(
        {**dict(fixed), "code": [s.code for s in items], "label": [s.label for s in items],
         "n": pd.array([s.part.value for s in items], dtype="Int64"), "n_status": [s.part.status for s in items],
         "out_of": pd.array([s.whole.value for s in items], dtype="Int64"), "out_of_status": [s.whole.status for s in items]}
    )  # fmt: skip


def field_name(release: Release, name: str) -> str:
    """A field in the reader's words: the agency's own where the release has its codes."""
    if name in release.codelists:
        return pick(release.codelists[name].name)
    plain = {
        "call_type": _("Type of call"), "source": _("How the call came in"), "priority": _("Priority"), "not_served_reason": _("Why no team came"),
        "responder": _("Who came"), "outcome": _("How it ended"), "language": _("Language"), "age_group": _("Age group"),
        "race_ethnicity": _("Race or ethnicity"), "gender": _("Gender"), "setting": _("Town or country"), "initial_type": _("Type at first"),
        "led_by": _("Who led"), "eligible": _("Meets the program's criteria"), "arrest": _("Arrest"), "arrestable": _("An act that allows arrest"),
        "force_used": _("Use of force"), "weapon_reported": _("Weapon reported"), "injured_officer": _("Officers hurt"),
        "injured_clinician": _("Clinicians hurt"), "injured_person": _("People in crisis hurt"), "interpreter_used": _("Interpreter used"),
        "serious_force": _("Serious force"), "ed_criteria": _("Needed an emergency room"), "citation": _("Citation without arrest"),
        "arrest_required": _("Whether the law required the arrest"), "area": _("Area"),
        "arrived_at": _("Time of arrival"), "dispatched_at": _("Time of dispatch"), "cleared_at": _("Time the call was closed"),
        "officer_cleared_at": _("Time the officer left"), "received_at (day)": _("Day of the call"), "call_id": _("Number of the call"),
        "person_key": _("Who called (never published)"),
    }  # fmt: skip
    return plain.get(name) or name.replace("_", " ")


def hidden_points(points: Sequence[Point]) -> int:
    """How many are withheld; what was not collected is none of them."""
    return sum(p.status == SUPPRESSED for p in points)


def hidden_shares(shares: Sequence[Share] | Sequence[Rate]) -> int:
    return sum(SUPPRESSED in (s.part.status, s.whole.status) for s in shares)


__all__ = ["Page", "label_of", "open_page", "withheld_word"]
