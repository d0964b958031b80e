"""Ways through the site: from the map to My area by pointer and by keys, and choices that go along
from page to page."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError

from dashboard.app.guard import MAX_BYTES
from tests.browser.test_pages import choose, settle, visit

MAP = "[data-testid=stDeckGlJsonChart]"


def open_map(page):
    drawn = page.locator(MAP)
    drawn.locator("canvas").first.wait_for()
    drawn.scroll_into_view_if_needed()
    page.wait_for_timeout(2500)
    return drawn.bounding_box()


def tap(page, act, box):
    """A place in Old Town 1; again where the map was not drawn yet. Gives the card."""
    card = page.locator("[class*=st-key-chosen-]")
    for _ in range(6):
        act(box["x"] + 0.55 * box["width"], box["y"] + 0.6 * box["height"])
        try:
            card.wait_for(timeout=5000)
        except TimeoutError:
            continue
        settle(page)
        return card
    raise AssertionError("no card came")


@pytest.mark.parametrize("touch", [False, True])
def test_a_tap_on_the_map_opens_the_card_and_leads_to_my_area(touch, example, browser):
    """Through the service's door: what the tap sends comes in."""
    size = {"width": 390, "height": 844} if touch else {"width": 1280, "height": 900}
    page = browser.new_context(viewport=size, has_touch=touch).new_page()
    sent = []
    page.on("websocket", lambda talk: talk.on("framesent", lambda data: sent.append(len(data))))
    visit(page, f"{example}/coverage")
    box = open_map(page)
    sent.clear()
    card = tap(page, page.touchscreen.tap if touch else page.mouse.click, box)
    assert 0 < max(sent) < MAX_BYTES
    assert "Old Town 1" in card.inner_text() and "75%" in card.inner_text()
    assert card.locator("[role=status]").count() == 1
    card.get_by_role("link", name="Open My area: Old Town 1").click()
    page.get_by_role("heading", name="Is there a team where I live?").wait_for()
    settle(page)
    assert "area=OT1" in page.url
    assert "Old Town 1" in page.locator(".answer").inner_text()


def test_the_map_keeps_its_colours_when_an_area_is_chosen(example, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    visit(page, f"{example}/coverage")
    box = open_map(page)
    page.mouse.move(5, 5)
    before = page.locator(MAP).screenshot()
    tap(page, page.mouse.click, box)
    page.mouse.move(5, 5)
    page.keyboard.press("Escape")
    page.wait_for_timeout(1500)
    assert alike(before, page.locator(MAP).screenshot()) > 0.98


def alike(one, other):
    """The share of pixels that are the same within a hair, of two pictures of one size."""
    a, b = (np.asarray(Image.open(io.BytesIO(x)).convert("RGB")).astype(int) for x in (one, other))
    assert a.shape == b.shape
    return float((np.abs(a - b).max(axis=2) <= 8).mean())


@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_map_to_my_area_by_keys_alone(width, example, browser):
    """Only Tab and Enter."""
    page = browser.new_context(viewport={"width": width, "height": 844}).new_page()
    visit(page, f"{example}/coverage")

    def tab_to(wanted, most=60):
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate(wanted):
                return
        raise AssertionError(f"not reached by {most} tabs: {wanted}")

    tab_to("document.activeElement.matches('.areas summary')")
    page.keyboard.press("Enter")
    tab_to("document.activeElement.matches('.areas a[href*=\"area=NH1\"]')")
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Is there a team where I live?").wait_for()
    settle(page)
    assert "area=NH1" in page.url
    assert "North Hills 1" in page.locator(".answer").inner_text()


def test_no_list_of_areas_where_my_area_has_no_numbers(example, browser):
    page = browser.new_context().new_page()
    visit(page, f"{example}/coverage")
    links = page.locator(".areas a").all_inner_texts()
    assert len(links) == 16 and links == sorted(links)
    assert all("not recorded" not in link.lower() for link in links)


def go(page, group, name, question):
    if group:
        page.get_by_role("button", name=group, exact=True).click()
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("heading", name=question).wait_for()
    settle(page)


def test_choices_go_along_and_one_link_resets_them(example, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    visit(page, f"{example}/calls")
    reset = page.get_by_role("button", name="Reset", exact=True)
    assert reset.count() == 0, "nothing is changed yet"
    choose(page, "Place", "North Hills")
    choose(page, "Period", "2024")
    assert reset.count() == 1
    go(page, "", "My area", "Is there a team where I live?")
    assert "area=north_hills" in page.url
    assert "North Hills" in page.locator(".answer").inner_text()
    go(page, "What happens", "Outcomes", "What happens at the end of a call?")
    assert "year=2024" in page.url and "area" not in page.url
    go(page, "How it is run", "Targets and brief", "Is the program meeting what council set?")
    assert "place=north_hills" in page.url and "of=2024" in page.url
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function("!location.search.includes('place')")
    settle(page)
    assert reset.count() == 0
    go(page, "", "My area", "Is there a team where I live?")
    assert "area" not in page.url


def test_an_address_says_more_than_what_was_chosen_before(example, browser):
    page = browser.new_context().new_page()
    visit(page, f"{example}/outcomes?year=2024")
    assert page.get_by_role("button", name="Reset", exact=True).count() == 1
    visit(page, f"{example}/outcomes")
    assert "year" not in page.url
    assert page.get_by_role("button", name="Reset", exact=True).count() == 0


def test_what_the_next_page_has_not_is_left_out_without_a_word(example, browser):
    """The reader has asked nothing of that page, so that nothing is missing."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    visit(page, f"{example}/neighborhood?area=RV1")
    go(page, "How it is run", "Targets and brief", "Is the program meeting what council set?")
    assert "place" not in page.url
    assert page.locator("[data-testid=stAlert]").count() == 0
