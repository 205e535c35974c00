"""Brings a job database, or another one of ours, to the schema that this version knows, when it is opened.

The database says which schema it has. The missing steps run in one transaction: a kill, a full disk or a step that
fails leaves the database as it was, for this version and for the one before. A database of a newer schema is refused.
On SQLite the server's own lock keeps other servers away meanwhile. Servers that share a PostgreSQL database hold a
shared lock on its schema, and only a server that is alone changes it.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from gateway.errors import JobStoreError
from gateway.jobs import migrations
from gateway.jobs.database import public_url, queue_key, wait_for
from gateway.jobs.tables import versions
from gateway.version import __version__

_SCHEMA_KEY = zlib.crc32(b"simulator-gateway schema")
_SHARE_SCHEMA = sa.select(sa.func.pg_try_advisory_lock_shared(_SCHEMA_KEY))


class Version(NamedTuple):
    """The schema of a database, 0 if it has none yet, and the version of the gateway that wrote it, if known."""

    schema: int
    gateway: str = ""


class Migrations(Protocol):
    """A module of migrations, such as :mod:`gateway.jobs.migrations`."""

    @property
    def STEPS(self) -> tuple[migrations.Step, ...]:  # noqa: N802 - a constant of a module
        """The steps, each of which leads to the next schema."""

    @property
    def SCHEMA_1(self) -> sa.MetaData:  # noqa: N802 - as above
        """The tables as the first step makes them."""


def bring_up_to_date(
    engine: Engine, keeper: Connection | None, queue: str, wait_s: float, plan: Migrations = migrations
) -> None:
    """Migrate a database if its schema is older than ours.

    Args:
        engine: connects to the database.
        keeper: the connection that holds PostgreSQL's locks until the server ends; ``None`` for SQLite, whose
            database belongs to one server.
        queue: name of what is served.
        wait_s: seconds to wait for other servers to end, or to finish their migration.
        plan: the migrations of the database.

    Raises:
        JobStoreError: a newer version wrote the database, it holds tables of another program, or it has to be migrated
            while other servers use it.
    """
    if keeper is None:
        if _is_behind(engine, plan):
            _migrate(engine, plan)
        return
    where = public_url(engine.url)
    wait_for(
        lambda: _hold_schema(engine, keeper, queue, plan),
        wait_s,
        f"the job database {where} has to be brought to schema {len(plan.STEPS)}, but other servers use it or "
        "are changing it: stop them, then start this one again",
    )


def _hold_schema(engine: Engine, keeper: Connection, queue: str, plan: Migrations) -> bool:
    """Lock the schema against changes while this server lives; migrate first, if no other server uses the database."""
    if not keeper.scalar(_SHARE_SCHEMA):
        return False
    if not _is_behind(engine, plan):
        return True
    keeper.scalar(sa.select(sa.func.pg_advisory_unlock_shared(_SCHEMA_KEY)))
    if not keeper.scalar(sa.select(sa.func.pg_try_advisory_lock(_SCHEMA_KEY))):
        return False
    try:
        if _old_server_runs(keeper, queue):
            return False
        _migrate(engine, plan)
        return bool(keeper.scalar(_SHARE_SCHEMA))
    finally:
        keeper.scalar(sa.select(sa.func.pg_advisory_unlock(_SCHEMA_KEY)))


def _old_server_runs(keeper: Connection, queue: str) -> bool:
    """Say whether a server of schema 1 runs for another queue: it holds its queue, but not yet the schema."""
    if not sa.inspect(keeper).has_table("jobs"):
        return False
    for name in keeper.scalars(sa.text("SELECT DISTINCT queue FROM jobs")).all():
        if name == queue:
            continue
        if not keeper.scalar(sa.select(sa.func.pg_try_advisory_lock(queue_key(name)))):
            return True
        keeper.scalar(sa.select(sa.func.pg_advisory_unlock(queue_key(name))))
    return False


def _is_behind(engine: Engine, plan: Migrations) -> bool:
    """Say whether a database has to be migrated.

    Raises:
        JobStoreError: a newer version wrote it, or it is one of ours for something else.
    """
    with engine.connect() as connection:
        version = read_version(connection)
        if version.schema:
            _refuse_other_databases(connection, plan)
    if version.schema > len(plan.STEPS):
        writer = f"version {version.gateway}" if version.gateway else "a newer version"
        raise JobStoreError(
            f"the job database {public_url(engine.url)} was written by {writer} of the gateway and has schema "
            f"{version.schema}; this is version {__version__}, which knows schema {len(plan.STEPS)} and those "
            f"before it: start {writer}, or give this server another database",
            url=public_url(engine.url),
        )
    return version.schema < len(plan.STEPS)


def read_version(connection: Connection) -> Version:
    """Return the version that a database states."""
    if not sa.inspect(connection).has_table("schema_version"):
        return Version(0)
    newest = sa.text("SELECT * FROM schema_version ORDER BY version DESC LIMIT 1")
    row = connection.execute(newest).mappings().one_or_none()
    return Version(0) if row is None else Version(row["version"], row.get("gateway") or "")


def _refuse_other_databases(connection: Connection, plan: Migrations) -> None:
    """Refuse a database with a version that has none of the tables."""
    inspector = sa.inspect(connection)
    names = [name for name in plan.SCHEMA_1.tables if name != versions.name]
    if not any(map(inspector.has_table, names)):
        raise JobStoreError(
            f"the database {public_url(connection.engine.url)} is the gateway's, but for something else: it has no "
            f"table {names[0]!r}; give the two a database each",
            url=public_url(connection.engine.url),
        )


def _migrate(engine: Engine, plan: Migrations) -> None:
    with _transaction(engine) as connection:
        schema = read_version(connection).schema
        if schema == 0:
            _refuse_other_tables(connection, plan)
        for step in plan.STEPS[schema:]:
            step(connection)
        connection.execute(versions.insert().values(version=len(plan.STEPS), gateway=__version__))


@contextlib.contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that covers changes of tables on SQLite too, whose driver begins none for them."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # else replacing a table deletes rows that refer to it
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            _check_references(connection)
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        raise JobStoreError(
            f"{len(orphans)} rows of the job database {public_url(connection.engine.url)} refer to jobs "
            "that are not in it, so it was left as it is: give this server another database",
            url=public_url(connection.engine.url),
        )


def _refuse_other_tables(connection: Connection, plan: Migrations) -> None:
    """Refuse a database without a version whose tables are not those of schema 1."""
    inspector = sa.inspect(connection)
    for table in plan.SCHEMA_1.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        if {column["name"] for column in inspector.get_columns(table.name)} != set(table.columns.keys()):
            raise JobStoreError(
                f"the database {public_url(connection.engine.url)} has a table {table.name!r} that is not "
                "the gateway's: give the jobs a database of their own",
                url=public_url(connection.engine.url),
            )
