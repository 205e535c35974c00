"""Writes to an SQLite file: transactions of several threads at the same time reach the disk together.

A commit that survives a power failure waits for the disk, and SQLite has one writer. So threads take turns on one
connection, each within a savepoint of its own, and only the last one in the line commits, for all of them: one wait for
the disk, however many threads there are. A thread that is alone commits at once, and pays for nothing but its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from copy import copy

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import JobStoreError

_MOST_TOGETHER = 100
"""Transactions of one commit, so that the first of them does not wait for an endless line."""

_TURN_WITHIN_S = 10.0
"""Seconds that a thread waits for its turn; it comes late only when another process has locked the file."""

_LOOK_EVERY_S = 0.05


class _Group:
    """Transactions that are committed together, or not at all.

    Args:
        connection: the connection on which they are written.
        is_hasty: whether the commit does not wait for the disk, and so for no other transaction either.
    """

    def __init__(self, connection: Connection, *, is_hasty: bool) -> None:
        self.connection = connection
        self.is_hasty = is_hasty
        self.size = 0
        self.is_over = threading.Event()
        self.error: Exception | None = None


class GroupWriter:
    """Gives threads their turns to write, and commits what they wrote.

    Args:
        engine: connects to the file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._connections: dict[bool, Connection] = {}
        self._is_closed = False
        self._group: _Group | None = None

    @contextlib.contextmanager
    def transaction(self, *, is_hasty: bool = False) -> Iterator[Connection]:
        """Begin a transaction, which is on disk when the block has ended; one that fails is undone, and it alone.

        Transactions are not nested.

        Args:
            is_hasty: whether it need only survive the end of this process, not a power failure.

        Raises:
            JobStoreError: the turn of this thread did not come.
            SQLAlchemyError: the commit failed, and nothing of the group was written.
        """
        self._take_turn()
        failure: BaseException | None = None
        try:
            group = self._join(is_hasty=is_hasty)
            try:
                yield group.connection
            except BaseException as exc:  # noqa: BLE001 - raised below
                failure = exc
                self._undo(group)
            else:
                self._keep(group)
        finally:
            self._leave()
        # One that failed waits, too: the reason may be what another one wrote, which others see only from now on.
        self._wait(group)
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Wait for the turns that were taken, and close the connection."""
        with self._turn:
            self._is_closed = True
            self._commit()
            for is_hasty in (False, True):
                self._drop_connection(is_hasty=is_hasty)

    def _take_turn(self) -> None:
        with self._counting:
            self._waiting += 1
        try:
            if not self._turn.acquire(timeout=_TURN_WITHIN_S):
                raise JobStoreError(
                    f"the job database did not take what was to be written within {_TURN_WITHIN_S:g} s: try again later"
                )
        finally:
            with self._counting:
                self._waiting -= 1

    def _join(self, *, is_hasty: bool) -> _Group:
        """Begin a group, or a savepoint within the one that is there."""
        if self._is_closed:  # another server may own the database by now
            raise JobStoreError("the job database is closed")
        if self._group is None:
            is_hasty = is_hasty and not self._waiting
            connection = self._connections.get(is_hasty)
            if connection is None:
                connection = self._connections[is_hasty] = self._engine.connect()
                if is_hasty:
                    connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
                    connection.rollback()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._group = _Group(connection, is_hasty=is_hasty)
        elif self._group.size:
            self._group.connection.exec_driver_sql("SAVEPOINT member")
        return self._group

    def _keep(self, group: _Group) -> None:
        if group.size:
            group.connection.exec_driver_sql("RELEASE member")
        group.size += 1

    def _undo(self, group: _Group) -> None:
        """Undo what a block wrote that failed; SQLite may have undone the whole group before, as on a full disk."""
        if not group.size:
            self._end(None)
            self._roll_back(group)
            return
        if _in_transaction(group.connection):
            with contextlib.suppress(SQLAlchemyError):
                group.connection.exec_driver_sql("ROLLBACK TO member")
                group.connection.exec_driver_sql("RELEASE member")
                return
        self._end(
            JobStoreError("what was to be written was undone together with what another request wrote: try again")
        )

    def _leave(self) -> None:
        """Let the next thread have its turn; commit if there is none, or if the group is large."""
        try:
            group = self._group
            if group is not None and (group.is_hasty or not self._waiting or group.size >= _MOST_TOGETHER):
                self._commit()
        finally:
            self._turn.release()

    def _commit(self) -> None:
        if self._group is None:
            return
        error = None
        try:
            self._group.connection.commit()
        except SQLAlchemyError as exc:
            error = exc
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        """Tell the members of the group what became of it."""
        group, self._group = self._group, None
        if group is not None:
            if error is not None:
                self._roll_back(group)
            group.error = error
            group.is_over.set()

    def _roll_back(self, group: _Group) -> None:
        """Undo the transaction; a connection that keeps it all the same, as after a commit that failed, is dropped."""
        with contextlib.suppress(SQLAlchemyError):
            group.connection.rollback()
            if not _in_transaction(group.connection):
                return
        self._drop_connection(is_hasty=group.is_hasty)

    def _drop_connection(self, *, is_hasty: bool) -> None:
        connection = self._connections.pop(is_hasty, None)
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _wait(self, group: _Group) -> None:
        """Wait until a group is committed; commit it if nobody does, since who was to do it went away."""
        while not group.is_over.wait(_LOOK_EVERY_S):
            if self._turn.acquire(blocking=False):
                try:
                    if self._group is group:
                        self._commit()
                finally:
                    self._turn.release()
        if group.error is not None:
            raise copy(group.error) from group.error  # each thread raises an error of its own


def _in_transaction(connection: Connection) -> bool:
    return bool(connection.connection.dbapi_connection.in_transaction)  # type: ignore[union-attr]  # sqlite3's own
