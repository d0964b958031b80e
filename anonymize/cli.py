"""The private side's commands: init, check, plan, build, refresh, publish, audit, demo.

`python -m anonymize` offers these eight; `co-response` (package `co_response`) offers them together
with those of the public side. Each ends with one of the exit codes in `EXIT_CODES`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from anonymize.command_name import MODULE, command_name
from anonymize.errors import AnonymizeError, ProblemsError
from anonymize.machine_faults import sentence
from anonymize.progress import Progress

if TYPE_CHECKING:
    from anonymize.protect.coarsen import Advice

EXIT_CODES = {
    0: "done",
    1: "anything else",
    2: "the agency file or the command is wrong",
    3: "an export is unreadable, has too many bad rows, or unexplained empty days",
    4: "values are not mapped",
    5: "areas are wrong",
    6: "tables cannot be counted or audited",
    7: "protection failed",
    8: "the audit failed",
    9: "a release could not be read or written",
    130: "stopped by the keyboard",
}

MarkupMode = Literal["markdown", "rich"] | None
HELP_STYLE: MarkupMode = "rich" if sys.stdout.isatty() else None
"""Colours and boxes for a person at a terminal; plain lines in a pipe, a file or a log."""


SHEETS = "sheets"
"""Name of the working folder in which parsed sheets of workbooks lie."""


class Finished(SystemExit):
    """A command came to its end; `code` is its exit code. Other exits are of the command line."""


def epilog(*examples: str) -> str:
    """What stands below a command's help: examples (without the program's name), exit codes."""
    lines = ["\b", "example:" if len(examples) == 1 else "examples:"]
    lines += [f"  {command_name()} {example}" for example in examples]
    lines += ["", "\b", "exit codes:"]
    lines += [f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join(lines)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no date; write it as YYYY-MM-DD") from None


AgencyFile = Annotated[
    Path, typer.Argument(metavar="AGENCY.toml", help="The agency file.", show_default=False)
]
PrivateFolder = Annotated[
    Path | None,
    typer.Option(
        "--private",
        metavar="DIR",
        help=(
            "Folder for private files such as rejects.csv. If not given: private/<agency id> in the"
            " current folder."
        ),
    ),
]
LiveFolder = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        show_default=False,
        help="Folder of the live release. Only `publish` writes there.",
    ),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Overwrite an earlier, different release that nobody outside has seen.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]

app = typer.Typer(
    help="From an agency's private call records to a public release that hides every small count.",
    epilog=epilog(
        "demo",
        "check examples/example_city/agency.toml",
        "plan examples/example_city/agency.toml",
        "build examples/example_city/agency.toml --out data_public",
        "audit data_public",
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, and so records
    rich_markup_mode=HELP_STYLE,
)


@contextmanager
def private_command() -> Iterator[None]:
    """What holds for every command of this side: files that only their owner can read, and each
    failure turned into its message on standard error and its exit code (`Finished`)."""
    os.umask(0o077)
    try:
        yield
        return
    except AnonymizeError as error:
        problems = error.problems if isinstance(error, ProblemsError) else (str(error),)
        for problem in problems:
            complain(error.kind, problem)
        code = error.exit_code
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        code = 130
    except Exception as error:
        complain("error", sentence(error))
        code = 1
    raise Finished(code)


def complain(kind: str, message: str) -> None:
    """One failure on standard error; its kind in red where someone watches."""
    if sys.stderr.isatty():
        kind = typer.style(kind, fg=typer.colors.RED, bold=True)
    print(f"{kind}: {message}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of the private side; returns its exit code.

    Raises SystemExit where the command line itself is wrong.
    """
    return run(app, arguments, MODULE)


def run(commands: typer.Typer, arguments: Sequence[str] | None, name: str) -> int:
    """Run one of `commands` under the program's `name`. Returns and raises as `main` does."""
    try:
        commands(sys.argv[1:] if arguments is None else list(arguments), prog_name=name)
    except SystemExit as ended:
        if ended.code == 0 or isinstance(ended, Finished):
            return int(ended.code or 0)
        raise
    return 0


def _silence_solver() -> None:
    """HiGHS prints its licence line to the C standard output when first made; keep it out of
    ours."""
    import highspy

    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            highspy.Highs()
            ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _private_folder(private: Path | None, agency_id: str, out: Path | None = None) -> Path:
    """The folder of private files, made if need be and readable by its owner alone.

    With `out`, also checks that the release would lie apart from it. Raises ReleaseError.
    """
    from anonymize.private_files import secure
    from anonymize.release.publish import place_of

    folder = private or Path("private") / agency_id
    if out is not None:
        place_of(out, folder)
    secure(folder)
    return folder


@app.command(epilog=epilog("init calls.csv beats.geojson --out my/agency.toml"))
def init(
    exports: Annotated[
        list[Path],
        typer.Argument(
            metavar="EXPORT...",
            help="Exports of calls, outlines of areas, and what stands beside the calls.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="AGENCY.toml", help="The agency file to write.")
    ] = Path("agency.toml"),
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; take every guess, with its mark.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Say what each column of the export was taken for, and why."
        ),
    ] = False,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview",
            help=(
                "For a look only: take every guess, in a file whose release can never be published."
            ),
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace an agency file that is there already."),
    ] = False,
    private: PrivateFolder = None,
    quiet: Quiet = False,
) -> None:
    """Draft an agency file from exports as they are, then check it."""
    with private_command():
        from anonymize.draft import Wanted, run
        from anonymize.private_files import secure, sweep, working_folder
        from anonymize.read.workbook import kept_in

        wanted = Wanted(yes=yes or preview, explain=explain, overwrite=overwrite, preview=preview)
        folder = private or Path("private")
        secure(folder)
        sweep(folder, SHEETS)
        # Sheets that the draft has parsed are there for the check.
        with working_folder(folder, SHEETS) as parsed, kept_in(parsed):
            if run(exports, out, wanted, private=private, progress=Progress(quiet=quiet)):
                _try_tables(out, _check(out, private, quiet, try_tables=True))


@app.command(epilog=epilog("check agency.toml"))
def check(agency: AgencyFile, private: PrivateFolder = None, quiet: Quiet = False) -> None:
    """Read the exports, account for every row, and publish nothing."""
    with private_command():
        _check(agency, private, quiet)


def _try_tables(agency: Path, advice: Advice | None) -> None:
    """Says what trying the tables of a drafted file has shown. Where some stay too small, the file
    gets the others by name."""
    from anonymize.agency.edit import write_plan
    from anonymize.build_report import tables_text
    from anonymize.pipeline import read_inputs, table_specs

    if advice is None:
        return
    config = read_inputs(agency).config
    kept = tuple(spec for spec in advice.specs if spec.name not in advice.hopeless)
    written = write_plan(config, kept, advice.merged) if kept and advice.hopeless else ""
    print(f"\n{tables_text(table_specs(config), advice, written)}")


def _check(
    agency: Path, private: Path | None, quiet: bool, *, try_tables: bool = False
) -> Advice | None:
    from anonymize.build_report import write_private
    from anonymize.pipeline import check as read_all
    from anonymize.pipeline import read_inputs, refuse_unplanned
    from anonymize.portrait.as_html import portrait_html
    from anonymize.portrait.as_text import for_screen, portrait_text
    from anonymize.records.gaps import answers_text

    inputs = read_inputs(agency)
    refuse_unplanned(inputs.config, inputs.codelists)
    folder = _private_folder(private, inputs.config.file.agency.id)
    seen = read_all(inputs, folder, Progress(quiet=quiet), try_tables=try_tables)
    text = portrait_text(seen.portrait, seen.tally)
    if answers := answers_text(seen.tally.unanswered, inputs.config):
        text += f"\n\n{answers}"
    write_private(folder / "portrait.txt", text)
    write_private(folder / "portrait.html", portrait_html(seen.portrait, seen.tally))
    # Where nobody watches, a sentence stays on one line, so that it can be searched for.
    print(for_screen(text, sys.stdout.encoding, wrapped=sys.stdout.isatty()))
    print(f"\nRejected rows, with reasons: {folder / 'rejects.csv'} (private)")
    print(f"This text: {folder / 'portrait.txt'} (private)")
    print(f"The same with charts, for a browser: {folder / 'portrait.html'} (private)")
    return seen.advice


@app.command(epilog=epilog("plan agency.toml --write"))
def plan(
    agency: AgencyFile,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help=(
                "Write what is proposed into the agency file; its comments and layout stay as they"
                " are."
            ),
        ),
    ] = False,
    private: PrivateFolder = None,
    quiet: Quiet = False,
) -> None:
    """Say how much of each table would be withheld; propose coarser tables that show more, and
    finer ones where nothing is withheld."""
    with private_command():
        from anonymize.agency.edit import write_plan
        from anonymize.build_report import plan_text, write_private
        from anonymize.pipeline import plan as advise
        from anonymize.pipeline import read_inputs

        _silence_solver()
        inputs = read_inputs(agency)
        folder = _private_folder(private, inputs.config.file.agency.id)
        asked, advised, advice = advise(inputs, folder, Progress(quiet=quiet))
        text = plan_text(asked, advised, advice)
        write_private(folder / "plan.txt", text)
        print(text)
        if write and advice.changes:
            earlier = agency.read_bytes().decode("utf-8")
            write_private(folder / "agency-before-plan.toml", earlier)
            lines = write_plan(inputs.config, advice.specs, advice.merged)
            print(
                "\n"
                f"Written to {agency} ({lines}). The file as it was: "
                f"{folder / 'agency-before-plan.toml'} (private)"
            )


@app.command(epilog=epilog("build agency.toml --out data_public"))
def build(
    agency: AgencyFile,
    out: LiveFolder,
    private: PrivateFolder = None,
    replace: Replace = False,
    quiet: Quiet = False,
) -> None:
    """Make a candidate release and attack it; keep it for approval only if it holds."""
    with private_command():
        from anonymize.build_report import build_text, write_private
        from anonymize.pipeline import CANDIDATE, read_inputs, refuse_unplanned
        from anonymize.pipeline import build as make
        from anonymize.release.publish import CODE_LENGTH

        _silence_solver()
        inputs = read_inputs(agency)
        refuse_unplanned(inputs.config, inputs.codelists)
        folder = _private_folder(private, inputs.config.file.agency.id, out)
        built = make(inputs, out, folder, replace=replace, progress=Progress(quiet=quiet))
        text = build_text(built)
        write_private(folder / "build_report.txt", text)
        print(text)
        if inputs.config.file.release.preview:
            print(
                f"Preview: {folder / CANDIDATE}. It is made of guesses, and can never be published."
            )
            return
        if not built.changed:
            print(f"Release: {out} (is out already, byte for byte)")
            return
        code = built.digest[:CODE_LENGTH]
        print(f"Candidate: {folder / CANDIDATE}. Nothing is public yet.", end=" ")
        print("When a person has read this report:")
        print(
            f"  {command_name()} publish {agency} --out {out} --role 'THEIR ROLE' --code {code}",
        )


@app.command(epilog=epilog("refresh agency.toml --out data_public"))
def refresh(
    agency: AgencyFile,
    out: LiveFolder,
    until: Annotated[
        date | None,
        typer.Option(
            "--until",
            parser=_day,
            metavar="YYYY-MM-DD",
            help="Last day of the data. If not given: the last day of the month before this one.",
        ),
    ] = None,
    private: PrivateFolder = None,
    quiet: Quiet = False,
) -> None:
    """Build the next candidate from newer exports, and say what is new in them."""
    with private_command():
        from anonymize.pipeline import read_inputs
        from anonymize.refresh import refresh as renew

        _silence_solver()
        agency_id = read_inputs(agency).config.file.agency.id
        folder = _private_folder(private, agency_id, out)
        made = renew(agency, out, folder, until=until, progress=Progress(quiet=quiet))
        for line in (*made.news.lines(), made.result(agency_id)):
            print(line)


@app.command(
    epilog=epilog(
        "publish agency.toml --out data_public --role 'Privacy officer' --code 3f2a90c41b7d"
    )
)
def publish(
    agency: AgencyFile,
    out: LiveFolder,
    role: Annotated[
        str,
        typer.Option(
            help="Role of the person who approves. It is published, so give no name.",
            show_default=False,
        ),
    ],
    code: Annotated[
        str,
        typer.Option(
            help="Code at the end of the build report that this person has read.",
            show_default=False,
        ),
    ],
    day: Annotated[
        date | None,
        typer.Option(
            "--date",
            parser=_day,
            metavar="YYYY-MM-DD",
            help="Day of the approval: from the day of the build to today. If not given: today.",
        ),
    ] = None,
    private: PrivateFolder = None,
    replace: Replace = False,
    quiet: Quiet = False,
) -> None:
    """Make the candidate live, once a person has read its report."""
    with private_command():
        from anonymize.pipeline import CANDIDATE, read_inputs, refuse_preview
        from anonymize.pipeline import publish as let_out
        from anonymize.private_files import sweep
        from anonymize.release.publish import Approval, clear_up, place_of, today

        _silence_solver()
        config = read_inputs(agency).config
        refuse_preview(config)
        folder = _private_folder(private, config.file.agency.id, out)
        sweep(folder, CANDIDATE)
        clear_up(place_of(out, folder))
        let_out(
            folder / CANDIDATE,
            out,
            Approval(role, day or today(), code),
            replace=replace,
            progress=Progress(quiet=quiet),
        )
        print(f"Release: {out} is live")


@app.command(epilog=epilog("audit data_public"))
def audit(
    release: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the release.", show_default=False)
    ],
    known: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help=(
                "Counts that an attacker knows from elsewhere: tables named `total` (codes and"
                " value) and `zero` (codes)."
            ),
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Attack a release with its public files alone; exit code 0 only when the promise holds."""
    with private_command():
        from anonymize.audit import audit_release
        from anonymize.errors import AuditError

        _silence_solver()
        report = audit_release(release, Progress(quiet=quiet), known)
        print(report.to_text())
        if not report.passed:
            raise Finished(AuditError.exit_code)


@app.command(epilog=epilog("demo --release build/example_city"))
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the exports.")] = Path(
        "examples/example_city/exports"
    ),
    release: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also build the city's two releases in this folder, which is emptied first.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write the exports of a fictional example city, and its agency file where there is none."""
    with private_command():
        from anonymize.demo.city import write_exports
        from anonymize.demo.releases import provide_agency_file

        agency_file = provide_agency_file(out.parent)
        progress = Progress(quiet=quiet)
        with progress.step("Making the example city's exports"):
            # A build reads them where the agency file says they are.
            files = write_exports(out.parent / "exports" if release else out)
        if release:
            from anonymize.demo.releases import make_example

            _silence_solver()
            _built, made = make_example(agency_file, release, progress)
            print(f"Release: {made}")
            return
        for file in (agency_file, *files):
            print(file)
