"""The Spark engine on a real cluster of two workers: the same release as DuckDB's, byte for byte,
also when a worker is killed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from anonymize.pipeline import CANDIDATE, build, check, read_inputs
from anonymize.progress import Progress
from tests.agency import write_agency
from tests.conftest import ROOT

FILES = 6
PORT = 17077
BIN = ROOT / ".venv/bin"


def need_spark():
    pytest.importorskip(
        "pyspark", reason="PySpark is not installed: `make spark` installs it and runs these tests"
    )
    if not shutil.which("java"):
        pytest.skip("no Java on this machine; Debian's openjdk-17-jre-headless has it")
    return Path(__import__("pyspark").__file__).parent


class Cluster:
    """A master and two workers of one core each, all on the loopback interface."""

    def __init__(self, home, folder):
        self.home, self.folder = home, folder
        self.address = f"spark://127.0.0.1:{PORT}"
        self.master = self.start(
            "master.Master", "--host", "127.0.0.1", "--port", str(PORT), "--webui-port", "0"
        )
        wait_for(lambda: listening(PORT), "the master")
        self.workers = [self.worker(n) for n in range(2)]
        wait_for(
            lambda: "Registering worker" in self.log(0) or self.registered() == 2, "both workers"
        )

    def start(self, what, *arguments):
        log = (self.folder / f"{what}-{len(list(self.folder.iterdir()))}.log").open("w")
        environment = os.environ | {
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": str(BIN / "python"),
            "PYTHONPATH": str(ROOT),
            "SPARK_HOME": str(self.home),
        }
        return subprocess.Popen(
            [str(self.home / "bin/spark-class"), f"org.apache.spark.deploy.{what}", *arguments],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=self.folder,
        )

    def worker(self, n):
        return self.start(
            "worker.Worker",
            "--host",
            "127.0.0.1",
            "-c",
            "1",
            "-m",
            "1500m",
            "--webui-port",
            "0",
            "-d",
            str(self.folder / f"work{n}"),
            self.address,
        )

    def log(self, n):
        return "".join(path.read_text() for path in self.folder.glob("master*.log"))

    def registered(self):
        return self.log(0).count("Registering worker")

    def kill(self, n):
        """The worker and all that it started, at once."""
        os.killpg(self.workers[n].pid, signal.SIGKILL)
        self.workers[n].wait()

    def stop(self):
        for process in (*self.workers, self.master):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_for(true, what, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"{what} did not come up"
        time.sleep(0.3)


@pytest.fixture
def cluster(tmp_path):
    home = need_spark()
    folder = tmp_path / "cluster"
    folder.mkdir()
    found = Cluster(home, folder)
    wait_for(lambda: found.registered() == 2, "both workers")
    yield found
    found.stop()


@pytest.fixture(scope="session")
def split_city(example_exports, tmp_path_factory):
    """The example city with its calls in several files, as a state's counties would send them."""
    folder = tmp_path_factory.mktemp("split")
    shutil.copytree(example_exports, folder / "exports")
    calls = folder / "exports/calls.csv"
    header, *rows = calls.read_text().splitlines(keepends=True)
    for n in range(FILES):
        part = rows[len(rows) * n // FILES : len(rows) * (n + 1) // FILES]
        (folder / f"exports/part-{n}.csv").write_text(header + "".join(part))
    text = (ROOT / "examples/example_city/agency.toml").read_text()
    assert 'paths = "exports/calls.csv"' in text
    (folder / "duckdb.toml").write_text(
        text.replace('paths = "exports/calls.csv"', 'paths = "exports/part-*.csv"')
    )
    return folder


@pytest.fixture(scope="session")
def by_duckdb(split_city):
    return files_of(split_city / "duckdb.toml", split_city / "duck")


def files_of(agency, folder, progress=None):
    build(
        read_inputs(agency),
        folder / "out",
        folder / "private",
        progress=progress or Progress(quiet=True),
    )
    made = folder / "private" / CANDIDATE
    return {
        str(path.relative_to(made)): path.read_bytes()
        for path in sorted(made.rglob("*"))
        if path.is_file()
    }


def on_spark(split_city, address):
    agency = split_city / "spark.toml"
    agency.write_text(
        f'engine = "spark"\nspark = {{ master = "{address}" }}\n'
        + (split_city / "duckdb.toml").read_text()
    )
    return agency


class Watched(Progress):
    """Runs something when a step begins."""

    def __init__(self, name, then):
        super().__init__(quiet=True)
        self.name, self.then, self.done = name, then, False

    def say(self, text):
        if text.startswith(self.name) and not self.done:
            self.done = True
            self.then()


def test_the_same_bytes_as_duckdb(cluster, split_city, by_duckdb, tmp_path):
    assert files_of(on_spark(split_city, cluster.address), tmp_path / "spark") == by_duckdb


def test_the_same_bytes_when_a_worker_is_killed(cluster, split_city, by_duckdb, tmp_path):
    """Once all is read, half of the rows lie with the worker that dies: Spark reads its files
    again."""
    watched = Watched("Counting", lambda: cluster.kill(0))
    assert files_of(on_spark(split_city, cluster.address), tmp_path / "spark", watched) == by_duckdb
    assert watched.done
    assert cluster.workers[0].returncode == -signal.SIGKILL


def test_errors_name_the_file_and_no_record(tmp_path):
    need_spark()
    head = 'engine = "spark"\nspark = { master = "local[2]" }\n'
    agency = write_agency(
        tmp_path,
        "id,at,type\n1,2024-01-05 10:00,Crisis\n"
        "2,2024-01-05 "
        "10:00,SECRET-VALUE-OF-A-FIELD-THAT-IS-MUCH-LONGER-THAN-ANY-CATEGORY-CAN-BE-AND-HOLDS-A-NAME\n",
    )
    agency.write_text(head + agency.read_text())
    with pytest.raises(Exception, match="does not look like a category") as caught:
        check(read_inputs(agency), tmp_path / "private")
    assert "SECRET" not in str(caught.value)
    (tmp_path / "calls.csv").write_bytes(b"PAR1 not a table" * 10)
    agency.write_text(
        agency.read_text().replace('paths = "calls.csv"', 'paths = "calls.csv"\nformat = "parquet"')
    )
    with pytest.raises(Exception, match=r"calls\.csv"):
        check(read_inputs(agency), tmp_path / "private")


def test_tallies_agree(tmp_path):
    """Rejected, repeated and malformed rows are told alike, and so is the portrait."""
    need_spark()
    rows = (
        "id,at,type\n1,2024-01-05 10:00,Crisis\n1,2024-01-05 10:00,Check\n2,never,Crisis\n"
        ",2024-01-05 10:00,Crisis\n4,a,b,c,d\n"
        + "".join(f"{n},2024-0{1 + n % 6}-05 10:00,Check\n" for n in range(10, 400))
    )
    agency = write_agency(tmp_path, rows, {"[calls]": '[calls]\nrepeated_rows = "keep_last"'})
    plain = check(read_inputs(agency), tmp_path / "a")
    agency.write_text('engine = "spark"\nspark = { master = "local[2]" }\n' + agency.read_text())
    assert check(read_inputs(agency), tmp_path / "b") == plain
    assert (tmp_path / "a/rejects.csv").read_text() == (tmp_path / "b/rejects.csv").read_text()
    assert plain.tally.rejected == {"impossible_time": 1, "malformed": 1, "no_call_id": 1}
    assert plain.tally.repeated == 1
