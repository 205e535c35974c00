"""Runs the circuits of jobs: takes them from the queue, hands them to the executor, and writes their answers."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from gateway.errors import GatewayError, JobCancelled, JobStoreError
from gateway.execution.fair_queue import FairQueue
from gateway.execution.pool import Executor, Stop
from gateway.execution.runner import Answer
from gateway.jobs.clock import SteadyClock
from gateway.jobs.job_state import ActiveJob
from gateway.jobs.store import JobRecord, JobStore, StoredAnswer
from gateway.protocol import problem
from gateway.results import JobState

_STOP_WITHIN_S = 2.0
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
        store: keeps attempts and answers.
        clock: tells the time of day.
        on_run: called after every circuit.
        on_end: called when a job has ended, with its last answer or, if the job was cancelled, ``None``; the caller
            holds the lock of the job.
    """

    def __init__(
        self,
        executor: Executor,
        store: JobStore,
        clock: SteadyClock,
        on_run: Callable[[JobRun], None] | None,
        on_end: Callable[[ActiveJob, StoredAnswer | None], None],
    ) -> None:
        self._executor = executor
        self._store = store
        self._clock = clock
        self._on_run = on_run
        self._on_end = on_end
        self._queue: FairQueue[tuple[ActiveJob, int]] = FairQueue()
        self._suspects: deque[tuple[ActiveJob, int]] = deque()
        self._alone = False
        self._changed = threading.Condition()
        self.closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"gateway-job-{k}", daemon=True) for k in range(executor.workers)
        ]

    @property
    def queued(self) -> int:
        """The number of circuits that wait."""
        return len(self._queue) + len(self._suspects)

    def start(self) -> None:
        """Start the threads; they run what was added, and what will be added."""
        for thread in self._threads:
            thread.start()

    def add(self, job: ActiveJob, suspects: Collection[int] = ()) -> None:
        """Put the open circuits of a job into the queue; the threads run ``suspects`` first, and alone."""
        with self._changed:
            for position in sorted(job.open):
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
            except JobStoreError:
                if not self.closing.is_set():
                    log.exception("a run of a job is left to the next server")
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

    def _give_up(self, job: ActiveJob, position: int) -> None:
        """End a run that failed because of an error of our own."""
        error = GatewayError("the server failed unexpectedly; its log says why")
        with contextlib.suppress(JobStoreError):
            self.finish(job, position, StoredAnswer(error.status, problem.dump(error)))

    def _run(self, job: ActiveJob, position: int) -> None:
        stop = Stop()
        with job.lock:
            if job.record.state.ended:
                return
            job.stops[position] = stop
        number = job.record.number
        self._retry_until_stored(lambda: self._store.begin(number, position, self._clock.now()))
        request = self._retry_until_stored(lambda: job.request(position, self._store))
        record = self._begin(job)
        began = time.monotonic()
        answer, code = self._answer(job, request, stop)
        took_s = time.monotonic() - began
        if answer is None:
            return
        if self._on_run is not None:
            self._on_run(JobRun(record, position, answer, code, began - job.queued_at, took_s))
        self.finish(job, position, StoredAnswer(answer.status, answer.body))

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
            answer = self._executor.run(request, job.token, job.record.timeout_s, caller=caller, stop=stop)
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
        return answer, "ok" if answer.status == _OK else problem.code_of(answer.body)

    def finish(self, job: ActiveJob, position: int, answer: StoredAnswer) -> None:
        """Write an answer; the last one ends the job."""
        with job.lock:
            job.stops.pop(position, None)
            if job.record.state.ended:
                return
            failed = job.failed or answer.status != _OK
            last = job.open == {position}
            state = (JobState.FAILED if failed else JobState.DONE) if last else None
            number, now = job.record.number, self._clock.now()
            self._retry_until_stored(lambda: self._store.finish(number, position, answer, state, now))
            job.failed = failed
            job.open.discard(position)
            if state is not None:
                job.record = replace(job.record, state=state, ended=now)
                self._on_end(job, answer)

    def cancel(self, job: ActiveJob) -> None:
        """End a job without further answers: no waiting circuit begins, and running ones are killed."""
        with job.lock:
            now = self._clock.now()
            if self._store.end(job.record.number, JobState.CANCELLED, now):
                job.record = replace(job.record, state=JobState.CANCELLED, ended=now)
                self._on_end(job, None)
                for stop in job.stops.values():
                    stop.request()
        self._forget(job)

    def _forget(self, job: ActiveJob) -> None:
        """Take the waiting circuits of a job out of the queue, so that other jobs have their places at once."""
        with self._changed:
            self._queue.remove_all(job.record.caller, lambda item: item[0] is job)
            self._suspects = deque(item for item in self._suspects if item[0] is not job)

    def _retry_until_stored(self, write: Callable[[], T]) -> T:
        """Write to the database, and try again for as long as it fails: an answer is not thrown away."""
        delay_s = 0.1
        while True:
            try:
                return write()
            except JobStoreError as exc:
                if self.closing.is_set():
                    raise
                log.warning("%s; trying again in %g s", exc.message, delay_s)
            self.closing.wait(delay_s)
            delay_s = min(delay_s * 2, 5.0)
