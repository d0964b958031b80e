"""What the whole site decides about a made-up agency (`simulated.py`): its calls with referrals,
surveys, targets and changes of the program beside them, built into a release and read by the app.

In an agency without an effect, trust stays where it was, but those who trust answer more often each
time; officers are of two minds; and visits after a referral reach just what council asked for, but
partners of one kind do not tell of them.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from anonymize.pipeline import read_inputs
from dashboard.findings.claims import claims
from dashboard.findings.targets import targets
from dashboard.findings.time_series import signals
from dashboard.numbers.cells import along
from dashboard.release.reader import Release, load_release
from dashboard.text import language
from tests import simulated
from tests.agency import build
from tests.simulated import COLUMNS, City, write

CLAIMS = (
    "arrests",
    "force",
    "repeat",
    "time",
    "slow",
    "trust",
    "support",
    "restraints",
    "holds",
)
"""Claims that the site decides, as `dashboard.findings.claims` names them."""
MEASURES = (
    "compare_arrest",
    "compare_force_used",
    "compare_repeat_90",
    "compare_officer_minutes",
    "compare_wait",
    "compare_restrained",
    "compare_hold",
    "reached_arrest",
)
"""By who came too: what the site shows and never judges."""
DECIDED = ("fewer", "more", "supported", "not_supported", "met", "missed", "said")
"""Words that claim to know: each is false where nothing changed."""
TRUSTING, FOR_TEAMS, CONNECTED = 0.45, 0.5, 0.4
"""Shares of all residents and officers who agree, and of accepted referrals that lead to a
visit."""
KINDS = ("clinic", "housing")
SILENT = "housing"

TABLES = {
    "months": 'period = ["all", "year", "month"]',
    "arrests": 'responder = ["all", "reached"], arrest = ["all", "answer"]',
    "force": 'responder = ["all", "reached"], force_used = ["all", "answer"]',
    "restraints": 'responder = ["all", "reached"], restrained = ["all", "answer"]',
    "ends": 'responder = ["all", "reached"], outcome = ["all", "contact", "outcome"]',
    "referrals": 'responder = ["all", "reached"], handoff = ["all", "agreed", "step"]',
    "partners": 'partner = ["all", "partner"], handoff = ["all", "agreed", "step"]',
}
INPUTS = ("handoffs", "survey", "partner_agreements", "targets", "program_events")
YEARS = 'period = ["all", "year"], '
MORE = "".join(
    f'''
[[tables]]
name = "{name}"
title = "{name}"
dimensions = {{ {"" if name == "months" else YEARS}{dimensions} }}
'''
    for name, dimensions in TABLES.items()
) + "".join(f'\n[inputs.{name}]\npaths = "{name}.csv"\n' for name in INPUTS)


def surveys(city: City) -> list[tuple[object, ...]]:
    """Residents before and after, officers once. `effect["trust"]` multiplies the share who agree
    the second time; then nearly all answer, else no bounds could show it."""
    rng = np.random.default_rng((city.seed, 1))
    change = city.effect.get("trust", 1.0)
    found = []
    for wave, share, answering in (
        ("2023-10-31", TRUSTING, 0.5),
        ("2025-10-31", TRUSTING * change, 0.75),
    ):
        found.append(
            (wave, "residents", "I trust the city.", *_answers(rng, share, answering, change != 1))
        )
    found.append(("2025-05-31", "officers", "Teams help.", *_answers(rng, FOR_TEAMS, 0.7)))
    return found


def _answers(
    rng: np.random.Generator, share: float, answering: float, complete: bool = False
) -> tuple[int, int, int]:
    """(agree, respondents, invited): of those who agree `answering` answer, of the others half."""
    agrees = rng.random(1200) < share
    answers = rng.random(1200) < (0.95 if complete else np.where(agrees, answering, 0.5))
    return int((agrees & answers).sum()), int(answers.sum()), 1200


def handoffs(city: City, calls: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Referrals after calls that a team reached. Each person has a chance of their own to go, with
    CONNECTED as its mean; partners of the kind SILENT tell of no visit."""
    rng = np.random.default_rng((city.seed, 2))
    unit, person = COLUMNS.index("unit"), COLUMNS.index("person")
    going: dict[object, float] = {}
    found = []
    mean = CONNECTED * city.effect.get("connected", 1.0)
    for call in calls:
        if call[unit] == "police_only" or rng.random() < 0.4:
            continue
        chance = going.setdefault(call[person], float(rng.beta(3 * mean, 3 * (1 - mean))))
        accepted, kind = rng.random() < 0.6, KINDS[int(rng.random() < 0.35)]
        goes, days = rng.random() < chance, int(rng.integers(1, 30))
        told = accepted and goes and (kind != SILENT or not city.silent_partners)
        visit = (_day(call) + timedelta(days=days)).isoformat() if told else ""
        found.append((call[0], kind, "yes", "yes" if accepted else "no", visit))
    return found


def _day(call: Sequence[object]) -> date:
    return date.fromisoformat(str(call[COLUMNS.index("at")])[:10])


def write_site(folder: Path, city: City) -> Path:
    """The agency file of a city with all that lies beside its calls."""
    calls = simulated.rows(city)
    path = write(folder, city, MEASURES, MORE, calls)
    shares = "no" if city.silent_partners else "yes"
    named = [kind if city.seed % 2 else "" for kind in KINDS]
    for name, head, rows in (
        ("survey", "wave,audience,question,agree,respondents,invited", surveys(city)),
        ("handoffs", "call_id,partner_type,offered,accepted,connected_at", handoffs(city, calls)),
        (
            "partner_agreements",
            "partner,agreement,data_sharing,partner_type",
            [("Clinic", "yes", "yes", named[0]), ("Shelter", "yes", shares, named[1])],
        ),
        (
            "targets",
            "measure,year,target,direction,set_on,reason",
            [("connected", 2025, CONNECTED, "at_least", "2024-11-12", "Asked for.")],
        ),
        (
            "program_events",
            "date,kind,event",
            [("2025-07-01", "coding", "A new type of call"), ("2025-07-01", "rule", "Weapons")]
            if city.seed % 2
            else [("2025-01-01", "funding", "A grant")],
        ),
    ):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(head.split(","))
            writer.writerows(rows)
    return path


def site(folder: Path, city: City) -> Release:
    """The release of a city, as the app reads it."""
    inputs = read_inputs(write_site(folder, city))
    build(inputs, folder / "out", folder / "private", answered=False)
    return load_release(folder / "out")


def decided(release: Release) -> dict[str, str]:
    """Of each claim and figure on which the site gives a verdict, the verdict: the claims, the
    target for visits, a trend of it, and months that stand out."""
    language.use("en")
    found = {claim.name: claim.find(release).verdict for claim in claims() if claim.name in CLAIMS}
    target = targets(release)[0]
    months = release.find("period")
    assert target.score is not None and months is not None
    told = signals(release, along(release, months, "period", "month", {}))
    noticed = "stand out from" in told or "the level is different" in told
    return found | {
        "visits": target.result,
        "trend": "said" if target.score.trend in ("up", "down") else "nothing",
        "months": "said" if noticed else "nothing",
    }
