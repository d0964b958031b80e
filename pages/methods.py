"""Methods and privacy: how numbers are made, why some are withheld, and what was checked."""

import pandas as pd

from dashboard.figures import charts
from dashboard.figures.figure_kinds import MarkFigure
from dashboard.figures.suppression_example import toy_tables
from dashboard.page.page import open_page, period_words
from dashboard.page.surface import escape
from dashboard.text.language import _, number, percent, pick

page = open_page("methods")
release = page.release
k = release.threshold
withheld = release.withheld
cells = release.counts
page.ask(
    _("Can I trust these numbers, and are people protected?"),
    (
        _(
            "We withhold {withheld} of {cells} numbers so that nobody can single out a person. A"
            " program tried to undo it and failed."
        )
        if withheld
        else _(
            "All {cells} numbers are shown: none is small enough to point to a person. A program"
            " tried to single someone out and failed."
        )
    ).format(withheld=number(withheld), cells=number(cells)),
)
page.heading(_("Why some numbers are withheld"))
page.text(
    _(
        "A small number can point to one person. If one call came from a street on one night, a"
        " neighbor may know who it was. So counts from 1 to {last} are withheld. That alone is not"
        " enough: a total minus the other numbers would give the small one back. So some other"
        " numbers are withheld too."
    ).format(last=number(k - 1))
)
if coarsened := release.coarsened():
    page.text(
        _(
            "Some numbers are shown for larger areas or longer times than first planned. In smaller"
            " ones too many would be withheld:"
        )
    )
    page.text("\n".join(f"- {escape(pick(label))}" for label in coarsened))
sides = {"withheld": (_("Withheld"), withheld), "shown": (_("Shown"), cells - withheld)}
page.figure(
    MarkFigure(
        title=_("Numbers withheld, of all in this release"),
        what=_("Numbers"),
        unit=_("Share"),
        when=period_words(release),
        file=("withheld",),
        share=True,
        items=[
            charts.Mark(
                label,
                n / cells,
                _("{share} ({part} of {whole})").format(
                    share=percent(n / cells), part=number(n), whole=number(cells)
                ),
            )
            for label, n in sides.values()
        ],
        data=pd.DataFrame(
            [{"numbers": code, "count": n, "of_all": cells} for code, (_label, n) in sides.items()]
        ),
    )
)
page.heading(_("A small example"))
page.text(
    _(
        "This is a made-up table with three districts and two kinds of calls. Here are the true"
        " numbers, which nobody outside would see:"
    )
)
truth, first, second = toy_tables(k)
page.table(truth, _("Made-up example: all numbers shown"))
page.text(
    _(
        "If only the small number is withheld, anyone can work it out: the row's total minus the"
        " other number in the row."
    )
)
page.table(first, _("Made-up example: only the small number withheld"))
page.text(
    _(
        "So three more numbers are withheld. Now many tables fit what is shown, and nobody can tell"
        " which is true:"
    )
)
page.table(second, _("Made-up example: four numbers withheld"))
page.text(
    _(
        "All withheld numbers carry the same word. A withheld number may be small, large or"
        " zero. For each one, the numbers shown here allow every value from 1 to {last}, or"
        " several of {k} or more."
    ).format(last=number(k - 1), k=number(k))
)
page.heading(_("What the privacy check tried"))
page.text(
    _(
        "Before this release was published, a second program attacked it with nothing but the"
        " public files. It found nothing:"
    )
)
attacks = {
    "bytes": _("Each file is the one that was checked"),
    "undeclared": _("No file, column or row beyond those announced"),
    "marks": _("One word for all withheld numbers, with nothing behind it"),
    "known rules": _("No published number from 1 to {last}").format(last=number(k - 1)),
    "across tables": _("No number withheld in one table and shown in another"),
    "contradiction": _("The tables agree with each other"),
    "complement": _("No small group left over where nearly everyone is in one category"),
    "pinned": _("No withheld number can be worked out, with all tables taken together"),
    "narrow": _("No withheld number can be narrowed down inside the small range"),
    "statistics": _(
        "No median or number of people where the count is withheld, or where too few are behind it"
    ),
    "beside statistics": _("The waits and hours shown do not help to work out a withheld number"),
    "earlier releases": _(
        "Comparing this release with earlier ones narrows nothing down, and each is kept as it was"
    ),
    "insider": _("Knowing of one call does not help to narrow down a neighboring number"),
}
page.table(
    pd.DataFrame(
        [
            {
                _("What was tried"): attacks.get(a["attack"], a["attack"]),
                _("Times tried"): number(a["tested"]),
                _("Found"): number(a["found"]),
            }
            for a in release.audit["attacks"]
        ]
    ),
    _("What the privacy check tried and found"),
)
page.heading(_("Your visit is private"))
page.text(
    _(
        "This site does not watch its readers. It keeps no list of who came, from where, or what"
        " they looked at. It sets no tracking cookies and sends nothing to other companies."
    )
)
page.heading(_("How numbers are made"))
page.text(
    "\n".join(
        f"- {line}"
        for line in [
            _(
                "Calls from {span} are counted, each call once, even where the source repeats it."
            ).format(span=period_words(release)),
            _("What is not written down is counted as 'not recorded'. It is never left out."),
            _(
                "A share is always one published number over another. It is shown only for 30"
                " calls or more."
            ),
            _(
                "The likely range beside a share is its 95% Wilson interval. We name a trend"
                " only over three whole years or more, under the same rules and codes, and where"
                " chance would show it less than 1 time in 100."
            ),
            _("Percentages are rounded, so they may not add up to 100."),
        ]
    )
)
page.text(escape(pick(release.agency["about"])))
page.caveats(
    [
        _(
            "The privacy check covers what is published here. It cannot cover what someone knows"
            " from elsewhere, such as the news."
        ),
        _("Numbers are only as good as what was written down at the time."),
    ]
)
page.end()
