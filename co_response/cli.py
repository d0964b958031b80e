"""`co-response`: every command of the project.

init, check, plan, build, refresh, publish, audit and demo come from `anonymize.cli`; `export` and
`serve` need the public side alone. Exit codes are those of `anonymize.cli.EXIT_CODES`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from anonymize import cli as private_side
from anonymize.cli import Finished, Quiet, complain, epilog
from co_response import __version__

NAME = "co-response"

app = typer.Typer(
    help="From an agency's private call records to a public website about its co-responder teams.",
    epilog=epilog("demo --release example", "serve --release example/data_public")
    + "\n\nYour own agency: check, then build, then publish, then serve or export.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would print local variables, and so records
    rich_markup_mode=private_side.HELP_STYLE,
)

public_side = typer.Typer()

ReleaseFolder = Annotated[
    Path, typer.Option("--release", metavar="DIR", help="Folder of the release.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the program as a whole."""


@public_side.command(epilog=epilog("export --release data_public --out site"))
def export(
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="New or empty folder for the site.", show_default=False),
    ],
    release: ReleaseFolder = Path("data_public"),
    quiet: Quiet = False,
) -> None:
    """Write a release as a static website: every page in every language, and all data."""
    from dashboard.__main__ import main as write_files

    arguments = ["export", "--release", str(release), "--out", str(out)]
    raise Finished(write_files([*arguments, *(["--quiet"] if quiet else [])]))


@public_side.command(epilog=epilog("serve --release data_public --port 8501"))
def serve(
    release: ReleaseFolder = Path("data_public"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help=(
                "Address to listen on. The default answers this machine alone; see deploy/README.md"
                " before you let others in."
            ),
        ),
    ] = "127.0.0.1",
) -> None:
    """Show a release as a website on this machine, until Ctrl+C."""
    from dashboard.page.app_folder import APP_FOLDER
    from dashboard.page.standard_texts import refusal
    from dashboard.release.reader import ReleaseRefused, load_release

    try:
        load_release(release)
    except ReleaseRefused as refused:
        complain("release", f"{release}: {refusal(refused.reason)}")
        raise Finished(1) from None
    print(f"Serving {release} on http://{address}:{port} (stop with Ctrl+C)", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", str(APP_FOLDER / "service.py")]
    command += ["--server.port", str(port), "--server.address", address]
    environment = {**os.environ, "RELEASE_DIR": str(release.resolve())}
    with subprocess.Popen(command, env=environment) as served:
        # A service manager ends the command alone: the website is not to outlive it.
        signal.signal(signal.SIGTERM, lambda *_given: served.terminate())
        try:
            code = served.wait()
        except KeyboardInterrupt:
            raise Finished(0) from None
        if code == -signal.SIGTERM:
            raise Finished(0)
        raise Finished(code if code >= 0 else SIGNALED - code)


SIGNALED = 128
"""With the number of the signal that ended a program: its exit code, as shells say it."""
app.add_typer(private_side.app)
app.add_typer(public_side)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Raises SystemExit where the command line is wrong."""
    return private_side.run(app, arguments, NAME)
