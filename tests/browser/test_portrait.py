"""The private portrait of an export in a real browser: no request, no error, nothing to scroll
sideways but wide tables and charts, fit for paper."""

import pytest

from anonymize.portrait.as_html import portrait_html
from tests.unit.test_portrait import agency, calls, seen


@pytest.mark.parametrize("width", [1100, 320])
def test_the_portrait_opens_without_a_network(browser, tmp_path, width):
    found = seen(agency(tmp_path, calls(600)))
    (tmp_path / "portrait.html").write_text(
        portrait_html(found.portrait, found.tally), encoding="utf-8"
    )
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((tmp_path / "portrait.html").as_uri())
    assert asked == [(tmp_path / "portrait.html").as_uri()]
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("img").count() == 3
    assert "to 23 (" in page.get_by_role("img").last.get_attribute("aria-label")
    page.set_viewport_size({"width": 700, "height": 900})  # a sheet of paper
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert page.locator("svg.chart").first.bounding_box()["width"] <= 700
    page.close()
