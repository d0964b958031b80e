"""A further language is one catalogue file: every page, file and feed is in it, also where Babel
has no formats for it."""

import io
import re
from datetime import date
from html import unescape

import pytest
from babel.messages.pofile import read_po, write_po
from streamlit.testing.v1 import AppTest

from anonymize.agency import load
from anonymize.errors import SchemaError
from dashboard.app import guard, head, page_style
from dashboard.export import brief, citation, crisis_card, downloads, feeds
from dashboard.export.html_surface import table_html, text_html
from dashboard.page.pages_list import PAGES
from dashboard.page.standard_texts import plain
from dashboard.release.reader import load_release
from dashboard.site.static import Folder, _frame
from dashboard.text import language
from tests.agency import make, write_agency
from tests.conftest import ROOT
from tests.paper import page_of
from tests.pseudo import Words, plain_words, pseudo, translated
from tools import messages

VIETNAMESE = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Calls and demand"\n'
    'msgstr "Cuộc gọi"\n'
)


def speak(folder, monkeypatch, code, text):
    """The app with one further language."""
    path = folder / code / "LC_MESSAGES/dashboard.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    monkeypatch.setattr(language, "LOCALE", folder)
    monkeypatch.setitem(language.LANGUAGES, code, language.languages(folder)[code])
    language.forget()
    language.use(code)
    return code


@pytest.fixture
def own_folder(tmp_path):
    yield tmp_path / "locale"
    language.forget()
    language.use("en")


@pytest.fixture(scope="module")
def catalogues():
    """Pseudo catalogues of a language that Babel does not know and of one from right to left."""

    def made(code):
        catalog = read_po(io.BytesIO(messages.updated(code, messages.empty(code))))
        written = io.BytesIO()
        write_po(written, translated(catalog), width=0)
        return messages.updated(code, written.getvalue())

    return {code: made(code) for code in ("qps", "ar")}


@pytest.fixture(scope="module")
def city():
    return load_release(ROOT / "data_public")


@pytest.fixture(scope="module")
def given(city):
    """What the release says itself, longest first."""
    texts = {str(city.package["contributors"][0]["title"]), city.agency["contact"]}
    texts |= {part for licence in city.package["licenses"] for part in licence.values()}

    def walk(thing):
        if isinstance(thing, dict):
            texts.update([thing["en"]] if isinstance(thing.get("en"), str) else [])
            for inner in thing.values():
                walk(inner)
        elif isinstance(thing, list):
            for inner in thing:
                walk(inner)

    walk(city.package)
    for listed in city.codelists.values():
        texts |= {code.label["en"] for code in listed.codes.values()}
    for rows in city.references.values():
        texts |= {cell for name in rows for cell in rows[name] if re.search("[A-Za-z]", cell)}
    return sorted({*texts, *map(str.lower, texts)}, key=len, reverse=True)


@pytest.fixture(scope="module")
def names(city):
    """Proper names, which stay as they are in every language."""
    package = city.package
    listed = [package["contributors"][0]["title"], city.agency["contact"]]
    listed += [word for licence in package["licenses"] for word in licence.values()]
    places = city.reference("place_names")
    return listed + ([] if places is None else list(places["place"]))


def leaks(html, given, names):
    """Untranslated words of a page: in its texts, where what the release says is marked as being in
    another language, and in its tags, where nothing can be."""
    words = Words(html)
    return [w for t in words.found for w in plain_words(t, names)] + [
        w for t in words.read_aloud for w in plain_words(t, [*given, *names])
    ]


def identifiers(release):
    """Names of tables, columns and levels, as programs read them."""
    found = {"status", "calls", "all"} | {str(r["name"]) for r in release.package["resources"]}
    for table in (*release.tables.values(), *release.statistics.values()):
        found |= {
            table.measure,
            *table.levels,
            *(n for names in table.levels.values() for n in names),
        }
    for rows in release.references.values():
        found |= set(rows.columns)
    for table in release.statistics.values():
        found |= set(table.columns)
    return found


def test_the_pages(own_folder, monkeypatch, catalogues, city, given, names):
    code = speak(own_folder, monkeypatch, "qps", catalogues["qps"])
    found = {}
    for name in PAGES:
        paper = page_of(city, name, code)
        assert paper.told and paper.told.question.startswith("⟦"), name
        found[name] = set(leaks("".join(paper.body), given, names))
    words = {part for name in identifiers(city) for part in re.findall("[A-Za-z]{3,}", name)}
    left = {name: sorted(found[name] - (words if name == "data" else set())) for name in found}
    left = {name: words for name, words in left.items() if words}
    assert left == {}, left
    assert leaks("<p>Calls</p><p title='Calls'></p>", [], []) == ["Calls"] * 2


def texts_of(svg):
    return [unescape(words) for words in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_the_files(own_folder, monkeypatch, catalogues, city, given, names):
    """What is taken away: rows, picture, definitions and citation of a figure, brief, card, feed,
    calendar."""
    code = speak(own_folder, monkeypatch, "qps", catalogues["qps"])
    known = [*given, *names]
    figure = page_of(city, "times", code).found[0]
    texts = [
        *texts_of(downloads.svg(figure, city, "").decode()),
        downloads.readme(figure, city, "", date(2026, 1, 1)).split("@misc", 1)[0],
        citation.cite(figure, city, "", date(2026, 1, 1)).apa,
        *Words(brief.html_of(city, "all", "2025").decode()).found,
        *map(plain, crisis_card.steps(city)),
        *page_style.framework_words().values(),
    ]
    technical = identifiers(city) | {"data", "csv", "metadata", "json", "CSVW", "datapackage"}
    technical |= {"Data", "Package", "chart", "svg", "png", "alt", "txt", "SHA", "SUMS"}
    for text in texts:
        left = set(plain_words(re.sub(r"\(([a-z_]+),", " ", text), known)) - technical
        assert not left, (left, text)
    for made in (
        brief.pdf_of(city, "all", "2025"),
        crisis_card.pdf_of(city),
        *exports_of(figure, city),
    ):
        assert len(made) > 500
    files = feeds.files([city], lambda _code: lambda _release, page: page, "")
    atom, ics = files[f"feed-{code}.xml"].decode(), files[f"next-update-{code}.ics"].decode()
    assert f'xml:lang="{code}"' in atom
    summary = re.search(r"<summary>(.*?)</summary>", atom, re.DOTALL)[1]
    for text in (summary, ics.replace("\r\n ", "")):
        assert "⟦" in text
        assert language.unmarked(text) == text, "a program that reads it knows no such marks"


def exports_of(figure, release):
    rows = downloads.csv_bytes(figure.table)
    assert "⟦" in rows.decode("utf-8-sig").splitlines()[0], "its heads are in words"
    assert "\u2068" not in rows.decode("utf-8-sig")
    return [rows + b" " * 500, downloads.png(figure, release, "")]


def test_the_static_edition_and_the_app_around_its_pages(
    own_folder, monkeypatch, catalogues, city, given, names
):
    code = speak(own_folder, monkeypatch, "qps", catalogues["qps"])
    paper = page_of(city, "calls", code)
    folder = Folder(city, [city], own_folder / "site", code)
    monkeypatch.setattr("dashboard.site.previews.drawn", lambda release, preview: b"")
    html = _frame(folder, "calls", "calls.html", paper)
    assert html.startswith(f'<!doctype html><html lang="{code}">')
    assert set(leaks(html, given, names)) == {code.title()}, "its own name in the switch"
    assert f'<strong aria-current="true">{code.title()}</strong>' in html, "the language switch"
    first = head.written("calls", code, city, {"lang": code})
    assert f'<html lang="{code}">' in first
    assert pseudo("Co-response in numbers") in first


def test_a_language_from_right_to_left_turns_the_page(own_folder, monkeypatch, catalogues, city):
    code = speak(own_folder, monkeypatch, "ar", catalogues["ar"])
    assert language.LANGUAGES[code] == "العربية"
    paper = page_of(city, "outcomes", code)
    folder = Folder(city, [city], own_folder / "site", code)
    monkeypatch.setattr("dashboard.site.previews.drawn", lambda release, preview: b"")
    for html in (
        _frame(folder, "outcomes", "outcomes.html", paper),
        brief.html_of(city, "all", "2025").decode(),
        head.written("outcomes", code, city, {"lang": code}),
    ):
        assert '<html lang="ar" dir="rtl">' in html
    assert '<bdi lang="en" dir="ltr">' in "".join(paper.body), "English labels keep their direction"
    assert brief.pdf_of(city, "all", "2025").startswith(b"%PDF")
    language.use("es")
    assert ' dir="' not in language.of_page()


def test_every_plural_form_is_said(own_folder, monkeypatch, catalogues):
    """Arabic has six."""
    speak(own_folder, monkeypatch, "ar", catalogues["ar"])
    said = {
        language.ngettext("{count} call", "{count} calls", n)[-1] for n in (0, 1, 2, 3, 11, 100)
    }
    assert said == set("012345")
    language.use("en")
    assert language.ngettext("{count} call", "{count} calls", 1) == "{count} call"
    assert language.ngettext("{count} call", "{count} calls", 0) == "{count} calls"
    language.forget()
    monkeypatch.undo()
    language.use("es")
    assert language.ngettext("{count} call", "{count} calls", 1) == "{count} llamada"
    assert language.ngettext("{count} call", "{count} calls", 5) == "{count} llamadas"


def test_formats_fall_back(own_folder, monkeypatch, catalogues):
    """Dates of a language that nobody here knows are in figures, numbers as in the United States;
    a language may say its own name."""
    own = b'"X-Language-Name: Hmoob\\n"\n"Generated-By'
    text = catalogues["qps"].replace(b'"Generated-By', own, 1)
    assert messages.updated("qps", text) == text
    speak(own_folder, monkeypatch, "qps", text)
    assert language.LANGUAGES["qps"] == "Hmoob"
    assert language.day(date(2025, 3, 1)) == "2025-03-01"
    assert (language.month("2025-03"), language.month_in_words("2025-03")) == ("2025-03",) * 2
    assert (language.number(1234567), language.number_marks()) == ("1,234,567", {})
    assert language.pick(language.Moment({"en": "Q1 2025"}, "quarter", "2025-Q1")) == "2025-Q1"


def test_a_language_that_babel_knows(own_folder, monkeypatch, city):
    """Vietnamese with one translated message: numbers, dates and names of times in its own form."""
    code = speak(own_folder, monkeypatch, "vi", VIETNAMESE.encode())
    assert language._("Calls and demand") == "Cuộc gọi"
    assert language.number(1234567) == "1.234.567"
    assert language.number_marks()["locale"]["number"]["thousands"] == "."
    weekday, period = city.codelists["weekday"].codes, city.codelists["period"].codes
    assert language.pick(weekday["1"].label) == "Thứ Hai"
    assert language.pick(period["2025-03"].label) == "tháng 3 năm 2025"
    assert "".join(page_of(city, "calls", code).body).count('<bdi lang="en" dir="ltr">') > 10
    language.use("en")
    assert language.number(1234567) == "1,234,567"
    assert language.pick(weekday["1"].label) == "Monday"


def test_a_text_in_another_language_says_so():
    try:
        language.use("es")
        given = language.pick({"en": "Harbor & Pier"})
        assert language.unmarked(given) == "Harbor & Pier"
        assert text_html(f"En {given}.") == 'En <bdi lang="en" dir="ltr">Harbor &amp; Pier</bdi>.'
        assert '<th scope="row"><bdi lang="en" dir="ltr">Harbor' in table_html(
            ["a"], [[given]], "x"
        )
        assert language.pick({"en": "2025"}) == "2025", "a number is of no language"
        assert language.pick({"en": "a", "es": "b"}) == "b"
        assert language.without_stop(language.in_english("Team of two.")) == language.in_english(
            "Team of two"
        )
    finally:
        language.use("en")


def test_no_such_page_is_said_in_every_language():
    for code in language.LANGUAGES:
        with language.speaking(code):
            assert (
                f"<h1 {language.of_page()}>{language._('There is no such page')}" in guard.NOT_FOUND
            )


def test_the_catalogues_are_up_to_date_with_the_sources():
    assert messages.main(["--check"]) == 0, "run `make messages`"
    text = messages.path_of("es").read_bytes()
    assert messages.untranslated(text) == 0
    planted = text.replace(b'msgid "Calls and demand"', b'msgid "Nobody says this"', 1)
    mended = messages.updated("es", planted)
    assert b"Nobody says this" not in mended
    assert messages.untranslated(mended) == 1, "a new message waits for its translation"
    assert messages.updated("es", mended) == mended


@pytest.fixture(scope="module")
def of_three(tmp_path_factory):
    """The release of an agency whose texts are partly in Vietnamese too."""
    folder = tmp_path_factory.mktemp("three")
    rows = "".join(f"{n},2024-{n % 6 + 1:02d}-10 10:00,Crisis\n" for n in range(600))
    staff = "".join(f"2024-{m:02d},Officer,Oficial,Cảnh sát,3,2\n" for m in range(1, 7))
    (folder / "staff.csv").write_text("month,role,role_es,role_vi,authorized,filled\n" + staff)
    agency = write_agency(
        folder,
        "id,at,type\n" + rows,
        {
            'id = "small"\nname = "Small"\n': 'id = "small"\nlanguages = ["es", "en", "vi"]\n'
            'name = { en = "Small", es = "Chico", vi = "Nhỏ" }\n',
            '{ code = "crisis", en = "Crisis", es = "Crisis" }': '{ code = "crisis",'
            ' en = "Crisis", es = "Crisis de", vi = "Khủng hoảng" }',
        },
        '\n[inputs.staffing]\npaths = "staff.csv"\n',
    )
    assert make(agency, folder / "out", folder / "private") == 0
    return agency, load_release(folder / "out")


def test_an_agency_has_labels_in_a_third_language(own_folder, monkeypatch, of_three):
    _agency, release = of_three
    assert release.languages == ("es", "en", "vi")
    assert release.package["title"] == "Chico", "programs read the first language"
    types = release.codelists["call_type"].codes
    assert types["crisis"].label == {"es": "Crisis de", "en": "Crisis", "vi": "Khủng hoảng"}
    code = speak(own_folder, monkeypatch, "vi", VIETNAMESE.encode())
    assert language.pick(release.agency["name"]) == "Nhỏ"
    assert language.pick(types["crisis"].label) == "Khủng hoảng"
    spoken = text_html(language.pick(types["check"].label))
    assert spoken == '<bdi lang="es" dir="ltr">Control</bdi>', "the agency's first language"
    staff = release.reference("staffing").to_dict("records")
    assert {language.text(row, "role") for row in staff} == {"Cảnh sát"}
    listed = (release.folder / "codelists/call_type.csv").read_text(encoding="utf-8")
    assert listed.splitlines()[0] == "code,label_es,label_en,label_vi,parent,level,order"
    for name in ("calls", "staffing", "data", "at_a_glance"):
        assert page_of(release, name, code).told


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('vi = "Khủng hoảng"', 'fr = "Crise"', "'fr' is not a known key|fr' is not a known key"),
        ('vi = "Khủng hoảng"', "vi = 7", "has no text for 'vi'"),
        (', vi = "Nhỏ"', "", "'name' has no text for 'vi', one of 'languages'"),
        ('["es", "en", "vi"]', '["es", "vi"]', "must name en and es"),
        ('["es", "en", "vi"]', '["es", "en", "vi", "vi"]', "names a language twice"),
    ],
)
def test_a_text_in_a_language_nobody_named_is_refused(tmp_path, of_three, old, new, said):
    text = of_three[0].read_text(encoding="utf-8")
    assert old in text
    changed = tmp_path / "agency.toml"
    changed.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SchemaError, match=said):
        load(changed)


def test_a_visitor_chooses_it(own_folder, monkeypatch, catalogues):
    """In Streamlit: the whole page and the frame around it."""
    code = speak(own_folder, monkeypatch, "qps", catalogues["qps"])
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.query_params["lang"] = code
    app.switch_page("pages/outcomes.py").run()
    assert not app.exception
    said = [*app.markdown, *app.caption, *app.info, *app.selectbox, *app.button]
    texts = [getattr(each, "label", "") or str(each.value) for each in said]
    texts = [text for text in texts if text not in ("narrow", "wide", "redraw")]
    assert sum("⟦" in text for text in texts) > 20
    assert {t for t in texts if "⟦" not in t and plain_words(t, [])} <= {"English", "Español"}
