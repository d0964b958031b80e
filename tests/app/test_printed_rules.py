"""The rules that the site and the documents print are the code's rules, and a contact is one
thing."""

import ast
import re

import pytest

from anonymize.agency.codelists import ROOT as ALL
from anonymize.count import comparisons as made
from dashboard.findings import comparisons, program
from dashboard.findings.comparisons import (
    APART,
    CANNOT_TELL,
    FEWER,
    MORE,
    NO_CLEAR,
    REACHED,
    RULES,
    power,
    rule_words,
)
from dashboard.numbers import measures
from dashboard.numbers.year_trend import MIN_YEARS
from dashboard.release.reader import StatisticTable, load_release
from dashboard.text import language
from dashboard.text.glossary import words
from tests.builds import test_comparisons
from tests.conftest import ROOT
from tests.paper import page_of
from tests.used_messages import used_messages

DOCUMENT = (ROOT / "docs/comparisons.md").read_text(encoding="utf-8")


def section(name):
    return DOCUMENT.split(f"\n## {name}\n")[1].split("\n## ")[0]


def test_each_printed_rule_decides_in_its_place():
    """For each rule a comparison that it fits and none before it does."""
    language.use("en")
    found = [
        test_comparisons.made(recorded=0, weekday_low=1, design={"contrast": REACHED}),
        test_comparisons.made(weekday_low=1, design={"contrast": REACHED}),
        test_comparisons.made(design={"contrast": REACHED}),
        test_comparisons.made(),
        test_comparisons.made(high=10),
    ]
    verdicts = [CANNOT_TELL, CANNOT_TELL, CANNOT_TELL, FEWER, NO_CLEAR]
    assert len(RULES) == len(rule_words()) == len(found)
    for place, (comparison, verdict) in enumerate(zip(found, verdicts, strict=True)):
        fits = [rule(comparison) for rule, _decide in RULES]
        assert fits.index(True) == place
        assert comparison.verdict == verdict
        shown = comparisons.verdict_words(comparison)
        said = rule_words()[place]
        assert said.startswith(f"'{shown.removesuffix(' arrests')}'"), (shown, said)
    assert test_comparisons.made(low=10, high=20).verdict == MORE


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_page_prints_the_rules_in_their_order(code):
    release = load_release(ROOT / "data_public")
    body = "".join(page_of(release, "how_we_compare", code).body)
    body = body.replace("&#x27;", "'").replace("&#39;", "'")
    language.use(code)
    places = [body.index(rule) for rule in rule_words()]
    assert places == sorted(places)
    language.use("en")


def test_numbers_on_the_page_are_those_of_the_code():
    language.use("en")
    release = load_release(ROOT / "data_public")
    body = "".join(page_of(release, "how_we_compare").body)
    missing = rule_words()[0]
    assert f"fewer than {10 * made.RECORDED:.0f} in 10 outcomes" in missing
    assert f"fewer than {10 * made.REASONED:.0f} in 10 calls without a team" in missing
    assert f"{100 * (1 - made.ERROR / made.LOOKS):.0f} times in 100" in body
    assert f"in 1 of {1 / made.ERROR:.0f} cities" in body
    assert f"We make {made.LOOKS} such comparisons" in body
    assert f"For repeat calls, {made.REPEAT_DAYS} days" in body
    assert made.NO_TEAM == comparisons.NO_TEAM
    methods = "".join(page_of(release, "methods").body)
    assert MIN_YEARS == 3 and "over three whole years or more" in methods


def test_numbers_in_the_document_are_those_of_the_code():
    verdict, trial = section("The verdict"), section("The target trial")
    rules = re.findall(r"(?m)^\d\. \*(.+?)\*", verdict)
    assert [rule.split(" ...")[0] for rule in rules] == [
        "We cannot tell",
        "We cannot tell",
        "We cannot tell",
        "Associated with fewer",
        "No clear difference",
    ]
    assert len(rules) == len(RULES)
    assert made.RECORDED == 0.9 and "fewer than nine in ten outcomes" in verdict
    assert made.REASONED == 0.8 and "fewer than eight in ten eligible calls" in verdict
    assert made.NEGLIGIBLE == 0.01 and "more than one in a hundred" in verdict
    assert f"{power(0.99):.2f} half widths of a 99 % interval" in verdict
    assert f"{power(0.975):.2f} of one of 97.5 %" in verdict
    assert made.ERROR / made.LOOKS == 0.01 and "| 99 %, with the variance by person" in trial
    assert made.APART == APART and made.ERROR / len(made.APART) == 0.025 and "97.5 %" in trial
    assert f"{made.REPEAT_DAYS} days" in trial


def test_the_target_trial_has_all_its_parts():
    """Hernan and Robins 2016, table 1, and the code's strata."""
    trial = section("The target trial")
    parts = [row.split("|")[1].strip() for row in trial.splitlines() if row.startswith("| ")]
    for part in (
        "Who is eligible",
        "What is assigned",
        "Start",
        "Follow-up",
        "Outcome",
        "Contrast",
        "Assumptions",
    ):
        assert part in parts
    strata = next(row for row in trial.splitlines() if row.startswith("| Strata"))
    named = {
        "period": "year",
        "initial_type": "type at first",
        "call_type": "final type",
        "area": "areas",
        "hour": "four hours",
        "weekday": "working day or weekend",
        "priority": "priority",
        "weapon_reported": "weapon reported",
    }
    assert tuple(named) == made.ALIKE
    assert all(words in strata for words in named.values())
    outcome = next(row for row in trial.splitlines() if row.startswith("| Outcome"))
    compared = {
        "arrest": "arrest (where it is known, without those that the law required)",
        "force_used": "force",
        "repeat_90": f"another call by the same person within {made.REPEAT_DAYS} days",
        "officer_minutes": "the officer's minutes on scene (none where no officer came)",
        "wait": "minutes from call to arrival",
    }
    assert tuple(compared) == tuple(made.OUTCOMES)[: made.LOOKS]
    apart = {
        "restrained": "handcuffs or another restraint",
        "hold": "an involuntary hold as the end of the call",
    }
    assert tuple(apart) == made.APART == tuple(made.OUTCOMES)[made.LOOKS :]
    assert all(words in outcome for words in (*compared.values(), *apart.values()))


def test_checks_stand_next_to_the_result(monkeypatch):
    """Both negative controls are with each comparison, whatever they show; one that fails turns the
    verdict."""
    language.use("en")
    release = load_release(ROOT / "data_public")
    shown = next(f for f in page_of(release, "safety").found if "compare-arrest" in f.file)
    assert shown.note.count("A check that holds: ") == 2 and "Associated with" in shown.note
    kept = StatisticTable.cell

    def failing(self, codes):
        found = kept(self, codes)
        return found | {"queue_low": 5} if found and "queue_low" in found else found

    monkeypatch.setattr(StatisticTable, "cell", failing)
    shown = next(f for f in page_of(release, "safety").found if "compare-arrest" in f.file)
    assert shown.note.startswith("**We cannot tell.**")
    assert "A check that fails: the wait before anyone is sent" in shown.note
    assert "A check that holds: the share of calls on a Monday or Tuesday" in shown.note


CONTACT = re.compile(r"(?<!\{)\bcontacts?\b(?!\})", re.IGNORECASE)
OF_ANOTHER_CITY = "Seattle has counted force"


def says_contact(messages):
    return {m for m in messages if CONTACT.search(m) and not m.startswith(OF_ANOTHER_CITY)}


def test_a_contact_is_one_thing():
    """Each message that says "contact" stands in a module that divides by `contacts_of`, or defines
    it in the glossary's words; measures that divide by contacts have that base."""
    language.use("en")
    meaning = words()["Contact"]
    assert "a clinician came" in meaning and "took part" in meaning
    defining = {"dashboard/text/glossary.py", "dashboard/numbers/measures.py"}
    for path in [*(ROOT / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "_"
            and isinstance(node.args[0], ast.Constant)
        }
        if says_contact(said) and str(path.relative_to(ROOT)) not in defining:
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert names & {"contacts_of", "costs_of_contacts"}, path
    for message in says_contact(used_messages()):
        if re.search(r"contacts?(:| is) ", message, re.IGNORECASE):
            assert "a clinician came and the person took part" in message
    for measure in measures.measures():
        assert not CONTACT.search(f"{measure.plain} {measure.counted}") or measure.name == "cost"
        if CONTACT.search(measure.out_of):
            assert measure.name in ("cost", "reviews"), measure.name


def test_the_base_of_a_contact_is_its_meaning():
    release = load_release(ROOT / "data_public")
    table = release.find("responder", "period", "outcome")
    at = {"period": "2025"}
    met = table.cell({**at, "responder": "clinician", "outcome": "met"})[0]
    assert program.contacts_of(release, "2025") == met
    for other in ({"responder": "clinician"}, {"outcome": "met"}, {"responder": ALL}):
        assert table.cell({**at, **other})[0] != met


def test_another_meaning_is_found():
    assert says_contact({"Contact made", "Questions: {contact}.", "Per 1,000 contacts"}) == {
        "Contact made",
        "Per 1,000 contacts",
    }
