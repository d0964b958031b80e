"""Four more exports with their truth, in shapes that took the first drafts in: an archive with a
read-me, codes beside the words for them, totals below each month, zones in letters that are not in
force, and a column for each kind of person who came."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import openpyxl
from pyproj import Transformer

from tests.drafts.exports import AM_PM, SECRET, Trial, Truth, after, calls, pick, write_text
from tests.unit.test_workbooks import ods


def read_me_and_codes(folder: Path) -> Trial:
    """As New Orleans publishes calls: a code and its words in two columns, a state plane in feet,
    and points of (0, 0) moved there."""
    kinds = {
        "103M": ("MENTAL PATIENT", "mental_health"),
        "29S": ("SUICIDE THREAT", "suicide_concern"),
        "28O": ("OVERDOSE", "substance_use"),
        "WELF": ("WELFARE CHECK", "welfare_check"),
    }
    ends = {
        "NAT": ("Necessary Action Taken", "unknown"),
        "GOA": ("GONE ON ARRIVAL", "not_found"),
        "UNF": ("UNFOUNDED", "not_found"),
        "REF": ("REFUSED ASSISTANCE", "refused"),
    }
    south, size = 515_000, 12_000
    rows = []
    for call in calls(41, 400):
        code, end = pick(call.kind, list(kinds)), pick(call.end, list(ends))
        first = pick(call.unit, list(kinds)) if call.chance < 0.2 else code
        district = call.beat % 8
        x = 3_660_000 + (district % 4 + call.chance) * size
        y = south + (district // 4 + call.chance) * size
        x, y = (37_369_000, 3_513_814) if call.chance > 0.97 else (x, y)
        rows.append(
            {
                "NOPD_Item": f"{'ABCDEFGHIJKL'[call.at.month - 1]}{call.number:05d}24",
                "Type": code,
                "TypeText": kinds[code][0],
                "Priority": ("2C", "1A", "1C")[call.urgency],
                "InitialType": first,
                "InitialTypeText": kinds[first][0],
                "MapX": round(x),
                "MapY": round(y),
                "TimeCreate": f"{call.at:{AM_PM}}",
                "TimeDispatch": f"{after(call, 1):{AM_PM}}",
                "TimeArrive": f"{after(call, 2):{AM_PM}}" if call.chance < 0.9 else "",
                "TimeClosed": f"{after(call, 3):{AM_PM}}",
                "Disposition": end,
                "DispositionText": ends[end][0],
                "SelfInitiated": pick(call.way, ["N", "Y", "N"]),
                "PoliceDistrict": str(district + 1),
                "BLOCK_ADDRESS": f"{call.age:03d}XX {SECRET} St",
            }
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    with zipfile.ZipFile(folder / "Calls_for_Service_2024.zip", "w") as archive:
        archive.writestr("README.txt", "Data as of January. See the terms of use.\n")
        archive.writestr("Calls_for_Service_2024.csv", text.getvalue())
    to_degrees = Transformer.from_crs(3452, 4326, always_xy=True)
    features = []
    for i in range(8):
        x, y = 3_660_000 + (i % 4) * size, south + (i // 4) * size
        corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
        features.append(
            {
                "type": "Feature",
                "properties": {"OBJECTID": i + 1, "District": str(i + 1)},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[list(to_degrees.transform(*corner)) for corner in corners]],
                },
            }
        )
    outlines = folder / "police_beats.geojson"
    outlines.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    columns = {
        "call_id": "NOPD_Item",
        "call_type": "TypeText",
        "initial_type": "InitialTypeText",
        "priority": "Priority",
        "outcome": "DispositionText",
        "dispatched_at": "TimeDispatch",
        "arrived_at": "TimeArrive",
        "cleared_at": "TimeClosed",
        "area": "PoliceDistrict",
    }
    meant = dict(kinds.values())
    truth = Truth(
        columns,
        {"timestamp": "TimeCreate", "format": AM_PM},
        {
            "call_type": meant,
            "initial_type": meant,
            "outcome": dict(ends.values()),
            "priority": {"2C": "2c", "1A": "1a", "1C": "1c"},
        },
        ("priority",),
        calls={"member": "Calls_for_Service_2024.csv"},
        times=dict.fromkeys(("dispatched_at", "arrived_at", "cleared_at"), AM_PM),
        areas={"area": [str(i) for i in range(1, 9)]},
    )
    return Trial("read_me_and_codes", [folder / "Calls_for_Service_2024.zip", outlines], truth)


MONTHS = "Enero Febrero Marzo Abril Mayo Junio Julio Agosto Septiembre Octubre Noviembre Diciembre"


def totals_of_months(folder: Path) -> Trial:
    """A Spanish workbook: a sheet for each month with its title above and its total below, a legend
    first, and values that name two who came."""
    kinds = {
        "Crisis emocional": "mental_health",
        "Ideación suicida": "suicide_concern",
        "Uso de sustancias": "substance_use",
        "Verificar bienestar": "welfare_check",
    }
    teams = {
        "Psicóloga y policía": "co_responder",
        "Trabajadora social": "clinician_only",
        "Solo policía": "police_only",
        "Solo paramédicos": "other",
    }
    ends = {
        "Estabilizado en escena": "stayed_with_plan",
        "Trasladado a hospital": "emergency_department",
        "Rehusó servicios": "refused",
        "No localizado": "not_found",
    }
    book = openpyxl.Workbook()
    book.active.title = "Leyenda"
    book.active.append(["Registro de la Unidad de Crisis"])
    names = [
        *("Núm. de caso", "Fecha", "Hora de llamada", "Hora de llegada", "Tipo de incidente"),
        *("Barrio", "Equipo que respondió", "Resultado", "Notas"),
    ]
    every = calls(42, 480)
    for month, name in enumerate(MONTHS.split(), 1):
        sheet = book.create_sheet(f"{name} 2024")
        for title in (["MUNICIPIO DE SAN JUAN"], [f"Unidad de Crisis: {name}"], [], names):
            sheet.append(title)
        mine = [call for call in every if call.at.month == month]
        for call in mine:
            arrived = after(call, 2)
            sheet.append(
                [
                    f"24-{call.number:05d}",
                    call.at.date(),
                    time(call.at.hour, call.at.minute),
                    time(arrived.hour, arrived.minute) if call.chance > 0.05 else None,
                    pick(call.kind, list(kinds)),
                    pick(call.beat, ["Santurce", "Río Piedras", "Hato Rey", "Cupey"]),
                    pick(call.unit, list(teams)),
                    pick(call.end, list(ends)),
                    SECRET,
                ]
            )
        sheet.append(["TOTAL", None, None, None, len(mine)])
    book.save(folder / "Llamadas 2024.xlsx")
    columns = {
        "call_id": "Núm. de caso",
        "call_type": "Tipo de incidente",
        "responder": "Equipo que respondió",
        "outcome": "Resultado",
        "arrived_at": "Hora de llegada",
        "area": "Barrio",
    }
    truth = Truth(
        columns,
        {"date": "Fecha", "clock": "Hora de llamada"},
        {"call_type": kinds, "responder": teams, "outcome": ends},
        calls={"sheet": [f"{name} 2024" for name in MONTHS.split()], "header_row": 4},
        where={"Fecha": ["*"]},
        times={"arrived_at": "clock_after_call"},
        areas={"area": ["Santurce", "Río Piedras", "Hato Rey", "Cupey"]},
        timezone="America/Puerto_Rico",
    )
    return Trial("totals_of_months", [folder / "Llamadas 2024.xlsx"], truth)


def letters_of_winter(folder: Path) -> Trial:
    """As Hexagon writes times where nobody has set the zone: the clock on the wall, and CS behind
    it in summer too."""
    kinds = {"EDP": "mental_health", "WELCHK": "welfare_check", "OD": "substance_use"}
    ends = {
        "GOA": "not_found",
        "Transported to ER": "emergency_department",
        "Arrest": "arrest_or_citation",
        "Rpt taken": "unknown",
    }
    rows = []
    for call in calls(43, 400):
        row = {
            "num_1": f"E24{call.number:07d}",
            "ag_id": "PD",
            "tycod": pick(call.kind, list(kinds)),
            "priority": str(call.urgency + 1),
            "ad_ts": f"{call.at:%Y%m%d%H%M%S}CS",
            "ds_ts": f"{after(call, 1):%Y%m%d%H%M%S}CS",
            "ar_ts": f"{after(call, 2):%Y%m%d%H%M%S}CS" if call.chance > 0.1 else "",
            "xdts": f"{after(call, 3):%Y%m%d%H%M%S}CS",
            "dgroup": pick(call.beat, ["NORTH", "SOUTH", "EAST", "WEST"]),
            "dispo": pick(call.end, list(ends)),
            "remark": f"{SECRET} – called",
        }
        rows.append(row)
        if call.chance > 0.8:
            rows.append(row | {"ag_id": "EMS"})
    form = "%Y%m%d%H%M%SCS"
    columns = {
        "call_id": "num_1",
        "call_type": "tycod",
        "priority": "priority",
        "outcome": "dispo",
        "dispatched_at": "ds_ts",
        "arrived_at": "ar_ts",
        "cleared_at": "xdts",
        "area": "dgroup",
    }
    truth = Truth(
        columns,
        {"timestamp": "ad_ts", "format": form},
        {"call_type": kinds, "outcome": ends, "priority": {"1": "p1", "2": "p2", "3": "p3"}},
        ("priority",),
        calls={"delimiter": "|", "encoding": "windows-1252"},
        where={"ag_id": ["PD"]},
        times=dict.fromkeys(("dispatched_at", "arrived_at", "cleared_at"), form),
        areas={"area": ["NORTH", "SOUTH", "EAST", "WEST"]},
    )
    file = write_text(folder / "event_extract.txt", rows, delimiter="|", encoding="cp1252")
    return Trial("letters_of_winter", [file], truth)


def who_came(folder: Path) -> Trial:
    """A listing of two sheets: clocks as numbers (315 for 3:15), an X in the column of each kind of
    person who came, and a remark below the table."""
    kinds = {
        "MENTAL SUBJECT": "mental_health",
        "SUICIDAL SUBJECT": "suicide_concern",
        "INTOX SUBJ": "substance_use",
        "WELFARE CHECK": "welfare_check",
    }
    ends = {
        "SAFETY PLAN": "safety_plan_referral",
        "EMERGENCY DETENTION": "involuntary_hold",
        "RESOLVED ON SCENE": "stayed_with_plan",
        "CANC BEFORE ARRIVAL": "unknown",
    }
    names = [
        *("CFS #", "Call Date", "Call Time", "Disp Time", "Arrv Time", "Nature of Call"),
        *("Beat", "Officer On Scene", "Clinician On Scene", "EMS On Scene", "Dispo 1", "Remarks"),
    ]
    sheets = {}
    every = calls(44, 480)
    for name, months in (("2024 Jan-Jun", range(1, 7)), ("2024 Jul-Dec", range(7, 13))):
        mine = [call for call in every if call.at.month in months]
        rows = [["Calls for service"], ["Run by: supervisor"], names]
        for call in mine:
            dispatched, arrived = after(call, 1), after(call, 2)
            rows.append(
                [
                    f"24-{call.number:06d}",
                    date(2024, call.at.month, call.at.day),
                    call.at.hour * 100 + call.at.minute,
                    dispatched.hour * 100 + dispatched.minute,
                    arrived.hour * 100 + arrived.minute if call.chance > 0.05 else None,
                    pick(call.kind, list(kinds)),
                    pick(call.beat, ["Beat 1", "Beat 2", "Beat 3", "Beat 4"]),
                    "X" if call.unit % 4 else None,
                    "X" if call.unit % 3 else None,
                    "X" if call.way % 5 == 0 else None,
                    pick(call.end, list(ends)),
                    SECRET,
                ]
            )
        sheets[name] = [*rows, [f"Total calls: {len(mine)}"]]
    ods(folder / "CFS listing.ods", sheets)
    columns = {
        "call_id": "CFS #",
        "call_type": "Nature of Call",
        "outcome": "Dispo 1",
        "dispatched_at": "Disp Time",
        "arrived_at": "Arrv Time",
        "area": "Beat",
    }
    clock = {"format": "clock_after_call", "clock_format": "%H%M"}
    truth = Truth(
        columns,
        {"date": "Call Date", "clock": "Call Time", "clock_format": "%H%M"},
        {"call_type": kinds, "outcome": ends},
        calls={"sheet": "*", "header_row": 3},
        where={"Call Date": ["*"]},
        times={"dispatched_at": clock, "arrived_at": clock},
        yes_columns={
            "responder": {
                "Officer On Scene + Clinician On Scene": "co_responder",
                "Clinician On Scene": "clinician_only",
                "Officer On Scene": "police_only",
                "EMS On Scene": "other",
            }
        },
        areas={"area": ["Beat 1", "Beat 2", "Beat 3", "Beat 4"]},
    )
    return Trial("who_came", [folder / "CFS listing.ods"], truth)


MORE_TRIALS: tuple[Callable[[Path], Trial], ...] = (
    read_me_and_codes,
    totals_of_months,
    letters_of_winter,
    who_came,
)
