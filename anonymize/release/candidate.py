"""Write a release of format 1 into a folder. Same input, same bytes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from anonymize.agency.codelists import ROOT, Codelist
from anonymize.agency.load import AgencyConfig
from anonymize.agency.schema import OutsideRecords
from anonymize.areas.geojson import public_geojson
from anonymize.areas.map_context import NO_CONTEXT, Context
from anonymize.areas.systems import AreaSystem
from anonymize.protect.coarsen import Advice
from anonymize.records.collected import NOT_COLLECTED
from anonymize.records.completeness import NAME as COMPLETENESS
from anonymize.records.program_inputs import Reference
from anonymize.release.changelog import changelog
from anonymize.release.published import NOTHING_REVISED, PublishedStatistic, PublishedTable, Revised
from anonymize.release.read import HISTORY, WITHHELD

MEASURE = "calls"
SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"
STATUSES = ["published", "suppressed", "not_collected", "not_applicable", "incomplete"]


@dataclass(frozen=True)
class Before:
    """The folders of the releases that readers may have kept, oldest first, and what was revised
    since the last one."""

    folders: tuple[Path, ...] = ()
    revised: Revised = NOTHING_REVISED


@dataclass(frozen=True)
class Contents:
    """All that a release is written from: the agency file and what depends on it alone, published
    counts and marks, and declared facts.

    `references`: tables about the program itself. `facts`: what they and the statistics say about
    counts (`release/facts.py`).
    """

    config: AgencyConfig
    codelists: Mapping[str, Codelist]
    areas: Mapping[str, AreaSystem]
    advice: Advice
    tables: Sequence[PublishedTable]
    statistics: Sequence[PublishedStatistic] = ()
    references: Sequence[Reference] = ()
    facts: Sequence[Mapping[str, Any]] = ()
    before: Before = field(default_factory=Before)
    context: Context = NO_CONTEXT


def write_candidate(folder: Path, contents: Contents, *, copies: bool = True) -> None:
    """Write the release described by `contents` into the empty `folder`, without audit.json.

    Every earlier release is copied to history/VERSION, byte for byte (unless `copies` is False).
    """
    config, before, codelists = contents.config, contents.before, contents.codelists
    history = [_keep(source, folder if copies else None) for source in before.folders]
    languages = config.file.agency.languages
    resources: list[dict[str, Any]] = []

    def put(path: str, text: str, described: dict[str, Any]) -> None:
        data = text.encode("utf-8")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        resources.append(
            described
            | {
                "path": path,
                "bytes": len(data),
                "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
            }
        )

    published = {name: codelists[name] for name in _used(contents.tables, contents.statistics)}
    for table in contents.tables:
        put(
            f"tables/{table.name}.csv",
            _table_csv(table),
            _pointing(_table_resource(table, languages), table.dimensions),
        )
    for statistic in contents.statistics:
        described = _pointing(_statistic_resource(statistic, languages), statistic.dimensions)
        put(f"tables/{statistic.spec.name}.csv", _statistic_csv(statistic), described)
    for reference in contents.references:
        described = _pointing(
            _reference_resource(reference, languages), _coded(reference, published)
        )
        put(
            f"tables/{reference.name}.csv",
            _csv([f.name for f in reference.fields], reference.rows),
            described,
        )
    for name, codelist in published.items():
        put(
            f"codelists/{name}.csv",
            _codelist_csv(codelist, languages),
            _codelist_resource(codelist, languages),
        )
    # Which outlines are published follows from the tables of the agency file alone, not from where
    # calls came from.
    drawn = {
        name
        for table in contents.tables
        for name, dimension in table.dimensions.items()
        if len(dimension.levels) > 1
    }
    for name, system in contents.areas.items():
        if system.boundaries is not None and name in drawn:
            file = f"areas{name.removeprefix('area')}.geojson"
            described = {
                "name": file.removesuffix(".geojson").replace("_", "-"),
                "format": "geojson",
                "mediatype": "application/geo+json",
            }
            put(file, public_geojson(system.boundaries), described)
    if contents.context.text:
        put("context.json", contents.context.text, _context_resource(contents.context))
    put(
        "CHANGELOG.md",
        changelog(
            config.file.release,
            before.folders[-1] if before.folders else None,
            before.revised,
            published,
        ),
        {"name": "changelog", "format": "md", "mediatype": "text/markdown"},
    )
    (folder / "datapackage.json").write_text(
        json.dumps(_package(contents, history, resources), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


def _context_resource(context: Context) -> dict[str, Any]:
    """Readers that know of no context take every `*.geojson` for outlines of areas: it has another
    name."""
    described: dict[str, Any] = {
        "name": "context",
        "format": "geojson",
        "mediatype": "application/geo+json",
    }
    return described | ({"sources": [{"title": context.credit}]} if context.credit else {})


def _used(tables: Sequence[PublishedTable], statistics: Sequence[PublishedStatistic]) -> list[str]:
    """Dimensions that a table uses. The period always: it says which months the release covers."""
    counted = {name for table in tables for name in (*table.dimensions, *table.where)}
    return sorted(
        {"period"}
        | counted
        | {
            name
            for statistic in statistics
            for name in (*statistic.dimensions, *statistic.spec.where)
        }
    )


def _coded(reference: Reference, codelists: Mapping[str, Codelist]) -> list[str]:
    """Columns named after a dimension that contain nothing but its codes."""
    return [
        f.name
        for i, f in enumerate(reference.fields)
        if f.name in codelists
        and all(row[i] in codelists[f.name].by_code for row in reference.rows if row[i])
    ]


def _codelist_name(dimension: str) -> str:
    """The name of a codelist's resource."""
    return f"codelist-{dimension.replace('_', '-')}"


def _pointing(described: dict[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """A table's description whose `columns` point to their codelists, as foreign keys (Table
    Schema v2)."""
    keys = [
        {"fields": [name], "reference": {"resource": _codelist_name(name), "fields": ["code"]}}
        for name in columns
    ]
    if keys:
        described["schema"]["foreignKeys"] = keys
    return described


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _table_csv(table: PublishedTable) -> str:
    rows: list[tuple[object, ...]] = []
    values, hidden, marks = table.values.ravel(), table.withheld.ravel(), table.marks.ravel()
    for i, codes in enumerate(product(*(d.codes for d in table.dimensions.values()))):
        if hidden[i]:
            rows.append((*codes, "", WITHHELD))
        else:
            rows.append((*codes, "" if marks[i] == NOT_COLLECTED else int(values[i]), marks[i]))
    return _csv([*table.dimensions, MEASURE, "status"], rows)


def _statistic_csv(statistic: PublishedStatistic) -> str:
    header = [*statistic.dimensions, *statistic.columns, "status"]
    return _csv(header, [[row[name] for name in header] for row in statistic.rows()])


def _statistic_resource(statistic: PublishedStatistic, languages: Sequence[str]) -> dict[str, Any]:
    spec = statistic.spec
    fields: list[dict[str, Any]] = [
        {
            "name": name,
            "type": "string",
            "title": d.codelist.name.of(languages[0]),
            "constraints": {"required": True},
        }
        for name, d in statistic.dimensions.items()
    ]
    for name, step in statistic.rounding.items():
        fields.append(
            {"name": name, "type": "integer", "description": _meaning(statistic, name, step)}
            | _least(name)
        )
    fields.append(
        {"name": "status", "type": "string", "constraints": {"required": True, "enum": STATUSES}}
    )
    declared = {
        "kind": "statistic",
        "title": spec.title.texts(languages),
        "measure": spec.measure,
        "universe": "calls",
        "where": spec.where,
        "dimensions": {name: list(d.levels) for name, d in statistic.dimensions.items()},
        "rounding": statistic.rounding,
        "minimum": spec.minimum,
    } | ({"design": dict(statistic.design)} if statistic.design else {})
    return _tabular(spec.name, fields, list(statistic.dimensions)) | {
        "title": spec.title.of(languages[0]),
        "table": declared,
    }


def _least(name: str) -> dict[str, Any]:
    """The ends of a difference may be negative."""
    return {} if name.endswith(("low", "high")) else {"constraints": {"minimum": 0}}


_WHAT = {
    "people": "Different people",
    "people_again": "People with another call in that time after their first",
    "people_followed": "People followed from their first call",
    "calls_frequent": "Calls of people who made a fifth or later call within 365 days in that year",
    "hours": "Hours",
    "hours_none": "Hours with a call that no team was free for",
    "based_on": "Calls behind the row",
    "inflation": "In tenths: by how much the variance of counts grows because people call again",
    "recorded": "1 where enough is on record to judge, else 0",
}
"""Column -> what it holds, where that does not depend on the measure."""
_CONTROLS = {
    "weekday": ("calls on a Monday or Tuesday", "per 10,000 calls"),
    "queue": ("the wait before anyone is sent", "in seconds"),
}


def _per_cent(design: Mapping[str, Any]) -> str:
    """The level of confidence of a comparison, in words."""
    return f"{100 * design['interval']:g} %"


def _meaning(statistic: PublishedStatistic, name: str, step: int) -> str:
    """What a column of a statistic holds, in which unit, and how it is rounded."""
    empty = "Empty where withheld or not collected."
    if statistic.timed and name == list(statistic.rounding)[-1]:
        return (
            f"At least so many calls, rounded down to {step}; what is above stays open, so that "
            f"nothing of calls without a time follows. {empty}"
        )
    nearest = f"rounded to the nearest {step}" if step > 1 else "a whole number"
    if statistic.design:
        if name == "based_on":
            return f"At least so many calls of both sides, rounded down to {step}. {empty}"
        unit = "per 10,000 calls" if statistic.design["unit"] == "per_10000_calls" else "in seconds"
        first, _, edge = name.rpartition("_")
        if first in _CONTROLS:
            what, unit = _CONTROLS[first]
            return (
                f"Negative control, {what}: {edge} end of the interval for the difference of the "
                f"two sides, {unit}, rounded outward. {empty}"
            )
        if name in ("low", "high"):
            return (
                f"The {name} end of the {_per_cent(statistic.design)} interval for the first side "
                f"less the other, {unit}, "
                f"rounded outward. {empty}"
            )
        if name in ("team", "other"):
            side = (
                "the first side (a team was free, or a clinician came)"
                if name == "team"
                else "the other side, of like calls"
            )
            return f"Mean of {side}, {unit}, {nearest}. {empty}"
    if name in ("median", "p90"):
        unit = "days" if statistic.spec.measure.startswith("days_") else "minutes"
        return (
            f"{'Middle value' if name == 'median' else '90th percentile'} in {unit}, {nearest}. "
            f"{empty}"
        )
    return f"{_WHAT.get(name, name)}, {nearest}. {empty}"


def _tabular(name: str, fields: list[dict[str, Any]], key: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": fields, "primaryKey": key, "missingValues": [""]},
    }


def _table_resource(table: PublishedTable, languages: Sequence[str]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for name, dimension in table.dimensions.items():
        fields.append(
            {
                "name": name,
                "type": "string",
                "title": dimension.codelist.name.of(languages[0]),
                "constraints": {"required": True},
            }
        )
    fields.append(
        {
            "name": MEASURE,
            "type": "integer",
            "title": "Calls",
            "description": (
                "Number of calls; empty where withheld, and where nothing was collected."
            ),
            "constraints": {"minimum": 0},
        }
    )
    fields.append(
        {"name": "status", "type": "string", "constraints": {"required": True, "enum": STATUSES}}
    )
    declared: dict[str, Any] = {
        "kind": "count",
        "title": table.title.texts(languages),
        "measure": MEASURE,
        "universe": table.universe,
        "where": table.where,
        "dimensions": {name: list(d.levels) for name, d in table.dimensions.items()},
    }
    if table.sensitive_attribute:
        declared["sensitive_attribute"] = table.sensitive_attribute
    described = _tabular(table.name, fields, list(table.dimensions))
    return described | {"title": table.title.of(languages[0]), "table": declared}


_TYPES = {
    "fiscal_year": "integer",
    "whole": "integer",
    "number": "number",
    "year": "integer",
    "date": "date",
    "month": "yearmonth",
    "time": "string",
    "text": "string",
    "yes": "string",
}


def _reference_resource(reference: Reference, languages: Sequence[str]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = [
        {
            "name": f.name,
            "type": _TYPES[f.kind],
            "title": f.what,
            "constraints": {"required": f.required},
        }
        for f in reference.fields
    ]
    described = _tabular(reference.name.replace("_", "-"), fields, [])
    del described["schema"]["primaryKey"]
    declared = {
        "kind": "reference",
        "title": reference.title.texts(languages),
        "universe": reference.what,
    }
    return described | {"title": reference.title.of(languages[0]), "table": declared}


def _labels(languages: Sequence[str]) -> list[str]:
    """Columns of a code list's labels."""
    return [f"label_{code}" for code in languages]


def _codelist_csv(codelist: Codelist, languages: Sequence[str]) -> str:
    rows = [
        (n.code, *map(n.label.of, languages), n.parent, n.level, i)
        for i, n in enumerate(codelist.nodes)
    ]
    return _csv(["code", *_labels(languages), "parent", "level", "order"], rows)


def _codelist_resource(codelist: Codelist, languages: Sequence[str]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = [
        {"name": name, "type": "string"}
        for name in ("code", *_labels(languages), "parent", "level")
    ]
    fields.append({"name": "order", "type": "integer"})
    fields[0]["constraints"] = {"required": True, "unique": True}
    described = _tabular(_codelist_name(codelist.dimension), fields, ["code"])
    described["schema"]["foreignKeys"] = [
        {"fields": ["parent"], "reference": {"fields": ["code"]}}
    ]  # no resource: within this one
    return described | {
        "title": f"Codes of {codelist.name.of(languages[0])}",
        "codelist": {"dimension": codelist.dimension, "name": codelist.name.texts(languages)},
    }


def _keep(source: Path, folder: Path | None) -> dict[str, str]:
    """Copy an earlier release into `folder`, without the history inside it, and say which bytes it
    was."""
    described = (source / "datapackage.json").read_bytes()
    package = json.loads(described)
    if folder is not None:
        target = folder / HISTORY / str(package["version"])
        shutil.copytree(
            source,
            target,
            ignore=lambda at, names: [HISTORY] if Path(at) == source and HISTORY in names else [],
        )
    return {
        "version": str(package["version"]),
        "created": str(package["created"]),
        "datapackage_sha256": hashlib.sha256(described).hexdigest(),
    }


def _package(
    contents: Contents, history: list[dict[str, str]], resources: list[dict[str, Any]]
) -> dict[str, Any]:
    config, advice, before = contents.config, contents.advice, contents.before
    agency, release = config.file.agency, config.file.release
    languages = agency.languages
    package: dict[str, Any] = {
        "$schema": SCHEMA,
        "name": f"co-response-{agency.id.replace('_', '-')}",
        "title": agency.name.of(languages[0]),
        "description": agency.about.of(languages[0]),
        "version": release.version,
        "created": f"{release.created}T00:00:00Z",
        "licenses": [{"title": agency.licence.name, "path": agency.licence.url}],
        "contributors": [{"title": agency.publisher, "roles": ["publisher"]}],
        "privacy": {"threshold": config.file.privacy.threshold},
        "agency": {
            "id": agency.id,
            "name": agency.name.texts(languages),
            "place": agency.place.texts(languages),
            "about": agency.about.texts(languages),
            "country": agency.country,
            "fictional": agency.fictional,
            "contact": agency.contact,
        },
        "period": {"from": str(release.data_from), "to": str(release.data_to)},
    }
    if release.not_collected:
        package["gaps"] = [
            {"from": str(gap.first), "to": str(gap.last), "reason": gap.reason.texts(languages)}
            | ({"records": gap.edge} if isinstance(gap, OutsideRecords) else {})
            for gap in release.not_collected
            if gap.reason
        ]
    if agency.site:
        package["homepage"] = agency.site
    if agency.embedders:
        package["embedders"] = list(agency.embedders)
    package["release"] = {"kind": release.kind} | (
        {"reason": release.reason.texts(languages)} if release.reason else {}
    )
    if config.file.definitions:
        package["definitions"] = {
            name: {
                "version": rule.version,
                "since": str(rule.since),
                "text": rule.texts(languages),
            }
            for name, rule in sorted(config.file.definitions.items())
        }
    if release.next_update:
        package["next_update"] = str(release.next_update)
    if advice.changes:
        package["coarsened"] = {
            "tables": list(dict.fromkeys(table for table, _ in advice.steps)),
            "areas": {
                name: [list(group) for group in groups] for name, groups in advice.merged.items()
            },
        }
    told = next((r.rows for r in contents.references if r.name == COMPLETENESS), ())
    package["completeness"] = {
        name: int(at_least)
        for name, period, _of, at_least, _most in told
        if period == ROOT and at_least
    }
    if history:
        package["history"] = history
        package["revised"] = {
            "months": list(before.revised.months),
            "at_most": before.revised.at_most,
        }
    package["facts"] = list(contents.facts)
    return package | {"resources": resources}
