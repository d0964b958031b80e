"""An agency file, inputs and a boundary file whose every text is code for something: a browser,
Markdown, a spreadsheet, Typst, a chart's formula."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "evil.example"
PARTS = (
    (
        f"=1+1<img src=http://{HOST}/a"
        f" onerror=alert(1)>![i](http://{HOST}/p)[l](http://{HOST}/q)<script>alert(2)</script></script><svg"
        " onload=alert(3)>"
    ),
    (
        f"$x^2$ :red[r] :material/home: **b** `c` http://{HOST}/auto <http://{HOST}/b>"
        " javascript:alert(4) #eval(\"1\") @cite \\u{1} {{x}} ' \" ' + alert(5) + ' --> ]]>"
        " &lt; &#60;i&#62; \\"
    ),
)
PAYLOAD = "".join(PARTS)
MARK = "=1+1<img src=http"
"""How the payload begins: where it stands as text, this is seen."""


def hostile_agency(
    folder: Path, exports: Path, source: Path = ROOT / "examples/example_city/agency.toml"
) -> Path:
    """An agency file with its exports in `folder`, whose texts are all hostile: names, labels and
    titles of the agency file and its code lists, words of the inputs, and each property of the
    boundary file beside the code. Codes, dates and numbers stay: others are refused where they are
    read.
    """
    target = folder / "exports"
    target.mkdir(parents=True)
    for path in exports.iterdir():
        if path.suffix == ".csv" and path.stem not in (
            "calls",
            "handoffs",
            "urgent_calls",
            "shifts",
        ):
            (target / path.name).write_bytes(hostile_input(path.read_bytes()))
        elif path.is_file():
            shutil.copy(path, target / path.name)
    outlines = json.loads((target / "beats.geojson").read_text())
    outlines["title"] = PAYLOAD
    for n, feature in enumerate(outlines["features"]):
        feature["id"] = feature["note"] = PAYLOAD
        feature["properties"] |= {
            "district": PAYLOAD,
            "label": f"{PAYLOAD} outline {n}",
            PAYLOAD: PAYLOAD,
        }
    (target / "beats.geojson").write_text(json.dumps(outlines))
    (folder / "agency.toml").write_text(hostile_toml(source.read_text()))
    return folder / "agency.toml"


def hostile_toml(text: str) -> str:
    """The agency file with each text replaced; areas get their names from the boundary file. A
    lower threshold withholds less: the build is soon done."""
    seen = itertools.count()
    quoted = lambda: json.dumps(f"{PAYLOAD} {next(seen)}", ensure_ascii=False)  # noqa: E731
    text = re.sub(r"(?m)^[A-Z]{2}[1-9] = .*\n", "", text)
    text = text.replace('code = "beat" }', 'code = "beat", name = "label" }')
    text = re.sub(r'\b(en|es) = "[^"]*"', lambda m: f"{m[1]} = {quoted()}", text)
    text = re.sub(r'(?m)^(publisher|contact) = "[^"]*"', lambda m: f"{m[1]} = {quoted()}", text)
    text = re.sub(r'(licence = \{ name = )"[^"]*"', lambda m: f"{m[1]}{quoted()}", text)
    return text.replace("threshold = 11", "threshold = 3")


def hostile_input(data: bytes) -> bytes:
    """Words of an input in both languages, and its sources."""
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    both = {name for name in rows[0] if f"{name}_es" in rows[0] or name.endswith("_es")} | {
        "source",
        "themes",
        "days",
        "hours",
    }
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for n, row in enumerate(rows):
        part = PARTS[n % 2]  # each is short enough for an input
        writer.writerow(
            {
                name: f"{part} {n}" if name in both and value and not value[0].isdigit() else value
                for name, value in row.items()
            }
        )
    return buffer.getvalue().encode()
