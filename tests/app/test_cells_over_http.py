"""`cells.parquet` read by parts from a plain web server: by Arrow, and by DuckDB where its
extension is there."""

import io
import os
import struct

import duckdb
import pyarrow.parquet as pq
import pytest

from dashboard.export import opendata
from dashboard.release.reader import load_release
from tests.conftest import ROOT
from tests.proxy import NGINX, nginx_with_files
from tests.ranges import RangeFile

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="NO NGINX HERE: no file was read by parts (apt-get install nginx-light)"
)
QUERY = """SELECT sum(value) FROM '{path}' WHERE "table" = 'arrests' AND "column" = 'calls'
AND period = 'all' AND responder = 'all' AND arrest = 'yes'"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    files, folder = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("nginx")
    opendata.write([load_release(ROOT / "data_public")], files, "")
    files.chmod(0o755)
    with nginx_with_files(files, folder) as (address, log):
        yield files / "data/latest/cells.parquet", f"{address}/data/latest/cells.parquet", log


def test_a_program_fetches_only_the_parts_that_it_needs(served):
    """Step by step, as DuckDB does it: length of the footer, footer, the columns that a question is
    about. The rest of the file is left out."""
    path, address, log = served
    far = RangeFile(address)
    far.seek(-8, os.SEEK_END)
    length, magic = struct.unpack("<I4s", far.read(8))
    assert magic == b"PAR1"
    far.seek(-8 - length, os.SEEK_END)
    metadata = pq.read_metadata(
        io.BytesIO(b"PAR1" + far.read(length) + struct.pack("<I", length) + b"PAR1")
    )
    kept = bytearray(far.size)
    wanted = {"table", "column", "value", "period", "responder", "arrest"}
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            if chunk.path_in_schema in wanted:
                first = chunk.dictionary_page_offset or chunk.data_page_offset
                far.seek(first)
                kept[first : first + chunk.total_compressed_size] = far.read(
                    chunk.total_compressed_size
                )
    far.seek(-8 - length, os.SEEK_END)
    kept[-8 - length :] = path.read_bytes()[-8 - length :]
    assert far.fetched < far.size
    (path.parent.parent / "parts.parquet").write_bytes(kept)
    answers = [
        duckdb.sql(QUERY.format(path=place)).fetchall()
        for place in (path, path.parent.parent / "parts.parquet")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0][0] > 100
    assert {line.split()[0] for line in log.read_text().splitlines() if "GET" in line} == {"206"}


def test_duckdb_reads_by_parts(served):
    """The extension comes over a network, which tests do not use: it must be there already."""
    path, address, log = served
    database = duckdb.connect()
    try:
        database.execute("LOAD httpfs")
    except duckdb.Error:
        pytest.skip(
            "NO HTTPFS HERE: DuckDB itself did not read over the network (duckdb -c 'INSTALL"
            " httpfs')"
        )
    before = len(log.read_text().splitlines())
    assert (
        database.sql(QUERY.format(path=address)).fetchall()
        == duckdb.sql(QUERY.format(path=path)).fetchall()
    )
    asked = [line for line in log.read_text().splitlines()[before:] if "GET" in line]
    assert asked
    assert all(line.startswith('206 GET "bytes=') for line in asked)
