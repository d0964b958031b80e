"""Prints a digest of what an engine decides, for `test_same_on_every_machine.py`, which runs it as
other processors would."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from anonymize import pipeline
from anonymize.pipeline import CANDIDATE, read_inputs
from anonymize.protect import protect
from tests.agency import answer
from tests.benchmark.instances import load
from tests.random_agencies import agency

SEEDS = (0, 3, 4)


def instance(name: str, threshold: int) -> str:
    return hashlib.sha256(
        protect(load(name, threshold), threshold - 1).withheld.tobytes()
    ).hexdigest()


def candidates(agencies: list[Path], private: Path) -> str:
    """Of the candidate release of each agency file, every byte."""
    found = hashlib.sha256()
    for number, file in enumerate(agencies):
        folder = private / str(number)
        answer(file)
        pipeline.build(read_inputs(file), private / f"{number}-public", folder)
        for path in sorted(p for p in (folder / CANDIDATE).rglob("*") if p.is_file()):
            found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    if sys.argv[1] == "instance":
        print(instance(sys.argv[2], int(sys.argv[3])))
    else:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(p) for p in sys.argv[2:]] or [
                agency(Path(folder) / f"in{seed}", seed) for seed in SEEDS
            ]
            print(candidates(files, Path(folder)))
