"""No false zeros: what `check` asks, what `build` refuses, and how a gap is published."""

import csv
import json
import shutil
import tomllib
from datetime import date, timedelta

import numpy as np
import pytest

from anonymize.agency import load
from anonymize.audit import audit_release
from anonymize.cli import main
from anonymize.errors import SchemaError, SourceError
from anonymize.pipeline import read_inputs
from dashboard.release.reader import load_release
from tests.agency import build, lines_of, make, tally_of, write_agency
from tests.helpers import rehash

REASON = 'reason = { en = "The file is lost.", es = "El archivo se perdió." }'
FEBRUARY = f"\n[[release.gaps]]\nfrom = 2024-02-01\nto = 2024-02-29\n{REASON}\n"
MIDDLE = f"\n[[release.gaps]]\nfrom = 2024-05-11\nto = 2024-05-20\n{REASON}\n"
START, END = date(2024, 1, 1), date(2024, 6, 30)


def calls(skip=lambda day: False, level=6.0, stamp="{day} {hour:02d}:00"):
    """An export of six months of calls, but for the days to `skip`."""
    rng, rows = np.random.default_rng(3), ["id,at,type"]
    for day in (START + timedelta(days=i) for i in range((END - START).days + 1)):
        for _ in range(rng.poisson(level)):
            kind = "Crisis" if rng.random() < 0.6 else "Check"
            if not skip(day):
                rows.append(
                    f"{len(rows)},{stamp.format(day=day, hour=int(rng.integers(24)))},{kind}"
                )
    return "\n".join(rows) + "\n"


def in_february(day):
    return day.month == 2


def in_both(day):
    return day.month == 2 or date(2024, 5, 11) <= day <= date(2024, 5, 20)


def rows_of(out, table):
    with (out / f"tables/{table}.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def statuses(out, table, column="period", **at):
    """Code -> (value, status) along one column, the others at `all` unless named."""
    found = {}
    for row in rows_of(out, table):
        names = list(row)[:-2]
        if all(row[name] == at.get(name, "all") for name in names if name != column):
            found[row[column]] = (row["calls"], row["status"])
    return found


# --- the agency file ---


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        (
            f"from = 2024-02-29\nto = 2024-02-01\n{REASON}",
            "a gap ends on 2024-02-01, before it begins on 2024-02-29",
        ),
        (
            f"from = 2023-12-01\nto = 2024-01-02\n{REASON}",
            "reaches beyond the period of the release, 2024-01-01 to 2024-06-30; end it there",
        ),
        (
            f"from = 2024-06-01\nto = 2024-07-01\n{REASON}",
            "reaches beyond the period of the release",
        ),
        ("from = 2024-02-01\nto = 2024-02-29", "must say one of the two: 'reason'"),
        (
            f"from = 2024-02-01\nto = 2024-02-29\nno_calls = true\n{REASON}",
            "must say one of the two: 'reason'",
        ),
        (
            'from = 2024-02-01\nto = 2024-02-29\nreason = { en = "", es = "" }',
            "must have at least 1 character",
        ),
        (
            f"from = 2024-02-01\nuntil = 2024-02-29\n{REASON}",
            (
                "'release.gaps.1.until' is not a known key; it can be one of: from, no_calls,"
                " reason, to"
            ),
        ),
        (
            f"from = 2024-01-01\nto = 2024-06-30\n{REASON}",
            "the gaps leave no day on which calls were collected",
        ),
        (
            (
                f"from = 2024-02-01\nto = 2024-02-29\n{REASON}\n[[release.gaps]]\n"
                "from = 2024-02-29\nto = 2024-03-01\nno_calls = true"
            ),
            "overlaps the one from 2024-02-01",
        ),
    ],
)
def test_mistakes_in_a_gap_are_told_with_their_line(tmp_path, gap, told):
    agency = write_agency(tmp_path, extra=f"\n[[release.gaps]]\n{gap}\n")
    with pytest.raises(SchemaError) as error:
        load(agency)
    assert told in str(error.value)
    assert (
        min(lines_of(error.value)) >= agency.read_text().splitlines().index("[[release.gaps]]") + 1
    )


# --- what is asked, and what is refused ---


def test_check_asks_and_prints_both_answers(tmp_path, capsys):
    agency = write_agency(tmp_path, calls(in_february))
    assert main(["check", str(agency), "--private", str(tmp_path / "private"), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert (
        "No call is recorded from 2024-02-01 to 2024-02-29 (29 days), which chance does not"
        " explain: is a file missing?" in told
    )
    assert told.index("No call is recorded") < told.index("Rows read"), (
        "what is unusual stands first"
    )
    listed = told[told.index("Answers that 'build' waits for") :].split("\nRejected rows")[0]
    assert (
        str(agency.resolve()) in listed
        and listed.rstrip() in (tmp_path / "private/portrait.txt").read_text()
    )
    blocks = [
        f"[[release.gaps]]{block}".split("\n\n")[0]
        for block in listed.split("[[release.gaps]]")[1:]
    ]
    lost, nobody = (tomllib.loads(block)["release"]["gaps"][0] for block in blocks)
    assert (lost["from"], lost["to"], lost["reason"]) == (
        date(2024, 2, 1),
        date(2024, 2, 29),
        {"en": "", "es": ""},
    )
    assert nobody == {"from": date(2024, 2, 1), "to": date(2024, 2, 29), "no_calls": True}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("skip", "span"),
    [
        (in_february, "2024-02-01 to 2024-02-29"),
        (lambda day: date(2024, 3, 4) <= day <= date(2024, 3, 10), "2024-03-04 to 2024-03-10"),
    ],
)
def test_build_refuses_until_the_agency_file_answers(tmp_path, capsys, skip, span):
    agency = write_agency(tmp_path, calls(skip))
    paths = (tmp_path / "out", tmp_path / "private")
    assert make(agency, *paths, answered=False) == SourceError.exit_code == 3
    told = capsys.readouterr().err
    assert f"source: {agency.resolve()}: No call is recorded from {span}" in told
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "private/candidate").exists()
    first, last = span.split(" to ")
    with agency.open("a") as file:
        file.write(f"\n[[release.gaps]]\nfrom = {first}\nto = {last}\nno_calls = true\n")
    assert make(agency, *paths, answered=False) == 0
    assert "gaps" not in json.loads((tmp_path / "out/datapackage.json").read_text()), (
        "that nobody called is a count, and is told by counts alone"
    )
    found = statuses(tmp_path / "out", "calls")
    assert {code for code, (_value, status) in found.items() if status != "published"} == {
        "2024"
    }, "of which the data cover one half"


def after_april(day):
    return day > date(2024, 4, 10)


def before_february(day):
    return day < date(2024, 2, 6)


@pytest.mark.parametrize(
    ("skip", "told", "edge", "gap", "last"),
    [
        (
            after_april,
            "write data_to = 2024-04-10",
            "end",
            ("2024-04-11", "2024-06-30"),
            {"2024-04": "incomplete", "2024-05": "not_collected"},
        ),
        (
            before_february,
            "write data_from = 2024-02-06",
            "begin",
            ("2024-01-01", "2024-02-05"),
            {"2024-01": "not_collected", "2024-02": "incomplete", "2024-03": "published"},
        ),
    ],
)
def test_nothing_before_the_first_record_or_past_the_last_is_a_zero(
    tmp_path, capsys, skip, told, edge, gap, last
):
    agency = write_agency(tmp_path, calls(skip))
    assert main(["check", str(agency), "--private", str(tmp_path / "private"), "--quiet"]) == 0
    screen = capsys.readouterr().out
    assert told in screen
    assert "Answers that 'build' waits for" not in screen
    out = tmp_path / "out"
    assert make(agency, out, tmp_path / "private", answered=False) == 0
    package = json.loads((out / "datapackage.json").read_text())
    (said,) = package["gaps"]
    assert (said["from"], said["to"], said["records"]) == (*gap, edge)
    assert set(said["reason"]) == {"en", "es"}
    found = statuses(out, "calls")
    assert {code: found[code][1] for code in last} == last
    assert all(value == "" for value, status in found.values() if status == "not_collected")
    day = date(2024, 4, 10) if edge == "end" else date(2024, 2, 6)
    of = {"period": f"{day:%Y-%m}", "weekday": str(day.isoweekday())}
    assert [fact["of"] for fact in package["facts"] if fact["kind"] == "edge_of_records"] == [of]
    load_release(out)
    with agency.open("a") as file:
        file.write(f"\n[[release.gaps]]\nfrom = {gap[0]}\nto = {gap[1]}\nno_calls = true\n")
    assert make(agency, tmp_path / "answered", tmp_path / "other", answered=False) == 0
    zeros = statuses(tmp_path / "answered", "calls")
    assert {value for code, (value, _) in zeros.items() if last.get(code) == "not_collected"} == {
        "0"
    }


def test_days_past_a_gap_at_the_end_want_an_answer(tmp_path, capsys):
    """No record lies next to them, so they cannot be said to follow the last one."""
    agency = write_agency(
        tmp_path,
        calls(after_april),
        extra=f"\n[[release.gaps]]\nfrom = 2024-04-11\nto = 2024-05-20\n{REASON}\n",
    )
    assert (
        make(agency, tmp_path / "out", tmp_path / "private", answered=False)
        == SourceError.exit_code
    )
    assert "No call is recorded from 2024-05-21 to 2024-06-30" in capsys.readouterr().err


def test_the_audit_wants_the_edge_of_the_records_declared(tmp_path):
    agency = write_agency(tmp_path, calls(after_april))
    assert make(agency, tmp_path / "out", tmp_path / "private", answered=False) == 0
    assert audit_release(tmp_path / "out").passed
    path = tmp_path / "out/datapackage.json"
    package = json.loads(path.read_text())
    package["facts"] = [fact for fact in package["facts"] if fact["kind"] != "edge_of_records"]
    path.write_text(json.dumps(package))
    found = audit_release(tmp_path / "out").findings
    assert any("the records begin or end is not declared" in str(finding) for finding in found)


@pytest.mark.parametrize(
    ("answer", "said"), [(REASON, "nothing was collected"), ("no_calls = true", "nobody called")]
)
def test_an_answer_that_records_contradict_is_refused(tmp_path, answer, said):
    agency = write_agency(
        tmp_path,
        calls(in_february),
        extra=f"\n[[release.gaps]]\nfrom = 2024-01-31\nto = 2024-03-02\n{answer}\n",
    )
    with pytest.raises(SourceError) as error:
        tally_of(agency)
    assert (
        f"gap 1 in [[release.gaps]], 2024-01-31 to 2024-03-02, says that {said}, but 3 of its days"
        " hold records" in str(error.value)
    )


def test_a_source_with_months_alone(tmp_path):
    rows = calls(in_february, stamp="{day:%Y},{day:%m}").replace("id,at,type", "id,year,month,type")
    changes = {'timestamp = "at"': 'year = "year"\nmonth = "month"'}
    assert [
        str(q.span) for q in tally_of(write_agency(tmp_path / "asked", rows, changes)).unanswered
    ] == ["2024-02-01 to 2024-02-29"]
    assert tally_of(write_agency(tmp_path / "answered", rows, changes, FEBRUARY)).unanswered == ()
    wrong = f"\n[[release.gaps]]\nfrom = 2024-02-15\nto = 2024-03-31\n{REASON}\n"
    with pytest.raises(SourceError, match="but 1 of its months hold records"):
        tally_of(write_agency(tmp_path / "wrong", rows, changes, wrong))


def test_a_source_without_time_is_not_asked(tmp_path):
    changes = {
        'timestamp = "at"': "period = true",
        'period = ["all", "year", "month"]': 'period = ["all"]',
    }
    assert (
        tally_of(write_agency(tmp_path, "id,type\n1,Crisis\n2,Check\n", changes)).unanswered == ()
    )


# --- how it is published ---

MORE = """
[[tables]]
name = "seasons"
title = "Seasons"
dimensions = { season = ["all", "season"], call_type = ["all", "type"] }

[[tables]]
name = "days"
title = "Days"
dimensions = { period = ["all", "month"], weekday = ["all", "part", "day"] }

[[tables]]
name = "february"
title = "February"
dimensions = { call_type = ["all", "type"] }
where = { period = "2024-02" }

[[statistics]]
name = "waits"
title = "Waits"
measure = "minutes_call_to_arrival"
dimensions = { period = ["all", "month"] }
minimum = 30
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """February is missing, and ten days of May."""
    folder = tmp_path_factory.mktemp("gaps")
    rows = calls(in_both, level=9.0).splitlines()
    timed = [
        rows[0] + ",there",
        *(f"{row},{row.split(',')[1].replace(':00', ':20')}" for row in rows[1:]),
    ]
    agency = write_agency(
        folder,
        "\n".join(timed) + "\n",
        {'call_type = "type"\n\n': 'call_type = "type"\narrived_at = "there"\n\n'},
        FEBRUARY + MIDDLE + MORE,
    )
    build(read_inputs(agency), folder / "out", folder / "private", answered=False)
    return folder / "out"


def test_periods(published):
    found = statuses(published, "calls")
    assert found["2024-02"] == ("", "not_collected")
    assert {code for code, (_value, status) in found.items() if status == "incomplete"} == {
        "all",
        "2024",
        "2024-05",
    }
    assert all(int(value) > 100 for value, status in found.values() if status != "not_collected")
    assert statuses(published, "calls", call_type="unknown")["2024-02"] == ("", "not_collected")


def test_seasons_days_and_filters(published):
    seasons = statuses(published, "seasons", "season")
    assert {code: status for code, (_value, status) in seasons.items()} == {
        "all": "incomplete",
        "winter": "incomplete",
        "spring": "incomplete",
        "summer": "published",
        "fall": "not_collected",
    }
    days = {(row["period"], row["weekday"]): row["status"] for row in rows_of(published, "days")}
    assert {status for (period, _day), status in days.items() if period == "2024-02"} == {
        "not_collected"
    }
    assert {status for (period, _day), status in days.items() if period in ("all", "2024-05")} == {
        "incomplete"
    }
    assert {row["status"] for row in rows_of(published, "february")} == {"not_collected"}


def test_statistics_and_references(published):
    waits = {row["period"]: row for row in rows_of(published, "waits")}
    assert waits["2024-02"] == {
        "period": "2024-02",
        "median": "",
        "p90": "",
        "based_on": "",
        "status": "not_collected",
    }
    assert {code: row["status"] for code, row in waits.items() if row["status"] != "published"} == {
        "all": "incomplete",
        "2024-02": "not_collected",
        "2024-05": "incomplete",
    }
    assert "2024-02" not in {
        row["period"] for row in rows_of(published, "completeness") if row["at_least"]
    }


def test_the_gaps_are_told_with_their_reasons(published):
    package = json.loads((published / "datapackage.json").read_text(encoding="utf-8"))
    reason = {"en": "The file is lost.", "es": "El archivo se perdió."}
    assert package["gaps"] == [
        {"from": "2024-02-01", "to": "2024-02-29", "reason": reason},
        {"from": "2024-05-11", "to": "2024-05-20", "reason": reason},
    ]
    assert (
        "Not collected: 2024-02-01 to 2024-02-29. The file is lost."
        in (published / "CHANGELOG.md").read_text()
    )
    assert load_release(published).uncollected[0].reason == reason


def test_no_zero_where_nothing_was_collected(published):
    """Whatever table: each published 0 lies on days of which something was collected."""
    for resource in json.loads((published / "datapackage.json").read_text())["resources"]:
        where = resource.get("table", {}).get("where", {})
        if resource.get("table", {}).get("kind") == "count":
            for row in rows_of(published, resource["name"]):
                in_gap = (where | row).get("period") == "2024-02" or row.get("season") == "fall"
                assert (row["status"] == "not_collected") == in_gap, row
                assert (row["calls"] == "") == (row["status"] in ("not_collected", "suppressed"))


def test_marks_follow_from_the_agency_file_alone(published, tmp_path):
    """Other calls, same gaps: the same rows are `not_collected` and `incomplete`."""
    agency = write_agency(tmp_path, calls(in_both, level=4.0), extra=FEBRUARY + MIDDLE)
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private", answered=False)

    def marks(out):
        return [
            (
                r["period"],
                r["call_type"],
                "collected" if r["status"] == "suppressed" else r["status"],
            )
            for r in rows_of(out, "calls")
        ]

    assert [m for m in marks(published) if m[2] == "not_collected"] == [
        m for m in marks(tmp_path / "out") if m[2] == "not_collected"
    ]
    shown = {m[:2] for m in marks(published) if m[2] == "incomplete"}
    assert {m[:2] for m in marks(tmp_path / "out") if m[2] == "incomplete"} <= shown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024-02,all,,not_collected", "2024-02,all,0,published"),
        ("2024-02,all,,not_collected", "2024-02,all,0,not_collected"),
        ("2024-02,all,,not_collected", "2024-02,all,,suppressed"),
        ("2024-02,unknown,,not_collected", "2024-02,unknown,,suppressed"),
        ("2024-05,unknown,0,incomplete", "2024-05,unknown,0,published"),
        ("2024-05,unknown,0,incomplete", "2024-05,unknown,,not_collected"),
        ("2024-03,unknown,0,published", "2024-03,unknown,0,incomplete"),
    ],
)
def test_the_audit_sees_marks_that_the_dates_do_not_make(published, tmp_path, old, new):
    copy = shutil.copytree(published, tmp_path / "copy")
    table = copy / "tables/calls.csv"
    text = table.read_text(encoding="utf-8")
    assert text.count(f"{old}\n") == 1
    table.write_text(text.replace(f"{old}\n", f"{new}\n"), encoding="utf-8")
    rehash(copy)
    assert "marks" in {finding.attack for finding in audit_release(copy).findings}


def test_urgent_calls_of_a_gap_are_left_out(tmp_path):
    """Nobody knows when teams were on a call then; counted as if none was, the waits would be
    false."""
    urgent = ["received,arrived"]
    for day in (START + timedelta(days=i) for i in range((END - START).days + 1)):
        for hour in (9, 21):
            urgent.append(
                f"{day} {hour:02d}:10,{day} {hour:02d}:{'59' if in_february(day) else '20'}"
            )
    rows = ["id,at,type,who,sent,closed"]
    for i, day in enumerate(START + timedelta(days=i) for i in range((END - START).days + 1)):
        if not in_february(day):
            for hour, who in ((9, "T"), (15, "P")) if i % 2 else ((21, "T"), (15, "P")):
                rows.append(
                    f"{day}-{hour},{day} {hour:02d}:00,Crisis,{who},{day} {hour:02d}:00,{day}"
                    f" {hour:02d}:50"
                )
    (tmp_path / "urgent.csv").write_text("\n".join(urgent) + "\n")
    columns = (
        'call_type = "type"\nresponder = "who"\ndispatched_at = "sent"\ncleared_at = "closed"\n\n'
    )
    codes = (
        '\n[calls.values.responder]\n"T" = "co_responder"\n"P" = "police_only"\n\n'
        '[inputs.urgent_calls]\npaths = "urgent.csv"\n'
    )
    agency = write_agency(
        tmp_path, "\n".join(rows) + "\n", {'call_type = "type"\n\n': columns}, FEBRUARY + codes
    )
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private", answered=False)
    found = {row["teams"]: row for row in rows_of(tmp_path / "out", "urgent_waits")}
    assert {row["p90"] for row in found.values()} == {"10"}, (
        "the long waits of February are not among them"
    )
