"""The portrait of an export: each planted fault is seen and named with its cure, a right export
raises no alarm, and no record's content is told."""

import csv
import random
import re
import stat
from datetime import datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from anonymize.cli import main
from anonymize.pipeline import check, read_inputs
from anonymize.portrait.as_html import portrait_html
from anonymize.portrait.as_text import WIDTH, all_unusual, bar, for_screen, portrait_text
from anonymize.portrait.unusual import clock, percent
from anonymize.portrait.usual_day import (
    hours_late,
    looks_moved,
    moved_between,
    of_twelve_hours,
    quietest,
    step_of_hours,
)
from tests.agency import write_agency

DAY = (
    36,
    29,
    23,
    21,
    15,
    14,
    16,
    19,
    27,
    38,
    49,
    58,
    57,
    62,
    61,
    63,
    61,
    58,
    56,
    51,
    50,
    50,
    46,
    41,
)
"""How calls are spread over the hours of a usual day."""
CHICAGO, NEW_YORK, LOS_ANGELES, UTC = (
    ZoneInfo(name) for name in ("America/Chicago", "America/New_York", "America/Los_Angeles", "UTC")
)
COLUMNS = ["id", "at", "type", "person", "sent", "there", "done", "injured", "notes", "phone"]
MAPPED = {
    'call_type = "type"': (
        'call_type = "type"\nperson_key = "person"\ndispatched_at = "sent"\narrived_at = "there"\n'
        'cleared_at = "done"\ninjured_person = "injured"'
    )
}
YEAR = {
    "data_to = 2024-06-30": "data_to = 2024-12-31",
    "created = 2024-07-01": "created = 2025-02-01",
}


def calls(n=2400, seed=1, days=182, first=datetime(2024, 1, 1)):
    """Calls of a usual program, as rows: local clocks of Chicago, each with its four times as
    datetimes."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        at = first + timedelta(
            days=rng.randrange(days),
            hours=rng.choices(range(24), DAY)[0],
            seconds=rng.randrange(3600),
        )
        if at.month == 3 and at.day == 10 and at.hour == 2:
            at += timedelta(hours=1)  # there is no such hour on that day
        sent = at + timedelta(seconds=rng.randrange(60, 600))
        there = sent + timedelta(seconds=rng.randrange(120, 1500))
        done = there + timedelta(seconds=rng.randrange(600, 5000))
        rows.append(
            {
                "id": f"SECRET-ID-{seed}-{i}",
                "at": at,
                "type": rng.choice(("Crisis", "Check")),
                "person": f"SECRET-PERSON-{rng.randrange(900)}",
                "sent": sent,
                "there": there,
                "done": done,
                "injured": rng.choice("YNNN"),
                "notes": f"SECRET-NOTE {i}",
                "phone": f"555-01{i:05d}",
            }
        )
    return sorted(rows, key=lambda row: row["at"])


def write(path, rows, form="%Y-%m-%d %H:%M:%S", columns=COLUMNS):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(
                [f"{row[c]:{form}}" if isinstance(row[c], datetime) else row[c] for c in columns]
            )


def lean(folder, rows, replace=None):
    """An agency file and its export that have a time and a type, and nothing else."""
    write(folder / "calls.csv", rows, columns=["id", "at", "type"])
    return write_agency(folder, None, replace)


def moved(rows, source, target):
    """The same moments by another zone's clock."""
    times = ("at", "sent", "there", "done")
    return [
        row | {name: row[name].replace(tzinfo=source).astimezone(target) for name in times}
        for row in rows
    ]


def agency(folder, rows, replace=None, form="%Y-%m-%d %H:%M:%S"):
    write(folder / "calls.csv", rows, form)
    return write_agency(folder, None, MAPPED | (replace or {}))


def seen(path):
    return check(read_inputs(path), path.parent / "private")


def told(path):
    """The sentences on what is unusual."""
    found = seen(path)
    return all_unusual(found.portrait, found.tally)


def the_one(sentences, *parts):
    """The only sentence there is; it holds all parts."""
    assert len(sentences) == 1, sentences
    for part in parts:
        assert part in sentences[0], sentences[0]


def test_a_right_export_raises_no_alarm(tmp_path):
    found = seen(agency(tmp_path, calls()))
    assert all_unusual(found.portrait, found.tally) == []
    text = portrait_text(found.portrait, found.tally)
    assert text.startswith("Nothing unusual was seen.")
    portrait = found.portrait
    assert (
        portrait.rows
        == portrait.calls
        == sum(portrait.days.hours)
        == sum(portrait.days.weekdays)
        == 2400
    )
    assert (
        sum(calls for calls, _days in portrait.days.months.values())
        == 2400
        == portrait.years["2024"]
    )
    rows = calls()
    assert (portrait.days.first, portrait.days.last) == (
        rows[0]["at"].date(),
        rows[-1]["at"].date(),
    )
    assert portrait.days.hours[15] == sum(row["at"].hour == 15 for row in rows)
    waits = portrait.times.durations["minutes_call_to_arrival"]
    assert sum(waits) == 2400 and waits[2] == sum(
        row["there"] - row["at"] < timedelta(minutes=1) for row in rows
    )
    assert set(portrait.unused) == {"notes", "phone"}


@pytest.mark.parametrize("zone", ["Chicago", "Los_Angeles"])
def test_utc_read_as_local_time(tmp_path, zone):
    rows = moved(calls(), ZoneInfo(f"America/{zone}"), UTC)
    there = {"America/Chicago": f"America/{zone}"}
    sentences = [line for line in told(lean(tmp_path, rows, there)) if "quietest" in line]
    the_one(sentences, "all hours look off by about", 'write timezone = "UTC" in [calls.time]')
    if zone == "Chicago":
        assert re.match(
            r"The quietest hour is (9|10|11) in the morning, where calls are usually fewest between"
            r" 2 and 6",
            sentences[0],
        )
    assert (
        told(
            lean(
                tmp_path / "cured",
                rows,
                there | {'timestamp = "at"': 'timestamp = "at"\ntimezone = "UTC"'},
            )
        )
        == []
    )


def test_the_clock_of_another_place(tmp_path):
    rows = moved(calls(6000), LOS_ANGELES, NEW_YORK)
    sentences = [
        line
        for line in told(lean(tmp_path, rows, {"America/Chicago": "America/Los_Angeles"}))
        if "off by" in line
    ]
    the_one(
        sentences,
        "The quietest hour is",
        "off by about 3 (3 too late)",
        'write timezone = "America/New_York"',
    )
    rows = moved(calls(6000), NEW_YORK, LOS_ANGELES)
    sentences = [
        line
        for line in told(lean(tmp_path / "west", rows, {"America/Chicago": "America/New_York"}))
        if "off by" in line
    ]
    the_one(
        sentences,
        "The day looks moved: calls are fewest around 1 in the morning",
        "(3 too early)",
        'write timezone = "America/Los_Angeles"',
    )


def test_local_times_that_are_moved_again(tmp_path):
    """The agency file says UTC of times that are local."""
    sentences = [
        line
        for line in told(
            lean(tmp_path, calls(), {'timestamp = "at"': 'timestamp = "at"\ntimezone = "UTC"'})
        )
        if "quietest" in line
    ]
    the_one(sentences, "too early", 'is timezone = "UTC" in [calls.time] true?')


def test_am_and_pm_are_lost(tmp_path):
    rows = [row | {"at": row["at"].replace(hour=row["at"].hour % 12 or 12)} for row in calls()]
    the_one(told(lean(tmp_path, rows)), "12 hours that has lost its AM and PM", "%I and %p")


def test_am_and_pm_are_swapped(tmp_path):
    rows = [row | {"at": row["at"].replace(hour=(row["at"].hour + 12) % 24)} for row in calls()]
    sentences = [line for line in told(lean(tmp_path, rows)) if "quietest" in line]
    the_one(sentences, "AM and PM are swapped", "all hours look off by about 1")


def test_one_file_of_two_is_in_another_zone(tmp_path):
    rows = calls(6000)
    write(tmp_path / "a.csv", rows[:4000])
    write(tmp_path / "b.csv", moved(rows[4000:], CHICAGO, UTC))
    path = write_agency(tmp_path, None, {'paths = "calls.csv"': 'paths = ["a.csv", "b.csv"]'})
    sentences = [line for line in told(path) if "quietest" in line]
    the_one(sentences, "The quietest hour in b.csv is", "UTC")


def test_standard_time_all_year(tmp_path):
    rows = moved(calls(12000, days=366), CHICAGO, ZoneInfo("Etc/GMT+6"))
    sentences = [line for line in told(lean(tmp_path, rows, YEAR)) if "daylight" in line]
    the_one(sentences, "an hour earlier", "off by one", 'write timezone = "Etc/GMT+6"')
    cured = told(
        lean(
            tmp_path / "cured",
            rows,
            YEAR | {'timestamp = "at"': 'timestamp = "at"\ntimezone = "Etc/GMT+6"'},
        )
    )
    assert [line for line in cured if "comes twice" not in line] == []


def test_hours_counted_from_1_or_left_blank_at_midnight(tmp_path):
    rows = [row | {"at": row["at"].date(), "hour": row["at"].hour or ""} for row in calls()]
    write(tmp_path / "calls.csv", rows, columns=["id", "at", "hour", "type"])
    path = write_agency(tmp_path, None, {'timestamp = "at"': 'date = "at"\nhour = "hour"'})
    the_one(told(path), "between 00:00 and 00:59", "from 1 to 24", "blank_hour = 0")
    path = write_agency(
        tmp_path, None, {'timestamp = "at"': 'date = "at"\nhour = "hour"\nblank_hour = 0'}
    )
    assert told(path) == []


def test_rounded_clocks(tmp_path):
    rows = [
        row | {"at": row["at"].replace(hour=row["at"].hour // 2 * 2, minute=0, second=0)}
        for row in calls()
    ]
    first, second, *rest = told(lean(tmp_path, rows))
    assert "every second hour only" in first
    assert "All calls came in at full hours" in second
    assert [line for line in rest if "midnight" not in line and "skipped" not in line] == []
    rows = [
        row | {"at": row["at"].replace(minute=row["at"].minute // 15 * 15, second=0)}
        for row in calls()
    ]
    the_one(told(lean(tmp_path / "quarters", rows)), "multiples of 15 minutes")


def with_offset(rows, offset):
    return [row | {"at": f"{row['at']:%Y-%m-%dT%H:%M:%S}{offset}"} for row in rows]


def test_every_offset_contradicts_the_zone(tmp_path):
    rows = with_offset(moved(calls(), LOS_ANGELES, ZoneInfo("Etc/GMT+5")), "-05:00")
    path = lean(tmp_path, rows, {"America/Chicago": "America/Los_Angeles"})
    the_one(
        told(path),
        "'at': every offset (-05:00) contradicts the zone America/Los_Angeles",
        'format = "%Y-%m-%dT%H:%M:%S-05:00"',
        "agency.timezone",
    )
    # An offset of winter all year is right from November to March only.
    rows = with_offset(moved(calls(), CHICAGO, ZoneInfo("Etc/GMT+6")), "-06:00")
    sentences = told(lean(tmp_path / "winter", rows))
    the_one(sentences, "% of the offsets (-06:00) contradict the zone America/Chicago")
    assert 50 < int(re.search(r"(\d+) % of the offsets", sentences[0])[1]) < 70
    # Some with, some without.
    rows = with_offset(calls()[:1200], "-06:00") + calls()[1200:]
    assert any(
        "of the times name a zone (-06:00) and the others none" in line
        for line in told(lean(tmp_path / "some", rows))
    )


def test_offsets_of_a_format(tmp_path):
    rows = [
        row | {"at": f"{row['at']:%m/%d/%Y %H:%M:%S} -0500"}
        for row in moved(calls(), LOS_ANGELES, ZoneInfo("Etc/GMT+5"))
    ]
    replace = {
        "America/Chicago": "America/Los_Angeles",
        'timestamp = "at"': 'timestamp = "at"\nformat = "%m/%d/%Y %H:%M:%S %z"',
    }
    the_one(told(lean(tmp_path, rows, replace)), "every offset (-0500) contradicts")


def test_true_utc_is_no_alarm_but_is_said(tmp_path):
    found = seen(lean(tmp_path, with_offset(moved(calls(), CHICAGO, UTC), "Z")))
    assert all_unusual(found.portrait, found.tally) == []
    offsets = found.portrait.times.offsets["at"]
    assert (offsets.texts, offsets.given, offsets.utc, offsets.agreeing, offsets.lowest) == (
        2400,
        2400,
        2400,
        0,
        "Z",
    )
    text = " ".join(portrait_text(found.portrait, found.tally).split())
    assert (
        "'at': 100 % of 2,400 times (Z); 100 % of them in UTC, which is moved to America/Chicago"
        in text
    )


def test_local_clocks_with_an_untrue_z(tmp_path):
    rows = with_offset(calls(), "Z")
    sentences = [line for line in told(lean(tmp_path, rows)) if "quietest" in line]
    the_one(
        sentences,
        "clocks are local and the zone written behind them (Z) is not true",
        'format = "%Y-%m-%dT%H:%M:%SZ"',
    )
    cured = lean(
        tmp_path / "cured",
        rows,
        {'timestamp = "at"': 'timestamp = "at"\nformat = "%Y-%m-%dT%H:%M:%SZ"'},
    )
    assert told(cured) == []


def test_rows_outside_the_period_and_impossible_years(tmp_path):
    rows = calls(1200) + calls(834, seed=2, first=datetime(2023, 2, 3), days=300)
    rows += [
        row | {"at": row["at"].replace(year=2042)}
        for row in calls(30, seed=3)
        if (row["at"].month, row["at"].day) != (2, 29)
    ]
    rows += [
        row | {"at": row["at"].replace(year=1930)}
        for row in calls(20, seed=4)
        if (row["at"].month, row["at"].day) != (2, 29)
    ]
    path = lean(tmp_path, rows)
    outside, future, early = told(path)
    earlier = [row["at"].date() for row in rows if row["at"].year == 2023]
    assert re.match(
        r"4\d % of the rows \(834\) lie outside the period 2024-01-01 to 2024-06-30, from"
        rf" {min(earlier)} to {max(earlier)};",
        outside,
    )
    assert "data_from and data_to in [release]" in outside
    assert re.match(r"(29|30) rows have a time after the release was made \(2024-07-01\)", future)
    assert re.match(r"(19|20) rows have a time before 1950", early)


def test_a_month_and_a_weekday_far_below_the_others(tmp_path):
    rows = [row for i, row in enumerate(calls()) if row["at"].month != 4 or i % 5 == 0]
    the_one(told(lean(tmp_path, rows)), "Far fewer calls than in the months around: 2024-04 (")
    rows = [row for i, row in enumerate(calls()) if row["at"].weekday() != 6 or i % 5 == 0]
    the_one(
        told(lean(tmp_path / "sundays", rows)), "Far fewer calls than on other days", "Sunday ("
    )
    rows = calls() + [row | {"id": f"again {row['id']}"} for row in calls() if row["at"].month == 4]
    the_one(
        told(lean(tmp_path / "twice", rows)),
        "Far more calls than in the months around: 2024-04 (",
        "do files overlap",
    )


def test_a_stretch_without_calls_is_left_to_the_gaps(tmp_path):
    rows = [row for row in calls() if not datetime(2024, 4, 6) <= row["at"] < datetime(2024, 4, 28)]
    (question,) = told(lean(tmp_path, rows))
    assert question.startswith(
        "No call is recorded from 2024-04-06 to 2024-04-27 (22 days), which chance does not"
        " explain: is a file missing?"
    )


def test_days_that_stand_for_none(tmp_path):
    rows = [row | {"at": row["at"].replace(day=1)} for row in calls()]
    sentences = told(lean(tmp_path, rows))
    assert any("100 % of the calls lie on the first day of a month" in line for line in sentences)
    rows = [
        row | ({"at": row["at"].replace(month=5, day=5)} if i % 8 == 0 else {})
        for i, row in enumerate(calls())
    ]
    assert any(
        re.match(r"One day, 2024-05-05, has 1[234] % of all calls", line)
        for line in told(lean(tmp_path / "one", rows))
    )


def test_columns_that_say_little(tmp_path):
    rows = [
        row
        | {
            "sent": "",
            "injured": "Y" if i % 3 else "",
            "type": "Crisis",
            "person": "N/K" if i % 4 == 0 else row["person"],
            "done": row["there"],
        }
        for i, row in enumerate(calls())
    ]
    sentences = told(agency(tmp_path, rows))
    assert any(line.startswith("Blank in every row: 'sent' (dispatched_at)") for line in sentences)
    assert any("One value only: call_type ('Crisis')" in line for line in sentences)
    assert any("One value or blank: injured_person ('Y')" in line for line in sentences)
    assert any(
        "One person key stands in 25 % of the calls that have one (600)" in line
        for line in sentences
    )
    assert not any("N/K" in line for line in sentences), (
        "a key is not told, not even one that stands for none"
    )
    assert any(
        "'there' (arrived_at) and 'done' (cleared_at) say the same time in 2,400 of 2,400 rows"
        in line
        for line in sentences
    )
    assert not any("on_scene" in line for line in sentences), (
        "what follows from it is not said again"
    )
    assert "the key 'Check' matches no value" in sentences.pop()
    assert len(sentences) == 5, sentences


def test_waits_that_cannot_be(tmp_path):
    rows = [
        row
        | {
            "sent": row["at"] if i % 3 else row["sent"],
            "injured": row["injured"] if i % 3 == 0 else "",
        }
        for i, row in enumerate(calls())
    ]
    first, second = told(agency(tmp_path, rows))
    assert re.match(r"call_to_dispatch: 67 % are 0 seconds;", first)
    assert first.count(":") == 1 and second.startswith(
        "More than half unknown: injured_person (67 %)"
    )
    # The arrival is in UTC and the call is not.
    rows = [
        row | {"there": row["there"] + timedelta(hours=5), "done": row["done"] + timedelta(hours=5)}
        for row in calls()
    ]
    assert any(
        line.startswith("call_to_arrival: 100 % are over an hour")
        for line in told(agency(tmp_path / "hours", rows))
    )
    replace = {'arrived_at = "there"': 'arrived_at = "sent"'}
    assert any(
        line.startswith("'sent' is named for both")
        for line in told(agency(tmp_path / "twice", calls(600), replace))
    )


def test_ids_that_start_again_in_each_file(tmp_path):
    for name, seed in (("a.csv", 1), ("b.csv", 2)):
        write(tmp_path / name, [row | {"id": i} for i, row in enumerate(calls(800, seed))])
    paths = {'paths = "calls.csv"': 'paths = ["a.csv", "b.csv"]\nrepeated_rows = "keep_first"'}
    sentences = told(write_agency(tmp_path, None, paths))
    assert any(
        re.match(
            r"800 rows repeat a call_id of another file, 7\d\d of them on another day: ids seem to"
            r" start again",
            line,
        )
        for line in sentences
    )
    write(tmp_path / "b.csv", [row | {"id": i} for i, row in enumerate(calls(800, 1))])
    sentences = told(write_agency(tmp_path, None, paths))
    assert any(
        "800 rows repeat a call_id of another file; files overlap" in line for line in sentences
    )


def test_files_of_one_name_in_two_folders(tmp_path):
    for folder, seed in (("2023", 1), ("2024", 2)):
        write(tmp_path / folder / "calls.csv", calls(300, seed), columns=["id", "at", "type"])
    found = seen(
        write_agency(
            tmp_path, None, {'paths = "calls.csv"': 'paths = ["2023/calls.csv", "2024/calls.csv"]'}
        )
    )
    assert found.portrait.files == {"2023/calls.csv (1)": 300, "2024/calls.csv (2)": 300}
    assert "2024/calls.csv (2) 300 █" in portrait_text(found.portrait, found.tally)


def test_nothing_of_a_record_is_told_and_files_are_private(tmp_path, capsys):
    """Ids, keys, notes and numbers stand in the export; the name of one of its columns would steer
    a screen or a browser."""
    rows = calls(400)
    for i, row in enumerate(rows):
        row["type"] = "Crisis" if i % 2 else f"SECRET-TYPE {i}"
        row["at"] = row["at"] if i % 50 else f"SECRET-TIME {i}"
    path = agency(tmp_path, rows, {'"Check" = "check"': '"Check" = "check"\n"*" = "unknown"'})
    text = (
        (tmp_path / "calls.csv")
        .read_text()
        .replace("notes,phone", 'notes,"<script>alert(1)</script>\x1b[31m"', 1)
    )
    (tmp_path / "calls.csv").write_text(text)
    private = tmp_path / "private"
    private.mkdir()
    (private / "portrait.html").write_text("of a day before")
    (private / "portrait.html").chmod(0o644)
    assert main(["check", str(path), "--private", str(private), "--quiet"]) == 0
    screen = capsys.readouterr().out
    page, kept = (private / "portrait.html").read_text(), (private / "portrait.txt").read_text()
    for told_text in (screen, page, kept):
        assert "SECRET" not in told_text and "555-01" not in told_text
        assert "\x1b" not in told_text
        assert "alert(1)" in told_text, "a column that is not read is named"
    assert kept.strip() in screen
    assert "<script" not in page
    for name in ("portrait.html", "portrait.txt", "rejects.csv"):
        assert stat.S_IMODE((private / name).stat().st_mode) == 0o600


def test_notes_of_a_small_export_are_not_listed(tmp_path):
    """Forty rows, each with a note of its own in a column that was taken for a category."""
    rows = [row | {"type": f"SECRET {i}"} for i, row in enumerate(calls(40))]
    found = seen(lean(tmp_path, rows, {'"Check" = "check"': '"Check" = "check"\n"*" = "unknown"'}))
    assert "SECRET" not in portrait_text(found.portrait, found.tally) + portrait_html(
        found.portrait, found.tally
    )


def test_the_page_stands_alone(tmp_path):
    rows = [row | {"type": row["type"].replace("Crisis", "<i>Crisis</i>")} for row in calls(600)]
    found = seen(agency(tmp_path, rows, {'"Crisis"': '"<i>Crisis</i>"'}))
    page = portrait_html(found.portrait, found.tally)
    for word in ("http", "src=", "href", "url(", "@import", "<script", "<link", "javascript"):
        assert word not in page, word
    assert "&lt;i&gt;Crisis&lt;/i&gt;" in page and "<i>" not in page
    Nested().feed(page)
    for title in (
        "Calls by year",
        "Calls by month",
        "Calls by weekday",
        "Calls by hour",
        "Values as they are read",
        "Durations",
        "Columns that are read",
    ):
        assert f"<h2>{title}" in page
    assert page.count('<svg class="chart"') == 3
    assert "<title>15: " in page and f"{found.portrait.days.hours[15]:,}" in page


class Nested(HTMLParser):
    """Every element is closed where it should be."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in ("rect", "line")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_text_fits_a_screen(tmp_path):
    rows = calls(2400, days=364 * 4, first=datetime(2021, 1, 1))
    found = seen(
        agency(
            tmp_path,
            rows,
            {
                "data_from = 2024-01-01": "data_from = 2021-01-01",
                "data_to = 2024-06-30": "data_to = 2024-12-31",
                "created = 2024-07-01": "created = 2025-01-05",
            },
        )
    )
    text = portrait_text(found.portrait, found.tally)
    text = for_screen(f"{text}\n  * {30 * 'nine-char '}", "utf-8", wrapped=True)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert [len(line) for line in text.splitlines()[-4:]] == [
        93,
        93,
        93,
        33,
    ], "a sentence is wrapped, and stands under its beginning"
    assert re.search(r"^  2022 [▁▂▃▄▅▆▇█]{12}  fewest 2022-", text, flags=re.MULTILINE), (
        "a line for each year where months are many"
    )
    assert "Calls from 2021-01-01 to 2024-12-" in text
    plain = for_screen(text, "ascii", wrapped=False)
    assert plain.isascii() and plain.count("?") == text.count("?")
    assert re.search(r"^  15 +\d+ #+$", plain, flags=re.MULTILINE)
    assert for_screen(text, "utf-8", wrapped=False) == text


def test_bars_and_words():
    assert (bar(0, 10), bar(10, 10), bar(5, 10), bar(1, 100_000)) == ("", "█" * 40, "█" * 20, "▏")
    assert [
        percent(*n) for n in ((0, 7), (7, 7), (1, 100_000), (1, 200), (99_999, 100_000), (41, 100))
    ] == [
        "0 %",
        "100 %",
        "under 0.1 %",
        "0.5 %",
        "over 99.9 %",
        "41 %",
    ]
    assert [clock(hour) for hour in (0, 4, 10, 12, 14, 23)] == [
        "midnight",
        "4 in the morning",
        "10 in the morning",
        "noon",
        "2 in the afternoon",
        "11 in the evening",
    ]


@pytest.mark.parametrize("late", range(-11, 13))
def test_a_usual_day_that_is_moved(late):
    hours = [10 * DAY[(hour - late) % 24] for hour in range(24)]
    assert hours_late(hours) == late
    assert looks_moved(hours) == (abs(late) >= 3)
    assert quietest(hours) == (5 + late) % 24


def test_days_of_other_kinds():
    assert not looks_moved([7] * 24), "hours that differ by nothing tell nothing"
    assert not looks_moved([0] * 8 + [90] * 9 + [0] * 7), "teams that work by day only"
    assert not looks_moved([0] * 10 + [3, 4, 5] + [0] * 11), "too few calls to tell"
    assert not of_twelve_hours([10 * n for n in DAY])
    assert not of_twelve_hours([0] * 8 + [90] * 5 + [0] * 11), "mornings only"
    assert step_of_hours([90 if hour % 4 == 1 else 0 for hour in range(24)]) == 4
    year = [100 * n for n in DAY]
    assert moved_between(year, year) == 0
    assert round(moved_between(year, year[1:] + year[:1])) == -1
    assert moved_between(DAY, (*DAY[1:], DAY[0])) == 0, "a thousand calls are too few for an hour"
