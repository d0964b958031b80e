"""The example city: a fictional agency's exports from a fixed seed, so that every page has
something to show.

Nothing in it describes a real person or place; its map lies in the open ocean. Numbers are chosen
to be believable: evenings busier than mornings, a night gap in team cover, a hilly district that
teams reach late, a second team from January 2025, blank fields, and results that are good, bad and
unclear.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPoint, Point, Polygon, mapping

from anonymize.demo.auditors_fields import HEADER as ASKED
from anonymize.demo.auditors_fields import asked
from anonymize.demo.map_context import write_context
from anonymize.demo.program_data import DISTRICTS, write_beside

SEED = 20260101
START, END = datetime(2024, 1, 1), datetime(2026, 1, 1)
ZONE = ZoneInfo("America/Chicago")
CALLS_PER_DAY = 52.0
WEST, SOUTH, SIZE = -30.10, 40.00, 0.20

BEATS_PER_DISTRICT = 4
TYPES = (
    "MENTAL HEALTH",
    "SUICIDE CONCERN",
    "OVERDOSE/SUBSTANCE",
    "WELFARE CHECK",
    "DISTURBANCE BH",
)
TYPE_SHARE = (0.31, 0.17, 0.12, 0.27, 0.13)
ELIGIBLE = (0.86, 0.78, 0.60, 0.70, 0.52)
DISTRICT_SHARE = (0.33, 0.31, 0.24, 0.12)
HOUR_WEIGHT = np.array(
    [
        3.4,
        2.8,
        2.3,
        1.9,
        1.6,
        1.6,
        1.9,
        2.5,
        3.2,
        3.9,
        4.4,
        4.8,
        5.0,
        5.1,
        5.2,
        5.3,
        5.4,
        5.5,
        5.5,
        5.4,
        5.2,
        4.9,
        4.5,
        4.0,
    ]
)
OUTCOMES = (
    "STAY-PLAN",
    "SAFETY PLAN/REF",
    "CRISIS CTR VOL",
    "ED VOL",
    "HOLD",
    "ARREST/CITE",
    "REFUSED",
    "NOT FOUND",
    "HANDED OFF",
)
OUTCOME_SHARE = {
    "COR": (0.24, 0.21, 0.14, 0.08, 0.06, 0.02, 0.10, 0.12, 0.03),
    "CLIN": (0.28, 0.24, 0.13, 0.06, 0.03, 0.002, 0.13, 0.12, 0.008),
    "PD": (0.25, 0.04, 0.02, 0.15, 0.11, 0.09, 0.11, 0.17, 0.06),
    "FIRE/EMS": (0.12, 0.03, 0.03, 0.42, 0.06, 0.005, 0.13, 0.15, 0.055),
}
NOT_SERVED = (
    "NO UNIT ON DUTY",
    "ALL UNITS BUSY",
    "OUT OF AREA",
    "DISPATCH DECLINED",
    "CANCELLED",
    "SCENE NOT SAFE",
    "",
)

Floats = npt.NDArray[np.float64]


@cache
def _cumulative(shares: tuple[float, ...]) -> Floats:
    upto = (np.array(shares) / np.array(shares).sum()).cumsum()
    return np.asarray(upto / upto[-1])


def _drawn(shares: tuple[float, ...], rng: np.random.Generator) -> int:
    """A random index into `shares`: what `rng.choice(len(shares), p=shares)` draws, without its
    checks, which take most of the time here."""
    return int(_cumulative(shares).searchsorted(rng.random(), side="right"))


def write_exports(folder: Path) -> list[Path]:
    """Write all exports into `folder`; the same bytes on every run. Each file comes into its place
    whole, whoever reads it meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".making-") as making:
        return [path.replace(folder / path.name) for path in _write(Path(making))]


def _write(folder: Path) -> list[Path]:
    rng = np.random.default_rng(SEED)
    beats = _beats(rng)
    outlines = folder / "beats.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"beat": row.beat, "district": row.district},
            "geometry": mapping(row.geometry),
        }
        for row in beats.itertuples()
    ]
    outlines.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}) + "\n", encoding="utf-8"
    )
    calls = folder / "calls.csv"
    listed = _write_calls(calls, beats, rng)
    beside = write_beside(folder, listed, np.random.default_rng(SEED + 1))
    return [calls, outlines, *beside, *write_context(folder, (WEST, SOUTH, SIZE))]


def _beats(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Sixteen beats in four districts: Voronoi cells of jittered points within a rounded
    outline."""
    angles = np.linspace(0, 2 * np.pi, 73)[:-1]
    radius = SIZE / 2 * (0.86 + 0.10 * np.sin(3 * angles + 0.6) + 0.06 * np.sin(5 * angles))
    centre = np.array([WEST + SIZE / 2, SOUTH + SIZE / 2])
    city = Polygon(
        np.column_stack(
            [centre[0] + radius * np.cos(angles), centre[1] + 0.8 * radius * np.sin(angles)]
        )
    )
    seeds: list[Point] = []
    names: list[tuple[str, str]] = []
    corner = {"riverside": (-1, -1), "old_town": (1, -1), "harbor": (1, 1), "north_hills": (-1, 1)}
    for district, short in DISTRICTS.items():
        for i in range(BEATS_PER_DISTRICT):
            inner = (
                np.array([0.30 + 0.38 * (i % 2), 0.28 + 0.36 * (i // 2)])
                * np.array(corner[district])
                * SIZE
                / 2
            )
            jitter = rng.uniform(-0.08, 0.08, 2) * SIZE / 2
            seeds.append(Point(*(centre + inner * np.array([1.0, 0.8]) + jitter)))
            names.append((f"{short}{i + 1}", district))
    cells = shapely.voronoi_polygons(MultiPoint(seeds), extend_to=city.buffer(SIZE))
    rows: list[dict[str, Any]] = []
    for seed, (beat, district) in zip(seeds, names, strict=True):
        cell = next(c for c in cells.geoms if c.contains(seed))
        rows.append(
            {
                "beat": beat,
                "district": district,
                "geometry": shapely.set_precision(cell.intersection(city), 1e-6),
            }
        )
    return gpd.GeoDataFrame(rows, crs=4326)


def _arrivals(rng: np.random.Generator) -> list[datetime]:
    times: list[datetime] = []
    days = (END - START).days
    hours = HOUR_WEIGHT / HOUR_WEIGHT.sum()
    for day in range(days):
        date = START + timedelta(days=day)
        season = 1 + 0.12 * np.sin(2 * np.pi * (date.timetuple().tm_yday - 110) / 365)
        weekday = (1.00, 0.98, 0.97, 0.99, 1.05, 1.04, 0.97)[date.weekday()]
        growth = 1 + 0.09 * day / days
        number = rng.poisson(CALLS_PER_DAY * season * weekday * growth)
        for hour in rng.choice(24, number, p=hours):
            times.append(date + timedelta(hours=int(hour), seconds=int(rng.integers(3600))))
    return sorted(times)


def _chance_of_team(at: datetime, district: str, rng: np.random.Generator) -> float:
    """How likely an eligible call is reached by a team, given who is on duty."""
    second_team = at.year >= 2025
    on_duty = 7 <= at.hour < 23 if not second_team else not 3 <= at.hour < 7
    if not on_duty:
        return 0.0
    busy = 0.62 if 15 <= at.hour < 21 else 0.74
    away = {"north_hills": 0.45, "harbor": 0.88}.get(district, 1.0)
    return min(0.95, busy * away * (1.14 if second_team else 1.0))


def _write_calls(
    path: Path, beats: gpd.GeoDataFrame, rng: np.random.Generator
) -> list[tuple[str, datetime, bool]]:
    """Of each call its id, time, and whether a clinician came."""
    by_district = {d: list(beats[beats.district == d].geometry) for d in DISTRICTS}
    header = [
        "incident_no",
        "received",
        "final_type",
        "call_source",
        "priority",
        "longitude",
        "latitude",
        "eligible",
        "not_served",
        "unit_type",
        "dispatched",
        "on_scene",
        "cleared",
        "disposition",
        "arrest_made",
        "force_used",
        "weapon",
        "officer_cleared",
        "arrestable",
        "hurt_officer",
        "hurt_clinician",
        "hurt_person",
        "person",
        "language",
        "interpreter",
        "race",
        "age",
        "setting",
        "serious_force",
        "ed_criteria",
        "first_type",
        "led",
        "cited",
        "arrest_required",
    ]
    rural = shapely.union_all(by_district["north_hills"][1:])
    shapely.prepare([rural, *(beat for near in by_district.values() for beat in near)])
    more, last, lead, ask = (np.random.default_rng(SEED + i) for i in (2, 3, 4, 7))
    listed = []
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([*header, *ASKED])
        for number, at in enumerate(_arrivals(rng), start=1):
            row = _call(number, at, by_district, rng)
            reached = row[9] in ("COR", "CLIN")
            whole = [
                *row,
                *_about(row, at, reached, more),
                *_setting(row, rural, last),
                *_lead(row, lead),
            ]
            writer.writerow([*whole, *asked(dict(zip(header, whole, strict=True)), ask)])
            listed.append((row[0], at, reached))
    return listed


def _on_the_clock(at: datetime) -> str:
    """A local time as the city's system writes it; a time that the clocks skip in spring is an hour
    later."""
    shown = at.replace(tzinfo=ZONE).astimezone(UTC).astimezone(ZONE)
    return shown.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def _about(row: list[str], at: datetime, reached: bool, rng: np.random.Generator) -> list[str]:
    """Fields about people and time, from a generator of their own."""
    cleared = datetime.fromisoformat(row[12])
    left = (
        cleared - timedelta(minutes=float(rng.uniform(12, 30)))
        if row[9] == "COR" and rng.random() < 0.44
        else cleared
    )
    arrestable = row[14] == "Y" or rng.random() < (0.10 if reached else 0.13)
    hurt = [
        rng.random() < share
        for share in ((0.0012, 0.0006, 0.006) if reached else (0.0022, 0.0, 0.008))
    ]
    # Some people call often; most once or twice.
    person = int(rng.pareto(1.25) * 6_000) % 60_000
    language = ["ENG", "SPA", "VIE", "ASL", ""][_drawn((0.83, 0.10, 0.02, 0.01, 0.04), rng)]
    interpreter = (
        "Y"
        if language in ("SPA", "VIE", "ASL") and rng.random() < (0.66 if reached else 0.37)
        else "N"
    )
    race = ["W", "B", "H", "A", "O", ""][_drawn((0.38, 0.24, 0.21, 0.05, 0.03, 0.09), rng)]
    age = ["0-17", "18-34", "35-64", "65+", ""][_drawn((0.11, 0.34, 0.36, 0.11, 0.08), rng)]
    return [
        _on_the_clock(left) if row[9] in ("COR", "PD") else "",
        "Y" if arrestable else "N",
        *("Y" if h else "N" for h in hurt),
        f"P{person:05d}" if rng.random() > 0.07 else "",
        language,
        interpreter,
        race,
        age,
    ]


def _setting(row: list[str], rural: Polygon, rng: np.random.Generator) -> list[str]:
    """Whether the place lies in the city's rural part, whether serious force was used (never), and
    whether the person needed an emergency room."""
    needed = rng.random() < (0.9 if row[13] in ("ED VOL", "HOLD") else 0.13)
    place = (
        ""
        if not row[5]
        else "RURAL"
        if rural.contains(Point(float(row[5]), float(row[6])))
        else "URBAN"
    )
    return [place, "N", "" if rng.random() < 0.05 else "Y" if needed else "N"]


def _lead(row: list[str], rng: np.random.Generator) -> list[str]:
    """How the call was first coded, who led on scene (teams only), a citation instead of an
    arrest, and whether the law required the arrest."""
    other, shift, who, law = rng.random(4)
    first = "NOT BH" if other < 0.17 else TYPES[int(rng.integers(5))] if shift < 0.09 else row[2]
    led = (
        ("CLINICIAN", "OFFICER", "BOTH", "")[int(np.searchsorted((0.52, 0.71, 0.93), who))]
        if row[9] == "COR"
        else ""
    )
    cited = row[13] == "ARREST/CITE" and row[14] == "N"
    return [
        first,
        led,
        "Y" if cited else "N",
        "" if row[14] == "N" or law > 0.95 else "Y" if law < 0.41 else "N",
    ]


def _point_in(area: Polygon, rng: np.random.Generator) -> Point:
    west, south, east, north = area.bounds
    while True:
        point = Point(rng.uniform(west, east), rng.uniform(south, north))
        if area.contains(point):
            return point


def _call(
    number: int, at: datetime, by_district: dict[str, list[Polygon]], rng: np.random.Generator
) -> list[str]:
    kind = _drawn(TYPE_SHARE, rng)
    district = list(DISTRICTS)[_drawn(DISTRICT_SHARE, rng)]
    beat = by_district[district][
        _drawn(
            (0.38, 0.30, 0.22, 0.10) if district != "north_hills" else (0.56, 0.36, 0.07, 0.01), rng
        )
    ]
    point = _point_in(beat, rng)
    eligible = rng.random() < ELIGIBLE[kind]
    reached = eligible and rng.random() < _chance_of_team(at, district, rng)
    team = "COR" if rng.random() < 0.9 else "CLIN"
    unit = team if reached else "FIRE/EMS" if kind == 2 and rng.random() < 0.4 else "PD"
    reason = ""
    if eligible and not reached:
        night = _chance_of_team(at, district, rng) == 0
        shares = (
            (0.72, 0.06, 0.02, 0.04, 0.04, 0.02, 0.10)
            if night
            else (0.02, 0.48, 0.12, 0.10, 0.08, 0.05, 0.15)
        )
        reason = NOT_SERVED[_drawn(shares, rng)]
    outcome = OUTCOMES[_drawn(OUTCOME_SHARE[unit], rng)]
    wait = rng.lognormal(2.1, 0.55)
    travel = rng.lognormal(2.3 + (0.45 if district == "north_hills" else 0), 0.40) * (
        1.15 if unit == "COR" else 1.0
    )
    stay = rng.lognormal(3.45 if reached else 3.2, 0.45)
    dispatched = at + timedelta(minutes=float(wait))
    arrived = dispatched + timedelta(minutes=float(travel))
    cleared = arrived + timedelta(minutes=float(stay))
    lost_place, lost_outcome, lost_time = (
        rng.random() < 0.012,
        rng.random() < 0.02,
        rng.random() < 0.03,
    )
    return [
        f"EC{at.year}-{number:06d}",
        _on_the_clock(at),
        TYPES[kind],
        ["911", "988", "NON-EMERGENCY", "OFFICER"][_drawn((0.58, 0.05, 0.29, 0.08), rng)],
        ["1", "2", "3"][_drawn((0.22, 0.53, 0.25), rng)],
        "" if lost_place else f"{point.x:.5f}",
        "" if lost_place else f"{point.y:.5f}",
        "Y" if eligible else "N",
        reason,
        unit,
        _on_the_clock(dispatched),
        "" if lost_time else _on_the_clock(arrived),
        _on_the_clock(cleared),
        "" if lost_outcome else outcome,
        "Y" if outcome == "ARREST/CITE" and rng.random() < 0.7 else "N",
        "Y" if rng.random() < (0.006 if reached else 0.011) else "N",
        "Y" if rng.random() < 0.04 else "N",
    ]
