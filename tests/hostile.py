"""A release whose every text is code for something: a browser, Markdown, a spreadsheet, Typst, a
chart's formula."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.hostile_agency import HOST, MARK, PAYLOAD


def texts(found: Any) -> Any:
    """Every {"en": ..., "es": ...} in a package, at any depth, replaced."""
    if isinstance(found, dict):
        if set(found) == {"en", "es"}:
            return {"en": PAYLOAD, "es": PAYLOAD}
        return {name: texts(value) for name, value in found.items()}
    return [texts(value) for value in found] if isinstance(found, list) else found


def hostile_csv(data: bytes, columns: tuple[str, ...] | None) -> bytes:
    """The texts of some columns replaced; of all with a space in them where no columns are
    named."""
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for n, row in enumerate(rows):  # labels of one list differ, as choices do
        changed = {
            name
            for name, value in row.items()
            if (name in columns if columns else " " in value and not value[0].isdigit())
        }
        writer.writerow(
            {name: f"{PAYLOAD} {n}" if name in changed else value for name, value in row.items()}
        )
    return buffer.getvalue().encode()


def hostile(folder: Path, source: Path = ROOT / "data_public") -> Path:
    """Written into `folder`, with an audit that names it: what an agency file and inputs full of
    such texts lead to."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("history"))
    package = texts(json.loads((folder / "datapackage.json").read_text()))
    package.pop("history", None)
    package |= {"title": PAYLOAD, "description": PAYLOAD}
    package["licenses"][0]["title"] = package["contributors"][0]["title"] = package["agency"][
        "contact"
    ] = PAYLOAD
    for resource in package["resources"]:
        if "title" in resource:
            resource["title"] = PAYLOAD
        for field in resource.get("schema", {}).get("fields", ()):
            field |= {name: PAYLOAD for name in ("title", "description") if name in field}
        path = folder / resource["path"]
        if "codelist" in resource:
            path.write_bytes(hostile_csv(path.read_bytes(), ("label_en", "label_es")))
        elif resource.get("table", {}).get("kind") == "reference":
            path.write_bytes(hostile_csv(path.read_bytes(), None))
        data = path.read_bytes()
        resource |= {"bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    text = json.dumps(package)
    (folder / "datapackage.json").write_text(text)
    audit = json.loads((folder / "audit.json").read_text())
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "audit.json").write_text(json.dumps(audit | {"datapackage_sha256": digest}))
    (folder / "approval.json").write_text(
        json.dumps({"role": PAYLOAD, "date": "2026-01-14", "datapackage_sha256": digest})
    )
    return folder


__all__ = ["HOST", "MARK", "PAYLOAD", "hostile"]
