"""Every kind of database keeps the one contract of storage."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from support.waiting import wait_until

from gateway.errors import JobStoreError, LimitError, StorageFull
from gateway.execution.content import PIECE_BYTES, Content, FileContent, pieces_of, size_of, whole
from gateway.jobs.never_stored import NeverStored
from gateway.jobs.store import EndedJob, JobRecord, JobStore, KeyTakenError, StoredAnswer
from gateway.jobs.tables import ADD_PIECE, GROW, circuits, pieces
from gateway.protocol.encodings import Encoding
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
    assert store.request(number, 1) == (1, b"request 1")
    assert store.answers(number) == [None, None]
    assert (store.summaries([number])[number], store.first_failure(number)) == ((0, 0, 0), None)


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
    assert (store.summaries([number])[number], store.first_failure(number)) == ((2, 1, len(GOOD.body + BAD.body)), 1)
    assert not store.finish(number, 0, BAD, JobState.DONE, 1005)
    assert store.answers(number) == [GOOD, BAD]


def test_summaries_of_many_jobs_are_those_of_each(store: JobStore):
    numbers = [added(store, id=str(k), total=2) for k in range(210)]  # more than one query takes
    for k, number in enumerate(numbers):
        for position in range(k % 3):
            store.finish(number, position, (GOOD, BAD)[position], None, 1001)
    found = store.summaries([*numbers[::-1], numbers[-1] + 1])
    assert found == {number: store.summaries([number])[number] for number in numbers} | {numbers[-1] + 1: (0, 0, 0)}
    assert [found[number] for number in numbers[:3]] == [
        (0, 0, 0),
        (1, 0, len(GOOD.body)),
        (2, 1, len(GOOD.body + BAD.body)),
    ]


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


def test_ended_jobs_are_removed_with_all_that_belongs_to_them(store: JobStore):
    numbers = [added(store, id=f"job {k}", total=1, owner=owner) for k, owner in enumerate(["ada", "bob", "ada"])]
    for number in numbers[:2]:
        store.finish(number, 0, StoredAnswer(200, b"x" * (PIECE_BYTES + 1)), JobState.DONE, 2000.0)
    store.mark_fetched(numbers[1:2])
    size = len(b"request 0") + PIECE_BYTES + 1
    first, second = EndedJob(numbers[0], "ada", size), EndedJob(numbers[1], "bob", size)
    assert (store.old(2000.5), store.old(2000)) == ([first, second], [])
    assert (store.first_to_go("bob", 0), store.removable_bytes("bob", 0)) == ([second], size)
    assert (store.first_to_go("ada", 2000), store.first_to_go("ada", 2000.5)) == ([], [first])
    assert (store.removable_bytes("ada", 2000), store.removable_bytes("ada", 2000.5)) == (0, size)
    assert (store.ended(numbers[0]), store.ended(numbers[2])) == ([first], [])
    assert store.taken() == {"ada": size + len(b"request 0"), "bob": size}
    assert store.taken(ended=True) == {"ada": size, "bob": size}
    assert store.remove([numbers[0], 12345]) == {numbers[0]}
    assert store.find("job 0", "ada") is None
    assert (store.requests(numbers[0]), store.piece(numbers[0], 0, 0)) == ([], None)
    assert store.taken() == {"ada": len(b"request 0"), "bob": size}


def taken_on_disk(store: JobStore) -> int:
    """Return the bytes that answers take in the database."""
    with store.reading() as connection:
        rows = connection.scalar(sa.select(sa.func.sum(sa.func.length(circuits.c.answer))))
        return (rows or 0) + (connection.scalar(sa.select(sa.func.sum(sa.func.length(pieces.c.body)))) or 0)


def text_of(size: int) -> bytes:
    """Return counts as text, of so many bytes."""
    words = "".join(f'"{k * 977 % 2**20:020b}":{k},' for k in range(size // 25 + 1))
    return words.encode()[:size]


@pytest.mark.parametrize("size", [1_500, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7])
def test_answers_are_kept_compressed_where_that_saves(store: JobStore, size: int):
    number = added(store)
    text, noise = text_of(size), os.urandom(size)
    assert store.finish(number, 0, StoredAnswer(200, text), None, 1002)
    assert taken_on_disk(store) < size / 2
    assert store.finish(number, 1, StoredAnswer(200, noise), None, 1002)
    assert taken_on_disk(store) < size * 3 / 2
    assert [whole(answer.body) for answer in store.answers(number)] == [text, noise]
    assert [size_of(answer.body) for answer in store.answers(number)] == [size, size]
    assert [whole(answer.body) for answer in store.answers(number, 1)] == [noise]
    assert [whole(answer.body) for answer in store.answers(number, 0, 1)] == [text]
    body = store.answer(number, 0).body
    for start, stop in [(0, 0), (1, size - 1), (PIECE_BYTES - 1, PIECE_BYTES + 1), (size - 1, size), (7, None)]:
        assert b"".join(pieces_of(body, start, stop)) == text[start:stop]
    assert store.summaries([number])[number] == (2, 0, 2 * size)
    assert store.taken() == {"ada": 2 * size + len(b"request 0request 1")}


def test_how_results_are_written_is_kept_with_the_job(store: JobStore):
    added(store, id="other", encoding=Encoding.MSGPACK)
    assert store.find("other", "ada").encoding is Encoding.MSGPACK
    assert store.unfinished()[0].record.encoding is Encoding.MSGPACK


def content_of(size: int, kind: str) -> tuple[bytes, Content]:
    body = os.urandom(size)
    if kind == "bytes":
        return body, body
    content = FileContent()
    content.append(body)
    return body, content


@pytest.mark.parametrize("kind", ["bytes", "file"])
@pytest.mark.parametrize(
    "size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 3 * PIECE_BYTES + 7]
)
def test_an_answer_of_any_size_is_read_as_it_was_written(store: JobStore, size: int, kind: str):
    number = added(store)
    body, content = content_of(size, kind)
    assert store.finish(number, 1, StoredAnswer(200, content), None, 1002)
    assert not store.finish(number, 1, StoredAnswer(200, content), None, 1002)
    found = store.answers(number)[1]
    assert (size_of(found.body), whole(found.body)) == (size, body)
    alone = store.answer(number, 1)
    assert (size_of(alone.body), whole(alone.body)) == (size, body)
    assert store.answer(number, 0) is None
    assert all(len(piece) <= PIECE_BYTES for piece in pieces_of(alone.body))
    for start, stop in [(0, 0), (1, size - 1), (PIECE_BYTES - 1, PIECE_BYTES + 1), (size - 1, size), (7, None)]:
        assert b"".join(pieces_of(alone.body, max(0, start), stop)) == body[max(0, start) : stop]
    assert store.summaries([number])[number] == (1, 0, size)


def test_a_large_answer_costs_a_reader_one_piece_at_a_time(store: JobStore):
    number, size = added(store, total=8), 16 * PIECE_BYTES
    for position in range(8):
        store.finish(number, position, StoredAnswer(200, b"x" * size), None, 1002)
    tracemalloc.start()
    try:
        answers = store.answers(number)
        read = sum(len(piece) for answer in answers for piece in pieces_of(answer.body))
        assert read == 8 * size
        assert tracemalloc.get_traced_memory()[1] < 4 * PIECE_BYTES
    finally:
        tracemalloc.stop()


def test_large_answers_are_not_in_memory_even_where_jobs_end_with_the_server():
    def memory() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    store = JobStore()
    number, content = added(store, total=4), FileContent()
    for _ in range(128):
        content.append(b"x" * PIECE_BYTES)
    before = memory()
    for position in range(4):
        store.finish(number, position, StoredAnswer(200, content), None, 1002)
    assert memory() - before < content.size
    assert sum(map(len, pieces_of(store.answer(number, 3).body))) == content.size
    store.close()


def test_many_small_answers_are_not_in_memory_together_either(store: JobStore):
    number = added(store, total=40)
    for position in range(40):
        store.finish(number, position, StoredAnswer(200, b"x" * (PIECE_BYTES // 2)), None, 1002)
    assert not any(isinstance(answer.body, bytes) for answer in store.answers(number))
    assert [whole(answer.body) for answer in store.answers(number)] == [b"x" * (PIECE_BYTES // 2)] * 40


def test_thousands_of_small_answers_are_read_with_few_queries(store: JobStore):
    number = added(store, total=600)
    bodies = {position: b"%d " % position * 500 for position in range(600) if position % 7}
    for position, body in bodies.items():
        store.finish(number, position, StoredAnswer(200, body), None, 1002)
    queries: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *arguments: queries.append(arguments[2]))
    answers = store.answers(number)
    assert {k: whole(answer.body) for k, answer in enumerate(answers) if answer is not None} == bodies
    assert len([query for query in queries if "circuits" in query]) < 10
    assert whole(answers[8].body) == bodies[8], "an earlier one is read again"


def test_each_of_many_that_remove_the_same_jobs_at_once_removes_others(store: JobStore):
    numbers = [added(store, id=f"job {k}", total=1) for k in range(200)]
    for number in numbers:
        store.finish(number, 0, StoredAnswer(200, b"x"), JobState.DONE, 2000.0)
    with ThreadPoolExecutor(8) as threads:
        removed = list(threads.map(store.remove, [numbers] * 8))
    assert sorted(number for some in removed for number in some) == numbers


def test_a_job_that_is_read_is_not_removed(store: JobStore):
    number = added(store, total=1)
    store.finish(number, 0, StoredAnswer(200, b"x" * 3 * PIECE_BYTES), JobState.DONE, 1002)
    answers = store.answers(number)
    reader = pieces_of(answers[0].body)
    next(reader)
    assert store.remove([number]) == set()
    assert len(b"".join(reader)) == 2 * PIECE_BYTES
    del reader, answers
    assert store.remove([number]) == {number}


def test_an_answer_that_disappears_while_it_is_read_is_an_error_and_never_a_short_answer(store: JobStore):
    number = added(store, total=2)
    for position, state in ((0, None), (1, JobState.DONE)):
        store.finish(number, position, StoredAnswer(200, b"x" * (PIECE_BYTES - position + 1)), state, 1002)
    bodies = [store.answer(number, position).body for position in (0, 1)]
    with store.transaction() as connection:
        connection.execute(sa.text("DELETE FROM pieces"))
        connection.execute(sa.text("DELETE FROM circuits"))
    for body in bodies:
        with pytest.raises(JobStoreError, match="removed while they were read"):
            whole(body)


def test_a_large_answer_that_an_earlier_version_wrote_into_its_row_is_read(store: JobStore):
    number, body = added(store), os.urandom(3 * PIECE_BYTES + 5)
    with store.transaction() as connection:
        connection.execute(
            sa.text("UPDATE circuits SET status = 200, answer = :body WHERE job = :number AND position = 0"),
            {"body": body, "number": number},
        )
    assert whole(store.answers(number)[0].body) == whole(store.answer(number, 0).body) == body
    assert b"".join(pieces_of(store.answer(number, 0).body, 9, 2 * PIECE_BYTES)) == body[9 : 2 * PIECE_BYTES]


def test_a_job_may_have_more_bytes_than_32_bits_can_count(store: JobStore):
    number = added(store)
    with store.transaction() as connection:
        for _ in range(3):
            connection.execute(GROW, {"this_job": number, "size": 2**31 - 1})
    assert store.taken()["ada"] > 3 * 2**30


def refuse_bodies(store: JobStore) -> None:
    """Make the database refuse answers with more than 100 bytes."""
    postgresql = "ALTER TABLE circuits ADD CONSTRAINT small CHECK (length(answer) <= 100)"
    sqlite = (
        "CREATE TRIGGER small BEFORE UPDATE ON circuits WHEN length(NEW.answer) > 100 "
        "BEGIN SELECT RAISE(ABORT, 'small'); END"
    )
    with store.transaction() as connection:
        connection.execute(sa.text(postgresql if store.url.startswith("postgresql") else sqlite))


def test_what_the_database_refuses_is_never_stored_and_says_so(store: JobStore):
    number = added(store)
    refuse_bodies(store)
    with pytest.raises(
        NeverStored, match=r"the answer cannot be stored: the job database refuses it .*small"
    ) as caught:
        store.finish(number, 0, StoredAnswer(200, b"x" * 101), None, 1002)
    assert caught.value.reason.code == "job-store"
    assert store.answers(number) == [None, None]
    assert store.finish(number, 0, GOOD, None, 1003)


@pytest.mark.parametrize("position", [0, 1])
def test_what_is_too_large_for_sqlite_is_never_stored_and_names_its_size(tmp_path: Path, position: int):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    sa.event.listen(
        store._engine, "checkout", lambda connection, *_: connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
    )
    number = added(store)
    size = (100_001, PIECE_BYTES * 3)[position]
    with pytest.raises(NeverStored, match="more than the job database can take") as caught:
        store.finish(number, position, StoredAnswer(200, os.urandom(size)), None, 1002)
    reason = caught.value.reason
    assert (reason.code, reason.limit, reason.requested) == ("limit-exceeded", "max_result_bytes", size)
    assert store.answers(number) == [None, None]
    with pytest.raises(LimitError, match="the request has 200,000 bytes") as caught:
        store.add(replace(RECORD, id="big"), [b"x" * 200_000])
    assert caught.value.limit == "max_body_bytes"
    store.close()


class Broken:
    """A content that cannot be read to its end."""

    size = 3 * PIECE_BYTES

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if self.error is not None and start > 0:
            raise self.error
        yield b"x"


@pytest.mark.parametrize(
    "error", [OSError("input/output error"), EOFError("too short"), MemoryError(), OverflowError("too large"), None]
)
def test_a_content_that_cannot_be_read_is_never_stored(store: JobStore, error: Exception | None):
    number = added(store)
    with pytest.raises(NeverStored):
        store.finish(number, 0, StoredAnswer(200, Broken(error)), None, 1002)
    assert (store.answers(number), store.piece(number, 0, 0)) == ([None, None], None)
    assert store.finish(number, 0, GOOD, None, 1003)


def pieces_in(store: JobStore) -> int:
    with store.transaction() as connection:
        return connection.scalar(sa.text("SELECT COUNT(*) FROM pieces"))


def test_an_answer_that_comes_after_the_end_of_its_job_leaves_nothing_behind(store: JobStore):
    number, answer = added(store), StoredAnswer(200, b"x" * 40 * PIECE_BYTES)
    assert store.finish(number, 0, answer, None, 1002)

    class Late(Broken):
        size = 40 * PIECE_BYTES

        def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
            if start == 20 * PIECE_BYTES:
                assert pieces_in(store) > 40, "some of it was written"
                store.cancel({number: 1003.0})
            yield b"x" * (stop - start)

    assert not store.finish(number, 1, StoredAnswer(200, Late(None)), JobState.DONE, 1004)
    assert not store.finish(number, 1, answer, JobState.DONE, 1004)
    assert not store.finish(number, 0, answer, None, 1004)
    assert pieces_in(store) == 40
    assert [found and size_of(found.body) for found in store.answers(number)] == [40 * PIECE_BYTES, None]


@pytest.mark.parametrize("url", ["file", "postgresql"], indirect=True)
def test_the_pieces_of_an_answer_that_was_broken_off_are_gone_after_a_restart(url: str):
    store = JobStore(url, "qulacs")
    number = added(store)
    store.finish(number, 0, StoredAnswer(200, b"x" * 2 * PIECE_BYTES), None, 1002)
    with store.transaction() as connection:  # as a server leaves it that is killed between two transactions
        connection.execute(ADD_PIECE, {"job": number, "position": 1, "number": 0, "body": b"half"})
    store.close()
    store = JobStore(url, "qulacs")
    store.drop_half_answers()
    assert [found.attempts for found in store.unfinished()] == [{1: 0}]
    assert pieces_in(store) == 2
    with store.transaction() as connection:
        connection.execute(ADD_PIECE, {"job": number, "position": 1, "number": 0, "body": b"half"})
    body = b"y" * 3 * PIECE_BYTES
    assert store.finish(number, 1, StoredAnswer(200, body), JobState.DONE, 1003)
    assert whole(store.answer(number, 1).body) == body
    store.close()


def test_others_have_a_turn_while_a_large_answer_is_written(store: JobStore):
    number, others = added(store), []

    class Watched(Broken):
        size = 64 * PIECE_BYTES

        def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
            if start in {0, 20 * PIECE_BYTES, 63 * PIECE_BYTES}:
                with ThreadPoolExecutor(1) as thread:
                    name = f"job {start}"
                    others.append(thread.submit(added, store, id=name).result(60))
                    assert store.answer(number, 0) is None, "half an answer is none"
            yield b"x" * (stop - start)

    assert store.finish(number, 0, StoredAnswer(200, Watched(None)), None, 1002)
    assert len(others) == 3


def test_a_failure_that_may_pass_is_no_refusal(tmp_path: Path):
    store = JobStore(f"sqlite:///{tmp_path}/jobs", "qulacs")
    number = added(store)
    with store.transaction() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(JobStoreError, match="cannot be written") as caught:
        store.finish(number, 0, GOOD, None, 1002)
    assert not isinstance(caught.value, NeverStored)
    store.close()


def test_servers_of_several_names_share_a_database_and_see_only_their_own(postgresql_url: str):
    first, second = JobStore(postgresql_url, "cirq"), JobStore(postgresql_url, "mqt")
    added(first, id="of cirq")
    added(second, id="of mqt")
    assert second.find("of cirq", "ada") is None
    assert [found.record.id for found in second.unfinished()] == ["of mqt"]
    assert (second.old(9999), second.taken()) == ([], {"ada": 18})
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
        first.cancel({number: 1.0})
        assert first.remove([number]) == {number}
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


def test_new_folders_and_the_new_file_survive_a_power_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    for _ in range(2):
        JobStore(f"sqlite:///{tmp_path}/one/two/jobs", "qulacs").close()
    assert synced == [str(tmp_path), str(tmp_path / "one"), str(tmp_path / "one" / "two")], "at the first start"


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
    for use in (lambda: first.begin(number, 0, 1.0), lambda: first.requests(number), lambda: first.remove([0])):
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


def test_answers_of_several_points_are_written_together_and_the_last_ones_end_the_job(store: JobStore):
    number = added(store, total=3)
    assert store.finish(number, 1, BAD, None, 1002)
    assert store.finish_several(number, {0: b"zero", 1: b"one"}, None, 1003) == 4
    assert store.finish_several(number, {2: b"two"}, JobState.FAILED, 1004) == 3
    assert store.answers(number) == [StoredAnswer(200, b"zero"), BAD, StoredAnswer(200, b"two")]
    found = store.find("first", "ada")
    assert (found.state, found.ended) == (JobState.FAILED, 1004)
    requests = sum(len(b"request %d" % k) for k in range(3))
    assert store.taken()["ada"] == requests + len(BAD.body) + len(b"zerotwo")


def test_answers_of_several_points_count_as_what_is_sent_of_them(store: JobStore):
    number, text = added(store), text_of(4_000)
    assert store.finish_several(number, {0: text, 1: text}, JobState.DONE, 1003) == 2 * len(text)
    assert taken_on_disk(store) < len(text)
    assert store.summaries([number])[number] == (2, 0, 2 * len(text))
    assert store.taken() == {"ada": 2 * len(text) + len(b"request 0request 1")}


def test_answers_of_several_points_come_too_late_for_a_job_that_has_ended(store: JobStore):
    number = added(store)
    store.cancel({number: 1001})
    assert store.finish_several(number, {0: b"zero", 1: b"one"}, JobState.DONE, 1003) == 0
    assert store.find("first", "ada").state is JobState.CANCELLED
    assert store.answers(number) == [None, None]


def test_the_request_of_a_point_is_that_of_the_run_it_is_part_of(store: JobStore):
    number = store.add(replace(RECORD, total=5), [b"first", b"", b"second", b"", b""])
    assert [store.request(number, k) for k in range(5)] == [(0, b"first")] * 2 + [(2, b"second")] * 3
