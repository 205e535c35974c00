"""Keeps deployments in the job database, so that clients can order jobs for them after a restart too.

Clients send deployments without a token, so what is kept of them has three bounds: number, bytes and age.
"""

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
MAX_AGE_S = 86_400.0
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

    def add(self, body: bytes) -> int:
        """Write a deployment and return its number, which nobody can guess; what is beyond the bounds is forgotten.

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
        self.forget(MAX_DEPLOYMENTS, MAX_BYTES, MAX_AGE_S)
        return number

    def get(self, number: int) -> bytes | None:
        """Return a deployment, ``None`` if it is not kept any more."""
        this = (_deployments.c.queue == self._store.queue) & (_deployments.c.number == number)
        this &= _deployments.c.created > self._clock.now() - MAX_AGE_S
        with self._store.reading() as connection:
            body: bytes | None = connection.scalar(sa.select(_deployments.c.body).where(this))
        return body

    def forget(self, keep: int, keep_bytes: int, keep_s: float) -> None:
        """Remove all but the newest ``keep`` deployments, and of these the oldest beyond the bytes and the age."""
        since = self._clock.now() - keep_s
        newest = (
            sa.select(_deployments.c.number, _deployments.c.bytes, _deployments.c.created)
            .where(_deployments.c.queue == self._store.queue)
            .order_by(_deployments.c.created.desc())
        )
        with self._store.transaction() as connection:
            rows = connection.execute(newest).all()
            sizes = itertools.accumulate(row.bytes for row in rows)
            old = [
                row.number
                for k, (row, size) in enumerate(zip(rows, sizes, strict=True))
                if k >= keep or size > keep_bytes or row.created <= since
            ]
            for some in (old[k : k + _AT_ONCE] for k in range(0, len(old), _AT_ONCE)):
                connection.execute(_deployments.delete().where(_deployments.c.number.in_(some)))
