"""`python -m anonymize.where AGENCY.toml`: where `make run` keeps that agency's release."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

EXAMPLE_CITY = "example_city"


def release_folder(agency_file: Path) -> Path:
    """`data_public` for the committed example city, else `build/<agency id>/data_public`."""
    try:
        agency = tomllib.loads(agency_file.read_text(encoding="utf-8"))["agency"]["id"]
    except (OSError, ValueError, KeyError, TypeError):
        agency = "unnamed"  # the build itself says what is wrong with the file
    return Path("data_public") if agency == EXAMPLE_CITY else Path("build") / str(agency) / "data_public"


if __name__ == "__main__":
    print(release_folder(Path(sys.argv[1])))
