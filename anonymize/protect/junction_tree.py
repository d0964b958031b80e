"""The joint tables behind the published tables, small enough to work on and still exact.

Each published table uses variables (dimension, level). Eliminating variables one by one, each with
its neighbours, gives cliques that contain every table whole and whose shared margins form a tree.
Joint tables over the cliques that agree on shared margins are exactly as free as one joint table
over everything (Vorob'ev 1962). Finer levels of a dimension are eliminated before coarser ones, so
that a clique with a month has its year too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

from anonymize.agency.codelists import Codelist
from anonymize.agency.schema import TableSpec
from anonymize.errors import PlanError

Variable = tuple[str, int]
"""(dimension, rank of the level; 1 is the level below `all`)."""

MAX_LEAVES = 400_000


@dataclass(frozen=True)
class Clique:
    """One node of the junction tree.

    `levels`: dimension -> finest level. `parent`: position of the clique to which it is joined, or
    -1; `shared`: the levels on which the two must agree.
    """

    levels: dict[str, str]
    parent: int
    shared: dict[str, str]


def _variables(spec: TableSpec, codelists: Mapping[str, Codelist]) -> set[Variable]:
    deepest = {d: codelists[d].levels.index(levels[-1]) for d, levels in spec.dimensions.items()}
    deepest |= {d: len(codelists[d].levels) - 1 for d in spec.where}
    return {(d, rank) for d, last in deepest.items() for rank in range(1, last + 1)}


def _joined(
    empty: Iterable[Mapping[str, str]], codelists: Mapping[str, Codelist]
) -> Iterator[set[Variable]]:
    """The variables of each cell; a set that is part of another is left out."""
    found = {
        frozenset(
            (d, rank)
            for d, code in cell.items()
            for rank in range(1, codelists[d].levels.index(codelists[d].by_code[code].level) + 1)
        )
        for cell in empty
    }
    for variables in sorted(found, key=sorted):
        if not any(variables < other for other in found):
            yield set(variables)


def plan_cliques(
    specs: Sequence[TableSpec],
    codelists: Mapping[str, Codelist],
    empty: Iterable[Mapping[str, str]] = (),
) -> list[Clique]:
    """The cliques of the published tables and of cells that are known to be `empty`, each after its
    parent.

    Raises PlanError, with the size and the tables that cause it, when they need more than
    MAX_LEAVES cells.
    """

    def size(variables: set[Variable]) -> int:
        deepest: dict[str, int] = {}
        for dimension, rank in variables:
            deepest[dimension] = max(rank, deepest.get(dimension, 0))
        return prod(
            len(codelists[d].codes_at(codelists[d].levels[rank])) for d, rank in deepest.items()
        )

    # A table of several releases may have finer levels in one of them.
    used = [(spec.name, _variables(spec, codelists)) for spec in specs]
    used += [("what shifts and gaps tell", joined) for joined in _joined(empty, codelists)]
    neighbours: dict[Variable, set[Variable]] = {}
    for _name, variables in used:
        for v in variables:
            neighbours.setdefault(v, set())
        for a, b in combinations(variables, 2):
            neighbours[a].add(b)
            neighbours[b].add(a)
    cliques: list[set[Variable]] = []
    while neighbours:
        finest = [v for v in neighbours if (v[0], v[1] + 1) not in neighbours]
        chosen = min(finest, key=lambda v: (size(neighbours[v] | {v}), v))
        around = neighbours.pop(chosen)
        clique = around | {chosen}
        if not any(clique <= other for other in cliques):
            cliques.append(clique)
        for a in around:
            neighbours[a].discard(chosen)
            neighbours[a] |= around - {a}
    cliques = [c for c in cliques if not any(c < other for other in cliques)] or [set()]
    total = sum(map(size, cliques))
    if total > MAX_LEAVES:
        largest = max(cliques, key=size)
        behind = sorted({name for name, variables in used if len(variables & largest) > 1})
        raise PlanError(
            [
                f"the tables together need {total:,} joint cells, more than {MAX_LEAVES:,}, to be "
                f"protected exactly; the largest part joins {', '.join(behind)}; use coarser "
                "levels or publish fewer of these tables"
            ]
        )
    return _as_tree(cliques, codelists)


def _as_tree(cliques: list[set[Variable]], codelists: Mapping[str, Codelist]) -> list[Clique]:
    """Join each clique to the earlier one that shares most (Prim's algorithm on variables)."""
    order, parents = [0], [-1]
    while len(order) < len(cliques):
        rest = [i for i in range(len(cliques)) if i not in order]
        best = max(
            ((i, j) for i in rest for j in range(len(order))),
            key=lambda p: (len(cliques[p[0]] & cliques[order[p[1]]]), -p[0], -p[1]),
        )
        order.append(best[0])
        parents.append(best[1])

    def levels(variables: set[Variable]) -> dict[str, str]:
        deepest: dict[str, int] = {}
        for dimension, rank in variables:
            deepest[dimension] = max(rank, deepest.get(dimension, 0))
        return {d: codelists[d].levels[rank] for d, rank in sorted(deepest.items())}

    found = []
    for position, parent in zip(order, parents, strict=True):
        shared = cliques[position] & cliques[order[parent]] if parent >= 0 else set()
        found.append(Clique(levels(cliques[position]), parent, levels(shared)))
    return found
