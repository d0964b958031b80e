"""Where a release has the numbers of a measure: in which table, found by what it holds and
whatever its name, and in which of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboard.release.reader import CountTable, Release

REACHED = {"responder": "clinician"}
ELIGIBLE = {"eligible": "yes"}
TEAMS = {"responder": "co_responder"}
POLICE_ALONE = {"responder": "police_only"}
NO_TEAM_CAME = ("no_unit", "all_busy", "out_of_area", "declined", "cancelled", "safety_hold")


@dataclass(frozen=True)
class Counts:
    """Cells of one count table: those with the codes of `part`, out of those with the codes of
    `whole`; without either, plain counts.

    `where`: the filter of the table. `along`: the dimension whose codes are the rows of the
    measure's own figure; `codes`: those rows in order, where not all of them. `each`: every code of
    `along` is a part of one whole, where otherwise each has a part and a whole of its own.
    """

    part: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    along: str = "period"
    codes: tuple[str, ...] = ()
    each: bool = False

    def table(self, release: Release, *along: str) -> CountTable | None:
        """The table that has the dimensions `along` (without any: the query's own) and those of
        part and whole; None where the agency does not report it, or has codes of its own."""
        rows = along or (self.along,)
        named = dict.fromkeys((*rows, *self.part, *self.whole))
        found = release.find(*named, where=self.where)
        wanted = [*self.part.items(), *self.whole.items()]
        if not along:
            wanted += [(self.along, code) for code in self.codes]
        if found is None or not all(release.holds(found, *pair) for pair in wanted):
            return None
        return found

    def reported(self, release: Release) -> bool:
        return self.table(release) is not None

    @property
    def words(self) -> str:
        """The query in one line of codes, for the reference of measures."""
        sides = [_codes(self.part) or "every code", _codes(self.whole) or "all"]
        if not self.part and not self.whole and not self.each:
            sides = []
        if self.each:
            sides[0] = ", ".join(filter(None, (f"each `{self.along}`", _codes(self.part))))
        told = " of ".join(sides) if sides else "plain counts"
        filtered = f", in the table of calls with {_codes(self.where)}" if self.where else ""
        return f"{told}, along `{self.along}`{filtered}"


def _codes(of: Mapping[str, str]) -> str:
    return ", ".join(f"`{dimension}` = `{code}`" for dimension, code in of.items())


@dataclass(frozen=True)
class Statistic:
    """Numbers that do not add up. `names`: the statistics that the measure needs, the first of them
    at least; `part` and `whole`: columns of it that make a share; `base`: the column that says how
    many are behind a number."""

    names: tuple[str, ...]
    part: str = ""
    whole: str = ""
    base: str = "based_on"

    def reported(self, release: Release) -> bool:
        return release.statistic(self.names[0]) is not None

    @property
    def words(self) -> str:
        columns = f": `{self.part}` of `{self.whole}`" if self.part else ""
        return "statistic " + " or ".join(f"`{name}`" for name in self.names) + columns


@dataclass(frozen=True)
class Input:
    """Rows that the agency reports about its program; `names`: the inputs that the measure needs,
    all of them."""

    names: tuple[str, ...]

    def reported(self, release: Release) -> bool:
        return all(release.reference(name) is not None for name in self.names)

    @property
    def words(self) -> str:
        return "input " + " and ".join(f"`{name}`" for name in self.names)


Query = Counts | Statistic | Input
