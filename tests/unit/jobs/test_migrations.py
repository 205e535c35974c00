"""Files outlive versions: a database of any earlier schema opens, one of a newer schema says who wrote it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import JobStoreError, StorageFull
from gateway.jobs import migrations
from gateway.jobs.database import exclusively, queue_key
from gateway.jobs.schema import read_version
from gateway.jobs.store import JobStore
from gateway.jobs.tables import metadata
from gateway.protocol.encodings import Encoding
from gateway.results import JobState
from gateway.version import __version__

GOLDEN = Path(__file__).parents[2] / "golden" / "jobs"
LATEST = len(migrations.STEPS)
EVERY_TABLE = {*migrations.SCHEMA_1.tables, *metadata.tables}


def rename_a_column(connection: Connection) -> None:
    """Do what SQLite can only do by making the table anew, with other tables' rows that refer to it."""
    if connection.dialect.name == "sqlite":
        ddl = str(connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'jobs'")))
        connection.exec_driver_sql(ddl.replace("CREATE TABLE jobs", "CREATE TABLE new_jobs"))
        connection.execute(sa.text("INSERT INTO new_jobs SELECT * FROM jobs"))
        connection.execute(sa.text("DROP TABLE jobs"))
        connection.execute(sa.text("ALTER TABLE new_jobs RENAME TO jobs"))
    connection.execute(sa.text("ALTER TABLE jobs RENAME COLUMN trace TO trace_context"))


def count_itself(connection: Connection) -> None:
    connection.execute(sa.text("CREATE TABLE IF NOT EXISTS steps_run (n INTEGER)"))
    connection.execute(sa.text("INSERT INTO steps_run VALUES (1)"))


def fail(_connection: Connection) -> None:
    raise RuntimeError("this step fails")


def die(_connection: Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_the_disk(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count = 100")
    connection.exec_driver_sql("CREATE TABLE big (body BLOB)")
    connection.exec_driver_sql("INSERT INTO big VALUES (randomblob(10000000))")


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A SQLite file of schema 1."""
    path = tmp_path / "jobs.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript((GOLDEN / "schema_1.sqlite.sql").read_text())
    connection.close()
    return path


def emptied(url: str) -> str:
    with connected(url) as connection:
        for table in (*EVERY_TABLE, "steps_run"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {table} CASCADE"))
    return url


@pytest.fixture
def empty_postgresql(postgresql_url: str) -> str:
    return emptied(postgresql_url)


@pytest.fixture(params=["file", "postgresql"])
def old_url(request: pytest.FixtureRequest) -> str:
    """A database of schema 1, with jobs in each state."""
    if request.param == "file":
        return f"sqlite:///{request.getfixturevalue('old_file')}"
    url: str = request.getfixturevalue("empty_postgresql")
    with connected(url) as connection:
        connection.exec_driver_sql((GOLDEN / "schema_1.postgresql.sql").read_text())
    return url


@contextlib.contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Yield a transaction on a database, whose connection is closed at its end."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


def opened(url: str, queue: str = "qulacs", wait_s: float = 0) -> None:
    JobStore(url, queue, wait_s=wait_s).close()


def tables(url: str) -> dict[str, object]:
    """Return tables, columns, keys and indexes of a database, in a form that can be compared."""
    with connected(url) as connection:
        inspector = sa.inspect(connection)
        return {
            name: (
                sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)),
                inspector.get_pk_constraint(name)["constrained_columns"],
                sorted(index["column_names"] for index in inspector.get_indexes(name)),
                sorted(one["column_names"] for one in inspector.get_unique_constraints(name)),
                [(key["constrained_columns"], key["referred_table"]) for key in inspector.get_foreign_keys(name)],
            )
            for name in sorted(inspector.get_table_names())
        }


def version(url: str) -> tuple[int, str]:
    with connected(url) as connection:
        return read_version(connection)


def _selected(table: sa.Table) -> sa.Select:
    return sa.select(*[column for column in table.c if column.name != "idempotency_key"])


def content(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the tables of schema 1, but for the version and the keys that a later step gives to jobs."""
    with connected(url) as connection:
        return {
            name: [tuple(row) for row in connection.execute(_selected(table).order_by(*table.primary_key))]
            for name, table in migrations.SCHEMA_1.tables.items()
            if name != "schema_version"
        }


def test_a_database_of_the_first_schema_opens_with_all_its_jobs(old_url: str):
    store = JobStore(old_url, "qulacs", wait_s=0)
    assert version(old_url) == (LATEST, __version__)
    states = {record.id: record.state for record in store.page("ada", None, None, 10)}
    assert states == {state.value: state for state in JobState}
    done = store.find_key("key", "ada")
    assert [answer.body for answer in store.answers(done.number)] == [b'{"results":[]}'] * 2
    assert [(one.record.id, one.attempts) for one in store.unfinished()] == [("running", {0: 2}), ("queued", {0: 0})]
    store.close()
    opened(old_url)


def test_a_new_database_an_upgraded_one_and_the_declared_tables_are_the_same(old_url: str, tmp_path: Path):
    opened(old_url)
    upgraded = tables(old_url)
    new = f"sqlite:///{tmp_path}/new" if old_url.startswith("sqlite") else emptied(old_url)
    opened(new)
    assert version(new) == (LATEST, __version__)
    assert tables(new) == upgraded
    declared = f"sqlite:///{tmp_path}/declared" if old_url.startswith("sqlite") else emptied(old_url)
    with connected(declared) as connection:
        metadata.create_all(connection)
    assert tables(declared) == {name: table for name, table in upgraded.items() if name != "deployments"}
    assert "deployments" not in metadata.tables, "the interface of old Qrisp clients has it for itself"


def test_jobs_of_the_first_schema_have_their_results_in_json(old_url: str):
    store = JobStore(old_url, "qulacs", wait_s=0)
    assert {record.encoding for record in store.page("ada", None, None, 10)} == {Encoding.JSON}
    store.close()
    with connected(old_url) as connection:
        sizes = connection.execute(sa.text("SELECT size, whole_size FROM circuits")).all()
    assert set(sizes) == {(None, None)}


def test_jobs_without_a_key_are_found_by_their_number_and_keys_stay(old_url: str):
    store = JobStore(old_url, "qulacs", wait_s=0)
    jobs = [store.find_key(key, "ada") for key in ("key", "qrisp-2", "qrisp-3", "qrisp-4", "qrisp-5", "qrisp-1")]
    assert [job and job.id for job in jobs] == ["done", "failed", "cancelled", "running", "queued", None]
    store.close()


def test_a_key_that_a_caller_chose_stays_the_key_of_that_job(old_url: str):
    with connected(old_url) as connection:
        connection.execute(sa.text("UPDATE jobs SET idempotency_key = 'qrisp-2' WHERE id = 'done'"))
    store = JobStore(old_url, "qulacs", wait_s=0)
    chosen, failed = store.find_key("qrisp-2", "ada"), store.find("failed", "ada")
    assert chosen.id == "done"
    assert failed.idempotency_key is None
    store.close()


def test_each_missing_step_runs_once_and_in_order(old_url: str, monkeypatch: pytest.MonkeyPatch):
    before = content(old_url)
    opened(old_url)
    assert content(old_url) == before
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, count_itself, count_itself))
    opened(old_url)
    opened(old_url)
    with connected(old_url) as connection:
        assert connection.scalar(sa.text("SELECT COUNT(*) FROM steps_run")) == 2
        written = connection.execute(sa.text("SELECT version FROM schema_version ORDER BY version")).scalars().all()
    assert written == [1, LATEST, LATEST + 2]
    assert content(old_url) == before


def test_a_table_can_be_made_anew_without_losing_the_rows_that_refer_to_it(
    old_url: str, monkeypatch: pytest.MonkeyPatch
):
    circuits = content(old_url)["circuits"]
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, rename_a_column))
    opened(old_url)
    with connected(old_url) as connection:
        assert connection.scalar(sa.text("SELECT trace_context FROM jobs WHERE number = 1")) == "00-trace"
        assert connection.execute(sa.select(migrations.SCHEMA_1.tables["circuits"])).all() == circuits


def test_a_step_that_fails_leaves_the_database_as_it_was(old_url: str, monkeypatch: pytest.MonkeyPatch):
    before = tables(old_url), content(old_url)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, count_itself, fail))
        with pytest.raises(RuntimeError, match="this step fails"):
            opened(old_url)
    assert (tables(old_url), content(old_url)) == before
    assert version(old_url) == (1, "")
    opened(old_url)


def test_a_server_killed_during_a_migration_leaves_the_database_as_it_was(old_url: str):
    before = tables(old_url), content(old_url)
    process = multiprocessing.get_context("fork").Process(target=_open_and_die, args=(old_url,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    JobStore(old_url, "qulacs", wait_s=30).close()  # the engine notices within moments that its client is gone
    assert content(old_url) == before[1]
    assert "steps_run" not in tables(old_url)
    assert version(old_url) == (LATEST, __version__)


def _open_and_die(url: str) -> None:
    migrations.STEPS = (*migrations.STEPS, count_itself, die)
    opened(url)


def test_a_server_killed_at_its_first_start_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path}/jobs"
    process = multiprocessing.get_context("fork").Process(target=_open_and_die, args=(url,))
    process.start()
    process.join()
    assert tables(url) == {}
    opened(url)


def test_a_disk_that_fills_up_during_a_migration_is_said_and_leaves_the_file_as_it_was(
    old_file: Path, monkeypatch: pytest.MonkeyPatch
):
    url = f"sqlite:///{old_file}"
    before = tables(url), content(url)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, count_itself, fill_the_disk))
        with pytest.raises(StorageFull, match=rf"full .*: make room for {url}"):
            opened(url)
    assert (tables(url), content(url)) == before
    opened(url)


READ_ONLY = """
import os, sys
from gateway.errors import JobStoreError
from gateway.jobs.store import JobStore
JobStore().close()  # loads the driver, which another user might not find
if os.getuid() == 0:  # root may write anything
    os.setgid(65534), os.setuid(65534)
try:
    JobStore(sys.argv[1])
except JobStoreError as exc:
    print(exc)
"""


def test_a_file_that_may_not_be_written_is_named_and_left_alone(old_file: Path):
    with tempfile.TemporaryDirectory() as folder:  # pytest's folders are its user's only
        file, lock = Path(folder) / "jobs.sqlite", Path(folder) / "jobs.sqlite.lock"
        file.write_bytes(old_file.read_bytes())
        file.chmod(0o444)
        lock.touch()
        if os.getuid() == 0:
            Path(folder).chmod(0o755)
            os.chown(lock, 65534, 65534)
        script = [sys.executable, "-c", READ_ONLY, f"sqlite:///{file}"]
        done = subprocess.run(script, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"the job database sqlite:///{file} cannot be written (")
        assert done.stdout.count("\n") == 1
        assert file.read_bytes() == old_file.read_bytes()


def test_a_newer_database_says_who_wrote_it_and_what_to_do(old_url: str, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, count_itself))
        patch.setattr("gateway.jobs.schema.__version__", "9.8.7")
        opened(old_url)
    with pytest.raises(JobStoreError) as caught:
        opened(old_url)
    where = sa.make_url(old_url).render_as_string()
    assert str(caught.value) == (
        f"the job database {where} was written by version 9.8.7 of the gateway and has schema {LATEST + 1}; this is "
        f"version {__version__}, which knows schema {LATEST} and those before it: start version 9.8.7, or give this "
        "server another database"
    )
    assert caught.value.url == where


def test_a_newer_database_whose_writer_is_not_known_is_refused_as_well(old_file: Path):
    with sqlite3.connect(old_file) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    with pytest.raises(JobStoreError, match="written by a newer version of the gateway and has schema 99"):
        opened(f"sqlite:///{old_file}")


@pytest.mark.parametrize("statement", ["DROP TABLE schema_version", "DELETE FROM schema_version"])
def test_a_database_without_a_version_is_taken_for_schema_1(old_file: Path, statement: str):
    url = f"sqlite:///{old_file}"
    before = content(url)
    with sqlite3.connect(old_file) as connection:
        connection.execute(statement)
    connection.close()
    opened(url)
    assert content(url) == before
    assert version(url) == (LATEST, __version__)


def test_tables_left_by_a_first_start_that_was_cut_off_are_completed(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/jobs"
    with connected(url) as connection:
        migrations.SCHEMA_1.tables["jobs"].create(connection)
    opened(url)
    assert set(tables(url)) >= {"jobs", "circuits"}


def test_a_database_of_another_program_is_left_alone(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/other"
    with connected(url) as connection:
        connection.exec_driver_sql("CREATE TABLE jobs (name TEXT, salary INTEGER)")
    before = tables(url)
    with pytest.raises(JobStoreError, match="has a table 'jobs' that is not the gateway's"):
        opened(url)
    assert tables(url) == before


def _open_counting(url: str, queue: str) -> None:
    migrations.STEPS = (*migrations.STEPS[:2], count_itself)
    JobStore(url, queue, wait_s=60).close()


@pytest.mark.parametrize("same_queue", [True, False])
def test_servers_that_start_at_once_migrate_once(old_url: str, *, same_queue: bool):
    queues = ["qulacs"] * 4 if same_queue else [f"queue {k}" for k in range(4)]
    with ProcessPoolExecutor(4, multiprocessing.get_context("fork")) as processes:
        list(processes.map(_open_counting, [old_url] * 4, queues))
    with connected(old_url) as connection:
        assert connection.scalar(sa.text("SELECT COUNT(*) FROM steps_run")) == 1


def test_a_database_that_other_servers_use_is_not_migrated_under_them(
    empty_postgresql: str, monkeypatch: pytest.MonkeyPatch
):
    running = JobStore(empty_postgresql, "cirq")
    before = tables(empty_postgresql)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, count_itself))
        with pytest.raises(JobStoreError, match=f"has to be brought to schema {LATEST + 1}, but other servers use it"):
            JobStore(empty_postgresql, "mqt", wait_s=0.2)
        assert tables(empty_postgresql) == before
        running.close()
        JobStore(empty_postgresql, "mqt", wait_s=30).close()
    assert "steps_run" in tables(empty_postgresql)


def test_servers_of_the_same_version_share_a_database(empty_postgresql: str):
    first, second = JobStore(empty_postgresql, "cirq"), JobStore(empty_postgresql, "mqt", wait_s=0)
    first.close()
    second.close()


@pytest.mark.parametrize("old_url", ["postgresql"], indirect=True)
def test_a_server_of_the_first_schema_keeps_its_tables_while_it_runs(old_url: str):
    engine = sa.create_engine(old_url)
    with exclusively(engine, "qulacs", 0):  # all that such a server locks
        with pytest.raises(JobStoreError, match="but other servers use it"):
            opened(old_url, "cirq", wait_s=0.2)
        assert version(old_url) == (1, "")
    engine.dispose()
    JobStore(old_url, "cirq", wait_s=30).close()
    assert version(old_url) == (LATEST, __version__)
    assert queue_key("qulacs") != queue_key("cirq")
