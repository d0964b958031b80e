"""The app's reader, words, figures and views, without a browser."""

import ast
import csv
import io
import json
import re
import shutil
import string
import tomllib
from dataclasses import replace

import pytest
from scipy.stats import binomtest, chi2

from anonymize.agency.schema import CATEGORY_FIELDS, FLAG_FIELDS, KEY_FIELDS, TIME_FIELDS
from dashboard.export.downloads import csv_bytes, file_name, harmless
from dashboard.figures.suppression_example import COUNTS, SECOND, toy_tables
from dashboard.figures.theme import BAR, DARK, LIGHT, contrast, ink_on
from dashboard.findings.program import events
from dashboard.numbers import stats
from dashboard.numbers.cells import along, mix_of, points_frame, shares_of
from dashboard.page.page import field_name
from dashboard.page.standard_texts import refusal
from dashboard.page.surface import escape
from dashboard.release.reader import ReleaseRefused, load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import page_of, published_figures
from tests.used_messages import used_messages


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "data_public", tmp_path / "release")
    return tmp_path / "release"


def edit(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: shutil.rmtree(f), "missing"),
        (lambda f: (f / "datapackage.json").write_text("{"), "unreadable"),
        (lambda f: (f / "audit.json").unlink(), "no_audit"),
        (lambda f: (f / "audit.json").write_text("[]"), "no_audit"),
        (lambda f: edit(f / "audit.json", lambda a: a.update(passed=False)), "failed"),
        (lambda f: edit(f / "audit.json", lambda a: a.update(passed="yes")), "failed"),
        (lambda f: edit(f / "datapackage.json", lambda p: p.update(title="Another")), "changed"),
        (
            lambda f: (f / "tables/outcomes.csv").write_text(
                (f / "tables/outcomes.csv").read_text() + "\n"
            ),
            "changed",
        ),
        (lambda f: (f / "tables/outcomes.csv").unlink(), "changed"),
    ],
)
def test_a_spoiled_release_is_refused(copy, spoil, reason):
    load_release(copy)
    spoil(copy)
    with pytest.raises(ReleaseRefused) as refused:
        load_release(copy)
    assert refused.value.reason == reason
    assert refusal(reason).endswith(".")


def test_views_show_what_the_release_says():
    release = load_release(ROOT / "data_public")
    table = release.tables["calls_by_quarter_area_type"]
    with (ROOT / "data_public/tables/calls_by_quarter_area_type.csv").open(newline="") as handle:
        rows = {
            (r["period"], r["area"], r["call_type"]): (r["calls"], r["status"])
            for r in csv.DictReader(handle)
        }
    for area in ("all", "harbor", "north_hills"):
        for point in along(
            release, table, "period", "quarter", {"area": area, "call_type": "substance_use"}
        ):
            value, status = rows[point.code, area, "substance_use"]
            assert (point.value, point.status) == (int(value) if value else None, status)
    assert any(status == "suppressed" for _value, status in rows.values())


def test_calls_over_time_stand_at_the_finest_level_published():
    release = load_release(ROOT / "data_public")
    assert release.find("period").finest("period") == "month"
    months = len(release.codelists["period"].at("month"))
    for page in ("at_a_glance", "calls"):
        figure = next(
            f for f in page_of(release, page).found if f.title.startswith("Calls over time")
        )
        assert len(figure.table) == months == 24


def test_letters_in_a_note_stand_on_the_chart():
    release = load_release(ROOT / "data_public")
    lettered = 0
    for figure in published_figures():
        letters = re.findall(r"\*\*([A-Z])\*\* ", figure.note)
        if letters:
            lettered += 1
            drawn = json.dumps(figure.draw(colours=LIGHT).to_dict()["datasets"])
            assert (
                sorted(re.findall(r'"letter": "([A-Z])(?: [a-z ]+)?"', drawn))[: len(letters)]
                == letters
            ), figure.title
    assert lettered == 6
    assert events(release, ["2024", "2025"]) == []


def test_withheld_is_never_a_zero():
    release = load_release(ROOT / "data_public")
    table = release.tables["calls_by_quarter_area_type"]
    language.use("en")
    points = along(
        release, table, "period", "quarter", {"area": "north_hills", "call_type": "disturbance"}
    )
    hidden = [p for p in points if p.status == "suppressed"]
    assert hidden
    assert all(p.value is None and p.shown == "withheld" for p in hidden)
    assert points_frame(points)["value"].isna().sum() == len(hidden)


def test_shares_come_from_two_published_counts():
    release = load_release(ROOT / "data_public")
    covered = release.find("area", "responder", where={"eligible": "yes"})
    shares = shares_of(
        release, covered, "area", "beat", {"responder": "clinician"}, {"period": "2025"}
    )
    for share in shares:
        if (
            share.part.status != "published"
            or share.whole.status != "published"
            or share.whole.value < 30
        ):
            assert share.share is None
        else:
            assert share.share == share.part.value / share.whole.value
    assert any(s.share is None for s in shares)
    mix = mix_of(release, release.find("outcome"), "outcome", "outcome", {})
    assert sum(s.part.value for s in mix) == mix[0].whole.value


@pytest.mark.parametrize(
    ("part", "whole"),
    [(0, 30), (1, 30), (15, 30), (30, 30), (81, 263), (15, 148), (0, 20), (1, 29)],
)
def test_wilson_against_scipy(part, whole):
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    assert stats.wilson(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    "count", [0, 1, 2, 3, 5, 10, 29, 30, 100, 999, 1_000, 9_878, 39_935, 250_000]
)
def test_exact_intervals_of_counts_against_scipy(count):
    low, high = stats.poisson(count)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * count) / 2 if count else 0.0, rel=1e-10)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-10)


def test_newcombe_worked_example():
    """Newcombe 1998 (Statistics in Medicine 17: 873-890), table II, method 10: 56/70 - 48/80 is
    0.0524 to 0.3339."""
    assert stats.shares_differ(56, 70, 48, 80)
    assert not stats.shares_differ(9, 10, 7, 10)  # 0.2, interval -0.1425? to 0.5090 holds zero


def test_no_message_hides_in_an_f_string():
    """Babel cannot see into f-strings, so a message there would stay English without anyone
    noticing."""
    for folder in ("dashboard", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            for outer in ast.walk(ast.parse(path.read_text())):
                if isinstance(outer, ast.JoinedStr):
                    calls = [
                        n
                        for n in ast.walk(outer)
                        if isinstance(n, ast.Call)
                        and isinstance(n.func, ast.Name)
                        and n.func.id == "_"
                    ]
                    assert not calls, f"{path}:{outer.lineno}"


def test_spanish_is_complete():
    spanish = language.catalogue("es")
    messages = used_messages()
    assert len(messages) > 150
    assert messages - set(spanish) == set()
    assert set(spanish) - messages == set(), "messages no longer used"


def test_placeholders_agree():
    def fields(text):
        return sorted(name for _t, name, _f, _c in string.Formatter().parse(text) if name)

    for english, spanish in language.catalogue("es").items():
        assert fields(english) == fields(spanish), english


def test_labels_of_the_example_city_are_bilingual():
    release = load_release(ROOT / "data_public")
    for codelist in release.codelists.values():
        for code in codelist.codes.values():
            assert code.label["en"], code
            assert code.label["es"], code


@pytest.mark.parametrize(
    "banned",
    ["committed suicide", "mentally ill person", "excited delirium", "frequent flyer", "suspect"],
)
def test_banned_words(banned):
    for message in used_messages():
        assert banned not in message.lower()


def test_no_causal_claims():
    for message in used_messages():
        assert not re.search(r"\b(reduced|prevented|improved)\b", message), message


def test_letters_on_every_class_can_be_read():
    """Text against its own cell, not against the page; and a drawn picture can change over: no
    colour stands for two."""
    for colours in (LIGHT, DARK):
        for rank, ground in enumerate(colours.classes):
            assert contrast(ink_on(colours, rank), ground) >= 4.5, (ground, rank)
        for letters in (colours.ink, colours.quiet):
            assert contrast(letters, colours.ribbon) >= 4.5
        assert contrast(colours.mark, colours.track) >= 3
    assert contrast(BAR, "#ffffff") >= 4.5
    assert len({LIGHT.ink, LIGHT.on_pale, LIGHT.on_strong, LIGHT.background, *LIGHT.classes}) == 9


def test_numbers_by_language():
    language.use("es")
    assert (language.number(12345), language.percent(0.5)) == (
        "12,345",
        "50%",
    )  # as Spanish is written in the United States
    language.use("en")
    assert (language.number(12345), language.percent(0.5)) == ("12,345", "50%")


def test_contrast_of_the_palettes():
    for colours in (LIGHT, DARK):
        for text in (colours.ink, colours.quiet):
            assert contrast(text, colours.background) >= 4.5
        for mark in (colours.mark, colours.accent, colours.outline):
            assert contrast(mark, colours.background) >= 3
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_labels_cannot_become_markup_or_formulas():
    assert escape("<b>*x*</b> [a](b)") == r"\<b\>\*x\*\</b\> \[a\]\(b\)"
    assert harmless("=1+1") == "'=1+1"
    assert harmless("Old Town") == "Old Town"
    assert harmless(-5) == -5
    assert file_name("Calls", "../x", "2025") == "calls-..-x-2025.csv"


def test_csv_reads_back():
    release = load_release(ROOT / "data_public")
    points = along(release, release.tables["calls_by_quarter_area_type"], "area", "district", {})
    text = csv_bytes(points_frame(points)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(r["value"]) for r in rows] == [p.value for p in points]


def test_toy_example_protects(tmp_path):
    """The worked example on the methods page is itself put to the audit."""
    from anonymize.audit import audit_release
    from tests.helpers import Spec, flat, write_release

    assert [table.iloc[0, 0] for table in toy_tables(11)] == ["District A"] * 3
    dims = (flat("area", "a", "b", "c"), flat("kind", "x", "y"))
    leaves = {
        (area, kind): COUNTS[i][j] for i, area in enumerate("abc") for j, kind in enumerate("xy")
    }
    hidden = {("abc"[i], "xy"[j]) for i, j in SECOND}
    spec = Spec(
        "t",
        {"area": ["all", "one"], "kind": ["all", "one"]},
        lambda c, v: (c["area"], c["kind"]) in hidden,
    )
    assert audit_release(write_release(tmp_path / "both", 11, dims, leaves, [spec])).passed
    spec.hidden = lambda c, v: (c["area"], c["kind"]) == ("a", "x")
    assert not audit_release(write_release(tmp_path / "first", 11, dims, leaves, [spec])).passed


def test_a_missing_or_stale_translation_is_found(monkeypatch):
    """Planted: one key less, and one too many."""
    spanish = dict(language.catalogue("es"))
    spanish.pop("Calls")
    monkeypatch.setattr(language, "catalogue", lambda code: spanish)
    with pytest.raises(AssertionError):
        test_spanish_is_complete()
    spanish |= {"Calls": "Llamadas", "Nobody says this any more.": "Ya nadie dice esto."}
    with pytest.raises(AssertionError, match="no longer used"):
        test_spanish_is_complete()


def test_a_third_language_is_one_catalogue_file(tmp_path):
    for code in ("es", "vi"):
        (tmp_path / code / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / code / "LC_MESSAGES/dashboard.po").write_text("")
    assert language.languages(tmp_path) == {"en": "English", "es": "Español", "vi": "Tiếng Việt"}
    assert language.LANGUAGES.items() >= {"en": "English", "es": "Español"}.items()


def test_colours_stand_in_one_place():
    """Streamlit wants its theme in a file of its own: it says the same as `theme.py`."""
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        given = theme[name]
        assert (given["backgroundColor"], given["textColor"]) == (colours.background, colours.ink)
        assert (given["secondaryBackgroundColor"], given["linkColor"]) == (
            colours.panel,
            colours.link,
        )
        for ground in (colours.background, colours.panel):
            for words in (colours.ink, colours.link, colours.quiet):
                assert contrast(words, ground) >= 4.5
        assert contrast(given["borderColor"], colours.background) >= 3
    assert contrast("#8a8a8a", "#ffffff") < 4.5, "a planted faint grey is found"


@pytest.mark.parametrize("code", ["en", "es"])
def test_every_field_has_a_name_in_the_readers_words(code):
    """Also where the release has no codes of it, as with Seattle's use of force."""
    bare = replace(load_release(ROOT / "data_public"), codelists={})
    language.use(code)
    try:
        for name in (*CATEGORY_FIELDS, *FLAG_FIELDS, *TIME_FIELDS, *KEY_FIELDS):
            said = field_name(bare, name)
            assert said != name.replace("_", " "), name
            assert code == "en" or said not in used_messages(), said
    finally:
        language.use("en")
