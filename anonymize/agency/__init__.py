"""The agency file: reading, checking, and what its parts mean."""

from anonymize.agency.load import AgencyConfig, load

__all__ = ["AgencyConfig", "load"]
