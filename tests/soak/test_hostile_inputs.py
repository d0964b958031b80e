"""Every reader against spoiled inputs: each is read, or refused in one clear sentence, in time, and
no message tells what a record held.

`make test` tries some hundreds; `make soak` (SOAK=1) a hundred thousand. Inputs follow from their
number alone, so that a failure can be had again: `spoilt(data, seed)`.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from anonymize.agency.load import load
from anonymize.audit.reader import read_release
from anonymize.errors import AnonymizeError
from anonymize.pipeline import check, read_inputs
from dashboard.release.reader import ReleaseRefused, load_release
from tests.agency import write_agency
from tests.conftest import ROOT

SOAK = os.environ.get("SOAK") == "1"
SECRET = "QZXWJane"
"""Stands in every record of the exports; no message may hold it."""
SLOWEST = 20.0
NASTY = [
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b",",
    b";",
    b"=1+1",
    b"<script>",
    b"../../etc/passwd",
    b"9" * 400,
    b"-1",
    b"1e999",
    b"NaN",
    b"\xe2\x80\xae",
    b"2024-13-45",
    b"%s%n",
    b"{{7*7}}",
    b"[" * 200,
    b"\\u0000",
    b"DROP TABLE calls",
    b"\xf0\x9f\x92\xa9",
    b"true",
    b"null",
    b"",
]


def spoilt(data: bytes, seed: int) -> bytes:
    """`data` with some places changed: bits turned, pieces cut, doubled, moved or put in."""
    chance = random.Random(seed)
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(out) + 1)
        span = chance.choice([1, 1, 2, 5, 20, 200])
        match chance.randrange(6):
            case 0 if out:
                out[at % len(out)] ^= 1 << chance.randrange(8)
            case 1:
                del out[at : at + span]
            case 2:
                out[at:at] = out[at : at + span]
            case 3:
                out[at:at] = chance.choice(NASTY)
            case 4:
                out[at : at + span] = chance.choice(NASTY)
            case _:
                piece = bytes(out[at : at + span])
                del out[at : at + span]
                place = chance.randrange(len(out) + 1)
                out[place:place] = piece
    return bytes(out[: chance.randrange(len(out) + 1)] if chance.random() < 0.05 else out)


def tried(read, what: str) -> bool:
    """Was it read? Raises for a crash, a hang, and a message that tells too much."""
    start = time.monotonic()
    told = ""
    try:
        read()
    except (AnonymizeError, ReleaseRefused) as error:
        told = str(error)
        assert told.strip(), f"{what}: refused without a word"
    assert time.monotonic() - start < SLOWEST, f"{what}: too slow"
    assert SECRET not in told, f"{what}: the message tells what a record held: {told[:300]}"
    return not told


def several(few: int, many: int) -> range:
    return range(many if SOAK else few)


def counted(results: list[bool]) -> None:
    """Neither all read nor all refused, or the spoiling spoils nothing (or everything)."""
    assert 0 < sum(results) < len(results), f"{sum(results)} of {len(results)} read"


ROWS = "id,at,type\n" + "".join(
    f"{SECRET}{n},2024-0{1 + n % 6}-05 10:0{n % 10},{'Crisis' if n % 2 else 'Check'}\n"
    for n in range(60)
)


def test_agency_files(tmp_path: Path) -> None:
    path = write_agency(tmp_path, ROWS)
    data = path.read_bytes()
    results = []
    for seed in several(300, 77_000):
        path.write_bytes(spoilt(data, seed))
        results.append(tried(lambda: load(path), f"agency file {seed}"))
    counted(results)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_exports(tmp_path: Path, kind: str) -> None:
    """Spoiled exports. A value that no list maps is told on purpose, so that the analyst can map
    it: keys and times never are."""
    agency = write_agency(tmp_path, ROWS)
    agency.write_text(
        agency.read_text()
        .replace("[calls.values.call_type]", '[calls.values.call_type]\n"*" = "unknown"')
        .replace("percent = 100", "percent = 1")
    )
    export = tmp_path / "calls.csv"
    if kind == "parquet":
        import duckdb

        duckdb.execute(
            f"COPY (SELECT * FROM read_csv('{export}', all_varchar=true)) TO"
            f" '{tmp_path}/calls.parquet' (FORMAT parquet)"
        )
        export = tmp_path / "calls.parquet"
        agency.write_text(agency.read_text().replace('"calls.csv"', '"calls.parquet"'))
    inputs, data = read_inputs(agency), export.read_bytes()
    results = []
    for seed in several(60, 1_500):
        export.write_bytes(spoilt(data, seed))
        results.append(tried(lambda: check(inputs, tmp_path / "private"), f"{kind} export {seed}"))
    counted(results)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "data_public"
    shutil.copytree(ROOT / "data_public", folder, ignore=shutil.ignore_patterns("history"))
    return folder


@pytest.mark.parametrize("reader", ["the app", "the audit"])
def test_releases(release: Path, reader: str) -> None:
    files = sorted(
        p for p in release.rglob("*") if p.is_file() and p.suffix in (".json", ".csv", ".geojson")
    )
    read = {"the app": lambda: load_release(release), "the audit": lambda: read_release(release)}[
        reader
    ]
    results = []
    for seed in several(100, 10_000):
        path = random.Random(f"file {seed}").choice(
            [*files, release / "datapackage.json", *[release / "audit.json"] * (len(files) // 4)]
        )
        data = path.read_bytes()
        path.write_bytes(spoilt(data, seed))
        try:
            was_read = tried(read, f"{path.name} {seed}, by {reader}")
            results.append(was_read)
            changed = path.read_bytes() != data
            if reader == "the app" and changed and path.name not in ("audit.json", "approval.json"):
                assert not was_read, f"{path.name} {seed}: the app shows what the audit did not see"
        finally:
            path.write_bytes(data)
    counted(results)
