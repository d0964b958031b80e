"""Area systems: codes, tree and boundaries, and the placing of points into areas."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely import set_precision
from shapely.geometry import mapping

from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import AreaSpec, Text
from anonymize.codelists import ROOT, Codelist, Node, with_unknown
from anonymize.errors import AreaError

SIMPLIFY_METRES = 25.0
"""Boundaries are drawn for reading on a phone; details below this are left out."""
PUBLIC_DECIMALS = 5
"""Degrees: about one metre."""
_METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class AreaSystem:
    """`boundaries`, where there are any, has columns code and geometry (WGS 84), one row per finest code."""

    codelist: Codelist
    boundaries: gpd.GeoDataFrame | None
    strip_zeros: bool

    def clean(self, value: str) -> str:
        """A source value as a code: blanks off; leading zeros off where the file says so."""
        value = value.strip()
        return value.lstrip("0") or "0" if self.strip_zeros and value else value


def load_areas(config: AgencyConfig) -> dict[str, AreaSystem]:
    """Raises AreaError with all problems of all systems."""
    problems: list[str] = []
    systems: dict[str, AreaSystem] = {}
    for name, spec in config.file.areas.items():
        found: list[str] = []
        system = _system(config, name, spec, found)
        problems += [f"{config.path.name}: [areas.{name}]: {problem}" for problem in found]
        if not found and system:
            systems[name] = system
    if problems:
        raise AreaError(problems)
    return systems


def _system(config: AgencyConfig, name: str, spec: AreaSpec, problems: list[str]) -> AreaSystem | None:
    frame = _read_boundaries(config.resolve(spec.boundaries.path), spec, problems) if spec.boundaries else None
    if problems:
        return None
    labels = dict(spec.names)
    if frame is not None:
        labels = {code: Text(en=label, es=label) for code, label in zip(frame["code"], frame["label"], strict=True)} | labels
    nodes = list(_nodes(spec, frame, labels, problems))
    if problems:
        return None
    codelist = with_unknown(name, spec.name, spec.all, spec.levels, nodes, unknown=spec.unknown, under_every_parent=spec.coarse_values)
    if frame is not None:
        finest = {node.code for node in nodes if node.level == spec.levels[-1]}
        drawn = set(frame["code"])
        if extra := sorted(drawn - finest):
            problems.append(f"the boundary file draws areas that the tree does not name: {', '.join(extra)}; add them to 'tree'")
        if missing := sorted(finest - drawn):
            problems.append(f"the boundary file lacks areas that the tree names: {', '.join(missing)}; add their outlines or take them out")
        frame = frame[["code", "geometry"]]
    return AreaSystem(codelist, frame, spec.strip_zeros)


def _nodes(spec: AreaSpec, frame: gpd.GeoDataFrame | None, labels: dict[str, Text], problems: list[str]) -> Iterator[Node]:
    def node(code: str, parent: str, level: str) -> Node:
        return Node(code, labels.get(code, Text(en=code, es=code)), parent, level)

    if not spec.tree:
        codes = list(spec.codes) or ([] if frame is None else list(frame["code"]))
        if not codes:
            problems.append("it names no codes; give 'codes', a 'tree', or a boundary file")
        if len(spec.levels) > 1:
            problems.append(f"it names {len(spec.levels)} levels but no 'tree' that says which area lies in which")
        for code, times in Counter(codes).items():
            if times > 1:
                problems.append(f"the code '{code}' stands {times} times; each code has one place")
        for code in dict.fromkeys(codes):
            if code in (ROOT, "unknown"):
                problems.append(f"the code '{code}' is kept for the program; choose another")
            yield node(code, ROOT, spec.levels[0])
        return
    parents: dict[str, str] = {}
    for parent, children in spec.tree.items():
        for child in children:
            if child in parents:
                problems.append(f"'{child}' lies under two parents, '{parents[child]}' and '{parent}'; an area has one parent")
            parents[child] = parent
    tops = [code for code in spec.tree if code not in parents]
    if not tops:
        problems.append("the tree runs in a circle; at least one area must have no parent")
    queue = [(code, ROOT, 0) for code in tops]
    while queue:
        code, parent, depth = queue.pop(0)
        if depth >= len(spec.levels):
            problems.append(f"'{code}' lies deeper than the {len(spec.levels)} level(s) named in 'levels'")
            continue
        yield node(code, parent, spec.levels[depth])
        children = spec.tree.get(code, ())
        if not children and depth < len(spec.levels) - 1:
            problems.append(f"'{code}' has no area below it at level '{spec.levels[depth + 1]}'")
        queue += [(child, code, depth + 1) for child in children]


def _read_boundaries(path: Path, spec: AreaSpec, problems: list[str]) -> gpd.GeoDataFrame | None:
    """Columns code, label, geometry in WGS 84, ordered by code."""
    assert spec.boundaries is not None
    if not path.exists():
        problems.append(f"the boundary file {path} does not exist; check 'boundaries.path'")
        return None
    try:
        frame = gpd.read_file(path)
    except Exception as error:  # pyogrio raises its own classes for every kind of broken file
        problems.append(f"the boundary file {path} cannot be read as GeoJSON or Shapefile ({type(error).__name__})")
        return None
    for column in filter(None, (spec.boundaries.code, spec.boundaries.name)):
        if column not in frame.columns:
            known = ", ".join(str(c) for c in frame.columns if c != "geometry")
            problems.append(f"the boundary file {path} has no property '{column}'; it has: {known}")
            return None
    if frame.crs is None:
        frame = frame.set_crs(4326)
    frame = frame.to_crs(4326)
    code = frame[spec.boundaries.code].astype(str).str.strip()
    frame["code"] = code.str.lstrip("0") if spec.strip_zeros else code
    frame["label"] = frame[spec.boundaries.name].astype(str).str.strip() if spec.boundaries.name else frame["code"]
    frame["geometry"] = frame.geometry.make_valid()
    result = frame[["code", "label", "geometry"]].dissolve("code", as_index=False, aggfunc="first")
    return result.sort_values("code", key=lambda codes: codes.map(_natural)).reset_index(drop=True)


def _natural(code: str) -> str:
    """Sort key that puts '9' before '10'."""
    return code.rjust(8, "0") if code.isdigit() else code


def place_points(points: pd.DataFrame, system: AreaSystem) -> pd.Series:
    """The finest area code of each row of `points` (columns lon, lat in degrees); NA outside all areas.

    A point on a shared border belongs to the area whose code sorts first, so that runs agree.
    """
    assert system.boundaries is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = gpd.GeoDataFrame(index=points.index, geometry=gpd.points_from_xy(points["lon"], points["lat"]), crs=4326)
    joined = frame.sjoin(system.boundaries, how="left", predicate="intersects")
    codes: pd.Series = joined.sort_values("code").groupby(level=0)["code"].first().reindex(points.index)
    return codes


def public_geojson(system: AreaSystem) -> str:
    """Simplified outlines with one property, `code`; the same text for the same input.

    Neighbours are simplified together (as a coverage), so that no gaps open between them.
    """
    assert system.boundaries is not None
    tolerance = SIMPLIFY_METRES / _METRES_PER_DEGREE
    outlines = system.boundaries.geometry
    simplified = outlines.simplify_coverage(tolerance) if outlines.is_valid_coverage() else outlines.simplify(tolerance)
    features: list[dict[str, Any]] = []
    for code, outline in zip(system.boundaries["code"], simplified, strict=True):
        rounded = set_precision(outline, 10**-PUBLIC_DECIMALS)
        geometry = json.loads(json.dumps(mapping(rounded)), parse_float=lambda text: round(float(text), PUBLIC_DECIMALS))
        features.append({"type": "Feature", "properties": {"code": code}, "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")) + "\n"
