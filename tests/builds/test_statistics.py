"""Statistics that do not add up: equal to an independent computation, withheld where they must be,
and attacked by the audit."""

import csv
import json

import geopandas as gpd
import pandas as pd
import pytest

from anonymize.audit import audit_release
from anonymize.errors import PlanError
from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency
from tests.conftest import ROOT
from tests.helpers import rehash

COLUMNS = {'call_type = "type"': 'call_type = "type"\nperson_key = "who"\narrived_at = "there"'}
WAIT = (
    '\n[[statistics]]\nname = "wait"\ntitle = "Wait"\nmeasure = "minutes_call_to_arrival"\n'
    'dimensions = { call_type = ["all", "type"] }\n'
)
AGAIN = (
    '\n[[statistics]]\nname = "again"\ntitle = "Again"\nmeasure = "repeat_people_30"\n'
    'dimensions = { call_type = ["all", "type"] }\n'
)
PEOPLE = (
    '\n[[statistics]]\nname = "people"\ntitle = "People"\nmeasure = "people"\n'
    'dimensions = { call_type = ["all", "type"] }\n'
)


def rows(out, name):
    with open(out / f"tables/{name}.csv", newline="") as handle:
        return {row["call_type"]: row for row in csv.DictReader(handle)}


def calls():
    """200 crisis calls by 100 people, each twice ten days apart from April on, and 20 checks;
    arrival after 10 to 59 minutes."""
    lines = ["id,at,type,who,there"]
    for i in range(220):
        day = 1 + i % 9 + (10 if i >= 100 else 0)
        kind = "Check" if i >= 200 else "Crisis"
        lines.append(
            f"{i},2024-04-{day:02d}"
            f" 10:00,{kind},{f'p{i % 100}' if i < 200 else f'q{i}'},2024-04-{day:02d}"
            f" 10:{10 + i % 50:02d}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture
def built(tmp_path):
    agency = write_agency(tmp_path, calls(), COLUMNS, WAIT + AGAIN + PEOPLE)
    made = build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert made.report.passed
    return tmp_path / "out"


def test_minutes(built):
    wait = rows(built, "wait")
    assert wait["crisis"] == {
        "call_type": "crisis",
        "median": "35",
        "p90": "54",
        "based_on": "190",
        "status": "published",
    }
    assert wait["check"] == {
        "call_type": "check",
        "median": "",
        "p90": "",
        "based_on": "",
        "status": "suppressed",
    }  # only 20


def test_no_call_has_a_time(tmp_path):
    """A column of arrivals that is blank throughout gives a table without numbers, and no other
    fault."""
    blank = (
        "\n".join(
            line.rsplit(",", 1)[0] + "," if line[0].isdigit() else line
            for line in calls().splitlines()
        )
        + "\n"
    )
    build(
        read_inputs(write_agency(tmp_path, blank, COLUMNS, WAIT)),
        tmp_path / "out",
        tmp_path / "private",
    )
    assert {row["status"] for row in rows(tmp_path / "out", "wait").values()} == {"suppressed"}


WAITS = (
    '\n[[tables]]\nname = "waits"\ntitle = "Waits"\n'
    'dimensions = { call_type = ["all", "type"], wait = ["all", "half_hour"] }\n'
)


def test_a_few_calls_without_a_time_are_not_told_by_the_rest(tmp_path):
    """3 of 200 crisis calls have no arrival. That count is withheld, so nobody may learn it from
    how many calls a median rests on."""
    lines = calls().splitlines()
    for i in (1, 2, 3):
        lines[i] = lines[i].rpartition(",")[0] + ","
    agency = write_agency(tmp_path, "\n".join(lines) + "\n", COLUMNS, WAITS + WAIT)
    assert build(read_inputs(agency), tmp_path / "out", tmp_path / "private").report.passed
    out = tmp_path / "out"
    waits = {
        (r["call_type"], r["wait"]): r for r in csv.DictReader((out / "tables/waits.csv").open())
    }
    assert waits["crisis", "unknown"]["status"] == "suppressed"
    assert waits["crisis", "all"]["calls"] == "200"
    assert rows(out, "wait")["crisis"]["based_on"] == "30"
    leaky = (out / "tables/wait.csv").read_text().replace(",54,30,", ",54,190,")
    (out / "tables/wait.csv").write_text(leaky)
    rehash(out)
    assert "statistics" in {f.attack for f in audit_release(out).findings}


def test_a_count_near_the_minimum_has_no_median(tmp_path):
    """Of 32 calls a median over 30 or more would tell that at most 2 lack a time; its absence, that
    more than 2 do."""
    for crisis, status in ((32, "suppressed"), (60, "published")):
        lines = calls().splitlines()
        agency = write_agency(
            tmp_path / str(crisis),
            "\n".join([*lines[: crisis + 1], *lines[201:]]) + "\n",
            COLUMNS,
            WAIT,
        )
        build(
            read_inputs(agency), tmp_path / str(crisis) / "out", tmp_path / str(crisis) / "private"
        )
        assert rows(tmp_path / str(crisis) / "out", "wait")["crisis"]["status"] == status


def test_people(built):
    people = rows(built, "people")
    assert (people["all"]["people"], people["crisis"]["people"], people["check"]["status"]) == (
        "120",
        "100",
        "suppressed",
    )
    again = rows(built, "again")
    assert (again["crisis"]["people_again"], again["crisis"]["people_followed"]) == ("100", "100")


def test_unfinished_windows_do_not_count(tmp_path):
    """With data to the end of April nobody's 30 days are over."""
    late = COLUMNS | {
        "created = 2024-07-01": "created = 2024-05-01",
        "data_to = 2024-06-30": "data_to = 2024-04-30",
    }
    agency = write_agency(tmp_path, calls(), late, AGAIN)
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert {row["status"] for row in rows(tmp_path / "out", "again").values()} == {"suppressed"}


def test_small_groups_of_repeaters_are_withheld(tmp_path):
    """Three of many people came again: too few to say."""
    text = calls().replace(",Crisis,p", ",Crisis,x")
    lines = text.splitlines()
    for i in range(101, 201):  # rows of second calls get persons of their own, but for three
        if i > 103:
            lines[i] = lines[i].replace(",x", ",y")
    agency = write_agency(tmp_path, "\n".join(lines) + "\n", COLUMNS, AGAIN)
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert rows(tmp_path / "out", "again")["crisis"]["status"] == "suppressed"


def test_a_statistic_needs_its_count_table_and_fields(tmp_path):
    lonely = WAIT.replace('call_type = ["all", "type"]', 'weekday = ["all", "day"]')
    with pytest.raises(PlanError, match="no count table has these"):
        build(
            read_inputs(write_agency(tmp_path / "a", calls(), COLUMNS, lonely)),
            tmp_path / "out",
            tmp_path / "private",
        )
    with pytest.raises(PlanError, match="needs arrived_at"):
        build(
            read_inputs(write_agency(tmp_path / "b", calls(), None, WAIT)),
            tmp_path / "out",
            tmp_path / "private",
        )
    with pytest.raises(PlanError, match="below the threshold"):
        agency = write_agency(tmp_path / "c", calls(), COLUMNS, WAIT + "minimum = 4\n")
        build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("crisis,35,54,190", "crisis,35,54,193"),
        ("crisis,35,54,190", "crisis,35,54,20"),
        ("crisis,35,54,190", "crisis,35,54,200"),
        ("check,,,,suppressed", "check,30,50,30,published"),
    ],
)
def test_planted_leaks(built, old, new):
    """Too exact, on too few, so many that none can be without a time, and beside a count that is
    withheld."""
    file = built / "tables/wait.csv"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    if "published" in new:
        counts = built / "tables/calls.csv"
        text = counts.read_text()
        counts.write_text(text.replace("all,check,20,published", "all,check,,suppressed"))
        assert text != counts.read_text()
    rehash(built)
    assert "statistics" in {f.attack for f in audit_release(built).findings}


def test_example_city_equals_pandas(example_city, example_exports):
    _built, out = example_city
    frame = pd.read_csv(
        ROOT / "examples/example_city/exports/calls.csv", parse_dates=["received", "on_scene"]
    )
    minutes = (frame["on_scene"] - frame["received"]).dt.total_seconds() / 60
    valid = minutes[(minutes >= 0) & (minutes <= 24 * 60)]
    package = json.loads((out / "datapackage.json").read_text())
    assert any(r.get("table", {}).get("kind") == "statistic" for r in package["resources"])
    shown = (
        pd.read_csv(out / "tables/wait_by_area.csv", dtype=str)
        .set_index(["period", "area"])
        .loc[("all", "all")]
    )
    assert abs(int(shown["median"]) - valid.quantile(0.5)) <= 0.5
    assert abs(int(shown["p90"]) - valid.quantile(0.9)) <= 0.5
    assert 0 <= len(valid) - int(shown["based_on"]) < 10


def by_year(out, name):
    return pd.read_csv(out / f"tables/{name}.csv", dtype=str).set_index(
        [c for c in ("period", "responder") if c in _head(out, name)]
    )


def _head(out, name):
    return (out / f"tables/{name}.csv").read_text().split("\n", 1)[0].split(",")


def test_hours_and_frequent_calls_equal_pandas(example_city, example_exports):
    """Hours on calls (H3), calls of frequent callers (R4) and how far people cluster, each worked
    out from the exports alone."""
    _built, out = example_city
    times = ["received", "dispatched", "cleared"]
    frame = pd.read_csv(
        ROOT / "examples/example_city/exports/calls.csv",
        parse_dates=times,
        keep_default_na=False,
        na_values=dict.fromkeys(times, ""),
    )
    frame = frame.sort_values(["received", "incident_no"])
    reached, year = frame["unit_type"].isin(["COR", "CLIN"]), frame["received"].dt.year.astype(str)
    on_calls = (frame["cleared"] - frame["dispatched"]).dt.total_seconds() / 3600
    assert (
        abs(
            int(by_year(out, "busy").loc[("2025", "clinician"), "hours"])
            - on_calls[reached & (year == "2025")].sum()
        )
        <= 5
    )

    known = frame[frame["person"] != ""].assign(year=year)
    day = known["received"].dt.normalize()
    fourth_before = day.groupby(known["person"]).shift(4)
    fifth = known[(day - fourth_before <= pd.Timedelta(days=364)) & (known["year"] == "2025")]
    of_frequent = known["person"].isin(fifth["person"]) & (known["year"] == "2025")
    assert abs(int(by_year(out, "frequent").loc["2025", "calls_frequent"]) - of_frequent.sum()) <= 5
    assert by_year(out, "frequent").loc["2024", "status"] == "suppressed", "no year before it"
    each = known[known["year"] == "2025"]["person"].value_counts()
    assert (
        abs(
            int(by_year(out, "clustering").loc["2025", "inflation"])
            - 10 * (each**2).sum() / each.sum()
        )
        <= 2.5
    )


def test_people_who_called_again_equal_pandas(example_city, example_exports):
    """Each person once, from the first call of the year, in the months of which every year knows
    the whole time after."""
    _built, out = example_city
    frame = pd.read_csv(
        example_exports / "calls.csv", parse_dates=["received"], keep_default_na=False
    )
    frame = (
        frame[frame["person"] != ""]
        .assign(day=frame["received"].dt.normalize())
        .sort_values(["received", "incident_no"])
    )
    by_person = {
        person: sorted(mine)
        for person, mine in frame["day"].groupby(frame["person"]).agg(list).items()
    }
    for days, until in ((30, (12, 1)), (90, (10, 2))):
        shown = by_year(out, f"repeat_{days}")
        for year in (2024, 2025):
            again = followed = 0
            for later in by_person.values():
                place = next(
                    (
                        i
                        for i, d in enumerate(later)
                        if d.year == year and (d.month, d.day) <= until
                    ),
                    None,
                )
                if place is None:
                    continue
                followed += 1
                again += place + 1 < len(later) and (later[place + 1] - later[place]).days <= days
            assert abs(int(shown.loc[str(year), "people_followed"]) - followed) <= 2.5
            assert abs(int(shown.loc[str(year), "people_again"]) - again) <= 2.5
        low, whole, high = sorted(
            (int(shown.loc[p, "people_again"]) / int(shown.loc[p, "people_followed"]), p)
            for p in ("2024", "all", "2025")
        )
        assert low[0] <= whole[0] <= high[0]


def test_columns_say_their_unit(example_city):
    """The data package: rates are no minutes, days are no minutes, and ends of a difference may be
    negative."""
    _built, out = example_city
    package = json.loads((out / "datapackage.json").read_text())
    seen = set()
    for resource in package["resources"]:
        table = resource.get("table", {})
        for field in resource["schema"]["fields"] if table.get("kind") == "statistic" else ():
            words, measure = field.get("description", ""), table["measure"]
            if field["type"] != "integer":
                continue
            seen.add(measure)
            if field["name"] in ("median", "p90"):
                assert ("days" if measure == "days_to_connection" else "minutes") in words
            else:
                assert "minutes" not in words, (measure, field["name"])
            if "design" in table and field["name"] in ("team", "other", "low", "high"):
                assert (
                    "seconds" if table["design"]["unit"] == "seconds" else "per 10,000 calls"
                ) in words
            if field["name"].endswith("low"):
                assert "minimum" not in field.get("constraints", {})
    assert {
        "compare_arrest",
        "compare_wait",
        "days_to_connection",
        "people",
        "call_clustering",
    } <= seen


def test_days_to_a_visit_equal_pandas(example_city, example_exports):
    """Of each call its furthest handoff; days from the call to the visit that the partner
    confirmed, where all of the 30 days are in the data (C3)."""
    _built, out = example_city
    calls = (
        pd.read_csv(example_exports / "calls.csv", parse_dates=["received"])
        .set_index("incident_no")["received"]
        .dt.normalize()
    )
    visits = pd.read_csv(example_exports / "handoffs.csv", parse_dates=["connected_at"]).dropna(
        subset=["connected_at"]
    )
    visits = visits[visits["call_id"].map(calls) + pd.Timedelta(days=30) < "2026-01-01"]
    days = (visits["connected_at"].dt.normalize() - visits["call_id"].map(calls)).dt.days
    shown = pd.read_csv(out / "tables/connection_days.csv", dtype=str).set_index("partner")
    for partner in ("all", "clinic", "peer"):
        mine = days[
            days.between(0, 30) & ((visits["partner_type"] == partner) | (partner == "all"))
        ]
        assert abs(int(shown.loc[partner, "based_on"]) - len(mine)) <= 5
        assert abs(int(shown.loc[partner, "median"]) - mine.quantile(0.5)) <= 0.5
        assert abs(int(shown.loc[partner, "p90"]) - mine.quantile(0.9)) <= 0.5


def test_waits_of_urgent_calls_equal_pandas(example_city, example_exports):
    """Waits of urgent calls while a team is on a call in the same district, and while none is; the
    latter weighted to the former's districts and hours."""
    _built, out = example_city
    calls = pd.read_csv(
        example_exports / "calls.csv", parse_dates=["dispatched", "cleared"], keep_default_na=False
    )
    beats = {
        f["properties"]["beat"]: f["properties"]["district"]
        for f in json.loads((example_exports / "beats.geojson").read_text())["features"]
    }
    outlines = gpd.read_file(example_exports / "beats.geojson")
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(
            pd.to_numeric(calls["longitude"]), pd.to_numeric(calls["latitude"])
        ),
        crs=4326,
    )
    calls["district"] = (
        points.sjoin(outlines, how="left").groupby(level=0).first()["beat"].map(beats)
    )
    teams = calls[calls["unit_type"] == "COR"]
    urgent = pd.read_csv(example_exports / "urgent_calls.csv", parse_dates=["received", "arrived"])
    urgent = urgent[urgent["arrived"].notna() & (urgent["received"].dt.year == 2025)].reset_index(
        drop=True
    )
    minutes = (urgent["arrived"] - urgent["received"]).dt.total_seconds() / 60
    busy = pd.Series(False, index=urgent.index)
    for district, mine in urgent.groupby("district"):
        near, at = teams[teams["district"] == district], mine["received"].to_numpy()[:, None]
        busy[mine.index] = (
            (near["dispatched"].to_numpy() <= at) & (near["cleared"].to_numpy() > at)
        ).any(axis=1)
    frame = pd.DataFrame(
        {"d": urgent["district"], "h": urgent["received"].dt.hour, "busy": busy, "minutes": minutes}
    )
    both = frame.groupby(["d", "h"])["busy"].transform(lambda b: b.any() and not b.all())
    frame = frame[both]
    like = (
        frame[frame["busy"]].groupby(["d", "h"]).size()
        / frame[~frame["busy"]].groupby(["d", "h"]).size()
    )
    shown = pd.read_csv(out / "tables/urgent_waits.csv", dtype=str).set_index(["year", "teams"])
    for side, mine in (
        ("on_a_call", frame[frame["busy"]].assign(w=1.0)),
        ("not_on_a_call", frame[~frame["busy"]].join(like.rename("w"), on=["d", "h"])),
    ):
        mine = mine.sort_values("minutes")
        reached = mine["w"].cumsum() / mine["w"].sum()
        cell = shown.loc[("2025", side)]
        assert abs(int(cell["calls"]) - len(mine)) <= 5
        for name, share in (("median", 0.5), ("p90", 0.9)):
            assert (
                abs(int(cell[name]) - mine.loc[reached >= share - 1e-9, "minutes"].iloc[0]) <= 0.5
            )


def test_few_frequent_callers_are_withheld(tmp_path):
    """One person with six calls in a year among many with two is too few to tell of, and so are 40
    calls of four people."""
    whole_year = COLUMNS | {
        "created = 2024-07-01": "created = 2025-01-05",
        "data_from = 2024-01-01": "data_from = 2023-01-01",
        "data_to = 2024-06-30": "data_to = 2024-12-31",
    }
    text = calls() + "".join(
        f"x{i},2024-05-{i + 1:02d} 10:00,Crisis,often,2024-05-{i + 1:02d} 10:20\n" for i in range(6)
    )
    spec = (
        '\n[[statistics]]\nname = "frequent"\ntitle = "Frequent"\nmeasure = "calls_of_frequent"\n'
        'dimensions = { call_type = ["all", "type"] }\n'
    )
    build(
        read_inputs(write_agency(tmp_path, text, whole_year, spec)),
        tmp_path / "out",
        tmp_path / "private",
    )
    assert rows(tmp_path / "out", "frequent")["crisis"]["status"] == "suppressed"
    for people, shown in (
        (1, ""),
        (4, ""),
        (5, "40"),
    ):  # 40 calls in all; the threshold is 5
        more = "".join(
            f"x{i},2024-05-{i % 28 + 1:02d} "
            f"10:00,Crisis,often{i % people},2024-05-{i % 28 + 1:02d} 10:20\n"
            for i in range(40)
        )
        here = tmp_path / str(people)
        build(
            read_inputs(write_agency(here, calls() + more, whole_year, spec)),
            here / "out",
            here / "private",
        )
        assert rows(here / "out", "frequent")["crisis"]["calls_frequent"] == shown
