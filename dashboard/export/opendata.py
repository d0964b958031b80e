"""A release in the forms that portals, search engines, spreadsheets and databases know, made from
its own description.

Data Package v2 is the release itself. With it come CSV on the Web (W3C, 2015) for each CSV, Parquet
for each table and for all of them in one (`cells_parquet.py`), schema.org Dataset as JSON-LD, a
catalog in DCAT-US 3, and checksums. `docs/data-latest.md` says what of it stays from version to
version.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from dashboard.export import cells_parquet
from dashboard.export.downloads import as_json, sums, zipped
from dashboard.release.reader import Release
from dashboard.text.language import first, tag

"""Of titles and descriptions in machine-readable files; labels in other languages are in the
code lists."""
MEDIA = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "md": "text/markdown",
    "parquet": "application/vnd.apache.parquet",
}


@lru_cache(maxsize=8)
def zip_of(release: Release) -> bytes:
    """The whole release with its companions, the same bytes each time."""
    return zipped(files(release), f"release-{release.version}")


@lru_cache(maxsize=8)
def files(release: Release) -> Mapping[str, bytes]:
    """Path -> bytes: the release as it was published, then its companions, then SHA256SUMS over
    all. Made once, and the same for all who ask."""
    names = [
        "datapackage.json",
        "audit.json",
        *(["approval.json"] if release.approved else []),
        *(str(r["path"]) for r in release.package["resources"]),
    ]
    found = {name: release.files[name] for name in names}
    for resource in _tables(release):
        path = str(resource["path"])
        found[f"{path}-metadata.json"] = as_json(csvw(resource, release))
        found[f"{path.removesuffix('.csv')}.parquet"] = parquet(found[path], resource)
    found[cells_parquet.NAME] = cells_parquet.parquet(release)
    found["dataset.jsonld"] = json_ld(release, "")
    return MappingProxyType(found | {"SHA256SUMS": sums(found)})


def _tables(release: Release) -> list[dict[str, Any]]:
    return [r for r in release.package["resources"] if str(r["path"]).endswith(".csv")]


def csvw(resource: dict[str, Any], release: Release) -> dict[str, Any]:
    """CSVW metadata of one CSV; lies next to it as `NAME.csv-metadata.json`, where readers of CSVW
    look."""
    datatypes = {
        "integer": "integer",
        "number": "number",
        "date": "date",
        "yearmonth": "gYearMonth",
        "year": "gYear",
    }
    columns = []
    for field in resource["schema"]["fields"]:
        column: dict[str, Any] = {
            "name": field["name"],
            "titles": field["name"],
            "datatype": datatypes.get(field["type"], "string"),
            "null": "",
            "required": bool(field.get("constraints", {}).get("required")),
        }
        if said := field.get("description") or field.get("title"):
            column["dc:description"] = said
        columns.append(column)
    schema: dict[str, Any] = {"columns": columns}
    if key := resource["schema"].get("primaryKey"):
        schema["primaryKey"] = key
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": tag(release.languages[0])}],
        "url": Path(str(resource["path"])).name,
        "dc:title": resource.get("title", resource["name"]),
        "dc:license": {"@id": release.package["licenses"][0]["path"]},
        "tableSchema": schema,
    }


def parquet(data: bytes, resource: dict[str, Any]) -> bytes:
    """The same rows and columns with their types: codes are text, withheld counts are null."""
    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    for field in resource["schema"]["fields"]:
        name = field["name"]
        if field["type"] in ("integer", "year"):
            frame[name] = pd.to_numeric(frame[name].replace("", None)).astype("Int64")
        elif field["type"] == "number":
            frame[name] = pd.to_numeric(frame[name].replace("", None)).astype("Float64")
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _span(release: Release) -> str:
    span = release.package["period"]
    return f"{span['from']}/{span['to']}"


def _base(site: str, version: str) -> str:
    return f"{site}/data/{version}" if site else "."


def json_ld(release: Release, site: str) -> bytes:
    """schema.org Dataset, as search engines read it."""
    package, base = release.package, _base(site, release.version)
    described: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": package["title"],
        "description": package["description"],
        "version": release.version,
        "datePublished": str(package["created"])[:10],
        "license": package["licenses"][0]["path"],
        "creator": {
            "@type": "Organization",
            "name": package["contributors"][0]["title"],
            "email": release.agency["contact"],
        },
        "temporalCoverage": _span(release),
        "spatialCoverage": {"@type": "Place", "name": first(release.agency["place"])},
        "isAccessibleForFree": True,
        "inLanguage": sorted(map(tag, release.languages)),
        "variableMeasured": sorted(
            {t.measure for t in release.tables.values()}
            | {s.measure for s in release.statistics.values()}
        ),
        "distribution": [
            {
                "@type": "DataDownload",
                "name": r.get("title", r["name"]),
                "encodingFormat": r["mediatype"],
                "contentUrl": f"{base}/{r['path']}",
                "sha256": str(r["hash"]).removeprefix("sha256:"),
            }
            for r in package["resources"]
        ],
    }
    if site:
        described |= {
            "url": f"{site}/",
            "identifier": f"{site}/data/{release.version}/datapackage.json",
        }
    return as_json(described)


def dcat(releases: Sequence[Release], site: str) -> bytes:
    """A catalog in DCAT-US 3 with one dataset for each release, the newest last."""
    newest = releases[-1]
    publisher = {"@type": "Organization", "name": newest.package["contributors"][0]["title"]}
    return as_json(
        {
            "@context": "https://resources.data.gov/dcat-us/3.0.0/context/dcat-us-3.0.jsonld",
            "@type": "Catalog",
            "title": newest.package["title"],
            "description": newest.package["description"],
            "publisher": publisher,
            "dataset": [_dcat_dataset(release, site, publisher) for release in releases],
        }
    )


def _dcat_dataset(release: Release, site: str, publisher: dict[str, str]) -> dict[str, Any]:
    package, base = (
        release.package,
        (f"{site}/data/{release.version}" if site else f"data/{release.version}"),
    )
    span, contact = package["period"], release.agency["contact"]
    return {
        "@type": "Dataset",
        "identifier": f"{base}/datapackage.json",
        "title": f"{package['title']}, release {release.version}",
        "description": package["description"],
        "publisher": publisher,
        "contactPoint": [
            {
                "@type": "Kind",
                "fn": publisher["name"],
                "hasEmail": f"mailto:{contact}" if "@" in contact else contact,
            }
        ],
        "issued": str(package["created"])[:10],
        "version": release.version,
        "language": sorted(map(tag, release.languages)),
        "keyword": ["co-responder", "crisis response", "behavioral health", "calls for service"],
        "theme": [{"@type": "Concept", "prefLabel": "Public safety"}],
        "accessRights": "public",
        "license": package["licenses"][0]["path"],
        "temporal": [{"@type": "PeriodOfTime", "startDate": span["from"], "endDate": span["to"]}],
        "spatial": [{"@type": "Location", "prefLabel": first(release.agency["place"])}],
        "distribution": [
            {
                "@type": "Distribution",
                "title": r.get("title", r["name"]),
                "format": str(r["format"]).upper(),
                "mediaType": r["mediatype"],
                "downloadURL": f"{base}/{r['path']}",
                "byteSize": str(r["bytes"]),
                "checksum": {
                    "@type": "Checksum",
                    "algorithm": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256",
                    "checksumValue": str(r["hash"]).removeprefix("sha256:"),
                },
            }
            for r in package["resources"]
        ],
    }


def write(releases: Sequence[Release], out: Path, site: str) -> None:
    """`data/VERSION/` for each release, `data/latest/` as the newest, and `data.json` over all."""
    for release in releases:
        found = files(release)
        for place in (release.version, *(["latest"] if release is releases[-1] else [])):
            for name, data in found.items():
                target = out / "data" / place / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    (out / "data.json").write_bytes(dcat(releases, site))
