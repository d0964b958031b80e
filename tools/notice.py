"""`python -m tools.notice`: the file NOTICE from the metadata of what is installed: each package of
the app's environment, its licence, where it comes from, and the licence files that its wheel
carries (of libraries built into it too, such as GEOS in shapely and GDAL in pyogrio)."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)(?: ; (.*?))?(?: \\)?$", re.MULTILINE)
HEAD = """NOTICE

What runs with the public app beside its own code (see LICENSE), by the metadata of each package.
An image or copy of the app that holds these packages holds the licence files named here too, in
each package's `*.dist-info` folder; some are of libraries built into the package.
Made by `python -m tools.notice` from lock/app.txt.
"""


def licence_of(found: Distribution) -> str:
    """What the package says of its own licence: an SPDX expression, the classifiers, or the
    beginning of a free text."""
    meta = found.metadata
    if said := meta.get("License-Expression"):
        return said
    classes = [
        c.rpartition(" :: ")[2]
        for c in meta.get_all("Classifier") or ()
        if c.startswith("License ::")
    ]
    said = (meta.get("License") or "").strip().splitlines()
    return "; ".join(classes) or (said[0][:80] if said else "not told")


def files_of(found: Distribution) -> list[str]:
    names = {Path(str(f)).name for f in found.files or () if ".dist-info/" in str(f)}
    return sorted(n for n in names if re.match(r"(?i)(licen[cs]e|copying|notice|authors)", n))


def notice() -> str:
    lines = [HEAD]
    for name, version, marker in PIN.findall((ROOT / "lock/app.txt").read_text()):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            lines.append(f"{name} {version}: on other systems only ({marker or 'no marker'})")
            continue
        home = (
            next((u.partition(", ")[2] for u in found.metadata.get_all("Project-URL") or ()), "")
            or found.metadata.get("Home-page")
            or ""
        )
        lines.append(
            f"{name} {version}: {licence_of(found)}"
            + (f"; {home}" if home else "")
            + (f"; {', '.join(files_of(found))}" if files_of(found) else "")
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / "NOTICE").write_text(notice(), encoding="utf-8")
    sys.exit(0)
