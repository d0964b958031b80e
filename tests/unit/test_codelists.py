"""The lists that every agency has, as `codelists.toml` writes them."""

from itertools import pairwise

from anonymize.agency import codelists
from anonymize.agency.schema import FLAG_FIELDS


def test_the_bands_of_waits_are_those_that_are_counted():
    edges = codelists.WAIT_EDGES
    bands = [f"under_{edges[0]}", *(f"{a}_to_{b}" for a, b in pairwise(edges)), f"over_{edges[-1]}"]
    known = [code for code in codelists.listed("wait").codes_at("band") if "unknown" not in code]
    assert known == bands
    above = codelists.listed("wait").ancestors("half_hour")
    for band in bands:
        ends = int(band.split("_")[-1])
        assert above[band] == ("within_30" if ends <= 30 else "over_30"), band


def test_each_season_of_the_file_has_its_months():
    assert codelists.listed("season").codes_at("season") == tuple(codelists.SEASONS)
    assert sorted(m for months in codelists.SEASONS.values() for m in months) == [*range(1, 13)]


def test_ends_at_an_emergency_room_are_ends():
    assert set(codelists.TAKEN_TO_ED) <= set(codelists.listed("outcome").codes_at("outcome"))


def test_each_yes_or_no_field_has_a_name():
    for field in FLAG_FIELDS:
        assert codelists.flag(field).codes_at("answer") == ("yes", "no", "unknown")


def test_a_branch_that_ends_early_goes_down_to_the_finest_level():
    """A cell of the finest level holds every call, also those of `open`."""
    follow_up = codelists.listed("follow_up")
    assert "open.day" in follow_up.codes_at(follow_up.finest)
    assert follow_up.by_code["open.day"].label == follow_up.by_code["open"].label
