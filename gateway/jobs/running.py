"""Runs the circuits of jobs: takes them from the queue, hands them to the executor, and writes their answers.

A database may be away for a while: its disk is full, another process has locked it, its server is down. Whatever has to
be written is then written again and again, for as long as this server lives, and no lock is held meanwhile. Who cancels
a job waits for none of that: the job ends in memory, and another thread brings its end to the database.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from gateway.errors import GatewayError, JobCancelled, JobStoreError, StorageFull
from gateway.execution.content import PIECE_BYTES, size_of, whole
from gateway.execution.fair_queue import FairQueue
from gateway.execution.pool import Executor, Stop
from gateway.execution.runner import Answer
from gateway.jobs.clock import SteadyClock
from gateway.jobs.job_state import ActiveJob
from gateway.jobs.never_stored import NeverStored
from gateway.jobs.retention import Retention
from gateway.jobs.splitting import answers_of
from gateway.jobs.store import JobRecord, JobStore, StoredAnswer
from gateway.protocol import problem
from gateway.results import JobState

_STOP_WITHIN_S = 2.0

CANCEL_WITHIN_S = 1.0
"""Seconds that whoever cancels a job waits for the database."""

_FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 15.0
"""Seconds between attempts to write at most: so soon does work go on after the database was away."""

ROOM_WITHIN_S = 60.0
"""Seconds for which a large answer waits for room: it takes room itself meanwhile, and a thread that others need."""

_TOGETHER_BYTES = 2**25
"""Larger answers of several points are not taken apart in memory: each point has a run for itself."""

_OK = 200

T = TypeVar("T")
log = logging.getLogger("gateway")


class JobRun(NamedTuple):
    """One run of a circuit of a job, as telemetry counts it."""

    job: JobRecord
    position: int
    answer: Answer
    code: str
    """``ok``, or the code of the problem in the answer."""
    waited_s: float
    took_s: float


class Running:
    """Runs circuits in as many threads as there are workers, one after the other in each.

    Args:
        executor: runs the circuits.
        store: keeps attempts.
        retention: keeps answers.
        clock: tells the time of day.
        on_run: called after every circuit.
        on_end: called when a job has ended and its end is written, with its last answer or, if the job was cancelled,
            ``None``; the caller holds the lock of the job.
    """

    def __init__(
        self,
        executor: Executor,
        store: JobStore,
        retention: Retention,
        clock: SteadyClock,
        on_run: Callable[[JobRun], None] | None,
        on_end: Callable[[ActiveJob, StoredAnswer | None], None],
    ) -> None:
        self._executor = executor
        self._store = store
        self._retention = retention
        self._clock = clock
        self._on_run = on_run
        self._on_end = on_end
        self._queue: FairQueue[tuple[ActiveJob, int]] = FairQueue()
        self._suspects: deque[tuple[ActiveJob, int]] = deque()
        self._reserved = 0
        self._alone = False
        self._changed = threading.Condition()
        self.closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"gateway-job-{k}", daemon=True) for k in range(executor.workers)
        ]
        self._cancelled: queue.SimpleQueue[ActiveJob | None] = queue.SimpleQueue()
        self._last_chance = threading.Event()
        self._threads.append(threading.Thread(target=self._store_cancelled, name="gateway-job-cancel", daemon=True))

    @property
    def queued(self) -> int:
        """The number of circuits that wait."""
        return len(self._queue) + len(self._suspects)

    def reserve(self, places: int, most: int) -> bool:
        """Hold places in the queue for circuits whose job is being written, unless there are not so many left."""
        with self._changed:
            if self.queued + self._reserved + places > most:
                return False
            self._reserved += places
            return True

    def release(self, places: int) -> None:
        """Give back places: their circuits are in the queue now, or their job was not accepted."""
        with self._changed:
            self._reserved -= places

    def start(self) -> None:
        """Start the threads; they run what was added, and what will be added."""
        for thread in self._threads:
            thread.start()

    def add(self, job: ActiveJob, suspects: Collection[int] = ()) -> None:
        """Put the open circuits of a job into the queue; the threads run ``suspects`` first, and alone."""
        with self._changed:
            if job.record.state.ended:  # it was cancelled a moment ago, and has left the queue
                return
            for position in job.runs():
                if position in suspects:
                    self._suspects.append((job, position))
                else:
                    self._queue.put(job.record.caller, (job, position))
            self._changed.notify(len(job.open))

    def stop_taking(self) -> None:
        """Begin no further circuit."""
        self.closing.set()
        with self._changed:
            self._changed.notify_all()

    def close(self, jobs: Iterable[ActiveJob], within_s: float) -> None:
        """Wait ``within_s`` seconds for circuits under way, then stop them."""
        self.stop_taking()
        deadline = time.monotonic() + within_s
        self._last_chance.set()
        self._cancelled.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for job in jobs:
            for stop in list(job.stops.values()):
                stop.request()
        for thread in self._threads:
            thread.join(_STOP_WITHIN_S)

    # ------------------------------------------------------------------ in the threads

    def _work(self) -> None:
        """Run one circuit after the other; the main function of a thread."""
        while True:
            with self._changed:
                if self.closing.is_set():
                    return
                item = self._next()
                if item is None:
                    self._changed.wait()
                    continue
            try:
                self._run(*item)
            except JobCancelled:
                pass
            except JobStoreError:
                if self.closing.is_set():
                    return  # the next server has the run again
                log.exception("a run of a job begins again")
                self.closing.wait(LONGEST_DELAY_S)
                self._put_back(*item)
            except Exception:
                log.exception("a run of a job failed unexpectedly")
                self._give_up(*item)
            finally:
                self._let_others_run()

    def _next(self) -> tuple[ActiveJob, int] | None:
        """Return the next circuit to run, ``None`` if there is none or none may begin; the caller holds the lock.

        A circuit during which servers ended before has its last attempt first of all, and alone: if the
        circuit is what ends servers, it costs no other run.
        """
        if self._alone:
            return None
        if self._suspects:
            self._alone = True
            return self._suspects.popleft()
        return self._queue.take()

    def _let_others_run(self) -> None:
        if self._alone:  # then this thread alone has a run
            with self._changed:
                self._alone = False
                self._changed.notify_all()

    def _put_back(self, job: ActiveJob, position: int) -> None:
        with self._changed:
            if not job.record.state.ended:
                self._queue.put(job.record.caller, (job, position))
                self._changed.notify()

    def _give_up(self, job: ActiveJob, position: int) -> None:
        """End a run that failed because of an error of our own."""
        error = GatewayError("the server failed unexpectedly; its log says why")
        with contextlib.suppress(JobStoreError, JobCancelled):
            for point in job.points_of(position):
                self.finish(job, point, StoredAnswer(error.status, problem.dump(error)))

    def _run(self, job: ActiveJob, position: int) -> None:
        stop = Stop()
        with job.lock:
            if job.record.state.ended:
                return
            job.stops[position] = stop
        if position in job.given_up:
            self.finish(job, position, job.given_up[position])
            return
        number = job.record.number
        self._insist(job, lambda: self._store.begin(number, position, self._clock.now()))
        request = self._insist(job, lambda: job.request(position, self._store))
        record = self._begin(job)
        began = time.monotonic()
        answer, code = self._answer(job, request, stop)
        took_s = time.monotonic() - began
        if answer is None:
            return
        if self._on_run is not None:
            self._on_run(JobRun(record, position, answer, code, began - job.queued_at, took_s))
        if position in job.run_sizes:
            self._finish_several(job, position, answer)
        else:
            self.finish(job, position, StoredAnswer(answer.status, answer.body))

    def _finish_several(self, job: ActiveJob, position: int, answer: Answer) -> None:
        """Write the results of a run of several points; if there are none, each of them has a run for itself."""
        points = job.points_of(position)
        with job.lock:
            job.stops.pop(position, None)
        if answer.status == _OK and size_of(answer.body) <= _TOGETHER_BYTES:
            answers = dict(zip(points, answers_of(answer.body, job.record.encoding), strict=True))
            if all(len(body) <= PIECE_BYTES for body in answers.values()):
                with contextlib.suppress(NeverStored):
                    self._insist(job, lambda: self._store_answers(job, answers))
                    return
            for point, body in answers.items():
                self.finish(job, point, StoredAnswer(_OK, body))
            return
        with self._changed:
            del job.run_sizes[position]
            if not job.record.state.ended:
                for point in points:
                    self._queue.put(job.record.caller, (job, point))
                self._changed.notify_all()

    def _store_answers(self, job: ActiveJob, answers: Mapping[int, bytes]) -> None:
        """Try once to write the results of several points."""
        with job.writing:
            state = (JobState.FAILED if job.failed else JobState.DONE) if job.open == answers.keys() else None
            now = self._clock.now()
            self._retention.finish_several(job.record, answers, state, now)
            self._note_answers(job, answers, state, now, None)

    def _begin(self, job: ActiveJob) -> JobRecord:
        """Set the state of a job to running, unless it has just been cancelled; return its record."""
        with job.lock:
            if job.record.started is None and not job.record.state.ended:
                job.record = replace(job.record, state=JobState.RUNNING, started=self._clock.now())
            return job.record

    def _answer(self, job: ActiveJob, request: bytes, stop: Stop) -> tuple[Answer | None, str]:
        """Run a circuit and return its answer and its outcome.

        The answer is ``None`` if the run was cancelled, or is left to the next server.
        """
        caller = f"jobs of {job.record.caller}"
        try:
            answer = self._executor.run(
                request, job.token, job.record.timeout_s, caller=caller, stop=stop, encoding=job.record.encoding
            )
        except JobCancelled:
            return None, JobCancelled.code
        except GatewayError as exc:
            if self.closing.is_set():
                return None, exc.code
            return Answer(exc.status, problem.dump(exc)), exc.code
        except Exception:
            log.exception("a run of a job failed unexpectedly")
            error = GatewayError("the run failed unexpectedly; the server's log says why")
            return Answer(error.status, problem.dump(error)), error.code
        return answer, "ok" if answer.status == _OK else problem.code_of(whole(answer.body))

    def finish(self, job: ActiveJob, position: int, answer: StoredAnswer) -> None:
        """Write an answer, or the reason why it can never be written; the last one ends the job.

        Raises:
            JobCancelled: the job was cancelled, and needs no answer any more.
            JobStoreError: the server ends, and the answer is not written.
        """
        with job.lock:
            job.stops.pop(position, None)
        patience_s = ROOM_WITHIN_S if size_of(answer.body) > PIECE_BYTES else math.inf
        try:
            self._insist(job, lambda: self._store_answer(job, position, answer), patience_s)
        except NeverStored as exc:
            log.warning("an answer of job %s cannot be stored: %s", job.record.id, exc.message)
            reason = StoredAnswer(exc.reason.status, problem.dump(exc.reason))
            self._insist(job, lambda: self._store_answer(job, position, reason))

    def _store_answer(self, job: ActiveJob, position: int, answer: StoredAnswer) -> None:
        """Try once to write an answer."""
        with job.writing:
            failed = job.failed or answer.status != _OK
            last = job.open == {position}
            state = (JobState.FAILED if failed else JobState.DONE) if last else None
            now = self._clock.now()
            self._retention.finish(job.record, position, answer, state, now)
            job.failed = failed
            self._note_answers(job, (position,), state, now, answer)

    def _note_answers(
        self,
        job: ActiveJob,
        positions: Iterable[int],
        state: JobState | None,
        now: float,
        answer: StoredAnswer | None,
    ) -> None:
        """Remember that circuits have their answers, and with the last one that the job has ended."""
        with job.lock:
            job.open.difference_update(positions)
            if state is None or job.record.state.ended:  # who cancelled it meanwhile was told so
                job.tell()
                return
            job.record = replace(job.record, state=state, ended=now)
            self._on_end(job, answer)

    def cancel(self, job: ActiveJob) -> None:
        """End a job without further answers: no waiting circuit begins, and running ones are killed.

        All that happens at once. The database has the end of the job when this returns, unless it takes longer than
        ``CANCEL_WITHIN_S``; then it has it as soon as it takes it.
        """
        with job.lock:
            if not job.record.state.ended:
                job.record = replace(job.record, state=JobState.CANCELLED, ended=self._clock.now())
                for stop in job.stops.values():
                    stop.request()
                self._cancelled.put(job)
        job.end()
        self._forget(job)
        if job.record.state is JobState.CANCELLED:
            job.stored.wait(CANCEL_WITHIN_S)

    def _store_cancelled(self) -> None:
        """Write the ends of cancelled jobs; the main function of a thread."""
        unstored: list[ActiveJob] = []
        delay_s = _FIRST_DELAY_S
        while True:
            jobs = self._next_cancelled(wait=not unstored)
            unstored += [job for job in jobs if job is not None]
            try:
                if unstored:
                    self._store.cancel({job.record.number: job.record.ended or self._clock.now() for job in unstored})
            except JobStoreError as exc:
                if None in jobs or self._last_chance.is_set():
                    log.warning("%s; %d cancelled jobs are left to the next server", exc.message, len(unstored))
                    return
                log.warning("%s; cancelled jobs are written in %g s", exc.message, delay_s)
                self._last_chance.wait(delay_s)
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
                continue
            for job in unstored:
                with job.lock:
                    self._on_end(job, None)
                job.stored.set()
            unstored, delay_s = [], _FIRST_DELAY_S
            if None in jobs:
                return

    def _next_cancelled(self, *, wait: bool) -> list[ActiveJob | None]:
        """Return the jobs that were cancelled since the last call, ``None`` among them if there will be no more."""
        jobs = [self._cancelled.get()] if wait else []
        with contextlib.suppress(queue.Empty):
            while True:
                jobs.append(self._cancelled.get_nowait())
        return jobs

    def _forget(self, job: ActiveJob) -> None:
        """Take the waiting circuits of a job out of the queue, so that other jobs have their places at once."""
        with self._changed:
            self._queue.remove_all(job.record.caller, lambda item: item[0] is job)
            self._suspects = deque(item for item in self._suspects if item[0] is not job)

    def _insist(self, job: ActiveJob, use: Callable[[], T], patience_s: float = math.inf) -> T:
        """Use the database for a job, and try again for as long as it fails: an answer is not thrown away.

        Args:
            job: the job.
            use: uses the database.
            patience_s: seconds after which a disk that is full counts as too small.

        Raises:
            JobCancelled: the job was cancelled.
            NeverStored: there will be no room.
            JobStoreError: the server ends.
        """
        delay_s, began = _FIRST_DELAY_S, time.monotonic()
        while True:
            if job.record.state.ended:
                raise JobCancelled("the job was cancelled")
            try:
                return use()
            except NeverStored:
                raise
            except JobStoreError as exc:
                if self.closing.is_set():
                    raise
                if isinstance(exc, StorageFull) and time.monotonic() - began >= patience_s:
                    raise NeverStored(exc) from exc
                log.warning("%s; trying again in %g s", exc.message, delay_s)
            job.ended.wait(delay_s)  # which is set when the server ends, too
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)
