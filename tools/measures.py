"""Write `docs/measures.md`: every measure as its object knows it. `--check` asks whether the file
is current."""

from __future__ import annotations

import sys
from pathlib import Path

from dashboard.numbers.measures import VERSION, Measure, measures
from dashboard.text import language

PATH = Path(__file__).resolve().parents[1] / "docs" / "measures.md"
HEAD = f"""# Measures

Definitions, version {VERSION}. This page is written by `python -m tools.measures` from
`dashboard/numbers/measures.py`; change a measure there.
[How to add one](how-to/add-a-measure.md) says what each part does.
"""


def entry(one: Measure) -> str:
    """One measure under its heading."""
    lines = [
        ("Counted", one.counted),
        ("Out of", one.out_of),
        ("Take care", one.caveat),
        ("In a release", one.query.words),
        ("Page", f"`{one.page}`"),
        ("Smallest base", f"{one.smallest_base} {one.unit}" if one.smallest_base else ""),
        ("Per 1,000", "events per 1,000 calls, not a share" if one.per_1000 else ""),
        ("Can have a target", "yes" if one.fields else ""),
        ("Wording", one.source),
        ("Also counted this way by", "; ".join(one.alike)),
    ]
    told = "\n".join(f"- {name}: {words}" for name, words in lines if words)
    return f"## {one.plain}\n\nName: `{one.name}`, counted in {one.unit}.\n\n{told}\n"


def written() -> str:
    with language.speaking(language.DEFAULT):
        return "\n".join([HEAD, *(entry(one) for one in measures())])


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PATH.write_text(written(), encoding="utf-8")
    elif PATH.read_text(encoding="utf-8") != written():
        sys.exit("docs/measures.md is not current: python -m tools.measures")
