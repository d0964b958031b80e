"""The rules that say which cells are withheld first, at their edges."""

import csv

import numpy as np
import pytest

from anonymize.pipeline import read_inputs
from anonymize.protect.primary import small_counts, telling_remainder
from tests.agency import build, write_agency

PERSON = {'call_type = "type"': 'call_type = "type"\nperson_key = "who"'}


def test_small_counts():
    assert small_counts(np.array([0, 1, 4, 5]), 5).tolist() == [False, True, True, False]


def test_telling_remainder():
    """All but a few, or everyone, of a group that is itself published."""
    rest, whole = np.array([0, 0, 1, 4, 5, 0]), np.array([5, 4, 30, 30, 30, 0])
    assert telling_remainder(rest, whole, 5).tolist() == [True, False, True, True, False, False]


def withheld(out, name="calls"):
    with open(out / f"tables/{name}.csv", newline="") as handle:
        return {
            (row["period"], row["call_type"])
            for row in csv.DictReader(handle)
            if row["status"] == "suppressed"
        }


def calls_of(keys, n=120):
    """`keys(i)` is the person behind call i; every tenth call is a check."""
    rows = "".join(
        f"{i},2024-0{1 + i % 6}-05 10:00,{'Check' if i % 10 == 0 else 'Crisis'},{keys(i)}\n"
        for i in range(n)
    )
    return "id,at,type,who\n" + rows


@pytest.mark.parametrize(
    ("keys", "hidden"),
    [(lambda i: f"p{i}", False), (lambda i: "p1" if i % 10 == 0 else f"p{i}", True)],
)
def test_many_calls_by_few_people(tmp_path, keys, hidden):
    """Twelve checks are published, unless one person made them all."""
    extra = {'period = ["all", "year", "month"]': 'period = ["all", "year"]'}
    agency = write_agency(tmp_path, calls_of(keys), PERSON | extra)
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert (("all", "check") in withheld(tmp_path / "out")) == hidden


def test_calls_without_a_key_count_as_one_person(tmp_path):
    extra = {'period = ["all", "year", "month"]': 'period = ["all", "year"]'}
    agency = write_agency(
        tmp_path, calls_of(lambda i: "" if i % 10 == 0 else f"p{i}"), PERSON | extra
    )
    build(read_inputs(agency), tmp_path / "out", tmp_path / "private")
    assert ("all", "check") in withheld(tmp_path / "out")


def test_everyone_in_one_category(tmp_path):
    """A month in which all calls were of one type tells everyone's type, where the type is a
    sensitive attribute."""
    rows = "".join(
        f"{i},2024-0{1 + i % 2}-05 10:00,{'Check' if i % 4 == 0 else 'Crisis'}\n"
        for i in range(200)
    )
    plain = write_agency(tmp_path / "plain", "id,at,type\n" + rows)
    built = build(read_inputs(plain), tmp_path / "plain/out", tmp_path / "plain/private")
    assert ("2024-02", "crisis") not in withheld(tmp_path / "plain/out")
    marked = write_agency(
        tmp_path / "marked",
        "id,at,type\n" + rows,
        {'["all", "type"] }\n': '["all", "type"] }\nsensitive_attribute = "call_type"\n'},
    )
    built = build(read_inputs(marked), tmp_path / "marked/out", tmp_path / "marked/private")
    assert built.report.passed
    assert {("2024-02", "crisis"), ("2024-02", "all")} & withheld(tmp_path / "marked/out")
