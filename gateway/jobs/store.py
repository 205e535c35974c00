"""Job records in a database: SQLite by default, any other by its SQLAlchemy URL.

Every change is one transaction. What is accepted is on disk before the caller hears of it; a
circuit's answer and the job's new state are written together, once. A database serves one server
at a time: it is locked when it is opened, so what says ``running`` at that moment was cut off.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from gateway.errors import JobStoreError, StorageFull
from gateway.results import JobState

IN_MEMORY = "sqlite://"
"""Jobs live as long as the server."""

SCHEMA_VERSION = 1

_metadata = sa.MetaData()

_jobs = sa.Table(
    "jobs",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("queue", sa.String(128), nullable=False, index=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("caller", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("is_list", sa.Boolean, nullable=False),
    sa.Column("timeout_s", sa.Float, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("trace", sa.String(64)),
    sa.UniqueConstraint("queue", "owner", "idempotency_key"),
    sqlite_autoincrement=True,
)

_circuits = sa.Table(
    "circuits",
    _metadata,
    sa.Column("job", sa.ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.LargeBinary),
    sqlite_with_rowid=False,
)

_deployments = sa.Table(
    "deployments",
    _metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("queue", sa.String(128), nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False, index=True),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

_versions = sa.Table("schema_version", _metadata, sa.Column("version", sa.Integer, primary_key=True))

_UNENDED = (JobState.QUEUED, JobState.RUNNING)
_OK = 200


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is kept of a job, but for its circuits and their answers; times are seconds since 1970."""

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
    """The HTTP status and the body that one circuit was answered with."""

    status: int
    body: bytes


class Unfinished(NamedTuple):
    """A job that was taken up by an earlier server, and how often its open circuits were begun."""

    record: JobRecord
    attempts: dict[int, int]
    """position -> attempts, of the circuits without an answer."""


class KeyTakenError(Exception):
    """There is a job of the same owner with that idempotency key."""


class JobStore:
    """Keeps jobs.

    Args:
        url: of the database, as SQLAlchemy writes it.
        queue: name of what is served; several servers may share a PostgreSQL database under different names.
        wait_s: how long to wait for a server that is ending to let go of the database.

    Raises:
        JobStoreError: it cannot be opened, another server has it, or a newer version wrote it.
    """

    def __init__(self, url: str = IN_MEMORY, queue: str = "", wait_s: float = 10.0) -> None:
        self.url = url
        self.queue = queue
        self._lock = RLock()  # SQLite has one writer; a thread that waits here costs less than one that is refused
        self._engine = _engine(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._held = contextlib.ExitStack()
        self._held.callback(self._engine.dispose)
        try:
            with _translated(self.url):
                self._held.enter_context(_exclusively(self._engine, queue, wait_s))
                self._prepare()
        except BaseException:
            self._held.close()
            raise

    def _prepare(self) -> None:
        with self._engine.begin() as connection:
            _metadata.create_all(connection)
            found = connection.scalar(sa.select(sa.func.max(_versions.c.version)))
            if found is None:
                connection.execute(_versions.insert().values(version=SCHEMA_VERSION))
            elif found != SCHEMA_VERSION:
                raise JobStoreError(
                    f"the job database is of schema {found}, this version writes {SCHEMA_VERSION}: "
                    "use the version that wrote it, or another database",
                    url=_shown(self.url),
                )

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._held.close()

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        turn = self._lock if self._is_sqlite else contextlib.nullcontext()
        with _translated(self.url), turn, self._engine.begin() as connection:
            yield connection

    # ------------------------------------------------------------------ writing

    def add(self, record: JobRecord, requests: Sequence[bytes]) -> int:
        """Write a new job; return its number, which grows from job to job.

        Raises:
            KeyTakenError: its idempotency key is in use.
            StorageFull: there is no space.
        """
        values = {name: getattr(record, name) for name in _COLUMNS}
        values |= {"queue": self.queue, "bytes": sum(map(len, requests))}
        try:
            with self._begin() as connection:
                number = int(connection.execute(_ADD, values).inserted_primary_key[0])  # type: ignore[index]  # an INSERT has one
                connection.execute(
                    _ADD_CIRCUITS,
                    [{"job": number, "position": k, "request": request} for k, request in enumerate(requests)],
                )
                return number
        except IntegrityError as exc:
            raise KeyTakenError from exc

    def begin(self, number: int, position: int, now: float) -> None:
        """Count an attempt at a circuit; the first one of a job makes it run."""
        with self._begin() as connection:
            connection.execute(_ATTEMPT, {"this_job": number, "this_position": position})
            connection.execute(_START, {"this_job": number, "now": now})

    def finish(self, number: int, position: int, answer: StoredAnswer, ended: JobState | None, now: float) -> bool:
        """Write a circuit's answer and, with the last one, the state the job ends in.

        Returns:
            Whether it was written: not if the job has ended already, or the circuit has an answer.
        """
        size = len(answer.body)
        with self._begin() as connection:
            given = {"this_job": number, "this_position": position, "now_status": answer.status, "body": answer.body}
            if not connection.execute(_ANSWER, given).rowcount:
                return False
            if ended is None:
                connection.execute(_GROW, {"this_job": number, "size": size})
            else:
                connection.execute(_END, {"this_job": number, "size": size, "now_state": ended, "now": now})
            return True

    def end(self, number: int, state: JobState, now: float) -> bool:
        """End a job without an answer; say whether it had not ended before."""
        with self._begin() as connection:
            given = {"this_job": number, "size": 0, "now_state": state, "now": now}
            return bool(connection.execute(_END, given).rowcount)

    def expire(self, before: float, keep_bytes: int) -> int:
        """Remove jobs that ended before a time, and the oldest ended ones beyond a size; return how many."""
        ended = (_jobs.c.queue == self.queue) & _jobs.c.state.not_in(_UNENDED)
        with self._begin() as connection:
            old = list(connection.scalars(sa.select(_jobs.c.number).where(ended & (_jobs.c.ended < before))))
            kept = connection.execute(
                sa.select(_jobs.c.number, _jobs.c.bytes)
                .where(ended & (_jobs.c.ended >= before))
                .order_by(_jobs.c.number.desc())
            )
            total = 0
            for number, size in kept:
                total += size
                if total > keep_bytes:
                    old.append(number)
            for some in (old[k : k + 500] for k in range(0, len(old), 500)):
                connection.execute(_circuits.delete().where(_circuits.c.job.in_(some)))
                connection.execute(_jobs.delete().where(_jobs.c.number.in_(some)))
        return len(old)

    # ------------------------------------------------------------------ deployments

    def deploy(self, number: int, body: bytes, now: float) -> None:
        """Keep what jobs are to be ordered for, under a number that nobody can guess.

        Raises:
            StorageFull: there is no space.
        """
        values = {"number": number, "queue": self.queue, "created": now, "bytes": len(body), "body": body}
        with self._begin() as connection:
            connection.execute(_deployments.insert().values(values))

    def deployment(self, number: int) -> bytes | None:
        """Return what was deployed under a number."""
        this = (_deployments.c.queue == self.queue) & (_deployments.c.number == number)
        with self._begin() as connection:
            found: bytes | None = connection.scalar(sa.select(_deployments.c.body).where(this))
        return found

    def forget_deployments(self, keep: int, keep_bytes: int) -> None:
        """Remove all but the newest deployments: so many, and so many bytes."""
        mine = _deployments.c.queue == self.queue
        newest = sa.select(_deployments.c.number, _deployments.c.bytes).where(mine)
        with self._begin() as connection:
            rows = connection.execute(newest.order_by(_deployments.c.created.desc())).all()
            sizes = itertools.accumulate(row.bytes for row in rows)
            old = [
                row.number
                for k, (row, size) in enumerate(zip(rows, sizes, strict=True))
                if k >= keep or size > keep_bytes
            ]
            for some in (old[k : k + 500] for k in range(0, len(old), 500)):
                connection.execute(_deployments.delete().where(_deployments.c.number.in_(some)))

    # ------------------------------------------------------------------ reading

    def find(self, job_id: str, owner: str) -> JobRecord | None:
        """Return an owner's job by its id."""
        return self._one((_jobs.c.id == job_id) & (_jobs.c.owner == owner))

    def find_number(self, number: int, owner: str) -> JobRecord | None:
        """Return an owner's job by its number."""
        return self._one((_jobs.c.number == number) & (_jobs.c.owner == owner))

    def find_key(self, key: str, owner: str) -> JobRecord | None:
        """Return an owner's job by its idempotency key."""
        return self._one((_jobs.c.idempotency_key == key) & (_jobs.c.owner == owner))

    def _one(self, condition: Any) -> JobRecord | None:  # noqa: ANN401 - an expression of SQLAlchemy's
        with self._begin() as connection:
            row = connection.execute(_SELECT.where((_jobs.c.queue == self.queue) & condition)).one_or_none()
        return None if row is None else _record(row)

    def page(self, owner: str, state: JobState | None, before: int | None, limit: int) -> list[JobRecord]:
        """Return an owner's jobs, the newest first; ``before`` is the number where the last page ended."""
        query = _SELECT.where((_jobs.c.queue == self.queue) & (_jobs.c.owner == owner))
        if state is not None:
            query = query.where(_jobs.c.state == state)
        if before is not None:
            query = query.where(_jobs.c.number < before)
        with self._begin() as connection:
            return [_record(row) for row in connection.execute(query.order_by(_jobs.c.number.desc()).limit(limit))]

    def answers(self, number: int) -> list[StoredAnswer | None]:
        """Return the answer of every circuit of a job, ``None`` where there is none."""
        query = sa.select(_circuits.c.status, _circuits.c.answer).where(_circuits.c.job == number)
        with self._begin() as connection:
            rows = connection.execute(query.order_by(_circuits.c.position)).all()
        return [None if status is None else StoredAnswer(status, answer) for status, answer in rows]

    def answered(self, number: int) -> int:
        """Return how many circuits of a job have an answer."""
        query = sa.select(sa.func.count()).where((_circuits.c.job == number) & _circuits.c.status.is_not(None))
        with self._begin() as connection:
            return int(connection.scalar(query) or 0)

    def request(self, number: int, position: int) -> bytes:
        """Return the request of one circuit of a job."""
        this = (_circuits.c.job == number) & (_circuits.c.position == position)
        with self._begin() as connection:
            found: bytes = connection.execute(sa.select(_circuits.c.request).where(this)).scalar_one()
        return found

    def requests(self, number: int) -> list[bytes]:
        """Return the request of every circuit of a job."""
        query = sa.select(_circuits.c.request).where(_circuits.c.job == number).order_by(_circuits.c.position)
        with self._begin() as connection:
            return list(connection.scalars(query))

    def unfinished(self) -> list[Unfinished]:
        """Return the jobs that have not ended, the oldest first."""
        mine = (_jobs.c.queue == self.queue) & _jobs.c.state.in_(_UNENDED)
        with self._begin() as connection:
            records = [_record(row) for row in connection.execute(_SELECT.where(mine).order_by(_jobs.c.number))]
            found = []
            for record in records:
                rows = connection.execute(
                    sa.select(_circuits.c.position, _circuits.c.attempts).where(
                        (_circuits.c.job == record.number) & _circuits.c.status.is_(None)
                    )
                )
                found.append(Unfinished(record, {row.position: row.attempts for row in rows}))
        return found

    def failed(self, number: int) -> bool:
        """Say whether a circuit of a job was answered with an error."""
        query = sa.select(sa.func.count()).where((_circuits.c.job == number) & (_circuits.c.status != _OK))
        with self._begin() as connection:
            return bool(connection.scalar(query))


# Statements on the way of every job, built once: building one takes longer than running it.
_this_job = _jobs.c.number == sa.bindparam("this_job")
_this_circuit = (_circuits.c.job == sa.bindparam("this_job")) & (_circuits.c.position == sa.bindparam("this_position"))
_open_job = _this_job & _jobs.c.state.in_([str(state) for state in _UNENDED])
_grown = _jobs.c.bytes + sa.bindparam("size")

_ADD = _jobs.insert()
_ADD_CIRCUITS = _circuits.insert()
_ATTEMPT = _circuits.update().where(_this_circuit).values(attempts=_circuits.c.attempts + 1)
_START = (
    _jobs.update()
    .where(_this_job & (_jobs.c.state == str(JobState.QUEUED)))
    .values(state=str(JobState.RUNNING), started=sa.bindparam("now"))
)
_ANSWER = (
    _circuits.update()
    .where(_this_circuit & _circuits.c.status.is_(None) & sa.exists().where(_open_job))
    .values(status=sa.bindparam("now_status"), answer=sa.bindparam("body"))
)
_GROW = _jobs.update().where(_open_job).values(bytes=_grown)
_END = _jobs.update().where(_open_job).values(bytes=_grown, state=sa.bindparam("now_state"), ended=sa.bindparam("now"))

_COLUMNS = [column.name for column in _jobs.columns if column.name not in {"number", "queue", "bytes"}]
_SELECT = sa.select(*[_jobs.c[name] for name in _COLUMNS], _jobs.c.number)


def _record(row: Any) -> JobRecord:  # noqa: ANN401 - a row of _SELECT
    values = row._asdict()
    return JobRecord(**{**values, "state": JobState(values["state"])})


# ---------------------------------------------------------------------- the database


def _engine(url: str) -> Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return sa.create_engine(parsed, pool_pre_ping=True)
        in_memory = parsed.database in {None, "", ":memory:"}
        if not in_memory:
            file = Path(str(parsed.database)).absolute()
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(mode=0o600)  # circuits are in it; SQLite's other files get its mode
        options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {}
        engine = sa.create_engine(parsed, connect_args={"check_same_thread": False, "timeout": 10}, **options)
    except (SQLAlchemyError, ImportError, OSError) as exc:
        raise JobStoreError(f"cannot use the job database {_shown(url)}: {exc}", url=_shown(url)) from exc
    sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    """Keep what was committed when the process is killed; a power failure may cost the last moments."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=OFF"):
        connection.execute(f"PRAGMA {pragma}")


@contextlib.contextmanager
def _exclusively(engine: Engine, queue: str, wait_s: float) -> Iterator[None]:
    """Hold the database for one server; a server that is killed lets go by that."""
    if engine.dialect.name == "postgresql":
        with _postgresql_lock(engine, queue, wait_s):
            yield
        return
    path = engine.url.database
    if engine.dialect.name != "sqlite" or path in {None, "", ":memory:"}:
        yield
        return
    lock = Path(f"{path}.lock")
    with lock.open("ab") as file:
        lock.chmod(0o600)
        _wait_for(lambda: _flock(file.fileno()), wait_s, str(path))
        yield


def _flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _postgresql_lock(engine: Engine, queue: str, wait_s: float) -> Iterator[None]:
    key = zlib.crc32(f"simulator-gateway:{queue}".encode())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        lock = sa.select(sa.func.pg_try_advisory_lock(key))
        _wait_for(lambda: bool(connection.scalar(lock)), wait_s, f"{queue!r} in {_shown(str(engine.url))}")
        yield


def _wait_for(taken: Any, wait_s: float, what: str) -> None:  # noqa: ANN401 - a function
    give_up = time.monotonic() + wait_s
    while not taken():
        if time.monotonic() > give_up:
            raise JobStoreError(
                f"another server uses the job database {what}: stop it, or give this one another database"
            )
        time.sleep(0.05)


@contextlib.contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turn what a database raises into our errors; the one place that does."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as exc:
        said = str(exc.orig)
        if "full" in said.lower() or "no space" in said.lower():
            raise StorageFull(f"the job database is full: {said}") from exc
        raise JobStoreError(f"the job database failed: {said}", url=_shown(url)) from exc
    except SQLAlchemyError as exc:
        raise JobStoreError(f"the job database failed: {exc}", url=_shown(url)) from exc
    except OSError as exc:
        raise JobStoreError(f"cannot use the job database: {exc}", url=_shown(url)) from exc


def _shown(url: str) -> str:
    """Return a URL without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(not a database URL)"
