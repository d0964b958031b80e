"""The example city's two releases, one after the other, each approved as made up: what `make run`
serves and tests look at."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from anonymize.demo.previous_release import write_earlier
from anonymize.demo.program_data import EXAMPLE_CITY
from anonymize.pipeline import CANDIDATE, Built, build, publish, read_inputs
from anonymize.progress import QUIET, Progress
from anonymize.release.publish import CODE_LENGTH, Approval
from anonymize.release.seal import seal

ROLE = "Example: nobody, the data are made up"


def provide_agency_file(folder: Path) -> Path:
    """Copy the example city's `agency.toml` into `folder`, next to the exports in `exports/`.

    A file that is already there stays as it is.
    """
    wanted = folder / "agency.toml"
    if not wanted.exists():
        folder.mkdir(parents=True, exist_ok=True)
        wanted.write_bytes((EXAMPLE_CITY / "agency.toml").read_bytes())
    return wanted


def make_example(agency_file: Path, folder: Path, progress: Progress = QUIET) -> tuple[Built, Path]:
    """Build and publish both releases in `folder` from the exports next to `agency_file`; gives
    the later build and its release's folder.

    `folder` is emptied first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    out, private = folder / "data_public", folder / "private"
    built = None
    for agency, day in (
        (write_earlier(folder / "earlier", agency_file), date(2025, 1, 14)),
        (agency_file, date(2026, 1, 14)),
    ):
        inputs = read_inputs(agency)
        progress.say(f"Release {inputs.config.file.release.version}")
        built = build(inputs, out, private, progress=progress)
        seal(private / CANDIDATE, private, day)  # the made-up city lives on days of its own
        publish(
            private / CANDIDATE,
            out,
            Approval(ROLE, day, built.digest[:CODE_LENGTH]),
            replace=False,
            now=day,
        )
    assert built is not None
    return built, out
