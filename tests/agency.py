"""Small agency files and exports for tests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from anonymize import pipeline
from anonymize.cli import main
from anonymize.engine import open_engine
from anonymize.errors import AnonymizeError
from anonymize.pipeline import CANDIDATE, Built, Inputs, check, publish, read_inputs
from anonymize.records.calls import Tally, read_calls
from anonymize.records.gaps import check_gaps
from anonymize.release.publish import CODE_LENGTH, Approval, digest_of
from anonymize.release.seal import seal

DAY = date(2024, 7, 1)
"""On which these small releases are built and approved, so that their bytes are the same on every
day."""

MINIMAL = """
[agency]
id = "small"
name = "Small"
place = "Small"
timezone = "America/Chicago"
publisher = "Small"
contact = "a@example.org"
licence = { name = "CC0", url = "https://creativecommons.org/publicdomain/zero/1.0/" }
about = "A test."

[release]
version = "2024.1"
created = 2024-07-01
data_from = 2024-01-01
data_to = 2024-06-30

[privacy]
threshold = 5

[calls]
paths = "calls.csv"
reject_limit_percent = 100
placeholders = ["-", "1900-01-01"]

[calls.time]
timestamp = "at"

[calls.columns]
call_id = "id"
call_type = "type"

[calls.values.call_type]
"Crisis" = "crisis"
"Check" = "check"

[dimensions.call_type]
name = "Type"
all = "All"
levels = ["type"]
codes = [
  { code = "crisis", en = "Crisis", es = "Crisis" },
  { code = "check", en = "Check", es = "Control" },
]

[[tables]]
name = "calls"
title = "Calls"
dimensions = { period = ["all", "year", "month"], call_type = ["all", "type"] }
"""


def write_agency(
    folder: Path,
    calls: str | None = None,
    replace: Mapping[str, str] | None = None,
    extra: str = "",
) -> Path:
    """MINIMAL with some lines replaced (each must be there), beside an export."""
    text = MINIMAL
    for old, new in (replace or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agency.toml").write_text(text + extra, encoding="utf-8")
    if calls is not None:
        (folder / "calls.csv").write_text(calls, encoding="utf-8")
    return folder / "agency.toml"


NOBODY_CALLED = """
[[release.gaps]]
from = {first}
to = {last}
no_calls = true
"""


def answer(agency: Path) -> None:
    """Write into the agency file, for each stretch without a record that the program asks about,
    that nobody called. Most tests make up a few days of calls in half a year."""
    for _ in range(5):
        inputs = read_inputs(agency)
        with (
            TemporaryDirectory() as private,
            open_engine(inputs.config.file, Path(private)) as engine,
        ):
            read_calls(engine, inputs.config, inputs.areas, Path(private))
            questions = check_gaps(engine, inputs.config)
        if not questions:
            return
        with agency.open("a", encoding="utf-8") as file:
            file.writelines(
                NOBODY_CALLED.format(first=q.span.first, last=q.span.last) for q in questions
            )
    raise AssertionError("a question is asked again after its answer")


def build(
    inputs: Inputs, out: Path, private: Path, *, replace: bool = False, answered: bool = True
) -> Built:
    """Build a candidate, and approve it where it is new. `answered`: where nothing is recorded
    nobody called, and the agency file says so."""
    if answered:
        answer(inputs.config.path)
        inputs = read_inputs(inputs.config.path)
    built = pipeline.build(inputs, out, private, replace=replace)
    if built.changed:
        seal(private / CANDIDATE, private, DAY)
        publish(
            private / CANDIDATE,
            out,
            Approval("Test", DAY, built.digest[:CODE_LENGTH]),
            replace=replace,
            now=DAY,
        )
    return built


def make(agency: Path, out: Path, private: Path, *more: str, answered: bool = True) -> int:
    """The same by the command line; gives the first exit code that is not 0."""
    if answered:
        with suppress(AnonymizeError):  # the build tells
            answer(agency)
    common = [str(agency), "--out", str(out), "--private", str(private), "--quiet", *more]
    code = main(["build", *common])
    if code or not (private / CANDIDATE).is_dir():
        return code
    return main(
        [
            "publish",
            *common,
            "--role",
            "Test",
            "--code",
            digest_of(private / CANDIDATE)[:CODE_LENGTH],
        ]
    )


def tally_of(agency: Path) -> Tally:
    return check(read_inputs(agency), agency.parent / "private").tally


def calls_of(agency: Path) -> list[dict[str, Any]]:
    """The canonical calls, as rows."""
    inputs: Inputs = read_inputs(agency)
    with open_engine(inputs.config.file, agency.parent / "private") as engine:
        read_calls(engine, inputs.config, inputs.areas, agency.parent / "private")
        frame = engine.ask("SELECT * FROM calls ORDER BY ALL")
    return frame.to_dict("records")


def lines_of(error: BaseException) -> list[int]:
    """The line numbers that a message names."""
    return [int(n) for n in re.findall(r"agency\.toml:(\d+):", str(error))]


def build_short_of_memory(
    agency: Path, out: Path, private: Path, megabytes: int
) -> subprocess.CompletedProcess[str]:
    """A build in a process whose memory is limited to what it holds once all is loaded, and
    `megabytes` more."""
    script = (
        "import resource, sys\n"
        "import anonymize.pipeline, anonymize.build_report, anonymize.release.publish\n"
        "from anonymize.cli import main\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (held + ({megabytes} << 20),) * 2)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    given = ["build", str(agency), "--out", str(out), "--private", str(private), "--quiet"]
    command = [sys.executable, "-c", script, *given]
    root = Path(__file__).resolve().parent.parent
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)


def publish_command(candidate: Path, out: Path) -> list[str]:
    """What is typed to approve `candidate`, which waits in the private folder next to its agency
    file."""
    return [
        "publish",
        str(candidate.parent.parent / "agency.toml"),
        "--out",
        str(out),
        "--private",
        str(candidate.parent),
        "--role",
        "T",
        "--code",
        digest_of(candidate)[:CODE_LENGTH],
    ]
