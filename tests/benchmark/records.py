"""Counting at scale: `build`'s reading and counting against DuckDB's bare GROUP BY queries of the
same tables, and against pandas.

    python -m tests.benchmark.records 10 parquet [--pandas] [--folder /tmp/records]
    python -m tests.benchmark.records 100 csv

The first number is millions of calls. The calls are made up by a formula: 58 counties in 6 regions,
three years, few people with many calls, a few blanks, repeats of rows, and rows that cannot be
used. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from anonymize.agency.codelists import Codelist
from anonymize.agency.schema import FLAG_FIELDS
from anonymize.count.tables import Table, cells_of, count_tables, counter
from anonymize.engine import Engine, open_engine
from anonymize.pipeline import Inputs, read_inputs
from anonymize.protect import plan_cliques
from anonymize.protect.primary import few_people
from anonymize.protect.system import clique_dimensions
from anonymize.records.calls import read_calls

TYPES = ["MENTAL HEALTH", "SUICIDE CONCERN", "OVERDOSE", "WELFARE CHECK", "DISTURBANCE"]
SOURCES = ["911", "NON-EMERGENCY", "OFFICER", "988"]
UNITS = ["PD", "COR", "FIRE", "CLIN"]
ENDS = ["STAY", "REFUSED", "PLAN", "ED", "HOLD", "NOT FOUND", "CENTER", "HANDED", "ARREST"]
COUNTIES = [f"C{i:02d}" for i in range(58)]
TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "by_month": {"period": ("all", "year", "month")},
    "by_type": {"period": ("all", "year", "month"), "call_type": ("all", "type")},
    "by_source": {"period": ("all", "year", "month"), "source": ("all", "origin", "source")},
    "by_county": {"period": ("all", "year"), "area": ("all", "region", "county")},
    "by_responder": {
        "period": ("all", "year", "month"),
        "responder": ("all", "reached", "responder"),
    },
    "by_outcome": {"period": ("all", "year", "month"), "outcome": ("all", "outcome")},
    "by_type_and_county": {
        "period": ("all", "year"),
        "call_type": ("all", "type"),
        "area": ("all", "region", "county"),
    },
    "by_hour": {"weekday": ("all", "part", "day"), "hour": ("all", "block", "hour")},
    "coverage": {
        "period": ("all", "year"),
        "area": ("all", "region"),
        "responder": ("all", "reached"),
        "eligible": ("all", "answer"),
    },
    "outcome_by_responder": {
        "period": ("all", "year"),
        "responder": ("all", "reached", "responder"),
        "outcome": ("all", "outcome"),
    },
    "force": {
        "period": ("all", "year"),
        "responder": ("all", "reached"),
        "force_used": ("all", "answer"),
    },
    "county_by_hour": {"area": ("all", "region", "county"), "hour": ("all", "block")},
}
RAW = {
    "call_type": "final_type",
    "source": "call_source",
    "area": "county",
    "responder": "unit_type",
    "outcome": "disposition",
    "eligible": "eligible",
    "force_used": "force_used",
}
FINE = {
    "period": {"year": "substr(received, 1, 4)", "month": "substr(received, 1, 7)"},
    "hour": {"": "substr(received, 12, 2)"},
    "weekday": {"": "isodow(TRY_CAST(substr(received, 1, 10) AS DATE))"},
}


def generate(folder: Path, millions: float, kind: str) -> Path:
    """The export, made once: `kind` is csv or parquet. Several files, as a state's counties would
    send them."""
    target = folder / f"{millions:g}-{kind}"
    if target.exists():
        return target
    scratch = folder / f".{target.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    rows, files = int(millions * 1e6), max(1, int(millions // 12.5))

    def pick(seed: int, values: list[str], blank: int = 0) -> str:
        listed = ", ".join(f"'{v}'" for v in values)
        chosen = (
            f"[{listed}][1 + CAST(floor(pow((hash(i * {seed}) % 1000003) / 1000003.0, 1.7) *"
            f" {len(values)}) AS INTEGER)]"
        )
        return f"CASE WHEN hash(i * {seed} + 1) % 1000 < {blank} THEN NULL ELSE {chosen} END"

    with duckdb.connect(
        config={"memory_limit": "2GB", "temp_directory": str(scratch / "spill")}
    ) as db:
        for part in range(files):
            first, last = rows * part // files, rows * (part + 1) // files
            # One row in 10,000 repeats the one before; one in 5,000 has no usable time; a hundred
            # people call often.
            db.execute(
                "COPY (SELECT printf('S%011d', (CASE WHEN i % 10000 = 1 THEN i - 1 ELSE i END *"
                " 7919) % 100000000007) AS incident_no, CASE WHEN i % 5000 = 7 THEN 'n/a' ELSE"
                f" strftime(TIMESTAMP '2023-01-01' + INTERVAL (hash(i * 13) % {3 * 365 * 86400})"
                f" SECOND, '%Y-%m-%d %H:%M:%S') END AS received, {pick(3, TYPES)} AS final_type,"
                f" {pick(5, SOURCES)} AS call_source, {pick(7, COUNTIES)} AS county,"
                f" {pick(11, UNITS)} AS unit_type, {pick(17, ENDS, 5)} AS disposition,"
                f" {pick(19, ['N', 'Y'], 50)} AS eligible, {pick(23, ['N', 'N', 'N', 'Y'])} AS"
                " force_used, CASE WHEN hash(i * 31) % 10 = 0 THEN NULL WHEN hash(i * 37) % 100000"
                " = 0 THEN 'F' || (hash(i * 41) % 100) ELSE 'P' || (hash(i * 29) %"
                f" {max(rows // 3, 10)}) END AS person FROM range({first}, {last}) t(i)) TO"
                f" '{scratch}/{part:03d}.{kind}'"
                f" ({'HEADER' if kind == 'csv' else 'COMPRESSION zstd'})"
            )
    shutil.rmtree(scratch / "spill", ignore_errors=True)
    scratch.rename(target)
    return target


def agency_file(
    folder: Path, data: Path, kind: str, engine: str = "duckdb", master: str = "local[2]"
) -> Path:
    """An agency file for the export."""
    text = lambda en: f'{{ en = "{en}", es = "{en}" }}'  # noqa: E731
    values = {
        "call_type": dict(
            zip(
                TYPES,
                ["mental_health", "suicide_concern", "overdose", "welfare", "disturbance"],
                strict=True,
            )
        ),
        "source": {"911": "s911", "NON-EMERGENCY": "line", "OFFICER": "officer", "988": "s988"},
        "responder": {
            "PD": "police_only",
            "COR": "co_responder",
            "FIRE": "other",
            "CLIN": "clinician_only",
        },
        "outcome": dict(
            zip(
                ENDS,
                [
                    "stayed_with_plan",
                    "refused",
                    "safety_plan_referral",
                    "emergency_department",
                    "involuntary_hold",
                    "not_found",
                    "crisis_center",
                    "handed_over",
                    "arrest_or_citation",
                ],
                strict=True,
            )
        ),
    }
    lines = [
        f'engine = "{engine}"',
        f'spark = {{ master = "{master}" }}',
        "[agency]",
        'id = "state"',
        f"name = {text('State')}",
        f"place = {text('State')}",
        'timezone = "America/Los_Angeles"',
        'publisher = "State"',
        'contact = "a@example.org"',
        f"about = {text('Made up.')}",
        "fictional = true",
        (
            'licence = { name = "CC0 1.0", url ='
            ' "https://creativecommons.org/publicdomain/zero/1.0/" }'
        ),
        "[release]",
        'version = "2026.1"',
        "created = 2026-01-15",
        "data_from = 2023-01-01",
        "data_to = 2025-12-31",
        "[calls]",
        f'paths = "{data}/*.{kind}"',
        'repeated_rows = "keep_first"',
        "[calls.time]",
        'timestamp = "received"',
        "[calls.columns]",
        'call_id = "incident_no"',
        'person_key = "person"',
        *(f'{field} = "{column}"' for field, column in RAW.items()),
    ]
    for name, pairs in values.items():
        lines += [
            f"[calls.values.{name}]",
            *(f'"{value}" = "{code}"' for value, code in pairs.items()),
        ]
    lines += [
        "[dimensions.call_type]",
        f"name = {text('Type')}",
        f"all = {text('All')}",
        'levels = ["type"]',
        "codes = [",
    ]
    lines += [
        f'  {{ code = "{c}", en = "{c}", es = "{c}" }},' for c in values["call_type"].values()
    ] + ["]"]
    lines += [
        "[dimensions.source]",
        f"name = {text('Source')}",
        f"all = {text('All')}",
        'levels = ["origin", "source"]',
        "codes = [",
    ]
    lines += ['  { code = "public", en = "a", es = "a" }, { code = "staff", en = "b", es = "b" },']
    lines += [
        f'  {{ code = "{c}", en = "{c}", es = "{c}", parent ='
        f' "{"staff" if c == "officer" else "public"}" }},'
        for c in values["source"].values()
    ] + ["]"]
    lines += [
        "[areas.area]",
        f"name = {text('County')}",
        f"all = {text('State')}",
        'levels = ["region", "county"]',
        "[areas.area.tree]",
    ]
    for region in range(6):
        lines.append(
            f"R{region} ="
            f" [{', '.join(repr(c).replace(chr(39), chr(34)) for c in COUNTIES[region::6])}]"
        )
    for name, levels in TABLES.items():
        listed = ", ".join(f"{d} = {json.dumps(list(ls))}" for d, ls in levels.items())
        lines += [
            "[[tables]]",
            f'name = "{name}"',
            f"title = {text(name)}",
            f"dimensions = {{ {listed} }}",
        ]
    path = folder / f"agency-{data.name}-{engine}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def processor_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Of all threads: what other work on the machine takes is left out, unlike in seconds by the
    clock."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def count(engine: Engine, inputs: Inputs, private: Path) -> tuple[dict[str, float], list[Table]]:
    """What `build` does of the records: read, check, code, count the tables and the joint counts
    that protection works on."""
    specs = inputs.config.file.tables
    reading, tally = timed(lambda: read_calls(engine, inputs.config, inputs.areas, private))
    cliques, answers = plan_cliques(specs, inputs.codelists), counter(engine, inputs.config)
    tables, counted = timed(
        lambda: count_tables(
            answers, inputs.config, inputs.codelists, specs, [c.levels for c in cliques]
        )
    )
    joint, _ = timed(
        lambda: [
            cells_of(answers.count(c.levels), clique_dimensions(c, inputs.codelists))
            for c in cliques
        ]
    )
    assert all(int(t.values.flat[0]) == tally.counted for t in counted)
    parts = {
        "read": reading,
        "tables": tables,
        "joint": joint,
        "counted": tally.counted,
        "repeated": tally.repeated,
        "rejected": sum(tally.rejected.values()),
    }
    return parts, counted


def bare(data: Path, kind: str) -> float:
    """DuckDB's own GROUP BY of each table, straight from the files: no check, no code, no repeat
    looked for."""
    files = (
        f"read_csv('{data}/*.csv', header=true, all_varchar=true)"
        if kind == "csv"
        else f"read_parquet('{data}/*.parquet')"
    )
    with duckdb.connect(config={"memory_limit": "2GB"}) as db:
        start = time.perf_counter()
        for levels in TABLES.values():
            columns = [
                RAW.get(name) or FINE[name].get(ls[-1]) or FINE[name][""]
                for name, ls in levels.items()
            ]
            db.execute(
                f"SELECT {', '.join(columns)}, count(*) FROM {files} GROUP BY ALL"
            ).fetchall()
        return time.perf_counter() - start


def by_pandas(data: Path, kind: str, inputs: Inputs, people: bool) -> dict[str, pd.DataFrame]:
    """The same tables by pandas, as somebody who knows it well would write it: codes as small
    numbers, people numbered once.

    Of each table the calls of every cell, by level: the finest ones grouped, totals summed from
    them. `people`: with the different people of every cell (calls without a key as one), which do
    not add up, so that every level is grouped on its own.
    """
    paths = sorted(data.glob(f"*.{kind}"))
    columns = ["incident_no", "received", "person", *RAW.values()]
    frames = [
        (
            pd.read_csv(p, dtype=str, usecols=columns)
            if kind == "csv"
            else pd.read_parquet(p, columns=columns)
        )
        for p in paths
    ]
    calls = pd.concat(frames, ignore_index=True)
    at = pd.to_datetime(calls["received"], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    calls = calls[at.notna()].drop_duplicates("incident_no")
    at = at[calls.index]
    coded = {
        "period": (at.dt.year - 2023) * 12 + at.dt.month - 1,
        "hour": at.dt.hour,
        "weekday": at.dt.day_of_week,
    }
    for name, column in RAW.items():
        codes = inputs.codelists[name].codes_at(inputs.codelists[name].finest)
        meant = (
            {"Y": "yes", "N": "no"}
            if name in FLAG_FIELDS
            else inputs.config.file.calls.values.get(name, {c: c for c in codes})
        )
        raw = calls[column].astype("category")
        unknown = inputs.codelists[name].unknown_leaf
        blank = codes.index(unknown) if unknown in codes else -1
        coded[name] = np.append([codes.index(meant[v]) for v in raw.cat.categories], blank)[
            raw.cat.codes
        ]
    person = pd.factorize(calls["person"])[0]
    found = {}
    for table, levels in TABLES.items():
        steps = {
            name: {level: _places(inputs.codelists[name], level) for level in listed}
            for name, listed in levels.items()
        }
        fine = pd.DataFrame({name: coded[name] for name in levels}).assign(n=1, people=person)
        if not people:
            fine = fine.groupby(list(levels), as_index=False)[["n"]].sum()
        rows = []
        for chosen in product(*levels.values()):
            lifted = fine.assign(
                **{
                    name: steps[name][level][fine[name]]
                    for name, level in zip(levels, chosen, strict=True)
                }
            )
            cells = lifted.groupby(list(levels))
            rows.append(
                cells.agg(n=("n", "sum"), people=("people", "nunique"))
                if people
                else cells[["n"]].sum()
            )
        found[table] = pd.concat(rows)
    return found


def _places(codelist: Codelist, level: str) -> np.ndarray:
    """For each finest code, the place of the code above it at `level` among all nodes."""
    place, above = (
        {node.code: i for i, node in enumerate(codelist.nodes)},
        codelist.ancestors(level),
    )
    return np.array([place[above[code]] for code in codelist.codes_at(codelist.finest)])


def compare(
    tables: Sequence[Table],
    found: Mapping[str, pd.DataFrame],
    codelists: Mapping[str, Codelist],
    threshold: int,
) -> None:
    """Both ways come to the same counts, and (where people were counted) to the same cells that
    rest on too few. Raises AssertionError."""
    for table in tables:
        places = {
            name: {
                i: d.codes.index(n.code)
                for i, n in enumerate(codelists[name].nodes)
                if n.code in d.codes
            }
            for name, d in table.dimensions.items()
        }
        cells, people = found[table.name], np.zeros(table.shape, dtype=np.int64)
        at = tuple(
            cells.index.get_level_values(name).map(places[name]).to_numpy()
            for name in table.dimensions
        )
        values = np.zeros(table.shape, dtype=np.int64)
        values[at] = cells["n"]
        assert (values == table.values).all(), table.name
        if "people" in cells:
            people[at] = cells["people"]
            assert (
                (values >= threshold) & (people < threshold) == few_people(table, threshold)
            ).all(), table.name


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("millions", type=float)
    parser.add_argument("kind", choices=["csv", "parquet"])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/records"))
    parser.add_argument("--pandas", action="store_true")
    parser.add_argument("--engine", default="duckdb", choices=["duckdb", "spark"])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    data = generate(args.folder, args.millions, args.kind)
    agency = agency_file(args.folder, data, args.kind, args.engine)
    private = args.folder / "private"
    found: dict[str, Any] = {"millions": args.millions, "kind": args.kind, "engine": args.engine}
    inputs = read_inputs(agency)
    with open_engine(inputs.config.file, private) as engine:
        found["build_cpu"], (found["build"], (parts, tables)) = processor_seconds(
            lambda: timed(lambda: count(engine, inputs, private))
        )
    found |= parts
    found["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    found["bare_cpu"], found["bare"] = processor_seconds(lambda: bare(data, args.kind))
    found["ratio"] = round(found["build"] / found["bare"], 2)
    found["ratio_cpu"] = round(found["build_cpu"] / found["bare_cpu"], 2)
    if args.pandas:
        for name, people in (("pandas_without_people", False), ("pandas", True)):
            found[name], cells = timed(partial(by_pandas, data, args.kind, inputs, people))
            compare(tables, cells, inputs.codelists, inputs.config.file.privacy.threshold)
            found[f"times_faster_than_{name}"] = round(found[name] / found["build"], 1)
    print(
        json.dumps(
            {
                name: round(value, 2) if isinstance(value, float) else value
                for name, value in found.items()
            }
        )
    )


if __name__ == "__main__":
    main()
