"""Each attack on a release with a planted leak, which the audit must find, and without, which must
pass."""

import json

import pytest

from anonymize.audit import audit_release
from anonymize.errors import AuditError
from tests.helpers import Dim, Spec, flat, rehash, write_release

K = 5
AREA, KIND = flat("area", "a", "b", "c"), flat("kind", "x", "y", "z")
LEAVES = {
    ("a", "x"): 2,
    ("a", "y"): 30,
    ("a", "z"): 25,
    ("b", "x"): 40,
    ("b", "y"): 22,
    ("b", "z"): 31,
    ("c", "x"): 33,
    ("c", "y"): 27,
    ("c", "z"): 60,
}
BOTH = {"area": ["all", "one"], "kind": ["all", "one"]}
SQUARE = {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}


def square(codes, value):
    return (codes["area"], codes["kind"]) in SQUARE


def attacks(folder):
    return {finding.attack for finding in audit_release(folder).findings}


def release(tmp_path, *specs, leaves=LEAVES, dims=(AREA, KIND), k=K):
    return write_release(tmp_path / "release", k, dims, leaves, specs)


def test_two_rounds_pass(tmp_path):
    report = audit_release(release(tmp_path, Spec("t", BOTH, square)))
    assert report.passed, report.to_text()
    assert report.withheld == 4
    assert report.tested["pinned"] == 4


def test_subtraction_within_a_table(tmp_path):
    folder = release(
        tmp_path, Spec("t", BOTH, lambda codes, value: (codes["area"], codes["kind"]) == ("a", "x"))
    )
    assert "pinned" in attacks(folder)


def test_through_a_total(tmp_path):
    """The row's total is withheld too, but the grand total and the other rows give it back, and
    with it the cell."""
    hidden = {("a", "x"), ("a", "all"), ("b", "x")}
    folder = release(
        tmp_path, Spec("t", BOTH, lambda codes, value: (codes["area"], codes["kind"]) in hidden)
    )
    assert "pinned" in attacks(folder)


def test_across_two_tables(tmp_path):
    """Each table alone is safe; the second publishes a margin that the first withholds."""
    hidden = {("a", "x"), ("a", "all")}
    first = Spec(
        "first",
        {"area": ["all", "one"], "kind": ["all", "one"]},
        lambda c, v: (c["area"], c["kind"]) in {*hidden, ("b", "x"), ("b", "all")},
    )
    assert audit_release(release(tmp_path / "alone", first)).passed
    second = Spec("second", {"area": ["all", "one"]}, lambda codes, value: False)
    found = attacks(release(tmp_path / "both", first, second))
    assert "across tables" in found


def test_linked_margins_pin_a_cell(tmp_path):
    """No cell stands in both tables, yet together they leave one value (a linear program over the
    joint table finds it)."""
    time = flat("time", "m", "n")
    dims = (AREA, KIND, time)
    leaves = {
        (*key, t): n if t == "m" else 20 + i
        for i, (key, n) in enumerate(LEAVES.items())
        for t in ("m", "n")
    }
    first = Spec("first", {"area": ["all", "one"], "time": ["all", "one"]}, lambda c, v: False)
    hidden = {("a", "x", "m"), ("a", "x", "all"), ("all", "x", "m"), ("all", "x", "all")}
    second = Spec(
        "second",
        {"area": ["all", "one"], "kind": ["all", "one"], "time": ["all", "one"]},
        lambda c, v: (c["area"], c["kind"], c["time"]) in hidden,
    )
    assert "pinned" in attacks(release(tmp_path, first, second, dims=dims, leaves=leaves))


def test_narrowed_inside_the_small_range(tmp_path):
    """Nothing is pinned, but totals too small to reach the threshold leave 0 to 3 only."""
    leaves = {
        ("a", "x"): 2,
        ("a", "y"): 1,
        ("b", "x"): 1,
        ("b", "y"): 3,
        ("c", "x"): 40,
        ("c", "y"): 40,
    }
    dims = (AREA, flat("kind", "x", "y"))
    hidden = {
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
        ("b", "y"),
        ("a", "all"),
        ("b", "all"),
        ("all", "x"),
        ("all", "y"),
    } - {
        ("a", "all"),
        ("b", "all"),
    }
    spec = Spec("t", BOTH, lambda codes, value: (codes["area"], codes["kind"]) in hidden)
    found = attacks(release(tmp_path, spec, dims=dims, leaves=leaves))
    assert found & {"narrow", "known rules"}
    assert "narrow" in found


def test_small_count_published(tmp_path):
    assert "known rules" in attacks(release(tmp_path, Spec("t", BOTH, lambda codes, value: False)))


def test_through_a_complement(tmp_path):
    """All but three of area b are in one category of a sensitive attribute: publishing it tells
    nearly everyone's."""
    leaves = LEAVES | {("b", "x"): 90, ("b", "y"): 2, ("b", "z"): 1, ("a", "x"): 50}
    hidden = {(area, kind) for area in ("a", "b") for kind in ("y", "z")}
    spec = Spec(
        "t",
        BOTH,
        lambda codes, value: (codes["area"], codes["kind"]) in hidden,
        sensitive_attribute="kind",
    )
    assert "complement" in attacks(release(tmp_path, spec, leaves=leaves))


def test_hidden_complement_is_attacked_too(tmp_path):
    """The large category is withheld as well, but other tables leave its complement small."""
    leaves = {
        ("a", "x"): 90,
        ("a", "y"): 2,
        ("a", "z"): 1,
        ("b", "x"): 60,
        ("b", "y"): 40,
        ("b", "z"): 50,
        ("c", "x"): 9,
        ("c", "y"): 9,
        ("c", "z"): 9,
    }
    hidden = {(area, kind) for area in ("a", "b") for kind in ("x", "y", "z")}
    spec = Spec(
        "t",
        BOTH,
        lambda codes, value: (codes["area"], codes["kind"]) in hidden,
        sensitive_attribute="kind",
    )
    assert audit_release(release(tmp_path / "safe", spec, leaves=leaves)).passed
    hidden.discard(("b", "x"))  # column x now pins a,x, and with it what is left over
    assert {"pinned", "narrow"} & attacks(release(tmp_path / "leak", spec, leaves=leaves))


def test_through_a_share(tmp_path):
    """A withheld count's share of a published total is shown in whole per cent."""
    safe = Spec("t", BOTH, square)
    assert audit_release(release(tmp_path / "safe", safe)).passed
    leaky = Spec("t", BOTH, square, percent_of={"percent_of_area": "kind"})
    assert {"pinned", "narrow"} & attacks(release(tmp_path / "leak", leaky))


def test_undeclared_share_column(tmp_path):
    folder = release(tmp_path, Spec("t", BOTH, square, percent_of={"percent": "kind"}))
    package = json.loads((folder / "datapackage.json").read_text())
    for resource in package["resources"]:
        resource.get("table", {}).pop("percent_of", None)
    (folder / "datapackage.json").write_text(json.dumps(package))
    assert "undeclared" in attacks(folder)


@pytest.mark.parametrize(
    ("old", "new", "attack"),
    [
        ("a,x,,suppressed", "a,x,2,suppressed", "marks"),
        ("a,x,,suppressed", "a,x,,suppressed_primary", "marks"),
        ("a,x,,suppressed", "a,x,,published", "marks"),
        ("c,z,60,published", "c,z,61,published", "contradiction"),
        ("c,z,60,published", "c,z,-60,published", "marks"),
        ("c,z,60,published", "c,z,60.5,published", "marks"),
        ("c,z,60,published\n", "", "undeclared"),
        ("c,z,60,published\n", "c,z,60,published\nd,z,60,published\n", "undeclared"),
    ],
)
def test_tampered_rows(tmp_path, old, new, attack):
    folder = release(tmp_path, Spec("t", BOTH, square))
    file = folder / "tables/t.csv"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    assert "bytes" in attacks(folder)
    rehash(folder)
    assert attack in attacks(folder)


def test_stray_file(tmp_path):
    folder = release(tmp_path, Spec("t", BOTH, square))
    (folder / "tables/working-copy.csv").write_text("area,kind,calls\na,x,2\n")
    assert "undeclared" in attacks(folder)


def test_two_singletons_in_one_row(tmp_path):
    """Two withheld cells of a row with total 2: each contributor could work out the other."""
    leaves = LEAVES | {("a", "x"): 1, ("a", "y"): 1, ("a", "z"): 0}
    hidden = {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}
    folder = release(
        tmp_path,
        Spec(
            "t",
            BOTH,
            lambda c, v: (c["area"], c["kind"]) in hidden or (c["area"], c["kind"]) == ("a", "all"),
        ),
        leaves=leaves,
    )
    assert not audit_release(folder).passed


def test_unreadable_release(tmp_path):
    with pytest.raises(AuditError, match="cannot be read"):
        audit_release(tmp_path)
    (tmp_path / "datapackage.json").write_text("{}")
    with pytest.raises(AuditError, match="not a release of format 1"):
        audit_release(tmp_path)


def test_path_out_of_the_folder(tmp_path):
    folder = release(tmp_path, Spec("t", BOTH, square))
    text = (folder / "datapackage.json").read_text()
    (folder / "datapackage.json").write_text(text.replace("tables/t.csv", "../../etc/passwd"))
    with pytest.raises(AuditError, match="leaves the release's folder"):
        audit_release(folder)


def test_everyone_in_one_category(tmp_path):
    """All of area b are in one category of a sensitive attribute: publishing both counts tells
    everyone's."""
    leaves = LEAVES | {("b", "x"): 90, ("b", "y"): 0, ("b", "z"): 0, ("a", "x"): 50}
    spec = Spec("t", BOTH, lambda codes, value: False, sensitive_attribute="kind")
    assert "complement" in attacks(release(tmp_path / "shown", spec, leaves=leaves))
    hidden = {
        ("b", "x"),
        ("b", "all"),
        ("c", "x"),
        ("c", "all"),
    }  # withheld, but its two zeros stand: nothing can be left over
    spec = Spec(
        "t", BOTH, lambda c, v: (c["area"], c["kind"]) in hidden, sensitive_attribute="kind"
    )
    assert {"pinned", "narrow"} & attacks(release(tmp_path / "hidden", spec, leaves=leaves))


def test_an_only_child_leaves_nothing_over(tmp_path):
    """A category with one part is that part, by the published tree alone; its brother with two
    parts is still attacked."""
    kinds = Dim(
        "kind", {"group": {"x": "all", "yz": "all"}, "one": {"x1": "x", "y": "yz", "z": "yz"}}
    )
    levels = {"area": ["all", "one"], "kind": ["all", "group", "one"]}
    leaves = {(area, {"x": "x1"}.get(kind, kind)): n + 20 for (area, kind), n in LEAVES.items()}
    spec = Spec("t", levels, lambda codes, value: False, sensitive_attribute="kind")
    report = audit_release(release(tmp_path / "safe", spec, leaves=leaves, dims=(AREA, kinds)))
    assert report.passed, report.to_text()
    leaky = leaves | {("b", "z"): 0}
    assert "complement" in attacks(
        release(tmp_path / "leak", spec, leaves=leaky, dims=(AREA, kinds))
    )


def test_an_insider(tmp_path):
    """Two withheld cells that hold 4 together: each could be 0 to 4, but who knows of one call in
    one knows the other is at most 3."""
    leaves = LEAVES | {("a", "x"): 2, ("a", "y"): 2, ("b", "x"): 40, ("b", "y"): 22}
    folder = release(tmp_path / "leak", Spec("t", BOTH, square), leaves=leaves)
    assert attacks(folder) == {"insider"}
    assert audit_release(
        release(tmp_path / "safe", Spec("t", BOTH, square), leaves=leaves | {("a", "y"): 3})
    ).passed


@pytest.mark.parametrize(
    ("known", "leaks"),
    [
        ('[[total]]\ncodes = { area = "c" }\nvalue = 120', False),
        ('[[total]]\ncodes = { area = "a", kind = "y" }\nvalue = 30', True),
        ('[[zero]]\ncodes = { area = "a", kind = "x" }', False),
    ],
)
def test_counts_known_from_elsewhere(tmp_path, known, leaks):
    """A total that the release publishes anyway adds nothing; one withheld cell gives away the
    others."""
    (tmp_path / "known.toml").write_text(known)
    leaves = LEAVES if "zero" not in known else LEAVES | {("a", "x"): 0}
    hidden = (
        SQUARE
        if "zero" not in known
        else SQUARE | {("c", "x"), ("c", "y"), ("a", "z"), ("b", "z"), ("c", "z")}
    )
    folder = release(
        tmp_path, Spec("t", BOTH, lambda c, v: (c["area"], c["kind"]) in hidden), leaves=leaves
    )
    assert audit_release(folder).passed
    report = audit_release(folder, known=tmp_path / "known.toml")
    found = {f.attack for f in report.findings}
    assert found == ({"outside"} if leaks or "zero" in known else set()), report.to_text()


@pytest.mark.parametrize(
    "text",
    [
        "[[total]]\ncodes = { area = 'nowhere' }\nvalue = 3",
        "[[total]]\ncodes = {}",
        "[other]\na = 1",
        "not toml",
    ],
)
def test_known_counts_that_make_no_sense(tmp_path, text):
    folder = release(tmp_path, Spec("t", BOTH, square))
    (tmp_path / "known.toml").write_text(text)
    with pytest.raises(AuditError, match=r"known\.toml"):
        audit_release(folder, known=tmp_path / "known.toml")
