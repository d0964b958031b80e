"""The whole way: records, tables, protection, candidate, audit, release. Each step stands in its own module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from anonymize.agency import AgencyConfig, load
from anonymize.areas import AreaSystem, load_areas
from anonymize.audit import AuditReport, audit_release
from anonymize.codelists import Codelist
from anonymize.errors import AuditError, PlanError, ProtectionError
from anonymize.progress import QUIET, Progress
from anonymize.protect import Protected, build_system, plan_cliques, protect
from anonymize.protect.certificates import Certificates, Move, certify, verify
from anonymize.protect.secondary import widen
from anonymize.protect.system import System, clique_dimensions
from anonymize.records import Tally, read_calls
from anonymize.release.candidate import write_candidate
from anonymize.release.publish import check_target, publish
from anonymize.tables import Table, count_cells, count_tables, standard_plan

MOST_ROUNDS = 20
"""Audit and mend, at most so often. Each round withholds more, so the last resort is a coarser plan."""
MOST_MEMORY = "2GB"
CERTIFICATES = "certificates.npz"
"""In the private folder: the proof of the last build."""


@dataclass(frozen=True)
class Inputs:
    """A checked agency file with everything that depends on files beside it."""

    config: AgencyConfig
    areas: dict[str, AreaSystem]
    codelists: dict[str, Codelist]


@dataclass(frozen=True)
class Built:
    """What a build made. `changed` is False when the release was there already, byte for byte."""

    tally: Tally
    tables: Sequence[Table]
    system: System
    protected: Protected
    report: AuditReport
    rounds: int
    certificates: Certificates
    changed: bool


def read_inputs(path: Path) -> Inputs:
    config = load(path)
    areas = load_areas(config)
    return Inputs(config, areas, config.codelists | {name: system.codelist for name, system in areas.items()})


def _database(private: Path) -> duckdb.DuckDBPyConnection:
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = duckdb.connect(config={"memory_limit": MOST_MEMORY, "temp_directory": str(private / "spill")})
    db.execute("SET TimeZone = 'UTC'")
    return db


def check(inputs: Inputs, private: Path, progress: Progress = QUIET) -> Tally:
    """Read and tally; writes the private rejects file, nothing public."""
    with _database(private) as db:
        return read_calls(db, inputs.config, inputs.areas, private, progress)


def build(inputs: Inputs, out: Path, private: Path, *, replace: bool = False, progress: Progress = QUIET) -> Built:
    """Make, attack and publish a release. On any failure `out` stays as it was."""
    config, codelists = inputs.config, inputs.codelists
    threshold = config.file.privacy.threshold
    specs = config.file.tables or standard_plan(config)
    check_target(out)
    cliques = plan_cliques(specs, codelists)
    with _database(private) as db:
        tally = read_calls(db, config, inputs.areas, private, progress)
        with progress.step("Counting"):
            tables = count_tables(db, config, codelists, specs)
            joint = [count_cells(db, clique_dimensions(clique, codelists), {}) for clique in cliques]
    system = build_system(tables, cliques, joint, codelists, threshold)
    with progress.step("Withholding small counts"):
        protected = protect(system, threshold, lambda done, total: progress.share(done, total, "small counts protected"))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        report, rounds, certificates = _until_safe(Path(scratch), inputs, tables, protected, progress)
        certificates.save(private / CERTIFICATES)
        verify(system, threshold, protected.withheld, Certificates.open(private / CERTIFICATES))
        candidate = Path(scratch) / "release"
        for path in (candidate, *candidate.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        changed = publish(candidate, out, replace=replace)
    return Built(tally, tables, system, protected, report, rounds, certificates, changed)


def _until_safe(
    scratch: Path, inputs: Inputs, tables: Sequence[Table], protected: Protected, progress: Progress
) -> tuple[AuditReport, int, Certificates]:  # fmt: skip
    """Write the candidate, audit it, withhold more where the audit finds a way in, until it finds none and each small count has its proof."""
    candidate = scratch / "release"
    number = {key: i for i, key in enumerate(protected.system.keys)}
    known: Sequence[Move] = ()
    for rounds in range(1, MOST_ROUNDS + 1):
        shutil.rmtree(candidate, ignore_errors=True)
        candidate.mkdir()
        masks = [protected.withheld[ids] for ids in protected.system.where]
        write_candidate(candidate, inputs.config, tables, masks, inputs.codelists, inputs.areas)
        with progress.step(f"Attacking the candidate release (round {rounds})"):
            report = audit_release(candidate, progress)
        if report.passed:
            with progress.step("Proving each small count with two whole-number tables"):
                proof = certify(protected, known, lambda done, total: progress.share(done, total, "proofs found"))
            if not proof.missing:
                (candidate / "audit.json").write_text(report.to_json(), encoding="utf-8")
                return report, rounds, proof.result()
            known, open_cells = proof.moves, proof.missing
        else:
            open_cells = [number[f.cell] for f in report.findings if f.attack in ("pinned", "narrow") and f.cell in number]
        others = [f for f in report.findings if f.attack not in ("pinned", "narrow")]
        if others or not open_cells:
            found = "; ".join(sorted({f"{f.attack}: {f.message}" for f in others or report.findings}))
            raise AuditError(f"the audit found what protection cannot mend ({found}); nothing was written")
        progress.say(f"  {len(open_cells)} cells need more cover")
        before = protected.withheld.sum()
        widen(protected, open_cells)
        if protected.withheld.sum() == before:
            _withhold_neighbours(protected, open_cells)
    raise ProtectionError(
        f"after {MOST_ROUNDS} rounds the audit still finds counts that can be narrowed; use coarser levels or fewer tables; nothing was written"
    )


def _withhold_neighbours(protected: Protected, cells: Sequence[int]) -> None:
    """Where moves in fractions exist but none in whole numbers: withhold the cheapest cell that overlaps each."""
    system = protected.system
    for cell in cells:
        overlap = system.cells @ system.cells[cell].toarray().ravel()
        near = [i for i in overlap.nonzero()[0] if not protected.withheld[i]]
        if not near:
            raise ProtectionError("a small count cannot be protected within these tables; use coarser levels or a lower threshold")
        protected.withheld[min(near, key=lambda i: (system.cost[i], i))] = True


def refuse_unplanned(config: AgencyConfig, codelists: Mapping[str, Codelist]) -> None:
    """Raises PlanError early, before any record is read."""
    specs = config.file.tables or standard_plan(config)
    if not specs:
        raise PlanError([f"{config.path}: no table can be made from the fields named in [calls.columns]"])
    plan_cliques(specs, codelists)
