"""What auditors ask of the example city's calls: columns besides those of `demo/city.py`, from a
generator of their own, so that nothing else of the city depends on them.

All made up. Some results are good (few calls are handed back), some bad (officers speak first; the
crisis is missing from reports, more often for some groups), some unclear (force by training).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

HEADER = (
    "clinician_first",
    "restrained",
    "hold_by",
    "crisis_trained",
    "crisis_in_report",
    "backup",
    "backup_asked",
    "backup_came",
    "handed_back",
    "team_started",
    "program_area",
    "checked",
    "missing",
    "crew",
    "crew_left",
)
FIRST = ("FIRST", "AFTER PD", "PHONE", "NO TALK", "")
MISSING = ("NONE", "BED", "SHELTER", "RIDE", "OTHER", "")
IN_REPORT = {"W": 0.78, "B": 0.64, "H": 0.69, "A": 0.75, "O": 0.74, "": 0.71}
"""Group -> share of reports that name the crisis."""
HOLDER = {True: (0.58, 0.88, 0.95), False: (0.02, 0.83, 0.94)}
"""Did a clinician come? -> up to where the clinician, an officer, or someone else started it."""


def _yes(answer: bool) -> str:
    return "Y" if answer else "N"


def asked(row: dict[str, str], rng: np.random.Generator) -> list[str]:
    """The values of HEADER for one call (`row`: by the names of `demo/city.py`)."""
    lots = rng.random(14)
    reached, end = row["unit_type"] in ("COR", "CLIN"), row["disposition"]
    cuffed = {"HOLD": 0.44 if reached else 0.66, "ARREST/CITE": 0.58}.get(
        end, 0.012 if reached else 0.021
    )
    if row["race"] == "B":
        cuffed *= 1.2
    first = FIRST[int(np.searchsorted((0.34, 0.79, 0.86, 0.96), lots[0]))]
    by = ("CLIN", "PD", "OTHER", "")[int(np.searchsorted(HOLDER[reached], lots[2]))]
    fits = row["eligible"] == "Y"
    outside = row["not_served"] == "OUT OF AREA" or (not reached and lots[8] < 0.03)
    checked = "CHECKED"
    if not fits:
        evening = 15 <= datetime.fromisoformat(row["received"]).hour < 23
        busy = 0.21 if evening else 0.09
        checked = "NOBODY FREE" if lots[9] < busy else "OTHER" if lots[9] < busy + 0.02 else checked
    missing = MISSING[int(np.searchsorted((0.80, 0.915, 0.94, 0.965, 0.98), lots[10]))]
    return [
        first if row["unit_type"] == "COR" else "",
        _yes(bool(lots[1] < cuffed)),
        by if end == "HOLD" else "",
        _yes(bool(lots[3] < 0.46)) if row["unit_type"] == "PD" else "",
        _yes(bool(lots[4] < IN_REPORT[row["race"]])),
        *(_backup(row, lots[5:7]) if reached else ("", "", "")),
        _yes(bool(lots[7] < 0.031)) if reached else "",
        _yes(row["call_source"] == "OFFICER" and lots[11] < 0.55) if reached else "",
        _yes(not outside) if fits else "",
        checked,
        missing if reached else "",
        *(_crew(row, lots[12:14]) if reached else ("", "")),
    ]


def _later(time: str, minutes: float) -> str:
    moment = datetime.fromisoformat(time) + timedelta(minutes=minutes)
    return moment.isoformat(sep=" ", timespec="seconds")


def _backup(row: dict[str, str], lots: np.ndarray) -> tuple[str, str, str]:
    """Was backup asked for, when, and when did it come? Clinicians alone ask more often."""
    if lots[0] >= (0.047 if row["unit_type"] == "COR" else 0.11):
        return "N", "", ""
    asked_at = _later(row["dispatched"], 14 + 20 * float(lots[1]))
    if not row["on_scene"]:
        return "Y", asked_at, ""
    return "Y", asked_at, _later(asked_at, 3 + 9 * float(lots[1]) ** 2)


def _crew(row: dict[str, str], lots: np.ndarray) -> tuple[str, str]:
    """Did a fire or ambulance crew come too, and when did it leave?"""
    if lots[0] >= 0.15:
        return "N", ""
    return "Y", "" if lots[1] > 0.95 else _later(row["cleared"], -(4 + 34 * float(lots[1])))
