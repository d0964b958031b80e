"""Certificates: what holds is accepted, each way to break one is refused, and a build without them
writes nothing."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from anonymize.errors import ProtectionError
from anonymize.protect import System, protect
from anonymize.protect.certificates import Certificates, certify, verify

K = 5
HIGH = K - 1


def table(counts):
    """A two-way table with totals as a system; cost is the count."""
    counts = np.array(counts)
    rows, columns = counts.shape
    cells, relations, number = [], [], {}
    for a, b in itertools.product([*range(rows), None], [*range(columns), None]):
        number[a, b] = len(cells)
        cells.append(
            [
                int(a in (None, i) and b in (None, j))
                for i, j in itertools.product(range(rows), range(columns))
            ]
        )
    for a in [*range(rows), None]:
        relations.append((number[a, None], tuple(number[a, b] for b in range(columns))))
    for b in [*range(columns), None]:
        relations.append((number[None, b], tuple(number[a, b] for a in range(rows))))
    matrix = sp.csr_matrix(np.array(cells, dtype=np.int64))
    values = matrix @ counts.ravel()
    return System(
        matrix,
        sp.csr_matrix((0, counts.size), dtype=np.int64),
        counts.ravel(),
        values,
        (values > 0) & (values < K),
        np.zeros(len(values), dtype=bool),
        np.maximum(values, 0.5).astype(float),
        tuple((("cell", str(i)),) for i in range(len(values))),
        (np.arange(len(values)),),
        tuple(relations),
        np.zeros(len(values), dtype=bool),
        np.zeros(len(values), dtype=bool),
    )


@pytest.fixture
def proven():
    protected = protect(table([[2, 30, 40], [25, 3, 60], [50, 40, 90]]), HIGH)
    proof = certify(protected)
    assert not proof.missing
    return protected, proof.result()


def check(protected, certificates):
    verify(protected.system, HIGH, protected.withheld, certificates)


def test_accepts_what_holds(proven, tmp_path):
    protected, certificates = proven
    check(protected, certificates)
    certificates.save(tmp_path / "c.npz")
    assert (tmp_path / "c.npz").stat().st_mode & 0o777 == 0o600
    check(protected, Certificates.open(tmp_path / "c.npz"))


def test_refuses_a_move_that_changes_a_published_cell(proven):
    protected, certificates = proven
    moves = certificates.moves.tolil()
    moves[0, int(np.argmax(protected.system.leaves))] += 1
    with pytest.raises(ProtectionError):
        check(protected, replace(certificates, moves=moves.tocsr()))


def test_refuses_negative_counts(proven):
    protected, certificates = proven
    with pytest.raises(ProtectionError):
        check(protected, replace(certificates, moves=certificates.moves * 100))


def test_refuses_a_move_that_falls_short(proven):
    protected, certificates = proven
    with pytest.raises(ProtectionError):
        check(protected, replace(certificates, moves=certificates.moves * 0))
    with pytest.raises(ProtectionError):
        check(protected, replace(certificates, low=certificates.high, high=certificates.low))


def test_refuses_a_missing_cell_and_a_published_small_count(proven):
    protected, certificates = proven
    with pytest.raises(ProtectionError):
        check(
            protected,
            replace(
                certificates,
                cells=certificates.cells[1:],
                low=certificates.low[1:],
                high=certificates.high[1:],
            ),
        )
    protected.withheld = protected.withheld & ~protected.system.sensitive
    with pytest.raises(ProtectionError):
        check(protected, certificates)


def test_finds_nothing_where_nothing_is_withheld():
    protected = protect(table([[2, 30, 40], [25, 3, 60], [50, 40, 90]]), HIGH)
    protected.withheld = protected.system.sensitive.copy()
    assert set(certify(protected).missing) == set(
        np.flatnonzero(protected.system.sensitive).tolist()
    )


def test_same_result_twice():
    rng = np.random.default_rng(3)
    system = table(rng.negative_binomial(1, 0.08, (9, 8)))
    first, second = protect(system, HIGH), protect(system, HIGH)
    assert np.array_equal(first.withheld, second.withheld)
    assert first.bound <= first.cost + 1e-6
