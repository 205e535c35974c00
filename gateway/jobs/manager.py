"""Takes jobs in, runs their circuits, and answers what has become of them.

Each circuit of a job is a run of its own, so that a list is spread over the workers and one that
fails costs only itself. What waits is kept in memory by number alone; requests and answers are in
the store. A server that was killed finds there, at its next start, what was not finished.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple, TypeVar

import msgspec

from gateway.errors import (
    BusyError,
    GatewayError,
    IdempotencyConflict,
    JobCancelled,
    JobInterrupted,
    JobNotFound,
    JobStoreError,
)
from gateway.execution.line import FairQueue
from gateway.execution.pool import Executor, Stop
from gateway.execution.runner import LOST_TOKEN, Answer
from gateway.jobs.clock import SteadyClock, moment
from gateway.jobs.store import JobRecord, JobStore, KeyTakenError, StoredAnswer
from gateway.protocol import problem
from gateway.protocol.messages import (
    JobInfo,
    JobList,
    JobProgress,
    RawResponse,
    RunRequest,
    SentJob,
    ServerLimits,
    decode,
    encode,
)
from gateway.results import JobState

MAX_ATTEMPTS = 3
"""How often a run is begun when the server ends during it; it might be what ends the server."""

DEPLOYMENT_END = 2**53
"""Numbers below this are read exactly by every JSON parser."""

KEPT_DEPLOYMENTS = 1000
KEPT_DEPLOYMENT_BYTES = 2**28
_FORGET_EVERY = 16

SEED_END = 2**32
_EXPIRE_EVERY_S = 60.0
_STOP_WITHIN_S = 2.0
_KEEP_IN_MEMORY_BYTES = 64 * 2**10
_KEEP_IN_MEMORY_JOBS = 64
_OK = 200

T = TypeVar("T")
log = logging.getLogger("gateway")


class Caller(NamedTuple):
    """Who asks.

    Args:
        owner: whose jobs he sees: the name of his token, empty where everybody is let in.
        name: between whom turns are taken: the name of his token, or his address.
        token: the token itself, for functions that take one.
    """

    owner: str = ""
    name: str = ""
    token: str | None = None


class Ran(NamedTuple):
    """A circuit of a job that was run, for whoever counts."""

    job: JobRecord
    position: int
    answer: Answer
    code: str
    """``ok``, or the code of the problem it was answered with."""
    waited_s: float
    took_s: float


class _Live:
    """A job that has not ended."""

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


class _Recent:
    """Small jobs that ended a moment ago: whoever waits for one need not wait for the database too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[JobRecord, list[StoredAnswer | None]]] = OrderedDict()

    def add(self, record: JobRecord, answers: list[StoredAnswer | None]) -> None:
        """Remember a job, and forget an older one."""
        if sum(len(answer.body) for answer in answers if answer) > _KEEP_IN_MEMORY_BYTES:
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
        kept = self._kept.get(job_id)
        return None if kept is None else kept[0]

    def answers(self, job_id: str) -> list[StoredAnswer | None] | None:
        """Return its answers."""
        kept = self._kept.get(job_id)
        return None if kept is None else kept[1]


class Jobs:
    """The jobs of one server.

    Args:
        executor: where circuits are run.
        store: where jobs are kept; handed over.
        limits: how many circuits may wait, and how long ended jobs are kept.
        on_run: called after every circuit.
    """

    def __init__(
        self,
        executor: Executor,
        store: JobStore,
        limits: ServerLimits | None = None,
        on_run: Callable[[Ran], None] | None = None,
    ) -> None:
        self._executor = executor
        self._store = store
        self._limits = limits or ServerLimits()
        self._on_run = on_run
        self._clock = SteadyClock()
        self._deployed = itertools.count(1)
        self._live: dict[str, _Live] = {}
        self._recent = _Recent()
        self._queue: FairQueue[tuple[_Live, int]] = FairQueue()
        self._suspects: deque[tuple[_Live, int]] = deque()
        self._alone = False
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._take_up()
        self._threads = [
            threading.Thread(target=self._work, name=f"gateway-job-{k}", daemon=True) for k in range(executor.workers)
        ]
        for thread in (*self._threads, threading.Thread(target=self._expire, name="gateway-expire", daemon=True)):
            thread.start()

    # ------------------------------------------------------------------ what callers do

    def submit(
        self,
        request: RunRequest,
        body: bytes,
        caller: Caller,
        *,
        key: str | None = None,
        trace: str | None = None,
    ) -> JobInfo:
        """Accept a job; when this returns, it is on disk.

        Args:
            request: checked against the limits.
            body: the request as it was sent.
            caller: who sends it.
            key: an idempotency key: the same one and the same body give the same job again.
            trace: the trace context of the request.

        Raises:
            BusyError: too many circuits wait, or the server is stopping.
            IdempotencyConflict: the key was used for another body.
            StorageFull, JobStoreError: it could not be written, and was not accepted.
        """
        parts = _split(request, body)
        record = JobRecord(
            id=secrets.token_urlsafe(16),
            owner=caller.owner,
            caller=caller.name,
            state=JobState.QUEUED,
            total=len(parts),
            is_list=isinstance(request.circuits, list),
            timeout_s=request.timeout_s or self._limits.timeout_s,
            created=self._clock.now(),
            idempotency_key=key,
            digest=hashlib.sha256(body).hexdigest(),
            trace=trace,
        )
        return self._accept(record, parts, caller)

    def rerun(self, job_id: str, caller: Caller) -> JobInfo:
        """Accept the same request again, as a new job.

        Raises:
            JobNotFound: the caller has no such job.
        """
        old = self._find(job_id, caller)
        record = replace(
            old,
            id=secrets.token_urlsafe(16),
            caller=caller.name,
            state=JobState.QUEUED,
            created=self._clock.now(),
            started=None,
            ended=None,
            idempotency_key=None,
        )
        return self._accept(record, self._store.requests(old.number), caller)

    def info(self, job_id: str, caller: Caller, wait_s: float = 0) -> SentJob:
        """Return where a job stands, with results once it has ended; wait up to ``wait_s`` for that.

        Raises:
            JobNotFound: the caller has no such job.
        """
        live = self._live.get(job_id)
        if live is not None and live.record.owner == caller.owner and wait_s > 0:
            live.ended.wait(wait_s)
        return self._info(self._find(job_id, caller), with_results=True)

    def number(self, job_id: str, caller: Caller) -> int:
        """Return the number of a job, for clients whose ids are numbers.

        Raises:
            JobNotFound: the caller has no such job.
        """
        return self._find(job_id, caller).number

    def numbered(self, number: int, caller: Caller) -> str:
        """Return the id of the job that has a number.

        Raises:
            JobNotFound: the caller has no such job.
        """
        found = self._store.find_number(number, caller.owner)
        if found is None:
            raise JobNotFound(f"there is no job {number} of yours here", job=str(number))
        return found.id

    def requests(self, job_id: str, caller: Caller) -> list[bytes]:
        """Return the request of every circuit of a job.

        Raises:
            JobNotFound: the caller has no such job.
        """
        return self._store.requests(self._find(job_id, caller).number)

    def deploy(self, body: bytes) -> int:
        """Keep what jobs may be ordered for later; return its number, which nobody can guess.

        The newest :data:`KEPT_DEPLOYMENTS` are kept, and of these :data:`KEPT_DEPLOYMENT_BYTES`: a client
        orders at once, and whoever deploys may be unknown.
        """
        number = secrets.randbelow(DEPLOYMENT_END)
        self._store.deploy(number, body, self._clock.now())
        if next(self._deployed) % _FORGET_EVERY == 0:
            self._store.forget_deployments(KEPT_DEPLOYMENTS, KEPT_DEPLOYMENT_BYTES)
        return number

    def deployment(self, number: int) -> bytes | None:
        """Return what was deployed under a number."""
        return self._store.deployment(number)

    def page(
        self, caller: Caller, state: JobState | None = None, before: str | None = None, limit: int = 50
    ) -> JobList:
        """Return a caller's jobs, the newest first, without results.

        Raises:
            JobNotFound: ``before`` is no job of the caller's.
        """
        number = None if before is None else self._find(before, caller).number
        records = self._store.page(caller.owner, state, number, limit + 1)
        shown = records[:limit]
        return JobList(
            jobs=[self._info(record, with_results=False) for record in shown],
            next=shown[-1].id if len(records) > limit else None,
        )

    def cancel(self, job_id: str, caller: Caller) -> JobInfo:
        """Cancel a job unless it has ended: what runs is killed, what was answered is kept.

        Raises:
            JobNotFound: the caller has no such job.
        """
        record = self._find(job_id, caller)
        live = self._live.get(job_id)
        if live is not None:
            with live.lock:
                if self._store.end(record.number, JobState.CANCELLED, self._clock.now()):
                    self._drop(live)
                    for stop in live.stops.values():
                        stop.request()
        return self._info(self._find(job_id, caller), with_results=True)

    @property
    def queued(self) -> int:
        """How many circuits wait."""
        return len(self._queue) + len(self._suspects)

    def states(self) -> dict[JobState, int]:
        """Return how many jobs wait and run."""
        running = sum(live.record.started is not None for live in list(self._live.values()))
        return {JobState.QUEUED: len(self._live) - running, JobState.RUNNING: running}

    # ------------------------------------------------------------------ the end

    def stop_taking(self) -> None:
        """Begin nothing more and accept nothing more; whoever waits for a job is answered at once."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        for live in list(self._live.values()):
            live.ended.set()

    def close(self, within_s: float = 0) -> None:
        """Let what runs end by itself for so long, then leave the rest to the next server."""
        self.stop_taking()
        give_up = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))
        for live in list(self._live.values()):
            for stop in list(live.stops.values()):
                stop.request()
        for thread in self._threads:
            thread.join(_STOP_WITHIN_S)
        self._store.close()

    # ------------------------------------------------------------------ taking in

    def _accept(self, record: JobRecord, parts: list[bytes], caller: Caller) -> JobInfo:
        if self._closing.is_set():
            raise BusyError("the server is stopping", retry_after_s=1.0)
        if len(self._queue) + len(parts) > self._limits.max_queued_circuits:
            raise BusyError(
                f"{len(self._queue):,} circuits wait, and no more than {self._limits.max_queued_circuits:,} may: "
                "try again later",
                retry_after_s=5.0,
            )
        try:
            record = replace(record, number=self._store.add(record, parts))
        except KeyTakenError:
            return self._same(record)
        small = sum(map(len, parts)) <= _KEEP_IN_MEMORY_BYTES
        live = _Live(record, set(range(record.total)), caller.token, parts=parts if small else None)
        self._live[record.id] = live
        self._enqueue(live)
        return self._info(record, with_results=False)

    def _same(self, record: JobRecord) -> JobInfo:
        """Return the job that has a new one's idempotency key, if it is the same request."""
        found = self._store.find_key(str(record.idempotency_key), record.owner)
        if found is None:
            raise JobStoreError("a job with this idempotency key was removed at this moment: send it again")
        if found.digest != record.digest:
            raise IdempotencyConflict(
                "the idempotency key was used for another request: use a new key for a new request", job=found.id
            )
        return self._info(found, with_results=False)

    def _enqueue(self, live: _Live, suspects: Collection[int] = ()) -> None:
        with self._changed:
            for position in sorted(live.open):
                if position in suspects:
                    self._suspects.append((live, position))
                else:
                    self._queue.put(live.record.caller, (live, position))
            self._changed.notify(len(live.open))

    def _take_up(self) -> None:
        """Go on where an earlier server was cut off."""
        for record, attempts in self._store.unfinished():
            live = _Live(record, set(attempts), LOST_TOKEN, failed=self._store.failed(record.number))
            self._live[record.id] = live
            for position, tries in attempts.items():
                if tries >= MAX_ATTEMPTS:
                    error = JobInterrupted(
                        f"the server ended during each of {tries} attempts at this run; it is not tried again",
                        attempts=tries,
                    )
                    self._finish(live, position, StoredAnswer(error.status, problem.dump(error)))
            if record.id in self._live:
                self._enqueue(live, suspects={k for k, tries in attempts.items() if tries == MAX_ATTEMPTS - 1})
        if self._live:
            log.info("%d jobs of an earlier server are taken up again", len(self._live))

    # ------------------------------------------------------------------ running

    def _work(self) -> None:
        """Run one circuit after the other; the main function of a thread."""
        while True:
            with self._changed:
                if self._closing.is_set():
                    return
                taken = self._next()
                if taken is None:
                    self._changed.wait()
                    continue
            try:
                self._run(*taken)
            except JobStoreError:
                if not self._closing.is_set():
                    log.exception("a run of a job is left to the next server")
            except Exception:
                log.exception("a run of a job failed unexpectedly")
                self._give_up(*taken)
            finally:
                self._no_longer_alone()

    def _next(self) -> tuple[_Live, int] | None:
        """Return what is run next, ``None`` if nothing may be; the lock is held.

        The last attempt at a run during which servers ended comes before everything else, and
        alone: if it is what ends them, it takes no other along.
        """
        if self._alone:
            return None
        if self._suspects:
            self._alone = True
            return self._suspects.popleft()
        return self._queue.take()

    def _no_longer_alone(self) -> None:
        if self._alone:  # then no other thread has a run
            with self._changed:
                self._alone = False
                self._changed.notify_all()

    def _give_up(self, live: _Live, position: int) -> None:
        """End a run that we failed at ourselves."""
        error = GatewayError("the server failed unexpectedly; its log says why")
        with contextlib.suppress(JobStoreError):
            self._finish(live, position, StoredAnswer(error.status, problem.dump(error)))

    def _run(self, live: _Live, position: int) -> None:
        stop = Stop()
        with live.lock:
            if live.record.state.ended:
                return
            live.stops[position] = stop
        number = live.record.number
        self._stored(lambda: self._store.begin(number, position, self._clock.now()))
        request = self._stored(lambda: live.request(position, self._store))
        record = self._running(live)
        began = time.monotonic()
        answer, code = self._answer(live, request, stop)
        took_s = time.monotonic() - began
        if answer is None:
            return
        if self._on_run is not None:
            self._on_run(Ran(record, position, answer, code, began - live.queued_at, took_s))
        self._finish(live, position, StoredAnswer(answer.status, answer.body))

    def _running(self, live: _Live) -> JobRecord:
        """Return the record of a job of which a run begins; one that was cancelled just now stays so."""
        with live.lock:
            if live.record.started is None and not live.record.state.ended:
                live.record = replace(live.record, state=JobState.RUNNING, started=self._clock.now())
            return live.record

    def _answer(self, live: _Live, request: bytes, stop: Stop) -> tuple[Answer | None, str]:
        """Run a circuit; ``None`` if it was cancelled, or is left to the next server."""
        caller = f"jobs of {live.record.caller}"
        try:
            answer = self._executor.run(request, live.token, live.record.timeout_s, caller=caller, stop=stop)
        except JobCancelled:
            return None, JobCancelled.code
        except GatewayError as exc:
            if self._closing.is_set():
                return None, exc.code
            return Answer(exc.status, problem.dump(exc)), exc.code
        except Exception:
            log.exception("a run of a job failed unexpectedly")
            error = GatewayError("the run failed unexpectedly; the server's log says why")
            return Answer(error.status, problem.dump(error)), error.code
        return answer, "ok" if answer.status == _OK else problem.code_of(answer.body)

    def _finish(self, live: _Live, position: int, answer: StoredAnswer) -> None:
        """Write an answer down; the last one ends the job."""
        with live.lock:
            live.stops.pop(position, None)
            if live.record.state.ended:
                return
            failed = live.failed or answer.status != _OK
            last = live.open == {position}
            state = (JobState.FAILED if failed else JobState.DONE) if last else None
            number, now = live.record.number, self._clock.now()
            self._stored(lambda: self._store.finish(number, position, answer, state, now))
            live.failed = failed
            live.open.discard(position)
            if state is not None:
                live.record = replace(live.record, state=state, ended=now)
                if live.record.total == 1:
                    self._recent.add(live.record, [answer])
                self._drop(live)

    def _drop(self, live: _Live) -> None:
        """Forget a job that has ended; its lock is held."""
        if not live.record.state.ended:
            live.record = replace(live.record, state=JobState.CANCELLED)
        self._live.pop(live.record.id, None)
        live.ended.set()

    def _stored(self, write: Callable[[], T]) -> T:
        """Write, and try again for as long as the database cannot take it: an answer is not thrown away."""
        delay_s = 0.1
        while True:
            try:
                return write()
            except JobStoreError as exc:
                if self._closing.is_set():
                    raise
                log.warning("%s; trying again in %g s", exc.message, delay_s)
            self._closing.wait(delay_s)
            delay_s = min(delay_s * 2, 5.0)

    def _expire(self) -> None:
        """Remove old jobs now and then; the main function of a thread."""
        while True:
            try:
                if self._store.expire(self._clock.now() - self._limits.keep_jobs_s, self._limits.keep_jobs_bytes):
                    self._recent.clear()
            except JobStoreError as exc:
                log.warning("old jobs could not be removed: %s", exc.message)
            if self._closing.wait(_EXPIRE_EVERY_S):
                return

    # ------------------------------------------------------------------ answering

    def _find(self, job_id: str, caller: Caller) -> JobRecord:
        live = self._live.get(job_id)
        record = live.record if live is not None else self._recent.record(job_id)
        record = record or self._store.find(job_id, caller.owner)
        if record is None or record.owner != caller.owner:
            raise JobNotFound(f"there is no job {job_id!r} of yours here", job=job_id)
        return record

    def _info(self, record: JobRecord, *, with_results: bool) -> SentJob:
        live = self._live.get(record.id)
        results, errors = None, None
        if with_results and record.state.ended:
            answers = self._recent.answers(record.id) or self._store.answers(record.number)
            done = len(answers) - answers.count(None)
            results, errors = _outcome(answers, is_list=record.is_list)
        else:
            done = self._store.answered(record.number) if live is None else record.total - len(live.open)
        created = moment(record.created)
        assert created is not None  # noqa: S101 - every record has it
        return SentJob(
            id=record.id,
            state=record.state,
            is_list=record.is_list,
            progress=JobProgress(done, record.total),
            created_at=created,
            started_at=moment(record.started),
            ended_at=moment(record.ended),
            results=results,
            errors=errors or None,
        )


def _split(request: RunRequest, body: bytes) -> list[bytes]:
    """Return a request for each circuit, equal to what that circuit would get in the list."""
    if not isinstance(request.circuits, list):
        return [body]
    seeds = [None if request.seed is None else (request.seed + k) % SEED_END for k in range(len(request.circuits))]
    return [
        encode(msgspec.structs.replace(request, circuits=circuit, shots=shots, seed=seed))
        for circuit, shots, seed in zip(request.circuits, request.shots_list(), seeds, strict=True)
    ]


def _outcome(
    answers: list[StoredAnswer | None], *, is_list: bool
) -> tuple[list[msgspec.Raw | None], list[msgspec.Raw]]:
    """Return results, ``None`` where there is none, and problems that say which circuit they are about."""
    results: list[msgspec.Raw | None] = []
    errors: list[msgspec.Raw] = []
    for position, answer in enumerate(answers):
        if answer is not None and answer.status == _OK:
            results += decode(RawResponse, answer.body).results
            continue
        results.append(None)
        if answer is not None:
            errors.append(msgspec.Raw(problem.about(answer.body, position) if is_list else answer.body))
    return results, errors
