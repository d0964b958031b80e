"""Find: one box over places, figures, claims and words."""

from dashboard.find import entries
from dashboard.language import _
from dashboard.skeleton import open_page

page = open_page("find")
page.ask(
    _("What are you looking for?"),
    _("Places, figures, claims and words of this site, each with the page that it leads to."),
)
page.find(entries(page.release))
page.caveats(
    [
        _(
            'Your street is not listed. Look for the area that it lies in, on the page "My area" or'
            " on the map."
        ),
        _("Figures are listed as they stand before you choose anything on their page."),
    ]
)
page.end()
