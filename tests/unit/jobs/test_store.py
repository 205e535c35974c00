"""Every kind of database keeps the one contract of storage."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from support.waiting import wait_until

from gateway.errors import JobStoreError, StorageFull
from gateway.jobs.store import JobRecord, JobStore, KeyTakenError, StoredAnswer
from gateway.results import JobState

RECORD = JobRecord(
    id="first", owner="ada", caller="ada", state=JobState.QUEUED, total=2, is_list=True, timeout_s=60, created=1000.5,
    digest="00", trace="00-trace", idempotency_key="key",
)  # fmt: skip
GOOD, BAD = StoredAnswer(200, b'{"results":[]}'), StoredAnswer(500, b'{"code":"simulator-error"}')


@pytest.fixture
def store(url: str) -> Iterator[JobStore]:
    made = JobStore(url, "qulacs")
    yield made
    made.close()


def added(store: JobStore, **fields: object) -> int:
    record = replace(RECORD, **({"idempotency_key": None} | fields))
    return store.add(record, [b"request %d" % k for k in range(record.total)])


def test_a_job_is_found_as_it_was_added(store: JobStore):
    number = added(store, idempotency_key="key")
    expected = replace(RECORD, number=number)
    assert store.find("first", "ada") == store.find_key("key", "ada") == expected
    assert store.requests(number) == [b"request 0", b"request 1"]
    assert store.request(number, 1) == b"request 1"
    assert store.answers(number) == [None, None]
    assert (store.answered(number), store.failed(number)) == (0, False)


def test_a_job_is_nobody_elses(store: JobStore, url: str):
    added(store, idempotency_key="key")
    for owner in ("", "bob"):
        assert store.find("first", owner) is None
        assert store.find_key("key", owner) is None
        assert store.page(owner, None, None, 10) == []


def test_answers_are_written_once_and_the_last_one_ends_the_job(store: JobStore):
    number = added(store)
    store.begin(number, 1, 1001)
    found = store.find("first", "ada")
    assert (found.state, found.started) == (JobState.RUNNING, 1001)
    assert store.finish(number, 1, BAD, None, 1002)
    assert not store.finish(number, 1, GOOD, None, 1003)
    store.begin(number, 0, 1003)
    assert store.find("first", "ada").started == 1001
    assert store.finish(number, 0, GOOD, JobState.FAILED, 1004)
    found = store.find("first", "ada")
    assert (found.state, found.started, found.ended) == (JobState.FAILED, 1001, 1004)
    assert store.answers(number) == [GOOD, BAD]
    assert (store.answered(number), store.failed(number)) == (2, True)
    assert not store.finish(number, 0, BAD, JobState.DONE, 1005)
    assert store.answers(number) == [GOOD, BAD]


def test_a_cancelled_job_takes_no_answer(store: JobStore):
    number = added(store)
    store.cancel({number: 1002})
    assert not store.finish(number, 0, GOOD, None, 1004)
    found = store.find("first", "ada")
    assert (found.state, found.ended, store.answers(number)) == (JobState.CANCELLED, 1002, [None, None])


def test_an_idempotency_key_is_an_owners_own(store: JobStore):
    added(store, idempotency_key="key")
    with pytest.raises(KeyTakenError):
        added(store, id="second", idempotency_key="key")
    assert store.find("second", "ada") is None
    added(store, id="third", owner="bob", idempotency_key="key")
    added(store, id="fourth")
    added(store, id="fifth")  # without a key as many as one likes


def test_only_one_of_many_at_once_gets_a_key(store: JobStore):
    def attempt(k: int) -> bool:
        try:
            added(store, id=f"job {k}", idempotency_key="key")
        except KeyTakenError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(24))) == 1


def test_what_was_not_finished_is_found_with_the_attempts_made(url: str):
    store = JobStore(url, "qulacs")
    first = added(store)
    second = added(store, id="second", total=1)
    third = added(store, id="third", total=1)
    for _ in range(2):
        store.begin(first, 0, 1001)
    store.finish(first, 1, GOOD, None, 1002)
    store.finish(second, 0, GOOD, JobState.DONE, 1003)
    if url != "sqlite://":  # what is in memory ends with its store
        store.close()
        store = JobStore(url, "qulacs")
    assert [(found.record.id, found.attempts) for found in store.unfinished()] == [("first", {0: 2}), ("third", {0: 0})]
    assert third > second > first
    store.close()


def test_pages_go_from_the_newest_to_the_oldest(store: JobStore):
    numbers = [added(store, id=f"job {k}", total=1) for k in range(5)]
    store.cancel({numbers[1]: 1001})
    assert [one.id for one in store.page("ada", None, None, 2)] == ["job 4", "job 3"]
    assert [one.id for one in store.page("ada", None, numbers[3], 9)] == ["job 2", "job 1", "job 0"]
    assert [one.id for one in store.page("ada", JobState.CANCELLED, None, 9)] == ["job 1"]


def test_old_jobs_expire_and_those_beyond_a_size_but_none_that_has_not_ended(store: JobStore):
    numbers = [added(store, id=f"job {k}", total=1) for k in range(5)]
    for number, ended in zip(numbers, (100.0, 2000.0, 2001.0, 2002.0), strict=False):
        store.finish(number, 0, StoredAnswer(200, b"x" * 1000), JobState.DONE, ended)
    assert store.expire(before=500, keep_bytes=2 * (1000 + len(b"request 0"))) == 2
    assert [one.id for one in store.page("ada", None, None, 9)] == ["job 4", "job 3", "job 2"]
    assert store.requests(numbers[0]) == []
    assert store.expire(before=9999, keep_bytes=0) == 2
    assert [one.id for one in store.page("ada", None, None, 9)] == ["job 4"]


def test_servers_of_several_names_share_a_database_and_see_only_their_own(postgresql_url: str):
    first, second = JobStore(postgresql_url, "cirq"), JobStore(postgresql_url, "mqt")
    added(first)
    added(second, id="second")
    assert second.find("first", "ada") is None
    assert [found.record.id for found in second.unfinished()] == ["second"]
    assert second.expire(before=9999, keep_bytes=0) == 0
    first.close()
    second.close()


@pytest.mark.parametrize("kind", ["file", "postgresql"])
def test_a_second_server_on_the_same_jobs_is_refused_until_the_first_one_ends(kind, request, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/jobs" if kind == "file" else request.getfixturevalue("postgresql_url")
    first = JobStore(url, "qulacs")
    with pytest.raises(JobStoreError, match="another server uses the job database"):
        JobStore(url, "qulacs", wait_s=0.1)
    first.close()
    JobStore(url, "qulacs", wait_s=5).close()


def test_a_killed_server_lets_go_of_its_jobs_and_has_lost_none(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/jobs"
    script = f"""
        import os, signal
        from gateway.jobs.store import JobRecord, JobStore
        from gateway.results import JobState
        store = JobStore({url!r}, "qulacs")
        fields = dict(owner="", caller="", total=1, is_list=False, timeout_s=1, created=1)
        record = JobRecord(id="x", state=JobState.QUEUED, **fields)
        store.add(record, [b"request"])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", script.replace("\n        ", "\n")], check=False)
    assert done.returncode == -9
    store = JobStore(url, "qulacs", wait_s=0)
    assert store.requests(store.find("x", "").number) == [b"request"]
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "cannot use the job database"),
        ("sqlite:////proc/nowhere/jobs", "cannot use the job database"),
        ("postgresql+psycopg://gateway:s3cret@127.0.0.1:1/x", "the job database .* failed: "),
        ("mysql+nodriver://x", "cannot use the job database"),
    ],
)
def test_a_database_that_cannot_be_used_is_an_error_that_shows_no_password(url, message):
    with pytest.raises(JobStoreError, match=message) as caught:
        JobStore(url)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in str(caught.value.url)


def test_a_device_is_refused_as_what_it_is():
    with pytest.raises(JobStoreError, match="/dev/null is not a regular file"):
        JobStore("sqlite:////dev/null", wait_s=0)


@pytest.mark.parametrize("kind", ["folder", "pipe", "file of something else"])
def test_a_path_that_is_refused_leaves_nothing_beside_it(kind: str, tmp_path: Path):
    path = tmp_path / "jobs"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"not a database, but long enough to be looked at " * 100)
    messages = {"folder": "is a folder; name a file in it", "pipe": "is not a regular file"}
    with pytest.raises(JobStoreError, match=messages.get(kind, "file is not a database")):
        JobStore(f"sqlite:///{path}", wait_s=0)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path):
    other = tmp_path / "other"
    other.write_bytes(b"not a database, but long enough to be looked at " * 100)
    with pytest.raises(JobStoreError, match=f"the job database sqlite:///{other} failed: file is not a database"):
        JobStore(f"sqlite:///{other}")


def test_a_file_that_is_refused_is_closed(tmp_path: Path):
    other = tmp_path / "other"
    other.write_bytes(b"not a database, but long enough to be looked at " * 100)
    with pytest.raises(JobStoreError):
        JobStore(f"sqlite:///{other}")
    assert str(other) not in {os.path.realpath(descriptor) for descriptor in Path("/proc/self/fd").iterdir()}


def test_a_closed_store_does_not_open_its_database_again(url: str):
    store = JobStore(url, "qulacs")
    store.close()
    with pytest.raises(JobStoreError, match="is closed"):
        added(store)


def test_a_full_database_takes_no_job_and_keeps_those_it_has(tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    number = added(store)
    with store.transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
    with pytest.raises(StorageFull, match="the job database is full"):
        store.add(replace(RECORD, id="big"), [b"x" * 200_000] * 2)
    assert store.find("big", "ada") is None
    assert store.requests(number) == [b"request 0", b"request 1"]
    assert store.finish(number, 0, GOOD, None, 1)
    store.close()


# ---------------------------------------------------------------------- one file, several names


def test_a_second_server_is_refused_whatever_path_leads_to_the_file(tmp_path: Path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link to the folder").symlink_to(tmp_path / "there")
    (tmp_path / "link to the file").symlink_to(tmp_path / "there" / "jobs")
    (tmp_path / "link to a link").symlink_to("link to the file")
    others = ("there/jobs", "there/../there/jobs", "link to the folder/jobs", "link to the file", "link to a link")
    for path in others:
        first = JobStore(f"sqlite:///{tmp_path}/{path}", "qulacs")
        number = added(first)
        for other in others:
            with pytest.raises(JobStoreError, match="another server uses the job database"):
                JobStore(f"sqlite:///{tmp_path}/{other}", "qulacs", wait_s=0)
        assert first.requests(number) == [b"request 0", b"request 1"]
        first.expire(9999, 0)
        first.cancel({number: 1.0})
        first.expire(9999, 0)
        first.close()


def test_a_server_that_was_refused_has_not_taken_the_locks_of_the_first(tmp_path: Path):
    first = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    with pytest.raises(JobStoreError, match="another server uses"):
        JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", wait_s=0)
    held = Path("/proc/locks").read_text(encoding="ascii")
    inode = (tmp_path / "jobs-shm").stat().st_ino
    assert any("POSIX" in line and f":{inode} " in line for line in held.splitlines())
    first.close()


def test_a_file_with_two_names_is_refused_since_the_newest_jobs_lie_beside_one_of_them(tmp_path: Path):
    first = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    added(first)
    (tmp_path / "other").hardlink_to(tmp_path / "jobs")
    for name in ("jobs", "other"):
        with pytest.raises(JobStoreError, match=r"has more than one name .* leave it one name"):
            JobStore(f"sqlite:///{tmp_path}/{name}", "qulacs", wait_s=0)
    first.close()
    (tmp_path / "other").unlink()
    JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", wait_s=0).close()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="this machine has no program unshare")
def test_a_file_that_is_mounted_elsewhere_is_refused_and_a_folder_is_locked(tmp_path: Path):
    for name in ("jobs", "folder"):
        (tmp_path / "mounted" / name).mkdir(parents=True)
    (tmp_path / "mounted" / "jobs" / "alone").touch()
    first = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    mount = f"""
        mount --bind {tmp_path}/jobs {tmp_path}/mounted/jobs/alone || exit 9
        mount --bind {tmp_path} {tmp_path}/mounted/folder || exit 9
        exec {sys.executable} -c "
from gateway.errors import JobStoreError
from gateway.jobs.store import JobStore
for path in ('jobs/alone', 'folder/jobs'):
    try:
        JobStore('sqlite:///{tmp_path}/mounted/' + path, 'qulacs', wait_s=0)
    except JobStoreError as exc:
        print(exc.message)
"
    """
    done = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True, check=False)
    first.close()
    if done.returncode not in {0, 1}:
        pytest.skip(f"this machine lets nobody mount: {done.stderr}")
    assert "has more than one name" in done.stdout, done.stderr
    assert "another server uses the job database" in done.stdout


def test_a_lock_that_somebody_removes_is_made_again(tmp_path: Path):
    first = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    first.close()
    (tmp_path / "jobs.lock").unlink()
    second = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", wait_s=0)
    with pytest.raises(JobStoreError, match="another server uses"):
        JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", wait_s=0)
    second.close()


@pytest.mark.parametrize("beside", ["jobs-wal", "jobs-shm", "jobs-journal"])
def test_a_pipe_where_the_database_keeps_a_file_is_refused(beside: str, tmp_path: Path):
    os.mkfifo(tmp_path / beside)
    with pytest.raises(JobStoreError, match=f"{beside} is not a regular file"):
        JobStore(f"sqlite:///{tmp_path}/jobs", wait_s=0)


# ---------------------------------------------------------------------- reading beside writing


def test_who_reads_does_not_wait_for_who_writes(tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    number = added(store)
    with store.transaction(), ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: store.requests(number), range(64)))
    assert found == [[b"request 0", b"request 1"]] * 64
    store.close()


def test_what_was_cancelled_stays_cancelled_when_the_last_answer_came_at_that_moment(store: JobStore):
    number = added(store, total=1)
    assert store.finish(number, 0, GOOD, JobState.DONE, 1001)
    store.cancel({number: 1000})
    found = store.find("first", "ada")
    assert (found.state, found.ended, store.answers(number)) == (JobState.CANCELLED, 1000, [GOOD])


def test_a_store_closes_only_when_its_readers_have_ended(tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    number = added(store)
    reads, over = threading.Event(), threading.Event()

    def read() -> None:
        with store.reading() as connection:
            reads.set()
            over.wait(30)
            assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar() == 1

    with ThreadPoolExecutor(2) as threads:
        reader = threads.submit(read)
        reads.wait(30)
        closing = threads.submit(store.close)
        wait_until(lambda: store._is_closed, "the store to begin to close")
        with pytest.raises(JobStoreError, match="another server uses"):
            JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", wait_s=0)
        with pytest.raises(JobStoreError, match="is closed"):
            store.requests(number)
        over.set()
        reader.result(30)
        closing.result(30)
    JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", wait_s=0).close()


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_a_durable_file_waits_for_the_disk(durable: bool, synchronous: int, tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs", durable=durable)
    with store.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == synchronous
    store.close()


def test_a_database_that_accepts_connections_and_says_nothing_is_an_error_soon():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://gateway@127.0.0.1:{silent.getsockname()[1]}/jobs"
        with pytest.raises(JobStoreError, match="timeout"):
            JobStore(url, "qulacs", wait_s=0)


# ---------------------------------------------------------------------- PostgreSQL ends its connections


def _end_all_connections(url: str) -> None:
    """End what PostgreSQL's own restart would end."""
    others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"{others} AND backend_type = 'client backend'")


def test_a_server_takes_its_lock_again_when_postgresql_was_away(postgresql_url: str):
    first = JobStore(postgresql_url, "again")
    number = added(first, id="again")
    for use in (lambda: first.begin(number, 0, 1.0), lambda: first.requests(number), lambda: first.expire(0, 2**30)):
        _end_all_connections(postgresql_url)
        use()
        with pytest.raises(JobStoreError, match="another server uses the job database"):
            JobStore(postgresql_url, "again", wait_s=0)
    assert first.requests(number) == [b"request 0", b"request 1"]
    first.close()
    JobStore(postgresql_url, "again", wait_s=0).close()


def test_a_server_whose_lock_was_taken_meanwhile_leaves_the_jobs_to_the_other_one(postgresql_url: str):
    first = JobStore(postgresql_url, "taken")
    number = added(first, id="taken")
    _end_all_connections(postgresql_url)
    second = JobStore(postgresql_url, "taken", wait_s=0)
    with pytest.raises(JobStoreError, match="another server uses the job database"):
        first.begin(number, 0, 1.0)
    second.begin(number, 0, 2.0)
    assert second.find("taken", "ada").started == 2.0
    second.close()
    first.begin(number, 0, 3.0)
    first.close()
