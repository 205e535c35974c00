"""Job records in a database: SQLite by default, any other by its SQLAlchemy URL.

Every change is one transaction. A job is on disk before its caller hears that it was accepted. The
answer of a circuit and the new state of the job are written together, once. A database serves one
server at a time: the store locks it when it opens it, so a job that says ``running`` at that moment
was cut off by the end of an earlier server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Lock, RLock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

from gateway.errors import JobStoreError
from gateway.jobs.database import engine, public_url, translate_errors
from gateway.jobs.holding import Hold
from gateway.jobs.tables import (
    ADD,
    ADD_CIRCUITS,
    ANSWER,
    ATTEMPT,
    CANCEL,
    END,
    GROW,
    START,
    UNENDED,
    circuits,
    jobs,
)
from gateway.jobs.writer import GroupWriter
from gateway.results import JobState

IN_MEMORY = "sqlite://"
"""The URL of a database in memory, whose jobs end with the server."""

_OK = 200
_READERS_END_WITHIN_S = 10.0


class _Count:
    """Counts the threads that are within a block."""

    def __init__(self) -> None:
        self._number = 0
        self._changed = Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._number += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._number -= 1
            self._changed.notify_all()

    def wait_for_none(self, within_s: float) -> None:
        """Wait until no thread is within the block, but not longer than ``within_s``."""
        with self._changed:
            self._changed.wait_for(lambda: not self._number, within_s)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """Everything about a job except its circuits and their answers; times are seconds since 1970."""

    id: str
    owner: str
    caller: str
    state: JobState
    total: int
    is_list: bool
    timeout_s: float
    created: float
    started: float | None = None
    ended: float | None = None
    idempotency_key: str | None = None
    digest: str = ""
    trace: str | None = None
    number: int = 0


class StoredAnswer(NamedTuple):
    """The answer to one circuit: an HTTP status and a body."""

    status: int
    body: bytes


class Unfinished(NamedTuple):
    """A job that an earlier server did not finish, and how often that server began its open circuits."""

    record: JobRecord
    attempts: dict[int, int]
    """Position of each circuit without an answer -> number of attempts."""


class KeyTakenError(Exception):
    """The owner has another job with this idempotency key."""


class JobStore:
    """Keeps jobs in a database.

    Args:
        url: the database, as SQLAlchemy writes it.
        queue: name of what is served; several servers may share a PostgreSQL database under different names.
        wait_s: seconds to wait for an earlier server to end and release the database.
        durable: whether what an SQLite file was told survives a power failure; other databases have settings for that.

    Raises:
        JobStoreError: the database cannot be opened, another server holds it, or a newer version wrote it.
        StorageFull: the database has to be migrated, and there is no space for that.
    """

    def __init__(self, url: str = IN_MEMORY, queue: str = "", wait_s: float = 10.0, *, durable: bool = True) -> None:
        self.url = url
        self.queue = queue
        self._engine = engine(url, durable=durable)
        self._closing = Lock()
        self._is_closed = False
        self._reading = _Count()
        try:
            with translate_errors(self.url):
                self._hold = Hold(self._engine, queue, wait_s)
        except (ValueError, TypeError) as exc:  # of a driver that is given a strange URL
            raise JobStoreError(f"cannot use the job database {public_url(url)}: {exc}", url=public_url(url)) from exc
        self._turn = RLock()  # of the one connection to a database in memory
        is_file = self._engine.dialect.name == "sqlite" and not self._in_memory
        self._writer = GroupWriter(self._engine) if is_file else None

    @property
    def _in_memory(self) -> bool:
        return isinstance(self._engine.pool, StaticPool)

    def close(self) -> None:
        """Release the database, once what is being read and written now has ended."""
        with self._closing:
            self._is_closed = True
            self._reading.wait_for_none(_READERS_END_WITHIN_S)
            if self._writer is not None:
                self._writer.close()
            with self._turn:
                self._engine.dispose()  # before the lock is released: the next server must find nobody at the file
                self._hold.close()

    @contextlib.contextmanager
    def transaction(self, *, is_hasty: bool = False) -> Iterator[Connection]:
        """Begin a transaction, in which interfaces may keep data of their own; errors of the database become ours.

        When the block has ended, what it wrote is on disk. Transactions are not nested.

        Args:
            is_hasty: whether what is written need only survive the end of this process, not a power failure.
        """
        with translate_errors(self.url):
            if self._writer is not None:
                with self._writer.transaction(is_hasty=is_hasty) as connection:
                    self._refuse_if_closed()
                    yield connection
                return
            with self._turn if self._in_memory else contextlib.nullcontext():
                self._refuse_if_closed()
                with self._engine.begin() as connection:
                    self._hold.confirm()
                    yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin to read; nobody who reads waits for those who write, unless the database is in memory."""
        if self._in_memory:
            with self.transaction() as connection:
                yield connection
            return
        with translate_errors(self.url), self._reading:
            self._refuse_if_closed()
            with self._engine.connect() as connection:
                self._hold.confirm()
                yield connection

    def _refuse_if_closed(self) -> None:
        """Refuse to use a database that another server may own by now; SQLAlchemy would open it again."""
        if self._is_closed:
            raise JobStoreError(f"the job database {public_url(self.url)} is closed", url=public_url(self.url))

    # ------------------------------------------------------------------ writing

    def add(self, record: JobRecord, requests: Sequence[bytes]) -> int:
        """Write a new job and return its number, which grows from job to job.

        Raises:
            KeyTakenError: another job of the owner has its idempotency key.
            StorageFull: there is no space.
        """
        values = {name: getattr(record, name) for name in _COLUMNS}
        values |= {"queue": self.queue, "bytes": sum(map(len, requests))}
        try:
            with self.transaction() as connection:
                number = int(connection.execute(ADD, values).inserted_primary_key[0])  # type: ignore[index]  # an INSERT has one
                connection.execute(
                    ADD_CIRCUITS,
                    [{"job": number, "position": k, "request": request} for k, request in enumerate(requests)],
                )
                return number
        except IntegrityError as exc:
            raise KeyTakenError from exc

    def begin(self, number: int, position: int, now: float) -> None:
        """Count an attempt at a circuit; the first attempt of a job sets its state to running."""
        with self.transaction(is_hasty=True) as connection:  # a power failure is no fault of the circuit
            connection.execute(ATTEMPT, {"this_job": number, "this_position": position})
            connection.execute(START, {"this_job": number, "now": now})

    def finish(self, number: int, position: int, answer: StoredAnswer, ended: JobState | None, now: float) -> bool:
        """Write the answer of a circuit and, with the last answer, the state in which the job ends.

        Returns:
            Whether the answer was written; it is not if the job has ended already, or the circuit has an answer.
        """
        size = len(answer.body)
        with self.transaction() as connection:
            values = {"this_job": number, "this_position": position, "now_status": answer.status, "body": answer.body}
            if not connection.execute(ANSWER, values).rowcount:
                return False
            if ended is None:
                connection.execute(GROW, {"this_job": number, "size": size})
            else:
                connection.execute(END, {"this_job": number, "size": size, "now_state": ended, "now": now})
            return True

    def cancel(self, ends: Mapping[int, float]) -> None:
        """End jobs as cancelled, whatever an answer that came at the same moment has made of them.

        Args:
            ends: number of each job -> when it was cancelled.
        """
        with self.transaction() as connection:
            connection.execute(CANCEL, [{"this_job": number, "now": now} for number, now in ends.items()])

    def expire(self, before: float, keep_bytes: int) -> int:
        """Remove jobs that ended before a time, and the oldest of the others beyond a size.

        Args:
            before: seconds since 1970; jobs that ended earlier are removed.
            keep_bytes: the newest jobs of this size together are kept.

        Returns:
            The number of jobs that were removed.
        """
        self._hold.doubt()  # from time to time
        ended = (jobs.c.queue == self.queue) & jobs.c.state.not_in(UNENDED)
        with self.transaction() as connection:
            old = list(connection.scalars(sa.select(jobs.c.number).where(ended & (jobs.c.ended < before))))
            younger = connection.execute(
                sa.select(jobs.c.number, jobs.c.bytes)
                .where(ended & (jobs.c.ended >= before))
                .order_by(jobs.c.number.desc())
            )
            total = 0
            for number, size in younger:
                total += size
                if total > keep_bytes:
                    old.append(number)
            for some in (old[k : k + 500] for k in range(0, len(old), 500)):
                connection.execute(circuits.delete().where(circuits.c.job.in_(some)))
                connection.execute(jobs.delete().where(jobs.c.number.in_(some)))
        return len(old)

    # ------------------------------------------------------------------ reading

    def find(self, job_id: str, owner: str) -> JobRecord | None:
        """Return an owner's job by its id."""
        return self._one((jobs.c.id == job_id) & (jobs.c.owner == owner))

    def find_key(self, key: str, owner: str) -> JobRecord | None:
        """Return an owner's job by its idempotency key."""
        return self._one((jobs.c.idempotency_key == key) & (jobs.c.owner == owner))

    def _one(self, condition: Any) -> JobRecord | None:  # noqa: ANN401 - an expression of SQLAlchemy's
        with self.reading() as connection:
            row = connection.execute(_SELECT.where((jobs.c.queue == self.queue) & condition)).one_or_none()
        return None if row is None else _record(row)

    def page(self, owner: str, state: JobState | None, before: int | None, limit: int) -> list[JobRecord]:
        """Return an owner's jobs, the newest first; ``before`` is the number at which the previous page ended."""
        query = _SELECT.where((jobs.c.queue == self.queue) & (jobs.c.owner == owner))
        if state is not None:
            query = query.where(jobs.c.state == state)
        if before is not None:
            query = query.where(jobs.c.number < before)
        with self.reading() as connection:
            return [_record(row) for row in connection.execute(query.order_by(jobs.c.number.desc()).limit(limit))]

    def answers(self, number: int) -> list[StoredAnswer | None]:
        """Return the answer of every circuit of a job, ``None`` where there is none."""
        query = sa.select(circuits.c.status, circuits.c.answer).where(circuits.c.job == number)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(circuits.c.position)).all()
        return [None if status is None else StoredAnswer(status, answer) for status, answer in rows]

    def answered(self, number: int) -> int:
        """Return the number of circuits of a job that have an answer."""
        query = sa.select(sa.func.count()).where((circuits.c.job == number) & circuits.c.status.is_not(None))
        with self.reading() as connection:
            return int(connection.scalar(query) or 0)

    def request(self, number: int, position: int) -> bytes:
        """Return the request of one circuit of a job."""
        this = (circuits.c.job == number) & (circuits.c.position == position)
        with self.reading() as connection:
            request: bytes = connection.execute(sa.select(circuits.c.request).where(this)).scalar_one()
        return request

    def requests(self, number: int) -> list[bytes]:
        """Return the request of every circuit of a job."""
        query = sa.select(circuits.c.request).where(circuits.c.job == number).order_by(circuits.c.position)
        with self.reading() as connection:
            return list(connection.scalars(query))

    def unfinished(self) -> list[Unfinished]:
        """Return the jobs that have not ended, the oldest first."""
        active = (jobs.c.queue == self.queue) & jobs.c.state.in_(UNENDED)
        with self.reading() as connection:
            records = [_record(row) for row in connection.execute(_SELECT.where(active).order_by(jobs.c.number))]
            unfinished = []
            for record in records:
                rows = connection.execute(
                    sa.select(circuits.c.position, circuits.c.attempts).where(
                        (circuits.c.job == record.number) & circuits.c.status.is_(None)
                    )
                )
                unfinished.append(Unfinished(record, {row.position: row.attempts for row in rows}))
        return unfinished

    def failed(self, number: int) -> bool:
        """Say whether a circuit of a job was answered with an error."""
        query = sa.select(sa.func.count()).where((circuits.c.job == number) & (circuits.c.status != _OK))
        with self.reading() as connection:
            return bool(connection.scalar(query))


_COLUMNS = [column.name for column in jobs.columns if column.name not in {"number", "queue", "bytes"}]
_SELECT = sa.select(*[jobs.c[name] for name in _COLUMNS], jobs.c.number)


def _record(row: Any) -> JobRecord:  # noqa: ANN401 - a row of _SELECT
    values = row._asdict()
    return JobRecord(**{**values, "state": JobState(values["state"])})
