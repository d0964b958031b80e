"""The whole way: records, tables, protection, candidate, audit, release. Each step stands in its
own module."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from anonymize.agency import AgencyConfig, load
from anonymize.agency.codelists import Codelist
from anonymize.agency.load import mapped_dimensions
from anonymize.agency.schema import TableSpec
from anonymize.areas.map_context import NO_CONTEXT, Context, load_context
from anonymize.areas.systems import AreaSystem, load_areas
from anonymize.audit import AuditReport, audit_release
from anonymize.audit.report import BESIDE
from anonymize.count.staffed_cells import NOTHING_EMPTY, Empty, empty_cells
from anonymize.count.statistics import Statistic, around, compute, note_next_contacts
from anonymize.count.tables import (
    Counter,
    Mask,
    Table,
    cells_of,
    count_tables,
    counter,
    standard_plan,
)
from anonymize.count.urgent_waits import urgent_waits
from anonymize.disclosure.declared_facts import Counted
from anonymize.disclosure.history import (
    Newest,
    Past,
    compare,
    keep_ledger,
    ledger_paths,
    merged_before,
    read_history,
    union_codelists,
)
from anonymize.disclosure.two_worlds import check as compare_worlds
from anonymize.disclosure.withholding import Withholding
from anonymize.engine import Engine, open_engine
from anonymize.errors import AuditError, PlanError, ProtectionError, SchemaError
from anonymize.portrait.gather import Portrait, portray
from anonymize.private_files import secure, sweep, working_folder
from anonymize.progress import QUIET, Progress
from anonymize.protect import Block, Protected, build_system, plan_cliques
from anonymize.protect.certificates import Certificates, Move, certify, verify
from anonymize.protect.coarsen import (
    Advice,
    Group,
    advise_finer,
    advise_levels,
    advise_merging,
    check_merged,
    coarser_steps,
    joined_areas,
    merge_areas,
    merged_code,
)
from anonymize.protect.system import Layout, System, clique_dimensions
from anonymize.records.area_use import area_lines
from anonymize.records.calls import FOLLOWED, Tally, find_calls, merge_codes, read_calls
from anonymize.records.collected import Calendar
from anonymize.records.gaps import Question, check_gaps, outside_records, refuse_unanswered
from anonymize.records.program_inputs import Reference, read_inputs_beside
from anonymize.release.candidate import Before, write_candidate
from anonymize.release.publish import (
    Approval,
    check_succession,
    check_target,
    clear_up,
    digest_of,
    place_of,
    same_release,
    today,
)
from anonymize.release.publish import publish as put_in_place
from anonymize.release.published import NOTHING_REVISED, Revised
from anonymize.release.seal import seal

MAX_ROUNDS = 20
"""Audit and mend, at most so often. Each round withholds more, so the last resort is a coarser
plan."""
MENDABLE = ("pinned", "narrow", "insider")
"""Findings that withholding more can mend."""
CERTIFICATES = "certificates.npz"
"""In the private folder: the proof of the last build."""
NO_ADVICE = Advice((), {}, ())
CANDIDATE = "candidate"
"""In the private folder: the release that the last build made, until someone approves it."""


def publish(
    candidate: Path,
    out: Path,
    approval: Approval,
    *,
    replace: bool,
    now: date | None = None,
    progress: Progress = QUIET,
) -> None:
    """Put the `candidate` in place at `out` once more attacked (`release.publish`)."""

    def attack(folder: Path) -> AuditReport:
        with progress.step("Attacking the candidate once more"):
            return audit_release(folder, progress)

    put_in_place(candidate, out, approval, audit=attack, replace=replace, now=now)


"""What has been attacked when it was built is attacked once more before it is live."""


@dataclass(frozen=True)
class Inputs:
    """A checked agency file with everything that depends on the files it names."""

    config: AgencyConfig
    areas: dict[str, AreaSystem]
    codelists: dict[str, Codelist]
    context: Context = NO_CONTEXT
    """Drawn from the areas as the boundary files have them, whatever is merged later."""
    empty: Empty = NOTHING_EMPTY
    """Cells that hold no call, as everyone knows once the calls are read."""


@dataclass(frozen=True)
class Built:
    """What a build made. `changed` is False when the release is out already, byte for byte; then
    there is no candidate."""

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


def refuse_preview(config: AgencyConfig) -> None:
    """Raises SchemaError for an agency file of guesses, whose release nobody may publish."""
    if config.file.release.preview:
        raise SchemaError(
            [
                f"{config.path}: says preview = true in [release]: it is made of guesses and cannot"
                " be published; answer its DECIDE lines, take that line out, and build"
            ]
        )


def read_inputs(path: Path, release: Mapping[str, Any] | None = None) -> Inputs:
    """`release`: keys of [release] that stand in for the file's own."""
    config = load(path, release)
    areas = load_areas(config)
    check_merged(config, areas)
    return Inputs(
        config,
        areas,
        config.codelists | {name: system.codelist for name, system in areas.items()},
        load_context(config, areas),
    )


@dataclass(frozen=True)
class Checked:
    """What a check saw: where every record went, what the export looks like, and, where tables were
    tried, which of them would have to be coarser."""

    tally: Tally
    portrait: Portrait
    advice: Advice | None = None


def check(
    inputs: Inputs, private: Path, progress: Progress = QUIET, *, try_tables: bool = False
) -> Checked:
    """Read, tally and portray calls, look for gaps, and read every other input; writes the private
    rejects file, nothing public. With `try_tables` the tables are counted, too, and what the
    primary rules would withhold of each decides how fine it can be."""
    config = inputs.config
    with open_engine(config.file, private) as engine:
        read_inputs_beside(engine.db, config, inputs.codelists)
        source = find_calls(engine, config)
        tally = read_calls(engine, config, inputs.areas, private, progress, portrayed=source)
        tally.unanswered = check_gaps(engine, config)
        tally.areas = area_lines(engine, config, inputs.areas, table_specs(config), tally.values)
        urgent_waits(engine, config, inputs.codelists)
        with progress.step("Looking at the export as a whole"):
            portrait = portray(engine, config, source, tally)
        advice = None
        if try_tables:
            counted = _within_records(inputs, tally.unanswered)
            _inputs, advice = _advise(engine, counted, table_specs(config), progress)
    return Checked(tally, portrait, advice)


@dataclass(frozen=True)
class Trial:
    """What the advisor says of one set of tables: `protected` is None where they cannot be
    protected as they are, and `reason` says why."""

    inputs: Inputs
    specs: tuple[TableSpec, ...]
    tables: Sequence[Table]
    system: System | None
    protected: Protected | None
    reason: str = ""


def plan(inputs: Inputs, private: Path, progress: Progress = QUIET) -> tuple[Trial, Trial, Advice]:
    """The tables as asked for and as advised, each protected; writes nothing public."""
    specs = table_specs(inputs.config)
    limit = inputs.config.file.plan.most_small_percent
    with open_engine(inputs.config.file, private) as engine:
        read_inputs_beside(engine.db, inputs.config, inputs.codelists)
        tally = read_calls(engine, inputs.config, inputs.areas, private, progress)
        inputs = _within_records(inputs, check_gaps(engine, inputs.config))
        fixed = inputs.config.file.plan.merged
        inputs = _merge(engine, inputs, fixed)
        asked = _try(engine, inputs, specs, tally, progress)
        advised_inputs, advice = _advise(engine, inputs, specs, progress, {} if fixed else None)
        whole = [name for name, withheld in _withheld_percent(asked).items() if not withheld]
        counted = counter(engine, inputs.config)
        while True:
            specs, finer = advise_finer(
                advice.specs,
                whole,
                advised_inputs.codelists,
                lambda spec: count_tables(counted, inputs.config, advised_inputs.codelists, [spec])[
                    0
                ],
                inputs.config,
            )
            if not (finer or advice.changes):
                return asked, asked, advice
            advised = _try(engine, advised_inputs, specs, tally, progress)
            lost = _withheld_percent(advised)
            too_much = {name for name, _words in finer if lost.get(name, 100.0) > limit}
            if not too_much:
                return asked, advised, replace(advice, specs=specs, finer=finer)
            whole = [name for name in whole if name not in too_much]


def _withheld_percent(trial: Trial) -> dict[str, float]:
    """Table -> share of its cells that is withheld; nothing where the tables cannot be
    protected."""
    if trial.system is None or trial.protected is None:
        return {}
    return {
        table.name: 100.0 * float(trial.protected.withheld[ids].mean())
        for table, ids in zip(trial.tables, trial.system.where, strict=True)
    }


def table_specs(config: AgencyConfig) -> tuple[TableSpec, ...]:
    """The tables that the agency file names, or those made for a file that names none."""
    return config.file.tables or standard_plan(config)


def _try(
    engine: Engine, inputs: Inputs, specs: tuple[TableSpec, ...], tally: Tally, progress: Progress
) -> Trial:
    counted = counter(engine, inputs.config)
    tables = count_tables(counted, inputs.config, inputs.codelists, specs)
    try:
        inputs = _with_empty(inputs, specs, tally)
        system, _ = _system(counted, inputs, specs, tables)
        told = _counted(inputs, NO_ADVICE, tally, tables, (), Before())
        with progress.step("Withholding small counts"):
            protected = Withholding(system, told, (), progress).protected
    except (PlanError, ProtectionError) as error:
        return Trial(inputs, specs, tables, None, None, str(error))
    return Trial(inputs, specs, tables, protected.system, protected)


def _counted(
    inputs: Inputs,
    advice: Advice,
    tally: Tally,
    tables: Sequence[Table],
    references: Sequence[Reference],
    before: Before,
) -> Counted:
    return Counted(
        inputs.config,
        inputs.codelists,
        inputs.areas,
        advice,
        tally,
        tables,
        references,
        before,
        empty=inputs.empty,
        context=inputs.context,
    )


def _advise(
    engine: Engine,
    inputs: Inputs,
    specs: tuple[TableSpec, ...],
    progress: Progress,
    merged: dict[str, tuple[Group, ...]] | None = None,
) -> tuple[Inputs, Advice]:
    """Merge areas (as an earlier release did, where there is one), then make levels coarser."""
    config, threshold = inputs.config, inputs.config.file.privacy.threshold
    with progress.step("Looking for coarser tables that show more"):
        tables = count_tables(counter(engine, config), config, inputs.codelists, specs)
        if merged is None:
            merged = advise_merging(tables, inputs.areas, config.file.plan, threshold)
        inputs = _merge(engine, inputs, merged)
        counted = counter(engine, config)
        chosen, steps = advise_levels(
            specs,
            inputs.codelists,
            lambda spec: count_tables(counted, config, inputs.codelists, [spec])[0],
            config,
        )
        chosen, more = coarser_steps(
            chosen, inputs.codelists, config.file.plan, config.file.statistics
        )
    return inputs, Advice(chosen, merged, steps + more)


def _merge(engine: Engine, inputs: Inputs, merged: Mapping[str, tuple[Group, ...]]) -> Inputs:
    """The inputs with each group of areas as one, in the table `calls` too."""
    areas = dict(inputs.areas)
    for name, groups in merged.items():
        areas[name] = merge_areas(inputs.areas[name], groups)
        if groups:
            merge_codes(engine, name, {merged_code(group): group for group in groups})
    return replace(
        inputs,
        areas=areas,
        codelists=inputs.codelists | {name: system.codelist for name, system in areas.items()},
    )


def _with_empty(
    inputs: Inputs, specs: Sequence[TableSpec], tally: Tally, history: Sequence[Past] = ()
) -> Inputs:
    """The inputs with the cells of these tables, and of those of earlier releases, that hold no
    call."""
    earlier = [spec for past in history for spec in past.specs]
    calendar = Calendar.of(inputs.config.file.release)
    empty = empty_cells(specs, earlier, tally.shifts, calendar, inputs.codelists)
    return replace(inputs, empty=empty)


def _system(
    counted: Counter,
    inputs: Inputs,
    specs: Sequence[TableSpec],
    tables: Sequence[Table],
    history: Sequence[Past] = (),
) -> tuple[System, Revised]:
    threshold = inputs.config.file.privacy.threshold
    empty = [*(cell for past in history for cell in past.empty), *inputs.empty.cells]
    if history:
        union = union_codelists(history, inputs.codelists)
        every = [*(spec for past in history for spec in past.specs), *specs]
        cliques = plan_cliques(every, union, empty)
        fed = sorted(mapped_dimensions(inputs.config))
        absent = Calendar.of(inputs.config.file.release).months_not_collected(
            inputs.codelists["period"]
        )
        newest = Newest(inputs.codelists, fed, absent)
        seen = compare(counted.engine, history, newest, cliques, union, threshold)
        layout = Layout(cliques, seen.blocks, union, seen.bounds)
        return build_system(tables, layout, threshold, seen.earlier), seen.revised
    cliques = plan_cliques(specs, inputs.codelists, empty)
    joint = [
        cells_of(counted.count(clique.levels), clique_dimensions(clique, inputs.codelists))
        for clique in cliques
    ]
    block = Block(frozenset({0}), inputs.codelists, joint)
    layout = Layout(cliques, [block], inputs.codelists)
    return build_system(tables, layout, threshold), NOTHING_REVISED


def _within_records(inputs: Inputs, questions: Sequence[Question]) -> Inputs:
    return replace(inputs, config=outside_records(inputs.config, questions))


def build(
    inputs: Inputs, out: Path, private: Path, *, replace: bool = False, progress: Progress = QUIET
) -> Built:
    """Make and attack a release that is to follow the one in `out`; it waits in the private folder
    for approval.

    `out` is only read. On any failure the earlier candidate stays as it was.
    """
    config = inputs.config
    specs, advice = table_specs(config), NO_ADVICE
    out = place_of(out, private)
    secure(private)
    sweep(private, CANDIDATE)
    clear_up(out)
    check_target(out)
    history = read_history(out, private, config.file.release.version, replace=replace)
    with open_engine(config.file, private) as engine:
        codelists = inputs.codelists
        references = read_inputs_beside(engine.db, config, codelists)
        tally = read_calls(engine, config, inputs.areas, private, progress)
        tally.unanswered = check_gaps(engine, config)
        refuse_unanswered(config, tally.unanswered)
        inputs = _within_records(inputs, tally.unanswered)
        config = inputs.config
        tally.areas = area_lines(engine, config, inputs.areas, specs, tally.values)
        urgent = urgent_waits(engine, config, codelists)
        fixed = config.file.plan.merged
        if config.file.plan.apply:
            inputs, advice = _advise(
                engine, inputs, specs, progress, fixed or merged_before(history)
            )
            specs = advice.specs
        elif fixed:
            inputs, advice = _merge(engine, inputs, fixed), Advice(specs, fixed, ())
        if joined := joined_areas(advice):
            references = read_inputs_beside(engine.db, config, codelists, joined)
        with progress.step("Counting"):
            counted = counter(engine, config)
            inputs = _with_empty(inputs, specs, tally, history)
            ahead = (
                [
                    clique.levels
                    for clique in plan_cliques(specs, inputs.codelists, inputs.empty.cells)
                ]
                if not history
                else []
            )
            tables = count_tables(counted, config, inputs.codelists, specs, ahead)
            system, revised = _system(counted, inputs, specs, tables, history)
        before = Before(tuple(past.folder for past in history), revised)
        with progress.step("Withholding small counts"):
            withholding = Withholding(
                system,
                _counted(inputs, advice, tally, tables, [*references, *urgent], before),
                history,
                progress,
            )
        report, rounds, certificates, digest, changed = _attack_and_keep(
            engine, inputs, Place(out, private, replace), tables, withholding, progress
        )
    protected = withholding.protected
    return Built(
        tally,
        tables,
        protected.system,
        protected,
        advice,
        report,
        rounds,
        certificates,
        digest,
        changed,
    )


@dataclass(frozen=True)
class Place:
    """Where a build puts what it makes: the `private` folder, and later `out`; with `replace` the
    release there is one that nobody outside has seen."""

    out: Path
    private: Path
    replace: bool


def _attack_and_keep(
    engine: Engine,
    inputs: Inputs,
    place: Place,
    tables: Sequence[Table],
    withholding: Withholding,
    progress: Progress,
) -> tuple[AuditReport, int, Certificates, str, bool]:
    out, private = place.out, place.private
    seen: dict[str, dict[str, Any]] = {}

    def statistics() -> Sequence[Statistic]:
        return compute(engine, inputs.config, inputs.codelists, tables, withholding.masks, seen)

    if any(spec.measure.startswith(FOLLOWED) for spec in inputs.config.file.statistics):
        note_next_contacts(engine, inputs.config)
    with working_folder(private, CANDIDATE) as scratch:
        report, rounds, certificates = _until_safe(scratch, withholding, statistics, progress)
        certificates.save(private / CERTIFICATES)
        protected = withholding.protected
        verify(
            protected.system,
            protected.high,
            protected.withheld,
            Certificates.open(private / CERTIFICATES),
        )
        made = scratch / "release"
        digest, changed = digest_of(made), not same_release(made, out)
        if changed:
            check_succession(made, out, replace=place.replace)
        paths = ledger_paths(private, inputs.config.file.release.version, digest)
        keep_ledger(
            engine,
            sorted(mapped_dimensions(inputs.config)),
            tables,
            inputs.config.file.privacy.threshold,
            paths,
        )
        shutil.rmtree(private / CANDIDATE, ignore_errors=True)
        if changed:
            made.rename(private / CANDIDATE)
            if not inputs.config.file.release.preview:
                seal(private / CANDIDATE, private, today())
    return report, rounds, certificates, digest, changed


def _until_safe(
    scratch: Path,
    withholding: Withholding,
    statistics: Callable[[], Sequence[Statistic]],
    progress: Progress,
) -> tuple[AuditReport, int, Certificates]:
    """Write the candidate, audit it, withhold more where the audit finds a way in, until it finds
    none and each small count has its proof."""
    candidate, protected = scratch / "release", withholding.protected
    layout = protected.system.layout
    assert layout is not None
    number = layout.number
    known: Sequence[Move] = ()
    left_out: dict[str, Mask] = {}
    for rounds in range(1, MAX_ROUNDS + 1):
        shutil.rmtree(candidate, ignore_errors=True)
        candidate.mkdir()
        told = [_without(s, left_out.get(s.spec.name)) for s in statistics()]
        contents = withholding.contents(told)
        write_candidate(candidate, contents)
        with progress.step(f"Attacking the candidate release (round {rounds})"):
            report = audit_release(candidate, progress)
        if report.passed:
            withholding.declare(contents)
            with progress.step("Proving each small count with two whole-number tables"):
                proof = certify(
                    protected,
                    known,
                    lambda done, total: progress.share(done, total, "proofs found"),
                )
            if not proof.missing:
                (candidate / "audit.json").write_text(report.to_json(), encoding="utf-8")
                with progress.step(
                    "Comparing with what other counts behind the withheld cells would have made"
                ):
                    compare_worlds(
                        withholding.counted,
                        protected.system,
                        withholding.masks,
                        told,
                        proof.result(),
                        scratch,
                    )
                return report, rounds, proof.result()
            known, open_cells = proof.moves, proof.missing
        else:
            open_cells = [
                number[f.cell] for f in report.findings if f.attack in MENDABLE and f.cell in number
            ]
        if beside := [dict(f.cell) for f in report.findings if f.attack == BESIDE]:
            rows = _leave_out_rows(told, beside, left_out)
            progress.say(
                f"  {rows} rows of statistics would help to narrow a count and are withheld"
            )
            continue
        others = [f for f in report.findings if f.attack not in MENDABLE]
        if others or not open_cells:
            found = "; ".join(
                sorted({f"{f.attack}: {f.message}" for f in others or report.findings})
            )
            raise AuditError(
                f"the audit found what protection cannot mend ({found}); nothing was written"
            )
        progress.say(f"  {len(open_cells)} cells need more cover")
        withholding.more(open_cells)
    raise ProtectionError(
        f"after {MAX_ROUNDS} rounds the audit still finds counts that can be narrowed; use coarser"
        " levels or fewer tables; nothing was written"
    )


def _without(statistic: Statistic, rows: Mask | None) -> Statistic:
    """`statistic` without the `rows` that would narrow a count."""
    if rows is None or not rows.any():
        return statistic
    return replace(statistic, shown=statistic.shown & ~rows, left_out=True)


def _leave_out_rows(
    told: Sequence[Statistic], cells: Sequence[Mapping[str, str]], left_out: dict[str, Mask]
) -> int:
    """Leave out rows of statistics that help to narrow `cells`: adds them to `left_out` (a mask for
    each statistic), and gives their number.

    Of the rows around the cells, or of all that bound counts where none is around them, it takes
    those that rest on the fewest calls or people (and on up to a quarter more): they narrow most.
    Where none of either is left, rows that are missing anyway are declared left out as well.
    Raises ProtectionError when none is left.
    """
    for near in (cells, [{}]):
        rows = [np.any([around(s, cell) for cell in near], axis=0) for s in told]
        fewest = min(
            (s.base[mask].min() for s, mask in zip(told, rows, strict=True) if mask.any()),
            default=None,
        )
        if fewest is not None:
            small = {
                s.spec.name: mask & (s.base <= 1.25 * fewest)
                for s, mask in zip(told, rows, strict=True)
            }
            for name, mask in small.items():
                left_out[name] = mask | left_out.get(name, np.zeros_like(mask))
            return sum(int(mask.sum()) for mask in small.values())
    if missing := {s.spec.name: ~s.shown for s in told if not s.left_out and not s.shown.all()}:
        left_out.update(
            missing
            # rows that are missing anyhow tell no more by that, once some may be missing for this
            # reason
        )
        return sum(int(mask.sum()) for mask in missing.values())
    raise ProtectionError(
        "statistics narrow a small count, and leaving them out does not mend it; please report"
        " this; nothing was written"
    )


def refuse_unplanned(config: AgencyConfig, codelists: Mapping[str, Codelist]) -> None:
    """Raises PlanError early, before any record is read."""
    specs = table_specs(config)
    if not specs:
        raise PlanError(
            [f"{config.path}: no table can be made from the fields named in [calls.columns]"]
        )
    if not config.file.plan.apply:
        plan_cliques(specs, codelists)
