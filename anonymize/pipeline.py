"""The whole way: records, tables, protection, candidate, audit, release. Each step stands in its own module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from anonymize.agency import AgencyConfig, load
from anonymize.agency.load import mapped_dimensions
from anonymize.agency.schema import TableSpec
from anonymize.area_use import area_lines
from anonymize.areas import AreaSystem, load_areas
from anonymize.audit import AuditReport, audit_release
from anonymize.audit.report import BESIDE
from anonymize.codelists import Codelist
from anonymize.completeness import ELIGIBLE_NOT_SERVED, NOT_SERVED, completeness
from anonymize.engine import Engine, open_engine
from anonymize.errors import AuditError, PlanError, ProtectionError
from anonymize.history import (
    NOTHING_REVISED,
    Past,
    Revised,
    compare,
    keep_ledger,
    ledger_paths,
    merged_before,
    read_history,
    union_codelists,
)
from anonymize.inputs import Reference, read_inputs_beside
from anonymize.plan import Advice, Group, advise_levels, advise_merging, coarser_steps, merge_areas, merged_code
from anonymize.progress import QUIET, Progress
from anonymize.protect import Block, Protected, build_system, plan_cliques, protect
from anonymize.protect.certificates import Certificates, Move, certify, verify
from anonymize.protect.primary import Mask
from anonymize.protect.secondary import narrow, widen
from anonymize.protect.system import System, clique_dimensions
from anonymize.records import FREQUENT, REPEATED, Tally, merge_codes, read_calls
from anonymize.release.candidate import Before, write_candidate
from anonymize.release.publish import check_succession, check_target, clear_up, digest_of, same_release
from anonymize.statistics import Statistic, around, compute, note_next_contacts
from anonymize.tables import Counter, Table, cells_of, count_tables, counter, standard_plan
from anonymize.urgent import urgent_waits

MOST_ROUNDS = 20
"""Audit and mend, at most so often. Each round withholds more, so the last resort is a coarser plan."""
MENDABLE = ("pinned", "narrow", "insider")
"""Findings that withholding more can mend."""
CERTIFICATES = "certificates.npz"
"""In the private folder: the proof of the last build."""
CANDIDATE = "candidate"
"""In the private folder: the release that the last build made, until someone approves it."""


@dataclass(frozen=True)
class Inputs:
    """A checked agency file with everything that depends on files beside it."""

    config: AgencyConfig
    areas: dict[str, AreaSystem]
    codelists: dict[str, Codelist]


@dataclass(frozen=True)
class Built:
    """What a build made. `changed` is False when the release is out already, byte for byte; then there is no candidate."""

    tally: Tally
    tables: Sequence[Table]
    system: System
    protected: Protected
    advice: Advice
    report: AuditReport
    rounds: int
    certificates: Certificates
    digest: str
    changed: bool


def read_inputs(path: Path) -> Inputs:
    config = load(path)
    areas = load_areas(config)
    return Inputs(config, areas, config.codelists | {name: system.codelist for name, system in areas.items()})


def check(inputs: Inputs, private: Path, progress: Progress = QUIET) -> Tally:
    """Read and tally calls, and read every other input; writes the private rejects file, nothing public."""
    with open_engine(inputs.config.file, private) as engine:
        read_inputs_beside(engine.db, inputs.config)
        tally = read_calls(engine, inputs.config, inputs.areas, private, progress)
        tally.areas = area_lines(engine, inputs.config, inputs.areas, _specs(inputs.config), tally.values)
        urgent_waits(engine, inputs.config, inputs.codelists)
    return tally


@dataclass(frozen=True)
class Trial:
    """What the advisor says of one set of tables: `protected` is None where they cannot be protected as they are, and `reason` says why."""

    inputs: Inputs
    specs: tuple[TableSpec, ...]
    tables: Sequence[Table]
    system: System | None
    protected: Protected | None
    reason: str = ""


def plan(inputs: Inputs, private: Path, progress: Progress = QUIET) -> tuple[Trial, Trial, Advice]:
    """The tables as asked for and as advised, each protected once; writes nothing public."""
    specs = _specs(inputs.config)
    with open_engine(inputs.config.file, private) as engine:
        read_inputs_beside(engine.db, inputs.config)
        read_calls(engine, inputs.config, inputs.areas, private, progress)
        asked = _try(engine, inputs, specs, progress)
        advised_inputs, advice = _advise(engine, inputs, specs, progress)
        advised = _try(engine, advised_inputs, advice.specs, progress) if advice.changes else asked
    return asked, advised, advice


def _specs(config: AgencyConfig) -> tuple[TableSpec, ...]:
    return config.file.tables or standard_plan(config)


def _try(engine: Engine, inputs: Inputs, specs: tuple[TableSpec, ...], progress: Progress) -> Trial:
    counted = counter(engine, inputs.config)
    tables = count_tables(counted, inputs.config, inputs.codelists, specs)
    try:
        system, _ = _system(counted, inputs, specs, tables)
        with progress.step("Withholding small counts"):
            protected = _protect(system, inputs.config, progress)
    except (PlanError, ProtectionError) as error:
        return Trial(inputs, specs, tables, None, None, str(error))
    return Trial(inputs, specs, tables, system, protected)


def _advise(
    engine: Engine, inputs: Inputs, specs: tuple[TableSpec, ...], progress: Progress,
    merged: dict[str, tuple[Group, ...]] | None = None,
) -> tuple[Inputs, Advice]:  # fmt: skip
    """Merge areas (in the table `calls` too; as an earlier release did, where there is one), then make levels coarser."""
    config, threshold = inputs.config, inputs.config.file.privacy.threshold
    with progress.step("Looking for coarser tables that show more"):
        tables = count_tables(counter(engine, config), config, inputs.codelists, specs)
        if merged is None:
            merged = advise_merging(tables, inputs.areas, config.file.plan, threshold)
        areas = dict(inputs.areas)
        for name, groups in merged.items():
            areas[name] = merge_areas(inputs.areas[name], groups)
            if groups:
                merge_codes(engine, name, {merged_code(group): group for group in groups})
        inputs = replace(inputs, areas=areas, codelists=inputs.codelists | {name: system.codelist for name, system in areas.items()})
        counted = counter(engine, config)
        chosen, steps = advise_levels(
            specs, inputs.codelists, lambda spec: count_tables(counted, config, inputs.codelists, [spec])[0], config.file.plan, threshold
        )
        chosen, more = coarser_steps(chosen, inputs.codelists, config.file.plan)
    return inputs, Advice(chosen, merged, steps + more)


def _system(
    counted: Counter, inputs: Inputs, specs: Sequence[TableSpec], tables: Sequence[Table], history: Sequence[Past] = ()
) -> tuple[System, Revised]:
    threshold = inputs.config.file.privacy.threshold
    if history:
        union = union_codelists(history, inputs.codelists)
        cliques = plan_cliques([*(spec for past in history for spec in past.specs), *specs], union)
        fed = sorted(mapped_dimensions(inputs.config))
        seen = compare(counted.engine, history, inputs.codelists, fed, cliques, union, threshold)
        return build_system(tables, cliques, seen.blocks, union, threshold, seen.earlier, seen.bounds), seen.revised
    cliques = plan_cliques(specs, inputs.codelists)
    joint = [cells_of(counted.count(clique.levels), clique_dimensions(clique, inputs.codelists)) for clique in cliques]
    return build_system(tables, cliques, [Block(frozenset({0}), inputs.codelists, joint)], inputs.codelists, threshold), NOTHING_REVISED


def _protect(system: System, config: AgencyConfig, progress: Progress) -> Protected:
    high = config.file.privacy.threshold  # one more than the promise asks, because of insiders
    return protect(system, high, lambda done, total: progress.share(done, total, "small counts protected"))


def build(inputs: Inputs, out: Path, private: Path, *, replace: bool = False, progress: Progress = QUIET) -> Built:
    """Make and attack a release that is to follow the one in `out`; it waits in the private folder for approval.

    `out` is only read. On any failure the earlier candidate stays as it was.
    """
    config = inputs.config
    specs, advice = _specs(config), Advice((), {}, ())
    clear_up(out)
    check_target(out)
    history = read_history(out, private, config.file.release.version, replace=replace)
    with open_engine(config.file, private) as engine:
        references = read_inputs_beside(engine.db, config)
        tally = read_calls(engine, config, inputs.areas, private, progress)
        tally.areas = area_lines(engine, config, inputs.areas, specs, tally.values)
        references += urgent_waits(engine, config, inputs.codelists)
        if config.file.plan.apply:
            inputs, advice = _advise(engine, inputs, specs, progress, merged_before(history))
            specs = advice.specs
        with progress.step("Counting"):
            counted = counter(engine, config)
            ahead = [clique.levels for clique in plan_cliques(specs, inputs.codelists)] if not history else []
            tables = count_tables(counted, config, inputs.codelists, specs, ahead)
            system, revised = _system(counted, inputs, specs, tables, history)
        with progress.step("Withholding small counts"):
            protected = _protect(system, config, progress)
        before = Before(tuple(past.folder for past in history), revised)
        asked_of = ELIGIBLE_NOT_SERVED if "eligible" in config.file.calls.columns else NOT_SERVED
        references.append(completeness(tally.completeness, tally.by_month, config.file.privacy.threshold, asked_of))
        report, rounds, certificates, digest, changed = _attack_and_keep(
            engine, inputs, out, private, tables, protected, advice, before, references, replace, progress
        )
    return Built(tally, tables, system, protected, advice, report, rounds, certificates, digest, changed)


def _attack_and_keep(
    engine: Engine, inputs: Inputs, out: Path, private: Path, tables: Sequence[Table], protected: Protected,
    advice: Advice, before: Before, references: Sequence[Reference], replace: bool, progress: Progress,
) -> tuple[AuditReport, int, Certificates, str, bool]:  # fmt: skip
    seen: dict[str, dict[str, Any]] = {}

    def statistics() -> Sequence[Statistic]:
        return compute(engine, inputs.config, inputs.codelists, tables, [protected.withheld[ids] for ids in protected.system.where], seen)

    if any(spec.measure.startswith((REPEATED, FREQUENT)) for spec in inputs.config.file.statistics):
        note_next_contacts(engine, inputs.config)
    with tempfile.TemporaryDirectory(prefix=f".{CANDIDATE}.", dir=private) as scratch:
        report, rounds, certificates = _until_safe(
            Path(scratch), inputs, tables, protected, advice, before, references, statistics, progress
        )
        certificates.save(private / CERTIFICATES)
        verify(protected.system, protected.high, protected.withheld, Certificates.open(private / CERTIFICATES))
        made = Path(scratch) / "release"
        digest, changed = digest_of(made), not same_release(made, out)
        if changed:
            check_succession(made, out, replace=replace)
        paths = ledger_paths(private, inputs.config.file.release.version, digest)
        keep_ledger(engine, sorted(mapped_dimensions(inputs.config)), tables, inputs.config.file.privacy.threshold, paths)
        shutil.rmtree(private / CANDIDATE, ignore_errors=True)
        if changed:
            made.rename(private / CANDIDATE)
    return report, rounds, certificates, digest, changed


def _until_safe(
    scratch: Path, inputs: Inputs, tables: Sequence[Table], protected: Protected, advice: Advice, before: Before, references: Sequence[Reference],
    statistics: Callable[[], Sequence[Statistic]], progress: Progress,
) -> tuple[AuditReport, int, Certificates]:  # fmt: skip
    """Write the candidate, audit it, withhold more where the audit finds a way in, until it finds none and each small count has its proof."""
    candidate = scratch / "release"
    number = {key: i for i, key in enumerate(protected.system.keys)}
    known: Sequence[Move] = ()
    silent: dict[str, Mask] = {}
    for rounds in range(1, MOST_ROUNDS + 1):
        shutil.rmtree(candidate, ignore_errors=True)
        candidate.mkdir()
        masks = [protected.withheld[ids] for ids in protected.system.where]
        told = [replace(s, shown=s.shown & ~silent.get(s.spec.name, np.zeros_like(s.shown))) for s in statistics()]
        write_candidate(candidate, inputs.config, tables, masks, inputs.codelists, inputs.areas, advice, told, before, references)
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
            open_cells = [number[f.cell] for f in report.findings if f.attack in MENDABLE and f.cell in number]
        if beside := [dict(f.cell) for f in report.findings if f.attack == BESIDE]:
            progress.say(f"  {_hush(told, beside, silent)} rows of statistics would help to narrow a count and are withheld")
            continue
        others = [f for f in report.findings if f.attack not in MENDABLE]
        if others or not open_cells:
            found = "; ".join(sorted({f"{f.attack}: {f.message}" for f in others or report.findings}))
            raise AuditError(f"the audit found what protection cannot mend ({found}); nothing was written")
        progress.say(f"  {len(open_cells)} cells need more cover")
        already = protected.withheld.sum()
        _widen_or_publish(protected, open_cells)
        if protected.withheld.sum() == already:
            _withhold_neighbours(protected, open_cells)
    raise ProtectionError(
        f"after {MOST_ROUNDS} rounds the audit still finds counts that can be narrowed; use coarser levels or fewer tables; nothing was written"
    )


def _hush(told: Sequence[Statistic], cells: Sequence[Mapping[str, str]], silent: dict[str, Mask]) -> int:
    """Add to `silent` the rows around `cells` that rest on the fewest (those on up to a quarter more too), which narrow most; gives how many.

    Where none is near, all that tell of counts are looked at. Raises ProtectionError when none is left.
    """
    for near in (cells, [{}]):
        rows = [np.any([around(s, cell) for cell in near], axis=0) for s in told]
        fewest = min((s.base[mask].min() for s, mask in zip(told, rows, strict=True) if mask.any()), default=None)
        if fewest is not None:
            small = {s.spec.name: mask & (s.base <= 1.25 * fewest) for s, mask in zip(told, rows, strict=True)}
            silent.update({name: mask | silent.get(name, np.zeros_like(mask)) for name, mask in small.items()})
            return sum(int(mask.sum()) for mask in small.values())
    raise ProtectionError("statistics narrow a small count, and leaving them out does not mend it; please report this; nothing was written")


def _widen_or_publish(protected: Protected, cells: Sequence[int]) -> None:
    """Give each of `cells` more cover, and what that withholds in its turn, so that the next audit need not ask for it. One that is not small
    itself and cannot be covered (an earlier release nearly told it) is published instead, and all begins again without it."""
    system = protected.system
    uncovered: list[int] = []
    while cells and not uncovered:
        before = protected.withheld
        for group in [cells] if not system.fixed.any() else [[cell] for cell in cells]:
            try:
                widen(protected, group)
            except ProtectionError:
                uncovered += group
        cells = narrow(protected, np.flatnonzero(protected.withheld & ~before).tolist())
    if uncovered:
        uncovered = [i for i in uncovered if not (system.sensitive[i] or system.unpublished[i] or system.kept[i])]
        if not uncovered:
            raise ProtectionError(
                "a small count cannot be protected within these tables beside what earlier releases told; use coarser levels for this release"
                if system.fixed.any()
                else "a small count cannot be protected within these tables; use coarser levels or a lower threshold"
            )
        fixed = system.fixed.copy()
        fixed[uncovered] = True
        again = protect(replace(system, fixed=fixed), protected.high)
        protected.system, protected.withheld, protected.bound = again.system, again.withheld, again.bound


def _withhold_neighbours(protected: Protected, cells: Sequence[int]) -> None:
    """Where moves in fractions exist but none in whole numbers: withhold the cheapest cell that overlaps each."""
    system = protected.system
    for cell in cells:
        overlap = system.cells @ system.cells[cell].toarray().ravel()
        near = [i for i in overlap.nonzero()[0] if not protected.withheld[i] and not system.fixed[i]]
        if not near:
            raise ProtectionError("a small count cannot be protected within these tables; use coarser levels or a lower threshold")
        protected.withheld[min(near, key=lambda i: (system.cost[i], i))] = True


def refuse_unplanned(config: AgencyConfig, codelists: Mapping[str, Codelist]) -> None:
    """Raises PlanError early, before any record is read."""
    specs = _specs(config)
    if not specs:
        raise PlanError([f"{config.path}: no table can be made from the fields named in [calls.columns]"])
    if not config.file.plan.apply:
        plan_cliques(specs, codelists)
