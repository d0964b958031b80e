"""Two worlds that differ in a withheld count have the same release: each build looks, and so do
these tests, from records on.

From two whole-number tables that fit a release records are made, and everything after the counting
is run with the same cells withheld.
"""

import os
import random
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anonymize import pipeline
from anonymize.areas.map_context import Context
from anonymize.audit import audit_release
from anonymize.count.tables import count_tables, counter
from anonymize.disclosure import declared_facts
from anonymize.disclosure.declared_facts import Counted, contents_of
from anonymize.engine import open_engine
from anonymize.errors import ProtectionError
from anonymize.pipeline import CANDIDATE, CERTIFICATES, NO_ADVICE, read_inputs
from anonymize.protect.certificates import Certificates
from anonymize.records.calls import read_calls
from anonymize.release.candidate import Before, write_candidate
from tests.agency import answer
from tests.random_agencies import BY_BOTH, BY_HOUR, BY_SOURCE, SOURCES, TYPES, draw, write

SEEDS = range(60) if "SOAK" in os.environ else range(5)
TEXTS = {code: text for text, code in (TYPES | SOURCES).items()}


def counts_of(system, leaves, release=0):
    """Of each clique: {codes: calls} of one release."""
    layout = system.layout
    found = []
    for i, clique in enumerate(layout.cliques):
        total = defaultdict(int)
        for block, offset in zip(layout.blocks, layout.offsets[:, i], strict=True):
            axes = [block.codelists[d].codes_at(level) for d, level in clique.levels.items()]
            size = int(np.prod([len(axis) for axis in axes]))
            values = leaves[int(offset) : int(offset) + size].reshape([len(axis) for axis in axes])
            if release in block.present:
                for at in zip(*values.nonzero(), strict=True):
                    total[tuple(axis[j] for axis, j in zip(axes, at, strict=True))] += int(
                        values[at]
                    )
        found.append(total)
    return found


def records_of(system, leaves):
    """Calls (dimension -> code) with these joint counts: those of one clique, joined with the next
    one's that agree on what the two share."""
    layout = system.layout
    cliques = [clique.levels for clique in layout.cliques]
    counted = counts_of(system, leaves)
    calls = [
        dict(zip(cliques[0], codes, strict=True))
        for codes, n in counted[0].items()
        for _ in range(n)
    ]
    for clique, counts in zip(layout.cliques[1:], counted[1:], strict=True):
        coarse = {d: layout.codelists[d].ancestors(level) for d, level in clique.shared.items()}

        def shared(call, coarse=coarse):
            return tuple(above[call[d]] for d, above in coarse.items())

        waiting = defaultdict(list)
        for call in calls:
            waiting[shared(call)].append(call)
        for codes, n in counts.items():
            new = dict(zip(clique.levels, codes, strict=True))
            for _ in range(n):
                call = waiting[shared(new)].pop()
                for d, code in new.items():
                    if d not in call or layout.codelists[d].levels.index(
                        layout.codelists[d].by_code[code].level
                    ) > layout.codelists[d].levels.index(
                        layout.codelists[d].by_code[call[d]].level
                    ):
                        call[d] = code
        assert not any(waiting.values())
    return calls


def export(calls):
    """As rows of `random_agencies.draw`: a code that is coarser than a record's becomes the first
    below it."""

    def text(code):
        return "" if code.startswith("unknown") else TEXTS[code]

    return [
        (
            c["period"] if len(c["period"]) == 7 else f"{c['period'][:4]}-01",
            int(c["hour"][:2]),
            text(c["call_type"]),
            text(c["source"]),
        )
        for c in calls
    ]


def written(agency, withheld, folder):
    """Everything after the counting, with these cells withheld: {file: bytes}."""
    inputs = read_inputs(agency)
    folder.mkdir()
    with open_engine(inputs.config.file, folder / "private") as engine:
        tally = read_calls(engine, inputs.config, inputs.areas, folder / "private")
        tables = count_tables(
            counter(engine, inputs.config),
            inputs.config,
            inputs.codelists,
            inputs.config.file.tables,
        )
    counted = Counted(
        inputs.config, inputs.codelists, inputs.areas, NO_ADVICE, tally, tables, (), Before()
    )
    (folder / "release").mkdir()
    write_candidate(folder / "release", contents_of(counted, withheld, ()))
    return files(folder / "release"), tables


def files(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.name != "audit.json"
    }


def made(folder, seed, extra):
    rng = random.Random(seed)
    agency = write(folder / "in", draw(rng), rng.choice([5, 11]), extra)
    answer(agency)
    return agency, pipeline.build(read_inputs(agency), folder / "out", folder / "private")


JOINED = BY_SOURCE.replace('["all", "year"]', '["all", "year", "month"]')


@pytest.mark.parametrize(
    "extra", [BY_SOURCE + BY_BOTH + BY_HOUR, JOINED + BY_HOUR], ids=["by year", "by month"]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_records_of_another_world_make_the_same_release(seed, extra, tmp_path):
    _agency, built = made(tmp_path, seed, extra)
    system = built.system
    withheld = [built.protected.withheld[ids] for ids in system.where]
    moves = Certificates.open(tmp_path / "private" / CERTIFICATES).moves.toarray()
    public = files(tmp_path / "private" / CANDIDATE)
    differing = 0
    for number, move in enumerate(moves[:2]):
        other = write(
            tmp_path / f"in{number}",
            export(records_of(system, system.leaves + move)),
            built.report.threshold,
            extra,
        )
        again, tables = written(other, withheld, tmp_path / f"world{number}")
        differing += sum(
            int(np.any(table.values != mine.values))
            for table, mine in zip(tables, built.tables, strict=True)
        )
        assert {name: data for name, data in again.items() if public.get(name) != data} == {}
        assert again.keys() == public.keys()
    assert differing or not len(moves), "the worlds are one: this shows nothing"


def leaking(how):
    """`contents_of` with a leak: something made from a withheld count."""

    def contents(counted, withheld, statistics):
        found = contents_of(counted, withheld, statistics)
        secret = sum(
            int(table.values[mask].astype(object).dot(range(1, int(mask.sum()) + 1)))
            for table, mask in zip(counted.tables, withheld, strict=True)
        )
        share = next(r for r in found.references if r.name == "completeness")
        others = [r for r in found.references if r is not share]

        def told(rows):
            return replace(found, references=(*others, replace(share, rows=tuple(rows))))

        if how == "row":
            return told(row for i, row in enumerate(share.rows) if i != secret % len(share.rows))
        if how == "order":
            return told(
                share.rows[secret % len(share.rows) :] + share.rows[: secret % len(share.rows)]
            )
        if how == "rounding":
            return told((*row[:3], str(secret), "100") for row in share.rows)
        if how == "width":
            return told((*row[:4], f"{row[4]:>{secret % 97}}") for row in share.rows)
        if how == "file":
            return replace(
                found, tables=[replace(found.tables[0], name=f"calls{secret}"), *found.tables[1:]]
            )
        if how == "map":
            return replace(found, context=Context(f'{{"calls": {secret}}}'))
        if how == "line":
            print(f"{secret} calls")
        return found

    return contents


@pytest.mark.parametrize("how", ["row", "order", "rounding", "width", "file", "map", "line"])
def test_a_leak_of_each_kind_is_caught(how, tmp_path, monkeypatch):
    """By the step that each build takes, from counts alone."""
    monkeypatch.setattr("anonymize.disclosure.two_worlds.contents_of", leaking(how))
    with pytest.raises(ProtectionError, match="two worlds"):
        made(tmp_path, 3, BY_SOURCE + BY_BOTH + BY_HOUR)
    assert not (tmp_path / "private" / CANDIDATE).exists()


def test_a_table_of_completeness_made_from_records_is_caught(tmp_path, monkeypatch):
    """As it once was: a row only for months with calls, in bands as wide as their number allows."""

    def once(config, codelists, tally, counts):
        reference = kept(config, codelists, tally, counts)
        calls = {
            month: rows
            for months in tally.by_month.values()
            for month, (_filled, rows) in months.items()
        }
        return replace(
            reference,
            rows=tuple(
                row for row in reference.rows if row[1] == "all" or calls.get(row[1], 0) > 12
            ),
        )

    kept = declared_facts._completeness
    monkeypatch.setattr(declared_facts, "_completeness", once)
    monkeypatch.setattr("anonymize.pipeline.audit_release", passed)
    rows = [
        (f"2024-0{m}", h % 24, "Crisis", "911")
        for m, n in ((1, 11), (2, 9), (3, 40))
        for h in range(n)
    ]
    agency = write(tmp_path / "in", rows, 11, JOINED)
    answer(agency)
    with pytest.raises(ProtectionError, match=r"two worlds: .*completeness"):
        pipeline.build(read_inputs(agency), tmp_path / "out", tmp_path / "private")


def passed(folder, *_more):
    """The audit's report without its findings."""
    return replace(audit_release(folder), findings=[])


def test_what_is_written_cannot_hold_a_withheld_count():
    """The types of the code that writes a release: a withheld count is not in them, and cannot be
    put there."""
    import inspect

    from anonymize.release import candidate, published

    table = inspect.get_annotations(published.PublishedTable)
    assert "people" not in table
    with pytest.raises(AssertionError, match="withheld count"):
        published.PublishedTable(
            "t",
            None,
            "calls",
            {},
            {},
            None,
            np.array([3]),
            np.array([True]),
            np.array(["published"]),
        )
    source = Path(candidate.__file__).read_text()
    assert "anonymize.count.tables" not in source
    assert "Tally" not in source


def test_the_test_sees_records_as_they_are(tmp_path):
    """Records made from the true joint counts have the true counts: the way back is sound."""
    _agency, built = made(tmp_path, 1, BY_SOURCE + BY_BOTH + BY_HOUR)
    again = write(
        tmp_path / "again",
        export(records_of(built.system, built.system.leaves)),
        built.report.threshold,
        BY_SOURCE + BY_BOTH + BY_HOUR,
    )
    _files, tables = written(
        again, [np.zeros(t.shape, dtype=bool) for t in built.tables], tmp_path / "w"
    )
    for table, mine in zip(tables, built.tables, strict=True):
        assert (table.values == mine.values).all()
