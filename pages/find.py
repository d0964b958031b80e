"""Find: one box over places, figures, claims and words."""

from dashboard.page.page import open_page
from dashboard.page.reported import shown_pages
from dashboard.site.find import entries
from dashboard.text.language import _

page = open_page("find")
placed = "neighborhood" in shown_pages(page.release)
page.ask(
    _("What are you looking for?"),
    (
        _("Places, figures, claims and words of this site, each with the page that it leads to.")
        if placed
        else _("Figures, claims and words of this site, each with the page that it leads to.")
    ),
)
page.find(entries(page.release))
page.caveats(
    [
        *(
            [
                _(
                    "Your street is not listed. Look for the area that it lies in, on the page 'My"
                    " area' or on the map."
                )
            ]
            if placed
            else []
        ),
        _("Figures are listed as they stand before you choose anything on their page."),
    ]
)
page.end()
