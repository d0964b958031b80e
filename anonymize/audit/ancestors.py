"""The cells above a cell: the same codes, codes above them, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from anonymize.audit.reader import Key, Tree

Steps = tuple[int, ...]
"""How many levels up from each code, in order of dimension."""


def _chain(name: str, code: str, trees: Mapping[str, Tree]) -> list[str]:
    """The code, those above it, and `all`."""
    found = [code]
    while found[-1] != "all":
        found.append(trees[name].parent[found[-1]])
    return found


def wider(key: Key, steps: Sequence[int], trees: Mapping[str, Tree]) -> Key:
    """The cell that many levels up."""
    found = (
        (name, _chain(name, code, trees)[step])
        for (name, code), step in zip(sorted(key), steps, strict=True)
    )
    return frozenset((name, code) for name, code in found if code != "all")


def narrowest(key: Key, trees: Mapping[str, Tree], good: Callable[[Key], bool]) -> list[Steps]:
    """The shortest ways up to cells that are `good`: none of them is part of another."""
    found: list[Steps] = []
    for steps in sorted(
        product(*(range(len(_chain(name, code, trees))) for name, code in sorted(key))), key=sum
    ):
        if not any(
            all(a >= b for a, b in zip(steps, other, strict=True)) for other in found
        ) and good(wider(key, steps, trees)):
            found.append(steps)
    return found
