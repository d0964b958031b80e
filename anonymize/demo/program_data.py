"""What the example city reports besides its calls. All made up, like the calls (`demo/city.py`)."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

DISTRICTS = {"riverside": "RV", "old_town": "OT", "harbor": "HB", "north_hills": "NH"}
PARTNERS = ("crisis_center", "clinic", "substance_use", "hospital", "housing", "peer")
HOMES = {"Team 1": "riverside; old_town", "Team 2": "harbor", "Team 3": "harbor; north_hills"}
"""Unit -> the districts that it is for."""
PATROL_UNITS = 14
URGENT_PER_DAY, URGENT_SEED, FOLLOW_UP_SEED = 13, 5, 6
_HERE = Path(__file__).resolve().parents[1]
_PACKAGED = _HERE / "example_city"
EXAMPLE_CITY = _PACKAGED if _PACKAGED.is_dir() else _HERE.parent / "examples/example_city"
"""The agency file, and `lists/` (budget, targets, training and the like, each a file that a person
can edit): inside an installed package, or in a checkout."""
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]


def _write(
    folder: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]
) -> Path:
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def write_beside(
    folder: Path, calls: Sequence[tuple[str, datetime, bool]], rng: np.random.Generator
) -> list[Path]:
    """Write into `folder` the lists that a person keeps, as they are in `lists/`, and records that
    are drawn. `calls`: (call id, time, did a team come). Returns the files."""
    lists = (EXAMPLE_CITY / "lists").glob("*.csv")
    written = [Path(shutil.copyfile(path, folder / path.name)) for path in lists]
    return [
        *written,
        _write(folder, "all_calls", ["month", "calls"], _all_calls(calls, rng)),
        _write(
            folder,
            "handoffs",
            [
                "call_id",
                "partner_type",
                "offered",
                "accepted",
                "connected_at",
                "warm",
                "follow_up",
                "spoken_to",
            ],
            _handoffs(calls, rng, np.random.default_rng(FOLLOW_UP_SEED)),
        ),
        _write(
            folder,
            "shifts",
            [
                "unit",
                "start",
                "end",
                "officer",
                "clinician",
                "planned",
                "worked",
                "patrol",
                "area",
            ],
            _shifts(rng),
        ),
        _write(
            folder,
            "urgent_calls",
            ["received", "arrived", "district"],
            _urgent_calls(np.random.default_rng(URGENT_SEED)),
        ),
    ]


def _all_calls(
    calls: Sequence[tuple[str, datetime, bool]], rng: np.random.Generator
) -> list[tuple[object, ...]]:
    counted = dict.fromkeys(MONTHS, 0)
    for _id, at, _reached in calls:
        counted[f"{at:%Y-%m}"] += 1
    return [(month, round(n / rng.uniform(0.098, 0.112))) for month, n in counted.items()]


def _urgent_calls(rng: np.random.Generator) -> list[tuple[object, ...]]:
    """Priority-1 police calls, more in the evening; a few without a time of arrival. Their waits do
    not depend on teams."""
    rows: list[tuple[object, ...]] = []
    hours = np.array(
        [5, 4, 4, 3, 2, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 9, 9, 9, 9, 9, 8, 7, 6], dtype=float
    )
    for day in range((datetime(2026, 1, 1) - datetime(2024, 1, 1)).days):
        for hour in np.sort(rng.choice(24, rng.poisson(URGENT_PER_DAY), p=hours / hours.sum())):
            at = datetime(2024, 1, 1) + timedelta(
                days=day, hours=int(hour), minutes=int(rng.integers(60))
            )
            district = list(DISTRICTS)[int(rng.choice(4, p=(0.30, 0.34, 0.24, 0.12)))]
            wait = rng.lognormal(
                1.95
                + (0.35 if district == "north_hills" else 0.0)
                + (0.12 if 15 <= hour < 23 else 0.0),
                0.5,
            )
            arrived = at + timedelta(minutes=round(float(wait)))
            rows.append((at, "" if rng.random() < 0.02 else arrived, district))
    return rows


def _handoffs(
    calls: Sequence[tuple[str, datetime, bool]],
    rng: np.random.Generator,
    later: np.random.Generator,
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, at, reached in calls:
        if rng.random() > (0.46 if reached else 0.07):
            continue
        partner = PARTNERS[int(rng.choice(6, p=(0.22, 0.34, 0.14, 0.12, 0.10, 0.08)))]
        accepted = rng.random() < 0.64
        connected = accepted and rng.random() < (
            0.55 if partner in ("crisis_center", "peer") else 0.34
        )
        day = (at + timedelta(days=float(rng.gamma(1.6, 5)))).date() if connected else ""
        rows.append(
            (
                number,
                partner,
                "yes",
                "yes" if accepted else "no",
                day,
                *_follow_up(at, partner, reached, later),
            )
        )
    return rows


def _follow_up(
    at: datetime, partner: str, reached: bool, rng: np.random.Generator
) -> tuple[str, str, object]:
    """Was the referral passed on in person or by live call, did the person agree to a follow-up,
    and on which day were they spoken to?"""
    passed, asked, spoke = rng.random(3)
    warm = (
        ""
        if passed > 0.96
        else "yes"
        if passed < (0.66 if partner in ("crisis_center", "peer") else 0.31)
        else "no"
    )
    agreed = reached and asked < 0.58
    days = int(rng.gamma(0.9, 5.5))
    return (
        warm,
        "yes" if agreed else "no",
        (at + timedelta(days=days)).date() if agreed and spoke < 0.71 else "",
    )


def _shifts(rng: np.random.Generator) -> list[tuple[object, ...]]:
    """One team by day from 2024, with help in the evening, and one more from 2025; none from 3 to 7
    at night; some shifts fall out."""
    rows: list[tuple[object, ...]] = []
    day = datetime(2024, 1, 1)
    while day < datetime(2026, 1, 1):
        plan = [("Team 1", 7, 15), ("Team 1", 15, 23), ("Team 2", 13, 21)]
        if day.year >= 2025:
            plan += [("Team 3", 11, 19), ("Team 3", 19, 27)]
        for unit, start in (
            (f"Patrol {n}", start) for n in range(1, PATROL_UNITS + 1) for start in (7, 19)
        ):
            rows.append(
                (
                    unit,
                    day + timedelta(hours=start),
                    day + timedelta(hours=start + 12),
                    "yes",
                    "no",
                    "yes",
                    "yes",
                    "yes",
                    "",
                )
            )
        for unit, start, end in plan:
            worked = rng.random() > (0.13 if day.weekday() >= 5 else 0.06)
            clinician = worked and rng.random() > 0.05
            rows.append(
                (
                    unit,
                    day + timedelta(hours=start),
                    day + timedelta(hours=end),
                    "yes",
                    "yes" if clinician else "no",
                    "yes",
                    "yes" if worked else "no",
                    "no",
                    HOMES[unit],
                )
            )
        day += timedelta(days=1)
    return rows
