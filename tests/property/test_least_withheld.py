"""On tables small enough for a proven optimum the engine stays close to it: median within 3 %,
worst within 10 %."""

import statistics
from dataclasses import replace

import numpy as np
import pytest

from anonymize.protect import move_lp, protect, secondary
from anonymize.protect.covering import Pattern
from anonymize.protect.protection_levels import targets_of
from anonymize.protect.subproblems import Subproblem
from tests.benchmark.instances import SHARED, load, tiny
from tests.benchmark.protection import Points, optimum, under_protected


def test_close_to_a_proven_optimum():
    ratios = []
    for seed in range(5):
        system = tiny(seed, 5)
        best, found = optimum(system, 5), protect(system, 4)
        assert found.bound <= best + 1e-6, "the proven bound must lie at or below the optimum"
        assert found.cost >= best - 1e-6, "nothing can cost less than the optimum"
        ratios.append(found.cost / best if best else 1.0)
    assert statistics.median(ratios) <= 1.03
    assert max(ratios) <= 1.10


def settings(monkeypatch, **values):
    """Another search than the usual one."""
    monkeypatch.setattr(secondary, "SETTINGS", replace(secondary.SETTINGS, **values))


@pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="../shared, with the instances that others were measured on, is not here",
)
@pytest.mark.parametrize(("threshold", "value"), [(5, 10_600), (11, 15_450)])
def test_a_cube_withholds_no_more_than_was_asked(threshold, value):
    """XS-cube of BENCHMARKS.md: nothing left exposed, and a value below what was asked (12,000,
    15,500) by what pruning spares; Gauss takes 1,049 cells at 5, leaving 1.6 % exposed."""
    system = load("XS-cube", threshold)
    protected = protect(system, threshold - 1)
    assert system.values[protected.withheld].sum() <= value
    assert threshold != 5 or protected.withheld.sum() <= 1.25 * 1_049
    assert under_protected(system, protected.withheld, threshold) == 0


@pytest.mark.parametrize("seed", range(3))
def test_pruning_only_takes_away(seed, monkeypatch):
    system = tiny(seed, 5)
    pruned = protect(system, 4)
    settings(monkeypatch, max_prunings=0)
    assert pruned.cost <= protect(system, 4).cost
    pattern = Pattern(system, targets_of(np.flatnonzero(system.sensitive), system.values, 4))
    lots = np.random.default_rng(0)
    for _ in range(5):
        drawn = pattern.drawn(pruned.withheld, lots)
        assert not np.any(drawn & ~pruned.withheld)
        assert np.all(drawn[system.sensitive])


@pytest.mark.parametrize("seed", range(3))
def test_no_program_asks_a_cell_to_go_both_ways(seed):
    system = tiny(seed, 5)
    targets = targets_of(np.flatnonzero(system.sensitive), system.values, 4)
    reach = secondary.SecondarySearch(system, targets, lambda done, total: None)
    reach.done = np.zeros(len(targets), dtype=bool)
    for _ in range(5):
        ways = reach._ways(~reach.done)
        assert sorted(np.concatenate(ways).tolist()) == list(range(len(targets)))
        for way in ways:
            cells = reach.needs.cells[way]
            assert len(np.unique(cells)) == len(cells)


@pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="../shared, with the instances that others were measured on, is not here",
)
def test_leaves_left_out_come_back_where_they_help(monkeypatch):
    """Programs that begin with a few of the empty leaves, and take in those that the ones before
    asked for, come to the same answer as one with all of them."""
    system = load("XS-cube", 11)
    withheld = system.values < 20
    targets = {t.cell: t for t in targets_of(np.flatnonzero(system.sensitive), system.values, 10)}
    subproblem = Subproblem.whole(system)

    def reached(sample=None):
        change = system.cells @ move_lp.furthest(
            subproblem, withheld, list(targets.values()), sample=sample
        )
        return sum(
            min(np.sign(t.need) * change[cell] / abs(t.need), 1) for cell, t in targets.items()
        )

    full = reached()
    monkeypatch.setattr(move_lp, "MAX_EMPTY_LEAVES", 0)
    monkeypatch.setattr(move_lp, "SAMPLE_SIZE", 10)
    monkeypatch.setattr(move_lp, "HELPS", 1e-6)
    sample = move_lp.LeafSample.draw(np.flatnonzero(system.leaves == 0), 0)
    assert full - reached(sample) > 1, "nothing was left out that helps: this shows nothing"
    for _ in range(50):
        sample.drawn = np.union1d(sample.drawn, sample.asked)
        latest = reached(sample)
    assert latest == pytest.approx(full, abs=1e-3)


@pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="../shared, with the instances that others were measured on, is not here",
)
def test_more_bid_where_all_were_reached(monkeypatch):
    """In a system that is not small, until one is not reached: fewer programs, and nothing is
    exposed."""
    system, programs = load("XS-cube", 5), []
    sought = secondary.furthest

    def counted(*job, **options):
        programs.append(job)
        return sought(*job, **options)

    def protected():
        programs.clear()
        return protect(system, 4).withheld, len(programs)

    settings(monkeypatch, max_prunings=0)
    settings(monkeypatch, reference_leaves=280)
    monkeypatch.setattr(secondary, "furthest", counted)
    withheld, programs_then = protected()
    assert under_protected(system, withheld, 5) == 0
    settings(monkeypatch, bidder_growth=1.0)
    assert programs_then < protected()[1]


def wide(monkeypatch, min_subproblem_leaves=3, many=2, sample=1):
    """Every system is taken for one of more than 20,000 leaves: bought together first, swept in
    parts, with leaves left out and bids of its own."""
    settings(monkeypatch, wide_leaves=5, min_subproblem_leaves=min_subproblem_leaves, uncrowded=0)
    monkeypatch.setattr(move_lp, "MAX_EMPTY_LEAVES", many)
    monkeypatch.setattr(move_lp, "SAMPLE_SIZE", sample)


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_system_is_as_safe(seed, monkeypatch):
    """And so is one that is too large to be pruned, which comes out no cheaper."""
    wide(monkeypatch)
    system = tiny(seed, 5)
    pruned = protect(system, 4)
    settings(monkeypatch, unpruned_leaves=5)
    unpruned = protect(system, 4)
    assert pruned.cost <= unpruned.cost
    for protected in (pruned, unpruned):
        assert under_protected(system, protected.withheld, 5) == 0


@pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="../shared, with the instances that others were measured on, is not here",
)
def test_what_is_bought_together_proves_nothing(monkeypatch):
    """As if there were three times the calls, all are reached; with the calls that there are, not
    all are, so more is withheld until they are."""
    wide(monkeypatch, min_subproblem_leaves=300, many=1_000, sample=200)
    bought, sweep = [], secondary.SecondarySearch._sweep

    def noted(reach):
        assert not reach.done.any()
        bought.append(reach.withheld.copy())
        sweep(reach)

    monkeypatch.setattr(secondary.SecondarySearch, "_sweep", noted)
    system = load("XS-cube", 5)
    withheld = protect(system, 4).withheld
    assert under_protected(system, bought[0], 5) > 0, "all were safe already: this shows nothing"
    assert under_protected(system, withheld, 5) == 0
    assert any(withheld[first].all() for first in bought)


@pytest.mark.parametrize("seed", range(3))
def test_a_count_that_no_bid_reaches_is_sought_alone(seed, monkeypatch):
    """And all of them, where nothing is swept and nobody may bid. What the solver finds nearly is
    enough: the audit has the last word."""
    sought, alone = secondary.least_disturbing, []

    def nearly(*job):
        alone.append(job)
        return 0.99 * sought(*job)

    settings(monkeypatch, max_sweeps=0)
    settings(monkeypatch, bids=())
    monkeypatch.setattr(secondary, "least_disturbing", nearly)
    system = tiny(seed, 5)
    assert under_protected(system, protect(system, 4).withheld, 5) == 0
    assert alone


def test_tables_judge_without_a_solver(monkeypatch):
    """The benchmark's judge by tables sees what is exposed, and that nothing is where the engine
    is done."""
    monkeypatch.setattr(
        secondary.SecondarySearch, "_note", secondary.SecondarySearch._note
    )  # put back after the test
    system, points = tiny(0, 5), Points()
    withheld = protect(system, 4).withheld
    assert points.unseen(system, withheld, 5) == 0
    assert points.unseen(system, system.sensitive, 5) > under_protected(system, withheld, 5) == 0
    points.moves.clear()
    assert points.unseen(system, withheld, 5) > 0
