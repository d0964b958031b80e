"""Releases over time: late, removed and recoded calls, new categories, rolling windows; judged by
the audit and by an attacker of the test's own."""

import csv
import hashlib
import json
import random
import shutil
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from anonymize.audit import audit_release
from anonymize.errors import PlanError
from anonymize.pipeline import read_inputs
from tests.agency import build, write_agency

K = 5
TYPES = {"Crisis": "crisis", "Check": "check", "Welfare": "welfare"}
WELFARE = {
    '  { code = "check", en': (
        '  { code = "welfare", en = "Welfare", es = "Bienestar" },\n  { code = "check", en'
    ),
    '"Check" = "check"': '"Check" = "check"\n"Welfare" = "welfare"',
}


def months(first, last):
    return [f"2024-{m:02d}" for m in range(first, last + 1)]


def last_day(month):
    return {
        "01": 31,
        "02": 29,
        "03": 31,
        "04": 30,
        "05": 31,
        "06": 30,
        "07": 31,
        "08": 31,
        "09": 30,
    }[month[-2:]]


def release(folder, version, calls, first, last, *, extra=None, history=True):
    """Build one release of the calls (id -> (month, type)) in the window."""
    rows = "id,at,type\n" + "".join(
        f"{i},{m}-05 10:00,{t}\n" for i, (m, t) in calls.items() if first <= m <= last
    )
    changes = {
        '"2024.1"': f'"2024.{version}"',
        "data_from = 2024-01-01": f"data_from = {first}-01",
        "data_to = 2024-06-30": f"data_to = {last}-{last_day(last)}",
        "created = 2024-07-01": f"created = 2025-0{version}-01",
    }
    agency = write_agency(folder, rows, changes | (WELFARE if extra is None else extra))
    out = folder / ("out" if history else f"alone{version}")
    return build(read_inputs(agency), out, folder / "private"), out


def made_up(rng, wanted, share=0.12):
    return {
        f"{m}-{i}": (
            m,
            "Check" if rng.random() < share else "Welfare" if rng.random() < 0.05 else "Crisis",
        )
        for m in wanted
        for i in range(rng.randrange(15, 40))
    }


def later(rng, calls, wanted, revised):
    """The next month's calls, some late ones, some taken out, some coded anew."""
    found = dict(calls) | made_up(rng, wanted)
    for number in range(revised):
        some = rng.choice(sorted(found))
        found.pop(some)
        other = rng.choice(sorted(found))
        found[other] = (found[other][0], rng.choice(list(TYPES)))
        found[f"late-{wanted[0]}-{number}"] = (
            rng.choice(sorted(m for m, _ in calls.values())),
            rng.choice(list(TYPES)),
        )
    return found


def published(folder):
    """{(month or group, type or all): value or None} of the table `calls`, and the codes of the
    months."""
    with (folder / "tables/calls.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    return {(r["period"], r["call_type"]): int(r["calls"]) if r["calls"] else None for r in rows}


def under(code, month):
    return code in ("all", month, month[:4], f"{month[:4]}-Q{(int(month[-2:]) + 2) // 3}")


def attack(folders, truths):  # noqa: C901 (one program, written out as a reader would check it)
    """Every sensitive cell of every release that a linear program narrows: the calls of each
    release, what came and what went, all at once.

    Written apart from the audit: per release a full table, per step what was added and taken away,
    and no notion of blocks.
    """
    types = [*TYPES.values(), "unknown"]
    windows, offsets, size = [], [], 0
    for folder in folders:
        with (folder / "codelists/period.csv").open() as handle:
            windows.append([r["code"] for r in csv.DictReader(handle) if r["level"] == "month"])
        offsets.append(size)
        size += len(windows[-1]) * len(types)

    def column(r, month, kind, base=None):
        return (
            (offsets[r] if base is None else base)
            + windows[r].index(month) * len(types)
            + types.index(kind)
        )

    steps = []
    for before, after in pairwise(range(len(folders))):
        shared = [m for m in windows[after] if m in windows[before]]
        steps.append((before, after, shared, size))
        size += 2 * len(shared) * len(types)
    equal, right, most, bound = [], [], [], []

    def row(entries):
        line = np.zeros(size)
        for at, weight in entries:
            line[at] += weight
        return line

    for r, folder in enumerate(folders):
        for (period, kind), value in published(folder).items():
            if value is not None:
                inside = [
                    (column(r, m, t), 1.0)
                    for m in windows[r]
                    for t in types
                    if under(period, m) and kind in ("all", t)
                ]
                equal.append(row(inside))
                right.append(value)
        with (folder / "codelists/call_type.csv").open() as handle:
            known = {r2["code"] for r2 in csv.DictReader(handle)}
        for kind in set(types) - known:
            equal.append(row([(column(r, m, kind), 1.0) for m in windows[r]]))
            right.append(0)
    for before, after, shared, base in steps:
        revised = json.loads((folders[after] / "datapackage.json").read_text())["revised"]
        half = len(shared) * len(types)
        for i, month in enumerate(shared):
            for j, kind in enumerate(types):
                gone, come = base + i * len(types) + j, base + half + i * len(types) + j
                equal.append(
                    row(
                        [
                            (column(after, month, kind), 1),
                            (column(before, month, kind), -1),
                            (gone, 1),
                            (come, -1),
                        ]
                    )
                )
                right.append(0)
                most.append(row([(gone, 1), (column(before, month, kind), -1)]))
                bound.append(0)
                if month not in revised["months"]:
                    equal += [row([(gone, 1)]), row([(come, 1)])]
                    right += [0, 0]
        for first in (base, base + half):
            most.append(row([(first + i, 1) for i in range(half)]))
            bound.append(revised["at_most"])
    broken = []
    for r, truth in enumerate(truths):
        for (period, kind), value in truth.items():
            if not 0 < value < K:
                continue
            line = row(
                [
                    (column(r, m, t), 1.0)
                    for m in windows[r]
                    for t in types
                    if under(period, m) and kind in ("all", t)
                ]
            )
            ends = [
                linprog(
                    sign * line,
                    A_ub=np.array(most) if most else None,
                    b_ub=bound or None,
                    A_eq=np.array(equal),
                    b_eq=right,
                )
                for sign in (1, -1)
            ]
            assert all(end.status == 0 for end in ends), "no table fits what is published"
            if ends[0].fun > 1 + 1e-6 or -ends[1].fun < K - 1 - 1e-6:
                broken.append((r, period, kind, ends[0].fun, -ends[1].fun))
    return broken


def truth_of(calls, first, last):
    found = Counter()
    for month, kind in calls.values():
        if first <= month <= last:
            for period in ("all", month, month[:4]):
                for code in ("all", TYPES[kind]):
                    found[period, code] += 1
    return found


@pytest.mark.parametrize("seed", range(6))
def test_no_comparison_narrows_a_small_count(seed, tmp_path):
    rng = random.Random(seed)
    rolling = seed % 2
    calls = made_up(rng, months(1, 6))
    folders, truths, kept = [], [], []
    for version in (1, 2, 3):
        first, last = (f"2024-{1 + rolling * (version - 1):02d}", f"2024-{5 + version:02d}")
        if version > 1:
            calls = later(rng, calls, [last], revised=(seed // 2) * 2)
        # Until the third release "Welfare" is a check; then it is a category of its own for new
        # months.
        told = {
            i: (m, "Check" if t == "Welfare" and (version < 3 or m < "2024-08") else t)
            for i, (m, t) in calls.items()
        }
        built, out = release(
            tmp_path, version, told, first, last, extra=WELFARE if version == 3 else {}
        )
        assert built.report.passed
        shutil.copytree(out, tmp_path / f"kept{version}", ignore=shutil.ignore_patterns("history"))
        folders.append(tmp_path / f"kept{version}")
        truths.append(truth_of(told, first, last))
        kept.append(
            {
                p.relative_to(folders[-1]): p.read_bytes()
                for p in folders[-1].rglob("*")
                if p.is_file()
            }
        )
    assert attack(folders, truths) == []
    for version in (1, 2):
        frozen = tmp_path / f"out/history/2024.{version}"
        assert {
            p.relative_to(frozen): p.read_bytes() for p in frozen.rglob("*") if p.is_file()
        } == kept[version - 1]


def alone_then_together(folder):
    """Two releases, each safe by itself, put together without regard to each other."""
    rng = random.Random(1)
    calls = made_up(rng, months(1, 6), share=0.2)
    more = dict(calls)
    more |= {f"new-{i}": ("2024-07", "Check" if i < 3 else "Crisis") for i in range(30)}
    _, first = release(folder, 1, calls, "2024-01", "2024-06", history=False)
    _, second = release(folder, 2, more, "2024-01", "2024-07", history=False)
    shutil.copytree(first, second / "history/2024.1")
    package = json.loads((second / "datapackage.json").read_text())
    digest = hashlib.sha256((first / "datapackage.json").read_bytes()).hexdigest()
    package["history"] = [
        {"version": "2024.1", "created": package["created"], "datapackage_sha256": digest}
    ]
    package["revised"] = {"months": [], "at_most": 0}
    (second / "datapackage.json").write_text(json.dumps(package))
    return calls, more, first, second


def test_planted_two_releases_that_betray_each_other(tmp_path):
    """Each passes alone; the audit of both together finds the leak, and so does the test's own
    attacker. Built together there is none."""
    calls, more, first, second = alone_then_together(tmp_path)
    truths = [truth_of(calls, "2024-01", "2024-06"), truth_of(more, "2024-01", "2024-07")]
    report = audit_release(second)
    found = attack([first, second], truths)
    assert {f.attack for f in report.findings} & {"pinned", "narrow"}
    assert found
    release(tmp_path, 1, calls, "2024-01", "2024-06")
    shutil.copytree(tmp_path / "out", tmp_path / "one")
    built, out = release(tmp_path, 2, more, "2024-01", "2024-07")
    assert built.report.passed
    assert attack([tmp_path / "one", out], truths) == []


def test_the_audit_sees_a_changed_history(tmp_path):
    rng = random.Random(2)
    calls = made_up(rng, months(1, 6))
    release(tmp_path, 1, calls, "2024-01", "2024-06")
    _, out = release(tmp_path, 2, calls | made_up(rng, ["2024-07"]), "2024-01", "2024-07")
    assert audit_release(out).passed
    shutil.copytree(out, tmp_path / "a")
    table = tmp_path / "a/history/2024.1/tables/calls.csv"
    table.write_text(table.read_text().replace("suppressed", "suppressed ", 1))
    assert "earlier releases" in {f.attack for f in audit_release(tmp_path / "a").findings}
    shutil.copytree(out, tmp_path / "b")
    shutil.rmtree(tmp_path / "b/history/2024.1")
    assert "earlier releases" in {f.attack for f in audit_release(tmp_path / "b").findings}
    shutil.copytree(out / "history/2024.1", tmp_path / "b/history/2023.9")
    assert "undeclared" in {f.attack for f in audit_release(tmp_path / "b").findings}


def test_what_cannot_be_compared_is_refused(tmp_path):
    """A ledger that is gone, a version used twice, another way of counting: nothing is written,
    the earlier release stands."""
    rng = random.Random(4)
    calls = made_up(rng, months(1, 6))
    _, out = release(tmp_path, 1, calls, "2024-01", "2024-06")
    more = calls | made_up(rng, ["2024-07"])
    release(tmp_path, 2, more, "2024-01", "2024-07")
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with pytest.raises(PlanError, match=r"release 2024\.1 is out already"):
        release(tmp_path, 1, calls, "2024-01", "2024-06")
    recoded = {i: (m, "Check" if t == "Crisis" else "Crisis") for i, (m, t) in more.items()}
    with pytest.raises(PlanError, match="another way of counting"):
        release(tmp_path, 3, recoded, "2024-01", "2024-08")
    for ledger in (tmp_path / "private/ledger").glob("2024.1-*.parquet"):
        ledger.unlink()
    with pytest.raises(PlanError, match=r"ledger of release 2024\.1 is not there"):
        release(tmp_path, 3, more, "2024-01", "2024-08")
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_a_field_that_is_new_or_gone(tmp_path):
    """A second release with one more field, and a third without it, are compared over what they
    share."""
    rng = random.Random(5)
    calls = made_up(rng, months(1, 6), share=0.3)
    release(tmp_path, 1, calls, "2024-01", "2024-06")
    more = calls | made_up(rng, ["2024-07"], share=0.3)
    table = (
        '\n[[tables]]\nname = "by_weekday"\ntitle = "By day"\n'
        'dimensions = { weekday = ["all", "day"] }\n'
    )
    column = {'call_type = "type"': 'call_type = "type"\nforce_used = "force"'}
    rows = "id,at,type,force\n" + "".join(
        f"{i},{m}-0{1 + n % 7} 10:00,{t},{'yes' if n % 3 else 'no'}\n"
        for n, (i, (m, t)) in enumerate(more.items())
    )
    changes = {
        '"2024.1"': '"2024.2"',
        "data_to = 2024-06-30": "data_to = 2024-07-31",
        "created = 2024-07-01": "created = 2025-02-01",
    }
    force = table.replace("by_weekday", "by_force").replace(
        'weekday = ["all", "day"]', 'force_used = ["all", "answer"]'
    )
    extra = WELFARE | changes | column
    agency = write_agency(tmp_path, rows, extra)
    levels = read_inputs(agency).codelists["force_used"].levels
    agency = write_agency(tmp_path, rows, extra, force.replace('"answer"', f'"{levels[1]}"'))
    assert build(read_inputs(agency), tmp_path / "out", tmp_path / "private").report.passed
    built, _ = release(tmp_path, 3, more | made_up(rng, ["2024-08"]), "2024-01", "2024-08")
    assert built.report.passed
