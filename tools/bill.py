"""`python -m tools.bill`: the bill of materials of the app, `sbom.json`, in CycloneDX 1.6: each
package of lock/app.txt with its version, the hashes of its files and its licence. It is committed
next to NOTICE and copied into each image, so that whoever runs a release of the app can look up
what is in it.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from tools.notice import PIN, licence_of

ROOT = Path(__file__).resolve().parent.parent
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def component(block: str) -> dict[str, Any]:
    """Of one entry of a lock: its first line and those with its hashes."""
    found = PIN.search(block)
    assert found is not None, block[:80]
    name, version, marker = found[1], found[2], found[3]
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }
    made["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(block)]
    try:
        made["licenses"] = [{"license": {"name": licence_of(distribution(name))}}]
    except PackageNotFoundError:  # on other systems only
        made["properties"] = [{"name": "marker", "value": marker or "none"}]
    return made


def bill() -> str:
    blocks = re.split(
        r"^(?=[A-Za-z0-9])", (ROOT / "lock/app.txt").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return (
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.6",
                "version": 1,
                "metadata": {
                    "component": {
                        "type": "application",
                        "bom-ref": "co-response",
                        "name": "co-response",
                    }
                },
                "components": [component(block) for block in blocks if PIN.search(block)],
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    (ROOT / "sbom.json").write_text(bill(), encoding="utf-8")
