"""Area systems: codes, tree and boundaries, and the placing of points into areas."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import pandas as pd
from pyproj import Transformer

from anonymize.agency.codelists import (
    ROOT,
    UNKNOWN,
    Codelist,
    Node,
    with_unknown,
    with_unknown_below_all,
)
from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import AreaSpec, PointSpec, Text
from anonymize.areas.boundaries import clean_code, read_outlines
from anonymize.areas.boundary_faults import listed
from anonymize.errors import AreaError, MappingError
from anonymize.read.cleaning import normalise


@dataclass(frozen=True)
class AreaSystem:
    """`boundaries`, where there are any, has columns code and geometry (WGS 84), one row per finest
    code. `remarks`: what the analyst should hear of the boundary file (private screen and report
    only)."""

    codelist: Codelist
    boundaries: gpd.GeoDataFrame | None
    strip_zeros: bool
    remarks: tuple[str, ...] = ()

    def clean(self, value: str) -> str:
        """A source value as a code: blanks off; leading zeros off where the file says so."""
        return clean_code(value, strip_zeros=self.strip_zeros)


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


def _system(
    config: AgencyConfig, name: str, spec: AreaSpec, problems: list[str]
) -> AreaSystem | None:
    frame, remarks = None, list[str]()
    if spec.boundaries:
        agency, calls = config.file.agency, config.file.calls
        outlines = read_outlines(
            config.resolve(spec.boundaries.path),
            spec,
            country=None if agency.fictional else agency.country,
            placed=bool(calls.point_columns) and name not in calls.columns,
        )
        problems += outlines.problems
        remarks += outlines.remarks
        frame = outlines.frame
    if problems:
        return None
    labels = dict(spec.names)
    if frame is not None:
        labels = {
            code: Text(en=label, es=label)
            for code, label in zip(frame["code"], frame["label"], strict=True)
        } | labels
    nodes = list(_nodes(spec, frame, labels, problems))
    if problems:
        return None
    codelist = with_unknown(
        name,
        spec.name,
        spec.all,
        spec.levels,
        nodes,
        unknown=spec.unknown,
    )
    if spec.coarse_values:
        codelist = with_unknown_below_all(codelist)
    _check_codes(spec, nodes, codelist, problems)
    if idle := [code for code in spec.names if code not in codelist.by_code]:
        remarks.append(
            f"'names' has names of codes that are no area: {listed(idle)}; correct the codes, or"
            " take them out"
        )
    if frame is not None and spec.boundaries is not None:
        finest = [node.code for node in nodes if node.level == spec.levels[-1]]
        named, file = "tree" if spec.tree else "codes", spec.boundaries.path.name
        if extra := [code for code in frame["code"] if code not in set(finest)]:
            problems.append(
                f"{file} draws areas that '{named}' does not name: {listed(extra)}; add them to"
                f" '{named}', or to 'boundaries.leave_out'"
            )
        if missing := sorted(set(finest) - set(frame["code"])):
            problems.append(
                f"{file} has no feature for areas that '{named}' names: {listed(missing)}; add"
                f" their outlines to the file, or take the codes out of '{named}' and map the calls"
                " that bear them in [calls.values]"
            )
        frame = frame[["code", "geometry"]]
    return AreaSystem(codelist, frame, spec.strip_zeros, tuple(remarks))


def _check_codes(
    spec: AreaSpec, nodes: Sequence[Node], codelist: Codelist, problems: list[str]
) -> None:
    """Codes that no call could name: kept for the program, not written as the calls' values are
    read, or told apart by blanks only."""
    given = {node.code for node in nodes}
    kept = {ROOT, UNKNOWN} | {node.code for node in codelist.nodes if node not in nodes}
    named_by_calls = [
        node.code for node in nodes if spec.coarse_values or node.level == spec.levels[-1]
    ]
    for code in sorted(given):
        if normalise(code) in kept:
            problems.append(f"the code '{code}' is kept for the program; choose another")
    if unread := [
        f"'{code}'"
        for code in named_by_calls
        if not code or code != clean_code(code, strip_zeros=spec.strip_zeros)
    ]:
        zeros = " and, as 'strip_zeros' is on, without leading zeros" if spec.strip_zeros else ""
        problems.append(
            f"codes must be written without blanks around them{zeros}: {listed(unread)}; correct"
            " them"
        )
    groups: dict[str, list[str]] = defaultdict(list)
    for code in dict.fromkeys(named_by_calls):
        groups[unicodedata.normalize("NFC", " ".join(code.split()))].append(f"'{code}'")
    if same := [" and ".join(group) for group in groups.values() if len(group) > 1]:
        file = f"{spec.boundaries.path.name}: " if spec.boundaries else ""
        problems.append(
            f"{file}codes that differ in blanks only, which calls cannot tell apart:"
            f" {listed(same)}; write other codes for them"
        )


def _nodes(
    spec: AreaSpec, frame: gpd.GeoDataFrame | None, labels: dict[str, Text], problems: list[str]
) -> Iterator[Node]:
    def node(code: str, parent: str, level: str) -> Node:
        return Node(code, labels.get(code, Text(en=code, es=code)), parent, level)

    if not spec.tree:
        codes = list(spec.codes) or ([] if frame is None else list(frame["code"]))
        if not codes:
            problems.append("it names no codes; give 'codes', a 'tree', or a boundary file")
        if len(spec.levels) > 1:
            problems.append(
                f"it names {len(spec.levels)} levels but no 'tree' that says which area lies in"
                " which"
            )
        for code, times in Counter(codes).items():
            if times > 1:
                problems.append(f"the code '{code}' stands {times} times; each code has one place")
        for code in dict.fromkeys(codes):
            yield node(code, ROOT, spec.levels[0])
        return
    parents: dict[str, str] = {}
    for parent, children in spec.tree.items():
        for child in children:
            if child in parents:
                problems.append(
                    f"'{child}' lies under two parents, '{parents[child]}' and '{parent}'; an area"
                    " has one parent"
                )
            parents[child] = parent
    tops = [code for code in spec.tree if code not in parents]
    if not tops:
        problems.append("the tree runs in a circle; at least one area must have no parent")
    queue = [(code, ROOT, 0) for code in tops]
    while queue:
        code, parent, depth = queue.pop(0)
        if depth >= len(spec.levels):
            problems.append(
                f"'{code}' lies deeper than the {len(spec.levels)} level(s) named in 'levels'"
            )
            continue
        yield node(code, parent, spec.levels[depth])
        children = spec.tree.get(code, ())
        if not children and depth < len(spec.levels) - 1:
            problems.append(f"'{code}' has no area below it at level '{spec.levels[depth + 1]}'")
        queue += [(child, code, depth + 1) for child in children]


class Placing(StrEnum):
    """What became of a call's point."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    BLANK = "blank"
    NO_NUMBER = "no_number"
    OUT_OF_RANGE = "out_of_range"


_NUMBER = r"[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][+-]?[0-9]+)?"


_OF_POINT = re.compile(
    rf"POINT ?(?:Z ?|M ?|ZM ?)?\( *({_NUMBER}) +({_NUMBER})(?: +{_NUMBER})* *\)", re.IGNORECASE
)
"""Well-known text: longitude first."""
_IN_BRACKETS = re.compile(rf"\( *({_NUMBER}) *, *({_NUMBER}) *\)\s*$")
"""As Socrata writes a point, also at the end of an address: latitude first."""


DEGREES = PointSpec()
"""How points are written unless the agency file says otherwise."""


def split_point(text: str) -> tuple[str, str]:
    """Longitude and latitude of a point in one text; two texts that are no numbers where it is no
    point."""
    if found := _OF_POINT.fullmatch(text.strip()):
        return found[1], found[2]
    if found := _IN_BRACKETS.search(text):
        return found[2], found[1]
    return "?", "?"


def _in_degrees(points: pd.DataFrame, spec: PointSpec) -> pd.DataFrame:
    """Numbers as written as longitude and latitude in WGS 84."""
    points = points * spec.scale
    if spec.crs is None or points.empty:
        return points
    lon, lat = Transformer.from_crs(spec.crs, 4326, always_xy=True).transform(
        points["lon"].to_numpy(), points["lat"].to_numpy()
    )
    return pd.DataFrame({"lon": lon, "lat": lat}, index=points.index)


def place_texts(
    texts: pd.DataFrame,
    system: AreaSystem,
    placeholders: Collection[str],
    where: str,
    spec: PointSpec = DEGREES,
) -> pd.DataFrame:
    """The finest area code and the `Placing` of each row of `texts` (longitude and latitude as
    written, or a point in one text; None for a blank).

    What lies in no outline gets the system's unknown code (None where it has none). Raises
    MappingError, which begins with `where`, when there are points, and not one of them is
    understood or lies in an outline.
    """
    marks = {"", *map(normalise, placeholders)}
    if len(texts.columns) == 1:
        points = texts.iloc[:, 0].map(
            lambda text: ("", "") if text is None or normalise(text) in marks else split_point(text)
        )
        texts = pd.DataFrame(list(points), columns=["lon", "lat"], index=texts.index, dtype=object)
    written = pd.DataFrame(
        {
            axis: (
                texts[column]
                .map(lambda text: "" if text is None or normalise(text) in marks else text.strip())
                .astype(object)
            )
            for axis, column in zip(("lon", "lat"), texts.columns, strict=True)
        }
    )
    blank = (written == "").any(axis=1)
    points = written[
        written["lon"].str.fullmatch(_NUMBER) & written["lat"].str.fullmatch(_NUMBER)
    ].astype(float)
    points = _in_degrees(points, spec)
    in_range = points["lon"].abs().le(180) & points["lat"].abs().le(90)
    placing = pd.Series(Placing.NO_NUMBER.value, index=texts.index, dtype=object)
    placing[blank] = Placing.BLANK.value
    placing[points.index] = Placing.OUT_OF_RANGE.value
    placing[points.index[in_range]] = Placing.OUTSIDE.value
    code = pd.Series(system.codelist.unknown_leaf, index=texts.index, dtype=object)
    placed = _inside(points[in_range], system)
    if placed.empty and not blank.all():
        raise MappingError([f"{where}: {_why_none(points, system, spec)}"])
    code[placed.index] = placed
    placing[placed.index] = Placing.INSIDE.value
    return pd.DataFrame({"code": code, "placing": placing})


def _inside(points: pd.DataFrame, system: AreaSystem) -> pd.Series:
    """The area codes of those points that lie in one."""
    placed = place_points(points.reset_index(drop=True), system)
    return pd.Series(placed.to_numpy(), index=points.index, dtype=object).dropna()


def _why_none(points: pd.DataFrame, system: AreaSystem, spec: PointSpec) -> str:
    """Why no point lies in an outline, and the cure; nothing of the points themselves."""
    if points.empty:
        return (
            "not one point is two numbers; name the columns of longitude and latitude in degrees,"
            " written with a decimal point, or as 'point' a column written as POINT (-122.3 47.6)"
            " or (47.6, -122.3)"
        )
    found = (
        f"not one of {len(points):,} different points lies in an outline of"
        f" '{system.codelist.dimension}'"
    )
    swapped = pd.DataFrame({"lon": points["lat"], "lat": points["lon"]})
    if len(_inside(swapped[swapped["lon"].abs().le(180) & swapped["lat"].abs().le(90)], system)):
        return (
            f"{found}, but with longitude and latitude swapped some do; exchange the columns of"
            " 'lon' and 'lat'"
        )
    if (points["lon"].abs().gt(180) | points["lat"].abs().gt(90)).all():
        return (
            f"{found}: all are outside -180 to 180 and -90 to 90, as feet or metres of a projected"
            ' grid are; name the grid, as in [calls.point] crs = "EPSG:2285", or export longitude'
            " and latitude in degrees (WGS 84); where degrees are kept as whole numbers, write"
            " [calls.point] scale = 0.000001"
        )
    if spec.crs:
        return (
            f"{found}, read as {spec.crs}; check that this is the grid of the columns, and that the"
            " boundary file draws this place"
        )
    return (
        f"{found}; check that 'lon' and 'lat' name the right columns, in degrees, and that the"
        " boundary file draws this place"
    )


def place_points(points: pd.DataFrame, system: AreaSystem) -> pd.Series:
    """The finest area code of each row of `points` (columns lon, lat in degrees); NA outside all
    areas.

    A point on a shared border belongs to the area whose code sorts first, so that runs agree.
    """
    assert system.boundaries is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = gpd.GeoDataFrame(
            index=points.index, geometry=gpd.points_from_xy(points["lon"], points["lat"]), crs=4326
        )
    joined = frame.sjoin(system.boundaries, how="left", predicate="intersects")
    codes: pd.Series = (
        joined.sort_values("code").groupby(level=0)["code"].first().reindex(points.index)
    )
    return codes
