"""Each measure of the list, worked out again in pandas from the example city's exports and from the
measure's definition alone, equals what the release shows."""

from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from dashboard.findings.program import contacts_of, costs_of_contacts, share_of_all
from dashboard.numbers.measures import measures
from dashboard.release.reader import load_release
from dashboard.text import language
from tests.builds import test_completeness, test_handoffs, test_inputs, test_statistics
from tests.paper import page_of

THRESHOLD = 11
YES_NO = {"Y": "yes", "N": "no", "": "unknown"}
SEASONS = ["winter", "spring", "summer", "fall"]
TIMES = ["received", "dispatched", "on_scene", "cleared"]
ZONE = "America/Chicago"


@pytest.fixture(scope="module")
def release(example_city):
    language.use("en")
    return load_release(example_city[1])


@pytest.fixture(scope="module")
def tables(example_city):
    folder = example_city[1] / "tables"
    return lambda name: pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def export(example_exports):
    return lambda name: pd.read_csv(
        example_exports / f"{name}.csv", dtype=str, keep_default_na=False
    )


@pytest.fixture(scope="module")
def calls(export, example_exports):
    """One row for each call. A column for each field, and for each level above it, with the codes
    of the release."""
    c = export("calls").rename(columns={"incident_no": "call_id"})
    for name in TIMES:
        c[name] = pd.to_datetime(c[name].replace("", None))
    at, hour = c["received"].dt, c["received"].dt.hour
    c["year"], c["month"] = at.strftime("%Y"), at.strftime("%Y-%m")
    c["quarter"] = c["year"] + "-Q" + at.quarter.astype(str)
    c["day"] = at.normalize()
    c["weekday"] = (at.weekday + 1).astype(str)
    c["part"] = np.where(at.weekday < 5, "mon-fri", "sat-sun")
    c["hour"] = hour.map("{:02d}".format)
    c["block"] = (hour // 4 * 4).map(lambda first: f"{first:02d}-{first + 3:02d}")
    c["season"] = (at.month % 12 // 3).map(dict(enumerate(SEASONS)))
    beats = gpd.read_file(example_exports / "beats.geojson")[["beat", "district", "geometry"]]
    points = gpd.points_from_xy(pd.to_numeric(c["longitude"]), pd.to_numeric(c["latitude"]))
    placed = gpd.GeoDataFrame(c[["call_id"]], geometry=points, crs=4326).sjoin(beats, how="left")
    placed = placed[~placed.index.duplicated()]
    c["beat"], c["district"] = (
        placed["beat"].fillna("unknown"),
        placed["district"].fillna("unknown"),
    )
    c["type"], c["first"] = c["final_type"].map(_types()), c["first_type"].map(_types())
    c["source"] = c["call_source"].map(
        {"911": "s911", "988": "s988", "NON-EMERGENCY": "non_emergency", "OFFICER": "officer"}
    )
    c["origin"] = np.where(c["source"] == "officer", "started", "community")
    c["responder"] = c["unit_type"].map(
        {"COR": "co_responder", "CLIN": "clinician_only", "PD": "police_only", "FIRE/EMS": "other"}
    )
    c["reached"] = np.where(c["unit_type"].isin(["COR", "CLIN"]), "clinician", "no_clinician")
    c["end"] = c["disposition"].map(
        {
            "STAY-PLAN": "stayed_with_plan",
            "SAFETY PLAN/REF": "safety_plan_referral",
            "CRISIS CTR VOL": "crisis_center",
            "ED VOL": "emergency_department",
            "HOLD": "involuntary_hold",
            "ARREST/CITE": "arrest_or_citation",
            "REFUSED": "refused",
            "NOT FOUND": "not_found",
            "HANDED OFF": "handed_over",
            "": "unknown",
        }
    )
    c["contact"] = np.select(
        [c["end"] == "unknown", c["end"].isin(["refused", "not_found"])],
        ["unknown", "not_met"],
        "met",
    )
    reasons = {
        "NO UNIT ON DUTY": "no_unit",
        "ALL UNITS BUSY": "all_busy",
        "OUT OF AREA": "out_of_area",
        "DISPATCH DECLINED": "declined",
        "CANCELLED": "cancelled",
        "SCENE NOT SAFE": "safety_hold",
        "": "unknown",
    }
    c["reason"] = c["not_served"].map(reasons).where(c["reached"] != "clinician", "served")
    c["minutes"] = span(c, "received", "on_scene")
    c["band"] = (
        pd.cut(
            c["minutes"],
            [0, 10, 20, 30, 60, np.inf],
            right=False,
            labels=["under_10", "10_to_20", "20_to_30", "30_to_60", "over_60"],
        )
        .astype(object)
        .fillna("unknown")
    )
    c["half_hour"] = np.select(
        [c["minutes"] < 30, c["minutes"] >= 30], ["within_30", "over_30"], "unknown"
    )
    return c


def _types():
    return {
        "MENTAL HEALTH": "mental_health",
        "SUICIDE CONCERN": "suicide_concern",
        "OVERDOSE/SUBSTANCE": "substance_use",
        "WELFARE CHECK": "welfare_check",
        "DISTURBANCE BH": "disturbance",
        "NOT BH": "not_a_crisis",
    }


@pytest.fixture(scope="module")
def same(tables):
    """`same(table, calls, dimension=(levels, from the coarsest))`: every published count of the
    table equals the number of those calls with its codes; and what should be published, is."""

    def compare(table, calls, **levels):
        shown = tables(table)
        names = [name for name in shown if name not in ("calls", "status")]
        assert set(names) == set(levels)
        counted = {}
        for chosen in product(*[("all", *levels[name]) for name in names]):
            groups = [level for level in chosen if level != "all"]
            sizes = calls.groupby(groups).size() if groups else pd.Series({(): len(calls)})
            for codes, n in sizes.items():
                given = iter(codes if isinstance(codes, tuple) else (codes,))
                counted[tuple("all" if x == "all" else next(given) for x in chosen)] = n
        published = 0
        for row in shown.itertuples():
            codes = tuple(getattr(row, name).split(".")[0] for name in names)
            true = counted.get(codes, 0)
            if row.status == "published":
                published += 1
                assert int(row.calls) == true, (table, codes, row.calls, true)
            else:
                assert row.status == "suppressed" and row.calls == ""
        assert published > len(shown) / 3, "most of the table is withheld"

    return compare


@pytest.fixture(scope="module")
def near(tables):
    """`near(table, column, expected, within, **codes)`: a rounded number of the release."""

    def compare(table, column, expected, within, **codes):
        shown = tables(table)
        for name, code in codes.items():
            shown = shown[shown[name] == code]
        assert len(shown) == 1
        assert abs(float(shown[column].iloc[0]) - expected) <= within, (table, codes, expected)

    return compare


PERIOD, AREA = ("year",), ("district", "beat")
WHO = ("reached",)


def answer(calls, column):
    """A column of Y and N as the codes of a yes/no field."""
    return calls.assign(answer=calls[column].map(YES_NO))


def by_answer(table, column, field, *, period=True):
    """A measure of one yes/no field by year and who came."""

    def check(calls, same, **_more):
        levels = {"responder": WHO, field: ("answer",)} | ({"period": PERIOD} if period else {})
        same(table, answer(calls, column), **levels)

    return check


def check_calls(calls, same, **_more):
    same("calls_by_month_area", calls, period=("year", "month"), area=("district",))
    same("calls_by_month_type", calls, period=("year", "month"), call_type=("type",))
    same(
        "calls_by_quarter_area_type",
        calls,
        period=("year", "quarter"),
        area=("district",),
        call_type=("type",),
    )
    same(
        "calls_by_weekday_hour", calls, period=PERIOD, weekday=("weekday",), hour=("block", "hour")
    )
    priority = calls.assign(p=("p" + calls["priority"]).replace("p", "unknown"))
    same("calls_by_year_priority", priority, period=PERIOD, priority=("p",))


def check_share_of_all(calls, export, release, same, **_more):
    same(
        "calls_by_year_source",
        calls,
        period=PERIOD,
        source=("origin", "source"),
        call_type=("type",),
    )
    every = export("all_calls").assign(n=lambda f: f["calls"].astype(int))
    last = share_of_all(release)[-1]
    assert last.whole.value == every.loc[every["month"].str[:4] == "2025", "n"].sum()
    mine = calls[(calls["year"] == "2025") & (calls["call_source"] != "OFFICER")]
    assert last.part.value == len(mine)


def check_eligible(calls, same, **_more):
    fits = answer(calls, "eligible")
    same("triage", fits, period=PERIOD, area=("district",), eligible=("answer",))


def check_coverage(calls, same, **_more):
    fits = calls[calls["eligible"] == "Y"]
    same("coverage_by_area", fits, period=PERIOD, area=AREA, responder=WHO)
    same("coverage_by_hour", fits, period=PERIOD, weekday=("part",), hour=("block",), responder=WHO)
    same("coverage_by_season", fits, season=("season",), weekday=("part",), responder=WHO)
    setting = fits.assign(s=fits["setting"].str.lower().replace("", "unknown"))
    same("coverage_by_setting", setting, period=PERIOD, setting=("s",), responder=WHO)


def check_missed(calls, same, **_more):
    fits = calls[calls["eligible"] == "Y"]
    same("not_served", fits, period=PERIOD, not_served_reason=("reason",))
    same("not_served_by_area", fits, area=("district",), not_served_reason=("reason",))


def quantiles(near, table, minutes, **codes):
    """The middle value and the one that 9 in 10 stay under, in whole minutes; what they rest on is
    told in tens, with a few left open."""
    near(table, "median", minutes.quantile(0.5), 0.5, **codes)
    near(table, "p90", minutes.quantile(0.9), 0.5, **codes)
    near(table, "based_on", minutes.count() - THRESHOLD, THRESHOLD, **codes)


def each_year(calls):
    yield "all", calls
    yield from calls.groupby("year")


def span(calls, first, last):
    """Minutes between two times. They are instants: an hour that came twice or never, when the
    clocks changed, says nothing; nor does a time before the first, or a day later."""
    begin, end = (
        calls[name].dt.tz_localize(ZONE, ambiguous="NaT", nonexistent="NaT")
        for name in (first, last)
    )
    minutes = (end - begin).dt.total_seconds() / 60
    return minutes.where(minutes.between(0, 24 * 60))


def check_wait(calls, near, **_more):
    for year, mine in each_year(calls):
        quantiles(near, "wait_by_area", mine["minutes"], period=year, area="all")
        for district, here in mine.groupby("district"):
            quantiles(near, "wait_by_area", here["minutes"], period=year, area=district)
        for who, theirs in mine.groupby("reached"):
            quantiles(near, "wait_by_who_came", theirs["minutes"], period=year, responder=who)
        for block, then in mine.groupby("block"):
            quantiles(near, "wait_by_time_of_day", then["minutes"], period=year, hour=block)


def by_who(table, first, last):
    def check(calls, near, **_more):
        timed = calls.assign(m=span(calls, first, last))
        for year, mine in each_year(timed):
            for who, theirs in mine.groupby("reached"):
                quantiles(near, table, theirs["m"], period=year, responder=who)

    return check


def check_wait_within_30(calls, same, **_more):
    same("waits", calls, period=PERIOD, responder=WHO, wait=("half_hour", "band"))


def check_outcomes(calls, same, **_more):
    same(
        "outcomes",
        calls,
        period=PERIOD,
        call_type=("type",),
        responder=WHO,
        outcome=("contact", "end"),
    )


def check_contact(calls, release, **_more):
    for year, mine in calls.groupby("year"):
        met = mine[(mine["reached"] == "clinician") & (mine["contact"] == "met")]
        assert contacts_of(release, year) == len(met)


def check_jail_diversion(calls, same, **_more):
    may_be_arrested = answer(calls[calls["arrestable"] == "Y"], "arrest_made")
    same("arrestable", may_be_arrested, period=PERIOD, responder=WHO, arrest=("answer",))


def check_injuries(calls, same, **more):
    by_answer("officers_hurt", "hurt_officer", "injured_officer", period=False)(calls, same)
    by_answer("clinicians_hurt", "hurt_clinician", "injured_clinician", period=False)(calls, same)
    by_answer("people_hurt", "hurt_person", "injured_person")(calls, same)


def hours_of_shifts(export, year, column, *, patrol=False):
    """Hours of shifts within a year: those of teams that were planned, those with both an officer
    and a clinician at work, or those of patrol units at work."""
    shifts = export("shifts")
    begin, end = (
        pd.to_datetime(shifts[name]).dt.tz_localize(
            ZONE, ambiguous=True, nonexistent="shift_forward"
        )
        for name in ("start", "end")
    )
    first, last = (pd.Timestamp(f"{y}-01-01", tz=ZONE) for y in (int(year), int(year) + 1))
    hours = (end.clip(upper=last) - begin.clip(lower=first)).dt.total_seconds().clip(lower=0) / 3600
    mine = (shifts[column] == "yes") & ((shifts["patrol"] == "yes") == patrol)
    if column == "worked" and not patrol:
        mine &= (shifts["officer"] == "yes") & (shifts["clinician"] == "yes")
    return hours[mine].sum()


def hours_told(tables, year, column):
    months = tables("staffed_months")
    return months.loc[months["month"].str[:4] == year, column].astype(float).sum()


def check_staff_hurt(calls, **more):
    check_injuries(calls, **more)
    check_staffed(**more)


def check_er_diversion(calls, same, **_more):
    """Taken there: by their own choice, or on a hold."""
    needed = calls[calls["ed_criteria"] == "Y"]
    taken = np.select(
        [
            needed["end"].isin(["emergency_department", "involuntary_hold"]),
            needed["end"] == "unknown",
        ],
        ["yes", "unknown"],
        "no",
    )
    same(
        "emergency_diversion",
        needed.assign(taken=taken),
        period=PERIOD,
        responder=WHO,
        taken_to_ed=("taken",),
    )


def referrals(calls, export):
    """Each call with what became of its referral: a visit counts within 30 days, and only once
    those 30 days lie within the data."""
    sent = export("handoffs").merge(calls[["call_id", "day"]], on="call_id")
    assert not sent["call_id"].duplicated().any()
    accepted = sent["accepted"] == "yes"
    over = sent["day"] + pd.Timedelta(days=30) <= pd.Timestamp("2025-12-31")
    days = (pd.to_datetime(sent["connected_at"].replace("", None)) - sent["day"]).dt.days
    sent["step"] = np.select(
        [~accepted & (sent["offered"] == "yes"), ~accepted, ~over, days.between(0, 30)],
        ["declined", "none", "open", "connected"],
        "accepted",
    )
    joined = calls.merge(sent[["call_id", "step", "partner_type"]], on="call_id", how="left")
    joined["step"] = joined["step"].fillna("none")
    joined["partner_type"] = joined["partner_type"].fillna("none")
    joined["agreed"] = joined["step"].map(
        {"none": "not_agreed", "declined": "not_agreed", "open": "open"}
    )
    joined["agreed"] = joined["agreed"].fillna("agreed")
    return joined


def check_referrals(calls, export, same, **_more):
    sent = referrals(calls, export)
    same("referrals", sent, period=PERIOD, responder=WHO, handoff=("agreed", "step"))
    same("partners", sent, period=PERIOD, partner=("partner_type",), handoff=("agreed", "step"))


def check_staffed(export, tables, **_more):
    for year in ("2024", "2025"):
        for column in ("planned", "worked"):
            true = hours_of_shifts(export, year, column)
            assert abs(hours_told(tables, year, column) - true) <= 6, "half an hour for each month"


def check_patrol(export, tables, **more):
    check_staffed(export, tables, **more)
    for year in ("2024", "2025"):
        true = hours_of_shifts(export, year, "worked", patrol=True)
        assert abs(hours_told(tables, year, "patrol") - true) <= 6


def check_no_team(calls, tables, **more):
    check_missed(calls, **more)
    lost = calls[(calls["eligible"] == "Y") & calls["reason"].isin(["no_unit", "all_busy"])]
    shown = tables("not_served").set_index(["period", "not_served_reason"])["calls"]
    assert len(lost) == sum(int(shown["all", why]) for why in ("no_unit", "all_busy"))


def row_by_row(name, *columns):
    """A reference table is published as the agency gives it."""

    def check(export, tables, **_more):
        kept = list(columns)
        assert tables(name)[kept].values.tolist() == export(name)[kept].values.tolist()

    return check


def check_turnover(export, tables, **_more):
    months = export("staffing").astype({"filled": int, "left": int})
    months["year"] = months["month"].str[:4]
    shown = tables("turnover").set_index(["year", "role"])
    for place, mine in months.groupby(["year", "role"]):
        assert int(shown.loc[place, "left"]) == mine["left"].sum()
        assert float(shown.loc[place, "average"]) == pytest.approx(mine["filled"].mean(), abs=0.051)


def check_reviews(export, tables, **_more):
    """Told as the agency counts them: findings of a year."""
    shown, given = tables("feedback"), export("feedback")
    assert shown["kind"].tolist() == given["kind"].tolist()
    for told, true in zip(shown["received"], given["received"], strict=True):
        assert told == (true if int(true) == 0 or int(true) >= THRESHOLD else "")


def check_cost(calls, export, release, **_more):
    budget = export("budget")
    spent = pd.to_numeric(budget["spent"]).groupby(budget["year"]).sum()
    costs = {cost.year: cost for cost in costs_of_contacts(release)}
    for year, mine in calls.groupby("year"):
        met = mine[(mine["reached"] == "clinician") & (mine["contact"] == "met")]
        assert costs[year].spent == spent[year] and costs[year].contacts == len(met)


def check_saved(calls, export, tables, release, **_more):
    """Fewer arrests of like calls, over all calls that found a free team (reached, or not reached
    for another reason than teams), half of
    them due to teams (where the page begins), times what a jail booking costs."""
    fits = calls[calls["eligible"] == "Y"]
    free = (~fits["reason"].isin(["no_unit", "all_busy", "unknown"])).sum()
    like = tables("compare_arrest").set_index("period").loc["all"]
    prices = export("unit_costs").set_index("item").loc["jail_booking"]
    found = next(f for f in page_of(release, "money").found if "savings" in f.file)
    shown = found.data.set_index("case")
    ends = {"low": int(like["high"]), "middle": int(like["team"]) - int(like["other"])}
    ends["high"] = int(like["low"])
    for case, end in ends.items():
        fewer = max(0.0, -end / 10_000) * free * 0.5
        assert shown.loc[case, "sum"] == pytest.approx(fewer * float(prices[case]), abs=1)


def check_equity(calls, export, same, tables, **_more):
    groups = {"W": "white", "B": "black", "H": "hispanic", "A": "asian", "O": "other"}
    fits = calls[calls["eligible"] == "Y"]
    fits = fits.assign(group=fits["race"].map(groups).fillna("unknown"))
    same("fairness", fits, period=PERIOD, race_ethnicity=("group",), responder=WHO)
    row_by_row("population", "dimension", "code", "residents")(export, tables)


def check_language(calls, same, **_more):
    spoken = {"ENG": "english", "SPA": "spanish", "VIE": "other", "ASL": "other", "": "unknown"}
    spoke = answer(calls, "interpreter").assign(spoken=calls["language"].map(spoken))
    same("languages", spoke, period=PERIOD, language=("spoken",), interpreter_used=("answer",))


def group(calls):
    groups = {"W": "white", "B": "black", "H": "hispanic", "A": "asian", "O": "other"}
    return calls["race"].map(groups).fillna("unknown")


def by_group(table, column, field):
    """A measure of one yes/no field by group."""

    def check(calls, same, **_more):
        mine = answer(calls, column).assign(group=group(calls))
        same(table, mine, race_ethnicity=("group",), **{field: ("answer",)})

    return check


def coded(table, column, field, codes, **levels):
    """A measure of one field with codes, of all calls."""

    def check(calls, same, **_more):
        told = calls.assign(code=calls[column].map({**codes, "": "unknown"}))
        same(table, told, **{field: ("code",)}, **levels)

    return check


def check_clinician_role(calls, same, **_more):
    codes = {"FIRST": "first_contact", "AFTER PD": "after_patrol", "PHONE": "by_phone"}
    teams = calls[calls["unit_type"] == "COR"]
    check = coded(
        "clinician_roles",
        "clinician_first",
        "clinician_role",
        {**codes, "NO TALK": "did_not_speak"},
        period=PERIOD,
    )
    check(teams, same)


def check_hold_started_by(calls, same, **_more):
    check = coded(
        "holds",
        "hold_by",
        "hold_started_by",
        {"CLIN": "clinician", "PD": "officer", "OTHER": "other"},
        period=PERIOD,
        responder=WHO,
    )
    check(calls[calls["end"] == "involuntary_hold"], same)


def check_officer_trained(calls, same, **_more):
    police = answer(calls[calls["unit_type"] == "PD"], "force_used")
    police = police.assign(trained=police["crisis_trained"].map(YES_NO))
    same("force_by_training", police, officer_trained=("trained",), force_used=("answer",))


def check_instead(calls, same, **_more):
    fits = calls[calls["eligible"] == "Y"]
    same("instead", fits, not_served_reason=("reason",), responder=("reached", "responder"))


def on_duty(calls, export):
    """Was a unit with both an officer and a clinician at work when the call came in?"""
    shifts = export("shifts")
    both = (shifts["officer"] == "yes") & (shifts["clinician"] == "yes")
    mine = shifts[both & (shifts["worked"] == "yes") & (shifts["patrol"] == "no")]
    edges = [pd.to_datetime(mine[name]).to_numpy() for name in ("start", "end")]
    at = calls["received"].to_numpy()[:, None]
    return ((at >= edges[0]) & (at < edges[1])).any(axis=1)


def check_program_area(calls, export, same, **_more):
    fits = calls[calls["eligible"] == "Y"]
    fits = fits.assign(
        inside=fits["program_area"].map(YES_NO),
        duty=np.where(on_duty(fits, export), "yes", "no"),
    )
    same("program_area", fits, in_program_area=("inside",), on_duty=("duty",))


def check_backup(calls, same, near, **more):
    by_answer("backup", "backup", "backup_requested")(calls, same)
    asked = calls[calls["backup"] == "Y"]
    same("backup_calls", asked, period=PERIOD)
    times = asked[["year"]].assign(
        **{
            name: pd.to_datetime(asked[name].replace("", None))
            for name in ("received", "backup_asked", "backup_came")
        }
    )
    minutes = span(times, "backup_asked", "backup_came").where(
        span(times, "received", "backup_asked").notna()
    )
    for year, mine in each_year(asked.assign(m=minutes)):
        quantiles(near, "backup_minutes", mine["m"], period=year)


def check_sent_index(calls, same, release, **_more):
    fits = calls[calls["eligible"] == "Y"]
    same("coverage_by_quarter", fits, period=("year", "quarter"), responder=WHO)
    figure = next(f for f in page_of(release, "funnel").found if f.file == ("sent-index",))
    first = fits[fits["quarter"] == "2024-Q1"]
    last = fits[fits["quarter"] == "2025-Q4"]
    shown = figure.table.iloc[-1]
    for column, mine in (
        ("Calls that met the criteria", (first, last)),
        ("Reached by a clinician", [f[f["reached"] == "clinician"] for f in (first, last)]),
    ):
        begin, end = (len(f) for f in mine)
        assert shown[column] == f"{round(100 * end / begin)} ({end:,} calls)"


def check_unstaffed_days(export, tables, **_more):
    """Days on which no hour was staffed."""
    shifts = export("shifts")
    both = (shifts["officer"] == "yes") & (shifts["clinician"] == "yes")
    mine = shifts[both & (shifts["worked"] == "yes") & (shifts["patrol"] == "no")]
    staffed = set(mine["start"].str[:10])
    late = mine[mine["end"].str[11:] > "00:00:00"]
    staffed |= set(late["end"].str[:10])
    shown = tables("unstaffed_days").set_index("month")
    for month, days in pd.Series(pd.date_range("2024-01-01", "2025-12-31")).groupby(
        lambda i: f"{pd.Timestamp('2024-01-01') + pd.Timedelta(days=i):%Y-%m}"
    ):
        none = [day for day in days if f"{day:%Y-%m-%d}" not in staffed]
        assert int(shown.loc[month, "days"]) == len(days)
        assert int(shown.loc[month, "without_team"]) == len(none)
        assert shown.loc[month, "which"] == ", ".join(str(day.day) for day in none)


def check_unstaffed_areas(export, tables, release, **_more):
    """Day by day and district by district: was a team with both roles at work that names it?"""
    shifts = export("shifts")
    teams = shifts[shifts["patrol"] == "no"]
    assert (teams["area"] != "").all()
    mine = teams[
        (teams["officer"] == "yes") & (teams["clinician"] == "yes") & (teams["worked"] == "yes")
    ]
    shown = tables("unstaffed_areas").set_index(["area", "month"])
    days = pd.date_range("2024-01-01", "2025-12-31")
    lost = {}
    for area in ("riverside", "old_town", "harbor", "north_hills"):
        own = mine[mine["area"].str.split("; ").map(lambda named, area=area: area in named)]
        start, end = pd.to_datetime(own["start"]), pd.to_datetime(own["end"])
        past = end.dt.normalize() < end
        at_work = {*start.dt.normalize(), *end[past].dt.normalize()}
        hours = dict.fromkeys({f"{day:%Y-%m}" for day in days}, 0.0)
        # In the agency's zone: the night on which clocks go ahead lacks an hour.
        zoned = (edge.dt.tz_localize("America/Chicago") for edge in (start, end))
        for first, last in zip(*zoned, strict=True):
            for hour in pd.date_range(first, last, freq="h", inclusive="left"):
                if hour.year < 2026:
                    hours[f"{hour:%Y-%m}"] += 1
        for month in hours:
            of_month = [day for day in days if f"{day:%Y-%m}" == month]
            none = [day for day in of_month if day not in at_work]
            assert shown.loc[(area, month), "which"] == ", ".join(str(d.day) for d in none)
            assert int(shown.loc[(area, month), "without_team"]) == len(none)
            assert int(shown.loc[(area, month), "days"]) == len(of_month)
            assert int(shown.loc[(area, month), "hours"]) == hours[month]
            lost[area, month[:4]] = lost.get((area, month[:4]), 0) + len(none)
    found = next(f for f in page_of(release, "staffing").found if f.file[0] == "unstaffed-areas")
    told = found.data.set_index(["area", "year"])["without_team"]
    assert dict(told) == lost and lost["north_hills", "2024"] == 366


def check_unavailable(calls, same, **_more):
    codes = {"NONE": "nothing", "BED": "bed", "SHELTER": "shelter", "RIDE": "transport"}
    told = calls.assign(kind=calls["missing"].map({**codes, "OTHER": "other", "": "unknown"}))
    told["found"] = told["kind"].map({"nothing": "had", "unknown": "unknown"}).fillna("lacking")
    same(
        "unavailable",
        told,
        period=PERIOD,
        responder=WHO,
        partner_unavailable=("found", "kind"),
    )


def check_crews_freed(calls, near, same, **_more):
    came = calls[calls["crew"] == "Y"]
    same("other_crews", came, period=PERIOD)
    times = came.assign(crew_left=pd.to_datetime(came["crew_left"].replace("", None)))
    freed = span(times, "crew_left", "cleared").where(span(times, "received", "crew_left").notna())
    came = came.assign(m=freed)
    for year, mine in each_year(came):
        near("crews_freed", "hours", mine["m"].sum() / 60, 5, period=year)


CHECKS = {
    "clinician_role": check_clinician_role,
    "restrained": by_answer("restraints", "restrained", "restrained"),
    "restrained_group": by_group("restraints_by_group", "restrained", "restrained"),
    "holds": check_outcomes,
    "hold_started_by": check_hold_started_by,
    "officer_trained": check_officer_trained,
    "crisis_in_report": by_group("crisis_in_reports", "crisis_in_report", "crisis_in_report"),
    "targets_for": row_by_row("targets", "measure", "year", "serves"),
    "instead": check_instead,
    "program_area": check_program_area,
    "triaged": coded(
        "triaged",
        "checked",
        "triaged",
        {"CHECKED": "checked", "NOBODY FREE": "nobody_free", "OTHER": "other_reason"},
        period=PERIOD,
    ),
    "backup": check_backup,
    "handed_back": by_answer("handed_back", "handed_back", "handed_back"),
    "sent_index": check_sent_index,
    "started_by_team": by_answer("started_by_team", "team_started", "started_by_team"),
    "unstaffed_days": check_unstaffed_days,
    "unstaffed_areas": check_unstaffed_areas,
    "unavailable": check_unavailable,
    "unavailable_kind": check_unavailable,
    "declined": check_referrals,
    "crews_freed": check_crews_freed,
    "calls": check_calls,
    "first_coded": test_handoffs.test_first_types_leads_and_citations_equal_pandas,
    "share_of_all": check_share_of_all,
    "eligible": check_eligible,
    "coverage": check_coverage,
    "missed": check_missed,
    "wait": check_wait,
    "dispatch": by_who("dispatch_by_who_came", "dispatched", "on_scene"),
    "queue": by_who("queue_by_who_came", "received", "dispatched"),
    "on_scene": by_who("scene_by_who_came", "on_scene", "cleared"),
    "wait_within_30": check_wait_within_30,
    "urgent": test_statistics.test_waits_of_urgent_calls_equal_pandas,
    "outcomes": check_outcomes,
    "contact": check_contact,
    "stayed": check_outcomes,
    "arrests": by_answer("arrests", "arrest_made", "arrest"),
    "citations": by_answer("citations", "cited", "citation"),
    "required_arrests": test_handoffs.test_first_types_leads_and_citations_equal_pandas,
    "jail_diversion": check_jail_diversion,
    "force": by_answer("force", "force_used", "force_used"),
    "serious_force": by_answer("serious_force", "serious_force", "serious_force", period=False),
    "compared": test_inputs.test_like_calls_side_by_side,
    "injuries": check_injuries,
    "staff_hurt": check_staff_hurt,
    "weapon": by_answer("weapons", "weapon", "weapon_reported"),
    "repeat": test_statistics.test_people_who_called_again_equal_pandas,
    "frequent": test_statistics.test_hours_and_frequent_calls_equal_pandas,
    "er_diversion": check_er_diversion,
    "referrals": check_referrals,
    "connected": check_referrals,
    "follow_ups": test_handoffs.test_handoffs_and_follow_ups_equal_pandas,
    "warm": test_handoffs.test_handoffs_and_follow_ups_equal_pandas,
    "connection_days": test_statistics.test_days_to_a_visit_equal_pandas,
    "staffed": check_staffed,
    "busy": test_statistics.test_hours_and_frequent_calls_equal_pandas,
    "no_team": check_no_team,
    "patrol": check_patrol,
    "agreements": row_by_row("partner_agreements", "partner", "agreement", "data_sharing"),
    "posts": row_by_row("staffing", "month", "role", "authorized", "filled"),
    "turnover": check_turnover,
    "led": test_handoffs.test_first_types_leads_and_citations_equal_pandas,
    "reviews": check_reviews,
    "trained": row_by_row("training", "year", "course", "role", "trained", "eligible"),
    "cost": check_cost,
    "saved": check_saved,
    "equity": check_equity,
    "language": check_language,
    "trust": row_by_row("survey", "wave", "audience", "question", "agree", "respondents"),
    "feedback": check_reviews,
    "completeness": test_completeness.test_fields_by_month_equal_pandas,
}
"""Measure -> how it is worked out again: here, or by a test of its own that stands elsewhere."""


def test_no_measure_is_left_out():
    language.use("en")
    assert set(CHECKS) == {m.name for m in measures()}
    assert len([check for check in CHECKS.values() if check.__name__.startswith("test_")]) == 12


@pytest.mark.parametrize(
    "name", [name for name, check in CHECKS.items() if not check.__name__.startswith("test_")]
)
def test_a_measure_equals_its_definition(name, calls, export, tables, release, same, near):
    CHECKS[name](calls=calls, export=export, tables=tables, release=release, same=same, near=near)
