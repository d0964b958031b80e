"""Charts and maps by keyboard: from the summary to series and points with arrow keys alone, each
spoken and shown with label, value and range as in the chart's table."""

import json

from tests.browser.test_accessibility import focused, violations
from tests.browser.test_pages import visit

ALONE = ("page-has-heading-one",)
"""What a frame on someone else's page does not keep: its title names it."""


def stop_of(page, title):
    """The chart's stop, come to with Tab from what stands before it; gives its summary."""
    stop = page.locator(f".walk[data-title={json.dumps(title)}]")
    stop.evaluate(
        """stop => [...document.querySelectorAll('a[href], button, input, [tabindex="0"]')]
           .filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility() &&
             e.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING).pop()?.focus()"""
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.title") == title
    assert focused(page)["shown"]
    return stop.get_attribute("data-summary")


def said(page):
    return page.locator(".walk:focus .said").inner_text()


def walked(page, *keys):
    """What is said after each of the keys."""
    found = []
    for key in keys:
        page.keyboard.press(key)
        found.append(said(page))
    return found


def test_a_chart_of_one_series(example, tab):
    """Its points come right after its summary, each with its share, n, N and likely range."""
    visit(tab, f"{example}/coverage")
    summary = stop_of(tab, "Calls that a clinician reached, by time of day, 2025")
    assert said(tab) == summary
    first, second, *rest = walked(
        tab, "ArrowDown", "ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home", "ArrowUp"
    )
    assert first == (
        "midnight to 4 a.m. Share: 62%, about 3 in 5; Calls (n): 957; Out of (N): 1,536;"
        " Likely range (95%): 60% to 65%. 1 of 7"
    )
    assert second.startswith("4 to 8 a.m. Share: ")
    assert second.endswith(". 2 of 7")
    last, still, before, again, back = rest
    assert last.endswith("7 of 7")
    assert still == last, "the end is the end"
    assert before.endswith("6 of 7")
    assert again == first
    assert back == summary
    assert violations(tab) == []
    walked(tab, "Enter")
    assert violations(tab) == []
    tab.keyboard.press("Tab")
    assert tab.locator(".walk:focus").count() == 0, "a chart is no trap"


def test_lines_and_grids_have_series(example, tab):
    visit(tab, f"{example}/times")
    summary = stop_of(tab, "Waits from call to arrival, month by month")
    keys = ("ArrowDown", "ArrowRight", "Enter", "ArrowRight", "Escape", "ArrowLeft", "Escape")
    assert walked(tab, *keys) == [
        "Half within about (minutes). 1 of 2",
        "9 in 10 within about (minutes). 2 of 2",
        "Jan 24. 31. 1 of 24",
        "Feb 24. 32. 2 of 24",
        "9 in 10 within about (minutes). 2 of 2",
        "Half within about (minutes). 1 of 2",
        summary,
    ]
    visit(tab, f"{example}/staffing")
    stop_of(tab, "Positions and people, by month")
    assert walked(tab, "ArrowDown", "ArrowDown") == [
        "Role: Clinicians. 1 of 2",
        "Jan 24. Positions: 4; Positions filled: 4. 1 of 24",
    ]


def test_the_areas_of_a_map(example, tab):
    """Also where the map is a picture, on the first page; in Spanish."""
    visit(tab, f"{example}/coverage")
    stop_of(tab, "Calls that a clinician reached, by area, 2025")
    assert walked(tab, "ArrowDown")[0] == (
        "Harbor 1. Share: 65%, about 2 in 3; Calls (n): 829; Out of (N): 1,285;"
        " Likely range (95%): 62% to 67%. 1 of 17"
    )
    visit(tab, f"{example}/?lang=es", foot="Datos hasta")
    tab.locator(".walk").first.focus()
    there = walked(tab, "ArrowDown", "ArrowRight")[1]
    assert there.endswith("2 de 17")
    assert "Rango probable" in there
    assert violations(tab) == []


def test_a_figure_in_a_frame(example, tab):
    visit(tab, f"{example}/coverage?figure=map-coverage-beat-2025&embed=true")
    tab.locator(".walk").focus()
    assert walked(tab, "ArrowDown", "End")[1].endswith("17 of 17")
    assert [v for v in violations(tab) if not v.startswith(ALONE)] == []


def test_the_static_edition(edition, browser):
    _out, address = edition
    page = browser.new_context().new_page()
    page.goto(f"{address}/en/coverage.html")
    page.wait_for_function("document.querySelectorAll('.walk:not([hidden])').length > 5")
    summary = stop_of(page, "Calls that a clinician reached, by area, 2025")
    assert said(page) == summary
    assert walked(page, "ArrowDown")[0].startswith("Harbor 1. Share: 65%, about 2 in 3;")
    assert violations(page) == []
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{address}/en/coverage.html")
    assert plain.locator(".walk:not([hidden])").count() == 0, "nothing that does nothing"
    context.close()
    page.context.close()
