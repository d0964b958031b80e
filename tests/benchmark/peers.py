"""`python -m tests.benchmark.peers NAME K [--attack]`: protect an instance whose tables are one
cube (XS-cube, S-cube) by this engine and by Tau-Argus (`pytauargus`), each in a process of its own,
and judge both results alike.

`pip install -r requirements-peers.txt` first: its license is the EUPL, and nothing but this
comparison uses it, so no environment of the project holds it. `--attack` judges over fractions by a
solver of its own (see `tests.benchmark.attacker`); without it, the audit judges in whole numbers.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymize.protect import protect
from tests.benchmark.instances import _makers, system_of
from tests.benchmark.protection import narrowed, under_protected

Withheld = npt.NDArray[np.bool_]
DIMENSIONS = ("area", "time", "typ", "out")
TOTAL = "Total"
METHOD = "MOD(1, 5, 1, 0, 0)"
"""Its modular method: for cubes of this size its optimal one does not end."""


def run(name: str, threshold: int, attack: bool) -> None:
    size, plan = name.split("-")
    if plan != "cube":
        raise SystemExit(f"{name}: its tables are no cube, which Tau-Argus takes one of")
    matrix, leaves, labels, dims = _makers().instance(name)
    system = system_of(matrix, leaves, labels, dims, threshold)
    for program, work in (("this engine", _ours), ("pytauargus", _theirs)):
        # A process of its own: what it used counts when it has ended.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            withheld, seconds = pool.submit(work, size, name, threshold).result()
        judge = narrowed if attack else under_protected
        exposed = judge(system, withheld | system.sensitive, threshold)
        print(
            f"| {name} | {threshold} | {program} | {seconds:.1f} CPU s | {withheld.sum():,} |"
            f" {system.values[withheld].sum():,} | {exposed} of {system.sensitive.sum()} |",
            flush=True,
        )


def _ours(size: str, name: str, threshold: int) -> tuple[Withheld, float]:
    matrix, leaves, labels, dims = _makers().instance(name)
    system = system_of(matrix, leaves, labels, dims, threshold)
    before = _used()
    return protect(system, threshold - 1).withheld, _used() - before


def _theirs(size: str, name: str, threshold: int) -> tuple[Withheld, float]:
    """Cells that Tau-Argus withholds, in the order of the instance's; each call is a contributor
    of 1, and a cell of fewer than `threshold` is sensitive, with a range of its whole size."""
    from pytauargus import protect as tau_argus  # type: ignore[import-not-found]

    makers = _makers()
    dims = [makers.levels(makers.SIZES[size][key]) for key in DIMENSIONS]
    records = makers.records(size, 1)
    calls: dict[str, list[str] | list[int]] = {
        dimension: [_code(dimension, 0, code) for code in records[:, i]]
        for i, dimension in enumerate(DIMENSIONS)
    }
    calls["calls"] = [1] * len(records)
    # It leaves files wherever it is called.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        trees = {
            dimension: str(path)
            for dimension, maps in zip(DIMENSIONS, dims, strict=True)
            if (path := _tree(Path(folder) / f"{dimension}.hrc", dimension, maps))
        }
        before = _used()
        table = tau_argus(
            calls,
            list(DIMENSIONS),
            response="calls",
            safety_rules=f"FREQ({threshold}, 100)",
            suppress=METHOD,
            hrc=trees,
            hierleadstring="@",
            workdir=folder,
        ).tables[0]
        seconds = _used() - before
        rows = table.dataframe()
    status = dict(
        zip(zip(*(rows[d] for d in DIMENSIONS), strict=True), rows["status"], strict=True)
    )
    _, _, labels, _ = makers.instance(name)
    withheld = [
        # S: published; E: empty, and published as 0.
        status[tuple(_named(d, label[i], label[4 + i], dims[i]) for i, d in enumerate(DIMENSIONS))]
        not in ("S", "E")
        for label in labels.tolist()
    ]
    return np.array(withheld), seconds


def _named(dimension: str, level: int, code: int, maps: list[npt.NDArray[np.int64]]) -> str:
    return TOTAL if level == len(maps) - 1 else _code(dimension, level, code)


def _code(dimension: str, level: int, code: int) -> str:
    return f"{dimension[0]}{level}-{code}"


def _tree(path: Path, dimension: str, maps: list[npt.NDArray[np.int64]]) -> Path | None:
    """The file of a tree of two levels, and none where all codes are of one."""
    if len(maps) != 3:
        return None
    lines = []
    for top in np.unique(maps[1]).tolist():
        lines.append(_code(dimension, 1, top))
        lines += [
            f"@{_code(dimension, 0, leaf)}" for leaf in np.flatnonzero(maps[1] == top).tolist()
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _used() -> float:
    """CPU seconds of this process and of those it waited for."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), "--attack" in sys.argv)
