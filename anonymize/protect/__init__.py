"""Withhold small counts, and enough others that nobody can work them back out."""

from anonymize.protect.junction_tree import plan_cliques
from anonymize.protect.secondary import Protected, protect
from anonymize.protect.system import Block, Bound, Earlier, System, build_system, with_facts

__all__ = [
    "Block",
    "Bound",
    "Earlier",
    "Protected",
    "System",
    "build_system",
    "plan_cliques",
    "protect",
    "with_facts",
]
