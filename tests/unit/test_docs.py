"""What the documents name exists, and the README's first screen is as it should be."""

import re

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_files_named_in_the_readme_exist():
    for path in re.findall(r"\]\(((?:docs|examples)/[^)]+)\)", README):
        assert (ROOT / path).exists(), path
    assert "docs/pictures/coverage.png" in README


def test_the_first_screen_of_the_readme():
    """What it is, for whom, one picture; then two commands; then the reader's own agency."""
    head, *parts = README.split("\n## ")
    assert head.count("![") == 1
    assert all(
        reader in head for reader in ("residents", "journalists", "council members", "analyst")
    )
    assert [part.split("\n")[0] for part in parts][:2] == ["Start", "Your own agency"]
    assert len(re.findall(r"(?m)^    make", parts[0])) == 2


def test_links_between_documents_lead_somewhere():
    documents = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "deploy/README.md",
        ROOT / "examples/README.md",
    ]
    for document in documents:
        for target in re.findall(
            r"\]\((?!https?:|mailto:|#)([^)#]+)", document.read_text(encoding="utf-8")
        ):
            assert (document.parent / target).exists(), (document.name, target)


@pytest.mark.parametrize(
    "document", ["docs/architecture.md", "docs/protection.md", "GLOSSARY.md", "CONTRIBUTING.md"]
)
def test_files_named_in_documents_exist(document):
    """By their path in the project, or in the folder of either side."""
    places = [
        ROOT,
        ROOT / "anonymize",
        ROOT / "dashboard",
        *(ROOT / "anonymize" / room for room in ("protect", "audit", "release")),
    ]
    named = re.findall(
        r"`([\w./-]+(?:\.py|\.toml|/))`", (ROOT / document).read_text(encoding="utf-8")
    )
    for path in named:
        assert any((place / path).exists() for place in places) or path in MADE_BY_A_RUN, path


MADE_BY_A_RUN = ("history/", "private/", "history/VERSION/")


def test_benchmarks_are_short():
    lines = (ROOT / "BENCHMARKS.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80


def test_every_key_of_the_agency_file_is_documented():
    from anonymize.agency import schema

    text = (ROOT / "docs/agency-file.md").read_text(encoding="utf-8")
    for model in (
        schema.Agency,
        schema.Release,
        schema.Privacy,
        schema.CallsSpec,
        schema.TimeSpec,
        schema.AreaSpec,
        schema.Boundaries,
        schema.TableSpec,
    ):
        for name in model.model_fields:
            assert name in text, f"{model.__name__}.{name}"
    for field in schema.PLAIN_FIELDS:
        assert f"`{field}`" in text, field


def test_the_shortest_agency_file_of_the_readme_can_be_checked(tmp_path):
    from anonymize.pipeline import check, read_inputs

    block = README[README.index("    [agency]") :]
    lines = block.splitlines()[
        : next(
            i for i, line in enumerate(block.splitlines()) if line and not line.startswith("    ")
        )
    ]
    (tmp_path / "agency.toml").write_text("\n".join(line[4:] for line in lines), encoding="utf-8")
    (tmp_path / "calls.csv").write_text(
        "Received\n" + "".join(f"2024-{1 + i % 12:02d}-05 10:00\n" for i in range(240))
    )
    seen = check(read_inputs(tmp_path / "agency.toml"), tmp_path / "private")
    assert seen.tally.counted == 240
