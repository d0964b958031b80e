"""Inputs beside the calls, fields that follow from others, and the comparison of similar calls."""

import csv

import geopandas as gpd
import pandas as pd
import pytest

from anonymize.agency.codelists import Codelist, Node
from anonymize.agency.schema import Text
from anonymize.errors import SchemaError, SourceError
from anonymize.pipeline import check, plan, read_inputs
from anonymize.records.program_inputs import _teams_of_areas
from dashboard.findings.auditors_more import areas_by_year
from dashboard.release.reader import load_release
from tests.agency import build, calls_of, write_agency
from tests.conftest import ROOT

COLUMNS = """call_type = "type"
responder = "who"
eligible = "ok"
not_served_reason = "why"
arrived_at = "arrived"
cleared_at = "cleared"
officer_cleared_at = "left"
"""
CALLS = """id,at,type,who,ok,why,arrived,cleared,left
1,2024-01-01 08:00,Crisis,co_responder,yes,,2024-01-01 08:09,2024-01-01 09:00,2024-01-01 08:50
2,2024-01-01 15:30,Crisis,police_only,yes,no_unit,2024-01-01 16:00,2024-01-01 17:00,2024-01-01 16:51
3,2024-01-01 16:00,Crisis,police_only,yes,,2024-01-01 17:00,2024-01-01 18:00,
4,2024-01-01 23:30,Check,clinician_only,no,,,2024-01-02 00:30,2024-01-01 23:40
5,2024-01-02 01:00,Check,other,yes,all_busy,2024-01-02 00:50,2024-01-02 02:00,2024-01-02 02:00
"""
SHIFTS = """unit,start,end,officer,clinician,worked
A,2024-01-01 07:00,2024-01-01 15:30,yes,yes,yes
A,2024-01-01 15:30,2024-01-01 23:30,yes,no,yes
B,2024-01-01 22:00,2024-01-02 01:30,yes,yes,yes
B,2024-01-02 22:00,2024-01-03 02:00,yes,yes,no
"""
HANDOFFS = """call_id,partner_type,offered,accepted,connected_at
1,clinic,yes,yes,
1,Shelter,yes,yes,2024-01-20
2,clinic,yes,no,
9,clinic,yes,yes,2024-01-20
"""
INPUTS = """
[inputs]
shifts = { paths = "shifts.csv" }
handoffs = { paths = "handoffs.csv", values = { "Shelter" = "housing" } }
"""


EARLY = CALLS.replace("2024-01-01 08:50\n", "2024-01-01 08:05\n")
"""Call 1: the officer left four minutes before anyone came."""


def agency(folder, inputs=INPUTS, **files):
    path = write_agency(folder, CALLS, {'call_type = "type"\n': COLUMNS}, inputs)
    for name, text in ({"shifts": SHIFTS, "handoffs": HANDOFFS} | files).items():
        (folder / f"{name}.csv").write_text(text)
    return path


def test_an_officer_who_left_before_anyone_came_is_not_recorded(tmp_path):
    """Such a time is wrong. It is no time on scene, so it must not count as an officer who left
    first either: both figures are of the same calls."""
    path = agency(tmp_path, calls=EARLY)
    rows = {row["call_id"]: row for row in calls_of(path)}
    assert [rows[i]["officer_released"] for i in "12"] == ["unknown", "no"]


def test_of_two_accepted_referrals_the_one_that_nobody_tells_of_counts(tmp_path):
    """Else a visit at a partner that shares no data could hide behind one that does."""
    both = HANDOFFS.replace("1,Shelter,yes,yes,2024-01-20", "1,Shelter,yes,yes,")
    listed = "partner,agreement,data_sharing,partner_type\nA,yes,yes,clinic\nB,yes,no,housing\n"
    more = 'partner_agreements = { paths = "partner_agreements.csv" }\n'

    def partner(folder, inputs, **files):
        path = agency(folder, inputs, handoffs=both, **files)
        return next(row["partner"] for row in calls_of(path) if row["call_id"] == "1")

    assert partner(tmp_path / "a", INPUTS) == "clinic"
    assert partner(tmp_path / "b", INPUTS + more, partner_agreements=listed) == "housing"
    unsaid = listed.replace("no,housing", "no,")
    assert partner(tmp_path / "c", INPUTS + more, partner_agreements=unsaid) == "clinic"


def test_fields_that_follow_from_others(tmp_path):
    rows = {row["call_id"]: row for row in calls_of(agency(tmp_path))}

    def column(name):
        return [rows[str(i)][name] for i in range(1, 6)]

    assert column("not_served_reason") == ["served", "no_unit", "unknown", "served", "all_busy"]
    assert column("wait") == [
        "under_10",
        "30_to_60",
        "over_60",
        "unknown.band",
        "unknown.band",
    ]  # none recorded; before the call
    assert column("season") == ["winter"] * 5
    assert column("officer_released") == [
        "yes",
        "no",
        "unknown",
        "yes",
        "no",
    ]  # 10, 9, unknown, 50, 0 minutes
    assert column("on_duty") == [
        "yes",
        "no",
        "no",
        "yes",
        "yes",
    ]  # at the end of a shift nobody is on duty any more
    assert column("handoff") == [
        "connected",
        "declined",
        "none",
        "none",
        "none",
    ]  # the furthest step; a handoff without its call counts nowhere
    assert column("partner") == ["housing", "clinic", "none", "none", "none"]


def test_hours_of_shifts_are_split_by_clock_hour(tmp_path):
    tables = '\n[[tables]]\nname = "c"\ntitle = "C"\ndimensions = { period = ["all"] }\n'
    build(read_inputs(agency(tmp_path, INPUTS + tables)), tmp_path / "out", tmp_path / "private")
    hours = pd.read_csv(tmp_path / "out/tables/staffed_hours.csv", dtype=str).set_index(
        ["weekday", "hour"]
    )["hours"]
    assert len(hours) == 168
    assert hours["1", "07"] == "1"
    assert hours["1", "15"] == "0"  # half an hour rounds to even: shown as a whole number
    assert hours["1", "22"] == "1"
    assert hours["2", "00"] == "1"
    assert hours["2", "22"] == "0"  # planned, not worked
    months = (tmp_path / "out/tables/staffed_months.csv").read_text().splitlines()
    assert months == ["month,planned,worked", "2024-01,24,12"]


AREAS = """
[areas.area]
name = "Area"
all = "All"
levels = ["district"]
codes = ["near", "far"]
"""
DUTY = """
[[tables]]
name = "duty"
title = "Duty"
dimensions = { period = ["all", "month"], on_duty = ["all", "answer"], area = ["all", "district"] }
"""


def with_areas(folder, shifts, areas=AREAS):
    """Every table of the agency of these tests, all calls nearby."""
    head, *lines = CALLS.splitlines()
    calls = "\n".join([f"{head},place", *(f"{line},near" for line in lines)])
    changes = {'call_type = "type"\n': f'{COLUMNS}area = "place"\n'}
    path = write_agency(folder, f"{calls}\n", changes, INPUTS + areas + DUTY)
    (folder / "shifts.csv").write_text(shifts)
    (folder / "handoffs.csv").write_text(HANDOFFS)
    build(read_inputs(path), folder / "out", folder / "private")
    return {p.name: p.read_bytes() for p in (folder / "out/tables").iterdir()}


def in_areas(*named):
    head, *lines = SHIFTS.splitlines()
    rows = [f"{line},{area}" for line, area in zip(lines, named, strict=True)]
    return "\n".join([f"{head},area", *rows, ""])


def test_areas_of_shifts_say_which_had_no_team_and_change_no_count(tmp_path):
    """A team without an area is one of each; a shift past midnight is on both days. No count of
    calls moves, on_duty least of all."""
    made = with_areas(tmp_path / "a", in_areas("near", "", "far; near", "far"))
    assert made.pop("unstaffed_areas.csv").decode().splitlines() == [
        "month,area,hours,days,without_team,which",
        "2024-01,near,12,3,1,3",
        "2024-01,far,4,3,1,3",
    ]
    blank = with_areas(tmp_path / "b", in_areas("", "", "", ""))
    assert made == blank == with_areas(tmp_path / "c", SHIFTS)
    far = with_areas(tmp_path / "d", in_areas(*["far"] * 4))["unstaffed_areas.csv"]
    assert far.decode().splitlines()[1:] == ['2024-01,near,0,3,3,"1, 2, 3"', "2024-01,far,12,3,1,3"]


def test_areas_published_as_one_have_the_teams_of_all(tmp_path):
    """A day has no team there where none of them has one; a team of several counts once."""
    areas = AREAS.replace('"far"]', '"far", "off"]')
    joined = f'{areas}\n[plan]\nmerged = {{ area = [["far", "off"]] }}\n'
    made = with_areas(tmp_path, in_areas("near", "off", "far; off", "far"), joined)
    assert made["unstaffed_areas.csv"].decode().splitlines() == [
        "month,area,hours,days,without_team,which",
        '2024-01,near,8,3,2,"2, 3"',
        "2024-01,far_off,4,3,1,3",
    ]
    release = load_release(tmp_path / "out")
    assert {of.area: of.label for of in areas_by_year(release)} == {
        "near": "near",
        "far_off": "far + off",
    }


def test_a_district_has_the_teams_of_its_beats():
    nodes = [
        Node(code, Text(en=code, es=code), parent, level)
        for code, parent, level in (
            ("all", "", "all"),
            ("near", "all", "district"),
            ("far", "all", "district"),
            ("unknown", "all", "district"),
            ("n1", "near", "beat"),
            ("f1", "far", "beat"),
            ("unknown.beat", "unknown", "beat"),
        )
    ]
    areas = Codelist("area", Text(en="A", es="A"), ("all", "district", "beat"), tuple(nodes))
    teams = [("A", "n1"), ("B", "far"), ("C", "f1; near"), ("D", "")]
    found = _teams_of_areas(teams, 1, areas)
    assert {code: [unit for unit, _area in mine] for code, mine in found.items()} == {
        "near": ["A", "C", "D"],
        "far": ["B", "C", "D"],
    }


def test_patrol_units_stand_beside_the_teams(tmp_path):
    tables = '\n[[tables]]\nname = "c"\ntitle = "C"\ndimensions = { period = ["all"] }\n'
    lines = SHIFTS.replace("worked\n", "worked,patrol\n", 1).splitlines()
    shifts = (
        "\n".join(
            [
                lines[0],
                *(f"{line},no" for line in lines[1:]),
                "P,2024-01-03 07:00,2024-01-03 19:00,yes,no,yes,yes",
            ]
        )
        + "\n"
    )
    build(
        read_inputs(agency(tmp_path, INPUTS + tables, shifts=shifts)),
        tmp_path / "out",
        tmp_path / "private",
    )
    assert (tmp_path / "out/tables/staffed_months.csv").read_text().splitlines() == [
        "month,planned,worked,patrol",
        "2024-01,24,12,12",
    ]


def test_emergency_room_follows_from_the_outcome(tmp_path):
    columns = {'call_type = "type"\n': 'call_type = "type"\noutcome = "end"\n'}
    values = (
        '[calls.values.outcome]\nED = "emergency_department"\nHOLD = "involuntary_hold"\n'
        'HOME = "stayed_with_plan"\n\n[dimensions.call_type]'
    )
    text = (
        "id,at,type,end\n1,2024-01-01,Crisis,ED\n2,2024-03-01,Crisis,HOLD\n"
        "3,2024-06-30,Crisis,HOME\n4,2024-05-31,Crisis,\n"
    )
    rows = {
        r["call_id"]: r
        for r in calls_of(
            write_agency(tmp_path, text, columns | {"[dimensions.call_type]": values})
        )
    }
    assert [rows[n]["taken_to_ed"] for n in "1234"] == ["yes", "yes", "no", "unknown"]
    assert [rows[n]["season"] for n in "1234"] == ["winter", "spring", "summer", "spring"]


def test_few_claims_are_withheld(tmp_path):
    path = write_agency(
        tmp_path,
        "id,at,type\n1,2024-01-01,Crisis\n",
        extra='\n[inputs]\nliability_claims = { paths = "l.csv" }\n',
    )
    (tmp_path / "l.csv").write_text("year,filed\n2022,0\n2023,4\n2024,5\n")
    build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    assert (tmp_path / "out/tables/liability_claims.csv").read_text().splitlines() == [
        "year,filed",
        "2022,0",
        "2023,",
        "2024,5",
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "budget",
            "year,source,planned\n2024,City,-5\n",
            "budget.csv, line 2: 'planned' must be a number",
        ),
        ("budget", "year,source,planned\n24,City,5\n", "budget.csv, line 2: 'year' must be a year"),
        ("budget", "year,source\n2024,City\n", "has no column 'planned'"),
        (
            "training",
            "year,course,role,trained,eligible,hours\n2024,A,B,5,4,1\n",
            "'trained' is more than 'eligible'",
        ),
        (
            "targets",
            "measure,year,target,direction,set_on,reason\ncoverage,2024,0.5,above,2024-01-01,Why\n",
            "'direction' must be one of at_least, at_most",
        ),
        (
            "targets",
            "measure,year,target,direction,set_on,reason\ncoverage,2024,0.5,at_least,2024-01-01,\n",
            "targets.csv, line 2: 'reason' must be a text",
        ),
        (
            "shifts",
            "unit,start,end,officer,clinician\nA,2024-01-01 08:00,2024-01-01 07:00,yes,yes\n",
            "shifts.csv, line 2: 'end' must be later than 'start'; correct it in the file",
        ),
        (
            "shifts",
            "unit,start,end,officer,clinician\nA,2024-01-01 08:00,2024-02-01 16:00,yes,yes\n",
            "shifts.csv, line 2: 'end' is more than 3 days after 'start'",
        ),
        (
            "shifts",
            "unit,start,end,officer,clinician\n"
            + 2 * "A,2024-01-01 08:00,2024-01-01 16:00,yes,yes\n",
            "shifts.csv, line 3, repeats in every column shifts.csv, line 2; take one of them out;"
            " units at work side by side need names of their own",
        ),
        (
            "shifts",
            "unit,start,end,officer,clinician,area\n"
            "A,2024-01-01 08:00,2024-01-01 16:00,yes,yes,downtown\n",
            "shifts.csv, line 2: 'area' must be codes of [areas.area], in the same letters, with ;"
            " between; or blank",
        ),
        (
            "shifts",
            "unit,start,end,officer,clinician,area\n"
            "A,2024-01-01 08:00,2024-01-01 16:00,yes,yes, ; \n",
            "shifts.csv, line 2: 'area' must be codes of [areas.area], in the same letters, with ;"
            " between; or blank",
        ),
        (
            "shifts",
            "unit,start,end,officer,clinician,area\n"
            "A,2024-01-01 08:00,2024-01-01 16:00,yes,yes,north\n"
            "A,2024-01-01 08:00,2024-01-01 16:00,yes,yes,south\n",
            "and a shift in several areas names them in one row, with ; between",
        ),
        (
            "all_calls",
            "month,calls\n2024-01,100\n2024-02,100\n2024-01,200\n",
            "all_calls.csv, line 4, repeats 'month' of all_calls.csv, line 2",
        ),
        (
            "budget",
            "year,source,planned\n2024,City,5\n2024,State,5\n2024,City,5\n",
            "budget.csv, line 4, repeats in every column budget.csv, line 2; take one of them out",
        ),
        (
            "survey",
            "wave,audience,question,agree,respondents\n2024-01-01,people,Q,1,2\n",
            "'audience' must be one of",
        ),
        (
            "partner_agreements",
            "partner,agreement,data_sharing,partner_type\nA,yes,no,charity\n",
            "'partner_type' must be a code of 'partner': clinic, crisis_center, hospital",
        ),
        (
            "place_names",
            "place,area\nZIP 00011,downtown\n",
            "[inputs.place_names]: place_names.csv, line 2: 'area' must be a code of [areas.area]",
        ),
        (
            "service_hours",
            "area,days,hours\nall,Every day,7 to 3\nDowntown,Every day,7 to 3\n",
            "[inputs.service_hours]: service_hours.csv, line 3: 'area' must be a code of"
            " [areas.area], in the same letters, or 'all'",
        ),
    ],
)
def test_bad_values_are_named_by_row_and_field(tmp_path, name, text, message):
    path = write_agency(
        tmp_path,
        "id,at,type\n1,2024-01-01,Crisis\n",
        extra=f'\n[inputs]\n{name} = {{ paths = "{name}.csv" }}\n',
    )
    (tmp_path / f"{name}.csv").write_text(text)
    for step in (check, plan):
        with pytest.raises(SourceError) as caught:
            step(read_inputs(path), tmp_path / "private")
        assert message in str(caught.value)
    with pytest.raises(SourceError) as caught:
        build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_an_unknown_input_is_named(tmp_path):
    path = write_agency(
        tmp_path, "id,at,type\n", extra='\n[inputs]\nbudgets = { paths = "b.csv" }\n'
    )
    with pytest.raises(SchemaError, match="budgets"):
        read_inputs(path)


def test_small_surveys_stay_out(tmp_path):
    path = write_agency(
        tmp_path,
        "id,at,type\n" + "".join(f"{i},2024-01-01,Crisis\n" for i in range(9)),
        extra='\n[inputs]\nsurvey = { paths = "s.csv" }\n',
    )
    rows = [(4, 100), (5, 100), (0, 5), (97, 100), (0, 4), (95, 100)]
    (tmp_path / "s.csv").write_text(
        "wave,audience,question,agree,respondents\n"
        + "".join(f"2024-01-01,residents,Q{i},{a},{n}\n" for i, (a, n) in enumerate(rows))
    )
    build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    with (tmp_path / "out/tables/survey.csv").open() as handle:
        assert [row["question"] for row in csv.DictReader(handle)] == ["Q1", "Q2", "Q5"]


def test_like_calls_side_by_side(example_city, example_exports):
    """The release's comparisons worked out again from the exports: eligible calls that found a free
    team, and those lost for want of one, stratum by stratum with the weights of Mantel and
    Haenszel; calls without a reason stood for by those of the same year and hours.
    """
    _built, out = example_city
    frame = pd.read_csv(example_exports / "calls.csv", dtype=str, keep_default_na=False)
    beats = gpd.read_file(example_exports / "beats.geojson")
    at = gpd.points_from_xy(pd.to_numeric(frame["longitude"]), pd.to_numeric(frame["latitude"]))
    placed = gpd.GeoDataFrame(frame, geometry=at, crs=4326).sjoin(
        beats[["district", "geometry"]], how="left"
    )
    when = pd.to_datetime(frame["received"])
    frame = frame.assign(
        place=placed[~placed.index.duplicated()]["district"].fillna("unknown"),
        year=when.dt.year,
        block=when.dt.hour // 4,
        end=when.dt.dayofweek >= 5,
        team=frame["unit_type"].isin(["COR", "CLIN"]),
    )
    frame = frame[frame["eligible"] == "Y"]
    none = ~frame["team"] & frame["not_served"].isin(["NO UNIT ON DUTY", "ALL UNITS BUSY"])
    told = frame["team"] | (frame["not_served"] != "")
    lost = frame[~frame["team"]].groupby(["year", "block"])
    stands_for = (
        (lost.size() / lost["not_served"].agg(lambda why: (why != "").sum()))
        .rename("stands_for")
        .reset_index()
    )
    frame = frame.assign(free=~none)[told].merge(stands_for, on=["year", "block"])
    frame["w"] = frame["stands_for"].where(~frame["team"], 1.0)
    alike = ["year", "first_type", "place", "block", "end", "priority", "weapon"]
    answers = {
        "compare_arrest": (frame["arrest_made"] == "Y") & (frame["arrest_required"] != "Y"),
        "compare_force": frame["force_used"] == "Y",
        "compare_restrained": frame["restrained"] == "Y",
        "compare_hold": frame["disposition"] == "HOLD",
    }
    assert (frame[["force_used", "restrained"]] != "").all(axis=None)
    for name, answer in answers.items():
        known = frame.assign(yes=frame["w"] * answer)
        if name == "compare_hold":
            known = known[known["disposition"] != ""]
        with (out / f"tables/{name}.csv").open() as handle:
            shown = next(csv.DictReader(handle))
        cells = known.groupby([*alike, "free"])[["yes", "w"]].sum().unstack("free").dropna()
        n1, n0 = cells["w", True], cells["w", False]
        share = n1 * n0 / (n1 + n0)
        team, other = (
            10_000 * float((share * cells["yes", side] / cells["w", side]).sum() / share.sum())
            for side in (True, False)
        )
        assert abs(int(shown["team"]) - team) <= 5 and abs(int(shown["other"]) - other) <= 5
        assert abs((int(shown["low"]) + int(shown["high"])) / 2 - (team - other)) <= 1


def test_the_example_city_feeds_every_input():
    text = (ROOT / "examples/example_city/agency.toml").read_text()
    from anonymize.records.program_inputs import INPUTS as known

    assert all(f"\n{name} = {{" in text for name in (*known, "handoffs"))


TEAMS = {
    'call_type = "type"\n': (
        'call_type = "type"\ndispatched_at = "sent"\ncleared_at = "clear"\nresponder = "who"\n\n'
        '[calls.values.responder]\n"COR" = "co_responder"\n"PD" = "police_only"\n'
    )
}


def urgent(folder, text):
    calls = "id,at,type,sent,clear,who\n" + "".join(
        f"{i},2024-01-{i % 28 + 1:02d} 10:00,Crisis,2024-01-{i % 28 + 1:02d} "
        f"10:10,2024-01-{i % 28 + 1:02d} 10:40,COR\n"
        for i in range(56)
    )
    path = write_agency(folder, calls, TEAMS, '\n[inputs]\nurgent_calls = { paths = "u.csv" }\n')
    (folder / "u.csv").write_text("received,arrived\n" + text)
    return path


def test_urgent_calls_are_parted_by_what_teams_did(tmp_path):
    """Half of them while a team is on its call, and twice as long on the way; too few on one side
    tell nothing, and none at all neither."""
    days = [f"2024-01-{d:02d}" for d in range(1, 29)]
    text = "".join(
        f"{d} 10:{m},{d} 10:{m + (8 if busy else 4)}\n"
        for d in days
        for m, busy in ((20, True), (30, True), (45, False), (50, False))
    )
    build(read_inputs(urgent(tmp_path / "a", text)), tmp_path / "a/out", tmp_path / "a/private")
    assert (tmp_path / "a/out/tables/urgent_waits.csv").read_text().splitlines()[1:] == [
        "2024,on_a_call,60,8,8,,",  # all alike: nothing to measure chance by
        "2024,not_on_a_call,60,4,4,,",
    ]
    few = "".join(f"{d} 10:20,{d} 10:30\n" for d in days) + "".join(
        f"{d} 10:50,{d} 10:58\n" for d in days
    )
    build(read_inputs(urgent(tmp_path / "b", few)), tmp_path / "b/out", tmp_path / "b/private")
    assert (tmp_path / "b/out/tables/urgent_waits.csv").read_text().splitlines()[1:] == [
        "2024,on_a_call,,,,,",
        "2024,not_on_a_call,,,,,",
    ]
    build(read_inputs(urgent(tmp_path / "c", "")), tmp_path / "c/out", tmp_path / "c/private")
    assert (tmp_path / "c/out/tables/urgent_waits.csv").read_text().splitlines()[1:] == [
        "2024,on_a_call,,,,,",
        "2024,not_on_a_call,,,,,",
    ]


def test_urgent_calls_with_an_offset_are_moved(tmp_path):
    """Half past four in the afternoon in UTC is half past ten in Chicago, when the team is on its
    call."""
    days = [f"2024-01-{d:02d}" for d in range(1, 29)]
    local = "".join(f"{d} 10:{m},{d} 10:{m + 8}\n" for d in days for m in (20, 30, 45, 50))
    moved = "".join(f"{d} 16:{m}Z,{d} 16:{m + 8} UTC\n" for d in days for m in (20, 30, 45, 50))
    waits = []
    for name, text in (("local", local), ("moved", moved)):
        build(
            read_inputs(urgent(tmp_path / name, text)),
            tmp_path / name / "out",
            tmp_path / name / "private",
        )
        waits.append((tmp_path / name / "out/tables/urgent_waits.csv").read_text())
    assert waits[0] == waits[1]
    assert "2024,on_a_call,60,8,8" in waits[0]
    with pytest.raises(SourceError, match=r"u\.csv, line 2: 'received' must be a date and time"):
        check(
            read_inputs(urgent(tmp_path, "2024-01-02 10:20 nonsense,2024-01-02 10:25\n")),
            tmp_path / "private",
        )
