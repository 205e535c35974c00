"""Connections to a database of jobs: set up, locked for one server, and their errors as ours."""

from __future__ import annotations

import contextlib
import fcntl
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from gateway.errors import JobStoreError, StorageFull


def engine(url: str) -> Engine:
    """Return what connects to a database.

    Raises:
        JobStoreError: the URL is none, its driver is not installed, or its folder cannot be made.
    """
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
        raise JobStoreError(f"cannot use the job database {shown(url)}: {exc}", url=shown(url)) from exc
    sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
    """Keep what was committed when the process is killed; a power failure may cost the last moments."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=OFF"):
        connection.execute(f"PRAGMA {pragma}")


@contextlib.contextmanager
def exclusively(engine: Engine, queue: str, wait_s: float) -> Iterator[None]:
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
        _wait_for(lambda: bool(connection.scalar(lock)), wait_s, f"{queue!r} in {shown(str(engine.url))}")
        yield


def _wait_for(taken: Callable[[], bool], wait_s: float, what: str) -> None:
    give_up = time.monotonic() + wait_s
    while not taken():
        if time.monotonic() > give_up:
            raise JobStoreError(
                f"another server uses the job database {what}: stop it, or give this one another database"
            )
        time.sleep(0.05)


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what a database raises into our errors; the one place that does."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as exc:
        said = str(exc.orig)
        if "full" in said.lower() or "no space" in said.lower():
            raise StorageFull(f"the job database is full: {said}") from exc
        raise JobStoreError(f"the job database failed: {said}", url=shown(url)) from exc
    except SQLAlchemyError as exc:
        raise JobStoreError(f"the job database failed: {exc}", url=shown(url)) from exc
    except OSError as exc:
        raise JobStoreError(f"cannot use the job database: {exc}", url=shown(url)) from exc


def shown(url: str) -> str:
    """Return a URL without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(not a database URL)"
