"""Bounds of visits where partners do not share data: against counts of the release, and against the
truth of a made-up agency."""

from dataclasses import replace

import pandas as pd
import pytest

from dashboard.findings.targets import score
from dashboard.numbers.partners import most_connected, sharing_kinds, some_share_no_data
from dashboard.release.reader import CountTable, load_release
from dashboard.text import language
from tests.conftest import ROOT
from tests.paper import page_of
from tests.simulated import COLUMNS, City, rows
from tests.simulated_site import CONNECTED, handoffs, site

AT = {"period": "2025", "responder": "clinician"}
KINDS = ("crisis_center", "clinic", "substance_use", "hospital", "housing", "peer", "other")


@pytest.fixture(scope="module")
def release():
    return load_release(ROOT / "data_public")


def with_partners(release, *partners):
    """The release, with (kind, shares) of each partner."""
    listed = pd.DataFrame(
        [
            {
                "partner": f"P{i}",
                "agreement": "yes",
                "data_sharing": shares,
                "signed": "",
                "partner_type": kind,
            }
            for i, (kind, shares) in enumerate(partners)
        ]
    )
    return replace(release, references=release.references | {"partner_agreements": listed})


def without_kinds(release):
    listed = release.references["partner_agreements"].drop(columns="partner_type")
    return replace(release, references=release.references | {"partner_agreements": listed})


def counted(release, kind, step):
    table = release.find("partner", "handoff")
    return table.cell({"period": "2025", "partner": kind, "handoff": step})[0]


@pytest.mark.parametrize("silent", [("housing",), ("housing", "peer"), ("clinic", "substance_use")])
def test_the_upper_bound_takes_each_silent_referral_for_a_visit(release, silent):
    told = with_partners(release, *((k, "no" if k in silent else "yes") for k in KINDS))
    referrals = release.find("responder", "handoff")
    connected, agreed = (
        referrals.cell({**AT, "handoff": step})[0] for step in ("connected", "agreed")
    )
    unknown = sum(counted(release, kind, "accepted") for kind in silent)
    assert most_connected(told, AT) == min(agreed, connected + unknown)
    assert connected < most_connected(told, AT) <= agreed


def test_a_partner_of_unknown_kind_may_be_of_any(release):
    some = with_partners(release, *((k, "yes") for k in KINDS), ("", "no"))
    assert sharing_kinds(some) == set()
    agreed = release.find("responder", "handoff").cell({**AT, "handoff": "agreed"})[0]
    assert most_connected(some, AT) == agreed
    assert most_connected(without_kinds(release), AT) == agreed, "no kinds on record"


def test_a_kind_without_a_partner_on_record_may_be_silent(release):
    told = with_partners(release, ("clinic", "yes"), ("hospital", "no"))
    assert sharing_kinds(told) == {"clinic"}
    both = with_partners(release, ("clinic", "yes"), ("clinic", "no"))
    assert sharing_kinds(both) == set()


def test_where_all_share_the_share_is_known(release):
    told = with_partners(release, *((k, "yes") for k in KINDS))
    assert not some_share_no_data(told) and most_connected(told, AT) is None
    assert score(told, "connected", "2025").shown.startswith("40%")


def test_a_withheld_count_of_a_kind_leaves_all_open(release, monkeypatch):
    told = with_partners(release, *((k, "no" if k == "peer" else "yes") for k in KINDS))
    kept = CountTable.cell
    monkeypatch.setattr(
        CountTable,
        "cell",
        lambda self, at: (None, "suppressed") if at.get("partner") == "other" else kept(self, at),
    )
    assert most_connected(told, AT) < 2658
    monkeypatch.setattr(
        CountTable,
        "cell",
        lambda self, at: (None, "suppressed") if at.get("partner") == "peer" else kept(self, at),
    )
    assert most_connected(told, AT) == 2658


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_page_says_how_high_it_may_be(release, code):
    told = with_partners(release, *((k, "no" if k == "peer" else "yes") for k in KINDS))
    body = "".join(page_of(told, "after", code).body)
    language.use(code)
    most = language.percent(most_connected(told, AT) / 2658)
    words = {"en": "may be as high as {}", "es": "puede llegar hasta el {}"}[code]
    assert words.format(most) in body
    assert {"en": f"40% to {most}", "es": f"40% a {most}"}[code] in body
    bare = "".join(page_of(without_kinds(release), "after", code).body)
    assert words.format("") not in bare
    language.use("en")


def test_the_truth_lies_within_the_bounds(tmp_path):
    """In a made-up agency all visits are known to whoever made it: one silent kind of two."""
    city = City(seed=11, calls=6000)
    release = site(tmp_path, city)
    told = {(call, kind) for call, kind, *_rest in handoffs(city, rows(city))}
    every = handoffs(replace(city, silent_partners=False), rows(city))
    assert {(call, kind) for call, kind, *_rest in every} == told
    at = {row[0]: row[COLUMNS.index("at")] for row in rows(city)}
    late = pd.Timestamp("2025-12-01")
    agreed = [
        bool(visit)
        for call, _kind, _offered, accepted, visit in every
        if accepted == "yes" and at[call].year == 2025 and pd.Timestamp(at[call].date()) <= late
    ]
    found = score(release, "connected", "2025")
    assert found.now.whole.value == len(agreed)
    assert found.now.part.value < sum(agreed) <= found.most < len(agreed)
    assert abs(sum(agreed) / len(agreed) - CONNECTED) < 0.1
