"""What residents, journalists and council members come for, from the first page: each answer within
two clicks, and on the first or second screen of its page."""

import re
from dataclasses import dataclass

import pytest

from tests.browser.test_pages import PHONE as MOBILE
from tests.browser.test_pages import settle, visit

MAX_CLICKS = 2
PHONE, DESK = (390, 844), (1280, 900)


@dataclass
class Reader:
    """One reader from the first page on, who counts clicks and the pixels that have to be
    scrolled."""

    page: object
    high: int
    clicks: int = 0
    scrolled: int = 0

    def seen(self, found):
        """`found` can be seen within one screen of scrolling."""
        found.wait_for()
        bottom = found.evaluate(
            """element => {
              const moved = document.querySelector('[data-testid=stMain]')?.scrollTop || 0;
              return element.getBoundingClientRect().bottom + moved + window.scrollY;
            }"""
        )
        far = max(0, bottom - self.high)
        self.scrolled = max(self.scrolled, far)
        assert far <= self.high, f"{far:.0f} pixels to scroll, more than a screen of {self.high}"

    def click(self, found):
        self.seen(found)
        found.click()
        self.clicks += 1
        settle(self.page)
        assert self.clicks <= MAX_CLICKS, f"{self.clicks} clicks"

    def link(self, name):
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def menu(self, name):
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def reads(self, pattern, where="main, [data-testid=stMain]"):
        """Some visible text of the page says it."""
        texts = self.page.locator(where).first.get_by_text(re.compile(pattern))
        self.seen(texts.locator("visible=true").first)


def on_duty_at_four(reader):
    reader.link("My area")
    reader.reads(r"Every day, 7\sa\.m\. to 3\sa\.m\.")
    reader.reads(r"Outside these hours police or medics come")


def whom_to_call(reader):
    reader.seen(reader.page.locator(".crisis a[href='tel:988']"))
    reader.link("Get help")
    reader.reads(r"Call 911")
    assert reader.page.locator("a[href='tel:911']").count()


def my_son(reader):
    reader.menu("Menu")
    reader.link("Safety")
    reader.reads(r"Use of force")
    reader.reads(r"Arrests, 2025")
    reader.reads(r"Per 1,000 similar calls")


def a_map_to_cite(reader):
    reader.seen(reader.page.get_by_role("heading", name=re.compile("by area, 2025")))
    reader.seen(reader.page.locator("img.still"))
    reader.click(reader.page.get_by_role("button", name=re.compile("^Cite: .*by area, 2025")))
    box = reader.page.locator("[role=dialog], [data-testid=stPopoverBody]").first
    box.wait_for()
    assert re.search(r"\[Data set\]\. Retrieved", box.inner_text())


def nights(reader):
    reader.link("Check a claim")
    line = reader.page.locator(".ways li").filter(has_text=re.compile("night", re.I)).first
    reader.seen(line)
    reader.click(line.get_by_role("link"))
    reader.reads(r"^Our figure: ")
    assert "night" in reader.page.locator("h2").first.inner_text().lower()


def what_changed(reader):
    reader.menu("Data")
    reader.link("What changed")
    reader.reads(r"From release 2025\.1 to 2026\.1: figures that changed: [1-9]")
    reader.reads(r"counted twice before")


def which_target(reader):
    reader.link("Are the targets met?")
    reader.reads(r"meets 3 of 4 targets")
    reader.seen(reader.page.locator("[data-testid=stVegaLiteChart]").first)


def my_districts_brief(reader):
    reader.link("Are the targets met?")
    button = reader.page.get_by_role("button", name="Riverside (PDF)")
    reader.seen(button)
    with reader.page.expect_download() as download:
        reader.click(button)
    with open(download.value.path(), "rb") as file:
        assert file.read(5) == b"%PDF-"


def cost_and_end(reader):
    reader.menu("How it is run")
    reader.link("Money")
    reader.reads(r"In 2025, the program spent \$1,825,200")
    reader.reads(r"next source to end is")


TASKS = [
    (on_duty_at_four, PHONE),
    (whom_to_call, PHONE),
    (my_son, PHONE),
    (a_map_to_cite, DESK),
    (nights, DESK),
    (what_changed, DESK),
    (which_target, DESK),
    (my_districts_brief, DESK),
    (cost_and_end, DESK),
]


@pytest.mark.parametrize(("task", "size"), TASKS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_task_takes_two_clicks_and_a_screen(task, size, example, browser):
    width, high = size
    agent = {"user_agent": MOBILE} if size == PHONE else {}
    page = browser.new_context(viewport={"width": width, "height": high}, **agent).new_page()
    visit(page, f"{example}/")
    reader = Reader(page, high)
    task(reader)
    assert reader.clicks <= MAX_CLICKS
    assert reader.scrolled <= high


def test_a_task_that_is_too_far_fails(example, browser):
    """The measure itself: the end of the first page is more than a screen away."""
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    visit(page, f"{example}/")
    with pytest.raises(AssertionError, match="pixels to scroll"):
        Reader(page, 844).seen(page.locator("footer"))
