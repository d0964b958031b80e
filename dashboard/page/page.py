"""The frame that all pages share: help line, question, answer, figures with their tables, caveats,
foot.

A page script reads like its outline; everything about how a page is put together stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from dashboard.figures.figure import Figure
from dashboard.figures.figure_kinds import Kind, ShareFigure
from dashboard.numbers.cells import Point, Share, label_of, withheld_word
from dashboard.numbers.measures import OF_CALLS, measure, measures, own_rules
from dashboard.page.measure_figures import (
    PLAIN,
    At,
    Own,
    absent_words,
    figure_of,
    period_title,
    period_words,
)
from dashboard.page.pages_list import PAGES, title_of, to_do
from dashboard.page.reported import has_teams, shown_pages
from dashboard.page.standard_texts import help_line, nothing, uncollected, uncollected_note
from dashboard.page.surface import (
    Card,
    Cited,
    Entry,
    Headline,
    Lead,
    Surface,
    Take,
    escape,
    framed,
    surface,
)
from dashboard.page.survey import numbered, response_words
from dashboard.release.reader import (
    FISCAL_YEAR,
    INCOMPLETE,
    NOT_COLLECTED,
    ROOT,
    CountTable,
    Release,
)
from dashboard.text.glossary import words_in
from dashboard.text.language import _, day, pick, text


@dataclass
class Page:
    """One page being written, from the top down, on whatever surface this run has."""

    release: Release
    name: str
    measures: tuple[str, ...] = ()
    """Names of the measures on this page, as in `measures.py`."""
    said: list[str] = field(default_factory=list)
    """Everything written so far, to explain the words of the field in it."""

    missing: list[str] = field(default_factory=list)
    """What the agency does not report: one list at the end of the page."""
    answers: bool = True
    """Does the release answer what the page asks? Else the page says that alone."""
    headings: list[tuple[str, int]] = field(default_factory=list)
    """(text, level) of headings that nothing stands under yet."""

    def _on(self) -> Surface:
        for words, level in self.headings:
            surface().heading(words, level)
        self.headings.clear()
        return surface()

    def ask(
        self,
        question: str,
        answer: Headline | str,
        picture: Figure | None = None,
        doors: Sequence[Card] = (),
    ) -> None:
        """The beginning of the page: its question, its answer with one large number, and what a
        reader can do.

        A question that the release cannot answer is not asked: the page has its title alone, and
        says what it lacks. It stands on top, whatever filters were drawn before, so that an answer
        can follow what a reader has chosen. `picture` is next to it, `doors` are where to go on.
        """
        told = answer if isinstance(answer, Headline) else Headline(answer)
        self.said += [told.sentence, told.base, told.before]
        name = self.name.replace("-", "_")
        self.answers = name in shown_pages(self.release) or (
            name not in PAGES and bool(told.sentence)
        )
        if self.answers:
            lead = Lead(
                question,
                told,
                data_words(self.release),
                to_do(
                    self.name,
                    teams=has_teams(self.release),
                    areas=self.release.find("area") is not None,
                    targets=self.release.reference("targets") is not None,
                ),
                picture,
                tuple(doors),
            )
        else:
            lead = Lead(
                title_of(self.name),
                Headline(nothing()),
                data_words(self.release),
                _("Ask the agency to report it."),
            )
        self._on().lead(lead)
        if (
            self.name != "get-help"
            and partial_data(self.release)
            and (about := pick(self.release.agency["about"]))
        ):
            self._on().caption(escape(about))
        if missing := uncollected(self.release):
            self.info(
                "\n".join(
                    [
                        _("Some days are missing from these numbers:"),
                        "",
                        *(f"- {escape(sentence)}" for sentence in missing),
                    ]
                )
            )

    def heading(self, text: str, level: int = 2) -> None:
        """A heading, shown once something comes under it."""
        if self.answers:
            self.headings = [(above, its) for above, its in self.headings if its < level]
            self.headings.append((text, level))

    def text(self, markdown: str) -> None:
        if self.answers:
            self.said.append(markdown)
            self._on().text(markdown)

    def caption(self, markdown: str) -> None:
        if self.answers:
            self.said.append(markdown)
            self._on().caption(markdown)

    def cited(self, parts: Sequence[tuple[str, Sequence[Cited]]]) -> None:
        """A text under headings, each sentence with a link to the figure that it comes from."""
        self.said += [sentence.sentence for _heading, told in parts for sentence in told]
        self._on().cited(parts)

    def fold(self, title: str, markdown: str) -> None:
        """Text that a reader opens."""
        self.said.append(markdown)
        self._on().fold(title, markdown)

    def info(self, markdown: str) -> None:
        self._on().info(markdown)

    def table(self, frame: pd.DataFrame, alt: str) -> None:
        """A table of plain texts; nothing in it is read as markup."""
        if self.answers:
            self._on().table(frame, alt)

    def link(self, page: str, label: str, **filters: str) -> None:
        self._on().link(page, label, filters)

    def cards(self, cards: Sequence[Card]) -> None:
        """Boxes, three side by side where there is room."""
        self.said += [words for card in cards for words in (card.heading, *card.lines)]
        self._on().cards(cards)

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        return self._on().slide(key, label, low, high, start, step)

    def find(self, entries: Sequence[Entry]) -> None:
        """One box over everything that can be looked up."""
        self._on().find(entries)

    def ways(self, entries: Sequence[Entry]) -> None:
        """Links within the site, with what a reader finds behind each."""
        self.said += [f"{entry.words} {entry.where}" for entry in entries]
        self._on().ways(entries)

    def file(self, label: str, name: str, data: Callable[[], bytes], mime: str) -> None:
        """A file to take away, made when asked for."""
        self.files([Take(label, name, data, mime)])

    def files(self, files: Sequence[Take]) -> None:
        """Files to take away, side by side where there is room."""
        self._on().files(files)

    def addresses(self, heading: str, markdown: str, links: Sequence[tuple[str, str]]) -> None:
        """A part about files at the top of the site, where the site has such files."""
        self.said.append(markdown)
        self._on().addresses(heading, markdown, links)

    def not_reported(self, what: str) -> None:
        """A figure that this agency's data cannot feed: named at the end of the page."""
        if what not in self.missing:
            self.missing.append(what)

    def made(self, kind: Kind) -> Figure:
        """The figure of `kind`, not shown yet. Where some of it was not collected, it says that
        days are missing."""
        shown = kind.content()
        figure = Figure(
            page=self.name,
            title=shown.title,
            alt=shown.alt,
            table=shown.table.astype(str),
            data=shown.data,
            file=tuple(shown.file),
            draw=shown.draw,
            map=shown.map,
            subtitle=shown.subtitle,
            folded=shown.folded,
            hidden=shown.hidden,
            note=shown.note,
            measures=self.measures,
            choices=dict(surface().choices),
        )
        if {INCOMPLETE, NOT_COLLECTED} & {*figure.statuses, *shown.statuses} and (
            missing := uncollected_note(self.release)
        ):
            figure = replace(figure, missing=missing)
        self.said += [
            figure.title,
            figure.note,
            figure.subtitle,
            *(str(name) for name in figure.table.columns),
            *(str(cell) for cell in figure.table.iloc[:, 0]),
        ]
        return figure

    def figure(self, kind: Kind | None, absent: str = "") -> None:
        """Chart or map, the same data as a table, how much is withheld, and what to take away.
        Where there is none (None), `absent` says at the end of the page what is not reported."""
        if kind is None:
            self.not_reported(absent)
        else:
            self._on().figure(self.made(kind))

    def measure(
        self, name: str, *, along: str = "", at: At | None = None, own: Own = PLAIN
    ) -> None:
        """The figure of a measure, with its definition on the page. `along`: its rows, where not
        the measure's own; `at`: what it is narrowed to; `own`: words of this page. What the agency
        does not report goes into the one list of that."""
        self.defined(name, figure_of(measure(name), self.release, along, at, own), own)

    def defined(self, name: str, kind: Kind | None, own: Own = PLAIN) -> None:
        """A figure with the definition of its measure, `name`. Where there is none (None), the
        measure goes into the list of what is not reported."""
        if kind is not None and name not in self.measures:
            self.measures = (*self.measures, name)
        self.figure(kind, absent_words(measure(name), own))

    def show(self, figure: Figure) -> None:
        """Show a figure that `made` gave."""
        self._on().figure(figure)

    def beside(self, figures: Sequence[Figure]) -> None:
        """Figures side by side on a wide screen."""
        self._on().beside(figures)

    def survey(self, rows: pd.DataFrame, title: str, file: str) -> None:
        """Answers by wave as shares with their 95 % intervals (for a simple random sample)."""
        shares = []
        for row in rows.sort_values(["question", "wave"]).to_dict("records"):
            label = f"{text(row, 'question')} ({day(date.fromisoformat(row['wave']))})"
            part, whole = (
                Point(row["wave"], label, int(row[field]), "published")
                for field in ("agree", "respondents")
            )
            shares.append(Share(row["wave"], label, part, whole))
        likely = _("The likely range holds only if those who answered are like those who did not.")
        asked = response_words(numbered(rows).sort_values("wave").to_dict("records")[-1])
        self.figure(
            ShareFigure(
                title=title,
                shares=shares,
                what=_("Question and wave"),
                when=_("by wave"),
                fixed={"table": "survey"},
                file=(file,),
                counted=_("People (n)"),
                note=" ".join(filter(None, (likely, asked))),
            )
        )

    def caveats(self, sentences: Sequence[str]) -> None:
        """How the page's measures are defined, from the one list (`measures.py`), and what they
        cannot tell. Before that come the figures that measures bring to this page by themselves."""
        self.headings.clear()
        for one in measures():
            if one.figure and one.page == self.name and one.name not in self.measures:
                self.measure(one.name)
        if self.answers:
            self._caveats(sentences)
        if self.missing and (has_teams(self.release) or self.name == "at-a-glance"):
            # Where nobody knows of teams, all that is missing is listed once, on the first page.
            self._on().heading(_("What this agency does not report yet"), 2)
            self._on().text("\n".join(f"- {what}" for what in self.missing))

    def _caveats(self, sentences: Sequence[str]) -> None:
        if words := definition_words(self.release, self.measures):
            self._on().fold(_("How this is measured"), words)
        if (
            found := words_in(" ".join(self.said + list(sentences)), teams=has_teams(self.release))
        ) and self.name != "at-a-glance":
            self._on().fold(
                _("Words on this page"),
                "\n\n".join(
                    f"**{escape(word)}**: {escape(meaning)}" for word, meaning in found.items()
                ),
            )
        self.heading(_("What this cannot tell you"))
        self.text("\n".join(f"- {sentence}" for sentence in sentences))

    def end(self) -> None:
        """The foot of every page: up to when the data reach, release, publisher."""
        self._on().end(foot_words(self.release))


def data_words(release: Release) -> str:
    """Up to when the data reach, and which release they are of."""
    return _("Data to {day}. Release {version}.").format(
        day=day(release.data_to), version=release.version
    )


OLD = 366
"""Days from the last call to the release, from which on the agency's own words about its data stand
near the top of each page."""


def partial_data(release: Release) -> bool:
    """Are the data old, or are days of them missing?"""
    made = date.fromisoformat(release.package["created"][:10])
    return bool(release.uncollected) or (made - release.data_to).days >= OLD


def foot_words(release: Release) -> str:
    """Markdown: help in a crisis, then up to when the data reach, who publishes them, and whom to
    ask."""
    package = release.package
    lines = [
        data_words(release),
        _("Source: {publisher}.").format(publisher=escape(package["contributors"][0]["title"])),
    ]
    if "next_update" in package:
        lines.append(
            _("Next update planned for {day}.").format(
                day=day(date.fromisoformat(package["next_update"]))
            )
        )
    lines.append(_("Questions: {contact}.").format(contact=escape(release.agency["contact"])))
    return f"{help_line(release.agency['country'])}\n\n{' '.join(lines)}"


def definition_words(release: Release, names: Sequence[str]) -> str:
    """Markdown: the measures named, and what the agency itself lays down for them."""
    found = [
        f"**{escape(m.plain)}**: {escape(m.meaning())}"
        for m in measures()
        if m.name in names and (m.name in OF_CALLS or has_teams(release))
    ]
    return "\n\n".join([*found, *(escape(rule) for rule in own_rules(release, names))])


def open_page(name: str, *measures: str) -> Page:
    """Start a page that shows `measures` (names as in `measures.py`): its frame, then its
    release."""
    here = framed()
    here.begin()
    return Page(here.release, name, measures)


# --- what many pages need ---


def periods(release: Release, table: CountTable, level: str = "year") -> dict[str, str]:
    """The options of a filter for the period, code -> label: the whole period, each `level` in it,
    and the fiscal years that the table has."""
    codelist = release.codelists["period"]
    found = {ROOT: _("Whole period ({span})").format(span=period_words(release))}
    if level in table.levels["period"]:
        found |= {code.code: pick(code.label) for code in codelist.at(level)}
    found |= {
        code.code: pick(code.label)
        for code in codelist.at(FISCAL_YEAR)
        if table.has_period(code.code)
    }
    return found


def areas(release: Release, table: CountTable, system: str) -> dict[str, str]:
    """The options of a filter for the area, code -> label: all published areas, the whole first,
    each under its parent."""
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
    return {ROOT: pick(codelist.codes[ROOT].label)} | {
        c.code: pick(c.label) for c in codelist.at(table.finest(dimension))
    }


def field_name(release: Release, name: str) -> str:
    """A field in the reader's words: the agency's own where the release has its codes."""
    if name in release.codelists:
        return pick(release.codelists[name].name)
    plain = {
        "call_type": _("Type of call"),
        "source": _("How the call came in"),
        "priority": _("Priority"),
        "not_served_reason": _("Why no team came"),
        "responder": _("Who came"),
        "outcome": _("How it ended"),
        "language": _("Language"),
        "age_group": _("Age group"),
        "race_ethnicity": _("Race or ethnicity"),
        "gender": _("Gender"),
        "setting": _("Urban or rural"),
        "initial_type": _("Type at first"),
        "led_by": _("Who led"),
        "eligible": _("Meets the program's criteria"),
        "arrest": _("Arrest"),
        "arrestable": _("An act that allows arrest"),
        "force_used": _("Use of force"),
        "weapon_reported": _("Weapon reported"),
        "injured_officer": _("Officers hurt"),
        "injured_clinician": _("Clinicians hurt"),
        "injured_person": _("People in crisis hurt"),
        "interpreter_used": _("Interpreter used"),
        "serious_force": _("Serious force"),
        "ed_criteria": _("Needed an emergency room"),
        "citation": _("Citation without arrest"),
        "arrest_required": _("Whether the law required the arrest"),
        "clinician_role": _("What the clinician did first"),
        "hold_started_by": _("Who started the hold"),
        "triaged": _("Checked, or not checked"),
        "partner_unavailable": _("What could not be had"),
        "restrained": _("Handcuffs or restraints"),
        "officer_trained": _("Officer took the crisis course"),
        "crisis_in_report": _("The report names the crisis"),
        "backup_requested": _("Police backup asked for"),
        "handed_back": _("Handed back to police"),
        "started_by_team": _("Started by the team itself"),
        "in_program_area": _("Inside the program's area"),
        "other_units_came": _("A fire or ambulance crew came too"),
        "backup_requested_at": _("Time backup was asked for"),
        "backup_arrived_at": _("Time backup came"),
        "other_units_cleared_at": _("Time the other crew left"),
        "area": _("Area"),
        "arrived_at": _("Time of arrival"),
        "dispatched_at": _("Time of dispatch"),
        "cleared_at": _("Time the call was closed"),
        "officer_cleared_at": _("Time the officer left"),
        "received_at (day)": _("Day of the call"),
        "call_id": _("Number of the call"),
        "person_key": _("Who called (never published)"),
    }
    return plain.get(name) or name.replace("_", " ")


__all__ = [
    "Page",
    "label_of",
    "open_page",
    "period_title",
    "period_words",
    "withheld_word",
]
