"""Decides which jobs are kept, and for how long: each owner has a quota, and nobody's young results go for another's.

The bytes of all jobs of an owner, requests and answers, stay within a quota. When it is full, the owner's own ended
jobs make room: first those whose results were fetched, the oldest before others, then those that nobody fetched for so
long that they may go. What finds no room is refused. Beyond the bytes that are kept in all, the owner with the most
loses first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from gateway.errors import LimitError
from gateway.execution.content import size_of
from gateway.jobs.clock import SteadyClock
from gateway.jobs.never_stored import NeverStored
from gateway.jobs.store import EndedJob, JobRecord, JobStore, StoredAnswer
from gateway.protocol.messages import ServerLimits
from gateway.results import JobState

LIMIT = "keep_owner_bytes"

_OK = 200
_STEP = 0.01
"""The part of all bytes that an owner loses at least before it is looked again who has the most."""

_SPARE = 0.05
"""The part of a quota that is made free beyond what is needed, so that not every job has to make room."""


class Retention:
    """Stores jobs and answers as far as their owners have room, and removes ended jobs.

    Args:
        store: keeps the jobs.
        clock: tells the time of day.
        limits: say what is kept.
        on_removed: called after jobs were removed.
    """

    def __init__(
        self, store: JobStore, clock: SteadyClock, limits: ServerLimits, on_removed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._on_removed = on_removed
        self._lock = threading.Lock()
        self._taken = store.taken()
        self._partly: dict[int, set[int]] = {}
        self._fetched: set[int] = set()
        self._forgotten: set[int] = set()

    def quota(self, owner: str) -> int:
        """Return the bytes that the jobs of an owner may take; without tokens everybody is one owner."""
        if self._limits.keep_owner_bytes is not None:
            return self._limits.keep_owner_bytes
        return self._limits.keep_jobs_bytes // 2 if owner else self._limits.keep_jobs_bytes

    # ------------------------------------------------------------------ writing

    def add(self, record: JobRecord, requests: Sequence[bytes]) -> int:
        """Write a new job and return its number.

        Raises:
            LimitError: its owner has no room for it.
            KeyTakenError, StorageFull: as :meth:`JobStore.add`.
        """
        size = sum(map(len, requests))
        self._claim(record.owner, size, "this job")
        try:
            return self._store.add(record, requests)
        except BaseException:
            self._release(record.owner, size)
            raise

    def finish(
        self, record: JobRecord, position: int, answer: StoredAnswer, ended: JobState | None, now: float
    ) -> bool:
        """Write the answer of a circuit, as :meth:`JobStore.finish` does.

        Raises:
            NeverStored: the answer cannot be stored, or its owner has no room for it.
        """
        size = size_of(answer.body)
        if answer.status == _OK:
            try:
                self._claim(record.owner, size, "the answer")
            except LimitError as exc:
                raise NeverStored(exc) from exc
        else:  # a problem is small, and says what became of the circuit
            self._release(record.owner, -size)
        written = False
        try:
            written = self._store.finish(record.number, position, answer, ended, now)
        finally:
            if not written:
                self._release(record.owner, size)
        return written

    def finish_several(
        self, record: JobRecord, answers: Mapping[int, bytes], ended: JobState | None, now: float
    ) -> None:
        """Write the results of several points, as :meth:`JobStore.finish_several` does.

        Raises:
            NeverStored: the answers cannot be stored, or their owner has no room for them.
        """
        size = sum(map(len, answers.values()))
        try:
            self._claim(record.owner, size, "the answer")
        except LimitError as exc:
            raise NeverStored(exc) from exc
        written = 0
        try:
            written = self._store.finish_several(record.number, answers, ended, now)
        finally:
            self._release(record.owner, size - written)

    def _claim(self, owner: str, size: int, what: str) -> None:
        """Count bytes to those of an owner, and make room for them if need be.

        Raises:
            LimitError: there is no room.
        """
        if self._take(owner, size):
            return
        if size <= self.quota(owner):
            self._make_room(owner, size)
            if self._take(owner, size):
                return
        taken, quota = self._taken.get(owner, 0), self.quota(owner)
        raise LimitError(
            f"{what} takes {size:,} bytes, the jobs of this owner take {taken:,} already, and at most {quota:,} are "
            "kept for them: ask for less, or fetch the results of jobs that have ended, which then make room, or "
            f"remove such jobs (DELETE with forget=true); what nobody fetches makes room after {self._unfetched_s:g} s",
            limit=LIMIT,
            requested=taken + size,
            allowed=quota,
        )

    def _take(self, owner: str, size: int) -> bool:
        with self._lock:
            total = self._taken.get(owner, 0) + size
            if total > self.quota(owner):
                return False
            self._taken[owner] = total
            return True

    def _release(self, owner: str, size: int) -> None:
        with self._lock:
            self._taken[owner] = self._taken.get(owner, 0) - size

    # ------------------------------------------------------------------ what was fetched

    def note_fetched(self, number: int) -> None:
        """Note that the results of a job were sent whole; the database hears of it a little later."""
        with self._lock:
            self._fetched.add(number)
            self._partly.pop(number, None)

    def note_result_fetched(self, number: int, position: int, total: int) -> None:
        """Note that one result of a job with ``total`` circuits was sent; with all of them the job was fetched."""
        with self._lock:
            positions = self._partly.setdefault(number, set())
            positions.add(position)
            is_whole = len(positions) == total
        if is_whole:
            self.note_fetched(number)

    def flush(self) -> None:
        """Write down which jobs were fetched."""
        with self._lock:
            fetched = list(self._fetched)
        if fetched:
            self._store.mark_fetched(fetched)
            with self._lock:
                self._fetched.difference_update(fetched)

    # ------------------------------------------------------------------ removing

    def clear_up(self) -> int:
        """Remove old jobs, and others beyond the bytes that are kept; return their number."""
        self.flush()
        with self._lock:
            forgotten = list(self._forgotten)
        count = sum(self._remove(self._store.ended(number)) for number in forgotten)
        while removed := self._remove(self._store.old(self._clock.now() - self._limits.keep_jobs_s)):
            count += removed
        return count + self._remove_surplus()

    def _remove_surplus(self) -> int:
        """Remove jobs until the others have no more bytes than are kept, always of the owner with the most."""
        taken = self._store.taken(ended=True)
        surplus = sum(taken.values()) - self._limits.keep_jobs_bytes
        count = 0
        while surplus > 0 and taken:
            owner = max(taken, key=taken.__getitem__)
            ahead = taken[owner] - max((size for other, size in taken.items() if other != owner), default=0)
            step = max(ahead + 1, int(self._limits.keep_jobs_bytes * _STEP))
            jobs = _enough(self._store.first_to_go(owner, self._unfetched_before), min(surplus, step))
            removed = self._remove(jobs)
            if not removed:
                del taken[owner]
                continue
            count += removed
            freed = sum(job.size for job in jobs)
            taken[owner] -= freed
            surplus -= freed
        return count

    def forget(self, record: JobRecord) -> None:
        """Remove an ended job whose results nobody needs any more.

        While it is read, or while the database does not know of its end yet, it only is the first to go, and
        :meth:`clear_up` removes it later.
        """
        self.note_fetched(record.number)
        with self._lock:
            self._forgotten.add(record.number)
        self._remove(self._store.ended(record.number))

    @property
    def _unfetched_s(self) -> float:
        """The seconds that results are kept at least that nobody fetched."""
        return min(self._limits.keep_unfetched_s, self._limits.keep_jobs_s)

    @property
    def _unfetched_before(self) -> float:
        return self._clock.now() - self._unfetched_s

    def _make_room(self, owner: str, size: int) -> None:
        """Remove ended jobs of an owner until there is room; none if there would not be enough."""
        self.flush()
        quota = self.quota(owner)
        needed = self._taken.get(owner, 0) + size - quota
        wanted = needed + int(quota * _SPARE)
        if self._store.removable_bytes(owner, self._unfetched_before) < needed:
            return
        while wanted > 0 and (jobs := _enough(self._store.first_to_go(owner, self._unfetched_before), wanted)):
            if not self._remove(jobs):
                return  # somebody began to read them at this moment
            wanted -= sum(job.size for job in jobs)

    def _remove(self, jobs: Sequence[EndedJob]) -> int:
        removed = self._store.remove([job.number for job in jobs])
        for job in jobs:
            if job.number in removed:
                self._release(job.owner, job.size)
        with self._lock:
            for number in removed:
                self._partly.pop(number, None)
                self._forgotten.discard(number)
        if removed:
            self._on_removed()
        return len(removed)


def _enough(jobs: Sequence[EndedJob], needed: int) -> list[EndedJob]:
    """Return the first jobs that have together at least the bytes that are needed, or all of them."""
    freed = 0
    chosen = []
    for job in jobs:
        if freed >= needed:
            break
        chosen.append(job)
        freed += job.size
    return chosen
