"""`init`: from exports as they are to a drafted agency file, in which every guess has its reason
and every open decision is one marked line."""

from anonymize.draft.run import Wanted, run

__all__ = ["Wanted", "run"]
