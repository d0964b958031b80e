"""Twenty exports as systems really write them, with their faults, each with its truth: the agency
file that a person who knows the export would write.

A trial follows from its name alone. Names, formats and traps are those of public exports; the
vocabulary is written down here as agencies use it, not taken from the lists that `init` reads.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

ROWS = 260
ZONE = ZoneInfo("America/Chicago")
WEST, SOUTH, SIDE = -93.3, 44.9, 0.02
SECRET = "QZXWJane"
"""Stands in a note of every record; no draft may hold it."""
HOURS = (3, 2, 2, 1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8, 7, 7, 6, 5, 4)


@dataclass
class Truth:
    """`columns`: field -> its column (or columns); `time`: keys of [calls.time]; `values`: field ->
    value -> code; `own`: fields whose codes have any names, so that only which values go together
    counts; `calls`: other keys of [calls]; `more`: the rest of the true file.
    """

    columns: dict[str, Any]
    time: dict[str, Any]
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    calls: dict[str, Any] = field(default_factory=dict)
    where: dict[str, list[str]] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)
    yes_columns: dict[str, dict[str, str]] = field(default_factory=dict)
    areas: dict[str, Any] = field(default_factory=dict)
    timezone: str = "America/Chicago"


@dataclass
class Trial:
    name: str
    files: list[Path]
    truth: Truth


@dataclass
class Call:
    number: int
    at: datetime
    kind: int
    end: int
    unit: int
    way: int
    urgency: int
    beat: int
    age: int
    waits: tuple[int, int, int]
    chance: float


def calls(seed: int, rows: int = ROWS) -> list[Call]:
    lot = random.Random(seed)
    made = []
    for number in range(rows):
        day = datetime(2024, 1, 1, tzinfo=ZONE) + timedelta(days=lot.randrange(366))
        at = day.replace(
            hour=lot.choices(range(24), HOURS)[0],
            minute=lot.randrange(60),
            second=lot.randrange(60),
        )
        if (at.astimezone(UTC).astimezone(ZONE)) != at or at.date() in (
            date(2024, 3, 10),
            date(2024, 11, 3),
        ):
            at = at.replace(hour=12)
        waits = (lot.randrange(30, 900), lot.randrange(60, 1500), lot.randrange(300, 5400))
        made.append(
            Call(
                number,
                at,
                lot.randrange(1000),
                lot.randrange(1000),
                lot.randrange(1000),
                lot.randrange(1000),
                lot.randrange(3),
                lot.randrange(12),
                lot.randrange(9, 90),
                waits,
                lot.random(),
            )
        )
    return sorted(made, key=lambda call: call.at)


def pick(place: int, values: Sequence[str]) -> str:
    return values[place % len(values)]


def after(call: Call, steps: int) -> datetime:
    return (call.at.astimezone(UTC) + timedelta(seconds=sum(call.waits[:steps]))).astimezone(ZONE)


def beats(width: int = 4) -> dict[str, Any]:
    """Twelve squares in Minneapolis, as GeoJSON."""
    features = []
    for i in range(12):
        west, south = WEST + (i % width) * SIDE, SOUTH + (i // width) * SIDE
        ring = [
            [west, south],
            [west + SIDE, south],
            [west + SIDE, south + SIDE],
            [west, south + SIDE],
            [west, south],
        ]
        properties = {
            "OBJECTID": i + 1,
            "BEAT": f"{i + 1:02d}",
            "DISTRICT": ("North", "Central", "South")[i // 4],
        }
        features.append(
            {
                "type": "Feature",
                "properties": properties,
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def point(call: Call) -> tuple[float, float]:
    return WEST + (call.beat % 4 + 0.5) * SIDE, SOUTH + (call.beat // 4 + 0.5) * SIDE


def write_text(
    path: Path,
    rows: Sequence[dict[str, Any]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    before: Sequence[str] = (),
    after_rows: Sequence[str] = (),
    quoting: int = csv.QUOTE_MINIMAL,
) -> Path:
    buffer = io.StringIO()
    buffer.writelines(f"{line}\n" for line in before)
    writer = csv.DictWriter(
        buffer, list(rows[0]), delimiter=delimiter, lineterminator="\n", quoting=quoting
    )
    writer.writeheader()
    writer.writerows(rows)
    buffer.writelines(f"{line}\n" for line in after_rows)
    data = buffer.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


AM_PM = "%m/%d/%Y %I:%M:%S %p"


def central_square(folder: Path) -> Trial:
    problems = {
        "MENTAL HEALTH TRANSPORT": "mental_health",
        "SUICIDAL SUBJECT": "suicide_concern",
        "CHECK WELFARE": "welfare_check",
        "OVERDOSE": "substance_use",
        "DISTURBANCE": "disturbance",
    }
    ends = {
        "Arrest Made": "arrest_or_citation",
        "Gone on Arrival": "not_found",
        "Transported to Hospital": "emergency_department",
        "Referred to Agency": "safety_plan_referral",
        "Refused": "refused",
    }
    why = {"Duplicate": "cancelled", "Cancelled by RP": "cancelled", "No Unit Available": "no_unit"}
    rows = []
    for call in calls(1):
        row = {
            "Master_Incident_Number": "" if call.chance < 0.03 else f"2024-{call.number:06d}",
            "Response_Date": f"{call.at:%Y-%m-%dT%H:%M:%S}",
            "Problem": pick(call.kind, list(problems)),
            "MDivision": f"DIV{call.beat // 6 + 1}",
            "MSector": f"S{call.beat // 3 + 1}",
            "MBeat": f"B{call.beat + 1}",
            "Time_PhonePickUp": f"{call.at:%Y-%m-%dT%H:%M:%S}.000",
            "Fixed_Time_PhonePickUp": f"{call.at:%Y-%m-%dT%H:%M:%S}.000",
            "Time_First_Unit_Assigned": f"{after(call, 1):%Y-%m-%dT%H:%M:%S}",
            "Time_First_Unit_Arrived": f"{after(call, 2):%Y-%m-%dT%H:%M:%S}",
            "Time_CallClosed": f"{after(call, 3):%Y-%m-%dT%H:%M:%S}",
            "Call_Disposition": pick(call.end, list(ends)),
            "Cancel_Reason": pick(call.end, list(why)) if call.chance > 0.6 else "NULL",
            "Vehicle": f"V{call.unit % 30}",
            "Comment": f"{SECRET} said so",
        }
        rows.append(row)
        if call.chance > 0.8:
            rows.append(row | {"Vehicle": "V99"})
    columns = {
        "call_id": "Master_Incident_Number",
        "call_type": "Problem",
        "outcome": "Call_Disposition",
        "not_served_reason": "Cancel_Reason",
        "dispatched_at": "Time_First_Unit_Assigned",
        "arrived_at": "Time_First_Unit_Arrived",
        "cleared_at": "Time_CallClosed",
        "area": "MBeat",
    }
    truth = Truth(
        columns,
        {"timestamp": "Fixed_Time_PhonePickUp"},
        {"call_type": problems, "outcome": ends, "not_served_reason": why},
        where={"Master_Incident_Number": ["*"]},
        calls={"repeated_rows": "keep_first", "placeholders": ["NULL"]},
        areas={"area": [f"B{i}" for i in range(1, 13)]},
    )
    return Trial("central_square", [write_text(folder / "export.csv", rows)], truth)


def hexagon(folder: Path) -> Trial:
    kinds = {
        "EDP": "mental_health",
        "SUIC": "suicide_concern",
        "WELCHK": "welfare_check",
        "OD": "substance_use",
        "DISORD": "disturbance",
    }
    rows = []
    for call in calls(2):
        row = {
            "EID": str(900000 + call.number),
            "NUM_1": f"P24{call.number:06d}",
            "AG_ID": "PD",
            "TYCOD": pick(call.kind, list(kinds)),
            "SUB_TYCOD": pick(call.end, ["default", "VIOLENT", "JUV"]),
            "AD_TS": f"{call.at:%Y%m%d%H%M%S}",
            "DS_TS": f"{after(call, 1):%Y%m%d%H%M%S}",
            "AR_TS": f"{after(call, 2):%Y%m%d%H%M%S}",
            "XDTS": f"{after(call, 3):%Y%m%d%H%M%S}",
            "PRIORITY": str(call.urgency + 1),
            "ZONE": f"Z{call.beat // 3 + 1}",
        }
        rows.append(row)
        if call.chance > 0.7:
            rows.append(row | {"AG_ID": "FD", "NUM_1": f"F24{call.number:06d}"})
    columns = {
        "call_id": "NUM_1",
        "call_type": "TYCOD",
        "priority": "PRIORITY",
        "dispatched_at": "DS_TS",
        "arrived_at": "AR_TS",
        "cleared_at": "XDTS",
        "area": "ZONE",
    }
    form = "%Y%m%d%H%M%S"
    truth = Truth(
        columns,
        {"timestamp": "AD_TS", "format": form},
        {"call_type": kinds, "priority": {"1": "p1", "2": "p2", "3": "p3"}},
        ("priority",),
        calls={"delimiter": "|"},
        where={"AG_ID": ["PD"]},
        times=dict.fromkeys(("dispatched_at", "arrived_at", "cleared_at"), form),
        areas={"area": [f"Z{i}" for i in range(1, 5)]},
    )
    return Trial("hexagon", [write_text(folder / "event.txt", rows, delimiter="|")], truth)


def premier_one(folder: Path) -> Trial:
    kinds = {
        "Behavioral Health Crisis": "mental_health",
        "Suicide Threat": "suicide_concern",
        "Welfare Check": "welfare_check",
        "Intoxicated Person": "substance_use",
    }
    features = []
    for call in calls(3):
        x, y = point(call)
        attributes = {
            "OBJECTID": call.number + 1,
            "IncidentNumber": f"PO{call.number:07d}",
            "IncidentTypeDescription": pick(call.kind, list(kinds)),
            "CurrentPriorityKey": call.urgency + 1,
            "IncidentDate": int(call.at.timestamp() * 1000),
        }
        features.append({"attributes": attributes, "geometry": {"x": x, "y": y}})
    (folder / "P1_CFS.json").write_text(json.dumps({"features": features}))
    (folder / "beats.geojson").write_text(json.dumps(beats()))
    columns = {
        "call_id": "IncidentNumber",
        "call_type": "IncidentTypeDescription",
        "priority": "CurrentPriorityKey",
        "lon": "geometry.x",
        "lat": "geometry.y",
    }
    truth = Truth(
        columns,
        {"timestamp": "IncidentDate", "format": "epoch_ms"},
        {"call_type": kinds, "priority": {"1": "p1", "2": "p2", "3": "p3"}},
        ("priority",),
        areas={"area": "beats.geojson"},
    )
    return Trial("premier_one", [folder / "P1_CFS.json", folder / "beats.geojson"], truth)


def new_world(folder: Path) -> Trial:
    kinds = {
        "MENTAL SUBJECT": "mental_health",
        "ATTEMPTED SUICIDE": "suicide_concern",
        "WELFARE CONCERN": "welfare_check",
        "DRUNK": "substance_use",
        "Décharge": "other",
    }
    ends = {
        "Arrested": "arrest_or_citation",
        "Unable to Locate": "not_found",
        "Advised": "stayed_with_plan",
        "Involuntary Commitment": "involuntary_hold",
    }
    rows = [
        {
            "CFSNumber": f"C{call.number:05d}",
            "NATURE_CODE": pick(call.kind, list(kinds)),
            "CallDateTime": f"{call.at:%m/%d/%Y %H:%M}",
            "DispatchDateTime": f"{after(call, 1):%m/%d/%Y %H:%M}",
            "ArriveDateTime": f"{after(call, 2):%m/%d/%Y %H:%M}",
            "Disposition": pick(call.end, list(ends)),
            "Beat": f"{call.beat + 1}",
        }
        for call in calls(4)
    ]
    columns = {
        "call_id": "CFSNumber",
        "call_type": "NATURE_CODE",
        "dispatched_at": "DispatchDateTime",
        "arrived_at": "ArriveDateTime",
        "outcome": "Disposition",
        "area": "Beat",
    }
    form = "%m/%d/%Y %H:%M"
    truth = Truth(
        columns,
        {"timestamp": "CallDateTime", "format": form},
        {"call_type": kinds, "outcome": ends},
        calls={"delimiter": ";", "encoding": "latin-1"},
        times=dict.fromkeys(("dispatched_at", "arrived_at"), form),
        areas={"area": [str(i) for i in range(1, 13)]},
    )
    return Trial(
        "new_world",
        [write_text(folder / "cfs.csv", rows, delimiter=";", encoding="latin-1")],
        truth,
    )


def arcgis_hub(folder: Path) -> Trial:
    kinds = {
        "Mental Health": "mental_health",
        "Suicidal": "suicide_concern",
        "Check on Welfare": "welfare_check",
    }
    units = {
        "Co-Responder": "co_responder",
        "Patrol": "police_only",
        "Mobile Crisis": "clinician_only",
    }
    rows = [
        {
            "X": point(call)[0],
            "Y": point(call)[1],
            "OBJECTID": call.number + 1,
            "CallNumber": f"24-{call.number:05d}",
            "CallType": pick(call.kind, list(kinds)),
            "ReceivedDate": f"{call.at.astimezone(UTC):%Y/%m/%d %H:%M:%S}+00",
            "Responder": pick(call.unit, list(units)),
            "Precinct": f"Precinct {call.beat // 3 + 1}",
            "GlobalID": f"{{{call.number:08x}}}",
        }
        for call in calls(5)
    ]
    columns = {
        "call_id": "CallNumber",
        "call_type": "CallType",
        "responder": "Responder",
        "area": "Precinct",
    }
    truth = Truth(
        columns,
        {"timestamp": "ReceivedDate"},
        {"call_type": kinds, "responder": units},
        areas={"area": [f"Precinct {i}" for i in range(1, 5)]},
    )
    return Trial(
        "arcgis_hub",
        [write_text(folder / "Calls_for_Service.csv", rows, encoding="utf-8-sig")],
        truth,
    )


def socrata(folder: Path) -> Trial:
    kinds = {
        "Person in crisis": "mental_health",
        "Suicide attempt": "suicide_concern",
        "Wellness check": "welfare_check",
        "Overdose - opioid": "substance_use",
    }
    ways = {
        "911 Call": "s911",
        "Officer Initiated": "officer",
        "Non-Emergency Line": "non_emergency",
    }
    rows = [
        {
            "Incident ID": str(5000 + call.number),
            "Call Date/Time": f"{call.at:{AM_PM}}",
            "Call Category": pick(call.kind, list(kinds)),
            "Call Source": pick(call.way, list(ways)),
            "Location": (
                f"({point(call)[1]:.5f}, {point(call)[0]:.5f})" if call.chance > 0.04 else ""
            ),
            "Zip": "55401",
        }
        for call in calls(6)
    ]
    (folder / "police_beats.geojson").write_text(json.dumps(beats()))
    columns = {
        "call_id": "Incident ID",
        "call_type": "Call Category",
        "source": "Call Source",
        "point": "Location",
    }
    truth = Truth(
        columns,
        {"timestamp": "Call Date/Time", "format": AM_PM},
        {"call_type": kinds, "source": ways},
        ("source",),
        areas={"area": "police_beats.geojson"},
    )
    return Trial(
        "socrata", [write_text(folder / "rows.csv", rows), folder / "police_beats.geojson"], truth
    )


def new_york_ems(folder: Path) -> Trial:
    first = {
        "EDP": "mental_health",
        "DRUG": "substance_use",
        "SICK": "not_a_crisis",
        "UNC": "not_a_crisis",
    }
    final = {
        "EDP": "mental_health",
        "EDPC": "mental_health",
        "DRUG": "substance_use",
        "JUMPUP": "suicide_concern",
    }
    rows = [
        {
            "CAD_INCIDENT_ID": str(240000000 + call.number),
            "INCIDENT_DATETIME": f"{call.at:{AM_PM}}",
            "INITIAL_CALL_TYPE": pick(call.kind, list(first)),
            "FINAL_CALL_TYPE": pick(call.end, list(final)),
            "FIRST_ASSIGNMENT_DATETIME": f"{after(call, 1):{AM_PM}}",
            "VALID_DISPATCH_RSPNS_TIME_INDC": "Y",
            "FIRST_ON_SCENE_DATETIME": f"{after(call, 2):{AM_PM}}" if call.chance > 0.05 else "",
            "INCIDENT_CLOSE_DATETIME": f"{after(call, 3):{AM_PM}}",
            "BOROUGH": pick(call.beat, ["BRONX", "BROOKLYN", "MANHATTAN", "QUEENS"]),
            "POLICEPRECINCT": str(call.beat + 40),
        }
        for call in calls(7)
    ]
    columns = {
        "call_id": "CAD_INCIDENT_ID",
        "call_type": "FINAL_CALL_TYPE",
        "initial_type": "INITIAL_CALL_TYPE",
        "dispatched_at": "FIRST_ASSIGNMENT_DATETIME",
        "arrived_at": "FIRST_ON_SCENE_DATETIME",
        "cleared_at": "INCIDENT_CLOSE_DATETIME",
        "area": "POLICEPRECINCT",
    }
    truth = Truth(
        columns,
        {"timestamp": "INCIDENT_DATETIME", "format": AM_PM},
        {"call_type": final, "initial_type": first},
        times=dict.fromkeys(("dispatched_at", "arrived_at", "cleared_at"), AM_PM),
        areas={"area": [str(i) for i in range(40, 52)]},
        timezone="America/New_York",
    )
    return Trial("new_york_ems", [write_text(folder / "ems.csv", rows)], truth)


def tacoma(folder: Path) -> Trial:
    kinds = {
        "Mental/Emotional Crisis": "mental_health",
        "Suicidal Person": "suicide_concern",
        "Welfare Check": "welfare_check",
        "Unwanted Person": "disturbance",
    }
    first = kinds | {"Unknown Trouble": "not_a_crisis"}
    book = openpyxl.Workbook()
    book.remove(book.active)
    names = [
        "Incident_Number",
        "Starting_Call_Type_Description",
        "Ending_Call_Type_Description",
        "Call_Received",
        "Sector",
    ]
    for month in range(1, 4):
        sheet = book.create_sheet(f"{date(2024, month, 1):%B}")
        sheet.append(["Calls for service, monthly report"])
        sheet.append([])
        sheet.append(names)
        for call in calls(80 + month, 150):
            at = call.at.replace(month=month, day=min(call.at.day, 28), tzinfo=None)
            sheet.append(
                [
                    f"T{month}{call.number:05d}",
                    pick(call.end, list(first)),
                    pick(call.kind, list(kinds)),
                    at,
                    f"Sector {call.beat // 3 + 1}",
                ]
            )
            sheet.cell(sheet.max_row, 4).number_format = "yyyy-mm-dd hh:mm:ss"
    book.save(folder / "calls 2024.xlsx")
    columns = {
        "call_id": "Incident_Number",
        "initial_type": "Starting_Call_Type_Description",
        "call_type": "Ending_Call_Type_Description",
        "area": "Sector",
    }
    truth = Truth(
        columns,
        {"timestamp": "Call_Received"},
        {"call_type": kinds, "initial_type": first},
        calls={"sheet": "*", "header_row": 3},
        areas={"area": [f"Sector {i}" for i in range(1, 5)]},
    )
    return Trial("tacoma", [folder / "calls 2024.xlsx"], truth)


def las_vegas(folder: Path) -> Trial:
    kinds = {
        "MENTALLY ILL PERSON": "mental_health",
        "SUICIDE": "suicide_concern",
        "WELFARE CHECK": "welfare_check",
        "INTOXICATED PERSON": "substance_use",
    }
    ends = {
        "ARREST": "arrest_or_citation",
        "GONE ON ARRIVAL": "not_found",
        "SETTLED AT SCENE": "stayed_with_plan",
        "LEGAL HOLD": "involuntary_hold",
    }
    rows = [
        {
            "Event_Number": f"LLV24{call.number:08d}",
            "Type": pick(call.kind, list(kinds)),
            "Disposition": pick(call.end, list(ends)),
            "Event_Time": f"{call.at:%Y-%m-%d %H:%M:%S}",
            "Area_Command": pick(call.beat, ["BAC", "CCAC", "DTAC", "NEAC"]),
        }
        for call in calls(9)
    ]
    inside = write_text(folder / "calls_2024.csv", rows)
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        archive.write(inside, "data/calls_2024.csv")
    inside.unlink()
    columns = {
        "call_id": "Event_Number",
        "call_type": "Type",
        "outcome": "Disposition",
        "area": "Area_Command",
    }
    truth = Truth(
        columns,
        {"timestamp": "Event_Time"},
        {"call_type": kinds, "outcome": ends},
        areas={"area": ["BAC", "CCAC", "DTAC", "NEAC"]},
    )
    return Trial("las_vegas", [folder / "download.zip"], truth)


def asheville(folder: Path) -> Trial:
    kinds = {
        "MENTAL PATIENT": "mental_health",
        "SUICIDE THREAT": "suicide_concern",
        "CHECK WELL BEING": "welfare_check",
        "DISTURBANCE - UNKNOWN": "disturbance",
    }
    rows = [
        {
            "incident_id": f"A{call.number:06d}",
            "Date Received": f"{call.at:%m/%d/%Y}",
            "Time Received": f"{call.at:%I:%M:%S %p}",
            "Call_Nature": pick(call.kind, list(kinds)),
            "Priority": pick(call.urgency, ["P1", "P2", "P3"]),
            "district": pick(call.beat, ["Adam", "Baker", "Charlie"]),
        }
        for call in calls(10)
    ]
    columns = {
        "call_id": "incident_id",
        "call_type": "Call_Nature",
        "priority": "Priority",
        "area": "district",
    }
    truth = Truth(
        columns,
        {"date": "Date Received", "format": "%m/%d/%Y", "clock": "Time Received"},
        {"call_type": kinds, "priority": {f"P{i}": f"p{i}" for i in (1, 2, 3)}},
        ("priority",),
        calls={"delimiter": "\t"},
        areas={"area": ["Adam", "Baker", "Charlie"]},
    )
    return Trial("asheville", [write_text(folder / "asheville.txt", rows, delimiter="\t")], truth)


def detroit(folder: Path) -> Trial:
    kinds = {
        "MENTAL NOT VIOLENT": "mental_health",
        "MENTAL VIOLENT": "mental_health",
        "SUICIDE I/P": "suicide_concern",
        "WELL BEING CHECK": "welfare_check",
    }
    features = []
    for call in calls(11):
        x, y = point(call)
        properties = {
            "incident_id": call.number + 70000,
            "category": pick(call.kind, list(kinds)),
            "call_timestamp": call.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "priority": str(call.urgency + 1),
            "precinct": f"{call.beat + 1:02d}",
            "officer_initiated": "Yes" if call.chance < 0.2 else "No",
        }
        features.append(
            {
                "type": "Feature",
                "properties": properties,
                "geometry": {"type": "Point", "coordinates": [x, y]},
            }
        )
    (folder / "911.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    columns = {
        "call_id": "incident_id",
        "call_type": "category",
        "priority": "priority",
        "area": "precinct",
    }
    truth = Truth(
        columns,
        {"timestamp": "call_timestamp"},
        {"call_type": kinds, "priority": {"1": "p1", "2": "p2", "3": "p3"}},
        ("priority",),
        areas={"area": [f"{i:02d}" for i in range(1, 13)]},
    )
    return Trial("detroit", [folder / "911.geojson"], truth)


def neris(folder: Path) -> Trial:
    kinds = {
        "MEDICAL||ILLNESS||PSYCHOLOGICAL_BEHAVIOR_ISSUES": "mental_health",
        "MEDICAL||ILLNESS||OVERDOSE": "substance_use",
        "MEDICAL||OTHER||WELL_PERSON_CHECK": "welfare_check",
    }
    rows = [
        {
            "incident_neris_id": f"FD{call.number:06d}",
            "incident_type": pick(call.kind, list(kinds)),
            "dispatch_time_call_arrival": call.at.isoformat(),
            "dispatch_time_call_create": call.at.isoformat(),
            "time_dispatch": after(call, 1).isoformat(),
            "time_on_scene": after(call, 2).isoformat(),
            "time_incident_clear": after(call, 3).isoformat(),
            "station": f"ST{call.beat // 4 + 1}",
        }
        for call in calls(12)
    ]
    columns = {
        "call_id": "incident_neris_id",
        "call_type": "incident_type",
        "dispatched_at": "time_dispatch",
        "arrived_at": "time_on_scene",
        "cleared_at": "time_incident_clear",
    }
    truth = Truth(columns, {"timestamp": "dispatch_time_call_arrival"}, {"call_type": kinds})
    return Trial("neris", [write_text(folder / "neris.csv", rows, quoting=csv.QUOTE_ALL)], truth)


def eido(folder: Path) -> Trial:
    kinds = {
        "MNTL": "mental_health",
        "SUICTHRT": "suicide_concern",
        "WELFARE": "welfare_check",
        "DRUGS": "substance_use",
    }
    ends = {
        "03": "arrest_or_citation",
        "14": "not_found",
        "15": "safety_plan_referral",
        "18": "stayed_with_plan",
        "42": "refused",
    }
    rows = [
        {
            "internalIncidentId": f"E{call.number:06d}",
            "incidentTypeCommonRegistryText": pick(call.kind, list(kinds)),
            "incidentCommonPriorityNumber": call.urgency + 8,
            "beatOrDispatchGroupText": f"G{call.beat // 3 + 1}",
            "createDateTime": call.at.isoformat(),
            "dispositionCode": pick(call.end, list(ends)),
        }
        for call in calls(13)
    ]
    (folder / "incidents.json").write_text(json.dumps(rows))
    columns = {
        "call_id": "internalIncidentId",
        "call_type": "incidentTypeCommonRegistryText",
        "priority": "incidentCommonPriorityNumber",
        "outcome": "dispositionCode",
        "area": "beatOrDispatchGroupText",
    }
    truth = Truth(
        columns,
        {"timestamp": "createDateTime"},
        {"call_type": kinds, "outcome": ends, "priority": {"8": "p8", "9": "p9", "10": "p10"}},
        ("priority",),
        areas={"area": [f"G{i}" for i in range(1, 5)]},
    )
    return Trial("eido", [folder / "incidents.json"], truth)


def spanish(folder: Path) -> Trial:
    kinds = {
        "Crisis emocional": "mental_health",
        "Intento de suicidio": "suicide_concern",
        "Verificación de bienestar": "welfare_check",
        "Persona en estado de ebriedad": "substance_use",
    }
    ends = {
        "Detenido": "arrest_or_citation",
        "Trasladado a hospital": "emergency_department",
        "No se encontró": "not_found",
        "Atendido en el lugar": "stayed_with_plan",
    }
    rows = [
        {
            "Folio": f"F{call.number:05d}",
            "Fecha": f"{call.at:%d/%m/%Y}",
            "Hora": f"{call.at:%H:%M}",
            "Tipo de llamada": pick(call.kind, list(kinds)),
            "Resultado": pick(call.end, list(ends)),
            "Edad": call.age if call.chance > 0.1 else "",
            "Sexo": pick(call.unit, ["Femenino", "Masculino"]),
            "Distrito": pick(call.beat, ["Centro", "Norte", "Sur"]),
        }
        for call in calls(14)
    ]
    columns = {
        "call_id": "Folio",
        "call_type": "Tipo de llamada",
        "outcome": "Resultado",
        "age_group": "Edad",
        "gender": "Sexo",
        "area": "Distrito",
    }
    ages = {"0..17": "a", "18..34": "b", "35..64": "c", "65..120": "d"}
    truth = Truth(
        columns,
        {"date": "Fecha", "format": "%d/%m/%Y", "clock": "Hora"},
        {
            "call_type": kinds,
            "outcome": ends,
            "gender": {"Femenino": "female", "Masculino": "male"},
            "age_group": ages,
        },
        ("age_group",),
        calls={"delimiter": ";", "encoding": "windows-1252"},
        areas={"area": ["Centro", "Norte", "Sur"]},
    )
    return Trial(
        "spanish",
        [write_text(folder / "llamadas.csv", rows, delimiter=";", encoding="cp1252")],
        truth,
    )


def one_hot(folder: Path) -> Trial:
    meant = {
        "Arrested": "arrest_or_citation",
        "Emergency Hold": "involuntary_hold",
        "Transported to Hospital": "emergency_department",
        "Refused Services": "refused",
        "Resolved on Scene": "stayed_with_plan",
    }
    rows = []
    for call in calls(15):
        at = call.end % len(meant)
        flags = {name: "1" if i == at else "0" for i, name in enumerate(meant)}
        rows.append(
            {
                "Contact ID": f"K{call.number:05d}",
                "Contact Date": f"{call.at:%m/%d/%y}",
                "Hour": call.at.hour,
                **flags,
                "Use of Force": "Yes" if call.chance < 0.1 else "No",
                "Weapon Present": pick(call.unit, ["Yes", "No"]),
                "Language": pick(call.way, ["English", "English", "Spanish", "Somali"]),
            }
        )
    columns = {
        "call_id": "Contact ID",
        "arrest": "Arrested",
        "force_used": "Use of Force",
        "weapon_reported": "Weapon Present",
        "language": "Language",
    }
    truth = Truth(
        columns,
        {"date": "Contact Date", "format": "%m/%d/%y", "hour": "Hour"},
        {"language": {"English": "english", "Spanish": "spanish", "Somali": "other_language"}},
        ("language",),
        yes_columns={"outcome": meant},
    )
    return Trial("one_hot", [write_text(folder / "contacts.csv", rows)], truth)


def counted(folder: Path) -> Trial:
    kinds = {
        "Mental health": "mental_health",
        "Suicide": "suicide_concern",
        "Welfare": "welfare_check",
    }
    lot = random.Random(16)
    rows = [
        {
            "Year": year,
            "Month": f"{date(2024, month, 1):%B}",
            "Call Type": kind,
            "District": district,
            "Number of Calls": lot.randrange(3, 60),
        }
        for year in (2023, 2024)
        for month in range(1, 13)
        for kind in kinds
        for district in ("A", "B", "C")
    ]
    columns = {"call_type": "Call Type", "area": "District"}
    truth = Truth(
        columns,
        {"year": "Year", "month": "Month"},
        {"call_type": kinds},
        calls={"count": "Number of Calls"},
        areas={"area": ["A", "B", "C"]},
    )
    return Trial("counted", [write_text(folder / "counts.csv", rows)], truth)


def demographics(folder: Path) -> Trial:
    races = {"W": "white", "B": "black", "H": "hispanic", "A": "asian", "I": "native"}
    units = {"PERT": "co_responder", "PATROL UNIT": "police_only", "EMS": "other"}
    rows = [
        {
            "CASE_NO": f"D{call.number:06d}",
            "DATE_OCCURRED": f"{call.at:%d-%b-%Y %H:%M:%S}",
            "SUBJ_AGE": call.age if call.chance > 0.08 else "UNK",
            "SUBJ_RACE": pick(call.kind, list(races)),
            "SUBJ_SEX": pick(call.end, ["F", "M"]),
            "UNIT_TYPE": pick(call.unit, list(units)),
            "OFFICER_RACE": pick(call.way, ["W", "B"]),
            "CLIENT_ID": f"{SECRET}{call.number % 190}",
        }
        for call in calls(17)
    ]
    columns = {
        "call_id": "CASE_NO",
        "age_group": "SUBJ_AGE",
        "race_ethnicity": "SUBJ_RACE",
        "gender": "SUBJ_SEX",
        "responder": "UNIT_TYPE",
        "person_key": "CLIENT_ID",
    }
    ages = {"0..17": "a", "18..34": "b", "35..64": "c", "65..120": "d", "UNK": "unknown"}
    truth = Truth(
        columns,
        {"timestamp": "DATE_OCCURRED", "format": "%d-%b-%Y %H:%M:%S"},
        {
            "race_ethnicity": races,
            "gender": {"F": "female", "M": "male"},
            "responder": units,
            "age_group": ages,
        },
        ("race_ethnicity", "gender", "age_group"),
    )
    return Trial("demographics", [write_text(folder / "subjects.csv", rows)], truth)


def titled(folder: Path) -> Trial:
    kinds = {
        "Psychiatric Emergency": "mental_health",
        "Suicidal Ideation": "suicide_concern",
        "Public Intoxication": "substance_use",
        "Welfare Chk": "welfare_check",
    }
    ends = {
        "Voluntary Transport - Crisis Center": "crisis_center",
        "Report Taken": "unknown",
        "Subject Gone": "not_found",
        "Cite & Release": "arrest_or_citation",
    }
    rows = [
        {
            "Call Number": f"N{call.number:05d}",
            "Entered": f"{call.at:%b %d, %Y %I:%M %p}",
            "Nature of Call": pick(call.kind, list(kinds)),
            "Outcome": pick(call.end, list(ends)),
            "How Received": pick(call.way, ["E911", "Phone", "On View", "988 Transfer"]),
        }
        for call in calls(18)
    ]
    before, behind = (
        ["Police Department,,,,", "Report run on 01/02/2025,,,,"],
        [f"({len(rows)} rows affected)"],
    )
    ways = {"E911": "s911", "Phone": "non_emergency", "On View": "officer", "988 Transfer": "s988"}
    columns = {
        "call_id": "Call Number",
        "call_type": "Nature of Call",
        "outcome": "Outcome",
        "source": "How Received",
    }
    truth = Truth(
        columns,
        {"timestamp": "Entered", "format": "%b %d, %Y %I:%M %p"},
        {"call_type": kinds, "outcome": ends, "source": ways},
        ("source",),
        calls={"header_row": 3, "encoding": "utf-16"},
    )
    return Trial(
        "titled",
        [
            write_text(
                folder / "report.csv", rows, encoding="utf-16", before=before, after_rows=behind
            )
        ],
        truth,
    )


def several_files(folder: Path) -> Trial:
    kinds = {
        "MH - Crisis": "mental_health",
        "MH - Suicide": "suicide_concern",
        "Welfare Check": "welfare_check",
    }
    names = [
        ("Incident_No", "Date_Time_Received", "Call_Type", "Neighborhood"),
        ("IncidentNum", "DateTimeReceived", "CallType", "Neighbourhood"),
    ]
    files = []
    for i, (number, at, kind, area) in enumerate(names):
        rows = [
            {
                number: f"S{i}{call.number:05d}",
                at: f"{call.at:%Y-%m-%d %H:%M}",
                kind: pick(call.kind, list(kinds)),
                area: pick(call.beat, ["Hilltop", "Lakeside", "Old Town"]),
            }
            for call in calls(190 + i, 220)
        ]
        files.append(write_text(folder / f"calls_{2023 + i}.csv.gz", rows))
    columns = {"call_id": "Incident_No", "call_type": "Call_Type", "area": "Neighborhood"}
    others = {
        "Incident_No": "IncidentNum",
        "Date_Time_Received": "DateTimeReceived",
        "Call_Type": "CallType",
        "Neighborhood": "Neighbourhood",
    }
    truth = Truth(
        columns,
        {"timestamp": "Date_Time_Received"},
        {"call_type": kinds},
        calls={"other_names": others},
        areas={"area": ["Hilltop", "Lakeside", "Old Town"]},
    )
    return Trial("several_files", files, truth)


OTHER_CALLS = (
    "TRAFFIC STOP",
    "BURGLARY ALARM",
    "LARCENY",
    "NOISE COMPLAINT",
    "PARKING",
    "SHOTS HEARD",
    "ACCIDENT NO INJURY",
    "BUILDING CHECK",
    "FRAUD",
    "ANIMAL CALL",
)


def all_calls(folder: Path) -> Trial:
    kinds = {
        "MENTAL HEALTH CALL": "mental_health",
        "SUICIDE ATTEMPT": "suicide_concern",
        "WELFARE CHECK": "welfare_check",
    }
    ends = {
        "HANDLED BY OFFICER": "stayed_with_plan",
        "UTL": "not_found",
        "ARREST": "arrest_or_citation",
    }
    rows = [
        {
            "CAD Number": f"{240000 + call.number}",
            "Create Time": f"{call.at:%m/%d/%Y %H:%M:%S}",
            "First Dispatched": f"{after(call, 1):%m/%d/%Y %H:%M:%S}",
            "First On Scene": f"{after(call, 2):%m/%d/%Y %H:%M:%S}",
            "Closed": f"{after(call, 3):%m/%d/%Y %H:%M:%S}",
            "Final Call Type": pick(call.kind, [*kinds, *OTHER_CALLS]),
            "Call Disposition": pick(call.end, list(ends)),
            "Patrol Beat": f"{call.beat // 3 + 1}{'ABC'[call.beat % 3]}",
        }
        for call in calls(20, 1200)
    ]
    form = "%m/%d/%Y %H:%M:%S"
    columns = {
        "call_id": "CAD Number",
        "call_type": "Final Call Type",
        "outcome": "Call Disposition",
        "dispatched_at": "First Dispatched",
        "arrived_at": "First On Scene",
        "cleared_at": "Closed",
        "area": "Patrol Beat",
    }
    areas = {"area": [f"{i}{c}" for i in range(1, 5) for c in "ABC"]}
    truth = Truth(
        columns,
        {"timestamp": "Create Time", "format": form},
        {"call_type": kinds, "outcome": ends},
        where={"Final Call Type": list(kinds)},
        times=dict.fromkeys(("dispatched_at", "arrived_at", "cleared_at"), form),
        areas=areas,
    )
    return Trial("all_calls", [write_text(folder / "cad.csv", rows)], truth)


TRIALS: tuple[Callable[[Path], Trial], ...] = (
    central_square,
    hexagon,
    premier_one,
    new_world,
    arcgis_hub,
    socrata,
    new_york_ems,
    tacoma,
    las_vegas,
    asheville,
    detroit,
    neris,
    eido,
    spanish,
    one_hot,
    counted,
    demographics,
    titled,
    several_files,
    all_calls,
)
