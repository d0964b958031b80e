"""`python -m anonymize.paths AGENCY.toml`: where `make run` keeps that agency's live release; with
`--show`, what it serves."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def agency_id(agency_file: Path) -> str:
    try:
        return str(tomllib.loads(agency_file.read_text(encoding="utf-8-sig"))["agency"]["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unnamed"  # the build itself says what is wrong with the file


def release_folder(agency_file: Path) -> Path:
    return Path("build") / agency_id(agency_file) / "data_public"


def served_folder(agency_file: Path) -> Path:
    """The candidate that waits for approval, as a preview; else the live release."""
    candidate = Path("private") / agency_id(agency_file) / "candidate"
    return candidate if candidate.is_dir() else release_folder(agency_file)


if __name__ == "__main__":
    print((served_folder if "--show" in sys.argv else release_folder)(Path(sys.argv[1])))
