"""Accepts jobs, has their circuits run, and tells callers their state and their results.

Each circuit of a job is a run of its own, so that a list is spread over the workers, and a circuit that fails costs
no other its result. Memory holds only the numbers of waiting circuits; the store holds requests and answers. A
server that starts after another was killed finds the unfinished jobs there.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.errors import (
    BusyError,
    Forbidden,
    IdempotencyConflict,
    JobInterrupted,
    JobNotFound,
    JobStoreError,
    LimitError,
    ResultNotFound,
)
from gateway.execution.content import PIECE_BYTES, Content, size_of
from gateway.execution.pool import Executor
from gateway.execution.runner import LOST_TOKEN
from gateway.jobs import splitting
from gateway.jobs.clock import SteadyClock
from gateway.jobs.job_info import answers_of_circuits, describe, describe_ended, first_detail, with_results
from gateway.jobs.job_state import KEEP_IN_MEMORY_BYTES, ActiveJob, RecentJobs
from gateway.jobs.recoding import Recoder
from gateway.jobs.retention import Retention
from gateway.jobs.running import JobRun, Running
from gateway.jobs.store import JobRecord, JobStore, KeyTakenError, StoredAnswer, Summary
from gateway.protocol import problem
from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import JobInfo, JobList, RunRequest, ServerLimits, encode
from gateway.results import JobState, ResultType
from gateway.rights import ALL_RIGHTS, Right, write_rights

MAX_ATTEMPTS = 3
"""Attempts at a run during which the server ends each time: the run might be what ends the server."""

_EXPIRE_EVERY_S = 60.0
_MOST_RESULTS = 256
"""Results that are sent together at most."""

_OK = 200

log = logging.getLogger("gateway")


class Caller(NamedTuple):
    """Who sends a request.

    Args:
        owner: the name of their token, empty where everybody is let in; callers see the jobs of their owner only.
        name: the name of their token, or their address; callers of different names take turns.
        token: the token itself, for functions that take one.
        rights: what they may do.
    """

    owner: str = ""
    name: str = ""
    token: str | None = None
    rights: frozenset[Right] = ALL_RIGHTS

    def demand(self, right: Right) -> None:
        """Refuse a caller who lacks a right.

        Raises:
            Forbidden: they do.
        """
        if right not in self.rights:
            has = write_rights(self.rights) or "none"
            raise Forbidden(
                f"this needs the right {str(right)!r}, which this token has not (its rights: {has}); "
                f"'gateway token NAME --rights {write_rights(self.rights | {right})}' makes one that has",
                right=str(right),
            )


class JobAnswer(NamedTuple):
    """What a caller is answered about a job: an HTTP status, a body, and how a body that is no problem is written."""

    status: int
    body: Content
    encoding: Encoding


class Jobs:
    """The jobs of one server.

    Args:
        executor: runs the circuits.
        store: keeps the jobs; closed with them.
        limits: say how many circuits may wait, and how long ended jobs are kept.
        on_run: called after every circuit.
    """

    def __init__(
        self,
        executor: Executor,
        store: JobStore,
        limits: ServerLimits | None = None,
        on_run: Callable[[JobRun], None] | None = None,
    ) -> None:
        self._store = store
        self._limits = limits or ServerLimits()
        self._clock = SteadyClock()
        self._active: dict[str, ActiveJob] = {}
        self._recent = RecentJobs()
        self._retention = Retention(store, self._clock, self._limits, self._recent.clear)
        self._running = Running(executor, store, self._retention, self._clock, on_run, self._on_end)
        self._take_up()
        self._running.start()
        threading.Thread(target=self._expire, name="gateway-expire", daemon=True).start()

    # ------------------------------------------------------------------ requests of callers

    def submit(
        self,
        request: RunRequest,
        body: bytes,
        caller: Caller,
        *,
        key: str | None = None,
        trace: str | None = None,
        encoding: Encoding = Encoding.JSON,
    ) -> JobInfo:
        """Accept a job; when this returns, it is on disk.

        Args:
            request: the request, already checked against the limits.
            body: the same request as bytes.
            caller: who sends it.
            key: an idempotency key; the same key with the same body gives the same job again.
            trace: the trace context of the request.
            encoding: what its sender reads. Results that have arrays are kept like that, and others as JSON.

        Raises:
            BusyError: too many circuits wait, or the server is stopping.
            IdempotencyConflict: the key was used for another body.
            LimitError: what is kept for the caller leaves no room for the job.
            StorageFull, JobStoreError: the job could not be written, and so was not accepted.
        """
        parts = splitting.split(request, body)
        record = JobRecord(
            id=secrets.token_urlsafe(16),
            owner=caller.owner,
            caller=caller.name,
            state=JobState.QUEUED,
            total=len(parts),
            is_list=request.is_list,
            timeout_s=request.timeout_s or self._limits.timeout_s,
            created=self._clock.now(),
            idempotency_key=key,
            digest=hashlib.sha256(body).hexdigest(),
            trace=trace,
            encoding=encoding if _has_arrays(request) else Encoding.JSON,
        )
        return self._accept(record, parts, caller)

    def rerun(self, job_id: str, caller: Caller) -> JobInfo:
        """Accept the same request again, as a new job, whose results are kept as those of the first one.

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

    def info(self, job_id: str, caller: Caller, wait_s: float = 0) -> JobInfo:
        """Return the state of a job, without results; wait up to ``wait_s`` seconds for its end.

        Raises:
            JobNotFound: the caller has no such job.
        """
        return self._info(self._find_waiting(job_id, caller, wait_s))

    def answer(self, job_id: str, caller: Caller, wait_s: float = 0, encoding: Encoding = Encoding.JSON) -> JobAnswer:
        """Return the state of a job, with results once it has ended; wait up to ``wait_s`` for its end.

        Args:
            job_id: the id of the job.
            caller: who asks.
            wait_s: seconds to wait.
            encoding: what the caller reads. Results that are kept as JSON are JSON for everybody.

        Raises:
            JobNotFound: the caller has no such job.
        """
        record = self._find_waiting(job_id, caller, wait_s)
        if not record.state.ended:
            return JobAnswer(_OK, encode(self._info(record), encoding), encoding)
        answers = self._recent.answers(record.id) or self._store.answers(record.number)
        sent, recoder = self._form(record, encoding)
        content = with_results(record, answers, recoder, lambda: self._retention.note_fetched(record.number))
        return JobAnswer(_OK, content, sent)

    def _form(self, record: JobRecord, encoding: Encoding) -> tuple[Encoding, Recoder | None]:
        """Return how results are sent to a reader of an encoding, and what writes them anew, if they have to be."""
        if record.encoding is Encoding.JSON or encoding is record.encoding:
            return record.encoding, None
        return encoding, Recoder(self._store.folder)

    def result(
        self,
        job_id: str,
        position: int,
        caller: Caller,
        encoding: Encoding = Encoding.JSON,
        *,
        wait_s: float = 0,
        count: int = 1,
    ) -> JobAnswer:
        """Return the result of one circuit, a RunResponse, or its problem; or several results.

        Args:
            job_id: the id of the job.
            position: the number of the circuit.
            caller: who asks.
            encoding: what the caller reads, as in :meth:`answer`.
            wait_s: seconds to wait for the answer of the circuit.
            count: the most results. Those of the circuits after this one are added that are there, and small together.

        Raises:
            JobNotFound: the caller has no such job.
            ResultNotFound: the circuit has no answer, or there is no such circuit.
        """
        record = self._find(job_id, caller)
        if not 0 <= position < record.total:
            raise ResultNotFound(
                f"job {job_id!r} has no circuit {position}: it has {record.total:,}, counted from 0", job=job_id
            )
        job = self._active.get(job_id)
        if job is not None and wait_s > 0:
            job.wait_for_answer(position, wait_s)
            record = self._find(job_id, caller)
        answers = self._small_answers(record, position, min(position + min(count, _MOST_RESULTS), record.total))
        if not answers:
            why = f"the job is {record.state}, and circuit {position} has no answer"
            raise ResultNotFound(f"{why}{'' if record.state.ended else ' yet: ask again later'}", job=job_id)

        def note() -> None:
            for k in range(position, position + len(answers)):
                self._retention.note_result_fetched(record.number, k, record.total)

        sent, recoder = self._form(record, encoding)
        content = answers_of_circuits(record, position, answers, recoder, note)
        return JobAnswer(answers[0].status, content, sent)

    def _small_answers(self, record: JobRecord, start: int, stop: int) -> list[StoredAnswer]:
        """Return the answer of a circuit, and results of those after it, as far as they are there and small."""
        answers = self._recent.answers(record.id)
        some = self._store.answers(record.number, start, stop) if answers is None else answers[start:stop]
        found: list[StoredAnswer] = []
        size = 0
        for answer in some:
            size += 0 if answer is None else size_of(answer.body)
            if answer is None or (found and (size > PIECE_BYTES or answer.status != _OK or found[0].status != _OK)):
                break
            found.append(answer)
        return found

    def failure(self, job_id: str, caller: Caller) -> str:
        """Return what the first problem of a job says, an empty text if there is none.

        Raises:
            JobNotFound: the caller has no such job.
        """
        record = self._find(job_id, caller)
        position = self._store.first_failure(record.number)
        answer = None if position is None else self._store.answer(record.number, position)
        return "" if answer is None else first_detail(answer)

    def find_key(self, key: str, caller: Caller) -> str | None:
        """Return the id of the job that a caller submitted with an idempotency key, ``None`` if there is none."""
        record = self._store.find_key(key, caller.owner)
        return None if record is None else record.id

    def requests(self, job_id: str, caller: Caller) -> list[bytes]:
        """Return the request of every circuit of a job.

        Raises:
            JobNotFound: the caller has no such job.
        """
        return self._store.requests(self._find(job_id, caller).number)

    def page(
        self, caller: Caller, state: JobState | None = None, before: str | None = None, limit: int = 50
    ) -> JobList:
        """Return a caller's jobs, the newest first, without results.

        Raises:
            JobNotFound: ``before`` is no job of the caller's.
        """
        number = None if before is None else self._find(before, caller).number
        records = self._store.page(caller.owner, state, number, limit + 1)
        visible = records[:limit]
        latest = [self._latest(record) for record in visible]
        return JobList(
            jobs=self._infos([record for record in latest if state in {None, record.state}]),
            next=visible[-1].id if len(records) > limit else None,
        )

    def cancel(self, job_id: str, caller: Caller) -> JobInfo:
        """Cancel a job unless it has ended: its running circuits are killed, and its answers are kept.

        When the database does not take it, the caller is answered all the same, within about a second; the database
        follows as soon as it can.

        Raises:
            JobNotFound: the caller has no such job.
        """
        self._find(job_id, caller)
        job = self._active.get(job_id)
        if job is not None:
            self._running.cancel(job)
        record = self._find(job_id, caller)
        try:
            return self._info(record)
        except JobStoreError as exc:  # the job is cancelled all the same
            log.warning("the answers of a cancelled job could not be counted: %s", exc.message)
            return describe(record, record.total - len(job.open) if job is not None else 0)

    def forget(self, job_id: str, caller: Caller) -> JobInfo:
        """Remove a job that has ended, or about a minute after somebody has read it; return its last state.

        Raises:
            JobNotFound: the caller has no such job.
        """
        record = self._find(job_id, caller)
        info = self._info(record)
        if record.state.ended:
            self._retention.forget(record)
        return info

    @property
    def queued(self) -> int:
        """The number of circuits that wait."""
        return self._running.queued

    def states(self) -> dict[JobState, int]:
        """Return the number of active jobs in each state."""
        unended = [job.record for job in list(self._active.values()) if not job.record.state.ended]
        running = sum(record.started is not None for record in unended)
        return {JobState.QUEUED: len(unended) - running, JobState.RUNNING: running}

    # ------------------------------------------------------------------ the end

    def stop_taking(self) -> None:
        """Begin no circuit and accept no job any more; requests that wait for a job are answered at once."""
        self._running.stop_taking()
        for job in list(self._active.values()):
            job.end()

    def close(self, within_s: float = 0) -> None:
        """Wait ``within_s`` seconds for circuits under way, then leave the rest to the next server."""
        self.stop_taking()
        self._running.close(list(self._active.values()), within_s)
        with contextlib.suppress(JobStoreError):
            self._retention.flush()
        self._store.close()

    # ------------------------------------------------------------------ accepting

    def _accept(self, record: JobRecord, parts: list[bytes], caller: Caller) -> JobInfo:
        if self._running.closing.is_set():
            raise BusyError("the server is stopping", retry_after_s=1.0)
        run_sizes = splitting.run_sizes(parts)
        runs = sum(map(bool, parts))
        if not self._running.reserve(runs, self._limits.max_queued_circuits):
            if record.idempotency_key is not None and self._store.find_key(record.idempotency_key, record.owner):
                return self._job_of_key(record)
            raise BusyError(
                f"{self.queued:,} circuits wait, and at most {self._limits.max_queued_circuits:,} may wait: "
                "try again later",
                retry_after_s=5.0,
            )
        try:
            record = replace(record, number=self._retention.add(record, parts))
            small = sum(map(len, parts)) <= KEEP_IN_MEMORY_BYTES
            job = ActiveJob(record, set(range(record.total)), caller.token, parts=parts if small else None)
            job.run_sizes = run_sizes
            self._active[record.id] = job
            self._running.add(job)
        except KeyTakenError:
            return self._job_of_key(record)
        except LimitError:
            if record.idempotency_key is not None and self._store.find_key(record.idempotency_key, record.owner):
                return self._job_of_key(record)
            raise
        finally:
            self._running.release(runs)
        return self._info(record)

    def _job_of_key(self, record: JobRecord) -> JobInfo:
        """Return the job that already has the idempotency key of a new one, if both have the same request."""
        job = self._store.find_key(str(record.idempotency_key), record.owner)
        if job is None:
            raise JobStoreError("a job with this idempotency key was removed at this moment: send it again")
        if job.digest != record.digest:
            raise IdempotencyConflict(
                "the idempotency key was used for another request: use a new key for a new request", job=job.id
            )
        return self._info(self._latest(job))

    def _latest(self, record: JobRecord) -> JobRecord:
        """Return what memory knows of a job that the database has, which may be behind for a moment."""
        job = self._active.get(record.id)
        return record if job is None else job.record

    def _take_up(self) -> None:
        """Continue the jobs that an earlier server did not finish."""
        try:
            self._store.drop_half_answers()
        except JobStoreError as exc:  # they take space until the next start, and are in nobody's way
            log.warning("halves of answers of an earlier server could not be removed: %s", exc.message)
        for record, attempts in self._store.unfinished():
            given_up = {k: _interrupted(tries) for k, tries in attempts.items() if tries >= MAX_ATTEMPTS}
            failed = self._store.first_failure(record.number) is not None
            job = ActiveJob(record, set(attempts), LOST_TOKEN, failed=failed, given_up=given_up)
            self._active[record.id] = job
            self._running.add(job, suspects={k for k, tries in attempts.items() if tries == MAX_ATTEMPTS - 1})
        if self._active:
            log.info("%d jobs of an earlier server are taken up again", len(self._active))

    def _on_end(self, job: ActiveJob, answer: StoredAnswer | None) -> None:
        """Drop a job that has ended from the active ones; remember a single circuit's answer for those who wait."""
        if answer is not None and job.record.total == 1:
            self._recent.add(job.record, [answer])
        self._active.pop(job.record.id, None)
        job.end()

    def _expire(self) -> None:
        """Remove old jobs from time to time; the main function of a thread."""
        while True:
            try:
                self._store.doubt()
                self._retention.clear_up()
            except JobStoreError as exc:
                log.warning("old jobs could not be removed: %s", exc.message)
            except Exception:
                log.exception("old jobs could not be removed")
            if self._running.closing.wait(_EXPIRE_EVERY_S):
                return

    # ------------------------------------------------------------------ answering

    def _find(self, job_id: str, caller: Caller) -> JobRecord:
        job = self._active.get(job_id)
        record = job.record if job is not None else self._recent.record(job_id)
        record = record or self._store.find(job_id, caller.owner)
        if record is None or record.owner != caller.owner:
            raise JobNotFound(f"there is no job {job_id!r} of yours here", job=job_id)
        return record

    def _find_waiting(self, job_id: str, caller: Caller, wait_s: float) -> JobRecord:
        """Return a caller's job, after waiting up to ``wait_s`` seconds for its end."""
        job = self._active.get(job_id)
        if job is not None and job.record.owner == caller.owner and wait_s > 0:
            job.ended.wait(wait_s)
        return self._find(job_id, caller)

    def _info(self, record: JobRecord) -> JobInfo:
        (info,) = self._infos([record])
        return info

    def _infos(self, records: Sequence[JobRecord]) -> list[JobInfo]:
        summaries = {record.number: summary for record in records if (summary := self._remembered(record)) is not None}
        summaries |= self._store.summaries([record.number for record in records if record.number not in summaries])
        return [
            describe_ended(record, summaries[record.number])
            if record.state.ended
            else describe(record, summaries[record.number].done)
            for record in records
        ]

    def _remembered(self, record: JobRecord) -> Summary | None:
        """Return what memory knows of the answers of a job; of a job that has not ended, how many there are."""
        if not record.state.ended:
            job = self._active.get(record.id)
            return None if job is None else Summary(record.total - len(job.open), 0, 0)
        answers = self._recent.answers(record.id)
        if answers is None:
            return None
        there = [answer for answer in answers if answer is not None]
        return Summary(
            len(there), sum(answer.status != _OK for answer in there), sum(size_of(answer.body) for answer in there)
        )


def _has_arrays(request: RunRequest) -> bool:
    """Say whether the results of a request have arrays, which MessagePack writes as bytes."""
    kind = request.result or (ResultType.PROBABILITIES if request.shots is None else ResultType.COUNTS)
    return kind.result_class.packed_type is not kind.result_class.wire_type


def _interrupted(tries: int) -> StoredAnswer:
    error = JobInterrupted(
        f"the server ended during each of {tries} attempts at this run; it is not tried again", attempts=tries
    )
    return StoredAnswer(error.status, problem.dump(error))
