"""The few questions that only a person can answer, the likely answer first: an empty line takes
it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import available_timezones

from anonymize.draft.compose import Draft, Kept
from anonymize.draft.meanings import Meaning, only

Answer = Callable[[str], str]
MOST = 40
"""Values that are offered in one question."""


def ask(draft: Draft, answer: Answer) -> int:
    """Ask, and write the answers into the draft; returns how many questions were asked."""
    asked = 1
    draft.agency["name"] = answer("What is the agency called? [leave open] ").strip()
    if not draft.zone.sure:
        draft.zone = replace(
            draft.zone, name=_zone(draft.zone.name, answer), sure=True, reason="as answered"
        )
        asked += 1
    types = next((i for i, kept in enumerate(draft.kept) if "eligible" in kept.decide), None)
    if types is not None:
        draft.kept[types] = _types(draft, draft.kept[types], answer)
        asked += 1
    if "responder" in draft.meanings:
        _clinicians(draft, answer)
        asked += 1
    return asked


def _zone(likely: str, answer: Answer) -> str:
    while True:
        said = answer(f"In which time zone is the agency? [{likely}] ").strip() or likely
        if said in available_timezones():
            return said
        close = sorted(
            zone for zone in available_timezones() if said.lower().replace(" ", "_") in zone.lower()
        )
        print(
            f"'{said}' is no time zone"
            + (
                f"; is it one of {', '.join(close[:5])}?"
                if close
                else "; write one like America/Chicago"
            )
        )


def _chosen(
    question: str, values: Sequence[str], likely: Sequence[int], answer: Answer
) -> list[int]:
    """Places in `values` that a person names by number."""
    for i, value in enumerate(values):
        print(f"  {i + 1:>2} {'*' if i in likely else ' '} {value}")
    while True:
        said = answer(f"{question} Numbers, or Enter for those with * ").strip()
        if not said:
            return list(likely)
        numbers = said.replace(",", " ").split()
        if all(number.isdigit() and 1 <= int(number) <= len(values) for number in numbers):
            return [int(number) - 1 for number in numbers]
        print(f"write numbers from 1 to {len(values)}, such as 1, 3")


def _types(draft: Draft, kept: Kept, answer: Answer) -> Kept:
    """Which types of calls are kept. The rows are not read again: a type that a person adds gets a
    code from the lists, or is another type."""
    values = list(dict.fromkeys([*kept.values, *kept.others]))[:MOST]
    chosen = _chosen(
        "Which types of calls may a team be sent to?",
        values,
        [i for i, v in enumerate(values) if v in kept.values],
        answer,
    )
    texts = tuple(values[i] for i in chosen)
    if "call_type" in draft.meanings:
        draft.meanings["call_type"] = only(draft.meanings["call_type"], texts)
    return replace(kept, values=texts, decide="", reason="as answered")


def _clinicians(draft: Draft, answer: Answer) -> None:
    """Which values of the responder mean that a clinician came with an officer."""
    meanings = draft.meanings["responder"]
    values = [m.text for m in meanings.values][:MOST]
    likely = [i for i, m in enumerate(meanings.values[:MOST]) if m.code == "co_responder"]
    chosen = set(
        _chosen(
            "Which of these mean that a clinician came with an officer?", values, likely, answer
        )
    )

    def answered(i: int, m: Meaning) -> Meaning:
        if i in chosen:
            return replace(m, code="co_responder", marked=False, why="as answered")
        return replace(m, code="unknown", marked=True) if m.code == "co_responder" else m

    draft.meanings["responder"] = replace(
        meanings, values=tuple(answered(i, m) for i, m in enumerate(meanings.values))
    )
