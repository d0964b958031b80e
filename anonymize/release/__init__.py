"""Writing a release: the candidate folder, and putting it in place once it has passed its audit."""

from anonymize.release.candidate import write_candidate
from anonymize.release.publish import publish

__all__ = ["publish", "write_candidate"]
