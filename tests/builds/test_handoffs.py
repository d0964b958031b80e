"""How referrals are passed on, when people are spoken to again, who led, and how calls were first
coded: against pandas and by hand."""

import csv

import pandas as pd
import pytest

from anonymize.errors import SourceError
from anonymize.pipeline import check, read_inputs
from tests.agency import build, write_agency


def cells(out, table, *columns):
    with (out / f"tables/{table}.csv").open() as handle:
        return {
            tuple(row[c] for c in columns): row["calls"]
            for row in csv.DictReader(handle)
            if row["status"] == "published"
        }


def told(found, expected):
    """Every published cell is as worked out, and many are published."""
    assert found
    assert found == {key: str(expected.get(key, 0)) for key in found}
    assert sum(n > 0 and key in found for key, n in expected.items()) >= 0.8 * len(expected)


@pytest.fixture(scope="module")
def calls(example_exports):
    frame = pd.read_csv(example_exports / "calls.csv", dtype=str, keep_default_na=False)
    return frame.assign(
        year=frame["received"].str[:4], day=pd.to_datetime(frame["received"].str[:10])
    )


def test_first_types_leads_and_citations_equal_pandas(example_city, calls):
    _built, out = example_city
    kind = calls["first_type"].map(
        {
            "MENTAL HEALTH": "mental_health",
            "SUICIDE CONCERN": "suicide_concern",
            "OVERDOSE/SUBSTANCE": "substance_use",
            "WELFARE CHECK": "welfare_check",
            "DISTURBANCE BH": "disturbance",
            "NOT BH": "not_a_crisis",
        }
    )
    shown = {
        key: n
        for key, n in cells(out, "first_types", "period", "initial_type").items()
        if "all" not in key and key[1] != "unknown"
    }
    told(shown, calls.groupby(["year", kind]).size().to_dict())
    team = calls[calls["unit_type"] == "COR"]
    led = team["led"].map(
        {"CLINICIAN": "clinician", "OFFICER": "officer", "BOTH": "together", "": "unknown"}
    )
    shown = {
        key: n for key, n in cells(out, "who_led", "period", "led_by").items() if "all" not in key
    }
    told(shown, team.groupby(["year", led]).size().to_dict())
    came = calls["unit_type"].isin(["COR", "CLIN"]).map({True: "clinician", False: "no_clinician"})
    shown = {
        k: n
        for k, n in cells(out, "citations", "period", "responder", "citation").items()
        if k[0] != "all" and k[1].endswith("clinician") and k[2] == "yes"
    }
    cited = calls[calls["cited"] == "Y"].groupby(["year", came]).size()
    told(shown, {(*key, "yes"): n for key, n in cited.items()})
    arrested = calls[calls["arrest_made"] == "Y"]
    law = arrested["arrest_required"].map({"Y": "yes", "N": "no", "": "unknown"})
    shown = {
        key: n
        for key, n in cells(out, "required_arrests", "period", "arrest_required").items()
        if "all" not in key
    }
    told(shown, arrested.groupby(["year", law]).size().to_dict())


def test_handoffs_and_follow_ups_equal_pandas(example_city, example_exports, calls):
    _built, out = example_city
    sent = pd.read_csv(example_exports / "handoffs.csv", dtype=str, keep_default_na=False)
    assert not sent["call_id"].duplicated().any()
    way = sent["warm"].replace("", "unknown")
    shown = {
        key: n
        for key, n in cells(out, "warm_handoffs", "partner", "warm").items()
        if key[1] != "all"
        and key[0] not in ("all", "none", "unknown", "other")
        and key[1] != "none"
    }
    told(shown, sent.groupby(["partner_type", way]).size().to_dict())
    joined = sent[sent["follow_up"] == "yes"].merge(
        calls, left_on="call_id", right_on="incident_no"
    )
    days = (pd.to_datetime(joined["spoken_to"]) - joined["day"]).dt.days
    over = joined["day"] + pd.Timedelta(days=30) <= pd.Timestamp("2025-12-31")
    shown = cells(out, "follow_ups", "period", "follow_up")
    for year in ("2024", "2025"):
        mine = joined["year"] == year
        expected = {
            "due": (mine & over).sum(),
            "open": (mine & ~over).sum(),
            "within_1": (mine & over & (days <= 1)).sum(),
            "within_7": (mine & over & (days <= 7)).sum(),
            "within_30": (mine & over & (days <= 30)).sum(),
            "after_30": (mine & over & ~(days <= 30)).sum(),
        }
        assert {code: shown[year, code] for code in expected} == {
            code: str(n) for code, n in expected.items()
        }
    assert int(shown["2025", "open"]) > 0


CALLS = "id,at,type\n" + "".join(
    f"{i},2024-0{i % 6 + 1}-{i % 28 + 1:02d} 10:00,Crisis\n" for i in range(420)
)
PUBLISHED = """
[[tables]]
name = "follow_ups"
title = { en = "F", es = "F" }
dimensions = { follow_up = ["all", "due", "month", "week", "day"] }
"""


def city(folder, columns, handoffs, more=PUBLISHED):
    path = write_agency(
        folder,
        CALLS,
        {},
        f'{more}\n[inputs]\nhandoffs = {{ paths = "h.csv", columns = {{ {columns} }} }}\n',
    )
    (folder / "h.csv").write_text(
        "call_id,partner_type,offered,accepted,connected_at,agreed,spoke\n" + handoffs
    )
    return path


def test_windows_at_their_edges(tmp_path):
    """Calls of one day, spoken to after 0, 1, 2, 7, 8, 30, 31 days, before the call, or never;
    twelve of each so that all are published."""
    at = {i: f"2024-0{i % 6 + 1}-{i % 28 + 1:02d}" for i in range(420)}
    early = [i for i in at if at[i] < "2024-05-01"]
    after = {
        "within_1": (0, 1),
        "days_2_7": (2, 7),
        "days_8_30.day": (8, 30),
        "after_30.day": (31, None),
        "unknown.day": (-1, -2),
    }
    lines, place = [], iter(early)
    for days in after.values():
        for gap in days:
            for _n in range(12):
                i = next(place)
                spoke = (
                    ""
                    if gap is None
                    else f"{pd.Timestamp(at[i]) + pd.Timedelta(days=gap):%Y-%m-%d}"
                )
                lines.append(f"{i},clinic,yes,yes,,yes,{spoke}\n")
    late = [i for i in at if at[i] > "2024-06-15"][:12]
    lines += [f"{i},clinic,yes,no,,yes,{at[i]}\n" for i in late]
    path = city(tmp_path, 'follow_up_agreed = "agreed", reached_at = "spoke"', "".join(lines))
    build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    shown = cells(tmp_path / "out", "follow_ups", "follow_up")
    assert {code: shown[(code,)] for code in after} == dict.fromkeys(after, "24")
    assert shown[("open",)] == "12"
    assert shown[("due",)] == "96"
    assert shown[("within_30",)] == "72"
    assert shown[("within_7",)] == "48"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ('reached_at = "spoke"', "needs both 'follow_up_agreed' and 'reached_at'"),
        ('waarm = "agreed"', "'waarm' is not a field of handoffs"),
    ],
)
def test_columns_of_handoffs_are_checked(tmp_path, columns, said):
    with pytest.raises(SourceError, match=said):
        check(
            read_inputs(city(tmp_path, columns, "1,clinic,yes,yes,,yes,\n", more="")),
            tmp_path / "private",
        )


def beside(folder, name, text):
    path = write_agency(folder, CALLS, {}, f'\n[inputs]\n{name} = {{ paths = "b.csv" }}\n')
    (folder / "b.csv").write_text(text)
    return path


def test_few_complaints_are_left_blank(tmp_path):
    path = beside(
        tmp_path,
        "feedback",
        "year,kind,received,themes\n2024,complaint,4,Waits\n2024,praise,5,\n2024,unclear_lead,0,\n",
    )
    build(read_inputs(path), tmp_path / "out", tmp_path / "private")
    with (tmp_path / "out/tables/feedback.csv").open() as handle:
        assert [row["received"] for row in csv.DictReader(handle)] == ["", "5", "0"]


def test_a_kind_of_feedback_must_be_known(tmp_path):
    with pytest.raises(SourceError, match="'kind' must be one of complaint, praise"):
        check(
            read_inputs(beside(tmp_path, "feedback", "year,kind,received\n2024,rant,4\n")),
            tmp_path / "private",
        )


def test_who_left_is_told_by_whole_years_only(tmp_path):
    """A year without all its months, or with a blank, tells nothing."""
    months = [
        (
            f"{year}-{m:02d}",
            "Clinicians",
            4,
            3 + m % 2,
            "" if (year, m) == (2022, 5) else int(m == 3),
        )
        for year in (2022, 2023, 2024)
        for m in range(1, 13)
        if (year, m) != (2024, 12)
    ]
    text = "month,role,authorized,filled,left\n" + "".join(
        ",".join(map(str, row)) + "\n" for row in months
    )
    build(read_inputs(beside(tmp_path, "staffing", text)), tmp_path / "out", tmp_path / "private")
    assert (tmp_path / "out/tables/turnover.csv").read_text().splitlines()[1:] == [
        "2023,Clinicians,,3.5,1"
    ]
    assert "left" not in (tmp_path / "out/tables/staffing.csv").read_text().splitlines()[0]
