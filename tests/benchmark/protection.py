"""`python -m tests.benchmark.protection NAME K`, `... M-linked K MAX_SMALL_PERCENT`, `... tiny` or
`... curve NAME K`: protect an instance, judge it (`--audit`: in whole numbers, by the audit;
`--attack`: by another solver; `--points`: by the engine's own tables, checked without one), print
one row of BENCHMARKS.md, in CPU seconds of this process.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from dataclasses import replace

import highspy
import numpy as np
import scipy.sparse as sp

from anonymize.audit.equations import Equations
from anonymize.audit.feasibility import judge
from anonymize.protect import System, protect, secondary, solver
from anonymize.protect.protection_levels import targets_of
from tests.benchmark.instances import advised, load, tiny

TINY = 20
EFFORTS = (0, 100_000, 300_000, 1_000_000, 3_000_000)


def published(system: System, withheld: np.ndarray) -> Equations:
    """What the public knows; the sensitive cells are the ones asked about."""
    shown, sought = ~withheld & ~system.unpublished, system.sensitive
    none = sp.csr_matrix((0, system.cells.shape[1]))
    return Equations(
        sp.csr_matrix(sp.vstack([system.cells[shown], system.margins])).astype(float),
        np.concatenate([system.values[shown], np.zeros(system.margins.shape[0], dtype=np.int64)]),
        none,
        np.zeros(0),
        np.zeros(0),
        system.cells[sought].astype(float),
        tuple(np.flatnonzero(sought).tolist()),
    )


def under_protected(system: System, withheld: np.ndarray, threshold: int) -> int:
    """Sensitive cells that the audit's solver (which shares no code with the engine) cannot show to
    span 1..threshold-1 in whole numbers."""
    return sum(
        not (verdict.low <= 1 and verdict.high >= threshold - 1)
        for verdict in judge(published(system, withheld), threshold)
    )


def narrowed(system: System, withheld: np.ndarray, threshold: int) -> int:
    """The same over fractions, by another solver."""
    from tests.benchmark import attacker  # needs a package of its own

    return attacker.narrowed(published(system, withheld), threshold)


NEAR = 1e-3
"""A published count met so nearly counts as met: what the engine allows a move in fractions."""


class Points:
    """Keeps every move that the engine finds, to judge by them: a table that fits all that is
    published proves what it shows, whoever found it."""

    def __init__(self) -> None:
        self.moves: list[sp.csr_matrix] = []
        noted = secondary.SecondarySearch._note

        def note(reach: secondary.SecondarySearch, move: np.ndarray) -> np.ndarray:
            self.moves.append(sp.csr_matrix(move))
            return noted(reach, move)

        secondary.SecondarySearch._note = note  # type: ignore[method-assign]

    def unseen(self, system: System, withheld: np.ndarray, threshold: int) -> int:
        """Sensitive cells that no two tables show at 1 or less and at threshold - 1 or more. By
        products alone, from the published counts; no solver."""
        told = published(system, withheld)
        low, high = (
            np.full(len(told.hidden_cells), np.inf),
            np.full(len(told.hidden_cells), -np.inf),
        )
        for move in [sp.csr_matrix((1, len(system.leaves))), *self.moves]:
            table = system.leaves + move.toarray().ravel()
            if table.min() >= -NEAR and np.abs(told.fixed @ table - told.values).max() <= NEAR:
                seen = told.hidden @ table
                np.minimum(low, seen, out=low)
                np.maximum(high, seen, out=high)
        return int(np.count_nonzero((low > 1 + NEAR) | (high < threshold - 1 - NEAR)))


JUDGES = {"--audit": under_protected, "--attack": narrowed}


def optimum(system: System, threshold: int) -> float:
    """The least cost, by one program with a move for every target and a yes or no for every cell.
    For tiny systems only."""
    targets = targets_of(np.flatnonzero(system.sensitive).tolist(), system.values, threshold - 1)
    cells, leaves = system.cells.shape
    most = float(system.values.max() + threshold)
    blocks, low, high = [], [], []
    for i, target in enumerate(targets):
        before = sp.csr_matrix((cells, leaves * i))
        after = sp.csr_matrix((cells, leaves * (len(targets) - 1 - i)))
        for sign in (1.0, -1.0):
            blocks.append(
                sp.hstack([-most * sp.identity(cells), before, sign * system.cells, after])
            )
            low += [-np.inf] * cells
            high += [0.0] * cells
        blocks.append(
            sp.hstack(
                [
                    sp.csr_matrix((1, cells)),
                    before[:1],
                    np.sign(target.need) * system.cells[[target.cell]],
                    after[:1],
                ]
            )
        )
        low.append(float(abs(target.need)))
        high.append(np.inf)
    if not targets:
        return 0.0
    count = leaves * len(targets)
    program = solver.Program(
        sp.csr_matrix(sp.vstack(blocks)),
        np.concatenate([system.cost, np.zeros(count)]),
        np.concatenate(
            [system.sensitive.astype(float), np.tile(-system.leaves.astype(float), len(targets))]
        ),
        np.concatenate([np.ones(cells), np.full(count, most)]),
        np.array(low),
        np.array(high),
    )
    highs = solver.load(program, mip_rel_gap=0.0)
    highs.changeColsIntegrality(
        cells, np.arange(cells, dtype=np.int32), np.full(cells, highspy.HighsVarType.kInteger)
    )
    if solver.run(highs) != highspy.HighsModelStatus.kOptimal:
        raise SystemExit("no proven optimum")
    return float(highs.getInfo().objective_function_value)


def run_tiny() -> None:
    ratios = []
    for seed in range(TINY):
        system = tiny(seed, 5)
        best, found = optimum(system, 5), protect(system, 4).cost
        ratios.append(found / best if best else 1.0)
        print(f"tiny {seed}: {found:.1f} against a proven optimum of {best:.1f}", flush=True)
    print(
        f"| tiny ({TINY}) | 5 | median {100 * (statistics.median(ratios) - 1):.1f} % above the"
        f" optimum, worst {100 * (max(ratios) - 1):.1f} % |"
    )


def run_curve(name: str, threshold: int) -> None:
    """What more effort buys: cells, value and seconds after which no new round of cuts begins."""
    system = load(name, threshold)
    for effort in EFFORTS:
        secondary.SETTINGS = replace(secondary.SETTINGS, max_effort=effort)
        start = time.perf_counter()
        withheld = protect(system, threshold - 1).withheld
        seconds = time.perf_counter() - start
        print(
            f"| {name} | {threshold} | {effort:,} | {withheld.sum():,} |"
            f" {system.values[withheld].sum():,} | {seconds:.0f} |",
            flush=True,
        )


def coarsened(threshold: int, most_small_percent: float) -> System:
    system, steps = advised("M", threshold, most_small_percent)
    print("\n".join(f"  {table}: {done}" for table, done in steps))
    cells, leaves = system.cells.shape
    print(f"  {cells:,} cells, {leaves:,} leaves, {system.sensitive.sum():,} small", flush=True)
    return system


def run(name: str, threshold: int, system: System) -> None:
    judges = JUDGES | ({"--points": Points().unseen} if "--points" in sys.argv else {})
    start = time.process_time()
    protected = protect(system, threshold - 1)
    seconds = time.process_time() - start
    withheld = protected.withheld
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"| {name} | {threshold} | {withheld.sum():,} | {system.values[withheld].sum():,} |"
        f" {protected.bound:,.0f} | {seconds:.0f} | {memory:.1f} |",
        flush=True,
    )
    for asked in filter(sys.argv.__contains__, judges):
        start = time.perf_counter()
        found = judges[asked](system, withheld, threshold)
        print(
            f"  {asked}: {found} of {system.sensitive.sum()} ({time.perf_counter() - start:.0f} s)"
        )


if __name__ == "__main__":
    if sys.argv[1] == "tiny":
        run_tiny()
    elif sys.argv[1] == "curve":
        run_curve(sys.argv[2], int(sys.argv[3]))
    else:
        instance, k = sys.argv[1], int(sys.argv[2])
        run(
            instance,
            k,
            coarsened(k, float(sys.argv[3])) if instance == "M-linked" else load(instance, k),
        )
