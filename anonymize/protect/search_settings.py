"""How the search for secondary suppressions spends its time: every constant, with what it does.

Chosen by experiment (`docs/design/secondary-suppression.md`). *Effort* is the size of a program
(cells and leaves) times the number of programs solved. A system is *wide* from `wide_leaves` on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bid:
    """What a target offers for published cells: calls moved, times the cost of the cells.

    `offer` is varied by up to a half, at random: of equal bidders for the same cells each would
    get a part, and none enough. `dearest`: the dearest cell that may be bought. `share`: how many
    targets bid in one program, as a multiple of the usual number.
    """

    offer: float
    dearest: float = np.inf
    share: float = 1.0


WITHIN_REACH = Bid(500, 0, 20)
"""A bid limited to cells already withheld: it reaches targets that only competing targets had
blocked, at no cost."""


@dataclass(frozen=True)
class SearchSettings:
    """Constants of `SecondarySearch` and of the rounds around it."""

    # Rounds of cuts
    cheap_effort: int = 30_000
    """Where all took less effort than this, the cheapest pattern is completed too."""
    cut_effort: int = 8
    """A cut takes about as long as this many moves."""
    max_effort: int = 1_500_000
    """No new round begins past this effort, the cuts to come included."""
    max_gap_for_cuts: float = 0.15
    """Cuts are worth their time where the cost is at most this share above the proven bound."""
    always_cut_below: int = 100_000
    """Cuts of less effort are always tried."""

    # Sweeps
    workers: int = 2
    """Programs solved side by side. The same on every machine, since the result depends on it."""
    max_sweeps: int = 3
    max_sweeps_wide: int = 2
    """In a wide system a third sweep reaches less than bids do in the same time."""
    min_share_reached: float = 0.1
    """A sweep that reaches less than this share of the targets left is the last."""
    min_subproblem_leaves: int = 6_000
    """A wide system is swept in parts of at least this many leaves."""

    # Bids
    bids: tuple[Bid, ...] = (Bid(500), Bid(2_000), Bid(8_000), Bid(64_000))
    """A target's bids, one after the other while it is not reached; then it is sought alone."""
    bids_wide: tuple[Bid, ...] = (
        Bid(500, 30, 2),
        Bid(500, 60, 2),
        WITHIN_REACH,
        Bid(2_000, 150, 0.5),
        Bid(4_000, 300, 0.4),
        Bid(8_000, 600, 0.4),
        Bid(16_000, 1_200, 0.2),
        Bid(64_000, share=0.1),
        Bid(64_000, share=0.1),
    )
    """In a wide system hundreds bid at once, and would buy dear cells for a few calls each."""
    bids_wide_pruning: tuple[Bid, ...] = (
        Bid(2_000, share=2),
        Bid(8_000),
        Bid(8_000),
        Bid(16_000, share=0.6),
        Bid(64_000, share=0.3),
        Bid(64_000, share=0.3),
    )
    """When a wide system is pruned: what may be had is known to be enough."""
    reference_leaves: int = 4_000
    """A system of this size has `bidder_share` of its targets bidding in one program, at least
    `min_bidders`; a larger system proportionally more. Fewer bidders take longer and withhold
    less."""
    bidder_share: float = 0.004
    min_bidders: int = 3
    bidder_growth: float = 1.1
    max_bidder_growth: float = 3.0
    """Where all bidders were reached, this many times as many bid from then on, otherwise as many
    times fewer; in systems above `reference_leaves` only, since smaller ones end cheaper
    without."""
    rider_offer: float = 0.05
    """What the other targets in a program offer: too little to withhold more, enough to be reached
    if it costs nothing."""
    rider_share: float = 0.1
    """The share of the other targets that ride along (all of them in a wide system)."""

    # Buying together first, in a wide system
    wide_leaves: int = 20_000
    """A system of more leaves buys together first, is swept in parts, and is pruned once."""
    together: tuple[tuple[float, Bid], ...] = (
        (0.15, Bid(500, 30)),
        (0.3, Bid(500, 30)),
        (0.5, Bid(500, 60)),
        (0.5, Bid(2_000, 150)),
        (1.0, Bid(2_000, 150)),
    )
    """The share of the targets left that bids in each program, and its bid."""
    calls_multiplied: float = 3.0
    """Each leaf may then give this many times its calls. Many targets need the same few calls,
    which one move can use only once; the cells that they need they can share."""
    uncrowded: int = 100
    """Of no more targets than this, none is much in the way of another."""

    # Pruning
    max_prunings: int = 4
    """Each takes about 0.4 of the time of the first completion."""
    unpruned_leaves: int = 100_000
    """A system of more leaves is not pruned: it takes minutes and saves 3 %."""
    min_share_saved: float = 0.02
    """A pruning that saves less than this share of the cost is the last; the next saves a third."""


SETTINGS = SearchSettings()
