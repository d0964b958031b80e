"""Every way a run can stop, one class per kind, each with its own exit code.

A message is written for the analyst who runs the program: where it is, what was found, what was
expected, how to mend it. It never holds the content of a record or a withheld value.
"""

from __future__ import annotations

from collections.abc import Sequence


class AnonymizeError(Exception):
    """Base of all expected failures. `exit_code` is what the command line returns."""

    exit_code = 1
    kind = "error"


class ProblemsError(AnonymizeError):
    """Several problems found in one pass, all of them reported together."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class SchemaError(ProblemsError):
    """The agency file itself is wrong (exit code 2)."""

    exit_code = 2
    kind = "agency file"


class SourceError(ProblemsError):
    """An export is missing, unreadable, or holds too many unusable rows (exit code 3)."""

    exit_code = 3
    kind = "source"


class MappingError(ProblemsError):
    """An export holds values that the agency file does not map (exit code 4)."""

    exit_code = 4
    kind = "mapping"


class AreaError(ProblemsError):
    """The area tree or its boundary file is wrong (exit code 5)."""

    exit_code = 5
    kind = "area"


class PlanError(ProblemsError):
    """The tables asked for cannot be counted, or cannot be audited exactly (exit code 6)."""

    exit_code = 6
    kind = "plan"


class ProtectionError(AnonymizeError):
    """Protection could not be completed; nothing was written (exit code 7)."""

    exit_code = 7
    kind = "protection"


class AuditError(AnonymizeError):
    """The audit could not be run, or found a leak (exit code 8)."""

    exit_code = 8
    kind = "audit"


class ReleaseError(AnonymizeError):
    """A release could not be read or written (exit code 9)."""

    exit_code = 9
    kind = "release"
