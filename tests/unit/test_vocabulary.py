"""One vocabulary (GLOSSARY.md): words that must not come back, in names, docstrings, comments and
documents.

Texts that become bytes of a release or lines on a screen are not looked at here: those have tests
of their own.
"""

import ast
import io
import re
import tokenize

import pytest

from tests.conftest import ROOT

ROOMS = (
    "anonymize",
    "dashboard",
    "pages",
    "tools",
    "co_response",
    "tests/attack",
    "tests/package",
)
"""Folders whose code keeps to it."""

NAMES = {
    r"_?(MOST|LEAST)_\w+|(?!AT_)\w+_(MOST|LEAST)": "MAX_..., MIN_...",
    r"MADE|Made|Same|same_counts": "DERIVED, Derivation, Equality, equal_counts",
    r"_?Reach|LENT|RIDE|RIDERS|CROWD|NOTHING|HUGE|FEWEST|WORTH": "SecondarySearch, SearchSettings",
    r"Region|Regions": "Subproblem, Subproblems",
    r"Told|Pen|Nobody|Some": "a noun that says what it is",
    r"_hush|thrifty|telling|lend_to|nought": "a term of the field",
}
"""Names of modules, classes, functions, arguments and variables -> what to say."""
MODULES = {
    "anonymize/protect": ("made", "moves", "pattern", "targets", "regions", "cliques"),
    "anonymize/audit": ("made", "space", "facts", "around", "intervals"),
}
WORDS = {
    r"so (many|few)\b": "this many, a number",
    r"in place of": "instead of",
    r"\bnoughts?\b": "0",
    r"\bby lot\b|\bdrawn lots?\b": "at random",
    r"what came of": "the result",
    r"\b(is|are|was|were) told\b|\btold (beside|of|besides)\b": "is published, is shown",
    r"\b(tells?|told) of counts\b": "says about counts",
    r"\bstands? (beside|behind|in (no|a|the|it)\b)": "is in, comes with",
    r"\bbeside\b": "next to, with",
    r"\bcoded anew\b": "recoded",
    r"\bmade from others\b": "derived",
    r"\bworked back\b": "worked out",
    r"which there (is|are) none": "missing",
}
"""Habits that make sentences hard -> plain words."""
WORK = {
    r"\b(first|second|third|fourth|fifth|last) session\b": "the newest figure alone",
    r"\b(we are|is|are) lent\b.*machine|machines? (that )?we\b": "the setting",
    r"\bby this team\b|\bcounted .* third time\b": "who should count",
    r"\bissues? (no\. ?)?\d+": "what is asked for",
    r"\bthe same day\b|\bearlier that day\b": "nothing",
    r"\.\./shared/[A-Z]": "a document of the project",
    r"^\W*[A-Z]{1,2}[0-9]{1,2}: ": (
        "what the rule says, without its number in a list that is not here"
    ),
}
"""Words about how, when and by whom the work was done: the project speaks of the software alone."""


def files(suffix, *folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))


def names_in(source):
    """Every name that a module gives: classes, functions, arguments, variables."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def prose_in(source):
    """Docstrings (of anything: also those behind a constant) and comments."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.lineno, node.value.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def prose_of(document):
    """A document without its examples."""
    return re.sub(r"(?ms)^ *```.*?^ *```$|^    .*?$|`[^`\n]*`", "", document)


def wrong(texts, listed, whole=False):
    """(line, what was found, what to say)"""
    for line, text in texts:
        for pattern, better in listed.items():
            found = (
                re.fullmatch(pattern, text) if whole else re.search(pattern, text, re.IGNORECASE)
            )
            if found:
                yield line, found[0], better


CODE = files(".py", *ROOMS)
DOCUMENTS = [*ROOT.glob("*.md"), *files(".md", "docs", "deploy", "examples")]


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_code_keeps_to_the_vocabulary(path):
    source = path.read_text(encoding="utf-8")
    assert list(wrong(names_in(source), NAMES, whole=True)) == []
    assert list(wrong(prose_in(source), WORDS | WORK)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_documents_keep_to_the_vocabulary(path):
    text = prose_of(path.read_text(encoding="utf-8"))
    assert list(wrong(enumerate(text.splitlines(), 1), WORDS | WORK)) == []


def test_nothing_in_the_project_tells_of_the_work():
    for path in [
        *files(".py", "anonymize", "dashboard", "pages", "co_response", "tools", "tests"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]:
        if path.name == "test_vocabulary.py":
            continue
        source = path.read_text(encoding="utf-8")
        texts = prose_in(source) if path.suffix == ".py" else enumerate(source.splitlines(), 1)
        assert list(wrong(texts, WORK)) == [], path


@pytest.mark.parametrize("folder", MODULES)
def test_modules_are_named_in_terms_of_the_field(folder):
    assert not [name for name in MODULES[folder] if (ROOT / folder / f"{name}.py").exists()]


def test_terms_of_the_glossary_are_the_ones_in_use():
    """Each term of the tables on protection and audit is used in the code or in the documents."""
    glossary = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    terms = re.findall(r"(?m)^\| ([a-z][^|]*?) \|", glossary)
    assert len(terms) > 40
    text = " ".join(
        path.read_text(encoding="utf-8")
        for path in [*CODE, *DOCUMENTS]
        if path.name != "GLOSSARY.md"
    ).lower()
    text = re.sub(r"[\s_]+", " ", text)
    for term in terms:
        options = [part.strip() for part in re.sub(r"\(.*?\)", "", term).split(",")]
        assert any(option.lower() in text for option in options), term


def test_planted_words_are_found():
    source = (
        'def _hush(MOST_X):\n    """So many are told beside it."""\n    nought = 0  # issue 27\n'
    )
    assert len(list(wrong(names_in(source), NAMES, whole=True))) == 3
    assert {found for _, found, _ in wrong(prose_in(source), WORDS | WORK)} == {
        "So many",
        "are told",
        "beside",
        "issue 27",
    }
    assert prose_of("a `so many` b\n\n    so many\n") == "a  b\n\n\n"
