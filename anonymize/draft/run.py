"""Drafts an agency file from exports, asks what only a person can answer, and writes it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from anonymize.draft.ask import ask
from anonymize.draft.compose import Draft, compose
from anonymize.draft.explain import explanation
from anonymize.draft.write import agency_file, marks_in
from anonymize.engine import open_engine
from anonymize.engine.duck import database
from anonymize.errors import SchemaError
from anonymize.pipeline import read_inputs
from anonymize.private_files import secure
from anonymize.progress import QUIET, Progress
from anonymize.records.calls import read_calls
from anonymize.records.gaps import check_gaps

Answer = Callable[[str], str]
SHOWN = 12
"""Open decisions that are listed on the screen; the file has all."""


@dataclass(frozen=True)
class Wanted:
    """How to draft. `yes`: ask nothing; `explain`: say what each column was taken for; `overwrite`:
    replace a file that is there; `preview`: the file is for a look only, and its release can never
    be published; `today`: the day of the draft, where that is not the machine's."""

    yes: bool = False
    explain: bool = False
    overwrite: bool = False
    preview: bool = False
    today: date | None = None


PLAIN = Wanted()


def run(
    exports: Sequence[Path],
    out: Path,
    wanted: Wanted = PLAIN,
    *,
    private: Path | None = None,
    progress: Progress = QUIET,
    answer: Answer | None = None,
) -> bool:
    """Write the drafted agency file to `out`. False where a person did not want an earlier file to
    be overwritten.

    `answer` asks a person, and gives what they typed; on a terminal it is `input` unless `yes`.
    Raises SourceError, and SchemaError where `out` is there already and nobody can be asked.
    """
    private = private or Path("private")
    if answer is None and not wanted.yes and sys.stdin.isatty() and sys.stdout.isatty():
        answer = input
    if out.exists() and not wanted.overwrite:
        if answer is None:
            raise SchemaError(
                [
                    f"{out} is there already; name another file with --out, or write --overwrite to"
                    " replace it"
                ]
            )
        if answer(f"{out} is there already. Replace it? [y/N] ").strip().lower() not in (
            "y",
            "yes",
            "s",
            "si",
            "sí",
        ):
            return False
    with progress.step("Looking at the exports"):
        draft = drafted(exports, private, wanted.today or date.today())
    draft.preview = wanted.preview
    if answer is not None and not wanted.yes:
        ask(draft, answer)
    text = agency_file(draft, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    if wanted.preview:
        _leave_gaps_open(out, private)
    if wanted.explain:
        print(explanation(draft))
    print(_summary(out, out.read_text(encoding="utf-8")))
    return True


def _leave_gaps_open(out: Path, private: Path) -> None:
    """Stretches without a record, which nobody has explained, are not collected in a preview."""
    inputs = read_inputs(out)
    with open_engine(inputs.config.file, private) as engine:
        read_calls(engine, inputs.config, inputs.areas, private)
        questions = check_gaps(engine, inputs.config)
    why = (
        '{ en = "Nobody has said yet why no call is recorded.", es = "Aún nadie ha dicho por qué no'
        ' hay llamadas registradas." }'
    )
    with out.open("a", encoding="utf-8") as file:
        for one in questions:
            if not one.edge:
                file.write(
                    f"\n[[release.gaps]]\nfrom = {one.span.first}\nto = {one.span.last}\n"
                    f"reason = {why}  # DECIDE: is a file missing, or did nobody call?\n"
                )


def drafted(exports: Sequence[Path], private: Path, today: date) -> Draft:
    """The draft; copies of exports are made in the private folder, and go at the end."""
    secure(private)
    with TemporaryDirectory(dir=private, prefix="draft-") as folder, database(Path(folder)) as db:
        return compose(db, exports, Path(folder), today)


def _summary(out: Path, text: str) -> str:
    open_lines = marks_in(text)
    lines = [f"Drafted: {out} ({text.count(chr(10))} lines). Every guess has its reason behind it."]
    if open_lines:
        lines.append(f"Decisions for a person ({len(open_lines)}), each one line with DECIDE:")
        lines += [f"  line {n}: {what}" for n, what in open_lines[:SHOWN]]
        if len(open_lines) > SHOWN:
            lines.append(f"  and {len(open_lines) - SHOWN} more")
    return "\n".join(lines)
