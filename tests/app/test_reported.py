"""Pages follow from what a release holds: nothing is asked or said that its data cannot answer."""

import re
from dataclasses import replace
from html import escape, unescape

import pytest

from dashboard.export import crisis_card
from dashboard.page.pages_list import PAGES, title_of
from dashboard.page.reported import fed_by, has_teams, shown_pages
from dashboard.page.standard_texts import crisis_bar, help_line, plain
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import page_of
from tests.parts_of_release import calls_only, counts_and_areas, part_of

ALWAYS = {
    "at_a_glance",
    "get_help",
    "find",
    "claims",
    "data",
    "changes",
    "methods",
    "glossary",
    "scorecard",
}
"""Pages about the release itself, and where to turn."""
OF_TEAMS = {
    "en": r"\b(teams?|clinicians?|co-response)\b",
    "es": r"\b(equipos?|profesional(es)? clínicos?)\b",
}
LISTED = {"en": "What this agency does not report yet", "es": "Lo que esta agencia aún no informa"}
UNASKED = {
    "en": "Claims that this agency's data cannot answer yet",
    "es": "Afirmaciones que los datos de esta agencia aún no pueden responder",
}


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


@pytest.fixture(scope="module")
def parts(release):
    """Every table, statistic and reference left out in turn by its kind; and the smallest
    releases."""
    found = {
        "whole": release,
        "calls only": calls_only(release),
        "counts and areas": counts_and_areas(release),
    }
    for name in ("responder", "area", "outcome", "wait", "handoff", "eligible"):
        found[f"without {name}"] = part_of(
            release, lambda t, name=name: name not in t.levels and name not in t.where
        )
    found["without statistics"] = part_of(release, statistics=False)
    found["without references"] = part_of(release, references={})
    for name in ("staffing", "budget", "targets", "staffed_hours", "survey"):
        found[f"without {name}"] = part_of(
            release, references={n: rows for n, rows in release.references.items() if n != name}
        )
        found[f"{name} with calls alone"] = replace(
            calls_only(release), references={name: release.references[name]}
        )
    return found


def words_of(page):
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(page.body)))


def test_the_menu_holds_the_pages_that_have_something_to_show(parts):
    """Whatever a release lacks: a page is in the menu where it draws a figure, and in no other
    case."""
    for name, part in parts.items():
        shown = shown_pages(part)
        for page in set(PAGES) - ALWAYS:
            drawn = bool(page_of(part, page).found)
            assert drawn == (page in shown), (name, page)
        assert shown >= ALWAYS


def test_every_page_left_out_is_named_once_with_what_would_feed_it(parts):
    for code in ("en", "es"):
        words = words_of(page_of(parts["calls only"], "at_a_glance", code))
        assert words.count(LISTED[code]) == 1
        listed = words[words.index(LISTED[code]) :]
        for page in set(PAGES) - shown_pages(parts["calls only"]):
            language.use(code)
            assert (
                len(re.findall(rf"{title_of(page)} ?: [\w ]+ {re.escape(fed_by(page))}\.", listed))
                == 1
            ), page
    language.use("en")
    assert LISTED["en"] not in words_of(page_of(parts["whole"], "at_a_glance"))


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("name", ["calls only", "counts and areas"])
def test_a_release_without_teams_speaks_of_none(name, code, parts):
    part = parts[name]
    assert not has_teams(part)
    for page in shown_pages(part) - {
        "changes",
        "data",
    }:  # the history of the example city's own releases; column names
        body = "".join(page_of(part, page, code).body)
        for heading in (LISTED[code], UNASKED[code]):  # the two lists of what nobody can answer yet
            body = re.sub(
                rf"<h2>{re.escape(escape(heading))}</h2>\s*<ul>.*?</ul>", "", body, flags=re.DOTALL
            )
        words = unescape(re.sub(r"<[^>]+>", " ", body))
        said = re.findall(r"[^.?!]*" + OF_TEAMS[code] + r"[^.?!]*", words, re.IGNORECASE)
        assert not said, (
            page,
            said,
            [
                m.group(0)[:90]
                for m in re.finditer(r".{0,60}" + OF_TEAMS[code] + r".{0,20}", words, re.IGNORECASE)
            ][:3],
        )


def test_questions_follow_from_the_release(parts):
    asked = {name: page_of(part, "at_a_glance").title for name, part in parts.items()}
    assert asked["whole"] == "Is the program reaching people in crisis?"
    assert (
        asked["calls only"]
        == asked["counts and areas"]
        == asked["without responder"]
        == "How many crisis calls come in?"
    )
    assert (
        page_of(parts["counts and areas"], "coverage").title == "Where do crisis calls come from?"
    )
    assert (
        page_of(parts["counts and areas"], "neighborhood").title
        == "How many crisis calls come from my area?"
    )
    assert page_of(parts["calls only"], "safety").title == "Safety", (
        "what cannot be answered is not asked"
    )


def test_doors_lead_only_where_there_is_something(parts):
    body = "".join(page_of(parts["calls only"], "at_a_glance").body)
    assert "I decide on this" not in body
    assert "neighborhood" not in body


@pytest.mark.parametrize("name", ["whole", "calls only"])
def test_help_in_a_crisis_names_the_way_in_spanish(name, parts):
    language.use("es")
    try:
        for text in (
            help_line("US"),
            crisis_bar("US"),
            crisis_card.title(parts[name]),
            " ".join(crisis_card.steps(parts[name])),
        ):
            assert "oprima 2" in text
            assert "AYUDA" in text
        steps = " ".join(map(plain, crisis_card.steps(parts[name])))
        assert "hable español" in steps
        assert ("equipo" in steps) == (name == "whole")
        assert "](" not in steps
    finally:
        language.use("en")
    for link in (
        "tel:988",
        "sms:988",
        "sms:988?body=AYUDA",
        "https://988lifeline.org/chat/",
        "tel:911",
    ):
        assert f"]({link})" in help_line("US")
    assert "AYUDA" not in help_line("CA")


def test_one_period_for_a_page(release):
    """The headline's period is that of the figures that follow the page's filter."""
    for name in ("coverage", "outcomes", "at_a_glance"):
        for year in ("2024", "2025"):
            page = page_of(release, name, asked={"year": year})
            lead = page.body[0]
            assert year in lead, (name, year)
            assert str(4049 - int(year)) not in re.sub(r"Data to [^<]*", "", lead), (name, year)
            assert year in page.found[0].title, (name, page.found[0].title)


def test_a_headline_is_the_tables_own(release):
    for year in ("2024", "2025"):
        page = page_of(release, "coverage", asked={"year": year})
        (shown,) = re.findall(r'class="number">([^<]*)<', page.body[0])
        counts = re.search(r"([\d,]+) of ([\d,]+) calls", page.body[0])
        part, whole = (int(n.replace(",", "")) for n in counts.groups())
        by_area = next(f for f in page.found if f.file[0] == "coverage").data
        assert by_area["n"].sum() <= part and by_area["out_of"].sum() <= whole
        assert shown == language.percent(part / whole)


def test_no_chart_text_says_its_period_twice(release):
    for name in PAGES:
        for figure in page_of(release, name).found:
            for period in ("2024", "2025", "January 1, 2024 to December 31, 2025"):
                assert f"{period}, {period}" not in figure.alt, figure.alt
            assert "Lowest: Not recorded" not in figure.alt
            assert len(figure.alt) <= 400


def test_shares_stand_on_a_whole_scale(release):
    """No bar of a share is drawn against the largest of them."""
    from dashboard.figures.theme import LIGHT

    for name in ("outcomes", "after", "coverage", "staffing"):
        for figure in page_of(release, name).found:
            shown = " ".join(figure.table.astype(str).to_numpy().ravel())
            if (
                figure.draw
                and re.search(r"\d%", shown)
                and figure.draw.func.__name__ in ("dots", "share_bars", "marks")
            ):
                drawn = figure.draw(colours=LIGHT).to_dict()
                domains = [
                    layer["encoding"]["x"]["scale"]["domain"]
                    for layer in drawn["layer"]
                    if "scale" in layer["encoding"].get("x", {})
                ]
                assert domains
                assert all(domain == [0, 1.0] for domain in domains), (figure.title, domains)
