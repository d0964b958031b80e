"""Faults of statistics that mislead: each is planted, and a check that holds without it fails.

FAULTS has what went wrong, the check, and the fault to plant. What has no code left to turn back is
planted in what the check reads: the hours in which no team was free (9) are shown nowhere, so calls
are set over the hours of a year; areas are no longer sorted by share (19), so gaps are; words and
units (7, 21, 22) are put into the texts.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest

from anonymize.agency.codelists import ROOT as ALL
from anonymize.agency.codelists import Dimension
from anonymize.count import comparisons as compared
from anonymize.count import statistics
from anonymize.engine import open_engine
from anonymize.pipeline import read_inputs
from anonymize.records import calls as call_records
from anonymize.records.calls import read_calls
from dashboard.findings import claims, coverage, program, savings, urgent_waits
from dashboard.findings import targets as target_scores
from dashboard.findings.comparisons import CANNOT_TELL
from dashboard.numbers import measures, stats, year_trend
from dashboard.numbers.cells import Share
from dashboard.numbers.stats import Control, wilson
from dashboard.numbers.year_trend import Year
from dashboard.release.reader import CountTable, load_release
from dashboard.text import language
from tests import simulated
from tests.agency import calls_of, tally_of, write_agency
from tests.app import test_app
from tests.conftest import ROOT
from tests.paper import page_of
from tests.simulated import COLUMNS, City, judged, write
from tests.unit.test_change import months

RELEASE = ROOT / "data_public"


@cache
def release():
    return load_release(RELEASE)


def cell(table, **codes):
    """One published count, read from its file and not by the app."""
    with (RELEASE / f"tables/{table}.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            given = {
                k: v for k, v in row.items() if k not in ("calls", "hours", "based_on", "status")
            }
            if all(value == codes.get(name, ALL) for name, value in given.items()):
                return int(row.get("calls") or row["hours"])
    raise LookupError((table, codes))


def figure(page, file):
    return next(f for f in page_of(release(), page).found if file in f.file)


def card(name):
    return next(claim for claim in claims.claims() if claim.name == name).find(release())


class Rewritten:
    """An engine that asks another question."""

    def __init__(self, engine, old, new):
        self.engine, self.old, self.new = engine, old, new

    def ask(self, sql):
        return self.engine.ask(sql.replace(self.old, self.new))

    def make(self, name, sql):
        assert self.old in sql
        return self.engine.make(name, sql.replace(self.old, self.new))

    def __getattr__(self, name):
        return getattr(self.engine, name)


def raw_statistic(folder, city, measure):
    """The columns of a statistic by year before rounding, and the calls that it is made from."""
    spec = (
        f'\n[[statistics]]\nname = "{measure}"\ntitle = "x"\nmeasure = "{measure}"\n'
        'dimensions = { period = ["all", "year"] }\nwhere = { eligible = "yes" }\n'
    )
    inputs = read_inputs(write(folder, city, (), spec))
    with open_engine(inputs.config.file, folder / "private") as engine:
        read_calls(engine, inputs.config, inputs.areas, folder / "private")
        statistics.note_next_contacts(engine, inputs.config)
        period = Dimension(inputs.codelists["period"], ("all", "year"))
        raw = statistics._raw(
            engine, inputs.config, inputs.config.file.statistics[0], {"period": period}
        )
    calls = pd.DataFrame(simulated.rows(city), columns=list(COLUMNS))
    calls = calls.assign(day=calls["at"].dt.normalize(), year=calls["at"].dt.year)
    return {
        name: dict(zip(period.codes, values, strict=True)) for name, values in raw.items()
    }, calls


# 1: eligible calls with a team against all other calls


def arrests_by_lot(_city):
    """3 % if eligible, 10 % if not; teams change nothing."""
    calls = pd.DataFrame(_ROWS(City(seed=7, choosing=0)), columns=list(COLUMNS))
    rng = np.random.default_rng(7)
    chance = np.where(calls["eligible"] == "yes", 0.03, 0.1)
    calls["arrest"] = np.where(rng.random(len(calls)) < chance, "yes", "no")
    return list(calls.itertuples(index=False, name=None))


_ROWS = simulated.rows


def check_like_with_like(tmp_path, patch):
    patch.setattr(simulated, "rows", arrests_by_lot)
    found = judged(tmp_path, City(seed=7), ("reached_arrest",))["reached_arrest"]
    assert found.low <= 0 <= found.high
    assert found.verdict == CANNOT_TELL


def plant_all_other_calls(patch):
    rows = compared._rows
    patch.setattr(
        compared,
        "_rows",
        lambda engine, *rest: rows(Rewritten(engine, "eligible = 'yes'", "TRUE"), *rest),
    )


# 2: visits of teams whose officer's time is missing are dropped


def short_visits_lost(city):
    """No effect, but the officer's time is missing where a team came and the visit was short."""
    found = []
    for row in _ROWS(city):
        there, clear = row[COLUMNS.index("there")], row[COLUMNS.index("clear")]
        short = there and pd.Timestamp(clear) - pd.Timestamp(there) < pd.Timedelta(minutes=18)
        at = COLUMNS.index("officer")
        lost = row[COLUMNS.index("unit")] != "police_only" and short
        found.append((*row[:at], "" if lost else row[at], *row[at + 1 :]))
    return found


def check_rows_dropped_on_one_side(tmp_path, patch):
    patch.setattr(simulated, "rows", short_visits_lost)
    measure = "compare_officer_minutes"
    assert judged(tmp_path, City(seed=5), (measure,))[measure].verdict == CANNOT_TELL


def plant_missing_is_fine(patch):
    patch.setattr(compared, "_recorded", lambda *_given: True)


# 3: any two calls close together count as a first call that was followed by another


def check_one_index_a_year(tmp_path, _patch):
    told, calls = raw_statistic(tmp_path, City(seed=3, calls=6000), "repeat_people_90")
    calls = calls.sort_values("at", kind="stable")
    calls = calls.assign(next_day=calls.groupby("person")["day"].shift(-1))
    shown = {}
    for year in (2024, 2025):
        fits = calls[(calls["eligible"] == "yes") & (calls["year"] == year)]
        first = fits[fits["day"] <= pd.Timestamp(year, 10, 2)].drop_duplicates("person")
        again = int(((first["next_day"] - first["day"]).dt.days <= 90).sum())
        shown[str(year)] = again / len(first)
        people = told["people_again"][str(year)], told["people_followed"][str(year)]
        assert people == (again, len(first))
    pooled = told["people_again"][ALL] / told["people_followed"][ALL]
    assert min(shown.values()) <= pooled <= max(shown.values())


def plant_any_close_pair(patch):
    distinct = statistics._distinct
    close = "min(day) + CAST(min(next_day - day) AS INTEGER) AS next_day"
    patch.setattr(
        statistics,
        "_distinct",
        lambda engine, *rest: distinct(
            Rewritten(engine, "min(next_day) AS next_day", close), *rest
        ),
    )


# 4: diversion over calls that no clinician came to


def check_diversion_is_of_those_reached(_tmp_path, _patch):
    shown = figure("safety", "jail-diversion")
    assert "a clinician came" in shown.title
    reached = cell("arrestable", responder="clinician")
    assert shown.table["Out of (N)"].iloc[0] == f"{reached:,}"
    for measure in measures.measures():
        if "diversion" in measure.plain.lower():
            assert "where a clinician came" in measure.out_of, measure.name


def plant_over_all_calls(patch):
    kept = CountTable.cell

    def over_all(self, codes):
        own = self.name == "arrestable"
        return kept(self, {k: v for k, v in codes.items() if not (own and k == "responder")})

    patch.setattr(CountTable, "cell", over_all)


def plant_diversion_in_words(patch):
    listed = measures.measures
    patch.setattr(
        measures,
        "measures",
        lambda: [replace(m, out_of=m.out_of.split(" where ")[0]) for m in listed()],
    )


# 5: a contact in the glossary, and another in the cost


def check_a_contact_is_one_thing(_tmp_path, _patch):
    met = cell("outcomes", period="2025", responder="clinician", outcome="met")
    assert program.costs_of_contacts(release())[-1].contacts == met


def plant_each_visit_is_a_contact(patch):
    kept = program.contacts_of

    def visits(release, year):
        table = release.find("responder", "period", "outcome")
        at = {"period": year, "responder": "clinician"}
        return table.cell(at)[0] if kept(release, year) else None

    patch.setattr(program, "contacts_of", visits)


# 6: visits over all calls, without partners that share no data, and without a window


def check_visits_have_bounds(tmp_path, _patch):
    found = next(t for t in target_scores.targets(release()) if t.measure == "connected")
    assert found.score.now.whole.value == cell(
        "referrals", period="2025", responder="clinician", handoff="agreed"
    )
    assert found.result in ("cannot_tell", "unclear")
    assert found.actual.startswith("at least")


def plant_visits_over_all_calls(patch):
    now = measures.measure("connected").counts
    over_all = replace(now, whole={"responder": "clinician"})
    told_otherwise(patch, "connected", query=over_all)
    patch.setattr(target_scores, "most_connected", lambda _release, _at: None)


def plant_silence_is_no(patch):
    patch.setattr(target_scores, "most_connected", lambda _release, _at: None)


HANDOFFS = """call_id,partner_type,offered,accepted,connected_at
1,clinic,yes,yes,2024-01-30
2,clinic,yes,yes,2024-02-24
3,clinic,yes,yes,2024-07-10
"""


def steps(folder):
    """How far three referrals got: a visit after 20 days, one after 45, and one after the day that
    the data reach to."""
    days = ("2024-01-10", "2024-01-10", "2024-06-20")
    text = "id,at,type\n" + "".join(f"{i},{day} 10:00,Crisis\n" for i, day in enumerate(days, 1))
    path = write_agency(folder, text, extra='\n[inputs]\nhandoffs = { paths = "handoffs.csv" }\n')
    (folder / "handoffs.csv").write_text(HANDOFFS)
    return {row["call_id"]: row["handoff"] for row in calls_of(path)}


def check_a_visit_has_thirty_days(tmp_path, _patch):
    assert steps(tmp_path) == {"1": "connected", "2": "accepted", "3": "open.step"}


def plant_any_visit_counts(patch):
    patch.setattr(call_records, "VISIT_DAYS", 60)


def plant_visits_after_the_data_count(patch):
    patch.setattr(call_records, "_handoff", lambda _config: "coalesce(h.handoff, 'none')")


# 7: a rounded quantile said as if it were exact


def check_quantiles_say_about(_tmp_path, _patch):
    said = [m for m in test_app.used_messages() if "{median}" in m or "{p90}" in m]
    assert said
    for message in said:
        for name in ("{median}", "{p90}"):
            assert "about" in message.partition(name)[0] or name not in message, message


def plant_half_within(patch):
    used = test_app.used_messages
    patch.setattr(
        test_app, "used_messages", lambda: {*used(), "Half came within {median} minutes."}
    )


# 8: hours of clinicians alone over hours of teams


def check_hours_are_of_the_same_teams(_tmp_path, _patch):
    shown = figure("staffing", "busy").data.set_index("period")["hours_on_calls"]
    assert shown["2025"] == cell("busy", period="2025", responder="co_responder")


def plant_hours_of_all_clinicians(patch):
    kept = program.statistic_row
    patch.setattr(
        program,
        "statistic_row",
        lambda release, table, dimension, code, _fixed: kept(
            release, table, dimension, code, {"responder": "clinician"}
        ),
    )


# 9: hours with a lost call over hours


def check_lost_calls_are_of_calls(_tmp_path, _patch):
    rows = figure("coverage", "no-team").table
    for reason in ("all_busy", "no_unit"):
        part, whole = (
            cell("not_served", period="2025", not_served_reason=code) for code in (reason, ALL)
        )
        found = rows[(rows["Calls (n)"] == f"{part:,}") & (rows["Out of (N)"] == f"{whole:,}")]
        assert len(found) == 1


def plant_over_hours(patch):
    kept = program.years_of
    patch.setattr(
        program,
        "years_of",
        lambda *given: [
            Share(s.code, s.label, s.part, replace(s.whole, value=8760)) for s in kept(*given)
        ],
    )


# 10: coverage of two services pooled


def check_hours_of_one_service(_tmp_path, _patch):
    shown = figure("coverage", "time-of-day")
    assert "2025" in shown.file and "changed within this year" in shown.note
    assert "changed within this time" in figure("coverage", "season").note


def plant_all_years(patch):
    patch.setattr(program, "last_year", lambda _release, _table: ALL)


def plant_changes_unsaid(patch):
    patch.setattr(program, "changed_within", lambda _release, _period: "")


# 11: who calls often is not yet known at the start of the data


def check_frequent_callers_of_a_whole_year(tmp_path, _patch):
    """By days alone: of each person, for each call the calls of the 365 days that it ends."""
    told, calls = raw_statistic(tmp_path, City(seed=3, calls=6000), "calls_of_frequent")
    year_before = pd.Timedelta(days=364)
    of_frequent = set()
    for person, days in calls.groupby("person")["day"]:
        for day in days.unique():
            if ((days >= day - year_before) & (days <= day)).sum() >= 5:
                of_frequent.add((person, day.year))
    fits = calls[(calls["eligible"] == "yes") & (calls["year"] == 2025)]
    mine = [(row.person, row.year) in of_frequent for row in fits.itertuples()]
    assert told["calls_frequent"]["2025"] == sum(mine) == told["calls_frequent"]["all"]
    assert told["based_on"]["2025"] == len(fits) == told["based_on"]["all"]
    assert not told["based_on"]["2024"] > 0, "the year before it is not in the data"


def plant_calls_so_far(patch):
    kept = statistics.note_next_contacts
    year, so_far = "PARTITION BY person_key, year(day)", "PARTITION BY person_key ORDER BY day"
    patch.setattr(
        statistics,
        "note_next_contacts",
        lambda engine, config: kept(Rewritten(engine, year, so_far), config),
    )


def plant_no_year_before(patch):
    class Every(list):
        def __contains__(self, _year):
            return True

    kept = statistics.whole_years
    patch.setattr(statistics, "whole_years", lambda config: Every(kept(config)))


# 12: calls that officers started above and not below


def check_the_community_above_and_below(_tmp_path, _patch):
    last = program.share_of_all(release())[-1]
    assert last.part.value == cell("calls_by_year_source", period="2025", source="community")


def plant_officers_calls_too(patch):
    patch.setattr(program, "COMMUNITY", ALL)


# 13: a field that is asked of few calls over all calls


def check_conditional_fields_have_a_base(tmp_path, _patch):
    columns = 'call_type = "type"\narrest = "arrest"\narrest_required = "law"\n'
    text = "id,at,type,arrest,law\n" + "".join(
        f"{i},2024-01-{i % 28 + 1:02d} 10:00,Crisis,{'yes,no' if i % 10 == 0 else 'no,'}\n"
        for i in range(200)
    )
    path = write_agency(tmp_path, text, {'call_type = "type"\n': columns})
    assert tally_of(path).completeness["arrest_required"] == (20, 20)


def plant_over_every_call(patch):
    patch.setattr(call_records, "OF_SOME", {})


# 14: a survey judged by those who answered it


def surveyed(patch, *waves):
    names = ("wave", "audience", "question", "agree", "respondents", "invited")
    rows = pd.DataFrame([dict(zip(names, map(str, wave), strict=True)) for wave in waves])
    kept = release().references
    patch.setitem(kept, "survey", rows)


def check_who_did_not_answer_counts(_tmp_path, patch):
    surveyed(patch, ("2025-05-31", "officers", "Teams help.", 97, 155, 318))
    assert card("support").verdict == "cannot_tell"


def plant_those_who_answered(patch):
    patch.setattr(
        claims, "answered_bounds", lambda wave: wilson(int(wave["agree"]), int(wave["respondents"]))
    )


# 15: limits drawn from all points, the one that is judged among them


def check_a_doubling_stands_out(_tmp_path, _patch):
    seen = 0
    for seed in range(20):
        series = months(random.Random(seed))
        series[20] *= 2
        seen += stats.control(series).outside[20]
    assert seen >= 19


def plant_limits_of_all_points(patch):
    def limits(counts):
        last = counts[-10:]
        far = [abs(x - fmean(last)) > 3 * stdev(last) for x in last]
        return Control((False,) * (len(counts) - 10) + tuple(far), None, False, 0.5)

    patch.setattr(stats, "control", limits)


# 16: a trend of two years, across a new rule, and with calls taken for independent


def check_a_trend_needs_three_years(_tmp_path, _patch):
    assert target_scores.score(release(), "coverage", "2025").trend == "too few years to say"


def plant_two_years(patch):
    patch.setattr(year_trend, "MIN_YEARS", 2)
    patch.setattr(target_scores, "last_break", lambda *_given: None)


def check_no_trend_across_a_new_code(_tmp_path, _patch):
    three = [Year(2023, 1000), Year(2024, 1200), Year(2025, 1400)]
    broken = year_trend.last_break(release(), year_trend.CODES)
    assert year_trend.trend(three, broken, 1.0) == year_trend.BROKEN


def plant_no_break(patch):
    patch.setattr(year_trend, "last_break", lambda *_given: None)


def check_people_who_call_again_widen_it(_tmp_path, _patch):
    three = [Year(2023, 1000), Year(2024, 1070), Year(2025, 1140)]
    assert year_trend.trend(three, None, year_trend.clustering(release())) == year_trend.NONE


def plant_independent_calls(patch):
    patch.setattr(year_trend, "clustering", lambda _release: 1.0)


# 17: savings with the sampling error alone


def check_savings_hold_prices_too(_tmp_path, _patch):
    found = figure("money", "savings").data.set_index("case")
    price = {r["item"]: r for r in release().reference("unit_costs").to_dict("records")}
    for case in ("low", "middle", "high"):
        assert found.loc[case, "price"] == float(price["jail_booking"][case])
    ends = found["sum"] / found["arrests_fewer"]
    assert ends["low"] < ends["middle"] < ends["high"]
    assert found.loc["low", "arrests_fewer"] < found.loc["high", "arrests_fewer"]


def plant_one_price(patch):
    kept = savings.cases
    patch.setattr(
        savings,
        "cases",
        lambda like, calls, cost, due: {
            name: replace(case, price=float(cost["middle"]))
            for name, case in kept(like, calls, cost, due).items()
        },
    )


def plant_no_chance(patch):
    kept = savings.cases
    patch.setattr(
        savings,
        "cases",
        lambda like, *rest: kept(
            replace(like, low=like.team - like.other, high=like.team - like.other), *rest
        ),
    )


# 18: a difference of rounded medians


def check_a_tie_is_a_tie(_tmp_path, _patch):
    rows = pd.DataFrame(
        [
            {"year": "2025", "teams": "on_a_call", "median": "8", **ends}
            for ends in ({"difference_low": "-20", "difference_high": "45"},)
        ]
        + [
            {
                "year": "2025",
                "teams": "not_on_a_call",
                "median": "7",
                "difference_low": "",
                "difference_high": "",
            }
        ]
    )
    assert "no clear difference" in urgent_waits.urgent_words(rows)


def plant_medians(patch):
    def by_median(rows, _year=""):
        busy, free = (rows[rows["teams"] == side]["median"].iloc[0] for side in SIDES)
        return "longer" if int(busy) > int(free) else "no clear difference"

    patch.setattr(urgent_waits, "urgent_words", by_median)


SIDES = ("on_a_call", "not_on_a_call")


# 19: ranks of what chance orders


def check_gaps_are_in_order_of_the_week(_tmp_path, _patch):
    days = [language.pick(day.label) for day in release().codelists["weekday"].at("day")]
    listed = [days.index(gap.day) for gap in coverage.gaps(release())]
    assert len(listed) == 10 and listed == sorted(listed)


def plant_ranks(patch):
    kept = coverage.gaps
    patch.setattr(
        coverage,
        "gaps",
        lambda release: sorted(kept(release), key=lambda g: -(g.calls or 0) / max(g.teams, 0.05)),
    )


# 20: two intervals that overlap taken for no difference


def check_the_difference_is_tested(_tmp_path, _patch):
    assert stats.shares_differ(560, 7000, 480, 7000)


def plant_overlap(patch):
    def apart(part_a, whole_a, part_b, whole_b, looks=1):
        (low_a, high_a), (low_b, high_b) = wilson(part_a, whole_a), wilson(part_b, whole_b)
        return low_a > high_b or low_b > high_a

    patch.setattr(stats, "shares_differ", apart)


# 21: units in the data dictionary


def package():
    return json.loads((RELEASE / "datapackage.json").read_text(encoding="utf-8"))


def check_units_are_right(_tmp_path, _patch):
    seen = 0
    for resource in globals()["package"]()["resources"]:
        table = resource.get("table", {})
        if table.get("kind") != "statistic":
            continue
        for field in resource["schema"]["fields"]:
            words = field.get("description", "")
            if field["name"] in ("median", "p90"):
                unit = "days" if table["measure"] == "days_to_connection" else "minutes"
                assert f"in {unit}" in words
            elif field["type"] == "integer":
                assert "minutes" not in words, (table["measure"], field["name"])
            if "design" in table and field["name"] in ("team", "other", "low", "high"):
                unit = "seconds" if table["design"]["unit"] == "seconds" else "per 10,000 calls"
                assert unit in words
            seen += 1
    assert seen > 50


def plant_minutes_everywhere(patch):
    read = package

    def wrong():
        found = read()
        for resource in found["resources"]:
            if resource.get("table", {}).get("kind") == "statistic":
                for field in resource["schema"]["fields"]:
                    field["description"] = "In whole minutes."
        return found

    patch.setitem(globals(), "package", wrong)


# 22: small words


def check_small_words(_tmp_path, _patch):
    told = {m.name: m for m in measures.measures()}
    assert "on the day of the call or the next" in told["follow_ups"].caveat
    assert "One person may have several calls" in told["follow_ups"].caveat
    assert "as if it had come too late" in told["wait_within_30"].caveat
    assert "People" in told["repeat"].counted and "people" in told["repeat"].out_of
    units = {name: told[name].unit for name in ("repeat", "follow_ups", "connected")}
    assert units == {"repeat": "people", "follow_ups": "calls", "connected": "calls"}


def told_otherwise(patch, name, **change):
    listed = measures.measures
    patch.setattr(
        measures,
        "measures",
        lambda: [replace(m, **change) if m.name == name else m for m in listed()],
    )


def plant_small_words(patch):
    told_otherwise(patch, "wait_within_30", caveat="")


def plant_a_wrong_unit(patch):
    told_otherwise(patch, "follow_ups", unit="people")


FAULTS: list[tuple[int, Callable[..., None], Callable[..., None]]] = [
    (1, check_like_with_like, plant_all_other_calls),
    (2, check_rows_dropped_on_one_side, plant_missing_is_fine),
    (3, check_one_index_a_year, plant_any_close_pair),
    (4, check_diversion_is_of_those_reached, plant_over_all_calls),
    (4, check_diversion_is_of_those_reached, plant_diversion_in_words),
    (5, check_a_contact_is_one_thing, plant_each_visit_is_a_contact),
    (6, check_visits_have_bounds, plant_visits_over_all_calls),
    (6, check_visits_have_bounds, plant_silence_is_no),
    (6, check_a_visit_has_thirty_days, plant_any_visit_counts),
    (7, check_quantiles_say_about, plant_half_within),
    (8, check_hours_are_of_the_same_teams, plant_hours_of_all_clinicians),
    (9, check_lost_calls_are_of_calls, plant_over_hours),
    (10, check_hours_of_one_service, plant_all_years),
    (10, check_hours_of_one_service, plant_changes_unsaid),
    (11, check_frequent_callers_of_a_whole_year, plant_calls_so_far),
    (11, check_frequent_callers_of_a_whole_year, plant_no_year_before),
    (12, check_the_community_above_and_below, plant_officers_calls_too),
    (13, check_conditional_fields_have_a_base, plant_over_every_call),
    (14, check_who_did_not_answer_counts, plant_those_who_answered),
    (15, check_a_doubling_stands_out, plant_limits_of_all_points),
    (16, check_a_trend_needs_three_years, plant_two_years),
    (16, check_no_trend_across_a_new_code, plant_no_break),
    (16, check_people_who_call_again_widen_it, plant_independent_calls),
    (17, check_savings_hold_prices_too, plant_one_price),
    (17, check_savings_hold_prices_too, plant_no_chance),
    (18, check_a_tie_is_a_tie, plant_medians),
    (19, check_gaps_are_in_order_of_the_week, plant_ranks),
    (20, check_the_difference_is_tested, plant_overlap),
    (21, check_units_are_right, plant_minutes_everywhere),
    (22, check_small_words, plant_small_words),
    (22, check_small_words, plant_a_wrong_unit),
    (22, check_a_visit_has_thirty_days, plant_visits_after_the_data_count),
]


@pytest.mark.parametrize(
    ("row", "check", "plant"),
    FAULTS,
    ids=[f"{row}-{plant.__name__.removeprefix('plant_')}" for row, _check, plant in FAULTS],
)
def test_a_planted_fault_is_caught(row, check, plant, tmp_path):
    """The check holds; with the fault in place it fails."""
    language.use("en")
    with pytest.MonkeyPatch.context() as patch:
        check(tmp_path / "right", patch)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError):
            check(tmp_path / "wrong", patch)


def test_each_fault_has_a_row():
    assert {row for row, _check, _plant in FAULTS} == set(range(1, 23))
