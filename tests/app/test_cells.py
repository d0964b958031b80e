"""`cells.parquet`, the lines that load files, and what `docs/data-latest.md` promises."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import duckdb
import pyarrow.parquet as pq
import pytest

from dashboard.export import cells_parquet, loading_lines, opendata
from dashboard.release.current import all_releases
from dashboard.release.reader import load_release
from tests.conftest import ROOT

CONTRACT = json.loads((ROOT / "tests/schemas/data-latest-1.json").read_text())


@pytest.fixture(scope="module")
def releases():
    return all_releases(load_release(ROOT / "data_public"), load_release)


@pytest.fixture(scope="module")
def written(releases, tmp_path_factory):
    out = tmp_path_factory.mktemp("open")
    opendata.write(releases, out, "")
    return out


@pytest.fixture(scope="module")
def plain_server(written):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(written)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def told_back(path, name):
    """The rows of one table, put together again from `cells.parquet` by another program: {row:
    {column: text}}."""
    found = duckdb.sql(f"""SELECT * FROM '{path}' WHERE "table" = '{name}' ORDER BY "row" """).df()
    rows = {}
    for record in found.astype(object).where(found.notna(), None).to_dict("records"):
        row = rows.setdefault(record["row"], {})
        row |= {k: v for k, v in record.items() if k not in cells_parquet.LEADING and v is not None}
        row["status"] = record["status"]
        row[record["column"]] = record["text"] if record["text"] is not None else record["value"]
    return rows


def same(text, value):
    if text == "" or value is None:
        return text == "" and value in (None, "")
    return float(text) == value if isinstance(value, float) else text == value


@pytest.mark.parametrize("number", [0, 1])
def test_every_value_of_every_table_is_there_and_no_other(written, releases, number):
    release = releases[number]
    path = written / "data" / release.version / "cells.parquet"
    tables = {r["name"]: r for r in release.package["resources"] if "table" in r}
    assert {p.stem for p in (path.parent / "tables").glob("*.csv")} == {
        name for (name,) in duckdb.sql(f"""SELECT DISTINCT "table" FROM '{path}'""").fetchall()
    }
    for resource in tables.values():
        texts = list(
            csv.DictReader(
                io.StringIO((path.parent / resource["path"]).read_text(encoding="utf-8"))
            )
        )
        back = told_back(path, cells_parquet.table_of(resource))
        assert list(back) == list(range(1, len(texts) + 1)), resource["name"]
        for n, row in enumerate(texts, 1):
            for column, text in row.items():
                assert same(text, back[n].get(column)), (resource["name"], n, column)
            for dimension, code in resource["table"].get("where", {}).items():
                assert back[n][dimension] == code


def test_nothing_stands_behind_a_withheld_count(written):
    path = written / "data/latest/cells.parquet"
    hidden, shown = duckdb.sql(
        f"""SELECT count(*), count(value) + count(text) FROM '{path}' WHERE status = 'suppressed'"""
    ).fetchall()[0]
    assert hidden > 100
    assert shown == 0


def test_the_same_release_gives_the_same_bytes(releases):
    again = load_release(ROOT / "data_public")
    assert again is not releases[-1]
    assert cells_parquet.parquet(again) == cells_parquet.parquet(releases[-1])


def broken(folder):
    """What of the contract a folder of files does not keep."""
    found = [f"no {name}" for name in CONTRACT["files"] if not (folder / name).is_file()]
    for path in folder.rglob("*.csv"):
        found += [
            f"no {n}"
            for n in CONTRACT["beside_each_csv"]
            if not (path.parent / n.replace("NAME", path.stem)).is_file()
        ]
    if not (folder / "cells.parquet").is_file():
        return found
    schema = pq.read_schema(folder / "cells.parquet")
    types = {name: str(schema.field(name).type) for name in schema.names}
    found += [
        f"cells.parquet: {name}"
        for name, kind in CONTRACT["cells.parquet"].items()
        if types.get(name) != kind
    ]
    others = {name: kind for name, kind in types.items() if name not in CONTRACT["cells.parquet"]}
    found += [
        f"cells.parquet: {name}"
        for name in others
        if others[name] != "string" or not (folder / f"codelists/{name}.csv").is_file()
    ]
    read = pq.read_table(folder / "cells.parquet", columns=["kind", "status"]).to_pydict()
    found += [f"kind {kind}" for kind in set(read["kind"]) - set(CONTRACT["kinds"])]
    found += [f"mark {mark}" for mark in set(read["status"]) - {None, *CONTRACT["marks"]}]
    package = json.loads((folder / "datapackage.json").read_text())
    found += [
        f"datapackage.json: {name}" for name in CONTRACT["datapackage.json"] if name not in package
    ]
    audit = json.loads((folder / "audit.json").read_text())
    found += [f"audit.json: {name}" for name in CONTRACT["audit.json"] if name not in audit]
    for resource in package["resources"]:
        kind = (
            "codelist"
            if "codelist" in resource
            else f"{resource['table']['kind']}_table"
            if "table" in resource
            else ""
        )
        names = [field["name"] for field in resource["schema"]["fields"]] if kind else []
        found += [
            f"{resource['path']}: {name}" for name in CONTRACT.get(kind, ()) if name not in names
        ]
    return found


def test_the_contract_holds_for_the_earliest_release_and_the_newest(written, releases):
    assert len(releases) == 2
    for place in (releases[0].version, releases[-1].version, "latest"):
        assert broken(written / "data" / place) == []


def test_a_breach_of_the_contract_is_found(written, tmp_path):
    folder = tmp_path / "latest"
    shutil.copytree(written / "data/latest", folder)
    (folder / "dataset.jsonld").unlink()
    table = pq.read_table(folder / "cells.parquet")
    pq.write_table(
        table.drop_columns(["universe"]).append_column("extra", table["value"]),
        folder / "cells.parquet",
    )
    assert broken(folder) == [
        "no dataset.jsonld",
        "cells.parquet: universe",
        "cells.parquet: extra",
    ]


def test_the_document_names_all_that_the_contract_holds():
    text = (ROOT / "docs/data-latest.md").read_text(encoding="utf-8")
    assert f"**Contract {CONTRACT['contract']}.**" in text
    named = set(re.findall(r"`([^`]+)`", text))
    for part in (
        "files",
        "kinds",
        "marks",
        "count_table",
        "codelist",
        "datapackage.json",
        "audit.json",
        "beside_each_csv",
    ):
        missing = {name for name in CONTRACT[part] if name not in named and name != "NAME.csv"}
        assert not missing, (part, missing)
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (\w+) \|", text))
    assert rows == CONTRACT["cells.parquet"]


def test_the_query_of_the_document_runs(written):
    (query,) = re.findall(
        r"```sql\n(.*?)```", (ROOT / "docs/data-latest.md").read_text(encoding="utf-8"), re.S
    )
    assert "https://example.org/data/latest/" in query
    assert duckdb.sql(
        query.replace("https://example.org", str(written)).rstrip().rstrip(";")
    ).fetchall()


def test_the_lines_of_python_load_each_file(plain_server, releases):
    release = releases[-1]
    place = loading_lines.base(release, plain_server)
    for resource in [None, *cells_parquet.tables(release)]:
        names = {}
        exec(loading_lines.python(resource, place), names)
        frame = names["cells" if resource is None else cells_parquet.table_of(resource)]
        if resource is None:
            assert len(frame) == cells_parquet.rows_of(release)
        else:
            rows = list(csv.reader(io.StringIO(release.files[resource["path"]].decode())))
            assert list(frame.columns) == rows[0]
            assert (
                len(frame)
                == len(rows) - 1
                == cells_parquet.rows_in(release.files[resource["path"]])
            )


def test_the_lines_of_r_load_each_file(plain_server, releases):
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("NO R HERE: the lines of R were not tried (apt-get install r-base-core)")
    release = releases[-1]
    for resource in cells_parquet.tables(release):
        name, line = (
            cells_parquet.table_of(resource),
            loading_lines.r(resource, loading_lines.base(release, plain_server)),
        )
        told = subprocess.run(
            [program, "-e", f"{line}; cat(nrow({name}), ncol({name}))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert told.split() == [
            str(cells_parquet.rows_in(release.files[resource["path"]])),
            str(len(resource["schema"]["fields"])),
        ]


def test_the_lines_of_r_have_a_class_for_each_column(releases):
    """Without R: as many classes as columns, numbers where the schema has numbers."""
    for resource in cells_parquet.tables(releases[-1]):
        listed = re.search(r"colClasses = c\((.*?)\), na\.strings", loading_lines.r(resource, "x"))[
            1
        ]
        classes = [
            kind
            for kind, times in re.findall(r'rep\("(\w+)", (\d+)\)', listed)
            for _ in range(int(times))
        ]
        assert classes == [
            "numeric" if f["type"] in cells_parquet.NUMBERS else "character"
            for f in resource["schema"]["fields"]
        ]


def test_the_lines_of_excel_load_each_file():
    pytest.skip("NO EXCEL HERE: the formulas of Power Query were not tried")


def test_an_agency_without_a_site_loads_from_the_zip_file(releases, tmp_path, monkeypatch):
    release = replace(
        releases[-1], package={k: v for k, v in releases[-1].package.items() if k != "homepage"}
    )
    (tmp_path / "all.zip").write_bytes(opendata.zip_of(release))
    shutil.unpack_archive(tmp_path / "all.zip", tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(loading_lines.python(None, loading_lines.base(release, "")), names)
    assert len(names["cells"]) == cells_parquet.rows_of(release)
    first = cells_parquet.tables(release)[0]
    assert 'File.Contents("C:\\release-2026.1\\tables\\' in loading_lines.excel(
        first, loading_lines.base(release, "")
    )
