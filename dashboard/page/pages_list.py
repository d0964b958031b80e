"""Every page once, in four groups, in the order of the menus."""

from __future__ import annotations

from dashboard.text.language import _


def groups() -> dict[str, dict[str, str]]:
    """Group -> page (its file in `pages/`) -> title, in the reader's language."""
    return {
        _("For everyone"): {
            "at_a_glance": _("Overview"),
            "neighborhood": _("My area"),
            "get_help": _("Get help"),
            "find": _("Find"),
        },
        _("What happens"): {
            "calls": _("Calls and demand"),
            "funnel": _("Who gets a co-response"),
            "coverage": _("Coverage by place and hour"),
            "times": _("Response times"),
            "outcomes": _("Outcomes"),
            "safety": _("Safety"),
            "after": _("After the crisis"),
        },
        _("How it is run"): {
            "staffing": _("Staffing and training"),
            "money": _("Money"),
            "fairness": _("Fairness"),
            "scorecard": _("Targets and brief"),
            "quarters": _("Quarter by quarter"),
        },
        _("Data"): {
            "claims": _("Check a claim"),
            "data": _("Data and downloads"),
            "story": _("This release in words"),
            "changes": _("What changed"),
            "how_we_compare": _("How we compare"),
            "methods": _("Methods and privacy"),
            "crosswalk": _("Crosswalk"),
            "glossary": _("Glossary and accessibility"),
        },
    }


def title_of(page: str) -> str:
    """The title of a page, as in the menu."""
    return next(
        pages[page.replace("-", "_")]
        for pages in groups().values()
        if page.replace("-", "_") in pages
    )


def to_do(page: str, *, teams: bool = True, areas: bool = True, targets: bool = True) -> str:
    """What a reader can do with a page, said under its answer. `teams`, `areas`, `targets`: does
    the release know of any?"""
    name = page.replace("-", "_")
    if not teams and name in ("neighborhood", "coverage"):
        return _("Ask the city what it plans for people in crisis in your area.")
    if not areas and name == "calls":
        return _("Choose a type of call, or a year, and see how the numbers change.")
    if not targets and name == "scorecard":
        return _("Print the brief for your next meeting.")
    return {
        "at_a_glance": _(
            "Choose below what fits you. If a figure worries you, ask your council member about it."
        ),
        "get_help": _("Save these numbers in your phone now."),
        "find": _("Type a word, then choose a line. What you type stays on your device."),
        "neighborhood": _("If your area has a gap, ask the city what it plans."),
        "calls": _("Choose a place and a type of call to see your area."),
        "funnel": _("Look for the most common reason, and ask the city what it will do about it."),
        "coverage": _("Find your area in the list. If it has a gap, ask the city what it plans."),
        "times": _(
            "Do not let these numbers keep you from calling. If a life is in danger, call 911."
        ),
        "outcomes": _("Choose a type of call and see what happened most often."),
        "safety": _("Look at similar calls side by side before you compare."),
        "after": _("Did someone promise you a follow-up that never came? Tell the agency."),
        "staffing": _("Ask at a council meeting when open positions will be filled."),
        "money": _("Change the share below and see how the range moves."),
        "fairness": _("Read both comparisons before you say that service is equal or not."),
        "scorecard": _(
            "Print the brief for your next meeting, and ask about each target that is missed."
        ),
        "quarters": _("Print the sheet for your meeting, and ask why a quarter stands out."),
        "claims": _("Choose a claim that you have heard, and read our figure before you share it."),
        "how_we_compare": _("When someone says that teams work, ask what they compared."),
        "data": _("Download the zip file, and name the release when you cite it."),
        "story": _("Print it or share it. Each small number leads to its figure."),
        "changes": _("When you cite a figure, name the release that it came from."),
        "methods": _("Do you think that a number could identify someone? Tell the agency at once."),
        "crosswalk": _("Do you know what belongs in a cell that is not checked? Tell the agency."),
        "glossary": _("Did you find a mistake, or is a word hard to understand? Tell the agency."),
    }[name]


PAGES = tuple(page for pages in groups().values() for page in pages)


def path_of(page: str) -> str:
    """The path of a page in the address; that of the first one is empty."""
    return "" if page == PAGES[0] else page.replace("_", "-")
