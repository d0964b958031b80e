"""Pages in a real Chromium: they open, filter, restore a saved address, and hand out what they show
(see also test_accessibility)."""

import csv
import io
import re
import shutil
import time

import pytest
from PIL import Image
from playwright.sync_api import Error

from dashboard.figures.theme import LIGHT, rgb
from dashboard.page import pages_list
from dashboard.page.pages_list import path_of
from tests.browser.conftest import serve
from tests.conftest import ROOT

PAGES = [path_of(page) for page in pages_list.PAGES]
PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile"
    " Safari/537.36"
)


def visit(page, address, foot="Data to"):
    page.goto(address)
    page.get_by_text(re.compile(rf"^{foot} .*(Release|Edición)")).last.wait_for()
    if "embed" not in address:
        page.locator(
            "[data-testid=stMain] [data-testid=stPageLink] a[href*=glossary]"
        ).last.wait_for()  # the foot of the page
    settle(page)


STILL = """wait => new Promise(settled => {
  let timer;
  const whole = () =>
    document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton]');
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => whole() ? (watch.disconnect(), settled()) : again(), wait);
  };
  const watch = new MutationObserver(again);
  watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  again();
})"""


def settle(page):
    """Wait until the script has run through, each part of the page has come (Streamlit fetches its
    tables' code late), and nothing has changed for a moment."""
    for _ in range(5):
        try:
            return page.evaluate(STILL, 400)
        except Error as error:  # another page came while we waited: that one is to settle
            if "context was destroyed" not in str(error):
                raise
    pytest.fail("the page never stayed for long enough to settle")


def choose(page, label, option):
    page.get_by_label(label, exact=True).click()
    before = page.url
    page.get_by_role("option", name=option, exact=True).click()
    page.wait_for_function("before => location.href !== before", arg=before)
    settle(page)


def shown_rows(page, number=0):
    table = page.locator("table").nth(number)
    return [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]


def check_page(page):
    assert page.locator("h1").count() == 1
    said = page.locator(".lead .answer").all_inner_texts()
    answers = said != ["This agency does not report this yet."]
    assert page.locator("h1").inner_text().endswith("?") == answers
    body = page.locator("body").inner_text()
    assert "988" in body
    assert "Traceback" not in body
    assert "Release" in body
    assert ("What this cannot tell you" in body) == answers, "caveats of what is not there"
    assert page.get_by_role("link", name="Methods and privacy").count() == 1
    for alert in page.locator("[data-testid=stException]").all():
        raise AssertionError(alert.inner_text())


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("site", ["toronto_site", "seattle_site"])
def test_every_page_opens(site, name, tab, request):
    address = request.getfixturevalue(site)
    outside = []
    tab.on(
        "request",
        lambda r: (
            None
            if r.url.startswith((address, "data:", "blob:", "ws://127.0.0.1"))
            else outside.append(r.url)
        ),
    )
    visit(tab, f"{address}/{name}")
    check_page(tab)
    assert outside == [], "a page asked another server for something"
    assert "This city is made up" not in tab.locator("body").inner_text()


def test_a_phone(example, browser):
    """Opened on a phone, nothing but tables and maps scrolls sideways, and charts keep within the
    column (test_accessibility narrows every page)."""
    context = browser.new_context(viewport={"width": 320, "height": 800}, user_agent=PHONE)
    page = context.new_page()
    visit(page, f"{example}/coverage")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for chart in page.locator("[data-testid=stVegaLiteChart]").all():
        assert chart.bounding_box()["width"] <= 320
    context.close()


def test_filter_address_and_download(example, tab, browser):
    """Filter, follow the saved address in a fresh browser to the same view, and find the screen's
    rows in the CSV."""
    visit(tab, f"{example}/calls")
    everything = shown_rows(tab)
    choose(tab, "Place", "North Hills")
    choose(tab, "Type of call", "Alcohol or drug use")
    assert "area=north_hills" in tab.url
    assert "type=substance_use" in tab.url
    narrowed = shown_rows(tab)
    assert narrowed != everything
    assert any("withheld" in row for row in narrowed)
    other = browser.new_context().new_page()
    visit(other, tab.url)
    assert shown_rows(other) == narrowed
    assert other.locator("h2").first.inner_text() == tab.locator("h2").first.inner_text()
    with tab.expect_download() as download:
        tab.get_by_role("button", name=re.compile(r"^Download( \(.* KB\))?: ")).first.click()
    with open(download.value.path(), newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert "2026.1" in download.value.suggested_filename
    from_file = [[r["label"], f"{int(r['value']):,}" if r["value"] else "withheld"] for r in rows]
    assert from_file == narrowed


def test_a_filter_of_the_same_name_starts_afresh_on_the_next_page(example, tab):
    """Both pages stand at the last whole year at first. Streamlit forgets a box of another page,
    and with it what it stood at."""
    visit(tab, f"{example}/funnel")
    tab.get_by_role("button", name="What happens", exact=True).click()
    tab.get_by_role("link", name="After the crisis", exact=True).click()
    tab.get_by_role("heading", name="Do people get care, and stay out of crisis?").wait_for()
    tab.get_by_text("What this cannot tell you").wait_for()
    assert tab.get_by_role("heading", name="how far a referral got, 2025").count() == 1


def test_back_button_and_unknown_code(example, tab):
    visit(tab, f"{example}/outcomes?year=1999")
    whole = shown_rows(tab)
    choose(tab, "Period", "2024")
    assert tab.url.endswith("year=2024")
    assert shown_rows(tab) != whole
    tab.go_back()
    deadline = time.monotonic() + 30
    while shown_rows(tab) != whole and time.monotonic() < deadline:
        tab.wait_for_timeout(250)
    assert shown_rows(tab) == whole


def test_language_goes_along(example, tab):
    visit(tab, f"{example}/coverage?lang=es", foot="Datos hasta")
    assert tab.evaluate("document.documentElement.lang") == "es"
    assert "¿Adónde llegan los equipos" in tab.locator("h1").inner_text()
    tab.get_by_role("button", name="Qué pasa").click()
    tab.get_by_role("link", name="Resultados").click()
    tab.get_by_text("¿Qué pasa al final de una llamada?").wait_for()
    assert "lang=es" in tab.url
    tab.get_by_text("English", exact=True).click()
    tab.get_by_text("What happens at the end of a call?").wait_for()
    settle(tab)
    assert "lang" not in tab.url
    assert tab.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize(
    ("code", "words", "link"),
    [
        ("en", "There is no such page", "first page"),
        ("es", "Esta página no existe", "primera página"),
    ],
)
def test_an_address_without_a_page_says_so_and_leads_to_the_first(code, words, link, example, tab):
    answer = tab.goto(f"{example}/no-such-page?lang={code}")
    assert answer.status == 404
    assert tab.get_by_role("heading", name=words).count() == 1
    tab.get_by_role("link", name=link).click()
    tab.locator("h1").first.wait_for()
    assert words not in tab.locator("body").inner_text()


def test_withheld_areas_are_hatched_and_listed(example, tab):
    visit(tab, f"{example}/coverage?year=2025")
    chart = tab.locator("[data-testid=stDeckGlJsonChart]")
    chart.locator("canvas").first.wait_for()
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(2500)
    picture = Image.open(io.BytesIO(chart.screenshot()))
    colours = {
        colour for count, colour in picture.convert("RGB").getcolors(1_000_000) if count > 400
    }
    assert {
        rgb(LIGHT.classes[1]),
        rgb(LIGHT.classes[3]),
    } <= colours, "the map's classes are not drawn"
    assert "withheld or too few" in tab.locator("body").inner_text()
    assert any("withheld" in row for row in shown_rows(tab))
    assert "under 20%" in tab.locator(".key").first.inner_text()
    assert "20 to 39%" in tab.locator(".key").first.inner_text()


@pytest.mark.parametrize("area", ["NH4", "RV1", "north_hills", "all", "nowhere"])
def test_every_kind_of_area_has_a_neighborhood(area, example, tab):
    """A beat too small for a share shows the district around it, under its own name."""
    visit(tab, f"{example}/neighborhood?area={area}")
    check_page(tab)
    shown = [row[0] for row in shown_rows(tab)]
    assert "Whole city" in shown
    if area == "NH4":
        assert shown == ["North Hills 4", "North Hills", "Whole city"]


def test_what_is_not_reported_says_so(toronto_site, tab):
    visit(tab, f"{toronto_site}/outcomes")
    assert "who came to the call" not in tab.locator("body").inner_text(), (
        "without teams, what is missing is told on the first page"
    )
    visit(tab, toronto_site)
    assert (
        "Who gets a co-response: it would need who came to each call"
        in tab.locator("body").inner_text()
    )
    visit(tab, f"{toronto_site}/calls?area=D51&type=overdose")
    assert tab.locator("h2").first.inner_text() == "Calls over time: D51, Overdose"


@pytest.mark.parametrize("spoil", ["missing", "failed", "changed"])
def test_a_spoiled_release_is_refused_in_a_plain_sentence(spoil, tmp_path, browser):
    folder = tmp_path / "release"
    shutil.copytree(ROOT / "data_public", folder)
    if spoil == "missing":
        shutil.rmtree(folder)
    elif spoil == "failed":
        (folder / "audit.json").write_text(
            (folder / "audit.json").read_text().replace('"passed": true', '"passed": false')
        )
    else:
        with (folder / "tables/outcomes.csv").open("a") as handle:
            handle.write("2025,all,all,all,3,published\n")
    sentence = {
        "missing": "There is no release to show.",
        "failed": "did not pass its privacy check",
        "changed": "is not the one that passed",
    }[spoil]
    for address in serve(folder, tmp_path / "log.txt"):
        page = browser.new_page()
        page.goto(f"{address}/calls")
        page.get_by_text(sentence).wait_for(timeout=30_000)
        page.get_by_text("988").first.wait_for(timeout=30_000)  # parts come one by one
        body = page.locator("body").inner_text()
        assert "Traceback" not in body
        assert page.locator("table").count() == 0
        page.close()


@pytest.mark.parametrize(("language", "word"), [("en", "Waits by pri"), ("es", "Esperas por pri")])
def test_find_leads_to_the_figure_by_keys_alone(example, tab, language, word):
    visit(tab, f"{example}/find?lang={language}", foot={"en": "Data to", "es": "Datos"}[language])
    tab.get_by_role("combobox").focus()
    tab.keyboard.type(word)
    tab.get_by_role("option").first.wait_for()
    for _ in range(20):
        active = tab.get_by_role("combobox").get_attribute("aria-activedescendant")
        if active and tab.locator(f"[id='{active}']").inner_text().startswith(word):
            break
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url(re.compile(r"/times\?.*at=waits-by-priority"))
    settle(tab)
    heading = tab.locator("h2:focus")
    assert heading.get_attribute("id").startswith("waits-by-priority")
    assert -1 < heading.bounding_box()["y"] < 200, "it stands on top of the window"


def test_the_contents_lead_to_a_figure(example, tab):
    visit(tab, f"{example}/calls")
    tab.get_by_text(re.compile(r"^On this page: \d+ charts and tables$")).click()
    link = tab.locator(".contents a").last
    words = link.inner_text()
    link.click()
    heading = tab.locator("h2:focus")
    assert heading.inner_text() == words
    assert heading.bounding_box()["y"] < 800
