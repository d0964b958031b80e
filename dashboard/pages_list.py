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
            "data": _("Data and downloads"),
            "changes": _("What changed"),
            "methods": _("Methods and privacy"),
            "glossary": _("Glossary and accessibility"),
        },
    }


PAGES = tuple(page for pages in groups().values() for page in pages)
