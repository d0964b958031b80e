"""Toronto and Seattle, as published: every figure against the file itself, counted another way."""

import csv
import gzip
import itertools
import json

import pandas as pd
import pytest

from anonymize.audit import audit_release
from anonymize.pipeline import check, read_inputs
from dashboard.page.pages_list import PAGES
from dashboard.release.reader import load_release
from tests.agency import write_agency
from tests.conftest import ROOT
from tests.paper import page_of

TORONTO = "toronto/pic_cfsa_2014-01_2015-06_extract2024-09.csv.gz"


def counted(built, table, **codes):
    """A cell's true count (the build's private side)."""
    found = next(t for t in built.tables if t.name == table)
    at = tuple(d.codes.index(codes.get(name, "all")) for name, d in found.dimensions.items())
    return int(found.values[at])


def test_toronto_totals(toronto):
    built, _out = toronto
    assert built.tally.rows == built.tally.counted == 32_000
    assert counted(built, "calls_by_month_area", period="2014") == 22_211
    assert counted(built, "calls_by_month_area", period="2015") == 9_789
    assert counted(built, "calls_by_month_type_outcome", outcome="apprehended") == 7_039
    assert counted(built, "calls_by_month_area", area="D51") == 3_848
    assert counted(built, "calls_by_neighbourhood_year", area_neighbourhood="unknown") == 56
    assert counted(built, "calls_by_weekday_hour", hour="00") == 1_137
    assert built.tally.completeness["area_neighbourhood"] == (32_000 - 56, 32_000)


def published(folder):
    """(table, codes, count or None) of every public cell of a count table, read with the standard
    library."""
    package = json.loads((folder / "datapackage.json").read_text())
    for resource in package["resources"]:
        if resource.get("table", {}).get("kind") != "count":
            continue
        with (folder / resource["path"]).open(newline="") as handle:
            for row in csv.DictReader(handle):
                codes = {d: row[d] for d in resource["table"]["dimensions"]}
                yield resource["name"], codes, int(row["calls"]) if row["calls"] else None


def test_every_toronto_cell_equals_an_independent_count(toronto, shared):
    _built, out = toronto
    frame = pd.read_csv(shared / TORONTO, dtype=str, keep_default_na=False)
    hour = frame["event_hour"].replace("NA", "0").str.zfill(2)
    day = pd.to_datetime(frame["event_date"])
    columns = {
        "period": [day.dt.strftime("%Y-%m"), day.dt.strftime("%Y")],
        "area": [frame["division"]],
        "area_neighbourhood": [frame["hood_158"].str.lstrip("0").replace("NSA", "unknown")],
        "call_type": [
            frame["event_type"].map(
                {
                    "Person in Crisis": "person_in_crisis",
                    "Suicide-related": "suicide_related",
                    "Overdose": "overdose",
                }
            )
        ],
        "outcome": [
            frame["apprehension_made"].map({"Yes": "apprehended", "No": "not_apprehended"})
        ],
        "weekday": [(day.dt.day_of_week + 1).astype(str)],
        "hour": [hour, hour.astype(int).map(lambda h: f"{h // 4 * 4:02d}-{h // 4 * 4 + 3:02d}")],
    }
    everything = pd.Series("all", index=frame.index)
    checked = 0
    for name, group in itertools.groupby(published(out), key=lambda cell: cell[0]):
        cells = list(group)
        dimensions = list(cells[0][1])
        counts: dict[tuple[str, ...], int] = {}
        for keys in itertools.product(*([everything, *columns[d]] for d in dimensions)):
            counts |= {
                key if isinstance(key, tuple) else (key,): n
                for key, n in frame.groupby([k.to_numpy() for k in keys]).size().items()
            }
        for _table, codes, value in cells:
            if value is not None:
                assert value == counts.get(tuple(codes.values()), 0), (name, codes)
                checked += 1
    assert checked > 2_000


def test_toronto_keeps_the_promise(toronto):
    built, out = toronto
    assert audit_release(out).passed
    sensitive = built.system.sensitive & ~built.system.unpublished
    assert built.protected.withheld[sensitive].all()
    assert sensitive.sum() > 50


def test_seattle_november(seattle):
    built, out = seattle
    assert built.tally.rows == 1_000
    assert built.tally.counted == 982
    assert built.tally.repeated == 18
    assert counted(built, "calls_by_area", area="North") == 258
    assert audit_release(out).passed


def seattle_file(tmp_path, *names):
    text = (ROOT / "examples/seattle.toml").read_text()
    paths = ", ".join(f'"{ROOT.parent}/shared/data/seattle/{n}"' for n in names)
    text = text.replace(
        '"../../shared/data/seattle/spd_crisis_data_sample_2020-11-14.csv"', f"[{paths}]"
    )
    text = text.replace("../../shared", str(ROOT.parent / "shared"))
    (tmp_path / "agency.toml").write_text(text)
    return tmp_path / "agency.toml"


@pytest.mark.parametrize(
    ("names", "rows", "contacts"),
    [(["2020-12-14"], 1_000, 1_000), (["2020-11-14", "2020-12-14"], 2_000, 1_093)],
)
def test_seattle_december_and_both(tmp_path, shared, names, rows, contacts):
    agency = seattle_file(tmp_path, *(f"spd_crisis_data_sample_{n}.csv" for n in names))
    tally = check(read_inputs(agency), tmp_path / "private").tally
    assert (tally.rows, tally.counted) == (rows, contacts)


def test_columns_about_officers_are_never_read(seattle):
    _built, out = seattle
    for path in out.rglob("*"):
        if path.is_file():
            assert "officer_" not in path.read_text(encoding="utf-8")


def raw(shared, tmp_path, **time):
    columns = "\n".join(f'{k} = "{v}"' for k, v in time.items())
    return write_agency(
        tmp_path,
        replace={
            'paths = "calls.csv"': (
                f'paths = "{shared}/toronto/pic_cfsa_2014-01_2015-06_raw_ckan_2024-01.csv.gz"'
            ),
            'timestamp = "at"': columns,
            'placeholders = ["-", "1900-01-01"]': 'placeholders = ["NA"]',
            "created = 2024-07-01": "created = 2024-07-01",
            "data_from = 2024-01-01\ndata_to = 2024-06-30": (
                "data_from = 2014-01-01\ndata_to = 2015-06-30"
            ),
            'call_id = "id"\ncall_type = "type"': 'call_id = "EVENT_ID"\ncall_type = "EVENT_TYPE"',
            '"Crisis" = "crisis"\n"Check" = "check"': '"*" = "crisis"',
        },
    )


def test_impossible_dates_are_rejected(tmp_path, shared):
    """26,868 blanks and 5,132 dates of the fourteenth and fifteenth century: none is plotted."""
    from anonymize.errors import SourceError

    with pytest.raises(SourceError, match="no call is left to count"):
        check(read_inputs(raw(shared, tmp_path, date="EVENT_DATE")), tmp_path / "private")
    with (tmp_path / "private/rejects.csv").open() as handle:
        reasons = [row["reason"] for row in csv.DictReader(handle)]
    assert (reasons.count("impossible_time"), reasons.count("no_time")) == (5_132, 26_868)


def test_impossible_dates_are_taken_from_year_and_month(tmp_path, shared):
    tally = check(
        read_inputs(
            raw(shared, tmp_path, date="EVENT_DATE", year="EVENT_YEAR", month="EVENT_MONTH")
        ),
        tmp_path / "private",
    ).tally
    assert tally.counted == 32_000
    assert tally.notes["time_from_year_and_month"] == 5_132


def test_alike_rows_are_not_duplicates(tmp_path, shared):
    agency = write_agency(
        tmp_path,
        replace={
            'paths = "calls.csv"': f'paths = "{shared}/toronto/pic_cfsa_slim_2019_2021.csv.gz"',
            'timestamp = "at"': 'year = "event_year"\nmonth = "event_month"',
            "data_from = 2024-01-01\ndata_to = 2024-06-30": (
                "data_from = 2019-01-01\ndata_to = 2021-12-31"
            ),
            'call_id = "id"\ncall_type = "type"': 'call_type = "event_type"',
            '"Crisis" = "crisis"\n"Check" = "check"': '"*" = "crisis"',
        },
    )
    assert check(read_inputs(agency), tmp_path / "private").tally.counted == 99_429
    with gzip.open(shared / "toronto/pic_cfsa_slim_2019_2021.csv.gz", "rt") as handle:
        assert len(set(handle)) == 109  # 108 distinct rows and the header


def test_a_file_without_any_time(tmp_path, shared):
    agency = write_agency(
        tmp_path,
        replace={
            'paths = "calls.csv"': (
                f'paths = "{shared}/toronto/pic_cfsa_slim_hood158_noyear.csv.gz"'
            ),
            'timestamp = "at"': "period = true",
            'call_id = "id"\ncall_type = "type"': 'call_type = "event_type"',
            '"Crisis" = "crisis"\n"Check" = "check"': '"*" = "crisis"',
            'period = ["all", "year", "month"]': 'period = ["all"]',
        },
    )
    assert check(read_inputs(agency), tmp_path / "private").tally.counted == 97_790


def test_pages_with_little_to_show_say_so(seattle):
    """37 calls in a year are not told by the day, a page without a figure asks to ask the agency,
    and one list says what is missing."""
    release = load_release(seattle[1])
    said = {
        page: "".join(page_of(release, page).body)
        for page in ("at_a_glance", "calls", "safety", "staffing")
    }
    assert "a day." not in said["calls"]
    assert "Ask the agency to report it." not in said["calls"]
    for page in ("safety", "staffing"):
        assert "This agency does not report this yet." in said[page]
        assert "Ask the agency to report it." in said[page]
        assert not page_of(release, page).found
    assert said["at_a_glance"].count("What this agency does not report yet") == 1
    missing = (
        said["at_a_glance"]
        .partition("What this agency does not report yet")[2]
        .partition("</ul>")[0]
    )
    assert all(
        f"<strong>{name}</strong>" in missing
        for name in ("Safety", "Staffing and training", "Response times")
    ), missing


def test_toronto_has_every_page_and_no_signal_from_half_a_month(toronto):
    """Toronto's data end on June 12: that month is low because it is not over."""
    release = load_release(toronto[1])
    pages = {name: page_of(release, name) for name in PAGES}
    (trend,) = [f for f in pages["calls"].found if f.title.startswith("Calls over time")]
    assert "June 2015" not in trend.note
    assert trend.table.iloc[-1, 0] == "June 2015"
    assert "In 2014, about 61 crisis calls came in each day." in "".join(pages["at_a_glance"].body)
