"""The conventions, each read by a program that is not ours."""

import json
import subprocess
from pathlib import Path

import csvw
import duckdb
import frictionless
import jsonschema
import pandas as pd
import pyld
import pytest

from dashboard.export import opendata
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from tests.conftest import ROOT

SITE = "https://data.example.org"


@pytest.fixture(scope="module")
def releases():
    return all_releases(load_release(ROOT / "data_public"), load_release)


@pytest.fixture(scope="module")
def written(releases, tmp_path_factory):
    out = tmp_path_factory.mktemp("open")
    opendata.write(releases, out, SITE)
    return out


def test_versioned_and_latest_paths(written, releases):
    assert {p.name for p in (written / "data").iterdir()} == {
        "latest",
        *(r.version for r in releases),
    }
    for path in (written / "data/latest").rglob("*"):
        if path.is_file():
            assert (
                path.read_bytes()
                == (
                    written
                    / "data"
                    / releases[-1].version
                    / path.relative_to(written / "data/latest")
                ).read_bytes()
            )
    for resource in releases[-1].package["resources"]:
        assert (written / "data/latest" / resource["path"]).read_bytes() == (
            ROOT / "data_public" / resource["path"]
        ).read_bytes()


def test_checksums(written):
    for folder in (written / "data").iterdir():
        listed = (folder / "SHA256SUMS").read_text().splitlines()
        assert len(listed) == sum(p.is_file() for p in folder.rglob("*")) - 1
        subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True
        )


def test_frictionless(written):
    report = frictionless.validate(str(written / "data/latest/datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldNumber", "type", "message"])


def test_csvw(written):
    found = sorted((written / "data/latest").rglob("*.csv-metadata.json"))
    assert len(found) == len(list((written / "data/latest").rglob("*.csv"))) > 40
    for path in found:
        read = csvw.CSVW(str(path), validate=True)
        assert read.is_valid, path


def test_csvw_finds_a_planted_fault(written, tmp_path):
    source = written / "data/latest/tables/arrests.csv"
    for suffix in ("", "-metadata.json"):
        (tmp_path / f"arrests.csv{suffix}").write_bytes(Path(f"{source}{suffix}").read_bytes())
    (tmp_path / "arrests.csv").write_text(
        source.read_text().replace(",published", "x,published", 1)
    )
    assert not csvw.CSVW(str(tmp_path / "arrests.csv-metadata.json"), validate=True).is_valid


def test_parquet_holds_the_same_cells(written):
    for path in sorted(
        p for p in (written / "data/latest").rglob("*.parquet") if p.name != "cells.parquet"
    ):
        typed, texts = (
            pd.read_parquet(path),
            pd.read_csv(path.with_suffix(".csv"), dtype=str, keep_default_na=False),
        )
        assert list(typed.columns) == list(texts.columns)
        for name in typed.columns:
            back = ["" if pd.isna(v) else str(v) for v in typed[name]]
            same = back == list(texts[name]) or [float(v) if v else None for v in back] == [
                float(v) if v else None for v in texts[name]
            ]
            assert same, (path, name)
    found = duckdb.sql(
        f"SELECT sum(calls) FROM '{written}/data/latest/tables/arrests.parquet' WHERE period ="
        " 'all' AND responder = 'all' AND arrest = 'all'"
    )
    assert found.fetchall()[0][0] > 30_000


def test_schema_org(written, releases):
    """Search engines ask for name, description, license, creator, coverage and distribution;
    another reader of JSON-LD expands it."""
    for release in releases:
        described = json.loads((written / "data" / release.version / "dataset.jsonld").read_text())
        context = {"@vocab": "https://schema.org/"}
        (expanded,) = pyld.jsonld.expand(described | {"@context": context})
        assert expanded["@type"] == ["https://schema.org/Dataset"]
        for key in (
            "name",
            "description",
            "license",
            "creator",
            "temporalCoverage",
            "spatialCoverage",
            "distribution",
            "version",
        ):
            assert expanded[f"https://schema.org/{key}"], key
        assert 50 <= len(described["description"]) <= 5000
        assert len(described["distribution"]) == len(release.package["resources"])


TEXT = {"type": "string", "minLength": 1}
DCAT_US = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["@context", "@type", "dataset"],
    "properties": {
        "@type": {"const": "Catalog"},
        "dataset": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": [
                    "@type",
                    "contactPoint",
                    "description",
                    "identifier",
                    "publisher",
                    "title",
                ],
                "properties": {
                    "@type": {"const": "Dataset"},
                    "title": TEXT,
                    "description": TEXT,
                    "identifier": TEXT,
                    "contactPoint": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["@type", "fn", "hasEmail"],
                            "properties": {"hasEmail": {"type": "string", "pattern": "^mailto:"}},
                        },
                    },
                    "publisher": {"type": "object", "required": ["@type", "name"]},
                    "theme": {
                        "type": "array",
                        "items": {"type": "object", "required": ["@type", "prefLabel"]},
                    },
                    "spatial": {
                        "type": "array",
                        "items": {"type": "object", "required": ["@type"]},
                    },
                    "temporal": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["@type", "startDate", "endDate"],
                            "properties": {"startDate": {"type": "string", "format": "date"}},
                        },
                    },
                    "distribution": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["@type", "downloadURL", "mediaType"],
                            "properties": {
                                "downloadURL": {
                                    "type": "string",
                                    "format": "uri",
                                    "pattern": "^https://",
                                },
                                "checksum": {
                                    "type": "object",
                                    "required": ["algorithm", "checksumValue"],
                                    "properties": {
                                        "checksumValue": {
                                            "type": "string",
                                            "pattern": "^[0-9a-f]{64}$",
                                        }
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The mandatory parts of DCAT-US 3.0 as its documentation names them. GSA's own schema files cannot
be had without a network."""


def test_dcat_us(written, releases):
    catalog = json.loads((written / "data.json").read_text())
    validator = jsonschema.Draft202012Validator(DCAT_US, format_checker=jsonschema.FormatChecker())
    assert list(validator.iter_errors(catalog)) == []
    assert len(catalog["dataset"]) == len(releases)
    for dataset in catalog["dataset"]:
        for distribution in dataset["distribution"]:
            path = written / distribution["downloadURL"].removeprefix(f"{SITE}/")
            assert path.stat().st_size == int(distribution["byteSize"])
    del catalog["dataset"][0]["publisher"]
    assert list(validator.iter_errors(catalog))
