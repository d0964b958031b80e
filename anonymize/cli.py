"""The command line: check, plan, build, publish, audit, demo."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from anonymize.errors import AnonymizeError, ProblemsError
from anonymize.faults import sentence
from anonymize.progress import Progress

EXIT_CODES = """exit codes: 0 done; 2 agency file or command wrong; 3 export unreadable, too many rejected rows, or days without
a record that nothing explains; 4 values not mapped; 5 areas wrong; 6 tables cannot be made or audited; 7 protection failed;
8 audit failed; 9 release could not be read or written; 1 anything else"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m anonymize",
        description="From an agency's private call records to a public release that nobody can work back.",
        epilog=f"examples:\n  python -m anonymize demo\n  python -m anonymize check examples/example_city/agency.toml\n  python -m anonymize plan examples/example_city/agency.toml\n"
        f"  python -m anonymize build examples/example_city/agency.toml --out data_public\n  python -m anonymize audit data_public\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, short: str, example: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=short, description=short, epilog=f"example:\n  python -m anonymize {example}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        added.add_argument("--quiet", action="store_true", help="say nothing about progress")
        return added

    def private(added: argparse.ArgumentParser) -> None:
        added.add_argument("agency", type=Path, metavar="AGENCY.toml", help="the agency file")
        added.add_argument(
            "--private", type=Path, metavar="DIR",
            help="folder for private files such as rejects.csv (default: private/<agency id> in the current folder)",
        )  # fmt: skip

    check = command("check", "Read the exports, tally every row, write nothing public.", "check examples/toronto.toml")
    private(check)
    plan = command("plan", "Say how much of each table would be withheld, and propose coarser tables that show more.", "plan agency.toml")
    private(plan)
    build = command(
        "build", "Make a candidate release and attack it; keep it for approval only if it holds.", "build agency.toml --out data_public"
    )
    private(build)
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the live release, which is only read")
    out = command(
        "publish", "Make the candidate live, once a person has read its report.", "publish agency.toml --out data_public --role 'Privacy officer' --code 3f2a90c41b7d"
    )  # fmt: skip
    private(out)
    out.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the live release")
    out.add_argument("--role", required=True, help="role of the person who approves; it is published, so no name")
    out.add_argument("--code", required=True, help="code at the end of the build report that this person has read")
    out.add_argument(
        "--date", type=_day, default=None, metavar="YYYY-MM-DD", help="day of the approval, from the build to today (default: today)"
    )
    for added in (build, out):
        added.add_argument("--replace", action="store_true", help="overwrite an earlier, different release that nobody outside has seen")
    audit = command("audit", "Attack a release with its public files alone; exit 0 only when the promise holds.", "audit data_public")
    audit.add_argument("release", type=Path, metavar="DIR", help="folder of the release")
    audit.add_argument(
        "--known", type=Path, metavar="FILE.toml", help="counts known from elsewhere: [[total]] codes, value; [[zero]] codes"
    )
    demo = command("demo", "Write the fictional example city's exports.", "demo --out examples/example_city/exports")
    demo.add_argument(
        "--out", type=Path, metavar="DIR", default=Path("examples/example_city/exports"), help="folder (default: %(default)s)"
    )
    demo.add_argument(
        "--release", type=Path, metavar="DIR", help="also build the city's two releases in this folder, which is emptied first"
    )
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no date; write it as YYYY-MM-DD") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    args = _parser().parse_args(arguments)
    progress = Progress(quiet=args.quiet)
    os.umask(0o077)
    try:
        return {"check": _check, "plan": _plan, "build": _build, "publish": _publish, "audit": _audit, "demo": _demo}[args.command](
            args, progress
        )
    except AnonymizeError as error:
        lines = error.problems if isinstance(error, ProblemsError) else (str(error),)
        for line in lines:
            print(f"{error.kind}: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    except Exception as error:
        print(f"error: {sentence(error)}", file=sys.stderr)
        return 1


def _silence_solver() -> None:
    """HiGHS prints its licence line to the C standard output when first made; keep it out of our own."""
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


def _private_folder(args: argparse.Namespace, agency_id: str) -> Path:
    """Made, and readable by its owner alone whatever it was. Raises ReleaseError."""
    from anonymize.private_files import secure
    from anonymize.release.publish import place_of

    private = Path(args.private) if args.private else Path("private") / agency_id
    if args.command in ("build", "publish"):
        place_of(args.out, private)
    secure(private)
    return private


def _check(args: argparse.Namespace, progress: Progress) -> int:
    from anonymize.build_report import write_private
    from anonymize.gaps import answers_text
    from anonymize.pipeline import check, read_inputs, refuse_unplanned
    from anonymize.portrait_html import portrait_html
    from anonymize.portrait_text import for_screen, portrait_text

    inputs = read_inputs(args.agency)
    refuse_unplanned(inputs.config, inputs.codelists)
    private = _private_folder(args, inputs.config.file.agency.id)
    seen = check(inputs, private, progress)
    text = portrait_text(seen.portrait, seen.tally)
    if answers := answers_text(seen.tally.unanswered, inputs.config):
        text += f"\n\n{answers}"
    write_private(private / "portrait.txt", text)
    write_private(private / "portrait.html", portrait_html(seen.portrait, seen.tally))
    # Where nobody watches, a sentence stays on one line, so that it can be searched for.
    print(for_screen(text, sys.stdout.encoding, wrapped=sys.stdout.isatty()))
    print(f"\nRejected rows, with reasons: {private / 'rejects.csv'} (private)")
    print(f"This text: {private / 'portrait.txt'} (private)")
    print(f"The same with charts, for a browser: {private / 'portrait.html'} (private)")
    return 0


def _plan(args: argparse.Namespace, progress: Progress) -> int:
    from anonymize.build_report import plan_text, write_private
    from anonymize.pipeline import plan, read_inputs

    _silence_solver()
    inputs = read_inputs(args.agency)
    private = _private_folder(args, inputs.config.file.agency.id)
    text = plan_text(*plan(inputs, private, progress))
    write_private(private / "plan.txt", text)
    print(text)
    return 0


def _build(args: argparse.Namespace, progress: Progress) -> int:
    from anonymize.build_report import build_text, write_private
    from anonymize.pipeline import CANDIDATE, build, read_inputs, refuse_unplanned
    from anonymize.release.publish import CODE_LENGTH

    _silence_solver()
    inputs = read_inputs(args.agency)
    refuse_unplanned(inputs.config, inputs.codelists)
    private = _private_folder(args, inputs.config.file.agency.id)
    built = build(inputs, args.out, private, replace=args.replace, progress=progress)
    text = build_text(built)
    write_private(private / "build_report.txt", text)
    print(text)
    if built.changed:
        code = built.digest[:CODE_LENGTH]
        print(f"Candidate: {private / CANDIDATE}. Nothing is public yet. When a person has read this report:")
        print(f"  python -m anonymize publish {args.agency} --out {args.out} --role 'THEIR ROLE' --code {code}")
    else:
        print(f"Release: {args.out} (is out already, byte for byte)")
    return 0


def _publish(args: argparse.Namespace, progress: Progress) -> int:
    from anonymize.pipeline import CANDIDATE, publish, read_inputs
    from anonymize.private_files import sweep
    from anonymize.release.publish import Approval, clear_up, place_of, today

    _silence_solver()
    private = _private_folder(args, read_inputs(args.agency).config.file.agency.id)
    sweep(private, CANDIDATE)
    clear_up(place_of(args.out, private))
    publish(private / CANDIDATE, args.out, Approval(args.role, args.date or today()), args.code, replace=args.replace, progress=progress)
    print(f"Release: {args.out} is live")
    return 0


def _audit(args: argparse.Namespace, progress: Progress) -> int:
    from anonymize.audit import audit_release
    from anonymize.errors import AuditError

    _silence_solver()
    report = audit_release(args.release, progress, args.known)
    print(report.to_text())
    return 0 if report.passed else AuditError.exit_code


def _demo(args: argparse.Namespace, progress: Progress) -> int:
    from anonymize.demo import write_exports

    with progress.step("Making the example city's exports"):
        # A build reads them where the agency file says they are.
        files = write_exports(args.out.parent / "exports" if args.release else args.out)
    if args.release:
        from anonymize.demo_release import make_example

        _silence_solver()
        _built, out = make_example(args.out.parent / "agency.toml", args.release, progress)
        print(f"Release: {out}")
        return 0
    for file in files:
        print(file)
    return 0
