"""How the calls and the boundary files fit each other, for the analyst: private screen and report
only, as it tells where no call came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonymize.agency.load import AgencyConfig, mapped_dimensions
from anonymize.agency.schema import TableSpec
from anonymize.areas.boundary_faults import listed
from anonymize.areas.systems import AreaSystem, Placing
from anonymize.engine import Engine
from anonymize.records.values import ValueReport

_PLACINGS = {
    Placing.OUTSIDE: "outside all outlines",
    Placing.OUT_OF_RANGE: "outside -180 to 180 and -90 to 90",
    Placing.NO_NUMBER: "not two numbers",
    Placing.BLANK: "blank",
}
_MENDABLE = {Placing.OUTSIDE, Placing.OUT_OF_RANGE, Placing.NO_NUMBER}


def area_lines(
    engine: Engine,
    config: AgencyConfig,
    areas: Mapping[str, AreaSystem],
    specs: Sequence[TableSpec],
    values: Mapping[str, ValueReport],
) -> tuple[str, ...]:
    """Of each area system with outlines: what was noted of its file, outlines that no call names,
    calls that no outline holds."""
    fed = mapped_dimensions(config)
    published = {
        name for spec in specs for name, levels in spec.dimensions.items() if len(levels) > 1
    }
    lines: list[str] = []
    for name, system in areas.items():
        boundaries = config.file.areas[name].boundaries
        if boundaries is None or system.boundaries is None:
            lines += [f"[areas.{name}]: {remark}" for remark in system.remarks]
            continue
        lines.append(
            f"[areas.{name}], {len(system.boundaries):,} outlines in {boundaries.path.name}:"
        )
        lines += [f"  {remark}" for remark in system.remarks]
        if name not in published:
            lines.append(
                "  no table has these areas, so the outlines are not published; name them in a"
                " table's 'dimensions'"
            )
        if name in fed:
            lines += _calls_and_outlines(engine, name, system)
            lines += _points(values[name].placing)
        else:
            lines.append("  no column of the calls names these areas; name it in [calls.columns]")
    return tuple(lines)


def _calls_and_outlines(engine: Engine, name: str, system: AreaSystem) -> list[str]:
    assert system.boundaries is not None
    rows = engine.ask(f"SELECT {name} AS code, count(*) AS n FROM calls GROUP BY {name}")
    calls = {str(code): int(n) for code, n in zip(rows["code"], rows["n"], strict=True)}
    drawn = list(system.boundaries["code"])
    lines = []
    if idle := [code for code in drawn if code not in calls]:
        lines.append(
            f"  outlines that no call names: {len(idle):,} of {len(drawn):,}: {listed(idle)}; "
            "if calls did come from there, look how the calls name these areas"
        )
    loose = {code: n for code, n in calls.items() if code not in set(drawn)}
    unknown = loose.pop(system.codelist.unknown_leaf or "", 0)
    if unknown or loose:
        coarser = f" and {sum(loose.values()):,} of a coarser area only" if loose else ""
        lines.append(
            f"  calls in no outline: {unknown:,} without a known area{coarser}, of"
            f" {sum(calls.values()):,}"
        )
    return lines or ["  each outline is named by a call, and each call names an outline"]


def _points(placing: Mapping[Placing, int]) -> list[str]:
    """Where the points of the export's rows lie, in numbers."""
    parts = [f"{placing[kind]:,} {words}" for kind, words in _PLACINGS.items() if kind in placing]
    if not parts:
        return []
    cure = (
        "; look whether the outlines draw all that the agency serves, and how the export writes its"
        " points"
    )
    return [
        f"  points of rows: {placing.get(Placing.INSIDE, 0):,} in an outline,"
        f" {', '.join(parts)}{cure if _MENDABLE & set(placing) else ''}"
    ]
