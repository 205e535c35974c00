"""Connects to a database of jobs: sets the connection up, locks the database for one server, translates its errors."""

from __future__ import annotations

import contextlib
import fcntl
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from gateway.errors import JobStoreError, StorageFull

_FULL = {"SQLITE_FULL", "53100"}
"""The codes by which SQLite and PostgreSQL report that no space is left."""

_SQLITE = b"SQLite format 3\0"
"""The beginning of every file of SQLite."""

_POLL_S = 0.05


def engine(url: str) -> Engine:
    """Return an engine of SQLAlchemy's that connects to a database.

    Raises:
        JobStoreError: the URL is malformed, its driver is not installed, or its folder cannot be made.
    """
    try:
        address = sa.make_url(url)
        if address.get_backend_name() != "sqlite":
            return sa.create_engine(address, pool_pre_ping=True)
        in_memory = address.database in {None, "", ":memory:"}
        if not in_memory:
            file = Path(str(address.database)).absolute()
            _refuse_other_files(file, public_url(url))
            _make_file(file)
        options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {}
        engine = sa.create_engine(address, connect_args={"check_same_thread": False, "timeout": 10}, **options)
    except (SQLAlchemyError, ImportError, OSError) as exc:
        raise JobStoreError(f"cannot use the job database {public_url(url)}: {exc}", url=public_url(url)) from exc
    sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _refuse_other_files(file: Path, url: str) -> None:
    """Refuse what is no file of a database, before anything is written beside it.

    Raises:
        JobStoreError: the path is a folder, a device, a pipe or a file of something else.
    """
    if not file.exists():
        return
    if file.is_dir():
        raise JobStoreError(f"cannot use the job database {url}: {file} is a folder; name a file in it", url=url)
    if not file.is_file():
        raise JobStoreError(f"cannot use the job database {url}: {file} is not a regular file", url=url)
    with file.open("rb") as content:
        beginning = content.read(len(_SQLITE))
    if beginning not in {b"", _SQLITE}:
        raise JobStoreError(f"the job database {url} failed: file is not a database", url=url)


def _make_file(file: Path) -> None:
    """Make a file that only its user may read, for circuits are in it; SQLite gives its other files the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        file.touch(mode=0o600)


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    """Choose settings by which a killed process loses nothing that was committed; a power failure may."""
    try:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=OFF"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # SQLAlchemy drops a connection whose set-up fails, and leaves it open
        raise


@contextlib.contextmanager
def exclusively(engine: Engine, queue: str, wait_s: float) -> Iterator[Connection | None]:
    """Lock the database for one server; the lock ends with the process, even with one that is killed.

    Yields:
        The connection that holds PostgreSQL's locks; ``None`` for other databases.
    """
    if engine.dialect.name == "postgresql":
        with _postgresql_lock(engine, queue, wait_s) as keeper:
            yield keeper
        return
    path = engine.url.database
    if engine.dialect.name != "sqlite" or path in {None, "", ":memory:"}:
        yield None
        return
    lock = Path(f"{path}.lock")
    with lock.open("ab") as file:
        lock.chmod(0o600)
        wait_for(lambda: _flock(file.fileno()), wait_s, _in_use(str(path)))
        yield None


def _flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _postgresql_lock(engine: Engine, queue: str, wait_s: float) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        lock = sa.select(sa.func.pg_try_advisory_lock(queue_key(queue)))
        wait_for(lambda: bool(connection.scalar(lock)), wait_s, _in_use(f"{queue!r} in {public_url(engine.url)}"))
        yield connection


def queue_key(queue: str) -> int:
    """Return the number of the lock that PostgreSQL holds for a queue."""
    return zlib.crc32(f"simulator-gateway:{queue}".encode())


def _in_use(what: str) -> str:
    return f"another server uses the job database {what}: stop it, or give this one another database"


def wait_for(condition: Callable[[], bool], wait_s: float, message: str) -> None:
    """Wait until a condition holds.

    Raises:
        JobStoreError: it does not hold after ``wait_s``; the message says what to do.
    """
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            raise JobStoreError(message)
        time.sleep(_POLL_S)


@contextlib.contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Translate the errors of a database into ours; nothing else does that."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as exc:
        raise _translation(exc.orig, public_url(url)) from exc
    except SQLAlchemyError as exc:
        raise JobStoreError(f"the job database {public_url(url)} failed: {exc}", url=public_url(url)) from exc
    except OSError as exc:
        raise JobStoreError(f"cannot use the job database {public_url(url)}: {exc}", url=public_url(url)) from exc


def _translation(error: BaseException | None, url: str) -> JobStoreError:
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if code in _FULL or "no space" in str(error).lower():
        return StorageFull(f"the job database is full ({error}): make room for {url}, then try again", url=url)
    if code.startswith("SQLITE_READONLY"):
        return JobStoreError(
            f"the job database {url} cannot be written ({error}): let the server's user write the file and its folder, "
            "or give the server another database",
            url=url,
        )
    return JobStoreError(f"the job database {url} failed: {error}", url=url)


def public_url(url: str | sa.URL) -> str:
    """Return a URL without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(not a database URL)"
