"""Primary suppression: one function per rule, each a mask over a table's cells.

Rules and terms follow Hundepool et al. 2012, "Statistical Disclosure Control", chapter 4.
"""

from __future__ import annotations

import numpy as np

from anonymize.count.tables import Counts, Mask, Table


def small_counts(values: Counts, threshold: int) -> Mask:
    """Counts of 1 to threshold - 1."""
    return (values > 0) & (values < threshold)


def small_complements(table: Table, threshold: int) -> Mask:
    """Cells that leave only 1 to threshold - 1 of the cell above them along the sensitive
    attribute.

    Publishing such a cell would show that all but a few share one category.
    """
    name = table.sensitive_attribute
    mask: Mask = np.zeros(table.shape, dtype=bool)
    if name is None:
        return mask
    above = parents_along(table, name)
    axis = list(table.dimensions).index(name)
    values, out = np.moveaxis(table.values, axis, 0), np.moveaxis(mask, axis, 0)
    for i, parent in above.items():
        out[i] = small_counts(values[parent] - values[i], threshold)
    return mask


def few_people(table: Table, threshold: int) -> Mask:
    """Counts of `threshold` or more that belong to fewer different people (where the agency maps a
    person key)."""
    if table.people is None:
        return np.zeros(table.shape, dtype=bool)
    mask: Mask = (table.values >= threshold) & (table.people < threshold)
    return mask


def telling_remainder(rest: Counts, whole: Counts, threshold: int) -> Mask:
    """Group disclosure: what a category leaves of the cell above is small (all but a few), or 0
    (everyone).

    Where the cell above is small itself, it is withheld, and an attacker does not know how many
    "everyone" would be.
    """
    mask: Mask = small_counts(rest, threshold) | ((rest == 0) & (whole >= threshold))
    return mask


def parents_along(table: Table, dimension: str) -> dict[int, int]:
    """Position of each code of `dimension` -> position of the nearest published code above it."""
    codes, codelist = table.dimensions[dimension].codes, table.dimensions[dimension].codelist
    position = {code: i for i, code in enumerate(codes)}
    found = {}
    for code, i in position.items():
        above = codelist.by_code[code].parent
        while above and above not in position:
            above = codelist.by_code[above].parent
        if above:
            found[i] = position[above]
    return found


def primary(table: Table, threshold: int) -> Mask:
    """All rules for cells together; `telling_remainder` is for what lies between cells."""
    return (
        small_counts(table.values, threshold)
        | small_complements(table, threshold)
        | few_people(table, threshold)
    )
