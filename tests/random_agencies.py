"""Small agencies drawn by lot: their calls, with blanks in every field that a table counts, and the
agency file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from tests.agency import write_agency

TYPES = {"Crisis": "crisis", "Check": "check", "Welfare": "welfare"}
SOURCES = {"911": "emergency", "988": "lifeline", "Street": "on_view"}
FIELDS = {
    'call_type = "type"': 'call_type = "type"\nsource = "source"',
    '"Check" = "check"\n': (
        '"Check" = "check"\n"Welfare" = "welfare"\n\n[calls.values.source]\n"911" = "emergency"\n'
        '"988" = "lifeline"\n"Street" = "on_view"\n'
    ),
    '  { code = "check", en': (
        '  { code = "welfare", en = "Welfare", es = "Bienestar" },\n  { code = "check", en'
    ),
}
SOURCE_CODES = """
[dimensions.source]
name = "Source"
all = "All"
levels = ["source"]
codes = [
  { code = "emergency", en = "911", es = "911" },
  { code = "lifeline", en = "988", es = "988" },
  { code = "on_view", en = "Street", es = "Calle" },
]
"""
BY_SOURCE = (
    '\n[[tables]]\nname = "by_source"\ntitle = "By source"\n'
    'dimensions = { period = ["all", "year"], source = ["all", "source"] }\n'
)
BY_BOTH = (
    '\n[[tables]]\nname = "by_both"\ntitle = "By both"\n'
    'dimensions = { call_type = ["all", "type"], source = ["all", "source"] }\n'
)
BY_HOUR = (
    '\n[[tables]]\nname = "by_hour"\ntitle = "By hour"\ndimensions = { hour = ["all", "block"] }\n'
)
MONTHS = [f"2024-{m:02d}" for m in range(1, 7)]


def draw(rng: random.Random, months: Sequence[str] = MONTHS) -> list[tuple[str, int, str, str]]:
    """(month, hour, type or blank, source or blank) of each call; blanks are few, as they are in
    exports."""
    size, blank = rng.choice([8, 25, 60, 150]), rng.choice([0.01, 0.03, 0.1])
    types = rng.choices(list(TYPES), k=1) * 6 + list(TYPES)
    sources = ["911"] * rng.randrange(2, 12) + list(SOURCES)
    return [
        (
            month,
            rng.randrange(24),
            "" if rng.random() < blank else rng.choice(types),
            "" if rng.random() < blank else rng.choice(sources),
        )
        for month in months
        for _ in range(0 if rng.random() < 0.05 else rng.randrange(size // 2, 2 * size))
    ]


def write(
    folder: Path,
    calls: Sequence[tuple[str, int, str, str]],
    threshold: int = 11,
    extra: str = BY_SOURCE + BY_BOTH + BY_HOUR,
) -> Path:
    """The agency file, beside its export."""
    rows = "id,at,type,source\n" + "".join(
        f"{i},{m}-05 {h:02d}:10,{t},{s}\n" for i, (m, h, t, s) in enumerate(calls)
    )
    return write_agency(
        folder, rows, FIELDS | {"threshold = 5": f"threshold = {threshold}"}, SOURCE_CODES + extra
    )


def agency(folder: Path, seed: int) -> Path:
    rng = random.Random(seed)
    return write(folder, draw(rng), rng.choice([5, 11]))
