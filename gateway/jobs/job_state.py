"""Keeps jobs in memory: active ones, and small ones that ended a moment ago."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from gateway.execution.content import size_of, whole
from gateway.execution.pool import Stop
from gateway.jobs.splitting import alone
from gateway.jobs.store import JobRecord, JobStore, StoredAnswer

KEEP_IN_MEMORY_BYTES = 64 * 2**10
"""The requests of a job stay in memory up to this size, and so do the answers of one that has ended."""

_KEEP_IN_MEMORY_JOBS = 64


class ActiveJob:
    """A job that is queued or running.

    Args:
        record: what the store keeps of the job; whoever holds ``lock`` replaces it when the job changes. Nobody
            waits for the database while they hold it.
        open_circuits: positions of the circuits that have no answer yet.
        token: the caller's token, for functions that take one.
        parts: the requests of the circuits, if they are small enough to be kept in memory.
        failed: whether a circuit was answered with an error.
        given_up: position of a circuit that is not run any more -> its answer, which is yet to be written.

    Attributes:
        run_sizes: the position of the first point of each run of several points -> how many they are. All other
            circuits and points are runs for themselves.
    """

    def __init__(
        self,
        record: JobRecord,
        open_circuits: set[int],
        token: str | None,
        *,
        parts: list[bytes] | None = None,
        failed: bool = False,
        given_up: dict[int, StoredAnswer] | None = None,
    ) -> None:
        self.record = record
        self.parts = parts
        self.run_sizes: dict[int, int] = {}
        self.open = open_circuits
        self.token = token
        self.failed = failed
        self.given_up = given_up or {}
        self.stops: dict[int, Stop] = {}
        self.lock = threading.Lock()
        self.writing = threading.Lock()
        """Held while one answer is written, so that the last one knows that it is the last."""
        self.answered = threading.Condition()
        """Notified when a circuit has its answer, and when the job has ended."""
        self.ended = threading.Event()
        self.stored = threading.Event()
        """Set once the database has the end of a job that was cancelled."""
        self.queued_at = time.monotonic()

    def end(self) -> None:
        """Let those go on who wait for the end of the job, or for an answer."""
        self.ended.set()
        self.tell()

    def tell(self) -> None:
        """Let those look again who wait for an answer."""
        with self.answered:
            self.answered.notify_all()

    def wait_for_answer(self, position: int, within_s: float) -> None:
        """Wait until a circuit has its answer or the job has ended, but not longer than ``within_s``."""
        with self.answered:
            self.answered.wait_for(lambda: position not in self.open or self.ended.is_set(), within_s)

    def runs(self) -> list[int]:
        """Return the position of each open run, which is that of its first point if it has several."""
        later = {k for begin, size in self.run_sizes.items() for k in range(begin + 1, begin + size)}
        return sorted(self.open - later)

    def points_of(self, position: int) -> range:
        """Return the positions whose answers the run at a position gives."""
        return range(position, position + self.run_sizes.get(position, 1))

    def request(self, position: int, store: JobStore) -> bytes:
        """Return the request of a run, from memory if it is small enough to be kept there."""
        if self.parts is not None:
            begin = next(k for k in range(position, -1, -1) if self.parts[k])
            request = self.parts[begin]
        else:
            begin, request = store.request(self.record.number, position)
        return request if position in self.run_sizes else alone(request, position - begin)


class RecentJobs:
    """Small jobs that ended a moment ago, so that those who wait for one need not wait for the database too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, tuple[JobRecord, list[StoredAnswer | None]]] = OrderedDict()

    def add(self, record: JobRecord, answers: list[StoredAnswer | None]) -> None:
        """Remember a job unless its answers are large, and forget the oldest one beyond the number of places."""
        if sum(size_of(answer.body) for answer in answers if answer) > KEEP_IN_MEMORY_BYTES:
            return
        answers = [answer and answer._replace(body=whole(answer.body)) for answer in answers]
        with self._lock:
            self._jobs[record.id] = record, answers
            while len(self._jobs) > _KEEP_IN_MEMORY_JOBS:
                self._jobs.popitem(last=False)

    def clear(self) -> None:
        """Forget all jobs, since the store may have removed some of them."""
        with self._lock:
            self._jobs.clear()

    def record(self, job_id: str) -> JobRecord | None:
        """Return the record of a job, ``None`` if the job is not remembered."""
        job = self._jobs.get(job_id)
        return None if job is None else job[0]

    def answers(self, job_id: str) -> list[StoredAnswer | None] | None:
        """Return the answers of a job, ``None`` if the job is not remembered."""
        job = self._jobs.get(job_id)
        return None if job is None else job[1]
