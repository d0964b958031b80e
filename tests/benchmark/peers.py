"""`python -m tests.benchmark.peers NAME K [--attack]`: protect an instance whose tables are one
cube (XS-cube, S-cube) or linked (XS-linked, S-linked) by this engine and by Tau-Argus
(`pytauargus`), each in a process of its own, and judge both results alike.

Tau-Argus takes linked tables one by one: 0.6.0 has no method for them together (its engine calls
that out of scope). What it withholds in one of them counts as withheld in all.

`pip install -r requirements-peers.txt` first: its license is the EUPL, and nothing but this
comparison uses it, so no environment of the project holds it. `--attack` judges over fractions by a
solver of its own (see `tests.benchmark.attacker`); without it, the audit judges in whole numbers.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from anonymize.protect import protect
from tests.benchmark.instances import _makers, system_of
from tests.benchmark.protection import narrowed, under_protected

Withheld = npt.NDArray[np.bool_]
T = TypeVar("T")
DIMENSIONS = ("area", "time", "typ", "out")
SECTOR = "sector"
"""The level of areas below the whole, as a dimension of its own."""
TABLES = {
    "cube": (DIMENSIONS,),
    "linked": (("area", "time"), ("area", "typ", "out"), (SECTOR, "time", "typ", "out")),
}
"""By plan of bench/instances.py."""
TOTAL = "Total"
METHOD = "MOD(1, 5, 1, 0, 0)"
"""Its modular method: for cubes of this size its optimal one does not end."""


def run(name: str, threshold: int, attack: bool) -> None:
    size, plan = name.split("-")
    if plan not in TABLES or size not in ("XS", "S"):
        raise SystemExit(f"{name}: not among the tables that are known here")
    matrix, leaves, labels, dims = _makers().instance(name)
    system = system_of(matrix, leaves, labels, dims, threshold)
    for program, work in (("this engine", _ours), ("pytauargus", _theirs)):
        withheld, seconds = work(name, threshold)
        judge = narrowed if attack else under_protected
        exposed = judge(system, withheld | system.sensitive, threshold)
        print(
            f"| {name} | {threshold} | {program} | {seconds:.1f} CPU s | {withheld.sum():,} |"
            f" {system.values[withheld].sum():,} | {exposed} of {system.sensitive.sum()} |",
            flush=True,
        )


def _alone(work: Callable[..., tuple[T, float]], *given: object) -> tuple[T, float]:
    """In a process of its own: what it used counts when it has ended, and a second table in one
    process ends Tau-Argus."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def _ours(name: str, threshold: int) -> tuple[Withheld, float]:
    return _alone(_protected, name, threshold)


def _protected(name: str, threshold: int) -> tuple[Withheld, float]:
    matrix, leaves, labels, dims = _makers().instance(name)
    system = system_of(matrix, leaves, labels, dims, threshold)
    before = _used()
    return protect(system, threshold - 1).withheld, _used() - before


def _theirs(name: str, threshold: int) -> tuple[Withheld, float]:
    """Cells that Tau-Argus withholds, in the order of the instance's; each call is a contributor
    of 1, and a cell of fewer than `threshold` is sensitive, with a range of its whole size."""
    tables = TABLES[name.split("-")[1]]
    found = [_alone(_one_table, name.split("-")[0], threshold, table) for table in tables]
    _, _, labels, dims = _makers().instance(name)
    withheld = []
    for label in labels.tolist():
        codes = {
            d: _named(d, label[i], label[len(DIMENSIONS) + i], dims[i])
            for i, d in enumerate(DIMENSIONS)
        }
        codes[SECTOR] = codes["area"]
        told = [
            status[at]
            for table, (status, _seconds) in zip(tables, found, strict=True)
            if all(codes[d] == TOTAL for d in DIMENSIONS if d not in _asked(table))
            and (at := tuple(codes[d] for d in table)) in status
        ]
        assert told, label
        # S: published; E: empty, and published as 0.
        withheld.append(any(one not in ("S", "E") for one in told))
    return np.array(withheld), sum(seconds for _status, seconds in found)


def _asked(table: Sequence[str]) -> list[str]:
    return ["area" if name == SECTOR else name for name in table]


def _one_table(
    size: str, threshold: int, table: Sequence[str]
) -> tuple[dict[tuple[str, ...], str], float]:
    """What became of each cell, by its codes."""
    from pytauargus import protect as tau_argus  # type: ignore[import-not-found]

    makers = _makers()
    dims = {key: makers.levels(makers.SIZES[size][key]) for key in DIMENSIONS}
    records = makers.records(size, 1)
    calls: dict[str, list[str] | list[int]] = {
        dimension: [_code(dimension, 0, code) for code in records[:, i]]
        for i, dimension in enumerate(DIMENSIONS)
    }
    calls[SECTOR] = [_code("area", 1, code) for code in dims["area"][1][records[:, 0]]]
    calls = {name: calls[name] for name in table} | {"calls": [1] * len(records)}
    # It leaves files wherever it is called.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        trees = {
            dimension: str(path)
            for dimension, maps in dims.items()
            if dimension in table
            and (path := _tree(Path(folder) / f"{dimension}.hrc", dimension, maps))
        }
        before = _used()
        found = tau_argus(
            calls,
            list(table),
            response="calls",
            safety_rules=f"FREQ({threshold}, 100)",
            suppress=METHOD,
            hrc=trees,
            hierleadstring="@",
            workdir=folder,
        ).tables[0]
        seconds = _used() - before
        rows = found.dataframe()
    codes = zip(*(rows[d] for d in table), strict=True)
    return dict(zip(codes, rows["status"], strict=True)), seconds


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
