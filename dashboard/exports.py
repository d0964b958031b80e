"""Files that a reader takes away: the rows on the screen as CSV."""

from __future__ import annotations

import re

import pandas as pd


def harmless(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a header row; withheld counts are empty, their status says why."""
    text: str = frame.map(harmless).to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8")


def file_name(*parts: str) -> str:
    """A name such as calls-2025-release-2026.1.csv."""
    joined = "-".join(part for part in parts if part)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", joined).strip("-").lower() + ".csv"
