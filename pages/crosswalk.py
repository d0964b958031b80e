"""Crosswalk: fields and measures mapped to others' standards, and what codes cannot answer."""

from dashboard.figures.figure_kinds import TableFigure
from dashboard.findings import crosswalk
from dashboard.page.page import open_page
from dashboard.page.reported import has_teams
from dashboard.page.surface import escape
from dashboard.text.language import _, number

page = open_page("crosswalk")
release = page.release
fields, listed = crosswalk.names_of(crosswalk.FIELD), crosswalk.names_of(crosswalk.MEASURE)
teams = has_teams(release)
page.ask(
    _("How do our words match those of other standards?"),
    (
        _("We compare {fields} fields and {measures} measures with seven standards.").format(
            fields=number(len(fields)), measures=number(len(listed))
        )
        if teams
        else ""
    ),
)
if teams:
    page.heading(_("What the codes of this agency cannot answer"))
    missing, unused = crosswalk.missing_fields(release), crosswalk.unused_codes(release)
    if missing:
        page.text(_("This release says nothing about:"))
        page.text("\n".join(f"- {escape(words)}" for words in missing))
    if unused:
        page.text(
            _(
                "No call of this release has one of these codes. It may never have happened, or the"
                " agency's own codes cannot say it:"
            )
        )
        page.text(
            "\n".join(
                f"- {escape(name)}: {escape('; '.join(codes))}" for name, codes in unused.items()
            )
        )
    if not missing and not unused:
        page.text(_("Every field has codes here, and each code has calls."))
    for kind, title in (
        (crosswalk.FIELD, _("Fields of a call, beside other standards")),
        (crosswalk.MEASURE, _("Measures, beside other standards")),
    ):
        page.figure(
            TableFigure(
                title=title,
                table=crosswalk.table(release, kind),
                data=crosswalk.data(kind),
                file=("crosswalk", f"{kind}s"),
            )
        )
        if notes := crosswalk.notes(release, kind):
            page.fold(
                _("Notes on these lines"),
                "\n".join(
                    f"- **{escape(name)}**: {escape(words)}" for name, words in notes.items()
                ),
            )
    page.heading(_("What we read"))
    page.text(
        "\n".join(
            f"- **{escape(name)}**: {escape(words)}" for name, words in crosswalk.sources().items()
        )
    )
    page.file(
        _("The whole crosswalk (CSV)"), "crosswalk.csv", crosswalk.FILE.read_bytes, "text/csv"
    )
page.caveats(
    [
        _("'Not checked' means just that. The standard may have such a field."),
        _("'In part' means that figures made from both need not agree."),
        _("Standards change. Check the newest text before you rely on a line."),
    ]
)
page.end()
