"""Quarters: the last one compared with the one before and the same one a year before."""

from functools import partial

from dashboard.export import quarter_sheet
from dashboard.findings import quarters_page
from dashboard.findings.quarters import starts_of_years, table_of
from dashboard.page.page import areas, open_page
from dashboard.page.surface import Take, choose
from dashboard.release.reader import ROOT
from dashboard.text.language import _, month_in_words

page = open_page("quarters", "calls")
release = page.release
by_area = table_of(release, "area")
area = choose("area", _("Place"), areas(release, by_area, "area")) if by_area else ROOT
ways = starts_of_years(release)
way = "calendar"
if len(ways) > 1:
    starts = month_in_words(f"2000-{ways['fiscal']:02d}").partition(" ")[0]
    way = choose(
        "by",
        _("Quarters of"),
        {
            "calendar": _("Calendar years"),
            "fiscal": _("Fiscal years (from {month})").format(month=starts),
        },
    )
found = quarters_page.series(release, area, ways[way])
page.ask(
    _("How does the last quarter compare?"),
    quarters_page.headline(found) if found else "",
)
if found is None:
    page.not_reported(_("calls by month or by quarter"))
else:
    quarters_page.show(page, found)
    if found.place is not None:
        page.heading(_("Sheet for a meeting"))
        page.text(
            _("One page to print. The HTML file holds the same, for screens and screen readers.")
        )
        whole = partial(quarter_sheet.file_name, release)
        given = (release, area, ways[way])
        page.files(
            [
                Take(
                    _("Quarter sheet, Letter (PDF)"),
                    whole((area, way), "pdf"),
                    partial(quarter_sheet.pdf_of, *given),
                    "application/pdf",
                ),
                Take(
                    _("Quarter sheet, A4 (PDF)"),
                    whole((area, way, "a4"), "pdf"),
                    partial(quarter_sheet.pdf_of, *given, "a4"),
                    "application/pdf",
                ),
                Take(
                    _("Quarter sheet (HTML)"),
                    whole((area, way), "html"),
                    partial(quarter_sheet.html_of, *given),
                    "text/html",
                ),
            ]
        )
page.caveats(
    [
        _("A quarter that is not over, or that has days without records, is not compared."),
        _("A difference from one quarter to another is no trend. Chance alone makes some."),
        _(
            "More calls can mean more need, or that more people know whom to call. We cannot tell"
            " which."
        ),
    ]
)
page.end()
