"""The command line of the public side: `python -m dashboard export --out DIR`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done; 1 the release cannot be shown or the folder cannot be written; 2 the
    command is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m dashboard",
        description="Make files from a release.",
        epilog="example:\n  python -m dashboard export --release data_public --out site",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    static = commands.add_parser(
        "export", help="write the static edition: every page in every language, and all data"
    )
    static.add_argument(
        "--release",
        type=Path,
        default=Path("data_public"),
        metavar="DIR",
        help="folder of the release (default: data_public)",
    )
    static.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new or empty folder"
    )
    static.add_argument("--quiet", action="store_true", help="say nothing about progress")
    args = parser.parse_args(arguments)

    from dashboard.page.standard_texts import refusal
    from dashboard.release.reader import ReleaseRefused, load_release
    from dashboard.site.static import export

    try:
        pages = export(
            load_release(args.release), args.out, (lambda line: None) if args.quiet else print
        )
    except ReleaseRefused as refused:
        print(f"{args.release}: {refusal(refused.reason)}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {error if error.strerror is None else f'{error.filename}: {error.strerror}'};"
            " nothing was written",
            file=sys.stderr,
        )
        return 1
    print(f"{args.out}: {pages} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
