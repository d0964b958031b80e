"""Every alternative text is read: it announces the chart that is drawn, names its title and each
time once, and is written in whole sentences."""

import re
from collections import Counter

import pytest

from dashboard.figures.theme import LIGHT
from dashboard.text import language
from tests.paper import published_figures

KINDS = {
    "en": {
        "bar": "Bar chart: ",
        "dot": "Dot chart: ",
        "range": "Dot chart with likely ranges: ",
        "line": "Line chart: ",
        "map": "Map: ",
        "grid": "Grid of numbers: ",
    },
    "es": {
        "bar": "Gráfico de barras: ",
        "dot": "Gráfico de puntos: ",
        "range": "Gráfico de puntos con rangos probables: ",
        "line": "Gráfico de líneas: ",
        "map": "Mapa: ",
        "grid": "Cuadrícula de números: ",
    },
}
POINTS = {"point", "circle"}
DRAWN = {
    "bar": lambda marks: "bar" in marks and not POINTS & marks,
    "dot": lambda marks: "bar" not in marks and bool(POINTS & marks),
    "range": lambda marks: bool(POINTS & marks) and bool({"bar", "rule"} & marks),  # thin bars
    "line": lambda marks: "line" in marks,
    "map": lambda marks: "geoshape" in marks,
    "grid": lambda marks: "rect" in marks,
}
"""Whether marks of a chart are those that the text announces."""


def marks_of(spec):
    """The kinds of marks in a chart and in all its layers."""
    found = set()
    if "mark" in spec:
        found.add(spec["mark"] if isinstance(spec["mark"], str) else spec["mark"]["type"])
    for part in ("layer", "hconcat", "vconcat", "concat"):
        found |= set().union(*map(marks_of, spec.get(part, [])))
    return found | (marks_of(spec["spec"]) if "spec" in spec else set())


def kind_of(alt, code):
    """The kind that a text announces; the longest of those with which it begins."""
    found = [kind for kind, words in KINDS[code].items() if alt.startswith(words)]
    return max(found, key=lambda kind: len(KINDS[code][kind]), default=None)


def faults(alt, titles, code="en"):
    """What is wrong with the words of a chart's text, which names one of `titles`: its own, or that
    of the map whose areas it lists."""
    found = []
    if not alt.endswith((".", "?", ")")):
        found.append("does not end")
    plain = re.sub(r"\b[ap]\. ?m\.", "o'clock", alt)
    if re.search(r"[,.:;?] ?[,.:;]|\s\s|[{}*]|\bnan\b|\bNone\b", plain):
        found.append("punctuation or a piece of program")
    kind = kind_of(alt, code)
    if kind is None:
        return [*found, "no kind"]
    if kind == "grid":
        return found
    words = alt.removeprefix(KINDS[code][kind])
    title = next((t for t in titles if words.lower().startswith(t.lower())), None)
    if title is None:
        return [*found, "not its title"]
    head = title + words[len(title) :].partition(". ")[0]
    if words.count(title) > 1:
        found.append("its title twice")
    if [year for year, times in Counter(re.findall(r"\b20\d\d\b", head)).items() if times > 1]:
        found.append("a time twice")
    return found


@pytest.mark.parametrize("code", ["en", "es"])
def test_each_is_whole_and_says_nothing_twice(code):
    read = [figure for figure in published_figures(code) if figure.chart]
    assert len(read) > 80
    maps = [language.unmarked(figure.title) for figure in read if figure.map]
    wrong = {
        figure.alt: found
        for figure in read
        if (found := faults(figure.alt, [language.unmarked(figure.title), *maps], code))
    }
    assert wrong == {}


@pytest.mark.parametrize("code", ["en", "es"])
def test_what_is_announced_is_what_is_drawn(code):
    seen, wrong = Counter(), {}
    for figure in published_figures(code):
        if figure.chart:
            language.use(code)
            kind = kind_of(figure.alt, code)
            marks = marks_of(figure.chart(colours=LIGHT).to_dict())
            seen[kind] += 1
            if kind is None or not DRAWN[kind](marks):
                wrong[figure.alt[:60]] = sorted(marks)
    assert wrong == {}
    assert set(seen) == set(KINDS[code]), "each kind was read at least once"


@pytest.mark.parametrize("code", ["en", "es"])
def test_a_table_is_announced_by_its_title(code):
    tables = [figure for figure in published_figures(code) if not figure.chart]
    assert len(tables) > 10
    assert [f.alt for f in tables if f.alt != language.unmarked(f.title)] == []


@pytest.mark.parametrize(
    ("alt", "fault"),
    [
        ("Bar chart: Waits, 2025, 2025. Highest: A, 5.", "a time twice"),
        ("Bar chart: Waits in 2025, 2025. Highest: A, 5.", "a time twice"),
        ("Bar chart: Waits. Waits. Highest: A, 5.", "its title twice"),
        ("Bar chart: Waits.. Highest: A, 5.", "punctuation or a piece of program"),
        ("Bar chart: Waits, . Highest: A, 5.", "punctuation or a piece of program"),
        ("Bar chart: Waits. Highest: {label}, 5.", "punctuation or a piece of program"),
        ("Bar chart: Calls. Highest: A, 5.", "not its title"),
        ("Waits. Highest: A, 5.", "no kind"),
        ("Bar chart: Waits. Highest: A, 5", "does not end"),
    ],
)
def test_planted_faults_are_seen(alt, fault):
    assert fault in faults(alt, ["Waits"])
    assert faults("Bar chart: Waits, 2025. Highest: A, 5.", ["Waits"]) == []


def test_dots_announced_as_bars_are_seen():
    marks = marks_of({"layer": [{"mark": {"type": "rule"}}, {"mark": "point"}]})
    assert marks == {"rule", "point"}
    assert DRAWN["range"](marks)
    assert not DRAWN["bar"](marks)
    assert not DRAWN["dot"](marks_of({"layer": [{"mark": "bar"}, {"mark": "point"}]}))
    assert kind_of("Dot chart with likely ranges: A", "en") == "range"
