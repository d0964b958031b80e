"""Files of the static edition by page and choices, and the way from a page of the app to its plain
twin there."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from dashboard.figures.figure import slug
from dashboard.page.missing_choice import CODELIST
from dashboard.release.reader import Release
from dashboard.text import language

WHERE = re.compile(r"(https?://[^\s\"'<>]+|/[^\s\"'<>]*)")


MAX_COPIES = 120
"""Copies of a page, at most, for the sake of filters that combine."""


def held_together(sizes: Iterable[int]) -> int:
    """How many filters of a page hold at once in its copies, from the number of options of each:
    all where that takes at most `MAX_COPIES`, else as many as it allows, and one in any case."""
    ways = [1]
    """By number of filters chosen: copies."""
    for size in sizes:
        ways = [
            now + before * (size - 1) for now, before in zip([*ways, 0], [0, *ways], strict=True)
        ]
    return max((n for n in range(1, len(ways)) if sum(ways[: n + 1]) <= MAX_COPIES), default=1)


def page_file(name: str, choices: Mapping[str, str], release: Release) -> str:
    """`calls--area-harbor.html`; the first page is `index.html`. Codes that differ in case or signs
    only get a digest, so that each has its own file."""
    stem = "index" if name == "at_a_glance" else name.replace("_", "-")
    parts = [stem]
    for key, code in sorted(choices.items()):
        alike = _slugs(release, CODELIST.get(key, ""))[slug(code)] > 1
        digest = hashlib.sha256(code.encode()).hexdigest()[:8]
        parts.append(f"{key}-{slug(code)}-{digest}" if alike else f"{key}-{slug(code)}")
    return "--".join(parts) + ".html"


@lru_cache(maxsize=256)
def _slugs(release: Release, dimension: str) -> Counter[str]:
    """How many codes of a dimension share each slug."""
    codelist = release.codelists.get(dimension)
    return Counter(map(slug, codelist.codes)) if codelist else Counter()


def twin(release: Release, page: str, choices: Mapping[str, str], sizes: Iterable[int] = ()) -> str:
    """The address of a page (as in `PAGES`) in the static edition, in the language of the moment;
    empty where `PLAIN_SITE` in the environment names no place for it.

    `sizes`: number of options of each filter of the page. Where the edition has no copy for all
    `choices` at once, it is the one for the first of them. An earlier release has its own folder.
    """
    site = os.environ.get("PLAIN_SITE", "").rstrip("/")
    if not WHERE.fullmatch(site):
        return ""
    asked = dict(list(choices.items())[: held_together(sizes)])
    file = page_file(page, asked, release)
    return f"{site}/releases/{release.version}/{language.current()}/{file}"
