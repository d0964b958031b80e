"""Two worlds: would the release be the same, byte for byte, had the withheld counts been others?

The proofs of a build hold, for each small count, tables of whole numbers that fit all that is
published and differ in it (`certificates.py`). For a few of them everything that comes after the
counting is done again, with the same cells withheld. Whatever differs then, be it a row, an order,
a width, a file or a line on the screen, was made from a withheld count. This is a step of every
build; nothing of it leaves the private folder.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymize.count.statistics import Statistic
from anonymize.count.tables import Mask
from anonymize.disclosure.declared_facts import Counted, contents_of
from anonymize.errors import ProtectionError
from anonymize.protect.certificates import Certificates
from anonymize.protect.system import System
from anonymize.records.calls import Tally
from anonymize.release.candidate import Contents, write_candidate

Ints = npt.NDArray[np.int64]
Key = frozenset[tuple[str, str]]
ROOT = "all"
SAMPLE = 3
"""How many other worlds are checked in each build: those of the first, the middle and the last
table of the proofs."""


def check(
    counted: Counted,
    system: System,
    withheld: Sequence[Mask],
    statistics: Sequence[Statistic],
    certificates: Certificates,
    scratch: Path,
) -> None:
    """Test that a release is the same in other worlds: with other true counts that fit all that is
    published. Raises ProtectionError where a byte of the release, or a line said while it is
    written, follows from a withheld count.

    `statistics` are the same in all worlds: what they say about counts is a declared fact, which
    the tables of the proofs respect.
    """
    number = certificates.moves.shape[0]
    written, contents = _written(counted, withheld, statistics, scratch / "this_world")
    for move in sorted({0, number // 2, number - 1} if number else set())[:SAMPLE]:
        leaves = system.leaves + certificates.moves[move].toarray().ravel()
        other, _ = _written(
            world(counted, system, leaves, contents),
            withheld,
            statistics,
            scratch / f"world_{move}",
        )
        if other != written:
            differing = sorted(
                name
                for name in written.keys() | other.keys()
                if written.get(name) != other.get(name)
            )
            raise ProtectionError(
                "with other counts behind the withheld cells the release would not be the same"
                f" (two worlds: {', '.join(differing)}), so it tells of them; nothing was written;"
                " please report this as a fault of the program"
            )


def _written(
    counted: Counted, withheld: Sequence[Mask], statistics: Sequence[Statistic], folder: Path
) -> tuple[dict[str, bytes], Contents]:
    """Every byte of the release but the copies of earlier ones, and what was said meanwhile (as the
    file `screen`)."""
    folder.mkdir()
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        contents = contents_of(counted, withheld, statistics)
        write_candidate(folder, contents, copies=False)
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    return found | {"screen": said.getvalue().encode()}, contents


def world(counted: Counted, system: System, leaves: Ints, contents: Contents) -> Counted:
    """What would have been counted, were `leaves` the joint counts. `contents`: the release as it
    is, for what it says about blank fields."""
    assert system.layout is not None
    layout, newest = system.layout, len(system.layout.versions) - 1
    values = np.asarray(system.cells @ leaves, dtype=np.int64)
    tables = [
        replace(table, values=values[ids], people=None)
        for table, ids in zip(counted.tables, system.where, strict=True)
    ]

    def count(key: Key) -> int | None:
        """The calls of a cell; None where no table joins its dimensions."""
        return None if layout.home(key) is None else int(leaves[layout.columns(key, newest)].sum())

    return replace(counted, tables=tables, tally=_Blanks(counted, contents, count).tally())


class _Blanks:
    """How many calls have which field blank in another world: from that world's counts where a
    table has them, and otherwise within what the release allows."""

    def __init__(
        self, counted: Counted, contents: Contents, count: Callable[[Key], int | None]
    ) -> None:
        self.counted, self.count = counted, count
        fact = next(fact for fact in contents.facts if fact["kind"] == "share_filled")
        self.out_of: Mapping[str, Any] = fact["out_of"]
        self.cells: dict[str, tuple[Key, bool]] = {}
        for blank in fact["blank"]:
            self.cells.setdefault(
                blank["field"], (frozenset(blank["of"].items()), blank["relation"] == "equal")
            )
        reference = next(r for r in contents.references if r.name == fact["resource"])
        self.told = {(row[0], row[1]): (row[2], row[3], row[4]) for row in reference.rows}

    def tally(self) -> Tally:
        tally = self.counted.tally
        whole = {name: self._of(name, ROOT, before) for name, before in tally.completeness.items()}
        by_month = {name: self._months(name, months) for name, months in tally.by_month.items()}
        return replace(tally, completeness=whole, by_month=by_month)

    def _calls(self, name: str, period: str, before: int) -> int:
        out_of = (
            self.out_of[self.told[name, period][0]]
            if (name, period) in self.told
            else {"of": {}, "without": {}}
        )
        within = frozenset(
            (*out_of["of"].items(), *((("period", period),) if period != ROOT else ()))
        )
        every = self.count(within)
        less = self.count(within | frozenset(out_of["without"].items())) if out_of["without"] else 0
        return before if every is None or less is None else every - less

    def _of(self, name: str, period: str, before: tuple[int, int]) -> tuple[int, int]:
        """(filled, calls) in the other world; `before`: the same in this world."""
        calls, blank = self._calls(name, period, before[1]), before[1] - before[0]
        if name in self.cells:
            cell, exact = self.cells[name]
            within = (
                self.out_of[self.told[name, period][0]]["of"].items()
                if (name, period) in self.told
                else ()
            )
            found = self.count(
                cell | frozenset((*within, *((("period", period),) if period != ROOT else ())))
            )
            if found is not None:
                blank = found if exact else min(blank, found)
        return calls - min(blank, calls), calls

    def _months(
        self, name: str, before: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        found = {month: self._of(name, month, numbers) for month, numbers in before.items()}
        for month in self.counted.codelists["period"].codes_at(
            self.counted.codelists["period"].finest
        ):
            if month not in found and (
                calls := self._calls(name, month, 0)
            ):  # nobody called in this world
                found[month] = self._of(name, month, (calls, calls))
        cell, _exact = self.cells.get(name, (frozenset(), True))
        if not cell or any(self.count(cell | {("period", month)}) is not None for month in found):
            return found
        self._share_out(name, cell, before, found)
        return found

    def _share_out(
        self,
        name: str,
        cell: Key,
        before: Mapping[str, tuple[int, int]],
        found: dict[str, tuple[int, int]],
    ) -> None:
        """Where no table joins the field with months: what longer periods have more or fewer
        blanks, shared out among their months within what is published."""
        periods = self.counted.codelists["period"]
        levels = [
            level
            for level in periods.levels
            if self.count(
                cell
                | frozenset((("period", c),) if (c := periods.codes_at(level)[0]) != ROOT else ())
            )
            is not None
        ]
        if not levels:
            return
        above = periods.ancestors(levels[-1])
        for code in periods.codes_at(levels[-1]):
            months = [month for month in sorted(found) if above[month] == code]
            blanks = {month: found[month][1] - found[month][0] for month in months}
            more = (
                self.count(cell | frozenset((("period", code),) if code != ROOT else ())) or 0
            ) - sum(blanks.values())
            for month in months:
                least, most = self._room(name, month, found[month][1])
                changed = min(max(blanks[month] + more, least), most)
                more -= changed - blanks[month]
                found[month] = (found[month][1] - changed, found[month][1])

    def _room(self, name: str, month: str, calls: int) -> tuple[int, int]:
        _out_of, at_least, at_most = self.told.get((name, month), ("", "", ""))
        if not at_least:
            return 0, calls
        return (0 if at_most == "100" else calls - (int(at_most) * calls - 1) // 100), calls - -(
            -int(at_least) * calls // 100
        )


__all__ = ["check", "world"]
