"""Derived fields: equations that hold because one field follows from another.

A call is `served` where a clinician came, winter is December to February, and without a referral
there is no partner. Everyone knows these rules, so a count that one field withholds must not be
published by the other. Here each rule becomes equations between sums of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from anonymize.audit.ancestors import narrowest, wider
from anonymize.audit.reader import Key, Tree

Derivation = Callable[[str, Mapping[str, Tree]], str]
"""From a finest code of one dimension, the code of the other; "" where it does not follow."""

SEASONS = {
    month: season
    for season, months in {
        "winter": (12, 1, 2),
        "spring": (3, 4, 5),
        "summer": (6, 7, 8),
        "fall": (9, 10, 11),
    }.items()
    for month in months
}
TAKEN_TO_ED = ("emergency_department", "involuntary_hold")
UNKNOWN, NONE = "unknown", "none"


def _served(who: str, trees: Mapping[str, Tree]) -> str:
    reached = trees["responder"].levels.get("reached", ())
    return (
        "served" if "clinician" in reached and trees["responder"].parent[who] == "clinician" else ""
    )


def _season(month: str, _trees: Mapping[str, Tree]) -> str:
    return SEASONS[int(month.split("-")[1])]


def _fiscal_year(month: str, trees: Mapping[str, Tree]) -> str:
    """A code of a fiscal year names its first and last month: `2024-07_2025-06`."""
    for year in trees["fiscal_year"].levels.get("fiscal_year", ()):
        first, last = year.split("_")
        if first <= month <= last:
            return year
    return ""


def _taken(outcome: str, _trees: Mapping[str, Tree]) -> str:
    return (
        UNKNOWN if outcome.split(".")[0] == UNKNOWN else "yes" if outcome in TAKEN_TO_ED else "no"
    )


def _none(code: str, _trees: Mapping[str, Tree]) -> str:
    return NONE if code == NONE else ""


RULES: tuple[tuple[str, str, Derivation], ...] = (
    ("responder", "not_served_reason", _served),
    ("period", "season", _season),
    ("period", "fiscal_year", _fiscal_year),
    ("outcome", "taken_to_ed", _taken),
    ("handoff", "partner", _none),
    ("handoff", "warm", _none),
    ("partner", "warm", _none),
)


@dataclass(frozen=True)
class Equality:
    """The counts of `one` add up to those of `other`."""

    one: tuple[Key, ...]
    other: tuple[Key, ...]


def equal_counts(
    cells: Iterable[Key], trees: Mapping[str, Tree], holds: Callable[[Key], bool]
) -> list[Equality]:
    """All that the rules say about `cells` and other cells among the unknowns (`holds`)."""
    cells = list(cells)
    found: dict[Equality, None] = {}
    for source, made, code_of in RULES:
        if not (_in_use(source, trees, holds) and _in_use(made, trees, holds)):
            continue
        finest = list(trees[source].levels.values())[-1]
        by_code: dict[str, frozenset[str]] = {}
        for leaf in finest:
            by_code[code_of(leaf, trees)] = by_code.get(code_of(leaf, trees), frozenset()) | {leaf}
        by_code.pop("", None)
        rule = _Rule(
            source,
            made,
            {code: leaves for code, leaves in by_code.items() if code in trees[made].parent},
            trees,
            holds,
        )
        for key in cells:
            found |= dict.fromkeys(rule.of(key))
    return list(found)


def _in_use(name: str, trees: Mapping[str, Tree], holds: Callable[[Key], bool]) -> bool:
    return name in trees and any(
        holds(frozenset({(name, code)})) for code in list(trees[name].levels.values())[1]
    )


class _Rule:
    """A call has `made` = code exactly where its `source` is one of `by_code[code]`."""

    def __init__(
        self,
        source: str,
        made: str,
        by_code: Mapping[str, frozenset[str]],
        trees: Mapping[str, Tree],
        holds: Callable[[Key], bool],
    ) -> None:
        self.source, self.made, self.by_code, self.trees, self.holds = (
            source,
            made,
            by_code,
            trees,
            holds,
        )
        tree = trees[source]
        self.under = {level: tree.above(level) for level in tree.levels}
        self.level = {
            name: {code: level for level, codes in tree.levels.items() for code in codes}
            for name, tree in trees.items()
        }
        self.coarsest, self.told = cache(self._coarsest), cache(self._told)
        self.steps: dict[tuple[object, ...], list[tuple[int, ...]]] = {}

    def of(self, key: Key) -> list[Equality]:
        codes = dict(key)
        code, source = codes.get(self.made, ""), codes.get(self.source, "")
        rest = key - {(self.made, code), (self.source, source)}
        if code:
            return self.told(rest, code, source) if code in self.by_code else []
        return [same for one in self.by_code for same in self.told(rest, one, "")] if source else []

    def _told(self, rest: Key, code: str, source: str) -> list[Equality]:
        """As many calls in `rest` (with `source`, where given) have the code as have a source that
        gives it: for the narrowest cells above `rest` of which both are among the unknowns."""
        meant = self.coarsest(
            self.by_code[code] & self.leaves(source) if source else self.by_code[code]
        )
        mine = {(self.made, code)} | ({(self.source, source)} if source else set())

        def sides(key: Key) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
            return (key | mine,), tuple(key | {(self.source, one)} for one in meant)

        levels = (code, source, *((name, self.level[name][one]) for name, one in sorted(rest)))
        # Whether cells are among the unknowns depends on their levels alone.
        if levels not in self.steps:
            self.steps[levels] = narrowest(
                rest,
                self.trees,
                lambda wide: all(self.holds(cell) for side in sides(wide) for cell in side),
            )
        return [Equality(*sides(wider(rest, steps, self.trees))) for steps in self.steps[levels]]

    def leaves(self, code: str) -> frozenset[str]:
        above = self.under[self.level[self.source][code]]
        return frozenset(
            leaf
            for leaf in list(self.trees[self.source].levels.values())[-1]
            if above.get(leaf) == code
        )

    def _coarsest(self, meant: frozenset[str]) -> tuple[str, ...]:
        """These finest codes as few codes of the source: a parent instead of all its children."""
        found: list[str] = []
        for level, codes in self.trees[self.source].levels.items():
            for one in codes if level != "all" else ():
                leaves = self.leaves(one)
                if leaves and leaves <= meant:
                    found.append(one)
                    meant = meant - leaves
        return tuple(found)


def nobody(key: Key, trees: Mapping[str, Tree]) -> bool:
    """Do two of the codes exclude each other?"""
    codes = dict(key)
    for source, made, code_of in RULES:
        if source in codes and made in codes and codes[source] in trees[source].parent:
            tree = trees[source]
            above = tree.above(
                next(level for level, listed in tree.levels.items() if codes[source] in listed)
            )
            follows = {leaf: code_of(leaf, trees) for leaf in list(tree.levels.values())[-1]}
            possible = {code for leaf, code in follows.items() if above.get(leaf) == codes[source]}
            if codes[made] not in possible and (
                "" not in possible or codes[made] in follows.values()
            ):
                return True
    return False
