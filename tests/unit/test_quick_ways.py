"""What is read or counted in a quicker way comes to the same as in the slow one."""

import random
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from anonymize.engine import PLACE, Duck
from anonymize.engine import duck as engine_of_one_machine
from anonymize.read.times import TimeColumn, Zone, _plain, formats_of

ZONE = Zone("America/Los_Angeles", date(2020, 1, 1), date(2026, 1, 1))


def mistyped(rng):
    """A time as most exports write it, with up to three typing mistakes."""
    text = list(
        f"{rng.randint(1990, 2030)}-{rng.randint(1, 12):02d}-{rng.randint(1, 31):02d}"
        f" {rng.randint(0, 24):02d}:{rng.randint(0, 60):02d}:{rng.randint(0, 60):02d}"
    )
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        at, kind = rng.randrange(len(text)), rng.random()
        if kind < 0.5:
            text[at] = rng.choice("0123456789-: T/.+Z")
        elif kind < 0.75:
            text.insert(at, rng.choice("0123456789-: T/.+Z"))
            del text[rng.randrange(len(text))]
        else:
            text[at] = " "
    return "".join(text)


def test_times_read_the_quick_way_are_those_of_the_grammar():
    """The quick way may leave a text to the grammar's cases; it never reads one otherwise than they
    do."""
    whole = TimeColumn(formats_of(()), ZONE).local("x")
    cases = whole[whole.index(", CASE WHEN regexp") + 2 : -1]
    rng = random.Random(1)
    texts = pa.table({"x": sorted({mistyped(rng) for _ in range(60_000)})})
    with duckdb.connect() as db:
        db.register("texts", texts)
        quick, differ = db.execute(
            f"SELECT count({_plain('x')}), count(*) FILTER (WHERE {_plain('x')} IS NOT NULL AND"
            f" ({cases}) IS DISTINCT FROM ({_plain('x')})) FROM texts"
        ).fetchall()[0]
    assert quick > 15_000 and differ == 0


@pytest.mark.parametrize("most_sorted", [10**6, 50])
def test_calls_on_several_rows_are_those_that_grouping_names(monkeypatch, most_sorted):
    monkeypatch.setattr(engine_of_one_machine, "MAX_SORTED", most_sorted)
    rng = random.Random(most_sorted)
    with duckdb.connect() as db:
        rows = pa.table(
            {
                "call_id": [f"C{rng.randrange(400)}" for _ in range(500)],
                "file_no": pa.array([0] * 500, pa.int32()),
                "row_no": pa.array(range(500), pa.int32()),
                "reason": [rng.choice([None, None, "no_time"]) for _ in range(500)],
            }
        )
        db.register("rows", rows)
        db.execute("CREATE TABLE staged AS FROM rows")
        found = Duck(db).find_repeats(f"min({PLACE})")
        grouped = db.execute(
            f"SELECT call_id, min({PLACE}) FROM staged WHERE reason IS NULL GROUP BY call_id HAVING"
            " count(*) > 1 ORDER BY ALL"
        ).fetchall()
        assert db.execute("FROM repeats ORDER BY ALL").fetchall() == grouped
        assert found == len(grouped) > 20


def test_no_usable_row_at_all():
    with duckdb.connect() as db:
        db.execute(
            "CREATE TABLE staged AS SELECT 'C1' AS call_id, 0 AS file_no, 1 AS row_no, 'no_time' AS"
            " reason"
        )
        assert Duck(db).find_repeats(f"min({PLACE})") == 0
