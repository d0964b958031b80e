"""The disclosure audit: a program of its own that attacks a release with its public files alone.

It shares no code with `anonymize.protect` (import-linter checks that) and knows nothing that a
stranger with the release would not know.
"""

from anonymize.audit.report import AuditReport, audit_release

__all__ = ["AuditReport", "audit_release"]
