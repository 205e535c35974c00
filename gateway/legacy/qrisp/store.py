"""Keeps deployments in the job database, so that clients can order jobs for them after a restart too."""

from __future__ import annotations

import itertools
import secrets

import sqlalchemy as sa

from gateway.jobs.clock import SteadyClock
from gateway.jobs.store import JobStore

NUMBER_END = 2**53
"""Every JSON parser reads numbers below this exactly."""

MAX_DEPLOYMENTS = 1000
MAX_BYTES = 2**28
_FORGET_EVERY = 16
_AT_ONCE = 500

_deployments = sa.table(
    "deployments", *map(sa.column, ("number", "queue", "created", "bytes", "body"))
)  # the first step of gateway.jobs.migrations creates it


class DeploymentStore:
    """Keeps only the newest deployments, since clients order jobs at once, and anybody may deploy.

    Args:
        store: the job database of the server.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._clock = SteadyClock()
        self._additions = itertools.count(1)

    def add(self, body: bytes) -> int:
        """Write a deployment and return its number, which nobody can guess.

        Raises:
            StorageFull, JobStoreError: the deployment could not be written.
        """
        number = secrets.randbelow(NUMBER_END)
        values = {
            "number": number,
            "queue": self._store.queue,
            "created": self._clock.now(),
            "bytes": len(body),
            "body": body,
        }
        with self._store.transaction() as connection:
            connection.execute(_deployments.insert().values(values))
        if next(self._additions) % _FORGET_EVERY == 0:
            self.forget(MAX_DEPLOYMENTS, MAX_BYTES)
        return number

    def get(self, number: int) -> bytes | None:
        """Return a deployment, ``None`` if it is not kept any more."""
        this = (_deployments.c.queue == self._store.queue) & (_deployments.c.number == number)
        with self._store.transaction() as connection:
            body: bytes | None = connection.scalar(sa.select(_deployments.c.body).where(this))
        return body

    def forget(self, keep: int, keep_bytes: int) -> None:
        """Remove all but the newest ``keep`` deployments, and of these the oldest beyond ``keep_bytes``."""
        newest = (
            sa.select(_deployments.c.number, _deployments.c.bytes)
            .where(_deployments.c.queue == self._store.queue)
            .order_by(_deployments.c.created.desc())
        )
        with self._store.transaction() as connection:
            rows = connection.execute(newest).all()
            sizes = itertools.accumulate(row.bytes for row in rows)
            old = [
                row.number
                for k, (row, size) in enumerate(zip(rows, sizes, strict=True))
                if k >= keep or size > keep_bytes
            ]
            for some in (old[k : k + _AT_ONCE] for k in range(0, len(old), _AT_ONCE)):
                connection.execute(_deployments.delete().where(_deployments.c.number.in_(some)))
