"""Job records in a database: SQLite by default, any other by its SQLAlchemy URL.

Every change is one transaction. A job is on disk before its caller hears that it was accepted. The
answer of a circuit and the new state of the job are written together, once. A database serves one
server at a time: the store locks it when it opens it, so a job that says ``running`` at that moment
was cut off by the end of an earlier server.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Lock, RLock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

from gateway.errors import GatewayError, JobStoreError
from gateway.execution.content import PIECE_BYTES, Content, size_of, whole
from gateway.jobs.compression import Compressor, restored
from gateway.jobs.database import engine, public_url, translate_errors
from gateway.jobs.holding import Hold
from gateway.jobs.never_stored import NeverStored, named_if_final
from gateway.jobs.stored_content import Readers, ReadHold, Rows, StoredContent, UnreadableError, numbered_pieces
from gateway.jobs.tables import (
    ADD,
    ADD_CIRCUITS,
    ADD_PIECE,
    ANSWER,
    ATTEMPT,
    CANCEL,
    DROP_ALL_PIECES,
    DROP_PIECES,
    END,
    GROW,
    OPEN,
    PIECE,
    START,
    UNENDED,
    circuits,
    jobs,
    pieces,
)
from gateway.jobs.writer import GroupWriter
from gateway.protocol.encodings import Encoding
from gateway.results import JobState
from gateway.settings import IN_MEMORY

_OK = 200
_AT_ONCE = 100
"""The number of jobs that one transaction changes."""

_LISTED = 2000
"""The number of jobs that are looked at together when some have to go."""

_PIECES_AT_ONCE = 16
"""The number of pieces that one transaction writes."""

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
    encoding: Encoding = Encoding.JSON


class StoredAnswer(NamedTuple):
    """The answer to one circuit: an HTTP status and a body."""

    status: int
    body: Content


class Summary(NamedTuple):
    """What there is of the answers of a job: their number, how many of them are problems, and their bytes."""

    done: int
    failures: int
    size: int


class EndedJob(NamedTuple):
    """An ended job that may be removed."""

    number: int
    owner: str
    size: int


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
        self._readers = Readers()
        self._engine = engine(url, durable=durable)
        if self._in_memory:
            sa.event.listen(self._engine, "do_connect", _spill_to_disk)
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
    def folder(self) -> Path | None:
        """The folder of a database that is a file: there is room for what will be stored in it. ``None`` elsewhere."""
        address = self._engine.url
        is_file = address.get_backend_name() == "sqlite" and not self._in_memory
        return Path(str(address.database)).parent if is_file else None

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
            LimitError: the database cannot take a request of this size.
        """
        size = sum(map(len, requests))
        values = {name: getattr(record, name) for name in _COLUMNS}
        values |= {"queue": self.queue, "bytes": size}
        try:
            with named_if_final("the request", size, "max_body_bytes"), self.transaction() as connection:
                number = int(connection.execute(ADD, values).inserted_primary_key[0])  # type: ignore[index]  # an INSERT has one
                connection.execute(
                    ADD_CIRCUITS,
                    [{"job": number, "position": k, "request": request} for k, request in enumerate(requests)],
                )
                return number
        except NeverStored as exc:
            if isinstance(exc.__cause__, IntegrityError):
                raise KeyTakenError from exc
            raise exc.reason from exc

    def begin(self, number: int, position: int, now: float) -> None:
        """Count an attempt at a circuit; the first attempt of a job sets its state to running."""
        with self.transaction(is_hasty=True) as connection:  # a power failure is no fault of the circuit
            connection.execute(ATTEMPT, {"this_job": number, "this_position": position})
            connection.execute(START, {"this_job": number, "now": now})

    def finish(self, number: int, position: int, answer: StoredAnswer, ended: JobState | None, now: float) -> bool:
        """Write the answer of a circuit, compressed where that saves, and with the last one how the job ends.

        Returns:
            Whether the answer was written; it is not if the job has ended already, or the circuit has an answer.

        Raises:
            NeverStored: the answer cannot be stored, now or later.
        """
        size = size_of(answer.body)
        in_row = size <= PIECE_BYTES
        circuit = {"this_job": number, "this_position": position}
        values: dict[str, object] = {**circuit, "now_status": answer.status, "body": None, "now_size": size}
        values["now_whole_size"] = None
        with named_if_final("the answer", size, "max_result_bytes"):
            if in_row:
                body = Compressor().keep(whole(answer.body))
                values |= {"body": body, "now_size": None, "now_whole_size": size if len(body) < size else None}
            elif not self._write_pieces(number, position, answer.body):
                return False
            with self.transaction() as connection:
                if not connection.execute(ANSWER, values).rowcount:
                    if not in_row:
                        connection.execute(DROP_PIECES, circuit)
                    return False
                if ended is None:
                    connection.execute(GROW, {"this_job": number, "size": size})
                else:
                    connection.execute(END, {"this_job": number, "size": size, "now_state": ended, "now": now})
                return True

    def finish_several(self, number: int, answers: Mapping[int, bytes], ended: JobState | None, now: float) -> int:
        """Write the results of several points in one transaction, as :meth:`finish` does for each.

        Args:
            number: the number of the job.
            answers: position -> the answer, of at most ``PIECE_BYTES``.
            ended: the state in which the job ends with these answers.
            now: the time.

        Returns:
            The bytes of those that were written, as they are sent: points that have an answer keep it.

        Raises:
            NeverStored: the answers cannot be stored, now or later.
        """
        kept = {position: Compressor().keep(body) for position, body in answers.items()}
        total, size = sum(map(len, answers.values())), 0
        with named_if_final("the answers", total, "max_result_bytes"), self.transaction() as connection:
            for position, body in kept.items():
                whole_size = len(answers[position])
                values = {"this_job": number, "this_position": position, "now_status": _OK, "body": body}
                values |= {"now_size": None, "now_whole_size": whole_size if len(body) < whole_size else None}
                if connection.execute(ANSWER, values).rowcount:
                    size += whole_size
            if ended is None:
                connection.execute(GROW, {"this_job": number, "size": size})
            else:
                connection.execute(END, {"this_job": number, "size": size, "now_state": ended, "now": now})
        return size

    def _write_pieces(self, number: int, position: int, content: Content) -> bool:
        """Write the pieces of an answer, which counts for nothing until its circuit has it.

        Each transaction writes a few, so that others have a turn in between.

        Returns:
            Whether the circuit has no answer yet, and its job has not ended.
        """
        circuit = {"this_job": number, "this_position": position}
        try:
            remaining = _read_pieces(content)
            while some := list(itertools.islice(remaining, _PIECES_AT_ONCE)):
                with self.transaction(is_hasty=True) as connection:  # the answer that counts them waits for the disk
                    if connection.execute(OPEN, circuit).one_or_none() is None:
                        connection.execute(DROP_PIECES, circuit)
                        return False
                    if some[0][0] == 0:
                        connection.execute(DROP_PIECES, circuit)
                    rows = [{"job": number, "position": position, "number": k, "body": body} for k, body in some]
                    connection.execute(ADD_PIECE, rows)
        except BaseException:
            with contextlib.suppress(JobStoreError), self.transaction() as connection:
                connection.execute(DROP_PIECES, circuit)
            raise
        return True

    def cancel(self, ends: Mapping[int, float]) -> None:
        """End jobs as cancelled, whatever an answer that came at the same moment has made of them.

        Args:
            ends: number of each job -> when it was cancelled.
        """
        with self.transaction() as connection:
            connection.execute(CANCEL, [{"this_job": number, "now": now} for number, now in ends.items()])

    def doubt(self) -> None:
        """Have the next transaction find out whether this server still holds the database; done from time to time."""
        self._hold.doubt()

    def mark_fetched(self, numbers: Sequence[int]) -> None:
        """Note that the results of jobs were sent whole."""
        for some in _batches(numbers):
            with self.transaction() as connection:
                connection.execute(jobs.update().where(jobs.c.number.in_(some)).values(fetched=True))

    def remove(self, numbers: Sequence[int]) -> set[int]:
        """Remove ended jobs but for those that somebody reads, and return the numbers of those that were removed.

        A job that is removed twice at once is in the answer of one call only. Each transaction removes a few, so that
        others have a turn in between.
        """
        removed: set[int] = set()
        for some in _batches(numbers):
            with self.transaction() as connection:
                free = jobs.c.number.in_(set(some) - self._readers.held())
                there = set(connection.scalars(sa.select(jobs.c.number).where(free).with_for_update()))
                for table in (pieces, circuits):
                    connection.execute(table.delete().where(table.c.job.in_(there)))
                connection.execute(jobs.delete().where(jobs.c.number.in_(there)))
            removed |= there
        return removed

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

    def taken(self, *, ended: bool = False) -> dict[str, int]:
        """Return the bytes that the jobs of each owner take, or only those that have ended."""
        these = jobs.c.queue == self.queue
        if ended:
            these &= jobs.c.state.not_in(UNENDED)
        query = sa.select(jobs.c.owner, sa.func.sum(jobs.c.bytes)).where(these).group_by(jobs.c.owner)
        with self.reading() as connection:
            return {owner: int(size) for owner, size in connection.execute(query)}

    def ended(self, number: int) -> list[EndedJob]:
        """Return a job if it has ended and nobody reads it."""
        return self._removable(jobs.c.number == number)

    def old(self, before: float) -> list[EndedJob]:
        """Return some of the jobs that ended before a time and that nobody reads."""
        return self._removable(jobs.c.ended < before)

    def first_to_go(self, owner: str, unfetched_before: float) -> list[EndedJob]:
        """Return some of an owner's jobs that may be removed: fetched ones before others, and the oldest first.

        Args:
            owner: whose jobs.
            unfetched_before: jobs that ended later may be removed only if they were fetched.
        """
        fetched, others = _may_go(owner, unfetched_before)
        return self._removable(fetched) or self._removable(others)

    def removable_bytes(self, owner: str, unfetched_before: float) -> int:
        """Return the bytes of all jobs that :meth:`first_to_go` would name one day."""
        query = sa.select(sa.func.sum(jobs.c.bytes)).where(self._free() & sa.or_(*_may_go(owner, unfetched_before)))
        with self.reading() as connection:
            return int(connection.scalar(query) or 0)

    def _removable(self, condition: sa.ColumnElement[bool]) -> list[EndedJob]:
        query = sa.select(jobs.c.number, jobs.c.owner, jobs.c.bytes).where(self._free() & condition)
        with self.reading() as connection:
            return [EndedJob(*row) for row in connection.execute(query.order_by(jobs.c.number).limit(_LISTED))]

    def _free(self) -> sa.ColumnElement[bool]:
        """Return the condition that a job has ended and that nobody reads it."""
        ended = (jobs.c.queue == self.queue) & jobs.c.state.not_in(UNENDED)
        return ended & jobs.c.number.not_in(self._readers.held())

    def answers(self, number: int, start: int = 0, stop: int | None = None) -> list[StoredAnswer | None]:
        """Return the answer of every circuit of a job, ``None`` where there is none.

        Together they are in memory if they are small; otherwise each is read piece by piece, and the job is not
        removed for as long as somebody has them.

        Args:
            number: the number of the job.
            start: the position of the first circuit.
            stop: the position after the last one; by default all.
        """
        hold = self._readers.hold(number)
        these = (circuits.c.job == number) & (circuits.c.position >= start)
        if stop is not None:
            these &= circuits.c.position < stop
        with self.reading() as connection:
            found = connection.execute(_SIZES.where(these).order_by(circuits.c.position)).all()
            bodies: dict[int, bytes] = {}
            if sum(row.size or row.row_size or 0 for row in found) <= PIECE_BYTES:
                bodies = _bodies(connection, these)
        rows = self._rows(found, hold)
        return [
            None
            if row.status is None
            else StoredAnswer(row.status, bodies.get(row.position, self._content(row, hold, rows)))
            for row in found
        ]

    def answer(self, number: int, position: int) -> StoredAnswer | None:
        """Return the answer of one circuit, ``None`` if there is none; as :meth:`answers` does."""
        hold = self._readers.hold(number)
        this = (circuits.c.job == number) & (circuits.c.position == position)
        with self.reading() as connection:
            row = connection.execute(_SIZES.where(this)).one_or_none()
        if row is None or row.status is None:
            return None
        return StoredAnswer(row.status, self._content(row, hold, self._rows([row], hold)))

    def _rows(self, found: Sequence[Any], hold: ReadHold) -> Rows:
        in_rows = {row.position: row.row_size for row in found if row.status is not None and row.size is None}
        return Rows(self, hold, in_rows)

    def _content(self, row: Any, hold: ReadHold, rows: Rows) -> StoredContent:  # noqa: ANN401 - a row of _SIZES
        in_row = row.size is None
        return StoredContent(self, hold, row.position, row.row_size if in_row else row.size, rows if in_row else None)

    def rows(self, number: int, first: int, last: int) -> dict[int, bytes]:
        """Return the answers of some circuits that are kept in their rows, by position; those that are not removed."""
        these = (circuits.c.job == number) & circuits.c.position.between(first, last) & circuits.c.size.is_(None)
        with self.reading() as connection:
            return _bodies(connection, these & circuits.c.status.is_not(None))

    def piece(self, number: int, position: int, piece: int) -> bytes | None:
        """Return one piece of an answer that is kept in pieces, as it is kept; ``None`` if it was removed."""
        values = {"this_job": number, "this_position": position, "this_number": piece}
        with self.reading() as connection:
            body: bytes | None = connection.scalar(PIECE, values)
        return body

    def summaries(self, numbers: Sequence[int]) -> dict[int, Summary]:
        """Return of jobs, by their numbers, how many answers there are, how many are problems, and their bytes."""
        columns = (
            circuits.c.job,
            sa.func.count(circuits.c.status),
            sa.func.sum(sa.case((circuits.c.status != _OK, 1), else_=0)),
            sa.func.sum(sa.func.coalesce(circuits.c.size, _ROW_SIZE, 0)),
        )
        found = dict.fromkeys(numbers, Summary(0, 0, 0))
        for some in _batches(numbers):
            query = sa.select(*columns).where(circuits.c.job.in_(some)).group_by(circuits.c.job)
            with self.reading() as connection:
                for number, done, failures, size in connection.execute(query):
                    found[number] = Summary(done, int(failures or 0), int(size or 0))
        return found

    def first_failure(self, number: int) -> int | None:
        """Return the position of the first circuit of a job that failed, ``None`` if none did."""
        these = (circuits.c.job == number) & (circuits.c.status != _OK)
        with self.reading() as connection:
            position: int | None = connection.scalar(sa.select(sa.func.min(circuits.c.position)).where(these))
        return position

    def request(self, number: int, position: int) -> tuple[int, bytes]:
        """Return the position and the request of the run that a circuit or point of a job is part of."""
        before = (
            (circuits.c.job == number) & (circuits.c.position <= position) & (sa.func.length(circuits.c.request) > 0)
        )
        query = sa.select(circuits.c.position, circuits.c.request).where(before)
        with self.reading() as connection:
            begin, request = connection.execute(query.order_by(circuits.c.position.desc()).limit(1)).one()
        return begin, request

    def requests(self, number: int) -> list[bytes]:
        """Return the request of every circuit of a job; it is empty for a point that is part of the run before."""
        query = sa.select(circuits.c.request).where(circuits.c.job == number).order_by(circuits.c.position)
        with self.reading() as connection:
            return list(connection.scalars(query))

    def drop_half_answers(self) -> None:
        """Remove what an earlier server wrote of answers that it did not finish; no circuit runs yet."""
        with self.transaction() as connection:
            connection.execute(DROP_ALL_PIECES, {"this_queue": self.queue})

    def unfinished(self) -> list[Unfinished]:
        """Return the jobs that an earlier server left, the oldest first."""
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


def _read_pieces(content: Content) -> Iterator[tuple[int, bytes]]:
    compressor = Compressor()
    try:
        for number, piece in numbered_pieces(content, size_of(content)):
            yield number, compressor.keep(piece)
    except UnreadableError as exc:
        raise NeverStored(GatewayError(str(exc))) from exc


def _spill_to_disk(_dialect: object, _record: object, arguments: list[str], _named: object) -> None:
    """Open SQLite's temporary database, which has only its latest pages in memory, in the place of one in memory."""
    arguments[0] = ""


def _may_go(owner: str, unfetched_before: float) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Return the conditions of an owner's jobs that go first, and of those that go after them."""
    theirs = jobs.c.owner == owner
    return (
        theirs & (jobs.c.fetched == sa.true()),
        theirs & (jobs.c.fetched == sa.false()) & (jobs.c.ended < unfetched_before),
    )


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[k : k + _AT_ONCE] for k in range(0, len(numbers), _AT_ONCE))


_COLUMNS = [column.name for column in jobs.columns if column.name not in {"number", "queue", "bytes", "fetched"}]
_SELECT = sa.select(*[jobs.c[name] for name in _COLUMNS], jobs.c.number)
_ROW_SIZE = sa.func.coalesce(circuits.c.whole_size, sa.func.length(circuits.c.answer))
_SIZES = sa.select(circuits.c.position, circuits.c.status, circuits.c.size, _ROW_SIZE.label("row_size"))


def _record(row: Any) -> JobRecord:  # noqa: ANN401 - a row of _SELECT
    values = row._asdict()
    return JobRecord(**{**values, "state": JobState(values["state"]), "encoding": Encoding(values["encoding"])})


def _bodies(connection: Connection, these: sa.ColumnElement[bool]) -> dict[int, bytes]:
    """Return the answers in the rows of some circuits, by position."""
    query = sa.select(circuits.c.position, circuits.c.answer, circuits.c.whole_size).where(these)
    return {
        position: body if size is None else restored(body, size) for position, body, size in connection.execute(query)
    }
