"""Connects to a database of jobs: sets the connection up, locks the database for one server, translates its errors."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from gateway.errors import JobStoreError, StorageFull

_FULL = {"SQLITE_FULL", "53100"}
"""The codes by which SQLite and PostgreSQL report that no space is left."""

_SQLITE = b"SQLite format 3\0"
"""The beginning of every file of SQLite."""

_UNUSABLE = (SQLAlchemyError, ImportError, OSError, RuntimeError, ValueError, TypeError)
"""What SQLAlchemy and drivers raise for a URL with which they cannot do anything."""

_POLL_S = 0.05

_BUSY_S = 5.0
"""Seconds that a statement waits for another process that has locked an SQLite file."""

_CONNECT_S = 3
"""Seconds that a connection to PostgreSQL may take."""

_POOL_WAIT_S = 10.0
"""Seconds that a thread waits for a connection that others use."""

_MOST_READERS = 59
"""Connections beyond the five of the pool that read an SQLite file at the same time; they are closed after use."""


def engine(url: str, *, durable: bool = True) -> Engine:
    """Return an engine of SQLAlchemy's that will connect to a database.

    Args:
        url: the database; the path of an SQLite file is followed to the file itself, through symbolic links.
        durable: whether what is committed to an SQLite file survives a power failure.

    Raises:
        JobStoreError: the URL is malformed, its driver is not installed, or its path cannot be that of a database.
    """
    try:
        address = sa.make_url(url)
        if address.get_backend_name() != "sqlite":
            return sa.create_engine(address, pool_pre_ping=True, pool_timeout=_POOL_WAIT_S, **_network_limits(address))
        if address.database in {None, "", ":memory:"}:
            made = sa.create_engine(address, connect_args={"check_same_thread": False}, poolclass=StaticPool)
        else:
            made = _file_engine(address, public_url(url))
    except JobStoreError:
        raise
    except _UNUSABLE as exc:
        raise JobStoreError(f"cannot use the job database {public_url(url)}: {exc}", url=public_url(url)) from exc
    sa.event.listen(made, "connect", partial(_set_up_sqlite, "FULL" if durable else "NORMAL"))
    return made


def _file_engine(address: sa.URL, url: str) -> Engine:
    path = str(address.database)
    if path.startswith("file:"):
        raise JobStoreError(f"cannot use the job database {url}: name the file by its path, not by a URI", url=url)
    file = Path(path).resolve()
    _refuse_other_files(file, url)
    return sa.create_engine(
        address.set(database=str(file)),
        connect_args={"check_same_thread": False, "timeout": _BUSY_S},
        pool_timeout=_POOL_WAIT_S,
        max_overflow=_MOST_READERS,
    )


def _network_limits(address: sa.URL) -> dict[str, Any]:
    """Return the options by which an unreachable host is an error within seconds, and no wait without an end."""
    if address.get_driver_name() not in {"psycopg", "psycopg2"}:
        return {}
    limits = {
        "connect_timeout": _CONNECT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,  # milliseconds
    }
    return {"connect_args": {name: value for name, value in limits.items() if name not in address.query}}


def _refuse_other_files(file: Path, url: str) -> None:
    """Refuse what cannot be the file of a database, before anything is written beside it.

    The file is not opened here: when any descriptor of it is closed, this process loses the locks that SQLite holds.

    Raises:
        JobStoreError: the path is a folder, a device, a pipe, or one of several names of the same file.
    """
    for path in (file, *(Path(f"{file}{suffix}") for suffix in ("-wal", "-shm", "-journal"))):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(status.st_mode):
            raise JobStoreError(f"cannot use the job database {url}: {path} is a folder; name a file in it", url=url)
        if not stat.S_ISREG(status.st_mode):
            raise JobStoreError(f"cannot use the job database {url}: {path} is not a regular file", url=url)
        if status.st_nlink > 1 or _is_mounted(path):
            raise JobStoreError(
                f"cannot use the job database {url}: {path} has more than one name (a hard link, or a mount of the "
                "file alone), and a server that uses another one would not see all jobs: leave it one name, or mount "
                "its folder",
                url=url,
            )


def _is_mounted(file: Path) -> bool:
    """Say whether a file itself, and not only its folder, is mounted at its path."""
    try:
        mounts = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:  # a system without such a list, or without mounts of files
        return False
    escaped = os.fsencode(file).replace(b"\\", b"\\134").replace(b" ", b"\\040")
    return any(mount.split(b" ", 5)[4] == escaped for mount in mounts)


def _refuse_other_content(file: Path, url: str) -> None:
    with file.open("rb") as content:
        beginning = content.read(len(_SQLITE))
    if beginning not in {b"", _SQLITE}:
        raise JobStoreError(f"the job database {url} failed: file is not a database", url=url)


def _make_folder(folder: Path) -> None:
    """Make a folder, and have it survive a power failure: a file is lost together with the folder that it is in."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    _sync(folder.parent)


def _make_file(file: Path) -> None:
    """Make a file that only its user may read, for circuits are in it; SQLite gives its other files the same mode."""
    if not file.exists():
        file.touch(mode=0o600)
        _sync(file.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_up_sqlite(synchronous: str, connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    """Choose settings by which a killed process loses nothing that was committed."""
    try:
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=OFF"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # SQLAlchemy drops a connection whose set-up fails, and leaves it open
        raise


@contextlib.contextmanager
def exclusively(engine: Engine, queue: str, wait_s: float) -> Iterator[Connection | None]:
    """Lock the database for one server; the lock ends with the process, even with one that is killed.

    The lock of an SQLite file is a file beside it. Whatever path leads to the database leads to the same lock, because
    links were followed, and a file with several names is refused.

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
    file = Path(str(path))
    _make_folder(file.parent)
    with _file_lock(Path(f"{path}.lock"), wait_s, _in_use(str(path))) as lock:
        try:
            if file.exists():
                _refuse_other_content(file, public_url(engine.url))
        except JobStoreError:
            if lock.is_new:
                lock.path.unlink()  # nothing is left beside a file that is not ours
            raise
        _make_file(file)
        yield None


class _Lock(NamedTuple):
    path: Path
    is_new: bool


@contextlib.contextmanager
def _file_lock(path: Path, wait_s: float, message: str) -> Iterator[_Lock]:
    """Hold a lock that is a file, made if there is none.

    Raises:
        JobStoreError: another process holds it still after ``wait_s``.
    """
    is_new = not path.exists()
    deadline = time.monotonic() + wait_s
    while True:
        # Without waiting for a reader, which a pipe in its place would do.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            wait_for(lambda: _flock(descriptor), deadline - time.monotonic(), message)  # noqa: B023 - called at once
            if not _is_at(descriptor, path):  # somebody has removed it meanwhile, and others would lock a new one
                continue
            yield _Lock(path, is_new)
            return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Say whether a descriptor is of the file that is at a path now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _postgresql_lock(engine: Engine, queue: str, wait_s: float) -> Iterator[Connection]:
    alone = sa.create_engine(engine.url, poolclass=NullPool, **_network_limits(engine.url))
    with alone.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
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
