"""Each figure over the base that its words name: pages of the example city against its exports,
counted again with pandas."""

import pandas as pd
import pytest

from dashboard.findings.comparisons import calls_with_a_free_team, comparison
from dashboard.findings.coverage import gaps
from dashboard.findings.program import share_of_all
from dashboard.numbers.measures import measures
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from dashboard.text import language
from dashboard.text.language import pick
from tests.paper import page_of
from tests.used_messages import used_messages

CLINICIAN = ("COR", "CLIN")


@pytest.fixture(scope="module")
def release(example_city):
    _built, out = example_city
    return load_release(out)


@pytest.fixture(scope="module")
def pages(release):
    return {name: page_of(release, name) for name in PAGES}


@pytest.fixture(scope="module")
def calls(example_exports):
    times = ["received", "dispatched", "cleared", "on_scene", "officer_cleared"]
    frame = pd.read_csv(
        example_exports / "calls.csv",
        parse_dates=times,
        keep_default_na=False,
        na_values=dict.fromkeys(times, ""),
    )
    return frame.assign(
        year=frame["received"].dt.year,
        came=frame["unit_type"].isin(CLINICIAN),
        fits=frame["eligible"] == "Y",
    )


def figure(pages, page, start):
    return next(f for f in pages[page].found if f.file[0] == start)


def test_diversion_is_said_of_calls_with_a_clinician_alone(pages, calls):
    """Rates over all calls would credit teams with the 63 % of calls that no clinician came to."""
    for page, file, needs in (
        ("safety", "jail-diversion", calls["arrestable"] == "Y"),
        ("outcomes", "emergency-room", calls["ed_criteria"] == "Y"),
    ):
        said = [f for f in pages[page].found if "diversion" in f.title.lower()]
        assert [f.file[0] for f in said] == [file] and "a clinician came" in said[0].title
        by_choice = calls[needs & calls["came"]]
        if page == "outcomes":
            year = (
                next(c for c in said[0].file if c.isdigit())
                if any(c.isdigit() for c in said[0].file)
                else None
            )
            by_choice = by_choice[by_choice["year"] == int(year)] if year else by_choice
        assert said[0].table["Out of (N)"].iloc[0] == f"{len(by_choice):,}"
    lone = figure(pages, "safety", "arrestable")
    assert (
        lone.table["Out of (N)"].iloc[0]
        == f"{((calls['arrestable'] == 'Y') & ~calls['came']).sum():,}"
    )
    assert (
        "diversion"
        not in " ".join([lone.title, *lone.table.astype(str).to_numpy().ravel()]).lower()
    )


def test_hours_on_calls_and_staffed_hours_are_of_the_same_teams(pages, calls, example_exports):
    """Calls of a clinician alone would stand above hours in which an officer must be there."""
    shown = figure(pages, "staffing", "busy").data.set_index("period")
    own = calls[calls["unit_type"] == "COR"]
    spent = (
        ((own["cleared"] - own["dispatched"]).dt.total_seconds() / 3600).groupby(own["year"]).sum()
    )
    shifts = pd.read_csv(example_exports / "shifts.csv", parse_dates=["start", "end"])
    team = shifts[
        (shifts["officer"] == "yes") & (shifts["clinician"] == "yes") & (shifts["worked"] == "yes")
    ]
    staffed = (
        ((team["end"] - team["start"]).dt.total_seconds() / 3600)
        .groupby(team["start"].dt.year)
        .sum()
    )
    for year in (2024, 2025):
        assert abs(shown.loc[str(year), "hours_on_calls"] - spent[year]) <= 5
        assert (
            abs(shown.loc[str(year), "hours_staffed"] - staffed[year]) <= 24
        )  # a shift over the new year counts on both sides


def test_lost_calls_are_a_share_of_calls_and_not_of_hours(pages, calls):
    found = figure(pages, "coverage", "no-team")
    lost = calls[calls["fits"]].groupby("year")["not_served"].value_counts()
    every = calls[calls["fits"]].groupby("year").size()
    for words, why in (("busy", "ALL UNITS BUSY"), ("duty", "NO UNIT ON DUTY")):
        for year in (2024, 2025):
            row = next(
                r
                for r in found.table.to_dict("records")
                if str(year) in r["Why, and when"] and words in r["Why, and when"].lower()
            )
            assert (row["Calls (n)"], row["Out of (N)"]) == (
                f"{lost[year, why]:,}",
                f"{every[year]:,}",
            )


def test_an_hour_of_the_day_never_pools_two_services(pages, calls):
    """Nights had no team before 2025: the last whole year alone is shown, and the program's changes
    within it are named."""
    found = next(f for f in pages["coverage"].found if "time-of-day" in f.file)
    assert "2025" in found.title and "2025" in found.file
    late = calls[calls["fits"] & (calls["year"] == 2025)]
    blocks = late.groupby(late["received"].dt.hour // 4).size()
    assert [int(n.replace(",", "")) for n in found.table["Out of (N)"]][
        : len(blocks)
    ] == blocks.tolist()
    assert "changed within this year" in found.note


def test_the_share_of_all_calls_has_the_community_above_and_below(release, calls, example_exports):
    every = pd.read_csv(example_exports / "all_calls.csv")
    own = calls[calls["call_source"] != "OFFICER"]
    assert len(own) < len(calls)
    for share in share_of_all(release):
        assert share.part.value == (own["year"] == int(share.code)).sum()
        assert share.whole.value == every[every["month"].str[:4] == share.code]["calls"].sum()


def test_connected_is_counted_over_accepted_referrals_with_30_days_over(
    pages, calls, example_exports
):
    sent = pd.read_csv(example_exports / "handoffs.csv", parse_dates=["connected_at"]).merge(
        calls, left_on="call_id", right_on="incident_no"
    )
    day = sent["received"].dt.normalize()
    agreed = sent[
        (sent["accepted"] == "yes") & (day + pd.Timedelta(days=30) <= pd.Timestamp("2025-12-31"))
    ]
    soon = (
        agreed["connected_at"].dt.normalize() - agreed["received"].dt.normalize()
    ).dt.days.between(0, 30)
    shown = figure(pages, "after", "partners")
    year = next(c for c in shown.file if c.isdigit())
    listed = shown.table.set_index("Partner")
    for label, code in (
        ("Mental-health clinic", "clinic"),
        ("Peer support", "peer"),
        ("Housing and shelter", "housing"),
    ):
        mine = (agreed["partner_type"] == code) & (agreed["year"] == int(year))
        assert list(listed.loc[label, ["Calls (n)", "Out of (N)"]]) == [
            f"{(mine & soon).sum():,}",
            f"{mine.sum():,}",
        ]
    assert "least" in shown.note


def test_fields_asked_of_some_calls_have_a_base_of_their_own(release, calls):
    rows = release.reference("completeness")
    arrested, teams = calls[calls["arrest_made"] == "Y"], calls[calls["unit_type"] == "COR"]
    held, backed = calls[calls["disposition"] == "HOLD"], calls[calls["backup"] == "Y"]
    reached = calls[calls["unit_type"].isin(["COR", "CLIN"])]
    crews, police = calls[calls["crew"] == "Y"], calls[calls["unit_type"] == "PD"]
    for field, base, filled in (
        ("arrest_required", "arrests", (arrested["arrest_required"] != "").mean()),
        ("led_by", "team_calls", (teams["led"] != "").mean()),
        ("officer_cleared_at", "team_calls", teams["officer_cleared"].notna().mean()),
        ("clinician_role", "team_calls", (teams["clinician_first"] != "").mean()),
        ("hold_started_by", "holds", (held["hold_by"] != "").mean()),
        ("officer_trained", "police_calls", (police["crisis_trained"] != "").mean()),
        ("partner_unavailable", "reached_calls", (reached["missing"] != "").mean()),
        ("backup_arrived_at", "backups", (backed["backup_came"] != "").mean()),
        ("other_units_cleared_at", "crews", (crews["crew_left"] != "").mean()),
        (
            "in_program_area",
            "eligible_calls",
            (calls.loc[calls["eligible"] == "Y", "program_area"] != "").mean(),
        ),
    ):
        mine = rows[rows["field"] == field]
        assert list(mine["period"]) == ["all"] and list(mine["out_of"]) == [base]
        low, high = int(mine["at_least"].iloc[0]), int(mine["at_most"].iloc[0])
        assert low <= 100 * filled and (100 * filled < high or high == 100)


def test_what_might_be_saved_counts_calls_that_found_a_free_team(release, pages, calls):
    fits = calls[calls["fits"]]
    free = fits["came"] | ~fits["not_served"].isin(["ALL UNITS BUSY", "NO UNIT ON DUTY", ""])
    assert calls_with_a_free_team(release) == free.sum()
    like = comparison(release, "compare_arrest")
    found = [f for f in pages["money"].found if f.file[0] == "savings"]
    assert bool(found) == (like.verdict != "cannot_tell")
    if found:
        rows = found[0].data.set_index("case")
        for case, edge in (("low", like.high), ("high", like.low)):
            assert rows.loc[case, "arrests_fewer"] == pytest.approx(
                max(0.0, -edge) * free.sum() * 0.5
            )
        assert rows.loc["low", "price"] < rows.loc["middle", "price"] < rows.loc["high", "price"]


def test_areas_and_gaps_stand_in_no_order_of_chance(release, pages):
    """Areas by name, gaps by the week: their order by share or by width would mostly be chance."""
    days = [pick(day.label) for day in release.codelists["weekday"].at("day")]
    listed = [days.index(g.day) for g in gaps(release)]
    assert len(listed) == 10 and listed == sorted(listed)
    areas = next(f for f in pages["coverage"].found if f.map is not None)
    places = [
        pick(area.label)
        for area in release.codelists["area"].at("beat")
        if not area.code.startswith("unknown")
    ]
    names = [name for name in areas.table.iloc[:, 0] if name in places]
    assert len(names) > 10 and names == sorted(names)


def test_a_quantile_that_is_rounded_says_about():
    """'Half within 20 minutes' is false where it was 20.4."""
    language.use("en")
    said = [m for m in used_messages() if "{median}" in m or "{p90}" in m]
    assert said
    for message in said:
        for name in ("{median}", "{p90}"):
            if name in message:
                assert "about" in message[: message.index(name)], message
    wait = next(m for m in measures() if m.name == "wait_within_30")
    assert "too late" in wait.meaning()
