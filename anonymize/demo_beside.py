"""What the example city reports beside its calls. All made up, like the calls (`demo.py`)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

DISTRICTS = {"riverside": "RV", "old_town": "OT", "harbor": "HB", "north_hills": "NH"}
PARTNERS = ("crisis_center", "clinic", "substance_use", "hospital", "housing", "peer")
PATROL_UNITS = 14
URGENT_PER_DAY, URGENT_SEED, FOLLOW_UP_SEED = 13, 5, 6
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]


def _write(folder: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def write_beside(folder: Path, calls: Sequence[tuple[str, datetime, bool]], rng: np.random.Generator) -> list[Path]:
    """`calls`: (call id, time, did a team come). Returns the files."""
    return [
        _write(folder, "all_calls", ["month", "calls"], _all_calls(calls, rng)),
        _write(
            folder,
            "handoffs",
            ["call_id", "partner_type", "offered", "accepted", "connected_at", "warm", "follow_up", "spoken_to"],
            _handoffs(calls, rng, np.random.default_rng(FOLLOW_UP_SEED)),
        ),
        _write(folder, "shifts", ["unit", "start", "end", "officer", "clinician", "planned", "worked", "patrol"], _shifts(rng)),
        _write(folder, "staffing", ["month", "role", "role_es", "authorized", "filled", "left"], _staffing()),
        _write(folder, "budget", ["year", "source", "source_es", "planned", "spent", "ends"], BUDGET),
        _write(folder, "training", ["year", "course", "course_es", "role", "role_es", "trained", "eligible", "hours", "joint"], TRAINING),
        _write(folder, "targets", ["measure", "year", "target", "direction", "set_on", "reason", "reason_es"], TARGETS),
        _write(folder, "program_events", ["date", "kind", "event", "event_es"], EVENTS),
        _write(folder, "population", ["dimension", "code", "residents", "year"], POPULATION),
        _write(
            folder, "survey", ["wave", "audience", "question", "question_es", "agree", "respondents", "invited", "mode", "mode_es"], SURVEY
        ),
        _write(folder, "unit_costs", ["item", "low", "middle", "high", "year", "source", "payer", "payer_es"], UNIT_COSTS),
        _write(folder, "partner_agreements", ["partner", "partner_es", "agreement", "data_sharing", "signed"], PARTNERS_LISTED),
        _write(folder, "crisis_line", ["year", "contacts", "answered", "handed_to_team", "source"], CRISIS_LINE),
        _write(folder, "liability_claims", ["year", "filed"], [(2024, 0), (2025, 3)]),
        _write(folder, "feedback", ["year", "kind", "received", "themes", "themes_es"], FEEDBACK),
        _write(folder, "urgent_calls", ["received", "arrived", "district"], _urgent_calls(np.random.default_rng(URGENT_SEED))),
        _write(folder, "service_hours", ["area", "days", "days_es", "hours"], SERVICE),
    ]


def _all_calls(calls: Sequence[tuple[str, datetime, bool]], rng: np.random.Generator) -> list[tuple[object, ...]]:
    counted = dict.fromkeys(MONTHS, 0)
    for _id, at, _reached in calls:
        counted[f"{at:%Y-%m}"] += 1
    return [(month, round(n / rng.uniform(0.098, 0.112))) for month, n in counted.items()]


def _urgent_calls(rng: np.random.Generator) -> list[tuple[object, ...]]:
    """Priority-1 police calls, more in the evening; a few without a time of arrival. Their waits do not depend on teams."""
    rows: list[tuple[object, ...]] = []
    hours = np.array([5, 4, 4, 3, 2, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 9, 9, 9, 9, 9, 8, 7, 6], dtype=float)
    for day in range((datetime(2026, 1, 1) - datetime(2024, 1, 1)).days):
        for hour in np.sort(rng.choice(24, rng.poisson(URGENT_PER_DAY), p=hours / hours.sum())):
            at = datetime(2024, 1, 1) + timedelta(days=day, hours=int(hour), minutes=int(rng.integers(60)))
            district = list(DISTRICTS)[int(rng.choice(4, p=(0.30, 0.34, 0.24, 0.12)))]
            wait = rng.lognormal(1.95 + (0.35 if district == "north_hills" else 0.0) + (0.12 if 15 <= hour < 23 else 0.0), 0.5)
            arrived = at + timedelta(minutes=round(float(wait)))
            rows.append((at, "" if rng.random() < 0.02 else arrived, district))
    return rows


def _handoffs(
    calls: Sequence[tuple[str, datetime, bool]], rng: np.random.Generator, later: np.random.Generator
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, at, reached in calls:
        if rng.random() > (0.46 if reached else 0.07):
            continue
        partner = PARTNERS[int(rng.choice(6, p=(0.22, 0.34, 0.14, 0.12, 0.10, 0.08)))]
        accepted = rng.random() < 0.64
        connected = accepted and rng.random() < (0.55 if partner in ("crisis_center", "peer") else 0.34)
        day = (at + timedelta(days=float(rng.gamma(1.6, 5)))).date() if connected else ""
        rows.append((number, partner, "yes", "yes" if accepted else "no", day, *_follow_up(at, partner, reached, later)))
    return rows


def _follow_up(at: datetime, partner: str, reached: bool, rng: np.random.Generator) -> tuple[str, str, object]:
    """Was the referral passed on in person or by live call, did the person agree to a follow-up, and on which day were they spoken to?"""
    passed, asked, spoke = rng.random(3)
    warm = "" if passed > 0.96 else "yes" if passed < (0.66 if partner in ("crisis_center", "peer") else 0.31) else "no"
    agreed = reached and asked < 0.58
    days = int(rng.gamma(0.9, 5.5))
    return warm, "yes" if agreed else "no", (at + timedelta(days=days)).date() if agreed and spoke < 0.71 else ""


def _shifts(rng: np.random.Generator) -> list[tuple[object, ...]]:
    """One team by day from 2024, with help in the evening, and one more from 2025; none from 3 to 7 at night; some shifts fall out."""
    rows: list[tuple[object, ...]] = []
    day = datetime(2024, 1, 1)
    while day < datetime(2026, 1, 1):
        plan = [("Team 1", 7, 15), ("Team 1", 15, 23), ("Team 2", 13, 21)]
        if day.year >= 2025:
            plan += [("Team 3", 11, 19), ("Team 3", 19, 27)]
        for unit, start in ((f"Patrol {n}", start) for n in range(1, PATROL_UNITS + 1) for start in (7, 19)):
            rows.append((unit, day + timedelta(hours=start), day + timedelta(hours=start + 12), "yes", "no", "yes", "yes", "yes"))
        for unit, start, end in plan:
            worked = rng.random() > (0.13 if day.weekday() >= 5 else 0.06)
            clinician = worked and rng.random() > 0.05
            rows.append(
                (
                    unit,
                    day + timedelta(hours=start),
                    day + timedelta(hours=end),
                    "yes",
                    "yes" if clinician else "no",
                    "yes",
                    "yes" if worked else "no",
                    "no",
                )
            )
        day += timedelta(days=1)
    return rows


def _staffing() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for i, month in enumerate(MONTHS):
        clinicians = 4 if i < 12 else 8
        filled = (4, 4, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4)[i] if i < 12 else (5, 6, 6, 6, 7, 7, 6, 6, 6, 5, 6, 6)[i - 12]
        rows += [
            (month, "Clinicians", "Profesionales clínicos", clinicians, filled, 1 if i in (2, 8, 18, 21) else 0),
            (month, "Officers", "Agentes", clinicians, clinicians if i % 7 else clinicians - 1, 1 if i == 14 else 0),
        ]
    return rows


BUDGET = [
    (2024, "City general fund", "Fondo general de la ciudad", 610000, 598400, ""),
    (2024, "State crisis grant", "Subvención estatal para crisis", 450000, 431900, "2026-06-30"),
    (2024, "Hospital partner", "Hospital asociado", 120000, 120000, "2027-12-31"),
    (2025, "City general fund", "Fondo general de la ciudad", 640000, 651200, ""),
    (2025, "State crisis grant", "Subvención estatal para crisis", 900000, 842300, "2026-06-30"),
    (2025, "Federal grant", "Subvención federal", 300000, 211700, "2026-09-30"),
    (2025, "Hospital partner", "Hospital asociado", 120000, 120000, "2027-12-31"),
    (2026, "City general fund", "Fondo general de la ciudad", 660000, "", ""),
    (2026, "State crisis grant", "Subvención estatal para crisis", 450000, "", "2026-06-30"),
    (2026, "Federal grant", "Subvención federal", 225000, "", "2026-09-30"),
    (2026, "Hospital partner", "Hospital asociado", 120000, "", "2027-12-31"),
]
_OFFICERS, _CLINICIANS, _PATROL = (
    ("Team officers", "Agentes de los equipos"),
    ("Clinicians", "Profesionales clínicos"),
    ("Patrol officers", "Agentes de patrulla"),
)
_JOINT, _CIT = ("Joint scene course", "Curso conjunto en el lugar"), ("Crisis intervention (40 hours)", "Intervención en crisis (40 horas)")
TRAINING = [
    (2024, *_JOINT, *_OFFICERS, 4, 4, 16, "yes"), (2024, *_JOINT, *_CLINICIANS, 3, 4, 16, "yes"), (2024, *_CIT, *_PATROL, 118, 310, 40, "no"),
    (2025, *_JOINT, *_OFFICERS, 7, 8, 16, "yes"), (2025, *_JOINT, *_CLINICIANS, 5, 7, 16, "yes"), (2025, *_CIT, *_PATROL, 161, 318, 40, "no"),
]  # fmt: skip
TARGETS = [
    ("coverage", 2025, 0.5, "at_least", "2024-11-12", "Half of all eligible calls is what two teams can reach by the plan of 2024.", "La mitad de las llamadas que cumplen los criterios es lo que dos equipos pueden atender según el plan de 2024."),
    ("wait_within_30", 2025, 0.8, "at_least", "2024-11-12", "People told the council that half an hour is the longest bearable wait.", "La gente dijo al concejo que media hora es la espera más larga que se puede soportar."),
    ("connected", 2025, 0.4, "at_least", "2025-02-18", "The state grant asks for it.", "Lo pide la subvención estatal."),
    ("arrests", 2025, 0.05, "at_most", "2024-11-12", "The rate of the best quarter of 2023.", "La tasa del mejor trimestre de 2023."),
]  # fmt: skip
EVENTS = [
    ("2024-09-01", "coding", "New call type: disturbance tied to a crisis is marked by the dispatcher.", "Nuevo tipo de llamada: la central marca las alteraciones ligadas a una crisis."),
    ("2025-01-01", "shift", "One more team starts, with hours until 3 in the morning.", "Empieza un equipo más, con horario hasta las 3 de la mañana."),
    ("2025-07-01", "rule", "Teams may answer calls with a weapon reported once an officer says the scene is safe.", "Los equipos pueden atender llamadas con un arma reportada cuando un agente dice que el lugar es seguro."),
]  # fmt: skip
POPULATION = [
    ("area", "riverside", 61200, 2024), ("area", "old_town", 54800, 2024), ("area", "harbor", 47300, 2024), ("area", "north_hills", 22900, 2024),
    ("race_ethnicity", "asian", 17800, 2024), ("race_ethnicity", "black", 31600, 2024), ("race_ethnicity", "hispanic", 46900, 2024),
    ("race_ethnicity", "white", 83500, 2024), ("race_ethnicity", "other", 6400, 2024),
]  # fmt: skip
_TRUST = ("I trust the city to help in a mental-health crisis.", "Confío en que la ciudad ayude en una crisis de salud mental.")
_SUPPORT = ("Co-responder teams make my work better.", "Los equipos de respuesta conjunta mejoran mi trabajo.")
_MAIL = ("Letter to homes drawn by lot", "Carta a hogares elegidos por sorteo")
_FORM = ("Online form for all patrol officers", "Formulario en línea para todos los agentes de patrulla")
SURVEY = [
    ("2023-10-31", "residents", *_TRUST, 402, 911, 2400, *_MAIL), ("2024-10-31", "residents", *_TRUST, 417, 894, 2400, *_MAIL),
    ("2025-10-31", "residents", *_TRUST, 470, 921, 2400, *_MAIL),
    ("2024-05-31", "officers", *_SUPPORT, 61, 148, 310, *_FORM), ("2025-05-31", "officers", *_SUPPORT, 97, 155, 318, *_FORM),
]  # fmt: skip
UNIT_COSTS = [
    ("jail_booking", 90, 210, 480, 2024, "Made-up figures of Example City's finance office", "Jail", "Cárcel"),
    ("emergency_visit", 520, 1100, 1900, 2024, "Made-up figures of Example City's hospital partner", "Hospitals and insurers", "Hospitales y aseguradoras"),
]  # fmt: skip
PARTNERS_LISTED = [
    ("Riverside Crisis Center", "Centro de Crisis Ribera", "yes", "yes", "2024-02-12"),
    ("County Mental Health Clinic", "Clínica de Salud Mental del Condado", "yes", "yes", "2024-03-04"),
    ("Harbor Recovery Services", "Servicios de Recuperación Puerto", "yes", "no", "2024-09-16"),
    ("General Hospital", "Hospital General", "yes", "yes", "2024-01-22"),
    ("Housing First Network", "Red Vivienda Primero", "no", "no", ""),
    ("Peer Support Alliance", "Alianza de Apoyo entre Pares", "yes", "no", "2025-05-05"),
]  # fmt: skip
FEEDBACK = [
    (2024, "complaint", 23, "Long waits at night; a team that did not come", "Esperas largas de noche; un equipo que no llegó"),
    (2024, "praise", 61, "Calm words; time to listen", "Palabras tranquilas; tiempo para escuchar"),
    (2024, "unclear_lead", 14, "Who speaks first when a child is there", "Quién habla primero cuando hay un niño"),
    (2024, "unsafe_entry", 0, "", ""),
    (2025, "complaint", 31, "Long waits in North Hills; no interpreter", "Esperas largas en Colinas del Norte; falta de intérprete"),
    (2025, "praise", 88, "Help with the next step; calm words", "Ayuda con el siguiente paso; palabras tranquilas"),
    (2025, "unclear_lead", 6, "Who decides on transport", "Quién decide sobre el traslado"),
    (2025, "unsafe_entry", 3, "A weapon that was not in the call notes", "Un arma que no estaba en las notas de la llamada"),
]  # fmt: skip
CRISIS_LINE = [
    (2024, 118200, 101700, 3900, "Made-up figures of Example State's 988 line"), (2025, 131600, 119400, 5200, "Made-up figures of Example State's 988 line"),
]  # fmt: skip
SERVICE = [
    ("all", "Every day", "Todos los días", "07:00–03:00"),
]
