"""Comparisons are kept: every change is whole, happens once, and outlives the door."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.store import ComparisonStore, Stored, Wanted, folded
from gateway.errors import JobStoreError, LimitError, StorageFull
from gateway.jobs.never_stored import NeverStored
from gateway.jobs.store import JobStore, KeyTakenError
from gateway.protocol.door import ComparisonState

QUEUED, RUNNING, FINISHED, FAILED, CANCELLED = ComparisonState
NEW = Stored(
    id="first", owner="ada", caller="ada", created=1000.5, circuits=("bell.qasm", "ghz.qasm"),
    simulators=("cirq", "qulacs"), summary="2 circuits", shots=100, words="bell.qasm ghz.qasm cirq qulacs ada",
    subject="same", digest="00",
)  # fmt: skip
REQUEST = Kept.of(b'{"circuits":[]}')
RECORD = Kept.of(b'{"format":1}' * 500)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ComparisonStore]:
    opened = ComparisonStore(tmp_path / "comparisons.sqlite" if request.param == "file" else ":memory:")
    with contextlib.closing(opened):
        yield opened


def added(store: ComparisonStore, **changes: object) -> Stored:
    new = replace(NEW, **changes)
    return replace(new, number=store.add(new, REQUEST), bytes=len(REQUEST.body))


def ended(
    store: ComparisonStore, state: ComparisonState = FINISHED, *, record: Kept | None = RECORD, **changes
) -> Stored:
    """Add a comparison, run it and end it."""
    new = added(store, **changes)
    store.begin(new.number, 1001)
    final = replace(new, state=state, started=1001.0, ended=changes.get("ended", 1002.0), has_record=record is not None)
    assert store.end(final, record)
    found = store.find(new.id)
    assert found is not None
    return found


def test_what_was_added_is_found_as_it_was(store: ComparisonStore):
    new = added(store, idempotency_key="key")
    assert store.find("first") == new
    assert store.find_key("key", "ada") == new
    assert store.request(new.number) == REQUEST
    assert store.record(new.number) is None
    assert store.find("other") is None
    assert store.find_key("key", "bob") is None


def test_the_end_is_written_with_the_record_and_once(store: ComparisonStore):
    new = added(store)
    assert store.begin(new.number, 1001)
    final = replace(
        new, state=FINISHED, started=1001.0, ended=1002.0, attempts=1, loud="Both agree.", quiet=" A difference",
        standing="agrees", has_record=True,
    )  # fmt: skip
    assert store.end(final, RECORD)
    assert store.find("first") == replace(final, bytes=len(REQUEST.body) + len(RECORD.body))
    assert store.record(new.number) == RECORD
    assert RECORD.text() == b'{"format":1}' * 500
    assert len(RECORD.body) < RECORD.size / 10, "it is compressed"
    assert not store.end(replace(final, state=CANCELLED), None), "it has ended already"
    assert not store.begin(new.number, 1003)
    store.want_cancelled(new.number, "bob")
    store.put_back(new.number, 0)
    found = store.find("first")
    assert found is not None
    assert (found.state, found.cancelled_by, found.attempts) == (FINISHED, None, 1)


def test_of_many_ends_at_the_same_time_one_is_written(tmp_path: Path):
    with contextlib.closing(ComparisonStore(tmp_path / "file")) as store:
        new = added(store)
        ends = [replace(new, state=state, ended=1.0) for state in (FINISHED, FAILED, CANCELLED) * 10]
        with ThreadPoolExecutor(8) as threads:
            written = list(threads.map(lambda final: store.end(final, None), ends))
        assert written.count(True) == 1
        found = store.find("first")
        assert found is not None
        assert found.state is ends[written.index(True)].state


def test_one_that_is_to_be_cancelled_does_not_begin_and_who_said_so_first_counts(store: ComparisonStore):
    new = added(store)
    store.want_cancelled(new.number, "bob")
    store.want_cancelled(new.number, "eve")
    assert not store.begin(new.number, 1001)
    store.put_back(new.number, 0)
    found = store.find("first")
    assert found is not None
    assert (found.state, found.cancelled_by, found.attempts) == (QUEUED, "bob", 0)


def test_attempts_are_counted_unless_one_is_put_back(store: ComparisonStore):
    new = added(store)
    assert store.begin(new.number, 1001)
    assert store.begin(new.number, 1002), "by the next door"
    found = store.find("first")
    assert found is not None
    assert (found.state, found.attempts, found.started) == (RUNNING, 2, 1002)
    store.put_back(new.number, 1)
    found = store.find("first")
    assert found is not None
    assert (found.state, found.attempts, found.started) == (QUEUED, 1, None)


def test_a_key_is_taken_once_by_each_owner_and_nothing_is_left_of_a_second(store: ComparisonStore):
    added(store, idempotency_key="key")
    added(store, id="of another", owner="bob", idempotency_key="key")
    for number in range(2):
        added(store, id=f"without {number}")
    with pytest.raises(KeyTakenError):
        store.add(replace(NEW, id="again", idempotency_key="key"), REQUEST)
    assert store.find("again") is None
    assert store.count(Wanted()) == 4


def test_unfinished_ones_come_in_the_order_in_which_they_were_added(store: ComparisonStore):
    for name in ("a", "b", "c", "d"):
        added(store, id=name)
    ended(store, id="e")
    b = store.find("b")
    assert b is not None
    store.begin(b.number, 1001)
    assert [stored.id for stored in store.unfinished()] == ["a", "b", "c", "d"]


def test_lists_are_paged_filtered_and_searched(store: ComparisonStore):
    differing = ended(store, id="differs")
    store.remove([differing.number])
    new = added(store, id="differs")
    store.end(replace(new, state=FINISHED, ended=3.0, standing="differs", has_record=True), RECORD)
    ended(store, FAILED, id="failed", record=None)
    ended(store, CANCELLED, id="of bob", owner="bob", caller="bob", words=folded("Über%.qasm\ncirq\nbob"))
    added(store, id="queued", owner="", caller="10.0.0.7")

    def ids(**wanted: object) -> list[str]:
        found = store.page(Wanted(**wanted), None, 10)
        assert store.count(Wanted(**wanted)) == len(found)
        return [stored.id for stored in found]

    assert ids() == ["queued", "of bob", "failed", "differs"]
    assert ids(owner="ada") == ["failed", "differs"]
    assert ids(caller="10.0.0.7") == ["queued"]
    assert ids(standing="differs") == ["differs"]
    assert ids(standing="failed") == ["failed"]
    assert ids(states=(QUEUED, RUNNING)) == ["queued"]
    assert ids(text="GHZ.QASM") == ["queued", "failed", "differs"]
    assert ids(text="über%") == ["of bob"]
    assert ids(text="b_ll") == [], "no character stands for another"
    first = store.page(Wanted(), None, 3)
    assert [stored.id for stored in store.page(Wanted(), first[-1].number, 3)] == ["differs"]


def test_the_last_finished_one_of_the_same_subject_and_owner_is_found(store: ComparisonStore):
    first = ended(store, id="first")
    ended(store, FAILED, id="failed", record=None)
    ended(store, id="of bob", owner="bob")
    ended(store, id="of other circuits", subject="other")
    second = added(store, id="second")
    assert store.find_earlier(second) == first
    assert store.find_earlier(first) is None


def test_removing_takes_the_contents_along_and_leaves_what_has_not_ended(store: ComparisonStore):
    gone, stays = ended(store, id="gone"), added(store, id="stays")
    store.remove([gone.number])
    assert store.find("gone") is None
    assert store.request(gone.number) is None
    assert store.record(gone.number) is None
    assert store.request(stays.number) is not None


def test_a_full_disk_refuses_a_new_comparison_whole_and_an_end_whole(tmp_path: Path):
    with contextlib.closing(ComparisonStore(tmp_path / "file")) as store:
        new = added(store)
        store.begin(new.number, 1001)
        with store._writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 24")
        noise = Kept(os.urandom(200_000), 200_000)
        with pytest.raises(StorageFull, match="is full"):
            store.add(replace(NEW, id="big"), noise)
        assert store.find("big") is None
        final = replace(new, state=FINISHED, ended=2.0, has_record=True)
        with pytest.raises(StorageFull, match="is full"):
            store.end(final, noise)
        found = store.find("first")
        assert found is not None
        assert (found.state, found.has_record, store.record(new.number)) == (RUNNING, False, None)
        assert store.end(final, RECORD), "a smaller one finds room"


def test_what_no_sqlite_file_takes_is_said_to_be_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with contextlib.closing(ComparisonStore(tmp_path / "file")) as store:
        new = added(store)
        with store._writing() as connection:
            connection.connection.dbapi_connection.setlimit(0, 100_000)
        with pytest.raises(NeverStored, match="more than the job database can take"):
            store.end(replace(new, state=FINISHED, ended=2.0), Kept(os.urandom(200_000), 200_000))
        with pytest.raises(LimitError, match="more than the job database can take"):
            store.add(replace(NEW, id="big"), Kept(os.urandom(200_000), 200_000))
        assert store.find("big") is None


# ---------------------------------------------------------------------- the file


def test_two_doors_cannot_use_one_file(tmp_path: Path):
    first = ComparisonStore(tmp_path / "file")
    with contextlib.closing(first), pytest.raises(JobStoreError, match="another server uses"):
        ComparisonStore(tmp_path / "file", wait_s=0)
    ComparisonStore(tmp_path / "file", wait_s=0).close()


def test_a_database_of_jobs_is_none_of_comparisons_and_the_other_way_round(tmp_path: Path):
    JobStore(f"sqlite:///{tmp_path}/jobs").close()
    with pytest.raises(JobStoreError, match="has no table 'comparisons'"):
        ComparisonStore(tmp_path / "jobs")
    ComparisonStore(tmp_path / "comparisons").close()
    with pytest.raises(JobStoreError, match="has no table 'jobs'"):
        JobStore(f"sqlite:///{tmp_path}/comparisons")


def test_only_its_user_may_read_the_file(tmp_path: Path):
    with contextlib.closing(ComparisonStore(tmp_path / "new" / "file")) as store:
        added(store)
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}


_KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from gateway.door.comparisons.store import ComparisonStore
from test_store import NEW, RECORD, REQUEST, RUNNING, FINISHED

store = ComparisonStore(Path(sys.argv[1]))
for k in range(5):
    number = store.add(replace(NEW, id=str(k)), REQUEST)
    if k:
        store.begin(number, 1001)
    if k > 2:
        store.end(replace(NEW, number=number, state=FINISHED, ended=1002.0, has_record=True), RECORD)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_door_was_told_is_there(tmp_path: Path):
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path / "file")], check=False, env={**os.environ, "PYTHONPATH": paths}
    )
    assert killed.returncode == -signal.SIGKILL
    with contextlib.closing(ComparisonStore(tmp_path / "file", wait_s=0)) as store:
        assert [(stored.id, stored.state) for stored in store.unfinished()] == [
            ("0", QUEUED), ("1", RUNNING), ("2", RUNNING),
        ]  # fmt: skip
        newest = store.page(Wanted(), None, 1)[0]
        assert store.record(newest.number) == RECORD
