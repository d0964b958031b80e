"""What a release is written from, and what it tells besides counts, brought together.

Everything past the counting goes through `contents_of`: it takes the private counts, and gives what
the public may see of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anonymize.agency import AgencyConfig
from anonymize.agency.codelists import ROOT, Codelist
from anonymize.areas.map_context import NO_CONTEXT, Context
from anonymize.areas.systems import AreaSystem
from anonymize.count.staffed_cells import NOTHING_EMPTY, Empty
from anonymize.count.statistics import Statistic
from anonymize.count.tables import Mask, Table
from anonymize.count.urgent_waits import TABLE as URGENT_WAITS
from anonymize.count.urgent_waits import beside_counts
from anonymize.disclosure.history import Past
from anonymize.errors import PlanError
from anonymize.protect.coarsen import Advice
from anonymize.protect.facts import Declared
from anonymize.records.calls import CLOCKS, Tally
from anonymize.records.collected import Calendar
from anonymize.records.completeness import CALLS, Row, completeness, fields_of
from anonymize.records.program_inputs import Reference
from anonymize.release import facts
from anonymize.release.candidate import Before, Contents
from anonymize.release.published import Marks, PublishedStatistic, PublishedTable, published_counts


@dataclass(frozen=True)
class Counted:
    """All that was counted (private), and what depends on the agency file alone."""

    config: AgencyConfig
    codelists: Mapping[str, Codelist]
    areas: Mapping[str, AreaSystem]
    advice: Advice
    tally: Tally
    tables: Sequence[Table]
    references: Sequence[Reference]
    """Tables from other inputs, published besides the counts."""
    before: Before
    tells_shares: bool = True
    """Are shares of filled fields published? Together with earlier releases, they can disclose too
    much."""
    empty: Empty = NOTHING_EMPTY
    """Cells that hold no call, as everyone knows."""
    context: Context = NO_CONTEXT
    """Water, roads, parks and names for the maps, from files that know of no call."""


def contents_of(
    counted: Counted, withheld: Sequence[Mask], statistics: Sequence[Statistic]
) -> Contents:
    """Everything that a release publishes.

    `withheld[i]`: the withheld cells of `counted.tables[i]`. `statistics`: only their rows marked
    as shown are published.
    """
    config, codelists = counted.config, counted.codelists
    calendar = Calendar.of(config.file.release)
    tables = [
        _table(table, mask, calendar.statuses(table.dimensions, table.where, codelists))
        for table, mask in zip(counted.tables, withheld, strict=True)
    ]
    shown = [
        _statistic(s, calendar.statuses(s.dimensions, s.spec.where, codelists)) for s in statistics
    ]
    counts, cells = published_counts(tables), {key for table in tables for key in table.keys}
    tally = counted.tally
    threshold = config.file.privacy.threshold
    references = tuple(
        beside_counts(r, cells, counts, codelists, threshold) if r.name == URGENT_WAITS else r
        for r in counted.references
    )
    beside = _completeness(config, codelists, tally, counts if counted.tells_shares else {})
    told = [
        facts.of_completeness(
            config, codelists, sorted(tally.completeness), tally.asked_of, told=counted.tells_shares
        )
    ]
    told += [
        facts.of_statistic(statistic.spec, codelists, left_out=statistic.left_out)
        for statistic in shown
    ]
    told += [facts.of_edge(outside, codelists) for outside in config.file.release.outside_records]
    if counted.empty.by_shifts:
        told.append(facts.of_shifts(counted.empty.by_shifts))
    if counted.empty.by_gaps:
        told.append(facts.of_gaps(counted.empty.by_gaps))
    if counted.before.folders:
        told.append(facts.of_revisions())
    return Contents(
        config,
        codelists,
        counted.areas,
        counted.advice,
        tables,
        shown,
        (*references, beside),
        told,
        counted.before,
        counted.context,
    )


def _table(table: Table, withheld: Mask, marks: Marks) -> PublishedTable:
    values = np.where(withheld, 0, table.values)
    return PublishedTable(
        table.name,
        table.title,
        table.universe,
        table.dimensions,
        table.where,
        table.sensitive_attribute,
        values,
        withheld,
        marks,
    )


def _statistic(statistic: Statistic, marks: Marks) -> PublishedStatistic:
    columns = {
        name: np.where(statistic.shown, values, 0) for name, values in statistic.columns.items()
    }
    timed = statistic.spec.measure in CLOCKS
    return PublishedStatistic(
        statistic.spec,
        statistic.dimensions,
        columns,
        statistic.rounding,
        statistic.shown,
        timed,
        marks,
        statistic.design,
        statistic.left_out,
    )


def declared_now(contents: Contents) -> Declared:
    """The declared facts of the release being built: what it says about counts besides the
    counts."""
    rows: dict[str, list[dict[str, str]]] = {}
    where: dict[str, Mapping[str, str]] = {}
    dimensions: dict[str, Sequence[str]] = {}
    for reference in contents.references:
        names = [f.name for f in reference.fields]
        rows[reference.name] = [dict(zip(names, row, strict=True)) for row in reference.rows]
    for statistic in contents.statistics:
        name = statistic.spec.name
        rows[name], where[name], dimensions[name] = (
            statistic.rows(),
            statistic.spec.where,
            list(statistic.dimensions),
        )
    counts = published_counts(contents.tables)
    return Declared(
        contents.facts, rows, where, dimensions, counts, contents.config.file.privacy.threshold
    )


def declared_then(past: Past) -> Declared:
    """The declared facts of an earlier release: what it says about counts besides the counts.
    Raises PlanError where it declares none."""
    public = past.public
    told = public.package.get("facts")
    if not isinstance(told, list):
        raise PlanError(
            [
                f"{past.folder}: release {past.version} does not declare what its tables tell of"
                " counts ('facts' in datapackage.json), so no later release can be held against"
                " it; begin a new series in a new folder"
            ]
        )
    beside = public.beside
    return Declared(
        told,
        {name: table.rows for name, table in beside.items()},
        {name: table.where for name, table in beside.items()},
        {name: table.dimensions for name, table in beside.items()},
        public.published(),
        public.threshold,
    )


def _completeness(
    config: AgencyConfig,
    codelists: Mapping[str, Codelist],
    tally: Tally,
    counts: Mapping[frozenset[tuple[str, str]], int],
) -> Reference:
    period = codelists["period"]
    months = period.codes_at(period.finest) if period.finest != ROOT else ()
    rows: list[Row] = []
    for name, at in fields_of(tally.completeness, tally.by_month, months, tally.asked_of):
        out_of = tally.asked_of.get(name, CALLS)
        filled = (
            tally.completeness[name][0] if at == ROOT else tally.by_month[name].get(at, (0, 0))[0]
        )
        rows.append(
            Row(
                name,
                at,
                out_of,
                filled,
                facts.published_counts_of(facts.OUT_OF[out_of], at, counts),
            )
        )
    return completeness(rows, config.file.privacy.threshold)


__all__ = ["Counted", "contents_of", "declared_now", "declared_then"]
