"""Shapes of known systems beyond the twenty trials: the zone in letters behind a time, names of
columns that mean a field."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from anonymize.draft.names import LIKELY, by_name
from anonymize.draft.run import drafted
from anonymize.draft.write import agency_file
from anonymize.errors import SchemaError
from anonymize.pipeline import check, read_inputs
from anonymize.read.json_table import read_json
from tests.agency import calls_of, tally_of, write_agency
from tests.drafts.exports import calls, write_text

DETROIT = ZoneInfo("America/New_York")


def lettered(moment, letters=2):
    """As Hexagon writes a time: `20240305181000ES`."""
    local = moment.astimezone(DETROIT)
    return f"{local:%Y%m%d%H%M%S}{local.tzname()[:letters]}"


def test_times_with_the_zone_in_letters_are_read_and_drafted(tmp_path):
    start = datetime(2024, 1, 1, 5, tzinfo=UTC)
    rows = []
    for call in calls(34, 600):
        at = start + timedelta(
            days=call.number * 360 // 600, hours=call.at.hour, minutes=call.at.minute
        )
        row = {
            "NUM_1": f"P{call.number:06d}",
            "AG_ID": "PD",
            "TYCOD": ("MENTAL", "WELCHK")[call.kind % 2],
            "SUB_TYCOD": ("GEN", "SUICIDE")[call.number % 5 == 0],
            "AD_TS": lettered(at),
        }
        rows.append(
            row
            | {
                "DS_TS": lettered(at + timedelta(minutes=5)),
                "XDTS": lettered(at + timedelta(minutes=50)),
                "DGROUP": f"PD{call.beat % 4}",
            }
        )
    text = agency_file(
        drafted(
            [write_text(tmp_path / "calls.csv", rows, delimiter="|")],
            tmp_path / "private",
            date(2025, 2, 1),
        ),
        tmp_path / "agency.toml",
    )
    assert 'timestamp = "AD_TS"' in text and 'format = "%Y%m%d%H%M%S%Z"' in text
    assert 'dispatched_at = { format = "%Y%m%d%H%M%S%Z" }' in text and 'area = "DGROUP"' in text
    (tmp_path / "agency.toml").write_text(
        text.replace('timezone = "America/Chicago"', 'timezone = "America/New_York"'),
        encoding="utf-8",
    )
    tally = check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private").tally
    assert (tally.counted, tally.rejected) == (600, {})
    # The second column of types is read first where lists know its value; `GEN` says nothing, and
    # the first column counts.
    assert re.search(
        r'call_type = \["SUB_TYCOD", "TYCOD"\]  # DECIDE: does .SUB_TYCOD. say more', text
    )
    assert '"SUICIDE" = "suicide_concern"' in text and '"GEN"' not in text
    types = Counter(call["call_type"] for call in calls_of(tmp_path / "agency.toml"))
    assert (
        types["suicide_concern"] == 120
        and sum(types.values()) == 600
        and set(types) == {"suicide_concern", "mental_health", "welfare_check"}
    )


def test_the_letters_say_the_moment(tmp_path):
    """18:10 in the east is 17:10 in Chicago; standard time on a day of daylight time is no time; an
    hour that comes twice is known by its letters."""
    texts = {
        "20240305181000ES": "17",
        "20240605181000ED": "17",
        "20240605181000EDT": "17",
        "20240305181000PS": "20",
        "20240305181000CST": "18",
        "20240605181000ES": None,
        "20240305181000ED": None,
        "20240305181000XX": None,
        "20240305181000": None,
    }
    rows = "id,at,type\n" + "".join(f"{i},{text},Crisis\n" for i, text in enumerate(texts))
    agency = write_agency(
        tmp_path, rows, {'timestamp = "at"': 'timestamp = "at"\nformat = "%Y%m%d%H%M%S%Z"'}
    )
    assert {c["call_id"]: c["hour"] for c in calls_of(agency)} == {
        str(i): hour for i, hour in enumerate(texts.values()) if hour
    }
    assert sum(tally_of(agency).rejected.values()) == 4


def test_letters_stand_at_the_end(tmp_path):
    with pytest.raises(SchemaError, match="%Z stands at the end"):
        read_inputs(
            write_agency(
                tmp_path,
                "id,at,type\n",
                {'timestamp = "at"': 'timestamp = "at"\nformat = "%Y%m%d%Z%H%M%S"'},
            )
        )


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("outcome", "event_dispositions"),
        ("initial_type", "call_type_initial"),
        ("area", "subdivision_1"),
        ("call_type", "call_type"),
    ],
)
def test_names_of_columns(field, column):
    assert by_name(field, column) >= LIKELY


def test_nested_eido_is_read_without_notes_persons_and_places(tmp_path):
    """Components within components, and lists of them; what people said, and who and where they
    are, reaches no table."""
    kinds, ends = ("MNTL", "SUICTHRT", "WELFARE"), ("03", "14", "42")
    records = [
        {
            "$id": f"x{call.number}",
            "incidentComponent": {
                "internalIncidentId": f"E{call.number:06d}",
                "incidentTypeCommonRegistryText": kinds[call.kind % 3],
                "incidentCommonPriorityNumber": 8 + call.urgency % 3,
                "createDateTime": call.at.isoformat(),
                "beatOrDispatchGroupText": f"G{call.beat % 4}",
                "dispositionComponent": (
                    [{"dispositionCommonRegistryCode": ends[call.end % 3]}]
                    + ([{"dispositionCommonRegistryCode": "16"}] if call.number % 10 == 0 else [])
                ),
            },
            "notesComponent": [{"notesText": "SECRET note"}],
            "personComponent": [{"personName": "SECRET person"}],
            "locationComponent": [{"locationText": "SECRET place"}],
        }
        for call in calls(35, 500)
    ]
    (tmp_path / "eido.json").write_text(json.dumps(records))
    table = read_json(tmp_path / "eido.json", tmp_path / "table.parquet")
    assert set(table.names) == {
        "internalIncidentId",
        "incidentTypeCommonRegistryText",
        "incidentCommonPriorityNumber",
        "createDateTime",
        "beatOrDispatchGroupText",
        "dispositionCommonRegistryCode",
    }
    rows = pq.read_table(table.path).to_pylist()
    assert table.records == len(rows) == 500 and "SECRET" not in str(rows)
    ended = Counter(row[f"c{table.names.index('dispositionCommonRegistryCode')}"] for row in rows)
    assert sum(n for text, n in ended.items() if text.endswith("; 16")) == 50
    text = agency_file(
        drafted([tmp_path / "eido.json"], tmp_path / "private", date(2025, 2, 1)),
        tmp_path / "agency.toml",
    )
    for name in ("call_id", "call_type", "priority", "outcome", "area"):
        assert re.search(rf"^{name} = .*as in exports of EIDO", text, re.MULTILINE), name
    assert '"03" = "arrest_or_citation"' in text and '"SUICTHRT" = "suicide_concern"' in text
    (tmp_path / "agency.toml").write_text(text, encoding="utf-8")
    assert check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private").tally.counted == 500
