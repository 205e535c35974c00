"""Holds a job database for one server, from its start to its end."""

from __future__ import annotations

import contextlib
import logging
import threading

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.jobs import migrations
from gateway.jobs.database import exclusively
from gateway.jobs.schema import Migrations, bring_up_to_date

log = logging.getLogger("gateway")


class Hold:
    """A database that no other server uses, at the present schema.

    The lock of a file lasts as long as this process. PostgreSQL forgets a lock when the connection that holds it ends,
    as it does when its server is started again: then the lock is taken again, before anything is read or written.

    Args:
        engine: connects to the database.
        queue: name of what is served.
        wait_s: seconds to wait for an earlier server to release the database.
        plan: the migrations of the database.

    Raises:
        JobStoreError: another server holds it, or it cannot be used.
    """

    def __init__(self, engine: Engine, queue: str, wait_s: float, plan: Migrations = migrations) -> None:
        self._engine = engine
        self._queue = queue
        self._plan = plan
        self._lock = threading.Lock()
        self._locks = contextlib.ExitStack()
        self._keeper: Connection | None = None
        self._is_doubtful = False
        try:
            self._take(wait_s)
        except BaseException:
            engine.dispose()  # before the lock is released: the next server must find nobody at the file
            self._locks.close()
            raise
        sa.event.listen(engine, "connect", lambda *_: self.doubt())

    def doubt(self) -> None:
        """Have the next :meth:`confirm` look whether the lock is still held: a connection had to be made anew."""
        self._is_doubtful = self._keeper is not None

    def confirm(self) -> None:
        """Take the lock again if it was lost.

        Raises:
            JobStoreError: another server has taken it.
            SQLAlchemyError: the database cannot be used.
        """
        if self._is_doubtful:
            with self._lock:
                self._confirm()

    def close(self) -> None:
        """Release the database; nobody uses it any more."""
        with self._lock:
            self._locks.close()

    def _take(self, wait_s: float) -> None:
        self._keeper = self._locks.enter_context(exclusively(self._engine, self._queue, wait_s))
        bring_up_to_date(self._engine, self._keeper, self._queue, wait_s, self._plan)

    def _confirm(self) -> None:
        if self._is_doubtful and not self._is_held():
            log.warning("the lock of the job database was lost, and is taken again")
            self._locks.close()
            self._take(0)
        self._is_doubtful = False

    def _is_held(self) -> bool:
        try:
            return self._keeper is not None and self._keeper.scalar(sa.select(1)) == 1
        except SQLAlchemyError:
            return False
