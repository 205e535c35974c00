"""Transactions of several threads reach an SQLite file together, and a failed one costs no other anything."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from support.waiting import wait_until

from gateway.errors import JobStoreError, StorageFull
from gateway.jobs import writer as writer_module
from gateway.jobs.database import engine, translate_errors
from gateway.jobs.writer import GroupWriter


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE things (number INTEGER PRIMARY KEY, content BLOB)")
    return path


@pytest.fixture
def connected(file: Path) -> Iterator[Engine]:
    made = engine(f"sqlite:///{file}")
    yield made
    made.dispose()


@pytest.fixture
def writer(connected: Engine) -> Iterator[GroupWriter]:
    made = GroupWriter(connected)
    yield made
    made.close()


@pytest.fixture
def commits(connected: Engine) -> list[object]:
    """Return a list that grows with each commit."""
    counted: list[object] = []
    sa.event.listen(connected, "commit", counted.append)
    return counted


def put(writer: GroupWriter, number: int, size: int = 1) -> None:
    with writer.transaction() as connection:
        _put(connection, number, size)


def _put(connection: Connection, number: int, size: int = 1) -> None:
    connection.exec_driver_sql("INSERT INTO things VALUES (?, zeroblob(?))", (number, size))


def stored(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM things ORDER BY number")]


class Line:
    """Threads that wait for their turns behind a transaction that is held up."""

    def __init__(self, writer: GroupWriter, *bodies: object) -> None:
        self.outcomes: dict[int, BaseException | None] = {}
        self._writer = writer
        with writer.transaction() as connection:
            self.threads = [threading.Thread(target=self._call, args=(k, body)) for k, body in enumerate(bodies)]
            for k, thread in enumerate(self.threads):
                thread.start()
                wait_until(lambda k=k: writer._waiting == k + 1, "a thread to wait for its turn")
            _put(connection, 1000)
        for thread in self.threads:
            thread.join()

    def _call(self, k: int, body: object) -> None:
        try:
            with self._writer.transaction() as connection:
                body(connection)  # type: ignore[operator]
        except BaseException as exc:  # noqa: BLE001 - looked at by the test
            self.outcomes[k] = exc
        else:
            self.outcomes[k] = None


def test_a_thread_that_is_alone_commits_at_once(writer: GroupWriter, file: Path, commits: list[object]):
    for number in range(3):
        put(writer, number)
        assert stored(file) == list(range(number + 1))
    assert len(commits) == 3


def test_threads_that_wait_are_committed_together(writer: GroupWriter, file: Path, commits: list[object]):
    line = Line(writer, *(lambda connection, k=k: _put(connection, k) for k in range(20)))
    assert set(line.outcomes.values()) == {None}
    assert stored(file) == [*range(20), 1000]
    assert len(commits) == 1


def test_one_that_fails_alone_fails_no_other(writer: GroupWriter, file: Path, commits: list[object]):
    def fails(connection: Connection) -> None:
        _put(connection, 50)
        raise ZeroDivisionError

    line = Line(
        writer,
        lambda connection: _put(connection, 1),
        fails,
        lambda connection: _put(connection, 1000),
        lambda connection: _put(connection, 2),
        fails,
    )
    assert [type(error) for _, error in sorted(line.outcomes.items())] == [
        type(None),
        ZeroDivisionError,
        IntegrityError,
        type(None),
        ZeroDivisionError,
    ]
    assert stored(file) == [1, 2, 1000]
    assert len(commits) == 1


def test_who_is_refused_because_of_another_one_sees_what_that_one_wrote(writer: GroupWriter, file: Path):
    seen: list[list[int]] = []

    def is_refused() -> None:
        with pytest.raises(IntegrityError):
            put(writer, 5)
        seen.append(stored(file))

    with writer.transaction() as connection:
        threads = [threading.Thread(target=is_refused), threading.Thread(target=put, args=(writer, 6))]
        for k, thread in enumerate(threads):
            thread.start()
            wait_until(lambda k=k: writer._waiting == k + 1, "a thread to wait for its turn")
        _put(connection, 5)
    for thread in threads:
        thread.join()
    assert seen == [[5, 6]]


def test_one_that_fails_first_leaves_a_transaction_to_the_next(writer: GroupWriter, file: Path):
    with pytest.raises(IntegrityError), writer.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO things VALUES (1, NULL), (1, NULL)")
    put(writer, 2)
    assert stored(file) == [2]


def test_a_commit_that_fails_is_an_error_for_everybody_in_it_and_for_nobody_later(
    writer: GroupWriter, file: Path, connected: Engine, monkeypatch: pytest.MonkeyPatch
):
    def refused(_dialect: object, _connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(type(connected.dialect), "do_commit", refused)
        with pytest.raises(OperationalError, match="disk I/O error"):
            Line(writer, *(lambda connection, k=k: _put(connection, k) for k in range(3)))
        assert stored(file) == []
    put(writer, 7)
    assert stored(file) == [7]


def test_each_of_a_group_that_was_not_committed_raises(
    writer: GroupWriter, connected: Engine, monkeypatch: pytest.MonkeyPatch
):
    lines: list[Line] = []

    def refused(_dialect: object, _connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    class Remembered(Line):
        def __init__(self, *arguments: object) -> None:
            lines.append(self)
            super().__init__(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(type(connected.dialect), "do_commit", refused)
    with pytest.raises(OperationalError):
        Remembered(writer, *(lambda connection, k=k: _put(connection, k) for k in range(3)))
    for thread in lines[0].threads:
        thread.join()
    assert {type(error) for error in lines[0].outcomes.values()} == {OperationalError}


def test_a_full_file_refuses_what_is_too_much_and_takes_the_rest(writer: GroupWriter, file: Path):
    with writer.transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
        _put(connection, 0)
    with pytest.raises(StorageFull), translate_errors(f"sqlite:///{file}"):
        put(writer, 1, size=200_000)
    put(writer, 2)
    assert stored(file) == [0, 2]


def synchronous(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def test_only_one_in_a_hurry_that_is_alone_does_not_wait_for_the_disk(writer: GroupWriter, file: Path):
    with writer.transaction(is_hasty=True) as connection:
        assert synchronous(connection) == 1
        _put(connection, 1)
    with writer.transaction() as connection:
        assert synchronous(connection) == 2
        _put(connection, 2)
    assert stored(file) == [1, 2]


def test_one_in_a_hurry_is_committed_with_others_that_wait(writer: GroupWriter, file: Path, commits: list[object]):
    def put_in_a_hurry(number: int) -> None:
        with writer.transaction(is_hasty=True) as connection:
            _put(connection, number)

    with writer.transaction(is_hasty=True) as connection:
        threads = [
            threading.Thread(target=put, args=(writer, 1)),
            threading.Thread(target=put_in_a_hurry, args=(2,)),
            threading.Thread(target=put, args=(writer, 3)),
        ]
        for k, thread in enumerate(threads):
            thread.start()
            wait_until(lambda k=k: writer._waiting == k + 1, "a thread to wait for its turn")
        _put(connection, 0)
    for thread in threads:
        thread.join()
    assert stored(file) == [0, 1, 2, 3]
    assert len(commits) == 2, "one for what did not wait for the disk, and one for the three that came meanwhile"


def test_a_turn_that_does_not_come_is_an_error(writer: GroupWriter, file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer_module, "_TURN_WITHIN_S", 0.05)
    refused: list[str] = []

    def waits_in_vain() -> None:
        try:
            put(writer, 2)
        except JobStoreError as exc:
            refused.append(exc.message)

    with writer.transaction() as connection:
        thread = threading.Thread(target=waits_in_vain)
        thread.start()
        thread.join()
        _put(connection, 1)
    assert len(refused) == 1
    assert "try again later" in refused[0]
    assert stored(file) == [1], "who waited in vain was not to commit for the others"


def test_a_group_is_committed_although_the_thread_that_was_to_do_it_went_away(writer: GroupWriter, file: Path):
    with writer._counting:
        writer._waiting += 1  # as one whose patience ends at this moment
    threading.Timer(0.1, lambda: setattr(writer, "_waiting", 0)).start()
    put(writer, 1)
    assert stored(file) == [1]


def test_a_thousand_at_once_are_all_written(writer: GroupWriter, file: Path):
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: put(writer, number), range(1000)))
    assert stored(file) == list(range(1000))


def test_who_waits_for_a_turn_while_the_writer_is_closed_opens_nothing(writer: GroupWriter, connected: Engine):
    opened: list[object] = []
    refused: list[str] = []

    def waits() -> None:
        try:
            put(writer, 1)
        except JobStoreError as exc:
            refused.append(exc.message)

    put(writer, 0)
    with writer._turn:  # as one that writes
        thread = threading.Thread(target=waits)
        thread.start()
        wait_until(lambda: writer._waiting == 1, "a thread to wait for its turn")
        writer._is_closed = True
        sa.event.listen(connected, "checkout", lambda *_: opened.append(1))
    thread.join()
    assert refused == ["the job database is closed"]
    assert opened == []
