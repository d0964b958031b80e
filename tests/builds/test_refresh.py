"""The next release from newer exports: what is new is said, and a candidate waits; what needs a
person stops with its exit code."""

from __future__ import annotations

import json
from datetime import date

import pytest

from anonymize.cli import main
from anonymize.errors import SchemaError
from anonymize.pipeline import CANDIDATE, read_inputs
from anonymize.refresh import Seen, compare, next_version, refresh
from tests.agency import build, write_agency

TODAY = date(2024, 9, 2)


def month(number, extra="", rows=40):
    return "".join(
        f"{number}-{i}{extra},2024-{number:02d}-{1 + i % 28:02d} "
        f"{i % 24:02d}:00,{'Crisis' if i % 3 else 'Check'}\n"
        for i in range(rows)
    )


def test_a_month_more(tmp_path, capsys):
    agency = write_agency(tmp_path, "id,at,type\n" + "".join(month(n) for n in range(1, 7)))
    out, private = tmp_path / "out", tmp_path / "private"
    common = ["refresh", str(agency), "--out", str(out), "--private", str(private), "--quiet"]
    build(read_inputs(agency), out, private, answered=False)
    first = refresh(agency, out, private, until=date(2024, 6, 30), today=date(2024, 7, 2))
    assert first.news.first and first.version == "2024.2"
    # Two months later: late calls of May, a column more.
    with (tmp_path / "calls.csv").open("a") as file:
        file.write(month(7) + month(8) + month(5, "late", 7))
    text = (tmp_path / "calls.csv").read_text().splitlines()
    (tmp_path / "calls.csv").write_text(
        "\n".join([f"{text[0]},note", *(f"{line},x" for line in text[1:])]) + "\n"
    )
    made = refresh(agency, out, private, until=date(2024, 8, 31), today=TODAY)
    assert (made.version, made.data_to) == ("2024.2", date(2024, 8, 31))
    assert (dict(made.news.late), made.news.calls, made.news.columns, made.news.values) == (
        {"2024-05": 7},
        80,
        ("note",),
        {},
    )
    assert (
        made.result("small")
        == "refresh small 2024.2: to 2024-08-31; 80 new calls, 7 late, 0 new values, 1 new"
        f" columns; candidate waits, code {made.built.digest[:12]}"
    )
    package = json.loads((private / CANDIDATE / "datapackage.json").read_text())
    assert package["version"] == "2024.2"
    assert json.loads((out / "datapackage.json").read_text())["version"] == "2024.1", (
        "the live release is only read"
    )
    # A value that nothing maps stops it, and the candidate stays.
    with (tmp_path / "calls.csv").open("a") as file:
        file.write("9-1,2024-08-05 10:00,Overdose,x\n")
    capsys.readouterr()
    assert main([*common, "--until", "2024-08-31"]) == 4
    assert '"Overdose" = ""' in capsys.readouterr().err
    assert (private / CANDIDATE).is_dir()


def test_what_is_new():
    before = Seen(("id", "old"), {"call_type": ("A",)}, {"2024-01": 10, "2024-02": 8})
    news = compare(
        before,
        Seen(("id", "new"), {"call_type": ("A", "B")}, {"2024-01": 12, "2024-02": 5, "2024-03": 9}),
    )
    assert (news.columns, news.gone, dict(news.values)) == (
        ("new",),
        ("old",),
        {"call_type": ("B",)},
    )
    assert (dict(news.late), dict(news.lost), news.calls) == ({"2024-01": 2}, {"2024-02": 3}, 9)
    assert news.summary() == "9 new calls, 2 late, 3 gone, 1 new values, 1 new columns"
    assert news.lines() == [
        "New calls in new months: 9",
        "New column, not read: new",
        "Column that is gone: old",
        "New values of call_type: B",
        "Late calls of 2024-01: 2",
        "Calls of 2024-02 that are gone: 3",
    ]


def test_a_period_that_would_shrink(tmp_path):
    agency = write_agency(tmp_path, "id,at,type\n" + month(1))
    with pytest.raises(
        SchemaError,
        match=(
            r"'release.data_to' is 2024-06-30, and the refresh would end on 2024-05-31; name a"
            r" later day"
        ),
    ):
        refresh(agency, tmp_path / "out", tmp_path / "private", today=date(2024, 6, 10))
    with pytest.raises(
        SchemaError,
        match=(
            r"the refresh would end on 2024-09-30, which is after today \(2024-09-02\); name an"
            r" earlier day"
        ),
    ):
        refresh(
            agency, tmp_path / "out", tmp_path / "private", until=date(2024, 9, 30), today=TODAY
        )


@pytest.mark.parametrize(
    ("live", "version"),
    [(None, "2024.1"), ("2024.7", "2024.8"), ("2023.4", "2024.1"), ("broken", "2024.1")],
)
def test_the_next_version(tmp_path, live, version):
    if live:
        (tmp_path / "datapackage.json").write_text(json.dumps({"version": live}))
    assert next_version(tmp_path, TODAY) == version
