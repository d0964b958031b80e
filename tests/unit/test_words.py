"""Plain words: reading grades, sentence lengths and word lists over every message, in both
languages."""

import ast
import csv
import re
import statistics
import tomllib
from datetime import date

import pytest

from anonymize.agency.codelists import built_in
from anonymize.agency.schema import TimeSpec
from anonymize.records.program_inputs import INPUTS
from dashboard.findings.answers import in_a_year
from dashboard.page.pages_list import PAGES, to_do
from dashboard.text import language
from tests.conftest import ROOT
from tests.used_messages import used_messages

GRADE = {"help": 6.0, "other": 8.0}
FERNANDEZ_HUERTA = 70.0
MAX_WORDS, MEAN_WORDS = 30, 18


def syllables(word, code):
    if code == "es":
        # Spanish: one for each group of vowels, two where a strong and an accented weak vowel meet.
        groups = re.findall(r"[aeiouáéíóúüy]+", word.lower())
        return max(
            1,
            sum(
                1 + len(re.findall(r"[aeoáéó][íú]|[íú][aeoáéó]|[aeoáéó][aeoáéó]", g))
                for g in groups
            ),
        )
    groups = len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^aeiouyl])e$|es$|ed$", "", word.lower())))
    return max(1, groups)


def sentences(text):
    """Sentences of a message as lists of words; placeholders count as one short word."""
    text = re.sub(r"\{\w+\}", "ten", text.replace("**", ""))
    parts = [
        re.findall(r"[A-Za-zÁÉÍÓÚÜÑáéíóúüñ'’-]+", part)
        for part in re.split(r"(?<=[.!?:;])\s+|\n", text)
    ]
    return [part for part in parts if part]


def whole(text):
    """A message that is a sentence, not a label."""
    return (
        text.rstrip().endswith((".", "?", "!"))
        and len(sentences(text))
        and sum(map(len, sentences(text))) >= 5
    )


def grade(texts):
    """Flesch-Kincaid grade (Kincaid and others, 1975) of all texts together."""
    words = [w for text in texts for s in sentences(text) for w in s]
    count = sum(len(sentences(text)) for text in texts)
    return (
        0.39 * len(words) / count
        + 11.8 * sum(syllables(w, "en") for w in words) / len(words)
        - 15.59
    )


def ease(texts):
    """Fernandez-Huerta (1959): 70 and more is fairly easy."""
    words = [w for text in texts for s in sentences(text) for w in s]
    count = sum(len(sentences(text)) for text in texts)
    return (
        206.84
        - 60 * sum(syllables(w, "es") for w in words) / len(words)
        - 1.02 * len(words) / count
    )


def messages_of(path):
    """Messages in one page's script."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "_"
        and isinstance(node.args[0], ast.Constant)
    ]


def said_in(code):
    """Every message that the app uses, in one language."""
    if code == "en":
        return list(used_messages())
    spanish = language.catalogue("es")
    missing = [m for m in used_messages() if m not in spanish]
    assert not missing, f"translate into Spanish first (make messages): {missing}"
    return [spanish[m] for m in used_messages()]


SCRIPTS = sorted((ROOT / "pages").glob("*.py"))


def test_the_formula_against_worked_values():
    """'The cat sat on the mat.' has 6 words, 6 syllables, 1 sentence: 0.39 * 6 + 11.8 - 15.59 =
    -1.45."""
    assert grade(["The cat sat on the mat."]) == pytest.approx(-1.45)
    assert grade(["The administration facilitates interdepartmental coordination."]) > 20
    assert ease(["El gato se va a la casa."]) > 90
    assert ease(["La administración interdepartamental responsabiliza extraordinariamente."]) < 0


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_reading_grade_of_each_page(path):
    texts = [m for m in messages_of(path) if whole(m)]
    if len(texts) >= 3:
        assert grade(texts) <= (
            GRADE["help"] if path.stem in ("at_a_glance", "get_help") else GRADE["other"]
        ), round(grade(texts), 1)
        assert ease([language.catalogue("es")[m] for m in texts]) >= FERNANDEZ_HUERTA


def test_caveats_are_easy():
    texts = []
    for path in SCRIPTS:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "caveats"
            ):
                texts += [
                    c.args[0].value
                    for c in ast.walk(node)
                    if isinstance(c, ast.Call) and isinstance(c.func, ast.Name) and c.func.id == "_"
                ]
    assert len(texts) > 40
    assert grade(texts) <= 6.0, round(grade(texts), 1)


@pytest.mark.parametrize("code", ["en", "es"])
def test_sentences_are_short(code):
    texts = [
        m if code == "en" else language.catalogue("es")[m] for m in used_messages() if whole(m)
    ]
    lengths = {len(s): " ".join(s) for text in texts for s in sentences(text)}
    most = (
        MAX_WORDS if code == "en" else MAX_WORDS + 6
    )  # the same thought takes about a fifth more words in Spanish
    assert max(lengths) <= most, lengths[max(lengths)]
    assert statistics.mean(len(s) for text in texts for s in sentences(text)) <= MEAN_WORDS


_DONE = (
    r"(?:not\s+|\w+ly\s+)?(?:\w+ed|seen|done|known|given|taken|shown|held|told|kept|made|sent|met|"
    r"found|left|withheld)"
)
PASSIVE = rf"\b(?:is|are|was|were|be|been|being)\s+{_DONE}\b"
STIFF = {
    "en": (
        rf"{PASSIVE}\s+by\b|\bit (?:is|was) (?:noted|recommended|advised)|should be noted|\bin"
        r" order to\b|\bprior to\b|\butiliz|\bpursuant\b|\bplease note\b"
    ),
    "es": (
        r"\b(?:es|son|fue|fueron|será|serán|sido|ser)\s+\w+[ai]d[oa]s?\s+por\b|cabe señalar|se"
        r" recomienda que|con el fin de|\bprevi[oa] a\b|a nivel de"
    ),
}
"""Someone who does a thing is the sentence's subject; and no words of an office."""
MAX_PASSIVE = 0.2


@pytest.mark.parametrize("code", ["en", "es"])
def test_who_does_what(code):
    """Active voice. Nothing is done 'by' someone, and few sentences leave out who does it."""
    for text in said_in(code):
        assert not re.search(STIFF[code], text, re.IGNORECASE), text
    if code == "en":
        every = [" ".join(s) for m in used_messages() if whole(m) for s in sentences(m)]
        assert sum(bool(re.search(PASSIVE, s, re.IGNORECASE)) for s in every) <= MAX_PASSIVE * len(
            every
        )


CAUSAL = (
    r"\b(reduced|reduces|prevented|prevents|caused|causes|improved|improves|saved lives|thanks"
    r" to|because of the teams?)\b"
)
BANNED = {
    "en": (
        r"committed suicide|mentally ill person|\bthe mentally ill\b|\bsuspect\b|excited"
        r" delirium|frequent flyer|\baddicts?\b|\bcrazy\b|successful suicide"
    ),
    "es": (
        r"cometió suicidio|cometer suicidio|enfermos mentales|\bsospechos|delirio"
        r" excitado|\badictos?\b|\bloc[oa]s?\b|drogadict"
    ),
}


@pytest.mark.parametrize("code", ["en", "es"])
def test_words_that_hurt_or_claim_too_much(code):
    for text in said_in(code):
        assert not re.search(BANNED[code], text, re.IGNORECASE), text
        if code == "en":
            assert not re.search(CAUSAL, text, re.IGNORECASE), text


def test_the_lists_find_what_they_are_for():
    for text in ("He committed suicide.", "A frequent flyer called."):
        assert re.search(BANNED["en"], text)
    assert re.search(CAUSAL, "Teams reduced arrests.")
    for code, text in (
        ("en", "Calls are checked by a clinician."),
        ("en", "It is recommended to call."),
        ("es", "Las llamadas son revisadas por agentes."),
    ):
        assert re.search(STIFF[code], text, re.IGNORECASE)
    assert re.search(BANNED["es"], "los enfermos mentales")


def test_no_message_names_a_method_or_place_of_self_harm():
    for message in used_messages():
        assert not re.search(
            r"\b(hang|hanging|overdosed on|jump(ed)? (from|off)|gunshot|bridge)\b",
            message,
            re.IGNORECASE,
        ), message


ONE_WORD = {
    r"\bgráficas?\b|\bfiguras?\b": "gráfico",
    r"\breferencias?\b|\breferid[ao]s?\b": "remisión",
    r"\bretenci(?:ón|ones) involuntaria|(?:atención|llevad[ao]s?) sin consentimiento": (
        "traslado involuntario"
    ),
    r"\breserv(?:ad|an?\b)|se ocult[ae]": "no publicado",
    r"\belegibles?\b": "que cumple los criterios",
    r"\bresidentes\b": "habitantes",
    r"\blesionad[ao]s?\b": "con lesiones",
    r"\bperíodo": "periodo",
    r"\bhalla?(?:r|ó|aron)\b": "encontrar",
    r"(?<!tenía )\braz(?:ón|ones)\b": "motivo, or causa",
    r"\breporteros?\b": "periodista",
    r"(?:valor(?:es)?|espera) (?:del )?medi[oa]\b": "valor central (mediana)",
    r"\b(trimestre|mes|año) a \1\b": "trimestre por trimestre",
    r"en cerca de": "en unos",
    r"[Hh]oras con personal\b": "horas cubiertas",
    r"se atendió a la persona": "la persona participó",
    r"suma de comprobación": "suma de control",
    r"\bun hueco\b|\bhuecos\b|\bbrechas?\b": "donde falta",
    r"\bcuadro de números\b": "cuadrícula",
    r"\bproporci(?:ón|ones)\b": "porcentaje",
    r"\bcasualidad\b": "azar",
    r"(?:necesit\w+|[Ff]ue a|llevad[ao] a|en) emergencias": "sala de emergencias",
}
"""Spanish: a second word for a thing that has one -> the one."""
CALQUES = {
    r"\bestá reservado\b": "is booked",
    r"\bpapeles\b": "papers of an immigrant",
    r"\ben breve\b": "soon",
    r"\bseñalar a una persona\b": "to point a finger at someone",
    r"\bllega a apoyar|\brelojes?\b|\bno urgente\b|\bdinero en mano\b": "English, word by word",
    r"\bcambia de \{low\} a \{high\}": "changes from one to the other, not: differs by",
    r"(?:puestos|[Cc]línicos).{0,20}\bocupados\b": "busy",
    r"^(?:Asiátic|Negr|Blanc|Hispan|Indígen)[ao]\b": "a color, or nobody: say 'personas'",
}
"""Spanish: what a word-by-word translation says to a reader -> what it is taken for."""
TIMES = r"\d %|\d\d:\d\d"
BRITISH = (
    r"\b(?:neighbour|colour|behaviour|centre|programme|licence|cancelled|labelled|travelled|"
    r"whilst|towards|organis|recognis|judgement|learnt|enquir)|per cent\b|town and country|"
    r"\bposts (?:filled|in the budget|for)"
)


def written(value, code):
    """Every text of a language within a TOML file."""
    if isinstance(value, dict):
        own = [value[code]] if isinstance(value.get(code), str) else []
        return own + [w for key, v in value.items() if key != code for w in written(v, code)]
    return [w for v in value for w in written(v, code)] if isinstance(value, list) else []


def labels(code):
    """Labels of the program's own code lists and inputs, and all texts of the agency files and
    lists that come with it."""
    lists = built_in(TimeSpec(timestamp=("time",)), date(2025, 1, 1), date(2025, 1, 1))
    found = [put.title.of(code) for put in INPUTS.values()]
    for listed in lists.values():
        found += [listed.name.of(code), *(node.label.of(code) for node in listed.nodes)]
    files = [ROOT / "anonymize/draft/data/values.toml", ROOT / "examples/example_city/agency.toml"]
    if code == "es":
        files += sorted((ROOT / "examples").glob("*.toml"))
    for file in files:
        found += written(tomllib.loads(file.read_text()), code)
    for file in sorted((ROOT / "examples/example_city/lists").glob("*.csv")):
        with file.open(newline="") as rows:
            for row in csv.DictReader(rows):
                found += [
                    text
                    for key, text in row.items()
                    if key.endswith("_es") == (code == "es") and text
                ]
    return found


def test_one_word_for_one_thing_in_spanish():
    texts = [*said_in("es"), *labels("es")]
    assert len(texts) > 1500
    assert not [
        (text, word) for text in texts for other, word in ONE_WORD.items() if re.search(other, text)
    ]


def test_spanish_is_not_english_word_by_word():
    assert not [
        (text, heard)
        for text in [*said_in("es"), *labels("es")]
        for calque, heard in CALQUES.items()
        if re.search(calque, text)
    ]


def test_what_a_clinician_reached_has_one_word():
    """Calls that a clinician reached: 'atendió'; calls where a clinician came: 'acudió'."""
    spoken = language.catalogue("es")
    reached = [m for m in used_messages() if "clinician reached" in m]
    came = [m for m in used_messages() if "clinician came" in m]
    assert len(reached) > 20
    assert len(came) > 10
    assert not [m for m in reached if not re.search("atend|atiend", spoken[m])]
    assert not [m for m in reached if "acudió un" in spoken[m] and "came" not in m]
    assert not [m for m in came if not re.search("acudi(?:ó|do)", spoken[m], re.IGNORECASE)]


def test_quotation_marks_are_the_same_everywhere_in_spanish():
    """«So», also around codes. An apostrophe that is spoken of, and a citation, keep theirs."""
    for message in used_messages():
        text = language.catalogue("es")[message].replace("(')", "")
        if "accessed {seen}" not in message:
            assert not re.search(r"['\"“”‘’]", text), text
            assert text.count("«") == text.count("»"), text


def test_words_and_times_of_the_united_states():
    for code, never in (("en", f"{TIMES}|{BRITISH}"), ("es", TIMES)):
        texts = [re.sub(r"\{\w+\}|https?:\S+", "", t) for t in [*said_in(code), *labels(code)]]
        assert not [text for text in texts if re.search(never, text)]


def test_the_lists_of_words_find_what_they_are_for():
    for lists, text in (
        (ONE_WORD, "Remisiones y referencias"),
        (ONE_WORD, "trimestre a trimestre"),
        (ONE_WORD, "los valores del medio"),
        (ONE_WORD, "Si los equipos son la razón."),
        (ONE_WORD, "Fue a emergencias"),
        (CALQUES, "El trimestre en breve"),
        (CALQUES, "Negra"),
        (CALQUES, "la espera cambia de {low} a {high} minutos"),
    ):
        assert any(re.search(pattern, text) for pattern in lists), text
    assert not any(re.search(pattern, "Personas negras") for pattern in CALQUES)
    for text in ("its 95 % interval", "Call cancelled", "from 07:00", "posts filled"):
        assert re.search(f"{TIMES}|{BRITISH}", text), text


ACRONYMS = {
    "UTF",
    "WCAG",
    "CSV",
    "PNG",
    "SVG",
    "JSON",
    "PDF",
    "HTML",
    "APA",
    "CC0",
    "SHA",
    "AYUDA",
    "FILES",
    "NOTE",
    "RELEASE",
    "HOW",
    "TO",
    "CITE",
    "WHAT",
    "IS",
    "COUNTED",
    "WITHHELD",
    "MISSING",
    "TOML",
}


def test_acronyms_are_known_or_spelled_out():
    for message in used_messages():
        unknown = set(re.findall(r"\b[A-Z]{3,}\b", message)) - ACRONYMS
        assert not unknown, (unknown, message)


def test_a_share_as_one_of_few():
    """The nearest fraction of tenths or coarser; none where it would say nothing."""
    language.use("en")
    assert [language.about(share) for share in (0.19, 0.5, 0.66, 0.74, 0.9)] == [
        "about 1 in 5",
        "about 1 in 2",
        "about 2 in 3",
        "about 3 in 4",
        "about 9 in 10",
    ]
    # Six in a hundred are not about one in ten, nor are 94 about nine in ten.
    assert [language.about(share) for share in (0.01, 0.06, 0.94, 0.99)] == [""] * 4
    for step in range(9, 92):
        n, d = map(int, re.findall(r"\d+", language.about(step / 100)))
        assert abs(n / d - step / 100) <= 0.15 * min(step, 100 - step) / 100


@pytest.mark.parametrize("code", ["en", "es"])
def test_each_page_says_what_a_reader_can_do(code, monkeypatch):
    """An action is stated; no two pages ask for the same."""
    monkeypatch.setattr(language, "current", lambda: code)
    said = [to_do(page) for page in PAGES]
    assert len(set(said)) == len(PAGES)
    assert all(4 <= len(words.split()) <= 20 for words in said), said
    assert ("Save" in to_do("get-help")) == (code == "en")


def test_calls_of_a_year_are_told_by_the_day_only_where_there_are_enough():
    language.use("en")
    assert in_a_year("2017", 37) == "In 2017, 37 calls came in."
    assert in_a_year("2024", 365) == "In 2024, 365 calls came in."
    assert in_a_year("2025", 365) == "In 2025, 365 calls came in, about 1 a day."


def test_no_line_break_takes_a_time_of_day_apart():
    assert language.unbroken("de 7 a. m. a 3 p. m.") == "de 7\u00a0a.\u00a0m. a 3\u00a0p.\u00a0m."
    assert language.unbroken("7 a.m. to 3 a.m.") == "7\u00a0a.m. to 3\u00a0a.m."
    language.use("es")
    try:
        assert [language.clock(hour) for hour in (7, 21)] == ["7 a.\u00a0m.", "9 p.\u00a0m."]
    finally:
        language.use("en")
