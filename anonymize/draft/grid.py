"""In which coordinates the calls' points are written, where that is not degrees: each grid of the
place is tried, and the one that puts most points into the outlines is taken, as a guess for a
person to confirm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from anonymize.areas.boundary_file import read_boundary_file
from anonymize.areas.systems import split_point
from anonymize.draft.columns import TABLE
from anonymize.draft.guess import Guesses
from anonymize.read.cleaning import cleaned

SAMPLE = 2_000
"""Different points that are tried."""
LEAST = 0.5
"""Share of the points that must lie in the outlines."""
ALIKE = 0.01
"""Grids whose shares differ by less than this cannot be told apart: realizations of one datum lie
about a metre apart."""
FAMILIES = (
    "NAD83 / ",
    "NAD83(2011) / ",
    "NAD83(HARN) / ",
    "NAD83(NSRS2007) / ",
    "NAD83(CSRS) / ",
    "WGS 84 / UTM zone ",
    "WGS 84 / Pseudo-Mercator",
    "NAD27 / ",
)
"""Names of grids that exports use, the usual first: state planes in feet and metres, UTM, web
maps."""
SCALES = (1e-6, 1e-5, 1e-4)
"""Of degrees that are kept as whole numbers."""

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """How points are written: a grid (`crs` with its `name`), or degrees times `scale`. `share`: of
    the points that lie in the outlines so; `alike`: further grids that fit as well."""

    share: float
    crs: str = ""
    name: str = ""
    scale: float = 1.0
    alike: int = 0


def grid_of(
    db: duckdb.DuckDBPyConnection, guesses: Guesses, placeholders: Sequence[str], outlines: Path
) -> Grid | None:
    """The grid of the calls' points; None where they are degrees, or where no grid of the place
    puts at least half of them into the outlines."""
    points = _points(db, guesses, placeholders)
    if not len(points) or (np.abs(points) <= (180, 90)).all(axis=1).mean() > LEAST:
        return None
    file = read_boundary_file(outlines, ())
    shapes = gpd.GeoSeries(
        [f.outline for f in file.features if f.outline is not None], crs=file.crs or 4326
    ).to_crs(4326)
    place = shapely.union_all(shapely.make_valid(shapes.to_numpy()))
    for scale in SCALES:
        if (share := _inside(points * scale, place)) >= LEAST:
            return Grid(share, scale=scale)
    tried = []
    for family, code, name in _candidates(place.bounds):
        degrees = np.column_stack(
            Transformer.from_crs(code, 4326, always_xy=True).transform(points[:, 0], points[:, 1])
        )
        tried.append((_inside(degrees, place), family, code, name))
    best = max((share for share, *_grid in tried), default=0.0)
    if best < LEAST:
        return None
    fitting = sorted(
        ((family, code, name) for share, family, code, name in tried if share >= best - ALIKE),
        key=lambda g: (g[0], g[1]),
    )
    _family, code, name = fitting[0]
    return Grid(
        next(share for share, _f, c, _n in tried if c == code), code, name, alike=len(fitting) - 1
    )


def _points(db: duckdb.DuckDBPyConnection, guesses: Guesses, placeholders: Sequence[str]) -> Points:
    """Different points of the export, each two numbers as written."""
    columns = [
        guesses.fields[name].column
        for name in (("point",) if "point" in guesses.fields else ("lon", "lat"))
    ]
    listed = ", ".join(
        f"{cleaned(column, placeholders)} AS c{i}" for i, column in enumerate(columns)
    )
    rows = db.execute(
        f"SELECT DISTINCT {listed} FROM {TABLE} ORDER BY hash(c0), c0 LIMIT {SAMPLE}"
    ).fetchall()
    pairs = [split_point(row[0] or "") if len(row) == 1 else row for row in rows]
    found = []
    for x, y in pairs:
        try:
            found.append((float(x or ""), float(y or "")))
        except ValueError:
            continue
    points: Points = np.array(found, dtype=np.float64).reshape(-1, 2)
    usable: Points = points[np.isfinite(points).all(axis=1) & (points != 0).all(axis=1)]
    return usable


def _candidates(bounds: tuple[float, float, float, float]) -> list[tuple[int, str, str]]:
    """(place in FAMILIES, code, name) of the grids that are meant for a place with these bounds in
    degrees."""
    listed = query_crs_info(
        auth_name="EPSG", pj_types=PJType.PROJECTED_CRS, area_of_interest=AreaOfInterest(*bounds)
    )
    return [
        (
            next(i for i, family in enumerate(FAMILIES) if one.name.startswith(family)),
            f"EPSG:{one.code}",
            one.name,
        )
        for one in listed
        if one.name.startswith(FAMILIES) and not one.deprecated
    ]


def _inside(degrees: Points, place: shapely.Geometry) -> float:
    """The share of points that lie in the outlines."""
    return float(shapely.contains_xy(place, degrees[:, 0], degrees[:, 1]).mean())
