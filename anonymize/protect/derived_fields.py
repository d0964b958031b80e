"""Derived fields: which sums of joint leaves are equal because one field follows from another.

A call is `served` where a clinician came, its season follows from its month, and without a
referral it has no partner. So "served in the north" and "a clinician came in the north" are one
count, though no table joins the two fields: where one is withheld, the other must be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from anonymize.agency.codelists import SEASONS, TAKEN_TO_ED, UNKNOWN, Codelist, fiscal_year_of
from anonymize.protect.junction_tree import Clique


def _served(leaf: str, lists: Mapping[str, Codelist]) -> str | None:
    return (
        "served"
        if "reached" in lists["responder"].levels
        and lists["responder"].by_code[leaf].parent == "clinician"
        else None
    )


def _season(leaf: str, lists: Mapping[str, Codelist]) -> str | None:
    return next(code for code, months in SEASONS.items() if int(leaf[-2:]) in months)


def _fiscal_year(leaf: str, lists: Mapping[str, Codelist]) -> str | None:
    return fiscal_year_of(leaf, lists["fiscal_year"].codes_at("fiscal_year"))


def _taken_to_ed(leaf: str, lists: Mapping[str, Codelist]) -> str | None:
    return (
        UNKNOWN if leaf == lists["outcome"].unknown_leaf else "yes" if leaf in TAKEN_TO_ED else "no"
    )


def _none(leaf: str, lists: Mapping[str, Codelist]) -> str | None:
    return "none" if leaf == "none" else None


DERIVED: Mapping[tuple[str, str], Callable[[str, Mapping[str, Codelist]], str | None]] = {
    ("responder", "not_served_reason"): _served,
    ("period", "season"): _season,
    ("period", "fiscal_year"): _fiscal_year,
    ("outcome", "taken_to_ed"): _taken_to_ed,
    ("handoff", "partner"): _none,
    ("handoff", "warm"): _none,
    ("partner", "warm"): _none,
}
"""(source, derived field) -> the code that a finest code of the source gives it; None where it
decides nothing."""


@dataclass(frozen=True)
class Link:
    """An equation between two cliques: in each cell of `shared` (dimension -> level), as many
    calls have one of `codes` in clique `one` as have `made` in clique `other`.

    Where both are the same clique, no call has the one without the other.
    """

    one: int
    other: int
    shared: Mapping[str, str]
    source: tuple[str, frozenset[str]]
    made: tuple[str, str]


def links(cliques: Sequence[Clique], codelists: Mapping[str, Codelist]) -> list[Link]:
    """What the rules say about the cliques' leaves, once for everything that two cliques share."""
    found = []
    for (source, made), code_of in DERIVED.items():
        ones, others = (
            {i for i, clique in enumerate(cliques) if name in clique.levels}
            for name in (source, made)
        )
        ends: dict[tuple[int, int], dict[str, str]] = {(i, i): {} for i in sorted(ones & others)}
        rank = {i: codelists[source].levels.index(cliques[i].levels[source]) for i in ones}
        for i, j in product(sorted(ones - others), sorted(others)):
            # A field and the coarse level of its source, such as seasons of years.
            if rank.get(j, 0) < rank[i]:
                ends[i, j] = _shared(cliques[i], cliques[j], codelists)
        for pair, shared in ends.items():
            if pair[0] != pair[1] and any(
                _said(shared, pair, mine, other, codelists) for other, mine in ends.items()
            ):
                continue
            given: dict[str | None, set[str]] = {}
            for leaf in codelists[source].codes_at(codelists[source].finest):
                given.setdefault(code_of(leaf, codelists), set()).add(leaf)
            for code in codelists[made].codes_at(cliques[pair[1]].levels[made]):
                codes = _made_up(
                    given.get(code, set()), codelists[source], cliques[pair[0]].levels[source]
                )
                if codes:
                    found.append(Link(*pair, shared, (source, codes), (made, code)))
    return found


def _made_up(leaves: set[str], codelist: Codelist, level: str) -> frozenset[str]:
    """The codes at `level` that consist of exactly these finest codes; none where there are no
    such codes."""
    above = codelist.ancestors(level)
    codes = frozenset(above[leaf] for leaf in leaves)
    return (
        codes
        if all(
            leaf in leaves or above[leaf] not in codes
            for leaf in codelist.codes_at(codelist.finest)
        )
        else frozenset()
    )


def _shared(one: Clique, other: Clique, codelists: Mapping[str, Codelist]) -> dict[str, str]:
    names = sorted(set(one.levels) & set(other.levels))
    return {
        name: min((one.levels[name], other.levels[name]), key=codelists[name].levels.index)
        for name in names
    }


def _said(
    shared: Mapping[str, str],
    pair: tuple[int, int],
    by: Mapping[str, str],
    other: tuple[int, int],
    codelists: Mapping[str, Codelist],
) -> bool:
    """Does the `other` pair of cliques give this equation, in cells as narrow or narrower?"""
    if other == pair or other[0] == other[1] or (shared == by and other > pair):
        return False
    return all(
        name in by and codelists[name].levels.index(level) <= codelists[name].levels.index(by[name])
        for name, level in shared.items()
    )
