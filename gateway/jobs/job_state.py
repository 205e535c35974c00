"""Jobs in memory: those that have not ended, and those that ended a moment ago."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from gateway.execution.pool import Stop
from gateway.jobs.store import JobRecord, JobStore, StoredAnswer

KEEP_IN_MEMORY_BYTES = 64 * 2**10
"""Requests of a job, and answers of one, that are kept at hand."""

_KEEP_IN_MEMORY_JOBS = 64


class ActiveJob:
    """A job that has not ended.

    Args:
        record: what is known of it; replaced when it changes, with ``lock`` held.
        open_circuits: positions without an answer.
        token: of its caller, for functions that take one.
        parts: the requests of its circuits, if they are kept at hand.
        failed: whether a circuit was answered with an error.
    """

    def __init__(
        self,
        record: JobRecord,
        open_circuits: set[int],
        token: str | None,
        *,
        parts: list[bytes] | None = None,
        failed: bool = False,
    ) -> None:
        self.record = record
        self.parts = parts
        self.open = open_circuits
        self.token = token
        self.failed = failed
        self.stops: dict[int, Stop] = {}
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.queued_at = time.monotonic()

    def request(self, position: int, store: JobStore) -> bytes:
        """Return the request of a circuit, from memory if it is small enough to be kept there."""
        return self.parts[position] if self.parts is not None else store.request(self.record.number, position)


class RecentJobs:
    """Small jobs that ended a moment ago: whoever waits for one need not wait for the database too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[JobRecord, list[StoredAnswer | None]]] = OrderedDict()

    def add(self, record: JobRecord, answers: list[StoredAnswer | None]) -> None:
        """Remember a job, and forget an older one."""
        if sum(len(answer.body) for answer in answers if answer) > KEEP_IN_MEMORY_BYTES:
            return
        with self._lock:
            self._kept[record.id] = record, answers
            while len(self._kept) > _KEEP_IN_MEMORY_JOBS:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all: some of them may have been removed."""
        with self._lock:
            self._kept.clear()

    def record(self, job_id: str) -> JobRecord | None:
        """Return a job that is remembered."""
        job = self._kept.get(job_id)
        return None if job is None else job[0]

    def answers(self, job_id: str) -> list[StoredAnswer | None] | None:
        """Return its answers."""
        job = self._kept.get(job_id)
        return None if job is None else job[1]
