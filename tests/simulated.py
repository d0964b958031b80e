"""Made-up agencies of which the truth is known: teams that change nothing, or change what a test
says they change.

Teams take calmer calls (by a calmness that nobody writes down), by day more than by night, and near
places more than far ones. People call several times, and each has a temper of their own. Calls
swing with the season; from July of the second year a new call type is in use, and a rule lets teams
take calls with a weapon. Some arrival times are missing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from anonymize.agency.codelists import Dimension
from anonymize.count.comparisons import COMPARED, compared, design
from anonymize.count.statistics import note_next_contacts
from anonymize.engine import open_engine
from anonymize.pipeline import read_inputs
from anonymize.records.calls import FOLLOWED, read_calls
from dashboard.findings.comparisons import Comparison, of_cell

HEAD = """
[agency]
id = "simulated"
name = "Simulated"
place = "Simulated"
timezone = "America/Chicago"
publisher = "Simulated"
contact = "a@example.org"
licence = { name = "CC0", url = "https://creativecommons.org/publicdomain/zero/1.0/" }
about = "A test."

[release]
version = "2026.1"
created = 2026-01-15
data_from = 2024-01-01
data_to = 2025-12-31

[privacy]
threshold = 11

[calls]
paths = "calls.csv"

[calls.time]
timestamp = "at"

[calls.columns]
call_id = "id"
call_type = "type"
area = "district"
priority = "priority"
eligible = "eligible"
responder = "unit"
not_served_reason = "why"
dispatched_at = "sent"
arrived_at = "there"
cleared_at = "clear"
officer_cleared_at = "officer"
arrest = "arrest"
force_used = "force"
weapon_reported = "weapon"
restrained = "cuffs"
outcome = "end"
person_key = "person"

[dimensions.call_type]
name = "Type"
all = "All"
levels = ["type"]
unknown = false
codes = [
  { code = "mental_health", en = "A", es = "A" },
  { code = "welfare_check", en = "B", es = "B" },
  { code = "new_type", en = "C", es = "C" },
]

[dimensions.priority]
name = "Priority"
all = "All"
levels = ["priority"]
codes = [{ code = "p1", en = "1", es = "1" }, { code = "p2", en = "2", es = "2" }]

[areas.area]
name = "Area"
all = "All"
levels = ["district"]
codes = ["near", "far"]

[[tables]]
name = "eligible_calls"
title = "Eligible"
dimensions = { period = ["all", "year"] }
where = { eligible = "yes" }
"""
STATISTIC = """
[[statistics]]
name = "{measure}"
title = "{measure}"
measure = "{measure}"
dimensions = {{ period = ["all", "year"] }}
where = {{ eligible = "yes" }}
"""
COLUMNS = (
    "id",
    "at",
    "type",
    "district",
    "priority",
    "eligible",
    "unit",
    "why",
    "sent",
    "there",
    "clear",
    "officer",
    "arrest",
    "force",
    "weapon",
    "person",
    "cuffs",
    "end",
)


@dataclass(frozen=True)
class City:
    """`effect`: outcome -> by how much a team that comes multiplies its chance (of officer time:
    its length). 1 is no effect."""

    seed: int
    calls: int = 12_000
    effect: Mapping[str, float] = field(default_factory=dict)
    choosing: float = 1.0
    """How much more often teams go to calm calls; 0 for by lot."""
    busy_differs: float = 0.0
    """How much longer calls wait before dispatch while all teams are busy: such nights differ in
    more than teams."""
    times_lost: float = 0.04
    """Share of calls without a time of arrival."""
    clinicians_alone: float = 0.0
    """Share of team visits without an officer: those do give officers time back."""
    officer_lost: float = 0.0
    """Share of visits with a team whose officer's time is missing."""
    silent_partners: bool = True
    """Do some partners not tell of visits? Those of one kind; which, the agency says for every
    second seed."""


def rows(city: City) -> list[tuple[object, ...]]:
    rng = np.random.default_rng(city.seed)
    n = city.calls
    day = np.sort(rng.choice(730, n, p=_season(730)))
    hour = rng.choice(
        24, n, p=_normal([3, 2, 2, 2, 2, 2, 2, 3, 4, 4, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 5, 5, 4, 4])
    )
    people = n // 2
    person = np.minimum((rng.pareto(1.4, n) * people / 6).astype(int), people - 1)
    temper = np.exp(rng.normal(0, 0.8, people) - 0.32)
    calm = rng.normal(0, 1, n)
    late = day >= 547
    kind = np.where(late & (rng.random(n) < 0.3), 2, rng.choice(2, n, p=(0.6, 0.4)))
    far, urgent, armed = (
        rng.random(n) < 0.3,
        rng.random(n) < 0.3 - 0.1 * np.tanh(calm),
        rng.random(n) < 0.06,
    )
    eligible = rng.random(n) < np.where(armed & ~late, 0.3, 0.75)
    on_duty = np.where(day < 366, (hour >= 7) & (hour < 23), hour >= 5)
    busy = rng.random(n) < np.where((hour >= 15) & (hour < 21), 0.35, 0.22)
    free = eligible & on_duty & ~busy
    willing = 1 / (1 + np.exp(-(1.2 + city.choosing * calm - 0.8 * far)))
    came = free & (rng.random(n) < willing)
    clinician_only = came & (rng.random(n) < city.clinicians_alone)
    hot = (
        temper[person]
        * np.exp(-0.6 * calm)
        * np.where(urgent, 1.3, 1.0)
        * np.where(hour < 6, 1.4, 1.0)
    )

    def happens(name: str, base: float) -> np.ndarray:
        chance = base * hot * np.where(came, city.effect.get(name, 1.0), 1.0)
        return rng.random(n) < np.minimum(chance, 0.9)

    arrest, force = happens("arrest", 0.05), happens("force_used", 0.02)
    person = _calling_again(person, came, city.effect.get("repeat_90", 1.0), people, rng)
    queue = rng.lognormal(1.8, 0.5, n) + city.busy_differs * (eligible & on_duty & busy)
    travel = rng.lognormal(2.2, 0.4, n) * np.where(far, 1.5, 1.0)
    scene = 25 * np.exp(rng.normal(0, 0.4, n)) * np.exp(-0.1 * calm)
    officer = scene * np.where(came, city.effect.get("officer_minutes", 1.0), 1.0)
    reason = np.where(
        ~on_duty,
        "no_unit",
        np.where(busy, "all_busy", rng.choice(["declined", "cancelled", "safety_hold"], n)),
    )
    reason = np.where(came | ~eligible | (rng.random(n) < 0.1), "", reason)
    lost, officer_lost = rng.random(n) < city.times_lost, came & (rng.random(n) < city.officer_lost)
    at = np.datetime64("2024-01-01", "s") + (
        day * 86_400 + hour * 3600 + 60 * rng.integers(60, size=n)
    ).astype("timedelta64[s]")
    there = queue + travel
    cuffs, held = happens("restrained", 0.08), happens("hold", 0.06)
    return list(
        zip(
            range(n),
            at.tolist(),
            np.array(["mental_health", "welfare_check", "new_type"])[kind].tolist(),
            np.where(far, "far", "near").tolist(),
            np.where(urgent, "p1", "p2").tolist(),
            _yes_no(eligible),
            np.where(
                clinician_only, "clinician_only", np.where(came, "co_responder", "police_only")
            ).tolist(),
            reason.tolist(),
            _times(at, queue),
            _times(at, there, lost),
            _times(at, there + scene),
            _times(at, there + officer, clinician_only | officer_lost),
            _yes_no(arrest),
            _yes_no(force),
            _yes_no(armed),
            [f"p{who}" for who in person.tolist()],
            _yes_no(cuffs),
            np.where(held, "involuntary_hold", "stayed_with_plan").tolist(),
            strict=True,
        )
    )


def _calling_again(
    person: np.ndarray, came: np.ndarray, effect: float, people: int, rng: np.random.Generator
) -> np.ndarray:
    """With an effect below 1, the next call of someone whom a team reached is by chance somebody
    else's."""
    if effect == 1.0:
        return person
    person = person.copy()
    last: dict[int, int] = {}
    for i, who in enumerate(person):
        before = last.get(int(who))
        if before is not None and came[before] and rng.random() > effect:
            person[i] = people + i
        else:
            last[int(who)] = i
    return person


def _season(days: int) -> np.ndarray:
    return _normal(1 + 0.2 * np.sin(2 * np.pi * np.arange(days) / 365))


def _normal(weights: object) -> np.ndarray:
    found = np.asarray(weights, dtype=float)
    return found / found.sum()


def _yes_no(answer: np.ndarray) -> list[str]:
    return np.where(answer, "yes", "no").tolist()


def _times(at: np.ndarray, minutes: np.ndarray, blank: np.ndarray | None = None) -> list[str]:
    """So many minutes after each call, as an export writes them; nothing where `blank`."""
    moments = at + (60 * minutes).astype("timedelta64[s]")
    texts = [text.replace("T", " ") for text in np.datetime_as_string(moments, unit="s").tolist()]
    if blank is not None:
        for place in np.flatnonzero(blank).tolist():
            texts[place] = ""
    return texts


def write(
    folder: Path,
    city: City,
    measures: tuple[str, ...] = COMPARED,
    more: str = "",
    calls: Iterable[tuple[object, ...]] | None = None,
) -> Path:
    """The agency file of a city, beside its calls (drawn anew unless they are given)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agency.toml").write_text(
        HEAD + "".join(STATISTIC.format(measure=m) for m in measures) + more, encoding="utf-8"
    )
    with (folder / "calls.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        writer.writerows(rows(city) if calls is None else calls)
    return folder / "agency.toml"


def judged(
    folder: Path, city: City, measures: tuple[str, ...] = COMPARED
) -> dict[str, Comparison | None]:
    """What the site would say of each measure over all years: read and compared as in a build,
    judged as on a page.

    Protection is left out, since it changes no comparison: it only decides whether one is shown.
    """
    inputs = read_inputs(write(folder, city, measures))
    found: dict[str, Comparison | None] = {}
    with open_engine(inputs.config.file, folder / "private") as engine:
        read_calls(engine, inputs.config, inputs.areas, folder / "private")
        if any(spec.measure.startswith(FOLLOWED) for spec in inputs.config.file.statistics):
            note_next_contacts(engine, inputs.config)
        for spec in inputs.config.file.statistics:
            made = compared(
                engine,
                inputs.config,
                spec,
                Dimension(inputs.codelists["period"], ("all",)),
                inputs.codelists,
            )
            cell = {name: int(values[0]) for name, values in made.columns.items()}
            found[spec.measure] = (
                of_cell(spec.measure, design(inputs.config, spec.measure, inputs.codelists), cell)
                if made.fit[0]
                else None
            )
    return found
