"""Every page once, in four groups, in the order of the menus."""

from __future__ import annotations

from dashboard.language import _


def groups() -> dict[str, dict[str, str]]:
    """Group -> page (its file in `pages/`) -> title, in the reader's language."""
    return {
        _("For everyone"): {
            "at_a_glance": _("At a glance"),
            "get_help": _("Get help"),
            "neighborhood": _("My neighborhood"),
        },
        _("How it works"): {
            "calls": _("Calls and demand"),
            "funnel": _("Who gets a co-response"),
            "coverage": _("Coverage by place and hour"),
            "times": _("Response times"),
            "outcomes": _("Outcomes"),
            "safety": _("Safety"),
            "after": _("After the crisis"),
        },
        _("Running it"): {
            "staffing": _("Staffing and training"),
            "money": _("Money"),
            "fairness": _("Fairness"),
            "scorecard": _("Scorecard"),
        },
        _("Evidence and data"): {
            "claims": _("Check a claim"),
            "how_we_compare": _("How we compare"),
            "data": _("Data and downloads"),
            "changes": _("What changed"),
            "methods": _("Methods and privacy"),
            "glossary": _("Glossary and accessibility"),
        },
    }


def to_do(page: str) -> str:
    """What a reader can do with a page, said under its answer."""
    return {
        "at_a_glance": _("Choose your card below. If a figure worries you, ask your council member about it."),
        "get_help": _("Save these numbers in your phone now."),
        "neighborhood": _("If your area has a gap, ask the city what it plans."),
        "calls": _("Choose a place and a type of call to see your own part."),
        "funnel": _("Look for the most common reason, and ask the city what it will do about it."),
        "coverage": _("Find your area in the list. If it has a gap, ask the city what it plans."),
        "times": _("Do not let these numbers keep you from calling. If a life is in danger, call 911."),
        "outcomes": _("Choose a type of call and see what happened most often."),
        "safety": _("Look at like calls side by side before you compare."),
        "after": _("Did someone promise you a follow-up that never came? Tell the agency."),
        "staffing": _("Ask at a council meeting when open posts will be filled."),
        "money": _("Change the share below and see how the range moves."),
        "fairness": _("Read both bases before you say that service is equal or not."),
        "scorecard": _("Print the brief for your next meeting, and ask about each target that is missed."),
        "claims": _("Choose a claim that you have heard, and read our figure before you share it."),
        "how_we_compare": _("When someone says that teams work, ask what they compared."),
        "data": _("Take the zip file, and name the release when you cite it."),
        "changes": _("When you cite a figure, name the release that it came from."),
        "methods": _("Do you think that a number gives someone away? Tell the agency at once."),
        "glossary": _("Did you find a mistake, or is a word hard to understand? Tell the agency."),
    }[page.replace("-", "_")]


PAGES = tuple(page for pages in groups().values() for page in pages)


def path_of(page: str) -> str:
    """Where a page stands in the address; the first one is the address itself."""
    return "" if page == PAGES[0] else page.replace("_", "-")
