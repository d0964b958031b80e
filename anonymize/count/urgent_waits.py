"""Waits of urgent police calls while teams are on a call, compared with those while none is.

Each urgent call is one row of the input `urgent_calls`; nothing of it is published but a middle and
a slow wait per year, from enough calls. The two sides are made alike: a call while no team was on a
call counts as often as the other side has calls in the same area and hour of the day. Descriptive
only: it cannot show why a wait was long.

The numbers of a year say that some call with a team was in it, so they are
published only where the count of such calls is (`beside_counts`). They say no more: one call may
last as long as any number of urgent ones. Each year of the period has its rows, whatever the
calls.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from anonymize.agency.codelists import ROOT, Codelist
from anonymize.agency.load import AgencyConfig, mapped_dimensions
from anonymize.agency.schema import Text
from anonymize.count.comparisons import ERROR, Sides, estimate
from anonymize.count.statistics import BASE_ROUNDED
from anonymize.engine import Engine
from anonymize.errors import SourceError
from anonymize.records.program_inputs import INPUTS, Field, Reference, rows_of_input

TABLE = "urgent_waits"
NAME: Literal["urgent_calls"] = "urgent_calls"
TEAM = "co_responder"
NEEDS = ("dispatched_at", "cleared_at", "responder")
"""Columns of the calls without which nobody knows when a team was on a call."""
LEAST = 30
"""No wait is shown over fewer calls on either side."""
LONGEST = 24 * 60
"""Minutes. A longer wait is a wrong time."""
BUSY, FREE = "on_a_call", "not_on_a_call"

Key = frozenset[tuple[str, str]]
"""A cell by its codes, roots left out."""
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def urgent_waits(
    engine: Engine, config: AgencyConfig, codelists: Mapping[str, Codelist]
) -> list[Reference]:
    """The table `urgent_waits`, or nothing where the agency has no such input. Minutes are whole,
    calls rounded to 10.

    Raises SourceError: an area that is no code, or calls without the columns in NEEDS.
    """
    if NAME not in config.file.inputs:
        return []
    missing = [name for name in NEEDS if name not in config.file.calls.columns]
    if missing:
        raise SourceError(
            [
                f"{config.path}: [inputs.{NAME}] needs {', '.join(missing)} in [calls.columns], to"
                " know when a team was on a call"
            ]
        )
    calls = _urgent(engine, config, codelists)
    area = "area" if "area" in mapped_dimensions(config) else f"'{ROOT}'"
    spans = engine.ask(
        f"SELECT {area} AS area, team_from, team_until FROM calls WHERE responder = '{TEAM}' AND"
        " team_from < team_until"
    )
    busy = np.zeros(len(calls), dtype=bool)
    for place, rows in calls.groupby("area"):
        under = (
            codelists["area"].ancestors(codelists["area"].by_code[str(place)].level)
            if place != ROOT
            else dict.fromkeys(spans["area"], ROOT)
        )
        mine = spans[spans["area"].map(under) == place]
        busy[rows.index] = _inside(
            rows["at"].to_numpy(), mine["team_from"].to_numpy(), mine["team_until"].to_numpy()
        )
    release = config.file.release
    years = [str(y) for y in range(release.data_from.year, release.data_to.year + 1)]
    return [_table(calls.assign(busy=busy), years)]


def beside_counts(
    reference: Reference,
    cells: Collection[Key],
    counts: Mapping[Key, int],
    codelists: Mapping[str, Codelist],
    threshold: int,
) -> Reference:
    """The table `urgent_waits` with numbers for those years only of which the narrowest counts that
    contain all calls with a team are published, and `threshold` or more. `cells`: of all tables;
    `counts`: those that are published."""
    teams = [TEAM]
    while teams[-1] != ROOT:
        teams.append(codelists["responder"].by_code[teams[-1]].parent)

    def shown(year: str) -> bool:
        around = [
            frozenset(item for item in (("period", at), ("responder", team)) if item[1] != ROOT)
            for at, team in product((year, ROOT), teams)
        ]
        held = [cell for cell in around if cell in cells]
        levels = {code: len(teams) - i for i, code in enumerate(teams)}

        def inside(inner: Key, outer: Key) -> bool:
            one, other = dict(inner), dict(outer)
            return inner != outer and (
                other.get("period", one.get("period")) == one.get("period")
                and levels[other.get("responder", ROOT)] <= levels[one.get("responder", ROOT)]
            )

        return all(
            counts.get(cell, 0) >= threshold
            for cell in held
            if not any(inside(other, cell) for other in held)
        )

    rows = tuple(
        row if shown(row[0]) else (*row[:2], *("" for _ in row[2:])) for row in reference.rows
    )
    return replace(reference, rows=rows)


def _urgent(
    engine: Engine, config: AgencyConfig, codelists: Mapping[str, Codelist]
) -> pd.DataFrame:
    """(at: seconds, minutes, year, hour, area): urgent calls of the release's period, its gaps
    aside, with both times; without areas all are of the whole."""
    spec, release, fields = config.file.inputs[NAME], config.file.release, INPUTS[NAME].fields
    problems: list[str] = []
    rows = pd.DataFrame(
        rows_of_input(engine.db, config, NAME, spec, fields, problems),
        columns=[f.name for f in fields],
    )
    if problems:
        raise SourceError(problems)
    rows = rows[
        (rows["arrived"] != "")
        & rows["received"].str[:10].between(str(release.data_from), str(release.data_to))
    ]
    for gap in release.not_collected:  # nobody knows when teams were on a call then
        rows = rows[~rows["received"].str[:10].between(str(gap.first), str(gap.last))]
    times = {
        name: pd.to_datetime(rows[name], format="%Y-%m-%d %H:%M")
        for name in ("received", "arrived")
    }
    # A wait is a difference of moments; where the clocks show the time twice or never, it is
    # unknown and left out.
    moments = {
        name: at.dt.tz_localize(config.file.agency.timezone, ambiguous="NaT", nonexistent="NaT")
        for name, at in times.items()
    }
    minutes = ((moments["arrived"] - moments["received"]).dt.total_seconds() / 60).to_numpy()
    received = times["received"].to_numpy("datetime64[m]")
    known = set(codelists["area"].by_code) if "area" in mapped_dimensions(config) else {ROOT}
    area = rows["area"].replace("", ROOT).to_numpy()
    if unknown := sum(code not in known for code in area):
        raise SourceError(
            [
                f"{config.path}: [inputs.{NAME}]: {unknown} row(s) have an 'area' that is no code"
                " of [areas.area]; correct the file, or leave the column out"
            ]
        )
    year, hour = rows["received"].str[:4].to_numpy(), rows["received"].str[11:13].to_numpy()
    found = pd.DataFrame(
        {
            "at": received.astype(float) * 60,
            "minutes": minutes,
            "year": year,
            "hour": hour,
            "area": area,
        }
    )
    return found[(found["minutes"] >= 0) & (found["minutes"] <= LONGEST)].reset_index(drop=True)


def _inside(at: Floats, starts: Floats, ends: Floats) -> Mask:
    """Which moments lie in at least one span: more have begun than ended."""
    begun, ended = (
        np.searchsorted(np.sort(starts), at, side="right"),
        np.searchsorted(np.sort(ends), at, side="right"),
    )
    return np.asarray(begun > ended)


def _table(calls: pd.DataFrame, years: Sequence[str]) -> Reference:
    alike = ["year", "hour", "area"]
    number = (
        calls.groupby([*alike, "busy"])
        .size()
        .unstack(fill_value=0)
        .reindex(columns=[False, True], fill_value=0)
    )
    number = number[(number[False] > 0) & (number[True] > 0)]
    ratio = (number[True] / number[False]).rename("ratio").reset_index()
    calls = calls.merge(ratio, on=alike)
    calls["weight"] = np.where(calls["busy"], 1.0, calls["ratio"])
    rows = []
    for year in years:
        mine = calls[calls["year"] == year]
        sides = {
            side: mine[mine["busy"] == busy].sort_values("minutes", kind="stable")
            for side, busy in ((BUSY, True), (FREE, False))
        }
        for side, these in sides.items():
            enough = min(map(len, sides.values())) >= LEAST
            waits = (
                [
                    f"{_quantile(these['minutes'].to_numpy(), these['weight'].to_numpy(), q):.0f}"
                    for q in (0.5, 0.9)
                ]
                if enough
                else ["", ""]
            )
            calls_of = f"{BASE_ROUNDED * round(len(these) / BASE_ROUNDED)}" if enough else ""
            rows.append(
                (
                    year,
                    side,
                    calls_of,
                    *waits,
                    *(_difference(mine) if enough and side == BUSY else ("", "")),
                )
            )
    return Reference(
        TABLE,
        Text(
            en="Urgent police calls while teams are on a call, and while none is, by year",
            es="Llamadas policiales urgentes con equipos en una llamada, y sin ellos, por año",
        ),
        "urgent police calls of one year on one side, alike in area and hour of the day",
        (
            Field("year", "year", "year"),
            Field(
                "teams", "text", f"{BUSY}: a team was on a call in the same area; {FREE}: none was"
            ),
            Field(
                "calls",
                "whole",
                "urgent calls behind the waits, rounded to 10; blank where fewer than 30 on either"
                " side, or where the number of calls with a team is not published",
                required=False,
            ),
            Field("median", "whole", "minutes that half of the waits stay under", required=False),
            Field("p90", "whole", "minutes that 9 in 10 waits stay under", required=False),
            Field(
                "difference_low",
                "whole",
                f"seconds: low end of the 95 % interval of the difference in the mean wait, {BUSY}"
                f" less {FREE}",
                required=False,
            ),
            Field("difference_high", "whole", "seconds: its high end", required=False),
        ),
        tuple(rows),
    )


def _difference(calls: pd.DataFrame) -> tuple[str, str]:
    """Ends of the interval of the difference in the mean wait among like calls, in seconds, rounded
    outward. Calls of one day go together: a busy night makes many of them wait."""
    stratum = calls.groupby(["hour", "area"], sort=True).ngroup().to_numpy(dtype=np.int64)
    days = (calls["at"].to_numpy() // 86_400).astype(np.int64)
    one = np.ones(len(calls), dtype=np.int64)
    found = estimate(
        Sides(stratum, calls["busy"].to_numpy().astype(np.int64), days, one, one.astype(float)),
        calls["minutes"].to_numpy() * 60,
        ERROR,
    )
    return (f"{math.floor(found.low)}", f"{math.ceil(found.high)}") if found else ("", "")


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """The least of the sorted `values` at which the weights reach `share` of their sum."""
    reached = np.cumsum(weights)
    return float(values[np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))])
